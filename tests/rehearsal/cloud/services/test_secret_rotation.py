"""Secrets Manager's rotation in the local cloud."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.secretsmanager_rotation import schedule
from rehearsal.cloud.services.secretsmanager_rotation.rotations import RETRY_AFTER_SECONDS
from tests.rehearsal.cloud.roles import granting
from tests.rehearsal.cloud.waiting import until

DOCKERFILE = """
FROM python:3.11-slim
COPY entrypoint.py /opt/rotator/entrypoint.py
ENTRYPOINT ["python", "-I", "/opt/rotator/entrypoint.py"]
"""
ENTRYPOINT = """
import os, sys
from awslambdaric.__main__ import main
sys.path.insert(0, os.path.dirname(__file__))
main([sys.argv[0], "rotator.handle"])
"""
# Does with a secret what AWS's templates do; fails at the step that the secret's description names.
ROTATOR = """
import boto3
secrets = boto3.client("secretsmanager")

def handle(event, context):
    secret, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    described = secrets.describe_secret(SecretId=secret)
    assert described["RotationEnabled"]
    assert token in described["VersionIdsToStages"]
    print(step, secret, token)
    if step == described.get("Description"):
        raise RuntimeError("as described")
    if step == "createSecret":
        value = secrets.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")["SecretString"]
        try:
            secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
        except secrets.exceptions.ResourceNotFoundException:
            secrets.put_secret_value(SecretId=secret, ClientRequestToken=token, SecretString=value + "+",
                                     VersionStages=["AWSPENDING"])
    if step == "testSecret":
        secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
    if step == "finishSecret":
        current = [one for one, labels in described["VersionIdsToStages"].items() if "AWSCURRENT" in labels][0]
        if current != token:
            secrets.update_secret_version_stage(SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token,
                                                RemoveFromVersionId=current)
"""


@pytest.fixture(scope="module")
def function(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The ARN of a function that rotates any secret."""
    folder = tmp_path_factory.mktemp("images") / "rotator"
    folder.mkdir()
    for file, content in (("Dockerfile", DOCKERFILE), ("entrypoint.py", ENTRYPOINT), ("rotator.py", ROTATOR)):
        (folder / file).write_text(content)
    before, cloud.context.containers.images = cloud.context.containers.images, folder.parent
    name = f"rotator-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    granting(cloud, role, "secretsmanager:*")
    client = cloud.client("lambda")
    arn = client.create_function(
        FunctionName=name,
        PackageType="Image",
        Code={"ImageUri": f"{cloud.account_id}.dkr.ecr.{cloud.region}.amazonaws.com/interlock/rotator:1"},
        Role=role,
        Timeout=20,
    )["FunctionArn"]
    client.add_permission(
        FunctionName=name,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=cloud.account_id,
    )
    until(lambda: client.get_function_configuration(FunctionName=name)["State"], lambda state: state == "Active")
    yield str(arn)
    client.delete_function(FunctionName=name)
    cloud.context.containers.images = before


@pytest.fixture
def secrets(cloud: LocalCloud) -> Any:
    return cloud.client("secretsmanager")


@pytest.fixture
def secret(secrets: Any) -> str:
    return str(secrets.create_secret(Name=f"rotated-{uuid.uuid4().hex}", SecretString="value")["ARN"])


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def rotated(secrets: Any, secret: str) -> dict[str, Any]:
    return until(lambda: secrets.describe_secret(SecretId=secret), lambda seen: "LastRotatedDate" in seen, 30)


@pytest.mark.corrects("secretsmanager-rotation.rotation", "secretsmanager-rotation.current-version")
def test_a_rotation_runs_its_steps_in_the_background_and_moves_the_stages(
    cloud: LocalCloud, secrets: Any, secret: str, function: str
) -> None:
    before = secrets.get_secret_value(SecretId=secret)["VersionId"]
    token = str(uuid.uuid4())
    answer = secrets.rotate_secret(SecretId=secret, RotationLambdaARN=function, ClientRequestToken=token)
    assert answer["VersionId"] == token
    assert secrets.get_secret_value(SecretId=secret)["VersionId"] == before
    described = rotated(secrets, secret)

    assert described["RotationEnabled"]
    assert described["RotationLambdaARN"] == function
    assert described["VersionIdsToStages"] == {before: ["AWSPREVIOUS"], token: ["AWSCURRENT"]}
    value = secrets.get_secret_value(SecretId=secret)
    assert (value["VersionId"], value["SecretString"]) == (token, "value+")
    events = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.rpartition(':')[2]}")
    steps = [one["message"].split()[0] for one in events["events"] if secret in one["message"]]
    assert steps == ["createSecret", "setSecret", "testSecret", "finishSecret"]


