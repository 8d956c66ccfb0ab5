"""Saving: to the same bits, all or nothing, and whatever the file holds."""

import io
import json
import os
import struct
import zipfile

import numpy as np
import pytest

import nn
from autograd import Value
from nn import saving

FORMATS = [".npz", ".safetensors"]


@pytest.fixture(params=FORMATS)
def suffix(request):
    if request.param == ".safetensors":
        pytest.importorskip("safetensors")
    return request.param


class Net(nn.Module):
    """Parameters of all shapes, a buffer, a random layer."""

    def __init__(self, seed=0, dtype=np.float64):
        rng = np.random.default_rng(seed)
        self.scale = Value(np.asarray(rng.random(), dtype)[()])
        self.parts = {
            "a/b": nn.MLP([3, 4, 2], seed=rng, dtype=dtype),
            "../../up": nn.Dense(3, 2, seed=rng, dtype=dtype),
        }
        self.empty = Value(np.zeros((0, 3), dtype))
        self.mean = Value(rng.random(3).astype(dtype), requires_grad=False)
        self.count = Value(np.arange(3) + seed, requires_grad=False)
        self.frozen = nn.Dense(2, 2, seed=rng, dtype=dtype)
        self.frozen.weight.requires_grad = False
        self.noise = np.random.default_rng(seed)


def everything(model):
    return {name: np.array(value.data) for name, value in [*model.named_parameters(), *model.named_buffers()]}


def assert_same(one, two):
    one, two = everything(one), everything(two)
    assert list(one) == list(two)
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name])
        assert array.dtype == two[name].dtype


# -------------------------------------------------------------------- there and back


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_all_comes_back_to_the_bit(tmp_path, suffix, dtype):
    model, twin = Net(0, dtype), Net(1, dtype)
    rng, other = np.random.default_rng(3), np.random.default_rng(4)
    rng.random(5), model.noise.random(7)
    facts = {
        "epoch": 3, "text": "ä", "none": None, "yes": True, "tiny": 1e-320, "third": 1 / 3, "whole": 2**70,
        "list": [1, [2.5]], "array": np.arange(6.0).reshape(2, 3).T, "numbers": {"a": np.int32(3), "b": np.float64(1)},
    }  # fmt: skip
    nn.save(tmp_path / f"net{suffix}", model, rng=rng, **facts)
    back = nn.load(tmp_path / f"net{suffix}", twin, rng=other)
    assert_same(model, twin)
    assert other.random() == rng.random() and twin.noise.random() == model.noise.random()
    np.testing.assert_array_equal(back.pop("array"), facts.pop("array"))
    assert back == facts


@pytest.mark.parametrize("kind", [nn.SGD, nn.AdaGrad, nn.RMSProp, nn.Adam, nn.AdamW])
def test_an_optimiser_goes_on_as_if_nothing_had_been(tmp_path, suffix, kind):
    x, y = np.random.default_rng(0).standard_normal((9, 3)), np.arange(9) % 2
    settings = {"momentum": 0.9} if kind in (nn.SGD, nn.RMSProp) else {}

    def made(seed, lr):
        model = nn.MLP([3, 4, 2], seed=seed)
        return model, kind(model.parameters(), lr=lr, **settings)

    def steps(model, optimizer, schedule, n):
        for _ in range(n):
            optimizer.zero_grad()
            nn.cross_entropy(model(x), y).backward()
            optimizer.step()
            schedule.step()

    model, optimizer = made(0, 0.1)
    schedule = nn.CosineSchedule(optimizer, steps=10)
    steps(model, optimizer, schedule, 4)
    nn.save(tmp_path / f"run{suffix}", model, optimizer=optimizer, schedule=schedule)
    twin, fresh = made(1, 0.5)
    again = nn.CosineSchedule(fresh, steps=10)
    nn.load(tmp_path / f"run{suffix}", twin, optimizer=fresh, schedule=again)
    steps(model, optimizer, schedule, 4)
    steps(twin, fresh, again, 4)
    assert fresh.lr == optimizer.lr
    assert_same(model, twin)


