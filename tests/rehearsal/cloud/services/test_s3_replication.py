"""Replication between buckets of the local cloud: what is copied, what is not, and what is said of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from interlock.duties.bucket_policy import vault_policy
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.replicating import (
    AWAY,
    HOME,
    Place,
    client,
    in_days,
    replicate,
    role,
    rule,
    rule_without,
)
from tests.rehearsal.cloud.waiting import until


@pytest.fixture
def key() -> str:
    return f"releases/{uuid4().hex}"


@pytest.fixture
def home(cloud: LocalCloud) -> Place:
    return Place(cloud, HOME)


@pytest.fixture
def away(cloud: LocalCloud) -> Place:
    return Place(cloud, AWAY)


@pytest.mark.corrects("s3-replication.objects")
def test_an_object_is_copied_with_its_version_metadata_tags_and_checksum_encrypted_by_the_other_key(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    for place in (home, away):
        place.encrypt()
    replicate(cloud, home, away)
    version_id = home.put(
        key, Metadata={"run": "7"}, ContentType="application/json", Tagging="tier=high", ChecksumAlgorithm="SHA256"
    )
    assert home.head(key)["ReplicationStatus"] == "PENDING"
    assert key not in away.contents()
    assert home.settled(key) == "COMPLETED"
    original, replica = home.head(key), away.head(key, version_id)
    assert replica["ReplicationStatus"] == "REPLICA"
    for same in ("VersionId", "Metadata", "ContentType", "ContentLength", "ChecksumSHA256", "LastModified"):
        assert replica[same] == original[same], same
    assert (original["SSEKMSKeyId"], replica["SSEKMSKeyId"]) == (home.key_arn, away.key_arn)
    assert away.s3.get_object(Bucket=away.name, Key=key)["Body"].read() == b"evidence"
    assert away.s3.get_object_tagging(Bucket=away.name, Key=key)["TagSet"] == [{"Key": "tier", "Value": "high"}]


def test_copies_and_uploads_in_parts_are_replicated_too(cloud: LocalCloud, home: Place, away: Place, key: str) -> None:
    replicate(cloud, home, away)
    home.put(key)
    home.s3.copy_object(Bucket=home.name, Key=f"{key}-copy", CopySource={"Bucket": home.name, "Key": key})
    upload = home.s3.create_multipart_upload(Bucket=home.name, Key=f"{key}-parts")["UploadId"]
    part = {"Bucket": home.name, "Key": f"{key}-parts", "UploadId": upload}
    etag = home.s3.upload_part(**part, PartNumber=1, Body=b"part")["ETag"]
    home.s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": 1}]})
    for name in (key, f"{key}-copy", f"{key}-parts"):
        assert home.settled(name) == "COMPLETED"
        assert away.head(name)["ETag"] == home.head(name)["ETag"]


def test_what_was_there_before_the_rule_is_not_replicated(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    home.put(f"{key}-before")
    replicate(cloud, home, away)
    home.put(f"{key}-after")
    assert home.settled(f"{key}-after") == "COMPLETED"
    assert away.contents() == [f"{key}-after"]
    assert "ReplicationStatus" not in home.head(f"{key}-before")


def test_two_vaults_replicate_to_each_other_without_a_loop_and_keep_their_locks(cloud: LocalCloud, key: str) -> None:
    one, other = Place(cloud, HOME, locked=True), Place(cloud, AWAY, locked=True)
    directions = ((one, other), (other, one))
    for here, there in directions:
        here.encrypt()
        replicate(cloud, here, there)
    for here, there in directions:
        incoming = there.s3.get_bucket_replication(Bucket=there.name)["ReplicationConfiguration"]["Role"]
        policy = vault_policy(here.arn, 30, [f"arn:aws:iam::{cloud.account_id}:user/administrator"], [incoming])
        here.s3.put_bucket_policy(Bucket=here.name, Policy=policy)
    lock: dict[str, Any] = {
        "ObjectLockMode": "COMPLIANCE",
        "ObjectLockRetainUntilDate": in_days(40),
        "ObjectLockLegalHoldStatus": "ON",
    }
    later = in_days(400)
    for here, there in directions:
        name = f"{key}-{here.region}"
        version_id = here.put(name, IfNoneMatch="*", **lock)
        assert here.settled(name) == "COMPLETED"
        replica = there.head(name, version_id)
        assert {element: replica[element] for element in lock} == lock
        with pytest.raises(ClientError, match="AccessDenied"):
            there.s3.delete_object(Bucket=there.name, Key=name, VersionId=version_id)
        here.s3.put_object_retention(
            Bucket=here.name, Key=name, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later}
        )
        assert here.settled(name) == "COMPLETED"
        replica = there.head(name, version_id)
        assert (replica["ObjectLockRetainUntilDate"], replica["ReplicationStatus"]) == (later, "REPLICA")
        assert [found["VersionId"] for found in _versions(here, name)] == [version_id]


def test_a_change_of_a_replica_comes_back_where_the_rule_says_so(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    replicate(cloud, home, away)
    replicate(cloud, away, home)
    home.put(key)
    assert home.settled(key) == "COMPLETED"
    away.s3.put_object_tagging(Bucket=away.name, Key=key, Tagging={"TagSet": [{"Key": "seen", "Value": "yes"}]})
    until(
        lambda: home.s3.get_object_tagging(Bucket=home.name, Key=key)["TagSet"],
        lambda tags: tags == [{"Key": "seen", "Value": "yes"}],
    )


def test_deleting_a_version_is_never_replicated_and_a_delete_marker_only_when_asked(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    replicate(cloud, home, away)
    version_id = home.put(key)
    assert home.settled(key) == "COMPLETED"
    home.s3.delete_object(Bucket=home.name, Key=key)
    home.s3.delete_object(Bucket=home.name, Key=key, VersionId=version_id)
    home.put(f"{key}-later")
    assert home.settled(f"{key}-later") == "COMPLETED"
    assert away.head(key)["VersionId"] == version_id


def test_a_delete_marker_is_replicated_with_its_version_when_rule_and_role_say_so(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    # What the role must be granted may also stand in a policy that is attached to it.
    nothing = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
    arn = role(cloud, home, away, json.dumps({"Version": "2012-10-17", "Statement": [nothing]}))
    every = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [every]})
    iam = cloud.client("iam")
    policy = iam.create_policy(PolicyName=f"replicate-{home.name}", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=arn.rpartition("/")[2], PolicyArn=policy)
    markers = rule(away, DeleteMarkerReplication={"Status": "Enabled"})
    home.s3.put_bucket_replication(Bucket=home.name, ReplicationConfiguration={"Role": arn, "Rules": [markers]})
    home.put(key)
    assert home.settled(key) == "COMPLETED"
    marker = home.s3.delete_object(Bucket=home.name, Key=key)["VersionId"]
    found = until(lambda: away.s3.list_object_versions(Bucket=away.name, Prefix=key).get("DeleteMarkers", []), bool)
    assert [(one["VersionId"], one["IsLatest"]) for one in found] == [(marker, True)]


@pytest.mark.parametrize("wanted", [{"Prefix": "wanted/"}, {"Tag": {"Key": "go", "Value": "1"}}], ids=["prefix", "tag"])
def test_a_filter_chooses_by_prefix_or_tag(cloud: LocalCloud, home: Place, away: Place, wanted: dict[str, Any]) -> None:
    replicate(cloud, home, away, rule(away, Filter=wanted))
    home.put("unwanted/one")
    home.put("wanted/one", Tagging="go=1")
    assert home.settled("wanted/one") == "COMPLETED"
    assert away.contents() == ["wanted/one"]
    assert "ReplicationStatus" not in home.head("unwanted/one")


def test_of_two_rules_for_one_destination_the_one_of_higher_priority_holds(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    cold = rule(away)["Destination"] | {"StorageClass": "STANDARD_IA"}
    replicate(cloud, home, away, rule(away, ID="low"), rule(away, ID="high", Priority=9, Destination=cold))
    home.put(key)
    assert home.settled(key) == "COMPLETED"
    assert away.head(key)["StorageClass"] == "STANDARD_IA"


def test_an_object_under_a_kms_key_stays_where_the_rule_does_not_name_such_objects(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    destination = {"Bucket": away.arn}
    replicate(cloud, home, away, rule_without(away, "SourceSelectionCriteria", Destination=destination))
    home.put(f"{key}-kms", ServerSideEncryption="aws:kms", SSEKMSKeyId=home.key_arn)
    home.put(f"{key}-s3")
    assert home.settled(f"{key}-s3") == "COMPLETED"
    assert away.contents() == [f"{key}-s3"]
    assert "ReplicationStatus" not in home.head(f"{key}-kms")


def test_replication_is_measured_in_the_destinations_region(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    replicate(cloud, home, away)
    home.put(key)
    assert home.settled(key) == "COMPLETED"

    def seen(name: str, region: str) -> dict[str, float]:
        found = client(cloud, "cloudwatch", region).get_metric_statistics(
            Namespace="AWS/S3",
            MetricName=name,
            Dimensions=[
                {"Name": "SourceBucket", "Value": home.name},
                {"Name": "DestinationBucket", "Value": away.name},
                {"Name": "RuleId", "Value": "all"},
            ],
            StartTime=datetime.now(UTC) - timedelta(minutes=5),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=3600,
            Statistics=["Maximum", "Minimum"],
        )["Datapoints"]
        return dict(found[0]) if found else {}

    assert 0.4 < seen("ReplicationLatency", AWAY)["Maximum"] < 30
    assert seen("BytesPendingReplication", AWAY)["Maximum"] == len(b"evidence")
    assert seen("OperationsPendingReplication", AWAY)["Minimum"] == 0
    assert seen("OperationsFailedReplication", HOME)["Maximum"] == 0
    assert seen("ReplicationLatency", HOME) == {}


def _versions(place: Place, key: str) -> list[dict[str, Any]]:
    return list(place.s3.list_object_versions(Bucket=place.name, Prefix=key).get("Versions", []))
