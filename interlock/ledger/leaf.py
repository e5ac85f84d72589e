"""A leaf of the ledger: that a statement lay in the vault, where, and when the sequencer saw it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interlock.release.digests import HexDigest, canonical_json
from interlock.release.times import Moment


class InvalidLeaf(ValueError):
    """Bytes that are no leaf in its one canonical form."""


class LeafKind(StrEnum):
    STATEMENT = "statement"
    """A signed statement in the vault."""
    EPOCH = "epoch"
    """The first leaf of a log that goes on from another: `key` is that log's origin, `sha256` its last witnessed root
    hash."""
    LATE = "late"
    """A statement that another log's lost tail may have held already."""


class Leaf(BaseModel):
    """One entry of a log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    kind: LeafKind
    key: Annotated[str, Field(min_length=1, max_length=1024)]
    """Of the envelope in the vault."""
    version_id: Annotated[str, Field(max_length=1024)]
    sha256: HexDigest
    """Of the envelope's bytes."""
    payload: HexDigest
    """Of the statement that it holds."""
    predicate_type: Annotated[str, Field(max_length=300)]
    subject: HexDigest | None
    """The release that it is about, if it is about one."""
    recorded_at: Moment
    """The sequencer's time (UTC): the statement existed then."""

    @property
    def content(self) -> bytes:
        """The leaf's bytes: its canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))


def parse_leaf(content: bytes) -> Leaf:
    """Return the leaf in `content`. Raises InvalidLeaf."""
    try:
        leaf = Leaf.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidLeaf(f"{'.'.join(map(str, first['loc'])) or 'leaf'}: {first['msg']}") from error
    if leaf.content != content:
        raise InvalidLeaf("the leaf is not in canonical form (RFC 8785)")
    return leaf
