"""Op: a NumPy function, its derivative rules and its formula; and the registry of all of them.

    defop(np.tanh, lambda g, y, x: g * (1 - y * y), formula="1 - tanh(x)²", domain=(-3, 3))

is all it takes to add an operation, here and in a user's own file. A rule is a line of ordinary NumPy
from the upstream gradient `g`, the result `y`, the inputs and the operation's own keywords to the
gradient of one input. It imports nothing from the engine: given raw arrays it is the fast backward
pass; given Values the same text records itself through NumPy's dispatch protocols (NEP 13, NEP 18), and
the gradient is a graph that can be differentiated again.

Three things a rule need not do: sum over axes that were broadcast, broadcast a result that has too few
axes, cast to the input's dtype. The driver does these once, for every rule.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

import numpy as np

from .errors import AutogradError, LibraryError, NoRuleError

Rule = Callable[..., Any]
Domain = tuple[float, float]
Cases = Callable[[Callable[..., np.ndarray]], list[tuple[tuple[Any, ...], dict[str, Any]]]]


def as_array(x: Any, dtype: Any = None) -> Any:
    """An array of whatever library, or a Value, as it is; anything else as a NumPy array.

    What a layer or a loss of your own begins with, if it is to take lists and numbers, too.

    Parameters
    ----------
    x : array, Value, number or nested list
        An array is what speaks NumPy's protocol ``__array_function__``.
    dtype : dtype, optional
        Of the array that a number or a list becomes.

    Returns
    -------
    array or Value

    Examples
    --------
    >>> from autograd import as_array
    >>> as_array([1, 2], float)
    array([1., 2.])
    """
    if type(x) is np.ndarray or (hasattr(x, "__array_function__") and not isinstance(x, np.ndarray)):
        return x
    return np.asarray(x) if isinstance(x, np.ndarray) else np.asarray(x, dtype)


def certain(condition: Any) -> bool:
    """Whether a condition on the contents of arrays is known to hold; of a lazy array that cannot be asked.

    What a check of contents asks, so that it does not compute what is meant to be computed later:
    ``if certain(np.any(p > 1)): raise ...``.

    Parameters
    ----------
    condition : bool, or array of a single one

    Returns
    -------
    bool
        False of an array of Dask.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import certain
    >>> certain(np.any(np.array([0.5, 2.0]) > 1))
    True
    """
    return bool(condition) if type(condition) is np.bool_ else not is_lazy(condition) and bool(condition)


def is_lazy(x: Any) -> bool:
    """Whether an array's contents are not there yet, as of Dask's."""
    return type(x) is not np.ndarray and hasattr(type(x), "__dask_graph__")


lazy_kinds: set[type] = set()
"""The types of lazy arrays that Values were made of: empty, as nearly always, it spares all others a look."""


@contextmanager
def uncomputed() -> Iterator[None]:
    """Inside, it is an error where Dask would compute an array because it has no lazy form of a function."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*not implemented by Dask", FutureWarning)
        yield


def known(name: str, *arrays: Any) -> None:
    """Raise for a lazy array or Value in a function that looks at its numbers before it knows what there is to do."""
    if lazy_kinds and any(is_lazy(getattr(x, "_array", x)) for x in arrays):
        raise LibraryError(f"np.{name} has no form that waits, and would compute. Write it of v.data.compute().")


def is_foreign(x: Any) -> bool:
    """Whether it is an array of another library than NumPy; what notes calls for a program stands for NumPy's own."""
    kind = type(x)
    if kind is np.ndarray:
        return False
    return hasattr(kind, "__array_function__") and not issubclass(kind, np.ndarray) and not hasattr(kind, "of_numpy")


def beside(constant: Any, *others: Any) -> Any:
    """An array of NumPy's, in the library of the arrays or Values that it is about to meet."""
    for other in others:
        array = getattr(other, "_array", other)
        if is_foreign(array):
            return np.asarray(constant, like=array)
    return constant


