"""Rendering: a program as Python, once to run and once to read.

One builder makes a syntax tree of every line. `runner` has the tree compiled, and takes the code out of it; `source`
prints it, with NumPy's names and comments, as a function that runs with numpy alone. No string is evaluated.
"""

from __future__ import annotations

import ast
import builtins
import contextvars
import functools
import inspect
import keyword
import linecache
import operator
import re
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, groupby
from types import BuiltinMethodType, CodeType, FunctionType, MethodDescriptorType
from typing import Any, Final, TypeVar

import numpy as np

from .arena import Arena, Piece, flattened
from .lowering import hashable
from .planning import ARITHMETIC, Memory
from .program import (
    Call,
    DivergedError,
    Expect,
    Place,
    Program,
    Variable,
    boxed,
    cast,
    intercepts,
    item,
    mapped,
    variables,
)
from .quoting import Quotes, Unquotable, known_logarithm, literal, numpy_name
from .rules import indexing
from .value import ReadOnly, tick

MISS: Final = type("Miss", (), {"__repr__": lambda self: "MISS", "__slots__": ()})()
"""What a runner returns, having done nothing, where it is not meant for what it was given."""

# -------------------------------------------------------------------- how a call is written

OPERATORS: dict[Any, Any] = {
    np.add: ast.Add(), np.subtract: ast.Sub(), np.multiply: ast.Mult(), np.true_divide: ast.Div(),
    np.floor_divide: ast.FloorDiv(), np.remainder: ast.Mod(), np.matmul: ast.MatMult(), np.bitwise_and: ast.BitAnd(),
    np.bitwise_or: ast.BitOr(), np.bitwise_xor: ast.BitXor(), np.left_shift: ast.LShift(), np.right_shift: ast.RShift(),
    operator.add: ast.Add(), operator.sub: ast.Sub(), operator.mul: ast.Mult(), operator.truediv: ast.Div(),
    operator.floordiv: ast.FloorDiv(), operator.mod: ast.Mod(), operator.matmul: ast.MatMult(),
    operator.pow: ast.Pow(), operator.and_: ast.BitAnd(), operator.or_: ast.BitOr(), operator.xor: ast.BitXor(),
    operator.lshift: ast.LShift(), operator.rshift: ast.RShift(),
    np.less: ast.Lt(), np.less_equal: ast.LtE(), np.greater: ast.Gt(), np.greater_equal: ast.GtE(),
    np.equal: ast.Eq(), np.not_equal: ast.NotEq(),
    operator.lt: ast.Lt(), operator.le: ast.LtE(), operator.gt: ast.Gt(), operator.ge: ast.GtE(),
    operator.eq: ast.Eq(), operator.ne: ast.NotEq(), operator.is_: ast.Is(), operator.is_not: ast.IsNot(),
    np.negative: ast.USub(), np.positive: ast.UAdd(), np.invert: ast.Invert(),
    operator.neg: ast.USub(), operator.pos: ast.UAdd(), operator.invert: ast.Invert(), operator.not_: ast.Not(),
}  # fmt: skip
"""Without np.power: of an array to the power of 2, the operator squares, which differs in the last bit."""

METHODS: dict[Any, str] = {
    np.dot: "dot", np.reshape: "reshape", np.take: "take", np.swapaxes: "swapaxes", np.squeeze: "squeeze",
    np.ravel: "ravel", np.repeat: "repeat", np.argmax: "argmax", np.argmin: "argmin", np.cumsum: "cumsum",
    np.diagonal: "diagonal", np.transpose: "transpose", np.clip: "clip", np.mean: "mean",
}  # fmt: skip
"""Functions that hand over to the method of that name with the same arguments, after a look at them."""

SUMS = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}
REDUCTIONS = {np.sum: np.add, np.prod: np.multiply, np.max: np.maximum, np.min: np.minimum}
"""What they are, in the end."""

SHARED = {"axis", "axis1", "axis2", "offset", "order", "keepdims", "dtype", "mode"}
"""Keywords that such a method takes, too."""

COPIES = (cast, np.positive, np.copy)
"""Functions that, with an `out`, assign to it."""

NAMED_OUT = (np.maximum, np.minimum)
"""Ufuncs that take `out` by name only."""


Node = TypeVar("Node", bound=ast.AST)


def _placed(kind: type[Node]) -> type[Node]:
    """The same kind of node, on the first line unless it is told otherwise; made in a quarter of the time."""
    return type(kind.__name__, (kind,), {"lineno": 1, "col_offset": 0})


class syntax:
    """The nodes of a tree."""

    Assign = _placed(ast.Assign)
    Attribute = _placed(ast.Attribute)
    BinOp = _placed(ast.BinOp)
    BoolOp = _placed(ast.BoolOp)
    Call = _placed(ast.Call)
    Compare = _placed(ast.Compare)
    Constant = _placed(ast.Constant)
    Delete = _placed(ast.Delete)
    Dict = _placed(ast.Dict)
    ExceptHandler = _placed(ast.ExceptHandler)
    Expr = _placed(ast.Expr)
    FunctionDef = _placed(ast.FunctionDef)
    If = _placed(ast.If)
    List = _placed(ast.List)
    Name = _placed(ast.Name)
    Raise = _placed(ast.Raise)
    Return = _placed(ast.Return)
    Slice = _placed(ast.Slice)
    Starred = _placed(ast.Starred)
    Subscript = _placed(ast.Subscript)
    Try = _placed(ast.Try)
    Tuple = _placed(ast.Tuple)
    UnaryOp = _placed(ast.UnaryOp)
    With = _placed(ast.With)
    arg = _placed(ast.arg)
    keyword = _placed(ast.keyword)


LOAD, STORE = ast.Load(), ast.Store()


def _constant(value: Any) -> ast.expr:
    return syntax.Constant(value)


def _name(identifier: str) -> ast.Name:
    return syntax.Name(identifier, LOAD)


def _attribute(of: ast.expr, name: str) -> ast.Attribute:
    return syntax.Attribute(of, name, LOAD)


