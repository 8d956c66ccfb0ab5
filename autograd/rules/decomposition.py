"""Matrices solved, factored and measured: `numpy.linalg`, on stacks of matrices, real and complex.

In the formulas ᵀ swaps the last two axes, ᴴ also conjugates, and ∘ multiplies entry by entry.

Vectors of a decomposition (of `eigh`, `eig`, `svd`) are known up to a sign or a phase, and between equal eigenvalues up
to a rotation; the gradient is that of a loss that does not depend on this choice. Where vectors belong to equal
eigenvalues, or to ones that rounding errors cannot tell apart, no such derivative exists, and the gradient is NaN.
"""

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.linalg import LinAlgError

from ..errors import NoRuleError
from ..op import beside, call, certain, composed, defop, defparts, is_foreign, plain, registry, size
from .indexing import scatter
from .linalg import adjoint, conj, swap
from .reduction import expand, others

# What NumPy's functions with several results return.
SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))
QRResult: Any = type(np.linalg.qr(np.eye(1)))
EighResult: Any = type(np.linalg.eigh(np.eye(1)))
EigResult: Any = type(np.linalg.eig(np.eye(1)))
SVDResult: Any = type(np.linalg.svd(np.eye(1)))


def hermitian(a):
    """The Hermitian part: the gradient of a Hermitian matrix of which NumPy reads one triangle."""
    return 0.5 * (a + adjoint(a))


def outer_product(a, b):
    """Of stacks of vectors: ``a bᵀ``."""
    return np.expand_dims(a, -1) * np.expand_dims(b, -2)


def square(a, around=0.0):
    """Stacks of square matrices for the tests: small entries, and `around` on the diagonal."""
    shapes = [(3, 3), (2, 3, 3), (1, 1), (0, 0), (0, 2, 2)]
    return [np.asarray(a(*shape)) + around * np.diag(np.arange(shape[-1]) + 1.0) for shape in shapes]


def rectangular(a):
    """The same of matrices of other shapes."""
    shapes = [(3, 3), (3, 2), (2, 4), (2, 4, 3), (1, 1), (0, 2), (2, 2, 0)]
    return [a(*shape) + np.eye(shape[-2], shape[-1]) * (1.0 + np.arange(shape[-1])) for shape in shapes]


# ---------------------------------------------------------------- determinants


def _cofactor(a):
    """``det(a) inv(a)ᵀ``, also where `a` is singular: there it comes from the singular values, without a division."""
    determinant = np.linalg.det(a)
    if certain(np.all(determinant)):
        return determinant[..., None, None] * swap(np.linalg.inv(a))
    u, s, vh = np.linalg.svd(a)
    turn = np.linalg.det(u) * np.linalg.det(vh)
    return conj(u) * (turn[..., None] * others(s))[..., None, :] @ conj(vh)


def cofactor_gradient(g, y, a):
    size = np.linalg.norm(a, axis=(-2, -1)) * np.linalg.norm(y, axis=(-2, -1))
    if not np.any(size >= 1e4 * np.abs(np.linalg.det(a))):
        inverted = swap(np.linalg.inv(a))
        return np.sum(g * y, axis=(-2, -1), keepdims=True) * inverted - y @ swap(g) @ inverted
    # Close to a singular matrix the two cancel. Entry by entry then, each a determinant without a row and a column:
    # exact, for n⁵ operations in the place of n³.
    n = np.shape(a)[-1]
    rest = np.array([[k for k in range(n) if k != i] for i in range(n)], int).reshape(n, n - 1)
    g = g * beside((-1.0) ** np.add.outer(np.arange(n), np.arange(n)), a)
    share = 0.0
    for i in range(n):
        index = (..., rest[i][None, :, None], rest[:, None, :])
        share = share + scatter(g[..., i, :, None, None] * cofactor(a[index]), shape=np.shape(a), index=index)
    return share


