"""The rows of the table, and the bars: the ratio of our time to a peer's that we hold ourselves to."""

from typing import NamedTuple

from .data import LARGE, SMALL, TINY


class Row(NamedTuple):
    """A row of times: `kind` and `args` are the function of each engine's module and what it is called with."""

    name: str
    title: str
    kind: str
    args: tuple
    bars: dict[str, float] = {}
    nodes: int = 0
    """For times a node: how many there are."""
    skip: tuple[str, ...] = ()
    """Peers that would take too long."""
    threads: bool = False
    """Whether the number of threads can matter."""
    tolerance: float = 1e-8
    """How near the numbers must come to ours; float32 leaves more room."""


SLOW = ("numpy", "micrograd", "mygrad", "jax", "hips")

ROWS = [
    Row("scalar", "scalar chain, a node", "chain", (400,), {"micrograd": 0.65, "torch": 0.3}, 400),
    Row("moons", "moons demo, an iteration", "moons", (), {"micrograd": 0.25}),
    Row("tiny", "MLP 2-16-16-1, batch 1", "mlp", (TINY, 1), {}, 0, (), True),
    Row("small", "MLP 64-32-10, batch 32", "mlp", (SMALL, 32), {"torch": 0.5}, 0, (), True),
    Row("large", "MLP 784-256-128-10, batch 128", "mlp", (LARGE, 128), {"torch": 1.0}, 0, (), True),
    Row("tiny-nn", "the same 2-16-16-1 with nn", "mlp_nn", (TINY, 1), {}, 0, (), True),
    Row("small-nn", "the same 64-32-10 with nn", "mlp_nn", (SMALL, 32), {"torch.nn": 0.5}, 0, (), True),
    Row("large-nn", "the same 784-256-128-10 with nn", "mlp_nn", (LARGE, 128), {"torch.nn": 1.0}, 0, (), True),
    Row("adam", "digits MLP 64-64-32-10 with Adam, 32", "adam", (), {"torch.nn": 0.6}),
    Row("lstm", "LSTM, 28 steps, 64 units, batch 32", "lstm", (), {"torch.nn": 0.8}),
    Row("lstm32", "the same in float32", "lstm", ("float32",), {"torch.nn": 2.5}, tolerance=1e-3),
    Row("cells32", "the same, a loop of LSTMCell", "lstm", ("float32", "cells"), {"torch.nn": 0.8}, tolerance=1e-3),
    Row("lenet", "LeNet, 28x28, batch 64, float32", "lenet", (), {"torch.nn": 1.0}, 0, (), True, 1e-3),
    Row("chain3", "chain of 1e3, a node", "chain", (1000,), {}, 1000),
    Row("chain4", "chain of 1e4, a node", "chain", (10_000,), {}, 10_000),
    Row("chain5", "chain of 1e5, a node", "chain", (100_000,), {}, 100_000, SLOW),
    Row("chain6", "chain of 1e6, a node", "chain", (1_000_000,), {}, 1_000_000, SLOW),
]
OTHERS = {
    "growth": "time a node, chain of 1e6 to one of 1e4",
    "import": "import",
    "node": "bytes a node",
    "peak": "Peak memory of a step, MLP 784-256-128-10, batch 128",
}
GROWTH, IMPORT, NODE_BYTES = 2.0, 1.3, 300
