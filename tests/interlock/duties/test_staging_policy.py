"""Who writes and who takes away what in a staging bucket, as the evaluator decides it."""

from __future__ import annotations

import json

import pytest

from interlock.duties.duty import Role
from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator import request
from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.filling import NAME
from interlock.duties.proof.forms import Form
from interlock.duties.proof.scene import Scene
from interlock.duties.staging_policy import staging_policy
from interlock.duties.world import World
from tests.interlock.duties.landscapes import EVIDENCE, LAND, PEOPLE, WORKLOAD, statements

BUCKET = "arn:aws:s3:::staging-primary"


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, PEOPLE)


@pytest.fixture(scope="module")
def scene(world: World) -> Scene:
    return Scene(world)


def allowed(scene: Scene, role: Role, bearing: str | None, action: str, key: str, *, widened: bool = False) -> bool:
    arn = f"arn:aws:iam::{WORKLOAD}:role/interlock/duties/interlock-prod-{role}"
    session = Session(arn, bearing, Form.WIDENED if widened else Form.AS_WRITTEN)
    bucket = scene.resource(f"{BUCKET}/{key}")
    assert bucket is not None
    facts = {key: value for key, value in scene.known(session).items() if value is not None}
    context = {**facts, "aws:securetransport": ("true",), "s3:tlsversion": ("1.3",)}
    asked = request.Request(scene.caller(session), action, f"{BUCKET}/{key}", context, resource_account=EVIDENCE)
    return decide(asked, scene.layers(session, scene.resource_policy(bucket), EVIDENCE)).allowed


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:AbortMultipartUpload"])
def test_a_creator_submits_in_their_own_name_and_reads_that_back(scene: Scene, action: str) -> None:
    assert allowed(scene, Role.CREATOR, "creator-1", action, "submissions/creator-1/a.json")
    for bearing, key in (
        ("creator-1", "submissions/creator-2/a.json"),
        ("creator-1", "submissions/creator-11/a.json"),
        ("creator-1", "submissions/creator-1"),
        ("creator-1", "pins/a"),
        ("creator-1", "stacks/a"),
        (None, "submissions/creator-1/a.json"),
        (None, "submissions//a.json"),
        ("*", "submissions/creator-1/a.json"),
    ):
        reads_the_manifest = key.startswith("stacks/") and action.startswith("s3:GetObject")
        assert allowed(scene, Role.CREATOR, bearing, action, key) is reads_the_manifest, (bearing, key)


def test_a_creator_with_every_right_still_submits_in_no_other_name(scene: Scene) -> None:
    assert allowed(scene, Role.CREATOR, "creator-1", "s3:PutObject", "submissions/creator-1/a", widened=True)
    for bearing, key in (
        ("creator-1", "submissions/creator-2/a"),
        (None, "submissions/creator-2/a"),
        (None, "other/a"),
    ):
        assert not allowed(scene, Role.CREATOR, bearing, "s3:PutObject", key, widened=True)


def test_nobody_else_submits_whatever_name_they_bear(scene: Scene) -> None:
    for role in Role:
        if role not in (Role.CREATOR, Role.FOUNDATION, Role.APPROVER, Role.SEQUENCER, Role.WITNESS):
            assert not allowed(scene, role, "creator-1", "s3:PutObject", "submissions/creator-1/a", widened=True), role


def test_the_builder_stages_reads_and_takes_away_what_it_staged_and_no_submission(scene: Scene) -> None:
    for action in ("s3:PutObject", "s3:GetObjectVersion", "s3:DeleteObjectVersion", "s3:ListMultipartUploadParts"):
        assert allowed(scene, Role.BUILDER, None, action, "pins/abc/files/model.pkl")
    assert allowed(scene, Role.BUILDER, None, "s3:GetObjectVersion", "submissions/creator-1/a.json")
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert not allowed(scene, Role.BUILDER, None, action, "submissions/creator-1/a.json", widened=True)


def test_without_administrators_the_bucket_s_configuration_is_left_to_iam() -> None:
    found = statements(staging_policy(BUCKET, [], [], {"pins/": ["arn:aws:iam::1:role/b"], "stacks/": []}))
    assert "DenyChanges" not in found
    assert "DenyNameless" not in found
    assert not any("stacks/" in json.dumps(one.get("Resource", "")) for one in found.values())


def test_the_proof_finds_a_name_of_each_sort_and_the_evaluator_agrees(scene: Scene) -> None:
    creator = Session(f"arn:aws:iam::{WORKLOAD}:role/interlock/duties/interlock-prod-creator", FREE)
    for thing, expected in (
        (f"{BUCKET}/submissions/creator-7/*", "creator-7"),
        (f"{BUCKET}/submissions/a.b@c/x", "a.b@c"),
    ):
        call = scene.can(creator, "s3:PutObject", thing)
        assert call is not None
        assert call.context[NAME] == (expected,)
        assert decide(call.request(), call.question.layers).allowed
        assert scene.can(creator, "s3:PutObject", thing, other_than=((NAME, expected),)) is None
    anything = scene.can(creator, "s3:PutObject", f"{BUCKET}/*")
    assert anything is not None
    assert anything.resource.startswith(f"{BUCKET}/submissions/{anything.context[NAME][0]}/")
