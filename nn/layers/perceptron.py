"""Perceptron: a weighted sum, and whether it reaches a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Value, as_array

from ..functional import step
from ..model import Model

__all__ = ["Perceptron"]


class Perceptron(Model):
    r"""One unit that fires, :math:`y = [\sum_i w_i x_i + b \ge \theta]`, or says how strong its input is.

    Parameters
    ----------
    weights : int, or sequence of float
        How many inputs there are, with weights of 0 to learn from; or the weights.
    threshold : float
        :math:`\theta`.
    bias : float
        :math:`b`.
    activation : callable or None
        What becomes of the sum less the threshold: `nn.step`, which is 1 from 0 on. None gives the sum itself: with
        weights of 1 the sum of the inputs, with weights of 1 / n their average.

    Attributes
    ----------
    weight : Value, shape (inputs,)
    bias : Value, shape ()

    Raises
    ------
    ValueError
        If there are no weights; when called: if `x` has another number of inputs.

    Notes
    -----
    A step teaches nothing, as its derivative is 0: `nn.perceptron_loss` is of the `score`, and its SGD step is the
    classical learning rule.

    References
    ----------
    Rosenblatt: The perceptron: a probabilistic model for information storage and organization in the brain (1958).
    Minsky, Papert: Perceptrons (1969), on what it cannot learn: XOR.

    Examples
    --------
    >>> from nn import Perceptron
    >>> unit = Perceptron([0.5, 0.7], threshold=0.5)
    >>> round(unit.score([0.5, 0.6]).item(), 2), unit([0.5, 0.6]).item()  # 0.67 is 0.17 above it
    (0.17, 1.0)
    >>> Perceptron([1, 1], activation=None)([2, 3]).item(), Perceptron([0.5, 0.5], activation=None)([2, 3]).item()
    (5.0, 2.5)
    """

    def __init__(self, weights: Any, threshold: float = 0.0, bias: float = 0.0, activation: Any = step):
        super().__init__()
        start = np.zeros(weights) if isinstance(weights, int | np.integer) else np.asarray(weights, float)
        if start.ndim != 1 or not start.size:
            raise ValueError(f"Perceptron({weights!r}): give the number of inputs, from 1 on, or a list of weights.")
        self.weight, self.bias = Value(start), Value(float(bias))
        self.threshold, self.activation = float(threshold), activation

    def score(self, x: Any) -> Any:
        """How far the weighted sum is above the threshold.

        Parameters
        ----------
        x : Value, array or list, shape (inputs,) or (batch, inputs)

        Returns
        -------
        Value, shape () or (batch,)
        """
        x = as_array(x, float)
        if not x.shape or x.shape[-1] != self.weight.shape[0]:
            raise ValueError(f"{self.describe()} got x of shape {x.shape} and wants (batch, {self.weight.shape[0]}).")
        total = x @ self.weight + self.bias
        return total - self.threshold if self.threshold else total

    def forward(self, x: Any) -> Any:
        """1 where it fires and 0 elsewhere; the score itself, if there is no activation."""
        score = self.score(x)
        return score if self.activation is None else self.activation(score)

    def describe(self) -> str:
        return f"Perceptron({self.weight.shape[0]})"
