"""Whether S3 may replicate: the role it assumes, what that role is granted, and what the destination's policy says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import Role, iam_backends
from moto.s3.models import FakeBucket

from rehearsal.cloud.services.s3 import policies
from rehearsal.cloud.services.s3.conditions import matches


def role_that_may(role_arn: str, needed: Sequence[tuple[str, str]]) -> str | None:
    """Return why the role may not do all of `needed` (action, resource), None if it may.

    Conditions of what it is granted are not evaluated, and neither are denials or boundaries.
    """
    _, partition, _, _, account_id, _ = role_arn.split(":", 5)
    try:
        role: Role = iam_backends[account_id][partition].get_role_by_arn(role_arn)
    except NotFoundException:
        return "AssumeRoleNotPermitted: the role does not exist"
    if not any(_trusts_s3(statement) for statement in _statements(role.assume_role_policy_document)):
        return "AssumeRoleNotPermitted: the role does not trust s3.amazonaws.com"
    granted = [statement for document in _documents(role) for statement in _statements(document) if _allows(statement)]
    for action, resource in needed:
        if not any(_covers(statement, action, resource) for statement in granted):
            return f"the role is not granted {action} on {resource}"
    return None


def destination_refusal(
    bucket: FakeBucket, role_arn: str, key: str, actions: Sequence[str], now: datetime
) -> str | None:
    """Return why the policy of the destination `bucket` keeps the role out, None if it lets it in.

    Across accounts a policy has to allow, within one it must not deny.
    """
    account_id = role_arn.split(":")[4]
    for action in actions:
        request = _request(bucket, role_arn, account_id, key, action, now)
        denied = policies.denial(bucket.policy, request) if bucket.policy else None
        if denied is not None:
            return f"the destination's policy denies {action}: {denied}"
        if account_id != bucket.account_id and not (bucket.policy and policies.is_granted(bucket.policy, request)):
            return f"the destination's policy does not allow {action} to {role_arn}"
    return None


def _request(
    bucket: FakeBucket, role_arn: str, account_id: str, key: str, action: str, now: datetime
) -> policies.Request:
    role_name = role_arn.rpartition("/")[2]
    caller_arn = f"arn:aws:sts::{account_id}:assumed-role/{role_name}/s3-replication"
    values = {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:principalaccount": account_id,
        "aws:principalarn": role_arn,
        "aws:principalisawsservice": "false",
        "aws:principaltype": "AssumedRole",
        "aws:resourceaccount": bucket.account_id,
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        "s3:resourceaccount": bucket.account_id,
        "s3:tlsversion": "1.3",
    }
    return policies.Request(
        principal_arn=role_arn,
        caller_arn=caller_arn,
        account_id=account_id,
        permission=action,
        resource=f"{bucket.arn}/{key}",
        values={name: [value] for name, value in values.items()},
    )


def _documents(role: Role) -> Iterator[str | Mapping[str, Any]]:
    yield from role.policies.values()
    for managed in role.managed_policies.values():
        yield managed.document


def _statements(document: str | Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    read = json.loads(document) if isinstance(document, str) else document
    return [statement for statement in _listed(read.get("Statement", [])) if isinstance(statement, Mapping)]


def _trusts_s3(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = _listed(principal.get("Service", [])) if isinstance(principal, Mapping) else []
    return (
        _allows(statement) and "s3.amazonaws.com" in services and "sts:AssumeRole" in _listed(statement.get("Action"))
    )


def _allows(statement: Mapping[str, Any]) -> bool:
    return statement.get("Effect") == "Allow"


def _covers(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    actions, resources = _listed(statement.get("Action", [])), _listed(statement.get("Resource", []))
    return any(matches(str(one).lower(), action.lower()) for one in actions) and any(
        matches(str(one), resource) for one in resources
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
