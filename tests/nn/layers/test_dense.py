"""Dense: the equation, its gradients, its defaults and its errors."""

import numpy as np
import pytest

from autograd import Value
from nn import Dense, Sequential, init, relu, tanh
from tests.autograd.numerical import assert_close, gradient

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 3))


@pytest.mark.parametrize("activation", [None, relu, tanh, np.sin, lambda y: y * y])
@pytest.mark.parametrize("bias", [True, False])
def test_the_equation(activation, bias):
    layer = Dense(3, 2, activation, bias, seed=0)
    if bias:
        layer.bias.data = np.array([0.3, -0.2])
    y = X @ layer.weight.data + (layer.bias.data if bias else 0)
    np.testing.assert_allclose(layer(X).data, y if activation is None else activation(y), rtol=1e-14)


@pytest.mark.parametrize("activation", [None, relu, tanh])
def test_gradients_against_finite_differences(activation):
    layer = Dense(3, 2, activation, seed=0)
    x, weight, bias = Value(X), np.array(layer.weight.data), np.array([0.3, -0.2])
    layer.bias.data = bias
    (layer(x) ** 2).sum().backward()

    def by_hand(x, weight, bias):
        y = x @ weight + bias
        return np.sum((y if activation is None else activation(y)) ** 2)

    for i, got in enumerate((x.grad, layer.weight.grad, layer.bias.grad)):
        assert_close(got, gradient(by_hand, [X, weight, bias], i))


def test_against_torch():
    torch = pytest.importorskip("torch")
    layer, peer = Dense(3, 2, relu, seed=0), torch.nn.Linear(3, 2, dtype=torch.float64)
    with torch.no_grad():
        peer.weight.copy_(torch.tensor(np.array(layer.weight.data.T)))
        peer.bias.zero_()
    (layer(X) ** 2).sum().backward()
    (torch.relu(peer(torch.tensor(X))) ** 2).sum().backward()
    assert_close(layer.weight.grad, peer.weight.grad.numpy().T, 1e-12)
    assert_close(layer.bias.grad, peer.bias.grad.numpy(), 1e-12)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (0, 3), (4, 5, 3)])
def test_any_axes_may_come_before_the_last(shape):
    assert Dense(3, 2, seed=0)(np.ones(shape)).shape == (*shape[:-1], 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_holds_through_forward_and_backward(dtype):
    layer = Dense(3, 2, relu, seed=0, dtype=dtype)
    y = layer(X.astype(dtype))
    y.sum().backward()
    assert {y.dtype, layer.weight.dtype, layer.weight.grad.dtype, layer.bias.grad.dtype} == {np.dtype(dtype)}


def test_examples_do_not_see_each_other():
    layer = Dense(3, 2, relu, seed=0)
    order = np.array([4, 0, 3, 1, 2])
    np.testing.assert_allclose(layer(X[order]).data, layer(X).data[order], rtol=1e-14)


def test_defaults_of_the_weights():
    np.testing.assert_array_equal(Dense(3, 2, relu, seed=5).weight.data, init.he_normal((3, 2), 5))
    for activation in (None, tanh):
        np.testing.assert_array_equal(Dense(3, 2, activation, seed=5).weight.data, init.xavier_uniform((3, 2), 5))
    np.testing.assert_array_equal(Dense(3, 2, seed=5, init=init.he_uniform).weight.data, init.he_uniform((3, 2), 5))
    assert not Dense(3, 2).bias.data.any()


@pytest.mark.parametrize("shape", [(5, 4), (5, 8, 8), (), (2,)])
def test_a_wrong_shape_names_the_layer(shape):
    model = Sequential(np.tanh, Dense(3, 2, relu, seed=0))
    with pytest.raises(ValueError) as error:
        model(np.ones(shape))
    assert str(error.value) == f"layers.1 = Dense(3, 2, relu) got x of shape {shape} and wants (batch, 3)."
    with pytest.raises(ValueError, match=r"^Dense.3, 2. got"):
        layer = Dense(3, 2, seed=0)
        layer.weight.label = None
        layer(Value(np.ones(shape)))


def test_images_that_only_want_flattening_are_told_so():
    with pytest.raises(ValueError, match=r"Flatten the examples first: x.reshape\(len\(x\), -1\)"):
        Dense(64, 2, seed=0)(np.ones((5, 8, 8)))


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", True])
def test_sizes_are_checked(size):
    with pytest.raises(ValueError, match=r"Dense\(inputs=.*positive whole number of inputs"):
        Dense(size, 2)
    with pytest.raises(ValueError, match=r"Dense\(outputs=.*positive whole number of outputs"):
        Dense(2, size)


def test_activation_and_dtype_are_checked():
    with pytest.raises(TypeError, match="an activation is a function"):
        Dense(3, 2, "relu")
    with pytest.raises(TypeError, match="floating"):
        Dense(3, 2, dtype=int)


def test_first_weights_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"weights of shape \(3, 2\), and \(2, 3\)"):
        Dense(2, 3, init=lambda shape, seed, dtype: np.zeros(shape[::-1]))


def test_an_activation_in_the_second_place():
    layer = Dense(4, relu, seed=0)
    assert layer(np.ones((2, 3))).shape == (2, 4)
    assert layer.describe() == "Dense(3, 4, relu)"
