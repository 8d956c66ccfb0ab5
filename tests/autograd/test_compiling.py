"""compile: programs give the bits that the function gives, in every turn it takes, and leave nothing half done."""

import builtins
import copy
import pickle
import threading
import types
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, anomaly, compile, enable_grad, grad, gradient_source, hessian, jacobian, jvp, no_grad
from autograd.backward import reverse
from autograd.errors import AnomalyError, CompileError, EscapeError, GraphError

from .rules.test_table import CASES, COMPLEX_CASES, each
from .test_programs import each_program, hypothesis, programs

X = np.arange(6.0).reshape(2, 3)


def plain(y):
    return y.data if isinstance(y, Value) else y


def assert_same(got, wanted):
    if isinstance(wanted, tuple | list):
        assert type(got) is type(wanted) and len(got) == len(wanted)
        for one, two in zip(got, wanted, strict=True):
            assert_same(one, two)
        return
    got, wanted = plain(got), plain(wanted)
    if wanted is None:
        assert got is None
    else:
        assert np.result_type(got) == np.result_type(wanted) and np.array_equal(got, wanted, equal_nan=True)


def assert_follows(function, *calls, times=4):
    compiled = compile(function)
    for args in calls or ((X,),):
        for _ in range(times):
            assert_same(compiled(*args), function(*args))
    return compiled


def fitting(momentum=0.9, kind=nn.SGD, **settings):
    """A training step, and what tells the state."""
    w = Value(np.ones(3), label="w")
    if kind is nn.SGD:
        settings["momentum"] = momentum
    optimizer = kind([w], lr=0.1, **settings)

    def step(x):
        optimizer.zero_grad()
        loss = ((x * w - 1.0) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, w, optimizer


# ---------------------------------------------------------------- the whole table


def value_and_gradients(case):
    def function(seed, *xs):
        leaves = [Value(x) for x in xs]
        y = case.of(*leaves)
        shares = reverse([y], [seed], wrt=leaves)
        return y, tuple([shares.get(leaf) for leaf in leaves])

    return function


@each([*CASES, *{case.op.name: case for case in reversed(COMPLEX_CASES)}.values()])  # of complex ones, one each
def test_every_operation_and_its_gradients(case):
    function = value_and_gradients(case)
    compiled, wanted = compile(function), function(case.seed, *case.arrays)
    for _ in range(3):
        assert_same(compiled(case.seed, *case.arrays), wanted)
    assert compiled.traces == 2 and repr(compiled) == "<compiled function: 1 program, 2 traces>"


@hypothesis.given(programs())
@each_program
def test_random_programs(program):
    hypothesis.note(str(program))
    function = program.function()

    def both(*xs):
        leaves = [Value(x) for x in xs]
        y = function(*leaves)
        y.backward()
        return y, [leaf.grad for leaf in leaves]

    compiled = compile(both)
    others = [x + 1e-3 * d for x, d in zip(program.inputs, program.direction, strict=True)]
    for inputs in (program.inputs, others, others, program.inputs, others):
        assert_same(compiled(*inputs), both(*inputs))


def test_powers_of_what_comes_as_an_array_without_axes():
    def function(x):
        v = Value(x)
        y = np.where(v > 0, v**2, np.sin(v)) ** 3 + np.reshape(v, ()) ** 2.5 + v**v
        y.backward()
        return y, v.grad, np.where(x > 0.5, x, 0.0) ** 3

    compiled = compile(function)
    for x in np.random.default_rng(0).uniform(0.1, 1.0, 300):  # about every tenth power of an array is another one
        assert_same(compiled(np.float64(x)), function(np.float64(x)))
    assert compiled.traces == 2 and "= np.where(" in compiled.source


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (2,)])
def test_complex_numbers_of_one_element(shape):
    rng = np.random.default_rng(0)
    w = Value(np.full(shape, 0.3 + 0.2j))

    def function(x):
        v = Value(x)
        w.zero_grad()
        y = np.abs(np.exp(1j * v) * w * w).sum() + (1j * v).imag.sum()
        y.backward()
        w.data = w.data * (0.9 + 0.1j) * np.exp(-0.1j * w.grad)
        return y, v.grad

    def eager(x):
        return function(x), w.data, w.grad

    compiled, start = compile(function), w.data
    for x in rng.normal(size=(60, *shape)):
        before = w.data
        wanted = eager(x)
        w.data = before
        assert_same((compiled(x), w.data, w.grad), wanted)
    assert compiled.traces <= 3 and not np.array_equal(start, w.data)


