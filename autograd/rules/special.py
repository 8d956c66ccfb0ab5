"""SciPy's special functions, which reach us through NumPy's protocol as ufuncs do: ``scipy.special.erf(value)``.

This file is loaded when the first of them is met (see `autograd.rules`), so that SciPy stays optional. A formula here
is the local derivative.

scipy.special.softmax, log_softmax, logsumexp and polygamma are not ufuncs: they turn their input into an array, which
a Value refuses. `autograd` has the four under the same names. Without a rule are derivatives in the order or in the
shape parameters, such as the `a` of gammainc: they raise.
"""

import math

import numpy as np
import scipy.special as sp

from ..errors import NoRuleError
from ..op import Op, as_array, beside, call, certain, composed, defop, defparts, is_lazy
from .elementwise import POSITIVE, UNIT, both_signs, zero

ROOT_2, ROOT_PI = math.sqrt(2.0), math.sqrt(math.pi)
ROOT_2_PI, DEGREE = ROOT_2 * ROOT_PI, math.pi / 180
SHARES = (0.1, 0.9)


def define(function, rules, formula, **keywords):
    """An operation of a ufunc of SciPy's, under the name by which a pickled graph finds it again."""
    name = f"special.{function.__name__.lstrip('_')}"
    return defop(function, rules, formula=formula, name=name, elementwise=True, **keywords)


def no_rule(argument):
    """The rule of an argument in which no derivative is known."""
    raise NoRuleError(
        f"This function of scipy.special has no derivative rule for its {argument}. Give that as a plain number or "
        f"array, or as value.detach()."
    )


# ---------------------------------------------------------------- logistic

define(sp.expit, lambda g, y, x: g * (y * sp.expit(-x)), "σ(x) (1 - σ(x))")
define(sp.log_expit, lambda g, y, x: g * sp.expit(-x), "1 - σ(x)")
define(sp.logit, lambda g, y, x: g / (x * (1 - x)), "1 / (x (1 - x))", domain=SHARES)

# ---------------------------------------------------------------- error function and normal distribution


def _erfc_ratio(x, n):
    r"""Of the n-th repeated integral of erfc to the one before: :math:`i^n erfc(x) / i^{n-1} erfc(x)`.

    With :math:`i^{-1} erfc(x) = 2 e^{-x^2} / \sqrt\pi`. By its recurrence, or to the right of 1, where that cancels, by
    the continued fraction that the recurrence is.
    """
    if is_lazy(x):
        raise TypeError("which series it takes depends on numbers that are not computed yet")
    ratio, right = sp.erfcx(x) * (ROOT_PI / 2), np.real(x) > 1.0
    for k in range(1, n + 1):
        ratio = (1 / ratio - 2 * x) / (2 * k)
    if np.any(right):
        x = np.where(right, x, 1.0)
        tail = (np.sqrt(x * x + 2 * (n + 200)) - x) / (2 * (n + 200))
        for k in range(n + 199, n - 1, -1):
            tail = 1 / (2 * x + 2 * (k + 1) * tail)
        ratio = np.where(right, tail, ratio)[()]
    return ratio


erfc_ratio: Op = defop(
    _erfc_ratio,
    lambda g, y, x, n: g * (2 * y * (n * y - (n + 1) * erfc_ratio(x, n=n + 1))),
    formula="2 y (n y - (n + 1) erfc_ratio(x, n + 1))",
    name="special.erfc_ratio",
    elementwise=True,
    cases=lambda a: [call(a(2, 3), n=0), call(2 * a(5), n=1), call(a(), n=2), call(a(0, 2), n=1)],
)


def _normal_hazard(x):
    """The density of the normal distribution over its distribution function: the derivative of log_ndtr."""
    return ROOT_2 / ROOT_PI / sp.erfcx(-x / ROOT_2)


normal_hazard = defop(
    _normal_hazard,
    lambda g, y, x: -g * (y * (ROOT_2 * erfc_ratio(-x / ROOT_2, n=1))),  # that is x + y, which cancels far to the left
    formula="-y (x + y)",
    name="special.normal_hazard",
    elementwise=True,
)

