"""How a resource's policy names whoever asks, from what grants most to what grants least.

Source: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

from enum import StrEnum

from interlock.duties.evaluator.logic import Truth
from interlock.duties.evaluator.matching import principal_matches
from interlock.duties.evaluator.policy import (
    Effect,
    NamedPrincipal,
    NotModelled,
    Policy,
    PolicyStatement,
    PrincipalType,
)
from interlock.duties.evaluator.request import Principal, PrincipalKind


class Naming(StrEnum):
    ITSELF = "itself"
    """The session, the user, the service or anyone: no boundary limits what that allows."""
    ROLE = "role"
    """The role: its boundary still limits."""
    ACCOUNT = "account"
    """The account, whose IAM policies decide."""


def is_about(statement: PolicyStatement, principal: Principal, policy: Policy) -> bool:
    """Return whether a statement of a resource's policy is about somebody. Raises NotModelled."""
    if statement.not_principal:
        if statement.effect is Effect.ALLOW:
            raise _all_but_some(statement, policy)
        about, _ = principal_matches(statement, principal)
        if about is Truth.UNKNOWN:
            raise NotModelled(
                f"{policy.name}: {statement.label}: NotPrincipal lists {principal.name} but not all of its names; "
                "accepted are the session or user, its role and its account together"
            )
        return about is Truth.YES
    return any(_named(one, principal) for one in statement.principal)


def closest(statement: PolicyStatement, principal: Principal, policy: Policy) -> Naming | None:
    """Return how closely an allowing statement names somebody, None if not at all. Raises NotModelled."""
    if statement.not_principal:
        raise _all_but_some(statement, policy)
    found = {_named(one, principal) for one in statement.principal}
    return next((how for how in Naming if how in found), None)


def _all_but_some(statement: PolicyStatement, policy: Policy) -> NotModelled:
    return NotModelled(f"{policy.name}: {statement.label}: the proof does not model NotPrincipal with Allow")


def _named(named: NamedPrincipal, principal: Principal) -> Naming | None:
    if named.name == "*":
        return Naming.ITSELF
    if named.type is PrincipalType.SERVICE:
        return Naming.ITSELF if principal.kind is PrincipalKind.SERVICE and named.name == principal.name else None
    if named.type is PrincipalType.FEDERATED:
        provider = principal.kind is PrincipalKind.IDENTITY_PROVIDER
        return Naming.ITSELF if provider and named.name == principal.name else None
    if named.type is not PrincipalType.AWS or not principal.account:
        return None
    if named.name == principal.name:
        return Naming.ITSELF
    if named.name == principal.entity:
        return Naming.ROLE
    partition = principal.name.split(":")[1]
    return (
        Naming.ACCOUNT if named.name in (principal.account, f"arn:{partition}:iam::{principal.account}:root") else None
    )
