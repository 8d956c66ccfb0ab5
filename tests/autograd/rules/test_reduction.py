"""Reductions in all of NumPy's signatures, and those that are composed of others."""

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
    "add.reduce": lambda x: np.add.reduce(x),
    "add.reduce by position": lambda x: np.add.reduce(x, 1, None, None, True),
    "add.reduce of all": lambda x: np.add.reduce(x, None),
    "add.reduce along two axes": lambda x: np.add.reduce(x, axis=(1, 2), keepdims=True),
    "multiply.reduce": lambda x: np.multiply.reduce(x, 1),
    "maximum.reduce": lambda x: np.maximum.reduce(x),
    "maximum.reduce by position": lambda x: np.maximum.reduce(x, 1, None, None, True),
    "minimum.reduce": lambda x: np.minimum.reduce(x, axis=-1, keepdims=True),
    "add.accumulate": lambda x: np.add.accumulate(x),
    "multiply.accumulate": lambda x: np.multiply.accumulate(x, axis=2),
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
        lambda v: np.sum(v, where=[True, False, True]),
        lambda v: np.sum(v, initial=1.0),
        lambda v: np.max(v, 0, np.zeros(())),
        lambda v: np.ptp(v, out=np.zeros(())),
        lambda v: np.add.reduce(v, 0, None, np.zeros(())),
        lambda v: np.add.reduceat(v, [0, 1]),
    ],
)
def test_what_has_no_rule_is_refused(call):
    with pytest.raises(TypeError):
        call(Value(V))


def test_a_keyword_that_has_no_rule_is_named():
    with pytest.raises(NoRuleError, match="initial"):
        np.max(Value(V), initial=1.0)


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
    assert logits.grad.shape == (2, 3)
