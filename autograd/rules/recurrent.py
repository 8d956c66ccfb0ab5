"""A long short-term memory along a whole sequence, as one operation. The formula is the rule in words.

Fused, because a step at a time costs more in calls than in arithmetic: what comes in is multiplied by its weights for
all times in one product; the four gates are one block, with one tanh, as a sigmoid is a tanh of half; and the
derivatives of all gates are taken for the whole sequence at once, so that only the recurrence is left to the loop.

Gates stand in the order in, forget, candidate, out. Inside, time comes first.
"""

from typing import Any

import numpy as np

from ..op import beside, call, defparts, is_foreign, registry


def halves(units, dtype):
    """What the weights to the gates are multiplied by, so that one tanh serves all: σ(a) is (1 + tanh(a / 2)) / 2."""
    return np.repeat(np.array([0.5, 0.5, 1.0, 0.5], dtype), units)


def _lstm(x, h, c, weight, recurrent, bias, mask=None):
    """All hidden states and all cells of a long short-term memory along `x`: see `nn.LSTM` for its equations.

    `x` has shape (batch, time, inputs), `h` and `c` before it (batch, units), `weight` (inputs, 4 units), `recurrent`
    (units, 4 units), `bias` (4 units,), a boolean `mask` (batch, time): where it is False, nothing changes.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import lstm
    >>> outputs, cells = lstm(np.ones((1, 2, 1)), *np.zeros((2, 1, 1)), np.ones((1, 4)), np.ones((1, 4)), np.zeros(4))
    >>> cells.round(3)
    array([[[0.557],
            [1.144]]])
    """
    if any(map(is_foreign, (x, weight))):
        return lstm_of(x, h, c, weight, recurrent, bias, mask)
    n, times, inputs = x.shape
    units, dtype = h.shape[-1], np.result_type(x, h, c, weight, recurrent, bias)
    half = halves(units, dtype)
    came = np.reshape(np.swapaxes(x, 0, 1), (times * n, inputs)) @ (weight * half) + bias * half
    gates, recurrent = came.reshape(times, n, 4 * units).astype(dtype, copy=False), recurrent * half
    hs, cs, bent = (np.empty((length, n, units), dtype) for length in (times + 1, times + 1, times))
    hs[0], cs[0] = h, c
    i, f, g, o = (gates[:, :, k * units : (k + 1) * units] for k in range(4))
    for t in range(times):
        gate = gates[t]
        gate += hs[t] @ recurrent
        np.tanh(gate, out=gate)
        for sigmoids in (gate[:, : 2 * units], gate[:, 3 * units :]):
            sigmoids += 1
            sigmoids *= 0.5
        np.multiply(f[t], cs[t], out=cs[t + 1])
        cs[t + 1] += i[t] * g[t]
        np.tanh(cs[t + 1], out=bent[t])
        np.multiply(o[t], bent[t], out=hs[t + 1])
        if mask is not None:  # behind the end of a sequence all stays as it was
            over = ~mask[:, t]
            hs[t + 1, over], cs[t + 1, over] = hs[t, over], cs[t, over]
    return np.swapaxes(hs[1:], 0, 1), np.swapaxes(cs[1:], 0, 1), hs, cs, gates, bent, {}


def along(x, h, c, weight, recurrent, bias, mask):
    """The same a step at a time, in operations that have derivatives: hidden states, cells, gates, tanh of new cells.

    Of the states and cells there is one more than of the others, those before.
    """
    units = np.shape(h)[-1]
    half = beside(halves(units, np.result_type(x)), x, weight)
    hs, cs, gates, bent = [h], [c], [], []
    for t in range(np.shape(x)[1]):
        gate = np.tanh((x[:, t] @ weight + h @ recurrent + bias) * half)
        gate = np.where(half == 0.5, 0.5 + 0.5 * gate, gate)
        i, f, g, o = (gate[:, k * units : (k + 1) * units] for k in range(4))
        new = f * c + i * g
        gates.append(gate), bent.append(np.tanh(new))
        h_new = o * bent[t]
        if mask is None:
            h, c = h_new, new
        else:
            h, c = (np.where(mask[:, t, None], a, b) for a, b in ((h_new, h), (new, c)))
        hs.append(h), cs.append(c)
    return hs, cs, gates, bent


def lstm_of(x, h, c, weight, recurrent, bias, mask):
    """The operation of arrays of any library."""
    hs, cs, gates, bent = along(x, h, c, weight, recurrent, bias, mask)
    if len(hs) == 1:
        empty = np.expand_dims(h, 1)[:, :0]
        return empty, empty, hs, cs, gates, bent, {}
    return np.stack(hs[1:], axis=1), np.stack(cs[1:], axis=1), hs, cs, gates, bent, {}


