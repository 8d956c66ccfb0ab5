"""HIPS autograd. Runs in an environment of its own, where `import autograd` means that one."""

from importlib.metadata import version

import autograd.numpy as np
from data import RATE, A, B, Work, batch, learning_rate, neurons, two_moons, weights
from data import TINY as SIZES
from numbers_mlp import MLP, max_margin

from autograd import value_and_grad

VERSION = f"HIPS autograd {version('autograd')}"


def chain(n):
    def run(leaves):
        x, a, b = leaves
        y = x
        for _ in range(n // 2):
            y = y * a
            y = y + b
        return y

    both, state = value_and_grad(run), []

    def step():
        y, state[:] = both([0.5, A, B])
        return float(y)

    return Work(step, lambda: state)


def relu(x):
    return np.maximum(x, 0.0)


def moons(points=100):
    numbers = [p for layer in neurons(SIZES) for ws, b in layer for p in (*ws, b)]
    data, model, k = two_moons(points), MLP(float, relu), iter(range(10**9))

    def loss_of(numbers):
        given = iter(numbers)
        model.layers = [[([next(given) for _ in ws], next(given)) for ws, _ in layer] for layer in model.layers]
        return max_margin(model, model.parameters(), float, relu, data)

    both = value_and_grad(loss_of)

    def step():
        nonlocal numbers
        loss, gradient = both(numbers)
        rate = learning_rate(next(k))
        numbers = [p - rate * g for p, g in zip(numbers, gradient, strict=True)]
        return float(loss)

    return Work(step, lambda: [numbers])


def mlp(sizes, n):
    X, target = batch(sizes, n)
    rows = np.arange(n)
    parameters = weights(sizes)

    def loss_of(parameters):
        h = X
        for i in range(0, len(parameters), 2):
            h = np.dot(h, parameters[i]) + parameters[i + 1]
            if i + 2 < len(parameters):
                h = relu(h)
        if sizes[-1] == 1:
            return np.mean((h - target) ** 2)
        h = h - np.max(h, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(h), axis=1)) - h[rows, target])

    both = value_and_grad(loss_of)

    def step():
        loss, gradients = both(parameters)
        for p, g in zip(parameters, gradients, strict=True):
            p -= RATE * g
        return float(loss)

    return Work(step, lambda: parameters)
