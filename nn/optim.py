"""Optimisers: how parameters follow their gradients; schedules of their learning rate; limits on gradients.

An optimiser is one method, `update`, which reads as the equation of its step on plain arrays. A schedule is one, too:
`factor`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Value, as_array

from .arrays import computed, is_lazy, kept
from .module import Module

__all__ = [
    "SGD", "AdaGrad", "Adam", "AdamW", "CosineSchedule", "Optimizer", "RMSProp", "Schedule", "StepSchedule",
    "WarmUpSchedule", "clip_gradients",
]  # fmt: skip


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

        Gradients that are lazy, because the data was in Dask's chunks, are computed first, all in one pass. Parameters
        in chunks stay so, and are computed with them.

        Raises
        ------
        RuntimeError
            If no parameter has a gradient, because `backward` was not called.
        """
        gradients = [parameter.grad for parameter in self.parameters]
        if "dask" in sys.modules:
            gradients = _there(gradients, self.parameters)
        moved, waiting = False, []
        for parameter, gradient, state in zip(self.parameters, gradients, self.states, strict=True):
            if gradient is None:
                continue
            if isinstance(gradient, Value):  # after backward(create_graph=True)
                gradient = gradient.data
            new = self.update(as_array(parameter.data), gradient, state)
            moved = True
            if isinstance(new, np.ndarray):
                new.setflags(write=False)  # which spares Value a copy
            elif is_lazy(new):
                waiting.append((parameter, new, state))
                continue
            parameter.data = new
        if waiting:
            _settle(waiting)
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

    On the gradient of the whole data set it is gradient descent.

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
    nesterov : bool
        Step along :math:`g + \mu v`: where the momentum will have led, rather than where it stands.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`; ValueError also for a `momentum` or `weight_decay` out of range, and for `nesterov` without
        momentum.

    Notes
    -----
    A parameter without a gradient stays where it is, and so does its velocity. A step in which no parameter
    has one is a RuntimeError.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in deep learning
    (ICML 2013), eq. 1 to 4; with the learning rate outside the velocity, as PyTorch has it.

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

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ):
        super().__init__(parameters, lr)
        _check("SGD", momentum=momentum, least=0.0, below=1.0)
        _check("SGD", weight_decay=weight_decay, least=0.0)
        if nesterov and not momentum:
            raise ValueError("SGD(nesterov=True) looks along the momentum, and needs one: momentum=0.9, say.")
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.nesterov = nesterov

    def update(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * w
        if self.momentum:
            v = state["v"] = self.momentum * _kept(state, "v", g) + g
            g = g + self.momentum * v if self.nesterov else v
        return _stepped(w, self.lr * g)


class AdaGrad(Optimizer):
    r"""A learning rate for each number, smaller the more it has moved: :math:`s \leftarrow s + g^2`, then
    :math:`w \leftarrow w - \eta g / (\sqrt s + \epsilon)`.

    Parameters
    ----------
    parameters : iterable of Value
    lr : float, positive
        :math:`\eta`.
    eps : float, positive
        :math:`\epsilon`, which keeps the first steps finite.
    weight_decay : float, at least 0
        As in `SGD`.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`; ValueError also for a number out of range.

    References
    ----------
    Duchi, Hazan, Singer: Adaptive subgradient methods for online learning and stochastic optimization (JMLR 2011).

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import AdaGrad
    >>> w = Value(4.0)
    >>> (w * w).backward()
    >>> AdaGrad([w], lr=0.5).step()
    >>> round(w.item(), 6)
    3.5
    """

    def __init__(self, parameters: Iterable[Value], lr: float = 0.01, eps: float = 1e-10, weight_decay: float = 0.0):
        super().__init__(parameters, lr)
        _check("AdaGrad", eps=eps, above=0.0)
        _check("AdaGrad", weight_decay=weight_decay, least=0.0)
        self.eps, self.weight_decay = eps, weight_decay

    def update(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * w
        s = state["s"] = _kept(state, "s", g) + g * g
        return _stepped(w, self.lr * g / (np.sqrt(s) + self.eps))


class RMSProp(Optimizer):
    r"""As `AdaGrad`, but forgetting: :math:`s \leftarrow \rho s + (1 - \rho) g^2`, then
    :math:`w \leftarrow w - \eta g / (\sqrt s + \epsilon)`.

    Parameters
    ----------
    parameters : iterable of Value
    lr : float, positive
        :math:`\eta`.
    rho : float, in [0, 1)
        :math:`\rho`, how much is remembered of the squares.
    eps : float, positive
        :math:`\epsilon`.
    momentum : float, in [0, 1)
        As in `SGD`, of these steps.
    weight_decay : float, at least 0
        As in `SGD`.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`; ValueError also for a number out of range.

    References
    ----------
    Hinton: Neural networks for machine learning, lecture 6.5 (2012).

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import RMSProp
    >>> w = Value(4.0)
    >>> (w * w).backward()
    >>> RMSProp([w], lr=0.5, rho=0.0).step()
    >>> round(w.item(), 6)
    3.5
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.01,
        rho: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr)
        _check("RMSProp", rho=rho, least=0.0, below=1.0)
        _check("RMSProp", eps=eps, above=0.0)
        _check("RMSProp", momentum=momentum, least=0.0, below=1.0)
        _check("RMSProp", weight_decay=weight_decay, least=0.0)
        self.rho, self.eps, self.momentum, self.weight_decay = rho, eps, momentum, weight_decay

    def update(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * w
        s = state["s"] = self.rho * _kept(state, "s", g) + (1 - self.rho) * g * g
        step = g / (np.sqrt(s) + self.eps)
        if self.momentum:
            step = state["v"] = self.momentum * _kept(state, "v", g) + step
        return _stepped(w, self.lr * step)


class Adam(Optimizer):
    r"""Momentum and a learning rate for each number, both freed of their start at 0.

    .. math::
        m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad
        w \leftarrow w - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \epsilon}

    Parameters
    ----------
    parameters : iterable of Value
    lr : float, positive
        :math:`\eta`, about the size of every step.
    betas : pair of float, in [0, 1)
        How much is remembered of the gradients and of their squares.
    eps : float, positive
        :math:`\epsilon`.
    weight_decay : float, at least 0
        As in `SGD`: a part of the gradient. See `AdamW`.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`; ValueError also for a number out of range.

    References
    ----------
    Kingma, Ba: Adam: a method for stochastic optimization (ICLR 2015), algorithm 1.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import Adam
    >>> w = Value(4.0)
    >>> (w * w).backward()
    >>> Adam([w], lr=0.5).step()
    >>> round(w.item(), 6)
    3.5
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr)
        for beta in betas:
            _check(type(self).__name__, betas=beta, least=0.0, below=1.0)
        _check(type(self).__name__, eps=eps, above=0.0)
        _check(type(self).__name__, weight_decay=weight_decay, least=0.0)
        self.betas, self.eps, self.weight_decay = (betas[0], betas[1]), eps, weight_decay

    def update(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * w
        return _stepped(w, self._adapted(g, state))

    def _adapted(self, g: Any, state: dict[str, Any]) -> Any:
        """The step, without its sign."""
        b1, b2 = self.betas
        t = state["t"] = state.get("t", 0) + 1
        if "m" not in state:
            state["m"], state["s"] = np.zeros_like(g), np.zeros_like(g)
        m, s = state["m"] * b1, state["s"] * b2
        m += (1 - b1) * g  # m + (1 - b1) (g - m) would round otherwise than PyTorch does
        s += (1 - b2) * (g * g)
        state["m"], state["s"] = m, s
        scale = np.sqrt(s)
        scale /= (1 - b2**t) ** 0.5
        scale += self.eps
        step = self.lr / (1 - b1**t) * m
        step /= scale
        return step


class AdamW(Adam):
    r"""`Adam` with weight decay beside the gradient: :math:`w \leftarrow (1 - \eta \lambda) w` before each step.

    Parameters and errors are those of `Adam`; `weight_decay` is 0.01 unless given.

    References
    ----------
    Loshchilov, Hutter: Decoupled weight decay regularization (ICLR 2019), algorithm 2.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import AdamW
    >>> w = Value(4.0)
    >>> (w * w).backward()
    >>> AdamW([w], lr=0.5, weight_decay=0.1).step()
    >>> round(w.item(), 6)
    3.3
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def update(self, w: Any, g: Any, state: dict[str, Any]) -> Any:
        return _stepped(w * (1 - self.lr * self.weight_decay), self._adapted(g, state))


def _there(gradients: list[Any], parameters: list[Value]) -> list[Any]:
    """Lazy gradients computed, all in one pass: to arrays of NumPy's, or in chunks where the parameter is in chunks."""
    gradients = [g.data if isinstance(g, Value) else g for g in gradients]
    if not any(map(is_lazy, gradients)):
        return gradients
    chunked = [is_lazy(p.data) for p in parameters]
    if not any(chunked):
        return list(computed(*gradients))
    if all(chunked):
        return gradients  # which are computed with what they move
    return [g if is_lazy(p.data) else computed(g)[0] for g, p in zip(kept(*gradients), parameters, strict=True)]


def _settle(moved: list[tuple[Value, Any, dict[str, Any]]]) -> None:
    """Give parameters in chunks their new data, computed in one pass with all that is remembered of them."""
    results = iter(kept(*(x for _, new, state in moved for x in (new, *state.values()))))
    for parameter, _, state in moved:
        parameter.data = next(results)
        state.update({name: next(results) for name in state})


def _kept(state: dict[str, Any], name: str, g: Any) -> Any:
    """What was kept under that name, like the gradient; zeros before the first step."""
    if name not in state:
        state[name] = np.zeros_like(g)
    return state[name]


def _stepped(w: Any, step: Any) -> Any:
    """``w - step``, in the place of `step`: of a large array, making another costs more than the sums."""
    return np.subtract(w, step, out=step) if type(step) is np.ndarray and step.shape else w - step


# -------------------------------------------------------------------- gradients that are too large


def clip_gradients(parameters: Iterable[Value], *, norm: float | None = None, value: float | None = None) -> float:
    r"""Shorten gradients before a step, and return the norm that they had together, :math:`\sqrt{\sum g^2}`.

    Parameters
    ----------
    parameters : iterable of Value
        Those without a gradient count as 0.
    norm : float, positive, optional
        If all gradients together are longer, they are scaled to this length: the direction stays.
    value : float, positive, optional
        Every single number is cut off at this and at minus this.

    Returns
    -------
    float
        NaN or infinity if a gradient is; nothing is scaled then. Of gradients that another library holds, its number.

    Raises
    ------
    ValueError
        If neither or both are given, or the one given is not positive.

    References
    ----------
    Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks (ICML 2013), algorithm 1.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import clip_gradients
    >>> w = Value([3.0, 4.0])
    >>> (w * w).sum().backward()
    >>> clip_gradients([w], norm=1.0)
    10.0
    >>> w.grad
    array([0.6, 0.8])
    """
    if (norm is None) == (value is None):
        raise ValueError("clip_gradients: give norm=, for all of them together, or value=, for each number.")
    _check("clip_gradients", above=0.0, **({"norm": norm} if value is None else {"value": value}))
    moved = [parameter for parameter in parameters if parameter.grad is not None]
    gradients = [p.grad.data if isinstance(p.grad, Value) else p.grad for p in moved]
    length: Any = np.sqrt(sum(np.sum(np.square(as_array(g).astype(float))) for g in gradients))
    if isinstance(length, np.floating):
        length = float(length)
    for parameter in moved:
        if value is not None:
            parameter.grad = np.clip(parameter.grad, -value, value)
        elif norm is None:
            continue
        elif not isinstance(length, float):  # of another library, and perhaps not computed yet
            scale = np.where(np.isfinite(length), norm / np.maximum(length, norm), 1.0)
            parameter.grad = parameter.grad * scale.astype(parameter.grad.dtype)
        elif norm < length < math.inf:
            parameter.grad = parameter.grad * (norm / length)
    return length  # type: ignore[no-any-return]


# -------------------------------------------------------------------- schedules


class Schedule:
    """A learning rate that changes: call `step` once an epoch, or once a batch, as its numbers are meant.

    A subclass writes `factor`.

    Parameters
    ----------
    optimizer : Optimizer
        Its `lr` at the start is the one that all others are a part of.

    Attributes
    ----------
    count : int
        How many steps there were.

    Raises
    ------
    TypeError
        If `optimizer` is none.
    """

    def __init__(self, optimizer: Optimizer):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__}(optimizer, ...): an Optimizer is needed, not {optimizer!r:.60}.")
        self.optimizer, self.base, self.count = optimizer, optimizer.lr, 0
        optimizer.lr = self.base * self.factor(0)

    def factor(self, count: int) -> float:
        """What the learning rate is multiplied by after so many steps; a subclass writes it."""
        raise NotImplementedError(f"{type(self).__name__} has no factor(self, count).")

    def step(self) -> None:
        """Go on, and set the optimiser's learning rate."""
        self.count += 1
        self.optimizer.lr = self.base * self.factor(self.count)


