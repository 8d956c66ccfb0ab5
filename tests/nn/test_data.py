"""Data: the digits, splitting, batches."""

import numpy as np
import pytest

from autograd import Value
from nn import data

# -------------------------------------------------------------------- digits


def test_the_digits_are_those_of_the_source():
    images, labels = data.digits()
    assert images.shape == (1797, 8, 8) and labels.shape == (1797,)
    assert images.dtype == np.float64 and labels.dtype == np.int64
    np.testing.assert_array_equal(np.bincount(labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    counts = images * 16
    np.testing.assert_array_equal(counts, counts.round())
    np.testing.assert_array_equal(counts[0, 0], [0, 0, 5, 13, 9, 1, 0, 0])
    assert images.min() == 0 and images.max() == 1 and counts.sum() == 561718


def test_digits_against_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = data.digits()
    theirs = datasets.load_digits()
    np.testing.assert_array_equal(images * 16, theirs.images)
    np.testing.assert_array_equal(labels, theirs.target)


def test_digits_are_read_only_and_taken_without_a_copy():
    images, labels = data.digits(np.float32)
    assert images.dtype == np.float32 and not images.flags.writeable and not labels.flags.writeable
    assert np.shares_memory(Value(images).data, images)


def test_digits_are_floating():
    with pytest.raises(TypeError, match="floating"):
        data.digits(dtype=int)


def test_the_source_is_named():
    for fact in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"):
        assert fact in data.digits.__doc__


# -------------------------------------------------------------------- split

X, Y = np.arange(40).reshape(20, 2), np.arange(20)


def test_split_deals_each_example_out_once():
    (x, y), (x_test, y_test) = data.split(X, Y, held_out=0.25, seed=0)
    assert len(y) == 15 and len(y_test) == 5
    np.testing.assert_array_equal(np.sort(np.concatenate([y, y_test])), Y)
    np.testing.assert_array_equal(x, X[y])
    np.testing.assert_array_equal(x_test, X[y_test])


def test_split_is_seeded():
    first, second, other = (data.split(Y, seed=seed)[1][0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize("held_out", [1e-9, 0.999999])
def test_both_sides_get_something(held_out):
    (y,), (y_test,) = data.split(Y, held_out=held_out, seed=0)
    assert len(y) and len(y_test)


@pytest.mark.parametrize("held_out", [0, 1, -0.5, 2, np.nan])
def test_split_checks_the_fraction(held_out):
    with pytest.raises(ValueError, match="fraction between 0 and 1"):
        data.split(Y, held_out=held_out)


def test_split_checks_its_arrays():
    with pytest.raises(ValueError, match=r"lengths \[20, 19\]"):
        data.split(X, Y[:-1])
    with pytest.raises(ValueError, match="same length"):
        data.split()
    with pytest.raises(ValueError, match="it takes two"):
        data.split(Y[:1])


# -------------------------------------------------------------------- batches


@pytest.mark.parametrize("size", [1, 6, 20, 100])
@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_are_all_examples_once(size, shuffle):
    parts = list(data.batches(X, Y, size=size, shuffle=shuffle, seed=0))
    assert [len(y) for _, y in parts] == [size] * (20 // size) + [20 % size] * (20 % size > 0)
    labels = np.concatenate([y for _, y in parts])
    np.testing.assert_array_equal(np.sort(labels) if shuffle else labels, Y)
    for x, y in parts:
        np.testing.assert_array_equal(x, X[y])


def test_a_seed_gives_an_order_and_a_generator_a_new_one_each_time():
    def order(seed):
        return np.concatenate([y for (y,) in data.batches(Y, size=7, seed=seed)])

    np.testing.assert_array_equal(order(3), order(3))
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(order(3), order(rng))
    assert (order(3) != order(rng)).any()


def test_batches_are_read_only_and_taken_without_a_copy():
    x = next(data.batches(X.astype(float), size=4, seed=0))[0]
    assert not x.flags.writeable and np.shares_memory(Value(x).data, x)


def test_batches_leave_the_data_alone():
    images = X.copy()
    list(data.batches(images, seed=0))
    assert images.flags.writeable
    np.testing.assert_array_equal(images, X)


@pytest.mark.parametrize("size", [0, -1, 2.5, None])
def test_batches_check_the_size_at_once(size):
    with pytest.raises(ValueError, match="positive whole number"):
        data.batches(X, size=size)


def test_batches_check_their_arrays_at_once():
    with pytest.raises(ValueError, match=r"lengths \[20, 19\]"):
        data.batches(X, Y[:-1])


def test_a_size_among_the_arrays_is_told():
    for slip in (lambda: next(data.batches(np.ones(4), 2)), lambda: data.split(np.ones(4), 0.25)):
        with pytest.raises(ValueError, match="goes by its name"):
            slip()
