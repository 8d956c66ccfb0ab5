"""The numerical derivative: accurate to many digits, and honest about how many."""

import numpy as np
import pytest

from autograd.testing.numerical import Point

mpmath = pytest.importorskip("mpmath")
FUNCTIONS = {
    "exp": (np.exp, mpmath.exp, mpmath.exp, [0.0, 1.0, -3.0, 30.0, 1e-8, -20.0]),
    "sin": (np.sin, mpmath.sin, mpmath.cos, [0.0, 1.0, 10.0, 100.0, 1e4, 1e-9]),
    "log": (np.log, mpmath.log, lambda x: 1 / x, [1e-8, 0.5, 1.0, 1e6]),
    "sqrt": (np.sqrt, mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x)), [1e-8, 1.0, 1e8]),
    "tanh": (np.tanh, mpmath.tanh, lambda x: 1 / mpmath.cosh(x) ** 2, [0.0, 1.0, 5.0]),
    "sigmoid(200 x)": (
        lambda x: 1 / (1 + np.exp(-200 * x)),
        None,
        lambda x: 200 * mpmath.exp(-200 * x) / (1 + mpmath.exp(-200 * x)) ** 2,
        [0.01, 0.05, -0.05, 0.0],
    ),
    "x^x": (lambda x: x**x, None, lambda x: x**x * (mpmath.log(x) + 1), [0.5, 2.0, 5.0]),
    "sin(1/x)": (lambda x: np.sin(1 / x), None, lambda x: -mpmath.cos(1 / x) / x**2, [0.05, 0.3, 2.0]),
    "x² exp(-x²)": (
        lambda x: x**2 * np.exp(-(x**2)),
        None,
        lambda x: 2 * x * (1 - x**2) * mpmath.exp(-(x**2)),
        [-1.5, 0.5, 2.0, 4.0],
    ),
    "1e-9 sin": (lambda x: 1e-9 * np.sin(x), None, lambda x: mpmath.mpf(1e-9) * mpmath.cos(x), [0.7, 1.5]),
    "arctan": (np.arctan, None, lambda x: 1 / (1 + x**2), [0.0, 3.0, 1e3]),
    "x³ - 2x": (lambda x: x**3 - 2 * x, None, lambda x: 3 * x**2 - 2, [-1.5, 0.0, 2.0, 1e3]),
    "(x - 1)^5": (lambda x: (x - 1) ** 5, None, lambda x: 5 * (x - 1) ** 4, [1.01, 2.0]),
}
POINTS = [pytest.param(f, df, x, id=f"{name} at {x:g}") for name, (f, _, df, xs) in FUNCTIONS.items() for x in xs]


def numerical(f, x, complex_step=True):
    def function(flat):
        if np.iscomplexobj(flat) and not complex_step:
            raise TypeError
        return np.atleast_1d(f(flat))

    with np.errstate(all="ignore"):
        point = Point(function, np.array([x]))
        slope = point.slope(point.unit)
    assert not slope.kink[0]
    assert not slope.jump[0]
    return slope.value[0] / point.unit[0], slope.bound[0] / point.unit[0], slope.method


def test_there_are_enough_points():
    assert len(POINTS) >= 40


@pytest.mark.parametrize("f, df, x", POINTS)
def test_complex_step_is_exact_to_rounding(f, df, x):
    with mpmath.workdps(50):
        truth = float(df(mpmath.mpf(x)))
    value, bound, method = numerical(f, x)
    assert method == "complex step"
    assert abs(value - truth) <= 1e-13 * abs(truth)
    assert abs(value - truth) <= bound + 1e-15 * abs(truth)


@pytest.mark.parametrize("f, df, x", POINTS)
def test_differences_are_within_their_bound(f, df, x):
    with mpmath.workdps(50):
        truth = float(df(mpmath.mpf(x)))
    value, bound, method = numerical(f, x, complex_step=False)
    assert method == "differences"
    assert abs(value - truth) <= bound
    assert bound <= 1e-4 * abs(truth)


def slope_of(f, x, **limits):
    with np.errstate(all="ignore"):
        point = Point(lambda flat: np.atleast_1d(f(flat[0])), np.array([x]), **limits)
        return point, point.slope(point.unit)


def test_a_kink_has_two_sides():
    _, slope = slope_of(abs, 0.0)
    assert slope.kink[0]
    assert slope.left[0] == pytest.approx(-1)
    assert slope.right[0] == pytest.approx(1)


def test_a_kink_beside_the_point_is_none():
    for distance in (1e-3, 2e-7, 1e-8, -1e-8):
        point, slope = slope_of(lambda x: max(x.real - 1, 0.0), 1 + distance)
        assert not slope.kink[0]
        assert slope.value[0] / point.unit[0] == pytest.approx(float(distance > 0), abs=1e-5)


def test_a_jump():
    _, slope = slope_of(np.floor, 1.0)
    assert slope.jump[0]
    assert not slope.kink[0]


def test_the_edge_of_the_domain():
    point, slope = slope_of(lambda x: x**2, 1.0, low=1.0, high=2.0)
    assert slope.method == "one-sided differences"
    assert abs(slope.value[0] / point.unit[0] - 2) <= slope.bound[0] / point.unit[0] < 1e-6
    asked = []
    point, slope = slope_of(lambda x: asked.append(x) or np.exp(x), 0.999, low=0.0, high=1.0)
    assert all(0 <= x <= 1 for x in np.real(asked))


def test_noise_shows_a_hidden_float32():
    def hidden(x):
        return np.float64(np.sin(np.float32(x)))

    point, slope = slope_of(hidden, 0.7)
    assert 1e-9 < point.noise(point.unit)[0] < 1e-6
    assert abs(slope.value[0] / point.unit[0] - np.cos(0.7)) <= slope.bound[0] / point.unit[0] < 1e-2


def test_each_output_has_its_own_bound():
    def f(x):
        return np.concatenate([np.exp(x), 1e-9 * np.sin(x), np.float32(x).astype(float)])

    with np.errstate(all="ignore"):
        point = Point(lambda x: f(x.real) if not np.iscomplexobj(x) else 1 / 0, np.array([1.0]))
        slope = point.slope(point.unit)
    truth = [np.e, 1e-9 * np.cos(1.0), 1.0]
    assert np.all(np.abs(slope.value - truth) <= slope.bound)
    assert slope.bound[0] < 1e-11
    assert slope.bound[1] < 1e-20


def test_an_output_that_never_changes_has_an_exact_zero():
    point = Point(lambda x: np.array([1e13, x[0]]), np.array([2.0]))
    slope = point.slope(point.unit)
    assert slope.value[0] == 0
    assert slope.bound[0] <= 1e-12
