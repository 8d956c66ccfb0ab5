"""Passes: fewer lines, the same bits."""

import operator

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="Hypothesis, which draws the programs, is not installed")

from hypothesis import HealthCheck, given, settings

from autograd.passes import (
    simplified,
    with_common_subexpressions_shared,
    with_constants_folded,
    with_views,
    without_dead_code,
)
from autograd.program import Expect, Place, variables

from .programs import Recorder, functions, memory, outcomes, same_bits

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -0.0]])
PASSES = [
    without_dead_code,
    with_common_subexpressions_shared,
    with_constants_folded,
    with_views,
    simplified,
]
drawn = settings(
    max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def agree(program, other, inputs):
    """The same bits, in arrays that are apart where they were, and none of them a given one that was not."""
    with np.errstate(all="ignore"):
        (wanted, writes), (found, found_writes) = program.run(*inputs), other.run(*inputs)
    assert same_bits(wanted, found), [[(c, c.result and c.result.strides) for c in p.calls] for p in (program, other)]
    assert same_bits(writes, found_writes)
    before, after = ([*inputs, *results, *rest] for results, rest in ((wanted, writes), (found, found_writes)))
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        for c, d in zip(before[:i], after[:i], strict=True):
            if all(isinstance(x, np.ndarray) for x in (a, b, c, d)) and memory(b) is memory(d) and b.size:
                assert memory(a) is memory(c), "two arrays have become one"
    for array in after[len(inputs) :]:
        if isinstance(array, np.ndarray) and memory(array).flags.writeable is False:
            assert any(memory(array) is memory(x) for x in inputs) or not array.flags.writeable


@pytest.mark.parametrize("change", PASSES, ids=lambda p: p.__name__)
@drawn
@given(drawn=outcomes())
def test_random_programs_give_the_same_bits(change, drawn):
    program, inputs = drawn
    changed = change(program)
    agree(program, changed, inputs)
    assert len(changed.calls) <= len(program.calls) or change is simplified
    produced = {*changed.arguments, *changed.loads}
    for call in changed.calls:  # every variable is there before it is read, and made once
        assert set(call.operands) <= produced
        assert call.result not in produced
        produced.add(call.result)


# ---------------------------------------------------------------- dead code


def test_dead_code_goes_and_effects_stay():
    record = Recorder()
    x = record.argument(X)
    record(np.exp, record(np.sin, x))
    record(Expect("shape", (2, 3)), x, effect=True)
    program = without_dead_code(record.program(record(np.tanh, x)))
    assert [getattr(f, "__name__", "expect") for f in functions(program)] == ["expect", "tanh"]


def test_what_is_not_read_is_not_loaded():
    class Holder:
        a, b = np.ones(2), np.ones(3)

    record = Recorder()
    a, b = (record.load(Place(Holder, name, True, name)) for name in "ab")
    record(np.exp, b)
    program = without_dead_code(record.program(record(np.exp, a)))
    assert list(program.loads) == [a]


# ---------------------------------------------------------------- common subexpressions


def test_equal_lines_become_one():
    record = Recorder()
    x = record.argument(X)
    pairs = [(record(np.exp, x), record(np.sum, x, axis=0), record(operator.getitem, x, slice(0, 2))) for _ in range(2)]
    total = record(np.add, record(np.add, pairs[0][0], pairs[1][0]), record(np.add, pairs[0][1], pairs[1][1]))
    program = record.program((total, record(np.add, pairs[0][2], pairs[1][2])))
    shared = with_common_subexpressions_shared(program)
    assert len(shared.calls) == len(program.calls) - 3
    agree(program, shared, [X])


@pytest.mark.parametrize(("a", "b"), [(0.0, -0.0), (1, 1.0), (1.0, np.float64(1.0)), (1, True), ((1,), [1])])
def test_constants_of_other_type_or_sign_are_others(a, b):
    record = Recorder()
    x = record.argument(X)
    program = record.program((record(np.arctan2, x, a), record(np.arctan2, x, b)))
    assert len(with_common_subexpressions_shared(program).calls) == 2


def test_draws_are_never_shared():
    record = Recorder()
    draw = np.random.default_rng(0).normal
    program = record.program((record(draw, effect=True), record(draw, effect=True)))
    assert len(with_common_subexpressions_shared(program).calls) == 2


def test_two_results_stay_two_arrays_and_two_numbers_become_one():
    record = Recorder()
    x = record.argument(X)
    program = record.program([record(np.exp, x), record(np.exp, x), record(np.sum, x), record(np.sum, x)])
    shared = with_common_subexpressions_shared(program)
    assert functions(shared) == [np.exp, np.exp, np.sum]
    first, second, *_ = shared.run(X)[0]
    assert first is not second


def test_of_two_lines_the_one_that_is_handed_out_serves_the_other():
    record = Recorder()
    x = record.argument(X)
    inner = record(np.sum, record(np.exp, x))
    program = record.program([inner, record(np.exp, x)])
    shared = with_common_subexpressions_shared(program)
    assert functions(shared) == [np.exp, np.sum]
    agree(program, shared, [X])


# ---------------------------------------------------------------- constants


def test_what_has_only_constants_for_arguments_is_computed_now():
    record = Recorder()
    x = record.argument(X)
    scale = record(np.multiply, record(np.sqrt, 2.0), 3.0)
    program = record.program(record(np.multiply, x, record(np.full, (2, 3), scale)))
    folded = with_constants_folded(program)
    assert functions(folded) == [np.multiply]
    agree(program, folded, [X])


def test_zeros_of_the_shape_of_something_are_constant():
    record = Recorder()
    x = record.argument(X)
    program = record.program(record(np.add, x, record(np.zeros_like, x)))
    assert functions(with_constants_folded(program)) == [np.add]


@pytest.mark.parametrize(
    "line",
    [
        lambda record: record(np.add, record(np.zeros, (1001, 1001)), 1.0),  # large
        lambda record: record(np.zeros, 3),  # handed out: each run a new one
        lambda record: record(np.random.default_rng(0).normal, effect=True),
    ],
)
def test_what_is_not_folded(line):
    record = Recorder()
    program = record.program(line(record))
    assert functions(with_constants_folded(program)) == functions(program)


def test_what_warns_goes_on_to_warn():
    record = Recorder()
    with np.errstate(all="ignore"):
        program = record.program(record(np.log, np.float64(0.0)))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        with_constants_folded(program).run()


# ---------------------------------------------------------------- views


@pytest.mark.parametrize(
    ("function", "rest"),
    [
        (np.copy, ()), (np.positive, ()), (np.ndarray.astype, (np.float64,)), (np.multiply, (1.0,)),
        (np.multiply, (np.ones((2, 3)),)), (operator.truediv, (1,)), (np.subtract, (0.0,)), (np.reshape, ((2, 3),)),
        (operator.getitem, ((),)), (np.array, ()), (np.ndarray.copy, ()), (np.ndarray.transpose, ((0, 1),)),
    ],
)  # fmt: skip
def test_what_changes_nothing_goes(function, rest):
    record = Recorder()
    x = record.argument(X)
    program = record.program(record(np.exp, record(function, x, *rest)))
    changed = with_views(program)
    assert functions(changed) == [np.exp]
    agree(program, changed, [X])


@pytest.mark.parametrize(
    ("function", "rest"),
    [
        (np.add, (0.0,)),  # -0.0 + 0.0 is 0.0
        (np.subtract, (-0.0,)),
        (np.ndarray.astype, (np.float32,)),
        (np.multiply, (np.ones((2, 2, 3)),)),
        (np.multiply, (np.float64(1.0000000000000002),)),
        (np.ndarray.flatten, ()),
    ],
)
def test_what_changes_something_stays(function, rest):
    record = Recorder()
    x = record.argument(X)
    program = record.program(record(np.exp, record(function, x, *rest)))
    assert len(with_views(program).calls) == 2


def test_a_python_number_times_one_becomes_numpys():
    record = Recorder()
    x = record.argument(2.0)
    program = record.program(record(np.multiply, x, 1.0))
    assert type(with_views(program).run(2.0)[0]) is np.float64


def test_a_copy_that_lies_otherwise_in_memory_stays():
    record = Recorder()
    x = record.argument(np.zeros((3, 260))[:, ::2])
    program = record.program(record(np.sum, record(np.copy, x)))
    assert len(with_views(program).calls) == 2


def test_a_copy_of_what_was_given_stays_when_it_is_handed_out():
    record = Recorder()
    x = record.argument(X)
    program = record.program((record(np.copy, x), record(np.copy, record(np.exp, x))))
    changed = with_views(program)
    assert functions(changed) == [np.copy, np.exp]  # of a new array nobody else has, no copy is needed
    agree(program, changed, [X])


def test_two_copies_of_one_array_stay_two_arrays():
    record = Recorder()
    y = record(np.exp, record.argument(X))
    program = record.program((record(np.copy, y), record(np.copy, y), y))
    changed = with_views(program)
    first, second, third = changed.run(X)[0]
    assert not np.shares_memory(first, second)
    assert not np.shares_memory(first, third)


def test_views_of_a_copy_are_views_of_the_original():
    record = Recorder()
    x = record.argument(X)
    view = record(operator.getitem, record(np.copy, x), 0)
    program = record.program(record(np.exp, view))
    changed = with_views(program)
    (reader,) = [call for call in changed.calls if call.function is np.exp]
    (view,) = variables(reader.args)
    assert x in view.owners
    agree(program, changed, [X])


def test_elementwise_functions_broadcast_by_themselves():
    record = Recorder()
    x, g = record.argument(X), record.argument(np.array([1.0, 2.0, 3.0]))
    wide = record(np.broadcast_to, g, (2, 3))
    program = record.program((record(np.multiply, wide, x), record(np.multiply, x, record(np.exp, wide))))
    changed = without_dead_code(with_views(program))
    assert changed.calls[0].args == (wide, x) or changed.calls[0].function is np.broadcast_to  # exp needs it
    product = next(call for call in changed.calls if call.function is np.multiply)
    assert product.args == (g, x)
    agree(program, changed, [X, np.array([1.0, 2.0, 3.0])])


def test_a_transpose_of_a_transpose_is_none():
    record = Recorder()
    x = record.argument(X)
    there = record(np.transpose, x)
    program = record.program(record(np.exp, record(np.transpose, there)))
    changed = simplified(program)
    assert functions(changed) == [np.exp]
    agree(program, changed, [X])


def test_functions_that_cannot_be_looked_up_stay():
    class Odd:
        __hash__ = None

        def __call__(self, x):
            return x + 1

    record = Recorder()
    program = record.program(record(Odd(), record.argument(X)))
    agree(program, simplified(program), [X])


def test_a_constant_that_is_somebodys_array_is_left_writeable():
    theirs = np.ones(3)
    record = Recorder()
    program = record.program(record(np.exp, record(np.asarray, theirs)))
    with_constants_folded(program)
    assert theirs.flags.writeable
