"""``python -m autograd``: what it prints, writes and refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autograd.__main__ as cli

ROOT = Path(__file__).parent.parent.parent
NEURON = ("tanh(x*w + b)", "x=2", "w=-3", "b=6.9")


def test_the_steps(capsys):
    assert cli.main(NEURON) == 0
    out = capsys.readouterr().out
    assert out.startswith("tanh(x*w + b)\n\ny: 6 nodes, 5 steps backward\n")
    assert "   1  v2  y = tanh(v2)  1         1 - tanh(v2)² = 0.4869  0.4869        0.4869\n" in out


def test_as_a_command():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-m", "autograd", *NEURON], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 steps backward" in done.stdout  # with ? for what the terminal lacks


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["tanh(x*w + b", "x=2"], "This parenthesis is never closed"),
        (["2x", "x=2"], "for a product write `2*x`"),
        (["x*w", "x=2"], "`w` has no value: give w=..."),
        (["x*x", "x=2", "v=3"], "`v` does not occur"),
        (["x*x", "x"], "'x' gives no value: write a name and a number, such as x=2"),
        (["x*x", "x=two"], "The name `two` is not known here"),
        (["x*x", "x="], "empty"),
        (["x*x", "x=2", "x=3"], "x is given twice"),
        (["1 + 2"], "1 + 2 = 3.0: there is no name in it to differentiate by"),
        (["__import__(os)"], "There is no function `__import__`"),
        (["x*x", "x=2", "--expect", "q=1"], "no node named 'q'; it has x, y"),
        (["x*x", "x=2", "--explain", "q"], "no node named 'q'"),
        (["x*x", "x=2", "--html", "page.pdf"], ".html"),
        (["x*x", "x=2", "--svg", "picture.png"], "ends in .svg"),
        (["x*x", "x=2", "--html", "no/such/folder/page.html"], "No such file"),
        (["", "x=2"], "The expression is empty"),
    ],
)
def test_wrong_input_is_told_kindly(arguments, message, capsys):
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err


def test_without_an_expression_and_for_help(capsys):
    for arguments, code in (([], 2), (["--nonsense"], 2), (["--help"], 0)):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == code
    assert 'python -m autograd "tanh(x*w + b)" x=2 w=-3 b=6.9' in " ".join(capsys.readouterr().out.split())


def test_a_minus_in_front_and_values_that_are_expressions(capsys):
    assert cli.main(["-x**2", "x=-pi/2"]) == 0
    out = capsys.readouterr().out
    assert "3.142" in out
    assert cli.main(["-x", "x=-1e-3"]) == 0


def test_what_is_not_finite_is_shown(capsys):
    assert cli.main(["log(x)", "x=0"]) == 0
    out = capsys.readouterr().out
    assert "-inf" in out
    assert "inf" in out


def test_expected_gradients_decide_the_exit_code(capsys):
    assert cli.main([*NEURON, "--expect", "w=0.974"]) == 0
    assert "all right" in capsys.readouterr().out
    assert cli.main([*NEURON, "--expect", "w=0.974", "--expect", "x=1"]) == 1
    assert "wrong: x" in capsys.readouterr().out


def test_other_views(capsys, monkeypatch):
    assert cli.main([*NEURON, "--tree", "--explain", "w", "--latex"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("y = tanh")
    assert "by path: 1 path from w to y" in out
    assert out.endswith("\\end{aligned}\n")
    monkeypatch.setattr("builtins.input", lambda question: "q")
    assert cli.main([*NEURON, "--walk"]) == 0
    assert "before the first of 5 steps" in capsys.readouterr().out


def test_files(tmp_path, capsys):
    page, picture = tmp_path / "pass.html", tmp_path / "graph.svg"
    assert cli.main([*NEURON, "--html", str(page)]) == 0
    assert f"written: {page}" in capsys.readouterr().out
    assert "autograd-stepper" in page.read_text(encoding="utf-8")
    code = cli.main([*NEURON, "--svg", str(picture)])
    if code == 2:
        pytest.skip(capsys.readouterr().err)
    drawn = picture.read_text(encoding="utf-8")
    assert "<svg" in drawn
    assert "result" not in drawn
