"""What tests of the rotation share: an instance of RDS, its administrator's secret, and the user's."""

from __future__ import annotations

import importlib.util
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import default_subnet, from_block, security_group
from tests.rehearsal.cloud.roles import granting
from tests.rehearsal.cloud.waiting import until

IMAGE = Path(__file__).parents[2] / "images" / "rotation"
DATABASES = ["mlflow", "mlflow_auth"]


def load(name: str) -> ModuleType:
    """Return a module of the image; those that it imports by their plain names stay importable meanwhile."""
    if name in sys.modules:
        return sys.modules[name]
    specification = importlib.util.spec_from_file_location(name, IMAGE / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


@contextmanager
def database_instance(cloud: LocalCloud) -> Iterator[dict[str, Any]]:
    """Run a DB instance whose master secret RDS manages, and describe it."""
    rds = cloud.client("rds")
    name = f"rotation-{uuid.uuid4().hex[:8]}"
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        EngineVersion="18",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="interlock",
        ManageMasterUserPassword=True,
        DBName="mlflow",
        VpcSecurityGroupIds=[security_group(cloud, from_block("127.0.0.1/32"), from_block("172.31.0.0/16"))],
    )
    try:
        yield until(
            lambda: rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0],
            lambda seen: seen["DBInstanceStatus"] == "available",
            60,
        )
    finally:
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def user_secret(cloud: LocalCloud, instance: dict[str, Any], username: str = "mlflow") -> str:
    """Make the secret of MLflow's user and return its ARN."""
    content = {
        "engine": "postgres",
        "host": instance["Endpoint"]["Address"],
        "port": instance["Endpoint"]["Port"],
        "dbname": "mlflow",
        "username": username,
        "password": uuid.uuid4().hex,
        "masterarn": instance["MasterUserSecret"]["SecretArn"],
    }
    made = cloud.client("secretsmanager").create_secret(
        Name=f"user-{uuid.uuid4().hex}", SecretString=json.dumps(content)
    )
    return str(made["ARN"])


def content_of(cloud: LocalCloud, secret: str, stage: str = "AWSCURRENT") -> dict[str, Any]:
    """Return what a version of a secret holds."""
    answer = cloud.client("secretsmanager").get_secret_value(SecretId=secret, VersionStage=stage)
    content: dict[str, Any] = json.loads(answer["SecretString"])
    return content


def log_in(cloud: LocalCloud, content: dict[str, Any], **changes: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect as a client of the database does."""
    wanted = {**content, **changes}
    return psycopg.connect(
        host=wanted["host"],
        port=wanted["port"],
        user=wanted["username"],
        password=wanted["password"],
        dbname=wanted["dbname"],
        sslmode="verify-full",
        sslrootcert=str(cloud.context.authority.certificate_file),
        autocommit=True,
        connect_timeout=10,
    )


def admit_secrets_manager(cloud: LocalCloud, subnet: dict[str, Any]) -> None:
    """Give the subnet's network the endpoint by which the function reaches Secrets Manager, unless it has it."""
    ec2, service = cloud.client("ec2"), f"com.amazonaws.{cloud.region}.secretsmanager"
    wanted = [{"Name": "service-name", "Values": [service]}, {"Name": "vpc-id", "Values": [subnet["VpcId"]]}]
    if not ec2.describe_vpc_endpoints(Filters=wanted)["VpcEndpoints"]:
        ec2.create_vpc_endpoint(
            VpcId=subnet["VpcId"],
            ServiceName=service,
            VpcEndpointType="Interface",
            SubnetIds=[subnet["SubnetId"]],
            SecurityGroupIds=[security_group(cloud, from_block("172.31.0.0/16", 443))],
            PrivateDnsEnabled=True,
        )


class Function:
    """The rotation's image as a Lambda function of the local cloud that Secrets Manager may invoke for one secret."""

    def __init__(self, cloud: LocalCloud, secret: str, settle_seconds: float = 0.0) -> None:
        self.client = cloud.client("lambda")
        self.name = f"rotation-{uuid.uuid4().hex[:8]}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = cloud.client("iam").create_role(
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )["Role"]["Arn"]
        granting(cloud, role, "secretsmanager:*")
        subnet = default_subnet(cloud)
        admit_secrets_manager(cloud, subnet)
        self.arn = self.client.create_function(
            FunctionName=self.name,
            PackageType="Image",
            Code={"ImageUri": f"{cloud.account_id}.dkr.ecr.{cloud.region}.amazonaws.com/interlock/rotation:1"},
            Role=role,
            Timeout=60,
            MemorySize=256,
            Environment={"Variables": {"SETTLE_SECONDS": str(settle_seconds)}},
            VpcConfig={
                "SubnetIds": [subnet["SubnetId"]],
                "SecurityGroupIds": [security_group(cloud)],
            },
        )["FunctionArn"]
        self.client.add_permission(
            FunctionName=self.name,
            StatementId="rotation",
            Action="lambda:InvokeFunction",
            Principal="secretsmanager.amazonaws.com",
            SourceAccount=cloud.account_id,
            SourceArn=secret,
        )
        until(
            lambda: self.client.get_function_configuration(FunctionName=self.name)["State"],
            lambda state: state == "Active",
        )

    def invoke(self, event: dict[str, Any]) -> tuple[Any, str | None]:
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def prepare(self, secret: str) -> dict[str, Any]:
        told, error = self.invoke({"Operation": "prepare", "SecretId": secret, "Databases": DATABASES})
        assert error is None, told
        return dict(told)
