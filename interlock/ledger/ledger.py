"""All logs of a trust root together: each epoch goes on from the one before, and nothing that was seen is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from interlock.ledger.believing import Believer
from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.epochs import place_of, predecessor_of
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.layout import epoch_of, log_of
from interlock.ledger.leaf import Leaf, LeafKind
from interlock.ledger.loading import open_log
from interlock.ledger.storage import LogReader, logs
from interlock.ledger.view import LedgerView, Recorded
from interlock.release.trust.document import TrustRoot
from interlock.release.vault import ObjectVersion


@dataclass(frozen=True)
class Ledger:
    """The logs that were verified, by epoch; `joined` makes it."""

    logs: tuple[LedgerView, ...]

    def recorded(self, subject: str) -> list[tuple[LedgerView, Recorded]]:
        """Return what counts of a release's leaves, with the log that holds each, the oldest log first."""
        return [(view, one) for view in self.logs for one in view.recorded(subject) if self._counts(view, one.index)]

    def leaves(self) -> Iterator[Leaf]:
        """Yield the leaves that count, without those that begin an epoch."""
        for view in self.logs:
            for index, leaf in enumerate(view.leaves):
                if leaf.kind is not LeafKind.EPOCH and self._counts(view, index):
                    yield leaf

    def compared(self, lying: Iterable[ObjectVersion]) -> tuple[list[LedgerFault], list[str]]:
        """Compare the ledger with the versions of the statements in the vault.

        Returns the faults: leaves without their statements; and the keys that are not recorded yet.
        """
        there = {(version.key, version.version_id) for version in lying}
        recorded = {place_of(leaf): leaf for leaf in self.leaves()}
        gone = [
            LedgerFault(FaultKind.GONE, f"the vault does not hold its version {version_id}", key)
            for key, version_id in recorded
            if (key, version_id) not in there
        ]
        return gone, sorted(key for key, version_id in there - recorded.keys())

    @cached_property
    def _ends(self) -> Mapping[str, int]:
        """How many leaves count of each log from which another goes on."""
        return {view.predecessor.key: predecessor_of(view.predecessor).size for view in self.logs if view.predecessor}

    def _counts(self, view: LedgerView, index: int) -> bool:
        # What a log decided on after that is its lost tail, which the next epoch enters again.
        return index < self._ends.get(view.origin, view.size)


def joined(views: Sequence[LedgerView]) -> Ledger:
    """Return the ledger of these logs. Raises LedgerRefused if an epoch does not go on from what the one before was."""
    by_origin = {view.origin: view for view in views}
    faults = [fault for view in views for fault in _unjoined(view, by_origin)]
    heirs: dict[str, str] = {}
    for view in views:
        if view.predecessor and heirs.setdefault(view.predecessor.key, view.origin) != view.origin:
            text = f"it goes on from {view.predecessor.key}, and so does {heirs[view.predecessor.key]}"
            faults.append(LedgerFault(FaultKind.FORKED, text, view.origin))
    if faults:
        raise LedgerRefused(faults)
    return Ledger(tuple(sorted(views, key=lambda view: (epoch_of(log_of(view.origin)), view.origin))))


def open_all(
    storage: LogReader, root: TrustRoot, *, remembered: Mapping[str, Checkpoint], history: bool = False
) -> Ledger:
    """Fetch and read every log that the trust root names and that has begun.

    `remembered` holds checkpoints that the reader believed before, by origin; a log of which one is known must be
    there. Raises LedgerRefused with the faults of all logs.
    """
    begun, known = logs(storage), Believer(root).logs
    views, faults = [], []
    for log, origin in known.items():
        if log not in begun:
            if origin in remembered:
                faults.append(LedgerFault(FaultKind.TRUNCATED, "it was seen before, and is gone", origin))
            continue
        try:
            views.append(open_log(storage, root, log, remembered=remembered.get(origin), history=history))
        except LedgerRefused as refused:
            faults.extend(refused.faults)
    unknown = (log for log in begun if log not in known)
    faults += [LedgerFault(FaultKind.UNKNOWN_ORIGIN, "the trust root does not name it", log) for log in unknown]
    if faults:
        raise LedgerRefused(faults)
    return joined(views)


def _unjoined(view: LedgerView, by_origin: Mapping[str, LedgerView]) -> Iterator[LedgerFault]:
    if view.predecessor is None:
        return
    before, old = predecessor_of(view.predecessor), by_origin.get(view.predecessor.key)
    if old is None:
        yield LedgerFault(
            FaultKind.DISCONTINUED, f"it goes on from {view.predecessor.key}, which is not here", view.origin
        )
    elif epoch_of(before.log) >= epoch_of(log_of(view.origin)):
        yield LedgerFault(FaultKind.DISCONTINUED, f"it goes on from {old.origin}, a later epoch", view.origin)
    elif old.size < before.size:
        text = f"{view.origin} goes on from its entry {before.size}, and it has {old.size}"
        yield LedgerFault(FaultKind.TRUNCATED, text, old.origin)
    elif old.tree.root(before.size).hex() != before.root:
        text = f"{view.origin} goes on from another history of it"
        yield LedgerFault(FaultKind.FORKED, text, old.origin)
    elif before.size < old.witnessed_size:
        text = f"it goes on after {before.size} entries of {old.origin}, of which {old.witnessed_size} were witnessed"
        yield LedgerFault(FaultKind.DISCONTINUED, text, view.origin)
