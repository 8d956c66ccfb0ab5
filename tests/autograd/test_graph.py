"""Walking a graph, however long or wide."""

import copy
import pickle

import numpy as np
import pytest

from autograd import Value
from autograd.errors import GraphError
from autograd.graph import ancestors, describe, topological


def test_inputs_come_before_results_each_once():
    x, y = Value(1.0), Value(2.0)
    a = x * y
    b = a + x
    root = b * a
    order = topological([root])
    assert [id(v) for v in order] == [id(a), id(b), id(root)]
    assert [id(v) for v in ancestors(root)] == [id(v) for v in (x, y, a, b, root)]


def test_several_roots_and_a_stop():
    x = Value(1.0)
    a = x * 2
    b = a * 3
    c = b * 4
    assert [id(v) for v in topological([c, a])] == [id(a), id(b), id(c)]
    assert [id(v) for v in topological([c], {b})] == [id(c)]
    assert topological([x]) == []


def test_a_released_graph_says_so():
    y = Value(1.0) * 2
    y.backward(retain_graph=False)
    with pytest.raises(GraphError, match="released by backward"):
        topological([y * 3])


def test_describe():
    x = Value([1.0], label="x")
    assert describe(x) == "'x' of shape (1,)"
    assert describe(x * 2) == "a result of multiply of shape (1,)"
    assert describe(Value(1.0)) == "a leaf of shape ()"
    assert describe(Value(1.0, requires_grad=False)) == "a constant of shape ()"


def chain(length):
    x, step = Value(1.0), Value(0.0)
    y = x
    for _ in range(length):
        y = y + step
    return x, y


def test_a_chain_of_a_million_nodes():
    x, y = chain(1_000_000)
    y.backward()
    assert x.grad == 1.0
    assert repr(y) == "Value(1.0, grad=1.0, op='add')"
    assert len(ancestors(y)) == 1_000_002
    twin = copy.deepcopy(y)
    del y
    twin.backward(retain_graph=False)
    assert x.grad == 1.0


def test_a_long_chain_is_pickled():
    _, y = chain(100_000)
    twin = pickle.loads(pickle.dumps(y))
    twin.backward()
    assert ancestors(twin)[-1] is twin
    assert sum(v.grad == 1.0 for v in ancestors(twin) if v.op is None) == 1


def test_a_sum_of_many_values():
    values = [Value(float(i)) for i in range(100_000)]
    sum(values).backward()
    assert all(v.grad == 1.0 for v in values)
    np.testing.assert_array_equal(np.stack(values[:3]).data, [0.0, 1.0, 2.0])
