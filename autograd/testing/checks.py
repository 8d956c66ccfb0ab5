"""The doors: checks of a student's derivative, of a formula, of an operation's rule, of the engine, of a module."""

from __future__ import annotations

import copy
import inspect
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import modes
from ..backward import reverse, settle
from ..errors import DataError
from ..expression import parse
from ..transforms import jvp
from ..value import Value
from . import diagnosis
from .comparison import Claim, Tolerance, compare, weighted
from .diagnosis import Sample
from .numerical import Point
from .report import FAIL, INCONCLUSIVE, PASS, Finding, Report, Row, setting
from .structure import brief, copied, examine, near, plain_function, same, shrunk

__unittest = True  # unittest leaves frames of this module out of what it prints

Array = Any
Function = Callable[..., Any]
POINTS = 8


# -------------------------------------------------------------------- what all have in common


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings: functions are asked at places, and in complex numbers, that they need not like."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


class Results:
    """What has been found so far, and in the end the report."""

    def __init__(self, unit: str, tolerance: Tolerance):
        self.unit, self.tolerance = unit, tolerance
        self.rows: list[Row] = []
        self.findings: list[Finding] = []
        self.doubts: list[Finding] = []
        self.hints: list[str] = []
        self.notes: list[str] = []
        self.reproduce = ""

    def add(self, findings: Sequence[Finding], where: str = "") -> None:
        known = {finding.kind for finding in self.findings}
        for finding in findings:
            if finding.kind not in known:
                self.findings.append(Finding(finding.kind, finding.text + where))

    def hint(self, text: str | None) -> None:
        if text and text not in self.hints:
            self.hints.append(text)

    def doubt(self, kind: str, text: str) -> None:
        if all(text != doubt.text for doubt in self.doubts):
            self.doubts.append(Finding(kind, text))

    def report(self, right: str, wrong: str) -> Report:
        tolerance, rows = self.tolerance, self.rows
        unclear = [row for row in rows if row.status == "unclear"]
        kinks = [row for row in rows if row.status == "kink"]
        if unclear:
            for why in dict.fromkeys(row.why for row in unclear):
                advice = {
                    "f jumps here": "choose other points",
                    "f is not defined around here": "choose points inside the domain",
                    "noise hides it": "the numbers f returns are not precise enough (float32 inside? cancellation?)",
                    "no numerical derivative": "is the derivative infinite here?",
                }.get(why, "")
                count = sum(row.why == why for row in unclear)
                self.doubt("noise" if "noise" in why else "domain", f"{why}, at {count} of {len(rows)}: {advice}")
        if kinks:
            sides = f"left {kinks[0].left:.6g}, right {kinks[0].right:.6g}, yours {kinks[0].yours:.6g}"
            self.doubt("kink", f"f has a kink here ({sides}): choose another point, or pass kinks='subgradient'")
        taken = [row for row in rows if row.status == "ok" and row.left != row.right]
        if taken:
            row = taken[0]
            named = "left" if row.yours == row.left else "right" if row.yours == row.right else "between"
            self.notes.append(f"{len(taken)} at a kink: yours {row.yours:.6g} of left {row.left:.6g}, "
                              f"right {row.right:.6g} ({named})")  # fmt: skip
        vague = [row for row in rows if row.status == "ok" and row.bound > tolerance.rtol * abs(row.numeric) > 0]
        if vague:
            worst = max(row.bound / abs(row.numeric) for row in vague)
            self.notes.append(f"{len(vague)} of {len(rows)} {self.unit} could only be compared to {min(worst, 1):.0e}: "
                              f"f returns no more digits")  # fmt: skip
        failed = bool(self.findings) or any(row.status == "wrong" for row in rows)
        verdict = FAIL if failed else INCONCLUSIVE if self.doubts else PASS
        title = {FAIL: wrong, PASS: right, INCONCLUSIVE: f"inconclusive: whether {right}"}[verdict]
        allowed = f"rtol={tolerance.rtol:.0e}, atol={tolerance.atol:g}"
        return Report(
            verdict, title, self.unit, allowed, rows, self.findings, [] if failed else self.doubts,
            self.hints, self.notes, self.reproduce,
        )  # fmt: skip


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
    rounding = 8 * np.finfo(float).eps
    if widths and min(widths) < 8:  # the gradient itself is rounded to so many digits
        eps = float(np.finfo(f"f{min(widths)}").eps)
        rtol, rounding = max(rtol, 1e3 * eps), 64 * eps
    return Tolerance(rtol, atol, kinks, rounding), setting("seed", seed, 0)


# -------------------------------------------------------------------- a derivative by hand


