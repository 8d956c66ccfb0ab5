"""Program: a straight line of NumPy calls, as data.

`capture` makes one of a run of a function, `passes` and their like make better ones of it, `rendering` writes it as
Python. Every result is a `Variable` that is assigned once; a `Call` names the function and, nested as the function
wants them, its arguments: variables, and constants as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from .errors import AutogradError
from .value import Value, constant

LONG = 20_000
"""Of how many lines a program is not kept as it can be read."""


class Variable:
    """A name in a program, with what is known of its content before it runs.

    Attributes
    ----------
    kind : {"array", "number", "object"}
        An ndarray; a NumPy scalar or a Python number; anything else, such as a tuple of results.
    shape : tuple of int
    dtype : numpy.dtype or None
        None for an object and for a Python number, which leaves the dtype of what it meets alone.
    strides : tuple of int or None
        In bytes, as the array came out when it was traced. Sums depend on them in their last digit.
    owners : tuple of Variable
        The variables whose memory it may share, as a view does; without this one.
    name : str or None
        What it should be called; need not be unique, nor an identifier.
    """

    __slots__ = ("dtype", "kind", "name", "owners", "shape", "strides")

    def __init__(
        self,
        kind: str = "array",
        shape: tuple[int, ...] = (),
        dtype: Any = None,
        strides: tuple[int, ...] | None = None,
        owners: tuple[Variable, ...] = (),
        name: str | None = None,
    ):
        self.kind, self.shape, self.dtype, self.strides = kind, shape, dtype, strides
        self.owners, self.name = owners, name

    @classmethod
    def of(cls, content: Any, name: str | None = None) -> Variable:
        """One for such a content."""
        if isinstance(content, np.ndarray):
            return cls("array", content.shape, content.dtype, content.strides, name=name)
        if isinstance(content, np.generic):
            return cls("number", (), content.dtype, name=name)
        if isinstance(content, bool | int | float | complex):
            return cls("number", name=name)
        return cls("object", name=name)

    @property
    def size(self) -> int:
        """How many elements there are."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    def __repr__(self) -> str:
        return f"<Variable {self.name or ''} {self.dtype} {self.shape}>"


class Call:
    """One line: ``result = function(*args, **kwargs)``.

    Attributes
    ----------
    function : callable
        ``operator.getitem`` stands for an index, `Expect` for a condition.
    args, kwargs : tuple and dict
        Variables and constants, in tuples, lists, dicts and slices.
    result : Variable or None
    part : str
        ``"forward"``, ``"backward"`` or ``"update"``: what the line belongs to.
    effect : bool
        Whether it must run, where it stands, whatever becomes of its result: a draw of random numbers, a condition, a
        function that shares memory with another.
    out : Variable or None
        Of a call that a pass has given its place: what it writes into, a buffer or a variable that is needed no more.
    """

    __slots__ = ("_operands", "args", "effect", "function", "kwargs", "out", "part", "result")

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        result: Variable | None = None,
        part: str = "forward",
        effect: bool = False,
        out: Variable | None = None,
    ):
        self.function, self.args, self.kwargs, self.result = function, args, kwargs or {}, result
        self.part, self.effect, self.out = part, effect, out
        self._operands: list[Variable] | None = None  # looked for once

    @property
    def operands(self) -> Sequence[Variable]:
        """The variables among the arguments, each time that they come."""
        found = self._operands
        if found is not None:
            return found
        found = self._operands = []
        for argument in self.args:
            kind = type(argument)
            if kind is Variable:
                found.append(argument)
            elif kind in _NESTED or isinstance(argument, tuple):
                found.extend(variables(argument))
        if self.kwargs:
            found.extend(variables(self.kwargs))
        return found

    def with_arguments(self, change: Callable[[Variable], Any]) -> Call:
        """The same call with something else in the place of its variables."""
        args, kwargs = mapped(change, self.args), mapped(change, self.kwargs)
        return Call(self.function, args, kwargs, self.result, self.part, self.effect, self.out)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", self.function)
        return f"<Call {self.result} = {name}{self.args} {self.kwargs or ''}>"


class Expect:
    """A condition under which a program holds: called, it raises `DivergedError` if the content is another.

    Parameters
    ----------
    what : {"truth", "shape"}
        Of the only argument.
    wanted
        What it was when the program was traced.
    """

    def __init__(self, what: str, wanted: Any):
        self.what, self.wanted = what, wanted

    def __call__(self, content: Any) -> None:
        if (bool(content) if self.what == "truth" else np.shape(content)) != self.wanted:
            raise DivergedError


class DivergedError(AutogradError):
    """A program met a condition that came out otherwise than when it was traced. Nothing was written yet."""


