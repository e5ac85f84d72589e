"""Pulumi's property values as Python's, and their encoding in protobuf structures.

Absent and null are None, `UNKNOWN` is a value not known in a preview; secrets and assets are objects of their own.
Source of the signatures: pulumi, sdk/go/common/resource/properties.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf import struct_pb2

from rehearsal.engine.terraform.values import UNKNOWN, whole

Property: TypeAlias = Any
Properties: TypeAlias = dict[str, Any]

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_KINDS = {
    "1b47061264138c4ac30d75fd1eb44270": "secret",
    "c44067f5952c0a294b673a41bacd8c17": "asset",
    "0def7320c3a5731c473e5ecbe6d01bc7": "archive",
    "5cf8f73096256a8f31e491e813e4eb8e": "resource",
    "d0e6a833031e9bbcd3f4e8bde6ca49a4": "output",
}
_SIGNATURES = {kind: signature for signature, kind in _KINDS.items()}
_UNKNOWNS = {
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass(frozen=True)
class Secret:
    """A value that is shown and stored only encrypted."""

    value: Property

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True)
class Asset:
    """A file or an archive of files, as the engine describes it; `fields` as they came, without the signature."""

    archive: bool
    fields: tuple[tuple[str, Any], ...]

    def get(self, name: str) -> Any:
        return dict(self.fields).get(name)


def decode(structure: struct_pb2.Struct) -> Properties:
    """Return the properties that a structure holds; nulls at the top are left out."""
    return {name: value for name, item in structure.fields.items() if (value := _decode(item)) is not None}


def _decode(value: struct_pb2.Value) -> Property:
    kind = value.WhichOneof("kind")
    match kind:
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
        case "number_value":
            return whole(value.number_value)
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "struct_value":
            return _decode_structure(value.struct_value)
        case _:
            return None


def _decode_structure(structure: struct_pb2.Struct) -> Property:
    fields = {name: _decode(item) for name, item in structure.fields.items()}
    signature = fields.pop(_SIGNATURE, None)
    if signature is None:
        return fields
    match _KINDS.get(signature):
        case "secret":
            return Secret(fields.get("value"))
        case "asset" | "archive" as kind:
            return Asset(kind == "archive", _frozen(fields))
        case "resource":
            return fields.get("id") or fields.get("urn")
        case "output":
            value = fields.get("value", UNKNOWN)
            return Secret(value) if fields.get("secret") else value
        case _:
            raise ValueError(f"a property has the unknown signature {signature}")


def _frozen(fields: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, _frozen(value) if isinstance(value, dict) else value) for name, value in sorted(fields.items()))


def encode(properties: Mapping[str, Property]) -> struct_pb2.Struct:
    """Return the structure of `properties`."""
    structure = struct_pb2.Struct()
    for name, value in properties.items():
        _encode(value, structure.fields[name])
    return structure


def _encode(value: Property, target: struct_pb2.Value) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        target.string_value = _UNKNOWN_TEXT
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for item in value:
            _encode(item, target.list_value.values.add())
    else:
        fields = _signed(value) if isinstance(value, Secret | Asset) else value
        target.struct_value.SetInParent()
        for name, item in fields.items():
            _encode(item, target.struct_value.fields[name])


def _signed(value: Secret | Asset) -> Mapping[str, Any]:
    if isinstance(value, Secret):
        return {_SIGNATURE: _SIGNATURES["secret"], "value": value.value}
    kind = "archive" if value.archive else "asset"
    return {_SIGNATURE: _SIGNATURES[kind]} | {name: _thawed(item) for name, item in value.fields}


def _thawed(item: Any) -> Any:
    if isinstance(item, tuple):
        return {name: _thawed(inner) for name, inner in item}
    return item


def reveal(value: Property) -> Property:
    """Return `value` with its secrets in the open, for the provider alone to see."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {name: reveal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def has_secret(value: Property) -> bool:
    """Tell whether any part of `value` is secret."""
    if isinstance(value, dict):
        return any(has_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(has_secret(item) for item in value)
    return isinstance(value, Secret)


def secret_texts(value: Property, *, inside: bool = False) -> Iterator[str]:
    """Yield every text of `value` that is secret."""
    if isinstance(value, Secret):
        yield from secret_texts(value.value, inside=True)
    elif isinstance(value, dict):
        for item in value.values():
            yield from secret_texts(item, inside=inside)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item, inside=inside)
    elif inside and isinstance(value, str):
        yield value


def map_texts(value: Property, change: Callable[[str], Property]) -> Property:
    """Return `value` with every text that is not secret already replaced by what `change` makes of it."""
    if isinstance(value, dict):
        return {name: map_texts(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [map_texts(item, change) for item in value]
    return change(value) if isinstance(value, str) else value
