"""Recurrent layers: their equations, PyTorch's numbers, masks, depth, and what they refuse."""

import numpy as np
import pytest

import nn
from autograd import Value
from tests.autograd.numerical import check_first, check_second

RNG = np.random.default_rng(0)
KINDS = [(nn.RNN, nn.RNNCell), (nn.GRU, nn.GRUCell), (nn.LSTM, nn.LSTMCell)]
each = pytest.mark.parametrize(("layer", "cell"), KINDS, ids=["rnn", "gru", "lstm"])
X = RNG.standard_normal((3, 4, 2))
LENGTHS = np.array([4, 1, 3])
MASK = np.arange(4) < LENGTHS[:, None]


def hidden(state):
    return state[0] if isinstance(state, tuple) else state


def shaken(module):
    """Biases that are not zero."""
    for name, parameter in module.named_parameters():
        if "bias" in name:
            parameter.data = RNG.standard_normal(parameter.shape)
    return module


@each
def test_a_layer_is_its_cell_step_by_step(layer, cell):
    model = shaken(layer(2, 5, seed=0))
    one, state = model.cells[0], None
    assert type(one) is cell
    outputs, (last,) = model(X)
    for t in range(4):
        state = one(X[:, t], state)
        np.testing.assert_allclose(outputs.data[:, t], hidden(state).data, rtol=1e-13)
    for a, b in zip(*((s if isinstance(s, tuple) else (s,)) for s in (last, state)), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-13)


def test_the_equations_of_the_lstm():
    cell = shaken(nn.LSTMCell(2, 3, seed=0))
    x, h, c = X[:, 0], RNG.standard_normal((3, 3)), RNG.standard_normal((3, 3))
    i, f, g, o = np.split(x @ cell.weight.data + h @ cell.recurrent.data + cell.bias.data, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-a)) for a in (i, f, o))
    wanted = f * c + i * np.tanh(g)
    new_h, new_c = cell(x, (h, c))
    np.testing.assert_allclose(new_c.data, wanted, rtol=1e-13)
    np.testing.assert_allclose(new_h.data, o * np.tanh(wanted), rtol=1e-13)


@each
def test_gradients(layer, cell):
    model = shaken(layer(2, 3, seed=0))
    one = model.cells[0]
    names = [name for name in ("weight", "recurrent", "bias", "state_bias") if hasattr(one, name)]

    def of(x, *parameters):
        plain = not any(isinstance(v, Value) for v in (x, *parameters))
        for name, parameter in zip(names, parameters, strict=True):
            setattr(one, name, parameter if isinstance(parameter, Value) else Value(parameter))
        outputs, (state,) = model(x, mask=MASK)
        y = np.concatenate([np.ravel(outputs), np.ravel(hidden(state)), np.ravel(state[-1] if layer is nn.LSTM else 0)])
        return y.data if plain else y

    arrays = [X, *(getattr(one, name).data.copy() for name in names)]
    check_first(of, arrays)
    check_second(of, arrays)


@each
def test_behind_the_end_of_a_sequence_nothing_changes(layer, cell):
    model = shaken(layer(2, 5, layers=2, seed=0))
    outputs, states = model(X, mask=MASK)
    for row, length in enumerate(LENGTHS):
        alone, ends = model(X[row : row + 1, :length])
        np.testing.assert_allclose(outputs.data[row, :length], alone.data[0], rtol=1e-13)
        for state, end in zip(states, ends, strict=True):
            np.testing.assert_allclose(hidden(state).data[row], hidden(end).data[0], rtol=1e-13)
    x = Value(X)
    model(x, mask=MASK)[0][:, -1].sum().backward()
    assert np.all(x.grad[~MASK] == 0) and np.all(x.grad[MASK] != 0)


@each
def test_a_sequence_in_two_parts(layer, cell):
    model = layer(2, 5, layers=2, seed=0)
    whole, ends = model(X)
    first, state = model(X[:, :2])
    second, after = model(X[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first.data, second.data], axis=1), whole.data, rtol=1e-13)
    np.testing.assert_allclose(hidden(after[1]).data, hidden(ends[1]).data, rtol=1e-13)


