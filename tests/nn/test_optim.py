"""Optimisers: against the recurrence on plain numbers, and what they refuse."""

import numpy as np
import pytest

import nn
from autograd import Value
from nn import MLP, SGD, Dense, Optimizer, cross_entropy, mse

START = np.array([3.0, -2.0, 0.5])
CURVATURE = np.array([1.0, 2.0, 0.1])


def path(steps, dtype=np.float64, **settings):
    w = Value(START.astype(dtype))
    optimizer = SGD([w], **settings)
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * (w * w * CURVATURE.astype(dtype))).sum().backward()
        optimizer.step()
    return w.data


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_sgd_follows_its_recurrence(momentum, weight_decay):
    w, v = START.copy(), np.zeros(3)
    for _ in range(20):
        g = CURVATURE * w + weight_decay * w
        v = momentum * v + g
        w = w - 0.05 * v
    np.testing.assert_allclose(path(20, lr=0.05, momentum=momentum, weight_decay=weight_decay), w, rtol=1e-13)


def test_without_momentum_a_quadratic_has_a_closed_form():
    np.testing.assert_allclose(path(50, lr=0.1), START * (1 - 0.1 * CURVATURE) ** 50, rtol=1e-12)


def test_with_momentum_it_gets_there_faster():
    assert abs(path(100, lr=0.1, momentum=0.8)[2]) < 0.1 * abs(path(100, lr=0.1)[2])


SGD_100 = [0.017761587661002082, -5.3122797775174905e-05, 0.302885218245364]
MOMENTUM_100 = [-0.014953869331395949, -0.007477466622594812, -0.0017625382570449451]
NESTEROV_100 = [-0.0011570876597635541, -4.3644821748464337e-05, -0.0005580523294137557]
ADAGRAD_100 = [1.39496785291066, -0.5513456237438802, 5.560547860589662e-06]
RMSPROP_100 = [0.3125381517465095, -0.024339636944528134, -3.7999609194442393e-16]
ADAM_100 = [1.275280404855827, -0.4488920872239114, -0.0004905101452071204]
ADAM_DECAY_100 = [1.1787980416565638, -0.33563726429671853, -2.5041595748323116e-05]
ADAMW_100 = [1.2420937069218532, -0.434788657082761, -0.0005406374508748379]

# name: ours, PyTorch's settings, and where both are after 100 steps, as PyTorch 2.13 has it
OPTIMISERS = {
    "SGD": (lambda w: nn.SGD(w, lr=0.05), ("SGD", {"lr": 0.05}), SGD_100),
    "momentum": (lambda w: nn.SGD(w, lr=0.05, momentum=0.9), ("SGD", {"lr": 0.05, "momentum": 0.9}), MOMENTUM_100),
    "Nesterov": (
        lambda w: nn.SGD(w, lr=0.05, momentum=0.9, weight_decay=0.01, nesterov=True),
        ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}),
        NESTEROV_100,
    ),
    "AdaGrad": (
        lambda w: nn.AdaGrad(w, lr=0.1, weight_decay=0.01),
        ("Adagrad", {"lr": 0.1, "weight_decay": 0.01}),
        ADAGRAD_100,
    ),
    "RMSProp": (
        lambda w: nn.RMSProp(w, lr=0.01, momentum=0.5, weight_decay=0.01),
        ("RMSprop", {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.01}),
        RMSPROP_100,
    ),
    "Adam": (lambda w: nn.Adam(w, lr=0.02), ("Adam", {"lr": 0.02}), ADAM_100),
    "Adam, decay": (
        lambda w: nn.Adam(w, lr=0.02, betas=(0.8, 0.95), weight_decay=0.1),
        ("Adam", {"lr": 0.02, "betas": (0.8, 0.95), "weight_decay": 0.1}),
        ADAM_DECAY_100,
    ),
    "AdamW": (lambda w: nn.AdamW(w, lr=0.02), ("AdamW", {"lr": 0.02}), ADAMW_100),
}


