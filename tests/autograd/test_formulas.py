"""Formulas: what is written means what was computed, in each of the notations."""

import ast
import inspect
import operator
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from autograd import Value, formula, formulas, no_grad, relu, sigmoid
from autograd.errors import DataError
from autograd.formulas import local_derivative, name, number, read

from .rules.test_table import OPERATIONS

TABLE = [op for op in OPERATIONS if not op.name.startswith("special.")]
FORMULAS = sorted({written for op in TABLE for written in op.formula})
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
             ast.Pow: operator.pow, ast.MatMult: operator.matmul, ast.Mod: operator.mod,
             ast.FloorDiv: operator.floordiv}  # fmt: skip


def computed(written, names):
    """What a formula in Python's notation comes to."""

    def walk(node):
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](walk(node.left), walk(node.right))
        if isinstance(node, ast.UnaryOp):
            return -walk(node.operand)
        if isinstance(node, ast.Call):
            function = sigmoid if node.func.id == "σ" else getattr(np, node.func.id)
            return function(*map(walk, node.args))
        return names[node.id] if isinstance(node, ast.Name) else node.value

    return walk(ast.parse(written, mode="eval").body)


def random_graph(rng, leaves, count):
    values = list(leaves)
    binary = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod, operator.floordiv]
    unary = [operator.neg, np.sin, np.tanh, np.abs, lambda v: v**2, lambda v: v**-1.0, np.square, np.sqrt, np.copy]
    for _ in range(count):
        if rng.random() < 0.6:
            a, b = rng.choice(len(values), 2)
            values.append(binary[rng.integers(len(binary))](values[a], values[b]))
        else:
            values.append(unary[rng.integers(len(unary))](values[rng.integers(len(values))]))
    return values[-1]


@pytest.mark.parametrize("seed", range(60))
def test_what_is_written_is_what_was_computed(seed):
    rng = np.random.default_rng(seed)
    leaves = [Value(x, label=label) for label, x in zip("abc", rng.uniform(0.5, 2.0, 3), strict=True)]
    with np.errstate(all="ignore"):
        root = random_graph(rng, leaves, 9)
        written = formula(root)
        names = {leaf.label: leaf.data for leaf in leaves}
        for line in written.splitlines():
            left, _, right = line.rpartition(" = ")
            names[left] = computed(right, names)
        np.testing.assert_allclose(names[left], root.data, rtol=1e-9)


def test_gradients_as_formulas():
    x, w, b = (Value(v, label=n) for v, n in ((2.0, "x"), (-3.0, "w"), (6.9, "b")))
    np.tanh(x * w + b).backward(create_graph=True)
    assert formula(w.grad) == "(1 - tanh(x * w + b)**2) * x"
    for leaf in (x, w, b):
        leaf.zero_grad()
    (x**3).backward(create_graph=True)
    assert formula(x.grad) == "3 * x**2"
    slope = x.grad
    x.zero_grad()
    slope.backward(create_graph=True)
    assert computed(formula(x.grad), {"x": 2.0}) == 12.0
    x.zero_grad()


@pytest.mark.parametrize(
    "make, wanted",
    [
        (lambda x, y: x - (y - x), "x - (y - x)"),
        (lambda x, y: (x - y) - x, "x - y - x"),
        (lambda x, y: x / (y / x), "x / (y / x)"),
        (lambda x, y: x * (y / x), "x * (y / x)"),
        (lambda x, y: (x + y) * x, "(x + y) * x"),
        (lambda x, y: -(x + y), "-(x + y)"),
        (lambda x, y: -(x % y), "-(x % y)"),
        (lambda x, y: (-x) ** y, "(-x)**y"),
        (lambda x, y: -(x**y), "-x**y"),
        (lambda x, y: (x**y) ** 2, "(x**y)**2"),
        (lambda x, y: x ** (y**2), "x**(y**2)"),
        (lambda x, y: x * -y, "-x * y"),
        (lambda x, y: x + -y, "x - y"),
        (lambda x, y: x * x, "x**2"),
        (lambda x, y: 1.0 * x + 0.0, "x"),
        (lambda x, y: 2.5 * x + 1e-9, "2.5 * x + 1e-09"),
        (lambda x, y: abs(x) + np.sqrt(y), "abs(x) + sqrt(y)"),
        (lambda x, y: sigmoid(x) + relu(y), "sigmoid(x) + relu(y)"),
        (lambda x, y: np.maximum(x, y).clip(0, 1), "clip(maximum(x, y), 0, 1)"),
        (lambda x, y: np.stack([x, y])[0] * 3, "3 * stack(x, y, axis=0)[0]"),
        (lambda x, y: np.stack([x, y]).sum(axis=0, keepdims=True), "sum(stack(x, y, axis=0), axis=0, keepdims=True)"),
        (lambda x, y: np.ones((2, 2)) * np.stack([x, y]), "[[1, 1], [1, 1]] * stack(x, y, axis=0)"),
        (lambda x, y: (np.ones((2, 2)) * x).T, "([[1, 1], [1, 1]] * x).T"),
    ],
)  # fmt: skip
def test_parentheses(make, wanted):
    x, y = Value(2.0), Value(3.0)
    assert formula(make(x, y)) == wanted


