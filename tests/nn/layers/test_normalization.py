"""Normalization: mean 0 and variance 1, what is kept for later, PyTorch's numbers."""

import numpy as np
import pytest

import nn
from autograd import Value
from tests.autograd.numerical import check_first, check_second

RNG = np.random.default_rng(0)
SHAPES = [(6, 3), (4, 3, 5), (2, 3, 4, 2)]


def shaken(layer):
    for parameter in layer.parameters():
        parameter.data = RNG.uniform(0.5, 2.0, parameter.shape)
    return layer


@pytest.mark.parametrize("shape", SHAPES)
def test_channels_get_mean_0_and_variance_1(shape):
    axes = tuple(i for i in range(len(shape)) if i != 1)
    y = nn.BatchNorm(3)(RNG.uniform(5, 9, shape)).data
    np.testing.assert_allclose(y.mean(axis=axes), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=axes), 1, rtol=1e-3)


@pytest.mark.parametrize("layer", [nn.BatchNorm(3), nn.BatchNorm(3).eval(), nn.LayerNorm(4), nn.LayerNorm((3, 4))])
def test_gradients(layer):
    def of(x, scale, shift):
        plain = not any(isinstance(v, Value) for v in (x, scale, shift))
        layer.scale, layer.shift = (v if isinstance(v, Value) else Value(v) for v in (scale, shift))
        y = layer(x)
        return y.data if plain else y

    arrays = [RNG.uniform(1, 3, (2, 3, 4)), *(p.data.copy() for p in shaken(layer).parameters())]
    check_first(of, arrays)
    check_second(of, arrays)


@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_same_as_torch(shape):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    layer = shaken(nn.BatchNorm(3))
    other = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}[len(shape)](3).double()
    with torch.no_grad():
        other.weight.copy_(torch.tensor(layer.scale.data.copy()))
        other.bias.copy_(torch.tensor(layer.shift.data.copy()))
    for learning in (True, True, False):
        layer.train(learning), other.train(learning)
        x = RNG.uniform(1, 3, shape)
        ours, theirs = Value(x), torch.tensor(x, requires_grad=True)
        y, u = layer(ours), other(theirs)
        np.testing.assert_allclose(y.data, u.detach().numpy(), rtol=1e-10)
        seed = RNG.standard_normal(shape)
        y.backward(seed)
        u.backward(torch.tensor(seed))
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(layer.mean.data, other.running_mean.numpy(), rtol=1e-12)
        np.testing.assert_allclose(layer.variance.data, other.running_var.numpy(), rtol=1e-12)
    np.testing.assert_allclose(layer.scale.grad, other.weight.grad.numpy(), rtol=1e-9)


def test_layer_norm_same_as_torch():
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    layer, x = shaken(nn.LayerNorm((3, 4))), RNG.uniform(1, 3, (2, 3, 4))
    wanted = torch.nn.functional.layer_norm(
        torch.tensor(x), (3, 4), torch.tensor(layer.scale.data.copy()), torch.tensor(layer.shift.data.copy())
    )
    np.testing.assert_allclose(layer(x).data, wanted.numpy(), rtol=1e-10)


def test_what_is_kept_is_no_parameter_and_belongs_to_the_state():
    layer = nn.Sequential(nn.BatchNorm(), nn.Dense(1, seed=0))
    layer(RNG.standard_normal((5, 3)))
    assert [name for name, _ in layer.named_parameters()] == [
        "layers.0.scale", "layers.0.shift", "layers.1.weight", "layers.1.bias"
    ]  # fmt: skip
    assert [name for name, _ in layer.named_buffers()] == ["layers.0.mean", "layers.0.variance"]


@pytest.mark.parametrize("make", [lambda: nn.BatchNorm(3, dtype=np.float32), lambda: nn.LayerNorm(3, dtype=np.float32)])
def test_float32_and_every_batch_size(make):
    for n, learning in ((0, True), (1, False), (3, True)):
        x = Value(np.arange(3 * n, dtype=np.float32).reshape(n, 3))
        layer = make().train(learning)
        y = layer(x)
        y.sum().backward()
        assert y.shape == (n, 3) and y.dtype == x.grad.dtype == layer.scale.grad.dtype == np.float32
        assert all(np.all(np.isfinite(buffer.data)) for _, buffer in layer.named_buffers())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.BatchNorm(3)(np.ones((4, 2))),
            r"BatchNorm\(3\) got x of shape \(4, 2\) and wants \(batch, 3, ...\)",
        ),
        (lambda: nn.BatchNorm(3)(np.ones((1, 3))), "no variance to learn from"),
        (lambda: nn.BatchNorm(0), r"channels=0"),
        (lambda: nn.BatchNorm(3, momentum=0), "momentum=0"),
        (lambda: nn.LayerNorm(3)(np.ones((4, 2))), r"LayerNorm\(3\) got x of shape \(4, 2\) and wants \(..., 3\)"),
        (lambda: nn.LayerNorm(3, eps=0), "eps=0"),
        (lambda: nn.LayerNorm((3, 0)), "positive whole numbers"),
    ],
)
def test_wrong_input_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
