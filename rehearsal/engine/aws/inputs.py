"""From what a program declares to what Terraform is configured with, and every mistake on the way named."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.engine.aws import paths
from rehearsal.engine.aws.properties import Asset, Properties, Property, Secret, reveal
from rehearsal.engine.aws.shapes import Members, Shape
from rehearsal.engine.terraform.diagnostics import Path
from rehearsal.engine.terraform.schema import Block, empty_collection
from rehearsal.engine.terraform.values import UNKNOWN, Value, as_text, to_number

_INTERNAL = "__"


@dataclass(frozen=True)
class Problem:
    """What is wrong with one property."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{paths.text(self.path)}: {self.reason}" if self.path else self.reason


@dataclass
class Reader:
    """Reads properties into Terraform values and collects what is wrong with them.

    `owner` and `versions` name the type and the two versions in messages; `file_of` puts an asset into a file and
    returns its path.
    """

    owner: str
    versions: str
    file_of: Callable[[Asset], str]
    problems: list[Problem] = field(default_factory=list)

    def block(self, members: Members, block: Block, properties: Properties, path: Path = ()) -> dict[str, Value]:
        """Return the configuration that `properties` are, complete with nulls and empty collections."""
        config = block.empty()
        for name, value in properties.items():
            found = members.properties.get(name)
            if name.startswith(_INTERNAL) or value is None:
                continue
            if found is None:
                self._unknown_property(members, name, (*path, name))
            elif not found.settable:
                self._wrong((*path, name), f"{name} is set by the provider and cannot be given")
            else:
                config[found.terraform] = self._value(found.shape, value, (*path, name))
                nested = found.nested
                if nested is not None and config[found.terraform] is None:
                    config[found.terraform] = empty_collection(nested)
        return config

    def _value(self, shape: Shape, value: Property, path: Path) -> Value:
        if isinstance(value, Secret):
            told = len(self.problems)
            read = self._value(shape, value.value, path)
            self.problems[told:] = [Problem(item.path, _without_value(item.reason)) for item in self.problems[told:]]
            return read
        if value is None or value is UNKNOWN:
            return value if not (shape.flattened and value is UNKNOWN) else self._unknown_flattened(shape)
        if isinstance(value, Asset):
            return self._asset(shape, value, path)
        if shape.flattened:
            return [self._value(shape.inner, value, path)]
        match shape.kind:
            case "list" | "set":
                return self._list(shape, value, path)
            case "map":
                return self._map(shape, value, path)
            case "object":
                return self._object(shape, value, path)
            case "string":
                return self._string(shape, value, path)
            case "number":
                return self._number(value, path)
            case "bool":
                return self._bool(value, path)
            case _:
                return reveal(value)

    def _unknown_flattened(self, shape: Shape) -> Value:
        return [UNKNOWN] if shape.inner.kind != "object" else UNKNOWN

    def _list(self, shape: Shape, value: Property, path: Path) -> Value:
        if not isinstance(value, list):
            return self._wrong(path, f"expected a list, got {_described(value)}")
        items = [self._value(shape.inner, item, (*path, index)) for index, item in enumerate(value)]
        for index, item in enumerate(value):
            if reveal(item) is None:
                self._wrong((*path, index), "expected a value, got null")
        return items

    def _map(self, shape: Shape, value: Property, path: Path) -> Value:
        if not isinstance(value, dict):
            return self._wrong(path, f"expected a map, got {_described(value)}")
        return {key: self._value(shape.inner, item, (*path, key)) for key, item in value.items() if item is not None}

    def _object(self, shape: Shape, value: Property, path: Path) -> Value:
        if not isinstance(value, dict):
            return self._wrong(path, f"expected an object, got {_described(value)}")
        assert shape.block is not None
        return self.block(shape.object, shape.block, value, path)

    def _string(self, shape: Shape, value: Property, path: Path) -> Value:
        if isinstance(value, str):
            return value
        if shape.sdk.document and isinstance(value, dict):
            return json.dumps(reveal(value), separators=(",", ":"))
        if shape.sdk.kind in ("number", "boolean") and isinstance(value, bool | int | float):
            return as_text(value)
        return self._wrong(path, f"expected a string, got {_described(value)}")

    def _number(self, value: Property, path: Path) -> Value:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            try:
                return to_number(value)
            except ValueError:
                return self._wrong(path, f"expected a number, got {_described(value)}")
        return self._wrong(path, f"expected a number, got {_described(value)}")

    def _bool(self, value: Property, path: Path) -> Value:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        return self._wrong(path, f"expected true or false, got {_described(value)}")

    def _asset(self, shape: Shape, value: Asset, path: Path) -> Value:
        kind = "an archive" if value.archive else "an asset"
        if not shape.is_asset:
            return self._wrong(path, f"expected {_expected(shape)}, got {kind}")
        try:
            return self.file_of(value)
        except (OSError, ValueError) as problem:
            return self._wrong(path, f"the content of {kind} cannot be had: {problem}")

    def _unknown_property(self, members: Members, name: str, path: Path) -> None:
        if name in members.newer:
            self._wrong(path, f"{name} is newer than the provider in use ({self.versions})")
            return
        settable = [item.name for item in members.properties.values() if item.settable]
        close = difflib.get_close_matches(name, settable, n=2)
        hint = (
            f"; did you mean {' or '.join(close)}?" if close else f"; it has: {', '.join(sorted(settable)) or 'none'}"
        )
        self._wrong(path, f"{self.owner} has no property {name} here{hint}")

    def _wrong(self, path: Path, reason: str) -> None:
        self.problems.append(Problem(path, reason))


def _without_value(reason: str) -> str:
    before, got, _ = reason.partition(", got ")
    return f"{before}{got}a secret" if got else reason


def _described(value: Property) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    return f"the string {_shortened(value)}"


def _shortened(value: Any) -> str:
    written = json.dumps(value)
    return written if len(written) <= 80 else f"{written[:77]}…"


def _expected(shape: Shape) -> str:
    return {
        "string": "a string",
        "number": "a number",
        "bool": "true or false",
        "object": "an object",
        "map": "a map",
    }.get(shape.kind, "a list")
