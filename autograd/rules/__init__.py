"""THE TABLE: every operation with its derivative rules, a file a family.

An entry is a function, one rule for each input, the rule in words, and where the tests draw inputs from:

    defop(np.tanh, lambda g, y, x: g * (1 - y * y), formula="1 - tanh(x)²", domain=(-3, 3))

`g` is the upstream gradient, `y` the result. Rules are ordinary NumPy; they know nothing of the engine,
which is why gradients of gradients come for free (see `autograd.op`). A function that can be written with
operations that exist needs no rule: it stands beside its family as `composed`.

What nearly every program uses is loaded with the package; the other families when a function is met that is in none of
these, as importing them all takes as long as importing NumPy.
"""

import sys
import threading
from importlib import import_module

from ..op import finders
from . import elementwise, indexing, linalg, reduction, shape

__all__ = ["elementwise", "everything", "indexing", "linalg", "reduction", "shape"]

LATER = (
    "calculus", "convolution", "decomposition", "fourier", "methods", "polynomial", "recurrent", "refused", "sets",
    "statistics",
)  # fmt: skip
_loading = threading.RLock()  # a second thread waits until all is there
_waiting = list(LATER)


def everything(wanted=None):
    """Load all families of NumPy's functions, and of nets."""
    with _loading:
        while _waiting:
            import_module(f".{_waiting.pop()}", __name__)


def scipy_special(wanted):
    """Load the rules of SciPy's special functions when a function, or a name, is met that may be one of them."""
    if wanted.startswith("special.") if isinstance(wanted, str) else "scipy.special" in sys.modules:
        from . import special  # noqa: F401


finders += [everything, scipy_special]
