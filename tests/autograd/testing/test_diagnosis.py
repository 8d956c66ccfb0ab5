"""What errors look like, piece by piece; whole hints are in test_by_hand."""

import numpy as np
import pytest

from autograd import Value
from autograd.testing.diagnosis import close, in_code, power_of_x, ratio_in_words, recorded, side_of, uses

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "ratio, words",
    [
        (-1.0, "the sign is wrong"),
        (2.0, "factor 2 too large"),
        (0.5, "factor 2 too small"),
        (12.0, "factor x.size too large: is a mean taken in f whose 1/n the derivative lacks?"),
        (1 / 12, "divided by x.size: f has a sum there, not a mean"),
        (np.log(10), "that is ln 10: log10 is ln / ln 10"),
        (-np.pi, "that is -pi"),
        (-3.0, "factor 3 too large and the sign wrong"),
        (1 / 7, "factor 7 too small"),
        (1.2345, "a constant factor too much or too little"),
    ],
)
def test_ratios_in_words(ratio, words):
    assert ratio_in_words(ratio, {"x.size": 12}) == words


@pytest.mark.parametrize(
    "x, wrong, words",
    [
        ([-2.0, -1.0, 1.0], [True, True, False], "wrong only for x < 0, right at the other 1"),
        ([-2.0, 0.5, 1.0], [False, True, True], "wrong only for x > 0, right at the other 1"),
        ([1.0, 2.0, 3.0], [False, False, True], "wrong only for x >= 3, right at the other 2"),
        ([-5.0, 1.0, 5.0], [True, False, True], "wrong only for |x| >= 5, right at the other 1"),
        ([-1.0, 0.0, 1.0, 2.0], [True, False, True, False], ""),
        ([1.0, 2.0], [True, True], ""),
    ],
)
def test_sides(x, wrong, words):
    assert side_of(np.array(x), np.array(wrong)) == words


def test_a_power_of_x():
    x = np.array([0.5, 1.0, 2.0])
    assert power_of_x(x, np.cos(x), x * np.cos(x), "x") == "numeric = yours * x: a factor is missing or too much"
    assert "* 3 / x**2" in power_of_x(x, x**2, np.array([3.0, 3.0, 3.0]), "x")
    assert power_of_x(x, np.cos(x), np.sin(x), "x") is None


def test_close_needs_finite_numbers():
    assert close(np.array([1.0]), np.array([1.0 + 1e-7]))
    assert not close(np.array([np.nan]), np.array([np.nan]))


@pytest.mark.parametrize(
    "build, text",
    [
        (lambda x, w: x * w + 1, "x * w + 1"),
        (lambda x, w: (x + w) * 2, "(x + w) * 2"),
        (lambda x, w: x - (w - 1), "x - (w - 1)"),
        (lambda x, w: -(x**2), "-x**2"),
        (lambda x, w: (-x) ** 2, "(-x)**2"),
        (lambda x, w: np.exp(-x / w), "exp(-x / w)"),
        (lambda x, w: x / (w * x), "x / (w * x)"),
        (lambda x, w: np.maximum(x, 0.5), "maximum(x, 0.5)"),
        (lambda x, w: x * np.ones((2, 3)), "x * array(2, 3)"),
    ],
)
def test_a_graph_as_code(build, text):
    assert in_code(build(Value(3.0, label="x"), Value(2.0, label="w"))) == text


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x**2 * np.exp(-x),
        lambda x: x * x * x,
        lambda x: np.sum(x) * x,
        lambda x: np.where(x > 0, x**2, -x) / (1 + x * x),
        lambda x: x[::-1] * x + np.mean(x),
        lambda x: np.stack([x, x**2]).sum(axis=0) @ x,
    ],
)
def test_the_parts_of_all_uses_sum_to_the_gradient(f):
    x = RNG.normal(size=4)
    variable, result = recorded(f, [x], 0, "x")
    upstream = RNG.normal(size=result.shape)[()]
    parts = uses(variable, result, upstream)
    assert len(parts) >= 2
    leaf = Value(x)
    f(leaf).backward(upstream)
    np.testing.assert_allclose(sum(use.part for use in parts), leaf.grad, rtol=1e-12)


def test_what_does_not_run_on_values_is_not_recorded():
    assert recorded(lambda x: float(x), [1.0], 0, "x") is None
    assert recorded(lambda x: 3.0, [1.0], 0, "x") is None
