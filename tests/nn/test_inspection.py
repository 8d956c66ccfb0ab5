"""Looking into a net: attributions that add up, and adversaries that stay in reach."""

import numpy as np
import pytest

import nn
from autograd import Value

RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 0.9, (6, 5))
Y = np.array([0, 1, 2, 0, 1, 2])
LINEAR = nn.Dense(5, 3, seed=0)


def net(activation=np.tanh, **keywords):
    return nn.MLP([5, 16, 3], activation, seed=1, **keywords)


@pytest.fixture(scope="module")
def trained():
    x, y = nn.data.blobs(120, noise=0.15, seed=0)
    low, high = x.min(0), x.max(0)
    x = (x - low) / (high - low)
    model = nn.MLP([2, 16, 3], seed=0)
    model.compile(nn.Adam(model.parameters(), lr=0.02), nn.cross_entropy).fit(x, y, epochs=40, seed=0)
    assert np.mean(model(x).argmax(axis=1) == y) > 0.95
    return model, x, y


# -------------------------------------------------------------------- attributions


def test_the_saliency_of_a_linear_model_is_its_weight():
    np.testing.assert_allclose(nn.saliency(LINEAR, X, Y), LINEAR.weight.data.T[Y])
    np.testing.assert_allclose(nn.saliency(LINEAR, X, 1), np.tile(LINEAR.weight.data[:, 1], (6, 1)))
    best = LINEAR(X).data.argmax(axis=1)
    np.testing.assert_array_equal(nn.saliency(LINEAR, X), nn.saliency(LINEAR, X, best))


def test_saliency_equals_finite_differences():
    model, found = net(), nn.saliency(net(), X, Y)
    for i in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[i] = 1e-6
        slope = (model(X + step).data - model(X - step).data)[i[0], Y[i[0]]] / 2e-6
        assert found[i] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("outputs", [lambda v: v @ np.ones((5, 1)), lambda v: v @ np.ones(5)])
def test_a_model_with_one_output(outputs):
    np.testing.assert_array_equal(nn.saliency(outputs, X), np.ones_like(X))


@pytest.mark.parametrize("activation, tolerance", [(np.tanh, 1e-9), (nn.relu, 2e-2)])
def test_integrated_gradients_are_complete(activation, tolerance):
    model, baseline = net(activation), np.full(5, 0.2)
    shares = nn.integrated_gradients(model, X, Y, baseline)
    change = (model(X).data - model(np.tile(baseline, (6, 1))).data)[np.arange(6), Y]
    np.testing.assert_allclose(shares.sum(axis=1), change, atol=tolerance)
    # An input that is at its baseline has no share, one that the model does not see neither.
    at_rest = np.where(np.arange(5) == 2, 0.2, X)
    assert not nn.integrated_gradients(model, at_rest, Y, baseline)[:, 2].any()
    assert not nn.integrated_gradients(lambda v: model(v * np.array([1.0, 1, 1, 1, 0])), X, Y)[:, 4].any()


def test_integrated_gradients_of_a_linear_model_are_input_times_weight():
    np.testing.assert_allclose(nn.integrated_gradients(LINEAR, X, Y, steps=1), X * LINEAR.weight.data.T[Y])


def test_parameters_and_modes_stay_as_they_are():
    model = nn.Sequential(nn.Dense(5, 8, seed=0), nn.BatchNorm(8), nn.Dropout(0.5, seed=0), nn.Dense(8, 3, seed=1))
    model[3].eval()
    nn.cross_entropy(model(X), Y).backward()
    before = [(p.data.copy(), p.grad.copy()) for p in model.parameters()]
    buffers = [b.data.copy() for _, b in model.named_buffers()]
    first = nn.saliency(model, X, Y)
    np.testing.assert_array_equal(first, nn.saliency(model, X, Y))  # no noise from Dropout
    nn.integrated_gradients(model, X, Y, steps=3)
    nn.fgsm(model, X, Y, 0.1)
    nn.pgd(model, X, Y, 0.1, steps=2)
    nn.noise_robustness(model, X, Y, [0.1])
    assert [module.training for _, module in model.named_modules()] == [True, True, True, True, False]
    for parameter, (data, gradient) in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.data, data)
        np.testing.assert_array_equal(parameter.grad, gradient)
    for (_, buffer), data in zip(model.named_buffers(), buffers, strict=True):
        np.testing.assert_array_equal(buffer.data, data)


@pytest.mark.parametrize("look", [
    lambda m, x: nn.saliency(m, x, Y), lambda m, x: nn.integrated_gradients(m, x, Y, steps=4),
    lambda m, x: nn.fgsm(m, x, Y, 0.1, limits=(0, 1)), lambda m, x: nn.pgd(m, x, Y, np.float64(0.1), steps=2, seed=0),
])  # fmt: skip
def test_float32_stays_and_a_value_is_taken_as_its_numbers(look):
    model = net(dtype=np.float32)
    single = X.astype(np.float32)
    found = look(model, single)
    assert type(found) is np.ndarray and found.dtype == np.float32 and found.shape == X.shape
    np.testing.assert_array_equal(look(model, Value(single)), found)


def test_images_and_sequences():
    image = RNG.uniform(size=(2, 1, 8, 8))
    cnn = nn.Sequential(nn.Conv2d(1, 4, 3, seed=0), nn.relu, nn.GlobalAvgPool(), nn.Dense(4, 3, seed=1))
    assert nn.saliency(cnn, image).shape == image.shape
    lstm = nn.Sequential(nn.LSTM(2, 4, returns="last", seed=0), nn.Dense(4, 3, seed=1))
    sequence = RNG.normal(size=(2, 7, 2))
    shares = nn.integrated_gradients(lstm, sequence, 0)
    np.testing.assert_allclose(
        shares.sum(axis=(1, 2)), (lstm(sequence).data - lstm(np.zeros_like(sequence)).data)[:, 0], atol=1e-9
    )


