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
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import modes, rendering
from .backward import reverse, seed_for
from .capture import Recorder, Traced, TracedGenerator, UntraceableError, boxed
from .closure import Condition, Surroundings
from .errors import CompileError, GraphError
from .graph import describe, topological
from .program import Call, Diverged, Expect, Place, Program, Variable, mapped
from .rendering import MISS, runner
from .transforms import value_and_grad
from .value import Value, record, tick

_tracing = threading.RLock()
"""While a function is traced, what it closes over holds recording arrays: one at a time."""

_MOST = 16
"""How many programs are kept for one signature."""


Numbers = dict[tuple[int, Any], tuple[Place, Any]]
"""By the id of the holder and the key: where a Python number stands, and which."""


class _Version:
    """A trace, the conditions under which it holds, and, when a second trace has confirmed it, its program."""

    def __init__(self, program: Program, conditions: list[Condition], numbers: Numbers):
        self.program, self.conditions, self.numbers = program, conditions, numbers
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
        functools.update_wrapper(self, function)
        self.function, self.traces = function, 0
        self._versions: dict[Any, list[_Version]] = {}
        self._quick: Callable[..., Any] | None = None
        self._latest: Program | None = None
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
            raise CompileError(f"compile({self.__name__}): no program yet; call it once, so that shapes are known.")
        return rendering.source(simplified(self._latest), self.__name__)

    def __repr__(self) -> str:
        programs = sum(version.run is not None for versions in self._versions.values() for version in versions)
        return f"<compiled {self.__name__}: {programs} program{'' if programs == 1 else 's'}, {self.traces} traces>"

    # ---------------------------------------------------------------- finding a program

    def _find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if modes.active:
            state = modes.now()
            if state.interpreter is not None or state.watching or not state.recording or state.born is not None:
                return self.function(*args, **kwargs)  # inside another trace, or under anomaly: in the open
        arrays: list[Any] = []
        key = _signature((args, kwargs), arrays)
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
                    if all(map(_plain, args)) and not kwargs and not version.draws:
                        self._quick = version.run
                    return result
            self._quick = None
            return self._trace(args, kwargs, versions, candidates)

    def _trace(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], versions: list[_Version], candidates: list[_Version]
    ) -> Any:
        """Run the function and note what it does; make a program of it when that has been seen before."""
        for version in versions:  # a number that changed between two calls is read in each run from now on
            for key, (place, before) in version.numbers.items():
                if key not in self._fixed and place.get() != before:
                    self._dynamic[key] = place.holder
        while True:
            trace = _Trace(self.function, args, kwargs, self._dynamic)
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
        self._latest = trace.program
        if trace.changed:
            self._note_changes(trace)
            return trace.result
        self._changed.clear()
        for version in candidates:
            if _same(version.program, trace.program, self.__name__):
                version.run = runner(finished(version.program), version.conditions)
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
                f"compile({self.__name__}): each call changes {sorted(again)[0]} in Python, which a program cannot do. "
                f"Return what is to be kept, and keep it outside."
            )
        self._changed = set(trace.changed)


