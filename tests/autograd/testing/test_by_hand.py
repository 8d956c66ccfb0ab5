"""check_derivative: verdicts, the forms a derivative can have, and what a failure says."""

import json
import math

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.errors import DataError, DerivativeError
from autograd.testing import assert_derivative, check_derivative, derivative_of, settings

A = np.array([[1.0, 2.0], [3.0, 4.0]])
V = np.array([0.3, -1.2, 2.0])


def f(x):
    return x**2 * np.exp(-x)


def df(x):
    return (2 * x - x**2) * np.exp(-x)


@pytest.mark.parametrize(
    "f, df, at",
    [
        (f, df, [-1.0, 0.5, 3.0]),
        (f, df, 2),
        (f, df, range(3)),
        (math.exp, math.exp, [0, 1, 30]),
        (np.sin, np.cos, [V]),
        (np.sin, np.cos, V),
        (lambda x: np.sum(x**2), lambda x: 2 * x, [V, np.ones((2, 3))]),
        (lambda x: A @ x, lambda x: A, [np.array([1.0, 2.0])]),
        (lambda x: np.outer(x, V), lambda x: np.einsum("ik,j->ijk", np.eye(3), V), [V + 1]),
        (lambda x: 3 * x, lambda x: 3.0, [V, 1.0]),
        (lambda x, y: x * y**2, lambda x, y: (y**2, 2 * x * y), [(1.0, 2.0), (0.5, -1.0)]),
        (lambda x, y: x * y**2, lambda x, y: y**2, [(1.0, 2.0)]),
        (lambda x: np.sum(x**3), autograd.grad(lambda x: np.sum(x**3)), [V]),
        (lambda x: 5.0, lambda x: 0.0, [1.0]),
        (lambda x: x.sum() * 0, lambda x: np.zeros(0), [np.zeros(0)]),
    ],
)  # fmt: skip
def test_right_ones_pass(f, df, at):
    report = check_derivative(f, df, at)
    assert report, report
    assert report.verdict == "PASS"
    assert_derivative(f, df, at)


def test_argnums():
    def g(x, y):
        return x * y**2

    assert check_derivative(g, lambda x, y: 2 * x * y, [(1.0, 2.0)], argnums=1)
    assert check_derivative(g, lambda x, y: 2 * x * y, [(1.0, 2.0)], argnums=-1)
    assert check_derivative(g, lambda x, y: (2 * x * y, y**2), [(1.0, 2.0)], argnums=(1, 0))
    assert not check_derivative(g, lambda x, y: (y**2, 2 * x * y), [(1.0, 3.0)], argnums=(1, 0))
    with pytest.raises(DataError, match="argnums=2"):
        check_derivative(g, lambda x, y: x, [(1.0, 2.0)], argnums=2)


def test_a_domain_is_not_left():
    def root(x):
        assert np.all((np.real(x) >= 0) & (np.real(x) <= 1))
        return np.sqrt(x)

    assert check_derivative(root, lambda x: 0.5 / np.sqrt(x), domain=(0, 1))
    assert check_derivative(root, lambda x: 0.5 / np.sqrt(x), domain=(0, 1), shape=(2, 3))
    assert check_derivative(lambda x, y: x / y, lambda x, y: (1 / y, -x / y**2), domain=(1, 2))


def test_points_of_a_domain_depend_on_the_seed_alone():
    one, same, other = (
        [row.x for row in check_derivative(np.sin, np.cos, domain=(0, 1), seed=seed).rows] for seed in (1, 1, 2)
    )
    assert one == same != other
    with settings(seed=2):
        assert [row.x for row in check_derivative(np.sin, np.cos, domain=(0, 1)).rows] == other


def test_higher_orders():
    assert check_derivative(np.sin, lambda x: -np.sin(x), at=[0.3, 2.0], order=2)
    assert check_derivative(math.sin, lambda x: -math.sin(x), at=[0.3], order=2)
    assert check_derivative(np.exp, np.exp, at=[1.0], order=3)
    wrong = check_derivative(np.sin, np.sin, at=[0.3, 2.0], order=2)
    assert wrong.verdict == "FAIL"
    assert "derivative of order 2" in str(wrong)
    assert "the sign is wrong" in wrong.hints[0]