# ---------------------------------------------------------------- turns


def test_a_turn_is_taken_where_the_function_takes_it():
    def function(x):
        if np.sum(x) > 0:
            return x * 2
        return x * 3 if x[0, 0] > -9 else x * 4

    compiled = compile(function)
    ways = [X + 1, -X - 1, X - 10]
    for n in [0, 1, 2, 0, 0, 1, 1, 2, 2, *[0, 1, 2] * 5]:
        assert_same(compiled(ways[n]), function(ways[n]))
    assert compiled.traces == 6


def test_a_loop_whose_end_depends_on_numbers():
    def function(x):
        count = 0
        while np.sum(x) < 100:
            x, count = x * 2, count + 1
        return x, count

    assert_follows(function, *[(X * k,) for k in (1, 2, 3, 1, 2, 3, 50, 0.5, 1)], times=2)


def test_a_turn_within_a_gradient():
    w = Value(np.array([1.0, -2.0, 3.0]))

    def function(x):
        y = np.sum(w * x)
        y = y * y if y > 0 else -y
        w.zero_grad()
        y.backward()
        return y, w.grad

    assert_follows(function, *[(x,) for x in (X[0], -X[0], X[1], -X[1], X[0], -X[1])], times=3)


def test_masks_of_other_sizes():
    assert_follows(lambda x: (x[x > 2], np.sum(x[x > 2]), np.where(x > 3)), *[(X + k,) for k in (0, 1, -9, 0, 2, 9, 1)])


def test_what_a_where_cuts_stays_cut():
    w = Value(np.array([0.0, 1.0, -1.0]))

    def function(x):
        w.zero_grad()
        y = np.where(w > 0, np.log(w) * np.sqrt(w), 0.0) * x
        np.sum(y).backward()
        return y, w.grad

    compiled = compile(function)
    with np.errstate(all="ignore"):
        for data in ([0.0, 1, -1], [2.0, 0, 0], [0.0, 1, -1], [1.0, 1, 1], [0, 0, 0], [-1, -1, -1], [0.0, 1, 2]):
            w.data = np.array(data, float)
            for _ in range(3):
                assert_same(compiled(X), function(X))
    assert compiled.traces <= 3


# ---------------------------------------------------------------- signatures


def test_each_signature_has_its_program():
    def function(x, k=2.0, *more, word="a", **named):
        y = x * k + (1 if word == "a" else 2)
        return [y, *[m * 2 for m in more], *[n["deep"][0] + 1 for n in named.values()]]

    calls = [
        ((X,), {}), ((X, 3.0), {}), ((X, 3), {}), ((X, True), {}), ((X, np.float32(2)), {}), ((X, 3.0, X[0], 5.0), {}),
        ((X[:1],), {}), ((X.astype(np.float32),), {}), ((X,), {"word": "b"}), ((X,), {"k": 5.0}), ((X,), {"k": 5}),
        ((X,), {"n": {"deep": [X]}}), ((X,), {"n": {"deep": (X, 1)}}), ((X, 2.0), {"n": {"deep": [2.0]}}),
        ((), {"x": X}),
    ]  # fmt: skip
    compiled = compile(function)
    for _ in range(4):
        for args, kwargs in calls:
            assert_same(compiled(*args, **kwargs), function(*args, **kwargs))
    assert compiled.traces == 2 * len(calls)


