"""Dropout: noise against learning by heart."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import as_array

from ..arrays import numbers, uniform
from ..init import Seed
from ..module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    r"""While it learns, each number is 0 with probability `p`, and the others are divided by 1 - p; else nothing.

    Parameters
    ----------
    p : float, in [0, 1)
    seed : int or Generator, optional
        What it draws from; every call draws anew.

    Raises
    ------
    ValueError
        If `p` is out of range.

    Notes
    -----
    `train()` and `eval()` of the model say whether it learns.

    References
    ----------
    Srivastava et al.: Dropout: a simple way to prevent neural networks from overfitting (JMLR 2014).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Dropout
    >>> layer = Dropout(0.5, seed=0)
    >>> layer(np.ones(8))
    array([2., 0., 0., 0., 2., 2., 2., 2.])
    >>> layer.eval()(np.ones(8))
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, *, seed: Seed = None):
        if not 0 <= p < 1:
            raise ValueError(f"Dropout(p={p!r}): a probability from 0 to below 1 is wanted.")
        self.p, self.random = p, np.random.default_rng(seed)

    def forward(self, x: Any) -> Any:
        """Apply the layer to x of any shape."""
        if not self.training or not self.p:
            return x
        x = as_array(x, float)
        drawn = uniform(self.random, numbers(x))
        return x * ((drawn >= self.p) / (1 - self.p)).astype(np.result_type(x.dtype, np.float16))

    def describe(self) -> str:
        return f"Dropout({self.p:g})"
