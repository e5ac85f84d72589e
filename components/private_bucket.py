"""A bucket that keeps every version, encrypts all of it, and is reached over TLS by its account alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.bucket_policy import private_bucket_policy
from interlock.duties.staging_policy import staging_policy


class PrivateBucketArgs(TypedDict):
    encryption_key_arn: pulumi.Input[str]
    noncurrent_days: NotRequired[pulumi.Input[int]]
    """Days after which an overwritten or deleted version is removed; 90 unless given."""
    cold_storage_days: NotRequired[pulumi.Input[int]]
    """Days after which objects move to infrequent-access storage; never unless given."""
    expiring: NotRequired[Mapping[str, int]]
    """By prefix: days after which what lies under it is removed, and a week later for good; never unless given."""
    force_destroy: NotRequired[pulumi.Input[bool]]
    """Whether destroying the bucket destroys what lies in it; false unless given."""
    shared_with: NotRequired[pulumi.Input[list[str]]]
    """Ids of other accounts, whose IAM policies say who of theirs reads, writes and deletes; none unless given."""
    writers: NotRequired[Mapping[str, Sequence[str]]]
    """By prefix: ARNs of the roles that alone write under it, and nobody beside the prefixes; open unless given."""
    administrators: NotRequired[pulumi.Input[list[str]]]
    """With `writers`: ARNs of the only principals who configure the bucket once its policy stands; open with none."""
    bucket_name: NotRequired[pulumi.Input[str]]
    """Drawn from the component's name unless given."""
    new_bucket_name: NotRequired[pulumi.Input[str]]
    """What the bucket is called if it is yet to be made; one that there is keeps its name."""


class PrivateBucket(pulumi.ComponentResource):
    """A versioned, encrypted bucket without any public access and without a lock."""

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    versioning: aws.s3.BucketVersioning
    """What replication from or to the bucket has to wait for."""

    def __init__(self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(PrivateBucketArgs, f"PrivateBucket {name}", args, _RULES)
        super().__init__("interlock:storage:PrivateBucket", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket=args.get("bucket_name") or args.get("new_bucket_name"),
            force_destroy=args.get("force_destroy", False),
            opts=pulumi.ResourceOptions.merge(
                inside, keeping_name(args.get("bucket_name"), args.get("new_bucket_name"))
            ),
        )
        self.versioning = aws.s3.BucketVersioning(
            f"{name}-versioning", bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=inside
        )
        encrypted = aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption", bucket=bucket.id, rules=[encryption_rule(args["encryption_key_arn"])], opts=inside
        )
        closed = block_public_access(f"{name}-public-access", bucket.id, inside)
        owned = aws.s3.BucketOwnershipControls(
            f"{name}-ownership", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=inside
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.id,
            rules=_lifecycle(args.get("noncurrent_days", 90), args.get("cold_storage_days"), args.get("expiring", {})),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.versioning]),
        )
        # S3 refuses two changes of a bucket's access at the same time; and what nobody is to be without comes first.
        before = [closed, self.versioning, encrypted, owned] if "writers" in args else [closed]
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=_policy(arn_of(bucket), args),
            opts=pulumi.ResourceOptions(parent=self, depends_on=before),
        )

        self.bucket_name = bucket.bucket
        self.bucket_arn = arn_of(bucket)
        self.register_outputs({"bucketName": self.bucket_name, "bucketArn": self.bucket_arn})


def _policy(arn: pulumi.Output[str], args: PrivateBucketArgs) -> pulumi.Output[str]:
    known = pulumi.Output.all(arn, args.get("shared_with", []), args.get("administrators", []))
    writers = args.get("writers")
    if writers is None:
        return known.apply(lambda of: private_bucket_policy(of[0], of[1]))
    return known.apply(lambda of: staging_policy(of[0], of[1], of[2], writers))


def arn_of(bucket: aws.s3.Bucket) -> pulumi.Output[str]:
    """Return the bucket's ARN, which its name tells before it is made."""
    return bucket.bucket.apply(lambda name: f"arn:aws:s3:::{name}")


def keeping_name(
    chosen: pulumi.Input[str] | None, for_a_new_one: pulumi.Input[str] | None
) -> pulumi.ResourceOptions | None:
    """Return the options with which a bucket that there is keeps its name, unless its name is `chosen`."""
    if chosen is not None or for_a_new_one is None:
        return None
    return pulumi.ResourceOptions(ignore_changes=["bucket"])


def block_public_access(
    name: str, bucket: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.s3.BucketPublicAccessBlock:
    """Register the refusal of every public access to `bucket`."""
    return aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )


def encryption_rule(key_arn: pulumi.Input[str]) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgs:
    """Return the rule that encrypts with a KMS key, one data key a bucket and not one an object."""
    return aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=(
            aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                sse_algorithm="aws:kms", kms_master_key_id=key_arn
            )
        ),
        bucket_key_enabled=True,
    )


def _lifecycle(
    noncurrent_days: pulumi.Input[int], cold_storage_days: pulumi.Input[int] | None, expiring: Mapping[str, int]
) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    everything = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
    rules = [
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="noncurrent",
            status="Enabled",
            filter=everything,
            noncurrent_version_expiration=(
                aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=noncurrent_days)
            ),
            abort_incomplete_multipart_upload=(
                aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(days_after_initiation=7)
            ),
        )
    ]
    if cold_storage_days is not None:
        rules.append(
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="cold",
                status="Enabled",
                filter=everything,
                transitions=[
                    aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                        days=cold_storage_days, storage_class="STANDARD_IA"
                    )
                ],
            )
        )
    return [*rules, *(_expiry(prefix, days) for prefix, days in sorted(expiring.items()))]


def _expiry(prefix: str, days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=f"expiring-{prefix.strip('/')}",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=7)
        ),
    )


_RULES = {
    "encryption_key_arn": validation.key_arn,
    "noncurrent_days": validation.integer(1, 3650, "days"),
    "cold_storage_days": validation.optional(validation.integer(30, 3650, "days")),
    "expiring": validation.any_of(
        validation.text(r"[a-z-]+/", "a prefix such as pins/"), validation.integer(1, 3650, "days")
    ),
    "force_destroy": validation.boolean,
    "shared_with": validation.some(validation.account_id, at_least=0),
    "writers": validation.any_of(
        validation.text(r"[a-z-]+/(\$\{aws:SourceIdentity\}/)?", "a prefix such as pins/"),
        validation.some(validation.role_arn, at_least=0),
    ),
    "administrators": validation.some(validation.iam_principal, at_least=0),
    "bucket_name": validation.bucket_name,
    "new_bucket_name": validation.bucket_name,
}
