"""The claim about those whom a proof sets apart: nobody of whom anything is claimed becomes one of them, and nobody
from elsewhere of whom the proof was not told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from interlock.duties.evaluator.policy import PrincipalType
from interlock.duties.proof.calls import Session
from interlock.duties.proof.naming import named, outsiders, texts
from interlock.duties.proof.property import Context, Property, Violation
from interlock.duties.proof.steps import Step, replacings, signing_in
from interlock.duties.proof.taking import ON_POLICIES, ON_PROVIDERS, ON_ROLES, ON_USERS
from interlock.duties.world import Principal, PrincipalKind

BECOMING_A_ROLE: Final = ("sts:AssumeRole", "iam:PassRole", *(edit.action for edit in ON_ROLES))
BECOMING_A_USER: Final = tuple(edit.action for edit in ON_USERS)
BECOMING: Final = "come to act as an administrator"
SAML: Final = ":saml-provider/"
"""What a SAML provider says of somebody names the role itself; a token of OIDC names none."""


def _apart(context: Context) -> Iterator[Violation]:
    sessions = context.sessions()
    others = [each for each in sessions if not context.administers(each)]
    for one in context.scene.world.trusted:
        actions = BECOMING_A_ROLE if one.kind is PrincipalKind.ROLE else BECOMING_A_USER
        yield from context.first(sessions, actions, one.arn, BECOMING)
        yield from context.first(_from_elsewhere(context, one), ("sts:AssumeRole",), one.arn, BECOMING)
        for arn in sorted({each.editable_arn for each in one.identity if each.editable_arn}):
            yield from context.first(others, ON_POLICIES, arn, "change what an administrator may do")
        for provider in _providers(context, one):
            yield from _by_token(context, one, provider)
            yield from context.first(others, ON_PROVIDERS, provider, "say who signs in as an administrator")
    apart = {one.arn for one in context.scene.world.trusted}
    for compute in (one for one in context.scene.world.compute if apart.intersection(one.role_arns)):
        for replacing in replacings(compute):
            words = "decide what runs as an administrator"
            yield from context.first(sessions, replacing.actions, replacing.target, words)


def _from_elsewhere(context: Context, role: Principal) -> Iterator[Session]:
    """Yield the single sessions that a role's trust policy names, those of other accounts, without the management
    account's and those of whom the proof was told; and somebody of accounts that nobody knows."""
    world = context.scene.world
    for session in dict.fromkeys((*named(context.scene, role.trust), *outsiders(context.scene, role.trust))):
        account_id = session.arn.split(":")[4]
        told = {session.arn, f"arn:{session.arn.split(':')[1]}:iam::{account_id}:root"}
        known = world.account(account_id) is not None or account_id == world.management_account
        is_a_session_of_ours = world.principal(session.arn) is not None
        if is_a_session_of_ours or (not known and told.isdisjoint(world.trusted_elsewhere)):
            yield session


def _providers(context: Context, role: Principal) -> tuple[str, ...]:
    return tuple(dict.fromkeys(context.scene.trusted(role.arn, PrincipalType.FEDERATED)))


def _by_token(context: Context, role: Principal, provider: str) -> Iterator[Violation]:
    if SAML in provider:
        return
    action = signing_in(provider)
    for person in context.scene.world.people:
        for way in (one for one in person.ways if one.kind == "federated" and one.principal == provider):
            given = {key.lower(): values for key, values in way.context.items()}
            if call := context.scene.comes_in(provider, action, role.arn, given):
                words = f"{person.name} can {BECOMING} by {action} on {role.arn}"
                yield Violation(words, (Step("signs in to", Session(role.arn), (call,)),))
    subject = f"{provider.partition('oidc-provider/')[2] or provider}:sub"
    unnamed = tuple((subject.lower(), one) for one in _exactly(role.trust, subject))
    if call := context.scene.comes_in(provider, action, role.arn, {}, unnamed):
        words = f"somebody of {provider} whom {role.arn} does not name by an exact {subject} can {BECOMING}"
        yield Violation(words, (Step("signs in to", Session(role.arn), (call,)),))


def _exactly(trust: Any, key: str) -> list[str]:
    """Return the values without a wildcard that a trust policy has for a condition key."""
    found = []
    for statement in trust["Statement"] if isinstance(trust["Statement"], list) else [trust["Statement"]]:
        for keys in statement.get("Condition", {}).values():
            for name, values in keys.items():
                if name.lower() == key.lower():
                    found += [one for one in texts(values) if "*" not in one and "?" not in one]
    return found


PROPERTIES: Final = (
    Property(
        "administrators-stay-apart",
        "Nobody becomes one of the accounts' administrators whom the proof was told of, neither by assuming or passing "
        "their role, nor by changing it or their user, nor by what runs as it; and from elsewhere only the management "
        "account, those whom the proof was told of, and whom an identity provider names exactly or for that role.",
        _apart,
    ),
)