class Place:
    """Somewhere outside of a function that it reads or writes: an attribute, an entry, a cell, a Value's data.

    `get` and `set` say how; `holder` and `key` are what a renderer needs: ``holder.key`` if `attribute`, else
    ``holder[key]``.
    """

    __slots__ = ("attribute", "holder", "key", "path")

    def __init__(self, holder: Any, key: Any, attribute: bool, path: str):
        self.holder, self.key, self.attribute, self.path = holder, key, attribute, path

    def get(self) -> Any:
        return getattr(self.holder, self.key) if self.attribute else self.holder[self.key]

    def set(self, content: Any) -> None:
        if self.attribute:
            (object.__setattr__ if intercepts(self.holder) else setattr)(self.holder, self.key, content)
        else:
            self.holder[self.key] = content

    def __repr__(self) -> str:
        return f"<Place {self.path}>"


def intercepts(holder: Any) -> bool:
    """Whether its class has a ``__setattr__`` of its own, which is not to be asked."""
    return isinstance(type(holder).__setattr__, FunctionType)


Step = tuple[CodeType, int, int, dict[str, Any]]
"""Code that is at work, the place in it, the identity of its frame, and its globals."""


class Program:
    """What a function does, in a straight line.

    Attributes
    ----------
    arguments : list of Variable
        The arrays among the arguments of the function, in order.
    loads : dict of Variable to Place
        What is read when a run begins: data of parameters, what an optimiser remembers, arrays closed over.
    calls : list of Call
    writes : list of (Place, Variable)
        What is left behind when a run has succeeded.
    results : nested tuples, lists and dicts of Variable and constants
        What the function returns.
    ends : list of (Variable, list of Step)
        What was at work when a result came about, from the inside out.
    """

    def __init__(
        self,
        arguments: list[Variable],
        loads: dict[Variable, Place],
        calls: list[Call],
        writes: list[tuple[Place, Variable]],
        results: Any,
        ends: list[tuple[Variable, list[Step]]] | None = None,
    ):
        self.arguments, self.loads, self.calls = arguments, loads, calls
        self.writes, self.results, self.ends = writes, results, ends or []

    def with_calls(self, calls: list[Call], change: Callable[[Variable], Any] | None = None) -> Program:
        """The same with other lines, and with something else in the place of what it gives."""
        writes, results = self.writes, self.results
        if change is not None:
            writes = [(place, change(variable)) for place, variable in writes]
            results = mapped(change, results)
        return Program(self.arguments, self.loads, calls, writes, results)

    @property
    def wanted(self) -> list[Variable]:
        """The variables that outlive a run: results and what is written."""
        return [*variables(self.results), *variables([variable for _, variable in self.writes])]

    def run(self, *arrays: Any) -> Any:
        """Interpret it, line by line: slow, and what the tests hold everything else to. It writes nothing back.

        Returns
        -------
        (results, writes)
            The second a list of contents.
        """
        content: dict[Variable, Any] = dict(zip(self.arguments, arrays, strict=True))
        content.update((variable, place.get()) for variable, place in self.loads.items())

        def read(variable: Variable) -> Any:
            return content[variable]

        for call in self.calls:
            result = call.function(*mapped(read, call.args), **mapped(read, call.kwargs))
            if call.result is not None:
                content[call.result] = result
        return mapped(read, self.results), [mapped(read, variable) for _, variable in self.writes]


def boxed(content: Any) -> Value:
    """A constant Value of a result: what a compiled function returns where the function returned a Value."""
    return constant(content) if isinstance(content, np.generic) else Value(content, requires_grad=False)


def item(x: Any) -> Any:
    """The one element as a Python number."""
    return x.item()


def cast(x: Any, dtype: Any) -> Any:
    """`x` in another dtype."""
    return x.astype(dtype)


_NESTED = (tuple, list, dict, slice)


def variables(tree: Any) -> Iterator[Variable]:
    """The variables in nested arguments, in order."""
    kind = type(tree)
    if kind is Variable:
        yield tree
    elif kind is tuple or kind is list or isinstance(tree, tuple):
        for item in tree:
            yield from variables(item)
    elif kind is dict:
        for item in tree.values():
            yield from variables(item)
    elif kind is slice:
        yield from variables((tree.start, tree.stop, tree.step))


def mapped(change: Callable[[Variable], Any], tree: Any) -> Any:
    """Nested arguments with something else in the place of their variables."""
    kind = type(tree)
    if kind is Variable:
        return change(tree)
    if kind is tuple:
        return tuple([mapped(change, item) for item in tree])
    if kind is list:
        return [mapped(change, item) for item in tree]
    if kind is dict:
        return {name: mapped(change, item) for name, item in tree.items()}
    if kind is slice:
        return slice(mapped(change, tree.start), mapped(change, tree.stop), mapped(change, tree.step))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return kind(*[mapped(change, item) for item in tree])
    return tree


def uses(calls: Iterable[Call]) -> dict[Variable, list[Call]]:
    """Who reads each variable."""
    readers: dict[Variable, list[Call]] = {}
    for call in calls:
        for variable in dict.fromkeys(call.operands):
            readers.setdefault(variable, []).append(call)
    return readers
