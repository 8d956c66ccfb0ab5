"""``python -m nn``: train a net on real or made-up data, and show how it went."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd import Value, draw

from . import data, layers, metrics, report
from .functional import relu
from .losses import cross_entropy, perceptron_loss
from .model import Model
from .optim import SGD, Adam, Optimizer
from .train import History

FORMATS = (".svg", ".png", ".pdf", ".html", ".dot")
MODELS = ("perceptron", "mlp", "cnn", "rnn", "lstm")
POINTS = ("moons", "circles", "spirals", "blobs", "xor")
DATASETS = ("digits", "iris", *POINTS)


class Task(NamedTuple):
    """Examples to learn from and to be judged by."""

    name: str
    title: str
    noun: str
    """Many examples."""
    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    classes: list[str]
    noise: float = 0.0
    """The spread of what is added to the inputs anew each time, against learning by heart."""

    @property
    def thing(self) -> str:
        """One example."""
        return {"digits": "digit drawn", "iris": "species"}.get(self.name, "class")

    def shaped(self, form: str) -> Task:
        """Images with an axis of channels, or as rows, or as plain numbers."""

        def shape(examples: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
            x, y = examples
            if form == "numbers":
                return x.reshape(len(x), -1), y
            return np.asarray(x[:, None] if form == "channels" else x, np.float32), y

        return self._replace(train=shape(self.train), test=shape(self.test))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 if a file could not be read or written, 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        From argparse: code 0 after ``--help``, 2 with a usage line for arguments that make no sense.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    datasets = [word for word in options.words if word in DATASETS] + ["mnist"] * bool(options.mnist)
    models = [word for word in options.words if word in MODELS]
    if len(datasets) > 1 or len(models) > 1:
        parser.error(f"one dataset and one model are wanted, and these are {', '.join(datasets + models)}")
    dataset, kind = (datasets or ["digits"])[0], (models or ["mlp"])[0]
    if kind in ("cnn", "rnn", "lstm") and dataset not in ("digits", "mnist"):
        parser.error(f"{kind} takes images: digits, or those of --mnist; {dataset} has none")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # for terminals without ▁ and ·

    rng = np.random.default_rng(options.seed)
    try:
        task = _mnist(options.mnist) if dataset == "mnist" else _task(dataset, rng)
    except (OSError, ValueError) as error:
        print(f"python -m nn: {error}", file=sys.stderr)
        return 1
    task = task.shaped("channels" if kind == "cnn" else "rows" if kind in ("rnn", "lstm") else "numbers")
    (x, y), test = task.train, task.test
    print(f"{task.title}\n{len(y):,} to learn from, {len(test[1]):,} held out, seed {options.seed}\n")
    plan = _plan(kind, task, [size for sizes in options.hidden for size in sizes], rng)
    model = plan.model
    print(report.summary(model, (x[:1],)), flush=True)

    epochs = options.epochs or plan.epochs
    optimizer, per_epoch = plan.optimizer(model.parameters()), -(-len(y) // 32)
    rate = optimizer.lr

    def noisy(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.asarray(x + rng.normal(0.0, task.noise, x.shape), x.dtype)

    history = model.compile(optimizer, plan.loss, ["accuracy"]).fit(
        x, y, epochs=epochs, validation_data=test, seed=rng, augment=noisy if task.noise else None,
        schedule=lambda step: rate * (1 - step // per_epoch / epochs),
    )  # fmt: skip
    stopped = history.stopped is not None
    if stopped:
        print(f"\nStopped after {len(history)} of {epochs} epochs.")
    if not len(history):
        return 130
    _show(model, history, task)
    out = options.out
    failed = _picture(plan, task, out if out.suffix and not out.is_dir() else out / f"{dataset}-graph.svg")
    return 130 if stopped else failed


# -------------------------------------------------------------------- what is learnt


def _task(name: str, rng: np.random.Generator) -> Task:
    """A dataset of the package."""
    if name == "digits":
        images, labels = data.digits()
        train, test = data.split(images, labels, seed=rng)
        title = "Handwritten digits: 1,797 images of 8 × 8 pixels (E. Alpaydin, C. Kaynak, 1998, UCI; CC BY 4.0)"
        return Task(name, title, "images", train, test, [str(i) for i in range(10)], noise=0.2)
    if name == "iris":
        lengths, species = data.iris()
        train, test = data.split(lengths, species, stratify=species, seed=rng)
        scale = data.Standardizer().fit(train[0])
        title = "Iris: 150 flowers, four lengths of each, three species (R. A. Fisher, 1936, UCI; CC BY 4.0)"
        classes = ["setosa", "versicolor", "virginica"]
        return Task(name, title, "flowers", (scale(train[0]), train[1]), (scale(test[0]), test[1]), classes)
    x, y = {
        "moons": data.moons(400, noise=0.2, seed=rng), "circles": data.circles(400, noise=0.08, seed=rng),
        "spirals": data.spirals(600, seed=rng), "blobs": data.blobs(400, noise=0.3, seed=rng),
        "xor": data.xor(400, noise=0.15, seed=rng),
    }[name]  # fmt: skip
    train, test = data.split(x, y, stratify=y, seed=rng)
    classes = [str(i) for i in range(y.max() + 1)]
    title = f"{name.capitalize()}: {len(y)} points in the plane, {len(classes)} classes"
    return Task(name, title, "points", train, test, classes)


def _mnist(folder: Path) -> Task:
    """The user's own files."""
    train, test = data.mnist(folder)
    sides = " × ".join(str(n) for n in train[0].shape[1:])
    title = f"{folder}: {len(train[1]) + len(test[1]):,} images of {sides} pixels"
    return Task("mnist", title, "images", train, test, [str(i) for i in range(int(train[1].max()) + 1)])


