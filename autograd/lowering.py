"""Lowering: NumPy's own Python wrappers, as the few quick calls they end in.

``np.mean(x, axis=0)`` of a small array spends most of its time on its way to ``np.add.reduce(x, 0) / n``. What stands
here says for a function how it computes what it computes, bit for bit; what is rare is left as it is.

Shapes and orders of axes are written in two functions, ``np.reshape`` and ``np.transpose``; that these, ``np.take`` and
others are methods, too, and quicker as such, is for `rendering` to know.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from .program import Call, Program, Variable

Lowering = Callable[[Call, dict[str, Any]], list[Call] | None]

LOWERINGS: dict[Callable[..., Any], tuple[tuple[str, ...], Lowering]] = {}
"""For a function the names of its arguments, and what makes of a call of it those that the last of gives its result."""


def lowered(program: Program) -> Program:
    """With quick functions in the place of NumPy's slow ones, bit for bit the same.

    Of arrays only: for a number NumPy goes other ways.
    """
    calls = []
    for call in program.calls:
        new = None
        entry = LOWERINGS.get(call.function) if hashable(call.function) else None
        if entry is not None and call.args and not call.effect and call.out is None and call.result is not None:
            first = call.args[0]
            if first.kind == "array" if type(first) is Variable else isinstance(first, tuple | list):
                new = _replaced(call, *entry)
        if new is None:
            calls.append(call)
        else:
            calls.extend(new)
    return program.with_calls(calls)


def _replaced(call: Call, names: tuple[str, ...], lowering: Lowering) -> list[Call] | None:
    given = dict(zip(names, call.args, strict=False))
    given.update(call.kwargs)
    for name in [name for name, content in given.items() if content is np._NoValue]:
        del given[name]  # as if it were not there
    if given.get("out", ...) is None:
        del given["out"]
    if len(call.args) > len(names) or "out" in given or not given.keys() <= set(names):
        return None
    return lowering(call, given)


def hashable(function: Any) -> bool:
    """Whether it can be looked for in a table."""
    return type(function).__hash__ is not None


def lowers(arguments: str, *functions: Callable[..., Any]) -> Callable[[Lowering], Lowering]:
    """Register how these functions, with such arguments, are lowered."""

    def register(lowering: Lowering) -> Lowering:
        for function in functions:
            LOWERINGS[function] = tuple(arguments.split()), lowering
        return lowering

    return register


def _line(call: Call, function: Any, *args: Any, result: Variable | None = None, **kwargs: Any) -> Call:
    """A line in the place of the call, or on the way to it."""
    return Call(function, args, kwargs, result or call.result, call.part)


def _ints(axis: Any) -> bool:
    """Whether it is an axis, or several, that are known now."""
    return axis is None or isinstance(axis, int) or (isinstance(axis, tuple) and all(isinstance(n, int) for n in axis))


def contiguous(variable: Variable, order: str = "C") -> bool:
    """Whether an array lies in memory without gaps, in that order."""
    if variable.kind != "array" or variable.strides is None:
        return False
    axes = list(zip(variable.shape, variable.strides, strict=True))
    step: int = variable.dtype.itemsize
    for n, stride in reversed(axes) if order == "C" else axes:
        if n != 1 and stride != step:
            return False
        step *= n
    return True


def dense(variable: Variable) -> bool:
    """Whether it lies in memory without gaps, in whatever order of its axes."""
    if variable.kind != "array" or variable.strides is None or 0 in variable.shape:
        return False
    step = variable.dtype.itemsize
    axes = [(stride, n) for n, stride in zip(variable.shape, variable.strides, strict=True) if n != 1]
    for stride, n in sorted(axes):
        if stride != step:
            return False
        step *= n
    return True


# -------------------------------------------------------------------- reductions


def _of_one(call: Call, a: Variable, axis: Any) -> list[Call] | None:
    """A sum along axes of length 1, in half the time: of -0.0 it is 0.0, as NumPy adds it to 0."""
    result = call.result
    assert result is not None
    if (
        not _ints(axis)
        or a.dtype.kind not in "fc"
        or _count(a, axis) != 1
        or not contiguous(a)
        or not (result.kind == "number" or contiguous(result))
    ):
        return None
    itemsize, strides = a.dtype.itemsize, list[int]()
    for n in reversed(result.shape):
        strides.insert(0, itemsize)
        itemsize *= n
    same = Variable("array", result.shape, a.dtype, tuple(strides), (a, *a.owners))
    return [_line(call, np.reshape, a, result.shape, result=same), _line(call, np.add, same, 0.0)]


def _reducing(ufunc: np.ufunc, dtype: Any = None, default: Any = None) -> Lowering:
    def lowering(call: Call, given: dict[str, Any]) -> list[Call] | None:
        keywords = {name: given[name] for name in ("dtype", "keepdims", "initial", "where") if name in given}
        if keywords.get("keepdims") is False:
            del keywords["keepdims"]
        if keywords.get("dtype", ...) is None:
            del keywords["dtype"]
        if dtype is not None:
            keywords["dtype"] = dtype
        a, axis = given["a"], given.get("axis", default)
        if type(axis) is tuple and len(axis) == 1:
            (axis,) = axis
        single = _of_one(call, a, axis) if ufunc is np.add and not keywords.keys() - {"keepdims"} else None
        return single or [_line(call, ufunc.reduce, a, axis, **keywords)]

    return lowering


TOTALS: Any = {np.add: (np.sum, np.ndarray.sum), np.multiply: (np.prod, np.ndarray.prod)}
ENDS: Any = {np.maximum: (np.max, np.amax, np.ndarray.max), np.minimum: (np.min, np.amin, np.ndarray.min)}
TRUTHS: Any = {np.logical_and: (np.all, np.ndarray.all), np.logical_or: (np.any, np.ndarray.any)}
for _ufunc in TOTALS:
    lowers("a axis dtype out keepdims initial where", *TOTALS[_ufunc])(_reducing(_ufunc))
lowers("a axis dtype out keepdims initial where", np.add.reduce)(_reducing(np.add, default=0))
for _ufunc in ENDS:
    lowers("a axis out keepdims initial where", *ENDS[_ufunc])(_reducing(_ufunc))
for _ufunc in TRUTHS:
    lowers("a axis out keepdims where", *TRUTHS[_ufunc])(_reducing(_ufunc, bool))


def _count(a: Variable, axis: Any) -> int:
    """How many elements go into one."""
    if axis is None or not a.shape:  # whose only axis may be called 0
        return a.size
    return math.prod(a.shape[i] for i in normalize_axis_tuple(axis, len(a.shape)))


def _plain_average(given: dict[str, Any], kinds: str) -> bool:
    """Whether it is one of those with nothing special about it."""
    a = given["a"]
    return (
        given.get("dtype") is None
        and given.get("where", True) is True
        and _ints(given.get("axis"))
        and isinstance(given.get("keepdims", False), bool)
        and a.dtype.char in kinds
        and 0 < a.size < 2**24  # up to there NumPy's division by an integer, in float64, gives the same float32
    )


@lowers("a axis dtype out keepdims where", np.mean, np.ndarray.mean)
def mean(call: Call, given: dict[str, Any]) -> list[Call] | None:
    result = call.result
    assert result is not None
    if not _plain_average(given, "fdebhilqBHILQ?") or (given["a"].dtype.char == "e" and result.kind == "number"):
        return None
    a, axis = given["a"], given.get("axis")
    dtype = np.dtype(np.float32) if a.dtype.char == "e" else result.dtype
    strides = result.strides and tuple([s * dtype.itemsize // result.dtype.itemsize for s in result.strides])
    total, average = (Variable(result.kind, result.shape, dtype, strides) for _ in range(2))
    keywords: dict[str, Any] = {"keepdims": True} if given.get("keepdims") else {}
    if dtype != a.dtype:
        keywords["dtype"] = dtype
    lines = [_line(call, np.add.reduce, a, axis, result=total, **keywords)]
    if a.dtype.char != "e":
        return [*lines, _line(call, np.divide, total, float(_count(a, axis)))]
    lines.append(_line(call, np.divide, total, float(_count(a, axis)), result=average))
    return [*lines, _line(call, np.ndarray.astype, average, result.dtype)]


def _squares(call: Call, given: dict[str, Any], result: Variable) -> list[Call] | None:
    """The lines of a variance."""
    ddof = given.get("ddof", 0)
    if "mean" in given or "correction" in given or not isinstance(ddof, int) or not _plain_average(given, "fd"):
        return None
    a, axis = given["a"], given.get("axis")
    n = _count(a, axis)
    if n <= ddof or not dense(a):
        return None
    axes = range(len(a.shape)) if axis is None else normalize_axis_tuple(axis, len(a.shape))
    shape = tuple([1 if i in axes else length for i, length in enumerate(a.shape)])
    kept, middle = Variable("array", shape, a.dtype), Variable("array", shape, a.dtype)
    off, squared = (Variable("array", a.shape, a.dtype, a.strides) for _ in range(2))
    total = Variable(result.kind, result.shape, result.dtype, result.strides)
    keywords: dict[str, Any] = {"keepdims": True} if given.get("keepdims") else {}
    return [
        _line(call, np.add.reduce, a, axis, keepdims=True, result=kept),
        _line(call, np.divide, kept, float(n), result=middle),
        _line(call, np.subtract, a, middle, result=off),
        _line(call, np.multiply, off, off, result=squared),
        _line(call, np.add.reduce, squared, axis, result=total, **keywords),
        _line(call, np.divide, total, float(n - ddof), result=result),
    ]


@lowers("a axis dtype out ddof keepdims where mean correction", np.var, np.ndarray.var)
def variance(call: Call, given: dict[str, Any]) -> list[Call] | None:
    assert call.result is not None
    return _squares(call, given, call.result)


@lowers("a axis dtype out ddof keepdims where mean correction", np.std, np.ndarray.std)
def deviation(call: Call, given: dict[str, Any]) -> list[Call] | None:
    result = call.result
    assert result is not None
    squared = Variable(result.kind, result.shape, result.dtype, result.strides)
    lines = _squares(call, given, squared)
    return lines and [*lines, _line(call, np.sqrt, squared)]


@lowers("x ord axis keepdims", np.linalg.norm)
def norm(call: Call, given: dict[str, Any]) -> list[Call] | None:
    x, result = given["x"], call.result
    assert result is not None
    if given.keys() != {"x"} or x.dtype.char not in "fd":
        return None
    squared = Variable("number", (), x.dtype)
    lines = []
    if len(x.shape) != 1:
        flat = Variable("array", (x.size,), x.dtype, (x.dtype.itemsize,), (x, *x.owners))
        lines.append(_line(call, np.ndarray.ravel, x, "K", result=flat))
        x = flat
    return [*lines, _line(call, np.dot, x, x, result=squared), _line(call, np.sqrt, squared)]


@lowers("a axis dtype out", np.cumsum, np.ndarray.cumsum)
def cumulative_sum(call: Call, given: dict[str, Any]) -> list[Call] | None:
    return _accumulating(call, given, np.add)


@lowers("a axis dtype out", np.cumprod, np.ndarray.cumprod)
def cumulative_product(call: Call, given: dict[str, Any]) -> list[Call] | None:
    return _accumulating(call, given, np.multiply)


def _accumulating(call: Call, given: dict[str, Any], ufunc: np.ufunc) -> list[Call] | None:
    a, axis = given["a"], given.get("axis")
    if given.get("dtype") is not None or not a.shape or (axis is None and len(a.shape) != 1):
        return None
    return [_line(call, ufunc.accumulate, a, 0 if axis is None else axis)]


# -------------------------------------------------------------------- products


@lowers("a b", np.matmul, operator.matmul)
def product(call: Call, given: dict[str, Any]) -> list[Call] | None:
    """``np.dot``, where it is the same call of BLAS: for matrices and vectors of floats without gaps."""
    a, b = call.args if len(call.args) == 2 else (None, None)
    if (
        type(a) is not Variable
        or type(b) is not Variable
        or call.kwargs
        or not 1 <= len(a.shape) <= 2
        or not 1 <= len(b.shape) <= 2
        or a.dtype != b.dtype
        or a.dtype.char not in "fd"
        or min(a.size, b.size) < 2  # by a single number np.dot goes another way, on which 0 * nan may be 0
    ):
        return None
    if not all(contiguous(x) or contiguous(x, "F") for x in (a, b)):
        return None
    return [_line(call, np.dot, a, b)]


@lowers("a b", np.outer)
def outer(call: Call, given: dict[str, Any]) -> list[Call] | None:
    a, b = given.get("a"), given.get("b")
    if type(a) is not Variable or type(b) is not Variable or len(a.shape) != 1 or len(b.shape) != 1:
        return None
    column = Variable("array", (*a.shape, 1), a.dtype, a.strides and (*a.strides, 0), (a, *a.owners))
    return [_line(call, operator.getitem, a, (slice(None), None), result=column), _line(call, np.multiply, column, b)]


# -------------------------------------------------------------------- shape


@lowers("a shape order", np.reshape, np.ndarray.reshape)
def reshape(call: Call, given: dict[str, Any]) -> list[Call] | None:
    shape = call.result.shape if _ints(given.get("shape")) else given.get("shape")  # type: ignore[union-attr]
    if shape is None:
        return None
    order = {"order": given["order"]} if given.get("order", "C") != "C" else {}
    return [_line(call, np.reshape, given["a"], shape, **order)]


@lowers("a axis", np.expand_dims)
def expand_dims(call: Call, given: dict[str, Any]) -> list[Call] | None:
    assert call.result is not None
    return [_line(call, np.reshape, given["a"], call.result.shape)]


@lowers("a axes", np.transpose, np.ndarray.transpose)
def transpose(call: Call, given: dict[str, Any]) -> list[Call] | None:
    axes = given.get("axes")
    if isinstance(axes, np.ndarray):
        axes = axes.tolist()
    if axes is not None and not isinstance(axes, tuple | list):
        return None
    return [_transposed(call, given["a"], axes)]


def _transposed(call: Call, a: Variable, order: Any) -> Call:
    n = len(a.shape)
    if order is None or normalize_axis_tuple(order, n) == tuple(reversed(range(n))):
        return _line(call, np.transpose, a)
    return _line(call, np.transpose, a, tuple(order))


@lowers("a axis1 axis2", np.swapaxes, np.ndarray.swapaxes)
def swapaxes(call: Call, given: dict[str, Any]) -> list[Call] | None:
    a, axes = given["a"], [given.get("axis1"), given.get("axis2")]
    if not all(isinstance(axis, int) for axis in axes):
        return None
    order = list(range(len(a.shape)))
    first, second = (normalize_axis_index(axis, len(order)) for axis in axes)  # type: ignore[arg-type]
    order[first], order[second] = second, first
    return [_transposed(call, a, order)]


@lowers("a source destination", np.moveaxis)
def moveaxis(call: Call, given: dict[str, Any]) -> list[Call] | None:
    a, ends = given["a"], [given.get("source"), given.get("destination")]
    ends = [tuple(end) if isinstance(end, list | range) else end for end in ends]
    if None in ends or not all(map(_ints, ends)):
        return None
    n = len(a.shape)
    source, destination = (normalize_axis_tuple(end, n) for end in ends)  # type: ignore[arg-type]
    order = [i for i in range(n) if i not in source]
    for place, axis in sorted(zip(destination, source, strict=True)):
        order.insert(place, axis)
    return [_transposed(call, a, order)]


@lowers("a order", np.copy)
def copy(call: Call, given: dict[str, Any]) -> list[Call] | None:
    return [_line(call, np.ndarray.copy, given["a"], given.get("order", "K"))]


@lowers("arrays axis", np.stack)
def stack(call: Call, given: dict[str, Any]) -> list[Call] | None:
    arrays, axis = given["arrays"], given.get("axis", 0)
    if type(arrays) not in (tuple, list) or not isinstance(axis, int):
        return None
    lines, rows = [], []
    for a in arrays:
        if type(a) is not Variable or a.kind != "array":
            return None
        axis = normalize_axis_index(axis, len(a.shape) + 1)
        shape = (*a.shape[:axis], 1, *a.shape[axis:])
        strides = a.strides and (*a.strides[:axis], 0, *a.strides[axis:])
        rows.append(Variable("array", shape, a.dtype, strides, (a, *a.owners)))
        index = (*[slice(None)] * axis, None)
        lines.append(_line(call, operator.getitem, a, index, result=rows[-1]))
    return [*lines, _line(call, np.concatenate, tuple(rows), axis)]


@lowers("a a_min a_max out min max", np.clip)
def clip(call: Call, given: dict[str, Any]) -> list[Call] | None:
    low, high = (given.get(x) if given.get(y) is None else given[y] for x, y in (("a_min", "min"), ("a_max", "max")))
    if (low is None) == (high is None):
        return None
    return [_line(call, np.maximum, given["a"], low) if high is None else _line(call, np.minimum, given["a"], high)]