SINGULAR = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
                     [[1.0, 2.0, -1.0], [2.0, 4.0, -2.0], [-1.0, -2.0, 1.0]]])  # fmt: skip

cofactor = defop(
    _cofactor,
    cofactor_gradient,
    formula="(Σ g∘y) a⁻ᵀ - y gᵀ a⁻ᵀ, in the limit where a is singular",
    cases=lambda a: [call(x) for x in [*square(a, 2.0), SINGULAR, np.zeros((2, 2)), np.zeros((1, 1))]],
)
# Exact for singular matrices, to any order.
defop(
    np.linalg.det,
    lambda g, y, a: g[..., None, None] * cofactor(a),
    formula="g det(a) a⁻ᵀ",
    name="linalg.det",
    cases=lambda a: [call(x) for x in [*square(a, 2.0), SINGULAR, np.zeros((2, 2)), np.zeros((1, 1))]],
)


def inverse(a):
    """The inverse; NaN for a singular matrix, at which NumPy's own would stop for the whole stack."""
    try:
        return np.linalg.inv(a)
    except LinAlgError:
        singular = np.linalg.slogdet(a)[0] == 0
        return np.linalg.inv(np.where(singular[..., None, None], math.nan, a))


def sign_gradient(g, y, a, saved=None):
    if not np.iscomplexobj(a):
        return 0.0
    return 1j * np.imag(g * y)[..., None, None] * swap(inverse(a))


# Of a singular matrix log|det| is -inf, and its gradient NaN.
defparts(
    np.linalg.slogdet,
    {"sign": sign_gradient, "logabsdet": lambda g, y, a, saved=None: g[..., None, None] * swap(inverse(a))},
    formula={"sign": "0; of a complex matrix i Im(g sign) a⁻ᵀ", "logabsdet": "g a⁻ᵀ"},
    name="linalg.slogdet",
    make=lambda results: SlogdetResult(*results),
    cases=lambda a: [call(x) for x in square(a, 2.0)],
)

# ---------------------------------------------------------------- equations

defop(
    np.linalg.inv,
    lambda g, y, a: -swap(y) @ g @ swap(y),
    formula="-yᵀ g yᵀ",
    name="linalg.inv",
    cases=lambda a: [call(x) for x in square(a, 2.0)],
)


def solve_right(g, y, a, b):
    if np.ndim(b) == 1:
        return np.linalg.solve(swap(a), np.expand_dims(g, -1))[..., 0]
    return np.linalg.solve(swap(a), g)


def solve_left(g, y, a, b):
    share = solve_right(g, y, a, b)
    return -outer_product(share, y) if np.ndim(b) == 1 else -(share @ swap(y))


defop(
    np.linalg.solve,
    (solve_left, solve_right),
    formula=("-a⁻ᵀ g yᵀ", "a⁻ᵀ g"),
    name="linalg.solve",
    cases=lambda a: [
        call(a(3, 3) + 4 * np.eye(3), a(3)),
        call(a(3, 3) + 4 * np.eye(3), a(3, 2)),
        call(a(2, 3, 3) + 4 * np.eye(3), a(3)),
        call(a(2, 1, 3, 3) + 4 * np.eye(3), a(4, 3, 1)),
        call(a(1, 1) + 3.0, a(5, 1, 2)),
        call(np.zeros((0, 0)), np.zeros((0, 2))),
    ],
)


@composed(np.linalg.tensorsolve)
def tensorsolve(a, b, axes=None):
    order = list(range(np.ndim(a)))
    for axis in () if axes is None else axes:
        order.remove(axis)
        order.append(axis)
    shape = tuple(np.shape(a)[axis] for axis in order)[-(np.ndim(a) - np.ndim(b)) :]
    n = math.prod(shape)
    if size(a) != n**2:
        raise LinAlgError(f"tensorsolve: shapes {np.shape(a)} and {np.shape(b)} make no square matrix.")
    return np.reshape(np.linalg.solve(np.reshape(np.transpose(a, order), (n, n)), np.ravel(b)), shape)


