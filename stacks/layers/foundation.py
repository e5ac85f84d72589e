"""The layer `foundation`: keys, vault and the images that may run. Its people are not the platform's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi

from components.data_key import DataKey
from components.duty_roles import DutyRoles
from components.image_repositories import ImageRepositories, ImageRepositoriesArgs
from components.signing_key import DUTIES, KeyHolders, KeyOutputs
from components.signing_key_replicas import SigningKeyReplicas, SigningKeyReplicasArgs
from components.signing_keys import SigningKeys, SigningKeysArgs
from components.validation import ArgumentError
from components.vault import Vault, VaultArgs, VaultHalf, VaultRecovery
from interlock.duties.bucket_names import STAGING, VAULT, bucket_name
from interlock.duties.landscape import LEDGER_ROLES
from interlock.duties.rights import Account
from interlock.rules import Problem
from interlock.settings.model import Settings
from stacks.administrators import key_administrators
from stacks.layers.duties import Bounds, Duties
from stacks.layers.ledger import Ledger, LedgerSite
from stacks.places import Place, Places

VAULT_FIELDS: Final = (
    "bucket_name", "bucket_arn", "staging_bucket_name", "staging_bucket_arn", "retention_days", "encryption_key_arn",
)  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What a foundation has in one region of the evidence account."""

    vault: Mapping[str, pulumi.Output[Any]]
    """By the names of `interlock.manifest_parts.VaultPart`."""
    signing_keys: KeyOutputs
    approver_keys: KeyOutputs
    images: pulumi.Output[dict[str, dict[str, str]]]
    """By the names of `interlock.manifest_parts.ImageRepositoryPart`."""

    def parts(self) -> dict[str, Any]:
        """Return the parts of a stack manifest that say where this is."""
        return {
            "vault": dict(self.vault),
            "signing_keys": self.signing_keys,
            "approver_keys": self.approver_keys,
            "images": self.images,
        }


@dataclass(frozen=True)
class Foundation:
    """What the layer `platform` stands on, wherever it was provisioned."""

    primary: Evidence
    recovery: Evidence | None
    key_administrators: pulumi.Output[list[str]]
    """Of the evidence account."""
    stands_on: list[pulumi.Resource]
    """What must be gone last when the stack is destroyed."""
    bounds: Bounds | None
    """Of the roles that the platform makes for services; none where no duties are told apart."""

    def outputs(self) -> dict[str, Any]:
        """Return what a platform stack reads by `referenced_foundation`."""
        return {
            **self.primary.parts(),
            "key_administrators": self.key_administrators,
            "recovery": self.recovery.parts() if self.recovery else None,
            "service_boundary_arn": self.bounds.boundary_arn if self.bounds else None,
        }


def provision_foundation(settings: Settings, stack: str, places: Places) -> Foundation:
    """Provision keys, vault and repositories, in both regions if there are two."""
    return _Provisioning(settings, stack, places).foundation()


