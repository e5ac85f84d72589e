"""Who opens a connection in a running cloud: to a database, through a load balancer, to a task."""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rehearsal.cloud.containers import Container, ContainerSpec
from rehearsal.cloud.network.fabric import INTERNET_ONLY, ISOLATED, Attachment
from rehearsal.cloud.network.topology import interfaces
from rehearsal.cloud.places import Place
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import default_subnet, from_block, from_group, internet_route, security_group
from tests.rehearsal.cloud.waiting import until

pytestmark = pytest.mark.usefixtures("quick_checks")
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/caller:1"
DOCKERFILE = """\
FROM python:3.11
COPY caller.py /opt/caller.py
ENTRYPOINT ["python", "-I", "/opt/caller.py"]
"""
CALLER = """\
import multiprocessing, socket, struct, sys, time

def call(host, port):
    connection = socket.create_connection((host, int(port)), timeout=2)
    connection.sendall(struct.pack("!II", 8, 80877103))
    try:
        print("answered" if connection.recv(1) == b"S" else "refused", flush=True)
    except TimeoutError:
        print("silence", flush=True)

if __name__ == "__main__":
    if sys.argv[1] == "serve":
        import http.server
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
        http.server.ThreadingHTTPServer((sys.argv[2], 8000), Handler).serve_forever()
    call(*sys.argv[1:])
    child = multiprocessing.get_context("spawn").Process(target=call, args=sys.argv[1:])
    child.start()
    child.join()
"""


@pytest.fixture(scope="module", autouse=True)
def images(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("images") / "caller"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "caller.py").write_text(CALLER)
    before, cloud.context.containers.images = cloud.context.containers.images, folder.parent
    yield
    cloud.context.containers.images = before


@pytest.fixture(scope="module")
def clients(cloud: LocalCloud) -> str:
    """The group whose members the database lets in."""
    return security_group(cloud)


@pytest.fixture(scope="module")
def database(cloud: LocalCloud, clients: str) -> Iterator[tuple[str, int]]:
    rds, name = cloud.client("rds"), f"db-{uuid.uuid4().hex[:8]}"
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.t4g.small",
        AllocatedStorage=20,
        MasterUsername="keeper",
        MasterUserPassword="correct-horse-battery",
        BackupRetentionPeriod=0,
        VpcSecurityGroupIds=[security_group(cloud, from_group(clients, 5432))],
    )

    def described() -> Any:
        return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    endpoint = until(described, lambda seen: seen["DBInstanceStatus"] == "available", 60)["Endpoint"]
    yield endpoint["Address"], endpoint["Port"]
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def attached(cloud: LocalCloud, *group_ids: str) -> Attachment:
    subnet = default_subnet(cloud)["SubnetId"]
    return Attachment(interfaces(Place("123456789012", "eu-west-1"), [subnet], group_ids))


def run(cloud: LocalCloud, directory: Path, attachment: Attachment | None, *command: object) -> Container:
    words = [str(word) for word in command]
    return cloud.context.containers.run(
        ContainerSpec(IMAGE, "caller", directory / uuid.uuid4().hex, command=words, attachment=attachment)
    )


def hears(wanted: list[str], *call: Any) -> None:
    """See to it that a container hears this; it gives up early, and an answer may come late on a busy machine."""
    until(lambda: heard(*call), lambda seen: seen == wanted)


def heard(cloud: LocalCloud, directory: Path, attachment: Attachment | None, place: tuple[str, int]) -> list[str]:
    """Return what a container hears that calls, and what its child hears."""
    container = run(cloud, directory, attachment, *place)
    assert container.wait(120) == 0, container.log.read_text()
    container.stop()
    cloud.context.containers.release(container)
    return container.log.read_text().split()


def test_a_client_outside_of_the_network_cannot_open_the_database(database: tuple[str, int]) -> None:
    started = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match="timeout expired"):
        psycopg.connect(host=database[0], port=database[1], user="keeper", dbname="postgres", connect_timeout=2)
    assert time.monotonic() - started > 1.5


def test_a_member_of_the_database_s_clients_opens_it_and_so_does_what_it_started(
    cloud: LocalCloud, database: tuple[str, int], clients: str, tmp_path: Path
) -> None:
    hears(["answered", "answered"], cloud, tmp_path, attached(cloud, clients), database)


def test_others_in_the_network_on_the_internet_or_in_isolation_do_not(
    cloud: LocalCloud, database: tuple[str, int], tmp_path: Path
) -> None:
    for attachment in (attached(cloud, security_group(cloud)), attached(cloud), INTERNET_ONLY, ISOLATED, None):
        hears(["silence", "silence"], cloud, tmp_path, attachment, database)


