"""Waves: the same numbers from a few calls on arrays."""

import operator
import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="Hypothesis, which draws the programs, is not installed")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, compiling, waves
from autograd.passes import simplified
from autograd.program import Expect, Place
from autograd.waves import in_waves

from .programs import Recorder, functions, same_bits

EXACT = [operator.add, operator.add, operator.add, operator.sub, operator.mul, operator.truediv, operator.neg,
         operator.abs, np.maximum, np.minimum, np.add, np.square, np.sqrt, operator.gt, operator.le, np.greater,
         operator.mod]  # fmt: skip
NEARLY = [np.exp, np.tanh, np.log, np.sin, np.arctan2, operator.pow]
CONSTANTS = [0.0, -0.0, 1.0, 2, -1.5, np.float64(0.3), True, np.inf]
ELSEWHERE = ["sum", "item", "array", "where", "expect", "draw", "float32", "python"]


class Holder:
    def __init__(self, **contents):
        self.__dict__.update(contents)


@pytest.fixture(autouse=True)
def always(monkeypatch):
    """However few numbers there are."""
    monkeypatch.setattr(waves, "FEWEST", 0)
    monkeypatch.setattr(waves, "WAVE", 0.0)


@st.composite
def scalar_programs(draw, functions=tuple(EXACT)):
    """A program of up to 60 lines on numbers, a few of them on arrays, draws and conditions; and its arguments."""
    record = Recorder()
    floats = st.floats(-2, 2, width=32)
    for i in range(draw(st.integers(1, 3))):
        record.argument(np.float64(draw(floats)), f"x{i}")
    record.argument(draw(floats), "python")
    record.argument(np.array([0.5, -1.5, 2.0]), "array")
    record.load(Place(Holder(a=np.float64(draw(floats))), "a", True, "a"))
    array = record.arguments[-1]
    generator = np.random.default_rng(0)
    last = None
    with np.errstate(all="ignore"):
        for _ in range(draw(st.integers(1, 60))):
            known = [v for v in record.content if v.kind == "number" or (v.kind == "array" and v.shape == ())]
            pick = st.one_of(st.sampled_from(known[-4:]), st.sampled_from(known))
            kind = draw(st.sampled_from(["call"] * 8 + ["chain"] * 2 + ELSEWHERE))
            part = draw(st.sampled_from(["forward"] * 12 + ["backward", "update"])) if last is None else last
            last = part if draw(st.integers(0, 5)) else None
            try:
                x = draw(pick)
                if kind == "call":
                    function = draw(st.sampled_from(functions))
                    two = getattr(function, "nin", 1 if function in (operator.neg, operator.abs) else 2) == 2
                    rest = [draw(st.one_of(pick, st.sampled_from(CONSTANTS)))] if two else []
                    args = [x, *rest] if draw(st.booleans()) else [*rest, x]
                    record(function, *args, part=part)
                elif kind == "chain":  # as sum() and a backward pass make them
                    for _ in range(draw(st.integers(2, 12))):
                        other = draw(pick)
                        x = record(operator.add, *((x, other) if draw(st.booleans()) else (other, x)), part=part)
                elif kind == "sum":
                    record(np.sum, array, part=part)
                elif kind == "item":
                    record(operator.getitem, array, 1, part=part)
                elif kind == "array":
                    record(np.sum, record(np.multiply, array, x, part=part), part=part)
                elif kind == "where":
                    record(operator.getitem, record(np.where, x, draw(pick), 0.5, part=part), (), part=part)
                elif kind == "expect":
                    record(Expect("truth", bool(record.content[x])), x, effect=True, part=part)
                elif kind == "draw":
                    record(operator.add, record(generator.normal, effect=True, part=part), x, part=part)
                elif kind == "float32":
                    record(operator.mul, record(np.float32, x, part=part), 3.0, part=part)
                else:
                    record(operator.mul, record(float, x, part=part), x, part=part)
            except (ValueError, TypeError, ZeroDivisionError, OverflowError):
                pass
    results = tuple(draw(st.lists(st.sampled_from(list(record.content)), max_size=4)))
    wanted = [v for v in list(record.content)[-3:] if record.content[v] is not None]
    writes = [(Place({}, i, False, f"w{i}"), variable) for i, variable in enumerate(wanted)]
    return record.program([v for v in results if record.content[v] is not None], writes), record.inputs, generator


def outcome(program, inputs, generator):
    generator.bit_generator.state = np.random.default_rng(0).bit_generator.state  # as it was when the program was drawn
    with np.errstate(all="ignore"):
        results, writes = program.run(*inputs)
    return [*(results if isinstance(results, list) else [results]), *writes]


