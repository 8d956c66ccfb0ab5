"""What an error looks like: from the numbers alone, and from the graph of the function.

The numbers: a constant factor, a constant too much, one side of a kink, another axis. The graph: the function is run
once on a Value, which gives each use of the variable its own part of the derivative; if the derivative given is the
sum of some parts, the others were forgotten. A chain of operations is checked operation by operation.
"""

from __future__ import annotations

import cmath
import math
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations
from typing import Any, NamedTuple

import numpy as np

from .. import modes
from ..backward import conform, reverse
from ..graph import ancestors, topological
from ..value import Value
from .arguments import draw, point_at, tangents, wide
from .report import Row

Array = Any
CLOSE = 1e-5


class Sample(NamedTuple):
    """What was compared at one point."""

    args: list[Any]
    argument: int
    """Which of the arguments it was differentiated by."""
    looked: Array
    """The entries that were compared, as indices into the flat argument."""
    yours: Array
    numeric: Array
    bound: Array
    wrong: Array
    upstream: Any = None


def close(a: Array, b: Array, slack: Array | float = 0.0) -> bool:
    """Whether two lists of numbers are the same, as far as a diagnosis goes."""
    if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return False
    return bool(np.all(np.abs(a - b) <= CLOSE * np.maximum(np.abs(a), np.abs(b)) + 2 * slack))


FACTORS = {
    180 / math.pi: "180 / pi: degrees for radians",
    math.pi / 180: "pi / 180: radians for degrees",
    math.log(10): "ln 10: log10 is ln / ln 10",
    1 / math.log(10): "1 / ln 10: log10 for ln",
    math.log(2): "ln 2: log2 is ln / ln 2",
    1 / math.log(2): "1 / ln 2: log2 for ln",
    math.pi: "pi",
    2 * math.pi: "2 pi",
}


def from_numbers(
    x: Array,
    y: Array | None,
    yours: Array,
    numeric: Array,
    bound: Array,
    wrong: Array,
    unit: str,
    sizes: dict[str, int],
) -> str | None:
    """A hint from the numbers that were compared, or None."""
    if not np.any(wrong):
        return None
    finite = np.isfinite(yours) & np.isfinite(numeric)
    if not np.all(finite):
        if np.all(finite[~wrong]) and not np.any(np.isfinite(yours[wrong])):
            return f"yours is {yours[wrong][0]:g} where f has a finite derivative"
        return None
    k = len(yours)
    at_all = f"at all {k} {unit}" if k > 1 else f"at the one {unit.rstrip('s')} that was compared"
    live = np.abs(numeric) > 10 * bound
    if np.any(live) and not np.any(yours):
        return "yours is 0 everywhere: is a dependence on x lost, or is f taken for constant?"
    if y is not None and close(yours, y):
        return "yours is f itself, not its derivative"
    if np.any(live & wrong) and close(yours[~live], numeric[~live], bound[~live]):
        ratio = yours[live] / numeric[live]
        middle = float(np.median(ratio))
        if np.all(np.abs(ratio - middle) <= CLOSE * abs(middle) + 2 * bound[live] / np.abs(numeric[live])):
            words = ratio_in_words(middle, sizes)
            if k > 1 or not words.startswith("a constant factor"):
                return f"yours / numeric = {middle:.6g} {at_all}{': ' + words if words else ''}"
    difference = yours - numeric
    middle = float(np.median(difference))
    if k > 2 and middle and close(difference, np.full(k, middle), bound):
        return f"yours - numeric = {middle:.6g} {at_all}: a constant term too {'much' if middle > 0 else 'little'}?"
    if np.all(live[wrong]) and close(-yours[wrong], numeric[wrong], bound[wrong]) and np.any(~wrong):
        side = side_of(x, wrong)
        return f"the sign is wrong at {np.count_nonzero(wrong)} of {k} {unit}{': ' + side if side else ''}"
    return None


