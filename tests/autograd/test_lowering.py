"""Lowering: other functions, the same bits."""

import operator

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="Hypothesis, which the programs are drawn with, is not installed")

from autograd.lowering import contiguous, dense, lowered
from autograd.program import Program, Variable

from .programs import LAYOUTS, Recorder, arrays, functions, laid_out, same_bits

WRAPPERS = [
    (np.sum, {}), (np.sum, {"axis": 1, "keepdims": True}), (np.sum, {"dtype": np.float64}),
    (np.ndarray.sum, {"axis": (0, 1)}), (np.sum, {"where": np.array([True, False, True, True]), "initial": 1.0}),
    (np.prod, {"axis": 0}), (np.max, {"axis": -1}), (np.amin, {}), (np.min, {"initial": 0.0}),
    (np.ndarray.max, {"axis": 1}), (np.all, {"axis": 0}), (np.any, {}), (np.mean, {}), (np.mean, {"axis": 0}),
    (np.mean, {"axis": (0, 1), "keepdims": True}), (np.ndarray.mean, {"axis": -1}), (np.var, {}),
    (np.var, {"axis": 0, "ddof": 1}), (np.std, {"axis": 1, "keepdims": True}), (np.linalg.norm, {}),
    (np.cumsum, {"axis": 1}), (np.cumprod, {"axis": 0}), (np.swapaxes, {"axis1": 0, "axis2": 1}),
    (np.expand_dims, {"axis": (0, 2)}), (np.ndarray.transpose, {}), (np.moveaxis, {"source": 0, "destination": -1}),
    (np.copy, {}), (np.clip, {"a_min": -0.5, "a_max": None}), (np.clip, {"a_min": None, "a_max": 0.5}),
]  # fmt: skip


def contents(program, *arrays):
    """What each line results in."""
    return Program(program.arguments, {}, program.calls, [], [call.result for call in program.calls]).run(*arrays)[0]


def same_layout(a, b, shape):
    return [s for s, n in zip(a, shape, strict=True) if n != 1] == [s for s, n in zip(b, shape, strict=True) if n != 1]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.bool_])
@pytest.mark.parametrize(("function", "keywords"), WRAPPERS, ids=lambda p: str(getattr(p, "__name__", p)))
def test_the_same_bits_in_the_same_layout(function, keywords, dtype, layout):
    x = arrays(0, (3, 4), dtype, layout)
    record = Recorder()
    program = record.program(record(function, record.argument(x), **keywords))
    other = lowered(program)
    if dtype is np.float64 and layout == "C":
        assert function not in functions(other)
    assert same_bits(program.run(x)[0], other.run(x)[0])
    for call, content in zip(other.calls, contents(other, x), strict=True):  # what is said of what is on the way is so
        assert (call.result.shape, call.result.dtype) == (content.shape, content.dtype)
        assert (call.result.kind == "array") == isinstance(content, np.ndarray)
        if call.result.kind == "array" and call.result.strides is not None:
            assert same_layout(call.result.strides, content.strides, content.shape)


@pytest.mark.parametrize("axis", [None, 0, -1, ()])
@pytest.mark.parametrize("function", [np.sum, np.add.reduce, np.prod, np.max, np.any])
def test_an_array_without_axes_is_taken_for_one_with(function, axis):
    record, x = Recorder(), np.array(-0.0)
    program = record.program(record(function, record.argument(x), axis=axis))
    assert same_bits(program.run(x)[0], lowered(program).run(x)[0])


@pytest.mark.parametrize("size", [1, 7, 129, 1000])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_averages_of_many_numbers(dtype, size):
    for axis in (None, 0, 1):
        for function in (np.mean, np.var, np.std):
            record = Recorder()
            x = arrays(size, (size, 33), dtype, "C")
            program = record.program(record(function, record.argument(x), axis=axis))
            assert same_bits(program.run(x)[0], lowered(program).run(x)[0])


SIGNED = np.array([0.0, -0.0, 1.0, -1.5, 2.3, np.inf, np.nan])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", [np.matmul, operator.matmul])
def test_products_of_matrices_and_vectors(function, dtype):
    random, dots = np.random.default_rng(0), 0
    for m, k, n in [(1, 1, 1), (1, 3, 1), (2, 1, 4), (3, 1, 1), (5, 4, 3), (1, 16, 2), (17, 65, 33), (3, 1, 2)]:
        a = random.choice(SIGNED, (m, k)).astype(dtype) if k < 10 else random.normal(size=(m, k)).astype(dtype)
        b = random.choice(SIGNED, (k, n)).astype(dtype) if k < 10 else random.normal(size=(k, n)).astype(dtype)
        for left in (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2], a[0], a[::-1]):
            for right in (b, np.asfortranarray(b), np.repeat(b, 2, axis=0)[::2], b[:, 0].copy(), b[:, ::-1]):
                record = Recorder()
                with np.errstate(all="ignore"):
                    program = record.program(record(function, record.argument(left), record.argument(right)))
                    other = lowered(program)
                    dots += np.dot in functions(other)
                    assert same_bits(program.run(left, right)[0], other.run(left, right)[0]), (left, right)
    assert dots > 50


def test_a_matrix_times_its_transpose():
    x = arrays(0, (20, 7), float, "C")
    record = Recorder()
    a = record.argument(x)
    program = record.program(record(np.matmul, a, record(np.transpose, a)))
    assert functions(lowered(program)) == [np.transpose, np.dot]
    assert same_bits(program.run(x)[0], lowered(program).run(x)[0])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_stacks_and_outer_products(axis):
    x = arrays(0, (3, 4), float, "F")
    record = Recorder()
    a = record.argument(x)
    rows = record(np.stack, [a, record(np.exp, a)], axis=axis)
    first = record(operator.getitem, a, 0)
    program = record.program((rows, record(np.outer, first, first)))
    other = lowered(program)
    assert not {np.stack, np.outer} & set(functions(other))
    assert same_bits(program.run(x)[0], other.run(x)[0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_sums_of_one_term(dtype, layout):
    for shape, axes in {(1, 5): [0, (0,), -2], (1, 1): [0, None, (0, 1)], (3, 1, 2): [1], (1,): [0, None]}.items():
        for axis in axes:
            for content in (-0.0, 2.5, np.nan):
                for keepdims in (False, True):
                    x = laid_out(np.full(shape, content, dtype), layout)
                    record = Recorder()
                    program = record.program(record(np.add.reduce, record.argument(x), axis, keepdims=keepdims))
                    changed = lowered(program)
                    assert layout != "C" or functions(changed) == [np.reshape, np.add]
                    assert same_bits(program.run(x)[0], changed.run(x)[0])


def test_what_is_rare_or_has_its_own_out_stays():
    out = np.empty(4)
    record = Recorder()
    x = record.argument(np.ones((3, 4)))
    program = record.program([record(np.sum, x, 0, out=out), record(np.linalg.norm, x, 1), record(np.var, x, mean=0.5)])
    assert functions(lowered(program)) == functions(program)


def test_a_number_goes_numpys_own_way():
    record = Recorder()
    program = record.program(record(np.mean, record.argument(np.float64(2.0))))
    assert functions(lowered(program)) == [np.mean]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_layout_is_told_to_be(layout):
    array = arrays(0, (2, 3, 4), float, layout)
    variable = Variable.of(array)
    assert contiguous(variable) == array.flags.c_contiguous
    assert contiguous(variable, "F") == array.flags.f_contiguous
    assert dense(variable) == (layout in ("C", "F"))
    assert dense(Variable.of(np.swapaxes(array, 0, 1))) == (layout in ("C", "F"))
