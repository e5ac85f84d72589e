"""Policies, requests and layers in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import Policy, PolicyKind
from interlock.duties.evaluator.request import Request, role_session, user

ACCOUNT = "111122223333"
OTHER = "444455556666"
ALICE = user(f"arn:aws:iam::{ACCOUNT}:user/alice")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/duties/deployer"
SESSION = role_session(ROLE, "ana")
SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ana"
BUCKET = "arn:aws:s3:::vault"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234"


def statement(effect: str = "Allow", action: Any = "s3:*", resource: Any = "*", **others: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **others}


def policy(kind: PolicyKind, *statements: Mapping[str, Any], name: str = "") -> Policy:
    written = [{k: v for k, v in one.items() if v is not None} for one in statements]
    return parse({"Version": "2012-10-17", "Statement": written}, kind, name or kind.value)


def identity(*statements: Mapping[str, Any]) -> tuple[Policy, ...]:
    return (policy(PolicyKind.IDENTITY, *(statements or [statement()])),)


def attached(principal: Any, effect: str = "Allow", action: Any = "s3:*", resource: Any = "*", **others: Any) -> Policy:
    return policy(PolicyKind.RESOURCE, statement(effect, action, resource, Principal=principal, **others))


def trust(principal: Any, action: Any = "sts:AssumeRole", effect: str = "Allow", **others: Any) -> Policy:
    return policy(PolicyKind.TRUST, statement(effect, action, None, Principal=principal, **others))


def boundary(*statements: Mapping[str, Any]) -> Policy:
    return policy(PolicyKind.BOUNDARY, *(statements or [statement()]))


def session_policy(*statements: Mapping[str, Any]) -> tuple[Policy, ...]:
    return (policy(PolicyKind.SESSION, *(statements or [statement()])),)


def reading(
    principal: Any = SESSION, context: Mapping[str, str | Sequence[str]] | None = None, *, owner: str = ACCOUNT,
    complete: bool = True,
) -> Request:  # fmt: skip
    return Request(principal, "s3:GetObject", f"{BUCKET}/a", context or {}, complete, owner)
