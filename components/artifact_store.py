"""The artifact store: the bucket that MLflow's server writes models and files to, and its replica."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.bucket_replication import ReplicatedBucket, ReplicationRole, replicate
from components.private_bucket import PrivateBucket, PrivateBucketArgs
from components.validation import ArgumentError, Problem, checked

ARTIFACT_PREFIX: Final = "artifacts/"


class ArtifactReplica(TypedDict):
    """Where a copy of everything is kept: another region of the same account."""

    provider: aws.Provider
    account_id: pulumi.Input[str]
    encryption_key_arn: pulumi.Input[str]
    """A key of that region."""
    bucket_name: NotRequired[pulumi.Input[str]]


class ArtifactStoreArgs(TypedDict):
    encryption_key_arn: pulumi.Input[str]
    cold_storage_days: NotRequired[pulumi.Input[int]]
    """Days after which artifacts move to infrequent-access storage; 90 unless given."""
    force_destroy: NotRequired[pulumi.Input[bool]]
    """Whether destroying the store destroys what lies in it; false unless given."""
    bucket_name: NotRequired[pulumi.Input[str]]
    """Drawn from the component's name unless given."""
    existing_bucket_name: NotRequired[pulumi.Input[str]]
    """A bucket, encrypted with `encryption_key_arn`, to use in place of a new one; it is left as it is."""
    replica: NotRequired[ArtifactReplica]
    """No replica unless given."""


@dataclass(frozen=True)
class ReplicaBucket:
    """The bucket of the other region."""

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    encryption_key_arn: pulumi.Output[str]


class ArtifactStore(pulumi.ComponentResource):
    """A private bucket without a lock: MLflow's multipart uploads carry no checksum, and a default lock asks for one.

    What has to last is copied into the vault at release.
    """

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    encryption_key_arn: pulumi.Output[str]
    replica: ReplicaBucket | None

    def __init__(self, name: str, args: ArtifactStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(ArtifactStoreArgs, f"ArtifactStore {name}", args, _RULES)
        _unmixed(f"ArtifactStore {name}", args)
        super().__init__("interlock:storage:ArtifactStore", name, {}, opts)

        self.encryption_key_arn = pulumi.Output.from_input(args["encryption_key_arn"])
        self.replica = None
        if "existing_bucket_name" in args:
            self.bucket_name = pulumi.Output.from_input(args["existing_bucket_name"])
            self.bucket_arn = pulumi.Output.concat("arn:aws:s3:::", self.bucket_name)
        else:
            store = self._bucket(f"{name}-store", args, args["encryption_key_arn"], args.get("bucket_name"))
            self.bucket_name, self.bucket_arn = store.bucket_name, store.bucket_arn
            if "replica" in args:
                self.replica = self._replicate(name, args, args["replica"], store)
        outputs: dict[str, pulumi.Output[str]] = {
            "bucketName": self.bucket_name,
            "bucketArn": self.bucket_arn,
            "encryptionKeyArn": self.encryption_key_arn,
        }
        if self.replica is not None:
            outputs["replicaBucketName"] = self.replica.bucket_name
        self.register_outputs(outputs)

    def _bucket(
        self,
        name: str,
        args: ArtifactStoreArgs,
        key_arn: pulumi.Input[str],
        bucket_name: pulumi.Input[str] | None,
        provider: aws.Provider | None = None,
    ) -> PrivateBucket:
        wanted: PrivateBucketArgs = {
            "encryption_key_arn": key_arn,
            "cold_storage_days": args.get("cold_storage_days", 90),
            "force_destroy": args.get("force_destroy", False),
        }
        if bucket_name is not None:
            wanted["bucket_name"] = bucket_name
        providers: list[pulumi.ProviderResource] = [provider] if provider is not None else []
        return PrivateBucket(name, wanted, pulumi.ResourceOptions(parent=self, providers=providers or None))

    def _replicate(
        self, name: str, args: ArtifactStoreArgs, chosen: ArtifactReplica, store: PrivateBucket
    ) -> ReplicaBucket:
        inside = pulumi.ResourceOptions(parent=self)
        key_arn, wanted_name = chosen["encryption_key_arn"], chosen.get("bucket_name")
        other = self._bucket(f"{name}-replica", args, key_arn, wanted_name, chosen["provider"])
        source = ReplicatedBucket(store.bucket_name, store.bucket_arn, args["encryption_key_arn"], (store.versioning,))
        destination = ReplicatedBucket(other.bucket_name, other.bucket_arn, key_arn, (other.versioning,))
        role = ReplicationRole.register(f"{name}-replication", chosen["account_id"], source, destination, inside)
        replicate(f"{name}-replication", role, source, destination, inside)
        return ReplicaBucket(other.bucket_name, other.bucket_arn, pulumi.Output.from_input(key_arn))


def _unmixed(subject: str, args: ArtifactStoreArgs) -> None:
    if "existing_bucket_name" not in args:
        return
    accepted = "nothing, as the bucket is there already"
    given = [name for name in ("bucket_name", "replica") if name in args]
    if given:
        raise ArgumentError(subject, [Problem(f"{subject}.{name}", "a value", accepted) for name in given])


_REPLICA_RULES: Final = {
    "provider": validation.provider,
    "account_id": validation.account_id,
    "encryption_key_arn": validation.key_arn,
    "bucket_name": validation.bucket_name,
}
_RULES: Final = {
    "encryption_key_arn": validation.key_arn,
    "cold_storage_days": validation.integer(30, 3650, "days"),
    "force_destroy": validation.boolean,
    "bucket_name": validation.bucket_name,
    "existing_bucket_name": validation.bucket_name,
    "replica": validation.section(ArtifactReplica, _REPLICA_RULES),
}
