"""What ECS's agent itself calls for a task, through the task's own network interface.

Source of the reasons: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html
and https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-security-considerations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rehearsal.cloud.network.services import Called

if TYPE_CHECKING:
    from rehearsal.cloud.network.fabric import Network
    from rehearsal.cloud.services.ecs.records import TaskRecord

_ISSUE = "There is a connection issue between the task and"
_CHECK = "Check your task network configuration."
_REGISTRY = (
    "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from "
    f"Amazon ECR: {_ISSUE} Amazon ECR. {_CHECK}"
)
_LAYERS = f"CannotPullContainerError: {_ISSUE} the image's layers in Amazon S3. {_CHECK}"
_SECRETS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull secrets from {0}: "
    f"{_ISSUE} {{0}}. {_CHECK}"
)
_LOGS = (
    "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log group "
    f"defined in the task definition. {_ISSUE} Amazon CloudWatch. Check your network configuration."
)


def missing(network: Network, task: TaskRecord, definition: Mapping[str, Any]) -> str | None:
    """Return the stoppedReason of a task whose network does not reach what the container needs, None if it does."""
    if task.attachment is None:
        return None
    for service, region, reason in needs(definition, task.place.region):
        problem = network.service_obstacle(task.attachment, Called(service, region))
        if problem is not None:
            return f"{reason} ({service}: {problem})"
    return None


def needs(definition: Mapping[str, Any], region: str) -> Iterator[tuple[str, str, str]]:
    """Return the services, each with its region and what is said without it, that starting a container takes."""
    image_region = str(definition["image"]).partition(".dkr.ecr.")[2].partition(".")[0] or region
    yield "ecr.api", image_region, _REGISTRY
    yield "ecr.dkr", image_region, _REGISTRY
    yield "s3", image_region, _LAYERS
    for secret in definition.get("secrets") or []:
        reference = str(secret["valueFrom"])
        parts = reference.split(":")
        place = parts[3] if reference.startswith("arn:") and len(parts) > 3 else region
        if ":secretsmanager:" in reference:
            yield "secretsmanager", place, _SECRETS.format("AWS Secrets Manager")
        else:
            yield "ssm", place, _SECRETS.format("AWS Systems Manager")
    log = definition.get("logConfiguration") or {}
    if log.get("logDriver") == "awslogs":
        yield "logs", str((log.get("options") or {}).get("awslogs-region") or region), _LOGS
