"""A log that goes on from another after a failover, in a vault whose halves replicate."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.faults import FaultKind, LedgerRefused
from interlock.ledger.layout import WITNESSED, batches_prefix, checkpoints_prefix, numbered, origin_of
from interlock.ledger.leaf import LeafKind
from interlock.ledger.ledger import Ledger, joined, open_all
from interlock.ledger.loading import open_log
from interlock.ledger.view import LedgerView
from tests.interlock.ledger.logs import LOG, MINUTE, ORIGIN, START, History, digest, root
from tests.interlock.ledger.memory import Killed, MemoryLedger

NEXT = "us-east-1-2"
NEXT_ORIGIN = origin_of("bank", NEXT)
LATER = "eu-west-1-3"
ORIGINS = (ORIGIN, NEXT_ORIGIN, origin_of("bank", LATER))
ROOT = root(ORIGINS)


def after_a_loss(*, tail: int = 2) -> tuple[MemoryLedger, list[str], list[str]]:
    """A vault whose region failed when the witness had not seen the last `tail` leaves; what was seen, and what not."""
    ledger = MemoryLedger()
    seen = [ledger.add_statement(number) for number in range(3)]
    sequencer = ledger.sequencer(root=ROOT)
    sequencer.sequence(START)
    ledger.witness(root=ROOT).witness(START)
    unseen = [ledger.add_statement(10 + number) for number in range(tail)]
    sequencer.sequence(START + MINUTE)
    return ledger, seen, unseen


def after_write(number: int, at: int, after: bool) -> bool:
    return after and at == number


def without_the_tail(ledger: MemoryLedger) -> None:
    """The batch and checkpoint that had not been replicated are not there; the statements are."""
    for prefix in (batches_prefix(LOG), checkpoints_prefix(LOG)):
        del ledger.vault.objects[numbered(prefix, 1)]


def opened(ledger: MemoryLedger, log: str = NEXT, minutes: int = 5) -> None:
    ledger.sequencer(log=log, root=ROOT).open_epoch(START + minutes * MINUTE)


def whole(ledger: MemoryLedger) -> Ledger:
    return open_all(ledger, ROOT, remembered={}, history=True)


def test_an_epoch_takes_over_what_was_witnessed_and_enters_the_lost_tail_as_late() -> None:
    ledger, seen, unseen = after_a_loss()
    without_the_tail(ledger)
    opened(ledger)
    view = open_log(ledger, ROOT, NEXT)
    first, *late = view.leaves
    old = open_log(ledger, ROOT, LOG)
    assert (first.kind, first.key, first.version_id, first.sha256) == (
        LeafKind.EPOCH,
        ORIGIN,
        "3",
        old.tree.root(3).hex(),
    )
    assert {one.kind for one in late} == {LeafKind.LATE}
    assert sorted(one.payload for one in late) == sorted(unseen)
    assert sorted(one.payload for one in whole(ledger).leaves()) == sorted([*seen, *unseen])


def test_a_tail_that_came_back_counts_once_and_as_late() -> None:
    ledger, seen, unseen = after_a_loss()
    opened(ledger)
    found = whole(ledger).recorded(digest("release"))
    assert [(view.origin, one.leaf.kind) for view, one in found] == [
        *[(ORIGIN, LeafKind.STATEMENT)] * 3,
        *[(NEXT_ORIGIN, LeafKind.LATE)] * 2,
    ]
    assert sorted(one.leaf.payload for _, one in found) == sorted([*seen, *unseen])


def test_what_comes_after_is_appended_to_the_new_log_as_any_statement() -> None:
    ledger, _, _ = after_a_loss()
    opened(ledger)
    payload = ledger.add_statement(50)
    (leaf,) = ledger.sequencer(log=NEXT, root=ROOT).sequence(START + 6 * MINUTE).leaves
    assert (leaf.payload, leaf.kind) == (payload, LeafKind.STATEMENT)


def test_what_the_lost_tail_held_is_late_even_if_it_arrives_after_the_opening() -> None:
    ledger, _, _ = after_a_loss(tail=1)
    straggler = ledger.add_statement(99)
    ledger.sequencer(root=ROOT).sequence(START + 2 * MINUTE)
    (key,) = [key for key in ledger.vault.objects if straggler in key]
    held_back = ledger.vault.objects.pop(key)
    opened(ledger)
    ledger.vault.objects[key] = held_back
    (leaf,) = ledger.sequencer(log=NEXT, root=ROOT).sequence(START + 6 * MINUTE).leaves
    assert (leaf.payload, leaf.kind) == (straggler, LeafKind.LATE)


def test_the_log_before_ends_when_another_goes_on_from_it() -> None:
    ledger, _, _ = after_a_loss()
    old = ledger.sequencer(root=ROOT)
    old.sequence(START + 2 * MINUTE)
    opened(ledger)
    ledger.add_statement(60)
    with pytest.raises(LedgerRefused) as refused:
        old.sequence(START + 6 * MINUTE)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.DISCONTINUED]


def test_nothing_is_appended_where_a_later_log_cannot_be_read() -> None:
    ledger, _, _ = after_a_loss()
    ledger.vault.add_version(numbered(batches_prefix(NEXT), 0), b"{}")
    with pytest.raises(LedgerRefused) as refused:
        ledger.sequencer(root=ROOT).sequence(START + 6 * MINUTE)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.MALFORMED]


def test_opening_twice_changes_nothing() -> None:
    ledger, _, _ = after_a_loss()
    opened(ledger)
    before = open_log(ledger, ROOT, NEXT).checkpoint
    opened(ledger, minutes=7)
    assert open_log(ledger, ROOT, NEXT).checkpoint == before


def test_an_opening_that_was_killed_at_any_write_is_completed() -> None:
    number, died = 0, True
    while died:
        ledger, seen, unseen = after_a_loss()
        ledger.writes = 0
        ledger.dies_at = partial(after_write, number)
        died = False
        try:
            opened(ledger)
        except Killed:
            died = True
        ledger.dies_at = lambda at, after: False
        opened(ledger, minutes=6)
        assert sorted(one.payload for one in whole(ledger).leaves()) == sorted([*seen, *unseen])
        number += 1
    assert number == 5


def test_there_is_no_epoch_after_a_log_that_nobody_witnessed() -> None:
    ledger = MemoryLedger()
    ledger.sequencer(root=ROOT).sequence(START)
    with pytest.raises(LedgerRefused) as refused:
        opened(ledger)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.DISCONTINUED]


def test_a_third_epoch_takes_over_what_two_before_it_held() -> None:
    ledger, seen, unseen = after_a_loss()
    opened(ledger)
    ledger.witness(log=NEXT, root=ROOT).witness(START + 6 * MINUTE)
    opened(ledger, LATER, minutes=8)
    view = open_log(ledger, ROOT, LATER)
    assert [leaf.kind for leaf in view.leaves] == [LeafKind.EPOCH]
    assert sorted(one.payload for one in whole(ledger).leaves()) == sorted([*seen, *unseen])


def test_the_witness_follows_into_the_next_epoch() -> None:
    ledger, _, _ = after_a_loss()
    opened(ledger)
    assert ledger.witness(log=NEXT, root=ROOT).witness(START + 6 * MINUTE).is_new


def test_the_witness_refuses_an_epoch_that_leaves_out_what_it_has_seen() -> None:
    ledger, _, _ = after_a_loss()
    opened(ledger)
    old = ledger.witness(root=ROOT)
    assert old.witness(START + 5 * MINUTE).is_new
    with pytest.raises(LedgerRefused) as refused:
        ledger.witness(log=NEXT, root=ROOT).witness(START + 6 * MINUTE)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.DISCONTINUED]
    with pytest.raises(LedgerRefused) as unjoined:
        whole(ledger)
    assert [fault.kind for fault in unjoined.value.faults] == [FaultKind.DISCONTINUED]


def test_the_witness_waits_where_it_does_not_know_the_log_before() -> None:
    ledger, _, _ = after_a_loss()
    opened(ledger)
    for key in [key for key in ledger.vault.objects if key.startswith(f"{WITNESSED}{LOG}/")]:
        del ledger.vault.objects[key]
    seen = ledger.witness(log=NEXT, root=ROOT).witness(START + 6 * MINUTE)
    assert (seen.witnessed, len(seen.waiting)) == (None, 1)


def test_logs_that_do_not_fit_together_are_refused() -> None:
    ledger, _, _ = after_a_loss()
    opened(ledger)
    old, new = open_log(ledger, ROOT, LOG), open_log(ledger, ROOT, NEXT)
    assert joined([new, old]).logs == (old, new)

    def kinds(*views: LedgerView) -> list[FaultKind]:
        with pytest.raises(LedgerRefused) as refused:
            joined(views)
        return [fault.kind for fault in refused.value.faults]

    assert kinds(new) == [FaultKind.DISCONTINUED]
    other = History([1])
    cut = replace(old, checkpoint=other.checkpoints[0])
    assert kinds(cut, new) == [FaultKind.TRUNCATED]
    history = MemoryLedger()
    for number in range(3, 9):
        history.add_statement(number)
    history.sequencer(root=ROOT).sequence(START)
    assert kinds(open_log(history, ROOT, LOG), new) == [FaultKind.FORKED]
    twin = replace(new, checkpoint=replace(new.checkpoint, origin=ORIGINS[2]))
    assert kinds(old, new, twin) == [FaultKind.FORKED]


def test_a_log_that_was_seen_and_is_gone_is_truncated() -> None:
    seen = History([2]).checkpoints[0]
    remembered: dict[str, Checkpoint] = {ORIGIN: seen}
    with pytest.raises(LedgerRefused) as refused:
        open_all(MemoryLedger(), ROOT, remembered=remembered)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.TRUNCATED]


def test_a_log_beside_those_that_the_root_names_is_found() -> None:
    ledger, _, _ = after_a_loss()
    opened(ledger)
    with pytest.raises(LedgerRefused) as refused:
        open_all(ledger, root([ORIGIN]), remembered={})
    assert {fault.kind for fault in refused.value.faults} == {FaultKind.UNKNOWN_ORIGIN}


def test_a_statement_that_is_gone_and_one_that_is_new_are_told() -> None:
    ledger, _, _ = after_a_loss()
    ledger.add_statement(70)
    key = next(key for key in ledger.vault.objects if "statements" in key and digest("release") in key)
    recorded = whole(ledger)
    del ledger.vault.objects[key]
    gone, unrecorded = recorded.compared(ledger.lying())
    assert [(fault.kind, fault.where) for fault in gone] == [(FaultKind.GONE, key)]
    assert len(unrecorded) == 1
