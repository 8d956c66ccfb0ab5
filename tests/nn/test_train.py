"""Training: deterministic, learning, tidy behind itself, and hard to break."""

import copy
import functools
import pickle
import signal
import threading
import warnings

import numpy as np
import pytest

import nn
from autograd import Value, no_grad
from autograd.errors import AnomalyError, CompileError
from nn import SGD, cross_entropy, data, train
from nn.train import Callback, Checkpoint, EarlyStopping, GradientMonitor, History

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 2))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def made(sizes=(2, 8, 2), lr=0.1, momentum=0.5, metrics=("accuracy",), loss=cross_entropy, **settings):
    model = nn.MLP(list(sizes), seed=1, **settings)
    return model.compile(SGD(model.parameters(), lr=lr, momentum=momentum), loss, metrics)


def run(epochs=3, dtype=np.float64, seed=0, **settings):
    model = made(dtype=dtype)
    return model, model.fit(X.astype(dtype), Y, epochs=epochs, batch_size=8, seed=seed, **settings)


def noisy(x, rng):
    return x + rng.normal(0, 0.1, x.shape).astype(x.dtype)


def same(one, two):
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)


# -------------------------------------------------------------------- the loop


def test_it_is_the_loop_of_five_lines():
    model, twin = made(), made()
    model.fit(X, Y, epochs=2, batch_size=7, seed=3)
    optimizer, rng = twin.optimizer, np.random.default_rng(3)
    for _ in range(2):
        for x, y in data.batches(X, Y, size=7, seed=rng):
            optimizer.zero_grad()
            cross_entropy(twin(x), y).backward()
            optimizer.step()
    same(model, twin)


def test_with_a_split_it_is_the_loop_behind_a_split():
    model, twin = made(), made()
    history = model.fit(X, Y, epochs=1, batch_size=7, validation_split=0.25, seed=3)
    optimizer, rng = twin.optimizer, np.random.default_rng(3)
    train, held_out = data.split(X, Y, held_out=0.25, seed=rng)
    for x, y in data.batches(*train, size=7, seed=rng):
        optimizer.zero_grad()
        cross_entropy(twin(x), y).backward()
        optimizer.step()
    same(model, twin)
    assert history["val_loss"] == [twin.evaluate(*held_out)["loss"]]


def test_the_same_seed_gives_the_same_bits():
    (one, history), (two, again) = (run(augment=noisy, validation_split=0.25) for _ in range(2))
    assert history.history == again.history
    same(one, two)
    assert run(seed=1)[1].history != run(seed=0)[1].history
    rng = np.random.default_rng(0)
    assert run(seed=rng)[1].history == run(seed=0)[1].history
    assert run(seed=rng)[1].history != run(seed=0)[1].history


def test_it_learns_what_no_line_separates():
    _, history = run(epochs=80)
    assert len(history) == 80
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert history["accuracy"][-1] >= 0.8


def test_the_numbers_of_an_epoch_are_those_of_all_examples():
    model = made(lr=1e-300)  # stands still
    history = model.fit(X, Y, epochs=1, batch_size=7, validation_data=(X[:11], Y[:11]), seed=0)
    assert history["loss"] == pytest.approx([cross_entropy(model(X), Y).item()])
    right = model(X).data.argmax(axis=1) == Y
    assert history["accuracy"] == [right.mean()] and history["val_accuracy"] == [right[:11].mean()]
    assert model.evaluate(X[:11], Y[:11], batch_size=4) == {
        "loss": pytest.approx(history["val_loss"][0]), "accuracy": history["val_accuracy"][0],
    }  # fmt: skip


def test_a_validation_split_is_dealt_at_random_and_not_learnt_from():
    seen = []

    class Spy(Callback):
        def on_train_begin(self, run):
            run.model.layers.insert(0, lambda x: seen.append((run.model.training, x.data[:, 0])) or x)

    x = np.stack([np.arange(40.0), np.zeros(40)], axis=1)
    made().fit(x, np.arange(40) % 2, epochs=2, batch_size=8, validation_split=0.25, callbacks=[Spy()], seed=0)
    learnt = np.unique(np.concatenate([x for training, x in seen if training]))
    judged = np.unique(np.concatenate([x for training, x in seen if not training]))
    assert len(learnt) == 30 and len(judged) == 10 and not set(learnt) & set(judged)
    assert set(judged) != set(range(30, 40))


def test_order():
    def batches(**settings):
        seen = []
        model = made()
        model.fit(
            np.arange(8.0).reshape(4, 2), np.zeros(4, int), batch_size=2, seed=0,
            augment=lambda x, rng: seen.append(x[:, 0].tolist()) or x, **settings,
        )  # fmt: skip
        return seen

    assert batches(shuffle=False, epochs=2) == [[0.0, 2.0], [4.0, 6.0]] * 2
    shuffled = batches(epochs=20)
    assert len({str(shuffled[i : i + 2]) for i in range(0, 40, 2)}) > 5