def test_values_as_arguments():
    compiled = assert_follows(lambda x: x * 2, (Value(X, requires_grad=False),), (X,))
    assert isinstance(compiled(Value(X, requires_grad=False)), Value)
    with pytest.raises(CompileError, match=r"requires a gradient.*compile\(grad\(f\)\)"):
        compiled(Value(X, label="x"))
    with pytest.raises(CompileError, match=r"NumPy's own arrays"):
        compiled(np.ma.masked_array(X, X > 2))


def test_what_a_value_hands_out_is_an_array_as_any_other():
    w = Value(X)
    compiled = assert_follows(lambda x, more: x.T @ more["y"], (w.data, {"y": w.data}), (X, {"y": X}))
    assert compiled.traces == 2
    held = [w.data, w.data.T]
    compiled = compile(lambda x: (held[0] * x).argsort() @ held[1])
    for call in range(12):
        if call == 6:
            w.data = w.data + 1.0
            held[:] = w.data, w.data.T
        if call == 9:
            held[0] = X
        assert_same(compiled(X), compiled.function(X))
    assert compiled.traces == 2
    assert type(held[1]) is type(w.data)
    returned = compile(lambda y: y)
    for _ in range(4):
        assert type(returned(w.data)) is np.ndarray
    total = {"x": w.data}

    def add(x):
        total["x"] += x  # makes a new array of what a Value handed out
        return total["x"]

    assert_same(compile(add)(X), w.data + X)
    assert_same(w.data, X + 1.0)


def test_objects_as_arguments_are_looked_at():
    class Thing:
        def __init__(self, k):
            self.k, self.w = k, Value(np.full(3, k))

        def __eq__(self, other):
            return True

        __hash__ = None

    def function(thing, x, how=np.sin):
        return how(x * thing.w) * thing.k

    one, two = Thing(1.0), Thing(2.0)
    compiled = compile(function)
    for k in (1.0, 3.0, 4.0):
        one.k = k
        one.w.data = one.w.data + k
        for thing in (one, two, one, one, two):
            assert_same(compiled(thing, X), function(thing, X))
            assert_same(compiled(thing, X, np.cos), function(thing, X, np.cos))


def test_containers_among_the_arguments_are_left_alone():
    for change in (lambda c: c["l"].append(1.0), lambda c: c.update(new=1), lambda c: c["l"].__setitem__(0, 2.0)):
        given = {"l": [X, X]}
        with pytest.raises(CompileError, match="among its arguments"):
            compile(lambda c, change=change: (change(c), c["l"][0] * 2)[1])(given)
        assert list(given) == ["l"] and len(given["l"]) == 2 and given["l"][0] is X


def test_methods():
    class Net:
        def __init__(self, k):
            self.w, self.k = Value(np.full(3, k)), k

        @compile
        def eager_twin(self, x):
            """Its own words."""
            return np.sum(self.w * x) * self.k

        @staticmethod
        @compile
        def twice(x):
            return x * 2

    one, two = Net(1.0), Net(2.0)
    for _ in range(5):
        for net in (one, two):
            assert net.eager_twin(X).item() == np.sum(net.w.data * X) * net.k
            net.w.data = net.w.data + 1
        assert_same(Net.twice(X), X * 2)
    one.k = 7.0
    assert one.eager_twin(X).item() == np.sum(one.w.data * X) * 7.0
    assert Net.eager_twin.__doc__ == "Its own words." and Net.eager_twin.__name__ == "eager_twin"
    third = copy.deepcopy(one)
    third.w.data = np.zeros(3)
    assert third.eager_twin(X).item() == 0 != one.eager_twin(X).item()
    assert_same(compile(one.eager_twin.__func__.function.__get__(one))(X), one.eager_twin(X))


