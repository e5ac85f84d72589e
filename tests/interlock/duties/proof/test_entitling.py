"""No duty's role can do more than the table of duties gives it, and may well do less."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.entitling import PROPERTIES
from interlock.duties.proof.property import OWNERS, Context, Violation
from interlock.duties.proof.scene import Scene
from interlock.duties.world import World
from tests.interlock.duties.landscapes import LAND, PEOPLE
from tests.interlock.duties.proof.widening import widenings

CLAIMS = {one.name: one for one in PROPERTIES}
SERVICES = CLAIMS["services-stay-within"]


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, PEOPLE)


def refuting(world: World) -> list[Violation]:
    scene = Scene(world)
    return list(CLAIMS["no-more-than-the-table"].check(Context(scene, Closure(scene, OWNERS))))


def test_a_boundary_of_services_that_allows_more_than_they_need_is_shown_by_a_request(world: World) -> None:
    assert list(SERVICES.check(Context(Scene(world), Closure(Scene(world), OWNERS)))) == []
    wider = [(name, changed) for kind, name, changed in widenings(world) if kind == "widen a boundary of services"]
    assert wider
    for name, changed in wider:
        scene = Scene(changed)
        found = next(iter(SERVICES.check(Context(scene, Closure(scene, OWNERS)))), None)
        assert found is not None, name
        assert found.call is not None
        assert decide(found.call.request(), found.call.question.layers).allowed


def test_every_action_on_the_names_of_keys_is_more_than_the_known_ones(world: World) -> None:
    wider = [one for kind, name, one in widenings(world) if kind == "widen to every action" and "NameKeys" in name]
    assert wider
    assert all(map(refuting, wider))


def with_statement(world: World, duty: str, sid: str, change: Callable[[dict[str, Any]], object]) -> World:
    role = next(world.of_duty(duty))
    document = copy.deepcopy(role.identity[0].document)
    change(next(one for one in document["Statement"] if one["Sid"] == sid))
    identity = (role.identity[0].model_copy(update={"document": document}), *role.identity[1:])
    changed = role.model_copy(update={"identity": identity})
    return world.model_copy(update={"principals": tuple(changed if one is role else one for one in world.principals)})


def with_boundary(world: World, duty: str, change: Callable[[list[dict[str, Any]]], object]) -> World:
    role = next(world.of_duty(duty))
    assert role.boundary is not None
    document = copy.deepcopy(role.boundary.document)
    change(document["Statement"])
    changed = role.model_copy(update={"boundary": role.boundary.model_copy(update={"document": document})})
    return world.model_copy(update={"principals": tuple(changed if one is role else one for one in world.principals)})


def test_a_role_that_moves_traffic_of_every_endpoint_is_shown_at_one_that_is_not_its_own(world: World) -> None:
    wide = with_statement(world, "break-glass", "MoveTraffic", lambda one: one.update(Resource="*"))
    (found,) = refuting(wide)
    assert found.call is not None
    assert found.denied is not None
    assert found.call.action.startswith("sagemaker:")
    assert "interlock-prod-credit" not in found.call.resource
    assert decide(found.call.request(), found.call.question.layers).allowed
    assert not decide(found.denied.request, found.denied.layers).allowed


def test_a_condition_that_is_gone_is_shown_by_a_request_that_it_would_have_refused(world: World) -> None:
    free = with_statement(world, "approver", "Sign", lambda one: one.pop("Condition"))
    (found,) = refuting(free)
    assert found.call is not None
    assert found.call.action == "kms:Sign"
    assert not any(alias.startswith("alias/interlock-prod-approver-")
                   for alias in found.call.context.get("kms:resourcealiases", ()))  # fmt: skip


def test_an_action_that_only_the_boundary_would_keep_back_is_found_as_well(world: World) -> None:
    wide = with_statement(world, "creator", "FindStack", lambda one: one.update(Action="ssm:*"))
    (found,) = refuting(wide)
    assert found.call is not None
    assert found.call.session is not None
    assert "without its boundary" in str(found.call.session)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(Resource=one["Resource"][:1]),
        lambda one: one.update(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        lambda one: one.update(Sid="CalledOtherwise"),
        lambda one: one.update(Action=[one["Action"], one["Action"].lower()]),
    ],
)
def test_less_than_the_table_gives_is_no_more(world: World, change: Callable[[dict[str, Any]], object]) -> None:
    assert refuting(with_statement(world, "creator", "FindStack", change)) == []


def test_a_part_of_what_a_pattern_of_the_table_names_is_no_more(world: World) -> None:
    def narrow(one: dict[str, Any]) -> None:
        listed = one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]
        one["Resource"] = [each.replace("*", "some") for each in listed]

    assert refuting(with_statement(world, "creator", "Submit", narrow)) == []


def test_a_boundary_that_lost_a_denial_is_shown_by_what_it_denied(world: World) -> None:
    def drop(listed: list[dict[str, Any]]) -> None:
        listed[:] = [one for one in listed if one["Sid"] != "DenyTraffic"]

    (found,) = refuting(with_boundary(world, "platform", drop))
    assert found.call is not None
    assert found.call.action == "sagemaker:UpdateEndpoint"


@pytest.mark.parametrize(
    ("duty", "sid", "action"),
    [
        ("platform", "DenyImages", "ecr:DeleteRegistryPolicy"),
        ("platform", "DenyKeys", "kms:DeleteImportedKeyMaterial"),
        ("foundation", "DenyOtherIdentities", "iam:UpdateSAMLProvider"),
    ],
)
def test_an_action_that_only_the_table_s_own_boundary_names_is_missed(
    world: World, duty: str, sid: str, action: str
) -> None:
    changed = with_boundary(
        world, duty, lambda listed: next(one for one in listed if one["Sid"] == sid)["Action"].remove(action)
    )
    (found, *_) = refuting(changed)
    assert f"can {action} on " in found.words