def from_complex(rows: Sequence[Row], unit: str) -> str | None:
    """The same where numbers are complex: what the wrong ones look like."""
    wrong = [row for row in rows if row.status == "wrong"]
    if not wrong or not all(cmath.isfinite(row.yours) and cmath.isfinite(row.numeric) for row in wrong):
        return None
    yours, numeric = (np.array([getattr(row, name) for row in wrong], complex) for name in ("yours", "numeric"))
    bound = np.array([row.bound for row in wrong])
    if len(wrong) < len(rows):
        at_all = f"at all {len(wrong)} that are wrong" if len(wrong) > 1 else f"at {wrong[0].place or wrong[0].x}"
    else:
        at_all = f"at all {len(rows)} {unit}" if len(rows) > 1 else f"at the one {unit.rstrip('s')} that was compared"
    if not np.any(yours):
        where = at_all if len(wrong) < len(rows) else "everywhere"
        return f"yours is 0 {where}: is a dependence lost, or is f taken for constant?"
    if close(np.conj(yours), numeric, bound):
        return f"conjugate: yours is the conjugate of the derivative, {at_all}"
    if close(yours, numeric.real, bound):
        return f"yours is the real part of the derivative, {at_all}"
    if close(yours, 1j * numeric.imag, bound):
        return f"yours lacks the real part of the derivative, {at_all}"
    for half, words in ((yours, "half"), (np.conj(yours), "half the conjugate")):
        if close(2 * half, numeric, bound):
            return f"yours is {words} of the derivative: a Wirtinger derivative?"
    live = np.abs(numeric) > 10 * bound
    if np.any(live):
        ratio = yours[live] / numeric[live]
        middle = complex(np.median(ratio.real), np.median(ratio.imag))
        if close(ratio, np.full(len(ratio), middle), bound[live] / np.abs(numeric[live])) and len(ratio) > 1:
            tiny = CLOSE * abs(middle)
            real, imag = (part if abs(part) > tiny else 0.0 for part in (middle.real, middle.imag))
            words = "a constant factor too much or too little" if imag else ratio_in_words(real, {})
            return f"yours / numeric = {complex(real, imag) if imag else real:.6g} {at_all}: {words}"
    return None


def ratio_in_words(ratio: float, sizes: dict[str, int]) -> str:
    """A ratio that people know, in their words."""
    for number, words in ((-1.0, "the sign is wrong"), (2.0, "factor 2 too large"), (0.5, "factor 2 too small")):
        if math.isclose(ratio, number, rel_tol=CLOSE):
            return words
    for name, n in sizes.items():
        if n > 1 and math.isclose(ratio, n, rel_tol=CLOSE):
            return f"factor {name} too large: is a mean taken in f whose 1/n the derivative lacks?"
        if n > 1 and math.isclose(ratio, 1 / n, rel_tol=CLOSE):
            return f"divided by {name}: f has a sum there, not a mean"
    for number, words in FACTORS.items():
        if math.isclose(abs(ratio), number, rel_tol=CLOSE):
            return f"that is {'-' if ratio < 0 else ''}{words}"
    sign = " and the sign wrong" if ratio < 0 else ""
    whole = round(abs(ratio))
    if 2 < whole < 100 and math.isclose(abs(ratio), whole, rel_tol=CLOSE):
        return f"factor {whole} too large{sign}"
    whole = round(1 / abs(ratio)) if ratio else 0
    if 2 < whole < 100 and math.isclose(abs(ratio), 1 / whole, rel_tol=CLOSE):
        return f"factor {whole} too small{sign}"
    return "a constant factor too much or too little"


def side_of(x: Array, wrong: Array) -> str:
    """In which part of the line all the wrong ones lie, and none of the right ones."""
    bad, good = x[wrong], x[~wrong]
    if not len(bad) or not len(good):
        return ""
    if np.max(bad) < np.min(good):
        border = "x < 0" if np.max(bad) < 0 <= np.min(good) else f"x <= {np.max(bad):.4g}"
    elif np.min(bad) > np.max(good):
        border = "x > 0" if np.min(bad) > 0 >= np.max(good) else f"x >= {np.min(bad):.4g}"
    elif np.min(np.abs(bad)) > np.max(np.abs(good)):
        border = f"|x| >= {np.min(np.abs(bad)):.4g}"
    else:
        return ""
    return f"wrong only for {border}, right at the other {len(good)}"


