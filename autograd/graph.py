"""Walking a graph: from a result to what it was made of. Iterative, so a chain of a million nodes works.

A graph is nothing but Values and their `inputs`; these functions only read them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import numpy as np

from .errors import AutogradError, GraphError, LibraryError
from .op import Op, is_foreign, is_lazy

if TYPE_CHECKING:
    from .value import Value


def topological(roots: Iterable[Value], stop: Collection[Value] = ()) -> list[Value]:
    """The recorded results that `roots` depend on, each after its inputs; leaves are left out.

    Parameters
    ----------
    roots : iterable of Value
    stop : set or dict of Value
        Taken for leaves: neither they nor what is behind them is listed.

    Raises
    ------
    GraphError
        If part of the graph was released by ``backward(retain_graph=False)``.
    """
    order: list[Value] = []
    seen: set[Value] = set(stop)
    stack: list[Value | None] = [root for root in roots if root.op is not None]
    pop, push, done, see = stack.pop, stack.append, order.append, seen.add
    while stack:
        node = pop()
        if node is None:
            done(pop())  # type: ignore[arg-type]
        elif node not in seen:
            see(node)
            push(node)
            push(None)
            first = node._first
            if first is not None:  # the commonest kind, and `inputs` would have to make a tuple of it
                second = node._second
                if first.op is not None and first not in seen:
                    push(first)
                if second.op is not None and second not in seen:
                    push(second)
                continue
            inputs = node._inputs
            if inputs is None:
                raise released(node)
            for value in inputs:
                if value.op is not None and value not in seen:
                    push(value)
    return order


def ancestors(root: Value) -> list[Value]:
    """`root` and every Value it was made of, leaves and constants too, each after its inputs.

    Inputs come in operand order, left to right. A released node counts as a leaf.
    """
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[tuple[Value, bool]] = [(root, False)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((value, False) for value in reversed(node.inputs or ()) if value not in seen)
    return order


def released(node: Value) -> GraphError:
    """The error for a graph that was used up."""
    return GraphError(
        f"The graph behind {describe(node)} was released by backward(retain_graph=False). Run the forward pass again, "
        f"or call backward() without retain_graph=False the first time."
    )


def describe(node: Value) -> str:
    """A Value in a few words, for a message: its label or operation, and its shape."""
    if node.label is not None:
        what = repr(node.label)
    elif node.op is not None:
        what = f"a result of {node.op.name}"
    else:
        what = "a leaf" if node.requires_grad else "a constant"
    return f"{what} of shape {node.shape}"


def _raised_in(error: Exception, package: str) -> bool:
    """Whether the innermost frame of an error is in a package."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and str(place.tb_frame.f_globals.get("__name__")).split(".")[0] == package


def of_libraries(error: Exception, op: Op, inputs: tuple[Value, ...]) -> LibraryError | None:
    """What went wrong between an operation and the libraries of its arrays, and what to write instead; None if else."""
    arrays = [value._array for value in inputs]
    kinds = {type(array) for array in arrays if is_foreign(array)}
    if not kinds or isinstance(error, AutogradError):
        return None
    lazy = any(map(is_lazy, arrays))
    ours = (TypeError, AttributeError, NotImplementedError, FutureWarning)
    if not isinstance(error, ours) and not (lazy and _raised_in(error, "dask")):
        return None
    names = sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    said = "Dask has no such function" if isinstance(error, FutureWarning) else str(error).strip()
    what = f"{op.name} of {' and '.join(map(describe, inputs))}: {said}"
    if lazy:
        return LibraryError(
            f"{what}\nThese arrays are not computed yet, and there is no form of {op.name} that waits. Compute them "
            f"first, Value(x.compute()); or apply a function to each chunk with dask.array.map_blocks before it "
            f"becomes a Value."
        )
    if len(kinds) > 1 or any(isinstance(array, np.ndarray) for array in arrays):
        both = " and ".join(names if len(kinds) > 1 else [*names, "numpy.ndarray"])
        return LibraryError(
            f"{what}\n{both} do not mix. Bring all arrays to one library before: Value(to(x)) with its function `to` "
            f"from arrays to arrays, such as cupy.asarray, and model.to(to) for the parameters of a net."
        )
    return LibraryError(
        f"{what}\nThe library of {names[0]} has no such function, or not for these arguments. Compose it of others "
        f"that it has, or compute it on NumPy's arrays and bring the result there."
    )
