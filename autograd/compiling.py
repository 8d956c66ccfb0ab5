"""compile: a function becomes a program that runs again on new data without building a graph.

    @autograd.compile
    def step(x, y):
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

The first calls run the function as it is and note what it does (`capture`); when two of them have done the same, what
they did is made into a program, which runs from then on. A program holds as long as everything that the function could
read outside of its arrays is as it was (`closure`), and as conditions on its way come out as they did. Otherwise the
function runs, and is noted, anew.
"""

from __future__ import annotations

import functools
import gc
import inspect
import itertools
import operator
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from types import FunctionType, MethodType
from typing import Any, cast

import numpy as np

from . import modes
from .arena import arena
from .backward import conjugate, reverse, seed_for
from .capture import Recorder, Traced, TracedGenerator, UntraceableError
from .closure import MISSING, SETTINGS, Condition, Surroundings, called, content, identity
from .errors import CompileError, GraphError
from .graph import describe, topological
from .naming import name_output, name_results
from .op import Op
from .passes import simplified
from .planning import planned
from .program import LONG, Call, DivergedError, Expect, Place, Program, Variable, boxed
from .rendering import MISS, identifiers, runner, source
from .transforms import value_and_grad
from .value import ReadOnly, Unread, Value, record, tick
from .waves import in_waves

_tracing = threading.RLock()
"""While a function is traced, what it closes over holds recording arrays: one at a time."""

_MOST = 16
"""How many programs are kept for one signature."""
_MOST_SIGNATURES = 256


Identity = tuple[Any, Any]
Numbers = dict[Identity, tuple[Place, Any]]
"""By the identity of the place: where a Python number stands, and which."""

_NUMBERS = (int, float, complex)
_BY_VALUE = (*SETTINGS, type(Ellipsis), range)
"""Kinds of arguments that are part of the signature as they are; of all others, attributes are looked at."""


class _Version:
    """A trace, the conditions under which it holds, and, when a second trace has confirmed it, its program."""

    def __init__(self, program: Program, conditions: list[Condition], numbers: Numbers):
        self.program: Program | None = program  # until it runs
        self.conditions, self.numbers = conditions, numbers
        self.run: Callable[..., Any] | None = None
        self.draws = _draws_before_a_condition(program)

    def holds(self) -> bool:
        return all(map(_holds, self.conditions))


