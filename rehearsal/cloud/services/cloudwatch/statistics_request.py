"""GetMetricStatistics: one metric, several statistics (pure but for the store it reads).

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.cloud.services.cloudwatch.errors import invalid_combination, invalid_value
from rehearsal.cloud.services.cloudwatch.requests import (
    checked_period,
    checked_statistic,
    metric_id,
    moment,
    seconds,
    start_of,
)
from rehearsal.cloud.services.cloudwatch.store import MetricStore, by_period

_MOST_POINTS = 1440
_BASIC = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


def datapoints(store: MetricStore, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return Datapoints, one for each period with data; periods begin at StartTime, rounded down to a minute."""
    period = checked_period(int(request["Period"]), "Period")
    start, end = start_of(seconds(request["StartTime"]), period), seconds(request["EndTime"])
    if start >= end:
        raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
    if (end - start) / period > _MOST_POINTS:
        raise invalid_combination(
            f"You have requested up to {(end - start) // period:,} datapoints, which exceeds the limit of "
            f"{_MOST_POINTS:,}. You may reduce the datapoints requested by increasing Period, or decreasing the time "
            "range."
        )
    basic, extended = request.get("Statistics") or [], request.get("ExtendedStatistics") or []
    if not basic and not extended:
        raise invalid_combination("Must specify either Statistics or ExtendedStatistics")
    for name in basic:
        if name not in _BASIC:
            raise invalid_value(f"The value {name} for parameter Statistics is not supported.")
    observed = store.between(metric_id(request), start, end, request.get("Unit"))
    points: dict[tuple[int, str], dict[str, Any]] = {}
    for name, member in [
        *((name, "Statistics") for name in basic),
        *((name, "ExtendedStatistics") for name in extended),
    ]:
        compute = checked_statistic(name, member)
        for unit in sorted({one.unit for _, one in observed}):
            of_unit = [(time, one) for time, one in observed if one.unit == unit]
            for time, value in by_period(of_unit, period, compute, origin=start).items():
                point = points.setdefault((time, unit), {"Timestamp": moment(time), "Unit": unit})
                _set(point, member, name, value)
    return [points[key] for key in sorted(points)]


def _set(point: dict[str, Any], member: str, name: str, value: float) -> None:
    if member == "Statistics":
        point[name] = value
    else:
        point.setdefault("ExtendedStatistics", {})[name] = value
