from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.waiting import until

PASSWORD = "correct-horse-battery"


class Database:
    """A DB instance as a client sees it."""

    def __init__(self, cloud: LocalCloud, **wanted: Any) -> None:
        self.cloud = cloud
        self.rds = cloud.client("rds")
        self.name = f"db-{uuid.uuid4().hex[:8]}"
        given = {
            "DBInstanceIdentifier": self.name,
            "Engine": "postgres",
            "EngineVersion": "17",
            "DBInstanceClass": "db.t4g.small",
            "AllocatedStorage": 20,
            "MasterUsername": "keeper",
            "MasterUserPassword": PASSWORD,
            "DBName": "tracking",
            "BackupRetentionPeriod": 0,
            **wanted,
        }
        self.created = self.rds.create_db_instance(**{k: v for k, v in given.items() if v is not None})["DBInstance"]

    def describe(self) -> Any:
        return self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0]

    def available(self) -> Any:
        return until(self.describe, lambda seen: seen["DBInstanceStatus"] == "available", 60)

    def connect(
        self, password: str = PASSWORD, sslmode: str = "verify-full", **options: Any
    ) -> psycopg.Connection[Any]:
        endpoint = self.describe()["Endpoint"]
        given = {"user": "keeper", "dbname": "tracking", **options}
        return psycopg.connect(
            host=endpoint["Address"],
            port=endpoint["Port"],
            password=password,
            sslmode=sslmode,
            sslrootcert=str(self.cloud.context.authority.certificate_file),
            autocommit=True,
            **given,
        )

    def ask(self, query: str, **options: Any) -> Any:
        with self.connect(**options) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    def delete(self) -> None:
        self.rds.delete_db_instance(DBInstanceIdentifier=self.name, SkipFinalSnapshot=True)
        until(self.exists, lambda exists: not exists)

    def exists(self) -> bool:
        try:
            self.describe()
        except self.rds.exceptions.DBInstanceNotFoundFault:
            return False
        return True


@pytest.fixture(scope="module")
def database(cloud: LocalCloud) -> Iterator[Database]:
    database = Database(cloud)
    database.available()
    yield database
    database.delete()


@pytest.fixture
def group(cloud: LocalCloud) -> str:
    name = f"group-{uuid.uuid4().hex[:8]}"
    cloud.client("rds").create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres17", Description="of a test"
    )
    return name


def set_parameter(cloud: LocalCloud, group: str, name: str, value: str, method: str = "immediate") -> None:
    parameter = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
    cloud.client("rds").modify_db_parameter_group(DBParameterGroupName=group, Parameters=[parameter])


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


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


@pytest.mark.corrects("rds.parameters")
@pytest.mark.parametrize(
    ("name", "value", "method", "code", "message"),
    [
        ("no_such_parameter", "1", "immediate", "InvalidParameterValue", "Could not find parameter with name: no_such"),
        ("max_connections", "100", "immediate", "InvalidParameterCombination", "cannot use immediate apply method"),
        ("max_connections", "many", "pending-reboot", "InvalidParameterValue", "allowed values are: 1-262143"),
        ("rds.force_ssl", "perhaps", "immediate", "InvalidParameterValue", "allowed values are: 0,1"),
        ("fsync", "0", "immediate", "InvalidParameterValue", "cannot be modified"),
    ],
)
def test_a_parameter_that_rds_would_not_take_is_refused(
    cloud: LocalCloud, group: str, name: str, value: str, method: str, code: str, message: str
) -> None:
    with pytest.raises(ClientError) as error:
        set_parameter(cloud, group, name, value, method)
    assert refused(error)[0] == code
    assert message in refused(error)[1]


@pytest.mark.corrects("rds.parameters-described")
def test_the_parameters_of_a_group_are_the_engine_s_with_those_a_user_set(cloud: LocalCloud, group: str) -> None:
    set_parameter(cloud, group, "log_min_duration_statement", "500")
    pages = cloud.client("rds").get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
    found = {parameter["ParameterName"]: parameter for page in pages for parameter in page["Parameters"]}

    assert found["log_min_duration_statement"]["ParameterValue"] == "500"
    assert found["log_min_duration_statement"]["Source"] == "user"
    assert found["max_connections"]["Source"] == "engine-default"
    assert found["max_connections"]["ApplyType"] == "static"
    chosen = cloud.client("rds").describe_db_parameters(DBParameterGroupName=group, Source="user")["Parameters"]
    assert [parameter["ParameterName"] for parameter in chosen] == ["log_min_duration_statement"]


@pytest.mark.corrects("rds.parameter-apply-status", "rds.parameters")
def test_a_dynamic_parameter_is_in_force_at_once_and_a_static_one_after_a_reboot(cloud: LocalCloud, group: str) -> None:
    set_parameter(cloud, group, "work_mem", "8192")
    database = Database(cloud, DBParameterGroupName=group)
    database.available()
    assert database.ask("show work_mem") == "8MB"

    set_parameter(cloud, group, "work_mem", "16384")
    until(lambda: database.ask("show work_mem"), lambda seen: seen == "16MB", 5)
    set_parameter(cloud, group, "max_connections", "37", "pending-reboot")
    assert database.describe()["DBParameterGroups"] == [
        {"DBParameterGroupName": group, "ParameterApplyStatus": "pending-reboot"}
    ]
    assert database.ask("show max_connections") != "37"

    cloud.client("rds").reboot_db_instance(DBInstanceIdentifier=database.name)
    database.available()
    assert database.ask("show max_connections") == "37"
    assert database.describe()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    database.delete()