def test_float32_stays_float32():
    model, _ = run(dtype=np.float32, augment=noisy)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert model.predict(X.astype(np.float32)).dtype == np.float32


def test_several_inputs_and_outputs():
    a, b = nn.Input(2), nn.Input(3)
    h = nn.Dense(5, 4, np.tanh, seed=0)(np.concatenate([a, b], axis=1))
    model = nn.Model([a, b], (nn.Dense(4, 1, seed=1)(h), nn.Dense(4, 2, seed=2)(h)))
    other = RNG.standard_normal((60, 3))
    targets = X[:, :1] * 2, Y

    def loss(predicted, target):
        return nn.mse(predicted[0], target[0]) + cross_entropy(predicted[1], target[1])

    def right(predicted, target):
        return np.mean(predicted[1].argmax(axis=1) == target[1])

    model.compile("adam", loss, {"right": right})
    history = model.fit((X, other), targets, epochs=5, validation_split=0.2, seed=0)
    assert history["loss"][-1] < history["loss"][0] and set(history.history) == {
        "loss",
        "right",
        "val_loss",
        "val_right",
    }
    number, scores = model.predict((X, other), batch_size=7)
    assert number.shape == (60, 1) and scores.shape == (60, 2)
    np.testing.assert_allclose(number, model(X, other)[0].data, rtol=1e-12)


# -------------------------------------------------------------------- modes


class Watched(nn.Model):
    def __init__(self):
        self.weight = Value(np.eye(2))
        self.seen = []

    def forward(self, x):
        self.seen.append(self.training)
        y = x @ self.weight
        assert y.requires_grad == self.training
        return y


def test_training_and_judging_happen_in_their_modes():
    model = Watched().compile("sgd", "cross_entropy")
    model.fit(X, Y, epochs=1, batch_size=30, validation_data=(X, Y), seed=0)
    assert model.seen == [True, True, False] and model.training
    model.eval().fit(X, Y, epochs=1, batch_size=60, seed=0)
    assert model.seen[3:] == [True] and not model.training


def test_a_callback_that_judges_does_not_end_the_learning():
    model = Watched().compile("sgd", "cross_entropy")
    model.fit(X, Y, epochs=2, batch_size=60, callbacks=[lambda run: run.model.eval()])
    assert model.seen == [True, True]


def test_predict_leaves_the_modes_as_they_were():
    model = Watched()
    model.part = Watched().eval()
    np.testing.assert_array_equal(model.predict(X), X)
    assert model.training and not model.part.training
    assert model.predict(X[:0]).shape == (0, 2)


def test_predict_wants_examples_first():
    x = nn.Input(2)
    with pytest.raises(ValueError, match=r"60 examples gave an output of shape \(2,\)"):
        nn.Model(x, np.mean(x, axis=0)).predict(X)


# -------------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": 0}, r"fit\(epochs=0\)"),
        ({"epochs": 1.5}, r"fit\(epochs=1.5\)"),
        ({"batch_size": 0}, r"fit\(batch_size=0\)"),
        ({"batch_size": True}, r"fit\(batch_size=True\)"),
        ({"validation_split": 1}, r"fit\(validation_split=1\)"),
        ({"validation_split": np.nan}, r"fit\(validation_split=nan\)"),
        ({"validation_split": 0.1, "validation_data": (X, Y)}, "exclude each other"),
        ({"validation_data": X}, r"a pair \(x, y\)"),
        ({"callbacks": [3]}, "neither a Callback nor a function"),
        ({"schedule": 3}, "a Schedule, or a function"),
    ],
)
def test_settings_are_checked_before_anything_happens(settings, said):
    model = made()
    before = [p.data for p in model.parameters()]
    with pytest.raises((ValueError, TypeError), match=said):
        model.fit(X, Y, **settings)
    for p, was in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, was)


def test_data_that_do_not_fit_are_told():
    model = made()
    with pytest.raises(ValueError, match="60 inputs and 59 targets"):
        model.fit(X, Y[:-1])
    with pytest.raises(ValueError, match=r"got lengths \[None\]"):
        model.fit(3.0, Y)
    with pytest.raises(ValueError, match="at least one"):
        model.fit(X[:0], Y[:0])
    with pytest.raises(ValueError, match="at least one"):
        model.evaluate(X[:0], Y[:0])
    with pytest.raises(ValueError, match=r"The loss has shape \(8,\)"):
        made(loss=lambda p, t: cross_entropy(p, t, "none")).fit(X, Y, batch_size=8)


def test_a_loss_without_a_graph_is_told():
    with pytest.raises(TypeError, match=r"the loss gave 3\.0; a Value is wanted"):
        made(loss=lambda p, t: 3.0).fit(X, Y)


