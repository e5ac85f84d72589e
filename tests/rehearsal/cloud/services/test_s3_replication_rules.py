"""PutBucketReplication in the local cloud: what is refused, in S3's words, and what is read back."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.replicating import AWAY, HOME, Place, replicate, rule

ROLE = "arn:aws:iam::123456789012:role/replication"


@pytest.fixture
def home(cloud: LocalCloud) -> Place:
    return Place(cloud, HOME)


@pytest.fixture
def away(cloud: LocalCloud) -> Place:
    return Place(cloud, AWAY)


def _refused(place: Place, *rules: dict[str, Any], role: str = ROLE) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        place.s3.put_bucket_replication(
            Bucket=place.name, ReplicationConfiguration={"Role": role, "Rules": list(rules)}
        )
    error = refused.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


@pytest.mark.corrects("s3-replication.configuration")
def test_a_configuration_is_read_back_as_it_was_put(cloud: LocalCloud, home: Place, away: Place) -> None:
    chosen = {"And": {"Prefix": "releases/", "Tags": [{"Key": "tier", "Value": "high"}]}}
    put = [rule(away, Filter=chosen), rule(away, ID="rest", Priority=2, Filter={"Prefix": ""}, Status="Disabled")]
    replicate(cloud, home, away, *put)
    assert home.s3.get_bucket_replication(Bucket=home.name)["ReplicationConfiguration"]["Rules"] == put
    home.s3.delete_bucket_replication(Bucket=home.name)
    with pytest.raises(ClientError, match="ReplicationConfigurationNotFoundError"):
        home.s3.get_bucket_replication(Bucket=home.name)


@pytest.mark.corrects("s3-replication.configuration")
def test_both_buckets_must_be_versioned_and_stay_so(cloud: LocalCloud, home: Place, away: Place) -> None:
    suspended = {"Status": "Suspended"}
    away.s3.put_bucket_versioning(Bucket=away.name, VersioningConfiguration=suspended)
    assert _refused(home, rule(away)) == ("InvalidRequest", "Destination bucket must have versioning enabled.")
    away.s3.put_bucket_versioning(Bucket=away.name, VersioningConfiguration={"Status": "Enabled"})
    replicate(cloud, home, away)
    with pytest.raises(ClientError, match="InvalidBucketState"):
        home.s3.put_bucket_versioning(Bucket=home.name, VersioningConfiguration=suspended)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Filter": None}, "Priority cannot be used for this version"),
        ({"Priority": None}, "Priority must be specified for this version"),
        ({"DeleteMarkerReplication": None}, "DeleteMarkerReplication must be specified for this version"),
        (
            {"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "DeleteMarkerReplication": {"Status": "Enabled"}},
            "Delete marker replication is not supported if any Tag filter is specified",
        ),
        ({"Destination": {"Bucket": "arn:aws:s3:::nowhere-at-all"}}, "ReplicaKmsKeyID must be specified"),
        (
            {"Destination": {"Bucket": "arn:aws:s3:::nowhere-at-all"}, "SourceSelectionCriteria": None},
            "Destination bucket must exist.",
        ),
        (
            {"SourceSelectionCriteria": {"ReplicaModifications": {"Status": "Enabled"}}},
            "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.",
        ),
        ({"Destination": {"Bucket": "a-name"}, "SourceSelectionCriteria": None}, "Invalid bucket ARN"),
        (
            {
                "Destination": {
                    "Bucket": "arn:aws:s3:::bucket",
                    "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
                },
                "SourceSelectionCriteria": None,
            },
            "must contain both ReplicationTime and Metrics or neither",
        ),
        (
            {
                "Destination": {
                    "Bucket": "arn:aws:s3:::bucket",
                    "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 5}},
                    "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
                },
                "SourceSelectionCriteria": None,
            },
            "Invalid time minute value",
        ),
        (
            {
                "Destination": {
                    "Bucket": "arn:aws:s3:::bucket",
                    "AccessControlTranslation": {"Owner": "Destination"},
                },
                "SourceSelectionCriteria": None,
            },
            "Account must be specified",
        ),
    ],
)
def test_a_rule_that_s3_would_refuse_is_refused_in_its_words(
    home: Place, away: Place, changes: dict[str, Any], message: str
) -> None:
    changed = {name: value for name, value in rule(away, **changes).items() if value is not None}
    if "Filter" not in changed:
        changed["Prefix"] = ""
    _, said = _refused(home, changed)
    assert message in said


def test_ids_and_priorities_are_unique_and_the_role_is_one(home: Place, away: Place) -> None:
    assert "unique" in _refused(home, rule(away), rule(away, Priority=2))[1]
    assert "duplicate priorities" in _refused(home, rule(away), rule(away, ID="other"))[1]
    assert _refused(home, rule(away), role="someone")[0] == "InvalidArgument"
    assert _refused(home, rule(home))[1] == "Destination bucket cannot be the same as the source bucket."
