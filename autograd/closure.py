"""What a function closes over: everything outside of it that it could read or write, found by looking.

From its cells, defaults and the globals that its code reads, through modules, objects, lists and dicts, to the arrays,
Values, random generators and plain settings at the ends. `capture` puts recording arrays in the place of the first,
and makes of the others the conditions under which a program holds.

Of an object, a class or a module counts what is spoken of: an attribute whose name stands in no code that the function
could reach is not looked at, so that a list of losses that grows beside a training step is none of its business.
"""

from __future__ import annotations

import builtins
import collections
import contextvars
import dis
import functools
import gc
import inspect
import io
import logging
import operator
import os
import random
import sys
import types
import weakref
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from . import modes
from .errors import CompileError
from .graph import ancestors
from .program import Place
from .value import Value

Condition = tuple[Place, str, Any]
"""A place, how to compare ("is", "==" or "len"), and what with."""

_OURS = {"autograd", "nn"}
_TRUSTED = {*sys.stdlib_module_names, "numpy", "scipy", "tqdm", "builtins", *_OURS}
SETTINGS = (bool, int, float, complex, str, bytes, type(None))
_CONTAINERS = {dict, list, tuple}
_SNAPSHOTS = (set, frozenset, bytearray, array)
"""Containers that are compared as a whole."""
_DYNAMIC = {"getattr", "vars", "__dict__", "attrgetter", "methodcaller", "asdict", "astuple", "eval", "exec", "dir"}
"""Who says one of these could read any attribute."""
_UNSEEN = {
    "__init__", "__new__", "__init_subclass__", "__del__", "__repr__", "__str__", "__dir__", "__sizeof__", "__copy__",
    "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__class_getitem__",
}  # fmt: skip
"""Special methods that do not run unless they are named; all others may, without being named."""
_OF_A_NODE = ("_grad", "_first", "_second", "_inputs", "params", "notes")
_METHOD = Place(None, "", True, "a method")
"""Stands where a function was found in a class, and may never be called."""


