"""Order statistics, what leaves NaN out, covariances, histograms: NumPy's numbers with every keyword, and gradients."""

# ruff: noqa: B023 (a function made in a loop is called in the same turn)

import itertools
import warnings

import numpy as np
import pytest

from autograd import Value
from autograd.errors import NoRuleError
from autograd.rules.statistics import METHODS

from ..numerical import check

rng = np.random.default_rng(7)
X = rng.permutation(12).reshape(2, 2, 3) / 3 - 1.8
Z = X + 1j * np.flip(X) ** 2
HOLES = np.where(rng.permutation(12).reshape(2, 2, 3) % 5 == 0, np.nan, X)
COMPLEX_HOLES = np.where(np.isnan(HOLES), np.nan, Z)
AXES = [(None, False), (0, False), (-1, True), ((0, 2), False), ((2, -2), True)]
MASK = np.array([[[True, True, False]], [[True, False, True]]])

# ---------------------------------------------------------------- order statistics


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("axis", "keepdims"), AXES)
def test_quantiles(method, axis, keepdims):
    keywords = {"axis": axis, "keepdims": keepdims, "method": method}
    for q in (0.37, [0.0, 0.21, 1.0], [[0.5, 0.9]], np.float32(0.5)):
        np.testing.assert_array_equal(np.quantile(Value(X), q, **keywords).data, np.quantile(X, q, **keywords))
    check(lambda x: np.quantile(x, [0.0, 0.21, 1.0], **keywords), X)
    if method in ("linear", "higher"):
        check(lambda x: np.quantile(x, [[0.5, 0.9]], **keywords), X)
        check(lambda x: np.percentile(x, 80.0, **keywords), X)


