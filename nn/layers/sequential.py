"""Sequential: one layer after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..model import Model
from .dense import name_of

__all__ = ["Sequential"]


class Sequential(Model):
    r"""The composition :math:`f_n(\dots f_2(f_1(x)))`.

    Parameters
    ----------
    *layers : Module or callable
        In the order they are applied. A function without parameters, such as ``np.tanh``, is a layer too.

    Attributes
    ----------
    layers : list
        ``model[i]``, ``len(model)`` and iteration read it.

    Raises
    ------
    TypeError
        If a layer cannot be called.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Dense, Sequential
    >>> model = Sequential(Dense(2, 8, seed=0), np.tanh, Dense(8, 1, seed=1))
    >>> model(np.ones((5, 2))).shape
    (5, 1)
    >>> [name for name, _ in model.named_parameters()]
    ['layers.0.weight', 'layers.0.bias', 'layers.2.weight', 'layers.2.bias']
    >>> model
    Sequential(Dense, tanh, Dense): 33 parameters
      layers.0: Dense(2, 8): 24 parameters
      layers.2: Dense(8, 1): 9 parameters
    """

    torch = {"layers": ""}  # it numbers them without a name before

    def __init__(self, *layers: Callable[[Any], Any]):
        for position, layer in enumerate(layers):
            if not callable(layer):
                what = " Write Sequential(*layers) for a list." if isinstance(layer, list | tuple) else ""
                raise TypeError(
                    f"Sequential: layer {position} is a {type(layer).__name__}, not a Module or function.{what}"
                )
        super().__init__()
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        """Apply the layers in turn.

        Parameters
        ----------
        x : Value or array
            What the first layer takes.

        Returns
        -------
        Value
            What the last layer gives.
        """
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return iter(self.layers)

    def __getitem__(self, index: int) -> Callable[[Any], Any]:
        return self.layers[index]

    def describe(self) -> str:
        return f"{type(self).__name__}({', '.join(name_of(layer) for layer in self.layers)})"