def zeros(shape: tuple[int, ...], like: Any, dtype: Any = None) -> Any:
    """Zeros of a shape in the library, and unless it is given in the dtype, of an array."""
    if is_foreign(like):
        return np.zeros_like(like, dtype, shape=shape)
    return np.zeros(shape, like.dtype if dtype is None else dtype)


class Op:
    """One differentiable operation: what `defop` makes and the registry holds.

    Attributes
    ----------
    name : str
        As users know it: ``"tanh"``, ``"linalg.det"``. Unique; a pickled graph names its operations.
    function : callable
        The forward pass on raw arrays.
    rules : tuple of callable or None, or callable
        One for each differentiable argument; None where the derivative is zero. An operation that takes
        any number of arrays has a single rule, whose first argument is the index of the array.
    formula : tuple of str
        For each rule: the local derivative (of an elementwise operation), or the rule in words.
    symbol : str or None
        The Python operator that writes it, if there is one: ``"*"``.
    elementwise : bool
        Whether each entry of the result depends only on the entries it is broadcast from.
    moves : bool
        Whether the rules only move, repeat and add up entries of `g`, or scale them by positive numbers.
    masked : bool
        Whether the keyword `where` names the entries that count; the others then go through np.where first.
    cuts : callable or None
        ``cuts(index, y, *inputs, **keywords)``: where the result does not depend on that input, as `where` does not on
        what was not chosen.
    parameters : tuple of str
        The names of all arguments in the function's own order, inputs first.
    with_saved : callable or None
        The forward pass that also returns what the rules can use again.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        rules: Any,
        formula: Any,
        *,
        symbol: str | None = None,
        elementwise: bool = False,
        variadic: bool = False,
        saves: bool = False,
        moves: bool = False,
        masked: bool = False,
        cuts: Callable[..., Any] | None = None,
        domain: Domain | tuple[Domain, ...] = (-2.0, 2.0),
        cases: Cases | None = None,
    ):
        self.name, self.function = name, function
        self.with_saved: Callable[..., tuple[Any, Any]] | None = None
        if saves:
            self.with_saved, self.function = function, lambda *args, **kwargs: function(*args, **kwargs)[0]
        self.symbol, self.elementwise, self.variadic = symbol, elementwise, variadic
        self.moves, self.masked, self.cuts = moves, masked, cuts
        self.domain, self.cases = domain, cases
        self.rules: Any = rules
        if not variadic:
            self.rules = tuple(rules) if isinstance(rules, tuple | list) else (rules,)
        given = [rule for rule in ((rules,) if variadic else self.rules) if rule is not None]
        if not given or not all(hasattr(rule, "__code__") for rule in given):
            raise TypeError(
                f"{name}: rules are Python functions, one for each input (None where the derivative is zero, but not "
                f"for all), or a single one with variadic=True; got {rules!r:.80}."
            )
        self.formula: tuple[str, ...] = formula if isinstance(formula, tuple) else (formula,)
        self.count: int = 0 if self.variadic else len(self.rules)
        code = given[0].__code__
        # A variadic rule is (i, g, y, *arrays, keywords); any other (g, y, inputs, keywords).
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.parameters: tuple[str, ...] = tuple(n for n in names[3 if self.variadic else 2 :] if n != "saved")
        # What the driver may call as rule(g, y, x), or rule(g, y, a, b), with no look at anything else.
        self.single: Rule | None = self.rules[0] if self.count == 1 else None
        self.pair: tuple[Rule, Rule] | None = (
            self.rules if self.count == len(self.parameters) == 2 and None not in self.rules else None
        )
        self.__doc__ = function.__doc__
        self.__name__, self.__module__, self.__wrapped__ = name, getattr(function, "__module__", "numpy"), function

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if operations.get(self.name) is not self:
            raise AutogradError(f"A graph with the operation {self.name!r}, made on the spot, cannot be pickled.")
        return named, (self.name,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arrays of any library; hand over to an argument that `takes_operations`, as Values do."""
        for argument in args:
            kind = type(argument)
            if getattr(kind, "takes_operations", False):
                return kind.__array_function__(argument, self, (kind,), args, kwargs)
        return self.function(*args, **kwargs)

    def gradient(self, index: int, g: Any, y: Any, inputs: Sequence[Any], params: dict[str, Any] | None) -> Any:
        """The rule of input `index`, applied; a zero where that rule is None."""
        rule = partial(self.rules, index) if self.variadic else self.rules[index]
        if rule is None:
            return 0.0
        return rule(g, y, *inputs, **params) if params else rule(g, y, *inputs)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any] | None]:
        """Split a call in NumPy's own signature into the inputs and the keyword parameters."""
        names, count = self.parameters, self.count
        if not kwargs and 0 < count < len(args) <= len(names) and "out" not in names:  # the short way
            return args[:count], dict(zip(names[count:], args[count:], strict=False))
        if self.variadic:
            inputs, params = args, kwargs
        else:
            if len(args) > len(names):
                raise TypeError(f"{self.name}() takes {len(names)} arguments and got {len(args)}.")
            inputs, params = args[:count], dict(zip(names[count:], args[count:], strict=False))
            for name in kwargs:
                if name in names[: len(args)]:
                    raise TypeError(f"{self.name}() got {name!r} twice: by position and by name.")
            params.update(kwargs)
            for name in names[len(inputs) : count]:
                if name not in params:
                    raise TypeError(f"{self.name}() is missing its argument {name!r}.")
                inputs += (params.pop(name),)
        if not params:
            return inputs, None
        if params.pop("out", None) is not None:
            raise out_refused(self.name)
        for name in kwargs:
            if name not in names:
                known = ", ".join(names[count:]) or "none"
                raise NoRuleError(
                    f"{self.name}({name}=...) has no derivative rule for the keyword {name!r} (known: {known}). "
                    f"Write it with operations that have one, or call it on `.data`, where no gradient is wanted."
                )
        if self.masked and params.get("where", True) is not True:
            inputs = (np.where(spread(params["where"], inputs[0]), inputs[0], 0), *inputs[1:])
        return inputs, params or None


