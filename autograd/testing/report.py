"""What a check found out: as data, and as the text that a failing test shows.

The verdict, the table and the hint come first, because test runners cut what is long.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ..errors import DerivativeError

__unittest = True  # unittest leaves frames of this module out of what it prints

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"
SHOWN = 3
"""How many rows of the table a failure shows: with one hint, as many as pytest leaves in a failed comparison."""


@dataclass(frozen=True)
class Row:
    """One derivative that was compared: yours, and the numerical one with the bound on its error."""

    place: str
    """Which entry: ``"x[2, 0]"``; empty for a function of one number."""
    x: complex
    """This and the following are complex where f is, and else real."""
    y: complex | None
    yours: complex
    numeric: complex
    bound: float
    status: str
    """``"ok"``, ``"wrong"``, ``"kink"`` (yours lies between left and right), or ``"unclear"``."""
    left: complex
    right: complex
    method: str
    why: str = ""
    """For what is not ok: the reason, if it is not simply another number."""

    @property
    def relative_error(self) -> float:
        """|yours - numeric| / max(|yours|, |numeric|)."""
        if self.yours == self.numeric:
            return 0.0
        size = max(abs(self.yours), abs(self.numeric))
        return abs(self.yours - self.numeric) / size if math.isfinite(size) and size else math.inf


class Finding(NamedTuple):
    """What is wrong, or keeps from a verdict, apart from the numbers in the table."""

    kind: str
    """Such as ``"shape"``, ``"mutation"``, ``"aliasing"``, ``"layout"``, ``"linearity"``, ``"noise"``."""
    text: str


@dataclass
class Report:
    """What a check found out.

    Attributes
    ----------
    verdict : str
        ``"PASS"``, ``"FAIL"``, or ``"INCONCLUSIVE"``: no error was found, and a reason why one could be there.
    title : str
        The verdict in one line.
    rows : list of Row
        The derivatives that were compared.
    findings : list of Finding
        What is wrong about the gradient other than its numbers (it fails the check).
    doubts : list of Finding
        Why the check is inconclusive.
    hints : list of str
        What the error looks like.
    notes : list of str
        What one may want to know, though nothing is wrong.
    reproduce : str
        A line of Python that shows the first error.

    Notes
    -----
    A report is true in an ``if`` or ``assert`` if its verdict is PASS.
    """

    verdict: str
    title: str
    unit: str = "points"
    allowed: str = ""
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    doubts: list[Finding] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reproduce: str = ""

    def __bool__(self) -> bool:
        return self.verdict == PASS

    def __repr__(self) -> str:
        more = [finding.text for finding in self.findings or self.doubts][:1] + self.hints[:1]
        wrong = sum(row.status == "wrong" for row in self.rows)
        counts = [f"{wrong} of {len(self.rows)} {self.unit} disagree"] if wrong else []
        return f"<{self.verdict}: {'; '.join([self.title, *counts, *more])}>"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_dict(self) -> dict[str, Any]:
        """The report as nested dicts and lists of numbers and strings, for JSON. A complex number is [real, imag]."""
        answer = asdict(self)
        for row in answer["rows"]:
            row |= {name: [x.real, x.imag] for name, x in row.items() if isinstance(x, complex)}
        for name in ("findings", "doubts"):
            answer[name] = [finding._asdict() for finding in getattr(self, name)]
        return answer

    def lines(self) -> list[str]:
        """The text, line by line."""
        odd = [row for row in self.rows if row.status != "ok"]
        wrong = [row for row in odd if row.status == "wrong"]
        text = [self.title]
        text += [f"  {finding.text}" for finding in self.findings]
        shown = wrong or (odd if self.verdict != PASS else [])
        if shown:
            room = max(1, SHOWN + 1 - max(1, len(self.hints) + len(self.findings)))
            text += _table(sorted(shown, key=lambda row: -_size(row))[:room] if len(shown) > room else shown)
            methods = " and ".join(dict.fromkeys(row.method for row in shown))
            count = f"{len(shown)} of {len(self.rows)} {self.unit} {'disagree' if wrong else 'are unclear'}"
            text.append(f"  {count} (allowed: {self.allowed}); numeric: {methods}")
        text += [f"  hint: {hint}" for hint in self.hints]
        if self.verdict == INCONCLUSIVE:
            text += [f"  why: {doubt.text}" for doubt in self.doubts]
        if self.verdict == PASS:
            methods = " and ".join(dict.fromkeys(row.method for row in self.rows)) or "nothing to compare"
            worst = max((row.relative_error for row in self.rows if row.status == "ok"), default=0.0)
            text.append(f"  {len(self.rows)} {self.unit}, worst rel.err {worst:.1e}; numeric: {methods}")
        text += [f"  note: {note}" for note in self.notes]
        if self.reproduce and self.verdict != PASS:
            text.append(f"  reproduce: {self.reproduce}")
        return text

    def check(self) -> Report:
        """Raise unless the verdict is PASS; else return the report itself.

        Raises
        ------
        DerivativeError
            An AssertionError whose text is the report, and whose `report` is it.
        """
        __tracebackhide__ = True
        if self.verdict != PASS:
            raise DerivativeError(str(self), self)
        return self


def _size(row: Row) -> float:
    error = row.relative_error
    return error if math.isfinite(error) else 1e300


def _number(x: complex | None, digits: int = 9) -> str:
    return "" if x is None else f"{x:.{digits}g}"


def _table(rows: Sequence[Row]) -> list[str]:
    header = ["", "x", "f(x)", "yours", "numeric", "±", "rel.err", ""]
    cells = []
    for row in rows:
        flag = {"wrong": "BAD", "kink": "KINK", "unclear": "?"}.get(row.status, "")
        numeric, bound = _number(row.numeric), f"{row.bound:.0e}"
        kink = row.left != row.right and cmath.isfinite(row.left + row.right)
        if kink:
            numeric, bound = f"{_number(row.left, 6)} | {_number(row.right, 6)}", "kink"
        error = "" if kink else f"{row.relative_error:.1e}"
        cells.append([row.place, _number(row.x, 6), _number(row.y, 6), _number(row.yours), numeric, bound, error,
                      " ".join(filter(None, [flag, row.why]))])  # fmt: skip
    columns = [i for i in range(len(header)) if any(row[i] for row in cells)]
    widths = {i: max(len(header[i]), *(len(row[i]) for row in cells)) for i in columns}

    def line(mark: str, row: Sequence[str]) -> str:
        parts = [row[i].ljust(widths[i]) if i in (0, 7) else row[i].rjust(widths[i]) for i in columns]
        return f"{mark} {'  '.join(parts)}".rstrip()

    return [line(" ", header)] + [line(">" if k == 0 else " ", row) for k, row in enumerate(cells)]


# -------------------------------------------------------------------- settings

_settings: ContextVar[dict[str, Any]] = ContextVar("settings of autograd.testing", default={})  # noqa: B039


@contextmanager
def settings(*, seed: int | None = None, rtol: float | None = None) -> Iterator[None]:
    """Inside, checks that do not say otherwise use this seed and this relative tolerance.

    The pytest plugin enters it for ``--derivative-seed``, ``--derivative-rtol`` and the marker ``derivative``.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing import check_derivative, settings
    >>> with settings(rtol=1e-2):
    ...     check_derivative(np.sin, lambda x: 1.001 * np.cos(x), at=[0.0, 1.0]).verdict
    'PASS'
    """
    given = {name: content for name, content in (("seed", seed), ("rtol", rtol)) if content is not None}
    token = _settings.set({**_settings.get(), **given})
    try:
        yield
    finally:
        _settings.reset(token)


def setting(name: str, given: Any, default: Any) -> Any:
    """What was given, else what `settings` says, else the default."""
    return given if given is not None else _settings.get().get(name, default)