def test_a_rule_that_is_added_or_taken_away_counts_for_the_next_connection(
    cloud: LocalCloud, database: tuple[str, int], tmp_path: Path
) -> None:
    ec2 = cloud.client("ec2")
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    attachment = attached(cloud, security_group(cloud))
    (group,) = (
        one["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
        for one in cloud.client("rds").describe_db_instances()["DBInstances"]
        if one.get("Endpoint", {}).get("Address") == database[0]
    )
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    hears(["answered", "answered"], cloud, tmp_path, attachment, database)
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
    hears(["silence", "silence"], cloud, tmp_path, attachment, database)


class Site:
    """A service of one task behind a load balancer; `groups` are the balancer's and the task's."""

    def __init__(self, cloud: LocalCloud, balancer_group: str, task_group: str) -> None:
        self.elb, self.ecs = cloud.client("elbv2"), cloud.client("ecs")
        self.name = f"site-{uuid.uuid4().hex[:8]}"
        subnet = default_subnet(cloud)
        made = self.elb.create_load_balancer(
            Name=self.name, Subnets=[subnet["SubnetId"]], SecurityGroups=[balancer_group], Scheme="internal"
        )["LoadBalancers"][0]
        self.balancer, self.address = made["LoadBalancerArn"], made["DNSName"]
        self.targets = self.elb.create_target_group(
            Name=self.name,
            Protocol="HTTP",
            Port=8000,
            VpcId=subnet["VpcId"],
            TargetType="ip",
            HealthCheckIntervalSeconds=5,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        forward = [{"Type": "forward", "TargetGroupArn": self.targets}]
        self.elb.create_listener(LoadBalancerArn=self.balancer, Protocol="HTTP", Port=8080, DefaultActions=forward)
        self.ecs.create_cluster(clusterName=self.name)
        definition = self.ecs.register_task_definition(
            family=self.name,
            containerDefinitions=[
                {
                    "name": "web",
                    "image": IMAGE,
                    "command": ["serve", "0.0.0.0"],
                    "portMappings": [{"containerPort": 8000}],
                }
            ],
            cpu="256",
            memory="512",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
        )["taskDefinition"]["taskDefinitionArn"]
        internet_route(cloud)
        network = {"subnets": [subnet["SubnetId"]], "securityGroups": [task_group], "assignPublicIp": "ENABLED"}
        self.ecs.create_service(
            cluster=self.name,
            serviceName="web",
            taskDefinition=definition,
            desiredCount=1,
            launchType="FARGATE",
            healthCheckGracePeriodSeconds=300,
            networkConfiguration={"awsvpcConfiguration": network},
            loadBalancers=[{"targetGroupArn": self.targets, "containerName": "web", "containerPort": 8000}],
        )

    def health(self) -> tuple[str, str]:
        described = self.elb.describe_target_health(TargetGroupArn=self.targets)["TargetHealthDescriptions"]
        health = described[0]["TargetHealth"] if described else {}
        return health.get("State", ""), health.get("Reason", "")

    def task_address(self) -> str:
        found = self.elb.describe_target_health(TargetGroupArn=self.targets)["TargetHealthDescriptions"]
        return str(found[0]["Target"]["Id"])

    def status(self) -> int:
        """Return how the balancer answers, 0 if it does not."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:8080/", timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def deploy(self) -> None:
        """Replace the task by a new one, and wait until the old one is gone."""
        updated = self.ecs.update_service(cluster=self.name, service="web", forceNewDeployment=True)["service"]
        wanted = updated["deployments"][0]["id"]

        def deployments() -> list[str]:
            seen = self.ecs.describe_services(cluster=self.name, services=["web"])["services"][0]
            return [one["id"] for one in seen["deployments"]]

        until(deployments, lambda seen: seen == [wanted])

    def delete(self) -> None:
        self.elb.delete_load_balancer(LoadBalancerArn=self.balancer)
        self.ecs.delete_service(cluster=self.name, service="web", force=True)


def test_a_load_balancer_s_targets_have_to_let_it_in(cloud: LocalCloud, tmp_path: Path) -> None:
    balancer_group = security_group(cloud, from_block("127.0.0.1/32", 8080))
    task_group = security_group(cloud)
    site = Site(cloud, balancer_group, task_group)
    until(site.health, lambda seen: seen == ("unhealthy", "Target.Timeout"))

    permission = from_group(balancer_group, 8000)
    cloud.client("ec2").authorize_security_group_ingress(GroupId=task_group, IpPermissions=[permission])
    until(site.health, lambda seen: seen[0] == "healthy")
    with urllib.request.urlopen(f"http://{site.address}:8080/", timeout=30) as answer:
        assert answer.read() == b"ok"

    # The balancer is let in to the task, and the workstation to the balancer: not the workstation to the task.
    with pytest.raises(OSError, match="timed out"):
        urllib.request.urlopen(f"http://{site.task_address()}:8000/", timeout=1)
    # The balancer's own rule is for the workstation alone.
    hears(["silence"] * 2, cloud, tmp_path, attached(cloud, security_group(cloud)), (site.address, 8080))

    cloud.client("ec2").authorize_security_group_ingress(
        GroupId=task_group, IpPermissions=[from_block("127.0.0.1/32", 8000)]
    )
    with urllib.request.urlopen(f"http://{site.task_address()}:8000/", timeout=30) as answer:
        assert answer.read() == b"ok"
    site.delete()


def test_a_new_deployment_costs_the_load_balancer_s_clients_no_request(cloud: LocalCloud) -> None:
    group = security_group(cloud, from_block("0.0.0.0/0"))
    site = Site(cloud, group, group)
    until(site.health, lambda seen: seen[0] == "healthy")
    assert site.status() == 200
    failed: list[int] = []
    finished = threading.Event()

    def keep_asking() -> None:
        while not finished.wait(0.01):
            status = site.status()
            if status != 200:
                failed.append(status)

    asking = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in asking:
        thread.start()
    for _ in range(2):
        site.deploy()
    finished.set()
    for thread in asking:
        thread.join()
    assert failed == []
    site.delete()


def test_a_server_that_ends_closes_the_connections_that_were_let_in(cloud: LocalCloud) -> None:
    group = security_group(cloud, from_block("0.0.0.0/0"))
    site = Site(cloud, group, group)
    until(site.health, lambda seen: seen[0] == "healthy")
    with socket.create_connection((site.task_address(), 8000), timeout=30) as connection:
        site.delete()
        assert connection.recv(1) == b""
