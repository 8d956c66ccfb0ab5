"""Yours against the numerical derivative at one point: entry by entry, or by directions and bisection if many.

Up to `ALL` entries every one is looked at. Of more, random directions are, in which every entry has its part;
where one disagrees, its entries are halved until the wrong ones stand alone; besides, `DRAWN` entries are drawn.
The verdict is always that of an entry: directions only say where to look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .numerical import EPS, Point, Slope
from .report import Finding, Row

Array = Any
ALL = 64
DRAWN = 32
DIRECTIONS = 3
LOOSE = 0.1
"""The largest relative bound on the numerical derivative's error with which it still says something."""


class Tolerance(NamedTuple):
    rtol: float
    atol: float
    kinks: str = "error"
    rounding: float = 8 * EPS
    """Relative to the largest derivative: what rounding in the gradient itself may come to."""


class Claim:
    """What the derivative is said to be: of q outputs by n coordinates, a matrix, or for elementwise functions the
    diagonal of one, of `count` numbers.

    Where results are complex, there are two such matrices below each other, of their real and imaginary parts; where
    arguments are and results are not, two beside each other.
    """

    def __init__(self, matrix: Array, count: int = 0):
        self.matrix, self.count = np.asarray(matrix, float), count
        finite = np.abs(self.matrix[np.isfinite(self.matrix)])
        self.largest = float(np.max(finite, initial=0.0))

    def along(self, direction: Array) -> Array:
        if not self.count:
            return self.matrix @ direction
        return np.sum((self.matrix * direction).reshape(len(self.matrix), -1, self.count), axis=1).ravel()

    def allowance(self, direction: Array, power: int) -> Array:
        """(sum |entry * step| ^ power) ^ (1 / power) for each output: how far entries a little off can bring it."""
        parts = np.abs(self.matrix * direction)
        if self.count:
            parts = parts.reshape(len(parts), -1, self.count).swapaxes(1, 2).reshape(len(parts) * self.count, -1)
        return np.sum(parts**power, axis=1) ** (1 / power)

    def entry(self, i: int) -> Array:
        if not self.count:
            return self.matrix[:, i]
        column = np.zeros((len(self.matrix), self.count))
        column[:, i % self.count] = self.matrix[:, i]
        return column.ravel()


class Comparison(NamedTuple):
    rows: list[Row]
    findings: list[Finding]
    checked: str


class Entry(NamedTuple):
    """The derivatives of all outputs by one entry."""

    yours: Array
    numeric: Array
    bound: Array
    left: Array
    right: Array
    states: list[str]
    excess: Array
    why: list[str]

    def parts(self) -> tuple[Entry, Entry]:
        """The first half of the outputs, and the second."""
        half = len(self.yours) // 2
        return Entry(*(a[:half] for a in self)), Entry(*(a[half:] for a in self))


SEVERITY = {"wrong": 0, "unclear": 1, "kink": 2, "ok": 3}


def joined(a: Entry, b: Entry, sign: int = 1) -> Entry:
    """Complex derivatives, of their real and imaginary parts."""
    numbers = [p + 1j * sign * q for p, q in ((a.yours, b.yours), (a.numeric, b.numeric))]
    sides = [p + 1j * sign * q for p, q in ((a.left, b.left), (a.right, b.right))]
    worse = [SEVERITY[p] > SEVERITY[q] for p, q in zip(a.states, b.states, strict=True)]
    states, why = ([q if take else p for p, q, take in zip(of_a, of_b, worse, strict=True)]
                   for of_a, of_b in ((a.states, b.states), (a.why, b.why)))  # fmt: skip
    excess = np.maximum(a.excess, b.excess)
    return Entry(numbers[0], numbers[1], np.hypot(a.bound, b.bound), sides[0], sides[1], states, excess, why)


def judge(
    yours: Array,
    slope: Slope,
    unit: float,
    largest: float,
    noise: Array,
    tolerance: Tolerance,
    size: Array | None = None,
) -> tuple[list[str], Array]:
    """For each output ``"ok"``, ``"wrong"``, ``"kink"`` or ``"unclear"``; and how far it is beyond what is allowed.

    `size`: of the derivatives, where they are more than the absolute value of these parts of them.
    """
    with np.errstate(all="ignore"):
        numeric, bound = slope.value / unit, slope.bound / unit
        left, right = slope.left / unit, slope.right / unit
        size = np.abs(numeric) if size is None else size
        # A derivative with which a step as large as x changes nothing but the last digit of f is as good as zero.
        floor = tolerance.rounding * largest + noise / unit
        allowed = tolerance.atol + tolerance.rtol * size + floor
        difference = np.abs(yours - numeric)
        low, high = np.minimum(left, right), np.maximum(left, right)
        inside = (yours >= low - allowed - bound) & (yours <= high + allowed + bound)
        # A bound that is large against the number says little, unless both are nothing against rounding.
        nothing = np.maximum(1e-3 * bound, 4 * noise / unit)
        enough = np.maximum(LOOSE * size, np.maximum(allowed, tolerance.rtol * largest))
        clear = (bound <= enough) | ((np.abs(yours) <= nothing) & (np.abs(numeric) <= bound + nothing))
        states = np.where(difference <= allowed + bound, np.where(clear, "ok", "unclear"), "wrong")
        states = np.where(~np.isfinite(numeric) | ~np.isfinite(bound), "unclear", states)
        vague = ~(bound <= LOOSE * size) & (
            (slope.method == "one-sided differences") | (bound > 1e-6 * np.maximum(noise / (16 * EPS) / unit, 1e-3))
        )
        states = np.where(~np.isfinite(yours) & np.isfinite(numeric), np.where(vague, "unclear", "wrong"), states)
        states = np.where(slope.kink, np.where(inside, "kink", "wrong"), states)
        states = np.where(slope.jump, "unclear", states)
        excess = np.where(slope.kink, np.maximum(low - yours, yours - high), difference) / (allowed + bound + 1e-300)
    return [str(state) for state in states], np.where(np.isfinite(excess), excess, 1e300)


