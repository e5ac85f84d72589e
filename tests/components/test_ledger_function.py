"""The ledger's functions: who invokes them, as whom they run, and what tells that they do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.duties.landscape import LEDGER_ROLES
from policy.recording.answers import ACCOUNT, REGION
from policy.recording.monitor import Recording, record
from tests.components.programs import make

ROLE = f"arn:aws:iam::{ACCOUNT}:role/interlock/duties/interlock-one-sequencer"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:told"


def recorded(preview: bool = False, **changed: Any) -> Recording:
    return record(lambda: _made(**changed), preview=preview)


def _made(**changed: Any) -> None:
    make("LedgerFunction", "one", **changed)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("duty", [role.value for role in LEDGER_ROLES])
def test_a_duty_runs_under_its_role_by_a_name_that_is_known_beforehand(duty: str, preview: bool) -> None:
    function = recorded(preview, duty=duty).one("aws:lambda/function:Function").inputs
    assert function["name"] == f"interlock-one-{duty}"
    assert function["role"] == ROLE
    assert function["reservedConcurrentExecutions"] == 1
    assert function["environment"]["variables"]["LEDGER_DUTY"] == duty


def test_a_functions_environment_says_nothing_of_trust_and_is_encrypted() -> None:
    function = recorded().one("aws:lambda/function:Function").inputs
    assert set(function["environment"]["variables"]) == {
        "LEDGER_DUTY", "LEDGER_LOG", "LEDGER_BUCKET", "LEDGER_KEY_ARN", "LEDGER_RENEW_HOURS",
    }  # fmt: skip
    assert function["kmsKeyArn"]


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_one_rule_of_this_account_and_nothing_else_invokes_the_function(preview: bool) -> None:
    recording = recorded(preview)
    (permission,) = recording.of_type("aws:lambda/permission:Permission")
    assert permission.inputs["principal"] == "events.amazonaws.com"
    assert permission.inputs["sourceAccount"] == ACCOUNT
    assert permission.inputs["sourceArn"] == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/interlock-one-sequencer"
    assert recording.one("aws:cloudwatch/eventRule:EventRule").inputs["name"] == "interlock-one-sequencer"


@pytest.mark.parametrize(("minutes", "rate"), [(1, "rate(1 minute)"), (2, "rate(2 minutes)"), (60, "rate(60 minutes)")])
def test_a_rate_is_written_as_eventbridge_has_it(minutes: int, rate: str) -> None:
    recording = recorded(minutes=minutes)
    assert recording.one("aws:cloudwatch/eventRule:EventRule").inputs["scheduleExpression"] == rate
    assert {one.inputs["period"] for one in recording.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")} == {
        60 * minutes
    }


def test_an_alarm_tells_of_failed_runs_and_another_of_none() -> None:
    found = recorded(alarm_topic_arns=[TOPIC]).of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    alarms = {one.inputs["metricName"]: one.inputs for one in found}
    assert set(alarms) == {"Errors", "Invocations"}
    assert alarms["Errors"]["comparisonOperator"] == "GreaterThanThreshold"
    assert alarms["Errors"]["threshold"] == 0
    # Lambda publishes nothing of a function that nobody invokes.
    assert alarms["Invocations"]["comparisonOperator"] == "LessThanThreshold"
    assert alarms["Invocations"]["treatMissingData"] == "breaching"
    assert all(one["alarmActions"] == one["okActions"] == [TOPIC] for one in alarms.values())


def test_no_execution_is_kept_where_the_account_has_none_to_keep() -> None:
    function = recorded(reserve_execution=False).one("aws:lambda/function:Function").inputs
    assert "reservedConcurrentExecutions" not in json.loads(json.dumps(function))


def test_logs_are_encrypted_and_there_before_the_function() -> None:
    recording = recorded(log_retention_days=30)
    logs = recording.one("aws:cloudwatch/logGroup:LogGroup")
    assert logs.inputs["name"] == "/aws/lambda/interlock-one-sequencer"
    assert logs.inputs["retentionInDays"] == 30
    assert logs.inputs["kmsKeyId"]
