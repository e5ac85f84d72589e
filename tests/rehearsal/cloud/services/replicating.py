"""Buckets in two regions, or two accounts, with what S3 needs to replicate between them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from interlock.duties.replication_role import replication_policy, replication_trust_policy
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.waiting import until

HOME, AWAY = "eu-west-1", "eu-central-1"


def client(cloud: LocalCloud, service: str, region: str, account_id: str | None = None) -> Any:
    """Return a client of a region, as the administrator or in a role of another account."""
    if account_id is None:
        return cloud.client(service, region_name=region)
    session = cloud.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole", RoleSessionName="tests"
    )["Credentials"]
    return cloud.client(
        service,
        region_name=region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


@dataclass
class Place:
    """A versioned bucket, encrypted with a key of its own, in a region of an account."""

    cloud: LocalCloud
    region: str
    locked: bool = False
    account_id: str | None = None

    def __post_init__(self) -> None:
        self.s3 = client(self.cloud, "s3", self.region, self.account_id)
        self.name = f"replicated-{uuid4().hex[:12]}"
        self.arn = f"arn:aws:s3:::{self.name}"
        self.s3.create_bucket(
            Bucket=self.name,
            ObjectLockEnabledForBucket=self.locked,
            CreateBucketConfiguration={"LocationConstraint": self.region},
        )
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        kms = client(self.cloud, "kms", self.region, self.account_id)
        self.key_arn = kms.create_key()["KeyMetadata"]["Arn"]

    def encrypt(self) -> None:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.key_arn}}
        self.s3.put_bucket_encryption(
            Bucket=self.name, ServerSideEncryptionConfiguration={"Rules": [{**rule, "BucketKeyEnabled": True}]}
        )

    def put(self, key: str, body: bytes = b"evidence", **options: Any) -> str:
        return str(self.s3.put_object(Bucket=self.name, Key=key, Body=body, **options)["VersionId"])

    def head(self, key: str, version_id: str | None = None) -> dict[str, Any]:
        version = {"VersionId": version_id} if version_id else {}
        found: dict[str, Any] = self.s3.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED", **version)
        return found

    def settled(self, key: str, version_id: str | None = None) -> str:
        """Return the status of a version once it is replicated or has failed to be."""
        return str(
            until(
                lambda: self.head(key, version_id).get("ReplicationStatus"), lambda seen: seen not in (None, "PENDING")
            )
        )

    def contents(self) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]


def role(cloud: LocalCloud, source: Place, destination: Place, policy: str | None = None) -> str:
    """Make the role with which S3 replicates one place to the other, and return its ARN."""
    iam = client(cloud, "iam", source.region, source.account_id)
    name = f"replication-{uuid4().hex[:12]}"
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=replication_trust_policy())["Role"]["Arn"])
    owner = destination.account_id or cloud.account_id
    needed = policy or replication_policy(owner, source.arn, source.key_arn, destination.arn, destination.key_arn)
    iam.put_role_policy(RoleName=name, PolicyName="replicate", PolicyDocument=needed)
    return arn


def rule(destination: Place, **changes: Any) -> dict[str, Any]:
    """Return a rule that replicates everything, delete markers apart; `changes` replace its elements."""
    return {
        "ID": "all",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "SourceSelectionCriteria": {
            "ReplicaModifications": {"Status": "Enabled"},
            "SseKmsEncryptedObjects": {"Status": "Enabled"},
        },
        "Destination": {
            "Bucket": destination.arn,
            "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
            "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
            "EncryptionConfiguration": {"ReplicaKmsKeyID": destination.key_arn},
        },
    } | changes


def rule_without(destination: Place, *elements: str, **changes: Any) -> dict[str, Any]:
    """Return `rule` without some of its elements."""
    return {name: value for name, value in rule(destination, **changes).items() if name not in elements}


def in_days(days: int) -> datetime:
    """Return a moment from now on, in whole seconds as S3 tells the end of a lock."""
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


def replicate(cloud: LocalCloud, source: Place, destination: Place, *rules: dict[str, Any]) -> None:
    """Have S3 replicate one place to the other by `rules`, or everything."""
    configuration = {"Role": role(cloud, source, destination), "Rules": list(rules) or [rule(destination)]}
    source.s3.put_bucket_replication(Bucket=source.name, ReplicationConfiguration=configuration)


def allow_all(source: Place, destination: Place, role_arn: str) -> None:
    """Let a role replicate into a bucket of another account."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": role_arn},
        "Action": ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"],
        "Resource": f"{destination.arn}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    destination.s3.put_bucket_policy(Bucket=destination.name, Policy=json.dumps(policy))
