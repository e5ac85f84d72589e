"""The sequencer: finds what the ledger does not hold yet, decides on its order, and moves the head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from interlock.ledger.batch import MOST_LEAVES, Batch, InvalidBatch, parse_batch
from interlock.ledger.believing import Believer
from interlock.ledger.checkpoint import CLOCKS_DIFFER, Checkpoint, timestamp
from interlock.ledger.epochs import (
    Place,
    Predecessor,
    epoch_leaf,
    in_order,
    kept_places,
    lost_places,
    place_of,
    predecessor_of,
    successor_of,
)
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.head import Head, LogKey, advance
from interlock.ledger.layout import batches_prefix, checkpoints_prefix, epoch_of, numbered, origin_of
from interlock.ledger.leaf import InvalidLeaf, Leaf, LeafKind, parse_leaf
from interlock.ledger.statements import UnfitStatement, leaf_of
from interlock.ledger.storage import (
    Incomplete,
    LedgerStorage,
    newest_batch,
    newest_checkpoint,
    newest_witnessed,
    read_entries,
)
from interlock.ledger.tiles import Edge, InvalidTile
from interlock.release.trust.document import KeyDuty, TrustRoot, moment
from interlock.release.vault import ObjectVersion

MOST_ATTEMPTS: Final = 1000
FEWEST_READ: Final = 250
"""At once, so that what is no statement costs few rounds."""


class StatementSource(Protocol):
    """Where the statements lie."""

    def lying(self) -> Iterator[ObjectVersion]:
        """Yield every version of every statement."""
        ...

    def read_each(self, versions: Sequence[ObjectVersion]) -> Iterator[bytes]:
        """Yield what each of `versions` holds, in their order."""
        ...


class Contended(RuntimeError):
    """Others were faster each time; running again is safe."""


@dataclass(frozen=True)
class Appended:
    """What one run of a sequencer did."""

    checkpoint: Checkpoint
    """The newest, by whomever."""
    leaves: tuple[Leaf, ...]
    """Those that this run decided on, in order."""
    unfit: tuple[tuple[str, str], ...]
    """Keys of objects that are no statements although they lie where statements do, and why."""


class Sequencer:
    """Appends to one log; keeps what it knows of it from run to run, so that each reads only what is new."""

    def __init__(self, log: str, root: TrustRoot, storage: LedgerStorage, source: StatementSource, key: LogKey) -> None:
        self.log, self.origin = log, origin_of(root.name, log)
        self._root, self._believer = root, Believer(root)
        self._storage, self._source, self._key = storage, source, key
        self._head: Head | None = None
        self._known: set[Place] = set()
        self._unfit: dict[Place, str] = {}
        self._before: Predecessor | None = None
        self._left_some = False
        """Whether the last batch may have left statements over."""

    def sequence(
        self, now: datetime, *, renew_after: timedelta | None = None, clock: Callable[[], datetime] | None = None
    ) -> Appended:
        """Append every statement that the log does not hold yet, and complete what others left undone.

        A leaf says that its statement was there at a time. `clock` tells the time after the statements were read, which
        may take minutes; without it, `now` is taken for all of the run. With nothing to append, the checkpoint is
        signed anew once it is older than `renew_after`, so that readers see that the log lives. A run ends with a batch
        that is not full, if need be an empty one: only then does a checkpoint say what did not lie there. Raises
        LedgerRefused, Incomplete, Contended, and whatever storage and signer raise; running again is safe after each.
        """
        self._allowed(now)
        head = self._catch_up(now)
        if not head.begun and epoch_of(self.log) > 1:
            text = "it is no log's first epoch, and has not been opened"
            raise LedgerRefused([LedgerFault(FaultKind.DISCONTINUED, text, self.log)])
        wanted = self._unknown()
        appended: list[Leaf] = []
        ready: dict[Place, Leaf] = {}
        for _ in range(MOST_ATTEMPTS):
            old = renew_after is not None and now - head.checkpoint.time > renew_after
            fresh = head.begun and not old and not self._left_some
            if not wanted and fresh:
                return Appended(head.checkpoint, tuple(appended), self._unfit_found())
            found = self._filled(wanted, now, ready)
            if len(found) < MOST_LEAVES < len(wanted):
                # Much was no statement, and reading it took its time: a batch that is not full says that nothing else
                # lies there.
                wanted = self._unknown()
                continue
            if found or not fresh:
                read_by = clock() if clock else now
                mine = _batch(head, found, read_by)
                decided = self._decide(mine)
                head = self._advance(head, decided, read_by)
                appended += mine.leaves if decided == mine else []
            wanted = [version for version in wanted if self._is_new(version)]
            if self._left_some and len(wanted) <= MOST_LEAVES:
                # The last batch is to hold what was written since, too: its checkpoint speaks against the rest.
                wanted = self._unknown()
        raise Contended(f"others appended to {self.log} faster, {MOST_ATTEMPTS} times")

    def open_epoch(
        self, now: datetime, *, after: str | None = None, clock: Callable[[], datetime] | None = None
    ) -> Appended:
        """Begin this log where another ended: at the last checkpoint of that log that the witness has seen.

        `after` is the other log, else that of the latest earlier epoch. Every statement that lies in the vault and not
        in the other log as far as that is entered as late; `clock` is as it is to `sequence`. Raises LedgerRefused,
        Incomplete.
        """
        self._allowed(now)
        if newest_batch(self._storage, self.log) is not None:
            self._catch_up(now)
            assert self._head is not None
            return Appended(self._head.checkpoint, (), ())
        old = after or next(in_order(self._storage, self.log), None)
        note = newest_witnessed(self._storage, old) if old else None
        if old is None or note is None:
            text = f"there is no witnessed checkpoint of {old or 'an earlier epoch'} to go on from"
            raise LedgerRefused([LedgerFault(FaultKind.DISCONTINUED, text, self.log)])
        head = Head.before_the_first(self.origin)
        first = epoch_leaf(self._believer.witnessed(note)[1], moment(now))
        self._known = kept_places(self._storage, first)
        late = self._leaves(self._unknown(), now, LeafKind.LATE)
        mine = _batch(head, [first, *late], clock() if clock else now)
        decided = self._decide(mine)
        self._head = None
        head = self._catch_up(now)
        return Appended(head.checkpoint, mine.leaves if decided == mine else (), self._unfit_found())

    def _allowed(self, now: datetime) -> None:
        believed = self._root.believed(KeyDuty.LOG, now)
        faults = []
        if not self._believer.knows(self.origin):
            text = f"the trust root knows no log of the origin {self.origin}"
            faults.append(LedgerFault(FaultKind.UNKNOWN_ORIGIN, text, self.log))
        if self._key.key_id not in believed:
            text = f"the trust root does not believe the key {self._key.key_id[:12]}… for a log now"
            faults.append(LedgerFault(FaultKind.DISTRUSTED, text, self.log))
        successor = successor_of(self._storage, self.log, self.origin)
        if successor is not None:
            faults.append(LedgerFault(FaultKind.DISCONTINUED, f"it has ended: {successor} goes on from it", self.log))
        if faults:
            raise LedgerRefused(faults)

    def _catch_up(self, now: datetime) -> Head:
        """Read what others decided since the last run, and complete what they did not."""
        head = self._head or self._load()
        newest = newest_batch(self._storage, self.log)
        for number in range(head.checkpoint.number + 1, -1 if newest is None else newest + 1):
            content = self._storage.read(numbered(batches_prefix(self.log), number))
            if content is None:
                raise Incomplete(f"batch {number} of {self.log} is missing")
            head = self._advance(head, self._parsed(content), now)
        if newest is None and head.begun:
            raise Incomplete(
                f"the batches of {self.log} are missing, and its checkpoint {head.checkpoint.number} is there"
            )
        self._head = head
        return head

    def _load(self) -> Head:
        """Read the log as far as its last checkpoint, once."""
        self._known = set()
        number = newest_checkpoint(self._storage, self.log)
        if number is None:
            return Head.before_the_first(self.origin)
        content = self._storage.read(numbered(checkpoints_prefix(self.log), number))
        if content is None:
            raise Incomplete(f"checkpoint {number} of {self.log} is missing")
        checkpoint = self._believer.log_signature(content).checkpoint
        where = f"checkpoint {number} of {self.log}"
        try:
            entries = read_entries(self._storage, self.log, checkpoint.size)
            leaves = [parse_leaf(entry) for entry in entries]
        except (InvalidTile, InvalidLeaf) as error:
            raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, str(error), where)]) from error
        edge = Edge()
        for _ in edge.append(self.log, entries):
            # Its tiles lie there already.
            pass
        if (checkpoint.origin, checkpoint.number, checkpoint.root) != (self.origin, number, edge.root()):
            raise LedgerRefused([LedgerFault(FaultKind.FORKED, "it is not that of the entries that are there", where)])
        self._learn(leaves)
        batch = self._storage.read(numbered(batches_prefix(self.log), number))
        self._left_some = batch is not None and self._parsed(batch).may_leave_some
        return Head(checkpoint, edge)

    def _learn(self, leaves: Iterable[Leaf]) -> None:
        for leaf in leaves:
            if leaf.kind is LeafKind.EPOCH:
                self._known |= kept_places(self._storage, leaf)
                self._before = predecessor_of(leaf)
            else:
                self._known.add(place_of(leaf))

    def _advance(self, head: Head, batch: Batch, now: datetime) -> Head:
        # Whatever fails half-way, the next run begins from what lies there.
        self._head = None
        head = advance(self._storage, self._believer, self._key, head, batch, moment(now))
        self._learn(batch.leaves)
        self._left_some = batch.may_leave_some
        self._head = head
        return head

    def _decide(self, mine: Batch) -> Batch:
        return self._parsed(self._storage.create(numbered(batches_prefix(self.log), mine.number), mine.content))

    def _parsed(self, content: bytes) -> Batch:
        try:
            return parse_batch(content)
        except InvalidBatch as error:
            raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, f"no batch: {error}", self.log)]) from error

    def _unknown(self) -> list[ObjectVersion]:
        found = (version for version in self._source.lying() if self._is_new(version))
        return sorted(found, key=lambda version: (version.key, version.version_id))

    def _is_new(self, version: ObjectVersion) -> bool:
        place = (version.key, version.version_id)
        return place not in self._known and place not in self._unfit

    def _filled(self, wanted: Sequence[ObjectVersion], at: datetime, ready: dict[Place, Leaf]) -> list[Leaf]:
        """Return the leaves of the first of `wanted` that are statements, as many as a batch takes. What was read
        before in this run is in `ready`, and is not read again."""
        found: list[Leaf] = []
        begun = 0
        while begun < len(wanted) and len(found) < MOST_LEAVES:
            some = wanted[begun : begun + max(MOST_LEAVES - len(found), FEWEST_READ)]
            begun += len(some)
            places = [(version.key, version.version_id) for version in some]
            unread = [version for version, place in zip(some, places, strict=True) if place not in ready]
            ready.update({place_of(leaf): leaf for leaf in self._leaves(unread, at)})
            found += [ready[place] for place in places if place in ready]
        return found[:MOST_LEAVES]

    def _leaves(self, versions: Sequence[ObjectVersion], at: datetime, kind: LeafKind | None = None) -> list[Leaf]:
        """Read statements, and return their leaves; what is none is remembered and not read again."""
        lost = lost_places(self._storage, self._before) if self._before and versions and kind is None else set()
        leaves = []
        for version, content in zip(versions, self._source.read_each(versions), strict=True):
            place = (version.key, version.version_id)
            is_late = kind is LeafKind.LATE or place in lost
            try:
                leaves.append(leaf_of(version, content, LeafKind.LATE if is_late else LeafKind.STATEMENT, at))
            except UnfitStatement as error:
                self._unfit[place] = str(error)
        return leaves

    def _unfit_found(self) -> tuple[tuple[str, str], ...]:
        return tuple((key, reason) for (key, _), reason in sorted(self._unfit.items()))


def _batch(head: Head, leaves: Sequence[Leaf], now: datetime) -> Batch:
    before, at = head.checkpoint, _time(head, now)
    return Batch(
        origin=before.origin,
        number=before.number + 1,
        start=before.size,
        root=before.root.hex(),
        decided_at=at,
        leaves=tuple(leaf.model_copy(update={"recorded_at": at}) for leaf in leaves),
    )


def _time(head: Head, now: datetime) -> datetime:
    """Return the time of what comes next: never before what is there."""
    if head.checkpoint.time - now > CLOCKS_DIFFER:
        text = f"its last checkpoint says {timestamp(head.checkpoint.time)}, and it is {timestamp(now)} here"
        where = f"checkpoint {head.checkpoint.number} of {head.checkpoint.origin}"
        raise LedgerRefused([LedgerFault(FaultKind.BACKDATED, text, where)])
    return max(moment(now), head.checkpoint.time)
