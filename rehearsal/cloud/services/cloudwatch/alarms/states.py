"""The state of a metric alarm from its data points (pure)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

EXTRA_PERIODS = 2
"""How many periods more than EvaluationPeriods are looked at; AWS's examples have two, its rule is not documented."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Rule:
    """What an alarm compares: `to_alarm` of the last `periods` data points must breach."""

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    missing: Missing = "missing"

    @property
    def looked_at(self) -> int:
        """How many periods the alarm looks at."""
        return self.periods + EXTRA_PERIODS

    def breaches(self, value: float) -> bool:
        """Say whether a data point breaches the threshold."""
        return COMPARISONS[self.comparison](value, self.threshold)


def state(rule: Rule, points: Sequence[float | None]) -> State | None:
    """Return the state that data points (one a period, oldest first, None where missing) put an alarm in.

    None: it keeps the state it has. With as many real points as periods, missing ones are passed over; with fewer,
    `rule.missing` says what they count as. An alarm that treats missing data as missing also goes off when its oldest
    real point breaches, is at least `to_alarm` periods old, and nothing after it is in order.
    """
    real = [rule.breaches(point) for point in points if point is not None]
    if len(real) >= rule.periods:
        return "ALARM" if sum(real[-rule.periods :]) >= rule.to_alarm else "OK"
    breaching = sum(real)
    if breaching >= rule.to_alarm:
        return "ALARM"
    if rule.missing == "breaching":
        return "ALARM" if breaching + rule.periods - len(real) >= rule.to_alarm else "OK"
    if rule.missing == "notBreaching":
        return "OK"
    if not real:
        return "INSUFFICIENT_DATA" if rule.missing == "missing" else None
    if breaching < len(real):
        return "OK"
    if rule.missing == "ignore":
        return None
    age = len(points) - next(place for place, point in enumerate(points) if point is not None)
    return "ALARM" if age >= rule.to_alarm else None
