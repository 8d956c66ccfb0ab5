"""Shapes, orders, joining and splitting: the functions that are composed of operations, in NumPy's own signatures."""

import numpy as np
import pytest

from autograd import Value
from autograd.errors import NoRuleError

from ..numerical import check

X = np.random.default_rng(0).normal(size=(2, 3, 4))
M, V = X[0], X[0, 0]

ONE = {
    "reshape by keyword": lambda x: np.reshape(x, shape=(4, 6)),
    "reshape in Fortran's order": lambda x: np.reshape(x, (-1, 2), "F"),
    "reshape without a copy": lambda x: np.reshape(x, 24, copy=None),
    "ravel": lambda x: np.ravel(x, order="F"),
    "transpose": lambda x: np.transpose(a=x, axes=[1, -1, 0]),
    "permute_dims": lambda x: np.permute_dims(x, (2, 0, 1)),
    "matrix_transpose": lambda x: np.matrix_transpose(x),
    "swapaxes": lambda x: np.swapaxes(x, axis1=0, axis2=-1),
    "moveaxis": lambda x: np.moveaxis(x, [0, 1], destination=[-1, 0]),
    "rollaxis": lambda x: np.rollaxis(x, 2),
    "rollaxis to the end": lambda x: np.rollaxis(x, 0, 3),
    "rollaxis from the end": lambda x: np.rollaxis(x, -1, start=-2),
    "expand_dims": lambda x: np.expand_dims(x, axis=(0, -1)),
    "squeeze": lambda x: np.squeeze(x[:1], axis=0),
    "broadcast_to": lambda x: np.broadcast_to(x, shape=(2, 2, 3, 4)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, np.ones((3, 1)), x[..., :1]),
    "full_like": lambda x: np.full_like(x, x[0, 0, 1]),
    "full_like in a shape": lambda x: np.full_like(x, fill_value=x[0, 0], shape=(2, 4)),
    "atleast_1d": lambda x: np.atleast_1d(x[0, 0, 0]),
    "atleast_2d": lambda x: np.atleast_2d(x[0, 0]),
    "atleast_3d": lambda x: np.atleast_3d(x[0, 0, 0], x[0, 0], x[0], x),
    "astype": lambda x: np.astype(x, np.float32),
    "copy": lambda x: np.copy(x),
    "flip": lambda x: np.flip(x, axis=(0, 2)),
    "fliplr": lambda x: np.fliplr(x),
    "flipud": lambda x: np.flipud(x),
    "roll": lambda x: np.roll(x, shift=-2, axis=1),
    "rot90": lambda x: np.rot90(x),
    "rot90 twice": lambda x: np.rot90(x, 2, (1, 2)),
    "rot90 back": lambda x: np.rot90(x, k=-1, axes=(2, 0)),
    "repeat": lambda x: np.repeat(x, 3),
    "repeat along an axis": lambda x: np.repeat(x, 2, axis=-1),
    "repeat each as often as": lambda x: np.repeat(x, [2, 0, 1], axis=1),
    "tile": lambda x: np.tile(x, 2),
    "tile along more axes": lambda x: np.tile(x, (2, 1, 1, 3)),
    "tile along fewer": lambda x: np.tile(A=x, reps=[2, 1]),
    "tile to nothing": lambda x: np.tile(x, 0),
    "split": lambda x: np.split(x, 2, axis=-1),
    "split at": lambda x: np.split(x, indices_or_sections=[1, 2], axis=1),
    "split backwards": lambda x: np.split(x, [2, 1, 9], axis=1),
    "split at the end": lambda x: np.split(x, [-1], axis=1),
    "array_split": lambda x: np.array_split(x, 3, axis=2),
    "hsplit": lambda x: np.hsplit(x, 3),
    "hsplit a vector": lambda x: np.hsplit(x[0, 0], [1]),
    "vsplit": lambda x: np.vsplit(x, 2),
    "dsplit": lambda x: np.dsplit(x, [1, 3]),
    "concatenate a sequence": lambda x: np.concatenate(x, axis=1),
    "concatenate arrays": lambda x: np.concatenate((x, M[None], x), 0),
    "concatenate flat": lambda x: np.concatenate([x, V], axis=None),
    "concat": lambda x: np.concat([x, x], axis=-1, dtype=np.float32, casting="same_kind"),
    "stack": lambda x: np.stack([x, X, x], axis=1),
    "stack numbers": lambda x: np.stack([x[0, 0, 0], 2.0, x[0, 1, 0]]),
    "vstack": lambda x: np.vstack([x[0, 0], M, x[1]]),
    "hstack": lambda x: np.hstack([x, X[:, :1]]),
    "hstack numbers": lambda x: np.hstack([x[0, 0, 0], V, x[0, 0]]),
    "dstack": lambda x: np.dstack([x[0], M, x[1]]),
    "column_stack": lambda x: np.column_stack([x[0, :, 0], M, x[0, :, 1]]),
    "unstack": lambda x: np.unstack(x, axis=1),
}