@pytest.mark.parametrize("name", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_every_random_generator_of_numpy(name):
    rng = np.random.Generator(getattr(np.random, name)(5))
    rng.random(3), rng.integers(5, dtype=np.int32)
    state = json.loads(json.dumps(saving.generator_state(rng)))
    twin = saving.generator(state)
    np.testing.assert_array_equal(twin.random(9), rng.random(9))
    np.testing.assert_array_equal(twin.integers(5, size=3, dtype=np.int32), rng.integers(5, size=3, dtype=np.int32))


def test_float32_is_read_as_float64_and_not_the_other_way_round(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    small, large = nn.MLP([2, 2], seed=0, dtype=np.float32), nn.MLP([2, 2], seed=1)
    nn.save(path, small)
    nn.load(path, large)
    np.testing.assert_array_equal(large.layers[0].weight.data, small.layers[0].weight.data)
    nn.save(path, large)
    with pytest.raises(
        ValueError, match=r"layers\.0\.weight is of float64 there and of float32 .*digits.*dtype=float64"
    ):
        nn.load(path, small)


def test_files_of_others_are_read(tmp_path):
    model, twin = nn.MLP([2, 3], seed=0), nn.MLP([2, 3], seed=1)
    np.savez(tmp_path / "theirs.npz", **everything(model))
    assert nn.load(tmp_path / "theirs.npz", twin) == {}
    assert_same(model, twin)
    np.savez_compressed(tmp_path / "packed.npz", **{n: a.astype(">f4") for n, a in everything(model).items()})
    nn.load(tmp_path / "packed.npz", twin)
    np.testing.assert_array_equal(twin.layers[0].weight.data, model.layers[0].weight.data.astype(np.float32))
    nn.save(tmp_path / "ours.npz", model)
    stored = np.load(tmp_path / "ours.npz", allow_pickle=False)
    np.testing.assert_array_equal(stored["layers.0.weight"], model.layers[0].weight.data)


# -------------------------------------------------------------------- writing


def test_a_file_is_replaced_in_one_go(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"net{suffix}"
    nn.save(path, nn.MLP([2, 2], seed=0), epoch=1)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    for broken in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(saving.os, broken, fail)
            with pytest.raises(OSError, match="disk full"):
                nn.save(path, nn.MLP([9, 9], seed=1), epoch=2)
        assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(TypeError, match=r"facts\['what'\] is <object"):
        nn.save(path, nn.MLP([2, 2]), what=object())
    assert path.read_bytes() == before


def test_what_cannot_be_saved_is_told(tmp_path):
    path = tmp_path / "net.npz"
    model = nn.MLP([2, 2], seed=0)
    for bad, said in (
        ({"a": {1: 2}}, r"facts\['a'\]"),
        ({"a": [np.array(["x"])]}, r"facts\['a'\]\[0\]"),
        ({"a": {"__array__": 1}}, "facts"),
    ):
        with pytest.raises(TypeError, match=said):
            nn.save(path, model, **bad)
    with pytest.raises(ValueError, match=r"suffix says the format, \.npz or \.safetensors"):
        nn.save(tmp_path / "net.pkl", model)
    with pytest.raises(ValueError, match="which is no parameter of the model"):
        nn.save(path, model, optimizer=nn.SGD([Value(1.0)], lr=1))
    with pytest.raises(ValueError, match="no parameters yet"):
        nn.save(path, nn.Dense(3))
    with pytest.raises(OSError):
        nn.save(tmp_path / "no" / "net.npz", model)
    assert not list(tmp_path.iterdir())


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        nn.save(tmp_path / "net.safetensors", nn.MLP([2, 2]))


# -------------------------------------------------------------------- all or nothing


def damaged(tmp_path, change, suffix=".npz"):
    """A file of a small net with its arrays changed."""
    arrays = everything(nn.MLP([2, 3], seed=0))
    change(arrays)
    path = tmp_path / f"net{suffix}"
    if suffix == ".npz":
        np.savez(path, **arrays)
    else:
        from safetensors.numpy import save_file

        save_file(arrays, path)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a.pop("layers.0.bias"), r"does not fit the model: it lacks layers\.0\.bias"),
        (lambda a: a.update(other=np.ones(2)), "it holds other, which the model has not"),
        (
            lambda a: a.update({"layers.0.bias": np.ones(4)}),
            r"layers\.0\.bias has shape \(4,\) there and \(3,\) in the model",
        ),
        (lambda a: a.update({"layers.0.bias": np.ones((3, 1))}), r"layers\.0\.bias has shape \(3, 1\)"),
        (lambda a: a.update({f"{i}": np.ones(1) for i in range(9)}), "0, 1, 2, 3 and 5 more"),
        (lambda a: a.update({"optimizer/no/v": np.ones(1)}), "'v' of the optimiser's state of no"),
        (lambda a: a.update({"optimizer/layers.0.bias/v": np.ones(2)}), r"state of layers\.0\.bias has shape \(2,\)"),
    ],
)
def test_what_does_not_fit_names_the_parameter_and_changes_nothing(tmp_path, suffix, change, said):
    path = damaged(tmp_path, change, suffix)
    model = nn.MLP([2, 3], seed=7)
    before = everything(model)
    with pytest.raises(ValueError, match=said):
        nn.load(path, model)
    for name, array in before.items():
        np.testing.assert_array_equal(array, everything(model)[name])


