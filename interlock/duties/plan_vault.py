"""What a preview sets its vaults to, beside their locks: encryption, lifecycle, replication, public access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlock.cost.plan import is_unknown
from interlock.duties.landscape import Landscape
from interlock.duties.plan_world import Declared, Plan
from interlock.duties.vault_demands import evidence_keys, unlike
from interlock.duties.world import Resource

BUCKET: Final = "aws:s3/bucket:Bucket"
ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
OWNERSHIP: Final = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
PUBLIC_ACCESS: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
REPLICATION: Final = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
CLOSED: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
EVERYTHING: Final[Sequence[Any]] = (None, {}, {"prefix": ""})
"""Filters of a replication's rule that leave nothing out."""
_KEYS: Final = ("aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey")


def unlike_a_vault(plan: Plan, land: Landscape, resources: Sequence[Resource]) -> Iterator[str]:
    """Yield, in words, what a vault of a preview has to be set to, and is not."""
    vaults = [
        one
        for one in plan.of_type(BUCKET)
        if one.account_id == land.evidence and one.inputs.get("objectLockEnabled") is True
    ]
    keys = evidence_keys(resources, land)
    for vault in vaults:
        parts = Parts(plan, vault, keys, [one for one in vaults if one is not vault])
        yield from unlike(vault.text("bucket") or vault.name, parts, replicated=len(land.regions) > 1)


class Parts:
    """What a preview says of one vault; `keys` are those of evidence, `others` the stack's other vaults."""

    def __init__(self, plan: Plan, vault: Declared, keys: Sequence[Resource], others: Sequence[Declared]) -> None:
        self._plan = plan
        self._vault = vault
        self._keys = keys
        self._others = others

    def of(self, token: str) -> list[Declared]:
        """Return the vault's parts of a type."""
        return [one for one in self._plan.of_type(token) if self._plan.is_of(one, "bucket", self._vault, "bucket")]

    @property
    def is_encrypted(self) -> bool:
        """Whether everything is encrypted under the key of evidence of the vault's region."""
        found = self.of(ENCRYPTION)
        if len(found) != 1:
            return False
        rules = _listed(found[0].inputs.get("rules"))
        given = [_within(one, "applyServerSideEncryptionByDefault") for one in rules]
        return len(given) == 1 and all(
            str(one.get("sseAlgorithm")).startswith("aws:kms")
            and self._is_of_evidence(found[0], one.get("kmsMasterKeyId"), self._vault.region)
            for one in given
        )

    @property
    def is_lasting(self) -> bool:
        """Whether there is no rule of a lifecycle."""
        return not self.of(LIFECYCLE)

    @property
    def is_closed(self) -> bool:
        """Whether all public access is blocked."""
        found = self.of(PUBLIC_ACCESS)
        return len(found) == 1 and all(found[0].inputs.get(key) is True for key in CLOSED)

    @property
    def is_owned(self) -> bool:
        """Whether what others write there is the bucket's owner's."""
        found = self.of(OWNERSHIP)
        return len(found) == 1 and _within(found[0].inputs, "rule").get("objectOwnership") == "BucketOwnerEnforced"

    def is_replicated(self, *, wanted: bool) -> bool:
        """Return whether all of the vault, and nothing by which it vanishes, goes to another, where one is wanted."""
        found = self.of(REPLICATION)
        if not wanted:
            return not found
        rules = [rule for one in found for rule in _listed(one.inputs.get("rules"))]
        return len(found) == 1 and len(rules) == 1 and self._takes_all(found[0], rules[0])

    def _takes_all(self, config: Declared, rule: Mapping[str, Any]) -> bool:
        destination = _within(rule, "destination")
        target = next(
            (one for one in self._others if f"arn:aws:s3:::{one.text('bucket')}" == destination.get("bucket")), None
        )
        replica_key = _within(destination, "encryptionConfiguration").get("replicaKmsKeyId")
        return (
            target is not None
            and rule.get("status") == "Enabled"
            and rule.get("filter") in EVERYTHING
            and _within(rule, "deleteMarkerReplication").get("status") == "Disabled"
            and not destination.get("account")
            and not destination.get("accessControlTranslation")
            and self._is_of_evidence(config, replica_key, target.region)
        )

    def _is_of_evidence(self, part: Declared, key: Any, region: str) -> bool:
        """Return whether a key is that of evidence in a region: by its ARN, or by what the rules are taken from."""
        own = [one for one in self._keys if one.region == region]
        if isinstance(key, str) and not is_unknown(key):
            return any(one.arn == key for one in own)
        taken = [urn for urn in part.needs.get("rules", ()) if self._plan.is_a(urn, _KEYS)]
        return bool(taken) and all(urn in {one.source for one in own} for urn in taken)


def _within(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _listed(found: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list; of one that is not known, or holds something else, none that anything holds of."""
    return [one if isinstance(one, Mapping) else {} for one in found] if isinstance(found, list) else []
