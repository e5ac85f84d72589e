"""Which roles a request hands to a service: each of them takes iam:PassRole.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rehearsal.cloud.authorization.calls import Call

_PASSED: Final[Mapping[str, Mapping[str, str]]] = {
    "ec2:CreateFlowLogs": {"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"},
    "ecs:RegisterTaskDefinition": {
        "executionRoleArn": "ecs-tasks.amazonaws.com",
        "taskRoleArn": "ecs-tasks.amazonaws.com",
    },
    "ecs:RunTask": {
        "overrides.executionRoleArn": "ecs-tasks.amazonaws.com",
        "overrides.taskRoleArn": "ecs-tasks.amazonaws.com",
    },
    "eks:CreateCluster": {"roleArn": "eks.amazonaws.com"},
    "events:PutTargets": {"Targets.RoleArn": "events.amazonaws.com"},
    "lambda:CreateFunction": {"Role": "lambda.amazonaws.com"},
    "lambda:UpdateFunctionConfiguration": {"Role": "lambda.amazonaws.com"},
    "rds:CreateDBInstance": {"MonitoringRoleArn": "monitoring.rds.amazonaws.com"},
    "rds:CreateDBInstanceReadReplica": {"MonitoringRoleArn": "monitoring.rds.amazonaws.com"},
    "rds:ModifyDBInstance": {"MonitoringRoleArn": "monitoring.rds.amazonaws.com"},
    "sagemaker:CreateModel": {"ExecutionRoleArn": "sagemaker.amazonaws.com"},
    "sagemaker:CreateNotebookInstance": {"RoleArn": "sagemaker.amazonaws.com"},
    "sagemaker:CreateProcessingJob": {"RoleArn": "sagemaker.amazonaws.com"},
    "sagemaker:CreateTrainingJob": {"RoleArn": "sagemaker.amazonaws.com"},
}
"""Of each action: the parameter that names a role, and the service that gets it."""


def passed_roles(call: Call) -> Iterator[tuple[str, str]]:
    """Yield the ARN of each role that a request passes, and the service that it is passed to."""
    for path, service in _PASSED.get(call.action, {}).items():
        for role in _found(call.parameters, path.split(".")):
            yield role, service


def _found(value: Any, path: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _found(one, path)
    elif not path:
        if str(value or "").startswith("arn:"):
            yield str(value)
    elif isinstance(value, Mapping):
        yield from _found(value.get(path[0]), path[1:])
