"""A trace as a page to step through: one piece of HTML that needs no kernel, no network and no library.

    trace(loss)                     # in a notebook: the page is the cell's output
    trace(loss).save("pass.html")

Graphviz lays the graph out, once, here. What goes into the page is a picture of the finished pass, the pass as
text, the numbers of every step, and the script `stepper.js`, which takes the picture apart and plays the steps
in it. Where scripts are stripped, as from notebooks that are not trusted, the picture and the text remain.

Nothing in the page has an id, so that any number of them can stand on one page.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from . import formulas, text
from .drawing import LIMIT, colour, data_uri, render_svg
from .errors import DrawingError
from .tracing import Node, Step, Trace

__all__ = ["fragment", "page", "save"]

LARGEST = 2000
"""The page of a pass of more nodes than this has the text, and no picture: no eye would find a node in it."""
TALLEST = 420
"""Pixels that the picture may take of a page's height."""

_MARGIN = 18.0
"""Pixels above and below the graph, for the label of the arrow in play."""
_CHARACTER, _LINE = 6.7, 14.0  # of the font in a node: 11 pixels, fixed width
_FONT = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Courier New',monospace"


def page(trace: Trace, title: str = "") -> str:
    """The page as a whole HTML document.

    Parameters
    ----------
    trace : Trace
    title : str
        Of the window. Default: the name of the result.
    """
    title = escape(text.visible(title or f"Backward pass of {trace.root.name}", 200))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n"
        "<style>html { color-scheme: light dark } body { margin: 12px }</style>\n"
        f"</head>\n<body>\n{fragment(trace)}\n</body>\n</html>\n"
    )


def save(trace: Trace, path: str | os.PathLike[str]) -> Path:
    """Write the page to a file.

    Raises
    ------
    DrawingError
        A ValueError: if the suffix is not ``.html``.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise DrawingError(
            f"save({str(path)!r}): a trace is saved as a page, .html. For a picture write draw(value).save(...), for "
            f"the numbers trace.to_json()."
        )
    path.write_text(page(trace, path.stem), encoding="utf-8", newline="\n")
    return path


def fragment(trace: Trace) -> str:
    """The page as a piece of HTML to stand in any other, such as the output of a notebook's cell."""
    table = escape(str(trace))
    summary = f"The backward pass of {text.visible(trace.root.name)}"
    counts = f"{text.count(len(trace.nodes), 'node')}, {text.count(len(trace.steps), 'step')}"
    if len(trace.nodes) > LARGEST:
        return (
            f'<div class="autograd-stepper" data-live><style>{_resource("stepper.css")}</style>'
            f"<p>{escape(summary)}: {counts}, too many to step through in a picture. Take a Value further up, or see "
            f"<code>draw(...)</code>, which folds what repeats.</p>"
            f"<details><summary>The backward pass as text</summary><pre>{table}</pre></details></div>"
        )
    picture = _picture(trace)
    return (
        f'<div class="autograd-stepper" tabindex="0" role="group" data-lm-suppress-shortcuts="true" '
        f'aria-label="{escape(summary)}, step by step: right and left arrow step, space plays">\n'
        f"<style>{_resource('stepper.css')}</style>\n"
        f'<script type="text/html" class="ags-controls">{_CONTROLS}</script>\n'
        f'<div class="ags-view" style="height:{min(TALLEST, picture.height):.0f}px">'
        f'<img style="max-width:100%" alt="{escape(summary)}: a graph of {counts}" '
        f'src="{data_uri(picture.svg)}"></div>\n{_LEGEND}'
        f"<details><summary>The backward pass as text</summary><pre>{table}</pre></details>\n"
        f'<script type="application/json" class="ags-data">{_data(trace)}</script>\n'
        f"<script>{_resource('stepper.js')}</script>\n</div>"
    )


