r"""Formulas: read from the table of rules or from a graph, written as text, LaTeX or MathML.

    formula(np.tanh(x * w + b))         # tanh(x * w + b)
    formula(x.grad)                     # (1 - tanh(x * w + b)**2) * w, after backward(create_graph=True)

Both sources become the same small tree, an `Expression`, which knows where parentheses are needed. Two
notations: Python's, for what a graph computes, so that it can be pasted; and that of a blackboard, for LaTeX,
MathML and the local derivatives, which the table of rules writes so: ``"1 - tanh(x)²"``.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

import numpy as np

from . import text
from .errors import DataError
from .graph import ancestors
from .value import Value

__all__ = ["Expression", "Formula", "formula", "local_derivative"]

SUM, PRODUCT, NEGATIVE, POWER, ATOM = range(5)
"""How tightly an expression holds together: what stands inside one that is tighter takes parentheses."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula as a tree.

    Attributes
    ----------
    kind : str
        ``name``, ``number``, ``call``, ``index``, ``root``, ``floor``, ``absolute``, ``add``, ``subtract``,
        ``negative``, ``product``, ``divide``, ``matmul``, ``power``, ``transpose``, ``total``, ``operator``,
        ``partial``, ``given`` (words, and what `g` in them is) or ``words``.
    head : str
        What is written: a name, a number, the name of a function, an operator.
    parts : tuple of Expression
    size : int
        How many names and numbers it holds.
    """

    kind: str
    head: str = ""
    parts: tuple[Expression, ...] = ()
    size: int = 1

    @property
    def level(self) -> int:
        """How tightly it holds together."""
        if self.kind == "number" and self.head.startswith("-"):
            return NEGATIVE
        if self.kind == "number" and self.head.endswith("j"):
            return SUM
        return _LEVELS.get(self.kind, ATOM)

    def substitute(self, replaced: Mapping[str, Expression]) -> Expression:
        """The same with other expressions in the place of names."""
        if self.kind == "name":
            return replaced.get(self.head, self)
        if self.kind == "words":
            pattern = r"(?<![\w.])(" + "|".join(map(re.escape, replaced)) + r")(?![\w.])"
            return Expression("words", re.sub(pattern, lambda m: replaced[m[0]].blackboard(), self.head))
        return make(self.kind, self.head, *[part.substitute(replaced) for part in self.parts])

    def python(self) -> str:
        """In Python's notation."""
        return _Python().write(self)

    def blackboard(self) -> str:
        """In the notation of the table: ``1 - tanh(x)²``."""
        return _Blackboard().write(self)

    def latex(self) -> str:
        """In LaTeX, for math mode."""
        return _Latex().write(self)

    def mathml(self) -> str:
        """As elements of MathML."""
        return _MathML().write(self)

    __str__ = blackboard


_LEVELS = {
    "add": SUM, "subtract": SUM, "negative": NEGATIVE, "product": PRODUCT, "divide": PRODUCT, "matmul": PRODUCT,
    "operator": PRODUCT, "power": POWER, "transpose": POWER, "total": POWER, "words": SUM,
}  # fmt: skip


def name(head: str) -> Expression:
    """A variable."""
    return Expression("name", head)


def number(x: Any) -> Expression:
    """A number, to four significant digits."""
    return Expression("number", text.number(x))


def partial(of: Expression, by: Expression) -> Expression:
    """The derivative ∂of / ∂by, unevaluated."""
    return Expression("partial", "", (of, by))


ONE, ZERO, MINUS_ONE = (Expression("number", digit) for digit in ("1", "0", "-1"))


def plain(kind: str, head: str, *parts: Expression) -> Expression:
    """An expression as it is."""
    return Expression(kind, head, parts, sum(part.size for part in parts) or 1)