def check_derivative(
    f: Function,
    df: Function,
    at: Any = None,
    *,
    domain: tuple[float, float] | None = None,
    shape: tuple[int, ...] = (),
    argnums: int | tuple[int, ...] | None = None,
    rtol: float | None = None,
    atol: float = 0.0,
    kinks: str = "error",
    order: int = 1,
    seed: int | None = None,
) -> Report:
    r"""Whether `df` is the derivative of `f`.

    Parameters
    ----------
    f : callable
        Of numbers or arrays, to a number or array. Plain Python, NumPy, or Values.
    df : callable
        Takes the same arguments. What it returns says what is claimed: for a function of a number its derivative;
        for a function to a number the gradient, of the argument's shape; for an elementwise function the derivatives
        of the entries, or one number for all; else the Jacobian, of shape ``f(x).shape + x.shape``. A tuple of these
        for several arguments.
    at : list of points
        Where to compare. A point is a number, an array, or a tuple with one of these for each argument of `f`. (An
        array alone is one point.)
    domain : (low, high), optional
        In the place of `at`: compare at 8 points drawn between these, which the steps never leave.
    shape : tuple of int
        With `domain`: the shape of the arguments to draw. Default: numbers.
    argnums : int or tuple of int, optional
        Which arguments `df` is about. Default: the first; all, if `df` returns a tuple of as many.
    rtol, atol : float
        ``|yours - numeric| <= atol + rtol |numeric|`` is allowed, plus the bound on the error of `numeric`. Default:
        1e-6 (or what `settings` says) and 0: with an absolute tolerance, a wrong sign on ``1e-7 * x**2`` passes.
    kinks : str
        At a kink, where left and right derivative differ: ``"error"`` keeps the check from passing; ``"subgradient"``
        allows all between the two.
    order : int
        `df` is the derivative of this order, of a function of one number.
    seed : int, optional
        Of the points that are drawn. Default: 0, or what `settings` says.

    Returns
    -------
    Report
        True if the verdict is PASS; ``print`` shows it. `assert_derivative` raises it instead.

    Raises
    ------
    DataError
        Neither `at` nor `domain`, or a point that is no number or array; a wrong option.

    Notes
    -----
    The numerical derivative is a complex step where that agrees with differences, else extrapolated central
    differences with an estimate of their error. FAIL means that the two derivatives differ by more than the tolerance
    and that error. INCONCLUSIVE means that no verdict is possible (noise, a kink, the edge of the domain, a random
    function), and does not pass.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import check_derivative
    >>> print(check_derivative(lambda x: x**2 * np.exp(-x), lambda x: 2 * x * np.exp(-x), at=[-1.0, 0.5, 2.0]))
    df is not the derivative of f
          x       f(x)        yours      numeric      ±  rel.err
    >    -1    2.71828  -5.43656366  -8.15484549  4e-14  3.3e-01  BAD
       0.5   0.151633   0.60653066   0.454897995  2e-15  2.5e-01  BAD
         2   0.541341  0.541341133             0  0e+00  1.0e+00  BAD
      3 of 3 points disagree (allowed: rtol=1e-06, atol=0); numeric: complex step
      hint: your derivative lacks the term through `exp(-x)`: product rule?
      reproduce: f(-1.0), df(-1.0)
    """
    tolerance, seed = settings_for(rtol, atol, kinks, seed)
    points = _points(f, at, domain, shape, seed)
    if order != 1:
        f = _lower_order(f, order, points, domain)
    low, high = domain if domain is not None else (-np.inf, np.inf)
    rng = np.random.default_rng(seed)
    f_name, df_name = named(f, "f"), named(df, "df")
    results = Results("points" if all(is_number(x) for p in points for x in p) else "entries", tolerance)
    samples: list[Sample] = []
    with quiet():
        for args in points:
            before = len(results.rows)
            _one_point(results, samples, f, df, args, argnums, tolerance, rng, low, high, df_name, f_name)
            bad = next((row for row in results.rows[before:] if row.status != "ok"), None)
            if bad and not results.reproduce:
                typed = ", ".join(text_of(x) for x in args)
                results.reproduce = f"{f_name}({typed}), {df_name}({typed})"
                if domain is not None:
                    results.reproduce += f"  (drawn with seed={seed})"
            if any(finding.kind == "shape" for finding in results.findings):
                break
        if any(row.status == "wrong" for row in results.rows):
            _diagnose(results, f, samples)
    derivative = "derivative" if order == 1 else f"derivative of order {order}"
    return results.report(f"{df_name} is the {derivative} of {f_name}", f"{df_name} is not the {derivative} of {f_name}")


def _points(f: Function, at: Any, domain: Any, shape: tuple[int, ...], seed: int) -> list[tuple[Any, ...]]:
    if (at is None) == (domain is None):
        raise DataError("check_derivative needs points: at=[-1.0, 0.5, 2.0], or domain=(low, high), one of the two.")
    if domain is not None:
        low, high = domain
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise DataError(f"domain={domain!r}: two finite numbers, the lower one first.")
        rng, count = np.random.default_rng(seed), len(_required(f))
        size = math.prod(shape)
        drawn = []
        for k in range(POINTS):
            args = []
            for _ in range(count):
                # One in each eighth of the domain, so that every part of it is seen; for arrays, in each entry.
                place = (rng.permutation(max(size, 1)) + k / POINTS + rng.uniform(0, 1 / POINTS, max(size, 1))) / max(size, 1)
                args.append(np.asarray(low + (high - low) * place[:size]).reshape(shape)[()])
            drawn.append(tuple(args))
        return drawn
    if isinstance(at, np.ndarray) or not isinstance(at, Sequence | Iterator | range):
        at = [at]
    points = [point if isinstance(point, tuple) else (point,) for point in at]
    if not points:
        raise DataError("at=[]: there is no point to compare at.")
    return [tuple(floating(x, f"at={x!r:.40}") for x in point) for point in points]


def _required(f: Function) -> list[str]:
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return ["x"] * getattr(f, "nin", 1)
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            and p.default is p.empty] or ["x"]  # fmt: skip