def _call(function: ast.expr, args: Iterable[ast.expr], kwargs: dict[str, ast.expr] | None = None) -> ast.Call:
    keywords = [syntax.keyword(name, item) for name, item in (kwargs or {}).items()]
    return syntax.Call(function, list(args), keywords)


def _reduced(function: Any) -> Any:
    """The ufunc whose reduction it is."""
    if isinstance(function, BuiltinMethodType):
        return function.__self__ if isinstance(function.__self__, np.ufunc) and function.__name__ == "reduce" else None
    return REDUCTIONS.get(function)


def _typed(operand: Any) -> bool:
    """Whether it has a type of NumPy's, so that an operator of Python ends in NumPy."""
    if type(operand) is Variable:
        return operand.kind == "array" or operand.dtype is not None
    return isinstance(operand, np.ndarray | np.generic)


class Lines:
    """The syntax of a program's lines: how each call is written.

    Parameters
    ----------
    names : dict of Variable to str
    refer : callable
        What stands for a function or a constant.
    quick : bool
        Whether it shall rather be quick than be read.
    """

    def __init__(self, names: dict[Variable, str], refer: Callable[[Any], ast.expr], quick: bool):
        self.names, self.refer, self.quick = names, refer, quick
        self.loads: dict[Variable, ast.expr] = {}

    def tree(self, content: Any) -> ast.expr:
        """An argument."""
        kind = type(content)
        if kind is Variable:
            node = self.loads.get(content)
            if node is None:
                node = self.loads[content] = _name(self.names[content])
            return node
        if kind is tuple:
            return syntax.Tuple([self.tree(item) for item in content], LOAD)
        if kind is list:
            return syntax.List([self.tree(item) for item in content], LOAD)
        if kind is dict:
            return syntax.Dict([self.refer(key) for key in content], [self.tree(item) for item in content.values()])
        if kind is slice:
            return _call(_name("slice"), [self.tree(part) for part in (content.start, content.stop, content.step)])
        if isinstance(content, tuple) and next(variables(content), None) is not None:  # a named one
            return _call(self.refer(kind), [self.tree(item) for item in content])
        return self.refer(content)

    def index(self, content: Any) -> ast.expr:
        """What stands in brackets."""
        if type(content) is slice:
            parts = [None if part is None else self.tree(part) for part in (content.start, content.stop, content.step)]
            return syntax.Slice(*parts)
        if type(content) is tuple and len(content) == 1 and type(content[0]) in (int, slice):
            return self.index(content[0])
        if type(content) is tuple and content:
            return syntax.Tuple([self.index(item) for item in content], LOAD)
        return self.tree(content)

    def expression(self, call: Call) -> ast.expr:
        """The right side of a line."""
        function: Any = call.function
        args, kwargs = call.args, call.kwargs
        if isinstance(function, functools.partial):
            function, args, kwargs = function.func, (*function.args, *args), {**function.keywords, **kwargs}
        if not self.quick:
            special = self._as_said(call)
            if special is not None:
                return special
            args, kwargs = _said(function, _weak(function, args, kwargs), kwargs)
        if call.out is None and not kwargs:
            sign = self._sign(function, args)
            if sign is not None:
                return sign
        if function is operator.abs:
            return _call(_name("abs"), [self.tree(args[0])])
        if function is item:
            return _call(_attribute(self.tree(args[0]), "item"), [])
        if function is cast and call.out is None:
            dtype = args[1].type if args[1].isnative and args[1].kind in "biufc" else args[1]
            return _call(_attribute(self.tree(args[0]), "astype"), [self.refer(dtype)])
        if function is operator.getitem:
            return syntax.Subscript(self.tree(args[0]), self.index(args[1]), LOAD)
        if args and type(args[0]) is Variable and args[0].kind == "array":
            method = self._method(function, args, kwargs, call.out)
            if method is not None:
                return method
        if self.quick and isinstance(function, np.ufunc) and function in ARITHMETIC:
            args = self._numbers_as_arrays(args)
        positional, named = [self.tree(item) for item in args], {key: self.tree(item) for key, item in kwargs.items()}
        if call.out is not None:
            out = self.tree(call.out)
            if isinstance(function, np.ufunc) and self.quick and not named and function not in NAMED_OUT:
                positional.append(out)
            else:
                named["out"] = out
        return _call(self.refer(function), positional, named)

    def _as_said(self, call: Call) -> ast.expr | None:
        """What reads best in another way, and is the very same."""
        function, args, result = call.function, call.args, call.result
        first = args[0] if args else None
        if type(first) is not Variable or result is None or call.out is not None or not hashable(function):
            return None
        if _turned(call):
            return _attribute(self.tree(first), "T")
        way = _masking(call)
        if way is not None:
            nan = _call(self.refer(np.isnan), [self.tree(first)])
            return nan if way == "nan" else syntax.UnaryOp(ast.Invert(), nan if way == "known" else self.tree(first))
        if function in (np.expand_dims, np.squeeze) and len(args) == 2 and not call.kwargs and type(args[1]) is int:
            more = function is np.expand_dims
            n = len(result.shape) if more else len(first.shape)
            if first.kind == result.kind == "array" and result.shape and -n <= args[1] < n <= 4:
                index: list[ast.expr] = [syntax.Slice() for _ in range(n)]
                index[args[1]] = _constant(None if more else 0)
                while not more and len(index) > 1 and isinstance(index[-1], ast.Slice):
                    del index[-1]
                return syntax.Subscript(
                    self.tree(first), index[0] if n == 1 or len(index) == 1 else syntax.Tuple(index, LOAD), LOAD
                )
        return None

    def _sign(self, function: Any, args: tuple[Any, ...]) -> ast.expr | None:
        """``a + b`` and its like, where an operator does the very same."""
        try:
            sign = OPERATORS.get(function)
        except TypeError:  # not hashable
            return None
        if sign is None or (isinstance(function, np.ufunc) and not any(map(_typed, args))):
            return None
        if self.quick and isinstance(function, np.ufunc) and function in ARITHMETIC:
            args = self._numbers_as_arrays(args)
        if len(args) == 1 and isinstance(sign, ast.unaryop):
            return syntax.UnaryOp(sign, self.tree(args[0]))
        if len(args) == 2 and isinstance(sign, ast.operator):
            return syntax.BinOp(self.tree(args[0]), sign, self.tree(args[1]))
        if len(args) == 2 and isinstance(sign, ast.cmpop):
            return syntax.Compare(self.tree(args[0]), [sign], [self.tree(args[1])])
        return None

    def _method(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Variable | None
    ) -> ast.expr | None:
        """``a.T`` and its like: attributes and methods of an array."""
        first, *rest = args
        named = {key: self.tree(item) for key, item in kwargs.items()}
        if out is None and not kwargs and not rest and function in (np.transpose, np.real, np.imag):
            return _attribute(self.tree(first), {np.transpose: "T", np.real: "real", np.imag: "imag"}[function])
        ufunc = _reduced(function)
        if ufunc is not None and len(rest) < 2 and named.keys() <= {"axis", "keepdims"}:
            axis = rest[0] if rest else kwargs.get("axis", ...)
            if axis is not ...:
                named["axis"] = self.tree(axis[0] if type(axis) is tuple and len(axis) == 1 else axis)
            elif function not in REDUCTIONS:  # of a ufunc's own method
                named.setdefault("axis", _constant(0))
            if not self.quick and ufunc in SUMS:
                if getattr(named.get("axis"), "value", 0) is None:
                    del named["axis"]
                return _call(_attribute(self.tree(first), SUMS[ufunc]), [], named | self._out(out))
            full = [self.tree(first), named.get("axis", _constant(None))]
            if out is not None or "keepdims" in named:
                full += [_constant(None), _constant(None) if out is None else self.tree(out)]
            if "keepdims" in named:
                full.append(named["keepdims"])
            return _call(self.refer(ufunc.reduce), full)
        method: str | None = METHODS.get(function) if named.keys() <= SHARED else None
        if function is np.swapaxes and named:  # which the method takes by position only
            method = None
        if isinstance(function, MethodDescriptorType) and function.__objclass__ is np.ndarray:
            method = function.__name__
        if method is None:
            return None
        if function is np.reshape and len(rest) == 2:  # the method takes its order by name only
            rest, order = rest[:1], rest[1]
            if order != "C":
                named["order"] = self.tree(order)
        full = [self.tree(item) for item in rest]
        if out is not None and method == "dot":
            return _call(_attribute(self.tree(first), "dot"), [*full, self.tree(out)] if self.quick else full,
                         {} if self.quick else self._out(out))  # fmt: skip
        return _call(_attribute(self.tree(first), method), full, named | self._out(out))

    def _out(self, out: Variable | None) -> dict[str, ast.expr]:
        return {} if out is None else {"out": self.tree(out)}

    def _numbers_as_arrays(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Numbers that meet an array as 0-d arrays of the dtype that NumPy gives them, in half the time."""
        arrays = [x for x in args if (x.kind == "array" if type(x) is Variable else type(x) is np.ndarray)]
        if not arrays or any(x.dtype is None or x.dtype.kind not in "fc" for x in arrays):
            return args
        return tuple([_as_array(x, arrays) if type(x) in (int, float, np.float64, np.float32) else x for x in args])


def _masking(call: Call) -> str | None:
    """What a comparison of something with itself, or of a mask with 0, asks for."""
    function: Any = call.function
    args = call.args
    if call.kwargs or len(args) != 2 or type(args[0]) is not Variable or args[0].dtype is None:
        return None
    if args[0] is args[1] and args[0].dtype.kind == "f":
        return "nan" if function is np.not_equal else "known" if function is np.equal else None
    mask = args[0].dtype.kind == "b" and type(args[1]) is int and args[1] == 0
    return "rest" if mask and function in (np.equal, operator.eq) else None


def _weak(function: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """``2.0`` in the place of ``np.float64(2.0)`` where it meets a float64, and comes to the same."""
    if len(args) == 2 and hashable(function) and function in OPERATORS and not kwargs:
        for place, other in ((0, 1), (1, 0)):
            meets = type(args[other]) is Variable and args[other].dtype in (np.float64, np.complex128)
            if (
                type(args[place]) is np.float64
                and not known_logarithm(args[place])
                and meets
                and args[other].dtype is not None
            ):
                args = (float(args[0]), args[1]) if place == 0 else (args[0], float(args[1]))
    return tuple(args)


def _said(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a function without those that say what is so anyway."""
    if function is np.where and len(args) == 3 and type(args[0]) is Variable:
        args = (args[0], *[_once(x) if np.shape(x) == args[0].shape else x for x in args[1:]])
    if function is np.swapaxes and kwargs.keys() == {"axis1", "axis2"}:
        return (*args, kwargs["axis1"], kwargs["axis2"]), {}
    names = _defaults(function) if hashable(function) else {}
    if not names:
        return args, kwargs
    kwargs = {name: x for name, x in kwargs.items() if not _is_default(x, names.get(name, ...))}
    positional = list(names.items())
    while args and len(args) <= len(positional) and _is_default(args[-1], positional[len(args) - 1][1]):
        args = args[:-1]
    return args, kwargs


def _once(content: Any) -> Any:
    """The number that an array of float64 repeats, where what it meets has its shape."""
    repeated = type(content) is np.ndarray and content.size > 1 and not any(content.strides)
    return content.flat[0].item() if repeated and content.dtype == np.float64 else content


def _is_default(x: Any, default: Any) -> bool:
    return x is None is default or (type(x) in (bool, int, str, tuple) and type(x) is type(default) and x == default)


@functools.cache
def _defaults(function: Any) -> dict[str, Any]:
    """By name, in order, the defaults of a function; an ellipsis for what has none."""
    if isinstance(function, np.ufunc) or not (isinstance(function, FunctionType) or numpy_name(function)):
        return {}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: ... if p.default is p.empty else p.default for p in parameters}


