from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from interlock.ledger import sequencing
from interlock.ledger.batch import MOST_LEAVES, Batch, parse_batch
from interlock.ledger.faults import FaultKind, LedgerRefused
from interlock.ledger.head import LogKey
from interlock.ledger.layout import batches_prefix, checkpoints_prefix, numbered, origin_of
from interlock.ledger.loading import open_ledger, open_log
from interlock.ledger.merkle import verify_consistency
from interlock.ledger.sequencing import Contended, Sequencer
from interlock.ledger.storage import all_numbers
from interlock.ledger.view import LedgerView
from interlock.release.trust.document import KeyDuty
from interlock.release.trust.published import TRUST
from interlock.release.vault import ObjectVersion
from tests.interlock.ledger.logs import KEYS, LOG, MINUTE, ORIGIN, START, digest, root
from tests.interlock.ledger.memory import Killed, MemoryLedger
from tests.interlock.release.memory import LocalSigner


def view_of(ledger: MemoryLedger) -> LedgerView:
    return open_log(ledger, root(), LOG, history=True)


def payloads(view: LedgerView) -> list[str]:
    return [leaf.payload for leaf in view.leaves]


def test_every_statement_in_the_vault_becomes_a_leaf_once() -> None:
    ledger = MemoryLedger()
    wanted = {ledger.add_statement(number) for number in range(5)}
    done = ledger.sequencer().sequence(START)
    assert {leaf.payload for leaf in done.leaves} == wanted
    view = view_of(ledger)
    assert set(payloads(view)) == wanted
    assert (view.size, view.origin, view.time) == (5, ORIGIN, START)
    assert ledger.sequencer().sequence(START + MINUTE).leaves == ()
    assert view_of(ledger).checkpoint == view.checkpoint


def test_a_leaf_says_what_lay_where_and_when_it_was_seen() -> None:
    ledger = MemoryLedger()
    payload = ledger.add_statement(1)
    (leaf,) = ledger.sequencer().sequence(START + MINUTE).leaves
    assert leaf.key == f"releases/{digest('release')}/statements/{payload}.dsse.json"
    assert leaf.version_id == f"{leaf.key}#0"
    assert leaf.sha256 == ledger.vault.describe(leaf.key, leaf.version_id).sha256
    assert (leaf.subject, leaf.recorded_at) == (digest("release"), START + MINUTE)


def test_a_releases_files_are_no_leaves_and_are_not_read() -> None:
    ledger = MemoryLedger()
    ledger.add_statement(1)
    ledger.add(f"releases/{digest('release')}/files/a.dsse.json", {})
    assert len(ledger.sequencer().sequence(START).leaves) == 1
    assert not any("/files/" in key for key in ledger.reads)


def test_a_run_reads_no_statement_and_no_entry_that_an_earlier_one_read() -> None:
    ledger, sequencer = MemoryLedger(), None
    for number in range(300):
        ledger.add_statement(number)
    sequencer = ledger.sequencer()
    sequencer.sequence(START)
    ledger.add_statement(300)
    ledger.reads.clear()
    sequencer.sequence(START + MINUTE)
    assert sum("statements/" in key for key in ledger.reads) == 1
    assert not any("entries" in key for key in ledger.reads)
    ledger.add_statement(301)
    ledger.reads.clear()
    ledger.sequencer().sequence(START + 2 * MINUTE)
    assert sum("statements/" in key for key in ledger.reads) == 1


def test_what_is_no_statement_is_named_and_holds_up_nothing() -> None:
    ledger = MemoryLedger()
    ledger.add(f"approvals/{digest('release')}/{digest('x')}.dsse.json", {"payload": "!"})
    ledger.add("findings/readme.txt", "not an envelope's key")
    wanted = ledger.add_statement(1)
    sequencer = ledger.sequencer()
    done = sequencer.sequence(START)
    assert [leaf.payload for leaf in done.leaves] == [wanted]
    ((key, reason),) = done.unfit
    assert key.startswith("approvals/")
    assert reason
    ledger.reads.clear()
    assert sequencer.sequence(START).unfit == done.unfit
    assert key not in ledger.reads


def test_a_second_version_of_a_statement_is_recorded_beside_the_first() -> None:
    ledger = MemoryLedger()
    payload = ledger.add_statement(1)
    ledger.sequencer().sequence(START)
    key = next(iter(ledger.lying())).key
    ledger.vault.add_version(key, ledger.vault.objects[key][0][1])
    (leaf,) = ledger.sequencer().sequence(START + MINUTE).leaves
    assert (leaf.payload, leaf.version_id) == (payload, f"{key}#1")


