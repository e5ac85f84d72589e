"""What has to have served elsewhere first: admission and verify.py say the same of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from interlock.release.predicates import Predicate
from interlock.release.record import gather
from interlock.release.tiers import parse_policy
from interlock.release.verification.judging import Verdict, admit
from interlock.release.verification.logs import read_logs
from interlock.release.verification.trust import read_trust
from tests.interlock.release.audit.tampering.case import STAGING, TWO_STEPS
from tests.interlock.release.audit.world import HOUR, MEASURED, POLICY, World, agreed, judged

BEFORE = "environment-not-served-before"
STEPS = ("dev", STAGING)
THREE_STEPS = parse_policy(
    POLICY.replace("    retention_days", f"    environments: [{', '.join(STEPS)}]\n    retention_days").encode()
)


def approved(*environments: str) -> World:
    world = World(policy=TWO_STEPS)
    world.pin()
    for gate, value in MEASURED.items():
        world.measure(gate, value)
    world.sequence()
    for environment in environments:
        for person in ("approver-1", "approver-2"):
            world.approve(person, environment=environment)
    world.sequence()
    return world


BOTH = approved(STAGING, "prod")
PROD = approved("prod")


def claim(world: World, **changes: Any) -> None:
    world.serve(world.decide(**{"environment": STAGING, **changes}), STAGING)


def approve_after_it_served(world: World) -> None:
    claim(world)
    world.sequence()
    for person in ("approver-1", "approver-2"):
        world.approve(person, environment=STAGING)


def admit_what_was_rejected_then(world: World) -> None:
    rejection = world.act(Predicate.REJECTION, "approver-3", "rejected_at")
    world.sequence()
    claim(world)
    world.sequence()
    payload = rejection.rpartition("/")[2].removesuffix(".dsse.json")
    world.act(Predicate.WITHDRAWAL, "approver-3", "withdrawn_at", withdrawn=payload)


@pytest.mark.parametrize(
    ("start", "done", "expected"),
    [
        (BOTH, claim, set()),
        (BOTH, lambda w: w.decide(environment=STAGING), {BEFORE}),
        (BOTH, lambda w: w.serve(f"decisions/x/{'0' * 64}.dsse.json", STAGING), {BEFORE}),
        (BOTH, lambda w: claim(w, inputs=[]), {BEFORE}),
        (BOTH, lambda w: claim(w, inputs=w.record().pins), {BEFORE}),
        (BOTH, lambda w: claim(w, inputs=[*w.record().evidence, *w.record().acts]), {BEFORE}),
        (BOTH, lambda w: claim(w, passed=False), {BEFORE}),
        (BOTH, lambda w: claim(w, tier="critical"), {BEFORE}),
        (BOTH, lambda w: w.serve(w.decide(environment=STAGING), "prod"), {BEFORE}),
        (BOTH, admit_what_was_rejected_then, {BEFORE}),
        (PROD, claim, {BEFORE}),
        (PROD, approve_after_it_served, {BEFORE}),
    ],
)
def test_both_judges_ask_for_a_decision_that_held_and_for_a_service_that_began(
    start: World, done: Callable[[World], object], expected: set[str]
) -> None:
    world = start.copy()
    done(world)
    world.sequence()
    verdict = world.verdict()
    assert {one.code.value for one in verdict.reasons} == expected
    world.decide(inputs=verdict.rests_on)
    world.sequence()
    assert (BEFORE in judged(world.bundle(), world.root.fingerprint)) is bool(expected)


def found(world: World, environment: str) -> Verdict:
    """What the library says of admitting the release to an environment now."""
    trust = read_trust(world.vault, world.root.fingerprint, now=world.now)
    record = gather(world.vault, world.digest, trust.public_keys())
    logs, unread = read_logs(world.vault, trust.root, world.digest)
    return admit(record, world.vault, trust, logs, environment=environment, now=world.now, unread=unread)


@pytest.mark.parametrize("skipped", ["", *STEPS])
def test_each_environment_on_the_way_is_judged_by_what_its_own_decision_rested_on(skipped: str) -> None:
    world = World(policy=THREE_STEPS)
    agreed(world)
    for environment in (*STEPS, "prod"):
        for person in ("approver-1", "approver-2"):
            world.approve(person, environment=environment)
        world.sequence()
        verdict = found(world, environment)
        decision = world.decide(environment=environment, inputs=verdict.rests_on)
        if environment not in (skipped, "prod"):
            world.serve(decision, environment)
        world.sequence()
    assert {one.code.value for one in verdict.reasons} == ({BEFORE} if skipped else set())
    assert judged(world.bundle(), world.root.fingerprint) == ({BEFORE} if skipped else set())
    told = {one.code.value for one in found(world, "prod").notes if one.where.startswith("decisions/")}
    assert told == ({BEFORE} if skipped else set())


def test_a_record_of_two_steps_that_went_well_holds_offline() -> None:
    world = BOTH.copy()
    claim(world)
    world.sequence()
    world.decide(inputs=world.verdict().rests_on)
    world.sequence()
    assert judged(world.bundle(), world.root.fingerprint) == set()


def test_a_release_has_not_served_by_a_decision_that_is_dated_back_until_it_is_decided_anew() -> None:
    world = BOTH.copy()
    claim(world, at=world.now - 2 * HOUR)
    world.sequence()
    assert {one.code.value for one in world.verdict().reasons} == {BEFORE}
    assert judged(world.bundle(), world.root.fingerprint) == {BEFORE, "statement-backdated"}
    claim(world)
    world.sequence()
    assert not world.verdict().reasons
    assert judged(world.bundle(), world.root.fingerprint) == set()
