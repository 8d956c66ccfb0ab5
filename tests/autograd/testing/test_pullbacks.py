"""check_vjp: what it says about wrong rules; that it catches them is in test_matrix."""

import numpy as np
import pytest

from autograd.errors import DataError
from autograd.testing import assert_vjp, check_vjp
from tests.bench.rules import BUGS, COMPLEX_BUGS, S, SecondCall, X

SAYS = {
    "sign": "the sign is wrong",
    "factor 2": "factor 2 too large",
    "mean without 1/n": "factor a.size too large",
    "product rule, one term": "lacks the term through `exp(-x)`: product rule?",
    "no inner derivative": "inner derivative, that of `3 * x`: chain rule?",
    "summed over the wrong axis": "summed over axis 1",
    "broadcast not summed": "sum over axis 0",
    "an axis kept": "has shape (3, 1), and x has shape (3, 4)",
    "returns its seed": "shares its memory with the upstream gradient: return a copy",
    "a view of its seed": "shares its memory with the upstream gradient",
    "two gradients in one array": "shares its memory with another gradient",
    "changes its input": "changes its inputs",
    "changes its seed": "changes the upstream gradient",
    "overwrites what it returned": "overwrites the arrays that it returned before",
    "not linear in the seed": "is not linear in the upstream gradient",
    "not 0 for a seed of 0": "for an upstream gradient of 0 is not 0",
    "wrong for Fortran order": "other numbers for a Fortran-ordered",
    "wrong for reversed arrays": "other numbers for a reversed x",
    "wrong for a strided seed": "other numbers for a reversed upstream gradient",
    "fails on read-only input": "raises on a read-only x",
    "float64 for float32": "has dtype float64, and x has dtype float32",
    "integers for floats": "has dtype int64, and x has dtype float64",
    "wrong for negative arguments": "wrong only for x < 0",
    "last row only": "the last along axis 0",
    "ties get it all, each": "a tie: together 2 times the derivative along all 2",
    "one entry of 3,000, by 1 %": "x[1234]",
    "wrong for axes of length 1": "(with axis 0 of length 1)",
    "shape of an empty array": "has shape (0,), and x has shape (0, 3)",
    "one gradient missing": "returns 1 gradients, and there are 2",
    "cumsum not reversed": "",
    "transposed": "the transpose of the gradient",
    "log10 as ln": "ln 10",
    "degrees for radians": "",
    "bias twice": "b: yours / numeric = 2",
    "NaN for large arguments": "nan",
    "second order: a part taken for constant": "(order 2)",
    "conjugate of a holomorphic derivative": "would be right if gradients of a + ib were dL/da + i dL/db",
    "abs, conjugate dropped": "conjugate: yours is the conjugate of the derivative",
    "abs², factor 2 of Wirtinger": "a Wirtinger derivative?",
    "real part not taken": "has dtype complex128, and x1 has dtype float64: take its real part",
    "imaginary part lost": "",
    "one imaginary part of 300, by 1 %": "[123]",
}


@pytest.mark.parametrize("name", SAYS)
def test_what_it_says(name):
    case = next(case for case in [*BUGS, *COMPLEX_BUGS] if case.name.endswith(name))
    text = str(check_vjp(case.f, case.vjp, *case.args, wrt=range(len(case.args)), order=case.order))
    assert SAYS[name] in text, text


def test_a_rule_that_changes_from_call_to_call():
    report = check_vjp(np.sin, SecondCall(), X)
    assert report.verdict == "FAIL"
    assert "another result when it is called again" in str(report)


def test_one_argument_of_several():
    def f(x, n, w):
        return w * x**n

    assert_vjp(f, lambda g, x, n, w: g * w * n * x ** (n - 1), X, 3, S[:3], wrt=0)
    assert_vjp(f, lambda g, x, n, w: (g * x**n,), X, 3, S[:3], wrt=[2])
    assert_vjp(f, lambda g, x, n, w: (g * w * n * x ** (n - 1), g * x**n), X, 3, S[:3])


def test_a_rule_that_values_cannot_run_is_inconclusive_at_order_2():
    def opaque(g, x):
        return np.array([float(a) * float(b) for a, b in zip(g, np.cos(x), strict=True)])

    report = check_vjp(np.sin, opaque, X[0])
    assert report.verdict == "INCONCLUSIVE"
    assert "pass order=1" in str(report)
    assert check_vjp(np.sin, opaque, X[0], order=1)


def test_float32_of_a_float64_rule_is_a_note():
    report = check_vjp(np.sin, lambda g, x: g * np.cos(x.astype(float)), X)
    assert report
    assert report.notes == ["of float32 arguments vjp gives a gradient in float64, for x"]


def test_numbers_and_lists():
    assert check_vjp(lambda x, a: a * x**2, lambda g, x, a: (2 * g * a * x, g * x**2), 3.0, 2.0)
    assert check_vjp(lambda x: np.sum(x**2), lambda g, x: 2 * g * x, [1.0, 2.0])


def test_wrong_use():
    with pytest.raises(DataError, match="no argument is of floating type"):
        check_vjp(np.sin, np.cos, 3)
    with pytest.raises(DataError, match="wrt="):
        check_vjp(np.sin, np.cos, 3.0, wrt=1)


def test_random_functions_are_inconclusive():
    report = check_vjp(lambda x: x * np.random.default_rng().normal(), lambda g, x: g, X)
    assert report.verdict == "INCONCLUSIVE"
    assert "is it random?" in str(report)


def test_a_rule_for_these_shapes_only():
    report = check_vjp(lambda x: np.mean(x**2), lambda g, x: g * x / 6, X)
    assert report, report
    assert report.notes == ["vjp is right for arrays of these shapes, and not for others"]