def test_complex_and_words_are_no_floats(tmp_path):
    model = nn.MLP([2, 3], seed=0)
    path = damaged(tmp_path, lambda a: a.update({"layers.0.bias": np.ones(3, complex)}))
    with pytest.raises(ValueError, match=r"layers\.0\.bias is of complex128"):
        nn.load(path, model)
    path = damaged(tmp_path, lambda a: a.update({"layers.0.bias": np.array(["x"] * 3)}))
    with pytest.raises(ValueError, match="no type of numbers"):
        nn.load(path, model)


def test_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "trapped"),))

    path = damaged(tmp_path, lambda a: a.update({"layers.0.bias": np.array([Trap()] * 3, dtype=object)}))
    with pytest.raises(ValueError, match="no type of numbers"):
        nn.load(path, nn.MLP([2, 3]))
    assert not (tmp_path / "trapped").exists()


def test_an_optimiser_that_was_not_saved_or_is_another(tmp_path):
    path, model = tmp_path / "net.npz", nn.MLP([2, 3], seed=0)
    nn.save(path, model)
    sgd = nn.SGD(model.parameters(), lr=0.1)
    before = everything(model)
    for given, said in (
        ({"optimizer": sgd}, "holds no optimizer"),
        ({"rng": np.random.default_rng()}, "holds no rng"),
        ({"schedule": nn.StepSchedule(sgd, 1)}, "holds no schedule"),
    ):
        twin = nn.MLP([2, 3], seed=1)
        if "optimizer" in given:
            given = {"optimizer": nn.SGD(twin.parameters(), lr=0.1)}
        kept = everything(twin)
        with pytest.raises(ValueError, match=said):
            nn.load(path, twin, **given)
        for name, array in kept.items():
            np.testing.assert_array_equal(array, everything(twin)[name])
    nn.save(path, model, optimizer=sgd, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="the state of SGD, not of Adam"):
        nn.load(path, model, optimizer=nn.Adam(model.parameters()))
    with pytest.raises(ValueError, match="random state is of PCG64, not of"):
        nn.load(path, model, rng=np.random.Generator(np.random.MT19937(0)))
    with pytest.raises(ValueError, match="no parameter of the model"):
        nn.load(path, model, optimizer=nn.SGD([Value(1.0)], lr=1))
    for name, array in before.items():
        np.testing.assert_array_equal(array, everything(model)[name])


