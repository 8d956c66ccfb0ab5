"""The reverse pass: from a result back to everything it depends on, one rule at a time.

For each recorded result, after all its uses have reported in, the pass calls the rule of each input with
the upstream gradient, brings what comes back to the input's shape and dtype, and adds it up. Leaves get
their sum only when the whole pass has succeeded.

Complex numbers. For a real L and a complex z = x + iy, the gradient that users see, `.grad` and whatever a
transform takes or gives as a gradient, is dL/dx + i dL/dy: the direction of steepest ascent, so that
``z.data -= rate * z.grad`` descends (PyTorch's convention; that of JAX and HIPS autograd is its conjugate).
Inside a pass, and so in the rules, it is the conjugate, dL/dx - i dL/dy, which passes through a holomorphic
function f as ``g * f'(z)`` and through a linear map as its transpose: the rules of the real functions, as they
stand. `conjugate` changes one into the other where a pass begins and ends. A real input gets the real part.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import float64, ndarray

from . import modes
from .errors import AnomalyError, AutogradError, DataError, GraphError, LibraryError, NoRuleError, ShapeError
from .graph import describe, of_libraries, topological
from .op import certain, is_foreign, is_lazy, lazy_kinds, same, uncomputed

if TYPE_CHECKING:
    from .value import Value

FLOAT64 = np.dtype(float64)
_commit = threading.Lock()
EAGERLY = nullcontext()


def backward(root: Value, gradient: Any = None, *, create_graph: bool = False, retain_graph: bool = True) -> None:
    """Add d root / d leaf to the `.grad` of every leaf. See `Value.backward`."""
    if not root.requires_grad:
        raise GraphError(
            f"backward() from {describe(root)}: nothing it was computed from requires a gradient. Give the inputs as "
            f"Value(...) of floating numbers, and look for no_grad(), detach() or an integer dtype on the way."
        )
    seed = seed_for(root, gradient, create_graph)
    leaves = reverse([root], [seed], create_graph=create_graph, retain_graph=retain_graph)
    if create_graph:  # a gradient that depends on nothing is a Value, too
        leaves = {
            leaf: share if hasattr(share, "requires_grad") else type(leaf)(share, requires_grad=False)
            for leaf, share in leaves.items()
        }
    with _commit:  # two threads may share a leaf
        sums = [
            settle(gradient if leaf._grad is None else leaf._grad + gradient, leaf._array)
            for leaf, share in leaves.items()
            for gradient in (share if share.dtype is FLOAT64 else conjugate(share),)
        ]
        # One call into C, between whose steps no Ctrl-C can come: all leaves get their gradient, or none.
        any(map(setattr, leaves, repeat("_grad"), sums))


def seed_for(root: Value, gradient: Any, create_graph: bool) -> Any:
    """What a pass starts from: 1 for a single number, else the gradient that the caller gave, checked."""
    data = root._array
    if gradient is None:
        if type(data) is float64:
            return float64(1.0)
        if root.size != 1:
            raise ShapeError(
                f"backward() from {describe(root)}, which has {root.size} elements: a gradient is defined for a single "
                f"number. Reduce it first, as in `.sum().backward()` or `.mean().backward()`, "
                f"or pass the upstream gradient: `.backward(gradient)` with the same shape."
            )
        if data.dtype.kind == "c":
            raise DataError(
                f"backward() from {describe(root)}, which is complex: a gradient is defined for a real number. Take "
                f"one, as in `.real` or `abs(v) ** 2`, or pass the upstream gradient: `.backward(gradient)`."
            )
        seed = np.ones_like(data)[()]
    elif hasattr(gradient, "requires_grad"):
        seed = gradient if create_graph else np.array(gradient._array)[()]
    else:
        seed = (gradient.copy() if hasattr(gradient, "__array_function__") else np.array(gradient))[()]
    if seed.shape != root.shape:
        raise ShapeError(
            f"backward(gradient) got a gradient of shape {seed.shape} for {describe(root)}: the two must be the same."
        )
    if seed.dtype != data.dtype:
        if not np.can_cast(seed.dtype, data.dtype, "same_kind"):
            raise ShapeError(
                f"backward(gradient) got a gradient of dtype {seed.dtype} for {describe(root)}, dtype {data.dtype}."
            )
        seed = seed.astype(data.dtype)
    return conjugate(seed)


def conjugate(gradient: Any) -> Any:
    """From a gradient to what the rules get and give, and back; a real one is both."""
    return np.conj(gradient) if gradient.dtype.kind == "c" else gradient


def reverse(
    roots: Sequence[Value],
    seeds: Iterable[Any],
    *,
    create_graph: bool = False,
    retain_graph: bool = True,
    wrt: Sequence[Value] | None = None,
) -> dict[Value, Any]:
    """One reverse pass: the gradient of sum(root * seed) for each leaf, or for each of `wrt`; conjugate, if complex.

    Without `wrt` the inner results keep their gradient in `.grad`. With it, the pass changes nothing,
    follows only what depends on one of `wrt`, and takes these for leaves; those that nothing depends on are
    missing from the answer. With `create_graph` the gradients are Values, recorded in turn.
    """
    leaves: dict[Value, Any] = {}
    gradients: dict[Value, Any] = {}
    state = modes.now() if modes.active else modes.PLAIN
    watching, interpreter = state.watching, state.interpreter
    lazily = uncomputed() if lazy_kinds else EAGERLY  # a rule may call what Dask has no lazy form of
    with np.errstate(all="ignore"), lazily:  # what is not finite is for `anomaly` to tell, with a name and a line
        if wrt is None and not create_graph and not watching and interpreter is None:
            ((root, seed),) = zip(roots, seeds, strict=True)  # as `backward` calls it
            (leaves if root.op is None else gradients)[root] = seed
            _fast_pass(topological(roots), gradients, leaves, retain_graph)
            return leaves
        ends = set(wrt or ())
        order = topological(roots, ends)
        targets = None if wrt is None else set(ends)
        if targets is not None:
            for node in order:
                if any(value in targets for value in node.inputs):
                    targets.add(node)
            order = [node for node in order if node in targets]
        for root, seed in zip(roots, seeds, strict=True):
            add(leaves if root.op is None or root in ends else gradients, root, seed)
        cuts: dict[Value, Any] = {}
        with (
            modes.enable_grad() if modes.active else nullcontext(),
            nullcontext() if interpreter is None else interpreter.backward(),
        ):
            while order:
                node = order.pop()
                upstream = gradients.pop(node)
                try:
                    pass_one(node, upstream, gradients, leaves, cuts, create_graph, watching, targets, ends)
                except Exception as error:
                    _note(error, node)
                    raise
                if targets is None:
                    _finish(node, upstream, retain_graph)
            if interpreter is not None:
                leaves = {leaf: interpreter.made(share) for leaf, share in leaves.items()}
    return leaves


def pass_one(
    node: Any,
    upstream: Any,
    gradients: dict[Value, Any],
    leaves: dict[Value, Any],
    cuts: dict[Value, Any],
    create_graph: bool = False,
    watching: bool = False,
    targets: Collection[Value] | None = None,
    ends: Collection[Value] = (),
    seen: Callable[[int, Value, Any, Any], None] | None = None,
) -> None:
    """What a reverse pass is made of: for one node, each input's rule, added to what the input has so far.

    `seen` is told of each: the input's number, the input, what the rule gave, and what of it is about to be added.

    `cuts` tells of nodes with a gradient that a `where` has cut to zero, in which entries. Zero it stays on its way
    down, also where a local derivative is infinite and 0 * inf would make NaN of it: the result does not depend on
    the branch not taken.
    """
    inputs, op = node.inputs, node.op
    interpreter = modes.now().interpreter if modes.active else None
    gradient = op.gradient if interpreter is None else partial(interpreter.gradient, op)
    check_unchanged(node)
    result: Any = node if create_graph else node._array
    arguments = [value if create_graph and value._tracked else value._array for value in inputs]
    params = {**node.params, "saved": None} if create_graph and op.with_saved else node.params
    cut = cuts.pop(node, None)
    for index, value in enumerate(inputs):
        if value._tracked and (targets is None or value in targets):
            # A program is not to depend on that, where it makes no difference.
            if cut is not None and not (interpreter and op.elementwise) and certain(cut.all()):
                raw: Any = 0.0
            else:
                raw = gradient(index, upstream, result, arguments, params)
            if cut is not None and op.elementwise:
                raw = np.where(cut, 0.0, raw)
            share = conform(raw, upstream, value, node)
            if watching:
                check_finite(share, node, value)
            below = _cut_below(node, index, cut, interpreter) if cut is not None or op.cuts is not None else None
            to = leaves if value.op is None or value in ends else gradients
            if value in to:  # an entry is cut if it is in all that comes in
                before = cuts.pop(value, None)
                below = None if below is None or before is None else below & before
            unknown = interpreter is not None or is_lazy(below)
            if below is not None and to is gradients and (unknown or below.any()):
                cuts[value] = below
            if seen is not None:
                seen(index, value, raw, share)
            add(to, value, share)


def _cut_below(node: Any, index: int, cut: Any, interpreter: Any) -> Any:
    """Which entries of the gradient of an input are cut to zero, if those of the node are; None if nothing is known."""
    op, value, arrays = node.op, node.inputs[index], [value._array for value in node.inputs]
    if cut is not None and not (interpreter and (op.elementwise or op.moves)) and certain(cut.all()):
        return np.ones_like(value._array, bool) if is_foreign(value._array) else np.ones(value.shape, bool)[()]
    if op.cuts is not None:
        own = op.cuts(index, node._array, *arrays, **(node.params or {}))
        own = own | np.zeros_like(node._array, bool) if is_foreign(node._array) else np.broadcast_to(own, node.shape)
        cut = own if cut is None else cut | own
    live = np.subtract(1.0, cut)
    if op.moves:
        gradient = op.gradient if interpreter is None else partial(interpreter.gradient, op)
        live = gradient(index, live, node._array, arrays, node.params)
    elif not op.elementwise:
        return None
    return unbroadcast((live if hasattr(live, "dtype") else np.asarray(live))[()], value.shape) == 0


def _finish(node: Any, upstream: Any, retain_graph: bool) -> None:
    """Leave the gradient in a node that has been dealt with, or take the node apart."""
    if retain_graph:
        node._grad = getattr(upstream, "_array", upstream)  # of a gradient with a graph, the numbers
    else:
        node._grad = node.inputs = node.params = node.notes = None


def _consumed(order: list[Any]) -> Iterator[Any]:
    """The nodes from last to first, none of them held any longer than its turn."""
    while order:
        yield order.pop()


def _fast_pass(order: list[Any], gradients: dict[Value, Any], leaves: dict[Value, Any], retain_graph: bool) -> None:
    """The same on raw arrays to all leaves, with every step spared that operations of one or two inputs can spare."""
    node: Any = None
    steps = reversed(order) if retain_graph else _consumed(order)
    try:
        for node in steps:
            op, clock = node.op, node._clock
            upstream = gradients.pop(node)  # kept, it would make of a long chain a large dictionary
            value: Any = None  # the input whose share is yet to be added
            if op.pair is not None:
                rule, other_rule = op.pair
                first, second = node._first, node._second
                if first is None:
                    first, second = node._inputs
                x, y = first._array, second._array
                if first._clock > clock or second._clock > clock:
                    check_unchanged(node)
                if first._tracked:
                    share = upstream if rule is same else rule(upstream, node._array, x, y)
                    if type(share) is not float64 or type(x) is not float64:
                        share = conform(share, upstream, first, node)
                    to = gradients if first.op is not None else leaves
                    to[first] = to[first] + share if first in to else share
                if second._tracked:
                    share = upstream if other_rule is same else other_rule(upstream, node._array, x, y)
                    value, x = second, y
            elif op.single is not None:
                (value,) = node._inputs
                x, params = value._array, node.params
                if value._clock > clock:
                    check_unchanged(node)
                share = op.single(upstream, node._array, x, **params) if params else op.single(upstream, node._array, x)
            else:
                cuts: dict[Value, Any] = {}
                pass_one(node, upstream, gradients, leaves, cuts)
                while cuts:  # as long as entries cut by a `where` are on their way
                    _finish(node, upstream, retain_graph)
                    node = next(steps)
                    upstream = gradients.pop(node)
                    pass_one(node, upstream, gradients, leaves, cuts)
            if value is not None:
                if type(share) is not float64 or type(x) is not float64:
                    share = conform(share, upstream, value, node)
                to = gradients if value.op is not None else leaves
                to[value] = to[value] + share if value in to else share
            if retain_graph:
                node._grad = upstream
            else:
                node._grad = node.inputs = node.params = node.notes = None
    except Exception as error:
        _note(error, node)
        raise


def _note(error: Exception, node: Any) -> None:
    """Add to an error out of a rule whose rule it was; of arrays of another library, say what is to be done."""
    explained = of_libraries(error, node.op, (node, *(node.inputs or ())))
    if explained is not None:
        raise explained from error
    if not isinstance(error, AutogradError):
        error.add_note(f"in the backward pass of {describe(node)}")


def add(gradients: dict[Value, Any], value: Value, share: Any) -> None:
    """Add one contribution to what has come in for `value`."""
    gradients[value] = gradients[value] + share if value in gradients else share


def conform(share: Any, upstream: Any, value: Value, node: Any) -> Any:
    """`share` in the shape and dtype of `value`: summed over what was broadcast, broadcast, cast.

    A leaf never gets the upstream array itself, which others hold too.
    """
    data = value._array
    shape = data.shape
    if type(share) is ndarray and shape and share.shape == shape and share.dtype is data.dtype:  # nearly always
        return share.copy("K") if share is upstream and value.op is None else share
    if not hasattr(share, "shape"):  # a rule may return a plain 0.0
        if share is None:
            raise NoRuleError(f"The rule of {node.op.name} returned None for its input, {describe(value)}.")
        share = share.owned() if hasattr(type(share), "owned") else np.asarray(share)[()]
    if type(data) is not ndarray and isinstance(share, np.generic) and is_foreign(data):
        share = np.full_like(data, share)
    if share.shape != shape:
        try:
            share = unbroadcast(share, shape)
        except ValueError:
            raise ShapeError(
                f"The rule of {node.op.name} returned a gradient of shape {share.shape} for its input, "
                f"{describe(value)}: the two must be the same, up to broadcasting."
            ) from None
    if not shape and type(share) is ndarray:  # np.where and np.reshape make 0-d arrays
        share = share[()]
    if share.dtype != data.dtype:
        if share.dtype.kind == "c" and data.dtype.kind != "c":
            share = share.real
        share = share.astype(data.dtype)
    if share is upstream and value.op is None and type(share) is ndarray:
        return share.copy("K")
    return share


def unbroadcast(share: Any, shape: tuple[int, ...]) -> Any:
    """Sum `share` over the axes that broadcasting added or stretched; broadcast what is too small."""
    if isinstance(share, np.generic):  # one number everywhere: a view of it, without NumPy's long way there
        return ndarray(shape, share.dtype, share, 0, (0,) * len(shape))
    extra = share.ndim - len(shape)
    if extra == 1 and type(share) is ndarray:
        share = np.add.reduce(share, 0)
    elif extra > 0:
        share = share.sum(axis=tuple(range(extra)))
    if share.shape != shape:
        wanted = shape[len(shape) - share.ndim :]
        stretched = tuple(i for i, (n, want) in enumerate(zip(share.shape, wanted, strict=True)) if want == 1 != n)
        if stretched:
            share = share.sum(axis=stretched, keepdims=True)
        if share.shape != shape:
            share = np.broadcast_to(share, shape)
    return share


def settle(gradient: Any, data: Any) -> Any:
    """A gradient of the very dtype of `data` (sums lose the byte order) that shares no memory with another array."""
    if gradient.dtype is not data.dtype and gradient.dtype != data.dtype:
        return gradient.astype(data.dtype)
    if type(gradient) is ndarray:
        return gradient.copy() if gradient.base is not None else gradient
    return gradient.settled() if hasattr(type(gradient), "settled") else gradient


def check_unchanged(node: Any) -> None:
    """Raise if the data of an input was replaced after `node` was computed from it."""
    for value in node.inputs:
        if value._clock > node._clock:
            raise GraphError(
                f"The data of {describe(value)} was replaced after {describe(node)} had been computed from it, so the "
                f"derivative of {node.op.name} is no longer known. Run the forward pass again before backward()."
            )


def first_not_finite(array: Any) -> tuple[Any, tuple[int, ...]] | None:
    """The first NaN or infinity in `array`, with its index; None if all is finite."""
    if is_lazy(array):
        raise LibraryError("anomaly() looks at numbers, and those of a lazy array are not computed yet.")
    finite = np.isfinite(array)
    if np.all(finite):
        return None
    index = tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), np.shape(array)))
    return np.asarray(array)[index] if not is_foreign(array) else array[index].item(), index


def check_finite(share: Any, node: Any, value: Value | None = None) -> None:
    """Raise for the first NaN or infinity: in the result of `node`, or in the gradient of its input `value`."""
    found = first_not_finite(getattr(share, "_array", share))
    if found is None:
        return
    number, index = found
    place = f" at index {index}" if index else ""
    where = (node.notes or {}).get("source")
    line = f"\n  recorded at {where}" if where else "\n  recorded outside anomaly(), so the line is not known"
    if value is not None:
        raise AnomalyError(
            f"The backward pass of {node.op.name} gave {number}{place} of the gradient of {describe(value)}.{line}"
        )
    message = f"{node.op.name} gave {number}{place} of its result, shape {node.shape}.{line}"
    for position, operand in enumerate(node.inputs):
        came_in = None if operand._array is None else first_not_finite(operand._array)
        if came_in is not None:
            at = f" at index {came_in[1]}" if came_in[1] else ""
            message += f"\n  its input {position}, {describe(operand)}, holds {came_in[0]}{at} already"
    raise AnomalyError(message)
