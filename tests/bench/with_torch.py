"""PyTorch on the CPU, eager, with bare tensors."""

import os

import torch
from data import RATE, Work, batch, learning_rate, two_moons, weights
from numbers_mlp import MLP, max_margin, scalar_chain
from torch.nn import functional

VERSION = f"torch {torch.__version__}"
TRACED = False  # its nodes and arrays are C++'s; tracemalloc does not see them

if os.environ.get("OMP_NUM_THREADS") == "1":
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
torch.set_default_dtype(torch.float64)


def leaf(number):
    return torch.tensor(number, requires_grad=True)


def chain(n):
    return scalar_chain(n, leaf, lambda p: setattr(p, "grad", None), lambda y: y.item(), lambda p: p.grad.item())


def moons(points=100):
    data, model, k = two_moons(points), MLP(leaf, torch.relu), iter(range(10**9))
    parameters = model.parameters()

    def step():
        loss = max_margin(model, parameters, leaf, torch.relu, data)
        for p in parameters:
            p.grad = None
        loss.backward()
        rate = learning_rate(next(k))
        with torch.no_grad():
            for p in parameters:
                p -= rate * p.grad
        return loss.item()

    return Work(step, lambda: [[p.item() for p in parameters]])


def dense(h, parameters):
    for i in range(0, len(parameters), 2):
        h = torch.addmm(parameters[i + 1], h, parameters[i])
        if i + 2 < len(parameters):
            h = torch.relu(h)
    return h


def mlp(sizes, n):
    X, target = (torch.from_numpy(array) for array in batch(sizes, n))
    parameters = [torch.from_numpy(array).requires_grad_() for array in weights(sizes)]
    loss_of = functional.mse_loss if sizes[-1] == 1 else functional.cross_entropy

    def step():
        loss = loss_of(dense(X, parameters), target)
        for p in parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= RATE * p.grad
        return loss.item()

    return Work(step, lambda: [p.detach().numpy() for p in parameters])
