"""numpy.linalg: the functions composed of others, the choices that rules depend on, and where derivatives end."""

import itertools
import math

import numpy as np
import pytest

from autograd import Value, grad, hessian
from autograd.errors import NoRuleError
from autograd.op import operations, registry

from ..numerical import assert_close, check, check_first, check_second, raw_gradients, weights

rng = np.random.default_rng(7)


def a(*shape):
    return rng.uniform(-0.5, 0.5, shape)


def complex_a(*shape):
    return a(*shape) + 1j * a(*shape)


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def hermitian(x):
    return 0.5 * (x + adjoint(x))


def diagonal(*shape):
    return np.eye(*shape) * (1.0 + np.arange(shape[1]))


S = a(3, 3) + diagonal(3, 3)  # square
Z = complex_a(3, 3) + diagonal(3, 3)
W, T = a(2, 4) + diagonal(2, 4), a(4, 2) + diagonal(4, 2)  # wide and tall
STACK = a(2, 3, 3) + diagonal(3, 3)
CUBE = a(2, 3, 4)

COMPOSED = {
    "tensorinv": (np.linalg.tensorinv, a(2, 3, 6) + np.eye(6).reshape(2, 3, 6) * 2),
    "tensorinv, one": (lambda x: np.linalg.tensorinv(x, ind=1), a(6, 3, 2) + np.eye(6).reshape(6, 3, 2) * 2),
    "tensorsolve": (np.linalg.tensorsolve, a(2, 3, 6) + np.eye(6).reshape(2, 3, 6) * 2, a(2, 3)),
    "tensorsolve by axes": (
        lambda x, y: np.linalg.tensorsolve(x, y, axes=(0, 2)),
        np.moveaxis(a(3, 2, 2, 3) + 2 * np.eye(6).reshape(3, 2, 2, 3), (2, 3), (0, 2)),
        a(3, 2),
    ),
    "svd": (lambda x: (lambda r: (r.U * r.S) @ r.Vh[:3])(np.linalg.svd(x)), S),
    "svdvals": (np.linalg.svdvals, W),
    "singular values": (lambda x: np.linalg.svd(x, compute_uv=False), STACK),
    "singular values of a Hermitian matrix": (
        lambda x: np.linalg.svd(hermitian(x), compute_uv=False, hermitian=True), S - 4 * np.eye(3)
    ),
    "svd of a Hermitian matrix": (
        lambda x: np.concatenate([p[..., None, :] ** 2 if p.ndim == 2 else p**2
                                  for p in np.linalg.svd(hermitian(x), hermitian=True)], -2), STACK - 2 * np.eye(3)
    ),
    "eigvals": (np.linalg.eigvals, S + diagonal(3, 3)),
    "qr, r alone": (lambda x: np.linalg.qr(x, mode="r"), W),
    "qr, r alone, complete": (lambda x: np.linalg.qr(x, "complete").R, T),
    "lstsq, s": (lambda x: np.linalg.lstsq(x, np.ones(4))[3], T),
    "lstsq, residuals": (lambda x, y: np.linalg.lstsq(x, y, rcond=None)[1], T, a(4, 3)),
    "norm": (np.linalg.norm, CUBE),
    "vector_norm": (np.linalg.vector_norm, CUBE),
    "vector_norm along an axis": (lambda x: np.linalg.vector_norm(x, axis=-2, ord=3, keepdims=True), CUBE),
    "vector_norm along two": (lambda x: np.linalg.vector_norm(x, axis=(2, 0), ord=1.5), CUBE),
    "vector_norm along two, kept": (lambda x: np.linalg.vector_norm(x, axis=(2, -3), keepdims=True), CUBE),
    "vector_norm of a number": (np.linalg.vector_norm, np.float64(-2.0)),
    "matrix_norm": (np.linalg.matrix_norm, CUBE),
    "matrix_norm, nuclear": (lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True), CUBE),
}  # fmt: skip

for order, axes in itertools.product([None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf], [(0, 1), (-1, 0)]):
    COMPOSED[f"norm of matrices, {order}, {axes}"] = lambda x, o=order, k=axes: np.linalg.norm(x, o, k), CUBE
    COMPOSED[f"norm of matrices, {order}, {axes}, kept"] = (
        lambda x, o=order, k=axes: np.linalg.norm(x, ord=o, axis=k, keepdims=True), CUBE
    )  # fmt: skip