def test_the_sample():
    """What the text looks like, to the letter."""
    report = check_derivative(f, lambda x: 2 * df(x), at=[-1.0, 0.5, 3.0])
    assert str(report).replace("9e-14", "b").replace("5e-15", "b").replace("2e-15", "b").split("\n") == [
        "<lambda> is not the derivative of f".replace("<lambda>", "df"),
        "    x      f(x)        yours       numeric      ±  rel.err",
        ">  -1   2.71828   -16.309691   -8.15484549  b  5.0e-01  BAD",
        "  0.5  0.151633   0.90979599   0.454897995  b  5.0e-01  BAD",
        "    3  0.448084  -0.29872241  -0.149361205  b  5.0e-01  BAD",
        "  3 of 3 points disagree (allowed: rtol=1e-06, atol=0); numeric: complex step",
        "  hint: yours / numeric = 2 at all 3 points: factor 2 too large",
        "  reproduce: f(-1.0), df(-1.0)",
    ]
    assert len(str(report).split("\n")) <= 8  # pytest shows no more of a failed comparison


HINTS = [
    (f, lambda x: -df(x), [1.0, 3.0], "the sign is wrong"),
    (f, lambda x: df(x) / 2, [1.0, 3.0], "factor 2 too small"),
    (f, lambda x: 7 * df(x), [1.0, 3.0], "factor 7 too large"),
    (f, lambda x: -df(x) / 3, [1.0, 3.0], "factor 3 too small and the sign wrong"),
    (f, lambda x: 2 * x * np.exp(-x), [1.0, 3.0], "lacks the term through `exp(-x)`: product rule?"),
    (f, lambda x: (2 * x + x**2) * np.exp(-x), [1.0, 3.0], "the term through `exp(-x)` has the wrong sign"),
    (f, lambda x: (2 * x - 2 * x**2) * np.exp(-x), [1.0, 3.0], "the term through `exp(-x)` is counted twice"),
    (lambda x: x / np.cos(x), lambda x: 1 / np.cos(x), [1.0, 3.0], "lacks the term through `cos(x)`: quotient rule?"),
    (lambda x: x + np.sin(x), lambda x: 1.0, [1.0, 3.0], "lacks the term through `sin(x)`: every use of the variable"),
    (lambda x: x * x, lambda x: x, [1.0, 3.0], "factor 2 too small"),
    (lambda x: x * x, lambda x: x, [1.0, 3.0], "lacks the term through operand 1 of `x * x`: product rule?"),
    (lambda x: np.sin(2 * x), lambda x: np.cos(2 * x), [1.0, 3.0], "inner derivative, that of `2 * x`: chain rule?"),
    (lambda x: (x + 1) ** 3, lambda x: (x + 1) ** 2, [1.0, 3.0], "factor 3 too small"),
    (lambda x: np.sin(x**2), lambda x: np.cos(x**2), [1.0, 3.0], "inner derivative, that of `x**2`: chain rule?"),
    (lambda x: np.sin(x**2), lambda x: 2 * x, [1.0, 3.0], "derivative of the inner `x**2` alone"),
    (
        lambda x: np.sin(x**2),
        lambda x: 2 * x * np.cos(x),
        [1.5, 3.0],
        "derivative of sin was taken at x where it belongs at",
    ),
    (lambda x: np.exp(np.sin(x**2)), lambda x: np.exp(np.sin(x**2)) * 2 * x, [1.5, 3.0], None),
    (np.log10, lambda x: 1 / x, [1.0, 3.0], "ln 10"),
    (lambda x: np.sin(np.pi / 180 * x), lambda x: np.cos(np.pi / 180 * x), [10.0, 30.0], None),
    (np.sin, lambda x: np.cos(x) + 1, [0.1, 1.0, 2.0], "yours - numeric = 1 at all 3 points: a constant term too much"),
    (np.exp, lambda x: 0.0, [0.1, 1.0], "yours is 0 everywhere"),
    (np.sin, np.sin, [0.1, 1.0], "yours is f itself"),
    (np.sin, lambda x: x * np.cos(x), [0.1, 1.0, 2.0], "numeric = yours / x"),
    (np.abs, lambda x: 1.0, [-1.0, -2.0, 3.0, 0.5], "wrong only for x < 0, right at the other 2"),
    (lambda x: np.maximum(x, 0.01 * x), lambda x: 1.0 * (x > 0), [-1.0, -2.0, 3.0], None),
    (lambda x: np.mean(x**2), lambda x: 2 * x, [V], "factor x.size too large: is a mean taken"),
    (lambda x: np.sum(x**2), lambda x: 2 * x / 3, [V], "divided by x.size: f has a sum there"),
    (lambda x: np.sum(A * x**2), lambda x: (2 * A * x).T, [A + 1], "the transpose of the gradient"),
    (lambda x: A @ x, lambda x: A.T, [np.array([1.0, 2.0])], "the transpose of the Jacobian"),
    (lambda x: x @ A @ x, lambda x: 2 * A @ x, [np.array([1.0, 2.5])], "(symmetric?)"),
    (lambda x: x / np.sum(x), lambda x: 1 / np.sum(x) - x / np.sum(x) ** 2, [V], "f is not elementwise"),
    (
        lambda x: np.sum(np.arange(3.0) * x**2),
        lambda x: (2 * np.arange(3.0) * x)[::-1],
        [V],
        "in reversed order along axis 0",
    ),
]


