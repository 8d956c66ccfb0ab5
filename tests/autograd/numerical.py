"""Derivatives by finite differences: what the engine's own are held against.

`check` does all there is to do for a function of arrays: the numbers, the first and the second derivative.
"""

import numpy as np

from autograd import Value, jvp
from autograd.backward import conjugate, reverse

STEP = 1e-3


def difference(function, x, direction):
    """The slope of `function` at `x` along a direction.

    Central differences at two steps, extrapolated (Richardson): the error is of order STEP⁴.
    """
    coarse, fine = (
        (function(x + step * direction) - function(x - step * direction)) / (2 * step) for step in (STEP, STEP / 2)
    )
    return (4 * fine - coarse) / 3


def gradient(function, arrays, index):
    """The gradient of the real number ``function(*arrays)`` in ``arrays[index]``, one element at a time.

    Of a complex array, x + iy, it is dL/dx + i dL/dy.
    """
    x = np.asarray(arrays[index])
    result = np.zeros(x.shape, np.result_type(x, float))
    for place in np.ndindex(x.shape):
        unit = np.zeros(x.shape)
        unit[place] = 1.0

        def moved(x):
            return function(*arrays[:index], x[()], *arrays[index + 1 :])

        result[place] = difference(moved, x, unit)
        if x.dtype.kind == "c":
            result[place] += 1j * difference(moved, x, 1j * unit)
    return result


def assert_close(got, wanted, tolerance=1e-8):
    """Equal shapes, and numbers equal up to `tolerance` of the largest; what is not finite must be the same."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    scale = np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * scale + min(tolerance, 1e-9))


def weights(array, seed=0):
    """Numbers in the shape of `array` that no symmetry cancels, complex like it: an upstream gradient."""
    rng = np.random.default_rng(seed)
    numbers = rng.uniform(0.5, 1.5, np.shape(array))
    if np.iscomplexobj(array):
        numbers = numbers + 1j * rng.uniform(0.2, 1.0, np.shape(array))
    return numbers[()]


def paired(gradient, x):
    """The real number that a gradient and a change `x` make: the real part of sum(conj(gradient) * x)."""
    product = np.sum((np.conj(gradient) if np.iscomplexobj(gradient) else gradient) * x)
    return np.real(product) if np.iscomplexobj(product) else product


def raw_gradients(function, arrays, upstream):
    """What the rules give on raw arrays."""
    leaves = [Value(x) for x in arrays]
    got = reverse([function(*leaves)], [conjugate(upstream)], wrt=leaves)
    return [conjugate(got[leaf]) if leaf in got else np.zeros(leaf.shape) for leaf in leaves]


def check_first(function, arrays):
    """The gradient of each array against finite differences."""
    upstream = weights(function(*arrays))
    for i, share in enumerate(raw_gradients(function, arrays, upstream)):
        assert_close(share, gradient(lambda *xs: paired(upstream, function(*xs)), arrays, i))


def check_second(function, arrays):
    """The gradients as a graph: the same numbers, and their own gradients against finite differences."""
    upstream = weights(function(*arrays))
    leaves, seed = [Value(x) for x in arrays], Value(upstream)
    shares = reverse([function(*leaves)], [conjugate(seed)], wrt=leaves, create_graph=True)
    shares = {leaf: conjugate(share) for leaf, share in shares.items()}
    for leaf, raw in zip(leaves, raw_gradients(function, arrays, upstream), strict=True):
        share = shares.get(leaf, np.zeros(leaf.shape))
        assert_close(getattr(share, "data", share), raw, tolerance=1e-14)

    projections = [weights(x, seed=i + 1) for i, x in enumerate(arrays)]

    def projected(*arrays_and_seed):
        *xs, g = arrays_and_seed
        pairs = zip(projections, raw_gradients(function, xs, g), strict=True)
        return sum(paired(projection, share) for projection, share in pairs)

    number = sum(paired(p, shares[leaf]) for p, leaf in zip(projections, leaves, strict=True) if leaf in shares)
    second = reverse([number], [1.0], wrt=[*leaves, seed]) if isinstance(number, Value) else {}
    for i, value in enumerate([*leaves, seed]):
        got = conjugate(second[value]) if value in second else np.zeros(value.shape)
        assert_close(got, gradient(projected, [*arrays, upstream], i))


def check_forward(function, arrays):
    """The slope along a direction, which takes two reverse passes, against finite differences."""
    directions = [weights(x, seed=i + 11) for i, x in enumerate(arrays)]
    y, slope = jvp(function, arrays, directions)

    def along(t):
        return np.asarray(function(*[x + t * d for x, d in zip(arrays, directions, strict=True)]))

    assert np.shape(slope) == np.shape(y)
    assert_close(slope, difference(along, 0.0, 1.0) if arrays else np.zeros(np.shape(y)))


def joined(function):
    """The same function; of several results, all in one."""

    def joint(*xs):
        result = function(*xs)
        return np.concatenate([np.ravel(r) for r in result]) if isinstance(result, tuple | list) else result

    return joint


def check_numbers(function, arrays):
    """What the function makes of Values: what it makes of arrays."""
    got, wanted = function(*[Value(x) for x in arrays]), function(*arrays)
    assert type(got) is (type(wanted) if isinstance(wanted, tuple | list) else Value)
    for y, numbers in zip(got, wanted, strict=True) if isinstance(wanted, tuple | list) else [(got, wanted)]:
        assert np.result_type(y) == np.result_type(numbers)
        assert_close(getattr(y, "_array", y), numbers, tolerance=1e-14)


def check(function, *arrays):
    """A function composed of operations: numbers, first and second derivative. Of several results, all."""
    check_numbers(function, arrays)
    function = joined(function)
    check_first(function, arrays)
    check_second(function, arrays)
    check_forward(function, arrays)
