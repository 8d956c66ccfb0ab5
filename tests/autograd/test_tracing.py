"""A trace: numbers to the bit those of backward, data that outlives the graph, and JSON that gives it back."""

import copy
import json
import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import autograd
from autograd import Value, checkpoint, defop, grad, no_grad, relu, softmax_cross_entropy, trace
from autograd.errors import AutogradError, GraphError, ShapeError, TraceError
from autograd.tracing import Trace

from .numerical import raw_gradients
from .rules.test_table import each_case


def neuron():
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.9, label="b")
    return x, w, b, np.tanh(x * w + b)


def mlp(dtype=np.float64):
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(5, 3)).astype(dtype), np.array([0, 1, 1, 0, 1])
    W1, b1 = Value(rng.normal(size=(3, 4)).astype(dtype), label="W1"), Value(np.zeros(4, dtype), label="b1")
    W2 = Value(rng.normal(size=(4, 2)).astype(dtype), label="W2")
    return softmax_cross_entropy(relu(X @ W1 + b1) @ W2, t).mean() + 0.01 * (W1 * W1).sum() + W1[0, 1] * b1[0]


def diamond():
    a = Value(1.5, label="a")
    b = a * a
    return b * a + np.sin(b) / a + b


def broadcast():
    column, row = Value([[1.0], [2.0]]), Value([0.5, -1.0, 3.0])
    return ((column * row) ** 2 / (1.0 + np.exp(row))).mean() + column[0, 0] * np.float64(2)


def second_order():
    x = Value(0.7, label="x")
    (np.sin(x) * x).backward(create_graph=True)
    return x.grad * x.grad


def checkpointed():
    w = Value(0.3, label="w")
    return checkpoint(lambda a, b: np.exp(a * w) * b)(Value(0.5), Value(2.0)) * w


def big_endian():
    v = Value(np.array([1.0, 2.0], dtype=">f8"))
    return (v * v + v).sum()


GRAPHS = [
    big_endian, diamond, broadcast, second_order, mlp, checkpointed, lambda: mlp(np.float32), lambda: neuron()[-1],
    lambda: Value(2.0, label="alone"), lambda: Value([1.0, np.inf, np.nan]).sum(),
]  # fmt: skip


@pytest.mark.parametrize("make", GRAPHS)
def test_numbers_are_those_of_backward_to_the_bit_and_looking_changes_nothing(make):
    root = make()
    nodes = autograd.tracing.ancestors(root)
    before = [node._grad for node in nodes]
    found = trace(root)
    assert all(node._grad is grad for node, grad in zip(nodes, before, strict=True))
    for node in nodes:
        node.zero_grad()
    root.backward()
    for node in nodes:
        had = found[node].gradient
        if not node.requires_grad:
            assert had is None
            continue
        assert type(had) is type(node.grad)
        assert had.dtype == node.grad.dtype
        assert_array_equal(had, node.grad)
        assert np.asarray(had).tobytes() == np.asarray(node.grad).tobytes()
    assert found.root.gradient == 1


@pytest.mark.parametrize("make", GRAPHS)
def test_steps_add_up(make):
    found = trace(make())
    seen = {}
    for number, step in enumerate(found.steps, 1):
        node, value = found.nodes[step.node], found.nodes[step.input]
        assert (step.number, node.inputs[step.position]) == (number, step.input)
        assert_array_equal(step.upstream, node.gradient)  # all of its uses have reported in
        assert np.shape(step.contribution) == np.shape(step.after) == value.shape
        before = seen.get(step.input)
        assert_array_equal(step.after, step.contribution if before is None else before + step.contribution)
        assert (step.before is None) == (before is None) == (step.arrived == 1)
        seen[step.input] = step.after
        if step.local is not None and np.isfinite(np.asarray(step.local)).all():
            product = np.asarray(step.upstream * step.local)
            share = product.sum(step.summed, keepdims=True).reshape(value.shape) if step.summed else product
            np.testing.assert_allclose(share, step.contribution, rtol=1e-5 if value.dtype == "float32" else 1e-12)
        if step.arrived == step.uses:
            assert_array_equal(step.after, value.gradient)
    counts = [sum(s.input == node.id for s in found.steps) for node in found.nodes]
    assert all(s.uses == counts[s.input] for s in found.steps)


