"""Arenas: the same bits as parameter by parameter, in fewer calls; and what is held outside never changes."""

import copy
import gc
import inspect
import threading
import weakref

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="Hypothesis, whose strategies the programs are made with, is not installed")

import autograd
import nn
from autograd import Value
from autograd import arena as arenas
from autograd.arena import Arena, Slot, arena
from autograd.planning import planned
from autograd.program import Call, DivergedError, Expect, Place
from autograd.rendering import runner

from .programs import Recorder, functions

SHAPES = [(3, 4), (4,), (2, 2, 2), (5,)]


def sgd(record, w, g, state, update=np.subtract):
    return record(update, w, record(np.multiply, g, 0.1, part="update"), part="update")


def momentum(record, w, g, state):
    v = record(
        np.add, record(np.multiply, record.load(Place(state, "v", False, "v")), 0.9, part="update"), g, part="update"
    )
    return sgd(record, w, v, state), {"v": v}


def adam(record, w, g, state):
    """With the old m and s read once, and a step that is a fraction of both."""
    m, s = (record.load(Place(state, name, False, name)) for name in "ms")
    m = record(
        np.add, record(np.multiply, m, 0.9, part="update"), record(np.multiply, g, 0.1, part="update"), part="update"
    )
    squares = record(np.multiply, record(np.square, g, part="update"), 0.001, part="update")
    s = record(np.add, record(np.multiply, s, 0.999, part="update"), squares, part="update")
    root = record(np.add, record(np.sqrt, s, part="update"), 1e-8, part="update")
    return sgd(record, w, record(np.true_divide, m, root, part="update"), state), {"m": m, "s": s}


class Net:
    """Parameters whose gradient is that of Σ x w²/2, their states, and a step as a program."""

    def __init__(self, rule=sgd, shapes=SHAPES, gradients=True, layout="C", seed=0):
        random = np.random.default_rng(seed)
        self.parameters = [Value(np.asarray(random.normal(size=shape), order=layout)) for shape in shapes]
        self.states = [{name: random.uniform(0.5, 1.0, shape) for name in "vms"} for shape in shapes]
        self.record = record = Recorder()
        self.writes = []
        x = record.argument(np.float64(1.5), "x")
        news = []
        for k, (w, state) in enumerate(zip(self.parameters, self.states, strict=True)):
            data = record.load(Place(w, "_array", True, f"w{k}"), f"w{k}")
            g = record(np.multiply, data, x, part="backward")
            if gradients:
                self.writes.append((Place(w, "_grad", True, f"w{k}.grad"), g))
            new = rule(record, data, g, state)
            new, kept = new if isinstance(new, tuple) else (new, {})
            self.writes.append((Place(w, "_array", True, f"w{k}"), new))
            self.writes += [(Place(state, name, False, f"{name}{k}"), v) for name, v in kept.items()]
            news.append(new)
        self.x, self.news = x, news
        self.result = record(np.add.reduce, g, None)

    def program(self, results=None):
        return self.record.program(self.result if results is None else results, self.writes)

    @property
    def contents(self):
        return [place.get() for place, _ in self.writes]


def pair(rule=sgd, **keywords):
    """Two nets that are the same: one runs as it is, the other on an arena."""
    plain, laid = Net(rule, **keywords), Net(rule, **keywords)
    return (plain, runner(plain.program())), (laid, runner(planned(arena(laid.program()))))


def memory_of(program):
    return next(place.holder for place in program.loads.values() if type(place.holder) is Arena)


