"""jax.test_util.check_grads in reverse mode, with its default tolerances."""

import jax
import numpy as np
from jax.test_util import check_grads

VERSION = f"jax {jax.__version__}"

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")


def check(case):
    if case.order > 1:
        raise NotImplementedError  # the rules are NumPy's, and JAX cannot differentiate them

    def shape(x):
        return jax.ShapeDtypeStruct(np.shape(x), np.asarray(x).dtype)

    def numbers(function):
        return lambda *xs: function(*[np.array(x) for x in xs])

    result = shape(case.f(*case.args))

    @jax.custom_vjp
    def operation(*xs):
        return jax.pure_callback(numbers(lambda *a: np.asarray(case.f(*a))), result, *xs)

    def backward(xs, g):
        shapes = tuple(shape(x) for x in case.args)
        return jax.pure_callback(numbers(lambda g, *a: tuple(np.asarray(d) for d in case.vjp(g, *a))), shapes, g, *xs)

    operation.defvjp(lambda *xs: (operation(*xs), xs), backward)
    try:
        check_grads(operation, case.args, order=1, modes=["rev"])
    except Exception:
        return False
    return True
