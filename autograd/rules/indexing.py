"""Picking entries out of arrays and putting them in. A formula is the rule in words."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..op import as_array, beside, call, composed, defop, is_foreign, is_lazy, known, plain, size, zeros


def repeats(index):
    """Whether the index may name an entry more than once: only arrays of integers can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(getattr(part, "ndim", 0) > 0 and part.dtype != bool for part in parts)


def scatter(a, shape, index):
    """Zeros of the given shape, with `a` added at the index."""
    out = zeros(shape, a)
    if repeats(index):
        return added(out, index, a)
    return assigned(out, index, a)


def assigned(out, index, b):
    """`out`, with `b` at the index."""
    if is_lazy(out) and isinstance(index, tuple) and any(part is None for part in index):
        model = np.broadcast_to(0.0, out.shape)  # Dask knows no new axes here
        b = b + zeros(model[index].shape, out)
        index = tuple(part for part in index if part is not None)
        b = np.reshape(b, model[index].shape)
    out[index] = b
    return out


def added(out, index, b):
    """`out` with `b` added at the index, once for each time that an index comes; a new array, or `out` itself."""
    if not is_foreign(out):
        np.add.at(out, index, b)
    elif not repeats(index):
        return assigned(out, index, out[index] + b)
    else:  # along one axis, which is what other libraries know
        place = beside(np.arange(out.size).reshape(out.shape), out)[index]
        flat = np.ravel(out)
        np.add.at(flat, np.ravel(place), np.ravel(b + zeros(place.shape, out)))
        out = np.reshape(flat, out.shape)
    return out


INDICES: list = [
    1,
    slice(None, None, -2),
    (slice(1, None), 0),
    (..., None, 1),
    np.array([0, 0, 2]),
    (np.array([[0, 1], [1, 1]]), slice(None), np.array([3, 3])),
    np.array([True, False, True]),
    (),
]


def getitem(a, index):
    if is_lazy(a) and repeats(index):
        raise TypeError("of an index of integers, which may name an entry twice, the gradient cannot wait")
    return a[index]


getitem = defop(
    getitem,
    lambda g, y, a, index: scatter(g, shape=np.shape(a), index=index),
    formula="g, at the index; 0 elsewhere",
    moves=True,
    cases=lambda a: [call(a(3, 2, 4), index=index) for index in INDICES],
)
scatter = defop(
    scatter,
    lambda g, y, a, shape, index: g[index],
    formula="g at the index",
    moves=True,
    cases=lambda a: [call(np.asarray(a(3, 2, 4)[index]), shape=(3, 2, 4), index=index) for index in INDICES],
)


def writable(a, b):
    """A copy of `a` that has room for the numbers of `b`."""
    dtype = np.result_type(a, b)
    return a.astype(dtype).copy() if is_foreign(a) else np.array(a, dtype=dtype)


def index_add(a, b, index):
    return added(writable(a, b), index, b)


def index_set(a, b, index):
    return assigned(writable(a, b), index, b)


def set_gradient(g, y, a, b, index):
    if not repeats(index):
        return g[index]
    # Of several that go to the same place only the last one stays.
    number = beside(np.arange(size(y)).reshape(np.shape(y)), y)[index]
    number = beside(np.arange(number.size).reshape(number.shape), y)
    winner = np.zeros_like(getattr(y, "_array", y), float)
    winner[index] = number
    return np.where(winner[index] == number, g[index], 0.0)


index_add = defop(
    index_add,
    (lambda g, y, a, b, index: g, lambda g, y, a, b, index: g[index]),
    formula=("g", "g at the index"),
    moves=True,
    cases=lambda a: (
        [call(a(3, 2, 4), np.asarray(a(3, 2, 4)[i]), index=i) for i in INDICES] + [call(a(3), a(), index=0)]
    ),
)
index_set = defop(
    index_set,
    (lambda g, y, a, b, index: index_set(g, 0.0, index=index), set_gradient),
    formula=("g, 0 at the index", "g at the index"),
    moves=True,
    cuts=lambda i, y, a, b, index: index_set(np.zeros_like(y, bool), i == 0, index=index),
    cases=lambda a: (
        [call(a(3, 2, 4), np.asarray(a(3, 2, 4)[i]), index=i) for i in INDICES] + [call(a(3, 2), a(2), index=0)]
    ),
)


