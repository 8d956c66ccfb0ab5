"""What a model is and how its training went, as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import no_grad

from .layers import Sequential
from .layers.dense import name_of
from .module import Module

__all__ = ["confusion_table", "layer_table", "plot"]

BLOCKS = " ▁▂▃▄▅▆▇█"


def layer_table(model: Sequential, shape: tuple[int, ...]) -> str:
    """A line for each layer: what it is, the shape of what it gives, and how many parameters it has.

    Parameters
    ----------
    model : Sequential
    shape : tuple of int
        That of one example; the batch is ``n``.

    Returns
    -------
    str
        Lines without a newline at the end.

    Examples
    --------
    >>> from nn import MLP
    >>> from nn.report import layer_table
    >>> print(layer_table(MLP([64, 32, 10], seed=0), (64,)))
    layer     function             output   parameters
    ──────────────────────────────────────────────────
    input                          (n, 64)
    layers.0  Dense(64, 32, relu)  (n, 32)       2,080
    layers.1  Dense(32, 10)        (n, 10)         330
    ──────────────────────────────────────────────────
    total                                        2,410
    """

    def shown(array: Any) -> str:
        return f"({', '.join(['n', *map(str, array.shape[1:])])})"

    x: Any = np.zeros((1, *shape))
    rows = [("input", "", shown(x), "")]
    with no_grad():
        for position, layer in enumerate(model):
            x = layer(x)
            what, size = (layer.describe(), layer.size) if isinstance(layer, Module) else (name_of(layer), 0)
            rows.append((f"layers.{position}", what, shown(x), f"{size:,}"))
    head, total = ("layer", "function", "output", "parameters"), ("total", "", "", f"{model.size:,}")
    widths = [max(len(row[column]) for row in (head, *rows, total)) for column in range(4)]
    lines = [
        f"{a:{widths[0]}}  {b:{widths[1]}}  {c:{widths[2]}}  {d:>{widths[3]}}".rstrip()
        for a, b, c, d in (head, *rows, total)
    ]
    rule = "─" * (sum(widths) + 6)
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


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


def confusion_table(counts: np.ndarray) -> str:
    """A confusion matrix with its rows and columns named, and how many of each class were right.

    Parameters
    ----------
    counts : array of int, shape (classes, classes)
        As `nn.metrics.confusion` gives it.

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
    width = max(4, len(str(counts.max())) + 2)
    classes = range(len(counts))
    lines = ["    " + "".join(f"{name:>{width}}" for name in classes) + "    right"]
    for name, row in zip(classes, counts, strict=True):
        right = f"{row[name] / row.sum():7.1%}".replace("%", " %") if row.sum() else "-"
        lines.append(f"{name:>3} " + "".join(f"{n or '·':>{width}}" for n in row) + f"{right:>9}")
    return "\n".join(lines)
