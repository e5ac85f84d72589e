"""Alarms of an endpoint: what a rollout stops at, and what wakes somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked

MICROSECONDS: Final = 1000
"""In a millisecond: SageMaker publishes latencies in microseconds."""

PERCENTILES: Final = ("p50", "p95", "p99")


class EndpointAlarmsArgs(TypedDict):
    endpoint_name: pulumi.Input[str]
    variants: Sequence[str]
    p50_latency_limit_ms: pulumi.Input[int]
    p95_latency_limit_ms: pulumi.Input[int]
    p99_latency_limit_ms: pulumi.Input[int]
    server_error_limit_percent: NotRequired[pulumi.Input[int]]
    """Of a variant's requests, in a minute; 1 unless given."""
    client_error_limit_percent: NotRequired[pulumi.Input[int]]
    """20 unless given: a client that sends nonsense is no fault of a release, many at once may be."""
    topic_arns: NotRequired[pulumi.Input[list[str]]]
    """Where a change to and from an alarm is published; nowhere unless given."""


class EndpointAlarms(pulumi.ComponentResource):
    """For each variant: three percentiles of its model's latency, and the shares of its errors."""

    alarm_names: pulumi.Output[list[str]]

    def __init__(self, name: str, args: EndpointAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(EndpointAlarmsArgs, f"EndpointAlarms {name}", args, _RULES)
        super().__init__("interlock:serving:EndpointAlarms", name, {}, opts)

        limits: Mapping[str, pulumi.Input[int]] = {
            "p50": args["p50_latency_limit_ms"],
            "p95": args["p95_latency_limit_ms"],
            "p99": args["p99_latency_limit_ms"],
        }
        alarms = []
        for variant in args["variants"]:
            alarms += [self._latency(name, args, variant, percentile, limits[percentile]) for percentile in PERCENTILES]
            alarms += [
                self._errors(name, args, variant, "5xx", args.get("server_error_limit_percent", 1)),
                self._errors(name, args, variant, "4xx", args.get("client_error_limit_percent", 20)),
            ]

        self.alarm_names = pulumi.Output.all(*(alarm.name for alarm in alarms))
        self.register_outputs({"alarmNames": self.alarm_names})

    def _latency(
        self, name: str, args: EndpointAlarmsArgs, variant: str, percentile: str, limit_ms: pulumi.Input[int]
    ) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{name}-{variant}-{percentile}",
            alarm_description=f"{percentile} of how long {variant}'s requests wait for their model is too long",
            namespace="AWS/SageMaker",
            metric_name="ModelLatency",
            dimensions={"EndpointName": args["endpoint_name"], "VariantName": variant},
            extended_statistic=percentile,
            unit="Microseconds",
            comparison_operator="GreaterThanThreshold",
            threshold=pulumi.Output.from_input(limit_ms).apply(lambda ms: ms * MICROSECONDS),
            period=60,
            evaluation_periods=5,
            datapoints_to_alarm=3,
            treat_missing_data="notBreaching",
            alarm_actions=args.get("topic_arns"),
            ok_actions=args.get("topic_arns"),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _errors(
        self, name: str, args: EndpointAlarmsArgs, variant: str, kind: str, limit_percent: pulumi.Input[int]
    ) -> aws.cloudwatch.MetricAlarm:
        dimensions: Mapping[str, pulumi.Input[str]] = {"EndpointName": args["endpoint_name"], "VariantName": variant}
        # Each request publishes 1 or 0 as its error: the sum is a count, an average could never exceed 1.
        return aws.cloudwatch.MetricAlarm(
            f"{name}-{variant}-{kind}",
            alarm_description=f"Too large a share of {variant}'s requests ends with {kind}",
            comparison_operator="GreaterThanThreshold",
            threshold=limit_percent,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            treat_missing_data="notBreaching",
            metric_queries=[
                _count("errors", f"Invocation{kind.upper()}Errors", dimensions),
                _count("requests", "Invocations", dimensions),
                aws.cloudwatch.MetricAlarmMetricQueryArgs(
                    id="share", expression="100 * errors / requests", label="percent", return_data=True
                ),
            ],
            alarm_actions=args.get("topic_arns"),
            ok_actions=args.get("topic_arns"),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _count(
    identifier: str, metric: str, dimensions: Mapping[str, pulumi.Input[str]]
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=identifier,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace="AWS/SageMaker", metric_name=metric, dimensions=dimensions, period=60, stat="Sum"
        ),
        return_data=False,
    )


_RULES: Final = {
    "endpoint_name": validation.endpoint_name,
    "variants": validation.some(validation.name),
    "p50_latency_limit_ms": validation.integer(1, 60000, "ms"),
    "p95_latency_limit_ms": validation.integer(1, 60000, "ms"),
    "p99_latency_limit_ms": validation.integer(1, 60000, "ms"),
    "server_error_limit_percent": validation.integer(0, 99, "percent"),
    "client_error_limit_percent": validation.integer(0, 99, "percent"),
    "topic_arns": validation.some(validation.topic_arn),
}
