"""Metrics: counted by hand, and consistent with each other."""

import numpy as np
import pytest

from autograd import Value
from nn import metrics

RNG = np.random.default_rng(0)
ACTUAL, PREDICTED = RNG.integers(0, 5, 200), RNG.integers(0, 5, 200)


def test_confusion_counts_every_pair():
    counts = metrics.confusion(PREDICTED, ACTUAL, 5)
    for i, j in np.ndindex(5, 5):
        assert counts[i, j] == np.sum((i == ACTUAL) & (j == PREDICTED))
    np.testing.assert_array_equal(counts.T, metrics.confusion(ACTUAL, PREDICTED, 5))


def test_accuracy_is_the_diagonal():
    counts = metrics.confusion(PREDICTED, ACTUAL, 5)
    assert metrics.accuracy(PREDICTED, ACTUAL) == counts.trace() / 200
    assert metrics.accuracy(ACTUAL, ACTUAL) == 1


def test_small_integers_do_not_overflow():
    labels = np.arange(200, dtype=np.uint8)
    np.testing.assert_array_equal(metrics.confusion(labels, labels, 200), np.eye(200))


@pytest.mark.parametrize("pair", [([0, 1], [0]), ([[0]], [[0]]), ([], [])])
def test_shapes_are_checked(pair):
    with pytest.raises(ValueError, match=r"both have shape \(n,\)"):
        metrics.accuracy(*pair)
    with pytest.raises(ValueError, match=r"both have shape \(n,\)"):
        metrics.confusion(*pair, classes=2)


@pytest.mark.parametrize("pair", [([2], [0]), ([0], [2]), ([-1], [0])])
def test_classes_are_checked(pair):
    with pytest.raises(IndexError, match="from 0 to 1"):
        metrics.confusion(*pair, classes=2)


# -------------------------------------------------------------------- several classes, scores, numbers

SCORES = RNG.integers(0, 9, (200, 5)) / 8  # with ties
TWO = RNG.integers(0, 2, 200)
NUMBERS, OTHERS = RNG.standard_normal((2, 200))


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_by_hand(name):
    # class 1: 3 taken, 2 of them right, of 4
    predicted, actual = [1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 1, 0]
    wanted = {"precision": 2 / 3, "recall": 1 / 2, "f1": 4 / 7}[name]
    assert getattr(metrics, name)(predicted, actual) == pytest.approx(wanted)
    assert getattr(metrics, name)(np.array(predicted, bool), actual) == pytest.approx(wanted)
    assert getattr(metrics, name)([0, 0], [0, 0]) == 0.0
    assert getattr(metrics, name)(PREDICTED, ACTUAL, "micro") == pytest.approx(metrics.accuracy(PREDICTED, ACTUAL))
    with pytest.raises(ValueError, match="average='macro'"):
        getattr(metrics, name)(PREDICTED, ACTUAL)
    with pytest.raises(ValueError, match="'binary', 'macro'"):
        getattr(metrics, name)(PREDICTED, ACTUAL, "mean")


def test_a_perfect_order_has_the_area_one_and_a_reversed_one_zero():
    assert metrics.roc_auc([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]) == 1.0
    assert metrics.roc_auc([0.4, 0.3, 0.2, 0.1], [0, 0, 1, 1]) == 0.0
    assert metrics.roc_auc([1.0, 1.0], [0, 1]) == 0.5
    for scores, actual in (([0.1, 0.2], [1, 1]), ([0.1, 0.2], [0, 2]), ([np.nan, 0.2], [0, 1])):
        with pytest.raises(ValueError, match="roc_auc"):
            metrics.roc_auc(scores, actual)


def test_the_worked_example_of_errors():
    assert metrics.mse([50, 100, 40, 90], [50, 101, 42, 95]) == 7.5
    assert metrics.mae([50, 100, 40, 90], [50, 101, 42, 95]) == 2.0
    assert metrics.r2([2.0, 2.0], [2.0, 2.0]) == 1.0
    assert metrics.r2([2.0, 1.0], [2.0, 2.0]) == 0.0
    assert metrics.r2(Value(np.array([1.0, 3.0])), [1.0, 3.0]) == 1.0
    with pytest.raises(ValueError, match="shape"):
        metrics.mse([1.0], [[1.0]])


def test_top_k():
    assert metrics.top_k(SCORES, SCORES.argmax(axis=1), k=1) == 1.0
    assert metrics.top_k(SCORES, ACTUAL, k=5) == 1.0
    for k in (0, 6):
        with pytest.raises(ValueError, match="5 classes"):
            metrics.top_k(SCORES, ACTUAL, k=k)


def test_same_as_scikit_learn():
    theirs = pytest.importorskip("sklearn.metrics", reason="scikit-learn, to compare with, is not installed")
    for average in ("macro", "micro", "weighted"):
        for name in ("precision", "recall", "f1"):
            wanted = getattr(theirs, f"{name}_score")(ACTUAL, PREDICTED, average=average)
            assert getattr(metrics, name)(PREDICTED, ACTUAL, average) == pytest.approx(wanted, rel=1e-14)
    np.testing.assert_array_equal(metrics.confusion(PREDICTED, ACTUAL, 5), theirs.confusion_matrix(ACTUAL, PREDICTED))
    assert metrics.roc_auc(SCORES[:, 0], TWO) == pytest.approx(theirs.roc_auc_score(TWO, SCORES[:, 0]), rel=1e-14)
    assert metrics.r2(NUMBERS, OTHERS) == pytest.approx(theirs.r2_score(OTHERS, NUMBERS), rel=1e-14)
    distinct = SCORES + np.arange(5) * 1e-6
    wanted = theirs.top_k_accuracy_score(ACTUAL, distinct, k=2)
    assert metrics.top_k(distinct, ACTUAL, k=2) == pytest.approx(wanted)
