from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.faults import FaultKind, LedgerRefused
from interlock.ledger.layout import origin_of
from interlock.ledger.leaf import LeafKind
from interlock.ledger.merkle import Tree, verify_inclusion
from interlock.ledger.reading import read_log
from interlock.ledger.view import LogCopy, Recorded
from interlock.release.trust.document import KeyDuty
from tests.interlock.ledger.logs import (
    KEYS,
    LOG,
    MINUTE,
    ORIGIN,
    START,
    History,
    cosigned,
    digest,
    leaf,
    root,
    signed,
)
from tests.interlock.release.memory import LocalSigner

HISTORY = History([3, 0, 300, 5])


def kinds(copy: LogCopy, **options: Checkpoint) -> set[FaultKind]:
    with pytest.raises(LedgerRefused) as refused:
        read_log(copy, root(), **options)
    return {fault.kind for fault in refused.value.faults}


def with_checkpoint(history: History, checkpoint: Checkpoint, signer: LocalSigner) -> LogCopy:
    return LogCopy(history.entries, [signed(checkpoint, signer).note.content])


def test_an_honest_log_is_read_with_all_that_is_in_it() -> None:
    view = read_log(HISTORY.copy(witnessed=[1, 2]), root())
    assert (view.origin, view.size, view.root, view.time) == (
        ORIGIN,
        308,
        HISTORY.checkpoints[-1].root,
        START + 3 * MINUTE,
    )
    assert (view.witnessed_size, view.is_witnessed(302), view.is_witnessed(303)) == (303, True, False)
    seen = view.last_witnessed
    assert seen is not None
    assert (seen.checkpoint.number, seen.at) == (2, START + 3 * MINUTE)
    assert view.about(digest("release")) == tuple(HISTORY.leaves)
    assert [one.index for one in view.recorded(digest("release"))] == list(range(308))
    assert not view.witnessed
    assert view.about(digest("another")) == ()
    assert [one.index for one in view.of_payload(digest("7"))] == [7]
    verify_inclusion(view.tree.leaf(7), 7, 308, view.inclusion(7), view.root)


def test_the_newest_checkpoint_alone_is_enough() -> None:
    copy = HISTORY.copy()
    assert read_log(LogCopy(copy.entries, copy.checkpoints[-1:]), root()).size == 308


def test_a_copy_with_a_witnessed_checkpoint_alone_is_read_as_far_as_that() -> None:
    copy = HISTORY.copy(witnessed=[2])
    view = read_log(LogCopy(copy.entries[:303], [], copy.witnessed), root())
    assert view.size == view.witnessed_size == 303
    assert view.witnessed


def test_an_empty_log_is_one_with_a_checkpoint() -> None:
    assert read_log(History([0]).copy(), root()).size == 0
    assert kinds(LogCopy([], [])) == {FaultKind.TRUNCATED}


def test_a_log_that_lost_its_end_is_truncated() -> None:
    copy = HISTORY.copy(witnessed=[2])
    assert kinds(replace(copy, entries=copy.entries[:-1])) == {FaultKind.TRUNCATED}


def test_a_log_that_ends_before_what_the_witness_saw_is_truncated() -> None:
    copy = HISTORY.copy(witnessed=[2])
    assert FaultKind.TRUNCATED in kinds(LogCopy(copy.entries[:3], copy.checkpoints[:2], copy.witnessed))


def test_a_log_with_a_changed_added_or_swapped_leaf_is_forked() -> None:
    copy = HISTORY.copy()
    other = leaf(9999, START).content
    entries = list(copy.entries)
    assert kinds(replace(copy, entries=[other, *entries[1:]])) == {FaultKind.FORKED}
    assert kinds(replace(copy, entries=[*entries, other])) == {FaultKind.FORKED}
    assert kinds(replace(copy, entries=[entries[1], entries[0], *entries[2:]])) == {FaultKind.FORKED}


def test_two_histories_under_one_key_are_a_fork() -> None:
    other = History([3, 0, 301], salt=0)
    copy, theirs = HISTORY.copy(), other.copy(witnessed=[2])
    assert FaultKind.FORKED in kinds(replace(copy, witnessed=theirs.witnessed))


def test_two_checkpoints_of_one_number_are_a_fork() -> None:
    again = replace(HISTORY.checkpoints[-1], time=HISTORY.checkpoints[-1].time + MINUTE)
    copy = HISTORY.copy()
    assert kinds(replace(copy, checkpoints=[*copy.checkpoints, signed(again).note.content])) == {FaultKind.FORKED}


