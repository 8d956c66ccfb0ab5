"""Formulas as text: read as Python reads them, and refused with a caret where it is no formula."""

import math

import numpy as np
import pytest

from autograd import Value
from autograd.errors import ExpressionError
from autograd.expression import FUNCTIONS, MAX_DEPTH, MAX_LENGTH, parse

ALIASES = {name: function.compute for name, function in FUNCTIONS.items()}


@pytest.mark.parametrize(
    "text, names",
    [
        ("x", "x"), ("-x**2", "x"), ("2**-x**2", "x"), ("2 - 3 - x", "x"), ("x / 2 / 4 * 3", "x"),
        ("(x - 1)*(x + 1)", "x"), ("2**3**0.5 * x", "x"), ("-(-x)", "x"), ("--x", "x"), ("+x - +x*2", "x"),
        ("x - -x", "x"), ("-2**2 + x", "x"), (".5*x + 1e-3 - 2.E2", "x"), ("tanh(x*w + b)", "xwb"), ("b*x + a", "bxa"),
        ("exp(-x)*sin(pi*x) + e", "x"), ("max(x, y)/min(x, 2*y)", "xy"), ("sqrt(x**2 + y**2) - hypot(x, y)", "xy"),
        ("1/(1 + exp(-x)) - sigmoid(x)", "x"), ("x*-y", "xy"), ("x**-y", "xy"), ("x ** 2 ** y", "xy"),
        ("sin(cos(x))**2", "x"), ("exp(x)**-2/3", "x"), ("max(max(x, 1), (y))", "xy"),
    ],
)  # fmt: skip
def test_means_what_it_means_in_python(text, names):
    expression = parse(text)
    assert expression.names == tuple(names)
    values = dict(zip(names, (0.7, 1.9, -0.4), strict=False))
    scope = {**ALIASES, "pi": math.pi, "e": math.e, **values, "__builtins__": {}}
    assert expression(**values) == eval(text, scope)


def test_arrays_numbers_and_dtypes():
    expression = parse("x**2 + 1")
    np.testing.assert_array_equal(expression(x=np.array([1.0, 2.0])), [2.0, 5.0])
    assert expression(x=np.float32([1, 2])).dtype == np.float32
    np.testing.assert_array_equal(expression(x=[1, 2]), [2.0, 5.0])
    assert parse("2**-x")(x=np.array([1, 2])).dtype == np.float64
    assert type(expression(x=3)) is np.float64
    assert type(parse("1 + 1")()) is np.float64
    assert parse("x**2")(x=1j) == -1


def test_values_stay_the_ones_given_and_whole_numbers_stay_whole():
    x = Value(3.0, label="x")
    y = parse("x**2 * exp(-x)").evaluate({"x": x})
    power = y.inputs[0]
    assert power.inputs[0] is x
    assert power.inputs[1].data == 2
    assert isinstance(power.inputs[1].data, int)
    y.backward()
    assert x.grad == pytest.approx((2 * 3 - 9) * math.exp(-3))


def test_every_function_takes_values():
    for name, function in FUNCTIONS.items():
        arguments = ["x", "y"][: function.arguments]
        start = 1.25 if name in ("arccosh", "acosh") else 0.25
        values = {n: Value(start + i) for i, n in enumerate(arguments)}
        result = parse(f"{name}({', '.join(arguments)})").evaluate(values)
        assert isinstance(result, Value), name
        assert result.data == function.compute(*[v.data for v in values.values()])


REFUSED = {
    "x^2": ("`**`", 1),
    "2x": ("write `2*x`", 1),
    "2 (x + 1)": ("write `2*(`", 2),
    "x y": ("write `x*y`", 2),
    "(x)(y)": ("write `)*(`", 3),
    "x(y)": ("no function `x`", 0),
    "sin x": ("write sin(...)", 0),
    "sinn(x)": ("Did you mean `sin`?", 0),
    "np.exp(x)": ("without a module", 2),
    "x**": ("missing at the end", 3),
    "": ("is empty", 0),
    "(x": ("never closed", 0),
    "sin(x": ("never closed", 3),
    "x)": ("never opened", 1),
    "()": ("nothing between", 1),
    "sin()": ("nothing between", 4),
    "max(x)": ("takes 2 arguments, and here is 1", 3),
    "sin(x, y)": ("takes 1 argument, and here are 2", 3),
    "1,5*x": ("decimal point", 1),
    "(1,5)*x": ("decimal point", 2),
    "x = 2": ("without `=`", 2),
    "x²": ("`**2`", 1),
    "²": ("`**2`", 0),
    "√x": ("sqrt", 0),
    "1.2.3": ("no number", 3),
    "1_000": ("no number", 1),
    "1e999*x": ("too large", 0),
    "2**9999": ("Exponents go to 1000", 3),
    "x**-1001": ("Exponents go to 1000", 4),
    "x + * y": ("missing before `*`", 4),
    "x.__class__": ("not `np.exp(x)`", 1),
    "__import__('os')": ("prime", 11),
    "x;y": ("not part of this language", 1),
    "|x|": ("abs(...)", 0),
    "\x00": ("What is this?", 0),
}


@pytest.mark.parametrize("text", REFUSED, ids=repr)
def test_refused_with_a_caret_at_the_place(text):
    words, place = REFUSED[text]
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    message, shown, caret = str(caught.value).split("\n")
    assert words in message
    assert caret.index("^") - 4 == place
    assert len(caret) - 5 <= len(shown)


def test_long_texts_are_shown_around_the_place():
    with pytest.raises(ExpressionError) as caught:
        parse("+".join(["abc"] * 100) + "$" + "+abc" * 100)
    _, shown, caret = str(caught.value).split("\n")
    assert len(shown) < 90
    assert shown[caret.index("^")] == "$"


def test_limits():
    with pytest.raises(ExpressionError, match="at most 2000 characters"):
        parse("x" * (MAX_LENGTH + 1))
    for deep in ("(", "-", "sin(", "2**"):
        with pytest.raises(ExpressionError, match="deeper than 50"):
            parse(deep * (MAX_DEPTH + 1) + "x")
    assert parse("(" * MAX_DEPTH + "x" + ")" * MAX_DEPTH)(x=1) == 1
    assert parse("+".join("x" * 1000))(x=1) == 1000  # long is not deep
    with pytest.raises(ExpressionError, match="is a string"):
        parse(None)


@pytest.mark.parametrize("text", ["1/0", "0**-1", "(-1)**0.5", "10**400", "9**999**999", "9**(9**9)"])
def test_numbers_alone_that_come_to_nothing_finite(text):
    with pytest.raises(ExpressionError):
        parse(text)()


def test_names_that_are_known():
    assert parse("e*x", names=["x", "e"]).names == ("e", "x")
    with pytest.raises(ExpressionError, match=r"`weigth` is not known here. Did you mean `weight`\?"):
        parse("2*weigth", names=["weight", "x"])


def test_values_must_fit_the_names():
    with pytest.raises(ExpressionError, match="`w` has no value: give w="):
        parse("x*w")(x=1.0)
    with pytest.raises(ExpressionError, match=r"`weihgt` does not occur.*Did you mean `weight`"):
        parse("x*weight")(x=1.0, weihgt=2.0)
    with pytest.raises(ExpressionError, match=r"\(Its names: none\.\)"):
        parse("1")(x=2)
    with pytest.raises(ExpressionError, match="is no number, array or Value"):
        parse("x")(x="1")


def test_text_and_repr():
    assert str(parse(" x + 1")) == " x + 1"
    assert repr(parse("x + 1")) == "<expression x + 1>"
