"""Passes: from a program to one that computes the same bits with less work.

Each is a function of a program alone, and a single walk over its lines. None reorders an operation: what comes out is
the same bit for bit, and lies in memory in the same order, on which sums depend in their last digit.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .lowering import contiguous, hashable, lowered
from .program import Call, Program, Variable, cast

LARGE = 1_000_000


def simplified(program: Program, *, to_read: bool = False) -> Program:
    """All passes of this file, in the order in which each finds most to do; `to_read` keeps NumPy's own functions."""
    program = without_dead_code(program)
    program = with_views(with_constants_folded(program if to_read else lowered(program)))
    return without_dead_code(with_common_subexpressions_shared(program))


# -------------------------------------------------------------------- what a line reads, and what may change in it


class _Substitution(dict[Variable, Any]):
    """What stands in the place of variables from some line on; and which variables' memory outlives a run."""

    def __init__(self, program: Program):
        super().__init__()
        self.handed_out = with_owners(program.wanted)
        self._before: dict[Variable, Variable] = {}

    def __call__(self, variable: Variable) -> Any:
        return self.get(variable, variable)

    def put(self, variable: Variable, new: Any) -> None:
        """From now on `new` instead of the variable, whose name it gets if it has none."""
        self[variable] = new
        if type(new) is Variable and new.name is None:
            new.name = variable.name
        if variable in self._before:
            self[self._before[variable]] = new
        if variable in self.handed_out and isinstance(new, Variable):
            self.handed_out |= with_owners([new])

    def applied(self, call: Call) -> Call:
        """The call with it; its result too is another variable if it shares memory with one that was replaced."""
        if not self:
            return call
        replaced = self.keys()
        if not replaced.isdisjoint(call.operands):
            call = call.with_arguments(self)
        result = call.result
        if result is not None and result.owners and not replaced.isdisjoint(result.owners):
            owners: list[Variable] = []
            for owner in result.owners:
                new = self(owner)
                if isinstance(new, Variable):
                    owners += [new] if new is owner else [new, *new.owners]
            renewed = Variable(
                result.kind, result.shape, result.dtype, result.strides, tuple(dict.fromkeys(owners)), result.name
            )
            self.put(result, renewed)
            self._before[renewed] = result
            call = Call(call.function, call.args, call.kwargs, renewed, call.part, call.effect, call.out)
        return call


def with_owners(some: Iterable[Variable]) -> set[Variable]:
    """The variables, and those whose memory they share."""
    found: set[Variable] = set()
    waiting = list(some)
    while waiting:
        variable = waiting.pop()
        if variable not in found:
            found.add(variable)
            waiting.extend(variable.owners)
    return found


def _laid_out(variable: Variable) -> tuple[int, ...] | None:
    """The strides of the axes along which there is something to stride over."""
    if variable.strides is None:
        return None
    return tuple([s for s, n in zip(variable.strides, variable.shape, strict=True) if n != 1])


def _alike(a: Variable, b: Variable) -> bool:
    """Whether two are arrays of one shape, dtype and layout."""
    return (
        a.kind == b.kind == "array"
        and a.shape == b.shape
        and a.dtype == b.dtype
        and a.strides is not None
        and _laid_out(a) == _laid_out(b)
    )


# -------------------------------------------------------------------- dead code


def without_dead_code(program: Program) -> Program:
    """Without the lines, and the loads, whose result nobody wants, unless they have an effect."""
    wanted = set(program.wanted)
    calls = []
    for call in reversed(program.calls):
        if call.effect or call.out is not None or call.result in wanted:
            wanted.update(call.operands)
            calls.append(call)
    calls.reverse()
    loads = {variable: place for variable, place in program.loads.items() if variable in wanted}
    return Program(program.arguments, loads, calls, program.writes, program.results)


# -------------------------------------------------------------------- common subexpressions


