"""Activations: the same on arrays and on Values, and with the gradient that finite differences give."""

import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from tests.autograd.numerical import assert_close, gradient

X = np.array([[-2.0, -0.3, 0.4], [1.5, 3.0, 0.01]])
EXPECTED = {
    "relu": np.maximum(X, 0),
    "sigmoid": 1 / (1 + np.exp(-X)),
    "tanh": np.tanh(X),
    "softmax": np.exp(X) / np.exp(X).sum(axis=1, keepdims=True),
    "log_softmax": X - np.log(np.exp(X).sum(axis=1, keepdims=True)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_numbers_and_gradients(name):
    function = getattr(nn, name)
    np.testing.assert_allclose(function(X), EXPECTED[name], rtol=1e-14)
    x = Value(X)
    y = function(x)
    np.testing.assert_array_equal(y.data, function(X))
    weights = np.arange(1.0, 7.0).reshape(X.shape)
    (y * weights).sum().backward()
    assert_close(x.grad, gradient(lambda a: np.sum(weights * function(a)), [X], 0))


@pytest.mark.parametrize("name", EXPECTED)
def test_float32_stays_float32(name):
    assert getattr(nn, name)(Value(X.astype(np.float32))).dtype == np.float32


def test_those_with_rules_are_autograds_own():
    for name in ("relu", "sigmoid", "softmax", "log_softmax"):
        assert getattr(nn, name) is getattr(autograd, name)