@pytest.mark.parametrize("f, df, at, hint", HINTS, ids=[str(i) for i in range(len(HINTS))])
def test_hints(f, df, at, hint):
    report = check_derivative(f, df, at)
    assert report.verdict == "FAIL"
    if hint is not None:
        assert any(hint in said for said in report.hints), report


def test_the_hint_names_the_line():
    def two_lines(x):
        square = x**2
        return square * np.exp(-x)

    report = check_derivative(two_lines, lambda x: 2 * x * np.exp(-x), at=[1.0, 3.0])
    assert report.hints[0].endswith(
        f"(test_by_hand.py:{two_lines.__code__.co_firstlineno + 2}: return square * np.exp(-x))"
    )


def test_one_entry_of_many_is_named():
    x = np.random.default_rng(0).normal(size=(30, 100))

    def wrong(x):
        d = 2 * x
        d[17, 42] *= 1.001
        return d

    report = check_derivative(lambda x: np.sum(x**2), wrong, at=[x])
    assert [row.place for row in report.rows if row.status == "wrong"] == ["x[17, 42]"]


def test_a_row_of_many_is_named():
    x = np.random.default_rng(0).normal(size=(5, 6))

    def wrong(x):
        d = 2 * x
        d[-1] = 0
        return d

    report = check_derivative(lambda x: np.sum(x**2), wrong, at=[x])
    assert "all wrong entries, and no right ones, are the last along axis 0" in str(report)


@pytest.mark.parametrize(
    "df, words",
    [
        (lambda x: np.ones((2, 2)), "df gives shape (2, 2), and f takes shape (3,) to ()"),
        (lambda x: None, "returned None"),
        (lambda x: "x", "returned 'x'"),
        (lambda x: np.multiply(x, 2, out=x), "changes its input"),
        (lambda x: (2 * x, 2 * x), "returns 2 derivatives, and 1 are wanted"),
        (lambda x: 2 * x * np.random.default_rng().uniform(0.9, 1.1), "another result when it is called a second time"),
        (lambda x: 2 * np.ravel(x, "K") if x.strides[0] > 0 else 0 * x, "other numbers for a reversed array"),
        (lambda x: np.add(x, x, out=x) / 2, "changes its input"),
    ],
)  # fmt: skip
def test_wrong_in_other_ways_than_numbers(df, words):
    report = check_derivative(lambda x: np.sum(x**2), df, at=[V])
    assert report.verdict == "FAIL"
    assert words in str(report)


def test_kinks():
    report = check_derivative(abs, np.sign, at=[0.0, 1.0])
    assert report.verdict == "INCONCLUSIVE"
    assert "left -1, right 1, yours 0" in str(report)
    assert check_derivative(abs, np.sign, at=[0.0, 1.0], kinks="subgradient")
    assert "yours 0 of left -1, right 1" in check_derivative(abs, np.sign, at=[0.0], kinks="subgradient").notes[0]
    assert check_derivative(abs, lambda x: 5.0, at=[0.0], kinks="subgradient").verdict == "FAIL"
    assert check_derivative(abs, lambda x: 5.0, at=[0.0]).verdict == "FAIL"


@pytest.mark.parametrize(
    "f, df, at, words",
    [
        (lambda x: x * np.random.default_rng().normal(), np.cos, 1.0, "is it random?"),
        (np.floor, lambda x: 0.0, 1.0, "f jumps here"),
        (lambda x: np.inf if x > 5 else x, lambda x: 1.0, 6.0, "f is not defined around here"),
        (lambda x: np.nan, lambda x: 1.0, 6.0, "f is not defined around here"),
        (np.sqrt, lambda x: np.inf, 0.0, "is the derivative infinite here?"),
        (lambda x: math.sin(x) + 0.1 * math.sin(1e9 * x), math.cos, 1.0, "not precise enough"),
    ],
)
def test_inconclusive_and_why(f, df, at, words):
    report = check_derivative(f, df, at)
    assert report.verdict == "INCONCLUSIVE"
    assert not report
    assert words in str(report)
    with pytest.raises(DerivativeError, match="inconclusive"):
        assert_derivative(f, df, at)


