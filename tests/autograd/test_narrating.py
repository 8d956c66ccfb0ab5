"""A trace in text: the tables, the tree, a gradient taken apart, the chain rule in LaTeX, two runs, stepping."""

import io
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
from autograd import Value, formula, narrating, relu, softmax_cross_entropy, trace
from autograd.errors import TraceError
from autograd.tracing import Trace

from .rules.test_table import each_case
from .test_formulas import balanced, random_graph


def neuron(**options):
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.9, label="b")
    return trace(np.tanh(x * w + b), **options)


def diamond(a=1.5):
    def f(a, k):
        _b = a * a
        return _b * a + np.sin(_b) / a + k

    return trace(f, a, 2.0)


def layer():
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(5, 3)), Value(rng.normal(size=(3, 2)), label="W"), Value(np.zeros(2), label="b")
    return trace(softmax_cross_entropy(relu(X @ W + b), np.array([0, 1, 1, 0, 1])).mean())


NEURON = """\
y: 6 nodes, 5 steps backward

forward              value   gradient
  x                  2       -1.461
  w                  -3      0.9738
  v1     = x * w     -6      0.4869
  b                  6.9     0.4869
  v2     = v1 + b    0.9     0.4869
  y      = tanh(v2)  0.7163  1

backward, from ∂y/∂y = 1: upstream × local derivative = contribution
step  to  through       upstream  local derivative        contribution  gradient so far
   1  v2  y = tanh(v2)  1         1 - tanh(v2)² = 0.4869  0.4869        0.4869
   2  v1  v2 = v1 + b   0.4869    1                       0.4869        0.4869
   3  b   v2 = v1 + b   0.4869    1                       0.4869        0.4869
   4  x   v1 = x * w    0.4869    w = -3                  -1.461        -1.461
   5  w   v1 = x * w    0.4869    x = 2                   0.9738        0.9738"""


def test_the_table():
    found = neuron()
    assert str(found) == NEURON
    assert repr(found.table()) == NEURON


def test_the_table_with_sums_arrays_and_expectations():
    lines = str(diamond()).splitlines()
    assert lines[-1].endswith(" 3.526 + 1.622 = 5.148  4 of 4")
    assert re.search(r"v1 += a \* a +2\.25 +1\.081 +test_narrating\.py:\d+$", str(diamond()), re.M)
    text = str(layer())
    assert "g @" not in text  # X is a constant
    assert re.search(r"W +v1 = X @ W +‖[\d.]+‖ +Xᵀ @ g +‖", text)
    assert re.search(r"b +v2 = v1 \+ b +‖[\d.]+‖ +1, summed over axis 0 ", text)
    assert text.endswith("g is the upstream gradient, ᵀ swaps the last two axes\n‖x‖ stands for an array of that norm")
    marked = str(neuron(expect={"w": 0.974, "x": 1}))
    assert marked.startswith("y: 6 nodes, 5 steps backward; of 2 expected gradients wrong: x\n")
    assert re.search(r"x +2 +-1\.461 +1 ✗\n +w +-3 +0\.9738 +0\.974 ✓\n", marked)
    assert "all right" in str(neuron(expect={"w": 0.974}))
    assert re.search(r"^forward +dtype +value", str(trace(Value(np.float32(2.0)) * 2)), re.M)


@pytest.mark.parametrize("make", [neuron, diamond, layer])
def test_all_text_fits_the_page(make):
    found = make()
    texts = [str(found), found.tree(), *(found.explain(node.id) for node in found.nodes)]
    texts += [str(found.table(width=60))]
    for text in texts:
        assert max(map(len, text.splitlines())) <= (60 if text is texts[-1] else narrating.WIDTH)


def test_a_net_fits_too():
    model = nn.MLP([3, 4, 4, 2], seed=0)
    found = trace(nn.cross_entropy(model(np.ones((5, 3))), np.array([0, 1, 1, 0, 1])))
    for text in (str(found), found.tree(), found.explain("layers.0.weight")):
        assert max(map(len, text.splitlines())) <= narrating.WIDTH
    scopes = {node.scope for node in found.nodes}
    assert scopes >= {(), ("MLP", "Dense"), ("MLP", "Dense #2"), ("MLP", "Dense #3")}


