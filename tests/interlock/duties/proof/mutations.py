"""Mistakes and attacks, made by hand or by whoever may edit, in the documents that will be deployed.

Each is one change that opens something, shortens something or keeps somebody from their work. They are generated from
the documents themselves, so that a new statement, role or key brings its own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from interlock.duties.world import Account, NamedDocument, Person, Principal, Resource, ResourceKind, World
from tests.interlock.duties.proof.helping import helpings
from tests.interlock.duties.proof.inviting import invitations
from tests.interlock.duties.proof.lending import lendings
from tests.interlock.duties.proof.narrowing import narrowings
from tests.interlock.duties.proof.opening import openings
from tests.interlock.duties.proof.submitting import submissions
from tests.interlock.duties.proof.weakening import weakenings
from tests.interlock.duties.proof.widening import widenings

Statement = dict[str, Any]
DENY_ALL: Statement = {"Sid": "Nothing", "Effect": "Deny", "Action": "*", "Resource": "*"}


@dataclass(frozen=True)
class Mutation:
    """One changed world; `kind` is what was done, `name` where."""

    kind: str
    name: str
    world: World


def mutations(world: World) -> Iterator[Mutation]:
    """Yield every mutation of a world, always in the same order."""
    for make in (
        _dropped_denials, _dropped_conditions, _added_trust, _removed_boundaries, _widened, _made_impossible,
        _swapped_signers, _swapped_writers, _shortened, _keys_given_away, _organisation_denies, _no_second_approver,
    ):  # fmt: skip
        yield from make(world)
    yield from (Mutation(*one) for one in weakenings(world))
    yield from (Mutation(*one) for one in openings(world))
    yield from (Mutation(*one) for one in invitations(world))
    yield from (Mutation(*one) for one in widenings(world))
    yield from (Mutation(*one) for one in helpings(world))
    yield from (Mutation(*one) for one in narrowings(world))
    yield from (Mutation(*one) for one in lendings(world))
    yield from (Mutation(*one) for one in submissions(world))


def _with_principal(world: World, old: Principal, **update: Any) -> World:
    changed = old.model_copy(update=update)
    return world.model_copy(update={"principals": tuple(changed if one is old else one for one in world.principals)})


def _with_resource(world: World, old: Resource, **update: Any) -> World:
    changed = old.model_copy(update=update)
    return world.model_copy(update={"resources": tuple(changed if one is old else one for one in world.resources)})


def _edited(document: dict[str, Any] | None, edit: Callable[[list[Statement]], None]) -> dict[str, Any]:
    changed = copy.deepcopy(document or {})
    edit(changed["Statement"])
    return changed


def _statements(document: dict[str, Any] | None) -> list[Statement]:
    listed: list[Statement] = (document or {}).get("Statement", [])
    return listed


def _guarded(world: World) -> Iterator[Resource]:
    evidence = (one for one in world.resources if one.owner is not None or one.attributes.get("evidence") == "true")
    yield from evidence
    yield from (one for one in world.resources if one.arn in world.staging)


def _dropped_denials(world: World) -> Iterator[Mutation]:
    for resource in _guarded(world):
        for number, one in enumerate(_statements(resource.policy)):
            if one["Effect"] == "Deny":
                policy = _edited(resource.policy, lambda listed, at=number: listed.pop(at))  # type: ignore[misc]
                yield Mutation(
                    "drop a denial", f"{resource.arn} {one['Sid']}", _with_resource(world, resource, policy=policy)
                )


def _dropped_conditions(world: World) -> Iterator[Mutation]:
    for principal in world.principals:
        for number, one in enumerate(_statements(principal.trust)):
            if one.get("Condition") and principal.duty is not None and "AWS" in one["Principal"]:
                trust = _edited(principal.trust, lambda listed, at=number: listed[at].pop("Condition"))  # type: ignore[misc]
                name = f"{principal.name} {one['Sid']}"
                yield Mutation("drop a trust's condition", name, _with_principal(world, principal, trust=trust))
            if one.get("Condition") and "Federated" in one["Principal"]:
                for key in one["Condition"]["StringEquals"]:
                    if key.endswith(":sub"):
                        stranger = _any_token(world)
                        trust = _edited(
                            principal.trust,
                            lambda listed, at=number, what=key: listed[at]["Condition"]["StringEquals"].pop(what),  # type: ignore[misc]
                        )
                        yield Mutation(
                            "trust any token", principal.name, _with_principal(stranger, principal, trust=trust)
                        )


def _any_token(world: World) -> World:
    ours = next(one for one in world.people if one.kind == "pipeline")
    way = ours.ways[0]
    context = {key: ("repo:somebody/else",) if key.endswith(":sub") else value for key, value in way.context.items()}
    theirs = Person(name="somebody-else", kind="pipeline", ways=(way.model_copy(update={"context": context}),))
    return world.model_copy(update={"people": (*world.people, theirs)})


def _added_trust(world: World) -> Iterator[Mutation]:
    for principal in world.principals:
        if principal.duty is None:
            continue
        for person in world.people:
            if person.kind == "person" and principal.duty not in person.duties:
                statement = {"Sid": "Also", "Effect": "Allow", "Principal": {"AWS": person.ways[0].principal},
                             "Action": "sts:AssumeRole"}  # fmt: skip
                trust = _edited(principal.trust, lambda listed, one=statement: _only_allows(listed, one))  # type: ignore[misc]
                yield Mutation(
                    "add a trust", f"{principal.arn} {person.name}", _with_principal(world, principal, trust=trust)
                )


def _only_allows(listed: list[Statement], one: Statement) -> None:
    # The trust of a role that nobody has denies everybody.
    listed[:] = [*(kept for kept in listed if kept["Effect"] == "Allow"), one]


def _removed_boundaries(world: World) -> Iterator[Mutation]:
    for principal in world.principals:
        if principal.duty is not None:
            yield Mutation("remove a boundary", principal.arn, _with_principal(world, principal, boundary=None))


def _widened(world: World) -> Iterator[Mutation]:
    traffic = {"Sid": "More", "Effect": "Allow", "Action": "sagemaker:Update*", "Resource": "*"}
    passing = {"Sid": "More", "Effect": "Allow", "Action": ["iam:PassRole", "ecs:RunTask"], "Resource": "*"}
    for principal in world.principals:
        if principal.duty not in ("deployer", "responder", "break-glass", "foundation", "platform", None):
            yield Mutation("widen to traffic", principal.name, _with_identity(world, principal, traffic))
        if principal.duty in ("creator", "approver", "auditor", "responder"):
            yield Mutation("widen to passing roles", principal.name, _with_identity(world, principal, passing))
    for principal in world.principals:
        if principal.duty is None or principal.duty == "foundation":
            continue
        for action in ("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:CreateRole", "ecr:PutImage"):
            statement = {"Sid": "More", "Effect": "Allow", "Action": action, "Resource": "*"}
            loose = _with_identity(world, principal.model_copy(update={"boundary": None}), statement, at=principal)
            yield Mutation(f"grant {action} outside of a boundary", principal.name, loose)


def _with_identity(world: World, principal: Principal, statement: Statement, at: Principal | None = None) -> World:
    more = NamedDocument(name="more", document={"Version": "2012-10-17", "Statement": [statement]})
    changed = principal.model_copy(update={"identity": (*principal.identity, more)})
    old = at or principal
    return world.model_copy(update={"principals": tuple(changed if one is old else one for one in world.principals)})


def _made_impossible(world: World) -> Iterator[Mutation]:
    with_tasks = {one.principal for one in world.tasks}
    for principal in world.principals:
        if principal.arn not in with_tasks:
            continue
        yield Mutation("deny all", f"{principal.arn} identity", _with_identity(world, principal, DENY_ALL))
        if principal.boundary is not None:
            document = _edited(principal.boundary.document, lambda listed: listed.append(DENY_ALL))
            boundary = principal.boundary.model_copy(update={"document": document})
            yield Mutation(
                "deny all", f"{principal.arn} boundary", _with_principal(world, principal, boundary=boundary)
            )


def _swapped_signers(world: World) -> Iterator[Mutation]:
    roles = [one for one in world.principals if one.duty is not None]
    for key in world.of_kind(ResourceKind.KEY):
        if key.owner is None:
            continue
        about_signing = [one for one in _statements(key.policy) if "Sign" in str(one["Action"])]
        named = next(role.arn for role in roles if any(_mentions(one, role.arn) for one in about_signing))
        other = next(role.arn for role in roles if role.arn != named and role.duty not in (*key.used_by, "foundation"))
        policy = _edited(key.policy, lambda listed, a=named, b=other: _swap(listed, a, b))  # type: ignore[misc]
        yield Mutation("swap who signs", f"{key.arn} {other}", _with_resource(world, key, policy=policy))


def _mentions(statement: Statement, arn: str) -> bool:
    return arn in str(statement.get("Condition", ""))


def _swap(listed: list[Statement], old: str, new: str) -> None:
    for statement in listed:
        for keys in statement.get("Condition", {}).values():
            for key, values in keys.items():
                many = values if isinstance(values, list) else [values]
                if key.lower() == "aws:principalarn" and "kms:Sign" in str(statement["Action"]):
                    keys[key] = [new if one == old else one for one in many]


def _swapped_writers(world: World) -> Iterator[Mutation]:
    for bucket in world.of_kind(ResourceKind.BUCKET):
        for number, one in enumerate(_statements(bucket.policy)):
            if one["Sid"].startswith("DenyOthersIn"):
                policy = _edited(bucket.policy, lambda listed, at=number: _other_writer(listed[at]))  # type: ignore[misc]
                yield Mutation(
                    "swap who writes", f"{bucket.arn} {one['Sid']}", _with_resource(world, bucket, policy=policy)
                )


def _other_writer(statement: Statement) -> None:
    statement["Condition"] = {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/nobody"}}


def _shortened(world: World) -> Iterator[Mutation]:
    for bucket in world.of_kind(ResourceKind.BUCKET):
        if bucket.attributes.get("evidence") != "true":
            continue
        for key, value in (("retention_days", "1"), ("lock_mode", "GOVERNANCE"), ("versioning", "Suspended")):
            attributes = {**bucket.attributes, key: value}
            yield Mutation(
                "shorten retention", f"{bucket.arn} {key}", _with_resource(world, bucket, attributes=attributes)
            )
        for days in ("1", "7", "29"):
            policy = _edited(bucket.policy, lambda listed, wanted=days: _shorter(listed, wanted))  # type: ignore[misc]
            yield Mutation(
                "shorten retention", f"{bucket.arn} {days} days", _with_resource(world, bucket, policy=policy)
            )


def _shorter(listed: list[Statement], days: str) -> None:
    for statement in listed:
        if "NumericLessThan" in statement.get("Condition", {}) and statement["Sid"] == "DenyShortRetention":
            statement["Condition"] = {"NumericLessThan": {"s3:object-lock-remaining-retention-days": days}}


def _keys_given_away(world: World) -> Iterator[Mutation]:
    everyone = {"Sid": "Everyone", "Effect": "Allow", "Principal": "*", "Resource": "*"}
    for key in world.of_kind(ResourceKind.KEY):
        for action, loosened in (("kms:ScheduleKeyDeletion", "DenyTakingAway"), ("kms:DisableKey", "DenyTakingAway"),
                                 ("kms:CreateGrant", "DenyGrants")):  # fmt: skip
            if action == "kms:CreateGrant" and key.owner is None:
                continue
            more = {**everyone, "Action": action}
            policy = _edited(key.policy, lambda listed, one=more, sid=loosened: _given(listed, one, sid))  # type: ignore[misc]
            yield Mutation(f"give {action} to everyone", key.arn, _with_resource(world, key, policy=policy))


def _given(listed: list[Statement], statement: Statement, loosened: str) -> None:
    listed[:] = [*(one for one in listed if one["Sid"] != loosened), statement]


def _organisation_denies(world: World) -> Iterator[Mutation]:
    for account in world.accounts[:2]:
        allow = {"Sid": "Rest", "Effect": "Allow", "Action": "*", "Resource": "*"}
        for what, statements in (
            ("allows nothing", [DENY_ALL]),
            ("denies keys", [allow, {**DENY_ALL, "Action": "kms:*"}]),
        ):
            scp = NamedDocument(name="scp", document={"Version": "2012-10-17", "Statement": statements})
            changed: Account = account.model_copy(update={"scps": ((scp,),)})
            accounts = tuple(changed if one is account else one for one in world.accounts)
            if what == "allows nothing" or account is world.accounts[0]:
                yield Mutation(
                    "the organisation denies", f"{account.id} {what}", world.model_copy(update={"accounts": accounts})
                )


def _no_second_approver(world: World) -> Iterator[Mutation]:
    for person in world.people:
        if "approver" in person.duties:
            people = tuple(one for one in world.people if one is not person)
            yield Mutation("take an approver away", person.name, world.model_copy(update={"people": people}))
