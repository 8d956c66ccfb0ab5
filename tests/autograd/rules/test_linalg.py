"""Products in NumPy's own signatures; all forms of einsum."""

import warnings

import numpy as np
import pytest

from autograd import Value
from autograd.errors import NoRuleError

from ..numerical import check

rng = np.random.default_rng(3)


def a(*shape):
    return rng.uniform(0.5, 1.5, shape)


CALLS = {
    "dot": (np.dot, a(2, 3), a(3, 4)),
    "dot of vectors": (np.dot, a(3), a(3)),
    "dot with a number": (np.dot, a(2, 3), a()[()]),
    "dot of a number": (np.dot, a()[()], a(2, 3)),
    "dot with more axes": (np.dot, a(2, 3), a(2, 3, 2)),
    "dot of a vector with more axes": (np.dot, a(3), a(2, 3, 2)),
    "dot of more axes": (np.dot, a(2, 2, 3), a(3)),
    "vdot": (np.vdot, a(2, 3), a(2, 3)),
    "inner": (np.inner, a(2, 3), a(4, 3)),
    "inner with a number": (np.inner, a(2, 3), a()[()]),
    "inner of vectors": (np.inner, a(3), a(3)),
    "inner of a number": (np.inner, a()[()], a(2, 3)),
    "outer": (np.outer, a(2, 2), a(3)),
    "outer with a matrix": (np.outer, a(2), a(2, 2)),
    "outer by keyword": (lambda x: np.outer(a=x, b=x), a(3)),
    "tensordot": (np.tensordot, a(2, 3, 2), a(3, 2, 2)),
    "tensordot over one": (lambda x, y: np.tensordot(x, y, 1), a(2, 3), a(3, 2)),
    "tensordot over one of NumPy's": (lambda x, y: np.tensordot(x, y, np.int64(1)), a(2, 3), a(3, 2)),
    "tensordot over none": (lambda x, y: np.tensordot(x, y, axes=0), a(2), a(3)),
    "tensordot by axes": (lambda x, y: np.tensordot(x, y, ([0, 2], [-1, 0])), a(2, 3, 2), a(2, 3, 2)),
    "tensordot by an axis each": (lambda x, y: np.tensordot(x, y, axes=(1, 0)), a(2, 3), a(3, 2)),
    "matmul of empties": (np.matmul, a(2, 0), a(0, 3)),
    "quadratic form": (lambda x, m: x @ m @ x, a(3), a(3, 3)),
    "matmul with a list": (lambda x: [[1.0, 2.0]] @ x, a(2, 3)),
    "vecdot": (np.vecdot, a(2, 3), a(3)),
    "vecdot along an axis": (lambda x, y: np.vecdot(x, y, axis=0, keepdims=True), a(3, 2), a(3, 1)),
    "vecdot along the first of three": (lambda x, y: np.vecdot(x, y, axis=0), a(3, 2, 4), a(3, 1, 4)),
    "kron": (np.kron, a(2, 3), a(3, 2)),
    "kron of fewer axes": (np.kron, a(3), a(2, 1, 2)),
    "kron with a number": (np.kron, a(2, 2), a()[()]),
    "cross": (np.cross, a(2, 3), a(3)),
    "cross along axes": (lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), a(3, 4), a(4, 3)),
    "cross along an axis": (lambda x, y: np.cross(x, y, axis=1), a(2, 3, 2), a(1, 3, 2)),
    "cross along the first of three": (lambda x, y: np.cross(x, y, 0, 0), a(3, 2, 4), a(3, 1, 4)),
    "cross to the second of three": (lambda x, y: np.cross(x, y, axisc=1), a(2, 4, 3), a(4, 3)),
    "multi_dot": (lambda *xs: np.linalg.multi_dot(xs), a(2, 3), a(3, 4), a(4, 1), a(1, 2)),
    "multi_dot of two": (lambda *xs: np.linalg.multi_dot(xs), a(3), a(3, 2)),
    "multi_dot between vectors": (lambda *xs: np.linalg.multi_dot(xs), a(3), a(3, 4), a(4)),
    "multi_dot from a vector": (lambda *xs: np.linalg.multi_dot(xs), a(3), a(3, 4), a(4, 2)),
    "multi_dot to a vector": (lambda *xs: np.linalg.multi_dot(list(xs)), a(2, 3), a(3, 4), a(4, 2), a(2)),
    "multi_dot of one twice": (lambda x: np.linalg.multi_dot([x, x, np.eye(3)]), a(3, 3)),
    **{
        f"matrix_power {n}": (lambda x, n=n: np.linalg.matrix_power(x, n), a(2, 2, 2) + np.eye(2)) for n in range(-3, 8)
    },
    "linalg.matmul": (np.linalg.matmul, a(2, 3), a(3, 2)),
    "linalg.vecdot": (lambda x, y: np.linalg.vecdot(x, y, axis=0), a(3, 2), a(3, 2)),
    "linalg.tensordot": (lambda x, y: np.linalg.tensordot(x, y, axes=1), a(2, 3), a(3, 2)),
    "linalg.outer": (np.linalg.outer, a(2), a(3)),
    "linalg.cross": (lambda x, y: np.linalg.cross(x, y, axis=0), a(3, 2), a(3, 2)),
    "linalg.matrix_transpose": (np.linalg.matrix_transpose, a(2, 3, 4)),
    "linalg.diagonal": (lambda x: np.linalg.diagonal(x, offset=1), a(2, 3, 4)),
    "linalg.trace": (lambda x: np.linalg.trace(x, offset=-1), a(2, 3, 4)),
}
if hasattr(np, "matvec"):
    CALLS["matvec"] = np.matvec, a(2, 2, 3), a(3)
    CALLS["matvec of one matrix"] = np.matvec, a(2, 3), a(4, 3)
    CALLS["vecmat"] = np.vecmat, a(4, 1, 2), a(3, 2, 3)
    CALLS["vecmat with one matrix"] = np.vecmat, a(2), a(2, 3)

