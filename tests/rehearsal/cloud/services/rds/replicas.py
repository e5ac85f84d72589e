"""Read replicas as a client makes and sees them, and a source that a file's tests share."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import workstation_group
from tests.rehearsal.cloud.services.rds.database import Database
from tests.rehearsal.cloud.waiting import until

ELSEWHERE = "eu-central-1"


class Replica(Database):
    """A read replica of `source`, in its region or in another."""

    def __init__(self, source: Database, region: str | None = None, **wanted: Any) -> None:
        self.cloud = source.cloud
        self.source = source
        self.rds = self.cloud.client("rds", region_name=region or self.cloud.region)
        self.name = f"replica-{uuid.uuid4().hex[:8]}"
        named = source.describe()
        origin = named["DBInstanceIdentifier"] if region is None else named["DBInstanceArn"]
        groups = [workstation_group(self.cloud, region)]
        given = {"DBInstanceIdentifier": self.name, "SourceDBInstanceIdentifier": origin, "VpcSecurityGroupIds": groups}
        self.created = self.rds.create_db_instance_read_replica(**{**given, **wanted})["DBInstance"]

    def follows(self, seconds: float = 60.0) -> None:
        """Wait until a row of now, written through the source, is read here."""
        mark = uuid.uuid4().hex
        with self.source.connect() as connection:
            connection.execute("create table if not exists marks (mark text)")
            connection.execute("insert into marks values (%s)", [mark])
        until(lambda: self.has(mark), bool, seconds)

    def has(self, mark: str) -> bool:
        try:
            return bool(self.ask(f"select exists (select from marks where mark = '{mark}')"))
        except psycopg.Error:
            return False

    def writes(self) -> bool:
        try:
            with self.connect() as connection:
                connection.execute("create table if not exists written (here int)")
        except psycopg.errors.ReadOnlySqlTransaction:
            return False
        return True


def backed_up(cloud: LocalCloud, **wanted: Any) -> Database:
    """Return an available instance that may have replicas."""
    database = Database(cloud, BackupRetentionPeriod=1, **wanted)
    database.available()
    return database


def slots(source: Database) -> list[tuple[str, bool]]:
    """Return the replication slots of an instance, and whether a standby is reading each."""
    with source.connect() as connection:
        return connection.execute("select slot_name, active from pg_replication_slots order by 1").fetchall()
