"""What a model is and how its training went, as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd import Value, no_grad

from .module import Module
from .pictures import Picture, beside, lines
from .symbol import gathered, index, spelled

__all__ = ["Curves", "Text", "confusion_table", "plot", "regions", "summary", "table"]

BLOCKS = " ▁▂▃▄▅▆▇█"


class Text(str):
    """Text that a notebook and the prompt show as it is printed."""

    def __repr__(self) -> str:
        return str(self)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), last: int = 0) -> Text:
    """Rows in columns under a head, the columns in `right` flush right; the `last` rows behind a rule."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    texts = [
        "  ".join(f"{cell:{'>' if i in right else '<'}{widths[i]}}" for i, cell in enumerate(line)).rstrip()
        for line in lines
    ]
    rule = "─" * (sum(widths) + 2 * len(widths) - 2)
    body = len(texts) - last
    return Text("\n".join([texts[0], rule, *texts[1:body], *([rule, *texts[body:]] if last else [])]))


class Call:
    """One line of a summary: what was called, of what, and what it gave."""

    def __init__(self, path: str, function: Any, given: Any = None):
        self.path, self.function, self.given = path, function, given
        self.result: Any = None


def summary(model: Module, xs: tuple[Any, ...] | None) -> Text:
    """What `Model.summary` shows: a line for each layer, in the order they are called, inner ones behind outer ones.

    Parameters
    ----------
    model : Module
    xs : tuple of array, or None
        Examples to call the model with, or None, for a table without shapes.

    Returns
    -------
    str
        Lines without a newline at the end. Where a model was drawn with Symbols and something else than the line
        before comes in, a column says what.
    """
    start = [Call("input" if len(xs) == 1 else f"input {i}", None) for i in range(len(xs))] if xs else []
    calls: list[Call] = []
    if xs is not None:
        values = [Value(x, requires_grad=False) for x in xs]
        for call, value in zip(start, values, strict=True):
            call.result = value
        modes = [(module, module.training) for _, module in model.named_modules()]
        model.eval()
        try:
            with no_grad(), _noting(model, calls):
                model(*values)
        finally:
            for module, was in modes:
                module.training = was
    own = {id(module): _own(module) for _, module in model.named_modules()}
    called = {id(call.function) for call in calls}
    for path, module in model.named_modules():
        if path and id(module) not in called and (own[id(module)] or xs is None):
            # Behind what it is in, or in what was called before.
            behind = [i for i, call in enumerate(calls) if path.startswith(f"{call.path}.")]
            calls.insert(behind[-1] + 1 if behind else len(calls), Call(path, module))
    mine = {id(p) for p in own[id(model)]}
    calls += [Call(path, parameter) for path, parameter in model.named_parameters() if id(parameter) in mine]
    drawn = bool(getattr(model, "_shapes", ()))
    names = {id(value): call.path for call in start for value in gathered(call.result, Value)}
    rows, counted, skips, previous = [], set[int](), False, start[-1].path if start else ""
    for call in [*start, *calls]:
        function, results, size, sources = call.function, gathered(call.result, Value), "0", ""
        if function is index and all(id(value) in names for value in results):
            continue  # one of several results
        if function is None:
            size = ""
        elif isinstance(function, Value):
            size = f"{function.size:,}"
        elif isinstance(function, Module):
            parameters = own[id(function)]
            size = "shared" if id(function) in counted and parameters else f"{sum(p.size for p in parameters):,}"
            if not parameters and any(other.path.startswith(f"{call.path}.") for other in calls):
                size = ""
            counted.add(id(function))
        outer = call.path.count(".") < 2
        if drawn and outer and call.given is not None:
            found = list(dict.fromkeys(names[id(value)] for value in gathered(call.given, Value) if id(value) in names))
            sources = ", ".join(found)
            skips = skips or (bool(found) and found != [previous])
            previous = call.path
        for value in results:
            names[id(value)] = call.path if outer else names.get(id(value), call.path)
        what = (
            f"Value{function.shape}" if isinstance(function, Value) else "" if function is None else spelled(function)
        )
        rows.append((call.path, what, _shape(call.result), size, sources))
    rows.append(("total", "", "", f"{model.size:,}", ""))
    kept = sum(buffer.size for _, buffer in model.named_buffers())
    if kept:
        rows.append(("not trained", "", "", f"{kept:,}", ""))
    shown = [0, 1, *([2] if xs is not None else []), 3, *([4] if skips else [])]
    head = ("layer", "function", "output", "parameters", "of")
    text = table(
        [head[i] for i in shown],
        [[row[i] for i in shown] for row in rows],
        right=[shown.index(3)],
        last=2 if kept else 1,
    )
    return text if xs is not None else Text(f"{text}\nThe shapes are known to model.summary(shape of an example).")


