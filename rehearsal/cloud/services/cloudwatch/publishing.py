"""PutMetricData: what is accepted, and the observations it stands for (pure).

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rehearsal.cloud.services.cloudwatch.errors import invalid_combination, invalid_value, missing
from rehearsal.cloud.services.cloudwatch.requests import dimensions, seconds
from rehearsal.cloud.services.cloudwatch.statistics import Observation, Sample, Summary
from rehearsal.cloud.services.cloudwatch.store import STANDARD_RESOLUTION, MetricId, MetricStore, Stored

_OLDEST = timedelta(days=14)
_NEWEST = timedelta(hours=2)
_MOST_METRICS = 1000
_MOST_VALUES = 150
_MOST_DIMENSIONS = 30
_LARGEST = 2.0**360

Datum = Mapping[str, Any]


def put(store: MetricStore, namespace: str, data: Sequence[Datum], now: datetime) -> None:
    """Keep what a request publishes, all of it or, if AWS would refuse it, nothing."""
    if len(data) > _MOST_METRICS:
        raise invalid_value(f"The collection MetricData must not have a size greater than {_MOST_METRICS}.")
    read = [(datum, _observations(datum, f"MetricData.member.{place}", now)) for place, datum in enumerate(data, 1)]
    for datum, observations in read:
        metric = MetricId(namespace, datum["MetricName"], dimensions(datum.get("Dimensions") or []))
        unit = datum.get("Unit") or "None"
        at = seconds(datum.get("Timestamp") or now)
        resolution = int(datum.get("StorageResolution") or STANDARD_RESOLUTION)
        store.add(metric, at, [Stored(observation, unit) for observation in observations], resolution)


def refuse_reserved(namespace: str) -> None:
    """Raise AWS's refusal of a namespace that only AWS's own services publish to."""
    if namespace.startswith("AWS/"):
        raise invalid_value(f"The value {namespace} for parameter Namespace is invalid.")


def _observations(datum: Datum, member: str, now: datetime) -> list[Observation]:
    if not datum.get("MetricName"):
        raise missing(f"The parameter {member}.MetricName is required.")
    if len(datum.get("Dimensions") or []) > _MOST_DIMENSIONS:
        raise invalid_value(f"The collection {member}.Dimensions must not have a size greater than {_MOST_DIMENSIONS}.")
    if datum.get("StorageResolution") not in (None, 1, STANDARD_RESOLUTION):
        raise invalid_value(f"The parameter {member}.StorageResolution must be 1 or {STANDARD_RESOLUTION}.")
    _check_time(datum.get("Timestamp"), member, now)
    given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if not given:
        raise missing(f"At least one of the parameters {member}.Value, Values and StatisticValues is required.")
    if len(given) > 1:
        raise invalid_combination(
            f"The parameters {member}.{given[0]} and {member}.{given[1]} are mutually exclusive and you have specified "
            "both."
        )
    if given == ["Value"]:
        return [Sample(_number(datum["Value"], f"{member}.Value"))]
    if given == ["Values"]:
        return _counted(datum["Values"], datum.get("Counts"), member)
    return [_summary(datum["StatisticValues"], f"{member}.StatisticValues")]


def _counted(values: Sequence[float], counts: Sequence[float] | None, member: str) -> list[Observation]:
    if counts is not None and len(counts) != len(values):
        raise invalid_value(f"The parameters {member}.Values and {member}.Counts must be of the same size.")
    if len(values) > _MOST_VALUES:
        raise invalid_value(f"The collection {member}.Values must not have a size greater than {_MOST_VALUES}.")
    pairs = zip(values, counts or [1.0] * len(values), strict=True)
    return [Sample(_number(v, f"{member}.Values"), _number(c, f"{member}.Counts")) for v, c in pairs]


def _summary(given: Mapping[str, float], member: str) -> Summary:
    for name in ("SampleCount", "Sum", "Minimum", "Maximum"):
        if name not in given:
            raise missing(f"The parameter {member}.{name} is required.")
    if given["Minimum"] > given["Maximum"]:
        raise invalid_combination(f"{member}.Minimum must not be greater than {member}.Maximum.")
    return Summary(float(given["SampleCount"]), float(given["Sum"]), float(given["Minimum"]), float(given["Maximum"]))


def _number(value: float, member: str) -> float:
    number = float(value)
    if math.isnan(number) or math.isinf(number):
        raise invalid_value(f"The value {value} for parameter {member} is invalid.")
    if abs(number) > _LARGEST:
        raise invalid_value(f"The value {value} for parameter {member} must be between -2^360 and 2^360.")
    return number


def _check_time(at: datetime | None, member: str, now: datetime) -> None:
    if at is not None and seconds(at) > seconds(now + _NEWEST):
        raise invalid_value(
            f"The parameter {member}.Timestamp must specify a time no more than two hours in the future."
        )
    if at is not None and seconds(at) < seconds(now - _OLDEST):
        raise invalid_value(f"The parameter {member}.Timestamp must specify a time no more than two weeks in the past.")