@pytest.mark.parametrize("make", GRAPHS)
def test_json_gives_back_the_very_same(make):
    found = trace(make())
    text = found.to_json()
    assert json.loads(text, parse_constant=pytest.fail)["format"]
    for again in (Trace.from_json(text), pickle.loads(pickle.dumps(found))):
        for records in ("nodes", "steps"):
            for one, other in zip(getattr(found, records), getattr(again, records), strict=True):
                for name in one.__dataclass_fields__:
                    had, got = getattr(one, name), getattr(other, name)
                    assert type(had) is type(got), name
                    assert np.asarray(had).dtype == np.asarray(got).dtype
                    if isinstance(had, np.ndarray | np.generic):
                        assert (had.shape, had.tobytes()) == (got.shape, got.tobytes())
                        assert isinstance(got, np.generic) or not got.flags.writeable
                    else:
                        assert had == got
        assert again.to_json() == text
    assert copy.deepcopy(found) is copy.copy(found) is found


def test_what_is_no_trace_is_refused():
    for text in ("", "[]", "{}", "null", '{"format": "other"}', '{"format": "autograd trace 1", "nodes": [{}]}',
                 '{"format": "autograd trace 1", "nodes": [], "steps": []}',
                 trace(neuron()[-1]).to_json().replace('"inputs": [0', '"inputs": [5')):  # fmt: skip
        with pytest.raises(TraceError):
            Trace.from_json(text)


def test_a_trace_outlives_the_graph_and_cannot_be_changed():
    x = Value([1.0, 2.0], label="x")
    y = (x * x).sum()
    found = trace(y)
    x.data = [7.0, 8.0]
    del y
    assert_array_equal(found["x"].value, [1.0, 2.0])
    assert_array_equal(found[x].gradient, [2.0, 4.0])
    for array in (found["x"].value, found["x"].gradient, found.steps[-1].local, found.steps[-1].after):
        with pytest.raises(ValueError):
            array[0] = 1.0
    with pytest.raises(AttributeError):
        found.nodes[0].value = 1.0


def test_both_edges_of_a_square():
    x = Value(3.0, label="x")
    first, second = trace(x * x).steps
    assert (first.position, second.position) == (0, 1)
    assert (first.arrived, second.arrived, second.uses) == (1, 2, 2)
    assert (first.before, first.after, second.before, second.after) == (None, 3.0, 3.0, 6.0)


def test_local_derivatives_where_the_upstream_gradient_is_zero():
    x = Value(2.0, label="x")
    steps = trace(0.0 * (x * 5.0)).steps
    assert [(s.upstream, s.local, s.contribution) for s in steps] == [(1.0, 0.0, 0.0), (0.0, 5.0, 0.0)]


def test_local_derivative_of_a_single_number_is_its_gradient_and_of_arrays_the_rule_speaks():
    W, x = Value(np.arange(6.0).reshape(2, 3), label="W"), Value([1.0, 2.0, 3.0], label="x")
    total, product, _ = trace((W @ x).sum()).steps
    assert_array_equal(total.local, [1.0, 1.0])
    assert product.local is None


def test_broadcasting_is_told():
    X, b = Value(np.ones((4, 3)), label="X"), Value(np.zeros((1, 3)), label="b")
    found = trace((X * b + np.float64(1) * Value(2.0)).sum())
    steps = {step.input: step for step in found.steps}
    assert steps[found["b"].id].summed == (0,)
    assert steps[found["X"].id].summed == ()


def test_names():
    x, unlabelled, again = Value(1.0, label="x"), Value(2.0), Value(4.0, label="x")
    y = np.sin(x * unlabelled) * again + 2 + Value(3.0, requires_grad=False)
    found = trace(y)
    assert [node.name for node in found.nodes] == ["x #1", "unlabelled", "v1", "v2", "x #2", "v3", "2", "v4", "3", "y"]
    assert [found[name].label for name in ("y", "unlabelled", "v1")] == ["y", "unlabelled", None]
    with pytest.raises(TraceError, match="no node named 'z'; it has x #1, unlabelled, v1"):
        found["z"]
    assert found["x #2"] is found[again]
    with pytest.raises(TraceError, match="'x' is the label of several nodes, named x #1, x #2 here"):
        found["x"]
    with pytest.raises(TraceError, match="does not hold a leaf"):
        found[Value(1.0)]
    with pytest.raises(TraceError):
        found[10]
    with pytest.raises(TraceError):
        found[-1]


