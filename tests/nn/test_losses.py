"""Losses: the textbook's numbers, their gradients, and what they refuse."""

import numpy as np
import pytest

import nn
from autograd import Value
from nn import cross_entropy, mse
from tests.autograd.numerical import assert_close, check_first, check_second, gradient

RNG = np.random.default_rng(0)
Z = RNG.standard_normal((5, 4))
T = np.array([3, 0, 1, 1, 2])


def naive(z):
    return -np.log(np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True))[np.arange(len(z)), T]


REDUCTIONS = {"mean": np.mean, "sum": np.sum, "none": lambda losses: losses}


# -------------------------------------------------------------------- cross entropy


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_is_the_log_of_the_right_probability(reduction):
    np.testing.assert_allclose(cross_entropy(Value(Z), T, reduction).data, REDUCTIONS[reduction](naive(Z)), rtol=1e-13)


def test_cross_entropy_takes_arrays():
    assert cross_entropy(Z, list(T)) == cross_entropy(Value(Z), T).item()


def test_its_gradient_is_softmax_minus_one_hot():
    z = Value(Z)
    cross_entropy(z, T).backward()
    softmax = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(z.grad, (softmax - np.eye(4)[T]) / 5, atol=1e-15)
    assert_close(z.grad, gradient(lambda z: naive(z).mean(), [Z], 0))
    np.testing.assert_allclose(z.grad.sum(axis=1), 0, atol=1e-15)


def test_a_shift_of_all_scores_changes_nothing():
    for shift in (1e3, -1e6):
        assert cross_entropy(Value(Z + shift), T).item() == pytest.approx(cross_entropy(Value(Z), T).item(), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_stable_and_keeps_the_dtype(dtype):
    z = Value(np.array([[1e4, -1e4], [-1e4, 1e4]], dtype))
    loss = cross_entropy(z, np.array([0, 0]))
    loss.backward()
    assert loss.item() == 1e4 and loss.dtype == z.grad.dtype == dtype
    np.testing.assert_array_equal(z.grad, [[0, 0], [-0.5, 0.5]])


def test_a_class_ruled_out_by_minus_infinity_costs_nothing():
    z = Value(np.array([[0.0, -np.inf, 0.0]]))
    loss = cross_entropy(z, np.array([2]))
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    np.testing.assert_allclose(z.grad, [[0.5, 0, -0.5]])


def test_more_axes_and_fewer():
    z, t = RNG.standard_normal((2, 3, 4)), RNG.integers(0, 4, (2, 3))
    losses = cross_entropy(Value(z), t, "none")
    assert losses.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert losses.data[i, j] == pytest.approx(cross_entropy(Value(z[i, j]), t[i, j]).item())


@pytest.mark.parametrize("kind", ["u1", "i4", "i8", "u8"])
def test_any_integers_are_classes(kind):
    assert cross_entropy(Z, T.astype(kind)) == cross_entropy(Z, T)


def test_order_of_the_examples_does_not_matter():
    order = np.array([4, 2, 0, 1, 3])
    assert cross_entropy(Z[order], T[order]) == pytest.approx(cross_entropy(Z, T), rel=1e-14)


@pytest.mark.parametrize("targets", [T.astype(float), T > 1])
def test_targets_that_are_no_integers(targets):
    with pytest.raises(TypeError, match=r"class indices.*dtype"):
        cross_entropy(Value(Z), targets)


@pytest.mark.parametrize("targets", [T[:4], T[:, None], np.eye(4, dtype=int)[T], np.int64(1)])
def test_targets_of_another_shape(targets):
    with pytest.raises(ValueError, match=r"logits of shape \(5, 4\) want targets of shape \(5,\)"):
        cross_entropy(Value(Z), targets)


def test_a_scalar_has_no_classes():
    with pytest.raises(ValueError, match=r"logits of shape \(\)"):
        cross_entropy(Value(1.0), np.array(0))


@pytest.mark.parametrize("wrong", [-1, 4, 100])
def test_targets_that_are_no_class(wrong):
    targets = T.copy()
    targets[2] = wrong
    with pytest.raises(IndexError, match=rf"target {wrong} is no class.*0 to 3"):
        cross_entropy(Value(Z), targets)


def test_cross_entropy_against_torch():
    torch = pytest.importorskip("torch")
    z, peer = Value(Z), torch.tensor(Z, requires_grad=True)
    cross_entropy(z, T).backward()
    loss = torch.nn.functional.cross_entropy(peer, torch.tensor(T))
    loss.backward()
    assert cross_entropy(z, T).item() == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(z.grad, peer.grad.numpy(), atol=1e-14)


# -------------------------------------------------------------------- mean squared error


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_mse_is_the_mean_of_squares(reduction):
    target = RNG.standard_normal(Z.shape)
    np.testing.assert_allclose(mse(Value(Z), target, reduction).data, REDUCTIONS[reduction]((Z - target) ** 2))
    assert mse(Z, Z) == 0
    assert mse(Value(Z), target).item() == pytest.approx(mse(target, Value(Z)).item())


def test_the_gradient_of_mse():
    prediction, target = Value(Z), RNG.standard_normal(Z.shape)
    mse(prediction, target).backward()
    np.testing.assert_allclose(prediction.grad, 2 * (Z - target) / Z.size, rtol=1e-13)


def test_mse_keeps_float32():
    assert mse(Value(Z.astype("f4")), Z.astype("f4")).dtype == np.float32


@pytest.mark.parametrize(("one", "other"), [((5, 1), (5,)), ((5,), (5, 1)), ((3, 1, 4), (2, 4))])
def test_mse_warns_where_both_are_blown_up(one, other):
    with pytest.warns(UserWarning, match=r"compares every prediction with every target.*reshape") as caught:
        loss = mse(Value(np.ones(one)), np.zeros(other))
    assert loss.item() == 1 and caught[0].filename == __file__


@pytest.mark.parametrize(("one", "other"), [((5, 1), (5, 1)), ((5, 4), (4,)), ((5,), ()), ((1, 1), (1,))])
def test_mse_is_silent_where_that_is_harmless(one, other):
    assert mse(Value(np.ones(one)), np.zeros(other)).item() == 1


def test_shapes_that_cannot_meet():
    with pytest.raises(ValueError, match=r"mse: prediction of shape \(5, 4\) and target of shape \(5,\)"):
        mse(Value(Z), np.zeros(5))


@pytest.mark.parametrize("loss", [lambda r: mse(Value(Z), Z, r), lambda r: cross_entropy(Value(Z), T, reduction=r)])
def test_reductions_are_checked(loss):
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none'"):
        loss("average")


def test_large_unsigned_targets_are_no_classes():
    with pytest.raises(IndexError, match="18446744073709551615 is no class"):
        cross_entropy(Z, np.array([0, 1, 2, 3, 2**64 - 1], np.uint64))


def test_logits_may_be_a_list():
    assert cross_entropy([[0.0, 0.0]], [1]) == pytest.approx(np.log(2))


# -------------------------------------------------------------------- the others

ACTUAL, PREDICTED = np.array([50.0, 101.0, 42.0, 95.0]), np.array([50.0, 100.0, 40.0, 90.0])
RATIOS = RNG.uniform(0.1, 0.9, (5, 4))
SIGNS = np.where(RATIOS > 0.5, 1, -1)
LOG = np.log(np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True))
SOFT = np.exp(Z[:, ::-1]) / np.exp(Z).sum(axis=1, keepdims=True)

