"""What only begins like a prefix of the vault is a place where nobody looks."""

from __future__ import annotations

import copy
from typing import Any

from interlock.duties.duty_world import duty_world
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.keeping import PROPERTIES
from interlock.duties.proof.property import OWNERS, Context, Violation
from interlock.duties.proof.scene import Scene
from interlock.duties.world import ResourceKind, World
from tests.interlock.duties.landscapes import LAND, PEOPLE


def refuted(world: World) -> list[Violation]:
    scene = Scene(world)
    context = Context(scene, Closure(scene, OWNERS))
    return [found for claim in PROPERTIES for found in claim.check(context)]


def test_a_denial_that_leaves_out_what_begins_like_a_prefix_is_found() -> None:
    world = duty_world(LAND, PEOPLE)
    vault = next(one for one in world.of_kind(ResourceKind.BUCKET) if one.attributes.get("evidence") == "true")
    policy: dict[str, Any] = copy.deepcopy(vault.policy or {})
    (beside,) = [one for one in policy["Statement"] if one.get("Sid") == "DenyBesidePrefixes"]
    beside["NotResource"] = [one.replace("/decisions/*", "/decision*") for one in beside["NotResource"]]
    loose = vault.model_copy(update={"policy": policy})
    resources = tuple(loose if one is vault else one for one in world.resources)
    found = refuted(world.model_copy(update={"resources": resources}))
    assert [one for one in found if "write where nobody looks" in one.words]
    assert all("/decision" in one.call.resource for one in found if one.call is not None)
