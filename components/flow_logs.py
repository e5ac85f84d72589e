"""Flow logs: a record of every connection in a network, encrypted and kept."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.service_roles import flow_log_policy, trust_policy


class FlowLogsArgs(TypedDict):
    account_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    retention_days: pulumi.Input[int]
    protect: NotRequired[bool]
    """Whether the record of who connected to whom is held against deletion; false unless given."""


class FlowLogs(pulumi.ComponentResource):
    """Accepted and refused traffic of a whole VPC, in a log group."""

    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(FlowLogsArgs, f"FlowLogs {name}", args, _RULES)
        super().__init__("interlock:network:FlowLogs", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            kms_key_id=args["key_arn"],
            retention_in_days=args["retention_days"],
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect", False)),
        )
        role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=pulumi.Output.from_input(args["account_id"]).apply(
                lambda account: trust_policy("vpc-flow-logs.amazonaws.com", account)
            ),
            opts=inside,
        )
        grant = aws.iam.RolePolicy(f"{name}-write", role=role.id, policy=group.arn.apply(flow_log_policy), opts=inside)
        aws.ec2.FlowLog(
            f"{name}-log",
            vpc_id=args["vpc_id"],
            traffic_type="ALL",
            log_destination=group.arn,
            log_destination_type="cloud-watch-logs",
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[grant]),
        )

        self.log_group_name = group.name
        self.register_outputs({"logGroupName": self.log_group_name})


_RULES = {
    "protect": validation.boolean,
    "account_id": validation.account_id,
    "vpc_id": validation.vpc_id,
    "key_arn": validation.key_arn,
    "retention_days": validation.log_retention_days,
}
