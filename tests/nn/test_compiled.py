"""All of nn, compiled: training steps and predictions give the bits that they give as they are.

Six calls, each on other numbers: the first ones are traced, and then a program runs. What is compared is all that there
is: results, parameters, gradients, buffers, what optimisers remember, and where random generators stand.
"""

import inspect
import re

import numpy as np
import pytest

import nn
from autograd import Value, compile, no_grad
from autograd.errors import CompileError
from tests.any_library import LAYERS, LOSSES, OPTIMISERS
from tests.nn.test_metrics import ACTUAL, PREDICTED

CALLS = 6
MORE = {
    "recurrent cells": lambda: (
        nn.Sequential(nn.RNNCell(2, 3, seed=0), nn.GRUCell(3, 3, seed=1)), (np.linspace(-1, 1, 8).reshape(4, 2),)),
    "an mlp": lambda: (nn.MLP([5, 4, 3], nn.sigmoid, seed=0), (np.linspace(-1, 1, 20).reshape(4, 5),)),
    "a drawn model": lambda: (drawn(), (np.linspace(-1, 1, 20).reshape(4, 5),)),
    "everything random": lambda: (
        nn.Sequential(nn.Dropout(0.5, seed=0), nn.Dense(5, 4, seed=1), nn.Dropout(0.2, seed=2)),
        (np.linspace(-1, 1, 20).reshape(4, 5),)),
}  # fmt: skip
ALL = LAYERS | MORE


def drawn():
    x = nn.Input(5)
    h = nn.BatchNorm()(nn.Dense(6, nn.relu, seed=0)(x))
    return nn.Model(x, np.concatenate([nn.Dense(2, seed=1)(h), x[:, :1] * 2], axis=1))


def made(name, dtype, training=True):
    model, given = ALL[name]()
    if not all(module.built for _, module in model.named_modules()):
        model(given[0])
    model.to(lambda array: array.astype(dtype) if array.dtype.kind == "f" else array).train(training)
    return model, tuple(x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in given)


def other(x, call):
    """Numbers of the same kind: another batch."""
    if not isinstance(x, np.ndarray):
        return x
    moved = np.roll(x, call, axis=0)
    return moved if x.dtype.kind != "f" else (moved * (1 + 0.1 * call)).astype(x.dtype)


def state(model, optimizer=None):
    """All that a step leaves behind."""
    found = {}
    for path, value in model.named_parameters() + model.named_buffers():
        found[path], found[f"{path}.grad"] = value.data, value.grad
    for i, memory in enumerate(optimizer.states if optimizer else ()):
        found |= {f"states[{i}][{name!r}]": content for name, content in memory.items()}
    for path, module in model.named_modules():
        random = getattr(module, "random", None)
        if random is not None:
            found[f"{path}.random"] = random.bit_generator.state["state"]["state"]
    return found


def assert_same(got, wanted, where="", tolerance=0.0):
    """The same numbers to the bit, of the same types, in the same nesting."""
    got, wanted = (x.data if isinstance(x, Value) else x for x in (got, wanted))
    if isinstance(wanted, tuple | list):
        assert type(got) is type(wanted) and len(got) == len(wanted), where
        for i, (one, two) in enumerate(zip(got, wanted, strict=True)):
            assert_same(one, two, f"{where}[{i}]", tolerance)
    elif isinstance(wanted, dict):
        assert got.keys() == wanted.keys(), where
        for name in wanted:
            assert_same(got[name], wanted[name], f"{where} {name}", tolerance)
    elif isinstance(wanted, np.ndarray | np.generic):
        assert got.dtype == wanted.dtype and got.shape == wanted.shape, where
        if tolerance:
            np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance, err_msg=where)
        else:
            assert np.array_equal(got, wanted, equal_nan=True), where
    else:
        assert got == wanted and type(got) is type(wanted), where


def assert_compiles(make, calls=CALLS, tolerance=0.0, traces=4):
    """``make()`` gives a function, its arguments for each call, and what tells the state, the same each time."""
    function, arguments, look = make()
    step = compile(function)
    eager, arguments_there, look_there = make()
    traced = []
    for call in range(calls):
        got, wanted = step(*arguments(call)), eager(*arguments_there(call))
        assert_same(got, wanted, f"call {call}", tolerance)
        assert_same(look(), look_there(), f"call {call}:", tolerance)
        traced.append(step.traces)
    assert traced[-1] == traced[min(traces, calls) - 1] <= traces, traced
    return step


# ---------------------------------------------------------------- layers


