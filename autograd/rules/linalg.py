"""Products of matrices and tensors. A formula is the rule in words; ᵀ swaps the last two axes."""

import operator
from functools import reduce
from string import ascii_lowercase, ascii_uppercase

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..op import beside, call, composed, defop, is_foreign, plain


def swap(a):
    return np.swapaxes(a, -1, -2)


def conj(a):
    return np.conjugate(a) if np.iscomplexobj(a) else a


def adjoint(a):
    return conj(swap(a))


def product(a, b):
    """``a @ b``; of two plain matrices by the method, which is the shortest way to the same numbers."""
    if type(a) is type(b) is np.ndarray:
        return a.dot(b) if a.ndim == b.ndim == 2 else a @ b
    traced = getattr(type(b), "product", None) or getattr(type(a), "product", None)
    return a @ b if traced is None or not a.ndim == b.ndim == 2 else traced(a, b)


def matrices(g, a, b):
    """The three of ``g = a @ b`` with vectors as the matrices that NumPy takes them for."""
    if np.ndim(b) == 1:
        b, g = np.expand_dims(b, 1), np.expand_dims(g, -1)
    if np.ndim(a) == 1:
        a, g = np.expand_dims(a, 0), np.expand_dims(g, -2)
    return g, a, b


def matmul_left(g, y, a, b):
    if a.ndim == b.ndim == 2:
        return product(g, b.T)
    g, _, columns = matrices(g, a, b)
    share = g @ swap(columns)
    return np.squeeze(share, -2) if np.ndim(a) == 1 else share


def matmul_right(g, y, a, b):
    if a.ndim == b.ndim == 2:
        return product(a.T, g)
    g, rows, _ = matrices(g, a, b)
    share = swap(rows) @ g
    return np.squeeze(share, -1) if np.ndim(b) == 1 else share


def multiplied(a):
    shapes = [((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
              ((5, 1, 2, 3), (4, 3, 2)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,))]  # fmt: skip
    return [call(a(*left), a(*right)) for left, right in shapes]


defop(
    np.matmul,
    (matmul_left, matmul_right),
    formula=("g @ bᵀ", "aᵀ @ g"),
    symbol="@",
    cases=multiplied,
)


@composed(np.dot)
def dot(a, b, out=None):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=((-1,), (-2,)))


@composed(np.vdot)
def vdot(a, b):
    return np.matmul(conj(np.ravel(a)), np.ravel(b))


@composed(np.inner)
def inner(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=((-1,), (-1,)))


@composed(np.outer)
def outer(a, b, out=None):
    return np.multiply(np.expand_dims(np.ravel(a), 1), np.ravel(b))


@composed(np.tensordot)
def tensordot(a, b, axes=2):
    if isinstance(axes, int | np.integer):
        axes = (range(-axes, 0), range(axes))
    left, right = (list(normalize_axis_tuple(ax, np.ndim(x))) for x, ax in zip((a, b), axes, strict=True))
    if [np.shape(a)[i] for i in left] != [np.shape(b)[i] for i in right]:
        raise ValueError(
            f"tensordot of shapes {np.shape(a)} and {np.shape(b)}: axes {left} and {right} differ in length."
        )
    free_a = [i for i in range(np.ndim(a)) if i not in left]
    free_b = [i for i in range(np.ndim(b)) if i not in right]
    shape = tuple(np.shape(a)[i] for i in free_a) + tuple(np.shape(b)[i] for i in free_b)
    summed = int(np.prod([np.shape(a)[i] for i in left], dtype=int))
    rows = int(np.prod([np.shape(a)[i] for i in free_a], dtype=int))
    columns = int(np.prod([np.shape(b)[i] for i in free_b], dtype=int))
    matrix_a = np.reshape(np.transpose(a, free_a + left), (rows, summed))
    matrix_b = np.reshape(np.transpose(b, right + free_b), (summed, columns))
    return np.reshape(np.matmul(matrix_a, matrix_b), shape)


@composed(np.vecdot)
def vecdot(x1, x2, /, *, axis=-1, keepdims=False):
    x1, x2 = (np.moveaxis(x, axis, -1) for x in (x1, x2))
    y = np.squeeze(np.matmul(np.expand_dims(conj(x1), -2), np.expand_dims(x2, -1)), (-2, -1))
    return np.expand_dims(y, axis) if keepdims else y


if hasattr(np, "matvec"):  # NumPy 2.2

    @composed(np.matvec)
    def matvec(x1, x2, /):
        if np.ndim(x1) < 2 or np.ndim(x2) < 1:
            raise ValueError(f"matvec takes matrices and vectors, and got shapes {np.shape(x1)} and {np.shape(x2)}.")
        return np.squeeze(np.matmul(x1, np.expand_dims(x2, -1)), -1)

    @composed(np.vecmat)
    def vecmat(x1, x2, /):
        return np.squeeze(np.matmul(np.expand_dims(conj(x1), -2), x2), -2)