@pytest.mark.parametrize("method", METHODS)
def test_the_sum_of_the_gradient_is_one(method):
    """A shift of all entries shifts the quantile by the same; and of n entries every gap is met."""
    for n, q in itertools.product([1, 2, 3, 4, 7], np.linspace(0, 1, 23)):
        x = Value(rng.permutation(n) * 1.5)
        np.quantile(x, q, method=method).backward()
        np.testing.assert_allclose(x.grad.sum(), 1.0, rtol=1e-14)
        assert np.all(x.grad >= 0) and np.count_nonzero(x.grad) <= 2
        np.testing.assert_allclose(x.grad @ x.data, np.quantile(x.data, q, method=method), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("weights", [np.arange(12.0).reshape(2, 2, 3) % 5, [[0.5, 0, 1]] * 2, [2, 1, 3]], ids=str)
def test_weighted_quantiles(weights):
    axis = {3: 1, 2: (1, 2), 1: 2}[np.ndim(weights)]
    keywords = {"axis": axis, "method": "inverted_cdf", "weights": np.array(weights)}
    if np.ndim(weights) == 2 and np.lib.NumpyVersion(np.__version__) < "2.1.0":
        pytest.skip("weights along several axes came with NumPy 2.1")
    for q in (0.4, [0.1, 0.9]):
        check(lambda x: np.quantile(x, q, **keywords), X)
        check(lambda x: np.percentile(x, np.multiply(q, 100), **keywords), X)
    check(lambda x: np.median(x, axis=axis), X)


def test_median():
    for axis, keepdims in AXES:
        check(lambda x: np.median(x, axis, None, False, keepdims), X)
        check(lambda x: np.nanmedian(x, axis, keepdims=keepdims), X)
    check(lambda x: np.median(x, axis=1), Z)
    check(np.median, np.float64(2.0))
    for x, wanted in (([4.0, 1.0, 3.0, 2.0], [0, 0, 0.5, 0.5]), ([3.0, 1.0, 2.0], [0, 0, 1])):
        x = Value(x)
        np.median(x).backward()
        assert x.grad.tolist() == wanted


def test_sorting_in_place_is_not_done():
    for function in (np.median, np.nanmedian, lambda v, **k: np.quantile(v, 0.5, **k)):
        data = np.array([3.0, 1.0, 2.0])
        data.flags.writeable = False
        v = Value(data)
        assert function(v, overwrite_input=True).data == 2.0
        assert v.data.tolist() == [3.0, 1.0, 2.0]


def test_a_nan_in_the_result_makes_the_gradient_nan():
    for function in (np.median, lambda v, axis: np.quantile(v, 0.3, axis=axis)):
        x = Value([[1.0, np.nan, 3.0], [1.0, 2.0, 5.0]])
        y = function(x, axis=1)
        y.backward(np.ones(2))
        assert np.isnan(y.data[0]) and np.isnan(x.grad[0]).all()
        assert np.isfinite(x.grad[1]).all()


def test_medians_of_infinities_and_equals():
    x = Value([-np.inf, np.inf, 1.0])
    np.median(x).backward()
    assert x.grad.tolist() == [0, 0, 1]
    x = Value([2.0, 2.0, 2.0])
    np.median(x).backward()
    assert x.grad.tolist() == [0, 1, 0]  # the order of a stable sort
    x = Value(np.zeros(1001))
    np.median(x).backward()
    assert np.flatnonzero(x.grad).tolist() == [500]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: np.quantile(x, 1.5), ValueError),
        (lambda x: np.percentile(x, -1), ValueError),
        (lambda x: np.quantile(x, 0.5, method="middle"), ValueError),
        (lambda x: np.quantile(x, 0.5, weights=np.ones(12)), ValueError),
        (lambda x: np.quantile(x, 0.5, weights=np.ones(4), method="inverted_cdf"), TypeError),
        (lambda x: np.quantile(x, 0.5, axis=2, weights=[-1, 1, 1], method="inverted_cdf"), ValueError),
        (lambda x: np.quantile(x, 0.5, axis=5), ValueError),
        (lambda x: np.quantile(x + 1j, 0.5), TypeError),
        (lambda x: np.median(x, axis=(0, 0)), ValueError),
        (lambda x: np.nanmedian(x, axis=3), ValueError),
        (lambda x: np.nanmax(x[:0]), ValueError),
        (lambda x: np.nanmean(np.where(x > 0, np.nan, x), dtype=int), TypeError),
        (lambda x: np.nanvar(np.where(x > 0, np.nan, x), dtype=int), TypeError),
        (lambda x: np.cov(x), ValueError),
        (lambda x: np.cov(x[0], ddof=0.5), ValueError),
        (lambda x: np.cov(x[0], fweights=[1, 2, 0.5]), TypeError),
        (lambda x: np.cov(x[0], fweights=[1, 2, -1]), ValueError),
        (lambda x: np.cov(x[0], fweights=[1, 2]), RuntimeError),
        (lambda x: np.cov(x[0], aweights=[[1, 2, 1]]), RuntimeError),
        (lambda x: np.cov(x[0], aweights=[1.0, 2.0, -1.0]), ValueError),
        (lambda x: np.cov(x[0], aweights=[0.0] * 3), ZeroDivisionError),
        (lambda x: np.histogram(x, bins=[2, 1]), ValueError),
        (lambda x: np.histogram([1.0, 2.0], weights=x), ValueError),
        (lambda x: np.bincount([0, 1], weights=x[0, 0]), ValueError),
        (lambda x: np.bincount([0, -1], weights=x[0, 0, :2]), ValueError),
        (lambda x: np.histogramdd([x[0, 0], x[0, 0]], bins=[1, 2, 3]), ValueError),
    ],
)
def test_refuses_what_numpy_refuses(call, error):
    for x in (X, Value(X)):
        with pytest.raises(error), np.errstate(all="ignore"):
            call(x)


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.quantile(v, v[0]),
        lambda v: np.quantile([1.0, 2.0], v[0]),
        lambda v: np.percentile(v, 10 * v[1]),
        lambda v: np.nanquantile(v, v[0]),
        lambda v: np.quantile(v, 0.5, weights=v, method="inverted_cdf"),
        lambda v: np.median(v, out=np.zeros(())),
        lambda v: np.nanmedian(v, 0, np.zeros(())),
        lambda v: np.nanmax(v, out=np.zeros(())),
        lambda v: np.nanmean(v, out=np.zeros(())),
        lambda v: np.nanstd(v, 0, None, np.zeros(())),
    ],
)
def test_what_has_no_rule_is_refused(call):
    with pytest.raises(NoRuleError):
        call(Value([0.1, 0.2, 0.3]))


# ---------------------------------------------------------------- without NaN

STARTED = [{}, {"initial": 0.71}, {"where": MASK, "initial": 0.4}]
SPREAD = [{}, {"where": MASK}, {"ddof": 1}, {"correction": 0.5, "where": MASK}, {"mean": 0.25}]
NAN = {
    np.nansum: [*STARTED, {"where": MASK}, {"dtype": np.complex128}],
    np.nanprod: [*STARTED, {"where": MASK}],
    np.nanmax: STARTED,
    np.nanmin: STARTED,
    np.nanmean: [{}, {"where": MASK}],
    np.nanvar: SPREAD,
    np.nanstd: SPREAD,
    np.nanmedian: [{}],
    np.nanquantile: [{"q": 0.3}, {"q": [0.1, 0.5, 1.0]}, {"q": 0.6, "method": "weibull"}],
    np.nanpercentile: [{"q": 30.0}, {"q": [10, 50], "method": "nearest"}],
}
NAN_GRID = {
    f"{function.__name__} {axis} {number}": (function, {"axis": axis, "keepdims": keepdims, **keywords})
    for function, several in NAN.items()
    for number, keywords in enumerate(several)
    for axis, keepdims in AXES
}


