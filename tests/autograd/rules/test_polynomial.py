"""Polynomials in NumPy's own signatures: arithmetic, calculus, roots, least squares."""

import numpy as np
import pytest

from autograd import Value, grad
from autograd.errors import AutogradError
from autograd.op import registry

from ..numerical import assert_close, check

rng = np.random.default_rng(4)


def a(*shape):
    return rng.uniform(0.5, 1.5, shape)


def complex_roots(re, im):
    """Two roots and their conjugates."""
    z = re + 1j * im
    return np.concatenate([z, np.conj(z)])


CALLS = {
    "polyval": (np.polyval, a(4), a(2, 3)),
    "polyval of a list": (lambda x: np.polyval([1, -2, 3], x), a(3)),
    "polyval at a list": (lambda p: np.polyval(p, [1, 2]), a(3)),
    "polyval of a poly1d": (lambda x: np.polyval(np.poly1d([1.0, 2.0, 3.0]), x), a(3)),
    "polyval, several polynomials": (np.polyval, a(4, 2), a(3, 1)),
    "polyval of complex numbers": (np.polyval, a(3) + 1j * a(3), a(2)),
    "polyadd": (np.polyadd, a(3), a(3)),
    "polyadd, the first shorter": (np.polyadd, a(2), a(4)),
    "polyadd, a number": (np.polyadd, a(3), a()[()]),
    "polyadd, a list": (lambda p: np.polyadd([1, 2, 3], p), a(2)),
    "polysub": (np.polysub, a(4), a(2)),
    "polysub, the first shorter": (np.polysub, a(1), a(3)),
    "polymul": (np.polymul, a(4), a(2)),
    "polymul, a list": (lambda p: np.polymul([1, 2], p), a(3)),
    "polymul, a number": (np.polymul, a()[()], a(3)),
    "polymul, zeros in front of the other": (lambda p: np.polymul([0, 0, 1, 2], p), a(3)),
    "polymul with nothing": (lambda p: np.polymul([], p), a(3)),
    "polydiv": (np.polydiv, a(5), a(3)),
    "polydiv by a number": (np.polydiv, a(3), a()[()]),
    "polydiv by a longer one": (np.polydiv, a(2), a(4)),
    "polydiv by a list": (lambda u: np.polydiv(u, [2, 1]), a(4)),
    "polydiv of a list": (lambda v: np.polydiv([1, 2, 3], v), a(2)),
    "polydiv of complex numbers": (np.polydiv, a(4) + 1j * a(4), a(2)),
    "polyder": (np.polyder, a(4)),
    "polyder, twice": (lambda p: np.polyder(p, m=2), a(4)),
    "polyder, not at all": (lambda p: np.polyder(p, 0), a(4)),
    "polyder, more than there is": (lambda p: np.polyder(p, 5), a(3)),
    "polyint": (np.polyint, a(3)),
    "polyint, a constant": (lambda p, k: np.polyint(p, k=k), a(3), a()[()]),
    "polyint, one constant for all": (lambda p: np.polyint(p, 2, 3.0), a(3)),
    "polyint, constants": (lambda p, k: np.polyint(p, 2, k), a(3), a(2)),
    "polyint, a list of constants": (lambda p: np.polyint(p, 2, k=[1, 2, 3]), a(3)),
    "polyint, not at all": (lambda p: np.polyint(p, 0), a(3)),
    "poly": (np.poly, a(4)),
    "poly of a list": (lambda x: np.poly([x[0], 2.0, x[1]]), a(2)),
    "poly of complex numbers": (lambda x: np.poly(x), a(3) + 1j * a(3)),
    "poly of complex numbers and their conjugates": (lambda x, y: np.poly(complex_roots(x, y)), a(2), a(2)),
    "poly of a matrix": (np.poly, a(3, 3)),
    "poly of a matrix with complex eigenvalues": (np.poly, np.array([[0.1, 1.0], [-1.0, 0.3]])),
    "poly of the identity": (np.poly, np.eye(3)),
    "roots of a list": (lambda x: np.roots([1.0, x[0], x[1]]), np.array([-3.0, 2.0])),
    "roots and coefficients": (lambda p: np.poly(np.roots(p)), np.array([1.0, -3.0, 2.5, 0.3])),
    "vander": (np.vander, a(3)),
    "vander by keyword": (lambda x: np.vander(x=x, N=2, increasing=True), a(3)),
}  # fmt: skip

