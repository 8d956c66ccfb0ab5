"""Shapes, orders, joining and splitting: the functions that are composed of operations, in NumPy's own signatures."""

import warnings

import numpy as np
import pytest

from autograd import Value
from autograd.errors import NoRuleError
from autograd.op import registry

from ..numerical import assert_close, check, check_first, check_numbers, gradient, joined

X = np.random.default_rng(0).normal(size=(2, 3, 4))
Z = X + 1j * X[::-1]
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
    "rollaxis to before the end": lambda x: np.rollaxis(x, 0, -1),
    "rollaxis to where it is": lambda x: np.rollaxis(x, 1, 1),
    "rollaxis from the end": lambda x: np.rollaxis(x, -1, start=-2),
    "expand_dims": lambda x: np.expand_dims(x, axis=(0, -1)),
    "squeeze": lambda x: np.squeeze(x[:1], axis=0),
    "broadcast_to": lambda x: np.broadcast_to(x, shape=(2, 2, 3, 4)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, np.ones((3, 1)), x[..., :1]),
    "full_like": lambda x: np.full_like(x, x[0, 0, 1]),
    "full_like in a shape": lambda x: np.full_like(x, fill_value=x[0, 0], shape=(2, 4)),
    "atleast_1d": lambda x: np.atleast_1d(x[0, 0, 0]),
    "atleast_2d": lambda x: np.atleast_2d(x[0, 0]),
    "atleast_1d of two": lambda x: np.atleast_1d(x[0, 0, 0], x),
    "atleast_2d of two": lambda x: np.atleast_2d(x[0, 0, 0], x[0, 0], 2.0),
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
    "block": lambda x: np.block([[x[0], 2 * x[1]], [M[:2], x[0, 1:]]]),
    "block, numbers and one axis more": lambda x: np.block([[x[0, 0, 0], 3.0], [x[1, 0, :1], x[0, 1, 0]]]),
    "block in a list": lambda x: np.block([x[0, :1], 0.5 * x[:1, 2:, 1:]]),
    "block of three": lambda x: np.block([[[x, x[:, :, :1]]], [[X, X[:, :, :1]]]]),
    "block of one": lambda x: np.block(x),
    "append": lambda x: np.append(x, x[0] ** 2),
    "append along": lambda x: np.append(arr=x, values=x[:, :1], axis=-2),
    "append to a list": lambda x: np.append([1.0, 2.0], x),
    "insert": lambda x: np.insert(x, 3, x[0, 0, 0] ** 2),
    "insert several": lambda x: np.insert(x, [0, 24, -1], x[0, 0, :3]),
    "insert several in one place": lambda x: np.insert(x[0, 0], 1, [5.0, 6.0]),
    "insert several in one place, listed": lambda x: np.insert(x[0, 0], [1], x[1, 0]),
    "insert a plane": lambda x: np.insert(x, 1, x[:, 0] ** 2, axis=1),
    "insert a row for all": lambda x: np.insert(arr=x, obj=-1, values=x[0, 0], axis=1),
    "insert planes": lambda x: np.insert(x, 1, x**2, axis=0),
    "insert at the end of the last axis": lambda x: np.insert(x, [4, 0], x[..., :2], axis=-1),
    "insert by slice": lambda x: np.insert(x, slice(0, 3, 2), -1.0, axis=1),
    "insert into a plain array": lambda x: np.insert(X, 1, x[:, 1], axis=1),
    "insert a row as a matrix": lambda x: np.insert(x[0, 0], [0, 2], x[:1, 1, :2]),
    "repeat a number": lambda x: np.repeat(x[0, 0, 0], 3, axis=0),
    "insert nothing": lambda x: np.insert(x, [], 1.0),
    "delete": lambda x: np.delete(x, 3),
    "delete along": lambda x: np.delete(x, [0, 0, -1], axis=1),
    "delete by slice": lambda x: np.delete(arr=x, obj=slice(None, None, 2), axis=-1),
    "delete by mask": lambda x: np.delete(x, np.array([True, False, False]), 1),
    "delete nothing": lambda x: np.delete(x, [], 0),
    "resize": lambda x: np.resize(x, (5, 7)),
    "resize to less": lambda x: np.resize(x, new_shape=5),
    "resize to nothing": lambda x: np.resize(x, (0, 2)),
    "meshgrid": lambda x: np.meshgrid(x[0, 0], x[0, :, 1], x[1, 1, :2]),
    "meshgrid, rows first": lambda x: np.meshgrid(x[0, 0], V[:2], indexing="ij", copy=False),
    "meshgrid, sparse": lambda x: np.meshgrid(x[0, 0], x[0, :, 1], 2.0, sparse=True),
    "meshgrid of one": lambda x: np.meshgrid(x[0]),
    "trim_zeros": lambda x: np.trim_zeros(np.concatenate([[0.0, 0.0], x[0, 0], [0.0], x[1, 0], [0.0]])),
    "trim_zeros in front": lambda x: np.trim_zeros(np.concatenate([[0.0], x[0, 0], [0.0]]), "f"),
    "trim_zeros behind": lambda x: np.trim_zeros(np.concatenate([[0.0], x[0, 0], [0.0]]), trim="B"),
    "trim_zeros of nothing else in front": lambda x: np.trim_zeros(0.0 * x[0, 0], "f"),
    "trim_zeros of nothing else": lambda x: np.trim_zeros(0.0 * x[0, 0], "b"),
    "trim_zeros of a matrix": lambda x: np.trim_zeros(np.pad(x[0], ((1, 0), (2, 3)))),
    "trim_zeros along an axis": lambda x: np.trim_zeros(np.pad(x, 1), "fb", axis=-1),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda row: np.sum(row**2), 1, x),
    "apply_along_axis, rows for rows": lambda x: np.apply_along_axis(np.cumsum, axis=0, arr=x),
    "apply_along_axis, matrices for rows": lambda x: np.apply_along_axis(np.diag, -2, x),
    "apply_along_axis, with more": lambda x: np.apply_along_axis(lambda row, n, k: n * row[k:], 1, x, 3.0, k=1),
    "apply_along_axis of a vector": lambda x: np.apply_along_axis(np.prod, 0, x[0, 0]),
    "apply_over_axes": lambda x: np.apply_over_axes(np.sum, x**2, [0, -1]),
    "apply_over_axes, one": lambda x: np.apply_over_axes(np.cumsum, x, 1),
    "fromfunction": lambda x: np.fromfunction(lambda i, j: x[0, 0, 0] ** i * j, (3, 2)),
}

