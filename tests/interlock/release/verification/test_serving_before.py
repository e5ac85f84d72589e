"""What counts as having served in an environment that comes first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interlock.release.predicates import Predicate
from interlock.release.verification.reason import ReasonCode as C
from interlock.release.verification.summary import summary_of, summary_statement
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import HOUR, KEYS, MEASURED, MINUTE, World, codes, shown_world


def approved_for_both() -> World:
    world = shown_world(tier="critical")
    for person in ("approver-1", "approver-2"):
        world.approve(person)
        world.approve(person, environment="staging")
    world.sequence(NOW + 3 * HOUR)
    return world


APPROVED = approved_for_both()


def staged() -> World:
    world = APPROVED.spoiled()
    decision = world.decide(world.admit(environment="staging"), "staging")
    world.sequence(NOW + 4 * HOUR)
    world.serve(decision)
    world.sequence(NOW + 5 * HOUR)
    return world


STAGED = staged()


def claim(world: World, **changes: object) -> None:
    """A deployer's statement that it served by a decision for staging, with these changes."""
    given = {
        "environment": "staging",
        "policy": world.policy.digest,
        "tier": "critical",
        "inputs": world.admit(environment="staging").rests_on,
        "passed": True,
        "now": NOW + 4 * HOUR,
        "version": "0.1.0",
        **changes,
    }
    statement = summary_statement(world.digest, summary_of(world.digest, **given))  # type: ignore[arg-type]
    decision = world.write(Predicate.VERIFICATION, statement.predicate, KEYS["deployer"])
    world.serve(decision)
    world.sequence(NOW + 4 * HOUR)


def test_the_decision_of_the_next_environment_vouches_for_what_served_before_it() -> None:
    world = STAGED.spoiled()
    verdict = world.admit(NOW + 6 * HOUR)
    assert verdict.reasons == ()
    assert {one.recorded.predicate_type for one in verdict.served} == {Predicate.SERVED, Predicate.VERIFICATION}
    assert all(one.recorded in verdict.rests_on for one in verdict.served)
    world.decide(verdict, at=NOW + 6 * HOUR)
    assert codes(world.load()) == set()
    world.change_root(distrusted="deployer", since=NOW + 7 * HOUR)
    assert codes(world.admit(NOW + 8 * HOUR)) == set(), "a key stands for what it signed before"


def test_a_champion_whose_staging_nobody_vouches_for_is_not_loaded() -> None:
    world = STAGED.spoiled()
    verdict = world.admit(NOW + 6 * HOUR)
    served = {one.recorded.key for one in verdict.served}
    summary = summary_of(
        world.digest, environment="prod", policy=world.policy.digest, tier="critical",
        inputs=[one for one in verdict.rests_on if one.key not in served], passed=True, now=NOW + 6 * HOUR, version="0",
    )  # fmt: skip
    world.write(Predicate.VERIFICATION, summary_statement(world.digest, summary).predicate, KEYS["deployer"])
    assert codes(world.load()) == {C.ENVIRONMENT_NOT_SERVED_BEFORE}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world: claim(world, policy="0" * 64),
        lambda world: claim(world, tier="low"),
        lambda world: claim(world, inputs=[]),
        lambda world: claim(world, inputs=world.record().pins),
        lambda world: claim(world, inputs=[one for one in world.record().statements if one not in world.record().pins]),
        lambda world: claim(world, passed=False),
        lambda world: claim(world, environment="prod"),
        lambda world: claim(world, now=NOW + 2 * HOUR),
        lambda world: world.serve("0" * 64),
        lambda world: world.serve(world.decide(world.admit(environment="staging"), "staging"), environment="prod"),
    ],
)
def test_a_decision_that_did_not_admit_it_there_is_no_service(spoil: Callable[[World], object]) -> None:
    world = APPROVED.spoiled()
    spoil(world)
    world.sequence(NOW + 4 * HOUR)
    found = codes(world.admit(NOW + 5 * HOUR))
    assert C.ENVIRONMENT_NOT_SERVED_BEFORE in found
    assert found <= {C.ENVIRONMENT_NOT_SERVED_BEFORE, C.STATEMENT_BACKDATED}


def test_a_release_that_nobody_approved_for_staging_has_not_served_there() -> None:
    world = shown_world(tier="critical")
    for person in ("approver-1", "approver-2"):
        world.approve(person)
    world.sequence(NOW + 3 * HOUR)
    claim(world)
    verdict = world.admit(NOW + 5 * HOUR)
    assert codes(verdict) == {C.ENVIRONMENT_NOT_SERVED_BEFORE}
    assert "although" in str(verdict.reasons[0])


