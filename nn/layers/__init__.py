"""The layers, a file each."""

from .dense import Dense as Dense
from .mlp import MLP as MLP
from .perceptron import Perceptron as Perceptron
from .sequential import Sequential as Sequential
