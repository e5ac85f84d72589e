"""What a change newly permits is told, also where something else of the kind was permitted before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.differing import Newly, difference
from interlock.duties.world import NamedDocument, Principal, Resource, ResourceKind, World
from tests.interlock.duties.landscapes import LAND, PEOPLE
from tests.interlock.duties.proof.weakening import with_compute

FOREIGN = {"AWS": "arn:aws:iam::999999999999:root"}


@pytest.fixture(scope="module")
def world() -> World:
    return with_compute(duty_world(LAND, PEOPLE))


def vault(world: World) -> Resource:
    return next(one for one in world.of_kind(ResourceKind.BUCKET) if one.attributes.get("evidence") == "true")


def staging(world: World) -> Resource:
    return next(one for one in world.resources if one.arn in world.staging)


def builders_key(world: World) -> Resource:
    return next(one for one in world.of_kind(ResourceKind.KEY) if one.owner == "builder")


def with_policy(world: World, old: Resource, statements: list[dict[str, Any]]) -> World:
    changed = old.model_copy(update={"policy": {"Version": "2012-10-17", "Statement": statements}})
    return world.model_copy(update={"resources": tuple(changed if one is old else one for one in world.resources)})


def statements(one: Resource) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(json.dumps((one.policy or {})["Statement"]))
    return listed


def with_role(world: World, name: str, **update: Any) -> World:
    old = next(one for one in world.principals if one.name == f"interlock-prod-{name}")
    principals = tuple(one.model_copy(update=update) if one is old else one for one in world.principals)
    return world.model_copy(update={"principals": principals})


def trust_of(world: World, name: str) -> list[dict[str, Any]]:
    role = next(one for one in world.principals if one.name == f"interlock-prod-{name}")
    listed: list[dict[str, Any]] = json.loads(json.dumps((role.trust or {})["Statement"]))
    return listed


def newly(before: World, after: World) -> list[Newly]:
    """Return the difference, after asking the evaluator about each of its requests in both worlds."""
    found = difference(before, after)
    for one in found:
        if one.call is not None:
            asked, question = one.call.request(), one.call.question
            assert decide(asked, question.layers).allowed, one.words
            assert question.beyond is None or not decide(asked, question.beyond).allowed, one.words
    return found


def test_the_same_world_permits_nothing_newly(world: World) -> None:
    assert newly(world, world) == []


@pytest.mark.parametrize(
    ("of", "sid", "told"),
    [
        (vault, "DenyRemoval", "may now s3:DeleteObject on arn:aws:s3:::vault-primary/*"),
        (vault, "DenyShortRetention", "s3:object-lock-remaining-retention-days="),
        (vault, "DenyLongRetention", "s3:object-lock-remaining-retention-days="),
        (vault, "DenyOverwriting", "may now s3:PutObject on arn:aws:s3:::vault-primary/*"),
        (vault, "DenyBesidePrefixes", "may now s3:PutObject on arn:aws:s3:::vault-primary/*"),
        (vault, "DenyPlainTransport", "aws:securetransport=false"),
        (vault, "DenyOthersLocking", "may now s3:PutObjectRetention on arn:aws:s3:::vault-primary/*"),
        (staging, "DenyOthersNames", "may now s3:PutObject on arn:aws:s3:::staging-primary/*"),
        (builders_key, "DenyGrants", "may now kms:CreateGrant"),
    ],
)
def test_a_denial_that_is_gone_is_told_by_what_it_denied(
    world: World, of: Callable[[World], Resource], sid: str, told: str
) -> None:
    one = of(world)
    less = with_policy(world, one, [each for each in statements(one) if each["Sid"] != sid])
    assert any(told in each.words for each in newly(world, less))
    assert newly(less, world) == []


def test_a_denial_that_is_narrowed_is_told_by_a_request_that_it_now_spares(world: World) -> None:
    listed = statements(vault(world))
    next(one for one in listed if one["Sid"] == "DenyRemoval")["Condition"] = {
        "StringEquals": {"aws:PrincipalTag/on-duty": "no"}
    }
    found = newly(world, with_policy(world, vault(world), listed))
    assert any("may now s3:DeleteObject" in one.words for one in found)


def test_somebody_foreign_whom_a_resource_or_a_trust_newly_names_is_told(world: World) -> None:
    more = {"Sid": "Also", "Effect": "Allow", "Principal": FOREIGN, "Action": "s3:GetObject",
            "Resource": f"{vault(world).arn}/*"}  # fmt: skip
    found = newly(world, with_policy(world, vault(world), [*statements(vault(world)), more]))
    assert any(one.words.startswith("999999999999") and "s3:GetObject" in one.words for one in found)
    also = {"Sid": "Also", "Effect": "Allow", "Principal": FOREIGN, "Action": "sts:AssumeRole"}
    trusting = {"Version": "2012-10-17", "Statement": [*trust_of(world, "deployer"), also]}
    (one,) = newly(world, with_role(world, "deployer", trust=trusting))
    assert one.words.startswith("999999999999")
    assert "may now become arn:aws:iam::111122223333:role/interlock/duties/interlock-prod-deployer" in one.words


def test_a_service_that_is_newly_trusted_or_acts_for_others_is_told(world: World) -> None:
    also = {"Sid": "Also", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusting = {"Version": "2012-10-17", "Statement": [*trust_of(world, "deployer"), also]}
    words = [one.words for one in newly(world, with_role(world, "deployer", trust=trusting))]
    assert any(one.startswith("ec2.amazonaws.com may now become") for one in words)
    unasked = trust_of(world, "deployer")
    unasked[0].pop("Condition")
    (one,) = newly(world, with_role(world, "deployer", trust={"Version": "2012-10-17", "Statement": unasked}))
    assert one.words.endswith("for whoever asks it to")


def test_a_boundary_that_is_gone_or_wider_is_told(world: World) -> None:
    (one,) = newly(world, with_role(world, "break-glass", boundary=None))
    assert "is in no boundary any more" in one.words
    boundary = next(one for one in world.principals if one.name == "interlock-prod-auditor").boundary
    assert boundary is not None
    more = {"Sid": "More", "Effect": "Allow", "Action": "glue:GetTable", "Resource": "*"}
    document = {**boundary.document, "Statement": [*boundary.document["Statement"], more]}
    wider = boundary.model_copy(update={"document": document})

    def changed(one: Principal) -> Principal:
        return one.model_copy(update={"boundary": wider}) if one.boundary == boundary else one

    principals = tuple(changed(one) for one in world.principals)
    boundaries = tuple(wider if one == boundary else one for one in world.boundaries)
    found = newly(world, world.model_copy(update={"principals": principals, "boundaries": boundaries}))
    assert any("may now glue:GetTable" in one.words and "inside of" in one.words for one in found)


def test_a_right_that_no_document_names_in_full_is_told(world: World) -> None:
    auditor = next(one for one in world.principals if one.name == "interlock-prod-auditor")
    statement = {"Sid": "More", "Effect": "Allow", "Action": "glue:Get*", "Resource": "*"}
    more = NamedDocument(name="more", document={"Version": "2012-10-17", "Statement": [statement]})
    loose = with_role(world, "auditor", boundary=None)
    wider = with_role(loose, "auditor", identity=(*auditor.identity, more))
    assert any("may now glue:get" in one.words for one in newly(loose, wider))
