"""Rules of derivatives that are wrong, each in its own way, and right ones that are hard to check.

A case is a function of NumPy arrays, a vector-Jacobian product ``vjp(g, *args)`` that returns a tuple, and the
arguments. Only NumPy: the checkers of all engines get the same code, each wrapped as a custom operation.
"""

import math
from typing import Any, NamedTuple

import numpy as np

rng = np.random.default_rng(7)
X = rng.normal(size=(3, 4))
S = rng.normal(size=(4, 4))
V = rng.normal(size=5)
P = rng.uniform(0.3, 2.0, size=(3, 4))
LONG = rng.normal(size=3000)


class Case(NamedTuple):
    name: str
    f: Any
    vjp: Any
    args: tuple
    order: int = 1


def calling(vjp):
    """A vjp that returns one array, as one that returns a tuple."""
    return lambda g, *args: (vjp(g, *args),)


def case(name, f, vjp, *args, order=1):
    return Case(name, f, vjp if getattr(vjp, "several", False) else calling(vjp), args, order)


def several(vjp):
    vjp.several = True
    return vjp


def plain(x):
    """Of a Value its numbers: what a rule must not take."""
    return x if isinstance(x, np.ndarray | float) else getattr(x, "data", x)


def unbroadcast(g, x):
    g = g.sum(axis=tuple(range(g.ndim - np.ndim(x))))
    axes = tuple(i for i, n in enumerate(np.shape(x)) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=axes, keepdims=True) if axes else g


# -------------------------------------------------------------------- rules with a state of their own


class SecondCall:
    def __init__(self):
        self.calls = 0

    def __call__(self, g, x):
        self.calls += 1
        return g * np.cos(x) * (1.0 if self.calls == 1 else 2.0)


class Reused:
    def __init__(self):
        self.buffer = None

    def __call__(self, g, x):
        if self.buffer is None or self.buffer.shape != x.shape:
            self.buffer = np.empty_like(x)
        np.multiply(g, np.cos(x), out=self.buffer)
        return self.buffer


class Redrawn:
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def __call__(self, g, x):
        return g * np.cos(x) * (1 + 1e-3 * self.rng.normal(size=x.shape))


# -------------------------------------------------------------------- rules that are wrong


def one_entry(g, x):
    d = 2 * x * g
    d[1234] *= 1.01
    return d


def last_row(g, x):
    d = g * np.cos(x)
    d[-1] = 0
    return d


def changes_input(g, x):
    d = g * np.cos(x)
    x *= 0.5
    return d


def changes_seed(g, x):
    g *= np.cos(x)
    return g.copy()


def read_only(g, x):
    x += 0.0
    return g * np.cos(x)


def in_memory_order(g, x):
    return (g.ravel("K") * np.cos(x.ravel("K"))).reshape(x.shape)


def forward_strides(g, x):
    d = np.cos(x)
    return g * (d if all(s > 0 for s in x.strides) else d[::-1])


def contiguous_seed(g, x):
    if not g.flags.c_contiguous:
        g = np.ravel(g, "K").reshape(g.shape)[::-1]
    return g * np.cos(x)


def not_at_zero(g, x):
    with np.errstate(all="ignore"):
        return g * (x * np.cos(x) - np.sin(x)) / x**2


def sin_over_x(x):
    return np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def naive_sigmoid(g, x):
    with np.errstate(all="ignore"):
        return g * np.exp(x) / (1 + np.exp(x)) ** 2


