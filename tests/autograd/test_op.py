"""defop: adding an operation from outside, and how calls are bound to it."""

import math

import numpy as np
import pytest

from autograd import Value, defop, derivative, jvp
from autograd.errors import DataError, NoRuleError
from autograd.op import (
    as_array,
    beside,
    call,
    certain,
    defparts,
    finders,
    is_foreign,
    is_lazy,
    named,
    operations,
    plain,
    refuses,
    registry,
    size,
    zeros,
)

from ..guest import Guest


@pytest.fixture(autouse=True)
def _forget():
    known = dict(registry), dict(operations)
    yield
    for table, before in zip((registry, operations), known, strict=True):
        table.clear()
        table.update(before)


def test_an_own_operation_has_derivatives_of_any_order():
    def cube(x):
        return x * x * x

    cube = defop(cube, lambda g, y, x: g * (3 * x * x), formula="3 x²", elementwise=True)
    assert cube(2.0) == 8.0
    assert named("cube") is cube
    assert derivative(cube)(2.0) == 12.0
    assert derivative(derivative(cube))(2.0) == 12.0
    assert derivative(derivative(derivative(cube)))(2.0) == 6.0
    assert jvp(cube, [2.0], [0.5])[1] == 6.0
    np.testing.assert_array_equal(cube(Value([1.0, 2.0])).data, [1.0, 8.0])


def test_an_operation_with_keywords_constants_and_no_derivative_somewhere():
    def blend(a, b, mask, weight=0.5, *, offset=0.0):
        return np.where(mask, weight * a + (1 - weight) * b, 0.0) + offset

    rules = (
        lambda g, y, a, b, mask, weight=0.5, offset=0.0: np.where(mask, weight * g, 0.0),
        lambda g, y, a, b, mask, weight=0.5, offset=0.0: np.where(mask, (1 - weight) * g, 0.0),
        None,
    )
    blend = defop(blend, rules, formula=("weight", "1 - weight", "0"))
    a, b = Value([1.0, 2.0]), Value([3.0, 4.0])
    for result in (blend(a, b, [True, False], 0.25), blend(a, b, mask=[True, False], weight=0.25, offset=1.0)):
        a.zero_grad(), b.zero_grad()
        result.sum().backward()
        np.testing.assert_array_equal(a.grad, [0.25, 0.0])
        np.testing.assert_array_equal(b.grad, [0.75, 0.0])
    blend(a, b, Value([1.0, 0.0])).sum().backward()
    for wrong, message in (
        (lambda: blend(a, b), "missing its argument 'mask'"),
        (lambda: blend(a, b, [True, False], 0.5, weight=0.5), "twice"),
        (lambda: blend(a, b, [True, False], bias=1), "keyword 'bias'"),
        (lambda: blend(a, b, [True, False], 0.5, 0.5, 0.5), "arguments"),
    ):
        with pytest.raises(TypeError, match=message):
            wrong()


def test_a_rule_for_a_function_of_numpys_own():
    registry.pop(np.i0, None), operations.pop("i0", None)  # as in a NumPy that has it and a table that does not
    with pytest.raises(NoRuleError, match=r"np\.i0 has no derivative rule"):
        np.i0(Value(1.0))
    defop(np.i0, lambda g, y, x: g * (np.i0(x + 1e-6) - np.i0(x - 1e-6)) / 2e-6, formula="I₁(x)")
    assert derivative(np.i0)(1.0) == pytest.approx(0.565159103992485)


def test_a_variadic_operation():
    def total(*arrays):
        return sum(arrays)

    total = defop(total, lambda i, g, y, *arrays: g * (i + 1), formula="i + 1", variadic=True)
    values = [Value(1.0), Value(2.0), Value(3.0)]
    total(*values, 5.0).backward()
    assert [v.grad for v in values] == [1.0, 2.0, 3.0]


def sum_and_product(a, b):
    return a + b, a * b


def test_a_function_with_several_results():
    computed = []

    def both(a, b):
        computed.append(1)
        return sum_and_product(a, b)

    def times_b(g, y, a, b, saved=None):
        (total, _product) = sum_and_product(a, b) if saved is None else saved
        return g * (total - a)

    parts = defparts(
        both,
        {"sum": (lambda g, y, a, b, saved=None: g,) * 2, "product": (times_b, lambda g, y, a, b, saved=None: g * a)},
        formula={"sum": ("1", "1"), "product": ("b", "a")},
        name="both",
    )
    a, b = Value(2.0), Value(3.0)
    total, product = a.__array_function__(both, (Value,), (a, b), {})
    assert [total.op.name, product.op.name] == ["both.sum", "both.product"]
    assert len(computed) == 1
    (total * product).backward()
    assert (a.grad, b.grad) == (5 * 3 + 6, 5 * 2 + 6)
    assert derivative(derivative(lambda a: parts[1](a, 3.0) ** 2))(2.0) == 18.0
    with pytest.raises(TypeError) as caught:
        a.__array_function__(both, (Value,), (a, Value([1.0, 2.0]), 3), {})
    assert "takes 2 arguments" in str(caught.value)