class Fast:
    """Keeps a compiled method of its own."""

    def __init__(self):
        self.w = Value(np.ones(3))
        self.forward = compile(self.slow)

    def slow(self, x):
        return np.sum(self.w * x)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_of_what_keeps_a_compiled_function(copied):
    one = Fast()
    for _ in range(3):
        one.forward(X)
    two = copied(one)
    two.w.data = two.w.data * 2
    for _ in range(3):
        assert_same((one.forward(X), two.forward(X)), (one.slow(X), two.slow(X)))
    assert one.forward.function.__self__ is one
    assert two.forward is one.forward or two.forward.function.__self__ is two


def test_callable_objects():
    net = nn.MLP([3, 4, 2], seed=0)
    compiled = assert_follows(net)
    net.layers[0].weight.data = net.layers[0].weight.data + 1
    assert_same(compiled(X), net(X))
    assert "MLP" in repr(compiled)
    with pytest.raises(CompileError, match="a function is wanted"):
        compile(3.0)
    with pytest.raises(CompileError, match="go with a Value"):
        compile(net, inputs=[net.layers[0].weight])


# ---------------------------------------------------------------- states


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
def test_a_step_among_changes_from_outside(kind):
    (step, w, optimizer), (eager, v, other) = fitting(kind=kind), fitting(kind=kind)
    compiled = compile(step)

    def each_of(change):
        return lambda: (change(w, optimizer), change(v, other))

    changes = {
        3: each_of(lambda w, o: setattr(w, "data", w.data * 2)), 5: each_of(lambda w, o: setattr(o, "lr", 0.05)),
        7: each_of(lambda w, o: setattr(o, "lr", 0.04)), 9: each_of(lambda w, o: w.zero_grad()),
        11: each_of(lambda w, o: setattr(w, "grad", 3.0)), 13: each_of(lambda w, o: o.states[0].clear()),
        17: each_of(lambda w, o: setattr(o, "weight_decay", 0.1)), 21: each_of(lambda w, o: w.grad.fill(9.0)),
        23: each_of(lambda w, o: setattr(w, "data", np.zeros(3, np.float32))), 25: each_of(lambda w, o: eager_call(w)),
    }  # fmt: skip

    def eager_call(w):
        (w * w).sum().backward()

    for n in range(30):
        changes.get(n, lambda: None)()
        assert_same(compiled(X + n), eager(X + n))
        assert_same((w.data, w.grad), (v.data, v.grad))
        assert repr(optimizer.states) == repr(other.states)


def test_gradients_add_up_and_may_be_none():
    def made():
        w, u = Value(np.ones(3)), Value(np.ones(3))

        def function(x):
            loss = ((x * w) ** 2).mean()
            if u.requires_grad:
                loss = loss * u.sum()
            loss.backward()
            return loss

        return function, w, u

    (function, w, u), (eager, v, t) = made(), made()
    compiled = compile(function)
    for n in range(16):
        if n == 5:
            w.zero_grad(), v.zero_grad()
        u.requires_grad = t.requires_grad = n % 8 < 4
        assert_same(compiled(X), eager(X))
        assert_same((w.grad, u.grad), (v.grad, t.grad))


def test_whether_there_was_a_gradient_is_a_condition_where_somebody_asks():
    def made():
        w = Value(np.ones(3))

        def function(x):
            first = w.grad is None
            w.zero_grad()
            loss = (w * x).sum()
            loss.backward()
            return loss * (1.0 if first else 2.0)

        return function, w

    (function, w), (eager, v) = made(), made()
    compiled = compile(function)
    for n in range(12):
        if n % 4 == 0:
            w.zero_grad(), v.zero_grad()
        assert_same(compiled(X), eager(X))
        assert_same(w.grad, v.grad)
    assert compiled.traces == 4  # two programs


def test_where_nobody_asks_for_the_gradient_two_traces_will_do():
    step, w, _ = fitting(momentum=0.0)
    compiled = compile(step)
    for _ in range(3):
        compiled(X)
    assert compiled.traces == 2
    w.grad = None
    compiled(X)
    assert compiled.traces == 2 and w.grad is not None