class Compiled:
    """What `compile` returns: called like the function, and replays its programs.

    Attributes
    ----------
    function : callable
        What was compiled.
    source : str
        The program of the last trace as NumPy code that runs on its own.
    traces : int
        How many calls ran the function itself; all others ran a program.
    """

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function, updated=())
        self.name: str = called(function)
        self.function, self.traces = function, 0
        self._versions: dict[Any, list[_Version]] = {}
        self._quick: Callable[..., Any] | None = None
        self._count, self._lead = 0, None
        """Of the call that `_quick` is for: how many arguments it has, and the object that a method is called on."""
        self._latest: Program | None = None
        self._lines = 0
        self._dynamic: dict[Identity, Any] = {}  # with the holders, whose ids must stay theirs
        self._fixed: set[Identity] = set()
        self._changed: set[str] = set()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        quick = self._quick
        if quick is not None and len(args) == self._count and not kwargs and not modes.active:
            lead = self._lead
            try:
                result = quick(*args) if lead is None else quick(*args[1:]) if args[0] is lead else MISS
                if result is not MISS:
                    return result
            except DivergedError:
                pass
        return self._find(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self.function,)  # a copy, as of a model that keeps one, makes programs of its own

    @property
    def source(self) -> str:
        """The program of the last trace, as NumPy code that runs on its own: forward, backward and update."""
        if self._latest is None:
            why = (
                f"{self._lines:,} lines are not to be read" if self._lines else "call it once, so that shapes are known"
            )
            raise CompileError(f"compile({self.name}).source: {why}.")
        name_results(self._latest)
        of_graph = getattr(self.function, "named", None)
        if of_graph is not None:
            for part, name in zip(_as_tuple(self._latest.results), of_graph, strict=True):
                name_output(self._latest, part, name)
        return source(simplified(self._latest, to_read=True), _plain_name(self.function))

    def __repr__(self) -> str:
        programs = sum(version.run is not None for versions in self._versions.values() for version in versions)
        return f"<compiled {self.name}: {programs} program{'' if programs == 1 else 's'}, {self.traces} traces>"

    # ---------------------------------------------------------------- finding a program

    def _find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if modes.active:
            state = modes.now()
            if state.interpreter is not None or state.watching or state.born is not None:
                return self.function(*args, **kwargs)  # inside another trace, or under anomaly: in the open
        arrays: list[Any] = []
        objects: list[Any] = []
        key = modes.now().recording, _signature((args, kwargs), arrays, objects)
        with _tracing:
            if key not in self._versions:
                while len(self._versions) >= _MOST_SIGNATURES:
                    del self._versions[next(iter(self._versions))]
                self._versions[key] = []
            versions = self._versions[key]
            candidates = []
            for version in versions:
                if version.run is None:
                    if version.holds():
                        candidates.append(version)
                    continue
                states = [generator.bit_generator.state for generator in version.draws]
                try:
                    result = version.run(*arrays)
                except DivergedError:
                    for generator, state in zip(version.draws, states, strict=True):
                        generator.bit_generator.state = state
                    continue
                if result is not MISS:
                    lead = objects[0] if objects and args and objects[0] is args[0] else None
                    if all(map(_plain, args[lead is not None :])) and not (kwargs or version.draws or modes.active):
                        self._quick, self._count, self._lead = version.run, len(args), lead
                    return result
            self._quick = None
            with _uncollected():
                return self._trace(args, kwargs, objects, versions, candidates)

    def _trace(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        objects: list[Any],
        versions: list[_Version],
        candidates: list[_Version],
    ) -> Any:
        """Run the function and note what it does; make a program of it when that has been seen before."""
        for version in versions:  # a number that changed between two calls is read in each run from now on
            for key, (place, before) in version.numbers.items():
                now = content(place)
                changed = type(now) is not type(before) or now != before
                if changed and key not in self._fixed and type(now) in _NUMBERS:
                    self._dynamic[key] = place.holder
        while True:
            trace = _Trace(self.function, args, kwargs, objects, self._dynamic)
            try:
                trace.run()
                break
            except UntraceableError as error:  # Python looks at the number: then it is part of the conditions
                places = trace.places_of(error.traced)
                if not places:
                    raise
                for key in places:
                    del self._dynamic[key]
                    self._fixed.add(key)
        self.traces += 1
        self._latest, self._lines = trace.program, len(trace.program.calls)
        if self._lines > LONG:
            self._latest = None
        try:
            if trace.changed:
                self._note_changes(trace)
                return trace.result
            self._changed.clear()
            for version in candidates:
                if version.program is not None and _same(version.program, trace.program, self.name):
                    version.run, version.program = runner(finished(version.program), version.conditions), None
                    # A long trace that waits for a second one, and can do so no more as things stand, is not kept.
                    versions[:] = [
                        v for v in versions if v.program is None or len(v.program.calls) <= LONG or v.holds()
                    ]
                    return trace.result
        except CompileError:
            trace.undo()
            raise
        versions.append(_Version(trace.program, trace.conditions, trace.numbers))
        del versions[:-_MOST]
        return trace.result

    def _note_changes(self, trace: _Trace) -> None:
        """What the function itself changed in Python: once is a beginning, twice is what no program can do."""
        again = self._changed & set(trace.changed)
        for path, (place, key) in trace.changed.items():
            if key is not None and key not in self._fixed:
                self._dynamic[key] = place.holder
                again.discard(path)
        if again:
            raise CompileError(
                f"compile({self.name}): each call changes {sorted(again)[0]} in Python, which a program cannot do. "
                f"Return what is to be kept, and keep it outside."
            )
        self._changed = set(trace.changed)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without collection of garbage: a trace, and what a program is made of, are many objects, all of which stay."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class _Trace:
    """One run of a function on recording arrays, after which everything is as if it had run on plain ones."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        objects: list[Any],
        dynamic: dict[Identity, Any],
    ):
        self.function, self.args, self.kwargs, self.objects, self.dynamic = function, args, kwargs, objects, dynamic
        self.name = called(function)
        self.recorder = Recorder(_Trace.run.__code__)
        self.changed: dict[str, tuple[Place, Identity | None]] = {}
        self.loads: dict[Variable, Place] = {}
        self.traced: dict[Identity, tuple[Place, Traced, Any]] = {}
        """By place: what stands there meanwhile, and what stood there before."""
        self.set_aside: list[tuple[Place, Any]] = []
        """What else has something standing in its place."""
        self.merged: dict[Identity, Traced] = {}
        self.numbers: Numbers = {}
        self.kept: dict[Value, tuple[Any, ...]] = {}
        self.states: list[tuple[Any, Any]] = []
        self.containers: list[tuple[Any, Any]] = []
        """Lists and dicts among the arguments, and what they held."""

    def places_of(self, traced: Traced) -> list[Identity]:
        """The dynamic numbers that this stands for."""
        return [key for key, other in self.merged.items() if other._variable is traced._variable]

    # ---------------------------------------------------------------- before, during, after

    def run(self) -> None:
        self.hidden = _hidden_state()
        self.before = before = Surroundings(self.function, self.objects)
        try:
            with modes.interpreting(self.recorder):
                self._substitute(before)
                arguments: list[Variable] = []
                args = tuple(
                    [
                        self._standing_for(part, name, arguments)
                        for part, name in zip_longest(self.args, _parameters(self.function)[: len(self.args)])
                    ]
                )
                kwargs = {name: self._standing_for(part, name, arguments) for name, part in self.kwargs.items()}
                result = self.function(*args, **kwargs)
                if self.recorder.told is not None:
                    raise self.recorder.told
                for place, original in reversed(self.set_aside):
                    place.set(original)
                self._check_arguments()
                after = Surroundings(self.function, self.objects)
                self._finish(before, after, result, arguments)
        except BaseException as error:
            self.undo()
            if isinstance(error, UntraceableError):  # which speaks of a variable
                name_results(Program([], {}, self.recorder.calls, [], None, self.recorder.ends))
            reason: BaseException | None = error
            while reason is not None and not isinstance(reason, UntraceableError):
                reason = reason.__cause__ or reason.__context__
            if reason is None or reason is error:
                raise
            raise reason from None  # NumPy tells of a sequence where an array was to be made
        finally:
            self.recorder.live = False

    def undo(self) -> None:
        """Leave no trace of a run that failed."""
        before = self.before
        for place, original in reversed(self.set_aside):
            place.set(original)
        before.restore()
        for place, _, original in reversed(self.traced.values()):
            place.set(original)
        for place, was in self.numbers.values():
            place.set(was)
        for value, (gradient, clock, tracked) in self.kept.items():
            value._grad, value._clock, value._tracked = gradient, clock, tracked
        for node, held in before.graphs:
            for name, found in held.items():
                setattr(node, name, found)
        for generator, state in self.states:
            generator.bit_generator.state = state
        if _hidden_state() != self.hidden:
            np.random.set_state(self.hidden.whole)  # noqa: NPY002

    def _check_arguments(self) -> None:
        if _hidden_state() != self.hidden:
            raise CompileError(
                f"compile({self.name}): it draws from np.random's hidden generator. Make one that it closes over, "
                f"generator = np.random.default_rng(), and draw with generator.normal(...)."
            )
        for container, copy in self.containers:
            now = list(container.values() if isinstance(container, dict) else container)
            if len(now) != len(copy) or not all(map(operator.is_, now, copy)):
                raise CompileError(
                    f"compile({self.name}): it changes a {type(container).__name__} among its arguments, which a "
                    f"program leaves alone. Return what is new."
                )

    def _stand(self, place: Place, content: Any, name: str) -> Traced:
        traced = self.recorder.source(_plainly(content), name)
        self.loads[traced._variable] = place
        self.traced[identity(place)] = place, traced, content
        return traced

    def _substitute(self, before: Surroundings) -> None:
        self.recorder.known.update(node for node, _ in before.graphs)
        self.states = [(g, g.bit_generator.state) for place in before.generators for g in (place.get(),)]
        self.conditions = list(before.conditions)
        for value, path in before.values.items():
            if not hasattr(value._array, "dtype"):  # Python's, as the 2 in v**2: no leaf of anybody's
                self.conditions.append((Place(value, "_array", True, path), "==", value._array))
                continue
            if not isinstance(value._array, np.ndarray | np.generic):
                raise _foreign(f"compile({self.name}): {path} holds", type(value._array))
            self.kept[value] = value._grad, value._clock, value._tracked
            place, slope = Place(value, "_array", True, path), Place(value, "_grad", True, f"{path}.grad")
            self.conditions.append((Place(value, "_tracked", True, path), "is", value._tracked))
            value._array = self._stand(place, value._array, _name(place)).locked()
            value._grad = Unread(functools.partial(self._read_gradient, value, slope))
        for place in before.arrays:
            found = place.get()
            traced = self._stand(place, found, _name(place))
            self.conditions.append((place, "like", traced._variable))
            place.set(traced.locked() if type(found) is ReadOnly else traced)
        for place in before.generators:
            generator = place.get()
            self.set_aside.append((place, generator))
            place.set(TracedGenerator(generator, self.recorder))
        for place, original, stand_in in before.stand_ins:
            self.set_aside.append((place, original))
            place.set(stand_in)
        equal: dict[Any, Traced] = {}
        for place in before.numbers:
            key, number = identity(place), place.get()
            if key not in self.dynamic:
                self.numbers[key] = place, number
                self.conditions.append((place, "==", number))
                continue
            self.conditions.append((place, "type", type(number)))
            traced = self._stand(place, number, _name(place))
            twin = equal.setdefault((place.key, repr(number), type(number)), traced)
            if twin is not traced:  # as each parameter's count of steps: one number, as long as they are equal
                same = Variable("number", (), np.dtype(bool))
                expected = Call(Expect("truth", True), (same,), effect=True)
                self.recorder.calls += [Call(operator.eq, (traced._variable, twin._variable), {}, same), expected]
            self.merged[key] = twin
            place.set(twin)
            self.traced[key] = place, twin, number

    def _read_gradient(self, value: Value, place: Place) -> Any:
        """The gradient that was there before, on which the program depends from now on."""
        gradient = self.kept[value][0]
        if isinstance(gradient, np.ndarray | np.generic):
            gradient = self._stand(place, gradient, f"old_{_name(place)}").locked()
            self.conditions.append((place, "like", gradient._variable))
        else:
            self.conditions.append((place, "is", gradient))
        value._grad = gradient
        return gradient

    def _standing_for(self, tree: Any, name: str | None, arguments: list[Variable]) -> Any:
        """Arguments with recording arrays in the place of arrays."""
        kind = type(tree)
        if kind is tuple:
            return tuple([self._standing_for(part, f"{name}_{i}", arguments) for i, part in enumerate(tree)])
        if kind is list:
            parts = [self._standing_for(part, f"{name}_{i}", arguments) for i, part in enumerate(tree)]
            self.containers.append((parts, parts.copy()))
            return parts
        if kind is dict:
            named = {key: self._standing_for(part, f"{name}_{key}", arguments) for key, part in tree.items()}
            self.containers.append((named, list(named.values())))
            return named
        if not _plain(tree) and kind is not Value:
            if hasattr(kind, "__array_function__"):
                raise _foreign(f"compile({self.name}): it got", kind)
            return tree
        traced = self.recorder.source(tree._array if kind is Value else _plainly(tree), name)
        if kind is not np.ndarray:  # what a Value hands out is left as it is by ``x -= 1``
            traced = traced.locked()
        arguments.append(traced._variable)
        return Value(traced, label=tree.label, requires_grad=False) if kind is Value else traced

    def _finish(self, before: Surroundings, after: Surroundings, result: Any, arguments: list[Variable]) -> None:
        recorder = self.recorder
        writes: list[tuple[Place, Any]] = []
        for node, held in before.graphs:
            if node._grad is not held["_grad"] or node._inputs is not held["_inputs"]:
                raise CompileError(
                    f"compile({self.name}): it goes backward through {describe(node)}, which was computed outside of "
                    f"it. Compute it inside, or go on from its numbers, v.data."
                )
        results = self._noted(result)
        known_results = dict.fromkeys(value for _, value in before.results)
        for place, value in after.results:
            if value not in known_results:
                raise CompileError(
                    f"compile({self.name}): it leaves {describe(value)}, with its graph, in {place.path}, and a "
                    f"program builds no graph. Keep its numbers: v.data."
                )
        for value, path in after.values.items():
            if value not in before.values:
                self.changed[path] = Place(value, "_array", True, path), None
        for value, (_, _, tracked) in self.kept.items():
            if value._tracked is not tracked:
                path = f"{before.values[value]}.requires_grad"
                self.changed[path] = Place(value, "_tracked", True, path), None
        # The end of each place that was read, and of the gradients.
        for place, traced, original in [*self.traced.values()]:
            now = content(place)
            if now is original or (type(now) is Traced and now._variable is traced._variable):
                place.set(original)
            elif (
                isinstance(now, Traced | np.ndarray | np.generic)
                or type(now) in _NUMBERS
                or (now is None and place.attribute and place.key == "_grad")
            ):
                writes.append((place, now))
            else:
                self.changed[place.path] = place, None
        for value, (held, _, _) in self.kept.items():
            gradient = value._grad
            if type(gradient) is Unread:
                value._grad = held
            elif (id(value), "_grad") not in self.traced and (gradient is None or gradient is not held):
                writes.append((Place(value, "_grad", True, f"{before.values[value]}.grad"), gradient))
        for place in after.arrays:
            found, key = content(place), identity(place)
            if type(found) is Traced and key not in self.traced:
                number = type(found._content) in _NUMBERS
                self.changed[place.path] = place, key if number else None
                place.set(_own(found._content))
        known = {identity(place): place for place in after.numbers}
        for key, (place, was) in self.numbers.items():
            now = content(known[key]) if key in known else MISSING
            if now is not was and (type(now) is not type(was) or now != was):
                self.changed.setdefault(place.path, (place, key if type(now) in _NUMBERS else None))
        for key, place in known.items():
            if key not in self.numbers and key not in self.traced:
                self.changed[place.path] = place, key
        for condition in before.conditions:
            if condition[1] in ("is", "len", "==") and not _holds(condition):
                self.changed.setdefault(condition[0].path, (condition[0], None))
        # Everything is put back, or on, for real.
        noted: list[tuple[Place, Any]] = []
        for place, now in writes:
            slot = place.key if place.attribute else None  # an entry's key may be a Value, which == compares by numbers
            if type(now) is Traced:
                now._variable.name = now._variable.name or ("" if slot == "_grad" else "new_") + _name(place)
                noted.append((place, now._variable))
            elif now is None:
                noted.append((place, None))
            elif type(now) is Value:  # a gradient that has a graph
                noted.append((place, self._noted(now)))
                now = self._given(now)
            else:
                noted.append((place, self._made(now, _name(place))))
            place.set(_own(now._content, slot == "_array") if type(now) is Traced else now)
            if slot == "_array" and type(place.holder) is Value:
                place.holder._clock = tick()
        for value in after.values:
            for name in ("_array", "_grad"):
                found = getattr(value, name)
                if type(found) is Traced:
                    setattr(value, name, _own(found._content, name == "_array"))
        self.result = self._given(result)
        self.program = Program(arguments, self.loads, recorder.calls, noted, results, recorder.ends)

    def _made(self, constant: Any, name: str | None = None) -> Variable:
        """A variable for something that is made anew in each run."""
        variable = Variable.of(constant, name)
        make = np.array if isinstance(constant, np.ndarray) else type(constant)
        fixed = constant.copy("K") if isinstance(constant, np.ndarray) else constant
        self.recorder.calls.append(Call(make, (fixed,), {}, variable, "update", effect=True))
        return variable

    # ---------------------------------------------------------------- what comes out

    def _noted(self, tree: Any) -> Any:
        """The result with variables in the place of what was traced."""
        kind = type(tree)
        if kind is Traced:
            return tree._variable
        if self._is_known(tree):
            if kind is not list and kind is not dict:
                return tree
            known = Variable("object")
            self.recorder.calls.append(Call(_Outside(tree), (), {}, known, "update"))
            return known
        if kind is Value:
            box, array = Variable("object"), tree._array
            data = array._variable if type(array) is Traced else array
            self.recorder.calls.append(Call(boxed, (data,), {}, box, "update"))
            return box
        if isinstance(tree, np.ndarray):
            return self._made(tree)
        if kind is tuple or kind is list:
            return kind([self._noted(part) for part in tree])
        if kind is dict:
            return {name: self._noted(part) for name, part in tree.items()}
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            return kind(*[self._noted(part) for part in tree])
        if kind is TracedGenerator:
            return tree.stands_for()
        if kind in _BY_VALUE or isinstance(tree, np.generic | np.dtype | type):
            return tree
        raise CompileError(
            f"compile({self.name}): it returns something of type {kind.__name__}, which a program cannot make. Return "
            f"arrays, numbers, Values, and tuples, lists and dicts of these."
        )

    def _is_known(self, tree: Any) -> bool:
        """Whether it stands outside of the function, which returns the very same each time."""
        if type(tree) is Value:
            return tree in self.before.values or any(tree is value for _, value in self.before.results)
        return type(tree) is not tuple and self.before.holds(tree)

    def _given(self, tree: Any) -> Any:
        """The result as a caller gets it."""
        kind = type(tree)
        if kind is Traced:
            return _own(tree._content)
        if self._is_known(tree):
            return tree
        if kind is Value:
            return boxed(_own(tree._array._content)) if type(tree._array) is Traced else tree
        if kind is tuple or kind is list:
            return kind([self._given(part) for part in tree])
        if kind is dict:
            return {name: self._given(part) for name, part in tree.items()}
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            return kind(*[self._given(part) for part in tree])
        return tree.stands_for() if kind is TracedGenerator else tree


def _foreign(what: str, kind: type) -> CompileError:
    """The error of an array of another library."""
    return CompileError(
        f"{what} an array of type {kind.__module__}.{kind.__name__}, and programs are of NumPy's own arrays. Give it "
        f"the numbers as one, np.asarray(x), or x.compute() of Dask's; or call the function itself."
    )


class _Outside:
    """Gives a list or a dict that stands outside of a program: itself, not what is in it now."""

    def __init__(self, found: Any):
        self.found = found

    def __call__(self) -> Any:
        return self.found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Outside) and other.found is self.found

    def __hash__(self) -> int:
        return id(self.found)


def _hidden_state() -> Any:
    """Where np.random's own generator stands."""
    whole = np.random.get_state(legacy=False)  # noqa: NPY002
    return _Hidden(whole)