SINCE_2_1 = ("reshape by keyword", "reshape without a copy", "unstack")

PADS = {
    "a number": (1,),
    "a pair": ((1, 2),),
    "a pair in a list": ([[2, 1]],),
    "a pair an axis": (((0, 1), (2, 0), (1, 1)),),
    "one in a tuple": ((2,),),
    "an array": (np.array([[1], [0], [2]]),),
    "edge": (1, "edge"),
    "reflect": (((1, 1), (2, 1), (0, 3)), "reflect"),
    "symmetric, more than once around": (((0, 0), (0, 0), (9, 4)), "symmetric"),
    "wrap": ((5, 1), "wrap"),
}


@pytest.mark.parametrize("function", ONE.values(), ids=ONE)
def test_composed(function):
    if np.lib.NumpyVersion(np.__version__) < "2.1.0" and function in map(ONE.get, SINCE_2_1):
        pytest.skip("this came with NumPy 2.1")
    if "float32" in "".join(map(str, function.__code__.co_names)):
        y = function(Value(X))
        np.testing.assert_array_equal(y.data, function(X))
        assert y.dtype == np.float32
        y.backward(np.ones_like(y))
    else:
        check(function, X)


@pytest.mark.parametrize("arguments", PADS.values(), ids=PADS)
def test_pad(arguments):
    check(lambda x: np.pad(x, *arguments), X)


def test_pad_by_keyword():
    check(lambda x: np.pad(array=x, pad_width=((1, 2),), mode="constant", constant_values=((3.0, 4.0),)), M)
    check(lambda x: np.pad(x, 2, mode="edge"), V)


def test_pad_with_widths_by_axis():
    if np.lib.NumpyVersion(np.__version__) < "2.2.0":
        pytest.skip("np.pad takes a dictionary since NumPy 2.2")
    check(lambda x: np.pad(x, {-1: (1, 2), 0: 3}), X)


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.pad(v, 1, "linear_ramp"),
        lambda v: np.pad(v, 1, "reflect", reflect_type="odd"),
        lambda v: np.pad(v, 1, constant_values=Value(1.0)),
        lambda v: np.reshape(v, 12, order="A"),
        lambda v: np.ravel(v, "K"),
        lambda v: np.concatenate([v, v], out=np.zeros((6, 4))),
        lambda v: np.stack([v, v], 0, np.zeros((2, 3, 4))),
    ],
)
def test_what_has_no_rule_is_refused(call):
    with pytest.raises(NoRuleError):
        call(Value(M))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.split(x, 5),
        lambda x: np.concatenate([x, x[0]]),
        lambda x: np.stack([x, x[0]]),
        lambda x: np.reshape(x, (5, -1)),
        lambda x: np.vsplit(x[0], 2),
        lambda x: np.pad(x, ((1, 2), (3, 4), (5, 6))),
        lambda x: np.swapaxes(x, 0, 2),
    ],
)
def test_refuses_what_numpy_refuses(call):
    with pytest.raises(ValueError):
        call(M)
    with pytest.raises(ValueError):
        call(Value(M))


def test_zeros_and_ones_like_are_plain_constants():
    v = Value(M)
    for function in (np.zeros_like, np.ones_like, np.empty_like):
        like = function(v)
        assert type(like) is np.ndarray
        assert like.shape == M.shape
        like[0] = 5.0
    assert type(np.full_like(v, 2.0)) is type(np.argsort(v)) is np.ndarray
    assert np.result_type(v, np.float32(1)) == np.float64
    assert not np.iscomplexobj(v)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda v: np.tensordot(v, np.ones((2, 2)), axes=([2], [0])),
        lambda v: np.rollaxis(v, 5),
        lambda v: np.rot90(v, 1, (1, 1)),
        lambda v: np.take(v, [0], axis=2),
        lambda v: np.repeat(v, 2, axis=-3),
        lambda v: np.clip(v, -1, 1, min=0),
        lambda v: np.average(v, weights=np.zeros((2, 2))),
    ],
)
def test_what_numpy_refuses_is_refused(attempt):
    for array in (np.eye(2), Value(np.eye(2))):
        with pytest.raises((ValueError, TypeError, IndexError, ZeroDivisionError)):
            attempt(array)