LOSSES = {
    "sse": (nn.sse, Z, RATIOS),
    "mse": (nn.mse, Z, RATIOS),
    "rmse": (nn.rmse, Z, RATIOS),
    "mae": (nn.mae, Z, RATIOS),
    "huber": (nn.huber, Z, RATIOS),
    "hinge": (nn.hinge, Z, SIGNS),
    "perceptron_loss": (nn.perceptron_loss, Z, SIGNS),
    "binary_cross_entropy": (nn.binary_cross_entropy, RATIOS, RATIOS[::-1]),
    "binary_cross_entropy_with_logits": (nn.binary_cross_entropy_with_logits, Z, RATIOS),
    "cross_entropy": (nn.cross_entropy, Z, T),
    "cross_entropy of probabilities": (nn.cross_entropy, Z, SOFT),
    "cross_entropy, smooth": (lambda z, t: nn.cross_entropy(z, t, label_smoothing=0.2), Z, T),
    "cross_entropy, weighted": (lambda z, t: nn.cross_entropy(z, t, weight=[1, 2, 3, 0.5]), Z, T),
    "nll": (nn.nll, LOG, T),
    "nll, weighted": (lambda z, t: nn.nll(z, t, weight=[1, 2, 3, 0.5]), LOG, T),
    "kl_div": (nn.kl_div, LOG, SOFT),
}


def test_the_worked_example():
    assert nn.sse(Value(PREDICTED), ACTUAL).item() == 30
    assert nn.mse(Value(PREDICTED), ACTUAL).item() == 7.5
    assert nn.mae(Value(PREDICTED), ACTUAL).item() == 2
    assert round(nn.rmse(Value(PREDICTED), ACTUAL).item(), 4) == 2.7386


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_any_order_and_dtype(name):
    loss, x, target = LOSSES[name]
    check_first(lambda x: loss(x, target), [x])
    check_second(lambda x: loss(x, target), [x])
    small = Value(x.astype(np.float32))
    y = loss(small, target.astype(np.float32) if target.dtype.kind == "f" else target)
    y.backward()
    assert y.shape == () and small.grad.dtype == np.float32


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("sse", "rmse") and "," not in name])
def test_reductions(name):
    loss, x, target = LOSSES[name]
    each = loss(Value(x), target, reduction="none").data
    assert loss(Value(x), target, reduction="sum").item() == pytest.approx(each.sum())
    assert loss(Value(x), target, reduction="mean").item() == pytest.approx(each.mean())
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none'"):
        loss(Value(x), target, reduction="max")


