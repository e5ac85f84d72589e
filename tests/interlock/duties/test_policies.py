"""The policy documents: what each says, and that none says more."""

from __future__ import annotations

import json
from typing import Any

import annotated_types
import pytest

from interlock.duties.bucket_policy import (
    GUARDS,
    LONGEST_RETENTION_DAYS,
    MINIMUM_RETENTION_DAYS,
    REMOVAL,
    REPLICATION,
    private_bucket_policy,
    vault_policy,
)
from interlock.duties.key_policy import approver_key_policy, data_key_policy, signing_key_policy
from interlock.duties.prefixes import OWN_SUBMISSIONS
from interlock.duties.replication_role import replication_policy, replication_trust_policy
from interlock.duties.repository_policy import repository_policy
from interlock.duties.service_roles import (
    artifact_access_policy,
    endpoint_policy,
    flow_log_policy,
    repository_arn,
    serving_policy,
    storage_endpoint_policy,
    task_start_policy,
    trust_policy,
)
from interlock.duties.staging_policy import staging_policy
from interlock.release.tiers import TierRules

ACCOUNT = "111122223333"
WORKLOAD = "444455556666"
FOUNDATION = f"arn:aws:iam::{ACCOUNT}:role/foundation"
BUILDER, CREATOR = (f"arn:aws:iam::{WORKLOAD}:role/{one}" for one in ("builder", "creator"))
APPROVER = f"arn:aws:iam::{ACCOUNT}:role/approver"
REPLICATOR = f"arn:aws:iam::{ACCOUNT}:role/replication"
BUCKET = "arn:aws:s3:::vault"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd"
OTHER_BUCKET = "arn:aws:s3:::vault-elsewhere"
OTHER_KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/5678efab"
REPOSITORY = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/interlock/serving"
LOGS = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:one"

DOCUMENTS = {
    "signing key": signing_key_policy(ACCOUNT, [FOUNDATION], []),
    "data key": data_key_policy(ACCOUNT, "eu-west-1", [FOUNDATION], for_logs=True),
    "vault": vault_policy(BUCKET, 30, []),
    "administered vault": vault_policy(BUCKET, 30, [FOUNDATION]),
    "replicated vault": vault_policy(BUCKET, 30, [FOUNDATION], [REPLICATOR]),
    "replication": replication_policy(ACCOUNT, BUCKET, KEY, OTHER_BUCKET, OTHER_KEY),
    "replication trust": replication_trust_policy(),
    "shared vault": vault_policy(BUCKET, 30, [FOUNDATION], [REPLICATOR], [WORKLOAD]),
    "bound vault": vault_policy(BUCKET, 30, [FOUNDATION], [], [WORKLOAD], {"releases/": [BUILDER]}, [APPROVER]),
    "private bucket": private_bucket_policy(BUCKET),
    "staging": staging_policy(BUCKET, [WORKLOAD], [FOUNDATION], {"pins/": [BUILDER], OWN_SUBMISSIONS: [CREATOR]}),
    "shared bucket": private_bucket_policy(BUCKET, [WORKLOAD]),
    "approver key": approver_key_policy(ACCOUNT, [FOUNDATION], "ana@example.com", [WORKLOAD]),
    "shared signing key": signing_key_policy(ACCOUNT, [FOUNDATION], [], [WORKLOAD]),
    "shared data key": data_key_policy(ACCOUNT, "eu-west-1", [FOUNDATION], for_logs=False, shared_with=[WORKLOAD]),
    "repository": repository_policy([FOUNDATION], [WORKLOAD], []),
    "trust": trust_policy("sagemaker.amazonaws.com", ACCOUNT),
    "flow logs": flow_log_policy(LOGS),
    "task start": task_start_policy(REPOSITORY, LOGS, ["arn:aws:secretsmanager:::secret:one"], [KEY]),
    "artifacts": artifact_access_policy(BUCKET, "artifacts/", KEY),
    "serving": serving_policy(REPOSITORY, LOGS, BUCKET, ["releases/", "trust/"], KEY, KEY, ["subnet-1", "subnet-2"]),
    "endpoint": endpoint_policy(ACCOUNT),
    "storage endpoint": storage_endpoint_policy(ACCOUNT, "eu-west-1"),
}


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in json.loads(document)["Statement"]}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("what", sorted(DOCUMENTS))
def test_a_document_has_the_grammar_of_iam(what: str) -> None:
    document = json.loads(DOCUMENTS[what])
    assert document["Version"] == "2012-10-17"
    sids = [one["Sid"] for one in document["Statement"]]
    assert len(sids) == len(set(sids))
    for one in document["Statement"]:
        assert one["Sid"].isalnum()
        assert one["Effect"] in ("Allow", "Deny")
        assert one["Action"]
        assert "Principal" in one or "Resource" in one
        assert not {"NotAction", "NotPrincipal"} & set(one)
        assert "NotResource" not in one or one["Effect"] == "Deny"


