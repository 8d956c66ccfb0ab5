"""Convolution and pooling of images: what a net that sees is made of. A formula is the rule in words.

Images have shape (batch, channels, height, width). In memory the batch is innermost: every slice that a window cuts
out is then one long run, and elementwise functions keep the order, so that only the first layer has to turn its input.

Arrays of other libraries, which may lie on a GPU or not be there yet, are not written into: of these the same sums are
taken over slices of whole batches, one for each place in the window.
"""

import math
from functools import reduce
from itertools import product as pairs

import numpy as np

from ..op import Op, call, defop, is_foreign, is_lazy


def batch_last_of(x):
    """The same axes of an array of any library, as it lies."""
    return np.transpose(x, (1, 2, 3, 0))


def batch_last(x):
    """A view or copy of shape (channels, height, width, batch) whose entries lie in that order."""
    return np.ascontiguousarray(batch_last_of(x))


def batch_first(x):
    return np.transpose(x, (3, 0, 1, 2))


def reach(n, size, stride, dilation):
    """How many windows of that size fit along an axis of length n."""
    return (n - dilation * (size - 1) - 1) // stride + 1


def padded(x, padding, fill=0.0):
    """`x`, batch last, with margins at height and width: ((top, bottom), (left, right))."""
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return x
    channels, height, width, n = x.shape
    out = np.full((channels, top + height + bottom, left + width + right, n), fill, x.dtype)
    out[:, top : top + height, left : left + width] = x
    return out


def window(i, j, size, stride, dilation):
    """The index, into images with the batch last, of what all windows have at their place (i, j)."""
    (rows, columns), (down, right), (di, dj) = size, stride, dilation
    return (
        slice(None),
        slice(i * di, i * di + down * (rows - 1) + 1, down),
        slice(j * dj, j * dj + right * (columns - 1) + 1, right),
    )


def out_size(shape, kernel, stride, padding, dilation):
    """Height and width of the result."""
    return tuple(
        reach(n + sum(margin), k, s, d)
        for n, k, s, margin, d in zip(shape[2:], kernel, stride, padding, dilation, strict=True)
    )


