"""Text for the terminal: aligned, complete, and never in the way."""

import numpy as np
import pytest

from nn import MLP, Dense, Sequential, relu, report


def test_the_layer_table_counts_and_aligns():
    lines = report.layer_table(Sequential(Dense(64, 1000, seed=0), relu, MLP([1000, 3], seed=0)), (64,)).splitlines()
    assert lines[3].split() == ["layers.0", "Dense(64,", "1000)", "(n,", "1000)", "65,000"]
    assert lines[4].split() == ["layers.1", "relu", "(n,", "1000)", "0"]
    assert lines[5].split() == ["layers.2", "MLP(1000,", "3)", "(n,", "3)", "3,003"]
    assert lines[7].split() == ["total", "68,003"]
    assert len({len(line) for line in (lines[0], *lines[3:6], lines[7])}) == 1


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
