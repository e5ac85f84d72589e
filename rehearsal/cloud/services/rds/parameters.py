"""The parameters of RDS for PostgreSQL: which there are, which may be changed and how, and what PostgreSQL is told.

PostgreSQL itself lists its parameters (`postgres --describe-config`); RDS adds some of its own and keeps others.
Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_STATIC_CONTEXTS = {"postmaster", "internal"}
_DATA_TYPES = {"BOOLEAN": "boolean", "INTEGER": "integer", "REAL": "float", "ENUM": "string", "STRING": "string"}
# What RDS manages itself, or what would cut the instance off from it.
_KEPT = frozenset(
    [
        "allow_alter_system",
        "archive_command",
        "archive_library",
        "archive_mode",
        "config_file",
        "data_directory",
        "dynamic_shared_memory_type",
        "event_source",
        "external_pid_file",
        "fsync",
        "full_page_writes",
        "hba_file",
        "hot_standby",
        "ident_file",
        "listen_addresses",
        "log_directory",
        "log_file_mode",
        "logging_collector",
        "port",
        "primary_conninfo",
        "primary_slot_name",
        "recovery_target_timeline",
        "restore_command",
        "shared_memory_type",
        "ssl",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_crl_file",
        "ssl_key_file",
        "ssl_passphrase_command",
        "syslog_facility",
        "syslog_ident",
        "unix_socket_directories",
        "unix_socket_group",
        "unix_socket_permissions",
        "wal_level",
        "zero_damaged_pages",
    ]
)
_PREFIXES_OF_EXTENSIONS = ("auto_explain.", "cron.", "pg_hint_plan.", "pg_stat_statements.", "pgaudit.", "pglogical.")


class ParameterRefused(ValueError):
    """A parameter that RDS would not take; `code` is the error RDS answers with."""

    def __init__(self, message: str, code: str = "InvalidParameterValue") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Parameter:
    """One parameter as DescribeDBParameters shows it; `apply_type` is `static` or `dynamic`."""

    name: str
    apply_type: str
    data_type: str
    description: str
    is_modifiable: bool = True
    default: str | None = None
    lowest: float | None = None
    highest: float | None = None

    @property
    def allowed_values(self) -> str | None:
        """Return the values as RDS writes them, None where any text will do."""
        if self.data_type == "boolean":
            return "0,1"
        return f"{self.lowest:g}-{self.highest:.0f}" if self.lowest is not None and self.highest is not None else None


_OF_RDS = (
    Parameter("rds.force_ssl", "dynamic", "boolean", "Force SSL connections.", default="1"),
    Parameter("rds.logical_replication", "static", "boolean", "Enables logical decoding.", default="0"),
    Parameter(
        "rds.log_retention_period", "dynamic", "integer", "Minutes that logs are kept.", True, "4320", 1440, 10080
    ),
    Parameter("rds.restrict_password_commands", "static", "boolean", "Leaves passwords to rds_password.", default="0"),
    Parameter("rds.adaptive_autovacuum", "dynamic", "boolean", "Adapts autovacuum to the load.", default="1"),
    Parameter("rds.force_autovacuum_logging_level", "dynamic", "string", "Logs autovacuum.", default="warning"),
    Parameter("rds.allowed_extensions", "dynamic", "string", "Extensions that may be installed.", default="*"),
    Parameter("rds.superuser_reserved_connections", "static", "integer", "For rds_superuser.", True, "2", 0, 8388607),
    Parameter("rds.accepted_password_auth_method", "dynamic", "string", "md5+scram or scram.", default="md5+scram"),
)


@lru_cache
def catalogue(postgres: Path) -> Mapping[str, Parameter]:
    """Return every parameter by name; `postgres` is the server's program."""
    listing = subprocess.run([postgres, "--describe-config"], capture_output=True, text=True, check=True)
    found = {parameter.name: parameter for parameter in _OF_RDS}
    for line in listing.stdout.splitlines():
        name, context, _, kind, default, lowest, highest, description, *_ = line.split("\t")
        is_number = kind in {"INTEGER", "REAL"} and bool(lowest)
        found[name] = Parameter(
            name,
            "static" if context in _STATIC_CONTEXTS else "dynamic",
            _DATA_TYPES[kind],
            description,
            is_modifiable=context != "internal" and name not in _KEPT,
            default=default or None,
            lowest=float(lowest) if is_number else None,
            highest=float(highest) if is_number else None,
        )
    return found


def find(known: Mapping[str, Parameter], name: str) -> Parameter:
    """Return the parameter `name`. Raises ParameterRefused."""
    if name in known:
        return known[name]
    if name.startswith(_PREFIXES_OF_EXTENSIONS):
        return Parameter(name, "dynamic", "string", "A parameter of an extension.")
    raise ParameterRefused(f"Could not find parameter with name: {name}")


def check(known: Mapping[str, Parameter], name: str, value: str | None, apply_method: str) -> None:
    """Refuse what RDS refuses: an unknown or kept parameter, a value outside its range, a method it does not have.

    Raises ParameterRefused.
    """
    parameter = find(known, name)
    if not parameter.is_modifiable:
        raise ParameterRefused(f"The parameter {name} cannot be modified.")
    if apply_method not in {"immediate", "pending-reboot"}:
        raise ParameterRefused(f"Invalid apply method: {apply_method}")
    if apply_method == "immediate" and parameter.apply_type == "static":
        raise ParameterRefused("cannot use immediate apply method for static parameter", "InvalidParameterCombination")
    if value is not None and "{" not in value and not _is_allowed(parameter, value):
        raise ParameterRefused(
            f"Invalid parameter value: {value} for: {name} allowed values are: {parameter.allowed_values}"
        )


def _is_allowed(parameter: Parameter, value: str) -> bool:
    if parameter.data_type == "boolean":
        return value.lower() in {"0", "1", "on", "off", "true", "false", "yes", "no"}
    if parameter.lowest is None or parameter.highest is None:
        return True
    try:
        return parameter.lowest <= float(value) <= parameter.highest
    except ValueError:
        return False


def settings(given: Mapping[str, str], major: int, libraries: Path) -> dict[str, str]:
    """Return what PostgreSQL is told, from the values of a parameter group.

    A value computed from the instance class (`{DBInstanceClassMemory/…}`) stays PostgreSQL's default. Of
    `shared_preload_libraries` those that lie in `libraries` are loaded.
    """
    told = {name: value for name, value in given.items() if not name.startswith("rds.") and "{" not in value}
    if "shared_preload_libraries" in told:
        wanted = [library.strip() for library in told["shared_preload_libraries"].split(",")]
        told["shared_preload_libraries"] = ",".join(name for name in wanted if (libraries / f"{name}.so").exists())
    if is_on(given.get("rds.logical_replication", "0")):
        told["wal_level"] = "logical"
    # What a major version before 18 called boolean.
    if told.get("log_connections") in {"0", "1"} and major < 18:
        told["log_connections"] = "all" if told["log_connections"] == "1" else ""
    return told


def forces_tls(given: Mapping[str, str], major: int) -> bool:
    """Return whether connections without TLS are refused, which is RDS's default from version 15 on."""
    return is_on(given.get("rds.force_ssl", "1" if major >= 15 else "0"))


def is_on(value: str) -> bool:
    """Return what a boolean parameter's text means."""
    return value.lower() in {"1", "on", "true", "yes"}
