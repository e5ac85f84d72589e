"""The runner's client and its image: a database is asked by a task inside of the network, in any region."""

from __future__ import annotations

import itertools
import json
import re
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from components.runner import CONTAINER_NAME, DATABASE_AUTHORITIES, ENTRY_POINT, HTTP_AUTHORITIES
from interlock.aws.runner import RunnerClient
from interlock.failures import BadInput, Failure, OutsideFailure, Refusal
from interlock.manifest_parts import RunnerPart
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.roles import granting
from tests.rehearsal.cloud.waiting import until

PASSWORD = "correct-horse-battery"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True)
class Region:
    """A network of one region: a group that databases admit, and all that a runner needs."""

    cloud: LocalCloud
    name: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    database_group: str
    client_group: str

    def client(self, service: str) -> Any:
        return self.cloud.client(service, region_name=self.name)


def region_of(cloud: LocalCloud, name: str) -> Region:
    ec2 = cloud.client("ec2", region_name=name)
    vpc = ec2.create_vpc(CidrBlock="10.31.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.31.{16 * number}.0/20", AvailabilityZone=f"{name}{zone}")
        for number, zone in enumerate("ab")
    ]
    database, client = (
        ec2.create_security_group(GroupName=f"{one}-{uuid.uuid4().hex[:8]}", Description=one, VpcId=vpc)["GroupId"]
        for one in ("database", "client")
    )
    pair = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": client}]}
    # The test itself writes into the database, from outside of the network.
    here = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[pair, here])
    subnet_ids = tuple(one["Subnet"]["SubnetId"] for one in subnets)
    _lead_to_services(ec2, name, vpc, subnet_ids)
    return Region(cloud, name, vpc, subnet_ids, database, client)


def _lead_to_services(ec2: Any, region: str, vpc: str, subnet_ids: tuple[str, ...]) -> None:
    """Make the endpoints that a task needs to be started where there is no way to the internet."""
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    group = ec2.create_security_group(GroupName=f"services-{uuid.uuid4().hex[:8]}", Description="services", VpcId=vpc)
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.31.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[https])
    for service in ("ecr.api", "ecr.dkr", "logs", "secretsmanager"):
        ec2.create_vpc_endpoint(
            VpcEndpointType="Interface",
            VpcId=vpc,
            ServiceName=f"com.amazonaws.{region}.{service}",
            SubnetIds=list(subnet_ids),
            SecurityGroupIds=[group["GroupId"]],
            PrivateDnsEnabled=True,
        )
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_vpc_endpoint(
        VpcEndpointType="Gateway",
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{region}.s3",
        RouteTableIds=[one["RouteTableId"] for one in tables],
    )


@pytest.fixture(scope="module")
def role(cloud: LocalCloud) -> str:
    created = cloud.client("iam").create_role(
        RoleName=f"runner-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    arn = str(created["Role"]["Arn"])
    granting(cloud, arn, "secretsmanager:GetSecretValue")
    return arn


def runner_in(region: Region, role: str, targets: dict[str, Any], **clock: Any) -> RunnerClient:
    """Make what `components.runner` registers, and return what runs operations on it."""
    name = f"runner-{uuid.uuid4().hex[:8]}"
    ecs, logs = region.client("ecs"), region.client("logs")
    cluster = ecs.create_cluster(clusterName=name)["cluster"]["clusterName"]
    logs.create_log_group(logGroupName=name)
    secret = region.client("secretsmanager").create_secret(
        Name=name, SecretString=json.dumps({"username": "keeper", "password": PASSWORD})
    )["ARN"]
    definition = ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
        containerDefinitions=[
            {
                "name": CONTAINER_NAME,
                "image": f"123456789012.dkr.ecr.{region.name}.amazonaws.com/interlock/runner:1",
                "entryPoint": [
                    *ENTRY_POINT,
                    *("--targets", json.dumps(targets)),
                    *("--database-ca", DATABASE_AUTHORITIES, "--http-ca", HTTP_AUTHORITIES, "--"),
                ],
                "secrets": [{"name": "DATABASE_SECRET", "valueFrom": secret}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": name,
                        "awslogs-region": region.name,
                        "awslogs-stream-prefix": CONTAINER_NAME,
                    },
                },
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    part = RunnerPart(
        cluster=cluster,
        task_definition_arn=definition,
        container=CONTAINER_NAME,
        subnet_ids=region.subnet_ids,
        security_group_ids=(region.client_group,),
        log_group=name,
    )
    return RunnerClient(ecs, logs, part, **clock)


@pytest.fixture(scope="module")
def primary(cloud: LocalCloud) -> Region:
    return region_of(cloud, cloud.region)


@pytest.fixture(scope="module")
def database(cloud: LocalCloud, primary: Region) -> Iterator[dict[str, Any]]:
    rds = cloud.client("rds")
    name = f"db-{uuid.uuid4().hex[:8]}"
    rds.create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=list(primary.subnet_ids)
    )
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        EngineVersion="17",
        DBInstanceClass="db.t4g.small",
        AllocatedStorage=20,
        MasterUsername="keeper",
        MasterUserPassword=PASSWORD,
        DBName="mlflow",
        DBSubnetGroupName=name,
        VpcSecurityGroupIds=[primary.database_group],
    )

    def describe() -> Any:
        return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    found = until(describe, lambda seen: seen["DBInstanceStatus"] == "available", 60)
    yield {"address": found["Endpoint"]["Address"], "port": found["Endpoint"]["Port"], "names": ["mlflow"]}
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


