"""Reductions in all of NumPy's signatures, and those that are composed of others."""

# ruff: noqa: B023 (a function made in a loop is called in the same turn)

import numpy as np
import pytest

from autograd import Value, log_softmax, logsumexp, softmax, softmax_cross_entropy
from autograd.errors import NoRuleError

from ..numerical import check

X = np.random.default_rng(1).permutation(12).reshape(2, 2, 3) / 4 + 0.3
V = np.array([0.5, 2.0, 1.2])

CALLS = {
    "sum by position": lambda x: np.sum(x, 0, None, None, True),
    "sum by keyword": lambda x: np.sum(a=x, axis=(0, -1)),
    "mean": lambda x: np.mean(x, keepdims=True),
    "max by position": lambda x: np.max(x, 1, None, True),
    "amax": lambda x: np.amax(x, axis=-1),
    "amin": lambda x: np.amin(x, 0),
    "ptp": lambda x: np.ptp(x, axis=0, keepdims=True),
    "ptp of all": lambda x: np.ptp(x),
    "prod": lambda x: np.prod(x, axis=(0, 2)),
    "prod with a zero": lambda x: np.prod(x * np.array([1.0, 0.0, 1.0]), axis=-1),
    "var": lambda x: np.var(x, 0, None, None, 1),
    "var with correction": lambda x: np.var(x, axis=-1, correction=1),
    "std": lambda x: np.std(x, axis=(0, 1), ddof=1, keepdims=True),
    "std with correction": lambda x: np.std(x, correction=1),
    "cumsum": lambda x: np.cumsum(a=x, axis=1),
    "cumprod": lambda x: np.cumprod(x, -1),
    "cumprod with a zero": lambda x: np.cumprod(x * np.array([1.0, 0.0, 1.0])),
    "average": lambda x: np.average(x, axis=0),
    "average of all": lambda x: np.average(x, returned=True),
    "average, weighted": lambda x: np.average(x, 2, V),
    "average by its own weights": lambda x: np.average(x, weights=x * x, axis=1, keepdims=True),
    "average of two axes": lambda x: np.average(x, axis=(2, 0), weights=np.abs(x[:, 0].T), returned=True),
    "logsumexp": lambda x: logsumexp(x, axis=(0, 2)),
    "log_softmax": lambda x: log_softmax(x, axis=1),
    "softmax": lambda x: softmax(x, axis=0),
}


@pytest.mark.parametrize("function", CALLS.values(), ids=CALLS)
def test_signatures_and_composed(function):
    check(function, X)


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.max(v, 0, np.zeros(())),
        lambda v: np.sum(v, out=np.zeros(())),
        lambda v: np.ptp(v, out=np.zeros(())),
        lambda v: np.var(v, out=np.zeros(())),
        lambda v: np.std(v, out=np.zeros(()), mean=1.0),
        lambda v: np.nansum(v, out=np.zeros(())),
        lambda v: np.sum(v, initial=v[0]),
        lambda v: np.max(v, initial=v[0]),
    ],
)
def test_what_has_no_rule_is_refused(call):
    with pytest.raises(NoRuleError):
        call(Value(V))


# ---------------------------------------------------------------- keywords

Y = np.random.default_rng(2).permutation(18).reshape(3, 2, 3) / 6 - 1.2
MASK = np.array([[[True, False, True]], [[True, True, False]], [[False, True, True]]])
STARTED = [{}, {"initial": 0.7}, {"where": MASK, "initial": 0.4}, {"where": [True, False, True], "initial": -1.5}]
SPREAD = [{}, {"where": MASK}, {"ddof": 1}, {"ddof": 0.5, "where": MASK}, {"correction": 1, "where": MASK}]
KEYWORDS = {
    np.sum: [*STARTED, {"where": MASK}, {"dtype": np.longdouble}],
    np.prod: [*STARTED, {"where": MASK}, {"dtype": complex, "initial": 2 + 1j}],
    np.max: STARTED,
    np.amax: STARTED[3:],
    np.min: STARTED,
    np.amin: STARTED[3:],
    np.ptp: [{}],
    np.mean: [{}, {"where": MASK}, {"dtype": np.longdouble}],
    np.var: [*SPREAD, {"mean": 0.5}],
    np.std: [*SPREAD, {"mean": np.array([[[0.5, 0.75, 1.0]]])}],
}
GRID = {
    f"{function.__name__} {axis} {keepdims} {number}": (function, {"axis": axis, "keepdims": keepdims, **keywords})
    for function, several in KEYWORDS.items()
    for number, keywords in enumerate(several)
    for axis, keepdims in [(None, False), (0, False), (-1, True), ((0, 2), False), ((2, -2), True), ((), False)]
    # of one number, or none, there is no spread
    if axis != () or function not in (np.mean, np.var, np.std) or number == 0
}


