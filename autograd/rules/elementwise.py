"""Elementwise operations: arithmetic, powers, exponentials, trigonometry, comparisons that choose.

A formula here is the local derivative: the gradient of the input is upstream × formula.
"""

import math

import numpy as np

from ..errors import NoRuleError
from ..op import Op, call, composed, defop, is_foreign, is_lazy, plain, same

ANY, POSITIVE, UNIT = (-2.0, 2.0), (0.2, 3.0), (-0.9, 0.9)
LOG_2, LOG_10 = math.log(2.0), math.log(10.0)


def zero(g, y, x):
    """Where the result is constant but for jumps."""
    return 0.0


def zero_of_two(g, y, a, b):
    return 0.0


def both_signs(a):
    """What to call a function with that has a kink or a jump at 0."""
    return [call(a(2, 3)), call(-a(2, 3)), call(a()), call(a(0, 2))]


# ---------------------------------------------------------------- arithmetic


defop(np.add, (same, same), formula=("1", "1"), symbol="+")
defop(np.subtract, (same, lambda g, y, a, b: -g), formula=("1", "-1"), symbol="-")
defop(
    np.multiply,
    (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    formula=("b", "a"),
    symbol="*",
)
defop(
    np.divide,
    (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    formula=("1 / b", "-a / b²"),
    symbol="/",
    domain=(ANY, POSITIVE),
)
defop(np.negative, lambda g, y, x: -g, formula="-1", symbol="-")
defop(np.positive, lambda g, y, x: g, formula="1", symbol="+")
defop(np.reciprocal, lambda g, y, x: -g * y * y, formula="-1 / x²", domain=POSITIVE)
defop(np.square, lambda g, y, x: g * (2 * x), formula="2 x")
defop(
    np.remainder,
    (same, lambda g, y, a, b: -g * (a // b)),
    formula=("1", "-⌊a / b⌋"),
    symbol="%",
    domain=((2.0, 2.5), (0.85, 0.95)),
)
defop(
    np.fmod,
    (same, lambda g, y, a, b: -g * np.rint((a - y) / b)),
    formula=("1", "-trunc(a / b)"),
    domain=((-2.5, -2.0), (0.85, 0.95)),
)
defop(
    np.floor_divide,
    (zero_of_two, zero_of_two),
    formula=("0", "0"),
    symbol="//",
    domain=((2.0, 2.5), (0.85, 0.95)),
)


@composed(np.divmod)
def divided(a, b):
    return np.floor_divide(a, b), np.remainder(a, b)


@composed(np.modf)
def parts(x):
    return np.fmod(x, 1.0), np.trunc(x)


# ---------------------------------------------------------------- powers


def power_base(g, y, a, b):
    if type(b) in (int, float):  # not a np.float64, which is a number that a program reads in each run
        return g * (2 * a) if b == 2 else g * (b * a ** (b - 1)) if b else 0.0
    return g * np.where(b == 0, 0.0, b * a ** np.where(b == 0, 1.0, b - 1.0))


def power_exponent(g, y, a, b):
    # 0**b is 0 for every b > 0 near by: its derivative in b is 0, not 0 * log(0).
    base = np.where(a == 0, 1.0, a)
    return g * (y * np.log(base + 0j if np.iscomplexobj(y) else base))


defop(
    np.power,
    (power_base, power_exponent),
    formula=("b aᵇ⁻¹", "aᵇ log(a)"),
    symbol="**",
    domain=(POSITIVE, ANY),
)
defop(
    np.float_power,
    (power_base, power_exponent),
    formula=("b aᵇ⁻¹", "aᵇ log(a)"),
    domain=(POSITIVE, ANY),
)
defop(np.sqrt, lambda g, y, x: g * 0.5 / y, formula="1 / (2 √x)", domain=POSITIVE)
defop(np.cbrt, lambda g, y, x: g / (3 * y * y), formula="1 / (3 ∛x²)", domain=POSITIVE)
# At (0, 0) the gradient of smallest norm is taken: 0.
defop(
    np.hypot,
    (lambda g, y, a, b: g * (a / np.where(y == 0, 1.0, y)), lambda g, y, a, b: g * (b / np.where(y == 0, 1.0, y))),
    formula=("a / √(a² + b²)", "b / √(a² + b²)"),
    domain=POSITIVE,
)

# ---------------------------------------------------------------- exponentials and logarithms

defop(np.exp, lambda g, y, x: g * y, formula="exp(x)")
defop(np.exp2, lambda g, y, x: g * (y * LOG_2), formula="2ˣ log(2)")
defop(np.expm1, lambda g, y, x: g * np.exp(x), formula="exp(x)")
defop(np.log, lambda g, y, x: g / x, formula="1 / x", domain=POSITIVE)
defop(np.log2, lambda g, y, x: g / (x * LOG_2), formula="1 / (x log(2))", domain=POSITIVE)
defop(np.log10, lambda g, y, x: g / (x * LOG_10), formula="1 / (x log(10))", domain=POSITIVE)
defop(np.log1p, lambda g, y, x: g / (1 + x), formula="1 / (1 + x)", domain=POSITIVE)
defop(
    np.logaddexp,
    (lambda g, y, a, b: g * np.exp(a - y), lambda g, y, a, b: g * np.exp(b - y)),
    formula=("exp(a) / (exp(a) + exp(b))", "exp(b) / (exp(a) + exp(b))"),
)
defop(
    np.logaddexp2,
    (lambda g, y, a, b: g * np.exp2(a - y), lambda g, y, a, b: g * np.exp2(b - y)),
    formula=("2ᵃ / (2ᵃ + 2ᵇ)", "2ᵇ / (2ᵃ + 2ᵇ)"),
)


def _sigmoid(x):
    r"""The logistic function, :math:`1 / (1 + e^{-x})`, without overflow for any x.

    Examples
    --------
    >>> from autograd import sigmoid
    >>> sigmoid(0.0)
    np.float64(0.5)
    """
    if np.iscomplexobj(x):
        return 1.0 / (1.0 + np.exp(np.negative(x)))
    small = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1.0, small)[()] / (1.0 + small)


def sigmoid_slope(g, y, x):
    return g * (y * sigmoid(-x))  # 1 - y would round to 0 from x = 37 on


sigmoid = defop(_sigmoid, sigmoid_slope, formula="σ(x) (1 - σ(x))", elementwise=True)

_erfc = np.frompyfunc(math.erfc, 1, 1)


def _normal_cdf(x):
    r"""The probability that a standard normal variable lies below x, :math:`\Phi(x)`, exact far into both tails.

    Examples
    --------
    >>> from autograd import normal_cdf
    >>> normal_cdf(0.0), normal_cdf(-10.0)
    (np.float64(0.5), np.float64(7.61...e-24))
    """
    if is_foreign(x):
        from scipy.special import ndtr  # which other libraries know

        return ndtr(x)
    x = np.asarray(x)
    dtype = np.result_type(x, np.float16)
    return (0.5 * np.asarray(_erfc(-x.astype(float) / math.sqrt(2)), float)).astype(dtype)[()]


normal_cdf = defop(
    _normal_cdf,
    lambda g, y, x: g * (np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)),
    formula="exp(-x² / 2) / √(2 π)",
    elementwise=True,
)

# ---------------------------------------------------------------- trigonometric and hyperbolic

defop(np.sin, lambda g, y, x: g * np.cos(x), formula="cos(x)")
defop(np.cos, lambda g, y, x: -g * np.sin(x), formula="-sin(x)")
defop(np.tan, lambda g, y, x: g * (1 + y * y), formula="1 + tan(x)²", domain=(-1.2, 1.2))
defop(np.arcsin, lambda g, y, x: g / np.sqrt((1 - x) * (1 + x)), formula="1 / √(1 - x²)", domain=UNIT)
defop(np.arccos, lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)), formula="-1 / √(1 - x²)", domain=UNIT)
defop(np.arctan, lambda g, y, x: g / (1 + x * x), formula="1 / (1 + x²)")
defop(np.sinh, lambda g, y, x: g * np.cosh(x), formula="cosh(x)")
defop(np.cosh, lambda g, y, x: g * np.sinh(x), formula="sinh(x)")
defop(np.tanh, lambda g, y, x: g * (1 - y * y), formula="1 - tanh(x)²", domain=(-3, 3))
defop(
    np.arcsinh,
    lambda g, y, x: g / (np.sqrt(1 + x * x) if np.iscomplexobj(x) else np.hypot(x, 1.0)),
    formula="1 / √(1 + x²)",
)
defop(
    np.arccosh,
    lambda g, y, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)),
    formula="1 / √(x² - 1)",
    domain=(1.2, 3.0),
)
defop(np.arctanh, lambda g, y, x: g / ((1 - x) * (1 + x)), formula="1 / (1 - x²)", domain=UNIT)
defop(np.deg2rad, lambda g, y, x: g * (np.pi / 180), formula="π / 180")
defop(np.rad2deg, lambda g, y, x: g * (180 / np.pi), formula="180 / π")
defop(np.radians, lambda g, y, x: g * (np.pi / 180), formula="π / 180")
defop(np.degrees, lambda g, y, x: g * (180 / np.pi), formula="180 / π")