@composed(np.linalg.tensorinv)
def tensorinv(a, ind=2):
    if ind <= 0:
        raise ValueError(f"tensorinv(ind={ind}): it is the number of first axes, 1 or more.")
    shape = np.shape(a)
    inverted = np.linalg.inv(np.reshape(a, (math.prod(shape[ind:]), -1)))
    return np.reshape(inverted, shape[ind:] + shape[:ind])


def pinv_gradient(g, y, a, rcond=None, hermitian=False, *, rtol=None):
    rows, columns = np.shape(a)[-2:]
    yt, gh = swap(y), adjoint(g)
    share = (beside(np.eye(rows), a) - swap(a @ y)) @ gh @ conj(y) @ yt
    share = share - yt @ g @ yt + yt @ conj(y) @ gh @ (beside(np.eye(columns), a) - swap(y @ a))
    return 0.5 * (share + adjoint(share)) if hermitian else share


def pinv(a, rcond=None, hermitian=False, *, rtol=None):
    if is_foreign(a):  # of which few know more than a cutoff
        cutoff = rcond if rtol is None else rtol
        return np.linalg.pinv(a) if cutoff is None else np.linalg.pinv(a, cutoff)
    return np.linalg.pinv(a, rcond, hermitian, **({} if rtol is None else {"rtol": rtol}))


# Of a matrix without full rank: the derivative along changes that keep its rank.
pinv_op = defop(
    pinv,
    pinv_gradient,
    formula="-yᵀ g yᵀ, and two terms with 1 - a y and 1 - y a, which are 0 for a square matrix",
    name="linalg.pinv",
    domain=(-0.5, 0.5),
    cases=lambda a: [
        *(
            call(a(*shape) + np.eye(shape[-2], shape[-1]))
            for shape in [(4, 3), (2, 4), (2, 3, 2), (2, 2), (0, 2), (2, 3, 0)]
        ),
        call(a(3, 3) + 3 * np.eye(3), 1e-10),
        call(a(3, 2) + np.eye(3, 2), rtol=1e-10),
        call(a(3, 3) + 3 * np.eye(3), hermitian=True),
    ],
)
composed(np.linalg.pinv)(pinv_op)


def smallest(a, rcond):
    """Of the singular values that lstsq does not take for 0, the smallest, in terms of the largest."""
    eps = np.finfo(float).eps  # NumPy computes in double precision
    return eps * max(np.shape(a)) if rcond is None else rcond if 0 < rcond < 1 else eps / 2  # as LAPACK does


def fitted(g, y, a, b, rcond):
    """What the rules of the solution need: all as matrices, the pseudo-inverse, and the gradient of b."""
    if np.ndim(b) == 1:
        g, y, b = np.expand_dims(g, 1), np.expand_dims(y, 1), np.expand_dims(b, 1)
    inverted = np.linalg.pinv(a, smallest(a, rcond))
    return g, y, b - a @ y, inverted, swap(inverted) @ g


def solution_left(g, y, a, b, rcond=None, saved=None):
    g, x, residual, inverted, share = fitted(g, y, a, b, rcond)
    gh, it = adjoint(g), swap(inverted)
    return (
        conj(residual) @ (gh @ conj(inverted) @ it)
        - share @ swap(x)
        + (it @ conj(x) @ gh) @ (beside(np.eye(np.shape(a)[1]), a) - swap(inverted @ a))
    )


def solution_right(g, y, a, b, rcond=None, saved=None):
    share = fitted(g, y, a, b, rcond)[-1]
    return share[:, 0] if np.ndim(b) == 1 else share


def residuals_right(g, y, a, b, rcond=None, saved=None):
    if not size(y):
        return 0.0
    solution = np.linalg.lstsq(a, b, rcond)[0] if saved is None else saved[0]
    return 2 * conj(b - a @ solution) * g


