"""Questions about a graph: counts against brute force, and for each way to lose a gradient the right answer."""

import numpy as np
import pytest

from autograd import (
    Value,
    anomaly,
    checkpoint,
    fan_out,
    no_grad,
    paths,
    reaches,
    relu,
    sigmoid,
    trace,
    why_no_grad,
)
from autograd.errors import GraphError, TraceError

from .test_formulas import random_graph


def x_and_w():
    return Value(2.5, label="x"), Value([1.0, -2.0, 3.0], label="w")


K = np.array([3.0, 1.0, 2.0])


@pytest.mark.parametrize("seed", range(30))
def test_counts(seed):
    rng = np.random.default_rng(seed)
    leaves = [Value(number, label=label) for label, number in zip("abc", rng.uniform(0.5, 2.0, 3), strict=True)]
    with np.errstate(all="ignore"):
        root = random_graph(rng, leaves, 10)

    def ways(node, target):
        return (node is target) + sum(ways(value, target) for value in node.inputs)

    for leaf in leaves:
        many = ways(root, leaf)
        assert paths(leaf, root) == many
        assert reaches(leaf, root) is (many > 0)
        if root.requires_grad:
            steps = [step for step in trace(root).steps if many and step.input == trace(root)[leaf].id]
            assert fan_out(leaf, root) == len(steps)


def test_counts_beyond_all_bounds():
    x = Value(1.0)
    y = x
    for _ in range(5_000):
        y = (y + y) * 0.5
    assert paths(x, y) == 2**5_000
    assert fan_out(x, y) == 2


def test_constants_and_detours():
    x, w = x_and_w()
    assert paths(x, x) == 1
    assert fan_out(x, x) == 0
    assert not reaches(x, x.detach() * w)
    constant = Value(3.0, requires_grad=False)
    assert (reaches(constant, constant * x), fan_out(constant, constant * x)) == (False, 0)
    assert reaches(w, checkpoint(lambda a: a.sum())(w))
    for ask in (reaches, fan_out, paths, why_no_grad):
        with pytest.raises(TraceError, match=r"loss is 3\.0, which is no Value"):
            ask(x, 3.0)
    released = x * w
    released.backward(np.ones(3), retain_graph=False)
    for ask in (reaches, fan_out, paths, why_no_grad):
        with pytest.raises(GraphError, match="released"):
            ask(x, released)


def under_no_grad(x, w):
    with no_grad():
        h = w * 2 + 1
    return (h * K).sum()


@pytest.mark.parametrize(
    "which, make, wanted",
    [
        ("x", lambda x, w: x.detach() * w[0], ["cut here", "the constant x = 2.5 is 'x' without its graph: detach()"]),
        ("w", lambda x, w: (w.detach() * x).sum(), ["cut here", "(3,) is 'w' without its graph"]),
        ("w", lambda x, w: (w.data.copy() * x).sum(), ["holds the same numbers: a copy of the data of 'w'"]),
        ("w", lambda x, w: (Value(w.data) * K).sum(), ["the leaf x1", "a Value of the data of 'w'"]),
        ("w", under_no_grad, ["the loss = 20: computed under no_grad()", "why_no_grad(x, f, *inputs) runs"]),
        ("w", lambda x, w: (w.astype(int) * x).sum(), ["holds the same numbers as int64: a cast to integers"]),
        ("w", lambda x, w: (np.round(w * 3).astype(int) * x).sum(), [", int64: a cast to integers, a comparison or"]),
        ("w", lambda x, w: x * x, ["holds nothing that could hide it"]),
        ("x", lambda x, w: np.round(x) * w[0], ["is 0. It is cut here:", "round(x): round is constant but"]),
        ("w", lambda x, w: relu(w[1]) * x, ["v2 = relu(v1): v1 = -2 is not above 0", "a dead ReLU"]),
        ("w", lambda x, w: relu(w).sum(), ["0 in 1 of 3 entries, the first at index 1", "relu(w): 1 of 3 entries"]),
        ("w", lambda x, w: w[0] * x, ["0 in 2 of 3 entries", "the index [0] leaves out 2 of 3 entries of w"]),
        ("w", lambda x, w: np.where(K > 1, x, w).sum(), ["chooses the other one for 2 of 3 entries of w"]),
        ("w", lambda x, w: np.where(K > 0, x, w).sum(), ["cut here", "chooses the other one everywhere"]),
        ("w", lambda x, w: np.maximum(w, 10.0).sum(), ["w is not the larger one"]),
        ("x", lambda x, w: np.minimum(x, -1.0), ["x = 2.5 is not the smaller"]),
        ("x", lambda x, w: np.clip(x, 0, 1), ["x = 2.5 is outside the bounds"]),
        ("x", lambda x, w: 0.0 * x + w[0], ["0 * x: x is multiplied by 0"]),
        ("x", lambda x, w: x * (w[0] - 1.0), ["multiplied by v2, which is 0"]),
        ("x", lambda x, w: np.abs(x - 2.5), ["v1 = 0 is 0, the kink"]),
        ("x", lambda x, w: np.tanh(x * 100), ["tanh is saturated: at v1 = 250"]),
        ("x", lambda x, w: sigmoid(-10 * x), ["nearly vanished: -1.389e-10", "smallest factor on the way"]),
        ("x", lambda x, w: x - x, ["contributions cancel", "x receives 1 and -1"]),
        ("x", lambda x, w: (np.array([1.0, -1.0]) * x).sum(), ["x was broadcast, and what it receives"]),
        ("w", lambda x, w: w.at[:].set(x).sum(), ["overwritten or left out by the index [:]"]),
        ("x", lambda x, w: (x - 2.5) ** 2, ["the local derivative b aᵇ⁻¹ is 0 at v1 = 0"]),
        ("x", lambda x, w: np.sqrt(x * 0.0) * 0.0, ["not finite", "v1 gets its share of v2 = sqrt(v1)"]),
        ("x", lambda x, w: x * x, ["Nothing is cut: the gradient of 'x' is 5. 'x'.grad is None only because"]),
        ("x", lambda x, w: x, ["the loss itself"]),
    ],
)  # fmt: skip
def test_why(which, make, wanted):
    x, w = x_and_w()
    loss = make(x, w)
    text = why_no_grad(x if which == "x" else w, loss)
    for part in wanted:
        assert part in text, text
    assert x._grad is w._grad is None
    assert repr(text) == text