def test_a_hidden_float32_passes_with_a_note():
    report = check_derivative(lambda x: np.float64(np.float32(x) ** 2), lambda x: 2 * x, at=[1.0, 2.5])
    assert report
    assert "could only be compared to" in report.notes[0]
    assert not check_derivative(lambda x: np.float64(np.float32(x) ** 2), lambda x: 2.01 * x, at=[1.0, 2.5])


def test_points_in_float32():
    x = np.linspace(-2, 2, 9, dtype=np.float32)
    assert check_derivative(f, df, at=[x])
    assert check_derivative(lambda x: np.sum(f(x)), df, at=[x])
    assert not check_derivative(f, lambda x: np.float32(1.001) * df(x), at=[x])


def test_tolerances():
    off = {"f": np.sin, "df": lambda x: 1.001 * np.cos(x), "at": [0.5]}
    assert not check_derivative(**off)
    assert check_derivative(**off, rtol=1e-2)
    assert check_derivative(**off, atol=1e-2)
    with settings(rtol=1e-2):
        assert check_derivative(**off)
        assert not check_derivative(**off, rtol=1e-6)
    assert not check_derivative(lambda x: 1e-7 * x**2, lambda x: -2e-7 * x, at=[1.0])


@pytest.mark.parametrize(
    "options, words",
    [
        ({}, "one of the two"),
        ({"at": [1.0], "domain": (0, 1)}, "one of the two"),
        ({"at": []}, "no point"),
        ({"at": ["x"]}, "numbers or arrays of numbers"),
        ({"domain": (0, 1j)}, "Name complex points: at="),
        ({"domain": (1, 0)}, "the lower one first"),
        ({"at": [1.0], "kinks": "no"}, "kinks='subgradient'"),
        ({"at": [1.0], "rtol": -1}, "at least 0"),
        ({"at": [1.0], "order": 0}, "order 1 to 4"),
        ({"at": [V], "order": 2}, "functions of one number"),
        ({"at": [1j], "order": 2}, "order=2 at a complex point"),
    ],
)
def test_wrong_use(options, words):
    with pytest.raises(DataError, match=words):
        check_derivative(np.sin, np.cos, **options)


def test_a_function_that_fails_at_the_point_says_so_itself():
    with pytest.raises(ZeroDivisionError):
        check_derivative(lambda x: 1 / 0, np.cos, at=[1.0])
    with pytest.raises(DataError, match="arrays of numbers"):
        check_derivative(lambda x: "1", np.cos, at=[1.0])


def test_values_in_the_function_are_welcome():
    w = Value(2.0, label="w")
    assert check_derivative(lambda x: w * x**2, lambda x: 4 * x, at=[1.0, 2.0])
    wrong = check_derivative(lambda x: w * x**2 + np.sin(x), lambda x: 4 * x, at=[1.0, 2.0])
    assert "lacks the term through `sin(x)`" in str(wrong)
    assert w.grad is None


def test_the_report_as_data():
    report = check_derivative(f, lambda x: 2 * df(x), at=[-1.0, 0.5])
    data = report.to_dict()
    assert data["verdict"] == "FAIL"
    assert data["rows"][0]["yours"] == 2 * df(-1.0)
    assert data["hints"] == ["yours / numeric = 2 at all 2 points: factor 2 too large"]
    assert repr(report).startswith("<FAIL: df is not the derivative of f; 2 of 2 points disagree;")


def test_derivative_of():
    assert np.cos == derivative_of(np.sin, at=[0.5])
    assert derivative_of(np.sin, at=[0.5]) == np.cos
    right = derivative_of(f, at=[3.0])
    assert df == right
    assert f != right
    assert "yours is f itself" in repr(right)
    assert right != 3
    assert repr(derivative_of(np.sin, at=1.0)) == "derivative of sin"


def test_the_error_is_an_assertion_with_its_report():
    with pytest.raises(AssertionError) as caught:
        assert_derivative(np.sin, np.sin, at=[0.5])
    assert caught.value.report.verdict == "FAIL"
    assert str(caught.value) == str(caught.value.report)


# ---------------------------------------------------------------- complex numbers

Z = np.array([0.5 + 1j, -0.3 + 0.2j, 2 - 1j])


