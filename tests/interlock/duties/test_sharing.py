"""What the evidence account shares with a workload account, and what it never does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.duties.bucket_policy import private_bucket_policy, vault_policy
from interlock.duties.key_policy import approver_key_policy, data_key_policy, signing_key_policy
from interlock.duties.repository_policy import repository_policy

EVIDENCE, WORKLOAD = "111122223333", "444455556666"
FOUNDATION = f"arn:aws:iam::{EVIDENCE}:role/foundation"
BUCKET = "arn:aws:s3:::vault"
OTHER = {"AWS": f"arn:aws:iam::{WORKLOAD}:root"}
BOTH = {"AWS": [f"arn:aws:iam::{EVIDENCE}:root", f"arn:aws:iam::{WORKLOAD}:root"]}

SHARED = {
    "vault": vault_policy(BUCKET, 30, [FOUNDATION], shared_with=[WORKLOAD]),
    "bucket": private_bucket_policy(BUCKET, [WORKLOAD]),
    "signing key": signing_key_policy(EVIDENCE, [FOUNDATION], [], [WORKLOAD]),
    "approver key": approver_key_policy(EVIDENCE, [FOUNDATION], "ana", [WORKLOAD]),
    "data key": data_key_policy(EVIDENCE, "eu-west-1", [FOUNDATION], for_logs=False, shared_with=[WORKLOAD]),
    "repository": repository_policy([FOUNDATION], [WORKLOAD], []),
}
ALONE = {
    "vault": vault_policy(BUCKET, 30, [FOUNDATION]),
    "bucket": private_bucket_policy(BUCKET),
    "signing key": signing_key_policy(EVIDENCE, [FOUNDATION], []),
    "approver key": approver_key_policy(EVIDENCE, [FOUNDATION], "ana"),
    "data key": data_key_policy(EVIDENCE, "eu-west-1", [FOUNDATION], for_logs=False),
    "repository": repository_policy([FOUNDATION], [], []),
}


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in json.loads(document)["Statement"]}


def given_to_others(document: str) -> set[str]:
    """Return the actions that a document allows to the workload account."""
    allowed = [one for one in statements(document).values() if one["Effect"] == "Allow"]
    shared = [one for one in allowed if WORKLOAD in json.dumps(one["Principal"])]
    return {a for one in shared for a in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])}


@pytest.mark.parametrize("what", sorted(ALONE))
def test_what_is_not_shared_names_no_other_account(what: str) -> None:
    assert WORKLOAD not in ALONE[what]
    assert given_to_others(SHARED[what])


@pytest.mark.parametrize("what", sorted(SHARED))
def test_another_account_gets_no_right_to_configure_delete_or_grant(what: str) -> None:
    words = (
        "Policy",
        "Retain",
        "Grant",
        "Schedule",
        "Disable",
        "Configuration",
        "DeleteBucket",
        "Mutability",
        "Replic",
    )
    changes = [action for action in given_to_others(SHARED[what]) if ":Get" not in action]
    assert [action for action in changes if any(word in action for word in words)] == []


def test_the_vault_is_read_and_added_to_but_every_denial_binds_the_other_account_too() -> None:
    found = statements(SHARED["vault"])
    assert {"s3:GetObjectVersion", "s3:PutObject", "s3:ListBucketVersions"} <= given_to_others(SHARED["vault"])
    assert not [action for action in given_to_others(SHARED["vault"]) if "Delete" in action]
    assert all(one["Principal"] == "*" for one in found.values() if one["Effect"] == "Deny")


def test_what_another_account_put_into_staging_it_takes_away_with_every_version() -> None:
    assert {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"} <= given_to_others(SHARED["bucket"])


def test_the_vaults_key_is_shared_through_s3_of_its_region_alone() -> None:
    share = statements(SHARED["data key"])["ShareThroughS3"]
    assert share["Principal"] == OTHER
    assert share["Condition"] == {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}


def test_another_account_signs_by_its_own_iam_policies_unless_signers_are_named() -> None:
    assert statements(SHARED["signing key"])["SignByIamPolicy"]["Principal"] == BOTH
    signer = f"arn:aws:iam::{WORKLOAD}:role/builder"
    named = statements(signing_key_policy(EVIDENCE, [FOUNDATION], [signer], [WORKLOAD]))
    assert named["Sign"]["Principal"] == {"AWS": [signer]}
    assert "SignByIamPolicy" not in named
    assert named["Read"]["Principal"] == BOTH


def test_an_approvers_key_signs_for_sessions_of_that_person_alone() -> None:
    found = statements(SHARED["approver key"])
    assert found["SignAsThisPerson"]["Condition"] == {"StringEquals": {"aws:SourceIdentity": "ana"}}
    assert found["DenyOthers"] == {
        "Sid": "DenyOthers",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:Sign",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:SourceIdentity": "ana"}},
    }


@pytest.mark.parametrize("what", ["signing key", "approver key", "data key"])
def test_only_administrators_delete_disable_replicate_or_repolicy_a_key(what: str) -> None:
    denied = statements(SHARED[what])["DenyTakingAway"]
    assert denied["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": [FOUNDATION]}}
    assert denied["Principal"] == "*"
    assert {action.removeprefix("kms:") for action in denied["Action"]} == {
        "ScheduleKeyDeletion", "DisableKey", "DisableKeyRotation", "DeleteImportedKeyMaterial", "ImportKeyMaterial",
        "PutKeyPolicy", "ReplicateKey", "UpdatePrimaryRegion", "CreateAlias", "UpdateAlias", "DeleteAlias",
        "UpdateKeyDescription", "TagResource", "UntagResource",
    }  # fmt: skip


@pytest.mark.parametrize("what", ["signing key", "approver key", "data key"])
def test_only_administrators_and_services_that_use_a_key_end_its_grants(what: str) -> None:
    denied = statements(SHARED[what])["DenyEndingGrants"]
    assert set(denied["Action"]) == {"kms:RevokeGrant", "kms:RetireGrant"}
    assert denied["Principal"] == "*"
    assert denied["Condition"] == {
        "ArnNotLike": {"aws:PrincipalArn": [FOUNDATION]},
        "Null": {"kms:ViaService": "true"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }


def test_images_are_pulled_and_published_by_other_accounts_but_deleted_by_none_of_them() -> None:
    found = statements(SHARED["repository"])
    assert found["ShareImages"]["Principal"] == found["Publish"]["Principal"] == OTHER
    assert "ecr:BatchGetImage" in found["ShareImages"]["Action"]
    assert "ecr:BatchDeleteImage" in found["DenyUnfastening"]["Action"]


def test_named_publishers_alone_push() -> None:
    publisher = f"arn:aws:iam::{WORKLOAD}:role/publisher"
    found = statements(repository_policy([FOUNDATION], [WORKLOAD], [publisher]))
    assert found["Publish"]["Principal"] == {"AWS": [publisher]}
    # What an engine asks for in a push, and what tells whether a tag is there already.
    assert set(found["Publish"]["Action"]) == {
        "ecr:PutImage",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:DescribeImages",
    }
    assert found["ShareImages"]["Principal"] == OTHER


def test_lambda_pulls_an_image_for_functions_of_the_sharing_accounts_alone() -> None:
    found = statements(repository_policy([FOUNDATION], [WORKLOAD], [], [WORKLOAD]))["PullForFunctions"]
    assert found["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert found["Condition"] == {"ArnLike": {"aws:SourceArn": [f"arn:aws:lambda:*:{WORKLOAD}:function:*"]}}
    assert "PullForFunctions" not in statements(repository_policy([FOUNDATION], [WORKLOAD], []))
    assert "PullForFunctions" not in statements(repository_policy([FOUNDATION], [WORKLOAD], []))
