"""Speed and memory beside the peers: ``python -m tests.bench``.

Each engine runs in a process of its own, as its users run it; the processes take turns, round by round. A number
in the table is the median over the rounds of our time divided by the peer's in the same round, so that below 1
we are faster, and a machine that slows down meanwhile slows both. What is not installed is said and left out.

    python -m tests.bench                       everything, with one thread and with the machine's own
    python -m tests.bench --quick               the same with few rounds, without the slowest rows
    python -m tests.bench --rows scalar,small --threads 1 --verbose
    python -m tests.bench --rows compiled --threads 1 --peers numpy.out,torch,jax
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from typing import Any

from .harness import (
    COMPILERS,
    ENGINES,
    FORMS,
    ask_each,
    median,
    quartiles,
    ratios,
    start,
    time_first_calls,
    time_imports,
    time_row,
)
from .rows import COMPILED, FIRST_CALLS, GROWTH, IMPORT, NODE_BYTES, OTHERS, PEAK, ROWS, Row

QUICK = ("scalar", "moons", "tiny", "small", "large", "small-nn", "large-nn", "tiny-compiled", "small-compiled",
         "large-compiled", "import", "node")  # fmt: skip
Bar = tuple[str, float | None, float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Times this against its peers.")
    known = [row.name for row in ROWS] + list(OTHERS)
    parser.add_argument("--rows", default=",".join(known), help=f"which of {','.join(known)}; compiled: all of those")
    parser.add_argument("--peers", default=",".join(list(ENGINES)[1:]), help="which of the peers")
    parser.add_argument("--rounds", type=int, help="how many rounds (default 15; at most 5 for what takes over 0.1 s)")
    parser.add_argument("--threads", choices=("1", "all"), help="one, or the machine's own number (default: both)")
    parser.add_argument("--quick", action="store_true", help="5 rounds, without the long chains")
    parser.add_argument("--verbose", action="store_true", help="quartiles of the ratios too, and times")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there")
    options = parser.parse_args()
    wanted = options.rows.split(",")
    if "compiled" in wanted:
        wanted += [row.name for row in COMPILED] + ["first", "peak"]
        wanted.remove("compiled")
    if unknown := set(wanted) - set(known):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if options.quick and options.rows == parser.get_default("rows"):
        wanted = list(QUICK)
    rounds = options.rounds or (5 if options.quick else 15)
    names = list(dict.fromkeys(["ours", "compiled", *options.peers.split(",")]))
    if unknown := set(names) - set(ENGINES):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    if not {"first", "peak", *(row.name for row in COMPILED)} & set(wanted):
        names = [name for name in names if name not in COMPILERS]

    print(machine())
    results: dict[str, Any] = {}
    bars: list[Bar] = []
    said = False
    for threads in [options.threads] if options.threads else ["1", "all"]:
        rows = [row for row in ROWS if row.name in wanted and (row.threads or threads == "1" or options.threads)]
        if not rows:
            continue
        children, missing = start(names, threads)
        if "ours" in missing:
            parser.exit(1, f"ours: {missing['ours']}\n")
        if not said:
            print(", ".join(child.version for child in children.values()))
            for name, why in missing.items():
                print(f"{ENGINES[name].title}: {why}")
            said = True
        for ours in ("ours", "compiled"):
            of_ours = [row for row in rows if row.ours == ours]
            took_part = children if ours == "compiled" else {n: c for n, c in children.items() if n not in COMPILERS}
            columns = [ours, *(name for name in took_part if name != ours)]
            if of_ours:
                which = "" if ours == "ours" else ", the whole step compiled"
                many = "One thread" if threads == "1" else "The threads of the machine"
                print(f"\n{many}{which}; our time / the peer's:\n\n{heading(columns)}")
            for row in of_ours:
                times = time_row(row, took_part, rounds)
                results[f"{row.name}, threads {threads}"] = times
                print(line(row.title, times, columns, options.verbose), flush=True)
                for peer, bar in row.bars.items():
                    title = (
                        f"{row.title}{', compiled' * (ours == 'compiled')}, threads {threads}, to {ENGINES[peer].title}"
                    )
                    bars.append((title, middle(times, peer, ours), bar))
        for child in children.values():
            child.close()
        names = list(children)
    bars += others(wanted, names, rounds, options.verbose, results)
    if bars:
        print("\nBars:\n")
        for title, number, bar in bars:
            verdict = "not measured" if number is None else f"{number:7.3g}  {'met' if number <= bar else 'NOT MET'}"
            print(f"  {title:70} at most {bar:<5} {verdict}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


def others(wanted: list[str], names: list[str], rounds: int, verbose: bool, results: dict[str, Any]) -> list[Bar]:
    """Measures and prints what is no row of times; the bars of that."""
    bars: list[Bar] = []
    plain = [name for name in names if name not in FORMS]
    if "growth" in wanted:
        times = {n: results.get(f"chain{n}, threads 1", {}).get("ours") for n in (4, 6)}
        if all(times.values()):
            bars.append((OTHERS["growth"], median(times[6]) / median(times[4]), GROWTH))
    if "import" in wanted:
        times = results["import"] = time_imports(plain, rounds)
        print(f"\nImport; our time / the peer's:\n\n{heading(plain)}")
        print(line("import", times, plain, verbose))
        bars.append(("import autograd, to import numpy", middle(times, "numpy"), IMPORT))
    if "node" in wanted:
        held = results["node"] = ask_each(plain, "node_bytes")
        print(
            "\nBytes a node of a chain, before and after backward (PyTorch: resident memory, the rest: tracemalloc):\n"
        )
        for name, sizes in held.items():
            text = (
                sizes if isinstance(sizes, str) else " ".join("-".rjust(6) if n is None else f"{n:6.0f}" for n in sizes)
            )
            print(f"  {ENGINES[name].title:10} {text}")
        bars.append(("bytes a scalar node", max(held["ours"]), NODE_BYTES))
    rows = [row for row in COMPILED if row.bars]
    if "first" in wanted:
        print(f"\n{OTHERS['first']}:\n\n  {'':46} {'the first':>9} {'all':>9}")
        asked = [name for name in names if name in ("ours", "jax", *COMPILERS)]
        for row in rows:
            results[f"first, {row.name}"] = time_first_calls(row, asked, min(rounds, 5))
            bars += first_calls(row, results[f"first, {row.name}"])
    if "peak" in wanted:
        print(f"\n{OTHERS['peak']}:\n")
        titles = ("arrays kept", "all else kept", "most in a step", "in first steps")
        print(f"  {'':46}{''.join(f'{title:>16}' for title in titles)}")
        asked = [name for name in names if name in COUNTED]
        for row in rows:
            results[f"peak, {row.name}"] = ask_each(
                [name for name in asked if name not in row.skip], "peak_bytes", row.kind, row.args
            )
            bars += peaks(row, results[f"peak, {row.name}"])
    return bars


COUNTED = ("ours", "compiled", "numpy", "numpy.out", "micrograd", "mygrad", "hips")
"""Whose arrays tracemalloc sees."""


def first_calls(row: Row, taken: dict[str, Any]) -> list[Bar]:
    """Prints a row's; its bars."""
    eager = median([later for *_, later in taken["ours"]])
    found = {}
    for name, calls in taken.items():
        title = f"{row.title}, {ENGINES[name].title}"
        if isinstance(calls, str):
            print(f"  {title:46} {calls}")
        elif name != "ours":
            first, found[name], _ = (median(seconds) for seconds in zip(*calls, strict=True))
            steps = f", {found[name] / eager:.3g} of our steps ({duration(eager)})" if name == "compiled" else ""
            print(f"  {title:46} {duration(first):>9} {duration(found[name]):>9}{steps}", flush=True)
    ours, jax = found.get("compiled"), found.get("jax")
    bars: list[Bar] = [(f"{row.title}, first calls, in eager steps", ours and ours / eager, FIRST_CALLS["steps"])]
    if jax:
        bars.append((f"{row.title}, first calls, to jax.jit's", ours and ours / jax, FIRST_CALLS["jax"]))
    return bars


