"""What of the vault belongs in the audit bundle of a release: which objects, which part of which logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from interlock.ledger.checkpoint import parse_checkpoint
from interlock.ledger.layout import LEDGER, checkpoints_prefix, witnessed_prefix
from interlock.ledger.leaf import Leaf, parse_leaf
from interlock.ledger.merkle import Tree
from interlock.ledger.tiles import bundle_keys, entries_of
from interlock.release.record import record_prefixes
from interlock.release.trust.published import TRUST
from interlock.release.vault import Lock, VaultReader, files_prefix


@dataclass(frozen=True)
class IndexedObject:
    """One version, or delete marker, of a key of the vault, as the index of a bundle names it."""

    key: str
    version_id: str
    size: int
    sha256: str
    delete_marker: bool
    lock: Lock | None
    content: bytes | None
    """None where its bytes are not in the bundle, or are fetched when it is written: those of a release's files."""

    @property
    def is_file(self) -> bool:
        """Say whether it is one of the release's own files."""
        return self.key.split("/")[2:3] == ["files"]


class MissingEntries(ValueError):
    """Entries that a log's newest checkpoint signs for and that do not lie in the vault."""


@dataclass(frozen=True)
class LogPart:
    """What of one log is in a bundle: all entries under its newest checkpoint, and the checkpoints that date them."""

    name: str
    newest: str
    """The key of its newest checkpoint."""
    objects: dict[str, bytes]
    leaves: tuple[Leaf, ...]
    tree: Tree = field(repr=False, compare=False)
    sizes: tuple[int, ...] = ()
    """The sizes, ascending, of the checkpoints that are in the bundle."""


def indexed(reader: VaultReader, digest: str) -> Iterator[IndexedObject]:
    """Yield everything that lies about the release `digest`, and the trust root and its policies, sorted by key."""
    for prefix in sorted((*record_prefixes(digest), TRUST)):
        found = list(reader.versions(prefix))
        for one in sorted(found, key=lambda version: (version.key, version.version_id)):
            if one.is_delete_marker:
                yield IndexedObject(one.key, one.version_id, 0, "0" * 64, True, None, None)
                continue
            lock = reader.lock(one.key, one.version_id)
            stored = reader.describe(one.key, one.version_id)
            alone = sum(other.key == one.key and not other.is_delete_marker for other in found) == 1
            keep = alone and not one.key.startswith(files_prefix(digest))
            content = reader.read(one.key, one.version_id) if keep else None
            yield IndexedObject(one.key, one.version_id, stored.size, stored.sha256, False, lock, content)


def log_names(reader: VaultReader) -> list[str]:
    """Return the names of the logs in the vault."""
    return sorted({version.key.split("/")[1] for version in reader.versions(LEDGER)})


def log_part(reader: VaultReader, log: str, digest: str) -> LogPart | None:
    """Return what of a log tells about the release `digest`, or None if the log has no checkpoint yet.

    Nothing is verified here: whoever reads the bundle does, and what is wrong with a log is what they are to see.
    Raises InvalidCheckpoint, InvalidTile, InvalidLeaf or MissingEntries for what cannot be read at all.
    """
    own = _Numbered(reader, checkpoints_prefix(log))
    if not own.keys:
        return None
    newest = own.keys[-1]
    objects = {newest: own.content(newest)}
    size = own.size(newest)
    entries: list[bytes] = []
    for key, width in bundle_keys(log, size):
        content = own.read(key)
        objects[key] = content
        entries += entries_of(content, width)
    leaves = tuple(parse_leaf(entry) for entry in entries)
    witnessed = _Numbered(reader, witnessed_prefix(log))
    # When a policy came into force, the entry of the root that names it tells.
    about = [index for index, leaf in enumerate(leaves) if leaf.subject == digest or leaf.key.startswith(TRUST)]
    dated = {key for index in about for key in witnessed.around(index)} | set(witnessed.keys[-1:])
    objects |= {key: witnessed.content(key) for key in sorted(dated)}
    tree = Tree()
    for entry in entries:
        tree.append(entry)
    return LogPart(log, newest, objects, leaves, tree, tuple(sorted({size, *(witnessed.size(key) for key in dated)})))


class _Numbered:
    """Checkpoints under a prefix, whose keys sort as they were written; each is read at most once."""

    def __init__(self, reader: VaultReader, prefix: str) -> None:
        self._reader = reader
        self._versions = {one.key: one.version_id for one in reader.versions(prefix) if not one.is_delete_marker}
        self.keys: Sequence[str] = sorted(self._versions)
        self._contents: dict[str, bytes] = {}

    def content(self, key: str) -> bytes:
        if key not in self._contents:
            self._contents[key] = self._reader.read(key, self._versions[key])
        return self._contents[key]

    def read(self, key: str) -> bytes:
        """Return another object of the log, by the only version that it has."""
        found = next((one.version_id for one in self._reader.versions(key) if one.key == key), None)
        if found is None:
            raise MissingEntries(f"{key} is missing, and the newest checkpoint covers it")
        return self._reader.read(key, found)

    def size(self, key: str) -> int:
        return parse_checkpoint(self.content(key)).checkpoint.size

    def around(self, index: int) -> Sequence[str]:
        """Return the last checkpoint without entry `index` and the first with it, as far as there are such."""
        low, high = 0, len(self.keys)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.size(self.keys[middle]) <= index else (low, middle)
        return self.keys[max(low - 1, 0) : low + 1]
