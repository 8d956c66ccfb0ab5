"""Derivatives by finite differences: what the engine's own are held against."""

import numpy as np

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


def assert_close(got, wanted, tolerance=1e-6):
    """Equal shapes, and numbers equal up to `tolerance` of the largest; what is not finite must be the same."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    scale = np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * scale + 1e-9)