class _Hidden:
    """A state of np.random's own generator."""

    def __init__(self, whole: Any):
        self.whole = whole

    def __eq__(self, other: object) -> bool:
        a, b = (x.whole["state"] for x in (self, other) if isinstance(x, _Hidden))
        return bool(a["pos"] == b["pos"] and np.array_equal(a["key"], b["key"]))

    __hash__ = object.__hash__


def _plainly(content: Any) -> Any:
    """NumPy's own array in the place of what `v.data` gives."""
    return content.view(np.ndarray) if type(content) is ReadOnly else content


def _own(content: Any, read_only: bool = False) -> Any:
    """An array that shares memory with no other."""
    if isinstance(content, np.ndarray):
        content = content.copy("K")
        content.setflags(write=not read_only)
    return content


def _name(place: Place) -> str:
    """What a variable loaded from there is called."""
    if not isinstance(place.key, str) or place.key == "cell_contents":
        return place.path
    if place.attribute and place.key in ("_array", "_grad"):
        label = place.holder.label or place.path.removesuffix(".grad")
        return label if place.key == "_array" else f"grad_{label}"
    entry = re.search(r"\[(\d+)\]\[[^\]]*\]$", place.path)  # as of an optimiser's states[0]['m']
    return f"{place.key}_{entry[1]}" if entry else str(place.key)


