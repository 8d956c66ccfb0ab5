"""What a check collects, and the report that it comes to."""

from __future__ import annotations

from collections.abc import Sequence

from .comparison import Tolerance
from .report import FAIL, INCONCLUSIVE, PASS, Finding, Report, Row


class Results:
    """What has been found so far, and in the end the report."""

    def __init__(self, unit: str, tolerance: Tolerance):
        self.unit, self.tolerance = unit, tolerance
        self.rows: list[Row] = []
        self.findings: list[Finding] = []
        self.doubts: list[Finding] = []
        self.hints: list[str] = []
        self.notes: list[str] = []
        self.reproduce = ""

    def add(self, findings: Sequence[Finding], where: str = "") -> None:
        known = {finding.kind for finding in self.findings}
        for finding in findings:
            if finding.kind not in known:
                self.findings.append(Finding(finding.kind, finding.text + where))

    def hint(self, text: str | None) -> None:
        if text and text not in self.hints:
            self.hints.append(text)

    @property
    def right(self) -> bool:
        """Whether nothing was found so far."""
        return not self.findings and not self.doubts and all(row.status == "ok" for row in self.rows)

    def take(self, other: Results) -> None:
        """Add what another one found."""
        self.rows += other.rows
        self.add(other.findings)
        self.doubts += other.doubts
        self.hints += other.hints
        self.reproduce = self.reproduce or other.reproduce

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def doubt(self, kind: str, text: str) -> None:
        if all(text != doubt.text for doubt in self.doubts):
            self.doubts.append(Finding(kind, text))

    def report(self, right: str, wrong: str) -> Report:
        tolerance, rows = self.tolerance, self.rows
        unclear = [row for row in rows if row.status == "unclear"]
        kinks = [row for row in rows if row.status == "kink"]
        if unclear:
            for why in dict.fromkeys(row.why for row in unclear):
                advice = {
                    "f jumps here": "choose other points",
                    "f is not defined around here": "choose points inside the domain",
                    "noise hides it": "the numbers f returns are not precise enough (float32 inside? cancellation?)",
                    "no numerical derivative": "is the derivative infinite here?",
                }.get(why, "")
                count = sum(row.why == why for row in unclear)
                self.doubt("noise" if "noise" in why else "domain", f"{why}, at {count} of {len(rows)}: {advice}")
        if kinks:
            sides = f"left {kinks[0].left:.6g}, right {kinks[0].right:.6g}, yours {kinks[0].yours:.6g}"
            self.doubt("kink", f"f has a kink here ({sides}): choose another point, or pass kinks='subgradient'")
        taken = [row for row in rows if row.status == "ok" and row.left != row.right]
        if taken:
            row = taken[0]
            named = "left" if row.yours == row.left else "right" if row.yours == row.right else "between"
            self.note(f"{len(taken)} at a kink: yours {row.yours:.6g} of left {row.left:.6g}, "
                              f"right {row.right:.6g} ({named})")  # fmt: skip
        vague = []
        for row in rows:
            size = max(abs(row.yours), abs(row.numeric))
            unsure = row.bound + abs(row.yours - row.numeric)
            if (
                row.status == "ok"
                and row.left == row.right
                and unsure > 2 * (tolerance.rtol * size + tolerance.atol)
                and size
            ):
                vague.append(min(unsure / size, 1.0))
        if vague:
            self.note(f"{len(vague)} of {len(rows)} {self.unit} could only be compared to {max(vague):.0e}: "
                      f"f returns no more digits")  # fmt: skip
        failed = bool(self.findings) or any(row.status == "wrong" for row in rows)
        verdict = FAIL if failed else INCONCLUSIVE if self.doubts else PASS
        title = {FAIL: wrong, PASS: right, INCONCLUSIVE: f"inconclusive: whether {right}"}[verdict]
        allowed = f"rtol={tolerance.rtol:.0e}, atol={tolerance.atol:g}"
        return Report(
            verdict, title, self.unit, allowed, rows, self.findings, [] if failed else self.doubts,
            self.hints, self.notes, self.reproduce,
        )  # fmt: skip