def power_of_x(x: Array, yours: Array, numeric: Array, name: str) -> str | None:
    """A factor c x^p that is missing or too much."""
    ok = (x != 0) & (yours != 0) & (numeric != 0) & np.isfinite(yours)
    if np.count_nonzero(ok) < 3 or len(np.unique(np.abs(x[ok]))) < 3:
        return None
    for power, words in ((1, f" {name}"), (-1, f" / {name}"), (2, f" {name}**2"), (-2, f" / {name}**2"),
                         (0.5, f" sqrt({name})"), (-0.5, f" / sqrt({name})"), (3, f" {name}**3")):  # fmt: skip
        if power % 1 and np.any(x[ok] < 0):
            continue
        factor = numeric[ok] / (yours[ok] * x[ok] ** power)
        middle = float(np.median(factor))
        if close(factor, np.full(len(factor), middle)):
            times = words if "/" in words else f" *{words}"
            text = times if math.isclose(middle, 1, rel_tol=CLOSE) else f" * {middle:.6g}{times}"
            return f"numeric = yours{text}: a factor is missing or too much"
    return None


def of_arrays(sample: Sample) -> str | None:
    """Hints that need the shape: transposed, reversed, single entries and where they lie."""
    shape = np.shape(sample.args[sample.argument])
    if not shape or len(sample.looked) != math.prod(shape):
        return _few(sample, shape)
    order = np.argsort(sample.looked)
    yours, numeric = (a[order].reshape(shape) for a in (sample.yours, sample.numeric))
    if np.all(np.isfinite(yours)) and np.all(np.isfinite(numeric)):
        if len(shape) >= 2 and shape[-1] == shape[-2] and close(np.swapaxes(yours, -1, -2), numeric):
            return "yours is the transpose of the gradient"
        for axis in range(len(shape)):
            if shape[axis] > 1 and close(np.flip(yours, axis), numeric):
                return f"yours is the gradient in reversed order along axis {axis}"
            for shift in (1, -1):
                if shape[axis] > 2 and close(np.roll(yours, shift, axis), numeric):
                    return f"yours is the gradient shifted by one along axis {axis}"
        if math.prod(shape) > 2 and np.ptp(numeric) > 0 and close(np.sort(yours, None), np.sort(numeric, None)):
            return "yours has the right numbers in another order"
        for axis in range(len(shape)):
            if shape[axis] > 1:
                for reduce, words in ((np.sum, "summed"), (np.mean, "averaged")):
                    if close(np.broadcast_to(reduce(numeric, axis, keepdims=True), shape), yours):
                        return f"yours is the gradient {words} over axis {axis}"
        if len(shape) >= 2 and shape[-1] == shape[-2]:
            doubled = numeric + np.swapaxes(numeric, -1, -2)
            if close(yours, doubled):
                return "yours is the gradient plus its transpose: was the matrix taken for symmetric?"
    return _few(sample, shape)


def _few(sample: Sample, shape: tuple[int, ...]) -> str | None:
    bad, good = sample.looked[sample.wrong], sample.looked[~sample.wrong]
    if not len(bad) or not len(good) or not shape:
        return None
    if len(bad) == 1:
        return f"a single wrong entry: the other {len(good)} that were compared one by one are right"
    places = np.array(np.unravel_index(bad, shape))
    others = np.array(np.unravel_index(good, shape))
    for axis, (here, there) in enumerate(zip(places, others, strict=True)):
        if len(set(here)) == 1 and here[0] not in there:
            which = {0: "the first", shape[axis] - 1: "the last"}.get(int(here[0]), f"number {here[0]}")
            return f"all wrong entries, and no right ones, are {which} along axis {axis}"
    if len(shape) == 2 and shape[0] == shape[1]:
        diagonal = places[0] == places[1]
        if np.all(diagonal) and not np.any(others[0] == others[1]):
            return "wrong on the diagonal only"
        if not np.any(diagonal) and np.all(others[0] == others[1]):
            return "right on the diagonal only"
    x = np.ravel(sample.args[sample.argument])[sample.looked]
    if len(bad) > 2 and (side := side_of(x, sample.wrong)):
        return side
    return None


