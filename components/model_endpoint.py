"""A model's endpoint: everything around what serves; what serves is the release controller's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.egress import allow_services
from components.endpoint_alarms import EndpointAlarms, EndpointAlarmsArgs
from components.private_bucket import PrivateBucket
from components.validation import checked
from interlock.duties.prefixes import RELEASES, SERVED
from interlock.duties.service_roles import repository_arn, serving_policy, trust_policy

VARIANTS: Final = ("blue", "green")
STARTUP_TIMEOUT_SECONDS: Final = 600
SCALING: Final = {
    "invocations_per_instance": 1000,
    "scale_in_cooldown_seconds": 300,
    "scale_out_cooldown_seconds": 60,
}
"""What the controller scales a variant by: requests a minute and instance.

Nothing is registered for the holding variants. A scaling target that the program owned would put back, at the next
`pulumi up`, the limits that a rollout has raised, and be one more thing that an update of the endpoint trips over.
"""
CAPTURE_PREFIX: Final = "captured/"


class ModelEndpointArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    endpoint_name: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    cidr_block: pulumi.Input[str]
    storage_prefix_list_id: pulumi.Input[str]
    image: pulumi.Input[str]
    vault_bucket_name: pulumi.Input[str]
    vault_bucket_arn: pulumi.Input[str]
    vault_key_arn: pulumi.Input[str]
    encryption_key_arn: pulumi.Input[str]
    """Key of the instances' volumes and of the logs."""
    instance_type: NotRequired[pulumi.Input[str]]
    """`ml.m5.large` unless given."""
    min_instance_count: NotRequired[pulumi.Input[int]]
    """A variant's; 1 unless given."""
    max_instance_count: NotRequired[pulumi.Input[int]]
    """A variant's; 8 unless given."""
    p99_latency_limit_ms: NotRequired[pulumi.Input[int]]
    """500 unless given."""
    p95_latency_limit_ms: NotRequired[pulumi.Input[int]]
    """Three fifths of p99's unless given."""
    p50_latency_limit_ms: NotRequired[pulumi.Input[int]]
    """A fifth of p99's unless given."""
    server_error_limit_percent: NotRequired[pulumi.Input[int]]
    client_error_limit_percent: NotRequired[pulumi.Input[int]]
    alarm_topic_arns: NotRequired[pulumi.Input[list[str]]]
    """Where alarms are published; nowhere unless given."""
    data_capture_percent: NotRequired[int]
    """Of the requests whose inputs and answers a release keeps in a bucket of its own; none unless given."""
    capture_force_destroy: NotRequired[pulumi.Input[bool]]
    """Whether destroying that bucket destroys what lies in it; false unless given."""
    deletion_protection: NotRequired[bool]
    """Whether what serves, and its logs, are protected from being removed or renamed; true unless given."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""
    tags: NotRequired[pulumi.Input[Mapping[str, str]]]
    """What the controller tags its models and configurations with."""


class ModelEndpoint(pulumi.ComponentResource):
    """An endpoint with the variants blue and green, its role, network, logs and alarms, and the serving template.

    Until the first release both variants hold: the serving image without a model answers 503.
    """

    endpoint_name: pulumi.Output[str]
    endpoint_arn: pulumi.Output[str]
    holding_model_name: pulumi.Output[str]
    holding_configuration_name: pulumi.Output[str]
    serving_template: pulumi.Output[dict[str, Any]]
    """What the controller makes models and endpoint configurations from."""

    def __init__(self, name: str, args: ModelEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(ModelEndpointArgs, f"ModelEndpoint {name}", args, _RULES)
        super().__init__("interlock:serving:ModelEndpoint", name, {}, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=args.get("deletion_protection", True))

        # SageMaker would make this group itself, without a key and for ever.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=pulumi.Output.concat("/aws/sagemaker/Endpoints/", args["endpoint_name"]),
            kms_key_id=args["encryption_key_arn"],
            retention_in_days=args.get("log_retention_days", 365),
            opts=kept,
        )
        captured = self._capture(name, args)
        role_arn = self._role(name, args, logs, captured)
        group_id = self._group(name, args)
        model = self._holding_model(name, args, role_arn, group_id)
        configuration = self._holding_configuration(name, args, model)
        endpoint = aws.sagemaker.Endpoint(
            f"{name}-endpoint",
            name=args["endpoint_name"],
            endpoint_config_name=configuration.name,
            # The controller's, from the first release on.
            opts=pulumi.ResourceOptions.merge(
                kept,
                pulumi.ResourceOptions(depends_on=[logs], ignore_changes=["endpoint_config_name", "deployment_config"]),
            ),
        )
        alarms = self._alarms(name, args, endpoint)

        self.endpoint_name = endpoint.name
        self.endpoint_arn = endpoint.arn
        self.holding_model_name = model.name
        self.holding_configuration_name = configuration.name
        self.serving_template = pulumi.Output.all(
            image=args["image"],
            instance_type=args.get("instance_type", "ml.m5.large"),
            min_instance_count=args.get("min_instance_count", 1),
            max_instance_count=args.get("max_instance_count", 8),
            execution_role_arn=role_arn,
            subnet_ids=args["subnet_ids"],
            security_group_ids=[group_id],
            volume_key_arn=args["encryption_key_arn"],
            network_isolation=True,
            model_data_bucket_name=args["vault_bucket_name"],
            model_data_prefix=RELEASES,
            startup_timeout_seconds=STARTUP_TIMEOUT_SECONDS,
            alarm_names=alarms.alarm_names,
            scaling=SCALING,
            data_capture=_data_capture(args, captured),
            tags=args.get("tags", {}),
        )
        self.register_outputs(
            {
                "endpointName": self.endpoint_name,
                "endpointArn": self.endpoint_arn,
                "holdingModelName": self.holding_model_name,
                "holdingConfigurationName": self.holding_configuration_name,
                "servingTemplate": self.serving_template,
            }
        )

    def _alarms(self, name: str, args: ModelEndpointArgs, endpoint: aws.sagemaker.Endpoint) -> EndpointAlarms:
        slowest = pulumi.Output.from_input(args.get("p99_latency_limit_ms", 500))
        limits: EndpointAlarmsArgs = {
            "endpoint_name": endpoint.name,
            "variants": VARIANTS,
            "p50_latency_limit_ms": args.get("p50_latency_limit_ms", slowest.apply(lambda ms: max(int(ms) // 5, 1))),
            "p95_latency_limit_ms": args.get(
                "p95_latency_limit_ms", slowest.apply(lambda ms: max(int(ms) * 3 // 5, 1))
            ),
            "p99_latency_limit_ms": slowest,
            "server_error_limit_percent": args.get("server_error_limit_percent", 1),
            "client_error_limit_percent": args.get("client_error_limit_percent", 20),
        }
        if "alarm_topic_arns" in args:
            limits["topic_arns"] = args["alarm_topic_arns"]
        return EndpointAlarms(f"{name}-alarms", limits, pulumi.ResourceOptions(parent=self))

    def _capture(self, name: str, args: ModelEndpointArgs) -> PrivateBucket | None:
        if "data_capture_percent" not in args:
            return None
        return PrivateBucket(
            f"{name}-captured",
            {
                "encryption_key_arn": args["encryption_key_arn"],
                "force_destroy": args.get("capture_force_destroy", False),
            },
            pulumi.ResourceOptions(parent=self),
        )

    def _role(
        self, name: str, args: ModelEndpointArgs, logs: aws.cloudwatch.LogGroup, captured: PrivateBucket | None
    ) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=pulumi.Output.from_input(args["account_id"]).apply(
                lambda account: trust_policy("sagemaker.amazonaws.com", account)
            ),
            opts=inside,
        )
        grant = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.id,
            policy=pulumi.Output.all(
                args["image"],
                logs.arn,
                args["vault_bucket_arn"],
                args["vault_key_arn"],
                args["encryption_key_arn"],
                args["subnet_ids"],
                captured.bucket_arn if captured else None,
            ).apply(
                lambda known: serving_policy(
                    repository_arn(known[0]),
                    known[1],
                    known[2],
                    SERVED,
                    known[3],
                    known[4],
                    known[5],
                    f"{known[6]}/{CAPTURE_PREFIX}" if known[6] else None,
                )
            ),
            opts=inside,
        )
        # Who is given the role finds its permissions in place.
        return pulumi.Output.all(role.arn, grant.id).apply(lambda known: str(known[0]))

    def _group(self, name: str, args: ModelEndpointArgs) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(
            f"{name}-group", vpc_id=args["vpc_id"], description="Serving containers: nothing comes in", opts=inside
        )
        allow_services(name, group.id, args["cidr_block"], args["storage_prefix_list_id"], inside)
        return group.id

    def _holding_model(
        self, name: str, args: ModelEndpointArgs, role_arn: pulumi.Output[str], group_id: pulumi.Output[str]
    ) -> aws.sagemaker.Model:
        return aws.sagemaker.Model(
            f"{name}-holding",
            execution_role_arn=role_arn,
            enable_network_isolation=True,
            primary_container={"image": args["image"]},
            vpc_config={"subnets": args["subnet_ids"], "security_group_ids": [group_id]},
            # A model is replaced, never changed, and this one may be serving: a new image comes by a release.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["primary_container", "vpc_config"]),
        )

    def _holding_configuration(
        self, name: str, args: ModelEndpointArgs, model: aws.sagemaker.Model
    ) -> aws.sagemaker.EndpointConfiguration:
        return aws.sagemaker.EndpointConfiguration(
            f"{name}-holding",
            kms_key_arn=args["encryption_key_arn"],
            production_variants=[
                {
                    "variant_name": variant,
                    "model_name": model.name,
                    "instance_type": args.get("instance_type", "ml.m5.large"),
                    "initial_instance_count": args.get("min_instance_count", 1),
                    "initial_variant_weight": 1.0 if variant == VARIANTS[0] else 0.0,
                    "container_startup_health_check_timeout_in_seconds": STARTUP_TIMEOUT_SECONDS,
                }
                for variant in VARIANTS
            ],
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["production_variants", "kms_key_arn"]),
        )


def _data_capture(args: ModelEndpointArgs, captured: PrivateBucket | None) -> dict[str, Any] | None:
    if captured is None:
        return None
    return {
        "percent": args["data_capture_percent"],
        "uri": pulumi.Output.concat("s3://", captured.bucket_name, "/", CAPTURE_PREFIX.rstrip("/")),
        "encryption_key_arn": args["encryption_key_arn"],
    }


_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "endpoint_name": validation.endpoint_name,
    "vpc_id": validation.vpc_id,
    "subnet_ids": validation.some(validation.subnet_id, at_least=2),
    "cidr_block": validation.cidr_block,
    "storage_prefix_list_id": validation.prefix_list_id,
    "image": validation.image,
    "vault_bucket_name": validation.bucket_name,
    "vault_bucket_arn": validation.bucket_arn,
    "vault_key_arn": validation.key_arn,
    "encryption_key_arn": validation.key_arn,
    "instance_type": validation.instance_type,
    "min_instance_count": validation.integer(1, 1000),
    "max_instance_count": validation.integer(1, 1000),
    "p50_latency_limit_ms": validation.integer(1, 60000, "ms"),
    "p95_latency_limit_ms": validation.integer(1, 60000, "ms"),
    "p99_latency_limit_ms": validation.integer(1, 60000, "ms"),
    "server_error_limit_percent": validation.integer(0, 99, "percent"),
    "client_error_limit_percent": validation.integer(0, 99, "percent"),
    "alarm_topic_arns": validation.some(validation.topic_arn),
    "data_capture_percent": validation.integer(1, 100, "percent"),
    "capture_force_destroy": validation.boolean,
    "deletion_protection": validation.boolean,
    "log_retention_days": validation.log_retention_days,
    "tags": validation.any_of(validation.tag_key, validation.tag_value),
}
