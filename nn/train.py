"""Training: what `Model.fit` is made of, and what can be hung into it.

for x, y in data.batches(x_train, y_train, size=32, seed=rng):     # an epoch, by hand
    optimizer.zero_grad()
    loss(model(x), y).backward()
    optimizer.step()

model.compile(optimizer, loss, metrics=["accuracy"])                # the same, with what belongs around it
history = model.fit(x_train, y_train, epochs=10, validation_split=0.2, seed=0,
                    callbacks=[EarlyStopping(patience=3), Checkpoint("run.npz"), GradientMonitor()])
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from autograd import Value, anomaly, as_array, no_grad
from autograd.errors import AnomalyError, CompileError

from . import losses, metrics, optim, report, saving
from .arrays import computed, is_array, is_lazy, numbers
from .data import batches, split
from .init import Seed
from .module import Module
from .symbol import gathered, replaced

__all__ = ["Callback", "Checkpoint", "EarlyStopping", "GradientMonitor", "History", "Run"]

Metric = Callable[[Any, Any], float]

OF_CLASSES = ("accuracy", "precision", "recall", "f1")
"""Metrics that take classes, not scores."""
RISING = (*OF_CLASSES, "top_k", "roc_auc", "r2")
"""Metrics of which more is better; of all others in `nn`, less is."""
SIGNED = ("hinge", "perceptron_loss")
"""Losses whose two classes are -1 and 1."""


# -------------------------------------------------------------------- what compile was told


class Plan:
    """An optimiser, a loss and metrics, found by their names where names were given."""

    _compiled: tuple[Module, dict[tuple[int, bool], Steps]] | None = None

    def __init__(self, model: Module, optimizer: Any, loss: Any, wanted: Any):
        if isinstance(optimizer, str):
            kinds = {
                name.lower(): kind
                for name, kind in vars(optim).items()
                if isinstance(kind, type) and issubclass(kind, optim.Optimizer) and kind is not optim.Optimizer
            }
            optimizer = _named(optimizer.lower(), kinds, "optimizer")
        self._optimizer = optimizer
        self.loss = _named(loss, {name: getattr(losses, name) for name in losses.__all__}, "loss")
        known = {name: getattr(metrics, name) for name in metrics.__all__}
        if isinstance(wanted, str) or callable(wanted):
            raise TypeError(f"compile(metrics={wanted!r}): a list of metrics is wanted, [{wanted!r}].")
        if not isinstance(wanted, Mapping):
            found = [_named(metric, known, "metrics") for metric in wanted]
            wanted = {getattr(getattr(f, "func", f), "__name__", type(f).__name__): f for f in found}
        self.metrics: dict[str, Metric] = {name: _named(f, known, "metrics") for name, f in wanted.items()}
        if isinstance(optimizer, optim.Optimizer):
            self.fits(model)
        elif not callable(optimizer):
            raise TypeError(
                f"compile(optimizer={optimizer!r}): an Optimizer, a function that makes one of parameters, such as "
                f"nn.SGD, or a name."
            )

    def fits(self, model: Module) -> None:
        """Raise if the optimiser is not for this model."""
        theirs = {id(p) for p in self._optimizer.parameters}
        if not any(id(p) in theirs for p in model.parameters()):
            raise ValueError(
                f"compile(optimizer): this {type(self._optimizer).__name__} holds none of the model's parameters. Make "
                f"it of model.parameters()."
            )

    def steps(self, model: Module, inputs: int, compiled: bool, apart: bool) -> Steps:
        """What `fit` does with a batch; what was compiled is there for the next `fit`."""
        if not compiled:
            return _steps(model, self, inputs, compiled, apart)
        if self._compiled is None or self._compiled[0] is not model:
            self._compiled = model, {}
        known = self._compiled[1]
        if (inputs, apart) not in known:
            known[inputs, apart] = _steps(model, self, inputs, compiled, apart)
        return known[inputs, apart]

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_compiled": None}  # which is of this model, and not of its copies

    def ready(self, model: Module) -> optim.Optimizer:
        """The optimiser, made of the model's parameters if it was given as a function or name."""
        if not isinstance(self._optimizer, optim.Optimizer):
            try:
                self._optimizer = self._optimizer(model.parameters())
            except TypeError as error:
                if "lr" not in str(error):
                    raise
                self._optimizer = self._optimizer(model.parameters(), lr=0.01)
            self.fits(model)
        return self._optimizer  # type: ignore[no-any-return]


class Steps(NamedTuple):
    """What is done with a batch: as Python functions, or compiled."""

    gradients: Callable[..., tuple[float, Any]]
    """From inputs and targets to the loss and the prediction; the parameters get their gradients."""
    update: Callable[[], None] | None
    """The optimiser's step; None if `gradients` has made it already."""
    predict: Callable[..., Any]


class NotFiniteError(Exception):
    """The loss or a gradient is NaN or infinite."""