def test_a_failed_step_leaves_the_pending_version_and_is_reported(
    cloud: LocalCloud, secrets: Any, secret: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "rehearsal.cloud.services.secretsmanager_rotation.rotations.RETRY_AFTER_SECONDS"
    monkeypatch.setattr(module, (0.1,) * len(RETRY_AFTER_SECONDS))
    events, logs, rule = cloud.client("events"), cloud.client("logs"), f"rule-{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=f"/aws/events/{rule}")
    pattern = {"source": ["aws.secretsmanager"], "detail": {"eventName": ["RotationFailed", "RotationSucceeded"]}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    group = f"arn:aws:logs:{cloud.region}:{cloud.account_id}:log-group:/aws/events/{rule}"
    events.put_targets(Rule=rule, Targets=[{"Id": "log", "Arn": group}])

    def told() -> list[str]:
        found = logs.filter_log_events(logGroupName=f"/aws/events/{rule}")["events"]
        details = [json.loads(one["message"])["detail"] for one in found]
        return [one["eventName"] for one in details if one["additionalEventData"]["SecretId"] == secret]

    secrets.update_secret(SecretId=secret, Description="testSecret")
    token = secrets.rotate_secret(SecretId=secret, RotationLambdaARN=function)["VersionId"]
    assert until(told, bool, 30) == ["RotationFailed"]
    described = secrets.describe_secret(SecretId=secret)
    assert described["VersionIdsToStages"][token] == ["AWSPENDING"]
    assert "LastRotatedDate" not in described

    secrets.update_secret(SecretId=secret, Description="none")
    code, message = refused(lambda: secrets.rotate_secret(SecretId=secret))
    assert (code, message) == (
        "InvalidRequestException",
        "A previous rotation isn't complete. That rotation will be reattempted.",
    )
    assert until(told, lambda seen: len(seen) > 1, 30) == ["RotationFailed", "RotationSucceeded"]
    assert secrets.get_secret_value(SecretId=secret)["VersionId"] == token


def test_who_may_not_invoke_the_function_cannot_rotate(cloud: LocalCloud, secrets: Any, secret: str) -> None:
    assert refused(lambda: secrets.rotate_secret(SecretId=secret)) == (
        "InvalidRequestException",
        "No Lambda rotation function ARN is associated with this secret.",
    )
    missing = f"arn:aws:lambda:{cloud.region}:{cloud.account_id}:function:missing"
    code, _ = refused(lambda: secrets.rotate_secret(SecretId=secret, RotationLambdaARN=missing))
    assert code == "ResourceNotFoundException"


def test_a_function_that_does_not_admit_secrets_manager_is_refused(
    cloud: LocalCloud, secrets: Any, secret: str, function: str
) -> None:
    client = cloud.client("lambda")
    name = function.rpartition(":")[2]
    client.remove_permission(FunctionName=name, StatementId="rotation")
    try:
        code, message = refused(lambda: secrets.rotate_secret(SecretId=secret, RotationLambdaARN=function))
    finally:
        client.add_permission(
            FunctionName=name,
            StatementId="rotation",
            Action="lambda:InvokeFunction",
            Principal="secretsmanager.amazonaws.com",
            SourceAccount=cloud.account_id,
        )
    assert code == "AccessDeniedException"
    assert "grants access to the principal secretsmanager.amazonaws.com" in message


@pytest.mark.corrects("secretsmanager-rotation.rotation-described")
def test_the_rules_are_told_and_put_off_the_rotation(
    cloud: LocalCloud, secrets: Any, secret: str, function: str
) -> None:
    before = secrets.get_secret_value(SecretId=secret)["VersionId"]
    rules = {"ScheduleExpression": "cron(0 8,20 * * ? *)", "Duration": "2h"}
    secrets.rotate_secret(SecretId=secret, RotationLambdaARN=function, RotationRules=rules, RotateImmediately=False)
    described = until(
        lambda: secrets.describe_secret(SecretId=secret), lambda seen: list(seen["VersionIdsToStages"]) == [before]
    )
    assert described["RotationRules"] == rules
    assert "LastRotatedDate" not in described
    assert described["NextRotationDate"].astimezone(UTC).hour in (10, 22)


def test_the_schedule_rotates_when_its_time_has_come_on_the_cloud_s_clock(
    cloud: LocalCloud, secrets: Any, secret: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.rotate_secret(
        SecretId=secret,
        RotationLambdaARN=function,
        RotationRules={"AutomaticallyAfterDays": 7},
        RotateImmediately=False,
    )
    until(lambda: len(secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]), lambda count: count == 1)
    time.sleep(1.0)
    assert secrets.get_secret_value(SecretId=secret)["SecretString"] == "value"
    ahead = datetime.now(UTC) + timedelta(days=7)
    monkeypatch.setattr(cloud.context, "now", lambda: ahead)
    described = rotated(secrets, secret)
    assert secrets.get_secret_value(SecretId=secret)["SecretString"] == "value+"
    assert described["LastRotatedDate"].date() == ahead.date()
    assert described["NextRotationDate"].astimezone(UTC).date() == (ahead + timedelta(days=7)).date()


def test_a_cancelled_rotation_comes_no_more(
    cloud: LocalCloud, secrets: Any, secret: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.rotate_secret(
        SecretId=secret,
        RotationLambdaARN=function,
        RotationRules={"AutomaticallyAfterDays": 7},
        RotateImmediately=False,
    )
    secrets.cancel_rotate_secret(SecretId=secret)
    monkeypatch.setattr(cloud.context, "now", lambda: datetime.now(UTC) + timedelta(days=8))
    time.sleep(1.5)
    described = secrets.describe_secret(SecretId=secret)
    assert not described["RotationEnabled"]
    assert secrets.get_secret_value(SecretId=secret)["SecretString"] == "value"


@pytest.mark.corrects("secretsmanager-rotation.pending-version")
def test_a_pending_version_keeps_its_value(cloud: LocalCloud, secrets: Any, secret: str) -> None:
    token = str(uuid.uuid4())
    put = {"SecretId": secret, "ClientRequestToken": token, "VersionStages": ["AWSPENDING"]}
    secrets.put_secret_value(SecretString="one", **put)
    secrets.put_secret_value(SecretString="one", **put)
    assert refused(lambda: secrets.put_secret_value(SecretString="two", **put))[0] == "ResourceExistsException"


NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("rules", "opens", "closes"),
    [
        ({"AutomaticallyAfterDays": 30}, "2026-12-21 00:00", "2026-12-21 23:59"),
        ({"ScheduleExpression": "rate(10 days)"}, "2026-12-01 00:00", "2026-12-01 23:59"),
        ({"ScheduleExpression": "rate(4 hours)"}, "2026-11-21 16:00", "2026-11-21 17:00"),
        ({"ScheduleExpression": "cron(0 8 * * ? *)", "Duration": "3h"}, "2026-11-22 08:00", "2026-11-22 11:00"),
        ({"ScheduleExpression": "cron(0 0/8 * * ? *)"}, "2026-11-21 16:00", "2026-11-21 17:00"),
        ({"ScheduleExpression": "cron(0 6 ? * SUN#1 *)"}, "2026-12-06 06:00", "2026-12-06 23:59"),
        ({"ScheduleExpression": "cron(0 6 ? * 2L *)"}, "2026-11-30 06:00", "2026-11-30 23:59"),
        ({"ScheduleExpression": "cron(0 6 L 2 ? *)"}, "2027-02-28 06:00", "2027-02-28 23:59"),
        ({"ScheduleExpression": "cron(0 16 1,15 JAN-MAR ? *)"}, "2027-01-01 16:00", "2027-01-01 23:59"),
    ],
)
def test_a_window_opens_as_its_rules_say(rules: dict[str, Any], opens: str, closes: str) -> None:
    window = schedule.next_window(schedule.read(rules), NOON)
    assert window is not None
    assert tuple(moment.strftime("%Y-%m-%d %H:%M") for moment in window) == (opens, closes)


@pytest.mark.parametrize(
    "rules",
    [
        {"AutomaticallyAfterDays": 0},
        {"AutomaticallyAfterDays": 1001},
        {"AutomaticallyAfterDays": 3, "ScheduleExpression": "rate(3 days)"},
        {"ScheduleExpression": "rate(1 hours)"},
        {"ScheduleExpression": "every day"},
        {"ScheduleExpression": "cron(5 8 * * ? *)"},
        {"ScheduleExpression": "cron(0 8 * * * *)"},
        {"ScheduleExpression": "cron(0 25 * * ? *)"},
        {"ScheduleExpression": "cron(0 8 * * ? 2027)"},
        {"ScheduleExpression": "cron(0 8 31 2 ? *)"},
        {"AutomaticallyAfterDays": 3, "Duration": "three"},
    ],
)
def test_rules_that_secrets_manager_does_not_take_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(schedule.WrongRules):
        schedule.read(rules)
