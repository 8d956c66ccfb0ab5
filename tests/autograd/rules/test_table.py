"""Every operation of the table, on its own domain and cases: the numbers, the first and the second derivative.

Where NumPy's function takes complex numbers, so does the operation: the same for all inputs complex, and for one.

A new entry is tested by being there; nothing has to be added here.
"""

import zlib

import numpy as np
import pytest

from autograd import Value
from autograd.op import call, operations

from ..numerical import assert_close, check_first, check_forward, check_second, raw_gradients, weights

SHAPES = {
    1: [((),), ((2, 3),), ((0, 2),)],
    2: [((), ()), ((2, 3), (2, 3)), ((3, 1), (1, 4)), ((2, 1, 3), (1,)), ((), (2, 2)), ((1,), (0,)), ((0, 3), (1,))],
}


def draw(domain, rng):
    """The function `a` of a case: ``a(3, 4)`` is an array of that shape, all its entries well apart."""

    def a(*shape):
        n = int(np.prod(shape, dtype=int))
        places = (rng.permutation(n) + rng.uniform(0.3, 0.7, n)) / max(n, 1)
        return (domain[0] + (domain[1] - domain[0]) * places).reshape(shape)[()]

    return a


def calls(op):
    """What `op` is called with: its own cases, or arrays of shapes that broadcast."""
    rng = np.random.default_rng(zlib.crc32(op.name.encode()))
    domains = op.domain if isinstance(op.domain[0], tuple) else (op.domain,) * max(op.count, 1)
    if op.cases:
        return op.cases(draw(domains[0], rng))
    draws = [draw(domain, rng) for domain in domains]
    return [call(*(a(*shape) for a, shape in zip(draws, shapes, strict=True))) for shapes in SHAPES[op.count]]


def brief(x):
    return str(x.tolist() if isinstance(x, np.ndarray | np.generic) else x).replace(" ", "")


def in_the_table(op):
    """Whether the operation is ours, not one of a test or an example."""
    rules = [op.rules] if op.variadic else op.rules
    return any(rule.__module__.startswith("autograd.rules.") for rule in rules if rule)


def hermitian(x):
    return 0.5 * (x + np.conj(np.swapaxes(x, -1, -2)))


def of_one_triangle(op):
    return lambda x, *args, **keywords: op(hermitian(x), *args, **keywords)


def phaseless(v):
    """What does not depend on the phases of the vectors, the columns of `v`."""
    return v * np.conj(np.sum(v, axis=-2, keepdims=True))


def basis(op, seen):
    """What is `seen` of the first columns; of the others, which are any that complete the basis, the projection."""

    def of(x, *args):
        v, count = op(x, *args), min(np.shape(x)[-2:])
        projection = np.einsum("...ij,...kj->...ik", v[..., count:], np.conj(v[..., count:]))
        return np.concatenate([seen(v[..., :count]), projection], -1)

    return of


# What has a derivative, of operations that read one triangle of a matrix or give vectors of which there is a choice.
SEEN = {
    "linalg.pinv": lambda op: lambda x, *args, **k: op(hermitian(x) if "hermitian" in k else x, *args, **k),
    "linalg.cholesky": of_one_triangle,
    "linalg.eigvalsh": of_one_triangle,
    "linalg.eigh.eigenvalues": of_one_triangle,
    "linalg.eigh.eigenvectors": lambda op: of_one_triangle(lambda *x, **keywords: phaseless(op(*x, **keywords))),
    "linalg.eig.eigenvectors": lambda op: lambda x: phaseless(op(x)),
    "linalg.qr.Q": lambda op: basis(op, np.positive),
    "linalg.svd.U": lambda op: basis(op, phaseless),
    "linalg.svd.Vh": lambda op: basis(lambda *x: np.swapaxes(op(*x), -1, -2), phaseless),
}


class Case:
    """One call of one operation: the raw arguments, and which of them have a gradient.

    `turned` of these, by number, are made complex.
    """

    def __init__(self, op, args, keywords, turned=()):
        self.op, self.args, self.keywords = op, args, keywords
        inputs = args if op.variadic else args[: op.count]
        self.places = [
            i
            for i, x in enumerate(inputs)
            if isinstance(x, np.ndarray | np.floating) and x.dtype.kind == "f" and (op.variadic or op.rules[i])
        ]
        self.arrays = [args[i] for i in self.places]
        for i in turned:
            self.arrays[i] = self.arrays[i] + 1j * np.random.default_rng(i).uniform(-0.3, 0.3, np.shape(self.arrays[i]))
        shapes = " ".join(brief(np.shape(x)) if i in self.places else brief(x) for i, x in enumerate(args))
        keys = [f"{name}={brief(x)}" for name, x in keywords.items()]
        self.id = " ".join([op.name, shapes, *keys, *("complex" for _ in turned)])
        self.y = self.of(*self.arrays)
        self.seed = weights(self.y)

    def of(self, *xs):
        """The operation, of its differentiable arguments: arrays or Values."""
        args = list(self.args)
        for place, x in zip(self.places, xs, strict=True):
            args[place] = x
        return SEEN.get(self.op.name, lambda op: op)(self.op)(*args, **self.keywords)

    def leaves(self, dtype=np.float64):
        return [Value(x if dtype is None else x.astype(dtype)) for x in self.arrays]