def of_numbers(function, array, keywords):
    """As a function of what is not NaN: finite differences make nothing of the rest."""
    places = np.flatnonzero(~np.isnan(array))

    def composition(x):
        if type(x) is Value:
            return function(Value(np.ravel(array)).at[places].set(x).reshape(array.shape), **keywords)
        filled = np.array(array)
        filled.flat[places] = x
        return function(filled, **keywords)

    return composition, np.ravel(array)[places]


@pytest.mark.parametrize(("function", "keywords"), NAN_GRID.values(), ids=NAN_GRID)
@pytest.mark.parametrize("array", [X, HOLES, COMPLEX_HOLES], ids=["no NaN", "NaN", "complex"])
def test_without_nan(function, keywords, array):
    if array.dtype.kind == "c" and function in (np.nanquantile, np.nanpercentile):
        return
    if array.dtype.kind == "c" and function in (np.nanmax, np.nanmin, np.nanmedian) and "where" not in keywords:
        array = np.where(np.isnan(array), np.nan, array)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Degrees of freedom|Mean of empty|All-NaN|invalid value")
        got, wanted = function(Value(array), **keywords), function(array, **keywords)
        np.testing.assert_allclose(got.data, wanted, rtol=2e-15, atol=1e-15)
        assert got.dtype == wanted.dtype
        if np.all(np.isfinite(wanted)):
            check(*of_numbers(function, array, keywords))


@pytest.mark.parametrize("function", [np.nancumsum, np.nancumprod])
def test_running_without_nan(function):
    for array, axis in itertools.product([X, HOLES, COMPLEX_HOLES], [None, 0, -1]):
        np.testing.assert_array_equal(function(Value(array), axis).data, function(array, axis))
        check(*of_numbers(function, array, {"axis": axis}))


ALL = [
    np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd, np.nanmedian, np.nancumsum,
    np.nancumprod, lambda x: np.nanquantile(x, 0.4), lambda x: np.nanpercentile(x, [10, 60], method="lower"),
]  # fmt: skip


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize(
    "make", [np.log, np.sqrt, lambda x: x / np.abs(x) * np.sqrt(x)], ids=["log", "√", "x √x / |x|"]
)
def test_nan_has_no_gradient_nor_has_what_made_it(function, make):
    x = Value([-1.0, 2.0, 0.7, -3.0, 1.3])
    with np.errstate(invalid="ignore"):
        y = function(make(x))
    y.backward(np.ones(y.shape))
    assert x.grad[[0, 3]].tolist() == [0, 0]
    short = Value(x.data[[1, 2, 4]])
    z = function(make(short))
    z.backward(np.ones(z.shape) if z.shape == y.shape else np.array([1.0, 2.0, 1.0]))
    np.testing.assert_allclose(x.grad[[1, 2, 4]], short.grad, rtol=1e-14)


def test_nan_over_nothing_made_infinite_on_the_way():
    x = Value([0.0, 4.0])
    with np.errstate(all="ignore"):
        y = np.nansum(np.sqrt(x) / x)  # 0 / 0
    y.backward()
    assert x.grad.tolist() == [0, -1 / 16]


@pytest.mark.parametrize("function", [np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd, np.nanmedian])
def test_a_row_of_nan(function):
    array = np.array([[np.nan, np.nan], [1.0, 2.0]])
    x = Value(array)
    with pytest.warns(RuntimeWarning) as ours:
        y = function(np.log(np.exp(x)), axis=1)
    with pytest.warns(RuntimeWarning) as numpys:
        wanted = function(array, axis=1)
    assert {str(w.message).strip(".") for w in ours} == {str(w.message).strip(".") for w in numpys}
    assert function not in (np.nanmax, np.nanmin) or ours[0].filename == __file__
    np.testing.assert_allclose(y.data, wanted)
    y.backward(np.ones(2))
    assert x.grad[0].tolist() == [0, 0]
    assert np.isfinite(x.grad[1]).all()


