"""Modes: `no_grad()`, which records nothing, and `anomaly()`, which watches for NaN and infinity.

A mode belongs to the thread and context that entered it, ends when an exception passes through, and can be
a context manager or a decorator:

    with no_grad():
        accuracy = evaluate(model)

As with every context manager, a generator that yields inside a `with no_grad():` block leaves the mode on
for its caller until it is resumed. As a decorator of a generator function the mode holds only while the
generator itself runs.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import os
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


class State:
    """What is on in this context: a link of a chain, innermost first."""

    __slots__ = ("born", "interpreter", "live", "outer", "owner", "recording", "watching")

    def __init__(self, owner: Any = None, outer: State | None = None, **changes: Any):
        self.owner, self.outer, self.live = owner, outer, True
        self.recording: bool = outer.recording if outer else True
        self.watching: bool = outer.watching if outer else False
        self.born: Any = outer.born if outer else None
        self.interpreter: Any = outer.interpreter if outer else None
        for name, content in changes.items():
            setattr(self, name, content)


PLAIN = State()
_current: ContextVar[State] = ContextVar("autograd mode", default=PLAIN)

active = 0
"""How many modes are on in all threads. Zero, the usual case, spares the hot path the context variable."""

_lock = threading.Lock()


def now() -> State:
    """The innermost state that has not ended. A task may hold a copy of a context whose modes have ended since."""
    state = _current.get()
    while not state.live:
        state = state.outer or PLAIN
    return state


class _Mode:
    """A context manager and decorator that changes some fields of the state."""

    changes: dict[str, Any]

    def __enter__(self) -> None:
        global active
        outer = now()
        _current.set(State(self, outer, **self.changes))
        with _lock:
            active += 1

    def __exit__(self, *exception: object) -> None:
        # Not always the innermost one: a generator may be closed inside a block of its caller's.
        global active
        state: State | None = _current.get()
        while state is not None and not (state.live and state.owner is self):
            state = state.outer
        if state is not None:
            state.live = False
            _current.set(now())
            with _lock:
                active -= 1

    def __call__(self, function: F) -> F:
        if inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{type(self).__name__} cannot decorate an asynchronous generator; write "
                f"`with {type(self).__name__}():` around what it computes."
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                inner = function(*args, **kwargs)
                step: Callable[[], Any] = functools.partial(next, inner)
                while True:
                    try:
                        with self:
                            item = step()
                    except StopIteration as stop:
                        return stop.value
                    try:
                        sent = yield item
                        step = functools.partial(inner.send, sent)
                    except GeneratorExit:
                        inner.close()
                        raise
                    except BaseException as error:
                        step = functools.partial(inner.throw, error)

            return generator  # type: ignore[return-value]

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return inside  # type: ignore[return-value]


class no_grad(_Mode):
    """Inside, operations on Values give constants: no graph is recorded and no gradient flows.

    Examples
    --------
    >>> from autograd import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    changes = {"recording": False}


class enable_grad(_Mode):
    """Inside, operations are recorded, also within `no_grad`.

    Examples
    --------
    >>> from autograd import Value, enable_grad, no_grad
    >>> x = Value(3.0)
    >>> with no_grad(), enable_grad():
    ...     y = x * x
    >>> y.requires_grad
    True
    """

    changes = {"recording": True}


class anomaly(_Mode):
    """Inside, the first NaN or infinity is an error that says which operation made it, and where.

    Every operation notes the line of your file or notebook cell that called it and looks at its result, so
    this is slower: for finding a mistake, not for training.

    Raises
    ------
    AnomalyError
        In the forward pass, at the operation whose result is not finite; in the backward pass, at the rule
        whose gradient is not finite. The message names the operation, the line, and the first index.

    Examples
    --------
    >>> from autograd import Value, anomaly
    >>> import numpy as np
    >>> x = Value([1.0, 0.0], label="x")
    >>> with anomaly():
    ...     np.sqrt(x).sum().backward()
    Traceback (most recent call last):
    ...
    autograd.errors.AnomalyError: The backward pass of sqrt gave inf at index (1,) of the gradient of 'x'...
    """

    changes = {"watching": True}


class noting(_Mode):
    """Inside, every result that is recorded is also put into the list `born`, or what has its `append`."""

    def __init__(self, born: Any):
        self.changes = {"born": born}


class _Sources:
    """In the place of the list of `noting`: each result that is born notes the line that called for it."""

    def append(self, node: Any) -> None:
        node.notes = {"source": user_line(), **(node.notes or {})}


class interpreting(_Mode):
    """Inside, `interpreter` runs the operations and the rules: its `forward` and `gradient` are asked for each."""

    def __init__(self, interpreter: Any):
        self.changes = {"interpreter": interpreter}


class locating(_Mode):
    """Inside, every result that is recorded notes the line of your file or notebook cell that called for it.

    What `anomaly` notes too, without its look at the numbers.
    """

    changes = {"born": _Sources()}


_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_NOT_THE_USERS = tuple(
    folder + os.sep
    for folder in (
        os.path.join(_ROOT, "autograd"),
        os.path.join(_ROOT, "nn"),
        os.path.dirname(os.path.abspath(np.__file__)),
    )
)


def user_line() -> str:
    """The innermost line that is neither ours nor NumPy's: ``file:line: code``, or the notebook cell."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_NOT_THE_USERS):
        frame = frame.f_back
    file, line = frame.f_code.co_filename, frame.f_lineno
    code = linecache.getline(file, line).strip()
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None:
        kind_and_name = shell.compile.format_code_name(file)
        if kind_and_name is not None:
            return f"{' '.join(kind_and_name)}, line {line}: {code}"
    return f"{file}:{line}: {code}"
