"""One engine in a process of its own, which does what the harness asks, a line of JSON at a time.

Run by path, not with -m: then `import autograd` is whatever this interpreter knows by that name.
"""

import gc
import importlib
import json
import os
import statistics
import sys
import time
import tracemalloc

import numpy as np
from data import given

STEPS = 6
"""Taken before anything is measured, and compared between engines: a program may run from the fourth on."""


def digest(state):
    """Enough of the numbers to tell two states apart."""
    numbers = []
    for array in state:
        flat = np.asarray(array, dtype=float).ravel()
        numbers += [float(np.linalg.norm(flat)), float(flat @ np.cos(np.arange(flat.size))), *flat[:3].tolist()]
    return numbers


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Child:
    """Each method is a command."""

    def __init__(self, engine):
        self.engine, self.work = engine, None
        self.traced = getattr(engine, "TRACED", True)

    def make(self, kind, args):
        self.work = None
        gc.collect()
        return getattr(self.engine, kind)(*[tuple(a) if isinstance(a, list) else a for a in args])

    def prepare(self, kind, args):
        """Set up a row and run some steps of it: the losses and what they led to."""
        self.work = self.make(kind, args)
        losses = [self.work.step() for _ in range(STEPS)]
        return losses + digest(self.work.state())

    def run(self, times):
        """Seconds that so many steps take."""
        step = self.work.step
        start = time.perf_counter()
        for _ in range(times):
            step()
        return time.perf_counter() - start

    def check(self, kind, index):
        """Whether the engine's checker finds nothing wrong with a rule; see rules.py."""
        rules = importlib.import_module("rules")
        return bool(self.engine.check(getattr(rules, kind)[index]))

    def node_bytes(self):
        """Bytes a node of a recorded chain, before and after the reverse pass. For C++ from the resident memory."""
        n = 10_000 if self.traced else 200_000
        work = self.engine.chain(n)
        if work.build is None:
            raise NotImplementedError
        gc.collect()
        if self.traced:
            tracemalloc.start()
        size = (lambda: tracemalloc.get_traced_memory()[0]) if self.traced else resident
        try:
            before = size()
            root = work.build()
            recorded = size()
            try:
                work.back(root)
                after = (size() - before) / n
            except RecursionError:
                after = None
            return [(recorded - before) / n, after]
        finally:
            tracemalloc.stop()

    def first_calls(self, kind, args):
        """Seconds of the first call; of all first calls, beyond what as many later ones take; of a later one."""
        self.work = self.make(kind, args)
        first = [self.run(1) for _ in range(STEPS)]
        later = statistics.median(self.run(1) for _ in range(3 * STEPS))
        return [first[0], max(first[0], sum(first) - STEPS * later), later]

    def peak_bytes(self, kind, args):
        """Bytes beyond parameters and data: arrays, and all else, that stay between steps; the most within a step, and
        within the first steps.

        What is made once for all rows, as by imports, does not count: it is made before, by a first run.
        """
        if not self.traced:
            raise NotImplementedError
        work = self.make(kind, args)
        for _ in range(STEPS):
            work.step()
        del work
        gc.collect()
        tracemalloc.start()
        try:
            own = sum(array.nbytes for array in given(kind, *args))
            work = self.make(kind, args)
            for _ in range(STEPS):
                work.step()
            most_at_first = tracemalloc.get_traced_memory()[1]
            gc.collect()
            tracemalloc.reset_peak()
            work.step()
            held, most = tracemalloc.get_traced_memory()
            arrays = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
            of_arrays = sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces)
            return [of_arrays - own, held - of_arrays, most - own, most_at_first - own]
        finally:
            tracemalloc.stop()


def main(name):
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever an engine prints goes elsewhere

    def answer(**what):
        print(json.dumps(what), file=answers, flush=True)

    try:
        child = Child(importlib.import_module(name))
    except ImportError as error:
        answer(failed=f"not installed ({error})")
        return
    answer(value=child.engine.VERSION)
    for line in sys.stdin:
        command, *args = json.loads(line)
        try:
            answer(value=getattr(child, command)(*args))
        except (NotImplementedError, AttributeError) as error:
            answer(failed="" if isinstance(error, NotImplementedError) or error.obj is child.engine else str(error))
        except Exception as error:
            answer(failed=type(error).__name__)


if __name__ == "__main__":
    main(sys.argv[1])
