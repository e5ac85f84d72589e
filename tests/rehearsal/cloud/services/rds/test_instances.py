from __future__ import annotations

import os
import signal
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.rds.requests import check_creation
from tests.rehearsal.cloud.services.rds.database import PASSWORD, Database, refused, subnet_group
from tests.rehearsal.cloud.waiting import until


@pytest.mark.corrects("rds.instance-is-a-server")
def test_an_instance_is_creating_without_an_endpoint_and_then_a_server_that_answers_at_it(cloud: LocalCloud) -> None:
    database = Database(cloud)
    assert database.created["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in database.created

    seen = database.available()
    assert seen["EngineVersion"].startswith("17.")
    assert seen["Endpoint"]["Address"].startswith("127.")
    assert seen["Endpoint"]["Port"] == 5432
    assert seen["DbiResourceId"] != "db-M5ENSHXFPU6XHZ4G4ZEI5QIO2U"
    assert database.ask("select current_database()") == "tracking"
    database.delete()


def test_two_instances_listen_on_the_same_port_at_different_addresses(cloud: LocalCloud, database: Database) -> None:
    other = Database(cloud, DBName=None)
    assert other.available()["Endpoint"]["Address"] != database.describe()["Endpoint"]["Address"]
    other.delete()


def test_the_master_user_is_no_superuser_but_an_rds_superuser(database: Database) -> None:
    assert database.ask("select rolsuper from pg_roles where rolname = current_user") is False
    assert database.ask("select pg_has_role('rds_superuser', 'member')") is True
    with database.connect() as connection:
        connection.execute("create database another")
        connection.execute("create role reader login password 'read-only-please'")
    assert database.ask("select 1", user="reader", password="read-only-please", dbname="another") == 1


def test_a_connection_without_tls_is_refused_as_rds_refuses_it(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba.conf entry .*no encryption"):
        database.connect(sslmode="disable")


def test_a_wrong_password_is_refused(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        database.connect(password="something-else")


def test_many_clients_move_large_rows_at_the_same_time(database: Database) -> None:
    connections = [database.connect() for _ in range(8)]
    for number, connection in enumerate(connections):
        connection.execute(f"create table large_{number} as select repeat('x', 4000000) as content".encode())
    for number, connection in enumerate(connections):
        row = connection.execute(f"select content from large_{number}".encode()).fetchone()
        assert row == ("x" * 4000000,)
        connection.close()


def test_a_killed_server_is_started_again_with_its_data(cloud: LocalCloud, database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create table kept as select 42 as answer")
    server = next(p for p in cloud.context.processes.alive() if database_of(p.program.arguments, database))
    os.kill(server.pid, signal.SIGKILL)

    def answer() -> Any:
        try:
            return database.ask("select answer from kept")
        except psycopg.OperationalError:
            return None

    assert until(answer, lambda seen: seen is not None) == 42


def database_of(arguments: Any, database: Database) -> bool:
    return arguments[0].endswith("/postgres") and database.describe()["DbiResourceId"] in arguments[2]


@pytest.mark.corrects("rds.restart")
def test_a_stopped_instance_does_not_answer_and_a_started_one_has_its_data(cloud: LocalCloud) -> None:
    database = Database(cloud)
    database.available()
    with database.connect() as connection:
        connection.execute("create table kept as select 1 as one")
    assert (
        cloud.client("rds").stop_db_instance(DBInstanceIdentifier=database.name)["DBInstance"]["DBInstanceStatus"]
        == "stopping"
    )
    until(database.describe, lambda seen: seen["DBInstanceStatus"] == "stopped")
    with pytest.raises(psycopg.OperationalError):
        database.connect()
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        cloud.client("rds").stop_db_instance(DBInstanceIdentifier=database.name)

    cloud.client("rds").start_db_instance(DBInstanceIdentifier=database.name)
    database.available()
    assert database.ask("select one from kept") == 1
    database.delete()


@pytest.mark.corrects("rds.failover")
def test_a_failover_cuts_clients_off_and_recovers_the_instance_in_its_other_zone(cloud: LocalCloud) -> None:
    database = Database(cloud, MultiAZ=True)
    before = database.available()
    zones = before["AvailabilityZone"], before["SecondaryAvailabilityZone"]
    assert zones[0] != zones[1]
    client = database.connect()
    client.execute("create table kept as select 42 as answer")

    answer = cloud.client("rds").reboot_db_instance(DBInstanceIdentifier=database.name, ForceFailover=True)
    assert answer["DBInstance"]["DBInstanceStatus"] == "rebooting"
    after = database.available()

    assert (after["SecondaryAvailabilityZone"], after["AvailabilityZone"]) == zones
    assert after["Endpoint"] == before["Endpoint"]
    with pytest.raises(psycopg.OperationalError):
        client.execute("select 1")
    assert database.ask("select answer from kept") == 42
    assert "database system was not properly shut down" in database_log(cloud, database)
    database.delete()


def database_log(cloud: LocalCloud, database: Database) -> str:
    server = next(p for p in cloud.context.processes.alive() if database_of(p.program.arguments, database))
    return server.log.read_text()


def test_a_multi_az_instance_moves_between_the_zones_of_its_subnets(cloud: LocalCloud) -> None:
    name, _ = subnet_group(cloud)
    database = Database(cloud, MultiAZ=True, DBSubnetGroupName=name)
    found = [database.available()]
    for _ in range(2):
        database.rds.reboot_db_instance(DBInstanceIdentifier=database.name, ForceFailover=True)
        found.append(database.available())
    zones = [(seen["AvailabilityZone"][-1], seen["SecondaryAvailabilityZone"][-1]) for seen in found]
    assert zones == [("b", "c"), ("c", "b"), ("b", "c")]
    database.delete()


def test_a_failover_without_a_second_zone_is_refused(cloud: LocalCloud, database: Database) -> None:
    with pytest.raises(ClientError, match="isn't configured for Multi-AZ"):
        cloud.client("rds").reboot_db_instance(DBInstanceIdentifier=database.name, ForceFailover=True)


def test_a_name_left_empty_is_no_name_of_a_database() -> None:
    asked = {"engine": "postgres", "db_instance_class": "db.t3.micro", "master_username": "keeper", "db_name": ""}
    check_creation({**asked, "master_user_password": PASSWORD})


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"Engine": "mysql"}, "InvalidParameterValue"),
        ({"EngineVersion": "9.6"}, "InvalidParameterCombination"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"MasterUserPassword": None}, "InvalidParameterValue"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination"),
        ({"DBInstanceClass": "large"}, "InvalidParameterValue"),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_nothing(cloud: LocalCloud, wanted: dict[str, Any], code: str) -> None:
    before = cloud.inventory()["rds"]
    with pytest.raises(ClientError) as error:
        Database(cloud, **wanted)
    assert refused(error)[0] == code
    assert cloud.inventory()["rds"] == before


def test_what_this_cloud_cannot_run_is_refused_rather_than_pretended(cloud: LocalCloud) -> None:
    with pytest.raises(ClientError, match="runs DB instances, and no clusters"):
        cloud.client("rds").create_db_cluster(
            DBClusterIdentifier="cluster",
            Engine="aurora-postgresql",
            MasterUsername="keeper",
            MasterUserPassword=PASSWORD,
        )


def test_a_second_instance_of_the_same_name_is_refused(cloud: LocalCloud, database: Database) -> None:
    with pytest.raises(ClientError, match="DBInstanceAlreadyExists"):
        Database(cloud, DBInstanceIdentifier=database.name)