def size(x: Any) -> int:
    """How many entries there are, which np.size does not know of every library's arrays."""
    return math.prod(np.shape(x))


def spread(condition: Any, array: Any) -> Any:
    """A condition, as a list or an array, in the shape of another array."""
    condition = beside(as_array(getattr(condition, "_array", condition)), array)
    return np.broadcast_to(condition, np.shape(array))


def out_refused(name: str) -> NoRuleError:
    """The error for a result that is to be written into an array."""
    return NoRuleError(
        f"{name}(out=...) would write the result into an existing array, and its gradient would be lost. Leave `out` "
        f"away and use what the function returns."
    )


KEYWORDS = {"where", "dtype", "casting", "order", "subok", "signature", "sig"}
"""What every ufunc can be told beside its arrays."""


class Several:
    """What stands behind a function with several results: an operation for each, which share one computation."""

    def __init__(self, function: Callable[..., Any], parts: Sequence[Op], make: Callable[[list[Any]], Any]):
        self.function, self.parts, self.make = function, parts, make

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As an `Op` is called."""
        for argument in args:
            kind = type(argument)
            if getattr(kind, "takes_operations", False):
                return kind.__array_function__(argument, self, (kind,), args, kwargs)
        return self.make(list(self.function(*args, **kwargs)[: len(self.parts)]))


class Plain:
    """What stands behind a function without a derivative: itself, or `function`, on the data, with a plain answer."""

    def __init__(self, function: Callable[..., Any] | None = None):
        self.function = function


class Refused:
    """What stands behind a function that cannot be had with a Value: why, and what to write instead."""

    def __init__(self, reason: str):
        self.reason = reason


registry: dict[Callable[..., Any], Op | Several | Plain | Refused | Callable[..., Any]] = {}
"""What stands behind each function: one of these, or a Python function composed of operations."""

finders: list[Callable[[Callable[..., Any] | str], None]] = []
"""Called with a function, or the name of an operation, that is not known yet: each may put it there."""


def found(function: Callable[..., Any]) -> Op | Several | Plain | Refused | Callable[..., Any] | None:
    """What stands behind a function, also if it has to be looked for."""
    for finder in finders:
        if function in registry:
            break
        finder(function)
    return registry.get(function)


operations: dict[str, Op] = {}
"""Every `Op` by its name, in the order of definition. The tests walk this."""


def named(name: str) -> Op:
    """The operation of that name: what a pickled graph asks for."""
    for finder in finders:
        if name in operations:
            break
        finder(name)
    try:
        return operations[name]
    except KeyError:
        raise AutogradError(
            f"There is no operation named {name!r} here. If it is one of your own, import the module that calls "
            f"`defop` for it before you load this graph."
        ) from None


def defop(
    function: Callable[..., Any],
    rules: Rule | tuple[Rule | None, ...],
    *,
    formula: str | tuple[str, ...],
    name: str | None = None,
    symbol: str | None = None,
    elementwise: bool | None = None,
    variadic: bool = False,
    saves: bool = False,
    moves: bool = False,
    masked: bool = False,
    cuts: Callable[..., Any] | None = None,
    domain: Domain | tuple[Domain, ...] = (-2.0, 2.0),
    cases: Cases | None = None,
) -> Op:
    r"""Add an operation: a function and, for each of its inputs, the rule of its gradient.

    For ``y = f(a, b, ...)`` and a scalar loss :math:`L` with upstream gradient :math:`g = dL/dy`, the rule
    of `a` returns the vector-Jacobian product :math:`(dy/da)^T g`.

    Parameters
    ----------
    function : callable
        A NumPy function, or one of your own on arrays. It must not change its inputs.
    rules : callable, or tuple of callable or None
        ``rule(g, y, *inputs, **keywords)`` for each differentiable input, in order; `g` and `y` have the
        shape of the result. The names after `g` and `y` are the function's own, in its own order; a keyword
        that no rule names is refused when the operation is called. None stands for a derivative that is zero
        everywhere. A rule calls NumPy (or other operations) only, so that it can be differentiated itself,
        and returns a new array, `g`, or a view of `g`.
    formula : str or tuple of str
        One for each rule, in the names of its arguments: the local derivative of an elementwise operation
        (``"1 - tanh(x)²"``), or what the rule does (``"g @ bᵀ"``).
    name : str, optional
        Default: the function's own name, without underscores before it.
    symbol : str, optional
        The Python operator that writes it.
    elementwise : bool, optional
        Default: True for a ufunc without a signature.
    variadic : bool
        The operation takes any number of arrays, all differentiable; then `rules` is one function
        ``rule(i, g, y, *arrays, **keywords)`` that returns the gradient of array `i`.
    saves : bool
        `function` returns a pair: the result, and what the rules can use again. They get it as the keyword `saved`,
        which is None while the gradient itself is recorded: then they compute it anew from the inputs.
    moves : bool
        The rules only move, repeat and add up entries of `g`, or scale them by positive numbers. Then a gradient that a
        `where` cut to zero stays zero on its way through, whatever comes later.
    masked : bool
        `where` is a keyword of the function, as of np.sum: which entries of its one input count. The others then have
        the gradient zero, whatever they were computed from.
    cuts : callable, optional
        ``cuts(index, y, *inputs, **keywords)`` returns, in a shape that broadcasts to that of `y`, where `y` does not
        depend on input `index` at all.
    domain : (low, high), or one for each input
        Where the tests draw inputs from: away from kinks and poles.
    cases : callable, optional
        ``cases(a)`` returns a list of ``call(...)``, with ``a(3, 4)`` an array of that shape drawn from
        `domain`: what the tests call the operation with. Default: for elementwise operations, broadcasting
        shapes.

    Returns
    -------
    Op
        Callable like `function`, on arrays and on Values.

    Raises
    ------
    ValueError
        If the function has a rule already, an operation of that name exists, a lambda has none, or there are not as
        many formulas as rules.
    TypeError
        If a rule is not a Python function.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Value, defop
    >>> def cube(x):
    ...     return x**3
    >>> cube = defop(cube, lambda g, y, x: g * 3 * x**2, formula="3 x²", name="doc_cube")
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    np.float64(12.0)
    """
    name = name or function.__name__.lstrip("_")
    if name == "<lambda>":
        raise ValueError("defop of a lambda needs a `name=`: messages, pictures and pickles name operations.")
    if elementwise is None:
        elementwise = isinstance(function, np.ufunc) and function.signature is None
    if not _of_the_table(rules):
        found(function)  # the table, all of it, comes first
    if name in operations:
        raise ValueError(f"There is already an operation named {name!r}. Give yours another `name=`.")
    if function in registry:
        raise ValueError(f"{function.__name__} has a rule, or something else that stands behind it, already.")
    op = Op(
        name, function, rules, formula,
        symbol=symbol, elementwise=elementwise, variadic=variadic, saves=saves, moves=moves, masked=masked, cuts=cuts,
        domain=domain, cases=cases,
    )  # fmt: skip
    if not variadic and len(op.formula) != op.count:
        raise ValueError(f"{name}: {op.count} rules and {len(op.formula)} formulas; give one formula for each rule.")
    operations[name] = op
    registry[function] = registry[op] = op
    return op


def _of_the_table(rules: Any) -> bool:
    """Whether these are the package's own rules."""
    given = rules if isinstance(rules, tuple | list) else (rules,)
    return any(str(getattr(rule, "__module__", "")).startswith(f"{__package__}.rules") for rule in given)


