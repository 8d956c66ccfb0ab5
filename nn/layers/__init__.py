"""The layers, a file each."""

from .dense import Dense as Dense
from .mlp import MLP as MLP
from .sequential import Sequential as Sequential