def test_trust_roots_are_recorded_too() -> None:
    ledger = MemoryLedger()
    ledger.add(f"{TRUST}1.root.json", {"payload": "eA==", "payloadType": "x/y", "signatures": [{"sig": "eA=="}]})
    (leaf,) = ledger.sequencer().sequence(START).leaves
    assert (leaf.key, leaf.subject, leaf.predicate_type) == (f"{TRUST}1.root.json", None, "x/y")


def test_an_empty_vault_gives_a_log_with_nothing_in_it() -> None:
    ledger = MemoryLedger()
    ledger.sequencer().sequence(START)
    assert view_of(ledger).size == 0


def test_a_checkpoint_is_renewed_when_it_is_old_and_not_before() -> None:
    ledger = MemoryLedger()
    ledger.add_statement(1)
    sequencer = ledger.sequencer()
    first = sequencer.sequence(START, renew_after=MINUTE).checkpoint
    assert sequencer.sequence(START + MINUTE, renew_after=MINUTE).checkpoint == first
    later = sequencer.sequence(START + 2 * MINUTE, renew_after=MINUTE).checkpoint
    assert (later.size, later.root, later.number) == (first.size, first.root, first.number + 1)
    assert later.time == START + 2 * MINUTE
    assert view_of(ledger).time == later.time


def test_a_log_of_many_tiles_is_read_as_it_was_appended() -> None:
    ledger = MemoryLedger()
    sequencer = ledger.sequencer()
    checkpoints, added = [], 0
    for number, count in enumerate((1, 254, 1, 1, 255, 300, 3)):
        for _ in range(count):
            ledger.add_statement(added)
            added += 1
        checkpoints.append(sequencer.sequence(START + number * MINUTE).checkpoint)
    view = view_of(ledger)
    assert view.size == added
    for checkpoint in checkpoints:
        assert view.tree.root(checkpoint.size) == checkpoint.root
        proof = view.tree.consistency(checkpoint.size)
        verify_consistency(checkpoint.size, view.size, proof, checkpoint.root, view.root)
    assert open_ledger(ledger.vault, root(), ORIGIN).root == view.root


def at_write(number: int, written: bool, at: int, after: bool) -> bool:
    return (at, after) == (number, written)


def killed_everywhere(prepare: int, added: int) -> int:
    """Kill a run at each of its writes, before it and after it, and run again; return how many writes there are."""
    number, killed = 0, True
    while killed:
        killed = False
        for written in (False, True):
            ledger = MemoryLedger()
            for one in range(prepare):
                ledger.add_statement(one)
            ledger.sequencer().sequence(START)
            wanted = {ledger.add_statement(prepare + one) for one in range(added)}
            before = view_of(ledger)
            ledger.writes = 0
            ledger.dies_at = partial(at_write, number, written)
            try:
                ledger.sequencer().sequence(START + MINUTE)
            except Killed:
                killed = True
            assert view_of(ledger).size in (before.size, before.size + added)
            ledger.dies_at = lambda at, after: False
            ledger.add_statement(10_000)
            ledger.sequencer().sequence(START + 2 * MINUTE)
            view = view_of(ledger)
            assert view.size == before.size + added + 1
            assert wanted <= set(payloads(view))
            assert len(set(payloads(view))) == view.size
            assert payloads(view)[: before.size] == payloads(before)
        number += 1
    return number - 1


@pytest.mark.parametrize(("prepare", "added", "writes"), [(0, 2, 4), (3, 255, 7)])
def test_a_run_that_is_killed_at_any_write_is_completed_by_the_next(prepare: int, added: int, writes: int) -> None:
    # A batch, a full bundle and tile if there is one, a partial bundle, a partial tile a level, a checkpoint.
    assert killed_everywhere(prepare, added) == writes


def test_whoever_comes_next_completes_another_sequencers_batch_as_it_was_decided() -> None:
    ledger = MemoryLedger()
    ledger.add_statement(1)
    ledger.dies_at = lambda at, after: (at, after) == (0, True)
    with pytest.raises(Killed):
        ledger.sequencer().sequence(START)
    ledger.dies_at = lambda at, after: False
    done = ledger.sequencer().sequence(START + MINUTE)
    assert done.leaves == ()
    view = view_of(ledger)
    assert (view.size, view.leaves[0].recorded_at, view.time) == (1, START, START + MINUTE)