class _Provisioning:
    def __init__(self, settings: Settings, stack: str, places: Places) -> None:
        self._settings = settings
        self._stack = stack
        self._places = places
        self._administrators = key_administrators(settings, places.evidence)
        self._duties = Duties(settings, settings.duties, stack, places) if settings.duties else None
        self._roles: Mapping[Account, DutyRoles] = {}
        self._holders: KeyHolders = {
            "account_id": places.evidence.account_id,
            "administrators": self._administrators,
            "alias_prefix": f"interlock-{stack}",
            "deletion_window_days": 7 if settings.disposable else 30,
            "signers": {duty.value: signers for duty, signers in settings.signers.items()},
            "approvers": {one.name: one.source_identity for one in settings.approvers},
            "shared_with": places.shared_with,
        }
        if self._bound is not None:
            self._holders["roles"] = self._bound.signing_roles()

    @property
    def _bound(self) -> Duties | None:
        """The duties, if keys and vault obey their roles alone."""
        return self._duties if self._duties is not None and self._duties.chosen.bind else None

    def foundation(self) -> Foundation:
        here, there = self._places.evidence, self._places.evidence_recovery
        keys = self._keys(here)
        if there is None:
            vault = self._vault(keys.evidence_key_arn, [keys])
            return self._foundation(
                vault, self._evidence(vault.primary, keys, self._images("images", here, vault.primary)), None
            )
        replicas = self._replicas(keys, there)
        key = self._evidence_key(there)
        vault = self._vault(
            keys.evidence_key_arn, [keys, key, *([replicas] if replicas else [])], self._vault_half(there, key)
        )
        assert vault.recovery is not None
        return self._foundation(
            vault,
            self._evidence(vault.primary, keys, self._images("images", here, vault.primary, there)),
            self._evidence(vault.recovery, replicas, self._images("images-recovery", there, vault.recovery, here)),
        )

    def _foundation(self, vault: Vault, primary: Evidence, recovery: Evidence | None) -> Foundation:
        buckets: list[pulumi.Resource] = [half.bucket for half in _halves(vault)]
        bounds = None
        if self._duties is not None:
            arn = self._duties.service_boundary_arn(Account.WORKLOAD)
            bounds = Bounds(arn, self._roles[Account.WORKLOAD].boundaries)
        self._ledger(primary, recovery, [*buckets, *self._roles.values()])
        return Foundation(primary, recovery, self._administrators, buckets, bounds)

    def _ledger(self, primary: Evidence, recovery: Evidence | None, stands_on: list[pulumi.Resource]) -> None:
        chosen, duties = self._settings.ledger, self._duties
        if chosen is None or duties is None:
            return
        roles = {role: duties.role_arns(role)[0] for role in LEDGER_ROLES}
        ledger = Ledger(self._settings, chosen, self._stack, self._administrators, roles, stands_on)
        here = LedgerSite(self._places.evidence, primary.vault["bucket_name"], primary.signing_keys)
        elsewhere = self._places.evidence_recovery
        there = here
        if recovery is not None and elsewhere is not None:
            # A key of one region signs for what lies in the other, too.
            keys = pulumi.Output.all(recovery.signing_keys, primary.signing_keys).apply(lambda of: of[0] or of[1])
            there = LedgerSite(elsewhere, recovery.vault["bucket_name"], keys, "-recovery")
        ledger.provision(here, there)

    def _bucket_names(self, halves: Sequence[VaultHalf]) -> tuple[list[pulumi.Input[str]], list[pulumi.Input[str]]]:
        """Return the names of the vault's buckets and of those beside it: the settings', which a preview knows."""
        chosen = self._settings.vault
        vaults = (chosen.bucket_name, chosen.recovery_bucket_name)
        staging = (chosen.staging_bucket_name, chosen.recovery_staging_bucket_name)
        return (
            [name or half.bucket_name for name, half in zip(vaults, halves, strict=False)],
            [name or half.staging_bucket_name for name, half in zip(staging, halves, strict=False)],
        )

    def _keys(self, here: Place) -> SigningKeys:
        chosen = self._settings.keys
        of_keys = {
            **self._holders,
            "region": here.region,
            "multi_region": self._settings.multi_region_keys,
            "existing_key_arns": {duty.value: arn for duty, arn in chosen.existing_key_arns.items()},
        }
        if chosen.existing_evidence_key_arn is not None:
            of_keys["existing_evidence_key_arn"] = chosen.existing_evidence_key_arn
        return SigningKeys("keys", cast(SigningKeysArgs, of_keys), self._options(here))

    def _replicas(self, keys: SigningKeys, there: Place) -> SigningKeyReplicas | None:
        chosen, several = self._settings.keys, self._settings.multi_region_keys
        if not several and not chosen.existing_replica_arns:
            return None
        own = [duty for duty in DUTIES if several and duty not in chosen.existing_key_arns]
        approvers = self._holders["approvers"] if several else {}
        of_replicas = {
            **self._holders,
            "primary_key_arns": {duty: keys.keys[duty]["key_arn"] for duty in own},
            "existing_replica_arns": {duty.value: arn for duty, arn in chosen.existing_replica_arns.items()},
            "primary_approver_key_arns": {one: keys.approver_keys[one]["key_arn"] for one in approvers},
        }
        return SigningKeyReplicas("key-replicas", cast(SigningKeyReplicasArgs, of_replicas), self._options(there))

    def _evidence_key(self, there: Place) -> DataKey:
        return DataKey(
            "evidence-recovery",
            {
                "account_id": there.account_id,
                "region": there.region,
                "administrators": self._administrators,
                "alias": f"interlock-{self._stack}-evidence",
                "deletion_window_days": self._holders["deletion_window_days"],
                "shared_with": self._places.shared_with,
            },
            self._options(there),
        )

    def _vault_half(self, there: Place, key: DataKey) -> VaultRecovery:
        chosen = self._settings.vault
        half: VaultRecovery = {
            "provider": there.provider,
            "account_id": there.account_id,
            "encryption_key_arn": key.key_arn,
        }
        if chosen.recovery_bucket_name is not None:
            half["bucket_name"] = chosen.recovery_bucket_name
        if chosen.recovery_staging_bucket_name is not None:
            half["staging_bucket_name"] = chosen.recovery_staging_bucket_name
        half["new_bucket_name"] = self._bucket_name(VAULT, there)
        half["new_staging_bucket_name"] = self._bucket_name(STAGING, there)
        return half

    def _bucket_name(self, what: str, place: Place) -> str:
        return bucket_name(f"interlock-{self._stack}", what, place.account_id, place.region)

    def _vault(
        self, key_arn: pulumi.Output[str], stands_on: list[pulumi.Resource], recovery: VaultRecovery | None = None
    ) -> Vault:
        chosen = self._settings.vault
        args: VaultArgs = {
            "encryption_key_arn": key_arn,
            "administrators": self._settings.administrators or [],
            "retention_days": chosen.retention_days,
            "staging_force_destroy": self._settings.disposable,
            "shared_with": self._places.shared_with,
            "new_bucket_name": self._bucket_name(VAULT, self._places.evidence),
            "new_staging_bucket_name": self._bucket_name(STAGING, self._places.evidence),
        }
        if self._duties is not None:
            args["bounded_as"] = f"interlock-{self._stack}"
        if self._bound is not None:
            args["writers"], args["lockers"] = self._bound.writers(), self._bound.lockers()
            args["staged_writers"] = self._bound.staged_writers()
        if recovery is not None:
            args["recovery"] = recovery
        if chosen.bucket_name is not None:
            args["bucket_name"] = chosen.bucket_name
        if chosen.staging_bucket_name is not None:
            args["staging_bucket_name"] = chosen.staging_bucket_name
        vault = Vault(
            "vault",
            args,
            pulumi.ResourceOptions.merge(
                self._options(self._places.evidence), pulumi.ResourceOptions(depends_on=stands_on)
            ),
        )
        if self._duties is not None:
            self._roles = self._duties.provision(*self._bucket_names(_halves(vault)))
        return vault

    def _images(
        self, name: str, place: Place, vault: VaultHalf, other: Place | None = None
    ) -> pulumi.Output[dict[str, dict[str, str]]]:
        chosen = self._settings.images
        args: ImageRepositoriesArgs = {
            "account_id": place.account_id,
            "region": place.region,
            "name_prefix": f"interlock/{self._stack}",
            "encryption_key_arn": vault.encryption_key_arn,
            "administrators": self._administrators,
            "shared_with": self._places.shared_with,
            "publishers": chosen.publishers or [],
            "untagged_days": chosen.untagged_days,
            "existing_repository_names": {use.value: name for use, name in chosen.existing_repository_names.items()},
            "force_delete": self._settings.disposable,
        }
        if other is not None and chosen.replicated_by is None:
            args["replicate_to"] = other.region
            args["also_replicated"] = [f"interlock/{stack}" for stack in chosen.replicates]
        # The vault goes last: a destroy that stops at its locked objects has taken the repositories away by then.
        # And ECR takes no policy that names a role which is not there yet.
        last = pulumi.ResourceOptions(depends_on=[vault.bucket, *self._roles.values()])
        return ImageRepositories(name, args, pulumi.ResourceOptions.merge(self._options(place), last)).repositories

    def _evidence(
        self,
        vault: VaultHalf,
        keys: SigningKeys | SigningKeyReplicas | None,
        images: pulumi.Output[dict[str, dict[str, str]]],
    ) -> Evidence:
        none: KeyOutputs = pulumi.Output.from_input({})
        return Evidence(
            vault=vault.parts(),
            signing_keys=keys.keys if keys else none,
            approver_keys=keys.approver_keys if keys else none,
            images=images,
        )

    def _options(self, place: Place) -> pulumi.ResourceOptions:
        return place.options(protect=not self._settings.disposable)


