"""Model: a net that can be drawn with Symbols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .module import Module
from .symbol import Symbol, replaced, symbols

__all__ = ["Model"]


class Model(Module):
    """A whole net: a Module with all that belongs to training it.

    A subclass writes `forward`, as for any Module. Or it is drawn: ``Model(inputs, outputs)`` is the net that leads
    from the ones to the others.

    Parameters
    ----------
    inputs : Symbol, or list or tuple of Symbol
        What `nn.Input` gave, in the order in which the model takes its arguments.
    outputs : Symbol, or nested lists, tuples and dicts of Symbols
        What the model returns, nested like this.

    Raises
    ------
    TypeError
        If something else is given.
    ValueError
        If an output needs an input that is not among `inputs`, or an input is the result of a call.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> x = nn.Input(4)
    >>> h = nn.Dense(8, activation=nn.relu, seed=0)(x)
    >>> model = nn.Model(x, nn.Dense(1, seed=1)(np.concatenate([h, x], axis=1)))
    >>> model(np.ones((5, 4))).shape
    (5, 1)
    >>> model
    Model(4 -> 1): 53 parameters
      layers.0: Dense(4, 8, relu): 40 parameters
      layers.1: Dense(12, 1): 13 parameters
    """

    _inputs: tuple[Symbol, ...] = ()

    def __init__(self, inputs: Any = None, outputs: Any = None):
        if inputs is None and outputs is None:
            return
        self._inputs = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
        ends = symbols(outputs)
        if not ends or not self._inputs or not all(isinstance(x, Symbol) for x in self._inputs):
            raise TypeError(
                f"Model(inputs, outputs) is drawn with Symbols, from nn.Input(...) to what layers made of it; got "
                f"{inputs!r:.60} and {outputs!r:.60}. A net of your own is a subclass with a `forward`."
            )
        for x in self._inputs:
            if x.call is not None:
                raise ValueError(f"Model: {x!r} among the inputs is the result of a call. Inputs come from nn.Input.")
        # Every call once, each after those whose results it needs.
        self._steps: list[Symbol] = []
        seen: set[Symbol] = set()
        stack = [(end, False) for end in reversed(ends)]
        while stack:
            symbol, ready = stack.pop()
            if ready:
                self._steps.append(symbol)
            elif symbol not in seen:
                seen.add(symbol)
                if symbol.call is not None:
                    stack.append((symbol, True))
                    stack.extend((needed, False) for needed in reversed(symbols(symbol.call[1:])))
                elif symbol not in self._inputs:
                    raise ValueError(f"Model: the outputs depend on {symbol!r}, which is not among the inputs.")
        functions: list[Callable[..., Any]] = [step.call[0] for step in self._steps if step.call]
        self.layers: list[Callable[..., Any]] = list(dict.fromkeys(f for f in functions if isinstance(f, Module)))
        self._outputs = outputs

    def forward(self, *xs: Any) -> Any:
        """Run the calls on data.

        Parameters
        ----------
        *xs : Value or array, shape (batch, ...)
            One for each input.

        Returns
        -------
        Value, or what the outputs were nested in

        Raises
        ------
        NotImplementedError
            If neither Symbols nor a subclass say what there is to compute.
        TypeError
            If there are more or fewer arrays than inputs.
        ValueError
            If one has another shape than its input.
        """
        if not self._inputs:
            return super().forward(*xs)
        if len(xs) != len(self._inputs):
            raise TypeError(f"{self.describe()} takes {len(self._inputs)} arrays and got {len(xs)}.")
        for number, (x, symbol) in enumerate(zip(xs, self._inputs, strict=True)):
            if tuple(getattr(x, "shape", (0,))[1:]) != symbol.shape:
                raise ValueError(
                    f"{self.describe()} got x of shape {getattr(x, 'shape', None)} for its input {number}, and wants "
                    f"({', '.join(['batch', *map(str, symbol.shape)])})."
                )
        results: dict[Symbol, Any] = dict(zip(self._inputs, xs, strict=True))
        for step in self._steps:
            function, args, kwargs = step.call  # type: ignore[misc]
            results[step] = function(*replaced(args, results.__getitem__), **replaced(kwargs, results.__getitem__))
        return replaced(self._outputs, results.__getitem__)

    def describe(self) -> str:
        if not self._inputs:
            return super().describe()

        def sizes(tree: Any) -> str:
            return ", ".join("×".join(map(str, symbol.shape)) or "1" for symbol in symbols(tree))

        return f"{type(self).__name__}({sizes(self._inputs)} -> {sizes(self._outputs)})"
