"""Looking into a net: which inputs a score hangs on, and how little it takes to change it.

All work by the gradient with respect to the input, of any model: a Module (in the mode of `Module.eval`), or a plain
function. The gradients of its parameters stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd import as_array, grad, no_grad

from .arrays import computed, numbers
from .init import Seed, generator
from .losses import cross_entropy
from .metrics import accuracy
from .module import Module
from .train import mode

__all__ = ["fgsm", "integrated_gradients", "noise_robustness", "pgd", "saliency"]

Function = Callable[[Any], Any]
Limits = tuple[float, float] | None


def saliency(model: Function, x: Any, target: Any = None) -> np.ndarray:
    r"""How much each input moves a score, :math:`\partial f_t(x) / \partial x`.

    Parameters
    ----------
    model : Module or callable
        From (n, ...) to scores, shape (n, classes), or to one number for each example, shape (n,) or (n, 1).
    x : array, shape (n, ...)
        Floating numbers.
    target : int, or array of int, shape (n,), optional
        Whose score. Default: for each example that of the class with the highest one.

    Returns
    -------
    array, of the shape of `x`
        With signs. As a map for an image its absolute value is usual; over several channels the largest.

    Raises
    ------
    ValueError
        If the model gives something else than scores, or a target is none of its classes.
    DataError
        If `x` is not floating.

    References
    ----------
    Simonyan, Vedaldi, Zisserman: Deep inside convolutional networks: visualising image classification models and
    saliency maps (2013), eq. 3 and 4.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.saliency(lambda x: x @ np.array([[1.0, 0.0], [2.0, -1.0]]), np.zeros((1, 2)), target=1)
    array([[ 0., -1.]])
    """
    x = _plain(x)
    with _judging(model):
        target = _target("saliency", model(x), target)
        return _gradient(lambda v: _score(model(v), target), x)


def integrated_gradients(
    model: Function, x: Any, target: Any = None, baseline: Any = 0.0, steps: int = 50
) -> np.ndarray:
    r"""A score shared out among the inputs that made it,
    :math:`(x - x') \odot \int_0^1 \nabla f_t(x' + \alpha (x - x')) \, d\alpha`.

    The shares of an example sum to :math:`f_t(x) - f_t(x')` (completeness), up to the error of the integral.

    Parameters
    ----------
    model, x, target
        As for `saliency`; the target stays the same all the way.
    baseline : array, broadcasting to `x`
        The input :math:`x'` that says nothing, such as a blank image.
    steps : int, at least 1
        At how many points the gradient is taken (Gauss-Legendre): smooth nets need few, kinked ones more.

    Returns
    -------
    array, of the shape of `x`

    Raises
    ------
    ValueError, DataError
        As `saliency`; ValueError also if `baseline` does not fit, or `steps` is no positive whole number.

    References
    ----------
    Sundararajan, Taly, Yan: Axiomatic attribution for deep networks (2017), eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> x = np.array([[1.0, 2.0]])
    >>> shares = nn.integrated_gradients(lambda x: x[:, 0] * x[:, 1] ** 2, x)
    >>> shares.round(6)  # together 1 * 2² = 4
    array([[1.333333, 2.666667]])
    """
    x = _plain(x)
    _whole("integrated_gradients", steps=steps)
    try:
        start = np.broadcast_to(np.asarray(baseline, x.dtype), x.shape)
    except ValueError:
        raise ValueError(
            f"integrated_gradients: x of shape {x.shape} and a baseline of shape {np.shape(baseline)} do not fit."
        ) from None
    points, weights = np.polynomial.legendre.leggauss(steps)
    total = np.zeros_like(x)
    with _judging(model):
        target = _target("integrated_gradients", model(x), target)
        for point, weight in zip((1 + points) / 2, weights / 2, strict=True):
            here = (start + point * (x - start)).astype(x.dtype)
            total += float(weight) * _gradient(lambda v: _score(model(v), target), here)
    return as_array((x - start) * total)  # type: ignore[no-any-return]


def fgsm(
    model: Function,
    x: Any,
    y: Any,
    epsilon: float,
    *,
    loss: Callable[[Any, Any], Any] = cross_entropy,
    limits: Limits = None,
    targeted: bool = False,
) -> np.ndarray:
    r"""The fast gradient sign method: examples changed by `epsilon` where it hurts, :math:`x + \epsilon\,
    \mathrm{sign} \nabla_x L(f(x), y)`.

    Parameters
    ----------
    model : Module or callable
        From (n, ...) to what `loss` takes.
    x : array, shape (n, ...)
        Floating numbers.
    y : array
        What is right; if `targeted`, what the model is to take it for.
    epsilon : float, at least 0
        How far each number may move, in units of `x`.
    loss : callable
        ``loss(prediction, y)``, one number.
    limits : (low, high), optional
        Between which the numbers of `x` lie and are to stay, such as (0, 1) for an image.
    targeted : bool
        Whether the loss is to fall, and not to rise.

    Returns
    -------
    array, of the shape of `x`

    Raises
    ------
    ValueError
        If `epsilon` is negative, or `x` lies outside `limits`.
    DataError
        If `x` is not floating.

    References
    ----------
    Goodfellow, Shlens, Szegedy: Explaining and harnessing adversarial examples (2014), section 3.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.fgsm(lambda x: x, np.array([[0.9, 0.1]]), [0], 0.2, limits=(0, 1)).round(6)
    array([[0.7, 0.3]])
    """
    x = _attackable("fgsm", x, epsilon, limits)
    with _judging(model):
        way = _gradient(lambda v: loss(model(v), y), x)
    return _near(x + (-float(epsilon) if targeted else float(epsilon)) * np.sign(way), x, epsilon, limits)


def pgd(
    model: Function,
    x: Any,
    y: Any,
    epsilon: float,
    *,
    steps: int = 20,
    step_size: float | None = None,
    random_start: bool = True,
    loss: Callable[[Any, Any], Any] = cross_entropy,
    limits: Limits = None,
    targeted: bool = False,
    seed: Seed = None,
) -> np.ndarray:
    r"""Projected gradient descent: many small steps as of `fgsm`, each brought back to within `epsilon` of `x`,
    :math:`x_{k+1} = \Pi (x_k + a\,\mathrm{sign} \nabla_x L(f(x_k), y))`.

    Parameters
    ----------
    model, x, y, epsilon, loss, limits, targeted
        As for `fgsm`.
    steps : int, at least 1
    step_size : float, optional
        The length :math:`a` of a step. Default: ``2.5 * epsilon / steps``, which reaches any point in reach.
    random_start : bool
        Whether to begin at a random point within `epsilon`, and not at `x` itself.
    seed : int or Generator, optional
        For that point.

    Returns
    -------
    array, of the shape of `x`

    Raises
    ------
    ValueError, DataError
        As `fgsm`; ValueError also if `steps` is no positive whole number, or `step_size` not positive.

    References
    ----------
    Madry, Makelov, Schmidt, Tsipras, Vladu: Towards deep learning models resistant to adversarial attacks (2017),
    section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.pgd(lambda x: x, np.array([[0.9, 0.1]]), [0], 0.2, limits=(0, 1), seed=0).round(6)
    array([[0.7, 0.3]])
    """
    x = _attackable("pgd", x, epsilon, limits)
    _whole("pgd", steps=steps)
    size = 2.5 * float(epsilon) / steps if step_size is None else float(step_size)
    if step_size is not None and not size > 0:
        raise ValueError(f"pgd(step_size={step_size!r}): it is positive.")
    now: np.ndarray = x
    if random_start:
        noise = generator(seed).uniform(-epsilon, epsilon, x.shape).astype(x.dtype)
        now = _near(x + noise, x, epsilon, limits)
    with _judging(model):
        for _ in range(steps):
            way = _gradient(lambda v: loss(model(v), y), now)
            now = _near(now + (-size if targeted else size) * np.sign(way), x, epsilon, limits)
    return now


def noise_robustness(
    model: Function,
    x: Any,
    y: Any,
    levels: Sequence[float],
    *,
    metric: Callable[[Any, Any], float] | None = None,
    limits: Limits = None,
    seed: Seed = None,
) -> np.ndarray:
    r"""How well a model does on inputs with noise, :math:`x + \sigma z`, :math:`z` standard normal, for each level
    :math:`\sigma`.

    Parameters
    ----------
    model : Module or callable
    x : array, shape (n, ...)
        Floating numbers.
    y : array, shape (n, ...)
        What is right.
    levels : sequence of float, at least 0
        Standard deviations, in units of `x`. All levels scale the same noise.
    metric : callable, optional
        ``metric(prediction, y)``, of all examples. Default: the accuracy of the class with the highest score.
    limits : (low, high), optional
        Between which the numbers of `x` stay.
    seed : int or Generator, optional

    Returns
    -------
    array, of the length of `levels`

    Raises
    ------
    ValueError
        If a level is negative, `x` lies outside `limits`, or without `metric`, if the model gives no scores of shape
        (n, classes).

    References
    ----------
    Hendrycks, Dietterich: Benchmarking neural network robustness to common corruptions and perturbations (2019).

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.noise_robustness(lambda x: x, np.eye(2).repeat(500, 0), np.arange(2).repeat(500), [0, 100], seed=0).round(1)
    array([1. , 0.5])
    """
    x, y = _attackable("noise_robustness", x, min(levels, default=0), limits), np.asarray(y)
    noise = np.random.default_rng(seed).standard_normal(x.shape).astype(x.dtype)
    found: list[float] = []
    for level in levels:
        noisy = x + float(level) * noise
        noisy = noisy if limits is None else noisy.clip(*limits)
        with _judging(model):
            parts = [_plain(model(noisy[i : i + 256])) for i in range(0, max(len(x), 1), 256)]
        scores = np.concatenate(parts)
        if metric is None and scores.ndim != 2:
            raise ValueError(
                f"noise_robustness: the model gave shape {scores.shape}, not (n, classes); give metric=, a function of "
                f"prediction and y."
            )
        found.append(metric(scores, y) if metric else accuracy(scores.argmax(axis=1), y))
    return np.array(found)


# -------------------------------------------------------------------- what they share


def _plain(x: Any) -> np.ndarray:
    return computed(numbers(x))[0]  # type: ignore[no-any-return]


@contextmanager
def _judging(model: Any) -> Iterator[None]:
    """Inside, the model does not learn, and nothing is recorded but for gradients by the input."""
    with no_grad():
        if isinstance(model, Module):
            with mode(model, training=False):
                yield
        else:
            yield


def _gradient(function: Function, x: np.ndarray) -> np.ndarray:
    return as_array(grad(function)(x))  # type: ignore[no-any-return]


def _target(name: str, scores: Any, target: Any) -> np.ndarray | None:
    """Whose score is meant, of each example; None where there is but one."""
    shape = np.shape(scores)
    if len(shape) == 1 or (len(shape) == 2 and shape[1] == 1):
        if target is not None and np.any(target):
            raise ValueError(f"{name}(target={target!r}): the model gives one number for each example.")
        return None
    if len(shape) != 2:
        raise ValueError(f"{name}: the model gave shape {shape}; (n, classes), (n, 1) or (n,) are wanted.")
    target = _plain(scores).argmax(axis=1) if target is None else _plain(target)
    if target.dtype.kind not in "iu" or target.shape not in ((), shape[:1]):
        raise ValueError(f"{name}(target=...): a class, or one for each of {shape[0]} examples, is wanted.")
    if target.size and (target.min() < 0 or target.max() >= shape[1]):
        raise ValueError(f"{name}(target=...): the classes are 0 to {shape[1] - 1}, and one is {target.max()}.")
    return np.broadcast_to(target, shape[:1])


def _score(scores: Any, target: np.ndarray | None) -> Any:
    """The sum over examples, whose gradient by an example is that of its own score."""
    return scores.sum() if target is None else scores[np.arange(len(target)), target].sum()


def _attackable(name: str, x: Any, epsilon: float, limits: Limits) -> np.ndarray:
    found = _plain(x)
    if not epsilon >= 0:
        raise ValueError(f"{name}: {epsilon!r} is no distance; at least 0 is wanted.")
    if limits is not None and found.size and not (limits[0] <= found.min() and found.max() <= limits[1]):
        raise ValueError(f"{name}: x goes from {found.min():.4g} to {found.max():.4g}, outside limits={limits}.")
    return found


def _near(moved: Any, x: np.ndarray, epsilon: float, limits: Limits) -> np.ndarray:
    """The nearest point within `epsilon` of `x`, and within the limits."""
    moved = moved.clip(x - float(epsilon), x + float(epsilon))
    return as_array(moved if limits is None else moved.clip(*limits))  # type: ignore[no-any-return]


def _whole(name: str, **given: Any) -> None:
    for what, number in given.items():
        if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < 1:
            raise ValueError(f"{name}({what}={number!r}): a positive whole number is wanted.")