def arctan2_first(g, y, a, b):
    r = np.hypot(a, b)
    r = np.where(r == 0, 1.0, r)
    return g * (b / r / r)


def arctan2_second(g, y, a, b):
    r = np.hypot(a, b)
    r = np.where(r == 0, 1.0, r)
    return -g * (a / r / r)


# At (0, 0), where no derivative exists, 0 is taken.
defop(
    np.arctan2,
    (arctan2_first, arctan2_second),
    formula=("b / (a² + b²)", "-a / (a² + b²)"),
    domain=POSITIVE,
)


def sinc_slope(x):
    # (cos(πx) - sinc(x)) / x cancels near 0; its series there is exact at 0, and so are its own derivatives.
    u, series = (np.pi * x) ** 2, 1.0
    for k in range(12, 0, -1):
        series = 1.0 - u / (2 * k * (2 * k + 3)) * series
    near = np.abs(u) < 1.0
    away = np.where(near, 1.0, x)
    return np.where(near, -(np.pi**2) / 3 * x * series, (np.cos(np.pi * away) - np.sinc(away)) / away)


defop(
    np.sinc,
    lambda g, y, x: g * sinc_slope(x),
    formula="(cos(π x) - sinc(x)) / x",
    elementwise=True,
    cases=lambda a: [call(a(2, 3)), call(a()), call(a(0, 2)), call(np.array([0.0, 1e-4, -0.3, 0.35]))],
)

