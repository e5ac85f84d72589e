from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.processes import Process
from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.rds import measurements
from rehearsal.cloud.services.rds.postgres import PostgresServer
from rehearsal.cloud.services.rds.service import Rds
from tests.rehearsal.cloud.services.rds.database import Database
from tests.rehearsal.cloud.services.rds.replicas import ELSEWHERE, Replica, backed_up, slots
from tests.rehearsal.cloud.waiting import until

Replicate = Callable[..., Replica]
REPLICATING = [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]


def server_of(database: Database) -> PostgresServer:
    """Return the server behind an instance, for what RDS's own administrator may do and a client may not."""
    service = database.cloud.context.service(Rds)
    resource_id = database.describe()["DbiResourceId"]
    return next(one.server for one in service.fleet.instances() if one.database.dbi_resource_id == resource_id)


def process_of(database: Database) -> Process:
    process = server_of(database).process
    assert process is not None
    return process


@pytest.fixture
def replica(replicate: Replicate) -> Replica:
    made = replicate(region=ELSEWHERE)
    made.available()
    return made


def pid_of_receiver(replica: Replica) -> int:
    """Return the process of a standby that reads its source's log."""
    with server_of(replica).connect() as administrator:
        row = administrator.execute("select pid from pg_stat_wal_receiver").fetchone()
    assert row is not None
    return int(str(row[0]))


def lags(cloud: LocalCloud, database: Database, metric: str = "ReplicaLag") -> list[float]:
    """Return the newest minute's greatest and least value, nothing before there is one."""
    now = datetime.now(UTC)
    found = cloud.client("cloudwatch", region_name=database.rds.meta.region_name).get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName=metric,
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": database.name}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum", "Minimum"],
    )["Datapoints"]
    newest = sorted(found, key=lambda point: point["Timestamp"])[-1:]
    return [value for point in newest for value in (point["Maximum"], point["Minimum"])]


def test_the_lag_is_the_age_of_what_was_replayed_last(
    cloud: LocalCloud, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurements, "_PUBLISH_EVERY", 0.5)
    replica.follows()
    until(lambda: lags(cloud, replica), lambda seen: bool(seen) and seen[1] < 2.0)

    with server_of(replica).connect() as administrator:
        administrator.execute("select pg_wal_replay_pause()")
        with replica.source.connect() as connection:
            connection.execute("insert into marks values ('while paused')")
        assert until(lambda: lags(cloud, replica), lambda seen: max(seen) > 3.0)
        assert not replica.has("while paused")
        administrator.execute("select pg_wal_replay_resume()")
    until(lambda: replica.has("while paused"), bool)


