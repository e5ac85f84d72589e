"""What ECS knows of tasks, deployments and services, and how it describes them. Touched in ECS's turn only.

Source of the shapes: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Types.html
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehearsal.cloud.network.fabric import Attachment
from rehearsal.cloud.places import Place, place_of

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")
STOPPING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")


@dataclass(eq=False)
class ContainerRecord:
    """One container of a task."""

    definition: Mapping[str, Any]
    task_arn: str
    status: str = "PENDING"
    health: str = "UNKNOWN"
    exit_code: int | None = None
    reason: str | None = None
    runtime_id: str = field(default_factory=lambda: f"{uuid.uuid4().hex}-{secrets.randbelow(10**10):010d}")

    @property
    def name(self) -> str:
        """Return the container's name in the task definition."""
        return str(self.definition["name"])

    @property
    def is_essential(self) -> bool:
        """Return whether the task ends with this container."""
        return self.definition.get("essential", True) is not False

    def describe(self) -> dict[str, Any]:
        """Return the container as DescribeTasks shows it."""
        arn = self.task_arn.replace(":task/", ":container/", 1)
        shown = {
            "containerArn": f"{arn}/{uuid.uuid5(uuid.NAMESPACE_OID, self.task_arn + self.name)}",
            "taskArn": self.task_arn,
            "name": self.name,
            "image": self.definition["image"],
            "lastStatus": self.status,
            "healthStatus": self.health,
            "runtimeId": self.runtime_id,
            "networkInterfaces": [],
            "cpu": str(self.definition.get("cpu", 0)),
            "exitCode": self.exit_code,
            "reason": self.reason,
        }
        return {name: value for name, value in shown.items() if value is not None}


