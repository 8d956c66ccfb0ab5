"""The rules of the bench: every wrong one is caught, every right one passes."""

import numpy as np
import pytest

from autograd.testing import check_derivative, check_vjp
from tests.bench.rules import BUGS, COMPLEX_BUGS, COMPLEX_HARD, HARD


def names(cases):
    return [pytest.param(case, id=case.name) for case in cases]


def check(case, **options):
    return check_vjp(case.f, case.vjp, *case.args, wrt=range(len(case.args)), order=case.order, **options)


def test_there_are_enough():
    assert len(BUGS) >= 40
    assert len(HARD) >= 40
    everything = [*BUGS, *HARD, *COMPLEX_BUGS, *COMPLEX_HARD]
    assert len({case.name for case in everything}) == len(everything)


@pytest.mark.parametrize("case", names([*BUGS, *COMPLEX_BUGS]))
def test_wrong_rules_fail(case):
    report = check(case)
    assert report.verdict == "FAIL", report


@pytest.mark.parametrize("case", names([*HARD, *COMPLEX_HARD]))
def test_right_rules_pass(case):
    report = check(case)
    assert report.verdict == "PASS", report


def real(function):
    """The same function, which does not compute with complex numbers."""

    def of_real_numbers(*args):
        if any(np.iscomplexobj(x) for x in args):
            raise TypeError("real numbers, please")
        return function(*args)

    return of_real_numbers


@pytest.mark.parametrize("case", names(BUGS))
def test_wrong_rules_fail_without_the_complex_step(case):
    assert check(case._replace(f=real(case.f))).verdict == "FAIL"


@pytest.mark.parametrize("case", names(HARD))
def test_right_rules_do_not_fail_without_the_complex_step(case):
    report = check(case._replace(f=real(case.f)))
    if case.name in ("entries from 1e-8 to 1e8",):  # 1e16 + 1: differences cannot see it, and say so
        assert report.verdict in ("INCONCLUSIVE", "PASS")
    else:
        assert report.verdict == "PASS", report


def one_number(f):
    return lambda x: f(np.array([x]))[0]


BY_HAND = [case for case in [*BUGS, *HARD] if len(case.args) == 1 and np.ndim(case.args[0]) == 1
           and 0 < np.size(case.args[0]) < 20 and np.shape(case.f(case.args[0])) == np.shape(case.args[0])]  # fmt: skip


def elementwise(case):
    """Whether the rule is of a function of each entry alone, with nothing wrong but numbers."""
    x = case.args[0]
    with np.errstate(all="ignore"):
        alone = np.array([case.f(x[i : i + 1])[0] for i in range(len(x))])
        return np.allclose(alone, case.f(x), equal_nan=True) and case.name not in STRUCTURAL


STRUCTURAL = {
    "cumsum not reversed",
    "shifted the wrong way",
    "cumulative product",
    "sort",
    "wrong for reversed arrays",
    "an index twice",
}


@pytest.mark.parametrize("case", names([case for case in BY_HAND if elementwise(case)]))
def test_the_same_as_derivatives_of_numbers(case):
    def df(x):
        with np.errstate(all="ignore"):
            return case.vjp(np.ones(1), np.array([x]))[0][0]

    report = check_derivative(one_number(case.f), df, at=case.args[0].tolist(), kinks="subgradient")
    assert report.verdict == ("FAIL" if case in BUGS else "PASS"), report
