"""The MLflow server's task: what one container of it runs, with which permissions and secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.artifact_store import ARTIFACT_PREFIX
from components.validation import checked
from interlock.duties.rotation import read_secret_policy
from interlock.duties.service_roles import artifact_access_policy, repository_arn, task_start_policy, trust_policy
from interlock.sizes import ServerSize

PORT: Final = 5000
CONTAINER_NAME: Final = "mlflow"
UPGRADE_NAME: Final = "upgrade"


class _Resources(NamedTuple):
    cpu: int
    """Units of 1/1024 of a virtual CPU."""
    memory_mib: int
    workers: int


RESOURCES: Final = {
    ServerSize.SMALL: _Resources(cpu=512, memory_mib=2048, workers=1),
    ServerSize.MEDIUM: _Resources(cpu=1024, memory_mib=4096, workers=2),
    ServerSize.LARGE: _Resources(cpu=2048, memory_mib=8192, workers=4),
}
"""A worker takes about 450 MB; Fargate offers these pairs of CPU and memory."""


class MlflowTaskArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    image: pulumi.Input[str]
    size: str
    """One of `ServerSize`."""
    allowed_hosts: pulumi.Input[str]
    """Separated by commas; a request that names another host is refused."""
    database_address: pulumi.Input[str]
    database_port: pulumi.Input[int]
    database_name: pulumi.Input[str]
    auth_database_name: pulumi.Input[str]
    database_secret_arn: pulumi.Input[str]
    """A secret with JSON {"username", "password"}, as is the administrator's."""
    admin_secret_arn: pulumi.Input[str]
    flask_secret_arn: pulumi.Input[str]
    user_secret_arns: NotRequired[pulumi.Input[Mapping[str, str]]]
    """By duty: a secret with JSON {"username", "password"} of its user; no users but the administrator unless given."""
    artifact_bucket_name: pulumi.Input[str]
    artifact_bucket_arn: pulumi.Input[str]
    encryption_key_arn: pulumi.Input[str]
    log_retention_days: pulumi.Input[int]


