"""Data: real and made-up examples, files, splitting, scaling, and batches.

    images, labels = data.digits()
    train, test = data.split(images, labels, held_out=0.25, seed=0)
    for x, y in data.batches(*train, size=32, seed=0):
        ...

All arrays that come from here are read-only, which lets a Value take them without a copy.
"""

from __future__ import annotations

import csv
import gzip
import math
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from autograd import as_array

from .arrays import computed, is_array, is_lazy
from .init import Seed, generator

A = TypeVar("A")

__all__ = [
    "Standardizer", "Table", "batches", "blobs", "circles", "digits", "iris", "mnist", "moons", "one_hot", "read_csv",
    "read_idx", "sines", "spirals", "split", "xor",
]  # fmt: skip

Examples = tuple[np.ndarray, np.ndarray]

# -------------------------------------------------------------------- real ones


def digits(dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits as images of 8 x 8 pixels, and which digits they are.

    Parameters
    ----------
    dtype : float32 or float64
        Of the images.

    Returns
    -------
    images : array of `dtype`, shape (1797, 8, 8), read-only
        From 0, paper, to 1, ink: how many of 16 black and white pixels were black, divided by 16.
        ``images.reshape(-1, 64)`` has an image a row.
    labels : array of int, shape (1797,), read-only
        The digits, 0 to 9, some 180 of each.

    Raises
    ------
    TypeError
        If `dtype` is not of floating numbers.

    References
    ----------
    E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (1998), UCI Machine Learning Repository,
    https://doi.org/10.24432/C50P49. Licensed under CC BY 4.0, https://creativecommons.org/licenses/by/4.0/.
    This is the test set, written by 13 people; unchanged, but for storage as a compressed array.

    Examples
    --------
    >>> from nn import data
    >>> images, labels = data.digits()
    >>> images.shape, images.min(), images.max()
    ((1797, 8, 8), np.float64(0.0), np.float64(1.0))
    >>> labels[:10]
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"digits(dtype={np.dtype(dtype)}): images are floating numbers, float32 or float64.")
    with files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
        images, labels = stored["images"].astype(dtype) / 16, stored["labels"].astype(np.int64)
    return _frozen(images), _frozen(labels)


