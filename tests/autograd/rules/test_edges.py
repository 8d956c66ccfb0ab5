"""Where a careless rule gives NaN, a wrong zero or half of the truth: the numbers that are right there.

Zeros, ties, infinities, overflow, empty arrays, broadcasting, repeated indices; the gradient of the sum of
each function in each of its inputs. No warning may come from the backward pass.
"""

import math
import warnings

import numpy as np
import pytest

from autograd import Value, log_softmax, logsumexp, relu, sigmoid, softmax

INF, NAN = math.inf, math.nan
T = [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]], [[12, 13, 14, 15], [16, 17, 18, 19], [20, 21, 22, 23]]]
TIED = np.stack([np.arange(33.0, 66), np.arange(33.0), np.arange(66.0, 99)], axis=-1).ravel()
BACK = np.moveaxis(np.arange(24.0).reshape(4, 2, 3), 0, -1)

# name: function, inputs, gradients
EDGES = {
    # powers and roots
    "sqrt at 0": (np.sqrt, [[0.0, 4.0]], [[INF, 0.25]]),
    "cbrt at 0": (np.cbrt, [[0.0, 8.0]], [[INF, 1 / 12]]),
    "hypot at (0, 0)": (np.hypot, [[0.0, 3.0], [0.0, 4.0]], [[0, 0.6], [0, 0.8]]),
    "arctan2 at (0, 0)": (np.arctan2, [[0.0, 1.0], [0.0, 1.0]], [[0, 0.5], [0, -0.5]]),
    "arctan2 of tiny numbers": (np.arctan2, [[1e-200], [1e-200]], [[5e199], [-5e199]]),
    "hypot of huge numbers": (np.hypot, [[3e200], [4e200]], [[0.6], [0.8]]),
    "x ** 0 at 0": (lambda x: x**0, [[0.0, 2.0]], [[0, 0]]),
    "x ** array of 0 at 0": (lambda x: x ** np.zeros(2), [[0.0, 2.0]], [[0, 0]]),
    "x ** array of 1": (lambda x: x ** np.ones(2), [[0.0, 3.0]], [[1, 1]]),
    "x ** array of 0 at infinity": (lambda x: x ** np.zeros(2), [[INF, -INF]], [[0, 0]]),
    "x ** 1 at 0": (lambda x: x**1, [[0.0]], [[1]]),
    "x ** 2 at 0": (lambda x: x**2, [[0.0, -3.0]], [[0, -6]]),
    "x ** 0.5 at 0": (lambda x: x**0.5, [[0.0]], [[INF]]),
    "x ** 3 at -2": (lambda x: x**3, [[-2.0]], [[12]]),
    "x ** array of 3 at -2": (lambda x: x ** np.array([3.0]), [[-2.0]], [[12]]),
    "x ** -1 at 0": (lambda x: x**-1, [[0.0, 2.0]], [[-INF, -0.25]]),
    "0 ** 2, also in the exponent": (np.power, [[0.0], [2.0]], [[0], [0]]),
    "0 ** 0": (np.power, [[0.0], [0.0]], [[0], [0]]),
    "(-2) ** 3": (np.power, [[-2.0], [3.0]], [[12], [NAN]]),
    "0 ** -1": (np.power, [[0.0], [-1.0]], [[-INF], [NAN]]),
    "0 ** y": (lambda y: 0.0**y, [[1.0, 2.0]], [[0, 0]]),
    "2 ** y": (lambda y: 2**y, [[3.0]], [[8 * math.log(2)]]),
    # kinks, ties and NaN
    "abs at 0": (np.abs, [[0.0, -0.0, -2.0]], [[0, 0, -1]]),
    "fabs at 0": (np.fabs, [[0.0, -0.0, -2.0]], [[0, 0, -1]]),
    "relu at 0": (relu, [[0.0, 1.0, -1.0]], [[0, 1, 0]]),
    "copysign at 0": (np.copysign, [[0.0, 2.0], [-1.0, -3.0]], [[0, -1], [0, 0]]),
    "maximum with 0 at 0": (lambda x: np.maximum(x, 0), [[0.0, 1.0, -1.0]], [[0.5, 1, 0]]),
    "maximum, a tie": (np.maximum, [[1.0, 2.0], [1.0, 0.0]], [[0.5, 1], [0.5, 0]]),
    "maximum of x and x": (lambda x: np.maximum(x, x), [[3.0]], [[1]]),
    "minimum, a tie": (np.minimum, [[1.0], [1.0]], [[0.5], [0.5]]),
    "fmax, a tie": (np.fmax, [[1.0, NAN, 2.0], [1.0, 3.0, NAN]], [[0.5, 0, 1], [0.5, 1, 0]]),
    "fmin, a tie": (np.fmin, [[1.0, NAN, 2.0], [1.0, 3.0, NAN]], [[0.5, 0, 1], [0.5, 1, 0]]),
    "maximum of NaN": (lambda x: np.maximum(x, 0.0), [[NAN, 1.0]], [[1, 1]]),
    "max, ties": (np.max, [[1.0, 3.0, 3.0]], [[0, 0.5, 0.5]]),
    "min, all equal": (np.min, [[2.0, 2.0, 2.0]], [[1 / 3, 1 / 3, 1 / 3]]),
    "max along an axis, ties": (lambda x: np.max(x, axis=1), [[[1.0, 1.0], [0.0, 2.0]]], [[[0.5, 0.5], [0, 1]]]),
    "max of NaN": (np.max, [[NAN, 1.0]], [[NAN, NAN]]),
    "clip, on the bounds": (lambda x: np.clip(x, -1, 1), [[-2.0, -1.0, 0.0, 1.0, 2.0]], [[0, 1, 1, 1, 0]]),
    "clip, on bounds that vary": (
        np.clip, [[-1.0, 2.0, 0.0, 3.0], [-1.0, -1.0, 1.0, 1.0], [2.0, 2.0, 1.0, 1.0]],
        [[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    ),
    "clip from below, at a bound that varies": (
        lambda x, low: np.clip(x, low, None), [[0.0, 2.0], [1.0, 1.0]], [[0, 1], [1, 0]]
    ),
    "clip from above, at a bound that varies": (
        lambda x, top: np.clip(x, None, top), [[0.0, 2.0], [1.0, 1.0]], [[1, 0], [0, 1]]
    ),
    "clip between bounds that are the wrong way round": (
        np.clip, [[0.0], [2.0], [1.0]], [[0], [0], [1]]
    ),
    "set where it has no derivative": (lambda x: np.sqrt(x).at[0].set(1.0), [[0.0, 4.0]], [[0, 0.25]]),
    "where twice": (
        lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0), [[0.0, 2.0]], [[0, 0.5]]
    ),
    "where, log not taken": (lambda x: np.where(x > 0, np.log(x), 0.0), [[0.0, 2.0, -1.0]], [[0, 0.5, 0]]),
    "where, sqrt not taken": (lambda x: np.where(x > 0, np.sqrt(x), x), [[0.0, 4.0]], [[1, 0.25]]),
    "where, exp not taken": (
        lambda x: np.where(x < 0, np.exp(x), x), [[1000.0, -1.0]], [[1, math.exp(-1)]]
    ),
    "where, division not taken": (lambda x: np.where(x == 0, 0.0, 1 / x), [[0.0, 2.0]], [[0, -0.25]]),
    "sort, ties": (lambda x: np.sort(x) * np.array([1.0, 2.0, 3.0]), [[1.0, 0.0, 1.0]], [[2, 1, 3]]),
    "rint": (lambda x: np.round(x) + 2 * x, [[1.2]], [[2]]),
    "mod": (np.mod, [[5.0, -5.0], [3.0, 3.0]], [[1, 1], [-1, 2]]),
    "mod, the quotient as NumPy rounds it": (np.mod, [[1.0], [0.1]], [[1], [-9]]),
    "fmod": (np.fmod, [[5.0, -5.0], [3.0, 3.0]], [[1, 1], [-1, 1]]),
    # exponentials, logarithms, trigonometry
    "log at 0": (np.log, [[0.0, 1.0]], [[INF, 1]]),
    "log1p of tiny numbers": (np.log1p, [[1e-300, 0.0]], [[1, 1]]),
    "expm1 of tiny numbers": (np.expm1, [[1e-300]], [[1]]),
    "exp, overflow": (np.exp, [[1000.0, -1000.0]], [[INF, 0]]),
    "tanh of large numbers": (np.tanh, [[1000.0, -1000.0]], [[0, 0]]),
    "sinc at 0": (np.sinc, [[0.0, 0.5]], [[0, -4 / math.pi]]),
    "arcsin at 1": (np.arcsin, [[1.0, 0.5]], [[INF, 2 / math.sqrt(3)]]),
    "arccosh at 1": (np.arccosh, [[1.0, 1e200]], [[INF, 1e-200]]),
    "arcsinh of huge numbers": (np.arcsinh, [[1e200]], [[1e-200]]),
    "logaddexp(-inf, -inf)": (np.logaddexp, [[-INF], [-INF]], [[NAN], [NAN]]),
    "logaddexp(1000, 0)": (np.logaddexp, [[1000.0], [0.0]], [[1], [0]]),
    "logaddexp(-inf, 1)": (np.logaddexp, [[-INF], [1.0]], [[0], [1]]),
    "sigmoid": (sigmoid, [[-1000.0, 40.0, 1000.0, 0.0]], [[0, math.exp(-40) / (1 + math.exp(-40)) ** 2, 0, 0.25]]),
    "softplus as logaddexp": (lambda x: np.logaddexp(x, 0), [[1000.0, -1000.0, 0.0]], [[1, 0, 0.5]]),
    "logsumexp, overflow": (logsumexp, [[1000.0, 1000.0]], [[0.5, 0.5]]),
    "logsumexp of one -inf": (logsumexp, [[-INF, 0.0]], [[0, 1]]),
    "logsumexp of -inf": (logsumexp, [[-INF, -INF]], [[NAN, NAN]]),
    "softmax of large numbers": (lambda x: softmax(x)[0], [[1000.0, 0.0]], [[0, 0]]),
    "softmax of -inf": (lambda x: softmax(x)[0], [[-INF, -INF]], [[NAN, NAN]]),
    "log_softmax of large numbers": (lambda x: log_softmax(x)[1], [[1000.0, 0.0]], [[-1, 1]]),
    # products and running products around zeros
    "prod, a zero": (np.prod, [[2.0, 0.0, 3.0]], [[0, 6, 0]]),
    "prod, two zeros": (np.prod, [[0.0, 0.0, 3.0]], [[0, 0, 0]]),
    "prod along an axis": (lambda x: np.prod(x, 1), [[[2.0, 0.0], [0.0, 0.0]]], [[[0, 2], [0, 0]]]),
    "prod of nothing": (np.prod, [[]], [[]]),
    "prod of -0": (np.prod, [[-0.0, 2.0]], [[2, 0]]),
    "prod of negatives": (np.prod, [[-2.0, 3.0]], [[3, -2]]),
    "prod, underflow on the way": (np.prod, [[1e-200, 1e-200, 1e300]], [[1e100, 1e100, 0]]),
    "cumprod, a zero": (np.cumprod, [[2.0, 0.0, 3.0, 4.0]], [[1, 32, 0, 0]]),
    "cumprod, two zeros": (np.cumprod, [[0.0, 2.0, 0.0, 4.0]], [[3, 0, 0, 0]]),
    # spread
    "std of equals": (np.std, [[2.0, 2.0, 2.0]], [[0, 0, 0]]),
    "var of equals": (np.var, [[2.0, 2.0]], [[0, 0]]),
    "std of one": (np.std, [[5.0]], [[0]]),
    "var, ddof=1": (lambda x: np.var(x, ddof=1), [[1.0, 2.0, 4.0]], [[-4 / 3, -1 / 3, 5 / 3]]),
    "var of one, ddof=1": (lambda x: np.var(x, ddof=1), [[1.0]], [[NAN]]),
    "var far from 0": (np.var, [[1e9 + 1, 1e9 + 2, 1e9 + 6]], [[-4 / 3, -2 / 3, 2]]),
    "var where": (lambda x: np.var(x, where=x > 0), [[-INF, 1.0, 3.0, NAN]], [[0, -1, 1, 0]]),
    "nanstd of equals": (np.nanstd, [[2.0, NAN, 2.0]], [[0, 0, 0]]),
    # order
    "median of four": (np.median, [[1.0, 2.0, 3.0, 4.0]], [[0, 0.5, 0.5, 0]]),
    "median of three": (np.median, [[3.0, -INF, INF]], [[1, 0, 0]]),
    "median of NaN": (np.median, [[1.0, NAN, 2.0]], [[NAN, NAN, NAN]]),
    "median of equals": (np.median, [[2.0, 2.0, 2.0]], [[0, 1, 0]]),
    "quantile on an entry": (lambda x: np.quantile(x, 0.5), [[3.0, 1.0, 2.0]], [[0, 0, 1]]),
    "quantile between entries": (lambda x: np.quantile(x, 0.25), [[3.0, 1.0, 2.0, 9.0]], [[0, 0.25, 0.75, 0]]),
    # NaN left out, and what made it
    "nansum of logarithms": (lambda x: np.nansum(np.log(x)), [[-1.0, 2.0]], [[0, 0.5]]),
    "nanmean of 0 / 0": (lambda x: np.nanmean(x / x), [[0.0, 2.0]], [[0, 0]]),
    "nanmax of roots": (lambda x: np.nanmax(np.sqrt(x)), [[-1.0, 4.0, 4.0]], [[0, 0.125, 0.125]]),
    "nanmedian of roots": (lambda x: np.nanmedian(np.sqrt(x)), [[-1.0, 4.0, 1.0]], [[0, 0.125, 0.25]]),
    "nanmean of NaN": (np.nanmean, [[NAN, NAN]], [[0, 0]]),
    "nanprod, a zero": (np.nanprod, [[2.0, 0.0, NAN]], [[0, 2, 0]]),
    "nanvar of one, ddof=1": (lambda x: np.nanvar(x, ddof=1), [[NAN, 1.0]], [[0, NAN]]),
    "max where": (lambda x: np.max(x, where=x < 9, initial=2.0), [[NAN, 2.0, 9.0]], [[0, 0.5, 0]]),
    "fmax.reduce": (np.fmax.reduce, [[NAN, 2.0, 1.0]], [[0, 1, 0]]),
    "logaddexp.reduce": (np.logaddexp.reduce, [[-INF, 0.0, 0.0]], [[0, 0.5, 0.5]]),
    # empty
    "mean of nothing": (np.mean, [[]], [[]]),
    "sum of (0, 3)": (lambda x: np.sum(x, axis=0), [np.zeros((0, 3))], [np.zeros((0, 3))]),
    "sum over no axis": (lambda x: np.sum(x, axis=()), [[1.0, 2.0]], [[1, 1]]),
    "matmul over nothing": (np.matmul, [np.zeros((2, 0)), np.zeros((0, 3))], [np.zeros((2, 0)), np.zeros((0, 3))]),
    "tile of nothing": (lambda x: np.tile(x, (2, 0)), [[1.0, 2.0]], [[0, 0]]),
    # one value in several places
    "x * x": (lambda x: x * x, [[3.0]], [[6]]),
    "x - x": (lambda x: x - x, [[3.0]], [[0]]),
    "x / x": (lambda x: x / x, [[3.0]], [[0]]),
    "a diamond": (lambda x: (lambda y: y * y + y)(x * x + x), [[2.0]], [[65]]),
    "concatenate(x, x)": (
        lambda x: np.concatenate([x, x]) * np.array([1.0, 2.0, 3.0, 4.0]), [[0.0, 0.0]], [[4, 6]]
    ),
    "einsum of x and x": (lambda x: np.einsum("i,i->", x, x), [[1.0, 2.0]], [[2, 4]]),
    "einsum, the trace": (lambda x: np.einsum("ii", x), [[[1.0, 2.0], [3.0, 4.0]]], [[[1, 0], [0, 1]]]),
    # matrices
    "norm of zero": (np.linalg.norm, [[0.0, 0.0, 0.0]], [[0, 0, 0]]),
    "norm of zero, squared": (lambda x: np.linalg.norm(x) ** 2, [[0.0, 0.0]], [[0, 0]]),
    "norm of rows, one of them zero": (
        lambda x: np.linalg.norm(x, axis=1), [[[3.0, 4.0], [0.0, 0.0]]], [[[0.6, 0.8], [0, 0]]]
    ),
    "norm of order 1 at 0": (lambda x: np.linalg.norm(x, 1), [[0.0, -2.0]], [[0, -1]]),
    "norm of order 1/2 at 0": (lambda x: np.linalg.norm(x, 0.5), [[1.0, 0.0, -4.0]], [[3, 0, -1.5]]),
    "largest entry, ties": (lambda x: np.linalg.norm(x, np.inf), [[2.0, -2.0, 1.0]], [[0.5, -0.5, 0]]),
    "spectral norm, ties": (lambda x: np.linalg.norm(x, 2), [np.eye(2)], [np.eye(2) / 2]),
    "nuclear norm of zero": (lambda x: np.linalg.norm(x, "nuc"), [np.zeros((2, 2))], [np.zeros((2, 2))]),
    "det of a singular matrix": (np.linalg.det, [[[1.0, 2.0], [2.0, 4.0]]], [[[4, -2], [-2, 1]]]),
    "det of zero": (np.linalg.det, [np.zeros((2, 2))], [np.zeros((2, 2))]),
    "det of a number that is 0": (np.linalg.det, [[[0.0]]], [[[1]]]),
    "det of nothing": (np.linalg.det, [np.zeros((0, 0))], [np.zeros((0, 0))]),
    "slogdet of a singular matrix": (lambda x: np.linalg.slogdet(x)[1], [np.ones((2, 2))], [np.full((2, 2), NAN)]),
    "inv": (np.linalg.inv, [[[2.0, 1.0], [2.0, 3.0]]], [[[-0.125, 0], [-0.125, 0]]]),
    "eigenvalues that are equal": (lambda x: np.linalg.eigvalsh(x) ** 2, [2 * np.eye(2)], [4 * np.eye(2)]),
    "vectors of equal eigenvalues": (lambda x: np.linalg.eigh(x)[1], [np.eye(2)], [np.full((2, 2), NAN)]),
    "singular values that are equal": (lambda x: np.linalg.svd(x).S ** 2, [2 * np.eye(2)], [4 * np.eye(2)]),
    "vectors of equal singular values": (lambda x: np.linalg.svd(x).U, [np.eye(2)], [np.full((2, 2), NAN)]),
    "eigvalsh reads one triangle": (
        lambda x: np.linalg.eigvalsh(x)[1:], [[[1.0, 99.0], [0.0, 3.0]]], [[[0, 0], [0, 1]]]
    ),
    "cholesky reads one triangle": (
        lambda x: np.linalg.cholesky(x)[1, 0], [[[4.0, 99.0], [1.0, 3.0]]], [[[-1 / 16, 1 / 4], [1 / 4, 0]]]
    ),
    # broadcasting
    "(3, 1) * (1, 4)": (np.multiply, [[[1.0]] * 3, [[1.5] * 4]], [[[6]] * 3, [[3] * 4]]),
    "(1,) + (0,)": (np.add, [[1.0], []], [[0], []]),
    "() * (2, 2)": (np.multiply, [2.0, np.ones((2, 2))], [4, [[2, 2], [2, 2]]]),
    "(2, 1, 3) + (1,)": (np.add, [np.ones((2, 1, 3)), [1.0]], [np.ones((2, 1, 3)), [6]]),
    "matmul of (2,) and (3, 2, 3)": (
        np.matmul,
        [[1.0, 2.0], np.ones((3, 2, 3)) * 4 / 3],
        [[12, 12], [[[1, 1, 1], [2, 2, 2]]] * 3],
    ),
    # spectra, grids and polynomials
    "amplitudes of 0": (lambda x: np.abs(np.fft.rfft(x)), [[0.0, 0.0, 0.0]], [[0, 0, 0]]),
    "irfft of what it does not read": (lambda x: np.fft.irfft(1j * x, 4), [[1.0, 1.0, 1.0]], [[0, 0, 0]]),
    "convolve of x and x": (lambda x: np.convolve(x, x), [[1.0, 2.0]], [[6, 6]]),
    "interp at knots, a knot's slope that of the right": (
        np.interp, [[0.0, 1.0, 2.0, 5.0], [0.0, 1.0, 2.0], [0.0, 3.0, -1.0]], [[3, -4, -4, 0], [-3, 4, 4], [1, 1, 2]]
    ),
    "gradient, an even grid": (
        lambda x: np.gradient(np.array([0.0, 1.0, 4.0]), x)[1], [[0.0, 1.0, 2.0]], [[0, 2, -2]]
    ),
    "trapezoid of one": (np.trapezoid, [[2.0]], [[0]]),
    "polyval at 0": (np.polyval, [[3.0, 2.0, 1.0], [0.0]], [[0, 0, 1], [2]]),
    "vander at 0": (np.vander, [[0.0, 1.0, -1.0]], [[1, 3, -1]]),
    "poly of equal eigenvalues": (np.poly, [2 * np.eye(2)], [np.eye(2)]),
    "roots, twice the same": (lambda p: np.roots(p)[:1], [[1.0, 0.0, 0.0]], [[NAN, NAN, NAN]]),
    # indices
    "x[[0, 0]]": (lambda x: x[[0, 0]], [[1.0, 2.0]], [[2, 0]]),
    "x[[0, 0, 1], [1, 1, 0]]": (lambda x: x[[0, 0, 1], [1, 1, 0]], [np.ones((2, 2))], [[[0, 2], [1, 0]]]),
    "x[mask]": (lambda x: x[np.array([True, False, True])], [[1.0, 2.0, 3.0]], [[1, 0, 1]]),
    "x[nothing]": (lambda x: x[np.array([False, False])], [[1.0, 2.0]], [[0, 0]]),
    "x[1:1]": (lambda x: x[1:1], [[1.0, 2.0]], [[0, 0]]),
    "x[::-1][:1]": (lambda x: x[::-1][:1], [[1.0, 2.0]], [[0, 1]]),
    # orders, choices and sets: among equals the order is that of a stable sort, or the first is taken
    "sort, many ties": (lambda x: np.sort(x) * np.arange(99.0), [np.tile([2.0, 1.0, 3.0], 33)], [TIED]),
    "sort of all, many ties": (
        lambda x: np.sort(x, None) * np.arange(99.0), [np.tile([2.0, 1.0, 3.0], (33, 1))], [TIED.reshape(33, 3)]
    ),
    "partition, ties": (lambda x: np.partition(x, 1)[2], [[1.0, 0.0, 1.0]], [[0, 0, 1]]),
    "unique, ties": (lambda x: np.unique(x) * np.array([2.0, 3.0]), [[1.0, 0.0, 1.0]], [[3, 2, 0]]),
    "union1d, in both": (np.union1d, [[1.0, 2.0], [2.0, 3.0]], [[1, 1], [0, 1]]),
    "setxor1d, in both": (np.setxor1d, [[1.0, 2.0], [2.0, 3.0]], [[1, 0], [0, 1]]),
    "select, log not taken": (lambda x: np.select([x > 0], [np.log(x)]), [[0.0, 2.0, -1.0]], [[0, 0.5, 0]]),
    "choose, log not taken": (lambda x: np.choose([0, 1], [x, np.log(x)]), [[0.0, 2.0]], [[1, 0.5]]),
    "piecewise, log not taken": (
        lambda x: np.piecewise(x, [x > 0], [np.log, lambda t: 3 * t]), [[0.0, 2.0, -1.0]], [[3, 0.5, 3]]
    ),
    "tril, infinity above": (lambda x: np.tril(1 / x), [[[1.0, 0.0], [2.0, 1.0]]], [[[-1, 0], [-0.25, -1]]]),
    # margins and repetitions: what stands in several places gets a share from each
    "pad, reflected": (lambda x: np.pad(x, 1, "reflect"), [[1.0, 2.0, 3.0]], [[1, 3, 1]]),
    "pad, reflected at a point": (
        lambda x: np.pad(x, 1, "reflect", reflect_type="odd"), [[1.0, 2.0, 4.0]], [[3, -1, 3]]
    ),
    "pad, a ramp": (lambda x: np.pad(x, (2, 0), "linear_ramp"), [[1.0, 3.0]], [[1.5, 1]]),
    "pad, the largest, ties": (lambda x: np.pad(x, (0, 2), "maximum"), [[3.0, 1.0, 3.0]], [[2, 1, 2]]),
    "pad of nothing": (lambda x: np.pad(x, 2), [[]], [[]]),
    "resize": (lambda x: np.resize(x, 5), [[1.0, 2.0]], [[3, 2]]),
    "repeat, not at all": (lambda x: np.repeat(x, [2, 0]), [[1.0, 2.0]], [[2, 0]]),
    "insert in two places": (lambda x, y: np.insert(x, [0, 2], y), [[1.0, 2.0], 3.0], [[1, 1], 2]),
    "delete": (lambda x: np.delete(x, [0, 0, -1]), [[1.0, 2.0, 3.0]], [[0, 1, 0]]),
    "meshgrid": (lambda x, y: np.stack(np.meshgrid(x, y)), [[1.0, 2.0], [3.0, 4.0, 5.0]], [[3, 3], [2, 2, 2]]),
    "transpose by negative axes": (
        lambda x: np.transpose(x, (-1, 0, 1)) * np.arange(24.0).reshape(4, 2, 3), [np.array(T, float)], [BACK]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("function", "inputs", "wanted"), EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("create_graph", [False, True], ids=["", "as a graph"])
def test_edge(function, inputs, wanted, create_graph):
    values = [Value(np.array(x, dtype=float)) for x in inputs]
    with warnings.catch_warnings(action="ignore"):  # the forward pass warns as NumPy does
        y = function(*values)
    y.backward(np.ones(y.shape), create_graph=create_graph)
    for value, gradient in zip(values, wanted, strict=True):
        got = getattr(value.grad, "data", value.grad) if create_graph else value.grad
        np.testing.assert_allclose(got, gradient, rtol=1e-12, atol=1e-300)
        assert np.shape(got) == value.shape


@pytest.mark.parametrize(
    ("function", "x", "wanted"),
    [
        (lambda x: x**0, 0.0, 0),
        (lambda x: x**1, 0.0, 0),
        (lambda x: x**2, 0.0, 2),
        (lambda x: x**3, 0.0, 0),
        (lambda x: x * x * x, 0.0, 0),
        (np.square, 0.0, 2),
        (np.abs, -1.0, 0),
        (np.sinc, 0.0, -(math.pi**2) / 3),
        (sigmoid, 800.0, 0),
        (np.tanh, 800.0, 0),
        (lambda x: np.logaddexp(x, 0), 0.0, 0.25),
        (lambda x: np.logaddexp(x, 0), 1000.0, 0),
        (lambda x: logsumexp(np.stack([x, 0.0])), 1000.0, 0),
        (lambda x: np.prod(np.stack([x, x, 5.0])), 0.0, 10),
        (lambda x: np.prod(np.stack([x, 0.0, 5.0])), 0.0, 0),
        (lambda x: np.sum(np.cumprod(np.stack([x, x, x]))), 0.0, 2),
        (lambda x: np.var(np.stack([x, 1.0])), 1.0, 0.5),
        (lambda x: np.max(np.stack([x * x, 1.0])), 3.0, 2),
        (lambda x: np.linalg.det(np.stack([np.stack([x, x]), np.stack([x, 3 * x])])), 0.0, 4),
    ],
)
def test_second_derivative_at_an_edge(function, x, wanted):
    x = Value(x)
    function(x).backward(create_graph=True)
    slope = x.grad
    x.zero_grad()
    if isinstance(slope, Value) and slope.requires_grad:
        slope.backward()
        np.testing.assert_allclose(x.grad, wanted, rtol=1e-14, atol=1e-15)
    else:
        assert wanted == 0


@pytest.mark.parametrize(
    ("function", "x", "truth"),
    [
        (lambda x: np.sqrt(x) ** 2, 0.0, 1.0),
        (lambda x: np.sqrt(x * x), 0.0, 0.0),
        (lambda x: 1 / np.cosh(x), 1000.0, 0.0),
        (lambda x: np.sin(x) / x, 0.0, 0.0),
        (lambda x: np.log(1 + np.exp(x)), 1000.0, 1.0),
        (lambda x: 1 / (1 + np.exp(-x)), -1000.0, 0.0),
        (lambda x: np.log(np.exp(x) + np.exp(0.0)), 1000.0, 1.0),
        (lambda x: np.log(softmax(np.stack([x, 0.0])))[0], -1000.0, 1.0),
        (lambda x: x * np.log(x), 0.0, -INF),
        (lambda x: -x * np.log(x) - (1 - x) * np.log(1 - x), 0.0, INF),
    ],
)
def test_what_a_rule_cannot_know_is_nan_and_never_a_wrong_number(function, x, truth):
    """0 * infinity, on the way or in the value already: NaN says so. (`anomaly` names the place.)"""
    x = Value(x)
    with warnings.catch_warnings(action="ignore"):
        function(x).backward()
    assert np.isnan(x.grad) or x.grad == truth