def test_a_checkpoint_older_than_the_remembered_one_is_refused() -> None:
    copy = HISTORY.copy()
    old = LogCopy(copy.entries[:3], copy.checkpoints[:2])
    assert kinds(old, remembered=HISTORY.checkpoints[-1]) == {FaultKind.OLD_CHECKPOINT}
    assert kinds(old, remembered=replace(HISTORY.checkpoints[1], number=2)) == {FaultKind.OLD_CHECKPOINT}
    assert read_log(copy, root(), remembered=HISTORY.checkpoints[1]).size == 308
    assert read_log(copy, root(), remembered=HISTORY.checkpoints[-1]).size == 308


def test_a_log_that_does_not_begin_with_the_remembered_checkpoint_is_forked() -> None:
    remembered = History([3, 0], salt=50).checkpoints[-1]
    assert kinds(HISTORY.copy(), remembered=remembered) == {FaultKind.FORKED}
    elsewhere = replace(HISTORY.checkpoints[0], origin=origin_of("bank", "us-east-1-1"))
    assert kinds(HISTORY.copy(), remembered=elsewhere) == {FaultKind.FORKED}


def test_a_log_that_the_root_does_not_name_is_refused() -> None:
    for origin in (origin_of("bank", "eu-west-1-2"), origin_of("attacker", LOG), "eu-west-1-1", "bank/x"):
        assert kinds(History([3], origin=origin).copy()) == {FaultKind.UNKNOWN_ORIGIN}


@pytest.mark.parametrize("duty", [KeyDuty.BUILDER, KeyDuty.DEPLOYER, KeyDuty.OBSERVER, KeyDuty.WITNESS])
def test_a_checkpoint_signed_by_another_dutys_key_is_refused(duty: KeyDuty) -> None:
    assert kinds(with_checkpoint(HISTORY, HISTORY.checkpoints[-1], KEYS[duty])) == {FaultKind.WRONG_DUTY}


def test_a_checkpoint_signed_by_an_attackers_key_is_refused() -> None:
    attacker = LocalSigner()
    assert kinds(with_checkpoint(HISTORY, HISTORY.checkpoints[-1], attacker)) == {FaultKind.UNSIGNED}


def test_a_cosignature_by_another_key_than_the_witnesss_is_refused() -> None:
    note = signed(HISTORY.checkpoints[-1])
    copy = HISTORY.copy()
    for signer, kind in ((LocalSigner(), FaultKind.UNSIGNED), (KEYS[KeyDuty.LOG], FaultKind.WRONG_DUTY)):
        forged = cosigned(note, START + 9 * MINUTE, signer)
        assert kinds(replace(copy, witnessed=[forged])) == {kind}
    assert kinds(replace(copy, witnessed=[note.note.content])) == {FaultKind.UNSIGNED}


def test_a_key_is_not_believed_outside_of_its_time() -> None:
    late = History([3])
    late.checkpoints[0] = replace(late.checkpoints[0], time=START + timedelta(days=366))
    assert kinds(late.copy()) == {FaultKind.DISTRUSTED}
    note = signed(HISTORY.checkpoints[-1])
    copy = replace(HISTORY.copy(), witnessed=[cosigned(note, START + timedelta(days=366))])
    assert kinds(copy) == {FaultKind.DISTRUSTED}


def test_what_a_stolen_key_signed_is_believed_as_far_as_the_witness_saw_it_in_time() -> None:
    distrusting = root(log_distrusted=START + 10 * MINUTE)
    copy = HISTORY.copy(witnessed=[2])
    until = LogCopy(copy.entries[:303], copy.checkpoints[:3], copy.witnessed)
    assert read_log(until, distrusting).size == 303
    with pytest.raises(LedgerRefused) as refused:
        read_log(copy, distrusting)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.DISTRUSTED]
    unseen = root(log_distrusted=START + 2 * MINUTE)
    with pytest.raises(LedgerRefused):
        read_log(until, unseen)


def test_a_leaf_from_before_a_checkpoint_without_it_is_backdated() -> None:
    history = History([3, 2])
    history.leaves[4] = leaf(4, START - MINUTE)
    tree = Tree(history.entries)
    history.checkpoints[1] = replace(history.checkpoints[1], root=tree.root())
    assert kinds(history.copy()) == {FaultKind.BACKDATED}


