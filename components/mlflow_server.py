"""The MLflow server: a Fargate service behind an internal load balancer, its users kept in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.egress import allow_services
from components.generated_secret import GeneratedSecret, GeneratedSecretArgs
from components.internal_load_balancer import InternalLoadBalancer
from components.mlflow_task import CONTAINER_NAME, PORT, MlflowTask, run_role_name, start_role_name
from components.mlflow_users import MlflowUsers, MlflowUsersArgs
from components.service_scaling import ServiceScaling
from components.validation import checked
from interlock.duties.guarded_resources import service_role
from interlock.sizes import ServerSize

ADMIN_NAME: Final = "admin"


class MlflowServerArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    cidr_block: pulumi.Input[str]
    """From where clients may connect, and where the services' endpoints are."""
    client_cidr_blocks: NotRequired[Sequence[str]]
    """From where else clients may connect, in networks that are joined to this one; nowhere unless given."""
    subnet_ids: pulumi.Input[list[str]]
    storage_prefix_list_id: pulumi.Input[str]
    domain: pulumi.Input[str]
    certificate_arn: pulumi.Input[str]
    """A certificate of ACM for `domain`."""
    image: pulumi.Input[str]
    database_address: pulumi.Input[str]
    database_port: pulumi.Input[int]
    database_name: pulumi.Input[str]
    auth_database_name: pulumi.Input[str]
    database_secret_arn: pulumi.Input[str]
    """A secret with JSON {"username", "password"}."""
    database_client_security_group_id: pulumi.Input[str]
    artifact_bucket_name: pulumi.Input[str]
    artifact_bucket_arn: pulumi.Input[str]
    encryption_key_arn: pulumi.Input[str]
    """Key of the artifact store, the secrets and the logs."""
    size: NotRequired[str]
    """One of `ServerSize`; medium unless given."""
    task_count: NotRequired[pulumi.Input[int]]
    """What the service never falls below; 2 unless given."""
    max_task_count: NotRequired[pulumi.Input[int]]
    """What it grows to; 8 unless given."""
    cluster_name: NotRequired[pulumi.Input[str]]
    """Drawn from the component's name unless given."""
    existing_cluster_arn: NotRequired[pulumi.Input[str]]
    """An ECS cluster to run in, in place of a new one."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""
    deletion_protection: NotRequired[bool]
    """Whether the load balancer refuses to be deleted, and Pulumi to delete the secrets; true unless given."""
    secret_recovery_days: NotRequired[pulumi.Input[int]]
    """30 unless given."""
    administrators: NotRequired[pulumi.Input[list[str]]]
    """ARNs of the only principals who keep the secrets; the account's policies decide unless given."""
    secret_readers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of people's roles or users that read every secret beside what needs it; nobody unless given."""
    duty_role_arns: NotRequired[pulumi.Input[Mapping[str, str]]]
    """By duty: the role that reads its own user's password; none unless given."""


