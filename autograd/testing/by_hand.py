"""Derivatives worked out by hand: a function and its derivative, both as code."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from . import diagnosis
from .arguments import (
    Array,
    Function,
    argument_names,
    floating,
    is_number,
    named,
    placed,
    point_at,
    quiet,
    raw,
    settings_for,
    text_of,
    wide,
)
from .comparison import ALL, Claim, Comparison, Tolerance, compare
from .diagnosis import Sample
from .report import Finding, Report
from .results import Results
from .structure import copied, plain_function, same

__unittest = True  # unittest leaves frames of this module out of what it prints

POINTS = 8


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
        for several arguments. Of complex numbers see the notes.
    at : list of points
        Where to compare. A point is a number, an array, or a tuple with one of these for each argument of `f`. (An
        array alone is one point.)
    domain : (low, high), optional
        In the place of `at`: compare at 8 points drawn between these, which the steps never leave. Real numbers.
    shape : tuple of int
        With `domain`: the shape of the arguments to draw. Default: numbers.
    argnums : int or tuple of int, optional
        Which arguments `df` is about. Default: the first; all, if `df` returns a tuple of as many.
    rtol, atol : float
        ``|yours - numeric| <= atol + rtol |numeric|`` is allowed, plus the bound on the error of `numeric`. Default:
        1e-6 (or what `settings` says; at points in float32 at least 1e-4) and 0: with an absolute tolerance, a wrong
        sign on ``1e-7 * x**2`` passes.
    kinks : str
        At a kink, where left and right derivative differ: ``"error"`` keeps the check from passing; ``"subgradient"``
        allows all between the two.
    order : int
        `df` is the derivative of this order, of a function of one real number.
    seed : int, optional
        Of the points that are drawn. Default: 0, or what `settings` says.

    Returns
    -------
    Report
        True if the verdict is PASS; ``print`` shows it. `assert_derivative` raises it instead.

    Raises
    ------
    DataError
        Neither `at` nor `domain`, or a point that is no number or array; a wrong option; a complex domain, or `order`
        at a complex point.

    Notes
    -----
    Complex numbers, as in `autograd.derivative` and `autograd.jacobian`: of a complex function of complex numbers `df`
    is the complex derivative, and the check is made along the real and along the imaginary axis; if `f` is not
    holomorphic the two differ, and it fails and says so. Of a real function of :math:`z = a + ib`, `df` is the gradient
    :math:`\partial f / \partial a + i\, \partial f / \partial b`, which for ``abs(z)**2`` is ``2 * z``. Of a complex
    function of a real number it is a complex number.

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
        x      f(x)        yours      numeric      ±  rel.err
    >  -1   2.71828  -5.43656366  -8.15484549  ...  3.3e-01  BAD
      0.5  0.151633   0.60653066  0.454897995  ...  2.5e-01  BAD
        2  0.541341  0.541341133            0  ...  1.0e+00  BAD
      3 of 3 points disagree (allowed: rtol=1e-06, atol=0); numeric: complex step
      hint: your derivative lacks the term through `exp(-x)`: product rule?
      reproduce: f(-1.0), df(-1.0)
    """
    _, seed = settings_for(rtol, atol, kinks, seed)
    points = _points(f, at, domain, shape, seed)
    tolerance, _ = settings_for(rtol, atol, kinks, seed, [x for point in points for x in point])
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
            turned = [row for row in results.rows if isinstance(row.yours, complex)]
            results.hint(diagnosis.from_complex(turned, results.unit))
    derivative = "derivative" if order == 1 else f"derivative of order {order}"
    return results.report(
        f"{df_name} is the {derivative} of {f_name}", f"{df_name} is not the {derivative} of {f_name}"
    )