@functools.cache
def _parameters(function: Callable[..., Any]) -> list[str]:
    """The names of a function's positional parameters."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _plain_name(function: Callable[..., Any]) -> str:
    """What a function is called on a page."""
    name = called(function)
    return "f" if name == "<lambda>" else name


def _as_floats(tree: Any) -> Any:
    """Integers of Python's as the numbers that they are to a gradient: an argument that is an int would be fixed."""
    kind = type(tree)
    if kind is int:
        return float(tree)
    if kind is tuple or kind is list:
        return kind([_as_floats(part) for part in tree])
    return {key: _as_floats(part) for key, part in tree.items()} if kind is dict else tree


def _as_tuple(results: Any) -> tuple[Any, ...]:
    """A result, or a result and its gradients, on one level."""
    return (results[0], *results[1]) if isinstance(results, tuple) else (results,)


def _plain(x: Any) -> bool:
    """Whether an argument is an array or a number that may be another one in each run."""
    kind = type(x)
    return kind is np.ndarray or kind is ReadOnly or kind is float or isinstance(x, np.generic)


def _signature(tree: Any, arrays: list[Any], objects: list[Any]) -> Any:
    """What must be the same for a program to fit: nesting, shapes and dtypes, and all that is no array."""
    kind = type(tree)
    if kind is ReadOnly:  # what `v.data` gives
        tree, kind = tree.view(np.ndarray), np.ndarray
    if kind is np.ndarray or isinstance(tree, np.generic):
        arrays.append(tree)
        return kind, tree.shape, tree.dtype, tree.strides
    if kind is float:
        arrays.append(tree)
        return kind
    if kind is Value:
        if tree.requires_grad:
            raise CompileError(
                f"A compiled function got {describe(tree)}, which requires a gradient: it takes arrays and builds no "
                f"graph. Take the gradient inside, as in compile(grad(f)), or pass its numbers, v.data."
            )
        arrays.append(tree._array)
        return Value, _signature(tree._array, [], [])
    if kind is tuple or kind is list:
        return kind, tuple([_signature(part, arrays, objects) for part in tree])
    if kind is dict:
        return dict, tuple([(name, _signature(part, arrays, objects)) for name, part in tree.items()])
    if isinstance(tree, np.ndarray) or hasattr(kind, "__array_function__"):
        raise _foreign("A compiled function got", kind)
    if kind is complex:
        return kind, repr(tree)
    if kind not in _BY_VALUE:
        objects.append(tree)
        return _Same(tree)
    return kind, tree


