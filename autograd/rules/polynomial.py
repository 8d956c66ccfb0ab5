"""Polynomials as vectors of coefficients, the highest power first. A formula is the rule in words."""

import warnings

import numpy as np

from ..op import beside, call, composed, defop, is_foreign, known, size
from .indexing import index_add


def listed(p):
    """A list of Values as one: NumPy hands over what `poly` and `roots` are given also if it is a list."""
    return np.stack(p) if isinstance(p, list | tuple) else p


def coefficients(p):
    """A polynomial in any of the forms that NumPy takes, as a vector of its coefficients."""
    return np.atleast_1d(p.coeffs if isinstance(p, np.poly1d) else p)


# ---------------------------------------------------------------- their values


def polyval_coefficients(g, y, p, x):
    if not len(p):
        return 0.0
    axes, shares = tuple(range(np.ndim(y) - np.ndim(p) + 1)), []
    for _ in range(len(p)):
        shares.insert(0, np.sum(g, axis=axes))
        g = g * x
    return np.stack(shares)


def polyval_slope(g, y, p, x):
    powers = np.reshape(np.arange(len(p) - 1, 0, -1), (-1,) + (1,) * (np.ndim(p) - 1))
    return g * np.polyval(p[:-1] * beside(powers, p), x)


def polyval(p, x):
    if not is_foreign(p) and not is_foreign(x):
        return np.polyval(p, x)
    y = np.zeros_like(x)
    for k in range(len(p)):
        y = y * x + p[k]
    return y


polyval_op = defop(
    polyval,
    (polyval_coefficients, polyval_slope),
    formula=("Σ g xᵏ, for the coefficient of xᵏ", "g p'(x)"),
    cases=lambda a: [
        call(a(4), a(2, 3)),
        call(a(3), a()),
        call(a(1), a(2)),
        call(a(3, 2), a(2)),
        call(a(3, 1), a(2)),
        call(a(2, 3, 1), a(2)),
        call(a(3), a(0)),
        call(a(0), a(2)),
    ],
)
composed(np.polyval)(polyval_op)


def vander_gradient(g, y, x, N=None, increasing=False):
    n = np.shape(y)[1]
    if n < 2:
        return 0.0
    powers = np.arange(1, n) if increasing else np.arange(n - 1, 0, -1)
    rest = g[:, 1:] if increasing else g[:, :-1]
    return np.sum(rest * beside(powers, g) * np.vander(x, n - 1, increasing), axis=1)


defop(
    np.vander,
    vander_gradient,
    formula="Σ g k xᵏ⁻¹",
    cases=lambda a: [
        call(a(3)),
        call(a(3), 5),
        call(a(3), 4, True),
        call(a(2), N=1),
        call(a(2), N=0),
        call(a(0), 3),
        call(np.array([0.0, 0.5]), increasing=True),
    ],
)

# ---------------------------------------------------------------- arithmetic


def aligned(a1, a2):
    a1, a2 = coefficients(a1), coefficients(a2)
    n = max(len(a1), len(a2))
    return [
        a if len(a) == n else np.concatenate([np.zeros(n - len(a), np.result_type(a)), a]) for a in (a1, a2)
    ]  # fmt: skip


@composed(np.polyadd)
def polyadd(a1, a2):
    return np.add(*aligned(a1, a2))


@composed(np.polysub)
def polysub(a1, a2):
    return np.subtract(*aligned(a1, a2))


@composed(np.polymul)
def polymul(a1, a2):
    known("polymul", a1, a2)
    # NumPy leaves zeros in front away; we do after the product, whose other coefficients have derivatives in them.
    zeros = 0
    factors = [p if size(p) else np.zeros(1, np.result_type(p)) for p in map(coefficients, (a1, a2))]
    for p in factors:
        if np.ndim(p) > 1:
            raise ValueError(f"polymul: a polynomial is a vector of coefficients, and got shape {np.shape(p)}.")
        zeros += first(np.not_equal(p, 0))
    return np.convolve(*factors)[zeros:]


def first(condition):
    """Where the first True stands; the last place, if there is none."""
    return int(np.argmax(condition)) if np.any(condition) else len(condition) - 1


@composed(np.polydiv)
def polydiv(u, v):
    known("polydiv", u, v)
    u, v = coefficients(u) + 0.0, coefficients(v) + 0.0
    dtype = np.result_type(u[0] + v[0])
    scale, quotient, rest = 1.0 / v[0], [], np.astype(u, dtype)
    for k in range(len(u) - len(v) + 1):
        d = scale * rest[k]
        quotient.append(d)
        rest = index_add(rest, -d * v, index=slice(k, k + len(v)))
    rest = rest[first(~np.isclose(rest, 0, rtol=1e-14)) :]
    return np.stack(quotient) if quotient else np.where(False, rest[:1], 0.0), rest


@composed(np.polyder)
def polyder(p, m=1):
    m, p = int(m), p.coeffs if isinstance(p, np.poly1d) else p
    if m < 0:
        raise ValueError(f"polyder(m={m}): how often the derivative is taken is 0 or more; see polyint.")
    if np.ndim(p) == 0:
        raise TypeError("polyder takes a vector of coefficients, and got a number.")
    for _ in range(m):
        p = slope(p)
    return p