def residuals_left(g, y, a, b, rcond=None, saved=None):
    if not size(y):
        return 0.0
    solution = np.linalg.lstsq(a, b, rcond)[0] if saved is None else saved[0]
    share = residuals_right(g, y, a, b, rcond, saved)
    return -(outer_product(share, solution) if np.ndim(b) == 1 else share @ swap(solution))


def _lstsq(a, b, rcond=None):
    solution, residuals, _, s = np.linalg.lstsq(a, b, rcond)
    return solution, residuals, s


# Of a matrix without full rank: the derivative along changes that keep its rank.
defparts(
    _lstsq,
    {
        "solution": (solution_left, solution_right),
        "residuals": (residuals_left, residuals_right),
        "s": (lambda g, y, a, b, rcond=None, saved=None: svd_s(g, y, a), None),
    },
    formula={
        "solution": ("that of pinv(a) from g bᵀ", "pinv(a)ᵀ g"),
        "residuals": ("-2 g conj(b - a x) xᵀ", "2 g conj(b - a x)"),
        "s": ("ū g v̄", "0"),
    },
    name="linalg.lstsq",
    domain=(-0.5, 0.5),
    cases=lambda a: [
        call(a(5, 3) + np.eye(5, 3), a(5)),
        call(a(4, 2) + np.eye(4, 2), a(4, 3), None),
        call(a(2, 4) + np.eye(2, 4) * [1.0, 2.0, 1.0, 1.0], a(2, 2), rcond=1e-10),
        call(a(3, 3) + np.diag([1.0, 2.0, 3.0]), a(3), rcond=-1),
        call(np.zeros((0, 2)), np.zeros((0, 3))),
    ],
)
lstsq_parts = registry[_lstsq]


@composed(np.linalg.lstsq)
def lstsq(a, b, rcond=None):
    solution, residuals, s = lstsq_parts(a, b, rcond=rcond)
    return solution, residuals, np.count_nonzero(s > smallest(a, rcond) * s[:1]), s


# ---------------------------------------------------------------- Cholesky and QR


def cholesky_gradient(g, y, a, /, *, upper=False):
    lower, g = (adjoint(y), adjoint(g)) if upper else (y, g)
    n = np.shape(a)[-1]
    inverted = np.linalg.inv(lower)
    return hermitian(swap(inverted) @ ((swap(lower) @ g) * beside(np.tri(n) - 0.5 * np.eye(n), g)) @ conj(inverted))


def cholesky(a, /, *, upper=False):
    if is_foreign(a):
        return adjoint(np.linalg.cholesky(adjoint(a))) if upper else np.linalg.cholesky(a)
    return np.linalg.cholesky(a, upper=upper)


# NumPy reads one triangle and takes the matrix for Hermitian; the gradient is that of a Hermitian matrix, Hermitian
# itself, and so stands in both triangles.
cholesky_op = defop(
    cholesky,
    cholesky_gradient,
    formula="the Hermitian part of y⁻ᵀ (lower half of yᵀ g) conj(y)⁻¹",
    name="linalg.cholesky",
    domain=(-0.5, 0.5),
    cases=lambda a: [call(x, **k) for x in square(a, 2.0) for k in ({}, {"upper": True})],
)
composed(np.linalg.cholesky)(cholesky_op)


def _qr(a, mode="reduced"):
    return (None, np.linalg.qr(a, mode)) if mode == "r" else np.linalg.qr(a, mode)


