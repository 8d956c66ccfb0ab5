r"""Questions about a graph: does a gradient flow from here to there, in how many ways, and if not, why not?

reaches(x, loss)            # True: for a test that nobody has detached x
fan_out(x, loss)            # how often x is used
paths(x, loss)              # in how many ways it gets to the loss
why_no_grad(x, loss)        # the exact cut, in words
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import modes, text
from .errors import TraceError
from .graph import ancestors, released
from .narrating import WIDTH, equation, path_counts
from .text import Text, array, count
from .tracing import Node, Step, Trace, recorded
from .value import Value

__all__ = ["fan_out", "paths", "reaches", "why_no_grad"]

SMALL = 1e-7
"""A gradient that is so much smaller than the one the pass starts with has practically vanished."""


def _graph(name: str, x: Value, loss: Value) -> list[Value]:
    """What the loss was computed from, if it is a loss at all."""
    for what, given in (("x", x), ("loss", loss)):
        if not isinstance(given, Value):
            raise TraceError(
                f"{name}(x, loss): {what} is {given!r:.60}, which is no Value. Comparisons, argmax, .data and .item() "
                f"give plain numbers, through which no gradient flows."
            )
    return ancestors(loss)


def reaches(x: Value, loss: Value) -> bool:
    """Whether a gradient flows from `loss` to `x`; it may be zero, for which see `why_no_grad`.

    Parameters
    ----------
    x, loss : Value

    Raises
    ------
    TraceError
        A ValueError: if one of them is no Value.
    GraphError
        If the graph was released.

    Examples
    --------
    >>> from autograd import Value, reaches
    >>> x, w = Value(2.0), Value(3.0)
    >>> loss = x.detach() * w
    >>> reaches(w, loss), reaches(x, loss)
    (True, False)
    """
    return paths(x, loss) > 0


def fan_out(x: Value, loss: Value) -> int:
    """How many times `x` is used on the way to `loss`: how many contributions its gradient is the sum of.

    Parameters and errors are those of `reaches`.

    Examples
    --------
    >>> from autograd import Value, fan_out
    >>> x = Value(2.0)
    >>> fan_out(x, x * x + x)
    3
    """
    nodes = _graph("fan_out", x, loss)
    return sum(value is x for node in nodes for value in _inputs(node)) if x.requires_grad else 0


def paths(x: Value, loss: Value) -> int:
    """In how many ways one gets from `x` to `loss`; the gradient is a sum over all of them.

    They are counted by dynamic programming, node by node, so that numbers beyond all bounds take no time.
    Parameters and errors are those of `reaches`.

    Examples
    --------
    >>> from autograd import Value, paths
    >>> x = Value(1.0)
    >>> y = x
    >>> for _ in range(100):
    ...     y = y + y
    >>> paths(x, y) == 2**100
    True
    """
    nodes = _graph("paths", x, loss)
    if not x.requires_grad:
        return 0
    waiting: dict[Value, int] = {}  # uses yet to come: what is not needed any more is dropped, as numbers get long
    for node in nodes:
        for value in _inputs(node):
            waiting[value] = waiting.get(value, 0) + 1
    found: dict[Value, int] = {}
    for node in nodes:
        total = sum(found.get(value, 0) for value in _inputs(node))
        for value in _inputs(node):
            waiting[value] -= 1
            if not waiting[value]:
                found.pop(value, None)
        if node is x:
            total = 1
        if total:
            found[node] = total
    return found.get(loss, 0)


def _inputs(node: Value) -> tuple[Value, ...]:
    if node.inputs is None:
        raise released(node)
    return node.inputs


# -------------------------------------------------------------------- why is there no gradient?


def why_no_grad(x: Value, loss: Value | Callable[..., Any], *inputs: Any) -> Text:
    """Why `x` gets no gradient from `loss`, or none but zeros: the exact place, and what to do about it.

    Parameters
    ----------
    x : Value
    loss : Value, or callable
        What was computed; or a function that computes it from `inputs`, which is run once with an eye on every
        operation. Then the line that cut the way is known also where nothing was recorded.
    *inputs
        The arguments of the function, handed on as they are.

    Returns
    -------
    Text
        A few lines to print. They name the constant, the operation whose derivative is zero, or the index that
        leaves `x` out; or say that the gradient is there.

    Raises
    ------
    TraceError
        A ValueError: if one of them is no Value.
    GraphError
        If the graph was released, or a leaf's data was replaced after its use.

    Notes
    -----
    A constant does not know what it was computed from: of a graph that is there already, what shares its memory with
    `x`, or holds the same numbers, is named as the likely cut. Give the function for certainty.

    Examples
    --------
    >>> from autograd import Value, relu, why_no_grad
    >>> x = Value(-2.0, label="x")
    >>> why_no_grad(x, relu(x) * 3.0)
    The gradient of 'x' is 0. It is cut here:
      v1 = relu(x): x = -2 is not above 0, where relu has slope 0 (a dead ReLU)
    """
    witness = None
    if not isinstance(loss, Value) and callable(loss):
        function, witness = loss, _Witness()
        with modes.enable_grad(), modes.noting(witness):
            result: Value = function(*inputs)
    else:
        result = loss
    if witness is None and inputs:
        raise TraceError("why_no_grad(x, loss, ...): a loss that is computed already takes no inputs.")
    return _answer(x, result, witness, text.known(sys._getframe(1), [x, *_graph("why_no_grad", x, result)]))


def _answer(x: Value, loss: Value, witness: _Witness | None, names: dict[int, str]) -> Text:
    nodes = ancestors(loss)
    called = repr(x.label if x.label is not None else names[id(x)]) if x.label is not None or id(x) in names else "x"
    for node in nodes:
        if node.inputs is None and node is not x:
            raise released(node)
    if x is loss:
        return Text(f"{called} is the loss itself: its gradient is 1, or what backward(gradient) was given.")
    present = any(node is x for node in nodes)
    if not x.requires_grad:
        return Text("\n".join([_constant(x, called), *([] if present else ["Nor is it part of the loss's graph."])]))
    cuts = [] if witness is None else witness.cuts(x, loss)
    if not present and cuts:
        return Text("\n".join([f"The way from {called} to the loss is cut here:", *cuts]))
    if not present:
        return _cut_off(x, loss, nodes, called, names)
    found = _numbers(x, recorded(loss, np.ones_like(loss._array), names), called)
    return Text("\n".join([found, "Another way is cut here:", *cuts])) if cuts else found


class _Witness:
    """Every operation of a run, also those under `no_grad` and of integers, which leave no trace in the graph."""

    def __init__(self) -> None:
        self.made: dict[Value, tuple[str, tuple[Value, ...], bool]] = {}

    def append(self, node: Value) -> None:
        node.notes = {"source": modes.user_line(), **(node.notes or {})}
        self.made[node] = node.op.name if node.op else "", _inputs(node), modes.now().recording

    def cuts(self, x: Value, loss: Value) -> list[str]:
        """Where, on the ways from `x` to `loss`, the first result is that no gradient comes back through."""
        needed, stack = {loss}, [loss]
        while stack:
            for value in self.made.get(stack.pop(), ("", (), True))[1]:
                if value not in needed:
                    needed.add(value)
                    stack.append(value)
        depends, arrays = {x}, {id(x._array)}  # a Value that was detached holds the very same array
        found = []
        for node, (operation, inputs, recording) in self.made.items():
            detached = [value for value in inputs if value not in depends and id(value._array) in arrays]
            if not detached and not any(value in depends for value in inputs):
                continue
            depends.add(node)
            arrays.add(id(node._array))
            if node not in needed:
                continue
            at = text.visible(node.notes["source"], 90)  # type: ignore[index]
            if detached:
                found.append(f"  what was detached, by detach() or .data, is used at {at}")
            elif not node._tracked and any(value in depends and value._tracked for value in inputs):
                why = "under no_grad()" if not recording else f"as {node.dtype}, and only floats have a gradient,"
                found.append(f"  {operation} was computed {why} at {at}")
        return found


def _constant(x: Value, called: str) -> str:
    kind = x.dtype.kind
    if kind in "biu":
        return (
            f"{called} is a constant, as it holds {x.dtype}: a gradient needs floating numbers. "
            f"Write Value(data.astype(float))."
        )
    return (
        f"{called} is a constant: a result of detach() or of what was computed under no_grad() or from constants "
        f"only, or made with requires_grad=False. Use the Value itself, outside no_grad()."
    )


def _cut_off(x: Value, loss: Value, nodes: Sequence[Value], called: str, names: dict[int, str]) -> Text:
    """`x` is nowhere in the graph: which constants may hide it?"""
    given = text.names(nodes, names)
    certain, likely, others = [], [], []
    for node, name in zip(nodes, given, strict=True):
        leaf = node.requires_grad and node.is_leaf
        if node.requires_grad and not leaf:
            continue
        what = "the loss" if node is loss else f"the {'leaf' if leaf else 'constant'} {name}"
        if node.shape:
            what += f" of shape {node.shape}"
        elif node is loss or node.label is not None:
            what += f" = {array(node._array)}"
        source = (node.notes or {}).get("source")
        if _same_memory(node._array, x._array):
            certain.append(f"  {what} is {called} without its graph: detach(), or a Value or array made of its .data")
        elif source is not None:
            why = f"it is {node.dtype}, and only floating results have a gradient"
            if node.dtype.kind == "f":
                why = "under no_grad(), or from constants only"
            likely.append(f"  {what} was computed ({why}) at {text.visible(source, 90)}")
        elif _same_numbers(node._array, x._array):
            cast = f": a {'Value' if leaf else 'copy'} of the data of {called}"
            cast = f" as {node.dtype}: a cast to integers" if node.dtype.kind in "biu" else cast
            likely.append(f"  {what} holds the same numbers{cast}?")
        elif hasattr(node._array, "dtype") and not leaf:
            if node.dtype.kind in "biu":
                others.append(f"  {what}, {node.dtype}: a cast to integers, a comparison or an argmax?")
            else:
                others.append(f"  {what}: computed under no_grad(), from .data, or given?")
    lines = [f"{called} is not part of the graph of the loss: nothing in it was computed from {called}."]
    if certain:
        lines = [f"The way from {called} to the loss is cut here:", *certain]
    elif likely or others:
        lines.append("Where it may have been cut, among what the graph was given:")
        suspects = likely + others
        lines += suspects[:8] + ([f"  ... and {count(len(suspects) - 8, 'more')}"] if len(suspects) > 8 else [])
        if not likely:
            lines.append("why_no_grad(x, f, *inputs) runs the function that computes the loss, and finds the line.")
    else:
        lines.append("The graph holds nothing that could hide it. Is it another Value than the one that was used?")
    return Text("\n".join(lines))


def _same_memory(one: Any, other: Any) -> bool:
    if one is other:
        return True
    arrays = isinstance(one, np.ndarray) and isinstance(other, np.ndarray)
    return arrays and bool(np.may_share_memory(one, other))


def _same_numbers(one: Any, other: Any) -> bool:
    """Whether two arrays hold the same numbers, and these are none that come by chance."""
    if one is None or np.shape(one) != np.shape(other):
        return False
    telling = np.size(one) > 1 or abs(np.asarray(one).item()) not in (0.0, 0.5, 1.0, 2.0)
    return telling and bool(np.array_equal(one, other))


def _numbers(x: Value, found: Trace, called: str) -> Text:
    """`x` is in the graph: what the numbers of a backward pass tell."""
    node = found[x]
    gradient, seed = np.asarray(node.gradient), np.asarray(found.root.gradient)
    on_the_way = path_counts(found, node.id)
    steps = [step for step in found.steps if on_the_way[step.input]]
    if not np.isfinite(gradient).all():
        first = next(step for step in steps if not np.isfinite(np.asarray(step.contribution)).all())
        return Text(
            f"The gradient of {called} is there, but not finite. It first is not where {found.nodes[first.input].name} "
            f"gets its share of {equation(found, found.nodes[first.node])}{_at(found.nodes[first.node])}; "
            f"anomaly() stops at such a place."
        )
    if not gradient.size:
        return Text(f"{called} has no elements, so its gradient has none.")
    if not gradient.any():
        lines = [f"The gradient of {called} is 0. It is cut here:"]
        cuts = [step for step in steps if np.any(step.upstream) and not np.any(step.contribution)]
        for step in cuts[:8]:
            lines.append(f"  {_why_zero(found, step)}{_at(found.nodes[step.node])}")
        if len(cuts) > 8:
            lines.append(f"  ... and in {count(len(cuts) - 8, 'other place')}")
        if not cuts:
            lines = [f"The gradient of {called} is 0, as contributions cancel:", *_cancelling(found, steps)]
        return Text("\n".join(lines))
    zeros = int(gradient.size - np.count_nonzero(gradient))
    if zeros:
        place = f"the first at index {_first_zero(gradient)}"
        lines = [f"The gradient of {called} is 0 in {zeros:,} of {gradient.size:,} entries, {place}."]
        partly = [step for step in steps if _loses(step)]
        if partly:
            lines.append("On the way, entries are lost here:")
            lines += [f"  {_why_zero(found, step)}{_at(found.nodes[step.node])}" for step in partly[:8]]
        return Text("\n".join(lines))
    if text.norm(gradient) < SMALL * text.norm(seed):
        factors = [step for step in steps if step.local is not None and step.upstream is not None]
        weakest = min(factors, key=lambda step: text.norm(step.local) / np.sqrt(np.size(step.local)), default=None)
        line = f"The gradient of {called} is there, but has nearly vanished: {array(node.gradient)}."
        if weakest is not None:
            through = found.nodes[weakest.node]
            line += f" The smallest factor on the way is {array(weakest.local)}, of {equation(found, through)}"
            line += f"{_at(through)}."
        return Text(line)
    kept = "" if x._grad is not None else (
        f" {called}.grad is None only because backward() has not been called since it was made or zero_grad() was "
        f"called; transforms such as grad() do not touch it."
    )  # fmt: skip
    return Text(f"Nothing is cut: the gradient of {called} is {array(node.gradient)}.{kept}")


def _at(node: Node) -> str:
    return f"  ({text.visible(node.source, 90)})" if node.source else ""


def _first_zero(gradient: Any) -> tuple[int, ...] | int:
    index = tuple(int(i) for i in np.argwhere(gradient == 0)[0])
    return index[0] if len(index) == 1 else index


def _loses(step: Step) -> bool:
    """Whether a step leaves out entries: more of what it hands on is zero than of what it got."""
    got, gave = np.asarray(step.upstream), np.asarray(step.contribution)
    if not got.size or not gave.size:
        return False
    return bool(np.count_nonzero(gave) / gave.size < np.count_nonzero(got) / got.size)


_FLAT = frozenset({"round", "floor", "ceil", "trunc", "rint", "sign", "floor_divide", "heaviside"})
_CHOOSING = {"maximum": "larger", "fmax": "larger", "max": "larger"}
_CHOOSING |= {"minimum": "smaller", "fmin": "smaller", "min": "smaller"}
_SATURATING = frozenset({"tanh", "sigmoid", "softmax", "log_softmax", "softmax_cross_entropy", "arctan", "logaddexp"})


def _why_zero(found: Trace, step: Step) -> str:
    """Why a step hands nothing on, or not to all entries."""
    node, value = found.nodes[step.node], found.nodes[step.input]
    operation = node.operation or ""
    whole = not np.any(step.contribution)
    size = np.size(step.contribution)
    lost = "" if whole else f"{size - np.count_nonzero(step.contribution):,} of {size:,} entries of "
    single = whole and not value.shape
    at = f"{value.name} = {array(value.value)}" if single else f"{lost}{value.name}"
    others = [found.nodes[i] for k, i in enumerate(node.inputs) if k != step.position]
    zero = [other.name for other in others if other.value is not None and not np.any(other.value)]
    verb = "is" if single or not lost else "are"
    if operation == "relu":
        why = f"{at} {verb} not above 0, where relu has slope 0 ({'a dead ReLU' if whole else 'inactive'})"
    elif operation == "where":
        why = (
            f"the condition chooses the other one{' everywhere' if whole and node.shape else f' for {at}' * bool(lost)}"
        )
    elif operation in _CHOOSING:
        why = f"{at} {verb} not the {_CHOOSING[operation]} one, and only that one moves the result"
    elif operation == "clip":
        why = f"{at} {verb} outside the bounds, or is itself a bound that does not hold"
    elif operation in _FLAT:
        why = f"{operation} is constant but for jumps: its derivative is 0"
    elif operation in ("absolute", "fabs"):
        why = f"{at} {verb} 0, the kink of the absolute value, where the slope 0 is taken"
    elif operation == "getitem":
        why = f"the index {''.join(node.parameters)} leaves out {at if lost else value.name}"
    elif operation in ("index_set", "scatter"):
        why = f"{at} {verb} overwritten or left out by the index {''.join(node.parameters)}"
    elif zero and operation in ("multiply", "matmul", "einsum"):
        why = f"{value.name} is multiplied by {' and '.join(zero)}{'' if zero[0] == '0' else ', which is 0'}"
    elif operation in _SATURATING:
        why = f"{operation} is saturated: at {at} its slope is 0 to the last digit"
    elif step.summed and step.local is not None and np.any(step.local):
        why = f"{value.name} was broadcast, and what it receives from its copies adds up to 0"
    elif step.local is not None and not np.any(step.local):
        why = f"the local derivative {node.formulas[step.position]} is 0 at {at}"
    else:
        why = f"{'nothing' if whole else 'not everything'} of the gradient gets through to {value.name}"
    return f"{equation(found, node)}: {why}"


def _cancelling(found: Trace, steps: list[Step]) -> list[str]:
    """The sums that come to zero though their parts do not."""
    lines = []
    for step in steps:
        if step.arrived == step.uses > 1 and not np.any(step.after) and np.any(step.contribution):
            value = found.nodes[step.input]
            parts = [array(s.contribution) for s in found.steps if s.input == step.input]
            shown = " and ".join(parts[:4]) + (" and ..." if len(parts) > 4 else "")
            lines.append(text.visible(f"  {value.name} receives {shown}", WIDTH))
    return lines or ["  the sums over what was broadcast or spread come to 0"]
