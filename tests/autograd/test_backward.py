"""The reverse pass: what it adds up, what it leaves alone, and what it refuses."""

import gc
import math
import threading
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest

from autograd import Value, anomaly, defop, no_grad
from autograd.errors import AnomalyError, DataError, GraphError, NoRuleError, ShapeError
from autograd.op import operations, registry


@pytest.fixture
def op():
    """`defop` for one test: what it defines is forgotten afterwards."""
    known = dict(registry), dict(operations)

    def define(function, *rules, **facts):
        return defop(
            function, rules if len(rules) > 1 else rules[0], formula=("",) * len(rules), name="tested", **facts
        )

    yield define
    for table, before in zip((registry, operations), known, strict=True):
        table.clear()
        table.update(before)


# ---------------------------------------------------------------- sums over uses and passes


def test_each_use_of_a_value_counts():
    x = Value(3.0)
    (x * x).backward()
    assert x.grad == 6.0
    x.zero_grad()
    (x - x).backward()
    assert x.grad == 0.0
    x.zero_grad()
    b = x + x
    (b + b).backward()
    assert x.grad == 4.0
    assert b.grad == 2.0


def test_each_rule_runs_once_after_all_uses_reported_in(op):
    calls = []
    doubled = op(lambda x: 2 * x, lambda g, y, x: calls.append(g) or 2 * g)
    h = doubled(Value(1.0))
    total = h * 3
    for _ in range(20):  # 2**20 paths
        total = total + total
    (total + h).backward()
    assert calls == [3 * 2**20 + 1]


def test_a_second_pass_doubles_the_leaves_and_nothing_else():
    x = Value([1.0, 2.0])
    h = x * x
    loss = (h * h).sum()
    loss.backward()
    first, inner = x.grad.copy(), h.grad.copy()
    loss.backward()
    np.testing.assert_array_equal(x.grad, 2 * first)
    np.testing.assert_array_equal(h.grad, inner)
    assert loss.grad == 1.0


def test_losses_that_share_a_part_add_up():
    x = Value(2.0)
    h = x * x
    (h * 3).backward()
    (h * 5).backward()
    assert x.grad == 4 * 3 + 4 * 5
    assert h.grad == 5.0


@pytest.mark.parametrize(
    ("left", "right"), [((3, 1), (1, 4)), ((1,), (0,)), ((2, 1, 3), (1,)), ((), (2, 2)), ((4,), (3, 4)), ((1, 1), ())]
)
def test_gradients_of_broadcast_inputs_have_their_shapes(left, right):
    a, b = Value(np.full(left, 2.0)), Value(np.full(right, 3.0))
    (a * b).backward(np.ones(np.broadcast_shapes(left, right)))
    many = np.prod(np.broadcast_shapes(left, right))
    assert np.shape(a.grad) == left
    assert np.shape(b.grad) == right
    np.testing.assert_array_equal(a.grad, np.full(left, 3.0 * many / max(a.size, 1)))


def test_mixed_dtypes_leave_each_gradient_its_own():
    a, b = Value(np.float32([1.0, 2.0])), Value([3.0, 4.0])
    loss = (a * b + a).sum()
    assert loss.dtype == np.float64
    loss.backward()
    assert a.grad.dtype == np.float32
    assert b.grad.dtype == np.float64
    (Value(np.float32(2.0)) * a).sum().backward()
    assert a.grad.dtype == np.float32


def test_the_same_graph_gives_the_same_bits():
    def run():
        rng = np.random.default_rng(0)
        x, w = Value(rng.normal(size=(5, 4))), Value(rng.normal(size=(4, 4)))
        h = x
        for _ in range(5):
            h = np.tanh(h @ w + h)
        h.sum().backward()
        return x.grad, w.grad

    for first, second in zip(run(), run(), strict=True):
        assert first.tobytes() == second.tobytes()


# ---------------------------------------------------------------- where it starts


def test_a_seed_is_the_upstream_gradient():
    x = Value([1.0, 2.0])
    (x * x).backward([10.0, 100.0])
    np.testing.assert_array_equal(x.grad, [20.0, 400.0])
    x.zero_grad()
    (x * x).backward(np.float32([1, 1]))
    assert x.grad.dtype == np.float64
    number = Value(3.0)
    number.backward(np.array(2.0))
    assert type(number.grad) is np.float64


def test_a_single_element_of_any_shape_needs_no_seed():
    x = Value([[2.0]])
    (x * x).backward()
    np.testing.assert_array_equal(x.grad, [[4.0]])