@pytest.mark.parametrize(("function", "keywords"), GRID.values(), ids=GRID)
@pytest.mark.parametrize("array", [Y, Y + 1j * np.flip(Y) ** 2], ids=["real", "complex"])
def test_keywords(function, keywords, array):
    long = keywords.get("dtype") is np.longdouble
    if long and array.dtype.kind == "c":
        keywords = {**keywords, "dtype": np.clongdouble}
    y, wanted = function(Value(array), **keywords), function(array, **keywords)
    np.testing.assert_allclose(y.data, wanted, rtol=1e-14 if "mean" in keywords else 0)
    assert y.dtype == wanted.dtype
    if not long and (keywords["axis"] != () or function is not np.std):
        check(lambda x: function(x, **keywords), array)


@pytest.mark.parametrize("function", [np.var, np.std])
def test_a_mean_that_is_known(function):
    for array in (Y, Y + 1j * Y[::-1] ** 2):
        check(lambda x: function(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)), array)
        check(lambda x: function(x, axis=(0, 2), mean=Y[0, 0, 0], ddof=1, where=MASK), array)
        check(lambda x, m: function(x, axis=0, mean=m, keepdims=True), array, array[:1])
        assert_same(lambda x: function(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)), function, array)
    x = Value(np.full(3, 2.0))
    y = function(x, mean=2.0)
    y.backward()
    assert y.data == 0
    assert x.grad.tolist() == [0, 0, 0]
    x = Value([1.0, 3.0])
    y = function(x, mean=2.0)
    y.backward()
    assert y.data == 1
    np.testing.assert_allclose(x.grad, [-1, 1] if function is np.var else [-0.5, 0.5])
    assert function(x, mean=2.0, dtype=np.longdouble).dtype == np.longdouble
    check(lambda x: function(x, mean=0.3, correction=1), V)
    with pytest.warns(RuntimeWarning), np.errstate(all="ignore"):
        for ddof in (3, 4):
            np.testing.assert_array_equal(
                function(Value(V), mean=0.3, ddof=ddof).data, function(V, mean=0.3, ddof=ddof)
            )


def assert_same(known, function, array):
    a, b = Value(array), Value(array)
    known(a).sum().backward()
    function(b, axis=1).sum().backward()
    np.testing.assert_allclose(a.grad, b.grad, rtol=1e-13)


def test_what_where_leaves_out_has_no_gradient_whatever_it_is():
    x = np.array([np.nan, 2.0, np.inf, 3.0])
    mask = np.isfinite(x)
    for function in (np.sum, np.mean, np.var, np.std, np.prod):
        v, w = Value(x), Value(x[mask])
        function(v, where=mask).backward()
        function(w).backward()
        assert v.grad[[0, 2]].tolist() == [0, 0]
        assert v.grad[mask].tolist() == w.grad.tolist()
    for function in (np.max, np.min):
        v = Value(x)
        function(v, where=mask, initial=2.5).backward()
        assert v.grad.tolist() == ([0, 0, 0, 1] if function is np.max else [0, 1, 0, 0])


def test_initial_is_one_of_the_equals():
    v = Value(np.array([3.0, 1.0, 3.0]))
    np.max(v, initial=3.0).backward()
    np.testing.assert_allclose(v.grad, [1 / 3, 0, 1 / 3])
    v.zero_grad()
    np.max(v, initial=4.0).backward()
    assert v.grad.tolist() == [0, 0, 0]


