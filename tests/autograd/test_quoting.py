"""Quoting: functions as text that runs on its own."""

import ast
import functools
import inspect
import math
from itertools import pairwise

import numpy as np
import pytest

from autograd import quoting
from autograd.op import Op, operations
from autograd.quoting import Quotes, Unquotable, literal, numpy_name
from autograd.rules import everything

everything()
WITHOUT_TEXT = {"normal_cdf"}  # it uses a ufunc made of a Python function


def quoted(thing):
    """The thing as its text defines it, with numpy alone."""
    quotes = Quotes()
    name = quotes.name(thing)
    space = {}
    exec(quotes.text(), space)
    return eval(name, space)


def functions(op: Op):
    rules = (op.rules,) if op.variadic else op.rules
    return [f for f in (op.with_saved or op.function, *rules) if f is not None]


OURS = [op for op in operations.values() if op.name not in WITHOUT_TEXT and not op.name.startswith("special.")]


@pytest.mark.parametrize("op", OURS, ids=lambda op: op.name)
def test_every_operation_has_text_that_runs(op):
    for function in functions(op):
        assert callable(quoted(function))


@pytest.mark.parametrize("op", [op for op in OURS if op.cases is not None], ids=lambda op: op.name)
def test_the_text_computes_what_the_function_does(op):
    function = quoted(op.function)
    for args, keywords in op.cases(lambda *shape: drawn(op, shape)):
        with np.errstate(all="ignore"):
            wanted, found = op.function(*args, **keywords), function(*args, **keywords)
        np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted), strict=True)


def drawn(op, shape):
    low, high = op.domain[0] if isinstance(op.domain[0], tuple) else op.domain
    return np.random.default_rng(0).uniform(low, high, shape)


HALF = 0.5
NAMES = {"a": [1, 2]}
sqrt = math.sqrt


def helper(x, scale=HALF):
    """A docstring that goes."""
    return x * scale  # a comment that stays


def uses(x):
    return [helper(math.pi * v) + sqrt(HALF) for v, _ in pairwise([x, *NAMES["a"]])]


def itself(n):
    return 1 if n == 0 else n * itself(n - 1)


def with_keyword(x, *, axis=HALF):
    return (lambda y: y * axis)(x)


@functools.lru_cache
def decorated(x):
    return x + 1


def made(k, function=None):
    def inner(x):
        return function(x) * k if function else x * k

    return inner


twice, thrice = (lambda x: 2 * x), lambda x, by=3: by * x  # two on a line


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (helper, (3,)),
        (uses, (2.0,)),
        (itself, (5,)),
        (with_keyword, (4,)),
        (decorated.__wrapped__, (1,)),
        (made(7), (3,)),
        (made(7, helper), (3,)),
        (made(np.float32(0.5), np.exp), (3.0,)),
        (twice, (5,)),
        (thrice, (5,)),
        (np.linalg.inv, (np.eye(2),)),
        (math.sqrt, (2.0,)),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_functions(function, args):
    np.testing.assert_array_equal(quoted(function)(*args), function(*args))


def test_text_stays_but_docstrings():
    quotes = Quotes()
    quotes.name(uses)
    text = quotes.text()
    assert "# a comment that stays" in text
    assert "docstring" not in text
    assert "import math\nfrom itertools import pairwise\nfrom math import sqrt\n\nimport numpy as np\n" in text
    assert "HALF = 0.5" in text
    assert text.index("HALF = 0.5") < text.index("def helper")
    ast.parse(text)


def other_module():
    """A module with a function of a name that is taken, and a constant, too."""
    import types

    module = types.ModuleType("other")
    text = "HALF = 0.25\ndef helper(x):\n    return x + HALF\ndef both(x):\n    return helper(x) * 1\n"
    import linecache

    linecache.cache["other.py"] = (len(text), None, text.splitlines(True), "other.py")
    exec(compile(text, "other.py", "exec"), vars(module))
    return module


def test_the_same_name_for_two_things():
    quotes, other = Quotes(), other_module()
    names = [quotes.name(f) for f in (helper, other.both)]
    space = {}
    exec(quotes.text(), space)
    assert space[names[0]](4) == 2.0
    assert space[names[1]](4) == 4.25
    assert len(set(quotes.taken)) == len(quotes.taken)


GENERATOR = np.random.default_rng(0)
STORE = object()


def uses_object(x):
    return x, STORE


def uses_unknown(x):
    return not_there(x)  # noqa: F821


def changes_globals(x):
    global HALF
    HALF = x


def imports(x):
    import random

    return random.random() * x


