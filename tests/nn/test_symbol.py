"""Symbols: what is noted, what is found out early, and what is refused."""

import copy

import numpy as np
import pytest

import nn
from autograd import Value, logsumexp
from nn.symbol import deferred, gathered, replaced

X = np.random.default_rng(0).standard_normal((5, 6))

EXPRESSIONS = {
    "operators": lambda x: (x + 1) * 2 - x / 3 + 2**x - (-x),
    "from the right": lambda x: 1 - x + np.ones(6) * x,
    "comparison": lambda x: np.where(x > 0, x, 0.1 * x),
    "ufunc": lambda x: np.tanh(np.maximum(x, 0)),
    "function": lambda x: np.concatenate([x, np.mean(x, axis=1, keepdims=True)], axis=1),
    "ufunc method": lambda x: np.add.reduce(x, axis=1),
    "method": lambda x: x.reshape(-1, 2, 3).sum(axis=2),
    "index": lambda x: x[:, 1:4],
    "transpose": lambda x: x.T.T,
    "autograd": lambda x: logsumexp(nn.relu(x), axis=1),
    "softmax": lambda x: nn.softmax(x, axis=-1),
    "matmul": lambda x: x @ np.ones((6, 2)),
    "several results": lambda x: np.split(x, 2, axis=1)[1],
    "sum of Python": lambda x: sum([x, x]),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_is_noted_is_what_is_run(name):
    function = EXPRESSIONS[name]
    x = nn.Input(6)
    symbol = function(x)
    got, wanted = nn.Model(x, symbol)(Value(X, requires_grad=False)), function(Value(X, requires_grad=False))
    np.testing.assert_array_equal(got.data, wanted.data)
    assert symbol.shape == wanted.shape[1:]


def test_gradients_pass_through_what_was_noted():
    x = nn.Input(6)
    model = nn.Model(x, np.tanh(x).sum(axis=1))
    leaf = Value(X)
    model(leaf).sum().backward()
    np.testing.assert_allclose(leaf.grad, 1 - np.tanh(X) ** 2)


def test_what_it_says_of_itself():
    x = nn.Input(3, 8, name="image")
    assert repr(x) == "Input(n, 3, 8) 'image'" and x.shape == (3, 8)
    assert repr(np.tanh(x)) == "Symbol(n, 3, 8) of tanh"
    assert repr(nn.Dense(8, 2)(x)) == "Symbol(n, 3, 2) of Dense(8, 2)"
    assert repr(x.mean(axis=0)) == "Symbol(3, 8) of mean"  # the batch is gone, and it shows
    assert repr(x.sum()) == "Symbol() of sum"
    assert nn.Input((3, 8)).shape == nn.Input([3, 8]).shape == (3, 8)
    assert nn.Input().shape == ()


def test_mistakes_show_where_they_are_made():
    x = nn.Input(4)
    with pytest.raises(ValueError, match=r"Dense\(3, 2\) got x of shape \(2, 4\)"):
        nn.Dense(3, 2)(x)
    with pytest.raises(ValueError, match="broadcast"):
        x + nn.Input(3)
    with pytest.raises(ValueError, match="reshape"):
        x.reshape(1, 4)  # one example at a time
    with pytest.raises(TypeError, match="an array is needed"):
        deferred(lambda x: "text", (x,), {})


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "4", None])
def test_input_checks_its_shape(size):
    with pytest.raises(ValueError, match="whole numbers from 1"):
        nn.Input(size)


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda x: float(x), "Symbol|not"),
        (lambda x: np.asarray(x), "no numbers yet"),
        (lambda x: list(x), "iterated"),
        (lambda x: len(x), "no length"),
        (lambda x: bool(x > 0), "no truth yet"),
        (lambda x: Value(np.ones(4)) * x, "write it on the left"),
        (lambda x: Value(x), "no dtype yet"),
        (lambda x: "a" if x.sum() > 0 else "b", "class with a `forward`"),
    ],
)
def test_what_needs_numbers_is_refused(misuse, said):
    with pytest.raises(TypeError, match=said):
        misuse(nn.Input(4))


def test_numbers_it_has_not():
    for name in ("data", "grad", "_array", "call_me"):
        with pytest.raises(AttributeError, match="no numbers yet"):
            getattr(nn.Input(4), name)


def test_layers_take_their_size_and_stay_in_their_mode():
    layer = nn.Dense(3, seed=0)
    assert not layer.built
    layer(nn.Input(7))
    assert layer.built and layer.weight.shape == (7, 3) and layer.training
    assert layer.weight.requires_grad
    sleeping = nn.Dense(7, 3).eval()
    sleeping(nn.Input(7))
    assert not sleeping.training


def test_trials_run_outside_of_training():
    seen = []

    class Watch(nn.Module):
        def forward(self, x):
            seen.append((self.training, x.shape, x.requires_grad, x.data.strides))
            return x

    Watch()(nn.Input(1000, 1000))
    ((training, shape, tracked, strides),) = seen
    assert not training and shape[1:] == (1000, 1000) and not tracked
    assert set(strides) == {0}  # no memory was spent


def test_integer_inputs_are_integers():
    class Look(nn.Module):
        def __init__(self):
            self.table = Value(np.arange(12.0).reshape(6, 2))

        def forward(self, x):
            return self.table[x.data]

    x = nn.Input(3, dtype=int)
    assert nn.Model(x, Look()(x))(np.array([[0, 5, 1]])).shape == (1, 3, 2)


def test_several_results_are_several_symbols():
    class Both(nn.Module):
        def forward(self, x):
            return x + 1, (x * 2, None)

    x = nn.Input(2)
    a, (b, nothing) = Both()(x)
    assert nothing is None
    model = nn.Model(x, b - a)
    np.testing.assert_array_equal(model(np.full((1, 2), 5.0)).data, [[4.0, 4.0]])
    assert len(model.layers) == 1


def test_replaced_walks_nested_arguments():
    x, y = nn.Input(1), nn.Input(2)
    tree = [x, (1, {"a": y, "b": [x]}), slice(None)]
    assert [id(s) for s in gathered(tree, nn.Symbol)] == [id(x), id(y), id(x)]
    assert replaced(tree, nn.Symbol, lambda s: s.shape) == [(1,), (1, {"a": (2,), "b": [(1,)]}), slice(None)]


def test_symbols_can_be_copied():
    x = nn.Input(4, name="x")
    assert copy.copy(x).shape == copy.deepcopy(np.tanh(x)).shape == (4,)
