"""Bucket policies, checked when they are stored.

What the evaluator does not model is refused then, so that no statement is silently without effect.
"""

from __future__ import annotations

import json
from typing import Any

from interlock.duties.evaluator.policy import NotModelled, PolicyError, PolicyKind
from rehearsal.cloud.authorization.documents import document_text, read

_KNOWN_KEYS = {
    "aws:currenttime", "aws:epochtime", "aws:principalaccount", "aws:principalarn", "aws:principalisawsservice",
    "aws:principalorgid", "aws:principaltype", "aws:referer", "aws:requestedregion", "aws:resourceaccount",
    "aws:securetransport", "aws:sourceaccount", "aws:sourcearn", "aws:sourceidentity", "aws:sourceip",
    "aws:sourcevpc", "aws:sourcevpce",
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
    try:
        read(document_text(document), PolicyKind.RESOURCE, "Policy")
    except (NotModelled, PolicyError) as problem:
        raise MalformedPolicy(str(problem)) from problem


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
    for keys in conditions.values():
        for key in keys:
            if key.lower() not in _KNOWN_KEYS and not key.lower().startswith(_KNOWN_KEY_PREFIXES):
                raise MalformedPolicy(f"Policy has an invalid condition key: {key}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
