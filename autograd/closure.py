"""What a function closes over: everything outside of it that it could read or write, found by looking.

From its cells, defaults and the globals that its code names, through modules, objects, lists and dicts, to the arrays,
Values, random generators and plain settings at the ends. `capture` puts recording arrays in the place of the first,
and makes of the others the conditions under which a program holds.
"""

from __future__ import annotations

import functools
import operator
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .errors import CompileError
from .graph import ancestors
from .program import Place
from .value import Value

Condition = tuple[Place, str, Any]
"""A place, how to compare ("is", "==" or "len"), and what with."""

_TRUSTED = {*sys.stdlib_module_names, "numpy", "scipy", "tqdm", "builtins", "autograd", "nn"}
SETTINGS = (bool, int, float, complex, str, bytes, type(None))
_EFFECTS = {"print": "prints", "input": "asks for input", "open": "opens a file", "breakpoint": "stops to debug"}
_CLOCKS = {"random", "time", "datetime", "secrets", "uuid"}
_OF_A_NODE = ("_grad", "_first", "_second", "_inputs", "params", "notes")
_METHOD = Place(None, "", True, "a method")
"""Stands where a function was found in a class, and may never be called."""


class Surroundings:
    """What is reachable from a function, and from objects that it is given.

    Attributes
    ----------
    values : dict of Value to str
        The leaves, and how each was found.
    arrays : list of Place
        What holds an array or a NumPy scalar, and is no Value.
    numbers : list of Place
        What holds a Python number, other than a bool.
    generators : list of Place
        What holds a random generator of NumPy's.
    conditions : list of Condition
        That all the rest is as it is. Those of numbers are not among them.
    graphs : list of (Value, dict)
        The nodes of graphs that were recorded outside, and what they held.
    containers : list of (dict or list, copy)
        All that can grow, and what it held.
    parents : dict
        By the id of a tuple, which cannot be changed: where it stands itself.
    """

    def __init__(self, function: Callable[..., Any], objects: Iterable[Any] = ()):
        self.values: dict[Value, str] = {}
        self.arrays: list[Place] = []
        self.numbers: list[Place] = []
        self.generators: list[Place] = []
        self.conditions: list[Condition] = []
        self.results: list[tuple[Place, Value]] = []
        self.graphs: list[tuple[Value, dict[str, Any]]] = []
        self.containers: list[tuple[Any, Any]] = []
        self.parents: dict[int, Place] = {}
        self._seen: set[int] = set()
        self._keep: list[Any] = []  # ids are of no use once the object is gone
        self._stack: list[tuple[Any, str, Place | None]] = [(root, called(root), None) for root in (*objects, function)]
        while self._stack:
            self._look_inside(*self._stack.pop())

    def restore(self) -> None:
        """Put everything back as it was found, but for the Values' data."""
        for container, copy in self.containers:
            if isinstance(container, dict):
                if len(container) != len(copy) or any(container.get(key, self) is not copy[key] for key in copy):
                    container.clear()
                    container.update(copy)
            elif len(container) != len(copy) or not all(map(operator.is_, container, copy)):
                container[:] = copy
        for place, how, wanted in self.conditions:
            if how == "is" and place.attribute and place.get() is not wanted:
                place.set(wanted)

    def now(self, place: Place) -> Any:
        """What is there, also in a tuple that another one has replaced since."""
        return self.now(self.parents[id(place.holder)])[place.key] if isinstance(place.holder, tuple) else place.get()

    def put(self, place: Place, content: Any) -> None:
        """Put something there, also into a tuple: by a new one in its place, or the old one if it is as it was."""
        if not isinstance(place.holder, tuple):
            place.set(content)
            return
        parent = self.parents[id(place.holder)]
        held = list(self.now(parent))
        held[place.key] = content
        if all(map(operator.is_, held, place.holder)):
            self.put(parent, place.holder)
        else:
            self.put(parent, type(place.holder)(*held) if hasattr(place.holder, "_fields") else tuple(held))

    def _meet(self, place: Place, here: str) -> None:
        """Note what is there, and that it is to be looked into."""
        try:
            content = place.get()
        except (AttributeError, ValueError, KeyError):  # an empty cell, a slot that was never filled
            return
        kind = type(content)
        conditions = [] if isinstance(place.holder, tuple) else self.conditions  # a tuple's entries are as it is
        if kind is Value:
            conditions.append((place, "is", content))
            if content.is_leaf:
                self.values.setdefault(content, here)
            else:
                self.results.append((place, content))
                self._graph(content, here)
        elif isinstance(content, np.ndarray | np.generic) or _is_array(kind):
            self.arrays.append(place)
        elif kind is int or kind is float or kind is complex:
            self.numbers.append(place)
        elif isinstance(content, np.random.Generator):
            conditions.append((place, "is", content))
            self.generators.append(place)
        elif isinstance(content, SETTINGS):
            how = "is" if content is None or kind is bool else "=="
            conditions.append((place, how, content))
        else:
            conditions.append((place, "is", content))
            if isinstance(content, tuple):
                self.parents[id(content)] = place
            self._stack.append((content, here, place))

    def _graph(self, result: Value, here: str) -> None:
        """The leaves of a graph that was recorded outside, to which a gradient may go; and its nodes, as they are."""
        for node in ancestors(result):
            if id(node) in self._seen:
                continue
            self._seen.add(id(node))
            if node.is_leaf:
                self.values.setdefault(node, node.label or here)
            else:
                self.graphs.append((node, {name: getattr(node, name) for name in _OF_A_NODE}))

    def _look_inside(self, found: Any, here: str, place: Place | None) -> None:
        if id(found) in self._seen:
            return
        self._seen.add(id(found))
        self._keep.append(found)
        kind = type(found)
        if isinstance(found, types.FunctionType):
            self._function(found, here, place is not _METHOD)
        elif isinstance(found, types.MethodType):
            self._stack += [(found.__func__, here, None), (found.__self__, f"{here}.__self__", None)]
        elif isinstance(found, functools.partial):
            for name in ("func", "args", "keywords"):
                self._stack.append((getattr(found, name), f"{here}.{name}", None))
        elif isinstance(found, dict):
            self._several(found, list(found), here, place)
        elif isinstance(found, list | tuple):
            self._several(found, range(len(found)), here, place)
        elif isinstance(found, types.ModuleType):
            if not _trusted(found.__name__):
                self._keep.append(found)
        elif isinstance(found, type):
            if not _trusted(found.__module__):
                for name, content in vars(found).items():
                    if isinstance(content, types.FunctionType):
                        self._stack.append((content, f"{here}.{name}", _METHOD))
                    elif isinstance(content, SETTINGS) and not name.startswith("__"):
                        self.conditions.append((Place(found, name, True, f"{here}.{name}"), "==", content))
        elif kind.__module__.split(".")[0] == "nn" or not _trusted(kind.__module__):
            self._object(found, kind, here)
        elif hasattr(found, "__wrapped__"):  # as what `compile` gave
            self._stack.append((found.__wrapped__, here, None))

    def _object(self, found: Any, kind: type, here: str) -> None:
        attributes = getattr(found, "__dict__", None)
        if attributes is not None:
            self.conditions.append((Place(found, "__dict__", True, here), "len", len(attributes)))
            self.containers.append((attributes, dict(attributes)))
            for name in list(attributes):
                self._meet(Place(found, name, True, f"{here}.{name}"), f"{here}.{name}")
        for base in kind.__mro__:
            slots = vars(base).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name not in ("__dict__", "__weakref__"):
                    self._meet(Place(found, name, True, f"{here}.{name}"), f"{here}.{name}")
        self._stack += [(base, base.__name__, None) for base in kind.__mro__ if not _trusted(base.__module__)]

    def _several(self, found: Any, keys: Any, here: str, place: Place | None) -> None:
        if not isinstance(found, tuple):
            self.containers.append((found, found.copy()))
            if place is not None:
                self.conditions.append((place, "len", len(found)))
        if len(found) > 64 and all(type(item) in SETTINGS for item in _items(found)):
            copy = found.copy() if isinstance(found, dict) else type(found)(found)
            if place is not None:
                self.conditions.append((place, "==", copy))
            return
        for key in keys:
            text = f"{here}[{key!r}]"
            self._meet(Place(found, key, False, text), text)

    def _function(self, function: types.FunctionType, here: str, surely_called: bool) -> None:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self._meet(Place(cell, "cell_contents", True, name), name)
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            self._stack.append((wrapped, here, None))
        if _trusted(function.__module__ or ""):
            return
        if function.__defaults__:
            self._several(function.__defaults__, range(len(function.__defaults__)), f"{here}.__defaults__", None)
            self.parents[id(function.__defaults__)] = Place(function, "__defaults__", True, here)
        if function.__kwdefaults__:
            self._several(function.__kwdefaults__, list(function.__kwdefaults__), f"{here}.__kwdefaults__", None)
        names = set(_names(function.__code__))
        for name in sorted(names):
            if name in function.__globals__:
                content = function.__globals__[name]
                if isinstance(content, types.ModuleType):
                    self._module(content, names, function, here if surely_called else None)
                else:
                    self._meet(Place(function.__globals__, name, False, name), name)
            elif surely_called and name in _EFFECTS:
                raise CompileError(
                    f"compile({here}): {function.__name__} calls {name}(...), which {_EFFECTS[name]}: a program is "
                    f"NumPy calls alone, and would do so on no later run. Return it, and do that outside."
                )

    def _module(
        self, module: types.ModuleType, names: set[str], function: types.FunctionType, here: str | None
    ) -> None:
        root = module.__name__.split(".")[0]
        if root in _CLOCKS and here is not None:
            raise CompileError(
                f"compile({here}): {function.__name__} uses the module {root}: a program would see forever what it "
                f"gave when it was traced. Compute it outside and pass it as an argument; random numbers come "
                f"from a generator, np.random.default_rng(), that the function closes over."
            )
        if not _trusted(module.__name__):
            for name in names & set(vars(module)):
                self._meet(Place(module, name, True, f"{module.__name__}.{name}"), f"{module.__name__}.{name}")


def called(found: Any) -> str:
    """What something is called in a message: a function by its name, anything else by its type."""
    return getattr(found, "__name__", type(found).__name__)


def _items(found: Any) -> Iterator[Any]:
    return iter(found.values() if isinstance(found, dict) else found)


def _is_array(kind: type) -> bool:
    return hasattr(kind, "__array_function__") and kind is not Value


@functools.cache
def _names(code: types.CodeType) -> frozenset[str]:
    """The global names and attributes that a function's code speaks of, also in the functions inside."""
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(code.co_names).union(*inner)


@functools.cache
def _trusted(module: str) -> bool:
    """Whether a module's functions read no globals that change: the standard library's, NumPy's, ours."""
    root = module.split(".")[0]
    if root in _TRUSTED:
        return True
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file
