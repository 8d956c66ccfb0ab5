"""Stateless pieces of a net: its activations, and attention. Plain functions, of arrays and of Values alike.

Each is its equation; the derivatives come from the operations it is made of. All are finite, and so are their
gradients, at ±1000 and beyond. In a Sequential they stand as they are: ``nn.Sequential(nn.Dense(8), nn.silu)``; with
a parameter of their own, as layers: ``nn.Activation(nn.leaky_relu, slope=0.1)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd

__all__ = [
    "attention", "dsilu", "elu", "gelu", "hard_sigmoid", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax",
    "mish", "relu", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "step", "tanh",
]  # fmt: skip

# These have rules of their own, and are the very functions of autograd.
relu: Callable[[Any], Any] = autograd.relu
sigmoid: Callable[[Any], Any] = autograd.sigmoid
softmax: Callable[..., Any] = autograd.softmax
log_softmax: Callable[..., Any] = autograd.log_softmax

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def step(x: Any, threshold: float = 0.0) -> Any:
    r"""1 where :math:`x \ge` `threshold`, else 0. Its derivative is 0 wherever it has one: nothing learns through it.

    References
    ----------
    McCulloch, Pitts: A logical calculus of the ideas immanent in nervous activity (1943).

    Examples
    --------
    >>> from nn import step
    >>> step([-1.0, 0.0, 2.0])
    array([0., 1., 1.])
    """
    return np.heaviside(np.subtract(x, threshold), 1.0)


def tanh(x: Any) -> Any:
    r"""The hyperbolic tangent, :math:`(e^x - e^{-x}) / (e^x + e^{-x})`, between -1 and 1.

    Examples
    --------
    >>> from nn import tanh
    >>> tanh(0.0)
    np.float64(0.0)
    """
    return np.tanh(x)


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    r"""x where positive, else `slope` times x. At 0 the derivative is taken to be `slope`.

    References
    ----------
    Maas, Hannun, Ng: Rectifier nonlinearities improve neural network acoustic models (2013).

    Examples
    --------
    >>> from nn import leaky_relu
    >>> leaky_relu([-2.0, 3.0])
    array([-0.02,  3.  ])
    """
    return np.where(np.greater(x, 0), x, slope * _array(x))


def elu(x: Any, alpha: float = 1.0) -> Any:
    r"""x where positive, else :math:`\alpha (e^x - 1)`.

    References
    ----------
    Clevert, Unterthiner, Hochreiter: Fast and accurate deep network learning by exponential linear units (2015).

    Examples
    --------
    >>> from nn import elu
    >>> elu([-1000.0, 3.0])
    array([-1.,  3.])
    """
    return np.where(np.greater(x, 0), x, alpha * np.expm1(np.where(np.greater(x, 0), 0.0, x)))


def selu(x: Any) -> Any:
    r"""`elu` with :math:`\alpha = 1.6733`, times 1.0507: keeps mean 0 and variance 1 from layer to layer.

    References
    ----------
    Klambauer, Unterthiner, Mayr, Hochreiter: Self-normalizing neural networks (2017), eq. 2 and 14.

    Examples
    --------
    >>> from nn import selu
    >>> selu(1.0)
    np.float64(1.0507009873554805)
    """
    return SELU_SCALE * elu(x, SELU_ALPHA)


def gelu(x: Any, approximate: bool = False) -> Any:
    r"""x times the probability that a standard normal variable lies below it, :math:`x \Phi(x)`.

    `approximate` takes :math:`\frac{x}{2} (1 + \tanh(\sqrt{2/\pi} (x + 0.044715 x^3)))`, within 5e-4 of it, and faster.

    References
    ----------
    Hendrycks, Gimpel: Gaussian error linear units (2016).

    Examples
    --------
    >>> from nn import gelu
    >>> gelu(1.0).round(4), gelu(1.0, approximate=True).round(4)
    (np.float64(0.8413), np.float64(0.8412))
    """
    x = _array(x)
    if approximate:
        return x * sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return x * autograd.normal_cdf(x)


def hard_sigmoid(x: Any) -> Any:
    r"""A straight line in the place of the sigmoid: :math:`x / 6 + 1/2`, clipped to 0 and 1.

    Examples
    --------
    >>> from nn import hard_sigmoid
    >>> hard_sigmoid([-4.0, 0.0, 4.0])
    array([0. , 0.5, 1. ])
    """
    return np.clip(_array(x) / 6 + 0.5, 0.0, 1.0)


def hard_tanh(x: Any) -> Any:
    """x, clipped to -1 and 1.

    Examples
    --------
    >>> from nn import hard_tanh
    >>> hard_tanh([-4.0, 0.5, 4.0])
    array([-1. ,  0.5,  1. ])
    """
    return np.clip(x, -1.0, 1.0)


def softplus(x: Any) -> Any:
    r"""A smooth `relu`, :math:`\log(1 + e^x)`; its derivative is the sigmoid.

    References
    ----------
    Dugas, Bengio, Bélisle, Nadeau, Garcia: Incorporating second-order functional knowledge (2000).

    Examples
    --------
    >>> from nn import softplus
    >>> softplus([-1000.0, 0.0, 1000.0])
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """
    return np.logaddexp(x, 0.0)


def log_sigmoid(x: Any) -> Any:
    r"""The logarithm of the sigmoid, :math:`-\log(1 + e^{-x})`.

    Examples
    --------
    >>> from nn import log_sigmoid
    >>> log_sigmoid([-1000.0, 1000.0])
    array([-1000.,    -0.])
    """
    return -np.logaddexp(np.negative(x), 0.0)


def silu(x: Any) -> Any:
    r"""x times its sigmoid, :math:`x \sigma(x)`; also called swish.

    References
    ----------
    Elfwing, Uchibe, Doya: Sigmoid-weighted linear units for neural network function approximation (2017).

    Examples
    --------
    >>> from nn import silu
    >>> silu([-1000.0, 0.0, 1000.0])
    array([  -0.,    0., 1000.])
    """
    x = _array(x)
    return x * sigmoid(x)


def dsilu(x: Any) -> Any:
    r"""The derivative of `silu`, :math:`\sigma(x) (1 + x (1 - \sigma(x)))`, which is an activation itself.

    References
    ----------
    Elfwing, Uchibe, Doya: Sigmoid-weighted linear units for neural network function approximation (2017), eq. 5.

    Examples
    --------
    >>> from nn import dsilu
    >>> dsilu([-1000.0, 0.0, 1000.0])
    array([-0. ,  0.5,  1. ])
    """
    x = _array(x)
    return sigmoid(x) * (1 + x * sigmoid(-x))


def mish(x: Any) -> Any:
    r"""x times the hyperbolic tangent of its softplus, :math:`x \tanh(\log(1 + e^x))`.

    References
    ----------
    Misra: Mish: a self regularized non-monotonic activation function (2019).

    Examples
    --------
    >>> from nn import mish
    >>> mish(1.0).round(4)
    np.float64(0.8651)
    """
    x = _array(x)
    return x * np.tanh(softplus(x))


def softsign(x: Any) -> Any:
    r""":math:`x / (1 + |x|)`, between -1 and 1, which it nears more slowly than `tanh`.

    Examples
    --------
    >>> from nn import softsign
    >>> softsign([-1.0, 0.0, 3.0])
    array([-0.5 ,  0.  ,  0.75])
    """
    x = _array(x)
    return x / (1 + np.abs(x))


def attention(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
    r"""Scaled dot-product attention, :math:`\mathrm{softmax}(Q K^T / \sqrt{d}) V`.

    Parameters
    ----------
    query : Value or array, shape (..., places, d)
    key : Value or array, shape (..., others, d)
    value : Value or array, shape (..., others, features)
    mask : array of bool, broadcasting to (..., places, others), optional
        True where a place may look. ``np.tri(n, dtype=bool)`` lets each look at itself and what came before.

    Returns
    -------
    Value, shape (..., places, features)
        Where a place may look nowhere, 0.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    Vaswani et al.: Attention is all you need (2017), eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import attention
    >>> attention(np.zeros((1, 2)), np.ones((2, 2)), np.array([[1.0], [3.0]]))
    array([[2.]])
    """
    sizes = np.shape(query), np.shape(key), np.shape(value)
    if min(map(len, sizes)) < 2 or sizes[0][-1] != sizes[1][-1] or sizes[1][-2] != sizes[2][-2]:
        raise ValueError(
            f"attention: query, key and value of shapes {sizes[0]}, {sizes[1]} and {sizes[2]}: wanted are "
            f"(..., places, d), (..., others, d) and (..., others, features)."
        )
    scores = np.matmul(query, np.swapaxes(key, -1, -2)) / math.sqrt(sizes[0][-1])
    if mask is None:
        return np.matmul(softmax(scores), value)
    mask = autograd.as_array(mask) != 0
    weights = softmax(np.where(mask, scores, float(np.finfo(scores.dtype).min)))
    return np.matmul(np.where(mask, weights, 0.0), value)


def _array(x: Any) -> Any:
    """A list or number as an array; a Value or Symbol as it is."""
    return x if hasattr(x, "shape") else np.asarray(x, float)[()]
