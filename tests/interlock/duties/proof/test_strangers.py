"""Whom no document names is tried in every sort that a condition on who asks tells apart."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.duties.evaluator.policy import NotModelled
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.scene import Scene
from interlock.duties.world import Resource, ResourceKind
from tests.interlock.duties.proof.worlds import ACCOUNT, allow, arn, deny, document, role, trust, user, world

ANN = user("ann")
READER = role("reader", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), allow("s3:DeleteObject"))
OBJECTS = "arn:aws:s3:::data/*"


def scene(denial: dict[str, Any]) -> Scene:
    policy = document(denial)
    bucket = Resource(arn=OBJECTS[:-2], kind=ResourceKind.BUCKET, account_id=ACCOUNT, policy=policy)
    return Scene(world(READER, people=[ANN], resources=(bucket,)))


def removing(asked: Scene) -> list[str]:
    anybody = asked.strangers()
    return [one for one in anybody if asked.can(Session(one, FREE), "s3:DeleteObject", OBJECTS) is not None]


def test_a_denial_to_everyone_leaves_one_stranger_who_can_do_nothing() -> None:
    asked = scene({**deny("s3:*"), "Principal": "*"})
    assert asked.strangers() == (arn("any-other"),)
    assert removing(asked) == []


@pytest.mark.parametrize(
    "spared",
    [
        {"StringNotLike": {"aws:PrincipalArn": "*Admin*"}},
        {"StringNotLike": {"aws:PrincipalArn": "*:user/Admin?"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/any*"}},
        {"StringEquals": {"aws:PrincipalType": "AssumedRole"}},
        {"StringNotEquals": {"aws:PrincipalType": "User"}},
        {"Null": {"aws:username": "true"}},
        {"Bool": {"aws:ViaAWSService": "false"}},
    ],
)
def test_somebody_is_found_whom_a_denial_spares_by(spared: dict[str, Any]) -> None:
    asked = scene({**deny("s3:*", **spared), "Principal": "*"})
    assert removing(asked) != []


def but_for(*names: str) -> dict[str, Any]:
    return {**deny("s3:*"), "NotPrincipal": {"AWS": list(names)}}


def test_an_account_that_a_denial_leaves_out_exempts_nobody_in_it() -> None:
    assert removing(scene(but_for(f"arn:aws:iam::{ACCOUNT}:root"))) == []


def test_a_denial_leaves_out_a_session_that_is_listed_with_its_role_and_account() -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/session"
    asked = scene(but_for(session, arn("reader"), f"arn:aws:iam::{ACCOUNT}:root"))
    assert asked.can(Session(arn("reader"), FREE), "s3:DeleteObject", OBJECTS) is not None


def test_a_denial_that_lists_a_role_without_its_session_is_no_proof() -> None:
    asked = scene(but_for(arn("reader"), f"arn:aws:iam::{ACCOUNT}:root"))
    with pytest.raises(NotModelled, match="but not all of its names"):
        asked.can(Session(arn("reader"), FREE), "s3:DeleteObject", OBJECTS)


def test_a_missing_key_under_any_value_with_if_exists_is_no_proof() -> None:
    unsaid: dict[str, Any] = {"ForAnyValue:StringNotEqualsIfExists": {"aws:TagKeys": "a"}}
    with pytest.raises(NotModelled, match="AWS does not say"):
        removing(scene({**deny("s3:*", **unsaid), "Principal": "*"}))
