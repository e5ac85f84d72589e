from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import workstation_group
from tests.rehearsal.cloud.services.rds.database import Database
from tests.rehearsal.cloud.waiting import until


@pytest.mark.corrects("rds.snapshots")
def test_a_snapshot_holds_the_data_of_its_moment(cloud: LocalCloud) -> None:
    database = Database(cloud)
    database.available()
    with database.connect() as connection:
        connection.execute("create table kept as select 'before' as moment")
    snapshot, restored = f"{database.name}-snapshot", f"{database.name}-restored"
    rds = cloud.client("rds")
    rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=database.name)

    def status() -> Any:
        return rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"][0]["Status"]

    until(status, lambda seen: seen == "available")
    with database.connect() as connection:
        connection.execute("update kept set moment = 'after'")
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=restored, DBSnapshotIdentifier=snapshot, VpcSecurityGroupIds=[workstation_group(cloud)]
    )
    database.name, original = restored, database.name
    database.available()
    assert database.ask("select moment from kept") == "before"
    database.delete()
    database.name = original
    database.delete()
    rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)


def test_a_deletion_leaves_a_final_snapshot_unless_told_otherwise_and_says_so(cloud: LocalCloud) -> None:
    database = Database(cloud, DeletionProtection=True)
    database.available()
    rds = cloud.client("rds")
    with pytest.raises(ClientError, match="Cannot delete protected DB Instance"):
        rds.delete_db_instance(DBInstanceIdentifier=database.name, SkipFinalSnapshot=True)
    rds.modify_db_instance(DBInstanceIdentifier=database.name, DeletionProtection=False)
    database.available()
    with pytest.raises(
        ClientError, match="FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified"
    ):
        rds.delete_db_instance(DBInstanceIdentifier=database.name)

    final = f"{database.name}-final"
    answer = rds.delete_db_instance(DBInstanceIdentifier=database.name, FinalDBSnapshotIdentifier=final)
    assert answer["DBInstance"]["DBInstanceStatus"] == "deleting"
    until(database.exists, lambda exists: not exists)
    assert rds.describe_db_snapshots(DBSnapshotIdentifier=final)["DBSnapshots"][0]["Status"] == "available"
    rds.delete_db_snapshot(DBSnapshotIdentifier=final)
