"""PyTorch with torch.nn and torch.optim, as most of its users write it: slower on small nets than its bare tensors."""

import torch
from data import DIGITS, RATE, SEQUENCE, Work, batch, sequences, weights
from data import lenet as lenet_data
from with_torch import TRACED as TRACED
from with_torch import functional

VERSION = "torch.nn"


def dense(arrays):
    layers = []
    for W, b in zip(arrays[::2], arrays[1::2], strict=True):
        layer = torch.nn.Linear(*W.shape, dtype=torch.from_numpy(W).dtype)
        layer.weight.data, layer.bias.data = torch.from_numpy(W.T.copy()), torch.from_numpy(b)
        layers += [layer, torch.nn.ReLU()]
    return layers[:-1]


def trained(model, optimizer, loss_of, state=None):
    def step():
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    def numbers():
        arrays = [p.detach().numpy() for p in model.parameters()]
        return [array.T if array.ndim == 2 else array for array in arrays]

    return Work(step, state or numbers)


def mlp_nn(sizes, n):
    X, target = (torch.from_numpy(array) for array in batch(sizes, n))
    model = torch.nn.Sequential(*dense(weights(sizes)))
    loss_of = functional.mse_loss if sizes[-1] == 1 else functional.cross_entropy
    return trained(model, torch.optim.SGD(model.parameters(), lr=RATE), lambda: loss_of(model(X), target))


mlp = mlp_nn  # beside the rows of bare arrays too


def adam():
    X, target = (torch.from_numpy(array) for array in batch(DIGITS, 32))
    model = torch.nn.Sequential(*dense(weights(DIGITS)))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    return trained(model, optimizer, lambda: functional.cross_entropy(model(X), target))


def lenet():
    arrays, images, target = lenet_data()
    X, target = torch.from_numpy(images), torch.from_numpy(target)
    layers = []
    for kernel, bias in (arrays[:2], arrays[2:4]):
        layer = torch.nn.Conv2d(kernel.shape[1], kernel.shape[0], 5)
        layer.weight.data, layer.bias.data = torch.from_numpy(kernel), torch.from_numpy(bias)
        layers += [layer, torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    model = torch.nn.Sequential(*layers, torch.nn.Flatten(), *dense(arrays[4:]))
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    return trained(model, optimizer, lambda: functional.cross_entropy(model(X), target))


def lstm(dtype="float64", form="layer"):
    (weight, recurrent, bias), X = sequences(dtype)
    X, kind = torch.from_numpy(X), getattr(torch, dtype)
    model = torch.nn.LSTM(*SEQUENCE[2:], batch_first=True, dtype=kind)
    if form == "cells":
        model = torch.nn.LSTMCell(*SEQUENCE[2:], dtype=kind)
    with torch.no_grad():
        own = list(model.parameters())
        for parameter, array in zip(own, (weight.T, recurrent.T, bias), strict=False):
            parameter.copy_(torch.from_numpy(array.copy()))
        own[3].zero_()
    own[3].requires_grad_(False)  # PyTorch has two biases, which only their sum matters of

    def outputs():
        if form != "cells":
            return model(X)[0]
        state, seen = None, []
        for t in range(X.shape[1]):
            state = model(X[:, t], state)
            seen.append(state[0])
        return torch.stack(seen, 1)

    optimizer = torch.optim.SGD(own[:3], lr=RATE)
    numbers = lambda: [array.detach().numpy().T for array in own[:3]]  # noqa: E731
    return trained(model, optimizer, lambda: (outputs() ** 2).mean(), numbers)