# Nothing that is of no use without the script stands outside of it: what strips scripts may well keep buttons.
_CONTROLS = """\
<div class="ags-bar">
<button type="button" class="ags-first" aria-label="First step" title="to the start (Home)">|◀</button>
<button type="button" class="ags-back" title="one step back (left arrow)">◀ Back</button>
<button type="button" class="ags-step ags-main" title="one step on (right arrow)">Step ▶</button>
<button type="button" class="ags-last" aria-label="Last step" title="to the end (End)">▶|</button>
<button type="button" class="ags-play" aria-pressed="false" title="play and pause (space)">▶ Play</button>
<input type="range" class="ags-scrub" min="0" value="0" aria-label="Step">
<span class="ags-count"></span>
</div>
<div class="ags-bar">
<button type="button" class="ags-leaf" title="until the gradient of a leaf is complete (l)">Next leaf</button>
<select class="ags-to" aria-label="Run to a node" title="until its gradient is complete; so does a click">
<option value="">run to …</option></select>
<span>stop at</span>
<label><input type="checkbox" class="ags-nan" checked>NaN, inf</label>
<label><input type="checkbox" class="ags-zero">0</label>
<label><input type="checkbox" class="ags-huge">exploding</label>
<span class="ags-space"></span>
<button type="button" class="ags-out" aria-label="Zoom out" title="smaller (-; or the wheel with Ctrl)">−</button>
<button type="button" class="ags-in" aria-label="Zoom in" title="larger (+)">+</button>
<button type="button" class="ags-fit" title="the whole graph (f)">Fit</button>
<button type="button" class="ags-one" title="full size (1)">1:1</button>
</div>
"""


_LEGEND = """\
<p class="ags-legend"><span class="ags-scale"></span>gradient: blue below 0, orange above &#183; round: given, with a
gradient &#183; folded corner: constant &#183; square: computed &#183; ‖ ‖ norm</p>
"""


@cache
def _resource(name: str) -> str:
    """The script or the style, without comments and indents."""
    content = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    content = re.sub(r"(?s:/\*.*?\*/)|(?<=[;{,]) // .*", "", content)
    return "\n".join(filter(None, map(str.strip, content.splitlines())))


# -------------------------------------------------------------------- the numbers


def _largest(x: Any) -> float:
    """The entry of greatest size, with its sign; NaN or infinity if there is one; 0 of nothing."""
    if x is None:
        return 0.0
    array = np.asarray(x)
    if array.dtype.kind == "c":
        array = np.abs(array)
    flat = array.ravel()
    if not flat.size:
        return 0.0
    bad = flat[~np.isfinite(flat)]
    return float(bad[0] if bad.size else flat[np.abs(flat).argmax()])


_LESS = "\ue000"
"""For < in a name, which then is never to be read as HTML, not even by what keeps the text of a script; no name
holds this character, as `text.visible` spells it out."""