class _Same:
    """An object of which a program is: the very one."""

    def __init__(self, held: Any):
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.held is self.held

    def __hash__(self) -> int:
        return id(self.held)


def _holds(condition: Condition) -> bool:
    place, how, wanted = condition
    try:
        found = place.get()
        if how == "is":
            return bool(found is wanted)
        if how == "len":
            return bool(len(found) == wanted)
        if how == "type":
            return type(found) is wanted
        if how == "like":
            kind = np.ndarray if wanted.kind == "array" else wanted.dtype.type
            same = (
                (type(found) is kind or type(found) is ReadOnly)
                and found.shape == wanted.shape
                and found.dtype == wanted.dtype
            )
            return same and (wanted.kind == "number" or found.strides == wanted.strides)
        return type(found) is type(wanted) and bool(found == wanted)
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


def _draws_before_a_condition(program: Program) -> list[Any]:
    """The generators that must be set back if a condition after a draw fails."""
    found: dict[int, Any] = {}
    pending: dict[int, Any] = {}
    for call in program.calls:
        owner = getattr(call.function, "__self__", None)
        if isinstance(owner, np.random.Generator):
            pending[id(owner)] = owner
        elif isinstance(call.function, Expect):
            found |= pending
    return list(found.values())


# -------------------------------------------------------------------- two traces, the same?