class Plan(NamedTuple):
    """A model, and how it is trained."""

    model: Model
    loss: Callable[[Any, Any], Any]
    optimizer: Callable[[Any], Optimizer]
    epochs: int


def _plan(kind: str, task: Task, hidden: list[int], rng: np.random.Generator) -> Plan:
    """An untrained net, and how to train it: small data often, much data less often."""
    x, classes = task.train[0], len(task.classes)
    new: dict[str, Any] = {"seed": rng, "dtype": x.dtype}
    much = len(x) > 10_000
    if kind == "perceptron":

        def loss(scores: Any, labels: np.ndarray) -> Any:
            return perceptron_loss(scores, 2 * data.one_hot(labels, classes, scores.dtype) - 1)

        return Plan(layers.Sequential(layers.Dense(x.shape[1], classes, **new)), loss, lambda p: SGD(p, lr=1.0), 60)
    if kind == "mlp":
        model: Model = layers.MLP([x.shape[1], *(hidden or [64, 32]), classes], **new)
        return Plan(model, cross_entropy, lambda p: SGD(p, lr=0.05, momentum=0.9), 10 if much else 60)
    if kind == "cnn":
        large = x.shape[-1] >= 20  # then it is LeNet
        channels, kernel, padding = ((6, 16), 5, 0) if large else ((8, 16), 3, "same")
        parts: list[Any] = []
        for n in channels:
            parts += [layers.Conv2d(None, n, kernel, relu, padding=padding, **new), layers.MaxPool2d(2)]
        parts.append(layers.Flatten())
        for n in hidden or ([120, 84] if large else [64]):
            parts.append(layers.Dense(None, n, relu, **new))
        model = layers.Sequential(*parts, layers.Dense(None, classes, **new))
    else:
        layer = {"rnn": layers.RNN, "lstm": layers.LSTM}[kind]
        units, *rest = hidden or [64]
        parts = [layer(x.shape[-1], units, returns="last", **new)]
        parts += [layers.Dense(None, n, relu, **new) for n in rest]
        model = layers.Sequential(*parts, layers.Dense(None, classes, **new))
    return Plan(model, cross_entropy, lambda p: Adam(p, lr=0.003), 3 if much else 15)


# -------------------------------------------------------------------- what is shown


