"""Strips: the same bits as call by call, whatever the size of a strip."""

import tracemalloc

import numpy as np
import pytest

import nn
from autograd import compile, strips
from autograd.program import Call, Variable, mapped
from autograd.strips import in_strips

UFUNCS = [np.add, np.multiply, np.maximum, np.greater, np.arctan, np.tanh]
OPTIMIZERS = [nn.SGD, nn.AdaGrad, nn.RMSProp, nn.Adam, nn.AdamW]


def random_calls(seed, n):
    """Elementwise calls on arrays of n numbers, some of them into these arrays; what they come to; and the arrays."""
    rng = np.random.default_rng(seed)
    content = {Variable.of(x): x for x in rng.normal(size=(3, n))}
    flats = list(content)
    single, rate = rng.normal(size=n).astype(np.float32), rng.normal()
    content |= {Variable.of(single): single, Variable.of(rate): rate}
    before = dict(content)
    known, calls = list(content), []
    for k in range(12):
        function = UFUNCS[rng.integers(len(UFUNCS))]
        operands = [known[-1 - k % 2], known[rng.integers(len(known))] if rng.random() < 0.8 else 0.25]
        found = function(*mapped(content.get, operands[: function.nin]))
        if not np.ndim(found):
            continue
        call = Call(function, tuple(operands[: function.nin]), result=Variable.of(found))
        content[call.result] = found
        if found.dtype == float and rng.random() < 0.3:
            call.out = flats[rng.integers(3)]  # whatever has been there is gone
            gone = {call.out, *(line.result for line in calls if line.out is call.out)}
            known = [variable for variable in known if variable not in gone]
            content[call.out] = found
        known.append(call.result)
        calls.append(call)
    calls.append(Call(np.add, (known[-1], flats[0]), result=Variable.of(content[flats[1]]), out=flats[1]))
    content[flats[1]] = content[known[-1]] + content[flats[0]]
    return calls, before, {flat: content[flat] for flat in flats}


@pytest.mark.parametrize("n", [20, 64, 101])
@pytest.mark.parametrize("seed", range(80))
def test_random_calls_give_the_same_bits(seed, n, monkeypatch):
    monkeypatch.setattr(strips, "CACHE", 64)
    calls, before, after = random_calls(seed, n)
    call = in_strips(calls)
    call.function(*mapped(before.__getitem__, call.args))
    for flat, wanted in after.items():
        assert np.array_equal(before[flat], wanted)


def chain(n):
    """Ten sums, of which the last is written into the second array."""
    x, y = Variable.of(np.zeros(n)), Variable.of(np.zeros(n))
    calls = []
    for _ in range(10):
        calls.append(Call(np.add, (calls[-1].result if calls else x, 1.0), result=Variable.of(np.zeros(n))))
    calls[-1].out = y
    return calls


def test_small_arrays_are_left_alone():
    assert in_strips(chain(1000)) is None


def test_between_the_calls_there_is_memory_of_a_strip_alone():
    n = 1_000_000
    tracemalloc.start()
    try:
        call = in_strips(chain(n))
        y, x = np.zeros(n), np.zeros(n)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call.function(*[{0: y, 1: x}.get(k, given) for k, given in enumerate(call.args)])
        assert tracemalloc.get_traced_memory()[1] - before < 10_000
        assert before < 16 * n + 2 * strips.CACHE
    finally:
        tracemalloc.stop()
    assert (y == 10.0).all() and not x.any()


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_what_optimizers_do_comes_out_the_same(kind, monkeypatch):
    monkeypatch.setattr(strips, "CACHE", 200)
    joined = []
    monkeypatch.setattr("autograd.arena.in_strips", lambda calls: joined.append(in_strips(calls)) or joined[-1])

    def made():
        model = nn.MLP([5, 4, 3], seed=0)
        optimizer = kind(model.parameters(), lr=0.1)

        def step(x):
            loss = (model(x) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step, model

    (eager, one), (step, other) = made(), made()
    step = compile(step)
    for n in range(8):
        x = np.random.default_rng(n).normal(size=(6, 5))
        assert step(x).item() == eager(x).item()
        for p, q in zip(one.parameters(), other.parameters(), strict=True):
            assert np.array_equal(p.data, q.data) and np.array_equal(p.grad, q.grad)
    assert None not in joined and joined
