"""Where a release lies in the vault, and what its readers and writers need the vault to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

RELEASES = "releases/"


class Overwritten(ValueError):
    """Under a key that was to be written lies something else already."""


@dataclass(frozen=True)
class StoredObject:
    """One object as it was read back: where it lies and what it holds (`sha256` in hexadecimal digits)."""

    key: str
    version_id: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ObjectVersion:
    """One version of a key, or a delete marker that hides the versions below it."""

    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool = False
    written_at: datetime | None = field(default=None, compare=False)
    """When (UTC) the store took it; None where it does not tell."""


@dataclass(frozen=True)
class Lock:
    """Until when (UTC) an object can be neither changed nor deleted; only COMPLIANCE holds against everybody."""

    mode: str
    until: datetime


class VaultWriter(Protocol):
    """Adds objects, each once and for good."""

    def put(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        """Store `content`, whose SHA-256 is `sha256` (hexadecimal digits), and return what was read back.

        An object that lies there already counts as stored if its bytes are the same; raises Overwritten if not.
        """
        ...


class StagingWriter(VaultWriter, Protocol):
    """Writes where nothing is locked, and what lies there is taken away some time after it was written."""

    def put_again(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        """Store `content` as the newest version of whatever lies there, and return what was read back."""
        ...


class VaultReader(Protocol):
    """Reads objects by their version."""

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield every version and every delete marker of all keys under `prefix`."""
        ...

    def read(self, key: str, version_id: str) -> bytes: ...

    def describe(self, key: str, version_id: str) -> StoredObject:
        """Return what an object holds, by reading every byte of it."""
        ...

    def lock(self, key: str, version_id: str) -> Lock | None: ...


class VaultDownloader(Protocol):
    """Brings objects that may be larger than memory onto a disk."""

    def download(self, key: str, version_id: str, file: Path) -> None:
        """Write an object's bytes into the new file `file`. Raises FileExistsError if it is there."""
        ...


def release_prefix(digest: str) -> str:
    """Return the prefix under which everything about a release lies."""
    return f"{RELEASES}{digest}/"


def files_prefix(digest: str) -> str:
    """Return the prefix under which the release's own files lie, and nothing else."""
    return f"{release_prefix(digest)}files/"


def manifest_key(digest: str) -> str:
    """Return the key of the release's file manifest."""
    return f"{release_prefix(digest)}manifest.json"


def statements_prefix(digest: str) -> str:
    """Return the prefix under which the envelopes about the release lie."""
    return f"{release_prefix(digest)}statements/"


def statement_key(digest: str, payload_digest: str) -> str:
    """Return the key of an envelope: named after its payload, because two signatures over one payload differ."""
    return f"{statements_prefix(digest)}{payload_digest}.dsse.json"


def version_of(reader: VaultReader, key: str) -> str | None:
    """Return the version of what lies under `key`, or None if nothing does.

    A key is written once. Raises Overwritten if it has a second version or a delete marker.
    """
    found = [one for one in reader.versions(key) if one.key == key]
    if len(found) > 1 or any(one.is_delete_marker for one in found):
        raise Overwritten(f"{key} has {len(found)} versions or delete markers; every key is written once")
    return found[0].version_id if found else None
