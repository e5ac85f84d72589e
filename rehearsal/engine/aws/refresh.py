"""The inputs of a resource as they would have to be declared now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.engine.aws.catalogue import ResourceType
from rehearsal.engine.aws.outputs import shown
from rehearsal.engine.aws.properties import Asset, Properties, Property, Secret, reveal
from rehearsal.engine.aws.shapes import Shape
from rehearsal.engine.terraform.values import Value, equal


def refreshed_inputs(
    kind: ResourceType, inputs: Properties, before: Mapping[str, Value], now: Mapping[str, Value]
) -> Properties:
    """Return `inputs` with every property that changed between the two states brought up to date.

    What has not changed stays as the program wrote it, and what the program never declared stays undeclared: a value
    that appeared there is the business of the next comparison with the state.
    """
    types = kind.block.type[1]
    fresh: Properties = {}
    for name, value in inputs.items():
        member = kind.members.properties.get(name)
        if member is None or equal(before.get(member.terraform), now.get(member.terraform), types[member.terraform]):
            fresh[name] = value
            continue
        current = shown(member.shape, now.get(member.terraform))
        if current is not None and not isinstance(reveal(value), Asset):
            fresh[name] = _as_declared(member.shape, value, current)
    return fresh


def imported_inputs(kind: ResourceType, now: Mapping[str, Value], region: str) -> Properties:
    """Return the inputs that would make a resource like the one found."""
    found: Properties = {"__defaults": []}
    for name, member in kind.members.properties.items():
        current = shown(member.shape, now.get(member.terraform))
        if member.settable and name != "tagsAll" and current not in (None, "", [], {}, False, 0):
            declared = _declarable(member.shape, current)
            found[name] = Secret(declared) if member.sensitive else declared
    if kind.regional:
        found["region"] = region
    return found


def _as_declared(shape: Shape, given: Property, current: Property) -> Property:
    if isinstance(given, Secret):
        return Secret(_as_declared(shape, given.value, current))
    if shape.flattened:
        return _as_declared(shape.inner, given, current)
    if shape.kind == "object" and isinstance(given, dict) and isinstance(current, dict):
        properties = shape.object.properties
        return {
            name: _as_declared(properties[name].shape, value, current[name])
            for name, value in given.items()
            if name in properties and current.get(name) is not None
        }
    if shape.kind in ("list", "set") and isinstance(given, list) and isinstance(current, list):
        ordered = _in_given_order(shape.inner, given, current) if shape.kind == "set" else current
        padded: list[Any] = [*given, *[None] * len(current)]
        return [
            _as_declared(shape.inner, old, new) for old, new in zip(padded, ordered, strict=False) if new is not None
        ]
    return _declarable(shape, current) if given is None else current


def _in_given_order(inner: Shape, given: list[Any], current: list[Any]) -> list[Any]:
    """Return a set's elements where the program has them, what is not as it was declared in the places left over.

    None stands where there is no element any more.
    """
    left = list(current)
    placed: list[Any] = []
    for item in given:
        same = next((index for index, new in enumerate(left) if _is_as_declared(inner, item, new)), None)
        placed.append(None if same is None else left.pop(same))
    remaining = iter(left)
    return [next(remaining, None) if item is None else item for item in placed] + list(remaining)


def _is_as_declared(shape: Shape, given: Property, current: Property) -> bool:
    return bool(reveal(_as_declared(shape, given, current)) == reveal(given))


def _declarable(shape: Shape, current: Property) -> Property:
    """Return the part of a value that a program could have declared."""
    if shape.flattened:
        return _declarable(shape.inner, current)
    if shape.kind == "object" and isinstance(current, dict):
        properties = shape.object.properties
        return {
            name: _declarable(properties[name].shape, value)
            for name, value in current.items()
            if properties[name].settable and value not in (None, "", [], {})
        }
    if shape.kind in ("list", "set") and isinstance(current, list):
        return [_declarable(shape.inner, item) for item in current]
    return current
