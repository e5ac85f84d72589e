"""The policy of a bucket beside the vault: what lies there waits, and says by its place whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from interlock.duties.bucket_policy import DELETING, GUARDS, REPLICATION, share_bucket
from interlock.duties.documents import Conditions, Statement, deny_plain_transport, document, statement
from interlock.duties.prefixes import OWN_NAME, PINS

CHANGES: Final = (*GUARDS, "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration")
"""What changes a staging bucket's own configuration."""
REPLICAS: Final = (*REPLICATION[:2], "s3:ReplicateDelete")


def staging_policy(
    bucket_arn: str, shared_with: Sequence[str], administrators: Sequence[str], writers: Mapping[str, Sequence[str]]
) -> str:
    """Return the policy of a staging bucket in which each prefix has its writers, and nothing lies beside.

    `writers` are by prefix the ARNs of the roles that alone write under it, with none whoever IAM lets. In a prefix
    that ends in the variable OWN_NAME each of them writes under their own source identity: a session that bears none
    writes nowhere there. What has writers is taken away by `administrators` alone, ARNs or patterns of them, and by
    the builder what it staged; and administrators alone configure the bucket, where there are any.
    `shared_with` are ids of other accounts, whose IAM policies say who of theirs does what of that.
    Source: IAM User Guide, "IAM policy elements: Variables and tags", "Monitor and control actions taken with assumed
    roles".
    """
    administering = _unless(administrators)
    return document(
        *deny_plain_transport(bucket_arn),
        *_each_prefix_its_writers(bucket_arn, writers),
        *_each_their_own(bucket_arn, writers),
        statement("DenyReplicas", "Deny", REPLICAS, [f"{bucket_arn}/*"], principal="*"),
        *_each_kept(bucket_arn, writers, administrators),
        *([statement("DenyChanges", "Deny", CHANGES, [bucket_arn], principal="*", conditions=administering)]
          if administrators else []),
        *share_bucket(bucket_arn, shared_with),
    )  # fmt: skip


def _each_prefix_its_writers(bucket_arn: str, writers: Mapping[str, Sequence[str]]) -> Sequence[Statement]:
    places = [f"{bucket_arn}/{_anybodys(prefix)}*" for prefix in sorted(writers)]
    return [
        *(
            statement(
                f"DenyOthersIn{number}", "Deny", ["s3:PutObject"], [place],
                principal="*", conditions=_unless(writers[prefix]),
            )
            for number, (prefix, place) in enumerate(zip(sorted(writers), places, strict=True), start=1)
            if writers[prefix]
        ),
        _beside(statement("DenyBesidePrefixes", "Deny", ["s3:PutObject"], principal="*"), places),
    ]  # fmt: skip


def _each_their_own(bucket_arn: str, writers: Mapping[str, Sequence[str]]) -> Sequence[Statement]:
    named = [prefix for prefix in sorted(writers) if OWN_NAME in prefix]
    if not named:
        return []
    without: Conditions = {"Null": {"aws:SourceIdentity": "true"}}
    bearing: Conditions = {"Null": {"aws:SourceIdentity": "false"}}
    return [
        statement(
            "DenyNameless", "Deny", ["s3:PutObject"], [f"{bucket_arn}/{_anybodys(one)}*" for one in named],
            principal="*", conditions=without,
        ),
        # What a variable without a value stands for, AWS does not say: where there is none, the statement above denies.
        _beside(
            statement("DenyOthersNames", "Deny", ["s3:PutObject"], principal="*", conditions=bearing),
            [f"{bucket_arn}/{prefix}*" for prefix in sorted(writers)],
        ),
    ]  # fmt: skip


def _each_kept(
    bucket_arn: str, writers: Mapping[str, Sequence[str]], administrators: Sequence[str]
) -> Sequence[Statement]:
    kept = {prefix: [*administrators, *(arns if prefix == PINS else ())] for prefix, arns in writers.items() if arns}
    return [
        statement(
            f"DenyRemovalIn{number}", "Deny", DELETING, [f"{bucket_arn}/{_anybodys(prefix)}*"],
            principal="*", conditions=_unless(kept[prefix]),
        )
        for number, prefix in enumerate(sorted(kept), start=1)
    ]  # fmt: skip


def _anybodys(prefix: str) -> str:
    """Return a prefix up to whose it is."""
    return prefix.partition(OWN_NAME)[0]


def _beside(denial: Statement, places: Sequence[str]) -> Statement:
    return {**denial, "NotResource": list(places) if len(places) > 1 else places[0]}


def _unless(principals: Sequence[str]) -> Conditions | None:
    return {"ArnNotLike": {"aws:PrincipalArn": list(principals)}} if principals else None