class Root(nn.Model):
    """Its forward pass fails where an input is negative, its backward pass where it is 0."""

    def __init__(self):
        self.weight = Value(np.ones(1))
        self.mean = Value(np.zeros(1), requires_grad=False)

    def forward(self, x):
        if self.training:
            self.mean.data = self.mean.data + x.data.mean(axis=0)
        return np.sqrt(x * self.weight)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (-1.0, r"(?s)sqrt gave nan .*test_train.py.*in epoch 1, batch 3; the weights are those before that batch"),
        (0.0, r"(?s)backward pass of sqrt gave (nan|inf) .*in epoch 1, batch 3"),
        (np.nan, r"Input 0 holds NaN or infinity, in epoch 1, batch 3"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_what_is_not_finite_is_traced_to_its_operation(bad, said):
    x = np.full((12, 1), 4.0)
    x[9] = bad
    model = Root()
    model.compile(SGD(model.parameters(), lr=0.01), "mse")
    weights = []

    class Follow(Callback):
        def on_batch_end(self, run):
            weights.append((model.weight.data.copy(), model.mean.data.copy()))

    with pytest.raises(AnomalyError, match=said):
        model.fit(x, np.zeros((12, 1)), epochs=3, batch_size=4, shuffle=False, callbacks=[Follow()])
    np.testing.assert_array_equal(model.weight.data, weights[1][0])
    np.testing.assert_array_equal(model.mean.data, weights[1][1])
    assert len(weights) == 2
    assert isinstance(model.history, History)


def test_numbers_that_are_large_but_finite_pass():
    model = nn.MLP([1, 1], seed=0, dtype=np.float32)
    model.compile(SGD(model.parameters(), lr=1e-30), lambda p, t: (p * np.float32(1e25)).mean())
    with np.errstate(over="ignore"):
        model.fit(np.ones((2, 1), np.float32), np.zeros(2), epochs=1)
    assert np.isfinite(model.layers[0].weight.data).all()


# -------------------------------------------------------------------- Ctrl-C


def interrupt(run):
    if run.epoch == 2:
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_returns_what_was_reached():
    model = made()
    history = model.fit(X, Y, epochs=50, callbacks=[interrupt], seed=0)
    assert len(history) == 2 and history.stopped == "stopped by Ctrl-C in epoch 2 of 50" and history is model.history
    twin = made()
    twin.fit(X, Y, epochs=2, seed=0)
    same(model, twin)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_lets_the_step_be_finished():
    class During(Callback):
        def on_backward_end(self, run):
            if run.epoch == 2 and run.batch == 3:
                signal.raise_signal(signal.SIGINT)

    model, twin = made(), made()
    history = model.fit(X, Y, epochs=50, batch_size=8, callbacks=[During()], seed=0)
    assert len(history) == 1
    steps = []

    class Stop(Callback):
        def on_batch_end(self, run):
            steps.append(run.step)
            if run.step == 8 + 3:
                run.stop("enough")

    assert twin.fit(X, Y, epochs=50, batch_size=8, callbacks=[Stop()], seed=0).stopped == "enough"
    assert steps == list(range(1, 12))
    same(model, twin)


def test_a_second_ctrl_c_does_not_wait():
    class Twice(Callback):
        def on_backward_end(self, run):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

        def on_batch_end(self, run):
            raise AssertionError("the step was made")

    history = made().fit(X, Y, epochs=50, callbacks=[Twice()])
    assert len(history) == 0 and "Ctrl-C" in history.stopped
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_listeners_of_others_stay():
    def theirs(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, theirs)
    try:
        assert "Ctrl-C" in made().fit(X, Y, epochs=50, callbacks=[interrupt]).stopped
        assert signal.getsignal(signal.SIGINT) is theirs
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_it_trains_in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(made().fit(X, Y, epochs=2, seed=0)))
    thread.start()
    thread.join()
    assert found[0].history == made().fit(X, Y, epochs=2, seed=0).history


def test_an_error_leaves_the_listener_as_it_was():
    def fail(run):
        raise LookupError

    model = made()
    with pytest.raises(LookupError):
        model.fit(X, Y, epochs=3, callbacks=[fail])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert len(model.history) == 1 and model.training


# -------------------------------------------------------------------- resuming


class Dropping(nn.Model):
    """With all that makes resuming hard: a random layer, a buffer."""

    def __init__(self):
        self.body = nn.MLP([2, 8, 2], seed=1)
        self.rng = np.random.default_rng(5)
        self.count = Value(np.zeros(2), requires_grad=False)

    def forward(self, x):
        if self.training:
            x = x * (self.rng.random(x.shape) < 0.9)
            self.count.data = self.count.data + x.data.mean(axis=0)
        return self.body(x)


