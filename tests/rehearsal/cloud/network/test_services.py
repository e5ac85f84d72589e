"""How what is in a network calls AWS's services: through its endpoints, by the internet, or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud.containers import ContainerSpec
from rehearsal.cloud.network.fabric import INTERNET_ONLY, ISOLATED, Attachment
from rehearsal.cloud.network.services import Called, called
from rehearsal.cloud.network.topology import interfaces
from rehearsal.cloud.places import Place
from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.ecs.agent import needs
from tests.rehearsal.cloud.waiting import until

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/client:1"
DOCKERFILE = """\
FROM python:3.11
COPY client.py /opt/client.py
ENTRYPOINT ["python", "-I", "/opt/client.py"]
"""
CLIENT = """\
import sys
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

config = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
for word in sys.argv[1:]:
    service, operation = word.split(":")
    try:
        getattr(boto3.client(service, config=config, **keys), operation)()
        print("answered")
    except ClientError:
        print("refused")
    except HTTPClientError:
        print("silence")
"""
CALLS = ("sts:get_caller_identity", "s3:list_buckets")


class Vpc:
    """A VPC without a way out, a subnet of it and a group that lets nobody in."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud, self.ec2 = cloud, cloud.client("ec2")
        self.id = self.ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.id, CidrBlock="10.60.0.0/24")["Subnet"]["SubnetId"]
        self.table = self.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.id]}])["RouteTables"][0]
        self.group = self.make_group()
        self.attachment = Attachment(interfaces(Place(cloud.account_id, cloud.region), [self.subnet], [self.group]))

    def make_group(self, *ports: int) -> str:
        made = self.ec2.create_security_group(GroupName=uuid.uuid4().hex, Description="of a test", VpcId=self.id)
        for port in ports:
            block = [{"CidrIp": "10.60.0.0/16"}]
            permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": block}
            self.ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=[permission])
        return str(made["GroupId"])

    def add_interface_endpoint(self, service: str, group: str) -> str:
        made = self.ec2.create_vpc_endpoint(
            VpcId=self.id,
            ServiceName=f"com.amazonaws.{self.cloud.region}.{service}",
            VpcEndpointType="Interface",
            SubnetIds=[self.subnet],
            SecurityGroupIds=[group],
            PrivateDnsEnabled=True,
        )
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def add_gateway_endpoint(self, service: str, *tables: str) -> None:
        self.ec2.create_vpc_endpoint(
            VpcId=self.id,
            ServiceName=f"com.amazonaws.{self.cloud.region}.{service}",
            VpcEndpointType="Gateway",
            RouteTableIds=list(tables),
        )


@pytest.fixture(scope="module", autouse=True)
def images(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("images") / "client"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "client.py").write_text(CLIENT)
    before, cloud.context.containers.images = cloud.context.containers.images, folder.parent
    yield
    cloud.context.containers.images = before


@pytest.fixture
def vpc(cloud: LocalCloud) -> Vpc:
    return Vpc(cloud)


def hears(wanted: list[str], *call: Any) -> None:
    """See to it that a container hears this; it gives up early, and an answer may come late on a busy machine."""
    until(lambda: heard(*call), lambda seen: seen == wanted)


def heard(cloud: LocalCloud, directory: Path, attachment: Attachment | None, *calls: str) -> list[str]:
    spec = ContainerSpec(IMAGE, "client", directory / uuid.uuid4().hex, command=calls or CALLS, attachment=attachment)
    container = cloud.context.containers.run(spec)
    assert container.wait(120) == 0, container.log.read_text()
    container.stop()
    cloud.context.containers.release(container)
    return container.log.read_text().split()


def test_a_network_without_a_way_out_reaches_a_service_through_its_endpoint_alone(
    cloud: LocalCloud, vpc: Vpc, tmp_path: Path
) -> None:
    hears(["silence", "silence"], cloud, tmp_path, vpc.attachment)
    vpc.add_interface_endpoint("sts", vpc.make_group(443))
    hears(["answered", "silence"], cloud, tmp_path, vpc.attachment)
    vpc.add_gateway_endpoint("s3", vpc.table["RouteTableId"])
    hears(["answered", "answered"], cloud, tmp_path, vpc.attachment)


def test_an_endpoint_s_group_has_to_let_the_caller_in(cloud: LocalCloud, vpc: Vpc, tmp_path: Path) -> None:
    endpoint = vpc.add_interface_endpoint("sts", vpc.make_group(80))
    hears(["silence"], cloud, tmp_path, vpc.attachment, CALLS[0])
    vpc.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSecurityGroupIds=[vpc.make_group(443)])
    hears(["answered"], cloud, tmp_path, vpc.attachment, CALLS[0])