for order in [None, 1, -1, 2, -2, math.inf, -math.inf, "fro"]:
    COMPOSED[f"cond, {order}"] = lambda x, o=order: np.linalg.cond(x, o), STACK
COMPOSED["cond of a wide matrix"] = np.linalg.cond, W


@pytest.mark.parametrize("call", COMPOSED.values(), ids=COMPOSED)
def test_composed(call):
    check(*call)


COMPLEX = {
    "det": np.linalg.det,
    "slogdet": np.linalg.slogdet,
    "cholesky": lambda x: np.linalg.cholesky(x @ adjoint(x)),
    "from u, s and vh": lambda x: (lambda u, s, vh: (u * np.exp(s)) @ vh)(*np.linalg.svd(x)),
    "the polar factor": lambda x: (lambda u, s, vh: u @ vh)(*np.linalg.svd(x, full_matrices=False)),
    "from w and v": lambda x: (lambda w, v: (v * np.exp(w)) @ adjoint(v))(*np.linalg.eigh(hermitian(x))),
    "from any w and v": lambda x: (lambda w, v: (v * np.exp(w)) @ np.linalg.inv(v))(*np.linalg.eig(x)),
    "from q and r": lambda x: (lambda q, r: q @ np.tril(q) @ r)(*np.linalg.qr(x)),
    "norm": lambda x: np.linalg.norm(x, 3, axis=0),
    "nuclear norm": lambda x: np.linalg.norm(x, "nuc"),
    "cond": np.linalg.cond,
    "cond, 1": lambda x: np.linalg.cond(x, 1),
}


@pytest.mark.parametrize("function", COMPLEX.values(), ids=COMPLEX)
def test_complex(function):
    check_first(function, [Z]) if function is not np.linalg.slogdet else check(function, Z)
    if function is not np.linalg.slogdet:
        check_second(function, [Z])


def test_complex_singular_vectors_of_real_numbers_turn_in_the_second_derivative():
    polar = COMPLEX["the polar factor"]
    check_second(polar, [S + 0j])
    singular = (complex_a(3, 2) + 1) @ (complex_a(2, 3) + 1)  # the phase between its last vectors is any
    for x in (singular, np.conj(singular)):
        assert np.all(np.isnan(raw_gradients(polar, [x], weights(x))[0]))


def test_eigenvalues_of_a_real_matrix_that_are_complex():
    turning = np.array([[0.3, -2.0, 0.1], [1.0, 0.2, 0.4], [0.2, 0.1, 3.0]])
    check(lambda x: np.exp(np.linalg.eigvals(x)), turning)
    check(lambda x: (lambda w, v: (v * np.exp(w)) @ np.linalg.inv(v))(*np.linalg.eig(x)), turning)


def test_functions_of_a_matrix_by_eigenvectors_have_the_known_derivative():
    # d tr(f(A)) / dA = f'(A), whatever the eigenvectors.
    x = hermitian(complex_a(4, 4))
    w, v = np.linalg.eigh(x)
    (share,) = raw_gradients(lambda m: np.sum(np.exp(np.linalg.eigh(m)[0])), [x], np.float64(1.0))
    np.testing.assert_allclose(share, (v * np.exp(w)) @ adjoint(v), atol=1e-14)


