"""Capture: a function run once, on arrays that note what is done with them.

A `Traced` array answers NumPy's protocols (NEP 13, NEP 18) as Values do: it computes what is asked, at once and for
real, and notes the call. It lives as the data of Values, so that rules, layers and optimisers, which are NumPy, come
out as the NumPy calls that they are. An operation whose Python cannot be followed (loops that fill buffers) is noted as
one call of its function.
"""

from __future__ import annotations

import functools
import operator
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import numpy as np

from .errors import CompileError
from .graph import describe
from .lowering import dense
from .op import Op, Several
from .program import LONG, Call, Expect, Step, Variable, cast, item, variables
from .value import Value, frozen, tick

_ABOUT = {
    np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.common_type,
    np.may_share_memory, np.shares_memory, np.min_scalar_type, np.isfortran,
}  # fmt: skip
"""Functions that ask of shapes and dtypes alone, which a program has once and for all."""

_FILLED = {np.ones_like: np.ones, np.zeros_like: np.zeros, np.empty_like: np.zeros}
_OF_MANY_SHAPES = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.union1d, np.intersect1d,
    np.setdiff1d, np.trim_zeros, np.unique_values, np.unique_counts, np.unique_inverse, np.unique_all,
}  # fmt: skip
"""Functions whose results have a shape that depends on numbers."""

_IN_PLACE = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}


class UntraceableError(CompileError):
    """Python wanted a number that will be another one in each run."""

    def __init__(self, what: str, traced: Traced):
        super().__init__(what)
        self.what, self.traced = what, traced

    def __str__(self) -> str:
        traced = self.traced
        variable = traced._variable
        makers = [call.function for call in traced._recorder.calls if call.result is variable]
        made = f"a result of {_spelled(makers[0])}" if makers else ""
        named = ", ".join(filter(None, [variable.name and repr(variable.name), made])) or "a number"
        if self.what.startswith("writing"):
            return (
                f"compile: {self.what} {named} ({traced._shown()}) while a function is traced. A program leaves what "
                "it is given as it was. Write np.where(mask, new, array), or copy = array.copy(); copy[i] = new."
            )
        advice = next((said for start, said in _ADVICE.items() if self.what.startswith(start)), "")
        return (
            f"compile: {self.what} of {named} ({traced._shown()}) while a function is traced. A program "
            f"has no Python between its NumPy calls, so that nothing can look at a number there. {advice}`if a > b:` "
            "is fine (it is checked in each run), and so is v.item() if it is returned or computed with; for a choice "
            "by entries write np.where(...)."
        )


_ADVICE = {
    "float()": "Write np.sqrt(x) in the place of math.sqrt(x), and x.item() in the place of float(x). ",
    "complex()": "Write x.item() in the place of complex(x). ",
    "int()": "An index is x[array], with an array of integers; a number of turns is an argument that is an int. ",
    "use as an integer": "A number of turns, or a shape, is an argument that is an int (3, not 3.0); an array of which "
    "it is an index is made outside of the function. ",
    "a plain": "Pass np.array([1.0, 2.0]) in the place of a list of numbers, and write np.stack([a, b]) in the place "
    "of np.array([a, b]); what is an array needs no np.asarray. ",
    "str()": "Return it, and print what the call gives. ",
    "formatting": "Return it, and print what the call gives. ",
    ".tolist()": "Return it, and make a list of what the call gives. ",
}
"""By the beginning of what was wanted of a number: what to write instead."""


class _NoAttributeError(UntraceableError, AttributeError):
    """The same, of an attribute, so that hasattr says no."""


def assigned(a: Any, index: Any, new: Any) -> Any:
    """A copy of `a` in which the entries at the index are `new`."""
    a = a.copy()
    a[index] = new
    return a


