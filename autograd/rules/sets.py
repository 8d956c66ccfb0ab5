"""Sets: which numbers there are, in order. The numbers have a gradient; places and counts are plain.

Of equal entries the first one is taken, as `numpy.unique` does, and the gradient goes there.
"""

import numpy as np

from ..op import composed, plain, size


def ranks(a, equal_nan):
    """Integers in the order of the entries of `a`, and equal where they are."""
    flat = np.ravel(a)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    steps = ordered[1:] != ordered[:-1]
    if equal_nan:
        steps = steps & ~np.isnan(ordered[:-1])  # they stand at the end
    places = np.empty(np.shape(flat), int)
    places[order] = np.concatenate([[0], np.cumsum(steps)])
    return np.reshape(places, np.shape(a))


@composed(np.unique)
def unique(
    ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, sorted=True
):
    places = ranks(ar, equal_nan and (axis is None or np.ndim(ar) == 1))
    _, index, *others = np.unique(places, True, return_inverse, return_counts, axis)
    values = np.ravel(ar)[index] if axis is None else np.take(ar, index, axis)
    results = (values, *([index] if return_index else []), *others)
    return results if len(results) > 1 else values


@composed(np.unique_all)
def unique_all(x):
    result = np.unique_all(ranks(x, equal_nan=False))
    return result._replace(values=np.ravel(x)[result.indices])


@composed(np.unique_counts)
def unique_counts(x):
    values, counts = np.unique(x, return_counts=True, equal_nan=False)
    return np.unique_counts(())._replace(values=values, counts=counts)


@composed(np.unique_inverse)
def unique_inverse(x):
    values, inverse = np.unique(x, return_inverse=True, equal_nan=False)
    return np.unique_inverse(())._replace(values=values, inverse_indices=inverse)


@composed(np.unique_values)
def unique_values(x):
    return np.unique(x, equal_nan=False)


@composed(np.union1d)
def union1d(ar1, ar2):
    return np.unique(np.concatenate([ar1, ar2], axis=None))


# What is in both comes out of the first.
@composed(np.intersect1d)
def intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    both = np.concatenate([ar1, ar2], axis=None)
    places = ranks(both, equal_nan=False)
    _, index1, index2 = np.intersect1d(places[: size(ar1)], places[size(ar1) :], assume_unique, True)
    return (both[index1], index1, index2) if return_indices else both[index1]


@composed(np.setdiff1d)
def setdiff1d(ar1, ar2, assume_unique=False):
    ar1 = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return ar1[np.isin(ar1, ar2, invert=True)]


@composed(np.setxor1d)
def setxor1d(ar1, ar2, assume_unique=False):
    parts = [part if assume_unique else np.unique(part) for part in (ar1, ar2)]
    ordered = np.sort(np.concatenate(parts, axis=None))
    if not size(ordered):
        return ordered
    steps = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])
    return ordered[steps[1:] & steps[:-1]]


plain(np.isin, getattr(np, "in1d", np.isin))