class Surroundings:
    """What is reachable from a function.

    Parameters
    ----------
    function : callable
    objects : iterable
        What else it is given that is no array.

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
    stand_ins : list of (Place, content, what stands there while the function is traced)
        What a program must not meet: clocks, hidden generators, what prints; and what keeps results, without that.
    results : list of (Place, Value)
        Results of operations, with their graphs.
    conditions : list of Condition
        That all the rest is as it is. Those of numbers are not among them.
    graphs : list of (Value, dict)
        The nodes of graphs that were recorded outside, and what they held.
    containers : list of (container, copy)
        All that can grow, and what it held.
    """

    def __init__(self, function: Callable[..., Any], objects: Iterable[Any] = ()):
        self.values: dict[Value, str] = {}
        self.arrays: list[Place] = []
        self.numbers: list[Place] = []
        self.generators: list[Place] = []
        self.stand_ins: list[tuple[Place, Any, Any]] = []
        self.results: list[tuple[Place, Value]] = []
        self.conditions: list[Condition] = []
        self.graphs: list[tuple[Value, dict[str, Any]]] = []
        self.containers: list[tuple[Any, Any]] = []
        self._met: set[tuple[Any, Any]] = set()
        self._seen: set[int] = set()
        self._keep: list[Any] = []  # ids are of no use once the object is gone
        self._of_nn: set[int] = set()
        self._classes: dict[type, bool] = {}
        self._vocabularies: list[dict[str, frozenset[str]]] = []
        """Of classes whose globals are known: by a method's name, what it speaks of."""
        self._named: set[str] = set()
        self._anything = False
        self._waiting: dict[str, list[tuple[Callable[[Any, str, str], None], Any, str]]] = {}
        """By a name that nobody has spoken of yet: what to do when somebody does."""
        self._stack: list[tuple[Any, str, Place | None]] = [(root, called(root), None) for root in (*objects, function)]
        while self._stack:
            self._look_inside(*self._stack.pop())
        for module in (builtins, io):  # whoever opens a file, such as Path.read_text
            self.stand_ins.append((Place(module, "open", True, "open"), open, Refusing(open, "opens a file")))

    def holds(self, found: Any) -> bool:
        """Whether this very object is among what was found."""
        return id(found) in self._seen

    def restore(self) -> None:
        """Put everything back as it was found, but for the Values' data."""
        for container, copy in self.containers:
            if isinstance(container, dict):
                if len(container) != len(copy) or any(container.get(key, self) is not copy[key] for key in copy):
                    container.clear()
                    container.update(copy)
            elif isinstance(container, set):
                if container != copy:
                    container.clear()
                    container |= copy
            elif len(container) != len(copy) or not all(map(operator.is_, container, copy)):
                container.clear()
                container.extend(copy)
        for place, how, wanted in self.conditions:
            if how == "is" and place.attribute and content(place) is not wanted:
                place.set(wanted)

    # ---------------------------------------------------------------- one place

    def _meet(self, place: Place, here: str) -> None:
        """Note what is there, and that it is to be looked into."""
        found = content(place)
        kind: Any = type(found)
        where = identity(place)
        if found is MISSING or where in self._met:
            return
        self._met.add(where)
        self._keep.append(place.holder)
        # A tuple's entries are as it is.
        conditions = [] if isinstance(place, Entry) else self.conditions
        if kind is Value:
            conditions.append((place, "is", found))
            if found.is_leaf:
                self.values.setdefault(found, here)
            else:
                self.results.append((place, found))
                self._graph(found, here)
        elif isinstance(found, np.ndarray | np.generic) or _is_array(kind):
            self.arrays.append(place)
        elif kind is int or kind is float or kind is complex:
            self.numbers.append(place)
            if not found and kind is not int:
                self.conditions.append((Place(_Signed(place), 0, False, place.path), "==", repr(found)))
        elif isinstance(found, np.random.Generator):
            conditions.append((place, "is", found))
            self.generators.append(place)
        elif isinstance(found, SETTINGS):
            conditions.append((place, "is" if found is None or kind is bool else "==", found))
        else:
            conditions.append((place, "is", found))
            stand_in = None if kind in _CONTAINERS or _home(kind) == "nn" else _stand_in(found)
            if stand_in is not None:
                self.stand_ins.append((place, found, stand_in))
            elif found is np:
                self._offer(place, _FILES, here, self._reads_files)
            if not isinstance(stand_in, Refusing) or stand_in.names is not None:
                if id(place.holder) in self._of_nn:
                    self._of_nn.add(id(found))
                self._stack.append((found, here, place))

    def _graph(self, result: Value, here: str) -> None:
        """The leaves of a graph that was recorded outside, to which a gradient may go; and its nodes, as they are."""
        for node in ancestors(result):
            if id(node) in self._seen:
                continue
            self._seen.add(id(node))
            if node.requires_grad and node.is_leaf:
                self.values.setdefault(node, node.label or here)
            elif not node.is_leaf:
                self.graphs.append((node, {name: getattr(node, name) for name in _OF_A_NODE}))

    # ---------------------------------------------------------------- what is inside

    def _look_inside(self, found: Any, here: str, place: Place | None) -> None:
        if id(found) in self._seen and type(found) is not tuple:
            return
        self._seen.add(id(found))
        self._keep.append(found)
        kind: Any = type(found)
        if kind is dict:
            self._several(found, list(found), here)
        elif kind is list:
            self._several(found, range(len(found)), here)
        elif _home(kind) == "nn":
            self._object(found, kind, here)
        elif isinstance(found, types.FunctionType):
            self._function(found, here, place is not _METHOD)
        elif isinstance(found, types.MethodType | types.BuiltinMethodType | types.MethodWrapperType):
            self._stack += [(getattr(found, "__func__", None), here, None), (found.__self__, f"{here}.__self__", None)]
        elif isinstance(found, functools.partial):
            self._stack.append((found.func, f"{here}.func", None))
            self._stack.append((found.args, f"{here}.args", _Arguments(found, "args", True, f"{here}.args")))
            self._stack.append((found.keywords, f"{here}.keywords", Place(found, "keywords", True, here)))
        elif isinstance(found, property):
            self._stack += [(part, here, _METHOD) for part in (found.fget, found.fset, found.fdel)]
        elif isinstance(found, staticmethod | classmethod):
            self._stack.append((found.__func__, here, _METHOD))
        elif isinstance(found, functools.cached_property | functools.partialmethod):
            self._stack.append((found.func, here, _METHOD))
        elif isinstance(found, operator.attrgetter | operator.methodcaller):
            words = (word for word in found.__reduce__()[1] if isinstance(word, str))
            self._speak(frozenset(name for word in words for name in word.split(".")))
        elif isinstance(found, weakref.ref):
            self._stack.append((found(), here, None))
        elif isinstance(found, types.ModuleType):
            if not _trusted(found.__name__):
                self._offer(found, vars(found), found.__name__, self._attribute)
            elif found.__name__ == "os" and self._named & {"environ", "getenv"}:
                self._attribute(found, "environ", "os")
        elif isinstance(found, type):
            self._class(found, born=True)
            self._class(kind)
        elif _home(kind) == "autograd":
            if hasattr(found, "__wrapped__"):  # as what `compile` gave
                self._stack.append((found.__wrapped__, here, None))
        else:
            if isinstance(found, types.MappingProxyType):
                self._stack += [(inner, here, None) for inner in gc.get_referents(found)]
            elif isinstance(found, dict):
                self._several(found, list(found), here)
            elif isinstance(found, tuple):
                for number in range(len(found)):
                    self._meet(Entry(found, number, f"{here}[{number}]", place), f"{here}[{number}]")
            elif isinstance(found, list | collections.deque):
                self._several(found, range(len(found)), here)
            elif isinstance(found, _SNAPSHOTS):
                self._snapshot(found, here)
            elif isinstance(found, memoryview):
                self.conditions.append((Place(_Bytes(found), 0, False, here), "==", found.tobytes()))
            elif isinstance(found, functools._lru_cache_wrapper):
                self._stack.append((found.__wrapped__, here, None))
            self._object(found, kind, here)

    def _several(self, found: Any, keys: Any, here: str) -> None:
        self.containers.append((found, found.copy()))
        if len(found) > 64 and all(type(item) in SETTINGS for item in _items(found)):
            self._snapshot(found, here)
            return
        if isinstance(found, list | collections.deque) or len(found) < 2 or id(found) in self._of_nn:
            self.conditions.append((Place([found], 0, False, here), "len", len(found)))
        else:
            self.conditions.append((Place(_Keys(found), 0, False, here), "==", list(found)))
        for key in keys:
            if type(key) is Value and key.is_leaf:
                self.values.setdefault(key, f"a key of {here}")
            text = f"{here}[{_shown(key)}]"
            self._meet(Place(found, key, False, text), text)

    def _snapshot(self, found: Any, here: str) -> None:
        """That a container has equal content, of the same types."""
        copy = found[:] if isinstance(found, array) else found.copy()
        if not isinstance(found, frozenset):
            self.conditions.append((Place([found], 0, False, here), "==", copy))
            if not isinstance(found, bytearray | array):
                self.containers.append((found, copy))
        if not isinstance(found, bytearray | array):
            self.conditions.append((Place(_Types(found), 0, False, here), "==", _Types(found)[0]))
        for item in found if isinstance(found, set | frozenset) else ():
            if type(item) is Value:
                if item.is_leaf:
                    self.values.setdefault(item, f"an item of {here}")
            elif not isinstance(item, SETTINGS):
                self._stack.append((item, here, None))

    def _object(self, found: Any, kind: type, here: str) -> None:
        attributes = getattr(found, "__dict__", None)
        if _home(kind) == "nn":
            self._of_nn.update((id(found), id(attributes)))
        if isinstance(attributes, dict):
            self.conditions.append((Place(found, "__dict__", True, here), "len", len(attributes)))
            self.containers.append((attributes, dict(attributes)))
            self._keep.append(attributes)
            self._offer(found, attributes, here, self._attribute, walked=_walks_itself(kind))
        self._offer(found, _slots(kind), here, self._attribute)
        if kind not in self._classes:
            self._class(kind)

    def _class(self, kind: type, born: bool = False) -> None:
        """The classes of an object; `born` if an object could be made, and its `__init__` run."""
        for base in kind.__mro__:
            if base.__module__ == "builtins" or self._classes.get(base, -1) >= born:
                continue
            self._classes[base] = born
            if _trusted(base.__module__):
                always, others = _vocabulary(base, born)
                self._vocabularies.append(others)
                self._speak(always.union(*[others[name] for name in others.keys() & self._named]), trusted=True)
                continue
            members = vars(base)
            self.conditions.append((Place(base, "__dict__", True, base.__name__), "len", len(members)))
            special = {name for name in members if name.startswith("__") and name.endswith("__")}
            for name in special - (set() if born else _UNSEEN):
                if isinstance(members[name], types.FunctionType):
                    self._member(base, name, base.__name__)
            self._offer(base, [name for name in members if name not in special], base.__name__, self._member)

    def _attribute(self, found: Any, name: str, here: str) -> None:
        path = f"{here}.{name}"
        if isinstance(getattr(type(found), name, None), property):  # which hides what stands there
            self._meet(Place(vars(found), name, False, path), path)
        else:
            self._meet(Place(found, name, True, path), path)

    def _reads_files(self, place: Place, name: str, here: str) -> None:
        """Somebody speaks of ``np.load``, or of a ``load`` of something else, which stays as it is."""
        if not any(place is other for other, _, _ in self.stand_ins):
            self.stand_ins.append((place, np, Refusing(np, "reads or writes a file", _FILES)))

    def _member(self, kind: type, name: str, here: str) -> None:
        """What stands in a class."""
        member, path = vars(kind)[name], f"{here}.{name}"
        if isinstance(member, types.MemberDescriptorType | types.GetSetDescriptorType):
            return
        if isinstance(member, types.FunctionType) or hasattr(type(member), "__get__"):
            self.conditions.append((Place(vars(kind), name, False, path), "is", member))
            self._stack.append((member, path, _METHOD))
        else:
            self._meet(Place(kind, name, True, path), path)

    def _function(self, function: types.FunctionType, here: str, surely_called: bool) -> None:
        code = function.__code__
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            self._meet(Place(cell, "cell_contents", True, name), name)
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            self._stack.append((wrapped, here, None))
        home = function.__module__ or ""
        if _known(function):
            if home.split(".")[0] == "nn":
                self._speak(_words(function), trusted=True)
            return
        self.conditions.append((Place(function, "__code__", True, here), "is", code))
        if function.__defaults__:
            place = Place(function, "__defaults__", True, f"{here}.__defaults__")
            self._stack.append((function.__defaults__, place.path, place))
            self.conditions.append((place, "is", function.__defaults__))
        if function.__kwdefaults__:
            place = Place(function, "__kwdefaults__", True, f"{here}.__kwdefaults__")
            self._stack.append((function.__kwdefaults__, place.path, place))
            self.conditions.append((place, "is", function.__kwdefaults__))
        self._speak(_names(code))
        if vars(function):
            self._offer(function, vars(function), here, self._attribute)
        read, imported = _reads(code)
        for name in sorted(read):
            if name in function.__globals__:
                self._meet(Place(function.__globals__, name, False, name), name)
                continue
            builtin = vars(builtins).get(name, MISSING)
            stand_in = None if builtin is MISSING else _stand_in(builtin)
            if stand_in is None:  # and it is to stay that way
                missing = Place(_Contains(function.__globals__), name, False, name)
                self.conditions.append((missing, "is", False))
            else:
                self.stand_ins.append((_Shadow(function.__globals__, name, name, builtin), builtin, stand_in))
        for name in imported if surely_called else ():
            refused = _stand_in(sys.modules.get(name))
            if refused is not None and refused.names is None:
                refused.refuse(f"import {name}")
            if not _trusted(name) and name in sys.modules:
                self._stack.append((sys.modules[name], name, None))

    # ---------------------------------------------------------------- names

    def _offer(
        self, found: Any, names: Iterable[str], here: str, meet: Callable[[Any, str, str], None], walked: bool = False
    ) -> None:
        """Meet what is spoken of, and the others as soon as they are."""
        for name in list(names):
            if self._anything or name in self._named or (walked and _holds_values(names[name])):  # type: ignore[index]
                meet(found, name, here)
            else:
                self._waiting.setdefault(name, []).append((meet, found, here))

    def _speak(self, names: frozenset[str], trusted: bool = False) -> None:
        """Somebody speaks of these names."""
        if not trusted and not self._anything and names & _DYNAMIC:
            self._anything = True
            for name in list(self._waiting):
                self._come_to(name)
        new = names - self._named
        while new:
            self._named |= new
            spoken = [words[name] for words in self._vocabularies for name in words.keys() & new]
            for name in new & self._waiting.keys():
                self._come_to(name)
            new = frozenset().union(*spoken) - self._named

    def _come_to(self, name: str) -> None:
        """Look at what waited for that name to be spoken."""
        for meet, found, here in self._waiting.pop(name, ()):
            meet(found, name, here)


