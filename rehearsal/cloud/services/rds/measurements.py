"""What RDS measures of replication and publishes in CloudWatch.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from rehearsal.cloud.services.cloudwatch import CloudWatch
from rehearsal.cloud.services.rds import replication

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext
    from rehearsal.cloud.services.rds.instance import Instance

_log = logging.getLogger(__name__)
_PUBLISH_EVERY = 5.0
_HEARTBEAT_EVERY = 300.0
"""RDS commits a transaction of its own so often, which is why the lag of an idle source stays within five minutes."""
_PATIENCE = 15.0
"""Seconds without a stream after which replication is in error; a source's reboot takes less."""

_OF_STANDBY = """
select exists (select from pg_stat_wal_receiver where status = 'streaming'),
       extract(epoch from now() - pg_last_xact_replay_timestamp())::float8
"""
_OF_SOURCE = """
select coalesce((select max(pg_wal_lsn_diff(
                     case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
                     restart_lsn)) from pg_replication_slots), -1)::float8,
       (select sum(size) from pg_ls_waldir())::float8
"""
_Value = tuple[str, float, str]


@dataclass
class _Watched:
    """What is remembered of an instance between two looks; times are of the monotonic clock."""

    connection: psycopg.Connection[tuple[object, ...]] | None = None
    published: float = 0.0
    beaten: float = 0.0
    streamed: float = field(default_factory=time.monotonic)


class Measurements:
    """Looks at the servers that replicate; each instance is looked at by its own thread alone."""

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud
        self._watched: dict[Instance, _Watched] = {}

    def take(self, instance: Instance, replicas: Sequence[Instance]) -> None:
        """Note how a replica fares, and publish what is due of a replica or a source; nothing of a server at rest."""
        is_replica = instance.database.is_replica
        if instance.database.status != "available" or not (is_replica or replicas or instance in self._watched):
            return
        watched = self._watched.setdefault(instance, _Watched())
        try:
            values = self._of_standby(instance, watched) if is_replica else self._of_primary(instance, watched)
            now = time.monotonic()
            if now - watched.published >= _PUBLISH_EVERY:
                watched.published = now
                self._publish(instance, values + self._of_source(instance, watched, replicas))
        except psycopg.Error as failure:
            _log.warning("DB instance %s is not measured: %s", instance.database.db_instance_identifier, failure)

    def _publish(self, instance: Instance, values: Sequence[_Value]) -> None:
        database = instance.database
        self._cloud.service(CloudWatch).record(
            database.account_id,
            database.region,
            "AWS/RDS",
            [("DBInstanceIdentifier", database.db_instance_identifier)],
            values,
        )

    def forget(self, instance: Instance) -> None:
        """Let go of an instance that is deleted."""
        watched = self._watched.pop(instance, None)
        if watched is not None and watched.connection is not None:
            watched.connection.close()

    def _of_standby(self, instance: Instance, watched: _Watched) -> list[_Value]:
        row = _ask(instance, watched, _OF_STANDBY)
        now = time.monotonic()
        streams, lag = row if row is not None else (False, None)
        if streams:
            watched.streamed = now
        if instance.source is not None:
            instance.replication = "replicating" if now - watched.streamed < _PATIENCE else "error"
        # Nothing was replayed yet, so nothing is known.
        return [] if lag is None else [("ReplicaLag", max(0.0, float(str(lag))), "Seconds")]

    def _of_source(self, instance: Instance, watched: _Watched, replicas: Sequence[Instance]) -> list[_Value]:
        row = _ask(instance, watched, _OF_SOURCE)
        if row is None or watched.connection is None:
            return []
        replication.drop_slots(watched.connection, [replica.slot for replica in replicas])
        if not replicas:
            return []
        slots = instance.server.data / "pg_replslot"
        used = sum(file.stat().st_size for file in slots.rglob("*") if file.is_file())
        return [
            ("OldestReplicationSlotLag", float(str(row[0])), "Bytes"),
            ("TransactionLogsDiskUsage", float(str(row[1])), "Bytes"),
            ("ReplicationSlotDiskUsage", float(used), "Bytes"),
        ]

    @staticmethod
    def _of_primary(instance: Instance, watched: _Watched) -> list[_Value]:
        now = time.monotonic()
        if now - watched.beaten >= _HEARTBEAT_EVERY and _ask(instance, watched, "select pg_current_xact_id()"):
            watched.beaten = now
        return []


def _ask(instance: Instance, watched: _Watched, query: str) -> tuple[object, ...] | None:
    """Return the first row of an answer, None while the server gives none; the connection is kept for the next."""
    try:
        if watched.connection is None or watched.connection.closed:
            watched.connection = instance.server.connect() if instance.server.is_alive else None
        return watched.connection.execute(query.encode()).fetchone() if watched.connection else None
    except psycopg.OperationalError:
        watched.connection = None
        return None