def slopes(gates, cs, bent):
    """How the cell follows the input of each gate, of the last the hidden state; how that follows the cell; and f."""
    units = np.shape(bent)[-1]
    i, f, g, o = (gates[..., k * units : (k + 1) * units] for k in range(4))
    by_cell = g * i * (1 - i), cs * f * (1 - f), i * (1 - g * g)
    return np.concatenate([*by_cell, bent * o * (1 - o)], axis=-1), o * (1 - bent * bent), f


def backward(gh, gc, x, weight, recurrent, mask, hs, cs, gates, bent):
    """The gradients of x, h, c, weight, recurrent and bias."""
    (n, times, inputs), units = x.shape, bent.shape[-1]
    back, through, f = slopes(gates, cs[:-1], bent)
    transposed, dh, dc = np.ascontiguousarray(recurrent.T), 0.0, 0.0
    for t in reversed(range(times)):
        if gh is not None:
            dh = dh + gh[:, t]
        if gc is not None:
            dc = dc + gc[:, t]
        if mask is not None:
            on = mask[:, t, None]
            past_h, past_c, dh, dc = dh * ~on, dc * ~on, dh * on, dc * on
        dc = dc + dh * through[t]
        step = back[t]
        cells = step[:, : 3 * units].reshape(n, 3, units)
        cells *= np.broadcast_to(dc, (n, units))[:, None]
        step[:, 3 * units :] *= dh
        dh, dc = step @ transposed, dc * f[t]
        if mask is not None:
            dh, dc = dh + past_h, dc + past_c
    flat = back.reshape(times * n, 4 * units)
    return [
        np.swapaxes((flat @ weight.T).reshape(times, n, inputs), 0, 1),
        np.zeros((n, units)) + dh,
        np.zeros((n, units)) + dc,
        np.swapaxes(x, 0, 1).reshape(times * n, inputs).T @ flat,
        hs[:-1].reshape(times * n, units).T @ flat,
        np.sum(flat, axis=0),
    ]


def backward_stepwise(gh, gc, x, weight, recurrent, mask, hs, cs, gates, bent):
    """The same a step at a time, in operations that have derivatives, of what `along` gave."""
    n, times, inputs = np.shape(x)
    shares, dh, dc = [], np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(times)):
        back, through, f = slopes(gates[t], cs[t], bent[t])
        dh, dc = dh + (0.0 if gh is None else gh[:, t]), dc + (0.0 if gc is None else gc[:, t])
        if mask is not None:
            on = mask[:, t, None].astype(float)
            past_h, past_c, dh, dc = dh * (1 - on), dc * (1 - on), dh * on, dc * on
        dc = dc + dh * through
        step = back * np.concatenate([dc, dc, dc, dh], axis=-1)
        shares.append(step)
        dh, dc = step @ np.transpose(recurrent), dc * f
        if mask is not None:
            dh, dc = dh + past_h, dc + past_c
    flat = np.concatenate(shares[::-1]) if shares else (hs[0] @ recurrent)[:0]
    before = np.concatenate(hs[:-1]) if shares else hs[0][:0]
    came = np.reshape(np.swapaxes(x, 0, 1), (times * n, inputs))
    return [
        np.swapaxes(np.reshape(flat @ np.transpose(weight), (times, n, inputs)), 0, 1),
        dh,
        dc,
        np.transpose(came) @ flat,
        np.transpose(before) @ flat,
        np.sum(flat, axis=0),
    ]


def rule(part, number):
    """How input `number` gets its share of what came in for the hidden states (part 0) or the cells (part 1)."""

    def share(g, y, x, h, c, weight, recurrent, bias, mask=None, saved=None):
        upstream = (g, None) if part == 0 else (None, g)
        if saved is None:
            kept = along(x, h, c, weight, recurrent, bias, mask)
            return backward_stepwise(*upstream, x, weight, recurrent, mask, *kept)[number]
        *kept, memory = saved[2:]  # the rules of the other inputs want the same sums
        if memory.get("g") is not g or number not in memory["shares"]:
            way = backward_stepwise if isinstance(kept[0], list) else backward
            memory["shares"] = dict(enumerate(way(*upstream, x, weight, recurrent, mask, *kept)))
            memory["g"] = g
        return memory["shares"].pop(number)

    return share


WORDS = ("g, back through the gates of all times",) * 6
defparts(
    _lstm,
    {"outputs": tuple(rule(0, k) for k in range(6)), "cells": tuple(rule(1, k) for k in range(6))},
    formula={"outputs": WORDS, "cells": WORDS},
    name="lstm",
    domain=(-1.5, 1.5),
    cases=lambda a: [
        call(a(2, 3, 2), a(2, 2), a(2, 2), a(2, 8), a(2, 8), a(8)),
        call(
            a(2, 3, 1), a(2, 2), a(2, 2), a(1, 8), a(2, 8), a(8), np.array([[True, True, True], [True, False, False]])
        ),
        call(a(0, 2, 2), a(0, 1), a(0, 1), a(2, 4), a(1, 4), a(4)),
    ],
)
lstm: Any = registry[_lstm]
