"""The law: every public function of NumPy is differentiable, plain, or refused with a reason; each is what it says."""

import io
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from autograd import Value, coverage
from autograd.catalogue import LISTS, public, stands

ROWS = list(coverage())
X = np.array([[0.5, -1.0, 0.0], [2.0, 0.5, np.nan]])
W = np.array([[0.5, 2.0, 1.0], [2.0, 0.0, 3.0]])
V = np.array([0.5, 3.0, -1.0, 2.0])
N = np.array([5, 3, 6], np.uint8)
DAY = np.array(["2024-02-29", "2024-03-01"], "datetime64[D]")

# Functions that have no derivative, called on arrays: `v` makes a Value of one, or leaves it as it is.
CALLS = {
    "all any argwhere argmax argmin argsort count_nonzero flatnonzero iscomplex isfinite isinf isnan isneginf isposinf "
    "isreal logical_not nonzero signbit spacing": lambda f, v: (f(v(X)), f(v(V))),
    "argmax argmin all any count_nonzero nanargmax nanargmin": lambda f, v: f(v(X), axis=1, keepdims=True),
    "nanargmax nanargmin": lambda f, v: f(v(X)),
    "array2string array_repr array_str": lambda f, v: (f(v(X)), f(v(V), precision=2)),
    "can_cast": lambda f, v: f(v(V).dtype, np.float32),
    "common_type result_type": lambda f, v: f(v(X), np.float32(1)),
    "iscomplexobj isrealobj min_scalar_type ndim shape size": lambda f, v: (f(v(X)), f(v(V[0]))),
    "allclose array_equal isclose": lambda f, v: (f(v(X), v(W)), f(v(X), X, equal_nan=True)),
    "array_equiv": lambda f, v: f(v(V), v(V[None])),
    "equal greater greater_equal less less_equal logical_and logical_or logical_xor not_equal": lambda f, v: (
        f(v(X), v(W)), f(v(X), 0.5), f(W, v(X)),
    ),
    "argpartition": lambda f, v: f(v(V), 2)[2],
    "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor gcd lcm left_shift right_shift":
        lambda f, v: (f(v(N), v(N[::-1].copy())), f(6, v(N))),
    "bitwise_count bitwise_invert bitwise_not invert packbits unpackbits": lambda f, v: f(v(N)),
    "datetime_as_string is_busday isnat": lambda f, v: f(DAY),
    "busday_count busday_offset": lambda f, v: f(DAY, DAY if f is np.busday_count else v(N[:2]), **(
        {} if f is np.busday_count else {"roll": "forward"})),
    "diag_indices_from": lambda f, v: f(v(W[:, :2].copy())),
    "digitize": lambda f, v: (f(v(V), [0.0, 1.0]), f(V, v(np.array([0.0, 1.0])))),
    "einsum_path": lambda f, v: f("ij,jk", v(W), W.T)[0],
    "empty_like": lambda f, v: f(v(X)).shape,
    "ones_like zeros_like": lambda f, v: f(v(X), dtype=np.float32),
    "isin in1d": lambda f, v: (f(v(V), v(W)), f(V, v(W), invert=True)),
    "iterable": lambda f, v: (f(v(V)), f(v(V[0]))),
    "ix_": lambda f, v: f(v(N), v(N)),
    "lexsort": lambda f, v: (f((v(V), v(V[::-1].copy()))), f(v(W))),
    "matrix_rank": lambda f, v: f(v(W)),
    "may_share_memory shares_memory": lambda f, v: [f(a, a[1:]) for a in [v(V)]] + [f(v(V), W)],
    "ravel_multi_index": lambda f, v: f((v(N), v(N)), (7, 7)),
    "unravel_index": lambda f, v: f(v(N), (3, 3)),
    "searchsorted": lambda f, v: (f(v(np.sort(V)), v(W)), f([0.0, 1.0], v(V), side="right")),
    "tril_indices_from triu_indices_from": lambda f, v: f(v(W), 1),
    "ndindex": lambda f, v: list(f(v(W).shape)),
    "str_": lambda f, v: f(v(V).dtype),
    "dtype finfo": lambda f, v: f(v(V).dtype),
    "fromstring": lambda f, v: f("1 2", sep=" "),
    "frombuffer": lambda f, v: f(v(V).data),
    "loadtxt genfromtxt": lambda f, v: f(io.StringIO("1 2\n3 4")),
    "zeros ones eye identity tri bartlett blackman hamming hanning": lambda f, v: (f(v(X).size), f(3)),
    "empty": lambda f, v: f(v(X).shape).shape,
    "diag_indices indices tril_indices triu_indices": lambda f, v: f(*([(2, 3)] if f is np.indices else [3, 2])),
    "mask_indices": lambda f, v: f(3, np.triu),
    "broadcast_shapes": lambda f, v: f(v(X).shape, (2, 1)),
}  # fmt: skip
# These take no numbers and no arrays at all.
NOTHING_TO_CALL_WITH = [
    "busdaycalendar", "datetime_data", "errstate", "fromfile", "fromregex", "frompyfunc", "get_include",
    "get_printoptions", "getbufsize", "geterr", "geterrcall", "iinfo", "info", "isdtype", "isscalar", "issubdtype",
    "load", "mintypecode", "printoptions", "promote_types", "set_printoptions", "setbufsize", "seterr", "seterrcall",
    "show_config", "show_runtime", "test", "typename", "ufunc",
]  # fmt: skip