def along(array, axis, index):
    """``array[..., index, ...]``, with the index at the axis."""
    return array[(slice(None),) * normalize_axis_index(axis, np.ndim(array)) + (index,)]


def numbers(x):
    """The data of a Value; anything else as it is."""
    return x.data if hasattr(x, "requires_grad") else x


def lined_up(a, axis):
    """`a` and the axis to go along: flat, if none is named; a number is a vector of one."""
    return (np.ravel(a), 0) if axis is None else (np.atleast_1d(a), axis)


@composed(np.take)
def take(a, indices, axis=None, out=None, mode="raise"):
    a, axis = lined_up(a, axis)
    places = as_array(numbers(indices))
    if mode != "raise" or places.dtype.kind not in "iu":  # NumPy makes indices of these in ways of its own
        count = np.shape(a)[normalize_axis_index(axis, np.ndim(a))]
        places = np.take(beside(np.arange(count), places), numbers(indices), mode=mode)
    return along(a, axis, places)


@composed(np.take_along_axis)
def take_along_axis(arr, indices, axis=-1):
    if axis is None:
        arr, axis = np.ravel(arr), 0
    ndim = np.ndim(arr)
    if np.ndim(indices) != ndim:
        raise ValueError(f"take_along_axis: indices of {np.ndim(indices)} axes do not go along one of {ndim}.")
    index = [np.arange(n).reshape((-1,) + (1,) * (ndim - i - 1)) for i, n in enumerate(np.shape(arr))]
    index[normalize_axis_index(axis, ndim)] = indices
    return arr[tuple(index)]


@composed(np.compress)
def compress(condition, a, axis=None, out=None):
    a, axis = lined_up(a, axis)
    n = np.shape(a)[normalize_axis_index(axis, np.ndim(a))]
    return along(a, axis, np.compress(numbers(condition), beside(np.arange(n), condition)))


@composed(np.extract)
def extract(condition, arr):
    return np.ravel(arr)[np.flatnonzero(condition)]


@composed(np.choose)
def choose(a, choices, out=None, mode="raise"):
    known("choose", a)
    a = np.choose(numbers(a), np.arange(len(choices)), mode=mode)  # with NumPy's errors, and all indices in range
    shape = np.broadcast_shapes(np.shape(a), *map(np.shape, choices))
    dtype, chosen = np.result_type(*choices), choices[0]
    for number, choice in enumerate(choices[1:], 1):
        chosen = np.where(a == number, choice, chosen)
    chosen = chosen if np.shape(chosen) == shape else np.broadcast_to(chosen, shape)
    return chosen if np.result_type(chosen) == dtype else np.astype(chosen, dtype)


