"""Engines in processes of their own, timed in turn, and the ratios of their times."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .rows import Row

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
HIPS = "CHAINRULE_HIPS_PYTHON"
LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")


class Engine(NamedTuple):
    title: str
    module: str
    imports: str


ENGINES = {
    "ours": Engine("ours", "ours", "autograd"),
    "compiled": Engine("compiled", "ours_compiled", "autograd"),
    "numpy": Engine("NumPy", "plain_numpy", "numpy"),
    "numpy.out": Engine("NumPy out=", "numpy_in_place", "numpy"),
    "micrograd": Engine("micrograd", "with_micrograd", "micrograd.nn"),
    "mygrad": Engine("MyGrad", "with_mygrad", "mygrad"),
    "torch": Engine("PyTorch", "with_torch", "torch"),
    "torch.quick": Engine("PyTorch quick", "with_torch_quick", "torch"),
    "torch.nn": Engine("torch.nn", "with_torch_nn", "torch.nn"),
    "torch.compile": Engine("torch.compile", "with_torch_compile", "torch"),
    "jax": Engine("jax.jit", "with_jax", "jax"),
    "hips": Engine("HIPS", "with_hips", "autograd"),
}
FORMS = ("compiled", "numpy.out", "torch.quick", "torch.nn", "torch.compile")
"""Other ways to use what another engine imports."""
COMPILERS = ("compiled", "torch.compile")
"""Only in the rows of compiled steps."""


class FailedError(Exception):
    """What a child could not do, in a word; empty if it is not meant to."""


def interpreter(name: str) -> str:
    """The Python that runs an engine: this one, but for HIPS autograd."""
    if name != "hips":
        return sys.executable
    given = os.environ.get(HIPS)
    for path in [Path(given)] if given else [ROOT / ".venv-hips/bin/python", ROOT / ".venv-hips/Scripts/python.exe"]:
        if path.exists():
            return str(path)
    raise FailedError(
        f"no environment of its own. Make one: `python -m venv .venv-hips && .venv-hips/bin/pip install autograd`, "
        f"or set {HIPS} to its interpreter"
    )


def environment(name: str, threads: str) -> dict[str, str]:
    """The environment variables of a child: its path, and one thread or the machine's own number."""
    env = {key: value for key, value in os.environ.items() if key not in (*LIMITS, "PYTHONPATH", "XLA_FLAGS")}
    if name != "hips":
        env["PYTHONPATH"] = str(ROOT)
    env["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # the first call is what it is for who has no cache yet
    if threads == "1":
        env |= dict.fromkeys(LIMITS, "1")
        env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return env


class Child:
    """An engine's process; see child.py."""

    def __init__(self, name: str, threads: str = "1", module: str | None = None):
        self.name = name
        self.process = subprocess.Popen(
            [interpreter(name), str(HERE / "child.py"), module or ENGINES[name].module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment(name, threads), cwd=HERE,
        )  # fmt: skip
        if threads == "1" and hasattr(os, "sched_setaffinity"):  # JAX takes a second thread if it can
            os.sched_setaffinity(self.process.pid, {max(os.sched_getaffinity(0))})
        try:
            self.version = self._answer()
        except FailedError:
            self.close()
            raise

    def ask(self, command: str, *args: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([command, *args]) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise FailedError("crashed")
        answer = json.loads(line)
        if "failed" in answer:
            raise FailedError(answer["failed"])
        return answer["value"]

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def start(names: Sequence[str], threads: str) -> tuple[dict[str, Child], dict[str, str]]:
    """The children that could be started, and why the others could not."""
    children, missing = {}, {}
    for name in names:
        try:
            children[name] = Child(name, threads)
        except FailedError as error:
            missing[name] = str(error)
    return children, missing


def agree(numbers: Sequence[float], others: Sequence[float], tolerance: float = 1e-8) -> bool:
    return len(numbers) == len(others) and all(
        math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance) for a, b in zip(numbers, others, strict=True)
    )


def time_row(row: Row, children: dict[str, Child], rounds: int) -> dict[str, Any]:
    """For each engine its seconds a step (or a node), one for each round; or a word why there are none.

    All engines begin from the same numbers; whose losses and parameters after some steps are not ours to the row's
    tolerance is not timed. A round runs every engine for about 20 ms, beginning with another one each time.
    """
    answer: dict[str, Any] = {}
    steps, times, ours = {}, {}, None
    for name, child in children.items():
        if name in row.skip:
            continue
        try:
            numbers = child.ask("prepare", row.kind, row.args)
        except FailedError as error:
            if str(error):
                answer[name] = str(error)
            continue
        if name == "ours":
            ours = numbers
        if ours is not None and not agree(numbers, ours, row.tolerance):
            answer[name] = "differs"
            continue
        child.ask("run", 1)
        once = child.ask("run", 1)
        steps[name] = max(1, round(0.02 / once))
        if once > 0.1:
            rounds = min(rounds, 5)
        times[name] = []
    order = list(times)
    for turn in range(rounds):
        k = turn % len(order)
        for name in order[k:] + order[:k]:
            seconds = children[name].ask("run", steps[name])
            times[name].append(seconds / steps[name] / (row.nodes or 1))
    return answer | times


def import_seconds(name: str, cache: str) -> float:
    """Seconds that the import statement takes in a fresh interpreter, with bytecode in the folder `cache`."""
    code = (
        "import sys, time; start = time.perf_counter()\n"
        f"import {ENGINES[name].imports}\n"
        "print(time.perf_counter() - start)"
    )
    env = environment(name, "1") | {"PYTHONPYCACHEPREFIX": cache}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run([interpreter(name), "-P", "-c", code], env=env, capture_output=True, text=True, cwd=HERE)
    if done.returncode:
        raise FailedError("not installed")
    return float(done.stdout.split()[-1])


def time_imports(names: Sequence[str], rounds: int) -> dict[str, Any]:
    """As `time_row`, for the imports; the first, which compiles all, does not count."""
    answer: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as cache:
        for turn in range(rounds + 1):
            for name in names:
                try:
                    seconds = import_seconds(name, cache)
                except FailedError as error:
                    answer[name] = str(error)
                    continue
                if turn:
                    answer.setdefault(name, []).append(seconds)
    return answer


def ask_each(names: Sequence[str], command: str, *args: Any) -> dict[str, Any]:
    """What a fresh child of each engine answers."""
    answer: dict[str, Any] = {}
    for name in names:
        try:
            child = Child(name)
        except FailedError:
            continue
        try:
            answer[name] = child.ask(command, *args)
        except FailedError as error:
            if str(error):
                answer[name] = str(error)
        finally:
            child.close()
    return answer


def time_first_calls(row: Row, names: Sequence[str], rounds: int) -> dict[str, Any]:
    """For each engine, seconds of the first call and of all first ones, in a fresh process each round."""
    answer: dict[str, Any] = {}
    for name in names:
        for _ in range(rounds):
            taken = ask_each([name], "first_calls", row.kind, row.args).get(name)
            if not isinstance(taken, list):
                if taken:
                    answer[name] = taken
                break
            answer.setdefault(name, []).append(taken)
            if taken[0] > 2:
                break  # so long that once will do
    return answer


def ratios(times: dict[str, Any], over: str, under: str = "ours") -> list[float] | None:
    """`under` divided by `over`, round by round."""
    a, b = times.get(under), times.get(over)
    if not isinstance(a, list) or not isinstance(b, list):
        return None
    return [x / y for x, y in zip(a, b, strict=False)]


def median(numbers: Sequence[float]) -> float:
    return statistics.median(numbers)


def quartiles(numbers: Sequence[float]) -> tuple[float, float]:
    if len(numbers) < 2:
        return numbers[0], numbers[0]
    low, _, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return low, high
