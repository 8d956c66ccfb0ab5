"""Value: a number or an array that remembers how it was computed.

    x = Value(3.0, label="x")
    y = x * x + np.sin(x)
    y.backward()
    x.grad                      # np.float64(5.01...), which is 2 x + cos(x)

A Value is a node of a graph: `data`, the operation `op` that made it, and the `inputs` it was made from.
Python's operators, NumPy's functions and ufuncs all end in `record`, which runs the operation on the raw
arrays and notes the node. What is recorded cannot change afterwards: a Value owns its array (it copies what
it is given, unless that is read-only) and hands out read-only views.
"""

from __future__ import annotations

import operator
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import FrameType
from typing import Any

import numpy as np
from numpy import float64, ndarray

from . import modes, rules
from .backward import backward, check_finite
from .backward import conjugate as _conjugate
from .errors import DataError, EscapeError, GraphError, LibraryError, NoRuleError, ShapeError
from .graph import ancestors, describe, of_libraries
from .op import KEYWORDS, Op, Plain, Refused, Several, as_array, found, is_lazy, lazy_kinds, registry, uncomputed

__all__ = ["Value"]

_new = object.__new__
_clock = 0  # goes on when any Value's data is replaced; a Value notes when it was made, and backward compares
_ticking = threading.Lock()


def tick() -> int:
    """Let the clock go on: what is made or replaced from now on can be told from what was there before."""
    global _clock
    with _ticking:
        _clock += 1
        return _clock


class Unread:
    """What a leaf has for a gradient while a function is traced, until somebody asks for it.

    Parameters
    ----------
    read : callable
        Puts the gradient in its place, and gives it.
    """

    __slots__ = ("read",)

    def __init__(self, read: Callable[[], Any]):
        self.read = read

    def __add__(self, share: Any) -> Any:
        gradient = self.read()
        return share if gradient is None else gradient + share


# -------------------------------------------------------------------- recording


def record(
    op: Op, inputs: tuple[Value, ...], params: dict[str, Any] | None = None, compute: Callable[..., Any] | None = None
) -> Value:
    """Run `op` and, if a gradient may be asked of the result, note what it was computed from.

    `compute` is what an operator runs in the place of the operation's own function.
    """
    arguments = [value._array for value in inputs]
    state = modes.now() if modes.active else None
    try:
        if lazy_kinds and any(map(is_lazy, arguments)):
            data, params = _uncomputed(op, arguments, params, compute)
        elif state is not None and state.interpreter is not None:
            data, params = state.interpreter.forward(op, inputs, params, compute)
        elif compute is not None:
            data = compute(*arguments)
        elif op.with_saved is None:
            data = op.function(*arguments, **params) if params else op.function(*arguments)
        else:
            params = params or {}
            data, params["saved"] = op.with_saved(*arguments, **params)
    except Exception as error:
        _note(error, op, inputs)
        raise
    if type(data) is ndarray:
        if not data.shape:
            data = data[()]
    elif not hasattr(data, "dtype"):
        data = _plain_result(data, op)
    tracked = False
    for value in inputs:
        if value._tracked:
            tracked = data.dtype.kind in "fc"
            break
    if tracked and op.count > 1 and op.elementwise:
        inputs = tuple([v if rule is None else _floating(v, data) for v, rule in zip(inputs, op.rules, strict=True)])
    node = _new(Value)
    node._array = data
    node._grad = node.label = node.notes = None
    node._clock = _clock
    node.op, node._inputs, node.params, node._tracked = op, inputs, params, tracked
    node._first = node._second = None
    if state is not None:
        if state.watching:
            node.notes = {"source": modes.user_line()}
            if data.dtype.kind in "fc":
                check_finite(data, node)
        if state.born is not None:
            state.born.append(node)
        tracked = node._tracked = tracked and state.recording
    if not tracked:
        node.op = node.params = None
        node._inputs = ()
    return node


def _floating(value: Value, data: Any) -> Value:
    """A constant array of integers as numbers like the result's: in a rule, those of few bits would overflow."""
    array = value._array
    if value._tracked or value.notes is not None or getattr(array, "dtype", data.dtype).kind not in "biu":
        return value  # what has notes is looked for by who wrote them
    return constant(array.astype(data.real.dtype), value.label)


def _plain_result(data: Any, op: Op) -> Any:
    """What a function returned that is no array: a Python number as NumPy's, or an error."""
    if not isinstance(data, bool | int | float | complex):
        raise DataError(f"{op.name} returned {data!r:.60}, and an operation returns one number or array.")
    return np.asarray(data)[()]


def _note(error: Exception, op: Op, inputs: tuple[Value, ...]) -> None:
    """Add to NumPy's own error which Values met; of arrays of another library, say what is to be done."""
    explained = of_libraries(error, op, inputs)
    if explained is not None:
        raise explained from error
    error.add_note(f"in {op.name} of {' and '.join(describe(v) for v in inputs)}")


