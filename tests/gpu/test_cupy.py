"""The suite for arrays of any library, with CuPy's, where there is a GPU. Without one, Guests stand in for them."""

import pytest

cupy = pytest.importorskip("cupy", reason="CuPy is not installed", exc_type=ImportError)
try:
    count = cupy.cuda.runtime.getDeviceCount()
except cupy.cuda.runtime.CUDARuntimeError:
    count = 0
if not count:
    pytest.skip("CuPy finds no GPU", allow_module_level=True)

from ..any_library import *  # noqa: E402, F403
from ..any_library import Library  # noqa: E402


@pytest.fixture
def library():
    return Library(cupy.ndarray, cupy.asarray, cupy.asnumpy)