def _lower_order(f: Function, order: int, points: Sequence[tuple[Any, ...]], domain: Any) -> Function:
    """The numerical derivative of order - 1, as a function."""
    if not isinstance(order, int) or not 1 < order <= 4:
        raise DataError(f"order={order!r}: derivatives of order 1 to 4 can be checked.")
    if any(len(p) != 1 or not is_number(p[0]) for p in points):
        raise DataError(f"order={order}: higher derivatives are checked for functions of one number.")
    low, high = domain if domain is not None else (-np.inf, np.inf)

    def lowered(f: Function) -> Function:
        def slope(x: Any) -> Any:
            if np.iscomplexobj(x):
                raise TypeError("differences of real numbers")
            point = Point(lambda flat: np.atleast_1d(raw(f(flat[0]))), np.array([x]), low, high)
            found = point.slope(point.unit)
            if found.kink[0] or found.jump[0]:
                return np.nan
            return found.value[0] / point.unit[0]

        slope.__name__ = named(f, "f")
        return slope

    for _ in range(order - 1):
        f = lowered(f)
    return f


def _one_point(
    results: Results,
    samples: list[Sample],
    f: Function,
    df: Function,
    args: tuple[Any, ...],
    argnums: Any,
    tolerance: Tolerance,
    rng: np.random.Generator,
    low: float,
    high: float,
    df_name: str,
    f_name: str,
) -> None:
    given = copied(args)
    y = np.asarray(raw(f(*given)))
    if y.dtype.kind not in "biuf":
        raise DataError(f"{f_name} returned {y!r:.60}: a derivative is checked of numbers or arrays of real numbers.")
    if not all(same(a, b) for a, b in zip(given, args, strict=True)):
        results.add([Finding("mutation", f"{f_name} changes its input; it must leave it as it is")])
    if not same(np.asarray(raw(f(*copied(args)))), y):
        results.doubt("randomness", f"{f_name} gives another result when it is called again: is it random?")
        return
    claimed = df(*copied(args))
    several = isinstance(claimed, tuple)
    if argnums is None:
        argnums = tuple(range(len(args))) if several and len(claimed) == len(args) else 0
    wrt = [argnums] if isinstance(argnums, int) else list(argnums)
    wrt = [i + len(args) if i < 0 else i for i in wrt]
    if not all(0 <= i < len(args) for i in wrt):
        raise DataError(f"argnums={argnums!r}, and there are {len(args)} arguments.")
    claims = list(claimed) if several else [claimed]
    if len(claims) != len(wrt):
        results.add([Finding("shape", f"{df_name} returns {len(claims)} derivatives, and {len(wrt)} are wanted")])
        return
    names = argument_names(f, len(args))
    with quiet():
        def without_values(*inputs: Any) -> Any:
            result = df(*inputs)
            pieces = result if isinstance(result, tuple) else (result,)
            return np.concatenate([np.ravel(raw(piece)) for piece in pieces])

        results.add(plain_function(without_values, list(args), wrt, df_name))
    for i, given_claim in zip(wrt, claims, strict=True):
        x, claim_array = args[i], np.asarray(raw(given_claim))
        if claim_array.dtype.kind not in "biuf":
            what = "None" if given_claim is None else f"{given_claim!r:.60}"
            results.add([Finding("value", f"{df_name} returned {what}, and a number or an array is wanted")])
            return
        kind, claim = _claim(claim_array, np.shape(x), y)
        if claim is None:
            results.add([Finding("shape", _shape_words(df_name, f_name, claim_array.shape, np.shape(x), y.shape))])
            return
        point = Point(flat_function(f, args, [i]), flat(args, [i]), low, high)
        label = names[i] if len(args) > 1 or not is_number(x) else ""

        def place(k: int, j: int | None, x: Any = x, label: str = label) -> str:
            if j is None:
                return placed(label, x, k) if label or not is_number(x) else ""
            return f"d{placed('f', y, j)}/d{placed(label or 'x', x, k)}"

        compared = compare(point, claim, place, tolerance, rng, kind)
        results.rows += compared.rows
        results.add(compared.findings)
        if any(row.why == "yours takes f for elementwise" for row in compared.rows):
            results.hint(f"{f_name} is not elementwise: an entry of the result depends on several of {label or 'x'}; "
                         f"{df_name} must return the Jacobian, of shape {y.shape + np.shape(x)}")  # fmt: skip
        rows = [row for row in compared.rows if np.isfinite(row.numeric) and row.left == row.right]
        if kind in ("gradient", "elementwise") and rows and not any("/d" in row.place for row in rows):
            index = {place(k, None): k for k in range(np.size(x))}
            samples.append(Sample(
                list(args), i, np.array([index[row.place] for row in rows]), np.array([row.yours for row in rows]),
                np.array([row.numeric for row in rows]), np.array([row.bound for row in rows]),
                np.array([row.status == "wrong" for row in rows]),
            ))  # fmt: skip
        elif kind == "jacobian" and any(row.status == "wrong" for row in compared.rows):
            matrix = claim.matrix
            if matrix.shape[0] == matrix.shape[1]:
                turned = compare(point, Claim(matrix.T), place, tolerance, rng, kind)
                if not any(row.status == "wrong" for row in turned.rows):
                    results.hint("yours is the transpose of the Jacobian: row i is the gradient of output i")


def _claim(claim: Array, x_shape: tuple[int, ...], y: Array) -> tuple[str, Claim | None]:
    n, q = math.prod(x_shape), y.size
    claim = np.asarray(claim, float)
    if y.shape == () and claim.shape == x_shape:
        return "gradient", Claim(claim.reshape(1, n))
    if claim.shape == y.shape + x_shape:
        return "jacobian" if q > 1 else "gradient", Claim(claim.reshape(q, n))
    if y.shape == x_shape and claim.shape in (x_shape, ()):
        return "elementwise", Claim(np.broadcast_to(claim, x_shape).ravel(), diagonal=True)
    if q == 1 and claim.shape == x_shape:
        return "gradient", Claim(claim.reshape(1, n))
    return "", None


