"""Arenas: what an optimiser moves lies in one flat array, so that a step takes a few calls in all.

The new data of each parameter, and of each array that an optimiser remembers of it, is computed elementwise, by the
same calls for one parameter as for the next. So the parameters lie one behind the other in a flat array, likewise their
gradients, likewise what is remembered, and the calls are made once, on the flat arrays, in place. What stands in the
Values and dicts outside are views.

As nothing that is handed out may change later, an `Arena` looks before each run whether anybody else holds one of its
arrays, which their reference counts tell; then it takes new memory, and leaves the old to whoever holds it.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from .lowering import contiguous
from .planning import Classes, differs_in_place, sharing, takes_out
from .program import Call, DivergedError, Place, Program, Variable, mapped, uses

_refcount: Callable[[Any], int] | None = getattr(sys, "getrefcount", None)
if not getattr(sys, "_is_gil_enabled", lambda: True)():
    _refcount = None  # the counts say nothing there


class Slot:
    """One flat array, and whose parts it is made of.

    Parameters
    ----------
    places : sequence of Place
        Where the views stand outside; empty for what stands nowhere.
    shapes : sequence of tuple of int
        Of the views, in the order in which they lie.
    dtype : numpy.dtype
    kept : bool
        Whether a run reads what was there before.
    """

    def __init__(self, places: Sequence[Place], shapes: Sequence[tuple[int, ...]], dtype: Any, kept: bool):
        self.places, self.shapes, self.dtype, self.kept = list(places), list(shapes), dtype, kept
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
        self.pieces = [Piece(a, b, shape) for a, b, shape in zip([0, *ends], ends, shapes, strict=False)]
        self.size: int = ends[-1]

    def fits(self, content: Any, piece: Piece) -> bool:
        """Whether something can be copied into that part."""
        return type(content) is np.ndarray and content.shape == piece.shape and content.dtype == self.dtype

    @property
    def key(self) -> Any:
        """What makes two of them the same."""
        places = tuple([(id(place.holder), place.key, place.attribute) for place in self.places])
        return places, tuple(self.shapes), self.dtype, self.kept


class Piece:
    """Cuts one of the parts out of a flat array. With an `out`, it says that this view is what it would make."""

    def __init__(self, start: int, stop: int, shape: tuple[int, ...]):
        self.start, self.stop, self.shape = start, stop, shape

    def __call__(self, flat: np.ndarray) -> np.ndarray:
        return flat[self.start : self.stop].reshape(self.shape)


def flattened(*arrays: np.ndarray) -> np.ndarray:
    """Arrays, one behind the other. With an `out`, it says that they lie there already."""
    return np.concatenate([array.ravel() for array in arrays])


class Arena:
    """Flat arrays, and their parts as they stand in Values and dicts.

    Attributes
    ----------
    slots : list of Slot
    held : tuple of ndarray
        The flat arrays, then the parts of the first, of the second, ...
    counts : list of int
        The reference counts of these if nobody else holds any.
    lock : threading.Lock
        Held during a run.
    """

    def __init__(self, slots: Sequence[Slot]):
        self.slots = list(slots)
        self.lock = threading.Lock()
        self.held: tuple[np.ndarray, ...] = ()
        self.counts = [-1]  # so that the first run is told to renew
        self.counts_references = _refcount is not None

    def __getitem__(self, number: int) -> np.ndarray:
        return self.renew()[number]

    def number(self, slot: int, part: int | None = None) -> int:
        """Where a flat array, or a part of one, stands in `held`."""
        if part is None:
            return slot
        return len(self.slots) + sum(len(s.pieces) for s in self.slots[:slot]) + part

    def views(self) -> Iterator[tuple[int, Slot, Piece, Place]]:
        """What stands outside: where in `held`, of which flat array, which part of it, and where outside."""
        number = len(self.slots)
        for slot in self.slots:
            for k, place in enumerate(slot.places):
                yield number + k, slot, slot.pieces[k], place
            number += len(slot.pieces)

    def renew(self, fresh: bool = False) -> tuple[np.ndarray, ...]:
        """Bring in what has been replaced outside; into new memory if anybody else holds the old, or if `fresh`.

        Raises
        ------
        DivergedError
            If something of another shape or dtype stands there now.
        """
        for _, slot, piece, place in self.views():
            if slot.kept and not slot.fits(_content(place), piece):
                raise DivergedError
        new = fresh or not self.held or not self._alone()
        if new:
            old, self.held = self.held, self._made()
            del old
        for number, slot, piece, place in self.views():
            if slot.kept and _content(place) is not self.held[number]:
                piece(self.held[self.slots.index(slot)])[...] = _content(place)
                place.set(self.held[number])
        if new and _refcount is not None:
            self.counts = [*map(_refcount, self.held)]
            for number, slot, _, _ in self.views():
                self.counts[number] += not slot.kept  # which a run puts in its place
        return self.held

    def _alone(self) -> bool:
        """Whether nobody else holds any of the arrays."""
        if _refcount is None:
            return False
        expected = [*self.counts]
        for number, _, _, place in self.views():
            expected[number] -= _content(place) is not self.held[number]
        return [*map(_refcount, self.held)] == expected

    def _made(self) -> tuple[np.ndarray, ...]:
        flats = [np.zeros(slot.size, slot.dtype) for slot in self.slots]
        parts = [[piece(flat) for piece in slot.pieces] for slot, flat in zip(self.slots, flats, strict=True)]
        for slot, views in zip(self.slots, parts, strict=True):
            for place, view in zip(slot.places, views, strict=False):
                if place.attribute and place.key == "_array":
                    view.setflags(write=False)
        return tuple(chain(flats, *parts))


def _content(place: Place) -> Any:
    try:
        return place.get()
    except (AttributeError, LookupError):
        return None


_known: weakref.WeakValueDictionary[Any, Arena] = weakref.WeakValueDictionary()


def arena_of(slots: Sequence[Slot]) -> Arena:
    """An arena for these; the same one if another program has it already."""
    key = tuple([slot.key for slot in slots])
    found = _known.get(key)  # as long as it lives, so do the holders, and their ids are theirs
    if found is None:
        found = _known[key] = Arena(slots)
    return found


# -------------------------------------------------------------------- the pass


class _Part:
    """The calls that compute what becomes of one parameter, and of all that is remembered of it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.nodes: dict[Variable, int] = {}
        self.leaves: dict[Variable, int] = {}
        self.roots: list[tuple[Place, Variable]] = []

    def add(self, call: Call, inside: set[Variable]) -> None:
        for operand in call.operands:
            if operand not in inside and operand.kind == "array" and operand.shape and operand not in self.leaves:
                self.leaves[operand] = len(self.leaves)
        self.calls.append(call)
        if call.result is not None:
            self.nodes[call.result] = len(self.nodes)

    def spelled(self, content: Any) -> Any:
        """An operand, in what is the same for parts that do the same."""
        if type(content) is Variable:
            if content in self.nodes:
                return "node", self.nodes[content]
            if content in self.leaves:
                return "leaf", self.leaves[content]
            return "shared", id(content)
        if isinstance(content, np.ndarray):
            return "array", content.shape, content.dtype.str, content.tobytes()
        return type(content), repr(content)

    def signature(self, kept: dict[Variable, int]) -> Any:
        calls = [(call.function, *map(self.spelled, call.args)) for call in self.calls]
        dtypes = [str(variable.dtype) for variable in (*self.nodes, *self.leaves)]
        leaves = [kept.get(variable) for variable in self.leaves]
        roots = [(place.key, place.attribute, self.spelled(variable)) for place, variable in self.roots]
        return tuple(calls), tuple(dtypes), tuple(leaves), tuple(roots)


