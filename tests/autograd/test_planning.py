"""Planning: where results go. The same bits, in fewer arrays, and nothing that is handed out ever changes."""

import inspect
import operator
import tracemalloc
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="Hypothesis, which draws the programs, is not installed")

from hypothesis import HealthCheck, given, settings

from autograd import planning
from autograd.op import registry
from autograd.planning import Memory, fitted, planned, takes_out
from autograd.program import Call, Place, Program, Variable, cast, mapped, variables
from autograd.rendering import runner
from autograd.rules import recurrent

from .programs import Recorder, outcomes
from .test_rendering import SEQUENCE, same

drawn = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
X = np.arange(12.0).reshape(3, 4) / 7 - 0.6


def buffers(program):
    """The buffers that a program has, and the pieces of memory in which they lie."""
    held = [place.get() for place in program.loads.values() if type(place.holder) is Memory]
    return held, {id(array.base): array.base for array in held}


def outs(program):
    return [None if call.out is None else program.loads[call.out].get() for call in program.calls]


@drawn
@given(drawn=outcomes(14))
def test_random_programs_run_to_the_same_bits_and_what_they_gave_stays(drawn):
    program, inputs = drawn
    before = [array.copy() for array in inputs]
    others = [np.asarray(array + 1, array.dtype) for array in inputs]
    with np.errstate(all="ignore"):
        wanted, _ = program.run(*inputs)
        run = runner(planned(program))
        first = run(*inputs)
        with suppress(ValueError):  # integers to a negative power
            run(*others)  # which has other numbers in all buffers
        assert same(first, wanted)
        assert same(run(*inputs), wanted)
    assert all(map(same, inputs, before))


@drawn
@given(drawn=outcomes(14))
def test_no_buffer_holds_two_things_at_once(drawn):
    """By brute force: each read finds what was computed, though every buffer is spoilt after its last reader."""
    program, inputs = drawn
    program = fitted(program)
    plan = planned(program)
    content = dict(zip(plan.arguments, inputs, strict=True)) | {v: place.get() for v, place in plan.loads.items()}
    with np.errstate(all="ignore"):
        wanted = dict(zip(plan.arguments, inputs, strict=True))
        for call in program.calls:
            wanted[call.result] = call.function(*filled(call.args, wanted), **filled(call.kwargs, wanted))
        for call in plan.calls:
            for operand in call.operands:
                assert same(np.asarray(content[operand]), np.asarray(wanted[operand])), call
            result = call.function(*filled(call.args, content), **filled(call.kwargs, content))
            if call.out is not None:
                out = content[call.out]
                assert (out.shape, out.dtype) == (result.shape, result.dtype)
                out[...] = result
                result = out
            content[call.result] = result


def filled(tree, content):
    return mapped(content.__getitem__, tree)


def test_a_chain_takes_one_buffer():
    record = Recorder()
    x = record.argument(X)
    total = record(np.add.reduce, record(np.exp, record(np.negative, record(np.multiply, x, 2.0))), None)
    plan = planned(record.program(total))
    held, memory = buffers(plan)
    assert len(memory) == len(held) == 1
    assert [call.out is None for call in plan.calls] == [False, False, False, True]
    assert runner(plan)(X) == record.program(total).run(X)[0]


def test_memory_is_used_again_by_another_shape_and_dtype():
    record = Recorder()
    x = record.argument(X)
    small = record(np.add.reduce, record(np.exp, x), 0)
    wide = record(np.greater, x, record(np.maximum.reduce, small, None))
    plan = planned(record.program(record(np.logical_and.reduce, wide, None)))
    _, memory = buffers(plan)
    assert len(memory) == 2  # exp and then greater in one, the sum in the other
    assert runner(plan)(X) == plan.run(X)[0]


def test_views_keep_a_buffer_alive():
    record = Recorder()
    x = record.argument(X)
    exponential = record(np.exp, x)
    turned = record(np.transpose, exponential)
    row = record(operator.getitem, turned, 0)
    other = record(np.negative, x)  # must not lie where the view looks
    plan = planned(
        record.program(record(np.add.reduce, record(np.multiply, row, record(np.add.reduce, other, 1)), None))
    )
    places = outs(plan)
    assert not np.shares_memory(places[0], places[3])
    assert runner(plan)(X) == plan.run(X)[0]


