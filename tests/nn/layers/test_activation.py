"""Activation: a function with its parameters, as a layer."""

import numpy as np
import pytest

import nn
from autograd import Value

X = np.random.default_rng(0).standard_normal((4, 3))


@pytest.mark.parametrize("function, keywords", [
    (nn.leaky_relu, {"slope": 0.3}), (nn.elu, {"alpha": 2.0}), (nn.gelu, {"approximate": True}),
    (nn.softmax, {"axis": 0}), (np.tanh, {}),
])  # fmt: skip
def test_it_is_the_function_with_its_keywords(function, keywords):
    layer, x, y = nn.Activation(function, **keywords), Value(X), Value(X)
    np.testing.assert_array_equal(layer(x).data, function(y, **keywords).data)
    (layer(x) ** 2).sum().backward()
    (function(y, **keywords) ** 2).sum().backward()
    np.testing.assert_array_equal(x.grad, y.grad)
    assert layer.parameters() == []
    assert layer(Value(X.astype(np.float32))).dtype == np.float32


def test_it_stands_in_nets_and_symbols():
    layer = nn.Activation(nn.leaky_relu, slope=0.3)
    model = nn.Sequential(nn.Dense(3, 5, seed=0), layer)
    np.testing.assert_array_equal(model(X).data, nn.leaky_relu(model[0](X), 0.3).data)
    assert "Activation(leaky_relu, slope=0.3)" in model.summary(X)
    x = nn.Input(3)
    assert nn.Model(x, layer(x))(X).shape == (4, 3)


def test_a_slope_can_be_learnt():
    layer = nn.Activation(nn.leaky_relu, slope=Value(0.25))
    assert [name for name, _ in layer.named_parameters()] == ["keywords.slope"]
    assert repr(layer) == "Activation(leaky_relu, slope): 1 parameter"
    layer(X).sum().backward()
    (slope,) = layer.parameters()
    assert slope.grad == pytest.approx(X[X < 0].sum())


def test_no_function():
    with pytest.raises(TypeError, match="a function, such as"):
        nn.Activation("relu")
