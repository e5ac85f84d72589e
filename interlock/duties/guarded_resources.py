"""Policies of what duties keep beside the vault: live state in tables, and the passwords of MLflow's users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from interlock.duties.documents import document, statement

STATE_CHANGES: Final = (
    "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem",
)  # fmt: skip


def table_policy(table_arn: str, keepers: Sequence[str]) -> str:
    """Return the policy of a table of live state: only the roles `keepers` (ARNs) change what is in it.

    Source: Amazon DynamoDB Developer Guide, "Using resource-based policies for DynamoDB".
    """
    return document(
        statement(
            "DenyOtherKeepers", "Deny", STATE_CHANGES, [table_arn],
            principal="*", conditions={"ArnNotEquals": {"aws:PrincipalArn": list(keepers)}},
        )
    )  # fmt: skip


def secret_policy(readers: Sequence[str]) -> str:
    """Return the policy of a secret: only the principals `readers` (ARNs, patterns with * allowed) read its value.

    Source: AWS Secrets Manager User Guide, "Resource-based policies".
    """
    return document(
        statement(
            "DenyOtherReaders", "Deny", ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"], ["*"],
            principal="*", conditions={"ArnNotLike": {"aws:PrincipalArn": list(readers)}},
        )
    )  # fmt: skip
