"""The plugin, in runs of pytest of their own."""

import os
import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

HEAD = """
import numpy as np
import pytest
from autograd import Value, relu, sigmoid
from autograd.testing import assert_derivative, derivative_of

def f(x):
    return x**2 * np.exp(-x)

def df(x):
    return 2 * (2 * x - x**2) * np.exp(-x)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs pytest with the plugin on a file of tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    root = str(pytest.importorskip("autograd").__path__[0])

    def of(text, *options):
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.path.dirname(root)]))
        pytester.makepyfile(HEAD + text)
        return pytester.runpytest_subprocess("-p", "chainrule_pytest", "-p", "no:cacheprovider", *options)

    return of


def test_a_failed_comparison_shows_verdict_table_and_hint(run):
    result = run("def test(): assert df == derivative_of(f, at=[-1.0, 0.5, 3.0])")
    result.stdout.fnmatch_lines([
        "E   assert df is not the derivative of f",
        "E         x * f(x) * yours * numeric * ±  rel.err",
        "E     >  -1   2.71828   -16.309691   -8.15484549 * 5.0e-01  BAD",
        "E       3 of 3 points disagree (allowed: rtol=1e-06, atol=0); numeric: complex step",
        "E       hint: yours / numeric = 2 at all 3 points: factor 2 too large",
        "E       reproduce: f(-1.0), df(-1.0)",
    ])  # fmt: skip
    assert "truncated" not in result.stdout.str()


def test_a_comparison_that_should_fail_and_does_not(run):
    result = run("def test(): assert np.cos != derivative_of(np.sin, at=[1.0])")
    result.stdout.fnmatch_lines(["E*assert cos is the derivative of sin, and it should not be"])


def test_no_internals_in_the_traceback(run):
    result = run("def test(): assert_derivative(f, df, at=[1.0, 3.0])")
    result.stdout.fnmatch_lines(["E*DerivativeError: df is not the derivative of f", "*factor 2 too large"])
    assert "by_hand.py" not in result.stdout.str()
    assert "report.py" not in result.stdout.str()


def test_values_in_a_failed_assert(run):
    result = run("""
def test():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    (a * b).backward()
    assert a == b
""")
    result.stdout.fnmatch_lines([
        "E*assert a == b",
        "E*left: a: data=2.0, grad=3.0",
        "E*right: b: data=3.0, grad=2.0",
        "E*difference: 1",
    ])  # fmt: skip


def test_options_and_marker(run):
    text = """
def off(x): return 1.001 * np.cos(x)

def test_plain(): assert_derivative(np.sin, off, domain=(0, 1))

@pytest.mark.derivative(rtol=1e-2)
def test_marked(): assert_derivative(np.sin, off, domain=(0, 1))
"""
    run(text).assert_outcomes(passed=1, failed=1)
    result = run(text, "--derivative-rtol=0.1", "--derivative-seed=7")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["derivatives: seed=7, rtol=0.1"])
    result = run(text, "--derivative-seed=7")
    result.stdout.fnmatch_lines(["*(drawn with seed=7)"])
    run("@pytest.mark.derivative(3)\ndef test(): pass").stdout.fnmatch_lines(["*takes seed= and rtol=, by name*"])


def test_ids_are_the_same_in_all_processes(run):
    pytest.importorskip("xdist")
    text = """
@pytest.mark.parametrize("v", [Value(1.0, label="weight"), Value(2.0)])
@pytest.mark.parametrize("op", [relu, sigmoid])
def test(v, op): assert op(v) > 0.5
"""
    run(text, "--collect-only", "-q").stdout.fnmatch_lines(["*[[]relu-weight]", "*[[]relu-v1]", "*[[]sigmoid-weight]"])
    run(text, "-p", "xdist", "-n", "2").assert_outcomes(passed=4)


def test_it_imports_neither_numpy_nor_autograd():
    import autograd

    code = "import chainrule_pytest; print([m for m in ('numpy', 'autograd') if m in sys.modules])"
    code = f"import sys; sys.path.insert(0, {autograd.__path__[0]!r}); {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_importing_autograd_does_not_import_the_checker():
    code = "import sys, autograd; print([m for m in sys.modules if m.startswith('autograd.testing')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
