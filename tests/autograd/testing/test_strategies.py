"""The strategies draw what they promise."""

import numpy as np
import pytest

hypothesis = pytest.importorskip("hypothesis")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from autograd.testing import check_vjp, strategies  # noqa: E402

quick = settings(max_examples=50, deadline=None, database=None, derandomize=True)


@quick
@given(strategies.arrays((0.5, 3.0)))
def test_arrays_lie_in_their_domain(x):
    assert x.dtype == np.float64
    assert np.all((x >= 0.5) & (x <= 3.0))
    assert np.ndim(x) <= 3


@quick
@given(strategies.arrays(shape=(2, 3), dtype=np.float32), strategies.arrays(shape=st.just((4,))))
def test_arrays_of_a_shape(x, y):
    assert x.shape == (2, 3)
    assert x.dtype == np.float32
    assert y.shape == (4,)


@quick
@given(strategies.broadcastable(3))
def test_broadcastable(arrays):
    assert len(arrays) == 3
    np.broadcast_shapes(*[np.shape(x) for x in arrays])


@quick
@given(strategies.kinks([0.0, 1.0]))
def test_kinks(x):
    assert isinstance(x, float)
    assert min(abs(x), abs(x - 1)) <= 1.0


@quick
@given(strategies.ties((4,)))
def test_ties(x):
    assert x.shape == (4,)
    assert len(set(x.tolist())) < 4


@settings(max_examples=15, deadline=None, database=None, derandomize=True)
@given(strategies.arrays((0.1, 10.0)))
def test_in_a_check(x):
    assert check_vjp(np.log, lambda g, x: g / x, x)


def test_wrong_domain():
    with pytest.raises(ValueError, match="the lower one first"):
        strategies.arrays((1.0, 0.0), shape=()).example()