def results(function, *arrays):
    y = function(*arrays)
    return y if isinstance(y, tuple) else (y,)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.linalg.svd(x),
        lambda x: np.linalg.svd(x, False),
        lambda x: np.linalg.svd(x, full_matrices=False),
        lambda x: np.linalg.svd(x, compute_uv=False),
        lambda x: np.linalg.svd(hermitian(x), hermitian=True),
        lambda x: np.linalg.svd(hermitian(x), compute_uv=False, hermitian=True),
        lambda x: np.linalg.svdvals(x),
        lambda x: np.linalg.qr(x),
        lambda x: np.linalg.qr(x, "r"),
        lambda x: np.linalg.qr(x, mode="complete"),
        lambda x: np.linalg.eigh(x),
        lambda x: np.linalg.eigh(x, "U"),
        lambda x: np.linalg.eigvalsh(x, UPLO="u"),
        lambda x: np.linalg.eig(x),
        lambda x: np.linalg.slogdet(x),
        lambda x: np.linalg.det(x),
        lambda x: np.linalg.inv(x),
        lambda x: np.linalg.pinv(x),
        lambda x: np.linalg.pinv(x, 0.5),
        lambda x: np.linalg.pinv(x, rtol=0.5),
        lambda x: np.linalg.pinv(x, rtol=None),
        lambda x: np.linalg.pinv(hermitian(x), hermitian=True),
        lambda x: np.linalg.cholesky(x @ adjoint(x)),
        lambda x: np.linalg.cholesky(x @ adjoint(x), upper=True),
        lambda x: np.linalg.matrix_rank(x),
        lambda x: np.linalg.lstsq(x if x.ndim == 2 else x[0], [1.0, 2.0, 3.0]),
        lambda x: np.linalg.lstsq(x if x.ndim == 2 else x[0], np.ones((3, 2)), rcond=0.4),
        lambda x: np.linalg.lstsq([[1, 0, 2], [0, 1, 1], [2, 1, 5]], x if x.ndim == 2 else x[0], rcond=-1),
        lambda x: np.linalg.solve(x, [1.0, 2.0, 3.0]),
        lambda x: np.linalg.solve([[1, 2, 0], [3, 4, 0], [0, 0, 1]], x),
    ],
)
@pytest.mark.parametrize("x", [S, Z, STACK, a(1, 3, 3).astype(np.float32)], ids=["", "complex", "stack", "float32"])
def test_numbers_and_types_are_those_of_numpy(call, x):
    got, wanted = results(call, Value(x)), results(call, x)
    assert len(got) == len(wanted)
    assert type(got).__name__ == type(wanted).__name__
    for ours, theirs in zip(got, wanted, strict=True):
        ours = ours.data if isinstance(ours, Value) else ours
        np.testing.assert_array_equal(ours, theirs)
        assert np.result_type(ours) == np.result_type(theirs) or np.result_type(theirs).kind == "i"


def test_names_of_the_results():
    assert np.linalg.svd(Value(S)).Vh.shape == (3, 3)
    assert np.linalg.slogdet(Value(S)).logabsdet.shape == ()
    assert np.linalg.eigh(Value(S)).eigenvectors.shape == (3, 3)
    assert np.linalg.lstsq(Value(T), np.ones(4))[2] == 2
    assert isinstance(np.linalg.matrix_rank(Value(S)), int | np.integer)


def test_several_results_share_one_factorisation(monkeypatch):
    calls = []
    eigh = np.linalg.eigh
    monkeypatch.setattr(
        registry[eigh], "function", lambda *args, **keywords: calls.append(1) or eigh(*args, **keywords)
    )
    w, v = eigh(Value(hermitian(S)))
    monkeypatch.setattr(np.linalg, "eigh", None)  # which the rules would call, if they had to
    np.sum(w[0] * v[:, 0] ** 2).backward()
    assert len(calls) == 1


# ---------------------------------------------------------------- one triangle


@pytest.mark.parametrize("keywords", [{}, {"UPLO": "U"}])
def test_eigh_reads_one_triangle_and_its_gradient_stands_in_both(keywords):
    upper = np.array([[1.0, 99.0], [0.5, 3.0]])
    if keywords:
        upper = upper.T
    x = Value(upper)
    np.linalg.eigvalsh(x, **keywords)[1].backward()
    np.testing.assert_allclose(x.grad, x.grad.T, rtol=1e-15)
    _, v = np.linalg.eigh(np.array([[1.0, 0.5], [0.5, 3.0]]))
    np.testing.assert_allclose(x.grad, np.outer(v[:, 1], v[:, 1]), rtol=1e-14)


