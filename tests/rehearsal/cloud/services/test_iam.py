"""IAM and STS in the local cloud: who is who, and which documents are policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from rehearsal.cloud.server import LocalCloud

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture
def iam(cloud: LocalCloud) -> Any:
    return cloud.client("iam")


@pytest.fixture
def role(iam: Any) -> Any:
    return iam.create_role(RoleName=f"role-{uuid4().hex[:8]}", AssumeRolePolicyDocument=TRUST)["Role"]


def _error(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def test_the_clouds_own_credentials_are_a_user(cloud: LocalCloud) -> None:
    caller = cloud.client("sts").get_caller_identity()
    assert caller["Arn"] == f"arn:aws:iam::{cloud.account_id}:user/administrator"
    assert caller["Account"] == cloud.account_id


def test_a_user_with_a_path_is_told_with_it(cloud: LocalCloud, iam: Any) -> None:
    user = iam.create_user(UserName=f"user-{uuid4().hex[:8]}", Path="/people/")["User"]
    key = iam.create_access_key(UserName=user["UserName"])["AccessKey"]
    client = cloud.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    caller = client.get_caller_identity()
    assert (caller["Arn"], caller["UserId"]) == (user["Arn"], user["UserId"])


def test_users_and_sessions_are_told_by_their_keys(cloud: LocalCloud, iam: Any, role: Any) -> None:
    user = iam.create_user(UserName=f"user-{uuid4().hex[:8]}")["User"]
    key = iam.create_access_key(UserName=user["UserName"])["AccessKey"]
    as_user = cloud.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    assert as_user.get_caller_identity()["Arn"] == user["Arn"]

    session = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="night-shift")["Credentials"]
    as_role = cloud.client(
        "sts",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    assert as_role.get_caller_identity()["Arn"] == (
        f"arn:aws:sts::{cloud.account_id}:assumed-role/{role['RoleName']}/night-shift"
    )


@pytest.mark.corrects("iam.trust-policy")
@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}',
        '{"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "sts:AssumeRole"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}]}',
    ],
)
def test_a_document_that_is_no_trust_policy_is_refused(cloud: LocalCloud, iam: Any, document: str) -> None:
    create = lambda: iam.create_role(RoleName=f"bad-{uuid4().hex[:8]}", AssumeRolePolicyDocument=document)  # noqa: E731
    assert _error(create)[0] == "MalformedPolicyDocument"


@pytest.mark.corrects("iam.managed-policies")
def test_aws_s_own_policies_can_be_attached(cloud: LocalCloud) -> None:
    # Each account has them from its beginning, hence an account that nobody met before.
    account = str(uuid4().int)[:12]
    backend = iam_backends[account]["aws"]
    backend.create_role("r", TRUST, "/", None, "", [], "3600")
    backend.put_role_policy("r", "all", json.dumps({"Version": "2012-10-17", "Statement": [ALL]}))
    there = cloud.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/r", RoleSessionName="session")
    credentials = there["Credentials"]
    iam = cloud.client(
        "iam",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    attached = iam.list_attached_role_policies(RoleName="reader")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonS3ReadOnlyAccess"]


@pytest.mark.corrects("iam.service-linked-roles")
def test_a_services_role_has_the_services_name_and_exists_once(cloud: LocalCloud, iam: Any) -> None:
    suffix = uuid4().hex[:8]
    create = partial(
        iam.create_service_linked_role, AWSServiceName="elasticloadbalancing.amazonaws.com", CustomSuffix=suffix
    )
    assert create()["Role"]["RoleName"] == f"AWSServiceRoleForElasticLoadBalancing_{suffix}"
    assert _error(create)[0] == "InvalidInput"


def test_the_inventory_counts_roles_but_not_aws_s_own(cloud: LocalCloud, iam: Any, role: Any) -> None:
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com", CustomSuffix=uuid4().hex[:8])
    counted = cloud.inventory()["iam"]
    assert role["Arn"] in counted
    assert not [arn for arn in counted if "aws-service-role" in arn or ":aws:policy" in arn]
    iam.delete_role(RoleName=role["RoleName"])
    assert role["Arn"] not in cloud.inventory()["iam"]


def test_the_inventory_counts_what_other_services_hold(cloud: LocalCloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="counted")["TopicArn"]
    assert topic in cloud.inventory()["others"]
    sns.delete_topic(TopicArn=topic)
    cloud.client("events").list_rules()
    assert [arn for arn in cloud.inventory()["others"] if arn == topic or "event-bus/default" in arn] == []