@pytest.mark.parametrize(
    "f, df, at",
    [
        (np.exp, np.exp, [0.5 + 1j, 2j]),
        (np.sin, np.cos, Z),
        (np.sqrt, lambda z: 1 / (2 * np.sqrt(z)), [-1 + 1e-9j, 1e-8 + 0j, 1e6 + 1e-6j]),
        (lambda z: (z + 1) ** 2, lambda z: 2 * (z + 1), [0j]),
        (lambda z: z @ z, lambda z: 2 * z, Z),
        (np.fft.fft, lambda z: np.fft.fft(np.eye(3)), Z),
        (np.multiply, lambda z, x: (x, z), [(1j, 2.0), (2 - 1j, -0.3)]),
        (lambda x: np.exp(1j * x), lambda x: 1j * np.exp(1j * x), [0.3, np.array([1.0, -2.0])]),
        (np.abs, lambda z: z / np.abs(z), Z),
        (lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z, Z),
        (lambda z: np.real(z**2), lambda z: 2 * np.conj(z), [1j, 2 + 1j]),
        (np.exp, np.exp, np.linspace(-1, 1, 200) * (1 + 0.5j)),
        (np.exp, np.exp, Z.astype(np.complex64)),
    ],
)
def test_complex_derivatives(f, df, at):
    report = check_derivative(f, df, at=at)
    assert report, report
    assert df == derivative_of(f, at=at)
    for factor in (1 + 1e-3j, 1.001):

        def wrong(*z, factor=factor):
            right = df(*z)
            return tuple(factor * d for d in right) if isinstance(right, tuple) else factor * right

        report = check_derivative(f, wrong, at=at)
        assert report.verdict == "FAIL"
        assert not report.findings


@pytest.mark.parametrize(
    "factor, words",
    [(2, "factor 2 too large"), (-1, "the sign is wrong"), (1j, "yours / numeric = 0+1j at all 3 entries")],
)
def test_hints_about_complex_factors(factor, words):
    assert words in str(check_derivative(np.exp, lambda z: factor * np.exp(z), at=Z))


@pytest.mark.parametrize(
    "f, df, words",
    [
        (np.exp, lambda z: np.conj(np.exp(z)), "hint: conjugate: yours is the conjugate of the derivative, at all 3"),
        (np.abs, lambda z: np.conj(z) / np.abs(z), "hint: conjugate: yours is the conjugate of the derivative"),
        (np.abs, lambda z: z / np.abs(z) / 2, "a Wirtinger derivative?"),
        (np.abs, lambda z: np.conj(z) / np.abs(z) / 2, "half the conjugate"),
        (np.exp, lambda z: np.exp(z).real, "yours is the real part"),
        (np.exp, lambda z: 1j * np.exp(z).imag, "yours lacks the real part"),
        (np.exp, lambda z: 0 * z, "yours is 0 everywhere"),
    ],
)
def test_what_complex_mistakes_look_like(f, df, words):
    report = check_derivative(f, df, at=Z)
    assert report.verdict == "FAIL"
    assert words in str(report)


def test_the_conjugate_of_one_argument_of_two():
    report = check_derivative(lambda z, w: z * w, lambda z, w: (w, np.conj(z)), at=[(1 + 1j, 2 - 1j)])
    assert report.hints == ["conjugate: yours is the conjugate of the derivative, at w"]


def test_the_conjugate_in_a_table():
    report = check_derivative(np.exp, lambda z: np.conj(np.exp(z)), at=[0.5 + 1j])
    assert str(report).splitlines()[2].split()[:5] == [
        ">", "0.5+1j", "0.890808+1.38735j", "0.890807904-1.38735111j", "0.890807904+1.38735111j",
    ]  # fmt: skip
    row = report.to_dict()["rows"][0]
    assert row["x"] == [0.5, 1.0]
    json.dumps(report.to_dict())


def test_what_is_not_holomorphic_has_no_complex_derivative():
    for f, df in ((np.conj, lambda z: 1 + 0 * z), (lambda z: z * np.conj(z), lambda z: 2 * z.real + 0j)):
        report = check_derivative(f, df, at=Z)
        assert report.verdict == "FAIL"
        assert "is not holomorphic: its derivative by x[0] is" in str(report).replace("by z[0]", "by x[0]")


def test_a_branch_cut_is_inconclusive():
    assert check_derivative(np.sqrt, lambda z: 1 / (2 * np.sqrt(z)), at=[-1 + 0j]).verdict == "INCONCLUSIVE"


def test_a_real_function_of_real_numbers_has_a_real_derivative():
    report = check_derivative(np.sin, lambda x: np.cos(x) + 0j, at=[1.0])
    assert report.verdict == "FAIL"
    assert "a real derivative (f is real) is wanted" in str(report)


def test_higher_orders_of_a_complex_function_of_a_real_number():
    assert check_derivative(lambda x: np.exp(1j * x), lambda x: -np.exp(1j * x), domain=(0, 1), order=2)
    assert not check_derivative(lambda x: np.exp(1j * x), lambda x: np.exp(1j * x), domain=(0, 1), order=2)