def make(kind: str, head: str, *parts: Expression) -> Expression:
    """An expression, with what need not be written left out: times 1, plus 0, to the power 1, minus minus."""
    if kind == "product":
        a, b = parts
        if a == ONE:
            return b
        if b == ONE:
            return a
        if a == MINUS_ONE:
            return make("negative", "", b)
        if b == MINUS_ONE:
            return make("negative", "", a)
        if b.kind == "number" and a.kind != "number":
            return make(kind, head, b, a)
        if a == b and a.kind != "number":
            return make("power", "", a, Expression("number", "2"))
        if a.kind == "negative" and b.level != NEGATIVE:
            return make("negative", "", make("product", head, a.parts[0], b))
        if b.kind == "negative" and a.level != NEGATIVE:
            return make("negative", "", make("product", head, a, b.parts[0]))
    elif kind == "add":
        a, b = parts
        if a == ZERO:
            return b
        if b == ZERO:
            return a
        if b.kind == "negative":
            return make("subtract", "", a, b.parts[0])
    elif kind == "subtract":
        a, b = parts
        if b == ZERO:
            return a
        if a == ZERO:
            return make("negative", "", b)
        if b.kind == "negative":
            return make("add", "", a, b.parts[0])
    elif kind == "divide" and parts[1] == ONE:
        return parts[0]
    elif kind == "divide" and parts[0].kind == "negative":
        return make("negative", "", make("divide", "", parts[0].parts[0], parts[1]))
    elif kind == "negative":
        inner = parts[0]
        if inner.kind == "negative":
            return inner.parts[0]
        if inner.kind == "number":
            return Expression("number", inner.head[1:] if inner.head.startswith("-") else f"-{inner.head}")
    elif kind == "power":
        base, exponent = parts
        if exponent.kind == "subtract" and all(re.fullmatch(r"-?[\d.]+", part.head) for part in exponent.parts):
            high, low = (float(part.head) for part in exponent.parts)
            return make(kind, head, base, number(high - low))
        if exponent == ONE:
            return base
        if exponent == ZERO:
            return ONE
    return plain(kind, head, *parts)


# -------------------------------------------------------------------- reading the table's formulas

_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈᵉᵏᵐⁿᵖᵗˣʸᶻ", "0123456789+-abcdekmnptxyz", strict=True))
_LIFTED = {plain: raised for raised, plain in _RAISED.items()}
_TOKEN = re.compile(rf"\s*(?:([{''.join(_RAISED)}]+|ᵀ)|([0-9]+(?:\.[0-9]+)?|½)|([^\W\d]\w*)|(.))")
_EXPONENT, _NUMBER, _NAME = 1, 2, 3
_TOTAL = "Σ"


class _UnreadableError(Exception):
    """A formula in words."""