def test_every_layer_is_here():
    here = {type(module) for name in ALL for _, module in ALL[name]()[0].named_modules()}
    layers = {kind for kind in vars(nn).values() if inspect.isclass(kind) and issubclass(kind, nn.Module)}
    assert layers - here == {nn.Module}


COVERED = {"Model", "Module", "Optimizer", "Schedule", "clip_gradients", "scalar", "metrics", "train"}
"""What other tests here, and in test_train.py, are of."""
NOTHING_TO_COMPILE = {
    "Input", "Symbol", "data", "from_torch_state_dict", "init", "keep_memory", "load", "pictures", "save",
    "to_torch_state_dict",
}  # fmt: skip


def kinds(base):
    return {name for name, kind in vars(nn).items() if inspect.isclass(kind) and issubclass(kind, base)}


def test_every_public_name_is_here():
    assert {type(make([Value(1.0)])).__name__ for make in OPTIMISERS.values()} == kinds(nn.Optimizer) - {"Optimizer"}
    assert {loss.__name__ for loss, _, _ in LOSSES.values()} == set(nn.losses.__all__)
    assert set(SCHEDULES) == kinds(nn.Schedule) - {"Schedule"}
    assert set(MEASURES) == {*nn.metrics.__all__, "noise_robustness"}
    assert set(LOOKS) | {"noise_robustness"} == set(nn.inspection.__all__)
    tested = kinds(nn.Module) | kinds(nn.Optimizer) | set(nn.losses.__all__) | set(nn.functional.__all__)
    tested |= set(SCHEDULES) | set(nn.inspection.__all__) | COVERED
    public = set(re.findall(r"^from .* import (\w+) as \1$", inspect.getsource(nn), re.MULTILINE))
    assert public - tested == NOTHING_TO_COMPILE


def numbers_of(y):
    """One number of all that a layer gives."""
    parts = y if isinstance(y, tuple | list) else (y,)
    return sum(numbers_of(part) if isinstance(part, tuple | list) else np.mean(part * part + part) for part in parts)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ALL)
def test_a_training_step(name, dtype):
    def make():
        model, given = made(name, dtype)
        optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.5) if model.parameters() else None

        def step(*xs):
            y = model(*xs)
            loss = numbers_of(y)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return loss, y

        return step, lambda call: [other(x, call) for x in given], lambda: state(model, optimizer)

    assert_compiles(make)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ALL)
def test_a_prediction_and_the_gradient_of_its_input(name, dtype):
    def make():
        model, given = made(name, dtype, training=False)

        def judge(*xs):
            first = Value(xs[0], requires_grad=xs[0].dtype.kind == "f")
            y = model(first, *xs[1:])
            if first.requires_grad:
                numbers_of(y).backward()
            return y, first.grad

        return judge, lambda call: [other(x, call) for x in given], lambda: state(model)

    assert_compiles(make)


def test_a_model_itself_without_gradients():
    def make():
        model = drawn()
        model(np.ones((3, 5)))
        return model.eval(), lambda call: [np.full((4, 5), float(call))], lambda: state(model)

    with no_grad():
        assert_compiles(make)