def test_a_gateway_endpoint_serves_the_route_tables_it_is_in_and_groups_that_let_out_to_it(
    cloud: LocalCloud, vpc: Vpc, tmp_path: Path
) -> None:
    other = vpc.ec2.create_route_table(VpcId=vpc.id)["RouteTable"]["RouteTableId"]
    vpc.add_gateway_endpoint("s3", other)
    hears(["silence"], cloud, tmp_path, vpc.attachment, CALLS[1])
    vpc.ec2.associate_route_table(RouteTableId=other, SubnetId=vpc.subnet)
    hears(["answered"], cloud, tmp_path, vpc.attachment, CALLS[1])

    everywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    vpc.ec2.revoke_security_group_egress(GroupId=vpc.group, IpPermissions=[everywhere])
    hears(["silence"], cloud, tmp_path, vpc.attachment, CALLS[1])
    listed = vpc.ec2.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{cloud.region}.s3"]}]
    )["PrefixLists"][0]["PrefixListId"]
    to_storage = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": listed}]}
    vpc.ec2.authorize_security_group_egress(GroupId=vpc.group, IpPermissions=[to_storage])
    hears(["answered"], cloud, tmp_path, vpc.attachment, CALLS[1])


def test_outside_of_networks_services_answer_and_in_isolation_none_does(cloud: LocalCloud, tmp_path: Path) -> None:
    hears(["answered", "answered"], cloud, tmp_path, INTERNET_ONLY)
    hears(["answered", "answered"], cloud, tmp_path, None)
    hears(["silence"], cloud, tmp_path, ISOLATED, CALLS[0])


def test_a_task_in_a_network_without_what_starting_it_takes_does_not_start(cloud: LocalCloud, vpc: Vpc) -> None:
    ecs, name = cloud.client("ecs"), f"cluster-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=name)
    definition = ecs.register_task_definition(
        family=name,
        containerDefinitions=[{"name": "client", "image": IMAGE, "command": ["sts:get_caller_identity"]}],
        cpu="256",
        memory="512",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
    )["taskDefinition"]["taskDefinitionArn"]

    def reason() -> str:
        network = {"awsvpcConfiguration": {"subnets": [vpc.subnet], "securityGroups": [vpc.group]}}
        task = ecs.run_task(
            cluster=name, taskDefinition=definition, launchType="FARGATE", networkConfiguration=network
        )["tasks"][0]["taskArn"]

        def seen() -> Any:
            return ecs.describe_tasks(cluster=name, tasks=[task])["tasks"][0]

        return str(until(seen, lambda task: task["lastStatus"] == "STOPPED")["stoppedReason"])

    assert "connection issue between the task and Amazon ECR" in reason()
    group = vpc.make_group(443)
    for service in ("ecr.api", "ecr.dkr", "sts"):
        vpc.add_interface_endpoint(service, group)
    assert "layers in Amazon S3" in reason()
    vpc.add_gateway_endpoint("s3", vpc.table["RouteTableId"])
    assert reason() == "Essential container in task exited"


@pytest.mark.parametrize(
    ("scope", "path", "wanted"),
    [
        ("eu-west-1/kms", "/", Called("kms", "eu-west-1")),
        ("eu-west-1/ecr", "/", Called("ecr.api", "eu-west-1")),
        ("eu-west-1/sagemaker", "/", Called("sagemaker.api", "eu-west-1")),
        ("eu-central-1/sagemaker", "/endpoints/credit/invocations", Called("sagemaker.runtime", "eu-central-1")),
    ],
)
def test_what_is_called_stands_in_the_signature(scope: str, path: str, wanted: Called) -> None:
    credential = f"AKIDEXAMPLE/20260101/{scope}/aws4_request"
    header = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
    assert called({"HTTP_AUTHORIZATION": header, "PATH_INFO": path}) == wanted
    query = f"X-Amz-Credential={credential.replace('/', '%2F')}&X-Amz-Signature=0"
    assert called({"QUERY_STRING": query, "PATH_INFO": path}) == wanted
    assert called({"QUERY_STRING": "", "PATH_INFO": path}) is None


def test_starting_a_container_takes_its_image_its_secrets_and_its_log_each_where_it_lies() -> None:
    definition = {
        "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/interlock/mlflow:1",
        "secrets": [
            {"name": "A", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a"},
            {"name": "B", "valueFrom": "a-parameter"},
        ],
        "logConfiguration": {"logDriver": "awslogs", "options": {}},
    }
    found = [(service, region) for service, region, _ in needs(definition, "eu-west-1")]
    assert found == [
        ("ecr.api", "eu-central-1"),
        ("ecr.dkr", "eu-central-1"),
        ("s3", "eu-central-1"),
        ("secretsmanager", "eu-west-1"),
        ("ssm", "eu-west-1"),
        ("logs", "eu-west-1"),
    ]