def _same(first: Program, second: Program, name: str) -> bool:
    """Whether two traces did the same; False if a condition came out otherwise. An error if what is unseen differs."""
    twin: dict[Any, Any] = dict(zip(first.arguments, second.arguments, strict=True))
    there = {identity(place): variable for variable, place in second.loads.items()}
    twin.update(
        (variable, there[where]) for variable, place in first.loads.items() if (where := identity(place)) in there
    )
    if not _equal_trees(_equals(first), _equals(second), twin):
        return False
    for a, b in zip(first.calls, second.calls, strict=False):
        f, g = a.function, b.function
        if isinstance(f, Expect) and isinstance(g, Expect):
            if f.wanted != g.wanted:
                return False
        elif f != g and getattr(f, "__code__", 0) is not getattr(g, "__code__", 1):
            _differ(name, a)
        if not _equal_trees(a.args, b.args, twin) or not _equal_trees(a.kwargs, b.kwargs, twin):
            _differ(name, a)
        if a.result is not None and b.result is not None:
            twin[a.result] = b.result
    if len(first.calls) != len(second.calls):
        shorter, longer = sorted((first.calls, second.calls), key=len)
        _differ(name, longer[len(shorter)])
    written, other = ({identity(place): new for place, new in program.writes} for program in (first, second))
    if not _equal_trees((first.results, written), (second.results, other), twin):
        _differ(name, None)
    return True


def _equals(program: Program) -> list[tuple[Any, ...]]:
    """The pairs of numbers, among those that are read in each run, that were equal: what a program begins with."""
    start = itertools.takewhile(
        lambda call: call.function is operator.eq or type(call.function) is Expect, program.calls
    )
    return [call.args for call in start if call.function is operator.eq]