def test_what_was_not_asked_for_is_as_it_was():
    w, u = Value(np.ones(3)), Value(np.ones(3))
    w.grad = held = np.array([1.0, 2.0, 3.0])
    compiled = compile(lambda x: x * w + copy.copy(u).data + copy.deepcopy(u).data)
    for _ in range(4):
        compiled(X)
        assert np.array_equal(w.grad, held) and u.grad is None


def test_a_gradient_with_a_graph_is_left_behind_as_its_numbers():
    w = Value(np.arange(3.0), label="w")

    @compile
    def penalty(x):
        w.zero_grad()
        (w**3 * x).sum().backward(create_graph=True)
        return (w.grad**2).sum()

    for _ in range(4):
        penalty(X)
        assert_same(w.grad, Value(3 * w.data**2 * X.sum(axis=0)))
        assert not w.grad.requires_grad
    assert penalty.traces == 2


def test_counters_and_totals():
    class Log:
        count, total, last, best = 0, 0.0, None, np.float64(9.0)

    def made():
        log, n, seen = Log(), 0, np.zeros(3)

        def function(x):
            nonlocal n, seen
            n += 1
            log.count += 2
            log.total += x.sum().item()
            log.last = x.mean()
            log.best = np.minimum(log.best, x.min())
            seen = seen + x[0]
            return x * n + log.count + log.total

        return function, lambda: (n, log.count, log.total, log.last, log.best, seen)

    (function, look), (eager, look_there) = made(), made()
    compiled = compile(function)
    for n in range(10):
        assert_same(compiled(X - n), eager(X - n))
        assert_same(look(), look_there())
        assert [type(x) for x in look()] == [type(x) for x in look_there()]
    assert compiled.traces < 8


def test_counters_that_are_equal_at_times():
    """Which ones are is no part of what the function does."""

    class Counter:
        n = 0

    def made():
        counters = [Counter() for _ in range(3)]

        def function(x):
            for counter in counters:
                counter.n += 1
                x = x * counter.n
            return x

        return function, counters

    (function, counters), (eager, others) = made(), made()
    compiled = compile(function)
    for n in range(20):
        numbers = [(0, 0, 0), (5, 9, 0), (5, 5, 0), (0, 5, 5), (5, 0, 5)][n % 5]
        for counter, other, number in zip(counters, others, numbers, strict=True):
            counter.n = other.n = number
        assert_same(compiled(X), eager(X))
        assert [counter.n for counter in counters] == [other.n for other in others]


def test_what_grows_with_each_call_is_refused_and_put_back():
    kept, w = [], Value(np.ones(3))
    for item in (lambda x: 1, lambda x: x, lambda x: x.sum(), lambda x: x.sum().item()):
        kept.clear()
        compiled = compile(lambda x, item=item: (kept.append(item(x)), np.sum(x * w))[1])
        with pytest.raises(CompileError, match="each call changes"):
            for _ in range(3):
                compiled(X)
        assert len(kept) == 1 and np.array_equal(kept[0], item(X))  # of the first call, which might have been the last
    kept.clear()
    with pytest.raises(CompileError, match="with its graph"):
        compile(lambda x: (kept.append(np.sum(x * w)), x)[1])(X)
    assert kept == []


def test_what_was_handed_out_stays_as_it_was():
    step, w, optimizer = fitting(kind=nn.Adam)
    compiled, kept = compile(step), []
    for n in range(10):
        compiled(X + n)
        arrays = [w.data, w.grad, *[a for a in optimizer.states[0].values() if isinstance(a, np.ndarray)]]
        kept += [(array, array.copy()) for array in arrays]
        kept.append((w.data[:1], w.data[:1].copy()))  # a view alone keeps its array, too
        del arrays
        assert all(np.array_equal(array, then) for array, then in kept)
    with pytest.raises(EscapeError):
        w.data[0] = 1.0
    w.grad[0] = 5.0
    assert w.grad[0] == 5.0


