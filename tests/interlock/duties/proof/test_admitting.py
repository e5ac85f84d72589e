"""Whoever has a duty comes into its roles, and each service into those that it runs under."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator.decision import decide
from interlock.duties.proof import demanding
from interlock.duties.proof.admitting import PROPERTIES
from interlock.duties.proof.property import Violation
from interlock.duties.proof.prove import prove
from interlock.duties.table_world import with_table
from interlock.duties.world import Principal, World
from tests.interlock.duties.landscapes import LAND, PEOPLE, WORKLOAD

DENIAL = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "sts:*"}


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, PEOPLE)


def refuting(world: World) -> list[str]:
    (outcome,) = prove(world, PROPERTIES)
    for violation in outcome.violations:
        assert violation.denied is not None
        assert not decide(violation.denied.request, violation.denied.layers).allowed
    return [said(one) for one in outcome.violations]


def said(violation: Violation) -> str:
    assert violation.denied is not None
    return f"{violation.words}: {violation.denied.request.action}"


def trusting(world: World, role: Principal, statements: list[dict[str, Any]]) -> World:
    changed = role.model_copy(update={"trust": {"Version": "2012-10-17", "Statement": statements}})
    return world.model_copy(update={"principals": tuple(changed if one is role else one for one in world.principals)})


def statements_of(role: Principal) -> list[dict[str, Any]]:
    return list((role.trust or {})["Statement"])


def home(world: World, duty: str, account: str = WORKLOAD) -> Principal:
    return next(one for one in world.of_duty(duty) if one.account_id == account)


def test_all_whom_the_documents_let_in_come_in(world: World) -> None:
    assert refuting(world) == []


def test_a_trust_that_denies_everybody_is_shown_by_each_person_who_has_the_duty(world: World) -> None:
    role = home(world, "foundation")
    found = refuting(trusting(world, role, [*statements_of(role), DENIAL]))
    # Without the account that they come into, nobody of them goes on to the other.
    assert [one.partition(",")[0] for one in found] == ["foundation-1", "foundation-2"] * 2
    assert all(one.endswith("sts:AssumeRole") for one in found)


def test_one_approver_who_is_locked_out_is_named_although_the_other_comes_in(world: World) -> None:
    (role,) = world.of_duty("approver")
    rest = [one for one in statements_of(role) if one["Sid"] != "Person2"]
    (found,) = refuting(trusting(world, role, rest))
    assert found.startswith("approver-2, who has the duty approver, cannot come into interlock-prod-approver")


def test_nobody_comes_in_who_may_not_bear_their_name(world: World) -> None:
    role = home(world, "auditor")
    rest = [one for one in statements_of(role) if one["Action"] != ["sts:SetSourceIdentity"]]
    rest = [one for one in rest if "SetSourceIdentity" not in str(one["Action"])]
    (found,) = refuting(trusting(world, role, rest))
    assert found.endswith("sts:SetSourceIdentity")


def test_a_service_that_is_trusted_for_another_account_runs_nothing_of_ours(world: World) -> None:
    role = home(world, "deployer")
    (one,) = statements_of(role)
    elsewhere = {**one, "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}}}
    (found,) = refuting(trusting(world, role, [elsewhere]))
    assert found.startswith("ecs-tasks.amazonaws.com cannot come into interlock-prod-deployer")


def test_a_pipeline_of_another_repository_than_is_trusted_is_locked_out(world: World) -> None:
    people = tuple(
        one.model_copy(update={"ways": tuple(
            way.model_copy(update={"context": {**way.context, key: ("repo:owner/others:ref:refs/heads/main",)}})
            for way in one.ways for key in way.context if key.endswith(":sub")
        )}) if one.kind == "pipeline" else one
        for one in world.people
    )  # fmt: skip
    (found,) = refuting(world.model_copy(update={"people": people}))
    assert found.startswith("release, who has the duty builder, cannot come into interlock-prod-builder")


def test_a_role_of_a_service_that_lets_its_service_in_no_longer_is_named(world: World) -> None:
    trust = {"Sid": "Run", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
             "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": WORKLOAD}}}  # fmt: skip
    role = Principal(arn=f"arn:aws:iam::{WORKLOAD}:role/interlock/services/worker", trust={})
    whole = world.model_copy(update={"principals": (*world.principals, role)})
    assert refuting(trusting(whole, role, [trust])) == []
    (found,) = refuting(trusting(whole, role, [trust, DENIAL]))
    assert found.startswith("no service that worker trusts can come into it")


@pytest.mark.parametrize("tags", [{}, {"interlock:duty": "foundation"}])
def test_a_role_of_the_table_keeps_its_duty_whatever_its_tag_says_and_is_named(
    world: World, tags: dict[str, str]
) -> None:
    role = home(world, "responder")
    changed = role.model_copy(update={"tags": tags, "duty": tags.get("interlock:duty")})
    principals = tuple(changed if one is role else one for one in world.principals)
    read = with_table(world.model_copy(update={"principals": principals}), LAND)
    assert {one.arn: one.duty for one in read.principals} == {one.arn: one.duty for one in world.principals}
    (found,) = [one for one in demanding.PROPERTIES if one.name == "what-is-demanded-is-there"]
    assert prove(world, [found])[0].holds
    (violation,) = prove(read, [found])[0].violations
    assert violation.words.startswith(role.arn)


def test_a_tag_makes_no_role_outside_of_the_path_of_duties_a_duty_s(world: World) -> None:
    arn = f"arn:aws:iam::{WORKLOAD}:role/interlock/services/worker"
    role = Principal(arn=arn, duty="foundation", tags={"interlock:duty": "foundation"})
    read = with_table(world.model_copy(update={"principals": (*world.principals, role)}), LAND)
    found = read.principal(arn)
    assert found is not None
    assert found.duty is None
