"""What the pins of a release demand, whoever asked first."""

from __future__ import annotations

import pytest

from interlock.release.demanded import terms_in
from interlock.release.request import Tier
from interlock.release.verification.readings import read
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import World


@pytest.mark.parametrize("number", range(4))
def test_pins_that_demand_the_same_are_one_and_each_name_and_environment_is_kept(number: int) -> None:
    # The order of pins is that of their digests.
    world = World(builder=f"pipeline-{number}")
    world.pin(name="loans")
    world.pin(name="loans", ticket="CHG-2")
    world.pin(name="loans", ticket="CHG-3", environment="staging")
    world.pin(name="fresh", ticket="CHG-4")
    trust = world.trust(NOW)
    pins = [one.what for one in read(world.record(), trust.root).pins]
    (demanded,) = terms_in(pins, trust.policies, trust.policy_in_force)
    asked = [one.request.document for one in demanded.pins if one.request]
    assert sorted((one.name, one.environment) for one in asked) == [
        ("fresh", "prod"),
        ("loans", "prod"),
        ("loans", "staging"),
    ]


def test_another_tier_demands_something_else() -> None:
    world = World()
    world.pin()
    world.pin(tier=Tier.CRITICAL, ticket="CHG-2")
    trust = world.trust(NOW)
    pins = [one.what for one in read(world.record(), trust.root).pins]
    assert [one.tier for one in terms_in(pins, trust.policies, trust.policy_in_force)] == ["critical", "high"]