def with_common_subexpressions_shared(program: Program) -> Program:
    """With one line in the place of several that call the same function with the same arguments.

    Variables and arrays are the same if they are one and the same; other constants if they have the same type and
    value. Two arrays that are both handed out stay two.
    """
    known: dict[Any, Variable] = {}
    instead = _Substitution(program)
    calls = []
    for call in program.calls:
        call = instead.applied(call)
        result = call.result
        if call.effect or result is None or call.out is not None:
            calls.append(call)
            continue
        try:
            key = call.function, tuple([_key(a) for a in call.args]), _key(call.kwargs) if call.kwargs else None
            first = known.setdefault(key, result)
        except TypeError:  # a constant that cannot be hashed
            first = result
        if first is result:
            calls.append(call)
        elif result.kind == "number" or not (result in instead.handed_out and first in instead.handed_out):
            instead.put(result, first)
        else:
            calls.append(call)
    return program.with_calls(calls, instead)


def _key(argument: Any) -> Any:
    """Equal for arguments that are the same."""
    kind = type(argument)
    if kind is Variable or argument is None:
        return argument
    if kind is float:
        return kind, argument.hex()  # 0.0 == -0.0, and nan != nan
    if kind is tuple or kind is list:
        return kind, *[_key(item) for item in argument]
    if kind is dict:
        return kind, *[(name, _key(item)) for name, item in sorted(argument.items())]
    if kind is slice:
        return kind, _key(argument.start), _key(argument.stop), _key(argument.step)
    if kind is int or kind is bool or kind is str:
        return kind, argument
    if isinstance(argument, np.generic):
        return kind, argument.dtype.str, argument.tobytes()
    if isinstance(argument, np.dtype | type):
        return kind, argument
    if isinstance(argument, tuple):
        return kind, *[_key(item) for item in argument]
    return kind, id(argument)


# -------------------------------------------------------------------- constants


def with_constants_folded(program: Program) -> Program:
    """With the results of those lines that have only constants for arguments, and of those that ask for a shape only.

    Left alone are arrays that are handed out (each run gives new ones); what is large, because a constant stays in
    memory as long as the program does, while ``np.zeros`` of the same is quickly made and soon given back; and what
    warns or fails, so that each run does.
    """
    instead = _Substitution(program)
    calls = []
    for call in program.calls:
        call = instead.applied(call)
        result = call.result
        if (
            call.effect
            or call.out is not None
            or result is None
            or (result.kind != "number" and result in instead.handed_out)
            or result.size > LARGE
        ):
            calls.append(call)
            continue
        if call.operands:
            about = _of_shape(call)
            if about is None:
                calls.append(call)
                continue
            call = about
        try:
            with np.errstate(all="raise"):
                content = call.function(*call.args, **call.kwargs)
        except Exception:  # whatever it is, it is to happen when the program runs
            calls.append(call)
            continue
        instead.put(result, content)
    return program.with_calls(calls, instead)


def _of_shape(call: Call) -> Call | None:
    """A call whose result does not depend on the content of its arguments, in constants."""
    result, first = call.result, call.args[0] if call.args else None
    if result is None or type(first) is not Variable or first.kind != "array" or call.kwargs:
        return None
    if call.function in (np.shape, np.ndim, np.size) and len(call.args) == 1:
        return Call(call.function, (np.broadcast_to(np.zeros((), first.dtype), first.shape),), result=result)
    if call.function in (np.zeros_like, np.ones_like) and len(call.args) == 1 and contiguous(result):
        filled = np.zeros if call.function is np.zeros_like else np.ones
        return Call(filled, (result.shape, result.dtype), result=result)
    return None


# -------------------------------------------------------------------- views instead of copies


