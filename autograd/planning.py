"""Planning: where the results of a program go, so that a run makes few arrays, or none.

A result that does not outlive a run is written into a buffer (``out=``), and when nobody reads it any more, nor a view
of it, the buffer is there for the next. Where an elementwise function reads an operand for the last time, its result
takes the operand's place.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from .lowering import contiguous, dense
from .program import Call, Expect, Place, Program, Variable, cast, variables

REDUCTIONS = frozenset({np.sum, np.prod, np.max, np.min, np.mean})
PRODUCTS = frozenset({np.dot, np.matmul})
JOINS = frozenset({np.concatenate, np.stack})


ARITHMETIC = frozenset({
    np.add, np.subtract, np.multiply, np.true_divide, np.floor_divide, np.remainder, np.power, np.maximum, np.minimum,
    np.fmax, np.fmin, np.hypot, np.arctan2, np.copysign, np.logaddexp, np.less, np.less_equal, np.greater,
    np.greater_equal, np.equal, np.not_equal,
})  # fmt: skip
"""Ufuncs that take all their operands in one dtype."""

LARGE = 1 << 20
"""An array of more bytes is not copied into another dtype: it would cost more memory than time is won."""


VIEWS: set[Any] = {
    operator.getitem, np.reshape, np.transpose, np.ravel, np.squeeze, np.expand_dims, np.swapaxes, np.broadcast_to,
}  # fmt: skip


class Memory(list[np.ndarray]):
    """The buffers of a program: made once, and not for anybody else."""


def takes_out(call: Call) -> bool:
    """Whether the function can write its result into an array that it is given, and does nothing else differently."""
    function, result = call.function, call.result
    if result is None or result.kind != "array" or call.out is not None or not result.shape:
        return False
    if result.dtype is None or result.dtype.kind not in "biufc":
        return False
    if isinstance(function, np.ufunc):
        return function.nout == 1 and not call.kwargs
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return function.__name__ in ("reduce", "accumulate") and call.kwargs.keys() <= {"axis", "keepdims"}
    if function in REDUCTIONS:
        return len(call.args) < 3 and call.kwargs.keys() <= {"axis", "keepdims"}
    if function in PRODUCTS:
        return not call.kwargs and all(type(x) is Variable and x.kind == "array" for x in call.args)
    if function is cast or function is np.copy:
        return True
    return function in JOINS and call.kwargs.keys() <= {"axis"}


# -------------------------------------------------------------------- operands that fit


def fitted(program: Program) -> Program:
    """The same program with operands in the dtype and with the axes of the result.

    A mask that is multiplied by numbers is converted before, and an array that is broadcast along axes of length 1
    alone, as a bias for a single example, gets these axes: what NumPy does in its general loop takes it three times as
    long.
    """
    calls: list[Call] = []
    known: dict[Any, Variable] = {}
    for call in program.calls:
        if (
            len(call.args) == 2
            and not call.kwargs
            and isinstance(call.function, np.ufunc)
            and call.function in ARITHMETIC
            and call.result is not None
            and call.result.shape
        ):
            call = _fitting(call, calls, known)
        calls.append(call)
    return program.with_calls(calls)


def _fitting(call: Call, before: list[Call], known: dict[Any, Variable]) -> Call:
    """The call on operands that fit, and, `before` it, the calls that make them so."""
    result, args = call.result, list(call.args)
    assert result is not None
    dtypes = [_dtype(x) for x in args]
    if dtypes[0] is not dtypes[1] and not any(dtype is None for dtype in dtypes):  # np.dtype(float) == None
        try:
            wanted = call.function.resolve_dtypes((*dtypes, None))  # type: ignore[attr-defined]
        except TypeError:
            return call
        for k, x in enumerate(args):
            if type(x) is Variable and 1 < x.size <= LARGE // wanted[k].itemsize and x.dtype != wanted[k] and dense(x):
                strides = tuple([stride // x.dtype.itemsize * wanted[k].itemsize for stride in x.strides or ()])
                new = Variable("array", x.shape, wanted[k], strides)
                args[k] = _made(Call(cast, (x, wanted[k]), {}, new, call.part), before, known)
    for k, x in enumerate(args):
        if type(x) is Variable and x.size == result.size > 1 and len(x.shape) < len(result.shape) and contiguous(x):
            more = len(result.shape) - len(x.shape)
            new = Variable("array", result.shape, x.dtype, more * (x.size * x.dtype.itemsize,) + (x.strides or ()))
            new.owners = (x, *x.owners)
            args[k] = _made(Call(np.reshape, (x, result.shape), {}, new, call.part), before, known)
    return Call(call.function, tuple(args), {}, result, call.part, call.effect, call.out)


def _made(call: Call, before: list[Call], known: dict[Any, Variable]) -> Variable:
    """The result of a call, which is made but once."""
    key = call.function, call.args
    if key not in known:
        assert call.result is not None
        known[key] = call.result
        before.append(call)
    return known[key]


def _dtype(operand: Any) -> Any:
    """What decides on the dtype of the result: of a Python number its type."""
    return type(operand) if type(operand) in (int, float, complex) else getattr(operand, "dtype", None)


# -------------------------------------------------------------------- buffers


class Classes:
    """Which variables may share memory: of each, a representative of all of them."""

    def __init__(self) -> None:
        self.parents: dict[Variable, Variable] = {}

    def of(self, variable: Variable) -> Variable:
        parents = self.parents
        while (parent := parents.get(variable)) is not None:
            above = parents.get(parent)
            if above is not None:
                parents[variable] = above
            variable = parent
        return variable

    def unite(self, variable: Variable, others: Iterable[Variable]) -> None:
        here = self.of(variable)
        for other in others:
            there = self.of(other)
            if there is not here:
                self.parents[there] = here


def sharing(program: Program) -> tuple[Classes, set[Variable]]:
    """Which variables share memory, and the representatives of what outlives a run, or came from outside."""
    classes = Classes()
    pinned = [*program.arguments, *program.loads, *program.wanted]
    for call in program.calls:
        operands, result = call.operands, call.result
        if result is not None and result.owners:
            classes.unite(result, result.owners)
        if call.out is not None:
            pinned.append(call.out)
            if result is not None:
                pinned.append(result)
        if isinstance(call.function, Expect):
            continue
        things = [v for v in operands if v.kind == "object"]
        if result is not None and result.kind == "object":
            things.append(result)
        if things:  # it may keep what it meets: what was saved for a rule, say
            classes.unite(things[0], [*things, *operands])
        elif call.effect:
            pinned += operands
    return classes, {classes.of(variable) for variable in pinned}


class _Block:
    """A piece of memory, as large as the largest of what it is for, and whose it is at the moment."""

    def __init__(self) -> None:
        self.size = 0
        self.owner: Variable | None = None


def planned(program: Program) -> Program:
    """The same program with a place for every result that can have one.

    Parameters
    ----------
    program : Program

    Returns
    -------
    Program
        Its calls have an `out`: a buffer, one of the loads, which stand in a `Memory`.
    """
    program = fitted(program)
    classes, pinned = sharing(program)
    last: dict[Variable, int] = {}
    for number, call in enumerate(program.calls):
        for variable in call.operands:
            last[classes.of(variable)] = number
        if call.result is not None:
            last.setdefault(classes.of(call.result), number)
    blocks: dict[Variable, _Block] = {}
    free: list[_Block] = []
    ends: dict[int, list[tuple[_Block, Variable]]] = {}
    places: list[_Block | None] = []
    for number, call in enumerate(program.calls):
        block, result = None, call.result
        if result is not None and takes_out(call) and not result.owners and dense(result):
            here = classes.of(result)
            if here not in pinned and here not in blocks:
                block = _in_place(call, number, classes, blocks, last) or _taken(free, _bytes(result))
                block.size = max(block.size, _bytes(result))
                block.owner = here
                blocks[here] = block
                ends.setdefault(last[here], []).append((block, here))
        places.append(block)
        free += [old for old, owner in ends.pop(number, ()) if old.owner is owner]
    return _with_buffers(program, places)


def _bytes(variable: Variable) -> int:
    return int(variable.size * variable.dtype.itemsize)


def _in_place(
    call: Call, number: int, classes: Classes, blocks: dict[Variable, _Block], last: dict[Variable, int]
) -> _Block | None:
    """The block of an operand that an elementwise function reads for the last time."""
    result: Any = call.result
    if not isinstance(call.function, np.ufunc) or call.function.signature is not None or differs_in_place(result):
        return None
    for operand in call.operands:
        here = classes.of(operand)
        block = blocks.get(here)
        if (
            block is not None
            and block.owner is here
            and last[here] == number
            and not operand.owners
            and (operand.shape, operand.dtype, operand.strides) == (result.shape, result.dtype, result.strides)
            and all(other is operand or classes.of(other) is not here for other in call.operands)
        ):
            return block
    return None


def differs_in_place(result: Variable) -> bool:
    """Whether a result may be another one in the place of an operand: NumPy's product of single complex numbers is."""
    return result.size == 1 and result.dtype.kind == "c"