SINCE_2_1 = ("reshape by keyword", "reshape without a copy", "unstack")
SINCE_2_2 = ("trim_zeros of a matrix", "trim_zeros along an axis")
NUMPY = np.lib.NumpyVersion(np.__version__)

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
MARGINS = {
    "constants": {"mode": "constant", "constant_values": ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))},
    "a ramp": {"mode": "linear_ramp"},
    "a ramp to": {"mode": "linear_ramp", "end_values": ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))},
    "the largest": {"mode": "maximum"},
    "the largest of few": {"mode": "maximum", "stat_length": ((1, 2), (2, 1), (9, 3))},
    "the smallest": {"mode": "minimum", "stat_length": 2},
    "the mean": {"mode": "mean"},
    "the mean of few": {"mode": "mean", "stat_length": (1, 3)},
    "the median": {"mode": "median", "stat_length": ((2, 3),)},
    "reflected": {"mode": "reflect", "reflect_type": "even"},
    "reflected at a point": {"mode": "reflect", "reflect_type": "odd"},
    "reflected with the edge at a point": {"mode": "symmetric", "reflect_type": "odd"},
}


@pytest.mark.parametrize("function", ONE.values(), ids=ONE)
def test_composed(function):
    if NUMPY < "2.1.0" and function in map(ONE.get, SINCE_2_1):
        pytest.skip("this came with NumPy 2.1")
    if NUMPY < "2.2.0" and function in map(ONE.get, SINCE_2_2):
        pytest.skip("this came with NumPy 2.2")
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


@pytest.mark.parametrize("keywords", MARGINS.values(), ids=MARGINS)
def test_pad_with_margins(keywords):
    check(lambda x: np.pad(x, ((1, 2), (0, 1), (2, 0)), **keywords), X)


@pytest.mark.parametrize("keywords", MARGINS.values(), ids=MARGINS)
def test_pad_with_margins_wider_than_the_array(keywords):
    keywords = {name: pairs[:2] if np.shape(pairs) == (3, 2) else pairs for name, pairs in keywords.items()}
    check(lambda x: np.pad(x, ((0, 9), (7, 5)), **keywords), M)
    check(lambda x: np.pad(x, 2, **keywords), M[:, :1])


def test_pad_with_values():
    """What stands in the margins may itself have a gradient."""

    def constants(x, c):
        return np.pad(x, ((1, 0), (0, 2)), constant_values=[[c[0], 1.0], [0.0, c[1]]])

    def ramps(x, c):
        return np.pad(x, 2, "linear_ramp", end_values=c)

    for function in (constants, ramps):
        x, c = Value(M), Value(V[:2])
        y = function(x, c)
        np.testing.assert_allclose(y.data, function(M, V[:2]), rtol=1e-14)
        y.backward(np.arange(float(y.size)).reshape(y.shape))
        for i, value in enumerate((x, c)):
            arrays, seed = [M, V[:2]], np.arange(float(y.size)).reshape(y.shape)
            wanted = gradient(lambda *xs, function=function, seed=seed: np.sum(seed * function(*xs)), arrays, i)
            assert_close(value.grad, wanted)


