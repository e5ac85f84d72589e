"""The tracking database's users, its standby, and an instance that there is already."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.tracking_database import TrackingDatabase
from components.validation import ArgumentError
from policy.recording.answers import ACCOUNT, REGION
from policy.recording.monitor import Recording, record
from tests.components.programs import EXAMPLES, KEY, SECRET, SUBNETS, make

SECRET_TYPE = "aws:secretsmanager/secret:Secret"
EXISTING = {
    "identifier": "hand-made",
    "address": "hand-made.example.internal",
    "port": 5433,
    "secret_arn": SECRET,
    "client_security_group_id": "sg-0123456789abcdef0",
}


def recorded(preview: bool = False, **changed: Any) -> Recording:
    return record(lambda: _made(**changed), preview=preview)


def _made(**changed: Any) -> None:
    make("TrackingDatabase", **changed)


def with_standby(**changed: Any) -> None:
    place = {
        "provider": aws.Provider("one-recovery", region="eu-central-1"),
        "region": "eu-central-1",
        "vpc_id": "vpc-0123456789abcdef1",
        "subnet_ids": SUBNETS,
        "encryption_key_arn": KEY.replace(REGION, "eu-central-1"),
    }
    make("TrackingDatabase", standby={**place, **changed})


def test_the_function_rotates_what_it_is_for_and_may_do_no_more() -> None:
    recording = recorded()
    function = recording.one("aws:lambda/function:Function").inputs
    assert function["packageType"] == "Image"
    assert function["vpcConfig"]["subnetIds"] == SUBNETS
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    statements = {one["Sid"]: one for one in policy["Statement"]}
    made = {one.name: one for one in recording.of_type(SECRET_TYPE)}
    assert set(made) == {"one-first-secret", "one-credentials-user", "one-credentials-master"}
    names = [arn.rpartition(":")[2] for arn in statements["RotateSecrets"]["Resource"]]
    assert [name.rpartition("-")[0] for name in names] == ["one-credentials-user", "one-credentials-master"]
    assert statements["DenyInterfacesToTheCode"]["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"].endswith(
        ":function:database-one-rotation"
    )
    wide = {sid for sid, one in statements.items() if one["Resource"] == "*" and one["Effect"] == "Allow"}
    assert wide == {"DrawPasswords", "SeeNetwork"}


def test_secrets_manager_alone_invokes_the_function_for_these_secrets_of_this_account() -> None:
    permissions = recorded().of_type("aws:lambda/permission:Permission")
    assert {one.inputs["principal"] for one in permissions} == {"secretsmanager.amazonaws.com"}
    assert {one.inputs["sourceAccount"] for one in permissions} == {ACCOUNT}
    assert len({one.inputs["sourceArn"] for one in permissions}) == 2


def test_the_database_admits_its_clients_and_the_rotation_and_no_address() -> None:
    rules = recorded().of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert {one.name for one in rules} == {"one-from-clients", "one-credentials-from-rotation"}
    assert all("referencedSecurityGroupId" in one.inputs and "cidrIpv4" not in one.inputs for one in rules)


def test_databases_and_user_are_made_before_anyone_is_given_the_secret() -> None:
    recording = recorded()
    asked = json.loads(recording.one("aws:lambda/invocation:Invocation").inputs["input"])
    assert asked["Operation"] == "prepare"
    assert asked["Databases"] == ["mlflow", "mlflow_auth"]
    assert asked["Username"] == "mlflow"
    assert "password" not in json.dumps(asked).lower()
    outputs = recording.outputs_of("interlock:tracking:TrackingDatabase")
    assert outputs["secretArn"] != outputs["masterSecretArn"]


def test_a_standby_follows_in_its_own_region_and_the_secrets_are_there_too() -> None:
    recording = record(with_standby, preview=False)
    standby = recording.one("aws:rds/instance:Instance", "one-standby-postgres")
    assert standby.inputs["replicateSourceDb"].startswith(f"arn:aws:rds:{REGION}:")
    assert standby.inputs["kmsKeyId"] == KEY.replace(REGION, "eu-central-1")
    assert standby.inputs["deletionProtection"] is True
    for name in ("username", "password", "dbName", "manageMasterUserPassword"):
        assert name not in standby.inputs
    parameters = recording.one("aws:rds/parameterGroup:ParameterGroup", "one-standby-parameters").inputs["parameters"]
    assert {"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"} in parameters
    for name in ("one-credentials-user", "one-credentials-master"):
        (replica,) = recording.one(SECRET_TYPE, name).inputs["replicas"]
        assert replica == {"region": "eu-central-1", "kmsKeyId": KEY.replace(REGION, "eu-central-1")}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_an_instance_that_there_is_already_is_used_as_it_is(preview: bool) -> None:
    recording = recorded(preview, existing=EXISTING)
    assert [one for one in recording.resources if one.custom and one.name != "one-late"] == []
    outputs = recording.outputs_of("interlock:tracking:TrackingDatabase")
    assert (outputs["address"], outputs["port"]) == ("hand-made.example.internal", 5433)
    assert outputs["secretArn"] == outputs["masterSecretArn"] == SECRET
    assert outputs["authDatabaseName"] == "mlflow_auth"


def test_what_is_wrong_with_an_existing_instance_or_a_standby_is_named() -> None:
    with pytest.raises(ArgumentError) as refused:
        record(lambda: _made(existing={**EXISTING, "port": 0, "secret_arn": "secret"}), preview=True)
    told = str(refused.value)
    assert "TrackingDatabase one.existing.port: received 0" in told
    assert "TrackingDatabase one.existing.secret_arn: received 'secret'" in told
    with pytest.raises(ArgumentError, match=r"TrackingDatabase one\.standby\.vpc_id: received 'vpc'"):
        record(lambda: with_standby(vpc_id="vpc"), preview=True)


@pytest.mark.parametrize("kept", [None, 5])
def test_no_execution_of_the_account_is_kept_for_the_function_unless_asked_for(kept: int | None) -> None:
    changed: dict[str, Any] = {} if kept is None else {"rotation_reserved_concurrency": kept}
    function = recorded(**changed).one("aws:lambda/function:Function").inputs
    assert function.get("reservedConcurrentExecutions") == kept


def test_a_protected_database_lets_go_what_an_upgrade_makes_anew() -> None:
    def program() -> None:
        arguments = EXAMPLES["TrackingDatabase"].arguments("one")
        TrackingDatabase("one", arguments, pulumi.ResourceOptions(protect=True))  # type: ignore[arg-type]

    made = record(program, preview=True)
    free = {one.type for one in made.resources if one.custom and not one.protected and not one.name.endswith("-late")}
    assert free == {"aws:rds/parameterGroup:ParameterGroup", "aws:lambda/invocation:Invocation"}


def test_an_adopted_database_keeps_its_version_its_subnet_group_and_the_name_that_it_was_given_first() -> None:
    named: dict[str, Any] = {"engine_version": "16.8", "subnet_group_name": "ours", "database_name": "tracking"}
    made = recorded(preview=True, **named)
    instance = made.one("aws:rds/instance:Instance", "one-postgres")
    assert (instance.inputs["engineVersion"], instance.inputs["dbName"]) == ("16.8", "tracking")
    assert instance.ignored_changes == ("dbName",)
    assert made.one("aws:rds/parameterGroup:ParameterGroup", "one-parameters").inputs["family"] == "postgres16"
    assert made.one("aws:rds/subnetGroup:SubnetGroup", "one-subnets").inputs["name"] == "ours"