@composed(np.select)
def select(condlist, choicelist, default=0):
    condlist = [numbers(condition) for condition in condlist]
    if not any(map(is_lazy, condlist)):
        np.select(condlist, range(len(choicelist)))  # for its errors
    chosen, dtype = default, np.result_type(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        chosen = np.where(condition, choice, chosen)
    return chosen if np.result_type(chosen) == dtype else np.astype(chosen, dtype)


@composed(np.piecewise)
def piecewise(x, condlist, funclist, *args, **kw):
    condlist = [numbers(part) for part in condlist] if isinstance(condlist, list | tuple) else numbers(condlist)
    if np.isscalar(condlist) or (not isinstance(condlist[0], list | np.ndarray) and np.ndim(x)):
        condlist = [condlist]
    known("piecewise", x, *condlist)
    conditions = [np.asarray(condition, bool) for condition in condlist]
    if len(conditions) == len(funclist) - 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(conditions) != len(funclist):
        raise ValueError(
            f"np.piecewise: {len(conditions)} conditions and {len(funclist)} functions, which is too many."
        )
    y, dtype = np.zeros_like(x), np.result_type(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if not callable(function):
            y = index_set(y, function, index=condition)
        elif size(part := x[condition]):
            y = index_set(y, function(part, *args, **kw), index=condition)
    return y if np.result_type(y) == dtype else np.astype(y, dtype)


def sort_gradient(g, y, a, axis=-1, kind=None, order=None, *, stable=None):
    if axis is None:
        return np.reshape(g[np.argsort(np.argsort(np.ravel(a), kind="stable"))], np.shape(a))
    place = np.argsort(np.argsort(a, axis=axis, kind="stable"), axis=axis)
    return np.take_along_axis(g, place, axis)


# Among equals the order is that of a stable sort.
defop(
    np.sort,
    sort_gradient,
    formula="g, put back in the order of a",
    moves=True,
    cases=lambda a: [call(a(3, 4)), call(a(3, 4), axis=0), call(a(3, 4), axis=None), call(a(5))],
)


def partition_gradient(g, y, a, kth, axis=-1, kind="introselect", order=None):
    if axis is None:
        return np.reshape(partition_gradient(g, y, np.ravel(a), kth), np.shape(a))
    # Put in order, a and y are the same: from a place in a to its rank, and from the rank to the place in y.
    rank = np.argsort(np.argsort(a, axis=axis, kind="stable"), axis=axis)
    return np.take_along_axis(np.take_along_axis(g, np.argsort(y, axis=axis, kind="stable"), axis), rank, axis)


# Equals count in the order in which they stand.
defop(
    np.partition,
    partition_gradient,
    formula="g, put back in the order of a",
    moves=True,
    cases=lambda a: [
        call(a(3, 5), 2),
        call(a(5, 3), (1, 3), axis=0),
        call(a(3, 4), kth=-3, axis=None),
        call(a(7), np.array([4, 0])),
    ],
)


@composed(np.sort_complex)
def sort_complex(a):
    dtype = np.result_type(a)
    if dtype.kind == "c":
        return np.sort(a)
    return np.astype(np.sort(a), "F" if dtype.char in "bhBH" else "G" if dtype.char == "g" else "D")


@composed(np.diagonal)
def diagonal(a, offset=0, axis1=0, axis2=1):
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = a.shape[-2:]
    i = np.arange(max(0, min(rows + min(offset, 0), columns - max(offset, 0))))
    return a[..., i - min(offset, 0), i + max(offset, 0)]


@composed(np.diag)
def diag(v, k=0):
    if np.ndim(v) == 2:
        return np.diagonal(v, k)
    if np.ndim(v) != 1:
        raise ValueError(f"diag takes a vector or a matrix and got an array of shape {np.shape(v)}.")
    n = size(v) + abs(k)
    i = np.arange(size(v))
    return scatter(v, shape=(n, n), index=(i - min(k, 0), i + max(k, 0)))


@composed(np.diagflat)
def diagflat(v, k=0):
    return np.diag(np.ravel(v), k)


@composed(np.trace)
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@composed(np.tril)
def tril(m, k=0):
    return np.where(beside(np.tri(*np.shape(m)[-2:], k=k, dtype=bool), m), m, 0.0)


@composed(np.triu)
def triu(m, k=0):
    return np.where(beside(np.tri(*np.shape(m)[-2:], k=k - 1, dtype=bool), m), 0.0, m)


# Which entry, how many, in which order: integers, that jump.
plain(np.lexsort, np.argpartition, np.ravel_multi_index, np.unravel_index, np.ix_, np.indices)
plain(np.diag_indices, np.diag_indices_from, np.mask_indices)
plain(np.tril_indices, np.tril_indices_from, np.triu_indices, np.triu_indices_from, np.tri)
