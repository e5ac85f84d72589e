"""Under which policy a release was admitted: the one of the root that was published then, whatever the root says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from interlock.release.audit import verify
from interlock.release.tiers import TiersPolicy, parse_policy
from interlock.release.trust.published import policy_key, root_key
from tests.interlock.release.audit.tampering.case import bases, library_codes, program_codes
from tests.interlock.release.audit.world import (
    DAY,
    HOUR,
    POLICY,
    START,
    MemoryBundle,
    World,
    agreed,
    first_root,
    sealed_root,
)

RELEASED = bases()["released"]
OTHER = parse_policy(POLICY.replace("approval_days: 14", "approval_days: 13").encode())
DECIDED = RELEASED.now - HOUR


def publish(world: World, issued_at: datetime, policy: TiersPolicy = OTHER) -> None:
    changes = {"version": 2, "previous": world.root.fingerprint, "issued_at": issued_at}
    root = world.root.model_copy(update={**changes, "policies": {"tiers": policy.digest}})
    world.vault.add_version(policy_key(policy.digest), policy.content)
    world.vault.add_version(root_key(2), sealed_root(root))


def approved() -> World:
    """A release that could be admitted, and was not yet."""
    world = bases()["half"]
    world.approve("approver-2")
    world.sequence()
    return world


def codes(world: World) -> tuple[set[str], set[str]]:
    fingerprint = world.root.fingerprint
    return library_codes(world, fingerprint), program_codes(world, fingerprint)


def test_a_root_that_was_drafted_before_a_decision_and_published_after_it_condemns_nothing() -> None:
    world = RELEASED.copy()
    publish(world, issued_at=DECIDED - HOUR)
    world.sequence()
    assert program_codes(world, world.root.fingerprint) == set()


def test_a_root_that_dates_itself_after_its_publication_is_in_force_from_its_publication() -> None:
    world = approved()
    publish(world, issued_at=world.now + 10 * DAY)
    world.sequence()
    world.decide()
    world.sequence()
    assert codes(world) == ({"policy-superseded"}, {"policy-superseded"})


@pytest.mark.parametrize("before", [timedelta(minutes=1), timedelta(minutes=58)])
def test_between_the_last_checkpoint_without_a_root_and_its_entry_either_policy_may_have_been_in_force(
    before: timedelta,
) -> None:
    world = approved()
    publish(world, issued_at=START)
    world.decide(at=world.now - before)
    world.sequence()
    assert program_codes(world, world.root.fingerprint) == set()


def test_a_root_that_no_log_has_supersedes_what_is_not_decided_and_is_told_of() -> None:
    world = approved()
    publish(world, issued_at=world.now - HOUR)
    assert codes(world) == ({"policy-superseded"}, {"policy-superseded"})
    report = verify.Verifier(MemoryBundle(world.bundle()), world.root.fingerprint).verify()
    assert any("version 2 of the trust root was published" in one for one in report.unknown)
    decided = RELEASED.copy()
    publish(decided, issued_at=START)
    assert program_codes(decided, decided.root.fingerprint) == set()


def test_nothing_is_admitted_under_a_root_that_had_expired() -> None:
    world = World()
    world.root = first_root(world.policy, expires_at=START + 3 * HOUR)
    world.vault.objects[root_key(1)] = [("v", sealed_root(world.root))]
    agreed(world)
    world.decide()
    world.sequence()
    assert codes(world) == ({"root-refused"}, {"root-refused"})
