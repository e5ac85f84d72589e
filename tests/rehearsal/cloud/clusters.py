"""A cluster of ECS, and an image for its tasks: a web server that tells its environment."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import default_subnet, internet_route, open_group
from tests.rehearsal.cloud.roles import granting
from tests.rehearsal.cloud.waiting import until

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/probe:1"
DOCKERFILE = """
FROM python:3.11-slim
COPY server.py /opt/probe/server.py
ENTRYPOINT ["python", "-I", "/opt/probe/server.py"]
CMD ["--host", "0.0.0.0"]
"""
# A web server that tells its environment; `MODE` makes it fail in one way or another.
SERVER = """
import http.server, json, os, signal, sys
mode = os.environ.get("MODE", "")
print("mode", mode, flush=True)
if mode == "exit":
    sys.exit(int(os.environ["CODE"]))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sick = mode == "sick" or os.path.exists("sick")
        if self.path == "/fall-ill":
            open("sick", "w").close()
        self.send_response(500 if self.path == "/health" and sick else 200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())

http.server.ThreadingHTTPServer((sys.argv[2], 8000), Handler).serve_forever()
"""
CHECK = (
    "import sys, urllib.request; "
    "sys.exit(urllib.request.urlopen('http://localhost:8000/health', timeout=2).status != 200)"
)


@contextmanager
def probe_image(cloud: LocalCloud, folder: Path) -> Iterator[None]:
    """Have the cloud's containers run the probe, whose files are written to `folder`."""
    (folder / "probe").mkdir()
    (folder / "probe" / "Dockerfile").write_text(DOCKERFILE)
    (folder / "probe" / "server.py").write_text(SERVER)
    before, cloud.context.containers.images = cloud.context.containers.images, folder
    yield
    cloud.context.containers.images = before


def task_role(cloud: LocalCloud, account: str | None = None) -> str:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    name = f"task-{uuid.uuid4().hex[:8]}"
    iam = cloud.client("iam", account=account)
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"])
    granting(cloud, arn, "secretsmanager:GetSecretValue", "ssm:GetParameters", account=account)
    return arn


class Cluster:
    """A cluster in a subnet, and what a client does with it."""

    def __init__(self, cloud: LocalCloud, role: str, **place: str) -> None:
        """`place` is what a client of another account or region is made with."""
        self.cloud, self.role = cloud, role
        self.ecs = cloud.client("ecs", **place)
        self.name = f"cluster-{uuid.uuid4().hex[:8]}"
        self.ecs.create_cluster(clusterName=self.name)
        self.subnet = default_subnet(cloud, **place)
        self.group = open_group(cloud, place.get("region_name"), place.get("account"))
        internet_route(cloud, **place)
        placed = {"subnets": [self.subnet["SubnetId"]], "securityGroups": [self.group], "assignPublicIp": "ENABLED"}
        self.network = {"awsvpcConfiguration": placed}

    def define(self, image: str = IMAGE, family: str = "probe", **container: Any) -> str:
        declared = {
            "name": "probe",
            "image": image,
            "essential": True,
            "portMappings": [{"containerPort": 8000, "protocol": "tcp"}],
            **container,
        }
        registered = self.ecs.register_task_definition(
            family=f"{family}-{self.name}",
            containerDefinitions=[declared],
            cpu="256",
            memory="512",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            executionRoleArn=self.role,
            taskRoleArn=self.role,
        )
        return str(registered["taskDefinition"]["taskDefinitionArn"])

    def serve(self, definition: str, count: int = 1, name: str = "web", **options: Any) -> Any:
        return self.ecs.create_service(
            cluster=self.name,
            serviceName=name,
            taskDefinition=definition,
            desiredCount=count,
            launchType="FARGATE",
            networkConfiguration=self.network,
            **options,
        )["service"]

    def service(self, name: str = "web") -> Any:
        return self.ecs.describe_services(cluster=self.name, services=[name])["services"][0]

    def until_service(self, wanted: Callable[[Any], bool], seconds: float = 60) -> Any:
        return until(self.service, wanted, seconds)

    def steady(self, seconds: float = 60) -> Any:
        return self.until_service(lambda seen: len(seen["deployments"]) == 1 and is_steady(seen), seconds)

    def tasks(self, status: str = "RUNNING") -> list[Any]:
        arns = self.ecs.list_tasks(cluster=self.name, desiredStatus=status)["taskArns"]
        return list(self.ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"]) if arns else []

    def run(self, definition: str, **options: Any) -> Any:
        answer = self.ecs.run_task(
            cluster=self.name,
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration=self.network,
            **options,
        )
        return answer["tasks"][0]

    def task(self, arn: str) -> Any:
        return self.ecs.describe_tasks(cluster=self.name, tasks=[arn])["tasks"][0]

    def until_task(self, arn: str, status: str, seconds: float = 60) -> Any:
        return until(lambda: self.task(arn), lambda seen: seen["lastStatus"] == status, seconds)

    def kill(self, task: Any) -> None:
        task_id = task["taskArn"].rpartition("/")[2]
        process = next(p for p in self.cloud.context.processes.alive() if task_id in str(p.program.directory))
        os.kill(process.pid, signal.SIGKILL)

    def delete(self) -> None:
        if self.ecs.describe_clusters(clusters=[self.name])["clusters"][0]["status"] != "ACTIVE":
            return
        for arn in self.ecs.list_services(cluster=self.name)["serviceArns"]:
            self.ecs.delete_service(cluster=self.name, service=arn, force=True)
        for task in self.tasks():
            self.ecs.stop_task(cluster=self.name, task=task["taskArn"])
        stopped = lambda: all(task["lastStatus"] == "STOPPED" for task in [*self.tasks(), *self.tasks("STOPPED")])  # noqa: E731
        until(stopped, bool)


def is_steady(service: Any) -> bool:
    is_complete = service["deployments"][0]["rolloutState"] == "COMPLETED"
    return bool(is_complete and service["runningCount"] == service["desiredCount"])


def address_of(task: Any) -> str:
    return str(next(one["value"] for one in task["attachments"][0]["details"] if one["name"] == "privateIPv4Address"))


def ask(task: Any, path: str = "/") -> dict[str, str]:
    with urllib.request.urlopen(f"http://{address_of(task)}:8000{path}", timeout=30) as answer:
        return dict(json.loads(answer.read()))


def answers(task: Any) -> bool:
    try:
        ask(task)
    except OSError:
        return False
    return True
