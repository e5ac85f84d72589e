"""How a log goes on from another: what it takes over, what it enters as late, and that the other ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from interlock.ledger.batch import InvalidBatch, parse_batch
from interlock.ledger.believing import Witnessed
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.layout import InvalidName, batches_prefix, epoch_of, log_of, numbered
from interlock.ledger.leaf import InvalidLeaf, Leaf, LeafKind, parse_leaf
from interlock.ledger.merkle import Tree
from interlock.ledger.storage import Incomplete, LogReader, logs, newest_batch, read_entries
from interlock.ledger.tiles import InvalidTile
from interlock.release.digests import sha256

EPOCH_TYPE: Final = "urn:interlock:ledger:epoch:v1"

Place = tuple[str, str]
"""Key and VersionId of an object: what a leaf is about, and what no two leaves share."""


@dataclass(frozen=True)
class Predecessor:
    """The state of another log from which a log goes on."""

    log: str
    size: int
    root: str
    """In hexadecimal digits."""


def epoch_leaf(seen: Witnessed, at: datetime) -> Leaf:
    """Return the first leaf of a log that goes on from a checkpoint that the witness has seen."""
    checkpoint = seen.checkpoint
    return Leaf(
        kind=LeafKind.EPOCH,
        key=checkpoint.origin,
        version_id=str(checkpoint.size),
        sha256=checkpoint.root.hex(),
        payload=sha256(checkpoint.text.encode()).hex(),
        predicate_type=EPOCH_TYPE,
        subject=None,
        recorded_at=at,
    )


def predecessor_of(leaf: Leaf) -> Predecessor:
    """Return what an epoch's leaf commits to. Raises LedgerRefused if it says nothing of the kind."""
    try:
        if leaf.kind is not LeafKind.EPOCH or not leaf.version_id.isascii() or not leaf.version_id.isdecimal():
            raise InvalidName("it names no state of a log")
        return Predecessor(log_of(leaf.key), int(leaf.version_id), leaf.sha256)
    except InvalidName as error:
        raise LedgerRefused([LedgerFault(FaultKind.DISCONTINUED, f"no epoch: {error}", leaf.key)]) from error


def kept_places(storage: LogReader, first: Leaf) -> set[Place]:
    """Return what the logs before the one that begins with the leaf `first` hold, as far as it goes on from them.

    Raises LedgerRefused if a log is not what was committed to, Incomplete if it is not there.
    """
    places: set[Place] = set()
    leaf: Leaf | None = first
    while leaf is not None:
        before = predecessor_of(leaf)
        leaves = _committed(storage, before)
        places.update(place_of(one) for one in leaves if one.kind is not LeafKind.EPOCH)
        leaf = leaves[0] if leaves and leaves[0].kind is LeafKind.EPOCH else None
    return places


def lost_places(storage: LogReader, before: Predecessor) -> set[Place]:
    """Return what a log decided on after the state from which another goes on: its tail, as far as it has arrived."""
    places: set[Place] = set()
    number = newest_batch(storage, before.log)
    while number is not None and number >= 0:
        content = storage.read(numbered(batches_prefix(before.log), number))
        number -= 1
        if content is None:
            continue
        try:
            batch = parse_batch(content)
        except InvalidBatch:
            # What cannot be read was no leaf of that log either.
            continue
        if batch.start + len(batch.leaves) <= before.size:
            break
        places.update(place_of(leaf) for leaf in batch.leaves[max(0, before.size - batch.start) :])
    return places


def successor_of(storage: LogReader, log: str, origin: str) -> str | None:
    """Return the log of a later epoch that goes on from this one, if there is one: nothing is appended here then.

    Raises LedgerRefused for a later log whose beginning cannot be read, because it might be that one.
    """
    for other in reversed(logs(storage)):
        if epoch_of(other) <= epoch_of(log):
            return None
        content = storage.read(numbered(batches_prefix(other), 0))
        if content is None:
            continue
        try:
            leaves = parse_batch(content).leaves
        except InvalidBatch as error:
            raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, f"no batch: {error}", other)]) from error
        if leaves and leaves[0].kind is LeafKind.EPOCH and leaves[0].key == origin:
            return other
    return None


def place_of(leaf: Leaf) -> Place:
    """Return which object a leaf is about."""
    return leaf.key, leaf.version_id


def _committed(storage: LogReader, before: Predecessor) -> list[Leaf]:
    where = f"{before.log} with {before.size} entries"
    try:
        entries = read_entries(storage, before.log, before.size)
        leaves = [parse_leaf(entry) for entry in entries]
    except (InvalidTile, InvalidLeaf) as error:
        raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, str(error), where)]) from error
    except Incomplete as error:
        raise Incomplete(f"{where}: {error}") from error
    if Tree(entries).root().hex() != before.root:
        raise LedgerRefused([LedgerFault(FaultKind.DISCONTINUED, "it is not the log that was committed to", where)])
    return leaves


def in_order(storage: LogReader, log: str) -> Iterator[str]:
    """Yield the logs of earlier epochs, the latest first: those that `log` may go on from."""
    return (other for other in reversed(logs(storage)) if epoch_of(other) < epoch_of(log))
