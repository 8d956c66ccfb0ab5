"""PyTorch with the loss, and so its gradients, compiled by torch.compile, which needs a C++ compiler."""

import shutil

import torch
import with_torch_quick
from with_torch import TRACED as TRACED

VERSION = "torch.compile"

if shutil.which("c++") is None:
    raise ImportError("no C++ compiler")


def mlp(sizes, n):
    return with_torch_quick.mlp(sizes, n, torch.compile)


def lenet():
    return with_torch_quick.lenet(torch.compile)
