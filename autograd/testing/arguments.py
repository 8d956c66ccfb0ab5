"""Functions and their arguments: names, texts, and a function of one vector of real numbers in the place of several."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import DataError
from ..value import Value
from .comparison import Tolerance
from .numerical import Point
from .report import setting

Array = Any
Function = Callable[..., Any]


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings: functions are asked at places, and in complex numbers, that they need not like."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def named(function: Any, default: str) -> str:
    name = getattr(function, "__name__", None) or type(function).__name__
    return default if name == "<lambda>" else str(name)


def argument_names(function: Any, count: int) -> list[str]:
    """The names of the positional arguments, as the function's author wrote them."""
    fallback = ["x"] if count == 1 else [f"x{i}" for i in range(count)]
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return fallback
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [name.lstrip("_") or name for name in names[:count]] if len(names) >= count else fallback


def raw(result: Any) -> Any:
    """Numbers, of a Value or of whatever NumPy takes."""
    return result.data if isinstance(result, Value) else result


def is_number(x: Any) -> bool:
    return not isinstance(x, np.ndarray) or x.ndim == 0


def placed(name: str, x: Any, i: int) -> str:
    """``W[0, 3]`` for the flat index of an entry of x."""
    shape = np.shape(x)
    return f"{name}[{', '.join(str(int(k)) for k in np.unravel_index(i, shape))}]" if shape else name


def text_of(x: Any) -> str:
    """An argument as it would be typed, if that is short."""
    if not isinstance(x, np.ndarray):
        return repr(x.item()) if isinstance(x, np.generic) else repr(x)
    text = " ".join(np.array2string(x, separator=", ", threshold=12).split()).replace("[ ", "[")
    return f"np.array({text})" if len(text) < 70 and "..." not in text else f"an array of shape {x.shape}"


def floating(x: Any, what: str) -> Any:
    """A point to differentiate at, as number or array of double precision (floating arrays keep their dtype)."""
    x = raw(x)
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc":
        return np.array(x)[()]
    array = np.array(x)
    if array.dtype.kind not in "biufc":
        raise DataError(f"{what} is {x!r:.60}: a derivative is taken at numbers or arrays of numbers.")
    return wide(array)[()]


def wide(x: Any) -> Any:
    """Numbers in double precision, real or complex."""
    x = np.asarray(x)
    return np.asarray(x, complex if x.dtype.kind == "c" else float)


def split(x: Any) -> Array:
    """All entries as one vector of real numbers: of complex ones the real parts, then the imaginary parts."""
    x = np.ravel(wide(x))
    return np.concatenate([x.real, x.imag]) if x.dtype.kind == "c" else x


def point_at(
    f: Function, args: Sequence[Any], wrt: Sequence[int], low: float = -np.inf, high: float = np.inf, part: str = ""
) -> Point:
    """f at these arguments, as a function of one vector of real numbers, in the place of some of them, to another.

    The vector has the entries in order, and after them the imaginary parts of the complex ones; with ``part="real"`` or
    ``"imag"`` (of one complex argument) only these parts. Of a complex result it is as `split` says.
    """
    shapes = [np.shape(args[i]) for i in wrt]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    turned = [np.asarray(args[i]).dtype.kind == "c" for i in wrt]
    numbers = np.concatenate([np.ravel(wide(args[i])) for i in wrt]) if wrt else np.zeros(0)
    own = np.repeat(turned, [math.prod(shape) for shape in shapes]) if any(turned) else np.zeros(0, bool)
    n = len(numbers)

    def function(vector: Array) -> Array:
        moved = vector
        if any(turned):
            if np.iscomplexobj(vector):
                raise TypeError("complex already: no complex step")
            moved = numbers.copy()
            if part != "imag":
                moved.real = vector[:n]
            if part != "real":
                moved.imag[own] = vector if part else vector[n:]
        inputs = list(args)
        for i, shape, end, is_complex in zip(wrt, shapes, ends, turned, strict=True):
            entries = moved[end - math.prod(shape) : end].reshape(shape)
            entries = entries.real if any(turned) and not is_complex else entries
            inputs[i] = entries.copy()[()]
        result = np.ravel(np.asarray(raw(f(*inputs))))
        return split(result) if result.dtype.kind == "c" and not np.iscomplexobj(vector) else result

    if not any(turned):
        return Point(function, numbers, low, high)
    if part:
        return Point(function, getattr(numbers, part).copy(), low, high, numbers)
    imaginary = {int(i): n + k for k, i in enumerate(np.flatnonzero(own))}
    return Point(function, np.concatenate([numbers.real, numbers.imag[own]]), low, high, numbers, imaginary)


def tangents(direction: Array, args: Sequence[Any], wrt: Sequence[int]) -> list[Any]:
    """A direction, as it is for `point_at`, as changes of the arguments."""
    found, start, after = [], 0, sum(np.size(args[i]) for i in wrt)
    for i in wrt:
        x = np.asarray(args[i])
        change = direction[start : start + x.size]
        start += x.size
        if x.dtype.kind == "c":
            change = change + 1j * direction[after : after + x.size]
            after += x.size
        found.append(np.asarray(change.reshape(x.shape), x.dtype)[()])
    return found


def paired(gradient: Any, x: Any) -> Any:
    """The real number that a gradient, dL/da + i dL/db, and a change of a + ib make; of arrays or Values."""
    if not _is_complex(gradient):  # then x is real, or on a complex step
        return np.sum(gradient * x)
    return np.real(np.sum(np.conj(gradient) * x))


def _is_complex(x: Any) -> bool:
    return bool(np.asarray(raw(x)).dtype.kind == "c")


def draw(x: Any, rng: np.random.Generator, signs: bool = True) -> Any:
    """Random numbers in the shape of x, complex like it, none of them small."""

    def numbers() -> Array:
        drawn = rng.uniform(0.5, 1.5, np.shape(x))
        return drawn * rng.choice([-1.0, 1.0], np.shape(x)) if signs else drawn

    return (numbers() + 1j * numbers() if _is_complex(x) else numbers())[()]


def settings_for(
    rtol: float | None, atol: float, kinks: str, seed: int | None, args: Sequence[Any] = ()
) -> tuple[Tolerance, int]:
    if kinks not in ("error", "subgradient"):
        raise DataError(f"kinks={kinks!r}: write kinks='error' or kinks='subgradient'.")
    rtol = setting("rtol", rtol, 1e-6)
    if not (rtol >= 0 and atol >= 0):
        raise DataError(f"rtol={rtol!r}, atol={atol!r}: tolerances are numbers that are at least 0.")
    dtypes = [np.asarray(x).dtype for x in args]
    widths = [dtype.itemsize // (2 if dtype.kind == "c" else 1) for dtype in dtypes if dtype.kind in "fc"]
    rounding = 8 * float(np.finfo(float).eps)
    if widths and min(widths) < 8:  # the gradient itself is rounded to so many digits
        eps = float(np.finfo(f"f{min(widths)}").eps)
        rtol, rounding = max(rtol, 1e3 * eps), 64 * eps
    return Tolerance(rtol, atol, kinks, rounding), setting("seed", seed, 0)
