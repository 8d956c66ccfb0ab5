"""Attention: each place of a sequence looks at others, and takes a weighted mean of what it finds."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import as_array

from ..functional import attention
from ..init import Seed
from ..module import InTorch, Module, as_is, turned
from .dense import Dense

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(Module):
    r"""Several attentions side by side, each on its own part of what linear maps make of the sequences.

    :math:`\mathrm{concat}(h_1, \dots, h_k) W_o + b_o` with :math:`h_i` the `attention` of part i of
    :math:`Q W_q + b_q`, :math:`K W_k + b_k` and :math:`V W_v + b_v`.

    Parameters
    ----------
    features : int
        How many numbers each place has, coming in and going out.
    heads : int
        How many attentions; they share the features evenly.
    bias : bool
    seed : int or Generator, optional
    dtype : float32 or float64

    Attributes
    ----------
    query, key, value, out : Dense

    Raises
    ------
    ValueError
        If a number is not positive, or the heads cannot share the features; when called: if a shape does not fit.

    References
    ----------
    Vaswani et al.: Attention is all you need (2017), section 3.2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import MultiHeadAttention
    >>> layer = MultiHeadAttention(8, heads=2, seed=0)
    >>> layer(np.ones((3, 5, 8)), mask=np.tri(5, dtype=bool)).shape
    (3, 5, 8)
    """

    def __init__(self, features: int, heads: int, bias: bool = True, *, seed: Seed = None, dtype: Any = np.float64):
        if not isinstance(heads, int | np.integer) or heads < 1 or features % heads:
            raise ValueError(f"MultiHeadAttention({features!r}, heads={heads!r}): the heads share the features evenly.")
        rng = np.random.default_rng(seed)
        self.features, self.heads = int(features), int(heads)
        self.query, self.key, self.value, self.out = (
            Dense(features, features, bias=bias, seed=rng, dtype=dtype) for _ in range(4)
        )

    def in_torch(self) -> list[InTorch]:
        """PyTorch has the three that look in one array."""
        parts = ("query", "key", "value")
        weights, biases = (tuple(f"{part}.{name}" for part in parts) for name in ("weight", "bias"))
        return [
            (
                weights,
                ("in_proj_weight",),
                lambda *w: (np.concatenate(w, axis=1).T,),
                lambda w: np.split(w.T, 3, axis=1),
            ),
            (biases, ("in_proj_bias",), lambda *b: (np.concatenate(b),), lambda b: np.split(b, 3)),
            (("out.weight",), ("out_proj.weight",), turned, turned),
            (("out.bias",), ("out_proj.bias",), as_is, as_is),
        ]

    def forward(self, query: Any, key: Any = None, value: Any = None, mask: Any = None) -> Any:
        """Apply the layer; with one sequence, that looks at itself.

        Parameters
        ----------
        query : Value or array, shape (batch, places, features)
        key : Value or array, shape (batch, others, features), optional
            Default: `query`.
        value : Value or array, shape (batch, others, features), optional
            Default: `key`.
        mask : array of bool, broadcasting to (batch, places, others), optional
            True where a place may look.

        Returns
        -------
        Value, shape (batch, places, features)
        """
        key = query if key is None else key
        value = key if value is None else value
        for x in (query, key, value):
            shape = np.shape(x)
            if len(shape) != 3 or shape[-1] != self.features:
                raise ValueError(
                    f"{self.describe()} got x of shape {shape} and wants (batch, places, {self.features})."
                )

        def parted(x: Any) -> Any:
            shape = (*np.shape(x)[:2], self.heads, self.features // self.heads)
            return np.swapaxes(np.reshape(x, shape), 1, 2)

        if mask is not None:
            mask = as_array(mask)
            mask = mask[:, None] if mask.ndim == 3 else mask
        seen = attention(parted(self.query(query)), parted(self.key(key)), parted(self.value(value)), mask)
        return self.out(np.reshape(np.swapaxes(seen, 1, 2), np.shape(query)))

    def describe(self) -> str:
        return f"MultiHeadAttention({self.features}, heads={self.heads})"