def test_eight_writers_and_four_sequencers_at_once_lose_nothing_and_double_nothing() -> None:
    ledger = MemoryLedger()
    writing = threading.Event()
    writing.set()

    def write(writer: int) -> list[str]:
        return [ledger.add_statement(1000 * writer + number, f"release {writer}") for number in range(200)]

    def sequence(_: int) -> int:
        sequencer, appended = ledger.sequencer(), 0
        while writing.is_set():
            appended += len(sequencer.sequence(START).leaves)
        return appended + len(sequencer.sequence(START + MINUTE).leaves)

    with ThreadPoolExecutor(12) as pool:
        sequencers = [pool.submit(sequence, number) for number in range(4)]
        written = [payload for made in pool.map(write, range(8)) for payload in made]
        writing.clear()
        appended = sum(one.result() for one in sequencers)
    view = view_of(ledger)
    assert sorted(payloads(view)) == sorted(written)
    # Two that decide the very same bytes both say that they did.
    assert appended >= len(written) == 1600
    assert [len(view.about(digest(f"release {writer}"))) for writer in range(8)] == [200] * 8


def test_a_sequencer_that_lost_a_race_appends_what_the_other_did_not() -> None:
    ledger = MemoryLedger()
    ledger.add_statement(1)
    slow = ledger.sequencer()
    slow.sequence(START)
    ledger.add_statement(2)
    create = ledger.create
    raced: list[str] = []

    def race(key: str, content: bytes) -> bytes:
        if key.startswith(batches_prefix(LOG)) and not raced:
            raced.append(key)
            ledger.create = create  # type: ignore[method-assign]
            ledger.sequencer().sequence(START + 2 * MINUTE)
            ledger.add_statement(3)
        return create(key, content)

    ledger.create = race  # type: ignore[method-assign]
    assert slow.sequence(START + MINUTE).leaves == ()
    assert len(slow.sequence(START + 3 * MINUTE).leaves) == 1
    assert view_of(ledger).size == 3


def interrupted(number: int, written: bool, by: Callable[[], object]) -> Callable[[int, bool], bool]:
    """Let another act before or after the write of that number, once, while whoever writes waits."""
    done: list[bool] = []

    def interrupt(at: int, after: bool) -> bool:
        if not done and (at, after) == (number, written):
            done.append(True)
            by()
        return False

    return interrupt


def interleaved(ledger: MemoryLedger, number: int, written: bool) -> LedgerView:
    """Run a sequencer that another overtakes at its write of that number, and return what the log is then."""
    ledger.add_statement(0)
    slow, fast = ledger.sequencer(), ledger.sequencer()
    slow.sequence(START)
    fast.sequence(START)
    for one in range(1, 4):
        ledger.add_statement(one)
    ledger.writes = 0
    ledger.dies_at = interrupted(number, written, partial(overtake, ledger, fast))
    slow.sequence(START + MINUTE)
    ledger.dies_at = lambda at, after: False
    slow.sequence(START + 3 * MINUTE)
    fast.sequence(START + 3 * MINUTE)
    view = view_of(ledger)
    assert view.size == len(set(payloads(view))) == 5
    return view


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("written", [False, True])
def test_two_sequencers_interleaved_at_any_write_agree(number: int, written: bool) -> None:
    view = interleaved(MemoryLedger(), number, written)
    proof = view.tree.consistency(1)
    verify_consistency(1, view.size, proof, view.tree.root(1), view.root)


class Unconditional(MemoryLedger):
    """What a storage would be whose writes are not conditional."""

    def create(self, key: str, content: bytes) -> bytes:
        super().create(key, content)
        self.vault.objects[key] = [(f"{key}#0", content)]
        return content


def test_writes_that_are_not_conditional_are_caught_where_two_interleave() -> None:
    with pytest.raises(LedgerRefused):
        interleaved(Unconditional(), 0, written=False)


def overtake(ledger: MemoryLedger, fast: Sequencer) -> None:
    ledger.add_statement(100)
    fast.sequence(START + 2 * MINUTE)


