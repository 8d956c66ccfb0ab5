"""MyGrad."""

import mygrad as mg
from data import RATE, Work, batch, learning_rate, two_moons, weights
from mygrad.nnet.activations import relu
from mygrad.nnet.losses import softmax_crossentropy
from numbers_mlp import MLP, max_margin, scalar_chain

VERSION = f"mygrad {mg.__version__}"


def chain(n):
    return scalar_chain(n, mg.tensor, mg.Tensor.null_grad)


def moons(points=100):
    data, model, k = two_moons(points), MLP(mg.tensor, relu), iter(range(10**9))
    parameters = model.parameters()

    def step():
        loss = max_margin(model, parameters, mg.tensor, relu, data)
        for p in parameters:
            p.null_grad()
        loss.backward()
        rate = learning_rate(next(k))
        for p in parameters:
            p.data -= rate * p.grad
        return float(loss.data)

    return Work(step, lambda: [[float(p.data) for p in parameters]])


def mlp(sizes, n):
    X, target = batch(sizes, n)
    parameters = [mg.tensor(array) for array in weights(sizes)]

    def step():
        h = X
        for i in range(0, len(parameters), 2):
            h = h @ parameters[i] + parameters[i + 1]
            if i + 2 < len(parameters):
                h = relu(h)
        loss = mg.mean((h - target) ** 2) if sizes[-1] == 1 else softmax_crossentropy(h, target)
        for p in parameters:
            p.null_grad()
        loss.backward()
        for p in parameters:
            p.data -= RATE * p.grad
        return float(loss.data)

    return Work(step, lambda: [p.data for p in parameters])