# -------------------------------------------------------------------- places

MISSING = object()
"""What is where nothing is."""


def content(place: Place) -> Any:
    """What is there; `MISSING` if nothing is, as in a cell that is empty and an entry that is gone."""
    try:
        return place.get()
    except (AttributeError, LookupError, ValueError):
        return MISSING


def identity(place: Place) -> tuple[Any, Any]:
    """What two places have in common that are the same: the tuple that an entry is in may be replaced meanwhile."""
    if isinstance(place, Entry) and place.parent is not None:
        return identity(place.parent), place.key
    return id(place.holder), place.key


class Entry(Place):
    """A place in a tuple, which is written to by putting another tuple into the tuple's own place."""

    __slots__ = ("parent",)

    def __init__(self, holder: tuple[Any, ...], key: int, path: str, parent: Place | None):
        super().__init__(holder, key, False, path)
        self.parent = parent

    def get(self) -> Any:
        return (self.holder if self.parent is None else self.parent.get())[self.key]

    def set(self, content: Any) -> None:
        if self.parent is None:
            return
        held = list(self.parent.get())
        held[self.key] = content
        same = all(map(operator.is_, held, self.holder))
        self.parent.set(self.holder if same else tuple.__new__(type(self.holder), held))


class _Arguments(Place):
    """The positional arguments of a functools.partial."""

    def set(self, content: Any) -> None:
        self.holder.__setstate__((self.holder.func, content, self.holder.keywords, vars(self.holder)))