def test_the_lag_of_an_idle_source_s_replica_grows_no_further_than_to_the_next_heartbeat(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replayed_last() -> Any:
        with server_of(replica).connect() as administrator:
            row = administrator.execute("select pg_last_xact_replay_timestamp()").fetchone()
        return None if row is None else row[0]

    replica.follows()
    before = until(replayed_last, bool)
    time.sleep(1.5)
    assert replayed_last() == before
    monkeypatch.setattr(measurements, "_HEARTBEAT_EVERY", 0.5)
    until(replayed_last, lambda seen: bool(seen > before))


def test_a_source_publishes_how_much_log_its_replicas_keep_it_from_dropping(
    cloud: LocalCloud, source: Database, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurements, "_PUBLISH_EVERY", 0.5)
    receiver = pid_of_receiver(replica)
    os.kill(receiver, signal.SIGSTOP)
    try:
        with source.connect() as connection:
            connection.execute("create table bulk as select repeat('x', 1000) from generate_series(1, 5000)")
        until(lambda: lags(cloud, source, "OldestReplicationSlotLag"), lambda seen: max(seen, default=0.0) > 3_000_000)
    finally:
        os.kill(receiver, signal.SIGCONT)
    assert lags(cloud, source, "TransactionLogsDiskUsage")[0] >= 16 * 1024**2
    assert lags(cloud, source, "ReplicationSlotDiskUsage")[0] > 0


@pytest.mark.corrects("rds.replication-status")
def test_a_replica_says_that_it_follows_and_a_source_says_nothing(source: Database, replica: Replica) -> None:
    assert replica.describe()["StatusInfos"] == REPLICATING
    assert not source.describe().get("StatusInfos")


def test_a_replica_that_cannot_reach_its_source_says_so_until_it_can(
    source: Database, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurements, "_PATIENCE", 1.0)
    with server_of(source).connect() as administrator:
        administrator.execute("alter role rdsrepladmin nologin")
        administrator.execute("select pg_terminate_backend(pid) from pg_stat_replication")
        found = until(lambda: replica.describe()["StatusInfos"], lambda seen: not seen[0]["Normal"])
        assert (found[0]["Status"], found[0]["Message"]) == ("error", "Streaming replication has stopped.")
        assert replica.ask("select 1") == 1
        administrator.execute("alter role rdsrepladmin login")
    until(lambda: replica.describe()["StatusInfos"], lambda seen: seen == REPLICATING)
    replica.follows()


def test_a_standby_is_readable_while_its_source_is_down_and_follows_it_again(
    source: Database, replica: Replica
) -> None:
    replica.follows()
    os.kill(process_of(source).pid, signal.SIGKILL)
    assert replica.ask("select count(*) > 0 from marks") is True

    def answers() -> bool:
        try:
            return bool(source.ask("select 1"))
        except psycopg.OperationalError:
            return False

    until(answers, bool)
    replica.follows()
    assert replica.describe()["StatusInfos"] == REPLICATING


def test_a_killed_standby_is_started_again_as_one(replica: Replica) -> None:
    os.kill(process_of(replica).pid, signal.SIGKILL)
    replica.follows()
    assert not replica.writes()


def test_replication_goes_on_after_reboots_of_either_side(source: Database, replica: Replica) -> None:
    for database in (replica, source):
        database.rds.reboot_db_instance(DBInstanceIdentifier=database.name)
        assert database.describe()["DBInstanceStatus"] == "rebooting"
        database.available()
        replica.follows()


def test_replication_goes_on_after_a_failover_and_a_change_of_port_of_the_source(
    cloud: LocalCloud, replicate: Replicate
) -> None:
    source = backed_up(cloud, MultiAZ=True)
    replica = replicate(source)
    replica.available()
    source.rds.reboot_db_instance(DBInstanceIdentifier=source.name, ForceFailover=True)
    source.available()
    replica.follows()

    source.rds.modify_db_instance(DBInstanceIdentifier=source.name, DBPortNumber=6000, ApplyImmediately=True)
    assert until(source.available, lambda seen: seen["Endpoint"]["Port"] == 6000)
    replica.follows()
    replica.delete()
    source.delete()


@pytest.fixture
def cascade(cloud: LocalCloud, replicate: Replicate) -> Iterator[tuple[Database, Replica, Replica]]:
    source = backed_up(cloud)
    middle = replicate(source)
    middle.available()
    middle.rds.modify_db_instance(DBInstanceIdentifier=middle.name, BackupRetentionPeriod=1)
    middle.available()
    last = replicate(middle, ELSEWHERE)
    last.available()
    yield source, middle, last
    last.delete()
    middle.delete()
    source.delete()


def test_a_replica_of_a_replica_has_what_the_first_source_wrote(cascade: tuple[Database, Replica, Replica]) -> None:
    source, middle, last = cascade
    with source.connect() as connection:
        connection.execute("create table far as select 7 as answer")

    def answer() -> Any:
        try:
            return last.ask("select answer from far")
        except psycopg.Error:
            return None

    assert until(answer, lambda seen: seen is not None) == 7
    assert last.describe()["ReadReplicaSourceDBInstanceIdentifier"] == middle.describe()["DBInstanceArn"]
    assert [len(slots(one)) for one in (source, middle)] == [1, 1]


def test_neither_a_replica_nor_its_source_can_be_stopped(source: Database, replica: Replica) -> None:
    for database in (source, replica):
        with pytest.raises(ClientError, match="InvalidDBInstanceState"):
            database.rds.stop_db_instance(DBInstanceIdentifier=database.name)
        assert database.describe()["DBInstanceStatus"] == "available"