def hundred_steps(optimizer, w, curvature):
    for _ in range(100):
        optimizer.zero_grad()
        (0.5 * (w * w * curvature)).sum().backward()
        optimizer.step()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_hundred_steps_end_where_pytorchs_do(name):
    ours, _, wanted = OPTIMISERS[name]
    w = Value(START)
    hundred_steps(ours([w]), w, CURVATURE)
    np.testing.assert_allclose(w.data, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_same_beside_pytorch(name):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    _, (theirs, settings), wanted = OPTIMISERS[name]
    w = torch.tensor(START, requires_grad=True)
    hundred_steps(getattr(torch.optim, theirs)([w], **settings), w, torch.tensor(CURVATURE))
    np.testing.assert_allclose(wanted, w.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_they_keep_float32_and_train_numbers(name):
    for start in (np.float32(2.0), START.astype(np.float32)):
        w = Value(start)
        optimizer = OPTIMISERS[name][0]([w])
        for _ in range(2):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
        assert w.dtype == np.float32 and np.all(np.abs(w.data) < np.abs(start))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda w: nn.SGD(w, lr=0.1, nesterov=True), "needs one: momentum"),
        (lambda w: nn.Adam(w, betas=(0.9, 1.0)), r"Adam\(betas=1.0\)"),
        (lambda w: nn.AdamW(w, eps=0), r"AdamW\(eps=0\)"),
        (lambda w: nn.AdaGrad(w, eps=-1), r"AdaGrad\(eps=-1\)"),
        (lambda w: nn.RMSProp(w, rho=1), r"RMSProp\(rho=1\)"),
        (lambda w: nn.StepSchedule(nn.SGD(w, lr=1.0), every=0), "every=0"),
        (lambda w: nn.CosineSchedule(nn.SGD(w, lr=1.0), steps=3, warmup=3), "steps=3"),
        (lambda w: nn.WarmUpSchedule(nn.SGD(w, lr=1.0), steps=0), "steps=0"),
    ],
)
def test_settings_of_the_others_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make([Value(1.0)])


# -------------------------------------------------------------------- schedules


def rates(schedule, n):
    seen = [schedule.optimizer.lr]
    for _ in range(n - 1):
        schedule.step()
        seen.append(schedule.optimizer.lr)
    return seen


def test_schedules():
    def sgd():
        return nn.SGD([Value(1.0)], lr=0.4)

    np.testing.assert_allclose(rates(nn.StepSchedule(sgd(), 2, 0.5), 5), [0.4, 0.4, 0.2, 0.2, 0.1])
    np.testing.assert_allclose(rates(nn.WarmUpSchedule(sgd(), 3), 5), [0.1, 0.2, 0.3, 0.4, 0.4])
    np.testing.assert_allclose(
        rates(nn.CosineSchedule(sgd(), 6, warmup=2, lowest=0.1), 8),
        [0.4 / 3, 0.8 / 3, *(0.04 + 0.36 * 0.5 * (1 + np.cos(np.pi * k / 4)) for k in range(5)), 0.04],
    )
    with pytest.raises(TypeError, match="an Optimizer is needed"):
        nn.StepSchedule(0.1, 2)


# -------------------------------------------------------------------- limits on gradients


def with_gradients(*gradients):
    values = [Value(np.zeros(np.shape(g))) for g in gradients]
    for value, gradient in zip(values, gradients, strict=True):
        value.grad = gradient
    return values


def test_gradients_that_are_too_long_are_shortened_together():
    a, b, idle = with_gradients([3.0, 0.0], 4.0, None)
    assert nn.clip_gradients([a, b, idle], norm=1.0) == 5.0
    np.testing.assert_allclose(a.grad, [0.6, 0.0])
    assert b.grad == 0.8 and idle.grad is None
    assert nn.clip_gradients([a, b], norm=2.0) == pytest.approx(1.0)
    np.testing.assert_allclose(a.grad, [0.6, 0.0])


def test_gradients_are_cut_off_one_by_one():
    (a,) = with_gradients([3.0, -0.1, -7.0])
    assert nn.clip_gradients([a], value=0.5) == pytest.approx(np.linalg.norm([3.0, 0.1, 7.0]))
    np.testing.assert_array_equal(a.grad, [0.5, -0.1, -0.5])


def test_gradients_that_are_not_finite_are_left_alone_and_told():
    (a,) = with_gradients([np.inf, 1.0])
    assert nn.clip_gradients([a], norm=1.0) == np.inf
    np.testing.assert_array_equal(a.grad, [np.inf, 1.0])
    for wrong in ({}, {"norm": 1.0, "value": 1.0}, {"norm": 0.0}, {"value": -1.0}):
        with pytest.raises(ValueError, match="clip_gradients"):
            nn.clip_gradients([a], **wrong)


def test_float32_stays_float32():
    w = path(5, np.float32, lr=0.05, momentum=0.9, weight_decay=0.1)
    assert w.dtype == np.float32


def test_a_number_is_trained_like_an_array():
    w = Value(4.0)
    optimizer = SGD([w], lr=0.25, momentum=0.5)
    (w * w).backward()
    optimizer.step()
    assert w.item() == 2.0


def test_parameters_without_a_gradient_stay():
    used, unused = Value([1.0]), Value([1.0])
    optimizer = SGD([used, unused], lr=0.5, momentum=0.9, weight_decay=0.1)
    used.sum().backward()
    optimizer.step()
    assert used.data[0] < 1 and unused.data[0] == 1
    optimizer.zero_grad()
    assert used.grad is None


def test_a_step_without_any_gradient_is_an_error():
    optimizer = SGD(Dense(2, 1, seed=0).parameters(), lr=0.1)
    with pytest.raises(RuntimeError, match=r"SGD.step\(\): no parameter has a gradient"):
        optimizer.step()


