"""The pieces of the structural checks."""

import numpy as np

from autograd.testing.structure import brief, layouts, near, plain_function, same, shrunk

X = np.arange(6.0).reshape(2, 3)


def test_layouts_hold_the_same_numbers():
    kinds = dict(layouts(X))
    assert set(kinds) == {"a read-only", "a reversed", "a Fortran-ordered", "a strided"}
    for array in kinds.values():
        np.testing.assert_array_equal(array, X)
    assert not kinds["a read-only"].flags.writeable
    assert all(stride < 0 for stride in kinds["a reversed"].strides)
    assert not kinds["a strided"].flags.c_contiguous
    assert not list(layouts(np.float64(1.0)))
    assert not list(layouts(np.zeros((0, 3))))


def test_shrunk_cuts_an_axis_in_all_arrays_that_share_it():
    found = list(shrunk([X, np.ones(3), 2.0], [0, 1]))
    shapes = {what: [np.shape(x) for x in short] for what, short, _ in found}
    assert [[np.shape(x) for x in other] for _, _, other in found] == [[(2, 2), (2,), ()], [(3, 3), (3,), ()]]
    assert shapes == {
        "with axis 1 of length 1": [(2, 1), (1,), ()],
        "with axis 0 of length 1": [(1, 3), (3,), ()],
    }


def test_same_and_near():
    assert same([np.nan, 1.0], [np.nan, 1.0])
    assert not same([1.0], [1.0 + 1e-15])
    assert near([1.0, 1e-12], [1.0 + 1e-12, 0.0])
    assert not near([1.0], [1.0 + 1e-8])
    assert not near([1.0], [[1.0]])
    assert near([np.inf], [np.inf])
    assert not near([np.inf], [1.0])


def test_an_error_in_a_line():
    assert brief(ValueError("first\nsecond")) == "ValueError: first"
    assert brief(KeyError()) == "KeyError"


def test_a_function_that_overwrites_its_result():
    kept = np.empty(3)

    def reused(x):
        np.multiply(2, x, out=kept)
        return kept

    x = np.ones(3)
    assert not plain_function(reused, [x], [0], "df")  # the same numbers again: nothing to see
    kinds = [finding.kind for finding in plain_function(lambda x: np.add(x, 1, out=x), [x], [0], "df")]
    assert kinds[0] == "mutation"