def qr_gradient(g_q, g_r, a, mode, saved):
    if mode == "r":
        mode, saved = "reduced", None
    q, r = np.linalg.qr(a, mode) if saved is None else saved
    g_q, g_r = np.zeros_like(q) if g_q is None else g_q, np.zeros_like(r) if g_r is None else g_r
    k = min(np.shape(a)[-2:])
    beyond, g_beyond = r[..., k:], g_r[..., k:]  # of a wide matrix, the columns that do not make q
    r, g_r = r[..., :k, :k], g_r[..., :k, :k]
    if np.shape(a)[-1] > k:
        g_q = g_q + conj(q @ beyond) @ adjoint(g_beyond)
    q1, g1 = q[..., :k], g_q[..., :k]
    half = (g_r @ swap(r) - swap(q1) @ g1) * beside(np.tri(k).T - 0.5 * np.eye(k), a)
    share = g1 + conj(q1) @ (half + adjoint(half))
    if np.shape(q)[-1] > k:
        share = share - conj(q[..., k:]) @ adjoint(g_q[..., k:]) @ conj(q1)
    # A column that depends on those before it leaves q undetermined.
    lengths = np.linalg.norm(r, axis=-2)
    dependent = np.abs(np.diagonal(r, axis1=-2, axis2=-1)) <= 8 * k * np.finfo(np.result_type(r)).eps * lengths
    if not certain(np.all(~dependent)):
        r = np.where(np.any(dependent, -1)[..., None, None], math.nan, r)
    share = swap(np.linalg.solve(r, swap(share)))
    return np.concatenate([share, conj(q) @ g_beyond], -1) if np.shape(a)[-1] > k else share


# The columns that mode="complete" adds to q are any that complete the basis: the gradient is that of a loss that does
# not depend on their choice. Where columns of `a` depend on those before them, it is NaN.
_, r_part = defparts(
    _qr,
    {
        "Q": lambda g, y, a, mode="reduced", saved=None: qr_gradient(g, None, a, mode, saved),
        "R": lambda g, y, a, mode="reduced", saved=None: qr_gradient(None, g, a, mode, saved),
    },
    formula={
        "Q": "(g - q̄ (m + mᴴ)) r⁻ᵀ, m the upper half of qᵀ g",
        "R": "q̄ (m + mᴴ) r⁻ᵀ, m the upper half of g rᵀ",
    },
    name="linalg.qr",
    make=lambda results: QRResult(*results),
    cases=lambda a: (
        [
            call(a(*shape) + np.eye(shape[-2], shape[-1]))
            for shape in [(4, 3), (3, 3), (2, 3), (2, 4, 3), (0, 2), (2, 2, 0)]
        ]
        + [call(a(*shape) + np.eye(shape[-2], shape[-1]), "complete") for shape in [(4, 2), (2, 3)]]
    ),
)
qr_parts = registry[_qr]


@composed(np.linalg.qr)
def qr(a, mode="reduced"):
    if mode == "r":
        return r_part(a, mode="r")
    if mode not in ("reduced", "complete"):
        np.linalg.qr(np.eye(1), mode)  # for its errors
        raise NoRuleError(f"np.linalg.qr(mode={mode!r}) has no derivative rule; 'reduced', 'complete' and 'r' have.")
    return qr_parts(a, mode=mode)


# ---------------------------------------------------------------- eigenvalues and singular values


def tiny(values):
    """How large a difference between eigenvalues, or singular values, may be made of rounding errors only."""
    return 8 * np.finfo(np.result_type(values)).eps * np.sum(np.abs(values), axis=-1, keepdims=True)


def over(m, divisors, least):
    """``m / divisors``; NaN where the divisor is 0, or nothing but rounding errors and `m` is not 0."""
    undefined = (np.abs(divisors) <= least) & (m != 0)
    return m / divisors if certain(np.all(~undefined)) else np.where(undefined, math.nan, m / divisors)


def over_gaps(m, values):
    """``m[i, j] / (values[j] - values[i])`` off the diagonal, where 0 is: how vectors turn into each other."""
    gaps = values[..., None, :] - values[..., :, None]
    return over(m, np.where(beside(np.eye(np.shape(values)[-1]), gaps), math.inf, gaps), tiny(values)[..., None])


def eigenvalues_gradient(g, y, a, UPLO="L", saved=None):
    v = np.linalg.eigh(a, UPLO)[1] if saved is None else saved[1]
    return (conj(v) * g[..., None, :]) @ swap(v)


