"""Naming: what results are called, as the function that they come from calls them.

While a function is traced, each result is noted with the code that was at work (see `capture`). Here, once somebody
wants to read the program, the assignments on these lines give their names to what came about on them.
"""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

from .program import Program, Variable, boxed


class _End(NamedTuple):
    """A result, and a line of the user's that was at work when it came about."""

    variable: Variable
    file: str
    line: int
    depth: int
    """How far from the traced function: 0 is its own line."""
    function: int
    """The first line of the function that it is in."""
    way: tuple[tuple[int, int], ...]
    """The user's functions that were at work, the traced one first, and the places in their code."""
    whole: tuple[int, ...] | None
    """The places on the whole way, NumPy's and ours included; None of what comes about inside of a layer of `nn`."""

    def before_another_turn(self, after: _End) -> bool:
        """Whether the next result on the same line is of another turn of a loop: its code is at an earlier place.

        A function that loops inside looks the same.
        """
        if self.way[: self.depth] != after.way[: self.depth]:
            return True
        for (function, place), (other, further) in zip(self.way[self.depth :], after.way[self.depth :], strict=False):
            if function != other or further < place:
                return True
            if further > place:
                return False
        return self.whole is not None and self.whole == after.whole


def _ends(program: Program) -> Iterator[_End]:
    for variable, steps in program.ends:
        stack, direct = [], True
        for code, place, frame, names in steps:
            module = names.get("__name__") or ""
            example = code.co_filename.startswith("<doctest")  # in a docstring of ours, say
            if (example or _naming(module)) and code.co_name not in _WITHOUT_NAMES:
                stack.append((code, place, frame))
            elif not stack:
                direct = direct and not module.startswith(("autograd.rules", "nn."))
        stack.reverse()
        way = tuple([(frame, place) for _, place, frame in stack])
        whole = tuple([place for _, place, _, _ in steps]) if direct else None
        for depth, (code, place, _) in enumerate(stack):
            line = _line(code, place)
            if line is not None:
                yield _End(variable, code.co_filename, line, depth, code.co_firstlineno, way, whole)


_WITHOUT_NAMES = {"<lambda>", "<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"}
"""Code inside of a statement, whose result is that of the statement."""


@functools.cache
def _naming(module: str) -> bool:
    """Whether a module's variables say something to who wrote the function: it is neither ours nor Python's own."""
    root = module.split(".")[0]
    return root == "__main__" or not (root in ("autograd", "nn", "numpy") or root in sys.stdlib_module_names)


def _line(code: CodeType, place: int) -> int | None:
    return next((line for start, end, line in code.co_lines() if start <= place < end), None)


def name_results(program: Program) -> None:
    """Call results as the variables that they were assigned to, in the function and in the user's functions it calls.

    The result of a statement is the last one that came about on its lines; in a loop there is one in each turn. Where
    functions call each other, the outermost has a say first in what its statement came to in the end.
    """
    found_ends = [*_ends(program)]
    files = {file: _assignments("".join(linecache.getlines(file))) for file in {end.file for end in found_ends}}
    statements: dict[tuple[int, int, str, tuple[int, str]], list[_End]] = {}
    for end in found_ends:
        found = files[end.file].get(end.line)
        if found is not None:
            statements.setdefault((end.depth, end.function, end.file, found), []).append(end)
    inwards = sorted(statements.items(), key=lambda item: item[0][0])
    for (_, _, _, (_, name)), ends in inwards:
        ends[-1].variable.name = ends[-1].variable.name or name
    for (_, _, _, (_, name)), ends in reversed(inwards):
        here = [end for end in ends if end.line == ends[-1].line]  # a call of several lines ends on its first
        for end, after in itertools.pairwise(here):
            if end.before_another_turn(after):
                end.variable.name = end.variable.name or name


@functools.lru_cache(maxsize=64)
def _assignments(text: str) -> dict[int, tuple[int, str]]:
    """By line: the first line of the assignment to a name that is there, and the name."""
    found: dict[int, tuple[int, str]] = {}
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return found
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        # Of a list, the last result is only the last entry.
        several = isinstance(node.value, ast.ListComp | ast.List | ast.Tuple | ast.Dict | ast.DictComp | ast.Lambda)
        if isinstance(target, ast.Name) and not several:
            found |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), (node.lineno, target.id))
    return found


def name_output(program: Program, tree: Any, name: str) -> None:
    """Call what comes out after what it is of, unless it has a name."""
    kind = type(tree)
    if kind is Variable:
        inside = next((call.args[0] for call in program.calls if call.function is boxed and call.result is tree), tree)
        if type(inside) is Variable and inside not in program.arguments:
            inside.name = inside.name or name
    elif kind is tuple or kind is list:
        for number, part in enumerate(tree):
            name_output(program, part, f"{name}_{number}")
    elif kind is dict:
        for key, part in tree.items():
            name_output(program, part, f"{name}_{key}")