class MlflowTask(pulumi.ComponentResource):
    """A task definition, the role that starts its containers and the role that they run with."""

    task_definition_arn: pulumi.Output[str]

    def __init__(self, name: str, args: MlflowTaskArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(MlflowTaskArgs, f"MlflowTask {name}", args, _RULES)
        super().__init__("interlock:tracking:MlflowTask", name, {}, opts)

        size = RESOURCES[ServerSize(args["size"])]
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            kms_key_id=args["encryption_key_arn"],
            retention_in_days=args["log_retention_days"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        secrets, passwords = _secrets(args), _passwords(args)
        start = pulumi.Output.all(args["image"], logs.arn, secrets, args["encryption_key_arn"], passwords).apply(
            lambda known: task_start_policy(
                repository_arn(known[0]),
                known[1],
                [_secret_of(one) for one in {**known[2], **known[4]}.values()],
                [known[3]],
            )
        )
        run = pulumi.Output.all(args["artifact_bucket_arn"], args["encryption_key_arn"]).apply(
            lambda known: artifact_access_policy(known[0], ARTIFACT_PREFIX, known[1])
        )
        access = pulumi.Output.all(args["database_secret_arn"], args["encryption_key_arn"]).apply(
            lambda known: read_secret_policy(known[0], known[1])
        )
        task = aws.ecs.TaskDefinition(
            f"{name}-definition",
            family=f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}",
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(size.cpu),
            memory=str(size.memory_mib),
            execution_role_arn=self._role(start_role_name(name), args["account_id"], start),
            task_role_arn=self._role(run_role_name(name), args["account_id"], run, access),
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
            container_definitions=pulumi.Output.all(
                image=args["image"],
                command=_command(args, size.workers),
                secrets=secrets,
                passwords=passwords,
                region=args["region"],
                log_group=logs.name,
            ).apply(lambda known: json.dumps(_containers(**known))),
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.task_definition_arn = task.arn
        self.register_outputs({"taskDefinitionArn": self.task_definition_arn})

    def _role(
        self,
        name: str,
        account_id: pulumi.Input[str],
        policy: pulumi.Output[str],
        access: pulumi.Output[str] | None = None,
    ) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            name,
            assume_role_policy=pulumi.Output.from_input(account_id).apply(
                lambda account: trust_policy("ecs-tasks.amazonaws.com", account)
            ),
            opts=inside,
        )
        what = name.removesuffix("-role")
        grants = [aws.iam.RolePolicy(f"{what}-policy", role=role.id, policy=policy, opts=inside)]
        if access is not None:
            grants.append(aws.iam.RolePolicy(f"{what}-access", role=role.id, policy=access, opts=inside))
        # Who is given the role finds its permissions in place.
        return pulumi.Output.all(role.arn, *(grant.id for grant in grants)).apply(lambda known: str(known[0]))


def start_role_name(name: str) -> str:
    """Return what the program calls the role that starts the containers of the task `name`."""
    return f"{name}-start-role"


def run_role_name(name: str) -> str:
    """Return what the program calls the role that the containers of the task `name` run with."""
    return f"{name}-run-role"


def _command(args: MlflowTaskArgs, workers: int) -> pulumi.Output[list[str]]:
    options: dict[str, pulumi.Input[str]] = {
        "--host": "0.0.0.0",  # noqa: S104 - every interface of the container's own network namespace
        "--port": str(PORT),
        "--workers": str(workers),
        "--database-host": args["database_address"],
        "--database-port": pulumi.Output.from_input(args["database_port"]).apply(lambda port: str(int(port))),
        "--database-name": args["database_name"],
        "--auth-database-name": args["auth_database_name"],
        "--database-secret": args["database_secret_arn"],
        "--artifacts-destination": pulumi.Output.concat(
            "s3://", args["artifact_bucket_name"], "/", ARTIFACT_PREFIX.rstrip("/")
        ),
        "--allowed-hosts": args["allowed_hosts"],
    }
    return pulumi.Output.all(**options).apply(lambda known: [part for option in known.items() for part in option])


def _secrets(args: MlflowTaskArgs) -> pulumi.Output[dict[str, str]]:
    # Source of the form: ECS Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables".
    return pulumi.Output.all(
        ADMIN_USERNAME=pulumi.Output.concat(args["admin_secret_arn"], ":username::"),
        ADMIN_PASSWORD=pulumi.Output.concat(args["admin_secret_arn"], ":password::"),
        FLASK_SECRET_KEY=args["flask_secret_arn"],
    )


def _passwords(args: MlflowTaskArgs) -> pulumi.Output[dict[str, str]]:
    """Return the references to the users' passwords by the variable that the step `upgrade` takes them from."""
    return pulumi.Output.from_input(args.get("user_secret_arns", {})).apply(
        lambda arns: {f"PASSWORD_OF_{duty.upper()}": f"{arn}:password::" for duty, arn in arns.items()}
    )


def _secret_of(reference: str) -> str:
    return ":".join(reference.split(":")[:7])


def _containers(
    image: str,
    command: list[str],
    secrets: Mapping[str, str],
    passwords: Mapping[str, str],
    region: str,
    log_group: str,
) -> list[dict[str, Any]]:
    """Return the containers: one that upgrades the databases and ends, and the server, which waits for that."""
    common = {
        "image": image,
        "environment": [{"name": "AWS_REGION", "value": region}],
        "secrets": _given(secrets),
        "linuxParameters": {"initProcessEnabled": True},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": log_group, "awslogs-region": region, "awslogs-stream-prefix": CONTAINER_NAME},
        },
    }
    upgrade = {
        **common,
        "name": UPGRADE_NAME,
        "essential": False,
        "command": ["upgrade", *command],
        # The server itself knows its users from its database alone.
        "secrets": _given({**secrets, **passwords}),
    }
    server = {
        **common,
        "name": CONTAINER_NAME,
        "essential": True,
        "command": ["serve", *command],
        "dependsOn": [{"containerName": UPGRADE_NAME, "condition": "SUCCESS"}],
        "portMappings": [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}],
        "healthCheck": {
            "command": ["CMD", "python", "-I", "/opt/mlflow/health.py", f"http://localhost:{PORT}/health"],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 180,
        },
    }
    return [server, upgrade]


def _given(secrets: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": key, "valueFrom": value} for key, value in sorted(secrets.items())]


_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "image": validation.image,
    "size": validation.one_of(*ServerSize),
    "allowed_hosts": validation.hosts,
    "database_address": validation.host,
    "database_port": validation.integer(1, 65535),
    "database_name": validation.database_name,
    "auth_database_name": validation.database_name,
    "database_secret_arn": validation.secret_arn,
    "admin_secret_arn": validation.secret_arn,
    "flask_secret_arn": validation.secret_arn,
    "user_secret_arns": validation.any_of(validation.user_name, validation.secret_arn),
    "artifact_bucket_name": validation.bucket_name,
    "artifact_bucket_arn": validation.bucket_arn,
    "encryption_key_arn": validation.key_arn,
    "log_retention_days": validation.log_retention_days,
}
