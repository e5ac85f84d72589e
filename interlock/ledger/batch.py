"""Batches: what comes next in a log, decided by whoever writes the next number first."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.layout import MOST_NUMBERS
from interlock.ledger.leaf import Leaf, LeafKind
from interlock.release.digests import HexDigest, canonical_json
from interlock.release.times import Moment

MOST_LEAVES: Final = 2000
"""Of one batch, so that a process that dies has little to do again; an epoch's first may have more."""


class InvalidBatch(ValueError):
    """Bytes that are no batch in its one canonical form, or not one that follows what is there."""


class Batch(BaseModel):
    """The leaves that follow a log's first `start`; with none it only renews the checkpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    origin: Annotated[str, Field(min_length=1)]
    number: Annotated[int, Field(ge=0, lt=MOST_NUMBERS)]
    start: Annotated[int, Field(ge=0)]
    root: HexDigest
    """Of the log before it."""
    decided_at: Moment
    """The sequencer's time (UTC, whole seconds)."""
    leaves: tuple[Leaf, ...]

    @property
    def may_leave_some(self) -> bool:
        """Whether statements may have lain there already that it does not hold, because it is full."""
        opens_an_epoch = bool(self.leaves) and self.leaves[0].kind is LeafKind.EPOCH
        return len(self.leaves) >= MOST_LEAVES and not opens_an_epoch

    @property
    def content(self) -> bytes:
        """The batch as it is stored, in canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))


def parse_batch(content: bytes) -> Batch:
    """Return the batch in `content`. Raises InvalidBatch."""
    try:
        batch = Batch.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidBatch(f"{'.'.join(map(str, first['loc'])) or 'batch'}: {first['msg']}") from error
    if batch.content != content:
        raise InvalidBatch("the batch is not in canonical form (RFC 8785)")
    return batch


def check_follows(batch: Batch, before: Checkpoint) -> None:
    """Check that a batch follows the state of a log that `before` says. Raises InvalidBatch."""
    if (batch.origin, batch.number, batch.start, batch.root) != (
        before.origin,
        before.number + 1,
        before.size,
        before.root.hex(),
    ):
        raise InvalidBatch(
            f"batch {batch.number} of {batch.origin} after {batch.start} entries does not follow checkpoint "
            f"{before.number} of {before.origin} with {before.size}"
        )
    if batch.decided_at < before.time or any(leaf.recorded_at != batch.decided_at for leaf in batch.leaves):
        raise InvalidBatch(f"batch {batch.number} of {batch.origin} has times that do not follow what is before it")