# -------------------------------------------------------------------- the graph

_HERE = os.path.dirname(os.path.abspath(__file__))
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "//": 2, "%": 2, "**": 4}


def in_code(node: Value, depth: int = 8) -> str:
    """A Value as the expression that made it, as far down as fits on a line."""
    return _written(node, depth)[0]


def _written(node: Value, depth: int) -> tuple[str, int]:
    if node.op is None or not node.inputs:
        if node.label:
            return node.label, 9
        number = np.asarray(node.data)
        if number.ndim or number.dtype.kind not in "biuf":
            return f"array{number.shape}", 9
        return f"{number[()]:.4g}", 9 if number >= 0 else 3
    if depth == 0:
        return "...", 9
    symbol, parts = node.op.symbol, [_written(value, depth - 1) for value in node.inputs]
    if len(parts) == 2 and symbol in _STRENGTH:
        strength = _STRENGTH[symbol]
        left = parts[0][0] if parts[0][1] >= strength + (symbol == "**") else f"({parts[0][0]})"
        right = parts[1][0] if parts[1][1] > strength - (symbol == "**") else f"({parts[1][0]})"
        space = " " if strength < 4 else ""
        return f"{left}{space}{symbol}{space}{right}", strength
    if len(parts) == 1 and symbol == "-":
        return f"-{parts[0][0] if parts[0][1] >= 2 else f'({parts[0][0]})'}", 3
    if len(parts) == 1 and node.op.name == "getitem":
        index = (node.params or {}).get("index")
        return f"{parts[0][0]}[{index if isinstance(index, int) else '...'}]", 9
    return f"{node.op.name}({', '.join(text for text, _ in parts)})", 9


class Use(NamedTuple):
    """One place where the variable enters, with its part of the derivative."""

    branch: str
    merge: str
    source: str
    part: Array


def recorded(function: Callable[..., Any], args: Sequence[Any], argument: int, name: str) -> tuple[Value, Value] | None:
    """The function run on a Value: the variable and the result. None if it does not run on Values."""
    inputs = list(args)
    try:
        variable = Value(np.asarray(args[argument], float)[()], label=name)
        inputs[argument] = variable
        with modes.enable_grad(), modes.anomaly():
            result = function(*inputs)
    except Exception:
        return None
    return (variable, result) if isinstance(result, Value) and result.requires_grad else None


def uses(variable: Value, result: Value, upstream: Any) -> list[Use]:
    """Every use of the variable in the graph of the result, and what it adds to the derivative."""
    nodes = [node for node in ancestors(result) if node.op is not None]
    depends = {variable}
    consumers: dict[Value, list[Value]] = {}
    for node in nodes:
        live = [value for value in node.inputs if value in depends]
        if live and node.requires_grad:
            depends.add(node)
            for value in dict.fromkeys(live):
                consumers.setdefault(value, []).append(node)
    found: list[Use] = []
    for node in nodes:
        for index, value in enumerate(node.inputs):
            if value is not variable or node not in depends or len(found) > 12:
                continue
            seed = reverse([result], [upstream], wrt=[node]).get(node)
            if seed is None:
                continue
            assert node.op is not None
            part = node.op.gradient(index, seed, node.data, [v.data for v in node.inputs], node.params)
            part = conform(np.asarray(part)[()], seed, variable, node)
            top, merge = node, ""
            if sum(v in depends for v in node.inputs) > 1:  # x * x
                top, merge = variable, node.op.name
            while not merge and len(consumers.get(top, ())) == 1:
                above = consumers[top][0]
                assert above.op is not None
                if sum(v in depends for v in above.inputs) > 1:
                    merge = above.op.name
                else:
                    top = above
            branch = f"`{in_code(top)}`" if top is not variable else f"operand {index + 1} of `{in_code(node)}`"
            found.append(Use(branch, merge, (node.notes or {}).get("source", ""), np.ravel(np.asarray(part, float))))
    return found


