"""What arrays of another library than NumPy's must be able to do: one suite, for the library that a test module names.

A module that imports all of this defines the fixture `library`. Each test computes the same with NumPy's arrays and
with the library's, and compares: the numbers, and that results and gradients never left the library.
"""

import copy

import numpy as np
import pytest

import nn
from autograd import (
    Value,
    anomaly,
    certain,
    checkpoint,
    draw,
    formula,
    grad,
    hvp,
    jvp,
    no_grad,
    reaches,
    rules,
    trace,
    value_and_grad,
)
from autograd.backward import reverse
from autograd.errors import LibraryError

rules.everything()  # before the table is read

from .autograd.numerical import assert_close  # noqa: E402
from .autograd.rules import test_table  # noqa: E402

# Not SciPy's special functions, of which each library has others, and which are there if SciPy was met.
CASES = [case for case in test_table.CASES if not case.op.name.startswith("special.")]
each_case = test_table.each(CASES)

# Operations that CuPy 13 has no function for, in all cases or with one keyword.
CANNOT = {
    ("nanquantile", None): "there is no nanquantile",
    ("nanpercentile", None): "there is no nanpercentile",
    ("quantile", "weights"): "quantile takes no weights",
    ("percentile", "weights"): "percentile takes no weights",
    ("linalg.eig.eigenvalues", None): "there is no eig",
    ("linalg.eig.eigenvectors", None): "there is no eig",
}


class Library:
    """Another library: the way there, the way back, and the type of its arrays."""

    def __init__(self, kind, there, back):
        self.kind, self.there, self.back = kind, there, back

    def of(self, x):
        """The arrays of nested tuples, lists and dicts."""
        if type(x) in (list, tuple):
            return type(x)(map(self.of, x))
        if type(x) is dict:
            return {name: self.of(item) for name, item in x.items()}
        return self.there(x) if isinstance(x, np.ndarray) else x

    def assert_same(self, got, wanted, tolerance=1e-12):
        """An array of the library with the numbers of one of NumPy's."""
        assert isinstance(got, self.kind), f"a {type(got).__name__} got out"
        assert got.dtype == np.result_type(wanted)
        assert_close(self.back(got), wanted, tolerance)


def reason(case):
    return next(
        (why for (name, key), why in CANNOT.items() if name == case.op.name and key in (None, *case.keywords)), ""
    )


def there(case, library):
    """The same case with arrays of the library, and its leaves."""
    twin = copy.copy(case)
    twin.args, twin.keywords = library.of(case.args), library.of(case.keywords)
    return twin, [Value(library.there(x)) for x in case.arrays]


def test_the_list_of_what_a_library_cannot_do_is_short_and_true():
    assert len(CANNOT) <= 6
    known = {(case.op.name, key) for case in CASES for key in (None, *case.keywords)}
    assert set(CANNOT) <= known


@each_case
def test_an_operation_and_its_gradients(case, library):
    twin, leaves = there(case, library)
    if reason(case):
        with pytest.raises(LibraryError, match=rf"(?s){case.op.name.split('.')[-1]}.*{library.kind.__name__}"):
            twin.of(*leaves)
        return
    y = twin.of(*leaves)
    library.assert_same(y._array, case.y)
    got = reverse([y], [library.there(np.asarray(case.seed))], wrt=leaves)
    own = [Value(x) for x in case.arrays]
    wanted = reverse([case.of(*own)], [case.seed], wrt=own)
    for leaf, twin_leaf in zip(own, leaves, strict=True):
        assert (leaf in wanted) == (twin_leaf in got)
        if leaf in wanted:
            library.assert_same(got[twin_leaf], wanted[leaf], 1e-10)


SECOND = [case for case in CASES if case.arrays and not reason(case)]
FIRST_OF_EACH = list({case.op.name: case for case in reversed(SECOND)}.values())


def second(of, leaves, seed):
    """The gradient of the sum of all gradients."""
    first = reverse([of(*leaves)], [seed], wrt=leaves, create_graph=True)
    roots = [share for share in first.values() if isinstance(share, Value) and share.requires_grad]
    seeds = [np.ones_like(share._array) for share in roots]
    return reverse(roots, seeds, wrt=leaves) if roots else {}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in FIRST_OF_EACH])