class Traced:
    """An array, or a number, whose calls are noted."""

    of_numpy = True  # so that rules go the way of NumPy's own arrays
    takes_operations = True

    __slots__ = ("_content", "_fresh", "_locked", "_recorder", "_variable")

    def __init__(self, content: Any, variable: Variable, recorder: Recorder, fresh: bool = False):
        self._content, self._variable, self._recorder = content, variable, recorder
        self._fresh = fresh  # whether nobody else can hold this memory, so that `out=` may write there
        self._locked = False

    def locked(self) -> Traced:
        """The same for a Value to hold: ``array += x`` makes a new one of it, as of what `Value.data` hands out."""
        if self._locked:
            return self
        twin = Traced(self._content, self._variable, self._recorder)
        twin._locked = True
        return twin

    def owned(self) -> Any:
        """What a Value holds that is made of it."""
        content, variable = self._content, self._variable
        if variable.dtype is None:
            return self._recorder.call(np.complex128 if isinstance(content, complex) else np.float64, (self,))
        if self._locked or variable.kind == "number" or dense(variable) or frozen(content):
            return self.locked()
        return self._recorder.call(np.copy, (self,)).locked()  # a Value's copy has no gaps, which sums depend on

    @staticmethod
    def product(a: Any, b: Any) -> Any:
        """What `rules.linalg.product` gives of matrices: np.dot, or np.matmul, where that adds up in the same way."""
        if type(a) is Value or type(b) is Value:
            return a @ b
        recorder = (b if type(b) is Traced else a)._recorder
        pair = recorder.contents((a, b))
        other = a.dtype != b.dtype or any(x.size == 1 or not x.flags.forc for x in pair)
        return recorder.call(np.dot if other else np.matmul, (a, b))

    def settled(self) -> Any:
        """What a Value keeps of it as its gradient: of a view a copy in C's order, on which sums depend."""
        content = self._content
        view = isinstance(content, np.ndarray) and content.base is not None and not content.flags.c_contiguous
        return self.copy() if view else self

    # ---------------------------------------------------------------- what is known before a run

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """For isinstance in code that is not ours: what it stands for."""
        asking: str = sys._getframe(1).f_globals.get("__name__", "")
        return Traced if asking.startswith(("autograd.", "nn.")) else type(self._content)

    def stands_for(self) -> Any:
        """The array or number."""
        return self._content

    def __getattr__(self, name: str) -> Any:
        if self._variable.dtype is not None:  # a Python number has none of these
            if name in ("itemsize", "nbytes", "strides", "flags"):
                return getattr(self._content, name)
            if name in _METHODS:
                return functools.partial(self._recorder.method, _METHODS[name], self)
        if not hasattr(self._content, name):
            raise AttributeError(f"{type(self._content).__name__!r} object has no attribute {name!r}")
        raise _NoAttributeError(f"the attribute .{name}", self)

    @property
    def dtype(self) -> Any:
        return self._content.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._content.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return self._content.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        return self._content.size  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self._content)))

    # ---------------------------------------------------------------- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(type(x) is Value for x in inputs):
            return NotImplemented
        out = kwargs.pop("out", None)
        if method == "at":
            raise CompileError(f"compile: np.{ufunc.__name__}.at(...) writes into an array; use v.at[index].add(x).")
        result = self._recorder.call(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)
        return result if out is None else self._recorder.written(out, result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if Value in types:
            return NotImplemented
        recorder = self._recorder
        if isinstance(function, Op | Several):
            value = next((x for x in args if type(x) is Value), None)
            if value is not None:
                return value.__array_function__(function, (Value,), args, kwargs)
            result = recorder.run(function.function, args, kwargs)
            return result if isinstance(function, Op) else function.make(list(result[: len(function.parts)]))
        if function in _ABOUT:
            return function(*recorder.contents(args), **recorder.contents(kwargs))
        if function in _FILLED and len(args) == 1 and not set(kwargs) - {"dtype"} and type(args[0]) is Traced:
            model = np.asarray(args[0]._content)
            if model.flags.c_contiguous:
                return recorder.call(_FILLED[function], (model.shape, kwargs.get("dtype") or model.dtype))
        if function in _IN_PLACE:
            raise CompileError(f"compile: np.{function.__name__}(...) writes into an array; use v.at[index].set(x).")
        out = kwargs.get("out")
        if out is not None:
            kwargs = {name: content for name, content in (kwargs or {}).items() if name != "out"}
            return recorder.written(out, recorder.call(function, args, kwargs))
        return recorder.call(function, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        if type(index) is tuple and not index and isinstance(self._content, np.generic):
            return self
        return self._recorder.call(operator.getitem, (self, index))

    def __setitem__(self, index: Any, new: Any) -> None:
        self._recorder.written((self,), self._recorder.call(assigned, (self, index, new)))

    def __bool__(self) -> bool:
        return self._recorder.expect(self)

    def __contains__(self, x: Any) -> bool:
        return bool(np.any(self == x))

    def __round__(self, *digits: int) -> Any:
        return self._recorder.call(round, (self, *digits))

    def __divmod__(self, other: Any) -> Any:
        return self._recorder.call(divmod, (self, other))

    def __rdivmod__(self, other: Any) -> Any:
        return self._recorder.call(divmod, (other, self))

    @property
    def T(self) -> Any:  # noqa: N802
        return self._recorder.call(np.transpose, (self,))

    @property
    def real(self) -> Any:
        return self._recorder.call(np.real, (self,))

    @property
    def imag(self) -> Any:
        return self._recorder.call(np.imag, (self,))

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        if self._content.dtype == dtype and not copy:
            return self
        if order != "K" and isinstance(self._content, np.ndarray):
            return self._recorder.call(np.ndarray.astype, (self, np.dtype(dtype), order))
        return self._recorder.call(cast, (self, np.dtype(dtype)))

    def item(self, *index: Any) -> Any:
        return self._recorder.call(item, (self[index] if index else self,))

    def copy(self, order: str = "C") -> Any:
        if isinstance(self._content, np.generic):
            return self
        same = order in ("C", "K") and self._content.flags.c_contiguous
        return self._recorder.call(np.copy, (self,) if same else (self, order))

    # ---------------------------------------------------------------- what would end the trace

    def _refuse(what: str) -> Any:  # type: ignore[misc]  # noqa: N805
        def refused(self: Traced, *args: Any, **kwargs: Any) -> Any:
            raise UntraceableError(what, self)

        return refused

    __array__ = _refuse("a plain NumPy array (np.asarray, np.array, array[i] = x)")
    __float__ = _refuse("float()")
    __int__ = _refuse("int()")
    __complex__ = _refuse("complex()")
    __index__ = _refuse("use as an integer")
    tolist = _refuse(".tolist()")
    del _refuse

    # An error tells of numbers: a text may be made, and only if the function comes to an end is it refused.

    def __str__(self) -> str:
        self._recorder.told = self._recorder.told or UntraceableError("str() or print()", self)
        return str(self._content)

    def __format__(self, how: str) -> str:
        self._recorder.told = self._recorder.told or UntraceableError("formatting", self)
        return format(self._content, how)

    def _shown(self) -> str:
        content = self._content
        if isinstance(content, np.ndarray | np.generic):
            return f"{content.dtype}{list(content.shape)}"
        return type(content).__name__

    def __repr__(self) -> str:
        return f"<traced {self._shown()}>"

    def __copy__(self) -> Any:
        return self if self._locked or self._variable.dtype is None else self.copy("K")

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()


def _flattened(x: Any, *order: str) -> Any:
    return x.flatten(*order)


def _conjugated(x: Any) -> Any:
    return x.conj()  # a real array itself, of which np.conj makes a copy


_METHODS: dict[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in (
        "sum", "mean", "max", "min", "prod", "var", "std", "cumsum", "cumprod", "clip", "round", "dot", "trace",
        "diagonal", "squeeze", "swapaxes", "ravel", "repeat", "take", "argmax", "argmin", "argsort", "all", "any",
        "nonzero", "compress", "searchsorted", "argpartition",
    )
}  # fmt: skip
_METHODS |= {"flatten": _flattened, "reshape": np.reshape, "transpose": np.transpose}
_METHODS |= {"conj": _conjugated, "conjugate": _conjugated}

_UFUNCS: dict[str, Any] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "lshift": np.left_shift, "rshift": np.right_shift, "pow": None,
}  # fmt: skip
_COMPARISONS: dict[str, Any] = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
}  # fmt: skip
_NUMBERS = {float, int, np.float64, np.float32}
_SIGNS: dict[str, Any] = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}
_POWERS: dict[Any, Any] = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal, 1: np.positive}
"""What ``array ** number`` runs, for floating arrays, in the place of np.power; of complex ones some of it."""


