"""What each kind of policy may and must write in a statement.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language"; Organizations User Guide, "SCP syntax" and "RCP
syntax".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from interlock.duties.evaluator.policy import (
    Effect,
    NotModelled,
    PolicyError,
    PolicyKind,
    PolicyStatement,
    PrincipalType,
    Template,
)

_SHOWN: Final = 120
_ARN_COLONS: Final = 5


@dataclass(frozen=True)
class _Rules:
    """Which elements a kind of policy takes. A `required` principal may be written as NotPrincipal unless refused."""

    principal: bool
    resource: bool
    resource_required: bool = True


_RULES: Final = {
    PolicyKind.IDENTITY: _Rules(principal=False, resource=True),
    PolicyKind.BOUNDARY: _Rules(principal=False, resource=True),
    PolicyKind.SESSION: _Rules(principal=False, resource=True),
    PolicyKind.SCP: _Rules(principal=False, resource=True),
    # Repository policies of ECR, for one, are about their repository and name no resource.
    PolicyKind.RESOURCE: _Rules(principal=True, resource=True, resource_required=False),
    PolicyKind.TRUST: _Rules(principal=True, resource=False),
    PolicyKind.RCP: _Rules(principal=True, resource=True),
}
# A unique id stands where what was named has been deleted since.
_AWS_PRINCIPAL: Final = re.compile(r"\*|[0-9]{12}|arn:[^:]+:(iam|sts):[^:]*:[^:]+:.+|A[A-Z0-9]{15,}")
_PLAIN_SID: Final = re.compile(r"[A-Za-z0-9]*")
_ACTION: Final = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+")


def refuse(name: str, path: str, received: Any, accepted: str) -> NoReturn:
    """Raise PolicyError with the one line that it needs."""
    text = received if isinstance(received, str) else repr(received)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    quoted = repr(shown) if isinstance(received, str) else shown
    raise PolicyError(f"{name}: {path}: received {quoted}; {accepted}")


def check_statement(statement: PolicyStatement, kind: PolicyKind, path: str, name: str) -> None:
    """Raise PolicyError unless the statement keeps to its kind's grammar."""
    rules = _RULES[kind]
    _check_exclusive(statement, kind, path, name)
    _check_presence(statement, rules, kind, path, name)
    for element, actions in (("Action", statement.action), ("NotAction", statement.not_action)):
        for action in actions:
            if _ACTION.fullmatch(action) is None:
                refuse(
                    name, f"{path}.{element}", action, 'accepted is "*" or service:Action, with * and ? in the action'
                )
    for element, resources in (("Resource", statement.resource), ("NotResource", statement.not_resource)):
        for resource in resources:
            _check_resource(resource, f"{path}.{element}", name)
    if not rules.principal and _PLAIN_SID.fullmatch(statement.sid) is None:
        refuse(name, f"{path}.Sid", statement.sid, f"a {kind} takes letters and digits only")
    _check_principals(statement, kind, path, name)
    if kind is PolicyKind.RCP:
        _check_rcp(statement, path, name)


def _check_exclusive(statement: PolicyStatement, kind: PolicyKind, path: str, name: str) -> None:
    pairs = (
        ("Action", statement.action, statement.not_action),
        ("Resource", statement.resource, statement.not_resource),
        ("Principal", statement.principal, statement.not_principal),
    )
    for element, positive, negative in pairs:
        if positive and negative:
            refuse(name, f"{path}.Not{element}", _written(negative), f"accepted is either {element} or Not{element}")
    if not statement.action and not statement.not_action:
        refuse(name, f"{path}.Action", None, f"a {kind} requires Action or NotAction")


