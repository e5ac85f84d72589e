"""Folders that stand for prefixes of the vault, read as the vault is: without versions, and without locks."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from interlock.release.vault import Lock, ObjectVersion, StoredObject


class FolderReader:
    """Reads regular files alone; a link is never followed, and stands for nothing."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """`folders` by the prefix of the keys of what lies in them, such as `trust/`."""
        self._folders = dict(folders)

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield the one version that each file under `prefix` has."""
        for own, folder in self._folders.items():
            for path in sorted(_files(folder, "")):
                if f"{own}{path}".startswith(prefix):
                    yield ObjectVersion(f"{own}{path}", "", is_latest=True)

    def read(self, key: str, version_id: str) -> bytes:
        """Return a file's bytes. Raises OSError."""
        del version_id
        # Opened without following links, so that what is read is what was listed.
        with open(os.open(self._path(key), os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()

    def describe(self, key: str, version_id: str) -> StoredObject:
        """Return a file's size and digest, taken of every byte of it. Raises OSError."""
        with open(os.open(self._path(key), os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return StoredObject(key, version_id, file.tell(), digest)

    def lock(self, key: str, version_id: str) -> Lock | None:
        """Return None: nothing holds a file."""
        del key, version_id
        return None

    def _path(self, key: str) -> Path:
        for prefix, folder in self._folders.items():
            if key.startswith(prefix):
                return folder / key.removeprefix(prefix)
        raise FileNotFoundError(key)


def _files(folder: Path, prefix: str) -> Iterator[str]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as found:
        for entry in found:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _files(Path(entry.path), f"{prefix}{entry.name}/")
            elif stat.S_ISREG(mode):
                yield f"{prefix}{entry.name}"
