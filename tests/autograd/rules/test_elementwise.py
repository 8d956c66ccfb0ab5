"""Elementwise functions that are composed of operations, and NumPy's other names and signatures for them."""

import math

import numpy as np
import pytest

from autograd import Value, relu, sigmoid
from autograd.errors import NoRuleError

from ..numerical import assert_close, check

X = np.array([[-1.7, -0.6, 0.3], [0.8, 1.4, 2.6]])
V = np.array([0.4, -1.2, 2.2])

CALLS = {
    "divmod": (lambda a: np.divmod(a, 0.75), X),
    "Python's divmod": (lambda a: divmod(a, 0.75), X),
    "modf": (np.modf, X),
    "fix": (np.fix, X),
    "around": (lambda a: np.around(a, decimals=0), X),
    "round to a digit": (lambda a: np.round(a, 1) * a, np.array([1.234, 5.678])),
    "pow": (lambda a: np.pow(a, 3), X),
    "power of a number": (lambda a: 2.0**a, X),
    "negative base": (lambda a: a**3.0 + a**-2, X),
    "powers by powers": (np.power, np.abs(X), V),
    "acos": (lambda a: np.acos(a / 3), X),
    "atan2": (np.atan2, X, V),
    "abs": (np.abs, X),
    "where": (lambda a, b: np.where(a > b, a * b, b), X, V),
    "where with numbers": (lambda a: np.where(X > 0, a, 2.0) + np.where([True, False, True], 1.0, a), X),
    "clip": (lambda a: np.clip(a, -1, 1), X),
    "clip by old names": (lambda a: np.clip(a, a_min=-1.0, a_max=None), X),
    "clip by new names": (lambda a: np.clip(a, max=1.0), X),
    "clip from below": (lambda a: np.clip(a, min=-1.0), X),
    "clip between arrays": (lambda a, b: np.clip(a, b, b + 0.9), X, V),
    "relu": (relu, X),
    "sigmoid": (sigmoid, X),
    "heaviside of a step": (lambda a, b: np.heaviside(a, b) * a, X, V),
    "modulo": (lambda a: a % 1.1 + 5.0 % np.abs(a), X),
    "nested": (lambda a: np.log1p(np.exp(-np.abs(a))) + np.maximum(a, 0), X),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_composed(call):
    if np.lib.NumpyVersion(np.__version__) < "2.1.0" and call in (CALLS["clip by new names"], CALLS["clip from below"]):
        pytest.skip("np.clip has these names since NumPy 2.1")
    check(*call)


def test_where_of_a_condition_alone_gives_indices():
    assert [list(i) for i in np.where(Value(X) > 1)] == [[1, 1], [1, 2]]


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.clip(v, 0, 1, out=np.zeros(3)),
        lambda v: np.clip(v, 0, 1, np.zeros(3)),
        lambda v: np.round(v, 1, np.zeros(3)),
        lambda v: np.add(v, 1, where=[True, False, True]),
        lambda v: np.add(v, 1, dtype=np.float32),
        lambda v: np.bitwise_and(v, 1),
    ],
)
def test_what_has_no_rule_is_refused(call):
    with pytest.raises(NoRuleError):
        call(Value(V))


@pytest.mark.parametrize("order", range(1, 6))
def test_sinc_is_smooth_at_zero(order):
    # The n-th derivative of sinc at 0 is (iπ)ⁿ / (n + 1) for even n, and 0 for odd.
    leaf = x = Value(0.0)
    y = np.sinc(x)
    for _ in range(order):
        leaf.zero_grad()
        y.backward(create_graph=True)
        y = leaf.grad
    wanted = 0.0 if order % 2 else (-1) ** (order // 2) * math.pi**order / (order + 1)
    assert_close(y.data, wanted, 1e-12)


def test_sinc_near_zero_does_not_cancel():
    # sinc'(x) = -π² x / 3 + π⁴ x³ / 30 - ...
    x = Value([1e-12, 1e-6, 1e-3])
    np.sinc(x).backward(np.ones(3))
    series = -(np.pi**2) * x.data / 3 + np.pi**4 * x.data**3 / 30 - np.pi**6 * x.data**5 / 840
    np.testing.assert_allclose(x.grad, series, rtol=1e-14)
