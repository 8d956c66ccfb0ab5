"""Where weights start: random numbers of a scale that neither dies out nor grows from layer to layer.

    weight = init.he_normal((64, 32), seed=0)

All take a seed, or a NumPy Generator that they draw from, and give the same bits for the same seed. They draw
in float64, so that the float32 numbers are the float64 numbers, rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "Seed", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform", "orthogonal", "xavier_normal",
    "xavier_uniform", "zeros",
]  # fmt: skip

Seed = int | np.random.Generator | None
"""A seed; a Generator to draw from; or None for numbers that differ every time."""

Initialiser = Callable[..., np.ndarray]


def generator(seed: Seed) -> np.random.Generator:
    """What ``np.random.default_rng`` gives; a Generator as it is, also one that stands for another in a trace."""
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)


def he_normal(shape: tuple[int, ...], seed: Seed = None, dtype: Any = np.float64) -> np.ndarray:
    r"""Normal with variance :math:`2 / n_{in}`, which keeps the scale of activations through layers of ReLU.

    Parameters
    ----------
    shape : (inputs, outputs), or (filters, channels, ...) for the kernel of a convolution
    seed : int or Generator, optional
    dtype : float32 or float64

    Returns
    -------
    array of `shape` and `dtype`

    Raises
    ------
    ValueError
        If `shape` is not made of two or more positive numbers.

    References
    ----------
    He, Zhang, Ren, Sun: Delving Deep into Rectifiers (ICCV 2015), eq. 10.

    Examples
    --------
    >>> from nn import init
    >>> weight = init.he_normal((200, 500), seed=0)
    >>> round(float(weight.var()) * 200, 1)
    2.0
    """
    inputs, _ = _fans(shape)
    return _normal(shape, 2 / inputs, seed, dtype)


def he_uniform(shape: tuple[int, ...], seed: Seed = None, dtype: Any = np.float64) -> np.ndarray:
    r"""Uniform with the variance of `he_normal`: between :math:`\pm\sqrt{6 / n_{in}}`.

    Parameters, returns and errors are those of `he_normal`.

    References
    ----------
    He, Zhang, Ren, Sun: Delving Deep into Rectifiers (ICCV 2015), eq. 10.

    Examples
    --------
    >>> from nn import init
    >>> bool(abs(init.he_uniform((6, 4), seed=0)).max() <= 1)
    True
    """
    inputs, _ = _fans(shape)
    return _uniform(shape, 2 / inputs, seed, dtype)


def xavier_normal(shape: tuple[int, ...], seed: Seed = None, dtype: Any = np.float64) -> np.ndarray:
    r"""Normal with variance :math:`2 / (n_{in} + n_{out})`, for activations that are linear around 0, such as tanh.

    Parameters, returns and errors are those of `he_normal`.

    References
    ----------
    Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks (AISTATS 2010), eq. 12.

    Examples
    --------
    >>> from nn import init
    >>> weight = init.xavier_normal((300, 500), seed=0)
    >>> round(float(weight.var()) * 800, 1)
    2.0
    """
    return _normal(shape, 2 / sum(_fans(shape)), seed, dtype)


def xavier_uniform(shape: tuple[int, ...], seed: Seed = None, dtype: Any = np.float64) -> np.ndarray:
    r"""Uniform with the variance of `xavier_normal`: between :math:`\pm\sqrt{6 / (n_{in} + n_{out})}`.

    Parameters, returns and errors are those of `he_normal`.

    References
    ----------
    Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks (AISTATS 2010), eq. 16.

    Examples
    --------
    >>> from nn import init
    >>> bool(abs(init.xavier_uniform((2, 4), seed=0)).max() <= 1)
    True
    """
    return _uniform(shape, 2 / sum(_fans(shape)), seed, dtype)


def lecun_normal(shape: tuple[int, ...], seed: Seed = None, dtype: Any = np.float64) -> np.ndarray:
    r"""Normal with variance :math:`1 / n_{in}`, which `nn.selu` wants.

    Parameters, returns and errors are those of `he_normal`.

    References
    ----------
    LeCun, Bottou, Orr, Müller: Efficient BackProp (1998), section 4.6.

    Examples
    --------
    >>> from nn import init
    >>> weight = init.lecun_normal((200, 500), seed=0)
    >>> round(float(weight.var()) * 200, 1)
    1.0
    """
    return _normal(shape, 1 / _fans(shape)[0], seed, dtype)


def lecun_uniform(shape: tuple[int, ...], seed: Seed = None, dtype: Any = np.float64) -> np.ndarray:
    r"""Uniform with the variance of `lecun_normal`: between :math:`\pm\sqrt{3 / n_{in}}`.

    Parameters, returns and errors are those of `he_normal`.

    Examples
    --------
    >>> from nn import init
    >>> bool(abs(init.lecun_uniform((3, 4), seed=0)).max() <= 1)
    True
    """
    return _uniform(shape, 1 / _fans(shape)[0], seed, dtype)


def orthogonal(shape: tuple[int, ...], seed: Seed = None, dtype: Any = np.float64) -> np.ndarray:
    """A matrix that turns and keeps lengths, drawn evenly among all: its rows or its columns are orthonormal.

    Parameters, returns and errors are those of `he_normal`; a kernel counts as the matrix of what each filter sees.

    References
    ----------
    Saxe, McClelland, Ganguli: Exact solutions to the nonlinear dynamics of learning in deep linear networks (2014).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import init
    >>> weight = init.orthogonal((5, 3), seed=0)
    >>> np.allclose(weight.T @ weight, np.eye(3))
    True
    """
    _fans(shape)
    rows, columns = shape[0], int(np.prod(shape[1:]))
    draw = np.random.default_rng(seed).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draw)
    q = q * np.sign(np.diagonal(r))  # without which some turns would come up more often
    return np.asarray((q if rows >= columns else q.T).reshape(shape), dtype)


def zeros(shape: tuple[int, ...], seed: Seed = None, dtype: Any = np.float64) -> np.ndarray:
    """Zeros: for what should start without a say. Units that all start so stay equal, and learn as one.

    Examples
    --------
    >>> from nn import init
    >>> init.zeros((1, 2))
    array([[0., 0.]])
    """
    return np.zeros(shape, dtype)


def _normal(shape: tuple[int, ...], variance: float, seed: Seed, dtype: Any) -> np.ndarray:
    return np.asarray(np.sqrt(variance) * np.random.default_rng(seed).standard_normal(shape), dtype)


def _uniform(shape: tuple[int, ...], variance: float, seed: Seed, dtype: Any) -> np.ndarray:
    bound = np.sqrt(3 * variance)
    return np.asarray(np.random.default_rng(seed).uniform(-bound, bound, shape), dtype)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs each output sees, and how many outputs each input reaches."""
    if len(shape) < 2 or min(shape) < 1:
        raise ValueError(
            f"A weight has the shape (inputs, outputs), or (filters, channels, ...) for a kernel, all at least 1, and "
            f"got {shape}."
        )
    if len(shape) == 2:
        return shape[0], shape[1]
    field = int(np.prod(shape[2:]))
    return shape[1] * field, shape[0] * field
