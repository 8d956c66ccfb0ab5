"""Programs as data: what is read, what is replaced, and the interpreter that all else is held to."""

import operator
from typing import NamedTuple

import numpy as np
import pytest

from autograd.program import Call, DivergedError, Expect, Place, Program, Variable, boxed, cast, mapped, uses, variables


class Pair(NamedTuple):
    first: object
    second: object


def test_variables_are_found_in_every_nesting_and_in_order():
    a, b, c = (Variable(name=name) for name in "abc")
    tree = (a, [1, b, None], {"axis": c, "rest": slice(a, None, b)}, Pair(c, 2.0), "text")
    assert list(variables(tree)) == [a, b, c, a, b, c]


def test_mapped_keeps_nesting_and_types():
    a, b = Variable(name="a"), Variable(name="b")
    tree = (a, [b], {"where": a}, slice(None, b), Pair(a, 1), 3)
    new = mapped({a: 10, b: 20}.get, tree)
    assert new == (10, [20], {"where": 10}, slice(None, 20), Pair(10, 1), 3)
    assert type(new[4]) is Pair


@pytest.mark.parametrize(
    ("content", "kind", "shape", "dtype"),
    [
        (np.ones((2, 3), np.float32), "array", (2, 3), np.float32),
        (np.float64(1.0), "number", (), np.float64),
        (1.5, "number", (), None),
        (True, "number", (), None),
        ((1, 2), "object", (), None),
    ],
)
def test_a_variable_of_a_content(content, kind, shape, dtype):
    variable = Variable.of(content, "x")
    assert (variable.kind, variable.shape, variable.dtype, variable.name) == (kind, shape, dtype, "x")


def test_run_reads_what_is_loaded_and_gives_what_is_written():
    class Holder:
        w = np.array([2.0, 3.0])

    holder = Holder()
    holder.w = Holder.w
    place = Place(holder, "w", True, "holder.w")
    x, w, y, total = Variable(shape=(2,)), Variable(shape=(2,)), Variable(shape=(2,)), Variable("number")
    calls = [Call(np.multiply, (x, w), result=y), Call(np.sum, (y,), {"axis": 0}, total)]
    program = Program([x], {w: place}, calls, [(place, y)], {"loss": total})
    results, writes = program.run(np.array([1.0, 10.0]))
    assert results == {"loss": 32.0}
    np.testing.assert_array_equal(writes[0], [2.0, 30.0])
    np.testing.assert_array_equal(holder.w, [2.0, 3.0])  # it writes nothing back
    assert program.wanted == [total, y]
    assert uses(calls) == {x: [calls[0]], w: [calls[0]], y: [calls[1]]}


def test_with_arguments_leaves_the_call_as_it_was():
    a, b, c = Variable(name="a"), Variable(name="b"), Variable(name="c")
    call = Call(operator.getitem, (a, (slice(None), b)), result=c, part="backward")
    new = call.with_arguments({a: b, b: a}.get)
    assert new.args == (b, (slice(None), a))
    assert (call.args, new.result, new.part) == ((a, (slice(None), b)), c, "backward")


def test_a_condition_that_fails_raises():
    Expect("truth", True)(np.float64(2.0))
    Expect("shape", (2, 1))(np.ones((2, 1)))
    for wrong in (Expect("truth", False), Expect("shape", (3,))):
        with pytest.raises(DivergedError):
            wrong(np.ones(1))


def test_small_functions():
    assert cast(np.ones(2), np.float32).dtype == np.float32
    value = boxed(np.ones(2))
    assert not value.requires_grad
    np.testing.assert_array_equal(value.data, [1.0, 1.0])


def test_places_in_objects_and_containers():
    class Holder:
        pass

    holder, entries = Holder(), {"m": 1}
    Place(holder, "a", True, "holder.a").set(5)
    Place(entries, "m", False, "entries['m']").set(6)
    assert (holder.a, entries) == (5, {"m": 6})
    assert Place(entries, "m", False, "").get() == 6
