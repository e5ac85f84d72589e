"""The documents that will be deployed, proved whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator.policy import NotModelled, PolicyError
from interlock.duties.proof.prove import PROPERTIES, prove
from interlock.duties.world import World, read_world
from interlock.failures import BadInput
from tests.interlock.duties.landscapes import LAND, PEOPLE
from tests.interlock.duties.proof.weakening import with_compute


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, PEOPLE)


def test_every_claim_holds_of_the_documents_as_they_are_written(world: World) -> None:
    refuted = {one.claim.name: [v.words for v in one.violations] for one in prove(world) if not one.holds}
    assert refuted == {}
    assert len({one.name for one in PROPERTIES}) == len(PROPERTIES)


def test_every_claim_holds_where_their_code_runs_and_their_images_lie(world: World) -> None:
    whole = with_compute(world)
    assert [one.claim.name for one in prove(whole) if not one.holds] == []


def test_a_world_survives_being_written_and_read(world: World) -> None:
    again = read_world(world.to_json(), "world.json")
    assert again == world
    assert again.digests() == world.digests()


def test_what_is_no_world_is_refused_with_every_wrong_field() -> None:
    with pytest.raises(BadInput) as refused:
        read_world('{"accounts": [{"id": "12"}], "people": 3}', "world.json")
    assert len(refused.value.reasons) == 2
    assert "accounts.0.id: received '12'" in refused.value.reasons[0]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("tasks.0.action: received 'nocolon'", {"tasks": [{"principal": "arn:aws:iam::111122223333:role/a", "name": "act",
                                                       "action": "nocolon", "resource": "*"}]}),
    ("forbidden.0.principal: received 'a'", {"forbidden": [{"principal": "a", "name": "act", "action": "s3:GetObject",
                                                            "resource": "*"}]}),
    ("compute.0.arn: received 'a'", {"compute": [{"arn": "a", "service": "ecs", "role_arns": []}]}),
    ("compute.0.role_arns.0: received 'a'", {"compute": [
        {"arn": "arn:aws:ecs:eu-west-1:111122223333:service/a", "service": "ecs", "role_arns": ["a"]}]}),
    ("minimum_retention_days: received -5", {"minimum_retention_days": -5}),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "fields"), WRONG, ids=[reason for reason, _ in WRONG])
def test_a_field_that_nothing_could_be_proved_with_is_named(reason: str, fields: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        read_world(json.dumps({"accounts": [{"id": "111122223333"}], **fields}), "world.json")
    (found,) = refused.value.reasons
    assert found.startswith(reason)


def test_a_world_in_which_no_duties_exclude_each_other_is_refused(world: World) -> None:
    with pytest.raises(BadInput, match=r"world\.json: exclusions: received none"):
        read_world(world.model_copy(update={"exclusions": ()}).to_json(), "world.json")


def test_an_allowance_of_all_but_some_names_its_document(world: World) -> None:
    approver = next(world.of_duty("approver"))
    but = {"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/x"}, "Action": "sts:AssumeRole"}
    trust = {**(approver.trust or {}), "Statement": [*(approver.trust or {})["Statement"], but]}
    loose = approver.model_copy(update={"trust": trust})
    principals = tuple(loose if one is approver else one for one in world.principals)
    with pytest.raises(NotModelled, match=f"{approver.arn}: trust policy: .*NotPrincipal with Allow"):
        prove(world.model_copy(update={"principals": principals}))


def test_somebody_with_duties_that_exclude_each_other_is_refused(world: World) -> None:
    both = [
        one.model_copy(update={"duties": ("approver", "creator")}) if one.name == "approver-1" else one
        for one in world.people
    ]
    text = world.model_copy(update={"people": tuple(both)}).to_json()
    with pytest.raises(BadInput, match="duties that nobody may have together") as refused:
        read_world(text, "world.json")
    assert refused.value.reasons == (
        "people.approver-1.duties: received approver and creator, which exclude each other; accepted is one of them",
    )


def test_documents_of_one_name_have_a_digest_each(world: World) -> None:
    first, *rest = world.principals
    another = first.identity[0].model_copy(update={"document": {"Version": "2012-10-17", "Statement": []}})
    twice = first.model_copy(update={"identity": (*first.identity, another)})
    digests = world.model_copy(update={"principals": (twice, *rest)}).digests()
    assert len(digests) == len(world.digests()) + 1


def changed(world: World, **condition: object) -> World:
    first, *rest = world.principals
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    identity = (first.identity[0].model_copy(update={"document": document}),)
    return world.model_copy(update={"principals": (first.model_copy(update={"identity": identity}), *rest)})


def test_an_operator_that_is_not_modelled_is_one_message_and_no_proof(world: World) -> None:
    with pytest.raises(NotModelled, match="'StringSounds' is not modelled"):
        prove(changed(world, StringSounds={"aws:username": "ann"}))


def test_a_malformed_policy_is_one_message_and_no_proof(world: World) -> None:
    with pytest.raises(PolicyError, match=r"Condition: received .*; accepted is an object of operators"):
        prove(changed(world, StringEquals=3))