@pytest.mark.parametrize("function", [np.nanmean, np.nanvar, np.nanstd, np.nansum, np.nanprod])
def test_dtype_without_nan(function):
    for dtype in (np.float32, np.longdouble):
        for array in (X, HOLES):
            got, wanted = function(Value(array), dtype=dtype), function(array, dtype=dtype)
            assert got.dtype == wanted.dtype
            np.testing.assert_allclose(got.data, wanted, rtol=1e-6)


@pytest.mark.parametrize("function", [np.nanvar, np.nanstd])
def test_too_few_numbers_beside_nan(function):
    array = np.array([[np.nan, np.nan, 3.0], [1.0, 2.0, np.nan], [1.0, 2.0, 4.0]])
    for keywords in ({"ddof": 1}, {"ddof": 2}, {"correction": 2}, {"ddof": 3}, {"ddof": 2, "keepdims": True}):
        with pytest.warns(RuntimeWarning) as warned:
            y = function(Value(array), axis=1, **keywords)
        assert len(warned) == 1
        with pytest.warns(RuntimeWarning):
            np.testing.assert_allclose(y.data, function(array, axis=1, **keywords))


def test_std_of_equals_without_nan():
    x = Value([2.0, np.nan, 2.0])
    np.nanstd(x).backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_plain_answers():
    v = Value([2.0, np.nan, 1.0, 3.0])
    assert np.nanargmax(v) == 3
    assert np.nanargmin(v) == 2
    assert np.nansum(Value(np.array([1, 2]))).dtype == int


# ---------------------------------------------------------------- covariance

M, N = rng.uniform(-1, 1, (3, 6)), rng.uniform(-1, 1, (2, 6))
COUNTS, IMPORTANCE = np.array([1, 2, 0, 1, 3, 1]), rng.uniform(0.5, 1.5, 6)
COVARIANCES = [
    {}, {"bias": True}, {"ddof": 0}, {"ddof": 2}, {"fweights": COUNTS}, {"fweights": COUNTS, "ddof": 0},
    {"aweights": IMPORTANCE}, {"aweights": IMPORTANCE, "bias": True}, {"aweights": IMPORTANCE, "fweights": COUNTS},
    {"aweights": IMPORTANCE, "fweights": COUNTS, "ddof": 3}, {"rowvar": False}, {"rowvar": False, "ddof": 0},
]  # fmt: skip


@pytest.mark.parametrize("keywords", COVARIANCES, ids=lambda k: " ".join(k))
def test_covariance(keywords):
    m, n = (M.T, N.T) if "rowvar" in keywords else (M, N)
    check(lambda x: np.cov(x, **keywords), m)
    check(lambda x: np.cov(x, **keywords), m - 1j * m[::-1] ** 2)
    check(lambda x, y: np.cov(x, y, **keywords), m, n)
    check(lambda x: np.cov(x, n, **keywords), m)
    check(lambda x: np.cov(m, x, **keywords), 1j * n + 1)
    if "rowvar" not in keywords:
        check(lambda x: np.cov(x, **keywords), m[0])
        check(lambda x, y: np.cov(x, y, **keywords), m[0], n[0])


def test_covariance_in_the_importance_of_the_observations():
    for ddof in (0, 1):
        check(lambda x, w: np.cov(x, aweights=w, ddof=ddof), M, IMPORTANCE)
        check(lambda w: np.cov(M, aweights=w, fweights=COUNTS, ddof=ddof), IMPORTANCE)


def test_covariance_in_another_dtype_of_lists_and_of_nothing_left():
    assert np.cov(Value(M), dtype=np.float32).dtype == np.float32
    np.testing.assert_allclose(np.cov(M.tolist(), Value(N)).data, np.cov(M, N), rtol=1e-14)
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"), np.errstate(all="ignore"):
        y = np.cov(Value([[1.0], [2.0]]))
    assert np.isnan(y.data).all()
    assert np.cov(Value(np.float64(3.0)), ddof=0).data == 0


@pytest.mark.parametrize("m", [M, M.T, M + 1j * M[::-1] ** 2], ids=["", "tall", "complex"])
def test_correlation(m):
    check(np.corrcoef, m[:, :4])
    check(lambda x: np.corrcoef(x, rowvar=False), m[:3, :3])
    check(np.corrcoef, m[0], m[1])
    check(lambda x: np.corrcoef(x, m[1:], dtype=np.complex128), m[:1])
    check(lambda x: np.corrcoef(x), m[0])


# ---------------------------------------------------------------- counts

A, B = rng.uniform(0, 1, 12), rng.uniform(0, 1, 12)
W = rng.uniform(-1, 1, 12)


