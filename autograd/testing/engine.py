"""The gradients that the engine computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import modes
from ..backward import conjugate, reverse, settle
from ..errors import DataError
from ..transforms import jvp
from ..value import Value
from . import diagnosis
from .arguments import (
    Function,
    argument_names,
    draw,
    named,
    paired,
    placed,
    point_at,
    quiet,
    raw,
    settings_for,
    split,
    tangents,
    text_of,
)
from .pullbacks import argument, check_pull, chosen_arguments, compare_second
from .report import Finding, Report
from .results import Results
from .structure import brief, copied, same

__unittest = True  # unittest leaves frames of this module out of what it prints


def check_gradients(
    f: Function,
    *args: Any,
    order: int = 2,
    modes: Sequence[str] = ("reverse", "forward"),
    rtol: float | None = None,
    atol: float = 0.0,
    kinks: str = "subgradient",
    seed: int | None = None,
) -> Report:
    """Whether the gradients that the engine computes of `f` are its derivatives.

    Parameters
    ----------
    f : callable
        Of Values, or whatever NumPy's functions take; to one Value or array.
    *args : arrays and numbers
        Those of floating or complex type are differentiated by; others are handed on.
    order : int
        1, or 2: also the gradient of the gradient.
    modes : sequence of str
        ``"reverse"`` and ``"forward"`` (`autograd.jvp`).
    rtol, atol, kinks, seed
        As for `check_vjp`.

    Returns
    -------
    Report
        A failure names the first operation in the graph whose rule is wrong at the numbers it was recorded with.

    Raises
    ------
    DataError
        No argument of floating or complex type, or a wrong option.

    Notes
    -----
    Of a complex number a + ib the gradient is dL/da + i dL/db, as everywhere in the engine (see `autograd.backward`); a
    complex result gets random complex gradients from upstream. The function need not be holomorphic.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import check_gradients
    >>> check_gradients(lambda x, w: np.tanh(x @ w), np.ones((2, 3)), np.array([0.1, -0.2, 0.3])).verdict
    'PASS'
    """
    args = tuple(argument(x) for x in args)
    chosen = chosen_arguments(args, None, "check_gradients")
    tolerance, seed = settings_for(rtol, atol, kinks, seed, [args[i] for i in chosen])
    if unknown := set(modes) - {"reverse", "forward"}:
        raise DataError(f"modes={modes!r}: {unknown.pop()!r} is none of 'reverse' and 'forward'.")
    results = Results("entries", tolerance)
    name = named(f, "f")
    results.reproduce = f"check_gradients({name}, {', '.join(text_of(x) for x in args)}, seed={seed})"
    with quiet():
        _check_engine(results, f, args, chosen, argument_names(f, len(args)), name, seed, order, modes)
    return results.report(f"the gradients of {name} are right", f"the gradients of {name} are wrong")


def plain_of(f: Function, args: Sequence[Any]) -> Function:
    """f from arrays to arrays: as it is if it takes arrays, else by way of constants."""

    def by_values(*inputs: Any) -> Any:
        with modes.no_grad():
            return raw(f(*[Value(x) if isinstance(x, np.ndarray | np.inexact) and x.dtype.kind in "fc" else x
                           for x in inputs]))  # fmt: skip

    wanted = by_values(*copied(args))
    try:
        if same(raw(f(*copied(args))), wanted):
            return lambda *inputs: raw(f(*inputs))
    except Exception:
        return by_values
    return by_values


def _check_engine(
    results: Results,
    f: Function,
    args: tuple[Any, ...],
    wrt: list[int],
    names: Sequence[str],
    name: str,
    seed: int,
    order: int,
    in_modes: Sequence[str],
    where: str = "",
) -> None:
    numbers = plain_of(f, args)

    def run(inputs: Sequence[Any]) -> tuple[list[Value], Any]:
        leaves = {i: Value(inputs[i], label=names[i]) for i in wrt}
        with modes.enable_grad():
            return list(leaves.values()), f(*[leaves.get(i, x) for i, x in enumerate(inputs)])

    def pull(g: Any, inputs: list[Any]) -> tuple[Any, ...]:
        leaves, y = run(inputs)
        found: Mapping[Value, Any] = {}
        if isinstance(y, Value) and y.requires_grad:
            found = reverse([y], [conjugate(np.asarray(g, y.dtype)[()])], wrt=leaves)
        return tuple(settle(conjugate(found[x]), x.data) if x in found else np.zeros_like(x.data)[()] for x in leaves)

    rng = np.random.default_rng(seed)
    if "reverse" in in_modes:
        check_pull(
            results, numbers, pull, args, wrt, names, "backward", name, rng, engine=True, variants=False, where=where
        )
    if any(row.status == "wrong" for row in results.rows):
        _localise(results, f, args, wrt, names, rng)
        return
    y = np.asarray(numbers(*copied(args)))
    if "forward" in in_modes and y.size and not results.doubts:
        point = point_at(numbers, args, wrt)
        direction = point.unit * rng.uniform(0.5, 1.5, len(point.x)) * rng.choice([-1.0, 1.0], len(point.x))
        slope = point.slope(direction)

        def of_chosen(*xs: Any) -> Any:
            inputs = list(args)
            for i, x in zip(wrt, xs, strict=True):
                inputs[i] = x
            return f(*inputs)

        try:
            _, along = jvp(of_chosen, [args[i] for i in wrt], tangents(direction, args, wrt))
        except Exception as error:
            results.add([Finding("forward", f"forward mode raises {brief(error)}")], where)
            return
        along = split(np.asarray(raw(along), y.dtype))
        tolerance = results.tolerance
        size = np.max(np.abs(slope.value[np.isfinite(slope.value)]), initial=0.0)
        wrong = ~(
            np.abs(along - slope.value)
            <= tolerance.atol + tolerance.rtol * (np.abs(slope.value) + 1e-3 * size) + slope.bound
        )
        wrong &= np.isfinite(slope.bound) & ~slope.kink & ~slope.jump
        if np.any(wrong):
            j = int(np.argmax(wrong))
            part = "" if y.dtype.kind != "c" else ".real" if j < y.size else ".imag"
            which = placed("f", y, j % y.size) + part
            results.add([Finding("forward", f"forward mode gives {along[j]:.9g} for {which} along a random "
                                            f"direction, numeric {slope.value[j]:.9g}")], where)  # fmt: skip
    if order >= 2 and y.size and y.dtype in (np.float64, np.complex128) and not results.findings and not results.doubts:
        g = draw(y, rng, signs=False)
        projections = [draw(args[i], rng, signs=False) for i in wrt]

        def gradient(*inputs: Any) -> Any:
            *xs, upstream = inputs
            return sum(paired(p, part) for p, part in zip(projections, pull(upstream, list(xs)), strict=True))

        leaves, result = run(args)
        upstream = Value(g)
        number: Any = 0.0
        if isinstance(result, Value) and result.requires_grad:
            shares = reverse([result], [conjugate(upstream)], wrt=leaves, create_graph=True)
            number = sum(
                paired(p, conjugate(shares[x])) for p, x in zip(projections, leaves, strict=True) if x in shares
            )
        holders = {**dict(zip(wrt, leaves, strict=True)), len(args): upstream}
        compare_second(results, gradient, number, holders, [*args, g], [*wrt, len(args)], [*names, "g"], rng, name)


def _localise(
    results: Results, f: Function, args: Sequence[Any], wrt: list[int], names: Sequence[str], rng: Any
) -> None:
    try:
        with modes.enable_grad(), modes.anomaly():
            y = f(*[Value(x, label=names[i]) if i in wrt else x for i, x in enumerate(args)])
    except Exception:
        return
    if not isinstance(y, Value) or not y.requires_grad:
        results.hint("the result does not depend on its inputs in the graph: look for .data, detach() or no_grad()")
        return
    wrong = diagnosis.first_wrong_operation(y, rng)
    if wrong:
        results.hints.insert(0, wrong)
    else:
        results.hint("every operation's rule is right by itself: is a part computed from .data or detach()?")


def assert_gradients(f: Function, *args: Any, **options: Any) -> Report:
    """`check_gradients`, raising what it reports: a DerivativeError unless the verdict is PASS."""
    __tracebackhide__ = True
    return check_gradients(f, *args, **options).check()