def _halves(vault: Vault) -> list[VaultHalf]:
    return [vault.primary, *([vault.recovery] if vault.recovery else [])]


def referenced_foundation(name: str, *, in_two_regions: bool) -> Foundation:
    """Return the foundation that stack `name` has provisioned, which has to be `in_two_regions` if the platform is."""
    outputs = pulumi.StackReference("foundation", stack_name=name).require_output("foundation")
    recovery = outputs.apply(lambda known: _recovery_of(name, known)) if in_two_regions else None
    return Foundation(
        primary=_referenced(outputs),
        recovery=_referenced(recovery) if recovery is not None else None,
        key_administrators=outputs["key_administrators"],
        stands_on=[],
        bounds=Bounds(outputs.apply(lambda known: known.get("service_boundary_arn")), []),
    )


def _recovery_of(name: str, outputs: Mapping[str, Any]) -> Any:
    recovery = outputs.get("recovery")
    if not recovery:
        accepted = "a section recovery in the settings of that stack too, or none here"
        raise ArgumentError(
            "settings", [Problem("interlock:recovery", f"a foundation of one region ({name})", accepted)]
        )
    return recovery


def _referenced(outputs: pulumi.Output[Any]) -> Evidence:
    return Evidence(
        vault={field: outputs["vault"][field] for field in VAULT_FIELDS},
        signing_keys=outputs["signing_keys"],
        # A foundation of the first version has neither.
        approver_keys=outputs.apply(lambda known: known.get("approver_keys") or {}),
        images=outputs.apply(lambda known: known.get("images") or {}),
    )
