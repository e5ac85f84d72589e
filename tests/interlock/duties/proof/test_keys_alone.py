"""What KMS does on keys is answered with a key, and each key by its own policy."""

from __future__ import annotations

import re

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.asking import who_can
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.scene import Scene
from interlock.duties.world import World
from tests.interlock.duties.landscapes import EVIDENCE, LAND, PEOPLE
from tests.interlock.duties.proof.worlds import ACCOUNT, ROOT, allow, arn, key, role, trust, user, world

KEY = re.compile(r"arn:[^:]+:kms:[^:]*:[^:]*:key/.+")
PATTERNS = ("*", "arn:*", "arn:aws:*", "arn:aws:kms:*", "arn:aws:kms:*:*:*", "arn:aws:kms:*:*:key/*", "*key*")
ANN = user("ann")
SIGNING = role("signing", trust(ROOT), allow(["kms:Sign", "kms:CreateAlias", "kms:CreateKey"]))


@pytest.fixture(scope="module")
def whole() -> World:
    return duty_world(LAND, PEOPLE)


@pytest.mark.parametrize("pattern", ["*", "arn:*:*:*:*:*", "arn:aws:kms:*:*:*", "arn:aws:kms:*:*:key/*"])
def test_only_those_sign_on_some_key_whom_a_key_s_policy_names(whole: World, pattern: str) -> None:
    able = who_can(whole, "kms:Sign", pattern)
    exact = {
        one.call.session.arn
        for each in whole.resources
        if KEY.fullmatch(each.arn)
        for one in who_can(whole, "kms:Sign", each.arn)
        if one.call.session is not None
    }
    assert {one.call.session.arn for one in able if one.call.session is not None} == exact
    assert exact
    for one in able:
        assert KEY.fullmatch(one.call.resource)
        assert decide(one.call.request(), one.call.question.layers).allowed


def test_a_pattern_of_another_account_s_keys_is_answered_by_nobody_of_ours(whole: World) -> None:
    assert who_can(whole, "kms:Sign", "arn:aws:kms:*:999999999999:key/*") == []


@pytest.mark.parametrize("pattern", [one for one in PATTERNS if one != "*key*"])
def test_a_key_that_leaves_its_use_to_iam_is_found_behind_any_pattern(pattern: str) -> None:
    left = key("left", "builder", {**allow("kms:*"), "Principal": ROOT})
    kept = key("kept", "builder", {**allow("kms:*"), "Principal": {"AWS": arn("other")}})
    for listed in ((left, kept), (kept, left)):
        asked = Scene(world(SIGNING, people=[ANN], resources=listed))
        call = asked.can(Session(SIGNING.arn, FREE), "kms:Sign", pattern)
        assert call is not None
        assert call.resource == left.arn
        assert decide(call.request(), call.question.layers).allowed
    nobody = Scene(world(SIGNING, people=[ANN], resources=(kept,)))
    assert nobody.can(Session(SIGNING.arn, FREE), "kms:Sign", pattern) is None


def test_were_keys_to_leave_everything_to_iam_the_answer_is_a_key() -> None:
    asked = Scene(world(SIGNING, people=[ANN]))
    for pattern in PATTERNS:
        call = asked.can(Session(SIGNING.arn, FREE), "kms:Sign", pattern, delegated=True)
        assert call is not None
        assert KEY.fullmatch(call.resource)
        assert decide(call.request(), call.question.layers).allowed
    assert asked.can(Session(SIGNING.arn, FREE), "kms:Sign", f"arn:aws:kms:*:{ACCOUNT}:alias/*", delegated=True) is None


def test_a_name_of_a_key_is_no_key_and_a_key_that_is_yet_to_be_made_is_none() -> None:
    asked = Scene(world(SIGNING, people=[ANN]))
    session = Session(SIGNING.arn, FREE)
    naming = asked.can(session, "kms:CreateAlias", f"arn:aws:kms:eu-west-1:{ACCOUNT}:*")
    assert naming is not None
    assert not KEY.fullmatch(naming.resource)
    assert asked.can(session, "kms:CreateKey", "*") is not None


def test_keys_of_evidence_lie_where_the_answers_say(whole: World) -> None:
    resources = {one.call.resource for one in who_can(whole, "kms:Sign", "*")}
    assert {one.split(":")[4] for one in resources} == {EVIDENCE}
