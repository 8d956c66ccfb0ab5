"""Arrays of any library: what a Value holds, and what is lazy computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Value, as_array

__all__: list[str] = []


def numbers(x: Any) -> Any:
    """The array that a Value holds, or that something else is or becomes."""
    return as_array(x.data if isinstance(x, Value) else x)


def is_lazy(x: Any) -> bool:
    """Whether it is an array of Dask."""
    return hasattr(type(x), "__dask_graph__")


def is_array(x: Any) -> bool:
    """Whether it is an array of any library, and no Value."""
    return hasattr(x, "__array_function__") and not isinstance(x, Value)


def computed(*arrays: Any) -> tuple[Any, ...]:
    """The same arrays, those of Dask computed: all of them in one pass, which does what they share once."""
    if not any(map(is_lazy, arrays)):
        return arrays
    import dask

    return tuple(dask.compute(*arrays))


def kept(*arrays: Any) -> tuple[Any, ...]:
    """The same arrays, those of Dask computed, but left where they are, in chunks."""
    if not any(map(is_lazy, arrays)):
        return arrays
    import dask

    return tuple(dask.persist(*arrays))


def uniform(random: np.random.Generator, x: Any) -> Any:
    """Random numbers from 0 to 1, of the shape and in the library of an array."""
    if is_lazy(x):
        import dask.array

        return dask.array.random.default_rng(int(random.integers(2**63))).random(x.shape, chunks=x.chunks)
    return np.asarray(random.random(x.shape), like=x)