def test_from_training_to_judging_and_back():
    def make():
        model = nn.Sequential(nn.Dense(3, 4, seed=0), nn.BatchNorm(4), nn.Dropout(0.5, seed=1))

        def arguments(call):
            model.train(call // 3 % 2 == 0)
            return [np.linspace(-1, call, 12).reshape(4, 3)]

        return model.__call__, arguments, lambda: state(model)

    assert_compiles(make, calls=18, traces=8)


# ---------------------------------------------------------------- functions, losses, optimisers


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", nn.functional.__all__)
def test_a_function(name, dtype):
    def make():
        function = getattr(nn, name)
        x = Value(np.linspace(-2, 2, 24, dtype=dtype).reshape(2, 4, 3))

        def f(z):
            y = function(x, z, z) if name == "attention" else function(x * z)
            x.zero_grad()
            np.sum(y * y).backward()
            return y, x.grad

        return f, lambda call: [np.full((2, 4, 3), 1 + call, dtype)], lambda: (x.data, x.grad)

    assert_compiles(make)


def reduced(name):
    return ("mean",) if name in ("sse", "rmse") else ("mean", "sum", "none")


@pytest.mark.parametrize(("name", "reduction"), [(name, how) for name in LOSSES for how in reduced(name)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_loss(name, reduction, dtype):
    def make():
        loss, prediction, target = LOSSES[name]
        keywords = {} if name in ("sse", "rmse") else {"reduction": reduction}
        v = Value(prediction.astype(dtype))

        def f(t):
            found = loss(v, t, **keywords)
            v.zero_grad()
            np.sum(found).backward()
            return found, v.grad

        fitting = target.astype(dtype) if target.dtype.kind == "f" else target
        return f, lambda call: [np.roll(fitting, call, axis=0)], lambda: (v.data, v.grad)

    assert_compiles(make)


@pytest.mark.parametrize("keywords", [{"label_smoothing": 0.1}, {"weight": np.array([1.0, 2.0, 0.5])}])
def test_cross_entropy_with_weights_and_smoothing(keywords):
    def make():
        model = nn.MLP([4, 3], seed=0)

        def f(x, t):
            model.zero_grad()
            loss = nn.cross_entropy(model(x), t, **keywords)
            loss.backward()
            return loss

        return f, lambda call: [np.eye(3, 4) + call, np.roll([0, 1, 2], call)], lambda: state(model)

    assert_compiles(make)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("limit", [{}, {"norm": 0.5}, {"norm": 1e-3}, {"value": 0.1}])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_with_a_schedule(name, limit, dtype):
    def make():
        model = nn.MLP([3, 5, 2], np.tanh, seed=0, dtype=dtype)
        optimizer = OPTIMISERS[name](model.parameters())
        schedule = nn.CosineSchedule(optimizer, steps=8, warmup=2)

        def step(x, t):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), t)
            loss.backward()
            if limit:
                nn.clip_gradients(model.parameters(), **limit)
            optimizer.step()
            return loss

        def arguments(call):
            schedule.step()
            x = np.sin(np.arange(24) * (call + 1.0)).reshape(8, 3).astype(dtype)
            return [x, np.arange(8) % 2]

        return step, arguments, lambda: state(model, optimizer)

    assert_compiles(make, calls=10, traces=5)


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("slope", ["of a sum", "of a step", "of a perceptron that makes no mistake"])
def test_a_gradient_that_depends_on_no_number(name, slope):
    def make():
        unit = nn.Perceptron([1.0, 2.0, 0.5])
        optimizer = OPTIMISERS[name](unit.parameters())

        def step(x):
            optimizer.zero_grad()
            if slope == "of a sum":
                loss = unit.weight.sum() + 2 * unit.bias
            elif slope == "of a step":
                loss = nn.step(unit.weight).mean()
            else:
                loss = nn.perceptron_loss(unit.score(x), np.ones(4))
            loss.backward()
            if unit.bias.grad is not None:
                unit.bias.grad += 1.0
            unit.weight.grad *= 0.5
            optimizer.step()
            return loss, unit.weight.grad

        return step, lambda call: [np.full((4, 3), 100.0 + call)], lambda: state(unit, optimizer)

    assert_compiles(make)


def test_an_own_optimiser():
    class Signs(nn.Optimizer):
        def update(self, w, g, state):
            state["n"] = state.get("n", 0) + 1
            state["mean"] = 0.5 * state.get("mean", 0.0) + g
            return w - self.lr / state["n"] * np.sign(state["mean"])

    def make():
        model = nn.MLP([3, 4, 1], seed=0)
        optimizer = Signs(model.parameters(), lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = np.mean(model(x) ** 2)
            loss.backward()
            optimizer.step()
            return loss

        return step, lambda call: [np.eye(3) * (call + 1)], lambda: state(model, optimizer)

    assert_compiles(make)


SCHEDULES = {
    "CosineSchedule": lambda optimizer: nn.CosineSchedule(optimizer, steps=6, warmup=2, lowest=0.1),
    "StepSchedule": lambda optimizer: nn.StepSchedule(optimizer, every=3, gamma=0.5),
    "WarmUpSchedule": lambda optimizer: nn.WarmUpSchedule(optimizer, steps=5),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_that_is_a_part_of_the_step(name):
    def make():
        model = nn.MLP([3, 4, 2], np.tanh, seed=0)
        optimizer = nn.Adam(model.parameters(), lr=0.1)
        schedule = SCHEDULES[name](optimizer)

        def step(x, t):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), t)
            loss.backward()
            optimizer.step()
            schedule.step()
            return loss

        def look():
            return state(model, optimizer), float(optimizer.lr), schedule.count

        return step, lambda call: [np.eye(3) * (call + 1), np.array([0, 1, call % 2])], look

    assert_compiles(make, calls=14, traces=9)


MEASURES = dict.fromkeys(("accuracy", "mae", "mse", "r2"), (PREDICTED, ACTUAL)) | {
    "confusion": (PREDICTED, ACTUAL, 5),
    "f1": (PREDICTED, ACTUAL, "macro"),
    "precision": (PREDICTED, ACTUAL, "macro"),
    "recall": (PREDICTED, ACTUAL, "macro"),
    "roc_auc": (PREDICTED, ACTUAL > 2),
    "top_k": (np.eye(5)[PREDICTED], ACTUAL, 2),
    "noise_robustness": (np.eye(5)[PREDICTED], ACTUAL, [0.0, 1.0]),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_metric_gives_a_python_number_and_says_so(name):
    measure = getattr(nn.metrics, name, None)
    if measure is None:
        model = nn.MLP([5, 5], seed=0)
        measure = lambda *given: nn.noise_robustness(model, *given, seed=0)  # noqa: E731
    if name == "confusion":
        assert_compiles(lambda: (measure, lambda call: MEASURES[name], lambda: None))
        return
    with pytest.raises(CompileError, match="while a function is traced"):
        compile(measure)(*MEASURES[name])


LOOKS = {
    "fgsm": lambda model, x, t, rng: nn.fgsm(model, x, t, 0.1),
    "integrated_gradients": lambda model, x, t, rng: nn.integrated_gradients(model, x, t, steps=3),
    "pgd": lambda model, x, t, rng: nn.pgd(model, x, t, 0.1, steps=3, limits=(-9.0, 9.0), seed=rng),
    "saliency": lambda model, x, t, rng: (nn.saliency(model, x), nn.saliency(model, x, t)),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LOOKS)
def test_a_look_into_a_net_that_learns(name, dtype):
    def make():
        model, given = made("a drawn model", dtype)
        optimizer, rng = nn.Adam(model.parameters()), np.random.default_rng(0)

        def step(x, t):
            seen = LOOKS[name](model, x, t, rng)
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x if name in ("integrated_gradients", "saliency") else seen)[:, :2], t)
            loss.backward()
            optimizer.step()
            return loss, seen, model.training

        def look():
            return state(model, optimizer), rng.bit_generator.state["state"]["state"]

        return step, lambda call: [other(given[0], call), np.arange(4) % (1 + call % 2)], look

    assert_compiles(make)


