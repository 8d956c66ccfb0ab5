"""This project, with the whole step a program."""

from functools import partial

import ours

VERSION = "the same, compiled"

adam, chain, lenet, lstm, mlp, moons = (
    partial(function, compiled=True)
    for function in (ours.adam, ours.chain, ours.lenet, ours.lstm, ours.mlp, ours.moons)
)
