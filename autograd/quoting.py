"""Quoting: functions as text that runs on its own, with all of their module that they use.

What `rendering.source` prints before a program. A definition is printed as it stands in its file, less its decorators
and docstring; what its code names of its module comes along: functions, operations (as the plain functions that they
are on arrays), constants, imports of the standard library and of NumPy.
"""

from __future__ import annotations

import ast
import builtins
import copy
import dis
import functools
import inspect
import linecache
import math
import re
import sys
import textwrap
from collections.abc import Iterator
from fractions import Fraction
from types import BuiltinMethodType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from .op import Op, Several, beside, is_foreign, is_lazy

_MODULES: tuple[tuple[str, ModuleType], ...] = (
    ("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft), ("np.random", np.random),
    ("np.lib.stride_tricks", np.lib.stride_tricks), ("np.lib.array_utils", np.lib.array_utils),
    ("np.polynomial.polynomial", np.polynomial.polynomial),
)  # fmt: skip


class Unquotable(Exception):  # noqa: N818
    """What has no text that would run on its own."""


def numpy_name(thing: Any) -> str | None:
    """The public name of something of NumPy's, such as ``np.linalg.inv`` or ``np.add.reduce``; None if it has none.

    >>> numpy_name(np.linalg.inv), numpy_name(np.add.reduce), numpy_name(len)
    ('np.linalg.inv', 'np.add.reduce', None)
    """
    if isinstance(thing, BuiltinMethodType) and isinstance(thing.__self__, np.ufunc):
        owner = numpy_name(thing.__self__)
        return owner and f"{owner}.{thing.__name__}"
    name = getattr(thing, "__name__", None)
    if isinstance(name, str):
        for prefix, module in _MODULES:
            if getattr(module, name, None) is thing:
                return f"{prefix}.{name}"
    return None


_OF_CIRCLES = {math.pi: "np.pi", 2 * math.pi: "2 * np.pi", math.pi / 2: "np.pi / 2", math.e: "np.e"}


def known_logarithm(number: Any) -> str | None:
    """``np.log(2)`` and its like, of a np.float64 that is the very same."""
    if type(number) is not np.float64 or not 0.3 < abs(number) < 2.4:
        return None
    if abs(number) == 0.5 * np.log(2 * np.pi):
        return f"{'-' * bool(number < 0)}0.5 * np.log(2 * np.pi)"
    n = round(math.exp(abs(number)))
    return f"{'-' * bool(number < 0)}np.log({n})" if n > 1 and np.log(n) == abs(number) else None


@functools.lru_cache(maxsize=1024)
def _known_number(number: float) -> str | None:
    """A fraction or a square root in the place of its many digits, where that is the very same number."""
    if (
        number
        and abs(number) < 0.1
        and math.frexp(number)[0] in (0.5, -0.5)
        and number.as_integer_ratio()[1] <= 1 << 16
    ):
        return f"{'-' * (number < 0)}1 / {number.as_integer_ratio()[1]}"
    if len(repr(number)) < 12 or not math.isfinite(number):
        return None
    if number in _OF_CIRCLES:
        return _OF_CIRCLES[number]
    rest = round(1 - number, 6)
    if 0 < number < 1 and 1 - rest == number:
        return f"1 - {rest!r}"
    near = Fraction(number).limit_denominator(10_000)
    if near and abs(near.numerator) < 1000 and near.numerator / near.denominator == number:
        return f"{near.numerator} / {near.denominator}"
    square = round(number * number)
    if 1 < square < 10_000 and abs(number) == square**0.5:
        return f"{square} ** 0.5" if number > 0 else f"-({square} ** 0.5)"
    inverse = round(1 / (number * number)) if abs(number) > 1e-3 else 0
    if 1 < inverse < 10_000 and abs(number) == 1 / inverse**0.5:
        return f"{'-' * (number < 0)}1 / {inverse} ** 0.5"
    return None


def literal(content: Any) -> str | None:
    """Text for a constant; None if it has none.

    >>> literal((1, -0.5, np.float32(0.1), np.dtype("int8"))), literal(float("-inf")), literal(np.arange(3))
    ("(1, -0.5, np.float32(0.1), np.dtype('int8'))", '-np.inf', 'np.arange(3)')
    """
    if content is None or content is Ellipsis or type(content) in (bool, int, str, bytes):
        return "..." if content is Ellipsis else repr(content)
    kind: Any = type(content)
    if kind is float:
        return _known_number(content) or re.sub(r"inf|nan", r"np.\g<0>", repr(content))
    if kind is complex:
        return f"complex({literal(content.real)}, {literal(content.imag)})"
    if isinstance(content, np.bool | np.integer | np.floating | np.complexfloating):
        number = content.item()
        known = known_logarithm(content)
        if known is not None:
            return known
        if not isinstance(number, bool | int | float | complex):  # of more digits than Python's have
            return repr(content)
        if isinstance(content, np.floating) and not isinstance(content, float):
            text = re.sub(r"inf|nan", r"np.\g<0>", str(content))
        else:
            text = str(literal(number))
        return f"np.{kind.__name__}({text})"  # of a float32, as few digits as tell it
    if kind is range:
        return repr(content)
    if isinstance(content, np.dtype):
        return f"np.dtype({content.str!r})" if not content.isnative else f"np.dtype({content.name!r})"
    if kind is tuple or kind is list or kind is slice:
        parts = [literal(x) for x in ((content.start, content.stop, content.step) if kind is slice else content)]
        if None in parts:
            return None
        text = ", ".join(map(str, parts))
        if kind is tuple:
            return f"({text},)" if len(parts) == 1 else f"({text})"
        return f"[{text}]" if kind is list else f"slice({text})"
    if kind is dict:
        pairs = [(literal(key), literal(item)) for key, item in content.items()]
        return None if any(None in pair for pair in pairs) else "{" + ", ".join(f"{a}: {b}" for a, b in pairs) + "}"
    if kind is np.ndarray:
        return _array_literal(content)
    if kind is type and any(content is thing for thing in vars(builtins).values()):
        return str(content.__name__)
    return numpy_name(content)


MOST = 64
"""An array of more numbers is given rather than printed."""


def _array_literal(array: np.ndarray) -> str | None:
    dtype = array.dtype
    if dtype.kind not in "biufc" or not dtype.isnative:
        return None
    if (
        array.size > 1
        and 0 in array.strides
        and any(n > 1 and not s for n, s in zip(array.shape, array.strides, strict=True))
    ):
        once = array[tuple([slice(0, 1) if not stride else slice(None) for stride in array.strides])]
        text = literal(once if once.size > 1 else once.flat[0].item() if dtype == np.float64 else once.flat[0])
        return text and f"np.broadcast_to({text}, {_shape(array.shape)})"
    if array.ndim > 1 and not array.flags.c_contiguous:
        turned = _array_literal(array.T) if array.flags.f_contiguous else None
        return turned and f"{turned}.T"
    tail = "" if dtype == np.float64 else f", {dtype.type.__name__ if dtype.type is np.bool else f'np.{dtype.name}'}"
    if dtype.kind == "i" and array.ndim == 1 and array.size > 1 and np.array_equal(array, np.arange(array.size)):
        return (
            f"np.arange({array.size})"
            if dtype == np.arange(1).dtype
            else f"np.arange({array.size}, dtype=np.{dtype.name})"
        )
    shape = _shape(array.shape)
    if not array.size:
        return f"np.zeros({shape}{tail})"
    if array.size > 1 and (array.flat[0] == array).all():
        number = literal(array.flat[0].item())
        if number in ("0.0", "1.0") and not np.signbit(array).any():
            return f"np.{'zeros' if number == '0.0' else 'ones'}({shape}{tail})"
        if np.signbit(array).all() or not np.signbit(array).any() if dtype.kind == "f" else dtype.kind != "c":
            return f"np.full({shape}, {number}{tail})"
    if array.size > MOST or dtype.itemsize > 16 or dtype.char in "gG":
        return None
    if dtype.kind == "b":
        tail = ""
    if dtype == np.arange(1).dtype:
        tail = ""
    return f"np.array({literal(array.tolist())}{tail})"


def _shape(shape: tuple[int, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)


class Quotes:
    """Definitions, by the names that they have on the page.

    Attributes
    ----------
    imports, constants, definitions, aliases : dict of str to str
        By name: the text, in the order in which it is to stand.
    """

    def __init__(self) -> None:
        self.imports: dict[str, str] = {"np": "import numpy as np"}
        self.constants: dict[str, str] = {}
        self.definitions: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self._things: dict[str, Any] = {"np": np}
        self._names: dict[Any, str] = {id(np): "np"}
        self._failed: dict[int, str] = {}

    @property
    def taken(self) -> list[str]:
        """The names that are given away."""
        return list(self._things)

    def text(self) -> str:
        """The page so far."""
        hints = any(re.search(r"->|^ *\w+: ", d, re.M) for d in self.definitions.values())
        future = "from __future__ import annotations\n\n" if hints else ""
        standard = [
            line
            for name, line in sorted(self.imports.items(), key=lambda i: (i[1].startswith("from"), i[1]))
            if name != "np"
        ]
        blocks = [future + "\n".join(standard) + "\n" * (2 if standard else 0) + self.imports["np"]]
        if self.constants:
            blocks.append("\n".join(self.constants.values()))
        page = "\n\n".join(blocks)
        for definition in self.definitions.values():
            page += "\n\n\n" + definition
        if self.aliases:
            page += "\n\n\n" + "\n".join(self.aliases.values())
        return page

    def name(self, thing: Any, wanted: str | None = None) -> str:
        """The name under which something can be had, once it is on the page.

        Raises
        ------
        Unquotable
            If it has no text.
        """
        key = id(thing) if literal(thing) is None else (id(thing), wanted)  # equal numbers may mean different things
        if key in self._names:
            return self._names[key]
        if id(thing) in self._failed:
            raise Unquotable(self._failed[id(thing)])
        known = numpy_name(thing)
        if known is not None and wanted is None:
            return known
        name = self._free(wanted or _short_name(thing))
        marks = [dict(part) for part in (self.imports, self.constants, self.definitions, self.aliases)]
        things, names = dict(self._things), dict(self._names)
        self._things[name], self._names[key] = thing, name  # so that it may speak of itself
        try:
            self._put(name, thing, known)
        except Unquotable as error:
            self.imports, self.constants, self.definitions, self.aliases = marks
            self._things, self._names = things, names
            self._failed[id(thing)] = str(error)
            raise
        return name

    def _free(self, name: str) -> str:
        unique, n = name, 1
        while unique in self._things:
            unique, n = f"{name}_{n}", n + 1
        return unique

    def _put(self, name: str, thing: Any, known: str | None) -> None:
        if known is not None:
            self.aliases[name] = f"{name} = {known}"
        elif isinstance(thing, Op):
            self.aliases[name] = f"{name} = {self.name(thing.function)}"
        elif isinstance(thing, Several):
            function, many = self.name(thing.function), len(thing.parts)
            made = "tuple" if thing.make is tuple else self.name(thing.make)
            self.definitions[name] = (
                f"def {name}(*args, **kwargs):\n    return {made}(list({function}(*args, **kwargs)[:{many}]))"
            )
        elif isinstance(thing, FunctionType) and not _standard(thing.__module__):
            self._function(name, thing)
        elif isinstance(thing, ModuleType):
            root = thing.__name__.split(".")[0]
            if root != "numpy" and not _standard(root):
                raise Unquotable(f"it uses {thing.__name__}")
            self.imports[name] = f"import {thing.__name__}" + ("" if name == thing.__name__ else f" as {name}")
        elif isinstance(thing, type) and issubclass(thing, Exception) and thing.__module__ != "builtins":
            base = next(c for c in thing.__mro__ if c.__module__ == "builtins")
            self.definitions[name] = f"class {name}({base.__name__}):\n    pass"
        elif _standard(getattr(thing, "__module__", None)) and hasattr(thing, "__name__"):
            module, own = thing.__module__.lstrip("_"), thing.__name__
            if getattr(sys.modules.get(module), own, None) is not thing:
                raise Unquotable(f"it uses {own} of {module}")
            self.imports[name] = f"from {module} import {own}" + ("" if name == own else f" as {name}")
        else:
            text = literal(thing)
            if text is None:
                raise Unquotable(f"it uses {name}, a {type(thing).__name__}")
            self.constants[name] = f"{name} = {text}"

    def _function(self, name: str, function: FunctionType) -> None:
        node, lines = _definition(function)
        whole, node = node, _of_numpy(node, function)
        mentioned = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        replaced: dict[str, str] = {}
        for free, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if free not in mentioned:
                continue
            try:
                content = cell.cell_contents
            except ValueError:
                raise Unquotable(f"{free} is not known yet") from None
            replaced[free] = self.name(content, free if literal(content) is not None else None)
        for used in dict.fromkeys([*_globals(function.__code__), *_names_in_defaults(node, function)]):
            if used not in mentioned:
                continue
            if used in function.__globals__:
                thing = function.__globals__[used]
                if isinstance(thing, Op | Several) and _attributes(node, used):
                    replaced[f"{used}.function"] = self.name(thing.function)
                text = self.name(thing, used)
                if text != used:
                    replaced[used] = text
            elif not hasattr(builtins, used):
                raise Unquotable(f"{used} is not known")
        bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        bound |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        if bound & {*replaced, *(text for text in replaced.values() if text.isidentifier())}:
            raise Unquotable("names would clash")
        if isinstance(node, ast.Lambda):
            body = _Replacing(replaced).visit(copy.deepcopy(node.body))
            arguments = ast.unparse(ast.Lambda(node.args, ast.Constant(0)))[len("lambda") : -len(": 0")].strip()
            self.definitions[name] = f"def {name}({arguments}):\n    return {ast.unparse(body)}"
        elif node is whole:
            self.definitions[name] = _as_it_stands(node, lines, name, replaced)
        else:
            node.name = name
            self.definitions[name] = ast.unparse(ast.fix_missing_locations(_Replacing(replaced).visit(node)))


def _attributes(node: ast.AST, name: str) -> bool:
    """Whether the function of an operation is asked for, and nothing else of it."""
    found = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == name}
    if found - {"function"}:
        raise Unquotable(f"it uses {name}.{min(found - {'function'})}")
    return bool(found)


def _short_name(thing: Any) -> str:
    name = getattr(thing, "__name__", "")
    return name.replace(".", "_") if name.replace(".", "_").isidentifier() else "function"


def _standard(module: str | None) -> bool:
    return (module or "").split(".")[0] in sys.stdlib_module_names and module != "__main__"


def _globals(code: CodeType) -> Iterator[str]:
    """The global names that code reads, that of the functions inside included."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
        elif instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL", "IMPORT_NAME"):
            raise Unquotable("it changes globals or imports")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals(constant)


def _names_in_defaults(node: ast.FunctionDef | ast.Lambda, function: FunctionType) -> Iterator[str]:
    """The names that stand for defaults of its arguments, if they still do."""
    positional = dict(zip(reversed(node.args.defaults), reversed(function.__defaults__ or ()), strict=True))
    named = function.__kwdefaults__ or {}
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            positional[default] = named[argument.arg]
    for default, content in positional.items():
        names = {n.id for n in ast.walk(default) if isinstance(n, ast.Name)}
        if isinstance(default, ast.Name) and function.__globals__.get(default.id, names) is content:
            yield default.id
        elif names - {"np"}:
            raise Unquotable("a default is not known")


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _definition(function: FunctionType) -> tuple[Any, list[str]]:
    """The syntax of a function, and the lines of its file."""
    code = function.__code__
    try:
        file = inspect.getsourcefile(function) or code.co_filename
    except TypeError:
        raise Unquotable("its file is not known") from None
    lines = linecache.getlines(file, function.__globals__)
    try:
        tree = _parsed("".join(lines))
    except SyntaxError:
        raise Unquotable("its file has changed") from None
    first = code.co_firstlineno
    found: list[ast.FunctionDef | ast.Lambda] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            if first in (node.lineno, *(decorator.lineno for decorator in node.decorator_list)):
                found.append(node)
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == first:
            places = [(line, column) for line, _, column, _ in code.co_positions() if line and column]
            begin = (node.body.lineno, node.body.col_offset)
            end = (node.body.end_lineno or 0, node.body.end_col_offset or 0)
            if places and begin <= min(places) and max(places) <= end:
                found.append(node)
    names = code.co_varnames[: code.co_argcount]
    found = [node for node in found if tuple(a.arg for a in (*node.args.posonlyargs, *node.args.args)) == names]
    if len(found) != 1:
        raise Unquotable("its text was not found")
    return found[0], lines


class _OfNumpy(ast.NodeTransformer):
    """Without what is for arrays of other libraries, which no program meets."""

    def __init__(self, names: dict[str, Any]):
        self.names, self.changed = names, False

    def _is(self, node: ast.expr, *functions: Any) -> bool:
        return isinstance(node, ast.Name) and any(self.names.get(node.id) is function for function in functions)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        inner = node.args[0] if node.args and ast.unparse(node.func) == "any" else None
        if self._is(node.func, is_foreign, is_lazy) or (
            isinstance(inner, ast.Call) and ast.unparse(inner.func) == "map" and self._is(inner.args[0], is_foreign)
        ):
            self.changed = True
            return ast.Constant(False)
        if self._is(node.func, beside):
            self.changed = True
            return self.visit(node.args[0])  # type: ignore[no-any-return]
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        decides = isinstance(node.op, ast.Or)
        values: list[ast.expr] = []
        for value in node.values:
            if not isinstance(value, ast.Constant):
                values.append(value)
            elif bool(value.value) == decides:
                return ast.Constant(decides) if not values else node
        return (
            ast.Constant(not decides) if not values else values[0] if len(values) == 1 else ast.BoolOp(node.op, values)
        )

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        known = isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant)
        return ast.Constant(not node.operand.value) if known else node  # type: ignore[attr-defined]

    def visit_If(self, node: ast.If) -> Any:
        self.generic_visit(node)
        return (node.body if node.test.value else node.orelse) if isinstance(node.test, ast.Constant) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return (node.body if node.test.value else node.orelse) if isinstance(node.test, ast.Constant) else node


def _of_numpy(node: Any, function: FunctionType) -> Any:
    """The syntax of a function for NumPy's arrays alone: itself, if it knows no others."""
    transform = _OfNumpy(function.__globals__)
    new = transform.visit(copy.deepcopy(node))
    if not transform.changed:
        return node
    if isinstance(new, ast.FunctionDef):
        new.decorator_list, new.returns = [], None
        for argument in [n for n in ast.walk(new.args) if isinstance(n, ast.arg)]:
            argument.annotation = None
        if ast.get_docstring(new) is not None:
            del new.body[0]
        ends = [number for number, statement in enumerate(new.body) if isinstance(statement, ast.Return)]
        del new.body[ends[0] + 1 if ends else len(new.body) :]
    return new


class _Replacing(ast.NodeTransformer):
    """Other text in the place of names."""

    def __init__(self, replaced: dict[str, str]):
        self.replaced = replaced

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        text = self.replaced.get(ast.unparse(node))
        return self.generic_visit(node) if text is None else ast.parse(text, mode="eval").body

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.parse(self.replaced.get(node.id, node.id), mode="eval").body


def _as_it_stands(node: ast.FunctionDef, lines: list[str], name: str, replaced: dict[str, str]) -> str:
    """The text of a definition, with its comments, and with other names where they must be."""
    last = node.end_lineno or node.lineno
    text = [line.encode() for line in lines[node.lineno - 1 : last]]  # columns are counted in bytes
    arguments = [n for n in ast.walk(node.args) if isinstance(n, ast.arg) and n.annotation is not None]
    hints = [hint for hint in (*[n.annotation for n in arguments], node.returns) if hint is not None]
    unread = {id(n) for hint in hints for n in ast.walk(hint)}  # what is said of types is not for a page of numbers
    parts = [n for n in ast.walk(node) if isinstance(n, ast.Attribute) and ast.unparse(n) in replaced]
    inside = {id(n.value) for n in parts} | unread
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in replaced and id(n) not in inside]
    edits = [(n.lineno, n.col_offset, n.end_col_offset, replaced[ast.unparse(n)].encode()) for n in [*parts, *names]]
    for argument in arguments:
        if argument.lineno == argument.end_lineno:
            begin = argument.col_offset + len(argument.arg.encode())
            edits.append((argument.lineno, begin, argument.end_col_offset, b""))
    if node.returns is not None and node.returns.lineno == node.returns.end_lineno:
        before = text[node.returns.lineno - node.lineno][: node.returns.col_offset].rstrip()
        if before.endswith(b"->"):
            edits.append((node.returns.lineno, len(before[:-2].rstrip()), node.returns.end_col_offset, b""))
    for line, begin, end, new in sorted(edits, reverse=True):
        row = line - node.lineno
        text[row] = text[row][:begin] + new + text[row][end:]
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        if len(node.body) == 1:
            raise Unquotable("it does nothing")
        del text[first.lineno - node.lineno : (first.end_lineno or first.lineno) - node.lineno + 1]
    whole = textwrap.dedent(b"".join(text).decode()).strip("\n")
    return re.sub(rf"^def {node.name}\b", f"def {name}", whole)
