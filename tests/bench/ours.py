"""This project: Values, and its nets as its users write them."""

import numpy as np
from data import DIGITS, RATE, SEQUENCE, Work, batch, learning_rate, sequences, weights
from data import lenet as lenet_data
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


def trained(model, optimizer, loss_of):
    def step():
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward(retain_graph=False)
        optimizer.step()
        return loss.item()

    return Work(step, lambda: [p.data for p in model.parameters()])


def filled(model, arrays):
    for parameter, array in zip(model.parameters(), arrays, strict=True):
        parameter.data = array
    return model


def adam():
    X, target = batch(DIGITS, 32)
    X = Value(X, requires_grad=False)
    model = filled(nn.MLP(list(DIGITS)), weights(DIGITS))
    return trained(model, nn.Adam(model.parameters(), lr=RATE), lambda: nn.cross_entropy(model(X), target))


def lenet():
    nn.keep_memory()
    arrays, images, target = lenet_data()
    X, dtype = Value(images, requires_grad=False), np.float32
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, nn.relu, dtype=dtype), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, nn.relu, dtype=dtype), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dense(256, 120, nn.relu, dtype=dtype), nn.Dense(120, 84, nn.relu, dtype=dtype),
        nn.Dense(84, 10, dtype=dtype),
    )  # fmt: skip
    filled(model, arrays)
    return trained(model, nn.SGD(model.parameters(), lr=RATE), lambda: nn.cross_entropy(model(X), target))


def lstm(dtype="float64", form="layer"):
    nn.keep_memory()
    arrays, X = sequences(dtype)
    X = Value(X, requires_grad=False)
    model = filled(nn.LSTM(*SEQUENCE[2:], returns="outputs", dtype=dtype), arrays)
    return trained(model, nn.SGD(model.parameters(), lr=RATE), lambda: (model(X) ** 2).mean())