def _dunder(name: str, ufunc: Any, reflected: bool) -> Callable[..., Any]:
    compute = getattr(operator, f"{name}_" if name in ("and", "or") else name)

    def method(self: Traced, other: Any) -> Any:
        content = other._content if type(other) is Traced else other
        pair = (other, self) if reflected else (self, other)
        if type(content) in _NUMBERS or isinstance(content, np.generic | bool | complex):
            if not isinstance(self._content, np.ndarray):
                return self._recorder.call(compute, pair)
        elif not isinstance(content, np.ndarray | list | tuple):
            return NotImplemented
        if ufunc is None:
            base, exponent = pair
            quick = _POWERS.get(exponent) if type(exponent) in (int, float) else None
            if quick is not None and base.dtype.kind == "f":
                return self._recorder.call(quick, (base,))
            return self._recorder.call(operator.pow, pair)
        return self._recorder.call(ufunc, pair)

    return method


def _augmented(name: str) -> Callable[..., Any]:
    def method(self: Traced, other: Any) -> Any:
        result = getattr(self, f"__{name}__")(other)
        if result is NotImplemented or self._locked or not isinstance(self._content, np.ndarray):
            return result
        return self._recorder.written((self,), result)

    return method


def _unary(compute: Callable[[Any], Any], ufunc: Any) -> Callable[[Traced], Any]:
    def method(self: Traced) -> Any:
        return self._recorder.call(ufunc if isinstance(self._content, np.ndarray) else compute, (self,))

    return method