def test_pad_of_a_number_and_of_nothing():
    for mode in ("constant", "edge", "mean", "linear_ramp"):
        assert np.pad(Value(2.0), 3, mode).item() == 2.0
        assert np.pad(Value(np.zeros((0, 2))), ((0, 0), (1, 2)), mode).shape == (0, 5)


def test_pad_keeps_the_dtype():
    for mode in ("mean", "linear_ramp", "maximum"):
        assert np.pad(Value(np.float32([1, 2, 4])), 2, mode).dtype == np.float32
    assert np.insert(Value(np.float32([1, 2])), 1, Value(2.0)).dtype == np.float32


def test_pad_by_keyword():
    check(lambda x: np.pad(array=x, pad_width=((1, 2),), mode="constant", constant_values=((3.0, 4.0),)), M)
    check(lambda x: np.pad(x, 2, mode="edge"), V)


def test_pad_with_widths_by_axis():
    if NUMPY < "2.2.0":
        pytest.skip("np.pad takes a dictionary since NumPy 2.2")
    check(lambda x: np.pad(x, {-1: (1, 2), 0: 3}), X)


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.pad(v, 1, "empty"),
        lambda v: np.pad(v, 1, lambda vector, widths, axis, keywords: None),
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
        lambda x: np.hsplit(x[0, 0], 1),
        lambda x: np.rot90(x, 1, (0, -2)),
        lambda x: np.rot90(x, 1, (0, 1, 0)),
        lambda x: np.delete(x, 0, axis=2),
        lambda x: np.repeat(x, 2, axis=2),
        lambda x: np.pad(x, ((1, 2), (3, 4), (5, 6))),
        lambda x: np.pad(x, -1, "mean"),
        lambda x: np.pad(x, 1, "mean", end_values=3),
        lambda x: np.pad(x, 1, "upwards"),
        lambda x: np.pad(x, 1, "maximum", stat_length=0),
        lambda x: np.pad(x[:0], 1, "mean"),
        lambda x: np.pad(x[:0], 1, "reflect", reflect_type="odd"),
        lambda x: np.block([[x], x]),
        lambda x: np.block([[x], []]),
        lambda x: np.block([[x, x[:1]]]),
        lambda x: np.append(x, x[0], axis=0),
        lambda x: np.insert(x, 1, x, axis=1),
        lambda x: np.resize(x, (-1, 2)),
        lambda x: np.meshgrid(x, indexing="yx"),
        lambda x: np.apply_along_axis(np.sum, 0, x[:, :0]),
        lambda x: np.apply_over_axes(lambda a, axis: a[0, 0], x, [0, 1]),
        lambda x: np.swapaxes(x, 0, 2),
    ],
)
def test_refuses_what_numpy_refuses(call):
    with pytest.raises(ValueError):
        call(M)
    with pytest.raises(ValueError):
        call(Value(M))


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (lambda x: np.block(([x], [x])), TypeError),
        (lambda x: np.pad(x, 1.5, "mean"), TypeError),
        (lambda x: np.pad(x, 1.5, "edge"), TypeError),
        (lambda x: np.insert(x, 9, 1.0), IndexError),
        (lambda x: np.insert(x, 1, 1.0, axis=2), IndexError),
        (lambda x: np.delete(x, 12), IndexError),
        (lambda x: np.delete(x, [5], axis=1), IndexError),
    ],
)
def test_the_same_kind_of_error_as_numpy(attempt, kind):
    for array in (M, Value(M)):
        with pytest.raises(kind):
            attempt(array[:, :2])


def test_insert_by_mask():
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # older NumPy takes it for integers
        check(lambda x: np.insert(x, np.array([True, False, True]), x[:, :1], axis=1), X)


def test_trim_zeros_knows_two_sides():
    with pytest.raises(ValueError, match="trim='left'"):
        np.trim_zeros(Value(V), "left")


INTEGERS = [
    lambda x, i: np.insert(x, i, 1.0),
    lambda x, i: np.delete(x, i),
    lambda x, i: np.split(x, i),
    lambda x, i: np.array_split(x, i),
    lambda x, i: np.tile(x, i),
    lambda x, i: np.take(x, i),
    lambda x, i: np.repeat(x[:2], i),
    lambda x, i: np.choose(i, [x[:2], -x[:2], 0.0]),
    lambda x, i: np.compress(i, x),
    lambda x, i: np.compress(i > 1, x),
    lambda x, i: np.select([i == 1, i > 1], [x[:2], 0.5]),
    lambda x, i: np.take(x, Value(np.array([True, False]))),
    lambda x, i: np.take(x, i + 4, mode="wrap"),
    lambda x, i: np.piecewise(x[:2], [i == 1], [np.exp]),
    lambda x, i: np.piecewise(x[:2], Value(np.array([True, False])), [np.exp, 0.5]),
    lambda x, i: np.piecewise(x[:2], (Value(np.array([True, False])), i > 1), [np.exp, 0.5]),
    lambda x, i: np.piecewise(x[:2], [Value(np.array([True, False]))], [np.exp]),
    lambda x, i: np.select([Value(np.array([True, False]))], [x[:2]]),
    lambda x, i: np.extract(i, x[:2]),
    lambda x, i: np.take_along_axis(x, i, 0),
    lambda x, i: np.unravel_index(i, x.shape)[0],
]


