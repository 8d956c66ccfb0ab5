"""PyTorch with torch.nn and torch.optim, as most of its users write it: slower on small nets than its bare tensors."""

import torch
from data import RATE, Work, batch, weights
from with_torch import TRACED as TRACED
from with_torch import functional

VERSION = "torch.nn"


def mlp_nn(sizes, n):
    X, target = (torch.from_numpy(array) for array in batch(sizes, n))
    layers, arrays = [], weights(sizes)
    for W, b in zip(arrays[::2], arrays[1::2], strict=True):
        layer = torch.nn.Linear(*W.shape)
        layer.weight.data, layer.bias.data = torch.from_numpy(W.T.copy()), torch.from_numpy(b)
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    loss_of = functional.mse_loss if sizes[-1] == 1 else functional.cross_entropy

    def step():
        loss = loss_of(model(X), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return Work(step, lambda: [p.detach().numpy().T for p in model.parameters()])
