"""Attention: by definition, masks, PyTorch's numbers."""

import numpy as np
import pytest

import nn
from autograd import Value
from autograd.testing import check_module
from tests.autograd.numerical import check_first, check_second

RNG = np.random.default_rng(0)
Q, K, V = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((2, 5, 4)), RNG.standard_normal((2, 5, 6))


def test_attention_by_definition():
    for n in range(2):
        scores = np.exp(Q[n] @ K[n].T / 2)
        wanted = scores / scores.sum(axis=1, keepdims=True) @ V[n]
        np.testing.assert_allclose(nn.attention(Q, K, V)[n], wanted, rtol=1e-12)


def test_gradients():
    mask = np.array([[True, False, True, True, False]] * 3)
    check_first(lambda q, k, v: nn.attention(q, k, v, mask), [Q, K, V])
    check_second(nn.attention, [Q[:1, :2], K[:1, :2], V[:1, :2, :2]])


def test_what_may_not_be_seen_does_not_matter():
    mask = np.tri(5, dtype=bool)
    x = Value(RNG.standard_normal((2, 5, 8)))
    layer = nn.MultiHeadAttention(8, heads=2, seed=0)
    layer(x, mask=mask)[:, 2].sum().backward()
    assert np.all(x.grad[:, 3:] == 0) and np.all(x.grad[:, :3] != 0)
    nothing = nn.attention(Value(Q), K, V, np.zeros((3, 5), bool))
    np.testing.assert_array_equal(nothing.data, np.zeros((2, 3, 6)))


def test_float32_and_every_batch_size():
    layer = nn.MultiHeadAttention(4, heads=2, seed=0, dtype=np.float32)
    for n in (0, 1, 3):
        x = Value(np.ones((n, 5, 4), np.float32))
        y = layer(x)
        y.sum().backward()
        assert y.shape == (n, 5, 4) and y.dtype == x.grad.dtype == np.float32


@pytest.mark.parametrize("masked", [False, True])
def test_same_as_torch(masked):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    layer = nn.MultiHeadAttention(8, heads=2, seed=0)
    other = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    three = (layer.query, layer.key, layer.value)
    for dense in (*three, layer.out):
        dense.bias.data = RNG.standard_normal(8)
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.tensor(np.concatenate([d.weight.data.T for d in three])))
        other.in_proj_bias.copy_(torch.tensor(np.concatenate([d.bias.data for d in three])))
        other.out_proj.weight.copy_(torch.tensor(layer.out.weight.data.T.copy()))
        other.out_proj.bias.copy_(torch.tensor(layer.out.bias.data.copy()))
    a, b = RNG.standard_normal((2, 3, 8)), RNG.standard_normal((2, 5, 8))
    mask = RNG.random((3, 5)) < 0.7 if masked else None
    x, t = Value(a), torch.tensor(a, requires_grad=True)
    y = layer(x, b, mask=mask)
    u, _ = other(t, torch.tensor(b), torch.tensor(b), attn_mask=None if mask is None else torch.tensor(~mask))
    np.testing.assert_allclose(y.data, u.detach().numpy(), rtol=1e-10, atol=1e-12)
    seed = RNG.standard_normal(y.shape)
    y.backward(seed)
    u.backward(torch.tensor(seed))
    np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(layer.key.weight.grad.T, other.in_proj_weight.grad.numpy()[8:16], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.MultiHeadAttention(6, heads=4), "share the features evenly"),
        (lambda: nn.MultiHeadAttention(6, heads=2)(np.ones((2, 6))), r"got x of shape \(2, 6\)"),
        (lambda: nn.attention(Q, K[..., :3], V), r"\(..., others, d\)"),
        (lambda: nn.attention(Q, K, V[:, :4]), r"\(..., others, features\)"),
    ],
)
def test_wrong_input_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_gradient_that_is_zero_but_for_rounding_is_no_error():
    layer = nn.MultiHeadAttention(4, heads=2, seed=0)  # the bias of the keys moves all scores of a place alike
    assert check_module(layer, RNG.standard_normal((3, 5, 4)))
