"""A DB instance lies in one region, and what belongs to it lies there too."""

from __future__ import annotations

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.rds.database import Database
from tests.rehearsal.cloud.waiting import until


def test_an_instance_of_another_region_is_named_and_logged_there(cloud: LocalCloud) -> None:
    database = Database(cloud, "eu-central-1", EnableCloudwatchLogsExports=["postgresql"])
    database.available()
    assert database.created["DBInstanceArn"].startswith("arn:aws:rds:eu-central-1:")
    assert database.ask("select current_database()") == "tracking"
    group = f"/aws/rds/instance/{database.name}/postgresql"
    there = cloud.client("logs", region_name="eu-central-1")
    until(lambda: there.describe_log_groups(logGroupNamePrefix=group)["logGroups"], bool)
    assert not cloud.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert database.created["DBInstanceArn"] in cloud.inventory()["rds"]
    assert database.name not in str(cloud.client("rds").describe_db_instances()["DBInstances"])
    database.delete()