def test_what_was_approved_for_staging_after_it_served_there_comes_too_late() -> None:
    world = shown_world(tier="critical")
    for person in ("approver-1", "approver-2"):
        world.approve(person)
    world.sequence(NOW + 3 * HOUR)
    for person in ("approver-1", "approver-2"):
        world.approve(person, environment="staging", at=NOW + 5 * HOUR)
    world.sequence(NOW + 5 * HOUR)
    claim(world)
    assert codes(world.admit(NOW + 6 * HOUR)) == {C.ENVIRONMENT_NOT_SERVED_BEFORE}


def test_an_objection_after_the_decision_that_was_taken_back_leaves_it_having_served() -> None:
    world = APPROVED.spoiled()
    decision = world.decide(world.admit(NOW + 4 * HOUR, environment="staging"), "staging", at=NOW + 4 * HOUR)
    world.sequence(NOW + 4 * HOUR + MINUTE)
    world.serve(decision)
    rejection = world.reject("approver-4", at=NOW + 4 * HOUR + 3 * MINUTE)
    world.sequence(NOW + 4 * HOUR + 4 * MINUTE)
    assert C.REJECTED in codes(world.admit(NOW + 5 * HOUR))
    world.withdraw("approver-4", rejection, at=NOW + 5 * HOUR)
    world.sequence(NOW + 5 * HOUR + MINUTE)
    assert codes(world.admit(NOW + 6 * HOUR)) == set()


def test_a_service_under_the_deployers_distrusted_key_counts_if_the_ledger_saw_it_before() -> None:
    world = STAGED.spoiled()
    world.change_root(distrusted="deployer", since=NOW + 5 * HOUR + MINUTE)
    assert codes(world.admit(NOW + 6 * HOUR)) == set()
    stolen = STAGED.spoiled()
    stolen.change_root(distrusted="deployer", since=NOW + 5 * HOUR - MINUTE)
    assert codes(stolen.admit(NOW + 6 * HOUR)) == {C.ENVIRONMENT_NOT_SERVED_BEFORE}


def test_who_else_says_that_it_served_is_a_forger() -> None:
    world = APPROVED.spoiled()
    decision = world.decide(world.admit(environment="staging"), "staging")
    world.serve(decision, signer="builder")
    world.sequence(NOW + 4 * HOUR)
    assert codes(world.admit(NOW + 5 * HOUR)) == {C.ENVIRONMENT_NOT_SERVED_BEFORE, C.KEY_OF_WRONG_DUTY}


def test_staging_as_another_tier_of_the_same_bytes_is_not_the_staging_of_this_one() -> None:
    world = World(tier="high", environment="staging")
    world.pin()
    for gate in MEASURED:
        world.show(gate)
    world.sequence(NOW + HOUR)
    for person in ("approver-1", "approver-2"):
        world.approve(person)
    world.sequence(NOW + 2 * HOUR)
    world.serve(world.decide(world.admit(NOW + 3 * HOUR), at=NOW + 3 * HOUR))
    world.sequence(NOW + 3 * HOUR)
    world.tier, world.environment = "critical", "prod"
    world.pin()
    for gate in MEASURED:
        world.show(gate)
    world.sequence(NOW + 4 * HOUR)
    for person in ("approver-1", "approver-2"):
        world.approve(person, at=NOW + 4 * HOUR)
    world.sequence(NOW + 5 * HOUR)
    verdict = world.admit(NOW + 6 * HOUR)
    assert (verdict.tier, codes(verdict)) == ("critical", {C.ENVIRONMENT_NOT_SERVED_BEFORE})


def test_a_release_that_was_admitted_and_never_said_to_serve_is_told_apart_with_what_to_do() -> None:
    world = APPROVED.spoiled()
    (bare,) = world.admit(NOW + 6 * HOUR).reasons
    assert str(bare) == "it has not served in staging, which comes before prod"
    world.decide(world.admit(environment="staging"), "staging")
    world.sequence(NOW + 4 * HOUR)
    (reason,) = world.admit(NOW + 6 * HOUR).reasons
    assert reason.code is C.ENVIRONMENT_NOT_SERVED_BEFORE
    assert str(reason).endswith("while it has some in staging, interlock endpoint deploy or shift there says so")


def test_test_results_that_came_after_its_admission_stop_no_champion_and_every_new_admission() -> None:
    world = STAGED.spoiled()
    world.decide(world.admit(NOW + 6 * HOUR), at=NOW + 6 * HOUR)
    world.write(Predicate.TEST_RESULT, {"result": "FAILED"}, KEYS["builder"])
    assert codes(world.load()) == set()
    assert C.TEST_RESULT_DISAGREES in codes(world.admit(NOW + 8 * HOUR))