class _Reader:
    """A recursive descent through a formula of the table."""

    def __init__(self, formula: str):
        # A superscript T or x would count as a letter of the name before it.
        spaced = re.sub(rf"([{''.join(_RAISED)}]+|ᵀ)", r" \1", formula)
        self.tokens = [(m.lastindex or 0, m[m.lastindex or 0]) for m in _TOKEN.finditer(spaced)]
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise _UnreadableError
        self.place += 1
        return token

    def whole(self) -> Expression:
        found = self.sum()
        if self.peek():
            raise _UnreadableError
        return found

    def sum(self) -> Expression:
        found = self.product()
        while self.peek() in ("+", "-"):
            kind = "add" if self.take() == "+" else "subtract"
            found = Expression(kind, "", (found, (right := self.product())), found.size + right.size)
        return found

    def product(self) -> Expression:
        if self.peek() == "-":
            self.take()
            inner = self.product()
            return Expression("negative", "", (inner,), inner.size)
        found = self.factor()
        while True:
            token = self.peek()
            if token in ("·", "×", "/", "@"):
                self.take()
                kind = {"/": "divide", "@": "matmul"}.get(token, "product")
            elif token and (token[0].isalnum() or token in "(√∛⌊½"):
                kind = "product"
            else:
                return found
            right = self.factor()
            if token == right.head and found.kind == right.kind == "name" and min(len(found.head), len(token)) > 1:
                raise _UnreadableError  # two words side by side
            found = Expression(kind, "", (found, right), found.size + right.size)

    def factor(self) -> Expression:
        found = self.primary()
        while self.place < len(self.tokens) and self.tokens[self.place][0] == _EXPONENT:
            raised = self.take()
            if raised == "ᵀ":
                found = Expression("transpose", "", (found,), found.size)
            else:
                exponent = _Reader("".join(_RAISED[c] for c in raised)).whole()
                found = Expression("power", "", (found, exponent), found.size + exponent.size)
        return found

    def primary(self) -> Expression:
        if self.place >= len(self.tokens):
            raise _UnreadableError
        group = self.tokens[self.place][0]
        token = self.take()
        if group == _NUMBER:
            return Expression("number", token)
        if token in "√∛":
            return Expression("root", token, (inner := self.primary(),), inner.size)
        if token == "(":
            inner = self.sum()
            self.take(")")
            return inner
        if token == "⌊":
            inner = self.sum()
            self.take("⌋")
            return Expression("floor", "", (inner,), inner.size)
        if token == "|":
            inner = self.sum()
            self.take("|")
            return Expression("absolute", "", (inner,), inner.size)
        if group != _NAME or token in _WORDS:
            raise _UnreadableError
        if token[0] == _TOTAL and (len(token) > 1 or (self.peek() and self.peek()[0].isalpha())):
            inner = name(token[1:]) if len(token) > 1 else self.product()
            return Expression("total", "", (inner,), inner.size)
        if self.peek() == "(" and (len(token) > 1 or token == "σ"):  # x (1 - x) is a product, log(x) a call
            self.take("(")
            inner = self.sum()
            self.take(")")
            return Expression("call", token, (inner,), inner.size)
        return name(token)


_WORDS = frozenset(("where", "the", "of", "at", "times", "is", "in", "and", "with", "from"))


@cache
def read(formula: str) -> Expression:
    """A formula of the table as an expression; as words, if it is in words.

    Examples
    --------
    >>> read("1 - tanh(x)²").substitute({"x": name("s")}).blackboard()
    '1 - tanh(s)²'
    >>> read("b aᵇ⁻¹").substitute({"a": name("w"), "b": number(2)}).blackboard()
    '2 w'
    """
    try:
        return _Reader(formula).whole()
    except (_UnreadableError, RecursionError):
        return Expression("words", formula)


def local_derivative(formula: str, operands: Sequence[str], inputs: Sequence[Expression]) -> Expression:
    """A formula of the table, of the inputs it is applied to."""
    return read(formula).substitute(dict(zip(operands, inputs, strict=False)))


# -------------------------------------------------------------------- writing


class _Writer:
    """One notation: a method for each kind of expression."""

    def write(self, e: Expression) -> str:
        written: str = getattr(self, e.kind)(e)
        return written

    def inside(self, e: Expression, level: int) -> str:
        written = self.write(e)
        return self.parenthesised(written) if e.level < level else written

    def parenthesised(self, written: str) -> str:
        return f"({written})"

    def name(self, e: Expression) -> str:
        return e.head

    def number(self, e: Expression) -> str:
        return e.head

    def words(self, e: Expression) -> str:
        return e.head

    def call(self, e: Expression) -> str:
        return f"{e.head}({', '.join(map(self.write, e.parts))})"

    def index(self, e: Expression) -> str:
        return f"{self.inside(e.parts[0], ATOM)}{e.head}"

    def partial(self, e: Expression) -> str:
        return f"∂{self.inside(e.parts[0], ATOM)}/∂{self.inside(e.parts[1], ATOM)}"

    def given(self, e: Expression) -> str:
        return f"({self.write(e.parts[0])}, g = {self.write(e.parts[1])})"

    def infix(self, e: Expression, symbol: str, level: int) -> str:
        return f"{self.inside(e.parts[0], level)}{symbol}{self.right(e, level)}"

    def right(self, e: Expression, level: int) -> str:
        """The second operand, in parentheses where it would be taken apart, or begins with a sign."""
        b = e.parts[1]
        associative = e.kind == "add" or (e.kind == "product" and b.kind == "product")
        written = self.write(b)
        return self.parenthesised(written) if b.level < level + (not associative) or b.level == NEGATIVE else written

    def add(self, e: Expression) -> str:
        return self.infix(e, " + ", SUM)

    def subtract(self, e: Expression) -> str:
        return self.infix(e, " - ", SUM)

    def divide(self, e: Expression) -> str:
        return self.infix(e, " / ", PRODUCT)

    def matmul(self, e: Expression) -> str:
        return self.infix(e, " @ ", PRODUCT)

    def operator(self, e: Expression) -> str:
        return self.infix(e, f" {e.head} ", PRODUCT)

    def negative(self, e: Expression) -> str:
        inner = e.parts[0]
        return f"-{self.inside(inner, ATOM if inner.kind == 'operator' else PRODUCT)}"


