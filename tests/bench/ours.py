"""This project: Values, and its nets as its users write them."""

from data import RATE, Work, batch, learning_rate, weights
from numbers_mlp import MLP, POINTS, max_margin, scalar_chain

import nn
from autograd import Value, softmax_cross_entropy

VERSION = "chainrule, this checkout"


def chain(n):
    return scalar_chain(n, Value, Value.zero_grad)


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
    """On Values alone, as the peers' rows are on their arrays alone."""
    X, target = batch(sizes, n)
    X = Value(X, requires_grad=False)  # made once, as the peers' tensors
    parameters = [Value(array) for array in weights(sizes)]

    def step():
        h = X
        for i in range(0, len(parameters), 2):
            h = h @ parameters[i] + parameters[i + 1]
            if i + 2 < len(parameters):
                h = h.relu()
        loss = ((h - target) ** 2).mean() if sizes[-1] == 1 else softmax_cross_entropy(h, target, "mean")
        for p in parameters:
            p.zero_grad()
        loss.backward(retain_graph=False)  # which is what PyTorch does unasked
        for p in parameters:
            p.data -= RATE * p.grad
        return loss.item()

    return Work(step, lambda: [p.data for p in parameters])


def mlp_nn(sizes, n):
    """As users of nn write it."""
    X, target = batch(sizes, n)
    X = Value(X, requires_grad=False)
    model = nn.MLP(list(sizes))
    for parameter, array in zip(model.parameters(), weights(sizes), strict=True):
        parameter.data = array
    optimizer = nn.SGD(model.parameters(), lr=RATE)
    loss_of = nn.mse if sizes[-1] == 1 else nn.cross_entropy

    def step():
        loss = loss_of(model(X), target)
        optimizer.zero_grad()
        loss.backward(retain_graph=False)  # which is what PyTorch does unasked
        optimizer.step()
        return loss.item()

    return Work(step, lambda: [p.data for p in model.parameters()])
