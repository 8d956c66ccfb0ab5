"""Model: drawn with Symbols or written as a class; what can be said and shown of it."""

import copy
import pickle

import numpy as np
import pytest

import nn
from autograd import Value, draw
from nn.report import Text
from tests.autograd.numerical import assert_close, gradient

RNG = np.random.default_rng(0)


def skips(seed=0):
    """Two inputs, a layer used twice, a free weight, a skip, two outputs."""
    rng = np.random.default_rng(seed)
    a, b = nn.Input(4), nn.Input(3)
    shared = nn.Dense(4, 4, np.tanh, seed=rng)
    weight = Value(rng.standard_normal((3, 4)))
    h = shared(shared(a)) + a + b @ weight
    head = nn.Sequential(nn.Dense(5, activation=nn.relu, seed=rng), nn.Dense(2, seed=rng))
    return nn.Model([a, b], {"scores": head(np.concatenate([h, b], axis=1)), "hidden": [h]})


XS = RNG.standard_normal((6, 4)), RNG.standard_normal((6, 3))

# -------------------------------------------------------------------- drawn


def test_a_drawn_model_is_what_it_was_drawn_from():
    model = skips()
    a, b = XS
    shared, head = model.layers
    (weight,) = model.weights
    h = shared(shared(a)) + a + b @ weight
    result = model(a, b)
    np.testing.assert_array_equal(result["hidden"][0].data, h.data)
    np.testing.assert_array_equal(result["scores"].data, head(np.concatenate([h, b], axis=1)).data)


def test_all_that_can_be_trained_is_found_once_and_named():
    assert [name for name, _ in skips().named_parameters()] == [
        "layers.0.weight", "layers.0.bias", "layers.1.layers.0.weight", "layers.1.layers.0.bias",
        "layers.1.layers.1.weight", "layers.1.layers.1.bias", "weights.0",
    ]  # fmt: skip


def test_its_gradients_are_right():
    model = skips()
    parameter = model.layers[0].weight

    def loss(data):
        parameter.data = data
        return (model(*XS)["scores"] ** 2).sum().item()

    (model(*XS)["scores"] ** 2).sum().backward()
    assert_close(parameter.grad, gradient(loss, [np.array(parameter.data)], 0))
    assert model.weights[0].grad.shape == (3, 4)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_compute_the_same_and_share_nothing(duplicate):
    model = skips()
    twin = duplicate(model)
    before = twin(*XS)["scores"].data.copy()
    np.testing.assert_array_equal(before, model(*XS)["scores"].data)
    for parameter in model.parameters():
        parameter.data = np.zeros(parameter.shape)
    np.testing.assert_array_equal(twin(*XS)["scores"].data, before)
    assert [n for n, _ in twin.named_parameters()] == [n for n, _ in model.named_parameters()]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_any_number_of_examples_passes(n):
    a, b = XS
    assert skips()(a[:n], b[:n])["scores"].shape == (n, 2)


def test_a_thousand_steps_do_not_recurse():
    x = nn.Input(2)
    h = x
    for _ in range(3000):
        h = h + 1
    model = nn.Model(x, h)
    np.testing.assert_array_equal(copy.deepcopy(model)(np.zeros((1, 2))).data, [[3000.0, 3000.0]])
    pickle.dumps(model)


def test_a_model_is_a_layer_of_another():
    x = nn.Input(2)
    inner = nn.Model(x, nn.Dense(2, 3, seed=0)(x))
    y = nn.Input(2)
    outer = nn.Model(y, inner(y) * 2)
    np.testing.assert_array_equal(outer(np.ones((1, 2))).data, 2 * inner(np.ones((1, 2))).data)
    assert outer.layers == [inner] and outer.size == inner.size


def test_what_is_not_on_the_way_is_left_out():
    x = nn.Input(2)
    h = nn.Dense(2, 3, seed=0)(x)
    nn.Dense(3, 100, seed=0)(h)
    assert nn.Model(x, h).size == 9


def test_what_cannot_be_drawn_is_told():
    x, other = nn.Input(2, name="left"), nn.Input(2, name="right")
    with pytest.raises(ValueError, match=r"depend on Input\(n, 2\) 'right', which is not among the inputs"):
        nn.Model(x, x + other)
    with pytest.raises(ValueError, match="is the result of a call"):
        nn.Model(x + 1, x + 1)
    with pytest.raises(TypeError, match="is drawn with Symbols"):
        nn.Model(x, nn.Dense(2, 2))
    with pytest.raises(TypeError, match="is drawn with Symbols"):
        nn.Model(4, 2)
    with pytest.raises(NotImplementedError, match=r"has no forward"):
        nn.Model()(np.ones((1, 2)))


