"""The same entries in another shape or order, and arrays put together and taken apart."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import NoRuleError
from ..op import call, composed, defop
from .indexing import along

# ---------------------------------------------------------------- shape


def reshape(a, shape, order="C"):
    return np.reshape(a, shape, order)


def flattened(g, y, a, order="C"):
    return np.reshape(g, np.shape(a), order)


def as_before(g, y, a, axis=None):
    return np.reshape(g, np.shape(a))


reshape = defop(
    reshape,
    lambda g, y, a, shape, order="C": np.reshape(g, np.shape(a), order),
    formula="g, in the shape of a",
    cases=lambda a: [call(a(2, 6), (3, -1)), call(a(2, 6), 12, order="F"), call(a(1, 1), ()), call(a(), (1, 1))],
)
ravel_op = defop(
    np.ravel,
    flattened,
    formula="g, in the shape of a",
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
    cases=lambda a: [call(a(1, 3, 1)), call(a(1, 3, 1), axis=0), call(a(1, 3, 1), axis=(0, -1)), call(a(1))],
)
defop(
    np.expand_dims,
    as_before,
    formula="g, in the shape of a",
    cases=lambda a: [call(a(2, 3), axis=1), call(a(2, 3), axis=(0, -1)), call(a(), 0)],
)
defop(
    np.broadcast_to,
    lambda g, y, array, shape: g,
    formula="g, summed over the new axes",
    cases=lambda a: [call(a(3), (2, 3)), call(a(2, 1), (4, 2, 3)), call(a(), (2,))],
)


def transposed(g, y, a, axes=None):
    return np.transpose(g, None if axes is None else np.argsort(np.asarray(axes) % len(axes)))


defop(
    np.transpose,
    transposed,
    formula="g, with the axes back in place",
    cases=lambda a: [call(a(2, 3, 4)), call(a(2, 3, 4), (1, 2, 0)), call(a(2, 3, 4), (-1, 0, 1)), call(a())],
)
defop(
    np.swapaxes,
    lambda g, y, a, axis1, axis2: np.swapaxes(g, axis1, axis2),
    formula="g, with the axes swapped back",
    cases=lambda a: [call(a(2, 3, 4), 0, 2), call(a(2, 3, 4), -1, 0)],
)
defop(
    np.moveaxis,
    lambda g, y, a, source, destination: np.moveaxis(g, destination, source),
    formula="g, with the axes moved back",
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
    return a if np.ndim(a) else np.reshape(a, 1)


def matrix(a):
    return a if np.ndim(a) > 1 else np.reshape(a, (1, -1))


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
    cases=lambda a: [call(a(2, 3), np.float64)],
)


@composed(np.astype)
def np_astype(x, dtype, /, *, copy=True, device=None):
    return astype(x, dtype)


def copied(g, y, a, order="K", subok=False):
    return g


defop(np.copy, copied, formula="g", cases=lambda a: [call(a(2, 3)), call(a())])

# ---------------------------------------------------------------- order


def rolled(g, y, a, shift, axis=None):
    return np.roll(g, np.negative(shift), axis)


defop(
    np.flip,
    lambda g, y, m, axis=None: np.flip(g, axis),
    formula="g, flipped back",
    cases=lambda a: [call(a(2, 3)), call(a(2, 3), 0), call(a(2, 3, 2), (0, -1))],
)
defop(
    np.roll,
    rolled,
    formula="g, rolled back",
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
    if normalize_axis_index(axes[0], np.ndim(m)) == normalize_axis_index(axes[1], np.ndim(m)):
        raise ValueError(f"rot90: the axes {axes} must differ.")
    for _ in range(k % 4):
        m = np.flip(np.swapaxes(m, *axes), axes[0])
    return m


@composed(np.repeat)
def repeat(a, repeats, axis=None):
    if axis is None:
        a, axis = np.ravel(a), 0
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
    return np.broadcast_to(pad_width, (ndim, 2))


def unpadded(g, y, array, pad_width, mode="constant", constant_values=0):
    return g[tuple(slice(before, before + n) for (before, _), n in zip(pad_width, np.shape(array), strict=True))]


pad_op = defop(
    np.pad,
    unpadded,
    formula="g, without the margins",
    cases=lambda a: [
        call(a(2, 3), ((1, 2), (0, 3))),
        call(a(3), ((2, 0),), constant_values=5.0),
        call(a(0, 2), ((1, 1), (1, 1))),
    ],
)


@composed(np.pad)
def pad(array, pad_width, mode="constant", **keywords):
    pairs = widths(pad_width, np.ndim(array))
    if mode == "constant":
        return pad_op(array, pairs, **keywords)
    if mode not in ("edge", "reflect", "symmetric", "wrap") or keywords:
        raise NoRuleError(
            f"np.pad(mode={mode!r}) has no derivative rule; 'constant', 'edge', 'reflect', 'symmetric', 'wrap' do."
        )
    for axis, pair in enumerate(pairs):
        array = along(array, axis, np.pad(np.arange(np.shape(array)[axis]), pair, mode))
    return array


# ---------------------------------------------------------------- together


def concatenate(*arrays, axis=0, dtype=None, casting="same_kind"):
    return np.concatenate(arrays, axis, dtype=dtype, casting=casting)


def concatenate_gradient(i, g, y, *arrays, axis=0, dtype=None, casting="same_kind"):
    if axis is None:
        start = sum(np.size(a) for a in arrays[:i])
        return np.reshape(g[start : start + np.size(arrays[i])], np.shape(arrays[i]))
    start = sum(np.shape(a)[axis] for a in arrays[:i])
    return along(g, axis, slice(start, start + np.shape(arrays[i])[axis]))


concatenate = defop(
    concatenate,
    concatenate_gradient,
    formula="g, the part that came from here",
    variadic=True,
    cases=lambda a: [
        call(a(2, 3), a(1, 3), a(0, 3)),
        call(a(2, 3), a(2, 1), a(2, 2), axis=-1),
        call(a(2), a(1, 2), a(), axis=None),
    ],
)


def stack(*arrays, axis=0, dtype=None, casting="same_kind"):
    return np.stack(arrays, axis, dtype=dtype, casting=casting)


stack = defop(
    stack,
    lambda i, g, y, *arrays, axis=0, dtype=None, casting="same_kind": along(g, axis, i),
    formula="g, the slice that came from here",
    variadic=True,
    cases=lambda a: [call(a(2, 3), a(2, 3)), call(a(2, 3), a(2, 3), a(2, 3), axis=-1), call(a(), a())],
)


@composed(np.concatenate)
def np_concatenate(arrays, axis=0, out=None, **keywords):
    return concatenate(*arrays, axis=axis, **keywords)


@composed(np.stack)
def np_stack(arrays, axis=0, out=None, **keywords):
    return stack(*arrays, axis=axis, **keywords)


@composed(np.vstack)
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


# ---------------------------------------------------------------- apart


@composed(np.array_split)
def array_split(ary, indices_or_sections, axis=0):
    parts = np.array_split(np.arange(np.shape(ary)[axis]), indices_or_sections)
    return [along(ary, axis, slice(int(p[0]), int(p[-1]) + 1) if p.size else slice(0, 0)) for p in parts]


@composed(np.split)
def split(ary, indices_or_sections, axis=0):
    np.split(np.arange(np.shape(ary)[axis]), indices_or_sections)  # for its errors
    return np.array_split(ary, indices_or_sections, axis)


@composed(np.hsplit)
def hsplit(ary, indices_or_sections):
    return np.split(ary, indices_or_sections, axis=1 if np.ndim(ary) > 1 else 0)


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
