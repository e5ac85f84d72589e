from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import EVIDENCE
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import default_subnet, internet_route, open_group
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


pytestmark = pytest.mark.usefixtures("quick_checks")


@pytest.fixture(scope="module", autouse=True)
def images(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("images") / "probe"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "server.py").write_text(SERVER)
    before, cloud.context.containers.images = cloud.context.containers.images, folder.parent
    yield
    cloud.context.containers.images = before


@pytest.fixture(scope="module")
def role(cloud: LocalCloud) -> str:
    return task_role(cloud)


def task_role(cloud: LocalCloud, account: str | None = None) -> str:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    name = f"task-{uuid.uuid4().hex[:8]}"
    iam = cloud.client("iam", account=account)
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    return str(created["Role"]["Arn"])


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


@pytest.fixture
def cluster(cloud: LocalCloud, role: str) -> Iterator[Cluster]:
    cluster = Cluster(cloud, role)
    yield cluster
    cluster.delete()


@pytest.mark.corrects("ecs.services-run")
def test_a_service_runs_its_image_with_the_declared_environment_until_it_is_deleted(cluster: Cluster) -> None:
    created = cluster.serve(cluster.define(environment=[{"name": "GREETING", "value": "hello"}]), count=2)
    assert (created["status"], created["runningCount"], created["deployments"][0]["rolloutState"]) == (
        "ACTIVE",
        0,
        "IN_PROGRESS",
    )
    seen = cluster.steady()
    assert "has reached a steady state" in seen["events"][0]["message"]
    tasks = cluster.tasks()
    assert len({address_of(task) for task in tasks}) == 2
    until(lambda: all(answers(task) for task in tasks), bool)
    assert ask(tasks[0])["GREETING"] == "hello"

    cluster.ecs.delete_service(cluster=cluster.name, service="web", force=True)
    assert cluster.service()["status"] == "DRAINING"
    cluster.until_service(lambda seen: seen["status"] == "INACTIVE")
    assert not answers(tasks[0])


