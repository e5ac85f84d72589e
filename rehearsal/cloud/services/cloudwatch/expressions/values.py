"""What expressions are computed with: scalars, time series and arrays of them (pure)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from rehearsal.cloud.services.cloudwatch.expressions.syntax import ExpressionError


@dataclass(frozen=True)
class TimeSeries:
    """Values by the start of their period (seconds since the epoch), every `period` seconds where there is data."""

    values: Mapping[int, float]
    period: int
    label: str = ""
    query_id: str = ""


@dataclass(frozen=True)
class Window:
    """What a query looks at: [start, end) in seconds since the epoch."""

    start: int
    end: int

    def times(self, period: int) -> range:
        """Return the start of every period of the window."""
        return range(self.start // period * period, self.end, period)


Value = float | str | TimeSeries | list[TimeSeries]


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _power(left: float, right: float) -> float | None:
    try:
        raised = left**right
    except (ZeroDivisionError, OverflowError):
        return None
    return None if isinstance(raised, complex) else float(raised)


_OPERATORS: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "||": lambda left, right: float(bool(left) or bool(right)),
}


def operate(sign: str, left: Value, right: Value) -> Value:
    """Apply an operator: to scalars at once, to a time series point by point, to an array series by series.

    Two series meet where both have a value; where a division by zero would be, there is no value.
    """
    if isinstance(left, str) or isinstance(right, str):
        raise ExpressionError(f"the operator {sign} takes numbers and metrics, not text")
    if isinstance(left, list) and isinstance(right, list):
        raise ExpressionError(f"the operator {sign} does not take two arrays of metrics")
    if isinstance(left, list):
        return [_series(operate(sign, member, right)) for member in left]
    if isinstance(right, list):
        return [_series(operate(sign, left, member)) for member in right]
    compute = _OPERATORS[sign]
    if isinstance(left, TimeSeries) or isinstance(right, TimeSeries):
        return combine(compute, left, right)
    result = compute(left, right)
    if result is None:
        raise ExpressionError(f"{left} {sign} {right} has no value")
    return result


def combine(
    compute: Callable[[float, float], float | None], left: float | TimeSeries, right: float | TimeSeries
) -> TimeSeries:
    """Return what `compute` makes of two operands of which at least one is a series, point by point."""
    shape = left if isinstance(left, TimeSeries) else right
    assert isinstance(shape, TimeSeries)
    values: dict[int, float] = {}
    for time in shape.values:
        one = left.values.get(time) if isinstance(left, TimeSeries) else left
        other = right.values.get(time) if isinstance(right, TimeSeries) else right
        result = compute(one, other) if one is not None and other is not None else None
        if result is not None:
            values[time] = result
    return replace(shape, values=values)


def each(function: Callable[[TimeSeries], TimeSeries], value: Value, name: str) -> Value:
    """Apply a function of one series to a series, or to each of an array."""
    if isinstance(value, TimeSeries):
        return function(value)
    if isinstance(value, list):
        return [function(member) for member in value]
    raise ExpressionError(f"{name} takes a metric or an array of metrics")


def as_array(value: Value, name: str) -> list[TimeSeries]:
    """Return an array of metrics as it is, one metric as an array of one. Raises ExpressionError."""
    if isinstance(value, TimeSeries):
        return [value]
    if isinstance(value, list):
        return value
    raise ExpressionError(f"{name} takes an array of metrics")


def _series(value: Value) -> TimeSeries:
    assert isinstance(value, TimeSeries)
    return value
