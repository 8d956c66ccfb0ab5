"""``python -m nn``: train a multilayer perceptron to read handwritten digits, and show how it went."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from autograd import Value, draw

from . import data, metrics, report
from .layers import MLP
from .losses import cross_entropy
from .module import Module
from .optim import SGD
from .train import Epoch, fit, predict

PICTURE = "digits-graph.svg"
FORMATS = (".svg", ".png", ".pdf", ".html", ".dot")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 if the picture could not be written, 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        From argparse: code 0 after ``--help``, 2 with a usage line for arguments that make no sense.
    """
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # for terminals without ▁ and ·

    images, labels = data.digits()
    rng = np.random.default_rng(options.seed)
    train, test = data.split(images.reshape(-1, 64), labels, held_out=0.25, seed=rng)
    print("Handwritten digits: 1,797 images of 8 × 8 pixels (E. Alpaydin, C. Kaynak, 1998, UCI; CC BY 4.0)")
    print(f"{len(train[1]):,} to learn from, {len(test[1])} held out, seed {options.seed}\n")
    model = MLP([64, *(size for sizes in options.hidden for size in sizes), 10], seed=rng)
    print(report.layer_table(model, (64,)), flush=True)

    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    epochs: list[Epoch] = []
    stopped = False
    try:
        # Quiet where no terminal is; a terminal that does not know its size counts as 80 by 24.
        columns, lines = shutil.get_terminal_size()
        with tqdm(
            total=options.epochs, desc="training", unit="epoch", disable=None, ncols=min(columns, 100), nrows=lines
        ) as bar:
            for epoch in fit(model, train, test, optimizer, epochs=options.epochs, noise=0.2, seed=rng):
                epochs.append(epoch)
                bar.set_postfix_str(f"loss {epoch.loss:.3f}, held out {epoch.accuracy:.1%}", refresh=False)
                bar.update()
    except KeyboardInterrupt:
        stopped = True
        print(f"\nStopped after {len(epochs)} of {options.epochs} epochs.")
    if not epochs:
        return 130
    _show(model, epochs, test)
    failed = _picture(model, train, options.out)
    return 130 if stopped else failed


def _show(model: Module, epochs: list[Epoch], test: tuple[np.ndarray, np.ndarray]) -> None:
    """Print the learning curves, the accuracy and the confusion matrix."""
    span = f"epochs 1 to {len(epochs)}" if len(epochs) > 1 else "epoch 1"
    print(f"\nLoss on the training images, {span}, logarithmic scale\n")
    print(report.plot([epoch.loss for epoch in epochs], log=True))
    print(f"\nAccuracy on the held-out images, {span}\n")
    print(report.plot([100 * epoch.accuracy for epoch in epochs], form="{:.1f} %"))
    predicted = predict(model, test[0])
    right = int((predicted == test[1]).sum())
    print(f"\nAccuracy: {100 * metrics.accuracy(predicted, test[1]):.2f} %, {right} of {len(test[1])} held-out images")
    print("\nConfusion matrix: a row for each digit drawn, a column for what it was taken for\n")
    print(report.confusion_table(metrics.confusion(predicted, test[1], classes=10)), flush=True)


def _picture(model: Module, train: tuple[np.ndarray, np.ndarray], out: Path) -> int:
    """Write the graph of the loss of four images to `out`, and return the exit code."""
    x, labels = (column[:4] for column in train)
    model.zero_grad()
    loss = cross_entropy(model(Value(x, label="images", requires_grad=False)), labels)
    loss.label = "loss"
    loss.backward()
    path, picture, note = out if out.suffix else out / PICTURE, draw(loss), ""
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
    print(f"\nThe graph of one loss, of four images: {path}{note}")
    return 0


# -------------------------------------------------------------------- arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nn",
        description="Train a multilayer perceptron to read handwritten digits, and show how it went.",
        epilog="Ctrl-C stops the training and shows what was reached.",
    )
    parser.add_argument("--epochs", type=_epochs, default=60, metavar="N", help="passes through the images (60)")
    parser.add_argument(
        "--hidden", type=_sizes, nargs="+", default=[[64, 32]], metavar="N", help="units in each hidden layer (64 32)"
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="for the split, weights, order, noise (0)")
    parser.add_argument(
        "--out",
        type=_path,
        default=Path(PICTURE),
        metavar="PATH",
        help=f"folder or file for the picture of a loss's graph: {', '.join(FORMATS)} ({PICTURE})",
    )
    return parser


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
    if path.is_dir():
        return path / PICTURE
    if path.suffix and path.suffix.lower() not in FORMATS:
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