def arena(program: Program) -> Program:
    """The same program with its update on flat arrays, in place, wherever several parameters are updated alike.

    Parameters
    ----------
    program : Program

    Returns
    -------
    Program
        Its loads of parameters and of what an optimiser remembers are parts of an `Arena`; its gradients are computed
        into parts of one.
    """
    places = {(id(place.holder), place.key): variable for variable, place in program.loads.items()}
    classes, _ = sharing(program)
    wanted = Counter(classes.of(variable) for variable in program.wanted)
    parts = _parts(program)
    groups: dict[Any, list[_Part]] = {}
    kept_of: dict[_Part, dict[Variable, int]] = {}
    for part in parts:
        kept = kept_of[part] = {}
        loaded = [places.get((id(place.holder), place.key)) for place, _ in part.roots]
        for number, variable in enumerate(loaded):
            if variable is not None and part.roots[number][1] in part.nodes:
                kept[variable] = number
        if (
            len({variable for _, variable in part.roots}) == len(part.roots)
            and all(contiguous(variable) and variable.size for _, variable in part.roots)
            and all(v in part.leaves and contiguous(v) for v in kept)
            and not any(wanted[classes.of(v)] for v in loaded if v is not None)
        ):
            groups.setdefault(part.signature(kept), []).append(part)
    if not groups:
        return program
    return _Laid(program, list(groups.values()), kept_of, classes, wanted).program()


