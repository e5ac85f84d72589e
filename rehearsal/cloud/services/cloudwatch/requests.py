"""What the metric operations have in common: dimensions, statistics, periods and times as requests give them (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.services.cloudwatch.errors import invalid_value
from rehearsal.cloud.services.cloudwatch.statistics import Statistic, UnknownStatistic, statistic
from rehearsal.cloud.services.cloudwatch.store import Dimensions, MetricId

_SHORT_PERIODS = (1, 5, 10, 20, 30)
_MINUTE = 60


def metric_id(metric: Mapping[str, Any]) -> MetricId:
    """Return what a Metric of the API names."""
    return MetricId(metric["Namespace"], metric["MetricName"], dimensions(metric.get("Dimensions") or []))


def dimensions(given: Sequence[Mapping[str, str]]) -> Dimensions:
    """Return the dimensions of a request, whose order means nothing."""
    return frozenset((one["Name"], one["Value"]) for one in given)


def checked_statistic(name: str, parameter: str) -> Statistic:
    """Return a statistic. Raises AWS's InvalidParameterValue."""
    try:
        return statistic(name)
    except UnknownStatistic:
        raise invalid_value(f"The value {name} for parameter {parameter} is not supported.") from None


def checked_period(period: int, parameter: str) -> int:
    """Return a period in seconds. Raises AWS's InvalidParameterValue."""
    if period in _SHORT_PERIODS or (period > 0 and period % _MINUTE == 0):
        return period
    raise invalid_value(
        f"The parameter {parameter} must be a multiple of 60 or one of 1, 5, 10, 20, 30; its value is {period}."
    )


def seconds(moment: datetime) -> int:
    """Return whole seconds since the epoch; a time without a zone is UTC."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def start_of(start: int, shortest_period: int) -> int:
    """Return where CloudWatch begins to look: at a whole minute, or at a whole period that is shorter.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html (StartTime). The
    coarser rounding of times more than 15 days ago has no data here to matter to.
    """
    unit = min(shortest_period, _MINUTE)
    return start // unit * unit


def moment(time: int) -> datetime:
    """Return the UTC time of whole seconds since the epoch."""
    return datetime.fromtimestamp(time, UTC)
