"""Training: deterministic, learning, and tidy behind itself."""

import numpy as np
import pytest

from autograd import Value
from nn import MLP, SGD, Module, cross_entropy, data
from nn.train import fit, predict

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 2))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
TRAIN, TEST = data.split(X, Y, seed=0)


def run(seed=0, epochs=3, dtype=np.float64, **settings):
    model = MLP([2, 8, 2], seed=1, dtype=dtype)
    train, test = ((x.astype(dtype), y) for x, y in (TRAIN, TEST))
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.5)
    return model, list(fit(model, train, test, optimizer, epochs=epochs, batch=8, seed=seed, **settings))


def test_the_same_seed_gives_the_same_bits():
    (one, history), (two, again) = run(noise=0.1), run(noise=0.1)
    assert history == again
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    assert run(seed=1)[1] != run(seed=0)[1]


def test_it_learns_what_no_line_separates():
    _, history = run(epochs=80)
    assert [epoch.number for epoch in history] == list(range(1, 81))
    assert history[-1].loss < 0.3 * history[0].loss
    assert history[-1].accuracy >= 0.8


def test_the_loss_of_an_epoch_is_the_mean_over_examples():
    model = MLP([2, 2], seed=0)
    optimizer = SGD(model.parameters(), lr=1e-300)  # stands still
    (epoch,) = fit(model, TRAIN, TEST, optimizer, epochs=1, batch=7, seed=0)
    assert epoch.loss == pytest.approx(cross_entropy(model(TRAIN[0]), TRAIN[1]).item())
    assert epoch.accuracy == np.mean(model(TEST[0]).data.argmax(axis=1) == TEST[1])


def test_the_learning_rate_falls_and_comes_back():
    model = MLP([2, 2], seed=0)
    optimizer = SGD(model.parameters(), lr=0.4)
    rates = [optimizer.lr for _ in fit(model, TRAIN, TEST, optimizer, epochs=4, seed=0)]
    assert rates == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert optimizer.lr == 0.4
    started = fit(model, TRAIN, TEST, optimizer, epochs=4, seed=0)
    next(started), next(started)
    started.close()
    assert optimizer.lr == 0.4


def test_float32_stays_float32():
    model, _ = run(dtype=np.float32, noise=0.1)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("settings", [{"epochs": 0}, {"epochs": 1.5}, {"batch": 0}, {"noise": -1}, {"noise": np.nan}])
def test_settings_are_checked_at_once(settings):
    model = MLP([2, 2], seed=0)
    with pytest.raises(ValueError, match=rf"fit\({next(iter(settings))}="):
        fit(model, TRAIN, TEST, SGD(model.parameters(), lr=0.1), **{"epochs": 1, **settings})


class Watched(Module):
    def __init__(self):
        self.weight = Value(np.eye(2))
        self.seen = []

    def forward(self, x):
        self.seen.append(self.training)
        y = x @ self.weight
        assert y.requires_grad == self.training
        return y


def test_training_and_judging_happen_in_their_modes():
    model = Watched()
    list(fit(model, TRAIN, TEST, SGD(model.parameters(), lr=0.1), epochs=1, batch=45, seed=0))
    assert model.seen == [True, False] and model.training


def test_predict_leaves_the_modes_as_they_were():
    model = Watched()
    model.part = Watched().eval()
    np.testing.assert_array_equal(predict(model, X), X.argmax(axis=1))
    assert model.training and not model.part.training