class _Pool:
    """Things that come again and again, each kept once."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._place: dict[Any, int] = {}

    def add(self, key: Any, item: Any) -> int:
        if key not in self._place:
            self._place[key] = len(self.items)
            self.items.append(item)
        return self._place[key]


def _data(trace: Trace) -> str:
    """What the script needs, as JSON that can stand in a script element."""
    words, thumbs, seen = _Pool(), _Pool(), dict[int, int]()
    words.add("", "")
    uses = [0] * len(trace.nodes)
    for step in trace.steps:
        uses[step.input] = step.uses
    seed = _largest(trace.root.gradient)
    nodes = []
    for node in trace.nodes:
        entry: dict[str, Any] = {
            "name": node.name.replace("<", _LESS),
            "math": _symbol(node).mathml(),
            "uses": uses[node.id],
        }
        if node.operation:
            entry["operation"] = node.operation
        if node.kind == "leaf":
            entry["leaf"] = 1
        if node.right is not None:
            entry |= {"right": bool(node.right), "expected": text.array(node.expected)}
        nodes.append(entry)
    edges = _edges(trace)
    steps = []
    start, sizes = 0, [0.0] * len(trace.nodes)
    for step in trace.steps:
        source, target = trace.nodes[step.node], trace.nodes[step.input]
        size = _largest(step.after)
        flags = 1 * (not np.isfinite(size) or not np.isfinite(_largest(step.contribution)))
        flags |= 2 * (_largest(step.after) == 0) | 4 * (np.isfinite(size) and abs(size) > 1e3 * (abs(seed) or 1.0))
        rule, note = _rule(trace, step, source)
        shown = [step.upstream, step.local, step.contribution, step.after]
        scalar = step.local is not None and not np.shape(step.local)
        steps.append(
            {
                "from": step.node,
                "to": step.input,
                "edge": edges[step.node, step.position],
                "up": text.array(step.upstream),
                "local": None if step.local is None or not (scalar or source.elementwise) else text.array(step.local),
                "gives": text.array(step.contribution),
                "short": _short(step.upstream),
                "brief": _short(step.contribution),
                "card": _short(step.after, _ROOM),
                "before": None if step.before is None else text.array(step.before),
                "after": text.array(step.after),
                "arrived": step.arrived,
                "uses": step.uses,
                "rule": words.add(rule, rule),
                "note": words.add(note, note),
                "flags": int(flags),
                "size": _rounded(size),
                "thumbs": [_thumb(x, thumbs, seen) for x in shown] if any(map(np.ndim, shown)) else 0,
            }
        )
        sizes[step.input] = size
        if target.right is False and step.arrived == step.uses and not start:
            start = step.number
    finite = [abs(x) for x in (*sizes, seed) if np.isfinite(x)]
    content = {
        "nodes": nodes,
        "steps": steps,
        "words": words.items,
        "thumbs": thumbs.items,
        "top": _rounded(max(finite, default=0.0)),
        "seed": text.array(trace.root.gradient),
        "card": _short(trace.root.gradient, _ROOM),
        "size": _rounded(seed),
        "start": start,
        "arrays": any(node.shape for node in trace.nodes),
    }
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # Nothing in a string may end the script element, or begin a comment or another script in it.
    written = re.sub("<(?=[/!]|script)", r"\\u003c", written, flags=re.IGNORECASE)
    written = written.replace(_LESS, r"\u003c").replace("\u2028", r"\u2028").replace("\u2029", r"\u2029")
    return written.encode("utf-8", "replace").decode("utf-8")


def _rounded(x: float) -> float | None:
    """Enough of a number for a colour; None for what JSON cannot say."""
    return float(f"{x:.3g}") if np.isfinite(x) else None


def _short(x: Any, room: int = 8) -> str:
    """A number, or the norm of an array, where there is little room."""
    written = text.array(x)
    if np.ndim(x) and (np.size(x) > 4 or len(written) > room):
        return f"‖{text.number(text.norm(x))}‖"
    return written


_ROOM = 20
"""Letters that a few elements may take in a node."""


def _symbol(node: Node) -> formulas.Expression:
    """What formulas call a node."""
    if node.kind == "constant" and not node.shape:
        return formulas.number(node.value)
    return formulas.name(node.name)


def _rule(trace: Trace, step: Step, source: Node) -> tuple[str, str]:
    """The local derivative, or the rule, in MathML; and a sentence on what was summed."""
    operands = (*source.operands, "g", "y")
    inputs = (*(_symbol(trace.nodes[i]) for i in source.inputs), formulas.name(_UPSTREAM), formulas.name(source.name))
    found = formulas.local_derivative(source.formulas[step.position], operands, inputs)
    rule, note = found.mathml(), ""
    if source.elementwise and found.level in (formulas.SUM, formulas.NEGATIVE):
        rule = f"<mrow><mo>(</mo>{rule}<mo>)</mo></mrow>"
    parts = (f"<mrow><mo>∂</mo>{_symbol(node).mathml()}</mrow>" for node in (trace.root, source))
    rule = rule.replace(f"<mi>{_UPSTREAM}</mi>", f"<mfrac>{''.join(parts)}</mfrac>")
    rule = rule.replace(_UPSTREAM, escape(f"∂{trace.root.name}/∂{source.name}"))  # in words
    rule = rule.replace("<mo>\u2062</mo>", '<mo rspace=".25em">\u2062</mo>')  # a little room between matrices
    if step.summed:
        axes = ", ".join(map(str, step.summed))
        which = "axis" if len(step.summed) == 1 else "axes"
        note = f"It is summed over {which} {axes}, along which the input had been broadcast."
    return rule, note


_UPSTREAM = "\ue001"
"""For the upstream gradient in a rule, until it is written as a fraction."""
_ROWS, _COLUMNS = 8, 12


def _thumb(x: Any, pool: _Pool, seen: dict[int, int]) -> int:
    """A small picture of an array: rows, columns, and a letter a cell, from "'" for least over "O" for 0 to "w"."""
    if x is None or not np.ndim(x):
        return -1
    if id(x) not in seen:  # what one step leaves is what others start from
        array = np.asarray(x)
        item = *_cells(array), text.shape(array.shape), text.number(_largest(array))
        seen[id(x)] = pool.add(item, item)
    return seen[id(x)]


def _cells(array: np.ndarray) -> tuple[int, int, str]:
    if array.dtype.kind == "c":
        array = np.abs(array)
    if not array.size:
        return 1, 1, "O"
    flat = (
        array.astype(np.float64).reshape(1, -1)
        if array.ndim < 2
        else array.astype(np.float64).reshape(-1, array.shape[-1])
    )
    for axis, most in ((0, _ROWS), (1, _COLUMNS)):
        if flat.shape[axis] > most:  # of each block, the entry of greatest size
            cuts = np.linspace(0, flat.shape[axis], most + 1).astype(int)[:-1]
            low, high = np.minimum.reduceat(flat, cuts, axis), np.maximum.reduceat(flat, cuts, axis)
            flat = np.where(np.abs(low) > np.abs(high), low, high)
    finite = np.isfinite(flat)
    top = np.abs(flat[finite]).max(initial=0.0) or 1.0
    with np.errstate(invalid="ignore"):
        levels = np.rint(np.sign(flat) * np.sqrt(np.abs(flat) / top) * 40)
    levels = np.where(finite, levels, 41).astype(int).ravel() + 79
    return flat.shape[0], flat.shape[1], bytes(levels.tolist()).decode("latin-1")


# -------------------------------------------------------------------- the picture


@dataclass(frozen=True, slots=True)
class _Picture:
    svg: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Card:
    """The lines of a node and the room they take."""

    title: str
    operation: str
    data: str
    gradient: str | None
    uses: int
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything is: corners of nodes, paths, heads and the places of labels of edges."""

    width: float
    height: float
    nodes: list[tuple[float, float]]
    edges: list[tuple[str, str, float, float]]


