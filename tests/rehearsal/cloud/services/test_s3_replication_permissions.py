"""What S3 may replicate in the local cloud: by its role, its keys, and the policies of another account or vault."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from interlock.duties.bucket_policy import vault_policy
from interlock.duties.replication_role import replication_trust_policy
from rehearsal.cloud.accounts import EVIDENCE
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.replicating import (
    AWAY,
    HOME,
    Place,
    allow_all,
    client,
    in_days,
    replicate,
    role,
    rule_without,
)

OTHER_ACCOUNT = EVIDENCE


@pytest.fixture
def key() -> str:
    return f"releases/{uuid4().hex}"


@pytest.fixture
def home(cloud: LocalCloud) -> Place:
    return Place(cloud, HOME)


@pytest.fixture
def away(cloud: LocalCloud) -> Place:
    return Place(cloud, AWAY)


def test_tags_stay_behind_where_the_destination_denies_them(
    cloud: LocalCloud, home: Place, away: Place, key: str
) -> None:
    replicate(cloud, home, away)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:ReplicateTags", "Resource": f"{away.arn}/*"}
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    away.s3.put_bucket_policy(Bucket=away.name, Policy=json.dumps(policy))
    home.put(key, Tagging="tier=high")
    assert home.settled(key) == "COMPLETED"
    assert away.s3.get_object_tagging(Bucket=away.name, Key=key)["TagSet"] == []


def test_another_account_gets_replicas_where_its_bucket_policy_allows_the_role(
    cloud: LocalCloud, home: Place, key: str
) -> None:
    theirs = Place(cloud, AWAY, account_id=OTHER_ACCOUNT)
    owned = {"Bucket": theirs.arn, "Account": OTHER_ACCOUNT, "AccessControlTranslation": {"Owner": "Destination"}}
    every = {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}
    arn = role(cloud, home, theirs, json.dumps({"Version": "2012-10-17", "Statement": [every]}))
    crossing = rule_without(theirs, "SourceSelectionCriteria", Destination=owned)
    home.s3.put_bucket_replication(Bucket=home.name, ReplicationConfiguration={"Role": arn, "Rules": [crossing]})
    home.put(f"{key}-refused")
    assert home.settled(f"{key}-refused") == "FAILED"
    allow_all(home, theirs, arn)
    home.put(key)
    assert home.settled(key) == "COMPLETED"
    assert theirs.head(key)["ReplicationStatus"] == "REPLICA"


def test_what_another_account_writes_is_replicated_with_the_lock_that_it_prolongs(cloud: LocalCloud, key: str) -> None:
    source, destination = (Place(cloud, region, locked=True, account_id=OTHER_ACCOUNT) for region in (HOME, AWAY))
    replicate(cloud, source, destination)
    ours = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account_id}:root"},
        "Action": ["s3:PutObject", "s3:PutObjectRetention", "s3:GetObject"],
        "Resource": f"{source.arn}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [ours]})
    source.s3.put_bucket_policy(Bucket=source.name, Policy=policy)
    s3, until_then = client(cloud, "s3", HOME), in_days(50)
    version_id = s3.put_object(Bucket=source.name, Key=key, Body=b"evidence")["VersionId"]
    assert source.settled(key) == "COMPLETED"
    lock = {"Mode": "COMPLIANCE", "RetainUntilDate": until_then}
    s3.put_object_retention(Bucket=source.name, Key=key, Retention=lock)
    assert source.settled(key) == "COMPLETED"
    assert destination.head(key, version_id)["ObjectLockRetainUntilDate"] == until_then


def test_replication_fails_where_the_destination_denies_the_role(cloud: LocalCloud, home: Place, key: str) -> None:
    vault = Place(cloud, AWAY, locked=True)
    vault.s3.put_bucket_policy(Bucket=vault.name, Policy=vault_policy(vault.arn, 30, []))
    replicate(cloud, home, vault)
    home.put(key)
    assert home.settled(key) == "FAILED"
    assert vault.contents() == []


@pytest.mark.parametrize("missing", ["role", "trust", "permission", "boundary", "key", "lock"])
def test_replication_fails_without_what_it_needs(cloud: LocalCloud, away: Place, key: str, missing: str) -> None:
    home = Place(cloud, HOME, locked=missing == "lock")
    home.encrypt()
    replicate(cloud, home, away)
    iam = cloud.client("iam")
    arn = home.s3.get_bucket_replication(Bucket=home.name)["ReplicationConfiguration"]["Role"]
    name = arn.rpartition("/")[2]
    if missing == "trust":
        # S3 is not documented to say for which bucket it assumes a role.
        trust = replication_trust_policy().replace(
            '"Principal"', f'"Condition": {{"ArnLike": {{"aws:SourceArn": "{home.arn}"}}}}, "Principal"'
        )
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    if missing == "boundary":
        reads = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*", "kms:*"], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
        boundary = iam.create_policy(PolicyName=f"boundary-of-{name}", PolicyDocument=document)["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    if missing in ("role", "permission"):
        iam.delete_role_policy(RoleName=name, PolicyName="replicate")
    if missing == "role":
        iam.delete_role(RoleName=name)
    if missing == "key":
        client(cloud, "kms", AWAY).disable_key(KeyId=away.key_arn)
    home.put(key)
    assert home.settled(key) == "FAILED"
    assert away.contents() == []
