"""Dropout: how much, when, and the same noise for the same seed."""

import numpy as np
import pytest

import nn
from autograd import Value


def test_it_keeps_the_mean_and_cuts_the_gradient_where_it_cut():
    x = Value(np.ones((100, 100)))
    y = nn.Dropout(0.3, seed=0)(x)
    assert np.mean(y.data == 0) == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(np.unique(y.data), [0, 1 / 0.7])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)


def test_only_while_it_learns_and_anew_each_time():
    x = np.ones(50)
    model = nn.Sequential(nn.Dropout(0.5, seed=0))
    first, second = model(x), model(x)
    assert np.any(first != second)
    np.testing.assert_array_equal(nn.Dropout(0.5, seed=0)(x), first)
    assert model.eval()(x) is x
    assert np.any(model.train()(x) != x)
    assert nn.Dropout(0.0)(x) is x
    assert nn.Dropout(0.5, seed=0)(Value(np.ones(3, np.float32))).dtype == np.float32


@pytest.mark.parametrize("p", [-0.1, 1.0, np.nan])
def test_a_probability_out_of_range(p):
    with pytest.raises(ValueError, match="from 0 to below 1"):
        nn.Dropout(p)