def _edges(trace: Trace) -> dict[tuple[int, int], int]:
    """The edges by node and operand, in their order."""
    return {
        ends: i
        for i, ends in enumerate((node.id, position) for node in trace.nodes for position in range(len(node.inputs)))
    }


def _card(node: Node, uses: int, widest: int) -> _Card:
    operation = " ".join([node.symbol or node.operation or "", *node.parameters]).strip()
    operation = text.visible(operation, 28)
    title = text.visible(node.name, 28)
    if node.shape:
        title += f" {text.shape(node.shape)}"
    data = _short(node.value, _ROOM) if node.value is not None else "None"
    gradient = None if node.gradient is None else _short(node.gradient, _ROOM)
    if node.kind == "constant" and not node.shape:
        longest, lines = len(title), 1
    else:
        lines = 2 + (gradient is not None) + (uses > 1)
        longest = max(len(title) + len(operation) + 2 * bool(operation), len(data) + 5, widest + 5, 11 * (uses > 1))
    return _Card(title, operation, data, gradient, uses, longest * _CHARACTER + 14, lines * _LINE + 8)


def _picture(trace: Trace) -> _Picture:
    """The graph with all gradients in, as an SVG that the script can take apart."""
    uses, widest = [0] * len(trace.nodes), [0] * len(trace.nodes)
    for step in trace.steps:
        uses[step.input] = step.uses
        widest[step.input] = max(widest[step.input], len(_short(step.after, _ROOM)))
    widest[-1] = len(_short(trace.root.gradient, _ROOM))
    cards = [_card(node, uses[node.id], widest[node.id]) for node in trace.nodes]
    labels = {(step.node, step.position): _short(step.contribution) for step in trace.steps}
    found = _by_graphviz(trace, cards, labels) or _by_columns(trace, cards)
    sizes = [_largest(node.gradient) for node in trace.nodes]
    top = max((abs(x) for x in sizes if np.isfinite(x)), default=0.0) or 1.0
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {found.width:.0f} {found.height:.0f}' "
        f"width='{found.width:.0f}' height='{found.height:.0f}' font-size='11' font-family=\"{_FONT}\">"
        "<rect class='x' width='100%' height='100%' fill='white'/><g class='world' text-anchor='middle'>"
        "<g fill='none' stroke='#767676'>"
    ]
    for ends, i in _edges(trace).items():
        path, head, x, y = found.edges[i]
        words = ""
        if ends in labels:
            words = f"<text x='{x:.0f}' y='{y:.0f}' {_SMALL}>{_markup(labels[ends])}</text>"
        lines.append(
            f"<g class='e' data-x='{x:.0f}' data-y='{y:.0f}'><path d='{path}'/>"
            f"<polygon points='{head}' fill='#767676'/>{words}</g>"
        )
    lines.append("</g>")
    for node, card, (x, y), size in zip(trace.nodes, cards, found.nodes, sizes, strict=True):
        lines.append(_node(node, card, x, y, size, top))
    lines.append("</g></svg>")
    return _Picture("".join(lines), found.width, found.height)


