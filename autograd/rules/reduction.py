"""Reductions: an axis, several, or all of them become one number. A formula is the rule in words."""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import as_array, beside, call, certain, composed, defop, is_foreign, out_refused, plain, size, spread

REDUCED = [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 2)}, {"axis": ()}]
MASKS = [{"axis": 1, "where": [[True], [False], [True]]}, {"where": [True, False, True, True], "keepdims": True}]


def reduced(a):
    return [call(a(2, 3, 4), **keywords) for keywords in REDUCED] + [call(a()), call(a(1, 3), 1), call(a(0, 3), -1)]


def masked(a):
    return [*reduced(a), *(call(a(2, 3, 4), **keywords) for keywords in MASKS)]


def started(a):
    """With `where` and `initial`, too."""
    return [*reduced(a), *(call(a(2, 3, 4), **keywords, initial=0.7) for keywords in [*MASKS, {"axis": (0, -1)}])]


# What `where` leaves out has gone through np.where before it comes here (`masked`): it is 0, and what a rule gives for
# it is forgotten.


def expand(g, axis, keepdims):
    """`g` with the reduced axes back, of length one."""
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def counted(a, y, axis=None, where=True):
    """How many entries went into each entry of the result."""
    if where is True:
        return a.size // max(y.size, 1)
    return np.sum(spread(where, a), axis=axis, keepdims=True)


def folded(a, axis):
    """`a` with the axes to be reduced as one, the last; and the function that brings such an array back."""
    axes = range(np.ndim(a)) if axis is None else normalize_axis_tuple(axis, np.ndim(a))
    last = range(np.ndim(a) - len(axes), np.ndim(a))
    moved = np.moveaxis(a, axes, last)
    shape = np.shape(moved)
    rows = np.reshape(moved, (*shape[: last.start], math.prod(shape[last.start :])))
    return rows, lambda share: np.moveaxis(np.reshape(share, shape), last, axes)


def total(g, y, a, axis=None, dtype=None, out=None, keepdims=False, initial=0, where=True):
    return expand(g, axis, keepdims)


