"""The data plane of one DB instance: a PostgreSQL server, and the thread that does to it what RDS's hosts do."""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from rehearsal.cloud.log_streams import ShippedLog, ensure_group
from rehearsal.cloud.places import Place, place_of
from rehearsal.cloud.services.rds import failover, parameters, replication
from rehearsal.cloud.services.rds.postgres import LIBRARIES, PostgresServer, ServerFailed

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext
    from rehearsal.cloud.services.rds.empty_cluster import EmptyCluster

_ATTEMPTS = 10
_BETWEEN_ATTEMPTS = 1.0
ReplicationStatus = Literal["replicating", "error", "terminated"]
_log = logging.getLogger(__name__)
_LOOK_EVERY = 0.5
"""Seconds between two looks at whether the server still runs."""


@dataclass(eq=False)
class Instance:
    """Does one thing after another to a server, and tells moto's record of the DB instance how it stands.

    `database` is that record; it is touched only in RDS's turn. The server's process is started again when it dies,
    as RDS's host does, while the instance's status is `available`.
    """

    cloud: CloudContext
    database: Any
    server: PostgresServer
    observe: Callable[[Instance], None]
    """Called now and then, while nothing is to be done."""
    source: Instance | None = None
    """What a read replica follows; None once that is deleted."""
    replication: ReplicationStatus = "replicating"
    """How a read replica fares, as DescribeDBInstances says it."""
    effective: dict[str, str] = field(default_factory=dict)
    """The parameter values in force, those of dynamic ones as last applied."""
    group_in_force: str = ""
    _tasks: queue.Queue[Callable[[], None] | None] = field(default_factory=queue.Queue, init=False)
    _shipped: ShippedLog | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        name = f"rds-{self.database.db_instance_identifier}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def place(self) -> Place:
        """Where the DB instance lies."""
        return place_of(str(self.database.arn))

    def submit(self, task: Callable[[], None]) -> None:
        """Do `task` after all that was submitted before."""
        self._tasks.put(task)

    def close(self) -> None:
        """Drop what is still to be done and stop the server."""
        self._drop_tasks()
        self.retire()
        self._thread.join(30)
        self.server.stop()

    def create(self, empty: EmptyCluster, password: str) -> None:
        """Make the server, its roles and its database. Raises ServerFailed."""
        self.server.adopt(empty.folder(), self._names())
        self.start()
        self.server.introduce(self.database.master_username, password, self.database.db_name)

    def restore(self, snapshot: Path, password: str | None) -> None:
        """Make the server out of a snapshot; `password` becomes the master user's if given. Raises ServerFailed."""
        self.server.adopt(snapshot, self._names())
        self.start()
        if password is not None:
            self.server.change_password(self.database.master_username, password)

    def replicate(self) -> None:
        """Make the server a standby of `source`, which may be restarted meanwhile. Raises ServerFailed."""
        for left in reversed(range(_ATTEMPTS)):
            source = self.source
            if source is None:
                raise ServerFailed("the source was deleted before its replica was made")
            try:
                replication.clone(source.server, self.server, self.slot, self._names())
            except (ServerFailed, psycopg.OperationalError):
                if not left:
                    raise
                time.sleep(_BETWEEN_ATTEMPTS)
            else:
                break
        self.start()

    def promote(self) -> None:
        """Make a standby a primary. Raises ServerFailed."""
        replication.promote(self.server)
        self.source = None

    def orphan(self) -> None:
        """Have a standby stay at what it got from its source, which is no more."""
        self.source, self.replication = None, "terminated"
        self.reconfigure()

    def start(self) -> None:
        """Start the server with its parameter group's values, static ones included. Raises ServerFailed."""
        given = self.given()
        self.effective = {name: value for name, (value, _) in given.items()}
        self.group_in_force = self._group_name()
        self.server.port = self.database.port
        self._configure()
        self.server.start()

    def restart(self) -> None:
        """Stop and start the server. Raises ServerFailed."""
        self.server.stop()
        self.start()

    def fail_over(self) -> None:
        """Give the server up where it runs and start it in the other zone. Raises ServerFailed."""
        self.server.crash()
        with self.cloud.turn("rds"):
            self.database.availability_zone = failover.secondary_zone(self.database)
        self.start()

    def reconfigure(self) -> None:
        """Have the running server read its configuration anew."""
        if self.server.is_alive:
            self._configure()
            self.server.reload()

    def apply_dynamic(self, known: Mapping[str, parameters.Parameter]) -> None:
        """Put those of the group's values into force that need no reboot."""
        if self._group_name() != self.group_in_force or not self.server.is_alive:
            return
        given = self.given()
        for name in {*given, *self.effective}:
            value, method = given.get(name, (None, "immediate"))
            if method == "immediate" and parameters.find(known, name).apply_type == "dynamic":
                if value is None:
                    self.effective.pop(name, None)
                else:
                    self.effective[name] = value
        self.reconfigure()

    def given(self) -> dict[str, tuple[str, str]]:
        """Return the parameter group's values with their apply methods."""
        with self.cloud.turn("rds"):
            group = self.database.db_parameter_groups()[0]
            return {
                name: (str(entry["ParameterValue"]), str(entry.get("ApplyMethod", "immediate")))
                for name, entry in group.parameters.items()
                if entry.get("ParameterValue") is not None
            }

    def parameter_apply_status(self) -> str:
        """Return what DescribeDBInstances says of the parameter group."""
        wanted = {name: value for name, (value, _) in self.given().items()}
        in_force = wanted == self.effective and self._group_name() == self.group_in_force
        return "in-sync" if in_force or self.database.status == "creating" else "pending-reboot"

    def mark(self, status: str) -> None:
        """Set the status that DescribeDBInstances shows."""
        with self.cloud.turn("rds"):
            self.database.status = status

    @property
    def slot(self) -> str:
        """Return the name of the replication slot that the server has on its source."""
        return replication.slot_name(self.database.region, self.database.dbi_resource_id)

    def mark_usable(self) -> None:
        """Let a new or promoted instance be used, unless it is being deleted already."""
        with self.cloud.turn("rds"):
            if self.database.status in {"creating", "rebooting", "backing-up"}:
                self.database.status = "available"

    def retire(self) -> None:
        """Have the thread end after what was submitted before."""
        self._tasks.put(None)

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.server.stop()
        shutil.rmtree(self.server.directory, ignore_errors=True)
        self.cloud.network.release(self.server.address)
        self.cloud.addresses.release(self.server.address)

    def _names(self) -> list[str]:
        suffix = self.database.dbi_resource_id[3:15].lower()
        return [f"{self.database.db_instance_identifier}.{suffix}.{self.place.region}.rds.amazonaws.com"]

    def _group_name(self) -> str:
        with self.cloud.turn("rds"):
            return str(self.database.db_parameter_groups()[0].name)

    def _configure(self) -> None:
        major = int(str(self.database.engine_version).split(".")[0])
        told = parameters.settings(self.effective, major, LIBRARIES)
        standby = None
        if self.database.is_replica:
            standby = replication.settings(self.source.server if self.source else None, self.server, self.slot)
        forces_tls = parameters.forces_tls(self.effective, major)
        self.server.configure(told, forces_tls=forces_tls, standby=standby)

    def _run(self) -> None:
        while True:
            try:
                task = self._tasks.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                task = self._look_after
            if task is None:
                return
            try:
                task()
            except (ServerFailed, OSError, psycopg.Error, RuntimeError) as failure:
                _log.exception("DB instance %s", self.database.db_instance_identifier)
                # What was to come next counted on what failed.
                self._drop_tasks()
                is_refused = isinstance(failure, ServerFailed) and self.effective
                self.mark("incompatible-parameters" if is_refused else "failed")

    def _drop_tasks(self) -> None:
        while not self._tasks.empty():
            self._tasks.get_nowait()

    def _look_after(self) -> None:
        if self.database.status == "available" and not self.server.is_alive:
            _log.warning("DB instance %s: its server ended; starting it again", self.database.db_instance_identifier)
            self.restart()
        self._ship_log()
        self.observe(self)

    def _ship_log(self) -> None:
        if "postgresql" not in (self.database.enabled_cloudwatch_logs_exports or []):
            self._shipped = None
            return
        name = self.database.db_instance_identifier
        if self._shipped is None or self._shipped.stream != f"{name}.0":
            group = f"/aws/rds/instance/{name}/postgresql"
            ensure_group(self.cloud, self.place, group)
            self._shipped = ShippedLog(self.cloud, self.place, self.server.log, group, f"{name}.0")
        self._shipped.ship()
