"""docs/adopting.md, carried out: an MLflow stack made by hand becomes a stack's own, and nothing of it is replaced."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow import MlflowClient

from interlock.adoption import Adoption, adopt, known_as
from interlock.failures import BadInput, Refusal
from rehearsal.layers import as_one_stack
from rehearsal.session import Session
from tests.provisioned.projects import ROOT, lay_out
from tests.rehearsal.cloud.waiting import until

BLOCKS = {"eu-west-1a": "10.44.0.0/20", "eu-west-1b": "10.44.16.0/20"}
BEYOND = (
    "recovery", "accounts", "administrators", "approvers", "duties", "ledger", "keys", "endpoints", "runner", "budget",
)  # fmt: skip
"""What stack local has beyond what somebody's first MLflow server had."""


@dataclass(frozen=True)
class HandMade:
    """What somebody made without any program: its ids by the names that the program has for it."""

    identifiers: Mapping[str, str]
    bucket: str
    database: str
    password: str
    """Of the database's administrator, whom the old server logs in as."""


@pytest.fixture(scope="module")
def hand_made(session: Session) -> HandMade:
    """A network, a key, a bucket with a model in it, and a database, as an AWS client makes them."""
    ec2, s3, rds = session.client("ec2"), session.client("s3"), session.client("rds")
    mark = uuid.uuid4().hex[:8]
    vpc = ec2.create_vpc(CidrBlock="10.44.0.0/16")["Vpc"]["VpcId"]
    subnets = {
        zone: ec2.create_subnet(VpcId=vpc, AvailabilityZone=zone, CidrBlock=block)["Subnet"]["SubnetId"]
        for zone, block in BLOCKS.items()
    }
    routes = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    for subnet in subnets.values():
        ec2.associate_route_table(RouteTableId=routes, SubnetId=subnet)
    clients = ec2.create_security_group(VpcId=vpc, GroupName="clients", Description="Of the database")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=clients, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="127.0.0.1/32"
    )
    key = session.client("kms").create_key(Description="MLflow's data")["KeyMetadata"]
    bucket, database, password = f"our-mlflow-{mark}", f"our-mlflow-{mark}", uuid.uuid4().hex
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": session.cloud.region})
    s3.put_object(Bucket=bucket, Key="1/model/MLmodel", Body=b"flavors: {}\n")
    rds.create_db_subnet_group(
        DBSubnetGroupName=database, DBSubnetGroupDescription="MLflow", SubnetIds=list(subnets.values())
    )
    rds.create_db_instance(
        DBInstanceIdentifier=database, Engine="postgres", EngineVersion="16", DBInstanceClass="db.t3.medium",
        AllocatedStorage=20, StorageType="gp3", DBName="mlflow", MasterUsername="postgres", MasterUserPassword=password,
        DBSubnetGroupName=database, StorageEncrypted=True, KmsKeyId=key["Arn"], VpcSecurityGroupIds=[clients],
    )  # fmt: skip
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=database, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    endpoint = rds.describe_db_instances(DBInstanceIdentifier=database)["DBInstances"][0]["Endpoint"]
    register_as_before(f"postgres:{password}@{endpoint['Address']}:{endpoint['Port']}")
    return HandMade(
        {
            "network-vpc": vpc,
            **{f"network-private-{zone}": subnet for zone, subnet in subnets.items()},
            "network-routes": routes,
            **{f"network-private-{zone}-routes": f"{subnet}/{routes}" for zone, subnet in subnets.items()},
            "platform-key-key": key["KeyId"],
            "artifacts-store-bucket": bucket,
            "database-postgres": database,
            "database-subnets": database,
        },
        bucket,
        database,
        password,
    )


def register_as_before(server: str) -> None:
    """Give the database MLflow's tables and a model, as a server that logged in as the administrator did."""
    store = f"postgresql+psycopg://{server}/mlflow?sslmode=require"
    # The registry of whatever server this process used before would be taken else.
    client = MlflowClient(store, registry_uri=store)
    client.create_registered_model("loans", tags={"made": "by hand"})


