"""Checkpoints: how many entries a log has, under which root, and when its sequencer said so.

Format: https://c2sp.org/tlog-checkpoint. Two extension lines are ours: `time <RFC 3339, UTC, whole seconds>` and
`number <n>`, the number of the checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from interlock.ledger.layout import MOST_NUMBERS
from interlock.ledger.note import InvalidNote, NoteSignature, SignedNote, cosign_note, parse_note, sign_note
from interlock.release.digests import Sha256
from interlock.release.signing import Signer
from interlock.release.times import EARLIEST, LATEST

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""By how much the clocks of honest machines may differ."""

_NUMBER: Final = re.compile(r"0|[1-9]\d{0,14}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_HASH_BYTES: Final = 32


class InvalidCheckpoint(ValueError):
    """Bytes that are no checkpoint of ours, whoever signed them."""


@dataclass(frozen=True)
class Checkpoint:
    """One state of a log."""

    origin: str
    size: int
    """How many entries the log has."""
    root: Sha256
    number: int
    """Of the batch after which the log is in this state, and of the checkpoint; both count from 0."""
    time: datetime
    """When it was signed, as the sequencer says (UTC, whole seconds)."""

    @property
    def text(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\ntime {timestamp(self.time)}\nnumber {self.number}\n"


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint and the note that it was read from; nothing of it is believed before its signatures are."""

    checkpoint: Checkpoint
    note: SignedNote


def sign_checkpoint(checkpoint: Checkpoint, key_id: str, signer: Signer) -> SignedCheckpoint:
    """Return the checkpoint signed by its log's key, whose SPKI has the SHA-256 `key_id` (hexadecimal digits)."""
    made = sign_note(checkpoint.text, checkpoint.origin, key_id, signer)
    return SignedCheckpoint(checkpoint, SignedNote(checkpoint.text, (made,)))


def cosign_checkpoint(
    signed: SignedCheckpoint, witness: str, key_id: str, signer: Signer, now: datetime
) -> SignedCheckpoint:
    """Return the checkpoint with the signature of the witness called `witness` below its log's own, made at `now`."""
    made: NoteSignature = cosign_note(signed.note.text, int(now.timestamp()), witness, key_id, signer)
    return SignedCheckpoint(signed.checkpoint, signed.note.with_signature(made))


def parse_checkpoint(content: bytes) -> SignedCheckpoint:
    """Return the checkpoint in a signed note, whoever signed it. Raises InvalidCheckpoint."""
    try:
        note = parse_note(content)
    except InvalidNote as error:
        raise InvalidCheckpoint(str(error)) from error
    lines = note.text[:-1].split("\n")
    if len(lines) != 5:
        raise InvalidCheckpoint(f"the text has {len(lines)} lines: accepted are origin, size, root, time and number")
    origin, size, root, time, number = lines
    read = Checkpoint(
        _origin(origin),
        _integer("size", size),
        _root(root),
        _integer("number", number.removeprefix("number ")),
        _time(time.removeprefix("time ")),
    )
    if read.text != note.text or read.number >= MOST_NUMBERS:
        raise InvalidCheckpoint("the text is not in the one form of a checkpoint")
    return SignedCheckpoint(read, note)


def timestamp(time: datetime) -> str:
    """Return a time as a checkpoint writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _origin(line: str) -> str:
    if not line or "+" in line or any(one.isspace() for one in line):
        raise InvalidCheckpoint("the first line is no log's origin")
    return line


def _integer(what: str, line: str) -> int:
    if not _NUMBER.fullmatch(line):
        raise InvalidCheckpoint(f"the {what} is no number")
    return int(line)


def _root(line: str) -> Sha256:
    try:
        root = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCheckpoint("the root is not base64") from error
    if len(root) != _HASH_BYTES:
        raise InvalidCheckpoint(f"the root has {len(root)} bytes, not {_HASH_BYTES}")
    return Sha256(root)


def _time(line: str) -> datetime:
    if not _TIME.fullmatch(line):
        raise InvalidCheckpoint("the time is none in UTC and whole seconds")
    try:
        time = datetime.fromisoformat(line)
    except ValueError as error:
        raise InvalidCheckpoint(f"the time is none: {error}") from error
    if not EARLIEST <= time < LATEST:
        raise InvalidCheckpoint("the time lies at an end of the calendar")
    return time
