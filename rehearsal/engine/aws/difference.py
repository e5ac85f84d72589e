"""What changes of a resource, by Pulumi path, and whether it can change in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rehearsal.engine.aws.catalogue import ResourceType
from rehearsal.engine.aws.outputs import shown
from rehearsal.engine.aws.properties import Properties, Property, reveal
from rehearsal.engine.aws.shapes import Property as Member
from rehearsal.engine.aws.shapes import Shape
from rehearsal.engine.terraform.client import Plan
from rehearsal.engine.terraform.diagnostics import Path
from rehearsal.engine.terraform.values import UNKNOWN, Value, equal


class Change(Enum):
    """How a value changes."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class Difference:
    """One changed path. `in_inputs`: it is to be looked up in the old inputs, not in the old outputs."""

    path: Path
    change: Change
    replaces: bool
    in_inputs: bool


def differences(
    kind: ResourceType, prior: dict[str, Value], plan: Plan, old: Properties, new: Properties
) -> list[Difference]:
    """Return what `plan` changes of the resource whose inputs were `old` and are to be `new`.

    What merely follows from another change (an ARN not known yet, all tags) is named only when nothing else is.
    """
    changed = [item for item in kind.members.properties.values() if _changes(kind, prior, plan.planned, item)]
    replacing = [path for path in plan.requires_replace if _differs_at(kind, prior, plan.planned, path)]
    forced = {path[0] for path in replacing}
    named = [item for item in changed if item.terraform in forced or _is_declared(item, old, new)] or changed
    found = [entry for item in named for entry in _entries(item, prior, plan.planned, old, new, replacing)]
    return found or _hidden(kind, prior, plan.planned, replacing)


def _changes(kind: ResourceType, prior: dict[str, Value], planned: dict[str, Value], item: Member) -> bool:
    return not equal(prior.get(item.terraform), planned.get(item.terraform), kind.block.type[1][item.terraform])


def _is_declared(item: Member, old: Properties, new: Properties) -> bool:
    """Tell whether a change of this property comes from the program, and not from what the provider computes."""
    return not item.computed or item.name in old or item.name in new


def _hidden(
    kind: ResourceType, prior: dict[str, Value], planned: dict[str, Value], replacing: list[Path]
) -> list[Difference]:
    """Return changes of attributes that Pulumi has no property for, under their Terraform names."""
    types = kind.block.type[1]
    names = [name for name in kind.members.hidden if name != "timeouts" and name in types]
    forced = {path[0] for path in replacing}
    return [
        Difference((name,), Change.UPDATE, name in forced, False)
        for name in sorted(names)
        if not equal(prior.get(name), planned.get(name), types[name]) and planned.get(name) is not UNKNOWN
    ]


def _entries(
    item: Member,
    prior: dict[str, Value],
    planned: dict[str, Value],
    old: Properties,
    new: Properties,
    replacing: list[Path],
) -> Iterator[Difference]:
    replaces = any(path[0] == item.terraform for path in replacing)
    before, after = reveal(old.get(item.name)), reveal(new.get(item.name))
    by_input = list(_compare(item.shape, before, after, (item.name,)))
    if by_input:
        yield from (Difference(path, change, replaces, True) for path, change in by_input)
        return
    was = shown(item.shape, prior.get(item.terraform))
    becomes = shown(item.shape, planned.get(item.terraform))
    by_state = list(_compare(item.shape, was, becomes, (item.name,))) or [((item.name,), Change.UPDATE)]
    yield from (Difference(path, change, replaces, False) for path, change in by_state)


def _compare(shape: Shape, before: Property, after: Property, path: Path) -> Iterator[tuple[Path, Change]]:
    if before is None and after is None:
        return
    if before is None or after is None:
        yield path, Change.ADD if before is None else Change.DELETE
        return
    if shape.flattened:
        yield from _compare(shape.inner, before, after, path)
    elif shape.kind == "set" and isinstance(before, list) and isinstance(after, list):
        yield from _compare_sets(shape.inner, before, after, path)
    elif shape.kind == "list" and isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from _compare(shape.inner, _at(before, index), _at(after, index), (*path, index))
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            inner = _inner_shape(shape, key)
            if not key.startswith("__"):
                yield from _compare(inner, before.get(key), after.get(key), (*path, key))
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield path, Change.UPDATE


def _compare_sets(inner: Shape, before: list[Any], after: list[Any], path: Path) -> Iterator[tuple[Path, Change]]:
    gone, come = _unmatched(before, after), _unmatched(after, before)
    for old, new in zip(gone, come, strict=False):
        if inner.kind == "object":
            yield from _compare(inner, before[old], after[new], (*path, new))
        else:
            yield (*path, new), Change.UPDATE
    for old in gone[len(come) :]:
        yield (*path, old), Change.DELETE
    for new in come[len(gone) :]:
        yield (*path, new), Change.ADD


def _unmatched(items: list[Any], others: list[Any]) -> list[int]:
    remaining = list(others)
    missing = []
    for index, item in enumerate(items):
        if item in remaining:
            remaining.remove(item)
        else:
            missing.append(index)
    return missing


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def _inner_shape(shape: Shape, key: str) -> Shape:
    if shape.kind == "object" and key in shape.object.properties:
        return shape.object.properties[key].shape
    if shape.kind == "map" and shape.element is not None:
        return shape.element
    return Shape("dynamic", "dynamic")


def _differs_at(kind: ResourceType, prior: Any, planned: Any, path: Path) -> bool:
    """Tell whether the two values differ at `path`: a provider names every path that could force a replacement."""
    if len(path) == 1 and path[0] in kind.block.type[1]:
        name = str(path[0])
        return not equal(prior.get(name), planned.get(name), kind.block.type[1][name])
    for step in path:
        if prior is UNKNOWN or planned is UNKNOWN:
            return True
        prior, planned = _step(prior, step), _step(planned, step)
    return bool(prior != planned) or planned is UNKNOWN


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(step))
    if isinstance(value, list) and isinstance(step, int):
        return value[step] if step < len(value) else None
    return value