def test_cholesky_reads_one_triangle_and_its_gradient_stands_in_both():
    for upper in (False, True):
        x = Value(np.array([[4.0, 9.0], [1.0, 3.0]]).T if upper else np.array([[4.0, 9.0], [1.0, 3.0]]))
        y = np.linalg.cholesky(x, upper=upper)
        np.testing.assert_allclose(y.data[1, 1], math.sqrt(3 - 1 / 4))
        y[1, 1].backward()
        np.testing.assert_allclose(x.grad, np.array([[1 / 16, -1 / 4], [-1 / 4, 1.0]]) / (2 * math.sqrt(2.75)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.linalg.pinv(x, hermitian=True)[1, 2],
        lambda x: np.abs(np.linalg.eigh(x).eigenvectors[1, 0]) ** 2,
        lambda x: np.linalg.cholesky(x)[2, 1],
        lambda x: np.linalg.svd(x, hermitian=True).S[0],
    ],
)
def test_the_gradient_of_a_hermitian_matrix_is_hermitian(function):
    for x in (hermitian(S), hermitian(Z)):
        share = grad(lambda m: np.real(function(m)))(x)
        np.testing.assert_allclose(share, adjoint(share), atol=1e-15)
        assert np.max(np.abs(share)) > 0.01


@pytest.mark.parametrize(
    ("least", "rcond"),
    [
        (4e-16, None),
        (1e-17, 0),
        (1e-17, 1e-18),
        (1.3e-16, 0),
        (1e-16, -1),
        (0.5, 1),
        (1e-17, 3.0),
        (0.5, 0.5),
        (0.5, 0.4),
    ],
)
def test_rank_as_lstsq_finds_it(least, rcond):
    x, b = np.array([[1.0, 0.0], [0.0, least], [0.0, 0.0]]), np.ones(3)
    wanted, (solution, _, rank, _) = np.linalg.lstsq(x, b, rcond)[2], np.linalg.lstsq(Value(x), b, rcond)
    assert rank == wanted
    assert np.all(np.isfinite(solution.data))


# ---------------------------------------------------------------- singular matrices


def exact_gradient(function, x):
    """By differences, which are exact where the function is of first order in each entry of `x`."""
    result = []
    for place in np.ndindex(x.shape):
        unit = np.zeros(x.shape)
        unit[place] = 0.5
        result.append(function(x + unit) - function(x - unit))
    return np.reshape(result, (*x.shape, *np.shape(result[0])))


@pytest.mark.parametrize(
    "x",
    [
        np.array([[1.0, 2.0], [2.0, 4.0]]),
        np.zeros((2, 2)),
        np.zeros((3, 3)),
        np.outer([1.0, 2, 3], [1, 0, 2]),
        np.eye(3),
    ],
    ids=["rank 1 of 2", "rank 0 of 2", "rank 0 of 3", "rank 1 of 3", "rank 3 of 3"],
)
def test_det_to_the_third_order(x):
    def curvature(m):
        second = hessian(np.linalg.det)(m)
        return np.sum(weights(second) * second)

    np.testing.assert_allclose(grad(np.linalg.det)(x), exact_gradient(np.linalg.det, x), atol=1e-14)
    second = exact_gradient(lambda m: exact_gradient(np.linalg.det, m), x)
    np.testing.assert_allclose(hessian(np.linalg.det)(x), second, atol=1e-14)
    np.testing.assert_allclose(grad(curvature)(x), exact_gradient(curvature, x), atol=1e-12)


def test_det_of_a_stack_with_a_singular_matrix():
    stack = np.stack([np.diag([2.0, 3.0]), np.array([[1.0, 2.0], [2.0, 4.0]])])
    check(np.linalg.det, stack)
    np.testing.assert_allclose(
        grad(lambda x: np.sum(np.linalg.det(x)))(stack), [[[3, 0], [0, 2]], [[4, -2], [-2, 1]]], atol=1e-15
    )


@pytest.mark.parametrize("least", [1.0, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 0.0])
def test_det_of_matrices_that_are_close_to_singular(least):
    (u, _), (v, _) = np.linalg.qr(a(5, 5)), np.linalg.qr(a(5, 5))
    x = (u * [2.0, 1.5, 1.0, 0.5, least]) @ v.T
    turn = np.linalg.det(u) * np.linalg.det(v)
    rest = [0.75 * least, least, 1.5 * least, 3 * least, 1.5]
    np.testing.assert_allclose(grad(np.linalg.det)(x), turn * (u * rest) @ v.T, rtol=0, atol=2e-14)
    # The slope of the gradient along a direction E: in the frame of u and v it has products without two values.
    s, e = np.array([2.0, 1.5, 1.0, 0.5, least]), a(5, 5)
    inner = u.T @ e @ v
    pairs = np.array([[np.prod(np.delete(s, [i, j])) if i != j else 0.0 for j in range(5)] for i in range(5)])
    wanted = np.diag(pairs @ np.diag(inner)) - pairs * inner.T
    got = grad(lambda m: np.sum(grad(np.linalg.det)(m) * e))(x)
    np.testing.assert_allclose(got, turn * u @ wanted @ v.T, rtol=0, atol=1e-11)


