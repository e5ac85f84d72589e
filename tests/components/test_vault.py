"""The vault's guards."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from components.signing_keys import SigningKeys
from components.vault import Vault
from policy.recording.monitor import Recording, record
from tests.components.programs import EXAMPLES, make

GUARDS = (
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:s3/bucketPolicy:BucketPolicy",
)


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "up"])
def recording(request: pytest.FixtureRequest) -> Recording:
    def program() -> None:
        of_keys = {**EXAMPLES["SigningKeys"].arguments("keys"), "approvers": {}}
        keys = SigningKeys("keys", of_keys)  # type: ignore[arg-type]
        arguments = {**EXAMPLES["Vault"].arguments("one"), "encryption_key_arn": keys.evidence_key_arn}
        del arguments["recovery"]
        Vault("one", arguments, pulumi.ResourceOptions(depends_on=[keys]))  # type: ignore[arg-type]

    return record(program, preview=request.param)


def test_every_object_is_locked_in_compliance_mode_for_thirty_days_at_least(recording: Recording) -> None:
    assert recording.one("aws:s3/bucket:Bucket", "one-bucket").inputs["objectLockEnabled"] is True
    lock = recording.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert lock.inputs["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 30}}


def test_the_guards_go_only_with_the_bucket(recording: Recording) -> None:
    own = [one for one in recording.resources if one.type in GUARDS and not one.name.startswith("one-staging")]
    assert {one.type for one in own} == set(GUARDS)
    assert all(one.retained_on_delete for one in own)
    assert not recording.one("aws:s3/bucket:Bucket", "one-bucket").retained_on_delete


def test_a_vault_with_objects_is_never_emptied_by_a_destroy(recording: Recording) -> None:
    assert recording.one("aws:s3/bucket:Bucket", "one-bucket").inputs["forceDestroy"] is False


def test_the_policy_comes_last_because_it_denies_everything_before_it(recording: Recording) -> None:
    policy = recording.one("aws:s3/bucketPolicy:BucketPolicy", "one-policy")
    before = {
        one.urn
        for one in recording.resources
        if one.type in GUARDS and one.name.startswith("one-") and one is not policy
    }
    lock = recording.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert {urn for urn in before if "staging" not in urn} <= policy.dependencies | lock.dependencies


def test_the_bucket_goes_before_the_keys_so_that_a_vault_that_stays_keeps_them(recording: Recording) -> None:
    bucket = recording.one("aws:s3/bucket:Bucket", "one-bucket")
    keys = {one.urn for one in recording.resources if one.type in ("aws:kms/key:Key", "aws:kms/alias:Alias")}
    keys = {urn for urn in keys if not urn.endswith("::one-late")}
    assert len(keys) == 14
    assert keys <= bucket.dependencies


def test_objects_wait_for_admission_in_a_bucket_without_a_lock(recording: Recording) -> None:
    staging = recording.one("aws:s3/bucket:Bucket", "one-staging-bucket")
    assert "objectLockEnabled" not in staging.inputs
    assert len(recording.of_type("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")) == 1


def test_what_was_submitted_goes_after_a_month_and_nothing_else_of_the_staging_bucket(recording: Recording) -> None:
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    (rule,) = [one for one in recording.one(kind, "one-staging-lifecycle").inputs["rules"] if "expiration" in one]
    assert rule["filter"] == {"prefix": "submissions/"}
    assert rule["expiration"] == {"days": 30}
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 7}
    assert rule["status"] == "Enabled"


def test_without_administrators_nobody_changes_the_guards() -> None:
    recording = record(lambda: _made(administrators=[]), preview=False)
    policy = json.loads(recording.one("aws:s3/bucketPolicy:BucketPolicy", "one-policy").inputs["policy"])
    (statement,) = [one for one in policy["Statement"] if one["Sid"] == "DenyChangingGuards"]
    assert "Condition" not in statement


def test_a_longer_retention_is_in_the_lock_and_in_the_policy() -> None:
    recording = record(lambda: _made(retention_days=400), preview=False)
    lock = recording.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert lock.inputs["rule"]["defaultRetention"]["days"] == 400
    policy = recording.one("aws:s3/bucketPolicy:BucketPolicy", "one-policy").inputs["policy"]
    assert '"s3:object-lock-remaining-retention-days": "400"' in policy


def _made(**changed: Any) -> None:
    make("Vault", **{"recovery": ..., **changed})
