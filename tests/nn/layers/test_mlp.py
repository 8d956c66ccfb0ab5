"""MLP: layers, activations, seeds."""

import numpy as np
import pytest

from nn import MLP, Dense, cross_entropy, init, relu, tanh
from tests.autograd.numerical import assert_close, gradient

X = np.random.default_rng(0).standard_normal((6, 3))


def test_it_is_dense_layers_with_the_last_one_linear():
    model = MLP([3, 5, 4, 2], tanh, seed=0)
    assert [(d.inputs, d.outputs, d.activation) for d in model] == [(3, 5, tanh), (5, 4, tanh), (4, 2, None)]
    w1, b1, w2, b2, w3, b3 = (p.data for p in model.parameters())
    np.testing.assert_allclose(model(X).data, np.tanh(np.tanh(X @ w1 + b1) @ w2 + b2) @ w3 + b3, rtol=1e-13, atol=1e-15)


def test_names_and_sizes():
    model = MLP([64, 32, 10], seed=0)
    assert {name: p.shape for name, p in model.named_parameters()} == {
        "layers.0.weight": (64, 32),
        "layers.0.bias": (32,),
        "layers.1.weight": (32, 10),
        "layers.1.bias": (10,),
    }
    assert model.size == 2410


def test_all_gradients_against_finite_differences():
    model, labels = MLP([3, 4, 3], tanh, seed=0), np.array([0, 2, 1, 1, 0, 2])
    cross_entropy(model(X), labels).backward()
    arrays = [np.array(p.data) for p in model.parameters()]

    def by_hand(w1, b1, w2, b2):
        z = np.tanh(X @ w1 + b1) @ w2 + b2
        return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(6), labels])

    for i, parameter in enumerate(model.parameters()):
        assert_close(parameter.grad, gradient(by_hand, arrays, i))


def test_one_seed_one_model():
    for p, q in zip(MLP([3, 4, 2], seed=1).parameters(), MLP([3, 4, 2], seed=1).parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    same = MLP([3, 3, 3, 3], seed=1)
    assert (same[0].weight.data != same[1].weight.data).all()
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(MLP([3, 4, 2], seed=1)[0].weight.data, init.he_normal((3, 4), rng))
    np.testing.assert_array_equal(MLP([3, 4, 2], seed=1)[1].weight.data, init.xavier_uniform((4, 2), rng))


def test_dtype():
    model = MLP([3, 4, 2], dtype=np.float32, seed=0)
    cross_entropy(model(X.astype(np.float32)), np.zeros(6, int)).backward()
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_two_sizes_are_a_single_linear_layer():
    (layer,) = MLP([3, 2], relu, seed=0)
    assert isinstance(layer, Dense) and layer.activation is None


@pytest.mark.parametrize("sizes", [[3], [], 3, None])
def test_fewer_than_two_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="at least two sizes"):
        MLP(sizes)


def test_sizes_are_checked_by_dense():
    with pytest.raises(ValueError, match="positive whole number of outputs"):
        MLP([3, 0, 2])
