"""Policies of what duties keep beside the vault: live state in tables, and the passwords of MLflow and its database.

They deny, and allow nothing: whoever uses the resource needs the right to in a policy of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from interlock.duties.documents import Statement, document, statement

STATE_CHANGES: Final = (
    "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem",
)  # fmt: skip
TABLE_CHANGES: Final = (
    "dynamodb:DeleteResourcePolicy", "dynamodb:DeleteTable", "dynamodb:PutResourcePolicy", "dynamodb:UpdateTable",
    "dynamodb:UpdateTimeToLive",
)  # fmt: skip
SECRET_READING: Final = ("secretsmanager:GetSecretValue",)
SECRET_WRITING: Final = (
    "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage",
)  # fmt: skip
SECRET_CHANGES: Final = (
    "secretsmanager:CancelRotateSecret", "secretsmanager:DeleteResourcePolicy", "secretsmanager:DeleteSecret",
    "secretsmanager:PutResourcePolicy", "secretsmanager:RemoveRegionsFromReplication",
    "secretsmanager:ReplicateSecretToRegions", "secretsmanager:RotateSecret",
    "secretsmanager:StopReplicationToReplica", "secretsmanager:TagResource", "secretsmanager:UntagResource",
)  # fmt: skip
"""Tags among them: rights of duties to secrets name these by their tags."""


def table_policy(writers: Sequence[str], administrators: Sequence[str]) -> str:
    """Return the policy of a table of live state: only the roles `writers` change what is in it, and only
    `administrators` the table or this policy.

    Both are ARNs of roles or users, or patterns of them. Nobody can be locked out by it: what it denies the accounts'
    root users they could undo in any case.
    Source: Amazon DynamoDB Developer Guide, "Using resource-based policies for DynamoDB"; DynamoDB API Reference,
    DeleteResourcePolicy.
    """
    return document(
        _deny_others("DenyOtherWriters", STATE_CHANGES, writers),
        _deny_others("DenyOtherAdministrators", TABLE_CHANGES, [*administrators, *_roots(administrators)]),
    )


def secret_policy(readers: Sequence[str], writers: Sequence[str], administrators: Sequence[str]) -> str:
    """Return the policy of a secret: only `readers` read its value, only `writers` and `administrators` give it one,
    and only `administrators` change the secret or this policy.

    All are ARNs of roles or users, or patterns of them. The accounts' root users may change it too, so that nobody is
    locked out for good when a role is gone. A replica has its primary's policy.
    Source: AWS Secrets Manager User Guide, "Resource-based policies", "Replicate secrets across Regions".
    """
    keeping = [*administrators, *_roots(administrators)]
    return document(
        _deny_others("DenyOtherReaders", SECRET_READING, readers),
        _deny_others("DenyOtherWriters", SECRET_WRITING, [*writers, *keeping]),
        _deny_others("DenyOtherAdministrators", SECRET_CHANGES, keeping),
    )


def service_role(account_id: str, name: str) -> str:
    """Return the pattern of the ARN of a role that the program calls `name`.

    Pulumi ends its name with seven digits; with duties it lies under the path of services' roles, else under none.
    """
    return f"arn:aws:iam::{account_id}:role*/{name}-???????"


def _deny_others(sid: str, actions: Sequence[str], but: Sequence[str]) -> Statement:
    # The resource is the one that the policy lies on, whose name is drawn only when it is made.
    return statement(
        sid, "Deny", actions, ["*"],
        principal="*", conditions={"ArnNotLike": {"aws:PrincipalArn": sorted(set(but))}},
    )  # fmt: skip


def _roots(administrators: Sequence[str]) -> list[str]:
    return sorted({f"arn:aws:iam::{one.split(':')[4]}:root" for one in administrators})