def _as_array(number: Any, arrays: Sequence[Any]) -> Any:
    dtype = np.result_type(number, *[x.dtype for x in arrays])
    if abs(number) > np.finfo(dtype).max:  # NumPy would warn of it, or not, each time
        return number
    array = np.array(number, dtype)
    array.setflags(write=False)
    return array


def identifiers(wanted: Iterable[tuple[Any, str]], taken: Iterable[str] = ()) -> dict[Any, str]:
    """A name for each: the one wanted as far as Python allows it, with a number where it comes twice.

    >>> identifiers([(1, "layers.0.weight"), (2, "lambda"), (3, "t"), (4, "t"), (5, "2nd")])
    {1: 'layers_0_weight', 2: 'lambda_', 3: 't1', 4: 't2', 5: '_2nd'}
    """
    clean = {thing: _identifier(name) for thing, name in wanted}
    often, used = Counter(clean.values()), {*taken, "np"}
    numbers: dict[str, Iterator[int]] = {}
    names = {}
    for thing, name in clean.items():
        if name in used or often[name] > 1:
            stem = name + "_" * name[-1:].isdigit()
            name = next(one for n in numbers.setdefault(stem, count(1)) if (one := f"{stem}{n}") not in used)
        used.add(name)
        names[thing] = name
    return names