for _name, _ufunc in _UFUNCS.items():
    setattr(Traced, f"__{_name}__", _dunder(_name, _ufunc, False))
    setattr(Traced, f"__r{_name}__", _dunder(_name, _ufunc, True))
    setattr(Traced, f"__i{_name}__", _augmented(_name))
for _name, _ufunc in _COMPARISONS.items():
    setattr(Traced, f"__{_name}__", _dunder(_name, _ufunc, False))
for _name, _ufunc in _SIGNS.items():
    setattr(Traced, f"__{_name}__", _unary(getattr(operator, _name), _ufunc))
Traced.__hash__ = object.__hash__  # type: ignore[method-assign]


class TracedGenerator:
    """In the place of a random generator: each draw is a call of its method, made anew in each run."""

    def __init__(self, generator: np.random.Generator, recorder: Recorder):
        self._generator, self._recorder = generator, recorder

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return np.random.Generator

    def stands_for(self) -> Any:
        """The generator."""
        return self._generator

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._generator, name)
        if name.startswith("_") or not callable(method) or name in ("spawn", "shuffle"):
            raise CompileError(
                f"compile: generator.{name} while a function is traced. Draws can be traced, and "
                f"generator.permutation(x) in the place of shuffle."
            )

        def draw(*args: Any, **kwargs: Any) -> Any:
            return self._recorder.call(method, args, kwargs, effect=True)

        return draw


