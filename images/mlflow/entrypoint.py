"""Prepares the databases of an MLflow server, then is that server.

Secrets come from the environment and leave it for no argument, log or file but MLflow's private configuration.
What an operator got wrong is told in one message, with exit code 2; what the outside world failed at, with 3.
"""

from __future__ import annotations

import argparse
import configparser
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg import sql

SECRETS = ("DATABASE_USERNAME", "DATABASE_PASSWORD", "ADMIN_USERNAME", "ADMIN_PASSWORD", "FLASK_SECRET_KEY")
# Any number does, as long as every task of the service locks the same one.
_PREPARATION_LOCK = 5_000_317_002


class WrongUse(Exception):
    """An argument or a variable is missing or wrong; the message lists all of them."""


@dataclass(frozen=True)
class Settings:
    """What the server is told; `secrets` holds the variables of `SECRETS`."""

    host: str
    port: int
    workers: int
    database_host: str
    database_port: int
    database_name: str
    auth_database_name: str
    artifacts_destination: str
    allowed_hosts: str
    database_seconds: float
    database_ca: str
    secrets: Mapping[str, str]

    def database_uri(self, name: str) -> str:
        """Return the URI of a database; the password travels in PGPASSWORD, so that no argument or log holds it."""
        user = quote(self.secrets["DATABASE_USERNAME"], safe="")
        return f"postgresql+psycopg://{user}@{self.database_host}:{self.database_port}/{name}"


def read_settings(arguments: list[str], environment: Mapping[str, str]) -> Settings:
    """Return the settings. Raises WrongUse naming everything that is wrong; argparse exits with 2 by itself."""
    parser = argparse.ArgumentParser(prog="entrypoint.py", description="Run an MLflow server on PostgreSQL and S3.")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database-host", required=True)
    parser.add_argument("--database-port", type=int, default=5432)
    parser.add_argument("--database-seconds", type=float, default=120.0, help="how long to wait for it to answer")
    parser.add_argument("--database-name", required=True)
    parser.add_argument("--auth-database-name", required=True)
    parser.add_argument("--artifacts-destination", required=True, metavar="s3://BUCKET/PREFIX")
    parser.add_argument("--allowed-hosts", required=True, metavar="HOST[,HOST…]")
    options = parser.parse_args(arguments)
    ca = environment.get("DATABASE_CA", "")
    problems = [f"{name}: not set; it comes from a secret" for name in SECRETS if not environment.get(name)]
    if not os.path.isfile(ca):
        problems.append(f"DATABASE_CA: {ca!r} is no file; it must hold the authorities of the database's certificate")
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?", options.artifacts_destination):
        problems.append(f"--artifacts-destination: {options.artifacts_destination!r} is not s3://BUCKET/PREFIX")
    if options.workers < 1:
        problems.append(f"--workers: {options.workers} is less than 1")
    if options.database_name == options.auth_database_name:
        problems.append(f"--auth-database-name: {options.auth_database_name!r} is the database of runs as well")
    if problems:
        raise WrongUse("\n".join(problems))
    return Settings(database_ca=ca, secrets={name: environment[name] for name in SECRETS}, **vars(options))


def server_environment(settings: Settings, environment: Mapping[str, str], auth_config: str) -> dict[str, str]:
    """Return the environment of the server: without the secrets' own names, with what MLflow and libpq call them."""
    kept = {name: value for name, value in environment.items() if name not in SECRETS}
    return {
        **kept,
        "PGPASSWORD": settings.secrets["DATABASE_PASSWORD"],
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": settings.database_ca,
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
        *("--backend-store-uri", settings.database_uri(settings.database_name)),
        *("--artifacts-destination", settings.artifacts_destination),
        *("--allowed-hosts", settings.allowed_hosts),
    ]


def write_auth_config(settings: Settings) -> str:
    """Write MLflow's configuration of users into a file that only we can read and return its path."""
    config = configparser.ConfigParser(interpolation=None)
    config["mlflow"] = {
        # Nobody sees another's experiments or models unless granted.
        "default_permission": "NO_PERMISSIONS",
        "database_uri": settings.database_uri(settings.auth_database_name),
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


def connect(settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to the server's own database, waiting while it starts. Raises psycopg.OperationalError."""
    deadline = time.monotonic() + settings.database_seconds
    while True:
        try:
            return psycopg.connect(
                host=settings.database_host,
                port=settings.database_port,
                user=settings.secrets["DATABASE_USERNAME"],
                password=settings.secrets["DATABASE_PASSWORD"],
                dbname="postgres",
                sslmode="verify-full",
                sslrootcert=settings.database_ca,
                connect_timeout=10,
                autocommit=True,
            )
        except psycopg.OperationalError as problem:
            if time.monotonic() > deadline or "authentication failed" in str(problem):
                raise
            time.sleep(1.0)


@contextmanager
def only_one(settings: Settings) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Let one task at a time prepare the databases: migrations that run twice at once break each other."""
    with connect(settings) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_PREPARATION_LOCK,))
        yield connection


def create_databases(settings: Settings, connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Create what of the two databases is absent."""
    for name in (settings.database_name, settings.auth_database_name):
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def migrate(settings: Settings) -> None:
    """Bring both databases to this version's schema and the administrator's password to the secret's."""
    # MLflow reads its configuration while it is imported, hence not at the top.
    from mlflow.db import commands
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    commands(["upgrade", settings.database_uri(settings.database_name)], standalone_mode=False)
    users = SqlAlchemyStore()
    users.init_db(settings.database_uri(settings.auth_database_name))
    name, password = settings.secrets["ADMIN_USERNAME"], settings.secrets["ADMIN_PASSWORD"]
    if not users.has_user(name):
        users.create_user(name, password, is_admin=True)
    elif not users.authenticate_user(name, password):
        users.update_user(name, password=password)
    users.engine.dispose()


def main() -> None:
    """Prepare, then run MLflow's own command in this process, which imported all of it; it passes signals on."""
    try:
        settings = read_settings(sys.argv[1:], os.environ)
    except WrongUse as problem:
        print(f"entrypoint.py: the MLflow server cannot start:\n{problem}", file=sys.stderr)
        sys.exit(2)
    environment = server_environment(settings, os.environ, write_auth_config(settings))
    os.environ.clear()
    os.environ.update(environment)
    try:
        with only_one(settings) as connection:
            create_databases(settings, connection)
            migrate(settings)
    except psycopg.OperationalError as problem:
        print(f"entrypoint.py: the database {settings.database_host} failed: {problem}", file=sys.stderr)
        sys.exit(3)
    from mlflow.cli import cli

    cli(args=server_arguments(settings), prog_name="mlflow")


if __name__ == "__main__":
    main()
