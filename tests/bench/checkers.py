"""Checkers of derivatives beside each other, on the same rules: ``python -m tests.bench.checkers``.

Each checker gets every wrong rule and every right one of rules.py, in a process of its own, wrapped as a custom
operation of its engine. It should refuse the first kind and pass the second.
"""

from __future__ import annotations

import argparse

from .harness import Child, FailedError
from .rules import BUGS, HARD

CHECKERS = {
    "ours": "check_with_ours",
    "torch": "check_with_torch",
    "jax": "check_with_jax",
    "hips": "check_with_hips",
    "scipy": "check_with_scipy",
}
TITLES = {"ours": "ours", "torch": "PyTorch", "jax": "JAX", "hips": "HIPS", "scipy": "SciPy"}


def run(name: str) -> tuple[str, dict[tuple[str, int], bool | None]]:
    """For every case whether the checker passes it; None where its engine cannot be asked."""
    child = Child(name, module=CHECKERS[name])
    answers: dict[tuple[str, int], bool | None] = {}
    try:
        for kind, cases in (("BUGS", BUGS), ("HARD", HARD)):
            for index in range(len(cases)):
                try:
                    answers[kind, index] = child.ask("check", kind, index)
                except FailedError as error:
                    answers[kind, index] = False if str(error) else None
    finally:
        child.close()
    return child.version, answers


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.checkers", description=__doc__.splitlines()[0])
    parser.add_argument("--checkers", default=",".join(CHECKERS), help="which of them")
    names = parser.parse_args().checkers.split(",")
    found = {}
    for name in names:
        try:
            version, found[name] = run(name)
        except FailedError as error:
            print(f"{TITLES[name]}: {error}")
            continue
        print(version)
    header = "".join(f"{TITLES[name]:>9}" for name in found)
    for kind, cases, good in (("BUGS", BUGS, "caught"), ("HARD", HARD, "passed")):
        print(f"\n{'Wrong rules' if kind == 'BUGS' else 'Right rules, hard to check':46}{header}")
        for index, case in enumerate(cases):
            words = []
            for name in found:
                passed = found[name][kind, index]
                right = passed is (kind == "HARD")
                words.append("-" if passed is None else good if right else "MISSED" if kind == "BUGS" else "ALARM")
            print(f"{case.name:46}{''.join(f'{word:>9}' for word in words)}")
        counts = []
        for name in found:
            asked = [passed for (of, _), passed in found[name].items() if of == kind and passed is not None]
            counts.append(f"{sum(passed is (kind == 'HARD') for passed in asked)}/{len(asked)}")
        print(f"{good.capitalize() + ', of those it can be asked':46}{''.join(f'{count:>9}' for count in counts)}")


if __name__ == "__main__":
    main()
