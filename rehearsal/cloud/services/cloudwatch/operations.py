"""The metric operations of CloudWatch's API over one account's store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rehearsal.cloud.services.cloudwatch import pages, publishing, statistics_request
from rehearsal.cloud.services.cloudwatch.data import evaluate_queries
from rehearsal.cloud.services.cloudwatch.errors import validation_error
from rehearsal.cloud.services.cloudwatch.requests import seconds
from rehearsal.cloud.services.cloudwatch.store import MetricId, MetricStore

_LIST_PAGE = 500
_MOST_POINTS = 100_800
_RECENT_SECONDS = 3 * 3600

Request = Mapping[str, Any]
Answer = dict[str, Any]


def put_metric_data(store: MetricStore, request: Request, now: datetime) -> Answer:
    """Keep what a caller publishes."""
    publishing.refuse_reserved(request["Namespace"])
    publishing.put(store, request["Namespace"], request.get("MetricData") or [], now)
    return {}


def get_metric_data(store: MetricStore, request: Request, now: datetime) -> Answer:  # noqa: ARG001
    """Answer queries, newest data point first unless the request says otherwise."""
    start, end = seconds(request["StartTime"]), seconds(request["EndTime"])
    if start > end:
        raise validation_error("The parameter EndTime must be greater than StartTime.")
    if start == end:
        raise validation_error("The parameter StartTime must not equal parameter EndTime.")
    results = evaluate_queries(store, request.get("MetricDataQueries") or [], start, end)
    newest_first = (request.get("ScanBy") or "TimestampDescending") == "TimestampDescending"
    page, token = pages.data_page(
        [result for result in results if result.returned],
        pages.offset(request.get("NextToken")),
        int(request.get("MaxDatapoints") or _MOST_POINTS),
        newest_first,
    )
    return {"MetricDataResults": page, "NextToken": token, "Messages": []}


def get_metric_statistics(store: MetricStore, request: Request, now: datetime) -> Answer:  # noqa: ARG001
    """Answer statistics of one metric."""
    return {"Label": request["MetricName"], "Datapoints": statistics_request.datapoints(store, request)}


def list_metrics(store: MetricStore, request: Request, now: datetime) -> Answer:
    """Return a page of the metrics that match; a dimension may be asked for by name alone."""
    wanted = request.get("Dimensions") or []
    since = seconds(now) - _RECENT_SECONDS if request.get("RecentlyActive") == "PT3H" else 0
    found = [
        metric
        for metric, latest in store.metrics().items()
        if latest >= since
        and request.get("Namespace") in (None, metric.namespace)
        and request.get("MetricName") in (None, metric.name)
        and all(_has(metric, one) for one in wanted)
    ]
    found.sort(key=lambda metric: (metric.namespace, metric.name, sorted(metric.dimensions)))
    first = pages.offset(request.get("NextToken"))
    token = pages.token(first + _LIST_PAGE) if first + _LIST_PAGE < len(found) else None
    return {"Metrics": [metric.described() for metric in found[first : first + _LIST_PAGE]], "NextToken": token}


def _has(metric: MetricId, wanted: Mapping[str, str]) -> bool:
    return any(name == wanted["Name"] and wanted.get("Value") in (None, value) for name, value in metric.dimensions)
