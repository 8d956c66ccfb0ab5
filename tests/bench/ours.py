"""This project: its numbers for the scalar rows, and for the others its nets as its users write them."""

from data import RATE, A, B, Work, batch, learning_rate, weights
from numbers_mlp import MLP, POINTS, max_margin

import nn
from autograd import Value

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
    model = nn.MLP(list(sizes))
    for parameter, array in zip(model.parameters(), weights(sizes), strict=True):
        parameter.data = array
    optimizer = nn.SGD(model.parameters(), lr=RATE)
    loss_of = nn.mse if sizes[-1] == 1 else nn.cross_entropy

    def step():
        loss = loss_of(model(X), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return Work(step, lambda: [p.data for p in model.parameters()])
