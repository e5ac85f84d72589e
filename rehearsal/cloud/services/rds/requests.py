"""What RDS asks of a request before it does anything, as far as moto does not ask it.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from typing import Any

from moto.rds.exceptions import RDSClientError

LATEST_MINOR = {"13": "23", "14": "20", "15": "15", "16": "11", "17": "7", "18": "1"}
"""The newest minor version of each major one that this cloud knows; PostgreSQL 18 runs whatever is declared."""

_RESERVED_USERS = {"rdsadmin", "rds_superuser", "rdsrepladmin", "admin", "public", "rdstopmgr"}
# Without ApplyImmediately these wait for the maintenance window.
_DEFERRED = {
    "allocated_storage": "AllocatedStorage",
    "ca_certificate_identifier": "CACertificateIdentifier",
    "db_instance_class": "DBInstanceClass",
    "engine_version": "EngineVersion",
    "iops": "Iops",
    "multi_az": "MultiAZ",
    "port": "Port",
    "storage_throughput": "StorageThroughput",
    "storage_type": "StorageType",
}
RESTARTING = frozenset({"ca_certificate_identifier", "db_instance_class", "engine_version", "port"})
"""Changes during which an instance does not answer."""


def refuse(code: str, message: str) -> RDSClientError:
    """Return the error, to be raised, that RDS answers with."""
    return RDSClientError(code, message)


def engine_version(requested: str | None) -> str:
    """Return the whole version that a requested one means. Raises RDSClientError."""
    major, _, minor = (requested or "17").partition(".")
    latest = LATEST_MINOR.get(major)
    if latest is None or (minor and not (minor.isdigit() and int(minor) <= int(latest))):
        raise refuse("InvalidParameterCombination", f"Cannot find version {requested} for postgres")
    return f"{major}.{minor or latest}"


def check_creation(request: Mapping[str, Any]) -> None:
    """Refuse what CreateDBInstance refuses. Raises RDSClientError."""
    engine = request.get("engine")
    if engine != "postgres" or request.get("db_cluster_identifier"):
        raise refuse("InvalidParameterValue", f"Invalid DB engine: {engine}; this cloud runs DB instances of postgres")
    check_class(request)
    username = request.get("master_username")
    if not username:
        raise refuse("InvalidParameterValue", "The parameter MasterUsername must be provided and must not be blank.")
    if username.lower() in _RESERVED_USERS or username.lower().startswith("pg_"):
        raise refuse(
            "InvalidParameterValue",
            f"MasterUsername {username} cannot be used as it is a reserved word used by the engine",
        )
    if not re.fullmatch(r"[A-Za-z]\w{0,62}", username):
        raise refuse("InvalidParameterValue", "The parameter MasterUsername is not a valid identifier.")
    name = request.get("db_name")
    if name and not re.fullmatch(r"[A-Za-z_]\w{0,62}", name):
        raise refuse(
            "InvalidParameterValue", "DBName must begin with a letter and contain only alphanumeric characters."
        )
    check_password(request)
    if request.get("iops") is None and not 20 <= int(request.get("allocated_storage") or 20) <= 65536:
        raise refuse("InvalidParameterValue", "Invalid storage size for engine name postgres and storage type gp2")
    check_port(request)


def check_class(request: Mapping[str, Any]) -> None:
    """Refuse what is no DB instance class. Raises RDSClientError."""
    if not re.fullmatch(r"db\.[a-z0-9-]+\.[a-z0-9-]+", str(request.get("db_instance_class"))):
        raise refuse("InvalidParameterValue", f"Invalid DB Instance class: {request.get('db_instance_class')}")


def check_port(request: Mapping[str, Any]) -> None:
    """Refuse a port that RDS does not take. Raises RDSClientError."""
    if not 1150 <= int(request.get("port") or 5432) <= 65535:
        raise refuse("InvalidParameterValue", f"Invalid port {request.get('port')}: it must be between 1150 and 65535")


def check_password(request: Mapping[str, Any], *, creating: bool = True) -> None:
    """Refuse a password that RDS does not take, or one beside a managed one. Raises RDSClientError."""
    password, managed = request.get("master_user_password"), request.get("manage_master_user_password")
    if password is not None and managed:
        raise refuse(
            "InvalidParameterCombination",
            "You can't specify MasterUserPassword when ManageMasterUserPassword is true",
        )
    if password is None:
        if creating and not managed:
            raise refuse(
                "InvalidParameterValue", "The parameter MasterUserPassword must be provided and must not be blank."
            )
        return
    if not 8 <= len(password) <= 128:
        problem = "shorter than 8 characters" if len(password) < 8 else "longer than 128 characters"
        raise refuse(
            "InvalidParameterValue",
            f"The parameter MasterUserPassword is not a valid password because it is {problem}.",
        )
    if re.search(r'[/@" ]', password) or not password.isprintable():
        raise refuse(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password. "
            "Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.",
        )


def check_modification(request: Mapping[str, Any], current: Any, groups: Mapping[str, Any]) -> None:
    """Refuse of ModifyDBInstance what no instance can become; `groups` are the subnet groups by name.

    Raises RDSClientError. Sources: Amazon RDS User Guide, "Upgrades of the RDS for PostgreSQL DB engine";
    "Updating the VPC for a DB instance".
    """
    if request.get("engine_version"):
        wanted, known = (int(one.partition(".")[0]) for one in (request["engine_version"], current.engine_version))
        if wanted < known:
            raise refuse(
                "InvalidParameterCombination",
                f"Cannot upgrade postgres from {current.engine_version} to {request['engine_version']}",
            )
        if wanted > known and not request.get("allow_major_version_upgrade"):
            raise refuse(
                "InvalidParameterCombination",
                "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
            )
    group, own = groups.get(request.get("db_subnet_group_name") or ""), getattr(current, "db_subnet_group", None)
    if group and own and group is not own and group.vpc_id == own.vpc_id:
        name, asked = current.db_instance_identifier, group.name
        raise refuse(
            "InvalidVPCNetworkStateFault",
            f"You cannot move DB instance {name} to subnet group {asked}. The specified DB subnet group and DB "
            "instance are in the same VPC. Choose a subnet group in different VPC than the specified DB instance and "
            "try again.",
        )


def split_modification(request: Mapping[str, Any], current: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what of a modification happens now, and what waits, under the names DescribeDBInstances gives it.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
    """
    changes = {name: value for name, value in request.items() if value is not None and name != "apply_immediately"}
    if "db_port_number" in changes:
        changes["port"] = changes.pop("db_port_number")
    if "engine_version" in changes:
        changes["engine_version"] = engine_version(changes["engine_version"])
    same = {name for name in _DEFERRED if name in changes and changes[name] == getattr(current, name, None)}
    changes = {name: value for name, value in changes.items() if name not in same}
    if request.get("apply_immediately"):
        return changes, {}
    now = {name: value for name, value in changes.items() if name not in _DEFERRED}
    return now, {_DEFERRED[name]: value for name, value in changes.items() if name in _DEFERRED}


def check_deletion(database: Any, final_snapshot: str | None, skip: bool | None, snapshots: Mapping[str, Any]) -> None:
    """Refuse what DeleteDBInstance refuses. Raises RDSClientError."""
    if database.deletion_protection:
        raise refuse(
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        )
    if database.status == "deleting":
        raise refuse("InvalidDBInstanceState", f"Instance {database.db_instance_identifier} is already being deleted.")
    if skip and final_snapshot:
        raise refuse(
            "InvalidParameterCombination", "FinalDBSnapshotIdentifier cannot be specified when skipping final snapshot"
        )
    if not skip and not final_snapshot:
        raise refuse(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )
    if final_snapshot and final_snapshot in snapshots:
        raise refuse(
            "DBSnapshotAlreadyExists",
            f"Cannot create the snapshot because a snapshot with the identifier {final_snapshot} already exists.",
        )


def resource_id() -> str:
    """Return a new DbiResourceId: `db-` and 26 capitals and digits."""
    return "db-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(26))


def password() -> str:
    """Return a password as RDS generates them for a managed master user: 28 characters that need no quoting."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(28))