SPACES = (np, np.linalg, np.fft)
PAIRS = [
    (name, call)
    for names, call in CALLS.items()
    for name in names.split()
    if any(hasattr(space, name) for space in SPACES)  # some came, and some went
]


def test_every_function_is_in_a_list():
    missing = coverage().unclassified
    assert not missing, (
        f"NumPy {np.__version__} has functions that stand in no list: {', '.join(missing)}. In the file of their "
        f"family in autograd/rules, give each a rule (defop), compose it of operations (composed), list it as plain if "
        f"it has no derivative, or refuse it with the reason and what to write instead (refuses)."
    )


def test_a_function_in_no_list_shows():
    assert stands(len)[0] == "unclassified"


def test_the_walk_sees_all():
    names = {row.name for row in ROWS}
    assert {"np.tanh", "np.linalg.svd", "np.fft.rfft", "np.vectorize", "np.float64", "np.nditer"} <= names
    assert not {"np.linalg.LinAlgError", "np.pi", "np.linalg", "np.newaxis", "np.r_"} & names
    for space in SPACES:
        exported = {name for name in space.__all__ if callable(getattr(space, name)) and not name.startswith("_")}
        assert exported - {name for name, _ in public(space)} <= {"LinAlgError"}
    assert len(ROWS) == len(names) == sum(sum(counts.values()) for counts in coverage().counts.values())


def test_each_row_says_what_there_is_to_say():
    for row in ROWS:
        assert row.list in LISTS
        assert (row.how in ("rule", "composed")) == (row.list == "differentiable") == bool(row.family)
        assert row.text or row.how in ("composed", "plain")
        if row.list == "refused":
            assert re.search(r"\b(Write|Ask)\b", row.text), f"{row.name}: say what to write instead"


def test_every_plain_function_is_called_here():
    mentioned = {name for name, _ in PAIRS} | set(NOTHING_TO_CALL_WITH)
    listed = {row.name.rpartition(".")[2] for row in ROWS if row.list == "plain"}
    assert listed <= mentioned, "call it in CALLS"
    others = {row.name.rpartition(".")[2] for row in ROWS if row.list != "plain"}
    assert not mentioned & (others - listed)


def function(name):
    return next(getattr(space, name) for space in SPACES if hasattr(space, name))


def same(got, wanted):
    assert type(got) is type(wanted)
    if isinstance(wanted, tuple | list):
        assert len(got) == len(wanted)
        for ours, numpys in zip(got, wanted, strict=True):
            same(ours, numpys)
    elif isinstance(wanted, np.ndarray | np.generic):
        np.testing.assert_array_equal(got, wanted)
        assert got.dtype == wanted.dtype
    else:
        assert got == wanted


@pytest.mark.parametrize(("name", "call"), PAIRS, ids=[name for name, _ in PAIRS])
def test_plain_functions_of_values_are_numpys(name, call):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        same(call(function(name), Value), call(function(name), lambda array: array))


def test_new_arrays_like_a_value_are_plain():
    like = Value(V)
    for array in (np.zeros(2, like=like), np.ones(2, like=like), np.eye(2, like=like), np.tri(2, like=like)):
        assert type(array) is np.ndarray


def test_what_is_seen():
    table = coverage()
    text = repr(table)
    assert text.startswith(f"NumPy {np.__version__}")
    assert max(map(len, text.splitlines())) <= 120
    for row in table:
        assert re.search(rf"{re.escape(row.name)}[,:\n]", text + "\n")
    assert "np.full: it fills a plain array" in text
    assert "UNCLASSIFIED" not in text
    page = table._repr_html_()
    assert page.count("<table>") == page.count("</table>") == 1 + len(LISTS)
    assert all(row.name in page for row in table)
    assert "np.linspace(v, w, n)" in page


def test_the_readme_counts_right():
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    said = re.search(
        r"Of the (\d+) public functions and classes .*? NumPy ([\d.]+), (\d+) .*?(\d+) .*?(\d+)", text, re.S
    )
    total, version, *counts = said.groups()
    if not np.__version__.startswith(version) or not hasattr(np, "complex256"):
        pytest.skip(f"the README counts NumPy {version} with its types of 128 and 256 bits; this is {np.__version__}")
    lists = [row.list for row in ROWS]
    assert [int(n) for n in counts] == [lists.count(name) for name in LISTS]
    assert int(total) == len(ROWS)
