"""Reductions: an axis, several, or all of them become one number. A formula is the rule in words."""

import numpy as np

from ..op import call, composed, defop, plain

REDUCED = [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 2)}, {"axis": ()}]


def reduced(a):
    return [call(a(2, 3, 4), **keywords) for keywords in REDUCED] + [call(a()), call(a(1, 3), 1)]


def expand(g, axis, keepdims):
    """`g` with the reduced axes back, of length one."""
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def counted(a, y):
    """How many entries went into each entry of the result."""
    return np.size(a) // max(np.size(y), 1)


def total(g, y, a, axis=None, dtype=None, out=None, keepdims=False):
    return expand(g, axis, keepdims)


def average(g, y, a, axis=None, dtype=None, out=None, keepdims=False):
    return expand(g, axis, keepdims) / counted(a, y)


defop(np.sum, total, formula="g, spread over the summed axes", cases=reduced)
defop(np.mean, average, formula="g / n, spread over the averaged axes", cases=reduced)


def extremum(g, y, a, axis=None, out=None, keepdims=False):
    # Equals share the gradient: the only choice that does not depend on their order.
    at = a == expand(y, axis, keepdims)
    return expand(g, axis, keepdims) * (at / np.sum(at, axis=axis, keepdims=True))


defop(np.max, extremum, formula="g where a is the maximum, shared between equals", cases=reduced)
defop(np.min, extremum, formula="g where a is the minimum, shared between equals", cases=reduced)


def others(a, axis):
    """For each entry the product of all others along the axes: exact where there are zeros."""
    axes = tuple(range(np.ndim(a))) if axis is None else tuple(np.atleast_1d(axis) % np.ndim(a))
    last = tuple(range(np.ndim(a) - len(axes), np.ndim(a)))
    moved = np.moveaxis(a, axes, last)
    flat = np.reshape(moved, moved.shape[: moved.ndim - len(axes)] + (-1,))
    n = flat.shape[-1]
    rest = np.prod(np.where(np.eye(n, dtype=bool), 1.0, np.expand_dims(flat, -2)), axis=-1)
    return np.moveaxis(np.reshape(rest, moved.shape), last, axes)


def product(g, y, a, axis=None, dtype=None, out=None, keepdims=False):
    g = expand(g, axis, keepdims)
    if np.all((y != 0) & np.isfinite(y)):
        return g * (expand(y, axis, keepdims) / a)
    if np.ndim(a) == 0 or np.size(a) == 0 or axis == ():
        return g * np.ones(np.shape(a))
    return g * others(a, axis)


defop(
    np.prod,
    product,
    formula="g times the product of the others",
    domain=(0.5, 1.5),
    cases=lambda a: [*reduced(a), call(np.array([[1.5, 0.0, -2.0], [0.0, 0.0, 3.0]]), axis=1)],
)


def variance(g, y, a, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
    return (
        expand(g, axis, keepdims) * (a - np.mean(a, axis=axis, keepdims=True)) * (2 / np.float64(counted(a, y) - ddof))
    )


def deviation(g, y, a, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
    # Of equal numbers the deviation has a kink at 0, where 0 is taken.
    scale = expand(np.where(y == 0, 1.0, y), axis, keepdims) * np.float64(counted(a, y) - ddof)
    return expand(g, axis, keepdims) * (a - np.mean(a, axis=axis, keepdims=True)) / scale


def spread(a):
    return [*(call(a(2, 3, 4), **k) for k in REDUCED[:4]), call(a(2, 3, 4), axis=1, ddof=1)]


defop(np.var, variance, formula="g · 2 (a - mean(a)) / (n - ddof)", cases=spread)
defop(np.std, deviation, formula="g (a - mean(a)) / ((n - ddof) std(a))", cases=spread)


def running(g, y, a, axis=None, dtype=None, out=None):
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), np.shape(a))
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


defop(
    np.cumsum,
    running,
    formula="g, summed from the end",
    cases=lambda a: [call(a(2, 3, 4)), call(a(2, 3, 4), axis=1), call(a(3, 4), -1), call(a())],
)


def logsumexp(a, axis=None, keepdims=False):
    r"""The logarithm of a sum of exponentials, :math:`\log \sum_i e^{a_i}`, without overflow.

    Examples
    --------
    >>> from autograd import logsumexp
    >>> logsumexp([1000.0, 1000.0])
    np.float64(1000.6931471805599)
    """
    a = np.asarray(a)
    top = np.max(a, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        out = np.log(np.sum(np.exp(a - top), axis=axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis=axis)[()]


logsumexp = defop(
    logsumexp,
    lambda g, y, a, axis=None, keepdims=False: expand(g, axis, keepdims) * np.exp(a - expand(y, axis, keepdims)),
    formula="g softmax(a)",
    cases=reduced,
)


def log_softmax(a, axis=-1):
    r"""The logarithm of the softmax, :math:`a_i - \log \sum_j e^{a_j}` along an axis, without overflow.

    Examples
    --------
    >>> from autograd import log_softmax
    >>> log_softmax([1000.0, 0.0])
    array([    0., -1000.])
    """
    shifted = a - np.max(a, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


log_softmax = defop(
    log_softmax,
    lambda g, y, a, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),
    formula="g - softmax(a) Σg",
    cases=lambda a: [call(a(3, 4)), call(a(3, 4), axis=0), call(a(5))],
)


def softmax(a, axis=-1):
    r"""Positive numbers that add up to 1 along an axis, :math:`e^{a_i} / \sum_j e^{a_j}`, without overflow.

    Examples
    --------
    >>> from autograd import softmax
    >>> softmax([0.0, 0.0])
    array([0.5, 0.5])
    """
    raised = np.exp(a - np.max(a, axis=axis, keepdims=True))
    return raised / np.sum(raised, axis=axis, keepdims=True)


softmax = defop(
    softmax,
    lambda g, y, a, axis=-1: y * (g - np.sum(g * y, axis=axis, keepdims=True)),
    formula="y (g - Σ g y)",
    cases=lambda a: [call(a(3, 4)), call(a(3, 4), axis=0), call(a(5))],
)

plain(np.argmax, np.argmin, np.argsort, np.all, np.any, np.nonzero, np.count_nonzero, np.argwhere, np.flatnonzero)
plain(np.searchsorted, np.shape, np.ndim, np.size)
