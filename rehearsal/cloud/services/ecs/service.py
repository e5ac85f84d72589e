"""The ECS service: moto's clusters and task definitions, our services and tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from moto.ecs.exceptions import EcsClientException, ECSException
from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse

from rehearsal.cloud.context import CloudContext
from rehearsal.cloud.credentials import RoleCredentials
from rehearsal.cloud.places import visited
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.ecs.operations import Operations
from rehearsal.cloud.services.ecs.scheduler import Scheduler

_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"


class Ecs(Service):
    """Services and tasks that run."""

    name = "ecs"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._credentials = RoleCredentials(cloud, "ecs-tasks.amazonaws.com")
        self._scheduler = Scheduler(cloud, self._credentials)
        self._operations = Operations(cloud, self._scheduler)

    def start(self) -> None:
        """Begin to look after services."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop every task."""
        self._scheduler.close()
        self._credentials.close()

    def inventory(self) -> Sequence[str]:
        """Return active clusters, services that are not gone, active task definitions, and tasks not of a service."""
        with self.cloud.turn("ecs"):
            return [str(resource.arn) for _, backend in visited(ecs_backends) for resource in _made(backend)]

    @correction("ecs.services-run", f"{_GUIDE}ecs_services.html")
    def _run_services(self, patches: Patches) -> None:
        """A service starts its tasks, replaces those that end, rolls a new deployment out and drains when deleted."""
        for name in ("create_service", "update_service", "delete_service", "describe_services", "list_services"):
            patches.replace(EC2ContainerServiceResponse, name, _as_method(getattr(self._operations, name)))

    @correction("ecs.tasks-run", f"{_GUIDE}task-lifecycle-explanation.html")
    def _run_tasks(self, patches: Patches) -> None:
        """A task runs its containers and goes through the statuses of its life."""
        for name in ("run_task", "stop_task", "describe_tasks", "list_tasks"):
            patches.replace(EC2ContainerServiceResponse, name, _as_method(getattr(self._operations, name)))

    @correction("ecs.execution-role-demanded", f"{_GUIDE}task_execution_IAM_role.html")
    def _demand_execution_roles(self, patches: Patches) -> None:
        """A Fargate task definition whose containers need the agent's rights must name an execution role."""

        def register(backend: Any, family: str, container_definitions: Any, *rest: Any, **options: Any) -> Any:
            if not options.get("execution_role_arn"):
                if any(one.get("secrets") for one in container_definitions):
                    message = "When you are specifying container secrets, you must also specify an execution role."
                    raise EcsClientException(message)
                drivers = {(one.get("logConfiguration") or {}).get("logDriver") for one in container_definitions}
                if "awslogs" in drivers and "FARGATE" in (options.get("requires_compatibilities") or []):
                    raise EcsClientException(
                        "Fargate requires task definition to have execution role ARN to support log driver awslogs."
                    )
            return registered_by_moto(backend, family, container_definitions, *rest, **options)

        registered_by_moto = patches.replace(EC2ContainerServiceBackend, "register_task_definition", register)

    @correction("ecs.cluster-in-use", f"{_API}API_DeleteCluster.html")
    def _keep_clusters(self, patches: Patches) -> None:
        """A cluster with services or tasks is not deleted."""

        def delete(backend: Any, cluster_str: str) -> Any:
            cluster = backend._get_cluster(cluster_str)
            services = [one for one in backend.services.values() if one.cluster_name == cluster.name]
            if any(service.status != "INACTIVE" for service in services):
                message = "The Cluster cannot be deleted while Services are active."
                raise ECSException("ClusterContainsServicesException", message)
            if any(task.last_status != "STOPPED" for task in backend.tasks.get(cluster.name, {}).values()):
                message = "The Cluster cannot be deleted while Tasks are active."
                raise ECSException("ClusterContainsTasksException", message)
            return deleted_by_moto(backend, cluster_str)

        deleted_by_moto = patches.replace(EC2ContainerServiceBackend, "delete_cluster", delete)

    @correction("ecs.deleted-clusters", f"{_API}API_DeleteCluster.html")
    def _list_active_clusters(self, patches: Patches) -> None:
        """A cluster that is deleted is inactive, and listed no longer."""

        def listed(backend: Any) -> list[str]:
            return [str(cluster.arn) for cluster in backend.clusters.values() if cluster.status == "ACTIVE"]

        patches.replace(EC2ContainerServiceBackend, "list_clusters", listed)


def _made(backend: Any) -> Iterator[Any]:
    revisions = [one for family in backend.task_definitions.values() for one in family.values()]
    tasks = [task for cluster in backend.tasks.values() for task in cluster.values()]
    yield from (cluster for cluster in backend.clusters.values() if cluster.status == "ACTIVE")
    yield from (service for service in backend.services.values() if service.status != "INACTIVE")
    yield from (revision for revision in revisions if revision.status == "ACTIVE")
    yield from (task for task in tasks if task.last_status != "STOPPED" and task.group[:8] != "service:")


def _as_method(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that a class binds to its instance, which a bound method would not be."""
    return lambda response: operation(response)
