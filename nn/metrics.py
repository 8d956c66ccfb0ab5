"""Metrics: how good predictions are, as plain numbers. `predicted` comes first, `actual` second."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import computed, numbers

__all__ = ["accuracy", "confusion", "f1", "mae", "mse", "precision", "r2", "recall", "roc_auc", "top_k"]


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


def top_k(scores: Any, actual: Any, k: int = 5) -> float:
    """The fraction of examples whose right class is among the `k` with the highest scores.

    Parameters
    ----------
    scores : array, shape (n, classes)
    actual : array of integers, shape (n,)
    k : int, from 1 to classes

    Returns
    -------
    float
        Between 0 and 1. Of classes with equal scores, the first ones count as higher.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are no examples, or `k` is out of range.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.top_k([[0.1, 0.5, 0.4], [0.6, 0.3, 0.1]], [2, 2], k=2)
    0.5
    """
    scores, actual = computed(numbers(scores), numbers(actual))
    if scores.ndim != 2 or actual.shape != scores.shape[:1] or not actual.size:
        raise ValueError(
            f"top_k: scores of shape (n, classes) and n classes are wanted: {scores.shape}, {actual.shape}."
        )
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"top_k(k={k!r}): there are {scores.shape[1]} classes.")
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean(np.any(order == actual[:, None], axis=1)))


def precision(predicted: Any, actual: Any, average: str = "binary") -> float:
    r"""Of those taken for a class, the fraction that is of it: TP / (TP + FP).

    Parameters
    ----------
    predicted, actual : array of integers, shape (n,)
        Class indices; booleans are 0 and 1.
    average : 'binary', 'macro', 'micro' or 'weighted'
        Of class 1 alone; the mean over all classes that come up; of all decisions together; the mean, weighted by how
        many examples each class has.

    Returns
    -------
    float
        Between 0 and 1; where nothing was taken for a class, 0.

    Raises
    ------
    ValueError
        If the shapes differ, there are no examples, `average` is none of the four, or 'binary' and there are other
        classes than 0 and 1.

    References
    ----------
    van Rijsbergen: Information Retrieval (1979), chapter 7.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.precision([1, 1, 0, 1], [1, 0, 0, 1])
    0.6666666666666666
    """
    return _averaged("precision", predicted, actual, average, lambda hit, taken, are: _ratio(hit, taken))


def recall(predicted: Any, actual: Any, average: str = "binary") -> float:
    r"""Of those of a class, the fraction that was taken for it: TP / (TP + FN). As `precision`, otherwise.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.recall([1, 1, 0, 0], [1, 1, 1, 0])
    0.6666666666666666
    """
    return _averaged("recall", predicted, actual, average, lambda hit, taken, are: _ratio(hit, are))


def f1(predicted: Any, actual: Any, average: str = "binary") -> float:
    r"""The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN). As `precision`, otherwise.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.f1([1, 1, 0, 0], [1, 1, 1, 0])
    0.8
    """
    return _averaged("f1", predicted, actual, average, lambda hit, taken, are: _ratio(2 * hit, taken + are))


def roc_auc(scores: Any, actual: Any) -> float:
    r"""The area under the ROC curve: how probably an example of class 1 scores higher than one of class 0.

    Parameters
    ----------
    scores : array, shape (n,)
    actual : array of 0 and 1, shape (n,)

    Returns
    -------
    float
        1 is perfect, 0.5 is chance. A tie counts half.

    Raises
    ------
    ValueError
        If the shapes differ, there are other classes, one of the two is missing, or a score is NaN.

    References
    ----------
    Hanley, McNeil: The meaning and use of the area under a ROC curve (1982).

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    scores, actual = _pair(scores, actual)
    if not np.all((actual == 0) | (actual == 1)) or len(np.unique(actual)) != 2:
        raise ValueError("roc_auc: the actual classes are 0 and 1, and some of each are needed.")
    if np.any(np.isnan(scores)):
        raise ValueError("roc_auc: a score is NaN.")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    ones = int(np.sum(actual == 1))
    zeros = len(actual) - ones
    return float((rank[actual == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def mse(predicted: Any, actual: Any) -> float:
    r"""Mean squared error, :math:`\frac{1}{n} \sum_i (\hat y_i - y_i)^2`, of arrays of the same shape.

    Raises
    ------
    ValueError
        If the shapes differ, or there are no numbers.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.mse([50, 100, 40, 90], [50, 101, 42, 95])
    7.5
    """
    predicted, actual = _same(predicted, actual)
    return float(np.mean((predicted - actual) ** 2))


def mae(predicted: Any, actual: Any) -> float:
    r"""Mean absolute error, :math:`\frac{1}{n} \sum_i |\hat y_i - y_i|`. As `mse`, otherwise.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.mae([50, 100, 40, 90], [50, 101, 42, 95])
    2.0
    """
    predicted, actual = _same(predicted, actual)
    return float(np.mean(np.abs(predicted - actual)))


def r2(predicted: Any, actual: Any) -> float:
    r"""The share of the variance that is explained, :math:`1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2`.

    1 is perfect, 0 is as good as always saying the mean. Where all actual numbers are equal: 1 if all are met, else 0.
    Of several columns, the mean over them. As `mse`, otherwise.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.r2([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    0.5
    """
    predicted, actual = _same(predicted, actual)
    left = np.sum((actual - predicted) ** 2, axis=0)
    spread = np.sum((actual - np.mean(actual, axis=0)) ** 2, axis=0)
    return float(np.mean(np.where(spread == 0, left == 0, 1 - left / np.where(spread == 0, 1, spread))))


def _averaged(name: str, predicted: Any, actual: Any, average: str, of: Any) -> float:
    """A ratio of the counts of each class: right ones, those taken for it, those of it."""
    if average not in ("binary", "macro", "micro", "weighted"):
        raise ValueError(f"{name}(average={average!r}): it is 'binary', 'macro', 'micro' or 'weighted'.")
    predicted, actual = _pair(predicted, actual)
    classes, both = np.unique(np.concatenate([predicted, actual]), return_inverse=True)
    predicted, actual = both[: len(predicted)], both[len(predicted) :]
    taken, are = (np.bincount(indices, minlength=len(classes)) for indices in (predicted, actual))
    hit = np.bincount(actual[predicted == actual], minlength=len(classes))
    if average == "binary":
        if not np.all((classes == 0) | (classes == 1)):
            raise ValueError(
                f"{name}: there are other classes than 0 and 1. Say how to average over them, as average='macro'."
            )
        one = classes == 1
        return float(of(hit[one].sum(), taken[one].sum(), are[one].sum()))
    if average == "micro":
        return float(of(hit.sum(), taken.sum(), are.sum()))
    return float(np.average(of(hit, taken, are), weights=are if average == "weighted" else None))


def _ratio(part: Any, whole: Any) -> Any:
    return np.where(np.equal(whole, 0), 0.0, part / np.maximum(whole, 1))


def _same(predicted: Any, actual: Any) -> tuple[Any, Any]:
    predicted, actual = numbers(predicted).astype(float), numbers(actual).astype(float)
    if predicted.shape != actual.shape or not predicted.size:
        raise ValueError(
            f"predicted has shape {predicted.shape} and actual {actual.shape}: both are the same, and not empty."
        )
    return predicted, actual


def _pair(predicted: Any, actual: Any) -> tuple[Any, Any]:
    predicted, actual = computed(numbers(predicted), numbers(actual))
    if predicted.shape != actual.shape or predicted.ndim != 1 or not predicted.size:
        raise ValueError(
            f"predicted has shape {predicted.shape} and actual {actual.shape}: both have shape (n,), n at least 1. "
            f"Of scores of shape (n, classes), the predicted classes are scores.argmax(axis=-1)."
        )
    return predicted, actual
