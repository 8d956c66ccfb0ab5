"""Products of matrices and tensors. A formula is the rule in words; ᵀ swaps the last two axes."""

from string import ascii_lowercase, ascii_uppercase

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import call, composed, defop


def swap(a):
    return np.swapaxes(a, -1, -2)


def product(a, b):
    """``a @ b``; of two plain matrices by the method, which is the shortest way to the same numbers."""
    return a.dot(b) if type(a) is type(b) is np.ndarray and a.ndim == b.ndim == 2 else a @ b


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
    return np.matmul(np.ravel(a), np.ravel(b))


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
    left, right = (
        list(normalize_axis_tuple(np.atleast_1d(ax), np.ndim(x))) for x, ax in zip((a, b), axes, strict=True)
    )
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
            others.append((letter + twin, np.eye(n)))
            letter = twin
        elif not any(letter in term for term, _ in others):  # summed within this operand alone: the same everywhere
            others.append((letter, np.ones(n)))
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
