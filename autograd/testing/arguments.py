"""Functions and their arguments: names, texts, and a function of one flat vector in the place of several."""

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
    """A point to differentiate at, as float64 number or array (floating arrays keep their dtype)."""
    x = raw(x)
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f":
        return np.array(x)[()]
    array = np.array(x)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{what} is {x!r:.60}: a derivative is taken at numbers or arrays of numbers.")
    return array.astype(float)[()]


def flat_function(f: Function, args: Sequence[Any], wrt: Sequence[int]) -> Function:
    """f as a function of one flat vector, in the place of some of its arguments, to another."""
    shapes = [np.shape(args[i]) for i in wrt]
    ends = np.cumsum([math.prod(shape) for shape in shapes])

    def function(flat: Array) -> Array:
        inputs = list(args)
        for i, shape, end in zip(wrt, shapes, ends, strict=True):
            inputs[i] = flat[end - math.prod(shape) : end].reshape(shape).copy()[()]
        return np.ravel(np.asarray(raw(f(*inputs))))

    return function


def flat(args: Sequence[Any], wrt: Sequence[int]) -> Array:
    return np.concatenate([np.ravel(np.asarray(args[i], float)) for i in wrt]) if wrt else np.zeros(0)


def settings_for(
    rtol: float | None, atol: float, kinks: str, seed: int | None, args: Sequence[Any] = ()
) -> tuple[Tolerance, int]:
    if kinks not in ("error", "subgradient"):
        raise DataError(f"kinks={kinks!r}: write kinks='error' or kinks='subgradient'.")
    rtol = setting("rtol", rtol, 1e-6)
    if not (rtol >= 0 and atol >= 0):
        raise DataError(f"rtol={rtol!r}, atol={atol!r}: tolerances are numbers that are at least 0.")
    widths = [np.asarray(x).dtype.itemsize for x in args if np.asarray(x).dtype.kind == "f"]
    rounding = 8 * float(np.finfo(float).eps)
    if widths and min(widths) < 8:  # the gradient itself is rounded to so many digits
        eps = float(np.finfo(f"f{min(widths)}").eps)
        rtol, rounding = max(rtol, 1e3 * eps), 64 * eps
    return Tolerance(rtol, atol, kinks, rounding), setting("seed", seed, 0)