@each_case
def test_every_operation_can_be_told(case):
    found = trace(case.of(*case.leaves()), gradient=case.seed)
    texts = [str(found), found.tree(), found.diff(found), *(found.explain(node.id) for node in found.nodes)]
    texts += ["\n".join(narrating.narrated(found, place)) for place in range(len(found.steps) + 1)]
    longest = max(len(line) for text in texts[:-1] for line in text.splitlines())
    assert longest <= narrating.WIDTH + 100  # complex numbers are long
    assert max(map(len, str(found).splitlines())) <= narrating.WIDTH
    assert all(found.sentence(step).endswith(".") for step in found.steps)
    if found.steps:
        balanced(found.latex())
        ElementTree.fromstring(found.latex().mathml)
    written = formula(case.of(*case.leaves()))
    balanced(written.latex)
    ElementTree.fromstring(written.mathml)


def test_long_passes_are_cut_and_say_so():
    x = Value(0.5, label="x")
    y = x
    for _ in range(3_000):
        y = np.sin(y) + x
    found = trace(y)
    text = str(found)
    assert text.count("\n") < 150
    assert "  ... 8,940 more steps ...\n" in text
    assert "  ... 5,941 more nodes ...\n" in text
    tree = found.tree()
    assert "levels below" in tree
    assert len(tree.splitlines()) < 60
    explained = found.explain("x")
    assert len(explained.splitlines()) < 200
    assert "x is used 3,001 times" in explained
    assert "  ... 2,981 more uses ...\n" in explained
    assert "more) ← " in explained
    assert "and 2,991 more paths, which add " in explained
    assert len(found.latex().splitlines()) < 60
    assert "(2,989 more)" in found.latex("x")


def test_the_tree():
    assert (
        diamond().tree()
        == """\
y = +                        5.894   grad 1
├─ v5 = +                    3.894   grad 1
│  ├─ v2 = *                 3.375   grad 1
│  │  ├─ v1 = *              2.25    grad 1.081
│  │  │  ├─ a                1.5     grad 5.148
│  │  │  └─ a                1.5     grad 5.148
│  │  └─ a                   1.5     grad 5.148
│  └─ v4 = /                 0.5187  grad 1
│     ├─ v3 = sin            0.7781  grad 0.6667
│     │  └─ v1 = *  (above)
│     └─ a                   1.5     grad 5.148
└─ k                         2       grad 1"""
    )
    assert diamond().tree(depth=1).splitlines()[1].startswith("├─ v5 = +  … 4 levels below")
    assert "tree(limit=...)" in diamond().tree(limit=3)


def test_the_explanation():
    text = neuron().explain("w")
    assert (
        text
        == """\
∂y/∂w = 0.9738

by use: w is used once
  v1 = x * w  ∂y/∂v1 · x  = 0.4869 × 2  = 0.9738
The gradient of v1 comes first: a gradient is handed on when all its uses have reported in.

by path: 1 path from w to y
   1  y ← v2 ← v1 ← w
      ∂y/∂v2 · ∂v2/∂v1 · ∂v1/∂w
    = (1 - tanh(v2)²) · 1 · x
    = 0.4869 · 1 · 2
    = 0.9738"""
    )
    text = diamond().explain("a")
    assert "a is used 4 times, and what it receives from each use is added (+=)" in text
    assert "6 paths from a to y, and the products along them add up" in text
    assert text.endswith("      sum 5.148")
    assert "∂y/∂y = 1" in diamond().explain("y")
    assert "why_no_grad" in trace(2.0 * Value(1.0)).explain("2")
    with pytest.raises(TraceError):
        diamond().explain("q")


