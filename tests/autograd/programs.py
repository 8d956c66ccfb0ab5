"""Programs for tests: a recorder that notes calls while it makes them, and random programs, drawn by Hypothesis."""

import operator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from autograd.program import Call, Place, Program, Variable, mapped


def memory(array: Any) -> Any:
    """The array that owns the memory of an array."""
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    return array


class Recorder:
    """Builds a program line by line, and runs each line as it comes, so that all is known of its result.

    >>> record = Recorder()
    >>> x = record.argument(np.array([1.0, 2.0]))
    >>> program = record.program(record(np.add, x, 1.0))
    >>> program.run(np.array([3.0, 4.0]))
    (array([4., 5.]), [])
    """

    def __init__(self) -> None:
        self.content: dict[Variable, Any] = {}
        self.arguments: list[Variable] = []
        self.loads: dict[Variable, Place] = {}
        self.calls: list[Call] = []

    def noted(self, content: Any, name: str | None = None) -> Variable:
        """A variable of that content; arrays share their memory with those that lie in the same."""
        variable = Variable.of(content, name)
        if isinstance(content, np.ndarray):
            home = memory(content)
            variable.owners = tuple(
                [v for v, c in self.content.items() if isinstance(c, np.ndarray) and memory(c) is home]
            )
        self.content[variable] = content
        return variable

    def argument(self, content: Any, name: str | None = None) -> Variable:
        self.arguments.append(self.noted(content, name))
        return self.arguments[-1]

    def load(self, place: Place, name: str | None = None) -> Variable:
        variable = self.noted(place.get(), name)
        self.loads[variable] = place
        return variable

    def __call__(
        self,
        function: Any,
        *args: Any,
        part: str = "forward",
        effect: bool = False,
        named: str | None = None,
        **kwargs: Any,
    ) -> Variable:
        content = function(*mapped(self.content.__getitem__, args), **mapped(self.content.__getitem__, kwargs))
        result = self.noted(content, named)
        self.calls.append(Call(function, args, kwargs, result, part, effect))
        return result

    def program(self, results: Any, writes: Any = ()) -> Program:
        return Program(self.arguments, self.loads, self.calls, list(writes), results)

    @property
    def inputs(self) -> list[Any]:
        """Contents of the arguments, as they came."""
        return [self.content[variable] for variable in self.arguments]


def functions(program: Program) -> list[Any]:
    """What is called, in order."""
    return [call.function for call in program.calls]


def same_bits(a: Any, b: Any) -> bool:
    """Whether two contents are equal in type, dtype, bits and, arrays, in their layout."""
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same_bits, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_bits(a[k], b[k]) for k in a)
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape or a.tobytes() != b.tobytes():
            return False
        return a.size == 0 or [s for s, n in zip(a.strides, a.shape, strict=True) if n != 1] == [
            s for s, n in zip(b.strides, b.shape, strict=True) if n != 1
        ]
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    return a == b or a != a


# ---------------------------------------------------------------- random programs

UNARY = [np.negative, np.positive, np.exp, np.tanh, np.sqrt, np.square, np.abs, np.sign, np.copy, np.isfinite, np.sin]
BINARY = [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.greater, operator.add, operator.mul,
          operator.sub, np.arctan2, np.power]  # fmt: skip
REDUCTIONS = [
    np.sum,
    np.mean,
    np.max,
    np.min,
    np.prod,
    np.all,
    np.any,
    np.var,
    np.std,
    np.argmax,
    np.cumsum,
    np.add.reduce,
]
CONSTANTS = [1, 1.0, 0.0, -0.0, 0, 2, 0.5, -1.5, np.float64(1.0), np.float64(3.0), np.float32(0.1)]
SHAPES = [(), (1,), (3,), (4,), (2, 3), (3, 4), (4, 1), (1, 4), (4, 3), (3, 3), (2, 3, 4), (2, 1, 4), (0, 3), (3, 130)]
LAYOUTS = ["C", "F", "gaps", "broadcast"]


def laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """The same numbers, otherwise in memory."""
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "gaps" and array.ndim:
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if layout == "broadcast" and array.ndim > 1 and array.size:
        return np.broadcast_to(array[:1], array.shape)
    return array


def arrays(seed: int, shape: tuple[int, ...], dtype: Any, layout: str) -> np.ndarray:
    return laid_out(np.random.default_rng(seed).normal(size=shape).astype(dtype), layout)


@st.composite
def programs(draw: Any, lines: int = 12) -> Recorder:
    """A recorder that has recorded: one to three arguments, then lines, each of functions that NumPy's users call.

    `outcome` is a program of it whose results are some of its variables.
    """
    record = Recorder()
    seeds = st.integers(0, 2**20)
    for i in range(draw(st.integers(1, 3))):
        dtype = draw(st.sampled_from([np.float64] * 6 + [np.float32, np.float32, np.float16, np.int64]))
        shape, layout = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(LAYOUTS))
        record.argument(arrays(draw(seeds), shape, dtype, layout), f"x{i}")
    with np.errstate(all="ignore"):
        for _ in range(draw(st.integers(1, lines))):
            known = [v for v in record.content if v.kind != "object"]
            # The newest most of all, so that lines build on each other.
            pick = st.one_of(st.sampled_from(known[-3:]), st.sampled_from(known))
            one_more(draw, record, pick)
    return record