def _alike(call: Call) -> bool:
    """Whether it is an elementwise function of arrays of one shape, and of numbers."""
    result, function = call.result, call.function
    if call.part != "update" or call.kwargs or call.effect or call.out is not None or result is None:
        return False
    if not isinstance(function, np.ufunc) or function.signature is not None or function.nout != 1:
        return False
    if result.kind != "array" or not result.shape or result.dtype.kind not in "fc":
        return False
    for operand in call.args:
        if type(operand) is Variable:
            if operand.kind == "object" or (operand.kind == "array" and operand.shape not in ((), result.shape)):
                return False
            if operand.kind == "array" and operand.shape and operand.dtype.kind not in "fciu":
                return False
        elif np.ndim(operand):
            return False
    return True


def _parts(program: Program) -> list[_Part]:
    """What belongs together in the update, each part by itself."""
    readers = uses(program.calls)
    roots: dict[Variable, int] = Counter(v for place, v in program.writes if not isinstance(place.holder, tuple))
    wanted = Counter(program.wanted)
    inside: set[Variable] = set()
    together = Classes()
    for call in reversed(program.calls):
        result: Any = call.result
        if not _alike(call) or wanted[result] != roots.get(result, 0):
            continue
        following = [reader.result for reader in readers.get(result, ())]
        if not (following or roots.get(result)) or any(other not in inside for other in following):
            continue
        inside.add(result)
        together.unite(result, [other for other in following if other is not None])
        together.unite(result, [v for v in call.operands if v.kind == "array" and v.shape])
    parts: dict[Variable, _Part] = {}
    for call in program.calls:
        if call.result in inside:
            parts.setdefault(together.of(call.result), _Part()).add(call, inside)
    for place, variable in program.writes:
        part = parts.get(together.of(variable)) if type(variable) is Variable else None
        if part is not None and (variable in part.nodes or variable in part.leaves):
            part.roots.append((place, variable))
    return list(parts.values())


