"""Changes that open a secret, a table, a function or the organization's policies."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from interlock.duties.world import NamedDocument, Resource, ResourceKind, World
from tests.interlock.duties.proof.organised import guardrails, organised

Statement = dict[str, Any]
Opened = tuple[str, str, World]
SPARED = (
    "arn:aws:iam::*:role/*admin*", "arn:aws:iam::*:role/helper", "arn:aws:iam::*:user/o?s/*",
    "arn:aws:iam::*:role/OrganizationAccountAccessRol?*",
)  # fmt: skip
VAULTS = ["vault-primary", "vault-recovery"]


def openings(world: World) -> Iterator[Opened]:
    """Yield what was done, where, and the world in which it was done, always in the same order."""
    for make in (
        _no_policy,
        _without_a_denial,
        _one_more,
        _read_by_another,
        _called_by_another,
        _unorganised,
        _sparing,
    ):
        yield from make(world)


def _kept(world: World) -> Iterator[Resource]:
    return (one for one in world.resources if one.kind in (ResourceKind.SECRET, ResourceKind.TABLE))


def _with(world: World, old: Resource, policy: dict[str, Any] | None) -> World:
    changed = old.model_copy(update={"policy": policy})
    return world.model_copy(update={"resources": tuple(changed if one is old else one for one in world.resources)})


def _edited(document: dict[str, Any] | None, edit: Callable[[list[Statement]], None]) -> dict[str, Any]:
    changed = copy.deepcopy(document or {})
    edit(changed["Statement"])
    return changed


def _no_policy(world: World) -> Iterator[Opened]:
    for one in _kept(world):
        yield "take a policy off", one.arn, _with(world, one, None)


def _without_a_denial(world: World) -> Iterator[Opened]:
    for one in _kept(world):
        for number, statement in enumerate((one.policy or {})["Statement"]):
            policy = _edited(one.policy, lambda listed, at=number: listed.pop(at))  # type: ignore[misc]
            yield "drop a denial", f"{one.arn} {statement['Sid']}", _with(world, one, policy)


def _one_more(world: World) -> Iterator[Opened]:
    """Name somebody whom the denial is to leave alone: each time another role, or whoever is called like one."""
    others = [one.arn for one in world.principals if one.duty in ("creator", "auditor", "observer")]
    others += ["arn:aws:iam::111122223333:role/any-*", "arn:aws:iam::*:role*/*"]
    for number, one in enumerate(_kept(world)):
        for at, statement in enumerate((one.policy or {})["Statement"]):
            wanted = next(arn for arn in others[(number + at) % len(others) :] + others if not _reads(arn, one))
            policy = _edited(one.policy, lambda listed, at=at, who=wanted: _spare(listed[at], who))  # type: ignore[misc]
            yield "spare one more", f"{one.arn} {statement['Sid']} {wanted}", _with(world, one, policy)


def _reads(arn: str, one: Resource) -> bool:
    duty = arn.rpartition("-")[2]
    return f"user-{duty}-" in one.arn


def _spare(statement: Statement, who: str) -> None:
    named = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"] = [*([named] if isinstance(named, str) else named), who]


def _spare_in_each(listed: list[Statement], who: str) -> None:
    for statement in listed:
        _spare(statement, who)


def _read_by_another(world: World) -> Iterator[Opened]:
    """Let a role of a duty read what another's is, in its own policies and in the secret's."""
    for one in world.of_kind(ResourceKind.SECRET):
        for reader in (role for role in world.principals if role.duty in ("creator", "observer")):
            if _reads(reader.arn, one) or reader.account_id != one.account_id:
                continue
            policy = _edited(one.policy, lambda listed, who=reader.arn: _spare_in_each(listed, who))  # type: ignore[misc]
            more = {"Sid": "More", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
            document = NamedDocument(name="more", document={"Version": "2012-10-17", "Statement": [more]})
            opened = _with(world, one, policy)
            changed = reader.model_copy(update={"identity": (*reader.identity, document)})
            roles = tuple(changed if role.arn == reader.arn else role for role in opened.principals)
            yield "let a duty read", f"{one.arn} {reader.name}", opened.model_copy(update={"principals": roles})


def _called_by_another(world: World) -> Iterator[Opened]:
    for role in world.principals:
        if role.duty not in ("creator", "approver", "auditor", "observer", "builder"):
            continue
        for action in ("lambda:InvokeFunction", "lambda:AddPermission", "lambda:UpdateFunctionConfiguration"):
            more = {"Sid": "More", "Effect": "Allow", "Action": action, "Resource": "*"}
            document = NamedDocument(name="more", document={"Version": "2012-10-17", "Statement": [more]})
            changed = role.model_copy(update={"identity": (*role.identity, document), "boundary": None})
            roles = tuple(changed if one is role else one for one in world.principals)
            yield f"grant {action}", role.arn, world.model_copy(update={"principals": roles})


def _unorganised(world: World) -> Iterator[Opened]:
    whole = guardrails(VAULTS)
    for kind, policies in whole.items():
        for name, document in policies.items():
            less = {**whole, kind: {other: one for other, one in policies.items() if other != name}}
            yield "take a policy of the organisation off", f"{kind} {name}", organised(world, less)
            for number, statement in enumerate(document["Statement"]):
                for words, edit in (
                    ("drop a denial of the organisation", lambda listed, at: listed.__setitem__(at, _rest(listed[at]))),
                    ("narrow a denial of the organisation", lambda listed, at: listed[at].update(_rarely(listed[at]))),
                ):
                    changed = _edited(document, lambda listed, at=number, edit=edit: edit(listed, at))  # type: ignore[misc]
                    less = {**whole, kind: {**policies, name: changed}}
                    yield words, f"{kind} {name} {statement['Sid']}", organised(world, less)
                for action in _listed(statement.get("Action", ())):
                    changed = _edited(document, lambda listed, at=number, one=action: _deny_less(listed[at], one))  # type: ignore[misc]
                    if changed["Statement"][number]["Action"]:
                        less = {**whole, kind: {**policies, name: changed}}
                        where = f"{kind} {name} {statement['Sid']} {action}"
                        yield "deny one action less in the organisation", where, organised(world, less)


def _deny_less(statement: Statement, action: str) -> None:
    statement["Action"] = [one for one in _listed(statement["Action"]) if one != action]


def _listed(written: Any) -> list[str]:
    return [written] if isinstance(written, str) else list(written)


def _sparing(world: World) -> Iterator[Opened]:
    """Have a denial of the organization leave out whoever is called in some way, or comes from another account."""
    whole = guardrails(VAULTS)
    for number, (kind, name, at) in enumerate(
        (kind, name, at) for kind, policies in whole.items() for name, one in policies.items()
        for at in range(len(one["Statement"]))
    ):  # fmt: skip
        # Where these policies hold, nobody of the account makes a user.
        names = [one for one in SPARED if kind == "resource_control" or ":user/" not in one]
        for who in (names[number % len(names)], names[(number + 1) % len(names)]):
            changed = _edited(whole[kind][name], lambda listed, at=at, who=who: _leave_out(listed[at], who))  # type: ignore[misc]
            less = {**whole, kind: {**whole[kind], name: changed}}
            yield "have the organisation spare a name", f"{kind} {name} {at} {who}", organised(world, less)


def _leave_out(statement: Statement, who: str) -> None:
    condition = copy.deepcopy(statement.get("Condition", {}))
    named = condition.setdefault("ArnNotLike", {}).setdefault("aws:PrincipalArn", [])
    condition["ArnNotLike"]["aws:PrincipalArn"] = [*named, who]
    statement["Condition"] = condition


def _rest(statement: Statement) -> Statement:
    """Return a statement that denies what nobody asks for, in place of one that denies what counts."""
    left = {key: value for key, value in statement.items() if key != "NotAction"}
    return {**left, "Action": ["s3:GetBucketWebsite"]}


def _rarely(statement: Statement) -> Statement:
    condition = copy.deepcopy(statement.get("Condition", {}))
    condition.setdefault("StringEquals", {})["aws:PrincipalTag/on-duty"] = "no"
    return {"Condition": condition}