def test_a_wrong_input_is_told():
    model = skips()
    with pytest.raises(ValueError, match=r"Model\(4, 3 -> 2, 4\) got x of shape \(6, 3\) for its input 0"):
        model(XS[1], XS[0])
    with pytest.raises(ValueError, match=r"wants \(batch, 4\)"):
        model(XS[0][0], XS[1])
    with pytest.raises(TypeError, match="takes 2 arrays and got 1"):
        model(XS[0])


# -------------------------------------------------------------------- a class


class Net(nn.Model):
    def __init__(self):
        self.scale = Value(1.0)
        self.body = nn.Sequential(nn.Dense(4, 8, seed=0), np.tanh)
        self.head = nn.Dense(8, 2, seed=1)

    def forward(self, x):
        return self.head(self.body(x) * self.scale)


def test_a_class_with_a_forward_is_a_model():
    model = Net().compile("sgd", "cross_entropy", ["accuracy"])
    y = RNG.integers(0, 2, 6)
    history = model.fit(XS[0], y, epochs=2, seed=0)
    assert len(history) == 2 and set(model.evaluate(XS[0], y)) == {"loss", "accuracy"}
    assert model.predict(XS[0]).shape == (6, 2)


# -------------------------------------------------------------------- compile


def test_names_and_functions_mean_the_same():
    y = RNG.integers(0, 2, 6)

    def run(*arguments):
        return nn.MLP([4, 3, 2], seed=0).compile(*arguments).fit(XS[0], y, epochs=2, seed=0).history

    assert run("sgd", "cross_entropy", ["accuracy"]) == run(
        lambda p: nn.SGD(p, lr=0.01), nn.cross_entropy, {"accuracy": nn.metrics.accuracy}
    )


def test_an_optimiser_made_by_hand_is_used():
    model = nn.MLP([4, 2], seed=0)
    optimizer = nn.SGD(model.parameters(), lr=0.5)
    assert model.compile(optimizer, nn.mse).optimizer is optimizer


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("adamant",), ValueError, r"optimizer='adamant'\): the names are .*sgd"),
        (("sgd", "mean"), ValueError, r"loss='mean'\): the names are .*cross_entropy.*mse"),
        (("sgd", "mse", ["acc"]), ValueError, r"metrics='acc'\): the names are accuracy"),
        (("sgd", "mse", "accuracy"), TypeError, "a list of metrics is wanted"),
        (("sgd", "mse", [3]), TypeError, "neither a function nor a name"),
        (("sgd", 3), TypeError, "neither a function nor a name"),
        ((3,), TypeError, "an Optimizer, a function"),
        ((nn.SGD(nn.MLP([1, 1]).parameters(), lr=0.1),), ValueError, "none of the model's parameters"),
    ],
)
def test_compile_tells_what_it_does_not_know(arguments, error, said):
    with pytest.raises(error, match=said):
        nn.MLP([4, 2]).compile(*arguments)


def test_what_was_not_compiled_says_so():
    model = nn.MLP([4, 2], seed=0)
    for call in (lambda: model.fit(XS[0], XS[0]), lambda: model.evaluate(XS[0], XS[0]), lambda: model.optimizer):
        with pytest.raises(RuntimeError, match=r"model\.compile\(optimizer, loss\)"):
            call()
    assert model.predict(XS[0]).shape == (6, 2)  # which needs neither


def test_layers_that_wait_for_their_size_are_built_by_fit():
    model = nn.Sequential(nn.Dense(3, activation=nn.relu), nn.Dense(1)).compile("sgd", "mse")
    with pytest.raises(ValueError, match="no parameters yet"):
        _ = model.optimizer
    model.fit(XS[0], XS[1][:, :1], epochs=1)
    assert model.size == 19


# -------------------------------------------------------------------- summary and draw


