"""Replication of one bucket into another, with the role that S3 does it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from interlock.duties.landscape import BOUNDARY_PATH, REPLICATION_ROLE_PATH
from interlock.duties.replication_role import replication_boundary, replication_policy, replication_trust_policy

REPLICATION_MINUTES: Final = 15
"""What replication time control promises, and when it reports an object as late."""


@dataclass(frozen=True)
class ReplicatedBucket:
    """One end of a replication; `ready` is what S3 wants to be there first: versioning, and the lock if it has one."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    key_arn: pulumi.Input[str]
    ready: tuple[pulumi.Resource, ...]


@dataclass(frozen=True)
class ReplicationBoundary:
    """The most that roles of two buckets' replication may ever do."""

    name: str
    """What the roles are named after, and the policy too."""
    arn: pulumi.Output[str]
    policy: aws.iam.Policy

    @classmethod
    def register(
        cls,
        name: str,
        named_after: str,
        account_id: pulumi.Input[str],
        ends: Sequence[ReplicatedBucket],
        opts: pulumi.ResourceOptions,
    ) -> ReplicationBoundary:
        """Register the boundary in the account `account_id` of both buckets."""
        policy = aws.iam.Policy(
            f"{name}-boundary-replication",
            name=f"{named_after}-replication",
            path=BOUNDARY_PATH,
            description="The most that roles of the vault's replication may ever do",
            policy=pulumi.Output.all(*(one.name for one in ends)).apply(replication_boundary),
            opts=opts,
        )
        # By its name and not its output, which a preview does not know.
        arn = pulumi.Output.from_input(account_id).apply(
            lambda account: f"arn:aws:iam::{account}:policy{BOUNDARY_PATH}{named_after}-replication"
        )
        return cls(named_after, arn, policy)


@dataclass(frozen=True)
class ReplicationRole:
    """What S3 replicates one bucket into another as, and nothing else."""

    role: aws.iam.Role
    policy: aws.iam.RolePolicy
    arn: pulumi.Output[str]

    @classmethod
    def register(
        cls,
        name: str,
        account_id: pulumi.Input[str],
        source: ReplicatedBucket,
        destination: ReplicatedBucket,
        opts: pulumi.ResourceOptions,
        boundary: ReplicationBoundary | None = None,
    ) -> ReplicationRole:
        """Register the role, in the account `account_id` of both buckets; one that there is keeps its name."""
        role = aws.iam.Role(
            f"{name}-role",
            # A role's name has at most 64 characters.
            name=f"{boundary.name}-{name.replace('-recovery', '')}" if boundary else None,
            path=REPLICATION_ROLE_PATH if boundary else None,
            permissions_boundary=boundary.arn if boundary else None,
            assume_role_policy=replication_trust_policy(),
            opts=pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(depends_on=[boundary.policy], ignore_changes=["name", "path"])
                if boundary
                else None,
            ),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-role-policy",
            role=role.name,
            policy=pulumi.Output.all(
                account_id, source.arn, source.key_arn, destination.arn, destination.key_arn
            ).apply(lambda of: replication_policy(of[0], of[1], of[2], of[3], of[4])),
            opts=opts,
        )
        if boundary is None:
            return cls(role, policy, role.arn)
        named = pulumi.Output.all(account_id, role.path, role.name)
        return cls(role, policy, named.apply(lambda of: f"arn:aws:iam::{of[0]}:role{of[1]}{of[2]}"))


def replicate(
    name: str,
    role: ReplicationRole,
    source: ReplicatedBucket,
    destination: ReplicatedBucket,
    opts: pulumi.ResourceOptions,
) -> aws.s3.BucketReplicationConfig:
    """Register that everything written to `source` comes to `destination`, with what is later said of it.

    Metadata, tags and retention of replicas are replicated back; deletions are not replicated.
    """
    return aws.s3.BucketReplicationConfig(
        name,
        bucket=source.name,
        role=role.role.arn,
        rules=[
            {
                "id": "everything",
                "priority": 1,
                "status": "Enabled",
                "filter": {},
                "delete_marker_replication": {"status": "Disabled"},
                "source_selection_criteria": {
                    "replica_modifications": {"status": "Enabled"},
                    "sse_kms_encrypted_objects": {"status": "Enabled"},
                },
                "destination": {
                    "bucket": destination.arn,
                    "encryption_configuration": {"replica_kms_key_id": destination.key_arn},
                    "metrics": {"status": "Enabled", "event_threshold": {"minutes": REPLICATION_MINUTES}},
                    "replication_time": {"status": "Enabled", "time": {"minutes": REPLICATION_MINUTES}},
                },
            }
        ],
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(depends_on=[role.policy, *source.ready, *destination.ready])
        ),
    )
