"""Sets: the numbers have a gradient, and come out as NumPy's do; places and counts are plain."""

import numpy as np
import pytest

from autograd import Value

from ..numerical import check

X = np.array([[0.5, -1.0, 2.0, 0.5], [2.0, 3.5, -1.0, 0.0]])
Y = np.array([3.5, 0.25, 2.0, 2.0, 7.0])
DISTINCT = np.array([[1.5, -0.5, 2.0], [0.25, -1.0, 3.0]])
NUMPY = np.lib.NumpyVersion(np.__version__)
NANS = np.array([np.nan, 1.0, np.nan, 0.0, 1.0])
MANY = np.random.default_rng(0).choice([np.nan, 0.0, 1.0, 2.5], 80).reshape(8, 10)

# The entries are distinct, so that finite differences change no order and split no equals.
CALLS = {
    "unique": lambda x: np.unique(x),
    "unique rows": lambda x: np.unique(x, axis=0),
    "unique columns": lambda x: np.unique(ar=x, axis=-1),
    "unique, with places": lambda x: np.unique(x, return_index=True)[0],
    "unique_all": lambda x: np.unique_all(x).values,
    "unique_counts": lambda x: np.unique_counts(x).values,
    "unique_inverse": lambda x: np.unique_inverse(x).values,
    "unique_values": lambda x: np.sort(np.unique_values(x)),
    "union1d": lambda x: np.union1d(x, Y + 0.125),
    "union1d of two": lambda x: np.union1d(x[0], x[1] + 9.0),
    "setdiff1d": lambda x: np.setdiff1d(x, x[0]),
    "setdiff1d, unordered": lambda x: np.setdiff1d(x, x[:, 1], assume_unique=True),
    "setxor1d": lambda x: np.setxor1d(x, Y + 0.125),
    "setxor1d of two": lambda x: np.setxor1d(x[0], np.ravel(x), assume_unique=True),
}


@pytest.mark.parametrize("function", CALLS.values(), ids=CALLS)
def test_composed(function):
    check(function, DISTINCT)
    check(function, DISTINCT + 1j * DISTINCT[::-1])


ARRAYS = {
    "a matrix": X,
    "a vector": Y,
    "NaN": NANS,
    "many": MANY,
    "float32": X.astype(np.float32),
    "complex": X + 1j * X[::-1],
    "nothing": np.zeros(0),
    "a number": X[0, 0],
}


def same(got, wanted):
    if isinstance(wanted, tuple):
        assert type(got) is type(wanted)
        assert len(got) == len(wanted)
        for ours, theirs in zip(got, wanted, strict=True):
            same(ours, theirs)
    else:
        np.testing.assert_array_equal(getattr(got, "_array", got), wanted)
        assert np.result_type(got) == wanted.dtype


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.unique(x, return_index=True, return_inverse=True, return_counts=True),
        lambda x: np.unique(x, return_counts=True, equal_nan=False),
        lambda x: np.unique(x, False, True),
        np.unique_all,
        np.unique_counts,
        np.unique_inverse,
        lambda x: np.sort(np.unique_values(x)),
        lambda x: np.union1d(x, Y),
        lambda x: np.intersect1d(x, Y),
        lambda x: np.intersect1d(Y, x),
        lambda x: np.intersect1d(NANS, x, return_indices=True),
        lambda x: np.setdiff1d(x, [2.0], assume_unique=True),
        lambda x: np.setdiff1d([2.0, 0.5, 9.0], x, assume_unique=True),
        lambda x: np.intersect1d(x, Y, return_indices=True),
        lambda x: np.setdiff1d(x, Y),
        lambda x: np.setdiff1d(Y, x),
        lambda x: np.setxor1d(x, Y),
        lambda x: np.setxor1d(x, x[..., :0]) if np.ndim(x) else np.setxor1d(x, []),
        lambda x: np.isin(x, Y),
    ],
)
def test_numbers_are_numpys(function, array):
    if (
        function is np.unique_inverse and array is MANY
    ):  # which it does without a stable sort: any NaN may stand for any other
        array = np.nan_to_num(array, nan=7.0)
    with np.errstate(invalid="ignore"):
        same(function(Value(array)), function(array))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_unique_along_an_axis_is_numpys(axis):
    for array in (X, np.array([[1.0, 2.0, 1.0], [1.0, 2.0, 1.0]]), np.array([[np.nan, 1.0], [np.nan, 1.0]])):
        same(np.unique(Value(array), True, True, True, axis), np.unique(array, True, True, True, axis))


def test_unique_along_the_axis_of_a_vector():
    if NUMPY < "2.1.0":
        pytest.skip("older NumPy tells NaNs apart here")
    for array in (NANS, MANY[0]):
        same(np.unique(Value(array), True, True, True, 0), np.unique(array, True, True, True, 0))


def test_setxor1d_of_matrices():
    if NUMPY < "2.1.0":
        pytest.skip("older NumPy wants vectors here")
    z = DISTINCT + 0.125
    same(np.setxor1d(Value(DISTINCT), z, assume_unique=True), np.setxor1d(DISTINCT, z, assume_unique=True))


def test_the_first_of_equals_gets_the_gradient():
    x = Value(X)
    np.unique(x).backward(np.arange(1.0, 6.0))
    assert x.grad.tolist() == [[3, 1, 4, 0], [0, 5, 0, 2]]


def test_the_intersection_comes_out_of_the_first():
    x, y = Value(X), Value(Y)
    np.sum(np.intersect1d(x, y)).backward()
    assert x.grad.tolist() == [[0, 0, 1, 0], [0, 1, 0, 0]]
    assert y.grad is None or not y.grad.any()


def test_errors_are_numpys():
    for x in (X, Value(X)):
        with pytest.raises(np.exceptions.AxisError):
            np.unique(x, axis=2)
