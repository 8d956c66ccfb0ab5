r"""Formulas as text: a small parser, for what people type on a command line or into a test.

    expression = parse("x**2 * exp(-x)")
    expression.names                      # ('x',): what it leaves open, in the order of appearance
    expression(x=1.0)                     # np.float64(0.367...)
    expression(x=np.linspace(0, 1, 5))    # an array
    expression(x=Value(1.0, label="x"))   # a Value: the graph of the expression, with x as its leaf
    expression.evaluate({"x": 1.0})       # the same, for names that are not Python's

The language is a whitelist: numbers (``2``, ``.5``, ``1e-3``), names, ``+ - * /``, ``**`` (which binds to the
right, and tighter than a minus before it, as in Python), parentheses, the constants ``pi`` and ``e``, and the
functions in `FUNCTIONS`. Nothing is ever handed to Python to run. Text becomes a list of steps for a stack
machine, so that neither reading nor evaluating recurses; its length, its depth and its exponents are limited.
A Value stays the object that was given, label and all; plain numbers become float64, and integers in the
text stay integers, so that a graph shows ``x**2``, not ``x**2.0``.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .errors import ExpressionError
from .rules.elementwise import relu, sigmoid

__all__ = ["CONSTANTS", "FUNCTIONS", "Expression", "parse"]

MAX_LENGTH = 2000
"""Characters of a text."""
MAX_DEPTH = 50
"""Parentheses, functions, signs and powers inside each other."""
MAX_EXPONENT = 1000
"""The largest exponent that may be written as a number."""

CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e}


class Function(NamedTuple):
    """A function of the language."""

    compute: Callable[..., Any]
    arguments: int = 1


FUNCTIONS: dict[str, Function] = {
    **{
        name: Function(getattr(np, name))
        for name in (
            "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
            "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "square", "abs", "sign", "sinc",
        )
    },
    **{f"a{name}": Function(getattr(np, f"arc{name}")) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "ln": Function(np.log),
    "relu": Function(relu),
    "sigmoid": Function(sigmoid),
    "max": Function(np.maximum, 2),
    "min": Function(np.minimum, 2),
    "maximum": Function(np.maximum, 2),
    "minimum": Function(np.minimum, 2),
    "arctan2": Function(np.arctan2, 2),
    "atan2": Function(np.arctan2, 2),
    "hypot": Function(np.hypot, 2),
    "logaddexp": Function(np.logaddexp, 2),
}  # fmt: skip
"""The functions that can be called, by name."""

_BINARY = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
_TOKEN = re.compile(r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|[-+*/(),])")
_INSTEAD = {
    "^": "a power is written `**`",
    "×": "a product is written `*`",
    "·": "a product is written `*`",
    "⋅": "a product is written `*`",
    "÷": "a quotient is written `/`",
    "−": "this is a typographic minus: write `-`",
    "–": "this is a dash: write `-`",
    "²": "a power is written `**2`",
    "³": "a power is written `**3`",
    "√": "a root is written `sqrt(...)`",
    "|": "an absolute value is written `abs(...)`",
    "[": "only round parentheses group: write `(`",
    "]": "only round parentheses group: write `)`",
    "{": "only round parentheses group: write `(`",
    "}": "only round parentheses group: write `)`",
    "=": "this is one expression, without `=`: write the right-hand side alone",
    "'": "a prime is no derivative here: write the expression out",
    "’": "a prime is no derivative here: write the expression out",
    "@": "matrix products are not part of this language",
    "%": "remainders are not part of this language",
    "!": "factorials are not part of this language",
    ".": "write functions without a module: `exp(x)`, not `np.exp(x)`",
    "<": "comparisons are not part of this language: max(x, 0) and the like say what they can",
    ">": "comparisons are not part of this language: max(x, 0) and the like say what they can",
}


class _Step(NamedTuple):
    """One step of the stack machine."""

    kind: str
    """``"number"``, ``"name"`` or ``"apply"``."""
    content: Any
    """The number, the name, or the function to apply."""
    operands: int
    """How many operands it takes from the stack."""
    position: int
    """Where in the text it stands, for messages."""


def _wrong(text: str, position: int, message: str) -> ExpressionError:
    return ExpressionError(f"{message}\n{_pointed(text, position)}")


def _pointed(text: str, position: int) -> str:
    """The text, or the part of it around `position`, with a caret below."""
    start, end = max(0, position - 40), min(len(text), position + 30)
    before, after = "..." * (start > 0), "..." * (end < len(text))
    shown = "".join(c if c.isprintable() else " " for c in text[start:end])
    return f"    {before}{shown}{after}\n    {' ' * (len(before) + position - start)}^"


def _similar(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6) or [k for k in known if k == name.lower()]
    return f" Did you mean `{close[0]}`?" if close else ""


class _Parser:
    """Reads a text once, from left to right; operators wait on a stack for what binds tighter (Dijkstra)."""

    def __init__(self, text: str, names: Sequence[str] | None):
        self.text, self.allowed = text, names
        self.steps: list[_Step] = []
        self.names: dict[str, None] = {}
        # What waits: (strength, what, position, arguments so far). Strength 0: an open parenthesis.
        self.waiting: list[tuple[int, Any, int, int]] = []
        self.called: str | None = None  # the function whose parenthesis comes next

    def wrong(self, position: int, message: str) -> ExpressionError:
        return _wrong(self.text, position, message)

    def tokens(self) -> list[tuple[str, str, int]]:
        """``(kind, text, position)`` for all tokens, and an end."""
        text, found, position = self.text, [], 0
        while position < len(text):
            if text[position].isspace():
                position += 1
                continue
            match = _TOKEN.match(text, position)
            if match is None or (match.lastgroup == "name" and not text[position].isidentifier()):
                character = text[position]
                instead = _INSTEAD.get(character, "is not part of this language")
                joint = ": " if character in _INSTEAD else " "
                raise self.wrong(
                    position, f"`{character}`{joint}{instead}." if character.isprintable() else "What is this?"
                )
            kind, token = match.lastgroup or "", match.group()
            while kind == "name" and not token.isidentifier():
                token = token[:-1]  # of x², which is a word to a regular expression, the x
            if kind == "number" and not math.isfinite(float(token)):
                raise self.wrong(position, "This number is too large.")
            found.append((kind, token, position))
            position += len(token)
            if kind == "number" and position < len(text) and text[position] in "._":
                raise self.wrong(position, f"`{token}{text[position]}`... is no number. Write 1000.5 or 1e3.")
        return [*found, ("end", "", len(text))]

    def parse(self) -> None:
        wanted = True  # whether an operand comes next, or an operator
        tokens = self.tokens()
        for place, (kind, text, position) in enumerate(tokens):
            if wanted:
                wanted = self.operand(kind, text, position, tokens[place + 1] if kind != "end" else None)
            else:
                wanted = self.operation(kind, text, position)
        while self.waiting:
            if self.waiting[-1][0] == 0:
                raise self.wrong(self.waiting[-1][2], "This parenthesis is never closed: write `)`.")
            self.apply()

    def operand(self, kind: str, text: str, position: int, following: tuple[str, str, int] | None) -> bool:
        """Take what can begin an operand; whether an operand is still wanted."""
        if kind == "number":
            integer = text.isdecimal() and len(text) <= 15
            self.steps.append(_Step("number", int(text) if integer else float(text), 0, position))
            return False
        if kind == "name":
            return self.name(text, position, following)
        if text == "(":
            self.push(0, self.called, position)
            self.called = None
            return True
        if text in ("-", "+"):
            self.push(3, operator.neg if text == "-" else operator.pos, position)
            return True
        if kind == "end":
            raise self.wrong(
                position, "Something is missing at the end." if self.text.strip() else "The expression is empty."
            )
        if text == ")" and self.waiting and self.waiting[-1][0] == 0 and self.text[:position].rstrip().endswith("("):
            raise self.wrong(position, "There is nothing between these parentheses.")
        raise self.wrong(position, f"A number, a name or `(` is missing before `{text}`.")

    def name(self, text: str, position: int, following: tuple[str, str, int] | None) -> bool:
        opens = following is not None and following[1] == "("
        if text in FUNCTIONS and text not in (self.allowed or ()):
            if not opens:
                raise self.wrong(
                    position, f"`{text}` is a function: write {text}(...), with its argument in parentheses."
                )
            self.called = text
            return True
        if text in CONSTANTS and text not in (self.allowed or ()):
            self.steps.append(_Step("number", CONSTANTS[text], 0, position))
            return False
        if opens:
            guess = _similar(text, list(FUNCTIONS))
            raise self.wrong(position, f"There is no function `{text}`.{guess} For a product write `{text} * (...)`.")
        if self.allowed is not None and text not in self.allowed:
            known = ", ".join(self.allowed) or "none"
            guess = _similar(text, [*self.allowed, *CONSTANTS])
            raise self.wrong(position, f"The name `{text}` is not known here.{guess} (The variables: {known}.)")
        self.names.setdefault(text)
        self.steps.append(_Step("name", text, 0, position))
        return False

    def operation(self, kind: str, text: str, position: int) -> bool:
        """Take what can follow an operand; whether an operand is wanted next."""
        if kind in ("number", "name") or text == "(":
            before = self.text[:position].rstrip()
            start = self.steps[-1].position if before[-1:] != ")" else len(before) - 1
            example = f"{self.text[start:position].strip()}*{text}" if before[-1:] != ")" else f")*{text}"
            raise self.wrong(position, f"An operator is missing: for a product write `{example}`.")
        if kind == "end":
            return False
        if text == ")":
            self.reduce(1)
            if not self.waiting:
                raise self.wrong(position, "This parenthesis was never opened.")
            _, function, opened, given = self.waiting.pop()
            if function is not None:
                self.close(function, opened, given + 1)
            return False
        if text == ",":
            self.reduce(1)
            if not self.waiting or self.waiting[-1][1] is None:
                raise self.wrong(
                    position, "A comma stands only between the arguments of a function; a decimal point is `.`."
                )
            strength, function, opened, given = self.waiting.pop()
            self.waiting.append((strength, function, opened, given + 1))
            return True
        strength = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}[text]
        self.reduce(strength + 1 if text == "**" else strength)  # a power binds to the right
        self.push(strength, _BINARY[text], position)
        return True

    def close(self, name: str, position: int, given: int) -> None:
        function = FUNCTIONS[name]
        if given != function.arguments:
            count = f"{function.arguments} argument{'' if function.arguments == 1 else 's'}"
            message = f"{name}(...) takes {count}, and here {'is' if given == 1 else 'are'} {given}."
            raise self.wrong(position, message)
        self.steps.append(_Step("apply", function.compute, function.arguments, position))

    def push(self, strength: int, what: Any, position: int) -> None:
        if len(self.waiting) >= MAX_DEPTH:
            raise self.wrong(position, f"This goes deeper than {MAX_DEPTH} levels.")
        self.waiting.append((strength, what, position, 0))

    def reduce(self, strength: int) -> None:
        """Apply what waits and binds at least so tightly."""
        while self.waiting and self.waiting[-1][0] >= strength:
            self.apply()

    def apply(self) -> None:
        strength, function, position, _ = self.waiting.pop()
        if strength == 4:
            last = self.steps[-1]
            if last.kind == "number" and abs(last.content) > MAX_EXPONENT:
                raise self.wrong(last.position, f"Exponents go to {MAX_EXPONENT}, not to {last.content}.")
        if strength == 3 and self.steps[-1].kind == "number":  # -2 is a number, too
            self.steps[-1] = self.steps[-1]._replace(content=function(self.steps[-1].content))
        else:
            self.steps.append(_Step("apply", function, 1 if strength == 3 else 2, position))


class Expression:
    """A formula that was read: a function of its names. What `parse` returns.

    Attributes
    ----------
    text : str
        As it was written.
    names : tuple of str
        What it leaves open, in the order of appearance.
    """

    def __init__(self, text: str, names: tuple[str, ...], steps: Sequence[_Step]):
        self.text, self.names = text, names
        self._steps = tuple(steps)

    def __repr__(self) -> str:
        return f"<expression {self.text}>"

    def __str__(self) -> str:
        return self.text

    def __call__(self, **values: Any) -> Any:
        """``expression(x=2.0)``: see `evaluate`."""
        return self.evaluate(values)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The number, array or Value that it comes to.

        Parameters
        ----------
        values : mapping of str to number, array or Value
            One for each of `names`; others are not allowed. Integers become float64.

        Returns
        -------
        NumPy number, array or Value
            A Value if one was given and the expression depends on it.

        Raises
        ------
        ExpressionError
            A ValueError: a name has no value, or a value has no name; or numbers in the text alone give none, as in
            ``1 / 0``.

        Examples
        --------
        >>> from autograd import Value
        >>> from autograd.expression import parse
        >>> y = parse("x**2 * w").evaluate({"x": Value(3.0, label="x"), "w": Value(2.0, label="w")})
        >>> y.backward()
        >>> y.item(), [(v.label, v.grad.item()) for v in (y.inputs[0].inputs[0], y.inputs[1])]
        (18.0, [('x', 12.0), ('w', 9.0)])
        """
        for name in values:
            if name not in self.names:
                known = ", ".join(self.names) or "none"
                raise ExpressionError(
                    f"`{name}` does not occur in {self.text!r:.80}.{_similar(name, self.names)} (Its names: {known}.)"
                )
        for name in self.names:
            if name not in values:
                position = next(step.position for step in self._steps if step.content == name)
                raise _wrong(self.text, position, f"`{name}` has no value: give {name}=...")
        ready = {name: _ready(values[name]) for name in self.names}
        stack: list[Any] = []
        for step in self._steps:
            if step.kind == "apply":
                operands = stack[-step.operands :]
                del stack[-step.operands :]
                stack.append(self._apply(step, operands))
            else:
                stack.append(ready[step.content] if step.kind == "name" else step.content)
        (result,) = stack
        return np.float64(result) if isinstance(result, int | float) else result

    def _apply(self, step: _Step, operands: list[Any]) -> Any:
        if not all(type(x) in (int, float) for x in operands):
            return step.content(*operands)
        try:  # numbers of the text alone: as floats, which cannot grow without end as integers do
            result = step.content(*map(float, operands))
        except (ArithmeticError, ValueError):
            result = math.nan
        if isinstance(result, complex) or not math.isfinite(result):
            raise _wrong(self.text, step.position, "This is not a finite real number.")
        return float(result)


