"""Waves: a program of many single numbers, as few calls on arrays of numbers.

Calls of one function at one depth of the graph do not depend on each other, so that they can be one call on arrays: a
wave. All numbers lie in one flat array, in which every wave has its part. Its operands are gathered from there by their
places, and it writes its results where the next ones gather them:

    numbers[400:800] = np.multiply(numbers.take(places), numbers.take(other_places))

Chains of additions, ``a + b + c + ...``, which sums and gradients are made of, count as one operation: a sum of many
terms. Sums at the same depth are the columns of one array, whose rows are added up one after the other, in the order in
which the program would have done it.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .program import Call, Program, Variable

FEWEST = 200
"""With fewer calls on numbers than these, a program is not looked at."""

QUICK, SLOW, WAVE = 0.05, 0.5, 1.5
"""What a call on numbers takes, of an operator and of a ufunc, and what a wave, in microseconds."""

FLOAT64, BOOL = np.dtype(np.float64), np.dtype(np.bool_)

OPERATORS: dict[Any, Any] = {
    operator.add: np.add, operator.sub: np.subtract, operator.mul: np.multiply, operator.truediv: np.true_divide,
    operator.pow: np.power, operator.mod: np.remainder, operator.floordiv: np.floor_divide, operator.neg: np.negative,
    operator.abs: np.absolute, operator.lt: np.less, operator.le: np.less_equal, operator.gt: np.greater,
    operator.ge: np.greater_equal, operator.eq: np.equal, operator.ne: np.not_equal, operator.and_: np.logical_and,
    operator.or_: np.logical_or, operator.xor: np.logical_xor, operator.invert: np.logical_not,
    np.bitwise_and: np.logical_and, np.bitwise_or: np.logical_or, np.bitwise_xor: np.logical_xor,
    np.invert: np.logical_not, np.where: np.where,
}  # fmt: skip
"""What an operator comes to, on floating numbers, of which 0.0 and 1.0 stand for False and True."""


def in_waves(program: Program) -> Program:
    """A program whose calls on numbers are gathered into waves, where that pays; all others are as they were.

    No sum is taken in another order. What may differ in the last digit are functions that NumPy computes in another way
    for many numbers than for one, such as powers.
    """
    if len(program.calls) < FEWEST:
        return program
    graph = _Graph(program)
    if len(graph.original) < FEWEST:
        return program
    alone = sum(QUICK if function in _QUICK else SLOW for function in graph.original)
    if alone < WAVE * len(set(graph.level)):  # a wave at each level, at the least
        return program
    waves = graph.waves()
    if alone < WAVE * len(waves):
        return program
    return _Emission(program, graph, waves).program()


def _of_floats(function: Any) -> Any:
    """The ufunc, or np.where, that does for arrays of floats what a function does for numbers; None if none does."""
    try:
        known = OPERATORS.get(function, function)
    except TypeError:
        return None
    if known is np.where:
        return known
    if not isinstance(known, np.ufunc) or known.signature is not None or known.nout != 1:
        return None
    return known if {"d->d", "dd->d", "d->?", "dd->?"} & set(known.types) else None


NUMBERS = {float, int, bool, np.float64, np.bool_}
_QUICK = {f for f in OPERATORS if getattr(f, "__module__", "") == "_operator"}


class _Graph:
    """The calls on numbers of a program, by numbers themselves.

    A node is a call on numbers, or a number that comes from elsewhere; a constant is told by a negative number.

    Attributes
    ----------
    number, variables : dict and list
        The node of each variable, and the variable of each node.
    function, operands, part : dicts
        For each node that is to be computed what computes it on arrays, of which nodes and constants (of a sum all its
        terms), and in which part of the program.
    original : list of callable
        What stood in the program.
    level : list of int
        At what depth each node is known.
    inputs : list of int
        The nodes that come from elsewhere.
    elsewhere : list of (int, int)
        The other calls: after which level each can be made, and its place among the calls.
    """

    def __init__(self, program: Program):
        self.program = program
        self.number: dict[Variable, int] = {}
        self.variables: list[Variable] = []
        self.constants: dict[Any, int] = {}
        self.values: list[float] = []
        self.function: dict[int, Any] = {}
        self.original: list[Any] = []
        self.operands: dict[int, Any] = {}
        self.part: dict[int, str] = {}
        self.uses: list[int] = []
        self.inputs: list[int] = []
        self.elsewhere: list[tuple[int, int]] = []
        self.order: list[int] = []  # the calls of the program: node, or -1 - index of a call on something else
        self._look()
        self._drop_the_dead()
        self._find_levels()

    # ---------------------------------------------------------------- which calls are calls on numbers

    def _look(self) -> None:
        known: dict[Any, Any] = {}
        number, uses, order = self.number, self.uses, self.order
        for index, call in enumerate(self.program.calls):
            function, result = call.function, call.result
            operands = None
            if result is not None and not result.shape and not (call.effect or call.kwargs or call.out is not None):
                try:
                    ufunc = known[function]
                except KeyError:
                    ufunc = known[function] = _of_floats(function)
                except TypeError:  # not hashable
                    ufunc = None
                if ufunc is not None:
                    operands = self._operands_of(call.args, ufunc, result)
                elif function is operator.getitem and type(call.args[1]) is tuple and not call.args[1]:
                    same = number.get(call.args[0])  # the number in a 0-d array
                    if same in self.operands:
                        number[result] = same
                        continue
            if operands is None:
                for variable in call.operands:
                    if variable in number:
                        uses[number[variable]] += 2  # not to be taken apart
                order.append(-1 - index)
                continue
            assert result is not None
            node = self._node(result)
            for operand in operands:
                if operand >= 0:
                    uses[operand] += 1
            self.function[node] = ufunc
            self.original.append(function)
            self.operands[node] = operands
            self.part[node] = call.part
            order.append(node)
        for variable in self.program.wanted:
            if variable in number:
                uses[number[variable]] += 2

    def constant(self, value: float) -> int:
        """The negative number of a constant."""
        key = value if value else (value, math.copysign(1.0, value))
        constant = self.constants.get(key)
        if constant is None:
            constant = self.constants[key] = -1 - len(self.values)
            self.values.append(value)
        return constant

    def _node(self, variable: Variable) -> int:
        node = self.number[variable] = len(self.variables)
        self.variables.append(variable)
        self.uses.append(0)
        return node

    def _operands_of(self, args: tuple[Any, ...], ufunc: Any, result: Variable) -> list[int] | None:
        """The operands of a call on numbers; None if it is none."""
        dtype = result.dtype
        if dtype is not FLOAT64 and (dtype is None or dtype != (BOOL if _gives_truth(ufunc) else FLOAT64)):
            return None  # of None separately, which to NumPy is equal to float64
        if (result.kind == "array") != (ufunc is np.where) or len(args) != (3 if ufunc is np.where else ufunc.nin):
            return None
        found, some = [], False
        number = self.number
        for argument in args:
            kind = type(argument)
            if kind is Variable:
                node = number.get(argument)
                if node is None:
                    dtype = argument.dtype
                    if argument.kind != "number" or not (dtype is None or dtype in (FLOAT64, BOOL)):
                        return None
                    node = self._node(argument)
                    self.inputs.append(node)
                some = True
                found.append(node)
            elif kind not in NUMBERS or (kind is int and abs(argument) > 2**53):
                return None
            else:
                found.append(self.constant(float(argument)))
        return found if some else None

    # ---------------------------------------------------------------- dead code, depth, chains of additions

    def _drop_the_dead(self) -> None:
        uses, operands = self.uses, self.operands
        alive = []
        for entry in reversed(self.order):
            if entry >= 0 and not uses[entry]:
                for operand in operands.pop(entry):
                    if operand >= 0:
                        uses[operand] -= 1
                del self.function[entry], self.part[entry]
            else:
                alive.append(entry)
        alive.reverse()
        self.order = alive

    def _find_levels(self) -> None:
        """Depths, from phase to phase of forward pass, backward pass and update, and of the other calls, too.

        An addition whose operand is a sum that nothing else reads takes its terms over. If both are, the deeper one.
        """
        calls, uses, function, operands, number = (
            self.program.calls, self.uses, self.function, self.operands, self.number,
        )  # fmt: skip
        level = self.level = [-1] * len(self.variables)
        terms: dict[int, list[int]] = {}
        home: dict[int, int] = {}  # the phase in which a sum is taken
        made: dict[Variable, int] = {}
        base, top, effects, part, phase = 0, 0, 0, None, 0
        for entry in self.order:
            here = self.part[entry] if entry >= 0 else calls[-1 - entry].part
            if here != part:
                part, base, phase = here, top + 1, phase + 1
            if entry < 0:
                call = calls[-1 - entry]
                depth = base
                for variable in call.operands:
                    node = number.get(variable)
                    depth = max(depth, level[node] if node is not None else made.get(variable, 0))
                if call.effect:
                    depth = effects = max(depth, effects)
                if call.result is not None:
                    made[call.result] = depth
                    if call.result in number:
                        level[number[call.result]] = depth
                self.elsewhere.append((depth, -1 - entry))
                top = max(top, depth)
                continue
            pair = operands[entry]
            if function[entry] is np.add:
                a, b = pair
                chain = None
                open_a = a in terms and uses[a] == 1 and home[a] == phase
                if b in terms and uses[b] == 1 and home[b] == phase and not (open_a and level[a] >= level[b]):
                    a, b, open_a = b, a, True
                if open_a and a != b:
                    chain = terms.pop(a)
                    chain.append(b)
                    depth = max(level[a], level[b] + 1 if b >= 0 else 0)
                    del operands[a], function[a], self.part[a]
                else:
                    chain = [a, b]
                    depth = 1 + max(base - 1, level[a] if a >= 0 else 0, level[b] if b >= 0 else 0)
                terms[entry] = chain
                operands[entry] = chain
                home[entry] = phase
            else:
                depth = base
                for operand in pair:
                    if operand >= 0 and level[operand] >= depth:
                        depth = level[operand] + 1
            level[entry] = depth
            if depth > top:
                top = depth
        self.elsewhere.sort()

    # ---------------------------------------------------------------- what is computed together

    def waves(self) -> list[_Wave]:
        """The nodes by level and function, and by which operands are constants; sums by how many terms they have."""
        groups: dict[Any, list[int]] = {}
        for node, function in self.function.items():
            operands = self.operands[node]
            if function is np.add and len(operands) > 2:
                kind: Any = 0
            else:
                kind = tuple([operand < 0 for operand in operands])
            groups.setdefault((self.level[node], self.part[node], id(function), kind), []).append(node)
        waves = []
        for (level, part, _, kind), nodes in groups.items():
            function = self.function[nodes[0]]
            if kind != 0:
                waves.append(_Wave(level, part, function, nodes))
            else:
                waves += [_Wave(level, part, None, some) for some in self._of_one_length(nodes)]
        waves.sort(key=lambda wave: wave.level)
        return waves

    def _of_one_length(self, nodes: list[int]) -> Iterator[list[int]]:
        """Sums of about the same length: filled up, a quarter of their terms at most is nothing."""
        lengths = {node: len(self.operands[node]) for node in nodes}
        nodes = sorted(nodes, key=lambda node: -lengths[node])
        start, filled = 0, 0
        for end, node in enumerate(nodes):
            longest = lengths[nodes[start]]
            filled += longest - lengths[node]
            if filled > 32 + longest * (end - start) // 4:
                yield nodes[start:end]
                start, filled = end, 0
        yield nodes[start:]


@functools.cache
def _gives_truth(ufunc: Any) -> bool:
    """Whether the result for floats is True or False."""
    return any(types in ("d->?", "dd->?") for types in getattr(ufunc, "types", ()))


class _Wave:
    """Nodes that are computed together: of a function, or, if that is None, sums of many terms."""

    __slots__ = ("function", "level", "nodes", "part")

    def __init__(self, level: int, part: str, function: Any, nodes: list[int]):
        self.level, self.part, self.function, self.nodes = level, part, function, nodes


class _Emission:
    """The lines that compute a graph in waves."""

    def __init__(self, program: Program, graph: _Graph, waves: list[_Wave]):
        self.source, self.graph = program, graph
        self.calls: list[Call] = []
        self.part = "forward"
        self.there: set[Variable] = set()
        """Numbers that have been taken out of the flat array."""
        terms = [self._terms(wave) if wave.function is None else None for wave in waves]
        self.values = np.array(graph.values, np.float64)
        made = {call.result for call in program.calls}
        given: list[int] = []
        later: dict[int, list[int]] = {}
        for node in graph.inputs:
            if graph.uses[node]:
                made_later = graph.variables[node] in made
                (later.setdefault(graph.level[node], []) if made_later else given).append(node)

        place = {variable: i for i, variable in enumerate([*program.loads, *program.arguments])}
        given.sort(key=lambda node: place[graph.variables[node]])  # so that waves over them may be slices

        # Where each number has its slot; those of constants stand at the end, where negative numbers find them.
        self.slots = np.full(len(graph.variables) + len(graph.values), -1, np.intp)
        self.size = 0
        constants = sorted({int(n) for some in terms if some is not None for n in np.unique(some[some < 0])})
        spans = [self._span(nodes) for nodes in (constants, given)]
        arrivals = [(level, nodes, self._span(nodes)) for level, nodes in later.items()]
        results = [self._span(wave.nodes) for wave in waves]

        self.numbers = Variable("array", (self.size,), FLOAT64, (8,), name="numbers")
        self._line(np.empty, self.size, result=self.numbers, effect=True)
        if constants:
            self._put(spans[0], self.values[[-1 - n for n in constants]])
        if given:
            self._put(spans[1], self._array(given))
        events = [(wave.level, 0, i) for i, wave in enumerate(waves)]
        events += [(level, 1, i) for level, i in graph.elsewhere]
        events += [(level, 2, i) for i, (level, _, _) in enumerate(arrivals)]
        for _, kind, i in sorted(events):
            if kind == 0:
                self.part = waves[i].part
                self._wave(waves[i], terms[i], results[i])
            elif kind == 1:
                call = program.calls[i]
                self.part = call.part
                self._take_out(call.operands)
                self.calls.append(call)
            else:
                self._put(arrivals[i][2], self._array(arrivals[i][1]))
        self._take_out(program.wanted)

    def program(self) -> Program:
        return self.source.with_calls(self.calls)

    # ---------------------------------------------------------------- slots

    def _span(self, nodes: Sequence[int]) -> slice:
        """The slots of some nodes, one after the other."""
        start, self.size = self.size, self.size + len(nodes)
        self.slots[nodes] = np.arange(start, self.size)
        return slice(start, self.size)

    def _terms(self, wave: _Wave) -> np.ndarray:
        """The terms of sums, a column each; filled up with -0.0, which changes nothing."""
        graph = self.graph
        if len(wave.nodes) == 1:  # NumPy would add up a single column in another order
            wave.nodes = wave.nodes * 2
        rows = [graph.operands[node] for node in wave.nodes]
        longest = max(map(len, rows))
        if any(len(row) < longest for row in rows):
            nothing = graph.constant(-0.0)
            rows = [row + [nothing] * (longest - len(row)) for row in rows]
        return np.array(rows, np.intp).T

    # ---------------------------------------------------------------- lines

    def _line(
        self, function: Any, *args: Any, result: Variable | None = None, effect: bool = False, **kwargs: Any
    ) -> Any:
        self.calls.append(Call(function, args, kwargs, result, self.part, effect))
        return result

    def _view(self, span: slice) -> Variable:
        """A part of the flat array."""
        length = len(range(*span.indices(self.size)))
        view = Variable("array", (length,), FLOAT64, (8 * (span.step or 1),), (self.numbers,))
        return self._line(operator.getitem, self.numbers, span, result=view)  # type: ignore[no-any-return]

    def _array(self, nodes: Sequence[int]) -> Variable:
        """An array of numbers that stand in variables of their own."""
        result = Variable("array", (len(nodes),), FLOAT64, (8,))
        return self._line(np.array, [self.graph.variables[n] for n in nodes], FLOAT64, result=result)  # type: ignore

    def _put(self, span: slice, content: Any) -> None:
        self._line(np.copyto, self._view(span), content, effect=True)

    def _take_out(self, variables: Sequence[Variable]) -> None:
        """Numbers of the flat array, where the program needs them one by one."""
        graph = self.graph
        for variable in variables:
            node = graph.number.get(variable)
            if node is None or node not in graph.part or variable in self.there:
                continue
            self.there.add(variable)
            slot = int(self.slots[node])
            if variable.kind == "number" and variable.dtype == FLOAT64:
                self._line(operator.getitem, self.numbers, slot, result=variable)
                continue
            number = self._line(operator.getitem, self.numbers, slot, result=Variable("number", (), FLOAT64))
            if variable.kind == "number":
                self._line(operator.ne, number, 0.0, result=variable)
            else:
                self._line(np.array, number, result=variable)

    def _gathered(self, nodes: np.ndarray) -> Any:
        """Constants or numbers of the flat array, as an array or, if they are all the same, as one number."""
        if nodes.flat[0] < 0 and nodes.ndim == 1:
            values = self.values[-1 - nodes]
            if (nodes == nodes[0]).all():
                return float(values[0])
            values.setflags(write=False)
            return values
        slots = self.slots[nodes]
        if nodes.ndim == 1:
            step = int(slots[1] - slots[0]) if len(slots) > 1 else 0
            if step == 0 and (slots == slots[0]).all():
                return self._view(slice(int(slots[0]), int(slots[0]) + 1))
            if (np.diff(slots) == step).all():
                stop = int(slots[-1]) + (1 if step > 0 else -1)
                return self._view(slice(int(slots[0]), None if stop < 0 else stop, None if step == 1 else step))
        itemsize, strides = 8, list[int]()
        for n in reversed(slots.shape):
            strides.insert(0, itemsize)
            itemsize *= n
        return self._line(np.take, self.numbers, slots, result=Variable("array", slots.shape, FLOAT64, tuple(strides)))

    def _wave(self, wave: _Wave, terms: np.ndarray | None, span: slice) -> None:
        if terms is not None:
            gathered = self._gathered(terms)
            out = self._view(span)
            result = Variable("array", out.shape, FLOAT64, (8,), (self.numbers,))
            # NumPy would begin with 0.0, and make it of a sum of -0.0 alone
            self._line(np.add.reduce, gathered, 0, out=out, initial=-0.0, result=result, effect=True)
            return
        operands = np.array([self.graph.operands[node] for node in wave.nodes], np.intp).T
        known: dict[bytes, Any] = {}
        args = []
        for row in operands:
            key = row.tobytes()
            if key not in known:
                known[key] = self._gathered(np.ascontiguousarray(row))
            args.append(known[key])
        if wave.function is np.where:
            chosen = Variable("array", (len(wave.nodes),), FLOAT64, (8,))
            self._put(span, self._line(np.where, *args, result=chosen))
            return
        out = self._view(span)
        result = Variable("array", out.shape, FLOAT64, (8,), (self.numbers,))
        self._line(wave.function, *args, out=out, result=result, effect=True)
