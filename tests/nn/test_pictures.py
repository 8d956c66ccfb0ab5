"""Pictures: SVG that is well formed and says what the numbers say."""

import base64
import re
import struct
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest

import nn
from nn.pictures import BLUE, COLOURS, ORANGE, Picture, _ticks, beside, images, lines, scatter

SVG = "{http://www.w3.org/2000/svg}"
X, Y = nn.data.blobs(30, seed=0)
DIGITS = nn.data.digits()[0][:7]


def tree(picture):
    root = ET.fromstring(picture.svg())
    assert root.tag == f"{SVG}svg" and (float(root.get("width")), float(root.get("height"))) == (
        picture.width, picture.height,
    )  # fmt: skip
    for number in re.findall(r'"(?:nan|inf|-inf)"', picture.svg()):
        raise AssertionError(number)
    return root


def texts(picture):
    return [text.text or "" for text in tree(picture).iter(f"{SVG}text")]


def curves(picture):
    """The points of each curve, on the screen."""
    found = []
    for path in tree(picture).iter(f"{SVG}path"):
        if path.get("stroke-linejoin"):
            found.append(
                np.array([[float(n) for n in point.split(",")] for point in re.split("[ML]", path.get("d"))[1:]])
            )
    return found


def pixels(image):
    """An embedded PNG, decoded."""
    png = base64.b64decode(image.get("href").partition("base64,")[2])
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    content = png[start + 4 : start + 4 + length]
    (checksum,) = struct.unpack(">I", png[start + 4 + length : start + 8 + length])
    assert checksum == zlib.crc32(b"IDAT" + content)
    rows = np.frombuffer(zlib.decompress(content), np.uint8).reshape(height, 1 + 3 * width)
    return rows[:, 1:].reshape(height, width, 3)


def test_lines_are_straight_where_the_numbers_are():
    x = np.linspace(0, 1, 5)
    (line, parabola) = curves(lines({"line": (x, 2 * x), "parabola": (x, x**2)}))
    steps = np.diff(line, axis=0)
    np.testing.assert_allclose(steps, np.tile(steps[0], (4, 1)), atol=0.11)  # rounded to tenths of a pixel
    assert steps[0, 0] > 0 > steps[0, 1]  # up is up
    np.testing.assert_allclose(parabola[:, 0], line[:, 0])
    assert (parabola[1:, 1] > line[1:, 1]).all()


def test_powers_are_straight_on_a_logarithmic_scale_and_holes_are_gaps():
    (line,) = curves(lines({"powers": 10.0 ** np.arange(5)}, log=True))
    np.testing.assert_allclose(np.diff(line[:, 1]), line[1, 1] - line[0, 1], atol=0.21)
    picture = lines({"loss": [1.0, 2.0, np.nan, 3.0, np.inf, -1.0]}, log=True)
    (path,) = [p.get("d") for p in tree(picture).iter(f"{SVG}path") if p.get("stroke-linejoin")]
    assert path.count("M") == 2 and len(curves(picture)[0]) == 3


def test_names_are_shown_and_escaped():
    picture = lines({"a < b & c": [1, 2]}, title="<T>", x_label="x & y", y_label='"z"')
    assert {"a < b & c", "<T>", "x & y", '"z"'} <= set(texts(picture))
    assert "one" in texts(scatter(X, Y, names=["one", "two", "three"]))
    assert tree(scatter(X, Y, title='">')).get("aria-label") == '">'


def test_equal_numbers_and_single_points():
    for numbers in ([3.0], [3.0, 3.0], [0.0, 0.0], [1e9, 1e9 + 1]):
        tree(lines({"flat": numbers}))
    tree(scatter(np.ones((1, 2))))
    tree(scatter(np.zeros((0, 2))))


def test_every_point_has_a_mark_of_its_class():
    marks = {path.get("fill") for path in tree(scatter(X, Y)).iter(f"{SVG}path")} - {None}
    assert marks == set(COLOURS[:3])
    count = len([p for p in tree(scatter(X, Y)).iter(f"{SVG}path") if p.get("fill")])
    assert count == len(X)
    half = scatter(X, Y, x_range=(-9, np.median(X[:, 0])))
    assert len([p for p in tree(half).iter(f"{SVG}path") if p.get("fill")]) == len(X) // 2


