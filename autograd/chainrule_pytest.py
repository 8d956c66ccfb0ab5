"""What pytest shows of derivatives and Values, and how it seeds checks. Loaded by pytest when this is installed.

It imports nothing until a test needs it. Options and marker set the seed and the relative tolerance of the checks of
`autograd.testing` that do not say their own:

    pytest --derivative-seed=1 --derivative-rtol=1e-5

    @pytest.mark.derivative(rtol=1e-4)
    def test_rough(): ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from autograd.value import Value


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("derivatives")
    group.addoption("--derivative-seed", type=int, metavar="N", help="seed of checks of derivatives (default 0)")
    group.addoption("--derivative-rtol", type=float, metavar="X", help="relative tolerance of these (default 1e-6)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "derivative(seed=0, rtol=1e-6): of the checks of autograd.testing in this test.")


def pytest_report_header(config: pytest.Config) -> str | None:
    given = _given(config)
    return f"derivatives: {', '.join(f'{name}={content}' for name, content in given.items())}" if given else None


def _given(config: pytest.Config) -> dict[str, Any]:
    options = {"seed": config.getoption("--derivative-seed"), "rtol": config.getoption("--derivative-rtol")}
    return {name: content for name, content in options.items() if content is not None}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    given = _given(item.config)
    for marker in reversed(list(item.iter_markers("derivative"))):  # the innermost one last
        unknown = set(marker.kwargs) - {"seed", "rtol"}
        if unknown or marker.args:
            raise pytest.UsageError(f"{item.nodeid}: @pytest.mark.derivative takes seed= and rtol=, by name.")
        given |= marker.kwargs
    if not given:
        return (yield)
    from autograd.testing import settings

    with settings(**given):
        return (yield)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names for Values and operations, the same in every process: of addresses xdist's workers could not agree."""
    values, ops = sys.modules.get("autograd.value"), sys.modules.get("autograd.op")
    if ops is not None and isinstance(val, ops.Op):
        return str(val.name)
    if values is not None and isinstance(val, values.Value) and val.label is not None:
        return str(val.label)
    return None


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """What a failed comparison shows: the report of ``df == derivative_of(f)``, or Values with data and gradient."""
    testing, values = sys.modules.get("autograd.testing.by_hand"), sys.modules.get("autograd.value")
    if testing is not None and op in ("==", "!="):
        for side in (left, right):
            if isinstance(side, testing.DerivativeOf) and side.report is not None:
                lines = side.report.lines()
                return lines if op == "==" else [f"{lines[0]}, and it should not be", *lines[1:]]
    if values is not None and any(isinstance(side, values.Value) for side in (left, right)):
        return [f"{_one_line(left, values)} {op} {_one_line(right, values)}", *_told(left, right, values)]
    return None


def _one_line(side: Any, values: Any) -> str:
    if not isinstance(side, values.Value):
        return repr(side)[:60]
    return str(side.label) if side.label is not None else f"Value({' '.join(str(side.data).split())[:60]})"


def _told(left: Any, right: Any, values: Any) -> list[str]:
    lines = []
    for name, side in (("left", left), ("right", right)):
        if isinstance(side, values.Value):
            value: Value = side
            facts = [f"data={_short(value.data)}", f"grad={_short(value.grad)}"]
            facts += [f"shape={value.shape}"] if value.shape else []
            facts += [f"from {value.op.name}"] if value.op is not None else []
            lines.append(f"  {name}: {value.label or 'without a label'}: {', '.join(facts)}")
    try:
        difference = abs(float(getattr(left, "data", left)) - float(getattr(right, "data", right)))
        lines.append(f"  difference: {difference:.3g}")
    except (TypeError, ValueError):
        pass
    return lines


def _short(data: Any) -> str:
    text = " ".join(repr(data.tolist() if hasattr(data, "tolist") else data).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