_SMALL = "font-size='10' fill='#595959' stroke='none'"
_GOOD, _BAD = "#17693a", "#b00020"


def _markup(content: str) -> str:
    """A number or a name as text of an SVG, with a proper minus."""
    return escape(re.sub(r"(?<![\w.])-(?=[\d.i])", "−", text.visible(content, 80)))


def _node(node: Node, card: _Card, x: float, y: float, size: float, top: float) -> str:
    """A node: its kind is in its shape, its gradient in its heat, and everything in its text."""
    w, h = card.width, card.height
    plain = node.kind == "constant" and not node.shape
    if node.kind == "constant":
        shape = f"<path {{}} d='M{x:.1f} {y:.1f}h{w - 7:.1f}l7 7v{h - 7:.1f}h{-w:.1f}z'/>"
    else:
        round_ = 9 if node.kind == "leaf" else 1
        shape = f"<rect {{}} x='{x:.1f}' y='{y:.1f}' width='{w:.1f}' height='{h:.1f}' rx='{round_}'/>"
    heat = ""
    if node.gradient is not None:
        fill = colour(np.copysign(np.sqrt(abs(size) / top), size)) if np.isfinite(size) else "#fde2e2"
        heat = shape.format(f"class='h' fill='{fill}'")
    middle, line = x + w / 2, y + 3
    rows = []

    def row(kind: str, content: str, extra: str = "") -> None:
        nonlocal line
        line += _LINE
        rows.append(f"<text class='{kind}' x='{middle:.1f}' y='{line - 3:.1f}'{extra}>{content}</text>")

    operation = f"<tspan class='s' font-weight='400' fill='#333333' dx='7'>{_markup(card.operation)}</tspan>" * bool(
        card.operation
    )
    mark = ""
    if node.right is not None:
        kind, sign, ink = ("right", "✓", _GOOD) if node.right else ("wrong", "✗", _BAD)
        place = f"x='{x + w - 3:.1f}' y='{y + 1:.1f}' text-anchor='end' font-size='15'"
        mark = f"<text class='{kind}' {place} fill='{ink}'>{sign}</text>"
    row("t", f"{_markup(card.title)}{operation}", "" if plain else " font-weight='700'")
    if not plain:
        known = node.value is None or np.isfinite(_largest(node.value))
        row(
            "d" if known else "d bad",
            f"data {_markup(card.data)}",
            "" if known else f" fill='{_BAD}' font-weight='700'",
        )
        if card.gradient is not None:
            row("g", f"grad {_markup(card.gradient)}")
        if card.uses > 1:
            row("c s", f"{card.uses} of {card.uses} in", " font-size='10' fill='#333333'")
    tip = [node.name, node.source or "", "in " + " > ".join(node.scope) if node.scope else ""]
    title = escape("\n".join(text.visible(part, 300) for part in tip if part))
    rim = "class='b' fill='#ffffff' stroke='#767676'"
    if node.right is False or not np.isfinite(size):
        rim = "class='b' fill='#ffffff' stroke='#b00020' stroke-width='2.5'"
    place = f"data-x='{middle:.0f}' data-y='{y + h / 2:.0f}' data-w='{w:.0f}' data-h='{h:.0f}'"
    return (
        f"<g class='n' data-i='{node.id}' {place}><title>{title}</title>"
        f"{shape.format(rim)}{heat}{''.join(rows)}{mark}</g>"
    )