def average(g, y, a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    return expand(g, axis, keepdims) * share_of(counted(a, y, axis, where))


# NumPy's own functions of a small array take most of their time to get to this. Other libraries do not know `where` and
# `initial`; what `where` leaves out is 0 when it comes here.


def np_sum(a, axis=None, dtype=None, out=None, keepdims=False, initial=np._NoValue, where=True):
    if type(a) is np.ndarray and where is True and initial is np._NoValue:
        return np.add.reduce(a, axis, dtype, None, keepdims)
    if is_foreign(a):
        y = np.sum(a, axis=axis, dtype=dtype, keepdims=keepdims)
        return y if initial is np._NoValue else y + initial
    return np.sum(a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)


def np_mean(a, axis=None, dtype=None, out=None, keepdims=False, where=True):
    if type(a) is np.ndarray and dtype is None and where is True and a.dtype.char in "fd" and a.size:
        y = np.add.reduce(a, axis, None, None, keepdims)
        return y / (a.size if axis is None else a.size // y.size)
    if is_foreign(a):
        if where is True:
            return np.mean(a, axis=axis, dtype=dtype, keepdims=keepdims)
        count = np.sum(spread(where, a), axis=axis, keepdims=keepdims)
        y = np.sum(a, axis=axis, dtype=dtype, keepdims=keepdims)
        return (y / count).astype(y.dtype)
    return np.mean(a, axis=axis, dtype=dtype, keepdims=keepdims, where=where)


composed(np.sum)(
    defop(np_sum, total, name="sum", formula="g, spread over the summed axes", moves=True, masked=True, cases=started),
)
composed(np.mean)(
    defop(
        np_mean,
        average,
        name="mean",
        formula="g / n, spread over the averaged axes",
        moves=True,
        masked=True,
        cases=masked,
    ),
)


def extremum(g, y, a, axis=None, out=None, keepdims=False, initial=None, where=True):
    # Equals share the gradient, `initial` among them: the only choice that does not depend on their order.
    y = expand(y, axis, keepdims)
    at = a == y if where is True else (a == y) & spread(where, a)
    count = np.sum(at, axis=axis, keepdims=True)
    if initial is not None:
        count = count + (y == initial)
    return expand(g, axis, keepdims) * (at / count)


def of_all(function, ufunc, worst):
    """np.max or np.min as an operation."""

    def forward(a, axis=None, out=None, keepdims=False, initial=np._NoValue, where=True):
        if type(a) is np.ndarray and where is True and initial is np._NoValue:
            return ufunc.reduce(a, axis, None, None, keepdims)
        if not is_foreign(a):
            return function(a, axis=axis, keepdims=keepdims, initial=initial, where=where)
        y = function(a if where is True else np.where(spread(where, a), a, worst), axis=axis, keepdims=keepdims)
        return y if initial is np._NoValue else ufunc(y, initial)

    name = function.__name__
    words = f"g where a is the {name}imum, shared between equals"
    return defop(forward, extremum, name=name, formula=words, masked=True, cases=started)


largest = composed(np.max, np.amax)(of_all(np.max, np.maximum, -math.inf))
smallest = composed(np.min, np.amin)(of_all(np.min, np.minimum, math.inf))


@composed(np.ptp)
def ptp(a, axis=None, out=None, keepdims=False):
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def others(a):
    """For each entry the product of all others along the last axis: exact where there are zeros, unlike y / a."""
    n = a.shape[-1]
    if n < 2:
        return beside(np.ones(a.shape), a)
    if n % 2:
        a = np.concatenate([a, beside(np.ones((*a.shape[:-1], 1)), a)], axis=-1)
    left, right = a[..., ::2], a[..., 1::2]
    rest = others(left * right)
    return np.reshape(np.stack([rest * right, rest * left], axis=-1), a.shape)[..., :n]


def product(g, y, a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    rows, back = folded(a if where is True else np.where(spread(where, a), a, 1), axis)
    if initial is not None:
        g = g * initial
    return expand(g, axis, keepdims) * back(others(rows))


def np_prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=np._NoValue, where=True):
    if not is_foreign(a):
        return np.prod(a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)
    a = a if where is True else np.where(spread(where, a), a, 1)
    y = np.prod(a, axis=axis, dtype=dtype, keepdims=keepdims)
    return y if initial is np._NoValue else y * initial


multiplied = defop(
    np_prod,
    product,
    name="prod",
    formula="g times the product of the others",
    masked=True,
    domain=(0.5, 1.5),
    cases=lambda a: [
        *started(a),
        call(np.array([[1.5, 0.0, -2.0], [0.0, 0.0, 3.0]]), axis=1),
        call(a(3, 2, 0), (2, 0)),
    ],
)
composed(np.prod)(multiplied)


def conjugate(a):
    return np.conj(a) if a.dtype.kind == "c" else a


def off_mean(a, n, axis):
    return a - np.sum(a, axis=axis, keepdims=True) / n


def share_of(n):
    """1 / n; NumPy's result is no finite number where ddof leaves nothing to divide by, nor is this."""
    if type(n) is not int and np.ndim(n):
        return 1 / np.maximum(n, 0)
    return 1 / n if n > 0 else math.nan


def variance(g, y, a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, correction=None):
    n = counted(a, y, axis, where)
    scale = 2 * share_of(n - (ddof if correction is None else correction))
    return expand(g, axis, keepdims) * conjugate(off_mean(a, n, axis)) * scale


def deviation(g, y, a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, correction=None):
    n = counted(a, y, axis, where)
    scale = share_of(n - (ddof if correction is None else correction))
    # Of equal numbers the deviation has a kink at 0, where 0 is taken.
    g = expand(g / np.where(y == 0, 1, y), axis, keepdims)
    return g * conjugate(off_mean(a, n, axis)) * scale


def dispersed(a):
    calls = [call(a(2, 3, 4), **k) for k in [*REDUCED[:4], *MASKS]]
    return [*calls, call(a(2, 3, 4), axis=1, ddof=1), call(a(5), correction=1), call(a(2, 3, 4), **MASKS[0], ddof=1)]


def np_var(a, *arguments, **keywords):
    return about(a, None, *arguments, **keywords) if is_foreign(a) else np.var(a, *arguments, **keywords)


def np_std(a, *arguments, **keywords):
    return np.sqrt(about(a, None, *arguments, **keywords)) if is_foreign(a) else np.std(a, *arguments, **keywords)


var_op = defop(np_var, variance, name="var", formula="g · 2 (a - mean(a))* / (n - ddof)", masked=True, cases=dispersed)
std_op = defop(
    np_std, deviation, name="std", formula="g (a - mean(a))* / ((n - ddof) std(a))", masked=True, cases=dispersed
)


@composed(np.var)
def var(a, *arguments, mean=None, **keywords):
    return var_op(a, *arguments, **keywords) if mean is None else about(a, mean, *arguments, **keywords)


@composed(np.std)
def std(a, *arguments, mean=None, **keywords):
    if mean is None:
        return std_op(a, *arguments, **keywords)
    variance = about(a, mean, *arguments, **keywords)
    return np.where(variance == 0, 0, np.sqrt(np.where(variance == 0, 1, variance)))


def about(a, mean, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, correction=None):
    """The variance about a mean that the caller knows, or has a gradient of its own for; about their own, if None."""
    if out is not None:
        raise out_refused("var and std")
    if ddof and correction is not None:
        raise ValueError("var and std: give ddof or correction, not both.")
    where = where if where is True else spread(where, a)
    count = counted(a, np.sum(a, axis=axis), axis, where)
    centered = a - (np.sum(a, axis=axis, keepdims=True) / count if mean is None else mean)
    squares = np.real(centered * np.conj(centered)) if np.iscomplexobj(centered) else centered * centered
    squares = squares if where is True else np.where(where, squares, 0)
    summed = np.sum(squares, axis=axis, dtype=dtype, keepdims=keepdims)
    n = count if where is True else np.reshape(count, np.shape(summed))
    return (summed / np.maximum(n - (ddof if correction is None else correction), 0)).astype(np.result_type(summed))


@composed(np.average)
def weighted(a, axis=None, weights=None, returned=False, *, keepdims=False):
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        if not returned:
            return mean
        return mean, np.full_like(mean, size(a) / size(mean))
    if np.shape(weights) != np.shape(a):
        if axis is None:
            raise TypeError(f"average of shape {np.shape(a)} with weights of shape {np.shape(weights)} needs an axis.")
        axes = normalize_axis_tuple(axis, np.ndim(a))
        if np.shape(weights) != tuple(np.shape(a)[i] for i in axes):
            raise ValueError(f"average of shape {np.shape(a)} along {axis}: weights of shape {np.shape(weights)}.")
        weights = np.transpose(weights, np.argsort(axes))
        weights = np.expand_dims(weights, [i for i in range(np.ndim(a)) if i not in axes])
        weights = np.broadcast_to(weights, np.shape(a))
    weighed = np.multiply(a, weights)
    total = np.sum(weights, axis=axis, dtype=np.result_type(weighed, np.float16), keepdims=keepdims)
    if certain(np.any(total == 0)):
        raise ZeroDivisionError("average: the weights add up to zero.")
    mean = np.sum(weighed, axis=axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


def running(g, y, a, axis=None, dtype=None, out=None):
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), np.shape(a))
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


defop(
    np.cumsum,
    running,
    formula="g, summed from the end",
    moves=True,
    cases=lambda a: [call(a(2, 3, 4)), call(a(2, 3, 4), axis=1), call(a(3, 4), -1), call(a()), call(a(0, 3), 0)],
)


def running_product(g, y, a, axis=None, dtype=None, out=None):
    if certain(np.all(np.isfinite(y) & (np.abs(y) >= float(np.finfo(y.dtype).tiny)))):
        return running(g * y, y, a, axis) / a
    moved, g = (np.ravel(x) if axis is None else np.moveaxis(x, axis, -1) for x in (a, g))
    n = moved.shape[-1]
    # Row k holds the running products without entry k, from k on.
    rest = np.triu(np.cumprod(np.where(beside(np.eye(n, dtype=bool), a), 1.0, moved[..., None, :]), axis=-1))
    share = np.sum(g[..., None, :] * rest, axis=-1)
    return np.reshape(share, np.shape(a)) if axis is None else np.moveaxis(share, -1, axis)


defop(
    np.cumprod,
    running_product,
    formula="g times the running products without each entry, summed",
    domain=(0.5, 1.5),
    cases=lambda a: [
        call(a(2, 3)),
        call(a(2, 3, 2), axis=1),
        call(np.array([[1.5, 0.0, -2.0], [0.0, 0.0, 3.0]])),
        call(np.array([[1.5, 0.0, -2.0], [0.0, 0.0, 3.0]]), 1),
        call(a()),
        call(a(0, 3), 0),
    ],
)


def with_start(accumulate, start):
    """NumPy 2.1's running sum and product, whose axis must be named and which may begin with what is there before."""

    def accumulated(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
        if out is not None:
            raise out_refused(accumulate.__name__)
        x = np.atleast_1d(x)
        if axis is None and np.ndim(x) > 1:
            raise ValueError(f"a running sum or product of shape {np.shape(x)} needs an axis.")
        axis = 0 if axis is None else axis
        y = accumulate(x, axis=axis, dtype=dtype)
        if not include_initial:
            return y
        shape = list(np.shape(x))
        shape[axis] = 1
        return np.concatenate([beside(np.full(shape, start, y.dtype), y), y], axis=axis)

    return accumulated


if hasattr(np, "cumulative_sum"):
    composed(np.cumulative_sum)(with_start(np.cumsum, 0))
    composed(np.cumulative_prod)(with_start(np.cumprod, 1))


def _logsumexp(a, axis=None, keepdims=False):
    r"""The logarithm of a sum of exponentials, :math:`\log \sum_i e^{a_i}`, without overflow.

    Examples
    --------
    >>> from autograd import logsumexp
    >>> logsumexp([1000.0, 1000.0])
    np.float64(1000.6931471805599)
    """
    a = np.multiply(a, 1.0)  # floating, in whatever array library it came
    top = largest.function(a, axis=axis, keepdims=True, **({} if is_foreign(a) else {"initial": -np.inf}))
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        out = np.log(np.sum(np.exp(a - top), axis=axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis=axis)[()]


logsumexp = defop(
    _logsumexp,
    lambda g, y, a, axis=None, keepdims=False: expand(g, axis, keepdims) * np.exp(a - expand(y, axis, keepdims)),
    formula="g softmax(a)",
    cases=reduced,
)


def _log_softmax(a, axis=-1):
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
    _log_softmax,
    lambda g, y, a, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),
    formula="g - softmax(a) Σg",
    cases=lambda a: [call(a(3, 4)), call(a(3, 4), axis=0), call(a(5))],
)


def _softmax_cross_entropy(logits, targets, reduction="none"):
    r"""Of each row of logits, minus the logarithm of the softmax at the target, :math:`\log \sum_j e^{z_j} - z_t`.

    `logits` has shape (n, classes), `targets` holds n class indices. `reduction` is "none", "sum" or "mean". It is the
    composition of `log_softmax`, an index and a reduction, in half the time.

    Examples
    --------
    >>> from autograd import softmax_cross_entropy
    >>> softmax_cross_entropy([[1000.0, 0.0], [0.0, 0.0]], [0, 1])
    array([0.        , 0.69314718])
    """
    logits, targets = as_array(logits), as_array(targets)
    if targets.dtype.kind not in "iu":
        raise TypeError(
            f"cross-entropy: targets are class indices, integers from 0 on, and got dtype {targets.dtype}. "
            f"For one-hot rows write targets.argmax(axis=-1)."
        )
    if logits.ndim != 2 or targets.shape != logits.shape[:1]:
        raise ValueError(
            f"cross-entropy: logits of shape (n, classes) want n class indices, and got shapes {logits.shape} and "
            f"{targets.shape}."
        )
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"cross-entropy: reduction={reduction!r}, and it is 'mean', 'sum' or 'none'.")
    if is_foreign(logits) or is_foreign(targets):
        return cross_entropy_of(logits, targets, reduction)
    at_target = targets[:, None] == np.arange(logits.shape[1])
    right = logits[at_target]
    if len(right) != len(targets):
        wrong = targets[~at_target.any(axis=1)][0]
        raise IndexError(f"cross-entropy: target {wrong} is no class: there are 0 to {logits.shape[1] - 1}.")
    top = np.maximum.reduce(logits, 1)
    raised = np.exp(logits - top[:, None])
    summed = np.add.reduce(raised, 1)
    losses = np.log(summed) + (top - right)
    if reduction != "none":
        losses = np.add.reduce(losses) / (len(losses) if reduction == "mean" else 1)
    return losses, raised / summed[:, None] - at_target