# ---------------------------------------------------------------- single numbers


@pytest.mark.parametrize("activation", [nn.tanh, nn.relu])
def test_a_net_of_single_numbers_is_the_same_to_the_last_digits(activation):
    """In waves, sums of many terms are taken in another order."""

    def make():
        model = nn.scalar.MLP(2, [4, 4, 1], activation, seed=0)
        parameters = model.parameters()

        def step(rate, *points):
            scores = [model(list(point)) for point in points]
            loss = sum((score - 1.0) ** 2 for score in scores) * (1.0 / len(scores))
            model.zero_grad()
            loss.backward()
            for parameter in parameters:
                parameter.data -= rate * parameter.grad
            return loss

        points = np.random.default_rng(0).normal(size=(CALLS, 5, 2))
        return step, lambda call: [0.1 / (call + 1), *points[call]], lambda: state(model)

    assert_compiles(make, tolerance=1e-12)


# ---------------------------------------------------------------- trainings as people write them


def test_two_nets_against_each_other():
    def make():
        rng = np.random.default_rng(0)
        faker, judge = nn.MLP([2, 4, 3], seed=0), nn.MLP([3, 4, 1], seed=1)
        one, two = nn.Adam(faker.parameters()), nn.Adam(judge.parameters())

        def step(x):
            noise = rng.normal(size=(8, 2))
            two.zero_grad()
            doubt = nn.mse(judge(faker(noise).detach()), np.zeros((8, 1))) + nn.mse(judge(x), np.ones((8, 1)))
            doubt.backward()
            two.step()
            one.zero_grad()
            trust = nn.mse(judge(faker(noise)), np.ones((8, 1)))
            trust.backward()
            one.step()
            return doubt, trust

        def look():
            return state(faker, one), state(judge, two), rng.bit_generator.state["state"]["state"]

        return step, lambda call: [np.full((8, 3), call * 0.1)], look

    assert_compiles(make)


@pytest.mark.parametrize("units", [1, 3])
def test_a_gradient_of_a_gradient_in_the_loss(units):
    def make():
        judge = nn.MLP([4, 8, units], np.tanh, seed=0)
        optimizer = nn.Adam(judge.parameters())

        def step(x):
            given = Value(x)
            judge(given).sum().backward(create_graph=True)
            slopes = [given.grad, *[p.grad for p in judge.parameters() if p.grad is not None]]
            optimizer.zero_grad()
            loss = sum((np.sqrt((slope**2).sum() + 1e-3) - 1.0) ** 2 for slope in slopes) + np.mean(judge(x) ** 2)
            loss.backward()
            optimizer.step()
            return loss

        return step, lambda call: [np.sin(np.arange(96.0) + call).reshape(24, 4)], lambda: state(judge, optimizer)

    assert_compiles(make)