def test_a_parameter_given_twice_moves_once():
    w = Value([1.0])
    optimizer = SGD([w, w], lr=0.5)
    w.sum().backward()
    optimizer.step()
    assert w.data[0] == 0.5


def test_earlier_data_and_gradients_are_left_alone():
    w = Value(START)
    optimizer = SGD([w], lr=0.5, momentum=0.9, weight_decay=0.1)
    before = w.data
    for _ in range(3):
        w.zero_grad()
        w.sum().backward()
        gradient = w.grad
        optimizer.step()
        np.testing.assert_array_equal(gradient, np.ones(3))
    np.testing.assert_array_equal(before, START)


def test_it_takes_gradients_that_are_values():
    w = Value(4.0)
    (w * w).backward(create_graph=True)
    SGD([w], lr=0.25).step()
    assert w.item() == 2.0
    w.zero_grad()


def test_the_learning_rate_may_be_set_anew():
    w = Value([1.0])
    optimizer = SGD([w], lr=0.5)
    w.sum().backward()
    optimizer.lr = 0.25
    optimizer.step()
    assert w.data[0] == 0.75


def test_one_equation_makes_an_optimiser():
    class SignDescent(Optimizer):
        def update(self, w, g, state):
            state["steps"] = state.get("steps", 0) + 1
            return w - self.lr * np.sign(g)

    w = Value([1.0, -1.0])
    optimizer = SignDescent([w], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(w.data, [0.5, -0.5])
    assert optimizer.states == [{"steps": 5}]
    with pytest.raises(NotImplementedError, match=r"update\(self, w, g, state\)"):
        Optimizer([w], lr=0.1).step()


def test_a_line_is_found():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 1))
    layer = Dense(1, 1, seed=0)
    optimizer = SGD(layer.parameters(), lr=0.1, momentum=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        mse(layer(x), 3 * x - 2).backward()
        optimizer.step()
    assert layer.weight.item() == pytest.approx(3) and layer.bias.item() == pytest.approx(-2)


def test_a_training_step_equals_one_written_by_hand():
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((32, 64)), rng.integers(0, 10, 32)
    model = MLP([64, 32, 10], seed=0)
    w1, b1, w2, b2 = (np.array(p.data) for p in model.parameters())
    optimizer = SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        cross_entropy(model(x), labels).backward()
        optimizer.step()

        h = np.maximum(x @ w1 + b1, 0)
        z = h @ w2 + b2
        g = np.exp(z - z.max(axis=1, keepdims=True))
        g /= g.sum(axis=1, keepdims=True)
        g[np.arange(32), labels] -= 1
        g /= 32
        gh = (g @ w2.T) * (h > 0)
        w2, b2 = w2 - 0.1 * h.T @ g, b2 - 0.1 * g.sum(axis=0)
        w1, b1 = w1 - 0.1 * x.T @ gh, b1 - 0.1 * gh.sum(axis=0)
    for parameter, wanted in zip(model.parameters(), (w1, b1, w2, b2), strict=True):
        np.testing.assert_allclose(parameter.data, wanted, rtol=1e-11, atol=1e-14)


def test_what_is_no_list_of_parameters():
    layer = Dense(2, 1, seed=0)
    with pytest.raises(TypeError, match=r"SGD\(model.parameters\(\), ...\)"):
        SGD(layer, lr=0.1)
    with pytest.raises(TypeError, match=r"SGD\(\[value\], ...\)"):
        SGD(layer.weight, lr=0.1)
    with pytest.raises(TypeError, match="one is a tuple"):
        SGD(layer.named_parameters(), lr=0.1)
    with pytest.raises(ValueError, match="a constant"):
        SGD([Value(1.0, requires_grad=False)], lr=0.1)
    with pytest.raises(ValueError, match="the result of an operation"):
        SGD([Value(1.0) * 2], lr=0.1)
    with pytest.raises(ValueError, match="no parameters"):
        SGD([], lr=0.1)


@pytest.mark.parametrize(
    "settings",
    [{"lr": 0}, {"lr": -1}, {"lr": np.inf}, {"lr": np.nan}, {"lr": "0.1"}, {"lr": 1, "momentum": 1},
     {"lr": 1, "momentum": -0.1}, {"lr": 1, "weight_decay": -0.1}, {"lr": 1, "weight_decay": np.nan}],
)  # fmt: skip
def test_settings_out_of_range(settings):
    name = list(settings)[-1]
    with pytest.raises(ValueError, match=rf"SGD\({name}=.*it is a finite number"):
        SGD([Value(1.0)], **settings)


def test_arrays_are_no_parameters():
    with pytest.raises(TypeError, match="one is a ndarray"):
        SGD([np.ones(2)], lr=0.1)
