"""Dense: every output sees every input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Value

from .. import init as initialisers
from ..functional import relu
from ..module import Module

__all__ = ["Dense"]

Activation = Callable[[Any], Any]


class Dense(Module):
    r"""A fully connected layer, :math:`y = \varphi(x W + b)`.

    Parameters
    ----------
    inputs : int, at least 1, or None
        How many numbers come in for each example. None takes it from the first `x`; ``Dense(8)`` is ``Dense(None, 8)``,
        and ``Dense(8, nn.relu)`` is ``Dense(None, 8, nn.relu)``.
    outputs : int, at least 1
        How many go out.
    activation : callable, optional
        The function :math:`\varphi`, such as ``nn.relu`` or ``np.tanh``. Default: none.
    bias : bool
        Whether to add :math:`b`.
    seed : int or Generator, optional
        Where the weights are drawn from.
    init : callable, optional
        ``init(shape, seed, dtype)`` gives the first weights. Default: `nn.init.he_normal` before ReLU, else
        `nn.init.xavier_uniform`. The bias starts at 0.
    dtype : float32 or float64

    Attributes
    ----------
    weight : Value, shape (inputs, outputs)
    bias : Value, shape (outputs,), or None

    Raises
    ------
    TypeError
        If `activation` cannot be called, or `dtype` is not of floating numbers.
    ValueError
        If `inputs` or `outputs` is not a positive integer. When called: if the last axis of `x` does not have
        `inputs` entries; the message names the layer.

    Notes
    -----
    `x` has shape (batch, inputs), or any number of axes before the last; the result is (batch, outputs).

    References
    ----------
    Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.1, eq. 6.2 and 6.3; here with examples in rows.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Dense, relu
    >>> layer = Dense(3, 2, relu, seed=0)
    >>> layer(np.ones((4, 3))).shape
    (4, 2)
    >>> layer
    Dense(3, 2, relu): 8 parameters
    """

    torch = {"weight": "weight.T"}

    def __init__(
        self,
        inputs: int | None,
        outputs: int | None = None,
        activation: Activation | None = None,
        bias: bool = True,
        *,
        seed: initialisers.Seed = None,
        init: initialisers.Initialiser | None = None,
        dtype: Any = np.float64,
    ):
        if callable(outputs):  # Dense(8, nn.relu)
            outputs, activation = None, outputs
        if outputs is None:
            inputs, outputs = None, inputs
        for name, size in (("inputs", inputs), ("outputs", outputs)):
            if size is None and name == "inputs":
                continue
            if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
                raise ValueError(f"Dense({name}={size!r}): a layer has a positive whole number of {name}.")
        if activation is not None and not callable(activation):
            raise TypeError(
                f"Dense(activation={activation!r}): an activation is a function, such as nn.relu or np.tanh, or None."
            )
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"Dense(dtype={np.dtype(dtype)}): weights are floating numbers, float32 or float64.")
        if init is None:
            init = initialisers.he_normal if activation is relu else initialisers.xavier_uniform
        self.inputs, self.outputs = inputs, int(outputs)  # type: ignore[arg-type]
        self.activation = activation
        self.weight: Value | None = None
        self.bias: Value | None = None
        self._start = init, seed, dtype, bias
        self.built = False
        if inputs is not None:
            self.build(int(inputs))

    def build(self, inputs: int) -> None:
        """Make the weights for so many numbers in each example."""
        init, seed, dtype, bias = self._start
        self.inputs = inputs
        weight = Value(init((inputs, self.outputs), seed, dtype))
        if weight.shape != (inputs, self.outputs):
            raise ValueError(
                f"Dense(init=...): it gave weights of shape {weight.shape}, and ({inputs}, {self.outputs}) are wanted."
            )
        self.weight = weight
        self.bias = Value(np.zeros(self.outputs, dtype)) if bias else None
        self.built = True

    def forward(self, x: Any) -> Any:
        """Apply the layer.

        Parameters
        ----------
        x : Value or array, shape (batch, inputs)

        Returns
        -------
        Value, shape (batch, outputs)
        """
        if not self.built:
            if np.ndim(x) < 2:
                raise self._misfit(x)
            self.build(np.shape(x)[-1])
        try:
            y = x @ self.weight
        except ValueError:
            raise self._misfit(x) from None
        if self.bias is not None:
            y = y + self.bias
        return y if self.activation is None else self.activation(y)

    def _misfit(self, x: Any) -> ValueError:
        path = ((self.weight is not None and self.weight.label) or "").rpartition(".")[0]
        name = f"{path} = {self.describe()}" if path else self.describe()
        shape = np.shape(x)
        advice = ""
        if len(shape) > 2 and np.prod(shape[1:]) == self.inputs:
            advice = " Flatten the examples first: x.reshape(len(x), -1)."
        return ValueError(f"{name} got x of shape {shape} and wants (batch, {self.inputs or 'any number'}).{advice}")

    def describe(self) -> str:
        facts = [str(n) for n in (self.inputs, self.outputs) if n is not None]
        if self.activation is not None:
            facts.append(name_of(self.activation))
        if not self._start[-1]:
            facts.append("bias=False")
        return f"{type(self).__name__}({', '.join(facts)})"


def name_of(function: Any) -> str:
    """A function or a module in one word."""
    return getattr(function, "__name__", None) or type(function).__name__
