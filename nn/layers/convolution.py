"""Convolutions: the same few weights, everywhere on an image or along a sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Value, as_array, conv2d, conv2d_input

from .. import init as initialisers
from ..functional import relu
from ..module import Module
from .dense import Activation, name_of

__all__ = ["Conv1d", "Conv2d", "ConvTranspose2d"]

Pair = tuple[int, int]


class _Convolution(Module):
    """What the layers of this file share: their numbers, their weights, their errors."""

    axes = 2
    transposed = False

    def __init__(
        self,
        inputs: int | None,
        outputs: int,
        kernel: int | tuple[int, ...],
        activation: Activation | None = None,
        bias: bool = True,
        *,
        stride: int | tuple[int, ...] = 1,
        padding: int | str | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        seed: initialisers.Seed = None,
        init: initialisers.Initialiser | None = None,
        dtype: Any = np.float64,
    ):
        name = type(self).__name__
        for what, size in (("inputs", inputs), ("outputs", outputs), ("groups", groups)):
            if not (what == "inputs" and size is None) and not _whole(size, 1):
                raise ValueError(f"{name}({what}={size!r}): a positive whole number is wanted.")
        if activation is not None and not callable(activation):
            raise TypeError(
                f"{name}(activation={activation!r}): an activation is a function, such as nn.relu, or None."
            )
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"{name}(dtype={np.dtype(dtype)}): weights are floating numbers, float32 or float64.")
        for what, channels in (("inputs", inputs), ("outputs", outputs)):
            if channels is not None and channels % groups:
                raise ValueError(
                    f"{name}({what}={channels}, groups={groups}): the groups must share the channels evenly."
                )
        self.inputs, self.outputs, self.groups = inputs, outputs, groups
        self.kernel = self._each("kernel", kernel, 1)
        self.stride = self._each("stride", stride, 1)
        self.dilation = self._each("dilation", dilation, 1)
        if isinstance(padding, str):
            if padding not in ("same", "valid") or self.transposed:
                known = "a number" if self.transposed else "a number, 'same' or 'valid'"
                raise ValueError(f"{name}(padding={padding!r}): it is {known}.")
            self.padding: Any = padding if padding == "same" else (0,) * self.axes
        else:
            self.padding = self._each("padding", padding, 0)
        self.activation = activation
        self.weight: Value | None = None
        self.bias: Value | None = None
        self._start = (
            init or (initialisers.he_normal if activation is relu else initialisers.xavier_uniform),
            seed,
            bias,
        )
        self.dtype = np.dtype(dtype)
        self.built = False
        if inputs is not None:
            self.build(int(inputs))

    def _each(self, what: str, size: Any, least: int) -> tuple[int, ...]:
        """A number for each axis."""
        sizes = (size,) * self.axes if isinstance(size, int | np.integer) else tuple(size)
        if len(sizes) != self.axes or not all(_whole(n, least) for n in sizes):
            kind = f"a whole number from {least} on" + (", or a pair of them" if self.axes == 2 else "")
            raise ValueError(f"{type(self).__name__}({what}={size!r}): {kind} is wanted.")
        return tuple(int(n) for n in sizes)

    def build(self, inputs: int) -> None:
        """Make the weights for so many channels."""
        init, seed, bias = self._start
        if inputs % self.groups:
            raise ValueError(f"{self.describe()}: {inputs} channels cannot be shared evenly by {self.groups} groups.")
        self.inputs = inputs
        first, second = (inputs, self.outputs) if self.transposed else (self.outputs, inputs)
        shape = (first, second // self.groups, *self.kernel)
        self.weight = Value(init(shape, seed, self.dtype))
        if self.weight.shape != shape:
            raise ValueError(
                f"{self.describe()}: init gave weights of shape {self.weight.shape}, and {shape} are wanted."
            )
        self.bias = Value(np.zeros(self.outputs, self.dtype)) if bias else None
        self.built = True

    def _checked(self, x: Any) -> Any:
        shape = np.shape(x)
        if len(shape) == self.axes + 2 and not self.built:
            self.build(shape[1])
        sizes = shape[2:]
        fits = len(shape) == self.axes + 2 and shape[1] == self.inputs
        if fits and not self.transposed and self.padding != "same":
            reach = [d * (k - 1) + 1 - 2 * p for d, k, p in zip(self.dilation, self.kernel, self.padding, strict=True)]
            fits = all(n >= r for n, r in zip(sizes, reach, strict=True))
        if fits:
            return as_array(x)
        path = ((self.weight is not None and self.weight.label) or "").rpartition(".")[0]
        name = f"{path} = {self.describe()}" if path else self.describe()
        axes = ("height, width", "height and width") if self.axes == 2 else ("time", "time")
        small = f" with {axes[1]} no smaller than the kernel" if len(shape) == self.axes + 2 else ""
        raise ValueError(
            f"{name} got x of shape {shape} and wants (batch, {self.inputs or 'channels'}, {axes[0]}){small}."
        )

    def _margins(self, sizes: tuple[int, ...]) -> tuple[Pair, ...]:
        """How much to add before and behind each axis."""
        if self.padding != "same":
            return tuple((p, p) for p in self.padding)
        margins = []
        for n, k, s, d in zip(sizes, self.kernel, self.stride, self.dilation, strict=True):
            total = max((math.ceil(n / s) - 1) * s + d * (k - 1) + 1 - n, 0)
            margins.append((total // 2, total - total // 2))
        return tuple(margins)

    def describe(self) -> str:
        facts = [str(n) for n in (self.inputs, self.outputs) if n is not None]
        facts.append("×".join(map(str, self.kernel)))
        if self.activation is not None:
            facts.append(name_of(self.activation))
        facts += [
            f"{name}={number[0] if len(set(number)) == 1 else number}"
            for name, number, usual in (("stride", self.stride, 1), ("dilation", self.dilation, 1))
            if set(number) != {usual}
        ]
        if self.padding == "same":
            facts.append("padding='same'")
        elif any(self.padding):
            facts.append(f"padding={self.padding[0] if len(set(self.padding)) == 1 else self.padding}")
        if self.groups > 1:
            facts.append(f"groups={self.groups}")
        if not self._start[-1]:
            facts.append("bias=False")
        return f"{type(self).__name__}({', '.join(facts)})"


class Conv2d(_Convolution):
    r"""Filters that slide over images, :math:`y_{nfij} = \varphi(b_f + \sum_{cuv} w_{fcuv} x_{n,c,si+du,sj+dv})`.

    Parameters
    ----------
    inputs : int or None
        Channels that come in; None takes them from the first `x`.
    outputs : int
        Filters, which is the channels that go out.
    kernel : int or pair of int
        Height and width of a filter.
    activation : callable, optional
        The function :math:`\varphi`.
    bias : bool
    stride : int or pair
        How far a filter goes at a time.
    padding : int, pair, 'same' or 'valid'
        Zeros around the image, at each side; 'same': as many as make the result as large as `x` (divided by the
        stride, rounded up), the odd one behind.
    dilation : int or pair
        How far apart the pixels are that a filter sees.
    groups : int
        Into how many parts the channels are divided; each filter sees one part.
    seed : int or Generator, optional
    init : callable, optional
        Default: `nn.init.he_normal` before ReLU, else `nn.init.xavier_uniform`. The bias starts at 0.
    dtype : float32 or float64

    Attributes
    ----------
    weight : Value, shape (outputs, inputs / groups, height, width)
    bias : Value, shape (outputs,), or None

    Raises
    ------
    TypeError, ValueError
        As `Dense`; ValueError also if the groups cannot share the channels, or `x` is smaller than the kernel.

    Notes
    -----
    `x` has shape (batch, channels, height, width); the result's height is
    floor((height + padding - dilation (kernel - 1) - 1) / stride) + 1, with both sides' padding.

    References
    ----------
    LeCun et al.: Gradient-based learning applied to document recognition (1998), section II.A.
    Goodfellow, Bengio, Courville: Deep Learning (2016), eq. 9.6 and section 9.5.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Conv2d
    >>> layer = Conv2d(1, 6, 5, seed=0)
    >>> layer(np.zeros((64, 1, 28, 28))).shape
    (64, 6, 24, 24)
    >>> layer
    Conv2d(1, 6, 5×5): 156 parameters
    """

    def forward(self, x: Any) -> Any:
        """Apply the layer.

        Parameters
        ----------
        x : Value or array, shape (batch, channels, height, width)

        Returns
        -------
        Value, shape (batch, outputs, new height, new width)
        """
        x = self._checked(x)
        y = conv2d(x, self.weight, self.bias, self.stride, self._margins(x.shape[2:]), self.dilation, self.groups)
        return y if self.activation is None else self.activation(y)


class Conv1d(_Convolution):
    """Filters that slide along sequences: `Conv2d` with one axis.

    Parameters, attributes and errors are those of `Conv2d`; `x` has shape (batch, channels, time), and `weight`
    (outputs, inputs / groups, kernel).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Conv1d
    >>> Conv1d(3, 8, 5, padding="same", seed=0)(np.zeros((2, 3, 20))).shape
    (2, 8, 20)
    """

    axes = 1

    def forward(self, x: Any) -> Any:
        """Apply the layer.

        Parameters
        ----------
        x : Value or array, shape (batch, channels, time)

        Returns
        -------
        Value, shape (batch, outputs, new time)
        """
        x = self._checked(x)
        weight: Any = self.weight
        y: Any = conv2d(
            np.expand_dims(x, 2),
            np.expand_dims(weight, 2),
            self.bias,
            (1, *self.stride),
            ((0, 0), *self._margins(x.shape[2:])),
            (1, *self.dilation),
            self.groups,
        )
        y = y[:, :, 0]
        return y if self.activation is None else self.activation(y)


class ConvTranspose2d(_Convolution):
    """The way back of a `Conv2d` in shape: every pixel is spread over a window, times the filter.

    Parameters, attributes and errors are those of `Conv2d`, but that `padding` is a number or pair, taken off the
    result; `weight` has shape (inputs, outputs / groups, height, width).

    Parameters
    ----------
    output_padding : int or pair
        Rows and columns more at the bottom and right, less than the stride: several sizes lead to the same one forward.

    Notes
    -----
    The result's height is (height - 1) stride - 2 padding + dilation (kernel - 1) + 1 + output_padding.

    References
    ----------
    Dumoulin, Visin: A guide to convolution arithmetic for deep learning (2016), chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import ConvTranspose2d
    >>> ConvTranspose2d(8, 1, 4, stride=2, padding=1, seed=0)(np.zeros((2, 8, 7, 7))).shape
    (2, 1, 14, 14)
    """

    transposed = True

    def __init__(self, *args: Any, output_padding: int | Pair = 0, **keywords: Any):
        super().__init__(*args, **keywords)
        self.output_padding = self._each("output_padding", output_padding, 0)
        if any(extra >= step for extra, step in zip(self.output_padding, self.stride, strict=True)):
            raise ValueError(f"ConvTranspose2d(output_padding={output_padding!r}): it is less than the stride.")

    def forward(self, x: Any) -> Any:
        """Apply the layer.

        Parameters
        ----------
        x : Value or array, shape (batch, channels, height, width)

        Returns
        -------
        Value, shape (batch, outputs, new height, new width)
        """
        x = self._checked(x)
        margins = self._margins(x.shape[2:])
        size = tuple(
            (n - 1) * s - sum(margin) + d * (k - 1) + 1 + extra
            for n, s, margin, d, k, extra in zip(
                x.shape[2:], self.stride, margins, self.dilation, self.kernel, self.output_padding, strict=True
            )
        )
        if min(size) < 1:
            raise ValueError(f"{self.describe()} got x of shape {x.shape}, of which nothing is left: less padding.")
        shape = (x.shape[0], self.outputs, *size)
        y: Any = conv2d_input(x, self.weight, shape, self.stride, margins, self.dilation, self.groups)
        if self.bias is not None:
            y = y + self.bias.reshape(-1, 1, 1)
        return y if self.activation is None else self.activation(y)


def _whole(number: Any, least: int) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and bool(number >= least)
