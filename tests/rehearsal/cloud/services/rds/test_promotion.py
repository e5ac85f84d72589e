from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.rds import measurements
from tests.rehearsal.cloud.networks import workstation_group
from tests.rehearsal.cloud.services.rds.database import Database, refused
from tests.rehearsal.cloud.services.rds.replicas import ELSEWHERE, Replica, backed_up, slots
from tests.rehearsal.cloud.waiting import until

Replicate = Callable[..., Replica]


@pytest.mark.corrects("rds.promotion")
def test_a_promoted_replica_writes_on_a_timeline_of_its_own_and_follows_nobody(
    source: Database, replicate: Replicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurements, "_PUBLISH_EVERY", 0.5)
    replica = replicate(region=ELSEWHERE)
    replica.available()
    replica.follows()
    answer = replica.rds.promote_read_replica(DBInstanceIdentifier=replica.name, BackupRetentionPeriod=5)
    assert answer["DBInstance"]["DBInstanceStatus"] == "modifying"

    seen = replica.available()
    assert "ReadReplicaSourceDBInstanceIdentifier" not in seen
    assert not seen.get("StatusInfos")
    assert seen["BackupRetentionPeriod"] == 5
    assert replica.writes()
    assert replica.ask("select timeline_id from pg_control_checkpoint()") == 2
    assert replica.ask("select count(*) > 0 from marks") is True
    assert source.describe()["ReadReplicaDBInstanceIdentifiers"] == []
    until(lambda: slots(source), lambda left: left == [])
    kinds = {"DBInstanceIdentifier": replica.name, "SnapshotType": "automated"}
    assert len(replica.rds.describe_db_snapshots(**kinds)["DBSnapshots"]) == 1

    with pytest.raises(ClientError) as error:
        replica.rds.promote_read_replica(DBInstanceIdentifier=replica.name)
    assert refused(error) == ("InvalidDBInstanceState", f"DB Instance {replica.name} is not a read replica.")


def test_only_an_available_replica_is_promoted(source: Database, replicate: Replicate) -> None:
    replica = replicate()
    with pytest.raises(ClientError, match="not in available state"):
        replica.rds.promote_read_replica(DBInstanceIdentifier=replica.name)
    replica.available()
    with pytest.raises(ClientError, match="is not a read replica"):
        source.rds.promote_read_replica(DBInstanceIdentifier=source.name)
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        source.rds.promote_read_replica(DBInstanceIdentifier="nobody")


def test_a_promoted_replica_can_have_replicas_itself(replicate: Replicate) -> None:
    promoted = replicate(region=ELSEWHERE)
    promoted.available()
    promoted.rds.promote_read_replica(DBInstanceIdentifier=promoted.name)
    promoted.available()
    back = replicate(promoted, "eu-west-1")
    back.available()
    back.follows()
    back.delete()


def test_when_a_source_is_deleted_replicas_beside_it_are_promoted_and_those_elsewhere_are_not(
    cloud: LocalCloud, replicate: Replicate
) -> None:
    source = backed_up(cloud)
    here, there = replicate(source), replicate(source, ELSEWHERE)
    for replica in (here, there):
        replica.available()
        replica.follows()
    with source.connect() as connection:
        connection.execute("insert into marks values ('the last')")
    source.delete()

    until(here.describe, lambda seen: "ReadReplicaSourceDBInstanceIdentifier" not in seen)
    here.available()
    assert here.writes()
    found = until(lambda: there.describe()["StatusInfos"], lambda seen: not seen[0]["Normal"])
    assert found[0]["Status"] == "terminated"
    assert there.has("the last")
    assert not there.writes()

    there.rds.promote_read_replica(DBInstanceIdentifier=there.name)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in there.available()
    assert there.writes()


def test_a_replica_leaves_no_final_snapshot_nor_slot_and_is_protected_like_any_instance(
    source: Database, replicate: Replicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurements, "_PUBLISH_EVERY", 0.5)
    replica = replicate(DeletionProtection=True)
    replica.available()
    with pytest.raises(ClientError, match="Cannot delete protected DB Instance"):
        replica.rds.delete_db_instance(DBInstanceIdentifier=replica.name, SkipFinalSnapshot=True)
    replica.rds.modify_db_instance(DBInstanceIdentifier=replica.name, DeletionProtection=False)
    replica.available()
    with pytest.raises(ClientError, match="FinalDBSnapshotIdentifier can not be specified when deleting a replica"):
        replica.rds.delete_db_instance(DBInstanceIdentifier=replica.name, FinalDBSnapshotIdentifier="last-words")

    replica.delete()
    assert source.describe()["ReadReplicaDBInstanceIdentifiers"] == []
    until(lambda: slots(source), lambda left: left == [])


def test_a_snapshot_of_a_replica_restores_to_an_instance_that_writes(replicate: Replicate) -> None:
    replica = replicate()
    replica.available()
    replica.follows()
    snapshot, restored = f"{replica.name}-snapshot", f"{replica.name}-restored"
    replica.rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=replica.name)
    until(
        lambda: replica.rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"][0]["Status"],
        lambda status: bool(status == "available"),
    )
    replica.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=restored,
        DBSnapshotIdentifier=snapshot,
        VpcSecurityGroupIds=[workstation_group(replica.cloud, replica.rds.meta.region_name)],
    )
    replica.name, original = restored, replica.name
    assert "ReadReplicaSourceDBInstanceIdentifier" not in replica.available()
    assert replica.writes()
    assert replica.ask("select count(*) > 0 from marks") is True
    replica.delete()
    replica.name = original
    replica.rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)