def peaks(row: Row, held: dict[str, Any]) -> list[Bar]:
    """Prints a row's; its bar, where the arrays are more than a program's own text and objects."""
    for name, sizes in held.items():
        text = sizes if isinstance(sizes, str) else "".join(f"{size / 2**20:12.3f} MiB" for size in sizes)
        print(f"  {row.title + ', ' + ENGINES[name].title:46}{text}", flush=True)
    compiled, eager = held.get("compiled"), held["ours"][2]
    if eager < 2**20:
        return []
    most = compiled[2] / eager if isinstance(compiled, list) else None
    return [(f"{row.title}, memory, compiled to eager", most, PEAK)]


def machine() -> str:
    return f"{platform.platform()}, {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(row.split(":")[1].strip() for row in file if row.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def middle(times: dict[str, Any], peer: str, ours: str = "ours") -> float | None:
    of_rounds = ratios(times, peer, ours)
    return None if of_rounds is None else median(of_rounds)


def width(name: str) -> int:
    return max(len(ENGINES[name].title) + 3, 9)


def heading(names: list[str]) -> str:
    return f"{'':36} {ENGINES[names[0]].title:>9}" + "".join(
        f"{'/ ' + ENGINES[name].title:>{width(name)}}" for name in names[1:]
    )


def duration(seconds: float) -> str:
    scale, unit = next(((s, u) for s, u in ((1, "s"), (1e-3, "ms")) if seconds >= s), (1e-6, "us"))
    return f"{seconds / scale:.3g} {unit}" if seconds < 100 * scale else f"{seconds / scale:.0f} {unit}"


def line(title: str, times: dict[str, Any], names: list[str], verbose: bool) -> str:
    """A row of the table: our median time, that of the first of the names, and the ratio to each of the others."""
    own = times[names[0]]
    if isinstance(own, str):
        return f"{title:36} {own}"
    cells: list[str] = []
    more: list[str] = []
    spread: list[str] = []
    for name in names[1:]:
        of_rounds = ratios(times, name, names[0])
        if of_rounds is None:
            cells.append("-")
            if name in times:
                cells[-1] = "fails"
                more.append(f"    {ENGINES[name].title}: {times[name]}")
            continue
        cells.append(f"{median(of_rounds):.3g}")
        low, high = quartiles(of_rounds)
        spread.append(
            f"    {ENGINES[name].title:10} {duration(median(times[name])):>11}, ratio {low:.3g} to {high:.3g}"
        )
    table = "".join(f"{cell:>{width(name)}}" for cell, name in zip(cells, names[1:], strict=True))
    text = f"{title:36} {duration(median(own)):>9}{table}"
    return "\n".join([text, *more, *(spread if verbose else [])])


if __name__ == "__main__":
    main()
