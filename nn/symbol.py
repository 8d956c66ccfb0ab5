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


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A place for an array: of what shape, and by which call it will be computed.

    Made by `nn.Input` and by calls; not by hand.

    Attributes
    ----------
    shape : tuple of int
        That of one example, without the batch.
    call : tuple or None
        ``(function, args, kwargs)``, with Symbols among the arguments; None for an input.
    """

    def __init__(self, example: Any, call: tuple[Callable[..., Any], Any, Any] | None = None, name: str | None = None):
        self._example, self.call, self.name = example, call, name

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._example.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self._example.dtype  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        batch = ", ".join(["n", *map(str, self.shape)])
        return f"Input({batch})" if self.call is None else f"Symbol({batch}) of {spelled(self.call[0])}"

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return deferred(ufunc if method == "__call__" else getattr(ufunc, method), args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return deferred(function, args, kwargs)

    def __getitem__(self, index: Any) -> Symbol:
        return deferred(_item, (self, index), {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not callable(getattr(Value, name, None)):
            raise AttributeError(f"{self!r} has no attribute {name!r}: there are no numbers yet.")
        return lambda *args, **kwargs: deferred(Method(name), (self, *args), kwargs)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{self!r} cannot be iterated over: how many examples there are is not known yet.")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} has no truth yet: a net that decides by its data is a class with a `forward`.")

    __hash__ = object.__hash__


class Method:
    """A method of Values, to be called by name."""

    def __init__(self, name: str):
        self.__name__ = name

    def __call__(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(value, self.__name__)(*args, **kwargs)


def _item(value: Any, index: Any) -> Any:
    return value[index]


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
    return Symbol(Value(np.zeros((1, *shape), dtype), requires_grad=False), name=name)


def deferred(function: Callable[..., Any], args: Any, kwargs: Any) -> Symbol:
    """The result of a call that is made later; tried on zeros now.

    Raises
    ------
    TypeError
        If the function gives something else than an array.
    """
    modules = [module for _, module in getattr(function, "named_modules", list)()]
    learning = [module for module in modules if module.training]
    for module in learning:
        module.training = False  # zeros are nothing to learn from
    try:
        with no_grad(), np.errstate(all="ignore"):
            example = function(*replaced(args, _example), **replaced(kwargs, _example))
    finally:
        for module in learning:
            module.training = True
    if not hasattr(example, "shape"):
        raise TypeError(f"{spelled(function)} of {args[0]!r} gave {example!r:.60}, and an array is needed.")
    if not isinstance(example, Value):
        example = Value(example, requires_grad=False)
    return Symbol(example, (function, args, kwargs))


def _example(symbol: Symbol) -> Value:
    return symbol._example  # type: ignore[no-any-return]


def replaced(tree: Any, found: Callable[[Symbol], Any]) -> Any:
    """Nested arguments with something in the place of each Symbol."""
    if isinstance(tree, Symbol):
        return found(tree)
    if type(tree) in (list, tuple):
        return type(tree)(replaced(item, found) for item in tree)
    if type(tree) is dict:
        return {name: replaced(item, found) for name, item in tree.items()}
    return tree


def symbols(tree: Any) -> list[Symbol]:
    """The Symbols among nested arguments, in order."""
    found: list[Symbol] = []
    replaced(tree, found.append)
    return found


def spelled(function: Any) -> str:
    """A module or function in a few words."""
    describe = getattr(function, "describe", None)
    return describe() if describe else getattr(function, "__name__", None) or type(function).__name__
