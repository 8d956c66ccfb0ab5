"""Data: the digits, splitting, batches."""

import gzip
import struct

import numpy as np
import pytest

from autograd import Value
from nn import data

# -------------------------------------------------------------------- digits


def test_the_digits_are_those_of_the_source():
    images, labels = data.digits()
    assert images.shape == (1797, 8, 8) and labels.shape == (1797,)
    assert images.dtype == np.float64 and labels.dtype == np.int64
    np.testing.assert_array_equal(np.bincount(labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    counts = images * 16
    np.testing.assert_array_equal(counts, counts.round())
    np.testing.assert_array_equal(counts[0, 0], [0, 0, 5, 13, 9, 1, 0, 0])
    assert images.min() == 0 and images.max() == 1 and counts.sum() == 561718


def test_digits_against_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = data.digits()
    theirs = datasets.load_digits()
    np.testing.assert_array_equal(images * 16, theirs.images)
    np.testing.assert_array_equal(labels, theirs.target)


def test_digits_are_read_only_and_taken_without_a_copy():
    images, labels = data.digits(np.float32)
    assert images.dtype == np.float32 and not images.flags.writeable and not labels.flags.writeable
    assert np.shares_memory(Value(images).data, images)


def test_digits_are_floating():
    with pytest.raises(TypeError, match="floating"):
        data.digits(dtype=int)


def test_the_source_is_named():
    for fact in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"):
        assert fact in data.digits.__doc__


# -------------------------------------------------------------------- split

X, Y = np.arange(40).reshape(20, 2), np.arange(20)


def test_split_deals_each_example_out_once():
    (x, y), (x_test, y_test) = data.split(X, Y, held_out=0.25, seed=0)
    assert len(y) == 15 and len(y_test) == 5
    np.testing.assert_array_equal(np.sort(np.concatenate([y, y_test])), Y)
    np.testing.assert_array_equal(x, X[y])
    np.testing.assert_array_equal(x_test, X[y_test])


def test_split_is_seeded():
    first, second, other = (data.split(Y, seed=seed)[1][0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize("held_out", [1e-9, 0.999999])
def test_both_sides_get_something(held_out):
    (y,), (y_test,) = data.split(Y, held_out=held_out, seed=0)
    assert len(y) and len(y_test)


@pytest.mark.parametrize("held_out", [0, 1, -0.5, 2, np.nan])
def test_split_checks_the_fraction(held_out):
    with pytest.raises(ValueError, match="fraction between 0 and 1"):
        data.split(Y, held_out=held_out)


def test_split_checks_its_arrays():
    with pytest.raises(ValueError, match=r"lengths \[20, 19\]"):
        data.split(X, Y[:-1])
    with pytest.raises(ValueError, match="same length"):
        data.split()
    with pytest.raises(ValueError, match="it takes two"):
        data.split(Y[:1])


@pytest.mark.parametrize("held_out", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("sizes", [(50, 50, 50), (90, 9, 1), (3, 97), (1, 1), (7,)])
def test_a_stratified_split_deals_out_each_class(held_out, sizes):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    n = len(labels)
    (x, y), (x_test, y_test) = data.split(np.arange(n), labels, held_out=held_out, stratify=labels, seed=1)
    np.testing.assert_array_equal(np.sort(np.concatenate([x, x_test])), np.arange(n))
    np.testing.assert_array_equal(labels[x], y)
    assert len(y_test) == min(max(round(n * held_out), 1), n - 1)
    for label, size in enumerate(sizes):
        assert abs((y_test == label).sum() - size * len(y_test) / n) <= 1


def test_a_stratified_split_takes_words_and_is_shuffled():
    words = np.array(["a", "b"] * 20)
    (x, y), _ = data.split(np.arange(40), words, stratify=words, seed=0)
    assert (y == "a").sum() == 15 and (np.diff(x) < 0).any() and (y[:15] == "a").any() and (y[:15] == "b").any()
    assert (y[1:] == y[:-1]).any()  # not a b a b
    again = data.split(np.arange(40), words, stratify=words, seed=0)
    np.testing.assert_array_equal(x, again[0][0])
    with pytest.raises(ValueError, match=r"lengths \[40, 39\]"):
        data.split(np.arange(40), stratify=words[1:])


# -------------------------------------------------------------------- batches


@pytest.mark.parametrize("size", [1, 6, 20, 100])
@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_are_all_examples_once(size, shuffle):
    parts = list(data.batches(X, Y, size=size, shuffle=shuffle, seed=0))
    assert [len(y) for _, y in parts] == [size] * (20 // size) + [20 % size] * (20 % size > 0)
    labels = np.concatenate([y for _, y in parts])
    np.testing.assert_array_equal(np.sort(labels) if shuffle else labels, Y)
    for x, y in parts:
        np.testing.assert_array_equal(x, X[y])


def test_a_seed_gives_an_order_and_a_generator_a_new_one_each_time():
    def order(seed):
        return np.concatenate([y for (y,) in data.batches(Y, size=7, seed=seed)])

    np.testing.assert_array_equal(order(3), order(3))
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(order(3), order(rng))
    assert (order(3) != order(rng)).any()


def test_batches_are_read_only_and_taken_without_a_copy():
    x = next(data.batches(X.astype(float), size=4, seed=0))[0]
    assert not x.flags.writeable and np.shares_memory(Value(x).data, x)


def test_batches_leave_the_data_alone():
    images = X.copy()
    list(data.batches(images, seed=0))
    assert images.flags.writeable
    np.testing.assert_array_equal(images, X)


@pytest.mark.parametrize("size", [0, -1, 2.5, None])
def test_batches_check_the_size_at_once(size):
    with pytest.raises(ValueError, match="positive whole number"):
        data.batches(X, size=size)


def test_batches_check_their_arrays_at_once():
    with pytest.raises(ValueError, match=r"lengths \[20, 19\]"):
        data.batches(X, Y[:-1])


def test_a_size_among_the_arrays_is_told():
    for slip in (lambda: next(data.batches(np.ones(4), 2)), lambda: data.split(np.ones(4), 0.25)):
        with pytest.raises(ValueError, match="goes by its name"):
            slip()


# -------------------------------------------------------------------- iris


def test_the_flowers_are_those_of_the_source():
    lengths, species = data.iris()
    assert lengths.shape == (150, 4) and lengths.sum() == pytest.approx(2078.7) and not lengths.flags.writeable
    np.testing.assert_array_equal(species, np.repeat([0, 1, 2], 50))
    np.testing.assert_allclose(lengths.mean(axis=0), [5.84333333, 3.05733333, 3.758, 1.19933333])
    np.testing.assert_array_equal(lengths[[34, 37]], [[4.9, 3.1, 1.5, 0.2], [4.9, 3.6, 1.4, 0.1]])  # as in the paper
    assert data.iris(np.float32)[0].dtype == np.float32
    with pytest.raises(TypeError, match="floating"):
        data.iris(int)
    for fact in ("Fisher", "1936", "10.24432/C56C76", "CC BY 4.0"):
        assert fact in data.iris.__doc__


def test_iris_against_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    lengths, species = data.iris()
    np.testing.assert_array_equal(lengths, datasets.load_iris().data)
    np.testing.assert_array_equal(species, datasets.load_iris().target)


# -------------------------------------------------------------------- made-up data

MADE_UP = [data.moons, data.circles, data.spirals, data.blobs, data.xor]


@pytest.mark.parametrize("made", MADE_UP, ids=lambda f: f.__name__)
def test_made_up_points(made):
    x, y = made(101, seed=3)
    assert x.shape == (101, 2) and x.dtype == np.float64 and y.shape == (101,) and y.dtype == np.int64
    assert not x.flags.writeable and not y.flags.writeable and np.isfinite(x).all()
    counts = np.bincount(y)
    assert len(counts) > 1 and counts.max() - counts.min() <= 2
    again = made(101, seed=3)[0], made(101, seed=np.random.default_rng(3))[0]
    np.testing.assert_array_equal(x, again[0])
    np.testing.assert_array_equal(x, again[1])
    if made is not data.xor:
        assert (x != made(101, seed=4)[0]).any()
    assert (made(101, noise=0.5, seed=3)[0] != x).any()
    for wrong in ({"n": 0}, {"n": 2.5}, {"noise": -1}, {"noise": np.nan}, {"noise": np.inf}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            made(**wrong)


def test_their_forms():
    x, y = data.moons(200, noise=0, seed=0)
    np.testing.assert_allclose(np.linalg.norm(x[y == 0], axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(x[y == 1] - [1, 0.5], axis=1), 1)
    assert (x[y == 0][:, 1] >= 0).all() and (x[y == 1][:, 1] <= 0.5).all()
    x, y = data.circles(200, noise=0, factor=0.3, seed=0)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), np.where(y == 0, 1, 0.3))
    x, y = data.spirals(200, classes=4, noise=0, seed=0)
    assert (
        set(y) == {0, 1, 2, 3}
        and 0 < np.linalg.norm(x, axis=1).min() < 0.2 < 0.9 < np.linalg.norm(x, axis=1).max() <= 1
    )
    x, y = data.blobs(200, classes=5, noise=0, seed=0)
    assert len(np.unique(x.round(9), axis=0)) == 5
    with pytest.raises(ValueError, match="factor"):
        data.circles(factor=1)
    with pytest.raises(ValueError, match="classes"):
        data.blobs(classes=0)


def test_sines_go_on():
    x, y = data.sines(50, length=30, seed=0)
    assert x.shape == (50, 30, 1) and y.shape == (50, 1)
    wave = np.concatenate([x[:, :, 0], y], axis=1)
    # A sine wave follows s[t+1] = 2 cos(pace) s[t] - s[t-1].
    twice = (wave[:, 2:] + wave[:, :-2]) / wave[:, 1:-1]
    clear = np.abs(wave[:, 1:-1]) > 0.1
    for row, mask in zip(twice, clear, strict=True):
        assert np.ptp(row[mask]) < 1e-9
    with pytest.raises(ValueError, match="length"):
        data.sines(length=0)


# -------------------------------------------------------------------- IDX


def idx(array, code=None):
    codes = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    code = codes[array.dtype.str[1:]] if code is None else code
    return (
        bytes([0, 0, code, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0, 3)])
def test_idx_files_are_read(tmp_path, kind, packed, shape):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(kind)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    got = data.read_idx(path)
    np.testing.assert_array_equal(got, array)
    assert got.dtype == array.dtype and got.dtype.isnative and not got.flags.writeable


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no IDX file: it begins with b''"),
        (b"\x00\x00\x08", "is no IDX file"),
        (b"PK\x03\x04 and so on", "is no IDX file"),
        (idx(IMAGES, code=7), "is no IDX file"),
        (b"\0\0\x08\x00", "ends in its header"),
        (b"\0\0\x08\x03\0\0\0\x02", "ends in its header"),
        (idx(IMAGES)[:-1], r"\(2, 3, 4\) of uint8 are 24 bytes, and there are 23"),
        (idx(IMAGES) + b"!", "are 24 bytes, and there are more"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "the limit is 1,073,741,824"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "is damaged"),
        (
            gzip.compress(idx(IMAGES), mtime=0)[:20] + b"xxxx" + gzip.compress(idx(IMAGES), mtime=0)[24:],
            "is damaged|is no IDX|there are",
        ),
        (gzip.compress(idx(IMAGES) + bytes(10**7), mtime=0), "there are more"),
    ],
    ids=range(12),
)
def test_idx_files_that_are_none(tmp_path, content, said):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        data.read_idx(path)


def test_idx_has_a_limit(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(idx(IMAGES))
    assert data.read_idx(path, limit=24).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="are 24 bytes; the limit is 23"):
        data.read_idx(path, limit=23)
    with pytest.raises(FileNotFoundError):
        data.read_idx(tmp_path / "nothing")


def test_mnist_files_are_found_in_all_their_names(tmp_path):
    names = [
        "train-images-idx3-ubyte",
        "train-labels.idx1-ubyte.gz",
        "t10k-images.idx3-ubyte",
        "t10k-labels-idx1-ubyte.gz",
    ]
    for name in names:
        array = IMAGES if "images" in name else np.array([3, 4], np.uint8)
        (tmp_path / name).write_bytes(gzip.compress(idx(array)) if name.endswith("gz") else idx(array))
    (x, y), (x_test, _) = data.mnist(tmp_path)
    assert x.dtype == np.float32 and x.max() == np.float32(23 / 255) and y.tolist() == [3, 4] and y.dtype == np.int64
    assert data.mnist(tmp_path, dtype=np.float64)[0][0].dtype == np.float64 and x_test.shape == (2, 3, 4)
    (tmp_path / names[3]).write_bytes(idx(np.array([1], np.uint8)))
    with pytest.raises(ValueError, match=r"t10k has images of shape \(2, 3, 4\) and labels of shape \(1,\)"):
        data.mnist(tmp_path)
    (tmp_path / names[0]).unlink()
    with pytest.raises(FileNotFoundError, match=r"no train-images-idx3-ubyte in it, nor train-images-idx3-ubyte\.gz"):
        data.mnist(tmp_path)


# -------------------------------------------------------------------- CSV

FLOWERS = """length,width,species
5.1,3.5,setosa
4.9, 3.0,"virginica, late"

1e1,-2,setosa
"""


def table(tmp_path, text, *arguments, **keywords):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return data.read_csv(path, *arguments, **keywords)


@pytest.mark.parametrize("target", ["species", 2, -1])
def test_a_table_with_a_target_of_words(tmp_path, target):
    x, y, columns, classes = table(tmp_path, FLOWERS, target)
    np.testing.assert_array_equal(x, [[5.1, 3.5], [4.9, 3.0], [10, -2]])
    assert columns == ["length", "width"] and classes == ["setosa", "virginica, late"]
    np.testing.assert_array_equal(y, [0, 1, 0])
    assert y.dtype == np.int64 and not x.flags.writeable


def test_a_table_of_numbers(tmp_path):
    found = table(tmp_path, "\ufeff1;2\n3;4\n", delimiter=";")
    np.testing.assert_array_equal(found.x, [[1, 2], [3, 4]])
    assert found.y is None and found.columns == ["0", "1"] and found.classes is None
    x, y, columns, classes = table(tmp_path, "a,b\n1,2\n3,4.5\n", "a")
    assert y.tolist() == [1.0, 3.0] and x.tolist() == [[2.0], [4.5]] and columns == ["b"] and classes is None
    assert table(tmp_path, "1,2\n3,4\n", header=True).columns == ["1", "2"]
    assert np.isnan(table(tmp_path, "1,\n,4\n", missing=np.nan).x).sum() == 2


@pytest.mark.parametrize(
    ("text", "keywords", "said"),
    [
        ("a,b\n1,2\n3,x4\n", {}, r"table\.csv, line 3, column 'b': 'x4' is no number"),
        ('a,b\n"1","2"\n\n"3\n","z"\n', {}, r"line 5, column 'b': 'z'"),
        ("1,2\n3\n", {}, "line 2: 1 cells, where 2 are wanted"),
        ("1,2\n3,4,5\n", {}, "line 2: 3 cells"),
        ("a,b\n1,\n", {}, r"line 2, column 'b': an empty cell; missing=np\.nan"),
        ("a,b\n1,2\n", {"target": "c"}, "has no column 'c'; it has a, b"),
        ("1,2\n", {"target": 2}, "has 2 columns, and none with the number 2"),
        ("", {}, "is empty"),
        (" \n\n", {}, "is empty"),
        ("a,b\n", {}, "no line below"),
    ],
)
def test_tables_that_are_none(tmp_path, text, keywords, said):
    with pytest.raises(ValueError, match=said):
        table(tmp_path, text, **keywords)


# -------------------------------------------------------------------- scaling, one-hot


def test_a_standardizer_learns_from_the_training_examples_only():
    rng = np.random.default_rng(0)
    x, other = rng.normal(3, 5, (50, 2, 3)), rng.normal(0, 1, (7, 2, 3))
    x[:, 0, 0] = 4.0  # does not vary
    scale = data.Standardizer().fit(x)
    np.testing.assert_allclose(scale(x).mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scale(x).std(axis=0), np.where(x.std(axis=0) > 0, 1, 0))
    np.testing.assert_allclose(scale(other), (other - scale.mean) / scale.spread)
    np.testing.assert_allclose(scale.undo(scale(other)), other)
    assert data.Standardizer().fit(x.astype(np.float32))(x.astype(np.float32)).dtype == np.float32
    with pytest.raises(RuntimeError, match="learns from the training examples first"):
        data.Standardizer()(x)
    with pytest.raises(ValueError, match="examples are wanted"):
        data.Standardizer().fit(x[:0])


def test_one_hot():
    labels = np.random.default_rng(0).integers(0, 4, (5, 2))
    rows = data.one_hot(labels, 6, np.float32)
    assert rows.shape == (5, 2, 6) and rows.dtype == np.float32 and (rows.sum(axis=-1) == 1).all()
    np.testing.assert_array_equal(rows.argmax(axis=-1), labels)
    assert data.one_hot(np.zeros(0, int)).shape == (0, 0)
    for wrong in ([-1], [3]):
        with pytest.raises(IndexError, match="classes from 0 to 2"):
            data.one_hot(wrong, 3)
    with pytest.raises(TypeError, match="integers are wanted"):
        data.one_hot([1.0])