def one_more(draw: Any, record: Recorder, pick: Any) -> None:
    """One line, if NumPy takes it."""
    x = draw(pick)
    shape = x.shape
    kind = draw(
        st.sampled_from(["unary", "binary", "constant", "reduction", "shape", "copy", "product", "index", "again"])
    )
    try:
        if kind == "unary":
            record(draw(st.sampled_from(UNARY)), x)
        elif kind == "binary":
            record(draw(st.sampled_from(BINARY)), x, draw(pick))
        elif kind == "constant":
            pair = [x, draw(st.sampled_from([*CONSTANTS, np.ones(shape), np.ones(3)]))]
            record(draw(st.sampled_from(BINARY)), *(pair if draw(st.booleans()) else pair[::-1]))
        elif kind == "reduction":
            function = draw(st.sampled_from(REDUCTIONS))
            axes: list[Any] = [None, *range(-len(shape), len(shape)), *([(0, -1), (0,)] if len(shape) > 1 else [])]
            keywords: dict[str, Any] = {"axis": draw(st.sampled_from(axes))}
            if function is not np.cumsum and draw(st.booleans()):
                keywords["keepdims"] = draw(st.booleans())
            if function in (np.var, np.std):
                keywords["ddof"] = draw(st.sampled_from([0, 1]))
            record(function, x, **keywords)
        elif kind == "shape":
            SHAPED[draw(st.sampled_from(sorted(SHAPED)))](draw, record, x)
        elif kind == "copy":
            copied(draw, record, x)
        elif kind == "product":
            other = draw(pick)
            function = draw(st.sampled_from([np.matmul, np.dot, np.outer, operator.matmul, np.linalg.norm]))
            if x.size * other.size > 10_000:
                return
            record(function, *([x] if function is np.linalg.norm else [x, other]))
        elif kind == "index":
            index: Any = [(), ..., 0, -1, slice(None), slice(None, None, 2), None, (..., None), np.array([0, 0])]
            record(operator.getitem, x, draw(st.sampled_from(index)))
        elif record.calls:
            call = draw(st.sampled_from(record.calls))
            record(call.function, *call.args, **call.kwargs)
    except (ValueError, IndexError, TypeError, ZeroDivisionError, RuntimeWarning):
        pass  # shapes that do not go together, means of nothing


def copied(draw: Any, record: Recorder, x: Variable) -> None:
    function = draw(st.sampled_from([np.copy, np.array, np.ravel, np.ndarray.copy, np.ndarray.astype, np.zeros_like,
                                     np.ones_like, np.clip, np.where]))  # fmt: skip
    if function is np.ndarray.astype:
        record(function, x, draw(st.sampled_from([x.dtype, np.float64, np.float32])))
    elif function is np.clip:
        record(function, x, draw(st.sampled_from([None, -0.5, 0])), draw(st.sampled_from([None, 0.5, 1])))
    elif function is np.where:
        record(function, record(np.greater, x, 0.0), x, 0.0)
    else:
        record(function, x)


def transposed(draw: Any, record: Recorder, x: Variable) -> None:
    order = draw(st.permutations(range(len(x.shape))))
    record(np.transpose, x, *([tuple(order)] if draw(st.booleans()) else []))


def broadcast(draw: Any, record: Recorder, x: Variable) -> None:
    wide = record(np.broadcast_to, x, draw(st.sampled_from([(*x.shape,), (2, *x.shape), (4, 3), (2, 3, 4)])))
    record(draw(st.sampled_from(BINARY)), wide, record.argument(arrays(len(record.calls), wide.shape, float, "C")))


def reshaped(draw: Any, record: Recorder, x: Variable) -> None:
    record(np.reshape, x, draw(st.sampled_from([x.shape, (-1,), (x.size, 1), (1, *x.shape), x.shape[::-1]])))


def swapped(draw: Any, record: Recorder, x: Variable) -> None:
    record(draw(st.sampled_from([np.swapaxes, np.moveaxis])), x, 0, -1)


def stacked(draw: Any, record: Recorder, x: Variable) -> None:
    record(np.stack, draw(st.sampled_from([[x, x], (x, record(np.negative, x))])), draw(st.sampled_from([0, -1, 1])))


SHAPED = {
    "transpose": transposed,
    "broadcast": broadcast,
    "reshape": reshaped,
    "swap": swapped,
    "stack": stacked,
    "expand": lambda draw, record, x: record(np.expand_dims, x, draw(st.sampled_from([0, -1, (0, 1)]))),
    "squeeze": lambda draw, record, x: record(np.squeeze, x),
}


@st.composite
def outcomes(draw: Any, lines: int = 12) -> tuple[Program, list[Any]]:
    """A random program that gives some of what it computes, and arguments for it."""
    record = draw(programs(lines))
    given = list(record.content)
    results = draw(st.lists(st.sampled_from(given), min_size=1, max_size=4))
    return record.program((given[-1], *results)), record.inputs