class _Python(_Writer):
    def product(self, e: Expression) -> str:
        return self.infix(e, " * ", PRODUCT)

    def power(self, e: Expression) -> str:
        base, exponent = e.parts
        return f"{self.inside(base, ATOM)}**{self.inside(exponent, ATOM if exponent.kind == 'power' else NEGATIVE)}"

    def transpose(self, e: Expression) -> str:
        return f"{self.inside(e.parts[0], ATOM)}.T"

    def root(self, e: Expression) -> str:
        return f"{'sqrt' if e.head == '√' else 'cbrt'}({self.write(e.parts[0])})"

    def floor(self, e: Expression) -> str:
        return f"floor({self.write(e.parts[0])})"

    def absolute(self, e: Expression) -> str:
        return f"abs({self.write(e.parts[0])})"

    def total(self, e: Expression) -> str:
        return f"sum({self.write(e.parts[0])})"


class _Blackboard(_Writer):
    def product(self, e: Expression) -> str:
        left, right = self.inside(e.parts[0], PRODUCT), self.right(e, PRODUCT)
        left_kind = e.parts[0].kind
        close = left_kind == "number" and not right[0].isdigit()  # 2 x, but x · y and 2 · 3
        close = close or (right[0] in "(√∛Σ" and left_kind not in ("partial", "number"))
        return f"{left}{' ' if close else ' · '}{right}"

    def power(self, e: Expression) -> str:
        base, exponent = e.parts
        below, above = self.inside(base, ATOM), self.write(exponent)
        tight = above.replace(" ", "")
        if all(c in _LIFTED for c in tight):
            return below + "".join(_LIFTED[c] for c in tight)
        return f"{below}^{self.inside(exponent, POWER)}"

    def transpose(self, e: Expression) -> str:
        return f"{self.inside(e.parts[0], ATOM)}ᵀ"

    def root(self, e: Expression) -> str:
        return f"{e.head}{self.inside(e.parts[0], POWER)}"

    def floor(self, e: Expression) -> str:
        return f"⌊{self.write(e.parts[0])}⌋"

    def absolute(self, e: Expression) -> str:
        return f"|{self.write(e.parts[0])}|"

    def total(self, e: Expression) -> str:
        return f"Σ {self.inside(e.parts[0], PRODUCT)}"


_GREEK = {
    letter: unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda")
    for letter in "αβγδεζηθικλμνξπρστυφχψω"
}
_GREEK |= {letter: _GREEK[letter.lower()].title() for letter in "ΓΔΘΛΞΠΣΦΨΩ"}
_GREEK_NAMES = frozenset(_GREEK.values())
_FUNCTIONS = frozenset(
    ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "exp", "log", "max", "min")
)
_SPECIAL = {c: f"\\{c}" for c in "{}$&#_%"} | {"\\": "\\backslash ", "^": "\\wedge ", "~": "\\sim ", "<": "‹", ">": "›"}
_PARTS = re.compile(r"([^\W\d_]+)_?(\d+)?")


_RELATIONS = {"<": "\\lt ", ">": "\\gt ", "≤": "\\le ", "≥": "\\ge "}