define(sp.erf, lambda g, y, x: g * (2 / ROOT_PI * np.exp(-x * x)), "2 exp(-x²) / √π")
define(sp.erfc, lambda g, y, x: g * (-2 / ROOT_PI * np.exp(-x * x)), "-2 exp(-x²) / √π")
define(sp.erfi, lambda g, y, x: g * (2 / ROOT_PI * np.exp(x * x)), "2 exp(x²) / √π")
define(sp.erfcx, lambda g, y, x: g * (-2 * y * erfc_ratio(x, n=1)), "2 x y - 2 / √π")
define(sp.erfinv, lambda g, y, x: g * (ROOT_PI / 2 * np.exp(y * y)), "√π exp(y²) / 2", domain=UNIT)
define(sp.erfcinv, lambda g, y, x: g * (-ROOT_PI / 2 * np.exp(y * y)), "-√π exp(y²) / 2", domain=(0.1, 1.9))
define(sp.ndtr, lambda g, y, x: g * (np.exp(-0.5 * x * x) / ROOT_2_PI), "exp(-x²/2) / √(2π)")
define(sp.ndtri, lambda g, y, x: g * (np.exp(0.5 * y * y) * ROOT_2_PI), "√(2π) exp(y²/2)", domain=SHARES)
define(sp.log_ndtr, lambda g, y, x: g * normal_hazard(x), "exp(-x²/2) / √(2π) / ndtr(x)")
define(sp.ndtri_exp, lambda g, y, x: g / normal_hazard(y), "√(2π) exp(x + y²/2)", domain=(-3.0, -0.1))

# ---------------------------------------------------------------- gamma and its kin

BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510]


def hurwitz(s, q):
    r"""The sum of :math:`(q + k)^{-s}` over k = 0, 1, ..., of complex q, by Euler and Maclaurin's formula."""
    steps = 15 + int(max(0.0, -np.min(np.real(q), initial=0.0)))
    total = sum(((q + k) ** -s for k in range(steps)), start=np.zeros_like(q))
    q = q + steps
    term = q**-s
    total = total + term * (q / (s - 1) + 0.5)
    factor = s / q
    for k, number in enumerate(BERNOULLI, 1):
        total = total + term * (number / math.factorial(2 * k)) * factor
        factor = factor * (s + 2 * k - 1) * (s + 2 * k) / (q * q)
    return total


def _polygamma(n, x):
    r"""The n-th derivative of digamma, :math:`\psi^{(n)}(x)`, as scipy.special.polygamma; of complex numbers, too.

    Needs SciPy.

    Parameters
    ----------
    n : int or array
        From 0 on, whole; held fixed.
    x : array

    Raises
    ------
    ValueError
        If n is negative or not whole.

    Examples
    --------
    >>> from autograd import polygamma
    >>> float(polygamma(1, 1.0))  # π² / 6
    1.6449340668482...
    """
    x = as_array(x)
    n = beside(as_array(n), x)
    if n.dtype.kind not in "iuf" or certain(np.any((n < 0) | (n != np.rint(n)))):
        raise ValueError(f"polygamma({n}, x): the order is an integer from 0 on.")
    x = x if x.dtype.kind in "fc" else x.astype(float)
    zeta = hurwitz if x.dtype.kind == "c" else sp.zeta
    derived = (-1.0) ** (n + 1) * sp.gamma(n + 1.0) * zeta(np.maximum(n, 1) + 1.0, x)
    return np.where(n == 0, sp.digamma(x), derived).astype(x.dtype)[()]


polygamma: Op = defop(
    _polygamma,
    (None, lambda g, y, n, x: g * polygamma(n + 1, x)),
    formula=("0", "ψ⁽ⁿ⁺¹⁾(x)"),
    name="special.polygamma",
    elementwise=True,
    domain=POSITIVE,
    cases=lambda a: [
        call(1, a(2, 3)),
        call(np.array([0, 3]), a(2)),
        call(2, -0.5 - 0.1 * a(4)),
        call(0, a()),
        call(1, a(0, 2)),
    ],
)


def both_sides(a):
    """Also to the left of 0, away from the poles."""
    return [call(a(2, 3)), call(a()), call(a(0, 2)), call(-2.5 - 0.1 * a(3)), call(-1.5 - 0.1 * a(2))]