def test_stable_far_out_and_at_the_edges():
    z = Value([1000.0, -1000.0, 1000.0, -1000.0])
    loss = nn.binary_cross_entropy_with_logits(z, [1, 0, 0, 1], reduction="none")
    loss.sum().backward()
    np.testing.assert_array_equal(loss.data, [0, 0, 1000, 1000])
    np.testing.assert_array_equal(z.grad, [0, 0, 1, -1])
    p = Value([0.0, 1.0, 0.0, 1.0])
    loss = nn.binary_cross_entropy(p, [0, 1, 1, 0], reduction="none")
    loss.sum().backward()
    np.testing.assert_array_equal(loss.data, [0, 0, 100, 100])
    np.testing.assert_array_equal(p.grad, [1, -1, 0, 0])
    exact = Value([1.0, 2.0])
    nn.rmse(exact, [1.0, 2.0]).backward()
    np.testing.assert_array_equal(exact.grad, [0, 0])


def test_the_perceptrons_step_is_the_classical_rule():
    x, t = np.array([[1.0, 2.0], [-1.0, 3.0], [0.5, 0.5]]), np.array([1, -1, 1])
    w = Value(np.array([1.0, -1.0]))
    nn.perceptron_loss(x @ w, t, reduction="sum").backward()
    wrong = t * (x @ w.data) <= 0
    np.testing.assert_array_equal(-w.grad, (t[:, None] * x)[wrong].sum(axis=0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.huber(Z, Z, delta=0), "delta=0"),
        (lambda: nn.hinge(Z, T[:, None]), "targets are -1 and 1"),
        (lambda: nn.binary_cross_entropy(Value(Z), SIGNS > 0), "a probability lies between 0 and 1"),
        (lambda: nn.binary_cross_entropy(RATIOS, SIGNS), "a probability lies between 0 and 1"),
        (lambda: nn.cross_entropy(Z, SOFT - 1), "a probability lies between 0 and 1"),
        (lambda: nn.cross_entropy(Z, T, weight=[1, 2]), "for each of 4 classes"),
        (lambda: nn.cross_entropy(Z, T, label_smoothing=1), "from 0 to below 1"),
        (lambda: nn.nll(LOG, T[:3]), "want targets of shape"),
        (lambda: nn.mae(Z, Z[:, :3]), "the two must be the same"),
        (lambda: nn.kl_div(LOG, SOFT[:, :3]), "the two must be the same"),
    ],
)
def test_wrong_input_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_targets_that_are_no_classes():
    with pytest.raises(IndexError, match="from 0 to 3"):
        nn.nll(LOG, T + 1)
    with pytest.raises(TypeError, match="class indices"):
        nn.nll(LOG, T + 0.5)


@pytest.mark.parametrize("name", ["mae", "huber", "binary_cross_entropy_with_logits"])
def test_a_column_against_a_row_warns(name):
    with pytest.warns(UserWarning, match="every prediction with every target"):
        getattr(nn, name)(Value(np.ones((3, 1))), np.ones(3))


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("mse", lambda f, x, t: f.mse_loss(x, t)),
        ("mae", lambda f, x, t: f.l1_loss(x, t)),
        ("huber", lambda f, x, t: f.huber_loss(x, t)),
        ("binary_cross_entropy", lambda f, x, t: f.binary_cross_entropy(x, t)),
        ("binary_cross_entropy_with_logits", lambda f, x, t: f.binary_cross_entropy_with_logits(x, t)),
        ("cross_entropy of probabilities", lambda f, x, t: f.cross_entropy(x, t)),
        ("cross_entropy, smooth", lambda f, x, t: f.cross_entropy(x, t, label_smoothing=0.2)),
        ("cross_entropy, weighted", lambda f, x, t: f.cross_entropy(x, t, weight=x.new_tensor([1, 2, 3, 0.5]))),
        ("nll", lambda f, x, t: f.nll_loss(x, t)),
        ("nll, weighted", lambda f, x, t: f.nll_loss(x, t, weight=x.new_tensor([1, 2, 3, 0.5]))),
        ("kl_div", lambda f, x, t: f.kl_div(x, t, reduction="batchmean")),
    ],
)
def test_the_others_same_as_torch(name, theirs):
    torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")
    loss, x, target = LOSSES[name]
    ours, other = Value(x), torch.tensor(x, requires_grad=True)
    wanted = theirs(torch.nn.functional, other, torch.tensor(np.ascontiguousarray(target)))
    y = loss(ours, target)
    np.testing.assert_allclose(y.item(), wanted.item(), rtol=1e-10)
    y.backward()
    wanted.backward()
    np.testing.assert_allclose(ours.grad, other.grad.numpy(), rtol=1e-9, atol=1e-14)