def _points(f: Function, at: Any, domain: Any, shape: tuple[int, ...], seed: int) -> list[tuple[Any, ...]]:
    if (at is None) == (domain is None):
        raise DataError("check_derivative needs points: at=[-1.0, 0.5, 2.0], or domain=(low, high), one of the two.")
    if domain is not None:
        low, high = domain
        if isinstance(low, complex) or isinstance(high, complex):
            raise DataError(f"domain={domain!r}: an interval of real numbers. Name complex points: at=[0.5 + 1j, ...].")
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise DataError(f"domain={domain!r}: two finite numbers, the lower one first.")
        rng, count = np.random.default_rng(seed), len(_required(f))
        size = math.prod(shape)
        drawn = []
        for k in range(POINTS):
            args = []
            for _ in range(count):
                # One in each eighth of the domain, so that every part of it is seen; for arrays, in each entry.
                place = (rng.permutation(max(size, 1)) + k / POINTS + rng.uniform(0, 1 / POINTS, max(size, 1))) / max(
                    size, 1
                )
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
    if any(np.iscomplexobj(p[0]) for p in points):
        raise DataError(
            f"order={order} at a complex point: higher derivatives are checked at real ones. Check the derivative of "
            f"each order against that of the order before."
        )
    low, high = domain if domain is not None else (-np.inf, np.inf)

    def lowered(f: Function) -> Function:
        def slope(x: Any) -> Any:
            if np.iscomplexobj(x):
                raise TypeError("differences of real numbers")
            point = point_at(f, [x], [0], low, high)
            found = point.slope(point.unit)
            if np.any(found.kink | found.jump):
                return np.nan
            real, *imag = found.value / point.unit[0]
            return real + 1j * imag[0] if imag else real

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
    if y.dtype.kind not in "biufc":
        raise DataError(f"{f_name} returned {y!r:.60}: a derivative is checked of numbers or arrays of numbers.")
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
    for i, given_claim in zip(wrt, claims, strict=True):
        real = y.dtype.kind != "c" and not np.iscomplexobj(args[i])
        if np.asarray(raw(given_claim)).dtype.kind not in ("biuf" if real else "biufc"):
            what = "None" if given_claim is None else f"{given_claim!r:.60}"
            numeric = np.asarray(raw(given_claim)).dtype.kind == "c"
            wanted = "a real derivative (f is real)" if numeric else "a number or an array"
            results.add([Finding("value", f"{df_name} returned {what}, and {wanted} is wanted")])
            return
    with quiet():

        def without_values(*inputs: Any) -> Any:
            result = df(*inputs)
            pieces = result if isinstance(result, tuple) else (result,)
            return np.concatenate([np.ravel(raw(piece)) for piece in pieces])

        results.add(plain_function(without_values, list(args), wrt, df_name))
    for i, given_claim in zip(wrt, claims, strict=True):
        x, claim_array = args[i], np.asarray(raw(given_claim))
        kind, claim = _claim(claim_array, x, y)
        if claim is None:
            results.add([Finding("shape", _shape_words(df_name, f_name, claim_array.shape, np.shape(x), y.shape))])
            return
        holomorphic = y.dtype.kind == "c" and np.iscomplexobj(x)
        point = point_at(f, args, [i], low, high, "real" if holomorphic else "")
        label = names[i] if len(args) > 1 or not is_number(x) else ""

        def place(k: int, j: int | None, x: Any = x, label: str = label) -> str:
            if j is None:
                return placed(label, x, k) if label or not is_number(x) else ""
            return f"d{placed('f', y, j)}/d{placed(label or 'x', x, k)}"

        drawn = copy.deepcopy(rng)
        compared = compare(point, claim, place, tolerance, rng, kind, complex_results=y.dtype.kind == "c")
        if holomorphic:
            _, claim_across = _claim(1j * claim_array, x, y)
            assert claim_across is not None
            across = compare(
                point_at(f, args, [i], low, high, "imag"),
                claim_across,
                place,
                tolerance,
                drawn,
                kind,
                complex_results=True,
            )
            compared = _in_both_directions(compared, across, tolerance, f_name)
        results.rows += compared.rows
        results.add(compared.findings)
        if len(point.entries) > ALL:
            results.note(compared.checked)
        if any(row.why == "yours takes f for elementwise" for row in compared.rows):
            results.hint(f"{f_name} is not elementwise: an entry of the result depends on several of {label or 'x'}; "
                         f"{df_name} must return the Jacobian, of shape {y.shape + np.shape(x)}")  # fmt: skip
        if y.dtype.kind == "c" or np.iscomplexobj(x):
            continue
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


