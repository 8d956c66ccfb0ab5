import copy
import pickle

import numpy as np
import pytest

import nn
from autograd import Value, folding, no_grad
from autograd.graph import ancestors


class Block(nn.Module):
    """A residual block: two layers and a way around them."""

    def __init__(self, size):
        self.first, self.second = nn.Dense(size, size, np.tanh, seed=0), nn.Dense(size, size, seed=1)

    def forward(self, x):
        return x + self.second(self.first(x))


class Recurrent(nn.Module):
    def __init__(self):
        self.cell = nn.Dense(2, 2, np.tanh, seed=0)

    def forward(self, x, steps):
        for _ in range(steps):
            x = self.cell(x)
        return x


def chains_of(result):
    """The modules around each node, by name."""
    nodes = ancestors(result)
    return nodes, {node: [call[0] for call in chain] for node, chain in folding.scopes(nodes).items()}


def folded(result, depth=None):
    nodes = ancestors(result)
    return folding.fold(nodes, folding.scopes(nodes), depth)


def names(found):
    return [
        (box.call[0] if box.call else box.value.op.name if box.value.op else "leaf", len(box.values))
        for box in found.boxes
    ]


def leaf(*shape):
    return Value(np.ones(shape), requires_grad=False)


# -------------------------------------------------------------------- modules


def test_a_node_lies_in_the_calls_between_their_inputs_and_results():
    x = Value(np.ones((1, 2)))
    before = x * 2.0
    y = nn.MLP([2, 3, 2], np.tanh, seed=0)(before)
    loss = (y * y).sum()
    nodes, chains = chains_of(loss)
    seen = [(node.op.name if node.op else "leaf", chains.get(node, [])) for node in nodes]
    assert seen == [
        ("leaf", []), ("leaf", []), ("multiply", []),
        ("leaf", ["MLP", "Dense"]), ("matmul", ["MLP", "Dense"]), ("leaf", ["MLP", "Dense"]), ("add", ["MLP", "Dense"]),
        ("tanh", ["MLP", "Dense"]),
        ("leaf", ["MLP", "Dense"]), ("matmul", ["MLP", "Dense"]), ("leaf", ["MLP", "Dense"]), ("add", ["MLP", "Dense"]),
        ("multiply", []), ("sum", []),
    ]  # fmt: skip


def test_an_array_that_goes_into_a_model_stays_outside():
    nodes, chains = chains_of(nn.MLP([2, 3, 2], seed=0)(np.ones((1, 2))))
    (batch,) = [node for node in nodes if not node.requires_grad and node.shape == (1, 2)]
    assert batch not in chains


def test_what_calls_share_lies_in_neither():
    nodes, chains = chains_of(Recurrent()(leaf(1, 2), 5))
    for weight in (node for node in nodes if node.op is None and node.requires_grad):
        assert chains[weight] == ["Recurrent"]
    assert sum(chain == ["Recurrent", "Dense"] for chain in chains.values()) == 15


def test_a_module_that_hands_its_input_on_has_no_part_in_it():
    class Same(nn.Module):
        def forward(self, x):
            return x

    x = Value(np.ones(2)) * 2.0
    Same()(x)
    assert x.notes is None
    assert Same()(Value(1.0)).notes is None


def test_several_results_and_states():
    class Cell(nn.Module):
        def forward(self, x, state):
            h, c = state
            c = c * np.tanh(x)
            return c + h, (c + h, c)

    h, c = Value(np.ones(2)) * 1.0, Value(np.ones(2)) * 1.0
    y, state = Cell()(np.ones(2), state=(h, c))
    z = y + state[0] * state[1]
    _, chains = chains_of(z)
    assert h not in chains and c not in chains
    assert all(chains[node] == ["Cell"] for node in (y, *state))


def test_no_grad_and_constants_are_not_noted():
    with no_grad():
        assert nn.Dense(2, 2)(np.ones((1, 2))).notes is None


def test_only_results_of_modules_carry_a_note():
    y = nn.MLP([2, 3, 2], np.tanh, seed=0)(leaf(1, 2))
    assert sum(node.notes is not None for node in ancestors(y)) == 2


def test_copies_fold_as_far_as_they_know():
    y = nn.MLP([2, 3, 2], np.tanh, seed=0)(leaf(1, 2))
    again = pickle.loads(pickle.dumps(y))
    assert names(folded(again, 0)) == names(folded(y, 0)) == [("leaf", 1), ("MLP", 1)]
    assert len(folded(copy.deepcopy(y), 0).boxes) == len(ancestors(y))


def test_a_pass_that_frees_the_graph_frees_what_modules_noted():
    x = leaf(1, 2)
    y = nn.Dense(2, 2, seed=0)(x)
    y.sum().backward(retain_graph=False)
    assert y.notes is None


# -------------------------------------------------------------------- depth


@pytest.mark.parametrize(("depth", "boxes"), [(0, 2), (1, 3), (2, 10), (9, 10)])
def test_depth_opens_modules(depth, boxes):
    found = folded(nn.MLP([2, 3, 2], np.tanh, seed=0)(leaf(1, 2)), depth)
    assert len(found.boxes) == boxes
    inside = {id(node) for box in found.boxes for node in (*box.inside, *box.values)}
    assert len(inside) == 10, "every node is in a box"


