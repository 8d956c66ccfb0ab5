"""Every operation of the table, on its own domain and cases: the numbers, the first and the second derivative.

A new entry is tested by being there; nothing has to be added here.
"""

import zlib

import numpy as np
import pytest

from autograd import Value
from autograd.backward import reverse
from autograd.op import call, operations

from ..numerical import assert_close, gradient

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


class Case:
    """One call of one operation: the raw arguments, and which of them have a gradient."""

    def __init__(self, op, args, keywords):
        self.op, self.args, self.keywords = op, args, keywords
        inputs = args if op.variadic else args[: op.count]
        self.places = [
            i
            for i, x in enumerate(inputs)
            if isinstance(x, np.ndarray | np.floating) and x.dtype.kind == "f" and (op.variadic or op.rules[i])
        ]
        self.arrays = [args[i] for i in self.places]
        shapes = " ".join(brief(np.shape(x)) if i in self.places else brief(x) for i, x in enumerate(args))
        self.id = " ".join([op.name, shapes, *(f"{name}={brief(x)}" for name, x in keywords.items())])
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        with np.errstate(all="ignore"):
            self.y = self.forward(*self.arrays)
        self.seed = rng.uniform(0.5, 1.5, np.shape(self.y))[()]
        self.projections = [rng.uniform(0.5, 1.5, np.shape(x)) for x in self.arrays]

    def arguments(self, arrays):
        args = list(self.args)
        for place, array in zip(self.places, arrays, strict=True):
            args[place] = array
        return args

    def forward(self, *arrays):
        """The plain function, of the differentiable arrays."""
        return self.op.function(*self.arguments(arrays), **self.keywords)

    def record(self, *values):
        """The same on Values."""
        return self.op(*self.arguments(values), **self.keywords)

    def loss(self, *arrays):
        return np.sum(self.seed * self.forward(*arrays))

    def gradients(self, *arrays_and_seed):
        """The gradients by the rules on raw arrays."""
        *arrays, seed = arrays_and_seed
        leaves = [Value(x) for x in arrays]
        got = reverse([self.record(*leaves)], [seed], wrt=leaves)
        return [got[leaf] for leaf in leaves]

    def projected(self, *arrays_and_seed):
        """A number that depends on every entry of every gradient."""
        pairs = zip(self.projections, self.gradients(*arrays_and_seed), strict=True)
        return sum(np.sum(projection * share) for projection, share in pairs)


OPERATIONS = [op for op in operations.values() if in_the_table(op)]
CASES = [Case(op, args, keywords) for op in OPERATIONS for args, keywords in calls(op)]
each_case = pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])


@each_case
def test_numbers_and_first_derivative(case):
    leaves = [Value(x) for x in case.arrays]
    y = case.record(*leaves)
    np.testing.assert_array_equal(y.data, case.y)
    assert y.data.dtype == case.y.dtype
    y.backward(case.seed)
    for i, leaf in enumerate(leaves):
        assert isinstance(leaf.grad, np.generic) == (leaf.shape == ())
        assert_close(leaf.grad, gradient(case.loss, case.arrays, i))


@each_case
def test_second_derivative(case):
    leaves, seed = [Value(x) for x in case.arrays], Value(case.seed)
    first = reverse([case.record(*leaves)], [seed], wrt=leaves, create_graph=True)
    for leaf, raw in zip(leaves, case.gradients(*case.arrays, case.seed), strict=True):
        recorded = first[leaf].data if isinstance(first[leaf], Value) else first[leaf]
        assert_close(recorded, raw, tolerance=1e-14)
    number = sum(np.sum(p * first[leaf]) for p, leaf in zip(case.projections, leaves, strict=True))
    second = reverse([number], [1.0], wrt=[*leaves, seed]) if isinstance(number, Value) else {}
    arrays = [*case.arrays, case.seed]
    for i, value in enumerate([*leaves, seed]):
        assert_close(second.get(value, np.zeros(value.shape)), gradient(case.projected, arrays, i))


@each_case
def test_float32_stays_float32(case):
    leaves = [Value(x.astype(np.float32)) for x in case.arrays]
    y = case.record(*leaves)
    wanted = case.forward(*(leaf.data for leaf in leaves))
    assert y.dtype == wanted.dtype
    y.backward(case.seed.astype(y.dtype))
    for leaf, raw in zip(leaves, case.gradients(*case.arrays, case.seed), strict=True):
        assert leaf.grad.dtype == np.float32
        assert_close(leaf.grad, raw, tolerance=2e-5)


def fortran(x):
    return np.asfortranarray(x)


def reversed_in_memory(x):
    return np.flip(np.flip(x).copy())


@each_case
@pytest.mark.parametrize("layout", [fortran, reversed_in_memory])
def test_order_in_memory_does_not_matter(case, layout):
    arrays = [layout(x) if np.ndim(x) else x for x in case.arrays]
    for array in arrays:  # a Value keeps a read-only array as it lies in memory, and copies any other
        while isinstance(array, np.ndarray):
            array.flags.writeable, array = False, array.base
    got = case.gradients(*arrays, layout(case.seed) if np.ndim(case.seed) else case.seed)
    for share, raw in zip(got, case.gradients(*case.arrays, case.seed), strict=True):
        assert_close(share, raw, tolerance=1e-14)


@each_case
def test_changes_nothing_and_shares_nothing(case):
    before = [np.copy(x) for x in [*case.arrays, case.seed]]
    leaves = [Value(x) for x in case.arrays]
    y = case.record(*leaves)
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
