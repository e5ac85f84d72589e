"""Bucket policies: what the vault refuses to everyone, and what every bucket of ours refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from interlock.duties.documents import (
    Conditions,
    Statement,
    account_roots,
    deny_plain_transport,
    document,
    statement,
)

MINIMUM_RETENTION_DAYS: Final = 30
"""How long the vault locks every object at least."""
LONGEST_RETENTION_DAYS: Final = 7305
"""For how long anything in a vault is locked at most: twenty years. Nobody takes a lock back, and what is locked
costs as long as it is."""

REMOVAL: Final = (
    "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging",
    "s3:BypassGovernanceRetention", "s3:PutLifecycleConfiguration", "s3:DeleteBucketPolicy",
    "s3:ReplicateDelete",
)  # fmt: skip
"""What removes or hides an object now or later. A lock does not stop delete markers; this does."""

REPLICATION: Final = ("s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner")
"""What another bucket's replication writes with. No condition on a PUT binds it: a replica carries neither
If-None-Match nor a retention that a policy could see, so that all depends on who replicates.
"""

GUARDS: Final = (
    "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration",
    "s3:PutEncryptionConfiguration", "s3:PutBucketPublicAccessBlock", "s3:PutBucketAcl",
    "s3:PutBucketOwnershipControls",
    "s3:PutReplicationConfiguration", "s3:PutBucketNotification", "s3:PutBucketLogging",
)  # fmt: skip
"""What changes the vault's own configuration."""

SIDE_DOORS: Final = (
    "s3:PutInventoryConfiguration", "s3:PutAnalyticsConfiguration", "s3:PutMetricsConfiguration",
    "s3:PutIntelligentTieringConfiguration", "s3:PutAccelerateConfiguration", "s3:PutBucketRequestPayment",
    "s3:PutBucketCORS", "s3:PutBucketWebsite", "s3:DeleteBucketWebsite", "s3:PutBucketTagging",
)  # fmt: skip
"""What else of a vault's configuration tells of its objects, moves them, or makes reading them cost or fail."""


LISTING: Final = (
    "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation",
    "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration", "s3:GetReplicationConfiguration",
    "s3:GetEncryptionConfiguration", "s3:GetBucketPolicy",
)  # fmt: skip
"""What is in a bucket, and how the bucket is held: whoever relies on it has to be able to look."""
READING: Final = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging")
LOCK_READING: Final = ("s3:GetObjectRetention", "s3:GetObjectLegalHold")
DELETING: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion")
ADDING: Final = ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")


def private_bucket_policy(bucket_arn: str, shared_with: Sequence[str] = ()) -> str:
    """Return the policy of a bucket that is used over TLS alone.

    `shared_with` are ids of other accounts, whose IAM policies say who of theirs reads, writes and deletes objects.
    """
    return document(
        *deny_plain_transport(bucket_arn),
        *share_bucket(bucket_arn, shared_with),
    )


def share_bucket(bucket_arn: str, account_ids: Sequence[str]) -> Sequence[Statement]:
    """Return what leaves to the IAM policies of other accounts who of theirs uses a bucket's objects."""
    return _shared(bucket_arn, account_ids, (*READING, *ADDING, "s3:PutObjectTagging", *DELETING))


