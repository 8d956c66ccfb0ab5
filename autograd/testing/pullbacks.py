"""Rules of operations: vector-Jacobian products written by an operation's author."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import modes
from ..backward import reverse
from ..errors import DataError
from ..value import Value
from . import diagnosis
from .arguments import (
    Array,
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
    text_of,
    wide,
)
from .comparison import ALL, Claim, compare, weighted
from .diagnosis import Sample
from .numerical import Point
from .report import Finding, Report, Row
from .results import Results
from .structure import brief, copied, examine, near, same, shrunk

__unittest = True  # unittest leaves frames of this module out of what it prints


def check_vjp(
    f: Function,
    vjp: Function,
    *args: Any,
    wrt: int | Sequence[int] | None = None,
    order: int = 2,
    rtol: float | None = None,
    atol: float = 0.0,
    kinks: str = "subgradient",
    seed: int | None = None,
) -> Report:
    r"""Whether `vjp` is the vector-Jacobian product of `f`: the rule that an operation's author writes.

    Parameters
    ----------
    f : callable
        ``f(*args)``, to one array.
    vjp : callable
        ``vjp(g, *args)``, with `g` of the shape of the result: :math:`(\partial f / \partial x)^T g` for each argument
        in `wrt`; an array if that is one, else a tuple. Of complex numbers see the notes.
    *args
        Arrays and numbers.
    wrt : int or sequence of int, optional
        Which arguments. Default: all of floating or complex type.
    order : int
        2: also whether differentiating the code of `vjp` gives the second derivative; 1: not.
    rtol, atol, kinks, seed
        As for `check_derivative`; for float32 arguments `rtol` is at least 1e-4.

    Returns
    -------
    Report
        Apart from the numbers it is about shape, dtype, linearity in `g`, repeated calls, changed inputs, shared
        memory, the order of arrays in memory, float32, and axes of length 1.

    Raises
    ------
    DataError
        No argument of floating or complex type, or a wrong option.

    Notes
    -----
    Complex numbers are as in the rules that `defop` takes: for a real :math:`L` and :math:`y = a + ib`, `g` is
    :math:`\partial L / \partial a - i\, \partial L / \partial b`, and so is what `vjp` returns for a complex argument;
    for a real argument it is real. Then the rule of a holomorphic function is ``g * f'(z)``, that of ``np.conj`` is
    ``np.conj(g)``, that of ``np.abs`` is ``g * np.conj(z) / np.abs(z)``, and that of ``np.real`` is ``g + 0j``.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import check_vjp
    >>> x = np.array([[0.5, -1.0], [2.0, 0.3]])
    >>> print(check_vjp(np.tanh, lambda g, x: g * (1 - np.tanh(x)), x))
    vjp is not the vector-Jacobian product of tanh
                 x          yours        numeric      ±  rel.err
    > x[0, 1]   -1       1.834632     0.43738699  ...  7.6e-01  BAD
      x[1, 0]    2  -0.0442336821  -0.0868761716  ...  4.9e-01  BAD
      x[0, 0]  0.5   ...
      4 of 4 entries disagree (allowed: rtol=1e-06, atol=0); numeric: complex step
      reproduce: args = np.array([[0.5, -1. ], [2. , 0.3]]); vjp(np.ones((2, 2)), *args)
    """
    args = tuple(argument(x) for x in args)
    chosen = chosen_arguments(args, wrt, "check_vjp")
    single = isinstance(wrt, int) or (wrt is None and len(chosen) == 1)
    tolerance, seed = settings_for(rtol, atol, kinks, seed, [args[i] for i in chosen])
    results = Results("entries", tolerance)
    f_name, name = named(f, "f"), named(vjp, "vjp")

    def pull(g: Any, inputs: list[Any]) -> tuple[Any, ...]:
        answer = vjp(g, *inputs)
        return tuple(answer) if isinstance(answer, tuple | list) and not single else (
            tuple(answer) if isinstance(answer, tuple) and len(answer) == 1 else (answer,))  # fmt: skip

    names = argument_names(f, len(args))
    with quiet():
        check_pull(results, f, pull, args, chosen, names, name, f_name, np.random.default_rng(seed))
        if order >= 2 and not results.findings and not any(row.status == "wrong" for row in results.rows):
            _second_order_of_rule(results, f, pull, args, chosen, names, name, np.random.default_rng(seed))
    what = f"the vector-Jacobian product of {f_name}"
    return results.report(f"{name} is {what}", f"{name} is not {what}")


def argument(x: Any) -> Any:
    if isinstance(x, Value):
        return np.array(x.data)[()]
    if isinstance(x, float | complex):
        return wide(x)[()]
    if isinstance(x, list):
        return np.array(x, float if np.asarray(x).dtype.kind in "iu" else None)
    return x


def chosen_arguments(args: Sequence[Any], wrt: Any, name: str) -> list[int]:
    if isinstance(wrt, int):
        wrt = [wrt]
    chosen = list(wrt) if wrt is not None else [
        i for i, x in enumerate(args) if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc"
    ]  # fmt: skip
    if not chosen:
        raise DataError(f"{name}: no argument is of floating type. Pass numbers as floats, 2.0 and not 2.")
    if not all(0 <= i < len(args) and np.asarray(args[i]).dtype.kind in "fc" for i in chosen):
        raise DataError(f"{name}(..., wrt={wrt!r}): not all of these are arguments of floating type.")
    return chosen


def check_pull(
    results: Results,
    f: Function,
    pull: Callable[[Any, list[Any]], tuple[Any, ...]],
    args: Sequence[Any],
    wrt: list[int],
    names: Sequence[str],
    name: str,
    f_name: str,
    rng: np.random.Generator,
    *,
    engine: bool = False,
    variants: bool = True,
    where: str = "",
) -> None:
    """Structure and numbers of a vector-Jacobian product at one call; then with axes of length 1."""
    given = copied(args)
    y = np.asarray(raw(f(*given)))
    if not all(same(a, b) for a, b in zip(given, args, strict=True)):
        results.add([Finding("mutation", f"{f_name} changes its inputs; it must leave them as they are")])
        return
    if not same(np.asarray(raw(f(*copied(args)))), y):
        results.doubt("randomness", f"{f_name} gives another result when it is called again: is it random?")
        return
    labels = [names[i] for i in wrt]
    notes: list[str] = []
    try:
        results.add(examine(f, pull, list(args), wrt, labels, rng, name, engine=engine, notes=notes), where)
    except (ValueError, TypeError, IndexError) as error:
        results.add([Finding("error", f"{name} raises {brief(error)}")], where)
        return
    results.notes += [note for note in notes if variants]
    if any(finding.kind in ("shape", "repeatability") for finding in results.findings):
        return
    _numbers_of_pull(results, f, pull, args, wrt, names, y, rng, f_name, name, where, engine)
    if variants and not results.findings and not any(row.status == "wrong" for row in results.rows):
        _check_short_axes(results, f, pull, args, wrt, names, name, f_name, rng, engine)


def _check_short_axes(
    results: Results,
    f: Function,
    pull: Callable[[Any, list[Any]], tuple[Any, ...]],
    args: Sequence[Any],
    wrt: list[int],
    names: Sequence[str],
    name: str,
    f_name: str,
    rng: np.random.Generator,
    engine: bool,
) -> None:
    """The same with axes of length 1; a rule that is wrong for other lengths as well is one for these shapes only."""
    for what, short, other in shrunk(args, wrt):
        trials = []
        for changed in (short, other):
            trial = Results(results.unit, results.tolerance)
            try:
                y = np.asarray(raw(f(*copied(changed))))
            except Exception:  # the function wants other shapes
                break
            if y.dtype.kind not in "fc" or not np.all(np.isfinite(y)):
                break
            check_pull(trial, f, pull, changed, wrt, names, name, f_name, rng,
                        engine=engine, variants=False, where=f" ({what})")  # fmt: skip
            trials.append(trial)
            if trial.right:
                break
        if (len(trials) == 2 and trials[1].right) or (trials and trials[0].right):
            results.take(trials[0])
        elif trials:
            results.note(f"{name} is right for arrays of these shapes, and not for others")


def _numbers_of_pull(
    results: Results,
    f: Function,
    pull: Callable[[Any, list[Any]], tuple[Any, ...]],
    args: Sequence[Any],
    wrt: list[int],
    names: Sequence[str],
    y: Array,
    rng: np.random.Generator,
    f_name: str,
    name: str,
    where: str,
    engine: bool,
) -> None:
    if y.size == 0 or not sum(np.size(args[i]) for i in wrt):
        return
    seeds = draw(np.array([y, y]), rng)
    seeds = seeds.astype(y.dtype if y.dtype.kind in "fc" else float)
    # A gradient of complex numbers is that by the real parts, plus i times that by the imaginary parts; what a rule
    # gets and gives is the conjugate.
    sign = 1 if engine else -1
    matrix = np.array([coordinates(pull(np.array(g)[()], copied(args)), args, wrt, sign) for g in seeds])
    weights = np.array([coordinates([g], [y], [0], sign) for g in seeds])
    point = point_at(f, args, wrt)
    ends = np.cumsum([np.size(args[i]) for i in wrt])

    def place(k: int, j: int | None) -> str:
        which = int(np.searchsorted(ends, k, side="right"))
        start = ends[which] - np.size(args[wrt[which]])
        return placed(names[wrt[which]], args[wrt[which]], int(k - start)) + where

    compared = compare(point, Claim(matrix), place, results.tolerance, rng, "seeds", weights, sign=sign)
    results.rows += compared.rows
    results.add(compared.findings, where)
    if len(point.x) > ALL:
        results.note(compared.checked)
    if not any(row.status == "wrong" for row in compared.rows):
        return
    if not results.reproduce:
        typed = ", ".join(text_of(x) for x in args)
        results.reproduce = f"args = {typed}; {name}(np.ones({y.shape}), *args)" if y.shape else f"{name}(1.0, {typed})"
    if y.dtype.kind == "c" or point.imaginary:
        for which, i in enumerate(wrt):
            own = {place(int(ends[which]) - 1 - k, None) for k in range(np.size(args[i]))}
            hint = diagnosis.from_complex([row for row in compared.rows if row.place in own], results.unit)
            results.hint(f"{names[i]}: {hint}" if hint and len(wrt) > 1 else hint)
        turned = [[np.conj(part) for part in pull(np.conj(g)[()], copied(args))] for g in seeds]
        claim = Claim(np.array([coordinates(parts, args, wrt, sign) for parts in turned]))
        again = compare(point, claim, place, results.tolerance, rng, "seeds", weights, sign=sign)
        if not results.hints and not again.findings and all(row.status == "ok" for row in again.rows):
            here, there = ("+", "-") if engine else ("-", "+")
            results.hint(f"conjugate: {name} would be right if gradients of a + ib were dL/da {there} i dL/db; "
                         f"here they are dL/da {here} i dL/db")  # fmt: skip
        return
    _diagnose_pull(results, f, args, wrt, names, ends, matrix, point, seeds, compared.rows, place)


def coordinates(gradients: Sequence[Any], args: Sequence[Any], wrt: Sequence[int], sign: int = 1) -> Array:
    """Gradients of arguments as one real vector, in the order of `point_at`."""
    parts = [np.ravel(wide(g)) for g in gradients]
    imaginary = [sign * g.imag for g, i in zip(parts, wrt, strict=True) if np.asarray(args[i]).dtype.kind == "c"]
    return np.concatenate([*(g.real for g in parts), *imaginary])


def _diagnose_pull(
    results: Results,
    f: Function,
    args: Sequence[Any],
    wrt: list[int],
    names: Sequence[str],
    ends: Array,
    matrix: Array,
    point: Point,
    seeds: Array,
    rows: Sequence[Row],
    place: Callable[[int, int | None], str],
) -> None:
    """Of every wrong argument: all its entries for one seed, as far as they are few; then as for `check_derivative`."""
    wrong = {row.place for row in rows if row.status == "wrong"}
    for which, i in enumerate(wrt):
        start = int(ends[which]) - np.size(args[i])
        entries = np.arange(start, int(ends[which]))
        if not any(place(int(k), None) in wrong for k in entries):
            continue
        if len(entries) > 256:
            looked = [k for k in entries if any(row.place == place(int(k), None) for row in rows)]
            entries = np.array(looked)
        numbers, bounds = [], []
        for k in entries:
            direction = np.zeros(len(point.x))
            direction[k] = point.unit[k]
            slope = weighted(point.slope(direction), np.ravel(seeds[0]).astype(float)[None])
            numbers.append(slope.value[0] / point.unit[k])
            bounds.append(slope.bound[0] / point.unit[k])
        yours, numeric, bound = matrix[0][entries], np.array(numbers), np.array(bounds)
        bad = ~(np.abs(yours - numeric) <= results.tolerance.rtol * np.abs(numeric) + bound)
        sample = Sample(list(args), i, entries - start, yours, numeric, bound, bad, seeds[0])
        sizes = {f"{names[k]}.size": np.size(args[k]) for k in range(len(args))}
        sizes |= {f"len({names[k]})": np.shape(args[k])[0] for k in range(len(args)) if np.ndim(args[k])}
        if np.size(seeds[0]) >= np.size(args[i]):  # neither a sum nor a mean
            sizes = {}
        x = np.ravel(args[i])[sample.looked]
        hint = diagnosis.from_numbers(x, None, yours, numeric, bound, bad, "entries", sizes)
        if hint is None or ("factor" in hint and "factor 2" not in hint and "1/n" not in hint):
            hint = _along_other_axes(f, args, i, yours, seeds[0]) or hint
            hint = diagnosis.of_arrays(sample) or diagnosis.from_graph(f, [sample], names[i]) or hint
        hint = hint or diagnosis.power_of_x(x, yours, numeric, names[i])
        if hint:
            results.hint(f"{names[i]}: {hint}" if len(wrt) > 1 else hint)


def _along_other_axes(f: Function, args: Sequence[Any], i: int, yours: Array, seed: Any) -> str | None:
    """Of an argument that is broadcast: whether its gradient was summed over another axis than it should."""
    shape = np.shape(seed)
    x = np.asarray(args[i], float)
    if x.shape == shape or math.prod(shape) > 4096 or not x.shape:
        return None
    try:
        whole = [np.broadcast_to(x, shape).copy() if k == i else a for k, a in enumerate(args)]
        if np.shape(f(*whole)) != shape:
            return None
        point = point_at(f, whole, [i])
        gradient = (np.ravel(seed) * point.slope(point.unit).value / point.unit).reshape(shape)  # elementwise: diagonal
        for axis in range(len(shape)):
            if near(gradient.sum(axis=axis).ravel(), yours, 1e-6):
                return f"summed over axis {axis}, where {x.shape} was broadcast to {shape} along another"
    except Exception:
        return None
    return None


def _second_order_of_rule(
    results: Results,
    f: Function,
    pull: Callable[[Any, list[Any]], tuple[Any, ...]],
    args: Sequence[Any],
    wrt: list[int],
    names: Sequence[str],
    name: str,
    rng: np.random.Generator,
) -> None:
    """Whether the code of a rule, run on Values, gives the derivative of the rule's numbers."""
    y = np.asarray(raw(f(*copied(args))))
    if y.size == 0 or y.dtype not in (np.float64, np.complex128):
        return
    g = draw(y, rng, signs=False)
    projections = [draw(args[i], rng, signs=False) for i in wrt]

    def rule(*inputs: Any) -> Any:
        *xs, seed = inputs
        return sum(paired(p, part) for p, part in zip(projections, pull(seed, list(xs)), strict=True))

    everything, places = [*args, g], [*wrt, len(args)]
    leaves = {i: Value(everything[i]) for i in places}
    try:
        with modes.enable_grad():
            number = rule(*[leaves.get(i, x) for i, x in enumerate(everything)])
    except Exception as error:
        why = f"order 2 could not be checked, {name} does not run on Values ({brief(error)}): write it in NumPy's " \
              f"functions, or pass order=1"  # fmt: skip
        results.doubt("order", why)
        return
    compare_second(results, rule, number, leaves, everything, places, [*names[: len(args)], "g"], rng, name)


