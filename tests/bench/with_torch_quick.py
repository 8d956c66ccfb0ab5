"""PyTorch with bare tensors as it runs quickest, which is not quite as one writes it at first.

The weights of dense layers lie in memory as torch.nn.Linear's do, images with the channels last, and a step downhill is
one call a parameter.
"""

import numpy as np
import torch
from data import RATE, Work, batch, weights
from data import lenet as lenet_data
from with_torch import TRACED as TRACED
from with_torch import dense, functional

VERSION = "torch at its quickest"


def as_it_is(function):
    return function


def trained(arrays, loss_of):
    parameters = [torch.from_numpy(np.array(array, order="F" if array.ndim == 2 else "C")) for array in arrays]
    for p in parameters:
        p.requires_grad_()

    def step():
        loss = loss_of(parameters)
        for p in parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p.sub_(p.grad, alpha=RATE)
        return loss.item()

    return Work(step, lambda: [p.detach().numpy() for p in parameters])


def mlp(sizes, n, wrap=as_it_is):
    X, target = (torch.from_numpy(array) for array in batch(sizes, n))
    of_output = functional.mse_loss if sizes[-1] == 1 else functional.cross_entropy
    return trained(weights(sizes), wrap(lambda parameters: of_output(dense(X, parameters), target)))


def lenet(wrap=as_it_is):
    arrays, images, target = lenet_data()
    X, target = torch.from_numpy(images).contiguous(memory_format=torch.channels_last), torch.from_numpy(target)

    def loss_of(parameters):
        h = X
        for kernel, bias in (parameters[:2], parameters[2:4]):
            h = functional.max_pool2d(torch.relu(functional.conv2d(h, kernel, bias)), 2)
        return functional.cross_entropy(dense(h.flatten(1), parameters[4:]), target)

    return trained(arrays, wrap(loss_of))