def test_edges_keep_their_operand_and_closed_boxes_have_none():
    x = Value(3.0)
    assert folded(x * x).edges == [(0, 1, 0, 1), (0, 1, 1, 1)]
    y = nn.Dense(2, 2, seed=0)(leaf(1, 2))
    found = folded(y * y, 0)
    assert found.edges == [(0, 1, None, 1), (1, 2, 0, 1), (1, 2, 1, 1)]


def test_small_graphs_stay_open_and_large_ones_close():
    small = nn.Sequential(*(nn.Dense(2, 2, seed=0) for _ in range(5)))(leaf(1, 2))
    assert len(folded(small).boxes) == len(ancestors(small)) <= folding.LARGE
    sizes = [2 + i for i in range(25)]
    large = nn.MLP(sizes, np.tanh, seed=0)(leaf(1, 2))
    assert names(folded(large)) == [("leaf", 1)] + [("Dense", 1)] * 24


def test_repeats_are_one_box():
    net = nn.Sequential(nn.Dense(2, 4, seed=0), *(Block(4) for _ in range(12)), nn.Dense(4, 2, seed=1))
    found = folded(net(leaf(1, 2)))
    assert names(found) == [("leaf", 1), ("Dense", 1), ("Block", 12), ("Dense", 1)]
    assert [edge[:2] for edge in found.edges] == [(0, 1), (1, 2), (2, 3)]
    assert len(found.boxes[2].inside) == 12 * 10


def test_repeats_side_by_side_are_one_box():
    class Heads(nn.Module):
        def __init__(self):
            self.heads = [nn.Dense(3, 2, np.tanh, seed=i) for i in range(8)]

        def forward(self, x):
            return np.concatenate([head(x) for head in self.heads])

    assert names(folded(Heads()(leaf(1, 3)), 1)) == [("leaf", 1), ("Dense", 8), ("concatenate", 1)]


def test_layers_that_differ_are_not_repeats():
    net = nn.Sequential(nn.Dense(2, 2, np.tanh, seed=0), nn.Dense(2, 2, seed=0), nn.Dense(2, 2, bias=False, seed=0))
    assert names(folded(net(leaf(1, 2)), 1)) == [("leaf", 1), ("Dense", 1), ("Dense", 1), ("Dense", 1)]


def test_steps_in_time_with_an_input_each():
    class Net(nn.Module):
        def __init__(self):
            self.cell = Cell()

        def forward(self, xs):
            h = leaf(1, 2)
            for x in xs:
                h = self.cell(h, x)
            return h

    class Cell(nn.Module):
        def __init__(self):
            self.inner = nn.Dense(2, 2, np.tanh, seed=0)

        def forward(self, h, x):
            return self.inner(h) + x

    y = Net()([leaf(1, 2) for _ in range(30)])
    boxes = names(folded(y, 1))
    assert ("Cell", 30) in boxes and len(boxes) <= 5


# -------------------------------------------------------------------- without modules


def test_what_was_computed_alike_merges():
    rng = np.random.default_rng(0)
    layer = [Value(x) for x in rng.normal(size=4)]
    for _ in range(2):
        terms = [[Value(rng.normal()) * x for x in layer] for _ in range(8)]
        layer = [np.tanh(sum(t[1:], t[0])) for t in terms]
    loss = sum(layer[1:], layer[0])
    found = folded(loss)
    assert len(found.boxes) <= folding.LARGE < len(ancestors(loss))
    assert ("tanh", 8) in names(found)
    assert sum(len(box.values) for box in found.boxes) == len(ancestors(loss))
    assert found.boxes[-1].values == [loss]


def test_a_long_loop_merges_to_a_circle():
    x, w = Value(1.0), Value(0.5)
    for _ in range(1000):
        x = np.tanh(w * x)
    found = folded(x)
    assert len(found.boxes) < 20
    assert any(edge.source >= edge.target for edge in found.edges)
    assert sum(len(box.values) for box in found.boxes) == len(ancestors(x))


def test_a_hundred_thousand_nodes():
    x = Value(1.0)
    for _ in range(100_000):
        x = np.negative(x)
    assert len(folded(x).boxes) < 20
    assert len(folded(x, 0).boxes) == 100_001


def test_folding_is_deterministic():
    def found():
        net = nn.Sequential(*(Block(3) for _ in range(9)), nn.MLP([3, 4, 4, 2], seed=0))
        fold = folded(net(leaf(1, 3)))
        return names(fold), fold.edges

    assert found() == found()


def test_neighbourhood():
    x = y = Value(1.0)
    chain = [x]
    for _ in range(6):
        y = -y
        chain.append(y)
    assert folding.neighbourhood(ancestors(y), chain[3], 1) == chain[2:5]
    assert folding.neighbourhood(ancestors(y), chain[3], 0) == [chain[3]]
    assert folding.neighbourhood(ancestors(y), x, 2) == chain[:3]