COMPLEX = [name for name in CALLS if "list" not in name and "empties" not in name]

EINSUMS = {
    "product": ("ij,jk->ik", (2, 3), (3, 2)),
    "implicit result": ("ij,jk", (2, 3), (3, 2)),
    "implicit result sorted": ("ba", (2, 3)),
    "implicit trace": ("ii", (3, 3)),
    "capital letters sort first": ("aB", (2, 3)),
    "spaces": (" i j , j -> i ", (2, 3), (3,)),
    "diagonal": ("ii->i", (3, 3)),
    "diagonal of three": ("iii->i", (2, 2, 2)),
    "diagonals in two operands": ("ii,ij->j", (2, 2), (2, 3)),
    "sum": ("ij->", (2, 3)),
    "sum of one axis": ("ij,k->k", (2, 3), (2,)),
    "outer": ("i,j->ji", (2,), (3,)),
    "hadamard": ("ij,ij->ij", (2, 3), (2, 3)),
    "three": ("ij,jk,kl->il", (2, 2), (2, 3), (3, 2)),
    "ellipsis": ("...ij,...jk->...ik", (2, 1, 2, 2), (3, 2, 2)),
    "ellipsis, implicit": ("...ij,jk", (2, 2, 3), (3, 2)),
    "ellipsis in one": ("i...,i->...", (2, 3), (2,)),
    "ellipsis in the middle": ("i...j->...", (2, 2, 3)),
    "ellipsis of nothing": ("...i->i...", (3,)),
    "length one": ("ij,ij->i", (2, 1), (2, 3)),
    "batch of length one": ("bij,bjk->bik", (1, 2, 2), (2, 2, 2)),
    "number": (",i->i", (), (3,)),
    "empty": ("ij,jk->ik", (2, 0), (0, 3)),
}

