"""The numerical derivative, with a bound on its error: what everything here is held against.

`Point` is a function at one point. `Point.slope` gives the derivative of all its outputs along a direction. The
direction is in units of the point (a step of 1 doubles every entry), so that steps are relative to each entry.

1. One-sided differences at a step of 2⁻²⁴ say whether the function has a kink or a jump right here.
2. The complex step Im f(x + ih v) / h is exact to rounding for analytic functions that compute with complex numbers.
   It is believed where it agrees with differences, and not tried where arguments or results are complex already:
   these are a real and an imaginary part each, and all of it is about real functions of real numbers.
3. Otherwise central differences on a ladder of halved steps, extrapolated (Richardson, Ridders), for each output
   the entry of the table with the smallest error: what neighbours in the table differ by, and noise over step.
   A result of large steps that small ones contradict (a kink in between) is thrown away. Levels that are not finite
   are skipped; at the edge of a domain differences are one-sided.

Noise, the error in one number that f returns, is measured by third differences at tiny steps, in which all that
is smooth drops out. A float32 hidden inside f shows there.

References
----------
C. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)" (1982); W. Squire and G. Trapp, "Using complex variables
to estimate derivatives of real functions" (1998); R. Hamming, "Numerical Methods for Scientists and Engineers" (1962),
on difference tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = Any
Function = Callable[[Array], Array]

EPS = float(np.finfo(float).eps)
NEAR = 2.0**-24
"""The step at which a function is asked whether it has a kink here."""
LEVELS = 30
COLUMNS = 6


class Slope(NamedTuple):
    """The derivative of every output along one direction."""

    value: Array
    bound: Array
    """The true one lies within value ± bound, as far as can be told."""
    left: Array
    right: Array
    """One-sided derivatives; where there is no kink, equal to the value."""
    kink: Array
    """Whether left and right differ."""
    jump: Array
    """Whether the function itself jumps here."""
    method: str
    """``"complex step"``, ``"differences"`` or ``"one-sided differences"``."""


def _agreed(a: Array, b: Array) -> Array:
    """Of two measurements of noise the larger; if they differ by far, what is smooth has got into one: the smaller."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    return np.where(high > 30 * low, low, high)


