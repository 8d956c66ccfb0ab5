"""Losses: one number for how far predictions are from what they should be.

All take ``reduction='mean' | 'sum' | 'none'``: what becomes of the losses of the single entries or examples.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Value, as_array, certain, log_softmax, softmax_cross_entropy

from .arrays import numbers

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "hinge", "huber", "kl_div", "mae",
    "mse", "nll", "perceptron_loss", "rmse", "sse",
]  # fmt: skip


def sse(prediction: Any, target: Any) -> Any:
    r"""Sum of squared errors, :math:`\sum_i (\hat y_i - y_i)^2`. Parameters and errors are those of `mse`.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import sse
    >>> sse(Value([50.0, 100.0, 40.0, 90.0]), [50.0, 101.0, 42.0, 95.0]).item()
    30.0
    """
    return mse(prediction, target, "sum")


def mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    r"""Mean squared error, :math:`\frac{1}{n} \sum_i (\hat y_i - y_i)^2`.

    Parameters
    ----------
    prediction : Value or array, any shape
    target : Value or array, the same shape
    reduction : 'mean', 'sum' or 'none'
        What becomes of the squares: their mean over all entries, their sum, or all of them.

    Returns
    -------
    Value, shape () or, for 'none', that of `prediction`

    Raises
    ------
    ValueError
        If the shapes cannot meet, or `reduction` is none of the three.

    Warns
    -----
    UserWarning
        If broadcasting blows both up, as it does where (n, 1) meets (n,) and every prediction would be
        compared with every target.

    References
    ----------
    Bishop: Pattern Recognition and Machine Learning (2006), eq. 1.2, without its factor 1/2.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import mse
    >>> mse(Value([50.0, 100.0, 40.0, 90.0]), [50.0, 101.0, 42.0, 95.0]).item()
    7.5
    """
    return _reduced("mse", _met("mse", lambda: prediction - target, prediction, target) ** 2, reduction)


def rmse(prediction: Any, target: Any) -> Any:
    r"""Root of the mean squared error, :math:`\sqrt{\mathrm{MSE}}`. Parameters and errors are those of `mse`.

    Where every prediction is right, the derivative, which is infinite there, is taken to be 0.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import rmse
    >>> round(rmse(Value([50.0, 100.0, 40.0, 90.0]), [50.0, 101.0, 42.0, 95.0]).item(), 4)
    2.7386
    """
    error = np.ravel(_met("rmse", lambda: prediction - target, prediction, target))
    return np.linalg.norm(error) / np.sqrt(error.shape[0])


def mae(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    r"""Mean absolute error, :math:`\frac{1}{n} \sum_i |\hat y_i - y_i|`. Parameters and errors are those of `mse`.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import mae
    >>> mae(Value([50.0, 100.0, 40.0, 90.0]), [50.0, 101.0, 42.0, 95.0]).item()
    2.0
    """
    return _reduced("mae", np.abs(_met("mae", lambda: prediction - target, prediction, target)), reduction)


def huber(prediction: Any, target: Any, delta: float = 1.0, reduction: str = "mean") -> Any:
    r"""Squared for small errors, straight for large ones, so that outliers pull no harder than `delta`.

    :math:`\frac12 e^2` where :math:`|e| \le \delta`, else :math:`\delta (|e| - \frac12 \delta)`. Parameters and errors
    are those of `mse`; ValueError also if `delta` is not positive.

    References
    ----------
    Huber: Robust estimation of a location parameter (1964).

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import huber
    >>> huber(Value([0.5, 3.0]), [0.0, 0.0], reduction="none").data
    array([0.125, 2.5  ])
    """
    if not delta > 0:
        raise ValueError(f"huber(delta={delta!r}): it is a positive number.")
    size = np.abs(_met("huber", lambda: prediction - target, prediction, target))
    near = np.minimum(size, delta)
    return _reduced("huber", near * (size - 0.5 * near), reduction)


def hinge(score: Any, target: Any, reduction: str = "mean") -> Any:
    r"""The hinge of support vector machines, :math:`\max(0, 1 - t s)`, for targets :math:`t` of -1 and 1.

    Parameters and errors are those of `mse`; ValueError also for other targets. At the kink, the derivative is halved.

    References
    ----------
    Cortes, Vapnik: Support-vector networks (1995).

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import hinge
    >>> hinge(Value([2.0, 0.5, -1.0]), [1, 1, 1], reduction="none").data
    array([0. , 0.5, 2. ])
    """
    target = _signs("hinge", target)
    return _reduced("hinge", np.maximum(1 - _met("hinge", lambda: score * target, score, target), 0.0), reduction)


def perceptron_loss(score: Any, target: Any, reduction: str = "mean") -> Any:
    r"""What a perceptron minimises, :math:`\max(0, -t s)`, for targets :math:`t` of -1 and 1.

    Its SGD step with learning rate 1 is the classical rule: for an example that is wrong, :math:`w \leftarrow w + t x`;
    one that is right changes nothing. A score of 0 counts as wrong.

    Parameters and errors are those of `mse`; ValueError also for other targets.

    References
    ----------
    Rosenblatt: The perceptron (1958); Bishop: Pattern Recognition and Machine Learning (2006), eq. 4.54.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Value
    >>> from nn import perceptron_loss
    >>> w, x = Value(np.zeros(2)), np.array([1.0, 2.0])
    >>> perceptron_loss(x @ w, 1).backward()
    >>> w.grad
    array([-1., -2.])
    """
    target = _signs("perceptron_loss", target)
    margin = _met("perceptron_loss", lambda: score * target, score, target)
    return _reduced("perceptron_loss", np.where(np.less_equal(margin, 0), -margin, 0.0), reduction)


def binary_cross_entropy(probability: Any, target: Any, reduction: str = "mean") -> Any:
    r"""Minus the log of the probability given to what happened, :math:`-t \log p - (1 - t) \log(1 - p)`.

    Parameters
    ----------
    probability : Value or array, any shape
        From 0 to 1, as a sigmoid gives them. From a score, `binary_cross_entropy_with_logits` is exact.
    target : array, the same shape
        0 or 1, or a probability.
    reduction : 'mean', 'sum' or 'none'

    Raises
    ------
    ValueError
        If the shapes cannot meet, a probability or target lies outside 0 to 1, or `reduction` is none of the three.

    Notes
    -----
    The logarithms are cut off at -100, so that one certain and wrong answer costs 100 and no infinity, as in PyTorch;
    beyond, the gradient is 0.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import binary_cross_entropy
    >>> binary_cross_entropy(Value([0.5, 1.0]), [1, 1], reduction="none").data.round(4)
    array([ 0.6931, -0.    ])
    """
    _probabilities("binary_cross_entropy", probability, " Scores go into binary_cross_entropy_with_logits.")
    _probabilities("binary_cross_entropy", target)
    target = as_array(target)

    def losses() -> Any:
        return -(target * _log(probability) + (1 - target) * _log(1 - probability))

    return _reduced("binary_cross_entropy", _met("binary_cross_entropy", losses, probability, target), reduction)


def binary_cross_entropy_with_logits(logit: Any, target: Any, reduction: str = "mean") -> Any:
    r"""`binary_cross_entropy` of the sigmoid of a score, :math:`\log(1 + e^{z}) - t z`, exact for any z.

    Parameters and errors are those of `mse`.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import binary_cross_entropy_with_logits
    >>> binary_cross_entropy_with_logits(Value([0.0, 1000.0]), [1, 0], reduction="none").data
    array([6.93147181e-01, 1.00000000e+03])
    """
    name, target = "binary_cross_entropy_with_logits", as_array(target)
    return _reduced(name, _met(name, lambda: np.logaddexp(logit, 0.0) - target * logit, logit, target), reduction)


def cross_entropy(
    logits: Any, targets: Any, reduction: str = "mean", label_smoothing: float = 0.0, weight: Any = None
) -> Any:
    r"""Cross-entropy of the softmax of `logits`, :math:`-\frac{1}{n} \sum_i \log \mathrm{softmax}(z_i)_{t_i}`.

    Parameters
    ----------
    logits : Value or array, shape (batch, classes)
        The scores :math:`z` before any softmax. More axes may come before the last.
    targets : array of integers, shape (batch,), or of probabilities, shape (batch, classes)
        The right class :math:`t_i` of each example, from 0 to classes - 1; or how probable each class is.
    reduction : 'mean', 'sum' or 'none'
        What becomes of the losses of the examples: their mean, their sum, or all of them.
    label_smoothing : float, in [0, 1)
        This much of the probability is taken from the target and shared among all classes.
    weight : array, shape (classes,), optional
        How much each class counts. The mean is then that of the weights, too.

    Returns
    -------
    Value, shape () or, for 'none', that of `targets`

    Raises
    ------
    TypeError
        If `targets` are not integers.
    ValueError
        If the shape of `targets` is not that of `logits` without the last axis, or `reduction` is none of the three.
    IndexError
        If a target is no class.

    Notes
    -----
    The logarithm of the softmax is taken as a whole, :math:`z - \max z - \log \sum e^{z - \max z}`, so that
    neither large nor small scores overflow.

    References
    ----------
    Bishop: Pattern Recognition and Machine Learning (2006), eq. 4.108, for one-of-K targets.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Value
    >>> from nn import cross_entropy
    >>> logits = Value([[2.0, 0.0], [0.0, 0.0]])
    >>> loss = cross_entropy(logits, np.array([0, 1]))
    >>> round(loss.item(), 4)
    0.41
    >>> loss.backward()
    >>> logits.grad.round(3)
    array([[-0.06,  0.06],
           [ 0.25, -0.25]])
    """
    logits, targets = as_array(logits), _constant(targets)
    shape = tuple(logits.shape)
    likely = targets.dtype.kind == "f" and targets.shape == shape and shape
    if not likely and (not shape or targets.shape != shape[:-1]):
        raise ValueError(
            f"cross_entropy: logits of shape {shape} want targets of shape {shape[:-1]}, one class index for each row, "
            f"or of shape {shape}, a probability for each class, and got shape {targets.shape}."
        )
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"cross_entropy(label_smoothing={label_smoothing!r}): it is a number from 0 to below 1.")
    if likely or label_smoothing or weight is not None:
        return _soft_cross_entropy(logits, targets, reduction, label_smoothing, weight)
    if len(shape) != 2:
        logits, targets = logits.reshape(-1, shape[-1]), targets.reshape(-1)
    loss = softmax_cross_entropy(logits, targets, reduction)
    return loss.reshape(shape[:-1]) if reduction == "none" else loss


def _soft_cross_entropy(logits: Any, targets: Any, reduction: str, smoothing: float, weight: Any) -> Any:
    classes = logits.shape[-1]
    weights = 1.0 if weight is None else _weights("cross_entropy", weight, classes)
    share = None
    if targets.dtype.kind in "iu":
        targets = _one_hot("cross_entropy", targets, classes).astype(logits.dtype)
        share = np.sum(targets * weights)
    else:
        _probabilities("cross_entropy", targets)
    targets = (1 - smoothing) * targets + smoothing / classes
    losses = -np.sum((targets * weights).astype(logits.dtype) * log_softmax(logits), axis=-1)
    if reduction == "mean" and share is not None:
        return losses.sum() / share
    return _reduced("cross_entropy", losses, reduction)


def nll(log_probability: Any, targets: Any, reduction: str = "mean", weight: Any = None) -> Any:
    r"""Negative log-likelihood: minus the log-probability :math:`\log p_{i t_i}` of each right class.

    After `log_softmax` it is `cross_entropy`, whose parameters and errors are its own.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Value
    >>> from nn import nll
    >>> round(nll(Value(np.log([[0.5, 0.5], [0.25, 0.75]])), [0, 0]).item(), 4)
    1.0397
    """
    targets, shape = _constant(targets), np.shape(log_probability)
    if not shape or targets.shape != shape[:-1]:
        raise ValueError(
            f"nll: log-probabilities of shape {shape} want targets of shape {shape[:-1]}, a class index for each row, "
            f"and got shape {targets.shape}."
        )
    log_probability = as_array(log_probability)
    hot = _one_hot("nll", targets, shape[-1])
    share = np.sum(hot if weight is None else hot * _weights("nll", weight, shape[-1]), axis=-1)
    losses = -share.astype(log_probability.dtype) * np.sum(np.where(hot == 0, 0.0, log_probability), axis=-1)
    if weight is None:
        return _reduced("nll", losses, reduction)
    return losses.sum() / share.sum() if reduction == "mean" else _reduced("nll", losses, reduction)


def kl_div(log_probability: Any, target: Any, reduction: str = "mean") -> Any:
    r"""Kullback-Leibler divergence of a predicted distribution from the target, :math:`\sum_k t_k \log (t_k / p_k)`.

    Parameters
    ----------
    log_probability : Value or array, shape (batch, classes)
        As `log_softmax` gives it.
    target : array, the same shape
        Probabilities; where one is 0, nothing is added.
    reduction : 'mean', 'sum' or 'none'
        What becomes of the divergences of the examples (PyTorch calls this mean 'batchmean').

    Raises
    ------
    ValueError
        As `mse`; and if a target lies outside 0 to 1.

    References
    ----------
    Kullback, Leibler: On information and sufficiency (1951).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Value
    >>> from nn import kl_div
    >>> round(kl_div(Value(np.log([[0.5, 0.5]])), [[0.0, 1.0]]).item(), 4)
    0.6931
    """
    _probabilities("kl_div", target)
    target = as_array(target)
    entropy = np.sum(target * np.log(np.where(target > 0, target, 1)), axis=-1)
    met = _met("kl_div", lambda: target * log_probability, log_probability, target)
    return _reduced("kl_div", entropy - np.sum(met, axis=-1), reduction)


# -------------------------------------------------------------------- what they share


def _met(name: str, compute: Callable[[], Any], prediction: Any, target: Any) -> Any:
    """What comes of prediction and target together, once it is clear that they fit."""
    try:
        met = compute()
    except ValueError:
        raise ValueError(
            f"{name}: prediction of shape {np.shape(prediction)} and target of shape {np.shape(target)}: "
            f"the two must be the same."
        ) from None
    size = math.prod(np.shape(met))
    if size > math.prod(np.shape(prediction)) and size > math.prod(np.shape(target)):
        warnings.warn(
            f"{name}: prediction of shape {np.shape(prediction)} meets target of shape {np.shape(target)}, and "
            f"broadcasting compares every prediction with every target. Give both the same shape, as with "
            f"target.reshape(prediction.shape).",
            UserWarning,
            stacklevel=3,
        )
    return met


def _reduced(name: str, losses: Any, reduction: str) -> Any:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}(reduction={reduction!r}): it is 'mean', 'sum' or 'none'.")
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


def _log(probability: Any) -> Any:
    return np.log(np.maximum(probability, np.exp(-100.0)))


def _probabilities(name: str, probability: Any, advice: str = "") -> None:
    given = numbers(probability)
    outside = (given < 0) | (given > 1)
    if certain(np.any(outside)):
        raise ValueError(f"{name}: a probability lies between 0 and 1, and here is {given[outside][0]}.{advice}")


def _constant(target: Any) -> Any:
    """What is not learnt, as an array."""
    return as_array(target) if isinstance(target, Value) and target.requires_grad else numbers(target)


def _signs(name: str, target: Any) -> Any:
    signs = as_array(target)
    if certain(np.any(np.abs(signs) != 1)):
        raise ValueError(f"{name}: targets are -1 and 1. Of targets 0 and 1, write 2 * target - 1.")
    return signs


def _weights(name: str, weight: Any, classes: int) -> Any:
    weights = as_array(weight)
    if weights.shape != (classes,) or certain(np.any(weights < 0)):
        raise ValueError(f"{name}(weight=...): one number from 0 on for each of {classes} classes is wanted.")
    return weights


def _one_hot(name: str, targets: Any, classes: int) -> Any:
    """For each class index a row with 1 in its place; of NaN for no class, where that could not be asked before."""
    if targets.dtype.kind not in "iu":
        raise TypeError(f"{name}: targets are class indices, integers from 0 on, and got dtype {targets.dtype}.")
    if certain(np.any((targets < 0) | (targets >= classes))):
        raise IndexError(f"{name}: class indices go from 0 to {classes - 1}, and one is not among them.")
    hot = targets[..., None] == np.arange(classes, like=targets)
    return hot / np.any(hot, axis=-1, keepdims=True)
