"""Physical streaming replication between two PostgreSQL servers, as RDS sets it up: one role, a slot for each standby.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PostgreSQL.Replication.ReadReplicas.Mechanisms-versions.html
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping

import psycopg

from rehearsal.cloud.services.rds.postgres import REPLICATOR, PostgresServer, ServerFailed

_SECONDS_FOR_PROMOTION = 60


def slot_name(region: str, resource_id: str) -> str:
    """Return the name of the slot that a standby has on its source, made as RDS makes it from the standby's own."""
    return f"rds_{region}_{resource_id}".replace("-", "_").lower()


def clone(source: PostgresServer, standby: PostgresServer, slot: str, names: list[str]) -> None:
    """Make `standby` out of a base backup of `source`, whose log `slot` keeps from now on; `source` must run.

    Raises ServerFailed and psycopg.OperationalError.
    """
    with source.connect() as connection:
        connection.execute(
            "select pg_create_physical_replication_slot(%(slot)s, true) "
            "where not exists (select from pg_replication_slots where slot_name = %(slot)s)",
            {"slot": slot},
        )
    shutil.rmtree(standby.directory, ignore_errors=True)
    source.copy_to(standby.directory, slot)
    standby.certify(names)


def settings(source: PostgresServer | None, standby: PostgresServer, slot: str) -> Mapping[str, str]:
    """Return what tells a standby to follow `source`; without one it stays at what it has."""
    if source is None:
        return {}
    words = {
        "host": source.socket,
        "port": str(source.port),
        "user": REPLICATOR,
        "passfile": str(standby.directory / "replicator"),
        "application_name": slot,
    }
    return {
        "primary_conninfo": " ".join(f"{word}='{_escaped(value)}'" for word, value in words.items()),
        "primary_slot_name": slot,
    }


def promote(standby: PostgresServer) -> None:
    """Have a standby end its recovery and begin a timeline of its own. Raises ServerFailed."""
    with standby.connect() as connection:
        row = connection.execute("select pg_promote(true, %s)", [_SECONDS_FOR_PROMOTION]).fetchone()
    if row != (True,):
        raise ServerFailed(f"PostgreSQL was not promoted within {_SECONDS_FOR_PROMOTION} s")


def drop_slots(connection: psycopg.Connection[tuple[object, ...]], kept: Collection[str]) -> None:
    """Drop a source's slots of standbys that are no more: each would keep the log for ever."""
    connection.execute(
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots "
        "where slot_type = 'physical' and not active and not temporary and slot_name <> all (%s)",
        [list(kept)],
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
