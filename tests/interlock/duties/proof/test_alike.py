"""Principals that no document tells apart are answered alike, so that one of them is asked for all."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.duties.evaluator.decision import decide
from interlock.duties.proof import scene as scenes
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.permission import Example, Question, example
from interlock.duties.proof.prove import prove
from interlock.duties.proof.scene import Scene
from interlock.duties.proof.steps import Steps
from interlock.duties.world import Principal, Resource, ResourceKind, World
from tests.interlock.duties.proof.worlds import ACCOUNT, allow, arn, as_user, deny, document, role, trust, user, world

ANN = user("ann")
BY_ACCOUNT = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
READING = allow("s3:GetObject", "arn:aws:s3:::data/*")
ONE, OTHER = role("one", BY_ACCOUNT, READING), role("other", BY_ACCOUNT, READING)


def bucket(*statements: dict[str, Any]) -> Resource:
    return Resource(arn="arn:aws:s3:::data", kind=ResourceKind.BUCKET, account_id=ACCOUNT, policy=document(*statements))


def are_alike(one: World) -> bool:
    scene = Scene(one)
    return scene.alike(Session(arn("one"), FREE)) == scene.alike(Session(arn("other"), FREE))


def test_roles_that_differ_in_nothing_but_their_names_are_alike() -> None:
    assert are_alike(world(ONE, OTHER, people=[ANN]))


TELLING: dict[str, World] = {
    "their policies": world(ONE, role("other", BY_ACCOUNT, deny("s3:*"), READING), people=[ANN]),
    "a boundary": world(ONE, role("other", BY_ACCOUNT, READING, boundary=document(READING)), people=[ANN]),
    "a duty": world(ONE, role("other", BY_ACCOUNT, READING, duty="auditor"), people=[ANN]),
    "their tags": world(ONE, OTHER.model_copy(update={"tags": {"team": "other"}}), people=[ANN]),
    "who may assume them": world(ONE, role("other", trust(as_user("ann")), READING), people=[ANN]),
    "a policy that names one": world(
        ONE, OTHER, people=[ANN],
        resources=(bucket({**READING, "Principal": {"AWS": arn("one")}}),),
    ),
    "a policy that names a session of one": world(
        ONE, OTHER, people=[ANN],
        resources=(bucket({**READING, "Principal": {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/one/session"}}),),
    ),
    "a condition on who asks": world(
        ONE, OTHER, people=[ANN],
        resources=(bucket({**deny("s3:*", "*", ArnNotLike={"aws:PrincipalArn": arn("on*")}), "Principal": "*"}),),
    ),
    "a name that is filled in": world(
        ONE, OTHER, role("third", BY_ACCOUNT, allow("s3:PutObject", "arn:aws:s3:::data/${aws:PrincipalArn}/*")),
        people=[ANN],
    ),
}  # fmt: skip


@pytest.mark.parametrize("one", TELLING.values(), ids=TELLING)
def test_roles_are_told_apart_by(one: World) -> None:
    assert not are_alike(one)


def test_whoever_is_alike_still_comes_to_the_one_that_was_asked() -> None:
    into_one = allow("sts:AssumeRole", arn("one"))
    scene = Scene(world(role("one", BY_ACCOUNT, into_one), role("other", BY_ACCOUNT, into_one), people=[ANN]))
    steps = Steps(scene, (), frozenset())
    assert scene.alike(Session(arn("one"))) == scene.alike(Session(arn("other")))
    assert steps.of(Session(arn("one"))) == ()
    assert [step.to.arn for step in steps.of(Session(arn("other")))] == [arn("one")]


def with_account(one: World, **fields: Any) -> World:
    (account,) = one.accounts
    return one.model_copy(update={"accounts": (account.model_validate({**account.model_dump(), **fields}),)})


def control(*statements: dict[str, Any]) -> tuple[tuple[dict[str, Any], ...], ...]:
    return (({"name": "control", "document": document(*statements)},),)


def test_a_control_policy_of_resources_keeps_nobody_from_a_service_that_heeds_none() -> None:
    everything = {"Effect": "Deny", "Principal": "*", "Action": ["iam:*", "s3:*"], "Resource": "*"}
    busy = role("one", BY_ACCOUNT, allow(["iam:CreateUser", "s3:GetObject"]))
    scene = Scene(with_account(world(busy, people=[ANN]), rcps=control(everything)))
    made = scene.can(Session(arn("one"), FREE), "iam:CreateUser", arn("new", "user"))
    assert made is not None
    assert decide(made.request(), made.question.layers).allowed
    assert scene.can(Session(arn("one"), FREE), "s3:GetObject", "arn:aws:s3:::data/a") is None


def test_the_policies_of_the_organisation_do_not_bind_its_management_account() -> None:
    nothing = control({"Effect": "Deny", "Action": "*", "Resource": "*"})
    bound = with_account(world(ONE, people=[ANN]), scps=nothing)
    managing = bound.model_copy(update={"management_account": ACCOUNT})
    session, thing = Session(arn("one"), FREE), "arn:aws:s3:::data/a"
    assert Scene(bound).can(session, "s3:GetObject", thing) is None
    assert Scene(managing).can(session, "s3:GetObject", thing) is not None


def grown(count: int) -> World:
    more: list[Principal] = [role(f"serving-{number}", BY_ACCOUNT, READING) for number in range(count)]
    passing = role("passing", trust(as_user("ann")), allow(["iam:PassRole", "ecs:RunTask", "sts:AssumeRole"]))
    by_ecs = [role(f"task-{number}", trust({"Service": "ecs-tasks.amazonaws.com"}), READING) for number in range(count)]
    return world(passing, *more, *by_ecs, people=[ANN])


def test_questions_grow_no_faster_than_the_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Question] = []

    def counted(question: Question) -> Example | None:
        asked.append(question)
        return example(question)

    monkeypatch.setattr(scenes, "example", counted)

    def questions(count: int) -> int:
        asked.clear()
        prove(grown(count))
        return len(asked)

    few, more, many = questions(10), questions(20), questions(40)
    assert many - more <= 2.2 * (more - few)
