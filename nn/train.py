"""Training: a classifier, an optimiser and examples go in; epoch by epoch, what was reached comes out.

    for epoch in fit(model, train, test, SGD(model.parameters(), lr=0.05), epochs=10, seed=0):
        print(epoch.loss, epoch.accuracy)

It is a generator, so the caller shows progress, stops early or catches Ctrl-C as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd import Value, no_grad

from .data import batches
from .init import Seed
from .losses import cross_entropy
from .metrics import accuracy
from .module import Module
from .optim import Optimizer

__all__ = ["Epoch", "fit", "predict"]


class Epoch(NamedTuple):
    """What one pass through the examples came to."""

    number: int
    """From 1 on."""
    loss: float
    """The mean loss of the training examples, each as it was when its turn came."""
    accuracy: float
    """The fraction of held-out examples that are right after the epoch."""


def fit(
    model: Module,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    optimizer: Optimizer,
    *,
    epochs: int,
    loss: Callable[[Any, Any], Any] = cross_entropy,
    batch: int = 32,
    noise: float = 0.0,
    seed: Seed = None,
) -> Iterator[Epoch]:
    r"""Train a classifier, an epoch for each item taken from the iterator.

    Parameters
    ----------
    model : Module
        From inputs to logits, shape (batch, classes).
    train, test : (inputs, labels)
        Arrays of shape (n, ...) and (n,): to learn from, and to be judged by.
    optimizer : Optimizer
        Of the model's parameters. Its learning rate falls to 0 in a straight line, :math:`\eta (1 - e / epochs)` in
        epoch :math:`e` from 0 on, and is what it was at the end.
    epochs : int, at least 1
    loss : callable
        ``loss(logits, labels)``: the mean over a batch.
    batch : int, at least 1
        How many examples make a step.
    noise : float, at least 0
        The standard deviation of the Gaussian noise that is added to the inputs, anew each time.
    seed : int or Generator, optional
        For the order of the examples, and the noise.

    Returns
    -------
    iterator of Epoch

    Raises
    ------
    ValueError
        If `epochs` or `batch` is not a positive integer, or `noise` is negative.

    References
    ----------
    Bishop: Training with Noise is Equivalent to Tikhonov Regularization (Neural Computation 7, 1995).

    Examples
    --------
    >>> from nn import MLP, SGD, data
    >>> from nn.train import fit
    >>> images, labels = data.digits()
    >>> train, test = data.split(images.reshape(-1, 64), labels, seed=0)
    >>> model = MLP([64, 32, 10], seed=0)
    >>> first, second = fit(model, train, test, SGD(model.parameters(), lr=0.1), epochs=2, seed=0)
    >>> second.loss < first.loss and second.accuracy > 0.5
    True
    """
    if not isinstance(epochs, int | np.integer) or epochs < 1:
        raise ValueError(f"fit(epochs={epochs!r}): a positive whole number is wanted.")
    if not isinstance(batch, int | np.integer) or batch < 1:
        raise ValueError(f"fit(batch={batch!r}): a positive whole number is wanted.")
    if not noise >= 0:
        raise ValueError(f"fit(noise={noise!r}): a standard deviation is not negative.")

    def run() -> Iterator[Epoch]:
        rng = np.random.default_rng(seed)
        rate = optimizer.lr
        try:
            for number in range(1, epochs + 1):
                optimizer.lr = rate * (1 - (number - 1) / epochs)
                model.train()
                total = 0.0
                for x, labels in batches(*train, size=batch, seed=rng):
                    if noise:
                        x = x + rng.normal(0.0, noise, x.shape).astype(x.dtype)
                    optimizer.zero_grad()
                    error = loss(model(Value(x, requires_grad=False)), labels)
                    error.backward(retain_graph=False)
                    optimizer.step()
                    total += error.item() * len(labels)
                yield Epoch(number, total / len(train[1]), accuracy(predict(model, test[0]), test[1]))
        finally:
            optimizer.lr = rate

    return run()


def predict(model: Module, x: Any) -> np.ndarray:
    """The likeliest class of each example, with the model in the mode of `Module.eval` meanwhile.

    Parameters
    ----------
    model : Module
        From inputs to logits, shape (n, classes).
    x : array, shape (n, ...)

    Returns
    -------
    array of int, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Dense
    >>> from nn.train import predict
    >>> predict(Dense(2, 3, init=lambda *_: np.eye(2, 3)), np.array([[1.0, 0.0], [0.0, 1.0]]))
    array([0, 1])
    """
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    try:
        with no_grad():
            return np.asarray(np.argmax(model(x).data, axis=-1))
    finally:
        for module, mode in modes:
            module.training = mode
