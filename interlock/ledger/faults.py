"""What can be wrong with a log, each with a name that programs know it by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """Why a log is not believed."""

    MALFORMED = "malformed"
    """Bytes that are no checkpoint, no tile, no leaf, or a leaf that is there twice."""
    UNKNOWN_ORIGIN = "unknown-origin"
    """A log that the trust root does not name."""
    UNSIGNED = "unsigned"
    """No key of the trust root has signed."""
    WRONG_DUTY = "wrong-duty"
    """A key of the trust root has signed what is not its duty's to sign."""
    DISTRUSTED = "distrusted"
    """The right duty's key has signed, and is not believed for that time."""
    TRUNCATED = "truncated"
    """Fewer entries than were signed for."""
    FORKED = "forked"
    """Other entries than were signed for."""
    OLD_CHECKPOINT = "old-checkpoint"
    """A state that the reader knows to be past, or one that is older than asked for."""
    BACKDATED = "backdated"
    """A time before a checkpoint that would have held what claims it."""
    DISCONTINUED = "discontinued"
    """A log that goes on from another, and not from what that one was."""
    GONE = "gone"
    """A leaf whose statement the vault does not hold as it was recorded."""


@dataclass(frozen=True)
class LedgerFault:
    """One fault, in words, and where it was found: an origin, a checkpoint's or a leaf's place."""

    kind: FaultKind
    text: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class LedgerRefused(ValueError):
    """A log that is not to be believed; `faults` says why."""

    def __init__(self, faults: Sequence[LedgerFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, faults)))
