"""The accounts of the local cloud: who a caller is there, and whom a role lets in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import AUDIT, EVIDENCE, WORKLOAD, credentials, organization_role
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.refusals import refusal
from tests.rehearsal.cloud.roles import trusting


def role_of(cloud: LocalCloud, principal: str, account: str = "evidence", **condition: Any) -> str:
    """Make a role in an account that lets `principal` in, and return its ARN."""
    made = cloud.client("iam", account=account).create_role(
        RoleName=f"role-{uuid4().hex[:8]}", AssumeRolePolicyDocument=trusting(principal, **condition)
    )
    return str(made["Role"]["Arn"])


def assume(cloud: LocalCloud, role: str, **more: str) -> dict[str, str]:
    """Return the credentials of a role that the administrator assumes."""
    return credentials(cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="session", **more))


@pytest.mark.parametrize(("name", "account"), [("evidence", EVIDENCE), ("audit", AUDIT), ("workload", WORKLOAD)])
def test_an_assumed_administrator_is_in_the_other_account(cloud: LocalCloud, name: str, account: str) -> None:
    assert cloud.client("sts", account=name).get_caller_identity()["Account"] == account


def test_what_a_caller_makes_lies_in_the_account_of_its_credentials(cloud: LocalCloud) -> None:
    arns = [
        cloud.client("sqs", account=name).create_queue(QueueName=f"queue-{uuid4().hex[:8]}")["QueueUrl"]
        for name in ("workload", "evidence", "audit")
    ]
    assert [url.split("/")[-2] for url in arns] == [WORKLOAD, EVIDENCE, AUDIT]


def test_every_account_has_its_own_tables_of_the_same_name(cloud: LocalCloud) -> None:
    topic = f"topic-{uuid4().hex[:8]}"
    arns = {cloud.client("sns", account=name).create_topic(Name=topic)["TopicArn"] for name in ("evidence", "audit")}
    assert arns == {f"arn:aws:sns:eu-west-1:{account}:{topic}" for account in (EVIDENCE, AUDIT)}


def test_the_organizations_role_administers_its_account(cloud: LocalCloud) -> None:
    iam = cloud.client("iam", account="audit")
    policies = iam.list_attached_role_policies(RoleName="OrganizationAccountAccessRole")
    assert [policy["PolicyName"] for policy in policies["AttachedPolicies"]] == ["AdministratorAccess"]


def test_the_accounts_and_their_roles_do_not_count_as_made_by_a_caller(cloud: LocalCloud) -> None:
    assert not [arn for arn in cloud.inventory()["iam"] if "OrganizationAccountAccessRole" in arn]


@pytest.mark.corrects("sts.trust")
def test_a_role_that_does_not_exist_is_refused(cloud: LocalCloud) -> None:
    absent = f"arn:aws:iam::{EVIDENCE}:role/nobody"
    with pytest.raises(ClientError) as refused:
        assume(cloud, absent)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert refused.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::{WORKLOAD}:user/administrator is not authorized to perform: sts:AssumeRole "
        f"on resource: {absent}"
    )


@pytest.mark.corrects("sts.trust")
def test_what_is_no_arn_of_a_role_is_refused_as_such(cloud: LocalCloud) -> None:
    assert refusal(lambda: assume(cloud, f"arn:aws:iam::{EVIDENCE}:user/administrator")) == "ValidationError"
    assert refusal(lambda: assume(cloud, "the-role-called-nobody")) == "ValidationError"


@pytest.mark.corrects("sts.trust")
def test_a_role_lets_in_only_those_whom_its_trust_policy_names(cloud: LocalCloud) -> None:
    role = role_of(cloud, f"arn:aws:iam::{AUDIT}:root")
    assert refusal(lambda: assume(cloud, role)) == "AccessDenied"
    auditor = cloud.client("sts", account="audit")
    session = auditor.assume_role(RoleArn=role, RoleSessionName="session")
    assert session["AssumedRoleUser"]["Arn"].split(":")[4] == EVIDENCE


@pytest.mark.corrects("sts.trust")
def test_a_trust_policys_conditions_hold(cloud: LocalCloud) -> None:
    role = role_of(cloud, WORKLOAD, StringEquals={"sts:ExternalId": "shared-word"})
    assert refusal(lambda: assume(cloud, role)) == "AccessDenied"
    assert refusal(lambda: assume(cloud, role, ExternalId="another")) == "AccessDenied"
    assert assume(cloud, role, ExternalId="shared-word")


def test_nobody_gets_into_the_evidence_account_from_the_audit_account_by_the_organizations_role(
    cloud: LocalCloud,
) -> None:
    auditor = cloud.client("sts", account="audit")
    enter = lambda: auditor.assume_role(RoleArn=organization_role(EVIDENCE), RoleSessionName="session")  # noqa: E731
    assert refusal(enter) == "AccessDenied"


def test_a_caller_cannot_say_itself_which_account_it_is_in(cloud: LocalCloud) -> None:
    client = boto3.client(
        "sts",
        endpoint_url=cloud.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )

    def pretend(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = EVIDENCE

    client.meta.events.register("before-send", pretend)
    assert client.get_caller_identity()["Account"] == WORKLOAD
