"""Upgrades the databases of an MLflow server (`upgrade`), or is that server (`serve`).

Secrets come from the environment and from Secrets Manager; they are in no argument, no log, and no file but private
ones. What an operator got wrong is told in one message, with exit code 2; what the outside world failed at, with 3.
"""

from __future__ import annotations

import argparse
import configparser
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

# Isolated mode leaves a program's own folder out of the search path.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import schema
import users
from access import TRACKING, USERS, DatabaseAccess, NoCredentials, Server, uri

SECRETS = ("ADMIN_USERNAME", "ADMIN_PASSWORD", "FLASK_SECRET_KEY")
# What a process needs of its surroundings; PYTHONPATH, PGHOST, MLFLOW_TRACKING_URI and their like would change it.
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "TZ", "PYTHONUNBUFFERED")
_KEPT_PREFIXES = ("AWS_", "ECS_")
_SERVER = {
    # The server stores models, it never loads one; it runs no jobs, and tells nobody of its use.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Connections outlive a change of password; half an hour later none is left of a user whose turn is over.
    "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": "1800",
}
_REFERENCE = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@!-]+"


class WrongUse(Exception):
    """An argument or a variable is missing or wrong; the message lists all of them."""


@dataclass(frozen=True)
class Settings:
    """What the server is told; `secrets` holds the variables of `SECRETS`, `passwords` those of the duties' users."""

    step: str
    host: str
    port: int
    workers: int
    database_host: str
    database_port: int
    database_seconds: float
    database_name: str
    auth_database_name: str
    database_secret: str
    credentials_seconds: float
    artifacts_destination: str
    allowed_hosts: str
    database_ca: str
    secrets: Mapping[str, str]
    passwords: Mapping[str, str]

    @property
    def server(self) -> Server:
        """Return where the databases are."""
        databases = {TRACKING: self.database_name, USERS: self.auth_database_name}
        return Server(self.database_host, self.database_port, self.database_ca, databases)


def read_settings(arguments: list[str], environment: Mapping[str, str]) -> Settings:
    """Return the settings. Raises WrongUse naming everything that is wrong; argparse exits with 2 by itself."""
    options = _parser().parse_args(arguments)
    ca = environment.get("DATABASE_CA", "")
    problems = [f"{name}: not set; it comes from a secret" for name in SECRETS if not environment.get(name)]
    passwords: Mapping[str, str] = {}
    try:
        passwords = users.passwords_of(environment)
    except ValueError as problem:
        problems.append(str(problem))
    if not os.path.isfile(ca):
        problems.append(f"DATABASE_CA: {ca!r} is no file; it must hold the authorities of the database's certificate")
    if not re.fullmatch(_REFERENCE, options.database_secret):
        problems.append(f"--database-secret: {options.database_secret!r} is not the ARN of a secret")
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?", options.artifacts_destination):
        problems.append(f"--artifacts-destination: {options.artifacts_destination!r} is not s3://BUCKET/PREFIX")
    if options.workers < 1:
        problems.append(f"--workers: {options.workers} is less than 1")
    if not 1 <= options.credentials_seconds <= 15:
        problems.append(f"--credentials-seconds: {options.credentials_seconds:g} is not from 1 to 15")
    if options.database_name == options.auth_database_name:
        problems.append(f"--auth-database-name: {options.auth_database_name!r} is the database of runs as well")
    if problems:
        raise WrongUse("\n".join(problems))
    secrets = {name: environment[name] for name in SECRETS}
    return Settings(database_ca=ca, secrets=secrets, passwords=passwords, **vars(options))


def server_environment(
    settings: Settings, environment: Mapping[str, str], service_file: str, auth_config: str
) -> dict[str, str]:
    """Return the environment of the server: what it needs of ours, and what MLflow and libpq are told."""
    kept = {name: value for name, value in environment.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    return {
        **kept,
        **_SERVER,
        "PGSERVICEFILE": service_file,
        "MLFLOW_AUTH_CONFIG_PATH": auth_config,
        "MLFLOW_AUTH_ADMIN_USERNAME": settings.secrets["ADMIN_USERNAME"],
        "MLFLOW_AUTH_ADMIN_PASSWORD": settings.secrets["ADMIN_PASSWORD"],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": settings.secrets["FLASK_SECRET_KEY"],
    }


def server_arguments(settings: Settings) -> list[str]:
    """Return the arguments of `mlflow`."""
    return [
        *("server", "--app-name", "basic-auth"),
        *("--host", settings.host, "--port", str(settings.port), "--workers", str(settings.workers)),
        *("--backend-store-uri", uri(TRACKING)),
        *("--artifacts-destination", settings.artifacts_destination),
        *("--allowed-hosts", settings.allowed_hosts),
    ]


def write_auth_config(settings: Settings) -> str:
    """Write MLflow's configuration of users into a file that only we can read and return its path."""
    config = configparser.ConfigParser(interpolation=None)
    config["mlflow"] = {
        # Nobody sees another's experiments or models unless granted.
        "default_permission": "NO_PERMISSIONS",
        "database_uri": uri(USERS),
        "admin_username": settings.secrets["ADMIN_USERNAME"],
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
        # A tenth of a CPU second is what a password check takes, at every request of a client that makes dozens; a
        # password that was changed or a user that was removed still works this long in a worker.
        "auth_cache_ttl_seconds": "10",
    }
    descriptor, path = tempfile.mkstemp(prefix="mlflow-auth-", suffix=".ini")
    with os.fdopen(descriptor, "w") as file:
        config.write(file)
    return path


def main() -> None:
    """Upgrade; or run MLflow's own command in this process, which passes signals on and keeps the access fresh."""
    try:
        settings = read_settings(sys.argv[1:], os.environ)
    except WrongUse as problem:
        print(f"entrypoint.py: the MLflow server cannot start:\n{problem}", file=sys.stderr)
        sys.exit(2)
    access = DatabaseAccess(settings.server, settings.database_secret)
    environment = server_environment(settings, os.environ, access.path, write_auth_config(settings))
    os.environ.clear()
    os.environ.update(environment)
    try:
        access.refresh()
        if settings.step == "upgrade":
            with schema.only_one(settings.database_seconds):
                administrator = settings.secrets["ADMIN_USERNAME"], settings.secrets["ADMIN_PASSWORD"]
                schema.upgrade(*administrator, settings.passwords)
            return
        schema.connect(settings.database_seconds).close()
    except (psycopg.OperationalError, NoCredentials) as problem:
        print(f"entrypoint.py: the database {settings.database_host} failed: {problem}", file=sys.stderr)
        sys.exit(3)
    access.keep_fresh(settings.credentials_seconds)
    from mlflow.cli import cli

    cli(args=server_arguments(settings), prog_name="mlflow")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="entrypoint.py", description="Run an MLflow server on PostgreSQL and S3.")
    parser.add_argument("step", choices=["upgrade", "serve"], help="upgrade the databases, or be the server")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database-host", required=True)
    parser.add_argument("--database-port", type=int, default=5432)
    parser.add_argument("--database-seconds", type=float, default=120.0, help="how long to wait for it to answer")
    parser.add_argument("--database-name", required=True)
    parser.add_argument("--auth-database-name", required=True)
    parser.add_argument("--database-secret", required=True, metavar="ARN", help="JSON with username and password")
    parser.add_argument("--credentials-seconds", type=float, default=10.0, help="how often it is read")
    parser.add_argument("--artifacts-destination", required=True, metavar="s3://BUCKET/PREFIX")
    parser.add_argument("--allowed-hosts", required=True, metavar="HOST[,HOST…]")
    return parser


if __name__ == "__main__":
    main()
