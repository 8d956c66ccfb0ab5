"""Comparing at one point: what is looked at, and when a number counts as wrong."""

import numpy as np
import pytest

from autograd.testing.comparison import Claim, Tolerance, compare
from autograd.testing.numerical import Point

RNG = np.random.default_rng(0)
TIGHT = Tolerance(1e-6, 0.0)


def compared(f, x, gradient, tolerance=TIGHT):
    point = Point(lambda flat: np.atleast_1d(f(flat)), x)
    return compare(
        point, Claim(np.atleast_2d(gradient)), lambda i, j: str(i), tolerance, np.random.default_rng(0)
    ), point


@pytest.mark.parametrize("n", [1, 10, 64, 65, 1000, 3000])
@pytest.mark.parametrize("wrong", [0, -1])
def test_a_single_wrong_entry_is_found_by_bisection(n, wrong):
    x = RNG.normal(size=n)
    gradient = np.cos(x)
    gradient[wrong] += 1e-3
    result, point = compared(lambda x: np.sum(np.sin(x)), x, gradient)
    assert [row.place for row in result.rows if row.status == "wrong"] == [str(wrong % n)]
    assert point.asked < 1500
    right, _ = compared(lambda x: np.sum(np.sin(x)), x, np.cos(x))
    assert all(row.status == "ok" for row in right.rows)
    assert not right.findings


def test_nan_is_found_among_many():
    x = RNG.normal(size=1000)
    gradient = np.cos(x)
    gradient[123] = np.nan
    result, _ = compared(lambda x: np.sum(np.sin(x)), x, gradient)
    assert [row.place for row in result.rows if row.status == "wrong"] == ["123"]


def test_tolerance_is_relative_to_the_entry():
    x = np.array([1e-4, 1.0])
    off = np.array([2e-4 * (1 + 1e-5), 2.0])
    wrong, _ = compared(lambda x: np.sum(x**2), x, off)
    assert [row.status for row in wrong.rows] == ["wrong", "ok"]
    right, _ = compared(lambda x: np.sum(x**2), x, off, Tolerance(1e-4, 0.0))
    assert [row.status for row in right.rows] == ["ok", "ok"]
    right, _ = compared(lambda x: np.sum(x**2), x, off, Tolerance(1e-6, 1e-8))
    assert [row.status for row in right.rows] == ["ok", "ok"]


def test_ties():
    x = np.array([1.0, 3.0, 3.0])
    for gradient, status in (([0, 0.5, 0.5], "ok"), ([0, 1, 0], "ok"), ([0, 1, 1], "wrong"), ([0, 0, 0], "wrong")):
        result, _ = compared(
            lambda x: np.max(x.real), x, np.array(gradient, float), Tolerance(1e-6, 0.0, "subgradient")
        )
        assert [row.status for row in result.rows][1:] == [status] * 2, gradient


def test_nothing_to_compare():
    result, _ = compared(lambda x: np.zeros(0), np.zeros(3), np.zeros((0, 3)))
    assert not result.rows
