"""THE TABLE: every operation with its derivative rules, a file a family.

An entry is a function, one rule for each input, the rule in words, and where the tests draw inputs from:

    defop(np.tanh, lambda g, y, x: g * (1 - y * y), formula="1 - tanh(x)²", domain=(-3, 3))

`g` is the upstream gradient, `y` the result. Rules are ordinary NumPy; they know nothing of the engine,
which is why gradients of gradients come for free (see `autograd.op`). A function that can be written with
operations that exist needs no rule: it stands beside its family as `composed`.
"""

from . import elementwise, indexing, linalg, reduction, shape

__all__ = ["elementwise", "indexing", "linalg", "reduction", "shape"]
