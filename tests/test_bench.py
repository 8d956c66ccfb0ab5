"""The benchmark runs: its cheapest row, one round, and no peer."""

import sys
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
from tests.bench import checkers, gpu, harness, plots
from tests.bench.rows import COMPILED, ROWS
from tests.guest import Guest


def test_cheapest_row_of_our_own_engine():
    row = next(row for row in ROWS if row.name == "scalar")
    child = harness.Child("ours")
    try:
        times = harness.time_row(row, {"ours": child}, rounds=1)
    finally:
        child.close()
    assert times["ours"][0] > 0


def test_checkers_are_asked_about_each_rule():
    child = harness.Child("ours", module=checkers.CHECKERS["ours"])
    try:
        assert child.ask("check", "BUGS", 0) is False
        assert child.ask("check", "HARD", 0) is True
    finally:
        child.close()


def test_ratios_are_taken_round_by_round():
    times = {"ours": [1.0, 2.0], "numpy": [2.0, 8.0], "torch": "not installed"}
    assert harness.ratios(times, "numpy") == [0.5, 0.25]
    assert harness.ratios(times, "torch") is None


def test_a_peer_without_its_environment_is_said(monkeypatch):
    monkeypatch.setenv(harness.HIPS, "no/such/python")
    children, missing = harness.start(["hips"], "1")
    assert not children
    assert "Make one: `python -m venv" in missing["hips"]


def test_different_losses_are_told_apart():
    assert harness.agree([1.0, 2.0], [1.0, 2.0 + 1e-9])
    assert not harness.agree([1.0, 2.0], [1.0, 2.0 + 1e-6])
    assert not harness.agree([1.0], [1.0, 2.0])


def prepared(name, row):
    child = harness.Child(name)
    try:
        return child.ask("prepare", row.kind, row.args)
    finally:
        child.close()


def test_numpy_written_to_its_own_memory_computes_what_we_do():
    for row in COMPILED:
        if row.kind in ("mlp", "lstm"):
            assert harness.agree(prepared("numpy.out", row), prepared("ours", row), 1e-12)


@pytest.mark.parametrize("row", [row for row in COMPILED if row.kind != "moons"], ids=lambda row: row.name)
def test_compiled_rows_compute_what_the_others_do(row):
    assert harness.agree(prepared("compiled", row), prepared("ours", row), 1e-12)


def test_first_calls_and_memory_of_a_compiled_row():
    (tiny,) = (row for row in COMPILED if row.name == "tiny-compiled")
    ((first, all_first, later),) = harness.time_first_calls(tiny, ["compiled"], 1)["compiled"]
    assert min(first, later) > 0
    assert all_first >= first
    arrays, others, most, at_first = harness.ask_each(["compiled"], "peak_bytes", tiny.kind, tiny.args)["compiled"]
    assert min(arrays, others) > 0
    assert arrays + others <= most <= at_first


def test_the_picture_of_times_names_each_curve_once():
    curves = [{name: [(panel.position(n), 1e-6 * n) for n in panel.sizes] for name in panel.engines}
              for panel in plots.PANELS]  # fmt: skip
    measured = {"machine": "a <machine>", "versions": ["numpy 2"], "rounds": 3, "curves": curves}
    for columns in (1, 2):
        texts = [text.text for text in ElementTree.fromstring(plots.draw(measured, columns)).findall(".//{*}text")]
        assert texts.count("chainrule, compiled") == len(plots.PANELS)
        assert any("a <machine>" in text for text in texts)


def test_names_at_the_ends_of_curves_keep_a_distance_and_their_order():
    wanted = {"a": 40.0, "b": 41.0, "c": 2.0, "d": 97.0, "e": 99.0, "f": 39.0}
    heights = plots.spread(wanted, 10, 0, 100)
    order = sorted(heights, key=heights.__getitem__)
    assert order == sorted(wanted, key=wanted.__getitem__)
    assert all(heights[b] - heights[a] >= 10 for a, b in pairwise(order))
    assert all(0 <= height <= 100 for height in heights.values())


@pytest.fixture
def cupy(monkeypatch):
    """Guests, in CuPy's place."""
    module = ModuleType("cupy")
    module.asarray = Guest
    module.cuda = SimpleNamespace(
        Device=lambda: SimpleNamespace(synchronize=lambda: None),
        runtime=SimpleNamespace(getDeviceCount=lambda: 0, CUDARuntimeError=RuntimeError),
    )
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def test_the_step_that_is_timed_on_a_gpu(cupy):
    x, y = gpu.data((8, 1, 6, 6), classes=3)
    f = "float32"
    model = nn.Sequential(nn.Conv2d(1, 2, 3, nn.relu, seed=0, dtype=f), nn.Flatten(), nn.Dense(32, 3, seed=1, dtype=f))
    before = [p.data for p in model.parameters()]
    assert gpu.seconds(*gpu.ours(model, x, y)) > 0
    for old, parameter in zip(before, model.parameters(), strict=True):
        assert isinstance(parameter.data, Guest) and parameter.dtype == np.float32
        assert not np.array_equal(parameter.data.get(), old)


def test_what_is_missing_for_a_gpu_is_said(cupy, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    assert gpu.main() == 1
    assert "CuPy finds no GPU" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "torch" in gpu.missing()
