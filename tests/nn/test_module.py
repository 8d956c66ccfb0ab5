"""Module: what it finds, in which order, under which names."""

import copy
import pickle

import numpy as np
import pytest

from autograd import Value, anomaly
from autograd.errors import LibraryError
from nn import MLP, BatchNorm, Dense, Module, Sequential

from ..guest import Guest


class Net(Module):
    def __init__(self):
        self.scale = Value(2.0)
        self.blocks = [Dense(3, 4, seed=0), (Dense(4, 4, seed=1), np.tanh)]
        self.heads = {"mean": Dense(4, 1, seed=2), "spread": Dense(4, 1, bias=False, seed=3)}
        self.steps = 3
        self.offset = Value(np.zeros(2))

    def forward(self, x):
        return self.heads["mean"](np.tanh(self.blocks[1][0](self.blocks[0](x)))) * self.scale


NAMES = [
    "scale",
    "blocks.0.weight",
    "blocks.0.bias",
    "blocks.1.0.weight",
    "blocks.1.0.bias",
    "heads.mean.weight",
    "heads.mean.bias",
    "heads.spread.weight",
    "offset",
]


def test_parameters_are_found_in_order_of_creation():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]
    assert net.size == sum(p.size for p in net.parameters()) == 1 + 16 + 20 + 5 + 4 + 2


def test_labels_are_paths():
    net = Net()
    assert [p.label for p in net.parameters()] == NAMES
    outer = Sequential(np.tanh, net)
    assert [p.label for p in net.parameters()] == [f"layers.1.{name}" for name in NAMES]
    assert [name for name, _ in outer.named_parameters()] == [p.label for p in outer.parameters()]


def test_a_label_of_the_user_stays():
    class Scale(Module):
        def __init__(self):
            self.factor = Value(1.0, label="gain")

    scale = Scale()
    outer = Sequential(scale.__class__.forward, scale)
    assert [(name, p.label) for name, p in outer.named_parameters()] == [("layers.1.factor", "gain")]


def test_a_shared_parameter_is_listed_once_under_its_first_name():
    encoder, decoder = Dense(3, 3, seed=0), Dense(3, 3, seed=1)
    decoder.weight = encoder.weight
    both = Sequential(encoder, decoder, encoder)
    assert [name for name, _ in both.named_parameters()] == ["layers.0.weight", "layers.0.bias", "layers.1.bias"]
    assert [name for name, _ in both.named_modules()] == ["", "layers.0", "layers.1"]
    assert encoder.weight.label == "layers.0.weight"


def test_constants_and_results_are_no_parameters():
    layer = Dense(2, 2, seed=0)
    layer.mean = Value(np.zeros(2), requires_grad=False)
    layer.last = layer(np.ones((1, 2)))
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert layer.last.label is None
    layer.weight.requires_grad = False
    assert [name for name, _ in layer.named_parameters()] == ["bias"]


def test_a_module_that_knows_its_parent_is_walked_once():
    outer, inner = Module(), Dense(2, 1, seed=0)
    outer.inner = inner
    inner.parent = outer
    assert [name for name, _ in outer.named_parameters()] == ["inner.weight", "inner.bias"]
    loop: list = [inner]
    loop.append(loop)
    outer.loop = loop
    assert len(outer.parameters()) == 2


def test_deep_nesting_is_walked_without_recursion():
    model = Dense(1, 1, seed=0)
    for _ in range(300):
        outer = Module()
        object.__setattr__(outer, "inner", model)  # labels of length 300 n are not the point here
        model = outer
    ((name, _), _) = model.named_parameters()
    assert name.count("inner") == 300
    assert "Dense(1, 1): 2 parameters" in repr(model)


def test_zero_grad_reaches_all():
    net = Net()
    net(np.ones((2, 3))).sum().backward()
    assert sum(p.grad is not None for p in net.parameters()) == 7
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_train_and_eval_set_the_flag_everywhere():
    net = Net()
    modules = [module for _, module in net.named_modules()]
    assert len(modules) == 5 and all(module.training for module in modules)
    assert net.eval() is net and not any(module.training for module in modules)
    assert net.train() is net and all(module.training for module in modules)
    assert Net().training


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Module has no forward\(self, x\)"):
        Module()(1.0)


def test_repr_lists_modules_with_counts():
    assert repr(Net()).splitlines() == [
        "Net(): 48 parameters",
        "  blocks.0: Dense(3, 4): 16 parameters",
        "  blocks.1.0: Dense(4, 4): 20 parameters",
        "  heads.mean: Dense(4, 1): 5 parameters",
        "  heads.spread: Dense(4, 1, bias=False): 4 parameters",
    ]
    assert repr(Dense(1, 1, bias=False, seed=0)) == "Dense(1, 1, bias=False): 1 parameter"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_compute_the_same_and_share_nothing(duplicate):
    model = MLP([3, 4, 2], seed=0)
    model.layers.append(model.layers[1].__class__(2, 4, seed=1))
    model.layers[2].weight = Value(np.ones((2, 4)))
    model.layers[2].bias = model.layers[0].bias
    twin = duplicate(model)
    x = np.ones((5, 3))
    np.testing.assert_array_equal(twin(x).data, model(x).data)
    assert [name for name, _ in twin.named_parameters()] == [name for name, _ in model.named_parameters()]
    assert twin.layers[2].bias is twin.layers[0].bias
    assert not {id(p) for p in twin.parameters()} & {id(p) for p in model.parameters()}