def iris(dtype: Any = np.float64) -> Examples:
    """150 iris flowers: four lengths of each, and of which of three species it is.

    Parameters
    ----------
    dtype : float32 or float64
        Of the lengths.

    Returns
    -------
    lengths : array of `dtype`, shape (150, 4), read-only
        Of the sepal and its width, of the petal and its width, in centimetres.
    species : array of int, shape (150,), read-only
        0 Iris setosa, 1 Iris versicolor, 2 Iris virginica, 50 of each, in this order.

    Raises
    ------
    TypeError
        If `dtype` is not of floating numbers.

    References
    ----------
    R. A. Fisher: The use of multiple measurements in taxonomic problems (Annals of Eugenics 7, 1936), by way of the UCI
    Machine Learning Repository, https://doi.org/10.24432/C56C76. Licensed under CC BY 4.0,
    https://creativecommons.org/licenses/by/4.0/. Two flowers that differ there from the paper are as in the paper.

    Examples
    --------
    >>> from nn import data
    >>> lengths, species = data.iris()
    >>> lengths[0], species[0]
    (array([5.1, 3.5, 1.4, 0.2]), np.int64(0))
    """
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"iris(dtype={np.dtype(dtype)}): lengths are floating numbers, float32 or float64.")
    with files(__package__).joinpath("iris.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
        lengths, species = (stored["millimetres"] / 10).astype(dtype), stored["species"].astype(np.int64)
    return _frozen(lengths), _frozen(species)


def mnist(folder: str | os.PathLike[str], dtype: Any = np.float32) -> tuple[Examples, Examples]:
    """The MNIST files that you have, or others in their form, such as Fashion-MNIST.

    Parameters
    ----------
    folder : path
        Where ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte`` are; each may end in ``.gz``.
    dtype : float32 or float64
        Of the images.

    Returns
    -------
    train, test : (images, labels)
        Images of shape (n, 28, 28), from 0 to 1; labels of integers, shape (n,).

    Raises
    ------
    FileNotFoundError
        If one of the files is not there.
    ValueError
        If one is damaged, or images and labels are not as many.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition (Proc. IEEE 86, 1998).
    """

    def part(name: str) -> np.ndarray:
        for form in (name, name.replace("-idx", ".idx")):
            for path in (Path(folder, form), Path(folder, form + ".gz")):
                if path.exists():
                    return read_idx(path)
        raise FileNotFoundError(f"mnist({os.fspath(folder)!r}): there is no {name} in it, nor {name}.gz.")

    def pair(start: str) -> Examples:
        images, labels = part(f"{start}-images-idx3-ubyte"), part(f"{start}-labels-idx1-ubyte")
        if images.ndim != 3 or labels.shape != images.shape[:1] or images.dtype != np.uint8:
            raise ValueError(
                f"mnist({os.fspath(folder)!r}): {start} has images of shape {images.shape} and labels of shape "
                f"{labels.shape}; (n, rows, columns) and (n,) are wanted."
            )
        return _frozen(np.divide(images, 255, dtype=dtype)), _frozen(labels.astype(np.int64))

    return pair("train"), pair("t10k")


# -------------------------------------------------------------------- made-up ones


def moons(n: int = 200, noise: float = 0.1, seed: Seed = None) -> Examples:
    """Two half circles that reach into each other, a class each.

    Parameters
    ----------
    n : int, at least 1
        How many points.
    noise : float, at least 0
        The standard deviation of the noise on both coordinates.
    seed : int or Generator, optional

    Returns
    -------
    x : array, shape (n, 2), read-only
    y : array of int, shape (n,), read-only
        0 and 1, in turns.

    Raises
    ------
    ValueError
        If `n` is not a positive whole number, or `noise` is negative.

    Examples
    --------
    >>> from nn import data
    >>> x, y = data.moons(100, seed=0)
    >>> x.shape, y[:4]
    ((100, 2), array([0, 1, 0, 1]))
    """
    rng, y = _begin("moons", n, noise, 2, seed)
    angle = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _noisy(np.where(y[:, None] == 0, upper, [1.0, 0.5] - upper), y, noise, rng)


def circles(n: int = 200, noise: float = 0.05, factor: float = 0.5, seed: Seed = None) -> Examples:
    """A circle of radius 1 and one inside, of radius `factor`. The rest is as for `moons`.

    Examples
    --------
    >>> from nn import data
    >>> x, y = data.circles(100, noise=0, seed=0)
    >>> float((x[y == 1] ** 2).sum(axis=1).max().round(6))
    0.25
    """
    rng, y = _begin("circles", n, noise, 2, seed)
    if not 0 < factor < 1:
        raise ValueError(f"circles(factor={factor!r}): a number between 0 and 1 is wanted.")
    angle = rng.uniform(0, 2 * np.pi, n)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _noisy(np.where(y[:, None] == 0, 1.0, factor) * points, y, noise, rng)


def spirals(n: int = 300, classes: int = 3, noise: float = 0.02, seed: Seed = None) -> Examples:
    """Arms that wind around the origin, a class each, from radius 0 to 1. The rest is as for `moons`.

    Examples
    --------
    >>> from nn import data
    >>> x, y = data.spirals(90, classes=3, seed=0)
    >>> x.shape, y[:4]
    ((90, 2), array([0, 1, 2, 0]))
    """
    rng, y = _begin("spirals", n, noise, classes, seed)
    radius = np.sqrt(rng.uniform(0.01, 1, n))
    angle = 1.5 * np.pi * radius + 2 * np.pi * y / classes
    return _noisy(radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y, noise, rng)


def blobs(n: int = 300, classes: int = 3, noise: float = 0.3, seed: Seed = None) -> Examples:
    """Round clouds of points, a class each, their centres on a circle of radius 1. The rest is as for `moons`.

    Examples
    --------
    >>> from nn import data
    >>> x, y = data.blobs(300, classes=4, noise=0, seed=0)
    >>> x[y == 1][0].round(6)
    array([0., 1.])
    """
    rng, y = _begin("blobs", n, noise, classes, seed)
    angle = 2 * np.pi * y / classes
    return _noisy(np.stack([np.cos(angle), np.sin(angle)], axis=1), y, noise, rng)


def xor(n: int = 4, noise: float = 0.0, seed: Seed = None) -> Examples:
    """The corners (0, 0), (0, 1), (1, 0), (1, 1) in turns, and whether just one of the two is 1. As `moons` else.

    Examples
    --------
    >>> from nn import data
    >>> data.xor()
    (array([[0., 0.],
           [0., 1.],
           [1., 0.],
           [1., 1.]]), array([0, 1, 1, 0]))
    """
    rng, corner = _begin("xor", n, noise, 4, seed)
    return _noisy(np.stack([corner // 2, corner % 2], axis=1).astype(float), (corner // 2) ^ (corner % 2), noise, rng)


def sines(n: int = 200, length: int = 20, noise: float = 0.0, seed: Seed = None) -> Examples:
    """Pieces of sine waves of several frequencies and phases, and how each goes on: for recurrent nets.

    Parameters
    ----------
    n : int, at least 1
        How many series.
    length : int, at least 1
        How many numbers each has.
    noise : float, at least 0
        The standard deviation of the noise on all numbers.
    seed : int or Generator, optional

    Returns
    -------
    x : array, shape (n, length, 1), read-only
        Of periods between 8 and 25 steps.
    y : array, shape (n, 1), read-only
        The number that comes next.

    Raises
    ------
    ValueError
        If `n` or `length` is not a positive whole number, or `noise` is negative.

    Examples
    --------
    >>> from nn import data
    >>> x, y = data.sines(5, length=12, seed=0)
    >>> x.shape, y.shape
    ((5, 12, 1), (5, 1))
    """
    rng, _ = _begin("sines", n, noise, 1, seed)
    if not isinstance(length, int | np.integer) or length < 1:
        raise ValueError(f"sines(length={length!r}): a positive whole number is wanted.")
    pace, phase = rng.uniform(0.25, 0.8, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
    wave = np.sin(pace * np.arange(length + 1) + phase)
    wave += noise * rng.standard_normal(wave.shape)
    return _frozen(wave[:, :-1, None].copy()), _frozen(wave[:, -1:].copy())


def _begin(name: str, n: int, noise: float, classes: int, seed: Seed) -> tuple[np.random.Generator, np.ndarray]:
    """A generator, and classes in turns."""
    for what, number in (("n", n), ("classes", classes)):
        if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < 1:
            raise ValueError(f"{name}({what}={number!r}): a positive whole number is wanted.")
    if not 0 <= noise < math.inf:
        raise ValueError(f"{name}(noise={noise!r}): a standard deviation, at least 0, is wanted.")
    return np.random.default_rng(seed), np.arange(n) % classes


def _noisy(x: np.ndarray, y: np.ndarray, noise: float, rng: np.random.Generator) -> Examples:
    return _frozen(x + noise * rng.standard_normal(x.shape)), _frozen(y)


# -------------------------------------------------------------------- files


def read_idx(path: str | os.PathLike[str], limit: int = 1 << 30) -> np.ndarray:
    """An array from a file in the IDX format, in which MNIST comes.

    Parameters
    ----------
    path : path
        Also of a compressed file, whatever its name.
    limit : int
        Of how many bytes the array may be.

    Returns
    -------
    array, read-only
        In the file's shape and type of numbers.

    Raises
    ------
    ValueError
        If the file is no IDX file, is damaged, too short or too long, or above `limit`.
    OSError
        If it cannot be read.

    References
    ----------
    LeCun, Cortes, Burges: The MNIST database of handwritten digits, "File formats": two zero bytes, a byte for the
    type, one for the number of axes, four for the length of each, most significant first; then the numbers.
    """
    kinds = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
    name = os.fspath(path)
    with open(path, "rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        file: Any = gzip.GzipFile(fileobj=plain) if packed else plain
        try:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in kinds:
                raise ValueError(f"{name} is no IDX file: it begins with {head!r}.")
            sizes = file.read(4 * head[3])
            if len(sizes) < 4 * head[3] or not head[3]:
                raise ValueError(f"{name} is no IDX file: it ends in its header.")
            shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
            kind = np.dtype(kinds[head[2]])
            size = math.prod(shape) * kind.itemsize
            if size > limit:
                raise ValueError(f"{name}: {shape} of {kind} are {size:,} bytes; the limit is {limit:,}.")
            content = file.read(size + 1)
        except (EOFError, gzip.BadGzipFile, gzip.zlib.error) as error:  # type: ignore[attr-defined]
            raise ValueError(f"{name} is damaged: {error}") from None
    if len(content) != size:
        many = "more" if len(content) > size else f"{len(content):,}"
        raise ValueError(f"{name}: {shape} of {kind} are {size:,} bytes, and there are {many}.")
    return _frozen(np.frombuffer(content, kind).reshape(shape).astype(kind.newbyteorder("="), copy=False))


class Table(NamedTuple):
    """What `read_csv` gives."""

    x: np.ndarray
    """The numbers, shape (n, columns)."""
    y: np.ndarray | None
    """The target: numbers, or class indices where the file has words; shape (n,)."""
    columns: list[str]
    """The names of the columns of `x`; their numbers, from 0 on, in a file without names."""
    classes: list[str] | None
    """The words of the target, in the order of their indices."""


def read_csv(
    path: str | os.PathLike[str],
    target: str | int | None = None,
    *,
    delimiter: str = ",",
    header: bool | None = None,
    missing: float | None = None,
) -> Table:
    """A table of numbers from a text file.

    Parameters
    ----------
    path : path
        Of a file in UTF-8.
    target : str or int, optional
        The name or the number of the column that is to be predicted. If it holds words, they become class indices, in
        alphabetical order.
    delimiter : str
        What stands between two cells.
    header : bool, optional
        Whether the first line has names. Default: it has if a cell of it, other than the target's, is no number.
    missing : float, optional
        What stands for an empty cell, such as ``np.nan``. Default: an empty cell is an error.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If a cell is no number, or a line has more or fewer cells than the first: it names the line and the column. Or
        if the target is no column, or there are no lines.
    OSError
        If the file cannot be read.
    """
    name = os.fspath(path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    if not lines:
        raise ValueError(f"{name} is empty.")
    first = lines[0][1]
    if isinstance(target, int) and not -len(first) <= target < len(first):
        raise ValueError(f"{name} has {len(first)} columns, and none with the number {target}.")
    place = target % len(first) if isinstance(target, int) else None
    if header is None:
        header = isinstance(target, str) or any(
            i != place and cell and _number(cell) is None for i, cell in enumerate(first)
        )
    names = first if header else [str(i) for i in range(len(first))]
    lines = lines[1:] if header else lines
    if isinstance(target, str):
        if target not in names:
            raise ValueError(f"{name} has no column {target!r}; it has {', '.join(names)}.")
        place = names.index(target)
    if not lines:
        raise ValueError(f"{name} has names, and no line below them.")
    words = [row[place] for _, row in lines if len(row) > place] if place is not None else []
    worded = any(_number(word) is None for word in words if word)
    classes = sorted(set(words)) if worded else None
    x = np.empty((len(lines), len(names)))
    for i, (line, row) in enumerate(lines):
        if len(row) != len(names):
            raise ValueError(f"{name}, line {line}: {len(row)} cells, where {len(names)} are wanted.")
        for j, cell in enumerate(row):
            number = classes.index(cell) if classes and j == place else _number(cell) if cell else missing
            if number is None:
                what = f"{cell!r:.40} is no number" if cell else "an empty cell; missing=np.nan lets it pass"
                raise ValueError(f"{name}, line {line}, column {names[j]!r}: {what}.")
            x[i, j] = number
    if place is None:
        return Table(_frozen(x), None, names, None)
    y = x[:, place].astype(np.int64) if classes else x[:, place].copy()
    rest = np.delete(x, place, axis=1)
    return Table(_frozen(rest), _frozen(y), [n for i, n in enumerate(names) if i != place], classes)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


# -------------------------------------------------------------------- what is done with them


class Standardizer:
    r"""Scaling to mean 0 and standard deviation 1, :math:`(x - \mu) / \sigma`, learnt from the training examples.

    Attributes
    ----------
    mean, spread : array
        Of each feature; the spread of one that does not vary counts as 1.

    Examples
    --------
    >>> from nn import data
    >>> train, test = data.split(*data.iris(), seed=0)
    >>> scale = data.Standardizer().fit(train[0])
    >>> x, x_test = scale(train[0]), scale(test[0])
    >>> bool(abs(x.mean(axis=0)).max() < 1e-12), x.std(axis=0).round(6)
    (True, array([1., 1., 1., 1.]))
    """

    mean: np.ndarray | None = None
    spread: np.ndarray | None = None

    def fit(self, x: Any) -> Self:
        """Learn means and spreads.

        Parameters
        ----------
        x : array, shape (n, ...)
            Of an array of Dask, the chunks are gone through once.

        Returns
        -------
        Standardizer
            This one.

        Raises
        ------
        ValueError
            If there are no examples.
        """
        x = _kept(x)
        if not x.ndim or not len(x):
            raise ValueError(f"Standardizer.fit(x): x has shape {x.shape}, and examples are wanted.")
        self.mean, spread = computed(x.mean(axis=0), x.std(axis=0))
        self.spread = np.where(spread > 0, spread, np.ones_like(spread))
        return self

    def __call__(self, x: Any) -> np.ndarray:
        """The examples, scaled.

        Parameters
        ----------
        x : array, shape (n, ...)

        Returns
        -------
        array of the same shape, read-only
            Of an array of Dask it is one, too.

        Raises
        ------
        RuntimeError
            Before `fit`.
        """
        mean, spread = self._learnt()
        return _frozen(_kept((_kept(x) - mean) / spread))

    def undo(self, x: Any) -> np.ndarray:
        """The examples as they were before they were scaled."""
        mean, spread = self._learnt()
        return _frozen(_kept(_kept(x) * spread + mean))

    def _learnt(self) -> tuple[np.ndarray, np.ndarray]:
        if self.mean is None or self.spread is None:
            raise RuntimeError("A Standardizer learns from the training examples first: Standardizer().fit(x_train).")
        return self.mean, self.spread


def one_hot(labels: Any, classes: int | None = None, dtype: Any = np.float64) -> np.ndarray:
    """A row for each label, 0 but for a 1 in its column.

    Parameters
    ----------
    labels : array of integers, any shape
    classes : int, optional
        Default: one more than the largest label.
    dtype : data type

    Returns
    -------
    array of `dtype`, shape (..., classes), read-only
        Of an array of Dask it is one, too, and a label that is no class gives a row of NaN, as it is not asked.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If the labels are lazy, and `classes` is not given.
    IndexError
        If a label is no class.

    Examples
    --------
    >>> from nn import data
    >>> data.one_hot([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    labels = _kept(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"one_hot: labels of dtype {labels.dtype}; integers are wanted.")
    if is_lazy(labels):
        if classes is None:
            raise ValueError("one_hot of a lazy array: say how many classes there are, as in one_hot(labels, 10).")
        each = labels[..., None]
        hot = (each == np.arange(classes)).astype(dtype)
        return hot if hot.dtype.kind != "f" else np.where((each >= 0) & (each < classes), hot, hot.dtype.type(np.nan))  # type: ignore
    classes = int(labels.max(initial=-1)) + 1 if classes is None else classes
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise IndexError(
            f"one_hot: labels go from {labels.min()} to {labels.max()}, and classes from 0 to {classes - 1}."
        )
    return _frozen((labels[..., None] == np.arange(classes)).astype(dtype))


def split(
    *arrays: Any, held_out: float = 0.25, stratify: Any = None, seed: Seed = None
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Deal the examples out at random into those to learn from and those to be judged by.

    Parameters
    ----------
    *arrays : array, shape (n, ...)
        Images and labels, say: of the same length, and shuffled alike.
    held_out : float, between 0 and 1
        The fraction to keep for judging; at least one example falls on each side.
    stratify : array of labels, shape (n,), optional
        Deal out each class by itself, so that both sides have the same share of it, up to one example.
    seed : int or Generator, optional

    Returns
    -------
    train, test : tuple of array
        Each with a part of every array, in their order, read-only.

    Raises
    ------
    ValueError
        If there are no arrays, their lengths differ, there are fewer than two examples, or `held_out` is not
        strictly between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import data
    >>> (x, y), (x_test, y_test) = data.split(np.eye(8), np.arange(8), held_out=0.25, seed=0)
    >>> x.shape, x_test.shape
    ((6, 8), (2, 8))
    """
    n = _length("split", arrays if stratify is None else (*arrays, stratify))
    if n < 2:
        raise ValueError(f"split: {n} examples cannot be split; it takes two.")
    if not 0 < held_out < 1:
        raise ValueError(f"split(held_out={held_out!r}): it is a fraction between 0 and 1.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    kept = min(max(round(n * held_out), 1), n - 1)
    if stratify is not None:
        # Number each class's examples, as they come in the random order, by (k + a half) / size: the first `kept`
        # of all by this number hold each class in its share.
        labels = np.unique(np.asarray(stratify), return_inverse=True)[1].ravel()[order]
        sizes = np.bincount(labels)
        by_class = np.argsort(labels, kind="stable")
        rank = np.empty(n)
        rank[by_class] = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        order = order[np.argsort((rank + 0.5) / sizes[labels], kind="stable")]
        order = np.concatenate([rng.permutation(order[:kept]), rng.permutation(order[kept:])])
    return (
        tuple(_frozen(as_array(array)[order[kept:]]) for array in arrays),
        tuple(_frozen(as_array(array)[order[:kept]]) for array in arrays),
    )


def batches(*arrays: Any, size: int = 32, shuffle: bool = True, seed: Seed = None) -> Iterator[tuple[np.ndarray, ...]]:
    """All examples once, a few at a time: one epoch.

    Parameters
    ----------
    *arrays : array, shape (n, ...)
        Of the same length. Of an array of Dask, a chunk is computed at a time.
    size : int, at least 1
        How many examples a batch has; the last one has what is left.
    shuffle : bool
        Whether to go through the examples in random order; those of Dask through the chunks, and in each of these.
    seed : int or Generator, optional
        For the order. A Generator gives another one each epoch.

    Returns
    -------
    iterator of tuple of array
        Read-only arrays, which a Value takes without a copy.

    Raises
    ------
    ValueError
        If there are no arrays, their lengths differ, or `size` is not a positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import data
    >>> [x.tolist() for (x,) in data.batches(np.arange(5), size=2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    """
    n = _length("batches", arrays)
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"batches(size={size!r}): a batch has a positive whole number of examples.")
    columns = [as_array(array) for array in arrays]
    if any(map(is_lazy, columns)):
        return _of_chunks(columns, n, size, generator(seed) if shuffle else None)
    order = generator(seed).permutation(n) if shuffle else np.arange(n)
    return (tuple([_frozen(column[order[start : start + size]]) for column in columns]) for start in range(0, n, size))


def _of_chunks(
    columns: list[Any], n: int, size: int, random: np.random.Generator | None
) -> Iterator[tuple[np.ndarray, ...]]:
    """The same of lazy arrays, of which a chunk is there at a time: in another order, and shuffled in itself."""
    lengths = next(column.chunks[0] for column in columns if is_lazy(column))
    starts = np.cumsum([0, *lengths])
    left: list[Any] = []
    for chunk in range(len(lengths)) if random is None else random.permutation(len(lengths)):
        part = computed(*(column[starts[chunk] : starts[chunk + 1]] for column in columns))
        order = np.arange(lengths[chunk]) if random is None else random.permutation(lengths[chunk])
        part = tuple([column[order] for column in part])
        left = [np.concatenate(two) for two in zip(left, part, strict=True)] if left else list(part)
        while len(left[0]) >= size:
            yield tuple([_frozen(column[:size].copy()) for column in left])
            left = [column[size:] for column in left]
    if left and len(left[0]):
        yield tuple(map(_frozen, left))


def _length(name: str, arrays: tuple[Any, ...]) -> int:
    for array in arrays:
        if not np.ndim(array):
            raise ValueError(
                f"{name} got {array!r} among the arrays; what is not an array goes by its name, as in size=32."
            )
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) != 1:
        raise ValueError(f"{name}: arrays of the same length are wanted, and got lengths {lengths}.")
    return lengths[0]


def _kept(x: Any) -> Any:
    """An array of another library as it is; anything else as one of NumPy's."""
    return x if is_array(x) and not isinstance(x, np.ndarray) else np.asarray(x)


def _frozen(array: A) -> A:
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    return array