class _Trace:
    """One run of a function on recording arrays, after which everything is as if it had run on plain ones."""

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any, dynamic: dict[tuple[int, Any], Any]):
        self.function, self.args, self.kwargs, self.dynamic = function, args, kwargs, dynamic
        self.recorder = Recorder(getattr(function, "__code__", None))
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
        before = self.before = Surroundings(self.function)
        hidden = _hidden_state()
        try:
            self._substitute(before)
            arguments: list[Variable] = []
            args, kwargs = self._standing_for((self.args, self.kwargs), arguments)
            with modes.interpreting(self.recorder):
                result = self.function(*args, **kwargs)
            if _hidden_state() != hidden:
                raise CompileError(
                    f"compile({self.function.__name__}): it draws from np.random's hidden generator. Make one that "
                    f"it closes over, generator = np.random.default_rng(), and draw with generator.normal(...)."
                )
            after = Surroundings(self.function)
            self._finish(before, after, result, arguments)
        except BaseException:
            for place, _, original in reversed(self.traced.values()):
                before.put(place, original)
            for value, (gradient, clock) in self.kept.items():
                value._grad, value._clock = gradient, clock
            raise
        finally:
            self.recorder.live = False

    def _stand(self, place: Place, content: Any, name: str) -> Traced:
        traced = self.recorder.source(content, name)
        self.loads[traced._variable] = place
        self.traced[id(place.holder), place.key] = place, traced, content
        return traced

    def _substitute(self, before: Surroundings) -> None:
        self.kept = {value: (value._grad, value._clock) for value in before.values}
        self.numbers: dict[tuple[int, Any], tuple[Place, Any]] = {}
        self.conditions = list(before.conditions)
        for value, path in before.values.items():
            name = value.label or path
            place, slope = Place(value, "_array", True, path), Place(value, "_grad", True, f"{path}.grad")
            self.conditions.append((Place(value, "_tracked", True, path), "is", value._tracked))
            value._array = self._stand(place, value._array, name)
            if isinstance(value._grad, np.ndarray | np.generic):
                value._grad = self._stand(slope, value._grad, f"old_grad_{name}")
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

    def _standing_for(self, tree: Any, arguments: list[Variable]) -> Any:
        """Arguments with recording arrays in the place of arrays."""
        kind = type(tree)
        if kind is tuple or kind is list:
            return kind([self._standing_for(part, arguments) for part in tree])
        if kind is dict:
            return {name: self._standing_for(part, arguments) for name, part in tree.items()}
        if not _plain(tree) and kind is not Value:
            return tree
        traced = self.recorder.source(tree._array if kind is Value else tree)
        arguments.append(traced._variable)
        return _constant_of(traced) if kind is Value else traced

    def _finish(self, before: Surroundings, after: Surroundings, result: Any, arguments: list[Variable]) -> None:
        recorder, writes = self.recorder, []
        if after.results:
            for place, value in after.results:
                if type(value._array) is Traced or type(value._grad) is Traced:
                    raise CompileError(
                        f"compile({self.function.__name__}): it leaves {describe(value)}, with its graph, in "
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
                now._variable.name = now._variable.name or _name(place)
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
    name = place.path.rsplit(".", 1)[-1] if place.key in ("_array", "_grad") else str(place.key)
    return place.path if name in ("grad", "cell_contents") else name


def _plain(x: Any) -> bool:
    """Whether an argument is an array or a number that may be another one in each run."""
    kind = type(x)
    return kind is np.ndarray or kind is float or isinstance(x, np.generic)


def _signature(tree: Any, arrays: list[Any]) -> Any:
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
        return Value, _signature(tree._array, [])
    if kind is tuple or kind is list:
        return kind, tuple([_signature(part, arrays) for part in tree])
    if kind is dict:
        return dict, tuple([(name, _signature(part, arrays)) for name, part in tree.items()])
    if isinstance(tree, np.ndarray) or hasattr(kind, "__array_function__"):
        raise CompileError(f"A compiled function got a {kind.__module__}.{kind.__name__}: it takes NumPy's own arrays.")
    try:
        hash(tree)
    except TypeError:
        raise CompileError(
            f"A compiled function got a {kind.__name__}, of which it cannot tell whether it has changed. Pass arrays, "
            f"numbers, strings, and tuples, lists and dicts of these; or close over it."
        ) from None
    return kind, tree


def _holds(condition: Condition) -> bool:
    place, how, wanted = condition
    try:
        content = place.get()
        if how == "is":
            return content is wanted
        if how == "len":
            return len(content) == wanted
        if how == "type":
            return type(content) is wanted
        return type(content) is type(wanted) and bool(content == wanted)
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


def compile(function: Any = None, *, inputs: Sequence[Value] = (), wrt: Sequence[Value] | None = None) -> Any:
    """TODO"""
    if isinstance(function, Value):
        return Compiled(_of_graph(function, tuple(inputs), None if wrt is None else tuple(wrt)))
    if function is None:
        return functools.partial(compile)
    if not callable(function):
        raise CompileError(f"compile({function!r:.60}): a function is wanted, or a Value and its inputs.")
    return Compiled(function)


def _of_graph(root: Value, inputs: tuple[Value, ...], wrt: tuple[Value, ...] | None) -> Callable[..., Any]:
    """A function of the inputs that computes a graph again."""
    order = topological([root], set(inputs))
    leaves = tuple(dict.fromkeys(v for node in order for v in node.inputs if v.is_leaf and v not in inputs))
    for value in inputs:
        if value is not root and not any(value in node.inputs for node in order):
            raise GraphError(f"compile(..., inputs=...): {describe(root)} does not depend on {describe(value)}.")

    def frozen(*arrays: Any) -> Any:
        made: dict[Value, Value] = {value: value for value in leaves}
        made.update(
            (value, Value(array, label=value.label, requires_grad=value.requires_grad))
            for value, array in zip(inputs, arrays, strict=True)
        )
        for node in order:
            params = node.params and {name: part for name, part in node.params.items() if name != "saved"}
            made[node] = record(node.op, tuple([made.get(v, v) for v in node.inputs]), params)
        result = made[root]
        if wrt is None:
            return result
        targets = [made[value] for value in wrt]
        gradients = reverse([result], [seed_for(result, None, False)], wrt=targets)
        return result, tuple([gradients.get(v, np.zeros(v.shape)) for v in targets])

    return frozen


def gradient_source(function: Callable[..., Any], *args: Any, argnums: Any = 0) -> str:
    """TODO"""
    trace = _Trace(value_and_grad(function, argnums), args, {}, {})
    trace.run()
    return rendering.source(simplified(trace.program), f"{function.__name__}_and_gradient")


def simplified(program: Program) -> Program:
    return program


def finished(program: Program) -> Program:
    return program


__all__ = ["Compiled", "compile", "gradient_source", "mapped"]
