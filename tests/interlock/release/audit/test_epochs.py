"""A release that is in several logs after a failover: what counts, by the library and by the program."""

from __future__ import annotations

import pytest

from interlock.ledger.leaf import LeafKind
from interlock.ledger.statements import leaf_of
from interlock.release.vault import ObjectVersion
from tests.interlock.release.audit.tampering.case import (
    Case,
    bases,
    content_of,
    drop,
    library_codes,
    program_codes,
)
from tests.interlock.release.audit.tampering.epochs import LAST, NEXT, begin, epoch_cases, goes_on
from tests.interlock.release.audit.world import World

BASES = bases()
CASES = list(epoch_cases())


def both(world: World) -> tuple[set[str], set[str]]:
    fingerprint = world.root.fingerprint
    return library_codes(world, fingerprint), program_codes(world, fingerprint)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fork_and_an_epoch_that_drops_entries_are_refused_by_both(case: Case) -> None:
    world = BASES[case.base].copy()
    case.tamper(world)
    library, program = both(world)
    assert case.library <= library
    assert case.program <= program


def test_a_log_that_goes_on_from_all_that_was_witnessed_is_taken_by_both() -> None:
    world = BASES["released"].copy()
    begin(world, NEXT, goes_on(world))
    assert both(world) == (set(), set())


def test_a_log_may_skip_an_epoch_that_was_never_begun() -> None:
    world = BASES["released"].copy()
    begin(world, LAST, goes_on(world))
    assert both(world) == (set(), set())


def test_a_statement_of_the_lost_tail_that_was_lost_with_it_is_missed_by_nobody() -> None:
    world = BASES["released"].copy()
    seen = goes_on(world)
    key = world.measure("privacy", "0", inputs="ab" * 32)
    world.sequence(witnessed=False)
    drop(world, key)
    begin(world, NEXT, seen)
    assert both(world) == (set(), set())


def test_a_statement_of_the_lost_tail_counts_from_when_the_next_log_has_it() -> None:
    world = BASES["half"].copy()
    seen = goes_on(world)
    key = world.approve("approver-2")
    world.sequence(witnessed=False)
    version = ObjectVersion(key, world.version(key), is_latest=True)
    begin(world, NEXT, seen, leaf_of(version, content_of(world, key), LeafKind.LATE, world.now))
    assert both(world) == (set(), set())