def test_slogdet_of_a_singular_matrix_has_no_gradient():
    x = Value(np.stack([np.diag([2.0, 4.0]), np.ones((2, 2))]))
    y = np.linalg.slogdet(x).logabsdet
    assert y.data[1] == -math.inf
    y.backward(np.ones(2))
    np.testing.assert_allclose(x.grad[0], [[0.5, 0.0], [0.0, 0.25]])
    assert np.all(np.isnan(x.grad[1]))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.linalg.inv(x),
        lambda x: np.linalg.solve(x, np.ones(2)),
        lambda x: np.linalg.matrix_power(x, -1),
        lambda x: np.linalg.tensorinv(x, 1),
        lambda x: np.linalg.tensorsolve(x, np.ones(2)),
        lambda x: np.linalg.cholesky(-x),
        lambda x: np.linalg.inv(x[:1]),
        lambda x: np.linalg.det(x[:1]),
        lambda x: np.linalg.slogdet(x[0]),
        lambda x: np.linalg.eig(x[0]),
        lambda x: np.linalg.eigvals(x[:1]),
        lambda x: np.linalg.eigh(x[:1]),
        lambda x: np.linalg.svd(x[0]),
        lambda x: np.linalg.svdvals(x[0]),
        lambda x: np.linalg.qr(x[0]),
        lambda x: np.linalg.lstsq(x, np.ones(3)),
        lambda x: np.linalg.lstsq(x[None], np.ones(2)),
        lambda x: np.linalg.tensorsolve(x, np.ones((1, 2))),
        lambda x: np.linalg.cond(x[:0]),
        lambda x: np.linalg.cond(x[:1], 1),
        lambda x: np.linalg.eigvals(x + math.nan),
        lambda x: np.linalg.pinv(x[0]),
        lambda x: np.linalg.matrix_power(x[0], 2),
        lambda x: np.linalg.matrix_power(x[:1], 1),
        lambda x: np.linalg.tensorinv(x[:1, :1], 0),
        lambda x: np.linalg.qr(x, "nothing"),
        lambda x: np.linalg.norm(x, "nuc", 0),
        lambda x: np.linalg.norm(x, 3, (0, 1)),
        lambda x: np.linalg.norm(x, "max"),
        lambda x: np.linalg.norm(x, 2, (0, 0)),
        lambda x: np.linalg.norm(x, 2, (0, -2)),
        lambda x: np.linalg.norm(x, 2, (0, 2)),
        lambda x: np.linalg.norm(x, axis=5),
        lambda x: np.linalg.norm(x, axis=1.5j),
        lambda x: np.linalg.norm(x[None], 1),
        lambda x: np.linalg.vector_norm(x, axis=(0, 0)),
        lambda x: np.linalg.vector_norm(x, axis=3),
        lambda x: np.linalg.matrix_norm(x[0]),
        lambda x: np.linalg.eigh(x, "X"),
        lambda x: np.linalg.solve(x, np.ones(3)),
        lambda x: np.linalg.matrix_power(x, 0.5),
    ],
)
def test_refuses_what_numpy_refuses(call):
    x = np.ones((2, 2))
    with pytest.raises(Exception) as numpys:
        call(x)
    with pytest.raises(numpys.type):
        call(Value(x))


def test_qr_refuses_what_has_no_rule():
    with pytest.raises(NoRuleError, match="'complete' and 'r'"):
        np.linalg.qr(Value(S), "raw")


