"""Turns what was fetched of a log into what may be believed of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from interlock.ledger.believing import Believer, LogSignature, Witnessed
from interlock.ledger.checkpoint import Checkpoint, timestamp
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.layout import epoch_of, log_of
from interlock.ledger.leaf import InvalidLeaf, Leaf, LeafKind, parse_leaf
from interlock.ledger.merkle import Tree
from interlock.ledger.view import LedgerView, LogCopy
from interlock.release.trust.document import TrustRoot


def read_log(copy: LogCopy, root: TrustRoot, *, remembered: Checkpoint | None = None) -> LedgerView:
    """Return the log in `copy` if all of it is to be believed under `root`.

    `remembered` is a checkpoint of the same log that the reader believed before. Raises LedgerRefused with every
    fault that was found.
    """
    reading = _Reading(copy, root)
    faults = reading.faults
    if faults or reading.newest is None:
        raise LedgerRefused(faults)
    newest = reading.newest
    faults.extend(_unlike(reading.tree, reading.checkpoints))
    faults.extend(_out_of_order(reading.checkpoints))
    if remembered is not None:
        faults.extend(_unlike_remembered(reading.tree, newest, remembered))
    faults.extend(_taken_back(reading))
    leaves = reading.leaves()
    if not faults:
        faults.extend(_wrong_leaves(leaves, reading.checkpoints))
        faults.extend(_wrong_epoch(leaves, newest, Believer(root)))
    if faults:
        raise LedgerRefused(faults)
    return LedgerView(newest, reading.note, tuple(reading.witnessed), tuple(leaves), reading.tree)


@dataclass
class _Reading:
    copy: LogCopy
    root: TrustRoot
    faults: list[LedgerFault] = field(default_factory=list)
    signatures: list[LogSignature] = field(default_factory=list)
    witnessed: list[Witnessed] = field(default_factory=list)
    own: Checkpoint | None = None
    """The newest of those that the log itself shows."""
    note: bytes = b""

    def __post_init__(self) -> None:
        self.tree = Tree(self.copy.entries)
        believer = Believer(self.root)
        contents: dict[int, bytes] = {}
        for content in self.copy.checkpoints:
            try:
                signature = believer.log_signature(content)
            except LedgerRefused as refused:
                self.faults.extend(refused.faults)
                continue
            self.signatures.append(signature)
            contents[signature.checkpoint.number] = content
        self.own = max((one.checkpoint for one in self.signatures), key=_place, default=None)
        for content in self.copy.witnessed:
            try:
                signature, seen = believer.witnessed(content)
            except LedgerRefused as refused:
                self.faults.extend(refused.faults)
                continue
            self.signatures.append(signature)
            self.witnessed.append(seen)
            contents.setdefault(seen.checkpoint.number, content)
        self.witnessed.sort(key=lambda seen: _place(seen.checkpoint))
        if self.newest is not None:
            self.note = contents[self.newest.number]
        elif not self.faults:
            self.faults.append(LedgerFault(FaultKind.TRUNCATED, "there is no checkpoint", "the log"))

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """All that were given, each once, by number."""
        return sorted({one.checkpoint for one in self.signatures}, key=_place)

    @property
    def newest(self) -> Checkpoint | None:
        return max((one.checkpoint for one in self.signatures), key=_place, default=None)

    def leaves(self) -> list[Leaf]:
        found = []
        for index, entry in enumerate(self.copy.entries):
            try:
                found.append(parse_leaf(entry))
            except InvalidLeaf as error:
                self.faults.append(LedgerFault(FaultKind.MALFORMED, f"no leaf: {error}", f"leaf {index}"))
        return found


def _unlike(tree: Tree, checkpoints: Sequence[Checkpoint]) -> Iterator[LedgerFault]:
    """Yield where the entries are not those that were signed for."""
    newest = checkpoints[-1]
    for checkpoint in checkpoints:
        where = f"checkpoint {checkpoint.number} of {checkpoint.origin}"
        if checkpoint.origin != newest.origin:
            yield LedgerFault(FaultKind.FORKED, f"it is of another log than {newest.origin}", where)
        elif checkpoint.size > tree.size:
            text = f"it was signed for {checkpoint.size} entries, and there are {tree.size}"
            yield LedgerFault(FaultKind.TRUNCATED, text, where)
        elif checkpoint.root != tree.root(checkpoint.size):
            text = f"its root is not that of the {checkpoint.size} entries that are there"
            yield LedgerFault(FaultKind.FORKED, text, where)
    if tree.size > newest.size:
        text = f"there are {tree.size} entries, and the newest checkpoint was signed for {newest.size}"
        yield LedgerFault(FaultKind.FORKED, text, f"checkpoint {newest.number} of {newest.origin}")


def _out_of_order(checkpoints: Sequence[Checkpoint]) -> Iterator[LedgerFault]:
    for before, after in itertools.pairwise(checkpoints):
        where = f"checkpoint {after.number} of {after.origin}"
        if before.number == after.number:
            yield LedgerFault(FaultKind.FORKED, "there are two of this number that differ", where)
        elif after.size < before.size:
            text = f"it has {after.size} entries, fewer than checkpoint {before.number}"
            yield LedgerFault(FaultKind.TRUNCATED, text, where)
        elif after.time < before.time:
            text = f"it says {timestamp(after.time)}, before checkpoint {before.number} ({timestamp(before.time)})"
            yield LedgerFault(FaultKind.BACKDATED, text, where)


def _unlike_remembered(tree: Tree, newest: Checkpoint, remembered: Checkpoint) -> Iterator[LedgerFault]:
    where = f"checkpoint {newest.number} of {newest.origin}"
    known = f"checkpoint {remembered.number} ({remembered.size} entries, {timestamp(remembered.time)}) was seen before"
    if newest.origin != remembered.origin:
        yield LedgerFault(FaultKind.FORKED, f"what was seen before is of another log, {remembered.origin}", where)
    elif newest.size < remembered.size or newest.number < remembered.number or newest.time < remembered.time:
        yield LedgerFault(FaultKind.OLD_CHECKPOINT, f"{known}, and this one is older", where)
    elif remembered.size <= tree.size and tree.root(remembered.size) != remembered.root:
        yield LedgerFault(FaultKind.FORKED, f"{known}, and this log does not begin with it", where)
    elif newest.number == remembered.number and newest != remembered:
        yield LedgerFault(FaultKind.FORKED, f"{known}, and this one has its number and differs", where)


def _taken_back(reading: _Reading) -> Iterator[LedgerFault]:
    """Yield what the witness's memory tells: a log that is shorter now, and what a stolen key signed afterwards."""
    last = reading.witnessed[-1] if reading.witnessed else None
    if reading.own is not None and last is not None and reading.own.number < last.checkpoint.number:
        text = (
            f"the witness has seen checkpoint {last.checkpoint.number} ({last.checkpoint.size} entries), "
            f"and the log ends with {reading.own.number} ({reading.own.size})"
        )
        yield LedgerFault(FaultKind.TRUNCATED, text, reading.own.origin)
    for signature in reading.signatures:
        checkpoint, distrust = signature.checkpoint, signature.key.distrusted
        if distrust is None:
            continue
        seen = [one for one in reading.witnessed if one.at < distrust.since]
        # Whoever holds the key now may write any time into a checkpoint.
        if not any(checkpoint.number <= one.checkpoint.number for one in seen):
            text = f"its key is distrusted since {timestamp(distrust.since)}, and the witness had not seen it by then"
            where = f"checkpoint {checkpoint.number} of {checkpoint.origin}"
            yield LedgerFault(FaultKind.DISTRUSTED, text, where)