class _Shadow(Place):
    """Among the globals of a function, the name of something that is built in."""

    __slots__ = ("builtin",)

    def __init__(self, holder: dict[str, Any], key: str, path: str, builtin: Any):
        super().__init__(holder, key, False, path)
        self.builtin = builtin

    def get(self) -> Any:
        return self.holder.get(self.key, self.builtin)

    def set(self, content: Any) -> None:
        if content is self.builtin:
            self.holder.pop(self.key, None)
        else:
            self.holder[self.key] = content


class _View:
    """Something to compare of an object, as if it were an entry of a container."""

    __slots__ = ("of",)

    def __init__(self, of: Any):
        self.of = of


class _Contains(_View):
    def __getitem__(self, key: Any) -> bool:
        return key in self.of


class _Keys(_View):
    def __getitem__(self, key: Any) -> list[Any]:
        return list(self.of)


class _Types(_View):
    def __getitem__(self, key: Any) -> Any:
        types_ = map(type, _items(self.of))
        return collections.Counter(types_) if isinstance(self.of, set | frozenset) else [*types_]


class _Bytes(_View):
    def __getitem__(self, key: Any) -> bytes:
        return self.of.tobytes()  # type: ignore[no-any-return]


class _Signed(_View):
    """Zeros are equal, and not the same: 1 / 0.0 is not 1 / -0.0."""

    def __getitem__(self, key: Any) -> str:
        number = content(self.of)
        return repr(number) if number == 0 else "0.0" if type(number) is float else "0j"


