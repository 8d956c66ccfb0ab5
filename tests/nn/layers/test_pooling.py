"""Pooling: by hand, against PyTorch, ties, and what it refuses."""

import numpy as np
import pytest

import nn
from autograd import Value
from tests.autograd.numerical import check_first, check_second

RNG = np.random.default_rng(0)
SETTINGS = [
    {"kernel": 2},
    {"kernel": (3, 2), "stride": (2, 1), "padding": (1, 1)},
    {"kernel": 3, "stride": 1},
    {"kernel": 2, "stride": 3},
]
each = pytest.mark.parametrize("settings", SETTINGS, ids=str)
both = pytest.mark.parametrize("kind", [nn.MaxPool2d, nn.AvgPool2d])


@both
@each
def test_gradients(kind, settings):
    x = RNG.permutation(2 * 2 * 5 * 4).reshape(2, 2, 5, 4) / 10
    layer = kind(**settings)
    check_first(layer, [x])
    check_second(layer, [x])


@both
@each
def test_same_as_torch(kind, settings):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    x = RNG.standard_normal((2, 3, 7, 6))
    names = {"kernel": "kernel_size"}
    other = getattr(torch.nn, kind.__name__)(**{names.get(k, k): v for k, v in settings.items()})
    ours, theirs = Value(x), torch.tensor(x, requires_grad=True)
    y, u = kind(**settings)(ours), other(theirs)
    np.testing.assert_allclose(y.data, u.detach().numpy(), rtol=1e-12)
    seed = RNG.standard_normal(y.shape)
    y.backward(seed)
    u.backward(torch.tensor(seed))
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-12, atol=1e-14)


@both
def test_every_batch_size_and_dtype(kind):
    for n in (0, 1, 3):
        x = Value(np.ones((n, 2, 4, 4), np.float32))
        y = kind(2)(x)
        y.sum().backward()
        assert y.shape == (n, 2, 2, 2) and y.dtype == x.grad.dtype == np.float32


def test_equal_maxima_share_the_gradient():
    x = Value([[[[1.0, 1.0], [0.0, 1.0]]]])
    nn.MaxPool2d(2)(x).sum().backward()
    np.testing.assert_allclose(x.grad, [[[[1 / 3, 1 / 3], [0, 1 / 3]]]])


def test_a_margin_is_never_the_maximum():
    x = np.full((1, 1, 2, 2), -5.0)
    np.testing.assert_array_equal(nn.MaxPool2d(2, padding=1)(x), np.full((1, 1, 2, 2), -5.0))


@pytest.mark.parametrize(("kind", "wide"), [(nn.MaxPool1d, nn.MaxPool2d), (nn.AvgPool1d, nn.AvgPool2d)])
def test_along_one_axis(kind, wide):
    x = RNG.standard_normal((2, 3, 8))
    wanted = wide((1, 3), (1, 2), (0, 1))(x[:, :, None])[:, :, 0]
    np.testing.assert_array_equal(kind(3, 2, 1)(x), wanted)


def test_global_pooling_and_flatten():
    x = RNG.standard_normal((2, 3, 4, 5))
    np.testing.assert_allclose(nn.GlobalAvgPool()(Value(x)).data, x.mean(axis=(2, 3)))
    np.testing.assert_array_equal(nn.GlobalMaxPool()(Value(x)).data, x.max(axis=(2, 3)))
    np.testing.assert_array_equal(nn.Flatten()(Value(x)).data, x.reshape(2, 60))
    assert nn.Flatten()(np.ones((0, 2, 3))).shape == (0, 6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.MaxPool2d(0), r"MaxPool2d\(kernel=0\)"),
        (lambda: nn.MaxPool2d(2, padding=2), "at most half the kernel"),
        (lambda: nn.AvgPool1d((2, 2)), r"AvgPool1d\(kernel=\(2, 2\)\)"),
        (lambda: nn.MaxPool2d(3)(np.ones((1, 1, 2, 2))), r"MaxPool2d\(3×3\) got x of shape \(1, 1, 2, 2\)"),
        (lambda: nn.MaxPool2d(3)(np.ones((3, 3))), r"wants \(batch, channels, height, width\)"),
        (lambda: nn.GlobalAvgPool()(np.ones((3, 3))), "GlobalAvgPool"),
        (lambda: nn.Flatten()(1.0), "a single number"),
    ],
)
def test_wrong_input_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
