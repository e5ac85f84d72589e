"""When a statement was made, by the library and by the program: never before a witnessed checkpoint without it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from interlock.release.audit.verify import CLOCKS_DIFFER, STATED, WRITTEN_WITHIN
from interlock.release.envelope import payload_digest
from interlock.release.predicates import Predicate
from interlock.release.verification import approvals, dating
from tests.interlock.release.audit.tampering.case import (
    Case,
    bases,
    content_of,
    library_codes,
    library_verdict,
    program_codes,
)
from tests.interlock.release.audit.tampering.dates import ACTS, act_dated_back, date_cases, withdrawal_dated_back
from tests.interlock.release.audit.world import DAY, HOUR, World, agreed, reported

BASES = bases()
SECOND = timedelta(seconds=1)


def both(world: World) -> tuple[set[str], set[str]]:
    fingerprint = world.root.fingerprint
    return library_codes(world, fingerprint), program_codes(world, fingerprint)


def noted(world: World) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """What both judges tell beside their reasons: codes, and the folders of what they are of."""
    fingerprint = world.root.fingerprint
    library = library_verdict(world, fingerprint).notes
    return (
        {(one.code.value, one.where.split("/")[0]) for one in library},
        {(one.code, one.where.split("/")[0]) for one in reported(world.bundle(), fingerprint).notes},
    )


DECISION, ACT = {("statement-backdated", "decisions")}, {("statement-backdated", "approvals")}


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
    for world, codes in ((released, set()), (half, {"approval-missing", "statement-backdated"})):
        world.sequence()
        expected = codes if early else set()
        assert both(world) == (expected, expected)
    assert noted(released) == ((DECISION, DECISION) if early else (set(), set()))


@pytest.mark.parametrize("passed", [True, False])
def test_a_decision_that_is_dated_back_is_told_and_counts_for_nothing_beside_one_that_stands(passed: bool) -> None:
    world = BASES["released"].copy()
    world.decide(passed=passed, at=world.now - 2 * HOUR)
    world.sequence()
    assert both(world) == (set(), set())
    assert noted(world) == (DECISION, DECISION)
    root = world.root.fingerprint
    said = [one.text for one in library_verdict(world, root).notes]
    said += [one.text for one in reported(world.bundle(), root).notes]
    assert len({text.partition("; ")[2] for text in said}) == 1, "and of it both say the same"


def test_a_decision_that_is_dated_back_admits_nothing_by_itself() -> None:
    world = agreed()
    world.decide(at=world.now - 2 * HOUR)
    world.sequence()
    assert both(world) == (set(), {"statement-backdated"}), "the library looks at whether it may be admitted now"
    assert noted(world)[0] == DECISION
    world.decide()
    world.sequence()
    assert both(world) == (set(), set()), "it is decided on anew"


@pytest.mark.parametrize("early", [timedelta(0), 2 * HOUR])
def test_a_decision_that_let_in_what_nobody_had_approved_yet_is_told_by_both_whatever_its_date_is(
    early: timedelta,
) -> None:
    world = BASES["half"].copy()
    key = world.decide(at=world.now - early)
    world.sequence()
    world.approve("approver-2")
    world.sequence()
    world.decide(inputs=world.verdict().rests_on)
    world.sequence()
    library, program = noted(world)
    dated = DECISION if early else set()
    assert both(world) == (set(), {"approval-missing"}), "it may be admitted now, and not all of the record holds"
    assert (library, program) == (dated | {("approval-missing", "decisions")}, dated)
    told = {one.where: one.text for one in library_verdict(world, world.root.fingerprint).notes}
    assert told[key].startswith(f"{key}: it was admitted to prod although 0 of 1 approvals of")


def test_a_decision_on_what_nobody_asked_for_is_told_by_both() -> None:
    world = BASES["released"].copy()
    world.decide(environment="elsewhere")
    world.decide(policy="0" * 64)
    world.sequence()
    code = "environment-not-asked-for"
    library, program = both(world)
    assert (library, code in program) == (set(), True)
    assert noted(world) == ({(code, "decisions")}, set())


@pytest.mark.parametrize("kind", ACTS)
def test_an_objection_that_is_dated_back_counts_all_the_same(kind: Predicate) -> None:
    world, (field, code) = BASES["released"].copy(), ACTS[kind]
    act_dated_back(world, kind, field)
    program = {code} if kind is Predicate.REVOCATION else set()
    assert both(world) == ({code}, program), "what was decided before stands, unless it was revoked"
    assert noted(world) == (ACT, ACT)


def test_a_rejection_that_was_dated_back_can_be_taken_back() -> None:
    world = BASES["released"].copy()
    withdrawal_dated_back(world)
    assert both(world) == (set(), set()), "it takes back as of when the ledger has it, whatever its date is"
    assert noted(world) == (ACT, ACT)


def test_an_approval_is_taken_back_by_a_withdrawal_that_is_dated_back() -> None:
    world = BASES["half"].copy()
    key = world.approve("approver-2")
    world.sequence()
    assert both(world) == (set(), set())
    earlier = (world.now - 2 * HOUR).isoformat()
    payload = payload_digest(content_of(world, key))
    world.act(Predicate.WITHDRAWAL, "approver-2", "withdrawn_at", withdrawn=payload, withdrawn_at=earlier)
    world.sequence()
    expected = {"approval-missing", "approval-withdrawn"}
    assert both(world) == (expected, expected)
    assert noted(world) == (ACT, ACT)


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
    assert library == {"rejected"}
    assert program == set(), "it was admitted before, and nothing was decided since"
    assert noted(world) == ({("predicate-malformed", "approvals")},) * 2


def test_a_decision_is_judged_by_what_the_last_checkpoint_without_it_held() -> None:
    world = BASES["released"].copy()
    world.act(Predicate.REJECTION, "approver-3", "rejected_at")
    world.sequence()
    world.decide(at=last_checkpoint(world) - timedelta(minutes=10))
    world.sequence()
    assert both(world) == ({"rejected"}, {"rejected"})


@pytest.mark.parametrize("minutes", [2, 4])
@pytest.mark.parametrize("by", ["pin", "evidence"])
def test_who_is_named_after_a_decision_takes_no_approval_from_it(by: str, minutes: int) -> None:
    world = BASES["released"].copy()
    world.decide()
    world.sequence()
    world.now = world.now - HOUR + timedelta(minutes=minutes)
    if by == "pin":
        world.say(Predicate.PIN, world.pin_predicate(builder="approver-1"), "builder")
    else:
        world.measure("fairness", "0.9", builder="approver-1")
    world.sequence()
    assert {"approval-missing", "approval-by-builder"} <= both(world)[0], "nothing more is let in"
    assert both(world)[1] == set(), "what was let in before stands"
    assert noted(world) == (set(), set())
