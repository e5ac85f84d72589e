"""The artifact store, with a replica in the recovery region."""

from __future__ import annotations

from typing import Any

from components.artifact_store import ArtifactReplica, ArtifactStore, ArtifactStoreArgs, ReplicaBucket
from stacks.layers.region import PlatformRegion


def provision_artifacts(here: PlatformRegion, there: PlatformRegion | None) -> ArtifactStore:
    """Provision the store in `here`, and its replica in `there`."""
    chosen = here.settings.artifacts
    args: ArtifactStoreArgs = {
        "encryption_key_arn": chosen.encryption_key_arn or here.key.key_arn,
        "cold_storage_days": chosen.cold_storage_days,
        "force_destroy": here.settings.disposable,
    }
    if chosen.existing_bucket_name is not None:
        args["existing_bucket_name"] = chosen.existing_bucket_name
        return ArtifactStore("artifacts", args, here.stateful)
    if chosen.bucket_name is not None:
        args["bucket_name"] = chosen.bucket_name
    if there is not None:
        replica: ArtifactReplica = {
            "provider": there.place.provider,
            "account_id": there.place.account_id,
            "encryption_key_arn": there.key.key_arn,
        }
        if chosen.replica_bucket_name is not None:
            replica["bucket_name"] = chosen.replica_bucket_name
        args["replica"] = replica
    return ArtifactStore("artifacts", args, here.stateful)


def artifact_part(store: ArtifactStore | ReplicaBucket) -> dict[str, Any]:
    """Return the part of a stack manifest that says where artifacts are."""
    return {
        "bucket_name": store.bucket_name,
        "bucket_arn": store.bucket_arn,
        "encryption_key_arn": store.encryption_key_arn,
    }
