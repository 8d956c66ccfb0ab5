"""Model: a whole net: drawn with Symbols or written as a class, trained, judged, shown and drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from autograd import Value, as_array, no_grad

from . import report, train
from .init import Seed
from .module import Module
from .optim import Optimizer
from .symbol import Symbol, gathered, replaced

__all__ = ["Model"]


class Place(NamedTuple):
    """Where a drawn model finds an argument: the number of an input or of an earlier result."""

    number: int


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

    Attributes
    ----------
    layers : list of Module
        Of a drawn model: those on the way to the outputs, each once.
    weights : list of Value
        Of a drawn model: the Values that were used beside the Symbols.
    history : History or None
        What the last `fit` came to, also if it ended in an error.

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

    history: train.History | None = None
    _shapes: tuple[tuple[int, ...], ...] = ()
    """Of a drawn model: that of one example for each input."""
    _plan: train.Plan | None = None
    _seen: tuple[Any, ...] | None = None
    """The first example that came by, for summaries and pictures."""

    def __init__(self, inputs: Any = None, outputs: Any = None):
        if inputs is None and outputs is None:
            return
        starts: tuple[Any, ...] = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
        ends: list[Symbol] = gathered(outputs, Symbol)
        if not ends or not starts or not all(isinstance(x, Symbol) for x in starts):
            raise TypeError(
                f"Model(inputs, outputs) is drawn with Symbols, from nn.Input(...) to what layers made of it; got "
                f"{inputs!r:.60} and {outputs!r:.60}. A net of your own is a subclass with a `forward`."
            )
        for x in starts:
            if x.call is not None:
                raise ValueError(f"Model: {x!r} among the inputs is the result of a call. Inputs come from nn.Input.")
        self._shapes = tuple(x.shape for x in starts)
        self._seen = tuple((x.shape, x.trial[1]) for x in starts)
        # Every call once, each after those whose results it needs.
        places: dict[int, Place] = {id(x): Place(i) for i, x in enumerate(starts)}
        calls: list[Any] = []
        stack = [(end, False) for end in reversed(ends)]
        while stack:
            symbol, ready = stack.pop()
            if id(symbol) in places:
                continue
            if symbol.call is None:
                raise ValueError(f"Model: the outputs depend on {symbol!r}, which is not among the inputs.")
            if ready:
                places[id(symbol)] = Place(len(starts) + len(calls))
                function, *rest = symbol.call
                calls.append((function, *replaced(rest, Symbol, lambda x: places[id(x)])))
            else:
                stack.append((symbol, True))
                stack.extend((needed, False) for needed in reversed(gathered(symbol.call[1:], Symbol)))
        layers = {id(call[0]): call[0] for call in calls if isinstance(call[0], Module)}
        self.layers: list[Callable[..., Any]] = list(layers.values())
        self.weights = list({id(v): v for call in calls for v in gathered(call[1:], Value)}.values())
        self._steps: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = calls
        self._outputs = replaced(outputs, Symbol, lambda x: places[id(x)])
        self._ends = tuple(end.shape for end in ends)

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
        if not self._shapes:
            return super().forward(*xs)
        if len(xs) != len(self._shapes):
            raise TypeError(f"{self.describe()} takes {len(self._shapes)} arrays and got {len(xs)}.")
        for number, (x, wanted) in enumerate(zip(xs, self._shapes, strict=True)):
            shape = np.shape(x)
            if not shape or shape[1:] != wanted:
                raise ValueError(
                    f"{self.describe()} got x of shape {shape} for its input {number}, and wants "
                    f"({', '.join(['batch', *map(str, wanted)])})."
                )
        results = list(xs)

        def result(place: Place) -> Any:
            return results[place.number]

        for function, args, kwargs in self._steps:
            if len(args) == 1 and type(args[0]) is Place and not kwargs:  # the usual case, the short way
                results.append(function(results[args[0].number]))
            else:
                results.append(function(*replaced(args, Place, result), **replaced(kwargs, Place, result)))
        return replaced(self._outputs, Place, result)

    def describe(self) -> str:
        if not self._shapes:
            return super().describe()

        def sizes(shapes: tuple[tuple[int, ...], ...]) -> str:
            return ", ".join("×".join(map(str, shape)) or "1" for shape in shapes)

        return f"{type(self).__name__}({sizes(self._shapes)} -> {sizes(self._ends)})"

    # ---------------------------------------------------------------- training

    def compile(
        self,
        optimizer: Optimizer | Callable[..., Optimizer] | str = "adam",
        loss: Callable[[Any, Any], Any] | str = "mse",
        metrics: Sequence[Callable[[Any, Any], float] | str] | Mapping[str, Callable[[Any, Any], float]] = (),
    ) -> Self:
        """Say how the net is to be trained.

        Parameters
        ----------
        optimizer : Optimizer, callable or str
            One that was made for this model's parameters; or a function that makes it from them, such as ``nn.Adam`` or
            ``lambda parameters: nn.SGD(parameters, lr=0.1)``; or the name of one in `nn`, ``"adam"``, with its usual
            learning rate. The last two are made when `fit` first has seen the data, so the layers may still wait for
            their sizes.
        loss : callable or str
            ``loss(prediction, target)``, the mean over a batch as a Value; or the name of one in `nn`.
        metrics : sequence of callable or str, or dict
            ``metric(prediction, target)``, a number; or the name of one in `nn.metrics`. Those in `nn.metrics` that
            count right classes are given classes in the place of scores. A dict names its metrics itself.

        Returns
        -------
        Model
            This one.

        Raises
        ------
        ValueError
            If a name is none of `nn`, or no parameter of the model is the optimiser's.
        TypeError
            If one is neither a name nor callable.
        """
        self._plan = train.Plan(self, optimizer, loss, metrics)
        return self

    @property
    def optimizer(self) -> Optimizer:
        """What `compile` was given, or made of it.

        Raises
        ------
        RuntimeError
            If the model was not compiled.
        ValueError
            If the layers still wait for their first input.
        """
        return self._planned().ready(self)

    def _planned(self) -> train.Plan:
        if self._plan is None:
            raise RuntimeError(f"{self.describe()} has no optimiser and loss yet: model.compile(optimizer, loss).")
        return self._plan

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        validation_split: float = 0.0,
        validation_data: tuple[Any, Any] | None = None,
        shuffle: bool = True,
        callbacks: Sequence[Any] = (),
        schedule: Any = None,
        augment: Callable[[np.ndarray, np.random.Generator], Any] | None = None,
        seed: Seed = None,
        resume: str | os.PathLike[str] | None = None,
        verbose: bool | None = None,
        compile: bool = False,
    ) -> train.History:
        """Train. It is the loop of five lines, with what belongs around it::

            for batch, targets in nn.data.batches(x, y, size=batch_size, seed=rng):
                optimizer.zero_grad()
                loss(model(batch), targets).backward()
                optimizer.step()

        Parameters
        ----------
        x : array, shape (n, ...), or tuple of arrays
            Inputs; a tuple for a model that takes several. Of arrays of Dask a chunk is computed at a time, as
            `nn.data.batches` does it; those of CuPy stay where they are.
        y : array, shape (n, ...), or tuple of arrays
            Targets, as the loss wants them.
        epochs : int, at least 1
            Passes through the data. A resumed run counts those before.
        batch_size : int, at least 1
        validation_split : float, at least 0 and below 1
            The fraction of examples that are held out, drawn at random, to be judged by after each epoch.
        validation_data : (x, y), optional
            Others to be judged by.
        shuffle : bool
            Whether each epoch goes through the examples in another order.
        callbacks : sequence of Callback or callable
            See `nn.train.Callback`; a plain function is called after each epoch with the `nn.train.Run`.
        schedule : Schedule or callable, optional
            A `Schedule` of the optimiser goes a step on after each epoch; a function is asked before each batch,
            ``schedule(step)``, for the learning rate after so many batches.
        augment : callable, optional
            ``augment(x, rng)``: the inputs of each batch made anew, with noise added, say.
        seed : int or Generator, optional
            For the split, the order and `augment`. Layers hold their own.
        resume : path, optional
            A file that `nn.train.Checkpoint` wrote: go on from there, to the same bits as if nothing had been between.
        verbose : bool, optional
            Whether to show a progress bar. Default: in a terminal and in a notebook.
        compile : bool
            Whether a step is compiled, with `autograd.compile`: forward pass, backward pass and the optimiser's step
            become one program for each shape of a batch. The numbers are the same, and small nets train several times
            as fast. What the model, the loss and the optimiser do must then be what a program can.

        Returns
        -------
        History
            Also after Ctrl-C, which ends the training when the batch is done, with the weights as they are then; a
            second Ctrl-C ends it at once.

        Raises
        ------
        RuntimeError
            If the model was not compiled.
        ValueError
            If the arrays' lengths differ, an argument is out of its range, or `validation_split` is asked of lazy arrays.
        AnomalyError
            A FloatingPointError: at the first loss or gradient that is not finite; it names the operation that made it.
            The weights are those before that batch, and ``model.history`` holds the epochs before.
        CompileError
            With ``compile=True``, if Python looks at numbers of a batch, prints, or does what else a program cannot.

        Examples
        --------
        >>> import nn
        >>> images, labels = nn.data.digits()
        >>> model = nn.MLP([64, 32, 10], seed=0)
        >>> optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> history = model.compile(optimizer, nn.cross_entropy, ["accuracy"]).fit(
        ...     images.reshape(-1, 64), labels, epochs=5, validation_split=0.25, seed=0
        ... )
        >>> len(history), list(history.history)
        (5, ['loss', 'accuracy', 'val_loss', 'val_accuracy'])
        >>> history["val_accuracy"][-1] > 0.9
        True
        """
        plan = self._planned()
        run = train.Run(self, plan, epochs, callbacks, schedule, seed, compile)
        return run.fit(
            x, y, batch_size=batch_size, validation_split=validation_split, validation_data=validation_data,
            shuffle=shuffle, augment=augment, resume=resume, verbose=verbose,
        )  # fmt: skip

    def evaluate(self, x: Any, y: Any, *, batch_size: int = 256) -> dict[str, float]:
        """The loss and the metrics on data, in the mode of `Module.eval`.

        Parameters
        ----------
        x, y : array or tuple of arrays
            As for `fit`.
        batch_size : int, at least 1
            How many examples are computed at a time.

        Returns
        -------
        dict of str to float
            ``"loss"``, the mean over examples, and each metric by its name, over all examples at once.

        Raises
        ------
        RuntimeError
            If the model was not compiled.
        ValueError
            If the lengths differ, or there are no examples.
        """
        return train.evaluate(self, self._planned(), x, y, batch_size)

    def predict(self, x: Any, *, batch_size: int = 256) -> Any:
        """What the model gives, in the mode of `Module.eval`, as plain arrays.

        Parameters
        ----------
        x : array, shape (n, ...), or tuple of arrays
        batch_size : int, at least 1
            How many examples are computed at a time.

        Returns
        -------
        array, shape (n, ...)
            For a classifier: the scores. ``.argmax(axis=1)`` are the classes. Nested as the model's outputs are.

        Raises
        ------
        ValueError
            If the lengths differ, or an output has not as many rows as `x`.
        """
        return train.predict(self, x, batch_size)

    # ---------------------------------------------------------------- to look at

    def summary(self, x: Any = None) -> report.Text:
        """A table: a line for each layer, in the order they are called, with what it gives and its parameters.

        Parameters
        ----------
        x : tuple of int, array, or tuple of arrays, optional
            The shape of one example, or some examples. Default: what the model was drawn for or has seen; without it,
            the table has no shapes.

        Returns
        -------
        str
            Which a notebook and the prompt show as it is printed.

        Examples
        --------
        >>> import nn
        >>> nn.MLP([64, 32, 10], seed=0).summary()
        layer     function             output   parameters
        ──────────────────────────────────────────────────
        input                          (n, 64)
        layers.0  Dense(64, 32, relu)  (n, 32)       2,080
        layers.1  Dense(32, 10)        (n, 10)         330
        ──────────────────────────────────────────────────
        total                                        2,410
        """
        return report.summary(self, self.example(x))

    def draw(self, x: Any = None, **settings: Any) -> Any:
        """The graph of what the model computes, as `autograd.draw` shows it.

        Parameters
        ----------
        x : tuple of int, array, or tuple of arrays, optional
            As for `summary`.
        **settings
            For `autograd.draw`.

        Returns
        -------
        Drawing

        Raises
        ------
        ValueError
            If `x` is not given and the model has seen none.
        """
        from autograd import draw

        return draw(self.__draw__(x), **settings)

    def __draw__(self, x: Any = None) -> Value:
        """The Value that stands for the model in a picture."""
        xs = self.example(x)
        if xs is None:
            raise ValueError(f"{self.describe()} was called with nothing yet: give the shape of an example or a batch.")
        with train.mode(self, training=False):
            names = ["x"] if len(xs) == 1 else [f"x{i}" for i in range(len(xs))]
            inputs = [Value(x, label=name, requires_grad=False) for x, name in zip(xs, names, strict=True)]
            result = gathered(self(*inputs), Value)
        return result[0] if len(result) == 1 else sum((np.sum(part) for part in result), start=Value(0.0))

    def example(self, x: Any = None) -> tuple[Any, ...] | None:
        """Arrays to try the model on: `x` itself, zeros of a shape, or what it is known to take; None if unknown."""
        seen = self._seen
        if isinstance(x, tuple | list) and all(isinstance(n, int | np.integer) for n in x):
            seen = ((tuple(x), np.dtype(float)),)
        elif x is not None:
            return x if isinstance(x, tuple) else (x,)
        elif seen is None:
            first: Any = getattr(self, "layers", None) or [None]
            inputs, weight = getattr(first[0], "inputs", None), getattr(first[0], "weight", None)
            if not inputs or weight is None or weight.ndim != 2:
                return None
            seen = (((inputs,), np.dtype(float)),)
        # Zeros of the parameters' type, so that what is shown is what is trained.
        floats = [p.dtype for p in self.parameters()] if module_built(self) else []
        return tuple(np.zeros((1, *shape), floats[0] if floats and kind.kind == "f" else kind) for shape, kind in seen)

    def saw(self, xs: tuple[Any, ...]) -> None:
        """Note what the model takes, and let layers that wait for it take their sizes from it."""
        seen = tuple((np.shape(x)[1:], as_array(x).dtype) for x in xs)
        if seen != self._seen:
            self._seen = seen
        if not module_built(self):
            with train.mode(self, training=False), no_grad():
                self(*(Value(x[:1], requires_grad=False) for x in xs))


def module_built(module: Module) -> bool:
    """Whether no layer inside waits for its first input."""
    return all(inside.built for _, inside in module.named_modules())
