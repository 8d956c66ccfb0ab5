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
from typing import Any, NamedTuple, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


class State(NamedTuple):
    """What is on in this context, and what was before."""

    recording: bool = True
    watching: bool = False
    outer: State | None = None


PLAIN = State()
current: ContextVar[State] = ContextVar("autograd mode", default=PLAIN)

active = 0
"""How many modes are on in all threads. Zero, the usual case, spares the hot path the context variable."""

_lock = threading.Lock()


def _count(change: int) -> None:
    global active
    with _lock:
        active += change


class _Mode:
    """A context manager and decorator that changes some fields of the state."""

    changes: dict[str, bool]

    def __enter__(self) -> None:
        outer = current.get()
        current.set(outer._replace(outer=outer, **self.changes))
        _count(+1)

    def __exit__(self, *exception: object) -> None:
        current.set(current.get().outer or PLAIN)
        _count(-1)

    def __call__(self, function: F) -> F:
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
