"""A symmetric key that encrypts data at rest in one region."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.key_policy import data_key_policy


class DataKeyArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    administrators: pulumi.Input[list[str]]
    """ARNs of the only principals who may disable the key or schedule its deletion."""
    alias: pulumi.Input[str]
    """Without the leading `alias/`."""
    deletion_window_days: NotRequired[pulumi.Input[int]]
    """How long a deletion can still be called off; 30 unless given."""
    for_logs: NotRequired[bool]
    """Whether CloudWatch Logs encrypts log groups with it."""
    for_budgets: NotRequired[bool]
    """Whether AWS Budgets encrypts what it publishes with it."""
    for_alarms: NotRequired[bool]
    """Whether CloudWatch alarms and EventBridge publish to topics that are encrypted with it."""
    shared_with: NotRequired[pulumi.Input[list[str]]]
    """Ids of other accounts that use it through S3; none unless given."""
    existing_key_arn: NotRequired[pulumi.Input[str]]
    """A key to use in place of a new one; its own policy has to admit what encrypts with it."""


class DataKey(pulumi.ComponentResource):
    """A key of AWS KMS that rotates every year, and its alias."""

    key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DataKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(DataKeyArgs, f"DataKey {name}", args, _RULES)
        super().__init__("interlock:keys:DataKey", name, {}, opts)

        if "existing_key_arn" in args:
            self.key_arn = pulumi.Output.from_input(args["existing_key_arn"])
        else:
            self.key_arn = self._create(name, args)
        self.register_outputs({"keyArn": self.key_arn})

    def _create(self, name: str, args: DataKeyArgs) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        key = aws.kms.Key(
            f"{name}-key",
            description=pulumi.Output.concat("Encrypts data at rest: ", args["alias"]),
            enable_key_rotation=True,
            deletion_window_in_days=args.get("deletion_window_days", 30),
            policy=pulumi.Output.all(
                args["account_id"], args["region"], args["administrators"], args.get("shared_with", [])
            ).apply(
                lambda of: data_key_policy(
                    of[0],
                    of[1],
                    of[2],
                    for_logs=args.get("for_logs", False),
                    for_budgets=args.get("for_budgets", False),
                    for_alarms=args.get("for_alarms", False),
                    shared_with=of[3],
                )
            ),
            opts=inside,
        )
        aws.kms.Alias(
            f"{name}-alias", name=pulumi.Output.concat("alias/", args["alias"]), target_key_id=key.key_id, opts=inside
        )
        return key.arn


_RULES = {
    "account_id": validation.account_id,
    "region": validation.region,
    "administrators": validation.some(validation.iam_principal),
    "alias": validation.alias,
    "deletion_window_days": validation.integer(7, 30, "days"),
    "for_logs": validation.boolean,
    "for_budgets": validation.boolean,
    "for_alarms": validation.boolean,
    "shared_with": validation.some(validation.account_id, at_least=0),
    "existing_key_arn": validation.key_arn,
}