def test_a_gradient_never_shares_memory():
    x, seed = Value([1.0, 2.0]), np.array([1.0, 2.0])
    y = x + 0.0
    z = y + y
    for result in (x, y, z, x[...], np.reshape(x, (2, 1)).ravel(), x.T):
        x.zero_grad()
        result.backward(seed)
        x.grad += 100.0
        np.testing.assert_array_equal(seed, [1.0, 2.0])
    a, b = Value([1.0, 2.0]), Value([3.0, 4.0])
    h = a + b
    h.backward(seed)
    assert not np.shares_memory(a.grad, b.grad)
    assert not np.shares_memory(a.grad, h.grad)
    with pytest.raises(ValueError, match="read-only"):
        h.grad[0] = 5.0


def test_a_seed_that_is_a_value_is_not_shared_either():
    x, y, seed = Value([0.0, 0.0]), Value([0.0, 0.0]), Value([1.0, 2.0])
    x.backward(seed)
    y.backward(seed)
    x.grad *= 7
    np.testing.assert_array_equal(y.grad, [1.0, 2.0])
    np.testing.assert_array_equal(seed.data, [1.0, 2.0])


def test_a_gradient_once_taken_does_not_change_with_the_next_pass():
    x = Value([1.0])
    y = x * 2
    y.backward()
    first = x.grad
    y.backward()
    assert first[0] == 2.0


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (None, r"of shape \(2,\), which has 2 elements.*\.sum\(\)\.backward\(\)"),
        ([1.0], r"shape \(1,\) for 'y' of shape \(2,\)"),
        (1.0, r"shape \(\)"),
        ([1j, 1j], "complex128"),
    ],
)
def test_a_seed_that_does_not_fit_is_an_error(gradient, message):
    y = Value([1.0, 2.0]) * 2
    y.label = "y"
    with pytest.raises(ShapeError, match=message):
        y.backward(gradient)


def test_backward_from_a_constant_is_an_error():
    for constant in (Value(1.0, requires_grad=False), Value(np.array([1])), (Value(2.0) * 2).detach()):
        with pytest.raises(GraphError, match="a constant"):
            constant.backward()
    with no_grad():
        y = Value(1.0) * 2
    with pytest.raises(GraphError, match="no_grad"):
        y.backward()


def test_backward_from_a_leaf_is_its_seed():
    x = Value(5.0)
    x.backward()
    assert x.grad == 1.0


# ---------------------------------------------------------------- releasing


def test_retain_graph_false_frees_on_the_way():
    x = Value(np.ones(3))
    h = x * 2
    hidden = weakref.ref(h)
    kept = h * 3
    loss = (kept * kept).sum()
    del h
    loss.backward(retain_graph=False)
    assert hidden() is None
    np.testing.assert_array_equal(x.grad, np.full(3, 72.0))
    assert loss.data == 108.0
    assert kept.grad is None
    np.testing.assert_array_equal(kept.data, np.full(3, 6.0))
    for part in (loss, kept.sum()):
        with pytest.raises(GraphError, match="released"):
            part.backward()


@pytest.mark.parametrize("backward", [False, True], ids=["forward only", "with backward"])
def test_reference_counting_alone_frees_graphs(backward):
    w = Value(np.ones((8, 8)))

    def step():
        loss = np.tanh(np.tanh(np.ones((8, 8)) @ w) @ w).sum() ** 2
        if backward:
            loss.backward()

    step()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            step()
        assert tracemalloc.get_traced_memory()[0] - before < 5000
    finally:
        tracemalloc.stop()
        gc.enable()
    assert gc.collect() == 0


# ---------------------------------------------------------------- interruptions


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_the_leaves_alone_and_the_next_pass_right(op, interruption):
    failing = [True]

    def rule(g, y, x):
        if failing:
            raise interruption
        return g * 2

    doubled = op(lambda x: 2 * x, rule)
    x, w = Value(3.0), Value(5.0)
    loss = doubled(x * w) * w
    w.grad = 7.0
    with pytest.raises(interruption):
        loss.backward()
    assert x.grad is None
    assert w.grad == 7.0
    failing.clear()
    loss.backward()
    assert x.grad == 2 * 5 * 5
    assert w.grad == 7.0 + 2 * 2 * 3 * 5


def test_two_threads_may_share_a_leaf():
    w = Value(np.ones(50))
    passes, threads = 200, 4

    def work():
        for _ in range(passes):
            (w * w).sum().backward()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    np.testing.assert_array_equal(w.grad, np.full(50, 2.0 * passes * threads))


