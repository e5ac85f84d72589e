"""How many tasks an ECS service has: as many as its CPU and its requests ask for, within limits."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import ArgumentError, Problem, checked


class ServiceScalingArgs(TypedDict):
    cluster_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    min_task_count: pulumi.Input[int]
    max_task_count: pulumi.Input[int]
    request_label: pulumi.Input[str]
    """`app/<load balancer>/<id>/targetgroup/<group>/<id>`, whose requests are counted."""
    cpu_percent: NotRequired[pulumi.Input[int]]
    """Average of all tasks that is aimed at; 60 unless given."""
    requests_per_task: NotRequired[pulumi.Input[int]]
    """A minute; 1,000 unless given."""


class ServiceScaling(pulumi.ComponentResource):
    """A scalable target with two policies; whichever asks for more tasks is followed."""

    target_id: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceScalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(ServiceScalingArgs, f"ServiceScaling {name}", args, _RULES)
        _ordered(f"ServiceScaling {name}", args)
        super().__init__("interlock:tracking:ServiceScaling", name, {}, opts)

        target = aws.appautoscaling.Target(
            f"{name}-target",
            service_namespace="ecs",
            resource_id=pulumi.Output.concat("service/", args["cluster_name"], "/", args["service_name"]),
            scalable_dimension="ecs:service:DesiredCount",
            min_capacity=args["min_task_count"],
            max_capacity=args["max_task_count"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._follow(f"{name}-cpu", target, "ECSServiceAverageCPUUtilization", args.get("cpu_percent", 60))
        self._follow(
            f"{name}-requests",
            target,
            "ALBRequestCountPerTarget",
            args.get("requests_per_task", 1000),
            args["request_label"],
        )

        self.target_id = target.id
        self.register_outputs({"targetId": self.target_id})

    def _follow(
        self,
        name: str,
        target: aws.appautoscaling.Target,
        metric: str,
        value: pulumi.Input[int],
        label: pulumi.Input[str] | None = None,
    ) -> None:
        aws.appautoscaling.Policy(
            name,
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            target_tracking_scaling_policy_configuration={
                "target_value": value,
                # A task takes half a minute to begin, and one too many costs less than one too few.
                "scale_in_cooldown": 300,
                "scale_out_cooldown": 60,
                "predefined_metric_specification": {
                    "predefined_metric_type": metric,
                    "resource_label": label,
                },
            },
            opts=pulumi.ResourceOptions(parent=self),
        )


def _ordered(subject: str, args: ServiceScalingArgs) -> None:
    least, most = args["min_task_count"], args["max_task_count"]
    if isinstance(least, int) and isinstance(most, int) and most < least:
        accepted = f"{least}, which is min_task_count, or more"
        raise ArgumentError(subject, [Problem(f"{subject}.max_task_count", str(most), accepted)])


_RULES: Final = {
    "cluster_name": validation.cluster_name,
    "service_name": validation.service_name,
    "min_task_count": validation.integer(1, 100),
    "max_task_count": validation.integer(1, 100),
    "request_label": validation.text(
        r"app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+", "app/<balancer>/<id>/targetgroup/<group>/<id>"
    ),
    "cpu_percent": validation.integer(10, 95, "percent"),
    "requests_per_task": validation.integer(1, 1_000_000),
}
