"""The alarm operations of CloudWatch's API, in place of or around moto's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend

from rehearsal.cloud.services.cloudwatch import pages
from rehearsal.cloud.services.cloudwatch.alarms import composite
from rehearsal.cloud.services.cloudwatch.alarms.evaluation import Verdict, period_of, queries_of
from rehearsal.cloud.services.cloudwatch.alarms.states import COMPARISONS
from rehearsal.cloud.services.cloudwatch.alarms.watch import Watch
from rehearsal.cloud.services.cloudwatch.data import evaluate_queries
from rehearsal.cloud.services.cloudwatch.errors import invalid_combination, not_found, validation_error
from rehearsal.cloud.services.cloudwatch.requests import checked_period
from rehearsal.cloud.services.cloudwatch.store import MetricStore

_PAGE = 50
_STATES = ("INSUFFICIENT_DATA", "ALARM", "OK")
Request = Mapping[str, Any]


def check_metric_alarm(request: Request) -> None:
    """Raise what AWS answers to an alarm that could never be evaluated."""
    if request.get("ComparisonOperator") not in COMPARISONS:
        raise validation_error(
            f"The local cloud does not provide the comparison {request.get('ComparisonOperator')}: there are "
            f"{', '.join(COMPARISONS)}."
        )
    if request.get("Statistic") and request.get("ExtendedStatistic"):
        raise invalid_combination("The parameters Statistic and ExtendedStatistic are mutually exclusive.")
    most, needed = int(request.get("EvaluationPeriods") or 0), int(request.get("DatapointsToAlarm") or 1)
    if not 1 <= needed <= most:
        raise validation_error("DatapointsToAlarm must be at least 1 and not greater than EvaluationPeriods.")
    if not request.get("Metrics") and request.get("MetricName"):
        checked_period(int(request.get("Period") or 0), "Period")


def check_queries(alarm: Alarm) -> None:
    """Raise AWS's refusal of metrics and expressions that cannot be evaluated."""
    evaluate_queries(MetricStore(), queries_of(alarm), 0, period_of(alarm))


def born(alarm: Alarm, replaced: Alarm | None, now: datetime) -> None:
    """Give a new alarm the state AWS gives it, and one that replaces another that one's."""
    if replaced is None:
        alarm.state_value, alarm.state_updated_timestamp = "INSUFFICIENT_DATA", now
        return
    for attribute in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp"):
        setattr(alarm, attribute, getattr(replaced, attribute))


def put_composite_alarm(backend: CloudWatchBackend, request: Request) -> Alarm:
    """Make an alarm of other alarms. Raises AWS's refusals."""
    _, named = composite.read(request["AlarmRule"])
    unknown = sorted(named - backend.alarms.keys())
    if unknown:
        raise validation_error(f"Could not save the composite alarm as alarms {unknown} in the alarm rule do not exist")
    nothing: dict[str, Any] = dict.fromkeys(
        ("namespace", "metric_name", "comparison_operator", "evaluation_periods", "period", "threshold", "statistic")
    )
    return backend.put_metric_alarm(
        name=request["AlarmName"],
        description=request.get("AlarmDescription"),
        dimensions=[],
        alarm_actions=request.get("AlarmActions") or [],
        ok_actions=request.get("OKActions") or [],
        insufficient_data_actions=request.get("InsufficientDataActions") or [],
        actions_enabled=request.get("ActionsEnabled", True),
        rule=request["AlarmRule"],
        tags=request.get("Tags") or [],
        **nothing,
    )


def describe_alarms(backend: CloudWatchBackend, request: Request) -> dict[str, Any]:
    """Return a page of alarms that match all that the request asks for; metric alarms unless it names types."""
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    names, prefix, action = request.get("AlarmNames"), request.get("AlarmNamePrefix"), request.get("ActionPrefix")
    found = [
        alarm
        for alarm in backend.alarms.values()
        if ("CompositeAlarm" if alarm.rule is not None else "MetricAlarm") in types
        and (not names or alarm.name in names)
        and (not prefix or alarm.name.startswith(prefix))
        and request.get("StateValue") in (None, alarm.state_value)
        and (not action or any(one.startswith(action) for one in _actions(alarm)))
    ]
    found.sort(key=lambda alarm: alarm.name)
    first, size = pages.offset(request.get("NextToken")), int(request.get("MaxRecords") or _PAGE)
    page = found[first : first + size]
    return {
        "MetricAlarms": [alarm for alarm in page if alarm.rule is None],
        "CompositeAlarms": [alarm for alarm in page if alarm.rule is not None],
        "NextToken": pages.token(first + size) if first + size < len(found) else None,
    }


def set_alarm_state(watch: Watch, backend: CloudWatchBackend, request: Request) -> None:
    """Put an alarm into a state until it is evaluated next. Raises AWS's refusals."""
    alarm = backend.alarms.get(request["AlarmName"])
    if alarm is None:
        raise not_found("Unknown")
    if request["StateValue"] not in _STATES:
        raise validation_error(
            f"1 validation error detected: Value '{request['StateValue']}' at 'stateValue' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(_STATES)}]"
        )
    try:
        data = json.loads(request.get("StateReasonData") or "{}")
    except ValueError:
        raise validation_error("StateReasonData must be JSON.") from None
    watch.move(backend, alarm, Verdict(request["StateValue"], request["StateReason"], data))


def _actions(alarm: Alarm) -> list[str]:
    return [*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions]