@functools.cache
def _identifier(name: str) -> str:
    name = re.sub(r"\W+", "_", name).strip("_") or "t"
    if name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name


# -------------------------------------------------------------------- to run

LARGE = 1 << 15
"""An array of that many bytes is let go as soon as nobody needs it."""

RESERVED = (
    "before",
    "now",
    "held",
    "_",
    "map",
    "abs",
    "type",
    "len",
    "slice",
    "LookupError",
    "AttributeError",
    "ValueError",
)
"""Names that the function that runs has for itself."""

_numbers = count(1)


def runner(program: Program, conditions: Sequence[tuple[Place, str, Any]] = ()) -> Callable[..., Any]:
    """The function that runs a program.

    Parameters
    ----------
    program : Program
    conditions : sequence of (Place, relation, content)
        What must hold of what the program has as constants: that there is the very same thing (``"is"``), an equal one
        of the same type (``"=="``), one of that type (``"type"``) or length (``"len"``), or an array of the shape and
        dtype that a Variable has (``"like"``).

    Returns
    -------
    callable
        ``run(*arrays)``: what the program results in, with all that it writes written; or `MISS`, with nothing done,
        if a condition does not hold or an array is of another kind, shape or dtype. What raises has written nothing;
        only what lies in an `Arena` may be half done, as it is when the function itself raises.
    """
    wanted = [*program.arguments, *program.loads, *_results(program.calls)]
    names = identifiers([(variable, variable.name or "t") for variable in wanted], taken=RESERVED)
    outs = {call.result: call.out for call in program.calls if call.out is not None and call.result is not None}
    memory = [variable for variable, place in program.loads.items() if type(place.holder) is Memory]
    buffers = {names[variable] for variable in memory}
    known = _Globals([*(set(names.values()) - buffers), *RESERVED])
    body = _Body(Lines(names, known.refer, quick=True), known)
    body.check(program.arguments, conditions)
    held = body.arena(program)
    for variable, place in program.loads.items():
        if variable in held:
            pass
        elif type(place.holder) is Memory:
            body.lines.loads[variable] = known.name_of(place.get(), names[variable])
        else:
            body.assign(variable, body.place(place))
    for variable, out in outs.items():
        body.lines.loads[variable] = body.lines.tree(out)
    last = {operand: call for call in program.calls for operand in call.operands}
    for variable in [*program.wanted, *outs, *outs.values(), *memory]:
        last.pop(variable, None)
    for silent, calls in groupby(program.calls, lambda call: call.part == "backward"):
        body.calls(calls, silent, last)
    body.end(program)
    arenas = [place.holder for place in program.loads.values() if type(place.holder) is Arena]
    if buffers or arenas:
        body.lock(arenas[0].lock if arenas else threading.Lock())
    return body.function([names[variable] for variable in program.arguments])


def _results(calls: Iterable[Call]) -> Iterator[Variable]:
    return (call.result for call in calls if call.result is not None)


def _stored(name: str) -> ast.Name:
    return syntax.Name(name, STORE)


class _Globals:
    """What the function finds in its globals: functions, holders, constants, each under a name."""

    def __init__(self, taken: Iterable[str]):
        self.taken = set(taken)
        self.contents: dict[str, Any] = {}
        self.nodes: dict[Any, ast.Name] = {}
        self.often: Counter[str] = Counter()

    def refer(self, content: Any) -> ast.expr:
        """What stands for something: itself, if it is a number or a word, or its name."""
        if content is None or content is Ellipsis or type(content) in (bool, int, float, str):
            return _constant(content)
        return self.name_of(content)

    def name_of(self, content: Any, name: str | None = None) -> ast.Name:
        """What stands for something: its name."""
        node = self.nodes.get(id(content))
        if node is not None:
            return node
        key: Any = id(content)
        if isinstance(content, BuiltinMethodType) and isinstance(content.__self__, np.ufunc):
            key, name = (content.__self__, content.__name__), f"{content.__self__.__name__}_{content.__name__}"
        elif type(content) is np.ndarray and not (content.shape or content.flags.writeable):  # not a buffer
            key = content.dtype, content.tobytes()
        node = self.nodes.get(key)  # np.add.reduce is a new object each time, and a number may come twice
        if node is None:
            # An object may have a `__getattr__` of its own, which is not asked.
            named = isinstance(content, type | np.ufunc | FunctionType | BuiltinMethodType)
            name = str(name or (content.__name__ if named else "c"))
            if not name.isidentifier() or keyword.iskeyword(name):
                name = "c"
            unique = name
            while unique in self.taken:
                self.often[name] += 1
                unique = f"{name}_{self.often[name]}"
            self.taken.add(unique)
            self.contents[unique] = content
            node = self.nodes[key] = _name(unique)
        return node


