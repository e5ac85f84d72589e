"""Starts one container of a task with what its definition gives it: command, environment, secrets, role and log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearsal.cloud.containers import Container, ContainerSpec, ImageNotFound
from rehearsal.cloud.credentials import RoleCredentials, RoleNotFound
from rehearsal.cloud.dockerfile import DockerfileError
from rehearsal.cloud.log_streams import ShippedLog, backend_of, ensure_group
from rehearsal.cloud.services.ecs import agent, secrets
from rehearsal.cloud.services.ecs.records import TaskRecord

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_NO_ROLE = (
    "ECS was unable to assume the role '{}' that was provided for this task. Please verify that the role being passed "
    "has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)


class TaskFailed(RuntimeError):
    """The task cannot start; the message is its stoppedReason."""


@dataclass(frozen=True)
class Launcher:
    """Starts containers. Source of the reasons for a failure:

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
    """

    cloud: CloudContext
    credentials: RoleCredentials

    def grant(self, task: TaskRecord) -> dict[str, str]:
        """Return the variables with which the task's containers get its role's credentials. Raises TaskFailed."""
        overridden = (task.request.get("overrides") or {}).get("taskRoleArn")
        role = overridden or task.definition.__dict__.get("task_role_arn")
        execution_role = task.definition.__dict__.get("execution_role_arn")
        try:
            if execution_role:
                self.credentials.demand(execution_role, task.id)
            return self.credentials.grant(role, task.id) if role else {}
        except RoleNotFound as missing:
            raise TaskFailed(_NO_ROLE.format(missing)) from missing

    def revoke(self, granted: dict[str, str]) -> None:
        """Take back what `grant` gave."""
        self.credentials.revoke(granted)

    def run(
        self, task: TaskRecord, declared: Mapping[str, Any], granted: Mapping[str, str]
    ) -> tuple[Container, ShippedLog | None]:
        """Start the container that a task definition declares. Raises TaskFailed."""
        definition = _overridden(task, declared)
        unreached = agent.missing(self.cloud.network, task, definition)
        if unreached is not None:
            raise TaskFailed(unreached)
        directory = self.cloud.directory / "ecs" / task.id / str(definition["name"])
        given = {pair["name"]: pair.get("value", "") for pair in definition["environment"]}
        spec = ContainerSpec(
            image=definition["image"],
            name=f"ecs {task.group} {definition['name']}",
            directory=directory,
            entry_point=definition.get("entryPoint") or None,
            command=definition.get("command"),
            environment={**given, **self._secrets(task, definition), **granted},
            region=task.place.region,
            address=self.cloud.network.inside(task.address),
            attachment=task.attachment,
        )
        log = self._log(task, definition, directory)
        try:
            container = self.cloud.containers.run(spec)
        except ImageNotFound as missing:
            reason = f"CannotPullContainerError: pull image manifest has been retried 1 time(s): {missing}"
            raise TaskFailed(reason) from missing
        except (DockerfileError, OSError) as broken:
            raise TaskFailed(f"CannotStartContainerError: {broken}") from broken
        return container, log

    def _secrets(self, task: TaskRecord, definition: Mapping[str, Any]) -> dict[str, str]:
        wanted = definition.get("secrets") or []
        if not wanted:
            return {}
        role = str(task.definition.__dict__.get("execution_role_arn"))
        try:
            return secrets.fetch(self.cloud, task.place.region, wanted, self.credentials.assume(role, task.id))
        except RoleNotFound as missing:
            raise TaskFailed(_NO_ROLE.format(missing)) from missing
        except secrets.SecretUnavailable as missing:
            raise TaskFailed(str(missing)) from missing

    def _log(self, task: TaskRecord, definition: Mapping[str, Any], directory: Path) -> ShippedLog | None:
        configuration = definition.get("logConfiguration") or {}
        if configuration.get("logDriver") != "awslogs":
            return None
        options = configuration.get("options") or {}
        group, prefix = options.get("awslogs-group", ""), options.get("awslogs-stream-prefix", "ecs")
        if str(options.get("awslogs-create-group", "")).lower() == "true":
            ensure_group(self.cloud, task.place, group)
        with self.cloud.turn("logs"):
            if group not in backend_of(task.place).groups:
                raise TaskFailed(
                    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
                    "times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group "
                    f"does not exist. ({group})"
                )
        stream = f"{prefix}/{definition['name']}/{task.id}"
        return ShippedLog(self.cloud, task.place, directory.with_suffix(".log"), group, stream)


def _overridden(task: TaskRecord, definition: Mapping[str, Any]) -> dict[str, Any]:
    overrides = (task.request.get("overrides") or {}).get("containerOverrides") or []
    chosen: Mapping[str, Any] = next((one for one in overrides if one.get("name") == definition["name"]), {})
    pairs = [*(definition.get("environment") or []), *(chosen.get("environment") or [])]
    variables = {pair["name"]: pair for pair in pairs}
    command = chosen.get("command") or definition.get("command")
    return {**definition, "environment": list(variables.values()), "command": command}
