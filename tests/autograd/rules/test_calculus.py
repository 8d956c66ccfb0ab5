"""Differences, sums over a grid, interpolation, convolution and grids, in NumPy's own signatures."""

import math
import warnings

import numpy as np
import pytest

from autograd import Value, grad
from autograd.errors import EscapeError, NoRuleError

from ..numerical import assert_close, check, raw_gradients, weights

rng = np.random.default_rng(9)


def a(*shape):
    return rng.uniform(0.5, 1.5, shape)


F, UNEVEN, EVEN = a(3, 4), np.array([0.0, 0.3, 1.1, 1.9]), np.array([1.0, 1.5, 2.0, 2.5])

CALLS = {
    "diff": (np.diff, F),
    "diff by position": (lambda x: np.diff(x, 2, 0), F),
    "diff of order 0": (lambda x: np.diff(x, 0), F),
    "diff more often than there are entries": (lambda x: np.diff(x, 5), F),
    "diff with a number before": (lambda x, p: np.diff(x, prepend=p), F, a()[()]),
    "diff with arrays around": (lambda x, p, q: np.diff(x, n=2, axis=0, prepend=p, append=q), F, a(2, 4), a(1, 4)),
    "diff with lists around": (lambda x: np.diff(x, 1, -1, [1.0], [2, 3]), a(4)),
    "diff of a list": (lambda p: np.diff([1.0, 2.0], prepend=p), a()[()]),
    "diff of complex numbers": (np.diff, F + 1j * a(3, 4)),
    "ediff1d": (np.ediff1d, F),
    "ediff1d with ends": (lambda x, e, b: np.ediff1d(x, e, b), a(4), a(2), a()[()]),
    "ediff1d with constants": (lambda x: np.ediff1d(x, to_begin=-9, to_end=[1, 2]), a(4)),
    "ediff1d of nothing": (lambda x: np.ediff1d(x, to_begin=1.0), a(0)),
    "ediff1d of a list": (lambda e: np.ediff1d([1.0, 3.0], e), a(2)),
    "gradient": (np.gradient, F),
    "gradient, one axis": (lambda f: np.gradient(f, axis=-1), F),
    "gradient, axes in any order": (lambda f: np.gradient(f, 2.0, 0.5, axis=(1, 0)), F),
    "gradient, edges of order 2": (lambda f: np.gradient(f, 0.3, edge_order=2), F),
    "gradient, of two entries": (np.gradient, a(2)),
    "gradient, a spacing for all": (lambda f, h: np.gradient(f, h), F, a()[()]),
    "gradient, spacings": (lambda f, h, k: np.gradient(f, h, k, edge_order=2), F, a()[()], a()[()]),
    "gradient, coordinates": (lambda f, x: np.gradient(f, x, axis=1), F, UNEVEN),
    "gradient, coordinates, order 2": (lambda f, x: np.gradient(f, x, axis=1, edge_order=2), F, UNEVEN),
    "gradient, number and coordinates": (lambda f, h, x: np.gradient(f, h, x), F, a()[()], UNEVEN),
    "gradient, even coordinates": (lambda f, x: np.gradient(f, x, axis=1), F, EVEN),
    "gradient, even coordinates, order 2": (lambda f, x: np.gradient(f, x, axis=1, edge_order=2), F, EVEN),
    "gradient, constant coordinates": (lambda f: np.gradient(f, UNEVEN, axis=1), F),
    "gradient, constant even coordinates": (lambda f: np.gradient(f, [1, 2, 3, 4], axis=1), F),
    "gradient, coordinates of the first axis": (lambda f, x: np.gradient(f, x, axis=0), F.T, UNEVEN),
    "gradient, coordinates of the first axis, order 2": (
        lambda f, x: np.gradient(f, x, axis=0, edge_order=2), F.T, UNEVEN
    ),
    "gradient, constant coordinates of both axes": (lambda f: np.gradient(f[:, :3], [0.0, 0.4, 1.0], UNEVEN[:3]), F),
    "gradient, unsigned coordinates": (lambda f: np.gradient(f, np.array([9, 7, 4, 0], np.uint8), axis=1), F),
    "gradient of integers": (lambda h: np.gradient([1, 2, 4, 7], h), a()[()]),
    "gradient of complex numbers": (lambda f, x: np.gradient(f, x, axis=1), F + 1j * a(3, 4), UNEVEN),
    "trapezoid": (np.trapezoid, F),
    "trapezoid, a spacing": (lambda y, dx: np.trapezoid(y, dx=dx, axis=0), F, a()[()]),
    "trapezoid, coordinates": (np.trapezoid, F, UNEVEN),
    "trapezoid, coordinates by axis": (lambda y, x: np.trapezoid(y, x, 1.0, 0), F, a(3)),
    "trapezoid, coordinates for each": (lambda y, x: np.trapezoid(y, x, axis=0), F, a(3, 4)),
    "trapezoid, a list of coordinates": (lambda y: np.trapezoid(y, [0, 1, 3, 4]), F),
    "trapezoid of a list": (lambda x: np.trapezoid([1.0, 2.0, 5.0], x), a(3)),
    "trapezoid of one entry": (np.trapezoid, a(2, 1)),
    "interp": (np.interp, a(5), np.array([0.4, 0.9, 1.6]), a(3)),
    "interp beyond the ends": (np.interp, np.array([-1.0, 0.5, 2.0]), np.array([0.0, 1.0]), a(2)),
    "interp of a number": (np.interp, a()[()], np.array([0.4, 0.9, 1.6]), a(3)),
    "interp, left and right": (
        lambda x, xp, fp, p, q: np.interp(x, xp, fp, p, right=q),
        np.array([-1.0, 0.5, 0.7, 2.0]), np.array([0.0, 0.6, 1.0]), a(3), a()[()], a()[()],
    ),
    "interp, numbers left and right": (lambda x: np.interp(x, [0.6, 1.0], [1, 3], 7, 9.5), a(2, 3)),
    "interp in a list": (lambda xp: np.interp([0.5, 0.8, 3.0], xp, [1, 3, 2], left=1), np.array([0.6, 0.7, 1.0])),
    "interp, periodic": (lambda x, xp, fp: np.interp(x, xp, fp, period=1.3), a(5) * 3, np.array([2.2, 0.1, 0.7]), a(3)),
    "interp, a period of its own": (
        lambda x, xp, fp, period: np.interp(x, xp, fp, period=period),
        np.array([-0.4, 0.3, 2.9]), np.array([2.3, 0.1, 0.7]), a(3), np.float64(-1.3),
    ),
    "interp, periodic, of lists": (lambda fp: np.interp([0.3, 5.0], [1, 2], fp, period=4, left=7), a(2)),
    "interp of complex numbers": (np.interp, a(5), np.array([0.4, 0.9, 1.6]), a(3) + 1j * a(3)),
    "convolve": (np.convolve, a(4), a(3)),
    "convolve with a list": (lambda x: np.convolve([1, 2], x, "same"), a(4)),
    "convolve by number of the mode": (lambda x, v: np.convolve(x, v, 0), a(4), a(2)),
    "convolve with itself": (lambda x: np.convolve(x, x), a(4)),
    "correlate": (np.correlate, a(4), a(3)),
    "correlate by keyword": (lambda x, v: np.correlate(v=v, a=x, mode="full"), a(2), a(4)),
    "correlate with a list": (lambda x: np.correlate(x, [1.0, 2.0, 0.5], mode="same"), a(4)),
    "unwrap": (lambda p: np.unwrap(p, axis=0), 9 * a(5, 2)),
    "unwrap by keyword": (lambda p: np.unwrap(p, discont=2.0, axis=-1, period=3.0), 9 * a(5)),
    "linspace": (np.linspace, a()[()], a()[()]),
    "linspace, the step too": (lambda p, q: np.linspace(p, q, 4, retstep=True), a()[()], a(3)),
    "linspace, the step too, no endpoint": (lambda p, q: np.linspace(p, q, 3, False, True), a()[()], a(3)),
    "linspace from a constant": (lambda q: np.linspace(0, q, num=3, axis=-1), a(3)),
    "linspace to a list": (lambda p: np.linspace(p, [1, 2], num=3), a(2)),
    "logspace": (lambda p, q: np.logspace(p, q, 4), a()[()], a(2)),
    "logspace, a base of its own": (lambda p, q, b: np.logspace(p, q, 3, base=b), a()[()], a()[()], a()[()]),
    "logspace, bases": (lambda p, q, b: np.logspace(p, q, 3, base=b, axis=-1), a(2, 1), a()[()], a(3)),
    "logspace, no endpoint": (lambda p: np.logspace(p, [2, 3], num=3, endpoint=False, base=2.0, axis=1), a(2)),
    "geomspace": (lambda p, q: np.geomspace(p, q, 4), a()[()], a(2)),
    "geomspace of negative numbers": (lambda p, q: np.geomspace(-p, -q, num=3, endpoint=False, axis=-1), a(2), a(2)),
    "geomspace of complex numbers": (lambda p, q: np.geomspace(p, q, 4), 1 + a(2) * 1j, a(2) * 1j),
    "geomspace to a constant": (lambda p: np.geomspace(p, 8, 4), a()[()]),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_composed(call):
    check(*call)


def test_linspace_of_one_has_no_step():
    y, step = np.linspace(Value(1.0), 2.0, 1, retstep=True)
    assert y.tolist() == [1.0]
    assert math.isnan(step)


def test_gradient_of_a_number_has_no_axes():
    assert np.gradient(Value(1.0)) == ()


def test_grids_of_another_dtype():
    y = np.linspace(Value(0.0), 2.9, 4, dtype=np.float32)
    assert y.dtype == np.float32
    y.sum().backward()
    whole = np.linspace(Value(0.0), 2.9, 4, dtype=int)
    assert whole.dtype == int
    assert not whole.requires_grad
    assert np.logspace(Value(0.0), 1.0, 4, dtype=np.float32).dtype == np.float32
    assert np.geomspace(Value(1.0), 2.0, 4, dtype=complex).dtype == complex
    assert np.geomspace(Value(1.0), 20.0, 4, dtype=int).tolist() == np.geomspace(1.0, 20.0, 4, dtype=int).tolist()


def test_geomspace_of_which_the_real_part_is_taken():
    z = 0.7 - 0.5j

    def real(z):
        with warnings.catch_warnings(action="ignore", category=np.exceptions.ComplexWarning):
            return np.geomspace(z, 2.0, 4, dtype=float)

    check(real, z := np.complex128(z))
    np.testing.assert_array_equal(real(Value(z)).data, real(z))


MODES = [(n, m, mode) for n in range(1, 6) for m in range(1, 6) for mode in ("full", "same", "valid")]


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
def test_convolution_of_every_length_in_every_mode(function):
    for n, m, mode in MODES:
        x, v = a(n) + 1j * a(n), a(m) + 1j * a(m)
        g = weights(function(x, v, mode))
        shares = raw_gradients(lambda x, v, mode=mode: function(x, v, mode), [x, v], g)
        for i, share in enumerate(shares):
            wanted = [
                np.vdot(function(*[unit if i == j else z for j, z in enumerate((x, v))], mode), g)
                for unit in np.eye(n if i == 0 else m)
            ]
            # It is linear in a, and in v or its conjugate: the gradient is conj(dy/dv)·g, or dy/dconj(v)·conj(g).
            assert_close(share, np.conj(wanted) if function is np.correlate and i else wanted, tolerance=1e-14)


KNOTS = np.array([0.0, 1.0, 3.0])


@pytest.mark.parametrize(
    ("x", "slope", "part"),
    [
        (-1.0, 0, [1, 0, 0]),
        (0.0, 2, [1, 0, 0]),
        (0.25, 2, [0.75, 0.25, 0]),
        (1.0, -3, [0, 1, 0]),  # the segment to the right
        (3.0, -3, [0, 0, 1]),  # the end counts as within
        (4.0, 0, [0, 0, 1]),
        (-math.inf, 0, [1, 0, 0]),
    ],
)
def test_interp_at_a_knot_and_beyond(x, slope, part):
    x, xp, fp = Value(x), Value(KNOTS), Value([1.0, 3.0, -3.0])
    np.interp(x, xp, fp).backward()
    assert x.grad == slope
    np.testing.assert_array_equal(fp.grad, part)
    np.testing.assert_array_equal(xp.grad, -slope * np.array(part))


def test_interp_at_knots_that_are_equal():
    x, xp, fp = Value([1.0, 2.0]), Value([0.0, 1.0, 1.0, 2.0, 2.0]), Value([0.0, 1.0, 5.0, 6.0, 9.0])
    y = np.interp(x, xp, fp)
    assert y.tolist() == [5.0, 9.0]
    y.backward([1.0, 1.0])
    np.testing.assert_array_equal(fp.grad, [0, 0, 1, 0, 1])
    assert np.isfinite(x.grad).all()
    assert np.isfinite(xp.grad).all()


def test_interp_of_nan():
    x, fp = Value([math.nan, 0.5]), Value([1.0, 3.0, -3.0])
    y = np.interp(x, KNOTS, fp)
    np.testing.assert_array_equal(y.data, np.interp(x.data, KNOTS, fp.data))
    y[1].backward()
    np.testing.assert_array_equal(x.grad, [0.0, 2.0])


def test_unwrap_moves_a_zero_that_where_has_cut():
    x = Value([0.0, 1.0])
    np.where(x > 0.5, np.unwrap(np.sqrt(x)), 0.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.5])


