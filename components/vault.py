"""The vault: the bucket that evidence goes into and never leaves before its time, in one region or in two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.bucket_replication import ReplicationBoundary, ReplicationRole, replicate
from components.locked_bucket import LockedBucket
from components.private_bucket import PrivateBucket, PrivateBucketArgs
from components.validation import checked
from interlock.duties.bucket_policy import LONGEST_RETENTION_DAYS, MINIMUM_RETENTION_DAYS, vault_policy
from interlock.duties.prefixes import SUBMISSIONS, SUBMISSIONS_DAYS


class VaultNames(TypedDict):
    """Names of buckets that are to be these and no others, such as those of buckets to import."""

    bucket_name: NotRequired[pulumi.Input[str]]
    staging_bucket_name: NotRequired[pulumi.Input[str]]
    new_bucket_name: NotRequired[pulumi.Input[str]]
    """What the bucket is called if it is yet to be made; one that there is keeps its name. So is the next."""
    new_staging_bucket_name: NotRequired[pulumi.Input[str]]


class VaultRecovery(VaultNames):
    """The vault's other half, in the same account."""

    provider: aws.Provider
    """Of the recovery region."""
    account_id: pulumi.Input[str]
    encryption_key_arn: pulumi.Input[str]
    """Of the recovery region."""


class VaultArgs(VaultNames):
    encryption_key_arn: pulumi.Input[str]
    administrators: pulumi.Input[list[str]]
    """ARNs of the only principals who may configure the bucket, once its policy stands.

    With none nobody may, whoever made it included; on AWS, the account's root user alone can then still replace
    the policy.
    """
    retention_days: NotRequired[pulumi.Input[int]]
    """How long every object stays locked unless its own retention is longer; 30 unless given, and never less."""
    staging_force_destroy: NotRequired[pulumi.Input[bool]]
    """Whether destroying a staging bucket destroys what lies in it; false unless given."""
    shared_with: NotRequired[pulumi.Input[list[str]]]
    """Ids of other accounts, whose IAM policies say who of theirs reads and adds; none unless given."""
    writers: NotRequired[Mapping[str, Sequence[str]]]
    """By prefix: ARNs of the roles that alone add under it, and nobody beside the prefixes; open unless given."""
    lockers: NotRequired[Sequence[str]]
    """With `writers`: ARNs of the roles that alone lock anything for longer than the vault does by itself."""
    staged_writers: NotRequired[Mapping[str, Sequence[str]]]
    """Of the staging buckets, by prefix: ARNs of the roles that alone write under it; open unless given."""
    bounded_as: NotRequired[str]
    """What the roles that replicate, and the boundary they are in, are named after; in no boundary unless given."""
    recovery: NotRequired[VaultRecovery]
    """A second region, into which all is replicated and from where all is replicated back."""