def same(a, b):
    return all(
        x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("rule", [sgd, momentum, adam])
def test_the_same_bits_in_a_few_calls(rule, gradients):
    (plain, run), (laid, quick) = pair(rule, gradients=gradients)
    for x in (1.5, -0.5, 2.0):
        assert run(np.float64(x)) == quick(np.float64(x))
        assert same(plain.contents, laid.contents)
    before, after = (sum(call.part == "update" for call in p.calls) for p in (plain.program(), arena(laid.program())))
    steps = {sgd: 2, momentum: 4, adam: 12}[rule]
    assert before == len(SHAPES) * steps
    text = inspect.getsource(quick)
    assert sum(line.strip().split("(")[0] in ("add", "multiply", "subtract", "square", "sqrt", "divide")
               for line in text.splitlines()) == steps + len(SHAPES)  # and a gradient each  # fmt: skip
    assert after == steps + len(SHAPES) * {sgd: 1, momentum: 2, adam: 3}[rule] + 1  # pieces and what lies there already


@pytest.mark.parametrize("rule", [sgd, momentum, adam])
def test_a_program_on_an_arena_is_still_a_program(rule):
    """It can be interpreted, and gives what the one before gave."""
    plain, laid = Net(rule), Net(rule)
    wanted, found = plain.program().run(np.float64(1.5)), arena(laid.program()).run(np.float64(1.5))
    assert wanted[0] == found[0]
    assert same(wanted[1], found[1])


def test_everything_lies_in_one_place_and_a_step_makes_no_array():
    laid = Net(adam)
    program = planned(arena(laid.program()))
    run = runner(program)
    run(np.float64(1.5))
    held = [id(array) for array in memory_of(program).held]
    assert len({id(w._array.base) for w in laid.parameters}) == 1
    assert len({id(w._grad.base) for w in laid.parameters}) == 1
    for _ in range(3):
        run(np.float64(1.5))
    assert [id(array) for array in memory_of(program).held] == held
    assert all(w._array.flags.c_contiguous and not w._array.flags.writeable for w in laid.parameters)
    assert all(state[name].flags.writeable for state in laid.states for name in "ms")


def test_clocks_go_on():
    laid = Net()
    run = runner(arena(laid.program()))
    clocks = [w._clock for w in laid.parameters]
    run(np.float64(1.0))
    assert all(w._clock > clock for w, clock in zip(laid.parameters, clocks, strict=True))


def test_backward_through_what_was_before_a_step_is_refused():
    laid = Net()
    run = runner(arena(laid.program()))
    run(np.float64(1.0))
    loss = sum((w * w).sum() for w in laid.parameters)
    run(np.float64(1.0))
    with pytest.raises(autograd.errors.GraphError, match="replaced"):
        loss.backward()


# ---------------------------------------------------------------- what is held outside stays


HOLDS = {
    "data": lambda net: net.parameters[0].data,
    "a part of data": lambda net: net.parameters[0].data[1:],
    "a view of a view": lambda net: net.parameters[1].data[::2][1:].view(),
    "plain data": lambda net: np.asarray(net.parameters[2].data).T,
    "memory": lambda net: memoryview(net.parameters[0].data),
    "gradient": lambda net: net.parameters[0].grad,
    "a part of a gradient": lambda net: net.parameters[3].grad[2:],
    "state": lambda net: net.states[0].get("m"),
    "a part of a state": lambda net: net.states[1]["s"][1:],
    "the array itself": lambda net: net.parameters[1]._array,
    "detached": lambda net: net.parameters[1].detach(),
    "a reshape in a graph": lambda net: net.parameters[0].reshape(-1),
    "an entry in a graph": lambda net: net.parameters[1][1:],
    "a slice of the base": lambda net: net.parameters[1]._array.base[3:7],
    "in a closure": lambda net: (lambda array: lambda: array)(net.parameters[0].data)(),
    "in a container": lambda net: {"kept": [net.parameters[0].data]},
    "a shallow copy of states": lambda net: [dict(state) for state in net.states],
}


def numbers(held):
    if isinstance(held, Value):
        return held._array.copy()
    if isinstance(held, dict):
        return [numbers(x) for x in held.values()]
    if isinstance(held, list):
        return [numbers(x) for x in held]
    return np.array(held)


def equal(a, b):
    return all(map(equal, a, b)) if isinstance(a, list) else np.array_equal(a, b)


@pytest.mark.parametrize("when", ["before the first run", "between runs"])
@pytest.mark.parametrize("hold", HOLDS)
def test_what_somebody_holds_does_not_change(hold, when):
    (plain, run), (laid, quick) = pair(adam)
    if when == "between runs" or "gradient" in hold or "base" in hold:
        run(np.float64(1.5)), quick(np.float64(1.5))
    held = HOLDS[hold](laid)
    before = copy.deepcopy(numbers(held))
    for x in (0.5, 1.0, 2.0):
        assert run(np.float64(x)) == quick(np.float64(x))
        assert equal(numbers(held), before), "what was held changed"
        assert same(plain.contents, laid.contents)
    again = HOLDS[hold](laid)  # a second, while the first is held
    before_again = copy.deepcopy(numbers(again))
    run(np.float64(1.0)), quick(np.float64(1.0))
    assert equal(numbers(held), before)
    assert equal(numbers(again), before_again)
    assert same(plain.contents, laid.contents)


def test_memory_is_used_again_when_nobody_holds_it():
    laid = Net(adam)
    program = planned(arena(laid.program()))
    run, memory = runner(program), memory_of(program)
    run(np.float64(1.0))
    one = id(memory.held[0])
    held = laid.parameters[0].data
    run(np.float64(1.0))
    two = id(memory.held[0])
    assert two != one
    del held
    run(np.float64(1.0))
    assert id(memory.held[0]) == two


def test_gradients_that_are_forgotten_in_between_cost_no_memory():
    laid = Net(adam)
    program = planned(arena(laid.program()))
    run, memory = runner(program), memory_of(program)
    run(np.float64(1.0))
    held = [id(array) for array in memory.held]
    for w in laid.parameters * 2:
        w.zero_grad()
        run(np.float64(1.0))
        assert [id(array) for array in memory.held] == held


def test_old_memory_is_freed():
    laid = Net(adam)
    program = planned(arena(laid.program()))
    run = runner(program)
    run(np.float64(1.0))
    old = weakref.ref(laid.parameters[0]._array.base)
    held = laid.parameters[0].data
    run(np.float64(1.0))
    assert old() is not None
    del held
    assert old() is None


# ---------------------------------------------------------------- what is replaced outside is brought in


REPLACES = {
    "data": lambda net: setattr(net.parameters[0], "data", np.full((3, 4), 2.0)),
    "data, in another layout": lambda net: setattr(net.parameters[0], "data", np.asfortranarray(np.full((3, 4), 2.0))),
    "data by one of two equal": lambda net: setattr(net.parameters[1], "data", net.parameters[1].data * 1.0),
    "all data": lambda net: [setattr(w, "data", w.data + 1) for w in net.parameters],
    "a gradient by nothing": lambda net: net.parameters[0].zero_grad(),
    "all gradients by nothing": lambda net: [w.zero_grad() for w in net.parameters],
    "a gradient": lambda net: setattr(net.parameters[1], "grad", np.ones(4)),
    "a state": lambda net: net.states[1].update(m=np.ones(4)),
    "numbers of a state": lambda net: net.states[0]["m"].__setitem__(slice(None), 3.0),
    "numbers of a gradient": lambda net: net.parameters[0].grad.__setitem__(slice(None), 3.0),
    "data by another's": lambda net: setattr(net.parameters[3], "data", np.arange(5.0)),
    "a state by another": lambda net: net.states[0].update(m=net.states[0]["s"], s=abs(net.states[0]["m"])),
}


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("replace", REPLACES)
def test_what_is_replaced_is_brought_in(replace, held):
    (plain, run), (laid, quick) = pair(adam)
    for k in range(4):
        assert run(np.float64(1.5)) == quick(np.float64(1.5))
        assert same(plain.contents, laid.contents)
        keep = [w.data for w in laid.parameters] + [w.grad for w in laid.parameters] if held else None
        before = copy.deepcopy(keep)
        for net in (plain, laid):
            REPLACES[replace](net)
        if before and "numbers of" not in replace:
            run(np.float64(0.5)), quick(np.float64(0.5))
            assert equal(keep, before), k
    run(np.float64(1.5)), quick(np.float64(1.5))
    assert same(plain.contents, laid.contents)


def test_old_data_put_back_while_somebody_holds_it():
    """The array is in its place, and as many hold it as always: only that they are not the same as always."""
    (plain, run), (laid, quick) = pair(sgd)
    run(np.float64(1.0)), quick(np.float64(1.0))
    held = laid.parameters[0]._array  # held here instead of there
    before = held.copy()
    for net in (plain, laid):
        net.parameters[0].data = np.zeros((3, 4))
    for _ in range(2):
        run(np.float64(1.0)), quick(np.float64(1.0))
        assert np.array_equal(held, before)
        assert same(plain.contents, laid.contents)


def test_a_state_of_another_shape_is_refused_before_anything_happens():
    laid = Net(adam)
    run = runner(planned(arena(laid.program())))
    run(np.float64(1.0))
    for wrong in (np.ones(7), 0.0, np.ones((3, 4), np.float32)):
        good, laid.states[0]["m"] = laid.states[0]["m"], wrong
        before = [w.data.copy() for w in laid.parameters]
        with pytest.raises(DivergedError):
            run(np.float64(1.0))
        assert equal([w.data for w in laid.parameters], before)
        laid.states[0]["m"] = good
        run(np.float64(1.0))


def test_an_eager_step_in_between():
    """An optimiser of nn makes new arrays; the next run takes them in."""
    (plain, run), (laid, quick) = pair(sgd)
    for _ in range(3):
        run(np.float64(1.0)), quick(np.float64(1.0))
        for net in (plain, laid):
            nn.SGD(net.parameters, lr=0.5).step()
        assert same(plain.contents, laid.contents)


# ---------------------------------------------------------------- several programs, threads, errors


def test_two_programs_of_the_same_parameters_share_an_arena():
    laid = Net(adam)
    first, second = planned(arena(laid.program())), planned(arena(laid.program()))
    assert memory_of(first) is memory_of(second)
    one, two = runner(first), runner(second)
    one(np.float64(1.0))
    held = id(memory_of(first).held[0])
    two(np.float64(1.0)), one(np.float64(1.0))
    assert id(memory_of(first).held[0]) == held


def test_two_programs_that_share_some_parameters():
    (plain, run), (laid, quick) = pair(sgd)
    rest = []
    for net in (plain, laid):
        record = Recorder()
        x, writes = record.argument(np.float64(1.0)), []
        for k, w in enumerate(net.parameters[1:3]):
            data = record.load(Place(w, "_array", True, f"w{k}"))
            writes.append((Place(w, "_array", True, f"w{k}"), sgd(record, data, record(np.multiply, data, x), {})))
        program = record.program(1, writes)
        rest.append(runner(program if net is plain else planned(arena(program))))
    for _ in range(3):
        run(np.float64(1.0)), quick(np.float64(1.0))
        rest[0](np.float64(2.0)), rest[1](np.float64(2.0))
        assert same(plain.contents, laid.contents)


def test_an_arena_goes_with_its_programs():
    laid = Net()
    program = arena(laid.program())
    run, memory = runner(program), weakref.ref(memory_of(program))
    run(np.float64(1.0))
    del program, run
    gc.collect()
    assert memory() is None
    assert same([w.data for w in laid.parameters], [w.data for w in laid.parameters])


def test_several_threads():
    (plain, run), (laid, quick) = pair(adam)
    for _ in range(200):
        run(np.float64(0.5))
    threads = [threading.Thread(target=lambda: [quick(np.float64(0.5)) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same(plain.contents, laid.contents)


def test_an_error_before_the_update_leaves_all_as_it_was():
    laid = Net(adam, gradients=True)
    fail = []

    def risky(x):
        if fail:
            raise RuntimeError("as told")
        return x

    result = laid.record(risky, laid.record(np.negative, laid.x))
    run = runner(planned(arena(laid.program(result))))
    run(np.float64(1.0))
    data = [w.data.copy() for w in laid.parameters]
    states = copy.deepcopy(laid.states)
    fail.append(1)
    with pytest.raises(RuntimeError):
        run(np.float64(3.0))
    assert equal([w.data for w in laid.parameters], data)
    assert all(equal(list(a.values()), list(b.values())) for a, b in zip(laid.states, states, strict=True))
    fail.clear()
    run(np.float64(1.0))


def test_a_condition_that_fails_after_the_update_was_traced():
    laid = Net(sgd)
    above = laid.record(np.greater, laid.x, 0.0)
    laid.record.calls.append(Call(Expect("truth", True), (above,), effect=True))
    run = runner(planned(arena(laid.program())))
    run(np.float64(1.0))
    data = [w.data.copy() for w in laid.parameters]
    with pytest.raises(DivergedError):
        run(np.float64(-1.0))
    assert equal([w.data for w in laid.parameters], data)


def test_without_reference_counts_all_is_new_in_each_run(monkeypatch):
    monkeypatch.setattr(arenas, "_refcount", None)
    (plain, run), (laid, quick) = pair(adam)
    held = []
    for _ in range(3):
        run(np.float64(1.0)), quick(np.float64(1.0))
        assert same(plain.contents, laid.contents)
        held.append(([w._array for w in laid.parameters], [w._array.copy() for w in laid.parameters]))
    assert all(equal(a, b) for a, b in held)


# ---------------------------------------------------------------- what is not laid out


def untouched(net, results=None):
    program = net.program(results)
    return arena(program) is program


def test_a_program_without_an_update_stays_as_it_is():
    record = Recorder()
    x = record.argument(np.ones(3))
    program = record.program(record(np.exp, x))
    assert arena(program) is program


def test_one_parameter_in_another_layout_is_left_out():
    plain, laid = Net(layout="F"), Net(layout="F")
    program = arena(laid.program())
    assert len(memory_of(program).slots[0].shapes) == len(SHAPES) - 2  # all but those of several axes
    run, quick = runner(plain.program()), runner(planned(program))
    for _ in range(2):
        run(np.float64(1.0)), quick(np.float64(1.0))
        assert same(plain.contents, laid.contents)
        assert plain.parameters[0]._array.strides == laid.parameters[0]._array.strides


def test_old_data_that_is_returned_is_not_overwritten():
    plain, laid = Net(), Net()
    runs = []
    for net, change in ((plain, lambda p: p), (laid, lambda p: planned(arena(p)))):
        old = next(iter(net.record.loads))
        runs.append(runner(change(net.program((net.result, old, net.record(np.transpose, old))))))
    for _ in range(3):
        a, b = (run(np.float64(1.0)) for run in runs)
        assert equal(list(a[1:]), list(b[1:]))
    assert same(plain.contents, laid.contents)


def test_new_data_that_is_read_again():
    """As by the second of two steps in one function, or by a loss after the step."""
    plain, laid = Net(), Net()
    runs = []
    for net, change in ((plain, lambda p: p), (laid, lambda p: planned(arena(p)))):
        runs.append(runner(change(net.program((net.record(np.add.reduce, net.news[0], None), net.news[1])))))
    for _ in range(3):
        a, b = (run(np.float64(1.0)) for run in runs)
        assert a[0] == b[0]
        assert np.array_equal(a[1], b[1])
        assert same(plain.contents, laid.contents)


def test_two_steps_in_one_program():
    def twice(record, w, g, state):
        new = sgd(record, w, g, state)
        return sgd(record, new, record(np.tanh, new), state)

    (plain, run), (laid, quick) = pair(twice)
    for _ in range(3):
        assert run(np.float64(1.0)) == quick(np.float64(1.0))
        assert same(plain.contents, laid.contents)


def test_gradients_that_are_returned_too_are_apart():
    plain, laid = Net(), Net()
    gradients = [[v for place, v in net.writes if place.key == "_grad"] for net in (plain, laid)]
    run, quick = runner(plain.program(gradients[0])), runner(planned(arena(laid.program(gradients[1]))))
    a, b = run(np.float64(1.0)), quick(np.float64(1.0))
    assert equal(a, b)
    before = copy.deepcopy(b)
    quick(np.float64(2.0))
    assert equal(b, before)
    assert not any(np.shares_memory(g, w._grad) for g, w in zip(b, laid.parameters, strict=True))


def test_gradients_that_are_returned_and_not_written():
    plain, laid = Net(gradients=False), Net(gradients=False)
    gradients = [[c.result for c in net.record.calls if c.part == "backward"] for net in (plain, laid)]
    run, quick = runner(plain.program(gradients[0])), runner(planned(arena(laid.program(gradients[1]))))
    a, b = run(np.float64(1.0)), quick(np.float64(1.0))
    before = copy.deepcopy(b)
    quick(np.float64(2.0))
    assert equal(a, b)
    assert equal(b, before)


def test_a_step_on_the_way_to_the_new_data_that_is_returned():
    steps = [], []

    def rule(kept):
        def update(record, w, g, state):
            kept.append(record(np.multiply, g, 0.1, part="update"))
            return record(np.subtract, w, kept[-1], part="update")

        return update

    plain, laid = Net(rule(steps[0])), Net(rule(steps[1]))
    run, quick = runner(plain.program(steps[0][1])), runner(planned(arena(laid.program(steps[1][1]))))
    for _ in range(2):
        assert np.array_equal(run(np.float64(1.0)), quick(np.float64(1.0)))
        assert same(plain.contents, laid.contents)


def test_the_same_array_in_two_places():
    def rule(record, w, g, state):
        v = record(np.multiply, g, 0.5, part="update")
        return sgd(record, w, v, state), {"v": v, "also": v}

    (plain, run), (laid, quick) = pair(rule)
    for _ in range(2):
        run(np.float64(1.0)), quick(np.float64(1.0))
        assert same(plain.contents, laid.contents)
        assert not any(np.shares_memory(state["v"], state["also"]) for state in laid.states)


def test_a_parameter_that_turns_its_layout():
    """Column by column before, row by row after the first step: its sums would come out otherwise."""

    def rule(record, w, g, state):
        return sgd(record, w, record(np.ascontiguousarray, g), state)

    laid = Net(rule, shapes=[(3, 4), (4, 3)], layout="F")
    assert untouched(laid)


def test_gradients_that_are_views_are_copied_in():
    def rule(record, w, g, state):
        return sgd(record, w, record(np.transpose, record(np.transpose, g)), state)

    (plain, run), (laid, quick) = pair(rule, gradients=False)
    for _ in range(2):
        run(np.float64(1.0)), quick(np.float64(1.0))
        assert same(plain.contents, laid.contents)


def test_gradients_that_add_up_over_runs():
    """`_grad` is read, added to, and written: by lines of the backward pass."""
    nets = Net(gradients=False), Net(gradients=False)
    runs = []
    for net, change in zip(nets, (lambda p: p, lambda p: planned(arena(p))), strict=True):
        for w in net.parameters:
            w._grad = np.ones(w.shape)
        record, writes = Recorder(), []
        x = record.argument(np.float64(1.0))
        for k, w in enumerate(net.parameters):
            data, old = record.load(Place(w, "_array", True, f"w{k}")), record.load(Place(w, "_grad", True, f"g{k}"))
            g = record(np.add, old, record(np.multiply, data, x, part="backward"), part="backward")
            writes += [
                (Place(w, "_grad", True, f"g{k}"), g),
                (Place(w, "_array", True, f"w{k}"), sgd(record, data, g, {})),
            ]
            again = record(np.add.reduce, old, None)  # reads the old one when the new one is there
        runs.append(runner(change(record.program(again, writes))))
    for _ in range(4):
        assert runs[0](np.float64(1.0)) == runs[1](np.float64(1.0))
        for a, b in zip(nets[0].parameters, nets[1].parameters, strict=True):
            assert np.array_equal(a.grad, b.grad)
            assert np.array_equal(a.data, b.data)


def test_the_old_is_read_after_the_new_is_known():
    """w' = w + (w' of a part) w: what stands there must stay until its last reader."""

    def rule(record, w, g, state):
        half = record(np.multiply, w, 0.5, part="update")
        state["other"] = np.ones(w.shape)
        v = record.load(Place(state, "other", False, "other"))
        new_v = record(np.add, half, g, part="update")
        new = record(np.multiply, record(np.add, new_v, v, part="update"), half, part="update")
        return new, {"other": new_v}

    (plain, run), (laid, quick) = pair(rule)
    for _ in range(3):
        run(np.float64(0.5)), quick(np.float64(0.5))
        assert same(plain.contents, laid.contents)


def test_rules_that_differ_make_groups():
    def rule(record, w, g, state):
        return sgd(record, w, g, state, np.add if w.shape in ((4,), (5,)) else np.subtract)

    (plain, run), (laid, quick) = pair(rule)
    for _ in range(2):
        run(np.float64(0.5)), quick(np.float64(0.5))
        assert same(plain.contents, laid.contents)
    assert functions(arena(laid.program())).count(np.add) == 1


def test_numbers_that_are_computed_are_shared_and_others_are_not():
    """A clipped gradient: one scale for all; and a learning rate for each."""

    def net(shared):
        def rule(record, w, g, state):
            scale = (
                record(np.divide, 1.0, record.arguments[0], part="update") if not scales or not shared else scales[0]
            )
            scales.append(scale)
            return sgd(record, w, record(np.multiply, g, scale, part="update"), state)

        scales = []
        return rule

    for shared, groups in ((True, 1), (False, len(SHAPES))):
        plain, laid = Net(net(shared)), Net(net(shared))
        run, program = runner(plain.program()), planned(arena(laid.program()))
        quick = runner(program)
        for _ in range(2):
            run(np.float64(0.5)), quick(np.float64(0.5))
            assert same(plain.contents, laid.contents)
        assert len(memory_of(program).slots) == 2 * groups


def test_dtypes_do_not_mix():
    plain, laid = mixed(), mixed()
    run, program = runner(plain.program()), planned(arena(laid.program()))
    quick = runner(program)
    for _ in range(2):
        run(np.float64(0.5)), quick(np.float64(0.5))
        assert same(plain.contents, laid.contents)
    assert {slot.dtype for slot in memory_of(program).slots} == {np.dtype(np.float32), np.dtype(np.float64)}


def mixed():
    net = Net()
    record, net.writes = Recorder(), []
    net.record = record
    x = record.argument(np.float64(1.0))
    for k, w in enumerate(net.parameters):
        w._array = w._array.astype([np.float32, np.float64][k % 2])
        data = record.load(Place(w, "_array", True, f"w{k}"))
        g = record(np.multiply, data, record(float, x))
        net.writes.append((Place(w, "_array", True, f"w{k}"), sgd(record, data, g, {})))
    net.result = 1
    return net


def test_slots_know_what_fits():
    slot = Slot([], [(2, 3), (4,)], np.dtype(float), True)
    assert (slot.size, [(p.start, p.stop) for p in slot.pieces]) == (10, [(0, 6), (6, 10)])
    assert slot.fits(np.ones((2, 3)), slot.pieces[0])
    for wrong in (np.ones((3, 2)), np.ones((2, 3), int), 1.0, None, [1]):
        assert not slot.fits(wrong, slot.pieces[0])


# ---------------------------------------------------------------- the optimisers of nn, traced


OPTIMISERS = {
    "SGD": lambda p: nn.SGD(p, lr=0.1),
    "SGD, decay": lambda p: nn.SGD(p, lr=0.1, weight_decay=0.01),
    "momentum": lambda p: nn.SGD(p, lr=0.1, momentum=0.9),
    "Nesterov": lambda p: nn.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "AdaGrad": lambda p: nn.AdaGrad(p, lr=0.1),
    "RMSProp": lambda p: nn.RMSProp(p, lr=0.1),
    "RMSProp, momentum": lambda p: nn.RMSProp(p, lr=0.1, momentum=0.5, weight_decay=0.1),
    "Adam": lambda p: nn.Adam(p, lr=0.1),
    "Adam, decay": lambda p: nn.Adam(p, lr=0.1, weight_decay=0.1),
    "AdamW": lambda p: nn.AdamW(p, lr=0.1),
}


def training(make, compiled, clip):
    model = nn.Sequential(nn.Dense(3, 4, np.tanh, seed=0), nn.Dense(4, 3, np.tanh, seed=1), nn.Dense(3, 2, seed=2))
    optimizer = make(model.parameters())

    def step(x, y):
        loss = nn.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        if clip:
            nn.clip_gradients(model.parameters(), norm=0.1)
        optimizer.step()
        return loss

    return model, optimizer, autograd.compile(step) if compiled else step


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers(name, clip):
    x, y = np.random.default_rng(0).normal(size=(6, 3)), np.array([0, 1, 0, 1, 1, 0])
    (model, optimizer, step), (other, laid, quick) = (training(OPTIMISERS[name], compiled, clip) for compiled in (0, 1))
    with np.errstate(all="raise"):
        for k in range(8):
            assert step(x, y).item() == pytest.approx(quick(x, y).item(), rel=1e-12)
            for a, b in zip(model.parameters(), other.parameters(), strict=True):
                np.testing.assert_allclose(b.data, a.data, rtol=1e-12, atol=1e-14)
                np.testing.assert_allclose(b.grad, a.grad, rtol=1e-12, atol=1e-14)
            assert str(optimizer.states)[:40] == str(laid.states)[:40], k
    assert quick.traces < 8
    assert len({id(w._array.base) for w in other.parameters()}) == 1, "not on an arena"
    text = "\n".join(
        inspect.getsource(version.run) for versions in quick._versions.values() for version in versions if version.run
    )
    assert "arena.held" in text
    assert text.count("sqrt(") <= 2  # one for all parameters, and one of the norm
