"""The layer `platform`: MLflow and endpoints on a foundation, and a standby of them in the recovery region."""

from __future__ import annotations

import pulumi

from components.artifact_store import ArtifactStore
from components.budgets import Budgets
from components.stack_manifest import StackManifest
from interlock.manifest import SCHEMA_VERSION
from interlock.settings.model import Settings
from interlock.settings.network import NetworkSettings
from stacks.administrators import key_administrators
from stacks.layers.foundation import Foundation
from stacks.layers.region import PlatformRegion
from stacks.layers.serving import provision_endpoint
from stacks.layers.tracking import provision_tracking
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
        here = self._region(places.workload, settings.network)
        artifacts = ArtifactStore(
            "artifacts",
            {
                "encryption_key_arn": here.key.key_arn,
                "cold_storage_days": settings.artifacts.cold_storage_days,
                "force_destroy": settings.disposable,
            },
            here.stateful,
        )
        tracking = provision_tracking(here, artifacts)
        here.add_runner(tracking.database, tracking.http_targets)
        endpoints = {one.name: provision_endpoint(here, foundation.primary.vault, one) for one in settings.endpoints}
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
            **here.parts(artifacts),
            "tracking": tracking.part,
            "endpoints": endpoints,
        }
        self.manifest = StackManifest(
            "manifest",
            {
                "stack": stack,
                "bucket_name": foundation.primary.vault["staging_bucket_name"],
                "document": pulumi.Output.from_input(document),
            },
            here.options,
        )

    def _region(self, place: Place, network: NetworkSettings, suffix: str = "") -> PlatformRegion:
        return PlatformRegion(
            self._settings,
            self._stack,
            place,
            network,
            administrators=self._administrators,
            storage_account_ids=sorted({place.account_id, self._places.evidence.account_id}),
            # On the foundation, so that a destroy comes to the vault only when all of this is gone.
            options=pulumi.ResourceOptions(depends_on=self._foundation.stands_on),
            suffix=suffix,
        )

    def _budget(self, region: PlatformRegion) -> None:
        chosen = self._settings.budget
        if chosen is None:
            return
        Budgets(
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
