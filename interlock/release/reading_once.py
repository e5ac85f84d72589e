"""A vault whose files are read whole once, however often a release is judged in a row."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.release.vault import Lock, ObjectVersion, StoredObject, VaultReader


class ReadingOnce:
    """Remembers what each object version was found to hold: a version's bytes never change.

    Which versions there are, how they are locked and what statements say is read anew each time.
    """

    def __init__(self, reader: VaultReader) -> None:
        self._reader = reader
        self._described: dict[tuple[str, str], StoredObject] = {}

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        return self._reader.versions(prefix)

    def read(self, key: str, version_id: str) -> bytes:
        return self._reader.read(key, version_id)

    def describe(self, key: str, version_id: str) -> StoredObject:
        known = self._described.get((key, version_id))
        if known is None:
            known = self._described[key, version_id] = self._reader.describe(key, version_id)
        return known

    def lock(self, key: str, version_id: str) -> Lock | None:
        return self._reader.lock(key, version_id)
