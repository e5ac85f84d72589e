"""Services of ECS: what they keep running, replace and roll out."""

from __future__ import annotations

import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import EVIDENCE
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.clusters import CHECK, Cluster, address_of, answers, ask, is_steady, task_role
from tests.rehearsal.cloud.waiting import until

pytestmark = pytest.mark.usefixtures("quick_checks", "images_of_a_probe")


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


def test_a_second_service_of_the_same_name_and_one_without_a_network_are_refused(cluster: Cluster) -> None:
    definition = cluster.define()
    cluster.serve(definition, count=0)
    with pytest.raises(ClientError, match="Creation of service was not idempotent"):
        cluster.serve(definition, count=0)
    with pytest.raises(ClientError, match="Network Configuration must be provided"):
        cluster.ecs.create_service(
            cluster=cluster.name, serviceName="other", taskDefinition=definition, desiredCount=1, launchType="FARGATE"
        )
