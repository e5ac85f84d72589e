"""The requests that ECS takes about services and tasks.

Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import (
    ClusterNotFoundException,
    EcsClientException,
    ECSException,
    InvalidParameterException,
    ServiceNotFoundException,
)

from rehearsal.cloud.places import place_of
from rehearsal.cloud.services.ecs.records import DeploymentRecord, ServiceRecord, TaskRecord
from rehearsal.cloud.services.ecs.scheduler import Scheduler, begin

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

# A change of one of these is a new deployment.
_DEPLOYED = (
    "capacityProviderStrategy",
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
)
_NOT_KEPT = {"cluster", "service", "serviceName", "taskDefinition", "forceNewDeployment", "clientToken", "tags"}


class Operations:
    """Each method answers one operation; `response` is moto's, with the request's parameters and backend."""

    def __init__(self, cloud: CloudContext, scheduler: Scheduler) -> None:
        self._cloud = cloud
        self._scheduler = scheduler

    def create_service(self, response: Any) -> ActionResult:
        """CreateService."""
        backend, request = response.ecs_backend, _parameters(response)
        cluster, name = _cluster(backend, request), str(request["serviceName"])
        key = f"{cluster.name}:{name}"
        known = backend.services.get(key)
        if known is not None and known.status != "INACTIVE":
            raise InvalidParameterException("Creation of service was not idempotent.")
        if request.get("desiredCount") is None and request.get("schedulingStrategy") != "DAEMON":
            raise InvalidParameterException("The desired count is required when the scheduling strategy is REPLICA.")
        definition = self._definition(backend, request)
        self._check(cluster, request, definition)
        record = ServiceRecord(
            name=name,
            arn=f"{cluster.arn.replace(':cluster/', ':service/')}/{name}",
            cluster_name=cluster.name,
            cluster_arn=cluster.arn,
            request={name: value for name, value in request.items() if name not in _NOT_KEPT},
            created_at=self._cloud.now(),
            created_by=f"arn:{cluster.arn.split(':')[1]}:iam::{cluster.arn.split(':')[4]}:root",
            tags=list(request.get("tags") or []),
        )
        if not request.get("launchType") and not request.get("capacityProviderStrategy"):
            strategy = cluster.default_capacity_provider_strategy
            record.request.update({"capacityProviderStrategy": strategy} if strategy else {"launchType": "EC2"})
        begin(record, DeploymentRecord(definition, dict(record.request), record.created_at))
        backend.services[key] = record
        return ActionResult({"service": record.describe()})

    def update_service(self, response: Any) -> ActionResult:
        """UpdateService: another definition, another network or force begin a new deployment."""
        backend, request = response.ecs_backend, _parameters(response)
        service = self._service(backend, request)
        if service.status != "ACTIVE":
            code = "ServiceNotActiveException"
            raise ECSException(code, "Service was not ACTIVE.")
        definition = self._definition(backend, request) if request.get("taskDefinition") else service.primary.definition
        wanted = {**service.request, **{key: value for key, value in request.items() if key not in _NOT_KEPT}}
        self._check(_cluster(backend, request), wanted, definition)
        is_new = (
            bool(request.get("forceNewDeployment"))
            or definition is not service.primary.definition
            or any(wanted.get(name) != service.request.get(name) for name in _DEPLOYED)
        )
        service.request = wanted
        if is_new:
            begin(service, DeploymentRecord(definition, dict(wanted), self._cloud.now()))
        elif service.primary.rollout_state == "COMPLETED":
            service.is_steady = False
        return ActionResult({"service": service.describe()})

    def delete_service(self, response: Any) -> ActionResult:
        """DeleteService: the service drains, and is inactive once its tasks have stopped."""
        backend, request = response.ecs_backend, _parameters(response)
        service = self._service(backend, request)
        if service.desired_count > 0 and not request.get("force"):
            raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
        if service.status == "ACTIVE":
            service.status = "DRAINING"
            service.request["desiredCount"] = 0
            for task in service.tasks:
                if not task.is_stopping:
                    self._scheduler.stop_task(task, "ServiceSchedulerInitiated", "Service deleted")
        return ActionResult({"service": service.describe()})

    def describe_services(self, response: Any) -> ActionResult:
        """DescribeServices."""
        backend, request = response.ecs_backend, _parameters(response)
        cluster = _cluster(backend, request)
        found, failures = [], []
        for wanted in request.get("services") or []:
            service = backend.services.get(f"{cluster.name}:{wanted.rpartition('/')[2]}")
            if service is None:
                arn = (
                    wanted if wanted.startswith("arn:") else f"{cluster.arn.replace(':cluster/', ':service/')}/{wanted}"
                )
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(_shown(service.describe(), request))
        return ActionResult({"services": found, "failures": failures})

    def list_services(self, response: Any) -> ActionResult:
        """ListServices: those that are not gone."""
        backend, request = response.ecs_backend, _parameters(response)
        cluster = _cluster(backend, request)
        kinds = {name: request[name] for name in ("launchType", "schedulingStrategy") if request.get(name)}
        arns = [
            service.arn
            for service in backend.services.values()
            if isinstance(service, ServiceRecord)
            and service.cluster_name == cluster.name
            and service.status != "INACTIVE"
            and kinds.items() <= service.describe().items()
        ]
        return ActionResult({"serviceArns": sorted(arns)})

    def run_task(self, response: Any) -> ActionResult:
        """RunTask."""
        backend, request = response.ecs_backend, _parameters(response)
        cluster, definition = _cluster(backend, request), self._definition(backend, request)
        self._check(cluster, request, definition)
        if request.get("launchType") != "FARGATE" and not request.get("capacityProviderStrategy"):
            raise InvalidParameterException("No Container Instances were found in your cluster.")
        count = int(request.get("count") or 1)
        if not 1 <= count <= 10:
            raise InvalidParameterException("Count should be between 1 and 10.")
        group = request.get("group") or f"family:{definition.family}"
        tasks = [self._scheduler.launch(cluster, definition, request, group) for _ in range(count)]
        return ActionResult({"tasks": [task.describe() for task in tasks], "failures": []})

    def stop_task(self, response: Any) -> ActionResult:
        """StopTask."""
        backend, request = response.ecs_backend, _parameters(response)
        task = next(iter(_tasks(backend, _cluster(backend, request), [str(request.get("task"))])), None)
        if task is None:
            raise InvalidParameterException("The referenced task was not found.")
        self._scheduler.stop_task(task, "UserInitiated", str(request.get("reason") or "Task stopped by user"))
        return ActionResult({"task": task.describe()})

    def describe_tasks(self, response: Any) -> ActionResult:
        """DescribeTasks."""
        backend, request = response.ecs_backend, _parameters(response)
        cluster, wanted = _cluster(backend, request), list(request.get("tasks") or [])
        if not wanted:
            raise InvalidParameterException("Tasks cannot be empty.")
        found = _tasks(backend, cluster, wanted)
        known = {task.id for task in found}
        prefix = cluster.arn.replace(":cluster/", ":task/")
        missing = [one.rpartition("/")[2] for one in wanted if one.rpartition("/")[2] not in known]
        failures = [{"arn": f"{prefix}/{one}", "reason": "MISSING"} for one in missing]
        return ActionResult({"tasks": [_shown(task.describe(), request) for task in found], "failures": failures})

    def list_tasks(self, response: Any) -> ActionResult:
        """ListTasks."""
        backend, request = response.ecs_backend, _parameters(response)
        cluster = _cluster(backend, request)
        desired = request.get("desiredStatus") or "RUNNING"
        chosen = [task for task in _all_tasks(backend, cluster) if task.desired_status == desired]
        if request.get("serviceName"):
            name = str(request["serviceName"]).rpartition("/")[2]
            if f"{cluster.name}:{name}" not in backend.services:
                raise ServiceNotFoundException()
            chosen = [task for task in chosen if task.group == f"service:{name}"]
        if request.get("family"):
            chosen = [task for task in chosen if task.definition.family == request["family"]]
        if request.get("startedBy"):
            chosen = [task for task in chosen if task.started_by == request["startedBy"]]
        return ActionResult({"taskArns": [task.arn for task in chosen]})

    def _service(self, backend: Any, request: Mapping[str, Any]) -> ServiceRecord:
        cluster = _cluster(backend, request)
        service = backend.services.get(f"{cluster.name}:{str(request['service']).rpartition('/')[2]}")
        if service is None:
            raise ServiceNotFoundException()
        assert isinstance(service, ServiceRecord)
        return service

    @staticmethod
    def _definition(backend: Any, request: Mapping[str, Any]) -> Any:
        definition = backend.describe_task_definition(str(request.get("taskDefinition") or ""))
        if definition.status != "ACTIVE":
            raise EcsClientException("TaskDefinition is inactive")
        return definition

    def _check(self, cluster: Any, request: Mapping[str, Any], definition: Any) -> None:
        network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        if definition.network_mode == "awsvpc" and not network:
            raise InvalidParameterException(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            )
        if network and not network.get("subnets"):
            raise InvalidParameterException("subnets can not be empty.")
        if request.get("launchType") == "FARGATE" and "FARGATE" not in definition.compatibilities:
            raise InvalidParameterException("Task definition does not support launch_type FARGATE.")
        self._scheduler.targets.check(place_of(cluster.arn), request.get("loadBalancers") or [], definition)


def _parameters(response: Any) -> dict[str, Any]:
    return dict(_plain(response._get_params()))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _cluster(backend: Any, request: Mapping[str, Any]) -> Any:
    cluster = backend.clusters.get(str(request.get("cluster") or "default").rpartition("/")[2])
    if cluster is None or cluster.status != "ACTIVE":
        raise ClusterNotFoundException()
    return cluster


def _tasks(backend: Any, cluster: Any, wanted: Sequence[str]) -> list[TaskRecord]:
    ids = {one.rpartition("/")[2] for one in wanted}
    return [task for task in _all_tasks(backend, cluster) if task.id in ids]


def _all_tasks(backend: Any, cluster: Any) -> list[TaskRecord]:
    return [task for task in backend.tasks.get(cluster.name, {}).values() if isinstance(task, TaskRecord)]


def _shown(described: dict[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    if "TAGS" not in (request.get("include") or []):
        described.pop("tags", None)
    return described
