"""Indexing in every form, and the functions that are composed of it."""

import numpy as np
import pytest

from autograd import Value

from ..numerical import check, check_first, check_numbers, joined

X = np.random.default_rng(2).permutation(24).reshape(2, 3, 4) / 5 - 1.3
M, V = X[0], X[0, 0]
ROW = np.array([[2, 0, 2, 1]])

CALLS = {
    "integers": lambda x: x[1, -1, 0],
    "NumPy integer": lambda x: x[np.int64(1)],
    "slice": lambda x: x[:, 2:0:-1, ::3],
    "ellipsis and new axis": lambda x: x[..., None, 1:],
    "list": lambda x: x[[1, 0, 1]],
    "lists": lambda x: x[[0, 1, 0], [2, 2, 2]],
    "arrays apart": lambda x: x[[0, 1], :, [3, 3]],
    "mask": lambda x: x[X > 0],
    "mask of an axis": lambda x: x[:, np.array([True, False, True])],
    "mask of nothing": lambda x: x[np.zeros(2, bool)],
    "mask by comparison": lambda x: x[x > 0.55],
    "mask and integers": lambda x: x[1, [True, False, True], 0],
    "True": lambda x: x[True],
    "empty list": lambda x: x[:, []],
    "set": lambda x: x.at[0, 1].set(x[1, 0] ** 2),
    "set twice": lambda x: x.at[:, [0, 0, 1]].set(x),
    "add twice": lambda x: x.at[:, [0, 0, 1]].add(x**2),
    "take": lambda x: np.take(x, [1, 1, 5]),
    "take along": lambda x: np.take(x, indices=[[0, 2]], axis=1),
    "take by truth": lambda x: np.take(x, [True, False, True]),
    "take nothing": lambda x: np.take(x, [], 1),
    "take one": lambda x: np.take(x, 1, -1),
    "take and clip": lambda x: np.take(x, [-1, 9], 1, None, "clip"),
    "take and wrap": lambda x: np.take(x, [-1, 9], 1, mode="wrap"),
    "take_along_axis": lambda x: np.take_along_axis(x, np.argsort(x, axis=1), 1),
    "take_along_axis, one row for all": lambda x: np.take_along_axis(arr=x, indices=ROW[None], axis=1),
    "take_along_axis, flat": lambda x: np.take_along_axis(x, np.array([5, 5, 0]), None),
    "take_along_axis, one index for all": lambda x: np.take_along_axis(x, np.array([[[2]]]), 1),
    "take_along_axis, one entry for all": lambda x: np.take_along_axis(
        x[:, :1], np.array([[[0, 3], [1, 1], [2, 0]]]), -1
    ),
    "sort": lambda x: np.sort(x, kind="stable"),
    "sort all": lambda x: np.sort(x, None),
    "sort along": lambda x: np.sort(a=x, axis=0),
    "partition": lambda x: np.partition(x, 2),
    "partition all": lambda x: np.partition(x, (3, 17), axis=None),
    "partition along": lambda x: np.partition(a=x, kth=[0, 2], axis=1, kind="introselect"),
    "take from a number": lambda x: np.take(x[0, 0, 1], [0, -1], axis=0),
    "compress a number": lambda x: np.compress([True], x[0, 0, 1], axis=-1),
    "compress": lambda x: np.compress([False, True, False, True], x),
    "compress along": lambda x: np.compress(condition=[True, False, True], a=x, axis=1),
    "extract": lambda x: np.extract(X > 0, x),
    "extract by numbers": lambda x: np.extract([[0, 2], [1, 0]], x[0, :2, :2]),
    "choose": lambda x: np.choose([[0], [2], [1]], [x[0], 2.0, x[1, 0]]),
    "choose from one": lambda x: np.choose([[0, 0]], x[:1, :, :2]),
    "choose from one, for more": lambda x: np.choose([[0], [0]], [x[0, 0]]),
    "choose rows": lambda x: np.choose([0, 1, 1, 0], x),
    "choose and wrap": lambda x: np.choose([5, -1, 0, 1], x[0], mode="wrap"),
    "choose and clip": lambda x: np.choose(a=[5, -1, 0, 1], choices=x[0], mode="clip"),
    "select": lambda x: np.select([X > 1, X > -0.5], [x**2, x[0]], default=x[1, 2, 3]),
    "select by comparison": lambda x: np.select([x > 1, x < -0.6], [np.exp(x), 3.0]),
    "select by rows": lambda x: np.select([X[0, 0] > 0, X[0, :, :1] > 1], [x[0], 1.0], 2.0),
    "piecewise": lambda x: np.piecewise(x, [x < -0.4, x >= 1.2], [lambda t: t**2, np.exp, 0.5]),
    "piecewise, one over the other": lambda x: np.piecewise(x, [X < 1, X < 0], [np.sin, lambda t: t**3]),
    "piecewise, one condition": lambda x: np.piecewise(x[0, 0], V > 0, [lambda t, a, b: a * t * b, -2.0], 3.0, b=2.0),
    "piecewise, one over the other, in a tuple": lambda x: np.piecewise(x, (X < 1, X < 0), [np.sin, lambda t: t**3]),
    "piecewise by lists": lambda x: np.piecewise(x[0, 0], [[1, 0, 0, 1], [0, 1, 0, 0]], [np.sin, lambda t: t**3]),
    "piecewise by one list": lambda x: np.piecewise(x[0, 0], [True, False, False, True], [np.sin, np.exp]),
    "piecewise of a number by one": lambda x: np.piecewise(x[1, 1, 1], X[1, 1, 1] < 5, [np.sin, np.exp]),
    "piecewise of a number": lambda x: np.piecewise(x[1, 1, 1], [X[1, 1, 1] < 0, X[1, 1, 1] >= 0], [np.sin, np.exp]),
    "diagonal": lambda x: np.diagonal(x),
    "diagonal off": lambda x: np.diagonal(x, 1, 0, 2),
    "diagonal below": lambda x: np.diagonal(x, offset=-1, axis1=2, axis2=1),
    "diagonal further below": lambda x: np.diagonal(x[0], -2),
    "diagonal outside": lambda x: np.diagonal(x, 7),
    "diag": lambda x: np.diag(x[0]),
    "diag of a vector": lambda x: np.diag(x[0, 0], k=-1),
    "diagflat": lambda x: np.diagflat(x[0, :2], 1),
    "trace": lambda x: np.trace(x),
    "trace of a matrix": lambda x: np.trace(x[0]),
    "trace below": lambda x: np.trace(x, -1, 2, 0),
    "trace off": lambda x: np.trace(x, 1, axis1=1, axis2=2),
    "tril": lambda x: np.tril(x, 1),
    "triu": lambda x: np.triu(m=x, k=-1),
    "tril of a vector": lambda x: np.tril(x[0, 0]),
    "iteration": lambda x: list(x),
}