def defparts(
    function: Callable[..., Any],
    rules: dict[str, Rule | tuple[Rule | None, ...]],
    *,
    formula: dict[str, str | tuple[str, ...]],
    name: str,
    make: Callable[[list[Any]], Any] = tuple,
    **keywords: Any,
) -> tuple[Op, ...]:
    """Add a function with several results: an operation for each, named ``name.part``.

    A gradient is linear in what comes from upstream, so that each result can have rules of its own; their sum is the
    whole. The rules get all results as the keyword `saved`, or None while the gradient itself is recorded.

    Parameters
    ----------
    function : callable
        It returns a sequence of arrays.
    rules, formula : dict
        By the name of the result, in their order: what `defop` takes.
    name : str
    make : callable
        What makes of the list of results what the function returns.
    **keywords
        As for `defop`, the same for each.
    """

    def part(number: int) -> Callable[..., Any]:
        def computed(*args: Any, saved: Any = None, **params: Any) -> Any:
            results = function(*args, **params) if saved is None else saved
            return results[number], results

        return computed

    parts = tuple(
        defop(part(number), rules[result], formula=formula[result], name=f"{name}.{result}", saves=True, **keywords)
        for number, result in enumerate(rules)
    )
    several = Several(function, parts, make)
    registry[function] = registry[several] = several
    return parts