X, W = np.array([-1.0, -0.4, 0.1, 0.5, 1.2]), a(5)

FITS = {
    "a line": (lambda x, y: np.polyfit(x, y, 1), X, a(5)),
    "a parabola": (lambda x, y: np.polyfit(x, y, 2), X, a(5)),
    "a constant": (lambda x, y: np.polyfit(x, y, 0), X, a(5)),
    "several": (lambda x, y: np.polyfit(x, y, deg=1), X, a(5, 2)),
    "weights": (lambda x, y, w: np.polyfit(x, y, 2, w=w), X, a(5), W),
    "several, weights": (lambda y, w: np.polyfit(X, y, 1, w=w), a(5, 2), W),
    "lists": (lambda y: np.polyfit([0, 1, 2, 4, 5], y, 2, w=[1, 2, 1, 2, 1]), a(5)),
    "a list of data": (lambda x: np.polyfit(x, [1, 3, 2, 4, 5], 1), X),
    "covariance": (lambda x, y: np.polyfit(x, y, 1, cov=True), X, a(5)),
    "covariance of several": (lambda x, y: np.polyfit(x, y, 1, cov=True), X, a(5, 2)),
    "covariance, unscaled": (lambda x, w: np.polyfit(x, W, 1, w=w, cov="unscaled"), X, W),
    "complex data": (lambda y: np.polyfit(X, y, 1), a(5) + 1j * a(5)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_composed(call):
    check(*call)


@pytest.mark.parametrize("call", FITS.values(), ids=FITS)
def test_polyfit(call):
    check(*call)


def test_polyfit_in_full():
    x, y = Value(X), Value(W)
    got, wanted = np.polyfit(x, y, 2, full=True), np.polyfit(X, W, 2, full=True)
    assert len(got) == len(wanted) == 5
    for one, other in zip(got, wanted, strict=True):
        assert_close(getattr(one, "data", one), other, tolerance=1e-13)
    got[1].sum().backward()
    assert np.isfinite(y.grad).all()


def test_polyfit_warns_as_numpy_does():
    for x in (np.ones(4), Value(np.ones(4))):
        with pytest.warns(np.exceptions.RankWarning, match="poorly conditioned") as caught:
            np.polyfit(x, a(4), 2)
        assert caught[0].filename == __file__


def test_polynomials_that_numpy_shortens():
    # Zeros in front are left away, but the other coefficients depend on them: of (p₀ x + 2)(3 x + 4), 4 p₀ + 6 does.
    p = Value([0.0, 2.0])
    y = np.polymul(p, [3.0, 4.0])
    np.testing.assert_array_equal(y.data, np.polymul([0.0, 2.0], [3.0, 4.0]))
    y[0].backward()
    np.testing.assert_array_equal(p.grad, [4.0, 3.0])
    assert np.polymul(Value([0.0, 0.0]), [0.0, 3.0]).tolist() == np.polymul([0.0, 0.0], [0.0, 3.0]).tolist() == [0.0]
    # What remains of an exact division is 0, of a single coefficient.
    u = Value([1.0, 3.0, 2.0])
    quotient, rest = np.polydiv(u, [1.0, 1.0])
    assert (quotient.tolist(), rest.tolist()) == ([1.0, 2.0], [0.0])
    rest[0].backward()
    np.testing.assert_array_equal(u.grad, [1.0, -1.0, 1.0])  # u(-1)


def test_a_poly1d_counts_as_its_coefficients():
    p, q = Value([1.0, 2.0]), np.poly1d([3.0, 4.0, 5.0])
    for function in (np.polyadd, np.polysub, np.polymul):
        for pair, plain in (((p, q), ([1.0, 2.0], q)), ((q, p), (q, [1.0, 2.0]))):
            got = function(*pair)
            assert type(got) is Value
            np.testing.assert_array_equal(got.data, function(*plain).coeffs)
    quotient, rest = np.polydiv(q, p)
    assert (quotient.tolist(), rest.tolist()) == ([3.0, -2.0], [9.0])


def test_roots():
    # (x - 1)(x - 2): a root r moves by -dp(r) / p'(r).
    p = Value([1.0, -3.0, 2.0])
    r = np.roots(p)
    r[0].backward()
    np.testing.assert_allclose(p.grad, -np.array([4.0, 2.0, 1.0]), rtol=1e-13)
    p = Value([0.0, 2.0, -6.0, 0.0])  # a coefficient that is zero in front, and a root at 0
    r = np.roots(p)
    np.testing.assert_array_equal(r.data, [3.0, 0.0])
    r.backward([1.0, 10.0])
    np.testing.assert_allclose(p.grad, [-4.5, -1.5, -0.5, -1 / 6 + 10 / 6], rtol=1e-13)
    assert np.roots(Value([0.0, 0.0])).shape == (0,)
    np.roots(Value([0.0, 0.0])).sum().backward()


def test_a_root_that_is_there_twice_has_no_derivative():
    p = Value([1.0, -2.0, 1.0])
    np.roots(p)[0].backward()
    assert not np.isfinite(p.grad).any()


def test_poly_of_nothing_is_one():
    assert np.poly(np.ones(0)) == 1.0


def test_the_determinant_is_in_the_characteristic_polynomial():
    matrix = np.array([[2.0, 1.0], [1.0, 2.0]])
    slope = grad(lambda m: np.poly(m)[-1])(matrix)
    np.testing.assert_allclose(slope, [[2.0, -1.0], [-1.0, 2.0]], rtol=1e-13)
    twice = 3.0 * np.eye(2)  # equal eigenvalues
    np.testing.assert_allclose(grad(lambda m: np.poly(m)[-1])(twice), twice, rtol=1e-13)


SINGLE = {
    "polyval": lambda x: np.polyval(x, x),
    "polyadd": lambda x: np.polyadd(x, x[1:]),
    "polysub": lambda x: np.polysub(x[1:], x),
    "polymul": lambda x: np.polymul(x, x),
    "polydiv": lambda x: np.polydiv(x, x[:2])[0],
    "polydiv, the rest": lambda x: np.polydiv(x, x[:2])[1],
    "polydiv by a longer one": lambda x: np.polydiv(x[:2], x)[0],
    "polyder": lambda x: np.polyder(x),
    "polyint": lambda x: np.polyint(x),
    "polyfit": lambda x: np.polyfit(x, x * x, 1),
    "poly": lambda x: np.poly(x),
    "poly of a matrix": lambda x: np.poly(x * x[:, None]),
    "roots": lambda x: np.roots(x),
    "vander": lambda x: np.vander(x),
}


@pytest.mark.parametrize("function", SINGLE.values(), ids=SINGLE)
def test_single_precision_as_in_numpy(function):
    data = np.array([0.5, 0.75, -1.5, 1.25], np.float32)
    v = Value(data)
    y = function(v)
    assert y.dtype == function(data).dtype
    np.testing.assert_allclose(y.data, function(data), rtol=1e-5, atol=1e-6)
    y.backward(np.ones_like(y.data))
    assert v.grad.dtype == np.float32


REFUSED = [
    (lambda p: np.polyadd(p, np.stack([p, p])), ValueError),
    (lambda p: np.polymul(p, np.stack([p, p])), ValueError),
    (lambda p: np.polymul(p[:, None], p), ValueError),
    (lambda p: np.polydiv(p, p[:0]), IndexError),
    (lambda p: np.polyder(p, -1), ValueError),
    (lambda p: np.polyder(p[0]), TypeError),
    (lambda p: np.polyint(p, -1), ValueError),
    (lambda p: np.polyint(p, 3, [1, 2]), ValueError),
    (lambda p: np.poly(np.stack([p, p])), ValueError),
    (lambda p: np.roots(np.stack([p, p])), ValueError),
    (lambda p: np.vander(np.stack([p, p])), ValueError),
    (lambda p: np.vander(p, -1), ValueError),
    (lambda p: np.polyval(p[0], p), TypeError),
    (lambda p: np.polyfit(p, p, -1), ValueError),
    (lambda p: np.polyfit(np.stack([p, p]), p, 1), TypeError),
    (lambda p: np.polyfit(p[:0], p[:0], 1), TypeError),
    (lambda p: np.polyfit(p, p[0], 1), TypeError),
    (lambda p: np.polyfit(p, p[:2], 1), TypeError),
    (lambda p: np.polyfit(p, p, 1, w=p[:2]), TypeError),
    (lambda p: np.polyfit(p, p, 1, w=np.ones((3, 1))), TypeError),
    (lambda p: np.polyfit(p, p * p, 2, cov=True), ValueError),
]


@pytest.mark.parametrize(("call", "error"), REFUSED)
def test_refuses_what_numpy_refuses(call, error):
    for p in (np.array([1.0, 2.0, 4.0]), Value([1.0, 2.0, 4.0])):
        with pytest.raises(error) as caught:
            call(p)
    assert not isinstance(caught.value, AutogradError)


@pytest.mark.parametrize(
    "function",
    [
        lambda c: np.poly1d(c)(np.array([1.0, 2.0])),
        lambda c: np.poly1d(c)[1],
        lambda c: (np.poly1d(c) * np.poly1d([1.0, 2.0])).coeffs,
        lambda c: (2.0 * np.poly1d(c) - [1.0, 2.0]).coeffs,
        lambda c: (-(np.poly1d(c) ** 2)).coeffs,
        lambda c: (np.poly1d(c).deriv() + np.poly1d(c).integ(k=2.0)).coeffs,
        lambda c: np.poly1d(c, True).coeffs,
    ],
)
def test_a_poly1d_may_hold_a_value(function):
    check(function, np.array([1.5, -2.0, 0.5, 3.0]))


def single(x):
    return np.asarray(x, dtype=np.float32)


LINE, WEIGHTS = np.array([1.0, 3.0, 2.0, 5.0]), np.array([1.1, 2.3, 0.9, 0.7])
AT = np.array([0.0, 1.0, 2.5, 4.0])
# Functions of a Value or an array, and what they are called with: the result or the error is to be NumPy's.
ALIKE = {
    "polyadd": (lambda p: np.polyadd(p, single([1, 2, 3])), [single([1, 2]), [1, 2, 3, 4], np.array([1, 2j])]),
    "polymul": (
        lambda p: np.polymul(p, single([1, 2])),
        [single([1, 2]), [], [0.0], [0, 0, 3.0, 1.0], np.ones((2, 2)), np.array([1, 2j])],
    ),
    "polymul with one": (lambda p: np.polymul(p, [0, 1]), [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0]]),
    "polydiv": (
        lambda u: np.polydiv(u, single([1, 2])),
        [single([1, 2, 3]), [1.0], [1, 2, 4 + 1e-16], [1.0, 2.0, 1e-9, 1e-13], np.array([1, 2j, 3])],
    ),
    "polydiv of": (lambda v: np.polydiv(single([1, 2, 3]), v), [single([2, 1]), [2.0, 1.0], [1.0, 2j], [3.0]]),
    "polydiv by a longer one": (lambda v: np.polydiv(single([1, 2]), v), [np.array([1, 2j, 3]), np.ones(3)]),
    "polyder": (lambda p: np.polyder(p, 2.0), [single([1, 2, 3, 4]), [1.0], 3.0]),
    "polyder of negative order": (lambda p: np.polyder(p, -1), [[1.0, 2.0]]),
    "polyint": (lambda p: np.polyint(p, 2), [single([1, 2]), [1.0]]),
    "polyint by a number that is no integer's": (lambda p: np.polyint(p, 2.0), [[1.0, 2.0]]),
    "polyint of order 0": (lambda p: np.polyint(p, 0), [[1.0, 2.0]]),
    "polyint of negative order": (lambda p: np.polyint(p, -1), [[1.0, 2.0]]),
    "polyint, constants": (lambda k: np.polyint(np.stack([k, k])[0], 2, k), [[3.0], [3.0, 4.0], [3.0, 4.0, 5.0]]),
    "polyint, too few": (lambda k: np.polyint(np.stack([k, k])[0], 3, k), [[3.0, 4.0]]),
    "polyint, one": (lambda k: np.polyint(np.stack([k, k]), 1, k), [3.0]),
    "poly": (
        np.poly,
        [single([1, 2]), [1.0, 2j], [1j, -1j, 2.0], [2.0 + 0j, 3.0], [], np.eye(1), np.ones((2, 3)), np.ones((1, 1, 1)),
         np.array([[0.0, 1.0], [-1.0, 0.0]], np.float32), np.array([1 + 1j, 1 - 1j], np.complex64),
         np.array([1, 2], np.float16)],
    ),
    "poly of a tuple": (lambda x: np.poly((x, 2.0)), [3.0]),
    "vander": (lambda x: np.vander(x, 3), [single([1, 2]), [[1.0]]]),
    "polyfit": (
        lambda x: np.polyfit(x, LINE, 1),
        [AT, single(AT), AT[:3], np.ones((4, 1)), [], [0, 1, 2, 4]],
    ),
    "polyfit of": (
        lambda y: np.polyfit(AT, y, 1),
        [LINE, single(LINE), LINE[:3], LINE[:, None], np.ones((4, 1, 1)), LINE * 1j, 1.0],
    ),
    "polyfit in float32": (lambda y: np.polyfit(single(AT), y, 1, w=WEIGHTS), [single(LINE), LINE]),
    "polyfit in float32, several": (lambda y: np.polyfit(single(AT), y, 1, w=WEIGHTS), [single(np.ones((4, 2)))]),
    "polyfit, weights": (
        lambda w: np.polyfit(single(AT), single(LINE), 1, w=w),
        [WEIGHTS, single(WEIGHTS), [1, 2, 1, 2], WEIGHTS * 1j, WEIGHTS[:3], np.ones((4, 1))],
    ),
    "polyfit, all points": (lambda y: np.polyfit(AT, y, 3), [LINE]),
    "polyfit, degree": (lambda y: np.polyfit(AT, y, -1), [LINE]),
    "polyfit, degree 1.0": (lambda y: np.polyfit(AT, y, 1.0), [LINE]),
    "polyfit, covariance": (lambda y: np.polyfit(AT, y, 1, cov=True), [LINE, LINE[:, None] * [1.0, 2.0]]),
    "polyfit, covariance of too few": (lambda y: np.polyfit(AT, y, 3, cov=True), [LINE]),
    "polyfit, covariance unscaled of few": (lambda y: np.polyfit(AT, y, 3, cov="unscaled"), [LINE]),
    "polyfit, covariance scaled": (lambda y: np.polyfit(AT, y, 1, cov="scaled"), [LINE]),
    "polyfit, in full": (lambda y: np.polyfit(AT, y, 1, full=True), [LINE]),
    "polyfit, what counts as zero": (lambda y: 1e16 * np.polyfit(AT, y, 1, full=True)[4], [LINE]),
    "polyfit, singular": (lambda y: np.polyfit(1 + AT * 1e-16, y, 1, full=True)[2:], [LINE]),
    "polyfit, nearly singular": (lambda y: np.polyfit(1 + AT * 3e-16, y, 1, full=True)[2:4:2], [LINE]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.filterwarnings("ignore::numpy.exceptions.RankWarning")
@pytest.mark.parametrize(("function", "inputs"), ALIKE.values(), ids=ALIKE)
def test_results_types_and_errors_are_numpys(function, inputs):
    for x in inputs:
        try:
            wanted = function(x)
        except (TypeError, ValueError) as error:
            with pytest.raises(TypeError if isinstance(error, TypeError) else ValueError):
                function(Value(x))
            continue
        got = function(Value(x))
        several = isinstance(wanted, tuple)
        for one, other in zip(got if several else [got], wanted if several else [wanted], strict=True):
            one, other = np.asarray(getattr(one, "data", one)), np.asarray(other)
            assert_close(one, other, 1e-5 if other.dtype.char in "fF" else 1e-12)
            if not isinstance(x, list):  # which are float64 as a Value
                assert one.dtype == other.dtype or one.dtype.kind == "i"


def test_a_poly1d_of_a_value():
    # NumPy hands over no classes: it makes one of its own, as we would.
    c = Value([1.0, 2.0])
    for make in (np.poly1d, registry[np.poly1d]):
        p = make(c, True, "z")
        assert (type(p), p.variable, p.coeffs.data.tolist()) == (np.poly1d, "z", [1.0, -3.0, 2.0])
        assert p(3.0).data == 2.0
