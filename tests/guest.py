"""Guest: an array of a library that is not NumPy, as strict as CuPy, around one of NumPy's.

It speaks NumPy's two protocols and has an array's methods. It refuses what CuPy refuses: to become a NumPy array, to be
mixed with one, and functions and keywords that CuPy 13 lacks. A result without axes is a Guest, too. What computes with
it has kept to the protocols, and would on a GPU.
"""

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


def words(text):
    return text.split()


LACKS = {
    np: words("""apply_over_axes astype bitwise_count block cumulative_prod cumulative_sum einsum_path geomspace insert
        matrix_transpose matvec nanpercentile nanquantile polyder polydiv polyint put_along_axis spacing trapezoid
        unique_all unique_counts unique_inverse unique_values unstack vecdot vecmat"""),
    np.linalg: words("""cond cross diagonal eig eigvals matmul matrix_norm matrix_transpose multi_dot outer svdvals
        tensordot trace vecdot vector_norm"""),
}
LACKING = {getattr(space, name) for space, names in LACKS.items() for name in names if hasattr(space, name)}
WITHOUT = {  # keywords
    **{name: {"where"} for name in words("all any mean nanmean average")},
    **{name: {"where", "initial"} for name in words("sum prod max min amax amin nansum nanprod nanmax nanmin")},
    **{name: {"where", "mean", "correction"} for name in words("var std nanvar nanstd")},
    **{name: {"order", "stable"} for name in words("sort argsort partition argpartition")},
    **{name: {"subok"} for name in words("copy full_like ones_like zeros_like empty_like")},
    **{name: {"weights"} for name in words("percentile quantile")},
    "cholesky": {"upper"},
    "pinv": {"hermitian", "rtol"},
    "svd": {"hermitian"},
    "count_nonzero": {"keepdims"},
}
MAKERS = {np.asarray, np.array, np.arange, np.eye, np.tri, np.ones, np.zeros, np.full}  # with `like`
AT, REDUCED = {np.add, np.maximum, np.minimum}, {np.add, np.multiply}  # ufuncs whose `at`, `reduce` there is


def inside(x, from_numpy=False):
    """NumPy's array of a Guest, and of Guests in lists, tuples and dicts."""
    if type(x) is Guest:
        return x.array
    if isinstance(x, np.ndarray) and not from_numpy:
        raise TypeError(f"Unsupported type {type(x)}: a Guest does not mix with an array of NumPy's.")
    if type(x) in (list, tuple):
        return type(x)(inside(item, from_numpy) for item in x)
    if type(x) is dict:
        return {name: inside(item, from_numpy) for name, item in x.items()}
    return x


def outside(y):
    """What NumPy gave, with Guests for its arrays and numbers."""
    if isinstance(y, np.ndarray | np.generic):
        return Guest(y)
    if isinstance(y, tuple) and hasattr(y, "_fields"):
        return type(y)(*map(outside, y))
    return type(y)(map(outside, y)) if type(y) in (list, tuple) else y


class Guest(NDArrayOperatorsMixin):
    def __init__(self, array):
        if type(array) is Guest:
            array = array.array
        self.array = array if type(array) is np.ndarray else np.array(array)

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion of a Guest to a NumPy array is not allowed: write guest.get().")

    def get(self):
        """A copy of NumPy's: the way back."""
        return self.array.copy()

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **keywords):
        if not all(isinstance(x, Guest | np.ndarray | np.generic | int | float | complex) for x in inputs):
            return NotImplemented
        if (method == "at" and ufunc not in AT) or (method == "reduce" and ufunc not in REDUCED):
            raise NotImplementedError(f"{ufunc.__name__}.{method} is not supported yet")
        if ufunc in LACKING or ufunc.__name__.startswith("_"):
            return NotImplemented
        if method == "reduce":
            assert not {"where", "initial"} & set(keywords)
        inputs = inside(inputs)
        if out is not None:
            keywords["out"] = inside(out)
        y = getattr(ufunc, method)(*inputs, **keywords)
        return outside(y) if out is None else out[0]

    def __array_function__(self, function, types, args, keywords):
        if not all(issubclass(kind, Guest | np.ndarray) for kind in types):
            return NotImplemented
        if function in LACKING or not (hasattr(function, "_implementation") or function in MAKERS):
            return NotImplemented
        unknown = WITHOUT.get(function.__name__, set()) & set(keywords)
        if unknown:
            raise TypeError(f"{function.__name__}() got an unexpected keyword argument {sorted(unknown)[0]!r}")
        if function is np.where and not hasattr(args[0], "astype"):
            raise AttributeError(f"{type(args[0])} has no attribute 'astype'")
        from_numpy = function in MAKERS
        return outside(function(*inside(args, from_numpy), **inside(keywords, from_numpy)))

    # The attributes and methods that are no functions.
    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    dtype = property(lambda self: self.array.dtype)
    T = property(lambda self: Guest(self.array.T))
    real = property(lambda self: Guest(self.array.real))
    imag = property(lambda self: Guest(self.array.imag))

    def __getattr__(self, name):
        if name not in METHODS:
            raise AttributeError(f"'Guest' object has no attribute {name!r}")
        method = getattr(self.array, name)
        return lambda *args, **keywords: outside(method(*inside(args), **inside(keywords)))

    def item(self):
        return self.array.item()

    def __getitem__(self, index):
        return Guest(self.array[self._index(index)])

    def __setitem__(self, index, new):
        self.array[self._index(index)] = inside(new)

    @staticmethod
    def _index(index):  # here CuPy takes NumPy's integers, too
        return inside(index, from_numpy=True)

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        return bool(self.array)

    def __float__(self):
        return float(self.array)

    def __int__(self):
        return int(self.array)

    def __complex__(self):
        return complex(self.array)

    def __repr__(self):
        return f"Guest({self.array!r})"

    __hash__ = None


METHODS = words("""all any argmax argmin argsort astype clip conj conjugate copy cumprod cumsum diagonal dot flatten max
    mean min nonzero prod ravel repeat reshape round sort squeeze std sum swapaxes take trace transpose var view""")


def as_guest(x):
    """Guests for all of NumPy's arrays and numbers with axes, in lists, tuples and dicts, too."""
    if type(x) in (list, tuple):
        return type(x)(map(as_guest, x))
    if type(x) is dict:
        return {name: as_guest(item) for name, item in x.items()}
    return Guest(x) if isinstance(x, np.ndarray) else x