def test_what_is_handed_out_has_no_buffer():
    store = {}
    record = Recorder()
    x = record.argument(X)
    one, two, three = record(np.exp, x), record(np.negative, x), record(np.square, x)
    view = record(np.transpose, three)
    program = record.program((one, view), [(Place(store, "kept", False, "kept"), two)])
    plan = planned(program)
    assert [call.out for call in plan.calls] == [None] * 4
    assert not buffers(plan)[0]


def test_an_operand_that_is_read_again_stays():
    record = Recorder()
    x = record.argument(X)
    exponential = record(np.exp, x)
    plan = planned(
        record.program(record(np.add.reduce, record(np.multiply, record(np.sin, exponential), exponential), None))
    )
    places = outs(plan)
    assert not np.shares_memory(places[0], places[1])
    assert np.shares_memory(places[1], places[2]) or np.shares_memory(places[0], places[2])


def test_arguments_and_parameters_are_never_written_into():
    record = Recorder()
    store = {"w": X.copy()}
    x, w = record.argument(X), record.load(Place(store, "w", False, "w"))
    plan = planned(record.program(record(np.add.reduce, record(np.add, x, w), None)))
    before = X.copy(), store["w"].copy()
    runner(plan)(X)
    assert same((X, store["w"]), before)


def test_in_place_only_in_the_same_shape_dtype_and_layout():
    record = Recorder()
    x = record.argument(np.asfortranarray(X))
    turned = record(np.exp, x)  # as x lies in memory
    straight = record(np.multiply, turned, record.argument(X))
    wider = record(np.add, record(np.add.reduce, straight, 0), record(np.add.reduce, turned, 1, keepdims=True))
    small = record(np.greater, wider, 0.0)
    plan = planned(record.program(record(np.add.reduce, small, None)))
    for call, out in zip(plan.calls, outs(plan), strict=True):
        if out is not None:
            assert out.strides == call.result.strides
            assert out.dtype == call.result.dtype
    assert runner(plan)(*record.inputs) == plan.run(*record.inputs)[0]


def test_a_matrix_times_its_own_transpose_is_not_computed_in_place():
    record = Recorder()
    x = record.argument(np.ones((3, 3)))
    exponential = record(np.exp, x)
    total = record(np.add, exponential, record(np.transpose, exponential))
    plan = planned(record.program(record(np.add.reduce, total, None)))
    assert not np.shares_memory(outs(plan)[0], outs(plan)[2])


def test_products_need_an_operand_until_the_end():
    record = Recorder()
    x = record.argument(np.ones((3, 3)))
    for function in (np.dot, np.matmul):
        square = record(function, record(np.exp, x), record(np.negative, x))
        plan = planned(record.program(record(np.add.reduce, square, None)))
        a, b, out, _ = outs(plan)[-4:]
        assert not np.shares_memory(out, a)
        assert not np.shares_memory(out, b)


def test_what_an_opaque_function_saves_stays():
    """It may keep its inputs, and know them again by `is`."""

    def forward(x):
        return -x, {"x": x, "seen": []}

    def backward(g, saved):
        saved["seen"].append((g, g.copy()))
        assert all(np.array_equal(array, copy) for array, copy in saved["seen"])
        return g * saved["x"]

    record = Recorder()
    x = record.argument(X)
    inner = record(np.exp, x)
    pair = record(forward, inner)
    result = record(operator.getitem, pair, 0)
    saved = record(operator.getitem, pair, 1)
    first = record(backward, record(np.sin, result), saved)
    second = record(backward, record(np.cos, result), saved)
    total = record(np.add.reduce, record(np.add, first, second), None)
    program = record.program(total)
    assert runner(planned(program))(X) == program.run(X)[0]


def test_the_rules_of_an_lstm_share_what_they_saved():
    record = Recorder()
    inputs = [record.argument(array) for array in SEQUENCE]
    saved = record(recurrent._lstm, *inputs)
    outputs, up = record(operator.getitem, saved, 0), record.argument(np.ones((2, 5, 4)))
    totals = []
    for scale in (1.0, 2.0):  # the second upstream gradient would lie where the first did
        g = record(np.multiply, up, scale)
        shares = [record(r, g, outputs, *inputs, saved=saved) for r in registry[recurrent._lstm].parts[0].rules]
        totals += [record(np.add.reduce, share, None) for share in shares]
    program = record.program(tuple(totals))
    assert same(runner(planned(program))(*record.inputs), program.run(*record.inputs)[0])


