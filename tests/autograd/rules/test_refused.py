"""What cannot be had with a Value is refused, in words; never does an array of objects come out."""

import io
import warnings

import numpy as np
import pytest

from autograd import Value, coverage, jacobian
from autograd.errors import AutogradError, EscapeError, NoRuleError

V, S = Value([1.0, 2.0, 3.0]), Value(2.0)
MASK = np.array([True, False, True])

# How each refused function meets a Value; what is not here, meets one as its only argument.
CALLS = {
    "np.arange": [lambda f: f(S), lambda f: f(0.0, S), lambda f: f(0.0, 1.0, S)],
    "np.array": [lambda f: f(V), lambda f: f([S, 1.0]), lambda f: f([[S, S]]), lambda f: f([S], like=V)],
    "np.asarray": [lambda f: f(V), lambda f: f([S, S]), lambda f: f([1.0], like=V)],
    "np.base_repr": [lambda f: f(S)],
    "np.binary_repr": [lambda f: f(S)],
    "np.bmat": [lambda f: f([[V, V]])],
    "np.broadcast": [lambda f: f(V, S)],
    "np.copyto": [lambda f: f(np.zeros(3), V), lambda f: f(V, 1.0)],
    "np.fill_diagonal": [lambda f: f(Value(np.eye(2)), 1.0), lambda f: f(np.eye(2), S)],
    "np.format_float_positional": [lambda f: f(S)],
    "np.format_float_scientific": [lambda f: f(S)],
    "np.fromiter": [lambda f: f((x for x in V), float), lambda f: f([S], float, like=V)],
    "np.full": [lambda f: f((), S), lambda f: f(3, V), lambda f: f((2, 3), 1.0, like=V)],
    "np.kaiser": [lambda f: f(5, S)],
    "np.nested_iters": [lambda f: f([Value(np.eye(2))], [[0], [1]])],
    "np.place": [lambda f: f(V, MASK, [1.0]), lambda f: f(np.zeros(3), MASK, V)],
    "np.put": [lambda f: f(V, [0], 1.0), lambda f: f(np.zeros(3), [0], S)],
    "np.put_along_axis": [lambda f: f(V, np.array([0]), 1.0, 0), lambda f: f(np.zeros(3), np.array([0]), S, 0)],
    "np.putmask": [lambda f: f(V, MASK, 1.0), lambda f: f(np.zeros(3), MASK, V)],
    "np.save": [lambda f: f(io.BytesIO(), V)],
    "np.savetxt": [lambda f: f(io.StringIO(), V)],
    "np.savez": [lambda f: f(io.BytesIO(), V), lambda f: f(io.BytesIO(), v=V)],
    "np.savez_compressed": [lambda f: f(io.BytesIO(), V), lambda f: f(io.BytesIO(), v=V)],
    "np.vectorize": [lambda f: f(lambda x: x + 1)(V), lambda f: f(lambda x: x + 1, otypes=[float])(S)],
}
# NumPy itself stops before it asks for the numbers, as it does for anything that is no array of its own.
BY_NUMPY = {"np.datetime64", "np.timedelta64", "np.from_dlpack", "np.isfortran", "np.memmap", "np.ndarray", "np.nditer",
            "np.recarray", "np.nested_iters", "np.flatiter", "np.fromiter"}  # fmt: skip
REFUSED = [row for row in coverage() if row.list == "refused"]


def function(name):
    return next(getattr(space, name.rpartition(".")[2]) for space in (np, np.linalg, np.fft) if name_in(name, space))


def name_in(name, space):
    return name.rpartition(".")[0] == space.__name__.replace("numpy", "np")


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
def test_refused(row):
    f = function(row.name)
    abstract = isinstance(f, type) and issubclass(f, np.generic) and f.__subclasses__() and f is not np.float64
    for attempt in CALLS.get(row.name, [lambda f: f(V), lambda f: f(S)]):
        wanted = (TypeError, ValueError, AttributeError) if row.name in BY_NUMPY or abstract else AutogradError
        with (
            warnings.catch_warnings(action="ignore", category=PendingDeprecationWarning),
            pytest.raises(wanted) as caught,
        ):
            attempt(f)
        if isinstance(caught.value, NoRuleError):
            assert "Write" in str(caught.value)
        elif isinstance(caught.value, EscapeError):
            assert "v.item() or v.data" in str(caught.value)


def test_every_call_is_of_a_refused_function():
    assert {*CALLS, *BY_NUMPY} <= {row.name for row in REFUSED}


def test_full_says_what_to_write():
    for dtype in (None, float):
        with pytest.raises((NoRuleError, EscapeError), match=r"np\.broadcast_to"):
            np.full(3, V, dtype)
    np.testing.assert_array_equal(np.full_like(V, S).data, [2, 2, 2])
    np.testing.assert_array_equal(np.broadcast_to(S, 3).data, [2, 2, 2])


def test_what_is_written_instead_of_a_window():
    window = lambda beta: np.i0(beta * np.sqrt(1 - np.linspace(-1, 1, 7) ** 2)) / np.i0(beta)  # noqa: E731
    np.testing.assert_allclose(window(8.6), np.kaiser(7, 8.6), rtol=1e-13)
    slope, step = jacobian(window)(8.6), 1e-5
    np.testing.assert_allclose(slope, (np.kaiser(7, 8.6 + step) - np.kaiser(7, 8.6 - step)) / (2 * step), atol=1e-10)


def test_constants_are_data():
    """What requires no gradient has none to lose."""
    constant = Value([1.0, 2.0], requires_grad=False)
    for make in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.require):
        assert type(make(constant)) is np.ndarray
    assert np.float64(Value(2.0, requires_grad=False)) == 2.0


def test_whoever_saves_gets_the_numbers_by_data():
    file = io.BytesIO()
    np.save(file, V.data)
    file.seek(0)
    np.testing.assert_array_equal(np.load(file), V.data)
