"""Single words of a document twisted: an operator, a qualifier, an effect, an element, one character of a name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from interlock.duties.world import NamedDocument, Principal, World

Statement = dict[str, Any]
Twisted = tuple[str, str, World]
Put = Callable[[dict[str, Any]], World]
NEGATIONS = {
    "StringEquals": "StringNotEquals", "StringLike": "StringNotLike", "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike", "NumericLessThan": "NumericGreaterThanEquals",
    "NumericGreaterThan": "NumericLessThanEquals",
}  # fmt: skip
OPPOSITES = {**NEGATIONS, **{negated: plain for plain, negated in NEGATIONS.items()}}
LOOSER = {
    "StringEquals": "StringLike", "StringNotEquals": "StringNotLike", "ArnEquals": "ArnLike",
    "ArnNotEquals": "ArnNotLike",
}  # fmt: skip


def documents(world: World) -> Iterator[tuple[str, dict[str, Any], Put]]:
    """Yield each document of the duties, with what it is, and what puts another in its place."""
    for role in world.principals:
        if role.duty is None:
            continue
        if role.trust is not None:
            yield f"trust {role.arn}", role.trust, lambda new, role=role: _role(world, role, trust=new)  # type: ignore[misc]
        if role.boundary is not None:
            yield f"boundary {role.arn}", role.boundary.document, lambda new, role=role: _bound(world, role, new)  # type: ignore[misc]
        for number, one in enumerate(role.identity):
            yield (
                f"policy {role.arn} {one.name}",
                one.document,
                lambda new, role=role, number=number: _said(world, role, number, new),  # type: ignore[misc]
            )
    for resource in world.resources:
        if resource.policy is not None:
            yield (
                f"resource {resource.arn}",
                resource.policy,
                lambda new, old=resource: world.model_copy(  # type: ignore[misc]
                    update={
                        "resources": tuple(
                            one.model_copy(update={"policy": new}) if one is old else one for one in world.resources
                        )
                    }
                ),
            )


def _role(world: World, old: Principal, **update: Any) -> World:
    changed = old.model_copy(update=update)
    return world.model_copy(update={"principals": tuple(changed if one is old else one for one in world.principals)})


def _bound(world: World, role: Principal, document: dict[str, Any]) -> World:
    assert role.boundary is not None
    return _role(world, role, boundary=role.boundary.model_copy(update={"document": document}))


def _said(world: World, role: Principal, number: int, document: dict[str, Any]) -> World:
    changed = [
        NamedDocument(name=one.name, document=document, editable_arn=one.editable_arn) if at == number else one
        for at, one in enumerate(role.identity)
    ]
    return _role(world, role, identity=tuple(changed))


def twists(world: World) -> Iterator[Twisted]:
    """Yield what was done, where, and the world in which it was done, always in the same order.

    What only denies more is left out, and of resources' policies what allows more: their denials stand behind it.
    """
    for name, document, put in documents(world):
        for number, statement in enumerate(document["Statement"]):
            denies = statement["Effect"] == "Deny"
            if not denies and name.startswith("resource "):
                continue
            for kind, where, twisted in _denied(statement) if denies else _allowed(statement):
                changed = copy.deepcopy(document)
                changed["Statement"][number] = twisted
                yield kind, f"{name} {statement.get('Sid', number)} {where}".strip(), put(changed)


def _denied(statement: Statement) -> Iterator[tuple[str, str, Statement]]:
    yield "let in place of denying", "", {**statement, "Effect": "Allow"}
    yield from _turned(statement)
    for one, put in _named(statement, "Resource"):
        if not one.endswith("*"):
            yield "deny something longer", one, put(f"{one}x")
        elif one != "*":
            yield "deny the stem of a name alone", one, put(one[:-1])
        if _account(one).isdigit():
            yield "deny it in another account", one, put(one.replace(_account(one), "000000000000"))
    for one, put in _named(statement, "NotResource"):
        yield "leave out what begins alike", one, put(f"{one}*" if not one.endswith("*") else f"{one[:-2]}*")
    for (qualifier, bare, exists), key, values, keep in _conditions(statement):
        negated = bare in NEGATIONS.values()
        yield from _negated(qualifier, bare, exists, key, values, keep)
        if negated and bare in LOOSER:
            yield "spare everybody", key, keep(f"{qualifier}{LOOSER[bare]}{exists}", "*")
            yield (
                "spare what begins alike",
                key,
                keep(f"{qualifier}{LOOSER[bare]}{exists}", [f"{one}*" for one in _listed(values)]),
            )
        if not negated and exists:
            yield "deny only where it is said", key, keep(f"{qualifier}{bare}", values)
        if not negated and isinstance(values, list) and len(values) > 1:
            yield "deny one value less", key, keep(f"{qualifier}{bare}{exists}", values[1:])


def _allowed(statement: Statement) -> Iterator[tuple[str, str, Statement]]:
    yield from _turned(statement)
    for one, put in _named(statement, "Resource"):
        if one != "*":
            yield "allow what begins alike", one, put(f"{one}*" if not one.endswith("*") else f"{one[:-2]}*")
        if "${aws:SourceIdentity}" in one:
            yield "allow it under any name", one, put(one.replace("${aws:SourceIdentity}", "*"))
    several = sum(len(values) for values in statement.get("Condition", {}).values()) > 1
    for (qualifier, bare, exists), key, values, keep in _conditions(statement):
        if several:
            yield "drop one condition of several", key, keep("", None)
        yield from _negated(qualifier, bare, exists, key, values, keep)
        # Which names are borne at all another statement of a trust says.
        if bare in LOOSER and key != "sts:SourceIdentity":
            yield "ask for anything", key, keep(f"{qualifier}{LOOSER[bare]}{exists}", "*")
            if not key.endswith("Account"):
                wider = [f"{one}*" for one in _listed(values)]
                yield "ask for what begins alike", key, keep(f"{qualifier}{LOOSER[bare]}{exists}", wider)
        # AWS does not say what a lack is to ForAnyValue with IfExists.
        if bare != "Null" and not exists and bare not in NEGATIONS.values() and qualifier != "ForAnyValue:":
            yield "ask only where it is said", key, keep(f"{qualifier}{bare}IfExists", values)
        if qualifier == "ForAnyValue:":
            yield "ask of all values, or of none", key, keep(f"ForAllValues:{bare}{exists}", values)


def _turned(statement: Statement) -> Iterator[tuple[str, str, Statement]]:
    for of in ("Action", "Resource"):
        for old, new in ((of, f"Not{of}"), (f"Not{of}", of)):
            if old in statement and statement[old] not in ("*", ["*"]):
                turned = {new if key == old else key: value for key, value in statement.items()}
                yield f"turn {old} about", "", turned


def _negated(
    qualifier: str, bare: str, exists: str, key: str, values: Any, keep: Callable[[str, Any], Statement]
) -> Iterator[tuple[str, str, Statement]]:
    if bare in OPPOSITES:
        yield "negate an operator", key, keep(f"{qualifier}{OPPOSITES[bare]}{exists}", values)
    elif bare in ("Bool", "Null"):
        yield "turn a truth about", key, keep(f"{bare}{exists}", {"true": "false", "false": "true"}[str(values)])


def _named(statement: Statement, element: str) -> Iterator[tuple[str, Callable[[str], Statement]]]:
    """Yield each name of an element, and what puts another in its place."""
    listed = _listed(statement.get(element, []))
    for number, one in enumerate(listed):
        before, after = listed[:number], listed[number + 1 :]
        yield one, lambda new, before=before, after=after: {**statement, element: [*before, new, *after]}  # type: ignore[misc]


def _account(arn: str) -> str:
    return arn.split(":")[4] if arn.count(":") > 4 else ""


def _conditions(
    statement: Statement,
) -> Iterator[tuple[tuple[str, str, str], str, Any, Callable[[str, Any], Statement]]]:
    """Yield each condition: its operator in parts, its key, its values, and what puts another in its place."""
    for operator, asked in statement.get("Condition", {}).items():
        before, colon, plain = operator.rpartition(":")
        bare = plain.removesuffix("IfExists")
        for key, values in asked.items():

            def keep(new: str, said: Any, operator: str = operator, key: str = key) -> Statement:
                return _conditioned(statement, operator, key, (new, said) if new else None)

            yield (f"{before}{colon}", bare, plain[len(bare) :]), key, values, keep


def _conditioned(statement: Statement, operator: str, key: str, new: tuple[str, Any] | None) -> Statement:
    changed = copy.deepcopy(statement)
    del changed["Condition"][operator][key]
    if not changed["Condition"][operator]:
        del changed["Condition"][operator]
    if new is not None:
        changed["Condition"].setdefault(new[0], {})[key] = new[1]
    if not changed["Condition"]:
        del changed["Condition"]
    return changed


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