@composed(np.kron)
def kron(a, b):
    axes = max(np.ndim(a), np.ndim(b))
    a, b = (np.reshape(x, (1,) * (axes - np.ndim(x)) + np.shape(x)) for x in (a, b))
    spread = np.expand_dims(a, tuple(range(1, 2 * axes, 2))) * np.expand_dims(b, tuple(range(0, 2 * axes, 2)))
    return np.reshape(spread, tuple(m * n for m, n in zip(np.shape(a), np.shape(b), strict=True)))


def cross(a, b):
    if is_foreign(a) or is_foreign(b):
        a1, a2, b1, b2 = (np.roll(x, -k, -1) for x in (a, b) for k in (1, 2))
        return a1 * b2 - a2 * b1
    return np.cross(a, b)


cross = defop(
    cross,
    (lambda g, y, a, b: cross(b, g), lambda g, y, a, b: cross(g, a)),
    formula=("cross(b, g)", "cross(g, a)"),
    cases=lambda a: [call(a(3), a(3)), call(a(2, 3), a(3)), call(a(2, 1, 3), a(4, 3)), call(a(0, 3), a(1, 3))],
)


@composed(np.cross)
def np_cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("cross takes vectors and got a number.")
    a, b = along_last(a, axisa), along_last(b, axisb)
    lengths = np.shape(a)[-1], np.shape(b)[-1]
    if lengths != (3, 3):
        np.cross(np.zeros(lengths[0]), np.zeros(lengths[1]))  # for its errors, and what it says of two dimensions
        a, b = (with_zero(x) if n == 2 else x for x, n in zip((a, b), lengths, strict=True))
    y = cross(a, b)
    return y[..., 2] if lengths == (2, 2) else y if axisc == -1 else np.moveaxis(y, -1, axisc)


def with_zero(a):
    """Vectors of two dimensions in three."""
    return np.concatenate([a, beside(np.zeros((*np.shape(a)[:-1], 1), np.result_type(a)), a)], -1)


def along_last(a, axis):
    return a if normalize_axis_index(axis, np.ndim(a)) == np.ndim(a) - 1 else np.moveaxis(a, axis, -1)


# ---------------------------------------------------------------- of many matrices


def multi_dot(*arrays):
    return reduce(np.matmul, arrays) if any(map(is_foreign, arrays)) else np.linalg.multi_dot(arrays)


def multi_dot_gradient(i, g, y, *arrays):
    return multi_dot(*(a.T for a in reversed(arrays[:i])), g, *(a.T for a in reversed(arrays[i + 1 :])))


multi_dot = defop(
    multi_dot,
    multi_dot_gradient,
    formula="the product of all others, transposed, with g in the place of this one",
    variadic=True,
    cases=lambda a: [
        call(a(2, 3), a(3, 4)),
        call(a(2, 3), a(3, 1), a(1, 2)),
        call(a(2, 3), a(3, 4), a(4, 1), a(1, 2)),
        call(a(2, 0), a(0, 3), a(3, 2)),
    ],
)


@composed(np.linalg.multi_dot)
def np_multi_dot(arrays, out=None):
    if len(arrays) <= 2:
        return np.dot(*arrays) if len(arrays) == 2 else np.linalg.multi_dot([np.eye(1)] * len(arrays))  # for its error
    first, *_, last = [np.shape(a) for a in arrays]
    arrays = list(arrays)
    if len(first) == 1:
        arrays[0] = np.expand_dims(arrays[0], 0)
    if len(last) == 1:
        arrays[-1] = np.expand_dims(arrays[-1], 1)
    y = multi_dot(*arrays)
    return y if len(first) + len(last) == 4 else np.reshape(y, (*first[:-1], *last[1:]))


@composed(np.linalg.matrix_power)
def matrix_power(a, n):
    shape = np.shape(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power of an array of shape {shape}: the last two axes must be equal.")
    n = operator.index(n)
    if n == 0:
        return np.where(np.True_, beside(np.eye(shape[-1], dtype=np.result_type(a)), a), a)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:
        return np.matmul(np.matmul(a, a), a)
    result = None
    while True:  # as NumPy does, by the bits of n
        n, bit = divmod(n, 2)
        if bit:
            result = a if result is None else np.matmul(result, a)
        if not n:
            return result
        a = np.matmul(a, a)


# ---------------------------------------------------------------- numpy.linalg's own names for these


@composed(np.linalg.matmul)
def linalg_matmul(x1, x2, /):
    return np.matmul(x1, x2)


@composed(np.linalg.vecdot)
def linalg_vecdot(x1, x2, /, *, axis=-1):
    return np.vecdot(x1, x2, axis=axis)


@composed(np.linalg.tensordot)
def linalg_tensordot(x1, x2, /, *, axes=2):
    return np.tensordot(x1, x2, axes)


@composed(np.linalg.outer)
def linalg_outer(x1, x2, /):
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"np.linalg.outer takes two vectors and got shapes {np.shape(x1)} and {np.shape(x2)}.")
    return np.outer(x1, x2)


