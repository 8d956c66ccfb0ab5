"""The perceptron: the worked numbers, what it learns, and what it cannot."""

import numpy as np
import pytest

import nn

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GATES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}


def test_the_worked_example():
    unit = nn.Perceptron([0.5, 0.7], threshold=0.5)
    assert unit.score([0.5, 0.6]).item() == pytest.approx(0.67 - 0.5)
    assert unit([0.5, 0.6]).item() == 1.0
    assert unit([0.5, 0.3]).item() == 0.0
    assert nn.Perceptron([1, 1], activation=None)([2, 3]).item() == 5
    assert nn.Perceptron([0.5, 0.5], activation=None)([2, 3]).item() == 2.5


def learned(gate):
    """How many corners are right after passes of the classical rule."""
    unit = nn.Perceptron(2)
    optimizer = nn.SGD(unit.parameters(), lr=1.0)
    for _ in range(20):
        for x, t in zip(CORNERS, gate, strict=True):
            optimizer.zero_grad()
            nn.perceptron_loss(unit.score(x), 2 * t - 1).backward()
            optimizer.step()
    return int(np.sum(unit(CORNERS).data == gate))


@pytest.mark.parametrize("gate", ["and", "or"])
def test_it_learns_what_a_line_can_part(gate):
    assert learned(GATES[gate]) == 4


def test_it_cannot_learn_xor_and_an_mlp_can():
    assert learned(GATES["xor"]) < 4
    grid = np.stack(np.meshgrid(*[np.linspace(-2, 2, 41)] * 3), axis=-1).reshape(-1, 3)
    right = ((grid[:, :2] @ CORNERS.T + grid[:, 2:] >= 0) == GATES["xor"]).sum(axis=1)
    assert right.max() == 3  # no weights do
    model = nn.MLP([2, 8, 2], np.tanh, seed=0)
    optimizer = nn.SGD(model.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        nn.cross_entropy(model(CORNERS), GATES["xor"]).backward()
        optimizer.step()
    np.testing.assert_array_equal(model(CORNERS).argmax(axis=1), GATES["xor"])


def test_wrong_input():
    with pytest.raises(ValueError, match="number of inputs"):
        nn.Perceptron([])
    with pytest.raises(ValueError, match=r"Perceptron\(2\) got x of shape \(3,\) and wants \(batch, 2\)"):
        nn.Perceptron(2)([1.0, 2.0, 3.0])