# -------------------------------------------------------------------- the layout

_NUMBER = r"(-?[\d.]+(?:e-?\d+)?)"
_GROUP = re.compile(r'<g id="([ne])(\d+)" class="(?:node|edge)">(.*?)</g>', re.DOTALL)


def _by_graphviz(trace: Trace, cards: Sequence[_Card], labels: dict[tuple[int, int], str]) -> _Layout | None:
    """Positions from Graphviz, read from its SVG, which both of its forms can write.

    None without either of them, and for a graph whose layout could take very long.
    """
    lines = [
        "digraph stepper {\n\tgraph [rankdir=LR pad=0.1 nodesep=0.2 ranksep=0.4 nslimit=2 nslimit1=2]\n"
        "\tnode [shape=record fontname=Courier fontsize=4 margin=0]\n"
        "\tedge [arrowsize=0.6 fontname=Courier fontsize=10]\n"
    ]
    for node, card in zip(trace.nodes, cards, strict=True):
        places = "|".join(f"<i{i}>" for i in range(len(node.inputs)))
        lines.append(
            f'\tn{node.id} [id=n{node.id} label="{{{{{places}}}|<o>}}" width={card.width / 72:.4f} '
            f"height={card.height / 72:.4f}]\n"
        )
    few = len(labels) <= 400  # labels make a layout slower, and in a large one none can be read
    for (target, position), i in _edges(trace).items():
        label = labels.get((target, position)) if few else None
        room = f' label="{"0" * (len(label) + 1)}"' if label else ""
        source = trace.nodes[target].inputs[position]
        lines.append(f"\tn{source}:e -> n{target}:i{position}:w [id=e{i}{room}]\n")
    lines.append("}\n")
    layer = _layers(trace)
    if sum(layer[node.id] - layer[i] for node in trace.nodes for i in node.inputs) > LIMIT:
        return None
    try:
        svg = render_svg("".join(lines))
    except DrawingError:
        return None
    if svg is None:
        return None
    head = re.search(rf'viewBox="{_NUMBER} {_NUMBER} {_NUMBER} {_NUMBER}"', svg)
    shift = re.search(rf"translate\({_NUMBER} {_NUMBER}\)", svg)
    if head is None or shift is None:
        return None
    dx, dy = float(shift[1]), float(shift[2]) + _MARGIN
    nodes: dict[int, tuple[float, float]] = {}
    edges: dict[int, tuple[str, str, float, float]] = {}

    def moved(points: str) -> str:
        return re.sub(
            rf"{_NUMBER},{_NUMBER}",
            lambda m: f"{_short_number(float(m[1]) + dx)},{_short_number(float(m[2]) + dy)}",
            points,
        )

    for kind, place, inside in _GROUP.findall(svg):
        i = int(place)
        if kind == "n":
            points = re.search(r'points="([^"]*)"', inside)
            if points is None:
                return None
            corners = [tuple(map(float, point.split(","))) for point in points[1].split()]
            # Where Graphviz wants more room, the card stands in its middle.
            left, right = (f(x for x, _ in corners) for f in (min, max))
            above, below = (f(y for _, y in corners) for f in (min, max))
            nodes[i] = (
                (left + right - cards[i].width) / 2 + dx,
                (above + below - cards[i].height) / 2 + dy,
            )
        else:
            path, arrow = re.search(r' d="([^"]*)"', inside), re.search(r'points="([^"]*)"', inside)
            if path is None or arrow is None:
                return None
            word = re.search(rf'<text [^>]*x="{_NUMBER}" y="{_NUMBER}"', inside)
            x, y = _middle(path[1]) if word is None else (float(word[1]), float(word[2]))
            x, y = x + dx, y + dy
            edges[i] = moved(path[1]), moved(arrow[1]), x, y
    count = sum(len(node.inputs) for node in trace.nodes)
    if len(nodes) != len(trace.nodes) or len(edges) != count:
        return None
    return _Layout(
        float(head[3]),
        float(head[4]) + 2 * _MARGIN,
        [nodes[i] for i in range(len(nodes))],
        [edges[i] for i in range(count)],
    )


