"""Checks of derivatives: of one worked out by hand, of a formula, of an operation's rule, of the engine, of a module.

    from autograd.testing import assert_derivative, derivative_of

    def test_derivative():
        assert_derivative(f, df, at=[-1.0, 0.5, 2.0])       # or, the same:
        assert df == derivative_of(f, at=[-1.0, 0.5, 2.0])

The verdict is PASS, FAIL, or INCONCLUSIVE (which does not pass, and says why). A failure shows where, by how much,
and what the error looks like: a sign, a factor, the term of the product rule that is missing. Each check returns a
`Report`; its `assert_...` form raises it as an AssertionError, for pytest and unittest alike.

`autograd.testing.strategies` has strategies for Hypothesis.
"""

from .by_hand import assert_derivative as assert_derivative
from .by_hand import check_derivative as check_derivative
from .by_hand import derivative_of as derivative_of
from .engine import assert_gradients as assert_gradients
from .engine import check_gradients as check_gradients
from .formulas import assert_formula as assert_formula
from .formulas import check_formula as check_formula
from .modules import assert_module as assert_module
from .modules import check_module as check_module
from .pullbacks import assert_vjp as assert_vjp
from .pullbacks import check_vjp as check_vjp
from .report import Finding as Finding
from .report import Report as Report
from .report import Row as Row
from .report import settings as settings