def test_counts_are_plain():
    a = Value(A)
    for got, wanted in (
        (np.histogram(a, 4)[:1], np.histogram(A, 4)[:1]),
        (np.histogram(a, bins=[0, 0.5, 1], density=True, weights=W), np.histogram(A, [0, 0.5, 1], None, True, W)),
        (np.histogram2d(a, B, 3), np.histogram2d(A, B, 3)),
        (
            (np.histogramdd([a, B])[0], *np.histogramdd([a, B])[1]),
            (np.histogramdd([A, B])[0], *np.histogramdd([A, B])[1]),
        ),
        ([np.digitize(a, [0.3, 0.6])], [np.digitize(A, [0.3, 0.6])]),
        ([np.bincount(Value(np.array([0, 2, 2])))], [np.bincount([0, 2, 2])]),
    ):
        for one, other in zip(got, wanted, strict=True):
            assert type(one) is np.ndarray
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("bins", [4, [0.0, 0.3, 0.35, 1.0], [0.2, 0.5, 0.6]], ids=str)
def test_weights_of_a_histogram(bins, density):
    a = np.concatenate([A, [0.0, 0.35, 1.0, 0.2, 0.6]])  # on edges, too
    weights = np.linspace(0.5, 1.5, a.size)
    for extent in (None, (0.1, 0.7)):
        check(lambda w: np.histogram(a, bins, extent, density, w)[0], weights)
    check(lambda w: np.histogram(a, bins, None, density, w)[0], weights * (1 + 0.5j))
    counts, edges = np.histogram(a, bins, weights=Value(weights.astype(np.float32)))
    assert counts.dtype == np.histogram(a, bins, weights=weights.astype(np.float32))[0].dtype
    assert type(edges) is np.ndarray
    check(lambda w: np.histogram2d(A, B, [bins, 3], None, density, w)[0], weights[:12])
    check(lambda w: np.histogramdd([A, B, A * B], 2, None, density, w)[0], weights[:12])
    check(lambda w: np.histogramdd(np.stack([A, B], 1), (bins, 2), density=density, weights=w)[0], weights[:12])
    check(lambda w: np.histogramdd(A, 2, density=density, weights=w)[0], weights[:12])


def test_a_nan_falls_nowhere():
    w = Value(np.ones(3))
    np.histogram([0.5, np.nan, 2.0], bins=2, range=(0, 2), weights=w)[0].sum().backward()
    assert w.grad.tolist() == [1, 0, 1]


def test_weights_of_bincount():
    x = np.array([0, 3, 1, 3, 1, 1])
    check(lambda w: np.bincount(x, w), W[:6])
    check(lambda w: np.bincount(x, weights=w, minlength=7), W[:6])
    assert np.bincount(x, Value(np.ones(6, np.float32))).dtype == np.float64
    with pytest.raises(TypeError):
        np.bincount(x, Value(np.ones(6) * 1j))


def test_edges_of_bins_follow_the_data():
    x = np.array([0.0, 1.0, 3.0])
    check(lambda x: np.histogram_bin_edges(x, 2), x)
    check(lambda x: np.histogram(x, 4)[1], x)
    np.testing.assert_array_equal(np.histogram(Value([1.0, 1.0]), 3)[1].data, np.histogram([1.0, 1.0], 3)[1])
    assert type(np.histogram(Value(x), [0, 2, 4], density=True)[0]) is np.ndarray
    with pytest.raises(NoRuleError, match="width of bins that follow the data"):
        np.histogram(Value(x), 2, density=True)


@pytest.mark.parametrize("function", [np.nanvar, np.nanstd])
def test_spread_of_a_single_number_beside_nan(function):
    data = np.array([[1.0, np.nan, np.nan], [2.0, 3.0, np.nan]])
    x = Value(data)
    y = function(x, axis=1)
    np.testing.assert_array_equal(y.data, function(data, axis=1))
    y.backward(np.ones(2))
    slope = 0.5
    np.testing.assert_allclose(x.grad, [[0, 0, 0], [-slope, slope, 0]])
    with pytest.raises(TypeError):
        function(x, dtype=int)


def test_covariance_in_another_dtype():
    data = np.array([[1.0, 2.5, 4.0], [0.3, 0.1, 0.2]], np.float32)
    x = Value(data)
    y = np.cov(x, dtype=np.float64)
    np.testing.assert_array_equal(y.data, np.cov(data, dtype=np.float64))
    assert y.dtype == np.float64
    with pytest.raises(ValueError):
        np.cov(Value(np.ones((2, 2, 2))))