@pytest.mark.parametrize("seed", range(40))
def test_products_along_all_paths_sum_to_the_gradient(seed):
    rng = np.random.default_rng(seed)
    leaves = [Value(x, label=label) for label, x in zip("abc", rng.uniform(0.5, 2.0, 3), strict=True)]
    with np.errstate(all="ignore"):
        root = random_graph(rng, leaves, 9)
    if not root.requires_grad or root.is_leaf or not np.isfinite(root.data):
        return
    found = trace(root)
    for leaf in leaves:
        if not any(node.label == leaf.label for node in found.nodes):
            continue
        node = found[leaf]
        counts = narrating.path_counts(found, node.id)
        edges = {(step.node, step.position): step.local for step in found.steps}
        ways = list(narrating._paths(found, node.id, counts))
        assert len(ways) == counts[-1] == len({tuple(way) for way in ways})
        products = [np.prod([edges[edge] for edge in way]) for way in ways]
        np.testing.assert_allclose(sum(products), node.gradient, rtol=1e-9, atol=1e-12)
        if len(ways) > 1:
            assert found.explain(leaf).endswith(f"sum {narrating.array(node.gradient)}")
            cut = found.explain(leaf, limit=1)
            rest = re.search(r"and ([\d,]+) more paths?, which add (\S+)", cut)
            assert int(rest[1].replace(",", "")) == len(ways) - 1
            assert float(rest[2]) == pytest.approx(node.gradient - products[0], rel=1e-3, abs=1e-6)


def test_more_paths_than_can_be_walked_are_counted():
    x = Value(1.0, label="x")
    y = x
    for _ in range(3000):
        y = (y + y) * 0.5
    text = trace(y).explain("x", limit=2)
    assert "more than 1e308 paths from x to y" in text
    assert re.search(r"^ \.\.\.  and more than 1e308 more paths, which add 1$", text, re.M)


def test_explanations_of_arrays_are_in_words():
    text = layer().explain("b")
    assert "(summed over axis 0: it was broadcast)" in text
    assert re.search(r"∂v3/∂v2 +1 where v2 > 0$", text, re.M)
    assert "linear maps" in text


def test_sentences():
    found = neuron()
    assert found.sentence(found.steps[3]) == (
        "A small change of x changes v1 by -3 times as much, "
        "so x receives 0.4869 × (-3) = -1.461: its only contribution."
    )
    steps = diamond().steps
    assert diamond().sentence(steps[-1]).endswith(": contribution 4 of 4, 5.148 all in.")
    assert diamond().sentence(steps[5]).endswith(": contribution 1 of 4, 2.25 so far.")
    found = layer()
    told = [found.sentence(step) for step in found.steps]
    assert any("W receives Xᵀ @ ∂y/∂v1, which is" in line for line in told)
    assert any("summed over axis 0 because b was broadcast" in line for line in told)


def test_latex():
    found = neuron()
    lines = found.latex().splitlines()
    assert (lines[0], lines[-1]) == (r"\begin{aligned}", r"\end{aligned}")
    assert lines[1] == r"\frac{\partial y}{\partial v_{2}} &= 1 - \tanh^{2}\left(v_{2}\right) = 0.4869 \\[4pt]"
    assert lines[-2].startswith(r"\frac{\partial y}{\partial w} &= \frac{\partial y}{\partial v_{1}} \cdot ")
    assert lines[-2].endswith(r"\frac{\partial y}{\partial v_{1}} \cdot x = 0.4869 \cdot 2 = 0.9738")
    assert found.latex()._repr_mimebundle_()["text/latex"].startswith("$\\displaystyle \\begin{aligned}")
    for other in (found, diamond(), layer()):
        balanced(other.latex())
        ElementTree.fromstring(other.latex().mathml)
    assert diamond().latex("a").count(" + ") == 9
    assert r"{X}^{\top} \, \frac{\partial y}{\partial v_{1}}" in layer().latex()
    with pytest.raises(TraceError, match="constant"):
        layer().latex("X")
    for alone in (Value(2.0, label="alone"), Value(np.ones(9), label="alone")):
        found = trace(alone, gradient=np.ones(alone.shape))
        assert r"\frac{\partial \mathrm{alone}}{\partial \mathrm{alone}} &= " in found.latex()
        ElementTree.fromstring(found.latex().mathml)
        assert "nothing to do" in str(found)


