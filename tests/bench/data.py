"""What is computed: the same numbers for every engine. Needs NumPy only, as it also runs beside HIPS autograd."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

A, B = 0.9995, 0.0005  # a chain: y = y * A + B, over and over
TINY, SMALL, LARGE = (2, 16, 16, 1), (64, 32, 10), (784, 256, 128, 10)
RATE = 1e-3  # small, so that a thousand timed steps stay in the same regime
ALPHA = 1e-4  # of the L2 penalty of the moons


class Work(NamedTuple):
    """What an engine makes of a row.

    `step` does one iteration and returns a float, the loss; `state` gives the numbers that must agree between
    engines. For a chain, `build` records the graph and `back` runs the reverse pass from what `build` returned.
    """

    step: Callable[[], float]
    state: Callable[[], list[Any]]
    build: Callable[[], Any] | None = None
    back: Callable[[Any], None] | None = None


def weights(sizes: tuple[int, ...]) -> list[np.ndarray]:
    """W, b, W, b, ... in the order of the layers."""
    random = np.random.default_rng(1)
    arrays: list[np.ndarray] = []
    for n, m in pairwise(sizes):
        arrays += [random.normal(0, (2 / n) ** 0.5, (n, m)), random.normal(0, 0.1, m)]
    return arrays


def batch(sizes: tuple[int, ...], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and integer classes; targets of shape (n, 1) where there is a single output."""
    random = np.random.default_rng(2)
    X = random.normal(size=(n, sizes[0]))
    return X, random.normal(size=(n, 1)) if sizes[-1] == 1 else random.integers(sizes[-1], size=n)


def two_moons(n: int = 100) -> tuple[list[list[float]], list[int]]:
    """Two half circles that reach into each other, with noise; classes -1 and 1."""
    random = np.random.default_rng(3)
    t = np.linspace(0, np.pi, n // 2)
    upper, lower = np.stack([np.cos(t), np.sin(t)], 1), np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)
    points = np.concatenate([upper, lower]) + random.normal(0, 0.1, (n, 2))
    return points.tolist(), [-1] * (n // 2) + [1] * (n // 2)


def neurons(sizes: tuple[int, ...]) -> list[list[tuple[list[float], float]]]:
    """The same weights neuron by neuron: layers of (weights, bias)."""
    arrays = weights(sizes)
    return [list(zip(W.T.tolist(), b.tolist(), strict=True)) for W, b in zip(arrays[::2], arrays[1::2], strict=True)]


DIGITS, LENET, SEQUENCE = (64, 64, 32, 10), ((6, 1, 5, 5), (16, 6, 5, 5), (256, 120, 84, 10)), (32, 28, 28, 64)


def lenet() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Weights and biases, a batch of images, and their classes; float32."""
    random = np.random.default_rng(4)
    *kernels, sizes = LENET
    arrays: list[np.ndarray] = []
    for kernel in kernels:
        arrays += [random.normal(0, (2 / np.prod(kernel[1:])) ** 0.5, kernel), random.normal(0, 0.1, kernel[0])]
    images, classes = random.normal(size=(64, 1, 28, 28)), random.integers(10, size=64)
    return [array.astype(np.float32) for array in [*arrays, *weights(sizes)]], images.astype(np.float32), classes


def sequences(dtype: str) -> tuple[list[np.ndarray], np.ndarray]:
    """The input's weights, the state's, and the bias of a long short-term memory; a batch of sequences."""
    batch, time, inputs, units = SEQUENCE
    random = np.random.default_rng(5)
    arrays = [random.normal(0, 0.1, shape) for shape in ((inputs, 4 * units), (units, 4 * units), (4 * units,))]
    return [array.astype(dtype) for array in arrays], random.normal(size=(batch, time, inputs)).astype(dtype)


def given(kind: str, *args: Any) -> list[np.ndarray]:
    """The arrays that a row begins with: parameters and data."""
    if kind == "moons":
        return [*weights(TINY), *(np.array(part) for part in two_moons(*args))]
    if kind == "mlp":
        return [*weights(*args[:1]), *batch(*args)]
    parameters, *data = lenet() if kind == "lenet" else sequences(*args or ("float64",))
    return [*parameters, *data]


def learning_rate(k: int) -> float:
    """That of iteration `k` in micrograd's demo, which ends after 100."""
    return 1.0 - 0.9 * min(k, 100) / 100
