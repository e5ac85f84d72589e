"""MLflow, in the primary region: its server and its database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.artifact_store import ArtifactStore
from components.mlflow_server import MlflowServer, MlflowServerArgs
from components.runner import DatabaseTarget, HttpTarget
from components.tracking_database import TrackingDatabase
from components.tracking_database_args import TrackingDatabaseArgs
from interlock.duties.secrets import TRACKING
from interlock.settings.tracking import TrackingSettings
from stacks.layers.region import PlatformRegion, image_in


@dataclass(frozen=True)
class Standby:
    """The database's standby: the recovery part's `database`, and what that region's runner may ask of it."""

    part: dict[str, Any]
    target: DatabaseTarget


@dataclass(frozen=True)
class Tracking:
    """What was provisioned: its part of the stack manifest, and what the region's runner may ask of it."""

    part: dict[str, Any]
    standby: Standby | None
    database: DatabaseTarget
    http_targets: dict[str, HttpTarget]


def provision_tracking(
    region: PlatformRegion, artifacts: ArtifactStore, there: PlatformRegion | None = None
) -> Tracking:
    """Provision MLflow and its database, with a standby in the region `there`."""
    settings = region.settings
    chosen = settings.tracking
    assert chosen is not None
    keep = not settings.disposable
    database = _database(region, chosen, there)
    args: MlflowServerArgs = {
        "account_id": region.place.account_id,
        "region": region.place.region,
        "vpc_id": region.network.vpc_id,
        "cidr_block": region.network.cidr_block,
        "client_cidr_blocks": chosen.client_cidr_blocks,
        "subnet_ids": region.network.private_subnet_ids,
        "storage_prefix_list_id": region.network.storage_prefix_list_id,
        "domain": chosen.domain,
        "certificate_arn": _certificate(region, chosen),
        "image": chosen.image,
        "database_address": database.address,
        "database_port": database.port,
        "database_name": database.database_name,
        "auth_database_name": database.auth_database_name,
        "database_secret_arn": database.secret_arn,
        "database_client_security_group_id": database.client_security_group_id,
        "artifact_bucket_name": artifacts.bucket_name,
        "artifact_bucket_arn": artifacts.bucket_arn,
        "encryption_key_arn": region.key.key_arn,
        "size": chosen.size.value,
        "task_count": chosen.task_count,
        "max_task_count": chosen.max_task_count,
        "log_retention_days": settings.log_retention_days,
        "deletion_protection": keep,
        "secret_recovery_days": 30 if keep else 0,
        "administrators": region.guards.administrators,
        "secret_readers": region.guards.secret_readers,
        "duty_role_arns": region.guards.duty_role_arns(),
    }
    if chosen.existing_cluster_arn is not None:
        args["existing_cluster_arn"] = chosen.existing_cluster_arn
    server = MlflowServer(TRACKING, args, region.options)
    region.made += [database, server]
    return Tracking(
        part={
            "uri": server.uri,
            "domain": chosen.domain,
            "admin_secret_arn": server.admin_secret_arn,
            "user_secret_arns": server.user_secret_arns,
            "database": {
                "identifier": database.identifier,
                "address": database.address,
                "port": database.port,
                "name": database.database_name,
                "auth_name": database.auth_database_name,
                "master_secret_arn": database.master_secret_arn,
                "secret_arn": database.secret_arn,
            },
            "cluster": server.cluster_name,
            "service": server.service_name,
            "load_balancer_arn": server.load_balancer_arn,
        },
        standby=_standby(database),
        database={
            "address": database.address,
            "port": database.port,
            "names": pulumi.Output.all(database.database_name),
            "secret_arn": database.secret_arn,
            "client_security_group_id": database.client_security_group_id,
        },
        http_targets={
            "tracking": {"address": server.uri.apply(lambda uri: uri.partition("//")[2]), "server_name": chosen.domain}
        },
    )


def _database(region: PlatformRegion, chosen: TrackingSettings, there: PlatformRegion | None) -> TrackingDatabase:
    settings, keep = region.settings, not region.settings.disposable
    args: TrackingDatabaseArgs = {
        "identifier": chosen.database.identifier or f"interlock-{region.stack}-tracking",
        "account_id": region.place.account_id,
        "region": region.place.region,
        "vpc_id": region.network.vpc_id,
        "cidr_block": region.network.cidr_block,
        "subnet_ids": region.network.private_subnet_ids,
        "encryption_key_arn": region.key.key_arn,
        "rotation_image": image_in(chosen.rotation_image, region.place.region),
        "rotation_days": chosen.rotation.days,
        "secret_recovery_days": 30 if keep else 0,
        "administrators": region.guards.administrators,
        "secret_readers": region.guards.secret_readers,
        "user_secret_readers": region.guards.user_secret_readers(),
        "instance_class": chosen.database.instance_class,
        "allocated_storage_gib": chosen.database.storage_gib.min,
        "max_allocated_storage_gib": chosen.database.storage_gib.max,
        "multi_az": chosen.database.multi_az,
        "backup_retention_days": chosen.database.backup_retention_days,
        "deletion_protection": keep,
        "skip_final_snapshot": not keep,
        "log_retention_days": settings.log_retention_days,
    }
    if chosen.rotation.reserved_concurrency is not None:
        args["rotation_reserved_concurrency"] = chosen.rotation.reserved_concurrency
    if chosen.database.master_username is not None:
        args["master_username"] = chosen.database.master_username
    if chosen.database.name is not None:
        args["database_name"] = chosen.database.name
    if chosen.database.auth_name is not None:
        args["auth_database_name"] = chosen.database.auth_name
    if chosen.database.subnet_group_name is not None:
        args["subnet_group_name"] = chosen.database.subnet_group_name
    if chosen.database.engine_version is not None:
        args["engine_version"] = chosen.database.engine_version
    if there is not None:
        args["standby"] = {
            "provider": there.place.provider,
            "region": there.place.region,
            "vpc_id": there.network.vpc_id,
            "subnet_ids": there.network.private_subnet_ids,
            "encryption_key_arn": there.key.key_arn,
            "backup_retention_days": chosen.database.standby_backup_retention_days,
        }
    return TrackingDatabase("database", args, region.stateful)


def _standby(database: TrackingDatabase) -> Standby | None:
    if database.standby is None or database.standby_secret_arn is None:
        return None
    return Standby(
        part={
            "identifier": database.standby.identifier,
            "address": database.standby.address,
            "port": database.standby.port,
            "master_secret_arn": database.standby_master_secret_arn,
        },
        target={
            "address": database.standby.address,
            "port": database.standby.port,
            "names": pulumi.Output.all(database.database_name),
            "secret_arn": database.standby_secret_arn,
            "client_security_group_id": database.standby.client_security_group_id,
        },
    )


def _certificate(region: PlatformRegion, chosen: TrackingSettings) -> pulumi.Input[str]:
    if chosen.certificate_arn is not None:
        return chosen.certificate_arn
    found = aws.acm.get_certificate_output(
        domain=chosen.domain,
        statuses=["ISSUED"],
        most_recent=True,
        opts=pulumi.InvokeOutputOptions(provider=region.place.provider),
    )
    return found.arn