def test_a_sequencer_gives_up_when_others_are_faster_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencing, "MOST_ATTEMPTS", 5)
    ledger = MemoryLedger()
    sequencer = ledger.sequencer()
    sequencer.sequence(START)
    ledger.add_statement(1)
    rival = ledger.sequencer()
    create = ledger.create
    numbers = iter(range(100, 10_000))

    def race(key: str, content: bytes) -> bytes:
        if key.startswith(batches_prefix(LOG)):
            # Renewals: they decide on the number, and not on the statement.
            ledger.create = create  # type: ignore[method-assign]
            rival._source = MemoryLedger()
            rival.sequence(START + next(numbers) * MINUTE, renew_after=timedelta(0))
            ledger.create = race  # type: ignore[method-assign]
        return create(key, content)

    ledger.create = race  # type: ignore[method-assign]
    with pytest.raises(Contended, match="5 times"):
        sequencer.sequence(START + 20_000 * MINUTE)


def test_the_times_of_a_log_never_go_back() -> None:
    ledger = MemoryLedger()
    sequencer = ledger.sequencer()
    sequencer.sequence(START + MINUTE)
    ledger.add_statement(1)
    (leaf,) = sequencer.sequence(START).leaves
    assert leaf.recorded_at == START + MINUTE
    assert view_of(ledger).time == START + MINUTE


def test_a_leaf_gets_the_time_by_which_its_statement_had_been_read() -> None:
    ledger = MemoryLedger()
    ledger.add_statement(1)
    times = iter([START + MINUTE, START + 2 * MINUTE])
    read_each = ledger.read_each

    def slow(versions: Sequence[ObjectVersion]) -> Iterator[bytes]:
        assert next(times) == START + MINUTE
        return read_each(versions)

    ledger.read_each = slow  # type: ignore[method-assign]
    (leaf,) = ledger.sequencer().sequence(START, clock=lambda: next(times)).leaves
    assert leaf.recorded_at == START + 2 * MINUTE == view_of(ledger).time


def test_a_sequencer_whose_clock_is_far_behind_the_log_stops() -> None:
    ledger = MemoryLedger()
    ledger.sequencer().sequence(START + 10 * MINUTE)
    ledger.add_statement(1)
    with pytest.raises(LedgerRefused) as refused:
        ledger.sequencer().sequence(START)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.BACKDATED]


def test_a_sequencer_does_not_sign_with_a_key_that_nobody_would_believe() -> None:
    ledger = MemoryLedger()
    for signer in (LocalSigner(), KEYS[KeyDuty.WITNESS]):
        other = Sequencer(LOG, root(), ledger, ledger, LogKey(signer, signer.public_key.key_id))
        with pytest.raises(LedgerRefused) as refused:
            other.sequence(START)
        assert [fault.kind for fault in refused.value.faults] == [FaultKind.DISTRUSTED]
    assert ledger.writes == 0


def test_a_sequencer_does_not_begin_a_log_that_the_root_does_not_name() -> None:
    ledger = MemoryLedger()
    with pytest.raises(LedgerRefused) as refused:
        ledger.sequencer(root=root([])).sequence(START)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.UNKNOWN_ORIGIN]
    assert ledger.writes == 0


@pytest.mark.parametrize("prefix", [batches_prefix(LOG), checkpoints_prefix(LOG)])
def test_a_sequencer_does_not_append_to_what_was_put_there_by_others(prefix: str) -> None:
    ledger = MemoryLedger()
    ledger.add_statement(1)
    ledger.sequencer().sequence(START)
    foreign = MemoryLedger()
    foreign.add_statement(2)
    foreign.sequencer().sequence(START)
    ledger.vault.objects[numbered(prefix, 0)] = foreign.vault.objects[numbered(prefix, 0)]
    ledger.vault.objects[numbered(batches_prefix(LOG), 1)] = foreign.vault.objects[numbered(batches_prefix(LOG), 0)]
    ledger.add_statement(4)
    with pytest.raises(LedgerRefused):
        ledger.sequencer().sequence(START + MINUTE)


def test_the_numbers_of_a_log_have_no_gap() -> None:
    ledger = MemoryLedger()
    sequencer = ledger.sequencer()
    for number in range(5):
        ledger.add_statement(number)
        sequencer.sequence(START + number * MINUTE)
    assert list(all_numbers(ledger, checkpoints_prefix(LOG))) == list(range(5))
    assert list(all_numbers(ledger, batches_prefix(LOG))) == list(range(5))