def _in_both_directions(along: Comparison, across: Comparison, tolerance: Tolerance, f_name: str) -> Comparison:
    """Of a complex function, what was found along the real axis, and across it: the same, if it is holomorphic."""
    rows = {row.place: row for row in along.rows}
    more = []
    for row in across.rows:
        row = replace(row, **{name: getattr(row, name) / 1j for name in ("yours", "numeric", "left", "right")})
        first = rows.get(row.place)
        if first is None or (first.status == "ok" and row.status != "ok"):
            more.append(row)
        if first is None or "unclear" in (first.status, row.status):
            continue
        allowed = tolerance.atol + tolerance.rtol * abs(first.numeric) + 2 * (first.bound + row.bound)
        if abs(first.numeric - row.numeric) > allowed and first.left == first.right and row.left == row.right:
            text = f"{f_name} is not holomorphic: its derivative{' by ' if row.place else ''}{row.place} is " \
                   f"{first.numeric:.6g} along the real axis and {row.numeric:.6g} along the imaginary axis, so that " \
                   f"it has no complex derivative: check its real part and its imaginary part"  # fmt: skip
            return Comparison(along.rows, [Finding("holomorphic", text)], along.checked)
    return Comparison([*along.rows, *more], [*along.findings, *across.findings], along.checked)


def _claim(claim: Array, x: Array, y: Array) -> tuple[str, Claim | None]:
    x_shape = np.shape(x)
    n, q = math.prod(x_shape), y.size
    claim = wide(claim)

    def in_parts(matrix: Array) -> Array:
        if y.dtype.kind == "c":
            return np.concatenate([matrix.real, matrix.imag], axis=0)
        return np.concatenate([matrix.real, matrix.imag], axis=1) if np.iscomplexobj(x) else matrix

    if y.shape == () and claim.shape == x_shape:
        return "gradient", Claim(in_parts(claim.reshape(1, n)))
    if claim.shape == y.shape + x_shape:
        return "jacobian" if q > 1 else "gradient", Claim(in_parts(claim.reshape(q, n)))
    if y.shape == x_shape and claim.shape in (x_shape, ()):
        return "elementwise", Claim(in_parts(np.broadcast_to(claim, x_shape).reshape(1, n)), n)
    if q == 1 and claim.shape == x_shape:
        return "gradient", Claim(in_parts(claim.reshape(1, n)))
    return "", None


def _shape_words(df: str, f: str, claim: Any, x: Any, y: Any) -> str:
    wanted = (
        f"{x}" if y == () else f"{y + x} (the Jacobian)" + (f", or {x} for an elementwise function" if x == y else "")
    )
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
        if any(np.size(y) < np.size(s.args[argument]) for y, s in zip(ys, chosen, strict=True)):  # a sum, or a mean
            for i, other in enumerate(chosen[0].args):
                sizes |= {f"{argument_names(f, len(chosen[0].args))[i]}.size": np.size(other)}
                sizes |= (
                    {f"len({argument_names(f, len(chosen[0].args))[i]})": np.shape(other)[0]} if np.ndim(other) else {}
                )
        y = np.concatenate([np.ravel(y)[s.looked] for y, s in zip(ys, chosen, strict=True)]) if all(
            np.shape(y) == np.shape(s.args[argument]) for y, s in zip(ys, chosen, strict=True)) else None  # fmt: skip
        unit = results.unit
        simple = diagnosis.from_numbers(x, y, yours, numeric, bound, wrong, unit, sizes)
        deeper = None if simple and "1/n" in simple else diagnosis.from_graph(f, chosen, name)
        if deeper is not None and simple is not None and "too" in simple and "factor 2" not in simple:
            simple = None  # a factor of 3 is one of x**3
        if simple is None:
            simple, deeper = deeper, None
        if simple is None and np.ndim(chosen[0].args[argument]):
            simple = next(filter(None, (diagnosis.of_arrays(s) for s in chosen if np.any(s.wrong))), None)
        if simple is None:
            side = diagnosis.side_of(x, wrong) if len(x) > 1 else ""
            simple = side or diagnosis.power_of_x(x, yours, numeric, name)
        if simple is None and len(chosen) == 1 and np.count_nonzero(wrong) < len(wrong):
            simple = f"{np.count_nonzero(wrong)} of {len(wrong)} entries are wrong, the others right"
        several = len(chosen[0].args) > 1
        for hint in (simple, deeper):
            results.hint(f"{name}: {hint}" if several and hint else hint)


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
