"""Strategies for Hypothesis: arguments at which derivatives go wrong.

    from hypothesis import given
    from autograd.testing import assert_vjp, strategies

    @given(strategies.arrays((0.1, 10.0)))
    def test_log(x):
        assert_vjp(np.log, lambda g, x: g / x, x)

Needs Hypothesis (``pip install hypothesis``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

try:
    from hypothesis import strategies as st
    from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes
except ImportError as error:
    raise ImportError("autograd.testing.strategies needs Hypothesis: pip install hypothesis") from error

__all__ = ["arrays", "broadcastable", "kinks", "ties"]

Shape = tuple[int, ...]
Domain = tuple[float, float]


def shapes(max_dims: int = 3, max_side: int = 4) -> st.SearchStrategy[Shape]:
    """Shapes, also of numbers, of axes of length 1, and of empty arrays."""
    return array_shapes(min_dims=0, max_dims=max_dims, min_side=0, max_side=max_side)


def _filled(domain: Domain, shape: Shape, dtype: Any) -> st.SearchStrategy[Any]:
    low, high = domain
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"domain={domain!r}: two finite numbers, the lower one first.")
    seeds = st.integers(0, 2**32 - 1)
    numbers = st.floats(low, high, width=64)

    def build(seed: int, first: float) -> Any:
        # Hypothesis chooses the first entry and the seed of the others: shrinking stays fast for large arrays.
        flat = np.random.default_rng(seed).uniform(low, high, math.prod(shape))
        flat[:1] = first
        return flat.reshape(shape).astype(dtype)[()]

    return st.builds(build, seeds, numbers)


def arrays(
    domain: Domain = (-2.0, 2.0), shape: Shape | st.SearchStrategy[Shape] | None = None, dtype: Any = np.float64
) -> st.SearchStrategy[Any]:
    """Arrays whose entries lie in a domain.

    Parameters
    ----------
    domain : (low, high)
        Both ends included.
    shape : tuple of int, or strategy, optional
        Default: up to three axes of length 0 to 4; with no axis, a NumPy number.
    dtype : dtype
        Of floating numbers.

    Returns
    -------
    strategy of array

    Raises
    ------
    ValueError
        If the domain is not two finite numbers, the lower one first.
    """
    if shape is None:
        shape = shapes()
    if isinstance(shape, tuple):
        return _filled(domain, shape, dtype)
    return shape.flatmap(lambda chosen: _filled(domain, chosen, dtype))


def broadcastable(
    count: int = 2, domain: Domain = (-2.0, 2.0), max_dims: int = 3, max_side: int = 4
) -> st.SearchStrategy[tuple[Any, ...]]:
    """Tuples of arrays that can be broadcast together, in different shapes.

    Parameters
    ----------
    count : int
        How many arrays.
    domain : (low, high)
    max_dims, max_side : int
        The most axes, and the longest.

    Returns
    -------
    strategy of tuple of array
    """
    together = mutually_broadcastable_shapes(num_shapes=count, max_dims=max_dims, max_side=max_side, min_side=1)
    return together.flatmap(
        lambda found: st.tuples(*[_filled(domain, shape, np.float64) for shape in found.input_shapes])
    )


def kinks(at: Sequence[float] = (0.0,), scale: float = 1.0) -> st.SearchStrategy[float]:
    """Numbers at kinks, just beside them, and far from them.

    Parameters
    ----------
    at : sequence of float
        Where the kinks are.
    scale : float
        How far away "far" is.

    Returns
    -------
    strategy of float
    """
    offsets = [0.0, 1e-9, -1e-9, 2e-7, -2e-7, 1e-3, -1e-3, 0.5, -0.5, 1.0, -1.0]
    beside = st.sampled_from([np.nextafter(k, end) for k in at for end in (-np.inf, np.inf)])
    near = st.builds(lambda k, offset: float(k + offset * scale), st.sampled_from(list(at)), st.sampled_from(offsets))
    return st.one_of(near, beside.map(float))


def ties(shape: Shape = (5,), values: Sequence[float] = (-1.0, 0.0, 2.0)) -> st.SearchStrategy[Any]:
    """Arrays in which entries are equal: for max, sort, median and their like.

    Parameters
    ----------
    shape : tuple of int
    values : sequence of float
        What entries are drawn from.

    Returns
    -------
    strategy of array
    """
    size = math.prod(shape)
    drawn = st.lists(st.sampled_from(list(values)), min_size=size, max_size=size)
    return drawn.map(lambda entries: np.array(entries, float).reshape(shape))
