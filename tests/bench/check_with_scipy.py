"""scipy.optimize.check_grad of a weighted sum of the result; an error below 1e-6 passes."""

import numpy as np
import scipy
from scipy.optimize import check_grad

VERSION = f"scipy {scipy.__version__}"


def check(case):
    if case.order > 1:
        raise NotImplementedError
    shapes = [np.shape(x) for x in case.args]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    y = np.asarray(case.f(*case.args))
    weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)[()]

    def arguments(flat):
        parts = np.split(flat, ends[:-1])
        return [part.reshape(s).astype(x.dtype)[()] for part, s, x in zip(parts, shapes, case.args, strict=True)]

    def total(flat):
        return np.sum(weights * case.f(*arguments(flat)))

    def gradient(flat):
        return np.concatenate([np.ravel(d) for d in case.vjp(np.array(weights)[()], *arguments(flat))])

    try:
        return check_grad(total, gradient, np.concatenate([np.ravel(x) for x in case.args]).astype(float)) < 1e-6
    except Exception:
        return False
