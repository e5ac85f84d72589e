"""Carries out what services declare: looks at every service again and again, decides, starts and stops tasks."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.ecs.models import ecs_backends

from rehearsal.cloud.credentials import RoleCredentials
from rehearsal.cloud.places import place_of, visited
from rehearsal.cloud.services.ecs.launching import Launcher
from rehearsal.cloud.services.ecs.records import (
    STARTING,
    ContainerRecord,
    DeploymentRecord,
    ServiceRecord,
    TaskRecord,
)
from rehearsal.cloud.services.ecs.running import TaskRun
from rehearsal.cloud.services.ecs.scheduling import Decision, Phase, Situation, Task, back_off, decide
from rehearsal.cloud.services.ecs.targets import LoadBalancers, TargetRegistry

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_log = logging.getLogger(__name__)
_LOOK_EVERY = 0.25
_SETTLING_SECONDS = 2.0
"""How long a task without any check must have run to be believed: a program that fails mostly fails at once."""
_STOPPED_TASKS_SHOWN_SECONDS = 3600.0


class Scheduler:
    """All services and tasks of one cloud. Its methods are called in ECS's turn."""

    def __init__(self, cloud: CloudContext, credentials: RoleCredentials) -> None:
        self._cloud = cloud
        self._launcher = Launcher(cloud, credentials)
        self.targets = TargetRegistry(cloud)
        self._runs: dict[str, TaskRun] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ecs-scheduler", daemon=True)

    def start(self) -> None:
        """Begin to look after services."""
        self._thread.start()

    def close(self) -> None:
        """Stop every task, not waiting for load balancers; called outside of ECS's turn."""
        self._stopped.set()
        self._thread.join(30)
        with self._cloud.turn("ecs"):
            runs = list(self._runs.values())
            for run in runs:
                run.stop("TerminationNotice", "The cloud stops", hurry=True)
        for run in runs:
            run.join(20)

    def launch(
        self, cluster: Any, definition: Any, request: Mapping[str, Any], group: str, load_balancers: LoadBalancers = ()
    ) -> TaskRecord:
        """Start one task and return its record."""
        backend = place_of(cluster.arn).backend(ecs_backends)
        identity = uuid.uuid4().hex
        arn = f"{cluster.arn.replace(':cluster/', ':task/')}/{identity}"
        task = TaskRecord(
            cluster_arn=cluster.arn,
            definition=definition,
            request=request,
            group=group,
            started_by=str(request.get("startedBy") or ""),
            created_at=self._cloud.now(),
            address=self._cloud.addresses.allocate(f"ecs {group}"),
            arn=arn,
            tags=list(request.get("tags") or []),
        )
        task.containers = [ContainerRecord(one, arn) for one in definition.container_definitions]
        backend.tasks.setdefault(cluster.name, {})[arn] = task
        run = self._runs[arn] = TaskRun(self._cloud, self._launcher, self.targets, task, load_balancers)
        run.start()
        return task

    def stop_task(self, task: TaskRecord, code: str, reason: str) -> None:
        """Have a task stopped."""
        self._runs[task.arn].stop(code, reason)

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY):
            try:
                with self._cloud.turn("ecs"):
                    for _, backend in visited(ecs_backends):
                        self._look(backend)
            except Exception:
                # One wrong service must not leave all others unattended.
                _log.exception("the ECS scheduler")

    def _look(self, backend: Any) -> None:
        for service in [one for one in backend.services.values() if isinstance(one, ServiceRecord)]:
            if service.status != "INACTIVE":
                self._attend(service, backend.clusters[service.cluster_name])
        now = self._cloud.now()
        for cluster in backend.clusters.values():
            tasks = backend.tasks.get(cluster.name, {})
            tasks = {arn: task for arn, task in tasks.items() if isinstance(task, TaskRecord)}
            live = [task for task in tasks.values() if task.last_status != "STOPPED"]
            cluster.running_tasks_count = sum(task.last_status == "RUNNING" for task in live)
            cluster.pending_tasks_count = sum(task.last_status in STARTING for task in live)
            cluster.active_services_count = sum(
                one.cluster_name == cluster.name and one.status == "ACTIVE" for one in backend.services.values()
            )
            for arn, task in tasks.items():
                if task.stopped_at and (now - task.stopped_at).total_seconds() > _STOPPED_TASKS_SHOWN_SECONDS:
                    del backend.tasks[cluster.name][arn]
                    self._runs.pop(arn, None)

    def _attend(self, service: ServiceRecord, cluster: Any) -> None:
        now = time.monotonic()
        for deployment in service.deployments:
            self._bury(service, deployment, now)
        service.deployments = [service.primary, *(old for old in service.deployments[1:] if old.tasks)]
        if service.status == "DRAINING" and not service.tasks:
            service.status = "INACTIVE"
            return
        phases = {task.arn: self._phase(service, task, now) for task in service.tasks}
        situation = self._situation(service, phases, now)
        self._carry_out(service, cluster, decide(situation))

    def _bury(self, service: ServiceRecord, deployment: DeploymentRecord, now: float) -> None:
        """Take stopped tasks out of the service, and learn from those that never came to work."""
        for task in [one for one in deployment.tasks if one.last_status == "STOPPED"]:
            deployment.tasks.remove(task)
            failed = task.stop_code == "TaskFailedToStart" or (
                not task.was_ready and (task.stop_code == "EssentialContainerExited" or bool(task.found_unhealthy))
            )
            if not failed:
                continue
            deployment.failed_tasks += 1
            deployment.failures_in_a_row += 1
            deployment.updated_at = self._cloud.now()
            deployment.not_before = now + back_off(deployment.failures_in_a_row)
            if deployment.failures_in_a_row == 3:
                service.tell(self._cloud.now(), "is unable to consistently start tasks successfully.")

    def _phase(self, service: ServiceRecord, task: TaskRecord, now: float) -> Phase:
        """Return how a task counts."""
        if task.is_stopping:
            return Phase.STOPPING
        if task.last_status != "RUNNING":
            return Phase.STARTING
        if task.health == "UNHEALTHY":
            event = f"(task {task.id}) is unhealthy due to failed container health checks."
            return self._unhealthy(service, task, "Task failed container health checks", event)
        states = self.targets.states(task.place, service.load_balancers, task.address)
        grace = float(service.request.get("healthCheckGracePeriodSeconds") or 0)
        if now - task.in_service_since > grace:
            for arn, state, why in states:
                if state == "unhealthy":
                    event = (
                        f"(task {task.id}) (port of {arn}) is unhealthy in (target-group {arn}) due to (reason {why})"
                    )
                    reason = f"Task failed ELB health checks in (target-group {arn})"
                    return self._unhealthy(service, task, reason, event)
        task.found_unhealthy = ""
        is_checked = any(one.definition.get("healthCheck") for one in task.containers if one.is_essential)
        # What a load balancer finds healthy is believed at once: it may serve already.
        has_settled = (
            task.health == "HEALTHY" if is_checked else bool(states) or now - task.in_service_since > _SETTLING_SECONDS
        )
        is_healthy = all(state == "healthy" for _, state, _ in states) or (
            # The next deployment does not end what may serve already, though it is not yet described so.
            task not in service.primary.tasks and self.targets.passes(task.place, service.load_balancers, task.address)
        )
        is_ready = task.was_ready or (has_settled and is_healthy)
        if is_ready and not task.was_ready:
            task.was_ready = True
            for deployment in service.deployments:
                if task in deployment.tasks:
                    deployment.failures_in_a_row = 0
        return Phase.READY if is_ready else Phase.STARTING

    def _unhealthy(self, service: ServiceRecord, task: TaskRecord, reason: str, event: str) -> Phase:
        if not task.found_unhealthy:
            service.tell(self._cloud.now(), event)
        task.found_unhealthy = reason
        return Phase.UNHEALTHY

    def _situation(self, service: ServiceRecord, phases: Mapping[str, Phase], now: float) -> Situation:
        configuration = service.request.get("deploymentConfiguration") or {}
        primary = service.primary
        is_breaking = bool((configuration.get("deploymentCircuitBreaker") or {}).get("enable"))
        has_failed = primary.rollout_state == "FAILED"
        return Situation(
            desired=service.desired_count if service.status == "ACTIVE" else 0,
            minimum_percent=_given(configuration.get("minimumHealthyPercent"), 100),
            maximum_percent=_given(configuration.get("maximumPercent"), 200),
            tasks=[Task(task.arn, phases[task.arn], task in primary.tasks) for task in service.tasks],
            may_start=now >= primary.not_before and not has_failed,
            failed_tasks=primary.failed_tasks,
            breaker=is_breaking,
            in_progress=primary.rollout_state == "IN_PROGRESS",
        )

    def _carry_out(self, service: ServiceRecord, cluster: Any, decision: Decision) -> None:
        primary, now = service.primary, self._cloud.now()
        if decision.failed:
            self._fail(service)
            return
        for arn in decision.stop:
            task = self._runs[arn].task
            why = task.found_unhealthy or f"Scaling activity initiated by deployment {primary.id}"
            self.stop_task(task, "ServiceSchedulerInitiated", why)
        if decision.stop:
            ids = ", ".join(f"(task {arn.rpartition('/')[2]})" for arn in decision.stop)
            service.tell(now, f"has stopped {len(decision.stop)} running tasks: {ids}.")
        if decision.start and not self._can_place(service):
            return
        started = [self._start_task(service, cluster) for _ in range(decision.start)]
        if started:
            service.is_steady = False
            ids = ", ".join(f"(task {task.id})" for task in started)
            service.tell(now, f"has started {len(started)} tasks: {ids}.")
        if decision.completed and not started:
            primary.rollout_state, primary.updated_at = "COMPLETED", now
            primary.rollout_reason = f"ECS deployment {primary.id} completed."
            service.completed_definition = primary.definition
            service.tell(now, f"(deployment {primary.id}) deployment completed.")
        self._tell_steady(service)

    def _tell_steady(self, service: ServiceRecord) -> None:
        is_steady = (
            service.status == "ACTIVE"
            and service.primary.rollout_state == "COMPLETED"
            and len(service.deployments) == 1
            and len(service.tasks) == service.desired_count
            and all(task.was_ready and not task.is_stopping for task in service.tasks)
        )
        if is_steady and not service.is_steady:
            service.tell(self._cloud.now(), "has reached a steady state.")
        service.is_steady = is_steady

    def _start_task(self, service: ServiceRecord, cluster: Any) -> TaskRecord:
        deployment = service.primary
        request = {**deployment.request, "startedBy": deployment.id, "tags": _propagated(service, deployment)}
        group = f"service:{service.name}"
        task = self.launch(cluster, deployment.definition, request, group, service.load_balancers)
        deployment.tasks.append(task)
        return task

    def _can_place(self, service: ServiceRecord) -> bool:
        request = service.request
        if request.get("launchType") != "EC2":
            return True
        message = (
            "was unable to place a task because no container instance met all of its requirements. "
            "Reason: No Container Instances were found in your cluster."
        )
        if not service.events or message not in service.events[0]["message"]:
            service.tell(self._cloud.now(), message)
        return False

    def _fail(self, service: ServiceRecord) -> None:
        """End a deployment that keeps failing, and go back to the last one that completed where that is asked for."""
        primary, now = service.primary, self._cloud.now()
        primary.rollout_state, primary.updated_at = "FAILED", now
        primary.rollout_reason = "ECS deployment circuit breaker: tasks failed to start."
        service.tell(now, f"(deployment {primary.id}) deployment failed: tasks failed to start.")
        configuration = service.request.get("deploymentConfiguration") or {}
        rolls_back = bool((configuration.get("deploymentCircuitBreaker") or {}).get("rollback"))
        if rolls_back and service.completed_definition is not None:
            service.tell(now, f"rolling back to deployment of {service.completed_definition.arn}.")
            back = DeploymentRecord(service.completed_definition, dict(service.request), now)
            back.rollout_reason = "ECS deployment circuit breaker: rolling back."
            begin(service, back)


def begin(service: ServiceRecord, deployment: DeploymentRecord) -> None:
    """Make `deployment` the one that the service goes to."""
    for old in service.deployments:
        old.status = "ACTIVE"
    service.deployments.insert(0, deployment)
    service.is_steady = False


def _given(value: Any, default: int) -> int:
    return default if value is None else int(value)


def _propagated(service: ServiceRecord, deployment: DeploymentRecord) -> list[dict[str, str]]:
    source = service.request.get("propagateTags")
    if source == "SERVICE":
        return list(service.tags)
    return list(deployment.definition.tags) if source == "TASK_DEFINITION" else []