define(sp.gammaln, lambda g, y, x: g * sp.digamma(x), "ψ(x)", domain=POSITIVE, cases=both_sides)
define(sp.loggamma, lambda g, y, x: g * sp.digamma(x), "ψ(x)", domain=POSITIVE)
define(sp.gamma, lambda g, y, x: g * (y * sp.digamma(x)), "Γ(x) ψ(x)", domain=POSITIVE, cases=both_sides)
define(sp.digamma, lambda g, y, x: g * polygamma(1, x), "ψ'(x)", domain=POSITIVE, cases=both_sides)
define(sp.gammasgn, zero, "0", domain=POSITIVE, cases=both_sides)
define(
    sp.beta,
    (
        lambda g, y, a, b: g * (y * (sp.digamma(a) - sp.digamma(a + b))),
        lambda g, y, a, b: g * (y * (sp.digamma(b) - sp.digamma(a + b))),
    ),
    ("y (ψ(a) - ψ(a + b))", "y (ψ(b) - ψ(a + b))"),
    domain=POSITIVE,
)
define(
    sp.betaln,
    (
        lambda g, y, a, b: g * (sp.digamma(a) - sp.digamma(a + b)),
        lambda g, y, a, b: g * (sp.digamma(b) - sp.digamma(a + b)),
    ),
    ("ψ(a) - ψ(a + b)", "ψ(b) - ψ(a + b)"),
    domain=POSITIVE,
)
define(
    sp.gammainc,
    (
        lambda g, y, a, x: no_rule("shape a"),
        lambda g, y, a, x: g * np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a)),
    ),
    ("unknown", "xᵃ⁻¹ exp(-x) / Γ(a)"),
    domain=POSITIVE,
    cases=lambda a: [call(2, a(2, 3)), call(np.array([1, 3]), a(2)), call(2, a(0))],
)
define(
    sp.gammaincc,
    (
        lambda g, y, a, x: no_rule("shape a"),
        lambda g, y, a, x: -g * np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a)),
    ),
    ("unknown", "-xᵃ⁻¹ exp(-x) / Γ(a)"),
    domain=POSITIVE,
    cases=lambda a: [call(2, a(2, 3)), call(np.array([1, 3]), a(2)), call(2, a(0))],
)
define(
    sp.betainc,
    (
        lambda g, y, a, b, x: no_rule("shape a"),
        lambda g, y, a, b, x: no_rule("shape b"),
        lambda g, y, a, b, x: g * np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b)),
    ),
    ("unknown", "unknown", "xᵃ⁻¹ (1 - x)ᵇ⁻¹ / B(a, b)"),
    domain=SHARES,
    cases=lambda a: [call(2, 3, a(2, 3)), call(np.array([1, 3]), 2, a(2)), call(2, 1, a(0))],
)
if hasattr(sp._ufuncs, "_zeta"):  # what scipy.special.zeta calls
    define(
        sp._ufuncs._zeta,
        (lambda g, y, x, q: no_rule("exponent x"), lambda g, y, x, q: g * (-x * sp.zeta(x + 1, q))),
        ("unknown", "-x ζ(x + 1, q)"),
        domain=POSITIVE,
        cases=lambda a: [call(2, a(2, 3)), call(np.array([3, 4]), a(2)), call(2, a(0))],
    )

# ---------------------------------------------------------------- entropies: 0 log 0 is 0


def _quotient(x, y):
    """x / y, and 0 for x = 0 whatever y is."""
    return np.where(x == 0, 0.0, x / np.where(x == 0, 1.0, y))[()]


quotient: Op = defop(
    _quotient,
    (lambda g, y, x, z: g / z, lambda g, y, x, z: -g * quotient(y, z)),
    formula=("1 / y", "-x / y²"),
    name="special.quotient",
    elementwise=True,
    domain=POSITIVE,
    cases=lambda a: [call(a(2, 3), a(3)), call(np.array([0.0, 2.0]), a(2, 1)), call(a(), a())],
)


def _log_ratio(x, y):
    """The logarithm of x / y, accurate where the two are close, and without overflow."""
    near = (x < 2 * y) & (y < 2 * x)
    close = np.where(near, x - y, 0.0) / np.where(near, y, 1.0)
    return np.where(near, np.log1p(close), np.log(x) - np.log(y))[()]


