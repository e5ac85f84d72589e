"""Tiles and entry bundles: how a log lies in files that never change.

Format: https://c2sp.org/tlog-tiles
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interlock.ledger.layout import TILE_WIDTH, bundle_key, tile_key
from interlock.ledger.merkle import EMPTY_ROOT, leaf_hash, root_over
from interlock.release.digests import Sha256

HASH_BYTES: Final = 32
LARGEST_ENTRY_BYTES: Final = 2**16 - 1
_HEIGHT: Final = 8


class InvalidTile(ValueError):
    """Bytes that are not the tile or bundle that they should be."""


@dataclass(frozen=True)
class LogObject:
    """An object that a log consists of."""

    key: str
    content: bytes


def bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries, each after its length in two bytes. Raises ValueError for an entry that is too long."""
    for entry in entries:
        if len(entry) > LARGEST_ENTRY_BYTES:
            raise ValueError(f"an entry has {len(entry)} bytes; accepted are {LARGEST_ENTRY_BYTES} at most")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_of(content: bytes, width: int) -> list[bytes]:
    """Return the `width` entries of a bundle. Raises InvalidTile if it holds more, fewer, or a part of one."""
    entries, place = [], 0
    while place < len(content):
        start = place + 2
        place = start + int.from_bytes(content[place:start], "big")
        if start > len(content) or place > len(content):
            raise InvalidTile("the bundle ends within an entry")
        entries.append(content[start:place])
    if len(entries) != width:
        raise InvalidTile(f"the bundle holds {len(entries)} entries, not {width}")
    return entries


def hashes_of(content: bytes, width: int) -> list[Sha256]:
    """Return the `width` hashes of a tile. Raises InvalidTile."""
    if len(content) != width * HASH_BYTES:
        raise InvalidTile(f"the tile has {len(content)} bytes, not {width * HASH_BYTES}")
    return [Sha256(content[place : place + HASH_BYTES]) for place in range(0, len(content), HASH_BYTES)]


def bundle_keys(log: str, size: int, start: int = 0) -> list[tuple[str, int]]:
    """Return key and width of each bundle that together hold entries `start` to `size` of a log of `size`."""
    return [
        (bundle_key(log, index, width), width)
        for index in range(start // TILE_WIDTH, -(-size // TILE_WIDTH))
        for width in [min(TILE_WIDTH, size - index * TILE_WIDTH)]
    ]


@dataclass(frozen=True)
class EdgeKeys:
    """The objects from which the right edge of a log can be read, with their widths."""

    bundle: tuple[str, int] | None
    tiles: tuple[tuple[str, int] | None, ...]
    """By level; None where the last tile is full."""


def edge_keys(log: str, size: int) -> EdgeKeys:
    """Return where the right edge of a log of `size` entries lies."""
    tiles: list[tuple[str, int] | None] = []
    level, count = 0, size
    while count:
        width = count % TILE_WIDTH
        tiles.append((tile_key(log, level, count // TILE_WIDTH, width), width) if width else None)
        level, count = level + 1, count >> _HEIGHT
    width = size % TILE_WIDTH
    return EdgeKeys((bundle_key(log, size // TILE_WIDTH, width), width) if width else None, tuple(tiles))


class Edge:
    """The right edge of a log: all that is needed to append to it and to know its root."""

    def __init__(self, size: int = 0, entries: Iterable[bytes] = (), levels: Iterable[Sequence[Sha256]] = ()) -> None:
        """Take what lies in the last, partial bundle and in the last, partial tile of each level.

        Raises InvalidTile if they contradict one another.
        """
        self.size = size
        self._entries = list(entries)
        self._levels = [list(level) for level in levels] or [[]]
        if [leaf_hash(entry) for entry in self._entries] != self._levels[0]:
            raise InvalidTile("the last bundle holds other entries than the last tile has hashes of")
        if size != sum(len(level) << (_HEIGHT * number) for number, level in enumerate(self._levels)):
            raise InvalidTile(f"the last tiles are not those of a log of {size} entries")

    def root(self) -> Sha256:
        """Return the root of the whole log."""
        below: Sha256 | None = None
        for level in self._levels:
            hashes = [*level, below] if below is not None else level
            below = root_over(hashes) if hashes else None
        return EMPTY_ROOT if below is None else below

    def append(self, log: str, entries: Iterable[bytes]) -> Iterator[LogObject]:
        """Append entries to the log of that name; yield each bundle and tile as it is full."""
        for entry in entries:
            self._entries.append(entry)
            self.size += 1
            if len(self._entries) == TILE_WIDTH:
                index = self.size // TILE_WIDTH - 1
                yield LogObject(bundle_key(log, index), bundle(self._entries))
                self._entries = []
            yield from self._rise(log, leaf_hash(entry))

    def partial(self, log: str) -> Iterator[LogObject]:
        """Yield the bundle and the tiles that are begun and not full."""
        if self._entries:
            index = self.size // TILE_WIDTH
            yield LogObject(bundle_key(log, index, len(self._entries)), bundle(self._entries))
        for level, hashes in enumerate(self._levels):
            if hashes:
                index = self.size >> (_HEIGHT * (level + 1))
                yield LogObject(tile_key(log, level, index, len(hashes)), b"".join(hashes))

    def _rise(self, log: str, made: Sha256) -> Iterator[LogObject]:
        level = 0
        while True:
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level]
            hashes.append(made)
            if len(hashes) < TILE_WIDTH:
                return
            index = (self.size >> (_HEIGHT * (level + 1))) - 1
            yield LogObject(tile_key(log, level, index), b"".join(hashes))
            made = root_over(hashes)
            hashes.clear()
            level += 1
