"""A DB instance as a client sees it, and what tests of RDS do to one."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import workstation_group
from tests.rehearsal.cloud.waiting import until

PASSWORD = "correct-horse-battery"


class Database:
    """A DB instance as a client sees it."""

    def __init__(self, cloud: LocalCloud, region: str | None = None, **wanted: Any) -> None:
        self.cloud = cloud
        self.rds = cloud.client("rds", region_name=region or cloud.region)
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
            "VpcSecurityGroupIds": [workstation_group(cloud, region)],
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


def set_parameter(cloud: LocalCloud, group: str, name: str, value: str, method: str = "immediate") -> None:
    parameter = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
    cloud.client("rds").modify_db_parameter_group(DBParameterGroupName=group, Parameters=[parameter])


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def subnet_group(cloud: LocalCloud, region: str | None = None) -> tuple[str, str]:
    """Make a DB subnet group over two zones of a network of its own; return its name and that network's id."""
    region = region or cloud.region
    ec2, name = cloud.client("ec2", region_name=region), f"subnets-{uuid.uuid4().hex[:8]}"
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{place}.0/24", AvailabilityZone=f"{region}{zone}")
        for place, zone in enumerate("bc")
    ]
    cloud.client("rds", region_name=region).create_db_subnet_group(
        DBSubnetGroupName=name,
        DBSubnetGroupDescription="of a test",
        SubnetIds=[subnet["Subnet"]["SubnetId"] for subnet in subnets],
    )
    return name, vpc
