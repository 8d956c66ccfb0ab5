"""MLP: the multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..functional import relu
from ..init import Seed
from .dense import Activation, Dense
from .sequential import Sequential

__all__ = ["MLP"]


class MLP(Sequential):
    r"""Dense layers with an activation between them: :math:`h_i = \varphi(h_{i-1} W_i + b_i)`, the last one linear.

    Parameters
    ----------
    sizes : sequence of int
        The number of inputs, of units in each hidden layer, and of outputs: at least two numbers.
    activation : callable
        The function :math:`\varphi` behind every layer but the last.
    seed : int or Generator, optional
        Where the weights of all layers are drawn from.
    dtype : float32 or float64

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one is not a positive integer.
    TypeError
        As `Dense`.

    Notes
    -----
    `x` has shape (batch, sizes[0]), the result (batch, sizes[-1]).

    References
    ----------
    Rumelhart, Hinton, Williams: Learning representations by back-propagating errors (Nature 323, 1986).

    Examples
    --------
    >>> from nn import MLP
    >>> model = MLP([64, 32, 10], seed=0)
    >>> model
    MLP(64, 32, 10): 2,410 parameters
      layers.0: Dense(64, 32, relu): 2,080 parameters
      layers.1: Dense(32, 10): 330 parameters
    """

    def __init__(
        self, sizes: Sequence[int], activation: Activation = relu, *, seed: Seed = None, dtype: Any = np.float64
    ):
        if not isinstance(sizes, Sequence | np.ndarray) or len(sizes) < 2:
            raise ValueError(f"MLP({sizes!r}): give at least two sizes, inputs and outputs, as in MLP([64, 32, 10]).")
        rng = np.random.default_rng(seed)
        last = len(sizes) - 2
        super().__init__(
            *(
                Dense(sizes[i], sizes[i + 1], activation if i < last else None, seed=rng, dtype=dtype)
                for i in range(last + 1)
            )
        )

    def describe(self) -> str:
        dense = [layer for layer in self.layers if isinstance(layer, Dense)]
        return f"{type(self).__name__}({', '.join(str(n) for n in [dense[0].inputs, *(d.outputs for d in dense)])})"