@pytest.fixture(scope="module")
def runner(primary: Region, role: str, database: dict[str, Any]) -> RunnerClient:
    targets = {"database": database, "http": {"nobody": {"address": "127.0.0.1", "port": 1, "server_name": "a.b"}}}
    return runner_in(primary, role, targets)


def test_a_database_tells_its_role_from_inside_of_its_network(runner: RunnerClient) -> None:
    found = runner.run("database-probe", database="mlflow")
    assert (found["database"], found["role"], found["lag_seconds"]) == ("mlflow", "primary", None)


def test_a_row_is_read_by_its_key_and_an_absent_one_is_none(
    cloud: LocalCloud, runner: RunnerClient, database: dict[str, Any]
) -> None:
    with psycopg.connect(
        host=database["address"],
        port=database["port"],
        dbname="mlflow",
        user="keeper",
        password=PASSWORD,
        sslmode="verify-full",
        sslrootcert=str(cloud.context.authority.certificate_file),
        autocommit=True,
    ) as connection:
        connection.execute("create table registered_models (name text, creation_time int8, last_updated_time int8)")
        connection.execute("insert into registered_models values ('credit', 7, 8)")

    def row(name: str) -> Any:
        wanted = {"table": "registered_models", "where": {"name": name}}
        return runner.run("database-probe", database="mlflow", row=wanted)["row"]

    assert row("credit") == {"name": "credit", "creation_time": 7, "last_updated_time": 8}
    assert row("debit") is None


@pytest.mark.parametrize(
    ("operation", "fields", "failure", "said"),
    [
        ("shell", {}, Refusal, "operation: received 'shell'; accepted: one of database-probe, http-probe"),
        ("database-probe", {"database": "mlflow_auth"}, Refusal, "received 'mlflow_auth'; accepted: one of mlflow"),
        ("database-probe", {}, BadInput, "database: received None"),
        (
            "database-probe",
            {"database": "mlflow", "row": {"table": "users", "where": {"id": "1"}}},
            Refusal,
            "row.table: received 'users'",
        ),
        ("database-probe", {"database": "mlflow", "query": "select 1"}, BadInput, "query: no such field"),
        ("http-probe", {"target": "elsewhere"}, Refusal, "target: received 'elsewhere'; accepted: one of nobody"),
        ("http-probe", {"target": "nobody"}, OutsideFailure, "127.0.0.1 failed"),
    ],
    ids=["operation", "database", "nothing", "table", "field", "target", "unreachable"],
)
def test_what_is_not_allowed_is_refused_and_what_fails_is_said(
    runner: RunnerClient, operation: str, fields: dict[str, Any], failure: type[Failure], said: str
) -> None:
    with pytest.raises(failure, match=re.escape(said)) as caught:
        runner.run(operation, **fields)
    assert type(caught.value) is failure


def test_a_task_runs_in_the_region_of_its_cluster_and_is_heard_there(cloud: LocalCloud, role: str) -> None:
    elsewhere = region_of(cloud, "eu-central-1")
    runner = runner_in(elsewhere, role, {})
    with pytest.raises(Refusal, match="there is no database in this region's network"):
        runner.run("database-probe", database="mlflow")


def test_a_task_that_outlives_its_deadline_is_stopped(primary: Region, role: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        targets = {"http": {"silent": {"address": "127.0.0.1", "port": port, "server_name": "a.b"}}}
        runner = runner_in(primary, role, targets, now=itertools.count(0.0, 1000.0).__next__)
        with pytest.raises(OutsideFailure, match="did not end within 300 s, and was told to stop") as caught:
            runner.run("http-probe", target="silent")
        arn = str(caught.value).partition("task ")[2].partition(" ")[0]
        cluster = arn.split("/")[1]

        def describe() -> Any:
            return primary.client("ecs").describe_tasks(cluster=cluster, tasks=[arn])["tasks"][0]

        stopped = until(describe, lambda seen: seen["lastStatus"] == "STOPPED", 60)
    assert stopped["stoppedReason"] == "its caller's deadline has passed"


def test_a_task_that_cannot_start_is_told_with_the_reason_of_ecs(primary: Region, role: str) -> None:
    runner = runner_in(primary, role, {})
    for secret in primary.client("secretsmanager").list_secrets()["SecretList"]:
        if secret["Name"].startswith("runner-"):
            primary.client("secretsmanager").delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
    with pytest.raises(OutsideFailure, match=r"did not start: ResourceInitializationError"):
        runner.run("http-probe", target="any")
