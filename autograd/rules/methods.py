"""Methods of ufuncs, such as np.add.reduce and np.hypot.outer, for every ufunc that has a derivative.

Each is composed when it is first met: of the function that is known to be the same, or of the ufunc itself. Those of
ufuncs without a derivative are plain. Also here: the keywords that all ufuncs take.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..errors import NoRuleError
from ..op import KEYWORDS, Plain, Refused, composed, finders, found, plain, refuses
from .indexing import along, numbers
from .reduction import folded, logsumexp
from .shape import astype
from .statistics import largest_number, smallest_number

SUMS = {np.add: np.sum, np.multiply: np.prod}
EXTREMES = {np.maximum: np.max, np.minimum: np.min, np.fmax: largest_number, np.fmin: smallest_number}
RUNNING = {np.add: np.cumsum, np.multiply: np.cumprod}


def cast(array, dtype):
    return array if dtype is None or np.result_type(array) == dtype else astype(array, dtype)


def like(array):
    """Ones to try NumPy's own function on, for its errors."""
    return np.ones(np.shape(array), np.result_type(array))


def reduce(ufunc, array, axis=0, dtype=None, **keywords):
    if ufunc in SUMS:
        return SUMS[ufunc](array, axis=axis, dtype=dtype, **keywords)
    if ufunc in EXTREMES:
        return EXTREMES[ufunc](cast(array, dtype), axis=axis, **keywords)
    return fold(ufunc, cast(array, dtype), axis, **keywords)


def fold(ufunc, array, axis, keepdims=False, initial=np._NoValue, where=True):
    """From the first entry along the axes to the last."""
    start = like(initial) if hasattr(initial, "requires_grad") else initial
    ufunc.reduce(like(array), axis, None, None, keepdims, start, where)
    if np.ndim(array) == 0:
        axis = None
    if initial is np._NoValue:
        initial = ufunc.identity
    rows, _ = folded(array, axis)
    chosen, _ = folded(np.broadcast_to(where, np.shape(array)), axis)
    n = np.shape(rows)[-1]
    if ufunc is np.logaddexp:  # of many, in one
        y = logsumexp(rows if where is True else np.where(chosen, rows, -np.inf), -1)
        y = y if initial is None or initial == ufunc.identity else ufunc(initial, y)
    else:
        y = initial if n else np.sum(rows, axis=-1) + initial
        for i in range(n):
            further = rows[..., i] if y is None else ufunc(y, rows[..., i])
            y = further if where is True else np.where(chosen[..., i], further, y)
    return np.expand_dims(y, tuple(range(np.ndim(array))) if axis is None else axis) if keepdims else y


def accumulate(ufunc, array, axis=0, dtype=None):
    ufunc.accumulate(like(array), axis, dtype)
    axis = 0 if axis is None else normalize_axis_tuple(axis, np.ndim(array))[0]
    if ufunc in RUNNING:
        return RUNNING[ufunc](array, axis, dtype)
    array = cast(array, dtype)
    if not np.shape(array)[axis]:
        return np.copy(array)
    results = [along(array, axis, 0)]
    for i in range(1, np.shape(array)[axis]):
        results.append(ufunc(results[-1], along(array, axis, i)))
    return np.stack(results, axis)


def reduceat(ufunc, array, indices, axis=0, dtype=None):
    ufunc.reduceat(like(array), indices, axis, dtype)
    starts = np.asarray(indices).tolist()
    axis = 0 if axis is None else normalize_axis_tuple(axis, np.ndim(array))[0]
    array, n = cast(array, dtype), np.shape(array)[axis]
    pieces = [
        reduce(ufunc, along(array, axis, slice(start, stop)), axis, initial=None)
        if start < stop
        else along(array, axis, start)
        for start, stop in zip(starts, [*starts, n][1:], strict=True)
    ]
    return np.stack(pieces, axis) if pieces else along(array, axis, slice(0, 0))


def outer(ufunc, A, B, **keywords):
    return ufunc(np.reshape(A, np.shape(A) + (1,) * np.ndim(B)), B, **keywords)


COMPOSED = {"reduce": reduce, "accumulate": accumulate, "reduceat": reduceat, "outer": outer}


def method(function):
    """Put what stands behind a method of a ufunc into the registry."""
    ufunc, name = getattr(function, "__self__", None), getattr(function, "__name__", None)
    if not isinstance(ufunc, np.ufunc):
        return
    if name == "__call__":
        composed(function)(partial(called, ufunc))
        return
    entry = found(ufunc)
    if name == "at":
        refuses(
            function,
            reason="it changes an array in place, and a gradient would be lost. v.at[index].add(x) is what np.add.at "
            "does, and v.at[index].set(x) puts what was computed elsewhere into a new Value.",
        )
    elif isinstance(entry, Refused):
        refuses(function, reason=entry.reason)
    elif entry is not None and name in COMPOSED:
        possible = ufunc.nin == 2 and ufunc.signature is None and (ufunc.nout == 1 or name == "outer")
        if isinstance(entry, Plain) or not possible:
            plain(function)  # where it is not possible, NumPy says so
        else:
            composed(function)(partial(COMPOSED[name], ufunc))


finders.append(method)

# ---------------------------------------------------------------- keywords of a call


def called(
    ufunc: np.ufunc,
    *args: Any,
    where: Any = True,
    dtype: Any = None,
    casting: Any = "same_kind",
    order: str = "K",
    subok: bool = True,
    **keywords: Any,
) -> Any:
    """What ``ufunc(*args, dtype=...)`` comes to; a Value knows no subclasses of arrays."""
    name = f"np.{ufunc.__name__}"
    if isinstance(found(ufunc), Plain):
        keywords |= {"where": numbers(where), "dtype": dtype, "casting": casting, "order": order}
        return ufunc(*map(numbers, args), **keywords)
    if where is not True:
        raise NoRuleError(
            f"{name}(..., where=mask) leaves undefined what the mask leaves out. Write "
            f"np.where(mask, {name}(...), other): where `other` is chosen, the gradient is 0."
        )
    if order != "K" or not KEYWORDS.isdisjoint(keywords):
        raise NoRuleError(
            f"{name}(...) of Values takes no `order` or `signature`. Of the keywords, dtype=... is known."
        )
    args = tuple([np.asarray(x) if isinstance(x, list | tuple) else x for x in args])
    given = [type(x) if type(x) in (int, float, complex) else np.result_type(x) for x in args]
    results = (dtype,) * ufunc.nout
    loop = ufunc.resolve_dtypes(
        (*given, *[None] * ufunc.nout), signature=(None,) * ufunc.nin + results, casting=casting
    )
    if dtype is None:
        return ufunc(*args, **keywords)
    args = tuple([cast(x if hasattr(x, "dtype") else np.asarray(x), to) for x, to in zip(args, loop, strict=False)])
    y = ufunc(*args, **keywords)
    return tuple(map(cast, y, loop[ufunc.nin :])) if ufunc.nout > 1 else cast(y, loop[ufunc.nin])