class Recorder:
    """Notes calls; also what runs the operations of Values meanwhile (see `modes.interpreting`)."""

    def __init__(self, bottom: CodeType | None = None) -> None:
        self.bottom = bottom  # the code that runs what is traced
        self.calls: list[Call] = []
        self.part = "forward"
        self.outside = True  # of an operation, in the function's own NumPy
        self.ends: list[tuple[Variable, list[Step]]] = []
        self.live = True
        self.start = tick()
        self.known: set[Value] = set()
        """Results from before the trace that may be used."""
        self.opaque: set[Any] = set()
        """The code of functions that could not be followed: in this trace, it is not tried again."""
        self.viewed: set[Variable] = set()
        """Those with which another variable shares memory."""
        self.told: UntraceableError | None = None
        """The first number of which a text was made."""
        self.rewritten: list[tuple[Traced, Any, Variable]] = []
        """What `out=` was told to hold something else, and what it held."""
        held: dict[int, tuple[Any, Variable]] = {}
        self.held = held
        """By the id of the array that owns memory, as long as it lives: a reference to it, and whose it is."""
        self._forget = lambda reference: held.pop(reference.key)

    # ---------------------------------------------------------------- contents and variables

    def source(self, content: Any, name: str | None = None) -> Traced:
        """What stands for an array, or a number, that comes from outside."""
        variable = Variable.of(content, name)
        self._hold(content, variable)
        return Traced(content, variable, self)

    def contents(self, tree: Any) -> Any:
        """Nested arguments with arrays in the place of what stands for them."""
        kind = type(tree)
        if kind is Traced:
            if tree._recorder is not self or not self.live:
                raise CompileError(
                    "compile: an array of a trace that is over. A function that is compiled left it somewhere that "
                    "compile does not look at; return it instead."
                )
            return tree._content
        if kind is tuple:
            return tuple([self.contents(item) for item in tree])
        if kind is list:
            return [self.contents(item) for item in tree]
        if kind is dict:
            return {name: self.contents(item) for name, item in tree.items()}
        if kind is slice:
            return slice(self.contents(tree.start), self.contents(tree.stop), self.contents(tree.step))
        return tree

    def noted(self, tree: Any) -> Any:
        """Nested arguments with variables in the place of what stands for arrays."""
        kind = type(tree)
        if kind is Traced:
            return tree._variable
        if kind is tuple:
            return tuple([self.noted(item) for item in tree])
        if kind is list:
            return [self.noted(item) for item in tree]
        if kind is dict:
            return {name: self.noted(item) for name, item in tree.items()}
        if kind is slice:
            return slice(self.noted(tree.start), self.noted(tree.stop), self.noted(tree.step))
        if kind is np.ndarray and tree.flags.writeable:  # and may be written to before the function is through
            return tree.copy("K")
        return tree

    def _hold(self, content: Any, variable: Variable) -> None:
        for array in _arrays(content):
            owner = _owner(array)
            key = id(owner)
            if key not in self.held:
                self.held[key] = weakref.KeyedRef(owner, self._forget, key), variable

    # ---------------------------------------------------------------- noting

    def call(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Any = None, effect: bool = False) -> Any:
        """Run a function on the contents, and note it."""
        given: list[Any] = []
        operands: list[Any] = []
        for argument in args:
            kind = type(argument)
            if kind is Traced and argument._recorder is self and self.live:
                given.append(argument._content)
                operands.append(argument._variable)
            elif kind in _NUMBERS:
                given.append(argument)
                operands.append(argument)
            else:
                given.append(self.contents(argument))
                operands.append(self.noted(argument))
        if not kwargs:
            result = function(*given)
            if isinstance(result, np.generic):  # nothing can share memory with it
                variable = Variable("number", (), result.dtype)
                self.calls.append(Call(function, tuple(operands), None, variable, self.part, effect))
                if self.outside:
                    self._end(variable)
                return Traced(result, variable, self, True)
            return self._note(function, tuple(operands), {}, result, effect, args)
        kwargs = {name: content for name, content in kwargs.items() if not _by_default(function, name, content)}
        result = function(*given, **self.contents(kwargs))
        return self._note(function, tuple(operands), self.noted(kwargs), result, effect, args)

    def _note(self, function: Any, args: Any, kwargs: Any, result: Any, effect: bool, index: Sequence[Any]) -> Any:
        """Note a call whose result is there; `args` and `kwargs` with variables in them."""
        if result is None or isinstance(result, str):
            raise CompileError(
                f"compile: {_spelled(function)} gave {result!r:.40}, and a program computes with arrays."
            )
        if isinstance(result, np.ndarray) and result.dtype.kind not in "biufc":
            raise CompileError(f"compile: {_spelled(function)} gave an array of dtype {result.dtype}.")
        variable = Variable.of(result)
        if variable.kind != "number":
            variable.owners = self._owners(result, variables((args, kwargs)))
            self.viewed.update(variable.owners)
        self.calls.append(Call(function, args, kwargs, variable, self.part, effect))
        if self.outside:
            self._end(variable)
        self._hold(result, variable)
        many = function in _OF_MANY_SHAPES or (function is np.where and len(args) == 1)
        many = many or (function is operator.getitem and _by_mask(index[1]))
        if variable.kind == "object" and isinstance(result, tuple | list):
            parts = [self._part(variable, number, content, many) for number, content in enumerate(result)]
            if isinstance(result, list):
                return parts
            return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
        if many:
            self._expect("shape", np.shape(result), variable)
        return Traced(result, variable, self, fresh=not variable.owners)

    def _part(self, whole: Variable, number: int, content: Any, expect_shape: bool = False) -> Traced:
        """One of several results of a call."""
        part = Variable.of(content)
        if part.kind != "number":
            part.owners = (whole,)
        self.calls.append(Call(operator.getitem, (whole, number), {}, part, self.part))
        self._hold(content, part)
        if expect_shape:
            self._expect("shape", np.shape(content), part)
        return Traced(content, part, self)

    def _expect(self, what: str, wanted: Any, variable: Variable) -> None:
        self.calls.append(Call(Expect(what, wanted), (variable,), effect=True, part=self.part))

    def _end(self, variable: Variable) -> None:
        """Note on which lines of the user's functions a result came about: their assignments name variables."""
        if len(self.calls) > LONG:  # of which nobody reads the names
            return
        way = []
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code is not self.bottom:
            way.append((frame.f_code, frame.f_lasti, id(frame), frame.f_globals))
            frame = frame.f_back
        self.ends.append((variable, way))

    def _owners(self, content: Any, operands: Iterator[Variable]) -> tuple[Variable, ...]:
        """The variables with which a result shares memory."""
        found: dict[Variable, None] = {}
        for array in _arrays(content):
            known = self.held.get(id(_owner(array)))
            if known is not None:
                found[known[1]] = None
            else:  # an opaque function may keep memory between its calls: among what it was given
                for variable in operands:
                    if variable.kind == "object":
                        found[variable] = None
        return tuple(found)

    def expect(self, traced: Traced) -> bool:
        """The truth of something: the same in each run, or the program does not hold."""
        truth = bool(self.contents(traced))
        self._expect("truth", truth, traced._variable)
        return truth

    def method(self, function: Callable[..., Any], traced: Traced, *args: Any, **kwargs: Any) -> Any:
        """A method of an array: NumPy's function of that name."""
        if function in (np.reshape, np.transpose) and len(args) > 1:
            args = (args,)
        return traced.__array_function__(function, (), (traced, *args), kwargs)

    def written(self, out: Any, result: Any) -> Any:
        """What `out=` was told to hold from now on: the array there is as good as gone."""
        (target,) = out if isinstance(out, tuple) else (out,)
        if target is None:
            return result
        if type(target) is not Traced:
            raise CompileError(
                "compile: out=..., or an operator like array += x, would write into an array made outside of the "
                "trace, or of nothing that is traced, as by np.zeros(...). Write array = array + x."
            )
        owner = self.held.get(id(_owner(target._content)))
        shared = target._variable in self.viewed
        if not target._fresh or owner is None or owner[1] is not target._variable or shared:
            raise UntraceableError("writing in place into a view, an argument or a parameter,", target)
        content = result._content
        held = target._content
        if type(content) is not type(held) or content.shape != held.shape or content.dtype != held.dtype:
            result = self.call(_fitted, (target, result))
            content = result._content
        self.rewritten.append((target, target._content, target._variable))
        target._content, target._variable = content, result._variable
        return target

    # ---------------------------------------------------------------- operations of Values

    @contextmanager
    def backward(self) -> Iterator[None]:
        """While a reverse pass runs."""
        before, self.part = self.part, "backward"
        try:
            yield
        finally:
            self.part = "update" if before != "backward" else before

    def forward(
        self, op: Op, inputs: Sequence[Value], params: dict[str, Any] | None, compute: Callable[..., Any] | None
    ) -> tuple[Any, dict[str, Any] | None]:
        """The result of an operation, and its keywords with what it saved."""
        arguments = []
        for value in inputs:
            array = value._array
            arguments.append(array)
            if value._tracked and type(array) is not Traced and value._clock < self.start and value not in self.known:
                raise CompileError(
                    f"compile: the function uses {describe(value)}, made before, from a place where compile does not "
                    f"look, such as inside of an object of another library. Close over it, or pass it in an argument."
                )
        if self.part == "update":
            self.part = "forward"
        outside, self.outside = self.outside, False
        try:
            if op.with_saved is None:
                result = self.run(compute or op.function, arguments, params)
            else:
                result, saved = self.run(op.with_saved, arguments, params)
                params = {**(params or {}), "saved": saved}
            result = self._number(result)
        finally:
            self.outside = outside
        if type(result) is not Traced:
            return result, params
        if outside:
            self._end(result._variable)
        return result.locked(), params

    def gradient(self, op: Op, index: int, g: Any, y: Any, inputs: Sequence[Any], params: dict[str, Any] | None) -> Any:
        """The rule of an input, applied."""
        rule = functools.partial(op.rules, index) if op.variadic else op.rules[index]
        if rule is None:
            return 0.0
        outside, self.outside = self.outside, False
        try:
            return self._number(self.run(rule, (g, y, *inputs), params))
        finally:
            self.outside = outside

    def _number(self, result: Any) -> Any:
        """What operations make of an array without axes: NumPy's power of it is another one than that of a number."""
        if type(result) is Traced and type(result._content) is np.ndarray and not result._content.shape:
            return self.call(operator.getitem, (result, ()))
        return result

    def made(self, gradient: Any) -> Any:
        """A gradient that depends on no number that was traced, as of ``w.sum()``: made anew in each run, as others."""
        if type(gradient) is not np.ndarray:
            return gradient
        return self.call(np.array, (gradient if gradient.base is None else gradient.copy(),), effect=True)

    def run(self, function: Callable[..., Any], arguments: Sequence[Any], params: dict[str, Any] | None = None) -> Any:
        """A function on arrays, some of which are traced: call by call, or where that cannot be, as one."""
        operands = list(_leaves((arguments, params))) if params else arguments
        params = params or {}
        some = objects = False
        for x in operands:
            if type(x) is Traced:
                some = True
                objects = objects or x._variable.kind == "object"
            elif type(x) is Value:
                return function(*arguments, **params)
        if not some or isinstance(function, np.ufunc) or getattr(function, "__module__", None) in _FOLLOWED:
            return function(*arguments, **params)
        code = getattr(getattr(function, "func", function), "__code__", function)
        if code not in self.opaque and not objects:
            calls, rewritten, told = len(self.calls), len(self.rewritten), self.told
            try:
                result = function(*arguments, **params)
                if self.told is not None and self.told is not told:
                    raise self.told
                return result
            except Exception:
                self.told = told
                del self.calls[calls:]
                while len(self.rewritten) > rewritten:
                    x, content, variable = self.rewritten.pop()
                    x._content, x._variable = content, variable
                result = self._whole(function, tuple(arguments), params)
                if not any(x._variable.dtype is None for x in operands if type(x) is Traced):
                    self.opaque.add(code)
                return result
        return self._whole(function, tuple(arguments), params)

    def _whole(self, function: Callable[..., Any], arguments: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """One call of a function that cannot be followed."""
        result = function(*self.contents(arguments), **self.contents(params))
        if not isinstance(result, np.ndarray | np.generic | bool | int | float | complex | tuple | list):
            return result
        operands, keywords = self.noted(arguments), self.noted(params)
        if isinstance(result, tuple | list) and not all(isinstance(x, np.ndarray | np.generic) for x in result):
            variable = Variable.of(result)  # a result and what it saved, which is no array and stays as it is
            variable.owners = self._owners(result, variables((operands, keywords)))
            self.calls.append(Call(function, operands, keywords, variable, self.part))
            self._hold(result, variable)
            return tuple([self._part(variable, number, content) for number, content in enumerate(result)])
        return self._note(function, operands, keywords, result, False, ())


def _by_default(function: Any, name: str, content: Any) -> bool:
    """Whether a keyword of NumPy's says what would be so anyway."""
    return content is np._NoValue or (function in _REDUCTIONS and content is _DEFAULTS.get(name, _DEFAULTS))


_FOLLOWED = {"numpy", "numpy.linalg", "_operator"}
"""Modules whose functions hand over to `Traced`."""

_REDUCTIONS = {np.sum, np.prod, np.max, np.min, np.mean, np.any, np.all}
_DEFAULTS = {"axis": None, "dtype": None, "out": None, "keepdims": False, "where": True}


def _fitted(target: Any, new: Any) -> Any:
    """`new` as it would be, written into an array like `target`."""
    target = np.empty_like(target)
    target[...] = new
    return target


def _by_mask(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    for part in parts:
        array = part._content if type(part) is Traced else part
        if type(part) is Traced and array.dtype.kind == "b" and array.ndim:
            return True
    return False


def _arrays(content: Any, depth: int = 3) -> Iterator[np.ndarray]:
    """The arrays in a content: itself, or inside of tuples, lists and dicts."""
    if isinstance(content, np.ndarray):
        yield content
    elif depth and isinstance(content, tuple | list | dict):
        for part in content.values() if isinstance(content, dict) else content:
            yield from _arrays(part, depth - 1)


def _owner(array: np.ndarray) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _leaves(tree: Any) -> Iterator[Any]:
    kind = type(tree)
    if kind is tuple or kind is list:
        for part in tree:
            yield from _leaves(part)
    elif kind is dict:
        for part in tree.values():
            yield from _leaves(part)
    elif kind is slice:
        yield from (tree.start, tree.stop, tree.step)
    else:
        yield tree


def _spelled(function: Any) -> str:
    return getattr(function, "__name__", repr(function))


__all__ = ["Recorder", "Traced", "TracedGenerator", "UntraceableError", "assigned"]