def test_the_gradient_of_the_gradient(case, library):
    own = [Value(x) for x in case.arrays]
    wanted = second(case.of, own, case.seed)
    twin, leaves = there(case, library)
    got = second(twin.of, leaves, library.there(np.asarray(case.seed)))
    for leaf, twin_leaf in zip(own, leaves, strict=True):
        if leaf in wanted:
            library.assert_same(got[twin_leaf], wanted[leaf], 1e-9)


# ---------------------------------------------------------------- Values


def test_operators_methods_and_numbers(library):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))

    def f(x, w):
        h = (2 * x @ w - 1.5) ** 2 / 3 + np.float64(0.5)
        h = np.where(h > 0.5, np.log(h), h) + x[:, :2] - x[1, 2:] * h.max()
        return -(h.T.reshape(-1)[::2] * np.maximum(h.mean(), 0.1)).sum() + h.at[0].set(1.0).at[1, 0].add(h[0, 0]).std()

    library.assert_same(
        f(Value(library.there(x)), Value(library.there(w)))._array, f(x_ := Value(x), w_ := Value(w)).data
    )
    a, b = Value(library.there(x)), Value(library.there(w))
    f(a, b).backward()
    f(x_, w_).backward()
    library.assert_same(a.grad, x_.grad)
    library.assert_same(b.grad, w_.grad)
    f(a, b).backward()  # which adds up
    library.assert_same(a.grad, 2 * x_.grad)
    assert isinstance(f(a, b).item(), float)


def test_an_array_of_the_library_on_either_side_of_a_value(library):
    x = np.array([1.0, 2.0, 3.0])
    v = Value(library.there(x))
    for result in (
        library.there(x) * v,
        v * library.there(x),
        np.multiply(library.there(x), v),
        x.tolist()[1] * v / 2.0 * 3,
    ):
        assert isinstance(result, Value)
    (library.there(x) * v).sum().backward()
    library.assert_same(v.grad, x)


def test_transforms(library):
    x, d = np.array([[0.3, -0.2], [0.7, 1.1]]), np.array([[1.0, 2.0], [-1.0, 0.5]])

    def f(x):
        return np.sum(np.sin(x @ x) * x[0])

    there = library.there
    library.assert_same(grad(f)(there(x)), grad(f)(x))
    library.assert_same(hvp(f)(there(x), there(d)), hvp(f)(x, d))
    library.assert_same(
        jvp(lambda x: np.sin(x @ x), [there(x)], [there(d)])[1], jvp(lambda x: np.sin(x @ x), [x], [d])[1]
    )
    number, share = value_and_grad(checkpoint(f))(there(x))
    library.assert_same(share, grad(f)(x))
    library.assert_same(number, f(x))


def test_anomaly_names_the_place(library):
    with (
        np.errstate(all="ignore"),
        anomaly(),
        pytest.raises(FloatingPointError, match=r"log gave -inf at index \(1,\)"),
    ):
        np.log(Value(library.there(np.array([1.0, 0.0]))))


def test_pictures_and_words_show_shapes_and_a_trace_says_what_it_wants(library):
    x = Value(library.there(np.array([1.0, 2.0, 3.0])), label="x")
    y = np.tanh(2 * x).sum()
    y.backward()
    assert f"{library.kind.__name__} (3,) float64" in draw(y).dot
    assert formula(y) == "sum(tanh(2 * x))"
    assert reaches(x, y) and "label='x'" in repr(x)
    with pytest.raises(LibraryError, match=rf"(?s)trace.*{library.kind.__name__}.*NumPy's arrays"):
        trace(y)


def test_a_gradient_that_a_where_cut_stays_zero(library):
    x = Value(library.there(np.array([-1.0, 0.0, 2.0])))
    with np.errstate(all="ignore"):
        y = np.where(x > 0, np.log(np.where(x > 0, x, 1.0)) + np.sqrt(x), 0.0)
    y.sum().backward()
    library.assert_same(x.grad, np.array([0.0, 0.0, 0.5 + 0.5 / np.sqrt(2)]))