class MlflowServer(pulumi.ComponentResource):
    """MLflow with its auth app: no request without a user, no artifact but through the server."""

    uri: pulumi.Output[str]
    admin_secret_arn: pulumi.Output[str]
    """Its secret holds JSON {"username", "password"}."""
    user_secret_arns: pulumi.Output[dict[str, str]]
    """By duty; each as the administrator's."""
    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    load_balancer_arn: pulumi.Output[str]

    def __init__(self, name: str, args: MlflowServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(MlflowServerArgs, f"MlflowServer {name}", args, _RULES)
        super().__init__("interlock:tracking:MlflowServer", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        front = InternalLoadBalancer(
            f"{name}-front",
            {
                "vpc_id": args["vpc_id"],
                "cidr_block": args["cidr_block"],
                "client_cidr_blocks": args.get("client_cidr_blocks", ()),
                "subnet_ids": args["subnet_ids"],
                "certificate_arn": args["certificate_arn"],
                "target_port": PORT,
                "health_path": "/health",
                "deletion_protection": args.get("deletion_protection", True),
            },
            inside,
        )
        secret: GeneratedSecretArgs = {
            "description": "Signs MLflow's sessions",
            "encryption_key_arn": args["encryption_key_arn"],
            "recovery_window_days": args.get("secret_recovery_days", 30),
        }
        kept = pulumi.ResourceOptions(parent=self, protect=args.get("deletion_protection", True))
        if "administrators" in args:
            secret["administrators"] = args["administrators"]
            secret["readers"] = self._secret_readers(name, args)
        flask = GeneratedSecret(f"{name}-flask", secret, kept)
        admin = GeneratedSecret(
            f"{name}-admin", {**secret, "description": "MLflow's first administrator", "username": ADMIN_NAME}, kept
        )
        users = MlflowUsers(f"{name}-user", self._users(args, secret), kept)
        self.user_secret_arns = users.secret_arns
        cluster_arn = self._cluster(name, args)
        self.cluster_name = cluster_arn.apply(lambda arn: arn.rpartition("/")[2])
        service = aws.ecs.Service(
            f"{name}-service",
            cluster=cluster_arn,
            launch_type="FARGATE",
            task_definition=self._task(name, args, front, admin, flask, users).task_definition_arn,
            desired_count=args.get("task_count", 2),
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_circuit_breaker={"enable": True, "rollback": True},
            health_check_grace_period_seconds=180,
            enable_execute_command=False,
            propagate_tags="SERVICE",
            wait_for_steady_state=True,
            network_configuration={
                "assign_public_ip": False,
                "subnets": args["subnet_ids"],
                "security_groups": [self._admit(name, args, front), args["database_client_security_group_id"]],
            },
            load_balancers=[
                {"target_group_arn": front.target_group_arn, "container_name": CONTAINER_NAME, "container_port": PORT}
            ],
            # A target group takes targets only once a listener forwards to it. How many tasks run is the scaling's.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[front.listener], ignore_changes=["desired_count"]),
        )
        ServiceScaling(
            f"{name}-scaling",
            {
                "cluster_name": self.cluster_name,
                "service_name": service.name,
                "min_task_count": args.get("task_count", 2),
                "max_task_count": args.get("max_task_count", 8),
                "request_label": front.request_label,
            },
            inside,
        )

        self.uri = pulumi.Output.concat("https://", front.dns_name)
        self.admin_secret_arn = admin.secret_arn
        # From the service: who is given the address finds a server that answers.
        self.service_name = service.name
        self.load_balancer_arn = front.arn
        self.register_outputs(
            {
                "uri": self.uri,
                "adminSecretArn": self.admin_secret_arn,
                "userSecretArns": self.user_secret_arns,
                "clusterName": self.cluster_name,
                "serviceName": self.service_name,
                "loadBalancerArn": self.load_balancer_arn,
            }
        )

    def _secret_readers(self, name: str, args: MlflowServerArgs) -> pulumi.Output[list[str]]:
        return pulumi.Output.all(args["account_id"], args.get("secret_readers", [])).apply(
            lambda known: [service_role(known[0], start_role_name(_task_name(name))), *known[1]]
        )

    def _users(self, args: MlflowServerArgs, secret: GeneratedSecretArgs) -> MlflowUsersArgs:
        users: MlflowUsersArgs = {
            "encryption_key_arn": args["encryption_key_arn"],
            "recovery_window_days": args.get("secret_recovery_days", 30),
        }
        if "administrators" in secret:
            users["administrators"] = secret["administrators"]
            users["readers"] = secret["readers"]
            users["duty_role_arns"] = args.get("duty_role_arns", {})
        return users

    def _cluster(self, name: str, args: MlflowServerArgs) -> pulumi.Output[str]:
        if "existing_cluster_arn" in args:
            return pulumi.Output.from_input(args["existing_cluster_arn"])
        return aws.ecs.Cluster(
            f"{name}-cluster",
            name=args.get("cluster_name"),
            settings=[{"name": "containerInsights", "value": "enabled"}],
            opts=pulumi.ResourceOptions(parent=self),
        ).arn

    def _admit(self, name: str, args: MlflowServerArgs, front: InternalLoadBalancer) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(f"{name}-group", vpc_id=args["vpc_id"], description="MLflow server", opts=inside)
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-from-front",
            security_group_id=group.id,
            description="HTTP from the load balancer",
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            referenced_security_group_id=front.security_group_id,
            opts=inside,
        )
        allow_services(name, group.id, args["cidr_block"], args["storage_prefix_list_id"], inside)
        return group.id

    def _task(
        self,
        name: str,
        args: MlflowServerArgs,
        front: InternalLoadBalancer,
        admin: GeneratedSecret,
        flask: GeneratedSecret,
        users: MlflowUsers,
    ) -> MlflowTask:
        return MlflowTask(
            _task_name(name),
            {
                "account_id": args["account_id"],
                "region": args["region"],
                "image": args["image"],
                "size": args.get("size", ServerSize.MEDIUM),
                "allowed_hosts": pulumi.Output.concat(args["domain"], ",", front.dns_name),
                "database_address": args["database_address"],
                "database_port": args["database_port"],
                "database_name": args["database_name"],
                "auth_database_name": args["auth_database_name"],
                "database_secret_arn": args["database_secret_arn"],
                "admin_secret_arn": admin.secret_arn,
                "flask_secret_arn": flask.secret_arn,
                "user_secret_arns": users.secret_arns,
                "artifact_bucket_name": args["artifact_bucket_name"],
                "artifact_bucket_arn": args["artifact_bucket_arn"],
                "encryption_key_arn": args["encryption_key_arn"],
                "log_retention_days": args.get("log_retention_days", 365),
            },
            pulumi.ResourceOptions(parent=self),
        )


def running_role(account_id: str, name: str) -> str:
    """Return the pattern of the ARN of the role that the containers of the server `name` run with."""
    return service_role(account_id, run_role_name(_task_name(name)))


def _task_name(name: str) -> str:
    return f"{name}-task"


_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "vpc_id": validation.vpc_id,
    "cidr_block": validation.cidr_block,
    "client_cidr_blocks": validation.some(validation.client_cidr_block, at_least=0),
    "subnet_ids": validation.some(validation.subnet_id, at_least=2),
    "storage_prefix_list_id": validation.prefix_list_id,
    "domain": validation.domain,
    "certificate_arn": validation.certificate_arn,
    "image": validation.image,
    "database_address": validation.host,
    "database_port": validation.integer(1, 65535),
    "database_name": validation.database_name,
    "auth_database_name": validation.database_name,
    "database_secret_arn": validation.secret_arn,
    "database_client_security_group_id": validation.security_group_id,
    "artifact_bucket_name": validation.bucket_name,
    "artifact_bucket_arn": validation.bucket_arn,
    "encryption_key_arn": validation.key_arn,
    "size": validation.one_of(*ServerSize),
    "task_count": validation.integer(1, 100),
    "max_task_count": validation.integer(1, 100),
    "cluster_name": validation.cluster_name,
    "existing_cluster_arn": validation.cluster_arn,
    "log_retention_days": validation.log_retention_days,
    "deletion_protection": validation.boolean,
    "secret_recovery_days": validation.secret_recovery_days,
    "administrators": validation.some(validation.iam_principal),
    "secret_readers": validation.some(validation.iam_principal_pattern, at_least=0),
    "duty_role_arns": validation.any_of(validation.user_name, validation.role_arn),
}
