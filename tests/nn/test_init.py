"""Initialisers: scale, bounds, seeds, dtypes."""

import numpy as np
import pytest

from nn import init

ALL = {
    init.he_normal: lambda n_in, n_out: 2 / n_in,
    init.he_uniform: lambda n_in, n_out: 2 / n_in,
    init.lecun_normal: lambda n_in, n_out: 1 / n_in,
    init.lecun_uniform: lambda n_in, n_out: 1 / n_in,
    init.xavier_normal: lambda n_in, n_out: 2 / (n_in + n_out),
    init.xavier_uniform: lambda n_in, n_out: 2 / (n_in + n_out),
}
each = pytest.mark.parametrize("draw", ALL, ids=lambda f: f.__name__)


@each
def test_mean_and_variance(draw):
    shape = (300, 700)
    weight = draw(shape, seed=0)
    variance = ALL[draw](*shape)
    assert weight.shape == shape
    assert abs(weight.mean()) < 4 * np.sqrt(variance / weight.size)
    assert weight.var() == pytest.approx(variance, rel=0.02)
    if "uniform" in draw.__name__:
        assert np.abs(weight).max() <= np.sqrt(3 * variance)


@each
def test_same_seed_same_bits(draw):
    np.testing.assert_array_equal(draw((5, 4), seed=7), draw((5, 4), seed=np.random.default_rng(7)))
    assert (draw((5, 4), seed=7) != draw((5, 4), seed=8)).all()
    assert (draw((5, 4)) != draw((5, 4))).all()
    rng = np.random.default_rng(7)
    assert (draw((5, 4), seed=rng) != draw((5, 4), seed=rng)).all()


@each
def test_float32_is_float64_rounded(draw):
    single = draw((5, 4), seed=7, dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, draw((5, 4), seed=7).astype(np.float32))


@each
@pytest.mark.parametrize("shape", [(3,), (0, 3), (3, -1), (2, 0, 4)])
def test_other_shapes_are_refused(draw, shape):
    with pytest.raises(ValueError, match=r"shape \(inputs, outputs\)"):
        draw(shape, seed=0)


def test_he_keeps_the_scale_through_many_layers_of_relu():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 256))
    before = (x**2).mean()
    for _ in range(20):
        x = np.maximum(x @ init.he_normal((256, 256), rng), 0)
    assert 0.2 < (x**2).mean() / before < 5


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (4, 2, 3, 3), (30, 2, 3, 3)])
def test_orthogonal_keeps_lengths(shape):
    weight = init.orthogonal(shape, seed=0).reshape(shape[0], -1)
    small = weight @ weight.T if weight.shape[0] <= weight.shape[1] else weight.T @ weight
    np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-12)


def test_kernels_count_what_a_filter_sees():
    weight = init.he_normal((200, 3, 5, 5), seed=0)
    assert weight.var() == pytest.approx(2 / 75, rel=0.05)
    assert init.lecun_normal((200, 3, 5, 5), seed=0).var() == pytest.approx(1 / 75, rel=0.05)
    assert init.xavier_uniform((64, 32, 3, 3), seed=0).var() == pytest.approx(2 / (9 * 96), rel=0.05)


def test_zeros():
    np.testing.assert_array_equal(init.zeros((2, 3), dtype=np.float32), np.zeros((2, 3)))
    assert init.zeros((2, 3), dtype=np.float32).dtype == np.float32
