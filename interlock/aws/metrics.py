"""Reads what CloudWatch counted of an endpoint's variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import outside
from interlock.failures import OutsideFailure

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

NAMESPACE = "AWS/SageMaker"
PERIOD_SECONDS = 60

Series = tuple[tuple[datetime, float], ...]
"""Values at the start of their periods (UTC), in order of time."""


@dataclass(frozen=True)
class MetricQuery:
    """One metric of one variant; `statistic` is CloudWatch's, for example `Sum` or `p99`."""

    metric: str
    statistic: str


def read_variant(
    cloudwatch: CloudWatchClient,
    endpoint_name: str,
    variant: str,
    queries: Sequence[MetricQuery],
    start: datetime,
    end: datetime,
    *,
    period_seconds: int = PERIOD_SECONDS,
) -> dict[MetricQuery, Series]:
    """Return a series for each query, empty where CloudWatch has no data.

    Latencies are in microseconds. Raises OutsideFailure, also when CloudWatch gives only a part of the data.
    """
    wanted = {f"q{index}": query for index, query in enumerate(queries)}
    values: dict[MetricQuery, list[tuple[datetime, float]]] = {query: [] for query in queries}
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint_name},
        {"Name": "VariantName", "Value": variant},
    ]
    requests: list[Any] = [
        {
            "Id": identifier,
            "MetricStat": {
                "Metric": {"Namespace": NAMESPACE, "MetricName": query.metric, "Dimensions": dimensions},
                "Period": period_seconds,
                "Stat": query.statistic,
            },
        }
        for identifier, query in wanted.items()
    ]
    try:
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=requests, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
        )
        statuses: dict[str, str] = {}
        for page in pages:
            for result in page["MetricDataResults"]:
                statuses[result["Id"]] = result["StatusCode"]
                values[wanted[result["Id"]]] += zip(result["Timestamps"], result["Values"], strict=True)
    except (ClientError, BotoCoreError) as error:
        raise outside(f"read the metrics of {endpoint_name}", error) from error
    incomplete = [f"{wanted[one].metric}: {status}" for one, status in statuses.items() if status != "Complete"]
    if incomplete or set(statuses) != set(wanted):
        missing = [query.metric for identifier, query in wanted.items() if identifier not in statuses]
        raise OutsideFailure(f"CloudWatch gave only a part of {endpoint_name}'s metrics", reasons=incomplete + missing)
    return {query: tuple(sorted(series)) for query, series in values.items()}
