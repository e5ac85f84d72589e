"""Topic policies: which service may publish, on whose behalf."""

from __future__ import annotations

from interlock.duties.documents import Statement, document, statement


def budget_topic_policy(topic_arn: str, account_id: str) -> str:
    """Return the policy of a topic that AWS Budgets publishes to on behalf of this account alone, over TLS alone.

    Source: AWS Cost Management User Guide, "Creating an Amazon SNS topic for budget notifications".
    """
    return document(
        _publish("PublishBudgets", "budgets", topic_arn, account_id, f"arn:aws:budgets::{account_id}:*"),
        _deny_plain(topic_arn),
    )


def alarm_topic_policy(topic_arn: str, rule_arn: str) -> str:
    """Return the policy of a topic that one rule of EventBridge publishes to, over TLS alone.

    Source: Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge".
    """
    return document(
        statement(
            "PublishAlarms",
            "Allow",
            ["SNS:Publish"],
            [topic_arn],
            principal={"Service": "events.amazonaws.com"},
            conditions={"ArnEquals": {"aws:SourceArn": rule_arn}},
        ),
        _deny_plain(topic_arn),
    )


def region_alarm_topic_policy(topic_arn: str, account_id: str, region: str) -> str:
    """Return the policy of a topic that this account's alarms and event rules of one region publish to, over TLS alone.

    Source: Amazon SNS Developer Guide, "Example cases for Amazon SNS access control"; EventBridge User Guide,
    "Using resource-based policies".
    """
    alarms, rules = f"arn:aws:cloudwatch:{region}:{account_id}:alarm:*", f"arn:aws:events:{region}:{account_id}:rule/*"
    return document(
        _publish("PublishAlarms", "cloudwatch", topic_arn, account_id, alarms),
        _publish("PublishEvents", "events", topic_arn, account_id, rules),
        _deny_plain(topic_arn),
    )


def _publish(sid: str, service: str, topic_arn: str, account_id: str, source_arn: str) -> Statement:
    return statement(
        sid,
        "Allow",
        ["SNS:Publish"],
        [topic_arn],
        principal={"Service": f"{service}.amazonaws.com"},
        conditions={"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": source_arn}},
    )


def _deny_plain(topic_arn: str) -> Statement:
    return statement(
        "DenyPlainTransport",
        "Deny",
        ["SNS:Publish"],
        [topic_arn],
        principal="*",
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