def test_diff():
    before, after = diamond(1.5), diamond(1.6)
    text = before.diff(after)
    assert text.splitlines()[0] == "7 values changed; the first one computed is a (given):"
    assert re.search(r"^ +a +1\.5 +→ +1\.6$", text, re.M)
    assert "gradients changed; on the way back v3 first:" in text
    assert (
        before.diff(diamond(1.5)) == "The two traces are the same: 8 nodes, equal in values and gradients to the bit."
    )
    assert before.diff(Trace.from_json(before.to_json())).startswith("The two traces are the same")

    x = Value(2.0, label="x")
    one, other = trace(np.sin(x * 3.0) * 5.0), trace(np.cos(x * 3.0) * 5.0)
    assert one.diff(other).splitlines()[:4] == [
        "The graphs differ from node 3 on:",
        "  - v2 = sin(v1)   float64()",
        "  + v2 = cos(v1)   float64()",
        "The 3 nodes before it are the same computation.",
    ]
    assert "ends before it" in trace(x * 3.0).diff(one)
    tiny = trace(x * 3.0).diff(trace(x * (3.0 + 1e-12)))
    assert "(by 1e-12)" in tiny
    nan = trace(x * np.nan)
    assert nan.diff(trace(x * np.nan)).startswith("The two traces are the same")


def walked(found, keys):
    out = io.StringIO()
    found.walk(io.StringIO(keys), out)
    return out.getvalue().split("\n\n")


def test_walking():
    found = diamond()
    start, *rest = walked(found, "n\nn\nb\ng 7\ng\na\ng zz\n?\nl\nn\nf\nb\nq\nn\n")
    assert start.startswith("before the first of 11 steps: forward is done, y = v5 + k = 5.894\n")
    heads = [block.splitlines()[0] for block in rest if block.strip()]
    numbers = [re.match(r"step (\d+) of 11", head) for head in heads]
    assert [int(m[1]) if m else None for m in numbers] == [1, 2, 1, 7, 11, None, None, 11, None, None, None]
    assert "no node named 'zz'" in heads[5]
    assert heads[6].startswith("n next")
    assert [head.strip() for head in heads[8:]] == ["that was the last one", heads[9], "that was the first one"]
    assert heads[9].startswith("before the first")
    last = rest[4].splitlines()
    assert re.fullmatch(r"step 11 of 11: from v1 to a, through v1 = a \* a   \(test_narrating\.py:\d+\)", last[0])
    assert last[1:] == [
        "  ∂y/∂a += ∂y/∂v1 · ∂v1/∂a",
        "         = ∂y/∂v1 · a",
        "         = 1.081 · 1.5",
        "         = 1.622",
        "  gradient of a: 3.526 → 5.148   4 of 4 contributions in, complete",
    ]


def test_walking_ends_with_the_input_and_shows_expectations():
    assert walked(neuron(), "")[0].startswith("before the first")
    assert "  expected 1: wrong ✗" in "\n".join(walked(neuron(expect={"x": 1}), "g x\n"))
    assert walked(layer(), "l\n")


def test_walking_asks_where_there_is_no_terminal(monkeypatch, capsys):
    lines = iter(["n", "", "g", "w"])
    asked = []

    def answer(question):
        asked.append(question)
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    neuron().walk()
    assert asked[0] == "n/b/f/l/g/q: "
    assert "step 5 of 5" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_single_keys_in_a_terminal(tmp_path):
    import os
    import pty
    import subprocess

    code = (
        "from autograd import Value, trace; import numpy as np\n"
        "x, w = Value(2.0, label='x'), Value(-3.0, label='w')\n"
        "trace(np.tanh(x * w)).walk()"
    )
    outside, inside = pty.openpty()
    os.write(outside, b"n \x1b[C\x1b[Dq")
    try:
        out = subprocess.run(
            [sys.executable, "-c", code], stdin=inside, capture_output=True, text=True, encoding="utf-8", timeout=30
        ).stdout
    finally:
        os.close(outside)
        os.close(inside)
    assert re.findall(r"step (\d) of 3", out) == ["1", "2", "3", "2"]