log_ratio = defop(
    _log_ratio,
    (lambda g, y, a, b: g / a, lambda g, y, a, b: -g / b),
    formula=("1 / x", "-1 / y"),
    name="special.log_ratio",
    elementwise=True,
    domain=POSITIVE,
    cases=lambda a: [call(a(2, 3), a(3)), call(a(), a() * 1.01)],
)

# The derivative of x log(y) in y is 0 for x = 0, also at y = 0; that of x log(x) at 0 is -∞.
define(
    sp.xlogy,
    (lambda g, y, x, z: g * np.log(z), lambda g, y, x, z: g * quotient(x, z)),
    ("log(y)", "x / y"),
    domain=POSITIVE,
    cases=lambda a: [call(a(2, 3), a(3)), call(np.array([0.0, -2.0]), a(2, 1)), call(a(), a()), call(a(0), a())],
)
define(
    sp.xlog1py,
    (lambda g, y, x, z: g * np.log1p(z), lambda g, y, x, z: g * quotient(x, 1 + z)),
    ("log(1 + y)", "x / (1 + y)"),
    domain=POSITIVE,
    cases=lambda a: [call(a(2, 3), a(3)), call(np.array([0.0, -2.0]), a(2, 1)), call(a(), -0.2 * a())],
)
define(sp.entr, lambda g, y, x: -g * (np.log(x) + 1), "-log(x) - 1", domain=POSITIVE)
define(
    sp.rel_entr,
    (lambda g, y, p, q: g * (log_ratio(p, q) + 1), lambda g, y, p, q: -g * quotient(p, q)),
    ("log(x / y) + 1", "-x / y"),
    domain=POSITIVE,
)
define(
    sp.kl_div,
    (lambda g, y, p, q: g * log_ratio(p, q), lambda g, y, p, q: g * (1 - quotient(p, q))),
    ("log(x / y)", "1 - x / y"),
    domain=POSITIVE,
)

# ---------------------------------------------------------------- Bessel functions


def orders(a):
    return [call(1, a(2, 3)), call(np.array([0, 3]), a(2)), call(2, a()), call(1, a(0))]


for function in (sp.jv, sp.yv, sp.hankel1, sp.hankel2):
    define(
        function,
        (
            lambda g, y, v, z: no_rule("order"),
            lambda g, y, v, z, f=function: g * (0.5 * (f(v - 1, z) - f(v + 1, z))),
        ),
        ("unknown", "½ (yᵥ₋₁ - yᵥ₊₁)"),
        domain=POSITIVE,
        cases=orders,
    )
define(
    sp.iv,
    (lambda g, y, v, z: no_rule("order"), lambda g, y, v, z: g * (0.5 * (sp.iv(v - 1, z) + sp.iv(v + 1, z)))),
    ("unknown", "½ (Iᵥ₋₁ + Iᵥ₊₁)"),
    domain=POSITIVE,
    cases=orders,
)
define(
    sp.kv,
    (lambda g, y, v, z: no_rule("order"), lambda g, y, v, z: -g * (0.5 * (sp.kv(v - 1, z) + sp.kv(v + 1, z)))),
    ("unknown", "-½ (Kᵥ₋₁ + Kᵥ₊₁)"),
    domain=POSITIVE,
    cases=orders,
)
define(sp.j0, lambda g, y, x: -g * sp.j1(x), "-j1(x)")
define(sp.j1, lambda g, y, x: g * (0.5 * (sp.j0(x) - sp.jv(2, x))), "½ (j0(x) - jv(2, x))")
define(sp.y0, lambda g, y, x: -g * sp.y1(x), "-y1(x)", domain=POSITIVE)
define(sp.y1, lambda g, y, x: g * (0.5 * (sp.y0(x) - sp.yv(2, x))), "½ (y0(x) - yv(2, x))", domain=POSITIVE)
define(sp.i0, lambda g, y, x: g * sp.i1(x), "i1(x)")
define(sp.i1, lambda g, y, x: g * (0.5 * (sp.i0(x) + sp.iv(2, x))), "½ (i0(x) + iv(2, x))")
define(sp.k0, lambda g, y, x: -g * sp.k1(x), "-k1(x)", domain=POSITIVE)
define(sp.k1, lambda g, y, x: -g * (0.5 * (sp.k0(x) + sp.kv(2, x))), "-½ (k0(x) + kv(2, x))", domain=POSITIVE)
# i1e - sign(x) i0e would cancel for large x. At 0 i0e has a kink, where 0 is taken.
define(
    sp.i0e,
    lambda g, y, x: -g * (np.sign(x) * sp.hyp1f1(1.5, 2.0, -2 * np.abs(x))),
    "i1e(x) - sign(x) i0e(x)",
    domain=POSITIVE,
    cases=both_signs,
)