def with_views(program: Program) -> Program:
    """Without copies that nobody needs, and without operations that change nothing.

    - ``np.copy(x)``, ``np.positive(x)``, ``x.astype`` of its own dtype, a reshape to its own shape, ``x * 1``,
      ``x * np.ones(...)``, ``x / 1``, ``x - 0``: x itself, if the copy lies in memory as x does. (``x + 0`` would make
      0.0 of -0.0.) What is handed out stays a copy, unless x is an array that a line has made and nobody else gets.
    - ``1.0 - mask == 0`` and ``mask != 0``: the mask, as of what a ``where`` has cut.
    - ``np.transpose`` of a transpose, and a reshape of a reshape: one, or none.
    - ``np.broadcast_to(x, shape)``, also of a constant: x, where an elementwise function reads it that broadcasts to
      that shape anyway.
    """
    instead = _Substitution(program)
    made: dict[Variable, Call] = {}
    calls = []
    for call in program.calls:
        call = instead.applied(call)
        result = call.result
        if (
            result is None
            or call.effect
            or call.out is not None
            or result.kind == "object"
            or not hashable(call.function)
        ):
            calls.append(call)
            continue
        if isinstance(call.function, np.ufunc) and result.shape:
            call = _without_broadcasts(call, made)
        call = _of_two(call, made)
        same = _unchanged(call) or _negated_twice(call, made)
        if same is not None and (
            result.kind == "number" or result not in instead.handed_out or _private(same, made, instead.handed_out)
        ):
            instead.put(result, same)
        else:
            made[result] = call
            calls.append(call)
    return program.with_calls(calls, instead)


def _private(variable: Variable, made: dict[Variable, Call], handed_out: set[Variable]) -> bool:
    """Whether it is a new array that nobody gets as yet."""
    maker = made.get(variable)
    new = maker is not None and isinstance(maker.function, np.ufunc) and not variable.owners
    return new and variable not in handed_out


def _unchanged(call: Call) -> Variable | None:
    """The argument that the result of the call is equal to, in content and layout."""
    function, args, kwargs, result = call.function, call.args, call.kwargs, call.result
    if not args or result is None:
        return None
    first = args[0]
    if function in UNITS:
        if kwargs or len(args) != 2:
            return None
        if UNITS[function] == 1 and function in (np.multiply, operator.mul) and _is_unit(first, 1):
            first = args[1]
        elif not _is_unit(args[1], UNITS[function]):
            return None
    elif function in TRANSPOSES:
        axes = _axes(call)
        if axes is None or axes != tuple(range(len(axes))):
            return None
    elif function is operator.getitem:
        if not (args[1] is ... or (type(args[1]) is tuple and not args[1])):
            return None
    elif function not in COPIES or kwargs.keys() - {"order", "copy"}:
        return None
    if type(first) is not Variable:
        return None
    if result.kind == "number":
        typed = first.dtype is not None and result.dtype is not None  # to NumPy, None is equal to float64
        return first if typed and first.kind == "number" and first.dtype == result.dtype else None
    return first if _alike(first, result) else None


def _negated_twice(call: Call, made: dict[Variable, Call]) -> Variable | None:
    """The mask of which a call makes itself again: ``1.0 - mask == 0``, and ``mask != 0``."""
    result, args = call.result, call.args
    if call.kwargs or len(args) != 2 or not _is_zero(args[1]) or type(args[0]) is not Variable or result is None:
        return None
    mask = args[0]
    if call.function in (np.equal, operator.eq):
        inner = made.get(mask)
        if inner is None or inner.function not in (np.subtract, operator.sub) or not _is_unit(inner.args[0], 1):
            return None
        mask = inner.args[1]
    elif call.function not in (np.not_equal, operator.ne):
        return None
    if type(mask) is not Variable or mask.dtype != np.bool or result.dtype != np.bool:
        return None
    return mask if _alike(mask, result) or mask.kind == result.kind == "number" else None


def _is_zero(argument: Any) -> bool:
    return type(argument) in (int, float) and argument == 0