@pytest.mark.parametrize("function", CALLS.values(), ids=CALLS)
def test_composed(function):
    if "at" in function.__code__.co_names:  # only Values have it
        x = Value(X)
        plain = X.copy()
        index = (0, 1) if function is CALLS["set"] else (slice(None), [0, 0, 1])
        if function is CALLS["add twice"]:
            np.add.at(plain, index, X**2)
        else:
            plain[index] = X[1, 0] ** 2 if function is CALLS["set"] else X
        np.testing.assert_array_equal(function(x).data, plain)
    else:
        check(function, X)


@pytest.mark.parametrize("function", [f for f in CALLS.values() if "at" not in f.__code__.co_names])
def test_composed_of_complex_numbers(function):
    z = X + 1j * X[::-1]
    check_numbers(function, [z])
    check_first(joined(function), [z])


def test_diag_refuses_what_numpy_refuses():
    for array in (X, X[0, 0, 0]):
        with pytest.raises(ValueError, match="diag"):
            np.diag(Value(array))


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (lambda x: np.partition(x, 9), ValueError),
        (lambda x: np.compress([[True]], x), ValueError),
        (lambda x: np.compress([False] * 12 + [True], x), IndexError),
        (lambda x: np.choose([0, 3], x), ValueError),
        (lambda x: np.choose([0, 1, 1, 0, 1], x), ValueError),
        (lambda x: np.choose([0.5], x), TypeError),
        (lambda x: np.select([], []), ValueError),
        (lambda x: np.select([x > 0], [x, x]), ValueError),
        (lambda x: np.select([np.ones(4)], [x]), TypeError),
        (lambda x: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]), ValueError),
        (lambda x: np.extract(np.ones(13), x), IndexError),
        (lambda x: np.take(x[0, 0], [0], axis=1), np.exceptions.AxisError),
        (lambda x: np.take(x, np.array([0.5])), TypeError),
        (lambda x: np.take(x, 0, mode="around"), ValueError),
        (lambda x: np.compress([True], x, axis=2), np.exceptions.AxisError),
        (lambda x: np.take_along_axis(x, np.array([0]), axis=0), ValueError),
        (lambda x: np.take_along_axis(x, np.array([[0]]), axis=None), ValueError),
        (lambda x: np.take_along_axis(x, np.array([[0]]), axis=2), np.exceptions.AxisError),
        (lambda x: np.take_along_axis(x, np.array([[0.0]]), axis=0), IndexError),
        (lambda x: np.piecewise(x, [np.zeros((4, 3), bool)], [np.sin]), IndexError),
    ],
)
def test_the_same_kind_of_error_as_numpy(attempt, kind):
    for array in (M, Value(M)):
        with pytest.raises(kind):
            attempt(array)


def test_select_and_piecewise_keep_the_dtype():
    x = Value(np.float32([-1, 2]))
    assert np.select([x > 0], [x]).dtype == np.float32
    assert np.select([x > 0, x < 0], [1, x]).dtype == np.select([x > 0, x < 0], [x, 1]).dtype == np.float32
    assert np.choose([0, 2], [1.0, 2.0, x]).dtype == np.float32
    assert np.trace(Value(np.eye(2)), dtype=np.float32).dtype == np.float32
    assert np.choose([0, 1], [x, 2.0]).dtype == np.choose([1, 0], [2.0, x]).dtype == np.float32
    assert np.piecewise(x, [x > 0], [lambda t: t * np.float64(2.0)]).dtype == np.float32


def test_sort_complex():
    for dtype in (np.float32, np.float64, np.int8, np.complex64):
        x = np.array([[3, 1, 2], [0, 5, 4]], dtype)
        y = np.sort_complex(Value(x))
        np.testing.assert_array_equal(y.data, np.sort_complex(x))
        assert y.dtype == np.sort_complex(x).dtype
    x = Value(np.array([3.0, 1.0, 2.0]))
    np.real(np.sum(np.sort_complex(x) * np.array([1.0, 2.0, 3.0j]))).backward()
    assert x.grad.tolist() == [0, 1, 2]


def test_out_of_range_is_an_index_error():
    with pytest.raises(IndexError):
        np.take(Value(M), 3, axis=0)
    with pytest.raises(IndexError):
        Value(M)[:, 4]


def test_an_index_array_may_change_afterwards():
    index = np.array([0, 2])
    v = Value(V)
    y = v[index]
    index[:] = 1
    y.backward(np.ones(2))
    assert v.grad.tolist() == [1, 0, 1, 0]