def cross_entropy_of(logits, targets, reduction):
    """The same of arrays of any library; NaN where a target is no class and that could not be asked before."""
    at_target = targets[:, None] == beside(np.arange(logits.shape[1]), targets)
    known = np.any(at_target, axis=1)
    if certain(~np.all(known)):
        raise IndexError(f"cross-entropy: a target is no class: there are 0 to {logits.shape[1] - 1}.")
    top = np.max(logits, axis=1)
    raised = np.exp(logits - top[:, None])
    summed = np.sum(raised, axis=1)
    losses = np.log(summed) + (top - np.sum(np.where(at_target, logits, 0.0), axis=1))
    losses = np.where(known, losses, math.nan)
    if reduction != "none":
        losses = np.sum(losses) if reduction == "sum" else np.mean(losses)
    return losses, raised / summed[:, None] - at_target


def softmax_less_target(g, y, logits, targets, reduction="none", saved=None):
    if saved is None:
        saved = softmax(logits) - (as_array(targets)[:, None] == beside(np.arange(logits.shape[1]), targets))
    return saved * (g / logits.shape[0] if reduction == "mean" else g[:, None] if reduction == "none" else g)


softmax_cross_entropy = defop(
    _softmax_cross_entropy,
    softmax_less_target,
    formula="g (softmax(logits) - 1 at the target)",
    saves=True,
    cases=lambda a: [
        call(a(3, 4), np.array([0, 3, 1])),
        call(a(3, 4), np.array([0, 3, 1]), "mean"),
        call(a(1, 2), targets=np.array([1]), reduction="sum"),
    ],
)


def _softmax(a, axis=-1):
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
    _softmax,
    lambda g, y, a, axis=-1: y * (g - np.sum(g * y, axis=axis, keepdims=True)),
    formula="y (g - Σ g y)",
    cases=lambda a: [call(a(3, 4)), call(a(3, 4), axis=0), call(a(5))],
)

plain(np.argmax, np.argmin, np.argsort, np.all, np.any, np.nonzero, np.count_nonzero, np.argwhere, np.flatnonzero)
plain(np.searchsorted, np.shape, np.ndim)


def entries(a, axis=None):
    return size(a) if axis is None else math.prod(np.shape(a)[i] for i in normalize_axis_tuple(axis, np.ndim(a)))


plain(np.size, by=entries)