def _taken(free: list[_Block], size: int) -> _Block:
    """The block that fits best: the smallest that is large enough, else the largest, the latest of equals."""
    if not free:
        return _Block()
    best = min(range(len(free)), key=lambda k: (free[k].size < size, abs(free[k].size - size), -k))
    return free.pop(best)


def _view(call: Call, arrays: dict[Variable, np.ndarray]) -> np.ndarray | None:
    """The result of a call that only looks at a buffer in another way, whatever the buffer holds."""
    if call.result is None or not call.result.owners or call.effect or [*variables(call.args)] != [call.args[0]]:
        return None
    array = arrays.get(call.args[0])
    if array is None or call.function not in VIEWS:
        return None
    view = call.function(array, *call.args[1:], **call.kwargs)
    return view if isinstance(view, np.ndarray) and np.may_share_memory(view, array) else None


def _with_buffers(program: Program, places: list[_Block | None]) -> Program:
    """The program with an array for each place; views of these are made once, too."""
    memory = Memory()
    raw: dict[_Block, np.ndarray] = {}
    buffers: dict[Any, Variable] = {}
    arrays: dict[Variable, np.ndarray] = {}
    loads, calls = dict(program.loads), []

    def loaded(variable: Variable, array: np.ndarray) -> None:
        memory.append(array)
        loads[variable] = Place(memory, len(memory) - 1, False, f"buffers[{len(memory) - 1}]")

    for call, block in zip(program.calls, places, strict=True):
        result: Any = call.result
        view = _view(call, arrays)
        if view is not None:
            arrays[result] = view
            loaded(result, view)
            continue
        if block is not None:
            key = block, result.shape, result.dtype, result.strides
            buffer = buffers.get(key)
            if buffer is None:
                if block not in raw:
                    raw[block] = np.empty(block.size + 64, np.uint8)
                start = -raw[block].ctypes.data % 64
                array = np.ndarray(result.shape, result.dtype, raw[block], start, result.strides)
                buffer = buffers[key] = Variable.of(array, "buffer")
                loaded(buffer, array)
            arrays[result] = memory[loads[buffer].key]
            call = Call(call.function, call.args, call.kwargs, result, call.part, call.effect, buffer)
        calls.append(call)
    return Program(program.arguments, loads, calls, program.writes, program.results)
