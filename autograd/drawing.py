r"""A graph as a picture: DOT text, and with Graphviz installed SVG, PNG, PDF or a page of HTML.

    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    draw(y)                     # in a notebook: the picture
    draw(y).save("square.svg")

A box is a Value. Its shape says what it is, its colour only repeats that: a rounded box is a leaf with a
gradient, a sheet with a folded corner a constant, a box with a coloured edge a result. That edge holds the
operation, and the arrows of the operands end at it in operand order.

Labels and parameters are data, never code: nodes are called ``n0``, ``n1``, ... in the order they were
computed, and everything else is escaped here, in `_text`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import DataError, DrawingError
from .graph import ancestors
from .value import Value

if TYPE_CHECKING:
    import graphviz

__all__ = ["Drawing", "draw"]

LIMIT = 2500
"""The most nodes and edges together that are handed to Graphviz.

A tangled graph of that size took it three seconds, one of 3,000 fifteen; tidy ones are much faster.
"""

_SIDES = {"LR": ("e", "w"), "RL": ("w", "e"), "TB": ("s", "n"), "BT": ("n", "s")}
"""Where arrows leave a node, and where they arrive."""
_SHOW = ("data", "grad")
_FORMATS = ("svg", "png", "pdf", "html", "dot")
_HINT = (
    "Pictures need Graphviz's program `dot`, which is not on the PATH: install it with `apt install graphviz`, "
    "`brew install graphviz`, `conda install graphviz` or from https://graphviz.org/download"
)

# Where the order of the operands says nothing.
_SYMMETRIC = frozenset({"add", "multiply", "maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp", "logaddexp2"})

_HEAD = """\
digraph autograd {{
	graph [rankdir={direction} bgcolor=white pad=0.2 nodesep=0.2 ranksep=0.4]
	node [fontname="Helvetica,Arial,sans-serif" fontsize=13 fontcolor="#1a1a1a" shape=plain margin=0]
	edge [color="#555555" arrowsize=0.7 penwidth=1.2]
"""
_LEAF = 'shape=box style="rounded,filled" fillcolor="#e1effa" color="#0b62a3" margin=0.04 width=0 height=0'
_CONSTANT = 'shape=note style=filled fillcolor="#efefef" color="#777777" margin="0.1,0.03" width=0 height=0'
_ALERT = "#c00000"
_QUIET = "#666666"


class Drawing:
    """A picture of a graph as it was when it was drawn: what `draw` returns, and what a notebook shows.

    Attributes
    ----------
    nodes, edges : int
        How many there are.
    """

    def __init__(self, lines: list[str], nodes: int, edges: int):
        self._lines, self.nodes, self.edges = lines, nodes, edges

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
            A ValueError: without Graphviz's program ``dot``, or beyond `LIMIT` nodes and edges, which it could
            not lay out in reasonable time.
        """
        return self._render("svg").decode("utf-8")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format of its suffix: svg, png, pdf, html or dot.

        Returns
        -------
        pathlib.Path
            Where it is.

        Raises
        ------
        DrawingError
            A ValueError: with another suffix; and as for `svg`, except that DOT is text and can always be saved.
            No file is written then.

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
        elif kind == "html":
            path.write_text(_page(path.stem, self.svg()), encoding="utf-8")
        else:
            path.write_bytes(self._render(kind))
        return path

    def _render(self, kind: str) -> bytes:
        if self.nodes + self.edges > LIMIT:
            raise DrawingError(
                f"This graph has {_count(self.nodes, 'node')} and {_count(self.edges, 'edge')}, and Graphviz would "
                f"take very long to lay out more than {LIMIT:,} together. Draw a Value further up, or fewer steps; "
                f"`.dot` and `.save('graph.dot')` give the text at any size."
            )
        import graphviz

        digraph = self.digraph
        if kind == "png":
            digraph.attr("graph", dpi="192")
        try:
            return digraph.pipe(format=kind, quiet=True)  # type: ignore[no-any-return]
        except (graphviz.ExecutableNotFound, PermissionError):
            raise DrawingError(f"{_HINT}. Without it, `.dot` and `.save('graph.dot')` give the text.") from None
        except graphviz.CalledProcessError as error:
            lines = (error.stderr or b"").decode("utf-8", "replace").split("\n")
            raise DrawingError(f"Graphviz could not draw this: {lines[0] or error.returncode}") from None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except DrawingError as error:
            text = str(error)
            if self.nodes + self.edges <= LIMIT:
                text += "\n\n" + self.dot
            return {"text/plain": text}

    def _repr_svg_(self) -> str | None:
        return self._repr_mimebundle_().get("image/svg+xml")

    def __repr__(self) -> str:
        return (
            f"<Drawing: {_count(self.nodes, 'node')}, {_count(self.edges, 'edge')}; .svg(), .save('graph.svg') or .dot>"
        )


def draw(value: Value, *, direction: str = "LR", show: Iterable[str] = _SHOW) -> Drawing:
    r"""Draw the graph behind a Value: every Value it was computed from, the operations, data and gradients.

    Parameters
    ----------
    value : Value
        The result to draw; ancestors only, whatever was computed from it is not shown.
    direction : {"LR", "TB", "RL", "BT"}
        Which way the computation runs: ``"LR"`` from left to right; ``"TB"`` from top to bottom, which suits
        the wide nodes of arrays.
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
    element (of complex numbers: of their absolute values), and their first elements as a tooltip. NaN and
    infinity are counted and stand out in bold; the three figures are then those of the finite elements. A
    gradient that was not computed is ``-``, which is not 0; constants have none. A float64 number states no
    shape and dtype, everything else does. Under `anomaly`, the tooltip tells the source line.

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
    if direction not in _SIDES:
        raise DrawingError(f"draw(direction={direction!r}): it is one of {', '.join(map(repr, _SIDES))}.")
    rows = (show,) if isinstance(show, str) else tuple(show)
    for row in rows:
        if row not in _SHOW:
            raise DrawingError(f"draw(show={show!r}): it holds any of {', '.join(map(repr, _SHOW))}, and got {row!r}.")
    nodes = ancestors(value)
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
    return Drawing(lines, len(nodes), edges)


# -------------------------------------------------------------------- a node


def _attributes(node: Value, direction: str, show: tuple[str, ...], root: bool) -> str:
    """The DOT attributes of a node."""
    facts, alert = _facts(node, show)
    tooltip = _tooltip(node)
    end = f' tooltip="{tooltip}"' if tooltip else ""
    width = 2 if root or alert else 1
    if node.op is None:
        color = f' color="{_ALERT}"' if alert else ""
        kind = _LEAF if node.requires_grad else _CONSTANT
        return f"label=<{_table(facts)}> {kind}{color} penwidth={width}{end}"
    parts = [*_operands(node, direction), _operation(node), f'<td cellpadding="3">{_table(facts)}</td>']
    if direction in ("RL", "BT"):
        parts.reverse()
    color = _ALERT if alert else "#8a5a00"
    between = "" if direction in ("LR", "RL") else "</tr><tr>"
    return (
        f'label=<<table border="{width}" cellborder="0" cellspacing="0" cellpadding="0" color="{color}" '
        f'bgcolor="white"><tr>{between.join(parts)}</tr></table>>{end}'
    )


_BAND = 'bgcolor="#fde3b3"'


def _operands(node: Value, direction: str) -> list[str]:
    """The cell where the arrows end: a place for each of several operands, named where the order matters."""
    inputs, op = node.inputs or (), node.op
    assert op is not None
    if len(inputs) < 2:
        return []
    names: Iterable[str]
    if op.name in _SYMMETRIC:
        names = [""] * len(inputs)
    elif op.variadic:
        names = map(str, range(len(inputs)))
    else:
        names = op.parameters[: len(inputs)]
    upright = direction in ("LR", "RL")
    empty = 'width="2" height="14"' if upright else 'width="14" height="2"'
    align = ' align="left"' if upright else ""
    cells = [
        f'<td port="i{i}" cellpadding="2"{align}>{_quiet(name.rstrip("_"))}</td>'
        if name
        else f'<td port="i{i}" {empty}></td>'
        for i, name in enumerate(names)
    ]
    between = "</tr><tr>" if upright else ""
    inner = f'<table border="0" cellspacing="0" cellpadding="0"><tr>{between.join(cells)}</tr></table>'
    return [f"<td {_BAND}>{inner}</td>"]


def _operation(node: Value) -> str:
    """The cell with the operation and its parameters."""
    op = node.op
    assert op is not None
    title = f'<font point-size="16"><b>{_text(op.symbol)}</b></font>' if op.symbol else f"<b>{_text(op.name)}</b>"
    notes = [_parameter(name, content) for name, content in (node.params or {}).items()]
    if node.inputs is None:
        notes.append("released")
    small = "".join(f'<br/><font point-size="10">{_text(note)}</font>' for note in notes)
    return f'<td {_BAND} cellpadding="4">{title}{small}</td>'


def _facts(node: Value, show: tuple[str, ...]) -> tuple[list[str], bool]:
    """The rows of a node's table, and whether it holds NaN or infinity."""
    data, rows, alert = node._data, [], False
    known = type(data) in _PYTHON or isinstance(data, np.ndarray | np.generic)
    if node.label:
        rows.append(_wide(f"<b>{_text(node.label)}</b>"))
    if type(data) not in _PYTHON and type(data) is not np.float64:
        kind = "" if known else f"{type(data).__name__} "
        rows.append(_wide(_quiet(f"{kind}{node.shape} {node.dtype}")))
    gradient = getattr(node._grad, "_data", node._grad)
    figures = {"data": data, "grad": gradient}
    if not node.requires_grad and gradient is None:
        del figures["grad"]
    plain = len(figures) == 1  # a constant: its number needs no word before it
    figures = {name: figures[name] for name in show if name in figures and (known or figures[name] is None)}
    headed = False
    for name, content in figures.items():
        if content is None:
            rows.append(_wide("None") if name == "data" else _row(name, ["-"], headed))
        elif not np.shape(content):
            bad = isinstance(content, float | complex | np.inexact) and not np.isfinite(content)
            text = _alarm(_number(content)) if bad else _number(content)
            rows.append(_wide(text) if plain else _row(name, [text], headed))
            alert |= bool(bad)
        elif np.size(content) <= 4:
            flat = np.asarray(content)
            bad = flat.dtype.kind in "fc" and not np.isfinite(flat).all()
            text = _elements(flat) if flat.size else "empty"
            rows.append(_row(name, [_alarm(text) if bad else text], headed))
            alert |= bool(bad)
        else:
            name, cells, count = _summary(name, content)
            if not headed:
                rows.append(_row("", [_quiet(word) for word in ("min", "mean", "max")], True))
                headed = True
            rows.append(_row(name, cells, True))
            if count:
                rows.append(_row("", [_alarm(count)], True))
                alert = True
    return rows, alert


_PYTHON = frozenset({bool, int, float, complex, type(None)})


def _summary(name: str, array: Any) -> tuple[str, list[str], str]:
    """Least, mean and greatest of the finite elements, and how many are not finite."""
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
        return name, ["-", "-", "-"], count
    with np.errstate(all="ignore"):
        mean = array.mean(dtype=np.result_type(array.dtype, np.float64))
    return name, [_number(figure) for figure in (array.min(), mean, array.max())], count


# -------------------------------------------------------------------- text

_LONG = 40


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _table(rows: list[str]) -> str:
    return f'<table border="0" cellspacing="0" cellpadding="1">{"".join(rows) or "<tr><td> </td></tr>"}</table>'


def _wide(cell: str) -> str:
    return f'<tr><td colspan="4">{cell}</td></tr>'


def _row(name: str, cells: list[str], headed: bool) -> str:
    span = ' colspan="3"' if len(cells) == 1 else ""
    inner = "".join(f'<td{span} align="right">&#160;{cell}</td>' for cell in cells)
    return f'<tr><td align="left">{_quiet(name) if name else ""}</td>{inner}</tr>'


def _quiet(text: str) -> str:
    return f'<font point-size="10" color="{_QUIET}">{_text(text)}</font>'


def _alarm(text: str) -> str:
    return f'<font color="{_ALERT}"><b>{text}</b></font>'


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
    data = node._data
    if isinstance(data, np.ndarray) and data.size > 4:
        lines.append(
            np.array2string(data.ravel()[:8], precision=4, separator=", ")[:-1] + (", ...]" if data.size > 8 else "]")
        )
    if node.notes and "source" in node.notes:
        lines.append(node.notes["source"])
    return "\\n".join([_text(line, 400) for line in lines])


_PLAIN = re.compile(r"[\w .,:;+*/=()\[\]^|-]*", re.ASCII)


def _visible(text: str, length: int) -> str:
    """`text` on one line, cut to a length, with everything that does not print or turns text around spelled out."""
    if len(text) > length:
        text = text[: length - 1] + "…"
    if _PLAIN.fullmatch(text):
        return text
    return "".join([_picture(c) if unicodedata.category(c) in _UNSEEN else c for c in text])


_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def _picture(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 32 else f"⟨U+{code:04X}⟩"


def _text(text: str, length: int = _LONG) -> str:
    """`text` as it stands in a label or within the quotes of an attribute, where ``\\N`` would be the node's id."""
    return _visible(text, length).replace("\\", "\\\\").translate(_MARKUP)


def _page(title: str, svg: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{_visible(title, 200).translate(_MARKUP)}</title>\n</head>\n"
        f'<body style="margin: 0; background: white">\n{svg[svg.index("<svg") :]}</body>\n</html>\n'
    )
