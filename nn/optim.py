"""Optimisers: how parameters follow their gradients.

An optimiser is one method, `update`, which reads as the equation of its step on plain arrays.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Value

from .module import Module

__all__ = ["SGD", "Optimizer"]


class Optimizer:
    """What all optimisers share: the parameters, the walk over them, and what is remembered of each.

    A subclass writes `update`.

    Parameters
    ----------
    parameters : iterable of Value
        As `Module.parameters` gives them. One that comes twice counts once.
    lr : float, positive
        The learning rate; it may be set anew between steps.

    Attributes
    ----------
    parameters : list of Value
    states : list of dict
        What `update` remembers of each parameter.

    Raises
    ------
    TypeError
        If `parameters` is a Module or a Value, or holds anything but Values.
    ValueError
        If there are no parameters, one is a constant or a result, or `lr` is not a positive number.
    """

    def __init__(self, parameters: Iterable[Value], lr: float):
        name = type(self).__name__
        if isinstance(parameters, Module):
            raise TypeError(f"{name}(model, ...): write {name}(model.parameters(), ...).")
        if isinstance(parameters, Value):
            raise TypeError(f"{name}(value, ...): write {name}([value], ...).")
        self.parameters = list(parameters)
        for parameter in self.parameters:
            if not isinstance(parameter, Value):
                raise TypeError(f"{name}: parameters are Values, and one is a {type(parameter).__name__}.")
            if not (parameter.requires_grad and parameter.is_leaf):
                what = "the result of an operation" if parameter.requires_grad else "a constant"
                raise ValueError(f"{name}: {parameter!r} is {what}; only a Value with requires_grad can be trained.")
        self.parameters = list(dict.fromkeys(self.parameters))
        if not self.parameters:
            raise ValueError(f"{name}: there are no parameters to train.")
        _check(name, lr=lr, above=0.0)
        self.lr = lr
        self.states: list[dict[str, Any]] = [{} for _ in self.parameters]

    def update(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        """The new data of one parameter; a subclass writes it.

        Parameters
        ----------
        w : array
            The parameter as it is, read-only.
        g : array of the same shape and dtype
            Its gradient.
        state : dict
            What to remember of this parameter until the next step; empty before the first.

        Returns
        -------
        array of the same shape
            A new one.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update(self, w, g, state): write its equation there.")

    def step(self) -> None:
        """Move every parameter that has a gradient; those without one stay where they are.

        Raises
        ------
        RuntimeError
            If no parameter has a gradient, because `backward` was not called.
        """
        moved = False
        for parameter, state in zip(self.parameters, self.states, strict=True):
            gradient = parameter.grad
            if gradient is None:
                continue
            if isinstance(gradient, Value):  # after backward(create_graph=True)
                gradient = gradient.data
            new = self.update(np.asarray(parameter.data), gradient, state)
            if isinstance(new, np.ndarray):
                new.setflags(write=False)  # which spares Value a copy
            parameter.data = new
            moved = True
        if not moved:
            raise RuntimeError(
                f"{type(self).__name__}.step(): no parameter has a gradient. Call loss.backward() before, and "
                f"zero_grad() not between the two."
            )

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next `backward`."""
        for parameter in self.parameters:
            parameter.zero_grad()


class SGD(Optimizer):
    r"""Stochastic gradient descent with momentum: :math:`v \leftarrow \mu v + g`, then :math:`w \leftarrow w - \eta v`.

    Parameters
    ----------
    parameters : iterable of Value
    lr : float, positive
        The learning rate :math:`\eta`.
    momentum : float, in [0, 1)
        :math:`\mu`, how much of the last step's direction is kept. The velocity :math:`v` starts at 0.
    weight_decay : float, at least 0
        :math:`\lambda`: the gradient becomes :math:`g + \lambda w`, which is that of the loss with
        :math:`\frac{\lambda}{2} \|w\|^2` added.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`; ValueError also for a `momentum` or `weight_decay` out of range.

    Notes
    -----
    A parameter without a gradient stays where it is, and so does its velocity. A step in which no parameter
    has one is a RuntimeError.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in deep learning
    (ICML 2013), eq. 1 and 2; with the learning rate outside the velocity, as PyTorch has it.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import SGD
    >>> w = Value(4.0)
    >>> optimizer = SGD([w], lr=0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (w * w).backward()
    ...     optimizer.step()
    ...     print(round(w.item(), 2))
    3.2
    2.16
    """

    def __init__(self, parameters: Iterable[Value], lr: float, momentum: float = 0.0, weight_decay: float = 0.0):
        super().__init__(parameters, lr)
        _check("SGD", momentum=momentum, least=0.0, below=1.0)
        _check("SGD", weight_decay=weight_decay, least=0.0)
        self.momentum = momentum
        self.weight_decay = weight_decay

    def update(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * w
        if self.momentum:
            g = state["v"] = self.momentum * state.get("v", 0.0) + g
        step = self.lr * g
        return np.subtract(
            w, step, out=step if step.shape else None
        )  # one new array, not two: of a large one, each costs more than its sums


def _check(
    owner: str, *, above: float = -math.inf, least: float = -math.inf, below: float = math.inf, **given: float
) -> None:
    """Raise unless the one number in `given` lies in its range."""
    ((name, number),) = given.items()
    known = isinstance(number, int | float | np.number) and math.isfinite(number)
    if known and above < number < below and number >= least:
        return
    low = f"above {above:g}" if above > -math.inf else f"at least {least:g}"
    high = f" and below {below:g}" if below < math.inf else ""
    raise ValueError(f"{owner}({name}={number!r}): it is a finite number {low}{high}.")
