"""check_module: by the names of parameters, in both modes, with everything put back."""

import numpy as np
import pytest

import nn
from autograd import Value
from autograd.testing import assert_module, check_module

X = np.random.default_rng(0).normal(size=(4, 3))


@pytest.mark.parametrize(
    "layer", [nn.Dense(3, 2, seed=0), nn.MLP([3, 4, 2], seed=0), nn.Sequential(nn.Dense(3, 2, seed=0), np.tanh)]
)
def test_right_ones_pass(layer):
    before = [parameter.data.copy() for parameter in layer.parameters()]
    report = check_module(layer, X)
    assert report, report
    assert any("batch 1" in row.place for row in report.rows)
    assert any("eval" in row.place for row in report.rows)
    for parameter, data in zip(layer.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.data, data)
        assert parameter.grad is None
    assert layer.training


class Detached(nn.Module):
    def __init__(self):
        self.weight, self.bias = Value(np.ones(3)), Value(np.zeros(3))

    def forward(self, x):
        return np.tanh(x * self.weight) + (self.bias * 2).detach()


def test_the_wrong_parameter_is_named():
    report = check_module(Detached(), X)
    assert report.verdict == "FAIL"
    wrong = {row.place for row in report.rows if row.status == "wrong"}
    assert wrong
    assert all(place.startswith("bias[") for place in wrong)
    with pytest.raises(AssertionError, match="the gradients of Detached are wrong"):
        assert_module(Detached(), X)


class OnlyInTraining(nn.Module):
    def __init__(self):
        self.weight = Value(np.ones(3))

    def forward(self, x):
        scale = self.weight.detach() if self.training else self.weight
        return x * scale * self.weight


def test_the_mode_is_named():
    report = check_module(OnlyInTraining(), X)
    assert report.verdict == "FAIL"
    assert all("(train" in row.place for row in report.rows if row.status == "wrong")


class Dropout(nn.Module):
    def __init__(self):
        self.rng = np.random.default_rng(3)
        self.mean = np.zeros(3)
        self.calls = 0
        self.weight = Value(np.ones(3))

    def forward(self, x):
        if not self.training:
            return x * self.weight + self.mean
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * np.asarray(getattr(x, "data", x)).mean(axis=0) if len(x) else self.mean
        return x * self.weight * (self.rng.random(x.shape) < 0.5)


def test_randomness_is_fixed_and_buffers_are_put_back():
    layer = Dropout()
    state = layer.rng.bit_generator.state
    report = check_module(layer, X)
    assert report, report
    assert layer.calls == 0
    assert not layer.mean.any()
    assert layer.rng.bit_generator.state == state


class GlobalDropout(nn.Module):
    def __init__(self):
        self.weight = Value(np.ones(3))

    def forward(self, x):
        return x * self.weight * (np.random.random(x.shape) < 0.5)  # noqa: NPY002


def test_the_global_generator_is_put_back():
    np.random.seed(5)  # noqa: NPY002
    wanted = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    assert check_module(GlobalDropout(), X)
    assert np.random.random() == wanted  # noqa: NPY002


class Picky(nn.Module):
    def __init__(self):
        self.weight = Value(np.ones(3))

    def forward(self, x):
        if len(x) < 2:
            raise ValueError("wants two examples")
        return x * self.weight


class Broken(Picky):
    def forward(self, x):
        return x * self.weight / x[0]


def test_batches_that_are_refused():
    report = check_module(Picky(), X)
    assert report
    assert any("refuses a batch of 1" in note for note in report.notes)
    report = check_module(Broken(), X)
    assert report.verdict == "FAIL"
    assert "raises IndexError" in str(report)


class Turned(nn.Module):
    def __init__(self, weight):
        self.weight = Value(weight)

    def forward(self, x):
        return np.exp(1j * x) * self.weight


@pytest.mark.parametrize("weight", [np.ones(3), np.array([1j, 2.0, 1 - 1j])])
@pytest.mark.parametrize("x", [X, X + 1j * X[::-1]])
def test_complex_numbers(weight, x):
    report = check_module(Turned(weight), x)
    assert report, report
    assert any(isinstance(row.yours, complex) for row in report.rows) == (np.iscomplexobj(weight) or np.iscomplexobj(x))