def test_a_graph_from_outside():
    w = Value(np.ones(3), label="w")
    outside = w * 2
    assert_follows(lambda x: x * outside.data)
    assert_follows(lambda x: (x * outside).data)
    with pytest.raises(CompileError, match="computed outside"):
        compile(lambda x: np.sum(outside * x).backward())(X)
    assert outside.grad is None and w.grad is None
    assert type(outside._array) is type(w._array) is np.ndarray


# ---------------------------------------------------------------- errors, and Ctrl-C


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("after", [0, 1, 5])
def test_an_exception_leaves_everything_as_it_was(after, error):
    step, w, optimizer = fitting(kind=nn.Adam)
    rng, log, words, left = np.random.default_rng(0), {"n": 0}, [], [after]

    def function(x):
        loss = step(x + rng.normal(size=3))
        if left[0] == -1:
            log["m"] = 1
            words.append(2)
            optimizer.lr = 7.0
            w.requires_grad = False
            raise error("enough")
        return loss

    def state():
        arrays = [w.data.tobytes(), None if w.grad is None else w.grad.tobytes()]
        rest = w._clock, w.requires_grad, optimizer.lr, log.copy(), words.copy()
        return arrays, rest, repr(optimizer.states), repr(rng.bit_generator.state)

    compiled = compile(function)
    for _ in range(after):
        compiled(X)
    left[0] = -1
    before = state()
    for _ in range(2):
        with pytest.raises(error, match="enough"):
            compiled(X)
        assert state() == before
    left[0] = 0
    compiled(X)
    assert state() != before


def test_an_exception_in_a_program_writes_nothing():
    w, rng = Value(np.eye(2)), np.random.default_rng(0)

    def function(k):
        w.zero_grad()
        loss = np.sum(np.linalg.inv(w * k) + 0.0 * rng.normal(size=2))
        loss.backward()
        w.data -= 0.01 * w.grad
        return loss

    compiled = compile(function)
    for k in range(1, 6):
        compiled(float(k))
    before = w.data.copy(), w.grad.copy(), w._clock
    with pytest.raises(np.linalg.LinAlgError):
        compiled(0.0)
    assert_same((w.data, w.grad, w._clock), before)
    compiled(2.0)


def test_hidden_generators_are_put_back():
    before = repr(np.random.get_state())  # noqa: NPY002
    with pytest.raises(CompileError, match="hidden generator"):
        compile(lambda x: x + np.random.normal())(X)  # noqa: NPY002
    assert repr(np.random.get_state()) == before  # noqa: NPY002


# ---------------------------------------------------------------- modes, transforms, threads


def test_without_gradients_inside_and_outside():
    w = Value(np.ones(3))

    def function(x):
        with no_grad():
            scale = w * 2
        with enable_grad():
            y = x * w * scale
        return y, 1.0 if y.requires_grad else 0.0

    compiled = compile(function)
    for _ in range(4):
        assert_same(compiled(X), function(X))
        with no_grad():
            assert_same(compiled(X), function(X))
        assert compiled(X)[1] == 1.0

    def tells(x):
        return 1.0 if (x * w).requires_grad else 0.0

    compiled = compile(tells)
    for _ in range(4):
        assert compiled(X) == 1.0
        with no_grad():
            assert compiled(X) == 0.0


def test_anomaly_sees_every_operation():
    w = Value(np.zeros(3))
    compiled = compile(lambda x: np.log(x * w).sum())
    with np.errstate(all="ignore"):
        for _ in range(4):
            compiled(X)
        with anomaly(), pytest.raises(AnomalyError, match="log gave -inf"):
            compiled(X)
        assert compiled(X).item() == -np.inf


def test_programs_in_programs():
    w = Value(np.ones(3))
    inner = compile(lambda x: x * w)

    def outer(x, inner):
        w.zero_grad()
        loss = (inner(x) ** 2).sum()
        loss.backward()
        w.data -= 0.01 * w.grad
        return loss

    wanted = [outer(X, inner.function).item() for _ in range(6)]
    compiled = compile(lambda x: outer(x, inner))
    for _ in range(3):
        w.data = np.ones(3)
        assert [compiled(X).item() for _ in range(6)] == wanted
        inner(X)


