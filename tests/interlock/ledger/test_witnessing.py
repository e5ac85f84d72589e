from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from interlock.ledger.batch import MOST_LEAVES
from interlock.ledger.faults import FaultKind, LedgerRefused
from interlock.ledger.head import LogKey
from interlock.ledger.layout import (
    LEDGER,
    WITNESSED,
    checkpoints_prefix,
    log_prefix,
    numbered,
    witnessed_prefix,
)
from interlock.ledger.loading import open_log
from interlock.ledger.storage import all_numbers
from interlock.ledger.witnessing import Witness
from interlock.release.trust.document import KeyDuty, TrustedKey
from tests.interlock.ledger.logs import KEYS, LOG, MINUTE, START, digest, root
from tests.interlock.ledger.memory import Killed, MemoryLedger
from tests.interlock.release.memory import LocalSigner


def grown(*counts: int, first: int = 0) -> MemoryLedger:
    """A log to which so many statements were added, a run a minute."""
    ledger = MemoryLedger()
    sequencer = ledger.sequencer()
    for number, count in enumerate(counts):
        for _ in range(count):
            ledger.add_statement(first)
            first += 1
        sequencer.sequence(START + number * MINUTE)
    return ledger


def replicate(here: MemoryLedger, there: MemoryLedger, *, but: Callable[[str], bool] = lambda key: False) -> None:
    """Copy what lies in one region's vault into the other's, as S3 does it: in no order."""
    for key, versions in here.vault.objects.items():
        if key not in there.vault.objects and not but(key):
            there.vault.objects[key] = list(versions)


def is_new_part(part: str, key: str) -> bool:
    return part in key and ".p/3" not in key


def at_any(written: bool, number: int, after: bool) -> bool:
    return after is written


def refused(witness: Witness, minutes: int = 60) -> set[FaultKind]:
    with pytest.raises(LedgerRefused) as raised:
        witness.witness(START + minutes * MINUTE)
    return {fault.kind for fault in raised.value.faults}


def test_the_witness_co_signs_the_newest_checkpoint_of_a_replica() -> None:
    here, there = grown(3, 300), MemoryLedger()
    replicate(here, there)
    seen = there.witness().witness(START + 5 * MINUTE)
    assert seen.is_new
    assert seen.witnessed is not None
    assert (seen.witnessed.checkpoint.size, seen.witnessed.at) == (303, START + 5 * MINUTE)
    replicate(there, here)
    view = open_log(here, root(), LOG)
    assert view.witnessed
    assert view.last_witnessed == seen.witnessed


def test_the_witness_signs_nothing_twice() -> None:
    ledger = grown(3)
    first = ledger.witness().witness(START + MINUTE)
    signed = KEYS[KeyDuty.WITNESS].signatures
    again = ledger.witness().witness(START + 2 * MINUTE)
    assert (again.witnessed, again.is_new) == (first.witnessed, False)
    assert KEYS[KeyDuty.WITNESS].signatures == signed


def test_the_witness_follows_a_log_as_it_grows_and_reads_only_what_is_new() -> None:
    here, there = MemoryLedger(), MemoryLedger()
    sequencer, count = here.sequencer(), 0
    for number, more in enumerate((1, 255, 0, 257, 20, 600)):
        for _ in range(more):
            here.add_statement(count)
            count += 1
        sequencer.sequence(START + number * MINUTE, renew_after=MINUTE / 2)
        replicate(here, there)
        there.reads.clear()
        seen = there.witness().witness(START + number * MINUTE)
        assert seen.witnessed is not None
        assert seen.witnessed.checkpoint.size == count
    # The last bundle that was begun and the two that are new; nothing before.
    assert {key for key in there.reads if "entries" in key and "/entries/000" in key} == set()
    assert list(all_numbers(there, witnessed_prefix(LOG))) == list(range(6))


def test_the_witness_waits_for_what_has_not_arrived() -> None:
    here = grown(3, 300)
    for part in ("tile/entries", "tile/0", "tile/1", f"{checkpoints_prefix(LOG)}000/000/001"):
        there = MemoryLedger()
        replicate(here, there, but=partial(is_new_part, part))
        seen = there.witness().witness(START + 5 * MINUTE)
        assert seen.witnessed is not None
        assert seen.witnessed.checkpoint.size == 3
        replicate(here, there)
        caught_up = there.witness().witness(START + 6 * MINUTE).witnessed
        assert caught_up is not None
        assert caught_up.checkpoint.size == 303


def test_the_witness_of_a_log_that_has_not_begun_signs_nothing() -> None:
    ledger = MemoryLedger()
    assert ledger.witness().witness(START).witnessed is None
    assert ledger.writes == 0


def test_the_witness_refuses_a_log_that_was_cut() -> None:
    ledger = grown(3, 4)
    ledger.witness().witness(START + 5 * MINUTE)
    del ledger.vault.objects[numbered(checkpoints_prefix(LOG), 1)]
    assert refused(ledger.witness()) == {FaultKind.TRUNCATED}
    for key in [key for key in ledger.vault.objects if key.startswith(LEDGER)]:
        del ledger.vault.objects[key]
    assert refused(ledger.witness()) == {FaultKind.TRUNCATED}


def test_the_witness_refuses_a_log_that_was_cut_and_has_grown_again() -> None:
    ledger = grown(3, 4)
    ledger.witness().witness(START + 5 * MINUTE)
    shorter = grown(3, 1, 1, 1, first=3)
    forge(ledger, shorter)
    assert refused(ledger.witness()) <= {FaultKind.TRUNCATED, FaultKind.FORKED}


