"""Tasks of ECS: what their containers are given, and how they end."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.clusters import IMAGE, Cluster, answers, ask
from tests.rehearsal.cloud.waiting import until

pytestmark = pytest.mark.usefixtures("quick_checks", "images_of_a_probe")


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


def test_interfaces_of_tasks_are_gone_with_them(cluster: Cluster, cloud: LocalCloud) -> None:
    task = cluster.until_task(cluster.run(cluster.define())["taskArn"], "RUNNING")
    details = {one["name"]: one["value"] for one in task["attachments"][0]["details"]}
    ec2 = cloud.client("ec2")
    assert ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])["NetworkInterfaces"]
    cluster.ecs.stop_task(cluster=cluster.name, task=task["taskArn"])
    cluster.until_task(task["taskArn"], "STOPPED")
    with pytest.raises(ClientError, match=r"InvalidNetworkInterfaceID\.NotFound"):
        ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