def _show(model: Model, history: History, task: Task) -> None:
    """Print the learning curves, the accuracy, and the confusion matrix."""
    span = f"epochs 1 to {len(history)}" if len(history) > 1 else "epoch 1"
    scale = ", logarithmic scale" if min(history["loss"]) > 0 else ""
    print(f"\nLoss on the training {task.noun}, {span}{scale}\n")
    print(report.plot(history["loss"], log=bool(scale)))
    print(f"\nAccuracy on the held-out {task.noun}, {span}\n")
    print(report.plot([100 * part for part in history["val_accuracy"]], form="{:.1f} %"))

    def classes(x: np.ndarray) -> np.ndarray:
        return np.asarray(model.predict(x).argmax(axis=1))

    x, y = task.test
    predicted = classes(x)
    right = int((predicted == y).sum())
    print(f"\nAccuracy: {100 * metrics.accuracy(predicted, y):.2f} %, {right} of {len(y)} held-out {task.noun}")
    if task.noun == "points":
        print("\nThe plane: a shade for what the net takes it for, and the held-out points with their classes\n")
        print(report.regions(classes, x, y))
    print(f"\nConfusion matrix: a row for each {task.thing}, a column for what it was taken for\n")
    counts = metrics.confusion(predicted, y, classes=len(task.classes))
    print(report.confusion_table(counts, task.classes), flush=True)


def _picture(plan: Plan, task: Task, path: Path) -> int:
    """Write the graph of the loss of four examples, and return the exit code."""
    x, labels = (column[:4] for column in task.train)
    plan.model.zero_grad()
    loss = plan.loss(plan.model(Value(x, label=task.noun, requires_grad=False)), labels)
    loss.label = "loss"
    loss.backward()
    picture, note = draw(loss), ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            picture.save(path)
        except ValueError as error:  # nothing here can draw it
            path = path.with_suffix(".dot")
            note = f"\nThat is text. {error}"
            picture.save(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"python -m nn: the picture could not be written to {path}: {reason}", file=sys.stderr)
        return 1
    print(f"\nThe graph of one loss, of four {task.noun}: {path}{note}")
    return 0


# -------------------------------------------------------------------- arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nn",
        usage="python -m nn [DATASET] [MODEL] [--mnist DIR] [--epochs N] [--hidden N ...] [--seed N] [--out PATH]",
        description="Train a net on real or made-up data, and show how it went.",
        epilog="Ctrl-C stops the training and shows what was reached.",
    )
    parser.add_argument(
        "words",
        nargs="*",
        type=_word,
        metavar="DATASET, MODEL",
        help=f"one of {', '.join(DATASETS)} (digits); one of {', '.join(MODELS)} (mlp); cnn, rnn, lstm take images",
    )
    parser.add_argument(
        "--mnist",
        type=Path,
        metavar="DIR",
        help="a folder with your own files in MNIST's format: train-images-idx3-ubyte and so on, .gz or not",
    )
    parser.add_argument(
        "--epochs",
        type=_epochs,
        metavar="N",
        help="passes through the data (60, or 15 for cnn, rnn and lstm; 10 or 3 of MNIST)",
    )
    parser.add_argument(
        "--hidden", type=_sizes, nargs="+", default=[], metavar="N", help="units in each hidden layer (64 32 in an mlp)"
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="for the split, weights, order, noise (0)")
    parser.add_argument(
        "--out",
        type=_path,
        default=Path(),
        metavar="PATH",
        help=f"folder or file for the picture of a loss's graph: {', '.join(FORMATS)} (DATASET-graph.svg)",
    )
    return parser


def _word(text: str) -> str:
    if text not in DATASETS + MODELS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a dataset ({', '.join(DATASETS)}) nor a model ({', '.join(MODELS)})"
        )
    return text


def _whole(text: str, least: int, most: int, what: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}: a whole number from {least} to {most:,}")
    return number


def _epochs(text: str) -> int:
    return _whole(text, 1, 1_000_000, "a number of epochs")


def _sizes(text: str) -> list[int]:
    """``64`` or ``64,32``."""
    return [_whole(part, 1, 4096, "a number of units") for part in text.split(",")]


def _seed(text: str) -> int:
    return _whole(text, 0, 2**32 - 1, "a seed")


def _path(text: str) -> Path:
    path = Path(text)
    if not path.is_dir() and path.suffix and path.suffix.lower() not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r}: the suffix says the format, one of {', '.join(FORMATS)}")
    return path


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of the output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
