"""What RDS asks of the requests about read replicas, and what a replica has from its source (pure).

Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.cloud.services.rds.requests import check_class, check_port, refuse

MOST_REPLICAS = 15
_FIRST_CASCADING = (14, 1)
_INHERITED = (
    "allocated_storage",
    "auto_minor_version_upgrade",
    "character_set_name",
    "db_instance_class",
    "db_name",
    "engine",
    "engine_version",
    "iops",
    "license_model",
    "master_username",
    "port",
    "preferred_backup_window",
    "preferred_maintenance_window",
    "publicly_accessible",
    "storage_encrypted",
    "storage_throughput",
    "storage_type",
)
# What lies in a region cannot be had from a source in another.
_INHERITED_IN_REGION = ("db_parameter_group_name", "kms_key_id")


def check_replica(request: Mapping[str, Any], source: Any, *, same_region: bool) -> None:
    """Refuse what CreateDBInstanceReadReplica refuses; `source` is moto's record. Raises RDSClientError."""
    name = source.db_instance_identifier
    if source.status != "available":
        raise refuse("InvalidDBInstanceState", f"Instance {name} is not in available state.")
    if not source.backup_retention_period:
        raise refuse(
            "InvalidDBInstanceState",
            "Automated backups are not enabled for this database instance. To enable automated backups, use "
            "ModifyDBInstance to set the backup retention period to a non-zero value.",
        )
    if source.manage_master_user_password:
        raise refuse(
            "InvalidParameterValue",
            f"Creating read replicas for source instance with engine {source.engine} where ManageMasterUserPassword "
            "is enabled is not supported.",
        )
    if source.is_replica and _version(source) < _FIRST_CASCADING:
        raise refuse("InvalidDBInstanceState", "A read replica of a read replica needs PostgreSQL 14.1 or higher.")
    if len(source.replicas) >= MOST_REPLICAS:
        raise refuse("InstanceQuotaExceeded", f"Instance {name} has {MOST_REPLICAS} read replicas, the most there are.")
    _check_key(request, source, same_region=same_region)
    if request.get("db_instance_class") is not None:
        check_class(request)
    check_port(request)
    storage = request.get("allocated_storage")
    if storage is not None and int(storage) < int(source.allocated_storage):
        raise refuse(
            "InvalidParameterCombination",
            f"The allocated storage of a read replica, {storage} GiB, can't be less than its source's, "
            f"{source.allocated_storage} GiB.",
        )


def _check_key(request: Mapping[str, Any], source: Any, *, same_region: bool) -> None:
    wants_key = request.get("kms_key_id") is not None
    if source.storage_encrypted and not same_region and not wants_key:
        raise refuse(
            "InvalidParameterCombination",
            "Cannot create a cross region unencrypted read replica from encrypted source.",
        )
    if wants_key and not source.storage_encrypted:
        raise refuse("InvalidParameterCombination", "Cannot create an encrypted read replica from unencrypted source.")


def inherited(request: Mapping[str, Any], source: Any, *, same_region: bool) -> dict[str, Any]:
    """Return the whole creation that a request means: what it says, and from the source what it leaves out.

    A replica begins without backups, and without a managed password of its own: its users are its source's.
    """
    names = (*_INHERITED, *(_INHERITED_IN_REGION if same_region else ()))
    wanted = {name: getattr(source, name) for name in names if getattr(source, name, None) is not None}
    if same_region and hasattr(source, "db_subnet_group"):
        wanted["db_subnet_group_name"] = source.db_subnet_group.name
    wanted |= {name: value for name, value in request.items() if value is not None}
    if "option_group_name" not in request and same_region and source.option_group_supplied:
        wanted["option_group_name"] = source.option_group_name
    wanted["backup_retention_period"] = 0
    return wanted


def check_promotion(database: Any) -> None:
    """Refuse what PromoteReadReplica refuses. Raises RDSClientError."""
    name = database.db_instance_identifier
    if not database.is_replica:
        raise refuse("InvalidDBInstanceState", f"DB Instance {name} is not a read replica.")
    if database.status != "available":
        raise refuse("InvalidDBInstanceState", f"Instance {name} is not in available state.")


def check_modification(request: Mapping[str, Any], database: Any) -> None:
    """Refuse of ModifyDBInstance what cannot be done to a replica or to a source. Raises RDSClientError."""
    if database.is_replica and request.get("manage_master_user_password"):
        raise refuse("InvalidParameterValue", "ManageMasterUserPassword isn't supported for read replica")
    if database.is_replica and request.get("master_user_password") is not None:
        raise refuse(
            "InvalidParameterCombination",
            f"Cannot change master user password on an RDS {database.engine} Read Replica because it uses physical "
            "replication and therefore cannot differ from its parent.",
        )
    if database.replicas and request.get("backup_retention_period") == 0:
        raise refuse(
            "InvalidParameterCombination",
            "The backup retention period cannot be set to 0 while the DB instance is a source to read replicas.",
        )


def check_stop(database: Any) -> None:
    """Refuse to stop a replica or a source of replicas. Raises RDSClientError.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_StopInstance.html#USER_StopInstance.Limitations
    """
    if database.is_replica or database.replicas:
        what = "is a read replica" if database.is_replica else "has a read replica"
        name = database.db_instance_identifier
        raise refuse("InvalidDBInstanceState", f"Instance {name} {what}: neither replicas nor sources can be stopped.")


def check_final_snapshot(database: Any, final_snapshot: str | None) -> None:
    """Refuse a final snapshot of a replica. Raises RDSClientError."""
    if database.is_replica and final_snapshot:
        raise refuse(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier can not be specified when deleting a replica instance",
        )


def _version(database: Any) -> tuple[int, int]:
    major, _, minor = str(database.engine_version).partition(".")
    return int(major), int(minor)
