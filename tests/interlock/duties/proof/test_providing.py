"""What services run on is kept from none of them: a policy that shuts everybody out is named, with who is shut out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.prove import prove
from interlock.duties.proof.providing import PROPERTIES
from interlock.duties.world import Compute, NamedDocument, Principal, Resource, ResourceKind, World
from tests.interlock.duties.landscapes import LAND, PEOPLE, WORKLOAD
from tests.interlock.duties.proof.lending import with_platform

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DENY_ALL = {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": "*"}
START = f"arn:aws:iam::{WORKLOAD}:role/interlock/services/tracking-task-start-role-1234567"
ROTATION = f"arn:aws:iam::{WORKLOAD}:role/interlock/services/database-credentials-role-1234567"


def service(arn: str, document: dict[str, Any] = EVERYTHING) -> Principal:
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return Principal(
        arn=arn,
        trust={"Version": "2012-10-17", "Statement": [trust]},
        identity=(NamedDocument(name="own", document=document),),
    )


def whole(*services: Principal) -> World:
    made = with_platform(duty_world(LAND, PEOPLE))
    images = tuple(one.arn for one in made.of_kind(ResourceKind.REPOSITORY))
    runs = Compute(
        arn=f"arn:aws:ecs:eu-west-1:{WORKLOAD}:task-definition/tracking:1", service="ecs",
        role_arns=tuple(one.arn for one in services), images=images,
    )  # fmt: skip
    bucket = Resource(arn="arn:aws:s3:::artifacts-store-bucket-1", kind=ResourceKind.BUCKET, account_id=WORKLOAD)
    return made.model_copy(
        update={
            "principals": (*made.principals, *services),
            "compute": (*made.compute, runs),
            "resources": (*made.resources, bucket),
        }
    )


@pytest.fixture(scope="module")
def world() -> World:
    return whole(service(START), service(ROTATION))


def shut(world: World, old: Resource, denial: dict[str, Any] | None = None) -> World:
    resources = [old.arn, f"{old.arn}/*"] if old.kind is ResourceKind.BUCKET else "*"
    more = {**DENY_ALL, "Resource": resources} if old.kind is not ResourceKind.REPOSITORY else DENY_ALL
    policy = json.loads(json.dumps(old.policy or {"Version": "2012-10-17", "Statement": []}))
    policy["Statement"].append(denial or more)
    changed = old.model_copy(update={"policy": policy})
    return world.model_copy(update={"resources": tuple(changed if one is old else one for one in world.resources)})


def told(world: World) -> list[str]:
    (outcome,) = prove(world, PROPERTIES)
    for one in outcome.violations:
        assert one.denied is not None
        assert not decide(one.denied.request, one.denied.layers).allowed
    return [one.words for one in outcome.violations]


def test_services_that_are_let_refute_nothing(world: World) -> None:
    assert told(world) == []


def services_things(world: World) -> list[Resource]:
    """Return images, secrets, functions, the platform's key and the store of artifacts."""
    kinds = (ResourceKind.REPOSITORY, ResourceKind.SECRET, ResourceKind.FUNCTION)
    found = [one for one in world.resources if one.kind in kinds]
    return [
        *found,
        *(one for one in world.resources if one.arn.endswith((":key/platform", ":artifacts-store-bucket-1"))),
    ]


def test_whatever_shuts_out_everybody_is_named(world: World) -> None:
    things = services_things(world)
    assert {one.kind for one in things} >= {ResourceKind.KEY, ResourceKind.BUCKET, ResourceKind.SECRET}
    for one in things:
        assert any(one.arn in words for words in told(shut(world, one))), one.arn


def test_a_service_that_is_let_call_a_function_for_others_only_is_named(world: World) -> None:
    function = next(world.of_kind(ResourceKind.FUNCTION))
    denial = {"Sid": "NotUs", "Effect": "Deny", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "*",
              "Condition": {"StringEquals": {"aws:SourceAccount": WORKLOAD}}}  # fmt: skip
    (words,) = told(shut(world, function, denial))
    assert words.startswith("secretsmanager.amazonaws.com cannot lambda:InvokeFunction")


def test_a_service_whose_own_policies_do_not_give_it_a_thing_misses_nothing() -> None:
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
    assert told(whole(service(START, nothing), service(ROTATION, nothing))) == []