# ---------------------------------------------------------------- equal eigenvalues, equal singular values


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (lambda x: np.sum(np.linalg.eigvalsh(x) ** 2), lambda x: 2 * x),
        (lambda x: np.sum(np.linalg.eigh(x).eigenvalues ** 3), lambda x: 3 * x @ x),
        (lambda x: np.real(np.sum(np.linalg.eigvals(x) ** 2)), lambda x: 2 * x.T),
        (lambda x: np.sum(np.log(np.linalg.svdvals(x))), lambda x: np.linalg.inv(x).T),
        (lambda x: np.sum(np.linalg.svd(x).S ** 2), lambda x: 2 * x),
        (lambda x: np.linalg.norm(x, "nuc"), lambda x: np.eye(3)),
    ],
)
def test_functions_of_equal_values_have_a_gradient(function, wanted):
    (q, _) = np.linalg.qr(a(3, 3))
    for x in (np.eye(3), np.diag([2.0, 2.0, 1.0]), (q * [2.0, 2.0, 1.0]) @ q.T, (q * [2.0, 2.0, 2.0]) @ q.T):
        np.testing.assert_allclose(grad(function)(x), wanted(x), atol=1e-13)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(np.linalg.eigh(x).eigenvectors ** 2 * weights(x)),
        lambda x: np.sum(np.abs(np.linalg.eig(x).eigenvectors) ** 2 * weights(x)),
        lambda x: np.sum(np.linalg.svd(x).U[:, 0] ** 2 * weights(x[0])),
        lambda x: np.sum(np.linalg.svd(x, full_matrices=False).Vh[0] ** 2 * weights(x[0])),
    ],
)
def test_vectors_of_equal_values_have_none(function):
    (q, _) = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    for x in (np.eye(3), (q * [2.0, 2.0, 1.0]) @ q.T):
        assert np.all(np.isnan(grad(function)(x)))


@pytest.mark.parametrize(
    ("function", "odd"),
    [
        (lambda x: np.linalg.eigh(x).eigenvectors ** 2, [2.0, -1.0, -1.0]),
        (lambda x: np.linalg.svd(x).Vh ** 2, [2.0, -1.0, 1.0]),
        (lambda x: np.linalg.svd(x[..., :2], full_matrices=False).U ** 2, [1.0, 0.0, 0.0]),
        (lambda x: np.linalg.qr(x).Q, [1.0, 1.0, 0.0]),
    ],
)
def test_a_matrix_without_a_gradient_leaves_the_rest_of_the_stack_alone(function, odd):
    (q, _) = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    odd, usual = (q * odd) @ q.T, hermitian(S) * 1e-20

    def loss(x):
        return np.sum(function(x) * weights(function(usual)))

    share = grad(loss)(np.stack([odd, usual]))
    assert np.all(np.isnan(share[0][:, :2]))
    np.testing.assert_allclose(share[1], grad(loss)(usual), rtol=1e-12)


def test_vectors_that_are_left_alone_do_no_harm():
    # The first singular pair of a matrix of rank 1: the others belong to values that are equal up to rounding errors.
    x = np.outer(a(4) + 1, a(5) + 1)
    u, s, vh = np.linalg.svd(x)
    loss = lambda m: (lambda u, s, vh: np.sum(u[:, 0] ** 2 * np.arange(4.0)))(*np.linalg.svd(m, full_matrices=False))  # noqa: E731
    left = np.arange(4.0) * u[:, 0]
    wanted = 2 * np.outer(left - u[:, 0] * (left @ u[:, 0]), vh[0]) / s[0]
    np.testing.assert_allclose(grad(loss)(x), wanted, atol=1e-13)


def test_qr_of_dependent_columns_has_no_gradient():
    for x in (np.ones((3, 2)), np.zeros((2, 2)), np.outer(a(4), a(3))):
        assert np.all(np.isnan(grad(lambda m: np.sum(np.linalg.qr(m).Q))(x)))
    tiny = np.array([[1.0, 1e-30], [2.0, 3e-30]])  # these do not depend on each other
    np.testing.assert_allclose(grad(lambda m: abs(np.linalg.qr(m).R[1, 1]))(tiny)[:, 1], [-2, 1] / np.sqrt(5.0))


def test_a_singular_value_of_zero_is_a_kink():
    np.testing.assert_array_equal(grad(lambda x: np.linalg.norm(x, "nuc"))(np.zeros((2, 3))), 0.0)
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, "nuc"))(np.diag([2.0, 0.0])), np.diag([1.0, 0.0]))


# ---------------------------------------------------------------- norms


