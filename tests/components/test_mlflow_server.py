"""The MLflow server: how many tasks it has, and where they run."""

from __future__ import annotations

from typing import Any

import pytest

from components.validation import ArgumentError
from policy.recording.answers import ACCOUNT
from policy.recording.monitor import Recording, record
from tests.components.programs import make

CLUSTER = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/shared"


def recorded(preview: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        make("MlflowServer", **changed)

    return record(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_tasks_follow_cpu_and_requests_within_limits(preview: bool) -> None:
    recording = recorded(preview, task_count=3, max_task_count=5)
    target = recording.one("aws:appautoscaling/target:Target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (3, 5)
    policies = {
        one.name: one.inputs["targetTrackingScalingPolicyConfiguration"]
        for one in recording.of_type("aws:appautoscaling/policy:Policy")
    }
    metrics = {
        name: policy["predefinedMetricSpecification"]["predefinedMetricType"] for name, policy in policies.items()
    }
    assert metrics == {
        "one-scaling-cpu": "ECSServiceAverageCPUUtilization",
        "one-scaling-requests": "ALBRequestCountPerTarget",
    }
    assert {policy["targetValue"] for policy in policies.values()} == {60, 1000}


def test_requests_are_counted_at_the_servers_own_load_balancer() -> None:
    recording = recorded()
    policy = recording.one("aws:appautoscaling/policy:Policy", "one-scaling-requests").inputs
    label = policy["targetTrackingScalingPolicyConfiguration"]["predefinedMetricSpecification"]["resourceLabel"]
    assert label.startswith("app/one-front-lb-")
    assert "/targetgroup/one-front-to-" in label


def test_the_program_puts_no_number_of_tasks_back() -> None:
    assert "desiredCount" in recorded().one("aws:ecs/service:Service").ignored_changes


def test_a_server_that_may_not_grow_to_what_it_begins_with_is_refused() -> None:
    with pytest.raises(
        ArgumentError, match="max_task_count: received 2; accepted: 3, which is min_task_count, or more"
    ):
        recorded(task_count=3, max_task_count=2)


def test_a_cluster_that_there_is_already_is_run_in() -> None:
    recording = recorded(existing_cluster_arn=CLUSTER)
    assert recording.of_type("aws:ecs/cluster:Cluster") == []
    assert recording.one("aws:ecs/service:Service").inputs["cluster"] == CLUSTER
    assert recording.outputs_of("interlock:tracking:MlflowServer")["clusterName"] == "shared"


def test_a_name_that_is_given_is_the_clusters() -> None:
    assert recorded(cluster_name="mlflow").one("aws:ecs/cluster:Cluster").inputs["name"] == "mlflow"


@pytest.mark.parametrize("protection", [True, False])
def test_secrets_and_load_balancer_are_protected_together(protection: bool) -> None:
    recording = recorded(deletion_protection=protection)
    secrets = recording.of_type("aws:secretsmanager/secret:Secret")
    assert {one.protected for one in secrets} == {protection}
    assert recording.one("aws:lb/loadBalancer:LoadBalancer").inputs["enableDeletionProtection"] is protection
