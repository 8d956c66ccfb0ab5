"""Transforms: from a function to the function of its derivatives.

    derivative(np.sin)(0.0)                       # 1.0
    derivative(derivative(np.sin))(0.5)           # -sin(0.5)
    grad(lambda p: loss(p["W"], p["b"]))(params)  # a dict like params

They take and give plain arrays, numbers, and nested lists, tuples and dicts of these. Called with Values,
inside another transform, or of a function that closes over Values, they give Values, which can be
differentiated again by those (under `no_grad()` what is closed over is constant). Each one runs the function
on fresh Values and makes reverse passes that touch no `.grad`.

Complex numbers: a gradient is dL/dx + i dL/dy, as everywhere (see `autograd.backward`); `derivative` and
`jacobian` of a holomorphic function are its complex derivatives.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from itertools import accumulate
from typing import Any

import numpy as np

from . import modes
from .backward import conjugate, reverse, settle
from .errors import DataError, GraphError, ShapeError
from .graph import topological
from .op import Op, as_array, certain, is_lazy
from .value import Value, record, tick

Function = Callable[..., Any]

_inside: ContextVar[bool] = ContextVar("inside a transform", default=False)


# -------------------------------------------------------------------- nested containers


def _leaves(tree: Any) -> Iterator[Any]:
    """The arrays in nested lists, tuples and dicts, in order."""
    if isinstance(tree, dict):
        for name in tree:
            yield from _leaves(tree[name])
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from _leaves(item)
    else:
        yield tree


def _filled(tree: Any, leaves: Iterator[Any]) -> Any:
    """The same nesting with other leaves."""
    if isinstance(tree, dict):
        return {name: _filled(item, leaves) for name, item in tree.items()}
    if isinstance(tree, list | tuple):
        items = [_filled(item, leaves) for item in tree]
        if isinstance(tree, list):
            return items
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    return next(leaves)


def _mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    return _filled(tree, map(function, _leaves(tree)))


def tracked(x: Any) -> bool:
    return isinstance(x, Value) and x.requires_grad


def depends_on_older(outputs: Sequence[Value], time: int) -> bool:
    """Whether a gradient flows from `outputs` to a leaf that was made before that time."""
    used = [*outputs, *(value for node in topological(outputs) for value in node.inputs)]
    return any(value.is_leaf and value.requires_grad and value._clock < time for value in used)


# -------------------------------------------------------------------- one run of a function


class _Run:
    """A function called once on fresh variables in the place of some of its arguments.

    Attributes
    ----------
    variables : list of Value
        One for each array in the chosen arguments.
    chosen
        Those arguments: a tuple if `argnums` is one, else the one.
    outputs : list of Value
        The arrays of the result.
    result
        The result itself, which gives the nesting of `outputs`.
    nested : bool
        Whether the answer must be Values, because somebody may differentiate it again.
    """

    def __init__(
        self,
        name: str,
        function: Function,
        args: Sequence[Any],
        argnums: Any,
        kwargs: dict[str, Any],
        has_aux: bool = False,
    ):
        self.name = name
        numbers = argnums if isinstance(argnums, tuple) else (argnums,)
        count = len(args)
        places = {number % count for number in numbers if isinstance(number, int) and -count <= number < count}
        if len(places) != len(numbers):
            raise DataError(
                f"{name}(..., argnums={argnums!r}) of a call with {count} positional arguments: argnums is one of "
                f"their numbers, or a tuple of different ones."
            )
        chosen = tuple(args[number] for number in numbers)
        self.chosen: Any = chosen if isinstance(argnums, tuple) else chosen[0]
        recording, start = modes.now().recording, tick()
        self.nested = _inside.get() or any(tracked(x) for x in _leaves((args, kwargs)))
        self.variables = [self._variable(x) for x in _leaves(chosen)]
        fresh = iter(self.variables)
        replaced = list(args)
        for number in numbers:
            replaced[number] = _filled(args[number], fresh)
        with _transforming():
            self.result = function(*replaced, **kwargs)
        aux: Any = None
        if has_aux:
            if not (isinstance(self.result, tuple) and len(self.result) == 2):
                raise DataError(f"{name}(..., has_aux=True) needs a function that returns a pair (result, aux).")
            self.result, aux = self.result
        self.outputs = [self._output(y) for y in _leaves(self.result)]
        # What the function closes over may be differentiated later, too; unless no_grad() says that it is not.
        self.nested = self.nested or (recording and depends_on_older(self.outputs, start))
        self.aux = _mapped(self.given, aux)

    def _variable(self, x: Any) -> Value:
        if tracked(x):
            with modes.enable_grad():
                return _copied(x)
        variable = Value(x._array if isinstance(x, Value) else x)
        if not variable.requires_grad:
            raise DataError(
                f"{self.name}: an argument to differentiate is of dtype {variable.dtype}, and a gradient needs "
                f"floating numbers. Pass it as float, or choose other arguments with argnums=."
            )
        return variable

    def _output(self, y: Any) -> Value:
        if isinstance(y, Value):
            return y
        if y is None or isinstance(y, str):
            raise DataError(f"{self.name}: the function returned {y!r}, and a number, an array or a Value is needed.")
        return Value(y, requires_grad=False)

    def single(self, instead: str) -> Value:
        """The result, if it is one real number."""
        if not isinstance(self.result, dict | list | tuple) and self.outputs[0].size == 1:
            if self.outputs[0].dtype.kind == "c":
                raise DataError(
                    f"{self.name} needs a function that returns a real number, and this one returned a complex one. "
                    f"Take its real part or absolute value; of a holomorphic function, use derivative or jacobian."
                )
            return self.outputs[0]
        got = "several arrays" if isinstance(self.result, dict | list | tuple) else f"shape {self.outputs[0].shape}"
        raise ShapeError(
            f"{self.name} needs a function that returns a single number, and this one returned {got}. {instead}"
        )

    def given(self, x: Any) -> Any:
        """What to hand out for a Value: itself if it can be differentiated further, else its numbers."""
        if not isinstance(x, Value):
            return x
        if self.nested and x.requires_grad:
            return x
        return x._array.copy() if isinstance(x._array, np.ndarray) else x._array

    def pull(self, outputs: Sequence[Value], seeds: Sequence[Any]) -> list[Any]:
        """The gradient of sum(output * seed) for each variable."""
        live = [(y, conjugate(seed)) for y, seed in zip(outputs, seeds, strict=True) if y.requires_grad]
        found = reverse([y for y, _ in live], [s for _, s in live], wrt=self.variables, create_graph=self.nested)
        return [
            self.given(settle(conjugate(found[x]), x._array)) if x in found else np.zeros_like(x._array)[()]
            for x in self.variables
        ]

    def slopes(self, y: Value, seed: Any) -> list[Any]:
        """The derivative of sum(y * seed) by each variable: complex, where y is."""
        rows = self.pull([y], [seed])
        if y.dtype.kind != "c":
            return rows
        turned = self.pull([y], [1j * seed])  # the gradients of the imaginary part
        for i, (x, row, other) in enumerate(zip(self.variables, rows, turned, strict=True)):
            if x.dtype.kind != "c":
                rows[i] = row + 1j * other
                continue
            row_, other_ = (as_array(getattr(r, "_array", r)) for r in (row, other))
            limit = np.sqrt(np.finfo(row_.dtype).eps) * np.max(np.abs(row_)) if np.size(row_) else 0.0
            if certain(np.any(np.abs(other_ - 1j * row_) > limit)):
                raise DataError(
                    f"{self.name}: the function is not holomorphic, so that it has no complex derivative. "
                    f"Differentiate its real and its imaginary part, or write it as a function of real ones."
                )
            rows[i] = conjugate(row)
        return rows

    def shaped(self, gradients: Sequence[Any]) -> Any:
        """Gradients in the nesting of the chosen arguments."""
        return _filled(self.chosen, iter(gradients))


@contextmanager
def _transforming() -> Iterator[None]:
    token = _inside.set(True)
    try:
        with modes.enable_grad() if modes.active else nullcontext():
            yield
    finally:
        _inside.reset(token)


def _copied(x: Value) -> Value:
    """A Value of its own in the same graph: a place to differentiate by that nothing else depends on."""
    return np.copy(x)  # type: ignore[return-value]


def _seed(y: Value, seed: Any, what: str) -> Any:
    """`seed` as something of y's shape and dtype."""
    if not isinstance(seed, Value):  # a copy: a gradient may be the seed itself
        other = hasattr(seed, "__array_function__") and not isinstance(seed, np.ndarray)
        seed = seed.copy() if other else np.array(seed)
    if seed.shape != y.shape:
        raise ShapeError(f"{what} has shape {seed.shape}, and what it belongs to has shape {y.shape}.")
    return seed if seed.dtype == y._array.dtype else seed.astype(y._array.dtype)


