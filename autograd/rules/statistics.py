"""Medians and quantiles, reductions that leave NaN out, covariances, histograms. A formula is the rule in words."""

import math
import warnings

import numpy as np

from ..errors import NoRuleError
from ..op import beside, call, certain, composed, defop, is_foreign, known, plain, size, spread
from .indexing import numbers, scatter
from .reduction import extremum, folded, started

# ---------------------------------------------------------------- order statistics


def picked(g, a, axis, place):
    """`g`, put where the sorted entries come from that the result lies at or between.

    `place` is NumPy's own function. Of the ranks of the entries, 0 for the smallest, it gives the rank of its result,
    a fraction where it interpolates: no method's formula need be known here. A NaN in the result makes all NaN.
    """
    rows, back = folded(a, axis)
    if not rows.size:
        return 0.0
    n = rows.shape[-1]
    rows = np.reshape(rows, (-1, n))
    order, nan = np.argsort(rows, kind="stable"), np.isnan(rows)
    ranks = np.where(nan & ~np.all(nan, axis=-1, keepdims=True), math.nan, np.argsort(order))
    rank = np.reshape(place(back(ranks)), (-1, len(order)))
    below = np.where(np.isnan(rank), 0, np.floor(rank)).astype(int)
    part, row = rank - below, beside(np.arange(len(order)), order)
    g = np.reshape(g, rank.shape)
    share = scatter(g * (1 - part), shape=order.shape, index=(row, order[row, below]))
    share = share + scatter(g * part, shape=order.shape, index=(row, order[row, np.minimum(below + 1, n - 1)]))
    return back(share + np.sum(0 * part, axis=0)[:, None])


def middle(function):
    def rule(g, y, a, axis=None, out=None, overwrite_input=False, keepdims=False):
        return picked(g, a, axis, lambda ranks: function(ranks, axis))

    return rule


def quantile(function):
    def rule(g, y, a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
        weighted = {} if weights is None else {"weights": weights}
        return picked(g, a, axis, lambda ranks: function(ranks, q, axis, method=method, **weighted))

    return rule


def middles(a):
    keywords = [{}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"axis": (2, 0)}, {"keepdims": True}]
    return [call(a(2, 3, 4), **k) for k in keywords] + [call(a()), call(a(5)), call(a(3, 0), 0)]


METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip


def quantiles(of):
    """Cases, with `of` what stands for all."""

    def cases(a):
        keywords = [{}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"axis": (2, 0), "method": "hazen"}]
        calls = [call(a(2, 3, 4), q, **k) for k in keywords for q in (0.3 * of, [0.0, 0.35 * of, of])]
        calls += [call(a(7), [0.13 * of, 0.5 * of, 0.88 * of], method=method) for method in METHODS]
        weights = np.arange(24.0).reshape(2, 3, 4) % 5
        calls += [call(a(2, 3, 4), 0.4 * of, axis, method="inverted_cdf", weights=weights) for axis in (None, 1)]
        return [*calls, call(a(), 0.5 * of), call(a(3, 0), 0.5 * of, axis=0)]

    return cases


def reading(function):
    """`function`, which then never sorts the numbers in place that a graph holds."""
    return lambda a, *arguments, overwrite_input=False, **keywords: function(a, *arguments, **keywords)


def blank(a):
    """`a` with a NaN that depends on nothing in the place of each NaN."""
    nan = np.isnan(a)
    return a if certain(np.all(~nan)) else np.where(nan, math.nan, a)


def order_statistic(function, of_numbers, rule, formula, cases):
    """The operation, and with it the function that leaves NaN out."""
    op = defop(
        reading(function), rule(function), name=function.__name__, formula=formula, moves=True, cases=cases,
    )  # fmt: skip
    composed(function)(op)
    without_nan = defop(
        reading(of_numbers), rule(of_numbers), name=of_numbers.__name__, formula=formula, moves=True, cases=cases,
    )  # fmt: skip
    composed(of_numbers)(lambda a, *arguments, **keywords: without_nan(blank(a), *arguments, **keywords))


# Between equals the order is that of a stable sort.
order_statistic(np.median, np.nanmedian, middle, "g, to the middle of the sorted entries", middles)
order_statistic(np.quantile, np.nanquantile, quantile, "g, to the sorted entries at q", quantiles(1.0))
order_statistic(np.percentile, np.nanpercentile, quantile, "g, to the sorted entries at q %", quantiles(100.0))

# ---------------------------------------------------------------- without NaN
# What is NaN goes through np.where, so that it has the gradient 0 whatever made it.


def instead(replacement, function):
    """`function` of an array with each NaN replaced."""

    def composition(a, *arguments, **keywords):
        nan = np.isnan(a)
        return function(a if certain(np.all(~nan)) else np.where(nan, replacement, a), *arguments, **keywords)

    return composition


