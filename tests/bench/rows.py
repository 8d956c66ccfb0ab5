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
    ours: str = "ours"
    """Which engine of ours the others are compared with."""


SLOW = ("numpy", "micrograd", "mygrad", "jax", "hips")
BY_HAND = {"numpy.out": 1.0, "jax": 1.1}

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
COMPILED = [row._replace(ours="compiled") for row in (
    Row("moons-compiled", "moons demo, an iteration", "moons", (), {"micrograd": 0.01}, 0, ("mygrad", "hips")),
    Row("tiny-compiled", "MLP 2-16-16-1, batch 1", "mlp", (TINY, 1), {**BY_HAND, "torch": 0.35}),
    Row("small-compiled", "MLP 64-32-10, batch 32", "mlp", (SMALL, 32), {**BY_HAND, "torch": 0.35}),
    Row("large-compiled", "MLP 784-256-128-10, batch 128", "mlp", (LARGE, 128), {**BY_HAND, "torch": 0.9}),
    Row("lstm-compiled", "LSTM, 28 steps, 64 units, batch 32", "lstm", (), {"torch.nn": 0.7}),
    Row("lenet-compiled", "LeNet, 28x28, batch 64, float32", "lenet", (), {"torch.nn": 0.8}, tolerance=1e-3),
    Row("adam-compiled", "digits MLP 64-64-32-10 with Adam, 32", "adam", ()),
    Row("chain-compiled", "scalar chain, a node", "chain", (400,), {}, 400),
)]  # fmt: skip
ROWS += COMPILED
OTHERS = {
    "growth": "time a node, chain of 1e6 to one of 1e4",
    "import": "import",
    "node": "bytes a node",
    "first": "First calls, in a fresh process: trace and compile; and all of them until nothing is traced any more",
    "peak": "Memory of a step beyond parameters and data (by tracemalloc, which does not see C++'s)",
}
GROWTH, IMPORT, NODE_BYTES = 2.0, 1.3, 300
FIRST_CALLS = {"steps": 20, "jax": 0.25}
"""What tracing and compiling may take: so many eager steps, and beside jax.jit's."""
PEAK = 1.0
"""The most memory of a compiled step, all that the program keeps between calls included, to that of an eager one, where
that is above a megabyte: below, a program is larger than the arrays that it computes."""
