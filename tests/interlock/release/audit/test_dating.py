"""When a statement was made, by the library and by the program: never before a witnessed checkpoint without it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from interlock.release.audit.verify import CLOCKS_DIFFER, STATED, WRITTEN_WITHIN
from interlock.release.predicates import Predicate
from interlock.release.verification import approvals, dating
from tests.interlock.release.audit.tampering.case import Case, bases, library_codes, program_codes
from tests.interlock.release.audit.tampering.dates import date_cases
from tests.interlock.release.audit.world import DAY, HOUR, World

BASES = bases()
SECOND = timedelta(seconds=1)


def both(world: World) -> tuple[set[str], set[str]]:
    fingerprint = world.root.fingerprint
    return library_codes(world, fingerprint), program_codes(world, fingerprint)


def last_checkpoint(world: World) -> datetime:
    return world.now - HOUR + timedelta(minutes=1)


def test_both_judges_allow_the_same_time_for_writing() -> None:
    assert (WRITTEN_WITHIN, CLOCKS_DIFFER) == (dating.WRITTEN_WITHIN, approvals.CLOCKS_DIFFER_BY)
    assert set(STATED) <= {kind.value for kind in Predicate}


@pytest.mark.parametrize("case", list(date_cases()), ids=str)
def test_what_is_dated_back_past_a_witnessed_checkpoint_is_refused_by_both(case: Case) -> None:
    world = BASES[case.base].copy()
    case.tamper(world)
    library, program = both(world)
    assert case.library <= library
    assert case.program <= program


@pytest.mark.parametrize("early", [timedelta(0), SECOND])
def test_what_a_statement_says_may_lie_as_far_before_the_checkpoint_as_writing_it_takes(early: timedelta) -> None:
    released, half = BASES["released"].copy(), BASES["half"].copy()
    released.decide(at=last_checkpoint(released) - WRITTEN_WITHIN - early)
    half.approve("approver-2", approved_at=last_checkpoint(half) - WRITTEN_WITHIN - early, expires_at=half.now + DAY)
    for world, codes in ((released, set()), (half, {"approval-missing"})):
        world.sequence()
        expected = {"statement-backdated", *codes} if early else set()
        assert both(world) == (expected, expected)


def test_what_only_the_log_itself_had_signed_does_not_date_anything_back() -> None:
    world = BASES["released"].copy()
    for _ in range(2):
        world.append([], witnessed=False)
    world.decide(at=world.now - 2 * HOUR)
    world.sequence()
    assert both(world) == (set(), set())


def test_an_approval_that_was_dated_back_can_be_given_anew() -> None:
    world = BASES["half"].copy()
    world.approve("approver-2", approved_at=world.now - 2 * HOUR, expires_at=world.now + DAY)
    world.sequence()
    world.approve("approver-2")
    world.sequence()
    assert both(world) == (set(), set())


def test_an_objection_that_says_no_time_stands_and_is_not_dated_back() -> None:
    world = BASES["released"].copy()
    world.act(Predicate.REJECTION, "approver-3", "rejected_at", rejected_at="yesterday")
    world.sequence()
    library, program = both(world)
    assert library == {"rejected", "predicate-malformed"}
    assert program == {"predicate-malformed"}, "it was admitted before, and nothing was decided since"


def test_a_decision_is_judged_by_what_the_last_checkpoint_without_it_held() -> None:
    world = BASES["released"].copy()
    world.act(Predicate.REJECTION, "approver-3", "rejected_at")
    world.sequence()
    world.decide(at=last_checkpoint(world) - timedelta(minutes=10))
    world.sequence()
    assert both(world) == ({"rejected"}, {"rejected"})
