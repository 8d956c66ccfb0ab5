"""Module: a function with parameters, which it finds by itself, in the order they were made.

    class Scale(Module):
        def __init__(self):
            self.factor = Value(2.0)

        def forward(self, x):
            return self.factor * x

    Scale().named_parameters()      # [('factor', Value(2.0, label='factor'))]

An attribute that is a Value with a gradient to come is a parameter; one that is a Module, or a list, tuple or
dict of these, is looked into. There is nothing to register and no constructor to call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from autograd import Value

__all__ = ["Module"]


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
    ``layer.weight.requires_grad = False`` freezes a weight: it is then no parameter any more.

    A parameter without a label of its own is labelled by its path, ``'layers.0.weight'``, which pictures and
    messages show.

    Examples
    --------
    >>> from autograd import Value
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

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; a subclass writes it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x): write what it computes there.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``module(x)`` is ``module.forward(x)``."""
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
            for path, parameter in _parameters(content):
                full = _join(name, path)
                # A label that is the end of the path was given further inside, by this same line.
                if parameter.label is None or full.endswith(f".{parameter.label}"):
                    parameter.label = full

    # ---------------------------------------------------------------- parameters

    def named_parameters(self) -> list[tuple[str, Value]]:
        """The parameters with their paths, such as ``'layers.0.weight'``, in order of creation.

        Returns
        -------
        list of (str, Value)
            Each parameter once, also if several modules share it: by the first of its paths.
        """
        return list(_parameters(self))

    def parameters(self) -> list[Value]:
        """The parameters in order of creation, each once: what an optimiser wants.

        Returns
        -------
        list of Value
        """
        return [parameter for _, parameter in _parameters(self)]

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
            size = module.size
            name = f"  {path}: " if path else ""
            lines.append(f"{name}{module.describe()}: {size:,} parameter{'' if size == 1 else 's'}")
        return "\n".join(lines)


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


def _parameters(root: Any) -> Iterator[tuple[str, Value]]:
    return ((path, found) for path, found in _walk(root) if isinstance(found, Value))


def _walk(root: Any) -> Iterator[tuple[str, Module | Value]]:
    """All modules and parameters from `root` on, each once, with its path: parents first, in order of creation."""
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
        elif not (isinstance(found, Value) and found.requires_grad and found.is_leaf):
            continue
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, Module | Value):
            yield path, found
        stack.extend(reversed([(_join(path, str(name)), content) for name, content in contents]))
