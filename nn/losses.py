"""Losses: one number for how far predictions are from what they should be."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import softmax_cross_entropy

__all__ = ["cross_entropy", "mse"]


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
    >>> mse(Value([1.0, 2.0]), [1.0, 4.0]).item()
    2.0
    """
    try:
        error = prediction - target
    except ValueError:
        raise ValueError(
            f"mse: prediction of shape {np.shape(prediction)} and target of shape {np.shape(target)}: "
            f"the two must be the same."
        ) from None
    size = np.size(error)
    if size > np.size(prediction) and size > np.size(target):
        warnings.warn(
            f"mse: prediction of shape {np.shape(prediction)} meets target of shape {np.shape(target)}, and "
            f"broadcasting compares every prediction with every target. Give both the same shape, as with "
            f"target.reshape(prediction.shape).",
            UserWarning,
            stacklevel=2,
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"mse(reduction={reduction!r}): it is 'mean', 'sum' or 'none'.")
    squares = error**2
    return squares.mean() if reduction == "mean" else squares.sum() if reduction == "sum" else squares


def cross_entropy(logits: Any, targets: Any, reduction: str = "mean") -> Any:
    r"""Cross-entropy of the softmax of `logits`, :math:`-\frac{1}{n} \sum_i \log \mathrm{softmax}(z_i)_{t_i}`.

    Parameters
    ----------
    logits : Value or array, shape (batch, classes)
        The scores :math:`z` before any softmax. More axes may come before the last.
    targets : array of integers, shape (batch,)
        The right class :math:`t_i` of each example, from 0 to classes - 1.
    reduction : 'mean', 'sum' or 'none'
        What becomes of the losses of the examples: their mean, their sum, or all of them.

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
    if not hasattr(logits, "shape"):
        logits = np.asarray(logits)
    targets, shape = np.asarray(targets), logits.shape
    if not shape or targets.shape != shape[:-1]:
        raise ValueError(
            f"cross_entropy: logits of shape {shape} want targets of shape {shape[:-1]}, one class index for each row, "
            f"and got shape {targets.shape}."
        )
    if len(shape) != 2:
        logits, targets = logits.reshape(-1, shape[-1]), targets.ravel()
    loss = softmax_cross_entropy(logits, targets, reduction)
    return loss.reshape(shape[:-1]) if reduction == "none" else loss
