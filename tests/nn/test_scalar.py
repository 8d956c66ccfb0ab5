"""Nets one number a node: what micrograd's do, and the same as the nets on arrays."""

import numpy as np
import pytest

import nn
from autograd import Value
from nn import scalar


def test_the_same_numbers_and_gradients_as_on_arrays():
    small = scalar.MLP(3, [4, 2], seed=0)
    large = nn.MLP([3, 4, 2], np.tanh, seed=0)
    for layer, dense in zip(small.layers, large.layers, strict=True):
        dense.weight.data = np.array([[w.item() for w in n.weights] for n in layer.neurons]).T
        dense.bias.data = np.arange(len(layer.neurons)) / 7
        for k, neuron in enumerate(layer.neurons):
            neuron.bias.data = k / 7
    x = [0.3, -1.0, 2.0]
    y, z = small(x), large(np.array([x]))
    np.testing.assert_allclose([v.item() for v in y], z.data[0], rtol=1e-14)
    (y[0] * 2 + y[1]).backward()
    (z * np.array([2.0, 1.0])).sum().backward()
    for layer, dense in zip(small.layers, large.layers, strict=True):
        got = np.array([[w.grad for w in n.weights] for n in layer.neurons]).T
        np.testing.assert_allclose(got, dense.weight.grad, rtol=1e-13)
        np.testing.assert_allclose([n.bias.grad for n in layer.neurons], dense.bias.grad, rtol=1e-13)


def test_lists_in_lists_out_and_a_single_output_by_itself():
    assert isinstance(scalar.MLP(2, [3, 1], seed=0)([1.0, Value(2.0)]), Value)
    assert len(scalar.MLP(2, [3], seed=0)([1.0, 2.0])) == 3
    assert scalar.MLP(3, [4, 4, 1], seed=0).size == 41


def test_same_seed_same_bits_and_readable_names():
    a, b = (scalar.MLP(2, [3, 1], seed=5) for _ in range(2))
    assert [p.item() for p in a.parameters()] == [p.item() for p in b.parameters()]
    assert a.named_parameters()[0][0] == "layers.0.neurons.0.weights.0"
    assert a.layers[0].neurons[0].weights[0].label == "layers.0.neurons.0.weights.0"


def test_it_learns():
    points, targets = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]], [1.0, -1.0, -1.0, 1.0]
    model = scalar.MLP(3, [4, 4, 1], seed=1)
    optimizer = nn.SGD(model.parameters(), lr=0.05)
    for _ in range(60):
        loss = sum((model(x) - t) ** 2 for x, t in zip(points, targets, strict=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_wrong_sizes():
    with pytest.raises(ValueError, match="got 1 numbers and wants 2"):
        scalar.Neuron(2)([1.0])
    with pytest.raises(ValueError, match="positive whole number"):
        scalar.Neuron(0)
    with pytest.raises(ValueError, match="number of neurons of each layer"):
        scalar.MLP(2, [])