def _shape_words(df: str, f: str, claim: Any, x: Any, y: Any) -> str:
    wanted = f"{x}" if y == () else f"{y + x} (the Jacobian)" + (f", or {x} for an elementwise function" if x == y else "")
    return f"{df} gives shape {claim}, and {f} takes shape {x} to {y}: the derivative has shape {wanted}"


def _diagnose(results: Results, f: Function, samples: list[Sample]) -> None:
    """Look for what the wrong numbers look like."""
    for argument in dict.fromkeys(sample.argument for sample in samples):
        chosen = [sample for sample in samples if sample.argument == argument]
        if not any(np.any(sample.wrong) for sample in chosen):
            continue
        name = argument_names(f, len(chosen[0].args))[argument]
        x = np.concatenate([np.ravel(s.args[argument])[s.looked] for s in chosen])
        yours, numeric, bound, wrong = (np.concatenate([getattr(s, a) for s in chosen])
                                        for a in ("yours", "numeric", "bound", "wrong"))  # fmt: skip
        ys = [np.asarray(raw(f(*s.args))) for s in chosen]
        sizes: dict[str, int] = {}
        if any(np.ndim(s.args[argument]) for s in chosen):
            for i, other in enumerate(chosen[0].args):
                sizes |= {f"{argument_names(f, len(chosen[0].args))[i]}.size": np.size(other)}
                sizes |= {f"len({argument_names(f, len(chosen[0].args))[i]})": np.shape(other)[0]} if np.ndim(other) else {}
        y = np.concatenate([np.ravel(y)[s.looked] for y, s in zip(ys, chosen, strict=True)]) if all(
            np.shape(y) == np.shape(s.args[argument]) for y, s in zip(ys, chosen, strict=True)) else None  # fmt: skip
        unit = results.unit
        simple = diagnosis.from_numbers(x, y, yours, numeric, bound, wrong, unit, sizes)
        if simple is None or "a constant factor" in simple or "constant term" in simple:
            deeper = diagnosis.from_graph(f, chosen, name)
            if deeper is not None:
                simple = deeper
        if simple is None and np.ndim(chosen[0].args[argument]):
            simple = next(filter(None, (diagnosis.of_arrays(s) for s in chosen if np.any(s.wrong))), None)
        if simple is None:
            side = diagnosis.side_of(x, wrong) if len(x) > 1 else ""
            simple = side or diagnosis.power_of_x(x, yours, numeric, name)
        if simple is None and len(chosen) == 1 and np.count_nonzero(wrong) < len(wrong):
            simple = f"{np.count_nonzero(wrong)} of {len(wrong)} entries are wrong, the others right"
        results.hint(simple)


class DerivativeOf:
    """What `derivative_of` returns: equal to every function that is the derivative."""

    def __init__(self, f: Function, options: Mapping[str, Any]):
        self.f, self.options = f, options
        self.report: Report | None = None
        """Of the last comparison."""

    def __eq__(self, df: object) -> bool:
        if not callable(df):
            return NotImplemented
        __tracebackhide__ = True
        self.report = check_derivative(self.f, df, **self.options)
        return bool(self.report)

    def __ne__(self, df: object) -> bool:
        equal = self.__eq__(df)
        return equal if equal is NotImplemented else not equal

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        about = f"derivative of {named(self.f, 'f')}"
        return f"{about}\n{self.report}" if self.report is not None and not self.report else about


def derivative_of(f: Function, at: Any = None, **options: Any) -> DerivativeOf:
    """For ``assert df == derivative_of(f, at=[...])``: equal to what `check_derivative` passes.

    Parameters
    ----------
    f : callable
    at, **options
        Those of `check_derivative`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import derivative_of
    >>> assert np.cos == derivative_of(np.sin, at=[0.0, 1.0, 4.0])
    """
    return DerivativeOf(f, {"at": at, **options})


# -------------------------------------------------------------------- formulas


