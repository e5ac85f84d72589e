from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.ledger.checkpoint import Checkpoint, InvalidCheckpoint, parse_checkpoint
from interlock.ledger.layout import witness_name
from interlock.ledger.merkle import EMPTY_ROOT
from interlock.release.digests import Sha256
from interlock.release.trust.document import KeyDuty
from tests.interlock.ledger.logs import KEYS, ORIGIN, START, cosigned, signed

CHECKPOINT = Checkpoint(ORIGIN, 7, EMPTY_ROOT, 3, START)
NOTE = signed(CHECKPOINT).note.content

checkpoints = st.builds(
    Checkpoint,
    st.just(ORIGIN),
    st.integers(0, 10**12),
    st.binary(min_size=32, max_size=32).map(Sha256),
    st.integers(0, 10**9 - 1),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
        lambda time: time.replace(microsecond=0)
    ),
)


@given(checkpoints)
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    content = signed(checkpoint).note.content
    assert parse_checkpoint(content).checkpoint == checkpoint
    assert parse_checkpoint(content).note.content == content


def test_a_checkpoint_reads_as_its_specification_has_it() -> None:
    text, _, signatures = NOTE.decode().partition("\n\n")
    assert text.split("\n")[:3] == ["bank/eu-west-1-1", "7", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
    assert text.split("\n")[3:] == ["time 2026-11-01T00:00:00Z", "number 3"]
    assert signatures.startswith("— bank/eu-west-1-1 ")


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_a_note_with_a_flipped_bit_is_no_note_or_not_signed(bit: int) -> None:
    flipped = bytearray(NOTE)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        read = parse_checkpoint(bytes(flipped))
    except InvalidCheckpoint:
        return
    assert not read.note.is_signed_by(ORIGIN, KEYS[KeyDuty.LOG].public_key)


@given(st.binary(max_size=200))
def test_any_other_bytes_are_no_checkpoint(content: bytes) -> None:
    with pytest.raises(InvalidCheckpoint):
        parse_checkpoint(content)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n-7\n"),
        ("\n7\n", "\n７\n"),
        ("time 2026-11-01T00:00:00Z", "time 2026-13-01T00:00:00Z"),
        ("time 2026-11-01T00:00:00Z", "time 9999-12-31T23:59:59Z"),
        ("time 2026-11-01T00:00:00Z", "time 0001-01-01T00:00:00Z"),
        ("time 2026-11-01T00:00:00Z", "time 2026-11-01T00:00:00+00:00"),
        ("number 3", "number 3\nanother line"),
        ("number 3", "3"),
        ("bank/eu-west-1-1\n7", "bank eu-west-1-1\n7"),
        ("47DEQ", "47DE"),
        ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "47DEQpj8"),
    ],
)
def test_a_checkpoint_in_another_form_is_refused(old: str, new: str) -> None:
    text = NOTE.decode()
    assert old in text
    with pytest.raises(InvalidCheckpoint):
        parse_checkpoint(text.replace(old, new, 1).encode())


def test_a_cosignature_says_when_and_holds_for_no_other_time() -> None:
    key = KEYS[KeyDuty.WITNESS].public_key
    read = parse_checkpoint(cosigned(signed(CHECKPOINT), START)).note
    assert read.cosigned_by(witness_name("bank"), key) == int(START.timestamp())
    assert read.is_signed_by(ORIGIN, KEYS[KeyDuty.LOG].public_key)
    line = read.signatures[1]
    moved = type(line)(line.name, line.key_hash, b"\0" * 8 + line.blob[8:])
    assert type(read)(read.text, (moved,)).cosigned_by(witness_name("bank"), key) is None


def test_a_logs_signature_is_no_witnesss() -> None:
    note = signed(CHECKPOINT).note
    assert note.cosigned_by(ORIGIN, KEYS[KeyDuty.LOG].public_key) is None
