"""Random programs of ten to thirty operations, drawn by Hypothesis, against finite differences and PyTorch.

A program is NumPy code, line by line, and what fails is printed as such. While it is drawn, it is run at five points
along the direction in which it will be differentiated. A line is taken only if there all its values are finite and
moderate, move little and smoothly, and if no choice in it (of a sign, a larger one, an order) comes near a tie. So
every program drawn is one of which finite differences tell the derivative.

There are 200 in a run, always the same; ``PROGRAMS=5000 python -m pytest tests/autograd/test_programs.py`` draws that
many, new ones each time.
"""

import os
import re
import types
import warnings

import numpy as np
import pytest

import autograd
from autograd import Value, hvp, jvp

hypothesis = pytest.importorskip("hypothesis", reason="Hypothesis, which draws the programs, is not installed")

from hypothesis import HealthCheck, note, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

MANY = os.environ.get("PROGRAMS")
each_program = settings(
    max_examples=int(MANY or 200),
    derandomize=not MANY,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

STEP = 1e-3
POINTS = (0.0, -STEP, -STEP / 2, STEP / 2, STEP)
SHAPES = [(), (3,), (4,), (2, 3), (3, 3), (2, 2), (2, 3, 3)]


def richardson(low, lower, upper, high):
    """The slope, from values at -STEP, -STEP/2, STEP/2 and STEP; its error is of order STEP⁴."""
    return (4 * (upper - lower) / STEP - (high - low) / (2 * STEP)) / 3


# ---------------------------------------------------------------- lines


def away(*numbers):
    """Whether numbers, the same at five points, keep away from zero, and their signs."""
    signs = [np.sign(x) for x in numbers]
    return np.all(np.abs(numbers[0]) > 1e-2) and all(np.array_equal(s, signs[0]) for s in signs)


def above(low):
    return lambda *xs: all(np.min(x, initial=np.inf) > low for x in xs)


def within(high):
    return lambda *xs: all(np.max(np.abs(x), initial=0) < high for x in xs)


def apart(axis):
    """Whether the entries along an axis are well apart."""
    return lambda *xs: (
        away(*(np.diff(np.sort(x, axis), axis=axis) for x in xs))
        and all(np.array_equal(np.argsort(x, axis), np.argsort(xs[0], axis)) for x in xs)
    )


def anything(*xs):
    return True


ONE = [  # of one real array: the line, what must hold of its values, and how many axes it needs at least
    *((f"np.{name}({{a}})", anything, 0) for name in ("sin", "cos", "tanh", "arctan", "arcsinh", "sinc", "negative")),
    *((f"np.{name}({{a}})", within(2.5), 0) for name in ("exp", "sinh", "cosh", "expm1", "square", "exp2")),
    *((f"np.{name}({{a}})", above(0.3), 0) for name in ("log", "sqrt", "log1p", "reciprocal", "cbrt", "log2")),
    ("np.arcsin({a})", within(0.9), 0),
    ("np.arctanh({a})", within(0.9), 0),
    ("np.tan({a})", within(1.2), 0),
    ("np.arccosh({a})", above(1.3), 0),
    ("np.abs({a})", away, 0),
    ("np.clip({a}, -0.5, 0.8)", lambda *xs: away(*(x + 0.5 for x in xs)) and away(*(x - 0.8 for x in xs)), 0),
    ("np.where({a} > 0, {a} ** 2, np.sin({a}))", away, 0),
    ("{a} ** 3", within(2.0), 0),
    ("{a} ** -2", above(0.5), 0),
    ("1.5 ** {a}", within(4.0), 0),
    ("0.5 - {a}", anything, 0),
    ("{a} * {a} + 0.7", within(3.0), 0),
    ("2.0 / (1.5 + {a} ** 2)", within(3.0), 0),
    ("np.maximum({a}, 0.1) * 0.9", lambda *xs: away(*(x - 0.1 for x in xs)), 0),
    ("autograd.sigmoid({a})", anything, 0),
    # reductions
    ("np.sum({a})", anything, 0),
    ("np.mean({a}, axis=0)", anything, 1),
    ("np.sum({a}, axis=-1, keepdims=True)", anything, 1),
    ("np.mean({a}, axis=(0, -1))", anything, 2),
    ("np.prod({a}, axis=-1)", within(2.5), 1),
    ("np.var({a}, axis=0)", anything, 1),
    ("np.std({a}, axis=-1)", lambda *xs: above(0.2)(*(np.std(x, axis=-1) for x in xs)), 1),
    ("np.cumsum({a}, axis=-1)", anything, 1),
    ("np.cumprod({a}, axis=0)", within(2.0), 1),
    ("np.max({a}, axis=-1)", apart(-1), 1),
    ("np.min({a}, axis=0)", apart(0), 1),
    ("np.sort({a}, axis=-1)", apart(-1), 1),
    ("autograd.logsumexp({a}, -1)", anything, 1),
    ("autograd.softmax({a}, -1)", anything, 1),
    # shapes and places
    ("np.reshape({a}, -1)", anything, 0),
    ("np.transpose({a})", anything, 2),
    ("np.swapaxes({a}, 0, -1)", anything, 2),
    ("np.expand_dims({a}, 0)", anything, 1),
    ("np.flip({a}, -1)", anything, 1),
    ("np.roll({a}, 1, 0)", anything, 1),
    ("np.tile({a}, 2)[..., 1:]", anything, 1),
    ("{a}[0]", anything, 1),
    ("{a}[..., 1:]", anything, 1),
    ("{a}[..., -1]", anything, 1),
    ("{a}[[0, 1, 0]]", anything, 1),
    ("np.diagonal({a}, axis1=-2, axis2=-1)", anything, 2),
    ("np.tril({a})", anything, 2),
    ("np.stack([{a}, 2.0 * {a}])", anything, 1),
]
TWO = [  # of two real arrays
    ("{a} + {b}", anything),
    ("{a} - 2.0 * {b}", anything),
    ("{a} * {b}", anything),
    ("{a} / {b}", lambda *xs: away(*(x * 0.03 for x in xs[1])), "pairs"),
    ("np.hypot({a}, {b})", lambda *xs: above(0.2)(*(np.hypot(*x) for x in zip(*xs, strict=True))), "pairs"),
    ("np.arctan2({a}, {b})", lambda *xs: above(0.3)(*xs[1]), "pairs"),
    ("np.maximum({a}, {b})", lambda *xs: away(*(x - y for x, y in zip(*xs, strict=True))), "pairs"),
    ("np.minimum({a}, {b})", lambda *xs: away(*(x - y for x, y in zip(*xs, strict=True))), "pairs"),
    ("np.where({a} > {b}, {a} * {b}, {b})", lambda *xs: away(*(x - y for x, y in zip(*xs, strict=True))), "pairs"),
    ("np.logaddexp({a}, {b})", anything),
    ("np.power({a}, {b})", lambda *xs: above(0.3)(*xs[0]) and within(2.5)(*xs[1]), "pairs"),
    ("np.matmul({a}, {b})", anything),
    ("np.outer({a}, {b})", anything),
    ("np.einsum('...i,...i->...', {a}, {b})", anything),
    ("np.tensordot({a}, {b}, 1)", anything),
    ("np.concatenate([{a}, {b}])", anything),
    ("np.concatenate([{a}, {b}], -1)", anything),
    ("np.stack([{a}, {b}, {a}])", anything),
]
SQUARE = [  # of a square matrix
    ("np.linalg.inv({a} + 4.0 * np.eye({n}))", within(1.5)),
    ("np.linalg.det({a})", within(2.0)),
    ("np.linalg.slogdet({a} + 4.0 * np.eye({n}))[1]", within(1.5)),
    ("np.linalg.solve({a} + 4.0 * np.eye({n}), np.ones(({n}, 1)))", within(1.5)),
    ("np.linalg.cholesky({a} @ np.swapaxes({a}, -1, -2) + 2.0 * np.eye({n}))", within(2.0)),
    ("np.linalg.matrix_power({a}, 2)", within(2.0)),
    (
        "np.linalg.eigvalsh({a} + np.swapaxes({a}, -1, -2))",
        lambda *xs: apart(-1)(*(10 * np.linalg.eigvalsh(x + np.swapaxes(x, -1, -2)) / 200 for x in xs)),
    ),
]
TO_COMPLEX = ["np.fft.fft({a})", "np.exp(1j * {a})", "np.fft.rfft({a})", "({a} - 0.3j) * {a}"]
OF_COMPLEX = [
    "np.real({a})",
    "np.imag({a})",
    "np.abs({a}) ** 2",
    "np.abs({a} + (9.0 + 4.0j))",
    "np.conj({a}) * {a}",
    "np.fft.ifft({a})",
    "np.sin(0.3 * {a})",
    "np.angle({a} + (9.0 + 4.0j))",
    "np.exp(0.2 * {a})",
    "np.flip({a}, 0)",
    "np.sum({a}, axis=0)",
    "np.cumsum({a}, axis=-1)",
]


def lines(a, values, b, others):
    """What can be done with a variable, or with two: lines, and a condition on the values at the five points."""
    x, y = values[0], others[0]
    if np.iscomplexobj(x):
        yield from ((line.format(a=a), None) for line in OF_COMPLEX if np.ndim(x) or "fft" not in line)
        if np.iscomplexobj(y):
            yield from ((line.format(a=a, b=b), None) for line in ("{a} * {b}", "{a} + {b}", "np.matmul({a}, {b})"))
        return
    yield from ((line.format(a=a), lambda f=fine: f(*values)) for line, fine, axes in ONE if np.ndim(x) >= axes)
    if np.ndim(x) >= 1:
        yield from ((line.format(a=a), None) for line in TO_COMPLEX)
    if np.ndim(x) >= 2 and x.shape[-1] == x.shape[-2]:
        n = x.shape[-1]
        yield from ((line.format(a=a, n=n), lambda f=fine: f(*values)) for line, fine in SQUARE)
    if np.iscomplexobj(y):
        yield from ((line.format(a=a, b=b), None) for line in ("{a} * {b}", "{a} + {b}"))
        return
    for line, fine, *pairs in TWO:
        yield line.format(a=a, b=b), (lambda f=fine: f(values, others)) if pairs else None


# ---------------------------------------------------------------- programs


class Program:
    """A function of arrays as NumPy code, the arrays, and a direction to move them in."""

    def __init__(self, inputs, direction):
        self.inputs, self.direction = inputs, direction
        self.body, self.unused = [], []
        self.values = {
            f"x{i}": [x + t * d for t in POINTS] for i, (x, d) in enumerate(zip(inputs, direction, strict=True))
        }
        self.unused = list(self.values)

    def try_line(self, line, condition):
        """Add the line, if it is tame; otherwise leave the program as it is."""
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            try:
                if condition is not None and not condition():
                    return False
                names = [{name: values[i] for name, values in self.values.items()} for i in range(len(POINTS))]
                results = [compute(line, variables) for variables in names]
            except (ValueError, IndexError, FloatingPointError, TypeError, np.linalg.LinAlgError, Warning):
                return False  # shapes that do not fit, a result out of bounds
        if np.size(results[0]) == 0 or np.size(results[0]) > 60 or np.max(np.abs(results[0])) > 20:
            return False
        center, low, lower, upper, high = results
        bend = low - 4 * lower + 6 * center - 4 * upper + high  # the fourth derivative times (STEP/2)⁴
        if np.max(np.abs(high - low)) > 60 * STEP or np.max(np.abs(bend)) > 2e-10:
            return False
        name = f"v{len(self.body)}"
        self.body.append(f"{name} = {line}")
        self.unused = [other for other in self.unused if not re.search(rf"\b{other}\b", line)] + [name]
        self.values[name] = results
        return True

    @property
    def source(self):
        terms = [
            f"np.mean(np.abs({n}) ** 2)" if np.iscomplexobj(self.values[n][0]) else f"np.mean({n})" for n in self.unused
        ]
        names = ", ".join(name for name in self.values if name.startswith("x"))
        body = "".join(f"    {line}\n" for line in self.body)
        return f"def program({names}):\n{body}    return {' + '.join(terms)}\n"

    def __repr__(self):
        inputs = ", ".join(f"np.array({x.tolist()})" for x in self.inputs)
        return f"{self.source}\nprogram({inputs})"

    def function(self, np=np, autograd=autograd):
        """The program as a function, also with what does the same for another library in the place of `np`."""
        names = {"np": np, "autograd": autograd}
        exec(compile(self.source, "<program>", "exec"), names)
        return names["program"]


CODE = {}


def compute(line, variables):
    if line not in CODE:
        CODE[line] = compile(line, "<line>", "eval")
    return eval(CODE[line], {"np": np, "autograd": autograd}, variables)


@st.composite
def programs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    inputs = [np.asarray(np.round(rng.uniform(-1.5, 1.5, shape), 3)) for shape in shapes]
    direction = [np.round(rng.uniform(0.3, 1.0, shape), 3) * rng.choice([-1, 1], shape) for shape in shapes]
    program = Program(inputs, direction)
    length = draw(st.integers(10, 30))
    while len(program.body) < length:
        names = list(program.values)
        # Mostly something that nothing has used yet, so that the program is deep.
        a = draw(st.sampled_from(program.unused)) if draw(st.booleans()) else draw(st.sampled_from(names))
        b = draw(st.sampled_from(names))
        able = list(lines(a, program.values[a], b, program.values[b]))
        # Hypothesis is fond of the first, which therefore is another one each time.
        able = [able[i] for i in np.random.default_rng(len(program.body)).permutation(len(able))]
        first = draw(st.integers(0, len(able) - 1))
        for line, condition in [*able[first:], *able[:first]]:
            if program.try_line(line, condition):
                break
        else:
            return program  # nothing fits any more
    return program


def moved(program, t):
    return [x + t * d for x, d in zip(program.inputs, program.direction, strict=True)]


def along(program, shares):
    return sum(np.sum(share * d) for share, d in zip(shares, program.direction, strict=True))


def gradients(function, inputs):
    leaves = [Value(x) for x in inputs]
    function(*leaves).backward()
    return [np.zeros(leaf.shape) if leaf.grad is None else leaf.grad for leaf in leaves]


@hypothesis.given(programs())
@each_program
def test_against_finite_differences(program):
    note(str(program))
    function = program.function()

    def packed(inputs):
        return function(*inputs)

    around = [moved(program, t) for t in POINTS[1:]]
    slope = richardson(*(function(*inputs) for inputs in around))
    shares = gradients(function, program.inputs)
    scale = 1e-9 + max(np.max(np.abs(share), initial=0) for share in shares)
    np.testing.assert_allclose(along(program, shares), slope, rtol=1e-8, atol=1e-8 * scale)
    for share, x in zip(shares, program.inputs, strict=True):
        assert (share.shape, share.dtype) == (x.shape, x.dtype)

    y, forward = jvp(function, program.inputs, program.direction)
    np.testing.assert_allclose(y, function(*program.inputs), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(forward, along(program, shares), rtol=1e-10, atol=1e-11 * scale)

    products = hvp(packed)(program.inputs, program.direction)
    bend = richardson(*(along(program, gradients(function, inputs)) for inputs in around))
    scale += max(np.max(np.abs(product), initial=0) for product in products)
    np.testing.assert_allclose(along(program, products), bend, rtol=1e-7, atol=1e-7 * scale)


def in_torch(torch):
    """What stands for `np` and for `autograd` in a program that PyTorch is to run."""
    same = (
        "sin cos tanh arctan arcsinh negative exp sinh cosh expm1 square exp2 log sqrt log1p reciprocal log2 "
        "arcsin arctanh tan arccosh abs clip where sum mean prod cumsum cumprod swapaxes roll tile tril stack hypot "
        "arctan2 logaddexp matmul einsum tensordot fft real imag angle conj"
    )
    ours = types.SimpleNamespace(**{name: getattr(torch, name) for name in same.split()})
    near = lambda a: 1 - (torch.pi * a) ** 2 / 6 + (torch.pi * a) ** 4 / 120  # noqa: E731
    ours.sinc = lambda a: torch.where(a.abs() < 1e-3, near(a), torch.sinc(torch.where(a.abs() < 1e-3, 1.0, a)))
    ours.cbrt = lambda a: a ** (1 / 3)
    ours.power = torch.pow
    ours.maximum = lambda a, b: torch.maximum(a, torch.as_tensor(b, dtype=a.dtype))
    ours.minimum = torch.minimum
    ours.var = lambda a, axis: torch.var(a, axis, correction=0)
    ours.std = lambda a, axis: torch.std(a, axis, correction=0)
    ours.max = lambda a, axis: torch.amax(a, axis)
    ours.min = lambda a, axis: torch.amin(a, axis)
    ours.sort = lambda a, axis: torch.sort(a, axis).values
    ours.reshape = lambda a, shape: torch.reshape(a, (shape,))
    ours.transpose = lambda a: a.permute(*reversed(range(a.ndim)))
    ours.expand_dims = torch.unsqueeze
    ours.flip = lambda a, axis: torch.flip(a, (axis,))
    ours.tile = lambda a, n: torch.tile(a, (n,))
    ours.diagonal = lambda a, axis1, axis2: torch.diagonal(a, 0, axis1, axis2)
    ours.outer = lambda a, b: torch.outer(a.ravel(), b.ravel())
    ours.concatenate = lambda arrays, axis=0: torch.cat(arrays, axis)
    ours.eye = lambda n: torch.eye(n, dtype=torch.float64)
    ours.ones = lambda shape: torch.ones(shape, dtype=torch.float64)
    ours.linalg = torch.linalg
    return ours, types.SimpleNamespace(sigmoid=torch.sigmoid, logsumexp=torch.logsumexp, softmax=torch.softmax)


@hypothesis.given(programs())
@each_program
def test_against_torch(program):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    note(str(program))
    function, theirs = program.function(), program.function(*in_torch(torch))
    tensors = [torch.tensor(x, requires_grad=True) for x in program.inputs]
    number = theirs(*tensors)
    first = torch.autograd.grad(number, tensors, create_graph=True, materialize_grads=True)
    slope = sum((g * torch.tensor(d)).sum() for g, d in zip(first, program.direction, strict=True))
    second = [None] * len(tensors)
    if slope.requires_grad:
        second = torch.autograd.grad(slope, tensors, materialize_grads=True)

    np.testing.assert_allclose(function(*program.inputs), number.item(), rtol=1e-11, atol=1e-12)
    ours = gradients(function, program.inputs), hvp(lambda inputs: function(*inputs))(program.inputs, program.direction)
    scale = 1e-3
    for shares, wanted, tolerance in zip(ours, (first, second), (1e-10, 1e-9), strict=True):
        arrays = [
            np.zeros(x.shape) if w is None else w.detach().numpy() for w, x in zip(wanted, program.inputs, strict=True)
        ]
        scale += max(np.max(np.abs(array), initial=0) for array in arrays)
        for share, array in zip(shares, arrays, strict=True):
            np.testing.assert_allclose(share, array, rtol=tolerance, atol=tolerance * scale)
