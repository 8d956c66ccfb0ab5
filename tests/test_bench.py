"""The benchmark runs: its cheapest row, one round, and no peer."""

from tests.bench import checkers, harness
from tests.bench.rows import ROWS


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
