"""Sequential: composition, and what a list of layers offers."""

import numpy as np
import pytest

from nn import Dense, Sequential, relu

X = np.random.default_rng(0).standard_normal((4, 3))


def test_it_composes():
    first, second = Dense(3, 5, seed=0), Dense(5, 2, seed=1)
    model = Sequential(first, np.tanh, second)
    np.testing.assert_array_equal(model(X).data, second(np.tanh(first(X))).data)


def test_grouping_does_not_matter():
    layers = Dense(3, 5, seed=0), relu, Dense(5, 2, seed=1)
    nested = Sequential(Sequential(*layers[:2]), layers[2])
    np.testing.assert_array_equal(nested(X).data, Sequential(*layers)(X).data)


def test_no_layers_are_the_identity():
    assert Sequential()(X) is X


def test_it_reads_like_a_list():
    layers = [Dense(3, 5, seed=0), relu]
    model = Sequential(*layers)
    assert len(model) == 2 and list(model) == layers and model[-1] is relu


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match=r"layer 0 is a list.*Sequential\(\*layers\)"):
        Sequential([Dense(3, 5), relu])
    with pytest.raises(TypeError, match="layer 1 is a int"):
        Sequential(relu, 3)


def test_repr_names_functions_too():
    assert repr(Sequential(Dense(3, 5), np.tanh, Sequential(relu))).splitlines() == [
        "Sequential(Dense, tanh, Sequential): 20 parameters",
        "  layers.0: Dense(3, 5): 20 parameters",
        "  layers.2: Sequential(relu): 0 parameters",
    ]
