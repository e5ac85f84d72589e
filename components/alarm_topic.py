"""The topics that a region's alarms publish to: a new one that tells people by e-mail, and others that there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import ArgumentError, checked
from interlock.duties.topic_policy import region_alarm_topic_policy
from interlock.rules import Problem


class AlarmTopicArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    encryption_key_arn: NotRequired[pulumi.Input[str]]
    """Key of a new topic, made with `for_alarms`; none is made without it."""
    emails: NotRequired[Sequence[str]]
    """Who is told by the new topic, as soon as they confirm what AWS sends them."""
    existing_topic_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """Topics of the region that cloudwatch.amazonaws.com may publish to, beside a new one or in its place."""


class AlarmTopic(pulumi.ComponentResource):
    """A topic that alarms of one account and region, and rules of its event buses, may publish to, encrypted."""

    topic_arns: pulumi.Output[list[str]]
    """The new topic if there is one, then the others: what an alarm takes as its actions."""

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        subject = f"AlarmTopic {name}"
        args = checked(AlarmTopicArgs, subject, args, _RULES)
        _reaches_somebody(subject, args)
        super().__init__("interlock:alarms:AlarmTopic", name, {}, opts)

        made = [self._topic(name, args)] if "encryption_key_arn" in args else []
        self.topic_arns = pulumi.Output.all(*made, *args.get("existing_topic_arns", []))
        self.register_outputs({"topicArns": self.topic_arns})

    def _topic(self, name: str, args: AlarmTopicArgs) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(f"{name}-topic", kms_master_key_id=args["encryption_key_arn"], opts=inside)
        policy = aws.sns.TopicPolicy(
            f"{name}-topic-policy",
            arn=topic.arn,
            policy=pulumi.Output.all(topic.arn, args["account_id"], args["region"]).apply(
                lambda known: region_alarm_topic_policy(known[0], known[1], known[2])
            ),
            opts=inside,
        )
        for email in args.get("emails", []):
            aws.sns.TopicSubscription(f"{name}-{email}", topic=topic.arn, protocol="email", endpoint=email, opts=inside)
        # An alarm of the first minute finds a topic that it may publish to.
        return pulumi.Output.all(topic.arn, policy.id).apply(lambda known: str(known[0]))


def _reaches_somebody(subject: str, args: AlarmTopicArgs) -> None:
    if "encryption_key_arn" in args:
        return
    rule = _RULES["encryption_key_arn"]
    if args.get("emails"):
        accepted = f"for the topic that tells {', '.join(args['emails'])}: {rule.accepted}"
        raise ArgumentError(subject, [Problem(f"{subject}.encryption_key_arn", "nothing", accepted)])
    if "existing_topic_arns" not in args:
        accepted = f"{rule.accepted}, or existing_topic_arns"
        raise ArgumentError(subject, [Problem(f"{subject}.encryption_key_arn", "nothing", accepted)])


_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "encryption_key_arn": validation.key_arn,
    "emails": validation.some(validation.email, at_least=0),
    "existing_topic_arns": validation.some(validation.topic_arn),
}
