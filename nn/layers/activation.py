"""Activation: a function with parameters of its own, as a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module import Module
from .dense import name_of

__all__ = ["Activation"]


class Activation(Module):
    r"""A function, applied to each `x` with the keywords given here: :math:`\varphi(x; \dots)`.

    A function that needs no keywords is a layer as it stands: ``nn.Sequential(nn.Dense(8), nn.relu)``.

    Parameters
    ----------
    function : callable
        Such as `nn.leaky_relu`.
    **keywords
        Its parameters. One that is a Value with a gradient to come is learnt.

    Raises
    ------
    TypeError
        If `function` cannot be called; when called: if it does not know a keyword.

    References
    ----------
    He, Zhang, Ren, Sun: Delving deep into rectifiers (2015), on slopes that are learnt.

    Examples
    --------
    >>> import nn
    >>> nn.Activation(nn.leaky_relu, slope=0.1)
    Activation(leaky_relu, slope=0.1): 0 parameters
    >>> nn.Activation(nn.leaky_relu, slope=0.1)([-2.0, 3.0])
    array([-0.2,  3. ])
    """

    def __init__(self, function: Callable[..., Any], **keywords: Any):
        if not callable(function):
            raise TypeError(f"Activation({function!r}): a function, such as nn.leaky_relu, is wanted.")
        self.function, self.keywords = function, keywords

    def forward(self, x: Any) -> Any:
        """Apply the function to x of any shape that it takes."""
        return self.function(x, **self.keywords)

    def describe(self) -> str:
        facts = [name_of(self.function)]
        for name, setting in self.keywords.items():
            facts.append(name if hasattr(setting, "shape") else f"{name}={setting!r}")
        return f"Activation({', '.join(facts)})"
