"""Pooling: one number for a window, or for a whole image."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import as_array, max_pool2d, window_sum

from ..module import Module

__all__ = ["AvgPool1d", "AvgPool2d", "Flatten", "GlobalAvgPool", "GlobalMaxPool", "MaxPool1d", "MaxPool2d"]


class _Pooling(Module):
    axes = 2

    def __init__(self, kernel: Any, stride: Any = None, padding: Any = 0):
        self.kernel = self._each("kernel", kernel, 1)
        self.stride = self.kernel if stride is None else self._each("stride", stride, 1)
        self.padding = self._each("padding", padding, 0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel, strict=True)):
            raise ValueError(f"{self.describe()}: padding is at most half the kernel; a window would see nothing else.")

    def _each(self, what: str, size: Any, least: int) -> tuple[int, ...]:
        sizes = (size,) * self.axes if isinstance(size, int | np.integer) else tuple(size)
        if len(sizes) != self.axes or not all(isinstance(n, int | np.integer) and n >= least for n in sizes):
            kind = f"a whole number from {least} on" + (", or a pair of them" if self.axes == 2 else "")
            raise ValueError(f"{type(self).__name__}({what}={size!r}): {kind} is wanted.")
        return tuple(int(n) for n in sizes)

    def forward(self, x: Any) -> Any:
        """Apply the layer.

        Parameters
        ----------
        x : Value or array, shape (batch, channels, height, width), or (batch, channels, time)

        Returns
        -------
        Value
            Of the same number of axes.
        """
        shape = np.shape(x)
        reach = [n + 2 * p >= k for n, p, k in zip(shape[2:], self.padding, self.kernel, strict=False)]
        if len(shape) != self.axes + 2 or not all(reach):
            axes = "height, width" if self.axes == 2 else "time"
            raise ValueError(
                f"{self.describe()} got x of shape {shape} and wants (batch, channels, {axes}), no smaller than its "
                f"window."
            )
        x = as_array(x, float)
        if self.axes == 2:
            margins = tuple((p, p) for p in self.padding)
            return self._pool(x, self.kernel, self.stride, margins)
        margins = ((0, 0), *((p, p) for p in self.padding))
        return self._pool(np.expand_dims(x, 2), (1, *self.kernel), (1, *self.stride), margins)[:, :, 0]

    def _pool(self, x: Any, kernel: Any, stride: Any, margins: Any) -> Any:
        raise NotImplementedError

    def describe(self) -> str:
        facts = ["×".join(map(str, self.kernel))]
        if self.stride != self.kernel:
            facts.append(f"stride={self.stride[0] if len(set(self.stride)) == 1 else self.stride}")
        if any(self.padding):
            facts.append(f"padding={self.padding[0] if len(set(self.padding)) == 1 else self.padding}")
        return f"{type(self).__name__}({', '.join(facts)})"


class MaxPool2d(_Pooling):
    r"""The maximum of each window of each channel.

    Parameters
    ----------
    kernel : int or pair of int
        Height and width of a window.
    stride : int or pair, optional
        How far it goes at a time; default: as far as it is large.
    padding : int or pair
        Margins that count as minus infinity; at most half the kernel.

    Raises
    ------
    ValueError
        If a number is out of range; when called: if `x` has other axes, or is smaller than a window.

    Notes
    -----
    `x` has shape (batch, channels, height, width). Equal maxima of a window share the gradient.

    References
    ----------
    Goodfellow, Bengio, Courville: Deep Learning (2016), section 9.3.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import MaxPool2d
    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """

    def _pool(self, x: Any, kernel: Any, stride: Any, margins: Any) -> Any:
        return max_pool2d(x, kernel, stride, margins, (1, 1))


class AvgPool2d(_Pooling):
    """The mean of each window of each channel; a margin counts as 0.

    Parameters and errors are those of `MaxPool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import AvgPool2d
    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """

    def _pool(self, x: Any, kernel: Any, stride: Any, margins: Any) -> Any:
        return window_sum(x, 1 / (kernel[0] * kernel[1]), kernel, stride, margins, (1, 1))


class MaxPool1d(MaxPool2d):
    """`MaxPool2d` along the one axis of (batch, channels, time).

    Examples
    --------
    >>> from nn import MaxPool1d
    >>> MaxPool1d(2)([[[1.0, 3.0, 2.0, 0.0]]])
    array([[[3., 2.]]])
    """

    axes = 1


class AvgPool1d(AvgPool2d):
    """`AvgPool2d` along the one axis of (batch, channels, time).

    Examples
    --------
    >>> from nn import AvgPool1d
    >>> AvgPool1d(2)([[[1.0, 3.0, 2.0, 0.0]]])
    array([[[2., 1.]]])
    """

    axes = 1


class GlobalAvgPool(Module):
    """The mean over everything behind batch and channels: (batch, channels, ...) becomes (batch, channels).

    References
    ----------
    Lin, Chen, Yan: Network in network (ICLR 2014), section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import GlobalAvgPool
    >>> GlobalAvgPool()(np.ones((2, 3, 4, 4))).shape
    (2, 3)
    """

    def forward(self, x: Any) -> Any:
        """Apply the layer to x of shape (batch, channels, ...)."""
        return np.mean(x, axis=_behind(self, x))


class GlobalMaxPool(Module):
    """The maximum over everything behind batch and channels: (batch, channels, ...) becomes (batch, channels).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import GlobalMaxPool
    >>> GlobalMaxPool()(np.ones((2, 3, 4, 4))).shape
    (2, 3)
    """

    def forward(self, x: Any) -> Any:
        """Apply the layer to x of shape (batch, channels, ...)."""
        return np.max(x, axis=_behind(self, x))


def _behind(layer: Module, x: Any) -> tuple[int, ...]:
    axes = tuple(range(2, np.ndim(x)))
    if not axes:
        raise ValueError(f"{layer.describe()} got x of shape {np.shape(x)} and wants (batch, channels, ...).")
    return axes


class Flatten(Module):
    """All of an example in one row: (batch, ...) becomes (batch, numbers of an example).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Flatten
    >>> Flatten()(np.ones((2, 3, 4, 4))).shape
    (2, 48)
    """

    def forward(self, x: Any) -> Any:
        """Apply the layer to x of shape (batch, ...)."""
        shape = np.shape(x)
        if not shape:
            raise ValueError("Flatten() got a single number and wants (batch, ...).")
        return np.reshape(x, (shape[0], int(np.prod(shape[1:]))))
