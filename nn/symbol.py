"""Symbol: what a net is drawn with before there is data: ``h = nn.Dense(8)(nn.Input(4))``.

    x = nn.Input(4)
    h = nn.Dense(8, activation=nn.relu)(x)
    model = nn.Model(x, nn.Dense(1)(h + nn.Dense(8)(x)))

A Symbol stands for an array that is not there yet. Whatever is called with it, a module, an operator, a function of
NumPy, a method, is noted instead of run, and gives another Symbol. The call is tried once on zeros, so that shapes are
known and mistakes show where they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd import Value, no_grad

__all__ = ["Input", "Symbol"]

BATCH = 2
"""How many examples a trial has: not one, which an axis of length 1 could be taken for."""


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A place for an array: of what shape, and by which call it will be computed.

    Made by `nn.Input` and by calls; not by hand.

    Attributes
    ----------
    shape : tuple of int
        That of one example, without the batch.
    call : tuple or None
        ``(function, args, kwargs)``, with Symbols among the arguments; None for an input.
    name : str or None
        What messages call an input.
    trial : tuple
        The shape, with a batch of `BATCH`, and the type of what a trial gave.
    """

    takes_operations = True  # autograd's own functions are noted as NumPy's are

    # No `dtype`: a Value would take a Symbol for an array, and keep it as its data.

    def __init__(
        self,
        shape: tuple[int, ...],
        kind: Any,
        call: tuple[Callable[..., Any], Any, Any] | None = None,
        name: str | None = None,
    ):
        self.trial, self.call, self.name = (shape, kind), call, name

    @property
    def shape(self) -> tuple[int, ...]:
        return self.trial[0][1:]

    def zeros(self) -> Value:
        """What a trial computes with: zeros that take no memory."""
        shape, kind = self.trial
        zero = np.zeros((), kind)
        zero.setflags(write=False)  # which spares Value a copy
        return Value(np.broadcast_to(zero, shape), requires_grad=False)

    def __repr__(self) -> str:
        shape = self.trial[0]
        sizes = ", ".join(["n" if shape[:1] == (BATCH,) else str(*shape[:1]), *map(str, shape[1:])])
        if self.call is None:
            return f"Input({sizes})" + (f" {self.name!r}" if self.name else "")
        return f"Symbol({sizes}) of {spelled(self.call[0])}"

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return deferred(ufunc if method == "__call__" else getattr(ufunc, method), args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return deferred(function, args, kwargs)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"{self!r} has no numbers yet, so it cannot become an array.")

    def __getitem__(self, place: Any) -> Any:
        return deferred(index, (self, place), {})

    def __getattr__(self, name: str) -> Any:
        if name == "T" or (not name.startswith("_") and callable(getattr(Value, name, None))):
            method = Method(name)
            if name == "T":
                return deferred(method, (self,), {})
            return lambda *args, **kwargs: deferred(method, (self, *args), kwargs)
        if name == "dtype":  # asked by a Value on the left of an operator
            raise TypeError(f"{self!r} has no dtype yet. Beside a Value, write it on the left: x * value, x @ value.")
        raise AttributeError(f"A Symbol has no attribute {name!r}: there are no numbers yet.")

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{self!r} cannot be iterated over: how many examples there are is not known yet.")

    def __len__(self) -> int:
        raise TypeError(f"{self!r} has no length: how many examples there are is not known yet.")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} has no truth yet: a net that decides by its data is a class with a `forward`.")

    __hash__ = object.__hash__


class Method:
    """A method or attribute of Values, to be asked for by name."""

    def __init__(self, name: str):
        self.__name__ = name

    def __call__(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = getattr(value, self.__name__)
        return found(*args, **kwargs) if callable(found) and not isinstance(found, Value) else found


def index(value: Any, place: Any) -> Any:
    """``value[place]``, of an array or of a list of results."""
    return value[place]


def Input(*shape: int, dtype: Any = np.float64, name: str | None = None) -> Symbol:  # noqa: N802
    """A place for what comes into a net.

    Parameters
    ----------
    *shape : int
        Of one example: ``Input(4)``, ``Input(1, 28, 28)``. The batch comes before it, in any size.
    dtype : data type
        An integer one for indices, as `nn.Embedding` takes them.
    name : str, optional
        For messages.

    Returns
    -------
    Symbol

    Raises
    ------
    ValueError
        If a length is not a whole number from 1 on.

    Examples
    --------
    >>> import nn
    >>> x = nn.Input(4)
    >>> nn.Dense(8)(x)
    Symbol(n, 8) of Dense(4, 8)
    >>> x + 1
    Symbol(n, 4) of add
    """
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = tuple(shape[0])
    for n in shape:
        if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
            raise ValueError(f"Input{shape}: the shape of one example is made of whole numbers from 1 on.")
    return Symbol((BATCH, *map(int, shape)), np.dtype(dtype), name=name)


def deferred(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The result of a call that is made later; tried on zeros now.

    A call with several results, in a list or tuple, gives as many Symbols.

    Raises
    ------
    TypeError
        If the function gives something else than arrays.
    """
    modules = [module for _, module in getattr(function, "named_modules", list)()]
    learning = [module for module in modules if module.training]
    for module in learning:
        module.training = False  # zeros are nothing to learn from
    try:
        with no_grad(), np.errstate(all="ignore"):
            result = function(*replaced(args, Symbol, Symbol.zeros), **replaced(kwargs, Symbol, Symbol.zeros))
    finally:
        for module in learning:
            module.training = True

    def symbol(result: Any, call: tuple[Callable[..., Any], Any, Any]) -> Any:
        if isinstance(result, list | tuple):
            whole = Symbol((), None, call)
            parts = [symbol(part, (index, (whole, i), {})) for i, part in enumerate(result)]
            # A tuple with named fields keeps its names.
            return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
        if result is None:
            return None
        if not hasattr(result, "shape"):
            raise TypeError(f"{spelled(function)} of {args[0]!r} gave {result!r:.60}, and an array is needed.")
        return Symbol(tuple(result.shape), result.dtype, call)

    return symbol(result, (function, args, kwargs))


def replaced(tree: Any, kind: Any, found: Callable[[Any], Any]) -> Any:
    """Nested arguments with something in the place of each object of one kind: a type, or a function that tells."""
    if type(tree) is kind if isinstance(kind, type) else kind(tree):
        return found(tree)
    if isinstance(tree, list | tuple):
        parts = [replaced(item, kind, found) for item in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if type(tree) is dict:
        return {name: replaced(item, kind, found) for name, item in tree.items()}
    return tree


def gathered(tree: Any, kind: Any) -> list[Any]:
    """The objects of one kind among nested arguments, in order."""
    found: list[Any] = []
    replaced(tree, kind, found.append)
    return found


def spelled(function: Any) -> str:
    """A module or function in a few words."""
    describe = getattr(function, "describe", None)
    return describe() if describe else getattr(function, "__name__", None) or type(function).__name__
