"""A log as a reader may believe it: every hash computed again, every signature checked against the trust root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from interlock.ledger.believing import Witnessed
from interlock.ledger.checkpoint import CLOCKS_DIFFER, Checkpoint, timestamp
from interlock.ledger.faults import FaultKind, LedgerFault
from interlock.ledger.leaf import Leaf, LeafKind
from interlock.ledger.merkle import Tree
from interlock.release.digests import Sha256


@dataclass(frozen=True)
class LogCopy:
    """What a reader fetched of one log; nothing of it is believed."""

    entries: Sequence[bytes]
    """The leaves' bytes, from the first."""
    checkpoints: Sequence[bytes]
    """The log's own: the newest, and as many others as are to be checked."""
    witnessed: Sequence[bytes] = ()
    """Those that the witness has co-signed: the newest, and as many others."""


@dataclass(frozen=True)
class Recorded:
    """A leaf and its place in the log (from 0)."""

    index: int
    leaf: Leaf


@dataclass(frozen=True)
class LedgerView:
    """A log that was verified, as far as `checkpoint`; `read_log` makes it."""

    checkpoint: Checkpoint
    """The newest."""
    note: bytes
    """The newest checkpoint, as it was signed."""
    sightings: tuple[Witnessed, ...]
    """The checkpoints that the witness has co-signed, of those that were given, oldest first."""
    leaves: tuple[Leaf, ...]
    tree: Tree = field(repr=False, compare=False)

    @property
    def origin(self) -> str:
        return self.checkpoint.origin

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> Sha256:
        return self.checkpoint.root

    @property
    def time(self) -> datetime:
        """When the newest checkpoint was signed (UTC)."""
        return self.checkpoint.time

    @property
    def last_witnessed(self) -> Witnessed | None:
        """The newest checkpoint that the witness has co-signed."""
        return self.sightings[-1] if self.sightings else None

    @property
    def witnessed_size(self) -> int:
        """How many leaves the witness has seen."""
        return self.sightings[-1].checkpoint.size if self.sightings else 0

    @property
    def witnessed(self) -> bool:
        """Whether the witness has seen every leaf."""
        return bool(self.sightings) and self.witnessed_size == self.size

    @property
    def predecessor(self) -> Leaf | None:
        """The leaf by which this log goes on from another, or None if it goes on from none."""
        return self.leaves[0] if self.leaves and self.leaves[0].kind is LeafKind.EPOCH else None

    def about(self, subject: str) -> tuple[Leaf, ...]:
        """Return the leaves about the release with this subject digest, in order."""
        return tuple(one.leaf for one in self.recorded(subject))

    def recorded(self, subject: str) -> tuple[Recorded, ...]:
        """Return the same with their places."""
        return tuple(self._by_subject.get(subject, ()))

    def of_payload(self, payload: str) -> tuple[Recorded, ...]:
        """Return where the statement with this digest was recorded, in order; more than once if it lay twice."""
        return tuple(self._by_payload.get(payload, ()))

    def is_witnessed(self, index: int) -> bool:
        """Say whether the witness has seen leaf `index`."""
        return index < self.witnessed_size

    def inclusion(self, index: int) -> list[Sha256]:
        """Return the proof that leaf `index` is under the newest checkpoint's root."""
        return self.tree.inclusion(index, self.size)

    def last_without(self, recorded: Recorded) -> Witnessed | None:
        """Return the newest checkpoint, of those that the witness has seen, that does not hold a recorded statement.

        None if there is none, and for what was entered as late: another log's tail may have held that before.
        """
        if recorded.leaf.kind is not LeafKind.STATEMENT:
            return None
        without = (seen for seen in self.sightings if seen.checkpoint.size <= recorded.index)
        return max(without, key=lambda seen: seen.checkpoint.number, default=None)

    def backdated(self, recorded: Recorded, stated: datetime, tolerance: timedelta) -> LedgerFault | None:
        """Return what is wrong with the time (UTC) that a recorded statement gives itself, or None.

        It may lie before the leaf's time by `tolerance`, which is what a sequencer takes to find a statement, and
        before the time of a witnessed checkpoint without it by as much; it may not lie after the leaf's time by more.
        """
        where, leaf = f"leaf {recorded.index} of {self.origin}", recorded.leaf
        seen = self.last_without(recorded)
        if seen is not None and stated + tolerance < seen.checkpoint.time:
            text = (
                f"the statement says {timestamp(stated)}, and the checkpoint of {timestamp(seen.checkpoint.time)}, "
                f"witnessed at {timestamp(seen.at)}, does not hold it"
            )
            return LedgerFault(FaultKind.BACKDATED, text, where)
        late = leaf.recorded_at - stated
        if leaf.kind is LeafKind.STATEMENT and late > tolerance:
            text = (
                f"the statement says {timestamp(stated)}, and lay in the vault at {timestamp(leaf.recorded_at)} first"
            )
            return LedgerFault(FaultKind.BACKDATED, text, where)
        if -late > tolerance:
            text = (
                f"the statement says {timestamp(stated)}, and lay in the vault at {timestamp(leaf.recorded_at)} already"
            )
            return LedgerFault(FaultKind.BACKDATED, text, where)
        return None

    def stale(self, now: datetime, limit: timedelta) -> LedgerFault | None:
        """Return what is wrong if the newest checkpoint was signed more than `limit` before `now` (UTC), or after."""
        where = f"checkpoint {self.checkpoint.number} of {self.origin}"
        if self.time - now > CLOCKS_DIFFER:
            # It would be fresh for as long as whoever signed it liked.
            text = f"the newest checkpoint says {timestamp(self.time)}, and it is {timestamp(now)}"
            return LedgerFault(FaultKind.BACKDATED, text, where)
        if now - self.time <= limit:
            return None
        text = f"the newest checkpoint was signed at {timestamp(self.time)}, more than {limit} before {timestamp(now)}"
        return LedgerFault(FaultKind.OLD_CHECKPOINT, text, where)

    @cached_property
    def _by_subject(self) -> Mapping[str, Sequence[Recorded]]:
        found: dict[str, list[Recorded]] = {}
        for index, leaf in enumerate(self.leaves):
            if leaf.subject is not None:
                found.setdefault(leaf.subject, []).append(Recorded(index, leaf))
        return found

    @cached_property
    def _by_payload(self) -> Mapping[str, Sequence[Recorded]]:
        found: dict[str, list[Recorded]] = {}
        for index, leaf in enumerate(self.leaves):
            if leaf.kind is not LeafKind.EPOCH:
                found.setdefault(leaf.payload, []).append(Recorded(index, leaf))
        return found