def rows(array, groups, count):
    """An array as matrices, one for each group, of so many rows together."""
    return array.reshape(groups, count // groups, array.size // max(count, 1))


# ---------------------------------------------------------------- of any library


def margined(x, margins, fill=0.0):
    """`np.pad`, and of lazy arrays no chunk more: Dask makes each margin one, which every slice after it cuts anew."""
    y = np.pad(x, margins, constant_values=fill)
    return y.rechunk({axis: -1 for axis, margin in enumerate(margins) if any(margin)}) if is_lazy(y) else y


def framed(x, padding, fill=0.0):
    """As `padded`, with the batch first."""
    if not any(map(any, padding)):
        return x
    return margined(x, ((0, 0), (0, 0), *padding), fill)


def slices(x, kernel, stride, padding, dilation, fill=0.0):
    """For each place in the window, what all windows have there: (batch, channels, *size)."""
    size = out_size(x.shape, kernel, stride, padding, dilation)
    x = framed(x, padding, fill)
    return [x[(slice(None), *window(i, j, size, stride, dilation))] for i, j in pairs(*map(range, kernel))]


def gathered(parts, shape, kernel, stride, padding, dilation):
    """The adjoint of `slices`: an array of that shape to which each part is added where it was cut out."""
    total = 0.0
    for (i, j), part in zip(pairs(*map(range, kernel)), parts, strict=True):
        margins = [(0, 0), (0, 0)]
        for axis, (at, s, margin) in enumerate(
            zip((i * dilation[0], j * dilation[1]), stride, padding, strict=True), start=2
        ):
            n = part.shape[axis]
            if s > 1:  # zeros between the entries
                apart = np.expand_dims(part, axis + 1)
                apart = margined(apart, [(0, s - 1) if k == axis + 1 else (0, 0) for k in range(apart.ndim)])
                part = np.reshape(apart, (*part.shape[:axis], n * s, *part.shape[axis + 1 :]))
                part = part[(slice(None),) * axis + (slice(s * (n - 1) + 1),)]
            margins.append((at, shape[axis] + sum(margin) - at - part.shape[axis]))
        total = total + margined(part, margins)
    (top, _), (left, _) = padding
    return total[:, :, top : top + shape[2], left : left + shape[3]]


def shared(x, groups):
    """Images as matrices, (batch, groups, channels of a group, pixels)."""
    return np.reshape(x, (x.shape[0], groups, x.shape[1] // groups, x.shape[2] * x.shape[3]))


def conv2d_of(x, weight, bias, stride, padding, dilation, groups):
    filters, channels, *kernel = weight.shape
    y, size = 0.0, out_size(x.shape, kernel, stride, padding, dilation)
    for (i, j), part in zip(pairs(*map(range, kernel)), slices(x, kernel, stride, padding, dilation), strict=True):
        y = y + np.matmul(np.reshape(weight[:, :, i, j], (groups, -1, channels)), shared(part, groups))
    y = np.reshape(y, (x.shape[0], filters, *size))
    return y if bias is None else y + np.reshape(bias, (-1, 1, 1))


def conv2d_input_of(g, weight, shape, stride, padding, dilation, groups):
    channels, *kernel = weight.shape[1:]
    g, size = shared(g, groups), g.shape[2:]
    parts = [
        np.reshape(
            np.matmul(np.swapaxes(np.reshape(weight[:, :, i, j], (groups, -1, channels)), 1, 2), g), (*shape[:2], *size)
        )
        for i, j in pairs(*map(range, kernel))
    ]
    return gathered(parts, shape, kernel, stride, padding, dilation)


def conv2d_weight_of(x, g, kernel, stride, padding, dilation, groups):
    filters, g = g.shape[1], shared(g, groups)
    parts = [
        np.sum(np.matmul(g, np.swapaxes(shared(part, groups), 2, 3)), axis=0)
        for part in slices(x, kernel, stride, padding, dilation)
    ]
    return np.reshape(np.stack(parts, axis=-1), (filters, -1, *kernel))


# ---------------------------------------------------------------- convolution
# The three are what is left of one trilinear form, sum(y * conv(x, weight)), when one of the three is left out. So the
# rules of each are the other two.


def seen(x, kernel, stride, padding, dilation, size):
    """A view of all windows, (height, channels, kernel height, kernel width, width, batch).

    One row of the result at a time is copied out of it and multiplied: so much the processor's cache can hold.
    """
    x = padded(batch_last(x), padding)
    channel, row, column, image = x.strides
    (down, right), (di, dj) = stride, dilation
    return np.lib.stride_tricks.as_strided(
        x,
        (size[0], x.shape[0], *kernel, size[1], x.shape[3]),
        (row * down, channel, row * di, column * dj, column * right, image),
        writeable=False,
    )


def _conv2d(x, weight, bias=None, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    r"""Slide filters over images: :math:`y_{nfij} = b_f + \sum_{cuv} w_{fcuv} x_{n,c,si+du,sj+dv}`.

    `x` has shape (batch, channels, height, width), `weight` (filters, channels / groups, height, width), `bias`
    (filters,) or None. `stride` s and `dilation` d are pairs; `padding` is ((top, bottom), (left, right)), of zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import conv2d
    >>> conv2d(np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2)))
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    if is_foreign(x) or is_foreign(weight):
        return conv2d_of(x, weight, bias, stride, padding, dilation, groups)
    filters, _, *kernel = weight.shape
    size = out_size(x.shape, kernel, stride, padding, dilation)
    weight = rows(weight, groups, filters)
    y = np.empty((groups, filters // groups, size[0], size[1] * x.shape[0]), np.result_type(x, weight))
    for i, windows in enumerate(seen(x, kernel, stride, padding, dilation, size)):
        np.matmul(weight, rows(windows, groups, x.shape[1] * math.prod(kernel)), out=y[:, :, i])
    if bias is not None:
        y += bias.reshape(groups, -1, 1, 1)
    return batch_first(y.reshape(filters, *size, x.shape[0]))


def _conv2d_input(g, weight, shape, stride, padding, dilation, groups):
    r"""The adjoint of `conv2d` in x, of the given shape: each `g` spread over the window that it saw, times `weight`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import conv2d_input
    >>> once = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    >>> conv2d_input(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), (1, 1, 3, 3), **once)
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """
    if is_foreign(g) or is_foreign(weight):
        return conv2d_input_of(g, weight, shape, stride, padding, dilation, groups)
    filters, _, *kernel = weight.shape
    n, channels, height, width = shape
    size, (down, _), (di, _) = g.shape[2:], stride, dilation
    weight = np.swapaxes(rows(weight, groups, filters), 1, 2)
    g = batch_last(g).reshape(groups, filters // groups, size[0], size[1] * n)
    (top, bottom), (left, right) = padding
    out = np.zeros((channels, top + height + bottom, left + width + right, n), np.result_type(g, weight))
    for i in range(size[0]):
        windows = (weight @ g[:, :, i]).reshape(channels, *kernel, size[1], n)
        for u, v in pairs(*map(range, kernel)):
            out[:, i * down + u * di][window(0, v, (1, size[1]), stride, dilation)[::2]] += windows[:, u, v]
    return batch_first(out[:, top : top + height, left : left + width])


def _conv2d_weight(x, g, kernel, stride, padding, dilation, groups):
    """The adjoint of `conv2d` in the weight: what came in, weighted by what is wanted of it."""
    if is_foreign(x) or is_foreign(g):
        return conv2d_weight_of(x, g, kernel, stride, padding, dilation, groups)
    n, filters, *size = g.shape
    count = x.shape[1] * math.prod(kernel)
    g = np.swapaxes(batch_last(g).reshape(groups, filters // groups, size[0], size[1] * n), 1, 2)
    weight = np.zeros((groups, count // groups, filters // groups), np.result_type(x, g))
    for i, windows in enumerate(seen(x, kernel, stride, padding, dilation, size)):
        weight += rows(windows, groups, count) @ np.swapaxes(g[:, i], 1, 2)
    return np.swapaxes(weight, 1, 2).reshape(filters, x.shape[1] // groups, *kernel)


def conv2d_to_input(g, y, x, weight, bias, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    return conv2d_input(g, weight, np.shape(x), stride, padding, dilation, groups)


def conv2d_to_weight(g, y, x, weight, bias, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    return conv2d_weight(x, g, np.shape(weight)[2:], stride, padding, dilation, groups)


def conv2d_to_bias(g, y, x, weight, bias, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    return np.sum(g, axis=(0, 2, 3))


def some_images(a):
    """Strides, margins, gaps and groups, in all that matters of their combinations."""
    plain = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    return [
        ((2, 2, 4, 5), (3, 2, 3, 2), plain),
        ((1, 1, 5, 6), (2, 1, 2, 3), plain | {"stride": (2, 3), "padding": ((1, 0), (2, 1))}),
        ((2, 4, 5, 4), (4, 2, 2, 2), plain | {"dilation": (2, 1), "groups": 2}),
        ((0, 2, 3, 3), (1, 2, 2, 2), plain),
    ]


def result_shape(x, weight, stride, padding, dilation, groups):
    return x[0], weight[0], *out_size(x, weight[2:], stride, padding, dilation)


conv2d = defop(
    _conv2d,
    (conv2d_to_input, conv2d_to_weight, conv2d_to_bias),
    formula=("each g spread over its window, times the weight", "the windows, weighted by g", "Σ g over all places"),
    cases=lambda a: (
        [call(a(*x), a(*weight), a(weight[0]), **keywords) for x, weight, keywords in some_images(a)]
        + [call(a(*x), a(*weight), None, **keywords) for x, weight, keywords in some_images(a)[:1]]
    ),
)
conv2d_input = defop(
    _conv2d_input,
    (
        lambda u, y, g, weight, shape, stride, padding, dilation, groups: conv2d(
            u, weight, None, stride, padding, dilation, groups
        ),
        lambda u, y, g, weight, shape, stride, padding, dilation, groups: conv2d_weight(
            u, g, np.shape(weight)[2:], stride, padding, dilation, groups
        ),
    ),
    formula=("conv2d of g", "the windows of g, weighted"),
    cases=lambda a: [
        call(a(*result_shape(x, weight, **keywords)), a(*weight), shape=x, **keywords)
        for x, weight, keywords in some_images(a)
    ],
)
conv2d_weight: Op = defop(
    _conv2d_weight,
    (
        lambda u, y, x, g, kernel, stride, padding, dilation, groups: conv2d_input(
            g, u, np.shape(x), stride, padding, dilation, groups
        ),
        lambda u, y, x, g, kernel, stride, padding, dilation, groups: conv2d(
            x, u, None, stride, padding, dilation, groups
        ),
    ),
    formula=("each g spread over its window, times the weight", "conv2d with g for the weight"),
    cases=lambda a: [
        call(a(*x), a(*result_shape(x, weight, **keywords)), kernel=weight[2:], **keywords)
        for x, weight, keywords in some_images(a)
    ],
)

# ---------------------------------------------------------------- pooling
# `window_sum` takes a weighted sum of each window, `window_spread` is its adjoint: again each is the other's rule. The
# weights, a number or of shape (places in the window, channels, height, width, batch), are taken for constant.


def at_place(weights, place):
    return batch_first(weights[place]) if np.ndim(weights) else weights


def _window_sum(x, weights, kernel, stride, padding, dilation):
    """The sum over each window, times `weights`: with 1 / size, the mean.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import window_sum
    >>> window_sum(np.arange(4.0).reshape(1, 1, 2, 2), 0.25, (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    array([[[[1.5]]]])
    """
    if is_foreign(x):
        parts = slices(x, kernel, stride, padding, dilation)
        return sum(part * at_place(weights, place) for place, part in enumerate(parts))
    size = out_size(x.shape, kernel, stride, padding, dilation)
    x = padded(batch_last(x), padding)
    total = 0.0
    for place, (i, j) in enumerate(pairs(*map(range, kernel))):
        total = total + x[window(i, j, size, stride, dilation)] * (weights[place] if np.ndim(weights) else weights)
    return batch_first(total)


def _window_spread(g, weights, shape, kernel, stride, padding, dilation):
    if is_foreign(g):
        parts = [g * at_place(weights, place) for place in range(math.prod(kernel))]
        return gathered(parts, shape, kernel, stride, padding, dilation)
    n, channels, height, width = shape
    (top, bottom), (left, right) = padding
    size, g = g.shape[2:], batch_last(g)
    out = np.zeros((channels, top + height + bottom, left + width + right, n), g.dtype)
    for place, (i, j) in enumerate(pairs(*map(range, kernel))):
        out[window(i, j, size, stride, dilation)] += g * (weights[place] if np.ndim(weights) else weights)
    return batch_first(out[:, top : top + height, left : left + width])


def _max_pool2d(x, kernel, stride, padding, dilation):
    """The maximum of each window; a margin counts as minus infinity, and equals share the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import max_pool2d
    >>> max_pool2d(np.arange(4.0).reshape(1, 1, 2, 2), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    array([[[[3.]]]])
    """
    if is_foreign(x):
        return reduce(np.maximum, slices(x, kernel, stride, padding, dilation, -math.inf))
    size = out_size(x.shape, kernel, stride, padding, dilation)
    x = padded(batch_last(x), padding, -np.inf)
    top = np.full((x.shape[0], *size, x.shape[3]), -np.inf, x.dtype)
    for i, j in pairs(*map(range, kernel)):
        np.maximum(top, x[window(i, j, size, stride, dilation)], out=top)
    return batch_first(top)


def _largest(x, kernel, stride, padding, dilation, y=None):
    """How much of each maximum, `y`, every place of its window holds: all, none, or an equal share."""
    y = _max_pool2d(x, kernel, stride, padding, dilation) if y is None else y
    if is_foreign(x):
        at = np.stack([batch_last_of(part == y) for part in slices(x, kernel, stride, padding, dilation, -math.inf)])
        return at / np.sum(at, axis=0)
    y = batch_last(y)
    x = padded(batch_last(x), padding, -np.inf)
    parts = [x[window(i, j, y.shape[1:3], stride, dilation)] for i, j in pairs(*map(range, kernel))]
    at = np.array([part == y for part in parts])
    with np.errstate(invalid="ignore"):  # where y is NaN, all of its window is to blame
        return at / np.sum(at, axis=0, dtype=y.dtype)


def pooled_images(a):
    plain = {"kernel": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    return [
        ((2, 3, 4, 6), plain),
        ((1, 2, 5, 5), plain | {"kernel": (3, 2), "stride": (1, 2), "padding": ((1, 1), (0, 1))}),
        ((1, 1, 5, 4), plain | {"dilation": (2, 1), "stride": (1, 1)}),
        ((0, 1, 2, 2), plain),
    ]


window_sum = defop(
    _window_sum,
    (
        lambda g, y, x, weights, kernel, stride, padding, dilation: window_spread(
            g, weights, np.shape(x), kernel, stride, padding, dilation
        ),
        None,
    ),
    formula=("g, spread over its window by the weights", "0"),
    cases=lambda a: [call(a(*shape), 0.25, **keywords) for shape, keywords in pooled_images(a)],
)
window_spread: Op = defop(
    _window_spread,
    (
        lambda u, y, g, weights, shape, kernel, stride, padding, dilation: window_sum(
            u, weights, kernel, stride, padding, dilation
        ),
        None,
    ),
    formula=("the window, summed by the weights", "0"),
    cases=lambda a: [
        call(
            a(*shape[:2], *out_size(shape, *(keywords[k] for k in ("kernel", "stride", "padding", "dilation")))),
            0.25,
            shape=shape,
            **keywords,
        )
        for shape, keywords in pooled_images(a)
    ],
)
largest = defop(
    _largest,
    lambda g, shares, x, kernel, stride, padding, dilation, y=None: 0.0,
    formula="0",
    cases=lambda a: [call(a(*shape), **keywords) for shape, keywords in pooled_images(a)],
)


def max_pool2d_to_input(g, y, x, kernel, stride, padding, dilation):
    shares = largest(x, kernel, stride, padding, dilation, y=None if hasattr(y, "requires_grad") else y)
    return window_spread(g, shares, np.shape(x), kernel, stride, padding, dilation)


max_pool2d = defop(
    _max_pool2d,
    max_pool2d_to_input,
    formula="g where the window has its maximum, shared between equals",
    cases=lambda a: [call(a(*shape), **keywords) for shape, keywords in pooled_images(a)],
)
