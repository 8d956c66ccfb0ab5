"""What must hold of a gradient whatever its numbers are.

A gradient has the shape and dtype of what it belongs to, is linear in the seed and zero for a zero seed, is the same
when asked twice, leaves its inputs and its seed as they are, shares memory with neither, and does not depend on how
arrays lie in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .arguments import draw, wide
from .numerical import EPS
from .report import Finding

Array = Any
Pull = Callable[[Array, list[Any]], tuple[Any, ...]]


def same(a: Any, b: Any) -> bool:
    """Whether two results are equal in shape and in every bit that counts."""
    return np.shape(a) == np.shape(b) and bool(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=_floating(a)))


def _floating(a: Any) -> bool:
    return np.asarray(a).dtype.kind in "fc"


def near(a: Any, b: Any, tolerance: float = 1e-10) -> bool:
    """Whether two results agree to rounding, on the scale of the larger."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    size = max(np.max(np.abs(c[np.isfinite(c)]), initial=0.0) for c in (a, b))
    with np.errstate(all="ignore"):
        return bool(np.all((np.abs(a - b) <= tolerance * size) | (a == b) | (np.isnan(a) & np.isnan(b))))


def copied(args: Sequence[Any]) -> list[Any]:
    return [np.array(x, order="K") if isinstance(x, np.ndarray) else x for x in args]


def layouts(x: Any) -> Iterator[tuple[str, Any]]:
    """The same numbers lying otherwise in memory."""
    if not isinstance(x, np.ndarray) or x.ndim == 0 or x.size == 0:
        return
    fixed = x.copy()
    fixed.flags.writeable = False
    yield "a read-only", fixed
    yield "a reversed", np.flip(np.flip(x).copy())
    if x.ndim > 1:
        yield "a Fortran-ordered", np.asfortranarray(x.copy())
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    yield "a strided", wide[..., ::2]


def brief(error: BaseException) -> str:
    """An exception in one short line."""
    text = str(error).splitlines()[0] if str(error) else ""
    if len(text) > 90:
        text = f"{text[:90].rpartition(' ')[0]} ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def plain_function(function: Callable[..., Any], args: list[Any], wrt: Sequence[int], name: str) -> list[Finding]:
    """Of a student's derivative: repeated calls, changed inputs, order in memory."""
    found: list[Finding] = []
    given = copied(args)
    first = function(*given)
    kept = np.array(first)
    if not all(same(a, b) for a, b in zip(given, args, strict=True)):
        found.append(Finding("mutation", f"{name} changes its input; it must leave it as it is"))
    again = function(*copied(args))
    if not same(kept, again):
        found.append(Finding("repeatability", f"{name} gives another result when it is called a second time"))
    elif not same(kept, first):
        found.append(Finding("repeatability", f"{name} overwrites the array that it returned before"))
    if not found:
        for i in wrt:
            for layout, array in layouts(args[i]):
                moved = copied(args)
                moved[i] = array
                try:
                    other = function(*moved)
                except Exception as error:
                    found.append(Finding("layout", f"{name} of {layout} array raises {brief(error)}"))
                    break
                if not near(kept, other):
                    found.append(
                        Finding("layout", f"{name} gives other numbers for {layout} array of the same entries")
                    )
                    break
    return found