@pytest.mark.parametrize(
    "what", sorted(set(DOCUMENTS) - {"endpoint", "storage endpoint", "data key", "shared data key"})
)
def test_no_document_grants_a_whole_service(what: str) -> None:
    granted = [
        action
        for one in json.loads(DOCUMENTS[what])["Statement"]
        if one["Effect"] == "Allow"
        for action in listed(one["Action"])
    ]
    assert [action for action in granted if action.endswith(":*") or action == "*"] == []


def test_replication_reads_one_vault_and_writes_the_other_and_deletes_nowhere() -> None:
    found = statements(DOCUMENTS["replication"])
    assert found["WriteReplicas"]["Resource"] == f"{OTHER_BUCKET}/*"
    assert found["WriteReplicas"]["Condition"] == {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
    assert listed(found["WriteReplicas"]["Action"]) == ["s3:ReplicateObject", "s3:ReplicateTags"]
    assert found["ReadVersions"]["Resource"] == f"{BUCKET}/*"
    assert {"s3:GetObjectRetention", "s3:GetObjectLegalHold"} <= set(found["ReadVersions"]["Action"])
    assert (found["DecryptVersions"]["Resource"], found["EncryptReplicas"]["Resource"]) == (KEY, OTHER_KEY)
    assert not [action for one in found.values() for action in listed(one["Action"]) if "Delete" in action]


@pytest.mark.parametrize("administrators", [[], [FOUNDATION]])
def test_nobody_at_all_removes_from_the_vault(administrators: list[str]) -> None:
    removal = statements(vault_policy(BUCKET, 30, administrators))["DenyRemoval"]
    assert removal["Effect"] == "Deny"
    assert removal["Principal"] == "*"
    assert "Condition" not in removal
    assert set(removal["Resource"]) == {BUCKET, f"{BUCKET}/*"}
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration"} <= set(removal["Action"])
    assert set(REMOVAL) <= set(removal["Action"])
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ReplicateDelete"} <= set(REMOVAL)


def test_only_the_named_roles_replicate_into_the_vault() -> None:
    nobody = statements(vault_policy(BUCKET, 30, [FOUNDATION]))
    assert "DenyForeignReplicas" not in nobody
    assert {"s3:ReplicateObject", "s3:ReplicateTags"} <= set(nobody["DenyRemoval"]["Action"])
    named = statements(vault_policy(BUCKET, 30, [FOUNDATION], [REPLICATOR]))["DenyForeignReplicas"]
    assert named["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": [REPLICATOR]}}
    assert (named["Action"], named["Principal"]) == (list(REPLICATION), "*")


def test_an_object_is_written_only_where_none_is() -> None:
    overwriting = statements(DOCUMENTS["vault"])["DenyOverwriting"]
    assert overwriting["Condition"] == {
        "Null": {"s3:if-none-match": "true"},
        "Bool": {"s3:ObjectCreationOperation": "true"},
    }


@pytest.mark.parametrize("days", [30, 365, 3650])
def test_no_lock_is_shorter_than_the_retention_or_weaker_than_compliance(days: int) -> None:
    found = statements(vault_policy(BUCKET, days, []))
    assert found["DenyShortRetention"]["Condition"] == {
        "NumericLessThan": {"s3:object-lock-remaining-retention-days": str(days)}
    }
    assert set(found["DenyShortRetention"]["Action"]) == {"s3:PutObject", "s3:PutObjectRetention"}
    # A request that names no mode gets the bucket's default, and passes.
    assert found["DenyWeakLock"]["Condition"]["Null"] == {"s3:object-lock-mode": "false"}


def test_a_tier_asks_for_no_longer_lock_than_the_vault_lets_anybody_make() -> None:
    asked = TierRules.model_fields["retention_days"].metadata
    assert [one.le for one in asked if isinstance(one, annotated_types.Le)] == [LONGEST_RETENTION_DAYS]
    assert [one.ge for one in asked if isinstance(one, annotated_types.Ge)] == [MINIMUM_RETENTION_DAYS]


def test_without_administrators_the_guards_are_everybodys_to_leave_alone_and_an_empty_vault_can_go() -> None:
    found = statements(vault_policy(BUCKET, 30, []))
    assert "Condition" not in found["DenyChangingGuards"]
    assert set(found["DenyChangingGuards"]["Action"]) == set(GUARDS)
    assert "DenyDeletion" not in found


def test_with_administrators_they_alone_configure_and_delete_the_vault() -> None:
    found = statements(vault_policy(BUCKET, 30, [FOUNDATION]))
    only = {"ArnNotLike": {"aws:PrincipalArn": [FOUNDATION]}}
    assert found["DenyChangingGuards"]["Condition"] == only
    assert found["DenyDeletion"]["Condition"] == only


