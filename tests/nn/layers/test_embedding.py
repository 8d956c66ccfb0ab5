"""Embedding: rows by number, and the sums of their gradients."""

import numpy as np
import pytest

import nn


def test_rows_and_gradients():
    layer = nn.Embedding(4, 3, seed=0)
    x = np.array([[0, 2], [2, 3]])
    y = layer(x)
    np.testing.assert_array_equal(y.data, layer.weight.data[x])
    y.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [[1] * 3, [0] * 3, [2] * 3, [1] * 3])
    assert layer(np.zeros((0, 2), int)).shape == (0, 2, 3)
    assert nn.Embedding(4, 3, seed=0, dtype=np.float32)([1]).dtype == np.float32


def test_in_a_model_of_symbols():
    x = nn.Input(5, dtype=int)
    model = nn.Model(x, nn.LSTM(3, 4, returns="last", seed=0)(nn.Embedding(7, 3, seed=0)(x)))
    assert model(np.array([[0, 1, 2, 3, 6]])).shape == (1, 4)


def test_wrong_input_says_what_is_wrong():
    layer = nn.Embedding(4, 3, seed=0)
    with pytest.raises(TypeError, match="it takes integers"):
        layer([0.5])
    for wrong in (4, -1):
        with pytest.raises(IndexError, match=f"got {wrong}: its rows are 0 to 3"):
            layer([0, wrong])
    with pytest.raises(ValueError, match=r"Embedding\(size=0\)"):
        nn.Embedding(3, 0)
