"""Work with one number a node, for every engine whose numbers have operators: a chain, and micrograd's demo."""

from collections.abc import Callable, Sequence
from typing import Any

from data import ALPHA, TINY, A, B, Work, neurons


def scalar_chain(
    n: int,
    leaf: Callable[[float], Any],
    forget: Callable[[Any], Any],
    number: Callable[[Any], float] = lambda y: float(y.data),
    gradient: Callable[[Any], Any] = lambda p: p.grad,
) -> Work:
    """n operations one after the other, products and sums in turn, and the gradients of the three leaves."""
    x, a, b = leaves = leaf(0.5), leaf(A), leaf(B)

    def build() -> Any:
        for p in leaves:
            forget(p)
        y = x
        for _ in range(n // 2):
            y = y * a
            y = y + b
        return y

    def step() -> float:
        y = build()
        y.backward()
        return number(y)

    return Work(step, lambda: [gradient(p) for p in leaves], build, lambda y: y.backward())


class MLP:
    """Layers of neurons of single numbers, as in micrograd."""

    def __init__(self, leaf: Callable[[float], Any], relu: Callable[[Any], Any]):
        self.layers = [[([leaf(w) for w in ws], leaf(b)) for ws, b in layer] for layer in neurons(TINY)]
        self.relu = relu

    def parameters(self) -> list[Any]:
        return [p for layer in self.layers for ws, b in layer for p in (*ws, b)]

    def __call__(self, x: Sequence[Any]) -> Any:
        for layer in self.layers:
            x = [sum((w * xi for w, xi in zip(ws, x, strict=True)), b) for ws, b in layer]
            if layer is not self.layers[-1]:
                x = [self.relu(xi) for xi in x]
        return x[0]


def max_margin(model: Callable[[Any], Any], parameters: Sequence[Any], leaf: Any, relu: Any, points: Any) -> Any:
    """The loss of the demo: mean of relu(1 - y score), and the sum of squares of the parameters."""
    X, y = points
    scores = [model([leaf(xi) for xi in row]) for row in X]
    losses = [relu(1 + -yi * score) for yi, score in zip(y, scores, strict=True)]
    return sum(losses) * (1.0 / len(losses)) + ALPHA * sum(p * p for p in parameters)
