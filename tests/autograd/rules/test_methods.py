"""reduce, accumulate, reduceat, outer and at of ufuncs, and the keywords of a call: NumPy's numbers, and gradients."""

# ruff: noqa: B023 (a function made in a loop is called in the same turn)

import itertools

import numpy as np
import pytest

from autograd import Value
from autograd.errors import EscapeError, NoRuleError

from ..numerical import check

X = np.random.default_rng(1).permutation(12).reshape(2, 3, 2) / 4 + 0.3
V = np.array([0.5, 2.0, 1.2])
MASK = np.array([[True, False], [True, True], [False, True]])

# Those whose entries may come in any order, and the others.
FREE = [np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.hypot]
JUMPING = [np.remainder, np.fmod, np.floor_divide, np.heaviside]
IN_TURN = [np.subtract, np.divide, np.power, np.float_power, np.arctan2, np.copysign, *JUMPING]
SMOOTH = [f for f in FREE + IN_TURN if f not in JUMPING]

# Of these, NumPy's own methods forget entries on some processors: np.power.reduceat([0.5, 2, 1.2], [0]) is 0.5 ** 1.2.
ASTRAY = [np.power, np.arctan2]


def same_numbers(call, x):
    got, wanted = call(Value(x)), call(x)
    assert type(got) is Value
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got.data, wanted, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("ufunc", FREE + IN_TURN, ids=lambda f: f.__name__)
def test_reduce(ufunc):
    one = [
        {},
        {"axis": 1},
        {"axis": -1, "keepdims": True},
        {"initial": 0.7},
        {"axis": 1, "initial": 1.2, "where": MASK},
    ]
    several = [
        {"axis": None},
        {"axis": (0, 2), "keepdims": True},
        {"axis": None, "keepdims": True, "initial": 0.9},
        {"axis": ()},
    ]
    if ufunc in (np.add, np.multiply, np.logaddexp, np.logaddexp2, np.hypot):
        several += [{"axis": (0, 1), "where": MASK}, {"axis": 2, "where": MASK}]
    for keywords in one + several * (ufunc in FREE):
        same_numbers(lambda x: ufunc.reduce(x, **keywords), X)
        if ufunc in SMOOTH:
            check(lambda x: ufunc.reduce(x, **keywords), X)
    same_numbers(lambda x: ufunc.reduce(x, 0, None, None, True), X)
    for array in (V[:1], -V[:1], np.float64(-3.0)):
        same_numbers(ufunc.reduce, array)
    if ufunc.identity is not None:
        same_numbers(lambda x: ufunc.reduce(x, axis=1), np.zeros((2, 0)))
    same_numbers(lambda x: ufunc.reduce(x, axis=1), np.zeros((0, 2)))
    if ufunc not in (np.float_power, *ASTRAY):
        same_numbers(lambda x: ufunc.reduce(x, dtype=np.float32), V)


@pytest.mark.parametrize("ufunc", FREE + IN_TURN, ids=lambda f: f.__name__)
def test_accumulate(ufunc):
    for axis in (0, 1, -1):
        same_numbers(lambda x: ufunc.accumulate(x, axis), X)
        if ufunc in SMOOTH:
            check(lambda x: ufunc.accumulate(x, axis=axis), X)
    same_numbers(ufunc.accumulate, np.zeros((0, 2)))
    same_numbers(lambda x: ufunc.accumulate(x, 0, np.float64), V.astype(np.float32))


@pytest.mark.parametrize("ufunc", FREE + IN_TURN, ids=lambda f: f.__name__)
@pytest.mark.parametrize("indices", [[0, 2, 1, 1], [2], [1, 2], [0, 0, 2, 0], []], ids=str)
def test_reduceat(ufunc, indices):
    if ufunc in ASTRAY and indices[-1:] == [0]:
        return
    for array, axis in ((V, 0), (X, 1)):
        same_numbers(lambda x: ufunc.reduceat(x, np.array(indices, int), axis), array)
    if ufunc in SMOOTH:
        check(lambda x: ufunc.reduceat(x, np.array(indices, int), axis=1), X)


@pytest.mark.parametrize("ufunc", FREE + IN_TURN, ids=lambda f: f.__name__)
def test_outer(ufunc):
    for left, right in itertools.product((V, X[0], np.float64(1.7), np.zeros((0, 2))), repeat=2):
        for call in (lambda x: ufunc.outer(x, right), lambda x: ufunc.outer(right, x)):
            same_numbers(call, left)
    if ufunc in SMOOTH and ufunc not in (np.maximum, np.minimum, np.fmax, np.fmin):
        check(ufunc.outer, V, X[0] + 0.11)
    same_numbers(lambda x: ufunc.outer(x, [1.0, 2.5]), V)
    same_numbers(lambda x: ufunc.outer(x, x, dtype=np.float64), V.astype(np.float32))


def test_complex_numbers():
    z = V + 1j * V[::-1] ** 2
    for ufunc in (np.add, np.multiply, np.subtract, np.divide):
        check(ufunc.reduce, z)
        check(ufunc.accumulate, z)
        check(ufunc.outer, z, z[:2])
        check(lambda x: ufunc.reduceat(x, [0, 2, 1]), z)


def test_a_value_as_initial():
    check(lambda x, start: np.hypot.reduce(x, initial=start), X, np.float64(2.0))
    check(lambda x, start: np.subtract.reduce(x, initial=start), X, np.float64(2.0))
    check(lambda x, start: np.logaddexp.reduce(x, initial=start), X, np.float64(0.2))
    with pytest.raises(NoRuleError, match="initial"):
        np.add.reduce(Value(V), initial=Value(1.0))


