"""Module: a function with parameters, which it finds by itself, in the order they were made.

    class Scale(Module):
        def __init__(self):
            self.factor = Value(2.0)

        def forward(self, x):
            return self.factor * x

    Scale().named_parameters()      # [('factor', Value(2.0, label='factor'))]

An attribute that is a Value with a gradient to come is a parameter; any other Value is a buffer, kept and saved
but not trained; one that is a Module, or a list, tuple or dict of these, is looked into. There is nothing to
register and no constructor to call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from autograd import Value

from .arrays import numbers
from .symbol import Symbol, deferred

__all__ = ["Module"]

InTorch = tuple[tuple[str, ...], tuple[str, ...], Callable[..., Sequence[Any]], Callable[..., Sequence[Any]]]


class Module:
    r"""A function :math:`f(x; \theta)` of its input and of parameters :math:`\theta`.

    A subclass makes Values and other Modules its attributes and writes `forward`.

    Attributes
    ----------
    training : bool
        True while the module learns; `train` and `eval` set it, here and in all modules inside.

    Raises
    ------
    NotImplementedError
        When called, if the subclass has no `forward`.

    Notes
    -----
    A parameter is an attribute that is a Value, is no result of an operation, and has ``requires_grad``. So
    ``layer.weight.requires_grad = False`` freezes a weight: it is then no parameter any more, but a buffer, as the
    running mean of a batch norm is.

    A parameter without a label of its own is labelled by its path, ``'layers.0.weight'``, which pictures and
    messages show.

    Examples
    --------
    >>> from autograd import Value, as_array
    >>> from nn import Module
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).item()
    7.0
    >>> line.named_parameters()
    [('slope', Value(2.0, label='slope')), ('offset', Value(1.0, label='offset'))]
    >>> line
    Line(): 2 parameters
    """

    training: bool = True
    built: bool = True
    """False while a layer waits for its first `x` to know how many inputs it has."""
    torch: Mapping[str, str] = {}
    """What PyTorch calls a parameter, where that is another name; with ``.T`` behind it if it is the transpose."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; a subclass writes it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x): write what it computes there.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``module(x)`` is ``module.forward(x)``; of a Symbol, to be run later."""
        for argument in args:
            if type(argument) is Symbol:
                return deferred(self, args, kwargs)
        result = self.forward(*args, **kwargs)
        if type(result) is Value:
            if result.notes is None and len(args) == 1 and not kwargs:  # nearly always; the rest of `_sign`, in short
                if result.op is not None and result is not args[0]:
                    given = args if type(args[0]) is Value else ()
                    result.notes = {"modules": ((type(self).__name__, given),)}
            elif result.op is not None:
                _sign(result, type(self).__name__, (*args, *kwargs.values()))
        elif isinstance(result, tuple | list):
            _sign(result, type(self).__name__, (*args, *kwargs.values()))
        return result

    def __setattr__(self, name: str, content: Any) -> None:
        if isinstance(content, Value) and not content.is_leaf and isinstance(getattr(self, name, None), Value):
            raise TypeError(
                f"module.{name} = ... would put {content!r} in the place of a parameter, which could then be trained "
                f"no more. Write module.{name}.data = ... (or -= ...) to change its numbers."
            )
        object.__setattr__(self, name, content)
        if isinstance(content, Value | Module | list | tuple | dict):
            _label((_join(name, path), parameter) for path, parameter in _parameters(content))

    # ---------------------------------------------------------------- parameters

    def named_parameters(self) -> list[tuple[str, Value]]:
        """The parameters with their paths, such as ``'layers.0.weight'``, in order of creation.

        Returns
        -------
        list of (str, Value)
            Each parameter once, also if several modules share it: by the first of its paths.

        Raises
        ------
        ValueError
            If a layer has none yet, because it waits for its first input.
        """
        for path, module in self.named_modules():
            if not module.built:
                name = f"{path} = {module.describe()}" if path else module.describe()
                raise ValueError(
                    f"{name} has no parameters yet: it takes its number of inputs from the first x. Call the net on a "
                    f"batch first, or give the number when the layer is made."
                )
        named = list(_parameters(self))
        _label(named)
        return named

    def named_buffers(self) -> list[tuple[str, Value]]:
        """The Values that are kept and saved but not trained, with their paths, in order of creation.

        Returns
        -------
        list of (str, Value)
        """
        return [(path, found) for path, found in _walk(self) if isinstance(found, Value) and not found.requires_grad]

    def parameters(self) -> list[Value]:
        """The parameters in order of creation, each once: what an optimiser wants.

        Returns
        -------
        list of Value
        """
        return [parameter for _, parameter in self.named_parameters()]

    def named_modules(self) -> list[tuple[str, Module]]:
        """This module, whose path is ``''``, and all modules inside, each once, in order of creation.

        Returns
        -------
        list of (str, Module)
        """
        return [(path, found) for path, found in _walk(self) if isinstance(found, Module)]

    @property
    def size(self) -> int:
        """How many numbers the parameters hold together."""
        return sum(parameter.size for parameter in self.parameters())

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def in_torch(self) -> list[InTorch]:
        """Where PyTorch has what this module holds; one that it lays out otherwise says so here.

        Returns
        -------
        list of (names here, names there, way there, way back)
            The ways are functions from arrays to as many arrays as there are names on the other side. This one goes by
            `torch`.
        """
        places: list[InTorch] = []
        for name, content in vars(self).items():
            if isinstance(content, Value):
                theirs = self.torch.get(name, name)
                way = turned if theirs.endswith(".T") else as_is
                places.append(((name,), (theirs.removesuffix(".T"),), way, way))
        return places

    def to(self, library: Callable[[Any], Any]) -> Self:
        """Bring all parameters and buffers to another library of arrays, and so all that is computed with them.

        Parameters
        ----------
        library : callable
            From arrays to arrays: ``cupy.asarray`` to a GPU, and ``cupy.asnumpy`` back.

        Returns
        -------
        Module
            This one. Gradients are forgotten. What an optimiser remembers of earlier steps stays where it was: make it
            after this.

        Examples
        --------
        >>> import numpy as np
        >>> from nn import Dense
        >>> Dense(3, 2, seed=0).to(np.asarray)
        Dense(3, 2): 8 parameters
        """
        for _, found in [*self.named_parameters(), *self.named_buffers()]:
            found.data = library(numbers(found))
            found.zero_grad()
        return self

    # ---------------------------------------------------------------- modes

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all modules inside.

        Parameters
        ----------
        mode : bool

        Returns
        -------
        Module
            This one.
        """
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """The same as ``train(False)``."""
        return self.train(False)

    # ---------------------------------------------------------------- text

    def describe(self) -> str:
        """The module in one line, as `repr` shows it; a subclass may say more."""
        return f"{type(self).__name__}()"

    def __repr__(self) -> str:
        lines = []
        for path, module in self.named_modules():
            name = f"  {path}: " if path else ""
            if all(inside.built for _, inside in module.named_modules()):
                size = module.size
                lines.append(f"{name}{module.describe()}: {size:,} parameter{'' if size == 1 else 's'}")
            else:
                lines.append(f"{name}{module.describe()}: waiting for its first input")
        return "\n".join(lines)


def as_is(array: Any) -> tuple[Any]:
    return (array,)


def turned(array: Any) -> tuple[Any]:
    return (array.T,)


def _sign(result: Any, name: str, arguments: tuple[Any, ...]) -> None:
    """Note on a module's results what computed them and from what, so that a picture can frame what is between.

    That is all a picture needs: no other node pays for it. A result that several modules hand on has a note of each,
    the innermost first; one that a module was given is not its own.
    """
    call = name, _values(arguments)
    for value in _values((result,)):
        if value.op is not None and not any(value is given for given in call[1]):
            notes = value.notes or {}
            value.notes = {**notes, "modules": (*notes.get("modules", ()), call)}


def _values(arguments: Any) -> tuple[Value, ...]:
    """The Values among arguments, also in tuples and lists, as states of recurrent nets are."""
    found: list[Value] = []
    for argument in arguments:
        if isinstance(argument, Value):
            found.append(argument)
        elif isinstance(argument, tuple | list):
            found += _values(argument)
    return tuple(found)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _label(named: Iterable[tuple[str, Value]]) -> None:
    """Give parameters their paths for labels."""
    for path, parameter in named:
        # A label that is the end of the path was given further inside.
        if parameter.label is None or path.endswith(f".{parameter.label}"):
            parameter.label = path


def _parameters(root: Any) -> Iterator[tuple[str, Value]]:
    return ((path, found) for path, found in _walk(root) if isinstance(found, Value) and found.requires_grad)


def _walk(root: Any) -> Iterator[tuple[str, Module | Value]]:
    """All modules, parameters and buffers, each once, with its path: parents first, in order of creation."""
    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        path, found = stack.pop()
        contents: Any = ()
        if isinstance(found, Module):
            contents = vars(found).items()
        elif isinstance(found, list | tuple):
            contents = enumerate(found)
        elif isinstance(found, dict):
            contents = found.items()
        elif not (isinstance(found, Value) and found.is_leaf):
            continue
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, Module | Value):
            yield path, found
        stack.extend(reversed([(_join(path, str(name)), content) for name, content in contents]))