def check_formula(
    formula: Any,
    derivative: Any,
    var: str = "x",
    at: Any = None,
    *,
    domain: tuple[float, float] | None = None,
    rtol: float | None = None,
    atol: float = 0.0,
    kinks: str = "error",
    order: int = 1,
    seed: int | None = None,
    **constants: float,
) -> Report:
    """Whether one formula is the derivative of another.

    Parameters
    ----------
    formula, derivative : str or SymPy expression
        Text in the language of `autograd.expression`, such as ``"x**2 * exp(-x)"``, which is never run as Python; or
        an expression of SymPy that you built.
    var : str
        The name to differentiate by.
    at : list of numbers, optional
    domain : (low, high), optional
        As for `check_derivative`. Default: points between -3 and 3 at which both are defined.
    rtol, atol, kinks, order, seed
        As for `check_derivative`.
    **constants : float
        What other names in the formulas stand for. Those that are not given are drawn between 0.5 and 1.5.

    Returns
    -------
    Report

    Raises
    ------
    ExpressionError
        A text that cannot be read.
    DataError
        As `check_derivative`.

    Examples
    --------
    >>> from autograd.testing import check_formula
    >>> check_formula("x**2 * exp(-x)", "2*x*exp(-x) - x**2*exp(-x)").verdict
    'PASS'
    >>> check_formula("sin(w*x)", "cos(w*x)").hints
    ['your derivative lacks the factor of the inner derivative, that of `w * x`: chain rule?']
    """
    tolerance_seed = setting("seed", seed, 0)
    f, f_names = _formula(formula)
    df, df_names = _formula(derivative)
    others = [name for name in dict.fromkeys([*f_names, *df_names]) if name != var]
    unknown = [name for name in constants if name not in others]
    if unknown:
        raise DataError(f"check_formula(..., {unknown[0]}=...): neither formula has a name {unknown[0]!r}.")
    rng = np.random.default_rng(tolerance_seed)
    values: dict[str, Any] = {name: constants.get(name, round(float(rng.uniform(0.5, 1.5)), 3)) for name in others}

    def function(evaluate: Callable[[Mapping[str, Any]], Any], names: Sequence[str], called: str) -> Function:
        def at_x(x: Any) -> Any:
            scope = {name: values[name] for name in names if name != var}
            if isinstance(x, Value):
                scope = {name: Value(number, label=name, requires_grad=False) for name, number in scope.items()}
            return evaluate({**scope, var: x} if var in names else scope)

        at_x.__name__ = called
        at_x.__signature__ = inspect.Signature([inspect.Parameter(var, inspect.Parameter.POSITIONAL_ONLY)])  # type: ignore[attr-defined]
        return at_x

    called = [str(text) if len(str(text)) <= 60 else default for text, default in ((formula, "f"), (derivative, "df"))]
    f_x, df_x = function(f, f_names, called[0]), function(df, df_names, called[1])
    if at is None and domain is None:
        with quiet():
            candidates = rng.permutation(np.linspace(-3, 3, 64) + rng.uniform(0, 0.09, 64))
            found = sorted(x for x in candidates.tolist() if _defined(f_x, x) and _defined(df_x, x))
        at = [found[i] for i in sorted(set(np.linspace(0, len(found) - 1, POINTS).round().astype(int)))] if found else []
        if not at:
            raise DataError(f"check_formula: {called[0]} is not defined between -3 and 3; give at=[...] or domain=(low, high).")
    report = check_derivative(f_x, df_x, at, domain=domain, rtol=rtol, atol=atol, kinks=kinks, order=order, seed=seed)
    if report.reproduce:
        bad = next((row for row in report.rows if row.status != "ok"), None)
        if bad is not None:
            scope = "".join(f", {name}={number!r}" for name, number in values.items())
            report.reproduce = f"check_formula({str(formula)!r}, {str(derivative)!r}, {var!r}, at=[{bad.x!r}]{scope})"
    return report


def _defined(f: Function, x: float) -> bool:
    try:
        return bool(np.isfinite(raw(f(np.float64(x)))))
    except Exception:
        return False


def _formula(formula: Any) -> tuple[Callable[[Mapping[str, Any]], Any], tuple[str, ...]]:
    """How to evaluate a formula, and its names."""
    if isinstance(formula, str):
        expression = parse(formula)
        return expression.evaluate, expression.names
    symbols = getattr(formula, "free_symbols", None)
    if symbols is None or not hasattr(formula, "evalf"):
        raise DataError(f"check_formula takes strings or SymPy expressions; got {formula!r:.60}.")
    names = tuple(sorted(str(symbol) for symbol in symbols))

    def evaluate(values: Mapping[str, Any]) -> Any:
        if any(isinstance(x, Value) for x in values.values()):
            raise TypeError("SymPy computes with numbers")
        given = {symbol: values[str(symbol)] for symbol in symbols}
        result = formula.evalf(17, subs={symbol: x.item() if hasattr(x, "item") else x for symbol, x in given.items()})
        return complex(result) if any(np.iscomplexobj(x) for x in values.values()) else float(result)

    return evaluate, names


