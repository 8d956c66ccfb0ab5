"""Arrays that speak NumPy's protocols go through Values, layers and optimisers unchanged: here, Guests."""

import numpy as np
import pytest

from autograd import Value
from autograd.errors import DataError

from ..any_library import *  # noqa: F403
from ..any_library import Library
from ..guest import Guest


@pytest.fixture
def library():
    return Library(Guest, Guest, Guest.get)


class Metres(np.ndarray):
    """A subclass that computes in its own way, as arrays with units do."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        return getattr(ufunc, method)(*map(np.asarray, inputs), **keywords).view(Metres)


def test_a_unit_is_not_forgotten_without_a_word():
    x = np.ones(3).view(Metres)
    for use in (lambda: Value(x), lambda: Value(np.ones(3)) * x, lambda: np.add(Value(np.ones(3)), x)):
        with pytest.raises(DataError, match=r"Metres.*units.*np\.asarray"):
            use()
    assert Value(np.asarray(x)).shape == (3,)
    assert Value(np.ones(3).view(np.matrix)).shape == (1, 3)  # which computes as NumPy's arrays do
