"""The vault in two regions: each half is locked, and replicates into the other from the first day."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.validation import ArgumentError
from policy.recording.answers import ACCOUNT, attributes_of
from policy.recording.monitor import UNKNOWN, Recording, Registration, record
from tests.components.programs import RECOVERY_KEY, elsewhere, make

CONFIGURATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
THERE = "one-elsewhere"


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "up"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return record(_made, preview=request.param)


@pytest.fixture(scope="module")
def after_up() -> Recording:
    return record(_made, preview=False)


def rule_of(configuration: Registration) -> dict[str, Any]:
    (rule,) = configuration.inputs["rules"]
    return dict(rule)


def test_both_halves_are_locked_alike_each_in_its_region(recording: Recording) -> None:
    here, there = (recording.one(LOCK, name) for name in ("one-lock", "one-recovery-lock"))
    assert here.inputs["rule"] == there.inputs["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 30}}
    assert (here.provider, there.provider) == ("", THERE)
    assert recording.one("aws:s3/bucket:Bucket", "one-recovery-bucket").inputs["objectLockEnabled"] is True
    staging = recording.one("aws:s3/bucket:Bucket", "one-recovery-staging-bucket")
    assert (staging.provider, "objectLockEnabled" in staging.inputs) == (THERE, False)


def test_each_half_replicates_everything_into_the_other_within_a_promised_time(recording: Recording) -> None:
    found = {one.name: one for one in recording.of_type(CONFIGURATION)}
    assert {name: one.provider for name, one in found.items()} == {"one-to-recovery": "", "one-from-recovery": THERE}
    for one in found.values():
        rule = rule_of(one)
        assert (rule["status"], rule["filter"]) == ("Enabled", {})
        assert rule["destination"]["replicationTime"] == {"status": "Enabled", "time": {"minutes": 15}}
        assert rule["destination"]["metrics"] == {"status": "Enabled", "eventThreshold": {"minutes": 15}}


def test_what_is_said_of_a_replica_comes_back_and_deletions_do_not_travel(recording: Recording) -> None:
    for one in recording.of_type(CONFIGURATION):
        rule = rule_of(one)
        assert rule["sourceSelectionCriteria"]["replicaModifications"] == {"status": "Enabled"}
        assert rule["deleteMarkerReplication"] == {"status": "Disabled"}


def test_replicas_are_encrypted_with_the_key_of_their_own_region(recording: Recording) -> None:
    going = rule_of(recording.one(CONFIGURATION, "one-to-recovery"))
    assert going["sourceSelectionCriteria"]["sseKmsEncryptedObjects"] == {"status": "Enabled"}
    assert going["destination"]["encryptionConfiguration"] == {"replicaKmsKeyId": RECOVERY_KEY}
    coming = rule_of(recording.one(CONFIGURATION, "one-from-recovery"))
    assert coming["destination"]["encryptionConfiguration"]["replicaKmsKeyId"] != RECOVERY_KEY


def test_replication_waits_for_the_locks_of_both_and_comes_before_the_policy_that_would_deny_it(
    recording: Recording,
) -> None:
    locks = {recording.one(LOCK, name).urn for name in ("one-lock", "one-recovery-lock")}
    for name, policy in (("one-to-recovery", "one-policy"), ("one-from-recovery", "one-recovery-policy")):
        configuration = recording.one(CONFIGURATION, name)
        assert locks <= configuration.dependencies
        assert configuration.urn in recording.one(POLICY, policy).dependencies
        assert configuration.retained_on_delete


def test_only_the_role_of_the_other_half_replicates_into_a_half(after_up: Recording) -> None:
    for policy, role in (("one-policy", "one-from-recovery-role"), ("one-recovery-policy", "one-to-recovery-role")):
        statements = json.loads(after_up.one(POLICY, policy).inputs["policy"])["Statement"]
        (denied,) = [one for one in statements if one["Sid"] == "DenyForeignReplicas"]
        (arn,) = denied["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
        assert arn.startswith(f"arn:aws:iam::{ACCOUNT}:role/{role}")


def test_a_replication_role_reads_its_source_and_writes_its_destination_and_deletes_nothing(
    after_up: Recording,
) -> None:
    buckets = {one.name: f"arn:aws:s3:::{_physical(one)}" for one in after_up.of_type("aws:s3/bucket:Bucket")}
    policy = after_up.one("aws:iam/rolePolicy:RolePolicy", "one-to-recovery-role-policy").inputs["policy"]
    granted = {one["Sid"]: one for one in json.loads(policy)["Statement"]}
    assert granted["ReadVersions"]["Resource"] == f"{buckets['one-bucket']}/*"
    assert granted["WriteReplicas"]["Resource"] == f"{buckets['one-recovery-bucket']}/*"
    assert granted["EncryptReplicas"]["Resource"] == RECOVERY_KEY
    assert "Delete" not in policy


def test_a_preview_knows_not_yet_who_replicates_and_says_so() -> None:
    recording = record(_made, preview=True)
    assert recording.one(POLICY, "one-policy").inputs["policy"] == UNKNOWN


def test_a_recovery_region_is_held_to_its_own_arguments() -> None:
    with pytest.raises(ArgumentError) as caught:
        record(lambda: _made(recovery={"account_id": "1", "encryption_key_arn": "key"}), preview=True)
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {f"Vault one.recovery.{name}" for name in ("provider", "account_id", "encryption_key_arn")}


def test_another_account_reads_and_adds_where_the_vault_is_shared(after_up: Recording) -> None:
    for policy in ("one-policy", "one-recovery-policy", "one-staging-policy", "one-recovery-staging-policy"):
        statements = json.loads(after_up.one(POLICY, policy).inputs["policy"])["Statement"]
        shares = [one["Principal"] for one in statements if one["Effect"] == "Allow"]
        assert shares == [{"AWS": "arn:aws:iam::444455556666:root"}] * 2, policy


def test_buckets_bear_the_names_that_are_given(recording: Recording) -> None:
    def program() -> None:
        there = {"provider": elsewhere("one"), "account_id": ACCOUNT, "encryption_key_arn": RECOVERY_KEY}
        names = {"bucket_name": "vault-a", "staging_bucket_name": "staging-a"}
        _made(**names, recovery={**there, "bucket_name": "vault-b", "staging_bucket_name": "staging-b"})

    named = record(program, preview=True)
    found = {one.name: one.inputs.get("bucket") for one in named.of_type("aws:s3/bucket:Bucket")}
    assert found == {
        "one-bucket": "vault-a",
        "one-staging-bucket": "staging-a",
        "one-recovery-bucket": "vault-b",
        "one-recovery-staging-bucket": "staging-b",
    }
    assert not any("bucket" in one.inputs for one in recording.of_type("aws:s3/bucket:Bucket"))


def _physical(bucket: Registration) -> str:
    return str(attributes_of(bucket.type, bucket.name, bucket.inputs)[0])


def _made(**changed: Any) -> None:
    make("Vault", **changed)
