"""GetMetricData: metrics and expressions over them, in one window (pure but for the store it reads)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.cloud.services.cloudwatch.errors import invalid_combination, validation_error
from rehearsal.cloud.services.cloudwatch.expressions.evaluate import evaluate, final_series
from rehearsal.cloud.services.cloudwatch.expressions.functions import Evaluation
from rehearsal.cloud.services.cloudwatch.expressions.syntax import ExpressionError, Node, names, parse
from rehearsal.cloud.services.cloudwatch.expressions.values import TimeSeries, Value, Window
from rehearsal.cloud.services.cloudwatch.requests import checked_period, checked_statistic, metric_id, start_of
from rehearsal.cloud.services.cloudwatch.search import matcher
from rehearsal.cloud.services.cloudwatch.store import MetricId, MetricStore, by_period

_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_MOST_QUERIES = 500
_DEFAULT_PERIOD = 60

Query = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What one query answers: one series, or several where its expression makes several."""

    query: Query
    series: TimeSeries

    @property
    def returned(self) -> bool:
        """Whether the caller wants to see it."""
        return self.query.get("ReturnData") is not False


def evaluate_queries(store: MetricStore, queries: Sequence[Query], start: int, end: int) -> list[Result]:
    """Return the results of all queries over [start, end), in their order. Raises AWS's refusals."""
    _check(queries)
    periods = [
        checked_period(int(query["MetricStat"]["Period"]), f"MetricDataQueries.member.{place}.MetricStat.Period")
        for place, query in enumerate(queries, start=1)
        if "MetricStat" in query
    ]
    shortest = min(periods, default=_shortest_declared(queries))
    window = Window(start_of(start, shortest), end)
    metrics = {query["Id"]: _metric(store, query, window) for query in queries if "MetricStat" in query}
    evaluation = Evaluation(window, list(metrics.values()), _searcher(store, window), shortest)
    values = _Expressions(queries, metrics, evaluation).values()
    try:
        return [
            Result(query, replace(series, label=_label(query, series)))
            for query in queries
            for series in final_series(values[query["Id"]], evaluation)
        ]
    except ExpressionError as problem:
        raise validation_error(str(problem)) from problem


class _Expressions:
    """Computes the expressions of a request, each after those that it names."""

    def __init__(self, queries: Sequence[Query], metrics: Mapping[str, TimeSeries], evaluation: Evaluation) -> None:
        self._texts = {query["Id"]: query["Expression"] for query in queries if "Expression" in query}
        self._evaluation = evaluation
        self._values: dict[str, Value] = dict(metrics)
        self._open: list[str] = []

    def values(self) -> Mapping[str, Value]:
        for query_id in self._texts:
            self._compute(query_id)
        return self._values

    def _compute(self, query_id: str) -> None:
        if query_id in self._values:
            return
        if query_id in self._open:
            circle = " -> ".join([*self._open[self._open.index(query_id) :], query_id])
            raise validation_error(f"Error in expression '{query_id}': circular reference {circle}")
        self._open.append(query_id)
        try:
            tree = self._tree(query_id)
            for name in names(tree) & self._texts.keys():
                self._compute(name)
            self._values[query_id] = evaluate(tree, self._values, self._evaluation)
        except ExpressionError as problem:
            text = str(problem)
            known = text.startswith("Error in")
            raise validation_error(text if known else f"Error in expression '{query_id}': {text}") from problem
        self._open.pop()

    def _tree(self, query_id: str) -> Node:
        text = self._texts[query_id]
        if text.lstrip().upper().startswith("SELECT"):
            raise ExpressionError("Metrics Insights queries (SELECT) are not provided by the local cloud")
        return parse(text)


def _metric(store: MetricStore, query: Query, window: Window) -> TimeSeries:
    asked = query["MetricStat"]
    metric = metric_id(asked["Metric"])
    period = int(asked["Period"])
    series = read(store, metric, asked["Stat"], period, window, asked.get("Unit"))
    return replace(series, label=metric.name, query_id=query["Id"])


def read(
    store: MetricStore, metric: MetricId, statistic: str, period: int, window: Window, unit: str | None = None
) -> TimeSeries:
    """Return a metric's statistic by whole periods since the epoch; the first contains the window's start."""
    compute = checked_statistic(statistic, "Stat")
    first = window.start // period * period
    last = -(-window.end // period) * period
    return TimeSeries(by_period(store.between(metric, first, last, unit), period, compute), period)


def _searcher(store: MetricStore, window: Window) -> Any:
    def search(text: str, statistic: str, period: int) -> list[TimeSeries]:
        found = matcher(text)
        metrics = sorted((m for m in store.metrics() if found(m)), key=lambda m: (m.name, sorted(m.dimensions)))
        checked_period(period, "Expression")
        return [
            replace(
                read(store, metric, statistic, period, window),
                label=" ".join([*(value for _, value in sorted(metric.dimensions)), metric.name]),
            )
            for metric in metrics[:_MOST_QUERIES]
        ]

    return search


def _label(query: Query, series: TimeSeries) -> str:
    if query.get("Label"):
        return str(query["Label"])
    return series.label if "MetricStat" in query or "SEARCH" in query["Expression"].upper() else str(query["Id"])


def _shortest_declared(queries: Sequence[Query]) -> int:
    declared = [int(query["Period"]) for query in queries if query.get("Period")]
    return min(declared, default=_DEFAULT_PERIOD)


def _check(queries: Sequence[Query]) -> None:
    if not queries:
        raise validation_error("The parameter MetricDataQueries is required.")
    if len(queries) > _MOST_QUERIES:
        raise validation_error(f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}.")
    seen: set[str] = set()
    for place, query in enumerate(queries, start=1):
        member = f"MetricDataQueries.member.{place}"
        query_id = query.get("Id", "")
        if not _ID.fullmatch(query_id):
            raise validation_error(
                f"The value {query_id} for parameter {member}.Id is not a valid id: it must start with a lower case "
                "letter and hold letters, digits and underscores only."
            )
        if query_id in seen:
            raise validation_error(f"The id {query_id} is used by more than one of MetricDataQueries.")
        seen.add(query_id)
        if "MetricStat" in query and "Expression" in query:
            raise invalid_combination(f"The parameters {member}.MetricStat and {member}.Expression are exclusive.")
        if "MetricStat" not in query and "Expression" not in query:
            raise validation_error(f"The parameter {member}.MetricStat is required.\n")
    if all(query.get("ReturnData") is False for query in queries):
        raise validation_error("At least one of MetricDataQueries must have ReturnData set to true.")