COPIES = {
    np.copy, np.positive, operator.pos, np.asarray, np.ascontiguousarray, np.array, np.ravel, np.reshape,
    np.ndarray.copy, np.ndarray.flatten, np.ndarray.ravel, np.ndarray.astype, np.ndarray.reshape, cast,
}  # fmt: skip
"""What gives its first argument, whatever the others are, if shape and dtype stay."""
if hasattr(np, "astype"):  # NumPy 2.1
    COPIES.add(np.astype)
TRANSPOSES = {np.transpose, np.ndarray.transpose}
UNITS = {np.multiply: 1, operator.mul: 1, np.divide: 1, operator.truediv: 1, np.subtract: 0, operator.sub: 0}
"""What changes nothing for which second argument, in a product for which factor."""


def _is_unit(argument: Any, unit: int) -> bool:
    """Whether all its numbers leave others as they are: 1 in a product, and 0, not -0, in a difference."""
    if type(argument) is np.ndarray:
        return argument.size <= LARGE and unit == 1 and argument.dtype.kind in "iuf" and bool((argument == 1).all())
    return (
        type(argument) in (int, float, np.float64, np.float32)
        and argument == unit
        and math.copysign(1.0, argument) == 1.0
    )


def _axes(call: Call) -> tuple[int, ...] | None:
    """The axes of a transpose, written out."""
    first, rest = call.args[0], call.args[1:]
    if type(first) is not Variable or first.kind != "array":
        return None
    n = len(first.shape)
    axes = call.kwargs.get("axes") if call.kwargs else rest[0] if len(rest) == 1 else rest or None
    if axes is None:
        return tuple(reversed(range(n)))
    return normalize_axis_tuple(axes, n) if isinstance(axes, tuple | list) or n == 1 else None


def _of_two(call: Call, made: dict[Variable, Call]) -> Call:
    """A transpose of a transpose, or a reshape of a reshaped view, as one."""
    if call.function not in (np.reshape, np.transpose) or type(call.args[0]) is not Variable:
        return call
    inner = made.get(call.args[0])
    if inner is None or inner.function is not call.function or type(inner.args[0]) is not Variable:
        return call
    assert call.result is not None and inner.result is not None
    source = inner.args[0]
    if call.function is np.transpose:
        outer_axes, inner_axes = _axes(call), _axes(inner)
        if outer_axes is None or inner_axes is None:
            return call
        rest: Any = tuple([inner_axes[i] for i in outer_axes])
    elif source not in inner.result.owners or _ordered(call) or _ordered(inner):
        return call
    else:
        rest = call.result.shape
    return Call(call.function, (source, rest), None, call.result, call.part)


def _ordered(call: Call) -> bool:
    """Whether a reshape says anything beside the shape."""
    return bool(call.kwargs) or len(call.args) != 2


def _without_broadcasts(call: Call, made: dict[Variable, Call]) -> Call:
    """An elementwise call that reads the small array itself, where NumPy repeats it to the same shape."""
    assert call.result is not None
    if call.kwargs or call.function.signature is not None:  # type: ignore[attr-defined]
        return call
    args = call.args
    for place, argument in enumerate(args):
        source: Any
        if type(argument) is Variable:
            maker = made.get(argument)
            if maker is None or maker.function is not np.broadcast_to or len(maker.args) != 2:
                continue
            source = maker.args[0]
        elif type(argument) is np.ndarray and argument.size > 1 and not any(argument.strides):
            source = argument[(0,) * argument.ndim]  # one number, repeated
        else:
            continue
        instead = (*args[:place], source, *args[place + 1 :])
        weak = source.dtype is None if type(source) is Variable else not isinstance(source, np.ndarray | np.generic)
        if not weak and np.broadcast_shapes(*map(_shape, instead)) == call.result.shape:
            args = instead
    if args is call.args:
        return call
    return Call(call.function, args, call.kwargs, call.result, call.part)


def _shape(argument: Any) -> tuple[int, ...]:
    return argument.shape if type(argument) is Variable else np.shape(argument)