def _check_presence(statement: PolicyStatement, rules: _Rules, kind: PolicyKind, path: str, name: str) -> None:
    principals = statement.principal or statement.not_principal
    resources = statement.resource or statement.not_resource
    if principals and not rules.principal:
        refuse(name, f"{path}.Principal", _written(principals), f"a {kind} names no principal")
    if not principals and rules.principal:
        refuse(name, f"{path}.Principal", None, f"a {kind} requires Principal or NotPrincipal")
    if resources and not rules.resource:
        refuse(name, f"{path}.Resource", _written(resources), f"a {kind} names no resource")
    if not resources and rules.resource and rules.resource_required:
        refuse(name, f"{path}.Resource", None, f"a {kind} requires Resource or NotResource")


def complete(resource: Template, kind: PolicyKind, path: str, name: str) -> Template:
    """Return a resource whose ARN has all of its six parts: AWS completes it with * in identity policies.

    Source: IAM User Guide, "IAM identifiers", "Incomplete ARNs"; a last part of * goes on over the missing ones.
    """
    missing = _ARN_COLONS - resource.written.count(":")
    if not resource.written.startswith("arn:") or missing <= 0 or resource.variables:
        return resource
    if kind is PolicyKind.SESSION:
        refuse(name, path, resource.written, "a session policy takes complete ARNs of six parts only")
    if resource.written.endswith(":*"):
        return resource
    if kind not in (PolicyKind.IDENTITY, PolicyKind.BOUNDARY):
        raise NotModelled(f"{name}: {path}: {resource.written!r}: an incomplete ARN is not modelled in a {kind}")
    return Template(resource.written, (resource.written + ":*" * missing,))


def _check_resource(resource: Template, path: str, name: str) -> None:
    if resource.written != "*" and not resource.written.startswith("arn:"):
        refuse(name, path, resource.written, 'accepted is "*" or an ARN, with * and ? in it')
    fixed = resource.written.split("${")[0].split(":")
    if resource.variables and len(fixed) < 6:
        refuse(name, path, resource.written, "accepted are variables after the ARN's fifth colon only")


def _check_principals(statement: PolicyStatement, kind: PolicyKind, path: str, name: str) -> None:
    element = "Principal" if statement.principal else "NotPrincipal"
    for principal in statement.principal + statement.not_principal:
        whole = "*" not in principal.name and "?" not in principal.name
        if principal.name != "*" and not whole:
            refuse(name, f"{path}.{element}", principal.name, 'accepted is a whole name or "*" for everyone')
        if principal.type is PrincipalType.AWS and _AWS_PRINCIPAL.fullmatch(principal.name) is None:
            refuse(
                name, f"{path}.{element}.AWS", principal.name, 'accepted are an ARN, an account of 12 digits and "*"'
            )
        if principal.type is PrincipalType.FEDERATED and kind is not PolicyKind.TRUST:
            raise NotModelled(
                f"{name}: {path}.{element}.Federated: received {principal.name!r}; identity providers are modelled in "
                "trust policies only"
            )


def _check_rcp(statement: PolicyStatement, path: str, name: str) -> None:
    if statement.not_principal or [str(one) for one in statement.principal] != ["*"]:
        named = statement.not_principal or statement.principal
        refuse(name, f"{path}.Principal", _written(named), 'a resource control policy takes Principal "*" only')
    if statement.not_action:
        refuse(name, f"{path}.NotAction", _written(statement.not_action), "a resource control policy takes Action only")
    if statement.effect is Effect.DENY and "*" in statement.action:
        refuse(name, f"{path}.Action", "*", "a resource control policy names the services it restricts, as in s3:*")
    everything = statement.action == ("*",) and [one.written for one in statement.resource] == ["*"]
    if statement.effect is Effect.ALLOW and not (everything and not statement.condition):
        # RCPFullAWSAccess is AWS's own, and the only one with an Allow.
        refuse(name, f"{path}.Effect", "Allow", "a resource control policy takes Deny, or all of RCPFullAWSAccess")


def _written(values: tuple[Any, ...]) -> list[str]:
    return [value.written if isinstance(value, Template) else str(value) for value in values]