# ---------------------------------------------------------------- gradients of gradients


def test_create_graph_gives_gradients_that_can_be_differentiated():
    x = Value(2.0)
    (x**4).backward(create_graph=True)
    gradient = x.grad
    assert gradient.data == 32.0
    x.zero_grad()
    gradient.backward(create_graph=True)
    gradient, x.grad = x.grad, None
    assert gradient.data == 48.0
    gradient.backward()
    assert x.grad == 48.0


def test_a_gradient_that_depends_on_nothing_is_a_value_too():
    x = Value([1.0, 2.0])
    (x * 3.0).sum().backward(create_graph=True)
    assert isinstance(x.grad, Value)
    assert not x.grad.requires_grad
    np.testing.assert_array_equal(x.grad.data, [3.0, 3.0])


def test_the_raw_and_the_recorded_pass_agree_bit_for_bit():
    rng = np.random.default_rng(1)
    x, w, b = Value(rng.normal(size=(6, 5))), Value(rng.normal(size=(5, 4))), Value(rng.normal(size=4))

    def loss():
        h = np.tanh(x @ w + b)
        z = h - np.max(h, axis=1, keepdims=True)
        return -np.mean((z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[np.arange(6), 1])

    leaves = (x, w, b)
    loss().backward()
    raw = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.zero_grad()
    loss().backward(create_graph=True)
    for leaf, gradient in zip(leaves, raw, strict=True):
        assert leaf.grad.data.tobytes() == gradient.tobytes()


def test_create_graph_works_under_no_grad():
    x = Value(2.0)
    y = x**3
    with no_grad():
        y.backward(create_graph=True)
    gradient, x.grad = x.grad, None
    gradient.backward()
    assert x.grad == 12.0


def test_a_seed_may_be_a_value():
    x, seed = Value([1.0, 2.0]), Value([3.0, 4.0])
    (x * x).backward(seed)
    np.testing.assert_array_equal(x.grad, [6.0, 16.0])
    x.zero_grad()
    (x * x).backward(seed, create_graph=True)
    gradient, x.grad = x.grad, None
    gradient.sum().backward()
    np.testing.assert_array_equal(seed.grad, 2 * x.data)


# ---------------------------------------------------------------- rules that are wrong


def test_a_rule_of_the_wrong_shape_names_the_operation(op):
    wrong = op(lambda x: x.sum(), lambda g, y, x: g * np.ones(7))
    with pytest.raises(
        ShapeError, match=r"rule of tested returned a gradient of shape \(7,\) for its input, 'x' of shape \(3,\)"
    ):
        wrong(Value(np.ones(3), label="x")).backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_an_error_in_a_rule_says_whose_rule_it_was(op, create_graph):
    broken = op(lambda x: x * 1, lambda g, y, x: g @ np.ones(3))
    with pytest.raises(ValueError, match="matmul") as caught:
        broken(Value([1.0, 2.0])).sum().backward(create_graph=create_graph)
    assert any("in the backward pass of a result of tested of shape (2,)" in note for note in caught.value.__notes__)


def test_a_rule_that_returns_none_is_told(op):
    with pytest.raises(NoRuleError, match="rule of tested returned None"):
        op(lambda x: x * 1, lambda g, y, x: None)(Value(1.0)).backward()


def test_a_rule_may_return_a_plain_number(op):
    x = Value(np.ones(3))
    op(lambda x: x.copy(), lambda g, y, x: 5.0)(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [5.0, 5.0, 5.0])


# ---------------------------------------------------------------- anomaly


def test_anomaly_names_the_operation_the_line_and_the_index_going_forward():
    x = Value([1.0, -1.0], label="x")
    with anomaly(), np.errstate(all="ignore"), pytest.raises(AnomalyError) as caught:
        np.log(x)  # the line to be named
    message = str(caught.value)
    assert message.startswith("log gave nan at index (1,) of its result, shape (2,).")
    assert "test_backward.py" in message
    assert "np.log(x)  # the line to be named" in message


def test_anomaly_tells_when_it_came_in():
    x = Value([1.0, np.inf], label="x")
    with (
        anomaly(),
        pytest.raises(AnomalyError, match=r"input 0, 'x' of shape \(2,\), holds inf at index \(1,\) already"),
    ):
        x * 2


def test_anomaly_names_the_rule_going_backward():
    x = Value([[4.0, 0.0]], label="x")
    with anomaly():
        y = np.sqrt(x)  # recorded here
        with pytest.raises(
            AnomalyError, match=r"backward pass of sqrt gave inf at index \(0, 1\) of the gradient of 'x'"
        ) as caught:
            y.sum().backward()
    assert "recorded here" in str(caught.value)
    assert x.grad is None
    y = np.sqrt(x).sum()
    with anomaly(), pytest.raises(AnomalyError, match="recorded outside"):
        y.backward()


def test_without_anomaly_what_is_not_finite_passes_silently():
    x = Value([4.0, 0.0])
    np.sqrt(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.25, np.inf])


