"""The gradients of a module, by the names of its parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import modes
from ..backward import conjugate, reverse, settle
from ..value import Value
from .arguments import (
    argument_names,
    quiet,
    raw,
    settings_for,
    text_of,
)
from .pullbacks import argument, check_pull, chosen_arguments
from .report import Finding, Report
from .results import Results
from .structure import brief

__unittest = True  # unittest leaves frames of this module out of what it prints


def check_module(
    layer: Any,
    *inputs: Any,
    rtol: float | None = None,
    atol: float = 0.0,
    kinks: str = "subgradient",
    seed: int | None = None,
) -> Report:
    """Whether the gradients of a module are right, of every parameter and input by name.

    Parameters
    ----------
    layer : Module
        Anything with `named_parameters`, `named_modules`, `train` and `eval`, callable on `inputs`.
    *inputs : arrays
        With examples along the first axis, three or more are used; batches of 1 and of none are tried as well.
    rtol, atol, kinks, seed
        As for `check_vjp`.

    Returns
    -------
    Report

    Raises
    ------
    DataError
        Neither a parameter nor an input is of floating type, or a wrong option.

    Notes
    -----
    It is checked in training and in evaluation mode. Every call starts from the same state: arrays, numbers and
    random generators that the module and those inside hold, and NumPy's global generator, are put back before each
    call and at the end, as is the mode; no parameter's `data` or `grad` changes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> from autograd.testing import check_module
    >>> check_module(nn.Dense(3, 2, np.tanh, seed=0), np.ones((4, 3))).verdict
    'PASS'
    """
    given = [argument(x) for x in inputs]
    parameters = list(layer.named_parameters())
    values = [parameter for _, parameter in parameters]
    tolerance, seed = settings_for(rtol, atol, kinks, seed, [*(v.data for v in values), *given])
    results = Results("entries", tolerance)
    names = [*(path for path, _ in parameters), *argument_names(layer.forward, len(given))]
    state = _State(layer)
    originals = [(v.data, v._grad) for v in values]
    label = type(layer).__name__
    results.reproduce = f"check_module(<{label}>, {', '.join(text_of(x) for x in given)}, seed={seed})"
    try:
        with quiet():
            for training in (True, False):
                layer.train() if training else layer.eval()
                mode = "train" if training else "eval"
                # What the layer holds, in this mode, is where every call starts.
                start = _State(layer)
                for size in (3, 1, 0):
                    batch = [x if np.ndim(x) == 0 else np.take(x, np.arange(size), axis=0, mode="wrap") if len(x) else x
                             for x in given]  # fmt: skip
                    if size != 3 and not any(np.ndim(x) for x in given):
                        continue
                    _check_batch(results, layer, values, batch, names, start, f" ({mode}, batch {size})", size, seed)
    finally:
        for value, (data, gradient) in zip(values, originals, strict=True):
            value.data = data
            value._grad = gradient
        state.restore()
    if not results.rows and not results.findings and not results.doubts:
        results.doubt("domain", f"{label} could not be called on a batch of any size")
    return results.report(f"the gradients of {label} are right", f"the gradients of {label} are wrong")


def _check_batch(
    results: Results,
    layer: Any,
    values: list[Value],
    batch: list[Any],
    names: Sequence[str],
    start: _State,
    where: str,
    size: int,
    seed: int,
) -> None:
    count = len(values)
    args = (*(np.array(v.data)[()] for v in values), *batch)

    def run(*arrays: Any) -> Any:
        start.restore()
        for value, array in zip(values, arrays[:count], strict=True):
            value.data = np.array(raw(array))[()]
        return layer(*arrays[count:])

    wrt = chosen_arguments(args, None, "check_module")

    def pull(g: Any, arrays: list[Any]) -> tuple[Any, ...]:
        ends: list[Any] = list(values)
        handed = []
        for i, x in enumerate(arrays[count:], start=count):
            handed.append(Value(x, label=names[i]) if i in wrt else x)
            ends += [handed[-1]] if i in wrt else []
        with modes.enable_grad():
            y = run(*arrays[:count], *handed)
        found: Mapping[Value, Any] = {}
        if isinstance(y, Value) and y.requires_grad:
            found = reverse([y], [conjugate(np.asarray(g, y.dtype)[()])], wrt=ends)
        return tuple(settle(conjugate(found[x]), x.data) if x in found else np.zeros_like(x.data)[()] for x in ends)

    def numbers(*arrays: Any) -> Any:
        if any(np.iscomplexobj(x) and not np.iscomplexobj(own) for x, own in zip(arrays, args, strict=True)):
            raise TypeError("parameters are real")  # no complex step
        with modes.no_grad():
            return raw(run(*arrays))

    try:
        y = np.asarray(numbers(*args))
    except ValueError as error:
        if size == 3:
            raise
        results.notes.append(f"{type(layer).__name__} refuses a batch of {size}{where}: {brief(error)}")
        return
    except Exception as error:
        if size == 3:
            raise
        results.add([Finding("batch", f"{type(layer).__name__} raises {brief(error)}")], where)
        return
    if not np.all(np.isfinite(y)):
        if size:
            results.doubt("domain", f"{type(layer).__name__} gives numbers that are not finite{where}")
        return
    rng = np.random.default_rng(seed)
    check_pull(results, numbers, pull, args, wrt, names, "backward", type(layer).__name__, rng,
                engine=True, variants=False, where=where)  # fmt: skip


class _State:
    """What a module and those inside hold besides parameters, and NumPy's global generator: to be put back."""

    def __init__(self, layer: Any):
        self.generator = np.random.get_state()  # noqa: NPY002 - a layer may use it
        self.held: list[tuple[Any, str, Any, Any]] = []
        self.modes = [(module, module.training) for _, module in layer.named_modules()]
        for _, module in layer.named_modules():
            for name, content in vars(module).items():
                if isinstance(content, np.random.Generator):
                    self.held.append((module, name, content, copy.deepcopy(content.bit_generator.state)))
                elif isinstance(content, np.ndarray | np.generic | int | float | None):
                    self.held.append((module, name, content, copy.deepcopy(content)))
                elif isinstance(content, Value) and not content.requires_grad and content.is_leaf:
                    self.held.append((module, name, content, np.array(content.data)[()]))

    def restore(self) -> None:
        np.random.set_state(self.generator)  # noqa: NPY002
        for module, name, content, saved in self.held:
            if isinstance(content, np.random.Generator):
                content.bit_generator.state = copy.deepcopy(saved)
            elif isinstance(content, Value):
                content.data = saved
            elif isinstance(content, np.ndarray) and content.flags.writeable:
                content[...] = saved
            else:
                object.__setattr__(module, name, copy.deepcopy(saved))
            if isinstance(content, np.random.Generator | Value | np.ndarray):
                object.__setattr__(module, name, content)
        for module, training in self.modes:
            module.training = training


def assert_module(layer: Any, *inputs: Any, **options: Any) -> Report:
    """`check_module`, raising what it reports: a DerivativeError unless the verdict is PASS."""
    __tracebackhide__ = True
    return check_module(layer, *inputs, **options).check()