class _Body:
    """The statements of the function that runs a program."""

    def __init__(self, lines: Lines, known: _Globals):
        self.lines, self.globals = lines, known
        self.statements: list[ast.stmt] = []
        self.held: set[Variable] = set()
        """Variables that are, or are written into, parts of an arena."""

    def assign(self, variable: Variable, value: ast.expr) -> None:
        self.statements.append(syntax.Assign([_stored(self.lines.names[variable])], value))

    def place(self, place: Place, load: bool = True) -> Any:
        """A place to read from, or to write to."""
        holder, context = self.globals.name_of(place.holder, "holder"), LOAD if load else STORE
        if place.attribute:
            return syntax.Attribute(holder, place.key, context)
        return syntax.Subscript(holder, self.globals.refer(place.key), context)

    def check(self, arguments: Sequence[Variable], conditions: Sequence[tuple[Place, str, Any]]) -> None:
        """Give up at once if something is not as it was."""
        failing = [test for argument in arguments for test in self.unlike(self.lines.tree(argument), argument)]
        for place, relation, wanted in conditions:
            found = self.place(place)
            if relation == "like":
                failing += self.unlike(found, wanted)
            elif relation == "len":
                failing.append(_compare(_call(_name("len"), [found]), ast.NotEq(), _constant(wanted)))
            elif relation == "type":
                failing.append(_compare(_call(_name("type"), [found]), ast.IsNot(), self.globals.refer(wanted)))
            else:
                test = _compare(found, ast.IsNot(), self.globals.name_of(wanted))
                if relation == "==":
                    other_type = _compare(_call(_name("type"), [found]), ast.IsNot(), self.globals.refer(type(wanted)))
                    other = _compare(found, ast.NotEq(), self.globals.name_of(wanted))
                    other = syntax.BoolOp(ast.Or(), [other_type, other])
                    test = syntax.BoolOp(ast.And(), [test, other])
                failing.append(test)
        if failing:
            miss: list[ast.stmt] = [syntax.Return(self.globals.name_of(MISS, "MISS"))]
            lines = [failing[k : k + 6] for k in range(0, len(failing), 6)]
            tests: list[ast.stmt] = [syntax.If(_either(line), miss, []) for line in lines]
            errors = syntax.Tuple([_name("LookupError"), _name("AttributeError"), _name("ValueError")], LOAD)
            self.statements.append(syntax.Try(tests, [syntax.ExceptHandler(errors, None, miss)], [], []))

    def unlike(self, found: ast.expr, wanted: Variable) -> list[ast.expr]:
        """How it shows that something is not as a variable says."""
        if wanted.kind == "array":
            kind: Any = np.ndarray
        elif wanted.kind == "number" and wanted.dtype is not None:
            kind = wanted.dtype.type
        elif wanted.kind == "number":
            kind = float
        else:
            return []
        tests = [_compare(_call(_name("type"), [found]), ast.IsNot(), self.globals.refer(kind))]
        if wanted.kind == "array":  # or what `v.data` gives
            handed_out = _compare(_call(_name("type"), [found]), ast.IsNot(), self.globals.refer(ReadOnly))
            tests = [syntax.BoolOp(ast.And(), [*tests, handed_out])]
            tests.append(_compare(_attribute(found, "shape"), ast.NotEq(), self.lines.tree(wanted.shape)))
            if wanted.shape and wanted.strides is not None:  # results depend on the layout in their last digit
                tests.append(_compare(_attribute(found, "strides"), ast.NotEq(), self.lines.tree(wanted.strides)))
            test = ast.IsNot() if wanted.dtype is np.dtype(wanted.dtype.type) else ast.NotEq()
            tests.append(_compare(_attribute(found, "dtype"), test, self.globals.name_of(wanted.dtype, "dtype")))
        return tests

    def calls(self, calls: Iterable[Call], silent: bool, last: dict[Variable, Call]) -> None:
        """Lines of a program, with NumPy's warnings off if `silent`."""
        outer, self.statements = self.statements, []
        for call in calls:
            self.call(call)
            self.forget(call, last)
        inner, self.statements = self.statements, outer
        if not silent:
            self.statements += inner
            return
        state, off = _silence()
        if state is None:
            self.statements.append(syntax.With([ast.withitem(_call(self.globals.name_of(off, "silent"), []))], inner))
            return
        variable, nothing = self.globals.name_of(state, "errstate"), self.globals.name_of(off, "silent")
        quiet = syntax.Expr(_call(_attribute(variable, "set"), [nothing]))
        restored = syntax.Expr(_call(_attribute(variable, "set"), [_name("before")]))
        self.statements += [  # in this order, Ctrl-C may come at any moment
            syntax.Assign([_stored("before")], _call(_attribute(variable, "get"), [])),
            syntax.Try([quiet, *inner], [], [], [restored]),
        ]

    def call(self, call: Call) -> None:
        function = call.function
        if isinstance(function, Expect):
            (operand,) = map(self.lines.tree, call.args)
            if function.what == "truth":
                test = syntax.UnaryOp(ast.Not(), operand) if function.wanted else operand
            else:
                test = _compare(_attribute(operand, "shape"), ast.NotEq(), self.lines.tree(function.wanted))
            raising = syntax.Raise(self.globals.name_of(DivergedError, "DivergedError"), None)
            self.statements.append(syntax.If(test, [raising], []))
            return
        if call.out is not None and call.result is not None and call.out in self.held:
            self.held.add(call.result)
            if isinstance(function, Piece) or function is flattened:
                return  # it is there already
        if call.out is not None and function in COPIES:
            target = syntax.Subscript(self.lines.tree(call.out), _constant(...), STORE)
            self.statements.append(syntax.Assign([target], self.lines.tree(call.args[0])))
            return
        value = self.lines.expression(call)
        if call.result is None or call.out is not None:
            self.statements.append(syntax.Expr(value))
        else:
            self.assign(call.result, value)

    def forget(self, call: Call, last: dict[Variable, Call]) -> None:
        """Let go of large arrays that were needed for the last time."""
        gone = [v for v in dict.fromkeys(call.operands) if last.get(v) is call and _large(v)]
        if gone:
            names: list[ast.expr] = [syntax.Name(self.lines.names[v], ast.Del()) for v in gone]
            self.statements.append(syntax.Delete(names))

    def end(self, program: Program) -> None:
        """Write everything, and return; each array that is handed out shares memory with no other."""
        taken = {*program.arguments, *program.loads}
        stores: list[ast.stmt] = []
        clocks = []

        def own(variable: Variable) -> Variable:
            memory = {variable, *variable.owners}
            if variable.kind == "array" and not taken.isdisjoint(memory):
                copy = Variable("array", variable.shape, variable.dtype)
                self.lines.names[copy] = f"copy_{len(self.lines.names)}"
                copied = _call(_attribute(self.lines.tree(variable), "copy"), [_constant("K")])
                self.assign(copy, copied)
                return copy
            taken.update(memory)
            return variable

        for place, variable in program.writes:
            content = self.lines.tree(mapped(own, variable))
            if place.attribute and place.key == "_array":
                clocks.append(place)
                if variable in self.held:
                    continue  # it stands there
                if variable.kind == "array":
                    self.statements.append(syntax.Expr(_call(_attribute(content, "setflags"), [_constant(False)])))
            plain = not (place.attribute and intercepts(place.holder))
            if plain:
                stores.append(syntax.Assign([self.place(place, load=False)], content))
            else:
                setter = self.globals.name_of(object.__setattr__, "setattribute")
                holder = self.globals.name_of(place.holder, "holder")
                stores.append(syntax.Expr(_call(setter, [holder, _constant(place.key), content])))
        results = self.lines.tree(mapped(own, program.results))
        if clocks:
            now = syntax.Assign([_stored("now")], _call(self.globals.name_of(tick, "tick"), []))
            self.statements.append(now)
        self.statements += stores
        for place in clocks:
            clock = syntax.Attribute(self.globals.name_of(place.holder, "holder"), "_clock", STORE)
            self.statements.append(syntax.Assign([clock], _name("now")))
        self.statements.append(syntax.Return(results))

    def arena(self, program: Program) -> set[Variable]:
        """Look whether the arena is nobody else's, and take out what the program wants of it, which is returned."""
        wanted = {place.key: v for v, place in program.loads.items() if type(place.holder) is Arena}
        self.held |= set(wanted.values())
        if not wanted:
            return self.held
        memory = next(place.holder for place in program.loads.values() if type(place.holder) is Arena)
        here, held = self.globals.name_of(memory, "arena"), _name("held")

        def renewed(*args: ast.expr) -> ast.stmt:
            return syntax.Assign([_stored("held")], _call(_attribute(here, "renew"), args))

        if not memory.counts_references:
            self.statements.append(renewed(_constant(True)))
        else:
            self.statements.append(syntax.Assign([_stored("held")], _attribute(here, "held")))
            count = _call(_name("map"), [self.globals.name_of(sys.getrefcount, "getrefcount"), held])
            counts = syntax.List([syntax.Starred(count, LOAD)], LOAD)
            elsewhere: list[ast.expr] = [
                _compare(self.place(place), ast.IsNot(), syntax.Subscript(held, _constant(number), LOAD))
                for number, _, _, place in memory.views()
            ]
            otherwise: list[ast.stmt] = [syntax.If(_either(elsewhere), [renewed(_constant(True))], [])]
            other = _compare(counts, ast.NotEq(), _attribute(here, "counts"))
            self.statements.append(syntax.If(other, [renewed()], otherwise))
        total = memory.number(len(memory.slots), 0)
        names = [self.lines.names[wanted[k]] if k in wanted else "_" for k in range(total)]
        target = syntax.Tuple([_stored(name) for name in names], STORE)
        self.statements.append(syntax.Assign([target], held))
        return self.held

    def lock(self, lock: Any) -> None:
        """One run at a time."""
        held = ast.withitem(self.globals.name_of(lock, "lock"))
        self.statements = [syntax.With([held], self.statements)]

    def function(self, arguments: Sequence[str], name: str = "run") -> Callable[..., Any]:
        """A function of these statements, made without evaluating anything."""
        run = _definition(name, arguments, self.statements)
        _number(self.statements, 2)
        filename = f"program {next(_numbers)}"  # in angle brackets, linecache would not ask for its text
        module = compile(ast.Module([run], []), filename, "exec")
        code = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
        linecache.cache[filename] = (lambda: ast.unparse(run) + "\n",)
        function = FunctionType(code, {"__builtins__": builtins, **self.globals.contents}, name)
        weakref.finalize(function, linecache.cache.pop, filename, None)
        return function