def test_a_leaf_from_after_the_checkpoint_with_it_is_refused() -> None:
    history = History([3])
    history.leaves[2] = leaf(2, START + MINUTE)
    history.checkpoints[0] = replace(history.checkpoints[0], root=Tree(history.entries).root())
    assert kinds(history.copy()) == {FaultKind.BACKDATED}


def test_a_checkpoint_from_before_the_one_before_it_is_backdated() -> None:
    history = History([3, 0])
    history.checkpoints[1] = replace(history.checkpoints[1], time=START - MINUTE)
    assert kinds(history.copy()) == {FaultKind.BACKDATED}


def test_a_leaf_that_is_there_twice_is_found() -> None:
    history = History([3])
    history.leaves[2] = history.leaves[0]
    history.checkpoints[0] = replace(history.checkpoints[0], root=Tree(history.entries).root())
    assert kinds(history.copy()) == {FaultKind.MALFORMED}


def test_an_entry_that_is_no_leaf_is_found() -> None:
    entries = [b"{}"]
    checkpoint = Checkpoint(ORIGIN, 1, Tree(entries).root(), 0, START)
    assert kinds(LogCopy(entries, [signed(checkpoint).note.content])) == {FaultKind.MALFORMED}


@pytest.mark.parametrize("content", [b"", b"\xff", b"text\n\n", b"a\nb\n\n\xe2\x80\x94 x eA==\n"])
def test_bytes_that_are_no_checkpoint_are_refused(content: bytes) -> None:
    assert kinds(LogCopy([], [content])) == {FaultKind.MALFORMED}


def test_a_statement_that_says_it_is_older_than_the_witness_knows_is_backdated() -> None:
    view = read_log(HISTORY.copy(witnessed=[1]), root())
    (recorded,) = view.of_payload(digest("5"))
    assert recorded.leaf.recorded_at == START + 2 * MINUTE
    assert view.backdated(recorded, START + 2 * MINUTE, MINUTE) is None
    fault = view.backdated(recorded, START - 10 * MINUTE, MINUTE)
    assert fault is not None
    assert fault.kind is FaultKind.BACKDATED
    assert "witnessed" in fault.text


def test_the_newest_witnessed_checkpoint_without_a_statement_tells_when_it_was_not_there() -> None:
    view = read_log(HISTORY.copy(), root())
    for index, recorded in enumerate(view.leaves):
        found = view.last_without(Recorded(index, recorded))
        without = [seen for seen in view.sightings if seen.checkpoint.size <= index]
        assert found == (without[-1] if without else None)
        assert view.last_without(Recorded(index, recorded.model_copy(update={"kind": LeafKind.LATE}))) is None


def test_a_statements_own_time_may_differ_from_the_ledgers_by_the_tolerance() -> None:
    view = read_log(HISTORY.copy(), root())
    (recorded,) = view.of_payload(digest("5"))
    at = recorded.leaf.recorded_at
    assert view.backdated(recorded, at - MINUTE, MINUTE) is None
    assert view.backdated(recorded, at + MINUTE, MINUTE) is None
    for stated in (at - MINUTE - timedelta(seconds=1), at + MINUTE + timedelta(seconds=1)):
        assert view.backdated(recorded, stated, MINUTE) is not None


def test_a_checkpoint_that_is_older_than_asked_for_is_stale() -> None:
    view = read_log(HISTORY.copy(), root())
    assert view.stale(view.time + MINUTE, MINUTE) is None
    fault = view.stale(view.time + MINUTE + timedelta(seconds=1), MINUTE)
    assert fault is not None
    assert fault.kind is FaultKind.OLD_CHECKPOINT


def test_a_checkpoint_from_the_future_is_not_fresh() -> None:
    view = read_log(HISTORY.copy(), root())
    assert view.stale(view.time - 5 * MINUTE, MINUTE) is None
    fault = view.stale(view.time - 6 * MINUTE, timedelta(days=1))
    assert fault is not None
    assert fault.kind is FaultKind.BACKDATED


def test_a_later_epoch_must_say_which_log_it_goes_on_from() -> None:
    origin = origin_of("bank", "us-east-1-2")
    with pytest.raises(LedgerRefused) as refused:
        read_log(History([3], origin=origin).copy(), root([ORIGIN, origin]))
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.DISCONTINUED]


def test_an_epoch_stands_at_the_beginning_of_a_log_alone() -> None:
    history = History([3])
    history.leaves[1] = leaf(1, START, kind=LeafKind.EPOCH)
    history.checkpoints[0] = replace(history.checkpoints[0], root=Tree(history.entries).root())
    assert kinds(history.copy()) == {FaultKind.MALFORMED}