def test_a_parameter_is_not_replaced_by_a_result():
    layer = Dense(2, 1, seed=0)
    with pytest.raises(TypeError, match=r"module\.weight\.data = \.\.\."):
        layer.weight -= 0.1
    layer.weight.data -= 0.1
    layer.weight = Value(np.zeros((2, 1)))
    assert len(list(layer.parameters())) == 2


class Normed(Module):
    """A parameter, a frozen one, a running mean, a constant in a list, and a result."""

    def __init__(self):
        self.scale = Value(np.ones(3))
        self.frozen = Value(np.ones(2), requires_grad=False)
        self.parts = [Value(np.arange(3)), Dense(2, 2, seed=0)]
        self.mean = Value(np.zeros(3), requires_grad=False)
        self.last = self.scale * 2


def test_buffers_are_what_is_kept_and_not_trained():
    net = Normed()
    assert [name for name, _ in net.named_buffers()] == ["frozen", "parts.0", "mean"]
    assert [name for name, _ in net.named_parameters()] == ["scale", "parts.1.weight", "parts.1.bias"]
    net.parts[1].weight.requires_grad = False
    assert [name for name, _ in net.named_buffers()] == ["frozen", "parts.0", "parts.1.weight", "mean"]
    net.parts[1].weight.requires_grad = True
    net.frozen.requires_grad = True
    assert "frozen" in dict(net.named_parameters()) and "frozen" not in dict(net.named_buffers())


def test_a_shared_buffer_is_listed_once():
    outer, net = Module(), Normed()
    outer.a, outer.b = net, Module()
    outer.b.mean = net.mean
    assert [name for name, _ in outer.named_buffers()] == ["a.frozen", "a.parts.0", "a.mean"]


def test_a_layer_without_its_size_has_no_parameters_yet():
    net = Sequential(Dense(3), Dense(2))
    for ask in (net.parameters, net.zero_grad, lambda: net.size):
        with pytest.raises(ValueError, match=r"layers\.0 = Dense\(3\) has no parameters yet.*Call the net on a batch"):
            ask()
    with pytest.raises(ValueError, match=r"^Dense\(4\) has no parameters yet"):
        Dense(4).parameters()
    assert "layers.1: Dense(2): waiting for its first input" in repr(net)
    assert net.named_buffers() == [] and [m.built for _, m in net.named_modules()] == [True, False, False]
    net(np.ones((1, 5)))
    assert [m.built for _, m in net.named_modules()] == [True, True, True]
    assert [p.shape for p in net.parameters()] == [(5, 3), (3,), (3, 2), (2,)]
    assert net.parameters()[0].label == "layers.0.weight"


def test_where_pytorch_has_it():
    class Odd(Module):
        torch = {"weight": "kernel.T", "bias": "offset"}

        def __init__(self):
            self.weight, self.bias, self.gain = Value(np.ones((2, 3))), Value(np.ones(3)), Value(1.0)

    places = Odd().in_torch()
    assert [(ours, theirs) for ours, theirs, _, _ in places] == [
        (("weight",), ("kernel",)), (("bias",), ("offset",)), (("gain",), ("gain",)),
    ]  # fmt: skip
    assert places[0][2](np.ones((2, 3)))[0].shape == (3, 2)


def test_a_result_tells_which_modules_it_comes_from():
    class Scale(Module):
        def __init__(self):
            self.factor = Value(2.0)

        def forward(self, x, shift=0.0):
            return self.factor * x + shift

    class Twice(Module):
        def __init__(self):
            self.inner = Scale()

        def forward(self, x, **keywords):
            return self.inner(x, **keywords)

    x, shift = Value(3.0), Value(1.0)
    (call,) = Scale()(x).notes["modules"]
    assert call[0] == "Scale" and [*map(id, call[1])] == [id(x)]
    inner, outer = Twice()(x, shift=shift).notes["modules"]
    assert (inner[0], outer[0]) == ("Scale", "Twice")
    assert [*map(id, inner[1])] == [*map(id, outer[1])] == [id(x), id(shift)]
    assert Scale()(np.ones(3)).notes["modules"] == (("Scale", ()),)


def test_the_line_that_was_noted_stays():
    with anomaly():
        y = Dense(2, 2, seed=0)(np.ones((1, 2)))
    assert y.notes.keys() == {"source", "modules"}


def test_to_another_library_and_back():
    model = Sequential(Dense(3, 2, seed=0), BatchNorm(2))
    before = [p.data.copy() for p in model.parameters()]
    model(np.ones((4, 3))).sum().backward()
    assert model.to(Guest) is model
    assert all(isinstance(v.data, Guest) for _, v in [*model.named_parameters(), *model.named_buffers()])
    assert all(p.grad is None for p in model.parameters())
    assert isinstance(model(Guest(np.ones((4, 3)))).data, Guest)
    with pytest.raises(LibraryError, match="do not mix"):
        model(np.ones((4, 3)))
    model.to(Guest.get)
    for parameter, was in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.data, was)
    with pytest.raises(ValueError, match="first x"):
        Dense(3).to(Guest)
    with pytest.raises(ValueError, match="shape"):
        model.to(np.ravel)