def clashes(x):
    def deeper(k=x):
        return k

    return deeper


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        (uses_object, "it uses STORE, a object"),
        (uses_unknown, "not_there is not known"),
        (changes_globals, "changes globals"),
        (imports, "imports"),
        (GENERATOR.normal, "uses normal"),
        (np.frompyfunc(abs, 1, 1), "a ufunc"),
        (object(), "a object"),
        (eval("lambda x: x"), "its text was not found"),
        (made([STORE]), "a list"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_has_no_text(thing, why):
    quotes = Quotes()
    quotes.name(helper)
    before = quotes.text()
    with pytest.raises(Unquotable, match=why):
        quotes.name(thing)
    with pytest.raises(Unquotable, match=why):  # and again
        quotes.name(thing)
    assert quotes.text() == before


def test_a_file_that_has_changed(tmp_path, monkeypatch):
    space = {}
    text = "def f(x):\n    return x\n"
    path = tmp_path / "changing.py"
    path.write_text(text)
    exec(compile(text, str(path), "exec"), space)
    path.write_text("def g(x):\n    return x\n")
    with pytest.raises(Unquotable, match="not found"):
        Quotes().name(space["f"])
    path.write_text("def f(x:\n")
    import linecache

    linecache.checkcache(str(path))
    with pytest.raises(Unquotable, match="has changed"):
        Quotes().name(space["f"])


LITERALS = [
    None, ..., True, 3, -3, 2.5, -0.0, 1e-300, float("inf"), -float("inf"), 1 + 2j, complex(-0.0, float("inf")), "a'b",
    b"x", np.float64(0.1), np.float32(0.1), np.float16(3.5), np.int8(-3), np.bool(True), np.complex64(1 + 2j),
    np.uint64(2**63), np.dtype("float32"), np.dtype(">f8"), np.dtype(bool), np.float32, float, int, (),
    (1,), (1, (2.0, "x")),
    [1, None],
    {"a": 1, 2: (3,)}, slice(1, None, 2), (slice(None), None, 0), range(3), np.linalg.inv, np.add, np.add.reduce,
]  # fmt: skip


@pytest.mark.parametrize("content", LITERALS, ids=lambda x: type(x).__name__)
def test_literals(content):
    back = eval(literal(content), {"np": np})
    assert type(back) is type(content)
    assert back == content
    assert repr(back) == repr(content)


@pytest.mark.parametrize(("number", "text"), [
    (1 / 3, "1 / 3"), (-2 / 7, "-2 / 7"), (2**0.5, "2 ** 0.5"), (-(3**0.5), "-(3 ** 0.5)"),
    (1 / 8**0.5, "1 / 8 ** 0.5"), (1 / 32, "1 / 32"), (1 - 0.9, "1 - 0.9"), (np.pi, "np.pi"), (0.25, "0.25"),
    (0.001, "0.001"), (1e-300, "1e-300"), (5e-324, "5e-324"),
    (np.log(2), "np.log(2)"), (np.float64(1 / 3), "np.float64(1 / 3)"), (-0.0, "-0.0"),
    (0.1234567890123, "0.1234567890123"),
])  # fmt: skip
def test_numbers_say_where_they_come_from_and_are_the_very_same(number, text):
    assert literal(number) == text
    back = eval(text, {"np": np})
    assert type(back) is type(number) and back.hex() == number.hex()


@pytest.mark.parametrize("array", [
    np.array(0.5), np.arange(5), np.arange(7, dtype=np.int32), np.zeros((2, 3)), np.ones(4, np.float32),
    np.full((2, 2), -1.5),
    np.full(3, np.nan), np.array([0.0, -0.0]), np.array([-0.0, -0.0]), np.array([[1, 2], [3, 4]], np.int8),
    np.array([True, False]),
    np.array([1 + 2j]), np.zeros((2, 0)),
    np.zeros((0, 3), np.float32), np.array([], np.float32), np.array([np.inf, np.nan, 1]), np.full(2, True),
    np.array([3], np.uint8), np.array(["2020-01-01"], "M8[D]"), np.array([object()]), np.arange(100.0) ** 2,
    np.asfortranarray(np.array([[1.0, 2.0], [3.0, 4.0]])), np.zeros(3, ">f8"), np.array([2**60, 1]),
    np.array([1.0, 2.0], np.float32), np.zeros((), np.float32),
    np.broadcast_to(1 / 3, (4, 2)), np.broadcast_to(np.array([1.0, 2.5]), (3, 2)), np.broadcast_to(np.float32(0.1), 3),
], ids=lambda a: f"{a.dtype}{a.shape}")  # fmt: skip
def test_literals_of_arrays(array):
    text = literal(array)
    if array.dtype.kind in "MO" or array.size > quoting.MOST or not array.dtype.isnative:
        assert text is None
        return
    back = eval(text, {"np": np})
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.strides == array.strides  # sums depend on it


@pytest.mark.parametrize(
    "content", [object(), GENERATOR, [object()], {"a": object()}, helper, Quotes], ids=lambda x: type(x).__name__
)
def test_what_is_no_literal(content):
    assert literal(content) is None


def test_what_the_prompt_has_shown_last_is_left_alone(monkeypatch):
    monkeypatch.setattr("builtins._", np.ones(3), raising=False)  # with which nothing can be compared
    assert literal(np.float64) == "np.float64" and literal(float) == "float"


def test_numpys_names():
    assert numpy_name(np.linalg.inv) == "np.linalg.inv"
    assert numpy_name(np.true_divide) == "np.divide"
    assert numpy_name(np.maximum.reduce) == "np.maximum.reduce"
    assert numpy_name(np.random.normal) == "np.random.normal"
    for thing in (len, helper, GENERATOR.normal, 3, math.sqrt, np.frompyfunc(abs, 1, 1)):
        assert numpy_name(thing) is None


def test_a_lambda_is_cut_out_of_its_statement():
    assert inspect.getsource(operations["softmax"].rules[0]).endswith(",\n")  # which is all that inspect can tell
    quotes = Quotes()
    quotes.name(operations["softmax"].rules[0])
    assert "return y * (g - np.sum(g * y, axis=axis, keepdims=True))" in quotes.text()
    assert "defop" not in quotes.text()
