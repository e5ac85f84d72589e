"""Whether a statement's action, resource and principal are those of a request.

Sources: IAM User Guide, "IAM JSON policy elements" Action, Resource, Principal and NotPrincipal.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from interlock.duties.evaluator.logic import Truth, known, some
from interlock.duties.evaluator.policy import NamedPrincipal, PolicyStatement, PrincipalType, Template
from interlock.duties.evaluator.request import Principal, PrincipalKind, Request
from interlock.duties.evaluator.texts import like, like_resource, resolved


class Naming(IntEnum):
    """How closely a policy names a principal, which decides what else has to allow the request."""

    NOT = 0
    ACCOUNT = 1
    """Its account, whose own policies then decide."""
    ENTITY = 2
    """The role, or the federating user, behind a session: boundary and session policy still limit."""
    DIRECT = 3
    """The very user or session, or everyone: no implicit denial limits."""


def action_matches(statement: PolicyStatement, action: str) -> bool:
    """Say whether a statement is about an action; the case of letters is of no account."""
    if statement.action:
        return _any_action(statement.action, action)
    return not _any_action(statement.not_action, action)


@lru_cache(maxsize=65536)
def _any_action(patterns: tuple[str, ...], action: str) -> bool:
    wanted = action.lower()
    return any(like(pattern.lower(), wanted) for pattern in patterns)


def resource_matches(statement: PolicyStatement, request: Request) -> Truth:
    """Say whether a statement is about a resource. A policy without Resource is about what it is attached to."""
    names = _names_of(statement)
    if request.resource in names.exact or any(
        # Most patterns differ from most resources before their first wildcard.
        request.resource.startswith(start) and like_resource(pattern, request.resource)
        for start, pattern in names.patterns
    ):
        found = Truth.YES
    else:
        found = some(_resource(template, request) for template in names.varying) if names.varying else Truth.NO
    return found if statement.resource else found.negated


class _Names(NamedTuple):
    """What a statement names resources by, once for all requests; in `patterns` each with its start."""

    exact: frozenset[str]
    patterns: tuple[tuple[str, str], ...]
    varying: tuple[Template, ...]
    """Those that depend on the request."""


_NAMES: Final = "_names"


def _names_of(statement: PolicyStatement) -> _Names:
    found: _Names | None = statement.__dict__.get(_NAMES)
    if found is None:
        templates = statement.resource or statement.not_resource
        plain = [one.parts[0] if one.parts else "" for one in templates if len(one.parts) < 2]
        texts = [one for one in plain if isinstance(one, str)]
        wild = [one for one in texts if "*" in one or "?" in one]
        fixed = frozenset(texts)
        found = statement.__dict__[_NAMES] = _Names(
            fixed.difference(wild),
            tuple((re.split(r"[*?]", one, maxsplit=1)[0], one) for one in wild),
            tuple(one for one in templates if one.written not in fixed),
        )
    return found


def _resource(template: Template, request: Request) -> Truth:
    pattern = resolved(template, request.values, request.complete)
    if pattern is None:
        return Truth.UNKNOWN
    return known(like_resource(pattern, request.resource))


def named(written: NamedPrincipal, principal: Principal) -> Naming:
    """Return how closely one name of a Principal element names who asks."""
    if written.type is PrincipalType.AWS:
        return _named_aws(written.name, principal)
    kinds = {PrincipalType.SERVICE: PrincipalKind.SERVICE, PrincipalType.FEDERATED: PrincipalKind.IDENTITY_PROVIDER}
    matches = principal.kind is kinds.get(written.type) and written.name == principal.name
    return Naming.DIRECT if matches else Naming.NOT


def _named_aws(name: str, principal: Principal) -> Naming:
    if name == "*":
        return Naming.DIRECT
    if not principal.account:
        return Naming.NOT
    if name == principal.name or (principal.kind is PrincipalKind.USER and name == principal.unique_id):
        return Naming.DIRECT
    if _is_account(name, principal):
        return Naming.DIRECT if principal.kind is PrincipalKind.ROOT else Naming.ACCOUNT
    if name == principal.entity or (principal.unique_id and name == principal.unique_id.partition(":")[0]):
        return Naming.ENTITY
    return Naming.NOT


def _is_account(name: str, principal: Principal) -> bool:
    parts = name.split(":")
    return name == principal.account or (
        len(parts) == 6 and parts[2] == "iam" and parts[4] == principal.account and parts[5] == "root"
    )


def principal_matches(statement: PolicyStatement, principal: Principal) -> tuple[Truth, Naming]:
    """Say whether a statement is about who asks, and how closely it names them."""
    if statement.not_principal:
        return _not_principal(statement.not_principal, principal), Naming.DIRECT
    if not statement.principal:
        return Truth.YES, Naming.DIRECT
    naming = max(named(one, principal) for one in statement.principal)
    return known(naming is not Naming.NOT), naming


def _not_principal(listed: tuple[NamedPrincipal, ...], principal: Principal) -> Truth:
    """Say whether NotPrincipal covers a principal: not if it, its role or issuer, and its account are all listed.

    With some of them listed AWS "might" deny all the same, which is unknown. An account alone exempts nobody in it.
    """
    names = {naming: any(named(one, principal) is naming for one in listed) for naming in Naming}
    if any(one.name == "*" for one in listed):
        return Truth.NO
    if principal.kind is PrincipalKind.ROOT or not principal.account:
        return known(not names[Naming.DIRECT])
    needed = [Naming.DIRECT, Naming.ACCOUNT]
    if principal.kind in (PrincipalKind.ROLE_SESSION, PrincipalKind.FEDERATED_USER):
        needed.append(Naming.ENTITY)
    if all(names[naming] for naming in needed):
        return Truth.NO
    return Truth.UNKNOWN if names[Naming.DIRECT] or names[Naming.ENTITY] else Truth.YES
