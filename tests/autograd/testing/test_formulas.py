"""check_formula: text and SymPy's expressions, never run as code."""

import pytest

from autograd.errors import DataError, DerivativeError, ExpressionError
from autograd.testing import assert_formula, check_formula


@pytest.mark.parametrize(
    "formula, derivative",
    [
        ("x**2 * exp(-x)", "2*x*exp(-x) - x**2*exp(-x)"),
        ("log(x)", "1/x"),
        ("sin(w*x)", "w*cos(w*x)"),
        ("sqrt(x)", "1/(2*sqrt(x))"),
        ("tanh(x*w + b)", "w*(1 - tanh(x*w + b)**2)"),
        ("sigmoid(x)", "sigmoid(x)*(1 - sigmoid(x))"),
        ("x**x", "x**x*(log(x) + 1)"),
        ("3", "0"),
        ("abs(x)", "sign(x)"),
    ],
)
def test_right_ones_pass(formula, derivative):
    assert check_formula(formula, derivative)
    assert_formula(formula, derivative)


def test_a_failure_names_the_formulas_and_can_be_reproduced():
    report = check_formula("sin(w*x)", "cos(w*x)", w=2.0)
    assert report.verdict == "FAIL"
    assert report.title == "cos(w*x) is not the derivative of sin(w*x)"
    assert "chain rule" in report.hints[0] or "factor 2 too small" in report.hints[0]
    assert report.reproduce.startswith("check_formula('sin(w*x)', 'cos(w*x)', 'x', at=[-")
    assert report.reproduce.endswith("], w=2.0)")
    with pytest.raises(DerivativeError, match="is not the derivative of"):
        assert_formula("sin(w*x)", "cos(w*x)")


def test_missing_terms_are_named_without_a_line_of_ours():
    report = check_formula("x**2*exp(-x)", "2*x*exp(-x)")
    assert report.hints == ["your derivative lacks the term through `exp(-x)`: product rule?"]


def test_variable_points_and_order():
    assert check_formula("t**2 * a", "2*t*a", var="t", at=[1.0, 2.0], a=3)
    assert check_formula("sqrt(1 - x**2)", "-x/sqrt(1 - x**2)", domain=(-0.9, 0.9))
    assert check_formula("x**3", "6*x", at=[1.0, -2.0], order=2)


def test_wrong_use():
    with pytest.raises(ExpressionError, match="write `2\\*x`"):
        check_formula("x**2", "2x")
    with pytest.raises(DataError, match="neither formula has a name 'v'"):
        check_formula("w*x", "w", v=2)
    with pytest.raises(DataError, match="not defined between -3 and 3"):
        check_formula("log(x - 10)", "1/(x - 10)")
    with pytest.raises(DataError, match="strings or SymPy"):
        check_formula(3, "x")


def test_sympy_expressions():
    sympy = pytest.importorskip("sympy")
    x, w = sympy.symbols("x w")
    f = x**2 * sympy.exp(-w * x)
    assert check_formula(f, sympy.diff(f, x))
    assert check_formula(f, "2*x*exp(-w*x) - w*x**2*exp(-w*x)")
    wrong = check_formula(f, 2 * sympy.diff(f, x))
    assert wrong.verdict == "FAIL"
    assert "factor 2 too large" in str(wrong)
