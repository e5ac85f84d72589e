from __future__ import annotations

import json
import uuid

import psycopg
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.rds.database import PASSWORD, Database, set_parameter
from tests.rehearsal.cloud.waiting import until


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


@pytest.mark.corrects("rds.subnet-group")
def test_a_subnet_group_that_is_modified_stays(cloud: LocalCloud) -> None:
    found = cloud.client("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])
    subnets = [one["SubnetId"] for one in found["Subnets"][:2]]
    rds, name = cloud.client("rds"), f"group-{uuid.uuid4().hex[:8]}"
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="Made by hand", SubnetIds=subnets)
    rds.modify_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="Adopted", SubnetIds=subnets)
    (group,) = rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
    assert group["DBSubnetGroupDescription"] == "Adopted"
    assert {one["SubnetIdentifier"] for one in group["Subnets"]} == set(subnets)
    with pytest.raises(ClientError, match="DBSubnetGroupNotFound"):
        rds.modify_db_subnet_group(DBSubnetGroupName=f"{name}-not", SubnetIds=subnets)


@pytest.mark.corrects("rds.modification")
def test_an_instance_gets_no_other_major_version_or_subnet_group_in_passing(cloud: LocalCloud) -> None:
    found = cloud.client("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])
    subnets = [one["SubnetId"] for one in found["Subnets"][:2]]
    rds, names = cloud.client("rds"), [f"group-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="Two zones", SubnetIds=subnets)
    database = Database(cloud, EngineVersion="16", DBSubnetGroupName=names[0])
    database.available()

    def modify(**changed: object) -> None:
        rds.modify_db_instance(DBInstanceIdentifier=database.name, ApplyImmediately=True, **changed)

    with pytest.raises(ClientError, match="AllowMajorVersionUpgrade flag must be present"):
        modify(EngineVersion="18")
    with pytest.raises(ClientError, match="Cannot upgrade postgres from 16"):
        modify(EngineVersion="15", AllowMajorVersionUpgrade=True)
    with pytest.raises(ClientError, match="InvalidVPCNetworkStateFault"):
        modify(DBSubnetGroupName=names[1])
    modify(DBSubnetGroupName=names[0], EngineVersion="18", AllowMajorVersionUpgrade=True)
    assert database.available()["EngineVersion"].startswith("18.")
    database.delete()


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
