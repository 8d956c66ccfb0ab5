"""Arrays that speak NumPy's protocols go through Values, layers and optimisers unchanged: here, Guests."""

import pytest

from ..any_library import *  # noqa: F403
from ..any_library import Library
from ..guest import Guest


@pytest.fixture
def library():
    return Library(Guest, Guest, Guest.get)
