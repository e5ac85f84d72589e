"""The runner: how a script outside of a region's network has something asked inside of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.egress import allow_services
from components.validation import checked
from interlock.duties.guarded_resources import service_role
from interlock.duties.service_roles import repository_arn, task_start_policy, trust_policy

CONTAINER_NAME: Final = "runner"
ENTRY_POINT: Final = ("python", "-I", "/opt/runner/entrypoint.py")
DATABASE_AUTHORITIES: Final = "/etc/ssl/rds/global-bundle.pem"
HTTP_AUTHORITIES: Final = "/etc/ssl/amazon/root.pem"


class DatabaseTarget(TypedDict):
    """A PostgreSQL server in the region's network."""

    address: pulumi.Input[str]
    port: pulumi.Input[int]
    names: pulumi.Input[list[str]]
    """The databases that may be read."""
    secret_arn: pulumi.Input[str]
    """A secret of this region with JSON {"username", "password"}."""
    client_security_group_id: pulumi.Input[str]


class HttpTarget(TypedDict):
    """An HTTPS server in the region's network."""

    address: pulumi.Input[str]
    server_name: pulumi.Input[str]
    """What its certificate is verified against."""


class RunnerArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    cidr_block: pulumi.Input[str]
    """Where the services' endpoints and the HTTPS servers are."""
    subnet_ids: pulumi.Input[list[str]]
    storage_prefix_list_id: pulumi.Input[str]
    image: pulumi.Input[str]
    encryption_key_arn: pulumi.Input[str]
    """Key of the logs and of the database's secret."""
    database: NotRequired[DatabaseTarget]
    http_targets: NotRequired[Mapping[str, HttpTarget]]
    """By the name that an operation calls it."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""
    cluster_name: NotRequired[pulumi.Input[str]]
    """Drawn from the component's name unless given."""
    existing_cluster_arn: NotRequired[pulumi.Input[str]]
    """An ECS cluster to run in, in place of a new one."""


class Runner(pulumi.ComponentResource):
    """A task definition that RunTask starts for seconds; nothing runs in between, and nothing comes in.

    What a task may reach stands in its entry point, which no override of RunTask touches, and in its security groups.
    It has no role of its own, so no credentials at all.
    """

    cluster_name: pulumi.Output[str]
    cluster_arn: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]
    subnet_ids: pulumi.Output[list[str]]
    security_group_ids: pulumi.Output[list[str]]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: RunnerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(RunnerArgs, f"Runner {name}", args, _RULES)
        database: Mapping[str, Any] = args.get("database", {})
        super().__init__("interlock:runner:Runner", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        if "existing_cluster_arn" in args:
            self.cluster_arn = pulumi.Output.from_input(args["existing_cluster_arn"])
        else:
            self.cluster_arn = aws.ecs.Cluster(
                f"{name}-cluster",
                name=args.get("cluster_name"),
                settings=[{"name": "containerInsights", "value": "enabled"}],
                opts=inside,
            ).arn
        self.cluster_name = self.cluster_arn.apply(lambda arn: arn.rpartition("/")[2])
        group = aws.ec2.SecurityGroup(
            f"{name}-group", vpc_id=args["vpc_id"], description="The runner: nothing comes in", opts=inside
        )
        allow_services(name, group.id, args["cidr_block"], args["storage_prefix_list_id"], inside)
        groups = [group.id, database["client_security_group_id"]] if database else [group.id]
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            kms_key_id=args["encryption_key_arn"],
            retention_in_days=args.get("log_retention_days", 365),
            opts=inside,
        )

        self.task_definition_arn = self._definition(name, args, database, logs)
        self.subnet_ids = pulumi.Output.from_input(args["subnet_ids"])
        self.security_group_ids = pulumi.Output.all(*groups)
        self.log_group_name = logs.name
        self.register_outputs(
            {
                "clusterName": self.cluster_name,
                "clusterArn": self.cluster_arn,
                "taskDefinitionArn": self.task_definition_arn,
                "subnetIds": self.subnet_ids,
                "securityGroupIds": self.security_group_ids,
                "logGroupName": self.log_group_name,
            }
        )

    def _definition(
        self, name: str, args: RunnerArgs, database: Mapping[str, Any], logs: aws.cloudwatch.LogGroup
    ) -> pulumi.Output[str]:
        secrets: pulumi.Output[dict[str, str]] = pulumi.Output.all(
            **({"DATABASE_SECRET": database["secret_arn"]} if database else {})
        )
        start = pulumi.Output.all(args["image"], logs.arn, secrets, args["encryption_key_arn"]).apply(
            lambda known: task_start_policy(
                repository_arn(known[0]), known[1], list((known[2] or {}).values()), [known[3]]
            )
        )
        definition = aws.ecs.TaskDefinition(
            f"{name}-definition",
            family=f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}",
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu="256",
            memory="512",
            execution_role_arn=self._start_role(name, args["account_id"], start),
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
            container_definitions=pulumi.Output.all(
                image=args["image"],
                targets=_targets(database, args.get("http_targets", {})),
                secrets=secrets,
                region=args["region"],
                log_group=logs.name,
            ).apply(lambda known: json.dumps([_container(**known)])),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return definition.arn

    def _start_role(self, name: str, account_id: pulumi.Input[str], policy: pulumi.Output[str]) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            _start_role_name(name),
            assume_role_policy=pulumi.Output.from_input(account_id).apply(
                lambda account: trust_policy("ecs-tasks.amazonaws.com", account)
            ),
            opts=inside,
        )
        grant = aws.iam.RolePolicy(f"{name}-start-policy", role=role.id, policy=policy, opts=inside)
        # Who is given the role finds its permissions in place.
        return pulumi.Output.all(role.arn, grant.id).apply(lambda known: str(known[0]))