def test_transforms():
    def f(x):
        return np.sum(np.sin(x) ** 2 * x[0])

    calls = [(X[0],), (X[1],), (X[0] + 0.5,)]
    for function in (
        grad(f), autograd.value_and_grad(f), hessian(f), jacobian(np.sin),
        lambda x: jvp(lambda x: np.sin(x) * x, [x], [x + 1])[1], autograd.checkpoint(f), grad(autograd.checkpoint(f)),
        lambda x: grad(lambda y: np.sum(grad(f)(y) ** 2))(x), autograd.derivative(autograd.derivative(np.sin)),
    ):  # fmt: skip
        assert_follows(function, *calls)
    compiled = compile(f)
    assert_same(grad(lambda x: f(x))(X[0]), grad(f)(X[0]))
    with pytest.raises(CompileError, match="requires a gradient"):
        grad(compiled)(X[0])


def test_many_threads_get_their_own_answers():
    w, wrong = Value(np.ones((3, 3))), []
    compiled = compile(lambda x: np.tanh(x @ w).sum())

    def ask(k):
        try:
            for i in range(60):
                x = np.full((1 + (i * k) % 7, 3), float(k))
                if compiled(x).item() != np.tanh(x @ np.ones((3, 3))).sum():
                    wrong.append((k, i))
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# ---------------------------------------------------------------- graphs, and what there is to see


def test_a_graph_for_other_data():
    x, y, n = Value(3.0, label="x"), Value(np.ones(2), label="y"), Value(2, requires_grad=False)
    loss = np.sum(x**2 * y) + x * n
    again = compile(loss, inputs=(x,), wrt=(x, y))
    for k in (3.0, 2.0, 5.0, 1.0, 7.0):
        value, (slope, other) = again(k)
        assert value == 2 * k * k + 2 * k and slope == 4 * k + 2 and np.array_equal(other, [k * k] * 2)
    y.data = np.zeros(2)
    assert again(2.0)[0] == 4.0 and compile(loss, inputs=[y])(np.ones(2)) == 24.0
    for wrong in (lambda: compile(loss, inputs=[Value(1.0)]), lambda: compile(loss, inputs=[x], wrt=[Value(1.0)])):
        with pytest.raises(GraphError, match="is not made of"):
            wrong()


def test_a_step_prints_as_code_that_runs_with_numpy_alone():
    step, w, optimizer = fitting()
    compiled = compile(step)
    with pytest.raises(CompileError, match="call it once"):
        _ = compiled.source
    for _ in range(4):
        before, velocity = w.data, optimizer.states[0].get("v")
        compiled(X)
    module = types.ModuleType("printed")
    text = compiled.source
    assert "# forward" in text and "# backward" in text and "# update" in text and "import autograd" not in text
    code = builtins.compile(text, "printed", "exec")
    exec(code, vars(module))
    found = module.step(X, before, velocity)
    assert found[1]["w"].tobytes() == w.data.tobytes() if "w" in found[1] else True


def test_what_is_returned_prints_as_it_is():
    w, rng = Value(np.ones((2, 3)), label="w"), np.random.default_rng(0)
    cases = [
        (lambda x: (np.reshape(Value(x) * 2, -1), np.reshape(Value(x) * 2, (3, 2), order="F")), ()),
        (lambda x: [(Value(x) * 2).T, np.swapaxes(Value(x) * 3, 0, 1), None], ()),
        (lambda x: (np.sum(x * 2, axis=0), rng), (rng,)),
        (lambda x: (x * w, w), (w.data, w)),
    ]
    for function, given in cases:
        compiled, space = compile(function), {}
        wanted = compiled(X)
        exec(builtins.compile(compiled.source, "printed", "exec"), space)
        for got, one in zip([*space.values()][-1](X, *given), wanted, strict=True):
            assert got is one or np.array_equal(got, plain(one))