def test_a_later_epoch_is_opened_before_anything_is_appended_to_it() -> None:
    log = "us-east-1-2"
    origins = [ORIGIN, origin_of("bank", log)]
    with pytest.raises(LedgerRefused) as refused:
        MemoryLedger().sequencer(log=log, root=root(origins)).sequence(START)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.DISCONTINUED]


@pytest.mark.parametrize("count", [MOST_LEAVES - 1, MOST_LEAVES, MOST_LEAVES + 1])
def test_a_run_ends_with_a_batch_that_is_not_full(count: int) -> None:
    ledger = MemoryLedger()
    for number in range(count):
        ledger.add_statement(number)
    assert len(ledger.sequencer().sequence(START).leaves) == count
    numbers = list(all_numbers(ledger, batches_prefix(LOG)))
    sizes = [len(batch_of(ledger, number).leaves) for number in numbers]
    assert sizes == {-1: [count], 0: [count, 0], 1: [MOST_LEAVES, 1]}[count - MOST_LEAVES]
    assert ledger.sequencer().sequence(START + MINUTE).checkpoint.number == numbers[-1], "and is left at that"


@pytest.mark.parametrize("unfit", [1, MOST_LEAVES])
def test_what_is_no_statement_does_not_make_a_batch_look_as_if_nothing_were_left_over(unfit: int) -> None:
    ledger = MemoryLedger()
    for number in range(unfit):
        # Their keys sort before those of every statement that lies there.
        ledger.add(f"approvals/{digest('release')}/{digest(str(number))}.dsse.json", {"no": "statement"})
    for number in range(MOST_LEAVES + 1):
        ledger.add_statement(number)
    done = ledger.sequencer().sequence(START)
    assert (len(done.leaves), len(done.unfit)) == (MOST_LEAVES + 1, unfit)
    numbers = all_numbers(ledger, batches_prefix(LOG))
    assert [len(batch_of(ledger, number).leaves) for number in numbers] == [MOST_LEAVES, 1]


def test_each_object_is_read_once_in_a_run_however_many_are_no_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = MemoryLedger()
    for number in range(MOST_LEAVES + 5):
        ledger.add_statement(number)
    last = sorted({one.key for one in ledger.lying()})[MOST_LEAVES - 2]
    for number in range(300):
        # Where the first batch would end.
        ledger.add(f"{last.removesuffix('.dsse.json')[:-5]}{number:05d}.dsse.json", {"no": "statement"})
    read: list[str] = []
    reading = ledger.read_each

    def counted(versions: Sequence[ObjectVersion]) -> Iterator[bytes]:
        read.extend(one.key for one in versions)
        return reading(versions)

    monkeypatch.setattr(ledger, "read_each", counted)
    done = ledger.sequencer().sequence(START)
    assert (len(done.leaves), len(done.unfit)) == (MOST_LEAVES + 5, 300)
    assert len(read) == len(set(read)) == MOST_LEAVES + 305


def test_a_run_that_was_killed_after_a_full_batch_is_ended_by_the_next() -> None:
    ledger = MemoryLedger()
    for number in range(MOST_LEAVES):
        ledger.add_statement(number)
    first = numbered(checkpoints_prefix(LOG), 0)
    ledger.dies_at = lambda number, written: written and first in ledger.vault.objects
    with pytest.raises(Killed):
        ledger.sequencer().sequence(START)
    ledger.dies_at = lambda number, written: False
    done = ledger.sequencer().sequence(START + MINUTE)
    assert (done.checkpoint.number, done.checkpoint.size, done.leaves) == (1, MOST_LEAVES, ())


def test_what_was_written_during_a_long_run_is_in_its_last_batch() -> None:
    ledger = MemoryLedger()
    for number in range(MOST_LEAVES + 1):
        ledger.add_statement(number)
    read_each = ledger.read_each

    def meanwhile(versions: Sequence[ObjectVersion]) -> Iterator[bytes]:
        ledger.read_each = read_each  # type: ignore[method-assign]
        ledger.add_statement(MOST_LEAVES + 1)
        return read_each(versions)

    ledger.read_each = meanwhile  # type: ignore[method-assign]
    assert ledger.sequencer().sequence(START).checkpoint.size == MOST_LEAVES + 2
    assert len(batch_of(ledger, 1).leaves) == 2


def batch_of(ledger: MemoryLedger, number: int) -> Batch:
    content = ledger.read(numbered(batches_prefix(LOG), number))
    assert content is not None
    return parse_batch(content)