def _latex_text(words: str) -> str:
    """Words as they stand in ``\text{...}``: nothing in them is a command, and nothing is HTML."""
    safe = {**_SPECIAL, "\\": "/", "^": "'", "~": "-", "$": "S"}  # commands for these do not exist in text everywhere
    return "".join(safe.get(c, c) for c in words)


class _Latex(_Writer):
    def right(self, e: Expression, level: int) -> str:
        return self.write(e.parts[1]) if e.parts[1].kind == "divide" else super().right(e, level)  # a fraction

    def parenthesised(self, written: str) -> str:
        return f"\\left({written}\\right)"

    def name(self, e: Expression) -> str:
        parts = _PARTS.fullmatch(e.head)
        if parts is None or len(e.head) > 20:
            return f"\\text{{{_latex_text(e.head)}}}"
        stem, below = parts[1], parts[2]
        if len(stem) == 1:
            stem = f"\\{_GREEK[stem]}" if stem in _GREEK else stem
        else:
            stem = f"\\{stem}" if stem in _GREEK_NAMES else f"\\mathrm{{{stem}}}"
        return f"{stem}_{{{below}}}" if below else stem

    def number(self, e: Expression) -> str:
        if e.head == "½":
            return "\\tfrac{1}{2}"
        if e.head in ("inf", "-inf"):
            return e.head.replace("inf", "\\infty")
        mantissa, _, exponent = e.head.partition("e")
        if exponent and exponent.lstrip("+-").isdigit():
            return f"{mantissa} \\cdot 10^{{{int(exponent)}}}"
        return e.head if re.fullmatch(r"-?[\d.]+", e.head) else f"\\mathrm{{{_latex_text(e.head)}}}"

    def words(self, e: Expression) -> str:
        parts = re.split("([<>≤≥])", e.head)
        return "".join(_RELATIONS.get(part) or f"\\text{{{_latex_text(part)}}}" for part in parts if part)

    def call(self, e: Expression) -> str:
        if e.head == "exp" and len(e.parts) == 1:
            return f"e^{{{self.write(e.parts[0])}}}"
        written = ", ".join(map(self.write, e.parts))
        if e.head in ("σ", "sigmoid"):
            head = "\\sigma"
        else:
            head = f"\\{e.head}" if e.head in _FUNCTIONS else f"\\operatorname{{{_latex_text(e.head)}}}"
        return f"{head}\\left({written}\\right)"

    def index(self, e: Expression) -> str:
        return f"{self.inside(e.parts[0], ATOM)}_{{\\text{{{_latex_text(e.head)}}}}}"

    def product(self, e: Expression) -> str:
        a, b = e.parts
        left, right = self.inside(a, PRODUCT), self.right(e, PRODUCT)
        close = a.kind == "number" and b.kind != "number" and not right[0].isdigit()
        return left + (" " if close else " \\cdot ") + right

    def divide(self, e: Expression) -> str:
        return f"\\frac{{{self.write(e.parts[0])}}}{{{self.write(e.parts[1])}}}"

    def partial(self, e: Expression) -> str:
        return f"\\frac{{\\partial {self.write(e.parts[0])}}}{{\\partial {self.write(e.parts[1])}}}"

    def given(self, e: Expression) -> str:
        return f"\\left({self.write(e.parts[0])},\\; g = {self.write(e.parts[1])}\\right)"

    def matmul(self, e: Expression) -> str:
        return self.infix(e, " \\, ", PRODUCT)

    def operator(self, e: Expression) -> str:
        return self.infix(e, f" \\mathbin{{\\text{{{_latex_text(e.head)}}}}} ", PRODUCT)

    def power(self, e: Expression) -> str:
        base, exponent = e.parts
        above = self.write(exponent)
        if base.kind == "call" and base.head in _FUNCTIONS - {"exp"} and exponent.kind == "number":  # tanh²(x)
            return f"\\{base.head}^{{{above}}}\\left({self.write(base.parts[0])}\\right)"
        tall = base.kind in ("divide", "call", "index") and not (base.kind == "call" and base.head != "exp")
        below = self.parenthesised(self.write(base)) if base.level < ATOM or tall else self.write(base)
        return f"{{{below}}}^{{{above}}}"

    def transpose(self, e: Expression) -> str:
        return f"{{{self.inside(e.parts[0], ATOM)}}}^{{\\top}}"

    def root(self, e: Expression) -> str:
        return f"\\sqrt{'' if e.head == '√' else '[3]'}{{{self.write(e.parts[0])}}}"

    def floor(self, e: Expression) -> str:
        return f"\\left\\lfloor {self.write(e.parts[0])} \\right\\rfloor"

    def absolute(self, e: Expression) -> str:
        return f"\\left|{self.write(e.parts[0])}\\right|"

    def total(self, e: Expression) -> str:
        return f"\\sum {self.inside(e.parts[0], PRODUCT)}"


