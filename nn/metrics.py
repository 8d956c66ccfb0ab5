"""Metrics: what a classifier gets right, as plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["accuracy", "confusion"]


def accuracy(predicted: Any, actual: Any) -> float:
    r"""The fraction of right answers, :math:`\frac{1}{n} \sum_i [\hat t_i = t_i]`.

    Parameters
    ----------
    predicted, actual : array of integers, shape (n,)
        Class indices; those of scores are ``scores.argmax(axis=-1)``.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If the shapes differ, or there are no examples.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    predicted, actual = _pair(predicted, actual)
    return float(np.mean(predicted == actual))


def confusion(predicted: Any, actual: Any, classes: int) -> np.ndarray:
    """How often each class was taken for each.

    Parameters
    ----------
    predicted, actual : array of integers, shape (n,)
        Class indices from 0 to classes - 1.
    classes : int

    Returns
    -------
    array of int, shape (classes, classes)
        In row i and column j: how many examples of class i were taken for class j.

    Raises
    ------
    ValueError
        If the shapes differ, or there are no examples.
    IndexError
        If an index is no class.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.confusion([0, 1, 1], [0, 0, 1], classes=2)
    array([[1, 1],
           [0, 1]])
    """
    predicted, actual = _pair(predicted, actual)
    for indices in (predicted, actual):
        if indices.min() < 0 or indices.max() >= classes:
            raise IndexError(f"confusion: class indices go from 0 to {classes - 1}, and one is not among them.")
    counts = np.bincount(actual.astype(np.intp) * classes + predicted.astype(np.intp), minlength=classes * classes)
    return counts.reshape(classes, classes)


def _pair(predicted: Any, actual: Any) -> tuple[np.ndarray, np.ndarray]:
    predicted, actual = np.asarray(predicted), np.asarray(actual)
    if predicted.shape != actual.shape or predicted.ndim != 1 or not predicted.size:
        raise ValueError(
            f"predicted has shape {predicted.shape} and actual {actual.shape}: both are class indices of shape (n,), "
            f"with n at least 1."
        )
    return predicted, actual
