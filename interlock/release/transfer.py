"""Puts many files into a bucket at once, and none of them twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from interlock.release.vault import Overwritten, StagingWriter, StoredObject, VaultReader, VaultWriter

LANES: Final = 8
"""How many files are under way at once: with small ones, all the time is spent waiting for answers."""


@dataclass(frozen=True)
class Item:
    """A file, or bytes, to lie under a key; `sha256` in hexadecimal digits."""

    key: str
    file: Path | bytes
    sha256: str


@dataclass(frozen=True)
class Renewal:
    """What is written again although it lies there: what the store took before some time (UTC)."""

    before: datetime
    writer: StagingWriter


def put_all(
    items: Sequence[Item],
    prefix: str,
    *,
    writer: VaultWriter,
    reader: VaultReader,
    progress: Callable[[str], None] = lambda _: None,
    lanes: int = LANES,
    renewal: Renewal | None = None,
) -> list[StoredObject]:
    """Store every item, all of whose keys begin with `prefix`; return what lies there in the order of the items.

    What lies there already is read and not sent, unless it is too old for `renewal`. Raises Overwritten if it has other
    bytes, and what `writer` raises; then nothing more is begun.
    """
    there = {
        version.key: version
        for version in reader.versions(prefix)
        if version.is_latest and not version.is_delete_marker
    }

    def put(item: Item) -> StoredObject:
        version = there.get(item.key)
        if version is None:
            return writer.put(item.key, item.file, item.sha256)
        if renewal is not None and version.written_at is not None and version.written_at < renewal.before:
            return renewal.writer.put_again(item.key, item.file, item.sha256)
        stored = reader.describe(item.key, version.version_id)
        if stored.sha256 != item.sha256:
            raise Overwritten(f"{item.key} holds bytes with SHA-256 {stored.sha256} already, not {item.sha256}")
        return stored

    with ThreadPoolExecutor(lanes) as pool:
        try:
            return list(_told(pool.map(put, items), items, progress))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _told(
    stored: Iterator[StoredObject], items: Sequence[Item], progress: Callable[[str], None]
) -> Iterator[StoredObject]:
    for number, (one, item) in enumerate(zip(stored, items, strict=True), start=1):
        progress(f"stored {number} of {len(items)} files, {item.key.rpartition('/')[2]}")
        yield one