def _equal_trees(a: Any, b: Any, twin: dict[Any, Any]) -> bool:
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is Variable:
        return twin.get(a) is b
    if isinstance(a, tuple | list):
        if len(a) != len(b):
            return False
        for x, y in zip(a, b, strict=True):
            if not (twin.get(x) is y if type(x) is Variable else _equal_trees(x, y, twin)):
                return False
        return True
    if kind is dict:
        return a.keys() == b.keys() and all(_equal_trees(x, b[name], twin) for name, x in a.items())
    if kind is slice:
        return _equal_trees((a.start, a.stop, a.step), (b.start, b.stop, b.step), twin)
    if isinstance(a, np.ndarray):
        return a is b or (a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    if kind is FunctionType and a is not b:  # as a lambda, which is made anew in each call
        known = twin.get(a) is b  # it may close over itself
        twin[a] = b
        return known or (a.__code__ is b.__code__ and _equal_trees(_within(a), _within(b), twin))
    if kind is Value:
        return a is b
    return a is b or bool(a == b) or (a != a and b != b)


def _within(function: FunctionType) -> list[Any]:
    """What a function holds beside its code."""
    cells = [content(Place(cell, "cell_contents", True, "")) for cell in function.__closure__ or ()]
    return [function.__defaults__, function.__kwdefaults__, *cells]


def _differ(name: str, call: Call | None) -> None:
    what = "what comes out of it"
    if call is not None:
        what = f"{getattr(call.function, '__name__', 'a call')}{[v.shape for v in call.operands]}"
    raise CompileError(
        f"compile({name}): two calls with arguments of the same shapes, and nothing changed around them, did different "
        f"things, first at {what}: a number came in that compile does not see, as from an iterator, a clock, a file "
        f"or an object of a C extension. Compute it outside and pass it as an argument."
    )


# -------------------------------------------------------------------- what users call


def compile(function: Any, *, inputs: Sequence[Value] = (), wrt: Sequence[Value] | None = None) -> Compiled:
    """A function that runs as a straight line of NumPy calls, without building a graph.

    The first two or three calls run the function as it is and note every NumPy call that it makes: of the forward pass,
    of ``backward()`` inside, of an optimiser's step. When two calls have done the same, it becomes a program, with its
    memory planned, that later calls run. Numbers come out as they would, bit for bit, save for powers in a graph of
    many single numbers: it is computed in waves, and NumPy raises many numbers to a power in another way than one.

    Parameters
    ----------
    function : callable or Value
        A function of arrays, which may close over Values, modules, optimisers, arrays, random generators (as decorator,
        too). Or a result, whose graph is to be computed again for other data of some of its leaves.
    inputs : sequence of Value
        With a result only: the leaves that become the arguments, in this order. What all other leaves hold is read in
        each run.
    wrt : sequence of Value, optional
        With a result only: leaves whose gradients are wanted, too.

    Returns
    -------
    Compiled
        Called like the function: with arrays, numbers and constants of the same nesting, shapes and dtypes it runs the
        program of these; with others it makes one of these, too. It returns what the function returns, where a Value
        comes out as a constant. Of a graph it returns the result's data, with `wrt` a pair of it and a tuple of
        gradients. Its attribute `source` is the program as code.

    Raises
    ------
    CompileError
        A TypeError. If Python looks at a traced number in another way than by `if`; if the function prints, reads a
        clock or a file, draws from a hidden generator, or changes something in Python with each call; if what it does
        depends on something that cannot be seen, such as an iterator; if an argument requires a gradient or is of
        another library than NumPy; if what is to be compiled is neither a function nor a Value, or `inputs` and `wrt`
        are not Values; if the program of a graph gets more or fewer arrays than it has inputs.
    GraphError
        If the result does not depend on one of `inputs`, or its graph was released.

    Notes
    -----
    What the function could read is looked at before each run: globals, cells, attributes, entries of lists and dicts.
    If something is not as it was, the function runs itself, and is noted anew; a number that changes is read in each
    run from then on. ``if loss > 3:`` is checked on each run, and each way has a program of its own. An exception,
    while a function is noted, leaves all that it closes over as it was.

    While a function is being noted, no other thread may use what it closes over.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Value, compile
    >>> w = Value(np.zeros(2), label="w")
    >>> @compile
    ... def step(x, t):
    ...     loss = ((x @ w - t) ** 2).mean()
    ...     w.zero_grad()
    ...     loss.backward()
    ...     w.data -= 0.01 * w.grad
    ...     return loss
    >>> x, t = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    >>> [round(step(x, t).item(), 3) for _ in range(5)]
    [30.5, 16.165, 9.111, 5.638, 3.927]
    >>> step
    <compiled step: 1 program, 2 traces>

    A graph that exists, for other data:

    >>> a = Value(3.0, label="a")
    >>> again = compile(a**2 + a, inputs=[a], wrt=[a])
    >>> again(5.0)
    (np.float64(30.0), (np.float64(11.0),))
    """
    for name, values in (("inputs", inputs), ("wrt", wrt or ())):
        if not isinstance(values, tuple | list) or not all(isinstance(value, Value) for value in values):
            raise CompileError(
                f"compile(..., {name}={values!r:.60}): leaves of the graph are wanted, Values, as in {name}=[x]."
            )
    if isinstance(function, Value):
        return Compiled(_of_graph(function, tuple(inputs), None if wrt is None else tuple(wrt)))
    if not callable(function):
        raise CompileError(f"compile({function!r:.60}): a function is wanted, or a Value and its inputs.")
    if inputs or wrt is not None:
        raise CompileError("compile(function, inputs=..., wrt=...): these go with a Value, compile(loss, inputs=[x]).")
    return Compiled(function)


def _of_graph(root: Value, inputs: tuple[Value, ...], wrt: tuple[Value, ...] | None) -> Callable[..., Any]:
    """A function of the inputs that computes a graph again."""
    order = topological([root], dict.fromkeys(inputs))
    used = dict.fromkeys(value for node in order for value in node.inputs)
    leaves = tuple(value for value in used if value.is_leaf)
    for value in (*inputs, *(wrt or ())):
        if value not in used or not (value.is_leaf or value in dict.fromkeys(inputs)):
            raise GraphError(f"compile(..., inputs=..., wrt=...): {describe(root)} is not made of {describe(value)}.")

    def graph(*arrays: Any) -> Any:
        if len(arrays) != len(inputs):
            several = "no arrays" if not inputs else f"{len(inputs)} array{'s' * (len(inputs) > 1)}"
            raise CompileError(
                f"The program of {describe(root)} takes {several}{', for ' * bool(inputs)}"
                f"{', '.join(map(describe, inputs))}, and got {len(arrays)}."
            )
        made: dict[Value, Value] = {value: value for value in leaves}
        for value, array in zip(inputs, arrays, strict=True):
            made[value] = Value(array, label=value.label, requires_grad=value.requires_grad)
        for node in order:
            params = node.params and {name: part for name, part in node.params.items() if name != "saved"}
            op = cast(Op, node.op)
            compute = operator.pow if op.function is np.power and not params else None  # the same, and v**2 a square
            made[node] = record(op, tuple([made.get(value, value) for value in node.inputs]), params, compute)
            array = made[node]._array
            if type(array) is Traced and node.label:
                array._variable.name = node.label
        result = made[root]
        if wrt is None:
            return result.data
        targets = [made[value] for value in wrt]
        gradients = reverse([result], [seed_for(result, None, False)], wrt=targets)
        slopes = [conjugate(gradients[value]) if value in gradients else np.zeros_like(value.data) for value in targets]
        return result.data, tuple(slopes)

    named: Any = graph  # for who reads the program
    names = identifiers((value, value.label or "x") for value in inputs).values()
    named.__signature__ = inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in names])
    named.named = (root.label or "value", *[f"grad_{value.label or 'x'}" for value in wrt or ()])
    return graph


