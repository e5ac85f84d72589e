"""The head of a log: its last checkpoint and its right edge, and the one way in which it moves."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from interlock.ledger.batch import Batch, InvalidBatch, check_follows
from interlock.ledger.believing import Believer
from interlock.ledger.checkpoint import Checkpoint, sign_checkpoint
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.layout import checkpoints_prefix, log_of, numbered
from interlock.ledger.merkle import EMPTY_ROOT
from interlock.ledger.storage import LedgerStorage
from interlock.ledger.tiles import Edge, LogObject
from interlock.release.signing import Signer

_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")


@dataclass(frozen=True)
class Head:
    """Where a log ends; `checkpoint` has the number -1 before the first."""

    checkpoint: Checkpoint
    edge: Edge

    @classmethod
    def before_the_first(cls, origin: str) -> Head:
        """Return the head of a log that has not begun."""
        return cls(Checkpoint(origin, 0, EMPTY_ROOT, -1, _EPOCH), Edge())

    @property
    def begun(self) -> bool:
        return self.checkpoint.number >= 0


@dataclass(frozen=True)
class LogKey:
    """A log's key: who signs with it, and the SHA-256 of its SPKI in hexadecimal digits."""

    signer: Signer
    key_id: str


def advance(storage: LedgerStorage, believer: Believer, key: LogKey, head: Head, batch: Batch, now: datetime) -> Head:
    """Carry out a batch that was decided on: its tiles, then its checkpoint; return the head after it.

    Every object is named by what it is and written once, so that anybody may do it again after a crash, or beside
    somebody else. Raises LedgerRefused if the batch does not follow, or if something else lies there already.
    """
    log, checkpoint = log_of(batch.origin), head.checkpoint
    try:
        check_follows(batch, checkpoint)
    except InvalidBatch as error:
        raise LedgerRefused([LedgerFault(FaultKind.FORKED, str(error), f"batch {batch.number} of {log}")]) from error
    edge = copy.deepcopy(head.edge)
    _store(storage, edge.append(log, (leaf.content for leaf in batch.leaves)))
    _store(storage, edge.partial(log))
    place = numbered(checkpoints_prefix(log), batch.number)
    lying = storage.read(place)
    if lying is None:
        time = max(now, batch.decided_at)
        made = sign_checkpoint(
            Checkpoint(batch.origin, edge.size, edge.root(), batch.number, time), key.key_id, key.signer
        )
        lying = storage.create(place, made.note.content)
    found = believer.log_signature(lying).checkpoint
    expected = Checkpoint(batch.origin, edge.size, edge.root(), batch.number, found.time)
    if found != expected or found.time < batch.decided_at:
        text = "it is signed for another log than its batches make"
        raise LedgerRefused([LedgerFault(FaultKind.FORKED, text, f"checkpoint {batch.number} of {log}")])
    return Head(found, edge)


def _store(storage: LedgerStorage, objects: Iterable[LogObject]) -> None:
    for one in objects:
        if storage.create(one.key, one.content) != one.content:
            text = "it holds other entries than the batches decided on"
            raise LedgerRefused([LedgerFault(FaultKind.FORKED, text, one.key)])
