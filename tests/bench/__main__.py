"""Speed and memory beside the peers: ``python -m tests.bench``.

Each engine runs in a process of its own, as its users run it; the processes take turns, round by round. A number
in the table is the median over the rounds of our time divided by the peer's in the same round, so that below 1
we are faster, and a machine that slows down meanwhile slows both. What is not installed is said and left out.

    python -m tests.bench                       everything, with one thread and with the machine's own
    python -m tests.bench --quick               the same with few rounds, without the slowest rows
    python -m tests.bench --rows scalar,small --threads 1 --verbose
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from typing import Any

from .data import LARGE
from .harness import ENGINES, median, memory, quartiles, ratios, start, time_imports, time_row
from .rows import GROWTH, IMPORT, NODE_BYTES, OTHERS, ROWS

QUICK = ("scalar", "moons", "tiny", "small", "large", "small-nn", "large-nn", "import", "node")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Times this against its peers.")
    known = [row.name for row in ROWS] + list(OTHERS)
    parser.add_argument("--rows", default=",".join(known), help=f"which of {','.join(known)}")
    parser.add_argument("--peers", default=",".join(list(ENGINES)[1:]), help="which of the peers")
    parser.add_argument("--rounds", type=int, help="how many rounds (default 15; at most 5 for what takes over 0.1 s)")
    parser.add_argument("--threads", choices=("1", "all"), help="one, or the machine's own number (default: both)")
    parser.add_argument("--quick", action="store_true", help="5 rounds, without the long chains")
    parser.add_argument("--verbose", action="store_true", help="quartiles of the ratios too, and times")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there")
    options = parser.parse_args()
    wanted = options.rows.split(",")
    if unknown := set(wanted) - set(known):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if options.quick and options.rows == parser.get_default("rows"):
        wanted = list(QUICK)
    rounds = options.rounds or (5 if options.quick else 15)
    names = ["ours", *(name for name in options.peers.split(",") if name != "ours")]
    if unknown := set(names) - set(ENGINES):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")

    print(f"{platform.platform()}, {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    results: dict[str, Any] = {}
    bars: list[tuple[str, float | None, float]] = []
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
        print(f"\n{'One thread' if threads == '1' else 'The threads of the machine'}; our time / the peer's:\n")
        print(heading(list(children)))
        for row in rows:
            times = time_row(row, children, rounds)
            results[f"{row.name}, threads {threads}"] = times
            print(line(row.title, times, list(children), options.verbose), flush=True)
            for peer, bar in row.bars.items():
                bars.append((f"{row.title}, threads {threads}, to {ENGINES[peer].title}", middle(times, peer), bar))
        for child in children.values():
            child.close()
        names = list(children)

    if "growth" in wanted:
        times = {n: results.get(f"chain{n}, threads 1", {}).get("ours") for n in (4, 6)}
        if all(times.values()):
            bars.append((OTHERS["growth"], median(times[6]) / median(times[4]), GROWTH))
    if "import" in wanted:
        names = [name for name in names if name != "torch.nn"]
        times = results["import"] = time_imports(names, rounds)
        print(f"\nImport; our time / the peer's:\n\n{heading(names)}")
        print(line("import", times, names, options.verbose))
        bars.append(("import autograd, to import numpy", middle(times, "numpy"), IMPORT))
    if "node" in wanted:
        held = results["node"] = memory(names, "node_bytes")
        print(
            "\nBytes a node of a chain, before and after backward (PyTorch: resident memory, the rest: tracemalloc):\n"
        )
        for name, sizes in held.items():
            text = (
                sizes if isinstance(sizes, str) else " ".join("-".rjust(6) if n is None else f"{n:6.0f}" for n in sizes)
            )
            print(f"  {ENGINES[name].title:10} {text}")
        bars.append(("bytes a scalar node", max(held["ours"]), NODE_BYTES))
    if "peak" in wanted:
        held = results["peak"] = memory(names, "peak_bytes", "mlp", (LARGE, 128))
        print(f"\n{OTHERS['peak']}, beyond what stays (by tracemalloc, which does not see C++'s):\n")
        for name, size in held.items():
            text = size if isinstance(size, str) else f"{size / 2**20:6.2f} MiB, ours / this: {held['ours'] / size:.2f}"
            print(f"  {ENGINES[name].title:10} {text}")
    if bars:
        print("\nBars:\n")
        for title, number, bar in bars:
            verdict = "not measured" if number is None else f"{number:7.3g}  {'met' if number <= bar else 'NOT MET'}"
            print(f"  {title:62} at most {bar:<5} {verdict}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


def processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(row.split(":")[1].strip() for row in file if row.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def middle(times: dict[str, Any], peer: str) -> float | None:
    of_rounds = ratios(times, peer)
    return None if of_rounds is None else median(of_rounds)


def heading(names: list[str]) -> str:
    return f"{'':30} {'ours':>11} " + " ".join(f"{'/ ' + ENGINES[name].title:>12}" for name in names[1:])


def duration(seconds: float) -> str:
    scale, unit = next(((s, u) for s, u in ((1, "s"), (1e-3, "ms")) if seconds >= s), (1e-6, "us"))
    return f"{seconds / scale:.3g} {unit}" if seconds < 100 * scale else f"{seconds / scale:.0f} {unit}"


def line(title: str, times: dict[str, Any], names: list[str], verbose: bool) -> str:
    """A row of the table: our median time, and the ratio to each peer."""
    own = times["ours"]
    if isinstance(own, str):
        return f"{title:30} {own}"
    cells: list[str] = []
    more: list[str] = []
    spread: list[str] = []
    for name in names[1:]:
        of_rounds = ratios(times, name)
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
    text = f"{title:30} {duration(median(own)):>11} " + " ".join(f"{cell:>12.14}" for cell in cells)
    return "\n".join([text, *more, *(spread if verbose else [])])


if __name__ == "__main__":
    main()