_TIMES, _OF = "\u2062", "\u2061"  # invisible, for those who hear the formula


class _MathML(_Writer):
    def parenthesised(self, written: str) -> str:
        return f"<mrow><mo>(</mo>{written}<mo>)</mo></mrow>"

    def name(self, e: Expression) -> str:
        parts = _PARTS.fullmatch(e.head)
        if parts is not None and parts[2]:
            return f"<msub><mi>{escape(parts[1])}</mi><mn>{parts[2]}</mn></msub>"
        return f"<mi>{escape(e.head)}</mi>"

    def number(self, e: Expression) -> str:
        if e.head.startswith("-"):
            return f"<mrow><mo>−</mo><mn>{escape(e.head[1:])}</mn></mrow>"
        return f"<mn>{escape(e.head)}</mn>"

    def words(self, e: Expression) -> str:
        return f"<mtext>{escape(e.head)}</mtext>"

    def call(self, e: Expression) -> str:
        inner = "<mo>,</mo>".join(map(self.write, e.parts))
        return f"<mrow><mi>{escape(e.head)}</mi><mo>{_OF}</mo><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def index(self, e: Expression) -> str:
        return f"<msub>{self.inside(e.parts[0], ATOM)}<mtext>{escape(e.head)}</mtext></msub>"

    def infix(self, e: Expression, symbol: str, level: int) -> str:
        sign = {"-": "−", "@": _TIMES}.get(symbol.strip(), symbol.strip())
        return f"<mrow>{super().infix(e, f'<mo>{escape(sign)}</mo>', level)}</mrow>"

    def right(self, e: Expression, level: int) -> str:
        return self.write(e.parts[1]) if e.parts[1].kind == "divide" else super().right(e, level)

    def product(self, e: Expression) -> str:
        close = e.parts[0].kind == "number" and e.parts[1].kind != "number"
        if not close:
            return self.infix(e, "·", PRODUCT)
        left, right = self.inside(e.parts[0], PRODUCT), self.right(e, PRODUCT)
        return f'<mrow>{left}<mo>{_TIMES}</mo><mspace width="0.12em"/>{right}</mrow>'

    def divide(self, e: Expression) -> str:
        return f"<mfrac>{self.write(e.parts[0])}{self.write(e.parts[1])}</mfrac>"

    def partial(self, e: Expression) -> str:
        above, below = (f"<mrow><mo>∂</mo>{self.write(part)}</mrow>" for part in e.parts)
        return f"<mfrac>{above}{below}</mfrac>"

    def given(self, e: Expression) -> str:
        words, upstream = map(self.write, e.parts)
        return self.parenthesised(f"{words}<mo>,</mo><mi>g</mi><mo>=</mo>{upstream}")

    def negative(self, e: Expression) -> str:
        return f"<mrow><mo>−</mo>{self.inside(e.parts[0], PRODUCT)}</mrow>"

    def power(self, e: Expression) -> str:
        return f"<msup>{self.inside(e.parts[0], ATOM)}{self.write(e.parts[1])}</msup>"

    def transpose(self, e: Expression) -> str:
        return f"<msup>{self.inside(e.parts[0], ATOM)}<mi>T</mi></msup>"

    def root(self, e: Expression) -> str:
        inner = self.write(e.parts[0])
        return f"<msqrt>{inner}</msqrt>" if e.head == "√" else f"<mroot>{inner}<mn>3</mn></mroot>"

    def floor(self, e: Expression) -> str:
        return f"<mrow><mo>⌊</mo>{self.write(e.parts[0])}<mo>⌋</mo></mrow>"

    def absolute(self, e: Expression) -> str:
        return f"<mrow><mo>|</mo>{self.write(e.parts[0])}<mo>|</mo></mrow>"

    def total(self, e: Expression) -> str:
        return f"<mrow><mo>Σ</mo>{self.inside(e.parts[0], PRODUCT)}</mrow>"


