"""What is ours is given to nobody else, and nothing that holds it is taken off unseen."""

from __future__ import annotations

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.proof import holding, keeping
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.property import OWNERS, Context, Violation
from interlock.duties.proof.prove import prove
from interlock.duties.proof.replay import disagreements
from interlock.duties.proof.scene import Scene
from interlock.duties.world import World
from tests.interlock.duties.landscapes import LAND, PEOPLE
from tests.interlock.duties.proof.lending import lendings, with_platform


@pytest.fixture(scope="module")
def world() -> World:
    return with_platform(duty_world(LAND, PEOPLE))


def refuting(world: World) -> Violation | None:
    scene = Scene(world)
    context = Context(scene, Closure(scene, OWNERS))
    claims = (*holding.PROPERTIES, *keeping.PROPERTIES)
    return next((found for claim in claims for found in claim.check(context)), None)


def test_what_is_ours_is_held_as_its_generators_write_it(world: World) -> None:
    assert {one.claim.name: one.violations for one in prove(world) if not one.holds} == {}


def test_whatever_is_given_away_is_shown_by_a_request(world: World) -> None:
    kinds: dict[str, list[World]] = {}
    for kind, _, changed in lendings(duty_world(LAND, PEOPLE)):
        kinds.setdefault(kind, []).append(changed)
    for kind, worlds in kinds.items():
        for changed in (worlds[0], worlds[-1]):
            found = refuting(changed)
            assert found is not None, kind
            assert found.calls, kind
            assert list(disagreements(found)) == [], kind


def test_an_account_that_is_none_of_ours_is_seen_behind_a_role_called_like_one_of_ours(world: World) -> None:
    bucket = next(one for one in world.resources if one.arn.endswith(":staging-primary"))
    role = f"arn:aws:iam::999999999999:role/{LAND.workload}"
    more = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "s3:Get*", "Resource": f"{bucket.arn}/*"}
    policy = {"Version": "2012-10-17", "Statement": [*(bucket.policy or {})["Statement"], more]}
    changed = bucket.model_copy(update={"policy": policy})
    resources = tuple(changed if one is bucket else one for one in world.resources)
    found = refuting(world.model_copy(update={"resources": resources}))
    assert found is not None
    assert "none of ours" in found.words