_RULES = {
    "multiply": "product rule?",
    "divide": "quotient rule?",
    "matmul": "product rule?",
    "power": "x**x needs both rules",
}


def from_graph(function: Callable[..., Any], samples: Sequence[Sample], name: str) -> str | None:
    """Which uses of the variable, or which links of a chain, the derivative lacks."""
    runs = []
    for sample in samples:
        run = recorded(function, sample.args, sample.argument, name)
        if run is None:
            return None
        variable, result = run
        upstream = np.ones(result.shape)[()] if sample.upstream is None else sample.upstream
        runs.append((variable, result, np.asarray(upstream, result.dtype)[()]))
    yours = np.concatenate([sample.yours for sample in samples])
    numeric = np.concatenate([sample.numeric for sample in samples])
    bound = np.concatenate([sample.bound for sample in samples])
    if not np.all(np.isfinite(yours)):
        return None
    try:
        file = getattr(getattr(function, "__code__", None), "co_filename", "no file")
        file = "no file" if file.startswith((_HERE, "<")) else file
        return _missing_use(samples, runs, yours, numeric, bound, file) or _missing_link(samples, runs, yours, bound)
    except Exception:  # a hint is never worth an error
        return None


def _missing_use(samples: Any, runs: Any, yours: Array, numeric: Array, bound: Array, file: str) -> str | None:
    split = [uses(*run) for run in runs]
    count = len(split[0])
    if not 2 <= count <= 12 or any(len(other) != count for other in split):
        return None
    parts = np.array([
        np.concatenate([u[k].part[s.looked] for u, s in zip(split, samples, strict=True)]) for k in range(count)
    ])  # fmt: skip
    total = parts.sum(axis=0)
    if not close(total, numeric, bound):
        return None  # then it is not for the engine to say
    for size in range(1, min(count, 4)):
        for chosen in combinations(range(count), size):
            part = parts[list(chosen)].sum(axis=0)
            if not np.any(np.abs(part) > 10 * bound):
                continue
            where = " and ".join(dict.fromkeys(split[0][k].branch for k in chosen))
            source = split[0][chosen[0]].source if split[0][chosen[0]].source.startswith(file) else ""
            line = f" ({_place(source)})" if source and size == 1 and _place(source) else ""
            rule = _RULES.get(split[0][chosen[0]].merge, "every use of the variable adds its part")
            if close(yours, total - part, bound):
                return f"your derivative lacks the term through {where}: {rule}{line}"
            if close(yours, total - 2 * part, bound):
                return f"the term through {where} has the wrong sign{line}"
            if close(yours, total + part, bound):
                return f"the term through {where} is counted twice{line}"
    for one, other in permutations(range(count), 2):
        if np.any(np.abs(parts[one] - parts[other]) > 10 * bound) and close(
            yours, total - parts[one] + parts[other], bound
        ):
            lost, twice = split[0][one].branch, split[0][other].branch
            return f"your derivative takes the term through {twice} for that through {lost} as well (symmetric?)"
    return None


def _place(source: str) -> str:
    """``file:12: code`` without the folders."""
    head, _, code = source.partition(": ")
    return f"{head.replace(chr(92), '/').rpartition('/')[2]}: {code}" if code and "lambda" not in code else ""