def stable_sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softmax(x):
    e = np.exp(x - np.max(x.real, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x):
    z = x - np.max(x.real, axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def gathered(x):
    return x[np.array([0, 0, 2])]


def assigned(g, x):
    d = np.zeros_like(x)
    d[np.array([0, 0, 2])] = g
    return d


def added(g, x):
    d = np.zeros_like(x)
    np.add.at(d, np.array([0, 0, 2]), g)
    return d


def one_axis(g, x):
    if 1 in x.shape:
        return np.ones_like(x) * g.sum()
    return np.broadcast_to(np.expand_dims(g, 0), x.shape).copy()


@several
def same_array(g, a, b):
    d = g.copy()
    return d, d


@several
def both_ways(g, a, b):
    return g * a, g * b


@several
def only_one(g, a, b):
    return (g * b,)


@several
def not_summed(g, a, b):
    return g.copy(), g.copy()


@several
def wrong_axis(g, a, b):
    return g.copy(), g.sum(axis=1)


@several
def untransposed(g, a, b):
    return g @ b, a.T @ g


@several
def bias_twice(g, x, w, b):
    return g @ w.T, x.T @ g, 2 * g.sum(axis=0)


LEAK = np.array([-2.0, -0.5, 0.7, 1.5])

BUGS = [
    case("sign", np.cos, lambda g, x: g * np.sin(x), X),
    case("factor 2", np.tanh, lambda g, x: 2 * g * (1 - np.tanh(x) ** 2), X),
    case("factor 1/2", np.square, lambda g, x: g * x, X),
    case("no inner derivative", lambda x: np.sin(3 * x), lambda g, x: g * np.cos(3 * x), X),
    case("mean without 1/n", np.mean, lambda g, x: g * np.ones_like(x), X),
    case("sum with 1/n", np.sum, lambda g, x: g * np.ones_like(x) / x.size, X),
    case(
        "n - 1 for n", lambda x: np.mean((x - np.mean(x)) ** 2), lambda g, x: g * 2 * (x - np.mean(x)) / (x.size - 1), X
    ),
    case("product rule, one term", lambda x: x**2 * np.exp(-x), lambda g, x: g * 2 * x * np.exp(-x), X),
    case("quotient rule, sign", lambda x: x / (1 + x**2), lambda g, x: g * (1 + x**2 + 2 * x * x) / (1 + x**2) ** 2, X),
    case("matmul without transpose", np.matmul, untransposed, S, S + 1),
    case("transposed", lambda x: np.sum(S * x**2), lambda g, x: g * (2 * S * x).T, S + 1),
    case("summed over the wrong axis", np.add, wrong_axis, S, S[0]),
    case("broadcast not summed", np.add, not_summed, X, X[0]),
    case("an axis kept", lambda x: x.sum(axis=1), lambda g, x: (g[:, None] * np.ones_like(x)).sum(1, keepdims=True), X),
    case("sign, on 1e-7 x²", lambda x: 1e-7 * x**2, lambda g, x: -g * 2e-7 * x, X),
    case("factor, on 1e-9 sin", lambda x: 1e-9 * np.sin(x), lambda g, x: 1.1 * g * 1e-9 * np.cos(x), X),
    case("one entry of 3,000, by 1 %", np.square, one_entry, LONG),
    case("the last row only", np.sin, last_row, X),
    case("returns its seed", lambda x: x + 1.0, lambda g, x: g, X),
    case("a view of its seed", lambda x: x.T.copy(), lambda g, x: g.T, X),
    case("two gradients in one array", np.add, same_array, X, X + 1),
    case("changes its input", np.sin, changes_input, X),
    case("changes its seed", np.sin, changes_seed, X),
    case("wrong on the second call", np.sin, SecondCall(), X),
    case("overwrites what it returned", np.sin, Reused(), X),
    case("random", np.sin, Redrawn(), X),
    case("not linear in the seed", np.sin, lambda g, x: np.abs(g) * g * np.cos(x), X),
    case("absolute value of the seed", np.sin, lambda g, x: np.abs(g) * np.cos(x), X),
    case("not 0 for a seed of 0", np.sin, lambda g, x: g * np.cos(x) + 1e-3, X),
    case("wrong for Fortran order", np.sin, in_memory_order, X),
    case("wrong for reversed arrays", np.sin, forward_strides, X),
    case("wrong for a strided seed", np.sin, contiguous_seed, X),
    case("fails on read-only input", np.sin, read_only, X),
    case("NaN where finite", sin_over_x, not_at_zero, np.array([0.0, 0.5, 2.0])),
    case("NaN for large arguments", stable_sigmoid, naive_sigmoid, np.array([-800.0, 0.5, 800.0])),
    case(
        "infinite where finite",
        lambda x: np.abs(x) ** 1.5,
        lambda g, x: g * 1.5 * x / np.sqrt(np.abs(x)) if np.all(x) else np.full_like(x, np.inf),
        np.array([0.0, 1.0]),
    ),
    case("float64 for float32", np.sin, lambda g, x: g * np.cos(x.astype(np.float64)), X.astype(np.float32)),
    case("integers for floats", np.square, lambda g, x: (2 * g * x).astype(int), np.round(X * 3)),
    case("wrong for negative arguments", np.abs, lambda g, x: g * np.ones_like(x), X),
    case(
        "wrong for large arguments",
        np.tanh,
        lambda g, x: g * np.where(np.abs(x) < 2, 1 - np.tanh(x) ** 2, 0.0),
        np.array([0.1, -1.0, 1.9, 3.0]),
    ),
    case("one side of a kink", lambda x: np.where(x > 0, x, 0.01 * x), lambda g, x: g * (x > 0), LEAK),
    case("outside the subgradients", np.abs, lambda g, x: g * np.where(x == 0, 5.0, np.sign(x)), np.array([0.0, 1.0])),
    case("ties get it all, each", np.max, lambda g, x: g * (x == np.max(x)), np.array([1.0, 3.0, 3.0, 2.0])),
    case("softmax without its sum", softmax, lambda g, x: g * softmax(x) * (1 - softmax(x)), X),
    case("log-softmax without its sum", log_softmax, lambda g, x: g.copy(), X),
    case("shifted the wrong way", lambda x: np.roll(x, 1), lambda g, x: np.roll(g, 1), V),
    case("cumsum not reversed", np.cumsum, lambda g, x: np.cumsum(g), V),
    case("degrees for radians", lambda x: np.sin(np.deg2rad(x)), lambda g, x: g * np.cos(np.deg2rad(x)), 40 * V),
    case("log10 as ln", np.log10, lambda g, x: g / x, P),
    case("3.14 for pi", lambda x: np.sin(np.pi * x), lambda g, x: g * 3.14 * np.cos(np.pi * x), V),
    case("exp - 1 as expm1's", np.expm1, lambda g, x: g * np.expm1(x), V),
    case("wrong for axes of length 1", lambda x: x.sum(axis=0), one_axis, X),
    case(
        "shape of an empty array",
        lambda x: 2.0 * x,
        lambda g, x: np.zeros(0) if x.size == 0 else 2.0 * g,
        np.zeros((0, 3)),
    ),
    case("duplicates assigned, not added", gathered, assigned, V),
    case("gradients in the wrong order", np.multiply, both_ways, X, X + 1),
    case("one gradient missing", np.multiply, only_one, X, X + 1),
    case("bias twice", lambda x, w, b: x @ w + b, bias_twice, X, S, S[0]),
    case("matrix taken for symmetric", lambda x: x @ (S[:3, :3] @ x), lambda g, x: g * 2 * S[:3, :3] @ x, V[:3]),
    case("norm without its division", lambda x: np.sqrt(np.sum(x * x)), lambda g, x: g * x, V),
    case("a part taken for constant", lambda x: x * np.sum(x**2), lambda g, x: g * np.sum(x**2), V),
    case("an offset of 1e-5", np.sin, lambda g, x: g * (np.cos(x) + 1e-5), V),
    case(
        "the smallest entry, wrong sign",
        lambda x: np.sum(x**2),
        lambda g, x: g * np.where(x < 1e-5, -2 * x, 2 * x),
        np.array([1e-6, 1.0, 30.0]),
    ),
    case("second order: a part taken for constant", np.sin, lambda g, x: g * np.cos(plain(x)), X, order=2),
    case("second order: seed taken for constant", np.square, lambda g, x: 2 * plain(g) * x, X, order=2),
]


# Complex numbers: `g` and what a rule gives are dL/da - i dL/db of a number a + ib. Not every checker's convention.

Z = X + 1j * X[::-1]
ZS = S + 1j * S.T


@several
def complex_for_real(g, x, z):
    return g * z, g * x


@several
def conjugate_transposed(g, a, b):
    return g @ np.conj(b).T, np.conj(a).T @ g


COMPLEX_BUGS = [
    case("conjugate of a holomorphic derivative", np.exp, lambda g, z: g * np.conj(np.exp(z)), Z),
    case("abs, conjugate dropped", np.abs, lambda g, z: g * z / np.abs(z), Z),
    case("abs, as if real", np.abs, lambda g, z: g * np.sign(z.real) + 0j, Z),
    case("abs², factor 2 of Wirtinger", lambda z: np.abs(z) ** 2, lambda g, z: g * np.conj(z), Z),
    case("conj, seed not conjugated", np.conj, lambda g, z: +g, Z),
    case("imag, i with the wrong sign", np.imag, lambda g, z: 1j * g, Z),
    case("real, imaginary part of the gradient", np.real, lambda g, z: (1 + 1e-3j) * g, Z),
    case("real part not taken", np.multiply, complex_for_real, X, Z),
    case("imaginary part lost", np.sin, lambda g, z: (g * np.cos(z)).real + 0j, Z),
    case("real by a complex rule", lambda x: np.exp(1j * x), lambda g, x: (g * np.exp(1j * x)).real, X),
    case("angle, sign", np.angle, lambda g, z: 1j * g / z, Z),
    case("matmul, conjugate transpose", np.matmul, conjugate_transposed, ZS, ZS.T + 1),
    case("inner product, both factors", lambda z: np.sum(np.conj(z) * z), lambda g, z: 2 * g * np.conj(z), Z),
    case("linear in the conjugate of the seed", np.exp, lambda g, z: np.conj(g) * np.exp(z), Z),
    case("fft with the rule of ifft", np.fft.fft, lambda g, z: np.fft.ifft(g), Z),
    case("fft of real numbers, complex", np.fft.fft, lambda g, x: np.fft.fft(g), X),
    case("one imaginary part of 300, by 1 %", np.square, lambda g, z: 2 * g * z + 0.02j * (g * z).imag *
         (np.arange(300) == 123), np.concatenate([Z.ravel()] * 25)),
    case("complex128 for complex64", np.exp, lambda g, z: g * np.exp(z.astype(complex)), Z.astype(np.complex64)),
    case("second order: conjugate taken for constant", lambda z: np.abs(z) ** 2, lambda g, z: 2 * g * np.conj(plain(z)),
         Z, order=2),
]  # fmt: skip


# -------------------------------------------------------------------- right, and hard


def in_float32(x):
    return np.asarray(x, np.float32).astype(np.float64) ** 2


def with_math(x):
    return np.array([math.gamma(float(t)) for t in np.ravel(x)]).reshape(np.shape(x))


def digamma_times_gamma(g, x):
    def psi(t):
        total = 0.0
        while t < 20:
            total, t = total - 1 / t, t + 1
        return (
            total + math.log(t) - 1 / (2 * t) - 1 / (12 * t**2) + 1 / (120 * t**4) - 1 / (252 * t**6) + 1 / (240 * t**8)
        )

    return g * np.array([math.gamma(t) * psi(t) for t in x])


@several
def product(g, a, b):
    return unbroadcast(g * b, a), unbroadcast(g * a, b)


@several
def matrices(g, a, b):
    return g @ b.T, a.T @ g


@several
def solved(g, a, b):
    w = np.linalg.solve(a.T, g)
    return -np.outer(w, np.linalg.solve(a, b)), w


@several
def angle(g, y, x):
    return g * x / (x * x + y * y), -g * y / (x * x + y * y)


def soft_gradient(g, x):
    y = softmax(x)
    return y * (g - np.sum(g * y, axis=-1, keepdims=True))


def maximum_gradient(g, x):
    mask = x == np.max(x)
    return g * mask / mask.sum()


def cumulative_product(g, x):
    y = np.cumprod(x)
    return np.cumsum((g * y)[::-1])[::-1] / x


def sorted_gradient(g, x):
    d = np.empty_like(x)
    d[np.argsort(x)] = g
    return d


def huber(x):
    return np.where(np.abs(x) <= 1, x * x / 2, np.abs(x) - 0.5)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


RELU = (lambda x: np.maximum(x, 0.0), lambda g, x: g * (x > 0))
HARD = [
    case("1e8 + x²", lambda x: 1e8 + x**2, lambda g, x: 2 * g * x, np.array([0.3, -1.0, 5.0])),
    case("exp at 30", np.exp, lambda g, x: g * np.exp(x), np.array([30.0, -20.0, 1.0])),
    case("exp at 300", np.exp, lambda g, x: g * np.exp(x), np.array([300.0])),
    case(
        "sigmoid(200 x)",
        lambda x: sigmoid(200 * x),
        lambda g, x: 200 * g * sigmoid(200 * x) * sigmoid(-200 * x),
        np.array([0.001, -0.01, 0.05]),
    ),
    case(
        "sigmoid(200 x), saturated",
        lambda x: stable_sigmoid(200 * x),
        lambda g, x: 200 * g * stable_sigmoid(200 * x) * stable_sigmoid(-200 * x),
        np.array([1.0, -1.0]),
    ),
    case("sqrt at 1e-8", np.sqrt, lambda g, x: g / (2 * np.sqrt(x)), np.array([1e-8, 1e-4, 2.0])),
    case("float32 inside", in_float32, lambda g, x: 2 * g * x, np.array([0.7, -1.3, 2.1])),
    case(
        "2e-7 from a kink",
        lambda x: np.maximum(x - 1, 0),
        lambda g, x: g * (x > 1),
        np.array([1 + 2e-7, 1 - 2e-7, 3.0]),
    ),
    case("2e-7 from a kink, one of 200", *RELU, np.concatenate([[2e-7], LONG[:199]])),
    case("3,000 entries", np.sin, lambda g, x: g * np.cos(x), LONG),
    case("3,000 entries to a number", lambda x: np.sum(x**3), lambda g, x: g * 3 * x**2, LONG),
    case("3,000 entries with kinks", *RELU, LONG),
    case("no entries", np.sin, lambda g, x: g * np.cos(x), np.zeros((0, 3))),
    case("sum of no entries", np.sum, lambda g, x: g * np.ones_like(x), np.zeros((0, 3))),
    case("1e-9 sin", lambda x: 1e-9 * np.sin(x), lambda g, x: 1e-9 * g * np.cos(x), X),
    case("1e-30 x²", lambda x: 1e-30 * x**2, lambda g, x: 2e-30 * g * x, X),
    case("1e30 x²", lambda x: 1e30 * x**2, lambda g, x: 2e30 * g * x, X),
    case("sin(1e4 x)", lambda x: np.sin(1e4 * x), lambda g, x: 1e4 * g * np.cos(1e4 * x), V),
    case("log at 1e-10", np.log, lambda g, x: g / x, np.array([1e-10, 0.5, 1e6])),
    case("1/x at 1e-6", np.reciprocal, lambda g, x: -g / x**2, np.array([1e-6, -3.0])),
    case("tan near pi/2", np.tan, lambda g, x: g / np.cos(x) ** 2, np.array([1.57, 0.3])),
    case("arcsin near 1", np.arcsin, lambda g, x: g / np.sqrt((1 - x) * (1 + x)), np.array([0.9999999, -0.2])),
    case("x^x", lambda x: x**x, lambda g, x: g * x**x * (np.log(x) + 1), P),
    case("softmax of large numbers", softmax, soft_gradient, 30 * X),
    case("log-softmax", log_softmax, lambda g, x: g - softmax(x) * g.sum(axis=-1, keepdims=True), 5 * X),
    case("relu at 0", *RELU, np.array([0.0, 1.0, -1.0])),
    case("abs at 0", np.abs, lambda g, x: g * np.sign(x), np.array([0.0, 1.0, -1.0])),
    case("sign(0) = 1 at the kink of abs", np.abs, lambda g, x: g * np.where(x >= 0, 1.0, -1.0), np.array([0.0, -1.0])),
    case("max of ties", np.max, maximum_gradient, np.array([1.0, 3.0, 3.0, 2.0])),
    case("x |x| at 0", lambda x: x * np.abs(x), lambda g, x: 2 * g * np.abs(x), np.array([0.0, 1.0, -2.0])),
    case("Huber at its seam", huber, lambda g, x: g * np.clip(x, -1, 1), np.array([1.0, -1.0, 0.5, 4.0])),
    case("softplus at ±40", softplus, lambda g, x: g * stable_sigmoid(x), np.array([-40.0, 0.0, 40.0])),
    case(
        "exp(-1/x²), flat",
        lambda x: np.exp(-1 / x**2),
        lambda g, x: g * np.exp(-1 / x**2) * 2 / x**3,
        np.array([0.2, 1.0]),
    ),
    case("(x - 1)^5 near 1", lambda x: (x - 1) ** 5, lambda g, x: 5 * g * (x - 1) ** 4, np.array([1.001, 2.0])),
    case("matrices of 1e6 and 1e-6", np.matmul, matrices, 1e6 * S, 1e-6 * S.T),
    case("entries from 1e-8 to 1e8", lambda x: np.sum(x**2), lambda g, x: 2 * g * x, np.array([1e-8, 1e-3, 1.0, 1e8])),
    case(
        "norm of a tiny vector", lambda x: np.sqrt(np.sum(x * x)), lambda g, x: g * x / np.sqrt(np.sum(x * x)), 1e-9 * V
    ),
    case("floor", np.floor, lambda g, x: 0.0 * g, np.array([0.5, -1.3, 7.7])),
    case("sin(1/x) at 0.02", lambda x: np.sin(1 / x), lambda g, x: -g * np.cos(1 / x) / x**2, np.array([0.02, 1.0])),
    case(
        "(1 - cos x)/x² at 1e-3",
        lambda x: (1 - np.cos(x)) / x**2,
        lambda g, x: g * (x * np.sin(x) - 4 * np.sin(x / 2) ** 2) / x**3,
        np.array([1e-1, 2.0]),
    ),
    case("float32 arguments", np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), X.astype(np.float32)),
    case("a Fortran-ordered argument", np.sin, lambda g, x: g * np.cos(x), np.asfortranarray(X)),
    case("broadcasting both ways", np.multiply, product, X[:, :1].copy(), X[:1].copy()),
    case("a number", np.sin, lambda g, x: g * np.cos(x), np.float64(0.7)),
    case("constant", lambda x: 0.0 * x + 3.0, lambda g, x: 0.0 * g, X),
    case("clip", lambda x: np.clip(x, -1, 1), lambda g, x: g * ((x > -1) & (x < 1)), X),
    case("cumulative product", np.cumprod, cumulative_product, V),
    case("sort", np.sort, sorted_gradient, V),
    case("determinant", np.linalg.det, lambda g, x: g * np.linalg.det(x) * np.linalg.inv(x).T, S),
    case("inverse", np.linalg.inv, lambda g, x: -np.linalg.inv(x).T @ g @ np.linalg.inv(x).T, S),
    case("solve", lambda a, b: np.linalg.solve(a, b), solved, S, S[0]),
    case(
        "logaddexp, 1,000 apart",
        lambda x: np.logaddexp(x, 0.0),
        lambda g, x: g * stable_sigmoid(x),
        np.array([-1000.0, 0.1, 1000.0]),
    ),
    case("arctan2", np.arctan2, angle, V, V[::-1] + 0.1),
    case("log1p at 1e-12", np.log1p, lambda g, x: g / (1 + x), np.array([1e-12, -1e-9, 0.5])),
    case("1e200 x", lambda x: 1e200 * np.sin(x), lambda g, x: 1e200 * g * np.cos(x), V),
    case("at 1e-300", np.exp, lambda g, x: g * np.exp(x), np.array([1e-300, 0.0])),
    case("an index twice", gathered, added, V),
    case("the gamma function, no complex numbers", with_math, digamma_times_gamma, np.array([0.5, 1.7, 4.2])),
    case("scaled inside", lambda x: np.sin(x * 1e-6) * 1e6, lambda g, x: g * np.cos(x * 1e-6), V),
    case("at 1e6", np.sin, lambda g, x: g * np.cos(x), np.array([1e6, -1e6])),
    case("cube root near 0", np.cbrt, lambda g, x: g / (3 * np.cbrt(x) ** 2), np.array([1e-9, -1e-6, 8.0])),
    case(
        "two kinks close by",
        lambda x: np.abs(x - 1) + np.abs(x - 1.00001),
        lambda g, x: g * (np.sign(x - 1) + np.sign(x - 1.00001)),
        np.array([1.000003, 0.5, 2.0]),
    ),
]


@several
def real_and_complex(g, x, z):
    return (g * z).real, g * x


@several
def complex_matrices(g, a, b):
    return g @ b.T, a.T @ g


def abs_gradient(g, z):
    with np.errstate(all="ignore"):
        return np.where(z == 0, 0, g * np.conj(z) / np.abs(z))


COMPLEX_HARD = [
    case("complex exp", np.exp, lambda g, z: g * np.exp(z), Z, order=2),
    case("complex abs", np.abs, lambda g, z: g * np.conj(z) / np.abs(z), Z, order=2),
    case("complex abs at 0", np.abs, abs_gradient, np.array([0j, 1 + 1j, -2j])),
    case("conj", np.conj, lambda g, z: np.conj(g), Z, order=2),
    case("real", np.real, lambda g, z: g + 0j, Z, order=2),
    case("imag", np.imag, lambda g, z: -1j * g, Z, order=2),
    case("angle", np.angle, lambda g, z: -1j * g / z, Z),
    case("sqrt beside its branch cut", np.sqrt, lambda g, z: g / (2 * np.sqrt(z)), np.array([-1 + 1e-6j, -4 - 0.1j])),
    case("log at 1e-8 i", np.log, lambda g, z: g / z, np.array([1e-8j, 1e6 + 1j])),
    case("imaginary parts of 0", np.sin, lambda g, z: g * np.cos(z), X + 0j),
    case("real parts of 0", np.sin, lambda g, z: g * np.cos(z), 1j * X),
    case("imaginary parts of 1e-12", np.square, lambda g, z: 2 * g * z, X + 1e-12j),
    case("1e8 + z²", lambda z: 1e8 + z**2, lambda g, z: 2 * g * z, Z),
    case("real times complex", np.multiply, real_and_complex, X, Z, order=2),
    case("complex matrices", np.matmul, complex_matrices, ZS, ZS.T + 1, order=2),
    case("complex inverse", np.linalg.inv, lambda g, z: -np.linalg.inv(z).T @ g @ np.linalg.inv(z).T, ZS),
    case("fft", np.fft.fft, lambda g, z: np.fft.fft(g), Z, order=2),
    case("fft of real numbers", np.fft.fft, lambda g, x: np.fft.fft(g).real, X),
    case("exp(ix)", lambda x: np.exp(1j * x), lambda g, x: np.real(1j * g * np.exp(1j * x)), X, order=2),
    case("power spectrum", lambda x: np.abs(np.fft.fft(x)) ** 2,
         lambda g, x: 2 * np.fft.fft(g * np.conj(np.fft.fft(x))).real, X),
    case("phase alone", lambda z: z / np.abs(z),
         lambda g, z: (g - np.conj(g) * np.conj(z) ** 2 / np.abs(z) ** 2) / (2 * np.abs(z)), Z),
    case("1,000 complex entries", np.exp, lambda g, z: g * np.exp(z), LONG[:1000] + 1j * LONG[1000:2000]),
    case("complex64", np.tanh, lambda g, z: g * (1 - np.tanh(z) ** 2), Z.astype(np.complex64)),
    case("no complex entries", np.sin, lambda g, z: g * np.cos(z), np.zeros((0, 3), complex)),
    case("a complex number", np.sin, lambda g, z: g * np.cos(z), np.complex128(0.7 + 0.2j)),
]  # fmt: skip
