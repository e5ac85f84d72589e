"""Alarms of an endpoint: what a rollout stops at, and what wakes somebody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked

MICROSECONDS: Final = 1000
"""In a millisecond: SageMaker publishes latencies in microseconds."""


class EndpointAlarmsArgs(TypedDict):
    endpoint_name: pulumi.Input[str]
    variants: Sequence[str]
    p99_latency_limit_ms: pulumi.Input[int]


class EndpointAlarms(pulumi.ComponentResource):
    """For each variant: the 99th percentile of its model's latency, and its server errors."""

    alarm_names: pulumi.Output[list[str]]

    def __init__(self, name: str, args: EndpointAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(EndpointAlarmsArgs, f"EndpointAlarms {name}", args, _RULES)
        super().__init__("interlock:serving:EndpointAlarms", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        names = []
        for variant in args["variants"]:
            dimensions = {"EndpointName": args["endpoint_name"], "VariantName": variant}
            latency = aws.cloudwatch.MetricAlarm(
                f"{name}-{variant}-p99",
                alarm_description=f"The slowest hundredth of {variant}'s requests waits too long for its model",
                namespace="AWS/SageMaker",
                metric_name="ModelLatency",
                dimensions=dimensions,
                extended_statistic="p99",
                unit="Microseconds",
                comparison_operator="GreaterThanThreshold",
                threshold=pulumi.Output.from_input(args["p99_latency_limit_ms"]).apply(lambda ms: ms * MICROSECONDS),
                period=60,
                evaluation_periods=5,
                datapoints_to_alarm=3,
                treat_missing_data="notBreaching",
                opts=inside,
            )
            # Each request publishes 1 or 0: the sum is a count, an average could never exceed 1.
            errors = aws.cloudwatch.MetricAlarm(
                f"{name}-{variant}-5xx",
                alarm_description=f"{variant} answers with server errors",
                namespace="AWS/SageMaker",
                metric_name="Invocation5XXErrors",
                dimensions=dimensions,
                statistic="Sum",
                comparison_operator="GreaterThanOrEqualToThreshold",
                threshold=5,
                period=60,
                evaluation_periods=3,
                datapoints_to_alarm=2,
                treat_missing_data="notBreaching",
                opts=inside,
            )
            names += [latency.name, errors.name]

        self.alarm_names = pulumi.Output.all(*names)
        self.register_outputs({"alarmNames": self.alarm_names})


_RULES: Final = {
    "endpoint_name": validation.endpoint_name,
    "variants": validation.some(validation.name),
    "p99_latency_limit_ms": validation.integer(1, 60000, "ms"),
}
