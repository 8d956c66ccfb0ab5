r"""``python -m autograd "tanh(x*w + b)" x=2 w=-3 b=6.9``: the backward pass of an expression, step by step."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .drawing import draw
from .errors import AutogradError, DrawingError, TraceError
from .expression import FUNCTIONS, parse
from .tracing import Trace, expected, recorded
from .value import Value

EXAMPLE = 'python -m autograd "tanh(x*w + b)" x=2 w=-3 b=6.9'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0; 1 if an expected gradient is wrong; 2 for input that makes no sense.

    Raises
    ------
    SystemExit
        From argparse: code 0 after ``--help``, 2 with a usage line.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # To argparse -x**2 would be an option.
    given = [
        f" {word}" if word.startswith("-") and not word.startswith("--") and word != "-h" else word for word in given
    ]
    options = _parser().parse_args(given)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # for terminals without ∂ and ×
    try:
        return _run(options)
    except (AutogradError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    expression = parse(options.expression.strip())
    values = {name: Value(number, label=name) for name, number in _numbers(options.values).items()}
    with np.errstate(all="ignore"):  # a NaN is shown where it appears
        result = expression.evaluate(values)
    if not isinstance(result, Value):
        raise TraceError(f"{expression} = {result}: there is no name in it to differentiate by. Example: {EXAMPLE}")
    found = expected(recorded(result, None, {}), _numbers(options.expect))
    for path, write in (
        (options.html, lambda path: found.save(path)),
        (options.svg, lambda path: _drawn(result, path)),
    ):
        if path is not None:
            write(path)
    print(_shown(found, expression.text, options))
    for path in filter(None, (options.html, options.svg)):
        print(f"\nwritten: {path}")
    if options.walk:
        print()
        found.walk()
    return int(any(node.right is False for node in found.nodes))


def _shown(found: Trace, text: str, options: argparse.Namespace) -> str:
    """What is asked for, the table if nothing is."""
    parts: list[str] = [found.tree()] * options.tree
    parts += [found.explain(name) for name in options.explain]
    parts += [found.latex()] * options.latex
    return "\n\n".join(parts or [f"{text}\n\n{found}"])


def _drawn(_result: Value, path: Path) -> None:  # the name begins so that the picture does not show it
    if path.suffix.lower() != ".svg":
        raise DrawingError(f"--svg {path}: the name of an SVG picture ends in .svg.")
    _result.backward()
    draw(_result).save(path)


def _numbers(words: Sequence[str]) -> dict[str, Any]:
    """``["x=2", "w=-pi/2"]`` as numbers by their names."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, number = word.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise TraceError(f"{word!r} gives no value: write a name and a number, such as x=2. Example: {EXAMPLE}")
        if name in found:
            raise TraceError(f"{name} is given twice: {name}={found[name]} and {word.strip()}.")
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = float(parse(number, names=()).evaluate({}))
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m autograd",
        description="Show the backward pass of an expression: every node, and every step from the result back.",
        epilog=f"Example: {EXAMPLE}. Functions: {', '.join(FUNCTIONS)}.",
    )
    parser.add_argument("expression", help='such as "tanh(x*w + b)": + - * / ** ( ), pi, e, names and functions')
    parser.add_argument("values", nargs="*", metavar="name=number", help="a value for each name: x=2, or x=pi/2")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page to step through the pass")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a picture of the graph with its gradients")
    for option, metavar, said in (
        ("--expect", "NAME=NUMBER", "mark a gradient derived by hand as right or wrong"),
        ("--explain", "NAME", "take the gradient of NAME apart, by use and by path"),
    ):
        parser.add_argument(option, action="append", default=[], metavar=metavar, help=said)
    parser.add_argument("--tree", action="store_true", help="show the graph as a tree")
    parser.add_argument("--latex", action="store_true", help="write the chain rule out in LaTeX")
    parser.add_argument("--walk", action="store_true", help="step through the pass with the keys n, b, g and q")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of the output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