def resumable(path, seed, epochs, resume=None, schedule=True, stop=None):
    model = Dropping()
    optimizer = nn.Adam(model.parameters(), lr=0.02)
    model.compile(optimizer, "cross_entropy", ["accuracy"])
    callbacks = [EarlyStopping("val_loss", patience=4), GradientMonitor(), Checkpoint(path)]
    if stop:
        callbacks.append(lambda run: run.stop("for now") if run.epoch == stop else None)
    history = model.fit(
        X, Y, epochs=epochs, batch_size=8, validation_split=0.25, callbacks=callbacks, seed=seed, resume=resume,
        schedule=nn.CosineSchedule(optimizer, steps=12) if schedule else None, augment=noisy,
    )  # fmt: skip
    return model, history, callbacks


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("stop", [1, 5])
def test_a_resumed_run_gives_the_bits_of_an_unbroken_one(tmp_path, suffix, stop):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    whole, history, callbacks = resumable(tmp_path / f"whole{suffix}", 5, 12)
    broken = tmp_path / f"broken{suffix}"
    resumable(broken, 5, 12, stop=stop)
    again, rest, others = resumable(broken, 99, 12, resume=broken)
    assert rest.history == history.history and rest.stopped == history.stopped
    same(whole, again)
    np.testing.assert_array_equal(whole.count.data, again.count.data)
    assert whole.rng.random() == again.rng.random()
    assert callbacks[0].best_epoch == others[0].best_epoch and callbacks[1].norms == others[1].norms


def test_a_run_can_be_carried_on_beyond_its_end(tmp_path):
    path = tmp_path / "run.npz"
    resumable(path, 0, 3, schedule=False)
    _, history, _ = resumable(path, 0, 5, resume=path, schedule=False)
    assert history.history == resumable(path, 0, 5, schedule=False)[1].history


def test_what_no_checkpoint_wrote_is_told(tmp_path):
    path = tmp_path / "net.npz"
    model = made()
    nn.save(path, model, optimizer=model.optimizer, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"not written by nn\.train\.Checkpoint"):
        model.fit(X, Y, resume=path)


# -------------------------------------------------------------------- callbacks


def test_when_callbacks_are_called():
    calls = []

    class All(Callback):
        def on_train_begin(self, run):
            calls.append(("begin", run.epoch))

        def on_backward_end(self, run):
            assert all(p.grad is not None for p in run.optimizer.parameters)
            calls.append(("backward", run.batch, run.step))

        def on_batch_end(self, run):
            calls.append(("batch", run.batch, run.step))
            assert run.batch_loss > 0

        def on_epoch_end(self, run):
            calls.append(("epoch", run.epoch, len(run.history)))

        def on_train_end(self, run):
            calls.append(("end", run.epoch))

    made().fit(X, Y, epochs=2, batch_size=40, callbacks=[All()])
    assert calls == [
        ("begin", 0), ("backward", 1, 0), ("batch", 1, 1), ("backward", 2, 1), ("batch", 2, 2), ("epoch", 1, 1),
        ("backward", 1, 2), ("batch", 1, 3), ("backward", 2, 3), ("batch", 2, 4), ("epoch", 2, 2), ("end", 2),
    ]  # fmt: skip


def test_gradients_can_be_clipped():
    norms = []

    class Clip(Callback):
        def on_backward_end(self, run):
            nn.clip_gradients(run.optimizer.parameters, norm=1e-3)
            norms.append(np.sqrt(sum(np.vdot(p.grad, p.grad) for p in run.optimizer.parameters)))

    made().fit(X, Y, callbacks=[Clip()])
    np.testing.assert_allclose(norms, 1e-3)


def test_a_schedule_goes_on_with_the_epochs_and_a_function_with_the_steps():
    model = made(lr=0.4)
    assert model.fit(X, Y, epochs=3, schedule=nn.StepSchedule(model.optimizer, 1, 0.5))["lr"] == [0.4, 0.2, 0.1]
    asked = []
    history = model.fit(X, Y, epochs=2, batch_size=20, schedule=lambda step: asked.append(step) or 0.1 / (step + 1))
    assert asked == [0, 1, 2, 3, 4, 5] and history["lr"] == pytest.approx([0.1 / 3, 0.1 / 6])


class Path(Callback):
    """Gives a model's history the numbers it is told."""

    def __init__(self, name, numbers):
        self.name, self.numbers = name, numbers

    def on_epoch_end(self, run):
        run.history.history.setdefault(self.name, []).append(self.numbers[run.epoch - 1])
        run.model.layers[0].bias.data = np.full(8, float(run.epoch))