def test_anomaly_changes_no_number():
    x = Value([0.5, 1.5])
    np.exp(np.sin(x) * x).sum().backward()
    plain, x.grad = x.grad, None
    with anomaly():
        np.exp(np.sin(x) * x).sum().backward()
    assert x.grad.tobytes() == plain.tobytes()


# ---------------------------------------------------------------- what a where has cut


def slope(function, x, **keywords):
    x = Value(np.array(x, dtype=float))
    with warnings.catch_warnings(action="ignore"):
        y = function(x)
    y.backward(np.ones(y.shape), **keywords)
    return getattr(x.grad, "data", x.grad)


@pytest.mark.parametrize("keywords", [{}, {"retain_graph": False}, {"create_graph": True}], ids=str)
@pytest.mark.parametrize(
    ("function", "x", "wanted"),
    [
        # through several operations, a broadcast, an axis
        (lambda x: np.where(x > 0, np.exp(np.log(x) * 2) / x, 0), [0.0, 2.0], [0, 1]),
        (lambda x: np.where(x[:, None] > 0, np.sqrt(x)[:, None] * np.ones(3), 0).sum(axis=1), [0.0, 4.0], [0, 0.75]),
        (lambda x: np.where([[True], [False]], np.sqrt(x), 0.0), [0.0, 4.0], [math.inf, 0.25]),
        (lambda x: np.where([[False, True], [False, True]], np.sqrt(x), 0.0), [0.0, 4.0], [0, 0.5]),
        (lambda x: np.where(x.sum() > 0, np.sum(np.log(x)), 0.0), [0.0, 0.0], [0, 0]),
        (lambda x: np.where([True, False], np.sum(np.sqrt(x), axis=1), 0.0), [[4.0], [0.0]], [[0.25], [0]]),
        (lambda x: np.where([[True, False]], np.reshape(np.sqrt(x), (1, 2)), 0.0), [4.0, 0.0], [0.25, 0]),
        (lambda x: np.where([False, True], np.sqrt(x)[::-1], 0.0), [4.0, 0.0], [0.25, 0]),
        # one where after the other
        (lambda x: np.where(x > 1, np.where(x > 0, np.log(x), np.sqrt(x)), 0), [0.0, -1.0, 2.0], [0, 0, 0.5]),
        # what comes in uncut stays: the derivative is infinite here
        (lambda x: (lambda r: np.where(x > 0, r, 0.0) + r)(np.sqrt(x)), [0.0, 4.0], [math.inf, 0.5]),
        (lambda x: (lambda r: np.where(x > 0, r, 0.0) + np.where(x > 9, r, 0.0))(np.sqrt(x)), [0.0, 4.0], [0, 0.25]),
        (lambda x: (lambda r: np.sum(np.where(x > 0, r, 0.0)) + np.sum(3 * r))(np.exp(x)), [0.0, np.log(2)], [3, 8]),
        (lambda x: (lambda r: np.sum(3 * r) + np.sum(np.where(x > 0, r, 0.0)))(np.exp(x)), [0.0, np.log(2)], [3, 8]),
    ],
)
def test_a_gradient_cut_to_zero_by_where_stays_zero(function, x, wanted, keywords):
    np.testing.assert_allclose(slope(function, x, **keywords), wanted, rtol=1e-14)


def test_nothing_is_kept_zero_where_an_operation_mixes_entries():
    got = slope(lambda x: np.where([True, False], np.cumprod(np.sqrt(x)), 0.0), [4.0, 0.0])
    assert got[0] == 0.25 and not np.isfinite(got[1])  # 0 / 0: not known to be cut, and not made up


def test_anomaly_does_not_complain_of_what_was_cut():
    x = Value([1.0, 2.0])
    with anomaly():
        np.where(x > 1, 1 / (x - 0.5), np.sqrt(x)).sum().backward()
    assert np.all(np.isfinite(x.grad))


# ---------------------------------------------------------------- complex numbers


