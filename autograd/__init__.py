"""Gradients of NumPy code: Values that record what was computed, and rules written in NumPy."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .modes import anomaly as anomaly
from .modes import enable_grad as enable_grad
from .modes import no_grad as no_grad
from .op import as_array as as_array
from .op import certain as certain
from .op import defop as defop
from .rules.elementwise import normal_cdf as normal_cdf
from .rules.elementwise import relu as relu
from .rules.elementwise import sigmoid as sigmoid
from .rules.reduction import log_softmax as log_softmax
from .rules.reduction import logsumexp as logsumexp
from .rules.reduction import softmax as softmax
from .rules.reduction import softmax_cross_entropy as softmax_cross_entropy
from .transforms import checkpoint as checkpoint
from .transforms import derivative as derivative
from .transforms import grad as grad
from .transforms import hessian as hessian
from .transforms import hvp as hvp
from .transforms import jacobian as jacobian
from .transforms import jvp as jvp
from .transforms import value_and_grad as value_and_grad
from .transforms import vjp as vjp
from .value import Value as Value

if TYPE_CHECKING:
    from .catalogue import coverage as coverage
    from .compiling import compile as compile
    from .compiling import gradient_source as gradient_source
    from .drawing import draw as draw
    from .formulas import formula as formula
    from .questions import fan_out as fan_out
    from .questions import paths as paths
    from .questions import reaches as reaches
    from .questions import why_no_grad as why_no_grad
    from .rules.convolution import conv2d as conv2d
    from .rules.convolution import conv2d_input as conv2d_input
    from .rules.convolution import max_pool2d as max_pool2d
    from .rules.convolution import window_sum as window_sum
    from .rules.recurrent import lstm as lstm
    from .tracing import trace as trace

_LATER = {
    "compile": "compiling",
    "conv2d": "rules.convolution",
    "conv2d_input": "rules.convolution",
    "coverage": "catalogue",
    "draw": "drawing",
    "fan_out": "questions",
    "formula": "formulas",
    "gradient_source": "compiling",
    "lstm": "rules.recurrent",
    "max_pool2d": "rules.convolution",
    "paths": "questions",
    "polygamma": "rules.special",
    "reaches": "questions",
    "trace": "tracing",
    "why_no_grad": "questions",
    "window_sum": "rules.convolution",
}


def __getattr__(name: str) -> Any:
    """What few need is loaded when it is first asked for: the others do not wait for it."""
    if name not in _LATER:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    globals()[name] = getattr(import_module(f".{_LATER[name]}", __name__), name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