@pytest.mark.parametrize(
    ("settings", "numbers", "stopped", "best"),
    [
        ({"patience": 2}, [3, 2, 2, 2, 1], 4, 2),
        ({"patience": 2, "min_delta": 0.5}, [3, 2, 1.6, 1.4, 1.2, 0], 6, 6),
        ({"patience": 1, "mode": "max"}, [1, 2, 3, 2, 9], 4, 3),
        ({"patience": 3}, [3, 2, 1, 1, 1], 5, 3),
        ({"patience": 2}, [3, float("nan"), float("nan"), 1], 3, 1),
        ({"patience": 1, "mode": "max"}, [-3, -2, -2.5], 3, 2),
    ],
)
@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping(settings, numbers, stopped, best, restore):
    stopping = EarlyStopping("score", restore_best=restore, **{"mode": "min", **settings})
    model = made()
    history = model.fit(X, Y, epochs=len(numbers), callbacks=[Path("score", numbers), stopping])
    assert len(history["loss"]) == stopped and stopping.best_epoch == best and stopping.best == numbers[best - 1]
    assert (history.stopped is not None) == (stopped - best == settings["patience"])
    assert model.layers[0].bias.data[0] == (best if restore else stopped)


def test_early_stopping_brings_buffers_back_too():
    model = Dropping().compile("sgd", "cross_entropy")
    counts = []
    callbacks = [
        lambda run: run.history.history.setdefault("score", []).append(-run.epoch),
        lambda run: counts.append(np.array(model.count.data)),
        EarlyStopping("score", patience=2, mode="max"),
    ]
    model.fit(X, Y, epochs=9, callbacks=callbacks)
    assert len(counts) == 3 and (counts[0] != counts[2]).any()
    np.testing.assert_array_equal(model.count.data, counts[0])


def test_early_stopping_after_ctrl_c_leaves_the_weights():
    model = made()
    callbacks = [Path("loss2", [1, 2, 3]), EarlyStopping("loss2", mode="min"), interrupt]
    model.fit(X, Y, epochs=3, callbacks=callbacks)
    assert model.layers[0].bias.data[0] == 2