# -------------------------------------------------------------------- rules of operations


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
        in `wrt`; an array if that is one, else a tuple.
    *args
        Arrays and numbers.
    wrt : int or sequence of int, optional
        Which arguments. Default: all of floating type.
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
        No argument of floating type, or a wrong option.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import check_vjp
    >>> x = np.array([[0.5, -1.0], [2.0, 0.3]])
    >>> print(check_vjp(np.tanh, lambda g, x: g * (1 - np.tanh(x)), x))
    vjp is not the vector-Jacobian product of tanh
                 x      yours    numeric      ±  rel.err
      x[0, 0]  0.5 ...
    """
    args = tuple(_argument(x) for x in args)
    chosen = _chosen(args, wrt, "check_vjp")
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
        _check_pull(results, f, pull, args, chosen, names, name, f_name, np.random.default_rng(seed))
        if order >= 2 and not results.findings and not any(row.status == "wrong" for row in results.rows):
            _second_order_of_rule(results, f, pull, args, chosen, names, name, np.random.default_rng(seed))
    what = f"the vector-Jacobian product of {f_name}"
    return results.report(f"{name} is {what}", f"{name} is not {what}")


def _argument(x: Any) -> Any:
    if isinstance(x, Value):
        return np.array(x.data)[()]
    if isinstance(x, float):
        return np.float64(x)
    if isinstance(x, list):
        return np.array(x, float if np.asarray(x).dtype.kind in "iu" else None)
    return x


def _chosen(args: Sequence[Any], wrt: Any, name: str) -> list[int]:
    if isinstance(wrt, int):
        wrt = [wrt]
    chosen = list(wrt) if wrt is not None else [
        i for i, x in enumerate(args) if isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f"
    ]  # fmt: skip
    if not chosen:
        raise DataError(f"{name}: no argument is of floating type. Pass numbers as floats, 2.0 and not 2.")
    if not all(0 <= i < len(args) and np.asarray(args[i]).dtype.kind == "f" for i in chosen):
        raise DataError(f"{name}(..., wrt={wrt!r}): not all of these are arguments of floating type.")
    return chosen


def _check_pull(
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
    _numbers_of_pull(results, f, pull, args, wrt, names, y, rng, f_name, name, where)
    if variants and not results.findings and not any(row.status == "wrong" for row in results.rows):
        for what, cut in shrunk(args, wrt):
            try:
                small = np.asarray(raw(f(*copied(cut))))
            except Exception:  # the function wants other shapes
                continue
            if small.dtype.kind != "f" or not np.all(np.isfinite(small)):
                continue
            _check_pull(results, f, pull, cut, wrt, names, name, f_name, rng,
                        engine=engine, variants=False, where=f" ({what})")  # fmt: skip


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
) -> None:
    if y.size == 0 or not sum(np.size(args[i]) for i in wrt):
        return
    seeds = rng.uniform(0.5, 1.5, (2, *y.shape)) * rng.choice([-1.0, 1.0], (2, *y.shape))
    seeds = seeds.astype(y.dtype if y.dtype.kind == "f" else float)
    rows = []
    for g in seeds:
        parts = pull(np.array(g)[()], copied(args))
        rows.append(np.concatenate([np.ravel(np.asarray(part, float)) for part in parts]))
    matrix = np.array(rows)
    wide = [np.asarray(x, float)[()] if i in wrt else x for i, x in enumerate(args)]
    weights = np.asarray(seeds.reshape(2, -1), float)
    point = Point(flat_function(f, wide, wrt), flat(wide, wrt))
    ends = np.cumsum([np.size(args[i]) for i in wrt])

    def place(k: int, j: int | None) -> str:
        which = int(np.searchsorted(ends, k, side="right"))
        start = ends[which] - np.size(args[wrt[which]])
        return placed(names[wrt[which]], args[wrt[which]], int(k - start)) + where

    compared = compare(point, Claim(matrix), place, results.tolerance, rng, "seeds", weights)
    results.rows += compared.rows
    results.add(compared.findings, where)
    if not any(row.status == "wrong" for row in compared.rows):
        return
    if not results.reproduce:
        typed = ", ".join(text_of(x) for x in args)
        results.reproduce = f"args = {typed}; {name}(np.ones({y.shape}), *args)" if y.shape else f"{name}(1.0, {typed})"
    _diagnose_pull(results, f, args, wrt, names, ends, matrix, point, seeds, compared.rows, place)


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
        x = np.ravel(args[i])[sample.looked]
        hint = diagnosis.from_numbers(x, None, yours, numeric, bound, bad, "entries", sizes)
        if hint is None or "a constant factor" in hint:
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
        point = Point(flat_function(f, whole, [i]), whole[i].ravel())
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
    if y.size == 0 or y.dtype != np.float64:
        return
    g = np.asarray(rng.uniform(0.5, 1.5, y.shape))[()]
    projections = [np.asarray(rng.uniform(0.5, 1.5, np.shape(args[i])))[()] for i in wrt]

    def rule(*inputs: Any) -> Any:
        *xs, seed = inputs
        return sum(np.sum(p * part) for p, part in zip(projections, pull(seed, list(xs)), strict=True))

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
    _compare_second(results, rule, number, leaves, everything, places, [*names[: len(args)], "g"], rng, name)


def _compare_second(
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
    parts = [np.broadcast_to(found.get(leaves[i], 0.0), np.shape(everything[i])) for i in places]
    matrix = np.concatenate([np.ravel(np.asarray(part, float)) for part in parts])[None]
    try:
        point = Point(flat_function(rule, everything, places), flat(everything, places))
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
    results.rows += compared.rows
    results.add(compared.findings, " (order 2)")
    if any(row.status == "wrong" for row in compared.rows) or compared.findings:
        results.hint(f"the first derivative is right; differentiating {name} itself goes wrong: does its code take "
                     f"something for constant (v.data, detach), or go around NumPy's functions?")  # fmt: skip


# -------------------------------------------------------------------- the engine's own gradients


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
        Those of floating type are differentiated by; others are handed on.
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
        No argument of floating type, or a wrong option.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import check_gradients
    >>> check_gradients(lambda x, w: np.tanh(x @ w), np.ones((2, 3)), np.array([0.1, -0.2, 0.3])).verdict
    'PASS'
    """
    args = tuple(_argument(x) for x in args)
    chosen = _chosen(args, None, "check_gradients")
    tolerance, seed = settings_for(rtol, atol, kinks, seed, [args[i] for i in chosen])
    if unknown := set(modes) - {"reverse", "forward"}:
        raise DataError(f"modes={modes!r}: {unknown.pop()!r} is none of 'reverse' and 'forward'.")
    results = Results("entries", tolerance)
    name = named(f, "f")
    with quiet():
        _check_engine(results, f, args, chosen, argument_names(f, len(args)), name, seed, order, modes)
    return results.report(f"the gradients of {name} are right", f"the gradients of {name} are wrong")