def weighted(slope: Slope, weights: Array) -> Slope:
    """The derivative of weighted sums of the outputs."""
    used = weights != 0

    def summed(numbers: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.sum(np.where(used, weights * numbers, 0.0), axis=1)

    bound = np.sum(np.where(used, np.abs(weights) * slope.bound, 0.0), axis=1)
    jump = np.any(used & slope.jump, axis=1)
    kink = np.any(used & slope.kink, axis=1) & ~jump
    return Slope(summed(slope.value), bound, summed(slope.left), summed(slope.right), kink, jump, slope.method)


def why_unclear(slope: Slope, j: int) -> str:
    if slope.jump[j]:
        return "f jumps here"
    if not np.isfinite(slope.value[j]):
        return "f is not defined around here"
    if not np.isfinite(slope.bound[j]) or slope.method == "one-sided differences":
        return "no numerical derivative"
    return "noise hides it"


def compare(
    point: Point,
    claim: Claim,
    place: Callable[[int, int | None], str],
    tolerance: Tolerance,
    rng: np.random.Generator,
    of: str = "gradient",
    weights: Array | None = None,
    *,
    complex_results: bool = False,
    sign: int = 1,
) -> Comparison:
    """Compare a claim with the numbers at one point.

    Parameters
    ----------
    place : callable
        ``place(i, j)``: the name of entry i, and of output j if that matters.
    of : str
        ``"gradient"`` (one output), ``"elementwise"``, ``"jacobian"`` or ``"seeds"`` (the claim is about weighted sums
        of the outputs).
    weights : array, optional
        The weights of these sums, in rows.
    complex_results : bool
        The second half of the outputs are the imaginary parts of the first.
    sign : int
        For complex arguments a + ib: a derivative is that by a plus `sign` i times that by b.
    """
    entries = len(point.entries)
    owner = np.concatenate([np.arange(entries), np.array(list(point.imaginary), int)])  # of each coordinate, its entry
    n, q = len(point.x), len(point.y) if weights is None else len(weights)
    if n == 0 or len(point.y) == 0:
        return Comparison([], [], "nothing")
    size = np.abs(point.y) if weights is None else np.abs(weights) @ np.abs(point.y)
    finite = np.isfinite(size)
    noise = 16 * EPS * np.where(finite, size, 0.0)

    def slope_along(direction: Array) -> Slope:
        slope = point.slope(direction)
        slope = slope if weights is None else weighted(slope, weights)
        return slope if np.all(finite) else slope._replace(value=np.where(finite, slope.value, np.nan))

    ys = point.y[: len(point.y) // 2] + 1j * point.y[len(point.y) // 2 :] if complex_results else point.y
    rows: dict[tuple[int, int], Row] = {}
    findings: list[Finding] = []
    everything = point.unit * rng.uniform(0.5, 1.5, n) * rng.choice([-1.0, 1.0], n)
    point.noise(everything)
    kinked: list[int] = []

    def slope_by(i: int) -> Slope:
        direction = np.zeros(n)
        direction[i] = point.unit[i]
        return slope_along(direction)

    def judged(i: int, slope: Slope, size: Array | None) -> Entry:
        yours, unit = claim.entry(i), point.unit[i]
        states, excess = judge(yours, slope, unit, claim.largest, noise, tolerance, size)
        if np.any(slope.kink):
            kinked.append(i)
        why = [why_unclear(slope, j) if state == "unclear" else "" for j, state in enumerate(states)]
        numeric, bound, left, right = (a / unit for a in (slope.value, slope.bound, slope.left, slope.right))
        return Entry(yours, numeric, bound, left, right, states, excess, why)

    def look(i: int) -> bool:
        """Compare entry i; whether it is wrong."""
        slope = slope_by(i)
        if complex_results:
            size = np.tile(np.hypot(*np.split(slope.value / point.unit[i], 2)), 2)
            entry = joined(*judged(i, slope, size).parts())
        elif i in point.imaginary:
            k = point.imaginary[i]
            other = slope_by(k)
            size = np.hypot(slope.value / point.unit[i], other.value / point.unit[k])
            entry = joined(judged(i, slope, size), judged(k, other, size), sign)
        else:
            entry = judged(i, slope, None)
        states, excess = entry.states, entry.excess
        main = i if of == "elementwise" else int(np.argmax(excess))
        chosen = [j for j, state in enumerate(states) if state == "wrong"] if of in ("jacobian", "elementwise") else []
        worst = min(range(len(states)), key=lambda j: (SEVERITY[states[j]], -excess[j]))
        for j in chosen[:20] or [worst if states[worst] != "ok" else main]:
            status, why = states[j], entry.why[j]
            kept = status if status != "kink" or tolerance.kinks == "error" else "ok"
            if status == "wrong" and of == "elementwise" and j != i:
                why = "yours takes f for elementwise"
            named = place(i, j if of == "jacobian" or (of == "elementwise" and j != i) else None)
            y = ys[j].item() if of in ("gradient", "elementwise") else None
            rows[i, j] = Row(
                named, point.entries[i].item(), y,
                entry.yours[j].item(), entry.numeric[j].item(), entry.bound[j].item(), kept,
                entry.left[j].item(), entry.right[j].item(), slope.method, why,
            )  # fmt: skip
        return "wrong" in states

    def look_at_ties() -> None:
        """Entries with a kink that are equal, in x and in what they are given, are moved together: max of ties."""
        for x in dict.fromkeys(point.x[kinked].tolist()):
            tied = [i for i in kinked if point.x[i] == x]
            columns = np.array([claim.entry(i) for i in tied])
            if len(tied) < 2 or of not in ("gradient", "seeds") or np.any(np.abs(columns - columns[0]) > 0):
                continue
            direction = np.zeros(n)
            direction[tied] = point.unit[tied[0]]
            slope = slope_along(direction)
            states, _ = judge(claim.along(direction), slope, 1.0, claim.largest, noise, tolerance)
            for j in (j for j in range(q) if states[j] == "wrong" and slope.value[j]):
                times = claim.along(direction)[j] / slope.value[j]
                for i in tied:
                    for key in [key for key in rows if key[0] == owner[i]]:
                        why = f"a tie: together {times:.3g} times the derivative along all {len(tied)}"
                        rows[key] = replace(rows[key], status="wrong", why=why)
                break

    if entries <= ALL:
        for i in range(entries):
            look(i)
        look_at_ties()
        return Comparison(list(rows.values()), findings, f"all {entries}")

    def disagrees(direction: Array) -> tuple[bool, bool]:
        """Whether a direction gives reason to look closer; and whether no sum of allowed errors explains it."""
        slope = slope_along(direction)
        with np.errstate(all="ignore"):
            difference = np.abs(claim.along(direction) - slope.value)
            floor = tolerance.rounding * claim.largest * np.max(np.abs(direction))
            sure = np.isfinite(slope.value) & np.isfinite(slope.bound) & ~slope.kink & ~slope.jump
            mild = tolerance.rtol * claim.allowance(direction, 2) + tolerance.atol * np.linalg.norm(direction)
            most = tolerance.rtol * claim.allowance(direction, 1) + tolerance.atol * np.sum(np.abs(direction))
            rounding = floor * np.sqrt(np.count_nonzero(direction))
            near = np.any(~(difference <= mild / 4 + rounding + slope.bound) & sure)
            far = np.any(~(difference <= 4 * most + 4 * rounding + 4 * slope.bound) & sure)
        return bool(near), bool(far)

    certain = False
    found: set[int] = set()
    for _ in range(DIRECTIONS):
        direction = point.unit * rng.uniform(0.5, 1.5, n) * rng.choice([-1.0, 1.0], n)
        near, far = disagrees(direction)
        certain = certain or far
        if not near or found:
            continue
        parts = [np.arange(n)]
        for _ in range(12 + 12 * int(np.log2(n))):
            if not parts or len(found) >= 8:
                break
            part = parts.pop()
            if len(part) == 1:
                if look(int(owner[part[0]])):
                    found.add(int(owner[part[0]]))
                continue
            for half in (part[len(part) // 2 :], part[: len(part) // 2]):
                along = np.zeros(n)
                along[half] = direction[half]
                if disagrees(along)[0]:
                    parts.append(half)
    bad = ~np.all(np.isfinite(claim.matrix), axis=0)
    drawn = [*owner[np.flatnonzero(bad)[:8]], *rng.choice(entries, DRAWN, replace=False)]
    for i in drawn:
        if not any((int(i), j) in rows for j in range(min(q, 4))):
            look(int(i))
    look_at_ties()
    if certain and not any(row.status == "wrong" for row in rows.values()):
        findings.append(Finding("values", "in a random direction the derivative is another than the gradient gives"))
    return Comparison(
        list(rows.values()),
        findings,
        f"{entries} entries, along {DIRECTIONS} random directions and {len({i for i, _ in rows})} by themselves",
    )