# ---------------------------------------------------------------- complex numbers
# `g` stands for dL/dx - i dL/dy here, as in every rule (see `autograd.backward`).

real_op = defop(np.real, lambda g, y, val: g, formula="1", elementwise=True)
defop(np.imag, lambda g, y, val: -1j * g, formula="-i, the imaginary unit", elementwise=True)  # of a real one, 0


@composed(np.real)
def real(val):
    return real_op(val) if np.iscomplexobj(val) else np.positive(val)


defop(np.conjugate, lambda g, y, x: np.conj(g), formula="the conjugate of g")


@composed(np.angle)
def angle(z, deg=False):
    turned = np.arctan2(np.imag(z), np.real(z))
    return np.degrees(turned) if deg else turned


# ---------------------------------------------------------------- kinks, jumps and choices
# At a kink the subgradient of smallest norm is taken, and between equals the gradient is shared in halves.


def direction(g, y, x):
    return g * (np.conj(np.sign(x)) if np.iscomplexobj(x) else np.sign(x))


def sign_slope(g, y, x):
    # Of a complex number the sign is x / |x|: it turns with the number, and does not feel its length.
    if not np.iscomplexobj(x):
        return 0.0
    length = np.abs(x)
    return np.where(length == 0, 0.0, (g - np.real(g * y) * np.conj(y)) / np.where(length == 0, 1.0, length))


