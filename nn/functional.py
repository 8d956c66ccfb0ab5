"""Stateless pieces of a net: its activations. Plain functions, of arrays and of Values alike."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd

__all__ = ["log_softmax", "relu", "sigmoid", "softmax", "tanh"]

# These have rules of their own, and are the very functions of autograd.
relu: Callable[[Any], Any] = autograd.relu
sigmoid: Callable[[Any], Any] = autograd.sigmoid
softmax: Callable[..., Any] = autograd.softmax
log_softmax: Callable[..., Any] = autograd.log_softmax


def tanh(x: Any) -> Any:
    r"""The hyperbolic tangent, :math:`(e^x - e^{-x}) / (e^x + e^{-x})`, elementwise.

    Parameters
    ----------
    x : Value or array, any shape

    Returns
    -------
    Value or array
        Of the same shape, between -1 and 1.

    Examples
    --------
    >>> from nn import tanh
    >>> tanh(0.0)
    np.float64(0.0)
    """
    return np.tanh(x)