@each
def test_what_it_returns(layer, cell):
    both, outputs, last = (layer(2, 5, returns=returns, seed=0)(X) for returns in ("both", "outputs", "last"))
    np.testing.assert_array_equal(both[0].data, outputs.data)
    np.testing.assert_array_equal(outputs.data[:, -1], last.data)
    model = nn.Sequential(layer(None, 5, returns="outputs", seed=0), layer(5, 4, returns="last", seed=1), nn.Dense(1))
    assert model(X).shape == (3, 1)


@each
def test_float32_and_every_batch_size(layer, cell):
    model = layer(2, 5, layers=2, seed=0, dtype=np.float32)
    for n in (0, 1, 3):
        x = Value(np.ones((n, 4, 2), np.float32))
        outputs, _ = model(x)
        outputs.sum().backward()
        assert outputs.shape == (n, 4, 5)
        assert outputs.dtype == x.grad.dtype == model.cells[0].weight.grad.dtype == np.float32
    assert model(np.ones((2, 0, 2), np.float32))[0].shape == (2, 0, 5)


@each
def test_same_as_torch(layer, cell):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    model = shaken(layer(2, 5, layers=2, seed=0))
    other = getattr(torch.nn, layer.__name__)(2, 5, num_layers=2, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for i, one in enumerate(model.cells):
            getattr(other, f"weight_ih_l{i}").copy_(torch.tensor(one.weight.data.T.copy()))
            getattr(other, f"weight_hh_l{i}").copy_(torch.tensor(one.recurrent.data.T.copy()))
            getattr(other, f"bias_ih_l{i}").copy_(torch.tensor(one.bias.data.copy()))
            getattr(other, f"bias_hh_l{i}").zero_()
            if layer is nn.GRU:
                getattr(other, f"bias_hh_l{i}")[10:] = torch.tensor(one.state_bias.data.copy())
    x, t = Value(X), torch.tensor(X, requires_grad=True)
    outputs, states = model(x)
    theirs, last = other(t)
    last = last[0] if layer is nn.LSTM else last
    np.testing.assert_allclose(outputs.data, theirs.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(hidden(states[1]).data, last[1].detach().numpy(), rtol=1e-10)
    seed = RNG.standard_normal(outputs.shape)
    outputs.backward(seed)
    theirs.backward(torch.tensor(seed))
    np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-10, atol=1e-13)
    for i, one in enumerate(model.cells):
        np.testing.assert_allclose(one.weight.grad.T, getattr(other, f"weight_ih_l{i}").grad.numpy(), rtol=1e-9)
        np.testing.assert_allclose(one.recurrent.grad.T, getattr(other, f"weight_hh_l{i}").grad.numpy(), rtol=1e-9)
        np.testing.assert_allclose(one.bias.grad, getattr(other, f"bias_ih_l{i}").grad.numpy(), rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.LSTM(2, 0), r"LSTMCell\(units=0\)"),
        (lambda: nn.RNN(2, 3, layers=0), r"RNN\(layers=0\)"),
        (lambda: nn.GRU(2, 3, returns="all"), "'both', 'outputs' or 'last'"),
        (lambda: nn.LSTM(2, 3)(np.ones((4, 2))), r"got x of shape \(4, 2\) and wants \(batch, time, 2\)"),
        (lambda: nn.Sequential(nn.LSTM(2, 3))(np.ones((4, 5, 3))), r"layers.0.cells.0 = LSTMCell\(2, 3\) got x"),
        (lambda: nn.GRUCell(2, 3)(np.ones((4, 3))), r"wants \(batch, 2\)"),
        (lambda: nn.LSTM(2, 3)(X, mask=MASK.T), "a mask of shape"),
        (lambda: nn.LSTM(2, 3, layers=2)(X, [None]), "got 1 states and has 2 layers"),
    ],
)
def test_wrong_input_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
