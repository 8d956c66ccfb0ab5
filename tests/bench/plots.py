"""Time against size, as a picture: ``python -m tests.bench.plots``.

A step, forward, backward and downhill, of graphs with more and more nodes, and of nets with larger batches and wider
layers; medians over the rounds, with one thread, the engines taking turns as in the table.

    python -m tests.bench.plots                    measures, and draws notebooks/images/speed.svg and speed-narrow.svg
    python -m tests.bench.plots --json speed.json  and keeps the numbers
    python -m tests.bench.plots --from speed.json  only draws
"""

from __future__ import annotations

import argparse
import json
import math
import platform
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from .__main__ import duration, processor
from .data import SMALL
from .harness import ROOT, median, start, time_row
from .rows import Row

Curve = list[tuple[float, float]]
"""Sizes and seconds."""

PER_POINT, PENALTY = 644, 676
"""Nodes of micrograd's demo: for each point, and of the sum of squares of its parameters."""


class Panel(NamedTuple):
    """Sizes are the row's last argument; an engine with a number in `most` goes no further than that."""

    title: str
    across: str
    kind: str
    sizes: Sequence[int]
    arguments: Callable[[int], tuple]
    engines: Sequence[str]
    most: dict[str, int] = {}
    position: Callable[[int], float] = float


PANELS = [
    Panel("A chain of scalar operations", "nodes", "chain", (10, 30, 100, 300, 1000, 3000, 10_000), lambda n: (n,),
          ("ours", "compiled", "numpy", "micrograd", "mygrad", "torch", "jax", "hips"),
          {"jax": 1000, "micrograd": 300}),
    Panel("A scalar net, micrograd's demo, on more points", "nodes", "moons", (2, 6, 20, 60, 200), lambda n: (n,),
          ("ours", "compiled", "numpy.out", "micrograd", "mygrad", "torch", "hips"),
          {"mygrad": 60, "hips": 20}, lambda n: PER_POINT * n + PENALTY),
    Panel("An MLP 64-32-10 on larger batches", "batch", "mlp", (1, 4, 16, 64, 256, 1024, 4096), lambda n: (SMALL, n),
          ("ours", "compiled", "numpy.out", "mygrad", "torch", "jax", "hips")),
    Panel("An MLP of wider layers, n-n-n-10, batch 32", "width n", "mlp", (4, 16, 64, 256, 1024),
          lambda n: ((n, n, n, 10), 32), ("ours", "compiled", "numpy.out", "mygrad", "torch", "jax", "hips")),
]  # fmt: skip
TITLES = {
    "compiled": "chainrule, compiled", "ours": "chainrule", "numpy": "NumPy by hand", "numpy.out": "NumPy by hand",
    "micrograd": "micrograd", "mygrad": "MyGrad", "torch": "PyTorch", "jax": "jax.jit", "hips": "HIPS autograd",
}  # fmt: skip


def measure(rounds: int) -> dict[str, Any]:
    """The curves of each panel, and what they were measured with."""
    children, missing = start(list(TITLES), "1")
    for name, why in missing.items():
        print(f"{TITLES[name]}: {why}")
    curves: list[dict[str, Curve]] = []
    for panel in PANELS:
        found: dict[str, Curve] = {}
        for size in panel.sizes:
            took_part = {
                name: children[name]
                for name in panel.engines
                if name in children and size <= panel.most.get(name, size)
            }
            times = time_row(Row("", "", panel.kind, panel.arguments(size)), took_part, rounds)
            for name, seconds in times.items():
                if isinstance(seconds, str):
                    print(f"{panel.title}, {size}: {TITLES[name]}: {seconds}")
                else:
                    found.setdefault(name, []).append((panel.position(size), median(seconds)))
            cells = (f"{TITLES[name]} {duration(curve[-1][1])}" for name, curve in found.items() if name in times)
            print(f"{panel.title}, {size}: {', '.join(cells)}", flush=True)
        curves.append(found)
    versions = [child.version for name, child in children.items() if name not in ("ours", "compiled", "numpy.out")]
    for child in children.values():
        child.close()
    return {
        "machine": f"{processor()}, {platform.system()}, Python {platform.python_version()}",
        "versions": versions,
        "rounds": rounds,
        "curves": curves,
    }


