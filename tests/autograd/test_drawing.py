import re
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
from autograd import Value, anomaly, draw, drawing, op
from autograd.errors import AutogradError, DataError, DrawingError

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program `dot` is not installed here")


@pytest.fixture
def without_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


def square():
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    y.backward()
    return x, y


def nodes(picture):
    """The lines of nodes: {name: attributes}."""
    return dict(re.findall(r"^\t(n\d+) \[(.*)\]$", picture.dot, re.MULTILINE))


def edges(picture):
    return re.findall(r"^\t(\S+) -> (\S+)$", picture.dot, re.MULTILINE)


def words(attributes):
    """What a reader of a node sees, cell by cell."""
    label = attributes[attributes.index("<") + 1 : attributes.rindex("</table>>")]
    return [word for word in re.split(r"<[^>]*>", label.replace("&#160;", "")) if word]


def drawn(picture):
    """The rendered picture, parsed."""
    return ET.fromstring(picture.svg())


def texts(root):
    return ["".join(element.itertext()).replace("\xa0", "") for element in root.iter() if element.tag.endswith("}text")]


# -------------------------------------------------------------------- the text


def test_dot_of_a_square():
    _, y = square()
    assert (
        draw(y).dot
        == """\
digraph autograd {
	graph [rankdir=LR bgcolor=white pad=0.2 nodesep=0.2 ranksep=0.4]
	node [fontname="Helvetica,Arial,sans-serif" fontsize=13 fontcolor="#1a1a1a" shape=plain margin=0]
	edge [color="#555555" arrowsize=0.7 penwidth=1.2]
	n0 [label=<<table border="0" cellspacing="0" cellpadding="1">\
<tr><td colspan="4"><b>x</b></td></tr>\
<tr><td align="left"><font point-size="10" color="#666666">data</font></td>\
<td colspan="3" align="right">&#160;3.000</td></tr>\
<tr><td align="left"><font point-size="10" color="#666666">grad</font></td>\
<td colspan="3" align="right">&#160;6.000</td></tr></table>> \
shape=box style="rounded,filled" fillcolor="#e1effa" color="#0b62a3" margin=0.04 width=0 height=0 penwidth=1]
	n1 [label=<<table border="2" cellborder="0" cellspacing="0" cellpadding="0" color="#8a5a00" bgcolor="white"><tr>\
<td bgcolor="#fde3b3"><table border="0" cellspacing="0" cellpadding="0">\
<tr><td port="i0" width="2" height="14"></td></tr><tr><td port="i1" width="2" height="14"></td></tr></table></td>\
<td bgcolor="#fde3b3" cellpadding="4"><font point-size="16"><b>*</b></font></td>\
<td cellpadding="3"><table border="0" cellspacing="0" cellpadding="1">\
<tr><td colspan="4"><b>y</b></td></tr>\
<tr><td align="left"><font point-size="10" color="#666666">data</font></td>\
<td colspan="3" align="right">&#160;9.000</td></tr>\
<tr><td align="left"><font point-size="10" color="#666666">grad</font></td>\
<td colspan="3" align="right">&#160;1.000</td></tr></table></td></tr></table>>]
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


def test_operands_have_names_where_their_order_matters():
    a, b = Value(1.0), Value(2.0)
    assert words(nodes(draw(a - b))["n2"])[:3] == ["a", "b", "-"]
    assert words(nodes(draw(a**b))["n2"])[:3] == ["a", "b", "**"]
    assert words(nodes(draw(a + b))["n2"])[:2] == ["+", "data"]


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


def test_two_drawings_of_the_same_computation_are_the_same_text():
    def loss():
        rng = np.random.default_rng(3)
        w, x = Value(rng.normal(size=(4, 3)), label="w"), Value(rng.normal(size=(5, 4)))
        y = (np.tanh(x @ w) ** 2).sum(axis=0).mean()
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
    picture = draw(x)
    assert (picture.nodes, picture.edges) == (100_001, 100_000)
    assert picture.dot.endswith("\tn99999:e -> n100000:w\n}\n")
    with pytest.raises(DrawingError, match=r"100,001 nodes and 100,000 edges.*2,500.*\.dot"):
        picture.svg()
    assert picture._repr_mimebundle_().keys() == {"text/plain"}
    assert len(picture._repr_mimebundle_()["text/plain"]) < 500


# -------------------------------------------------------------------- nodes


def test_kinds_differ_in_shape():
    leaf, constant = Value(1.0), Value(2.0, requires_grad=False)
    facts = nodes(draw(leaf * constant))
    assert "shape=box" in facts["n0"]
    assert "shape=note" in facts["n1"]
    assert "shape=" not in facts["n2"] and 'border="2"' in facts["n2"]


def test_a_gradient_that_was_not_computed_is_not_zero():
    x = Value(0.0)
    y = x * x
    assert words(nodes(draw(y))["n0"]) == ["data", "0.000", "grad", "-"]
    y.backward()
    assert words(nodes(draw(y))["n0"]) == ["data", "0.000", "grad", "0.000"]


def test_a_constant_is_its_number():
    facts = nodes(draw(2 * Value(1.0) + 0.5 - True))
    assert [words(facts[name]) for name in ("n0", "n3", "n5")] == [["2"], ["0.5"], ["True"]]


def test_a_gradient_that_is_a_value():
    x = Value(3.0)
    y = x * x
    y.backward(create_graph=True)
    assert words(nodes(draw(y))["n0"]) == ["data", "3.000", "grad", "6.000"]
    assert draw(x.grad).nodes > 2


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (1 / 3, ["data", "0.3333"]),
        (-1234.56, ["data", "-1235"]),
        (1.5e-7, ["data", "1.500e-07"]),
        (np.float32(0.1), ["() float32", "data", "0.1000"]),
        (1 - 2j, ["() complex128", "data", "1.000-2.000j"]),
        ([1.0, 2.0], ["(2,) float64", "data", "[1.000, 2.000]"]),
        ([[1.0], [2.0]], ["(2, 1) float64", "data", "[[1.000], [2.000]]"]),
        (np.zeros((0, 3)), ["(0, 3) float64", "data", "empty"]),
        (np.arange(6.0), ["(6,) float64", "min", "mean", "max", "data", "0.000", "2.500", "5.000"]),
        (np.array([3, 4] * 3), ["(6,) int64", "min", "mean", "max", "data", "3", "3.500", "4"]),
        (np.array([3j, 4] * 3), ["(6,) complex128", "min", "mean", "max", "|data|", "3.000", "3.500", "4.000"]),
        (np.full(9, 6e4, np.float16), ["(9,) float16", "min", "mean", "max", "data", *["6.000e+04"] * 3]),
    ],
)
def test_numbers(data, seen):
    assert words(nodes(draw(Value(data), show="data"))["n0"]) == seen


def test_nan_and_infinity_stand_out():
    alarm = f'<font color="{drawing._ALERT}"><b>%s</b></font>'
    assert alarm % "NaN" in nodes(draw(Value(np.nan)))["n0"]
    assert alarm % "-inf" in nodes(draw(Value(-np.inf)))["n0"]
    assert alarm % "[1.000, NaN]" in nodes(draw(Value([1.0, np.nan])))["n0"]
    many = nodes(draw(Value([1.0, np.nan, 3.0, np.inf, -np.inf])))["n0"]
    assert alarm % "1 NaN, 2 inf of 5" in many
    assert words(many)[4:8] == ["data", "1.000", "2.000", "3.000"]
    assert f'color="{drawing._ALERT}" penwidth=2' in many
    assert words(nodes(draw(Value([np.nan] * 5)))["n0"])[4:9] == ["data", "-", "-", "-", "5 NaN of 5"]
    result = nodes(draw(Value(np.nan) * 1.0 * 0.0))["n2"]
    assert f'color="{drawing._ALERT}" bgcolor' in result


def test_nan_in_a_gradient_stands_out():
    x = Value(1.0)
    x.grad = np.nan
    assert f'color="{drawing._ALERT}" penwidth=2' in nodes(draw(x))["n0"]


def test_show():
    _, y = square()
    assert words(nodes(draw(y, show=()))["n0"]) == ["x"]
    assert words(nodes(draw(y, show=["grad"]))["n0"]) == ["x", "grad", "6.000"]
    assert words(nodes(draw(y, show=("grad", "data")))["n0"]) == ["x", "grad", "6.000", "data", "3.000"]
    assert nodes(draw(Value(1.0), show=()))["n0"]


def test_parameters_stand_with_the_operation():
    x = Value(np.arange(12.0).reshape(3, 4))
    assert "axis=1" in words(nodes(draw(x.sum(axis=1)))["n1"])
    assert words(nodes(draw(x[1:, ::-1]))["n1"])[:2] == ["getitem", "[1:, ::-1]"]
    assert words(nodes(draw(x[0]))["n1"])[:2] == ["getitem", "[0]"]
    assert words(nodes(draw(x[np.array([0, 2])]))["n1"])[:2] == ["getitem", "[[0, 2]]"]
    assert words(nodes(draw(x[..., np.arange(4) > 0]))["n1"])[:2] == ["getitem", "[..., [False, True, True, True]]"]


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
    "", " ", "%", "x" * 1_000_000, "<" * 1_000_000, '"\\' * 100,
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


@needs_dot
@pytest.mark.parametrize("label", HOSTILE, ids=lambda label: ascii(label[:12]))
def test_labels_are_data_in_the_picture(label):
    x = Value(np.arange(5.0), label=label)
    root = drawn(draw(x.sum()))
    assert {element.tag.split("}")[1] for element in root.iter()} <= {
        "svg",
        "g",
        "title",
        "polygon",
        "path",
        "text",
        "a",
    }
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    assert len([element for element in root.iter() if element.get("class") == "node"]) == 2
    if label.strip() and label.isprintable() and len(label) < 40:
        assert label in texts(root)


def test_labels_that_cannot_be_seen_are_spelled_out():
    assert words(nodes(draw(Value(1.0, label="\0\u202e\ud800")))["n0"])[0] == "␀⟨U+202E⟩⟨U+D800⟩"


def test_parameters_and_names_are_data():
    cube = autograd.defop(
        lambda x, how=None: x**3, lambda g, y, x, how=None: g * 3 * x**2, formula="3 x²", name="<script>cube\\N"
    )
    del op.operations[cube.name]  # other tests walk these
    seen = words(nodes(draw(cube(Value(2.0), how='"<b>')))["n1"])
    assert seen[:2] == ["&lt;script&gt;cube\\\\N", "how=&quot;&lt;b&gt;"]


# -------------------------------------------------------------------- files and notebooks


@needs_dot
def test_the_picture():
    root = drawn(draw(square()[1]))
    assert texts(root) == ["x", "data", "3.000", "grad", "6.000", "*", "y", "data", "9.000", "grad", "1.000"]
    assert len([element for element in root.iter() if element.get("class") == "edge"]) == 2


@needs_dot
@pytest.mark.parametrize(
    ("suffix", "start"),
    [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("html", b"<!DOCTYPE html>"), ("dot", b"digraph")],
)
def test_save(tmp_path, suffix, start):
    path = tmp_path / f"a graph.{suffix}"
    assert draw(square()[1]).save(str(path)) == path
    assert path.read_bytes().startswith(start)


@needs_dot
def test_the_page_is_one_document(tmp_path):
    page = draw(square()[1]).save(tmp_path / "a & b.html").read_text(encoding="utf-8")
    assert page.count("<!DOCTYPE") == 1 and "<?xml" not in page
    assert "<title>a &amp; b</title>" in page


def test_save_names_the_formats_it_knows(tmp_path):
    with pytest.raises(DrawingError, match=r"\.svg, \.png, \.pdf, \.html, \.dot"):
        draw(Value(1.0)).save(tmp_path / "x.jpg")
    with pytest.raises(ValueError, match="suffix"):
        draw(Value(1.0)).save(tmp_path / "x")


def test_without_dot_there_is_text_and_one_line(without_dot, tmp_path):
    picture = draw(square()[1])
    for ask in (picture.svg, lambda: picture.save(tmp_path / "x.svg"), lambda: picture.save(tmp_path / "x.html")):
        with pytest.raises(AutogradError, match=r"install it with `apt install graphviz`") as caught:
            ask()
        assert "\n" not in str(caught.value)
        assert caught.value.__suppress_context__
    assert list(tmp_path.iterdir()) == []
    assert picture.save(tmp_path / "x.dot").read_text(encoding="utf-8") == picture.dot
    shown = picture._repr_mimebundle_()
    assert shown.keys() == {"text/plain"}
    line, blank, *text = shown["text/plain"].split("\n")
    assert "apt install graphviz" in line and blank == "" and "\n".join(text) == picture.dot
    assert picture._repr_svg_() is None


@needs_dot
def test_a_notebook_shows_the_picture():
    picture = draw(square()[1])
    shown = picture._repr_mimebundle_()
    assert shown == {"image/svg+xml": picture.svg(), "text/plain": repr(picture)}
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