def test_a_function_that_is_refused_says_why():
    def fill(a):
        """Writes into its argument."""

    refuses(fill, reason="it writes into an array; write np.full_like")
    with pytest.raises(NoRuleError, match=r"fill: it writes into an array; write np\.full_like"):
        Value(1.0).__array_function__(fill, (Value,), (Value(1.0),), {})


def test_rules_that_are_looked_for_when_first_met():
    def count(a):
        return np.size(a)

    met = []
    finders.append(lambda function: met.append(function) or (plain(count) if function is count else None))
    try:
        x = Value([1.0, 2.0])
        assert [x.__array_function__(count, (Value,), (x,), {}) for _ in range(2)] == [2, 2]
        assert met == [count]
    finally:
        finders.pop()


def test_names_are_unique_and_formulas_complete():
    with pytest.raises(ValueError, match="already an operation named 'tanh'"):
        defop(np.tanh, lambda g, y, x: g, formula="1")
    with pytest.raises(ValueError, match="2 rules and 1 formulas"):
        defop(lambda a, b: a, (lambda g, y, a, b: g, None), formula="1", name="tested")
    with pytest.raises(ValueError, match="needs a `name=`"):
        defop(lambda a: a, lambda g, y, a: g, formula="1")
    assert "tested" not in operations


@pytest.mark.parametrize("rules", [None, (), (None,), np.tanh, (np.tanh,)], ids=str)
def test_rules_are_python_functions(rules):
    with pytest.raises(TypeError, match="rules are Python functions"):
        defop(lambda a: a, rules, formula="1", name="tested")


def test_a_function_with_a_rule_keeps_it():
    with pytest.raises(ValueError, match="tanh has a rule"):
        defop(np.tanh, lambda g, y, x: g, formula="1", name="tested")


def test_a_function_may_return_a_python_number_and_nothing_else():
    erf = defop(math.erf, lambda g, y, x: g * 2 / np.sqrt(np.pi) * np.exp(-x * x), formula="2 exp(-x²) / √π")
    assert derivative(erf)(0.0) == pytest.approx(1.1283791670955126)
    pair = defop(lambda x: (x, x), lambda g, y, x: g, formula="1", name="pair")
    with pytest.raises(DataError, match="pair returned"):
        pair(Value(1.0))


def test_call():
    assert call(1, 2, axis=0) == ((1, 2), {"axis": 0})


def test_what_a_forward_pass_saves_is_used_once_and_computed_anew_for_the_second_derivative():
    used = []

    def slope(x, saved):
        used.append(saved is not None)
        return 3 * x * x if saved is None else saved

    def cube(x):
        return x * x * x, 3 * x * x

    def rule(g, y, x, saved=None):
        return g * slope(x, saved)

    cube = defop(cube, rule, formula="3 x²", name="tested", saves=True)
    assert cube(2.0) == 8.0
    x = Value(2.0)
    cube(x).backward()
    assert x.grad == 12.0
    assert used == [True]
    assert derivative(derivative(cube))(2.0) == 12.0
    assert used[1:] == [False]
    assert derivative(derivative(derivative(cube)))(2.0) == 6.0


def test_an_array_of_any_library_stays_what_it_is():
    ours, theirs, value = np.ones(2), Guest(np.ones(2)), Value([1.0])
    assert as_array(ours) is ours and as_array(theirs) is theirs and as_array(value) is value
    assert as_array([1, 2], float).dtype == float and as_array(3).shape == () and as_array(np.float32(2)).shape == ()
    assert type(as_array(value.data)) is np.ndarray  # of a subclass, what is inside
    assert as_array(np.ones(2, int), float).dtype == int


def test_constants_come_beside_the_arrays_that_they_meet():
    theirs = Guest(np.ones(2))
    assert type(beside(np.arange(2), 3.0, theirs)) is type(beside(np.arange(2), Value(theirs))) is Guest
    assert type(beside(np.arange(2), np.ones(2), Value([1.0]))) is np.ndarray
    assert type(zeros((3,), theirs)) is Guest and zeros((3,), theirs, int).dtype == int
    assert zeros((3,), np.ones(2, np.float32)).dtype == np.float32
    assert size(theirs) == 2 and size(3.0) == 1 and size(np.ones((2, 0))) == 0
    assert is_foreign(theirs) and is_foreign(Value([1.0])) and not is_foreign(np.ones(2)) and not is_foreign(2.0)


def test_a_condition_is_certain_if_it_holds_and_can_be_asked():
    class Later:
        __dask_graph__ = None

        def __bool__(self):
            raise AssertionError

    assert certain(np.True_) and certain(Guest(np.array(True))) and certain(True)
    assert not certain(np.False_) and not certain(Guest(np.array(False))) and not certain(Later())
    assert is_lazy(Later()) and not is_lazy(np.ones(2)) and not is_lazy(Guest(np.ones(2)))


def test_an_operation_hands_over_to_who_takes_operations_and_to_nobody_else():
    sigmoid = named("sigmoid")
    assert type(sigmoid(Guest(np.zeros(2)))) is Guest
    assert isinstance(sigmoid(Value([0.0])), Value)