# -------------------------------------------------------------------- from a graph

_INFIX = {"+": "add", "-": "subtract", "*": "product", "/": "divide", "@": "matmul", "**": "power"}
_SAME = frozenset({"copy", "positive", "astype"})
"""What changes no number that a formula would show."""


def applied(
    operation: str,
    symbol: str | None,
    parameters: Sequence[str],
    inputs: Sequence[Expression],
    ndim: int = 0,
    literal: bool = False,
) -> Expression:
    """An operation, as an expression of its inputs; `literal`: with nothing left out."""
    build = plain if literal else make
    if operation in _SAME and inputs and not literal:
        return inputs[0]
    if symbol in _INFIX and len(inputs) == 2:
        return build(_INFIX[symbol], "", *inputs)
    if symbol == "-" and len(inputs) == 1:
        return build("negative", "", *inputs)
    if symbol and len(inputs) == 2:
        return build("operator", symbol, *inputs)
    if operation == "getitem":
        return build("index", "".join(parameters), *inputs)
    if operation == "square":
        return build("power", "", inputs[0], Expression("number", "2"))
    if operation == "reciprocal":
        return build("divide", "", ONE, inputs[0])
    if operation in ("sqrt", "cbrt"):
        return build("root", "√" if operation == "sqrt" else "∛", *inputs)
    if operation in ("absolute", "fabs"):
        return build("absolute", "", *inputs)
    if operation in ("transpose", "swapaxes") and ndim == 2 and (operation == "swapaxes" or not parameters):
        return build("transpose", "", *inputs)
    return plain("call", operation, *inputs, *(Expression("words", word, (), 0) for word in parameters))


class Formula(str):
    """A formula as text; Jupyter shows it as mathematics, without a kernel or a network too.

    Attributes
    ----------
    latex, mathml : str
        The same in LaTeX, for math mode, and as an element of MathML.
    """

    latex: str
    mathml: str

    def __new__(cls, written: str, latex: str, mathml: str) -> Formula:
        formula = super().__new__(cls, written)
        formula.latex = latex
        formula.mathml = f'<math xmlns="http://www.w3.org/1998/Math/MathML" displaystyle="true">{mathml}</math>'
        return formula

    def __repr__(self) -> str:
        return str(self) if "\n" in self else super().__repr__()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.mathml, "text/latex": f"$\\displaystyle {self.latex}$", "text/plain": str(self)}


Sides = Sequence[Sequence[Expression]]
"""What stands between the equals signs of a line: sums, each as the list of its terms."""


def derivation(lines: Sequence[Sides | str], latex: bool = False) -> Formula:
    """Lines of equations, aligned at the first sign; a string is a remark between them.

    As text they are in Python's notation, or in LaTeX.
    """
    aligned, mathml, python = [], [], []
    for line in lines:
        if isinstance(line, str):
            aligned.append(f"&\\vdots \\text{{ ({_latex_text(line)})}}")
            mathml.append(f"<mtr><mtd></mtd><mtd><mo>⋮</mo><mtext> ({escape(line)})</mtext></mtd></mtr>")
            python.append(f"... ({line})")
            continue
        left, *others = (" + ".join(term.latex() for term in side) for side in line)
        aligned.append(f"{left} &= {' = '.join(others)}")
        left, *others = ("<mo>+</mo>".join(term.mathml() for term in side) for side in line)
        others = [f"<mo>=</mo><mrow>{other}</mrow>" for other in others]
        mathml.append(
            f'<mtr><mtd style="text-align: right">{left}</mtd>'
            f'<mtd style="text-align: left">{"".join(others)}</mtd></mtr>'
        )
        python.append(" = ".join(" + ".join(term.python() for term in side) for side in line))
    joined = " \\\\[4pt]\n".join(aligned)
    tex = f"\\begin{{aligned}}\n{joined}\n\\end{{aligned}}"
    table = f'<mtable displaystyle="true" columnalign="right left">{"".join(mathml)}</mtable>'
    return Formula(tex if latex else "\n".join(python), tex, table)