@pytest.mark.parametrize("regions", [
    lambda points: (points[:, 0] > 0).astype(int), lambda points: (points[:, 0] > 0) * 1.0,
    lambda points: nn.Perceptron([1.0, 0.0], activation=None)(points) * 1e9,
])  # fmt: skip
def test_regions_are_coloured_by_class(regions):
    (image,) = tree(scatter(X, Y, regions=regions, x_range=(-1, 1), y_range=(-2, 2))).iter(f"{SVG}image")
    found = pixels(image).astype(int)
    left, right = found[:, :75], found[:, 75:]
    assert (left == left[0, 0]).all() and (right == right[0, 0]).all()
    assert left[0, 0, 2] > left[0, 0, 0] and right[0, 0, 0] > right[0, 0, 2]  # bluish, and orange


def test_what_is_undecided_is_white_and_up_is_up():
    (image,) = tree(scatter(X, regions=lambda points: points[:, 1], y_range=(0, 1))).iter(f"{SVG}image")
    found = pixels(image).astype(int)
    assert found[74:76].min() > 250
    assert found[0, 0, 0] > found[0, 0, 2] and found[-1, 0, 2] > found[-1, 0, 0]


def test_images_are_their_pixels():
    picture = images(DIGITS, titles=range(7), columns=4, title="Seven")
    shown = [pixels(image) for image in tree(picture).iter(f"{SVG}image")]
    assert texts(picture) == ["Seven", *map(str, range(7))]
    for image, digit in zip(shown, DIGITS, strict=True):
        np.testing.assert_array_equal(image, np.round(255 * (1 - digit / DIGITS.max()))[..., None].repeat(3, -1))
    np.testing.assert_array_equal(images(DIGITS[:, None]).body, images(DIGITS).body)


def test_signed_images_have_white_for_nothing():
    (image,) = tree(images(np.array([[[-2.0, 0.0, 2.0]]]), signed=True)).iter(f"{SVG}image")
    hexes = ["#" + "".join(f"{n:02x}" for n in pixel) for pixel in pixels(image)[0]]
    assert hexes == [BLUE, "#ffffff", ORANGE]


def test_beside_puts_nothing_on_top_of_another():
    parts = lines({"a": [1, 2]}), images(DIGITS), scatter(X, Y)
    row, block = beside(*parts), beside(*parts, columns=2)
    assert row.width == sum(p.width for p in parts) and row.height == max(p.height for p in parts)
    assert block.height == max(parts[0].height, parts[1].height) + parts[2].height
    tree(row), tree(block)


def test_saved_and_shown(tmp_path):
    picture = images(DIGITS)
    assert picture.save(tmp_path / "digits.svg").read_text(encoding="utf-8") == picture.svg() == picture._repr_svg_()
    assert isinstance(picture, Picture) and "Picture('images'" in repr(picture)


@pytest.mark.parametrize("call, message", [
    (lambda: lines({"a": (np.ones(2), np.ones(3))}), r"\(n,\) and \(n,\)"),
    (lambda: lines({"a": [np.nan]}), "no finite"),
    (lambda: scatter(np.ones(4)), r"\(n, 2\)"),
    (lambda: scatter(X, Y[:3]), r"\(n, 2\)"),
    (lambda: images(np.ones((2, 2))), "as many titles"),
    (lambda: images(DIGITS, titles=["one"]), "as many titles"),
    (lambda: beside(), "at least one"),
])  # fmt: skip
def test_what_cannot_be(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.2, 0.9), (1, 60), (-3, 1e-3), (1e-9, 3e-9), (5, 5)])
@pytest.mark.parametrize("log", [True, False])
def test_ticks_are_few_and_round_and_inside(low, high, log):
    ticks = _ticks(low, high, log)
    assert ticks == sorted(ticks) and 1 <= len(ticks) <= 8
    assert all(low - 1e-6 * abs(high - low) <= tick <= high + 1e-6 * abs(high - low) for tick in ticks)


def test_counts_have_whole_numbers_below_them():
    assert {"0", "1", "2"} <= set(texts(lines({"a": [1.0, 5.0, 2.0]}))) and "0.5" not in texts(
        lines({"a": [1.0, 5.0, 2.0]})
    )
