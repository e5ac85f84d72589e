"""The foundations of an account, applied to the local cloud."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from interlock.duties.duty import Duty
from interlock.duties.duty_world import deploying_principals
from interlock.duties.landscape import Landscape
from interlock.duties.people import Assignments, Person, Pipeline
from rehearsal.cloud.accounts import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from rehearsal.infra import Root
from rehearsal.session import Session

PERSON = "arn:aws:iam::123456789012:user/administrator"
PEOPLE = Assignments(
    people=(
        Person("foundation-1", "foundation-1", (Duty.FOUNDATION,), PERSON),
        Person("foundation-2", "foundation-2", (Duty.FOUNDATION,), PERSON),
        Person("platform-1", "platform-1", (Duty.PLATFORM,), PERSON),
    ),
    pipelines=(
        Pipeline("foundation", Duty.FOUNDATION, ("repo:example/interlock:environment:local-foundation",)),
        Pipeline("platform", Duty.PLATFORM, ("repo:example/interlock:environment:local-platform",)),
    ),
)
"""Whom the example of the module is applied with."""


def test_a_second_plan_changes_nothing(bootstrap: Root) -> None:
    assert bootstrap.changes() is None


def test_a_destroy_refuses_whatever_holds_state_or_holds_somebody_back(bootstrap: Root) -> None:
    # Terraform goes no further where something refuses, so that what a role stands on is not named with it.
    assert bootstrap.held_against_a_destroy() >= {
        "module.workload.aws_s3_bucket.state",
        "module.workload.aws_kms_key.secrets",
        "module.evidence.aws_iam_role.deploy",
    }


def test_the_roles_have_the_very_documents_that_the_proof_reads(session: Session, bootstrap: Root) -> None:
    accounts = session.cloud.accounts
    for principal in deploying_principals(landscape(session), PEOPLE):
        iam = session.client("iam", "workload" if principal.account_id == accounts["workload"] else "evidence")
        role = iam.get_role(RoleName=principal.name)["Role"]
        boundary = principal.boundary
        assert boundary is not None
        assert role["Arn"] == principal.arn
        assert plain(role["AssumeRolePolicyDocument"]) == plain(principal.trust)
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary.editable_arn
        for one in (boundary, *principal.identity):
            assert plain(managed(iam, str(one.editable_arn))) == plain(one.document)
        attached = iam.list_attached_role_policies(RoleName=principal.name)["AttachedPolicies"]
        names = {one["PolicyName"] for one in attached}
        assert names == {one.name for one in principal.identity}


def plain(document: Any) -> Any:
    """Return a document with lists of one value as that value, which AWS takes for the same."""
    if isinstance(document, list):
        return plain(document[0]) if len(document) == 1 else [plain(one) for one in document]
    return {key: plain(one) for key, one in document.items()} if isinstance(document, dict) else document


def managed(iam: Any, arn: str) -> Any:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def landscape(session: Session) -> Landscape:
    accounts = session.cloud.accounts
    return Landscape(
        stack="local", workload=accounts["workload"], evidence=accounts["evidence"], audit=accounts["audit"],
        regions=tuple(session.cloud.regions), vaults=(), staging=(), endpoints=(), tables=(),
    )  # fmt: skip


def test_the_platform_has_no_way_into_the_account_of_keys_and_vault(session: Session, bootstrap: Root) -> None:
    roles = session.client("iam", "evidence").list_roles(PathPrefix="/interlock/duties/")["Roles"]
    assert "interlock-local-platform" not in {one["RoleName"] for one in roles}


def test_state_is_versioned_encrypted_and_closed(session: Session, bootstrap: Root) -> None:
    s3 = session.client("s3")
    key = session.client("kms").describe_key(KeyId="alias/interlock-local-secrets")["KeyMetadata"]["Arn"]
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"].startswith("interlock-local-")):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rules[0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key
        assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


def assume(session: Session, layer: str, name: str, **asked: Any) -> Any:
    sts = boto3.client(
        "sts",
        endpoint_url=session.cloud.endpoint_url,
        region_name=session.cloud.region,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )
    role = f"arn:aws:iam::{session.cloud.account_id}:role/interlock/duties/interlock-local-{layer}"
    return sts.assume_role(RoleArn=role, RoleSessionName=name, **asked)["Credentials"]


@pytest.mark.parametrize(
    ("layer", "name", "asked"),
    [
        ("foundation", "somebody", {"SourceIdentity": "somebody"}),
        ("foundation", "foundation-1", {}),
        ("foundation", "foundation-1", {"SourceIdentity": "foundation-2"}),
        ("foundation", "platform-1", {"SourceIdentity": "platform-1"}),
        ("platform", "foundation-1", {"SourceIdentity": "foundation-1"}),
    ],
)
def test_nobody_becomes_a_deploy_role_under_another_name(
    session: Session, bootstrap: Root, layer: str, name: str, asked: dict[str, str]
) -> None:
    with pytest.raises(ClientError) as refusal:
        assume(session, layer, name, **asked)

    assert refusal.value.response["Error"]["Code"] == "AccessDenied"


def test_outputs_tell_each_layer_its_role_state_and_secrets(session: Session, bootstrap: Root) -> None:
    settings = bootstrap.outputs()["settings"]

    assert json.dumps(settings["platform"]).count("foundation") == 0
    assert settings["platform"]["evidence"]["role_arn"] is None
    assert settings["foundation"]["evidence"]["role_arn"].endswith(":role/interlock/duties/interlock-local-foundation")
    assert settings["platform"]["backend_url"] == settings["foundation"]["backend_url"]
    assert settings["platform"]["secrets_provider"].endswith("&context_layer=platform")
    assert settings["platform"]["evidence"]["account_id"] == session.cloud.accounts["evidence"]
