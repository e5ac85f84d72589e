"""The vault: the bucket that evidence goes into and never leaves before its time."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.private_bucket import PrivateBucket, block_public_access, encryption_rule
from components.validation import checked
from interlock.duties.bucket_policy import MINIMUM_RETENTION_DAYS, vault_policy


class VaultArgs(TypedDict):
    encryption_key_arn: pulumi.Input[str]
    administrators: pulumi.Input[list[str]]
    """ARNs (patterns with * allowed) of the only principals who may configure the bucket, once its policy stands.

    With none nobody may, whoever made it included; on AWS, the account's root user alone can then still replace
    the policy.
    """
    retention_days: NotRequired[pulumi.Input[int]]
    """How long every object stays locked unless its own retention is longer; 30 unless given, and never less."""
    staging_force_destroy: NotRequired[pulumi.Input[bool]]
    """Whether destroying the staging bucket destroys what lies in it; false unless given."""


class Vault(pulumi.ComponentResource):
    """A versioned bucket whose objects nobody, root included, can change or delete while they are locked.

    Beside it the staging bucket, unlocked, where bytes wait for admission.
    """

    bucket: aws.s3.Bucket
    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    staging_bucket_name: pulumi.Output[str]
    staging_bucket_arn: pulumi.Output[str]
    retention_days: pulumi.Output[int]

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(VaultArgs, f"Vault {name}", args, _RULES)
        super().__init__("interlock:storage:Vault", name, {}, opts)

        # What the vault waits for must outlive it: its keys stay as long as a locked object keeps the bucket.
        inside = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        self.bucket = aws.s3.Bucket(f"{name}-bucket", object_lock_enabled=True, force_destroy=False, opts=inside)
        self.retention_days = pulumi.Output.from_input(args.get("retention_days", MINIMUM_RETENTION_DAYS))
        self._guard(name, args)
        staging = PrivateBucket(
            f"{name}-staging",
            {
                "encryption_key_arn": args["encryption_key_arn"],
                "force_destroy": args.get("staging_force_destroy", False),
            },
            pulumi.ResourceOptions(parent=self),
        )

        self.bucket_name = self.bucket.bucket
        self.bucket_arn = self.bucket.arn
        self.staging_bucket_name = staging.bucket_name
        self.staging_bucket_arn = staging.bucket_arn
        self.register_outputs(
            {
                "bucketName": self.bucket_name,
                "bucketArn": self.bucket_arn,
                "stagingBucketName": self.staging_bucket_name,
                "stagingBucketArn": self.staging_bucket_arn,
                "retentionDays": self.retention_days,
            }
        )

    def _guard(self, name: str, args: VaultArgs) -> None:
        bucket = self.bucket.id
        # Retained: a destroy that stops at a vault with objects must not have taken its guards away before.
        guard = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        versioning = aws.s3.BucketVersioning(
            f"{name}-versioning", bucket=bucket, versioning_configuration={"status": "Enabled"}, opts=guard
        )
        encryption = aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption", bucket=bucket, rules=[encryption_rule(args["encryption_key_arn"])], opts=guard
        )
        closed = block_public_access(f"{name}-public-access", bucket, guard)
        ownership = aws.s3.BucketOwnershipControls(
            f"{name}-ownership", bucket=bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=guard
        )
        # COMPLIANCE, because GOVERNANCE can be bypassed by anyone with s3:BypassGovernanceRetention.
        lock = aws.s3.BucketObjectLockConfiguration(
            f"{name}-lock",
            bucket=bucket,
            rule={"default_retention": {"mode": "COMPLIANCE", "days": self.retention_days}},
            opts=pulumi.ResourceOptions.merge(guard, pulumi.ResourceOptions(depends_on=[versioning])),
        )
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket,
            policy=pulumi.Output.all(self.bucket.arn, self.retention_days, args["administrators"]).apply(
                lambda known: vault_policy(known[0], int(known[1]), known[2])
            ),
            opts=pulumi.ResourceOptions.merge(
                guard, pulumi.ResourceOptions(depends_on=[lock, encryption, closed, ownership])
            ),
        )


_RULES = {
    "encryption_key_arn": validation.key_arn,
    "administrators": validation.some(validation.principal, at_least=0),
    "retention_days": validation.integer(MINIMUM_RETENTION_DAYS, 36500, "days"),
    "staging_force_destroy": validation.boolean,
}