MASKED_AWAY = [{"where": [True, False, True], "ddof": 2}, {"where": [True, True, False], "ddof": 3}]


def test_nothing_left_to_divide_by():
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning):
        for keywords in ({"ddof": 3}, {"ddof": 4}, {"correction": 3}, *MASKED_AWAY):
            v = Value(V)
            y = np.var(v, **keywords)
            np.testing.assert_array_equal(y.data, np.var(V, **keywords))
            y.backward()
            where = keywords.get("where", [True, True, True])
            assert not np.isfinite(v.grad[where]).any()


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda x: np.var(x, ddof=1, correction=1), ValueError),
        (lambda x: np.var(x, ddof=1, correction=1, mean=0.5), ValueError),
        (lambda x: np.sum(x, axis=3), ValueError),
        (lambda x: np.sum(x, axis=(0, 0)), ValueError),
        (lambda x: np.max(x, where=MASK), ValueError),
        (lambda x: np.max(x[:0]), ValueError),
        (lambda x: np.sum(x, where=[True, False]), ValueError),
        (lambda x: np.cumsum(x, axis=(0, 1)), TypeError),
        (lambda x: np.average(x, weights=V), TypeError),
        (lambda x: np.average(x, 1, weights=V), ValueError),
        (lambda x: np.average(x, weights=np.zeros(x.shape)), ZeroDivisionError),
    ],
)
def test_refuses_what_numpy_refuses(function, error):
    for x in (X, Value(X)):
        with pytest.raises(error):
            function(x)


@pytest.mark.skipif(not hasattr(np, "cumulative_sum"), reason="these came with NumPy 2.1")
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_running_sums_and_products(name):
    function = getattr(np, name)
    for keywords in ({"axis": 0}, {"axis": -1, "include_initial": True}, {"axis": 1, "dtype": complex}):
        check(lambda x: function(x, **keywords), X)
    check(lambda x: function(x, include_initial=True), V)
    check(function, V + 1j)
    check(function, np.float64(3.0))
    check(lambda x: function(x, include_initial=True), np.float64(3.0))
    check(lambda x: function(x, axis=0, include_initial=True), np.zeros((0, 2)))
    for x in (X, X[0]):
        with pytest.raises(ValueError):
            function(Value(x))
    with pytest.raises(NoRuleError):
        function(Value(V), out=np.zeros(3))


@pytest.mark.parametrize("function", [np.cumsum, np.cumprod])
def test_running_along_every_axis(function):
    for axis in (None, 0, 1, -1):
        for array in (X, X[0] + 1j * X[1], np.where(X > 1.0, 0.0, X)):
            check(lambda x: function(x, axis), array)
    check(lambda x: function(x, 0, complex), X)


def test_running_product_that_gets_very_small():
    x = Value(np.array([1e-200, 1e-115, 1e200]))  # 1e-315 has few digits left
    np.cumprod(x)[2].backward()
    np.testing.assert_allclose(x.grad, [1e85, 1.0, 0.0], rtol=1e-12, atol=1e-300)


def test_running_product_that_overflows():
    x = Value(np.array([1e200, 1e200, 1e-300]))
    with np.errstate(over="ignore"):
        y = np.cumprod(x)
    y[2].backward()
    np.testing.assert_allclose(x.grad, [1e-100, 1e-100, np.inf], rtol=1e-12)


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"axis": 1, "keepdims": True},
        {"axis": (0, 1), "weights": X[:, :, 0]},
        {"axis": 2, "weights": V, "keepdims": True},
    ],
    ids=str,
)
def test_average_returns_what_numpy_returns(keywords):
    for array in (X, X + 2j * X[::-1]):
        got, wanted = np.average(Value(array), returned=True, **keywords), np.average(array, returned=True, **keywords)
        for one, other in zip(got, wanted, strict=True):
            one = one.data if isinstance(one, Value) else one
            np.testing.assert_allclose(one, other, rtol=1e-14)
            assert np.shape(one) == np.shape(other) and one.dtype == other.dtype
        check(lambda x: np.average(x, **keywords), array)