INTERLEAVED = {
    "product": lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2]),
    "implicit": lambda x, y: np.einsum(x, [0, 1], y, [1, 2]),
    "ellipsis": lambda x, y: np.einsum(x, [..., 1], y, [1, ...], [...]),
    "sorted by number": lambda x, y: np.einsum(x, [30, 1], y, [1, 2]),
    "arrays of numbers": lambda x, y: np.einsum(x, np.array([0, 1]), y, (1, 2), [2, 0]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_composed(call):
    check(*call)


@pytest.mark.parametrize("name", COMPLEX)
def test_composed_of_complex_numbers(name):
    function, *arrays = CALLS[name]
    arrays = [x + 1j * a(*np.shape(x)) for x in arrays]
    check(function, *arrays)
    check(function, arrays[0], *(x.real for x in arrays[1:]))


def test_cross_of_two_dimensions():
    for x, y in ((a(4, 2), a(2)), (a(2), a(4, 3)), (a(3), a(2))):
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            try:
                np.cross(x, y)
            except ValueError:
                pytest.skip("this NumPy takes three dimensions only")
            check(np.cross, x, y)
        with pytest.warns(DeprecationWarning):
            np.cross(Value(x), y)


@pytest.mark.parametrize("call", EINSUMS.values(), ids=EINSUMS)
def test_einsum(call):
    subscripts, *shapes = call
    arrays = [a(*shape)[()] for shape in shapes]
    check(lambda *xs: np.einsum(subscripts, *xs), *arrays)


@pytest.mark.parametrize("function", INTERLEAVED.values(), ids=INTERLEAVED)
def test_einsum_with_lists_of_axes(function):
    check(function, a(3, 2), a(2, 3))


@pytest.mark.parametrize("optimize", [True, "greedy", "optimal", ["einsum_path", (0, 1), (0, 1)]])
def test_einsum_optimized(optimize):
    check(lambda *xs: np.einsum("ij,jk,kl->il", *xs, optimize=optimize), a(2, 2), a(2, 3), a(3, 2))


def test_einsum_of_one_value_twice():
    check(lambda x: np.einsum("i,i->", x, x), a(3))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.einsum("ij->ij", x),
        lambda x: np.einsum("ij,jk->ik", x),
        lambda x: np.einsum("...i->i", x),
        lambda x: np.einsum("ijkl...->...", x),
        lambda x: np.einsum("ijk->ijm", x),
        lambda x: np.tensordot(x, x, 1),
        lambda x: np.tensordot(x, x, ([0], [0], [0])),
        lambda x: np.tensordot(x, x, ([0, 1], [0])),
        lambda x: np.matmul(x, x),
        lambda x: np.vecdot(x, x[..., :2]),
        lambda x: np.vecdot(x, x, axis=3),
        lambda x: np.cross(x, x),
        lambda x: np.cross(x[..., :3], x[..., :3], axis=3),
        lambda x: np.cross(x[0, 0, 0], x[0, 0, :3]),
        lambda x: np.linalg.cross(x, x),
        lambda x: np.linalg.cross(x[..., :3], x),
        lambda x: np.linalg.cross(x, x[..., :3]),
        lambda x: np.cross(x[0, 0, 0], x[0, 0, 0]),
        lambda x: np.linalg.outer(x, x),
        lambda x: np.linalg.multi_dot([x[0]]),
        lambda x: np.linalg.multi_dot([x[0], x[0], x[0]]),
        lambda x: np.linalg.multi_dot([x, x[0], x[0]]),
        lambda x: np.linalg.matrix_power(x, 2),
    ],
)
def test_refuses_what_numpy_refuses(call):
    x = a(2, 3, 4)
    with pytest.raises(ValueError):
        call(x)
    with pytest.raises(ValueError):
        call(Value(x))


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.dot(v, v, np.zeros((2, 2))),
        lambda v: np.outer(v, v, out=np.zeros((4, 4))),
        lambda v: np.einsum("ij->ji", v, out=np.zeros((2, 2))),
        lambda v: np.linalg.multi_dot([v, v, v], out=np.zeros((2, 2))),
    ],
)
def test_out_is_refused(call):
    with pytest.raises(NoRuleError):
        call(Value(a(2, 2)))


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="this came with NumPy 2.2")
@pytest.mark.parametrize("shapes", [((3,), (3,)), ((1, 1), ()), ((3, 4), (2,))])
def test_matvec_and_vecmat_refuse_what_numpy_refuses(shapes):
    x, y = a(*shapes[0]), a(*shapes[1])
    for call in (lambda v: np.matvec(v, y), lambda v: np.vecmat(y, v)):
        with pytest.raises(ValueError):
            call(x)
        with pytest.raises(ValueError):
            call(Value(x))


