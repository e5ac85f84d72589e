"""What the accounts' vaults are set to, beside their locks, as S3 says of them.

Source: Amazon S3 API Reference, GetBucketEncryption, GetBucketLifecycleConfiguration, GetPublicAccessBlock,
GetBucketOwnershipControls, GetBucketReplication.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from interlock.duties.landscape import Landscape
from interlock.duties.vault_demands import evidence_keys, unlike
from interlock.duties.world import Resource

CLOSED: Final = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
Answer = Mapping[str, Any]


@dataclass(frozen=True)
class VaultReading:
    """What S3 answers about one locked bucket; None where there is nothing."""

    name: str
    region: str
    encryption: Answer | None = None
    lifecycle: Answer | None = None
    public_access: Answer | None = None
    ownership: Answer | None = None
    replication: Answer | None = None


def unlike_a_live_vault(
    vaults: Sequence[VaultReading], land: Landscape, resources: Sequence[Resource]
) -> Iterator[str]:
    """Yield, in words, what a vault of an account has to be set to, and is not, and where there is none."""
    there = {one.region for one in vaults}
    yield from (f"a vault with object lock in {region}" for region in land.regions if region not in there)
    keys = evidence_keys(resources, land)
    for vault in vaults:
        others = [one for one in vaults if one is not vault]
        yield from unlike(vault.name, LiveParts(vault, others, keys), replicated=len(land.regions) > 1)


class LiveParts:
    """What S3 says of one vault; `keys` are those of evidence, `others` the stack's other vaults."""

    def __init__(self, vault: VaultReading, others: Sequence[VaultReading], keys: Sequence[Resource]) -> None:
        self._vault = vault
        self._others = others
        self._keys = keys

    @property
    def is_encrypted(self) -> bool:
        """Whether everything is encrypted under the key of evidence of the vault's region."""
        rules = _listed(_within(self._vault.encryption, "ServerSideEncryptionConfiguration"), "Rules")
        given = [_within(one, "ApplyServerSideEncryptionByDefault") for one in rules]
        return len(given) == 1 and all(
            str(one.get("SSEAlgorithm")).startswith("aws:kms")
            and self._is_of_evidence(one.get("KMSMasterKeyID"), self._vault.region)
            for one in given
        )

    @property
    def is_lasting(self) -> bool:
        """Whether there is no rule of a lifecycle."""
        return not _listed(self._vault.lifecycle, "Rules")

    @property
    def is_closed(self) -> bool:
        """Whether all public access is blocked."""
        blocked = _within(self._vault.public_access, "PublicAccessBlockConfiguration")
        return all(blocked.get(key) is True for key in CLOSED)

    @property
    def is_owned(self) -> bool:
        """Whether what others write there is the bucket's owner's."""
        rules = _listed(_within(self._vault.ownership, "OwnershipControls"), "Rules")
        return [one.get("ObjectOwnership") for one in rules] == ["BucketOwnerEnforced"]

    def is_replicated(self, *, wanted: bool) -> bool:
        """Return whether all of the vault, and nothing by which it vanishes, goes to the other, if that is wanted."""
        rules = _listed(_within(self._vault.replication, "ReplicationConfiguration"), "Rules")
        return len(rules) == 1 and self._takes_all(rules[0]) if wanted else not rules

    def _takes_all(self, rule: Answer) -> bool:
        destination = _within(rule, "Destination")
        target = next((one for one in self._others if f"arn:aws:s3:::{one.name}" == destination.get("Bucket")), None)
        prefixes = (rule.get("Prefix"), _within(rule, "Filter").get("Prefix"))
        return (
            target is not None
            and rule.get("Status") == "Enabled"
            and not any(prefixes)
            and not set(_within(rule, "Filter")) - {"Prefix"}
            and _within(rule, "DeleteMarkerReplication").get("Status") == "Disabled"
            and not destination.get("Account")
            and not destination.get("AccessControlTranslation")
            and self._is_of_evidence(
                _within(destination, "EncryptionConfiguration").get("ReplicaKmsKeyID"), target.region
            )
        )

    def _is_of_evidence(self, key: Any, region: str) -> bool:
        """Return whether a key is that of evidence in a region: by its ARN, its id, or the ARN of its alias."""
        return any(
            key in (one.arn, one.arn.rpartition("/")[2], *_by_alias(one)) for one in self._keys if one.region == region
        )


def _by_alias(key: Resource) -> Iterator[str]:
    start = key.arn.rpartition(":")[0]
    for alias in key.context.get("kms:ResourceAliases", ()):
        yield from (alias, f"{start}:{alias}")


def _within(values: Answer | None, key: str) -> Answer:
    found = (values or {}).get(key)
    return found if isinstance(found, Mapping) else {}


def _listed(values: Answer | None, key: str) -> Sequence[Answer]:
    """Return the objects of a list; of something else, none that anything holds of."""
    found = (values or {}).get(key) or []
    return [one if isinstance(one, Mapping) else {} for one in found] if isinstance(found, list) else [{}]
