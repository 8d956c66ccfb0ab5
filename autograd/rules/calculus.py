"""Differences, sums over a grid, interpolation, convolution, grids. A formula is the rule in words."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..op import beside, call, composed, defop, is_foreign, known, size
from .indexing import along, scatter


def array(a):
    """Lists as arrays; Values and arrays as they are."""
    return a if hasattr(a, "__array_function__") else np.asarray(a)


def padded(a, before, after, axis):
    """`a` with zeros before and behind it, along an axis."""
    margins = [(0, 0)] * np.ndim(a)
    margins[axis] = (before, after)
    return np.pad(a, margins)


# ---------------------------------------------------------------- differences


def diff(a, n=1, axis=-1):
    return np.diff(a, n, axis)


def diff_gradient(g, y, a, n=1, axis=-1):
    return (-1) ** n * np.diff(padded(g, n, n, axis), n, axis) if size(y) else 0.0


diff_op = defop(
    diff,
    diff_gradient,
    formula="the differences of g with zeros around it, negative if n is odd",
    cases=lambda a: [
        call(a(5)),
        call(a(3, 4), 2),
        call(a(3, 4), n=3, axis=0),
        call(a(4, 3), 3, 0),
        call(a(2, 4, 2), axis=-2),
        call(a(2, 1)),
        call(a(0, 3)),
    ],
)


@composed(np.diff)
def np_diff(a, n=1, axis=-1, prepend=np._NoValue, append=np._NoValue):
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"diff(n={n}): how often differences are taken is 0 or more.")
    a = array(a)
    if np.ndim(a) == 0:
        raise ValueError("diff takes an array of one axis or more, and got a number.")
    axis = normalize_axis_index(axis, np.ndim(a))
    one = [1 if i == axis else length for i, length in enumerate(np.shape(a))]
    around = [
        None if x is np._NoValue else np.broadcast_to(x, one) if np.ndim(x) == 0 else array(x)
        for x in (prepend, append)
    ]
    parts = [x for x in (around[0], a, around[1]) if x is not None]
    return diff_op(np.concatenate(parts, axis) if len(parts) > 1 else a, n, axis)


@composed(np.ediff1d)
def ediff1d(ary, to_end=None, to_begin=None):
    ary = np.ravel(ary)
    parts = [np.diff(ary)]
    for place, extra in ((0, to_begin), (2, to_end)):
        if extra is None:
            continue
        extra = np.ravel(array(extra))
        if not np.can_cast(np.result_type(extra), np.result_type(ary), "same_kind"):
            raise TypeError(
                f"ediff1d: to_begin and to_end become {np.result_type(ary)}, the dtype of the array, and "
                f"{np.result_type(extra)} does not fit."
            )
        parts.insert(place, np.astype(extra, np.result_type(ary)))
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def stencil(f, axis, weights, *slices):
    """The sum of weight × slice, a finite difference; weights that are not the same everywhere go along the axis."""
    shape = [1] * np.ndim(f)
    shape[axis] = -1
    weights = [w if np.ndim(w) == 0 else np.reshape(w, shape) for w in weights]
    first, *others = [w * along(f, axis, part) for w, part in zip(weights, slices, strict=True)]
    return sum(others, first)


def central(f, d, axis, edge_order):
    """The gradient along one axis, with the distance `d` between neighbours, or an array of all distances."""
    n = np.shape(f)[axis]
    start, end = [slice(k, k + 1) for k in range(3)], [slice(n - k, n - k + 1) for k in (3, 2, 1)]
    if np.ndim(d) == 0:
        inner = (along(f, axis, slice(2, None)) - along(f, axis, slice(None, -2))) / (2.0 * d)
        first, last = (-1.5 / d, 2.0 / d, -0.5 / d), (0.5 / d, -2.0 / d, 1.5 / d)
        d_first = d_last = d
    else:
        p, q = d[:-1], d[1:]
        inner = stencil(
            f, axis, (-q / (p * (p + q)), (q - p) / (p * q), p / (q * (p + q))),
            slice(None, -2), slice(1, -1), slice(2, None),
        )  # fmt: skip
        d_first, d_last = d[0], d[-1]
        if edge_order == 2:
            (p, q), (r, s) = (d[0], d[1]), (d[-2], d[-1])
            first = -(2.0 * p + q) / (p * (p + q)), (p + q) / (p * q), -p / (q * (p + q))
            last = s / (r * (r + s)), -(s + r) / (r * s), (2.0 * s + r) / (s * (r + s))
    if edge_order == 2:
        ends = stencil(f, axis, first, *start), stencil(f, axis, last, *end)
    else:
        ends = (
            (along(f, axis, start[1]) - along(f, axis, start[0])) / d_first,
            (along(f, axis, end[2]) - along(f, axis, end[1])) / d_last,
        )
    return np.concatenate([ends[0], inner, ends[1]], axis)


@composed(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    f = array(f)
    axes = normalize_axis_tuple(range(np.ndim(f)) if axis is None else axis, np.ndim(f))
    if len(varargs) == 0:
        varargs = (1.0,) * len(axes)
    elif len(varargs) == 1 and np.ndim(varargs[0]) == 0:
        varargs *= len(axes)
    elif len(varargs) != len(axes):
        raise TypeError(f"gradient along {len(axes)} axes takes no spacing, one number, or {len(axes)} of them.")
    if np.result_type(f).kind in "iu":
        f = np.astype(f, np.float64)
    return_dtype, results = np.result_type(f), []
    spacings = []
    for spacing, along_axis in zip(varargs, axes, strict=True):
        known("gradient(f, spacing)", spacing)
        if np.ndim(spacing):
            x = array(spacing)
            if np.ndim(x) != 1 or len(x) != np.shape(f)[along_axis]:
                raise ValueError(
                    f"gradient along axis {along_axis}, of length {np.shape(f)[along_axis]}: the coordinates have "
                    f"shape {np.shape(x)}. Give a number, or as many coordinates."
                )
            spacing = np.diff(np.astype(x, np.float64) if np.result_type(x).kind in "iu" else x)
            # Equal distances as a single one, as NumPy does: but not where each has a gradient of its own.
            if (spacing == spacing[0]).all() and isinstance(spacing, np.ndarray):
                spacing = spacing[0]
        spacings.append(spacing)
    if edge_order > 2:
        raise ValueError(f"gradient(edge_order={edge_order}): there are 1 and 2.")
    for d, along_axis in zip(spacings, axes, strict=True):
        if np.shape(f)[along_axis] < edge_order + 1:
            raise ValueError(
                f"gradient(edge_order={edge_order}) takes {edge_order + 1} or more entries along each axis, and the "
                f"array has shape {np.shape(f)}."
            )
        y = central(f, d, along_axis, edge_order)
        results.append(y if np.result_type(y) == return_dtype else np.astype(y, return_dtype))
    return results[0] if len(axes) == 1 else tuple(results)


@composed(np.trapezoid, getattr(np, "trapz", np.trapezoid))
def trapezoid(y, x=None, dx=1.0, axis=-1):
    y, d = array(y), dx
    if x is not None:
        x = array(x)
        if np.ndim(x) == 1:
            shape = [1] * np.ndim(y)
            shape[axis] = -1
            d = np.reshape(np.diff(x), shape)
        else:
            d = np.diff(x, axis=axis)
    heights = along(y, axis, slice(1, None)) + along(y, axis, slice(None, -1))
    return np.sum(d * heights / 2.0, axis=axis)


@composed(np.unwrap)
def unwrap(p, discont=None, axis=-1, *, period=2 * np.pi):
    return unwrap_op(p, discont, axis, period)


def unwrapped(p, discont=None, axis=-1, period=2 * np.pi):
    return np.unwrap(p, discont, axis, period=period)


# Between the jumps it adds a constant; at a difference of half a period, where it jumps, that is the derivative, too.
unwrap_op = defop(
    unwrapped,
    lambda g, y, p, discont=None, axis=-1, period=2 * np.pi: g,
    name="unwrap",
    formula="g",
    moves=True,
    domain=(-9.0, 9.0),
    cases=lambda a: [call(a(7)), call(a(3, 4), axis=0), call(a(7), 8.0), call(a(5), period=3.0), call(a(0, 3))],
)

# ---------------------------------------------------------------- interpolation


def segment(x, xp):
    """The knot to the left of each x, by number, and how far x is on the way to the next; beyond the ends, 0 or 1."""
    j = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, size(xp) - 2)
    width = xp[j + 1] - xp[j]
    part = (x - xp[j]) / np.where(width == 0, 1.0, width)
    return j, np.where(x >= xp[-1], 1.0, np.where(x < xp[0], 0.0, part))


def slope(x, xp, fp):
    """The derivative in x: that of the segment to the right, at the last knot to the left; beyond the ends, 0."""
    if size(xp) == 1:
        return 0.0
    j, _ = segment(x, xp)
    width = xp[j + 1] - xp[j]
    flat = (width == 0) | (x < xp[0]) | (x > xp[-1])
    return np.where(flat, 0.0, (fp[j + 1] - fp[j]) / np.where(flat, 1.0, width))


def knots(g, x, xp):
    """What comes to each knot of the `g` of each x that lies beside it."""
    if size(xp) == 1:
        return np.sum(g)
    j, part = segment(x, xp)
    left, right = g * (1.0 - part), g * part
    return scatter(left, shape=np.shape(xp), index=j) + scatter(right, shape=np.shape(xp), index=j + 1)


def interp(x, xp, fp):
    return np.interp(x, xp, fp)


# At a knot, where the slope jumps, it is that of the segment to the right; both ends count as within (as in JAX).
interp_op = defop(
    interp,
    (
        lambda g, y, x, xp, fp: g * slope(x, xp, fp),
        lambda g, y, x, xp, fp: -knots(g * slope(x, xp, fp), x, xp),
        lambda g, y, x, xp, fp: knots(g, x, xp),
    ),
    formula=(
        "g × the slope at x",
        "-g × the slope at x, to the two knots beside it, each the more the nearer",
        "g, to the two knots beside x, each the more the nearer",
    ),
    cases=lambda a: [
        call(a(4), np.array([-1.5, -0.3, 0.1, 1.7]), a(4)),
        call(a(2, 3), np.sort(a(5)), a(5)),
        call(a(), np.sort(a(3)), a(3)),
        call(a(3), np.array([-9.0]), a(1)),
        call(a(0), np.sort(a(3)), a(3)),
        call(a(3), np.array([3.0, 4.0]), a(2)),
    ],
)


@composed(np.interp)
def np_interp(x, xp, fp, left=None, right=None, period=None):
    x, xp, fp = (array(v) for v in (x, xp, fp))
    x, xp, fp = (np.astype(v, float) if v.dtype.kind in "biu" else v for v in (x, xp, fp))
    if period is None:
        y = interp_op(x, xp, fp)
        if left is not None:
            y = np.where(np.less(x, xp[0]), left, y)
        return y if right is None else np.where(np.greater(x, xp[-1]), right, y)
    if period == 0:
        raise ValueError("interp(period=0): a period is a number other than 0.")
    if np.ndim(xp) != 1 or np.shape(xp) != np.shape(fp):
        raise ValueError(f"interp: xp and fp are vectors of one length, and got shapes {np.shape(xp)}, {np.shape(fp)}.")
    period = np.abs(period)
    x, xp = (np.remainder(np.astype(array(points), np.float64), period) for points in (x, xp))
    order = np.argsort(xp)
    xp, fp = xp[order], np.astype(array(fp), complex if np.iscomplexobj(fp) else float)[order]
    xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return interp_op(x, xp, np.concatenate([fp[-1:], fp, fp[:1]]))


# ---------------------------------------------------------------- convolution


def whole(g, a, v, late=False):
    """`g` with zeros in the place of what the modes "same" and "valid" leave away of the full result."""
    missing = size(a) + size(v) - 1 - size(g)
    before = (missing + late) // 2
    return padded(g, before, missing - before, 0)


def folded(a):
    return (
        [call(a(5), a(3), mode) for mode in ("full", "same", "valid")]
        + [call(a(2), a(5), mode) for mode in ("full", "same", "valid")]
        + [call(a(4), a(4), mode="same"), call(a(5), a(4), "same"), call(a(2), a(5), mode="same"), call(a(1), a(1))]
    )


defop(
    np.convolve,
    (
        lambda g, y, a, v, mode="full": np.convolve(whole(g, a, v), np.ravel(v)[::-1], "valid"),
        lambda g, y, a, v, mode="full": np.convolve(whole(g, a, v), np.ravel(a)[::-1], "valid"),
    ),
    formula=("the correlation of g with v", "the correlation of g with a"),
    cases=lambda a: [*folded(a), call(a(), a(3)), call(a(2), a())],
)


def correlate_first(g, y, a, v, mode="valid"):
    return np.convolve(whole(g, a, v, size(v) > size(a)), np.conjugate(np.ravel(v)), "valid")


def correlate_second(g, y, a, v, mode="valid"):
    return np.conjugate(np.convolve(whole(g, a, v, size(v) > size(a)), np.ravel(a)[::-1], "valid"))[::-1]


defop(
    np.correlate,
    (correlate_first, correlate_second),
    formula=("the convolution of g with conj(v)", "the conjugate of the correlation of a with g"),
    cases=folded,
)

# ---------------------------------------------------------------- grids


def fractions(y, num, endpoint, axis):
    """How far each point of a grid is on the way from start to stop, along the axis of the grid."""
    fraction = beside(np.arange(num) / max(num - bool(endpoint), 1), y)
    return np.expand_dims(fraction, tuple(i for i in range(np.ndim(y)) if i != normalize_axis_index(axis, np.ndim(y))))


def linspace(start, stop, num=50, endpoint=True, dtype=None, axis=0, device=None):
    where = {} if device is None else {"device": device}
    return np.linspace(start, stop, num, endpoint, False, dtype, axis, **where)


def linspace_start(g, y, start, stop, num=50, endpoint=True, dtype=None, axis=0, device=None):
    return np.sum(g * (1.0 - fractions(y, num, endpoint, axis)), axis=axis)


def linspace_stop(g, y, start, stop, num=50, endpoint=True, dtype=None, axis=0, device=None):
    return np.sum(g * fractions(y, num, endpoint, axis), axis=axis)


def grids(a):
    return [
        call(a(), a(), 5),
        call(a(), a(3), num=4, endpoint=False),
        call(a(3), a(2, 1), 3, axis=-1),
        call(a(2, 3), a(3), 3, axis=1, endpoint=True),
        call(a(2), a(2), 1),
        call(a(2), a(), 1, endpoint=False),
        call(a(), a(), 0),
        call(a(0), a(), 3),
    ]


linspace_op = defop(
    linspace,
    (linspace_start, linspace_stop),
    formula=("Σ g (1 - t), with t from 0 to 1 along the grid", "Σ g t, with t from 0 to 1 along the grid"),
    cases=grids,
)


@composed(np.linspace)
def np_linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    y = linspace_op(start, stop, num, endpoint, dtype, axis, device)
    steps = num - 1 if endpoint else num
    return (y, np.subtract(stop, start) / steps if steps > 0 else np.nan) if retstep else y


@composed(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    if np.ndim(base):
        ndim = max(map(np.ndim, (start, stop, base)))
        start, stop, base = (np.reshape(x, (1,) * (ndim - np.ndim(x)) + np.shape(x)) for x in (start, stop, base))
        base = np.expand_dims(base, axis)
    y = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else np.astype(y, dtype)


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    if is_foreign(start) or is_foreign(stop):
        ratio = stop / start
        part = beside(np.arange(num) / max(num - bool(endpoint), 1), ratio)
        y = np.moveaxis(start * ratio ** np.reshape(part, (-1,) + (1,) * np.ndim(ratio)), 0, axis)
        return y if dtype is None else y.astype(dtype)
    return np.geomspace(start, stop, num, endpoint, dtype, axis)


def geomspace_start(g, y, start, stop, num=50, endpoint=True, dtype=None, axis=0):
    return np.sum(g * y * (1.0 - fractions(y, num, endpoint, axis)), axis=axis) / start


def geomspace_stop(g, y, start, stop, num=50, endpoint=True, dtype=None, axis=0):
    return np.sum(g * y * fractions(y, num, endpoint, axis), axis=axis) / stop


geomspace_op = defop(
    geomspace,
    (geomspace_start, geomspace_stop),
    formula=("Σ g y (1 - t) / start, with t from 0 to 1", "Σ g y t / stop, with t from 0 to 1"),
    domain=(0.3, 3.0),
    cases=lambda a: [*grids(a), call(-a(2), -a(2), 4), call(a(2), a(), 3, True, np.complex128)],
)


@composed(np.geomspace)
def np_geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    if dtype is None:
        return geomspace_op(start, stop, num, endpoint, axis=axis)
    # The rules need what it computes, before a lesser dtype takes of it.
    whole_dtype = np.result_type(array(start), array(stop), float(num), np.dtype(dtype))
    y = geomspace_op(start, stop, num, endpoint, whole_dtype, axis)
    return y if whole_dtype == dtype else np.astype(y, dtype)