class Adopting:
    """One stack of the program, to which what was made by hand is given."""

    def __init__(
        self, session: Session, directory: Path, config: Mapping[str, Any], patches: pytest.MonkeyPatch
    ) -> None:
        self.stack = f"adopted-{uuid.uuid4().hex[:6]}"
        self.directory = lay_out(directory, self.stack, config)
        self.session = session
        session.provide_certificate(config["interlock:tracking"]["domain"])
        session.pulumi("stack", "init", self.stack, directory=self.directory)
        for name, value in session.environment.items():
            patches.setenv(name, value)

    def pulumi(self, *arguments: str) -> str:
        said: str = self.session.pulumi(*arguments, "--stack", self.stack, directory=self.directory).stdout
        return said

    def adopt(self, identifiers: Mapping[str, str]) -> Adoption:
        return adopt(self.stack, identifiers, directory=self.directory)

    def state(self) -> dict[str, list[str]]:
        """Return what the state's resources are known by: the id, and whatever text is an output."""
        found = json.loads(self.pulumi("stack", "export"))["deployment"].get("resources") or []
        return {
            one["urn"].rpartition("::")[2]: [
                one["id"],
                *(text for text in one["outputs"].values() if isinstance(text, str)),
            ]
            for one in found
            if one.get("id")
        }


def config_for(hand_made: HandMade, **database: Any) -> dict[str, Any]:
    """Return settings that name what cannot be renamed: the bucket, the database and its user."""
    left_out = {f"interlock:{name}" for name in BEYOND}
    config = {key: value for key, value in as_one_stack(ROOT / "stacks").items() if key not in left_out}
    tracking = config["interlock:tracking"]
    named = {"identifier": hand_made.database, "subnet_group_name": hand_made.database} | {
        "master_username": "postgres",
        "engine_version": "16",
        # Another one would wait for the maintenance window, and be seen in each preview until then.
        "instance_class": "db.t3.medium",
    }
    return config | {
        "interlock:network": {"cidr_block": "10.44.0.0/16", "subnets": BLOCKS},
        "interlock:artifacts": {"bucket_name": hand_made.bucket},
        "interlock:tracking": {**tracking, "database": {**tracking["database"], **named, **database}},
    }


def test_what_was_made_by_hand_is_adopted_and_nothing_of_it_replaced(
    session: Session, hand_made: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopting = Adopting(session, tmp_path / "project", config_for(hand_made), monkeypatch)
    with pytest.raises(BadInput) as unknown:
        adopting.adopt({"network-vcp": hand_made.identifiers["network-vpc"]})
    assert "did you mean 'network-vpc'?" in str(unknown.value)
    assert adopting.state() == {}

    result = adopting.adopt(hand_made.identifiers)
    assert set(result.imported) == set(hand_made.identifiers)
    assert {one.operation for one in result.changes} == {"update"}
    state = adopting.state()
    assert all(known_as(one, state[name]) for name, one in hand_made.identifiers.items())
    assert adopting.adopt(hand_made.identifiers).already == tuple(hand_made.identifiers)

    found = session.client("s3").get_object(Bucket=hand_made.bucket, Key="1/model/MLmodel")["Body"].read()
    assert found == b"flavors: {}\n"


def test_what_an_update_would_replace_is_refused_with_the_reason(
    session: Session, hand_made: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(hand_made)
    del config["interlock:artifacts"]
    adopting = Adopting(session, tmp_path / "project", config, monkeypatch)
    with pytest.raises(Refusal) as refused:
        adopting.adopt({"artifacts-store-bucket": hand_made.bucket})
    assert "artifacts-store-bucket: replace because of bucket" in str(refused.value)


def test_an_up_after_the_adoption_replaces_nothing_and_serves_what_was_there(
    session: Session, hand_made: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopting = Adopting(session, tmp_path / "project", config_for(hand_made), monkeypatch)
    adopting.adopt(hand_made.identifiers)
    before = adopting.state()
    adopting.pulumi("up", "--yes", "--skip-preview")
    after = adopting.state()
    assert {name: after[name][0] for name in hand_made.identifiers} == {
        name: before[name][0] for name in hand_made.identifiers
    }
    adopting.pulumi("preview", "--expect-no-changes")

    tracking = json.loads(adopting.pulumi("stack", "output", "manifest", "--json"))["tracking"]
    secret = session.client("secretsmanager").get_secret_value(SecretId=tracking["admin_secret_arn"])["SecretString"]
    # A new service's only task is running, and its service steady, before the load balancer has found it healthy.
    answer = until(
        lambda: requests.get(
            f"{tracking['uri']}/api/2.0/mlflow/registered-models/get",
            params={"name": "loans"},
            auth=(json.loads(secret)["username"], json.loads(secret)["password"]),
            verify=session.environment["MLFLOW_TRACKING_SERVER_CERT_PATH"],
            timeout=30,
        ),
        lambda seen: seen.status_code != requests.codes.service_unavailable,
    )
    assert answer.json()["registered_model"]["tags"] == [{"key": "made", "value": "by hand"}]
    # Last of the module: what was made by hand goes with the stack that it has become a part of.
    adopting.pulumi("destroy", "--yes", "--skip-preview")