class _Laid:
    """A program being laid out on flat arrays."""

    def __init__(
        self,
        program: Program,
        groups: list[list[_Part]],
        kept_of: dict[_Part, dict[Variable, int]],
        classes: Classes,
        wanted: Counter[Variable],
    ):
        self.before, self.groups, self.kept_of, self.classes, self.wanted = program, groups, kept_of, classes, wanted
        self.slots: list[Slot] = []
        self.views: dict[tuple[int, int], Variable] = {}
        self.loaded = {(id(place.holder), place.key) for place in program.loads.values()}
        self.loads: dict[Variable, tuple[int, int | None]] = {}
        """Variables that are flat arrays or parts of one: which, and which part."""
        self.out: dict[Variable, Variable] = {}
        self.tail: list[Call] = []
        self.renamed: dict[Variable, Variable] = {}
        self.gone: set[Variable] = set()

    def program(self) -> Program:
        """The program when all groups are laid out."""
        before = self.before
        producers = {call.result: call for call in before.calls if call.result is not None}
        for group in self.groups:
            self._lay(group, producers)
        memory = arena_of(self.slots)
        calls = []
        for call in before.calls:
            if call.result in self.gone:
                continue
            if call.result in self.out:
                out = self.out[call.result]
                call = Call(call.function, call.args, call.kwargs, call.result, call.part, call.effect, out)
            calls.append(call)
        loads = {variable: place for variable, place in before.loads.items() if variable not in self.loads}
        loads.update(
            (variable, Place(memory, memory.number(*where), False, f"arena[{memory.number(*where)}]"))
            for variable, where in self.loads.items()
        )
        writes = [(place, mapped(lambda v: self.renamed.get(v, v), variable)) for place, variable in before.writes]
        return Program(before.arguments, loads, [*calls, *self.tail], writes, before.results)

    def _slot(self, places: list[Place], variables: list[Variable], kept: bool, name: str) -> tuple[int, Variable]:
        """A new flat array for what such variables hold, and the variable for it."""
        slot = Slot(places, [variable.shape for variable in variables], variables[0].dtype, kept)
        flat = Variable("array", (slot.size,), slot.dtype, (slot.dtype.itemsize,), name=name)
        self.slots.append(slot)
        self.loads[flat] = len(self.slots) - 1, None
        return len(self.slots) - 1, flat

    def _view(self, slot: int, part: int, model: Variable) -> Variable:
        """The variable for a part of a flat array."""
        view = self.views.get((slot, part))
        if view is None:
            view = self.views[slot, part] = Variable("array", model.shape, model.dtype, model.strides)
            self.loads[view] = slot, part
        return view

    def _lay(self, group: list[_Part], producers: dict[Variable, Call]) -> None:
        first = group[0]
        kept, leaves = self.kept_of[first], zip(*[part.leaves for part in group], strict=True)
        targets: dict[int, tuple[int, Variable]] = {}  # of roots that are computed here: their flat arrays
        flats: dict[Variable, Variable] = {}  # of the first part's variables: what they are on the flat arrays
        free: dict[Variable, Variable] = {}  # by what is gathered for nobody outside: its flat array
        for variables in leaves:
            leaf = variables[0]
            number = kept.get(leaf, next((n for n, (_, root) in enumerate(first.roots) if root is leaf), None))
            places = [] if number is None else [part.roots[number][0] for part in group]
            name = "gathered" if number is None else _title(places[0])
            slot, flat = self._slot(places, list(variables), leaf in kept, name)
            if leaf in kept:
                assert number is not None
                targets[number], flats[leaf] = (slot, flat), flat
                for i, variable in enumerate(variables):
                    self.views[slot, i] = variable
                    self.loads[variable] = slot, i
                continue
            parts = [self._gathered(variable, slot, i, producers, places) for i, variable in enumerate(variables)]
            whole = flats[leaf] = Variable("array", flat.shape, leaf.dtype, flat.strides)
            self.tail.append(Call(flattened, tuple(parts), {}, whole, "update", out=flat))
            if number is None:
                free[whole] = flat
        for number, (place, root) in enumerate(first.roots):
            if number not in targets and root in first.nodes:
                places = [part.roots[number][0] for part in group]
                roots = [part.roots[number][1] for part in group]
                targets[number] = self._slot(places, roots, False, _title(place))
        self._compute(first, flats, targets, free)
        for number, (slot, _) in targets.items():
            for i, part in enumerate(group):
                root = part.roots[number][1]
                piece, view = self.slots[slot].pieces[i], self._view(slot, i, root)
                self.tail.append(Call(piece, (flats[first.roots[number][1]],), {}, root, "update", out=view))
        for part in group:
            self.gone.update(part.nodes)

    def _gathered(
        self, variable: Variable, slot: int, part: int, producers: dict[Variable, Call], places: list[Place]
    ) -> Variable:
        """The variable, computed into its part of a flat array, or a copy of it there."""
        view, producer = self._view(slot, part, variable), producers.get(variable)
        alone = self.wanted[self.classes.of(variable)] == bool(places) and not variable.owners
        if places and (id(places[part].holder), places[part].key) in self.loaded:
            alone = False  # what stands there now may be read until the end
        if producer is not None and alone and contiguous(variable) and takes_out(producer):
            self.out[variable] = view
            return variable
        copy = Variable("array", variable.shape, variable.dtype, view.strides)
        self.tail.append(Call(np.positive, (variable,), {}, copy, "update", out=view))
        if places:
            self.renamed[variable] = copy
        return copy

    def _compute(
        self,
        part: _Part,
        flats: dict[Variable, Variable],
        targets: dict[int, tuple[int, Variable]],
        free: dict[Variable, Variable],
    ) -> None:
        """The calls of a part on the flat arrays, in place where what stood there is needed no more."""
        last = {flats[v]: k for k, call in enumerate(part.calls) for v in call.operands if v in flats}
        late = []
        goals = {part.roots[number][1]: flat for number, (_, flat) in targets.items()}
        for k, call in enumerate(part.calls):
            result: Any = call.result
            flat = next(iter(flats.values()))
            new = Variable("array", flat.shape, np.dtype(result.dtype), (result.dtype.itemsize,))
            out = goals.get(result)
            apart = differs_in_place(new)
            if out is not None and last.get(out, -1) > k - apart:
                late.append((new, out))
                out = None
            elif out is None and not apart:
                dying = [flats[v] for v in call.operands if v in flats and flats[v] in free and last[flats[v]] == k]
                out = next((free.pop(v) for v in dying if v.dtype == new.dtype), None)
            args = mapped(lambda v: flats.get(v, v), call.args)
            self.tail.append(Call(call.function, args, {}, new, "update", out=out))
            flats[result] = new
        for new, out in late:
            self.tail.append(Call(np.positive, (new,), {}, Variable("array", new.shape, new.dtype), "update", out=out))


def _title(place: Place) -> str:
    """What all that stands in such places is called."""
    key = str(place.key) if isinstance(place.key, str | int) else type(place.key).__name__
    return {"_array": "parameters", "_grad": "gradients"}.get(key, f"all_{key}")