def eigenvectors_gradient(g, y, a, UPLO="L", saved=None):
    w, v = np.linalg.eigh(a, UPLO) if saved is None else saved
    return hermitian(conj(v) @ over_gaps(swap(v) @ g, w) @ swap(v))


# Of eigh, eigvalsh: NumPy reads one triangle and takes the matrix for Hermitian; the gradient is that of a Hermitian
# matrix, Hermitian itself. That of the eigenvalues is finite also where they are equal; their second derivative, which
# comes through the vectors, is NaN there.
defparts(
    np.linalg.eigh,
    {"eigenvalues": eigenvalues_gradient, "eigenvectors": eigenvectors_gradient},
    formula={"eigenvalues": "v̄ g vᵀ", "eigenvectors": "v̄ (vᵀ g / (wⱼ - wᵢ)) vᵀ"},
    name="linalg.eigh",
    make=lambda results: EighResult(*results),
    domain=(-0.5, 0.5),
    cases=lambda a: [call(x, **k) for x in square(a, 2.0) for k in ({}, {"UPLO": "U"})],
)
defop(
    np.linalg.eigvalsh,
    eigenvalues_gradient,
    formula="v̄ g vᵀ",
    name="linalg.eigvalsh",
    domain=(-0.5, 0.5),
    cases=lambda a: [call(x, **k) for x in square(a, 2.0) for k in ({}, {"UPLO": "U"})],
)


def any_eigenvalues_gradient(g, y, a, saved=None):
    v = np.linalg.eig(a)[1] if saved is None else saved[1]
    return (swap(inverse(v)) * g[..., None, :]) @ swap(v)


def any_eigenvectors_gradient(g, y, a, saved=None):
    w, v = np.linalg.eig(a) if saved is None else saved
    turned = swap(v) @ g
    along = np.diagonal(turned, axis1=-2, axis2=-1)  # vectors keep their length
    turned = turned - (swap(v) @ conj(v)) * along[..., None, :]
    return swap(inverse(v)) @ over_gaps(turned, w) @ swap(v)


defparts(
    np.linalg.eig,
    {"eigenvalues": any_eigenvalues_gradient, "eigenvectors": any_eigenvectors_gradient},
    formula={
        "eigenvalues": "v⁻ᵀ g vᵀ",
        "eigenvectors": "v⁻ᵀ ((vᵀ g - vᵀ v̄ diag(vᵀ g)) / (wⱼ - wᵢ)) vᵀ",
    },
    name="linalg.eig",
    make=lambda results: EigResult(*results),
    domain=(-0.5, 0.5),
    cases=lambda a: [*(call(x) for x in square(a, 2.0)), call(np.array([[1.0, -2.0], [3.0, 0.5]]))],
)


@composed(np.linalg.eigvals)
def eigvals(a):
    return np.linalg.eig(a)[0]


def along_vectors(g, u, vh):
    """The gradient of the matrix from that of its singular values."""
    k = np.shape(g)[-1]
    return (conj(u[..., :k]) * g[..., None, :]) @ conj(vh[..., :k, :])


def left_vectors(g, u, s, vh, phases):
    """The gradient of the matrix from that of `u`; `phases`: u alone turns when the phases of u and v differ."""
    k = np.shape(s)[-1]
    g1, u1, row, least = g[..., :k], u[..., :k], s[..., None, :], tiny(s)[..., None]
    turned = swap(u1) @ g1
    turns = over_gaps(turned, s) / np.where(beside(np.eye(k), row), 1.0, row + swap(row))
    turns = (turns + adjoint(turns)) * row
    if phases and np.iscomplexobj(u):
        twist = np.imag(np.diagonal(turned, axis1=-2, axis2=-1))[..., None, :]
        error = (row <= least) & (np.abs(twist) <= swap(tiny(turned)))  # what a loss without phases leaves
        turns = turns + beside(np.eye(k), row) * (1j * over(np.where(error, 0.0, twist), row, least))
    share = conj(u1) @ turns
    if np.shape(u)[-2] > k:
        share = share + over(g1 - conj(u1) @ turned, row, least)
    if np.shape(u)[-1] > k:
        share = share - over(conj(u[..., k:]) @ adjoint(g[..., k:]) @ conj(u1), row, least)
    return share @ conj(vh[..., :k, :])


