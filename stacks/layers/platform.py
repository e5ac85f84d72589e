"""The layer `platform`: MLflow and endpoints on a foundation, and a standby of them in the recovery region."""

from __future__ import annotations

from typing import Any

import pulumi

from components.artifact_store import ArtifactStore
from components.budgets import Budgets
from components.stack_manifest import StackManifest
from interlock.duties.landscape import SERVICE_ROLE_PATH
from interlock.manifest import SCHEMA_VERSION
from interlock.settings.model import Settings
from interlock.settings.network import NetworkSettings
from stacks.administrators import key_administrators
from stacks.layers.artifacts import artifact_part, provision_artifacts
from stacks.layers.foundation import Evidence, Foundation
from stacks.layers.guards import guards_of
from stacks.layers.region import PlatformRegion
from stacks.layers.serving import provision_endpoint
from stacks.layers.tracking import Standby, provision_tracking
from stacks.places import Place, Places


class Platform:
    """Provisions the layer when made; `manifest` says what came of it."""

    manifest: StackManifest

    def __init__(self, settings: Settings, stack: str, places: Places, foundation: Foundation) -> None:
        self._settings = settings
        self._stack = stack
        self._places = places
        self._foundation = foundation
        # The foundation's people where they have the account: AWS refuses a key whose policy locks its maker out.
        shared = places.workload.account_id == places.evidence.account_id
        self._administrators = (
            foundation.key_administrators if shared else key_administrators(settings, places.workload)
        )
        assert settings.network is not None
        here, there = self._region(places.workload, settings.network), self._recovery()
        artifacts = provision_artifacts(here, there) if settings.tracking else None
        here.made += [artifacts] if artifacts else []
        tracking, standby = self._tracking(here, artifacts, there)
        endpoints = self._endpoints(here, foundation.primary)
        self._budget(here)
        document = {
            "schema_version": SCHEMA_VERSION,
            "stack": stack,
            "environment": settings.environment.value,
            "account_id": settings.account_id,
            "region": settings.region,
            "accounts": {
                "workload": places.workload.account_id,
                "evidence": places.evidence.account_id,
                "audit": places.audit.account_id,
            },
            **foundation.primary.parts(),
            **here.parts(),
            **({"artifact_store": artifact_part(artifacts)} if artifacts else {}),
            "tracking": tracking,
            "endpoints": endpoints,
            **({"recovery": self._recovery_part(there, artifacts, standby)} if foundation.recovery else {}),
        }
        made = [*here.made, *(there.made if there else [])]
        self.manifest = self._publish(here, foundation.primary, document, made)
        if there is not None and foundation.recovery is not None:
            # A script must find the manifest when the primary region does not answer.
            self._publish(there, foundation.recovery, document, made)

    def _publish(
        self, region: PlatformRegion, evidence: Evidence, document: dict[str, Any], made: list[pulumi.Resource]
    ) -> StackManifest:
        # A destroy begins with what nothing stands on: where that is protected, it ends before it has taken anything.
        last = pulumi.ResourceOptions(depends_on=made)
        return StackManifest(
            f"manifest{region.suffix}",
            {
                "stack": self._stack,
                "bucket_name": evidence.vault["staging_bucket_name"],
                "document": pulumi.Output.from_input(document),
            },
            pulumi.ResourceOptions.merge(region.stateful, last),
        )

    def _region(self, place: Place, network: NetworkSettings, suffix: str = "") -> PlatformRegion:
        return PlatformRegion(
            self._settings,
            self._stack,
            place,
            network,
            administrators=self._administrators,
            guards=guards_of(self._settings, self._stack, place.account_id, self._administrators),
            storage_account_ids=sorted({place.account_id, self._places.evidence.account_id}),
            options=self._options(),
            suffix=suffix,
        )

    def _options(self) -> pulumi.ResourceOptions:
        # On the foundation, so that a destroy comes to the vault only when all of this is gone.
        standing = pulumi.ResourceOptions(depends_on=self._foundation.stands_on)
        bounds = self._foundation.bounds
        return pulumi.ResourceOptions.merge(standing, bounds.options(path=SERVICE_ROLE_PATH)) if bounds else standing

    def _recovery(self) -> PlatformRegion | None:
        chosen, place = self._settings.recovery, self._places.workload_recovery
        if chosen is None or chosen.network is None or place is None:
            return None
        return self._region(place, chosen.network, "-recovery")

    def _tracking(
        self, here: PlatformRegion, artifacts: ArtifactStore | None, there: PlatformRegion | None
    ) -> tuple[dict[str, Any], Standby | None]:
        """Provision MLflow, or point to the one that there is; return its part of the manifest and its standby."""
        existing = self._settings.existing_tracking
        if existing is not None:
            here.add_runner(None, {})
            domain = existing.uri.removeprefix("https://").partition("/")[0].partition(":")[0]
            return {"uri": existing.uri, "domain": domain, "admin_secret_arn": existing.admin_secret_arn}, None
        assert artifacts is not None
        tracking = provision_tracking(here, artifacts, there)
        here.add_runner(tracking.database, tracking.http_targets)
        return tracking.part, tracking.standby

    def _recovery_part(
        self, there: PlatformRegion | None, artifacts: ArtifactStore | None, standby: Standby | None
    ) -> dict[str, Any]:
        """Provision what stands on the other region's half, and return its part of the stack manifest."""
        evidence = self._foundation.recovery
        assert evidence is not None
        assert self._settings.recovery is not None
        part = {"region": self._settings.recovery.region, **evidence.parts()}
        if there is None:
            return part
        there.add_runner(standby.target if standby else None, {})
        database = {"database": standby.part} if standby else {}
        replica = {"artifact_store": artifact_part(artifacts.replica)} if artifacts and artifacts.replica else {}
        return {**part, **there.parts(), **replica, **database, "endpoints": self._endpoints(there, evidence)}

    def _endpoints(self, region: PlatformRegion, evidence: Evidence) -> dict[str, dict[str, Any]]:
        return {one.name: provision_endpoint(region, evidence.vault, one) for one in self._settings.endpoints}

    def _budget(self, region: PlatformRegion) -> None:
        chosen = self._settings.budget
        if chosen is None:
            return
        budgets = Budgets(
            "budgets",
            {
                "account_id": region.place.account_id,
                "budget_name": f"interlock-{self._stack}",
                "monthly_usd": chosen.monthly_usd,
                "cost_centre": self._settings.tags.cost_centre,
                "encryption_key_arn": region.key.key_arn,
                "emails": chosen.emails,
            },
            region.options,
        )
        region.made.append(budgets)