def test_matrix_power_is_that_of_numpy_to_the_last_bit():
    for x in (a(2, 3, 3) + np.eye(3), a(3, 3).astype(np.float32) + np.eye(3, dtype=np.float32)):
        for n in range(-3, 12):
            y, wanted = np.linalg.matrix_power(Value(x), n), np.linalg.matrix_power(x, n)
            np.testing.assert_array_equal(y.data, wanted)
            assert y.dtype == wanted.dtype


def test_matrix_power_takes_whole_numbers():
    for x in (np.eye(2), Value(np.eye(2))):
        with pytest.raises(TypeError):
            np.linalg.matrix_power(x, 0.5)
    x = Value(a(2, 2))
    np.sum(np.linalg.matrix_power(x, 0)).backward()
    assert x.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_einsum_path_is_plain():
    x = a(2, 3)
    assert np.einsum_path("ij,kj->ik", Value(x), x)[0] == np.einsum_path("ij,kj->ik", x, x)[0]


@pytest.mark.parametrize(
    "axes", [{}, {"axisc": 0}, {"axisc": 1}, {"axisc": -2}, {"axisa": 0, "axisb": 1, "axisc": 0}, {"axis": 1}]
)
def test_cross_along_axes(axes):
    places = {"axisa": -1, "axisb": -1, **axes}
    places = {"axisa": axes["axis"], "axisb": axes["axis"]} if "axis" in axes else places
    x, y = (np.moveaxis(a(2, 4, 3), -1, places[name]) for name in ("axisa", "axisb"))
    check(lambda x, y: np.cross(x, y, **axes), x, y)


@pytest.mark.parametrize("n", [-2, -1, 0, 1, 2, 5])
def test_matrix_power_of_stacks_of_stacks(n):
    check(lambda x: np.linalg.matrix_power(x, n), a(1, 2, 3, 3) + 2 * np.eye(3))


def test_trace_in_another_dtype():
    x = Value(a(2, 3, 3))
    assert np.linalg.trace(x, dtype=np.float32).dtype == np.float32


MORE_EINSUMS = {
    "AA->": (lambda x: np.einsum("AA->", x), a(3, 3)),
    "AAB->BA": (lambda x: np.einsum("AAB->BA", x), a(3, 3, 2)),
    "ABAB->A": (lambda x: np.einsum("ABAB->A", x), a(2, 3, 2, 3)),
    "ellipses of different widths": (lambda x, y: np.einsum("...i,...i->...", x, y), a(2, 3, 2, 4), a(2, 4)),
    "an ellipsis of no width": (lambda x, y: np.einsum("...i,...i->...", x, y), a(2, 3, 4), a(4)),
    "three operands with lists": (
        lambda x, y, z: np.einsum(x, [0, 1], y, [1, 2], z, [2, 3]), a(2, 3), a(3, 2), a(2, 4)
    ),
    "three operands with lists, and a result": (
        lambda x, y, z: np.einsum(x, [0, 1], y, [1, 2], z, [2, 3], [3, 0]), a(2, 3), a(3, 2), a(2, 4)
    ),
    "one operand with a list": (lambda x: np.einsum(x, [0, 0]), a(3, 3)),
}  # fmt: skip


@pytest.mark.parametrize("call", MORE_EINSUMS.values(), ids=MORE_EINSUMS)
def test_more_of_einsum(call):
    check(*call)
