"""check_gradients: the engine's own gradients, and which operation is to blame."""

import numpy as np
import pytest

import autograd
from autograd import Value, defop, softmax
from autograd.errors import DataError, DerivativeError
from autograd.testing import assert_gradients, check_gradients

from ..rules.test_table import CASES, COMPLEX_CASES, OPERATIONS

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))


@pytest.mark.parametrize(
    "f, args",
    [
        (np.tanh, [X]),
        (lambda x, w: np.tanh(x @ w), [X, W]),
        (softmax, [X]),
        (lambda x: x.exp().sum(), [X]),  # methods that arrays do not have
        (lambda x: np.max(x, axis=1), [np.array([[1.0, 1.0], [2.0, 3.0]])]),
        (autograd.relu, [np.array([0.0, -1.0, 2.0])]),
        (np.sin, [X.astype(np.float32)]),
        (lambda x, n: x**n, [X, 3]),
        (np.sin, [0.7]),
        (lambda x: 0 * x + 1, [X]),
        (np.sum, [np.zeros((0, 3))]),
        (lambda x: np.sum(np.sort(x)[::-1] * np.arange(4.0)), [X[0]]),
    ],
)
def test_right_ones_pass(f, args):
    report = check_gradients(f, *args)
    assert report, report
    assert_gradients(f, *args)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_no_false_alarm_in_the_table(op):
    case = max((case for case in CASES if case.op is op), key=lambda case: case.y.size)
    report = check_gradients(case.of, *case.arrays, modes=("reverse",), order=1)
    assert report, report


LARGEST = {case.op.name: case for case in sorted(COMPLEX_CASES, key=lambda case: (len(case.arrays), case.y.size))}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in LARGEST.values()])
def test_no_false_alarm_for_complex_numbers_in_the_table(case):
    report = check_gradients(case.of, *case.arrays, modes=("reverse",), order=1)
    assert report, report


Z = X + 1j * X[::-1]


@pytest.mark.parametrize(
    "f, args",
    [
        (np.exp, [Z]),
        (np.conj, [Z]),
        (np.abs, [np.append(Z[0], 0)]),
        (lambda x: np.exp(1j * x), [X]),
        (lambda z, w: np.abs(z @ w) ** 2, [Z, W]),
        (lambda z: np.sum(np.real(z) * np.imag(z)), [Z]),
        (np.fft.rfft, [X]),
        (np.tanh, [Z.astype(np.complex64)]),
        (np.sqrt, [0.3 + 0.4j]),
        (np.exp, [np.repeat(Z, 10)]),
        (np.exp, [np.zeros((0, 3), complex)]),
    ],
)
def test_complex_numbers(f, args):
    order = 1 if any(np.any(np.equal(x, 0)) for x in args) else 2  # at its kink the abs has no second derivative
    report = check_gradients(f, *args, order=order)
    assert report, report
    assert not any("complex step" in row.method for row in report.rows if isinstance(row.yours, complex))


def bad_square(z):
    return z * np.conj(z)


bad_square = defop(
    bad_square, lambda g, y, z: 2 * g * np.conj(z), formula="2 z*", name="testing_bad_square"
)  # fmt: skip


def test_a_wrong_complex_rule_is_named():
    report = check_gradients(lambda z: np.exp(1j * bad_square(z)), Z)
    assert report.verdict == "FAIL"
    assert "first wrong rule: that of testing_bad_square for its input 0" in report.hints[0]


def bad_exp(z):
    return np.exp(z)


bad_exp = defop(bad_exp, lambda g, y, z: g * np.conj(y), formula="conj(y)", name="testing_bad_exp")


def test_conjugates_are_named_and_forward_mode_is_checked():
    report = check_gradients(lambda z: np.real(bad_exp(z)), Z)
    assert any("conjugate: yours is the conjugate" in hint for hint in report.hints), report
    report = check_gradients(bad_exp, Z, modes=("forward",), order=1)
    assert report.verdict == "FAIL"
    assert "forward mode gives" in str(report)
    assert any(f"f[0, 0].{part} along" in str(report) for part in ("real", "imag"))


def test_only_the_second_order_of_a_complex_rule_is_wrong():
    report = check_gradients(lambda z: bad_second(z), Z)
    assert report.verdict == "FAIL"
    assert "(order 2)" in str(report)


def bad_sine(x):
    return np.sin(x)


def bad_second(x):
    return np.sin(x)


bad_sine = defop(bad_sine, lambda g, y, x: 2 * g * np.cos(x), formula="2 cos x", name="testing_bad_sine")
bad_second = defop(
    bad_second, lambda g, y, x: g * np.cos(getattr(x, "data", x) if isinstance(x, Value) else x), formula="cos x",
    name="testing_bad_second",
)  # fmt: skip


def test_the_first_wrong_operation_is_named():
    def model(x, w):
        h = bad_sine(x @ w)
        return np.exp(np.tanh(h))

    report = check_gradients(model, X, W)
    assert report.verdict == "FAIL"
    assert "first wrong rule: that of testing_bad_sine for its input 0" in report.hints[0]
    assert "(yours / numeric = 2)" in report.hints[0]
    assert "h = bad_sine(x @ w)" in report.hints[0]
    with pytest.raises(DerivativeError, match="the gradients of model are wrong"):
        assert_gradients(model, X, W)


def test_only_the_second_order_is_wrong():
    assert check_gradients(bad_second, X, order=1)
    report = check_gradients(bad_second, X)
    assert report.verdict == "FAIL"
    assert "(order 2)" in str(report)
    assert "the first derivative is right" in str(report)


def test_a_detached_part():
    report = check_gradients(lambda x: x * Value.detach(np.exp(x)) if isinstance(x, Value) else x * np.exp(x), X)
    assert report.verdict == "FAIL"
    assert "detach()" in str(report)


def test_a_detached_whole():
    report = check_gradients(lambda x: np.exp(x.data) if isinstance(x, Value) else np.exp(x), X)
    assert report.verdict == "FAIL"
    assert "does not depend on its inputs in the graph" in str(report)


def test_values_that_the_function_closes_over_keep_their_gradient():
    w = Value(2.0)
    assert check_gradients(lambda x: w * x, X)
    assert w.grad is None


def test_one_mode():
    assert check_gradients(np.sin, X, modes=("forward",), order=1)
    assert check_gradients(np.sin, X, modes=("reverse",), order=1)
    assert check_gradients(bad_sine, X, modes=("forward",), order=1).verdict == "FAIL"


def test_wrong_use():
    with pytest.raises(DataError, match="'backward' is none of"):
        check_gradients(np.sin, X, modes=("backward",))
    with pytest.raises(DataError, match="floating type"):
        check_gradients(np.sin, 3)