def _either(tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else syntax.BoolOp(ast.Or(), tests)


def _compare(left: ast.expr, how: ast.cmpop, right: ast.expr) -> ast.expr:
    return syntax.Compare(left, [how], [right])


TYPE_PARAMS: Any = {"type_params": []} if "type_params" in ast.FunctionDef._fields else {}


def _definition(name: str, arguments: Sequence[str], body: list[ast.stmt]) -> ast.FunctionDef:
    args = [syntax.arg(argument) for argument in arguments]
    signature = ast.arguments([], args, None, [], [], None, [])
    return syntax.FunctionDef(name=name, args=signature, body=body, decorator_list=[], **TYPE_PARAMS)


def _number(statements: list[ast.stmt], line: int) -> int:
    """Give every statement the line on which `ast.unparse` prints it; returns the line after."""
    for statement in statements:
        statement.lineno = line
        value = getattr(statement, "value", None)
        if value is not None:
            value.lineno = line
        line += 1
        for part in ("body", "orelse", "handlers", "finalbody"):
            inner = getattr(statement, part, None)
            if not inner:
                continue
            if part == "finalbody":
                line = _number(inner, line + 1)
            elif part == "orelse":  # one `if`, which is printed as an `elif`
                line = _number(inner, line)
            elif part == "handlers":
                for handler in inner:
                    handler.lineno = line
                    line = _number(handler.body, line + 1)
            else:
                line = _number(inner, line)
    return line


def _large(variable: Variable) -> bool:
    if variable.kind == "array" and variable.dtype is not None:
        return bool(variable.size * variable.dtype.itemsize >= LARGE)
    return variable.kind == "object"


@functools.cache
def _silence() -> tuple[Any, Any]:
    """NumPy's context variable of how to treat floating-point errors, and its content for "not at all".

    Setting it takes a quarter of the time of entering `np.errstate`. It is found by looking at what `np.errstate` does
    to a context; where it cannot be, the first is None and the second makes a context manager.
    """
    before = contextvars.copy_context()
    inside = before.copy()
    manager = np.errstate(all="ignore")
    inside.run(manager.__enter__)
    changed = [(variable, inside[variable]) for variable in inside if inside[variable] is not before.get(variable)]
    if len(changed) == 1:
        return changed[0]
    return None, lambda: np.errstate(all="ignore")


# -------------------------------------------------------------------- to read

WIDTH = 88
"""Comments stand behind lines of up to that many characters."""


def source(program: Program, name: str = "program") -> str:
    """A program as a module that runs with numpy alone.

    Parameters
    ----------
    program : Program
    name : str
        Of the function.

    Returns
    -------
    str
        What the program needs of other functions; and ``def name(...)``, whose arguments are those of the program, what
        it reads besides, and what cannot be printed: generators, large constants, functions of C extensions. It returns
        the results, and, if there are any, what would be written, by path.
    """
    return _Page(program, _identifier(name)).text()


class _Page:
    """The text of one program."""

    def __init__(self, program: Program, name: str):
        self.program, self.name = program, name
        self.quotes = Quotes()
        self.asserted: set[str] = set()
        self.given: dict[int, tuple[str, str, Any]] = {}
        """By id, what the function is to be given because it cannot be printed: its name, why, and itself."""
        for call in program.calls:  # before the variables get their names
            if isinstance(call.function, Expect) or call.function is boxed:
                continue
            if not _places(call):
                self.refer(getattr(call.function, "func", call.function))
            mapped_constants(self.refer, (call.args, call.kwargs))
        mapped_constants(self.refer, program.results)
        given = [*program.arguments, *program.loads]
        functions = {call.result: _result_name(call) for call in program.calls}
        unwrapped = {call.result: _unwraps(call) for call in program.calls if _unwraps(call) is not None}
        functions |= {number: functions[array] for number, array in unwrapped.items() if array in functions}
        functions |= {v: f"new_{place.path}" for place, v in program.writes if type(v) is Variable}
        taken = [name, *self.quotes.taken, *(name for name, _, _ in self.given.values())]
        # What is given keeps its name: `x = np.tanh(x @ w)` makes an x1 of the x.
        names = identifiers([(v, v.name or ("x" if v.kind == "array" else "number")) for v in given], taken)
        made = [(v, v.name or functions[v]) for v in _results(program.calls)]
        names |= identifiers(made, [*taken, *names.values()])
        reads = Counter([*program.wanted, *(operand for call in program.calls for operand in call.operands)])
        for call in program.calls:  # a number as NumPy's keeps its name
            if (
                (call.function is np.float64 or call.result in unwrapped)
                and call.args[0] in given
                and reads[call.args[0]] == 1
                and call.result
            ):
                names[call.result] = names[call.args[0]]
        for call in program.calls:
            if call.out is not None and call.result is not None:
                names[call.result] = names[call.out]
        self.lines = Lines(names, self.refer, quick=False)

    def refer(self, content: Any) -> ast.expr:
        """What stands for a function or a constant."""
        owner = getattr(content, "__self__", None)
        if isinstance(owner, np.random.Generator | np.random.RandomState) and numpy_name(content) is None:
            return _attribute(self._given(owner, "generator", "a random generator"), content.__name__)
        text = literal(content)
        if text is not None and len(text) <= 40:
            return ast.parse(text, mode="eval").body
        if content is operator.getitem or content in OPERATORS if callable(content) else False:
            return _name("operator")  # stands nowhere
        try:
            return _name(self.quotes.name(content, "constant" if isinstance(content, np.ndarray) else None))
        except Unquotable as error:
            what = str(error) if isinstance(content, FunctionType) else f"a {type(content).__name__}"
            if isinstance(content, np.ndarray):
                what = _shape(Variable.of(content), dtype=True)
            return self._given(content, getattr(content, "__name__", "constant"), what)

    def _given(self, content: Any, name: str, why: str) -> ast.Name:
        if id(content) not in self.given:
            taken = [*self.quotes.taken, *(name for name, _, _ in self.given.values())]
            ((_, unique),) = identifiers([(0, name)], taken).items()
            self.given[id(content)] = unique, why, content
        return _name(self.given[id(content)][0])

    # ---------------------------------------------------------------- text

    def text(self) -> str:
        program, names = self.program, self.lines.names
        buffers = [v for v, place in program.loads.items() if type(place.holder) is Memory]
        first = {v: n for n, call in reversed([*enumerate(program.calls)]) for v in call.operands}
        loads = sorted([v for v in program.loads if v not in buffers], key=lambda v: first.get(v, len(program.calls)))
        parameters = [(names[v], _shape(v, dtype=True)) for v in [*program.arguments, *loads]]
        parameters += [(name, why) for name, why, _ in self.given.values()]
        often = Counter([*program.wanted, *(operand for call in program.calls for operand in call.operands)])
        tested = {call.args[0] for call in program.calls if isinstance(call.function, Expect)}
        tested &= {call.result for call in program.calls if _compares(call)}
        inside = tested | {_unwraps(call) for call in program.calls}
        body: list[tuple[int, str, str]] = []
        for v in buffers:
            dtype = "" if v.dtype == np.float64 else f", {literal(v.dtype.type)}"
            body.append((1, f"{names[v]} = np.empty({v.shape}{dtype})", ""))
        for part, calls in groupby(program.calls, lambda call: call.part):
            section: list[tuple[int, str, str]] = []
            for call in calls:
                if call.result is not None and often[call.result] == 1 and (_turned(call) or call.result in inside):
                    self.lines.loads[call.result] = self.lines.expression(call)
                    continue
                for number, text in enumerate(self.written(call)):
                    comment = _shape(call.result) if call.result is not None and not number else ""
                    section.append((1 + (part == "backward"), text, comment))
            if not section:
                continue
            body += [(1, "", ""), (1, f"# {part}", "")]
            if part == "backward":
                body.append((1, 'with np.errstate(all="ignore"):', ""))
            body += section
        body += [(1, "", ""), *((1, line, "") for line in self.end())]
        signature = [(1, f"{name},", comment) for name, comment in parameters]
        head = [f"def {self.name}(", *_commented(signature), "):"] if parameters else [f"def {self.name}():"]
        return "\n".join([self.quotes.text(), "", "", *head, *_commented(body if body[0][1] else body[1:])]) + "\n"

    def written(self, call: Call) -> list[str]:
        """The lines of a call: one, nearly always."""
        names, function = self.lines.names, call.function
        if isinstance(function, Expect):
            (operand,) = map(self.lines.tree, call.args)
            condition: ast.expr = operand
            if function.what == "shape":
                condition = _compare(_attribute(operand, "shape"), ast.Eq(), self.lines.tree(function.wanted))
            elif not function.wanted:
                condition = syntax.UnaryOp(ast.Not(), operand)
            text = f"assert {ast.unparse(condition)}  # else the function would take another way"
            if text in self.asserted:
                return []
            self.asserted.add(text)
            return [text]
        if function is boxed and call.result is not None:
            self.lines.loads[call.result] = self.lines.tree(call.args[0])
            return []
        if _places(call):
            return self._placed(call)
        right = ast.unparse(self.lines.expression(call))
        return [right if call.result is None or call.out is not None else f"{names[call.result]} = {right}"]

    def _placed(self, call: Call) -> list[str]:
        """The gradient of an index: zeros, with the upstream gradient where something was taken from."""
        result, content, index = call.result, self.lines.tree(_once(call.args[0])), call.kwargs["index"]
        assert result is not None
        target = self.lines.tree(result)
        shape = literal(result.shape[0] if len(result.shape) == 1 else result.shape)
        dtype = "" if result.dtype == np.float64 else f", {literal(result.dtype.type)}"
        parts = index if isinstance(index, tuple) else (index,)
        if any(len(getattr(part, "shape", ())) > 0 and part.dtype != bool for part in parts):  # may name a place twice
            put = _call(self.refer(np.add.at), [target, self.lines.tree(index), content])
            second = ast.unparse(put)
        else:
            place = syntax.Subscript(target, self.lines.index(index), LOAD)
            second = f"{ast.unparse(place)} = {ast.unparse(content)}"
        return [f"{self.lines.names[result]} = np.zeros({shape}{dtype})", second]

    def end(self) -> list[str]:
        """What it returns."""
        results = ast.unparse(self.lines.tree(self.program.results))
        if not self.program.writes:
            return [f"return {results}"]
        writes = [f"    {place.path!r}: {ast.unparse(self.lines.tree(v))}," for place, v in self.program.writes]
        return [f"return {results}, {{", *writes, "}"]


def _unwraps(call: Call) -> Any:
    """The array without axes of which a call takes the number, ``x[()]``; None if it does something else."""
    taken = call.function is operator.getitem and type(call.args[1]) is tuple and not call.args[1]
    return call.args[0] if taken else None


def _compares(call: Call) -> bool:
    """Whether it is ``a < b`` or its like, which reads best in the condition that it is for."""
    return hashable(call.function) and isinstance(OPERATORS.get(call.function), ast.cmpop) and _masking(call) is None


def _places(call: Call) -> bool:
    """Whether it is the gradient of an index."""
    scatter: Any = indexing.scatter
    return (
        call.function is scatter.function
        and call.kwargs.keys() == {"shape", "index"}
        and (call.result is not None and call.result.kind == "array")
    )


def mapped_constants(look: Callable[[Any], Any], tree: Any) -> None:
    """Look at all constants in nested arguments."""
    kind = type(tree)
    if kind is tuple or kind is list:
        for item in tree:
            mapped_constants(look, item)
    elif kind is dict:
        for item in tree.values():
            mapped_constants(look, item)
    elif kind is slice:
        mapped_constants(look, (tree.start, tree.stop, tree.step))
    elif kind is not Variable:
        look(tree)


def _result_name(call: Call) -> str:
    """What an unnamed result is called: as its function."""
    function = getattr(call.function, "func", call.function)
    name = _masking(call) or getattr(function, "__name__", "t").strip("_<>")
    if isinstance(function, BuiltinMethodType) and isinstance(function.__self__, np.ufunc):
        name = {"add": "sum", "multiply": "product", "maximum": "max", "minimum": "min"}.get(
            function.__self__.__name__, function.__self__.__name__
        )
    return _SHORT.get(name, name) if name.isidentifier() else "t"


_SHORT = {
    "getitem": "part", "true_divide": "quotient", "divide": "quotient", "multiply": "product", "mul": "product",
    "truediv": "quotient", "add": "total", "subtract": "difference", "sub": "difference", "matmul": "product",
    "dot": "product", "greater": "above", "less": "below", "equal": "same",
    "negative": "minus", "neg": "minus", "lambda": "t", "gt": "above", "lt": "below", "eq": "same", "pow": "power",
    "not_equal": "different", "ne": "different", "greater_equal": "at_least", "ge": "at_least",
    "less_equal": "at_most", "le": "at_most", "bitwise_and": "both", "and": "both", "bitwise_or": "either",
    "or": "either", "invert": "rest", "broadcast_to": "repeated", "scatter": "placed", "expand_dims": "expanded",
    "squeeze": "squeezed", "swapaxes": "swapped",
}  # fmt: skip


def _turned(call: Call) -> bool:
    """Whether it is an array's ``.T``, which reads best where it is used."""
    args = call.args
    if not args or type(args[0]) is not Variable or args[0].kind != "array" or call.kwargs or call.out is not None:
        return False
    swapped = call.function is np.swapaxes and len(args[0].shape) == 2 and args[1:] in ((-1, -2), (0, 1), (1, 0))
    return swapped or (call.function is np.transpose and len(args) == 1)


def _shape(variable: Variable, dtype: bool = False) -> str:
    if variable.kind != "array":
        return "a number" if dtype and variable.kind == "number" else ""
    kind = f" {variable.dtype}" if dtype and variable.dtype != np.float64 else ""
    return f"{variable.shape}{kind}"


def _commented(lines: Sequence[tuple[int, str, str]]) -> list[str]:
    """Lines with their comments in one column."""
    indented = [("    " * depth + text if text else "", comment) for depth, text, comment in lines]
    column = max([len(text) for text, comment in indented if comment and len(text) <= WIDTH], default=0)
    return [f"{text:{column}}  # {comment}" if comment else text for text, comment in indented]