def test_what_a_function_with_an_effect_was_given_stays():
    kept = []

    def keep(x):
        kept.append((x, x.copy()))
        return 0.0

    record = Recorder()
    x = record.argument(X)
    for _ in range(3):
        x = record(np.exp, record(np.negative, x))
        record(keep, x, effect=True)
    run = runner(planned(record.program(record(np.add.reduce, x, None))))
    kept.clear()
    run(X), run(X + 1)
    assert len(kept) == 6
    assert all(np.array_equal(array, copy) for array, copy in kept)


@pytest.mark.parametrize(
    ("function", "args", "keywords"),
    [
        (np.add, (1.0,), {}),
        (np.maximum, (0.0,), {}),
        (np.add.reduce, (0,), {}),
        (np.add.reduce, (), {"axis": 1, "keepdims": True}),
        (np.multiply.accumulate, (1,), {}),
        (np.sum, (), {"axis": 0}),
        (np.mean, (0,), {}),
        (np.max, (), {"axis": (0,), "keepdims": True}),
        (np.dot, (np.ones((4, 2)),), {}),
        (np.greater, (0.0,), {}),
        (np.isfinite, (), {}),
        (np.copy, ("C",), {}),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_what_takes_out_computes_the_same_with_it(function, args, keywords):
    record = Recorder()
    x = record.argument(X)
    args = [record.argument(a) if isinstance(a, np.ndarray) else a for a in args]
    result = record(function, x, *args, **keywords)
    assert takes_out(record.calls[0])
    plan = planned(record.program(record(np.copy, result)))
    assert plan.calls[0].out is not None
    assert same(runner(plan)(*record.inputs), plan.run(*record.inputs)[0])


@pytest.mark.parametrize(
    ("function", "args", "keywords"),
    [
        (np.where, (1.0, 2.0), {}),
        (np.add, (1.0,), {"dtype": float}),
        (np.add.reduce, (0,), {"initial": 1.0}),
        (np.modf, (), {}),
        (np.sum, (), {}),
        (np.reshape, ((4, 3),), {}),
        (np.add.outer, (np.ones(2),), {}),
        (lambda x: x + 1, (), {}),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_what_takes_none(function, args, keywords):
    record = Recorder()
    record(function, record.argument(X), *args, **keywords)
    assert not takes_out(record.calls[0])


def test_objects_and_empty_arrays():
    record = Recorder()
    words = record.argument(np.array(["a", None], object))
    nothing = record.argument(np.zeros((0, 3)))
    plan = planned(
        record.program((record(np.add, words, words) if False else 1, record(np.copy, record(np.exp, nothing))))
    )
    assert not buffers(plan)[0]
    assert runner(plan)(*record.inputs)[1].shape == (0, 3)


def test_buffers_are_aligned_and_apart_from_their_neighbours():
    record = Recorder()
    x = record.argument(X)
    parts = [record(function, x) for function in (np.exp, np.sin, np.cos)]
    total = parts[0]
    for part in parts[1:]:
        total = record(np.add, total, part)
    held, _ = buffers(planned(record.program(record(np.add.reduce, total, None))))
    assert all(array.ctypes.data % 64 == 0 for array in held)


SIZES, BATCH = (784, 256, 128, 10), 128


def net():
    """Forward and backward pass of a large MLP, and what it is given."""
    random = np.random.default_rng(0)
    record = Recorder()
    weights = [record.argument(random.normal(size=shape) / 10) for shape in pairwise(SIZES)]
    h, seen = record.argument(random.normal(size=(BATCH, SIZES[0]))), []
    for weight in weights:
        seen.append(h)
        h = record(np.maximum, record(np.dot, h, weight), 0.0)
    g, gradients = record(np.multiply, h, 2.0), []
    for weight, below in zip(reversed(weights), reversed(seen), strict=True):
        gradients.append(record(np.dot, record(np.transpose, below), g))
        g = record(np.multiply, record(np.dot, g, record(np.transpose, weight)), record(np.greater, below, 0.0))
    return record.program(tuple(gradients)), record.inputs


def peak(function, *args):
    tracemalloc.start()
    try:
        result = function(*args)
        del result
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_peak_memory_with_the_buffers_that_are_kept_is_below_that_without():
    program, inputs = net()
    plan = planned(program)
    run, kept = runner(plan), sum(memory.nbytes for memory in buffers(plan)[1].values())

    def holding_all(*arrays):
        """As a graph does, until the backward pass is over."""
        content = dict(zip(program.arguments, arrays, strict=True))
        for call in program.calls:
            content[call.result] = call.function(*filled(call.args, content))
        return [content[v] for v in variables(program.results)]

    assert same(list(run(*inputs)), holding_all(*inputs))
    assert kept + peak(run, *inputs) < 0.7 * peak(holding_all, *inputs)


def test_a_call_with_a_place_keeps_it():
    record = Recorder()
    store = {"place": np.zeros((3, 4))}
    x, place = record.argument(X), record.load(Place(store, "place", False, "place"))
    first = record(np.exp, x)
    call = record.calls[0]
    record.calls[0] = Call(call.function, call.args, {}, call.result, out=place)
    plan = planned(record.program(record(np.add.reduce, record(np.negative, first), None)))
    assert plan.calls[0].out is place
    assert runner(plan)(X) == np.add.reduce(-np.exp(X), None)
    assert np.array_equal(store["place"], np.exp(X))


# ---------------------------------------------------------------- operands that fit


@drawn
@given(drawn=outcomes(14))
def test_operands_are_made_to_fit_in_random_programs(drawn):
    program, inputs = drawn
    with np.errstate(all="ignore"):
        assert same(fitted(program).run(*inputs)[0], program.run(*inputs)[0])


def test_a_mask_is_converted_once():
    record = Recorder()
    x = record.argument(np.asfortranarray(X))
    mask = record(np.greater, x, 0.0)
    both = record(np.subtract, record(np.multiply, x, mask), mask)
    program = record.program(both)
    calls = fitted(program).calls
    assert [call.function for call in calls] == [np.greater, cast, np.multiply, np.subtract]
    assert calls[1].result.strides == x.strides
    assert same(runner(planned(program))(*record.inputs), program.run(*record.inputs)[0])
    text = inspect.getsource(runner(planned(program)))
    assert "buffer2[...] = buffer1" in text


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.float16, np.float32, np.complex64, np.float64])
@pytest.mark.parametrize("function", [np.multiply, np.greater, np.power, np.maximum, np.arctan2, np.floor_divide])
def test_dtypes_meet(function, dtype):
    record = Recorder()
    a, b = record.argument(np.abs(X) + 1), record.argument((np.abs(X) * 3).astype(dtype))
    try:
        with np.errstate(all="ignore"):
            results = record(function, a, b), record(function, b, a), record(function, b, 1.5)
    except TypeError:
        pytest.skip("NumPy does not do that")
    program = record.program(results)
    for call in fitted(program).calls:
        if call.function is cast:
            assert call.result.dtype == np.result_type(float, dtype) != call.args[0].dtype
    with np.errstate(all="ignore"):
        assert same(runner(planned(program))(*record.inputs), program.run(*record.inputs)[0])


def test_a_large_mask_is_left_as_it_is():
    record = Recorder()
    x = record.argument(np.zeros(planning.LARGE // 8 + 1))
    program = record.program(record(np.multiply, x, record(np.greater, x, 0.0)))
    assert [call.function for call in fitted(program).calls] == [np.greater, np.multiply]


def test_a_bias_for_a_single_example_gets_an_axis():
    record = Recorder()
    x, bias = record.argument(X[:1]), record.argument(X[1])
    program = record.program((record(np.add, x, bias), record(np.subtract, bias, x), record(np.add, bias, bias)))
    calls = fitted(program).calls
    assert [call.function for call in calls] == [np.reshape, np.add, np.subtract, np.add]
    assert bias in calls[0].result.owners
    assert same(runner(planned(program))(*record.inputs), program.run(*record.inputs)[0])


def test_what_is_really_broadcast_is_left_as_it_is():
    record = Recorder()
    x, bias, column = record.argument(X), record.argument(X[1]), record.argument(X[:, :1])
    number = record.argument(np.array([2.0]))
    program = record.program([record(np.add, x, bias), record(np.add, x, column), record(np.add, number, column)])
    assert [call.function for call in fitted(program).calls] == [np.add] * 3


def test_a_buffer_of_one_number_is_no_constant():
    # What an empty buffer holds by chance may be a constant's number: 1.0, say.
    x, negated, first = Variable.of(np.ones(1)), Variable.of(np.ones(1)), Variable.of(np.ones(()))
    total, product = Variable.of(np.float64(1.0)), Variable.of(np.float64(1.0))
    first.owners = (negated,)
    calls = [
        Call(np.negative, (x,), result=negated),
        Call(np.reshape, (negated, ()), result=first),
        Call(np.add, (first, 1.0), result=total),
        Call(np.multiply, (total, first), result=product),
    ]
    program = planned(Program([x], {}, calls, [], product))
    assert len(program.calls) == 3  # the view is made once
    for place in program.loads.values():
        place.get()[...] = 1.0
    assert runner(program)(np.array([3.0])) == 6.0
