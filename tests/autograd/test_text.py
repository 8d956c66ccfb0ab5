"""How things stand on one line: numbers, arrays, tables, and the names that code gives to its Values."""

import sys
import types

import numpy as np
import pytest

from autograd import Value, text


@pytest.mark.parametrize(
    "x, wanted",
    [
        (2.0, "2"), (-3, "-3"), (0.1 + 0.2, "0.3"), (np.float32(0.1), "0.1"), (123456.7, "123457"),
        (1234567.0, "1.235e+06"),
        (1e-9, "1e-09"), (-0.0, "-0"), (np.nan, "nan"), (-np.inf, "-inf"), (True, "True"), (None, "None"),
        (10**30, "1e+30"), (1 - 2j, "1-2j"), (np.complex128(0.5j), "0+0.5j"), (np.int64(7), "7"),
    ],
)  # fmt: skip
def test_numbers(x, wanted):
    assert text.number(x) == wanted


def test_arrays():
    assert text.array(np.float64(0.25)) == "0.25"
    assert text.array(np.array([[1.0], [2.5]])) == "[[1], [2.5]]"
    assert text.array(np.arange(6.0).reshape(2, 3)) == "(2, 3) ‖7.416‖"
    assert text.array(np.zeros((0, 3))) == "[]"
    assert text.short(np.array([0.123456, 1.23456, 2.3456])) == "‖2.654‖"
    assert text.short(np.array([1.0, 2.0])) == "[1, 2]"
    assert text.norm(np.array([3.0, 4.0j])) == 5.0
    assert text.norm(np.array([1e200, 1e200])) == np.inf


def test_keywords():
    index = (slice(None), 0, ..., slice(1, 9, 2), None)
    assert text.keywords({"index": index}) == ("[:, 0, ..., 1:9:2, None]",)
    assert text.keywords({"axis": (0, 1), "dtype": np.float32, "saved": object()}) == ("axis=(0, 1)", "dtype=float32")
    assert text.keywords({"index": np.arange(9)}) == ("[int64[9]]",)
    assert text.keywords(None) == ()


def test_tables():
    rows = [["a", "", "1"], ["long name", "", "22"], "a line of its own, of any length"]
    assert text.fitted(rows, 40, "l r") == ["a           1", "long name  22", rows[-1]]
    lines = text.fitted([["x" * 50, "y" * 30, "z"]], 40)
    assert len(lines[0]) == 40
    assert lines[0].count("…") == 2


def test_what_does_not_print_is_spelled_out():
    assert text.visible("a\tb\u202ec\x7f") == "a␉b⟨U+202E⟩c⟨U+007F⟩"
    assert len(text.visible("x" * 1_000_000)) == 40


def test_text_shows_itself():
    assert repr(text.Text("a\nb")) == "a\nb"


def test_variables():
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    thing = types.SimpleNamespace(w=[y], _hidden=z, again=None)
    thing.again = thing
    names = {"thing": thing, "x": x, "also": x, "_z": z, "Out": [z], "@py": z, "table": {"k": z, 1: x}, "np": np}
    assert text.variables(names) == {id(x): "x", id(y): "thing.w[0]", id(z): "table['k']"}
    assert text.variables({"big": list(range(10**6)), "last": [y]}) == {}  # there is an end to looking
    assert text.variables({"big": np.zeros(10**6), "last": [y]}) == {id(y): "last[0]"}


def test_no_attribute_is_computed_for_a_name():
    class Trap:
        def __getattr__(self, name):
            raise RuntimeError(name)

        @property
        def value(self):
            raise AssertionError

    assert text.variables({"trap": Trap()}) == {}


def test_arrays_are_known_by_their_numbers():
    data, other = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    w = Value([1.0, 1.0])
    product = data * w
    _nodes = [*product.inputs, product]
    known = text.known(sys._getframe(), _nodes)
    assert [known.get(id(node)) for node in _nodes] == ["data", "w", "product"]
    assert text.names(_nodes, known) == ["data", "w", "product"]
    assert text.names(_nodes, {}) == ["c1", "x1", "y"]
    assert other.size == 2
