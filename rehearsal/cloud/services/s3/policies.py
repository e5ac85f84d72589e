"""Bucket policies: what their Deny statements refuse, to whom.

Everybody here is in one account, whose IAM the cloud does not enforce; what a bucket denies, it denies to everyone.
What this evaluator does not model is refused when a policy is stored, so that no statement is silently without effect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.cloud.services.s3.conditions import Values, holds, matches, problem_with

_KNOWN_KEYS = {
    "aws:currenttime", "aws:epochtime", "aws:principalaccount", "aws:principalarn", "aws:principalisawsservice",
    "aws:principalorgid", "aws:principaltype", "aws:referer", "aws:requestedregion", "aws:resourceaccount",
    "aws:securetransport", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce",
    "aws:useragent", "aws:userid", "aws:username", "aws:viaawsservice", "s3:authtype", "s3:delimiter", "s3:if-match",
    "s3:if-none-match", "s3:max-keys", "s3:object-lock-legal-hold", "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days", "s3:object-lock-retain-until-date", "s3:objectcreationoperation",
    "s3:prefix", "s3:resourceaccount", "s3:signatureversion", "s3:tlsversion", "s3:versionid",
}  # fmt: skip
_KNOWN_KEY_PREFIXES = ("s3:x-amz-", "s3:requestobjecttag/", "aws:principaltag/")
_STATEMENT_ELEMENTS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip


class MalformedPolicy(ValueError):
    """A policy that S3 would refuse, or that holds what is not modelled here; the message is S3's."""


@dataclass(frozen=True)
class Request:
    """What a policy looks at: who wants which permission on which resource, under which condition keys."""

    principal_arn: str
    caller_arn: str
    account_id: str
    permission: str
    resource: str
    values: Values


def checked(document: bytes, bucket: str) -> None:
    """Raise MalformedPolicy unless `document` is a policy for `bucket` that can be evaluated whole."""
    try:
        policy = json.loads(document)
    except ValueError as problem:
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'") from problem
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise MalformedPolicy("Missing required field Statement")
    if policy.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        raise MalformedPolicy("The policy must contain a valid version string")
    for statement in _listed(policy["Statement"]):
        _check_statement(statement, bucket)


def denial(document: bytes, request: Request) -> str | None:
    """Return the Sid (or the number) of the statement that denies the request, or None."""
    for number, statement in enumerate(_listed(json.loads(document)["Statement"])):
        if statement["Effect"] == "Deny" and _applies(statement, request):
            return str(statement.get("Sid", f"statement {number}"))
    return None


def is_granted(document: bytes, request: Request) -> bool:
    """Say whether a statement allows the request."""
    return any(
        statement["Effect"] == "Allow" and _applies(statement, request)
        for statement in _listed(json.loads(document)["Statement"])
    )


def _check_statement(statement: Any, bucket: str) -> None:
    if not isinstance(statement, dict):
        raise MalformedPolicy("Policy has invalid statement")
    if unknown := set(statement) - _STATEMENT_ELEMENTS:
        raise MalformedPolicy(f"Unknown field {sorted(unknown)[0]}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy(f"Invalid effect: {statement.get('Effect')}")
    for name in ("Principal", "Action", "Resource"):
        if (name in statement) == (f"Not{name}" in statement):
            raise MalformedPolicy(f"Missing required field {name}")
    for action in [*_listed(statement.get("Action", [])), *_listed(statement.get("NotAction", []))]:
        if action != "*" and not str(action).lower().startswith("s3:"):
            raise MalformedPolicy("Policy has invalid action")
    own = f"arn:aws:s3:::{bucket}"
    for resource in [*_listed(statement.get("Resource", [])), *_listed(statement.get("NotResource", []))]:
        if resource != own and not str(resource).startswith((f"{own}/", f"{own}*")):
            raise MalformedPolicy("Policy has invalid resource")
    _check_principal(statement.get("Principal", statement.get("NotPrincipal")))
    _check_conditions(statement.get("Condition", {}))


def _check_principal(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or set(principal) - {"AWS", "Service", "Federated", "CanonicalUser"}:
        raise MalformedPolicy("Invalid principal in policy")


def _check_conditions(conditions: Any) -> None:
    if not isinstance(conditions, dict):
        raise MalformedPolicy("Conditions must be an object")
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            if key.lower() not in _KNOWN_KEYS and not key.lower().startswith(_KNOWN_KEY_PREFIXES):
                raise MalformedPolicy(f"Policy has an invalid condition key: {key}")
            problem = problem_with(operator, [_text(value) for value in _listed(wanted)])
            if problem:
                raise MalformedPolicy(problem)


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _names(statement, "Action", lambda pattern: matches(str(pattern).lower(), request.permission.lower()))
        and _names(statement, "Resource", lambda pattern: matches(str(pattern), request.resource))
        and _is_principal(statement, request)
        and all(
            holds(operator, key, [_text(value) for value in _listed(wanted)], request.values)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _names(statement: Mapping[str, Any], element: str, matched: Any) -> bool:
    if element in statement:
        return any(matched(pattern) for pattern in _listed(statement[element]))
    return not any(matched(pattern) for pattern in _listed(statement[f"Not{element}"]))


def _is_principal(statement: Mapping[str, Any], request: Request) -> bool:
    if "NotPrincipal" in statement:
        return not _is_one_of(statement["NotPrincipal"], request)
    return _is_one_of(statement["Principal"], request)


def _is_one_of(principal: Any, request: Request) -> bool:
    if principal == "*":
        return True
    whole_account = {request.account_id, f"arn:aws:iam::{request.account_id}:root"}
    own = {"*", request.principal_arn, request.caller_arn, *whole_account}
    return not own.isdisjoint(_listed(principal.get("AWS", [])))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
