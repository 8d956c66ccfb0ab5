"""The law: every public function and class of NumPy is differentiable, plain, or refused with a reason.

    coverage()                  # the table; Jupyter shows it as one
    coverage().counts           # {'numpy': {'differentiable': ..., 'plain': ..., 'refused': ...}, ...}

It is read off the registry, for whichever NumPy is installed. What is new there shows as unclassified, and fails a
test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np

from .op import Op, Plain, Refused, Several, found

__all__ = ["coverage"]

NAMESPACES = (np, np.linalg, np.fft)
LISTS = ("differentiable", "plain", "refused")
MEANINGS = {
    "differentiable": "has rules, or is composed of functions that have",
    "plain": "has no derivative: of Values it returns what it returns of arrays",
    "refused": "raises, and says what to write instead",
    "unclassified": "nobody has decided: give it a rule (defop), compose it (composed), or list it (plain, refuses)",
}


class Row(NamedTuple):
    """What the catalogue says of one function."""

    name: str
    """As users write it: ``"np.linalg.det"``."""
    namespace: str
    """Where NumPy has it: ``"numpy.linalg"``."""
    list: str
    """``"differentiable"``, ``"plain"``, ``"refused"``, or ``"unclassified"``."""
    how: str
    """``"rule"``, ``"composed"``, or the list again."""
    family: str
    """The file of `autograd.rules` where its derivative stands; empty if it has none."""
    text: str
    """The formula of each input's rule, or the reason of a refusal; for others a word where one is needed."""


class Coverage:
    """The catalogue: a table when printed, and the `Row` of every function when iterated over.

    Attributes
    ----------
    rows : list of Row
        By namespace, in alphabetical order.
    version : str
        Of the NumPy that it describes.
    """

    def __init__(self, rows: list[Row], version: str):
        self.rows, self.version = rows, version

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """For each namespace, how many functions each list holds."""
        counts = {space.__name__: dict.fromkeys(LISTS, 0) for space in NAMESPACES}
        for row in self.rows:
            counts[row.namespace][row.list] = counts[row.namespace].get(row.list, 0) + 1
        return counts

    @property
    def unclassified(self) -> list[str]:
        """The names of functions in none of the lists: there are none, unless NumPy is newer than this library."""
        return [row.name for row in self.rows if row.list == "unclassified"]

    def _groups(self) -> Iterator[tuple[str, str, str, list[str]]]:
        """List, namespace, family or reason, and the names that share these."""
        for verdict in (*LISTS, "unclassified"):
            for space in NAMESPACES:
                groups: dict[str, list[str]] = {}
                for row in self.rows:
                    if row.list == verdict and row.namespace == space.__name__:
                        groups.setdefault(row.text if verdict == "refused" else row.family, []).append(row.name)
                for title in sorted(groups) if verdict == "differentiable" else groups:
                    yield verdict, space.__name__, title, groups[title]

    def __repr__(self) -> str:
        lines = [f"NumPy {self.version}".ljust(16) + "".join(verdict.rjust(16) for verdict in LISTS)]
        lines += [
            space.ljust(16) + "".join(str(count).rjust(16) for count in counts.values())
            for space, counts in self.counts.items()
        ]
        before = None
        for verdict, space, title, names in self._groups():
            if verdict != before:
                lines += ["", f"{verdict.upper()}: {MEANINGS[verdict]}"]
                before = verdict
            said = title if verdict == "refused" else f"{space}{', ' * bool(title)}{title} ({len(names)})"
            head, tail = (", ".join(names), said) if verdict == "refused" else (said, ", ".join(names))
            lines.append(fill(f"{head}: {tail}", 120, initial_indent="  ", subsequent_indent="      "))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def line(*cells: str, tag: str = "td", align: str = "left") -> str:
            style = f"text-align: {align}; vertical-align: top; white-space: normal"
            return "<tr>" + "".join(f'<{tag} style="{style}">{cell}</{tag}>' for cell in cells) + "</tr>"

        counts = [[space, *map(str, counts.values())] for space, counts in self.counts.items()]
        head = line(f"NumPy {escape(self.version)}", *LISTS, tag="th", align="right")
        parts = [f"<table>{head}{''.join(line(*row, align='right') for row in counts)}</table>"]
        for verdict in (*LISTS, "unclassified"):
            lines = ""
            for _, space, title, names in (group for group in self._groups() if group[0] == verdict):
                code, words = f"<code>{escape(', '.join(names))}</code>", escape(title)
                lines += line(code, words) if verdict == "refused" else line(f"{space} {words}", code)
            if lines:
                title = f"<b>{verdict}</b> {escape(MEANINGS[verdict])}"
                parts.append(f"<details><summary>{title}</summary><table>{lines}</table></details>")
        return "".join(parts)


def coverage() -> Coverage:
    """Which functions of NumPy have a derivative here, which need none, and which are refused, with the reasons.

    Covers every public function and class of `numpy`, `numpy.linalg` and `numpy.fft`, exceptions apart, as the
    installed NumPy has them.

    Returns
    -------
    Coverage
        Printed, or shown by Jupyter, it is a table; its `counts` are the numbers; iterated over, it gives rows of
        ``name``, ``namespace``, ``list`` ("differentiable", "plain", "refused"), ``how`` ("rule", "composed", ...),
        ``family``, and ``text``: the formula, or the reason.

    Examples
    --------
    >>> from autograd import coverage
    >>> table = {row.name: row for row in coverage()}
    >>> table["np.tanh"].how, table["np.tanh"].text
    ('rule', '1 - tanh(x)²')
    >>> table["np.hstack"].how, table["np.argmax"].list
    ('composed', 'plain')
    >>> print(table["np.full"].text)
    it fills a plain array with the numbers, ...
    """
    rows = [
        Row(f"{space.__name__}.{name}".replace("numpy", "np"), space.__name__, *stands(function))
        for space in NAMESPACES
        for name, function in public(space)
    ]
    return Coverage(rows, np.__version__)


def public(space: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The functions and classes of a namespace that are for its users, by name; exceptions are not for calling."""
    things = [(name, getattr(space, name)) for name in sorted(dir(space)) if not name.startswith("_")]
    return [
        (name, thing)
        for name, thing in things
        if callable(thing) and not (isinstance(thing, type) and issubclass(thing, BaseException))
    ]


def stands(function: Callable[..., Any]) -> tuple[str, str, str, str]:
    """List, how, family and text of a function."""
    entry = found(function)
    if entry is None:
        return "unclassified", "unclassified", "", ""
    if isinstance(entry, Plain):
        return "plain", "plain", "", ""
    if isinstance(entry, Refused):
        return "refused", "refused", "", entry.reason
    if isinstance(entry, Op | Several):
        parts = (entry,) if isinstance(entry, Op) else entry.parts
        formula = "; ".join(formula for part in parts for formula in part.formula)
        return "differentiable", "rule", family(*(rule for part in parts for rule in rules_of(part))), formula
    return "differentiable", "composed", family(entry), (entry.__doc__ or "").partition("\n")[0]


def rules_of(op: Op) -> tuple[Any, ...]:
    return (op.rules,) if op.variadic else op.rules


def family(*functions: Any) -> str:
    """The file of rules in which one of these stands."""
    homes = [getattr(function, "__module__", "").rpartition("rules.")[2] for function in functions if function]
    return next((home for home in homes if "." not in home), "elementwise")
