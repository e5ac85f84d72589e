"""Multi-Region keys: one material and id in several regions, each with its own policy, aliases and state."""

from __future__ import annotations

from copy import copy
from typing import Any

from moto.kms.models import Key, kms_backends

from rehearsal.cloud.errors import json_error


def replicate(key: Key, region: str, asked: dict[str, Any]) -> Key:
    """Make the replica of a primary key in `region` and return it.

    Raises AWS's errors for a key that cannot be replicated there.
    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
    """
    if not key.multi_region:
        raise json_error("UnsupportedOperationException", f"{key.arn} is not a multi-Region key.")
    if key.multi_region_configuration["MultiRegionKeyType"] != "PRIMARY":
        raise json_error("UnsupportedOperationException", f"{key.arn} is not a multi-Region primary key.")
    there = kms_backends[key.account_id][region]
    if key.id in there.keys:
        raise json_error("AlreadyExistsException", f"{there.keys[key.id].arn} already exists.")
    replica = copy(key)
    replica.region = region
    replica.arn = key.arn.replace(f":kms:{key.region}:", f":kms:{region}:")
    replica.aliases, replica.grants, replica.rotations = {}, {}, []
    replica.description = asked.get("Description", "")
    replica.policy = asked.get("Policy") or replica.generate_default_policy()
    there.keys[replica.id] = replica
    if asked.get("Tags"):
        there.tagger.tag_resource(replica.id, asked["Tags"])
    primary_is(key.account_id, key.id, key.region)
    return replica


def related(account_id: str, key_id: str) -> dict[str, Key]:
    """Return the keys with this id by region."""
    backends = kms_backends[account_id]
    return {region: backends[region].keys[key_id] for region in list(backends) if key_id in backends[region].keys}


def primary_is(account_id: str, key_id: str, primary_region: str) -> None:
    """Write into each of the related keys which of them is the primary."""
    family = related(account_id, key_id)
    replicas = [
        {"Arn": key.arn, "Region": region} for region, key in sorted(family.items()) if region != primary_region
    ]
    for region, key in family.items():
        key.multi_region_configuration = {
            "MultiRegionKeyType": "PRIMARY" if region == primary_region else "REPLICA",
            "PrimaryKey": {"Arn": family[primary_region].arn, "Region": primary_region},
            "ReplicaKeys": replicas,
        }


def move_primary(key: Key, region: str) -> None:
    """Make the replica in `region` the primary.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html
    """
    family = related(key.account_id, key.id)
    if not key.multi_region or key.multi_region_configuration["MultiRegionKeyType"] != "PRIMARY":
        raise json_error("UnsupportedOperationException", f"{key.arn} is not a multi-Region primary key.")
    if region not in family:
        raise json_error("NotFoundException", f"Key '{key.arn.replace(key.region, region)}' does not exist")
    if family[region].key_state != "Enabled":
        raise json_error("KMSInvalidStateException", f"{family[region].arn} is not enabled.")
    primary_is(key.account_id, key.id, region)


def living_replicas(key: Key) -> list[Key]:
    """Return the replicas of a primary key that are not on their way out."""
    if not key.multi_region or key.multi_region_configuration["MultiRegionKeyType"] != "PRIMARY":
        return []
    others = [other for region, other in related(key.account_id, key.id).items() if region != key.region]
    return [other for other in others if other.key_state != "PendingDeletion"]
