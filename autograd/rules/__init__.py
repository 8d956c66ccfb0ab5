"""THE TABLE: every operation with its derivative rules, a file a family.

An entry is a function, one rule for each input, the rule in words, and where the tests draw inputs from:

    defop(np.tanh, lambda g, y, x: g * (1 - y * y), formula="1 - tanh(x)²", domain=(-3, 3))

`g` is the upstream gradient, `y` the result. Rules are ordinary NumPy; they know nothing of the engine,
which is why gradients of gradients come for free (see `autograd.op`). A function that can be written with
operations that exist needs no rule: it stands beside its family as `composed`.
"""

import sys

from ..op import finders
from . import (
    calculus,
    decomposition,
    elementwise,
    fourier,
    indexing,
    linalg,
    methods,
    polynomial,
    reduction,
    refused,
    sets,
    shape,
    statistics,
)

__all__ = [
    "calculus",
    "decomposition",
    "elementwise",
    "fourier",
    "indexing",
    "linalg",
    "methods",
    "polynomial",
    "reduction",
    "refused",
    "sets",
    "shape",
    "statistics",
]


def scipy_special(wanted):
    """Load the rules of SciPy's special functions when a function, or a name, is met that may be one of them."""
    if wanted.startswith("special.") if isinstance(wanted, str) else "scipy.special" in sys.modules:
        from . import special  # noqa: F401


finders.append(scipy_special)