defop(np.absolute, direction, formula="sign(x)", domain=POSITIVE, cases=both_signs)
defop(np.fabs, lambda g, y, x: g * np.sign(x), formula="sign(x)", domain=POSITIVE, cases=both_signs)
defop(np.sign, sign_slope, formula="0", domain=POSITIVE, cases=both_signs)
defop(np.floor, zero, formula="0", domain=(0.1, 0.9), cases=both_signs)
defop(np.ceil, zero, formula="0", domain=(0.1, 0.9), cases=both_signs)
defop(np.trunc, zero, formula="0", domain=(1.1, 1.9), cases=both_signs)
defop(np.rint, zero, formula="0", domain=(0.6, 1.4), cases=both_signs)
rounded = defop(
    np.round,
    lambda g, y, a, decimals=0, out=None: 0.0,
    formula="0",
    elementwise=True,
    domain=(0.06, 0.14),
    cases=lambda a: [call(a(2, 3)), call(-a(2, 3), 1), call(a(2, 3), decimals=-1), call(a())],
)
composed(np.around)(rounded)


@composed(np.fix)
def fixed(x):
    return np.trunc(x)


defop(
    np.heaviside,
    (zero_of_two, lambda g, y, a, b: g * (a == 0)),
    formula=("0", "1 where a = 0"),
    domain=(POSITIVE, ANY),
    cases=lambda a: [call(a(2, 3), a(3)), call(-a(2, 3), a(2, 1)), call(np.zeros((2, 1), int), a(3))],
)
defop(
    np.copysign,
    (lambda g, y, a, b: g * (np.sign(a) * np.sign(y)), zero_of_two),
    formula=("sign(a) sign(b)", "0"),
    domain=POSITIVE,
    cases=lambda a: [call(a(2, 3), a(3)), call(-a(2, 3), a(2, 1)), call(a(), -a(2))],
)


def two_sides(a):
    """Either argument the larger one, here and there; never equal."""
    return [call(a(2, 3), a(2, 3) + offset) for offset in (5.0, -5.0)] + [
        call(a(3, 1), np.array([9.0, -9.0])),
        call(a(), 5.0 + a()),
        call(a(0, 3), a(1)),
    ]


def chosen(a, b):
    """How much of the larger of a and b is a: 1, 1/2 if equal, 0; a NaN is chosen, as NumPy does."""
    return ((a > b) | (a != a)) + 0.5 * (a == b)


defop(
    np.maximum,
    (lambda g, y, a, b: g * chosen(a, b), lambda g, y, a, b: g * chosen(b, a)),
    formula=("1 where a > b, ½ where equal", "1 where b > a, ½ where equal"),
    cases=two_sides,
)
defop(
    np.minimum,
    (lambda g, y, a, b: g * chosen(-a, -b), lambda g, y, a, b: g * chosen(-b, -a)),
    formula=("1 where a < b, ½ where equal", "1 where b < a, ½ where equal"),
    cases=two_sides,
)
# fmax and fmin choose the number beside a NaN.
defop(
    np.fmax,
    (
        lambda g, y, a, b: g * (((a > b) | (b != b)) + 0.5 * (a == b)),
        lambda g, y, a, b: g * (((b > a) | (a != a)) + 0.5 * (a == b)),
    ),
    formula=("1 where a > b, ½ where equal", "1 where b > a, ½ where equal"),
    cases=two_sides,
)
defop(
    np.fmin,
    (
        lambda g, y, a, b: g * (((a < b) | (b != b)) + 0.5 * (a == b)),
        lambda g, y, a, b: g * (((b < a) | (a != a)) + 0.5 * (a == b)),
    ),
    formula=("1 where a < b, ½ where equal", "1 where b < a, ½ where equal"),
    cases=two_sides,
)