def test_only_the_cut_is_named_and_not_what_follows_from_it():
    x, _ = x_and_w()
    assert why_no_grad(x, relu(np.sin(x * 2.0) - 5.0) * 3.0).splitlines()[1:] == [
        "  v4 = relu(v3): v3 = -5.959 is not above 0, where relu has slope 0 (a dead ReLU)"
    ]


def test_constants_say_why_they_are():
    x, _ = x_and_w()
    assert "it holds int64: a gradient needs floating numbers" in why_no_grad(Value(np.arange(3)), x * x)
    constant = x.detach()
    assert "'x' is a constant: a result of detach()" in why_no_grad(constant, constant * x)
    assert "Nor is it part" not in why_no_grad(constant, constant * x)
    assert "Nor is it part" in why_no_grad(constant, x * x)


def test_lines_are_named_where_they_were_noted():
    x, w = x_and_w()
    with anomaly():
        loss = under_no_grad(x, w)
    text = why_no_grad(w, loss * x)
    assert "was computed (under no_grad(), or from constants only) at" in text
    assert "test_questions.py" in text
    assert text.endswith("h = w * 2 + 1") or "return (h * K).sum()" in text
    with anomaly():
        loss = (np.round(w * 3).astype(int) * x).sum()
    assert "(it is int64, and only floating results have a gradient)" in why_no_grad(w, loss)
    with anomaly():
        loss = relu(x - 3.0)
    assert why_no_grad(x, loss).endswith("loss = relu(x - 3.0))")


def test_of_a_function_the_line_is_certain():
    x, w = x_and_w()
    text = why_no_grad(w, under_no_grad, x, w)
    assert text.startswith("The way from 'w' to the loss is cut here:\n  multiply was computed under no_grad() at ")
    assert text.endswith(": h = w * 2 + 1")
    assert text.count("\n") == 1

    def rounded(w):
        h = w * 3.0
        k = np.round(h).astype(int)
        unused = w.astype(int)
        assert unused.size
        return (k * x).sum()

    text = why_no_grad(w, rounded, w)
    assert "astype was computed as int64, and only floats have a gradient, at" in text
    assert text.endswith("k = np.round(h).astype(int)")
    assert text.count("\n") == 1

    def detached():
        h = np.exp(w)
        d = h.detach()
        other = d * 2.0
        return (other * x).sum()

    text = why_no_grad(w, detached)
    assert "what was detached, by detach() or .data, is used at" in text
    assert text.endswith("other = d * 2.0")
    assert "Nothing is cut" in why_no_grad(w, lambda: (w * x).sum())
    assert "a dead ReLU" in why_no_grad(w, lambda w: relu(w[1] * x), w)
    assert "holds nothing" in why_no_grad(w, lambda: x * x)
    with no_grad():
        assert "Nothing is cut" in why_no_grad(w, lambda: (w * x).sum())
    text = why_no_grad(x, lambda: x * x.detach())
    assert text.startswith("Nothing is cut")
    assert "Another way is cut here:\n  what was detached" in text
    with pytest.raises(TraceError, match="takes no inputs"):
        why_no_grad(w, x * w[0], x)
    with pytest.raises(TraceError, match="no Value"):
        why_no_grad(w, lambda: 3.0)


def test_a_gradient_that_is_there():
    x, _ = x_and_w()
    loss = x * x
    loss.backward()
    assert why_no_grad(x, loss) == "Nothing is cut: the gradient of 'x' is 5."
    empty = Value(np.zeros((0, 2)))
    assert "no elements" in why_no_grad(empty, empty.sum())


def test_variables_name_what_has_no_label():
    weight = Value([1.0, 2.0])
    hidden = relu(-weight)
    loss = hidden.sum()
    assert "'weight' is 0" in why_no_grad(weight, loss)
    assert "hidden = relu(v1)" in why_no_grad(weight, loss)