def _short_number(x: float) -> str:
    return f"{x:.1f}".removesuffix(".0")


def _middle(path: str) -> tuple[float, float]:
    """A place halfway along a path of Bézier curves."""
    points = [tuple(map(float, point)) for point in re.findall(rf"{_NUMBER},{_NUMBER}", path)]
    curves = (len(points) - 1) // 3
    start = 3 * (curves // 2)
    if curves % 2 == 0:
        x, y = points[start]
        return x, y
    a, b, c, d = points[start : start + 4]
    return (a[0] + 3 * b[0] + 3 * c[0] + d[0]) / 8, (a[1] + 3 * b[1] + 3 * c[1] + d[1]) / 8


def _layers(trace: Trace) -> list[int]:
    """How far each node is from what it was computed from; what was given stands right before its first use."""
    layer = [0] * len(trace.nodes)
    first: dict[int, int] = {}
    for node in trace.nodes:
        if node.inputs:
            layer[node.id] = 1 + max(layer[i] for i in node.inputs)
            for i in node.inputs:
                first[i] = min(first.get(i, layer[node.id]), layer[node.id])
    return [first[node.id] - 1 if node.id in first and not node.inputs else layer[node.id] for node in trace.nodes]


def _by_columns(trace: Trace, cards: Sequence[_Card]) -> _Layout:
    """A plain layout where Graphviz is missing: a column for each layer, straight edges."""
    layer = _layers(trace)
    columns: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for i, place in enumerate(layer):
        columns[place].append(i)
    heights = [sum(cards[i].height + 14 for i in column) for column in columns]
    tallest, x = max(heights), 8.0
    nodes: list[tuple[float, float]] = [(0.0, 0.0)] * len(cards)
    for column, height in zip(columns, heights, strict=True):
        y = _MARGIN + (tallest - height) / 2
        for i in column:
            nodes[i] = x, y
            y += cards[i].height + 14
        x += max(cards[i].width for i in column) + 70
    edges = []
    for node in trace.nodes:
        for position, i in enumerate(node.inputs):
            x1, y1 = nodes[i][0] + cards[i].width, nodes[i][1] + cards[i].height / 2
            x2 = nodes[node.id][0] - 6
            y2 = nodes[node.id][1] + cards[node.id].height * (position + 0.5) / len(node.inputs)
            head = f"{x2:.1f},{y2 - 3:.1f} {x2 + 6:.1f},{y2:.1f} {x2:.1f},{y2 + 3:.1f}"
            edges.append((f"M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}", head, (x1 + x2) / 2, (y1 + y2) / 2 - 3))
    return _Layout(x - 62, tallest + 2 * _MARGIN, nodes, edges)
