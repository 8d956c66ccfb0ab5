"""Reports as text and as data."""

import json

import pytest

from autograd.errors import AutogradError, DerivativeError
from autograd.testing import Report, Row, settings
from autograd.testing.report import Finding, setting


def row(**changes):
    facts = {"place": "", "x": 1.0, "y": 2.0, "yours": 4.0, "numeric": 2.0, "bound": 1e-14, "status": "wrong",
             "left": 2.0, "right": 2.0, "method": "differences"}  # fmt: skip
    return Row(**{**facts, **changes})


def test_relative_error():
    assert row().relative_error == 0.5
    assert row(yours=0.0, numeric=0.0).relative_error == 0
    assert row(yours=float("nan")).relative_error == float("inf")


def test_the_worst_rows_are_shown():
    rows = [row(x=float(k), yours=2.0 + k) for k in range(1, 7)]
    text = str(Report("FAIL", "df is not", allowed="rtol=1e-06, atol=0", rows=rows, hints=["look"])).split("\n")
    assert [line.split()[0] for line in text[2:5]] == [">", "5", "4"]
    assert "6 of 6 points disagree" in text[5]
    assert text[6] == "  hint: look"


def test_with_more_hints_fewer_rows():
    rows = [row(x=float(k)) for k in range(6)]
    report = Report("FAIL", "t", rows=rows, hints=["a", "b"], reproduce="f(1)")
    assert len(report.lines()) <= 8


def test_findings_come_before_the_table_and_doubts_after():
    report = Report("FAIL", "t", rows=[row()], findings=[Finding("shape", "another shape")])
    assert report.lines()[1] == "  another shape"
    report = Report("INCONCLUSIVE", "t", doubts=[Finding("noise", "too much noise")])
    assert report.lines()[-1] == "  why: too much noise"
    assert not report


def test_check_raises_or_returns():
    good = Report("PASS", "fine")
    assert good.check() is good
    with pytest.raises(DerivativeError) as caught:
        Report("FAIL", "wrong").check()
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value, AutogradError)


def test_as_json():
    report = Report("FAIL", "t", rows=[row()], findings=[Finding("shape", "s")])
    data = json.loads(json.dumps(report.to_dict()))
    assert data["rows"][0]["numeric"] == 2.0
    assert data["findings"] == [{"kind": "shape", "text": "s"}]


def test_settings_nest():
    assert setting("seed", None, 0) == 0
    with settings(seed=1, rtol=1e-3):
        with settings(seed=2):
            assert (setting("seed", None, 0), setting("rtol", None, 0)) == (2, 1e-3)
            assert setting("seed", 5, 0) == 5
        assert setting("seed", None, 0) == 1
    assert setting("seed", None, 0) == 0
