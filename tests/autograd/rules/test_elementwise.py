"""Elementwise functions that are composed of operations, and NumPy's other names and signatures for them."""

import math

import numpy as np
import pytest

from autograd import Value, derivative, relu, sigmoid
from autograd.errors import NoRuleError
from autograd.op import registry

from ..numerical import assert_close, check

X = np.array([[-1.7, -0.6, 0.3], [0.8, 1.4, 2.6]])
V = np.array([0.4, -1.2, 2.2])

CALLS = {
    "divmod": (lambda a: np.divmod(a, 0.75), X),
    "Python's divmod": (lambda a: divmod(a, 0.75), X),
    "modf": (np.modf, X),
    "fix": (np.fix, X),
    "around": (lambda a: np.around(a, decimals=0), X),
    "round to a digit": (lambda a: np.round(a, 1) * a, np.array([1.234, 5.678])),
    "pow": (lambda a: np.pow(a, 3), X),
    "power of a number": (lambda a: 2.0**a, X),
    "negative base, complex powers": (lambda a: np.power(-2.0, a + 0.3j), X),
    "negative bases, complex powers": (lambda a: np.power(np.array([-2.0, 0.5, -0.3]), a * (1 + 0.3j)), X),
    "negative base": (lambda a: a**3.0 + a**-2, X),
    "powers by powers": (np.power, np.abs(X), V),
    "acos": (lambda a: np.acos(a / 3), X),
    "atan2": (np.atan2, X, V),
    "abs": (np.abs, X),
    "where": (lambda a, b: np.where(a > b, a * b, b), X, V),
    "where with numbers": (lambda a: np.where(X > 0, a, 2.0) + np.where([True, False, True], 1.0, a), X),
    "clip": (lambda a: np.clip(a, -1, 1), X),
    "clip by old names": (lambda a: np.clip(a, a_min=-1.0, a_max=None), X),
    "clip by new names": (lambda a: np.clip(a, max=1.0), X),
    "clip from below": (lambda a: np.clip(a, min=-1.0), X),
    "clip between arrays": (lambda a, b: np.clip(a, b, b + 0.9), X, V),
    "relu": (relu, X),
    "sigmoid": (sigmoid, X),
    "heaviside of a step": (lambda a, b: np.heaviside(a, b) * a, X, V),
    "modulo": (lambda a: a % 1.1 + 5.0 % np.abs(a), X),
    "i0": (lambda a: np.i0(a) + np.i0(3 * a), X),
    "mantissa": (lambda a: np.frexp(a)[0] * a, 9 * X),
    "ldexp": (lambda a: np.ldexp(a, [1, -1, 3]) ** 2, X),
    "ldexp, the other way round": (lambda a: a * np.ldexp(1.5, np.array([1, -1, 3])), X),
    "nextafter": (lambda a, b: np.nextafter(a, b) ** 2, X, V),
    "nan_to_num": (lambda a: np.nan_to_num(a) ** 2, X),
    "real_if_close": (lambda a: np.real_if_close(a * (1 + 1e-16j)) ** 2, X),
    "angle": (lambda a, b: np.angle(a + 1j * b), X, V),
    "angle in degrees": (lambda a, b: np.angle(a + 1j * b, deg=True), X, V),
    "angle of real numbers": (lambda a: np.angle(a) * a, X),
    "real parts of real numbers": (lambda a: np.real(a) ** 2 + np.imag(a), X),
    "real_if_not_close": (lambda a: np.abs(np.real_if_close(a * (1 + 1e-10j), tol=1e-12)), X),
    "nested": (lambda a: np.log1p(np.exp(-np.abs(a))) + np.maximum(a, 0), X),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_composed(call):
    if np.lib.NumpyVersion(np.__version__) < "2.1.0" and call in (CALLS["clip by new names"], CALLS["clip from below"]):
        pytest.skip("np.clip has these names since NumPy 2.1")
    check(*call)


def test_where_of_a_condition_alone_gives_indices():
    assert [list(i) for i in np.where(Value(X) > 1)] == [[1, 1], [1, 2]]
    assert [list(i) for i in np.where(Value([[0.0, 2.0], [1.0, 0.0]]))] == [[0, 1], [1, 0]]


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="np.clip has these names since NumPy 2.1")
@pytest.mark.parametrize("bounds", [{"a_min": 0, "min": 1}, {"a_max": 0, "max": 1}])
def test_clip_takes_a_bound_once(bounds):
    with pytest.raises(ValueError):
        np.clip(Value(V), **{"a_min": None, "a_max": None, **bounds})


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.clip(v, 0, 1, out=np.zeros(3)),
        lambda v: np.clip(v, 0, 1, np.zeros(3)),
        lambda v: np.round(v, 1, np.zeros(3)),
        lambda v: np.add(v, 1, where=[True, False, True]),
        lambda v: np.nan_to_num(v, copy=False),
    ],
)
def test_what_has_no_rule_is_refused(call):
    with pytest.raises(NoRuleError):
        call(Value(V))


