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
import re
import sys
import textwrap
from collections.abc import Iterator
from types import BuiltinMethodType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from .op import Op, Several

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


def literal(content: Any) -> str | None:
    """Text for a constant; None if it has none.

    >>> literal((1, -0.5, np.float32(0.1), np.dtype("int8"))), literal(float("-inf")), literal(np.arange(3))
    ("(1, -0.5, np.float32(0.1), np.dtype('int8'))", '-np.inf', 'np.arange(3)')
    """
    if content is None or content is Ellipsis or type(content) in (bool, int, str, bytes):
        return "..." if content is Ellipsis else repr(content)
    kind: Any = type(content)
    if kind is float:
        return re.sub(r"inf|nan", r"np.\g<0>", repr(content))
    if kind is complex:
        return f"complex({literal(content.real)}, {literal(content.imag)})"
    if isinstance(content, np.bool | np.integer | np.floating | np.complexfloating):
        number = content.item()
        if not isinstance(number, bool | int | float | complex):  # of more digits than Python's have
            return repr(content)
        text = re.sub(r"inf|nan", r"np.\g<0>", str(content)) if isinstance(content, np.floating) else literal(number)
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
    if kind is type and content in vars(builtins).values():
        return str(content.__name__)
    return numpy_name(content)


MOST = 64
"""An array of more numbers is given rather than printed."""


def _array_literal(array: np.ndarray) -> str | None:
    dtype = array.dtype
    if dtype.kind not in "biufc" or not dtype.isnative or (array.ndim > 1 and not array.flags.c_contiguous):
        return None
    tail = "" if dtype == np.float64 else f", {dtype.type.__name__ if dtype.type is np.bool else f'np.{dtype.name}'}"
    if dtype.kind == "i" and array.ndim == 1 and array.size > 1 and np.array_equal(array, np.arange(array.size)):
        return (
            f"np.arange({array.size})"
            if dtype == np.arange(1).dtype
            else f"np.arange({array.size}, dtype=np.{dtype.name})"
        )
    if not array.size:
        return f"np.zeros({array.shape}{tail})"
    if array.size > 1 and (array.flat[0] == array).all():
        number = literal(array.flat[0].item())
        if number in ("0.0", "1.0") and not np.signbit(array).any():
            return f"np.{'zeros' if number == '0.0' else 'ones'}({array.shape}{tail})"
        if np.signbit(array).all() or not np.signbit(array).any() if dtype.kind == "f" else dtype.kind != "c":
            return f"np.full({array.shape}, {number}{tail})"
    if array.size > MOST or dtype.itemsize > 16 or dtype.char in "gG":
        return None
    if dtype.kind == "b":
        tail = ""
    if dtype == np.arange(1).dtype:
        tail = ""
    return f"np.array({literal(array.tolist())}{tail})"


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
        future = "from __future__ import annotations\n\n" if any("->" in d for d in self.definitions.values()) else ""
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
        replaced: dict[str, str] = {}
        for free, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:
                raise Unquotable(f"{free} is not known yet") from None
            replaced[free] = self.name(content, free if literal(content) is not None else None)
        for used in dict.fromkeys([*_globals(function.__code__), *_names_in_defaults(node, function)]):
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
        else:
            self.definitions[name] = _as_it_stands(node, lines, name, replaced)


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
    parts = [n for n in ast.walk(node) if isinstance(n, ast.Attribute) and ast.unparse(n) in replaced]
    inside = {id(n.value) for n in parts}
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in replaced and id(n) not in inside]
    for part in sorted([*parts, *names], key=lambda n: (n.lineno, n.col_offset), reverse=True):
        row, begin, end = part.lineno - node.lineno, part.col_offset, part.end_col_offset
        text[row] = text[row][:begin] + replaced[ast.unparse(part)].encode() + text[row][end:]
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        if len(node.body) == 1:
            raise Unquotable("it does nothing")
        del text[first.lineno - node.lineno : (first.end_lineno or first.lineno) - node.lineno + 1]
    whole = textwrap.dedent(b"".join(text).decode()).strip("\n")
    return re.sub(rf"^def {node.name}\b", f"def {name}", whole)