def ordered(program):
    """Every variable is there before it is read, and made once."""
    produced = {*program.arguments, *program.loads}
    for call in program.calls:
        assert set(call.operands) <= produced
        if call.result is not None:
            assert call.result not in produced
            produced.add(call.result)
    assert set(program.wanted) <= produced


drawn = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@drawn
@given(drawn=scalar_programs())
def test_arithmetic_comes_out_bit_for_bit(drawn):
    program, inputs, generator = drawn
    changed = in_waves(program)
    ordered(changed)
    wanted, found = outcome(program, inputs, generator), outcome(changed, inputs, generator)
    for a, b in zip(wanted, found, strict=True):
        assert same_bits(a, b) or np.all(np.isnan(a) & np.isnan(b)), (program.calls, changed.calls)
    simple = simplified(changed)
    ordered(simple)
    for a, b in zip(wanted, outcome(simple, inputs, generator), strict=True):
        assert same_bits(a, b) or np.all(np.isnan(a) & np.isnan(b))


@drawn
@given(drawn=scalar_programs((*EXACT[:8], *NEARLY)))
def test_other_functions_to_the_last_digits(drawn):
    program, inputs, generator = drawn
    wanted, found = outcome(program, inputs, generator), outcome(in_waves(program), inputs, generator)
    for a, b in zip(wanted, found, strict=True):
        assert type(a) is type(b)
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9)  # of programs, which may make errors larger


def test_a_chain_is_one_sum_in_the_order_of_the_program():
    record = Recorder()
    total = record.argument(np.float64(0.1))
    numbers = [
        record.argument(np.float64(x)) for x in np.random.default_rng(0).normal(size=300) * 10.0 ** np.arange(300)
    ]
    for x in numbers:
        total = record(operator.add, total, x)
    program = record.program(total)
    changed = in_waves(program)
    assert Counter(functions(changed))[np.add.reduce] == 1
    assert len(changed.calls) < 10
    assert same_bits(program.run(*record.inputs), changed.run(*record.inputs))


def test_sums_of_several_lengths_at_one_depth():
    record = Recorder()
    numbers = [record.argument(np.float64(x)) for x in np.random.default_rng(0).normal(size=30)]
    sums = []
    for length in [2, 2, 3, 3, 3, 5, 8, 9, 10, 29, 30]:
        total = numbers[0]
        for x in numbers[1:length]:
            total = record(operator.add, total, x)
        sums.append(total)
    program = record.program(sums)
    changed = in_waves(program)
    assert Counter(functions(changed))[np.add.reduce] < 6
    assert same_bits(program.run(*record.inputs), changed.run(*record.inputs))


def test_a_part_of_a_sum_that_others_read_is_there():
    record = Recorder()
    x = record.argument(np.float64(0.1))
    a = record(operator.add, record(operator.add, x, 0.2), 0.3)
    b = record(operator.add, record(operator.add, a, 0.4), 0.5)
    program = record.program((record(operator.mul, a, 2.0), b))
    assert same_bits(program.run(np.float64(0.1)), in_waves(program).run(np.float64(0.1)))


def test_waves_of_one_depth_and_function_are_one_call():
    record = Recorder()
    xs = [record.argument(np.float64(i)) for i in range(50)]
    program = record.program([record(operator.mul, x, y) for x, y in zip(xs, xs[::-1], strict=True)])
    changed = in_waves(program)
    assert Counter(functions(changed))[np.multiply] == 1
    assert np.take not in functions(changed)  # 0, 1, 2, ... and ..., 2, 1, 0 are slices
    assert same_bits(program.run(*record.inputs), changed.run(*record.inputs))


def test_conditions_and_draws_keep_their_order():
    record = Recorder()
    generator = np.random.default_rng(0)
    x = record.argument(np.float64(1.0))
    first = record(generator.normal, effect=True)
    record(Expect("truth", True), record(operator.gt, record(operator.mul, x, 2.0), 0.0), effect=True)
    second = record(generator.normal, effect=True)
    program = record.program((record(operator.mul, first, x), record(operator.mul, second, x)))
    effects = [call.function for call in in_waves(program).calls if call.function in set(functions(program))]
    assert effects == [generator.normal, program.calls[3].function, generator.normal]


def test_forward_backward_and_update_stay_apart():
    record = Recorder()
    x = record.argument(np.float64(1.0))
    a = record(operator.mul, x, 2.0)
    b = record(operator.mul, x, 3.0, part="backward")
    c = record(operator.mul, b, 3.0, part="update")
    parts = [call.part for call in in_waves(record.program((a, b, c))).calls]
    assert parts == sorted(parts, key=["forward", "backward", "update"].index)