def scaled_i1(g, y, x):
    size = np.abs(x)
    return g * (0.5 * (sp.hyp1f1(1.5, 3.0, -2 * size) - size * sp.hyp1f1(2.5, 4.0, -2 * size)))


define(sp.i1e, scaled_i1, "i0e(x) - i1e(x) / x - sign(x) i1e(x)", domain=POSITIVE, cases=both_signs)

# ---------------------------------------------------------------- hypergeometric functions and integrals

define(
    sp.hyp0f1,
    (lambda g, y, b, x: no_rule("parameter"), lambda g, y, b, x: g * (sp.hyp0f1(b + 1, x) / b)),
    ("unknown", "hyp0f1(b + 1, x) / b"),
    cases=lambda a: [call(2, a(2, 3)), call(np.array([1, 3]), a(2)), call(2, a(0))],
)
define(
    sp.hyp1f1,
    (
        lambda g, y, a, b, x: no_rule("parameter a"),
        lambda g, y, a, b, x: no_rule("parameter b"),
        lambda g, y, a, b, x: g * (sp.hyp1f1(a + 1, b + 1, x) * (a / b)),
    ),
    ("unknown", "unknown", "a/b hyp1f1(a + 1, b + 1, x)"),
    cases=lambda a: [call(2, 3, a(2, 3)), call(np.array([1, 3]), 2, a(2)), call(2, 1, a(0))],
)
define(
    sp.hyp2f1,
    (
        lambda g, y, a, b, c, x: no_rule("parameter a"),
        lambda g, y, a, b, c, x: no_rule("parameter b"),
        lambda g, y, a, b, c, x: no_rule("parameter c"),
        lambda g, y, a, b, c, x: g * (sp.hyp2f1(a + 1, b + 1, c + 1, x) * (a * b / c)),
    ),
    ("unknown", "unknown", "unknown", "ab/c hyp2f1(a + 1, b + 1, c + 1, x)"),
    domain=(-0.8, 0.8),
    cases=lambda a: [call(1, 2, 4, a(2, 3)), call(np.array([1, 3]), 2, 5, a(2)), call(2, 1, 3, a(0))],
)
define(sp.exprel, lambda g, y, x: g * (0.5 * sp.hyp1f1(2.0, 3.0, x)), "exp(x) / x - (exp(x) - 1) / x²")
define(sp.expi, lambda g, y, x: g * (np.exp(x) / x), "exp(x) / x", domain=POSITIVE)
define(sp.exp1, lambda g, y, x: -g * (np.exp(-x) / x), "-exp(-x) / x", domain=POSITIVE)
defparts(
    sp.sici,
    {
        "sine": lambda g, y, x, saved=None: g * np.sinc(x / np.pi),
        "cosine": lambda g, y, x, saved=None: g * np.cos(x) / x,
    },
    formula={"sine": "sin(x) / x", "cosine": "cos(x) / x"},
    name="special.sici",
    elementwise=True,
    domain=POSITIVE,
)
defparts(
    sp.fresnel,
    {
        "sine": lambda g, y, x, saved=None: g * np.sin(np.pi / 2 * x * x),
        "cosine": lambda g, y, x, saved=None: g * np.cos(np.pi / 2 * x * x),
    },
    formula={"sine": "sin(π x² / 2)", "cosine": "cos(π x² / 2)"},
    name="special.fresnel",
    elementwise=True,
)

# ---------------------------------------------------------------- losses, powers, angles in degrees