def _wrong_leaves(leaves: Sequence[Leaf], checkpoints: Sequence[Checkpoint]) -> Iterator[LedgerFault]:
    lying: dict[tuple[str, str], int] = {}
    for index, leaf in enumerate(leaves):
        first = lying.setdefault((leaf.key, leaf.version_id), index)
        if first != index:
            yield LedgerFault(FaultKind.MALFORMED, f"it is leaf {first} again", f"leaf {index}")
    for index, (one, other) in enumerate(itertools.pairwise(leaves), start=1):
        if other.recorded_at < one.recorded_at:
            text = f"it says {timestamp(other.recorded_at)}, before leaf {index - 1} of {timestamp(one.recorded_at)}"
            yield LedgerFault(FaultKind.BACKDATED, text, f"leaf {index}")
    for before, after in itertools.pairwise([None, *checkpoints]):
        assert after is not None
        start = before.size if before else 0
        for index in range(start, after.size):
            time = leaves[index].recorded_at
            if before is not None and time < before.time:
                text = f"it says {timestamp(time)}, and checkpoint {before.number} of {timestamp(before.time)} lacks it"
                yield LedgerFault(FaultKind.BACKDATED, text, f"leaf {index}")
            elif time > after.time:
                text = f"it says {timestamp(time)}, and checkpoint {after.number} of {timestamp(after.time)} holds it"
                yield LedgerFault(FaultKind.BACKDATED, text, f"leaf {index}")


def _wrong_epoch(leaves: Sequence[Leaf], newest: Checkpoint, believer: Believer) -> Iterator[LedgerFault]:
    begins = bool(leaves) and leaves[0].kind is LeafKind.EPOCH
    if epoch_of(log_of(newest.origin)) > 1 and leaves and not begins:
        text = "it is no log's first epoch, and does not say which log it goes on from"
        yield LedgerFault(FaultKind.DISCONTINUED, text, newest.origin)
    if begins and not believer.knows(leaves[0].key):
        text = f"it goes on from {leaves[0].key}, which the trust root does not know"
        yield LedgerFault(FaultKind.UNKNOWN_ORIGIN, text, newest.origin)
    for index, leaf in enumerate(leaves[1:], start=1):
        if leaf.kind is LeafKind.EPOCH:
            yield LedgerFault(FaultKind.MALFORMED, "an epoch begins a log and stands nowhere else", f"leaf {index}")


def _place(checkpoint: Checkpoint) -> tuple[int, int]:
    return checkpoint.number, checkpoint.size