class Point:
    """A function of n numbers with q results, at one point.

    Parameters
    ----------
    function : callable
        From a vector of n numbers to a vector of q. It may raise where it is not defined.
    x : vector of float64
    low, high : float
        Where the function may be asked.
    entries : vector, optional
        The numbers that `x` is made of, where they are complex. Steps are relative to their absolute values.
    imaginary : dict, optional
        Which number of `x` is the imaginary part of an entry.
    """

    def __init__(
        self,
        function: Function,
        x: Array,
        low: float = -np.inf,
        high: float = np.inf,
        entries: Array | None = None,
        imaginary: dict[int, int] | None = None,
    ):
        self.function, self.x, self.low, self.high = function, x, low, high
        self.entries, self.imaginary = x if entries is None else entries, imaginary or {}
        self.y = np.asarray(function(x.copy()), float)
        self.asked = 1
        size = np.abs(self.entries)
        size = np.concatenate([size, size[list(self.imaginary)]]) if self.imaginary else size
        size = np.where(size == 0, np.median(size[size != 0]) if np.any(size) else 1.0, size)
        # Powers of two, so that x + step is exact for most steps.
        self.unit = np.exp2(np.round(np.log2(np.clip(size, 1e-290, 1e290))))
        self.analytic = True  # until it turns out otherwise
        self._noise: Array | None = None

    # ---------------------------------------------------------------- asking

    def at(self, move: Array) -> Array:
        """The function at x + move; NaN where it has no value, or may not be asked."""
        self.asked += 1
        moved = self.x + move
        if not np.iscomplexobj(move) and (np.any(moved < self.low) or np.any(moved > self.high)):
            return np.full(self.y.shape, np.nan)
        try:
            result = np.asarray(self.function(moved))
        except Exception:  # whatever a function says where it is not defined
            return np.full(self.y.shape, np.nan)
        if result.shape != self.y.shape or (np.iscomplexobj(result) and not np.iscomplexobj(move)):
            return np.full(self.y.shape, np.nan)
        return result

    def noise(self, direction: Array) -> Array:
        """The error of one evaluation, for each output; measured once, along the first direction asked for."""
        if self._noise is None:
            floor = EPS * np.abs(self.y)
            measured, still = self._third_differences(direction, 2.0**-20)
            if np.any(measured > 30 * floor):  # noise, or a function that oscillates on that scale
                (fine, silent), (finest, _) = (self._third_differences(direction, 2.0**-k) for k in (30, 36))
                measured = np.where(silent, measured, _agreed(measured, np.maximum(fine, finest)))
            if np.any(still):  # quantised more coarsely than the steps, or really constant
                coarser, _ = self._third_differences(direction, 2.0**-10)
                measured = np.where(still & (coarser > 1e-7 * np.abs(self.y)), coarser, measured)
            self._noise = np.maximum(floor, measured)
        return self._noise

    def _third_differences(self, direction: Array, step: float) -> tuple[Array, Array]:
        """The noise, and where nothing moved. From each side alone, so that a kink right here is not taken for it."""
        sides = []
        still = np.ones(self.y.shape, bool)
        for side in (1, -1):
            values = np.array([self.y if k == 0 else self.at(direction * (k * side * step)) for k in range(7)])
            third = 3 * np.sqrt(np.mean(np.diff(values, 3, axis=0) ** 2, axis=0) / 20)
            sides.append(np.where(np.isfinite(third), third, np.inf))
            still &= np.all(values == self.y, axis=0)
        best = _agreed(*sides)
        return np.where(np.isfinite(best), best, 0.0), still

    # ---------------------------------------------------------------- the derivative

    def slope(self, direction: Array) -> Slope:
        """The derivative along ``direction``, a vector of n."""
        noise = self.noise(direction)
        after, before = self.at(direction * NEAR), self.at(direction * -NEAR)
        right, left = (after - self.y) / NEAR, (self.y - before) / NEAR
        slack = 8 * np.maximum(noise, EPS * np.maximum(np.abs(after), np.abs(before))) / NEAR
        smooth = np.abs(right - left) <= slack  # False for NaN
        step = None
        if self.analytic and np.all(np.isfinite(right) & np.isfinite(left)):  # not at the edge of a branch
            step = self._complex_step(direction)
        if step is not None:
            agrees = np.abs((right + left) / 2 - step) <= slack + 1e-6 * np.abs(step)
            if np.all(smooth & agrees & (slack <= 1e-3 * np.abs(step))):
                return self._exact(step)
        result = self._differences(direction, noise, right, left, slack)
        if not np.all(smooth):
            result = self._at_kinks(direction, noise, result, smooth)
        if step is not None:
            plain = ~(result.kink | result.jump)
            agrees = np.abs(step - result.value) <= 2 * result.bound + 1e-9 * np.abs(step)
            agrees |= (result.value == 0) & (np.abs(step) <= 16 * EPS * np.abs(self.y))
            if np.all(agrees[plain]):
                exact = self._exact(step)
                value = np.where(plain, step, result.value)
                bound = np.where(plain, np.maximum(exact.bound, 1e-6 * result.bound), result.bound)
                method = "complex step" if np.all(plain) else result.method
                pair = np.where(plain, step, result.left), np.where(plain, step, result.right)
                return result._replace(value=value, bound=bound, left=pair[0], right=pair[1], method=method)
            self.analytic = False
        return result

    def _complex_step(self, direction: Array) -> Array | None:
        tiny = max(2.0**-150, 1e-290 / float(np.min(np.abs(direction[direction != 0]), initial=1.0)))
        result = self.at(1j * tiny * direction)
        noise = 0.0 if self._noise is None else self._noise
        real = np.abs(result.real - self.y) <= 1e-10 * np.abs(self.y) + 8 * noise + tiny
        if not np.iscomplexobj(result) or not np.all(np.isfinite(result)) or not np.all(real):
            self.analytic = False
            return None
        return result.imag / tiny

    def _exact(self, step: Array) -> Slope:
        bound = 1e-14 * np.abs(step) + 4 * EPS * np.max(np.abs(step), initial=0.0)
        no = np.zeros(step.shape, bool)
        return Slope(step, bound, step, step, no, no, "complex step")

    def _differences(self, direction: Array, noise: Array, right: Array, left: Array, slack: Array) -> Slope:
        value, bound = self._ladder(direction, noise, 0, 3)
        centre = (right + left) / 2
        with np.errstate(all="ignore"):
            refuted = ~(np.abs(centre - value) <= 4 * bound + slack) & np.isfinite(centre)
        flat = refuted & (right == 0) & (left == 0)
        if np.any(flat):  # flat from close by and not from afar: a kink in between, or numbers rounded to a few digits
            coarse, _ = self._third_differences(direction, 2.0**-10)
            rounded = flat & (coarse > 1e-8 * np.abs(self.y)) & (coarse > 30 * noise)
            if np.any(rounded):
                self._noise = noise = np.where(rounded, coarse, noise)
                other, error = self._ladder(direction, noise, 0, 3)
                value, bound = np.where(rounded, other, value), np.where(rounded, error, bound)
                refuted &= ~rounded
        if np.any(refuted):
            finer = self._ladder(direction, noise, 0, 18)
            value, bound = np.where(refuted, finer[0], value), np.where(refuted, finer[1], bound)
        small = self.unit < 0.25
        if np.any(bound > 1e-9 * np.abs(value)) and np.any(small & (direction != 0)):
            # Entries much smaller than 1, in a function that need not care: exp at 1e-12.
            wide = np.where(small, direction / self.unit, direction)
            gain = float(np.max(np.abs(wide)) / max(np.max(np.abs(direction)), 1e-300))
            if np.count_nonzero(direction) == 1:
                other, error = self._ladder(wide, noise, 0, 3)
                other, error = other / gain, error / gain
                better = (error < bound) & ~(np.abs(other - value) > bound + error)
                value, bound = np.where(better, other, value), np.where(better, error, bound)
        method = "differences"
        lost = ~np.isfinite(value)
        if np.any(lost):  # nothing on one side: at the edge of where f is defined
            for side in (1, -1):
                one_sided, error = self._ladder(direction, noise, side, 3)
                use = lost & np.isfinite(one_sided)
                value, bound = np.where(use, one_sided, value), np.where(use, error, bound)
                lost = lost & ~use
                method = "one-sided differences" if np.any(use) else method
        no = np.zeros(value.shape, bool)
        return Slope(value, bound, value, value, no, no, method)

    def _ladder(self, direction: Array, noise: Array, side: int, first: int) -> tuple[Array, Array]:
        """Value and bound by extrapolated differences: central (side 0), right (1) or left (-1)."""
        best = np.full(self.y.shape, np.nan)
        error = np.full(self.y.shape, np.inf)
        row: list[Array] = []
        power = 4.0 if side == 0 else 2.0
        worse = 0
        still = np.ones(self.y.shape, bool)
        for level in range(first, first + LEVELS):
            step = 2.0**-level
            ahead = self.y if side == -1 else self.at(direction * step)
            behind = self.y if side == 1 else self.at(direction * -step)
            width = 2 * step if side == 0 else step
            still &= (ahead == self.y) & (behind == self.y)
            with np.errstate(all="ignore"):
                new = [(ahead - behind) / width]
                size = np.maximum(np.abs(ahead), np.abs(behind))
                rounding = 4 * np.maximum(noise, EPS * size) / width
                for column, former in enumerate(row[: COLUMNS - 1], start=1):
                    factor = power**column
                    new.append((factor * new[-1] - former) / (factor - 1))
                    gap = np.maximum(np.abs(new[-1] - new[-2]), np.abs(new[-1] - former))
                    guess = 2 * gap + rounding
                    better = guess < error
                    best, error = np.where(better, new[-1], best), np.where(better, guess, error)
                row = new
                target = 1e-12 * np.abs(best) + 4 * rounding
            if level >= first + 3:
                if np.all((error <= target) | still):
                    break
                worse = worse + 1 if np.all((rounding > error) | still) else 0
                if worse > 1:  # smaller steps have more noise than the best has error
                    break
        # What no step changes by a single bit does not depend on this direction.
        return np.where(still, 0.0, best), np.where(still, 0.0, error)

    def _at_kinks(self, direction: Array, noise: Array, result: Slope, smooth: Array) -> Slope:
        """Which of the outputs that are not smooth at `NEAR` have a kink or jump; others may have one nearby."""
        bends, slacks = [], []
        for step in (2.0**-26, 2.0**-28, 2.0**-30):
            after, before = self.at(direction * step), self.at(direction * -step)
            bends.append((after - 2 * self.y + before) / step)
            slacks.append(8 * np.maximum(noise, EPS * np.abs(after)) / step)
        with np.errstate(all="ignore"):
            growth = bends[1] / bends[0], bends[2] / bends[1]
            seen = ~smooth & np.isfinite(bends[2]) & (np.abs(bends[2]) > slacks[2])
            steps = (2.0**-26, 2.0**-28, 2.0**-30)
            high = np.abs(bends[2]) * steps[2] > 1e4 * EPS * np.abs(self.y)
            jump = seen & (growth[0] > 3) & (growth[1] > 3) & high
            kink = seen & (growth[0] > 0.5) & (growth[1] > 0.5) & (growth[0] < 2) & (growth[1] < 2)
            here = jump | kink
            heights = np.array([np.abs(bend) * step for bend, step in zip(bends, steps, strict=True)])
            rough = seen & ~here & (np.maximum(*np.abs(growth)) > 0.5) & (np.max(heights, axis=0) > 2 * noise)
        if np.any(rough):  # there is more noise than was measured
            self._noise = noise = np.where(rough, np.max(heights, axis=0), noise)
            result = self._differences(direction, noise, result.right, result.left, 8 * noise / NEAR)
        with np.errstate(all="ignore"):
            sides, errors = [], []
            for sign in (1, -1):
                coarse = (self.at(direction * sign * 2.0**-21) - self.y) * sign * 2.0**21
                fine = (self.at(direction * sign * 2.0**-22) - self.y) * sign * 2.0**22
                sides.append(2 * fine - coarse)
                errors.append(np.abs(fine - coarse) * 1e-3 + 16 * noise * 2.0**22)
        right, left = np.where(here, sides[0], result.right), np.where(here, sides[1], result.left)
        return result._replace(
            bound=np.where(here, np.maximum(*errors), result.bound),
            left=left,
            right=right,
            kink=here & ~jump,
            jump=jump,
        )