def _relu(x):
    """The rectified linear unit, max(x, 0); its derivative at 0 is taken to be 0.

    Examples
    --------
    >>> from autograd import relu
    >>> relu(-1.5)
    np.float64(0.0)
    """
    return np.maximum(x, 0.0)


relu = defop(
    _relu,
    lambda g, y, x: g * (y > 0),
    formula="1 where x > 0",
    elementwise=True,
    domain=POSITIVE,
    cases=both_signs,
)

where_op = defop(
    np.where,
    (
        None,
        lambda g, y, condition, x, y_: np.where(condition, g, 0.0),
        lambda g, y, condition, x, y_: np.where(condition, 0.0, g),
    ),
    formula=("0", "1 where the condition holds", "1 where it does not"),
    elementwise=True,
    cuts=lambda index, y, condition, x, y_: np.equal(condition, 0) if index == 1 else np.not_equal(condition, 0),
    cases=lambda a: [
        call(a(3, 4) > 0, a(3, 4), a(3, 4)),
        call(a(4) > 0, a(3, 1), a()),
        call(np.True_, a(), a(2)),
        call(np.zeros((0, 2), bool), a(2), a(1, 1)),
    ],
)


@composed(np.where)
def where(condition, *choices):
    return where_op(condition, *choices) if choices else np.nonzero(condition)


def between(a, low, high):
    """Where clip leaves `a` as it is, the bounds included."""
    inside = a == a
    if low is not None:
        inside = inside & (a >= low)
    return inside & (a <= high) if high is not None else inside


def clip(a, a_min=None, a_max=None):
    return np.clip(a, a_min, a_max)


def clip_low(g, y, a, a_min, a_max):
    return np.where((a < a_min) & ((a_max is None) or (a_min <= a_max)), g, 0.0)


def clip_high(g, y, a, a_min, a_max):
    return np.where((a > a_max) | (False if a_min is None else a_min > a_max), g, 0.0)


# A clipped value on its bound still moves with the input (PyTorch up to 2.13).
clip_op = defop(
    clip,
    (lambda g, y, a, a_min, a_max: np.where(between(a, a_min, a_max), g, 0.0), clip_low, clip_high),
    formula=("1 where a_min ≤ a ≤ a_max", "1 where a < a_min", "1 where a > a_max"),
    elementwise=True,
    cases=lambda a: [
        call(np.array([-2.0, -0.3, 0.4, 3.0]), -1.0, 2.0),
        call(np.array([-2.0, -0.3, 0.4, 3.0]), None, 2.0),
        call(np.array([[-2.0, -0.3], [0.4, 3.0]]), np.array([-1.0, 1.0]), np.array([[2.0], [2.5]])),
        call(np.array([-2.0, 0.5, 3.0]), np.array(1.0), np.array(-1.0)),
        call(a(), -3.0, None),
    ],
)


@composed(np.clip)
def clipped(a, a_min=None, a_max=None, out=None, *, min=None, max=None):
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ValueError("clip: give min or a_min, and max or a_max, not both.")
    return clip_op(a, a_min if min is None else min, a_max if max is None else max)


plain(np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.can_cast, np.min_scalar_type, np.common_type)
plain(
    np.iscomplexobj,
    np.isrealobj,
    np.isnan,
    np.isinf,
    np.isfinite,
    np.signbit,
    np.iscomplex,
    np.isreal,
    np.isposinf,
    np.isneginf,
)
plain(np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal)
plain(np.logical_and, np.logical_or, np.logical_not, np.logical_xor)
plain(np.isclose, np.allclose, np.array_equal, np.array_equiv)