@pytest.mark.parametrize("order", range(1, 6))
def test_sinc_is_smooth_at_zero(order):
    # The n-th derivative of sinc at 0 is (iπ)ⁿ / (n + 1) for even n, and 0 for odd.
    leaf = x = Value(0.0)
    y = np.sinc(x)
    for _ in range(order):
        leaf.zero_grad()
        y.backward(create_graph=True)
        y = leaf.grad
    wanted = 0.0 if order % 2 else (-1) ** (order // 2) * math.pi**order / (order + 1)
    assert_close(y.data, wanted, 1e-12)


def test_sinc_near_zero_does_not_cancel():
    # sinc'(x) = -π² x / 3 + π⁴ x³ / 30 - ...
    x = Value([1e-12, 1e-6, 1e-3])
    np.sinc(x).backward(np.ones(3))
    series = -(np.pi**2) * x.data / 3 + np.pi**4 * x.data**3 / 30 - np.pi**6 * x.data**5 / 840
    np.testing.assert_allclose(x.grad, series, rtol=1e-14)


# I₁ and its derivative, by mpmath with 60 digits
I0 = [
    (1e-9, 5e-10, 0.5),
    (0.5, 0.2578943053908963, 0.5476947599595309),
    (-8.0, -399.8731367825601, 377.57997362398476),
    (30.0, 768532038938.957, 756054563192.679),
    (700.0, 1.5285003902339006e302, 1.5274097756858254e302),
]


@pytest.mark.parametrize(("x", "first", "second"), I0)
def test_derivatives_of_i0_to_the_last_digits(x, first, second):
    np.testing.assert_allclose(derivative(np.i0)(x), first, rtol=2e-15)
    np.testing.assert_allclose(derivative(derivative(np.i0))(x), second, rtol=2e-15)


def test_derivative_of_i0_of_what_is_not_a_number():
    x = Value([np.inf, -np.inf, np.nan, 800.0, 0.0])
    with np.errstate(all="ignore"):
        np.i0(x).backward(np.ones(5))
    np.testing.assert_array_equal(x.grad, [np.inf, -np.inf, np.nan, np.inf, 0])


@pytest.mark.parametrize("x", [3.0, -5e-324, 0.0, -0.0, 1.7e308, np.inf, np.nan, [0.1, -1e-310], np.float32(6.5)])
def test_frexp_gives_the_numbers_of_numpy(x):
    mantissa, exponent = np.frexp(Value(x))
    wanted = np.frexp(x)
    np.testing.assert_array_equal(mantissa.data, wanted[0])
    np.testing.assert_array_equal(np.signbit(mantissa.data), np.signbit(wanted[0]))
    np.testing.assert_array_equal(exponent, wanted[1])
    assert mantissa.dtype == wanted[0].dtype
    assert type(exponent) is type(wanted[1])


@pytest.mark.parametrize(
    "keywords",
    [{}, {"nan": 7.0}, {"posinf": 1.0, "neginf": -1.0}, {"nan": np.inf, "posinf": np.nan}, {"nan": [1.0, 2, 3, 4, 5]}],
)
@pytest.mark.parametrize("kind", [float, np.float32, complex, int])
def test_nan_to_num_gives_the_numbers_of_numpy(keywords, kind):
    x = np.array([np.nan, np.inf, -np.inf, 1.5, -0.0])
    x = np.arange(5) if kind is int else x.astype(kind)
    if kind is complex:
        x.imag = [1, np.nan, np.inf, -np.inf, 2]
    if keywords.get("posinf") is not np.nan or kind is not complex:
        value = Value(x)
        y = np.nan_to_num(value, **keywords)
        np.testing.assert_array_equal(y.data, np.nan_to_num(x, **keywords))
        assert y.dtype == x.dtype
        if kind is float:
            y.backward(np.ones(5))
            np.testing.assert_array_equal(value.grad, [0, 0, 0, 1, 1])


def test_other_names_are_the_same_operations():
    names = {
        "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
        "atanh": "arctanh", "atan2": "arctan2", "pow": "power", "abs": "absolute", "true_divide": "divide",
        "mod": "remainder", "bitwise_not": "invert", "bitwise_invert": "invert", "conj": "conjugate",
        "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift",
    }  # fmt: skip
    for other, name in names.items():
        assert getattr(np, other) is getattr(np, name)
        assert getattr(np, name) in registry
    every = [name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)]
    assert [name for name in every if getattr(np, name) not in registry] == []


def test_functions_of_whole_numbers_are_plain():
    v = Value(np.array([6, 4]))
    assert np.gcd(v, 4).tolist() == [2, 4]
    assert (np.bitwise_and(v, 4).tolist(), np.left_shift(v, 1).tolist()) == ([4, 4], [12, 8])
    assert type(np.spacing(Value(1.0))) is np.float64
    with pytest.raises(TypeError):
        np.bitwise_and(Value(1.5), 1)


@pytest.mark.parametrize("z", [[1 + 1e-16j], [1 + 1e-10j], [1 - 1j], [1 + 0.5j, 2], [1 + 0.4j], [1 + 3e-7j], [2.0]])
@pytest.mark.parametrize("tol", [100, 1e7, 0.5, 1, 1.5])
@pytest.mark.parametrize("kind", [complex, np.complex64])
def test_real_if_close_is_real_when_numpy_says_so(z, tol, kind):
    z = np.array(z, dtype=kind)
    got, wanted = np.real_if_close(Value(z), tol), np.real_if_close(z, tol)
    np.testing.assert_array_equal(got.data, wanted)
    assert got.dtype == wanted.dtype


def test_sign_of_a_complex_number_at_0_and_on_the_unit_circle():
    z = Value([0j, 1j, 0.6 + 0.8j])
    np.sum(np.real(np.sign(z))).backward()
    np.testing.assert_allclose(z.grad, [0, 1, 0.64 - 0.48j], atol=1e-15)


def test_sinc_of_complex_numbers_far_from_the_axis():
    # d/dz sin(πz)/(πz)
    z = Value([2 + 2j, -1 + 3j, 0.1 + 0.1j])
    np.sinc(z).backward(np.ones(3, complex))
    x = z.data
    wanted = np.conj((np.cos(np.pi * x) - np.sinc(x)) / x)
    np.testing.assert_allclose(z.grad, wanted, rtol=1e-13)