def test_a_service_runs_in_the_account_and_region_of_its_cluster(cloud: LocalCloud) -> None:
    place = {"account": "evidence", "region_name": "eu-central-1"}
    cluster = Cluster(cloud, task_role(cloud, "evidence"), **place)
    logs, group = cloud.client("logs", **place), f"/ecs/{cluster.name}"
    logs.create_log_group(logGroupName=group)
    options = {"awslogs-group": group, "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "probe"}
    cluster.serve(cluster.define(logConfiguration={"logDriver": "awslogs", "options": options}))
    cluster.steady()
    task = cluster.tasks()[0]
    until(lambda: answers(task), bool)
    environment = ask(task)
    assert (environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"]) == ("eu-central-1", "eu-central-1")
    assert role_in(environment).split(":")[4] == EVIDENCE
    interfaces = cloud.client("ec2", **place).describe_network_interfaces()["NetworkInterfaces"]
    assert task["taskArn"] in {interface["Description"] for interface in interfaces}
    until(lambda: logs.filter_log_events(logGroupName=group)["events"], bool)
    assert f"arn:aws:ecs:eu-central-1:{EVIDENCE}:service/{cluster.name}/web" in cloud.inventory()["ecs"]
    assert cluster.name not in str(cloud.client("ecs").list_clusters()["clusterArns"])
    cluster.delete()


def role_in(environment: dict[str, str]) -> str:
    """Return the role whose credentials a task is given."""
    request = urllib.request.Request(
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
        headers={"Authorization": environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.loads(answer.read())["RoleArn"])


def test_a_task_that_dies_is_replaced_and_tells_how_it_ended(cluster: Cluster) -> None:
    cluster.serve(cluster.define())
    cluster.steady()
    before = cluster.tasks()[0]
    cluster.kill(before)

    stopped = cluster.until_task(before["taskArn"], "STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert stopped["containers"][0]["exitCode"] == 137
    until(cluster.tasks, lambda tasks: [task["lastStatus"] for task in tasks] == ["RUNNING"])
    assert cluster.tasks()[0]["taskArn"] != before["taskArn"]


def test_a_new_task_definition_rolls_out_without_a_moment_below_the_minimum(cluster: Cluster) -> None:
    health = {"command": ["CMD", "python", "-c", CHECK], "interval": 5, "timeout": 3, "retries": 3, "startPeriod": 30}
    cluster.serve(cluster.define(healthCheck=health), count=1)
    cluster.steady()
    before = cluster.tasks()[0]
    assert before["healthStatus"] == "HEALTHY"
    updated = cluster.ecs.update_service(
        cluster=cluster.name,
        service="web",
        taskDefinition=cluster.define(healthCheck=health, environment=[{"name": "RELEASE", "value": "2"}]),
    )["service"]
    assert [one["status"] for one in updated["deployments"]] == ["PRIMARY", "ACTIVE"]

    def serving() -> bool:
        return any(task["healthStatus"] == "HEALTHY" and answers(task) for task in cluster.tasks())

    def outage_or_end() -> str:
        # Twice, because what is seen first may be replaced, rightly, before it is asked.
        if not (serving() or serving()):
            return "outage"
        return "end" if len(cluster.service()["deployments"]) == 1 else "under way"

    assert until(outage_or_end, lambda seen: seen != "under way") == "end"
    after = cluster.tasks()[0]
    assert (after["taskArn"] != before["taskArn"], ask(after)["RELEASE"]) == (True, "2")


def test_a_forced_deployment_replaces_tasks_and_a_changed_count_does_not(cluster: Cluster) -> None:
    definition = cluster.define()
    cluster.serve(definition)
    cluster.steady()
    first = {task["taskArn"] for task in cluster.tasks()}
    cluster.ecs.update_service(cluster=cluster.name, service="web", desiredCount=2)
    cluster.until_service(lambda seen: seen["runningCount"] == 2)
    assert first < {task["taskArn"] for task in cluster.tasks()}

    cluster.ecs.update_service(cluster=cluster.name, service="web", forceNewDeployment=True)
    cluster.until_service(lambda seen: len(seen["deployments"]) == 1 and is_steady(seen))
    assert not first & {task["taskArn"] for task in cluster.tasks()}
    cluster.ecs.update_service(cluster=cluster.name, service="web", desiredCount=0)
    cluster.until_service(lambda seen: seen["runningCount"] == 0)


def test_a_deployment_that_keeps_failing_is_rolled_back_by_the_circuit_breaker(cluster: Cluster) -> None:
    good = cluster.define()
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    cluster.serve(good, deploymentConfiguration=breaker)
    cluster.steady()
    bad = cluster.define(environment=[{"name": "MODE", "value": "exit"}, {"name": "CODE", "value": "3"}])
    cluster.ecs.update_service(cluster=cluster.name, service="web", taskDefinition=bad)

    seen = cluster.until_service(lambda seen: seen["taskDefinition"] == good and is_steady(seen))
    messages = "\n".join(event["message"] for event in seen["events"])
    assert "deployment failed: tasks failed to start" in messages
    assert "rolling back" in messages
    codes = {task["containers"][0].get("exitCode") for task in cluster.tasks("STOPPED")}
    assert 3 in codes


@pytest.mark.corrects("ecs.tasks-run")
def test_a_task_lives_through_its_statuses_and_ends_with_its_exit_code(cluster: Cluster) -> None:
    task = cluster.run(cluster.define(environment=[{"name": "MODE", "value": "exit"}, {"name": "CODE", "value": "7"}]))
    assert (task["lastStatus"], task["desiredStatus"]) == ("PROVISIONING", "RUNNING")
    stopped = cluster.until_task(task["taskArn"], "STOPPED")
    assert stopped["containers"][0]["exitCode"] == 7
    assert stopped["stoppedAt"] >= stopped["stoppingAt"] >= stopped["createdAt"]

    task = cluster.run(
        cluster.define(),
        overrides={"containerOverrides": [{"name": "probe", "environment": [{"name": "A", "value": "b"}]}]},
    )
    running = cluster.until_task(task["taskArn"], "RUNNING")
    until(lambda: answers(running), bool)
    assert ask(running)["A"] == "b"
    cluster.ecs.stop_task(cluster=cluster.name, task=task["taskArn"], reason="enough of it")
    stopped = cluster.until_task(task["taskArn"], "STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough of it")
    assert stopped["containers"][0]["exitCode"] == 0


def test_secrets_reach_the_environment_whole_by_key_and_from_parameters(cluster: Cluster, cloud: LocalCloud) -> None:
    secret = cloud.client("secretsmanager").create_secret(
        Name=f"probe-{uuid.uuid4().hex[:8]}", SecretString=json.dumps({"username": "anna", "count": 3})
    )["ARN"]
    parameter = f"/probe/{uuid.uuid4().hex[:8]}"
    cloud.client("ssm").put_parameter(Name=parameter, Value="from ssm", Type="String")
    task = cluster.run(
        cluster.define(
            secrets=[
                {"name": "WHOLE", "valueFrom": secret},
                {"name": "USERNAME", "valueFrom": f"{secret}:username::"},
                {"name": "COUNT", "valueFrom": f"{secret}:count:AWSCURRENT:"},
                {"name": "PARAMETER", "valueFrom": f"arn:aws:ssm:eu-west-1:123456789012:parameter{parameter}"},
            ]
        )
    )
    running = cluster.until_task(task["taskArn"], "RUNNING")
    until(lambda: answers(running), bool)
    seen = ask(running)

    assert json.loads(seen["WHOLE"]) == {"username": "anna", "count": 3}
    assert (seen["USERNAME"], seen["COUNT"], seen["PARAMETER"]) == ("anna", "3", "from ssm")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"image": IMAGE.replace("probe", "absent")}, "CannotPullContainerError"),
        ({"secrets": [{"name": "A", "valueFrom": "SECRET:nokey::"}]}, "did not contain json key nokey"),
        ({"secrets": [{"name": "A", "valueFrom": "SECRETabsent"}]}, "ResourceNotFoundException"),
        ({"secrets": [{"name": "A", "valueFrom": "/no/such/parameter"}]}, "unable to retrieve secrets from ssm"),
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/absent"}}},
            "log group does not exist",
        ),
    ],
)
def test_a_task_that_cannot_start_says_why(
    cluster: Cluster, cloud: LocalCloud, wrong: dict[str, Any], reason: str
) -> None:
    secret = cloud.client("secretsmanager").create_secret(Name=f"probe-{uuid.uuid4().hex[:8]}", SecretString="{}")[
        "ARN"
    ]
    definition = cluster.define(**json.loads(json.dumps(wrong).replace("SECRET", secret)))
    stopped = cluster.until_task(cluster.run(definition)["taskArn"], "STOPPED")

    assert stopped["stopCode"] == "TaskFailedToStart"
    assert reason in stopped["stoppedReason"]