def vault_policy(
    bucket_arn: str,
    retention_days: int,
    administrators: Sequence[str],
    replicators: Sequence[str] = (),
    shared_with: Sequence[str] = (),
    writers: Mapping[str, Sequence[str]] | None = None,
    lockers: Sequence[str] = (),
) -> str:
    """Return the vault's policy: nothing is removed, hidden, overwritten or locked for less than `retention_days`.

    Whoever names a retention names one that is still `retention_days` long when the request arrives; who names none
    gets the bucket's default. The first parts of a multipart upload carry no condition, its completion must.
    `administrators` are ARNs of those who may configure the bucket itself or delete it once it is
    empty; objects they cannot remove either. With none, nobody may configure it, whoever made it included: only the
    account's root user, whom AWS never lets a bucket policy lock out, could still replace the policy.
    `replicators` are the ARNs of the roles with which S3 brings objects from vaults of the same policy, whose locks
    come along; with none, nothing is replicated into the vault. Delete markers are replicated by nobody.
    `shared_with` are ids of other accounts, whose IAM policies say who of theirs reads and adds; what is denied to
    everybody they cannot allow.
    `writers` are by prefix the ARNs of the roles that alone add under it; nobody then adds beside the prefixes.
    `lockers` are then those of the roles that alone lock for longer than the bucket does, and nobody for longer than
    `LONGEST_RETENTION_DAYS`.
    Sources: Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets", "Managing Object Lock";
    Service Authorization Reference, "Condition keys for Amazon S3".
    """
    objects = f"{bucket_arn}/*"
    return document(
        *deny_plain_transport(bucket_arn),
        *_deny_removal(bucket_arn, replicators),
        statement(
            "DenyOverwriting",
            "Deny",
            ["s3:PutObject"],
            [objects],
            principal="*",
            conditions={"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
        ),
        statement(
            "DenyShortRetention",
            "Deny",
            ["s3:PutObject", "s3:PutObjectRetention"],
            [objects],
            principal="*",
            conditions={"NumericLessThan": {"s3:object-lock-remaining-retention-days": str(retention_days)}},
        ),
        statement(
            "DenyWeakLock",
            "Deny",
            ["s3:PutObject", "s3:PutObjectRetention"],
            [objects],
            principal="*",
            conditions={
                "Null": {"s3:object-lock-mode": "false"},
                "StringNotEquals": {"s3:object-lock-mode": "COMPLIANCE"},
            },
        ),
        statement(
            "DenyChangingGuards",
            "Deny",
            # As with removal: without administrators the statement stays what it was.
            (*GUARDS, *SIDE_DOORS) if administrators else GUARDS,
            [bucket_arn],
            principal="*",
            conditions=_unless(administrators),
        ),
        *([_deny_deletion_unless(bucket_arn, administrators)] if administrators else []),
        *(_each_prefix_its_writers(bucket_arn, writers) if writers else []),
        *(_locked_by(bucket_arn, lockers) if writers and lockers else []),
        *_shared(bucket_arn, shared_with, (*READING, *LOCK_READING, *ADDING, "s3:PutObjectRetention")),
    )


def _locked_by(bucket_arn: str, lockers: Sequence[str]) -> Sequence[Statement]:
    objects, longest = [f"{bucket_arn}/*"], str(LONGEST_RETENTION_DAYS)
    others: Conditions = {"ArnNotEquals": {"aws:PrincipalArn": list(lockers)}}
    return [
        statement("DenyOthersLocking", "Deny", ["s3:PutObjectRetention"], objects, principal="*", conditions=others),
        statement(
            "DenyLongRetention",
            "Deny",
            ["s3:PutObject", "s3:PutObjectRetention"],
            objects,
            principal="*",
            conditions={"NumericGreaterThan": {"s3:object-lock-remaining-retention-days": longest}},
        ),
    ]


def _each_prefix_its_writers(bucket_arn: str, writers: Mapping[str, Sequence[str]]) -> Sequence[Statement]:
    beside = statement("DenyBesidePrefixes", "Deny", ["s3:PutObject"], principal="*")
    return [
        *(
            statement(
                f"DenyOthersIn{number}",
                "Deny",
                ["s3:PutObject"],
                [f"{bucket_arn}/{prefix}*"],
                principal="*",
                conditions={"ArnNotEquals": {"aws:PrincipalArn": list(roles)}},
            )
            for number, (prefix, roles) in enumerate(sorted(writers.items()), start=1)
        ),
        {**beside, "NotResource": [f"{bucket_arn}/{prefix}*" for prefix in sorted(writers)]},
    ]


def _deny_removal(bucket_arn: str, replicators: Sequence[str]) -> Sequence[Statement]:
    everything, objects = [bucket_arn, f"{bucket_arn}/*"], [f"{bucket_arn}/*"]
    if not replicators:
        # One statement for both: a vault without administrators cannot change its policy, and has had it so.
        return [statement("DenyRemoval", "Deny", (*REMOVAL, *REPLICATION[:2]), everything, principal="*")]
    return [
        statement("DenyRemoval", "Deny", REMOVAL, everything, principal="*"),
        statement("DenyForeignReplicas", "Deny", REPLICATION, objects, principal="*", conditions=_unless(replicators)),
    ]


def _shared(bucket_arn: str, account_ids: Sequence[str], uses: Sequence[str]) -> Sequence[Statement]:
    if not account_ids:
        return []
    principal = account_roots(account_ids)
    return [
        statement("ShareListing", "Allow", LISTING, [bucket_arn], principal=principal),
        statement("ShareObjects", "Allow", uses, [f"{bucket_arn}/*"], principal=principal),
    ]


def _deny_deletion_unless(bucket_arn: str, administrators: Sequence[str]) -> Statement:
    # S3 itself refuses to delete a bucket that is not empty.
    return statement(
        "DenyDeletion", "Deny", ["s3:DeleteBucket"], [bucket_arn], principal="*", conditions=_unless(administrators)
    )


def _unless(principals: Sequence[str]) -> Conditions | None:
    return {"ArnNotLike": {"aws:PrincipalArn": list(principals)}} if principals else None