@pytest.mark.parametrize("total", [np.sum, np.prod])
def test_gradient_source_is_the_gradient(total):
    def squared_error(w, x, t):
        error = (x @ w).reshape(-1, 1) - t
        return total(error * error)

    args = np.array([0.5, -1.0]), np.arange(6.0).reshape(3, 2), np.ones((3, 1))
    text = gradient_source(squared_error, *args)
    module = types.ModuleType("printed")
    exec(builtins.compile(text, "printed", "exec"), vars(module))
    value, slope = module.squared_error_and_gradient(*args)
    assert_same((value, slope), autograd.value_and_grad(squared_error)(*args))


def test_the_readme_shows_what_gradient_source_gives():
    def squared_error(w, b, x, t):
        y = np.tanh(x @ w + b)
        error = y - t
        return (error * error).sum()

    listing = gradient_source(
        squared_error, np.zeros((2, 1)), np.zeros(1), np.ones((3, 2)), np.ones((3, 1)), argnums=(0, 1)
    )
    readme = (Path(autograd.__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    assert f"```text\n{listing.strip()}\n```" in readme


# ---------------------------------------------------------------- errors, for who reads them


@pytest.mark.parametrize(
    ("function", "argument", "said"),
    [
        (lambda x: x * float(x.sum()), X, r"x\.item\(\) in the place of float"),
        (lambda x: f"{x.sum():.2f}", X, "Return it, and print"),
        (lambda x: sum(x for _ in range(int(x[0, 0]))), X, "argument that is an int"),
        (lambda n: sum(n for _ in range(n)), 3.0, r"3, not 3\.0"),
        (lambda x: np.sum(x * Value(np.ones(2))), [1.0, 2.0], r"np\.array\(\[1\.0, 2\.0\]\) in the place of a list"),
        (lambda x: x.__setitem__(0, 1.0), X, r"leaves what it is given as it was.*np\.where"),
    ],
)
def test_what_python_cannot_look_at_says_what_to_write(function, argument, said):
    with pytest.raises(CompileError, match=said):
        compile(function)(argument)


def test_a_number_that_cannot_be_looked_at_is_named():
    def looks(x):
        total = (x * x).sum()
        return float(total)

    with pytest.raises(CompileError, match=r"float\(\) of 'total', a result of sum \(float64"):
        compile(looks)(X)


def test_wrong_inputs_of_a_graph():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    product = a * b
    for wrong in ([2.0], a, "a"):
        with pytest.raises(CompileError, match=r"inputs=.*Values.*inputs=\[x\]"):
            compile(product, inputs=wrong)
        with pytest.raises(CompileError, match=r"wrt=.*Values.*wrt=\[x\]"):
            compile(product, wrt=wrong)
    for arrays in ((), (1.0, 2.0)):
        with pytest.raises(CompileError, match=r"takes 1 array, for 'a'.*and got [02]"):
            compile(product, inputs=[a])(*arrays)


def test_wrong_inputs_of_gradient_source():
    for wrong in (3, Value(2.0) * 3):
        with pytest.raises(CompileError, match=r"a function is wanted.*compile\(loss, inputs=\[x\], wrt=\[x\]\)"):
            gradient_source(wrong, X)


def test_gradient_source_takes_integers_for_numbers():
    def area(a, b):
        return a * b**2

    assert "grad_b = " in gradient_source(area, 3, 4, argnums=(0, 1))
    assert "def f_and_gradient(" in gradient_source(lambda x: x * x, 3)
    assert "grad_p_1" in gradient_source(lambda p: p[0] * p[1] ** 2, [3, 4])


def test_arrays_of_other_libraries_are_refused_with_what_to_write():
    for call in (lambda x: compile(np.sum)(x), lambda x: gradient_source(np.sum, x)):
        with pytest.raises(CompileError, match=r"MaskedArray.*NumPy's own arrays.*np\.asarray\(x\)"):
            call(np.ma.masked_array([1.0, 2.0]))
