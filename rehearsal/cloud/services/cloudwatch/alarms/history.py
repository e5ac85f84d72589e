"""What has happened to alarms, for DescribeAlarmHistory, and the notifications that state changes send."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import Alarm
from moto.sns.models import sns_backends

from rehearsal.cloud.services.cloudwatch import pages
from rehearsal.cloud.services.cloudwatch.requests import seconds

_PAGE = 100
_log = logging.getLogger(__name__)
Item = dict[str, Any]


class History:
    """The history of the alarms of one account in one region, oldest first."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def add(self, alarm: Alarm, at: datetime, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        """Note a ConfigurationUpdate, StateUpdate or Action."""
        self._items.append(
            {
                "AlarmName": alarm.name,
                "AlarmType": "CompositeAlarm" if alarm.rule is not None else "MetricAlarm",
                "Timestamp": at,
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps(data),
            }
        )

    def page(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DescribeAlarmHistory, newest first unless asked otherwise."""
        types = request.get("AlarmTypes") or ["MetricAlarm"]
        found = [
            item
            for item in self._items
            if item["AlarmType"] in types
            and request.get("AlarmName") in (None, item["AlarmName"])
            and request.get("HistoryItemType") in (None, item["HistoryItemType"])
            and ("StartDate" not in request or seconds(item["Timestamp"]) >= seconds(request["StartDate"]))
            and ("EndDate" not in request or seconds(item["Timestamp"]) <= seconds(request["EndDate"]))
        ]
        if (request.get("ScanBy") or "TimestampDescending") == "TimestampDescending":
            found.reverse()
        first, size = pages.offset(request.get("NextToken")), int(request.get("MaxRecords") or _PAGE)
        token = pages.token(first + size) if first + size < len(found) else None
        return {"AlarmHistoryItems": found[first : first + size], "NextToken": token}


def notify(alarm: Alarm, account_id: str, region: str, before: str, at: datetime) -> list[tuple[str, bool]]:
    """Send the actions of an alarm's new state to their topics and return (action, whether that worked) for each."""
    actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(
        alarm.state_value, alarm.insufficient_data_actions
    )
    return [(action, _publish(action, _message(alarm, account_id, region, before, at), alarm)) for action in actions]


def _publish(action: str, message: Mapping[str, Any], alarm: Alarm) -> bool:
    parts = action.split(":")
    if len(parts) < 6 or parts[2] != "sns":
        _log.warning("alarm %s: the action %s is not a topic and is not carried out", alarm.name, action)
        return False
    try:
        sns_backends[parts[4]][parts[3]].publish(
            json.dumps(message), arn=action, subject=f'{alarm.state_value}: "{alarm.name}" in {parts[3]}'
        )
    except Exception as problem:
        # Whatever keeps a topic from taking the message, the alarm has changed its state all the same.
        _log.warning("alarm %s: %s did not take the notification: %s", alarm.name, action, problem)
        return False
    return True


def _message(alarm: Alarm, account_id: str, region: str, before: str, at: datetime) -> dict[str, Any]:
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account_id,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": f"{at:%Y-%m-%dT%H:%M:%S.000+0000}",
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
    }