def plain_of(f: Function, args: Sequence[Any]) -> Function:
    """f from arrays to arrays: as it is if it takes arrays, else by way of constants."""

    def by_values(*inputs: Any) -> Any:
        with modes.no_grad():
            return raw(f(*[Value(x) if isinstance(x, np.ndarray | np.floating) and x.dtype.kind == "f" else x
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
            found = reverse([y], [g], wrt=leaves)
        return tuple(settle(found[x], x.data) if x in found else np.zeros_like(x.data)[()] for x in leaves)

    rng = np.random.default_rng(seed)
    if "reverse" in in_modes:
        _check_pull(results, numbers, pull, args, wrt, names, "backward", name, rng, engine=True, variants=False, where=where)
    if any(row.status == "wrong" for row in results.rows):
        _localise(results, f, args, wrt, names, rng)
        return
    y = np.asarray(numbers(*copied(args)))
    if "forward" in in_modes and y.size and not results.doubts:
        wide = [np.asarray(x, float)[()] if i in wrt else x for i, x in enumerate(args)]
        point = Point(flat_function(numbers, wide, wrt), flat(wide, wrt))
        direction = point.unit * rng.uniform(0.5, 1.5, len(point.x)) * rng.choice([-1.0, 1.0], len(point.x))
        slope = point.slope(direction)
        shapes = [np.shape(args[i]) for i in wrt]
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        tangents = [np.asarray(direction[end - math.prod(s) : end].reshape(s), np.asarray(args[i]).dtype)[()]
                    for i, s, end in zip(wrt, shapes, ends, strict=True)]  # fmt: skip

        def of_chosen(*xs: Any) -> Any:
            inputs = list(args)
            for i, x in zip(wrt, xs, strict=True):
                inputs[i] = x
            return f(*inputs)

        _, along = jvp(of_chosen, [args[i] for i in wrt], tangents)
        along = np.ravel(np.asarray(raw(along), float))
        tolerance = results.tolerance
        size = np.max(np.abs(slope.value[np.isfinite(slope.value)]), initial=0.0)
        wrong = ~(np.abs(along - slope.value) <= tolerance.atol + tolerance.rtol * (np.abs(slope.value) + 1e-3 * size) + slope.bound)
        wrong &= np.isfinite(slope.bound) & ~slope.kink & ~slope.jump
        if np.any(wrong):
            j = int(np.argmax(wrong))
            results.add([Finding("forward", f"forward mode gives {along[j]:.9g} for {placed('f', y, j)} along a random "
                                            f"direction, numeric {slope.value[j]:.9g}")], where)  # fmt: skip
    if order >= 2 and y.size and y.dtype == np.float64 and not results.findings and not results.doubts:
        g = np.asarray(rng.uniform(0.5, 1.5, y.shape))[()]
        projections = [np.asarray(rng.uniform(0.5, 1.5, np.shape(args[i])))[()] for i in wrt]

        def gradient(*inputs: Any) -> Any:
            *xs, upstream = inputs
            return sum(np.sum(p * part) for p, part in zip(projections, pull(upstream, list(xs)), strict=True))

        leaves, result = run(args)
        upstream = Value(g)
        number: Any = 0.0
        if isinstance(result, Value) and result.requires_grad:
            shares = reverse([result], [upstream], wrt=leaves, create_graph=True)
            number = sum(np.sum(p * shares[x]) for p, x in zip(projections, leaves, strict=True) if x in shares)
        holders = {**dict(zip(wrt, leaves, strict=True)), len(args): upstream}
        _compare_second(results, gradient, number, holders, [*args, g], [*wrt, len(args)], [*names, "g"], rng, name)


def _localise(results: Results, f: Function, args: Sequence[Any], wrt: list[int], names: Sequence[str], rng: Any) -> None:
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


# -------------------------------------------------------------------- modules


def check_module(
    layer: Any,
    *inputs: Any,
    order: int = 1,
    rtol: float | None = None,
    atol: float = 0.0,
    kinks: str = "subgradient",
    seed: int | None = None,
) -> Report:
    """Whether the gradients of a module are right, of every parameter and input by name.

    Parameters
    ----------
    layer : Module
        Anything with `named_parameters`, `named_modules`, `train` and `eval`, callable on `inputs`.
    *inputs : arrays
        With examples along the first axis, three or more are used; batches of 1 and of none are tried as well.
    order : int
        2: also the gradient of the gradient.
    rtol, atol, kinks, seed
        As for `check_vjp`.

    Returns
    -------
    Report

    Raises
    ------
    DataError
        Neither a parameter nor an input is of floating type, or a wrong option.

    Notes
    -----
    It is checked in training and in evaluation mode. Every call starts from the same state: arrays, numbers and
    random generators that the module and those inside hold, and NumPy's global generator, are put back before each
    call and at the end, as is the mode; no parameter's `data` or `grad` changes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> from autograd.testing import check_module
    >>> check_module(nn.Dense(3, 2, np.tanh, seed=0), np.ones((4, 3))).verdict
    'PASS'
    """
    given = [_argument(x) for x in inputs]
    parameters = list(layer.named_parameters())
    values = [parameter for _, parameter in parameters]
    tolerance, seed = settings_for(rtol, atol, kinks, seed, [*(v.data for v in values), *given])
    results = Results("entries", tolerance)
    names = [*(path for path, _ in parameters), *argument_names(layer.forward, len(given))]
    state = _State(layer)
    originals = [(v.data, v._grad) for v in values]
    label = type(layer).__name__
    try:
        with quiet():
            for training in (True, False):
                layer.train() if training else layer.eval()
                mode = "train" if training else "eval"
                # What the layer holds, in this mode, is where every call starts.
                start = _State(layer)
                for size in (3, 1, 0):
                    batch = [x if np.ndim(x) == 0 else np.take(x, np.arange(size), axis=0, mode="wrap") if len(x) else x
                             for x in given]  # fmt: skip
                    if size != 3 and not any(np.ndim(x) for x in given):
                        continue
                    _check_batch(results, layer, values, batch, names, start, f" ({mode}, batch {size})", size, seed, order)
    finally:
        for value, (data, gradient) in zip(values, originals, strict=True):
            value.data = data
            value._grad = gradient
        state.restore()
    if not results.rows and not results.findings and not results.doubts:
        results.doubt("domain", f"{label} could not be called on a batch of any size")
    return results.report(f"the gradients of {label} are right", f"the gradients of {label} are wrong")


def _check_batch(
    results: Results,
    layer: Any,
    values: list[Value],
    batch: list[Any],
    names: Sequence[str],
    start: _State,
    where: str,
    size: int,
    seed: int,
    order: int,
) -> None:
    count = len(values)
    args = (*(np.array(v.data)[()] for v in values), *batch)

    def run(*arrays: Any) -> Any:
        start.restore()
        for value, array in zip(values, arrays[:count], strict=True):
            value.data = np.array(raw(array))[()]
        return layer(*arrays[count:])

    wrt = _chosen(args, None, "check_module")

    def pull(g: Any, arrays: list[Any]) -> tuple[Any, ...]:
        ends: list[Any] = list(values)
        handed = []
        for i, x in enumerate(arrays[count:], start=count):
            handed.append(Value(x, label=names[i]) if i in wrt else x)
            ends += [handed[-1]] if i in wrt else []
        with modes.enable_grad():
            y = run(*arrays[:count], *handed)
        found: Mapping[Value, Any] = reverse([y], [g], wrt=ends) if isinstance(y, Value) and y.requires_grad else {}
        return tuple(settle(found[x], x.data) if x in found else np.zeros_like(x.data)[()] for x in ends)

    def numbers(*arrays: Any) -> Any:
        if any(np.iscomplexobj(x) for x in arrays):
            raise TypeError("parameters are real")
        with modes.no_grad():
            return raw(run(*arrays))

    try:
        y = np.asarray(numbers(*args))
    except ValueError as error:
        if size == 3:
            raise
        results.notes.append(f"{type(layer).__name__} refuses a batch of {size}{where}: {brief(error)}")
        return
    except Exception as error:
        if size == 3:
            raise
        results.add([Finding("batch", f"{type(layer).__name__} raises {brief(error)}")], where)
        return
    if not np.all(np.isfinite(y)):
        if size:
            results.doubt("domain", f"{type(layer).__name__} gives numbers that are not finite{where}")
        return
    rng = np.random.default_rng(seed)
    before = len(results.rows)
    _check_pull(results, numbers, pull, args, wrt, names, "backward", type(layer).__name__, rng,
                engine=True, variants=False, where=where)  # fmt: skip
    if order >= 2 and size == 3 and not any(row.status == "wrong" for row in results.rows[before:]):
        results.notes.append("the second order of modules is checked by check_gradients of their forward")


class _State:
    """What a module and those inside hold besides parameters, and NumPy's global generator: to be put back."""

    def __init__(self, layer: Any):
        self.generator = np.random.get_state()  # noqa: NPY002 - a layer may use it
        self.held: list[tuple[Any, str, Any, Any]] = []
        self.modes = [(module, module.training) for _, module in layer.named_modules()]
        for _, module in layer.named_modules():
            for name, content in vars(module).items():
                if isinstance(content, np.random.Generator):
                    self.held.append((module, name, content, copy.deepcopy(content.bit_generator.state)))
                elif isinstance(content, np.ndarray | np.generic | int | float | None):
                    self.held.append((module, name, content, copy.deepcopy(content)))
                elif isinstance(content, Value) and not content.requires_grad and content.is_leaf:
                    self.held.append((module, name, content, np.array(content.data)[()]))

    def restore(self) -> None:
        np.random.set_state(self.generator)  # noqa: NPY002
        for module, name, content, saved in self.held:
            if isinstance(content, np.random.Generator):
                content.bit_generator.state = copy.deepcopy(saved)
            elif isinstance(content, Value):
                content.data = saved
            elif isinstance(content, np.ndarray) and content.flags.writeable:
                content[...] = saved
            else:
                object.__setattr__(module, name, copy.deepcopy(saved))
            if isinstance(content, np.random.Generator | Value | np.ndarray):
                object.__setattr__(module, name, content)
        for module, training in self.modes:
            module.training = training


# -------------------------------------------------------------------- the same, as assertions


def assert_derivative(f: Function, df: Function, at: Any = None, **options: Any) -> Report:
    """`check_derivative`, raising what it reports.

    Raises
    ------
    DerivativeError
        An AssertionError: the verdict is FAIL or INCONCLUSIVE.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import assert_derivative
    >>> assert_derivative(np.tanh, lambda x: 1 - np.tanh(x) ** 2, domain=(-2, 2))
    <PASS: df is the derivative of tanh>
    """
    __tracebackhide__ = True
    return check_derivative(f, df, at, **options).check()


def assert_formula(formula: Any, derivative: Any, var: str = "x", at: Any = None, **options: Any) -> Report:
    """`check_formula`, raising what it reports: a DerivativeError unless the verdict is PASS."""
    __tracebackhide__ = True
    return check_formula(formula, derivative, var, at, **options).check()


def assert_vjp(f: Function, vjp: Function, *args: Any, **options: Any) -> Report:
    """`check_vjp`, raising what it reports: a DerivativeError unless the verdict is PASS."""
    __tracebackhide__ = True
    return check_vjp(f, vjp, *args, **options).check()


def assert_gradients(f: Function, *args: Any, **options: Any) -> Report:
    """`check_gradients`, raising what it reports: a DerivativeError unless the verdict is PASS."""
    __tracebackhide__ = True
    return check_gradients(f, *args, **options).check()


def assert_module(layer: Any, *inputs: Any, **options: Any) -> Report:
    """`check_module`, raising what it reports: a DerivativeError unless the verdict is PASS."""
    __tracebackhide__ = True
    return check_module(layer, *inputs, **options).check()
