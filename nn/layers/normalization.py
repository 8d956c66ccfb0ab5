"""Normalization: mean 0 and variance 1, over the batch or over each example; then a scale and a shift to learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Value, as_array

from ..arrays import computed, numbers
from ..module import Module

__all__ = ["BatchNorm", "LayerNorm"]


class BatchNorm(Module):
    r"""Channels with mean 0 and variance 1: :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta`.

    While it learns, :math:`\mu` and :math:`\sigma^2` are those of the batch; afterwards those that it has kept.

    Parameters
    ----------
    channels : int or None
        The length of axis 1; None takes it from the first `x`.
    momentum : float, in (0, 1]
        How much of each batch goes into the mean and variance that are kept.
    eps : float, positive
        :math:`\epsilon`.
    dtype : float32 or float64

    Attributes
    ----------
    scale, shift : Value, shape (channels,)
        :math:`\gamma`, which starts at 1, and :math:`\beta`, which starts at 0.
    mean, variance : Value, shape (channels,)
        What is kept: buffers, saved with the model and not trained. The variance is that with n - 1.

    Raises
    ------
    ValueError
        If a number is out of range; when called: if `x` has another number of channels, or, while it learns, there is
        only one number for a channel.

    Notes
    -----
    `x` has shape (batch, channels) or (batch, channels, ...): the mean is over all but the channels.

    References
    ----------
    Ioffe, Szegedy: Batch normalization: accelerating deep network training by reducing internal covariate shift (2015).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import BatchNorm
    >>> layer = BatchNorm(2)
    >>> layer(np.array([[1.0, 10.0], [3.0, 30.0]])).data.round(2)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> layer.mean.data
    array([0.2, 2. ])
    """

    torch = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}

    def __init__(
        self, channels: int | None = None, *, momentum: float = 0.1, eps: float = 1e-5, dtype: Any = np.float64
    ):
        if channels is not None and (not isinstance(channels, int | np.integer) or channels < 1):
            raise ValueError(f"BatchNorm(channels={channels!r}): a positive whole number is wanted.")
        if not 0 < momentum <= 1:
            raise ValueError(f"BatchNorm(momentum={momentum!r}): a number above 0 and at most 1 is wanted.")
        if not eps > 0:
            raise ValueError(f"BatchNorm(eps={eps!r}): a positive number is wanted.")
        self.channels, self.momentum, self.eps, self.dtype = channels, momentum, eps, np.dtype(dtype)
        self.built = False
        if channels is not None:
            self.build(int(channels))

    def build(self, channels: int) -> None:
        """Make what belongs to so many channels."""
        self.channels = channels
        self.scale, self.shift = Value(np.ones(channels, self.dtype)), Value(np.zeros(channels, self.dtype))
        self.mean = Value(np.zeros(channels, self.dtype), requires_grad=False)
        self.variance = Value(np.ones(channels, self.dtype), requires_grad=False)
        self.built = True

    def forward(self, x: Any) -> Any:
        """Apply the layer.

        Parameters
        ----------
        x : Value or array, shape (batch, channels, ...)

        Returns
        -------
        Value
            Of the same shape.
        """
        shape = np.shape(x)
        if len(shape) > 1 and not self.built:
            self.build(shape[1])
        if len(shape) < 2 or shape[1] != self.channels:
            raise ValueError(
                f"{self.describe()} got x of shape {shape} and wants (batch, {self.channels or 'channels'}, ...)."
            )
        x = as_array(x)
        aside = (1, self.channels) + (1,) * (len(shape) - 2)
        axes, count = (0, *range(2, len(shape))), x.size // max(shape[1], 1)
        if not self.training or not count:
            mean, variance = self.mean.data.reshape(aside), self.variance.data.reshape(aside)
            return (x - mean) * (self.scale.reshape(aside) / np.sqrt(variance + self.eps)) + self.shift.reshape(aside)
        if count == 1:
            raise ValueError(
                f"{self.describe()} got x of shape {shape}: of one number for each channel there is no variance "
                f"to learn from. Take a larger batch, or call eval() first."
            )
        mean = np.mean(x, axis=axes, keepdims=True)
        centered = x - mean
        variance = np.mean(centered * centered, axis=axes, keepdims=True)
        now = computed(np.ravel(numbers(mean)), np.ravel(numbers(variance)) * (count / (count - 1)))
        for kept, new in zip((self.mean, self.variance), now, strict=True):
            kept.data = ((1 - self.momentum) * kept.data + self.momentum * new).astype(self.dtype)
        return centered * (self.scale.reshape(aside) / np.sqrt(variance + self.eps)) + self.shift.reshape(aside)

    def describe(self) -> str:
        return f"BatchNorm({self.channels or ''})"


class LayerNorm(Module):
    r"""Each example with mean 0 and variance 1, :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta`.

    Parameters
    ----------
    shape : int, tuple of int, or None
        The last axes of `x`, which the mean is over; None takes the last axis of the first `x`.
    eps : float, positive
        :math:`\epsilon`.
    dtype : float32 or float64

    Attributes
    ----------
    scale, shift : Value, of that shape
        :math:`\gamma`, which starts at 1, and :math:`\beta`, which starts at 0.

    Raises
    ------
    ValueError
        If a number is out of range; when called: if `x` has other last axes.

    References
    ----------
    Ba, Kiros, Hinton: Layer normalization (2016).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import LayerNorm
    >>> LayerNorm(2)(np.array([[1.0, 3.0], [10.0, 30.0]])).data.round(2)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    torch = {"scale": "weight", "shift": "bias"}

    def __init__(self, shape: int | tuple[int, ...] | None = None, *, eps: float = 1e-5, dtype: Any = np.float64):
        sizes = shape if isinstance(shape, tuple) else (shape,)
        if shape is not None and not all(isinstance(n, int | np.integer) and n > 0 for n in sizes):
            raise ValueError(f"LayerNorm(shape={shape!r}): positive whole numbers are wanted.")
        if not eps > 0:
            raise ValueError(f"LayerNorm(eps={eps!r}): a positive number is wanted.")
        self.shape: tuple[int, ...] | None = None
        self.eps, self.dtype, self.built = eps, np.dtype(dtype), False
        if shape is not None:
            self.build(sizes)  # type: ignore[arg-type]

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the scale and the shift for these last axes."""
        self.shape = shape
        self.scale, self.shift = Value(np.ones(shape, self.dtype)), Value(np.zeros(shape, self.dtype))
        self.built = True

    def forward(self, x: Any) -> Any:
        """Apply the layer.

        Parameters
        ----------
        x : Value or array, shape (..., *shape)

        Returns
        -------
        Value
            Of the same shape.
        """
        sizes = np.shape(x)
        if sizes and not self.built:
            self.build(sizes[-1:])
        if self.shape is None or sizes[len(sizes) - len(self.shape) :] != self.shape or len(sizes) < len(self.shape):
            wanted = ", ".join(map(str, self.shape or ("any number",)))
            raise ValueError(f"{self.describe()} got x of shape {sizes} and wants (..., {wanted}).")
        x = as_array(x)
        axes = tuple(range(-len(self.shape), 0))
        centered = x - np.mean(x, axis=axes, keepdims=True)
        variance = np.mean(centered * centered, axis=axes, keepdims=True)
        return centered / np.sqrt(variance + self.eps) * self.scale + self.shift

    def describe(self) -> str:
        return f"LayerNorm({', '.join(map(str, self.shape or ()))})"