# -------------------------------------------------------------------- the picture

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 415, 290, 56, 148, 32, 46
"""Of a panel, and of what is around its frame: numbers on the left and below, names on the right."""
COLOURS = {  # in the light, in the dark; told apart by all eyes (Okabe and Ito)
    "compiled": ("#0072b2", "#4db2ff"), "ours": ("#0072b2", "#4db2ff"), "numpy": ("#222222", "#eeeeee"),
    "numpy.out": ("#222222", "#eeeeee"), "micrograd": ("#a6761d", "#e0b050"), "mygrad": ("#b0568d", "#e59cc6"),
    "torch": ("#d55e00", "#ff9955"), "jax": ("#007a5a", "#3fd0a4"), "hips": ("#6b6b6b", "#a5a5a5"),
}  # fmt: skip
STYLE = """
svg{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
.page{fill:#fff}.text{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#1f2328;stroke-opacity:.13}
path{fill:none;stroke-linejoin:round;stroke-linecap:round}
"""
DARK = ".page{fill:#0d1117}.text{fill:#f0f6fc}.faint{fill:#9198a1}.grid{stroke:#f0f6fc}"


def stylesheet() -> str:
    light, dark = (
        "".join(f".{mark(name)}{{stroke:{pair[k]}}}text.{mark(name)}{{fill:{pair[k]};stroke:none}}"
                for name, pair in COLOURS.items())
        for k in (0, 1)
    )  # fmt: skip
    return f"<style>{STYLE}{light}@media(prefers-color-scheme:dark){{{DARK}{dark}}}</style>"


def mark(name: str) -> str:
    """An engine's class in the stylesheet."""
    return name.replace(".", "-")


def draw(measured: dict[str, Any], columns: int = 2) -> str:
    """The panels in so many columns, as SVG with a light and a dark side."""
    notes = [
        "Time of one training step: forward, backward, and the parameters moved; lower is quicker. NumPy by hand "
        "writes into arrays made once, and has arrays in the place of the scalar net.",
        f"{measured['machine']}, one thread, float64, medians of {measured['rounds']} rounds.",
        f"{', '.join(measured['versions'])}.",
    ]
    lines = [line for note in notes for line in wrapped(note, 60 * columns)]
    rows = -(-len(PANELS) // columns)
    height = rows * HEIGHT + 16 * len(lines) + 14
    parts = []
    for k, (panel, curves) in enumerate(zip(PANELS, measured["curves"], strict=True)):
        at = f"translate({k % columns * WIDTH} {k // columns * HEIGHT})"
        parts.append(f'<g transform="{at}">{frame(panel, curves)}</g>')
    for k, line in enumerate(lines):
        parts.append(f'<text class="faint" x="14" y="{rows * HEIGHT + 16 * (k + 1)}">{escape(line)}</text>')
    name = "Time of a training step against the size of the graph, chainrule beside its peers"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns * WIDTH} {height}" width="{columns * WIDTH}" '
        f'height="{height}" role="img" aria-label="{name}">{stylesheet()}'
        f'<rect class="page" width="100%" height="100%"/>{"".join(parts)}</svg>\n'
    )


def wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def frame(panel: Panel, curves: dict[str, Curve]) -> str:
    """One panel."""
    points = [point for curve in curves.values() for point in curve]
    xs, ys = ([math.log10(point[k]) for point in points] for k in (0, 1))
    low, high = (min(xs), math.floor(min(ys) * 2) / 2), (max(xs), math.ceil(max(ys) * 2) / 2)
    x0, x1, y0, y1 = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = (math.log10(x) - low[0]) / (high[0] - low[0]), (math.log10(y) - low[1]) / (high[1] - low[1])
        return x0 + across * (x1 - x0), y0 + up * (y1 - y0)

    parts = [f'<text class="text" x="14" y="18" font-weight="600" font-size="13">{escape(panel.title)}</text>']
    for power in range(math.ceil(low[1] - 1e-9), math.floor(high[1] + 1e-9) + 1):
        y = place(10 ** low[0], 10**power)[1]
        parts.append(f'<path class="grid" d="M{x0},{y:.1f}H{x1}"/>')
        parts.append(f'<text class="faint" x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{seconds(power)}</text>')
    for x, text in ticks(panel, place):
        parts.append(f'<path class="grid" d="M{x:.1f},{y0}V{y1}"/>')
        parts.append(f'<text class="faint" x="{x:.1f}" y="{y0 + 16}" text-anchor="middle">{text}</text>')
    parts.append(f'<text class="faint" x="{(x0 + x1) / 2}" y="{y0 + 33}" text-anchor="middle">{panel.across}</text>')
    ends = {}
    for name, curve in sorted(curves.items(), key=lambda item: item[0] in ("ours", "compiled")):  # ours on top
        path = "L".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in curve))
        width = {"compiled": 3.5, "ours": 2}.get(name, 1.5)
        dash = ' stroke-dasharray="6 4"' if name == "ours" else ""
        parts.append(f'<path class="{mark(name)}" stroke-width="{width}"{dash} d="M{path}"/>')
        for x, y in (place(*point) for point in curve):
            parts.append(f'<path class="{mark(name)}" stroke-width="{width + 3}" d="M{x:.1f},{y:.1f}h0"/>')
        ends[name] = place(*curve[-1])
    for name, height in spread({name: y for name, (_, y) in ends.items()}, 15, y1 + 4, y0).items():
        x, y = ends[name]
        parts.append(f'<path class="{mark(name)}" stroke-width="1" stroke-opacity=".45" d="M{x + 4:.1f},{y:.1f}'
                     f'L{max(x + 4, x1 + 2):.1f},{y:.1f}L{x1 + 10},{height:.1f}"/>')  # fmt: skip
        bold = ' font-weight="700"' if name == "compiled" else ""
        parts.append(
            f'<text class="{mark(name)}" x="{x1 + 13}" y="{height + 4:.1f}"{bold}>{escape(TITLES[name])}</text>'
        )
    return "".join(parts)


def seconds(power: int) -> str:
    scale, unit = next((s, u) for s, u in ((0, "s"), (-3, "ms"), (-6, "µs"), (-9, "ns")) if power >= s)
    return f"{10 ** (power - scale)} {unit}"


def ticks(panel: Panel, place: Callable[[float, float], tuple[float, float]]) -> list[tuple[float, str]]:
    """Where, and what: powers of ten for nodes; the sizes themselves for others."""
    sizes = [panel.position(size) for size in panel.sizes]
    if panel.across == "nodes":
        sizes = [10.0**k for k in range(12) if min(sizes) <= 10**k <= max(sizes)]
    return [(place(size, 1)[0], f"{size:.0f}") for size in sizes]


def spread(wanted: dict[str, float], gap: float, low: float, high: float) -> dict[str, float]:
    """Heights near the wanted ones, in their order, with a gap between any two."""
    groups: list[tuple[float, list[str]]] = []  # where each begins, and who is in it
    for name in sorted(wanted, key=wanted.__getitem__):
        group = [name]
        while True:
            tall, middle = gap * (len(group) - 1), sum(wanted[name] for name in group) / len(group)
            begin = min(max(middle - tall / 2, low), high - tall)
            if not groups or groups[-1][0] + gap * len(groups[-1][1]) <= begin:
                break
            group = groups.pop()[1] + group  # they touch: both around their common middle
        groups.append((begin, group))
    return {name: begin + gap * k for begin, group in groups for k, name in enumerate(group)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.plots", description="Draws time against size.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="write the measurements there")
    parser.add_argument("--from", dest="source", metavar="FILE", help="draw those, and measure nothing")
    parser.add_argument("--out", metavar="DIR", type=Path, default=ROOT / "notebooks/images")
    options = parser.parse_args()
    measured = json.loads(Path(options.source).read_text()) if options.source else measure(options.rounds)
    if options.json:
        Path(options.json).write_text(json.dumps(measured, indent=1))
    for name, columns in (("speed.svg", 2), ("speed-narrow.svg", 1)):
        (options.out / name).write_text(draw(measured, columns), encoding="utf-8")
        print(options.out / name)


if __name__ == "__main__":
    main()
