"""Derivatives by finite differences: what the engine's own are held against.

`check` does all there is to do for a function of arrays: the numbers, the first and the second derivative.
"""

import numpy as np

from autograd import Value
from autograd.backward import reverse

STEP = 1e-3


def gradient(function, arrays, index):
    """The gradient of the scalar ``function(*arrays)`` in ``arrays[index]``, one element at a time.

    Central differences at two steps, extrapolated (Richardson): the error is of order STEP⁴.
    """
    result = np.zeros(np.shape(arrays[index]))
    for place in np.ndindex(result.shape):

        def at(step, place=place):
            moved = np.array(arrays[index])
            moved[place] += step
            return function(*arrays[:index], moved[()], *arrays[index + 1 :])

        coarse = (at(STEP) - at(-STEP)) / (2 * STEP)
        fine = (at(STEP / 2) - at(-STEP / 2)) / STEP
        result[place] = (4 * fine - coarse) / 3
    return result


def assert_close(got, wanted, tolerance=1e-8):
    """Equal shapes, and numbers equal up to `tolerance` of the largest; what is not finite must be the same."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    scale = np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * scale + min(tolerance, 1e-9))


def weights(array, seed=0):
    """Numbers in the shape of `array` that no symmetry cancels: an upstream gradient."""
    return np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(array))[()]


def raw_gradients(function, arrays, upstream):
    """What the rules give on raw arrays."""
    leaves = [Value(x) for x in arrays]
    got = reverse([function(*leaves)], [upstream], wrt=leaves)
    return [got.get(leaf, np.zeros(leaf.shape)) for leaf in leaves]


def check_first(function, arrays):
    """The gradient of each array against finite differences."""
    upstream = weights(function(*arrays))
    for i, share in enumerate(raw_gradients(function, arrays, upstream)):
        assert_close(share, gradient(lambda *xs: np.sum(upstream * function(*xs)), arrays, i))


def check_second(function, arrays):
    """The gradients as a graph: the same numbers, and their own gradients against finite differences."""
    upstream = weights(function(*arrays))
    leaves, seed = [Value(x) for x in arrays], Value(upstream)
    shares = reverse([function(*leaves)], [seed], wrt=leaves, create_graph=True)
    for leaf, raw in zip(leaves, raw_gradients(function, arrays, upstream), strict=True):
        share = shares.get(leaf, np.zeros(leaf.shape))
        assert_close(getattr(share, "data", share), raw, tolerance=1e-14)

    projections = [weights(x, seed=i + 1) for i, x in enumerate(arrays)]

    def projected(*arrays_and_seed):
        *xs, g = arrays_and_seed
        pairs = zip(projections, raw_gradients(function, xs, g), strict=True)
        return sum(np.sum(projection * share) for projection, share in pairs)

    number = sum(np.sum(p * shares[leaf]) for p, leaf in zip(projections, leaves, strict=True) if leaf in shares)
    second = reverse([number], [1.0], wrt=[*leaves, seed]) if isinstance(number, Value) else {}
    for i, value in enumerate([*leaves, seed]):
        assert_close(second.get(value, np.zeros(value.shape)), gradient(projected, [*arrays, upstream], i))


def check(function, *arrays):
    """A function composed of operations: numbers, first and second derivative. Of several results, all."""

    def joined(*xs):
        result = function(*xs)
        return np.concatenate([np.ravel(r) for r in result]) if isinstance(result, tuple | list) else result

    y, wanted = joined(*[Value(x) for x in arrays]), joined(*arrays)
    assert type(y) is Value
    assert y.dtype == wanted.dtype
    assert_close(y.data, wanted, tolerance=1e-14)
    check_first(joined, arrays)
    check_second(joined, arrays)