def test_gradient_is_exact_for_parabolas():
    # The derivative of what np.gradient computes, of f = c x² on an uneven grid, in c: it is 2 x, the ends too.
    x = np.array([0.0, 0.3, 1.1, 1.9, 2.0])
    slope = [grad(lambda c, i=i: np.gradient(c * x**2, x, edge_order=2)[i])(1.7) for i in range(5)]
    np.testing.assert_allclose(slope, 2 * x, atol=1e-14)


SINGLE = {
    "diff": lambda x: np.diff(x, prepend=0.0),
    "ediff1d": lambda x: np.ediff1d(x, 1.0),
    "gradient": lambda x: np.gradient(x, 0.5),
    "gradient with coordinates": lambda x: np.gradient(x, x * x),
    "gradient with double coordinates": lambda x: np.gradient(x, np.array([0.0, 0.5, 2.0, 2.5, 3.0]), edge_order=2),
    "trapezoid": lambda x: np.trapezoid(x, x),
    "trapezoid with a step": lambda x: np.trapezoid(x, dx=0.5),
    "interp": lambda x: np.interp(x, x, x),
    "interp, periodic": lambda x: np.interp(1e6 * x, x, x, period=1.7),
    "convolve": lambda x: np.convolve(x, x),
    "convolve with a list": lambda x: np.convolve(x, [1.0, 2.0]),
    "correlate": lambda x: np.correlate(x, x[:2]),
    "unwrap": lambda x: np.unwrap(9 * x),
    "linspace": lambda x: np.linspace(x, 2.0),
    "linspace, the step": lambda x: np.linspace(x, 2.0, retstep=True)[1],
    "logspace": lambda x: np.logspace(x, 2.0),
    "geomspace": lambda x: np.geomspace(x, 2.0),
}


