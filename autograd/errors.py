"""What can go wrong, in the words of the person it happens to.

Every error of `autograd` is an `AutogradError` and also the built-in exception that NumPy or Python
would raise in its place, so `except TypeError` and `except AutogradError` both work.
"""


class AutogradError(Exception):
    """The base of every error that `autograd` raises on purpose."""


class NoRuleError(AutogradError, TypeError):
    """A function, a keyword or an argument for which no derivative is known."""


class EscapeError(AutogradError, TypeError):
    """A conversion or an assignment that would drop a gradient without saying so."""


class DataError(AutogradError, TypeError):
    """Something that cannot be the data of a Value, or cannot have a gradient."""


class LibraryError(AutogradError, TypeError):
    """What an array's library cannot do: a function it lacks, arrays of two libraries, what is not computed yet."""


class ShapeError(AutogradError, ValueError):
    """Shapes that do not fit: of a seed, of new data, of what a rule returned."""


class GraphError(AutogradError, RuntimeError):
    """A graph that cannot be differentiated: constant, released, or changed after it was recorded."""


class AnomalyError(AutogradError, FloatingPointError):
    """Under `anomaly()`: the first NaN or infinity, where it appeared and what made it."""


class DrawingError(AutogradError, ValueError):
    """A picture that cannot be made as asked: no such format, too large, or without the program that draws."""


class ExpressionError(AutogradError, ValueError):
    """A formula in a string that cannot be read, or cannot be evaluated with the values given."""


class TraceError(AutogradError, ValueError):
    """A trace, or a question about one, that does not fit: a name nobody has, a file that holds no trace."""


class CompileError(AutogradError, TypeError):
    """A function of which no program can be made: it looks at numbers on its way, or does more than compute."""


class DerivativeError(AutogradError, AssertionError):
    """A derivative that is wrong, or that could not be checked: what `autograd.testing.assert_...` raise.

    Attributes
    ----------
    report : autograd.testing.Report
        What was found, as data.
    """

    def __init__(self, text: str, report: object = None):
        super().__init__(text)
        self.report = report
