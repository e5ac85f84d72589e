"""The layer `platform`: network, MLflow and endpoints, on a foundation."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from components.artifact_store import ArtifactStore
from components.data_key import DataKey
from components.mlflow_server import MlflowServer
from components.model_endpoint import VARIANTS, ModelEndpoint
from components.network import Network, NetworkArgs
from components.stack_manifest import StackManifest
from components.tracking_database import TrackingDatabase
from interlock.manifest import SCHEMA_VERSION
from interlock.settings.endpoints import EndpointSettings
from interlock.settings.model import Settings
from interlock.settings.section import Environment
from interlock.settings.tracking import TrackingSettings
from stacks.layers.foundation import Foundation
from stacks.places import Places


class Platform:
    """Provisions the layer when made; `manifest` says what came of it."""

    manifest: StackManifest

    def __init__(self, settings: Settings, stack: str, places: Places, foundation: Foundation) -> None:
        self._settings = settings
        self._stack = stack
        self._foundation = foundation
        # On the foundation, so that a destroy comes to the vault only when all of this is gone.
        self._options = pulumi.ResourceOptions(providers=[places.workload.provider], depends_on=foundation.stands_on)
        self._stateful = pulumi.ResourceOptions.merge(
            self._options, pulumi.ResourceOptions(protect=not settings.disposable)
        )
        self._places = places

        self._key = DataKey(
            "platform-key",
            {
                "account_id": settings.account_id,
                "region": settings.region,
                "administrators": foundation.key_administrators,
                "alias": f"interlock-{stack}-platform",
                "deletion_window_days": 7 if settings.disposable else 30,
                "for_logs": True,
            },
            self._stateful,
        )
        self._network = self._provision_network()
        self._artifacts = ArtifactStore(
            "artifacts",
            {
                "encryption_key_arn": self._key.key_arn,
                "cold_storage_days": settings.artifacts.cold_storage_days,
                "force_destroy": settings.disposable,
            },
            self._stateful,
        )
        tracking = self._provision_tracking()
        endpoints = {endpoint.name: self._provision_endpoint(endpoint) for endpoint in settings.endpoints}
        self.manifest = StackManifest(
            "manifest",
            {
                "stack": stack,
                "bucket_name": foundation.vault["staging_bucket_name"],
                "document": pulumi.Output.from_input(self._document(tracking, endpoints)),
            },
            self._options,
        )

    def _provision_network(self) -> Network:
        chosen = self._settings.network
        assert chosen is not None
        args: NetworkArgs = {
            "account_id": self._settings.account_id,
            "region": self._settings.region,
            "cidr_block": chosen.cidr_block,
            "minimum_zone_count": 3 if self._settings.environment is Environment.PROD else 2,
        }
        if chosen.existing is None:
            args["subnets"] = chosen.subnets
            args["log_key_arn"] = self._key.key_arn
            args["log_retention_days"] = self._settings.log_retention_days
        else:
            args["existing"] = {
                "vpc_id": chosen.existing.vpc_id,
                "private_subnet_ids": chosen.existing.private_subnet_ids,
                "storage_prefix_list_id": chosen.existing.storage_prefix_list_id,
            }
        return Network("network", args, self._options)

    def _provision_tracking(self) -> dict[str, Any]:
        chosen = self._settings.tracking
        assert chosen is not None
        keep = not self._settings.disposable
        database = TrackingDatabase(
            "database",
            {
                "identifier": f"interlock-{self._stack}-tracking",
                "vpc_id": self._network.vpc_id,
                "subnet_ids": self._network.private_subnet_ids,
                "encryption_key_arn": self._key.key_arn,
                "instance_class": chosen.database.instance_class,
                "allocated_storage_gib": chosen.database.storage_gib.min,
                "max_allocated_storage_gib": chosen.database.storage_gib.max,
                "multi_az": chosen.database.multi_az,
                "backup_retention_days": chosen.database.backup_retention_days,
                "deletion_protection": keep,
                "skip_final_snapshot": not keep,
                "log_retention_days": self._settings.log_retention_days,
            },
            self._stateful,
        )
        server = MlflowServer(
            "tracking",
            {
                "account_id": self._settings.account_id,
                "region": self._settings.region,
                "vpc_id": self._network.vpc_id,
                "cidr_block": self._network.cidr_block,
                "subnet_ids": self._network.private_subnet_ids,
                "storage_prefix_list_id": self._network.storage_prefix_list_id,
                "domain": chosen.domain,
                "certificate_arn": self._certificate(chosen),
                "image": chosen.image,
                "database_address": database.address,
                "database_port": database.port,
                "database_name": database.database_name,
                "auth_database_name": database.auth_database_name,
                "database_secret_arn": database.master_secret_arn,
                "database_client_security_group_id": database.client_security_group_id,
                "artifact_bucket_name": self._artifacts.bucket_name,
                "artifact_bucket_arn": self._artifacts.bucket_arn,
                "encryption_key_arn": self._key.key_arn,
                "size": chosen.size.value,
                "task_count": chosen.task_count,
                "log_retention_days": self._settings.log_retention_days,
                "deletion_protection": keep,
                "secret_recovery_days": 30 if keep else 0,
            },
            self._options,
        )
        return {
            "uri": server.uri,
            "domain": chosen.domain,
            "admin_secret_arn": server.admin_secret_arn,
            "database": {
                "identifier": database.identifier,
                "address": database.address,
                "port": database.port,
                "name": database.database_name,
                "auth_name": database.auth_database_name,
                "master_secret_arn": database.master_secret_arn,
            },
            "cluster": server.cluster_name,
            "service": server.service_name,
            "load_balancer_arn": server.load_balancer_arn,
        }

    def _certificate(self, chosen: TrackingSettings) -> pulumi.Input[str]:
        if chosen.certificate_arn is not None:
            return chosen.certificate_arn
        found = aws.acm.get_certificate_output(
            domain=chosen.domain,
            statuses=["ISSUED"],
            most_recent=True,
            opts=pulumi.InvokeOutputOptions(provider=self._places.workload.provider),
        )
        return found.arn

    def _provision_endpoint(self, chosen: EndpointSettings) -> dict[str, Any]:
        endpoint = ModelEndpoint(
            chosen.name,
            {
                "account_id": self._settings.account_id,
                "region": self._settings.region,
                "endpoint_name": f"interlock-{self._stack}-{chosen.name}",
                "vpc_id": self._network.vpc_id,
                "subnet_ids": self._network.private_subnet_ids,
                "cidr_block": self._network.cidr_block,
                "storage_prefix_list_id": self._network.storage_prefix_list_id,
                "image": chosen.image,
                "vault_bucket_name": self._foundation.vault["bucket_name"],
                "vault_bucket_arn": self._foundation.vault["bucket_arn"],
                "vault_key_arn": self._foundation.vault["encryption_key_arn"],
                "encryption_key_arn": self._key.key_arn,
                "instance_type": chosen.instance_type,
                "min_instance_count": chosen.instances.min,
                "max_instance_count": chosen.instances.max,
                "p99_latency_limit_ms": chosen.p99_latency_limit_ms,
                "log_retention_days": self._settings.log_retention_days,
                "tags": self._settings.resource_tags(self._stack),
            },
            self._options,
        )
        return {
            "endpoint_name": endpoint.endpoint_name,
            "endpoint_arn": endpoint.endpoint_arn,
            "variants": list(VARIANTS),
            "holding_model_name": endpoint.holding_model_name,
            "holding_configuration_name": endpoint.holding_configuration_name,
            "serving_template": endpoint.serving_template,
        }

    def _document(self, tracking: dict[str, Any], endpoints: dict[str, dict[str, Any]]) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "stack": self._stack,
            "environment": self._settings.environment.value,
            "account_id": self._settings.account_id,
            "region": self._settings.region,
            "accounts": {
                "workload": self._places.workload.account_id,
                "evidence": self._places.evidence.account_id,
                "audit": self._places.audit.account_id,
            },
            "data_key_arn": self._key.key_arn,
            "vault": dict(self._foundation.vault),
            "signing_keys": self._foundation.signing_keys,
            "network": {
                "vpc_id": self._network.vpc_id,
                "private_subnet_ids": self._network.private_subnet_ids,
            },
            "artifact_store": {
                "bucket_name": self._artifacts.bucket_name,
                "bucket_arn": self._artifacts.bucket_arn,
                "encryption_key_arn": self._artifacts.encryption_key_arn,
            },
            "tracking": tracking,
            "endpoints": endpoints,
        }
