"""Every way from one duty to another is found, in worlds small enough to see it."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.duties.world import Principal
from tests.interlock.duties.proof.worlds import (
    ACCOUNT,
    allow,
    arn,
    as_user,
    deny,
    refutations,
    role,
    task,
    trust,
    user,
    world,
)

ANN = user("ann")
APPROVER = role("approver", trust(as_user("ann")), duty="approver")
BY_ECS = trust({"Service": "ecs-tasks.amazonaws.com"})
DEPLOYER = role("deployer", BY_ECS, duty="deployer")


def helper(*statements: dict[str, Any]) -> Principal:
    return role("helper", trust(as_user("ann")), *statements)


def test_two_duties_without_a_way_between_them_are_proved_apart() -> None:
    assert refutations(world(APPROVER, DEPLOYER, people=[ANN]), "duties-exclude") == ()


WAYS: dict[str, list[dict[str, Any]]] = {
    "passing it to a new task": [allow(["iam:PassRole", "ecs:RunTask"])],
    "its trust policy": [allow("iam:UpdateAssumeRolePolicy", arn("deployer"))],
    "a role of one's own making": [allow(["iam:CreateRole", "iam:PutRolePolicy"])],
    "an image that it runs": [allow("ecr:PutImage", f"arn:aws:ecr:*:{ACCOUNT}:repository/controller")],
    "the policy of that image's repository": [allow("ecr:SetRepositoryPolicy")],
    "a shell in its task": [allow("ecs:ExecuteCommand")],
    "widening oneself": [allow("iam:PutRolePolicy", arn("helper"))],
}


@pytest.mark.parametrize("statements", WAYS.values(), ids=WAYS)
def test_a_second_duty_is_reached_by(statements: list[dict[str, Any]]) -> None:
    found = refutations(
        world(
            APPROVER,
            DEPLOYER,
            helper(*statements),
            people=[ANN],
            compute=(task("controller", "deployer", "controller"),),
        ),
        "duties-exclude",
    )
    assert len(found) == 1
    assert found[0].chain[-1].to.arn == DEPLOYER.arn


def test_a_chain_of_assumed_roles_is_followed_to_its_end() -> None:
    first = role("first", trust(as_user("ann")), allow("sts:AssumeRole"))
    second = role("second", trust({"AWS": arn("first")}), allow("sts:AssumeRole"))
    last = role("last", trust({"AWS": arn("second")}), duty="deployer")
    found = refutations(world(APPROVER, first, second, last, people=[ANN]), "duties-exclude")
    assert [step.to.arn for step in found[0].chain] == [arn("approver"), arn("first"), arn("second"), arn("last")]


def test_a_denial_anywhere_cuts_the_chain() -> None:
    first = role("first", trust(as_user("ann")), allow("sts:AssumeRole"), deny("sts:AssumeRole", arn("deployer")))
    last = role("deployer", trust({"AWS": arn("first")}), allow("s3:ListBucket"), duty="deployer")
    assert refutations(world(APPROVER, first, last, people=[ANN]), "duties-exclude") == ()


def test_a_boundary_cuts_the_chain() -> None:
    boundary = {"Version": "2012-10-17", "Statement": [allow("s3:*")]}
    passing = role("helper", trust(as_user("ann")), allow(["iam:PassRole", "ecs:RunTask"]), boundary=boundary)
    assert refutations(world(APPROVER, DEPLOYER, passing, people=[ANN]), "duties-exclude") == ()


def test_passing_to_another_service_than_the_role_trusts_leads_nowhere() -> None:
    only_lambda = allow("iam:PassRole", "*", StringEquals={"iam:PassedToService": "lambda.amazonaws.com"})
    statements = [only_lambda, allow("ecs:RunTask")]
    assert refutations(world(APPROVER, DEPLOYER, helper(*statements), people=[ANN]), "duties-exclude") == ()


def test_a_token_of_another_subject_does_not_sign_in() -> None:
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"
    subject = {"StringEquals": {"token.example.com:sub": "repo:ours"}}
    builder = role("builder", trust({"Federated": provider}, subject, "sts:AssumeRoleWithWebIdentity"), duty="builder")
    way = {"kind": "federated", "principal": provider, "context": {"token.example.com:sub": ["repo:ours"]}}
    pipeline = ANN.model_validate({"name": "release", "kind": "pipeline", "duties": [], "ways": [way]})
    theirs = pipeline.model_validate(
        {**pipeline.model_dump(), "ways": [{**way, "context": {"token.example.com:sub": ["repo:theirs"]}}]}
    )
    assert len(refutations(world(builder, people=[pipeline]), "duties-assigned")) == 1
    assert refutations(world(builder, people=[theirs]), "duties-assigned") == ()


def test_a_circle_of_roles_is_named() -> None:
    first = role("first", trust({"AWS": arn("second")}), allow("sts:AssumeRole"))
    second = role("second", trust({"AWS": arn("first")}), allow("sts:AssumeRole"))
    (found,) = refutations(world(first, second, people=[]), "sessions-end")
    assert found.words == "a cycle of roles: first → second → first"


def test_a_role_that_assumes_itself_is_a_circle() -> None:
    again = role("again", trust({"AWS": arn("again")}), allow("sts:AssumeRole"))
    (found,) = refutations(world(again, people=[]), "sessions-end")
    assert found.words == "a cycle of roles: again → again"


SERVICE = {"Service": "ecs-tasks.amazonaws.com"}
OF_A_SERVICE = "interlock/services/worker"
OURS = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


@pytest.mark.parametrize("who", ["arn:aws:iam::999999999999:root", arn("ann", "user"), arn("other"), ACCOUNT])
def test_nobody_but_a_service_comes_into_a_role_that_is_made_for_one(who: str) -> None:
    alone = role(OF_A_SERVICE, trust(SERVICE, OURS))
    assert refutations(world(alone, people=[]), "trusts-assigned") == ()
    more = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole"}
    statements = (alone.trust or {})["Statement"]
    both = role(OF_A_SERVICE, {"Version": "2012-10-17", "Statement": [*statements, more]})
    assert refutations(world(both, people=[]), "trusts-assigned")


def test_a_service_that_does_not_say_for_whom_it_acts_does_not_come_in() -> None:
    loose = {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}
    assert refutations(world(role(OF_A_SERVICE, trust(SERVICE, OURS)), people=[]), "services-assigned") == ()
    assert refutations(world(role(OF_A_SERVICE, trust(SERVICE, loose)), people=[]), "services-assigned")