class Neuron:
    def __init__(self, count):
        self.w, self.b, self.itself = [Value(0.1 * i) for i in range(1, count + 1)], Value(0.0), self

    def __call__(self, xs):
        return np.tanh(sum((w * x for w, x in zip(self.w, xs, strict=True)), self.b))


def test_names_of_what_lies_in_objects():
    layers = [[Neuron(2), Neuron(2)], (Neuron(2),)]
    hidden = [neuron([1.0, 2.0]) for neuron in layers[0]]
    first = layers[1][0].w[0]
    found = trace(layers[1][0](hidden))
    leaves = [node.name for node in found.nodes if node.kind == "leaf"]
    assert set(leaves) == {
        "first", "layers[1][0].w[1]", "layers[1][0].b",
        *(f"layers[0][{i}].{name}" for i in range(2) for name in ("w[0]", "w[1]", "b")),
    }  # fmt: skip
    assert found[first].name == "first"
    assert found[hidden[1]].name == "hidden[1]"


def test_labels_are_data():
    for label in ("", "a\nb", "\u202e" + "x" * 1_000_000, "v1"):
        found = trace(np.sin(Value(1.0, label=label) * 2.0))
        names = [node.name for node in found.nodes]
        assert len({*names}) == 4
        assert all(len(name) <= 50 and name.isprintable() and name for name in names)


def test_a_function_notes_where_and_its_inputs_have_its_names():
    def loss(x, w, scale):
        s = x * w
        return np.tanh(s) * scale

    x = Value(1.0)
    found = trace(loss, 2.0, x, np.float32(1.5))
    assert [node.name for node in found.nodes] == ["x", "w", "s", "v1", "scale", "y"]
    assert found["scale"].dtype == "float32"
    lines = [node.source for node in found.nodes]
    assert lines[2].endswith(": s = x * w")
    assert lines[3] == lines[5]
    assert lines[3].endswith(": return np.tanh(s) * scale")
    assert lines[0] is lines[1] is None
    assert x.grad is None
    before, mine = sys.getprofile(), lambda *event: None
    sys.setprofile(mine)  # there is one profiler at a time, and this is somebody else's
    try:
        assert trace(loss, 2.0, x, 1.0).nodes[2].name == "v1"
        assert sys.getprofile() is mine
    finally:
        sys.setprofile(before)
    assert [n.name for n in trace(lambda *a: a[0] * a[1], 1.0, 2.0).nodes][:2] == ["a[0]", "a[1]"]
    assert [n.name for n in trace(lambda x, /, *a: a[0] * x, 1.0, 2.0).nodes][:2] == ["a[0]", "x"]
    assert [n.name for n in trace(np.multiply, 1.0, 2.0).nodes][:2] == ["x1", "x2"]


def test_a_function_is_recorded_under_no_grad_and_a_nan_is_no_error():
    with no_grad(), np.errstate(all="ignore"):
        found = trace(lambda x: np.log(x - 1.0) * 0.0, 1.0)
    assert np.isnan(found.root.value)
    assert "np.log" in found.root.source


def test_what_cannot_be_traced():
    x = Value(2.0, label="x")
    with pytest.raises(GraphError, match=r"trace\(\) of 'x'"):
        trace(x.detach())
    with pytest.raises(ShapeError):
        trace(Value([1.0, 2.0]) * x)
    with pytest.raises(TraceError, match="takes a Value or a function"):
        trace(3.0)
    with pytest.raises(TraceError, match="takes no inputs"):
        trace(x, x)
    with pytest.raises(TraceError, match="returned 3"):
        trace(lambda x: 3, 1.0)
    y = x * x
    x.data = 3.0
    with pytest.raises(GraphError, match="was replaced"):
        trace(y)
    y = x * x
    y.backward(retain_graph=False)
    with pytest.raises(AutogradError):
        trace(y)


