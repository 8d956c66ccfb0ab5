"""Activations: their equations, their gradients, far out too, and PyTorch's numbers."""

import math

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, derivative
from nn import functional
from tests.autograd.numerical import check_first, check_second

X = np.array([[-2.0, -0.31, 0.42], [1.5, 3.3, 0.01]])
SIGMOID = 1 / (1 + np.exp(-X))
EXPECTED = {
    "step": np.array([[0, 0, 1], [1, 1, 1.0]]),
    "relu": np.maximum(X, 0),
    "leaky_relu": np.where(X > 0, X, 0.01 * X),
    "elu": np.where(X > 0, X, np.exp(X) - 1),
    "selu": 1.0507009873554805 * np.where(X > 0, X, 1.6732632423543772 * (np.exp(X) - 1)),
    "gelu": X * np.vectorize(lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))))(X),
    "sigmoid": SIGMOID,
    "hard_sigmoid": np.minimum(np.maximum(X / 6 + 0.5, 0), 1),
    "log_sigmoid": np.log(SIGMOID),
    "silu": X * SIGMOID,
    "dsilu": SIGMOID * (1 + X * (1 - SIGMOID)),
    "mish": X * np.tanh(np.log1p(np.exp(X))),
    "tanh": np.tanh(X),
    "hard_tanh": np.minimum(np.maximum(X, -1), 1),
    "softplus": np.log1p(np.exp(X)),
    "softsign": X / (1 + np.abs(X)),
    "softmax": np.exp(X) / np.exp(X).sum(axis=1, keepdims=True),
    "log_softmax": X - np.log(np.exp(X).sum(axis=1, keepdims=True)),
}
each = pytest.mark.parametrize("name", EXPECTED)


def test_all_are_here():
    assert sorted([*EXPECTED, "attention"]) == functional.__all__


@each
def test_numbers_and_gradients(name):
    function = getattr(nn, name)
    np.testing.assert_allclose(function(X), EXPECTED[name], rtol=1e-13)
    np.testing.assert_array_equal(function(Value(X)).data, function(X))
    np.testing.assert_array_equal(function(X.tolist()), function(X))
    check_first(function, [X])
    check_second(function, [X])


@each
def test_finite_far_out(name):
    x = Value([1000.0, -1000.0, 1e5, -1e5, 0.0])
    with np.errstate(all="raise", under="ignore"):
        y = getattr(nn, name)(x)
    y.sum().backward()
    assert np.all(np.isfinite(y.data)) and np.all(np.isfinite(x.grad))


@each
def test_float32_stays_float32(name):
    x = Value(X.astype(np.float32))
    y = getattr(nn, name)(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float32
    np.testing.assert_allclose(y.data, EXPECTED[name], rtol=1e-5, atol=1e-6)


def test_parameters():
    np.testing.assert_array_equal(nn.step(X, 0.42), X >= 0.42)
    np.testing.assert_allclose(nn.leaky_relu(-2.0, slope=0.25), -0.5)
    np.testing.assert_allclose(nn.elu(-2.0, alpha=3.0), 3 * (math.exp(-2) - 1))
    np.testing.assert_allclose(nn.gelu(X, approximate=True), nn.gelu(X), atol=5e-4)
    check_first(lambda x: nn.gelu(x, approximate=True), [X])


def test_elu_has_its_left_slope_at_0():
    assert derivative(nn.elu)(0.0) == 1 and derivative(lambda x: nn.elu(x, alpha=0.5))(0.0) == 0.5
    assert derivative(nn.selu)(0.0) == functional.SELU_SCALE * functional.SELU_ALPHA


def test_dsilu_is_the_derivative_of_silu():
    np.testing.assert_allclose(derivative(nn.silu)(X), nn.dsilu(X), rtol=1e-13)


def test_those_with_rules_are_autograds_own():
    for name in ("relu", "sigmoid", "softmax", "log_softmax"):
        assert getattr(nn, name) is getattr(autograd, name)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        *(
            (name, name)
            for name in ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "softsign")
        ),
        ("hard_sigmoid", "hardsigmoid"),
        ("log_sigmoid", "logsigmoid"),
        ("hard_tanh", "hardtanh"),
    ],
)
def test_same_as_torch(name, theirs):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    x, t = Value(X), torch.tensor(X, requires_grad=True)
    y, u = getattr(nn, name)(x), getattr(torch.nn.functional, theirs)(t)
    np.testing.assert_allclose(y.data, u.detach().numpy(), rtol=1e-10)
    (y * y).sum().backward()
    (u * u).sum().backward()
    tolerance = 1e-7 if name == "hard_sigmoid" else 1e-10  # PyTorch takes a sixth of it in float32
    np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=tolerance, atol=1e-14)