def test_the_gradient_of_a_complex_number_points_uphill():
    z = Value([3 + 4j, 1j])
    (abs(z) ** 2).sum().backward()
    np.testing.assert_allclose(z.grad, 2 * z.data)  # dL/dx + i dL/dy of x² + y²
    for _ in range(100):
        z.zero_grad()
        (abs(z - (2 - 1j)) ** 2).sum().backward()
        z.data -= 0.1 * z.grad
    np.testing.assert_allclose(z.data, 2 - 1j, atol=1e-8)


def test_a_real_value_has_a_real_gradient_through_complex_ones():
    x = Value(np.array([1.0, 2.0], np.float32))
    y = np.exp(np.complex64(1j) * x)
    (y * y).imag.sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad, 2 * np.cos(2 * x.data), rtol=1e-6)
    np.testing.assert_allclose(y.grad, np.conj(-1j * 2 * y.data), rtol=1e-6)  # of the result, the same convention


def test_a_complex_result_needs_a_gradient_from_upstream():
    z = Value(1 + 2j)
    y = z * z
    with pytest.raises(DataError, match="a gradient is defined for a real number"):
        y.backward()
    y.backward(1.0)  # the gradient of the real part
    assert z.grad == np.conj(2 * z.data)
    z.zero_grad()
    y.backward(1j)  # and of the imaginary part
    assert z.grad == np.conj(-1j * 2 * z.data)
    with pytest.raises(ShapeError, match="dtype complex128"):
        y.real.backward(1j)


def test_complex_gradients_accumulate_and_can_be_differentiated_again():
    z = Value(1 + 2j)
    for _ in range(2):
        (abs(z) ** 4).backward()
    np.testing.assert_allclose(z.grad, 2 * 4 * abs(z.data) ** 2 * z.data)
    z.zero_grad()
    (abs(z) ** 4).backward(create_graph=True)
    slope = z.grad  # 4 |z|² z
    z.zero_grad()
    (slope.real * 2.0 + slope.imag * 0.5).backward()
    x, y = z.data.real, z.data.imag
    hessian = np.array([[12 * x * x + 4 * y * y, 8 * x * y], [8 * x * y, 4 * x * x + 12 * y * y]])
    wanted = hessian @ [2.0, 0.5]
    np.testing.assert_allclose(z.grad, wanted[0] + 1j * wanted[1])


@pytest.mark.parametrize(
    "condition", [np.array([2, 0]), np.array([255, 0], np.uint8), np.array([0.5, 0.0]), [np.nan, 0]]
)
def test_a_condition_is_whatever_is_not_zero(condition):
    got = slope(lambda x: np.where(condition, np.exp(x), np.sin(x)), [1.0, 2.0])
    np.testing.assert_allclose(got, [np.exp(1.0), np.cos(2.0)])
    np.testing.assert_allclose(slope(lambda x: np.where(5, np.exp(x), x), [1.0]), np.exp(1.0))


def test_what_is_set_over_is_cut():
    mask = np.array([True, False])
    np.testing.assert_array_equal(slope(lambda x: np.log(x).at[mask].set(0.0), [0.0, 2.0]), [0, 0.5])
    np.testing.assert_array_equal(slope(lambda x: Value(np.ones(3)).at[:2].set(np.exp(x)) * 2, [0.0, 0.0]), [2, 2])


@pytest.mark.parametrize(
    ("function", "x", "wanted"),
    [
        (lambda x: np.minimum(x, np.array([3, 3], np.uint8)), [1.3, 5.2], [1, 0]),
        (lambda x: np.minimum(x, np.array([-128], np.int8)), [1.0], [0]),
        (lambda x: np.minimum(x, np.array([False, True])), [-0.5, 3.0], [1, 0]),
        (lambda x: x ** np.array([-128], np.int8), [1.1], [-128 * 1.1**-129]),
        (lambda x: np.power(x, np.array([0, 2], np.uint8)), [1.1, 3.0], [0, 6]),
        (lambda x: np.interp(x, [0.0, 3.0], np.array([200, 100], np.uint8)), [1.0], [-100 / 3]),
        (lambda x: np.interp(x, np.array([-100, 100], np.int8), [0.0, 1.0]), [1.0], [1 / 200]),
        pytest.param(
            lambda x: np.roll(x, np.uint8(1))[1],
            [0.0, 1.0, 2.0],
            [1, 0, 0],
            marks=pytest.mark.skipif(
                np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="NumPy 2.0 refuses it itself"
            ),
        ),
    ],
)
def test_constants_of_few_bits_do_not_overflow_in_a_rule(function, x, wanted):
    np.testing.assert_allclose(slope(function, x), wanted, rtol=1e-12)