def entries(path, **changes):
    """Write the members of a .npz anew, some changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members.update(changes)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def header(shape, descr="<f8", extra=b""):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + extra


@pytest.mark.parametrize(
    "member",
    [
        header("(1000000000000,)"),  # says that it is large
        header("(3,)"),  # and has nothing
        header("(3,)", extra=bytes(24 + 1)),
        header("(-3,)"),
        header("(3,)", "|O", bytes(24)),
        header("(3,); import os"),
        b"\x93NUMPY\x09\x00",
        b"",
        b"no array at all",
    ],
)
def test_a_header_that_lies_is_told(tmp_path, member):
    path = tmp_path / "net.npz"
    model = nn.MLP([2, 3], seed=0)
    nn.save(path, model)
    entries(path, **{"layers.0.bias.npy": member})
    with pytest.raises(ValueError, match=r"net\.npz is damaged, or no \.npz file|does not fit|has shape"):
        nn.load(path, model)


def test_facts_are_checked(tmp_path):
    path, model = tmp_path / "net.npz", nn.MLP([2, 3], seed=0)

    def with_facts(text):
        nn.save(path, model)
        text = text if isinstance(text, bytes) else json.dumps(text).encode()
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.frombuffer(text, np.uint8))
        entries(path, **{"/facts.npy": buffer.getvalue()})

    with_facts(b"{")
    with pytest.raises(ValueError, match="no JSON"):
        nn.load(path, model)
    with_facts(b"[" * 100_000)
    with pytest.raises(ValueError, match="no JSON"):
        nn.load(path, model)
    with_facts([1])
    with pytest.raises(ValueError, match="no JSON object"):
        nn.load(path, model)
    with_facts({"facts": {"a": {"__array__": "../../etc"}}})
    assert nn.load(path, model) == {"a": None}
    with_facts({"rng": {"bit_generator": "PCG64", "state": 3}})
    with pytest.raises(ValueError, match="random state is damaged"):
        nn.load(path, model, rng=np.random.default_rng())
    with pytest.raises(ValueError, match="kind 'os' is not known"):
        saving.generator({"bit_generator": "os"})


def test_arrays_among_the_facts_are_capped(tmp_path, monkeypatch):
    path, model = tmp_path / "net.npz", nn.MLP([2, 3], seed=0)
    nn.save(path, model, a=np.zeros(1000))
    monkeypatch.setattr(saving, "FREE", 4000)
    with pytest.raises(ValueError, match="more than 4,288 bytes"):
        nn.load(path, model)
    monkeypatch.setattr(saving, "TEXT", 10)
    with pytest.raises(ValueError, match="no text of at most 10 bytes"):
        nn.load(path, model)


def test_any_cut_or_flipped_file_is_an_error_or_the_same(tmp_path, suffix):
    path, model = tmp_path / f"net{suffix}", nn.MLP([2, 3], seed=0)
    optimizer = nn.Adam(model.parameters())
    nn.save(path, model, optimizer=optimizer, epoch=3)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for length in {*rng.integers(0, len(whole), 60).tolist(), 0, 1, len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError):
            nn.load(path, nn.MLP([2, 3], seed=1))
    for place in rng.integers(0, len(whole), 300).tolist():
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(changed))
        twin = nn.MLP([2, 3], seed=1)
        before = everything(twin)
        try:
            nn.load(path, twin, optimizer=nn.Adam(twin.parameters()))
        except ValueError:
            for name, array in before.items():
                np.testing.assert_array_equal(array, everything(twin)[name])


def test_a_file_that_is_not_there_is_an_os_error(tmp_path, suffix):
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / f"net{suffix}", nn.MLP([2, 3]))


def test_bfloat16_is_told(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    save_file({"layers.0.weight": torch.ones((2, 3), dtype=torch.bfloat16), "layers.0.bias": torch.ones(3)},
              tmp_path / "b.safetensors")  # fmt: skip
    with pytest.raises(ValueError, match=r"layers\.0\.weight is of BF16, which NumPy has not"):
        nn.load(tmp_path / "b.safetensors", nn.MLP([2, 3]))


# -------------------------------------------------------------------- PyTorch


def test_names_and_shapes_are_those_of_pytorch():
    model = nn.Sequential(nn.Dense(4, 8, nn.relu, seed=0), nn.MLP([8, 5, 2], seed=1), np.tanh, nn.Dense(2, 1, seed=2))
    theirs = saving.to_torch(model)
    assert {name: array.shape for name, array in theirs.items()} == {
        "0.weight": (8, 4), "0.bias": (8,), "2.0.weight": (5, 8), "2.0.bias": (5,), "2.2.weight": (2, 5),
        "2.2.bias": (2,), "4.weight": (1, 2), "4.bias": (1,),
    }  # fmt: skip
    np.testing.assert_array_equal(theirs["0.weight"], model.layers[0].weight.data.T)
    twin = nn.Sequential(nn.Dense(4, 8, nn.relu), nn.MLP([8, 5, 2]), np.tanh, nn.Dense(2, 1))
    nn.from_torch_state_dict(twin, theirs)
    assert_same(model, twin)


def test_a_state_dict_that_does_not_fit_is_told():
    model = nn.MLP([2, 3], seed=0)
    before = everything(model)
    good = saving.to_torch(model)
    for change, said in (
        ({"0.weight": np.ones((2, 3))}, r"layers\.0\.weight has shape \(3, 2\) there and \(2, 3\)"),
        ({"1.weight": np.ones(1)}, r"holds 1\.weight, which the model has not"),
    ):
        with pytest.raises(ValueError, match=said):
            nn.from_torch_state_dict(model, {**good, **change})
    with pytest.raises(ValueError, match=r"lacks 0\.bias"):
        nn.from_torch_state_dict(model, {"0.weight": good["0.weight"]})
    for name, array in before.items():
        np.testing.assert_array_equal(array, everything(model)[name])


@pytest.mark.parametrize(
    "made",
    [
        lambda seed: nn.LSTM(2, 3, layers=2, seed=seed), lambda seed: nn.GRU(2, 3, seed=seed),
        lambda seed: nn.MultiHeadAttention(4, 2, seed=seed), lambda seed: nn.MultiHeadAttention(4, 2, False, seed=seed),
        lambda seed: nn.BatchNorm(3), lambda seed: nn.Conv2d(2, 4, 3, groups=2, seed=seed),
    ],
)  # fmt: skip
def test_there_and_back_without_pytorch(made):
    model, twin = made(0), made(1)
    for value in model.parameters():
        value.data = value.data + np.arange(value.size).reshape(value.shape)
    theirs = saving.to_torch(model)
    nn.from_torch_state_dict(twin, theirs)
    assert_same(model, twin)
    name = next(iter(theirs))
    with pytest.raises(ValueError, match=r"has shape|cannot be made of"):
        nn.from_torch_state_dict(twin, {**theirs, name: np.ones((1, 1, 7))})
    assert_same(model, twin)


def test_what_pytorch_calls_an_lstm():
    assert {name: array.shape for name, array in saving.to_torch(nn.LSTM(2, 3, layers=2)).items()} == {
        "weight_ih_l0": (12, 2), "weight_hh_l0": (12, 3), "bias_ih_l0": (12,), "bias_hh_l0": (12,),
        "weight_ih_l1": (12, 3), "weight_hh_l1": (12, 3), "bias_ih_l1": (12,), "bias_hh_l1": (12,),
    }  # fmt: skip


def twins(torch):
    """Nets of ours, the same in PyTorch, and what goes in."""
    rng = np.random.default_rng(0)
    t = torch.nn

    class Ours(nn.Module):
        def __init__(self):
            self.first = nn.Dense(6, 5, bias=False, seed=0)
            self.blocks = [nn.Dense(5, 5, np.tanh, seed=1), nn.Dense(5, 2, seed=2)]
            self.gain = Value(np.array([1.0, 2.0]))

        def forward(self, x):
            return self.blocks[1](self.blocks[0](self.first(x))) * self.gain

    class Theirs(t.Module):
        def __init__(self):
            super().__init__()
            self.first = t.Linear(6, 5, bias=False)
            self.blocks = t.ModuleList([t.Linear(5, 5), t.Linear(5, 2)])
            self.gain = t.Parameter(torch.ones(2))

        def forward(self, x):
            return self.blocks[1](torch.tanh(self.blocks[0](self.first(x)))) * self.gain

    yield (
        "dense",
        nn.MLP([6, 5, 2], seed=0),
        t.Sequential(t.Linear(6, 5), t.ReLU(), t.Linear(5, 2)),
        rng.standard_normal((3, 6)),
    )
    yield "a class", Ours(), Theirs(), rng.standard_normal((3, 6))
    ours = nn.Sequential(
        nn.Conv2d(2, 4, 3, nn.relu, groups=2, seed=0), nn.MaxPool2d(2), nn.Flatten(), nn.Dense(36, 3, seed=1)
    )
    theirs = t.Sequential(t.Conv2d(2, 4, 3, groups=2), t.ReLU(), t.MaxPool2d(2), t.Flatten(), t.Linear(36, 3))
    yield "convolution", ours, theirs, rng.standard_normal((3, 2, 8, 8))
    ours = nn.Sequential(nn.Conv1d(3, 4, 3, seed=0), nn.BatchNorm(4), nn.Flatten(), nn.Dense(20, 2, seed=1))
    theirs = t.Sequential(t.Conv1d(3, 4, 3), t.BatchNorm1d(4), t.Flatten(), t.Linear(20, 2))
    yield "norm", ours, theirs, rng.standard_normal((3, 3, 7))
    yield "layer norm", nn.LayerNorm(6), t.LayerNorm(6), rng.standard_normal((3, 6))

    class Last(t.Module):
        def __init__(self, layer):
            super().__init__()
            self.layer, self.head = layer, t.Linear(5, 2)

        def forward(self, x):
            return self.head(self.layer(x)[0][:, -1])

    class OurLast(nn.Module):
        def __init__(self, layer):
            self.layer, self.head = layer, nn.Dense(5, 2, seed=1)

        def forward(self, x):
            return self.head(self.layer(x)[0][:, -1])

    for kind in ("RNN", "GRU", "LSTM"):
        ours = OurLast(getattr(nn, kind)(3, 5, layers=2, seed=0))
        theirs = Last(getattr(t, kind)(3, 5, num_layers=2, batch_first=True))
        yield kind, ours, theirs, rng.standard_normal((4, 7, 3))

    class Attention(t.Module):
        def __init__(self):
            super().__init__()
            self.layer = t.MultiheadAttention(6, 2, batch_first=True)

        def forward(self, x):
            return self.layer(x, x, x, need_weights=False)[0]

    class OurAttention(nn.Module):
        def __init__(self):
            self.layer = nn.MultiHeadAttention(6, 2, seed=0)

        def forward(self, x):
            return self.layer(x)

    yield "attention", OurAttention(), Attention(), rng.standard_normal((3, 5, 6))


def test_nets_move_to_pytorch_and_back():
    torch = pytest.importorskip("torch")
    for name, ours, theirs, x in twins(torch):
        for _, buffer in ours.named_buffers():
            buffer.data = np.asarray(buffer.data) + np.random.default_rng(1).random(buffer.shape)
        theirs.double().load_state_dict(nn.to_torch_state_dict(ours))
        wanted = ours.eval()(x).data
        got = theirs.eval()(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, err_msg=name)
        with torch.no_grad():
            for parameter in theirs.parameters():
                parameter += torch.randn_like(parameter)
        nn.from_torch_state_dict(ours, theirs.state_dict())
        got = theirs(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(ours(x).data, got, rtol=1e-12, atol=1e-12, err_msg=name)


def test_pytorch_reads_what_we_write(tmp_path):
    torch = pytest.importorskip("torch")
    loaded = pytest.importorskip("safetensors.torch").load_file
    model = nn.MLP([6, 5, 2], seed=0, dtype=np.float32)
    nn.save(tmp_path / "net.safetensors", model)
    tensors = loaded(tmp_path / "net.safetensors")
    assert {name: (tuple(t.shape), t.dtype) for name, t in tensors.items()} == {
        name: (value.shape, torch.float32) for name, value in model.named_parameters()
    }
    np.testing.assert_array_equal(tensors["layers.0.weight"].numpy(), model.layers[0].weight.data)
