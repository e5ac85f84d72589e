"""Whom the organization's policies spare by name, and whether anybody else could come to be called so.

A policy that leaves out `role/*admin*` leaves out whoever makes a role of such a name. One that leaves out a role which
nobody else may make, or let others into, leaves out that role alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

from interlock.duties.evaluator.policy import Condition, Policy, Template
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.classes import Glob, Group, representatives
from interlock.duties.proof.forms import Form
from interlock.duties.proof.naming import FOREIGN, NONE_OF_OURS, numbers_like
from interlock.duties.proof.patterns import pieces
from interlock.duties.proof.property import Context
from interlock.duties.proof.selecting import about
from interlock.duties.proof.steps import Step

NAMED: Final = "aws:principalarn"
ACCOUNT: Final = "aws:principalaccount"
ORGANIZATION: Final = "aws:principalorgid"
PATHS: Final = "aws:principalorgpaths"
MAKING: Final = {
    "role": ("iam:CreateRole", "iam:UpdateAssumeRolePolicy"),
    "user": ("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateUser"),
}
"""By kind: what gives somebody a principal of a name, or lets them into the one that there is."""
_LITERAL: Final = frozenset({"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"})


def becoming(context: Context, account_id: str) -> Mapping[Session, tuple[Step, ...]]:
    """Return whom somebody of an account could come to be whose own policies allow everything, and by which steps.

    The first are the strangers and the root user themselves. Administrators are left out, whom the documents trust.
    """
    scene = context.scene
    anybody = (Session(arn, FREE) for arn in (*scene.strangers(), scene.root(account_id)))
    found: dict[Session, tuple[Step, ...]] = {one: () for one in anybody if _account(one.arn) == account_id}
    left = [one for one in spared(account_id, scene.above(account_id)) if not context.administers(one)]
    starting = list(found)
    while starting and left:
        makers, starting = starting, []
        for one in list(left):
            if step := _made(context, makers, one):
                found[one] = (*found[step.calls[0].session], step) if step.calls[0].session else (step,)
                left.remove(one)
                starting.append(one)
    return found


def foreigners(context: Context, account_id: str) -> Iterator[tuple[Session, Mapping[str, tuple[str, ...] | None]]]:
    """Yield whoever is of another organization, or of none, of each sort that the policies above an account tell apart,
    with what is fixed of their requests."""
    world, policies = context.scene.world, context.scene.above(account_id)
    ours = {one.organization_id for one in world.accounts}
    known = {one.id for one in world.accounts}
    organizations = [one for one in _written(policies, ORGANIZATION) if one.isascii() and not {"*", "?"} & set(one)]
    belonging: list[Mapping[str, tuple[str, ...] | None]] = [{ORGANIZATION: None, PATHS: None}]
    belonging += [{ORGANIZATION: (one,)} for one in organizations if one not in ours]
    accounts = dict.fromkeys((FOREIGN, NONE_OF_OURS, *(one for one in _accounts(policies) if one not in known)))
    for other in accounts:
        anybody = Session(f"arn:aws:iam::{other}:role/any-other", FREE, Form.WIDENED)
        for session in dict.fromkeys((anybody, *spared(other, policies))):
            yield from ((session, fixed) for fixed in belonging)


def _made(context: Context, makers: Iterable[Session], one: Session) -> Step | None:
    kind = one.arn.split(":", 5)[5].partition("/")[0]
    for maker in makers:
        for action in MAKING[kind]:
            if call := context.scene.can(maker, action, one.arn):
                return Step("comes to be", one, (call,), made=True)
    return None


def spared(account_id: str, policies: tuple[Policy, ...]) -> tuple[Session, ...]:
    """Return roles and users of an account: one of each sort that the policies tell apart by who asks, or who is made.

    Raises NotModelled where their patterns are too tangled.
    """
    named = {frozenset((one,)) for one in _globs(policies, NAMED)}
    if not named:
        return ()
    made = {frozenset((one,)) for actions in MAKING.values() for one in chain(*(_about(policies, a) for a in actions))}
    groups: frozenset[Group] = frozenset(named | made)
    arns = (
        arn
        for kind in MAKING
        for arn, of in representatives(f"arn:aws:iam::{account_id}:{kind}/*", groups)
        if of & named and ":" not in arn.split(":", 5)[5]
    )
    # A name is never empty behind its path.
    return tuple(Session(f"{arn}any" if arn.endswith("/") else arn, FREE, Form.WIDENED) for arn in arns)


def _about(policies: Iterable[Policy], action: str) -> Iterator[Glob]:
    for policy in policies:
        for statement in chain(*about(policy, action.lower())):
            for one in (*statement.resource, *statement.not_resource):
                if not one.variables and one.written != "*":
                    yield pieces(one, {})


def _conditions(policies: Iterable[Policy], key: str) -> Iterator[Condition]:
    return (one for policy in policies for said in policy.statements for one in said.condition if one.key == key)


def _globs(policies: Iterable[Policy], key: str) -> Iterator[Glob]:
    for condition in _conditions(policies, key):
        for value in condition.values:
            if not value.variables:
                yield _literal(value) if condition.operator in _LITERAL else pieces(value, {})


def _literal(value: Template) -> Glob:
    return ((value.written, False),)


def _written(policies: Iterable[Policy], key: str) -> list[str]:
    values = (value for condition in _conditions(policies, key) for value in condition.values if not value.variables)
    return list(dict.fromkeys(value.written for value in values))


def _accounts(policies: Iterable[Policy]) -> Iterator[str]:
    listed = tuple(policies)
    written = (*_written(listed, ACCOUNT), *(_account(one) for one in _written(listed, NAMED)))
    return (number for one in written for number in numbers_like(one))


def _account(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 4 else ""