def complex_variants(case):
    """The same call with all inputs complex, and with only the first, if the function takes such."""
    count = len(case.arrays)
    for turned in [tuple(range(count))] + [(0,)] * (count > 1):
        try:
            yield Case(case.op, case.args, case.keywords, turned)
        except (TypeError, ValueError, np.exceptions.ComplexWarning):
            return


OPERATIONS = [op for op in operations.values() if in_the_table(op)]
CASES = [Case(op, args, keywords) for op in OPERATIONS for args, keywords in calls(op)]
COMPLEX_CASES = [variant for case in CASES if case.arrays for variant in complex_variants(case)]


def each(cases):
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases])


each_case, each_complex_case = each(CASES), each(COMPLEX_CASES)


@each_case
def test_numbers(case):
    y = case.of(*case.leaves())
    np.testing.assert_array_equal(y.data, case.y)
    assert y.data.dtype == case.y.dtype


@each_case
def test_first_derivative(case):
    check_first(case.of, case.arrays)


@each_case
def test_second_derivative(case):
    check_second(case.of, case.arrays)


@each_case
def test_forward_mode(case):
    check_forward(case.of, case.arrays)


@each_complex_case
def test_complex_numbers(case):
    y = case.of(*case.leaves(dtype=None))
    np.testing.assert_array_equal(y.data, case.y)
    assert y.data.dtype == case.y.dtype
    check_first(case.of, case.arrays)
    check_second(case.of, case.arrays)
    check_forward(case.of, case.arrays)


@each_complex_case
def test_complex_gradients_have_the_dtype_of_their_values(case):
    leaves = case.leaves(dtype=None)
    case.of(*leaves).backward(case.seed)
    for leaf, raw in zip(leaves, raw_gradients(case.of, case.arrays, case.seed), strict=True):
        assert leaf.grad.dtype == leaf.dtype
        np.testing.assert_array_equal(leaf.grad, raw)


@each_case
def test_float32_stays_float32(case):
    leaves = case.leaves(np.float32)
    y = case.of(*leaves)
    assert y.dtype == case.of(*[leaf.data for leaf in leaves]).dtype
    y.backward(case.seed.astype(y.dtype))
    for leaf, raw in zip(leaves, raw_gradients(case.of, case.arrays, case.seed), strict=True):
        assert leaf.grad.dtype == np.float32
        assert isinstance(leaf.grad, np.generic) == (leaf.shape == ())
        assert_close(leaf.grad, raw, tolerance=2e-5)


def fortran(x):
    return np.asfortranarray(x)


def reversed_in_memory(x):
    return np.flip(np.flip(x).copy())


@each_case
@pytest.mark.parametrize("layout", [fortran, reversed_in_memory])
def test_order_in_memory_does_not_matter(case, layout):
    arrays = [layout(x.copy()) if np.ndim(x) else x for x in case.arrays]
    for array in arrays:  # a Value keeps a read-only array as it lies in memory, and copies any other
        while isinstance(array, np.ndarray):
            array.flags.writeable, array = False, array.base
    got = raw_gradients(case.of, arrays, layout(case.seed) if np.ndim(case.seed) else case.seed)
    for share, raw in zip(got, raw_gradients(case.of, case.arrays, case.seed), strict=True):
        assert_close(share, raw, tolerance=1e-14)


@each_case
def test_changes_nothing_and_shares_nothing(case):
    before = [np.copy(x) for x in [*case.arrays, case.seed]]
    leaves = case.leaves()
    y = case.of(*leaves)
    y.backward(case.seed)
    once = [leaf.grad for leaf in leaves]
    for i, share in enumerate(once):
        others = [*case.arrays, case.seed, *(leaf.data for leaf in leaves), y.data, *once[:i]]
        assert not any(np.shares_memory(share, other) for other in others)
    for leaf in leaves:
        leaf.zero_grad()
    y.backward(case.seed)
    for leaf, share in zip(leaves, once, strict=True):
        np.testing.assert_array_equal(leaf.grad, share)
    for array, copy in zip([*case.arrays, case.seed], before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_has_words_for_each_rule(op):
    assert all(isinstance(words, str) and words for words in op.formula)
    assert len(op.formula) == (1 if op.variadic else op.count)
    assert len(op.parameters) >= op.count