def test_small_batches_that_add_up_and_a_running_mean_of_the_weights():
    def make():
        model = nn.MLP([4, 5, 3], seed=0)
        optimizer = nn.SGD(model.parameters(), lr=0.1)
        means, seen = [p.data for p in model.parameters()], {"examples": 0}

        def step(parts, targets):
            optimizer.zero_grad()
            for x, t in zip(parts, targets, strict=True):
                (nn.cross_entropy(model(x), t) * (1.0 / len(parts))).backward()
                seen["examples"] += len(x)
            nn.clip_gradients(model.parameters(), norm=0.1)
            optimizer.step()
            for i, parameter in enumerate(model.parameters()):
                means[i] = 0.9 * means[i] + 0.1 * parameter.data
            return seen["examples"]

        def arguments(call):
            return [np.eye(3, 4) + call, np.ones((2, 4)) * call], [np.arange(3), np.array([0, 2])]

        return step, arguments, lambda: (state(model, optimizer), means, seen)

    assert_compiles(make)


def test_velocities_in_a_dict_by_parameter_and_an_epoch_as_one_step():
    def make():
        model, rng = nn.MLP([4, 5, 3], seed=0), np.random.default_rng(0)
        velocities = {p: np.zeros_like(p.data) for p in model.parameters()}
        rates = {p: 0.1 / (i + 1) for i, p in enumerate(model.parameters())}

        def epoch(x, t):
            total = 0.0
            for batch, targets in nn.data.batches(x, t, size=8, seed=rng):
                model.zero_grad()
                loss = nn.cross_entropy(model(batch), targets)
                loss.backward()
                total += loss.item() * len(batch)
                for p in model.parameters():
                    velocities[p] = 0.9 * velocities[p] + p.grad
                    p.data -= rates[p] * velocities[p]
            return total / len(x)

        def look():
            return state(model), list(velocities.values()), rng.bit_generator.state["state"]["state"]

        def arguments(call):
            rates[model.layers[0].bias] = 0.1 / (1 + call // 3)
            return [np.sin(np.arange(80.0) * (call + 1)).reshape(20, 4), np.arange(20) % 3]

        return epoch, arguments, look

    assert_compiles(make, calls=10, traces=6)


def test_a_net_that_is_rebuilt_between_calls():
    model = nn.Sequential(nn.Dense(4, 4, seed=0))
    compiled, x = compile(model), np.linspace(-1, 1, 12).reshape(3, 4)
    changes = [
        lambda: model.layers.append(nn.Dense(4, 2, seed=1)),
        lambda: model.layers.__setitem__(0, nn.Dense(4, 4, seed=5)),
        lambda: setattr(model.layers[0], "activation", np.tanh),
        lambda: setattr(model.layers[0], "weight", Value(np.ones((4, 4)))),
        lambda: setattr(model.layers[0].weight, "data", np.asfortranarray(np.arange(16.0).reshape(4, 4))),
        lambda: model.layers.insert(1, nn.Dropout(0.5, seed=0).eval()),
        lambda: model.layers.pop(),
    ]
    for change in changes:
        for _ in range(3):
            assert_same(compiled(x), model(x))
        change()
        assert_same(compiled(x), model(x))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_weight_that_is_frozen_for_a_while(name):
    def make():
        model = nn.MLP([4, 5, 3], seed=0)
        optimizer = OPTIMISERS[name](model.parameters())

        def step(x, t):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), t)
            loss.backward()
            optimizer.step()
            return loss

        def arguments(call):
            model.layers[0].weight.requires_grad = not 6 <= call < 12
            return [np.eye(3, 4) + call, np.arange(3)]

        return step, arguments, lambda: [(p.data, p.grad) for p in optimizer.parameters]

    assert_compiles(make, calls=18, traces=15)


def test_two_programs_share_their_parameters():
    model, other = nn.MLP([4, 5, 3], seed=0), nn.MLP([4, 5, 3], seed=0)

    def made(model):
        optimizer = nn.Adam(model.parameters())

        def step(x, t):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), t)
            loss.backward()
            optimizer.step()
            return loss

        return step

    step, eager = made(model), made(other)
    one, two, judge = compile(step), compile(step), compile(model)
    x, t = np.linspace(-1, 1, 12).reshape(3, 4), np.arange(3)
    for call in range(20):
        assert_same((one, two, step)[call % 3 if call > 9 else call % 2](x, t), eager(x, t))
        assert_same(judge(x), other(x))
        assert_same(state(model), state(other))