@contextmanager
def _noting(model: Module, calls: list[Call]) -> Iterator[None]:
    """Inside, every call of a module within `model`, and of a function that is a layer or a step of it, is noted."""

    def noted(path: str, function: Any, run: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            line = Call(path, function, (args, kwargs))
            calls.append(line)
            line.result = run(*args, **kwargs)
            return line.result

        return call

    changed: list[tuple[Module, str, Any]] = []
    uses: dict[str, int] = {}
    for path, module in model.named_modules():
        content = vars(module)
        stored = [(name, content[name]) for name in ("layers", "_steps") if isinstance(content.get(name), list)]
        for name, items in stored:
            changed.append((module, name, items))
            new = []
            for i, item in enumerate(items):
                function = item[0] if name == "_steps" else item
                if isinstance(function, Module) or not callable(function):
                    new.append(item)
                    continue
                title = f"layers.{i}"
                if name == "_steps":
                    title = spelled(function)
                    uses[path + title] = uses.get(path + title, 0) + 1
                    title += f" {uses[path + title]}" if uses[path + title] > 1 else ""
                wrapped = noted(f"{path}.{title}" if path else title, function, function)
                new.append((wrapped, *item[1:]) if name == "_steps" else wrapped)
            content[name] = new
        if path:
            changed.append((module, "forward", None))
            content["forward"] = noted(path, module, module.forward)
    try:
        yield
    finally:
        for module, name, was in reversed(changed):
            if was is None:
                vars(module).pop(name)
            else:
                vars(module)[name] = was


def _own(module: Module) -> list[Value]:
    """The parameters of a module that are of no module inside."""
    inner = {id(p) for path, inside in module.named_modules() if path for p in inside.parameters()}
    return [p for p in module.parameters() if id(p) not in inner]


def _shape(result: Any) -> str:
    """The shapes of what was given, with n for the batch."""
    shapes = [value.shape for value in gathered(result, Value)]
    return ", ".join(f"({', '.join(['n', *map(str, shape[1:])])})" if shape else "()" for shape in shapes)


def plot(numbers: Sequence[float], *, form: str = "{:.3g}", log: bool = False, height: int = 5, width: int = 60) -> str:
    """A chart of bars, the first number on the left, with the scale beside it.

    Parameters
    ----------
    numbers : sequence of float, at least one
        More than `width` are averaged in groups. What is not finite leaves a gap.
    form : str
        How the ends of the scale are written.
    log : bool
        A logarithmic scale, for positive numbers.
    height, width : int
        In characters, without the scale.

    Returns
    -------
    str
        `height` lines without a newline at the end.

    Raises
    ------
    ValueError
        If there are no numbers.

    Examples
    --------
    >>> from nn.report import plot
    >>> print(plot([8, 4, 2, 1], log=True, height=2))
    8 ┤███▃▃▃
    1 ┤██████▆▆▆▁▁▁
    """
    if not len(numbers):
        raise ValueError("plot: there are no numbers to show.")
    heights = np.asarray(numbers, dtype=float)
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            heights = np.log(heights)
    if heights.size > width:
        heights = np.array([part.mean() for part in np.array_split(heights, width)])
    finite = heights[np.isfinite(heights)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    # The lowest bar still shows, as an eighth of a line; equal numbers fill half.
    eighths = 8 * height
    spread = (heights - low) / (high - low) if high > low else np.where(np.isfinite(heights), 0.5, np.nan)
    levels = [round(1 + s * (eighths - 1)) if math.isfinite(s) else 0 for s in spread]
    repeat = max(1, min(3, width // len(levels)))
    top, bottom = (form.format(math.exp(end) if log else end) for end in (high, low))
    margin = max(len(top), len(bottom))
    lines = []
    for row in reversed(range(height)):
        name = top if row == height - 1 else bottom if row == 0 else ""
        bars = "".join(BLOCKS[min(max(level - 8 * row, 0), 8)] * repeat for level in levels)
        lines.append(f"{name:>{margin}} {'┤' if name else '│'}{bars}".rstrip())
    return "\n".join(lines)


class Curves(Picture):
    """Learning curves: bars of text where they are printed, a picture in a notebook.

    Parameters
    ----------
    panels : dict of str to dict of str to list of float
        What each panel shows: curves by their names, a number for each epoch.
    log : sequence of str
        Panels with a logarithmic scale.

    Raises
    ------
    ValueError
        If there is nothing to show.

    Examples
    --------
    >>> from nn.report import Curves
    >>> Curves({"loss": {"loss": [8, 4, 2, 1]}}, log=["loss"])
    loss, epochs 1 to 4, logarithmic scale
    <BLANKLINE>
    8 ┤███
      │███▃▃▃
      │██████
      │██████▆▆▆
    1 ┤█████████▁▁▁
    """

    def __init__(self, panels: Mapping[str, Mapping[str, Sequence[float]]], log: Sequence[str] = ()):
        shown = [
            lines({n: (np.arange(1, len(y) + 1), y) for n, y in curves.items()}, x_label="epoch", log=name in log)
            for name, curves in panels.items()
            if any(np.isfinite(y).any() for y in curves.values())
        ]
        if not shown:
            raise ValueError("There are no epochs to show.")
        picture = beside(*shown)
        super().__init__(picture.body, picture.width, picture.height, f"Learning curves: {picture.name}")
        self.panels, self.log = panels, log

    def __repr__(self) -> str:
        parts = []
        for name, curves in self.panels.items():
            for label, numbers in curves.items():
                span = f"epochs 1 to {len(numbers)}" if len(numbers) > 1 else "epoch 1"
                scale = ", logarithmic scale" if name in self.log else ""
                parts += [f"{label}, {span}{scale}", plot(numbers, log=name in self.log, form="{:.4g}")]
        return "\n\n".join(parts)


def confusion_table(counts: np.ndarray, names: Sequence[str] | None = None) -> str:
    """A confusion matrix with its rows and columns named, and how many of each class were right.

    Parameters
    ----------
    counts : array of int, shape (classes, classes)
        As `nn.metrics.confusion` gives it.
    names : sequence of str, optional
        Of the classes. Default: their numbers.

    Returns
    -------
    str
        Lines without a newline at the end; a dot is a zero.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.report import confusion_table
    >>> print(confusion_table(np.array([[45, 1], [0, 38]])))
           0   1    right
      0   45   1   97.8 %
      1    ·  38  100.0 %
    """
    names = [str(i) for i in range(len(counts))] if names is None else names
    margin = max(3, *map(len, names))
    width = max(4, len(str(counts.max())) + 2, *(len(name) + 2 for name in names))
    lines = [" " * (margin + 1) + "".join(f"{name:>{width}}" for name in names) + "    right"]
    for i, (name, row) in enumerate(zip(names, counts, strict=True)):
        right = f"{row[i] / row.sum():7.1%}".replace("%", " %") if row.sum() else "-"
        lines.append(f"{name:>{margin}} " + "".join(f"{n or '·':>{width}}" for n in row) + f"{right:>9}")
    return "\n".join(lines)


def regions(predict: Callable[[np.ndarray], np.ndarray], x: np.ndarray, y: np.ndarray, width: int = 56) -> str:
    """The plane as a classifier sees it: a shade for each class, and examples as the numbers of theirs.

    Parameters
    ----------
    predict : callable
        From points of shape (n, 2) to classes of shape (n,).
    x : array, shape (n, 2)
    y : array of int, shape (n,)
    width : int
        In characters.

    Returns
    -------
    str
        Lines without a newline at the end.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.report import regions
    >>> corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> print(regions(lambda x: (x[:, 1] > 0.5).astype(int), corners, [0, 1, 0, 1], width=16))
    ░1░░░░░░░░░░░░1░
    ░░░░░░░░░░░░░░░░
    ░░░░░░░░░░░░░░░░
    ░░░░░░░░░░░░░░░░
    <BLANKLINE>
    <BLANKLINE>
    <BLANKLINE>
     0            0
    """
    height = width // 2
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.08 * np.maximum(high - low, 1e-9)
    low, high = low - margin, high + margin
    across = low[0] + (np.arange(width) + 0.5) / width * (high[0] - low[0])
    up = high[1] - (np.arange(height) + 0.5) / height * (high[1] - low[1])
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    shades = np.array(list(" ░▒▓█"))[predict(grid).reshape(height, width) % 5]
    columns = ((x[:, 0] - low[0]) / (high[0] - low[0]) * width).astype(int)
    rows = ((high[1] - x[:, 1]) / (high[1] - low[1]) * height).astype(int)
    shades[rows, columns] = [str(label % 10) for label in y]
    return "\n".join("".join(row).rstrip() for row in shades)