def test_constants_and_lists_among_the_inputs():
    v = Value(V)
    np.testing.assert_allclose(np.average([1.0, 2.0, 4.0], weights=v).data, np.average([1.0, 2.0, 4.0], weights=V))
    assert np.sum(v, where=Value([True, False, True])).data == 1.7
    assert np.max(v, initial=Value(9.0, requires_grad=False)).data == 9.0


def test_average_refuses_weights_that_do_not_fit():
    for weights in (np.ones(4), np.ones((2, 3))):
        with pytest.raises(ValueError, match="weights"):
            np.average(Value(X), axis=2, weights=weights)


def test_sum_in_another_dtype():
    x = Value(X)
    y = np.sum(x, dtype=np.float32)
    y.backward()
    assert y.dtype == np.float32
    assert x.grad.dtype == np.float64


def test_of_integers_and_lists():
    assert logsumexp([0, 0]) == logsumexp(np.array([0, 0])) == np.log(2.0)
    assert logsumexp(3) == 3.0
    assert log_softmax([0, 0]).tolist() == [-np.log(2.0)] * 2
    assert softmax([0, 0]).tolist() == [0.5, 0.5]


def test_product_of_many_with_a_zero():
    numbers = np.full(10_001, 1.0)
    numbers[5000] = 0.0
    x = Value(numbers)
    np.prod(x).backward()
    assert np.flatnonzero(x.grad).tolist() == [5000]
    assert x.grad[5000] == 1.0


@pytest.mark.parametrize(
    ("targets", "reduction", "error"),
    [
        ([0, -1], "mean", IndexError),
        ([0, 3], "mean", IndexError),
        ([True, False], "mean", TypeError),
        ([0.0, 1.0], "mean", TypeError),
        ([0], "mean", ValueError),
        ([[0], [1]], "mean", ValueError),
        (0, "mean", ValueError),
        ([0, 1], "average", ValueError),
    ],
    ids=str,
)
def test_cross_entropy_refuses_what_is_no_class(targets, reduction, error):
    logits = np.arange(6.0).reshape(2, 3)
    for given in (logits, Value(logits)):
        with pytest.raises(error, match="cross-entropy"):
            softmax_cross_entropy(given, targets, reduction)


def test_cross_entropy_takes_a_list():
    logits = Value(np.arange(6.0).reshape(2, 3))
    softmax_cross_entropy(logits, [0, 1], "mean").backward()
    once = logits.grad
    assert once.shape == (2, 3)
    logits.zero_grad()
    softmax_cross_entropy(logits, [0, 1], "mean").backward(create_graph=True)
    np.testing.assert_allclose(logits.grad.data, once)


def test_what_where_leaves_out_has_no_gradient_whatever_made_it():
    x = np.array([0.0, 2.0, -1.0, 3.0])
    for function in (np.sum, np.mean, np.var, np.std, np.prod):
        v, w = Value(x), Value(x[x > 0])
        with np.errstate(all="ignore"):
            function(np.log(v), where=v > 0).backward()
        function(np.log(w)).backward()
        assert v.grad[[0, 2]].tolist() == [0, 0]
        assert v.grad[x > 0].tolist() == w.grad.tolist()
    for function in (np.max, np.min, np.nanmax):
        v = Value(x)
        with np.errstate(all="ignore"):
            function(np.sqrt(v), where=v > 0, initial=1.6).backward()
        assert np.isfinite(v.grad).all()


def test_what_where_leaves_out_is_no_equal_of_zero():
    for function, x in ((np.max, [-1.0, 0.0, 5.0]), (np.min, [1.0, 0.0, -5.0]), (np.nanmax, [np.nan, 0.0, 5.0])):
        v = Value(x)
        function(v, where=[True, True, False], initial=9.0 if function is np.min else -9.0).backward()
        assert v.grad.tolist() == [0, 1, 0]


def test_where_may_not_be_larger_than_the_array():
    for function in (np.sum, np.mean, np.var):
        for x in (V, Value(V)):
            with pytest.raises(ValueError):
                function(x, where=np.ones((2, 3), bool))