def test_a_task_whose_role_does_not_exist_says_so(cluster: Cluster) -> None:
    cluster.role = f"{cluster.role}-absent"
    stopped = cluster.until_task(cluster.run(cluster.define())["taskArn"], "STOPPED")

    assert f"ECS was unable to assume the role '{cluster.role}'" in stopped["stoppedReason"]


def test_containers_start_in_the_order_of_their_dependencies(cluster: Cluster) -> None:
    environment = [{"name": "MODE", "value": "exit"}, {"name": "CODE", "value": "0"}]
    first = {"name": "first", "image": IMAGE, "essential": False, "environment": environment}
    second = {"name": "second", "image": IMAGE, "dependsOn": [{"containerName": "first", "condition": "SUCCESS"}]}
    registered = cluster.ecs.register_task_definition(
        family=f"pair-{cluster.name}",
        containerDefinitions=[second, first],
        cpu="256",
        memory="512",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
    )
    task = cluster.run(registered["taskDefinition"]["taskDefinitionArn"])
    cluster.until_task(task["taskArn"], "RUNNING")

    def statuses() -> dict[str, str]:
        return {one["name"]: one["lastStatus"] for one in cluster.task(task["taskArn"])["containers"]}

    until(statuses, lambda seen: seen == {"first": "STOPPED", "second": "RUNNING"})


def test_a_task_gets_its_role_s_credentials_and_nobody_else_does(cluster: Cluster, role: str) -> None:
    task = cluster.until_task(cluster.run(cluster.define())["taskArn"], "RUNNING")
    until(lambda: answers(task), bool)
    environment = ask(task)
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    url, token = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"], environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": token})) as answer:
        given = json.loads(answer.read())
    identity = cluster.cloud.client(
        "sts",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["Token"],
    ).get_caller_identity()

    assert identity["Arn"].startswith(role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/"))
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "another"}))


def test_what_a_container_writes_goes_to_its_log_stream(cluster: Cluster, cloud: LocalCloud) -> None:
    group = f"/ecs/{cluster.name}"
    options = {"awslogs-group": group, "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "web"}
    cloud.client("logs").create_log_group(logGroupName=group)
    definition = cluster.define(
        logConfiguration={"logDriver": "awslogs", "options": options},
        environment=[{"name": "MODE", "value": "exit"}, {"name": "CODE", "value": "0"}],
    )
    task = cluster.run(definition)["taskArn"]
    cluster.until_task(task, "STOPPED")
    stream = f"web/probe/{task.rpartition('/')[2]}"
    events = cloud.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]

    assert [event["message"] for event in events] == ["mode exit"]