def test_the_summary_of_a_net_with_skips():
    wanted = """
layer              function                  output  parameters  of
──────────────────────────────────────────────────────────────────────────────────
input 0                                      (n, 4)
input 1                                      (n, 3)
layers.0           Dense(4, 4, tanh)         (n, 4)          20  input 0
layers.0           Dense(4, 4, tanh)         (n, 4)      shared  layers.0
add                add                       (n, 4)           0  layers.0, input 0
matmul             matmul                    (n, 4)           0  input 1
add 2              add                       (n, 4)           0  add, matmul
concatenate        concatenate               (n, 7)           0  add 2, input 1
layers.1           Sequential(Dense, Dense)  (n, 2)              concatenate
layers.1.layers.0  Dense(7, 5, relu)         (n, 5)          40
layers.1.layers.1  Dense(5, 2)               (n, 2)          12
weights.0          Value(3, 4)                               12
──────────────────────────────────────────────────────────────────────────────────
total                                                        84"""
    assert skips().summary() == wanted[1:]


def test_a_summary_of_indices_and_of_float32():
    seen = []

    class Look(nn.Module):
        def forward(self, x):
            seen.append(x.dtype)
            return x * 1.0

    x = nn.Input(3, dtype=int)
    nn.Model(x, Look()(x)).summary()
    assert {kind.kind for kind in seen} == {"i"}
    x = nn.Input(3)
    nn.Model(x, nn.Dense(2, dtype=np.float32)(Look()(x))).summary()
    assert seen[-1] == np.float32


def test_a_summary_names_the_outermost_source():
    x = nn.Input(4)
    model = nn.Model(x, nn.MLP([4, 4, 4], seed=0)(x) + x)
    assert model.summary().splitlines()[-3].split() == ["add", "add", "(n,", "4)", "0", "layers.0,", "input"]


def test_the_counts_of_a_summary_add_up():
    for model, x in ((skips(), None), (Net(), (4,)), (nn.MLP([3, 4, 2]), None), (Net(), XS[0])):
        lines = model.summary(x).splitlines()
        rule = [i for i, line in enumerate(lines) if line.startswith("─")]
        place = lines[0].index("parameters") + len("parameters")
        cells = [line[place - 10 : place].strip().replace(",", "") for line in lines[rule[0] + 1 : rule[1]]]
        total = int(lines[rule[1] + 1].split()[1].replace(",", ""))
        assert sum(int(cell) for cell in cells if cell.isdigit()) == total == model.size


def test_a_summary_shows_what_is_inside():
    text = Net().summary((4,))
    assert isinstance(text, Text) and repr(text) == str(text)
    assert [line.split()[0] for line in text.splitlines()[2:8]] == [
        "input", "body", "body.layers.0", "body.layers.1", "head", "scale",
    ]  # fmt: skip
    assert "tanh" in text and "(n, 8)" in text


def test_a_summary_leaves_no_trace():
    model = skips()
    model.layers[0].eval()
    before = [sorted(vars(module).keys() - {"training"}) for _, module in model.named_modules()]
    model.summary(), model.draw()
    assert [sorted(vars(module).keys() - {"training"}) for _, module in model.named_modules()] == before
    assert not model.layers[0].training and model.layers[1].training
    assert all(parameter.grad is None for parameter in model.parameters())

    class Broken(nn.Model):
        def __init__(self):
            self.layer = nn.Dense(2, 2)

        def forward(self, x):
            raise RuntimeError("no")

    broken = Broken()
    with pytest.raises(RuntimeError, match="no"):
        broken.summary((2,))
    assert "forward" not in vars(broken.layer)


def test_a_summary_without_shapes():
    text = Net().summary()
    assert "output" not in text and "summary(shape of an example)" in text and "59" in text
    with pytest.raises(ValueError, match="no parameters yet"):
        nn.Sequential(nn.Dense(3)).summary()
    model = nn.Sequential(nn.Dense(3))
    assert "(n, 3)" in model.summary((5,)) and model.size == 18


def test_a_summary_knows_what_the_model_has_seen():
    model = Net()
    model.predict(XS[0])
    assert "(n, 4)" in model.summary()


def test_a_model_can_be_drawn():
    dot = nn.MLP([3, 4, 2], seed=0).draw().dot
    for label in ("x", "layers.0.weight", "layers.1.bias", "relu"):
        assert label in dot
    assert "weights.0" in skips().draw().dot
    assert "(5, 8)" in Net().draw(np.ones((5, 4))).dot and "(1, 8)" in Net().draw((4,)).dot
    with pytest.raises(ValueError, match="give the shape of an example"):
        Net().draw()


def test_draw_takes_a_model():
    model = nn.MLP([3, 4, 2], seed=0)
    with pytest.raises(ValueError, match="was called with nothing yet"):
        draw(nn.Sequential(nn.Flatten()))
    model(np.ones((5, 3)))
    assert draw(model).dot == model.draw().dot