def _svd(a, full_matrices=True):
    return np.linalg.svd(a, full_matrices)


def svd_u(g, y, a, full_matrices=True, saved=None):
    u, s, vh = np.linalg.svd(a, full_matrices) if saved is None else saved
    return left_vectors(g, u, s, vh, phases=True)


def svd_s(g, y, a, full_matrices=True, saved=None):
    u, _, vh = np.linalg.svd(a, full_matrices=False) if saved is None else saved
    return along_vectors(g * np.sign(y), u, vh)


def svd_vh(g, y, a, full_matrices=True, saved=None):
    u, s, vh = np.linalg.svd(a, full_matrices) if saved is None else saved
    return swap(left_vectors(swap(g), swap(vh), s, swap(u), phases=False))


# A singular value of exactly 0, where it has a kink, gets the gradient 0. The gradient of the singular values is finite
# also where they are equal; their second derivative, which comes through the vectors, is NaN there. The columns that
# full_matrices=True adds to u and v are any that complete the basis: their gradient is that of a loss that does not
# depend on this choice. So are the vectors of a singular value of 0, unless the matrix is square.
defparts(
    _svd,
    {"U": svd_u, "S": svd_s, "Vh": svd_vh},
    formula={
        "U": "ū ((m + mᴴ) s) v̄ + (1 - ū uᵀ) g / s v̄, m = uᵀ g / (sⱼ² - sᵢ²)",
        "S": "ū g v̄",
        "Vh": "the same as for u, of the transposed matrix",
    },
    name="linalg.svd",
    make=lambda results: SVDResult(*results),
    domain=(-0.5, 0.5),
    cases=lambda a: [call(x, full) for x in rectangular(a) for full in (False, True)],
)
svd_parts = registry[_svd]


def _singular_values(a):
    return np.linalg.svd(a, compute_uv=False)


singular_values = defop(
    _singular_values,
    lambda g, y, a: svd_s(g, y, a),
    formula="ū g v̄",
    name="linalg.svdvals",
    domain=(-0.5, 0.5),
    cases=lambda a: [call(x) for x in rectangular(a)],
)


@composed(np.linalg.svdvals)
def svdvals(x, /):
    return singular_values(x)