composed(np.nansum)(instead(0, np.sum))
composed(np.nanprod)(instead(1, np.prod))
composed(np.nancumsum)(instead(0, np.cumsum))
composed(np.nancumprod)(instead(1, np.cumprod))


def extremum_of_numbers(ufunc, function):
    def forward(a, axis=None, out=None, keepdims=False, initial=np._NoValue, where=True):
        if not is_foreign(a):
            return ufunc.reduce(a, axis, None, None, keepdims, initial, where)
        a = a if where is True else np.where(spread(where, a), a, math.nan)
        y = function(a, axis=axis, keepdims=keepdims)
        return y if initial is np._NoValue else ufunc(y, initial)

    name = function.__name__
    formula = f"g where a is the {name[3:]}imum, shared between equals"
    op = defop(forward, extremum, name=name, formula=formula, masked=True, cases=started)

    @composed(function)
    def composition(a, *arguments, **keywords):
        result = op(blank(a), *arguments, **keywords)
        if certain(np.any(np.isnan(result))):
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=4)
        return result

    return op


largest_number = extremum_of_numbers(np.fmax, np.nanmax)
smallest_number = extremum_of_numbers(np.fmin, np.nanmin)


def floating(dtype):
    if dtype is not None and not np.issubdtype(dtype, np.inexact):
        raise TypeError(f"of an array with NaN: dtype={dtype!r} has no NaN.")


@composed(np.nanmean)
def nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    nan = np.isnan(a)
    if certain(np.all(~nan)):
        return np.mean(a, axis, dtype, keepdims=keepdims, where=where)
    floating(dtype)
    with np.errstate(invalid="ignore"):
        return np.mean(a, axis, dtype, keepdims=keepdims, where=np.logical_and(~nan, where))


def spread_of_numbers(function):
    def composition(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, **keywords):
        nan = np.isnan(a)
        if certain(np.all(~nan)):
            return function(a, axis, dtype, None, ddof, keepdims, where=where, **keywords)
        floating(dtype)
        where = np.logical_and(~nan, where)
        left = np.sum(where, axis=axis, keepdims=keepdims) - keywords.get("correction", ddof)
        with np.errstate(invalid="ignore", divide="ignore"):
            result = function(a, axis, dtype, None, ddof, keepdims, where=where, **keywords)
        # Added, not chosen: as of np.var of one number with ddof=1, the gradient is NaN, too.
        if certain(np.all(left > 0)):
            return result
        return result + np.where(left <= 0, math.nan, 0).astype(result.dtype)

    return composition


composed(np.nanvar)(spread_of_numbers(np.var))
composed(np.nanstd)(spread_of_numbers(np.std))
plain(np.nanargmax, np.nanargmin)

# ---------------------------------------------------------------- covariance


def variables(m, rowvar, dtype):
    """A row for each variable."""
    if np.ndim(m) > 2:
        raise ValueError(f"cov takes arrays of at most two axes, and got shape {np.shape(m)}.")
    rows = np.astype(np.atleast_2d(m), dtype)
    return rows if rowvar or np.ndim(m) < 2 else np.transpose(rows)


@composed(np.cov)
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    given = [np.asarray(x) if isinstance(x, list | tuple) else x for x in (m, y) if x is not None]
    dtype = np.result_type(*given, np.float64) if dtype is None else dtype
    rows = np.concatenate([variables(x, rowvar, dtype) for x in given])
    if ddof is None:
        ddof = 0 if bias else 1
    elif ddof != int(ddof):
        raise ValueError(f"cov(ddof={ddof!r}): ddof is an integer.")
    count = np.shape(rows)[1]
    repeats = checked(fweights, "fweights", count)
    if repeats is not None and np.any(repeats != np.around(repeats)):
        raise TypeError("cov(fweights=...): how often each observation counts is an integer.")
    importance = checked(aweights, "aweights", count)
    weights = importance if repeats is None else repeats if importance is None else repeats * importance

    means = np.average(rows, axis=1, weights=weights)
    if weights is None:
        left = float(count - ddof)
    else:
        left = sum_of_weights = np.sum(weights)
        if ddof:
            left = sum_of_weights - ddof * (1 if importance is None else np.sum(weights * importance) / sum_of_weights)
    if left <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=4)
        left = 0.0
    centered = rows - np.expand_dims(means, 1)
    other = np.transpose(centered if weights is None else centered * weights)
    products = np.matmul(centered, np.conj(other) if np.iscomplexobj(other) else other)
    return np.squeeze(np.astype(products * np.true_divide(1, left), dtype))


