"""What the SDK describes, kept in files: pulumi-aws takes seconds to import, a description a millisecond to read."""

from __future__ import annotations

import importlib.metadata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgpack

VERSION: str = importlib.metadata.version("pulumi-aws")

Kind = Literal["any", "string", "boolean", "number", "list", "map", "object", "asset"]

_FORMAT = 1


@dataclass(frozen=True)
class SdkType:
    """The type of one property; `document` marks a string that may also be given as the object it is the JSON of.

    `owner` names the class of an object, whose properties are read when asked for.
    """

    kind: Kind
    element: SdkType | None = None
    document: bool = False
    owner: str = ""
    members: Callable[[], Mapping[str, SdkType]] | None = field(default=None, compare=False, repr=False)

    def fields(self) -> Mapping[str, SdkType]:
        """Return the properties of an object, by Pulumi name."""
        return {} if self.members is None else self.members()


@dataclass(frozen=True)
class Description:
    """A resource, a function or the provider: all its properties, and the names of those that may be given."""

    properties: Mapping[str, SdkType]
    inputs: frozenset[str]


class Descriptions:
    """The descriptions of everything in the SDK, by token; what is missing in the folder `cache` is put there."""

    def __init__(self, cache: Path) -> None:
        self._folder = cache / f"sdk-{VERSION}-{_FORMAT}"

    def resource(self, token: str) -> Description | None:
        """Return the resource `token` (`aws:s3/bucket:Bucket`), or None when the SDK has none of that name."""
        return self._get("resource", token)

    def function(self, token: str) -> Description | None:
        """Return the function `token` (`aws:kms/getKey:getKey`), or None when the SDK has none of that name."""
        return self._get("function", token)

    def provider(self) -> Description:
        """Return the provider's own configuration."""
        found = self._get("provider", "pulumi:providers:aws")
        assert found is not None
        return found

    def _get(self, kind: str, token: str) -> Description | None:
        name = "".join(letter if letter.isalnum() else "-" for letter in token)
        file = self._folder / f"{kind}-{name}.msgpack"
        if file.is_file():
            return _unpacked(msgpack.unpackb(file.read_bytes()))
        # Only here, because this is the import that the files save.
        from rehearsal.engine.aws import sdk

        found = {"resource": sdk.resource, "function": sdk.function, "provider": sdk.provider}[kind](token)
        if found is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(f".{uuid.uuid4().hex}")
            unfinished.write_bytes(msgpack.packb(_packed(found)))
            unfinished.replace(file)
        return found


def _packed(description: Description) -> dict[str, Any]:
    classes: dict[str, Any] = {}

    def pack(kind: SdkType) -> list[Any]:
        if kind.owner and kind.owner not in classes:
            classes[kind.owner] = None
            classes[kind.owner] = {name: pack(inner) for name, inner in kind.fields().items()}
        return [kind.kind, kind.element and pack(kind.element), kind.document, kind.owner]

    properties = {name: pack(kind) for name, kind in description.properties.items()}
    return {"properties": properties, "inputs": sorted(description.inputs), "classes": classes}


def _unpacked(packed: Mapping[str, Any]) -> Description:
    classes = packed["classes"]

    def unpack(entry: list[Any]) -> SdkType:
        kind, element, document, owner = entry
        members = (lambda: {name: unpack(item) for name, item in classes[owner].items()}) if owner else None
        return SdkType(kind, element and unpack(element), document, owner, members)

    properties = {name: unpack(entry) for name, entry in packed["properties"].items()}
    return Description(properties, frozenset(packed["inputs"]))