def test_results_of_two():
    got, wanted = np.divmod.outer(Value(V), [0.7, 0.3]), np.divmod.outer(V, [0.7, 0.3])
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one.data, other)


def test_maximum_over_nan_and_equals():
    x = Value([np.nan, 2.0, 2.0])
    np.fmax.reduce(x).backward()
    assert x.grad.tolist() == [0, 0.5, 0.5]
    x = Value([-np.inf, 0.0])
    np.logaddexp.reduce(x).backward()
    assert x.grad.tolist() == [0, 1]


def test_long_reductions_of_logaddexp_are_one_operation():
    y = np.logaddexp.reduce(Value(np.arange(1000.0)))
    assert y.op.name == "logsumexp"


@pytest.mark.parametrize("ufunc", [np.greater, np.equal, np.logical_and, np.logical_or, np.logical_xor], ids=str)
def test_without_a_derivative_plain(ufunc):
    v = Value(V)
    for call in (
        lambda x: ufunc.outer(x, [1.0, 2.0]),
        lambda x: ufunc.outer([1.0, 2.0], x),
        lambda x: ufunc(x, 1.2, casting="unsafe"),
        lambda x: ufunc.accumulate(x, dtype=bool),
        lambda x: ufunc.reduce(x, dtype=bool),
    ):
        got = call(v)
        assert type(got) in (np.ndarray, np.bool_)
        np.testing.assert_array_equal(got, call(V))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.subtract.reduce(x, axis=None),
        lambda x: np.subtract.reduce(x, axis=(0, 1)),
        lambda x: np.divide.reduce(x[:0]),
        lambda x: np.subtract.reduce(x, where=MASK),
        lambda x: np.maximum.reduce(x, axis=1, where=MASK),
        lambda x: np.add.reduce(x, axis=3),
        lambda x: np.hypot.reduce(x, axis=3),
        lambda x: np.add.accumulate(x, axis=None),
        lambda x: np.add.accumulate(x, axis=(0, 1)),
        lambda x: np.hypot.accumulate(x, axis=5),
        lambda x: np.add.accumulate(x[0, 0, 0]),
        lambda x: np.add.reduceat(x, [0, 5]),
        lambda x: np.add.reduceat(x, [-1]),
        lambda x: np.add.reduceat(x, [[0]]),
        lambda x: np.matmul.reduce(x),
        lambda x: np.sin.reduce(x),
        lambda x: np.sin.accumulate(x),
        lambda x: np.sin.outer(x, x),
        lambda x: np.divmod.reduce(x),
        lambda x: np.add(x, 1.0, dtype=int),
        lambda x: np.add(x, np.float32(1), casting="no"),
    ],
)
def test_refuses_what_numpy_refuses(call):
    with pytest.raises(Exception) as numpys:
        call(X)
    with pytest.raises((numpys.type, NoRuleError)):
        call(Value(X))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda v: np.add.at(v, [0], 1.0), r"v\.at\[index\]\.add"),
        (lambda v: np.add.at(np.zeros(3), [0], v[0]), r"v\.at\[index\]\.add"),
        (lambda v: np.negative.at(v, [0]), r"v\.at\[index\]\.set"),
        (lambda v: np.log(v, where=v > 1), r"np\.where\(mask, np\.log"),
        (lambda v: np.add(v, v, where=[True, False, True]), r"np\.where\(mask, np\.add"),
        (lambda v: np.add(v, v, order="F"), "order"),
        (lambda v: np.add(v, v, signature="dd->d"), "signature"),
        (lambda v: np.add(v, v, sig="dd->d"), "signature"),
    ],
)
def test_what_cannot_be_had_says_what_to_write(call, words):
    with pytest.raises(NoRuleError, match=words):
        call(Value(V))


def test_out_is_refused():
    for call in (
        lambda v: np.add.reduce(v, out=np.zeros(())),
        lambda v: np.add.reduce(v, 0, None, np.zeros(())),
        lambda v: np.hypot.accumulate(v, out=np.zeros(3)),
        lambda v: np.add.outer(v, v, out=np.zeros((3, 3))),
        lambda v: np.add(v, v, out=np.zeros(3), where=[True, False, True]),
    ):
        with pytest.raises((NoRuleError, EscapeError)):
            call(Value(V))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.add(x, 1.0, dtype=np.float64),
        lambda x: np.multiply(x, x, dtype=np.float32, casting="same_kind"),
        lambda x: np.sqrt(x, dtype=complex),
        lambda x: np.exp(x, dtype=np.float32),
        lambda x: np.true_divide(x, np.array([1, 2, 3]), dtype=np.float32),
        lambda x: np.power(x, 2, dtype=np.longdouble),
        lambda x: np.add(x, [1, 2, 3], subok=False, order="K", casting="safe"),
        lambda x: np.maximum(0.0, x, where=True),
        lambda x: np.divmod(x, 0.7, dtype=np.float32)[1],
        lambda x: np.matmul(x, x, dtype=np.float32),
    ],
)
def test_dtype_of_a_call(call):
    for array in (V, V.astype(np.float32)):
        same_numbers(call, array)
    x = Value(V)
    y = call(x)
    y.backward(np.ones_like(y.data))
    assert x.grad.dtype == np.float64
    assert np.all(np.isfinite(x.grad)) and np.any(x.grad)


def test_dtype_of_a_complex_call_of_a_real_value():
    check(lambda x: np.exp(np.sqrt(x, dtype=complex)), V)
    check(lambda x: np.multiply(x, 1j, dtype=complex), V)
