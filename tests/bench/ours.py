"""This project: Values, and its nets as its users write them."""

import numpy as np
from data import DIGITS, RATE, SEQUENCE, A, B, Work, batch, learning_rate, sequences, two_moons, weights
from data import lenet as lenet_data
from numbers_mlp import MLP, max_margin, scalar_chain

import autograd
import nn
from autograd import Value, softmax_cross_entropy

VERSION = "chainrule, this checkout"


def chain(n, compiled=False):
    plain = scalar_chain(n, Value, Value.zero_grad)
    if not compiled:
        return plain
    leaves = Value(0.5), Value(A), Value(B)

    def run():
        for p in leaves:
            p.zero_grad()
        x, a, b = leaves
        y = x
        for _ in range(n // 2):
            y = y * a
            y = y + b
        y.backward()
        return y

    run = autograd.compile(run)
    return Work(lambda: float(run().data), lambda: [p.grad for p in leaves])


def moons(points=100, compiled=False):
    """The demo, on so many points; the program takes them, their classes and the learning rate as arrays."""
    X, y = two_moons(points)
    model, k = MLP(Value, Value.relu), iter(range(10**9))
    parameters = model.parameters()

    def train(X, y, rate):
        loss = max_margin(model, parameters, Value, Value.relu, (X, y))
        for p in parameters:
            p.zero_grad()
        loss.backward()
        for p in parameters:
            p.data -= rate * p.grad
        return loss

    if compiled:
        train, X, y = autograd.compile(train), np.array(X), np.array(y, float)
    return Work(lambda: float(train(X, y, learning_rate(next(k))).data), lambda: [[p.data for p in parameters]])


def mlp(sizes, n, compiled=False):
    """On Values alone, as the peers' rows are on their arrays alone."""
    X, target = batch(sizes, n)
    parameters = [Value(array) for array in weights(sizes)]

    def train(X, target):
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
        return loss

    return repeated(train, parameters, X, target, compiled)


def repeated(train, parameters, X, target, compiled):
    """`train(X, target)` over and over: compiled, or as it is, with X made a Value once as the peers' tensors are."""
    if compiled:
        train = autograd.compile(train)
    else:
        X = Value(X, requires_grad=False)
    return Work(lambda: train(X, target).item(), lambda: [p.data for p in parameters])


def trained(model, optimizer, loss_of, X, target, compiled=False):
    """As users of nn write it."""

    def train(X, target):
        loss = loss_of(model(X), target)
        optimizer.zero_grad()
        loss.backward(retain_graph=False)
        optimizer.step()
        return loss

    return repeated(train, model.parameters(), X, target, compiled)


def filled(model, arrays):
    for parameter, array in zip(model.parameters(), arrays, strict=True):
        parameter.data = array
    return model


def mlp_nn(sizes, n):
    model = filled(nn.MLP(list(sizes)), weights(sizes))
    loss_of = nn.mse if sizes[-1] == 1 else nn.cross_entropy
    return trained(model, nn.SGD(model.parameters(), lr=RATE), loss_of, *batch(sizes, n))


def adam(compiled=False):
    model = filled(nn.MLP(list(DIGITS)), weights(DIGITS))
    return trained(model, nn.Adam(model.parameters(), lr=RATE), nn.cross_entropy, *batch(DIGITS, 32), compiled)


def lenet(compiled=False):
    nn.keep_memory()
    arrays, images, target = lenet_data()
    dtype = np.float32
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, nn.relu, dtype=dtype), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, nn.relu, dtype=dtype), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dense(256, 120, nn.relu, dtype=dtype), nn.Dense(120, 84, nn.relu, dtype=dtype),
        nn.Dense(84, 10, dtype=dtype),
    )  # fmt: skip
    filled(model, arrays)
    return trained(model, nn.SGD(model.parameters(), lr=RATE), nn.cross_entropy, images, target, compiled)


def mean_square(outputs, _):
    return (outputs**2).mean()


def lstm(dtype="float64", form="layer", compiled=False):
    nn.keep_memory()
    arrays, X = sequences(dtype)
    model = filled(nn.LSTM(*SEQUENCE[2:], returns="outputs", dtype=dtype), arrays)
    return trained(model, nn.SGD(model.parameters(), lr=RATE), mean_square, X, None, compiled)