@composed(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    if not hermitian:
        return svd_parts(a, full_matrices=full_matrices) if compute_uv else singular_values(a)
    if not compute_uv:
        return np.sort(np.abs(np.linalg.eigvalsh(a)))[..., ::-1]
    w, v = np.linalg.eigh(a)
    order = np.argsort(np.abs(w))[..., ::-1]
    w, v = np.take_along_axis(w, order, -1), np.take_along_axis(v, order[..., None, :], -1)
    return SVDResult(v, np.abs(w), adjoint(v * np.copysign(1.0, w)[..., None, :]))


# ---------------------------------------------------------------- norms


def length(y):
    """A norm to divide by: 1 where it is 0. There a vector has no direction, and this no derivative: NaN."""
    zero = y == 0
    return y if certain(np.all(~zero)) else np.where(zero, 1.0 + np.sqrt(y), y)


SIGNS = np.where(np.arange(24).reshape(2, 3, 4) % 3, 1.0, -1.0)


def _norm(x, ord=None, axis=None, keepdims=False):
    return np.linalg.norm(x, ord, axis, keepdims)


def norm_gradient(g, y, x, ord=None, axis=None, keepdims=False):
    if not size(x) or ord == 0:
        return 0.0
    g, y = expand(g, axis, keepdims), expand(y, axis, keepdims)
    if ord is None or ord in (2, "fro", "f"):
        return g * (conj(x) / length(y))
    direction = conj(np.sign(x))
    if ord == 1:
        return g * direction
    if abs(ord) == math.inf:
        at = np.abs(x) == y
        return g * direction * (at / np.sum(at, axis=axis, keepdims=True))
    if ord > 1:
        return g * direction * (np.abs(x) / length(y)) ** (ord - 1)
    return g * direction * (np.where(x == 0, 1.0, np.abs(x)) / y) ** (ord - 1)


# At a kink (the zero vector; for orders up to 1 any zero entry) the gradient of smallest norm is taken, 0, and between
# entries that tie for a maximum or minimum it is shared. The second derivative at the zero vector is NaN.
norm_op = defop(
    _norm,
    norm_gradient,
    formula="g sign(x) (|x| / y)ᵖ⁻¹",
    name="linalg.norm",
    domain=(0.3, 2.0),
    cases=lambda a: [
        *(call(a(2, 3, 4) * SIGNS, ord, k) for ord in (None, 1, 2, 3, 0.5, -2, math.inf, -math.inf) for k in (0, -1)),
        call(a(2, 3)),
        call(a(3), 0),
        call(a(2, 3), "fro", (0, 1), True),
        call(a(2, 3, 4), axis=(-1, 0)),
        call(a(2, 3), ord=4, axis=1, keepdims=True),
        call(a(3), 1.5),
        call(a(0, 3), axis=-1),
    ],
)  # fmt: skip


@composed(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    axes = range(np.ndim(x)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if len(axes) != 2 or ord not in (1, -1, 2, -2, math.inf, -math.inf, "nuc") or not size(x):
        return norm_op(x, ord, axis, keepdims)
    m = np.moveaxis(x if np.result_type(x).kind in "fc" else np.astype(x, float), axes, (-2, -1))
    if ord in (1, -1, math.inf, -math.inf):
        sizes = np.sum(np.abs(m), axis=-2 if abs(ord) == 1 else -1)
    else:
        sizes = np.linalg.svd(m, compute_uv=False)
    reduced = np.sum if ord == "nuc" else np.max if ord > 0 else np.min
    y = reduced(sizes, axis=-1)
    return np.expand_dims(y, tuple(axes)) if keepdims else y


@composed(np.linalg.matrix_norm)
def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


@composed(np.linalg.vector_norm)
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    shape, ndim = np.shape(x), np.ndim(x)
    axes = normalize_axis_tuple(range(ndim) if axis is None else axis, ndim)
    if axis is None:
        y = np.linalg.norm(np.ravel(x), ord, 0)
    elif len(axes) == 1:
        y = np.linalg.norm(x, ord, axes[0])
    else:
        together = math.prod(shape[i] for i in axes)
        rest = [n for i, n in enumerate(shape) if i not in axes]
        y = np.linalg.norm(np.reshape(np.moveaxis(x, axes, range(len(axes))), (together, *rest)), ord, 0)
    return np.reshape(y, [1 if i in axes else n for i, n in enumerate(shape)]) if keepdims else y


@composed(np.linalg.cond)
def cond(x, p=None):
    if not size(x):
        np.linalg.cond(np.zeros(np.shape(x)), p)  # for its error
    with np.errstate(all="ignore"):
        if p is None or p in (2, -2):
            s = np.linalg.svd(x, compute_uv=False)
            ratio = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            inverted = inverse(x)
            ratio = np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(inverted, p, (-2, -1))
        undefined = np.isnan(ratio) & ~np.any(np.isnan(x), axis=(-2, -1))
        if not certain(np.all(~undefined)):  # infinite, and so is the gradient
            ratio = np.where(undefined, math.inf * (1.0 + np.linalg.norm(x, axis=(-2, -1))), ratio)
    return ratio


plain(np.linalg.matrix_rank)
