"""Budgets: what a stack may cost a month, and who hears when it will cost more."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.topic_policy import budget_topic_policy

ACTUAL_PERCENT: Final = (50, 80, 100)
"""Of the month's limit: what has been spent."""
FORECAST_PERCENT: Final = (100,)
"""Of the month's limit: what AWS expects to be spent by the month's end."""


class BudgetsArgs(TypedDict):
    account_id: pulumi.Input[str]
    budget_name: pulumi.Input[str]
    monthly_usd: pulumi.Input[int]
    cost_centre: pulumi.Input[str]
    """What bears it as the tag `cost-centre` counts, once that tag is activated as a cost allocation tag."""
    encryption_key_arn: NotRequired[pulumi.Input[str]]
    """Key of a new topic, made with `for_budgets`; needed unless there is a topic already."""
    existing_topic_arn: NotRequired[pulumi.Input[str]]
    """A topic that budgets.amazonaws.com may publish to, to use in place of a new one."""
    emails: NotRequired[pulumi.Input[list[str]]]
    """Who is told directly, beside the topic's subscribers."""


class Budgets(pulumi.ComponentResource):
    """A monthly budget over one cost centre, told at 50, 80 and 100 % spent and at 100 % forecast."""

    budget_name: pulumi.Output[str]
    topic_arn: pulumi.Output[str]
    """Where notifications are published."""

    def __init__(self, name: str, args: BudgetsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(BudgetsArgs, f"Budgets {name}", args, _RULES)
        validation.either(f"Budgets {name}", args, _RULES, "encryption_key_arn", "existing_topic_arn")
        super().__init__("interlock:cost:Budgets", name, {}, opts)

        if "existing_topic_arn" in args:
            self.topic_arn = pulumi.Output.from_input(args["existing_topic_arn"])
        else:
            self.topic_arn = self._topic(name, args)
        budget = aws.budgets.Budget(
            f"{name}-month",
            account_id=args["account_id"],
            name=args["budget_name"],
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=pulumi.Output.from_input(args["monthly_usd"]).apply(lambda usd: str(int(usd))),
            limit_unit="USD",
            # Source of the form: AWS Budgets API Reference, Budget, CostFilters.
            cost_filters=[
                {"name": "TagKeyValue", "values": [pulumi.Output.concat("user:cost-centre$", args["cost_centre"])]}
            ],
            notifications=[
                *(self._notification("ACTUAL", percent, args) for percent in ACTUAL_PERCENT),
                *(self._notification("FORECASTED", percent, args) for percent in FORECAST_PERCENT),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.budget_name = budget.name
        self.register_outputs({"budgetName": self.budget_name, "topicArn": self.topic_arn})

    def _topic(self, name: str, args: BudgetsArgs) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(f"{name}-topic", kms_master_key_id=args["encryption_key_arn"], opts=inside)
        policy = aws.sns.TopicPolicy(
            f"{name}-topic-policy",
            arn=topic.arn,
            policy=pulumi.Output.all(topic.arn, args["account_id"]).apply(
                lambda known: budget_topic_policy(known[0], known[1])
            ),
            opts=inside,
        )
        # AWS Budgets refuses a topic that it may not publish to.
        return pulumi.Output.all(topic.arn, policy.id).apply(lambda known: str(known[0]))

    def _notification(self, kind: str, percent: int, args: BudgetsArgs) -> aws.budgets.BudgetNotificationArgs:
        return aws.budgets.BudgetNotificationArgs(
            comparison_operator="GREATER_THAN",
            notification_type=kind,
            threshold=percent,
            threshold_type="PERCENTAGE",
            subscriber_sns_topic_arns=[self.topic_arn],
            subscriber_email_addresses=args.get("emails"),
        )


_RULES: Final = {
    "account_id": validation.account_id,
    "budget_name": validation.text(
        r"[\w .-]{1,100}", "up to 100 letters, digits, spaces, hyphens, underscores and periods"
    ),
    "monthly_usd": validation.integer(1, 10_000_000, "US dollars"),
    "cost_centre": validation.tag_value,
    "encryption_key_arn": validation.key_arn,
    "existing_topic_arn": validation.topic_arn,
    "emails": validation.Rule(
        "up to 10 different e-mail addresses",
        lambda value: (
            isinstance(value, list) and len(value) <= 10 and validation.some(validation.email, 0).holds(value)
        ),
    ),
}
