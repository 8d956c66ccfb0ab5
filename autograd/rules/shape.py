"""The same entries in another shape or order, and arrays put together and taken apart."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..errors import NoRuleError
from ..op import call, composed, defop, is_foreign, known, size
from .indexing import along, lined_up, numbers

# ---------------------------------------------------------------- shape


def in_order(a, shape, order):
    """np.reshape; other libraries know the order "C" only."""
    if not is_foreign(a):
        return np.reshape(a, shape, order)
    if order == "C":
        return np.reshape(a, shape)
    shape = shape if isinstance(shape, tuple | list) else (shape,)
    return np.transpose(np.reshape(np.transpose(a), tuple(reversed(shape))))


def reshape(a, shape, order="C"):
    return in_order(a, shape, order)


def flat(a, order="C"):
    return in_order(a, (-1,), order) if is_foreign(a) else np.ravel(a, order)


def flattened(g, y, a, order="C"):
    return reshape(g, np.shape(a), order)


def as_before(g, y, a, axis=None):
    return np.reshape(g, np.shape(a))


reshape = defop(
    reshape,
    lambda g, y, a, shape, order="C": reshape(g, np.shape(a), order),
    formula="g, in the shape of a",
    moves=True,
    cases=lambda a: [call(a(2, 6), (3, -1)), call(a(2, 6), 12, order="F"), call(a(1, 1), ()), call(a(), (1, 1))],
)
ravel_op = defop(
    flat,
    flattened,
    name="ravel",
    formula="g, in the shape of a",
    moves=True,
    cases=lambda a: [call(a(2, 3)), call(a(2, 3), "F"), call(a())],
)


def _checked(order):
    if order not in ("C", "F"):
        raise NoRuleError(f"order={order!r} depends on how the array lies in memory; write order='C' or order='F'.")
    return order


@composed(np.reshape)
def np_reshape(a, shape, order="C", *, copy=None):
    return reshape(a, shape, _checked(order))


@composed(np.ravel)
def ravel(a, order="C"):
    return ravel_op(a, _checked(order))


defop(
    np.squeeze,
    as_before,
    formula="g, in the shape of a",
    moves=True,
    cases=lambda a: [call(a(1, 3, 1)), call(a(1, 3, 1), axis=0), call(a(1, 3, 1), axis=(0, -1)), call(a(1))],
)
defop(
    np.expand_dims,
    as_before,
    formula="g, in the shape of a",
    moves=True,
    cases=lambda a: [call(a(2, 3), axis=1), call(a(2, 3), axis=(0, -1)), call(a(), 0)],
)
defop(
    np.broadcast_to,
    lambda g, y, array, shape: g,
    formula="g, summed over the new axes",
    moves=True,
    cases=lambda a: [call(a(3), (2, 3)), call(a(2, 1), (4, 2, 3)), call(a(), (2,))],
)


def transposed(g, y, a, axes=None):
    return np.transpose(g, None if axes is None else np.argsort(np.asarray(axes) % len(axes)).tolist())


defop(
    np.transpose,
    transposed,
    formula="g, with the axes back in place",
    moves=True,
    cases=lambda a: [call(a(2, 3, 4)), call(a(2, 3, 4), (1, 2, 0)), call(a(2, 3, 4), (-1, 0, 1)), call(a())],
)
defop(
    np.swapaxes,
    lambda g, y, a, axis1, axis2: np.swapaxes(g, axis1, axis2),
    formula="g, with the axes swapped back",
    moves=True,
    cases=lambda a: [call(a(2, 3, 4), 0, 2), call(a(2, 3, 4), -1, 0)],
)
defop(
    np.moveaxis,
    lambda g, y, a, source, destination: np.moveaxis(g, destination, source),
    formula="g, with the axes moved back",
    moves=True,
    cases=lambda a: [call(a(2, 3, 4), 0, 2), call(a(2, 3, 4), (0, -1), (1, 0))],
)


@composed(np.rollaxis)
def rollaxis(a, axis, start=0):
    axis, start = normalize_axis_index(axis, np.ndim(a)), start + np.ndim(a) if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if start > axis else start)


@composed(np.matrix_transpose)
def matrix_transpose(x):
    return np.swapaxes(x, -1, -2)


@composed(np.broadcast_arrays)
def broadcast_arrays(*args, subok=False):
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple([np.broadcast_to(a, shape) for a in args])


@composed(np.full_like)
def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None):
    filled = np.broadcast_to(fill_value, np.shape(a) if shape is None else shape)
    return np.astype(filled, np.result_type(a) if dtype is None else dtype)


def each(reshaped, arrays):
    return reshaped(arrays[0]) if len(arrays) == 1 else tuple([reshaped(a) for a in arrays])


def vector(a):
    return a if np.ndim(a) else np.ravel(a)


def matrix(a):
    return a if np.ndim(a) > 1 else np.expand_dims(vector(a), 0)


def cube(a):
    return a if np.ndim(a) > 2 else np.expand_dims(matrix(a), -1)


@composed(np.atleast_1d)
def atleast_1d(*arys):
    return each(vector, arys)


@composed(np.atleast_2d)
def atleast_2d(*arys):
    return each(matrix, arys)


@composed(np.atleast_3d)
def atleast_3d(*arys):
    return each(cube, arys)


def astype(a, dtype):
    return a.astype(dtype)


astype = defop(
    astype,
    lambda g, y, a, dtype: g,
    formula="g, in the dtype of a",
    moves=True,
    cases=lambda a: [call(a(2, 3), np.float64)],
)


@composed(np.astype)
def np_astype(x, dtype, /, *, copy=True, device=None):
    return astype(x, dtype)


def copied(g, y, a, order="K", subok=False):
    return g


def copy(a, order="K", subok=False):
    return a.copy() if is_foreign(a) else np.copy(a, order, subok)


copy = defop(copy, copied, formula="g", moves=True, cases=lambda a: [call(a(2, 3)), call(a())])
composed(np.copy)(copy)

# ---------------------------------------------------------------- order


def rolled(g, y, a, shift, axis=None):
    return np.roll(g, (-np.asarray(shift, int)).tolist(), axis)


defop(
    np.flip,
    lambda g, y, m, axis=None: np.flip(g, axis),
    formula="g, flipped back",
    moves=True,
    cases=lambda a: [call(a(2, 3)), call(a(2, 3), 0), call(a(2, 3, 2), (0, -1))],
)
defop(
    np.roll,
    rolled,
    formula="g, rolled back",
    moves=True,
    cases=lambda a: [call(a(2, 3), 2), call(a(2, 3), 1, axis=0), call(a(2, 3), (1, -2), axis=(0, 1))],
)


@composed(np.fliplr)
def fliplr(m):
    return np.flip(m, 1)


@composed(np.flipud)
def flipud(m):
    return np.flip(m, 0)


@composed(np.rot90)
def rot90(m, k=1, axes=(0, 1)):
    first, second = normalize_axis_tuple(axes, np.ndim(m))  # an error if they are the same
    for _ in range(k % 4):
        m = np.flip(np.swapaxes(m, first, second), first)
    return m


@composed(np.resize)
def resize(a, new_shape):
    if size(a) == 0:
        return np.zeros_like(a, shape=new_shape)
    return np.ravel(a)[np.resize(np.arange(size(a)), new_shape)]


@composed(np.delete)
def delete(arr, obj, axis=None):
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return along(arr, axis, np.delete(np.arange(np.shape(arr)[normalize_axis_index(axis, np.ndim(arr))]), numbers(obj)))


@composed(np.trim_zeros)
def trim_zeros(filt, trim="fb", axis=None):
    if sorted(trim.lower()) not in (["f"], ["b"], ["b", "f"]):
        raise ValueError(f"np.trim_zeros: trim={trim!r}, and it is 'f', 'b' or 'fb'.")
    known("trim_zeros", filt)
    ndim = np.ndim(filt)
    axes = range(ndim) if axis is None else normalize_axis_tuple(axis, ndim)
    places = np.argwhere(filt)
    first, last = (np.min(places, 0), np.max(places, 0)) if places.size else (np.zeros(ndim, int), np.full(ndim, -1))
    front, back = "f" in trim.lower(), "b" in trim.lower() or not places.size
    kept = [slice(i if front else None, k + 1 if back else None) for i, k in zip(first, last, strict=True)]
    return filt[tuple(kept[i] if i in axes else slice(None) for i in range(ndim))]


@composed(np.repeat)
def repeat(a, repeats, axis=None):
    known("repeat(repeats=...)", repeats)
    a, axis = lined_up(a, axis)
    return along(a, axis, np.repeat(np.arange(np.shape(a)[normalize_axis_index(axis, np.ndim(a))]), repeats))


@composed(np.tile)
def tile(A, reps):
    reps = tuple(np.atleast_1d(reps))
    shape = np.shape(A)
    shape, reps = (1,) * (len(reps) - len(shape)) + shape, (1,) * (len(shape) - len(reps)) + reps
    spaced = np.reshape(A, tuple(k for n in shape for k in (1, n)))
    spread = np.broadcast_to(spaced, tuple(k for r, n in zip(reps, shape, strict=True) for k in (r, n)))
    return np.reshape(spread, tuple(r * n for r, n in zip(reps, shape, strict=True)))


def widths(pad_width, ndim):
    """How much to add before and behind each axis, from any of the forms that NumPy takes."""
    if isinstance(pad_width, dict):
        pairs = dict.fromkeys(range(ndim), (0, 0)) | {axis % ndim: width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(pairs[axis], 2) for axis in range(ndim)]
    np.pad(np.zeros((0,) * ndim), pad_width, "empty")  # for its errors
    return np.broadcast_to(pad_width, (ndim, 2))


def unpadded(g, y, array, pad_width, mode="constant", constant_values=0):
    return g[tuple(slice(before, before + n) for (before, _), n in zip(pad_width, np.shape(array), strict=True))]


pad_op = defop(
    np.pad,
    unpadded,
    formula="g, without the margins",
    moves=True,
    cases=lambda a: [
        call(a(2, 3), ((1, 2), (0, 3))),
        call(a(3), ((2, 0),), constant_values=5.0),
        call(a(0, 2), ((1, 1), (1, 1))),
    ],
)


def stacked(nested):
    """Nested lists that may hold Values, as an array."""
    return np.stack([stacked(part) for part in nested]) if isinstance(nested, list | tuple) else nested


def odd_margins(array, axis, pair, edge_twice):
    """The array with its reflection about the point at either end: 2 edge - entry."""
    n = np.shape(array)[axis]
    place = np.arange(-pair[0], n + pair[1])
    # There and back are `period` steps, and the entries are higher by twice the rise from end to end.
    period = 2 * n if edge_twice else 2 * (n - 1)
    rounds, step = np.divmod(place, period)
    back = step >= n
    column = (-1,) + (1,) * (np.ndim(array) - axis - 1)
    rounds, back = rounds.reshape(column), back.reshape(column)
    first, last = along(array, axis, slice(0, 1)), along(array, axis, slice(n - 1, n))
    entry = along(array, axis, np.where(step >= n, period - step - edge_twice, step))
    return np.where(back, 2 * last - entry, entry) + 2 * rounds * (last - first)


def margin(array, axis, width, mode, behind, given):
    """What `pad` puts before or behind an axis."""
    n = np.shape(array)[axis]
    shape = (*np.shape(array)[:axis], width, *np.shape(array)[axis + 1 :])
    if mode == "constant":
        return np.broadcast_to(given, shape)
    if mode == "linear_ramp":
        edge = along(array, axis, slice(n - 1, n) if behind else slice(0, 1))
        step = np.arange(width).reshape((-1,) + (1,) * (np.ndim(array) - axis - 1))
        ramp = given + step * ((edge - given) / max(width, 1))
        return np.flip(ramp, axis) if behind else ramp
    length = n if given is None else min(int(given), n)
    if length == 0 and mode in ("maximum", "minimum"):
        raise ValueError("np.pad: stat_length of 0 yields no value for padding.")
    part = along(array, axis, slice(n - length, n) if behind else slice(0, length))
    function = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}[mode]
    return np.broadcast_to(function(part, axis=axis, keepdims=True), shape)


MARGINS = {
    "constant": "constant_values",
    "linear_ramp": "end_values",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    "edge": None,
    "wrap": None,
} | dict.fromkeys(("maximum", "minimum", "mean", "median"), "stat_length")


@composed(np.pad)
def pad(array, pad_width, mode="constant", **keywords):
    if callable(mode) or mode == "empty":
        raise NoRuleError(
            "np.pad: a margin of unknown content (mode='empty'), or one that a function writes in place, has no "
            "derivative. Pad with one of the other modes, or put the parts together with np.concatenate."
        )
    ndim = np.ndim(array)
    pairs = widths(pad_width, ndim)
    if mode not in MARGINS or set(keywords) - {MARGINS[mode]}:
        raise ValueError(f"np.pad has no mode {mode!r} with the keywords {sorted(keywords)}.")
    if not size(array) and mode != "constant":
        for axis, n in enumerate(np.shape(array)):
            if n == 0 and np.any(pairs[axis]):
                raise ValueError(f"np.pad: axis {axis} is empty, which only a constant can extend.")
        return pad_op(array, pairs)
    odd = keywords.get("reflect_type") == "odd"
    given = stacked(keywords.get(MARGINS[mode], None if MARGINS[mode] == "stat_length" else 0))
    if mode == "constant" and isinstance(given, np.ndarray | int | float | complex | np.generic):
        return pad_op(array, pairs, **keywords) if ndim else np.copy(array)
    dtype = np.result_type(array)
    for axis, pair in enumerate(pairs):
        if not np.any(pair):
            continue
        if odd and np.shape(array)[axis] > 1:
            array = odd_margins(array, axis, pair, mode == "symmetric")
        elif mode in ("edge", "wrap", "reflect", "symmetric"):
            array = along(array, axis, np.pad(np.arange(np.shape(array)[axis]), pair, mode))
        else:
            ends = (None, None) if given is None else np.broadcast_to(given, (ndim, 2))[axis]
            before = margin(array, axis, pair[0], mode, False, ends[0])
            behind = margin(array, axis, pair[1], mode, True, ends[1])
            array = concatenate(before, array, behind, axis=axis)
    return array if np.result_type(array) == dtype else np.astype(array, dtype)


# ---------------------------------------------------------------- together


def concatenate(*arrays, axis=0, dtype=None, casting="same_kind"):
    return np.concatenate(arrays, axis, **({} if dtype is None else {"dtype": dtype, "casting": casting}))


def concatenate_gradient(i, g, y, *arrays, axis=0, dtype=None, casting="same_kind"):
    if axis is None:
        start = sum(size(a) for a in arrays[:i])
        return np.reshape(g[start : start + size(arrays[i])], np.shape(arrays[i]))
    start = sum(np.shape(a)[axis] for a in arrays[:i])
    return along(g, axis, slice(start, start + np.shape(arrays[i])[axis]))


concatenate = defop(
    concatenate,
    concatenate_gradient,
    formula="g, the part that came from here",
    moves=True,
    variadic=True,
    cases=lambda a: [
        call(a(2, 3), a(1, 3), a(0, 3)),
        call(a(2, 3), a(2, 1), a(2, 2), axis=-1),
        call(a(2), a(1, 2), a(), axis=None),
    ],
)


def stack(*arrays, axis=0, dtype=None, casting="same_kind"):
    return np.stack(arrays, axis, **({} if dtype is None else {"dtype": dtype, "casting": casting}))


stack = defop(
    stack,
    lambda i, g, y, *arrays, axis=0, dtype=None, casting="same_kind": along(g, axis, i),
    formula="g, the slice that came from here",
    moves=True,
    variadic=True,
    cases=lambda a: [call(a(2, 3), a(2, 3)), call(a(2, 3), a(2, 3), a(2, 3), axis=-1), call(a(), a())],
)


@composed(np.concatenate)
def np_concatenate(arrays, axis=0, out=None, **keywords):
    return concatenate(*arrays, axis=axis, **keywords)


@composed(np.stack)
def np_stack(arrays, axis=0, out=None, **keywords):
    return stack(*arrays, axis=axis, **keywords)


@composed(np.vstack, getattr(np, "row_stack", np.vstack))  # its old name
def vstack(tup, **keywords):
    return concatenate(*map(matrix, tup), axis=0, **keywords)


@composed(np.hstack)
def hstack(tup, **keywords):
    arrays = [vector(a) for a in tup]
    return concatenate(*arrays, axis=1 if np.ndim(arrays[0]) > 1 else 0, **keywords)


@composed(np.dstack)
def dstack(tup):
    return concatenate(*map(cube, tup), axis=2)


@composed(np.column_stack)
def column_stack(tup):
    return concatenate(*(a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup), axis=1)


def blocks(part, depth, ndim):
    """A nested list of blocks, put together from the innermost lists outwards."""
    if isinstance(part, tuple):
        raise TypeError("np.block takes nested lists, and in them no tuples.")
    if isinstance(part, list) != (depth > 0) or (depth and not part):
        raise ValueError("np.block takes lists that are nested equally deep, and none that is empty.")
    if depth:
        return concatenate(*[blocks(item, depth - 1, ndim) for item in part], axis=-depth)
    return np.reshape(part, (1,) * (ndim - np.ndim(part)) + np.shape(part))


def leaves(part):
    return [leaf for item in part for leaf in leaves(item)] if isinstance(part, list) else [part]


@composed(np.block)
def block(arrays):
    depth, part = 0, arrays
    while isinstance(part, list):
        depth, part = depth + 1, part[0] if part else None
    return blocks(arrays, depth, max([depth, *(np.ndim(leaf) for leaf in leaves(arrays))]))


@composed(np.append)
def append(arr, values, axis=None):
    if axis is None:
        arr, values, axis = np.ravel(arr), np.ravel(values), 0
    return concatenate(arr, values, axis=axis)


@composed(np.insert)
def insert(arr, obj, values, axis=None):
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis, n, dtype = normalize_axis_index(axis, np.ndim(arr)), np.shape(arr)[axis], np.result_type(arr)
    extra = np.ndim(values) - np.ndim(arr)  # axes of length 1 in front, which an assignment leaves away
    values = np.reshape(values, (1,) * -extra + np.shape(values))
    if not isinstance(obj, slice) and np.ndim(obj) == 0:
        values = np.moveaxis(values, 0, axis)
    obj = numbers(obj)
    many = size(np.insert(np.arange(n), obj, 0)) - n  # how many the index asks for; one place takes any number
    many = np.shape(values)[axis] if many == 1 else many
    place = np.insert(np.arange(n), obj, np.arange(n, n + many))
    if extra > 0 and np.shape(values)[:extra] == (1,) * extra:
        values = np.reshape(values, np.shape(values)[extra:])
    values = np.broadcast_to(values, (*np.shape(arr)[:axis], many, *np.shape(arr)[axis + 1 :]))
    return along(concatenate(arr, np.astype(values, dtype), axis=axis), axis, place)


@composed(np.meshgrid)
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid: indexing={indexing!r}, and it is 'xy' or 'ij'.")
    axes = [1, 0, *range(2, len(xi))] if indexing == "xy" and len(xi) > 1 else range(len(xi))
    grids = [np.reshape(x, (1,) * i + (-1,) + (1,) * (len(xi) - i - 1)) for i, x in zip(axes, xi, strict=True)]
    return tuple(grids) if sparse else np.broadcast_arrays(*grids)


# ---------------------------------------------------------------- apart


@composed(np.array_split)
def array_split(ary, indices_or_sections, axis=0):
    parts = np.array_split(np.arange(np.shape(ary)[axis]), numbers(indices_or_sections))
    return [along(ary, axis, slice(int(p[0]), int(p[-1]) + 1) if p.size else slice(0, 0)) for p in parts]


@composed(np.split)
def split(ary, indices_or_sections, axis=0):
    np.split(np.arange(np.shape(ary)[axis]), numbers(indices_or_sections))  # for its errors
    return np.array_split(ary, indices_or_sections, axis)


@composed(np.hsplit)
def hsplit(ary, indices_or_sections):
    return split_deep(ary, indices_or_sections, axis=1 if np.ndim(ary) > 1 else 0, least=1)


@composed(np.vsplit)
def vsplit(ary, indices_or_sections):
    return split_deep(ary, indices_or_sections, 0, least=2)


@composed(np.dsplit)
def dsplit(ary, indices_or_sections):
    return split_deep(ary, indices_or_sections, 2, least=3)


def split_deep(ary, indices_or_sections, axis, least):
    if np.ndim(ary) < least:
        raise ValueError(f"splitting along axis {axis} takes an array of {least} or more axes, not {np.ndim(ary)}.")
    return np.split(ary, indices_or_sections, axis)


if hasattr(np, "unstack"):  # NumPy 2.1

    @composed(np.unstack)
    def unstack(x, /, *, axis=0):
        return tuple(np.moveaxis(x, axis, 0))


# ---------------------------------------------------------------- slice by slice


@composed(np.apply_along_axis)
def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    axis = normalize_axis_index(axis, np.ndim(arr))
    lanes = np.moveaxis(arr, axis, -1)
    kept = np.shape(lanes)[:-1]
    if 0 in kept:
        raise ValueError("np.apply_along_axis: an axis to go along has length 0, so there is nothing to call.")
    results = np.stack([func1d(lanes[place], *args, **kwargs) for place in np.ndindex(kept)])
    shape = np.shape(results)[1:]
    results = np.reshape(results, kept + shape)
    return np.moveaxis(results, range(len(kept), len(kept) + len(shape)), range(axis, axis + len(shape)))


@composed(np.apply_over_axes)
def apply_over_axes(func, a, axes):
    ndim = np.ndim(a)
    for axis in np.atleast_1d(axes):
        axis = int(axis) + ndim if axis < 0 else int(axis)
        reduced = func(a, axis)
        a = reduced if np.ndim(reduced) == np.ndim(a) else np.expand_dims(reduced, axis)
        if np.ndim(a) != ndim:
            raise ValueError("np.apply_over_axes: the function does not return an array of the right number of axes.")
    return a


@composed(np.fromfunction)
def fromfunction(function, shape, *, dtype=float, **kwargs):
    """What your function returns, which it is called for once, on arrays of indices."""
    return np.fromfunction(function, shape, dtype=dtype, **kwargs)