def test_norm_of_zero_has_the_gradient_zero_and_no_second_one():
    for order in (None, 2, 3, 1.5):
        norm = lambda x, p=order: np.linalg.norm(x, p)  # noqa: E731
        np.testing.assert_array_equal(grad(norm)(np.zeros(3)), 0.0)
        assert np.all(np.isnan(hessian(norm)(np.zeros(3))))
    rows = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(grad(lambda x: np.sum(np.linalg.norm(x, axis=1)))(rows), [[0.6, 0.8], [0, 0]])


def test_norm_of_small_orders_with_a_zero():
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, 0.5))(np.array([1.0, 0.0, -4.0])), [3.0, 0.0, -1.5])
    with np.errstate(divide="ignore"):
        assert grad(lambda x: np.linalg.norm(x, -1))(np.array([1.0, 0.0, -4.0])).tolist() == [0.0, 0.0, 0.0]


def test_spectral_norm_shares_between_equal_singular_values():
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, 2))(np.eye(3)), np.eye(3) / 3)
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, 1))(np.ones((2, 2))), np.full((2, 2), 0.5))


def test_norm_of_nothing():
    for order, axis in ((None, None), (2, (0, 1)), ("nuc", (0, 1)), (1, (0, 1)), (math.inf, -1), (1, 0)):
        if np.lib.NumpyVersion(np.__version__) >= "2.3.0":  # before, some of these raised
            assert grad(lambda x, o=order, k=axis: np.sum(np.linalg.norm(x, o, k)))(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("p", [None, 1, 2, -2, "fro", math.inf])
def test_cond_of_a_singular_matrix_is_infinite_and_so_is_its_gradient(p):
    for x in (np.ones((2, 2)), np.zeros((2, 2)), np.stack([np.ones((2, 2)), 2 * np.eye(2)])):
        v = Value(x)
        y = np.linalg.cond(v, p)
        np.testing.assert_array_equal(y.data, np.linalg.cond(x, p))
        y.backward(np.ones(y.shape))
        singular = np.reshape(v.grad, (-1, 2, 2))[0]
        assert not np.any(np.isfinite(singular)) or np.isfinite(np.ravel(y.data)[0])  # rounded off to 1e-17
        assert x.ndim == 2 or np.all(np.isfinite(v.grad[1]))


def test_cond_of_not_a_number_is_none():
    stack = np.stack([np.full((2, 2), math.nan), np.ones((2, 2)), 2 * np.eye(2)])
    np.testing.assert_array_equal(np.linalg.cond(Value(stack), 1).data, [math.nan, math.inf, 1.0])


@pytest.mark.parametrize("order", [None, 1, 2, "nuc", -math.inf])
def test_norm_of_integers(order):
    x = np.array([[1, 2], [3, 4]])
    assert np.linalg.norm(Value(x), order).data == pytest.approx(np.linalg.norm(x, order), rel=1e-15)
    assert np.linalg.norm(Value(x), order).dtype == np.float64


# ---------------------------------------------------------------- badly conditioned matrices


@pytest.mark.parametrize("condition", [1e2, 1e5, 1e8])
def test_solutions_of_badly_conditioned_matrices(condition):
    """Against the same formulas in long double, by hand: the error grows with the condition, and no faster."""
    (u, _), (v, _) = np.linalg.qr(rng.normal(size=(6, 6))), np.linalg.qr(rng.normal(size=(6, 6)))
    s = np.geomspace(1.0, 1 / condition, 6)
    x, b, g = (u * s) @ v.T, rng.normal(size=6), rng.normal(size=6)
    inverted = (v / s) @ u.T
    share_x, share_b = raw_gradients(np.linalg.solve, [x, b], g)
    tolerance = 1e-14 * condition
    wanted = inverted.T @ g
    np.testing.assert_allclose(share_b, wanted, atol=tolerance * np.max(np.abs(wanted)))
    wanted = -np.outer(wanted, inverted @ b)
    np.testing.assert_allclose(share_x, wanted, atol=2 * tolerance * np.max(np.abs(wanted)))
    (share,) = raw_gradients(lambda m: np.linalg.slogdet(m)[1], [x], np.float64(1.0))
    np.testing.assert_allclose(share, inverted.T, atol=tolerance * np.max(np.abs(inverted)))
    (share,) = raw_gradients(lambda m: np.sum(np.log(np.linalg.svdvals(m))), [x], np.float64(1.0))
    np.testing.assert_allclose(share, inverted.T, atol=tolerance * np.max(np.abs(inverted)))


def test_pinv_of_a_matrix_without_full_rank_follows_changes_that_keep_its_rank():
    left, right = a(4, 2) + np.eye(4, 2), a(2, 3) + np.eye(2, 3)
    check(lambda x, y: np.linalg.pinv(x @ y), left, right)
    check(lambda x, y: np.linalg.lstsq(x @ y, np.arange(4.0), rcond=1e-10)[0], left, right)


def test_lstsq_is_the_solution_where_there_is_one():
    x, b = a(3, 3) + 2 * np.eye(3), a(3)
    both = [raw_gradients(f, [x, b], np.ones(3)) for f in (np.linalg.solve, lambda x, b: np.linalg.lstsq(x, b)[0])]
    for share, other in zip(*both, strict=True):
        np.testing.assert_allclose(share, other, atol=1e-13)


def test_the_operations_are_named_as_numpy_names_them():
    for name in ("linalg.det", "linalg.svd.U", "linalg.lstsq.solution", "linalg.eigh.eigenvalues", "linalg.norm"):
        assert name in operations


@pytest.mark.parametrize("number", [complex_a, a], ids=["complex", "real"])
def test_the_vectors_of_a_singular_value_of_zero(number):
    one, two = number(4, 2) + np.eye(4, 2), number(2, 2) + diagonal(2, 2)

    def last(m):
        return np.sum(np.abs(np.linalg.svd(m, full_matrices=False).U[:, -1]) ** 2 * np.arange(len(m)))

    # Of a square matrix it is known up to its phase, ...
    null = np.block([[two, two @ [[1.0], [2.0]]], [[[1.0, 2.0]] @ two, [[1.0, 2.0]] @ two @ [[1.0], [2.0]]]])
    check_first(last, [null])
    # ... of one with more rows it is any of a plane.
    dependent = np.concatenate([one, one @ [[1.0], [2.0]]], 1)
    assert np.all(np.isnan(raw_gradients(last, [dependent], np.float64(1.0))[0]))
    check_first(lambda m: np.sum(np.abs(np.linalg.svd(m).U[:, 0]) ** 2 * np.arange(4)), [dependent])


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 3)])
def test_what_a_decomposition_is_put_together_to(shape):
    # Neither U nor Vh has phases of its own choice here, but both turn alike.
    z = np.random.default_rng(8).normal(size=(*shape, 2)) @ [1, 1j]

    def squared(a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return (u * s**2) @ vh

    check(squared, z)
    check(squared, np.real(z))


def projection(q):
    return q @ np.swapaxes(q, -1, -2)


STACKED = {
    "cholesky": lambda a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2) + np.eye(a.shape[-2])),
    "qr": lambda a: np.linalg.qr(a)[1],
    "q": lambda a: np.linalg.qr(a)[0],
    "complete q": lambda a: projection(np.linalg.qr(a, "complete")[0][..., 2:]),
    "complete u": lambda a: projection(np.linalg.svd(a)[0][..., 2:]),
    "det": lambda a: np.linalg.det(a[..., :2, :2]),
    "inv": lambda a: np.linalg.inv(a[..., :2, :2]),
    "pinv": np.linalg.pinv,
    "svd": lambda a: np.linalg.svd(a, full_matrices=False)[1],
    "u": lambda a: np.linalg.svd(a, full_matrices=False)[0] ** 2,
    "eigh": lambda a: np.linalg.eigh(a @ np.swapaxes(a, -1, -2))[0],
    "nuclear norm": lambda a: np.linalg.norm(a, "nuc", (-2, -1)),
}


@pytest.mark.parametrize("function", STACKED.values(), ids=STACKED)
@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (3, 3)])
@pytest.mark.parametrize("stack", [(2, 5), (10, 1)])
def test_stacks_of_stacks_are_stacks(function, shape, stack):
    matrices = np.random.default_rng(9).normal(size=(*stack, *shape))
    flat = matrices.reshape(10, *shape)
    seed = weights(function(matrices))
    (whole,) = raw_gradients(function, [matrices], seed)
    (rows,) = raw_gradients(function, [flat], seed.reshape(10, *seed.shape[2:]))
    assert_close(whole, rows.reshape(matrices.shape), 1e-11)