# -------------------------------------------------------------------- adversaries


@pytest.mark.parametrize("attack", [nn.fgsm, lambda *a, **k: nn.pgd(*a, seed=0, **k)], ids=["fgsm", "pgd"])
def test_an_attack_raises_the_loss_and_stays_in_reach(trained, attack):
    model, x, y = trained
    for epsilon in (0.0, 0.01, 0.1):
        moved = attack(model, x, y, epsilon, limits=(0, 1))
        assert np.abs(moved - x).max() <= epsilon + 1e-12
        assert moved.min() >= 0 and moved.max() <= 1
        before, after = nn.cross_entropy(model(x), y).item(), nn.cross_entropy(model(moved), y).item()
        assert after > before if epsilon else after == before


def test_targeted_attacks_lead_to_their_target(trained):
    model, x, y = trained
    wanted = (y + 1) % 3
    for attack in (nn.fgsm, nn.pgd):
        moved = attack(model, x, wanted, 0.1, targeted=True)
        assert nn.cross_entropy(model(moved), wanted).item() < nn.cross_entropy(model(x), wanted).item()
    assert np.mean(model(nn.pgd(model, x, wanted, 1.0, targeted=True, seed=0)).argmax(axis=1) == wanted) > 0.9


def test_many_small_steps_are_at_least_as_strong_as_a_large_one(trained):
    model, x, y = trained
    for epsilon in (0.05, 0.15, 0.3):
        fast = nn.cross_entropy(model(nn.fgsm(model, x, y, epsilon)), y).item()
        slow = nn.cross_entropy(model(nn.pgd(model, x, y, epsilon, random_start=False, steps=50)), y).item()
        assert slow >= 0.999 * fast  # the last steps go to and fro about a maximum
    x, y = nn.data.spirals(300, seed=0)
    winding = nn.MLP([2, 32, 32, 3], seed=0)
    winding.compile(nn.Adam(winding.parameters(), lr=0.02), nn.cross_entropy).fit(x, y, epochs=20, seed=0)
    attacked = nn.fgsm(winding, x, y, 0.3), nn.pgd(winding, x, y, 0.3, seed=0)
    fast, slow = (nn.cross_entropy(winding(moved), y).item() for moved in attacked)
    assert slow > 1.02 * fast


def test_of_a_linear_model_the_fast_step_is_the_best_there_is():
    x, y = RNG.normal(size=(20, 5)), RNG.integers(0, 2, 20)
    model = nn.Dense(5, 2, seed=0)
    np.testing.assert_allclose(nn.pgd(model, x, y, 0.3, seed=0), nn.fgsm(model, x, y, 0.3), atol=1e-12)


def test_another_loss_and_a_seed():
    squared = nn.fgsm(LINEAR, X, np.zeros((6, 3)), 0.1, loss=nn.mse)
    assert nn.mse(LINEAR(squared), np.zeros((6, 3))).item() > nn.mse(LINEAR(X), np.zeros((6, 3))).item()
    runs = [nn.pgd(net(), X, Y, 0.1, steps=1, step_size=0.01, seed=seed) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


# -------------------------------------------------------------------- noise


def test_noise_costs_accuracy(trained):
    model, x, y = trained
    found = nn.noise_robustness(model, x, y, [0, 0.05, 10], seed=0)
    assert found[0] == np.mean(model(x).argmax(axis=1) == y) > 0.95
    assert found[0] >= found[1] > found[2]
    np.testing.assert_array_equal(found, nn.noise_robustness(model, x, y, [0, 0.05, 10], seed=0))
    assert nn.noise_robustness(model, x, y, [10], limits=(0, 1), seed=0)[0] < 0.9
    many = nn.noise_robustness(model, np.tile(x, (5, 1)), np.tile(y, 5), [0])  # more than are computed at once
    assert many[0] == found[0]
    error = nn.noise_robustness(lambda v: v @ np.ones(5), X, X.sum(axis=1), [0, 1], metric=nn.metrics.mse, seed=0)
    assert error[0] == pytest.approx(0, abs=1e-20) and error[1] > 1


# -------------------------------------------------------------------- errors


@pytest.mark.parametrize("call, message", [
    (lambda: nn.saliency(LINEAR, X, 3), "classes are 0 to 2"),
    (lambda: nn.saliency(LINEAR, X, [0, 1]), "one for each of 6"),
    (lambda: nn.saliency(LINEAR, X, 0.5), "one for each of 6"),
    (lambda: nn.saliency(lambda v: v.sum(axis=1), X, 1), "one number for each"),
    (lambda: nn.saliency(lambda v: v.reshape(6, 5, 1), X), "gave shape"),
    (lambda: nn.integrated_gradients(LINEAR, X, steps=0), "positive whole"),
    (lambda: nn.integrated_gradients(LINEAR, X, baseline=np.zeros(4)), "do not fit"),
    (lambda: nn.fgsm(LINEAR, X, Y, -0.1), "no distance"),
    (lambda: nn.fgsm(LINEAR, 2 * X, Y, 0.1, limits=(0, 1)), "outside limits"),
    (lambda: nn.pgd(LINEAR, X, Y, 0.1, step_size=0), "positive"),
    (lambda: nn.noise_robustness(LINEAR, X, Y, [0.1, -1]), "no distance"),
    (lambda: nn.noise_robustness(lambda v: v.sum(axis=1), X, Y, [0.1]), "give metric="),
])  # fmt: skip
def test_what_cannot_be(call, message):
    with pytest.raises(ValueError, match=message):
        call()