CONFIGURED = """
    PutBucketPolicy PutBucketVersioning PutBucketObjectLockConfiguration PutEncryptionConfiguration
    PutBucketPublicAccessBlock PutBucketAcl PutBucketOwnershipControls PutReplicationConfiguration
    PutBucketNotification PutBucketLogging PutInventoryConfiguration PutAnalyticsConfiguration
    PutMetricsConfiguration PutIntelligentTieringConfiguration PutAccelerateConfiguration PutBucketRequestPayment
    PutBucketCORS PutBucketWebsite DeleteBucketWebsite PutBucketTagging PutLifecycleConfiguration DeleteBucketPolicy
    DeleteBucket
"""
"""What of a bucket can be configured. Source: Service Authorization Reference, "Actions … for Amazon S3"."""


@pytest.mark.parametrize("action", CONFIGURED.split())
def test_nothing_of_an_administered_vault_is_configured_by_others(action: str) -> None:
    denied = [
        one
        for one in json.loads(DOCUMENTS["replicated vault"])["Statement"]
        if one["Effect"] == "Deny" and f"s3:{action}" in listed(one["Action"]) and BUCKET in listed(one["Resource"])
    ]
    assert denied
    for one in denied:
        assert one["Principal"] == "*"
        assert one.get("Condition") in (None, {"ArnNotLike": {"aws:PrincipalArn": [FOUNDATION]}})


def test_the_policy_of_a_vault_without_administrators_stays_as_such_vaults_have_it() -> None:
    """Nobody could put another in its place."""
    assert statements(vault_policy(BUCKET, 30, []))["DenyChangingGuards"]["Action"] == [
        "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration",
        "s3:PutEncryptionConfiguration", "s3:PutBucketPublicAccessBlock", "s3:PutBucketAcl",
        "s3:PutBucketOwnershipControls", "s3:PutReplicationConfiguration", "s3:PutBucketNotification",
        "s3:PutBucketLogging",
    ]  # fmt: skip


def test_a_signing_key_signs_and_makes_no_grants() -> None:
    found = statements(DOCUMENTS["signing key"])
    assert found["DenyGrants"]["Effect"] == "Deny"
    granted = {a for one in found.values() if one["Effect"] == "Allow" for a in listed(one["Action"])}
    assert {a for a in granted if "rypt" in a or ("Grant" in a and not a.startswith("kms:List"))} == set()


def test_named_signers_take_the_place_of_the_accounts_policies() -> None:
    signer = f"arn:aws:iam::{ACCOUNT}:role/builder"
    found = statements(signing_key_policy(ACCOUNT, [FOUNDATION], [signer]))
    assert found["Sign"]["Principal"] == {"AWS": [signer]}
    assert "SignByIamPolicy" not in found


def test_log_groups_of_this_account_and_region_alone_are_encrypted_by_the_data_key() -> None:
    found = statements(DOCUMENTS["data key"])
    assert found["EncryptLogs"]["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:*"}
    }
    assert "EncryptLogs" not in statements(data_key_policy(ACCOUNT, "eu-west-1", [FOUNDATION], for_logs=False))


def test_a_service_assumes_a_role_for_this_account_alone() -> None:
    assert statements(DOCUMENTS["trust"])["AssumedByService"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT}
    }


def test_serving_lists_and_reads_releases_and_writes_nothing_to_the_vault() -> None:
    found = statements(DOCUMENTS["serving"])
    assert found["ReadReleases"]["Resource"] == [f"{BUCKET}/releases/*", f"{BUCKET}/trust/*"]
    assert found["ListReleases"]["Condition"] == {"StringLike": {"s3:prefix": ["releases/*", "trust/*"]}}
    actions = {action for one in found.values() for action in listed(one["Action"])}
    assert not [action for action in actions if action.startswith(("s3:Put", "s3:Delete"))]


def test_serving_joins_its_own_subnets_and_no_other() -> None:
    found = statements(DOCUMENTS["serving"])
    creating = [one for one in found.values() if "ec2:CreateNetworkInterface" in listed(one["Action"])]
    assert [one["Resource"] for one in creating] == [
        [
            f"arn:aws:ec2:eu-west-1:{ACCOUNT}:network-interface/*",
            f"arn:aws:ec2:eu-west-1:{ACCOUNT}:security-group/*",
            "arn:aws:ec2:eu-west-1:*:subnet/subnet-1",
            "arn:aws:ec2:eu-west-1:*:subnet/subnet-2",
        ]
    ]


@pytest.mark.parametrize("reference", ["interlock/serving:1.0", f"interlock/serving@sha256:{'a' * 64}"])
def test_the_repository_of_an_image_is_told_from_its_reference(reference: str) -> None:
    assert repository_arn(f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{reference}") == REPOSITORY
