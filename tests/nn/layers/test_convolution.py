"""Convolutions: by hand, by definition, against PyTorch, and what they refuse."""

import numpy as np
import pytest

import nn
from autograd import Value
from tests.autograd.numerical import check_first, check_second

RNG = np.random.default_rng(0)

# layer, settings, the shape of x
LAYERS = [
    (nn.Conv2d, {}, (2, 3, 5, 6)),
    (nn.Conv2d, {"stride": 2, "padding": 1}, (3, 3, 5, 6)),
    (nn.Conv2d, {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)}, (2, 3, 6, 5)),
    (nn.Conv2d, {"groups": 3, "bias": False}, (1, 3, 4, 4)),
    (nn.Conv1d, {}, (2, 3, 7)),
    (nn.Conv1d, {"stride": 2, "padding": 1, "dilation": 2, "groups": 3}, (2, 3, 9)),
    (nn.ConvTranspose2d, {}, (2, 3, 3, 4)),
    (nn.ConvTranspose2d, {"stride": 2, "padding": 1, "output_padding": 1}, (2, 3, 3, 4)),
    (nn.ConvTranspose2d, {"stride": (1, 3), "dilation": 2, "groups": 3}, (1, 3, 3, 2)),
]
each = pytest.mark.parametrize(("kind", "settings", "shape"), LAYERS)


def made(kind, settings, dtype=np.float64):
    layer = kind(3, 6, 3 if kind is nn.Conv1d else (3, 2), seed=1, dtype=dtype, **settings)
    if layer.bias is not None:
        layer.bias.data = np.linspace(-1, 1, 6).astype(dtype)
    return layer


@each
def test_gradients(kind, settings, shape):
    layer = made(kind, settings)

    def of(x, weight, bias=None):
        """The layer with these for its parameters: Values, or arrays to get an array."""
        plain = not any(isinstance(v, Value) for v in (x, weight, bias))
        layer.weight, layer.bias = (v if v is None or isinstance(v, Value) else Value(v) for v in (weight, bias))
        y = layer(x)
        return y.data if plain else y

    arrays = [RNG.standard_normal(shape), layer.weight.data.copy()]
    if layer.bias is not None:
        arrays.append(layer.bias.data.copy())
    check_first(of, arrays)
    check_second(of, arrays)


@each
def test_same_as_torch(kind, settings, shape):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    layer = made(kind, settings)
    other = getattr(torch.nn, kind.__name__)(3, 6, layer.kernel, dtype=torch.float64, **settings)
    with torch.no_grad():
        other.weight.copy_(torch.tensor(layer.weight.data.copy()))
        if layer.bias is not None:
            other.bias.copy_(torch.tensor(layer.bias.data.copy()))
    x = RNG.standard_normal(shape)
    ours, theirs = Value(x), torch.tensor(x, requires_grad=True)
    y, u = layer(ours), other(theirs)
    np.testing.assert_allclose(y.data, u.detach().numpy(), rtol=1e-10, atol=1e-12)
    seed = RNG.standard_normal(y.shape)
    y.backward(seed)
    u.backward(torch.tensor(seed))
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(layer.weight.grad, other.weight.grad.numpy(), rtol=1e-10, atol=1e-12)
    if layer.bias is not None:
        np.testing.assert_allclose(layer.bias.grad, other.bias.grad.numpy(), rtol=1e-10)


@each
def test_float32_and_every_batch_size(kind, settings, shape):
    layer = made(kind, settings, np.float32)
    for n in (0, 1, 3):
        y = layer(np.ones((n, *shape[1:]), np.float32))
        y.sum().backward()
        assert y.shape[0] == n
        assert y.dtype == layer.weight.grad.dtype == np.float32


def test_by_definition():
    layer = nn.Conv2d(2, 3, (2, 3), stride=(2, 1), padding=(1, 0), seed=0)
    layer.bias.data = np.array([1.0, 2.0, 3.0])
    x = RNG.standard_normal((2, 2, 5, 6))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    y = layer(x).data
    assert y.shape == (2, 3, 3, 4)
    for n, f, i, j in np.ndindex(y.shape):
        window = padded[n, :, 2 * i : 2 * i + 2, j : j + 3]
        assert y[n, f, i, j] == pytest.approx(np.sum(window * layer.weight.data[f]) + layer.bias.data[f])


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [5, 6, 7])
@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (4, 1), (3, 2)])
def test_same_keeps_the_size(stride, size, kernel, dilation):
    layer = nn.Conv2d(1, 1, kernel, padding="same", stride=stride, dilation=dilation, seed=0)
    assert layer(np.ones((1, 1, size, size + 1))).shape == (1, 1, -(-size // stride), -(-(size + 1) // stride))


def test_transposed_is_the_adjoint():
    forward = nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False, seed=0)
    back = nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1, bias=False)
    back.weight.data = forward.weight.data
    x, y = RNG.standard_normal((2, 3, 6, 6)), RNG.standard_normal((2, 4, 3, 3))
    assert np.sum(forward(x).data * y) == pytest.approx(np.sum(x * back(y).data))


def test_an_edge_detector():
    image = np.zeros((1, 1, 4, 6))
    image[..., 3:] = 1.0
    layer = nn.Conv2d(1, 1, (1, 2), bias=False)
    layer.weight.data = np.array([[[[-1.0, 1.0]]]])
    np.testing.assert_array_equal(layer(image).data[0, 0], [[0, 0, 1, 0, 0]] * 4)


def test_channels_from_the_first_image():
    model = nn.Sequential(nn.Conv2d(None, 4, 3, nn.relu, seed=0), nn.Flatten(), nn.Dense(5, seed=1))
    with pytest.raises(ValueError, match=r"layers.0 = Conv2d\(4, 3×3, relu\) has no parameters yet"):
        model.parameters()
    assert model(np.ones((2, 3, 5, 5))).shape == (2, 5)
    assert model.layers[0].weight.shape == (4, 3, 3, 3)
    assert dict(model.named_parameters())["layers.0.weight"].label == "layers.0.weight"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Conv2d(0, 1, 3), r"Conv2d\(inputs=0\)"),
        (lambda: nn.Conv2d(1, 1, 0), r"Conv2d\(kernel=0\): a whole number from 1 on, or a pair"),
        (lambda: nn.Conv1d(1, 1, (3, 3)), r"Conv1d\(kernel=\(3, 3\)\)"),
        (lambda: nn.Conv2d(1, 1, 3, padding="full"), "padding='full'"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, padding="same"), "padding='same'"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, stride=2, output_padding=2), "less than the stride"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "share the channels evenly"),
        (
            lambda: nn.Conv2d(1, 2, 3)(np.ones((2, 3, 5, 5))),
            r"got x of shape \(2, 3, 5, 5\) and wants \(batch, 1, heig",
        ),
        (lambda: nn.Conv2d(1, 2, 3)(np.ones((2, 1, 2, 5))), "no smaller than the kernel"),
        (lambda: nn.Conv2d(1, 2, 3)(np.ones((5, 5))), r"got x of shape \(5, 5\)"),
        (lambda: nn.Sequential(nn.Conv1d(1, 2, 3))(np.ones((5, 5))), r"layers.0 = Conv1d\(1, 2, 3\) got x"),
    ],
)
def test_wrong_input_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