def compare_second(
    results: Results,
    rule: Function,
    number: Any,
    leaves: Mapping[int, Value],
    everything: Sequence[Any],
    places: list[int],
    names: Sequence[str],
    rng: np.random.Generator,
    name: str,
) -> None:
    found: Mapping[Value, Any] = {}
    if isinstance(number, Value) and number.requires_grad:
        found = reverse([number], [np.ones(number.shape)[()]], wrt=list(leaves.values()))
    parts = [np.broadcast_to(np.conj(found.get(leaves[i], 0.0)), np.shape(everything[i])) for i in places]
    matrix = coordinates(parts, everything, places)[None]
    try:
        point = point_at(rule, everything, places)
    except Exception as error:
        results.doubt("order", f"order 2 could not be checked: {brief(error)}")
        return
    ends = np.cumsum([np.size(everything[i]) for i in places])

    def place(k: int, j: int | None) -> str:
        which = int(np.searchsorted(ends, k, side="right"))
        x = everything[places[which]]
        return placed(names[places[which]], x, int(k - ends[which] + np.size(x))) + " (order 2)"

    loose = results.tolerance._replace(rounding=1e-12)
    compared = compare(point, Claim(matrix), place, loose, rng)
    jumps = [row for row in compared.rows if row.status == "unclear" and row.why == "f jumps here"]
    if jumps:  # where f has a kink
        results.notes.append(f"the first derivative jumps at {jumps[0].place}: the second is not compared there")
    results.rows += [row for row in compared.rows if row not in jumps]
    results.add(compared.findings, " (order 2)")
    if any(row.status == "wrong" for row in compared.rows) or compared.findings:
        results.hint(f"the first derivative is right; differentiating {name} itself goes wrong: does its code take "
                     f"something for constant (v.data, detach), or go around NumPy's functions?")  # fmt: skip


def assert_vjp(f: Function, vjp: Function, *args: Any, **options: Any) -> Report:
    """`check_vjp`, raising what it reports: a DerivativeError unless the verdict is PASS."""
    __tracebackhide__ = True
    return check_vjp(f, vjp, *args, **options).check()