def test_the_witness_refuses_a_fork_however_it_is_signed() -> None:
    ledger = grown(3, 4)
    ledger.witness().witness(START + 5 * MINUTE)
    forge(ledger, grown(3, 4, 5, first=50))
    assert refused(ledger.witness()) == {FaultKind.FORKED}
    honest = grown(3, 4)
    honest.witness().witness(START + 5 * MINUTE)
    forked = grown(3, 4, 5, first=50)
    # The checkpoint that the witness knows stays, and all else is the fork's.
    known = honest.vault.objects[numbered(checkpoints_prefix(LOG), 1)]
    forge(honest, forked)
    honest.vault.objects[numbered(checkpoints_prefix(LOG), 1)] = known
    assert refused(honest.witness()) == {FaultKind.FORKED}


def test_the_witness_refuses_a_tile_that_is_not_of_the_entries() -> None:
    here = grown(3, 4)
    for key in [key for key in here.vault.objects if "/tile/0/" in key and key.endswith(".p/7")]:
        here.vault.objects[key] = [("x", b"\0" * 224)]
    assert refused(here.witness()) == {FaultKind.FORKED}


@pytest.mark.parametrize("duty", [KeyDuty.BUILDER, KeyDuty.WITNESS])
def test_the_witness_refuses_a_checkpoint_of_another_dutys_key(duty: KeyDuty) -> None:
    ledger = MemoryLedger()
    ledger.add_statement(1)
    honest = KEYS[KeyDuty.LOG]
    KEYS[KeyDuty.LOG] = KEYS[duty]
    try:
        believing = root()
        ledger.sequencer(root=believing.model_copy(update={"keys": swapped(believing.keys, duty)})).sequence(START)
    finally:
        KEYS[KeyDuty.LOG] = honest
    assert refused(ledger.witness()) == {FaultKind.WRONG_DUTY}


def swapped(keys: Mapping[str, TrustedKey], duty: KeyDuty) -> Mapping[str, TrustedKey]:
    """The same keys, as an attacker would have them: that duty's is the log's too."""
    key_id = KEYS[duty].public_key.key_id
    return {**keys, key_id: keys[key_id].model_copy(update={"duty": KeyDuty.LOG})}


def test_the_witness_refuses_a_checkpoint_from_the_future() -> None:
    ledger = grown(1)
    assert refused(ledger.witness(), minutes=-10) == {FaultKind.BACKDATED}


def test_the_witness_does_not_sign_with_a_key_that_nobody_would_believe() -> None:
    ledger = grown(1)
    signer = LocalSigner()
    witness = Witness(LOG, root(), ledger, LogKey(signer, signer.public_key.key_id))
    assert refused(witness) == {FaultKind.DISTRUSTED}
    assert not any(key.startswith(WITNESSED) for key in ledger.vault.objects)


def test_a_witness_that_is_killed_at_its_write_signs_when_it_runs_again() -> None:
    for written in (False, True):
        ledger = grown(3)
        ledger.writes = 0
        ledger.dies_at = partial(at_any, written)
        with pytest.raises(Killed):
            ledger.witness().witness(START + MINUTE)
        ledger.dies_at = lambda number, after: False
        ledger.witness().witness(START + 2 * MINUTE)
        assert open_log(ledger, root(), LOG).witnessed
        assert list(all_numbers(ledger, witnessed_prefix(LOG))) == [0]


def forge(ledger: MemoryLedger, other: MemoryLedger) -> None:
    """Put another log in the place of what lies there."""
    for key in [key for key in ledger.vault.objects if key.startswith(log_prefix(LOG))]:
        del ledger.vault.objects[key]
    for key, versions in other.vault.objects.items():
        if key.startswith(log_prefix(LOG)):
            ledger.vault.objects[key] = list(versions)


def test_a_backlog_of_several_batches_speaks_against_none_of_its_own_statements_and_against_what_comes_later() -> None:
    ledger = MemoryLedger()
    ledger.sequencer().sequence(START)
    ledger.witness().witness(START)
    for number in range(MOST_LEAVES + 1):
        ledger.add_statement(number)
    second = numbered(checkpoints_prefix(LOG), 1)
    ledger.dies_at = lambda number, written: written and second in ledger.vault.objects
    with pytest.raises(Killed):
        ledger.sequencer().sequence(START + 60 * MINUTE)
    ledger.dies_at = lambda number, written: False
    seen = ledger.witness().witness(START + 61 * MINUTE)
    assert (seen.is_new, seen.waiting) == (False, ("checkpoint 1: its batch is full, and more is to come",))

    ledger.sequencer().sequence(START + 62 * MINUTE)
    ledger.witness().witness(START + 63 * MINUTE)
    later = ledger.add_statement(MOST_LEAVES + 1)
    ledger.sequencer().sequence(START + 64 * MINUTE)
    ledger.witness().witness(START + 65 * MINUTE)
    view = open_log(ledger, root(), LOG, history=True)
    assert view.witnessed
    last = {recorded.leaf.payload: view.last_without(recorded) for recorded in view.recorded(digest("release"))}
    times = {payload: seen.checkpoint.time for payload, seen in last.items() if seen is not None}
    assert times.pop(later) == START + 62 * MINUTE, "what was written after the run is held against it"
    assert set(times.values()) == {START}
    assert len(times) == MOST_LEAVES + 1


def test_the_witness_waits_for_the_batch_of_a_checkpoint() -> None:
    here, there = grown(3), MemoryLedger()
    replicate(here, there, but=lambda key: "/batches/" in key)
    assert not there.witness().witness(START + MINUTE).is_new
    replicate(here, there)
    assert there.witness().witness(START + MINUTE).is_new
