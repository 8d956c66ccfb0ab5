"""Metrics: counted by hand, and consistent with each other."""

import numpy as np
import pytest

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
    with pytest.raises(ValueError, match=r"both are class indices of shape \(n,\)"):
        metrics.accuracy(*pair)
    with pytest.raises(ValueError, match=r"both are class indices of shape \(n,\)"):
        metrics.confusion(*pair, classes=2)


@pytest.mark.parametrize("pair", [([2], [0]), ([0], [2]), ([-1], [0])])
def test_classes_are_checked(pair):
    with pytest.raises(IndexError, match="from 0 to 1"):
        metrics.confusion(*pair, classes=2)
