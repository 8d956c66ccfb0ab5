"""Strips: elementwise calls on flat arrays larger than a cache, a strip of all of them at a time.

``parameters - rate * gradients`` goes through its arrays from one end to the other, once for each call. Where they are
long, what the first call has written has left the processor's cache when the second one reads it. So all calls are made
on as much of each array as fits in there together, then on what comes next. Each number is computed as before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .program import Call, Variable

CACHE = 1 << 20
"""How many bytes the strips of all arrays have together."""


def in_strips(calls: Sequence[Call]) -> Call | None:
    """One line in the place of several elementwise ones; None where all their arrays fit into the cache.

    Parameters
    ----------
    calls : sequence of Call
        On flat arrays of one size, and on numbers. Where a result has no `out`, nobody else reads it.

    Returns
    -------
    Call or None
        It has an effect, on what the calls have for `out`, and no result.
    """
    given: list[Any] = list(dict.fromkeys(call.out for call in calls if call.out is not None))
    slots: dict[Any, int] = {variable: number for number, variable in enumerate(given)}
    scratch: list[np.dtype] = []  # in slots counted from the end, -1, -2, ...
    free: list[int] = []
    last = {variable: number for number, call in enumerate(calls) for variable in call.operands}
    lines = []

    def slot(x: Any) -> int:
        if type(x) is Variable and x in slots:
            return slots[x]
        given.append(x)
        if type(x) is Variable:
            slots[x] = len(given) - 1
        return len(given) - 1

    for number, call in enumerate(calls):
        operands = [slot(x) for x in call.args]
        free += [slots[v] for v in dict.fromkeys(call.operands) if slots[v] < 0 and last[v] == number]
        result: Any = call.result
        if call.out is not None:
            out = slots[call.out]
        else:
            alike = [k for k in free if scratch[-1 - k] == result.dtype]
            if alike:
                free.remove(alike[0])
            else:
                scratch.append(result.dtype)
            out = alike[0] if alike else -len(scratch)
        slots[result] = out
        lines.append((call.function, operands, out))
    arrays = [type(x) is Variable and bool(x.shape) for x in given]
    size = sum(x.size * x.dtype.itemsize for x, is_array in zip(given, arrays, strict=True) if is_array)
    if size <= CACHE:
        return None
    return Call(
        _strips(lines, arrays, scratch, CACHE * given[0].size // size), tuple(given), part="update", effect=True
    )


def _strips(
    lines: Sequence[tuple[Callable[..., Any], list[int], int]],
    arrays: Sequence[bool],
    scratch: Sequence[np.dtype],
    step: int,
) -> Callable[..., None]:
    """A function that makes such calls, on `step` numbers of each array at a time.

    Parameters
    ----------
    lines : sequence of (function, operands, out)
        The last two by their place among what it is given, or, from the end, among `scratch`.
    arrays : sequence of bool
        Which of what it is given is an array.
    scratch : sequence of dtype
    step : int
    """
    own = [np.empty(step, dtype) for dtype in reversed(scratch)]

    def strips(*given: Any) -> None:
        size = given[0].size
        for start in range(0, size, step):
            stop = min(start + step, size)
            strip = [x[start:stop] if is_array else x for x, is_array in zip(given, arrays, strict=True)]
            strip += [x[: stop - start] for x in own]
            for function, operands, out in lines:
                function(*[strip[k] for k in operands], out=strip[out])

    return strips
