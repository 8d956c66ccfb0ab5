r"""One backward pass as plain data: every node, and every step in the order in which it was made.

    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.9, label="b")
    steps = trace(np.tanh(x * w + b))
    print(steps)                # the pass as a table
    steps.explain(w)            # the gradient of w, use by use and path by path

A step is what one input of one result receives: upstream gradient × local derivative = contribution, added
to what has come in before. A trace holds numbers, not Values: it stays as it is when the graph changes or goes.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
import os
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import numpy as np

from . import folding, modes, narrating, text
from .backward import conjugate, pass_one, seed_for, settle
from .errors import GraphError, LibraryError, TraceError
from .formulas import Formula
from .graph import ancestors, describe, topological
from .op import is_foreign
from .text import Text
from .value import Value

__all__ = ["Node", "Step", "Trace", "trace"]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A Value of the graph, as it was.

    Attributes
    ----------
    id : int
        Its place in `Trace.nodes`: inputs come before what is computed from them.
    name : str
        What views call it, different for every node: its label, the name of the variable it is in, the number
        itself of a constant, or ``v1``, ``v2``, ... in the order of computation.
    label : str or None
        The label of the Value, or the name of the variable.
    kind : {"leaf", "constant", "result"}
        Given with a gradient, given or computed without one, or computed.
    operation, symbol : str or None
        What computed it, ``"multiply"`` and ``"*"``; None for what was given, or without an operator.
    elementwise : bool
        Whether each entry depends only on the entries of the inputs it is broadcast from.
    formulas : tuple of str
        For each input: the local derivative, or the rule in words, in the `operands`' names.
    operands : tuple of str
        What the operation calls its inputs: ``("a", "b")``.
    parameters : tuple of str
        The operation's keywords: ``("axis=0",)``.
    inputs : tuple of int
        The ids of what it was computed from, in operand order.
    shape, dtype
        Of the value: a tuple of int, and NumPy's name of the dtype.
    value, gradient : number, read-only array, or None
        None is a gradient that was not computed, which is not 0.
    source : str or None
        ``file:line: code``, of what was recorded under `anomaly` or by ``trace(f, ...)``.
    scope : tuple of str
        The calls of `nn` modules it was computed in, outermost first: ``("MLP", "Dense #2")``.
    expected : number or array, or None
        The gradient that ``trace(..., expect=...)`` gave for it.
    right : bool or None
        Whether the gradient is the expected one; None where nothing was expected.
    """

    id: int
    name: str
    label: str | None
    kind: str
    operation: str | None
    symbol: str | None
    elementwise: bool
    formulas: tuple[str, ...]
    operands: tuple[str, ...]
    parameters: tuple[str, ...]
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: str
    value: Any
    gradient: Any = None
    source: str | None = None
    scope: tuple[str, ...] = ()
    expected: Any = None
    right: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What one input of one result receives.

    Attributes
    ----------
    number : int
        From 1, in the order of the backward pass.
    node, position, input : int
        The id of the result, which of its operands this is, and the id of that operand.
    upstream : number or read-only array
        The gradient of the result: complete, as all its uses have reported in.
    local : number, read-only array, or None
        The local derivative: of an elementwise operation d result / d input entry by entry, in the result's
        shape; of a result that is a single number, its gradient, in the input's shape. None where it would be
        a whole Jacobian, and where numbers are complex. It comes from the rule with an upstream gradient of 1,
        so upstream × local is the contribution up to rounding.
    summed : tuple of int
        The axes over which the rule's answer was summed, because the input had been broadcast along them.
    contribution : number or read-only array
        In shape and dtype of the input.
    before, after : number, read-only array, or None
        The gradient of the input, without and with this contribution; None before the first.
    arrived, uses : int
        This is the contribution number `arrived` of `uses`.
    """

    number: int
    node: int
    position: int
    input: int
    upstream: Any
    local: Any
    summed: tuple[int, ...]
    contribution: Any
    before: Any
    after: Any
    arrived: int
    uses: int


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """One backward pass, as `trace` recorded it: immutable, and independent of the graph.

    Attributes
    ----------
    nodes : tuple of Node
        Inputs before results; the last one is the root.
    steps : tuple of Step
        In the order in which the pass went.
    """

    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    _values: tuple[Any, ...] = ()  # weak references, one for each node

    @property
    def root(self) -> Node:
        """What the pass started from."""
        return self.nodes[-1]

    def __getitem__(self, what: Value | str | int) -> Node:
        """The node of a Value, of a name or label, or of an id.

            Raises
            ------
        TraceError
                A ValueError: if there is none, or a label belongs to several.
        """
        if isinstance(what, Value):
            for node, reference in zip(self.nodes, self._values, strict=False):
                if reference() is what:
                    return node
            raise TraceError(f"This trace does not hold {describe(what)}: {self.root.name} was not computed from it.")
        if isinstance(what, str):
            found = [node for node in self.nodes if node.name == what or node.label == what]
            if len(found) == 1:
                return found[0]
            names = [node.name for node in found or self.nodes if found or node.kind != "constant"]
            known = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            raise TraceError(
                f"{text.visible(what)!r} is the label of several nodes, named {known} here: take one of these."
                if found
                else f"This trace has no node named {text.visible(what)!r}; it has {known}."
            )
        if not isinstance(what, bool) and isinstance(what, int | np.integer) and 0 <= what < len(self.nodes):
            return self.nodes[what]
        raise TraceError(f"trace[{what!r:.60}]: give a Value of the graph, a name, or an id below {len(self.nodes)}.")

    def __repr__(self) -> str:
        return (
            f"<Trace of {self.root.name}: {text.count(len(self.nodes), 'node')}, "
            f"{text.count(len(self.steps), 'step')}; print it, or .explain(x), .tree(), .save('page.html')>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Trace.from_json, (self.to_json(),)

    def __copy__(self) -> Trace:
        return self

    def __deepcopy__(self, memo: Any) -> Trace:
        return self

    # ---------------------------------------------------------------- as a page

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to step through to a file: one piece of HTML, which needs no kernel and no network.

        Returns
        -------
        pathlib.Path
            Where it is.

        Raises
        ------
        DrawingError
            A ValueError: if the suffix is not ``.html``.
        """
        from . import stepper

        return stepper.save(self, path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from . import stepper

        return {"text/html": stepper.fragment(self), "text/plain": str(self)}

    # ---------------------------------------------------------------- as text

    def table(self, width: int = narrating.WIDTH, limit: int | None = 60) -> Text:
        """The whole pass as two tables: what was computed, and the steps backward. What `print` shows.

        Parameters
        ----------
        width : int
            How many columns it may take; the widest cells are cut.
        limit : int or None
            How many nodes and steps are listed, of more the first and the last ones; None: all.
        """
        return narrating.table(self, width, limit)

    def __str__(self) -> str:
        return str(self.table())

    def tree(self, depth: int = 12, limit: int = 200) -> Text:
        """The graph as a tree, from the root down to the leaves; what came before is not repeated, but named.

        Parameters
        ----------
        depth, limit : int
            How many levels and lines are shown.

        Examples
        --------
        >>> from autograd import Value, trace
        >>> x, w = Value(2.0), Value(-3.0)
        >>> trace(x * w + x).tree()
        y = +        -4  grad 1
        ├─ v1 = *    -6  grad 1
        │  ├─ x      2   grad -2
        │  └─ w      -3  grad 2
        └─ x         2   grad -2
        """
        return narrating.tree(self, depth, limit)

    def explain(self, what: Value | str | int, limit: int = 10) -> Text:
        r"""The gradient of one node taken apart: by use, and by path.

        By use, it is the sum of upstream × local derivative over what was computed from it. By path, it is the sum
        over all paths to the root of the products of the local derivatives along them. Local derivatives of arrays
        are linear maps, and stand there in words.

        Parameters
        ----------
        what : Value, str or int
            The node: a Value of the graph, its name, or its id.
        limit : int
            How many paths are written out. They are counted without walking them.

        Raises
        ------
        TraceError
            A ValueError: if there is no such node.

        Examples
        --------
        >>> from autograd import Value, trace
        >>> x = Value(3.0)
        >>> trace(x * x).explain(x)
        ∂y/∂x = 6
        <BLANKLINE>
        by use: x is used 2 times, and what it receives from each use is added (+=)
          y = x * x  ∂y/∂y · x  = 1 × 3  = 3
          y = x * x  ∂y/∂y · x  = 1 × 3  = 3
                     3 + 3               = 6
        <BLANKLINE>
        by path: 2 paths from x to y, and the products along them add up
           1  y ← x
              ∂y/∂x
            = x
            = 3
           2  y ← x
              ∂y/∂x
            = x
            = 3
              sum 6
        """
        return narrating.explain(self, what, limit)

    def sentence(self, step: Step) -> str:
        """A step in one plain sentence.

        Examples
        --------
        >>> from autograd import Value, trace
        >>> x = Value(3.0)
        >>> found = trace(x * 2.0)
        >>> found.sentence(found.steps[0])
        'A small change of x changes y by 2 times as much, so x receives 1 × 2 = 2: its only contribution.'
        """
        return narrating.sentence(self, step)

    def latex(self, what: Value | str | int | None = None) -> Formula:
        r"""The chain rule written out as one would by hand: in symbols, then in numbers, for each gradient.

        Parameters
        ----------
        what : Value, str or int, optional
            Only the gradient of this node.

        Returns
        -------
        Formula
            LaTeX, for math mode; Jupyter shows it as mathematics.

        Raises
        ------
        TraceError
            A ValueError: if there is no such node, or it is a constant.

        Examples
        --------
        >>> import numpy as np
        >>> from autograd import Value, trace
        >>> x = Value(0.0)
        >>> print(trace(np.sin(x)).latex(x))
        \begin{aligned}
        \frac{\partial y}{\partial x} &= \cos\left(x\right) = 1
        \end{aligned}
        """
        return narrating.latex(self, what)

    def diff(self, other: Trace) -> Text:
        """What is different in another trace, and what changed first: of the graph, the values, the gradients.

        Nodes are compared in the order of computation, to the bit, as long as both graphs are the same.

        Examples
        --------
        >>> from autograd import trace
        >>> before, after = (trace(lambda x, w: x * w, 2.0, w) for w in (3.0, 4.0))
        >>> before.diff(after)
        2 values changed; the first one computed is w (given):
          w  3  →  4
          y  6  →  8
        1 gradient changed; on the way back x first:
          x  3  →  4
        """
        return narrating.diff(self, other)

    def walk(self, source: TextIO | None = None, out: TextIO | None = None) -> None:
        """Step through the pass in the terminal: n next, b back, f first, l last, g go to, q quit.

        Parameters
        ----------
        source, out : text stream, optional
            Where lines with keys come from, and where the text goes to. Default: single keys of the terminal, or
            `input` where there is none, and standard output.
        """
        narrating.walk(self, source, out)

    # ---------------------------------------------------------------- as JSON

    def to_json(self) -> str:
        """The trace as JSON text, from which `from_json` makes the very same, to the bit.

        What is None is left out. NaN and infinity, which JSON lacks, are strings: ``"nan"``, ``"inf"``, ``"-inf"``.

        Examples
        --------
        >>> from autograd import Value, trace
        >>> from autograd.tracing import Trace
        >>> found = trace(Value(3.0, label="x") ** 2)
        >>> Trace.from_json(found.to_json())["x"].gradient
        np.float64(6.0)
        """
        content = {
            "format": _FORMAT,
            "nodes": [_spelled(node) for node in self.nodes],
            "steps": [_spelled(step) for step in self.steps],
        }
        return json.dumps(content, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, content: str) -> Trace:
        """The trace that `to_json` wrote.

        Raises
        ------
        TraceError
            A ValueError: if the text is no trace, or one of another version.
        """
        try:
            read = json.loads(content)
            form = read["format"]
            if form == _FORMAT:
                nodes = tuple(Node(**{name: _decoded(x) for name, x in node.items()}) for node in read["nodes"])
                steps = tuple(Step(**{name: _decoded(x) for name, x in step.items()}) for step in read["steps"])
                ids = range(len(nodes))
                right = all(n.id == i and all(source in ids[:i] for source in n.inputs) for i, n in enumerate(nodes))
                right = right and all(s.node in ids and s.input in nodes[s.node].inputs for s in steps)
                if not right or not nodes:
                    raise ValueError("nodes and steps do not fit together")
                return cls(nodes, steps)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise TraceError(f"from_json takes the text that to_json wrote, and this is none: {error}") from error
        raise TraceError(f"from_json reads {_FORMAT!r}, and this is {form!r:.60}.")


# -------------------------------------------------------------------- recording


def trace(
    result: Value | Callable[..., Any],
    *inputs: Any,
    gradient: Any = None,
    expect: Mapping[Any, Any] | None = None,
) -> Trace:
    r"""Run one backward pass and record every step of it.

    Looking changes nothing: unlike `Value.backward`, this leaves every `.grad` as it was. The numbers are those
    that `backward` would add, to the bit.

    Parameters
    ----------
    result : Value, or callable
        What to start from, ``trace(loss)``; or a function that computes it, ``trace(f, x, w)``: then each operation
        notes the line of your code that called for it, and the function's variables name what is between.
    *inputs
        The arguments of the function. Numbers, lists and floating arrays become Values, labelled by the names of
        the function's parameters; all others are handed on as they are.
    gradient : array, optional
        The gradient upstream of the result, as in `Value.backward`. Default: 1, if there is a single element.
    expect : dict, optional
        Gradients derived by hand, by label or Value: ``{"w1": 0.447}``. Each is marked right or wrong; it is right
        if it agrees to the digits written, and to 1 % at least.

    Returns
    -------
    Trace
        What a notebook shows as a page to step through, and `print` as a table.

    Raises
    ------
    GraphError
        From a constant, through a released graph, or where a leaf's data was replaced after its use.
    ShapeError
        Without `gradient`, of more than one element; with one of another shape or dtype; where a rule returned
        another shape than its input's.
    NoRuleError
        Where a rule returned nothing.
    LibraryError
        If an array is not NumPy's.
    TraceError
        A ValueError: for a result that is no Value; an expected gradient for what is not in the graph, or of
        another shape.

    Notes
    -----
    A trace keeps the arrays of every step, and takes a few times the memory of the graph.

    Examples
    --------
    >>> from autograd import Value, trace
    >>> x = Value(3.0, label="x")
    >>> steps = trace(x * x)
    >>> [(step.upstream, step.local, step.after) for step in steps.steps]
    [(np.float64(1.0), np.float64(3.0), np.float64(3.0)), (np.float64(1.0), np.float64(3.0), np.float64(6.0))]
    >>> steps["x"].gradient
    np.float64(6.0)
    """
    names: dict[int, str] = {}
    if not isinstance(result, Value):
        if not callable(result):
            raise TraceError(f"trace() takes a Value or a function that computes one, and got {result!r:.60}.")
        result, names = _called(result, inputs)
    elif inputs:
        raise TraceError("trace(value, ...) takes no inputs: the Value knows what it was computed from.")
    if not result.requires_grad:
        raise GraphError(
            f"trace() of {describe(result)}: nothing it was computed from requires a gradient. Give the inputs as "
            f"Value(...) of floating numbers, and look for no_grad(), detach() or an integer dtype on the way."
        )
    names = {**text.known(sys._getframe(1), ancestors(result)), **names}
    return expected(recorded(result, gradient, names), expect or {})


def _called(function: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Value, dict[int, str]]:
    """The result of the function, under notes of where, and the names of its parameters."""
    labels = _labels(function, inputs)
    arguments = []
    for given in inputs:
        number = isinstance(given, int | float | list) and not isinstance(given, bool)
        floating = isinstance(given, np.ndarray | np.generic) and given.dtype.kind == "f"
        data = Value(given) if number or floating else given
        arguments.append(data)
    variables: dict[str, Any] = {}
    with modes.enable_grad(), modes.locating(), _watched(function, variables):
        result = function(*arguments)
    if not isinstance(result, Value):
        raise TraceError(
            f"trace(f, ...): {getattr(function, '__name__', 'f')} returned {result!r:.60}, and a Value is needed. "
            f"Does it compute on its arguments with NumPy's functions or operators, and return the result?"
        )
    inner = {id(x): label for x, label in zip(arguments, labels, strict=True) if isinstance(x, Value)}
    return result, {**text.variables(variables), **inner}


def _labels(function: Callable[..., Any], inputs: tuple[Any, ...]) -> list[str]:
    """What the function calls its arguments; ``x1``, ``x2``, ... where it does not say."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    found = []
    for parameter in parameters:
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            found.append(parameter.name)
        elif parameter.kind == parameter.VAR_POSITIONAL:
            found += [f"{parameter.name}[{i}]" for i in range(len(inputs) - len(found))]
    return [found[i] if i < len(found) else f"x{i + 1}" for i in range(len(inputs))]


@contextmanager
def _watched(function: Callable[..., Any], variables: dict[str, Any]) -> Iterator[None]:
    """Keep the local variables with which the function returns: what it calls the Values between."""
    code = getattr(function, "__code__", None)
    if code is None or sys.getprofile() is not None:  # somebody is measuring: keep out of the way
        yield
        return

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            variables.update(frame.f_locals)

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def recorded(root: Value, gradient: Any, names: dict[int, str]) -> Trace:
    """The pass itself: the same rules in the same order as `backward`, with a note of each step.

    `names` are what the caller's code calls its Values, as `text.known` finds them.
    """
    seed = seed_for(root, gradient, create_graph=False)
    order = topological([root])
    nodes = ancestors(root)
    for node in nodes:
        if is_foreign(node._array):
            kind = type(node._array)
            raise LibraryError(
                f"trace() is a table of numbers, and {describe(node)} is a {kind.__module__}.{kind.__qualname__}. "
                f"Compute the same with NumPy's arrays, a few of them: Value(x.compute()), or Value(cupy.asnumpy(x))."
            )
    ids = {node: i for i, node in enumerate(nodes)}
    uses: dict[Value, int] = {}
    for node in order:
        for value in node.inputs:
            if value._tracked:
                uses[value] = uses.get(value, 0) + 1
    gradients: dict[Value, Any] = {root: seed}
    cuts: dict[Value, Any] = {}
    arrived = dict.fromkeys(uses, 0)
    steps: list[Step] = []
    with np.errstate(all="ignore"), modes.enable_grad() if modes.active else nullcontext():
        for node in reversed(order):
            upstream, arrays = gradients[node], [value._array for value in node.inputs]
            slopes: dict[int, Any] = {}

            def seen(i: int, value: Value, raw: Any, share: Any, node: Any = node, slopes: Any = slopes) -> None:
                before = gradients.get(value)
                after = share if before is None else before + share
                arrived[value] += 1
                summed = _summed(node.shape if node.op.elementwise else np.shape(raw), value.shape)
                steps.append(
                    Step(
                        len(steps) + 1, ids[node], i, ids[value], _shown(gradients[node]), slopes[i], summed,
                        _shown(share), _shown(before), _shown(after), arrived[value], uses[value],
                    )
                )  # fmt: skip

            try:
                slopes.update(_locals(node, [i for i, value in enumerate(node.inputs) if value._tracked], arrays))
                pass_one(node, upstream, gradients, gradients, cuts, seen=seen)
            except Exception as error:
                error.add_note(f"in the backward pass of {describe(node)}")
                raise
    taken, scopes = text.names(nodes, names), _scopes(nodes)
    return Trace(
        tuple(
            [
                _noted(node, i, taken[i], names, ids, gradients.get(node), scopes.get(node, ()))
                for i, node in enumerate(nodes)
            ]
        ),
        tuple(steps),
        tuple(map(weakref.ref, nodes)),
    )


def _locals(node: Value, positions: list[int], arrays: list[Any]) -> dict[int, Any]:
    """The local derivatives of a node, from its rules with an upstream gradient of 1."""
    op, result = node.op, node._array
    assert op is not None
    complex_ = any(getattr(x, "dtype", result.dtype).kind == "c" for x in (result, *arrays))
    if complex_ or not (op.elementwise or node.size == 1):
        return dict.fromkeys(positions)
    ones = np.ones_like(result)[()]
    found = {}
    for i in positions:
        share = op.gradient(i, ones, result, arrays, node.params)
        if type(share) is type(arrays[i]) is np.float64:
            found[i] = share
            continue
        share = np.asarray(share).real
        shape = np.shape(arrays[i]) if node.size == 1 else node.shape
        if share.size == 1 or share.shape != shape:
            share = np.broadcast_to(share.reshape(()) if share.size == 1 else share, shape)
        found[i] = _plain(share.astype(result.dtype, copy=False)[()])
    return found


def _summed(have: tuple[int, ...], want: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of a rule's answer over which it is summed to get the input's shape."""
    extra = len(have) - len(want)
    if extra < 0:
        return ()
    stretched = [extra + i for i, n in enumerate(want) if n == 1 != have[extra + i]]
    return (*range(extra), *stretched)


def _shown(gradient: Any) -> Any:
    """A gradient as users see it, which of a complex number is the conjugate of what is in the pass."""
    return None if gradient is None else _plain(conjugate(gradient))


def _plain(data: Any) -> Any:
    """A number as it is, an array as one that cannot be written into."""
    if data is None or isinstance(data, np.generic | int | float | complex):
        return data
    array = np.asarray(data).view()
    array.setflags(write=False)
    return array


def _scopes(nodes: list[Value]) -> dict[Value, tuple[str, ...]]:
    """The names of the module calls around each node, those of one name in one place numbered."""
    if not any(node.notes and "modules" in node.notes for node in nodes):
        return {}
    paths: dict[tuple[int, ...], tuple[str, ...]] = {(): ()}
    counts: dict[tuple[str, ...], int] = {}
    found = {}
    for node, chain in folding.scopes(nodes).items():
        for depth in range(1, len(chain) + 1):
            key = tuple([id(call) for call in chain[:depth]])
            if key not in paths:
                path = (*paths[key[:-1]], chain[depth - 1][0])
                counts[path] = counts.get(path, 0) + 1
                paths[key] = path if counts[path] == 1 else (*path[:-1], f"{path[-1]} #{counts[path]}")
        found[node] = paths[tuple([id(call) for call in chain])]
    return found


_dtype = functools.cache(str)


def _noted(
    node: Value,
    place: int,
    name: str,
    names: dict[int, str],
    ids: dict[Value, int],
    gradient: Any,
    scope: tuple[str, ...],
) -> Node:
    op, notes, data = node.op, node.notes or {}, node._array
    inputs = tuple([ids[value] for value in node.inputs or ()])
    formulas: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    if op is not None:
        formulas = op.formula * len(inputs) if op.variadic else op.formula
        operands = tuple(map(str, range(len(inputs)))) if op.variadic else op.parameters[: op.count]
    gradient = _shown(gradient)
    if gradient is not None and op is None:
        gradient = settle(gradient, data)
    return Node(
        id=place,
        name=name,
        label=node.label if node.label is not None else names.get(id(node)),
        kind="result" if op is not None else "leaf" if node._tracked else "constant",
        operation=None if op is None else op.name,
        symbol=None if op is None else op.symbol,
        elementwise=op is not None and op.elementwise,
        formulas=formulas,
        operands=operands,
        parameters=text.keywords(node.params),
        inputs=inputs,
        shape=node.shape,
        dtype="" if data is None else _dtype(node.dtype),
        value=_plain(data),
        gradient=_plain(gradient),
        source=notes.get("source"),
        scope=scope,
    )


# -------------------------------------------------------------------- a hand derivation beside it


def expected(found: Trace, expect: Mapping[Any, Any]) -> Trace:
    """The trace with its nodes marked right or wrong."""
    marks: dict[int, tuple[Any, bool]] = {}
    for what, wanted in expect.items():
        node = found[what]
        if node.gradient is None:
            raise TraceError(f"expect: {node.name} is a constant and has no gradient to compare.")
        content = _plain(wanted if isinstance(wanted, int | float | np.generic) else np.array(wanted)[()])
        shape = np.shape(content)
        if shape not in ((), node.shape) or np.asarray(content).dtype.kind not in "iufc":
            raise TraceError(
                f"expect: the gradient of {node.name} has shape {node.shape}, and {wanted!r:.60} was given."
            )
        marks[node.id] = content, _agree(node.gradient, content)
    nodes = tuple(
        [replace(n, expected=marks[n.id][0], right=marks[n.id][1]) if n.id in marks else n for n in found.nodes]
    )
    return replace(found, nodes=nodes) if marks else found


def _agree(gradient: Any, wanted: Any) -> bool:
    """Whether numbers agree to the digits written, to 1 % at least and to rounding errors at most."""
    precision = max(1e-6, 32 * float(np.finfo(np.asarray(gradient).dtype).eps))
    for have, want in np.nditer([np.asarray(gradient), np.asarray(wanted)], flags=["zerosize_ok"]):
        size = float(abs(want[()]))
        if not np.isfinite(want):
            if not (have == want or (np.isnan(have) and np.isnan(want))):
                return False
            continue
        digits = f"{size!r}".partition("e")
        decimals = len(digits[0].partition(".")[2]) - int(digits[2] or 0)
        slack = min(max(0.5 * 10.0**-decimals, precision * size), 0.01 * size) or 1e-9
        if not abs(have - want) <= slack * (1 + 1e-9):
            return False
    return True


# -------------------------------------------------------------------- JSON

_FORMAT = "autograd trace 1"


_NAMES = {kind: tuple((f.name, f.default is None) for f in fields(kind)) for kind in (Node, Step)}


def _spelled(record: Node | Step) -> dict[str, Any]:
    """The fields of a record; what is None, and would be without a word, is left out."""
    found = {}
    for name, optional in _NAMES[type(record)]:
        content = getattr(record, name)
        if content is not None or not optional:
            found[name] = _encoded(content)
    return found


def _encoded(x: Any) -> Any:
    """JSON's own number is a float64 or a Python int; everything else is an object that says what it is."""
    if x is None or isinstance(x, str | bool) or type(x) is int:
        return x
    if type(x) is np.float64:
        return float(x) if math.isfinite(x) else {"float64": repr(float(x))}
    if isinstance(x, tuple):
        return [_encoded(item) for item in x]
    if isinstance(x, float):
        return {"float": repr(x)}
    if isinstance(x, complex):
        return {"complex": [repr(x.real), repr(x.imag)]}
    array = np.asarray(x)
    flat = array.ravel()
    if array.dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    if flat.dtype.itemsize > 8:
        data = [str(n) for n in flat]
    else:
        data = [repr(n) if isinstance(n, float) and not math.isfinite(n) else n for n in flat.tolist()]
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def _decoded(x: Any) -> Any:
    if isinstance(x, float):
        return np.float64(x)
    if isinstance(x, list):
        return tuple([_decoded(item) for item in x])
    if not isinstance(x, dict):
        return x
    if "float64" in x:
        return np.float64(x["float64"])
    if "float" in x:
        return float(x["float"])
    if "complex" in x:
        return complex(*map(float, x["complex"]))
    dtype = np.dtype(x["dtype"])
    flat = np.array(x["data"], dtype=np.empty(0, dtype).real.dtype)
    return _plain(flat.view(dtype).reshape(tuple(x["shape"]))[()])