def same(g: Any, y: Any, a: Any, b: Any) -> Any:
    """The rule of an operand whose gradient is the upstream one; the driver need not call it."""
    return g


def call(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A call to be made, for `cases`."""
    return args, kwargs


def composed(*functions: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as what stands behind NumPy's, for Values: composed of operations."""

    def register(replacement: Callable[..., Any]) -> Callable[..., Any]:
        entry = replacement
        code = getattr(replacement, "__code__", None)
        if code is not None and "out" in code.co_varnames[: code.co_argcount]:
            place = code.co_varnames.index("out")

            @wraps(replacement)
            def entry(*args: Any, **kwargs: Any) -> Any:
                if (args[place] if len(args) > place else kwargs.get("out")) is not None:
                    raise out_refused(functions[0].__name__)
                return replacement(*args, **kwargs)

        for function in functions:
            registry[function] = entry
        return replacement

    return register


def plain(*functions: Callable[..., Any], by: Callable[..., Any] | None = None) -> None:
    """Register functions that have no derivative: of counting, comparing, asking; `by` answers in their place."""
    for function in functions:
        registry[function] = Plain(by)


def refuses(*functions: Callable[..., Any], reason: str) -> None:
    """Register functions that cannot be had with a Value: `reason` says why, and what to write instead."""
    for function in functions:
        registry[function] = Refused(reason)
