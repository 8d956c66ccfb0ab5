"""How numbers, arrays, keywords and names stand in the text of a view: short, on one line, without surprises."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from .value import Value

_FEW = 4
"""Arrays of up to so many elements are written out."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


class Text(str):
    """Lines to read: shown as they are, also where a notebook or a prompt shows the last result."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def fitted(rows: Sequence[Sequence[str] | str], width: int, right: str = "") -> list[str]:
    """Rows as lines of at most `width` characters: columns aligned, the widest ones cut.

    A row that is a string is a line of its own. `right` has an ``r`` for each column that is aligned to the right,
    anything else for the others.

    Examples
    --------
    >>> fitted([["x", "a long remark"], ["yy", "short"]], 12)
    ['x   a long …', 'yy  short']
    """
    cells_only = [row for row in rows if not isinstance(row, str)]
    widths = [max(map(len, column)) for column in zip(*cells_only, strict=True)]
    gaps = 2 * (sum(width > 0 for width in widths) - 1)
    while sum(widths) + gaps > width and max(widths) > 6:
        widths[widths.index(max(widths))] -= 1
    lines = []
    for row in rows:
        if isinstance(row, str):
            lines.append(row)
            continue
        cells = []
        for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
            if width:
                cut = cell if len(cell) <= width else cell[: width - 1] + "…"
                cells.append(cut.rjust(width) if right[i : i + 1] == "r" else cut.ljust(width))
        lines.append("  ".join(cells).rstrip())
    return lines


def number(x: Any) -> str:
    """A number to four significant digits, whole numbers below a million to all of theirs.

    Examples
    --------
    >>> [number(x) for x in (2.0, -0.27634, 1e-7, 123456.0, float("nan"), True)]
    ['2', '-0.2763', '1e-07', '123456', 'nan', 'True']
    """
    if isinstance(x, bool | np.bool_) or x is None:
        return str(x)
    if isinstance(x, complex | np.complexfloating):
        imaginary = number(x.imag)
        return f"{number(x.real)}{'' if imaginary.startswith('-') else '+'}{imaginary}j"
    if abs(x) < 1e6 and x == int(x):
        return str(int(x)) if x or not np.signbit(x) else "-0"
    return f"{x:.0f}" if 1e4 <= abs(x) < 1e6 else f"{x:.4g}"


def array(x: Any) -> str:
    """A number, a few elements, or the shape and the norm of more.

    Examples
    --------
    >>> array(np.array([1.0, 0.25])), array(np.ones((4, 4)))
    ('[1, 0.25]', '(4, 4) ‖4‖')
    """
    x = np.asarray(x)
    if not x.ndim:
        return number(x[()])
    if x.size <= _FEW:
        return _elements(x)
    return f"{shape(x.shape)} ‖{number(norm(x))}‖"


def short(x: Any) -> str:
    """A number, a few elements if they are short, else only the norm.

    Examples
    --------
    >>> short(np.array([1.0, 0.25])), short(np.ones((4, 4)))
    ('[1, 0.25]', '‖4‖')
    """
    x = np.asarray(x)
    if x.size <= _FEW and len(written := array(x)) <= 16:
        return written
    return f"‖{number(norm(x))}‖"


def norm(x: Any) -> float:
    """The Euclidean norm of all elements."""
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.sum(np.square(np.abs(np.asarray(x)), dtype=np.float64))))


def _elements(x: Any) -> str:
    return number(x[()]) if not x.ndim else f"[{', '.join(map(_elements, x))}]"


def shape(lengths: Iterable[int]) -> str:
    """A shape as NumPy writes it."""
    return str(tuple(lengths))


def count(n: int, noun: str) -> str:
    """``1 step``, ``1,200 steps``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def keywords(params: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The keywords of an operation, such as ``axis=0``; an index as it stands in brackets."""
    if not params:
        return ()
    return tuple(
        f"[{', '.join(map(_brief, content)) if isinstance(content, tuple) and content else _brief(content)}]"
        if name == "index"
        else f"{name}={_brief(content)}"
        for name, content in params.items()
        if name != "saved"
    )


def _brief(content: Any) -> str:
    if isinstance(content, tuple):
        return (
            f"({', '.join(map(_brief, content[:_FEW]))}{',' if len(content) == 1 else ''}{', …' * (len(content) > 4)})"
        )
    if isinstance(content, slice):
        parts = [content.start, content.stop, *([] if content.step is None else [content.step])]
        return ":".join("" if part is None else str(part) for part in parts)
    if isinstance(content, np.ndarray):
        return _elements(content) if content.size <= _FEW else f"{content.dtype}{list(content.shape)}"
    if content is Ellipsis:
        return "..."
    return visible(getattr(content, "__name__", None) or str(content))


def visible(text: str, length: int = 40) -> str:
    """`text` on one line, cut to a length, with everything that does not print or turns text around spelled out."""
    if len(text) > length:
        text = text[: length - 1] + "…"
    return "".join([_picture(c) if unicodedata.category(c) in _UNSEEN else c for c in text])


def _picture(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 32 else f"⟨U+{code:04X}⟩"


def _told(name: str) -> bool:
    """Whether a name is one that somebody gave: IPython keeps what cells said and what came out, under others."""
    return name.isidentifier() and not name.startswith("_") and name not in ("In", "Out")


def variables(names: Mapping[str, Any]) -> dict[int, str]:
    """What code calls its Values: the name of each by its `id`, such as ``w``, ``ws[0]`` or ``neuron.w[2]``.

    `names` are the variables of a frame. Lists, tuples, dicts and objects are looked into, the outermost first, so
    that the shortest name counts; up to `_SEEN` things are looked at.

    Examples
    --------
    >>> x, y = Value(1.0), Value(2.0)
    >>> list(variables({"x": x, "ws": [y, x]}).values())
    ['x', 'ws[0]']
    """
    found: dict[int, str] = {}
    seen: set[int] = set()
    queue = [(name, content) for name, content in names.items() if _told(name)]
    for name, content in queue:  # which grows on the way
        if isinstance(content, Value):
            found.setdefault(id(content), name)
            continue
        room = _SEEN - len(queue)
        if isinstance(content, _PLAIN) or id(content) in seen or room <= 0:
            continue
        seen.add(id(content))
        if isinstance(content, list | tuple):
            queue += [(f"{name}[{i}]", item) for i, item in enumerate(content[:room])]
        elif isinstance(content, dict):
            keys = [key for key in islice(content, room) if isinstance(key, str | int)]
            queue += [(f"{name}[{key!r}]", content[key]) for key in keys]
        elif type(getattr(content, "__dict__", None)) is dict:
            inside = islice(vars(content).items(), room)
            queue += [(f"{name}.{attribute}", item) for attribute, item in inside if _told(attribute)]
    return found


_SEEN = 2000
_PLAIN = (str, bytes, int, float, complex, np.ndarray, np.generic, type, ModuleType, FunctionType, type(None))


def known(frame: FrameType, nodes: Sequence[Value]) -> dict[int, str]:
    """What the code of a frame calls the Values of a graph: the name of each by its `id`.

    Plain arrays, which an operation takes as constants of its own, are known by their numbers.
    """
    scope = {**frame.f_globals, **frame.f_locals}
    found = variables(frame.f_globals)
    if frame.f_locals is not frame.f_globals:
        found |= variables(frame.f_locals)
    arrays = {name: content for name, content in scope.items() if type(content) is np.ndarray and _told(name)}
    left = 10**7  # numbers that may be compared
    for node in nodes if arrays else ():
        data = node._array
        if node.op is None and not node._tracked and type(data) is np.ndarray and data.size > 1:
            for name, content in arrays.items():
                if content.shape == data.shape and content.dtype == data.dtype and data.size <= left:
                    left -= data.size
                    if np.array_equal(content, data):
                        found.setdefault(id(node), name)
                        break
    return found


def names(nodes: Sequence[Value], variables: Mapping[int, str]) -> list[str]:
    """A name for each node of a graph, no two alike: its label, its variable, or ``v1``, ``v2``, ... in their order,
    and ``y`` for the last one.

    Constants that are a number are called what they are, as often as they come.
    """
    labels = [visible(node.label or variables.get(id(node), "")) for node in nodes]
    taken = set(labels)
    several = {label for label, times in Counter(labels).items() if times > 1}
    counts: dict[str, int] = {}
    found = []
    if not labels[-1] and nodes[-1].op is not None and "y" not in taken:
        labels[-1] = "y"  # what all this is the computation of
    for node, label in zip(nodes, labels, strict=True):
        if not label and node.op is None and not node._tracked and not node.shape:
            found.append(number(node._array))  # a constant is called what it is, as often as it comes
            continue
        name = label
        if not label or label in several:
            stem = f"{label} #" if label else "v" if node.op is not None else "c" if not node._tracked else "x"
            while True:
                counts[stem] = counts.get(stem, 0) + 1
                name = f"{stem}{counts[stem]}"
                if name not in taken:
                    break
            taken.add(name)
        found.append(name)
    return found