def checked(weights, name, count):
    """Weights of as many observations, none of them negative."""
    if weights is None:
        return None
    known(f"cov({name}=...)", weights)
    if not hasattr(weights, "requires_grad"):
        weights = np.asarray(weights, dtype=float)
    if np.shape(weights) != (count,):
        raise RuntimeError(f"cov({name}=...) of {count} observations got weights of shape {np.shape(weights)}.")
    if np.any(weights < 0):
        raise ValueError(f"cov({name}=...): a weight is negative.")
    return weights


@composed(np.corrcoef)
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = np.cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    deviations = np.sqrt(np.real(np.diagonal(c)))
    c = c / np.expand_dims(deviations, 1) / deviations
    if np.iscomplexobj(c):
        return np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)
    return np.clip(c, -1, 1)


# ---------------------------------------------------------------- counts
# How many numbers fall where is constant but for jumps: plain NumPy. A sum of weights has a gradient in these.

plain(np.digitize)


def summed(weights, columns, edges, density):
    """The weights of the observations in each bin; the last bin of an axis has both of its edges."""
    places, inside = [], True
    for column, edge in zip(columns, edges, strict=True):
        place = np.searchsorted(edge, column, side="right") - 1
        place = np.where(column == edge[-1], len(edge) - 2, place)
        inside = inside & (place >= 0) & (place < len(edge) - 1)
        places.append(place)
    shape = tuple(len(edge) - 1 for edge in edges)
    weights = np.astype(np.ravel(weights), np.result_type(weights, float))
    sums = scatter(weights[inside], shape=shape, index=tuple([place[inside] for place in places]))
    if density:
        sums = sums / np.sum(sums)
        for axis, edge in enumerate(edges):
            sums = sums / np.expand_dims(np.diff(edge), [*range(1, len(edges) - axis)])
    return sums


def spanned(a, edges, bins, range):
    """The edges of bins that lie evenly between the smallest and the largest entry, which they follow."""
    if not getattr(a, "requires_grad", False) or range is not None or np.ndim(bins) or not size(a):
        return edges
    low, high = np.min(a), np.max(a)
    apart = np.asarray(edges[[0, -1]]) - np.array([low.data, high.data])  # ½ around entries that are all equal
    return np.astype(np.linspace(low + apart[0], high + apart[1], len(edges)), edges.dtype)


def fixed(sample, bins, range):
    """Raise where a density would have to be differentiated by the width of its bins."""
    if getattr(sample, "requires_grad", False) and range is None and not np.ndim(bins):
        raise NoRuleError(
            "histogram(density=True) divides by the width of bins that follow the data, and this has no derivative "
            "rule. Give range= or the edges themselves as bins=; or pass the numbers, v.data."
        )


@composed(np.histogram_bin_edges)
def histogram_bin_edges(a, bins=10, range=None, weights=None):
    known("histogram_bin_edges", a, bins, weights)
    edges = np.histogram_bin_edges(np.asarray(numbers(a)), numbers(bins), range, numbers(weights))
    return spanned(a, edges, bins, range)


@composed(np.histogram)
def histogram(a, bins=10, range=None, density=None, weights=None):
    known("histogram", a, bins, weights)
    plain_a, bins = np.asarray(numbers(a)), numbers(bins)
    counts, edges = np.histogram(plain_a, bins, range, density, numbers(weights))
    if density:
        fixed(a, bins, range)
    if getattr(weights, "requires_grad", False):
        counts = np.astype(summed(weights, [np.ravel(plain_a)], [edges], density), counts.dtype)
    return counts, spanned(a, edges, bins, range)


@composed(np.histogramdd)
def histogramdd(sample, bins=10, range=None, density=None, weights=None):
    columns = [
        numbers(column)
        for column in (np.atleast_2d(np.transpose(numbers(sample))) if hasattr(sample, "shape") else sample)
    ]
    known("histogramdd", *columns, weights)
    counts, edges = np.histogramdd(tuple(columns), numbers(bins), range, density, numbers(weights))
    if getattr(weights, "requires_grad", False):
        counts = summed(weights, columns, edges, density)
    return counts, edges


@composed(np.histogram2d)
def histogram2d(x, y, bins=10, range=None, density=None, weights=None):
    known("histogram2d", x, y, weights)
    counts, *edges = np.histogram2d(numbers(x), numbers(y), numbers(bins), range, density, numbers(weights))
    if getattr(weights, "requires_grad", False):
        counts = summed(weights, [np.asarray(numbers(x)), np.asarray(numbers(y))], edges, density)
    return counts, *edges


@composed(np.bincount)
def bincount(x, /, weights=None, minlength=0):
    known("bincount", x, weights)
    x = np.asarray(numbers(x))
    counts = np.bincount(x, numbers(weights), minlength)
    if getattr(weights, "requires_grad", False):
        return scatter(np.astype(weights, float), shape=counts.shape, index=(x,))
    return counts