def starting_role(account_id: str, name: str) -> str:
    """Return the pattern of the ARN of the role that the tasks of the runner `name` are started with."""
    return service_role(account_id, _start_role_name(name))


def _start_role_name(name: str) -> str:
    return f"{name}-start-role"


def _targets(database: Mapping[str, Any], http: Mapping[str, HttpTarget]) -> pulumi.Output[dict[str, Any]]:
    reached = {key: database[key] for key in ("address", "port", "names")} if database else None
    return pulumi.Output.all(database=reached, http={key: dict(value) for key, value in http.items()})


def _container(
    image: str, targets: Mapping[str, Any], secrets: Mapping[str, str] | None, region: str, log_group: str
) -> dict[str, Any]:
    return {
        "name": CONTAINER_NAME,
        "image": image,
        "essential": True,
        "entryPoint": [
            *ENTRY_POINT,
            *("--targets", json.dumps(_whole(targets), sort_keys=True)),
            *("--database-ca", DATABASE_AUTHORITIES),
            *("--http-ca", HTTP_AUTHORITIES),
            "--",
        ],
        "environment": [],
        "secrets": [{"name": key, "valueFrom": value} for key, value in sorted((secrets or {}).items())],
        "linuxParameters": {"initProcessEnabled": True},
        "readonlyRootFilesystem": True,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": log_group, "awslogs-region": region, "awslogs-stream-prefix": CONTAINER_NAME},
        },
    }


def _whole(value: Any) -> Any:
    # Numbers that passed the engine are floats, and a port has no fraction.
    if isinstance(value, Mapping):
        return {key: _whole(one) for key, one in value.items() if one is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


_DATABASE_RULES: Final = {
    "address": validation.host,
    "port": validation.integer(1, 65535),
    "names": validation.some(validation.database_name),
    "secret_arn": validation.secret_arn,
    "client_security_group_id": validation.security_group_id,
}
_TARGET_NAME: Final = validation.text(
    r"[a-z][a-z0-9-]{0,39}", "up to 40 small letters, digits and hyphens, a letter first"
)
_HTTP_RULES: Final = {"address": validation.host, "server_name": validation.domain}
_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "vpc_id": validation.vpc_id,
    "cidr_block": validation.cidr_block,
    "subnet_ids": validation.some(validation.subnet_id),
    "storage_prefix_list_id": validation.prefix_list_id,
    "image": validation.image,
    "encryption_key_arn": validation.key_arn,
    "database": validation.section(DatabaseTarget, _DATABASE_RULES),
    "http_targets": validation.section(HttpTarget, _HTTP_RULES, names=_TARGET_NAME),
    "log_retention_days": validation.log_retention_days,
    "cluster_name": validation.cluster_name,
    "existing_cluster_arn": validation.cluster_arn,
}