def test_sessions_without_tls_are_taken_where_the_parameter_says_so(cloud: LocalCloud, group: str) -> None:
    set_parameter(cloud, group, "rds.force_ssl", "0")
    database = Database(cloud, DBParameterGroupName=group)
    database.available()

    assert database.ask("select 1", sslmode="disable") == 1
    set_parameter(cloud, group, "rds.force_ssl", "1")

    def taken() -> bool:
        try:
            return bool(database.ask("select 1", sslmode="disable"))
        except psycopg.OperationalError:
            return False

    assert until(taken, lambda seen: not seen) is False
    database.delete()


@pytest.mark.corrects("rds.managed-master-secret")
def test_a_managed_master_password_opens_the_database_and_goes_with_it(cloud: LocalCloud) -> None:
    database = Database(cloud, MasterUserPassword=None, ManageMasterUserPassword=True)
    secret = database.available()["MasterUserSecret"]
    assert secret["SecretStatus"] == "active"
    secrets = cloud.client("secretsmanager")
    given = json.loads(secrets.get_secret_value(SecretId=secret["SecretArn"])["SecretString"])
    assert given["username"] == "keeper"
    assert database.ask("select 1", password=given["password"]) == 1

    cloud.client("rds").modify_db_instance(
        DBInstanceIdentifier=database.name, RotateMasterUserPassword=True, ApplyImmediately=True
    )
    database.available()
    rotated = json.loads(secrets.get_secret_value(SecretId=secret["SecretArn"])["SecretString"])
    assert rotated["password"] != given["password"]
    assert database.ask("select 1", password=rotated["password"]) == 1

    database.delete()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.get_secret_value(SecretId=secret["SecretArn"])


@pytest.mark.corrects("rds.modification")
def test_a_modification_waits_unless_applied_immediately_and_a_new_password_is_one(cloud: LocalCloud) -> None:
    database = Database(cloud)
    database.available()
    rds = cloud.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier=database.name, DBInstanceClass="db.m7g.large")
    seen = database.available()
    assert seen["DBInstanceClass"] == "db.t4g.small"
    assert seen["PendingModifiedValues"] == {"DBInstanceClass": "db.m7g.large"}

    rds.modify_db_instance(
        DBInstanceIdentifier=database.name, DBInstanceClass="db.m7g.large", DBPortNumber=6000, ApplyImmediately=True
    )
    seen = database.available()
    assert (seen["DBInstanceClass"], seen["PendingModifiedValues"], seen["Endpoint"]["Port"]) == (
        "db.m7g.large",
        {},
        6000,
    )

    rds.modify_db_instance(DBInstanceIdentifier=database.name, MasterUserPassword="another-password")
    database.available()
    assert database.ask("select 1", password="another-password") == 1
    with pytest.raises(psycopg.OperationalError):
        database.connect()
    database.delete()


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
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=restored, DBSnapshotIdentifier=snapshot)
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


def test_what_this_cloud_cannot_run_is_refused_rather_than_pretended(cloud: LocalCloud, database: Database) -> None:
    with pytest.raises(ClientError, match="neither read replicas nor clusters"):
        cloud.client("rds").create_db_instance_read_replica(
            DBInstanceIdentifier=f"{database.name}-replica", SourceDBInstanceIdentifier=database.name
        )
    with pytest.raises(ClientError, match="neither read replicas nor clusters"):
        cloud.client("rds").create_db_cluster(
            DBClusterIdentifier="cluster",
            Engine="aurora-postgresql",
            MasterUsername="keeper",
            MasterUserPassword=PASSWORD,
        )


def test_a_second_instance_of_the_same_name_is_refused(cloud: LocalCloud, database: Database) -> None:
    with pytest.raises(ClientError, match="DBInstanceAlreadyExists"):
        Database(cloud, DBInstanceIdentifier=database.name)


def test_the_server_s_log_is_exported_without_the_master_s_password(cloud: LocalCloud, group: str) -> None:
    set_parameter(cloud, group, "log_statement", "all")
    database = Database(cloud, EnableCloudwatchLogsExports=["postgresql"], DBParameterGroupName=group)
    database.available()
    database.ask("select 'what a client says is logged'")

    def messages() -> str:
        try:
            events = cloud.client("logs").get_log_events(
                logGroupName=f"/aws/rds/instance/{database.name}/postgresql", logStreamName=f"{database.name}.0"
            )
        except ClientError:
            return ""
        return "\n".join(event["message"] for event in events["events"])

    seen = until(messages, lambda seen: "what a client says is logged" in seen)
    assert "database system is ready to accept connections" in seen
    assert PASSWORD not in seen
    database.delete()
