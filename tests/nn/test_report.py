"""Text for the terminal: aligned, complete, and never in the way."""

from xml.etree import ElementTree

import numpy as np
import pytest

from nn import MLP, Dense, Sequential, relu, report


def test_the_summary_counts_and_aligns():
    net = Sequential(Dense(64, 1000, seed=0), relu, MLP([1000, 3], seed=0))
    lines = report.summary(net, (np.zeros((1, 64)),)).splitlines()
    assert lines[3].split() == ["layers.0", "Dense(64,", "1000)", "(n,", "1000)", "65,000"]
    assert lines[4].split() == ["layers.1", "relu", "(n,", "1000)", "0"]
    assert lines[5].split() == ["layers.2", "MLP(1000,", "3)", "(n,", "3)"]
    assert lines[6].split() == ["layers.2.layers.0", "Dense(1000,", "3)", "(n,", "3)", "3,003"]
    assert lines[8].split() == ["total", "68,003"]
    assert len({len(line) for line in (lines[0], lines[3], lines[4], lines[6], lines[8])}) == 1


def test_what_is_not_trained_is_counted_apart():
    net = Sequential(Dense(2, 3, seed=0))
    net.layers[0].bias.requires_grad = False
    assert [line.split() for line in report.summary(net, (np.zeros((1, 2)),)).splitlines()[-2:]] == [
        ["total", "6"], ["not", "trained", "3"],
    ]  # fmt: skip


def heights(text):
    """The heights of the bars in eighths of a line, by column."""
    rows = [line[max(line.find("┤"), line.find("│")) + 1 :] for line in text.splitlines()]
    return [sum(report.BLOCKS.index(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]


def test_bars_rise_with_the_numbers():
    numbers = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]
    bars = heights(report.plot(numbers, width=8))
    assert np.array_equal(np.argsort(bars, kind="stable"), np.argsort(numbers, kind="stable"))
    assert min(bars) == 1 and max(bars) == 40


def test_the_scale_is_named_at_both_ends():
    lines = report.plot([50.0, 99.5], form="{:.1f} %", height=4).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("99.5 % ┤") and lines[-1].startswith("50.0 % ┤")
    assert [line.find("┤") if "┤" in line else line.find("│") for line in lines] == [7] * 4


def test_a_logarithmic_scale_makes_a_power_a_line():
    bars = heights(report.plot([10.0**-k for k in range(5)], log=True, width=5))
    assert set(np.diff(bars)) <= {-9, -10}


def test_many_numbers_are_averaged_to_the_width():
    text = report.plot(np.repeat([1.0, 2.0], 500), width=20)
    assert heights(text) == [1] * 10 + [40] * 10


@pytest.mark.parametrize("numbers", [[1.0], [2.0, 2.0], [np.nan], [np.inf, 1.0, 2.0], [0.0, 1.0], [0.0]])
@pytest.mark.parametrize("log", [True, False])
def test_what_has_no_range_or_is_not_finite_is_no_error(numbers, log):
    assert len(report.plot(numbers, log=log).splitlines()) == 5


def test_no_numbers_are_an_error():
    with pytest.raises(ValueError, match="no numbers"):
        report.plot([])


def test_the_confusion_table_aligns_for_any_counts():
    counts = np.diag([12345, 1, 0])
    counts[0, 1] = 7
    lines = report.confusion_table(counts).splitlines()
    assert [line.split() for line in lines] == [
        ["0", "1", "2", "right"],
        ["0", "12345", "7", "·", "99.9", "%"],
        ["1", "·", "1", "·", "100.0", "%"],
        ["2", "·", "·", "·", "-"],
    ]
    assert len({len(line) for line in lines}) == 1


# -------------------------------------------------------------------- the plane


def test_the_plane_has_the_shades_of_the_predictions_and_the_points_of_the_data():
    x = np.array([[0.0, 0.0], [10.0, 1.0]])
    lines = report.regions(lambda p: (p[:, 0] > 5).astype(int), x, np.array([7, 13]), width=20).splitlines()
    assert len(lines) == 10 and all(line.count("░") + line.count("3") == 10 for line in lines)
    assert sum("3" in line for line in lines[:3]) == 1  # 13, at the top right
    assert sum("7" in line for line in lines[-3:]) == 1


def test_the_plane_of_one_point():
    assert "0" in report.regions(lambda p: np.zeros(len(p), int), np.zeros((1, 2)), np.zeros(1, int))


# -------------------------------------------------------------------- curves


def shapes(svg):
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    drawn = [path for path in root.iter(f"{name}path") if path.get("stroke-linejoin")]
    return root, drawn, [text.text for text in root.iter(f"{name}text")]


def test_a_picture_has_a_line_for_each_curve():
    curves = report.Curves({"loss": {"loss": [3.0, 2.0, 1.0], "val_loss": [4.0, 2.0, 1.5]}, "f1": {"f1": [0, 0.5, 1]}})
    root, lines, texts = shapes(curves.svg())
    assert (
        len(lines) == 3 and {"loss", "val_loss", "f1", "epoch", "1", "2", "3"} <= set(texts) and "1.5" not in texts[:9]
    )
    points = np.array([[float(n) for n in pair.split(",")] for pair in lines[0].get("d")[1:].split("L")])
    assert (np.diff(points[:, 0]) > 0).all() and (np.diff(points[:, 1]) > 0).all()  # down, on the page
    np.testing.assert_allclose(np.diff(points, 2, axis=0), 0, atol=0.11)  # a straight line
    assert lines[1].get("stroke-dasharray") and not lines[0].get("stroke-dasharray")
    assert float(root.get("width")) == 720


@pytest.mark.parametrize("log", [[], ["loss"]])
@pytest.mark.parametrize(
    "numbers", [[1.0], [2.0, 2.0], [1.0, np.nan, 2.0, 3.0], [np.inf, 1.0], [0.0, 1.0], [1e-300, 1e300], [1.0] * 100]
)
def test_pictures_of_odd_numbers(numbers, log):
    curves = report.Curves({"loss": {"loss": numbers}, "none": {"none": [np.nan]}}, log=log)
    root, lines, _ = shapes(curves.svg())
    assert len(lines) == 1
    for element in root.iter():
        for content in element.attrib.values():
            assert "nan" not in content and "inf" not in content
    assert repr(curves)


def test_names_are_data():
    svg = report.Curves({"<script>": {"<script>&\"'": [1.0, 2.0]}}).svg()
    assert "<script>" not in svg and "<script>&\"'" in shapes(svg)[2]


def test_a_notebook_gets_a_picture_and_text(tmp_path):
    curves = report.Curves({"loss": {"loss": [3.0, 1.0]}})
    assert curves._repr_svg_().startswith("<svg") and repr(curves).startswith("loss, epochs 1 to 2")
    assert curves.save(tmp_path / "curves.svg").read_text(encoding="utf-8") == curves.svg()


def test_the_confusion_table_takes_names():
    lines = report.confusion_table(np.array([[5, 1], [0, 3]]), ["setosa", "virginica"]).splitlines()
    assert [line.split()[0] for line in lines] == ["setosa", "setosa", "virginica"]
    assert len({len(line) for line in lines}) == 1


def test_text_shows_as_it_is_printed():
    assert repr(report.Text("a\nb")) == "a\nb" and isinstance(report.Text("a"), str)
