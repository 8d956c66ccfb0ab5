"""Neurons one number a node: slow, and made for looking inside. Lists in, lists out.

    model = scalar.MLP(2, [4, 1], seed=0)
    draw(model([1.0, -2.0]))            # every weight, every product, every sum

Each number is a Value of its own, so that a picture or a trace shows the chain rule at every single step. For anything
larger, `nn.MLP` does the same on whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd import Value

from .functional import tanh
from .init import Seed
from .module import Module

__all__ = ["MLP", "Layer", "Neuron"]

Activation = Callable[[Any], Any]


class Neuron(Module):
    r"""A weighted sum and what becomes of it: :math:`\varphi(\sum_i w_i x_i + b)`.

    Parameters
    ----------
    inputs : int, at least 1
    activation : callable or None
        The function :math:`\varphi` of one number.
    seed : int or Generator, optional
        The weights are drawn between -1 and 1; the bias starts at 0.

    Raises
    ------
    ValueError
        If `inputs` is not a positive integer; when called: if there are not so many numbers.

    Examples
    --------
    >>> from nn import scalar
    >>> neuron = scalar.Neuron(2, activation=None, seed=0)
    >>> for w, number in zip(neuron.weights, [2.0, 3.0]):
    ...     w.data = number
    >>> neuron([1.0, 10.0]).item()
    32.0
    """

    def __init__(self, inputs: int, activation: Activation | None = tanh, seed: Seed = None):
        if not isinstance(inputs, int) or inputs < 1:
            raise ValueError(f"Neuron(inputs={inputs!r}): a positive whole number is wanted.")
        rng = np.random.default_rng(seed)
        self.weights = [Value(float(rng.uniform(-1, 1))) for _ in range(inputs)]
        self.bias = Value(0.0)
        self.activation = activation

    def forward(self, x: Sequence[Any]) -> Value:
        """The output for a list of numbers or Values."""
        if len(x) != len(self.weights):
            raise ValueError(f"{self.describe()} got {len(x)} numbers and wants {len(self.weights)}.")
        total = self.bias
        for weight, number in zip(self.weights, x, strict=True):
            total = total + weight * number
        return total if self.activation is None else self.activation(total)

    def describe(self) -> str:
        return f"Neuron({len(self.weights)})"


class Layer(Module):
    """Several neurons that see the same numbers.

    Parameters
    ----------
    inputs, outputs : int, at least 1
    activation : callable or None
    seed : int or Generator, optional

    Examples
    --------
    >>> from nn import scalar
    >>> len(scalar.Layer(2, 3, seed=0)([1.0, 2.0]))
    3
    """

    def __init__(self, inputs: int, outputs: int, activation: Activation | None = tanh, seed: Seed = None):
        rng = np.random.default_rng(seed)
        self.neurons = [Neuron(inputs, activation, rng) for _ in range(outputs)]

    def forward(self, x: Sequence[Any]) -> list[Value]:
        """A list of the outputs of all neurons."""
        return [neuron(x) for neuron in self.neurons]

    def describe(self) -> str:
        return f"Layer({len(self.neurons[0].weights)}, {len(self.neurons)})"


class MLP(Module):
    """Layers one after another, the last one without activation.

    Parameters
    ----------
    inputs : int, at least 1
    outputs : list of int
        How many neurons each layer has.
    activation : callable
    seed : int or Generator, optional

    Raises
    ------
    ValueError
        If there are no layers.

    Examples
    --------
    >>> from nn import scalar
    >>> model = scalar.MLP(3, [4, 4, 1], seed=0)
    >>> model.size
    41
    >>> y = model([2.0, 3.0, -1.0])
    >>> y.backward()
    >>> model.layers[0].neurons[0].weights[0].grad is not None
    True
    """

    def __init__(self, inputs: int, outputs: Sequence[int], activation: Activation = tanh, seed: Seed = None):
        if not outputs:
            raise ValueError("scalar.MLP(inputs, outputs): give the number of neurons of each layer, as in [4, 4, 1].")
        rng, sizes = np.random.default_rng(seed), [inputs, *outputs]
        self.layers = [
            Layer(n, m, activation if i < len(outputs) else None, rng) for i, (n, m) in enumerate(pairwise(sizes), 1)
        ]

    def forward(self, x: Sequence[Any]) -> Any:
        """A list of the last layer's outputs; of a single neuron, its output itself."""
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x