def _steps(model: Any, plan: Plan, inputs: int, compiled: bool, apart: bool) -> Steps:
    optimizer, loss, wanted = plan.ready(model), plan.loss, bool(plan.metrics)

    def gradients(*columns: Any) -> tuple[Any, Any]:
        optimizer.zero_grad()
        prediction = model(*[Value(x, requires_grad=False) for x in columns[:inputs]])
        found = loss(prediction, _single(list(columns[inputs:])))
        if not isinstance(found, Value):
            raise TypeError(
                f"fit: the loss gave {found!r:.60}; a Value is wanted, computed from the prediction it is given."
            )
        number = _number(found)
        if not _finite(number):
            raise NotFiniteError
        found.backward(retain_graph=False)
        moved = [parameter.grad for parameter in optimizer.parameters if parameter.grad is not None]
        # The sum of squares is one pass and no new array; it may overflow where the numbers do not.
        if not _finite(sum(np.vdot(g, g).item() for g in moved)) and not all(np.isfinite(g).all() for g in moved):
            raise NotFiniteError
        return number, prediction if wanted else None

    def step(*columns: Any) -> tuple[Any, Any]:
        result = gradients(*columns)
        optimizer.step()
        return result

    def update() -> None:
        optimizer.step()

    if not compiled:
        return Steps(gradients, update, model)
    from autograd import compile

    if apart:
        return Steps(compile(gradients), compile(update), compile(model))
    return Steps(compile(step), None, compile(model))


def _finite(number: Any) -> bool:
    """Not so of infinity and NaN: a question in arithmetic, which a compiled step can ask, too."""
    return bool(number - number == 0)


def _named(wanted: Any, known: Mapping[str, Any], what: str) -> Any:
    if not isinstance(wanted, str):
        if not callable(wanted) and not isinstance(wanted, optim.Optimizer):
            raise TypeError(f"compile({what}): {wanted!r} is neither a function nor a name.")
        return wanted
    if wanted not in known:
        raise ValueError(f"compile({what}={wanted!r}): the names are {', '.join(sorted(known))}.")
    return known[wanted]


# -------------------------------------------------------------------- judging


