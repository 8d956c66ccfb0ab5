r"""A trace told in text: as a table, as a tree, step by step; and a gradient taken apart.

Nothing here runs a rule: everything is read off the numbers that a `Trace` holds. These functions are its
methods; they stand here so that `autograd/tracing.py` is about what a trace is.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import numpy as np

from . import text
from .errors import TraceError
from .formulas import POWER, Expression, Formula, Sides, applied, derivation, local_derivative, name, number, partial
from .text import Text, array, count, fitted, short

if TYPE_CHECKING:
    from .tracing import Node, Step, Trace

WIDTH = 100
"""How many columns a table takes."""
G = name("g")


# -------------------------------------------------------------------- what is said of a node and of a step


def reference(node: Node) -> Expression:
    """What a formula calls a node."""
    constant = node.kind == "constant" and node.label is None and not node.shape
    return Expression("number", node.name) if constant else name(node.name)


def computation(trace: Trace, node: Node) -> Expression:
    """How a result was computed, of the names of its inputs: ``x * w``."""
    assert node.operation is not None
    inputs = [reference(trace.nodes[i]) for i in node.inputs]
    return applied(node.operation, node.symbol, node.parameters, inputs, len(node.shape), literal=True)


def equation(trace: Trace, node: Node) -> str:
    """``v1 = x * w``; of what was given, its name."""
    return f"{node.name} = {computation(trace, node).python()}" if node.operation else node.name


def rule(trace: Trace, step: Step, upstream: Expression = G) -> Expression:
    """The local derivative of an elementwise operation; of any other the contribution itself, from `upstream`."""
    node = trace.nodes[step.node]
    inputs = [reference(trace.nodes[i]) for i in node.inputs]
    found = local_derivative(node.formulas[step.position], node.operands, inputs)
    if node.elementwise:
        return found
    return found.substitute({"g": upstream, "y": name(node.name)})


def gradient_of(trace: Trace, node: Node) -> Expression:
    """∂root / ∂node."""
    return partial(reference(trace.root), reference(node))


def contribution(trace: Trace, step: Step) -> Expression:
    """What a step hands on, in symbols: ∂y/∂v1 · w."""
    upstream = gradient_of(trace, trace.nodes[step.node])
    found = rule(trace, step, upstream)
    if trace.nodes[step.node].elementwise:
        if found.kind == "words":
            return Expression("words", f"{upstream.blackboard()} · ({found.head})")
        return Expression("product", "", (upstream, found), 2)
    return found


def remark(step: Step) -> str:
    """That a sum was taken because of broadcasting, if it was."""
    if not step.summed:
        return ""
    axes = ", ".join(map(str, step.summed))
    return f"summed over axis {axes}" if len(step.summed) == 1 else f"summed over axes {axes}"


def sentence(trace: Trace, step: Step) -> str:
    """A step in one plain sentence."""
    node, value = trace.nodes[step.node], trace.nodes[step.input]
    which = "its only contribution"
    if step.uses > 1:
        so_far = "all in" if step.arrived == step.uses else "so far"
        which = f"contribution {step.arrived} of {step.uses}, {array(step.after)} {so_far}"
    summed = f", {remark(step)} because {value.name} was broadcast" if step.summed else ""
    if step.local is None or np.ndim(step.local):
        rule_ = contribution(trace, step).blackboard()
        return f"{value.name} receives {rule_}{summed}, which is {array(step.contribution)}: {which}."
    return (
        f"A small change of {value.name} changes {node.name} by {array(step.local)} times as much, so {value.name} "
        f"receives {_times(step)} = {array(step.contribution)}{summed}: {which}."
    )


def _times(step: Step) -> str:
    return f"{array(step.upstream)} × {_signed(step.local)}"


def _added(x: Any) -> str:
    """``+ 2`` or ``- 2``."""
    written = array(x)
    return f"- {written[1:]}" if written.startswith("-") else f"+ {written}"


def _signed(x: Any) -> str:
    written = array(x)
    return f"({written})" if written.startswith("-") else written


# -------------------------------------------------------------------- the table


def table(trace: Trace, width: int = WIDTH, limit: int | None = 60) -> Text:
    """What `Trace.table` returns."""
    root = trace.root
    heading = f"{root.name}: {count(len(trace.nodes), 'node')}, {count(len(trace.steps), 'step')} backward"
    marked = [node for node in trace.nodes if node.right is not None]
    if marked:
        wrong = [node.name for node in marked if not node.right]
        verdict = f"wrong: {', '.join(wrong)}" if wrong else "all right"
        heading += f"; of {count(len(marked), 'expected gradient')} {verdict}"
    return Text(
        "\n".join(
            [text.visible(heading, width), "", *_forward(trace, width, limit), "", *_backward(trace, width, limit)]
        )
    )


def _forward(trace: Trace, width: int, limit: int | None) -> list[str]:
    given = [n for n in trace.nodes if n.kind != "constant" or n.label is not None or n.shape]
    marks = any(node.right is not None for node in given)
    dtypes = any(node.dtype not in ("float64", "") for node in given)
    rows: list[list[str] | str] = [
        ["forward", "", "dtype" if dtypes else "", "value", "gradient", "expected" if marks else "", ""]
    ]
    for node, left_out in _some(given, limit):
        if node is None:
            rows.append(f"  ... {count(left_out, 'more node')} ...")
            continue
        how = f"= {computation(trace, node).python()}" if node.operation else ""
        mark = "" if node.right is None else f"{array(node.expected)} {'✓' if node.right else '✗'}"
        gradient = "-" if node.gradient is None else array(node.gradient)
        dtype = node.dtype if dtypes else ""
        rows.append([f"  {node.name}", how, dtype, array(node.value), gradient, mark, _place(node.source)])
    return fitted(rows, width)


def _backward(trace: Trace, width: int, limit: int | None) -> list[str]:
    root = trace.root
    if not trace.steps:
        return [f"backward: nothing to do, {root.name} was given"]
    rows: list[list[str] | str] = [
        ["step", "to", "through", "upstream", "local derivative", "contribution", "gradient so far", ""]
    ]
    words = False
    for step, left_out in _some(trace.steps, limit):
        if step is None:
            rows.append(f"  ... {count(left_out, 'more step')} ...")
            continue
        node, value = trace.nodes[step.node], trace.nodes[step.input]
        cell = rule(trace, step).blackboard()
        words = words or not node.elementwise
        if node.elementwise and not np.ndim(step.local) and step.local is not None:
            figure = array(step.local)
            cell = cell if cell == figure else f"{cell} = {figure}"
        elif step.summed:
            cell += f", {remark(step)}"
        so_far = short(step.after)
        if step.before is not None and not value.shape:
            so_far = f"{short(step.before)} {_added(step.contribution)} = {so_far}"
        figures = [short(step.upstream), cell, short(step.contribution), so_far]
        arrived = f"{step.arrived} of {step.uses}" if step.uses > 1 else ""
        rows.append([str(step.number), value.name, equation(trace, node), *figures, arrived])
    lines = fitted(rows, width, "r")
    start = f"{gradient_of(trace, root).blackboard()} = {array(root.gradient)}"
    lines.insert(0, f"backward, from {start}: upstream × local derivative = contribution")
    if words:
        transposed = ", ᵀ swaps the last two axes" if any("ᵀ" in line for line in lines) else ""
        lines.append(f"g is the upstream gradient{transposed}")
    if any(np.size(node.value) > 4 for node in trace.nodes):
        lines.append("‖x‖ stands for an array of that norm")
    return [text.visible(line, width) for line in lines]


def _some(items: Sequence[Any], limit: int | None) -> Iterator[tuple[Any, int]]:
    """The items, of very many the first and last ones with a None between."""
    if limit is None or len(items) <= limit + 1:
        yield from ((item, 0) for item in items)
        return
    first = limit - limit // 4
    yield from ((item, 0) for item in items[:first])
    yield None, len(items) - limit
    yield from ((item, 0) for item in items[len(items) - limit // 4 :])


def _place(source: str | None) -> str:
    """``file.py:12`` of a source line, without the folder and the code."""
    if source is None:
        return ""
    place, _, _ = source.partition(": ")
    return text.visible(place.replace("\\", "/").rpartition("/")[2], 30)


# -------------------------------------------------------------------- the tree


def tree(trace: Trace, depth: int = 12, limit: int = 200) -> Text:
    """What `Trace.tree` returns."""
    below = _levels(trace)
    seen: set[int] = set()
    rows: list[list[str]] = []
    stack: list[tuple[int, str, str, int]] = [(trace.root.id, "", "", 0)]
    hidden = 0
    while stack:
        place, branch, stem, level = stack.pop()
        node = trace.nodes[place]
        if len(rows) >= limit:
            hidden += 1
            continue
        again = place in seen and node.operation is not None
        seen.add(place)
        operation = (node.symbol or node.operation or "") + "".join(
            p if p.startswith("[") else f" {p}" for p in node.parameters
        )
        called = node.name if not operation else f"{node.name} = {operation}"
        deeper = node.operation is not None and not again and level >= depth
        end = "  (above)" if again else f"  … {count(below[place], 'level')} below" if deeper else ""
        figures = (
            ["", ""] if again else [array(node.value), f"grad {'-' if node.gradient is None else array(node.gradient)}"]
        )
        if node.kind == "constant":
            figures = [array(node.value) if node.name != array(node.value) else "", ""]
        rows.append([branch + called + end, *figures])
        if again or deeper:
            continue
        last = len(node.inputs) - 1
        for i in range(last, -1, -1):
            stack.append(
                (
                    node.inputs[i],
                    stem + ("└─ " if i == last else "├─ "),
                    stem + ("   " if i == last else "│  "),
                    level + 1,
                )
            )
    lines = fitted(rows, WIDTH)
    if hidden:
        lines.append(f"... and more: tree(limit=...) shows more than {count(limit, 'line')}")
    return Text("\n".join(lines))


def _levels(trace: Trace) -> list[int]:
    """For each node, the length of the longest way down."""
    found: list[int] = []
    for node in trace.nodes:
        found.append(1 + max((found[i] for i in node.inputs), default=-1))
    return found


# -------------------------------------------------------------------- a gradient taken apart


def explain(trace: Trace, what: Any, limit: int = 10) -> Text:
    """What `Trace.explain` returns."""
    node, root = trace[what], trace.root
    whole = gradient_of(trace, node).blackboard()
    if node.gradient is None:
        return Text(f"{node.name} is a constant: no gradient flows to it. autograd.why_no_grad(x, loss) says why.")
    lines = [f"{whole} = {array(node.gradient)}", ""]
    if node is root:
        lines[-1:] = [f"The pass starts here: {whole} = {array(node.gradient)} is what it was given."]
        return Text("\n".join(lines))
    steps = [step for step in trace.steps if step.input == node.id]
    lines += _by_use(trace, node, steps)
    lines += ["", *_by_path(trace, node, limit)]
    return Text("\n".join(lines))


def _by_use(trace: Trace, node: Node, steps: list[Step]) -> list[str]:
    lines = [f"by use: {node.name} is used {'once' if len(steps) == 1 else f'{len(steps):,} times'}"]
    if len(steps) > 1:
        lines[0] += ", and what it receives from each use is added (+=)"
    rows: list[list[str] | str] = []
    for step, left_out in _some(steps, 20):
        if step is None:
            rows.append(f"  ... {count(left_out, 'more use')} ...")
            continue
        result = trace.nodes[step.node]
        symbols = contribution(trace, step).blackboard()
        figures = "" if step.local is None or np.ndim(step.local) else f"= {_times(step)}"
        summed = f" ({remark(step)}: it was broadcast)" if step.summed else ""
        rows.append([f"  {equation(trace, result)}", symbols, figures, f"= {array(step.contribution)}{summed}"])
    if len(steps) > 1:
        total = "sum"
        if len(steps) <= 6 and not node.shape:
            total = " ".join([array(steps[0].contribution), *(_added(step.contribution) for step in steps[1:])])
        rows.append(["", total, "", f"= {array(node.gradient)}"])
    lines += fitted(rows, WIDTH)
    later = sorted({trace.nodes[step.node].name for step in steps if trace.nodes[step.node] is not trace.root})
    if later:
        names = ", ".join(later[:4]) + (", ..." if len(later) > 4 else "")
        begins = f"The gradient of {names} comes" if len(later) == 1 else f"The gradients of {names} come"
        lines.append(
            text.visible(f"{begins} first: a gradient is handed on when all its uses have reported in.", WIDTH)
        )
    return lines


def path_counts(trace: Trace, place: int) -> list[float]:
    """For each node, the number of paths that lead to it from the node at that place: by dynamic programming."""
    found: list[float] = [0] * len(trace.nodes)
    found[place] = 1
    for node in trace.nodes[place + 1 :]:
        total = sum(found[i] for i in node.inputs)
        found[node.id] = total if total < 2**63 else float(total)  # exact ones could get very long
    return found


def _by_path(trace: Trace, node: Node, limit: int) -> list[str]:
    counts = path_counts(trace, node.id)
    many = counts[-1]
    lines = [f"by path: {_many(many, 'path')} from {node.name} to {trace.root.name}"]
    if many > 1:
        lines[0] += ", and the products along them add up"
    edges: dict[tuple[int, int], Step] = {(step.node, step.position): step for step in trace.steps}
    scalar = not node.shape
    total: Any = 0.0
    shown = 0
    for path in _paths(trace, node.id, counts):
        if shown == limit:
            break
        shown += 1
        steps = [edges[edge] for edge in path]
        plain = all(step.local is not None and not np.ndim(step.local) for step in steps)
        scalar = scalar and plain
        told = _told(trace, steps, plain)
        lines.append(f"{shown:>4}  {' ← '.join([trace.root.name, *(line.to for line in told)])}")
        if not plain:
            lines += fitted([[f"      {line.partial}", line.symbols] for line in told], WIDTH)
            continue
        seed = trace.root.gradient
        product: Any = np.prod([float(np.real(step.local)) for step in steps], dtype=np.float64) * seed
        total = total + product
        start = [] if _is_one(seed) else [_signed(seed)]
        symbols, figures = [*start, *(line.symbols for line in told)], [*start, *(line.figure for line in told)]
        lines += _wrapped([*start, *(line.partial for line in told)], "      ")
        if symbols != figures:
            lines += _wrapped(symbols, "    = ")
        lines += _wrapped(figures, "    = ")
        if len(figures) > 1:
            lines.append(f"    = {array(product)}")
    left = many - shown
    if left:
        rest = f", which add {array(node.gradient - total)}" if scalar else ""
        lines.append(f" ...  and {_many(left, 'more path')}{rest}")
    if scalar and many > 1:
        lines.append(f"      sum {array(node.gradient)}")
    elif not scalar:
        lines.append("      Local derivatives of arrays are linear maps (g: upstream gradient), applied from the top.")
    return lines


class _Factor(NamedTuple):
    """A local derivative on a path."""

    to: str
    partial: str
    symbols: str
    figure: str


def _told(trace: Trace, steps: list[Step], plain: bool) -> list[_Factor]:
    """The local derivatives along a path, of a long one the first and the last."""
    found = []
    for step, left_out in _some(steps, 12):
        if step is None:
            found.append(_Factor(*[f"({left_out:,} more)"] * 4))
            continue
        node, value, local = trace.nodes[step.node], trace.nodes[step.input], rule(trace, step)
        symbols = local.blackboard()
        if not plain:
            symbols += f", {remark(step)}" if step.summed else ""
        elif local.kind == "words" or not _is_factor(local):
            symbols = _signed(step.local)
        elif local.level < POWER and local.kind != "product":
            symbols = f"({symbols})"
        figure = _signed(step.local) if plain else ""
        found.append(_Factor(value.name, partial(reference(node), reference(value)).blackboard(), symbols, figure))
    return found


def _is_factor(local: Expression) -> bool:
    """Whether a formula speaks of the local derivative, and not of the upstream gradient `g`."""
    stack = [local]
    while stack:
        e = stack.pop()
        if e == G:
            return False
        stack.extend(e.parts)
    return True


def _paths(trace: Trace, start: int, counts: list[float]) -> Iterator[list[tuple[int, int]]]:
    """Paths from the root down to a node, as (result, operand) pairs; only ways that lead there are entered."""
    stack: list[tuple[int, int]] = [(trace.root.id, 0)]
    way: list[tuple[int, int]] = []
    while stack:
        place, position = stack.pop()
        if place == start:
            yield list(way)
            if way:
                way.pop()
            continue
        inputs = trace.nodes[place].inputs
        while position < len(inputs) and not counts[inputs[position]]:
            position += 1
        if position == len(inputs):
            if way:
                way.pop()
            continue
        stack.append((place, position + 1))
        way.append((place, position))
        stack.append((inputs[position], 0))


def _many(n: float, noun: str) -> str:
    """A count that may be only roughly known."""
    if isinstance(n, int):
        return count(n, noun)
    return f"about {n:.1e} {noun}s" if np.isfinite(n) else f"more than 1e308 {noun}s"


def _wrapped(factors: list[str], start: str) -> list[str]:
    """A product, in as many lines as it takes."""
    lines, line = [], start
    for i, factor in enumerate(factors):
        piece = f" · {factor}" if i else factor
        if len(line) + len(piece) > WIDTH and line.strip():
            lines.append(line)
            line = "     "
        line += piece
    return [*lines, line]


# -------------------------------------------------------------------- LaTeX


def latex(trace: Trace, what: Any = None, limit: int = 40) -> Formula:
    """What `Trace.latex` returns."""
    nodes = [trace[what]] if what is not None else []
    received: dict[int, list[Step]] = {}
    for step in trace.steps:
        received.setdefault(step.input, []).append(step)
        if what is None and step.arrived == step.uses:
            nodes.append(trace.nodes[step.input])
    lines: list[Sides | str] = []
    for node, left_out in _some(nodes or [trace.root], limit):
        if node is None:
            lines.append(f"{left_out:,} more")
            continue
        if node.gradient is None:
            raise TraceError(f"latex({node.name!r}): it is a constant and has no gradient.")
        lines.append(_chain_rule(trace, node, received.get(node.id, [])))
    return derivation(lines, latex=True)


def _chain_rule(trace: Trace, node: Node, steps: list[Step]) -> Sides:
    """One gradient: the chain rule, the same with the derivatives, with numbers, and the result."""
    parts: list[Expression] = []
    symbols: list[Expression] = []
    figures: list[Expression] = []
    direct = len(steps) == 1 and trace.nodes[steps[0].node] is trace.root and _is_one(trace.root.gradient)
    for step, left_out in _some(steps, 12):
        if step is None:
            for terms in (parts, symbols, figures):
                terms.append(Expression("words", f"({left_out:,} more)"))
            continue
        result = trace.nodes[step.node]
        upstream, local = gradient_of(trace, result), rule(trace, step)
        parts.append(Expression("product", "", (upstream, partial(reference(result), reference(node)))))
        if result.elementwise:
            symbols.append(local if direct else Expression("product", "", (upstream, local)))
        elif local.kind == "words":
            symbols.append(Expression("given", "", (local, upstream)))
        else:
            symbols.append(local.substitute({"g": upstream}))
        if step.local is not None and not np.ndim(step.local) and not np.ndim(step.upstream):
            figures.append(Expression("product", "", (number(step.upstream), number(step.local))))
    sides = [symbols] if direct else [parts, symbols]
    if len(figures) == len(symbols) > 0 and not direct:
        sides.append(figures)
    if not node.shape:
        sides.append([number(node.gradient)])
    elif np.size(node.gradient) <= 4 or not sides[0]:
        sides.append([Expression("words", array(node.gradient))])
    found = [[gradient_of(trace, node)]]
    found += [side for i, side in enumerate(sides) if side and side not in sides[:i]]
    return found


def _is_one(x: Any) -> bool:
    return not np.ndim(x) and bool(x == 1)


# -------------------------------------------------------------------- two traces


def diff(before: Trace, after: Trace, limit: int = 12) -> Text:
    """What `Trace.diff` returns."""
    lines: list[str] = []
    same = 0
    for old, new in zip(before.nodes, after.nodes, strict=False):
        if _shape_of(old) != _shape_of(new):
            break
        same += 1
    if same < max(len(before.nodes), len(after.nodes)):
        lines.append(f"The graphs differ from node {same} on:")
        for sign, found in (("-", before), ("+", after)):
            if same < len(found.nodes):
                node = found.nodes[same]
                lines.append(f"  {sign} {_described(found, node)}")
            else:
                lines.append(f"  {sign} ends before it")
        if same:
            lines.append(f"The {count(same, 'node')} before it {'is' if same == 1 else 'are'} the same computation.")
    pairs = list(zip(before.nodes[:same], after.nodes[:same], strict=True))
    values = [(a, b) for a, b in pairs if not _equal(a.value, b.value)]
    gradients = [(a, b) for a, b in reversed(pairs) if not _equal(a.gradient, b.gradient)]
    if values:
        lines += _changed(before, values, "value", limit)
    if gradients:
        lines += _changed(before, gradients, "gradient", limit)
    if not lines:
        return Text(f"The two traces are the same: {count(same, 'node')}, equal in values and gradients to the bit.")
    return Text("\n".join(lines))


def _shape_of(node: Node) -> tuple[Any, ...]:
    name_ = node.label if node.kind != "constant" else None
    return node.kind, node.operation, node.parameters, node.inputs, node.shape, node.dtype, name_


def _described(trace: Trace, node: Node) -> str:
    place = f"   ({node.source})" if node.source else ""
    return text.visible(f"{equation(trace, node)}   {node.dtype}{text.shape(node.shape)}{place}", WIDTH)


def _equal(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    a, b = np.asarray(a), np.asarray(b)
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())


def _changed(trace: Trace, pairs: list[tuple[Node, Node]], which: str, limit: int) -> list[str]:
    first = pairs[0][0]
    how = "given" if first.operation is None else equation(trace, first)
    how = (
        f"the first one computed is {first.name} ({how})" if which == "value" else f"on the way back {first.name} first"
    )
    place = f", {_place(first.source)}" if first.source and which == "value" else ""
    rows: list[list[str] | str] = []
    for pair, left_out in _some(pairs, limit):
        if pair is None:
            rows.append(f"  ... {left_out:,} more ...")
            continue
        old, new = (getattr(node, which) for node in pair)
        rows.append(
            [f"  {pair[0].name}", "-" if old is None else array(old), "→", "-" if new is None else _apart(old, new)]
        )
    return [f"{count(len(pairs), which)} changed; {how}{place}:", *fitted(rows, WIDTH)]


def _apart(old: Any, new: Any) -> str:
    """The new number, with as many digits as tell it from the old one."""
    if old is not None and array(old) == array(new) and np.shape(old) == np.shape(new):
        with np.errstate(all="ignore"):
            largest = np.max(np.abs(np.asarray(new, dtype=np.complex128) - np.asarray(old, dtype=np.complex128)))
        return f"{array(new)}  (by {number(largest).head}{' at most' if np.shape(new) else ''})"
    return array(new)


# -------------------------------------------------------------------- stepping in the terminal


def narrated(trace: Trace, place: int) -> list[str]:
    """What is to be seen after so many steps: the last of them, written out."""
    total = len(trace.steps)
    if not place:
        root = trace.root
        whole = gradient_of(trace, root).blackboard()
        first = f"before the first of {count(total, 'step')}: forward is done"
        return [
            f"{first}, {equation(trace, root)} = {array(root.value)}",
            f"  {whole} = {array(root.gradient)} starts the pass, and no other gradient is known yet",
        ]
    step = trace.steps[place - 1]
    node, value = trace.nodes[step.node], trace.nodes[step.input]
    target = gradient_of(trace, value).blackboard()
    head = f"step {place} of {total}: from {node.name} to {value.name}, through {equation(trace, node)}"
    lines = [head + (f"   ({_place(node.source)})" if node.source else "")]
    sign = "+=" if step.uses > 1 else " ="
    parts = f"{gradient_of(trace, node).blackboard()} · {partial(reference(node), reference(value)).blackboard()}"
    symbols = contribution(trace, step).blackboard() + (f", {remark(step)}" if step.summed else "")
    margin = " " * len(target)
    lines.append(f"  {target} {sign} {parts}")
    lines.append(f"  {margin}  = {symbols}")
    if step.local is not None and not np.ndim(step.local):
        lines.append(f"  {margin}  = {array(step.upstream)} · {_signed(step.local)}")
    lines.append(f"  {margin}  = {array(step.contribution)}")
    uses = f"{step.arrived} of {count(step.uses, 'contribution')} in"
    done = "complete" if step.arrived == step.uses else "more to come"
    before = "0" if step.before is None else array(step.before)
    lines.append(f"  gradient of {value.name}: {before} → {array(step.after)}   {uses}, {done}")
    if value.right is not None and step.arrived == step.uses:
        lines.append(f"  expected {array(value.expected)}: {'right ✓' if value.right else 'wrong ✗'}")
    return lines


KEYS = "n next   b back   f first   l last   g go to a step or a node   q quit"


def walk(trace: Trace, source: TextIO | None = None, out: TextIO | None = None) -> None:
    """What `Trace.walk` does."""
    keys = _Keys(source, out if out is not None else sys.stdout)
    place, total = 0, len(trace.steps)
    keys.say(*narrated(trace, 0), KEYS)
    while True:
        key = keys.next()
        told = True
        if key in ("q", ""):
            return
        if key == "n":
            told = place < total
            place = min(place + 1, total)
        elif key == "b":
            told = place > 0
            place = max(place - 1, 0)
        elif key in ("f", "l"):
            place = 0 if key == "f" else total
        elif key == "g":
            wanted = keys.line("go to step, or to where the gradient of this node is complete: ")
            try:
                place = _found(trace, wanted)
            except TraceError as error:
                keys.say(f"  {error}")
                continue
        else:
            keys.say(KEYS)
            continue
        keys.say(*(narrated(trace, place) if told else [f"  that was the {'last' if place else 'first'} one"]))


def _found(trace: Trace, wanted: str) -> int:
    """The step of that number, or the one that completes the gradient of that node."""
    if wanted.isdecimal() and int(wanted) <= len(trace.steps):
        return int(wanted)
    node = trace[wanted]
    return max((step.number for step in trace.steps if step.input == node.id), default=0)


class _Keys:
    """Single keys from a terminal; lines from anything else, of which the first letter counts."""

    def __init__(self, source: TextIO | None, out: TextIO):
        self.source, self.out = source, out
        self.rest = ""
        self.raw = source is None and sys.stdin is not None and sys.stdin.isatty()

    def say(self, *lines: str) -> None:
        print(*lines, "", sep="\n", file=self.out, flush=True)

    def next(self) -> str:
        """The next key; empty at the end of the input."""
        if self.raw:
            return _pressed()
        line = self.read("n/b/f/l/g/q: ")
        if line is None:
            return ""
        line = line.strip()
        self.rest = line[1:].strip()
        return line[:1].lower() or "n"

    def line(self, question: str) -> str:
        """A whole line: what stood behind the key, or an answer."""
        rest, self.rest = self.rest, ""
        return rest or (self.read(question) or "").strip()

    def read(self, question: str) -> str | None:
        if self.source is not None:
            return self.source.readline() or None
        try:
            return input(question) + "\n"
        except (EOFError, KeyboardInterrupt):
            return None


_ARROWS = {"[C": "n", "[D": "b", "[B": "n", "[A": "b", "[H": "f", "[F": "l"}


def _pressed() -> str:
    """One key, without waiting for Enter; the arrows are next and back."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        import msvcrt

        key: str = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
        if key in "\x00\xe0":
            key = {"M": "n", "K": "b", "P": "n", "H": "b"}.get(msvcrt.getwch(), "?")  # type: ignore[attr-defined,unused-ignore]
    else:
        terminal = sys.stdin.fileno()
        settings = termios.tcgetattr(terminal)
        try:
            tty.setcbreak(terminal, termios.TCSANOW)
            key = os.read(terminal, 1).decode("latin-1")
            if key == "\x1b" and select.select([terminal], [], [], 0.05)[0]:
                key = _ARROWS.get(os.read(terminal, 2).decode("latin-1"), "?")
        except KeyboardInterrupt:
            return ""
        finally:
            termios.tcsetattr(terminal, termios.TCSANOW, settings)
    return "n" if key in (" ", "\r", "\n") else "" if key in ("", "\x03", "\x04") else key.lower()