@pytest.mark.parametrize("function", INTEGERS)
def test_indices_and_masks_may_be_values(function):
    i = np.array([1, 2])
    got, wanted = function(Value(V), Value(i)), function(V, i)
    for ours, numpys in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(getattr(ours, "data", ours), numpys)


def test_full_like_of_another_dtype():
    assert np.full_like(Value(V), Value(2.5), np.float32).dtype == np.float32
    assert np.full_like(Value(V.astype(np.float32)), Value(2.5)).dtype == np.float32


def test_resize_of_nothing_is_zeros():
    np.testing.assert_array_equal(np.resize(Value(np.zeros((0, 2))), (2, 2)), np.zeros((2, 2)))


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


@pytest.mark.parametrize("name", [name for name in ONE if name not in ("astype", "concat")])
def test_composed_of_complex_numbers(name):
    if (NUMPY < "2.1.0" and name in SINCE_2_1) or (NUMPY < "2.2.0" and name in SINCE_2_2):
        pytest.skip("this came later")
    with warnings.catch_warnings(action="ignore", category=np.exceptions.ComplexWarning):  # what goes into real arrays
        check_numbers(ONE[name], [Z])
        check_first(joined(ONE[name]), [Z])


@pytest.mark.parametrize("keywords", MARGINS.values(), ids=MARGINS)
def test_pad_of_complex_numbers(keywords):
    def function(z):
        return np.pad(z, ((1, 2), (0, 1), (2, 0)), **keywords)

    check_numbers(function, [Z])
    check_first(function, [Z])


PLANE, OTHER = np.arange(12.0).reshape(3, 4) / 7, np.arange(6.0).reshape(3, 2) / 5
OF_MATRICES = {
    "hstack": lambda x: np.hstack([x, OTHER]) ** 2,
    "vstack": lambda x: np.vstack([x, x[:1]]) ** 2,
    "hsplit": lambda x: np.hsplit(x**2, [1, 3]),
    "vsplit": lambda x: np.vsplit(x**2, 3),
    "meshgrid": lambda x: np.meshgrid(x[0], x[:, 1] ** 2),
    "apply_over_axes, the axis from the end": lambda x: np.apply_over_axes(np.sum, x**2, [-2]),
    "insert by slice": lambda x: np.insert(x, slice(0, 2), x[:, :2] ** 2, axis=1),
    "insert columns": lambda x: np.insert(x, 2, x[:, :1].T ** 2, axis=1),
    "insert a column in one place": lambda x: np.insert(x, 1, x[:, 3] ** 2, axis=1),
    "insert two columns in one place": lambda x: np.insert(x, 1, x[:, 2:].T ** 2, axis=1),
    "insert into the last of three axes": lambda x: np.insert(x.reshape(3, 2, 2), 1, x[:, 1:3] ** 2, axis=2),
    "fromfunction": lambda x: np.fromfunction(lambda i, j: x[0, 0] ** 2 * i + j * x[1, 1], (2, 3)),
}


@pytest.mark.parametrize("function", OF_MATRICES.values(), ids=OF_MATRICES)
def test_of_matrices(function):
    check(function, PLANE)


def test_fromfunction_as_it_is_registered():
    # NumPy hands it over only when told to, by `like`.
    x = Value(2.0)
    for make in (np.fromfunction, registry[np.fromfunction]):
        y = make(lambda i, j, k: x * i + j * k, (2, 3), dtype=np.float32, k=3)
        assert y.data.tolist() == [[0, 3, 6], [2, 5, 8]]


@pytest.mark.skipif(not hasattr(np, "unstack"), reason="this came with NumPy 2.1")
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_unstack(axis):
    check(lambda x: np.unstack(x**2, axis=axis), np.arange(24.0).reshape(2, 3, 4) / 9)


@pytest.mark.parametrize("function", [np.stack, np.vstack, np.hstack, np.concatenate])
def test_joined_in_another_dtype(function):
    x = Value(PLANE)
    y = function([x, PLANE], dtype=np.float32)
    np.testing.assert_array_equal(y.data, function([PLANE, PLANE], dtype=np.float32))
    assert y.dtype == np.float32