def _missing_link(samples: Any, runs: Any, yours: Array, bound: Array) -> str | None:
    """For y = h(v(x)), entry by entry: dy/dv or dv/dx alone, or h' taken at x."""
    chains = [list(_chain(variable, result)) for variable, result, _ in runs]
    if not chains[0] or any(len(chain) != len(chains[0]) for chain in chains):
        return None

    def gathered(numbers: Sequence[Array]) -> Array:
        whole = [np.ravel(np.broadcast_to(a, run[0].shape)) for a, run in zip(numbers, runs, strict=True)]
        return np.concatenate([a[sample.looked] for a, sample in zip(whole, samples, strict=True)])

    for k in range(len(chains[0])):
        inner = chains[0][k][0]
        if any(chain[k][0].shape not in ((), run[0].shape) for chain, run in zip(chains, runs, strict=True)):
            continue
        outer, within, at_x = [], [], []
        for chain, (variable, result, upstream) in zip(chains, runs, strict=True):
            node, above, index = chain[k]
            outer.append(reverse([result], [upstream], wrt=[node]).get(node, 0.0))
            within.append(reverse([node], [np.ones(node.shape)[()]], wrt=[variable]).get(variable, 0.0))
            swapped = [variable.data if i == index else v.data for i, v in enumerate(above.inputs)]
            with np.errstate(all="ignore"):
                assert above.op is not None
                there = above.op.function(*swapped, **(above.params or {}))
                at_x.append(np.asarray(above.op.gradient(index, 1.0, there, swapped, above.params)) * within[-1])
        code, name = in_code(inner), in_code(runs[0][0])
        if close(yours, gathered(outer), bound):
            return f"your derivative lacks the factor of the inner derivative, that of `{code}`: chain rule?"
        if close(yours, gathered(within), bound):
            return f"yours is the derivative of the inner `{code}` alone; that of the outer function is missing"
        if k == 0 and close(yours, gathered(at_x), bound):
            last = chains[0][k][1].op
            assert last is not None
            return f"the derivative of {last.name} was taken at {name} where it belongs at `{code}`"
    return None


def _chain(variable: Value, result: Value) -> Iterator[tuple[Value, Value, int]]:
    """From the result down, as long as a single operand depends on the variable: (operand, operation, its index)."""
    depends = {variable}
    for node in ancestors(result):
        if node.op is not None and any(value in depends for value in node.inputs):
            depends.add(node)
    node = result
    while node is not variable and node.op is not None:
        live = [(value, index) for index, value in enumerate(node.inputs) if value in depends]
        if len(live) != 1 or live[0][0] is variable:
            return
        yield live[0][0], node, live[0][1]
        node = live[0][0]


def _weighted(node: Value, seed: Any, index: int) -> Callable[..., Any]:
    """A weighted sum of an operation's result, of which one input changes: its real part, if that is complex."""
    function, params = node.op.function, node.params or {}  # type: ignore[union-attr]

    def weighted(*inputs: Any) -> Any:
        total = np.sum(seed * function(*inputs, **params))
        if node.dtype.kind != "c":
            return total
        if node.inputs[index].dtype.kind != "c" and np.iscomplexobj(inputs[index]):
            raise TypeError("complex already: no complex step")
        return np.real(total)

    return weighted


def first_wrong_operation(result: Value, rng: np.random.Generator) -> str | None:
    """The first operation, in the order of computation, whose rule is wrong at the inputs it was recorded with."""
    for node in topological([result]):
        op = node.op
        assert op is not None
        arrays = [value.data for value in node.inputs]
        seed = draw(node, rng, signs=False)
        for index, value in enumerate(node.inputs):
            if not value.requires_grad or value.size == 0 or node.size == 0:
                continue
            try:
                point = point_at(_weighted(node, seed, index), arrays, [index])
                direction = point.unit * rng.uniform(0.5, 1.5, len(point.x))
                slope = point.slope(direction)
                share = op.gradient(index, seed, node.data, arrays, node.params)
                share = wide(conform(np.asarray(share)[()], seed, value, node))
                parts = (share * tangents(direction, arrays, [index])[0]).real
                yours, wanted = float(np.sum(parts)), float(slope.value[0])
                size = float(np.sum(np.abs(parts)))
            except Exception as error:
                return f"the rule of {op.name} for its input {index} raises {type(error).__name__}: {error}"
            if slope.kink[0] or slope.jump[0] or not np.isfinite(slope.bound[0]):
                continue
            if not abs(yours - wanted) <= 1e-6 * max(abs(wanted), 1e-3 * size) + 4 * float(slope.bound[0]):
                source = (node.notes or {}).get("source", "")
                line = f", recorded at {_place(source) or source}" if source else ""
                ratio = f" (yours / numeric = {yours / wanted:.6g})" if wanted else ""
                return f"first wrong rule: that of {op.name} for its input {index}, `{in_code(node)}`{ratio}{line}"
    return None
