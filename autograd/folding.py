"""What a picture of a large graph shows: boxes, each of which stands for one Value or for many.

Three things fold. A call of a module of `nn` becomes one box, unless it is opened: the module's output tells
what it was computed by and from, and all that lies between is the inside. Calls one after another that are built
alike become one box, "x12". And where that leaves more boxes than a page holds, Values merge that were computed
alike: an operation, on operands computed alike.

Nothing here knows how a box is drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .value import Value

__all__ = ["LARGE", "Box", "Edge", "Fold", "begins", "fold", "neighbourhood", "scopes"]

LARGE = 60
"""A graph of more boxes is folded unless told otherwise."""
FOLDED = 30
"""So many boxes are then aimed at."""
_DEEP = 6
_BACK = 4
"""How many operations back alike is looked into, where all the way back is too far."""
_MANY = 5
"""So many alike inputs of one module are one box."""
"""How many levels of modules are tried, from the inside out."""

Call = tuple[str, tuple[Value, ...]]
"""A call of a module: its name, and the Values it was given. Two calls are the same if they are one object."""
Chain = tuple[Call, ...]
"""The calls that a node lies in, outermost first."""


@dataclass(eq=False, slots=True)
class Box:
    """What is drawn as one.

    Attributes
    ----------
    values : list of Value
        What it stands for: one, or one for each repeat. Of a module, its results.
    call : Call or None
        The module that is folded here.
    scope : tuple of Call
        The open modules around it.
    inside : list of Value
        All that is folded into it.
    """

    values: list[Value]
    call: Call | None
    scope: Chain
    inside: list[Value] = field(default_factory=list)

    @property
    def value(self) -> Value:
        """The last of them, which stands for the others."""
        return self.values[-1]


class Edge(NamedTuple):
    """From box to box: by place in the list, and as which operand; None where that makes no sense."""

    source: int
    target: int
    operand: int | None
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Fold:
    """A graph as boxes, each after those it was computed from where there is such an order, and edges."""

    boxes: list[Box]
    edges: list[Edge]


# -------------------------------------------------------------------- modules


def scopes(nodes: Sequence[Value]) -> dict[Value, Chain]:
    """The module calls that each node lies in; nodes outside of all are left out.

    A node lies in a call if the call's output depends on it other than through the call's inputs. Where calls share
    something without one being inside the other, as recurrent nets share their weights, it lies in neither.

    Parameters
    ----------
    nodes : sequence of Value
        Inputs before results.
    """
    tagged = {node: _calls(node) for node in nodes if node.notes is not None and "modules" in node.notes}
    if not tagged:
        return {}
    known = set(nodes)
    fed: dict[Value, frozenset[int]] = {}
    bare: set[int] = set()
    for node, calls in tagged.items():
        for call in calls:
            given = [value for value in call[1] if value in known]
            if call[1] and not given:  # of a copy, whose notes are those of the original
                tagged[node] = tuple(other for other in tagged[node] if other is not call)
            if not call[1]:
                bare.add(id(call))
            for value in given:
                fed[value] = fed.get(value, _NONE) | {id(call)}
    chains: dict[int, Chain] = {}
    resolved: dict[frozenset[int], Chain] = {_NONE: ()}
    entering: dict[Value, frozenset[int]] = {}
    leaves: dict[Value, Chain] = {}
    found: dict[Value, Chain] = {}

    def chain_of(inside: frozenset[int]) -> Chain:
        if inside not in resolved:
            resolved[inside] = _covering([chains[call] for call in inside])
        return resolved[inside]

    for node in reversed(nodes):
        inside = entering.pop(node, _NONE)
        chain = leaves.pop(node) if node in leaves else chain_of(inside)
        for call in reversed(tagged.get(node, ())):
            chain = chains.setdefault(id(call), (*chain, call))
            inside |= {id(call)}
        if chain:
            found[node] = chain
        for value in node.inputs or ():
            through = inside - fed[value] if inside and value in fed else inside
            if value.inputs:
                before = entering.get(value)
                entering[value] = through if before is None or before is through else before | through
            else:  # a weight may be shared by very many calls
                if bare and not value._tracked and value.shape:  # an array handed to the module as it was
                    through = through - bare
                chain = chain_of(through)
                leaves[value] = _common(leaves[value], chain) if value in leaves else chain
    return found


_NONE: frozenset[int] = frozenset()


def _calls(node: Value) -> tuple[Call, ...]:
    """The modules whose output a node is, innermost first."""
    calls: tuple[Call, ...] = (node.notes or {})["modules"]
    return calls


def _covering(chains: Sequence[Chain]) -> Chain:
    """The longest chain if it goes through all the others, else what all begin with."""
    longest = max(chains, key=len)
    common = longest
    for chain in chains:
        if len(_common(longest, chain)) < len(chain):
            common = _common(common, chain)
    return common


def _common(one: Chain, other: Chain) -> Chain:
    """What both chains begin with."""
    for i, (a, b) in enumerate(zip(one, other, strict=False)):
        if a is not b:
            return one[:i]
    return min(one, other, key=len)


def begins(chain: Chain, start: Chain) -> bool:
    """Whether `start` is `chain`, or a module around it."""
    return len(_common(chain, start)) == len(start)


def neighbourhood(nodes: Sequence[Value], centre: Value, hops: int) -> list[Value]:
    """Those of `nodes`, in their order, that are at most so many steps from `centre`, along edges either way."""
    users: dict[Value, list[Value]] = {}
    for node in nodes:
        for value in node.inputs or ():
            users.setdefault(value, []).append(node)
    near = {centre}
    rim = [centre]
    for _ in range(hops):
        beyond = []
        for node in rim:
            for other in (*(node.inputs or ()), *users.get(node, ())):
                if other not in near:
                    near.add(other)
                    beyond.append(other)
        rim = beyond
    return [node for node in nodes if node in near]


# -------------------------------------------------------------------- folding


def fold(nodes: Sequence[Value], chains: dict[Value, Chain], depth: int | None = None) -> Fold:
    """The boxes of a graph.

    Parameters
    ----------
    nodes : sequence of Value
        Inputs before results.
    chains : dict
        The modules that the nodes lie in, from `scopes`.
    depth : int, optional
        How many levels of modules to open. Default: all if there are at most `LARGE` nodes; else as many as leave at
        most `FOLDED` boxes. If more than `LARGE` remain even when all are closed, what was computed alike merges, too.
    """
    deepest = max(map(len, chains.values()), default=0)
    if depth is not None:
        return _closed(nodes, chains, depth)
    if len(nodes) <= LARGE:
        return _closed(nodes, chains, deepest)
    if not chains:
        return _merged_values(nodes)
    outside = Counter(len(chains.get(node, ())) for node in nodes if node.op is not None)
    for level in range(min(deepest, _DEEP), -1, -1):
        if sum(outside[above] for above in range(level + 1)) <= LARGE or level == 0:  # these are all seen
            folded = _closed(nodes, chains, level)
            if len(folded.boxes) <= (FOLDED if level else LARGE):
                return folded
    return _merged(folded)


def _closed(nodes: Sequence[Value], chains: dict[Value, Chain], depth: int) -> Fold:
    """Every module call below a depth as one box."""
    # By `id`, which Values and calls are told apart by: == compares their numbers.
    owner: dict[int, int] = {}  # of a node: itself, or the call it is folded into
    last: dict[int, Value] = {}
    for node in nodes:
        chain = chains.get(node, ())
        owner[id(node)] = id(node)
        if len(chain) > depth:
            owner[id(node)] = id(chain[depth])
            last[id(chain[depth])] = node
    place: dict[int, int] = {}
    inside: dict[int, list[Value]] = {}
    results: dict[int, Value] = {}
    boxes: list[Box] = []
    for node in nodes:
        key = owner[id(node)]
        if key == id(node):
            place[key] = len(boxes)
            boxes.append(Box([node], None, chains.get(node, ())))
            continue
        inside.setdefault(key, []).append(node)
        chain = chains[node]
        if node.notes is not None and any(call is chain[depth] for call in node.notes.get("modules", ())):
            results[key] = node
        if last[key] is node:
            place[key] = len(boxes)
            boxes.append(Box([results.get(key, node)], chain[depth], chain[:depth], inside[key]))
    edges: dict[tuple[int, int, int | None], int] = {}
    for node in nodes:
        target = owner[id(node)]
        for i, value in enumerate(node.inputs or ()):
            source = owner.get(id(value))
            if source is None or (source == target != id(node)):
                continue
            edge = place[source], place[target], i if target == id(node) else None
            edges[edge] = edges.get(edge, 0) + 1
    folded = Fold(boxes, [Edge(*ends, 1) for ends in edges])
    return _runs(folded) if inside else folded


def _likeness(box: Box) -> Hashable:
    """What boxes have in common that are built alike: the module, and what it does inside."""
    if box.call is None:
        return _kind(box.value)
    places: dict[Value, int] = {}
    parts = []
    for node in box.inside:
        places[node] = len(places)
        parts.append((_kind(node), tuple([places.get(value, -1) for value in node.inputs or ()])))
    return box.call[0], tuple(parts)


def _kind(node: Value) -> Hashable:
    """An operation, its keywords and the shape of its result; or what sort of leaf."""
    if node.op is None:
        return node._tracked, node.shape
    params = node.params
    if not params:
        return node.op.name, node.shape
    return node.op.name, node.shape, str({name: x for name, x in params.items() if name != "saved"})[:200]


def _runs(folded: Fold) -> Fold:
    """Modules built alike that feed one another, and nothing else, as one box; so, too, those side by side."""
    boxes, edges = folded.boxes, folded.edges
    kinds: dict[Hashable, int] = {}
    kind = [kinds.setdefault((_likeness(b), tuple(map(id, b.scope))), len(kinds)) if b.call else -1 for b in boxes]
    sources: list[set[int]] = [set() for _ in boxes]
    targets: list[set[int]] = [set() for _ in boxes]
    for edge in edges:
        sources[edge.target].add(edge.source)
        targets[edge.source].add(edge.target)
    group = list(range(len(boxes)))
    for i in range(len(boxes)):
        before = [j for j in sources[i] if kind[j] == kind[i] >= 0]
        if len(before) == 1 and targets[before[0]] == {i}:
            group[i] = group[before[0]]
    beside: dict[Hashable, int] = {}
    for i in range(len(boxes)):
        if kind[i] >= 0 and group[i] == i:
            group[i] = beside.setdefault((kind[i], frozenset(sources[i]), frozenset(targets[i])), i)
    runs = {group[i] for i in range(len(boxes)) if group[i] != i}
    feeding: dict[tuple[Hashable, frozenset[int]], list[int]] = {}
    for i, box in enumerate(boxes):  # what each of the repeats has for itself, such as the inputs of each time step
        if box.call is None and box.value.op is None and targets[i] and all(kind[j] >= 0 for j in targets[i]):
            feeding.setdefault((_kind(box.value), frozenset(group[j] for j in targets[i])), []).append(i)
    for alike in feeding.values():
        if len(alike) >= _MANY or all(group[j] in runs for j in targets[alike[0]]):
            for i in alike:
                group[i] = alike[0]
    return _grouped(folded, group)


def _grouped(folded: Fold, group: Sequence[int]) -> Fold:
    """The boxes of a group as one, which stands where its last one did."""
    if all(g == i for i, g in enumerate(group)):
        return folded
    members: dict[int, list[int]] = {}
    for i, g in enumerate(group):
        members.setdefault(g, []).append(i)
    place: dict[int, int] = {}
    boxes: list[Box] = []
    for g, places in sorted(members.items(), key=lambda item: item[1][-1]):
        place[g] = len(boxes)
        first = folded.boxes[places[-1]]
        values = [value for i in places for value in folded.boxes[i].values]
        boxes.append(Box(values, first.call, first.scope, [node for i in places for node in folded.boxes[i].inside]))
    edges: dict[tuple[int, int, int | None], int] = {}
    for edge in folded.edges:
        source, target = group[edge.source], group[edge.target]
        if source == target and folded.boxes[edge.target].call is not None:
            continue  # within a run
        ends = place[source], place[target], edge.operand
        edges[ends] = edges.get(ends, 0) + edge.repeats
    return Fold(boxes, [Edge(*ends, count) for ends, count in edges.items()])


def _merged(folded: Fold) -> Fold:
    """Boxes that were computed alike as one."""
    boxes = folded.boxes
    operands: list[list[tuple[int, int]]] = [[] for _ in boxes]
    for edge in folded.edges:
        operands[edge.target].append((-1 if edge.operand is None else edge.operand, edge.source))
    sources = [tuple([source for _, source in sorted(found)]) for found in operands]
    kinds = [(_likeness(box), tuple(map(id, box.scope))) for box in boxes]
    return _grouped(folded, _alike(kinds, sources, [box.value.op is None for box in boxes]))


def _merged_values(nodes: Sequence[Value]) -> Fold:
    """The same of a graph without modules, with no box made that would merge at once: graphs can be large."""
    place = {id(node): i for i, node in enumerate(nodes)}
    sources = [tuple([place[id(v)] for v in node.inputs or () if id(v) in place]) for node in nodes]
    group = _alike([_kind(node) for node in nodes], sources, [node.op is None for node in nodes])
    last = {first: i for i, first in enumerate(group)}
    numbers = {first: number for number, first in enumerate(sorted(last, key=last.__getitem__))}
    boxes = [Box([], None, ()) for _ in numbers]
    edges: dict[tuple[int, int, int | None], int] = {}
    for node, first in zip(nodes, group, strict=True):
        target = numbers[first]
        boxes[target].values.append(node)
        for operand, value in enumerate(node.inputs or ()):
            if id(value) in place:
                ends = numbers[group[place[id(value)]]], target, operand
                edges[ends] = edges.get(ends, 0) + 1
    return Fold(boxes, [Edge(*ends, repeats) for ends, repeats in edges.items()])


def _alike(kinds: Sequence[Hashable], sources: Sequence[tuple[int, ...]], given: Sequence[bool]) -> list[int]:
    """For each of many things, the first one that was computed alike: as far back as leaves at most `LARGE` of them.

    Two are alike if they are of one kind, then if their sources are alike as well, and so on. If all the way back is
    still few, that is what merges: the sixteen neurons of a layer. If not, a loop of a thousand steps has steps that
    are alike up to their first few: it merges to a circle. The last one, the result, stays by itself. What was given
    has no sources, and is told apart by its uses: weights, inputs, biases.
    """
    numbers: dict[Hashable, int] = {}
    kind = [numbers.setdefault(own, len(numbers)) for own in kinds]
    kind[-1] = -1
    uses: dict[int, set[tuple[int, int]]] = {}
    for i, places in enumerate(sources):
        for operand, source in enumerate(places):
            if given[source]:
                uses.setdefault(source, set()).add((kind[i], operand))
    for i, used in uses.items():
        kind[i] = numbers.setdefault((kind[i], frozenset(used)), len(numbers))
    whole: list[int] = []
    colours: dict[Hashable, int] = {}
    for i, own in enumerate(kind):
        whole.append(colours.setdefault((own, tuple([whole[j] if j < i else -1 for j in sources[i]])), len(colours)))
    found, count = whole, len(colours)
    if count > LARGE:
        found, count = kind, len(set(kind))
        for _ in range(_BACK):
            colours = {}
            finer = [
                colours.setdefault((own, *[found[j] for j in places]), len(colours))
                for own, places in zip(found, sources, strict=True)
            ]
            if not count < len(colours) <= LARGE:
                break
            found, count = finer, len(colours)
    first: dict[int, int] = {}
    return [first.setdefault(colour, i) for i, colour in enumerate(found)]
