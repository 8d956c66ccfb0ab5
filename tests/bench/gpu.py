"""Training steps on a GPU, ours on CuPy's arrays beside PyTorch's: ``python -m tests.bench.gpu``.

The median of the ratios of our time to PyTorch's, round by round, as the two take turns; float32 in full, eager, many
steps behind each other and then waited for. It needs CuPy, PyTorch and a GPU that both see, and says so where one is
missing.
"""

import statistics
import sys
import time
from itertools import pairwise

import numpy as np

ROUNDS, STEPS = 15, 20
MLPS = {"MLP 64-32-10, batch 32": ((64, 32, 10), 32), "MLP 784-256-128-10, batch 128": ((784, 256, 128, 10), 128),
        "MLP 4096-4096-4096-10, batch 1024": ((4096, 4096, 4096, 10), 1024)}  # fmt: skip


def data(shape, classes=10):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape).astype("float32"), rng.integers(0, classes, shape[0])


def ours(model, x, y):
    """A step of ours, on CuPy's arrays."""
    import cupy

    import nn

    model.to(cupy.asarray)
    x, y, optimizer = cupy.asarray(x), cupy.asarray(y), nn.SGD(model.parameters(), lr=0.01)

    def step():
        optimizer.zero_grad()
        nn.cross_entropy(model(x), y).backward(retain_graph=False)
        optimizer.step()

    return step, cupy.cuda.Device().synchronize


def theirs(model, x, y):
    """The same step in PyTorch."""
    import torch

    model, x, y = model.cuda(), torch.tensor(x).cuda(), torch.tensor(y).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step, torch.cuda.synchronize


def mlp(sizes, batch):
    import torch

    import nn

    x, y = data((batch, sizes[0]))
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    return ours(nn.MLP(sizes, seed=0, dtype="float32"), x, y), theirs(torch.nn.Sequential(*layers[:-1]), x, y)


def lenet(batch):
    import torch

    import nn

    x, y = data((batch, 1, 28, 28))
    f = "float32"
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, nn.relu, seed=0, dtype=f), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5, nn.relu, seed=1, dtype=f),
        nn.MaxPool2d(2), nn.Flatten(), nn.MLP([256, 120, 84, 10], seed=2, dtype=f),
    )  # fmt: skip
    t = torch.nn
    peer = t.Sequential(
        t.Conv2d(1, 6, 5), t.ReLU(), t.MaxPool2d(2), t.Conv2d(6, 16, 5), t.ReLU(), t.MaxPool2d(2), t.Flatten(),
        t.Linear(256, 120), t.ReLU(), t.Linear(120, 84), t.ReLU(), t.Linear(84, 10),
    )  # fmt: skip
    return ours(model, x, y), theirs(peer, x, y)


def seconds(step, wait):
    """Of one step, many of them behind each other."""
    wait()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    wait()
    return (time.perf_counter() - start) / STEPS


def missing():
    """Why it cannot run here, or None."""
    try:
        import cupy
        import torch
    except ImportError as error:
        return (
            f"{error.name} is not installed" if error.name else str(error)
        )  # without a name: a part of CUDA is missing
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"CuPy finds no GPU: {error}"
    if not count:
        return "CuPy finds no GPU"
    return None if torch.cuda.is_available() else "PyTorch finds no GPU"


def main():
    why = missing()
    if why:
        print(f"Nothing was measured: {why}.")
        return 1
    import cupy
    import torch

    # PyTorch's convolutions would round to TF32's 10 bits, and do less than ours.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    print(f"{name}; CuPy {cupy.__version__}, PyTorch {torch.__version__}; float32\n")
    print(f"{'training step':<36}{'ours':>12}{'PyTorch':>12}{'ratio':>8}")
    works = {work: (mlp, arguments) for work, arguments in MLPS.items()} | {
        "LeNet on 28x28, batch 256": (lenet, (256,))
    }
    for work, (make, arguments) in works.items():
        pair = make(*arguments)
        for run in pair:  # kernels are compiled, and memory is taken, in the first steps
            seconds(*run)
        rounds = [[seconds(*run) for run in pair] for _ in range(ROUNDS)]
        mine, peer = (statistics.median(column) for column in zip(*rounds, strict=True))
        ratio = statistics.median(a / b for a, b in rounds)
        print(f"{work:<36}{mine * 1e6:>9.0f} µs{peer * 1e6:>9.0f} µs{ratio:>8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
