"""The alarm of break-glass: whoever assumes the role is told of, by a rule that the role itself cannot silence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.emergency import emergency_pattern
from interlock.duties.topic_policy import alarm_topic_policy


class EmergencyAlarmArgs(TypedDict):
    stack: str
    role_arn: str
    emails: NotRequired[Sequence[str]]
    """Who is told by e-mail, beside the subscribers of the topic; nobody unless given."""


class EmergencyAlarm(pulumi.ComponentResource):
    """A rule of EventBridge on every assumption of one role, and the topic that it publishes to.

    EventBridge sees what CloudTrail records in the rule's own region: a session is asked for at the STS of that region.
    """

    topic_arn: pulumi.Output[str]
    rule_arn: pulumi.Output[str]

    def __init__(self, name: str, args: EmergencyAlarmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(EmergencyAlarmArgs, f"EmergencyAlarm {name}", args, _RULES)
        super().__init__("interlock:duties:EmergencyAlarm", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            name=f"interlock-{args['stack']}-break-glass",
            description="Somebody assumed the role of break-glass",
            event_pattern=json.dumps(emergency_pattern(args["role_arn"])),
            opts=inside,
        )
        topic = aws.sns.Topic(f"{name}-topic", display_name="Break-glass", opts=inside)
        policy = aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=pulumi.Output.all(topic.arn, rule.arn).apply(lambda of: alarm_topic_policy(of[0], of[1])),
            opts=inside,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            arn=topic.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        for number, email in enumerate(args.get("emails", ())):
            aws.sns.TopicSubscription(
                f"{name}-email-{number}", topic=topic.arn, protocol="email", endpoint=email, opts=inside
            )

        self.topic_arn, self.rule_arn = topic.arn, rule.arn
        self.register_outputs({"topicArn": self.topic_arn, "ruleArn": self.rule_arn})


_RULES: Final = {
    "stack": validation.name,
    "role_arn": validation.role_arn,
    "emails": validation.some(validation.email, at_least=0),
}
