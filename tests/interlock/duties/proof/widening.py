"""Mutations that widen what a duty's role may do: each statement of its own, and each of its boundary."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from interlock.duties.world import NamedDocument, Principal, World

Statement = dict[str, Any]


def widenings(world: World) -> Iterator[tuple[str, str, World]]:
    """Yield kind, name and world of each."""
    bounds: set[str] = set()
    for principal in world.principals:
        if principal.duty is None:
            continue
        for number, document in enumerate(principal.identity):
            for kind, name, changed in _widened(document.document):
                policies = list(principal.identity)
                policies[number] = document.model_copy(update={"document": changed})
                yield kind, f"{principal.arn} {document.name} {name}", _with(world, principal, identity=tuple(policies))
        if principal.boundary is not None and principal.boundary.name not in bounds:
            bounds.add(principal.boundary.name)
            yield from _wider_boundaries(world, principal, principal.boundary)
    yield from _wider_services(world)


def _wider_services(world: World) -> Iterator[tuple[str, str, World]]:
    """Widen the boundaries of roles that are yet to be made for services."""
    for boundary in world.boundaries:
        if boundary.editable_arn not in world.limits:
            continue
        for number, one in enumerate(boundary.document["Statement"]):
            wider = {**one, "Action": [*one["Action"], "ssm:GetParameter", "logs:DeleteLogGroup"]}
            statements = [wider] if one["Effect"] == "Allow" else []
            listed = boundary.document["Statement"]
            document = {**boundary.document, "Statement": [*listed[:number], *statements, *listed[number + 1 :]]}
            changed = boundary.model_copy(update={"document": document})
            others = tuple(changed if each is boundary else each for each in world.boundaries)
            where = f"{boundary.editable_arn} {one['Sid']}"
            yield "widen a boundary of services", where, world.model_copy(update={"boundaries": others})


def _with(world: World, old: Principal, **update: Any) -> World:
    changed = old.model_copy(update=update)
    return world.model_copy(update={"principals": tuple(changed if one is old else one for one in world.principals)})


def _widened(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, one in enumerate(document["Statement"]):
        if one["Effect"] != "Allow":
            continue
        if one["Resource"] not in ("*", ["*"]):
            yield "widen to every resource", one["Sid"], _replaced(document, number, {**one, "Resource": "*"})
        if one.get("Condition"):
            free = {key: value for key, value in one.items() if key != "Condition"}
            yield "drop a condition", one["Sid"], _replaced(document, number, free)
        actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
        services = sorted({f"{action.partition(':')[0]}:*" for action in actions})
        yield "widen to every action", one["Sid"], _replaced(document, number, {**one, "Action": services})


def _replaced(document: dict[str, Any], number: int, statement: Statement) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    changed["Statement"][number] = statement
    return changed


def _wider_boundaries(world: World, principal: Principal, boundary: NamedDocument) -> Iterator[tuple[str, str, World]]:
    most = boundary.document["Statement"][0]
    actions = most["Action"] if isinstance(most["Action"], list) else [most["Action"]]
    wider = _replaced(boundary.document, 0, {**most, "Action": [*actions, "organizations:*"]})
    changed = boundary.model_copy(update={"document": wider})
    yield "widen a boundary", boundary.name, _with(world, principal, boundary=changed)