@composed(np.linalg.cross)
def linalg_cross(x1, x2, /, *, axis=-1):
    if np.shape(x1)[axis] != 3 or np.shape(x2)[axis] != 3:
        raise ValueError(f"np.linalg.cross takes vectors of length 3 and got shapes {np.shape(x1)} and {np.shape(x2)}.")
    return np.cross(x1, x2, axis=axis)


@composed(np.linalg.matrix_transpose)
def linalg_matrix_transpose(x, /):
    return swap(x)


@composed(np.linalg.diagonal)
def linalg_diagonal(x, /, *, offset=0):
    return np.diagonal(x, offset, axis1=-2, axis2=-1)


@composed(np.linalg.trace)
def linalg_trace(x, /, *, offset=0, dtype=None):
    return np.trace(x, offset, axis1=-2, axis2=-1, dtype=dtype)


# ---------------------------------------------------------------- einsum

LETTERS = ascii_uppercase + ascii_lowercase  # in the order in which NumPy numbers and sorts them


def einsum(*operands, subscripts, optimize=False):
    return np.einsum(subscripts, *operands, optimize=optimize)


def einsum_gradient(i, g, y, *operands, subscripts, optimize=False):
    terms, result = subscripts.split("->")
    terms = terms.split(",")
    others = [(term, operand) for j, (term, operand) in enumerate(zip(terms, operands, strict=True)) if j != i]
    others.insert(0, (result, g))
    unused = (chr(c) for c in range(ord("A"), ord("A") + 0x2000) if chr(c).isalpha() and chr(c) not in subscripts)
    target = ""
    for letter, n in zip(terms[i], np.shape(operands[i]), strict=True):
        if letter in target:  # a diagonal: zero off it
            twin = next(unused)
            others.append((letter + twin, beside(np.eye(n), g)))
            letter = twin
        elif not any(letter in term for term, _ in others):  # summed within this operand alone: the same everywhere
            others.append((letter, beside(np.ones(n), g)))
        target += letter
    return np.einsum(",".join(term for term, _ in others) + "->" + target, *(x for _, x in others), optimize=optimize)


einsum = defop(
    einsum,
    einsum_gradient,
    formula="einsum of g with the other operands",
    variadic=True,
    cases=lambda a: [
        call(a(2, 3), a(3, 4), subscripts="ij,jk->ik"),
        call(a(3, 3), subscripts="ii->"),
        call(a(3, 3), subscripts="ii->i"),
        call(a(2, 3), subscripts="ij->"),
        call(a(2, 3), subscripts="ij->ji"),
        call(a(2, 3), a(2), a(3, 4), subscripts="ij,i,jk->k"),
        call(a(2, 1), a(2, 3), subscripts="ij,ij->i"),
    ],
)


@composed(np.einsum)
def np_einsum(*operands, **keywords):
    if not isinstance(operands[0], str):  # operands and lists of axis numbers in turn
        arrays, lists = operands[: len(operands) // 2 * 2 : 2], [*operands[1::2], *operands[len(operands) // 2 * 2 :]]
        terms = ["".join("..." if k is Ellipsis else LETTERS[k] for k in axes) for axes in lists]
        subscripts = ",".join(terms[: len(arrays)]) + "->".join(["", *terms[len(arrays) :]])
    else:
        subscripts, *arrays = operands
    return einsum(*arrays, subscripts=explicit(subscripts, [np.ndim(a) for a in arrays]), **keywords)


def explicit(subscripts, ndims):
    """Subscripts with a letter for each axis behind an ellipsis, and the result written out."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum({subscripts!r}) names {len(terms)} operands and got {len(ndims)}.")
    spare = [c for c in LETTERS if c not in subscripts]
    widths = [n - len(t.replace("...", "")) if "..." in t else 0 for t, n in zip(terms, ndims, strict=True)]
    for term, n, width in zip(terms, ndims, widths, strict=True):
        if width < 0 or ("..." not in term and len(term) != n):
            raise ValueError(f"einsum({subscripts!r}): {term!r} does not fit an operand with {n} axes.")
    batch = "".join(spare[: max(widths, default=0)])
    terms = [t.replace("...", batch[len(batch) - w :]) for t, w in zip(terms, widths, strict=True)]
    if arrow and batch and "..." not in result:
        raise ValueError(f"einsum({subscripts!r}): the result needs the ellipsis of the operands.")
    if arrow:
        result = result.replace("...", batch)
    else:
        named = "".join(terms)
        result = batch + "".join(sorted(c for c in set(named) if named.count(c) == 1 and c not in batch))
    return ",".join(terms) + "->" + result


plain(np.einsum_path)
