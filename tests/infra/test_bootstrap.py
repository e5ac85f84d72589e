"""The foundations of an account, applied to the local cloud."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from rehearsal.infra import Root
from rehearsal.session import Session


def test_a_second_plan_changes_nothing(bootstrap: Root) -> None:
    assert bootstrap.changes() is None


def test_a_destroy_refuses_whatever_holds_state_or_holds_somebody_back(bootstrap: Root) -> None:
    # Terraform goes no further where something refuses, so that what a role stands on is not named with it.
    assert bootstrap.held_against_a_destroy() >= {
        "module.workload.aws_s3_bucket.state",
        "module.workload.aws_kms_key.secrets",
        "module.workload.aws_iam_policy.workload",
        "module.evidence.aws_iam_role.deploy",
    }


def test_every_role_carries_its_boundary(session: Session, bootstrap: Root) -> None:
    for account in ("workload", "evidence"):
        iam = session.client("iam", account)
        for layer in ("foundation", "platform"):
            role = iam.get_role(RoleName=f"interlock-local-{layer}")["Role"]
            assert role["Path"] == "/interlock/deploy/"
            assert role["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(
                f":policy/interlock/deploy/boundary/interlock-local-{layer}"
            )


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
    role = f"arn:aws:iam::{session.cloud.account_id}:role/interlock/deploy/interlock-local-{layer}"
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
    assert settings["platform"]["backend_url"] == settings["foundation"]["backend_url"]
    assert settings["platform"]["secrets_provider"].endswith("&context_layer=platform")
    assert settings["platform"]["evidence"]["account_id"] == session.cloud.accounts["evidence"]
