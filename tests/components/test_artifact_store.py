"""The artifact store: names, buckets that there are already, and the replica."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest

from components.validation import ArgumentError
from policy.recording.answers import ACCOUNT
from policy.recording.monitor import Recording, record
from tests.components.programs import make

THERE = "eu-central-1"
OTHER_KEY = f"arn:aws:kms:{THERE}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ac"
TYPE = "interlock:storage:ArtifactStore"


def recorded(preview: bool = False, *, with_replica: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        if with_replica:
            provider = aws.Provider("there", region=THERE)
            changed["replica"] = {"provider": provider, "account_id": ACCOUNT, "encryption_key_arn": OTHER_KEY}
        make("ArtifactStore", **changed)

    return record(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_everything_written_is_copied_into_the_other_region_under_its_key(preview: bool) -> None:
    recording = recorded(preview, with_replica=True)
    replication = recording.one("aws:s3/bucketReplicationConfig:BucketReplicationConfig")
    (rule,) = replication.inputs["rules"]
    assert rule["status"] == "Enabled"
    assert rule["destination"]["encryptionConfiguration"] == {"replicaKmsKeyId": OTHER_KEY}
    versioned = {one.urn for one in recording.of_type("aws:s3/bucketVersioning:BucketVersioning")}
    assert len(versioned) == 2
    assert versioned <= replication.dependencies


def test_the_replica_is_as_closed_and_cold_as_the_store() -> None:
    recording = recorded(with_replica=True, cold_storage_days=60)
    rules = [
        one.inputs["rules"]
        for one in recording.of_type("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    ]
    assert rules[0] == rules[1]
    assert len(recording.of_type("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")) == 2


def test_the_role_of_the_replication_reads_one_bucket_and_writes_the_other() -> None:
    policy = json.loads(recorded(with_replica=True).one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    by_sid = {one["Sid"]: one for one in policy["Statement"]}
    assert "one-replica" in by_sid["WriteReplicas"]["Resource"]
    assert "one-store" in by_sid["ReadVersions"]["Resource"]


def test_a_bucket_that_there_is_already_is_used_and_left_alone() -> None:
    recording = recorded(existing_bucket_name="mlflow-artifacts")
    assert [one for one in recording.resources if one.custom and one.name != "one-late"] == []
    outputs = recording.outputs_of(TYPE)
    assert (outputs["bucketName"], outputs["bucketArn"]) == ("mlflow-artifacts", "arn:aws:s3:::mlflow-artifacts")


def test_a_name_that_is_given_is_the_buckets() -> None:
    bucket = recorded(bucket_name="mlflow-artifacts").one("aws:s3/bucket:Bucket")
    assert bucket.inputs["bucket"] == "mlflow-artifacts"


def test_a_bucket_that_there_is_already_gets_no_other_name_and_no_replica() -> None:
    with pytest.raises(ArgumentError) as caught:
        recorded(True, existing_bucket_name="mlflow-artifacts", bucket_name="other", with_replica=True)
    assert {problem.path for problem in caught.value.problems} == {
        "ArtifactStore one.bucket_name",
        "ArtifactStore one.replica",
    }
