"""micrograd: one number a node, and its own MLP."""

from importlib.metadata import version

from data import RATE, TINY, Work, batch, learning_rate, neurons, two_moons
from micrograd.engine import Value
from micrograd.nn import MLP
from numbers_mlp import max_margin, scalar_chain

VERSION = f"micrograd {version('micrograd')}"


def chain(n):
    return scalar_chain(n, Value, lambda p: setattr(p, "grad", 0))


def perceptron():
    model = MLP(TINY[0], list(TINY[1:]))
    for layer, given in zip(model.layers, neurons(TINY), strict=True):
        for neuron, (ws, b) in zip(layer.neurons, given, strict=True):
            neuron.w, neuron.b = [Value(w) for w in ws], Value(b)
    return model


def moons(points=100):
    data, model, k = two_moons(points), perceptron(), iter(range(10**9))

    def step():
        loss = max_margin(model, model.parameters(), Value, Value.relu, data)
        model.zero_grad()
        loss.backward()
        rate = learning_rate(next(k))
        for p in model.parameters():
            p.data -= rate * p.grad
        return float(loss.data)

    return Work(step, lambda: [[p.data for p in model.parameters()]])


def mlp(sizes, n):
    if sizes != TINY or n != 1:
        raise NotImplementedError
    X, target = batch(sizes, n)
    row, wanted = X[0].tolist(), float(target[0, 0])
    model = perceptron()

    def step():
        loss = (model(row) - wanted) ** 2
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= RATE * p.grad
        return float(loss.data)

    def state():
        arrays = []
        for layer in model.layers:
            arrays += [[[n.w[i].data for n in layer.neurons] for i in range(len(layer.neurons[0].w))]]
            arrays += [[n.b.data for n in layer.neurons]]
        return arrays

    return Work(step, state)