def test_a_task_found_unhealthy_is_replaced(cluster: Cluster) -> None:
    health = {"command": ["CMD-SHELL", f'python -c "{CHECK}"'], "interval": 5, "timeout": 3, "retries": 1}
    cluster.serve(cluster.define(healthCheck=health))
    cluster.steady()
    before = cluster.tasks()[0]
    ask(before, "/fall-ill")

    stopped = cluster.until_task(before["taskArn"], "STOPPED")
    assert stopped["stoppedReason"] == "Task failed container health checks"
    cluster.until_service(lambda seen: seen["runningCount"] == 1)


def test_tasks_are_targets_of_the_load_balancer_while_they_serve(cluster: Cluster, cloud: LocalCloud) -> None:
    elb = cloud.client("elbv2")
    name = cluster.name[:20]
    balancer = elb.create_load_balancer(
        Name=name, Subnets=[cluster.subnet["SubnetId"]], SecurityGroups=[cluster.group]
    )["LoadBalancers"][0]
    group = elb.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=8000,
        VpcId=cluster.subnet["VpcId"],
        TargetType="ip",
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=5,
    )["TargetGroups"][0]["TargetGroupArn"]
    attached = [{"targetGroupArn": group, "containerName": "probe", "containerPort": 8000}]
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        cluster.serve(cluster.define(), loadBalancers=attached)
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward)
    cluster.serve(cluster.define(), loadBalancers=attached, healthCheckGracePeriodSeconds=60)
    cluster.steady()

    def targets() -> dict[str, str]:
        described = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in described}

    assert targets() == {address_of(cluster.tasks()[0]): "healthy"}

    with urllib.request.urlopen(f"http://{balancer['DNSName']}/", timeout=30) as answer:
        assert answer.status == 200
    cluster.delete()
    until(targets, lambda seen: seen == {})
    elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    elb.delete_target_group(TargetGroupArn=group)


@pytest.mark.corrects("ecs.execution-role-demanded")
def test_a_fargate_task_definition_with_logs_needs_an_execution_role(cloud: LocalCloud) -> None:
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/x"}}
    with pytest.raises(ClientError, match="execution role ARN to support log driver awslogs"):
        cloud.client("ecs").register_task_definition(
            family="no-role",
            containerDefinitions=[{"name": "probe", "image": IMAGE, "logConfiguration": log}],
            cpu="256",
            memory="512",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
        )


@pytest.mark.corrects("ecs.cluster-in-use")
def test_a_cluster_with_a_service_is_not_deleted(cluster: Cluster) -> None:
    cluster.serve(cluster.define(), count=0)
    with pytest.raises(ClientError, match="ClusterContainsServicesException"):
        cluster.ecs.delete_cluster(cluster=cluster.name)


@pytest.mark.corrects("ecs.deleted-clusters")
def test_a_deleted_cluster_is_inactive_and_listed_no_longer(cloud: LocalCloud) -> None:
    ecs = cloud.client("ecs")
    made = ecs.create_cluster(clusterName=f"gone-{uuid.uuid4().hex[:8]}")["cluster"]["clusterArn"]
    assert made in ecs.list_clusters()["clusterArns"]
    assert ecs.delete_cluster(cluster=made)["cluster"]["status"] == "INACTIVE"
    assert made not in ecs.list_clusters()["clusterArns"]


def test_a_second_service_of_the_same_name_and_one_without_a_network_are_refused(cluster: Cluster) -> None:
    definition = cluster.define()
    cluster.serve(definition, count=0)
    with pytest.raises(ClientError, match="Creation of service was not idempotent"):
        cluster.serve(definition, count=0)
    with pytest.raises(ClientError, match="Network Configuration must be provided"):
        cluster.ecs.create_service(
            cluster=cluster.name, serviceName="other", taskDefinition=definition, desiredCount=1, launchType="FARGATE"
        )


def test_interfaces_of_tasks_are_gone_with_them(cluster: Cluster, cloud: LocalCloud) -> None:
    task = cluster.until_task(cluster.run(cluster.define())["taskArn"], "RUNNING")
    details = {one["name"]: one["value"] for one in task["attachments"][0]["details"]}
    ec2 = cloud.client("ec2")
    assert ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])["NetworkInterfaces"]
    cluster.ecs.stop_task(cluster=cluster.name, task=task["taskArn"])
    cluster.until_task(task["taskArn"], "STOPPED")
    with pytest.raises(ClientError, match=r"InvalidNetworkInterfaceID\.NotFound"):
        ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