@contextmanager
def mode(model: Module, *, training: bool) -> Iterator[None]:
    """Inside, the model learns or does not; behind it, each module is as it was."""
    before = [(module, module.training) for _, module in model.named_modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was in before:
            module.training = was


def arrays(name: str, content: Any) -> tuple[Any, ...]:
    """An array, or the arrays of a tuple, of equal lengths."""
    columns = tuple(as_array(column) for column in (content if isinstance(content, tuple) else (content,)))
    lengths = [len(column) if column.ndim else None for column in columns]
    if None in lengths or len(set(lengths)) != 1:
        raise ValueError(f"{name}: arrays whose first axis is the examples are wanted, and got lengths {lengths}.")
    return columns


def predict(model: Any, x: Any, batch_size: int, forward: Callable[..., Any] | None = None) -> Any:
    """What `Model.predict` gives; `forward` is the model itself, or does as it does."""
    forward = forward or model
    xs = arrays("predict(x)", x)
    _whole(predict, batch_size=batch_size)
    model.saw(xs)
    parts = []
    with mode(model, training=False), no_grad():
        for batch in _in_order(xs, batch_size):
            given = [Value(x, requires_grad=False) for x in batch]
            parts.append(replaced(forward(*given), Value, numbers))
            for part in gathered(parts[-1], is_array):
                if part.shape[:1] != given[0].shape[:1]:
                    raise ValueError(
                        f"predict: {len(given[0].data)} examples gave an output of shape {part.shape}; its first axis "
                        f"is to be the examples."
                    )
    return _joined(parts)


def _in_order(columns: tuple[Any, ...], size: int) -> Iterable[tuple[Any, ...]]:
    """The examples, so many at a time; none of them in one batch of none. A chunk of lazy arrays is computed once."""
    n = len(columns[0])
    if n and any(map(is_lazy, columns)):
        return batches(*columns, size=size, shuffle=False)
    return (computed(*(column[start : start + size] for column in columns)) for start in range(0, max(n, 1), size))


def evaluate(
    model: Any, plan: Plan, x: Any, y: Any, batch_size: int, forward: Callable[..., Any] | None = None
) -> dict[str, float]:
    """What `Model.evaluate` gives."""
    xs, ys = arrays("evaluate(x)", x), arrays("evaluate(y)", y)
    if len(xs[0]) != len(ys[0]) or not len(ys[0]):
        raise ValueError(
            f"evaluate: {len(xs[0])} inputs and {len(ys[0])} targets; as many are wanted, and at least one."
        )
    prediction = predict(model, x, batch_size, forward)
    ys = computed(*ys)
    total, n = 0.0, len(ys[0])
    with no_grad():
        for start in range(0, n, batch_size):
            part = slice(start, start + batch_size)
            targets = [y[part] for y in ys]
            guess = replaced(_cut(prediction, part), is_array, lambda p: Value(p, requires_grad=False))
            total += _number(plan.loss(guess, _single(targets))) * len(targets[0])
    return {"loss": total / n, **judged(plan, prediction, _single(list(ys)))}


def _cut(tree: Any, part: slice) -> Any:
    return replaced(tree, is_array, lambda array: array[part])


def judged(plan: Plan, prediction: Any, target: Any) -> dict[str, float]:
    """Each metric of predictions."""
    numbers = {}
    for name, metric in plan.metrics.items():
        function = getattr(metric, "func", metric)  # of a functools.partial
        given = prediction, target
        if getattr(function, "__module__", "") == metrics.__name__:
            if function.__name__ in OF_CLASSES:
                given = _classes(plan.loss, prediction, target)
            elif function is metrics.roc_auc:
                given = prediction.ravel(), target.ravel()
        numbers[name] = float(metric(*given))
    return numbers


def _classes(loss: Any, scores: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes that scores stand for, beside the right ones."""
    if scores.ndim == target.ndim + 1 and scores.shape[-1] > 1:
        return scores.argmax(axis=-1).ravel(), target.ravel()
    if scores.shape == target.shape and scores.ndim > 1 and scores.shape[-1] > 1:  # one-hot, or probabilities
        return scores.argmax(axis=-1).ravel(), target.argmax(axis=-1).ravel()
    target, scores = target.ravel(), scores.ravel()
    name = getattr(getattr(loss, "func", loss), "__name__", "")
    signed = name in SIGNED or bool((target < 0).any())
    border = 0.0 if signed or "logits" in name else 0.5
    return (scores > border).astype(int), (target > (0.0 if signed else 0.5)).astype(int)


def _single(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else tuple(items)


def _number(loss: Any) -> float:
    if np.shape(loss) != ():
        raise ValueError(f"The loss has shape {np.shape(loss)}, and one number is wanted: its mean over the batch.")
    return loss.item() if isinstance(loss, Value) else float(loss)


def _whole(owner: Any, **given: Any) -> None:
    ((name, number),) = given.items()
    if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < 1:
        raise ValueError(f"{owner.__name__}({name}={number!r}): a positive whole number is wanted.")


# -------------------------------------------------------------------- what a training came to


class History:
    """What each epoch of a training came to.

    Attributes
    ----------
    history : dict of str to list of float
        A list for ``"loss"`` and each metric, of the training examples, as they were when their turn came, and the same
        with ``"val_"`` before the name, of the others after the epoch; ``"lr"`` where a schedule sets it.
        ``history[name]`` reads it.
    stopped : str or None
        Why the training ended before its last epoch.

    Examples
    --------
    >>> from nn.train import History
    >>> history = History({"loss": [2.0, 1.0, 0.5]})
    >>> history["loss"][-1], len(history)
    (0.5, 3)
    >>> history
    History of 3 epochs
      loss  2 -> 0.5
    """

    def __init__(self, history: dict[str, list[float]] | None = None, stopped: str | None = None):
        self.history: dict[str, list[float]] = history or {}
        self.stopped = stopped

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.history:
            raise KeyError(f"{name!r} was not noted; there is {', '.join(self.history) or 'nothing yet'}.")
        return self.history[name]

    def __len__(self) -> int:
        return len(next(iter(self.history.values()), []))

    def add(self, **numbers: float) -> None:
        """Another epoch."""
        for name, number in numbers.items():
            self.history.setdefault(name, []).append(number)

    def plot(self, *names: str, log: bool = False) -> report.Curves:
        """The learning curves: a picture in a notebook, bars of text where it is printed.

        Parameters
        ----------
        *names : str
            Of what was noted, without ``"val_"``, which comes with it. Default: all.
        log : bool
            Losses on a logarithmic scale.

        Returns
        -------
        Curves

        Raises
        ------
        KeyError
            If nothing of a name was noted.
        ValueError
            If there are no epochs yet.
        """
        panels: dict[str, dict[str, list[float]]] = {}
        for name in names or self.history:
            family = name.removeprefix("val_")
            panels[family] = {n: self[n] for n in (family, f"val_{family}") if n == name or n in self.history}
        return report.Curves(panels, log=[name for name in panels if log and name == "loss"])

    def __repr__(self) -> str:
        n, widest = len(self), max(map(len, self.history), default=0)
        lines = [f"History of {n} epoch{'' if n == 1 else 's'}{f', {self.stopped}' if self.stopped else ''}"]
        for name, found in self.history.items():
            lines.append(f"  {name:{widest}}  " + " -> ".join(f"{number:.4g}" for number in found[:: max(n - 1, 1)]))
        return "\n".join(lines)


# -------------------------------------------------------------------- a training on its way


class Interrupt:
    """Inside, Ctrl-C is noted, so that no step is left half done; a second one is an exception, as usual."""

    def __init__(self) -> None:
        self.came = False
        self._ours = False

    def _note(self, *_: Any) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True

    def __enter__(self) -> Interrupt:
        # Where somebody else listens, or in a thread, KeyboardInterrupt comes or comes not, as they want it.
        self._ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._ours:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class Run:
    """A training on its way: what callbacks are given.

    Attributes
    ----------
    model, optimizer, loss, metrics
        As they were compiled.
    history : History
    epochs : int
        How many there are to be.
    epoch : int
        The number of the one that runs, or has just ended; from 1 on.
    batch : int
        The number of the batch in the epoch; from 1 on.
    step : int
        How many steps were made before, in all epochs.
    batch_loss : float
        That of the last batch.
    rng : Generator
        For the split, the order and `augment`.
    stopped : str or None
        Why the run is to end, set by `stop`.

    """

    def __init__(
        self,
        model: Any,
        plan: Plan,
        epochs: int,
        callbacks: Sequence[Any] = (),
        schedule: Any = None,
        seed: Seed = None,
        compiled: bool = False,
    ):
        _whole(Run.fit, epochs=epochs)
        if not (schedule is None or callable(schedule) or isinstance(schedule, optim.Schedule)):
            raise TypeError(f"fit(schedule={schedule!r:.60}): a Schedule, or a function of the step, is wanted.")
        self.model, self.plan, self.schedule = model, plan, schedule
        self.loss, self.metrics, self.compiled = plan.loss, plan.metrics, compiled
        self.epochs, self.epoch, self.batch, self.step = int(epochs), 0, 0, 0
        self.batch_loss = math.nan
        self.rng = np.random.default_rng(seed)
        self.callbacks = [callback if isinstance(callback, Callback) else After(callback) for callback in callbacks]
        self.history = model.history = History()
        self.stopped: str | None = None
        self._start: Any = None

    @property
    def optimizer(self) -> optim.Optimizer:
        return self.plan.ready(self.model)

    def stop(self, reason: str) -> None:
        """Let the run end when the batch is done.

        Parameters
        ----------
        reason : str
            For ``history.stopped``.
        """
        self.stopped = reason

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all there is to a file, from which ``fit(..., resume=path)`` goes on.

        Parameters
        ----------
        path : path
            With the suffix .npz or .safetensors.
        """
        saving.save(
            path, self.model, optimizer=self.optimizer, schedule=self.schedule, rng=self.rng,
            epoch=self.epoch, step=self.step, history=self.history.history, start=self._start,
            callbacks=[[type(callback).__name__, callback.state] for callback in self.callbacks],
        )  # fmt: skip

    def _resume(self, path: str | os.PathLike[str]) -> None:
        facts = saving.load(path, self.model, optimizer=self.optimizer, schedule=self.schedule, rng=self.rng)
        if not {"epoch", "step", "history", "start", "callbacks"} <= set(facts):
            raise ValueError(f"fit(resume={os.fspath(path)!r}): this file was not written by nn.train.Checkpoint.")
        self.epoch, self.step, self._start = facts["epoch"], facts["step"], facts["start"]
        self.history.history.update(facts["history"])
        for callback, (name, state) in zip(self.callbacks, facts["callbacks"], strict=False):
            if type(callback).__name__ == name:
                callback.state = state

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        batch_size: int,
        validation_split: float,
        validation_data: Any,
        shuffle: bool,
        augment: Callable[[np.ndarray, np.random.Generator], Any] | None,
        resume: Any,
        verbose: bool | None,
    ) -> History:
        """What `Model.fit` does."""
        xs, ys = arrays("fit(x)", x), arrays("fit(y)", y)
        _whole(Run.fit, batch_size=batch_size)
        if len(xs[0]) != len(ys[0]) or not len(ys[0]):
            raise ValueError(
                f"fit: {len(xs[0])} inputs and {len(ys[0])} targets; as many are wanted, and at least one."
            )
        if not 0 <= validation_split < 1:
            raise ValueError(f"fit(validation_split={validation_split!r}): a fraction from 0 to below 1 is wanted.")
        if validation_data is not None and not (
            isinstance(validation_data, tuple | list) and len(validation_data) == 2
        ):
            raise ValueError("fit(validation_data): a pair (x, y) is wanted.")
        if validation_split and validation_data is not None:
            raise ValueError("fit: validation_split and validation_data exclude each other.")
        model: Any = self.model
        model.saw(xs)
        optimizer = self.optimizer
        self._buffers = [buffer for _, buffer in model.named_buffers()]
        for callback in self.callbacks:
            callback.on_train_begin(self)
        self._start = saving.generator_state(self.rng)
        if resume is not None:
            self._resume(resume)
        if validation_split and any(map(is_lazy, (*xs, *ys))):
            raise ValueError(
                "fit(validation_split=...): of lazy arrays, examples cannot be drawn one by one. Hold some chunks "
                "back, and give them as validation_data=(x, y)."
            )
        if validation_split:
            dealer = saving.generator(self._start)
            train, held = split(*xs, *ys, held_out=validation_split, seed=dealer)
            xs, ys = train[: len(xs)], train[len(xs) :]
            validation_data = _single(list(held[: len(xs)])), _single(list(held[len(xs) :]))
            if resume is None:
                self.rng.bit_generator.state = dealer.bit_generator.state
        hooks = {name: [getattr(c, name) for c in self.callbacks if c.has(name)] for name in BATCHWISE}
        self._steps = self.plan.steps(model, len(xs), self.compiled, apart=bool(hooks["on_backward_end"]))
        per_epoch = -(-len(ys[0]) // batch_size)
        with mode(model, training=True), Interrupt() as interrupt, _bar(self, per_epoch, verbose) as bar:
            try:
                while self.epoch < self.epochs and not self.stopped:
                    self.epoch += 1
                    bar.set_description_str(f"epoch {self.epoch}/{self.epochs}", refresh=False)
                    model.train()
                    total, seen = 0.0, []
                    shuffled = batches(*xs, *ys, size=batch_size, shuffle=shuffle, seed=self.rng)
                    for self.batch, columns in enumerate(shuffled, 1):
                        inputs, targets = columns[: len(xs)], _single(list(columns[len(xs) :]))
                        if augment is not None:
                            inputs = tuple(np.asarray(augment(x, self.rng)) for x in inputs)
                        if callable(self.schedule):
                            optimizer.lr = float(self.schedule(self.step))
                        prediction = self._learn((*inputs, *columns[len(xs) :]), len(xs), hooks["on_backward_end"])
                        total += self.batch_loss * len(columns[0])
                        if self.metrics:
                            seen.append((replaced(prediction, Value, numbers), targets))
                        for hook in hooks["on_batch_end"]:
                            hook(self)
                        bar.update()
                        if interrupt.came:
                            raise KeyboardInterrupt
                        if self.stopped:
                            break
                    if self.stopped:
                        break
                    self._note(total / len(ys[0]), seen, validation_data, batch_size)
                    if isinstance(self.schedule, optim.Schedule):
                        self.schedule.step()
                    for callback in self.callbacks:
                        callback.on_epoch_end(self)
                    bar.set_postfix_str(_brief(self.history.history), refresh=False)
                    if interrupt.came:
                        raise KeyboardInterrupt
            except KeyboardInterrupt:
                self.stopped = f"stopped by Ctrl-C in epoch {self.epoch} of {self.epochs}"
            self.history.stopped = self.stopped
            for callback in self.callbacks:
                callback.on_train_end(self)
        return self.history

    def _learn(self, columns: Sequence[Any], inputs: int, hooks: list[Any]) -> Any:
        """One step on one batch; what the model predicted, if there are metrics that want it."""
        buffers = [(buffer, buffer.data) for buffer in self._buffers]
        try:
            self.batch_loss, prediction = self._steps.gradients(*columns)
        except NotFiniteError:
            try:
                self._blame(tuple(columns[:inputs]), _single(list(columns[inputs:])))
            finally:
                for buffer, was in buffers:
                    buffer.data = was
        except CompileError as error:
            error.add_note("This was in fit(..., compile=True); with compile=False, the model trains as it is.")
            raise
        if self._steps.update is not None:
            for hook in hooks:
                hook(self)
            self._steps.update()
        self.step += 1
        return prediction

    def _blame(self, xs: tuple[Any, ...], target: Any) -> None:
        """Go through a batch again, and raise at the first operation that is not finite."""
        where = f"in epoch {self.epoch}, batch {self.batch}; the weights are those before that batch."
        self.optimizer.zero_grad()
        for i, x in enumerate(xs):
            if x.dtype.kind in "fc" and not np.isfinite(x).all():
                raise AnomalyError(f"Input {i} holds NaN or infinity, {where}")
        try:
            with anomaly():
                self.loss(self.model(*[Value(x, requires_grad=False) for x in xs]), target).backward()
        except AnomalyError as error:
            raise AnomalyError(f"{error}\n  {where}") from None
        finally:
            self.optimizer.zero_grad()
        raise AnomalyError(f"The loss or a gradient was not finite {where[:-1]}, but is when computed again.")

    def _note(self, loss: float, seen: list[Any], validation: Any, batch_size: int) -> None:
        """Add the epoch to the history."""
        numbers = {"loss": loss}
        if self.metrics:
            whole = [_joined([pair[side] for pair in seen]) for side in (0, 1)]
            numbers |= judged(self.plan, *whole)
        if validation is not None:
            found = evaluate(
                self.model, self.plan, validation[0], validation[1], max(batch_size, 256), self._steps.predict
            )
            numbers |= {f"val_{name}": number for name, number in found.items()}
        if self.schedule is not None:
            numbers["lr"] = self.optimizer.lr
        self.history.add(**numbers)


def _joined(parts: list[Any]) -> Any:
    """Batches of equally nested arrays as one."""
    columns = zip(*(gathered(part, is_array) for part in parts), strict=True)
    whole = iter([np.concatenate(column) for column in columns])
    return replaced(parts[0], is_array, lambda _: next(whole))


def _brief(history: Mapping[str, list[float]]) -> str:
    """The last numbers, the most telling ones first, since a line may end."""
    names = [name for name in history if name != "lr" and f"val_{name}" not in history]
    order = ["loss", *(name for name in names if not name.endswith("loss")), "val_loss"]
    return ", ".join(f"{name} {history[name][-1]:.3g}" for name in order if name in history)


def _bar(run: Run, per_epoch: int, verbose: bool | None) -> Any:
    """Text that moves: in a terminal, in a notebook, or where it is wanted."""
    if verbose is None:
        verbose = sys.stderr is not None and (sys.stderr.isatty() or "ipykernel" in type(sys.stderr).__module__)
    terminal = sys.stderr is not None and sys.stderr.isatty()
    columns, lines = shutil.get_terminal_size()  # one that does not know its size counts as 80 by 24
    return tqdm(
        desc=f"epoch {run.epoch + 1}/{run.epochs}", total=run.epochs * per_epoch, initial=run.epoch * per_epoch,
        disable=not verbose, ncols=columns if terminal else 110, nrows=lines, mininterval=0.1 if terminal else 1.0,
        bar_format="{desc} |{bar:16}| {percentage:3.0f} %, {elapsed}<{remaining}{postfix}",
    )  # fmt: skip


# -------------------------------------------------------------------- callbacks


class Callback:
    """What is done at certain moments of a training; a subclass writes those that it needs.

    A plain function in the list of callbacks is called as `on_epoch_end` is.

    Attributes
    ----------
    state : dict
        What is to be there again when a run is resumed: numbers, text, arrays, and lists and dicts of them.

    Examples
    --------
    >>> import nn
    >>> class Clip(nn.train.Callback):
    ...     def on_backward_end(self, run):
    ...         for parameter in run.optimizer.parameters:
    ...             parameter.grad = parameter.grad.clip(-1.0, 1.0)
    >>> x, y = nn.data.xor(20, seed=0)
    >>> model = nn.MLP([2, 4, 2], seed=0).compile(nn.SGD, nn.cross_entropy)
    >>> history = model.fit(x, y, epochs=2, callbacks=[Clip(), lambda run: print(run.epoch, len(run.history))], seed=0)
    1 1
    2 2
    """

    state: dict[str, Any] = {}

    def on_train_begin(self, run: Run) -> None:
        """Before the first batch, and before a resumed run finds its state."""

    def on_backward_end(self, run: Run) -> None:
        """When the gradients of a batch are there, before the step."""

    def on_batch_end(self, run: Run) -> None:
        """After the step."""

    def on_epoch_end(self, run: Run) -> None:
        """When the epoch is in the history."""

    def on_train_end(self, run: Run) -> None:
        """At the end, also after `Run.stop` and Ctrl-C, but not after an error."""

    def has(self, name: str) -> bool:
        """Whether a subclass writes this method."""
        return getattr(type(self), name) is not getattr(Callback, name)


BATCHWISE = ("on_backward_end", "on_batch_end")


class After(Callback):
    """A plain function, after each epoch."""

    def __init__(self, function: Any):
        if not callable(function):
            raise TypeError(f"fit(callbacks): {function!r} is neither a Callback nor a function.")
        self.function = function

    def on_epoch_end(self, run: Run) -> None:
        self.function(run)


class _Watching(Callback):
    """Of a number that is noted after each epoch, the best so far."""

    def __init__(self, monitor: str | None = None, mode: str | None = None, min_delta: float = 0.0):
        if mode not in (None, "min", "max"):
            raise ValueError(f"{type(self).__name__}(mode={mode!r}): it is 'min' or 'max'.")
        if not min_delta >= 0:
            raise ValueError(f"{type(self).__name__}(min_delta={min_delta!r}): it is at least 0.")
        self.monitor, self.mode, self.min_delta = monitor, mode, min_delta

    def on_train_begin(self, run: Run) -> None:
        self.state = {"best": None, "epoch": 0}

    def better(self, run: Run) -> bool:
        """Whether this epoch is the best so far; noted."""
        history = run.history.history
        name = self.monitor or ("val_loss" if "val_loss" in history else "loss")
        if name not in history:
            raise ValueError(f"{type(self).__name__}(monitor={name!r}): what is noted is {', '.join(history)}.")
        sign = -1.0 if (self.mode or _direction(name)) == "max" else 1.0
        number, best = sign * history[name][-1], self.state["best"]
        if math.isnan(number) or (best is not None and not number < sign * best - self.min_delta):
            return False
        self.state["best"], self.state["epoch"] = sign * number, run.epoch
        return True

    @property
    def best(self) -> float | None:
        """The best number so far."""
        return self.state.get("best")

    @property
    def best_epoch(self) -> int:
        """Where that was."""
        return self.state.get("epoch", 0)  # type: ignore[no-any-return]


def _direction(name: str) -> str:
    name = name.removeprefix("val_")
    if name in RISING:
        return "max"
    if name == "loss" or name in losses.__all__ or name in metrics.__all__:
        return "min"
    raise ValueError(f"monitor={name!r}: whether more or less of it is better is not known; give mode='max' or 'min'.")


class EarlyStopping(_Watching):
    """Stop when a number has not become better for some epochs, and go back to where it was best.

    Parameters
    ----------
    monitor : str, optional
        Of the history. Default: ``"val_loss"``, or ``"loss"`` where nothing is held out.
    patience : int, at least 1
        For how many epochs in a row it may fail to become better.
    min_delta : float, at least 0
        Less than this is not better.
    mode : 'min' or 'max', optional
        Which way is better; known for what `nn` has.
    restore_best : bool
        Whether parameters and buffers end as they were after the best epoch; not after Ctrl-C.

    Raises
    ------
    ValueError
        If an argument is out of its range; in `fit`, if `monitor` is not noted.

    References
    ----------
    Prechelt: Early Stopping, but when? (Neural Networks: Tricks of the Trade, 1998).

    Examples
    --------
    >>> import nn
    >>> x, y = nn.data.moons(200, noise=0.3, seed=0)
    >>> model = nn.MLP([2, 32, 2], seed=0).compile(nn.SGD, nn.cross_entropy)
    >>> stopping = nn.train.EarlyStopping("loss", patience=2, min_delta=0.01)
    >>> history = model.fit(x, y, epochs=100, callbacks=[stopping], seed=0)
    >>> history.stopped
    'no better loss for 2 epochs'
    """

    def __init__(
        self,
        monitor: str | None = None,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str | None = None,
        restore_best: bool = True,
    ):
        super().__init__(monitor, mode, min_delta)
        _whole(EarlyStopping, patience=patience)
        self.patience, self.restore_best = patience, restore_best

    def on_epoch_end(self, run: Run) -> None:
        if self.better(run):
            if self.restore_best:
                self.state["weights"] = [kept.data for kept in _kept(run.model)]
        elif run.epoch - self.best_epoch >= self.patience:
            n = self.patience
            name = self.monitor or ("val_loss" if "val_loss" in run.history.history else "loss")
            run.stop(f"no better {name} for {n} epoch{'' if n == 1 else 's'}")

    def on_train_end(self, run: Run) -> None:
        if self.restore_best and "weights" in self.state and "Ctrl-C" not in (run.stopped or ""):
            for kept, data in zip(_kept(run.model), self.state["weights"], strict=True):
                kept.data = data


def _kept(model: Module) -> list[Value]:
    return [*model.parameters(), *(buffer for _, buffer in model.named_buffers())]


class Checkpoint(_Watching):
    """Write the whole state of the training to a file after each epoch, or after each best one.

    Parameters
    ----------
    path : path
        With the suffix .npz or .safetensors; replaced each time, in one go.
    best_only : bool
        Whether only to write when `monitor` is the best so far.
    monitor, mode, min_delta
        As for `EarlyStopping`.

    Raises
    ------
    ValueError
        If an argument is out of its range; in `fit`, if `monitor` is not noted.
    FileNotFoundError
        If the folder is not there.

    Notes
    -----
    ``model.fit(..., resume=path)`` goes on from it, and `nn.load` reads the weights. Give it behind other callbacks,
    so that the file holds their state of that epoch.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        best_only: bool = False,
        monitor: str | None = None,
        mode: str | None = None,
        min_delta: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        saving.form(path)
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"Checkpoint({os.fspath(path)!r}): there is no such folder.")
        self.path, self.best_only = path, best_only

    def on_epoch_end(self, run: Run) -> None:
        if not self.best_only or self.better(run):
            run.save(self.path)


class GradientMonitor(Callback):
    """Watch the gradient of each layer, and warn where it vanishes or explodes, or where units are dead.

    Parameters
    ----------
    vanishing : float
        A layer whose gradient is less than this part of the largest layer's is said to vanish.
    exploding : float
        A layer whose gradient's norm is above this, or not finite, is said to explode.
    dead_part : float
        A layer is spoken of if more than this part of its units are dead.

    Attributes
    ----------
    norms : dict of str to list of float
        For each layer, by its path, the root mean square over the batches of an epoch of its gradient's norm.
    dead : dict of str to int
        How many units of each layer had no gradient from any example of the last epoch: what leads to them cannot learn
        any more, as behind a ReLU that is 0 for all examples.

    Notes
    -----
    ``print(monitor)`` shows it as a table. The bounds are rules of thumb: in a net that learns well, the norms of
    layers mostly lie within a factor of 100.

    References
    ----------
    Hochreiter: Untersuchungen zu dynamischen neuronalen Netzen (1991). Pascanu, Mikolov, Bengio: On the difficulty of
    training recurrent neural networks (ICML 2013).

    Warns
    -----
    UserWarning
        Once for each layer and reason.
    """

    def __init__(self, vanishing: float = 1e-3, exploding: float = 1e3, dead_part: float = 0.1):
        self.vanishing, self.exploding, self.dead_part = vanishing, exploding, dead_part
        self.state = {"norms": {}, "dead": {}, "told": []}

    @property
    def norms(self) -> dict[str, list[float]]:
        return self.state["norms"]  # type: ignore[no-any-return]

    @property
    def dead(self) -> dict[str, int]:
        return {layer: len(units) for layer, units in self.state["dead"].items()}

    def on_train_begin(self, run: Run) -> None:
        self.state = {"norms": {}, "dead": {}, "told": []}
        self._layers: dict[str, dict[str, Value]] = {}
        self._units: dict[str, int] = {}
        for path, parameter in run.model.named_parameters():
            layer, _, name = path.rpartition(".")
            self._layers.setdefault(layer or path, {})[name] = parameter
        self._begin()

    def _begin(self) -> None:
        self._squares = dict.fromkeys(self._layers, 0.0)
        self._alive: dict[str, Any] = {}
        self._batches = 0

    def on_backward_end(self, run: Run) -> None:
        self._batches += 1
        for layer, parameters in self._layers.items():
            for name, parameter in parameters.items():
                g = parameter.grad
                if g is None:
                    continue
                self._squares[layer] += float(abs(np.vdot(g, g)))
                if g.ndim and name == ("bias" if "bias" in parameters else "weight"):
                    # Units are the last axis of a bias and of a Dense weight, and the first of a convolution's.
                    units = np.moveaxis(g, 0 if g.ndim > 2 else -1, 0)
                    lives = (units.reshape(len(units), -1) != 0).any(axis=1)
                    self._alive[layer] = self._alive[layer] | lives if layer in self._alive else lives

    def on_epoch_end(self, run: Run) -> None:
        now = {layer: math.sqrt(total / self._batches) for layer, total in self._squares.items()}
        for layer, norm in now.items():
            self.norms.setdefault(layer, []).append(norm)
        self.state["dead"] = {layer: np.flatnonzero(~lives).tolist() for layer, lives in self._alive.items()}
        self._units = {layer: len(lives) for layer, lives in self._alive.items()}
        top = max(now, key=now.__getitem__)
        for layer, norm in now.items():
            if not norm <= self.exploding:
                self._tell(
                    layer, "explodes", run,
                    f"the gradient explodes: its norm is {norm:.3g}. A smaller learning rate, clipping, "
                    f"other initial weights or normalisation may help.",
                )  # fmt: skip
            elif norm < self.vanishing * now[top]:
                self._tell(
                    layer, "vanishes", run,
                    f"the gradient vanishes: its norm, {norm:.3g}, is {norm / now[top]:.1g} of that of {top}. Another "
                    f"activation (ReLU with He initialisation), normalisation or skip connections may help.",
                )  # fmt: skip
            if self.dead.get(layer, 0) > self.dead_part * self._units.get(layer, 0):
                self._tell(
                    layer, "dead", run,
                    f"{self.dead[layer]} of {self._units[layer]} units are dead: no example gave them a gradient. A "
                    f"smaller learning rate, or leaky_relu in the place of relu, may help.",
                )  # fmt: skip
        self._begin()

    def _tell(self, layer: str, kind: str, run: Run, what: str) -> None:
        if [layer, kind] not in self.state["told"]:
            self.state["told"].append([layer, kind])
            warnings.warn(f"{layer}, epoch {run.epoch}: {what}", UserWarning, stacklevel=5)  # who called fit

    def __repr__(self) -> str:
        if not self.norms:
            return "GradientMonitor: no epoch yet"
        largest = max(norms[-1] for norms in self.norms.values())
        rows = [
            (
                layer,
                f"{norms[0]:.3g}",
                f"{norms[-1]:.3g}",
                f"{norms[-1] / largest:.1g}" if largest else "-",
                f"{self.dead[layer]} of {self._units.get(layer, '?')}" if layer in self.dead else "",
            )
            for layer, norms in self.norms.items()
        ]
        n = len(next(iter(self.norms.values())))
        head = ("layer", "gradient, epoch 1", f"epoch {n}", "of the largest", "dead units")
        return report.table(head, rows, right=(1, 2, 3, 4))