def _uncomputed(
    op: Op, arguments: list[Any], params: dict[str, Any] | None, compute: Callable[..., Any] | None
) -> tuple[Any, dict[str, Any] | None]:
    """What `record` runs where there are lazy arrays: nothing of them is computed, or it is an error."""
    params = dict(params or {})
    with uncomputed():
        if compute is not None:
            data = compute(*arguments)
        elif op.with_saved is None:
            data = op.function(*arguments, **params)
        else:
            data, params["saved"] = op.with_saved(*arguments, **params)
    if any(n != n for n in data.shape):
        raise TypeError("the shape of the result depends on numbers that are not computed yet")
    return data, params or None


def _operators(function: np.ufunc, compute: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """``value * other`` and ``other * value``: `record` for two operands, with every step spared that can be."""
    op = _operation(function)

    def forward(self: Value, other: Any) -> Value:
        if type(other) is not Value:
            other = _operand(other)
            if other is None:
                return NotImplemented  # type: ignore[no-any-return]
        if modes.active or not (self._tracked or other._tracked):
            return record(op, (self, other), None, compute)
        node = _new(Value)
        try:
            node._array = compute(self._array, other._array)
        except Exception as error:
            _note(error, op, (self, other))
            raise
        node._grad = None
        node.op = op
        node._first = self  # instead of a tuple, which would be one more object for the garbage collector
        node._second = other
        node._inputs = ()
        node.params = None
        node._tracked = True
        node.label = None
        node.notes = None
        node._clock = _clock
        return node

    def reflected(self: Value, other: Any) -> Value:
        other = _operand(other, self)
        return NotImplemented if other is None else forward(other, self)

    forward.__doc__ = reflected.__doc__ = f"``np.{op.name}``."
    return forward, reflected


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method that calls NumPy's function of that name on the Value."""

    def method(self: Value, *args: Any, **kwargs: Any) -> Any:
        return _dispatch(function, (self, *args), kwargs)

    name: str = getattr(function, "name", None) or function.__name__
    method.__name__, method.__qualname__ = name, f"Value.{name}"
    method.__doc__ = f"``{name}`` of this Value, with the arguments of NumPy's function."
    return method


def _unary(function: Callable[..., Any]) -> Callable[[Value], Value]:
    """A method that is an operation of one input and nothing else, as short as `_operators`."""
    op = _operation(function)
    compute = op.function

    def method(self: Value) -> Value:
        if modes.active or not self._tracked:
            return record(op, (self,), None, compute)
        node = _new(Value)
        node._array = compute(self._array)
        node._grad = node.params = node.label = node.notes = None
        node.op = op
        node._inputs = (self,)
        node._first = node._second = None
        node._tracked = True
        node._clock = _clock
        return node

    method.__name__, method.__qualname__ = op.name, f"Value.{op.name}"
    method.__doc__ = f"``{op.name}`` of this Value, elementwise."
    return method


def _operation(function: Callable[..., Any]) -> Op:
    op = registry[function]
    assert isinstance(op, Op)
    return op


_getitem = _operation(rules.indexing.getitem)
_index_set, _index_add = _operation(rules.indexing.index_set), _operation(rules.indexing.index_add)


class Value:
    """A scalar or tensor in a graph of computations, with the gradient that `backward` leaves in it.

    Parameters
    ----------
    data : number, list, array or anything that speaks NumPy's array protocols
        Python numbers and lists become float64; arrays keep their dtype and are copied, unless they are
        read-only. Integer and boolean arrays are constants. An array of another library, such as Dask or CuPy, is kept
        as it is, and what is computed with it is that library's; it must not be written into.
    label : str, optional
        A name, for pictures and messages.
    requires_grad : bool, optional
        Whether a gradient is wanted. Default: yes for floating and complex data.

    Raises
    ------
    DataError
        A TypeError: data that is a Value, a string, ragged, or not numeric; or a gradient asked of integers.

    Examples
    --------
    >>> from autograd import Value
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b + a**2
    >>> c.backward()
    >>> a
    Value(2.0, label='a', grad=1.0)
    >>> b.grad
    np.float64(2.0)
    """

    takes_operations = True  # an `Op` that is called with a Value is recorded

    __slots__ = (
        "_array", "_grad", "_tracked", "op", "_first", "_second", "_inputs", "params", "label", "notes", "_clock",
        "__weakref__",
    )  # fmt: skip

    _array: Any
    _grad: Any
    _first: Any
    _second: Any
    _inputs: Any
    op: Op | None
    """The operation that made this Value; None for a leaf."""
    params: dict[str, Any] | None
    """The operation's keywords, such as ``axis``."""
    label: str | None
    notes: dict[str, Any] | None
    """What was noted beside the computation; ``"source"`` under `anomaly`."""

    def __init__(self, data: Any, *, label: str | None = None, requires_grad: bool | None = None):
        self._array = float64(data) if type(data) is float else _own(data)
        self._grad = self.op = self._first = self._second = self.params = self.notes = None
        self._inputs = ()
        self.requires_grad = self._array.dtype.kind in "fc" if requires_grad is None else requires_grad
        if label is not None and not isinstance(label, str):
            raise DataError(f"Value(..., label={label!r}): a label is a string.")
        self.label = label
        self._clock = _clock

    # ---------------------------------------------------------------- what it holds

    @property
    def data(self) -> Any:
        """The number or array, as NumPy gives it back: a NumPy scalar if 0-d; arrays read-only.

        A leaf's data can be replaced by data of the same shape, as an optimiser does, ``w.data = w.data - step`` or
        ``w.data -= step``. Results that were computed before keep no trace of the new data: `backward` through
        them raises a GraphError instead of using it.

        Raises
        ------
        GraphError
            On assignment, if this Value is the result of an operation.
        ShapeError
            On assignment, if the new data has another shape.
        DataError
            On assignment, if the new data is no data for a Value, or its dtype does not fit.
        """
        data = self._array
        if type(data) is ndarray:
            data = data.view(ReadOnly)
            if data.flags.writeable:
                data.setflags(write=False)
        return data

    @data.setter
    def data(self, new: Any) -> None:
        old = self._array
        owned = type(new) is ndarray and new.base is None and not new.flags.writeable
        if not owned or new.shape != old.shape or new.dtype is not old.dtype or self.op is not None:
            new = self._fitting(new)
        self._array = new
        self._clock = tick()

    def _fitting(self, new: Any) -> Any:
        """`new` as data for this leaf, or an error."""
        if self.op is not None:
            raise GraphError(
                f"v.data = ... of {describe(self)}: its data follows from its inputs. Replace the data of a leaf, or "
                f"write Value(new) for a new one."
            )
        data, dtype = _own(new), self._array.dtype
        if data.shape != self.shape:
            raise ShapeError(f"v.data = ... got shape {data.shape} for {describe(self)}.")
        if data.dtype != dtype and not np.can_cast(data.dtype, dtype, "same_kind"):
            raise DataError(f"v.data = ... got dtype {data.dtype} for {describe(self)}, dtype {dtype}.")
        return data.astype(dtype, copy=False)

    @property
    def grad(self) -> Any:
        """The gradient: None before `backward`, then an array (or NumPy scalar) of `data`'s shape and dtype.

        Leaves add up what each `backward` brings, until `zero_grad`; results keep that of the last one. After
        ``backward(create_graph=True)`` a leaf's gradient is a Value, with a graph of its own. It can be set, to None, a
        number for all entries, or an array. Of complex data, x + iy, it is dL/dx + i dL/dy (see `autograd.backward`).

        Raises
        ------
        ShapeError
            On assignment of an array of another shape.
        DataError
            On assignment of what is no number or array.
        """
        gradient = self._grad
        if type(gradient) is Unread:
            return gradient.read()
        if self.op is not None and gradient is not None:
            gradient = _conjugate(gradient)  # as the pass left it
            if type(gradient) is ndarray:  # neighbours may hold the same array
                gradient = gradient.view()
                gradient.setflags(write=False)
        return gradient

    @grad.setter
    def grad(self, new: Any) -> None:
        if new is not None and not isinstance(new, Value):
            new = _own(new).astype(self._array.dtype)[()]
            if new.shape == ():
                new = np.full_like(self._array, new)[()]
        if new is not None and new.shape != self.shape:
            raise ShapeError(f"v.grad = ... got shape {new.shape} for {describe(self)}.")
        self._grad = new

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows here. Of a leaf it can be set, for what is computed from then on.

        Raises
        ------
        DataError
            On assignment of True, if the data are neither floating nor complex.
        GraphError
            On assignment, if this Value is the result of an operation.
        """
        return self._tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.op is not None:
            raise GraphError(
                f"v.requires_grad = ... of {describe(self)}: write v.detach() for a constant of the same data."
            )
        if wanted and self._array.dtype.kind not in "fc":
            raise DataError(
                f"Value(..., requires_grad=True) of dtype {self._array.dtype}: a gradient needs floating numbers. "
                f"Write Value(data.astype(float)) if the numbers are meant to vary."
            )
        self._tracked = bool(wanted)

    @property
    def inputs(self) -> tuple[Value, ...]:
        """What it was made from, in operand order; empty for a leaf, None for a result whose graph was released."""
        return self._inputs if self._first is None else (self._first, self._second)

    @inputs.setter
    def inputs(self, values: tuple[Value, ...]) -> None:
        self._inputs = values
        self._first = self._second = None

    @property
    def is_leaf(self) -> bool:
        """Whether it was given rather than computed."""
        return self.op is None

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes; empty for a number."""
        data = self._array
        return data.shape if hasattr(data, "shape") else ()  # the number of a constant may be Python's

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's type of the elements."""
        data = self._array
        return data.dtype if hasattr(data, "dtype") else np.result_type(data)

    @property
    def T(self) -> Value:  # noqa: N802
        """The array with its axes reversed."""
        return _dispatch(np.transpose, (self,), {})  # type: ignore[no-any-return]

    @property
    def real(self) -> Value:
        """The real parts."""
        return _dispatch(np.real, (self,), {})  # type: ignore[no-any-return]

    @property
    def imag(self) -> Value:
        """The imaginary parts."""
        return _dispatch(np.imag, (self,), {})  # type: ignore[no-any-return]

    @property
    def at(self) -> At:
        """``v.at[index].set(x)`` and ``v.at[index].add(x)``: a copy with some entries replaced or added to."""
        return At(self)

    def item(self) -> Any:
        """The one element as a Python number.

        Raises
        ------
        ValueError
            If there is more than one element.
        LibraryError
            If the data is lazy.
        """
        data = self._there("v.item()")
        return data.item() if hasattr(data, "item") else data

    def tolist(self) -> Any:
        """The numbers as nested Python lists."""
        return as_array(self._there("v.tolist()")).tolist()

    def detach(self) -> Value:
        """The same data as a constant, through which no gradient flows."""
        return constant(self._array, self.label)

    def zero_grad(self) -> None:
        """Forget the gradient: `grad` is None again."""
        self._grad = None

    def backward(self, gradient: Any = None, *, create_graph: bool = False, retain_graph: bool = True) -> None:
        r"""Add the gradient of this Value to the `grad` of every leaf it was computed from.

        By the chain rule, for a result :math:`y` of inputs :math:`x_i` and the gradient
        :math:`g = dL/dy` upstream, each input receives :math:`(dy/dx_i)^T g`; what a Value receives from all its
        uses adds up.

        Parameters
        ----------
        gradient : array, optional
            The gradient upstream, of this Value's shape. Default: 1, if there is a single element.
        create_graph : bool
            Record the gradients themselves: the leaves' `grad` are then Values that can be differentiated
            again. A leaf then holds a graph that may hold the leaf; `zero_grad` on the leaves takes it apart.
        retain_graph : bool
            False frees the graph on the way, so that a second pass is an error and less memory is used.

        Raises
        ------
        GraphError
            From a constant, through a released graph, or where a leaf's data was replaced after its use.
        ShapeError
            Without `gradient` if there is more than one element; with one of another shape or dtype; where a rule
            returned another shape than its input's.
        DataError
            From a complex number, without `gradient`.
        NoRuleError
            Where a rule returned nothing.
        AnomalyError
            Under `anomaly`, at the first gradient that is not finite.

        Notes
        -----
        If anything raises on the way, Ctrl-C included, no leaf's gradient has changed.

        Examples
        --------
        >>> from autograd import Value
        >>> x = Value([1.0, 2.0, 3.0])
        >>> (x * x).sum().backward()
        >>> x.grad
        array([2., 4., 6.])
        """
        backward(self, gradient, create_graph=create_graph, retain_graph=retain_graph)

    # ---------------------------------------------------------------- operators

    __add__, __radd__ = _operators(np.add, operator.add)
    __sub__, __rsub__ = _operators(np.subtract, operator.sub)
    __mul__, __rmul__ = _operators(np.multiply, operator.mul)
    __truediv__, __rtruediv__ = _operators(np.true_divide, operator.truediv)
    __pow__, __rpow__ = _operators(np.power, operator.pow)
    __matmul__, __rmatmul__ = _operators(np.matmul, rules.linalg.product)
    __floordiv__, __rfloordiv__ = _operators(np.floor_divide, operator.floordiv)
    __mod__, __rmod__ = _operators(np.remainder, operator.mod)

    def __divmod__(self, other: Any) -> tuple[Value, Value]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Value, Value]:
        return other // self, other % self

    def __pos__(self) -> Value:
        return self

    def __round__(self, decimals: int = 0) -> Value:
        return _dispatch(np.round, (self, decimals), {})  # type: ignore[no-any-return]

    def __getitem__(self, index: Any) -> Value:
        return record(_getitem, (self,), {"index": _index(index)})

    def __setitem__(self, index: Any, new: Any) -> None:
        raise EscapeError(
            "v[index] = x would change a Value that others may have been computed from. Write v = v.at[index].set(x) "
            "(or .add(x)), which has a gradient; or, for a leaf's own data, v.data = changed_copy."
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"len() of {describe(self)}: a single number has no length.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        if not self.shape:
            raise TypeError(f"iteration over {describe(self)}: a single number has no elements.")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self._there("x in v") == _raw(item)))

    def __eq__(self, other: Any) -> Any:
        return self._array == _raw(other)

    def __ne__(self, other: Any) -> Any:
        return self._array != _raw(other)

    def __lt__(self, other: Any) -> Any:
        return self._array < _raw(other)

    def __le__(self, other: Any) -> Any:
        return self._array <= _raw(other)

    def __gt__(self, other: Any) -> Any:
        return self._array > _raw(other)

    def __ge__(self, other: Any) -> Any:
        return self._array >= _raw(other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self._there("bool(v), as in `if v:`,"))

    def __float__(self) -> float:
        return float(self._plain("float()", "math.sin and its like call it; NumPy's functions take Values"))

    def __int__(self) -> int:
        return int(self._plain("int()", "rounding has no derivative"))

    def __complex__(self) -> complex:
        return complex(self._plain("complex()", "cmath's functions call it; NumPy's take Values"))

    def __index__(self) -> int:
        return operator.index(self._plain("Use as an integer", "an index or a count is an integer"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ndarray:
        what = "np.asarray(v), np.array([v, w]), array[i] = v or array[v]"
        instead = (
            "np.stack([v, w]) makes a Value of Values, np.broadcast_to(v, shape) repeats one, "
            "and Value(array).at[i].set(v) puts one into an array"
        )
        name = _caller_in_scipy(sys._getframe(1)) if self._tracked else None
        if name is not None:
            what = f"scipy.special.{name} calls np.asarray, which"
            last = ", whose axis is the last one unless you say" if "softmax" in name else ""
            instead = f"for the function with its gradient, autograd.{name}{last}"
        return np.array(self._plain(what, instead), dtype)

    def _plain(self, what: str, instead: str) -> Any:
        """The data, for a conversion that is fine with a constant and drops the gradient of anything else."""
        if self._tracked:
            raise EscapeError(
                f"{what} of {describe(self)} would drop its gradient without a trace. Write v.item() or v.data for the "
                f"plain numbers; {instead}."
            )
        return self._there(what)

    def _there(self, what: str) -> Any:
        """The data, for what needs its numbers at once."""
        if is_lazy(self._array):
            raise LibraryError(
                f"{what} of {describe(self)}, which is not computed yet. Write v.data.compute() to compute it now, or "
                f"dask.compute(v.data, w.data) for several in one pass."
            )
        return self._array

    def __format__(self, spec: str) -> str:
        if spec and self.size > 1:
            raise TypeError(
                f"format {spec!r} is for one number, and this is {describe(self)}; format v.item() of each."
            )
        return format(self.item(), spec) if spec else repr(self)

    def __repr__(self) -> str:
        facts = [_brief(self._array)]
        if self.label is not None:
            facts.append(f"label={self.label!r}")
        gradient = self.grad
        if gradient is not None:
            facts.append(f"grad={_brief(getattr(gradient, '_array', gradient))}")
        if self.op is not None:
            facts.append(f"op={self.op.name!r}")
        elif not self._tracked:
            facts.append("constant")
        return f"Value({', '.join(facts)})"

    # ---------------------------------------------------------------- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if kwargs and kwargs.get("out") is not None:
            raise EscapeError(
                f"np.{ufunc.__name__}(..., out=...), or an in-place operator like array += v, would write a Value into "
                f"a plain array and drop its gradient. Write array = array + v, and so on: the result is a Value."
            )
        if method != "__call__" or (kwargs and not KEYWORDS.isdisjoint(kwargs)):
            ufunc = getattr(ufunc, method)
        return _dispatch(ufunc, args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _dispatch(function, args, kwargs)

    # ---------------------------------------------------------------- copies

    def __copy__(self) -> Value:
        twin = _new(Value)
        for name, content in self._state().items():
            setattr(twin, name, content)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in ancestors(self):
            if id(node) not in memo:
                twin = memo[id(node)] = node.__copy__()
                twin.inputs = node.inputs and tuple([memo[id(value)] for value in node.inputs])
                twin._grad = None if node._grad is None else node._grad.__deepcopy__(memo)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickle follows references by calling itself, which a long chain would exhaust. So all ancestors are saved
        # first, each after its inputs, which by then are nothing but references.
        lineage = None if self.op is None or getattr(_pickling, "shallow", False) else _Lineage(self)
        state = self._state()
        # Clocks differ between processes; all that matters is whether an input has changed since.
        state["_clock"] = -1 if any(value._clock > self._clock for value in self.inputs or ()) else 0
        if type(self._grad) is Value:
            state["_grad"] = self._grad._array
        return _blank, (), (lineage, state)

    def __setstate__(self, saved: tuple[Any, dict[str, Any]]) -> None:
        for name, content in saved[1].items():
            setattr(self, name, content)

    def _state(self) -> dict[str, Any]:
        if type(self._grad) is Unread:
            self._grad.read()
        return {name: getattr(self, name) for name in Value.__slots__ if name != "__weakref__"}

    # ---------------------------------------------------------------- functions, as methods

    conj = conjugate = _method(np.conjugate)
    exp = _unary(np.exp)
    log = _unary(np.log)
    sqrt = _unary(np.sqrt)
    tanh = _unary(np.tanh)
    relu = _unary(rules.elementwise.relu)
    sigmoid = _unary(rules.elementwise.sigmoid)
    __neg__ = _unary(np.negative)
    __abs__ = _unary(np.absolute)

    sum = _method(np.sum)
    mean = _method(np.mean)
    max = _method(np.max)
    min = _method(np.min)
    prod = _method(np.prod)
    var = _method(np.var)
    std = _method(np.std)
    cumsum = _method(np.cumsum)
    cumprod = _method(np.cumprod)
    clip = _method(np.clip)
    round = _method(np.round)
    dot = _method(np.dot)
    trace = _method(np.trace)
    diagonal = _method(np.diagonal)
    squeeze = _method(np.squeeze)
    swapaxes = _method(np.swapaxes)
    ravel = flatten = _method(np.ravel)
    repeat = _method(np.repeat)
    take = _method(np.take)
    copy = _method(np.copy)
    astype = _method(rules.shape.astype)
    argmax = _method(np.argmax)
    argmin = _method(np.argmin)
    argsort = _method(np.argsort)
    all = _method(np.all)
    any = _method(np.any)
    nonzero = _method(np.nonzero)

    def reshape(self, *shape: Any) -> Value:
        """The same elements in another shape: ``v.reshape(2, 3)`` or ``v.reshape((2, 3))``."""
        return _dispatch(np.reshape, (self, shape[0] if len(shape) == 1 else shape), {})  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Value:
        """The axes in another order, by default reversed: ``v.transpose(1, 0)`` or ``v.transpose((1, 0))``."""
        return _dispatch(np.transpose, (self, (axes[0] if len(axes) == 1 else axes) or None), {})  # type: ignore[no-any-return]

    def sort(self, axis: int = -1) -> Value:
        """A sorted copy (unlike NumPy's method, which sorts in place)."""
        return _dispatch(np.sort, (self, axis), {})  # type: ignore[no-any-return]


class ReadOnly(ndarray):
    """What `Value.data` hands out: a view that says what to write where NumPy would only say 'read-only'.

    ``v.data -= step`` computes a new array, which the assignment then gives to the Value.
    """

    def __setitem__(self, index: Any, new: Any) -> None:
        if not self.flags.writeable:
            raise EscapeError(
                "v.data[index] = x would change numbers that a recorded graph may still need. For a leaf, change a "
                "copy and give it back: data = v.data.copy(); data[index] = x; v.data = data."
            )
        super().__setitem__(index, new)

    def __array_wrap__(self, array: ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else array.view(ndarray)

    def copy(self, order: Any = "C") -> ndarray:  # type: ignore[override]
        return np.array(self, order=order)

    def __repr__(self) -> str:
        return repr(self.view(ndarray))


def _augmented(name: str) -> Callable[[ReadOnly, Any], Any]:
    compute, in_place = getattr(operator, name), getattr(operator, f"i{name}")

    def method(self: ReadOnly, other: Any) -> Any:
        if self.flags.writeable:  # a copy that the caller may change
            in_place(self.view(ndarray), other)
            return self
        new = compute(self.view(ndarray), other)
        if type(new) is ndarray:
            new.setflags(write=False)  # so that the Value need not copy it
        return new

    return method


for _name in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "matmul"):
    setattr(ReadOnly, f"__i{_name}__", _augmented(_name))


class At:
    """Where ``v.at[index]`` leads: `set` and `add` there."""

    def __init__(self, value: Value, index: Any = ...):
        self.value, self.index = value, index

    def __getitem__(self, index: Any) -> At:
        return At(self.value, _index(index))

    def set(self, new: Any) -> Value:
        """A copy of the Value in which the entries at the index are `new`.

        Where an index comes more than once, the last one counts, as in NumPy.
        """
        return record(_index_set, (self.value, _lift(new)), {"index": self.index})

    def add(self, new: Any) -> Value:
        """A copy of the Value in which `new` was added at the index, once for each time an index comes."""
        return record(_index_add, (self.value, _lift(new)), {"index": self.index})


def _dispatch(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call `function` on arguments that hold Values: what NumPy's protocols come to."""
    entry = registry.get(function)
    if entry is None:
        entry = found(function)
    kind = type(entry)
    if kind is Op or kind is Several:
        op: Op = entry if kind is Op else entry.parts[0]  # type: ignore[assignment, union-attr]
        inputs, params = (args, None) if len(args) == op.count and not kwargs else op.bind(args, kwargs)
        if params:
            for name, content in params.items():
                params[name] = _settled(content, op.name, name)
        for v in inputs:
            if type(v) is not Value:
                inputs = tuple([_lift(v) for v in inputs])
                break
        return record(op, inputs, params) if kind is Op else _record_parts(entry, inputs, params or {})  # type: ignore
    if kind is Plain:
        function = entry.function or function  # type: ignore[union-attr]
        if not lazy_kinds:
            return function(*_stripped(args), **_stripped(kwargs))
        try:
            with uncomputed():
                return function(*_stripped(args), **_stripped(kwargs))
        except (FutureWarning, AttributeError) as error:  # the second, of what Dask's own form does not take
            if not any(is_lazy(getattr(x, "_array", x)) for x in (*args, *kwargs.values())):
                raise
            raise LibraryError(
                f"{_spelled(function)} has no form that waits, and would compute. Write it of v.data.compute()."
            ) from error
    if kind is Refused:
        raise NoRuleError(f"{_spelled(function)}: {entry.reason}")  # type: ignore[union-attr]
    if callable(entry):
        return entry(*args, **kwargs)
    raise NoRuleError(
        f"{_spelled(function)} has no derivative rule here, so its result would lose the gradient. Compose it of "
        f"functions that have one, add a rule with autograd.defop, or call it on v.data where no gradient is wanted."
    )


def _record_parts(entry: Several, inputs: tuple[Value, ...], params: dict[str, Any]) -> Any:
    """Run a function with several results once, and note each as a result of its own."""
    arguments, interpreter = [value._array for value in inputs], modes.active and modes.now().interpreter
    try:
        if interpreter:
            results = interpreter.run(entry.function, arguments, params)
        else:
            with uncomputed() if lazy_kinds else nullcontext():
                results = entry.function(*arguments, **params)
    except Exception as error:
        _note(error, entry.parts[0], inputs)
        raise
    return entry.make([record(part, inputs, {**params, "saved": results}) for part in entry.parts])


def _spelled(function: Callable[..., Any]) -> str:
    """The name of a function as its users write it: np.linalg.det, np.add.at."""
    owner = getattr(function, "__self__", None)
    name = f"{owner.__name__}.{function.__name__}" if isinstance(owner, np.ufunc) else function.__name__
    home = getattr(function, "__module__", None) or "np"
    special = sys.modules.get("scipy.special")
    if special is not None and isinstance(function, np.ufunc) and not hasattr(np, name):
        home = "scipy.special"
        name = next((known for known, found in vars(special).items() if found is function), name.lstrip("_"))
    return f"{home}.{name}".replace("numpy", "np")


# -------------------------------------------------------------------- what comes in


def constant(data: Any, label: str | None = None) -> Value:
    """A constant that holds `data` as it is. Python's numbers stay themselves: they leave dtypes alone (NEP 50)."""
    node = _new(Value)
    node._array = data
    node._grad = node.op = node._first = node._second = node.params = node.notes = None
    node._inputs = ()
    node._tracked = False
    node.label = label
    node._clock = 0
    return node


def _caller_in_scipy(frame: FrameType | None) -> str | None:
    """The function of scipy.special that makes an array of a Value, if `autograd` has it, too."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("scipy."):
        if frame.f_code.co_name in ("softmax", "log_softmax", "logsumexp", "polygamma"):
            return frame.f_code.co_name
        frame = frame.f_back
    return None


def _operand(other: Any, right: Value | None = None) -> Value | None:
    """What stands beside a Value in an expression, as a constant; None if it is nothing of ours."""
    kind = type(other)
    if kind is float or kind is int:
        return constant(other)
    if kind is ndarray:
        return constant(_own(other))
    if isinstance(other, Value):
        return other
    if isinstance(other, bool | complex | float | int):
        if kind is complex and right is not None:
            content = right._array
            if type(content.stands_for() if hasattr(type(content), "stands_for") else content) is float64:
                return constant(np.complex128(other))  # 1j * np.float64(2) would be Python's
        return constant(other)
    if isinstance(other, np.generic | ndarray | list | tuple):
        return constant(_own(other))
    if hasattr(kind, "__array_function__"):  # what has no dtype stands for a Python number, and leaves dtypes alone
        return constant(_own(other) if hasattr(other, "dtype") else other)
    return None


def _lift(other: Any) -> Value:
    """An argument of an operation, as a Value; None (a bound that is not there) included."""
    value = constant(None) if other is None else _operand(other)
    return Value(other) if value is None else value  # Value() finds the words for what cannot be


def _raw(other: Any) -> Any:
    return other._array if isinstance(other, Value) else other


def _stripped(arguments: Any) -> Any:
    """Nested arguments with data in the place of Values."""
    if isinstance(arguments, Value):
        data = arguments.data
        return data.view(ndarray) if type(data) is ReadOnly else data  # np.argsort and others would keep the class
    if type(arguments) in (list, tuple):
        return type(arguments)(_stripped(item) for item in arguments)
    if type(arguments) is dict:
        return {name: _stripped(item) for name, item in arguments.items()}
    return arguments


def _settled(content: Any, operation: str, name: str) -> Any:
    """A keyword of an operation that later changes to the caller's lists and arrays cannot reach."""
    kind = type(content)
    if kind is ndarray:
        return content if frozen(content) else content.copy()
    if kind is tuple or kind is list:
        return tuple([_settled(item, operation, name) for item in content])
    if isinstance(content, Value):
        if content._tracked:
            raise NoRuleError(
                f"{operation}({name}=...): {describe(content)} requires a gradient, and this argument takes none here. "
                f"Pass its numbers, v.data, if they are meant to be constant."
            )
        return content._array
    return np.array(content) if isinstance(content, ndarray) else content


def _index(part: Any, deep: bool = False) -> Any:
    """An index in the few forms that rules know, out of reach of later changes to the caller's lists and arrays."""
    kind = type(part)
    if kind is int or kind is slice or part is None or part is Ellipsis or isinstance(part, np.generic | bool):
        return part
    if kind is tuple and not deep:
        return tuple([_index(item, deep=True) for item in part])
    if kind is ndarray and frozen(part):
        return part
    if isinstance(part, Value):
        if part._tracked:
            raise NoRuleError(f"v[index] by {describe(part)}, which requires a gradient, and an index has none.")
        return _index(part._array, deep)
    if hasattr(kind, "__index__") and not hasattr(kind, "__array__"):
        return operator.index(part)
    if hasattr(kind, "__array_function__") and not isinstance(part, ndarray):
        if is_lazy(part):
            raise LibraryError(
                "v[index]: the index is not computed yet, and what comes out depends on it. Write v[index.compute()], "
                "or np.where(mask, v, 0) in the place of v[mask]."
            )
        return part
    array = np.array(part)
    return array.astype(int) if array.size == 0 and array.dtype.kind == "f" else array


def frozen(array: Any) -> bool:
    """Whether nobody can write into the array, not through what it is a view of either."""
    while isinstance(array, ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


def _own(data: Any) -> Any:
    """`data` as a NumPy scalar or an array that nobody else can write into."""
    if isinstance(data, Value):
        raise DataError("A Value cannot be the data of a Value: use it as it is, or take its numbers, v.data.")
    array: Any
    if type(data) is ndarray:
        array = data if frozen(data) else data.copy("K")
    elif isinstance(data, ndarray):
        if hasattr(data, "mask"):
            raise DataError("Value(...) of a masked array would forget its mask. Write array.filled(x) first.")
        if type(data).__array_ufunc__ is not ndarray.__array_ufunc__:  # as of arrays with units
            raise DataError(
                f"Value(...) of a {type(data).__name__} would forget what it adds to NumPy's arrays, such as units. "
                f"Write np.asarray(x) for the numbers alone."
            )
        array = data.view(ndarray) if frozen(data) else np.array(data, subok=False)
    elif isinstance(data, np.generic):
        array = data
    elif isinstance(data, bool):
        array = np.bool_(data)
    elif isinstance(data, int | float):
        try:
            array = float64(data)
        except OverflowError:
            raise DataError(f"Value({data!r:.40}...): the number is too large for float64.") from None
    elif hasattr(data, "__array_function__"):
        array = data.owned() if hasattr(type(data), "owned") else data
        if is_lazy(data):
            lazy_kinds.add(type(data))
            if any(n != n for n in array.shape):
                raise LibraryError(
                    f"Value(...) of a lazy array of shape {array.shape}: how long it is depends on numbers that are "
                    f"not computed yet. Write x.compute_chunk_sizes() before, which counts them; or "
                    f"np.where(mask, x, 0) in the place of x[mask]."
                )
    else:
        try:
            array = np.array(data)
        except ValueError as error:
            raise DataError(f"Value(...) of a nested list whose rows differ in length or depth: {error}") from None
        if isinstance(data, list | tuple) and array.dtype.kind in "iuf":
            array = array.astype(float64)
    if array.dtype.kind not in "biufc":
        what = f"an array of dtype {array.dtype}" if isinstance(data, ndarray | np.generic) else f"{data!r:.60}"
        raise DataError(
            f"Value(...) of {what}: it takes numbers, nested lists of numbers of equal length, or numeric arrays."
        )
    return array if array.shape else array[()]


def _brief(data: Any) -> str:
    """A number or array on one line."""
    if not isinstance(data, ndarray):
        return repr(data.item()) if isinstance(data, np.generic) else repr(data)
    text = np.array2string(data, precision=4, threshold=8, edgeitems=2, separator=", ")
    text = " ".join(text.split()).replace("[ ", "[")
    return text if 0 < data.size <= 8 and data.dtype == float64 else f"{text} {data.dtype}{list(data.shape)}"


# -------------------------------------------------------------------- pickling

_pickling = threading.local()


def _blank() -> Value:
    return _new(Value)


class _Lineage:
    """All ancestors of a node, which pickle takes one by one, inputs first."""

    def __init__(self, node: Value):
        self.node = node

    def __iter__(self) -> Iterator[Value]:
        nodes = ancestors(self.node)
        nodes.pop()  # the node itself is being saved already
        _pickling.shallow = True
        try:
            yield from nodes
        finally:
            _pickling.shallow = False

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (), None, iter(self)