def _seeds(tree: Any, outputs: Sequence[Value], what: str) -> list[Any]:
    seeds = list(_leaves(tree))
    if len(seeds) != len(outputs):
        raise ShapeError(f"{what}: {len(seeds)} arrays were given and {len(outputs)} are needed.")
    return [_seed(y, seed, what)[()] for y, seed in zip(outputs, seeds, strict=True)]


def _ones(y: Value) -> Any:
    return np.ones_like(y._array)[()]


# -------------------------------------------------------------------- first order


def value_and_grad(function: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """The function that returns both f(x) and its gradient.

    Parameters
    ----------
    function : callable
        It returns a single number.
    argnums : int or tuple of int
        The positional arguments to differentiate by: arrays, or nested lists, tuples and dicts of arrays.
    has_aux : bool
        `function` returns ``(result, aux)``, and so does the new function: ``((result, aux), gradient)``.

    Returns
    -------
    callable
        With the signature of `function`; returns ``(f(x), gradient)``, the gradient nested like the argument (a
        tuple of such if `argnums` is a tuple), of its shapes and dtypes. Where nothing depends on an argument, zeros.

    Raises
    ------
    DataError
        An argument to differentiate by is not floating; `argnums` names no argument, or one twice; the function
        returned something else than numbers, or with `has_aux` no pair.
    ShapeError
        The function returned more than one number.

    Examples
    --------
    >>> from autograd import value_and_grad
    >>> value_and_grad(lambda w: w["a"] ** 2 * w["b"])({"a": 3.0, "b": 2.0})
    (np.float64(18.0), {'a': np.float64(12.0), 'b': np.float64(9.0)})
    """

    @functools.wraps(function)
    def with_gradient(*args: Any, **kwargs: Any) -> Any:
        run = _Run("grad", function, args, argnums, kwargs, has_aux)
        y = run.single("Sum it, or use jacobian or vjp.")
        gradient = run.shaped(run.pull([y], [_ones(y)]))
        result = run.given(y)
        return ((result, run.aux), gradient) if has_aux else (result, gradient)

    return with_gradient


def grad(function: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    r"""The gradient of a function that returns a single number, :math:`\nabla f`.

    Parameters, nesting and errors are those of `value_and_grad`; with `has_aux` it returns ``(gradient, aux)``.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """
    both = value_and_grad(function, argnums, has_aux)

    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        result, gradient = both(*args, **kwargs)
        return (gradient, result[1]) if has_aux else gradient

    return gradient


def derivative(function: Function, argnums: int = 0) -> Function:
    """The derivative of a function of a number; of an elementwise function, at each entry of an array.

    Parameters
    ----------
    function : callable
        Its result has the shape of the argument, and each entry depends on that entry alone.
    argnums : int
        The argument to differentiate by.

    Raises
    ------
    DataError
        The argument is not floating, the function returned something else than an array, or one that does not depend on
        a complex argument holomorphically.
    ShapeError
        The result has another shape than the argument.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import derivative
    >>> derivative(derivative(np.exp))(0.0)
    np.float64(1.0)
    >>> derivative(np.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """

    @functools.wraps(function)
    def slope(*args: Any, **kwargs: Any) -> Any:
        run = _Run("derivative", function, args, argnums, kwargs)
        shapes = [y.shape for y in run.outputs], [x.shape for x in run.variables]
        if shapes[0] != shapes[1] or len(run.outputs) != 1:
            raise ShapeError(
                f"derivative needs a function whose result has the shape of its argument: got {shapes[0]} from "
                f"{shapes[1]}. Use grad, jacobian or vjp."
            )
        return run.shaped(run.slopes(run.outputs[0], _ones(run.outputs[0])))

    return slope


def vjp(function: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    r"""The result of a function and its vector-Jacobian product, :math:`v \mapsto J^T v`.

    `v` is a gradient with respect to the result, and what comes out is the gradient with respect to the arguments; for
    complex numbers that is :math:`J^H v`.

    Parameters
    ----------
    function : callable
    *primals : arrays, or nested lists, tuples and dicts of arrays
        The arguments; all are differentiated by.
    has_aux : bool
        `function` returns ``(result, aux)``, and `aux` is the third thing returned.

    Returns
    -------
    result
        f(primals).
    pullback : callable
        ``pullback(v)``, with v nested and shaped like the result, gives a tuple: one gradient for each primal. It
        may be called any number of times.

    Raises
    ------
    DataError
        A primal is not floating, or the result is not made of numbers.
    ShapeError
        In `pullback`: v does not fit the result.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import vjp
    >>> y, pullback = vjp(np.multiply, np.array([1.0, 2.0]), 3.0)
    >>> pullback(np.array([1.0, 1.0]))
    (array([3., 3.]), np.float64(3.0))
    """
    run = _Run("vjp", function, primals, tuple(range(len(primals))), {}, has_aux)

    def pullback(cotangents: Any) -> Any:
        seeds = _seeds(cotangents, run.outputs, "pullback(v)")
        if any(tracked(seed) for seed in seeds):
            run.nested = True
        elif not run.nested:
            seeds = [getattr(seed, "_array", seed) for seed in seeds]
        return run.shaped(run.pull(run.outputs, seeds))

    result = _mapped(run.given, run.result)
    return (result, pullback, run.aux) if has_aux else (result, pullback)


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple[Any, ...]:
    r"""The result of a function and its Jacobian-vector product, :math:`J v`: the slope along a direction.

    Parameters
    ----------
    function : callable
    primals, tangents : sequences of arrays, or of nested lists, tuples and dicts of arrays
        The arguments, and the direction: nested and shaped like them.
    has_aux : bool
        `function` returns ``(result, aux)``, and `aux` is the third thing returned.

    Returns
    -------
    result, tangent
        Both nested and shaped like the result.

    Raises
    ------
    DataError
        A primal is not floating, or the result is not made of numbers.
    ShapeError
        The tangents do not fit the primals.

    Notes
    -----
    :math:`u \mapsto u^T J` is linear in u, and its own vector-Jacobian product with v is J v: two reverse passes
    give a forward one, for every operation that has a rule.

    References
    ----------
    J. Townsend, "A new trick for calculating Jacobian vector products" (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jvp
    >>> jvp(np.sin, [0.0], [2.0])
    (np.float64(0.0), np.float64(2.0))
    """
    primals = tuple(primals)
    run = _Run("jvp", function, primals, tuple(range(len(primals))), {}, has_aux)
    directions = _seeds(tuple(tangents), run.variables, "jvp: a tangent")
    nested = run.nested or any(tracked(t) for t in directions)
    if not nested:
        directions = [getattr(t, "_array", t) for t in directions]
    with modes.enable_grad():
        live = [y for y in run.outputs if y.requires_grad]
        weights = [Value(_ones(y)) for y in live]
        pulled = reverse(live, weights, wrt=run.variables, create_graph=True)
        pairs = [
            (pulled[x], t) for x, t in zip(run.variables, directions, strict=True) if x in pulled and tracked(pulled[x])
        ]
        found = reverse([p for p, _ in pairs], [t for _, t in pairs], wrt=weights, create_graph=nested)
    run.nested = nested
    slopes = {y: run.given(settle(found[u], u._array)) for y, u in zip(live, weights, strict=True) if u in found}
    tangent = [slopes[y] if y in slopes else np.zeros(y.shape, y.dtype)[()] for y in run.outputs]
    result = _mapped(run.given, run.result), _filled(run.result, iter(tangent))
    return (*result, run.aux) if has_aux else result


def jacobian(function: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    r"""All first derivatives of a function of arrays, :math:`J_{ij} = \partial y_i / \partial x_j`.

    Parameters
    ----------
    function : callable
        It returns an array, or nested lists, tuples and dicts of arrays.
    argnums : int or tuple of int
        The positional arguments to differentiate by.
    has_aux : bool
        `function` returns ``(result, aux)``, and the new function ``(jacobian, aux)``.

    Returns
    -------
    callable
        With the signature of `function`; returns arrays of shape ``y.shape + x.shape``, nested like the result, and
        within that like the argument. It makes one reverse pass for each number in the result.

    Raises
    ------
    DataError
        An argument to differentiate by is not floating; the function returned something else than numbers, or complex
        numbers that do not depend on a complex argument holomorphically.

    Notes
    -----
    Of a real result by a complex argument each row is a gradient, dy/da + i dy/db.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jacobian
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    @functools.wraps(function)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = _Run("jacobian", function, args, argnums, kwargs, has_aux)
        blocks = []
        for y in run.outputs:
            rows = []
            for index in np.ndindex(y.shape):
                seed = np.zeros(y.shape, y._array.dtype)
                seed[index] = 1
                rows.append(run.slopes(y, seed[()]))
            blocks.append(
                run.shaped(
                    [
                        np.reshape(np.stack([row[i] for row in rows]), y.shape + x.shape)[()]
                        if rows
                        else np.zeros(y.shape + x.shape, x.dtype)
                        for i, x in enumerate(run.variables)
                    ]
                )
            )
        result = _filled(run.result, iter(blocks))
        return (result, run.aux) if has_aux else result

    return matrix


# -------------------------------------------------------------------- second order


def hessian(function: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    r"""All second derivatives of a function that returns a number, :math:`\partial^2 f / \partial x_i \partial x_j`.

    Returns arrays of shape ``x.shape + x.shape``, nested like the argument within the argument. Errors are those of
    `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    return jacobian(grad(function, argnums), argnums)


def hvp(function: Function, argnums: int = 0) -> Function:
    r"""The Hessian times a vector, :math:`H v`, without the Hessian.

    Returns
    -------
    callable
        It takes the arguments of `function` and then the vector, nested and shaped like argument `argnums`; returns
        another such. Costs a few times what a gradient costs, whatever the size.

    Raises
    ------
    DataError, ShapeError
        As `grad`; and if the vector does not fit.

    References
    ----------
    B. Pearlmutter, "Fast exact multiplication by the Hessian" (1994).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hvp
    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    gradient = grad(function, argnums)

    @functools.wraps(function)
    def product(*args: Any, **kwargs: Any) -> Any:
        *args, vector = args  # type: ignore[assignment]
        run = _Run("hvp", lambda *a: gradient(*a, **kwargs), args, argnums, {})
        return run.shaped(run.pull(run.outputs, _seeds(vector, run.outputs, "hvp: the vector")))

    return product


# -------------------------------------------------------------------- memory


_TO_COME = object()


def checkpoint(function: Function) -> Function:
    """The same function, of which only inputs and result are kept: the backward pass runs it again.

    A chain of n checkpointed blocks needs the memory of n results and one block, for one more forward pass.

    Parameters
    ----------
    function : callable
        Of Values, arrays and nested lists, tuples and dicts of them, to the same. Values it closes over, such as
        the parameters of a layer, get their gradients too. It must give the same result when called again.

    Raises
    ------
    GraphError
        In the backward pass, if the second run gave another result than the first: a random draw, or changed data.
        Of lazy arrays that is not asked, as it would compute them.

    References
    ----------
    T. Chen et al., "Training deep nets with sublinear memory cost" (2016).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Value, checkpoint
    >>> x = Value(0.5)
    >>> checkpoint(lambda x: np.exp(np.sin(x)))(x).backward()
    >>> x.grad
    np.float64(1.4174...)
    """

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        places = [x for x in _leaves(args) if tracked(x)]

        def run(values: Sequence[Any]) -> Any:
            fresh = iter(values)
            with modes.enable_grad() if modes.active else nullcontext():
                return function(*_mapped(lambda x: next(fresh) if tracked(x) else x, args), **kwargs)

        def differentiable(result: Any) -> list[Value]:
            return [y for y in _leaves(result) if tracked(y)]

        def flat(outputs: Sequence[Value]) -> Value:
            """All outputs in one, as the node that stands for them has a single result."""
            return outputs[0] if len(outputs) == 1 else np.concatenate([np.ravel(y) for y in outputs])  # type: ignore

        if not modes.now().recording:
            return function(*args, **kwargs)
        variables = [Value(x._array) for x in places]
        born: list[Value] = []
        with modes.noting(born):
            result = run(variables)
            outputs = differentiable(result)
            if not outputs:
                return result
            whole = flat(outputs)
        known = {*variables, *born}
        used = [*(v for node in born for v in node.inputs), *outputs]
        captured = list(dict.fromkeys(v for v in used if v.requires_grad and v not in known))
        kept: tuple[Any, list[Any]] | None = None  # of the last upstream gradient, the gradients of all inputs

        def again(i: int, g: Any, y: Any, *inputs: Any) -> Any:
            nonlocal kept
            held = kept
            if held is None or held[0] is not g:
                create_graph = any(isinstance(x, Value) for x in (g, *inputs))
                fresh = [_copied(x) if isinstance(x, Value) else Value(x) for x in inputs[: len(places)]]
                once_more = flat(differentiable(run(fresh)))
                lazy = is_lazy(once_more._array)  # whose numbers cannot be asked
                if not lazy and not np.array_equal(once_more._array, getattr(y, "_array", y), equal_nan=True):
                    raise GraphError(
                        "checkpoint: the function gave another result when it was run again for the backward pass. "
                        "Does it draw random numbers or change something outside? Pass what it draws as an argument."
                    )
                wrt = [*fresh, *captured]
                found = reverse([once_more], [g], wrt=wrt, create_graph=create_graph)
                kept = held = g, [found.get(x, 0.0) for x in wrt]
            if i == last:
                kept = None
            return held[1][i]

        last = len(places) + len(captured) - 1
        data, shapes = whole._array, [(y.shape, y.dtype) for y in outputs]
        # What has a gradient is replaced below; the rest is handed on as it is.
        rest = _mapped(lambda y: _TO_COME if tracked(y) else y, result)
        del result, outputs, whole, variables, known, born, used
        op = Op("checkpoint", lambda *arrays: data, again, "the function, run again and differentiated", variadic=True)
        node = record(op, (*places, *captured))
        parts = [node]
        if len(shapes) > 1:
            ends = list(accumulate(int(np.prod(shape)) for shape, _ in shapes))
            pieces = (node[end - int(np.prod(shape)) : end] for end, (shape, _) in zip(ends, shapes, strict=True))
            parts = [
                (piece if dtype.kind == "c" else piece.real).reshape(shape).astype(dtype)
                for piece, (shape, dtype) in zip(pieces, shapes, strict=True)
            ]
        renewed = iter(parts)
        return _mapped(lambda y: next(renewed) if y is _TO_COME else y, rest)

    return checkpointed
