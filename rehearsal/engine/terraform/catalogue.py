"""A provider's schemas, kept in a file because asking for them costs seconds and half a gigabyte."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any, Literal

import msgpack

from rehearsal.engine.terraform.client import ProviderClient
from rehearsal.engine.terraform.messages import message
from rehearsal.engine.terraform.process import ProviderProcess
from rehearsal.engine.terraform.schema import Schema, read_schema

_FORMAT = 1

Kind = Literal["provider", "resource", "data"]


class Catalogue:
    """The schemas of one provider binary, each read from its message when first asked for."""

    def __init__(self, binary: Path, cache: Path) -> None:
        self._packed = _load(binary, cache)
        self._read: dict[tuple[Kind, str], Schema] = {}
        self._lock = threading.Lock()

    def names(self, kind: Kind) -> frozenset[str]:
        """Return the names of all resource types or data sources."""
        return frozenset(self._packed[kind])

    def provider(self) -> Schema:
        """Return the schema of the provider's configuration."""
        return self.get("provider", "")

    def get(self, kind: Kind, name: str) -> Schema:
        """Return a schema; raises KeyError for a type that the provider has not."""
        with self._lock:
            known = self._read.get((kind, name))
            if known is None:
                known = read_schema(message("Schema").FromString(self._packed[kind][name]))
                self._read[kind, name] = known
            return known


def _load(binary: Path, cache: Path) -> dict[str, dict[str, bytes]]:
    file = cache / f"schemas-{_FORMAT}-{_fingerprint(binary)}.msgpack"
    if file.exists():
        kept: dict[str, dict[str, bytes]] = msgpack.unpackb(file.read_bytes(), raw=False)
        return kept
    packed = _ask(binary)
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(msgpack.packb(packed, use_bin_type=True))
    unfinished.replace(file)
    return packed


def _fingerprint(binary: Path) -> str:
    found = binary.resolve().stat()
    text = f"{binary.name}:{found.st_size}:{found.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ask(binary: Path) -> dict[str, dict[str, bytes]]:
    process = ProviderProcess(binary, {})
    try:
        answer = ProviderClient(process.channel).schemas()
    finally:
        process.stop()
    return {
        "provider": {"": _pack(answer.provider)},
        "resource": {name: _pack(schema) for name, schema in answer.resource_schemas.items()},
        "data": {name: _pack(schema) for name, schema in answer.data_source_schemas.items()},
    }


def _pack(schema: Any) -> bytes:
    _strip(schema.block)
    packed: bytes = schema.SerializeToString()
    return packed


def _strip(block: Any) -> None:
    block.DiscardUnknownFields()
    for attribute in block.attributes:
        attribute.ClearField("description")
    for nested in block.block_types:
        _strip(nested.block)
