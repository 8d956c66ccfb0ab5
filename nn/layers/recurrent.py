"""Recurrent layers: a state that goes along a sequence, and is changed by what comes.

A cell does one step; a layer takes a sequence (batch, time, inputs), and can be several cells deep.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Value, as_array, lstm

from .. import init as initialisers
from ..arrays import numbers
from ..functional import sigmoid
from ..module import InTorch, Module, turned

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


class _Cell(Module):
    """What the cells share: weights for what comes in and for the state, in as many blocks as there are gates."""

    gates = 1

    def __init__(self, inputs: int | None, units: int, *, seed: initialisers.Seed = None, dtype: Any = np.float64):
        name = type(self).__name__
        for what, size in (("inputs", inputs), ("units", units)):
            if what == "inputs" and size is None:
                continue
            if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
                raise ValueError(f"{name}({what}={size!r}): a positive whole number is wanted.")
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"{name}(dtype={np.dtype(dtype)}): weights are floating numbers, float32 or float64.")
        self.inputs, self.units, self.dtype, self._seed = inputs, int(units), np.dtype(dtype), seed
        self.weight: Any = None
        self.recurrent: Any = None
        self.bias: Any = None
        self.built = False
        if inputs is not None:
            self.build(int(inputs))

    def build(self, inputs: int) -> None:
        """Make the weights for so many numbers at a time."""
        rng = np.random.default_rng(self._seed)
        self.inputs = inputs
        blocks = range(self.gates)
        self.weight = Value(
            np.concatenate([initialisers.xavier_uniform((inputs, self.units), rng, self.dtype) for _ in blocks], axis=1)
        )
        self.recurrent = Value(
            np.concatenate([initialisers.orthogonal((self.units, self.units), rng, self.dtype) for _ in blocks], axis=1)
        )
        self.bias = Value(np.zeros(self.gates * self.units, self.dtype))
        self.built = True

    def start(self, batch: int, x: Any = 0.0) -> Any:
        """The state before anything came: zeros, in the library of `x`."""
        return np.zeros_like(numbers(x), self.dtype, shape=(batch, self.units))

    def _checked(self, x: Any, axes: int) -> Any:
        shape = np.shape(x)
        if len(shape) == axes and not self.built:
            self.build(shape[-1])
        if len(shape) != axes or shape[-1] != self.inputs:
            path = ((self.weight is not None and self.weight.label) or "").rpartition(".")[0]
            name = f"{path} = {self.describe()}" if path else self.describe()
            wanted = f"{'batch, time' if axes == 3 else 'batch'}, {self.inputs or 'inputs'}"
            raise ValueError(f"{name} got x of shape {shape} and wants ({wanted}).")
        return as_array(x)

    def _came(self, x: Any) -> Any:
        """What comes in times its weights, for all times in one product."""
        return x @ self.weight + self.bias

    def _step(self, came: Any, state: Any) -> Any:
        """The next state, from what came in (already times its weights) and the state."""
        raise NotImplementedError

    def forward(self, x: Any, state: Any = None) -> Any:
        """One step.

        Parameters
        ----------
        x : Value or array, shape (batch, inputs)
        state : optional
            What the last step gave; default: zeros.

        Returns
        -------
        Value, shape (batch, units)
            The next state; of an LSTM a pair, hidden state and cell.
        """
        x = self._checked(x, 2)
        return self._step(self._came(x), self.start(x.shape[0], x) if state is None else state)

    def along(self, x: Any, state: Any, mask: Any) -> tuple[Any, Any]:
        """All states along a sequence, and the last one."""
        states, came = [], self._came(x)
        for t in range(x.shape[1]):
            new = self._step(came[:, t], state)
            state = new if mask is None else np.where(mask[:, t, None], new, state)
            states.append(state)
        if not states:
            return np.zeros_like(state, shape=(x.shape[0], 0, self.units)), state
        return np.stack(states, axis=1), state

    def in_torch(self, end: str = "") -> list[InTorch]:
        return [
            (("weight",), (f"weight_ih{end}",), turned, turned),
            (("recurrent",), (f"weight_hh{end}",), turned, turned),
            self._biases((f"bias_ih{end}", f"bias_hh{end}")),
        ]

    def _biases(self, theirs: tuple[str, str]) -> InTorch:
        """PyTorch has two, which it adds."""
        return ("bias",), theirs, lambda bias: (bias, np.zeros_like(bias)), lambda one, two: (one + two,)

    def describe(self) -> str:
        return f"{type(self).__name__}({', '.join(str(n) for n in (self.inputs, self.units) if n is not None)})"


class RNNCell(_Cell):
    r"""A step of the plain recurrent net, :math:`h' = \tanh(x W + h U + b)`.

    Parameters
    ----------
    inputs : int or None
        How many numbers come in at a time; None takes it from the first `x`.
    units : int
        How many numbers the state has.
    seed : int or Generator, optional
        The input's weights start by `nn.init.xavier_uniform`, the state's by `nn.init.orthogonal`, the bias at 0.
    dtype : float32 or float64

    Attributes
    ----------
    weight : Value, shape (inputs, units)
        W; of cells with gates, a block for each.
    recurrent : Value, shape (units, units)
        U, likewise.
    bias : Value, shape (units,)

    Raises
    ------
    TypeError, ValueError
        As `Dense`.

    References
    ----------
    Elman: Finding structure in time (1990).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import RNNCell
    >>> cell = RNNCell(3, 5, seed=0)
    >>> state = cell(np.ones((2, 3)))
    >>> cell(np.ones((2, 3)), state).shape
    (2, 5)
    """

    def _step(self, came: Any, state: Any) -> Any:
        return np.tanh(came + state @ self.recurrent)


class GRUCell(_Cell):
    r"""A step of the gated recurrent unit.

    .. math::
        r = \sigma(x W_r + h U_r + b_r), \quad z = \sigma(x W_z + h U_z + b_z), \\
        n = \tanh(x W_n + b_n + r \odot (h U_n + c_n)), \quad h' = (1 - z) \odot n + z \odot h

    Parameters, attributes and errors are those of `RNNCell`, with three blocks in the order r, z, n, and one attribute
    more: `state_bias`, :math:`c_n`, shape (units,).

    References
    ----------
    Cho et al.: Learning phrase representations using RNN encoder-decoder (2014); in the form of PyTorch and cuDNN,
    where the reset r acts behind the product.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import GRUCell
    >>> GRUCell(3, 5, seed=0)(np.ones((2, 3))).shape
    (2, 5)
    """

    gates = 3

    def build(self, inputs: int) -> None:
        super().build(inputs)
        self.state_bias = Value(np.zeros(self.units, self.dtype))

    def _biases(self, theirs: tuple[str, str]) -> InTorch:
        both = 2 * self.units

        def there(bias: Any, state_bias: Any) -> tuple[Any, Any]:
            return bias, np.concatenate([np.zeros(both, bias.dtype), state_bias])

        def back(one: Any, two: Any) -> tuple[Any, Any]:
            return one + np.concatenate([two[:both], np.zeros_like(two[both:])]), two[both:]

        return ("bias", "state_bias"), theirs, there, back

    def _step(self, came: Any, state: Any) -> Any:
        n = self.units
        past = state @ self.recurrent
        gates = sigmoid(came[:, : 2 * n] + past[:, : 2 * n])
        r, z = gates[:, :n], gates[:, n:]
        new = np.tanh(came[:, 2 * n :] + r * (past[:, 2 * n :] + self.state_bias))
        return new + z * (state - new)


class LSTMCell(_Cell):
    r"""A step of the long short-term memory.

    .. math::
        i, f, o = \sigma(x W + h U + b), \quad g = \tanh(x W_g + h U_g + b_g), \\
        c' = f \odot c + i \odot g, \quad h' = o \odot \tanh(c')

    Parameters, attributes and errors are those of `RNNCell`, with four blocks in the order i, f, g, o. The state is a
    pair, h and c. The bias of f starts at 1, so that the cell remembers at first.

    References
    ----------
    Hochreiter, Schmidhuber: Long short-term memory (1997); with the forget gate of Gers, Schmidhuber, Cummins: Learning
    to forget (2000). Jozefowicz, Zaremba, Sutskever: An empirical exploration of recurrent network architectures
    (2015), on the bias.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import LSTMCell
    >>> h, c = LSTMCell(3, 5, seed=0)(np.ones((2, 3)))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    gates = 4

    def build(self, inputs: int) -> None:
        super().build(inputs)
        bias = np.zeros(4 * self.units, self.dtype)
        bias[self.units : 2 * self.units] = 1
        self.bias = Value(bias)

    def start(self, batch: int, x: Any = 0.0) -> Any:
        return super().start(batch, x), super().start(batch, x)

    def _step(self, came: Any, state: Any) -> Any:
        n, (h, c) = self.units, state
        came = came + h @ self.recurrent
        i, f, o = (sigmoid(came[:, k * n : (k + 1) * n]) for k in (0, 1, 3))
        c = f * c + i * np.tanh(came[:, 2 * n : 3 * n])
        return o * np.tanh(c), c

    def along(self, x: Any, state: Any, mask: Any) -> tuple[Any, Any]:
        outputs, cells = lstm(x, *state, self.weight, self.recurrent, self.bias, mask=mask)
        return outputs, ((outputs[:, -1], cells[:, -1]) if x.shape[1] else state)


class _Recurrent(Module):
    """What the layers share: cells one above the other, each along the whole sequence."""

    cell: type[_Cell]

    def __init__(
        self,
        inputs: int | None,
        units: int,
        layers: int = 1,
        *,
        returns: str = "both",
        seed: initialisers.Seed = None,
        dtype: Any = np.float64,
    ):
        if not isinstance(layers, int | np.integer) or isinstance(layers, bool) or layers < 1:
            raise ValueError(f"{type(self).__name__}(layers={layers!r}): a positive whole number is wanted.")
        if returns not in ("both", "outputs", "last"):
            raise ValueError(f"{type(self).__name__}(returns={returns!r}): it is 'both', 'outputs' or 'last'.")
        rng, self.returns = np.random.default_rng(seed), returns
        self.cells = [self.cell(inputs if i == 0 else units, units, seed=rng, dtype=dtype) for i in range(layers)]

    def forward(self, x: Any, state: Any = None, mask: Any = None) -> Any:
        """Go along the sequence.

        Parameters
        ----------
        x : Value or array, shape (batch, time, inputs)
        state : list, optional
            A state for each layer, as a call before gave it; default: zeros.
        mask : array of bool, shape (batch, time), optional
            True where there is something, as ``np.arange(time) < lengths[:, None]``. Where it is False, the state
            stays as it is, so that the last one is that at the end of each sequence.

        Returns
        -------
        outputs : Value, shape (batch, time, units)
            The hidden states of the uppermost layer.
        state : list
            The last state of each layer: of shape (batch, units), or pairs of such. There are none with
            ``returns='outputs'``; with ``returns='last'`` there is only the last hidden state of the uppermost layer.
        """
        self.cells[0]._checked(x, 3)
        x = as_array(x)
        if mask is not None:
            mask = as_array(mask) != 0
            if mask.shape != x.shape[:2]:
                raise ValueError(
                    f"{self.describe()} got x of shape {x.shape} and a mask of shape {mask.shape}, not (batch, time)."
                )
        if state is not None and len(state) != len(self.cells):
            raise ValueError(f"{self.describe()} got {len(state)} states and has {len(self.cells)} layers.")
        last = []
        for number, cell in enumerate(self.cells):
            before = cell.start(x.shape[0], x) if state is None else state[number]
            x, after = cell.along(x, before, mask)
            last.append(after)
        if self.returns == "last":
            return last[-1][0] if isinstance(last[-1], tuple) else last[-1]
        return x if self.returns == "outputs" else (x, last)

    def in_torch(self) -> list[InTorch]:
        return [
            (tuple(f"cells.{i}.{name}" for name in ours), theirs, there, back)
            for i, cell in enumerate(self.cells)
            for ours, theirs, there, back in cell.in_torch(f"_l{i}")
        ]

    def describe(self) -> str:
        first = self.cells[0]
        facts = [str(n) for n in (first.inputs, first.units) if n is not None]
        if len(self.cells) > 1:
            facts.append(f"layers={len(self.cells)}")
        return f"{type(self).__name__}({', '.join(facts)})"


class RNN(_Recurrent):
    """A plain recurrent net along a sequence; `RNNCell` has its equation.

    Parameters
    ----------
    inputs : int or None
        How many numbers come in at a time; None takes it from the first `x`.
    units : int
        How many numbers the state has.
    layers : int
        How many cells stand one above the other: each sees the hidden states of the one below.
    returns : 'both', 'outputs' or 'last'
        The outputs and the states; the outputs, to stand before another layer; or the last output, to stand before a
        layer that judges the whole sequence.
    seed : int or Generator, optional
    dtype : float32 or float64

    Attributes
    ----------
    cells : list

    Raises
    ------
    TypeError, ValueError
        As `RNNCell`; ValueError also if the mask or the states do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import RNN
    >>> outputs, state = RNN(3, 5, layers=2, seed=0)(np.ones((4, 7, 3)))
    >>> outputs.shape, len(state), state[1].shape
    ((4, 7, 5), 2, (4, 5))
    """

    cell = RNNCell


class GRU(_Recurrent):
    """Gated recurrent units along a sequence; `GRUCell` has the equations. Otherwise as `RNN`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import GRU
    >>> outputs, state = GRU(3, 5, seed=0)(np.ones((4, 7, 3)))
    >>> outputs.shape
    (4, 7, 5)
    """

    cell = GRUCell


class LSTM(_Recurrent):
    """A long short-term memory along a sequence; `LSTMCell` has the equations. A state is a pair. Otherwise as `RNN`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import LSTM
    >>> outputs, [(h, c)] = LSTM(3, 5, seed=0)(np.ones((4, 7, 3)))
    >>> outputs.shape, c.shape
    ((4, 7, 5), (4, 5))
    """

    cell = LSTMCell
