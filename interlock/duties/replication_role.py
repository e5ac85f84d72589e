"""What S3 may do while it replicates one bucket into another: read every version there, write replicas here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from interlock.duties.documents import document, statement

CONFIGURATION: Final = ("s3:GetReplicationConfiguration", "s3:ListBucket")
VERSIONS: Final = (
    "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging",
    "s3:GetObjectRetention", "s3:GetObjectLegalHold",
)  # fmt: skip
REPLICAS: Final = ("s3:ReplicateObject", "s3:ReplicateTags")
KEYS: Final = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")


def replication_trust_policy() -> str:
    """Return the trust policy of a role that S3 assumes to replicate.

    It has no condition, because AWS documents none that S3 meets here. Nobody can have S3 use the role for a bucket
    of theirs all the same: putting a replication configuration takes iam:PassRole in the role's own account.
    Source: Amazon S3 User Guide, "Setting up permissions for live replication".
    """
    return document(
        statement("AssumedForReplication", "Allow", ["sts:AssumeRole"], principal={"Service": "s3.amazonaws.com"})
    )


def replication_boundary(bucket_names: Sequence[str]) -> str:
    """Return the most that roles of these buckets' replication may ever do: read, encrypt, and add replicas to them."""
    objects = [f"arn:aws:s3:::{name}/*" for name in bucket_names]
    buckets = [f"arn:aws:s3:::{name}" for name in bucket_names]
    return document(
        statement("ReadConfiguration", "Allow", CONFIGURATION, buckets),
        statement("Replicate", "Allow", (*VERSIONS, *REPLICAS), objects),
        statement("UseKeys", "Allow", KEYS, ["*"], conditions={"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}),
    )


def replication_policy(
    account_id: str, source_bucket_arn: str, source_key_arn: str, destination_bucket_arn: str, destination_key_arn: str
) -> str:
    """Return what replicating one encrypted bucket into another takes, locks and tags included.

    `account_id` is the destination's: replicas go nowhere if its bucket's name comes to be somebody else's. Delete
    markers are not among it: what is hidden in one region stays visible in the other.
    Source: Amazon S3 User Guide, "Setting up permissions for live replication", "Replicating encrypted objects",
    "Object Lock considerations".
    """
    source_region, destination_region = (arn.split(":")[3] for arn in (source_key_arn, destination_key_arn))
    return document(
        statement("ReadConfiguration", "Allow", CONFIGURATION, [source_bucket_arn]),
        statement(
            "ReadVersions",
            "Allow",
            VERSIONS,
            [f"{source_bucket_arn}/*"],
        ),
        statement(
            "WriteReplicas",
            "Allow",
            REPLICAS,
            [f"{destination_bucket_arn}/*"],
            conditions={"StringEquals": {"aws:ResourceAccount": account_id}},
        ),
        statement(
            "DecryptVersions",
            "Allow",
            ["kms:Decrypt"],
            [source_key_arn],
            conditions={"StringLike": {"kms:ViaService": f"s3.{source_region}.amazonaws.com"}},
        ),
        statement(
            "EncryptReplicas",
            "Allow",
            ["kms:Encrypt", "kms:GenerateDataKey"],
            [destination_key_arn],
            conditions={"StringLike": {"kms:ViaService": f"s3.{destination_region}.amazonaws.com"}},
        ),
    )
