"""Whether S3 may replicate: the role it assumes, what that role is granted, and what the destination's policy says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import Role, iam_backends
from moto.s3.models import FakeBucket

from rehearsal.cloud.callers import Caller
from rehearsal.cloud.conditions import matches
from rehearsal.cloud.policies import Request, caller_values, judge


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
    role_name, account_id = role_arn.rpartition("/")[2], role_arn.split(":")[4]
    session = f"arn:aws:sts::{account_id}:assumed-role/{role_name}/s3-replication"
    caller = Caller(account_id, f"{role_name}:s3-replication", session, role_arn, "AssumedRole", None)
    values = caller_values(caller, bucket.region_name, now)
    own = {"aws:resourceaccount": bucket.account_id, "s3:resourceaccount": bucket.account_id, "s3:tlsversion": "1.3"}
    values |= {name: [value] for name, value in own.items()}
    for action in actions:
        verdict = judge(bucket.policy, Request(caller, action, f"{bucket.arn}/{key}", values))
        if verdict.denied_by is not None:
            return f"the destination's policy denies {action}: {verdict.denied_by}"
        if account_id != bucket.account_id and not verdict.allowed:
            return f"the destination's policy does not allow {action} to {role_arn}"
    return None


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
