"""Embedding: a row of numbers for each of many things."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Value, certain

from ..arrays import is_lazy, numbers
from ..init import Seed
from ..module import Module

__all__ = ["Embedding"]


class Embedding(Module):
    """A table with a row for each word, letter or other thing that is known by a number: ``weight[index]``.

    Parameters
    ----------
    count : int, at least 1
        How many things there are.
    size : int, at least 1
        How many numbers stand for each.
    seed : int or Generator, optional
        The rows are drawn from the standard normal distribution.
    dtype : float32 or float64

    Attributes
    ----------
    weight : Value, shape (count, size)

    Raises
    ------
    ValueError
        If a number is not a positive integer.
    TypeError
        When called: if `x` are not integers.
    IndexError
        When called: if one is not from 0 to count - 1.

    Notes
    -----
    `x` has any shape; the result has one axis more. A row that comes several times gets the sum of its gradients.

    References
    ----------
    Bengio, Ducharme, Vincent, Jauvin: A neural probabilistic language model (JMLR 2003).

    Examples
    --------
    >>> from nn import Embedding
    >>> Embedding(26, 4, seed=0)([[0, 1, 1], [25, 0, 2]]).shape
    (2, 3, 4)
    """

    def __init__(self, count: int, size: int, *, seed: Seed = None, dtype: Any = np.float64):
        for name, number in (("count", count), ("size", size)):
            if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < 1:
                raise ValueError(f"Embedding({name}={number!r}): a positive whole number is wanted.")
        self.weight = Value(np.random.default_rng(seed).standard_normal((count, size)).astype(dtype))

    def forward(self, x: Any) -> Any:
        """Look up rows.

        Parameters
        ----------
        x : array of integers, any shape

        Returns
        -------
        Value, shape ``x.shape + (size,)``
        """
        index, count = numbers(x), self.weight.shape[0]
        if index.dtype.kind not in "iu":
            raise TypeError(f"{self.describe()} got x of dtype {index.dtype}: it takes integers, which row to look up.")
        outside = (index < 0) | (index >= count)
        if certain(np.any(outside)):
            raise IndexError(f"{self.describe()} got {index[outside][0]}: its rows are 0 to {count - 1}.")
        if is_lazy(index):  # a product, whose gradient is a sum over the chunks
            return (index[..., None] == np.arange(count)).astype(self.weight.dtype) @ self.weight
        return self.weight[index]

    def describe(self) -> str:
        return f"Embedding({', '.join(map(str, self.weight.shape))})"
