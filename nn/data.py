"""Data: the handwritten digits that come with the package, splitting, and batches.

images, labels = data.digits()
train, test = data.split(images, labels, held_out=0.25, seed=0)
for x, y in data.batches(*train, size=32, seed=0):
    ...
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np

from .init import Seed

__all__ = ["batches", "digits", "split"]


def digits(dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits as images of 8 x 8 pixels, and which digits they are.

    Parameters
    ----------
    dtype : float32 or float64
        Of the images.

    Returns
    -------
    images : array of `dtype`, shape (1797, 8, 8), read-only
        From 0, paper, to 1, ink: how many of 16 black and white pixels were black, divided by 16.
        ``images.reshape(-1, 64)`` has an image a row.
    labels : array of int, shape (1797,), read-only
        The digits, 0 to 9, some 180 of each.

    Raises
    ------
    TypeError
        If `dtype` is not of floating numbers.

    References
    ----------
    E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (1998), UCI Machine Learning Repository,
    https://doi.org/10.24432/C50P49. Licensed under CC BY 4.0, https://creativecommons.org/licenses/by/4.0/.
    This is the test set, written by 13 people; unchanged, but for storage as a compressed array.

    Examples
    --------
    >>> from nn import data
    >>> images, labels = data.digits()
    >>> images.shape, images.min(), images.max()
    ((1797, 8, 8), np.float64(0.0), np.float64(1.0))
    >>> labels[:10]
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"digits(dtype={np.dtype(dtype)}): images are floating numbers, float32 or float64.")
    with files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
        images, labels = stored["images"].astype(dtype) / 16, stored["labels"].astype(np.int64)
    return _frozen(images), _frozen(labels)


def split(*arrays: Any, held_out: float = 0.25, seed: Seed = None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Deal the examples out at random into those to learn from and those to be judged by.

    Parameters
    ----------
    *arrays : array, shape (n, ...)
        Images and labels, say: of the same length, and shuffled alike.
    held_out : float, between 0 and 1
        The fraction to keep for judging; at least one example falls on each side.
    seed : int or Generator, optional

    Returns
    -------
    train, test : tuple of array
        Each with a part of every array, in their order, read-only.

    Raises
    ------
    ValueError
        If there are no arrays, their lengths differ, there are fewer than two examples, or `held_out` is not
        strictly between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import data
    >>> (x, y), (x_test, y_test) = data.split(np.eye(8), np.arange(8), held_out=0.25, seed=0)
    >>> x.shape, x_test.shape
    ((6, 8), (2, 8))
    """
    n = _length("split", arrays)
    if n < 2:
        raise ValueError(f"split: {n} examples cannot be split; it takes two.")
    if not 0 < held_out < 1:
        raise ValueError(f"split(held_out={held_out!r}): it is a fraction between 0 and 1.")
    order = np.random.default_rng(seed).permutation(n)
    kept = min(max(round(n * held_out), 1), n - 1)
    return (
        tuple(_frozen(np.asarray(array)[order[kept:]]) for array in arrays),
        tuple(_frozen(np.asarray(array)[order[:kept]]) for array in arrays),
    )


def batches(*arrays: Any, size: int = 32, shuffle: bool = True, seed: Seed = None) -> Iterator[tuple[np.ndarray, ...]]:
    """All examples once, a few at a time: one epoch.

    Parameters
    ----------
    *arrays : array, shape (n, ...)
        Of the same length.
    size : int, at least 1
        How many examples a batch has; the last one has what is left.
    shuffle : bool
        Whether to go through the examples in random order.
    seed : int or Generator, optional
        For the order. A Generator gives another one each epoch.

    Returns
    -------
    iterator of tuple of array
        Read-only arrays, which a Value takes without a copy.

    Raises
    ------
    ValueError
        If there are no arrays, their lengths differ, or `size` is not a positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import data
    >>> [x.tolist() for (x,) in data.batches(np.arange(5), size=2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    """
    n = _length("batches", arrays)
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"batches(size={size!r}): a batch has a positive whole number of examples.")
    columns = [np.asarray(array) for array in arrays]
    order = np.random.default_rng(seed).permutation(n) if shuffle else np.arange(n)
    return (tuple([_frozen(column[order[start : start + size]]) for column in columns]) for start in range(0, n, size))


def _length(name: str, arrays: tuple[Any, ...]) -> int:
    for array in arrays:
        if not np.ndim(array):
            raise ValueError(
                f"{name} got {array!r} among the arrays; what is not an array goes by its name, as in size=32."
            )
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) != 1:
        raise ValueError(f"{name}: arrays of the same length are wanted, and got lengths {lengths}.")
    return lengths[0]


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