def examine(
    function: Callable[..., Any],
    pull: Pull,
    args: list[Any],
    wrt: Sequence[int],
    names: Sequence[str],
    rng: np.random.Generator,
    name: str,
    *,
    notes: list[str],
    engine: bool = False,
) -> list[Finding]:
    """All that must hold of a vector-Jacobian product; `engine`: of one that takes care of dtype and memory itself."""
    found: list[Finding] = []

    def say(kind: str, text: str) -> None:
        if not any(finding.kind == kind for finding in found):
            found.append(Finding(kind, text))

    y = np.asarray(function(*copied(args)))

    seed, other = (np.asarray(draw(y, rng), y.dtype)[()] for _ in range(2))
    given, given_seed = copied(args), np.array(seed)[()]
    first = pull(given_seed, given)
    kept = [np.array(g) for g in first]
    if len(first) != len(wrt):
        say("shape", f"{name} returns {len(first)} gradients, and there are {len(wrt)} inputs to differentiate by")
        return found
    for g, i, label in zip(first, wrt, names, strict=True):
        x = np.asarray(args[i])
        if np.shape(g) != x.shape:
            hint = ""
            if np.shape(g) == y.shape:
                axes = [k for k in range(y.ndim) if k < y.ndim - x.ndim or x.shape[k - y.ndim + x.ndim] != y.shape[k]]
                over = ", ".join(map(str, axes))
                hint = f": {label} was broadcast, so sum over axis {over}" if axes else ""
            say("shape", f"the gradient of {label} has shape {np.shape(g)}, and {label} has shape {x.shape}{hint}")
        elif np.asarray(g).dtype != x.dtype:
            hint = ": take its real part" if np.asarray(g).dtype.kind == "c" and x.dtype.kind == "f" else ""
            say(
                "dtype",
                f"the gradient of {label} has dtype {np.asarray(g).dtype}, and {label} has dtype {x.dtype}{hint}",
            )
    if any(finding.kind == "shape" for finding in found):
        return found
    if not all(same(a, b) for a, b in zip(given, args, strict=True)):
        say("mutation", f"{name} changes its inputs; it must leave them as they are")
    if not same(given_seed, seed):
        say("mutation", f"{name} changes the upstream gradient it is given")
    parties = [(given_seed, "the upstream gradient"), *((a, "an input") for a in given)]
    parties += [(g, "another gradient that it returns") for g in first]
    for k, (g, label) in enumerate(zip(first, names, strict=True)):
        for position, (array, what) in enumerate(parties):
            if position == 1 + len(given) + k or not isinstance(array, np.ndarray) or not isinstance(g, np.ndarray):
                continue
            if np.shares_memory(g, array):
                say("aliasing", f"the gradient of {label} shares its memory with {what}: return a copy")
    between = pull(np.array(other)[()], copied(args))
    if not all(same(a, b) for a, b in zip(first, kept, strict=True)):
        say("repeatability", f"{name} overwrites the arrays that it returned before")
    again = pull(np.array(seed)[()], copied(args))
    if not all(same(a, b) for a, b in zip(again, kept, strict=True)):
        say("repeatability", f"{name} gives another result when it is called again with the same inputs")
        return found
    between = tuple(np.array(g) for g in between)
    for g, label in zip(pull(np.zeros_like(y)[()], copied(args)), names, strict=True):
        if not np.all(np.asarray(g)[np.isfinite(g)] == 0) if np.ndim(g) else g != 0 and np.isfinite(g):
            say("linearity", f"the gradient of {label} for an upstream gradient of 0 is not 0")
    # A gradient that a step as large as x makes nothing but rounding of is as good as zero.
    largest = max((float(np.max(np.abs(args[i]), initial=0.0)) for i in wrt), default=0.0)
    rounding = EPS * float(np.sum(np.abs(y[np.isfinite(y)]))) / (largest or 1.0)
    loose = 1e-10 if y.dtype.itemsize >= (16 if y.dtype.kind == "c" else 8) else 1e-4
    for a, b in ((1.0, -2.5), (1e-6, 0.0), (-1e6, 0.0)):
        mixed = pull(np.asarray(a * seed + b * other, y.dtype)[()], copied(args))
        for g, u, v, label in zip(mixed, kept, between, names, strict=True):
            with np.errstate(all="ignore"):
                wanted = a * u + (b * v if b else 0.0)
                scale = abs(a) * np.max(np.abs(u), initial=0) + abs(b) * np.max(np.abs(v), initial=0)
                off = np.abs(wide(g) - wanted)
            if np.any(off[np.isfinite(wanted)] > loose * scale + 8 * (abs(a) + abs(b)) * rounding):
                say("linearity", f"the gradient of {label} is not linear in the upstream gradient: {a:g} u + {b:g} v")
    sources = [("upstream gradient", seed), *zip(names, [args[i] for i in wrt], strict=True)]
    for position, (what, source) in enumerate(sources):
        for layout, array in layouts(source):
            moved = copied(args)
            if position:
                moved[wrt[position - 1]] = array
            try:
                got = pull(array if position == 0 else np.array(seed)[()], moved)
            except Exception as error:
                say("layout", f"{name} raises on {layout} {what}: {brief(error)}")
                continue
            if not all(near(a, b, loose) for a, b in zip(got, kept, strict=True)):
                say("layout", f"{name} gives other numbers for {layout} {what} with the same entries")
    if not engine and y.dtype in (np.float64, np.complex128):
        notes += _in_float32(function, pull, args, wrt, names, seed, name)
    return found


def _in_float32(
    function: Callable[..., Any],
    pull: Pull,
    args: list[Any],
    wrt: Sequence[int],
    names: Sequence[str],
    seed: Any,
    name: str,
) -> list[str]:
    """What would happen with float32, which nobody has asked for: notes."""
    narrow = copied(args)
    for i, x in enumerate(narrow):
        if _floating(x):
            narrow[i] = np.asarray(x, _narrow(np.asarray(x)))[()]
    try:
        y = np.asarray(function(*copied(narrow)))
    except Exception:  # a function that wants float64
        return []
    if y.dtype != _narrow(y):
        return []
    try:
        got = pull(np.asarray(seed, y.dtype)[()], narrow)
    except Exception as error:
        return [f"{name} raises on float32: {brief(error)}"]
    doubled = [
        label
        for g, label, i in zip(got, names, wrt, strict=True)
        if np.asarray(g).dtype != _narrow(np.asarray(narrow[i]))
    ]
    return [f"of float32 arguments {name} gives a gradient in float64, for {', '.join(doubled)}"] if doubled else []


def _narrow(x: Any) -> Any:
    """The dtype of half the precision."""
    return np.dtype(np.complex64 if x.dtype.kind == "c" else np.float32)


def shrunk(args: Sequence[Any], wrt: Sequence[int]) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """The same call with an axis of length 1, in all arrays that have it, and of another length.

    Axes count from the right, as for broadcasting.
    """
    arrays = [args[i] for i in wrt if isinstance(args[i], np.ndarray)]
    tried = 0
    for axis in range(-1, -1 - max((x.ndim for x in arrays), default=0), -1):
        for n in sorted({x.shape[axis] for x in arrays if x.ndim >= -axis and x.shape[axis] > 1}):
            tried += 1
            if tried > 4:
                return
            having = [isinstance(x, np.ndarray) and x.ndim >= -axis and x.shape[axis] == n for x in args]
            first = next(x for x, has in zip(args, having, strict=True) if has)
            short, other = (
                [x.take(places, axis=axis) if has else x for x, has in zip(args, having, strict=True)]
                for places in ([0], list(range(n - 1)) if n > 2 else [0, 1, 0])
            )
            yield f"with axis {first.ndim + axis} of length 1", short, other
