"""Derivatives worked out by hand: a formula and its derivative, both as text or as SymPy's expressions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from ..expression import parse
from ..value import Value
from .arguments import (
    Function,
    quiet,
    raw,
)
from .by_hand import POINTS, check_derivative
from .report import Report, setting

__unittest = True  # unittest leaves frames of this module out of what it prints


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
        at = (
            [found[i] for i in sorted(set(np.linspace(0, len(found) - 1, POINTS).round().astype(int)))] if found else []
        )
        if not at:
            raise DataError(
                f"check_formula: {called[0]} is not defined between -3 and 3; give at=[...] or domain=(low, high)."
            )
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


def assert_formula(formula: Any, derivative: Any, var: str = "x", at: Any = None, **options: Any) -> Report:
    """`check_formula`, raising what it reports: a DerivativeError unless the verdict is PASS."""
    __tracebackhide__ = True
    return check_formula(formula, derivative, var, at, **options).check()
