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

import ast
import functools
import gc
import inspect
import re
import textwrap
import threading
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, cast

import numpy as np

from . import modes
from .arena import arena
from .backward import conjugate, reverse, seed_for
from .capture import Recorder, Traced, TracedGenerator, UntraceableError, boxed
from .closure import SETTINGS, Condition, Surroundings, called
from .errors import CompileError, GraphError
from .graph import describe, topological
from .op import Op
from .passes import simplified
from .planning import planned
from .program import Call, Diverged, Expect, Place, Program, Variable, variables
from .rendering import MISS, runner, source
from .transforms import value_and_grad
from .value import Value, record, tick
from .waves import in_waves

_tracing = threading.RLock()
"""While a function is traced, what it closes over holds recording arrays: one at a time."""

_LONG = 20_000
"""Of how many lines a program is not kept as it can be read."""

_MOST = 16
"""How many programs are kept for one signature."""


Numbers = dict[tuple[int, Any], tuple[Place, Any]]
"""By the id of the holder and the key: where a Python number stands, and which."""


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
        self._latest: Program | None = None
        self._lines = 0
        self._dynamic: dict[tuple[int, Any], Any] = {}  # with the holders, whose ids must stay theirs
        self._fixed: set[tuple[int, Any]] = set()
        self._changed: set[str] = set()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        quick = self._quick
        if quick is not None and not kwargs and not modes.active:
            try:
                result = quick(*args)
                if result is not MISS:
                    return result
            except Diverged:
                pass
        return self._find(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def source(self) -> str:
        """The program of the last trace, as NumPy code that runs on its own: forward, backward and update."""
        if self._latest is None:
            why = (
                f"{self._lines:,} lines are not to be read" if self._lines else "call it once, so that shapes are known"
            )
            raise CompileError(f"compile({self.name}).source: {why}.")
        _name_results(self._latest, self.function)
        return source(simplified(_unboxed(self._latest), to_read=True), self.name)

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
            versions = self._versions.setdefault(key, [])
            candidates = []
            for version in versions:
                if version.run is None:
                    if version.holds():
                        candidates.append(version)
                    continue
                states = [generator.bit_generator.state for generator in version.draws]
                try:
                    result = version.run(*arrays)
                except Diverged:
                    for generator, state in zip(version.draws, states, strict=True):
                        generator.bit_generator.state = state
                    continue
                if result is not MISS:
                    if all(map(_plain, args)) and not (kwargs or version.draws or modes.active):
                        self._quick = version.run
                    return result
            self._quick = None
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
                if key not in self._fixed and place.get() != before:
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
        if self._lines > _LONG:
            self._latest = None
        if trace.changed:
            self._note_changes(trace)
            return trace.result
        self._changed.clear()
        for version in candidates:
            if version.program is not None and _same(version.program, trace.program, self.name):
                version.run, version.program = runner(finished(version.program), version.conditions), None
                return trace.result
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


class _Trace:
    """One run of a function on recording arrays, after which everything is as if it had run on plain ones."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        objects: list[Any],
        dynamic: dict[tuple[int, Any], Any],
    ):
        self.function, self.args, self.kwargs, self.objects, self.dynamic = function, args, kwargs, objects, dynamic
        self.name = called(function)
        self.recorder = Recorder(getattr(inspect.unwrap(function), "__code__", None))
        self.changed: dict[str, tuple[Place, tuple[int, Any] | None]] = {}
        self.loads: dict[Variable, Place] = {}
        self.traced: dict[Any, tuple[Place, Traced, Any]] = {}
        """By place: what stands there meanwhile, and what stood there before."""
        self.merged: dict[tuple[int, Any], Traced] = {}

    def places_of(self, traced: Traced) -> list[tuple[int, Any]]:
        """The dynamic numbers that this stands for."""
        return [key for key, other in self.merged.items() if other is traced]

    # ---------------------------------------------------------------- before, during, after

    def run(self) -> None:
        before = self.before = Surroundings(self.function, self.objects)
        collecting = gc.isenabled()
        gc.disable()  # a trace makes many objects, all of which stay
        hidden = _hidden_state()
        try:
            self._substitute(before)
            arguments: list[Variable] = []
            args = tuple(
                [
                    self._standing_for(part, name, arguments)
                    for part, name in zip_longest(self.args, _parameters(self.function)[: len(self.args)])
                ]
            )
            kwargs = {name: self._standing_for(part, name, arguments) for name, part in self.kwargs.items()}
            with modes.interpreting(self.recorder):
                result = self.function(*args, **kwargs)
            if _hidden_state() != hidden:
                raise CompileError(
                    f"compile({self.name}): it draws from np.random's hidden generator. Make one that "
                    f"it closes over, generator = np.random.default_rng(), and draw with generator.normal(...)."
                )
            after = Surroundings(self.function, self.objects)
            self._finish(before, after, result, arguments)
        except BaseException:
            self._undo(before)
            raise
        finally:
            self.recorder.live = False
            if collecting:
                gc.enable()

    def _undo(self, before: Surroundings) -> None:
        """Leave no trace of a run that failed."""
        before.restore()
        for place, _, original in reversed(self.traced.values()):
            before.put(place, original)
        for place, was in self.numbers.values():
            before.put(place, was)
        for value, (gradient, clock) in self.kept.items():
            value._grad, value._clock = gradient, clock
        for generator, state in self.states:
            generator.bit_generator.state = state
        for node, held in before.graphs:
            for name, content in held.items():
                setattr(node, name, content)

    def _stand(self, place: Place, content: Any, name: str) -> Traced:
        traced = self.recorder.source(content, name)
        self.loads[traced._variable] = place
        self.traced[id(place.holder), place.key] = place, traced, content
        return traced

    def _substitute(self, before: Surroundings) -> None:
        self.kept = {value: (value._grad, value._clock) for value in before.values}
        self.states = [(g, g.bit_generator.state) for place in before.generators for g in (place.get(),)]
        self.numbers: Numbers = {}
        self.conditions = list(before.conditions)
        for value, path in before.values.items():
            if not isinstance(value._array, np.ndarray | np.generic | float | int):
                raise CompileError(
                    f"compile({self.name}): {path} holds a {type(value._array).__module__} array, and "
                    f"programs are of NumPy's own."
                )
            place, slope = Place(value, "_array", True, path), Place(value, "_grad", True, f"{path}.grad")
            self.conditions.append((Place(value, "_tracked", True, path), "is", value._tracked))
            value._array = self._stand(place, value._array, _name(place))
            if isinstance(value._grad, np.ndarray | np.generic):
                value._grad = self._stand(slope, value._grad, f"old_{_name(slope)}")
        for place in before.arrays:
            before.put(place, self._stand(place, place.get(), _name(place)))
        for place in before.generators:
            generator = place.get()
            self.traced[id(place.holder), place.key] = place, None, generator  # type: ignore[assignment]
            before.put(place, TracedGenerator(generator, self.recorder))
        equal: dict[Any, Traced] = {}
        for place in before.numbers:
            key, content = (id(place.holder), place.key), place.get()
            if key not in self.dynamic:
                self.numbers[key] = place, content
                self.conditions.append((place, "==", content))
                continue
            self.conditions.append((place, "type", type(content)))
            traced = self._stand(place, content, _name(place))
            twin = equal.setdefault((place.key, content, type(content)), traced)
            if twin is not traced:  # as each parameter's count of steps: one number, as long as they are equal
                same = Variable("number", (), np.dtype(bool))
                expected = Call(Expect("truth", True), (same,), effect=True)
                self.recorder.calls += [Call(_equal, (traced._variable, twin._variable), {}, same), expected]
            self.merged[key] = twin
            before.put(place, twin)
            self.traced[id(place.holder), place.key] = place, twin, content

    def _standing_for(self, tree: Any, name: str | None, arguments: list[Variable]) -> Any:
        """Arguments with recording arrays in the place of arrays."""
        kind = type(tree)
        if kind is tuple or kind is list:
            return kind([self._standing_for(part, f"{name}_{i}", arguments) for i, part in enumerate(tree)])
        if kind is dict:
            return {key: self._standing_for(part, f"{name}_{key}", arguments) for key, part in tree.items()}
        if not _plain(tree) and kind is not Value:
            return tree
        traced = self.recorder.source(tree._array if kind is Value else tree, name)
        arguments.append(traced._variable)
        return _constant_of(traced) if kind is Value else traced

    def _finish(self, before: Surroundings, after: Surroundings, result: Any, arguments: list[Variable]) -> None:
        recorder = self.recorder
        writes: list[tuple[Place, Any]] = []
        for node, held in before.graphs:
            if node._grad is not held["_grad"] or node._inputs is not held["_inputs"]:
                raise CompileError(
                    f"compile({self.name}): it goes backward through {describe(node)}, which was computed "
                    f"outside of it. Compute it inside, or go on from its numbers, v.data."
                )
        if after.results:
            for place, value in after.results:
                if type(value._array) is Traced or type(value._grad) is Traced:
                    raise CompileError(
                        f"compile({self.name}): it leaves {describe(value)}, with its graph, in "
                        f"{place.path}, and a program builds no graph. Keep its numbers: v.data."
                    )
        for value, path in after.values.items():
            if value not in before.values:
                self.changed[path] = Place(value, "_array", True, path), None
        # The end of each place that was read, and of the gradients.
        for place, traced, original in [*self.traced.values()]:
            if traced is None:
                before.put(place, original)
                continue
            now = before.now(place)
            if now is traced:
                before.put(place, original)
            elif type(now) is Traced:
                writes.append((place, now))
            elif now is None and place.key == "_grad":
                writes.append((place, None))
            elif isinstance(now, np.ndarray | np.generic | int | float):
                writes.append((place, now))
            else:
                self.changed[place.path] = place, None
        for value in before.values:
            if value._grad is not None and (id(value), "_grad") not in self.traced:
                writes.append((Place(value, "_grad", True, f"{before.values[value]}.grad"), value._grad))
            if (id(value), "_grad") not in self.traced:
                self.conditions.append((Place(value, "_grad", True, ""), "is", None))
        for place in after.arrays:
            if type(place.get()) is Traced and (id(place.holder), place.key) not in self.traced:
                self.changed[place.path] = place, None
                content = place.get()._content
                if isinstance(content, bool | int | float) and content is not None:
                    self.changed[place.path] = place, (id(place.holder), place.key)
                after.put(place, _own(content))
        known = {(id(place.holder), place.key): place.get() for place in after.numbers}
        for key, (place, was) in self.numbers.items():
            if key in known and known[key] != was:
                self.changed[place.path] = place, key
        for place in after.numbers:
            key = id(place.holder), place.key
            if key not in self.numbers and key not in self.traced:
                self.changed[place.path] = place, key
        for condition in before.conditions:
            if condition[1] in ("is", "len", "==") and not _holds(condition):
                self.changed.setdefault(condition[0].path, (condition[0], None))
        # Everything is put back, or on, for real.
        noted: list[tuple[Place, Any]] = []
        for place, now in writes:
            content = _own(now._content) if type(now) is Traced else now
            if type(now) is Traced:
                now._variable.name = now._variable.name or ("" if place.key == "_grad" else "new_") + _name(place)
                noted.append((place, now._variable))
            elif now is None:
                noted.append((place, None))
            else:
                variable = Variable.of(now, _name(place))
                make = np.array if isinstance(now, np.ndarray) else type(now)
                recorder.calls.append(Call(make, (now,), {}, variable, "update"))
                noted.append((place, variable))
            before.put(place, content)
            if place.key == "_array" and type(place.holder) is Value:
                place.holder._clock = tick()
        for value in after.values:
            for name in ("_array", "_grad"):
                content = getattr(value, name)
                if type(content) is Traced:
                    setattr(value, name, _own(content._content))
        results = self._noted(result, before)
        self.result = self._given(result, before)
        self.program = Program(arguments, self.loads, recorder.calls, noted, results)

    # ---------------------------------------------------------------- what comes out

    def _noted(self, tree: Any, before: Surroundings) -> Any:
        """The result with variables in the place of what was traced."""
        kind = type(tree)
        if kind is Traced:
            return tree._variable
        if kind is Value:
            if tree in before.values or type(tree._array) is not Traced:
                return tree
            box = Variable("object")
            self.recorder.calls.append(Call(boxed, (tree._array._variable,), {}, box, "update"))
            return box
        if kind is tuple or kind is list:
            return kind([self._noted(part, before) for part in tree])
        if kind is dict:
            return {name: self._noted(part, before) for name, part in tree.items()}
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            return kind(*[self._noted(part, before) for part in tree])
        return tree

    def _given(self, tree: Any, before: Surroundings) -> Any:
        kind = type(tree)
        if kind is Traced:
            return _own(tree._content, read_only=False)
        if kind is Value:
            return tree if tree in before.values or type(tree._array) is not Traced else boxed(tree._array._content)
        if kind is tuple or kind is list:
            return kind([self._given(part, before) for part in tree])
        if kind is dict:
            return {name: self._given(part, before) for name, part in tree.items()}
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            return kind(*[self._given(part, before) for part in tree])
        return tree


def _hidden_state() -> Any:
    """Where np.random's own generator stands."""
    state = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    return state["pos"], state["key"].tobytes()


def _equal(a: Any, b: Any) -> Any:
    return a == b


def _constant_of(traced: Traced) -> Value:
    return Value(traced, requires_grad=False)


def _own(content: Any, read_only: bool = True) -> Any:
    """An array that shares memory with no other."""
    if isinstance(content, np.ndarray):
        content = content.copy("K")
        content.setflags(write=not read_only)
    return content


def _name(place: Place) -> str:
    """What a variable loaded from there is called."""
    if place.key == "_array" or place.key == "_grad":
        label = place.holder.label or place.path.removesuffix(".grad")
        return label if place.key == "_array" else f"grad_{label}"
    if place.key == "cell_contents" or isinstance(place.key, int):
        return place.path
    entry = re.search(r"\[(\d+)\]\[[^\]]*\]$", place.path)  # as of an optimiser's states[0]['m']
    return f"{place.key}_{entry[1]}" if entry else str(place.key)


@functools.cache
def _parameters(function: Callable[..., Any]) -> list[str]:
    """The names of a function's positional parameters."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _name_results(program: Program, function: Callable[..., Any]) -> None:
    """Call results as the function's own variables: each line that assigns to a name ends in what is so called."""
    try:
        lines, start = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return
    last = {call.line: call.result for call in program.calls if call.result is not None and call.part != "backward"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            for line in range(start + (node.end_lineno or node.lineno) - 1, start + node.lineno - 2, -1):
                result = last.get(line)
                if result is not None:
                    result.name = result.name or node.targets[0].id
                    break


def _plain(x: Any) -> bool:
    """Whether an argument is an array or a number that may be another one in each run."""
    kind = type(x)
    return kind is np.ndarray or kind is float or isinstance(x, np.generic)


def _signature(tree: Any, arrays: list[Any], objects: list[Any]) -> Any:
    """What must be the same for a program to fit: nesting, shapes and dtypes, and all that is no array."""
    kind = type(tree)
    if kind is np.ndarray or isinstance(tree, np.generic):
        arrays.append(tree)
        return kind, tree.shape, tree.dtype
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
        raise CompileError(f"A compiled function got a {kind.__module__}.{kind.__name__}: it takes NumPy's own arrays.")
    if not isinstance(tree, SETTINGS):
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
        content = place.get()
        if how == "is":
            return bool(content is wanted)
        if how == "len":
            return bool(len(content) == wanted)
        if how == "type":
            return type(content) is wanted
        return type(content) is type(wanted) and bool(content == wanted)
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


def _unboxed(program: Program) -> Program:
    """The same, giving arrays where it gives Values."""
    inside = {call.result: call.args[0] for call in program.calls if call.function is boxed}
    calls = [call for call in program.calls if call.function is not boxed]
    return program.with_calls(calls, lambda variable: inside.get(variable, variable))


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
    twin = dict(zip(first.arguments, second.arguments, strict=True))
    twin.update(zip(first.loads, second.loads, strict=False))
    for a, b in zip(first.calls, second.calls, strict=False):
        f, g = a.function, b.function
        if isinstance(f, Expect) and isinstance(g, Expect):
            if f.wanted != g.wanted:
                return False
        elif f != g and getattr(f, "__code__", 0) is not getattr(g, "__code__", 1):
            _differ(name, a, b)
        if not _equal_trees(a.args, b.args, twin) or not _equal_trees(a.kwargs, b.kwargs, twin):
            _differ(name, a, b)
        if a.result is not None and b.result is not None:
            twin[a.result] = b.result
    if len(first.calls) != len(second.calls):
        _differ(name, *(program.calls[-1] for program in (first, second)))
    return True


def _equal_trees(a: Any, b: Any, twin: dict[Variable, Variable]) -> bool:
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is Variable:
        return twin.get(a) is b
    if kind is tuple or kind is list:
        return len(a) == len(b) and all(_equal_trees(x, y, twin) for x, y in zip(a, b, strict=True))
    if kind is dict:
        return a.keys() == b.keys() and all(_equal_trees(x, b[name], twin) for name, x in a.items())
    if kind is slice:
        return _equal_trees((a.start, a.stop, a.step), (b.start, b.stop, b.step), twin)
    if isinstance(a, np.ndarray):
        return a is b or (a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    return a is b or bool(a == b) or (a != a and b != b)


def _differ(name: str, a: Call, b: Call) -> None:
    what = getattr(a.function, "__name__", "a call")
    raise CompileError(
        f"compile({name}): two calls with arguments of the same shapes, and nothing changed around them, did different "
        f"things, first at {what}{[v.shape for v in a.operands]}: a number came in that compile does not see, as from "
        f"an iterator, a clock, a file or an object of a C extension. Compute it outside and pass it as an argument."
    )


# -------------------------------------------------------------------- what users call


def compile(function: Any, *, inputs: Sequence[Value] = (), wrt: Sequence[Value] | None = None) -> Compiled:
    """A function that runs as a straight line of NumPy calls, without building a graph.

    The first two or three calls run the function as it is and note every NumPy call that it makes: of the forward pass,
    of ``backward()`` inside, of an optimiser's step. When two calls have done the same, it becomes a program, with its
    memory planned, that later calls run. Numbers come out as they would, bit for bit, save that in a graph of many
    single numbers, which is computed in waves, sums are taken in another order.

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
        clock, draws from a hidden generator, or changes something in Python with each call; if what it does depends on
        something that cannot be seen, such as an iterator; if an argument requires a gradient or is of another
        library than NumPy.
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
    ...     w.data -= 0.1 * w.grad
    ...     return loss
    >>> x, t = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    >>> [round(step(x, t).item(), 3) for _ in range(5)]
    [30.5, 6.605, 5.013, 4.673, 4.398]
    >>> step
    <compiled step: 1 program, 3 traces>

    A graph that exists, for other data:

    >>> a = Value(3.0, label="a")
    >>> again = compile(a**2 + a, inputs=[a], wrt=[a])
    >>> again(5.0)
    (np.float64(30.0), (np.float64(11.0),))
    """
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
        made: dict[Value, Value] = {value: value for value in leaves}
        for value, array in zip(inputs, arrays, strict=True):
            made[value] = Value(array, label=value.label, requires_grad=value.requires_grad)
        for node in order:
            params = node.params and {name: part for name, part in node.params.items() if name != "saved"}
            made[node] = record(cast(Op, node.op), tuple([made.get(value, value) for value in node.inputs]), params)
        result = made[root]
        if wrt is None:
            return result.data
        targets = [made[value] for value in wrt]
        gradients = reverse([result], [seed_for(result, None, False)], wrt=targets)
        slopes = [conjugate(gradients[value]) if value in gradients else np.zeros_like(value.data) for value in targets]
        return result.data, tuple(slopes)

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
        As `compile`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import gradient_source
    >>> def squared_error(w, x, t):
    ...     error = x @ w - t
    ...     return (error * error).sum()
    >>> print(gradient_source(squared_error, np.zeros(2), np.ones((3, 2)), np.ones(3)))
    TODO
    """
    trace = _Trace(value_and_grad(function, argnums), args, {}, [], {})
    trace.run()
    program = trace.program
    _name_results(program, function)
    names, numbers = _parameters(function), argnums if isinstance(argnums, tuple) else (argnums,)
    for number, gradient in zip(numbers, variables(program.results[1:]), strict=False):
        gradient.name = f"grad_{names[number]}" if number < len(names) else None
    return source(simplified(program, to_read=True), f"{called(function)}_and_gradient")


def finished(program: Program) -> Program:
    """As it runs: in waves if it is of single numbers, with parameters in one array and memory that is used again."""
    return planned(arena(in_waves(simplified(program))))