@pytest.mark.parametrize("function", SINGLE.values(), ids=SINGLE)
def test_single_precision_as_in_numpy(function):
    data = np.array([0.5, 0.7, 1.4, 1.7, 2.9], np.float32)
    v = Value(data)
    y = function(v)
    assert y.dtype == function(data).dtype
    np.testing.assert_allclose(y.data, function(data), rtol=2e-6)
    y.sum().backward()
    assert v.grad.dtype == np.float32


REFUSED = [
    (lambda x: np.diff(x, -1), ValueError),
    (lambda x: np.diff(x[0, 0]), ValueError),
    (lambda x: np.diff(x, axis=2), IndexError),
    (lambda x: np.diff(x, prepend=np.ones(2)), ValueError),
    (lambda x: np.ediff1d(x, to_end=1j), TypeError),
    (lambda x: np.gradient(x, 1.0, 2.0, 3.0), TypeError),
    (lambda x: np.gradient(np.stack([x[0], x[0]]), [0.0, 1.0]), TypeError),
    (lambda x: np.gradient(np.ravel(x), np.ones((np.size(x), 2))), ValueError),
    (lambda x: np.gradient(np.tile(np.ravel(x), 5), edge_order=3), ValueError),
    (lambda x: np.gradient(x, [1.0, 2.0], axis=0), ValueError),
    (lambda x: np.gradient(x, x, 1.0), ValueError),
    (lambda x: np.gradient(x, edge_order=3), ValueError),
    (lambda x: np.gradient(x[:2], edge_order=2), ValueError),
    (lambda x: np.gradient(x, axis=(0, 0)), ValueError),
    (lambda x: np.gradient(x, axis=2), IndexError),
    (lambda x: np.trapezoid(x, [1.0, 2.0, 3.0]), ValueError),
    (lambda x: np.trapezoid(x[0, 0]), IndexError),
    (lambda x: np.trapezoid(x, axis=2), IndexError),
    (lambda x: np.interp(0.5, x[0], x[:, 0]), ValueError),
    (lambda x: np.interp(0.5, x, x), ValueError),
    (lambda x: np.interp(0.5, x[0, :0], x[0, :0]), ValueError),
    (lambda x: np.interp(x, [1.0, 2.0], [3.0, 4.0], period=0), ValueError),
    (lambda x: np.interp(x, [1.0, 2.0], [3.0], period=1), ValueError),
    (lambda x: np.interp(x, [[1.0, 2.0]], [[3.0, 4.0]], period=1), ValueError),
    (lambda x: np.interp(x * 1j, [1.0, 2.0], [3.0, 4.0]), TypeError),
    (lambda x: np.convolve(x, x), ValueError),
    (lambda x: np.convolve(x[0], x[0, :0]), ValueError),
    (lambda x: np.convolve(x[0], x[0], "other"), ValueError),
    (lambda x: np.correlate(x[0], x), ValueError),
    (lambda x: np.unwrap(x[0, 0]), ValueError),
    (lambda x: np.unwrap(x, axis=2), IndexError),
    (lambda x: np.linspace(x, 1.0, -1), ValueError),
    (lambda x: np.linspace(x, 1.0, 2.5), TypeError),
    (lambda x: np.linspace(x, x[:, :2]), ValueError),
    (lambda x: np.linspace(x, 1.0, axis=4), IndexError),
    (lambda x: np.geomspace(x, 0.0), ValueError),
    (lambda x: np.logspace(x, x[:, :2], base=[2.0, 3.0]), ValueError),
]


