"""The script that breaks rules on purpose breaks them, and tells who notices."""

import ast
import functools
import inspect
import types

import numpy as np
import pytest

from autograd.op import operations
from tests import mutate
from tests.autograd.numerical import check_first

TARGETS = functools.cache(mutate.targets)


def target(name, index=0):
    rule = operations[name].rules[index]
    return next(found for found in TARGETS() if found.function is rule)


def test_one_change_at_a_time():
    changes = {(mutant.before, mutant.after) for mutant in mutate.mutants(target("square"))}
    assert {("g * (2 * x)", "g / (2 * x)"), ("g * (2 * x)", "g"), ("2 * x", "3 * x")} <= changes
    assert all(before != after for before, after in changes)


def test_noticed_or_not_and_put_back():
    square = target("square")
    code, x = square.function.__code__, np.array([0.3, -1.2])
    a_test = mutate.Test("first derivative", lambda: check_first(np.square, [x]))
    assert all(mutate.noticed(mutant, [a_test]) for mutant in mutate.mutants(square))
    assert not any(mutate.noticed(mutant, []) for mutant in mutate.mutants(square))
    assert square.function.__code__ is code


def test_two_lambdas_of_a_line_are_told_apart():
    found = [target("multiply", index) for index in (0, 1)]
    assert [mutate.brief(each.node.body) for each in found] == ["g * b", "g * a"]


def test_a_closure_keeps_its_variables():
    def maker(factor):
        def rule(g, y, x):
            return g * factor

        return rule

    rule = maker(3.0)
    node = mutate.definition(rule, [node for node in walk(maker) if getattr(node, "name", "") == "rule"])
    codes = [mutant.code for mutant in mutate.mutants(mutate.Target(rule, "rule", node))]
    assert codes
    for code in codes:
        assert isinstance(code, types.CodeType)
        rule.__code__ = code
        assert rule(2.0, None, None) != 6.0


def walk(function):
    lines, first = inspect.getsourcelines(function)
    tree = ast.parse("if True:\n" + "".join(lines))
    ast.increment_lineno(tree, first - 2)
    return ast.walk(tree)


@pytest.mark.parametrize("entry", mutate.EXPLAINED, ids=lambda entry: f"{entry[0]} {entry[1]}")
def test_every_explanation_has_words(entry):
    assert len(entry) == 3
    assert all(entry)