def test_what_it_is_mixed_with_is_said(library):
    with pytest.raises(LibraryError, match=r"(?s)matmul.*ndarray.*model\.to") as caught:
        Value(library.there(np.ones((2, 3)))) @ Value(np.ones((3, 2)))
    assert isinstance(caught.value, TypeError)


# ---------------------------------------------------------------- nets


def images(*shape):
    return np.random.default_rng(1).normal(size=shape)


CLASSES = np.array([0, 2, 1, 2])
MASK = np.array([[True, True, True], [True, True, False], [True, False, False], [True, True, True]])
LAYERS = {
    "dense": lambda: (nn.Dense(5, 3, nn.relu, seed=0), (images(4, 5),)),
    "mlp, waiting": lambda: (nn.Sequential(nn.Dense(8, np.tanh, seed=0), nn.Dense(3, seed=1)), (images(4, 5),)),
    "conv2d": lambda: (
        nn.Conv2d(2, 4, 3, nn.relu, padding=1, stride=2, groups=2, seed=0), (images(3, 2, 6, 5),)),
    "conv2d, same": lambda: (nn.Conv2d(2, 3, (3, 2), padding="same", dilation=2, seed=0), (images(2, 2, 6, 5),)),
    "conv1d": lambda: (nn.Conv1d(2, 3, 3, seed=0), (images(2, 2, 7),)),
    "conv transposed": lambda: (
        nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1, seed=0), (images(2, 2, 3, 4),)),
    "max pool": lambda: (nn.MaxPool2d(2), (images(2, 2, 4, 6),)),
    "max pool with margins": lambda: (nn.MaxPool2d(3, 2, 1), (images(2, 2, 5, 6),)),
    "mean pool": lambda: (nn.AvgPool2d(2, 1), (images(2, 2, 4, 4),)),
    "pool 1d": lambda: (nn.Sequential(nn.MaxPool1d(2), nn.AvgPool1d(2)), (images(2, 2, 8),)),
    "global pools": lambda: (nn.Sequential(nn.GlobalAvgPool()), (images(2, 3, 4, 4),)),
    "global max, flat": lambda: (nn.Sequential(nn.GlobalMaxPool(), nn.Flatten()), (images(2, 3, 4, 4),)),
    "batch norm": lambda: (nn.BatchNorm(3), (images(4, 3, 2),)),
    "batch norm, judging": lambda: (nn.BatchNorm(3).eval(), (images(4, 3, 2),)),
    "layer norm": lambda: (nn.LayerNorm(5), (images(4, 5),)),
    "dropout": lambda: (nn.Sequential(nn.Dropout(0.5, seed=0)), (images(4, 5),)),
    "embedding": lambda: (nn.Embedding(5, 3, seed=0), (np.array([[1, 4, 1], [0, 1, 2]]),)),
    "rnn": lambda: (nn.RNN(2, 3, returns="outputs", seed=0), (images(4, 3, 2), None, MASK)),
    "gru": lambda: (nn.GRU(2, 3, layers=2, returns="last", seed=0), (images(4, 3, 2),)),
    "lstm": lambda: (nn.LSTM(2, 3, layers=2, returns="outputs", seed=0), (images(4, 3, 2),)),
    "lstm, masked": lambda: (nn.LSTM(2, 3, returns="outputs", seed=0), (images(4, 3, 2), None, MASK)),
    "lstm cell": lambda: (nn.Sequential(nn.LSTMCell(2, 3, seed=0), lambda state: state[0]), (images(4, 2),)),
    "attention": lambda: (
        nn.MultiHeadAttention(4, 2, seed=0), (images(2, 3, 4), None, None, np.tri(3, dtype=bool))),
    "perceptron": lambda: (nn.Perceptron([0.5, -1.0], activation=nn.sigmoid), (images(4, 2),)),
    "activation": lambda: (nn.Activation(nn.leaky_relu, slope=Value(0.1)), (images(4, 2),)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer(name, library):
    ours, given = LAYERS[name]()
    theirs, _ = LAYERS[name]()
    for model in (ours, theirs):
        if not all(module.built for _, module in model.named_modules()):
            model(given[0])
    theirs.to(library.there)

    def run(model, given):
        first = Value(given[0], requires_grad=given[0].dtype.kind == "f")
        y = model(first, *given[1:])
        np.sum(y * y * 0.5 + y).backward()
        return first, y

    wanted, y = run(ours, given)
    got, their_y = run(theirs, library.of(given))
    library.assert_same(their_y._array, y.data)
    if wanted.grad is not None:
        library.assert_same(got.grad, wanted.grad, 1e-10)
    for (path, parameter), (_, twin) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert parameter.grad is not None, path
        library.assert_same(twin.grad, parameter.grad, 1e-10)
    for (_, buffer), (_, twin) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        library.assert_same(twin.data, buffer.data)
    theirs.to(library.back)
    assert all(isinstance(p.data, np.ndarray | np.generic) for p in theirs.parameters())


ACTIVATIONS = [
    "relu", "sigmoid", "softmax", "log_softmax", "tanh", "leaky_relu", "elu", "selu", "gelu", "hard_sigmoid",
    "hard_tanh", "softplus", "log_sigmoid", "silu", "dsilu", "mish", "softsign", "step",
]  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation(name, library):
    function, x = getattr(nn, name), images(3, 4)
    v, twin = Value(x), Value(library.there(x))
    library.assert_same(function(twin)._array, function(v).data)
    library.assert_same(function(library.there(x)), function(x))
    function(v).sum().backward()
    function(twin).sum().backward()
    library.assert_same(twin.grad, v.grad)


SCORES, LIKELY = images(4, 3), np.array([[0.2, 0.3, 0.5]] * 4)
LOSSES = {
    "mse": (nn.mse, SCORES, images(4, 3) + 1),
    "sse": (nn.sse, SCORES, images(4, 3) + 1),
    "rmse": (nn.rmse, SCORES, images(4, 3) + 1),
    "mae": (nn.mae, SCORES, images(4, 3) + 1),
    "huber": (nn.huber, SCORES, images(4, 3) * 3),
    "hinge": (nn.hinge, SCORES, np.sign(images(4, 3))),
    "perceptron_loss": (nn.perceptron_loss, SCORES, np.sign(images(4, 3))),
    "binary_cross_entropy": (nn.binary_cross_entropy, LIKELY, (SCORES > 0).astype(float)),
    "with logits": (nn.binary_cross_entropy_with_logits, SCORES, (SCORES > 0).astype(float)),
    "cross_entropy": (nn.cross_entropy, SCORES, CLASSES),
    "cross_entropy of sequences": (nn.cross_entropy, images(2, 4, 3), np.array([CLASSES, CLASSES])),
    "cross_entropy, probabilities": (nn.cross_entropy, SCORES, LIKELY),
    "nll": (nn.nll, np.log(LIKELY), CLASSES),
    "kl_div": (nn.kl_div, np.log(LIKELY), LIKELY[:, ::-1].copy()),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_loss(name, reduction, library):
    loss, prediction, target = LOSSES[name]
    keywords = {} if name in ("sse", "rmse") else {"reduction": reduction}
    v, twin = Value(prediction), Value(library.there(prediction))
    wanted, got = loss(v, target, **keywords), loss(twin, library.there(target), **keywords)
    library.assert_same(got._array, wanted.data)
    wanted.sum().backward()
    got.sum().backward()
    library.assert_same(twin.grad, v.grad)


@pytest.mark.parametrize("keywords", [{"label_smoothing": 0.1}, {"weight": np.array([1.0, 2.0, 0.5])}])
def test_cross_entropy_with_weights_and_smoothing(keywords, library):
    v, twin = Value(SCORES), Value(library.there(SCORES))
    nn.cross_entropy(v, CLASSES, **keywords).backward()
    nn.cross_entropy(twin, library.there(CLASSES), **library.of(keywords)).backward()
    library.assert_same(twin.grad, v.grad)


def test_what_cannot_be_is_an_error(library):
    there = library.there
    with pytest.raises(IndexError, match="class"):
        nn.cross_entropy(Value(there(SCORES)), there(CLASSES + 1))
    with pytest.raises(IndexError, match="class"):
        nn.nll(Value(there(SCORES)), there(CLASSES + 1))
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.binary_cross_entropy(Value(there(SCORES)), there(LIKELY))
    with pytest.raises(ValueError, match="-1 and 1"):
        nn.hinge(Value(there(SCORES)), there(LIKELY))
    with pytest.raises(IndexError, match="rows are 0 to 4"):
        nn.Embedding(5, 2, seed=0).to(there)(there(np.array([5])))
    assert certain(np.any(there(CLASSES) > 1))


OPTIMISERS = {
    "SGD": lambda p: nn.SGD(p, lr=0.1),
    "SGD, all": lambda p: nn.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "AdaGrad": lambda p: nn.AdaGrad(p, lr=0.1, weight_decay=0.01),
    "RMSProp": lambda p: nn.RMSProp(p, lr=0.1, momentum=0.5),
    "Adam": lambda p: nn.Adam(p, lr=0.1, weight_decay=0.01),
    "AdamW": lambda p: nn.AdamW(p, lr=0.1),
}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("limit", [{}, {"norm": 0.5}, {"value": 0.1}])
def test_an_optimiser(name, limit, library):
    def train(there):
        x, y = there(images(16, 3)), there(np.arange(16) % 2)
        model = nn.MLP([3, 5, 2], np.tanh, seed=0).to(there)
        optimizer, lengths = OPTIMISERS[name](model.parameters()), []
        schedule = nn.StepSchedule(optimizer, every=2, gamma=0.5)
        for _ in range(4):
            optimizer.zero_grad()
            nn.cross_entropy(model(x), y).backward()
            if limit:
                lengths.append(float(nn.clip_gradients(model.parameters(), **limit)))
            optimizer.step()
            schedule.step()
        return model, lengths

    (wanted, lengths), (got, theirs) = train(lambda x: x), train(library.there)
    for ours, twin in zip(wanted.parameters(), got.parameters(), strict=True):
        library.assert_same(twin.data, ours.data, 1e-10)
    np.testing.assert_allclose(theirs, lengths)


def test_metrics(library):
    there, rng = library.there, np.random.default_rng(0)
    predicted, actual = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    for name in ("accuracy", "mse", "mae", "r2"):
        metric = getattr(nn.metrics, name)
        assert metric(there(predicted), there(actual)) == pytest.approx(metric(predicted, actual))
    scores = rng.normal(size=(50, 3))
    assert nn.metrics.top_k(there(scores), there(actual), k=2) == nn.metrics.top_k(scores, actual, k=2)
    for name in ("precision", "recall", "f1"):
        metric = getattr(nn.metrics, name)
        assert metric(there(predicted), there(actual), "macro") == pytest.approx(metric(predicted, actual, "macro"))
    library.assert_same(
        nn.metrics.confusion(there(predicted), there(actual), 3), nn.metrics.confusion(predicted, actual, 3)
    )
    ones = (actual == 1).astype(int)
    assert nn.metrics.roc_auc(there(scores[:, 0]), there(ones)) == pytest.approx(nn.metrics.roc_auc(scores[:, 0], ones))


def test_fit_evaluate_and_predict(library):
    x, y = images(40, 3), np.arange(40) % 3

    def train(there):
        model = nn.MLP([3, 8, 3], seed=0).to(there).compile("adam", "cross_entropy", ["accuracy"])
        history = model.fit(there(x), there(y), epochs=2, batch_size=16, validation_split=0.25, seed=0, verbose=False)
        return history, model.evaluate(there(x), there(y)), model.predict(there(x), batch_size=16)

    history, judged, prediction = train(lambda x: x)
    theirs, their_judged, their_prediction = train(library.there)
    for name in history.history:
        np.testing.assert_allclose(theirs[name], history[name], rtol=1e-8)
    assert their_judged == pytest.approx(judged)
    library.assert_same(their_prediction, prediction, 1e-8)


def test_no_gradient_no_graph(library):
    model = nn.MLP([3, 2], seed=0).to(library.there)
    with no_grad():
        assert not model(library.there(images(2, 3))).requires_grad