@pytest.mark.parametrize(("call", "error"), REFUSED)
def test_refuses_what_numpy_refuses(call, error):
    for x in (F, Value(F)):
        with pytest.raises(error):
            call(x)


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.unwrap(v, period=v[0] + 9),
        lambda v: np.unwrap([1.0, 9.0], period=v[0]),
        lambda v: np.interp(0.1, [0.0, 1.0], [1.0, 2.0], left=v[0]),
        lambda v: np.diff([v, v]),
    ],
)
def test_never_without_the_gradient(call):
    with pytest.raises((NoRuleError, EscapeError, TypeError)):
        call(Value([1.0, 2.0, 4.0]))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("num", [1, 2, 3])
@pytest.mark.parametrize("endpoint", [True, False])
def test_grids_along_every_axis(axis, num, endpoint):
    start, stop, base = a(2, 3), a(3), a(3)
    check(lambda x, y: np.linspace(x, y, num, endpoint, axis=axis), start, stop)
    check(lambda x, y: np.geomspace(x, y, num, endpoint, axis=axis), start, stop)
    check(lambda x, y, b: np.logspace(x, y, num, endpoint, b, axis=axis), start, stop, base)
    y, step = np.linspace(Value(start), stop, num, endpoint, True, axis=axis)
    np.testing.assert_allclose(y.data, np.linspace(start, stop, num, endpoint, axis=axis), rtol=1e-14)
    np.testing.assert_allclose(
        getattr(step, "data", step), np.linspace(start, stop, num, endpoint, True, axis=axis)[1], rtol=1e-14
    )
