"""The witness: co-signs, from the other region, checkpoints that follow from all that it has co-signed before.

It reads the replica of the ledger, so that what it has seen is also there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from interlock.ledger.batch import InvalidBatch, parse_batch
from interlock.ledger.believing import Believer, Witnessed
from interlock.ledger.checkpoint import CLOCKS_DIFFER, Checkpoint, cosign_checkpoint, parse_checkpoint, timestamp
from interlock.ledger.epochs import predecessor_of
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.head import LogKey
from interlock.ledger.layout import (
    batches_prefix,
    checkpoints_prefix,
    numbered,
    origin_of,
    witness_name,
    witnessed_prefix,
)
from interlock.ledger.leaf import InvalidLeaf, Leaf, LeafKind, parse_leaf
from interlock.ledger.merkle import EMPTY_ROOT
from interlock.ledger.storage import (
    Incomplete,
    LedgerStorage,
    LogReader,
    newest_checkpoint,
    newest_witnessed,
    read_entries,
)
from interlock.ledger.tiles import Edge, InvalidTile, LogObject, edge_keys, entries_of, hashes_of
from interlock.release.trust.document import KeyDuty, TrustRoot, moment

MOST_CANDIDATES: Final = 50
"""How many of the newest checkpoints are tried, where their objects have not all arrived yet."""


@dataclass(frozen=True)
class Sighting:
    """What one run of the witness did."""

    witnessed: Witnessed | None
    """The newest checkpoint that it has co-signed, now or before; None if the log has shown nothing yet."""
    is_new: bool
    waiting: tuple[str, ...]
    """Checkpoints that are newer, and what of them has not arrived."""


class Witness:
    """Co-signs the checkpoints of one log."""

    def __init__(self, log: str, root: TrustRoot, replica: LedgerStorage, key: LogKey) -> None:
        """Read and write in `replica`, the vault in the witness's own region; `key` is the witness's."""
        self.log, self.origin = log, origin_of(root.name, log)
        self._root, self._believer, self._replica, self._key = root, Believer(root), replica, key

    def witness(self, now: datetime) -> Sighting:
        """Co-sign the newest checkpoint that has arrived with all that it stands for.

        Raises LedgerRefused, without signing, for a log that was cut, forked or backdated since the last time.
        """
        if self._key.key_id not in self._root.believed(KeyDuty.WITNESS, now):
            text = f"the trust root does not believe the key {self._key.key_id[:12]}… for a witness now"
            raise LedgerRefused([LedgerFault(FaultKind.DISTRUSTED, text, self.log)])
        content = newest_witnessed(self._replica, self.log)
        last = None if content is None else self._believer.witnessed(content)[1]
        newest = newest_checkpoint(self._replica, self.log)
        before = last.checkpoint.number if last else -1
        if newest is None or newest < before:
            if last is None:
                return Sighting(None, False, ())
            text = (
                f"it ends before checkpoint {before}, with {last.checkpoint.size} entries, which the witness has seen"
            )
            raise LedgerRefused([LedgerFault(FaultKind.TRUNCATED, text, self.log)])
        if last is not None:
            self._still_there(last)
        waiting: list[str] = []
        for number in range(newest, max(before, newest - MOST_CANDIDATES), -1):
            try:
                return Sighting(self._co_sign(number, last, now), True, tuple(waiting))
            except Incomplete as error:
                waiting.append(f"checkpoint {number}: {error}")
        return Sighting(last, False, tuple(waiting))

    def _still_there(self, last: Witnessed) -> None:
        number = last.checkpoint.number
        content = self._replica.read(numbered(checkpoints_prefix(self.log), number))
        where = f"checkpoint {number} of {self.log}"
        if content is None:
            raise LedgerRefused([LedgerFault(FaultKind.TRUNCATED, "the witness has seen it, and it is gone", where)])
        if self._believer.log_signature(content).checkpoint != last.checkpoint:
            raise LedgerRefused([LedgerFault(FaultKind.FORKED, "it is not the one that the witness has seen", where)])

    def _co_sign(self, number: int, last: Witnessed | None, now: datetime) -> Witnessed:
        content = self._replica.read(numbered(checkpoints_prefix(self.log), number))
        if content is None:
            raise Incomplete("it has not arrived")
        checkpoint = self._believer.log_signature(content).checkpoint
        self._follows(checkpoint, number, last.checkpoint if last else None, now)
        made = cosign_checkpoint(
            parse_checkpoint(content), witness_name(self._root.name), self._key.key_id, self._key.signer, moment(now)
        )
        lying = self._replica.create(numbered(witnessed_prefix(self.log), number), made.note.content)
        seen = self._believer.witnessed(lying)[1]
        if seen.checkpoint != checkpoint:
            text = "the witness has co-signed another one of this number"
            raise LedgerRefused([LedgerFault(FaultKind.FORKED, text, f"checkpoint {number} of {self.log}")])
        return seen

    def _follows(self, checkpoint: Checkpoint, number: int, last: Checkpoint | None, now: datetime) -> None:
        """Check that the log as far as `checkpoint` begins with all that was seen, and is here whole."""
        where = f"checkpoint {number} of {self.log}"
        size, root, time = (last.size, last.root, last.time) if last else (0, EMPTY_ROOT, None)
        if (checkpoint.origin, checkpoint.number) != (self.origin, number):
            text = f"it says that it is checkpoint {checkpoint.number} of {checkpoint.origin}"
            raise LedgerRefused([LedgerFault(FaultKind.FORKED, text, where)])
        if checkpoint.size < size:
            text = f"it has {checkpoint.size} entries, and the witness has seen {size}"
            raise LedgerRefused([LedgerFault(FaultKind.TRUNCATED, text, where)])
        if checkpoint.time - now > CLOCKS_DIFFER or (time is not None and checkpoint.time < time):
            known = f"the witness saw one of {timestamp(time)}, and " if time else ""
            text = f"it says {timestamp(checkpoint.time)}; {known}it is {timestamp(now)}"
            raise LedgerRefused([LedgerFault(FaultKind.BACKDATED, text, where)])
        try:
            edge = _edge(self._replica, self.log, size)
            if edge.root() != root:
                text = "its beginning is not what the witness has seen"
                raise LedgerRefused([LedgerFault(FaultKind.FORKED, text, where)])
            entries = read_entries(self._replica, self.log, checkpoint.size, size)
            leaves = [parse_leaf(entry) for entry in entries]
        except (InvalidTile, InvalidLeaf) as error:
            raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, str(error), where)]) from error
        self._timely(leaves, time, checkpoint)
        self._leaves_nothing(number)
        if size == 0 and leaves and leaves[0].kind is LeafKind.EPOCH:
            self._goes_on(leaves[0])
        self._arrived(edge.append(self.log, entries))
        self._arrived(edge.partial(self.log))
        if edge.root() != checkpoint.root:
            text = "its root is not that of the entries that are here"
            raise LedgerRefused([LedgerFault(FaultKind.FORKED, text, where)])

    def _leaves_nothing(self, number: int) -> None:
        """Check that the batch of a checkpoint was not full. Raises Incomplete.

        What the witness has seen speaks against every statement that it lacks and that says it is older. A full batch
        may have left over what lay there already; however many there are, the run that holds them ends with another.
        """
        content = self._replica.read(numbered(batches_prefix(self.log), number))
        if content is None:
            raise Incomplete("its batch has not arrived")
        try:
            full = parse_batch(content).may_leave_some
        except InvalidBatch as error:
            where = f"batch {number} of {self.log}"
            raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, f"no batch: {error}", where)]) from error
        if full:
            raise Incomplete("its batch is full, and more is to come")

    def _timely(self, leaves: Iterable[Leaf], earliest: datetime | None, checkpoint: Checkpoint) -> None:
        for leaf in leaves:
            if leaf.recorded_at > checkpoint.time or (earliest is not None and leaf.recorded_at < earliest):
                text = f"it says {timestamp(leaf.recorded_at)}, and the checkpoint before it did not hold it"
                raise LedgerRefused([LedgerFault(FaultKind.BACKDATED, text, f"the leaf of {leaf.key}")])

    def _goes_on(self, first: Leaf) -> None:
        """Check that a new epoch takes over all that this witness has seen of the log before."""
        before = predecessor_of(first)
        note = newest_witnessed(self._replica, before.log)
        if note is None:
            raise Incomplete(f"what was witnessed of {before.log} has not arrived")
        seen = self._believer.witnessed(note)[1].checkpoint
        if (seen.origin, seen.size, seen.root.hex()) != (first.key, before.size, before.root):
            text = f"it goes on from {first.key} with {before.size} entries; the witness has seen {seen.size}"
            raise LedgerRefused([LedgerFault(FaultKind.DISCONTINUED, text, self.log)])

    def _arrived(self, objects: Iterable[LogObject]) -> None:
        for one in objects:
            content = self._replica.read(one.key)
            if content is None:
                raise Incomplete(f"{one.key} has not arrived")
            if content != one.content:
                text = "it holds other hashes than the entries have"
                raise LedgerRefused([LedgerFault(FaultKind.FORKED, text, one.key)])


def _edge(storage: LogReader, log: str, size: int) -> Edge:
    """Return the right edge of a log as its last tiles have it. Raises Incomplete, InvalidTile."""
    keys = edge_keys(log, size)

    def content(key: str) -> bytes:
        found = storage.read(key)
        if found is None:
            raise Incomplete(f"{key} has not arrived")
        return found

    entries = entries_of(content(keys.bundle[0]), keys.bundle[1]) if keys.bundle else []
    return Edge(size, entries, [hashes_of(content(one[0]), one[1]) if one else [] for one in keys.tiles])