def test_what_to_monitor_is_known_or_told():
    assert EarlyStopping().monitor is None
    with pytest.raises(ValueError, match=r"monitor='val_loss'\): what is noted is loss, accuracy"):
        made().fit(X, Y, callbacks=[EarlyStopping("val_loss")])
    with pytest.raises(ValueError, match="give mode='max' or 'min'"):
        made().fit(X, Y, callbacks=[Path("score", [1]), EarlyStopping("score")])
    for name, way in (("val_accuracy", "max"), ("loss", "min"), ("r2", "max"), ("val_mae", "min")):
        assert train._direction(name) == way
    for wrong in ({"patience": 0}, {"mode": "most"}, {"min_delta": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            EarlyStopping(**wrong)


def test_the_best_checkpoint_is_kept(tmp_path):
    path = tmp_path / "best.npz"
    keep = Checkpoint(path, best_only=True, monitor="score", mode="max")
    made().fit(X, Y, epochs=4, callbacks=[Path("score", [1, 5, 2, 4]), keep])
    twin = made()
    assert nn.load(path, twin)["epoch"] == 2 and twin.layers[0].bias.data[0] == 2
    with pytest.raises(ValueError, match="suffix says the format"):
        Checkpoint("best.pkl")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        Checkpoint(tmp_path / "no" / "best.npz")
    Checkpoint("best.npz")


# -------------------------------------------------------------------- gradients


def deep(activation, init, layers=12):
    model = nn.Sequential(
        *(nn.Dense(8, 8, activation, init=init, seed=i) for i in range(layers)), nn.Dense(8, 2, seed=99)
    )
    return model.compile(SGD(model.parameters(), lr=1e-6), cross_entropy)


X8 = RNG.standard_normal((60, 8))


def test_vanishing_gradients_are_told_where_they_vanish():
    monitor = GradientMonitor()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        deep(nn.sigmoid, nn.init.xavier_uniform).fit(X8, Y, epochs=2, callbacks=[monitor])
    assert str(told[0].message).startswith("layers.0, epoch 1: the gradient vanishes: its norm")
    norms = [norms[-1] for norms in monitor.norms.values()]
    assert norms == sorted(norms) and norms[0] < 1e-5 * norms[-1]
    layers = [str(warning.message).partition(",")[0] for warning in told]
    assert "layers.11" not in layers and len(layers) == len(set(layers))  # once each
    assert told[0].filename == __file__


def test_exploding_gradients_are_told():
    def large(shape, *_):
        return 6 * nn.init.he_normal(shape, seed=0)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        deep(nn.relu, large).fit(X8, Y, callbacks=[GradientMonitor()])
    assert any(str(warning.message).startswith("layers.0, epoch 1: the gradient explodes") for warning in told)


def test_dead_units_are_counted():
    model = made((2, 8, 2))
    bias = np.zeros(8)
    bias[:3] = -100.0
    model.layers[0].bias.data = bias
    monitor = GradientMonitor()
    with pytest.warns(UserWarning, match=r"layers\.0, epoch 1: 3 of 8 units are dead"):
        model.fit(X, Y, callbacks=[monitor])
    assert monitor.dead == {"layers.0": 3, "layers.1": 0}
    with no_grad():
        assert (model.layers[0](X).data.max(axis=0) == 0).sum() == 3


def test_a_few_dead_units_are_counted_and_not_spoken_of():
    model = made((2, 20, 2))
    model.layers[0].bias.data = np.where(np.arange(20) < 2, -100.0, 1.0)
    monitor = GradientMonitor()
    model.fit(X, Y, callbacks=[monitor])  # a warning would be an error
    assert monitor.dead["layers.0"] == 2 and "2 of 20" in repr(monitor)


def test_dead_units_without_a_bias():
    model = nn.Sequential(nn.Dense(2, 4, nn.relu, bias=False, seed=0), nn.Dense(4, 2, seed=1))
    model.layers[0].weight.data = np.array([[1.0, -1.0, 1.0, -1.0]] * 2)
    model.compile("sgd", "cross_entropy")
    monitor = GradientMonitor()
    with pytest.warns(UserWarning, match="2 of 4 units are dead"):
        model.fit(np.abs(X), Y, callbacks=[monitor])


def test_a_healthy_net_is_not_complained_of():
    monitor = GradientMonitor()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made().fit(X, Y, epochs=2, callbacks=[monitor], seed=0)
    assert repr(monitor).splitlines()[0].split("  ")[0] == "layer" and "0 of 8" in repr(monitor)
    assert "no epoch yet" in repr(GradientMonitor())


# -------------------------------------------------------------------- metrics


BINARY = [
    ("binary_cross_entropy_with_logits", None, [-2.0, 0.3], [0, 1]),
    ("binary_cross_entropy", nn.sigmoid, [-2.0, 0.3], [0, 1]),
    ("hinge", None, [-2.0, 0.3], [-1, 1]),
    ("perceptron_loss", None, [-2.0, 0.3], [-1, 1]),
    ("mse", None, [0.3, 0.7], [0, 1]),
]


@pytest.mark.parametrize(("loss", "activation", "scores", "classes"), BINARY)
def test_one_score_is_turned_into_two_classes(loss, activation, scores, classes):
    model = nn.Sequential(
        lambda x: x if activation is None else activation(x), nn.Dense(1, 1, init=lambda *_: np.eye(1))
    )
    model.compile("sgd", loss, ["accuracy", "f1"])
    x, y = np.array(scores)[:, None], np.array(classes)[:, None]
    if activation is not None:
        model.layers.append(lambda p: p.clip(0, 1))
    assert model.evaluate(x, y)["accuracy"] == model.evaluate(x, y)["f1"] == 1.0
    assert model.evaluate(x[1:], y[1:])["accuracy"] == 1.0
    assert model.evaluate(x, y[::-1])["accuracy"] == 0.0


def test_a_column_of_scores_has_an_area():
    model = nn.Sequential(nn.Dense(1, 1, init=lambda *_: np.eye(1)))
    model.compile("sgd", "binary_cross_entropy_with_logits", ["roc_auc"])
    assert model.evaluate([[-1.0], [2.0], [3.0]], [[0], [1], [1]])["roc_auc"] == 1.0


def test_scores_are_turned_into_classes():
    model = nn.Sequential(nn.Dense(3, 3, init=lambda *_: np.eye(3))).compile("sgd", "cross_entropy", ["accuracy"])
    eye = np.eye(3)
    assert model.evaluate(eye, np.arange(3))["accuracy"] == 1.0
    sequence = np.stack([eye, eye[::-1]])
    model.compile("sgd", "cross_entropy", ["accuracy"])
    assert model.evaluate(sequence, np.array([[0, 1, 2], [2, 1, 1]]))["accuracy"] == pytest.approx(5 / 6)
    assert model.evaluate(eye, eye)["accuracy"] == 1.0  # one-hot


# -------------------------------------------------------------------- history, bar


def test_history_reads_like_a_table():
    history = History({"loss": [2.0, 0.12345], "val_loss": [3.0, 1.0]}, "stopped early")
    assert repr(history).splitlines() == [
        "History of 2 epochs, stopped early",
        "  loss      2 -> 0.1235",
        "  val_loss  3 -> 1",
    ]
    assert repr(History({"loss": [1.0]})) == "History of 1 epoch\n  loss  1"
    assert repr(History()) == "History of 0 epochs"
    with pytest.raises(KeyError, match="'f1' was not noted; there is loss, val_loss"):
        history["f1"]


def test_history_plots():
    history = History({"loss": [2.0, 1.0], "accuracy": [0.5, 0.75], "val_loss": [3.0, 1.0]})
    curves = history.plot()
    assert list(curves.panels) == ["loss", "accuracy"] and list(curves.panels["loss"]) == ["loss", "val_loss"]
    assert list(history.plot("accuracy").panels) == ["accuracy"]
    assert "logarithmic" in repr(history.plot("loss", log=True))
    with pytest.raises(KeyError):
        history.plot("f1")
    with pytest.raises(ValueError, match="no epochs"):
        History().plot()


def test_the_bar_is_quiet_where_no_terminal_is(capsys):
    made().fit(X, Y, epochs=2)
    assert capsys.readouterr() == ("", "")
    made().fit(X, Y, epochs=2, validation_split=0.2, verbose=True)
    out, error = capsys.readouterr()
    assert out == "" and "epoch 2/2" in error and "100 %" in error and "val_accuracy" in error


# ---------------------------------------------------------------- compiled


def built(dtype=np.float64):
    """A net with random draws and with buffers, the same each time."""
    x = nn.Input(2)
    h = nn.BatchNorm(8, dtype=dtype)(nn.Dense(8, activation=nn.relu, seed=0, dtype=dtype)(x))
    return nn.Model(x, nn.Dense(2, seed=2, dtype=dtype)(nn.Dropout(0.3, seed=1)(h)))


class Clipping(nn.train.Callback):
    def on_backward_end(self, run):
        nn.clip_gradients(run.optimizer.parameters, norm=0.1)


COMPILED = {
    "as it is": {},
    "float32": {"dtype": np.float32},
    "a split": {"validation_split": 0.2},
    "a schedule by epochs": {"schedule": lambda model: nn.CosineSchedule(model.optimizer, steps=4)},
    "a schedule by steps": {"schedule": lambda model: lambda step: 0.1 / (1 + step)},
    "gradients clipped": {"callbacks": [Clipping]},
    "gradients watched": {"callbacks": [nn.train.GradientMonitor]},
    "stopped early": {"callbacks": [lambda: nn.train.EarlyStopping("loss", patience=1)], "epochs": 20},
    "noise": {"augment": noisy},
    "nesterov": {"optimizer": lambda p: nn.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)},
    "rmsprop": {"optimizer": lambda p: nn.RMSProp(p, momentum=0.5)},
    "adamw": {"optimizer": nn.AdamW},
}


def trained(
    compile, dtype=np.float64, optimizer=nn.Adam, schedule=None, callbacks=(), epochs=4, model=None, **settings
):
    if model is None:
        model = built(dtype).compile(optimizer, cross_entropy, ["accuracy"])
    x = X.astype(dtype)
    history = model.fit(
        x, Y, epochs=epochs, batch_size=16, seed=0, compile=compile,
        schedule=schedule and schedule(model), callbacks=[make() for make in callbacks], **settings,
    )  # fmt: skip
    return model, history


def assert_equal(one, two):
    pairs = zip(one.named_parameters() + one.named_buffers(), two.named_parameters() + two.named_buffers(), strict=True)
    for (path, a), (_, b) in pairs:
        assert a.dtype == b.dtype and np.array_equal(a.data, b.data), path
        assert (a.grad is None and b.grad is None) or np.array_equal(a.grad, b.grad), path
    for a, b in zip(one.optimizer.states, two.optimizer.states, strict=True):
        assert a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_it_gives_the_same_bits(name):
    (one, history), (two, compiled) = trained(False, **COMPILED[name]), trained(True, **COMPILED[name])
    assert history.history == compiled.history and history.stopped == compiled.stopped
    assert_equal(one, two)


CLASSES, SIGNS = np.arange(60) % 3, np.sign(X[:, :1])
FITTING = {
    "binary_cross_entropy": (nn.sigmoid, (SIGNS > 0) * 1.0),
    "binary_cross_entropy_with_logits": (None, (SIGNS > 0) * 1.0),
    "cross_entropy": (None, CLASSES),
    "hinge": (None, SIGNS),
    "kl_div": (nn.log_softmax, np.full((60, 3), 1 / 3)),
    "nll": (nn.log_softmax, CLASSES),
    "perceptron_loss": (None, SIGNS),
}
"""For each loss that is not of any numbers: what the net ends in, and targets."""
OF_NUMBERS = {"mae", "mse", "r2"}
METRICS = {
    "confusion": lambda predicted, target: nn.metrics.confusion(predicted.argmax(axis=1), target, 3).trace(),
    "top_k": lambda predicted, target: nn.metrics.top_k(predicted, target, k=2),
} | {
    name: functools.partial(getattr(nn.metrics, name), average="macro") for name in ("f1", "precision", "recall")
}  # fmt: skip


def assert_fits_alike(loss, metric=None, optimizer="adam"):
    def outcome(compile):
        activation, targets = FITTING.get(loss, (None, X))
        units = 3 if targets.ndim == 1 else targets.shape[1]
        end = nn.Sequential(*[activation] if activation else [])
        model = nn.Sequential(nn.Dense(8, np.tanh, seed=0), nn.BatchNorm(), nn.Dense(units, seed=1), end)
        model.compile(optimizer, loss, {metric: METRICS.get(metric, metric)} if metric else [])
        history = model.fit(X, targets, epochs=3, batch_size=16, validation_split=0.2, seed=0, compile=compile)
        return model, history

    (one, history), (two, compiled) = outcome(False), outcome(True)
    assert history.history == compiled.history and (metric is None or f"val_{metric}" in compiled.history)
    assert_equal(one, two)


@pytest.mark.parametrize("loss", nn.losses.__all__)
def test_compiled_with_every_loss(loss):
    assert_fits_alike(loss)


@pytest.mark.parametrize("metric", nn.metrics.__all__)
def test_compiled_with_every_metric(metric):
    loss = {"roc_auc": "binary_cross_entropy_with_logits"}.get(
        metric, "mse" if metric in OF_NUMBERS else "cross_entropy"
    )
    assert_fits_alike(loss, metric)


@pytest.mark.parametrize("name", [name for name in nn.optim.__all__ if hasattr(getattr(nn.optim, name), "update")])
def test_compiled_with_every_optimiser_by_its_name(name):
    if name != "Optimizer":
        assert_fits_alike("mse", optimizer=name.lower())


def test_every_callback_is_compiled_with():
    known = {name for name in train.__all__ if name not in ("Callback", "History", "Run")}
    tried = {type(make()).__name__ for settings in COMPILED.values() for make in settings.get("callbacks", ())}
    assert known - tried == {"Checkpoint"}  # which the test of a resumed run is of


def test_a_compiled_run_is_traced_once_for_each_size_of_batch():
    model, _ = trained(True, epochs=10, validation_split=0.2)
    ((steps),) = model._plan._compiled[1].values()
    assert steps.update is None
    assert steps.gradients.traces <= 6  # 16 examples, or 8, until each was seen to do the same twice
    before = steps.gradients.traces, steps.predict.traces
    trained(True, model=model, epochs=5, validation_split=0.2)
    assert (steps.gradients.traces, steps.predict.traces) == before


def test_a_compiled_run_is_resumed_to_the_same_bits(tmp_path):
    def part(compile, **settings):
        model = built().compile(nn.Adam, cross_entropy)
        model.saw((X,))
        return trained(compile, model=model, schedule=lambda m: nn.CosineSchedule(m.optimizer, steps=6), **settings)

    whole, history = part(False, epochs=6)
    part(True, epochs=2, callbacks=[lambda: nn.train.Checkpoint(tmp_path / "run.npz")])
    resumed, carried_on = part(True, epochs=6, resume=tmp_path / "run.npz")
    assert carried_on.history == history.history
    assert_equal(whole, resumed)


def test_copies_of_a_compiled_model_are_trained_by_themselves():
    model, _ = trained(True)
    twin, pickled = copy.deepcopy(model), pickle.loads(pickle.dumps(model.layers[0]))
    before = [p.data.copy() for p in model.parameters()]
    trained(True, model=twin)
    assert all(np.array_equal(a, p.data) for a, p in zip(before, model.parameters(), strict=True))
    assert np.array_equal(pickled.weight.data, before[0])
    trained(True, model=model)
    assert_equal(model, twin)


def test_what_was_handed_out_stays_as_it_was():
    kept = []

    def keep(run):
        kept.extend((array, array.copy()) for p in run.model.parameters() for array in (p.data, p.grad))

    trained(True, callbacks=[lambda: keep])
    assert len(kept) == 48
    assert all(np.array_equal(array, then) for array, then in kept)


def test_what_is_not_finite_is_traced_when_compiled_too():
    def outcome(compile):
        model = built().compile(lambda p: nn.SGD(p, lr=0.1), cross_entropy)
        with np.errstate(all="ignore"), pytest.raises(AnomalyError) as error:
            trained(compile, model=model, schedule=lambda m: lambda step: 1e300 if step > 9 else 0.1)
        told = [line for line in str(error.value).splitlines() if "recorded at" not in line]
        return told, [v.data for _, v in model.named_parameters() + model.named_buffers()], model.history.history

    (told, arrays, history), (compiled, others, noted) = outcome(False), outcome(True)
    assert told == compiled and history == noted
    assert all(np.array_equal(a, b) for a, b in zip(arrays, others, strict=True))


def test_a_model_that_cannot_be_compiled_says_so_and_stays_as_it_was():
    class Looking(nn.Model):
        def __init__(self):
            self.layer = nn.Dense(2, 2, seed=0)

        def forward(self, x):
            y = self.layer(x)
            return y * 2 if float(y.sum().item()) > 0 else y

    model = Looking().compile(nn.Adam, cross_entropy)
    before = model.layer.weight.data.copy()
    with pytest.raises(CompileError, match=r"float\(\)") as error:
        trained(True, model=model)
    assert "compile=False" in error.value.__notes__[0]
    assert np.array_equal(model.layer.weight.data, before) and model.layer.weight.grad is None
    trained(False, model=model)
