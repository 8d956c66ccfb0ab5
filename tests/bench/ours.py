"""This project."""

import numpy as np
from data import RATE, A, B, Work, batch, learning_rate, weights
from numbers_mlp import MLP, POINTS, max_margin

from autograd import Value, log_softmax, relu

VERSION = "chainrule, this checkout"


def chain(n):
    x, a, b = Value(0.5), Value(A), Value(B)

    def build():
        for leaf in (x, a, b):
            leaf.zero_grad()
        y = x
        for _ in range(n // 2):
            y = y * a
            y = y + b
        return y

    def step():
        y = build()
        y.backward()
        return float(y.data)

    return Work(step, lambda: [x.grad, a.grad, b.grad], build, lambda y: y.backward())


def moons():
    model, k = MLP(Value, Value.relu), iter(range(10**9))
    parameters = model.parameters()

    def step():
        loss = max_margin(model, parameters, Value, Value.relu, POINTS)
        for p in parameters:
            p.zero_grad()
        loss.backward()
        rate = learning_rate(next(k))
        for p in parameters:
            p.data -= rate * p.grad
        return float(loss.data)

    return Work(step, lambda: [[p.data for p in parameters]])


def mlp(sizes, n):
    X, target = batch(sizes, n)
    X.flags.writeable = False
    rows = np.arange(n)
    parameters = [Value(array) for array in weights(sizes)]

    def step():
        h = X
        for i in range(0, len(parameters), 2):
            h = h @ parameters[i] + parameters[i + 1]
            if i + 2 < len(parameters):
                h = relu(h)
        loss = ((h - target) ** 2).mean() if sizes[-1] == 1 else -log_softmax(h)[rows, target].mean()
        for p in parameters:
            p.zero_grad()
        loss.backward()
        for p in parameters:
            new = p.data - RATE * p.grad
            if isinstance(new, np.ndarray):
                new.flags.writeable = False  # then it is taken as it is, not copied
            p.data = new
        return float(loss.data)

    return Work(step, lambda: [p.data for p in parameters])