@dataclass(eq=False)
class TaskRecord:
    """One task; `request` is what RunTask or its service asked for."""

    cluster_arn: str
    definition: Any
    request: Mapping[str, Any]
    group: str
    started_by: str
    created_at: datetime
    address: str
    arn: str = ""
    tags: list[dict[str, str]] = field(default_factory=list)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    stop_code: str | None = None
    stopped_reason: str | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    interface: Mapping[str, str] = field(default_factory=dict)
    attachment: Attachment | None = None
    """Where its containers' connections come from; None without a network of its own."""
    containers: list[ContainerRecord] = field(default_factory=list)
    was_ready: bool = False
    """Whether it ever was as healthy as its service wants it."""
    found_unhealthy: str = ""
    """Why its service holds it for unhealthy, empty while it does not."""
    in_service_since: float = 0.0
    """When it came to run, by the monotonic clock."""

    @property
    def task_arn(self) -> str:
        """Return the ARN under the name moto's own functions look for."""
        return self.arn

    @property
    def task_definition_arn(self) -> str:
        """Return the task definition's ARN under the name moto's own functions look for."""
        return str(self.definition.arn)

    @property
    def id(self) -> str:
        """Return the last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def place(self) -> Place:
        """Return where the task runs."""
        return place_of(self.cluster_arn)

    @property
    def health(self) -> str:
        """Return the task's health: that of its essential containers that are checked."""
        states = {one.health for one in self.containers if one.is_essential and one.definition.get("healthCheck")}
        return next((state for state in ("UNHEALTHY", "UNKNOWN", "HEALTHY") if state in states), "UNKNOWN")

    @property
    def is_stopping(self) -> bool:
        """Return whether the task ends or has ended."""
        return self.desired_status == "STOPPED" or self.last_status in STOPPING

    def describe(self) -> dict[str, Any]:
        """Return the task as DescribeTasks shows it."""
        definition = self.definition
        shown = {
            "taskArn": self.arn,
            "clusterArn": self.cluster_arn,
            "taskDefinitionArn": definition.arn,
            "group": self.group,
            "startedBy": self.started_by or None,
            "launchType": self.request.get("launchType") or "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "lastStatus": self.last_status,
            "desiredStatus": self.desired_status,
            "healthStatus": self.health,
            "connectivity": "CONNECTED",
            "cpu": definition.cpu,
            "memory": definition.memory,
            "createdAt": self.created_at,
            "startedAt": self.started_at,
            "stoppingAt": self.stopping_at,
            "stoppedAt": self.stopped_at,
            "stopCode": self.stop_code,
            "stoppedReason": self.stopped_reason,
            "overrides": self.request.get("overrides")
            or {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
            "containers": [container.describe() for container in self.containers],
            "attachments": [self._attachment()] if self.interface else [],
            "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
            "enableExecuteCommand": False,
            "version": 1,
            "tags": self.tags,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def _attachment(self) -> dict[str, Any]:
        status = "DELETED" if self.last_status == "STOPPED" else "ATTACHED"
        details = [{"name": name, "value": value} for name, value in self.interface.items()]
        return {"id": self.id, "type": "ElasticNetworkInterface", "status": status, "details": details}


@dataclass(eq=False)
class DeploymentRecord:
    """One deployment of a service: tasks of one definition and one configuration."""

    definition: Any
    request: Mapping[str, Any]
    created_at: datetime
    id: str = field(default_factory=lambda: f"ecs-svc/{secrets.randbelow(10**19):019d}")
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0
    failures_in_a_row: int = 0
    not_before: float = 0.0
    """When the next task may be started, by the monotonic clock: the back-off."""
    updated_at: datetime | None = None
    tasks: list[TaskRecord] = field(default_factory=list)

    def count(self, *statuses: str) -> int:
        """Return how many of its tasks have one of these last statuses and are not stopping."""
        return sum(task.last_status in statuses and not task.is_stopping for task in self.tasks)

    def describe(self, desired: int) -> dict[str, Any]:
        """Return the deployment as DescribeServices shows it."""
        return {
            "id": self.id,
            "status": self.status,
            "taskDefinition": self.definition.arn,
            "desiredCount": desired if self.status == "PRIMARY" else 0,
            "pendingCount": self.count(*STARTING),
            "runningCount": self.count("RUNNING"),
            "failedTasks": self.failed_tasks,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at or self.created_at,
            "launchType": self.request.get("launchType") or "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "networkConfiguration": self.request.get("networkConfiguration") or {},
            "rolloutState": self.rollout_state,
            "rolloutStateReason": self.rollout_reason or f"ECS deployment {self.id} in progress.",
        }


@dataclass(eq=False)
class ServiceRecord:
    """One service; `request` holds what CreateService and UpdateService said last."""

    name: str
    arn: str
    cluster_name: str
    cluster_arn: str
    request: dict[str, Any]
    created_at: datetime
    created_by: str
    tags: list[dict[str, str]] = field(default_factory=list)
    status: str = "ACTIVE"
    deployments: list[DeploymentRecord] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    is_steady: bool = False
    completed_definition: Any = None
    """The task definition of the last deployment that completed: where a circuit breaker rolls back to."""

    @property
    def physical_resource_id(self) -> str:
        """Return the ARN under the name moto's own functions look for."""
        return self.arn

    @property
    def desired_count(self) -> int:
        """Return how many tasks are wanted."""
        return int(self.request.get("desiredCount") or 0)

    @property
    def primary(self) -> DeploymentRecord:
        """Return the deployment that the service goes to."""
        return self.deployments[0]

    @property
    def tasks(self) -> list[TaskRecord]:
        """Return the tasks of all deployments that have not stopped."""
        return [task for deployment in self.deployments for task in deployment.tasks]

    @property
    def load_balancers(self) -> Sequence[Mapping[str, Any]]:
        """Return the target groups that tasks are registered in."""
        return self.request.get("loadBalancers") or []

    def tell(self, now: datetime, message: str) -> None:
        """Add an event, newest first; 100 are kept."""
        self.events.insert(
            0, {"id": str(uuid.uuid4()), "createdAt": now, "message": f"(service {self.name}) {message}"}
        )
        del self.events[100:]

    def describe(self) -> dict[str, Any]:
        """Return the service as DescribeServices shows it."""
        asked = self.request
        given = asked.get("deploymentConfiguration") or {}
        breaker = {"enable": False, "rollback": False, **(given.get("deploymentCircuitBreaker") or {})}
        configuration = {
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            **given,
            "deploymentCircuitBreaker": breaker,
        }
        live = [deployment for deployment in self.deployments if self.status != "INACTIVE"]
        shown = {
            "serviceName": self.name,
            "serviceArn": self.arn,
            "clusterArn": self.cluster_arn,
            "status": self.status,
            "desiredCount": self.desired_count,
            "runningCount": sum(deployment.count("RUNNING") for deployment in live),
            "pendingCount": sum(deployment.count(*STARTING) for deployment in live),
            "taskDefinition": self.primary.definition.arn,
            "launchType": None if asked.get("capacityProviderStrategy") else asked.get("launchType"),
            "capacityProviderStrategy": asked.get("capacityProviderStrategy"),
            "platformVersion": asked.get("platformVersion") or "LATEST",
            "platformFamily": "Linux",
            "loadBalancers": list(self.load_balancers),
            "serviceRegistries": asked.get("serviceRegistries") or [],
            "networkConfiguration": _network(asked),
            "deploymentConfiguration": configuration,
            "deployments": [deployment.describe(self.desired_count) for deployment in live],
            "events": self.events,
            "createdAt": self.created_at,
            "createdBy": self.created_by,
            "healthCheckGracePeriodSeconds": asked.get("healthCheckGracePeriodSeconds", 0),
            "schedulingStrategy": asked.get("schedulingStrategy") or "REPLICA",
            "deploymentController": asked.get("deploymentController") or {"type": "ECS"},
            "enableECSManagedTags": bool(asked.get("enableECSManagedTags")),
            "enableExecuteCommand": bool(asked.get("enableExecuteCommand")),
            "propagateTags": asked.get("propagateTags") or "NONE",
            "availabilityZoneRebalancing": asked.get("availabilityZoneRebalancing") or "DISABLED",
            "placementConstraints": asked.get("placementConstraints") or [],
            "placementStrategy": asked.get("placementStrategy") or [],
            "tags": self.tags,
        }
        return {name: value for name, value in shown.items() if value is not None}


def _network(request: Mapping[str, Any]) -> dict[str, Any] | None:
    given = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if given is None:
        return None
    return {"awsvpcConfiguration": {"assignPublicIp": "DISABLED", "securityGroups": [], **given}}
