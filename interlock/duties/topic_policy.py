"""Topic policies: which service may publish, on whose behalf."""

from __future__ import annotations

from interlock.duties.documents import document, statement


def budget_topic_policy(topic_arn: str, account_id: str) -> str:
    """Return the policy of a topic that AWS Budgets publishes to on behalf of this account alone, over TLS alone.

    Source: AWS Cost Management User Guide, "Creating an Amazon SNS topic for budget notifications".
    """
    return document(
        statement(
            "PublishBudgets",
            "Allow",
            ["SNS:Publish"],
            [topic_arn],
            principal={"Service": "budgets.amazonaws.com"},
            conditions={
                "StringEquals": {"aws:SourceAccount": account_id},
                "ArnLike": {"aws:SourceArn": f"arn:aws:budgets::{account_id}:*"},
            },
        ),
        statement(
            "DenyPlainTransport",
            "Deny",
            ["SNS:Publish"],
            [topic_arn],
            principal="*",
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        ),
    )