class Vault(pulumi.ComponentResource):
    """A versioned bucket whose objects nobody, root included, can change or delete while they are locked.

    Beside it the staging bucket, unlocked and never replicated, where bytes wait for admission.
    """

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    staging_bucket_name: pulumi.Output[str]
    staging_bucket_arn: pulumi.Output[str]
    retention_days: pulumi.Output[int]
    primary: VaultHalf
    recovery: VaultHalf | None
    """None without a recovery region."""

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(VaultArgs, f"Vault {name}", args, _RULES)
        other = args.get("recovery")
        super().__init__("interlock:storage:Vault", name, {}, opts)

        # What the vault waits for must outlive it: its keys stay as long as a locked object keeps a bucket.
        stands_on = pulumi.ResourceOptions(depends_on=opts.depends_on if opts else None)
        self.retention_days = pulumi.Output.from_input(args.get("retention_days", MINIMUM_RETENTION_DAYS))
        here = VaultHalf(name, args, self, args, None, stands_on)
        there = None
        if other is None:
            self._close(here.locked, args)
        else:
            there = VaultHalf(f"{name}-recovery", other, self, args, other["provider"], stands_on)
            self._replicate(name, here.locked, there.locked, args, other["account_id"])

        self.bucket_name, self.bucket_arn = here.bucket_name, here.bucket_arn
        self.staging_bucket_name, self.staging_bucket_arn = here.staging_bucket_name, here.staging_bucket_arn
        self.primary, self.recovery = here, there
        self.register_outputs(
            {
                **here.outputs(),
                "retentionDays": self.retention_days,
                **({"recovery": there.outputs()} if there else {}),
            }
        )

    def _replicate(
        self, name: str, here: LockedBucket, there: LockedBucket, args: VaultArgs, account_id: pulumi.Input[str]
    ) -> None:
        inside = pulumi.ResourceOptions(parent=self)
        bound = None
        if "bounded_as" in args:
            bound = ReplicationBoundary.register(name, args["bounded_as"], account_id, (here.end, there.end), inside)
        out = ReplicationRole.register(f"{name}-to-recovery", account_id, here.end, there.end, inside, bound)
        back = ReplicationRole.register(f"{name}-from-recovery", account_id, there.end, here.end, inside, bound)
        # Before the policies, which deny it to everybody but administrators.
        going = replicate(f"{name}-to-recovery", out, here.end, there.end, here.guard)
        coming = replicate(f"{name}-from-recovery", back, there.end, here.end, there.guard)
        self._close(here, args, [back], [going])
        self._close(there, args, [out], [coming])

    def _close(
        self,
        half: LockedBucket,
        args: VaultArgs,
        replicators: Sequence[ReplicationRole] = (),
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        known = pulumi.Output.all(
            half.arn,
            self.retention_days,
            args["administrators"],
            args.get("shared_with", []),
            *(one.arn for one in replicators),
        )
        writers, lockers = args.get("writers"), args.get("lockers", ())
        policy = known.apply(lambda of: vault_policy(of[0], int(of[1]), of[2], of[4:], of[3], writers, lockers))
        half.close(policy, after)


class VaultHalf:
    """One region's bucket and staging bucket."""

    def __init__(
        self,
        name: str,
        half: VaultArgs | VaultRecovery,
        vault: Vault,
        args: VaultArgs,
        provider: aws.Provider | None,
        stands_on: pulumi.ResourceOptions,
    ) -> None:
        inside = pulumi.ResourceOptions(parent=vault, provider=provider)
        self.encryption_key_arn = pulumi.Output.from_input(half["encryption_key_arn"])
        self.locked = LockedBucket(
            name,
            half["encryption_key_arn"],
            vault.retention_days,
            inside,
            stands_on,
            half.get("bucket_name"),
            half.get("new_bucket_name"),
        )
        of_staging: PrivateBucketArgs = {
            "encryption_key_arn": half["encryption_key_arn"],
            "force_destroy": args.get("staging_force_destroy", False),
            "shared_with": args.get("shared_with", []),
            # Who pins copies what was submitted, and has no right to take it away.
            "expiring": {SUBMISSIONS: SUBMISSIONS_DAYS},
        }
        if "staged_writers" in args:
            of_staging |= {"writers": args["staged_writers"], "administrators": args["administrators"]}
        if "staging_bucket_name" in half:
            of_staging["bucket_name"] = half["staging_bucket_name"]
        if "new_staging_bucket_name" in half:
            of_staging["new_bucket_name"] = half["new_staging_bucket_name"]
        staging = PrivateBucket(
            f"{name}-staging",
            of_staging,
            pulumi.ResourceOptions(parent=vault, providers=[provider] if provider else None),
        )
        self.retention_days = vault.retention_days
        self.bucket = self.locked.bucket
        self.bucket_name, self.bucket_arn = self.bucket.bucket, self.locked.arn
        self.staging_bucket_name = staging.bucket_name
        self.staging_bucket_arn = staging.bucket_arn

    def parts(self) -> dict[str, pulumi.Output[Any]]:
        """Return what `interlock.manifest_parts.VaultPart` says of it."""
        return {
            "bucket_name": self.bucket_name,
            "bucket_arn": self.bucket_arn,
            "staging_bucket_name": self.staging_bucket_name,
            "staging_bucket_arn": self.staging_bucket_arn,
            "retention_days": self.retention_days,
            "encryption_key_arn": self.encryption_key_arn,
        }

    def outputs(self) -> dict[str, pulumi.Output[str]]:
        """Return what the component registers of it."""
        return {
            "bucketName": self.bucket_name,
            "bucketArn": self.bucket_arn,
            "stagingBucketName": self.staging_bucket_name,
            "stagingBucketArn": self.staging_bucket_arn,
        }


_NAME_RULES: Final = dict.fromkeys(
    ("bucket_name", "staging_bucket_name", "new_bucket_name", "new_staging_bucket_name"), validation.bucket_name
)
_RECOVERY_RULES: Final = {
    **_NAME_RULES,
    "provider": validation.provider,
    "account_id": validation.account_id,
    "encryption_key_arn": validation.key_arn,
}
_RULES: Final = {
    **_NAME_RULES,
    "encryption_key_arn": validation.key_arn,
    "administrators": validation.some(validation.iam_principal, at_least=0),
    "retention_days": validation.integer(MINIMUM_RETENTION_DAYS, LONGEST_RETENTION_DAYS, "days"),
    "staging_force_destroy": validation.boolean,
    "shared_with": validation.some(validation.account_id, at_least=0),
    "writers": validation.any_of(
        validation.text(r"[a-z-]+/", "a prefix such as releases/"), validation.some(validation.role_arn)
    ),
    "lockers": validation.some(validation.role_arn),
    "staged_writers": validation.any_of(
        validation.text(r"[a-z-]+/(\$\{aws:SourceIdentity\}/)?", "a prefix such as pins/"),
        validation.some(validation.role_arn, at_least=0),
    ),
    "bounded_as": validation.text(r"[a-z][a-z0-9-]{1,51}[a-z0-9]", "3 to 53 small letters, digits and hyphens"),
    "recovery": validation.section(VaultRecovery, _RECOVERY_RULES),
}