class StepSchedule(Schedule):
    r"""The learning rate times `gamma` after every `every` steps: :math:`\gamma^{\lfloor t / n \rfloor}`.

    Parameters
    ----------
    optimizer : Optimizer
    every : int, at least 1
    gamma : float, positive

    Raises
    ------
    TypeError, ValueError
        As `Schedule`; ValueError for a number out of range.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import SGD, StepSchedule
    >>> schedule = StepSchedule(SGD([Value(1.0)], lr=1.0), every=2, gamma=0.5)
    >>> [schedule.optimizer.lr for _ in range(5) if schedule.step() is None]
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(self, optimizer: Optimizer, every: int, gamma: float = 0.1):
        _check("StepSchedule", every=every, least=1)
        _check("StepSchedule", gamma=gamma, above=0.0)
        self.every, self.gamma = every, gamma
        super().__init__(optimizer)

    def factor(self, count: int) -> float:
        factor: float = self.gamma ** (count // self.every)
        return factor


class CosineSchedule(Schedule):
    r"""Down to `lowest` of the learning rate along half a cosine, after rising in a straight line for `warmup` steps.

    :math:`l + (1 - l) \frac{1 + \cos(\pi u)}{2}`, with u going from 0 to 1 between `warmup` and `steps`.

    Parameters
    ----------
    optimizer : Optimizer
    steps : int, more than `warmup`
        When the lowest is reached; it stays there.
    warmup : int, at least 0
        The first steps: the factor is 1 / (warmup + 1), 2 / (warmup + 1), ...
    lowest : float, in [0, 1]

    Raises
    ------
    TypeError, ValueError
        As `Schedule`; ValueError for a number out of range.

    References
    ----------
    Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts (ICLR 2017), eq. 5.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import SGD, CosineSchedule
    >>> schedule = CosineSchedule(SGD([Value(1.0)], lr=1.0), steps=4)
    >>> [round(schedule.optimizer.lr, 3) for _ in range(5) if schedule.step() is None]
    [0.854, 0.5, 0.146, 0.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer, steps: int, warmup: int = 0, lowest: float = 0.0):
        _check("CosineSchedule", warmup=warmup, least=0)
        _check("CosineSchedule", steps=steps, above=warmup)
        _check("CosineSchedule", lowest=lowest, least=0.0, below=1.0 + 1e-15)
        self.steps, self.warmup, self.lowest = steps, warmup, lowest
        super().__init__(optimizer)

    def factor(self, count: int) -> float:
        if count < self.warmup:
            return (count + 1) / (self.warmup + 1)
        part = min(1.0, (count - self.warmup) / (self.steps - self.warmup))
        cosine: float = np.cos(math.pi * part).item()
        return self.lowest + (1 - self.lowest) * 0.5 * (1 + cosine)


class WarmUpSchedule(Schedule):
    r"""The learning rate in a straight line from nearly 0 to its full height: :math:`\min(1, (t + 1) / (n + 1))`.

    Parameters
    ----------
    optimizer : Optimizer
    steps : int, at least 1
        After how many it is reached.

    Raises
    ------
    TypeError, ValueError
        As `Schedule`; ValueError for a number out of range.

    References
    ----------
    Goyal et al.: Accurate, large minibatch SGD (2017), section 2.2.

    Examples
    --------
    >>> from autograd import Value
    >>> from nn import SGD, WarmUpSchedule
    >>> schedule = WarmUpSchedule(SGD([Value(1.0)], lr=1.0), steps=3)
    >>> [schedule.optimizer.lr for _ in range(4) if schedule.step() is None]
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(self, optimizer: Optimizer, steps: int):
        _check("WarmUpSchedule", steps=steps, least=1)
        self.steps = steps
        super().__init__(optimizer)

    def factor(self, count: int) -> float:
        return min(1.0, (count + 1) / (self.steps + 1))


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
