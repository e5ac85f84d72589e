"""What moto's alarms say, read as rules and queries, and the state they are in (pure but for the store it reads)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import Alarm

from rehearsal.cloud.services.cloudwatch.alarms import composite
from rehearsal.cloud.services.cloudwatch.alarms.states import Rule, State, state
from rehearsal.cloud.services.cloudwatch.data import evaluate_queries
from rehearsal.cloud.services.cloudwatch.requests import moment, seconds
from rehearsal.cloud.services.cloudwatch.store import MetricStore

_DEFAULT_PERIOD = 60
_COMPARED = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True)
class Verdict:
    """A state, and why, in AWS's words and as data."""

    state: State
    reason: str
    data: dict[str, Any]


def judge(store: MetricStore, alarm: Alarm, now: datetime) -> Verdict | None:
    """Return the state of a metric alarm by its last whole periods, None if it keeps the one that it has."""
    rule = rule_of(alarm)
    period = period_of(alarm)
    end = seconds(now) // period * period
    start = end - rule.looked_at * period
    results = evaluate_queries(store, queries_of(alarm), start, end)
    returned = [result for result in results if result.returned]
    values: Mapping[int, float] = returned[0].series.values if returned else {}
    times = range(start, end, period)
    found = state(rule, [values.get(time) for time in times])
    if found is None:
        return None
    recent = [(time, values[time]) for time in times if time in values][-rule.periods :]
    return Verdict(found, _reason(rule, found, recent), _data(alarm, period, now, recent))


def judge_composite(alarm: Alarm, states: Mapping[str, str], now: datetime) -> Verdict:
    """Return the state of a composite alarm by the states of the others."""
    holds, named = composite.read(alarm.rule or "")
    found: State = "ALARM" if holds(states) else "OK"
    triggering = [{"name": name, "state": states.get(name)} for name in sorted(named)]
    reason = f"{alarm.rule} is {'true' if found == 'ALARM' else 'false'} at {now:%Y-%m-%dT%H:%M:%SZ}"
    return Verdict(found, reason, {"triggeringAlarms": triggering})


def rule_of(alarm: Alarm) -> Rule:
    """Return what an alarm compares."""
    periods = int(alarm.evaluation_periods)
    return Rule(
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        periods=periods,
        to_alarm=int(alarm.datapoints_to_alarm or periods),
        missing=alarm.treat_missing_data or "missing",
    )


def period_of(alarm: Alarm) -> int:
    """Return the period of an alarm in seconds; for an expression the longest of its metrics'."""
    declared = [query.metric_stat.period for query in alarm.metric_data_queries if query.metric_stat]
    declared += [query.period for query in alarm.metric_data_queries if query.period]
    return max((int(one) for one in [alarm.period, *declared] if one), default=_DEFAULT_PERIOD)


def queries_of(alarm: Alarm) -> list[dict[str, Any]]:
    """Return an alarm's metric, or its metrics and expressions, as GetMetricData takes them."""
    if not alarm.metric_data_queries:
        metric = _metric(alarm.namespace, alarm.metric_name, alarm.dimensions)
        stat = alarm.extended_statistic or alarm.statistic
        return [{"Id": "m1", "MetricStat": _stat(metric, alarm.period, stat, alarm.unit)}]
    queries = []
    for asked in alarm.metric_data_queries:
        query: dict[str, Any] = {"Id": asked.id, "ReturnData": asked.return_data not in (False, "false")}
        if asked.metric_stat is not None:
            inner = asked.metric_stat
            metric = _metric(inner.metric.namespace, inner.metric.metric_name, inner.metric.dimensions)
            query["MetricStat"] = _stat(metric, inner.period, inner.stat, inner.unit)
        else:
            query["Expression"] = asked.expression
        queries.append(query)
    return queries


def _metric(namespace: str, name: str, dimensions: list[Any]) -> dict[str, Any]:
    given = [{"Name": dimension.name, "Value": dimension.value} for dimension in dimensions]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": given}


def _stat(metric: dict[str, Any], period: Any, stat: str, unit: str | None) -> dict[str, Any]:
    said = {"Metric": metric, "Period": int(period or _DEFAULT_PERIOD), "Stat": stat}
    return {**said, "Unit": unit} if unit else said


def _reason(rule: Rule, found: State, recent: list[tuple[int, float]]) -> str:
    if found == "INSUFFICIENT_DATA":
        return "Insufficient Data: no datapoints were received for the evaluation periods."
    breaching = [(time, value) for time, value in recent if rule.breaches(value)]
    shown = breaching if found == "ALARM" else [point for point in recent if point not in breaching]
    listed = ", ".join(f"{value} ({moment(time):%d/%m/%y %H:%M:%S})" for time, value in reversed(shown))
    compared = f"{'' if found == 'ALARM' else 'not '}{_COMPARED[rule.comparison]} the threshold ({rule.threshold})"
    many = f"{len(shown)} out of the last {rule.periods} datapoints"
    if not shown:
        return f"Threshold Crossed: no datapoints were received and missing ones count as {rule.missing}."
    return f"Threshold Crossed: {many} [{listed}] {'were' if len(shown) > 1 else 'was'} {compared}."


def _data(alarm: Alarm, period: int, now: datetime, recent: list[tuple[int, float]]) -> dict[str, Any]:
    return {
        "version": "1.0",
        "queryDate": f"{now:%Y-%m-%dT%H:%M:%S.000+0000}",
        "statistic": alarm.extended_statistic or alarm.statistic,
        "period": period,
        "recentDatapoints": [value for _, value in recent],
        "threshold": alarm.threshold,
    }