# -------------------------------------------------------------------- what a program must not meet


class Refusing:
    """Stands for something whose answers no program can repeat, while a function is traced.

    Parameters
    ----------
    original
        What other threads still get, and everybody when the trace is over.
    does : str
        What it does.
    names : set of str, optional
        Attributes that are refused; default: it is refused as a whole.
    """

    def __init__(self, original: Any, does: str, names: set[str] | None = None):
        self.original, self.does, self.names = original, does, names

    def refuse(self, what: str) -> None:
        if modes.now().interpreter is not None:  # somebody may keep this, as `from builtins import open` does
            raise CompileError(
                f"compile: {what}, which {self.does}, while a function is traced. A program is NumPy calls alone, and "
                f"would not do so in later runs. Do it outside, and pass what comes of it as an argument; random "
                f"numbers come from a generator, np.random.default_rng(), that the function closes over."
            )

    def __getattr__(self, name: str) -> Any:
        if self.names is None or name in self.names:
            self.refuse(f"{called(self.original)}.{name}")
        return getattr(self.original, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.names is None:
            self.refuse(f"{called(self.original)}(...)")
        return self.original(*args, **kwargs)

    def __iter__(self) -> Any:
        self.refuse(f"a loop over {called(self.original)}")
        return iter(self.original)

    def __next__(self) -> Any:
        self.refuse(f"next({called(self.original)})")
        return next(self.original)

    def __instancecheck__(self, x: Any) -> bool:
        return isinstance(x, self.original)


_BUILTINS: dict[Any, str] = {
    print: "prints", input: "asks for input", open: "opens a file", breakpoint: "stops to debug",
    eval: "could read anything", exec: "could do anything", globals: "could read anything",
}  # fmt: skip
_MODULES: dict[str, tuple[str, set[str] | None]] = {
    "random": ("draws from a hidden generator", None),
    "secrets": ("draws from a hidden generator", None),
    "uuid": ("draws from a hidden generator", None),
    "time": ("reads a clock", None),
    "datetime": ("reads a clock", set()),
    "logging": ("writes a log", None),
    "importlib": ("could read anything", None),
    "sys": ("reads or writes what cannot be followed", {"stdin", "stdout", "stderr", "modules", "_getframe"}),
    "os": ("asks the system", {"urandom", "getrandom", "getpid", "times", "stat", "listdir", "scandir", "system"}),
}
_NOW = {"now", "today", "utcnow"}
_FILES = {
    "load", "loadtxt", "genfromtxt", "fromfile", "fromregex", "memmap", "save", "savez", "savez_compressed", "savetxt",
}  # fmt: skip
"""Functions of NumPy's that read or write files: the next run would get what stood there when it was traced."""


def _stand_in(found: Any) -> Any:
    """What is to stand in the place of something while a function is traced; None if it may stay."""
    if found is type:
        return _TYPE
    if callable(found) and any(found is getattr(np, name) for name in _FILES):
        return Refusing(found, "reads or writes a file")
    if isinstance(found, types.ModuleType):
        if found.__name__ in _MODULES:
            does, names = _MODULES[found.__name__]
            return _Dates(found, does) if found.__name__ == "datetime" else Refusing(found, does, names)
        return None
    if isinstance(found, types.BuiltinFunctionType):
        does = _BUILTINS.get(found, "reads a clock" if found.__module__ == "time" else "")
        if isinstance(found.__self__, random.Random):
            does = "draws from a hidden generator"
        return Refusing(found, does) if does else None
    if isinstance(found, types.FunctionType | types.MethodType):
        home = found.__module__
        owner = getattr(found, "__self__", None)
        if home in ("random", "secrets", "uuid", "logging") or isinstance(owner, random.Random | logging.Logger):
            return Refusing(found, _MODULES[home if home in _MODULES else "random"][0])
        return None
    if isinstance(found, type):
        return Refusing(found, "reads a clock", _NOW) if found.__module__ == "datetime" else None
    if isinstance(found, functools._lru_cache_wrapper):
        return None if _trusted(found.__module__) else found.__wrapped__
    if isinstance(found, random.Random | np.random.RandomState):
        return Refusing(found, "is a generator of which programs know nothing")
    if isinstance(found, logging.Logger | logging.LoggerAdapter):
        return Refusing(found, "writes a log")
    if isinstance(found, io.IOBase):
        return Refusing(found, "reads or writes a file")
    if isinstance(found, contextvars.ContextVar):
        return Refusing(found, "depends on the context")
    if isinstance(found, Iterator) and not isinstance(getattr(type(found), "__next__", None), types.FunctionType):
        return Refusing(found, "gives something else each time")
    return None


class _TypeOf:
    """Stands for `type`, of which traced arrays are arrays."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and hasattr(type(args[0]), "stands_for"):
            return type(args[0].stands_for())
        return type(*args, **kwargs)

    def __instancecheck__(self, x: Any) -> bool:
        return isinstance(x, type)

    def __eq__(self, other: object) -> bool:
        return other is self or other is type

    def __hash__(self) -> int:
        return hash(type)

    def __getattr__(self, name: str) -> Any:
        return getattr(type, name)


_TYPE = _TypeOf()


class _Dates(Refusing):
    """The module datetime: its classes make dates, and only some of their methods read the clock."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.original, name)
        return _stand_in(found) or found if isinstance(found, type) else found


def called(found: Any) -> str:
    """What something is called in a message: a function by its name, anything else by its type."""
    static = inspect.getattr_static(found, "__name__", None)  # an object's own __getattr__ is not asked
    name = None if static is None else getattr(found, "__name__", None)
    return name if isinstance(name, str) else type(found).__name__


# -------------------------------------------------------------------- kinds and names


def _items(found: Any) -> Iterator[Any]:
    return iter(found.values() if isinstance(found, Mapping) else found)


def _is_array(kind: type) -> bool:
    return hasattr(kind, "__array_function__") and kind is not Value


def _shown(key: Any) -> str:
    return repr(key) if isinstance(key, SETTINGS) else called(key)


@functools.cache
def _walks_itself(kind: type) -> bool:
    """Whether its own methods look at each attribute: a Module finds its parameters so."""
    return any(base.__module__ == "nn.module" and base.__name__ == "Module" for base in kind.__mro__)


def _holds_values(found: Any) -> bool:
    """Whether it is a Value or a Module, or holds one."""
    if isinstance(found, list | tuple):
        return any(map(_holds_values, found))
    if isinstance(found, dict):
        return any(map(_holds_values, found.values()))
    kind: Any = type(found)
    return kind is Value or _walks_itself(kind)


@functools.cache
def _names(code: types.CodeType) -> frozenset[str]:
    """The global names and attributes that a function's code speaks of, also in the functions inside."""
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(code.co_names).union(*inner)


@functools.cache
def _words(function: types.FunctionType) -> frozenset[str]:
    """The same of a function whose globals are known; in nn, with what the functions speak of that it calls."""
    found, pending = {function}, [function]
    while pending:
        caller = pending.pop()
        if (caller.__module__ or "").split(".")[0] != "nn":
            continue
        for name in _reads(caller.__code__)[0]:
            helper = caller.__globals__.get(name)
            if isinstance(helper, types.FunctionType) and helper not in found:
                found.add(helper)
                pending.append(helper)
    return frozenset().union(*(_names(each.__code__) for each in found))


@functools.cache
def _vocabulary(kind: Any, born: bool) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """What the special methods of a class whose globals are known speak of; and, by their names, what the others do."""
    always: frozenset[str] = frozenset()
    others = {}
    for name, member in vars(kind).items():
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if not isinstance(function, types.FunctionType):
            continue
        if not (name.startswith("__") and name.endswith("__")):
            others[name] = _words(function)
        elif born or name not in _UNSEEN:
            always |= _words(function)
    return always, others


@functools.cache
def _slots(kind: Any) -> tuple[str, ...]:
    """The names of attributes that an object has beside its `__dict__`."""
    found: list[str] = []
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        found += (slots,) if isinstance(slots, str) else slots
    return tuple([name for name in found if name not in ("__dict__", "__weakref__")])


@functools.cache
def _home(kind: Any) -> str:
    """The package that a class is of."""
    return str(kind.__module__).split(".")[0]


_GLOBAL = {dis.opmap["LOAD_GLOBAL"]: 1, dis.opmap["STORE_GLOBAL"]: 0, dis.opmap["DELETE_GLOBAL"]: 0}
_IMPORT, _EXTENDED = dis.opmap["IMPORT_NAME"], dis.opmap["EXTENDED_ARG"]


@functools.cache
def _reads(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a function's code takes from its globals, and the modules that it imports itself."""
    read, imported, high = set(), set(), 0
    for operation, number in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        number += high << 8
        high = number if operation == _EXTENDED else 0
        if operation in _GLOBAL:
            read.add(code.co_names[number >> _GLOBAL[operation]])
        elif operation == _IMPORT:
            imported.add(code.co_names[number])
    inner = [_reads(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(read).union(*(pair[0] for pair in inner)), frozenset(imported).union(*(pair[1] for pair in inner))


@functools.cache
def _trusted(module: str) -> bool:
    """Whether a module's functions read no globals that change: the standard library's, NumPy's, ours.

    Of an installed package that is so unless it speaks of us.
    """
    root = module.split(".")[0]
    if root in _TRUSTED or root == "__main__":
        return root != "__main__"
    found = sys.modules.get(module)
    file = getattr(found, "__file__", None) or ""
    if "site-packages" not in file and "dist-packages" not in file:
        return False
    content = vars(found).values()
    homes = (x.__name__ if isinstance(x, types.ModuleType) else getattr(x, "__module__", "") for x in content)
    return not any(isinstance(home, str) and home.split(".")[0] in _OURS for home in homes)


def _known(function: types.FunctionType) -> bool:
    """The same of one function, by the file that it was written in: a module may lend its name to others' code."""
    file = function.__code__.co_filename
    if file.startswith(_OUR_FOLDERS):
        return True
    if "site-packages" in file or "dist-packages" in file:
        return _trusted(function.__module__ or "")
    return file.startswith(_LIBRARY)


def _folder(*parts: str) -> str:
    return os.path.abspath(os.path.join(*parts)) + os.sep


_LIBRARY = _folder(os.__file__, "..")
_OUR_FOLDERS = (_folder(__file__, ".."), _folder(__file__, "..", "..", "nn"), _folder(np.__file__, ".."))
