"""The artifact store: the bucket that MLflow's server writes models and files to."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

import pulumi

from components import validation
from components.private_bucket import PrivateBucket
from components.validation import checked

ARTIFACT_PREFIX: Final = "artifacts/"


class ArtifactStoreArgs(TypedDict):
    encryption_key_arn: pulumi.Input[str]
    cold_storage_days: NotRequired[pulumi.Input[int]]
    """Days after which artifacts move to infrequent-access storage; 90 unless given."""
    force_destroy: NotRequired[pulumi.Input[bool]]
    """Whether destroying the store destroys what lies in it; false unless given."""


class ArtifactStore(pulumi.ComponentResource):
    """A private bucket without a lock: MLflow's multipart uploads carry no checksum, and a default lock asks for one.

    What has to last is copied into the vault at release.
    """

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    encryption_key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ArtifactStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(ArtifactStoreArgs, f"ArtifactStore {name}", args, _RULES)
        super().__init__("interlock:storage:ArtifactStore", name, {}, opts)

        store = PrivateBucket(
            f"{name}-store",
            {
                "encryption_key_arn": args["encryption_key_arn"],
                "cold_storage_days": args.get("cold_storage_days", 90),
                "force_destroy": args.get("force_destroy", False),
            },
            pulumi.ResourceOptions(parent=self),
        )

        self.bucket_name = store.bucket_name
        self.bucket_arn = store.bucket_arn
        self.encryption_key_arn = pulumi.Output.from_input(args["encryption_key_arn"])
        self.register_outputs(
            {
                "bucketName": self.bucket_name,
                "bucketArn": self.bucket_arn,
                "encryptionKeyArn": self.encryption_key_arn,
            }
        )


_RULES = {
    "encryption_key_arn": validation.key_arn,
    "cold_storage_days": validation.integer(30, 3650, "days"),
    "force_destroy": validation.boolean,
}