def gradient_source(function: Callable[..., Any], *args: Any, argnums: Any = 0) -> str:
    """The gradient of a function as NumPy code to read: forward pass and backward pass, a line an operation.

    Parameters
    ----------
    function : callable
        From arrays to a number.
    *args
        An example of its arguments, which says the shapes.
    argnums : int or tuple of int
        With respect to which of them, as of `grad`.

    Returns
    -------
    str
        A module of Python that needs NumPy alone, with one function, which returns the value and the gradient.

    Raises
    ------
    CompileError
        As of `compile`; or if it is no function.
    ShapeError
        If it gives more than a number.
    DataError
        If `argnums` names an argument that is not there, or one of them is nothing to differentiate by.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import gradient_source
    >>> def squared_error(w, x, t):
    ...     error = x @ w - t
    ...     return (error * error).sum()
    >>> text = gradient_source(squared_error, np.zeros(2), np.ones((3, 2)), np.ones(3))
    >>> print(text[text.index("# forward") : text.index("    return")].rstrip())
    # forward
        product1 = x @ w               # (3,)
        error = product1 - t           # (3,)
        product2 = error * error       # (3,)
        value = product2.sum()
    <BLANKLINE>
        # backward
        with np.errstate(all="ignore"):
            total = error + error      # (3,)
            expanded = total[:, None]  # (3, 1)
            product3 = x.T @ expanded  # (2, 1)
            grad_w = product3[:, 0]    # (2,)
    """
    if not callable(function):
        raise CompileError(
            f"gradient_source({function!r:.60}): a function is wanted. Of a graph that exists, the program is "
            f"compile(loss, inputs=[x], wrt=[x]).source, after a call."
        )
    wanted_of = argnums if isinstance(argnums, tuple) else (argnums,)
    args = tuple([_as_floats(part) if number in wanted_of else part for number, part in enumerate(args)])
    trace = _Trace(value_and_grad(function, argnums), args, {}, [], {})
    trace.run()
    program = trace.program
    name_results(program)
    several = isinstance(argnums, tuple)
    names, numbers = _parameters(function), argnums if several else (argnums,)
    wanted = [f"grad_{names[n] if n < len(names) else n}" for n in numbers]
    name_output(program, program.results[0], "value")
    for gradient, name in zip(program.results[1] if several else program.results[1:], wanted, strict=True):
        name_output(program, gradient, name)
    return source(simplified(program, to_read=True), f"{_plain_name(function)}_and_gradient")


def finished(program: Program) -> Program:
    """As it runs: in waves if it is of single numbers, with parameters in one array and memory that is used again."""
    return planned(arena(simplified(in_waves(program))))