def _ready(value: Any) -> Any:
    """A value in the form to compute with: Values and arrays as they are, numbers and integers as float64."""
    if hasattr(value, "requires_grad"):
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fc":
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise ExpressionError(f"{value!r:.60} is no number, array or Value.")
    return array.astype(complex if array.dtype.kind == "c" else float)[()]


def parse(text: str, names: Sequence[str] | None = None) -> Expression:
    """Read a formula.

    Parameters
    ----------
    text : str
        At most 2,000 characters.
    names : sequence of str, optional
        The only names that may occur; by default any. A name that is listed here is a variable also where it would be
        a constant or a function (``e``).

    Returns
    -------
    Expression
        Callable with a value for each name.

    Raises
    ------
    ExpressionError
        A ValueError: the text is not in the language. The message has a caret below the place, and says what to write
        instead.

    References
    ----------
    E. W. Dijkstra, "Algol 60 translation" (1961): the shunting-yard algorithm.

    Examples
    --------
    >>> from autograd.expression import parse
    >>> parse("tanh(x*w + b)").names
    ('x', 'w', 'b')
    >>> parse("-x**2 + 2*x")(x=3.0)
    np.float64(-3.0)
    >>> parse("2x")
    Traceback (most recent call last):
    ...
    autograd.errors.ExpressionError: An operator is missing: for a product write `2*x`.
        2x
         ^
    """
    if not isinstance(text, str):
        raise ExpressionError(f"An expression is a string, such as 'x**2'; got {text!r:.60}.")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"An expression has at most {MAX_LENGTH} characters, and this one has {len(text)}.")
    parser = _Parser(text, names)
    parser.parse()
    return Expression(text, tuple(parser.names), parser.steps)