SIZE = 60
"""So many names and numbers may stand in one expression before parts of it get names of their own."""
LINES = 60
"""So many named parts are written; of more, the first and the last ones."""


def formula(value: Value) -> Formula:
    r"""What a Value was computed by, as an expression: also a gradient that was made with ``create_graph=True``.

    Leaves stand under their labels, or the names of the caller's variables. What need not be written is not: times
    1, plus 0, casts. An expression that would get long has its parts named, those that are used more than once
    first, one line each.

    Parameters
    ----------
    value : Value

    Returns
    -------
    Formula
        A string in Python's notation, with the LaTeX in `latex`; Jupyter shows it as mathematics.

    Raises
    ------
    DataError
        A TypeError: if `value` is no Value.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Value, formula
    >>> x, w = Value(2.0), Value(-3.0)
    >>> y = np.tanh(x * w) ** 2
    >>> formula(y)
    'tanh(x * w)**2'
    >>> y.backward(create_graph=True)
    >>> formula(w.grad)
    '2 * tanh(x * w) * (1 - tanh(x * w)**2) * x'
    >>> w.zero_grad(), x.zero_grad()
    (None, None)
    """
    if not isinstance(value, Value):
        raise DataError(
            f"formula() takes a Value and got {value!r:.60}. For the formula of a gradient, compute it with "
            f"backward(create_graph=True)."
        )
    nodes = ancestors(value)
    names = text.names(nodes, text.known(sys._getframe(1), nodes))
    expressions: dict[Value, Expression] = {}
    uses: dict[Value, int] = {}
    for node in nodes:
        for source in node.inputs or ():
            uses[source] = uses.get(source, 0) + 1
    lines: list[tuple[Expression, Expression]] = []
    explodes = _full_size(nodes) > SIZE
    for node, called in zip(nodes, names, strict=True):
        if node.op is None or node.inputs is None:
            expressions[node] = _given(node, called)
            continue
        inputs = [expressions[source] for source in node.inputs]
        found = applied(node.op.name, node.op.symbol, text.keywords(node.params), inputs, node.ndim)
        if node is not value and explodes and (found.size > SIZE // 3 or (uses[node] > 1 and found.size > 1)):
            lines.append((name(called), found))
            found = name(called)
        expressions[node] = found
    last = expressions[value]
    if not lines:
        return Formula(last.python(), last.latex(), last.mathml())
    equations: list[Sides | str] = [[[left], [right]] for left, right in [*lines, (name(names[-1]), last)]]
    if len(equations) > LINES:
        equations[LINES // 2 : -LINES // 2] = [f"{len(equations) - LINES:,} more lines"]
    return derivation(equations)


def _given(node: Value, called: str) -> Expression:
    """What was not computed: a name, or the number itself."""
    if node.op is None and not node._tracked and node.label is None:
        data = node._array
        if data is None:
            return name("None")
        if not np.shape(data):
            return Expression("number", called)
        if np.size(data) <= 4:
            return name(text.array(data))
    return name(called)


def _full_size(nodes: Sequence[Value]) -> int:
    """How many names and numbers the last one's expression would hold if nothing in it was named."""
    sizes: dict[Value, int] = {}
    for node in nodes:
        sizes[node] = min(sum(sizes[source] for source in node.inputs or ()) or 1, SIZE + 1)
    return sizes[nodes[-1]]
