"""The policies of the provisioned stack's secrets and tables: whoever may do everything elsewhere is held by them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from interlock.stack import ProvisionedStack
from rehearsal.session import Session
from tests.rehearsal.cloud.roles import trusting

ANYBODY = "somebody-who-may-everything"
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ITEM = {"pk": {"S": "test"}, "sk": {"S": "test"}}


@pytest.fixture(scope="module")
def anybody(session: Session, provisioned: ProvisionedStack) -> Callable[[str, str], Any]:
    """Return what makes clients, by service and region, of a role that its own policy lets do everything."""
    iam = session.client("iam")
    arn = iam.create_role(
        RoleName=ANYBODY, AssumeRolePolicyDocument=trusting(f"arn:aws:iam::{session.cloud.account_id}:root")
    )["Role"]["Arn"]
    iam.put_role_policy(RoleName=ANYBODY, PolicyName="everything", PolicyDocument=EVERYTHING)
    given = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]

    def client(service: str, region: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=session.cloud.endpoint_url,
            region_name=region,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    return client


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    assert "AccessDenied" in refused.value.response["Error"]["Code"]
    return str(refused.value)


def secrets_of(provisioned: ProvisionedStack) -> list[str]:
    tracking = provisioned.manifest.tracking
    assert tracking.database is not None
    assert provisioned.manifest.recovery is not None
    replica = provisioned.manifest.recovery.database
    assert replica is not None
    own = [tracking.admin_secret_arn, tracking.database.secret_arn, tracking.database.master_secret_arn]
    return [str(arn) for arn in (*own, *tracking.user_secret_arns.values(), replica.master_secret_arn)]


def test_a_secret_and_its_replica_are_read_by_nobody_whom_their_policy_does_not_name(
    provisioned: ProvisionedStack, anybody: Callable[[str, str], Any]
) -> None:
    for arn in secrets_of(provisioned):
        client = anybody("secretsmanager", arn.split(":")[3])
        assert client.describe_secret(SecretId=arn)["ARN"] == arn
        said = refusal(lambda client=client, arn=arn: client.get_secret_value(SecretId=arn))  # type: ignore[misc]
        assert "resource-based policy" in said


def test_who_may_read_a_secret_is_changed_by_its_administrators_alone(
    provisioned: ProvisionedStack, anybody: Callable[[str, str], Any]
) -> None:
    arn = provisioned.manifest.tracking.admin_secret_arn
    client = anybody("secretsmanager", arn.split(":")[3])
    refusal(lambda: client.put_resource_policy(SecretId=arn, ResourcePolicy=EVERYTHING))
    refusal(lambda: client.delete_resource_policy(SecretId=arn))
    refusal(lambda: client.put_secret_value(SecretId=arn, SecretString="{}"))


def test_live_state_is_written_by_nobody_but_the_duties_that_keep_it(
    session: Session, provisioned: ProvisionedStack, anybody: Callable[[str, str], Any]
) -> None:
    table = provisioned.manifest.live_state
    assert table is not None
    for client in (anybody("dynamodb", session.cloud.region), session.client("dynamodb")):
        refusal(lambda client=client: client.put_item(TableName=table.table_name, Item=ITEM))  # type: ignore[misc]
        assert "Item" not in client.get_item(TableName=table.table_name, Key=ITEM)