define(
    sp.huber,
    (
        lambda g, y, d, r: g * np.maximum(np.abs(r) - d, 0.0),
        lambda g, y, d, r: g * np.clip(r, -d, d),
    ),
    ("max(|r| - δ, 0)", "r, clipped to ±δ"),
    domain=POSITIVE,
    cases=lambda a: [call(a(2, 3), 5 + a(3)), call(4 + a(), -a(2)), call(a(2), -4 - a(2)), call(5 + a(2, 1), a(3))],
)


def distance(a, b):
    """The hypotenuse to divide by: 1 where it is 0."""
    q = np.hypot(a, b)
    return np.where(q == 0, 1.0, q)


# An operation of its own, whose rules do not cancel where one argument is much larger than the other.
pseudo_huber_slope = defop(
    lambda d, r: d * (r / distance(d, r)),
    (lambda g, y, d, r: g * (r / distance(d, r)) ** 3, lambda g, y, d, r: g * (d / distance(d, r)) ** 3),
    formula=("(r / √(δ² + r²))³", "(δ / √(δ² + r²))³"),
    name="special.pseudo_huber_slope",
    elementwise=True,
    domain=(POSITIVE, (-2.0, 2.0)),
)
define(
    sp.pseudo_huber,
    (
        lambda g, y, d, r: g * (r * (r / distance(d, r)) * (r / (distance(d, r) + d)) ** 2),
        lambda g, y, d, r: g * pseudo_huber_slope(d, r),
    ),
    ("2 δ (√(1 + r²/δ²) - 1) - r² / (δ √(1 + r²/δ²))", "r / √(1 + r²/δ²)"),
    domain=(POSITIVE, (-2.0, 2.0)),
)
define(
    sp.boxcox,
    (
        lambda g, y, x, lam: g * x ** (lam - 1),
        lambda g, y, x, lam: g * (0.5 * np.log(x) ** 2 * sp.hyp1f1(2.0, 3.0, lam * np.log(x))),
    ),
    ("xᵏ⁻¹", "(xᵏ log(x) - y) / k"),
    domain=POSITIVE,
    cases=lambda a: [call(a(2, 3), a(3)), call(a(3), np.zeros(3)), call(a(), -a())],
)
define(
    sp.boxcox1p,
    (
        lambda g, y, x, lam: g * (1 + x) ** (lam - 1),
        lambda g, y, x, lam: g * (0.5 * np.log1p(x) ** 2 * sp.hyp1f1(2.0, 3.0, lam * np.log1p(x))),
    ),
    ("(1 + x)ᵏ⁻¹", "((1 + x)ᵏ log(1 + x) - y) / k"),
    domain=POSITIVE,
    cases=lambda a: [call(a(2, 3), a(3)), call(a(3), np.zeros(3)), call(a(), -a())],
)
define(sp.cosm1, lambda g, y, x: -g * np.sin(x), "-sin(x)")
define(sp.exp2, lambda g, y, x: g * (y * math.log(2.0)), "2ˣ log(2)")
define(sp.exp10, lambda g, y, x: g * (y * math.log(10.0)), "10ˣ log(10)")
define(sp.expm1, lambda g, y, x: g * np.exp(x), "exp(x)")
define(sp.log1p, lambda g, y, x: g / (1 + x), "1 / (1 + x)", domain=POSITIVE)
define(sp.cbrt, lambda g, y, x: g / (3 * y * y), "1 / (3 ∛x²)", domain=POSITIVE)
define(sp.sindg, lambda g, y, x: g * (DEGREE * sp.cosdg(x)), "π/180 cos(x°)")
define(sp.cosdg, lambda g, y, x: g * (-DEGREE * sp.sindg(x)), "-π/180 sin(x°)")
define(sp.tandg, lambda g, y, x: g * (DEGREE * (1 + y * y)), "π/180 (1 + tan(x°)²)")
define(sp.cotdg, lambda g, y, x: g * (-DEGREE * (1 + y * y)), "-π/180 (1 + cot(x°)²)", domain=(20.0, 70.0))
define(sp.round, zero, "0", domain=(0.6, 1.4), cases=both_signs)

if sp.psi is not sp.digamma:  # the same ufunc made twice, in some releases
    composed(sp.psi)(sp.digamma)
