"""Resource policies: what their statements allow and deny, to whom.

A bucket's, a key's and a secret's policy, and a role's trust policy, are all read here. What a caller's own policies
say is not enforced; a caller of another account, which AWS asks both sides for, needs the resource's side at least.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearsal.cloud.callers import Caller
from rehearsal.cloud.conditions import Values, holds, matches


@dataclass(frozen=True)
class Request:
    """What a policy looks at: who wants which permission on which resource, under which condition keys."""

    caller: Caller
    permission: str
    resource: str
    values: Values


@dataclass(frozen=True)
class Verdict:
    """What a policy says of a request: the Sid (or the number) of a statement that denies it, and if one allows it."""

    denied_by: str | None
    allowed: bool

    @property
    def permits(self) -> bool:
        """Whether the policy alone is enough for a caller who has nothing else."""
        return self.allowed and self.denied_by is None


NOTHING_SAID = Verdict(None, False)
"""The verdict where there is no policy."""


def judge(document: bytes | str | None, request: Request) -> Verdict:
    """Return what a stored policy says of a request."""
    if not document:
        return NOTHING_SAID
    applying = [
        (number, statement)
        for number, statement in enumerate(listed(json.loads(document)["Statement"]))
        if _applies(statement, request)
    ]
    denying = (
        str(statement.get("Sid", f"statement {number}"))
        for number, statement in applying
        if statement["Effect"] == "Deny"
    )
    return Verdict(next(denying, None), any(statement["Effect"] == "Allow" for _, statement in applying))


def caller_values(caller: Caller, region: str, now: datetime) -> dict[str, list[str]]:
    """Return the condition keys that every request has.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    values = {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:principalaccount": caller.account_id,
        "aws:principalarn": caller.principal_arn,
        "aws:principalisawsservice": "false",
        "aws:principaltype": caller.kind,
        "aws:requestedregion": region,
        # The plain endpoint on loopback stands for AWS's TLS endpoint.
        "aws:securetransport": "true",
        "aws:userid": caller.user_id,
        "aws:viaawsservice": "false",
    }
    if caller.kind == "User":
        values["aws:username"] = caller.arn.rpartition("/")[2]
    return {name: [value] for name, value in values.items()}


def listed(value: Any) -> Sequence[Any]:
    """Return what a policy writes as one thing or as a list of them, as a list."""
    return value if isinstance(value, list) else [value]


def as_text(value: Any) -> str:
    """Return a condition's value as IAM compares it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _names(statement, "Action", lambda pattern: matches(str(pattern).lower(), request.permission.lower()))
        and _names(statement, "Resource", lambda pattern: matches(str(pattern), request.resource))
        and _is_principal(statement, request.caller)
        and all(
            holds(operator, key, [as_text(value) for value in listed(wanted)], request.values)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _names(statement: Mapping[str, Any], element: str, matched: Callable[[Any], bool]) -> bool:
    if element in statement:
        return any(matched(pattern) for pattern in listed(statement[element]))
    # A trust policy names no resource: it is about its role.
    return not any(matched(pattern) for pattern in listed(statement.get(f"Not{element}", [])))


def _is_principal(statement: Mapping[str, Any], caller: Caller) -> bool:
    if "NotPrincipal" in statement:
        return not _is_one_of(statement["NotPrincipal"], caller)
    return _is_one_of(statement["Principal"], caller)


def _is_one_of(principal: Any, caller: Caller) -> bool:
    if principal == "*":
        return True
    whole_account = {caller.account_id, f"arn:aws:iam::{caller.account_id}:root"}
    own = {"*", caller.principal_arn, caller.arn, *whole_account}
    return not own.isdisjoint(listed(principal.get("AWS", [])))
