"""Traced arrays: what is done with them comes out as a program that does the same, or is refused; nothing else."""

import collections
import copy
import functools
import operator

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, compile
from autograd.capture import Recorder, Traced
from autograd.errors import CompileError

X = np.arange(6.0).reshape(2, 3)


def plain(y):
    return y.data if isinstance(y, Value) else y


def assert_same(got, wanted):
    if isinstance(wanted, tuple | list):
        assert type(got) is type(wanted) and len(got) == len(wanted)
        for one, two in zip(got, wanted, strict=True):
            assert_same(one, two)
        return
    got, wanted = plain(got), plain(wanted)
    if wanted is None:
        assert got is None
        return
    assert type(got) is type(wanted) or isinstance(wanted, np.ndarray)
    assert np.result_type(got) == np.result_type(wanted) and np.array_equal(got, wanted, equal_nan=True)


def assert_follows(function, *calls):
    """Compiled, the function gives the same bits, while it is traced and when its program runs."""
    compiled = compile(function)
    for args in calls or ((X,),):
        for _ in range(4):
            assert_same(compiled(*args), function(*args))
    return compiled


# ---------------------------------------------------------------- all that can be done with an array

EXPRESSIONS = {
    "operators": lambda x: (-x + 2 - 3 * x / 7 - (x @ x.T).sum() + abs(x) ** 2 + 1.5**x + x**0.5 + x**3, x // 2, x % 3),
    "reflected": lambda x: (1 - x, 2.0 / (x + 1), 2**x, 7 // (x + 1), 7 % (x + 1), [[1.0], [2.0]] - x, X * x),
    "numbers": lambda x: (x.sum() * 2 + 1, -x.sum(), x.sum() ** 2, x.mean() / 3, abs(x.min() - 5), 2 ** x.max()),
    "python numbers": lambda x: (
        x.sum().item() * 2,
        x.sum().item() + np.float32(1),
        x * x.sum().item(),
        -x.max().item(),
    ),
    "comparisons": lambda x: (x > 2, x == X, x != 3, (x < 2) | (x >= 4), (x <= 3) & ~(x > 1), (x > 2) ^ (x < 4)),
    "integers": lambda x: (x.astype(int) * 2, x.astype(np.int8) // 2, x.astype(bool)),
    "indices": lambda x: (x[0], x[..., 1:], x[:, None], x[[1, 0]], x[np.array([0, 1]), [2, 0]], x[::-1, ::2], x[1, 2]),
    "masks": lambda x: (x[x > 2], x[0][x[0] > 0], np.where(x > 2), np.nonzero(x), np.flatnonzero(x > 1)),
    "attributes": lambda x: (
        x.T,
        x.real,
        x.imag,
        x.shape[0] * x,
        x.ndim * x,
        x.size * x,
        len(x) * x,
        x.dtype.type(2) * x,
    ),
    "methods": lambda x: (
        x.sum(0),
        x.mean(axis=1, keepdims=True),
        x.max(),
        x.argmax(1),
        x.reshape(3, 2),
        x.reshape(-1),
        x.transpose(1, 0),
        x.ravel(),
        x.flatten(),
        x.copy(),
        x.clip(1, 3),
        x.dot(x.T),
        x.cumsum(1),
        x.std(),
        x.var(0),
        x.prod(),
        x.round(1),
        x.swapaxes(0, 1),
        x.repeat(2, 1),
        x.take([0, 2], axis=1),
        x.all(),
        (x > 9).any(),
        x.squeeze(),
        x.diagonal(),
    ),
    "parts": lambda x: (*np.split(x, 3, axis=1), *np.array_split(x, 2), np.atleast_2d(x)),
    "joined": lambda x: (np.concatenate([x, x]), np.stack([x, 2 * x]), np.vstack((x, X)), np.block([[x, x], [x, x]])),
    "shapes alone": lambda x: (
        np.ones_like(x),
        np.zeros_like(x.sum().item()),
        np.zeros_like(x),
        np.zeros(x.shape) + x,
        np.full_like(x, 2),
        np.ndim(x) * x,
    ),
    "einsum": lambda x: (
        np.einsum("ij,kj->ik", x, x),
        np.tensordot(x, x, 2),
        np.outer(x, x),
        np.inner(x, x),
        np.kron(x, x),
    ),
    "linear algebra": lambda x: (np.linalg.norm(x), *np.linalg.qr(x), np.linalg.svd(x, compute_uv=False)),
    "named results": lambda x: np.linalg.slogdet(x @ x.T + np.eye(2)),
    "ufunc methods": lambda x: (np.add.reduce(x, 0), np.add.accumulate(x, 1), np.multiply.outer(x[0], x[1])),
    "sorted": lambda x: (
        np.sort(x),
        np.argsort(x[:, ::-1]),
        np.unique(x),
        np.median(x),
        np.quantile(x, 0.3),
        np.flip(x),
    ),
    "fourier": lambda x: (np.fft.fft(x), np.fft.rfft(x, axis=0), np.abs(np.fft.fft2(x))),
    "complex": lambda x: (x + 1j, (x * 1j).conj(), np.angle(x + 1j), (x + 2j).imag, x.sum() * 1j, 1j * x.mean().item()),
    "keywords": lambda x: (
        np.sum(x, where=x > 1),
        np.add(x, 1, dtype=np.float32, casting="same_kind"),
        np.max(x, initial=9.0),
    ),
    "several ways out": lambda x: (np.divmod(x, 2), np.modf(x + 0.5), np.frexp(x)),
    "iteration": lambda x: (sum(row * i for i, row in enumerate(x)), [*x[0]], max(x[0], key=lambda v: -v)),
    "loops": lambda x: functools.reduce(lambda a, b: a * 1.1 + b, [x] * 30),
    "copies": lambda x: (copy.copy(x), copy.deepcopy(x) + 1, [y.sum() for y in (x.copy(), x.T.copy(), x.copy("F"))]),
    "orders": lambda x: (x.flatten("F"), x.reshape(3, 2, order="F"), x.astype(np.float16, order="F") * 2),
    "a Value": lambda x: (Value(x) * 2, (Value(x).sum() * Value(2.0)).data, np.sin(Value(x[0, 1]))),
    "operations of ours": lambda x: (autograd.relu(x - 2), autograd.softmax(x, -1), autograd.logsumexp(x, 0)),
    "powers": lambda x: (x**2, (x + 1) ** -1, x**1, x ** np.float64(2), x**x, x ** (x > 1)),
    "built in": lambda x: (round(x[0, 1] / 3, 1), x * round(x[1, 1]), divmod(x, 2), divmod(7, x + 1), divmod(x, x + 1)),
    "membership": lambda x: (3 in x, x[0, 0] in x[1], x.sum().item() in x),
    "shifts": lambda x: (x.astype(int) << 2, x.astype(int) >> 1, 1 << x.astype(int)),
    "functions made inside": lambda x: (
        np.apply_along_axis(lambda row: row[::-1] * len(X), 1, x),
        np.piecewise(x, [x < 2, x >= 2], [lambda v: -v, lambda v, k=2.0: v * k]),
    ),
    "constants": lambda x: (np.arange(3), np.eye(2) @ np.ones((2, 2)), np.float32(2), 3.5, None, True, x.size),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_is_noted_is_what_is_done(name, dtype):
    function = EXPRESSIONS[name]
    x = X.astype(dtype)
    assert_follows(function, (x,), (x[:, ::-1] * dtype(0.5) + dtype(0.25),), (np.asfortranarray(x),))


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, np.bool_, np.complex128, np.float16])
@pytest.mark.parametrize("shape", [(2, 3), (3,), (0, 3), (1,), ()])
def test_every_dtype_and_shape(shape, dtype):
    x = np.ones(shape, dtype)[()]

    def function(x):
        y = x * 2 + x
        whole = np.stack([y, y])
        return y, y + np.float32(1), y * 1.5, y.sum(), whole, x * x.dtype.type(3), whole**2, whole**2.0, whole**0.5

    assert_follows(function, (x,))


def test_numbers_as_arguments():
    assert_follows(
        lambda x, k=2.0: (x * k, k * 2, k**2, -k, np.sin(k), k != 1, x[0] / k, Value(k) * 3),
        *[(X, k) for k in (2.0, 3, 1.0, True, np.float64(2), np.float32(1.5), 3.0, 2 + 1j, 2.0)],
        (X,),
        (X.astype(np.float32), 2.5),
        (X.astype(np.float32), np.float64(2.5)),
        (X.astype(int), 2.5),
        (X.astype(int), 2),
    )


def test_layouts_count_to_the_last_bit():
    w = Value(np.random.default_rng(1).normal(size=(53, 41)))

    def function(x):
        w.zero_grad()
        hidden = np.tanh(x @ w)
        loss = np.mean(hidden * hidden) + np.mean(np.sum(x * x, axis=1)) + np.sum(np.exp(x))
        loss.backward()
        return loss, w.grad

    assert_follows(function, *[(y,) for y in layouts(np.random.default_rng(0).normal(size=(37, 53)))])


def layouts(x):
    first = np.broadcast_to(x[:1], x.shape)
    return x, np.asfortranarray(x), np.repeat(x, 2, 0)[::2], np.repeat(x, 2, 1)[:, ::2], x[::-1], x[:, ::-1], first, x


@pytest.mark.parametrize("function", [np.sum, lambda v: np.exp(v).sum(), lambda v: (v @ v.T).sum(), lambda v: v**2.0])
def test_a_value_is_a_copy_that_lies_as_copies_do(function):
    def both(x):
        v = Value(x)
        y = function(v)
        np.real(y).sum().backward()
        return y, v.grad, v.grad.sum(), np.tanh(v.grad).sum()

    x = np.random.default_rng(0).normal(size=(37, 53))
    assert_follows(both, *[(y,) for y in layouts(x)], *[(y[0],) for y in layouts(x)])
    assert_follows(both, *[(y * (1 + 1j),) for y in layouts(x)])
    x.setflags(write=False)  # of which a Value needs no copy
    assert_follows(both, *[(y,) for y in layouts(x)])


LAYOUTS = {
    "as it is": lambda x: x,
    "columns": np.asfortranarray,
    "every other row": lambda x: np.repeat(x, 2, 0)[::2],
    "every other column": lambda x: np.repeat(x, 2, 1)[:, ::2],
    "backwards": lambda x: x[::-1],
    "a part": lambda x: np.hstack([x, x])[:, : x.shape[1]],
    "one row": lambda x: np.broadcast_to(x[:1], x.shape),
}


@pytest.mark.parametrize("units", [1, 2, 41])
@pytest.mark.parametrize("held", [lambda x: x, Value, lambda x: x.T.copy().T], ids=["bare", "a Value", "a copy"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_products_and_sums_of_every_layout(layout, held, units):
    """An operation takes a matrix with gaps to BLAS in another way than np.matmul does; a Value's copy has none."""
    rng = np.random.default_rng(1)
    w, x = Value(rng.normal(size=(9, units))), LAYOUTS[layout](rng.normal(size=(24, 9)))

    def function(x):
        w.zero_grad()
        given = held(x)
        y = given @ w
        loss = y.sum() + np.tanh(given @ w).mean() + (y[::-1] * y[:, :1]).sum()
        loss.backward()
        return loss, w.grad

    assert_follows(function, (x,))


@pytest.mark.parametrize("dtypes", ["ee", "ff", "dd", "gg", "ii", "DD", "ed", "fd", "df", "id", "dD"])
def test_products_of_every_dtype(dtypes):
    rng = np.random.default_rng(1)
    x, w = (rng.normal(size=shape, scale=3).astype(kind) for shape, kind in zip([(24, 9), (9, 4)], dtypes, strict=True))
    v, u = Value(w), Value(w[:, 0])

    def function(x):
        for value in (u, v):
            value.zero_grad()
            y = x @ value
            if value.requires_grad:
                np.mean(abs(y * y)).backward()
        return y, np.matmul(x, v), x @ u, x @ w, v.grad, u.grad

    assert_follows(function, (x,))


def test_a_gradient_lies_as_it_would():
    rng = np.random.default_rng(0)
    w, x = Value(rng.normal(size=(41, 53))), rng.normal(size=(37, 53))
    transposed = Value(np.asfortranarray(w.data))

    def function(x):
        for value in (w, transposed):
            value.zero_grad()
        (np.tanh(x @ w.T) + x @ transposed.T).sum().backward()
        np.exp(w + transposed).sum().backward()
        return [(np.sum(g * g), np.tanh(g).sum(), g.strides[0]) for g in (w.grad, transposed.grad)]

    assert_follows(function, (x,))


# ---------------------------------------------------------------- writing in place


def test_what_was_made_inside_can_be_written_to():
    def function(x):
        y = x * 2
        z = y
        y += 1
        y[0] = x[1]
        np.multiply(y, x, out=y)
        y[1, 1:] = 7.0
        y **= 2
        return y, z

    assert_follows(function)


def test_an_array_without_axes_stays_one():
    def function(x):
        y = np.where(x[0, 0] > 3, x[0, 1], 2.0)
        y /= 3
        y[...] = y + 1
        return y

    assert_follows(function)


def test_a_copy_is_another_array():
    def function(x):
        a = x * 2
        b, c = copy.copy(a), copy.deepcopy(a)
        b += 1
        c *= 3
        return a, b, c

    assert_follows(function)


def test_a_constant_that_changes_while_the_function_runs():
    def function(x):
        buffer = np.zeros(3)
        first = x + buffer
        buffer += 1
        second = x * buffer
        buffer[0] = 9
        return first, second, x - buffer, buffer

    assert_follows(function)


def test_a_value_owns_its_numbers():
    def function(x):
        y = x * 2
        v = Value(y)
        y += 1
        d = v.data
        d += 5
        return v, y, d

    assert_follows(function)


@pytest.mark.parametrize(
    "write",
    [
        lambda x, a, w: x.__iadd__(1),
        lambda x, a, w: x.__setitem__(0, 1.0),
        lambda x, a, w: np.add(x, 1, out=x),
        lambda x, a, w: np.add(x, 1, out=a),
        lambda x, a, w: a.__iadd__(x),
        lambda x, a, w: a.__setitem__(0, x[0]),
        lambda x, a, w: x[0].__iadd__(1),
        lambda x, a, w: x.conj().__iadd__(1),
        lambda x, a, w: x.T.__setitem__(0, 1.0),
        lambda x, a, w: a.sort(),
        lambda x, a, w: np.add(w.data, 1, out=w.data),
        lambda x, a, w: np.copyto(a, x),
        lambda x, a, w: a.fill(1.0),
        lambda x, a, w: np.add.at(a, 0, x[0]),
        lambda x, a, w: np.put(a, 0, x[0, 0]),
        lambda x, a, w: np.fill_diagonal(x, 1),
        lambda x, a, w: (lambda y: y[0].__iadd__(1))(x * 2),
        lambda x, a, w: a.partition(1),
        lambda x, a, w: a.resize(3),
    ],
)
def test_what_came_from_outside_is_never_written_to(write):
    a, w = np.ones((2, 3)), Value(np.ones((2, 3)))
    before = X.copy()

    def function(x):
        write(x, a, w)
        return x * 2 + a + w

    with pytest.raises(CompileError):
        compile(function)(X)
    assert np.array_equal(X, before) and type(a) is np.ndarray and np.all(a == 1) and np.all(w.data == 1)


def test_a_view_that_changes_with_its_array_is_refused_however_late():
    def function(x, n):
        y = x * 2
        view = y[0]
        for _ in range(n):
            x = x + 1
        y += 1
        return view + x

    for n in (0, 100):
        with pytest.raises(CompileError, match="writing in place"):
            compile(function)(X, n)


# ---------------------------------------------------------------- what Python may not see


@pytest.mark.parametrize(
    "look",
    [
        float,
        int,
        complex,
        str,
        lambda x: range(3)[x],
        lambda x: f"{x:.2f}",
        lambda x: np.asarray(x),
        lambda x: np.array([x]),
        lambda x: np.zeros(3).__setitem__(0, x),
        lambda x: x.tolist(),
        lambda x: np.zeros(x),
        lambda x: [1, 2][x],
        lambda x: __import__("math").exp(x),
        lambda x: np.frombuffer(x),
        lambda x: x.base,
        lambda x: x.flat,
        lambda x: memoryview(x),
        lambda x: np.vectorize(lambda v: v)(x),
    ],
)
def test_looking_at_a_number_is_refused_in_words(look):
    with pytest.raises((CompileError, TypeError)) as error:
        compile(lambda x: look(x.sum()))(X)
    if isinstance(error.value, CompileError):
        assert "while a function is traced" in str(error.value) and "np.where" in str(error.value)


def test_an_error_tells_of_numbers_as_ever():
    def function(x, how):
        total = np.sum(x)
        if how == "text":
            return x * len(f"{total:.3f}")
        try:
            raise ValueError(f"too large: {total:.3f}, {x[0]}, {total!s}")
        except ValueError as error:
            if how == "caught":
                return x * len(str(error))
            raise

    with pytest.raises(ValueError, match=r"too large: 15\.000, \[0\. 1\. 2\.\], 15\.0"):
        compile(function)(X, "raised")
    for how in ("text", "caught"):
        with pytest.raises(CompileError, match="formatting"):
            compile(function)(X, how)
    with pytest.raises(IndexError, match=r"Embedding\(5, 2\) got 7"):
        compile(nn.Embedding(5, 2, seed=0))(np.array([3, 7]))


def test_a_number_that_python_looks_at_outside_is_a_condition_and_no_error():
    n = 2.0

    def function(x):
        return x * np.full(3, float(n)) * [1.0, 2.0, 3.0][int(n)]

    compiled = compile(function)
    for n in (2.0, 1.0, 2.0, 0.0, 1.0, 1.0, 1.0, 2.0):  # noqa: B007
        assert np.array_equal(compiled(X), function(X))


def test_a_number_in_a_list_that_becomes_an_array():
    n = 2.0

    def function(x):
        return x * np.array([n, 1.0, 2.0])

    compiled = compile(function)
    for n in (2.0, 1.0, 2.0, 0.0, 1.0, 1.0, 1.0, 2.0):  # noqa: B007
        assert np.array_equal(compiled(X), function(X))
    with pytest.raises(CompileError, match="a plain NumPy array"):
        compile(lambda x: x * np.array([x[0, 0], 1.0, 2.0]))(X)


def test_what_it_says_of_itself():
    recorder = Recorder()
    traced = recorder.source(X, "x")
    assert repr(traced) == "<traced float64[2, 3]>" and not hasattr(traced, "nonsense")
    assert (traced.shape, traced.ndim, traced.size, len(traced)) == ((2, 3), 2, 6, 2)
    total = traced.sum() * 2
    assert type(total) is Traced and [call.function for call in recorder.calls][-1] is not None
    recorder.live = False
    with pytest.raises(CompileError, match="a trace that is over"):
        traced + 1


# ---------------------------------------------------------------- random numbers


def test_draws_are_those_of_the_generator():
    def made():
        rng = np.random.default_rng(0)

        def function(x):
            noise = rng.normal(size=x.shape)
            order = rng.permutation(x.shape[1])
            return x[:, order] + noise * rng.random() + rng.integers(0, 9) + rng.choice([1.0, 2.0]), rng.uniform(0, x)

        return function, rng

    (function, one), (eager, other) = made(), made()
    compiled = compile(function)
    for _ in range(8):
        assert_same(compiled(X), eager(X))
        assert one.bit_generator.state == other.bit_generator.state
    assert compiled.traces < 5


def test_draws_before_a_turn_are_made_once():
    def made():
        rng = np.random.default_rng(0)
        return (lambda x: x + rng.normal(size=3) if rng.random() > 0.5 else x * rng.random()), rng

    (function, one), (eager, other) = made(), made()
    compiled = compile(function)
    for _ in range(40):
        assert_same(compiled(X), eager(X))
        assert one.bit_generator.state == other.bit_generator.state
    assert compiled.traces == 4


@pytest.mark.parametrize(
    "draw", [lambda rng, x: rng.shuffle(x * 2), lambda rng, x: rng.spawn(1), lambda rng, x: rng.bit_generator]
)
def test_what_cannot_be_drawn_in_a_program_is_said(draw):
    rng = np.random.default_rng(0)
    with pytest.raises(CompileError, match=r"generator\."):
        compile(lambda x: (draw(rng, x), x)[1])(X)


# ---------------------------------------------------------------- what is returned


def test_results_are_the_callers_own():
    constant, named = np.ones(3), collections.namedtuple("Named", "a b")

    def function(x):
        y = x * 2
        return (
            y,
            y,
            [y[0], y.T],
            {"x": x, "c": constant, "new": np.zeros(2)},
            named(x[0], np.broadcast_to(x[0], (2, 3))),
        )

    compiled, kept = compile(function), []
    for _ in range(6):
        x = X.copy()
        result = compiled(x)
        assert type(result[4]) is named
        arrays = [*result[:2], *result[2], *result[3].values(), *result[4]]
        wanted = [X * 2, X * 2, X[0] * 2, X.T * 2, X, np.ones(3), np.zeros(2), X[0], X[[0, 0]]]
        assert all(np.array_equal(a, b) for a, b in zip(arrays, wanted, strict=True))
        for array in kept:
            assert np.all(array == -1)
        for array in arrays:
            array.flags.writeable = True
            array[...] = -1
        kept += arrays
        assert np.array_equal(x, X) and np.array_equal(constant, np.ones(3))


def test_what_stands_outside_is_returned_as_it_is():
    w, words, generator = Value(np.ones(3)), ["a"], np.random.default_rng(0)
    compiled = compile(lambda x: (w, words, generator, x * generator.normal()))
    for _ in range(4):
        assert all(map(operator.is_, compiled(X), (w, words, generator)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: {1.0, 2.0},
        lambda x: (i for i in range(3)),
        lambda x: lambda: x,
        lambda x: collections.deque([x]),
        lambda x: bytearray(3),
        lambda x: object(),
    ],
)
def test_other_results_are_refused(function):
    with pytest.raises(CompileError, match="which a program cannot make"):
        compile(function)(X)