# ---------------------------------------------------------------- the rest: Bessel's i0, parts of floating numbers


def _i0_derivative(x, order):
    r"""The derivative of that order of the modified Bessel function `i0`: (1/π) ∫ cosⁿ(t) exp(x cos(t)) dt from 0 to π.

    By the midpoint rule, which converges exponentially for a periodic function; no term is negative, so that nothing
    cancels. Order 1 is Bessel's :math:`I_1`.
    """
    if np.iscomplexobj(x):
        raise TypeError("i0 not supported for complex values")
    size = np.minimum(np.abs(x), 800.0)  # from 718 on it is infinite
    if is_lazy(x):
        raise TypeError("how many terms it takes depends on numbers that are not computed yet")
    largest = float(np.max(np.where(size == size, size, 0.0))) if size.size else 0.0
    points = 12 + order + int(math.sqrt(20.0 * largest))
    mean = 0.0
    for place in range(points):
        t = (place + 0.5) * math.pi / (2 * points)
        c, fall = math.cos(t), 2 * math.sin(t / 2) ** 2
        both = 1.0 + np.exp(-2 * c * size) if order % 2 == 0 else -np.expm1(-2 * c * size)
        mean = mean + (c**order / (2 * points)) * both * np.exp(-fall * size)
    root = np.exp(size / 2)
    return mean * root * root * (np.sign(x) if order % 2 else 1.0)


i0_derivative: Op = defop(
    _i0_derivative,
    lambda g, y, x, order: g * i0_derivative(x, order=order + 1),
    formula="i0⁽ⁿ⁺¹⁾(x)",
    elementwise=True,
    cases=lambda a: [call(a(2, 3), order=1), call(a(), order=2), call(a(0, 2), order=1)],
)
defop(np.i0, lambda g, y, x: g * i0_derivative(x, order=1), formula="Bessel's I₁ of x", elementwise=True)


def _ldexp(a, b):
    return np.ldexp(a, b)


ldexp: Op = defop(
    _ldexp,
    lambda g, y, a, b: ldexp(g, b),
    formula="2ᵇ",
    elementwise=True,
    moves=True,
    cases=lambda a: [call(a(2, 3), np.array([1, -2, 3])), call(a(), 2), call(a(3, 1), np.zeros((0,), int))],
)
composed(np.ldexp)(ldexp)


defop(np.nextafter, (same, zero_of_two), formula=("1", "0"), cases=lambda a: [call(a(2, 3), a(3)), call(a(), 9.0)])


@composed(np.frexp)
def frexp(x):
    exponent = np.frexp(x.data)[1]
    return ldexp(x, -exponent), exponent


@composed(np.nan_to_num)
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    if not copy:
        raise NoRuleError("nan_to_num(copy=False) would change a Value. Leave `copy` away and use what it returns.")
    if np.iscomplexobj(x):
        return nan_to_num(np.real(x), True, nan, posinf, neginf) + 1j * nan_to_num(
            np.imag(x), True, nan, posinf, neginf
        )
    dtype = np.result_type(x)
    if dtype.kind != "f":
        return x
    ends = np.finfo(dtype)
    high, low = ends.max if posinf is None else posinf, ends.min if neginf is None else neginf
    filled = np.where(np.isnan(x), nan, np.where(np.isposinf(x), high, np.where(np.isneginf(x), low, x)))
    return filled if filled.dtype == dtype else filled.astype(dtype)


@composed(np.real_if_close)
def real_if_close(a, tol=100):
    if not np.iscomplexobj(a):
        return a
    tolerance = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return np.real(a) if np.all(np.abs(np.imag(a)) < tolerance) else a


# Of whole numbers, of bits, and the distance to the next number.
plain(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.bitwise_count)
plain(np.gcd, np.lcm, np.spacing, np.isnat)
