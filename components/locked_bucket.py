"""A bucket whose objects are locked, with its guards: one region's half of the vault."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.bucket_replication import ReplicatedBucket
from components.private_bucket import arn_of, block_public_access, encryption_rule, keeping_name


class LockedBucket:
    """Registers the bucket and its guards; `close` registers the policy, after which nobody configures it any more."""

    def __init__(
        self,
        name: str,
        encryption_key_arn: pulumi.Input[str],
        retention_days: pulumi.Input[int],
        opts: pulumi.ResourceOptions,
        stands_on: pulumi.ResourceOptions,
        bucket_name: pulumi.Input[str] | None = None,
        new_bucket_name: pulumi.Input[str] | None = None,
    ) -> None:
        """Register the bucket with `opts`; it waits for, and is gone before, what `stands_on` depends on."""
        self._name = name
        # Retained: a destroy that stops at a vault with objects must not have taken its guards away before.
        self._guard = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True))
        self.bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket=bucket_name or new_bucket_name,
            object_lock_enabled=True,
            force_destroy=False,
            opts=pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions.merge(opts, stands_on), keeping_name(bucket_name, new_bucket_name)
            ),
        )
        bucket = self.bucket.id
        versioning = aws.s3.BucketVersioning(
            f"{name}-versioning", bucket=bucket, versioning_configuration={"status": "Enabled"}, opts=self._guard
        )
        encryption = aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption", bucket=bucket, rules=[encryption_rule(encryption_key_arn)], opts=self._guard
        )
        closed = block_public_access(f"{name}-public-access", bucket, self._guard)
        ownership = aws.s3.BucketOwnershipControls(
            f"{name}-ownership", bucket=bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=self._guard
        )
        # COMPLIANCE, because GOVERNANCE can be bypassed by anyone with s3:BypassGovernanceRetention.
        lock = aws.s3.BucketObjectLockConfiguration(
            f"{name}-lock",
            bucket=bucket,
            rule={"default_retention": {"mode": "COMPLIANCE", "days": retention_days}},
            opts=pulumi.ResourceOptions.merge(self._guard, pulumi.ResourceOptions(depends_on=[versioning])),
        )
        self._guards: Sequence[pulumi.Resource] = (lock, encryption, closed, ownership)
        self.arn = arn_of(self.bucket)
        self.end = ReplicatedBucket(self.bucket.bucket, self.arn, encryption_key_arn, (versioning, lock))

    @property
    def guard(self) -> pulumi.ResourceOptions:
        """The options of whatever guards the bucket."""
        return self._guard

    def close(self, policy: pulumi.Output[str], after: Sequence[pulumi.Resource] = ()) -> aws.s3.BucketPolicy:
        """Register the bucket's policy, after all that it would deny."""
        return aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self.bucket.id,
            policy=policy,
            opts=pulumi.ResourceOptions.merge(self._guard, pulumi.ResourceOptions(depends_on=[*self._guards, *after])),
        )
