"""What the ledger needs of the vault, and how the objects of a log are found and read there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from interlock.ledger.layout import (
    LEDGER,
    TILE_WIDTH,
    InvalidName,
    batches_prefix,
    checkpoints_prefix,
    epoch_of,
    numbered,
    witnessed_prefix,
)
from interlock.ledger.tiles import InvalidTile, bundle_keys, entries_of

_DIGITS: Final = re.compile(r"\d{3}")


class LogReader(Protocol):
    """Reads objects that were written once and stay."""

    def read(self, key: str) -> bytes | None:
        """Return what lies under `key`, or None."""
        ...

    def read_all(self, keys: Sequence[str]) -> Iterator[bytes | None]:
        """Yield what lies under each of `keys`, in their order."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Return the names right under `prefix`, sorted; a folder's ends with a slash."""
        ...


class LedgerStorage(LogReader, Protocol):
    """Reads them, and writes them once."""

    def create(self, key: str, content: bytes) -> bytes:
        """Store `content` if nothing lies under `key`; return what lies there then, read back."""
        ...


class Incomplete(ValueError):
    """An object that should be there is not, or not yet where objects arrive by replication."""


def newest_number(storage: LogReader, prefix: str) -> int | None:
    """Return the largest number of the numbered objects under `prefix`, or None if there are none."""
    found = _newest(storage, prefix, ("/", "/", ""))
    return None if found is None else int(found)


def newest_batch(storage: LogReader, log: str) -> int | None:
    """Return the number of a log's last batch, or None."""
    return newest_number(storage, batches_prefix(log))


def newest_checkpoint(storage: LogReader, log: str) -> int | None:
    """Return the number of a log's last checkpoint, or None."""
    return newest_number(storage, checkpoints_prefix(log))


def newest_witnessed(storage: LogReader, log: str) -> bytes | None:
    """Return the last checkpoint of a log that its witness has co-signed, or None."""
    number = newest_number(storage, witnessed_prefix(log))
    return None if number is None else storage.read(numbered(witnessed_prefix(log), number))


def all_numbers(storage: LogReader, prefix: str) -> Iterator[int]:
    """Yield the numbers of all numbered objects under `prefix`, in order."""
    for first in _numbers(storage, prefix, "/"):
        for second in _numbers(storage, f"{prefix}{first}/", "/"):
            for third in _numbers(storage, f"{prefix}{first}/{second}/", ""):
                yield int(first + second + third)


def logs(storage: LogReader) -> list[str]:
    """Return the names of all logs that have begun, in the order of their epochs."""
    return sorted((name[:-1] for name in storage.names(LEDGER) if _is_log(name)), key=lambda log: (epoch_of(log), log))


def read_entries(storage: LogReader, log: str, size: int, start: int = 0) -> list[bytes]:
    """Return the entries `start` to `size` of a log that had `size` at a checkpoint. Raises Incomplete, InvalidTile."""
    keys = bundle_keys(log, size, start)
    entries: list[bytes] = []
    for (key, width), content in zip(keys, storage.read_all([key for key, _ in keys]), strict=True):
        if content is None:
            raise Incomplete(f"{key} is missing")
        try:
            entries.extend(entries_of(content, width))
        except InvalidTile as error:
            raise InvalidTile(f"{key}: {error}") from error
    return entries[start % TILE_WIDTH :]


def _newest(storage: LogReader, prefix: str, ends: Sequence[str]) -> str | None:
    if not ends:
        return ""
    for digits in reversed(_numbers(storage, prefix, ends[0])):
        rest = _newest(storage, f"{prefix}{digits}/", ends[1:])
        if rest is not None:
            return digits + rest
    return None


def _numbers(storage: LogReader, prefix: str, end: str) -> list[str]:
    names = (name.removesuffix("/") for name in storage.names(prefix) if name.endswith("/") == bool(end))
    return [name for name in names if _DIGITS.fullmatch(name)]


def _is_log(name: str) -> bool:
    if not name.endswith("/"):
        return False
    try:
        epoch_of(name[:-1])
    except InvalidName:
        return False
    return True
