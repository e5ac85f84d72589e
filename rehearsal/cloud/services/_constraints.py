"""Requests held against the constraints of AWS's own service models, refused in AWS's words.

Source: the lengths, ranges, patterns and enumerations of botocore's service descriptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Yield one sentence for each member of `value` that `shape` does not allow; members are named by their path."""
    if isinstance(shape, StructureShape):
        yield from _structure_violations(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _size_violations(shape, len(value), "length", value, path)
        for position, member in enumerate(value, start=1):
            yield from violations(shape.member, member, f"{path}.{position}.member")
    elif isinstance(shape, MapShape):
        yield from _size_violations(shape, len(value), "length", value, path)
        for key, member in value.items():
            yield from violations(shape.key, key, f"{path}.key")
            yield from violations(shape.value, member, f"{path}.{key}.member")
    elif shape.type_name == "string":
        yield from _string_violations(shape, str(value), path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _size_violations(shape, value, "value", value, path)


def summary(found: list[str]) -> str:
    """Return the message with which AWS answers `found` violations."""
    plural = "s" if len(found) > 1 else ""
    return f"{len(found)} validation error{plural} detected: {'; '.join(found)}"


def _structure_violations(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        inside = f"{path}.{name[0].lower()}{name[1:]}" if path else f"{name[0].lower()}{name[1:]}"
        given = value.get(name)
        if given is not None:
            yield from violations(member, given, inside)
        elif name in shape.required_members:
            yield f"Value null at '{inside}' failed to satisfy constraint: Member must not be null"


def _string_violations(shape: Shape, value: str, path: str) -> Iterator[str]:
    yield from _size_violations(shape, len(value), "length", value, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _violation(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and not compiled.fullmatch(value):
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _size_violations(shape: Shape, size: float, what: str, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _violation(value, path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _violation(value, path, f"Member must have {what} less than or equal to {most}")


def _violation(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


@lru_cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the pattern in Python's dialect, None for one that only Java's can express."""
    try:
        return re.compile(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), re.ASCII)
    except re.error:
        return None