def test_an_error_in_a_rule_says_whose_it_is():
    def broken(g, y, x):
        raise RuntimeError("no")

    op = defop(lambda x: x * 1, broken, formula="?", name="test_tracing_broken")
    with pytest.raises(RuntimeError, match="no") as caught:
        trace(op(Value(1.0)))
    assert caught.value.__notes__ == ["in the backward pass of a result of test_tracing_broken of shape ()"]


def test_an_upstream_gradient():
    x = Value([1.0, 2.0], label="x")
    assert_array_equal(trace(x * x, gradient=[1.0, 10.0])["x"].gradient, [2.0, 40.0])


def test_expectations():
    x, _, _, y = neuron()
    found = trace(y, expect={"w": 0.974, x: -1.46, "b": 0.5})
    assert [found[name].right for name in ("w", "x", "b", "y")] == [True, True, False, None]
    assert found["b"].expected == 0.5
    for wanted in (0.97, 0.9738347, np.float64(0.9738347222966828), 0.97383):
        assert trace(y, expect={"w": wanted})["w"].right, wanted
    for wanted in (1, 0.98, -0.97, 0.0, np.nan, 0.97384):
        assert not trace(y, expect={"w": wanted})["w"].right, wanted
    z = Value([1.0, 2.0], label="z")
    product = (z * z).sum()
    assert trace(product, expect={"z": [2.0, 4.0]})["z"].right
    assert not trace(product, expect={"z": np.array([2.0, 5.0])})["z"].right
    assert not trace(product, expect={"z": 2})["z"].right
    assert trace((0.0 * z).sum(), expect={"z": 0})["z"].right
    for wrong in ({"q": 1.0}, {"w": [1.0, 2.0]}, {"w": "much"}):
        with pytest.raises(TraceError):
            trace(y, expect=wrong)
    with pytest.raises(TraceError, match="constant"):
        trace(2.0 * x, expect={"2": 1.0})


def test_long_graphs():
    x = Value(1.0, label="x")
    y = x
    for _ in range(5_000):
        y = y * 0.999 + x
    found = trace(y)
    y.backward()
    assert found["x"].gradient == x.grad
    assert found.steps[-1].uses == 5_001


@each_case
def test_every_operation(case):
    """To the bit that of the engine, step by step; and a local derivative times its upstream gradient is the share."""
    leaves = case.leaves()
    found = trace(case.of(*leaves), gradient=case.seed)
    for leaf, raw in zip(leaves, raw_gradients(case.of, case.arrays, case.seed), strict=True):
        assert_array_equal(found[leaf].gradient, raw)
    for step in found.steps:
        if step.local is not None:  # of complex numbers there is none
            product = np.asarray(step.upstream * step.local)
            share = product.sum(step.summed, keepdims=True) if step.summed else product
            share = np.broadcast_to(share.reshape(np.shape(step.contribution)), np.shape(step.contribution))
            np.testing.assert_allclose(share, step.contribution, rtol=1e-9, atol=1e-12)


def test_what_a_where_has_cut_is_cut_here_too():
    x = Value([0.0, 4.0], label="x")
    with np.errstate(divide="ignore"):
        found = trace(np.where(x > 0, np.log(x), 0.0).sum())
    assert_array_equal(found["x"].gradient, [0.0, 0.25])
    assert not np.any(np.isnan(found.steps[-1].contribution))


def test_complex_gradients_are_those_of_backward():
    z = Value(np.array([1 + 2j, -1j]), label="z")
    y = (np.exp(z) * z).real.sum()
    found = trace(y)
    y.backward()
    assert_array_equal(found["z"].gradient, z.grad)
    assert found.steps[-1].after.dtype == complex
    assert_array_equal(found.steps[-1].after, z.grad)


def test_transforms_can_be_traced_inside():
    found = trace(lambda x: grad(np.sin)(x) * x, 0.5)
    assert found["x"].gradient == pytest.approx(np.cos(0.5) - 0.5 * np.sin(0.5))