def test_what_is_shared_is_named_when_it_would_explode():
    x = Value(0.5)
    y = x
    for _ in range(40):
        y = y * y * 0.1 + np.sin(y)
    lines = formula(y).splitlines()
    assert lines[0] == "v4 = 0.1 * x**2 + sin(x)"
    assert re.fullmatch(r"y = 0.1 \* v\d+\*\*2 \+ sin\(v\d+\)", lines[-1])
    assert len(lines) == 40
    assert repr(formula(y)) == formula(y)
    assert repr(formula(x)) == "'x'"
    assert all(len(line) < 100 for line in lines)


def test_a_long_chain():
    x = Value(0.5)
    y = x
    for _ in range(20_000):
        y = np.sin(y) + x
    written = formula(y)
    assert written.count("\n") == formulas.LINES
    assert re.search(r"^\.\.\. \([\d,]+ more lines\)$", written, re.M)
    assert "more lines" in written.latex


def test_names_of_variables_labels_and_arrays():
    weight, data = Value(np.ones((3, 2)), label="layers.0.weight"), np.ones((5, 3))
    assert formula(data @ weight) == "data @ layers.0.weight"
    assert formula((data + 1) @ weight) == "c1 @ layers.0.weight"
    with no_grad():
        constant = weight * 2
    assert formula(constant) == "constant"
    assert formula(Value(3.0)) == "x1"
    assert formula(Value(3.0, requires_grad=False)) == "3"
    released = weight.sum()
    released.backward(retain_graph=False)
    assert formula(released * 2) == "2 * released"
    with pytest.raises(DataError, match="create_graph"):
        formula(weight.grad)


@pytest.mark.parametrize("written", FORMULAS)
def test_the_tables_formulas(written):
    e = read(written)
    assert read(written) is e
    assert e.blackboard().replace("· ", "") == written.replace("· ", "").replace("Σg", "Σ g")
    for text in (e.latex(), e.mathml(), e.python()):
        assert text
    balanced(e.latex())
    ElementTree.fromstring(f"<math>{e.mathml()}</math>")


def balanced(latex):
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", latex):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert latex.count("\\left") == latex.count("\\right")


def complete(op):
    """Whether the operation can be called with its inputs alone."""
    parameters = list(inspect.signature(next(filter(None, op.rules))).parameters.values())[2 + op.count :]
    return all(parameter.default is not parameter.empty for parameter in parameters)


ELEMENTWISE = [op for op in TABLE if op.elementwise and complete(op)]


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_an_elementwise_formula_is_the_rule(op):
    """The formula of the table, computed, against the rule itself."""
    domains = op.domain if isinstance(op.domain[0], tuple) else (op.domain,) * op.count
    points = [np.float64(0.3 * low + 0.7 * high) for low, high in domains]
    y = op.function(*points)
    for i, written in enumerate(op.formula):
        e = read(written)
        if e.kind == "words":
            continue
        names = {**dict(zip(op.parameters, points, strict=False)), "π": np.pi}
        got = computed(e.python(), names)
        assert got == pytest.approx(op.gradient(i, np.float64(1.0), y, points, None), rel=1e-9)


def test_substitution():
    assert local_derivative("b aᵇ⁻¹", "ab", [name("w"), number(3.0)]).blackboard() == "3 w²"
    assert local_derivative("b aᵇ⁻¹", "ab", [name("w"), number(0.5)]).blackboard() == "0.5 w^(-0.5)"
    assert local_derivative("b aᵇ⁻¹", "ab", [name("w"), name("k")]).blackboard() == "k · wᵏ⁻¹"
    assert local_derivative("-a / b²", "ab", [number(2.0), number(-3.0)]).blackboard() == "-2 / (-3)²"
    assert local_derivative("g @ bᵀ", "ab", [name("X"), name("W")]).blackboard() == "g @ Wᵀ"
    assert read("half of what x says").kind == read("some words").kind == "words"
    words = local_derivative("1 where x > 0", "x", [name("v1")])
    assert words.blackboard() == "1 where v1 > 0"
    assert words.latex() == r"\text{1 where v1 }\gt \text{ 0}"


def test_labels_are_data_in_every_notation():
    label = '<script>$x$ & } \\frac{"\u202e'
    x = Value(2.0, label=label)
    written = formula(np.sin(x) / x)
    balanced(written.latex)
    assert "<" not in written.latex
    assert not re.search(r"(?<!\\)[$&#]", written.latex)
    assert "\u202e" not in written
    ElementTree.fromstring(f"<math>{(name(label.replace(chr(0x202E), ''))).mathml()}</math>")


def test_a_notebook_shows_mathematics():
    x1, sigma = Value(2.0), Value(1.0)
    found = formula(np.exp(-(x1**2) / (2 * sigma**2)))
    assert found == "exp(-x1**2 / (2 * sigma**2))"
    shown = found._repr_mimebundle_()
    assert shown["text/latex"] == r"$\displaystyle e^{-\frac{{x_{1}}^{2}}{2 {\sigma}^{2}}}$"
    assert shown["text/plain"] == found
    assert ElementTree.fromstring(shown["text/html"]).tag.endswith("math")
    assert isinstance(found, str)