def test_two_runs_do_not_share_their_numbers():
    record = Recorder()
    x = record.argument(np.float64(1.0))
    program = in_waves(record.program(record(operator.mul, x, 2.0)))
    first = program.run(np.float64(1.0))
    second = program.run(np.float64(5.0))
    assert (first[0], second[0]) == (2.0, 10.0)


def test_programs_of_few_numbers_and_long_chains_stay_as_they_are(monkeypatch):
    monkeypatch.undo()
    record = Recorder()
    x = record.argument(np.float64(1.0))
    few = record.program(record(operator.mul, x, 2.0))
    assert in_waves(few) is few
    for _ in range(500):  # a wave for each
        x = record(operator.add, record(operator.mul, x, 0.9), 1.0)
    chain = record.program(x)
    assert in_waves(chain) is chain


def net_of_numbers(sizes, points, seed=0):
    """Layers of neurons of numbers, and a training step."""
    draw = random.Random(seed).uniform
    layers = [[([Value(draw(-1, 1)) for _ in range(n)], Value(0.1)) for _ in range(m)] for n, m in pairwise(sizes)]
    parameters = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]
    rows = [[draw(-1, 1) for _ in range(sizes[0])] for _ in range(points)]

    def net(x):
        for layer in layers:
            x = [sum((w * xi for w, xi in zip(weights, x, strict=True)), b) for weights, b in layer]
            if layer is not layers[-1]:
                x = [xi.tanh() if i % 2 else xi.relu() for i, xi in enumerate(x)]
        return x[0]

    def step(rate):
        loss = sum((net(row) - row[0]) ** 2 for row in rows) * (1 / points) + 0.01 * sum(p * p for p in parameters)
        for p in parameters:
            p.zero_grad()
        loss.backward()
        for p in parameters:
            p.data -= rate * p.grad
        return loss

    return step, parameters


def test_a_net_of_numbers_trains_as_it_does_eagerly():
    (step, parameters), (eager, others) = (net_of_numbers([3, 6, 5, 1], 7) for _ in range(2))
    compiled = autograd.compile(step)
    for _ in range(6):
        np.testing.assert_allclose(compiled(0.1).data, eager(0.1).data, rtol=1e-12)
    for p, other in zip(parameters, others, strict=True):
        assert type(p.data) is type(p.grad) is np.float64
        np.testing.assert_allclose(p.grad, other.grad, rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(p.data, other.data, rtol=1e-12)
    assert compiled.traces < 6


@pytest.mark.parametrize("points", [3, 30])
def test_a_larger_graph_has_no_more_lines(monkeypatch, points):
    seen = []
    monkeypatch.setattr(compiling, "in_waves", lambda program: seen.append((program, in_waves(program))) or seen[-1][1])
    step, parameters = net_of_numbers([3, 6, 5, 1], points)
    compiled = autograd.compile(step)
    for _ in range(3):
        compiled(0.1)
    ((program, changed),) = seen
    assert len(program.calls) > 300 * points
    singles = 2 * len(parameters) + 1  # lines that take a number out: new data, gradients, the loss
    assert len(changed.calls) - singles < 150
    wanted, found = outcome(program, [0.1], np.random.default_rng()), outcome(changed, [0.1], np.random.default_rng())
    np.testing.assert_allclose(found[1:], wanted[1:], rtol=1e-11)


def test_a_sum_alone_is_worth_a_wave(monkeypatch):
    monkeypatch.undo()
    record = Recorder()
    total = record.argument(np.float64(0.5))
    for _ in range(300):
        total = record(operator.add, total, 0.1)
    program = record.program(total)
    changed = in_waves(program)
    assert len(changed.calls) < 15
    assert same_bits(program.run(*record.inputs), changed.run(*record.inputs))


def test_a_sum_of_negative_zeros_is_one():
    record = Recorder()
    x = record.argument(np.float64(-0.0))
    program = record.program(record(operator.add, record(operator.add, record(operator.add, x, x), x), -0.0))
    changed = in_waves(program)
    assert np.add.reduce in functions(changed)
    assert same_bits(changed.run(np.float64(-0.0))[0], np.float64(-0.0))


def test_the_number_in_a_number():
    record = Recorder()
    x = record.argument(np.float64(3.0))
    record(operator.mul, x, 2.0)
    same = record(operator.getitem, x, ())
    program = record.program((same, record(operator.mul, same, x), record(np.sum, same)))
    assert same_bits(program.run(np.float64(3.0)), in_waves(program).run(np.float64(3.0)))