@composed(np.polyint)
def polyint(p, m=1, k=None):
    m, k = int(m), np.zeros(int(m) if m > 0 else 0) if k is None else np.atleast_1d(k)
    if m < 0:
        raise ValueError(f"polyint(m={m}): how often the integral is taken is 0 or more; see polyder.")
    if len(k) == 1 and m > 1:
        k = k[0] * np.ones(m)
    if len(k) < m:
        raise ValueError(f"polyint(m={m}) takes one constant or {m}, and got {len(k)}.")
    for i in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), k[i : i + 1]])
    return p


# ---------------------------------------------------------------- roots


def poly_gradient(g, y, a):
    # d det(x - A) = -tr(adj(x - A) dA); the coefficients of the adjugate by Horner's scheme with those of det(x - A).
    term = unit = beside(np.eye(len(a)), a)
    share = g[1] * term
    for k in range(1, len(a)):
        term = a @ term + y[k] * unit
        share = share + g[k + 1] * term
    return -np.swapaxes(share, 0, 1)


def poly(a):
    return np.poly(a)


# The coefficients are polynomials in the entries: their derivatives exist where eigenvalues are equal, too.
characteristic = defop(
    poly,
    poly_gradient,
    formula="-Σ g (the coefficients of adj(x - a))ᵀ",
    cases=lambda a: [call(a(3, 3)), call(a(1, 1)), call(np.ones((2, 2)))],
)


@composed(np.poly)
def np_poly(seq_of_zeros):
    roots = listed(seq_of_zeros)
    if np.ndim(roots) == 2 and len(roots) == np.shape(roots)[1] > 0:
        return characteristic(roots)
    if np.ndim(roots) != 1:
        raise ValueError(f"poly takes a vector of roots or a square matrix, and got shape {np.shape(roots)}.")
    if not len(roots):
        return 1.0
    roots = np.astype(roots, np.mintypecode(np.result_type(roots).char))
    p = one = np.ones(1, np.result_type(roots))
    for i in range(len(roots)):
        p = np.convolve(p, np.concatenate([one, -roots[i : i + 1]]))
    if np.result_type(p).kind == "c" and np.all(np.equal(np.sort(roots), np.sort(np.conjugate(roots)))):
        return np.real(p)
    return p


def roots(p):
    return np.roots(p)


def slope(p):
    """The derivative of a polynomial."""
    return p[:-1] * beside(np.arange(len(p) - 1, 0, -1), p)


# A root that is there twice has no derivative: there it is infinite or NaN.
roots_op = defop(
    roots,
    lambda g, y, p: -(g / np.polyval(slope(p), y)) @ np.vander(y, size(p)) if size(y) else 0.0,
    formula="-Σ g rᵏ / p'(r), for the coefficient of xᵏ",
    cases=lambda a: [
        call(np.poly(a(4))),
        call(np.append(a(2), 0.0)),
        call(np.array([1.0, 0.4, 2.0])),
        call(np.array([1.0, -0.4, 2.0, 0.7])),
        call(a(1)),
    ],
)


@composed(np.roots)
def np_roots(p):
    return roots_op(listed(p))


# ---------------------------------------------------------------- least squares


def weighted(a, w):
    """``a * w`` in the dtype of `a`, as NumPy's ``a *= w`` makes it."""
    if not np.can_cast(np.result_type(w), np.result_type(a), "same_kind"):
        raise TypeError(f"polyfit: weights of dtype {np.result_type(w)} do not go with data of {np.result_type(a)}.")
    return np.astype(a * w, np.result_type(a)) if np.result_type(a, w) != np.result_type(a) else a * w


@composed(np.polyfit)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    order = int(deg) + 1
    x, y = np.add(x, 0.0), np.add(y, 0.0)
    if deg < 0:
        raise ValueError(f"polyfit(deg={deg}): a degree is 0 or more.")
    if np.ndim(x) != 1 or not len(x):
        raise TypeError(f"polyfit: x is a vector that is not empty, and has shape {np.shape(x)}.")
    if np.ndim(y) not in (1, 2) or len(x) != len(y):
        raise TypeError(f"polyfit: y has as many rows as x, {len(x)}, and has shape {np.shape(y)}.")
    rcond = len(x) * np.finfo(np.result_type(x)).eps if rcond is None else rcond
    matrix, wanted = np.vander(x, order), y
    if w is not None:
        w = np.expand_dims(np.add(w, 0.0), -1)
        if np.shape(w) != (len(y), 1):
            raise TypeError(f"polyfit: w has as many entries as x, {len(x)}, and has shape {np.shape(w)[:-1]}.")
        matrix, wanted = weighted(matrix, w), weighted(y, w if np.ndim(y) == 2 else w[:, 0])
    scale = np.sqrt(np.sum(matrix * matrix, axis=0))
    matrix = matrix / scale
    c, residuals, rank, singular = np.linalg.lstsq(matrix, wanted, rcond)
    c = np.transpose(np.transpose(c) / scale)
    if full:
        return c, residuals, rank, singular, rcond
    if rank != order:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=4)
    if not cov:
        return c
    spread = np.linalg.inv(np.matmul(np.transpose(matrix), matrix)) / np.outer(scale, scale)
    factor = 1
    if not (isinstance(cov, str) and cov == "unscaled"):
        if len(x) <= order:
            raise ValueError(f"polyfit(cov=True) of degree {deg} takes more than {order} points, and got {len(x)}.")
        factor = residuals / (len(x) - order)
    return c, (spread if np.ndim(y) == 1 else np.expand_dims(spread, -1)) * factor


@composed(np.poly1d)
def poly1d(c_or_r, r=False, variable=None):
    """A polynomial that may have a Value for its coefficients: its values, products and derivatives are Values then."""
    return np.poly1d(c_or_r, r, variable)
