"""What a preview's keys are for, how long its sessions last, and whether its alarm is told all, is read and held."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from interlock.duties.demanded import missing
from interlock.duties.duty import Role
from interlock.duties.duty_world import duty_world
from interlock.duties.emergency import emergency_pattern
from interlock.duties.emergency_duties import ALARM_TOPIC
from interlock.duties.plan_world import read_plan
from interlock.duties.planned import planned_world
from interlock.duties.proof import demanding, entitling, holding
from interlock.duties.proof.prove import prove
from interlock.duties.rights import Account
from interlock.duties.world import ResourceKind, World
from tests.interlock.duties.landscapes import LAND, PEOPLE
from tests.interlock.duties.test_planned import BOUND, EVIDENCE, POLICY, ROLE, TRUST, UNKNOWN, preview, step, urn

KEY, REPLICA = "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
TOPIC, TOPIC_POLICY = "aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy"


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, PEOPLE)


@pytest.mark.parametrize(
    ("given", "seconds"), [({}, 3600), ({"maxSessionDuration": 7200}, 7200), ({"maxSessionDuration": UNKNOWN}, 43200)]
)
def test_a_role_s_sessions_last_as_long_as_the_preview_says(given: dict[str, Any], seconds: int) -> None:
    planned = planned_world(preview(BOUND, step(ROLE, "worker", name="worker", assumeRolePolicy=TRUST, **given)))
    (worker,) = [one for one in planned.world.principals if one.name == "worker"]
    assert worker.longest_session_seconds == seconds


def test_a_duty_s_session_of_more_than_an_hour_is_named_and_those_that_deploy_are_spared(world: World) -> None:
    longer = tuple(one.model_copy(update={"longest_session_seconds": 43200}) for one in world.principals)
    (claim,) = [one for one in entitling.PROPERTIES if one.name == "sessions-are-short"]
    assert prove(world, [claim])[0].holds
    (outcome,) = prove(world.model_copy(update={"principals": longer}), [claim])
    named = {one.words.split()[3].rpartition("prod-")[2] for one in outcome.violations}
    assert "break-glass" in named
    assert named.isdisjoint({"foundation", "platform"})


def keys(*steps: dict[str, Any]) -> dict[str, str]:
    found = planned_world(preview(BOUND, *steps)).world.of_kind(ResourceKind.KEY)
    return {one.source.rpartition("::")[2]: one.attributes["usage"] for one in found}


def test_a_replica_is_for_what_its_primary_is_for() -> None:
    signs = step(KEY, "signs", policy=POLICY, keyUsage="SIGN_VERIFY")
    encrypts = step(KEY, "encrypts", policy=POLICY)
    both = {"primaryKeyArn": [urn(KEY, "signs"), urn(KEY, "encrypts")]}
    found = keys(
        signs,
        encrypts,
        step(KEY, "open", policy=POLICY, keyUsage=UNKNOWN),
        step(REPLICA, "of-signs", {"primaryKeyArn": [urn(KEY, "signs")]}, policy=POLICY, primaryKeyArn=UNKNOWN),
        step(REPLICA, "of-either", both, policy=POLICY, primaryKeyArn=UNKNOWN),
        step(REPLICA, "of-none", policy=POLICY, primaryKeyArn="arn:aws:kms:eu-west-1:1:key/x"),
    )
    assert found == {
        "signs": "SIGN_VERIFY", "encrypts": "ENCRYPT_DECRYPT", "open": "unknown", "of-signs": "SIGN_VERIFY",
        "of-either": "unknown", "of-none": "unknown",
    }  # fmt: skip


OPEN = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
]})  # fmt: skip


@pytest.mark.parametrize(("policy", "holds"), [(OPEN, False), (UNKNOWN, True), (None, False)])
def test_the_alarm_s_topic_is_held_to_tls_as_soon_as_its_policy_is_known(policy: Any, holds: bool) -> None:
    given = step(TOPIC_POLICY, "policy", {"arn": [urn(TOPIC, ALARM_TOPIC)]}, arn=UNKNOWN, policy=policy)
    planned = planned_world(preview(BOUND, step(TOPIC, ALARM_TOPIC, name="t"), *([given] if policy else [])))
    (claim,) = [one for one in holding.PROPERTIES if one.name == "lines-are-safe"]
    assert prove(planned.world, [claim])[0].holds is holds
    assert bool(planned.unread) is holds


@pytest.mark.parametrize(
    ("owner", "usage"), [("builder", "ENCRYPT_DECRYPT"), (None, "SIGN_VERIFY"), ("log", "unknown")]
)
def test_a_key_that_is_made_for_something_else_is_named(world: World, owner: str | None, usage: str) -> None:
    key = next(one for one in world.of_kind(ResourceKind.KEY) if one.owner == owner)
    changed = key.model_copy(update={"attributes": {**key.attributes, "usage": usage}})
    resources = tuple(changed if one is key else one for one in world.resources)
    (violation,) = prove(world.model_copy(update={"resources": resources}), demanding.PROPERTIES)[0].violations
    assert violation.words.startswith(f"{key.arn}, the key of {owner or 'evidence'}, is made for {usage}")


HERE = replace(LAND, workload=EVIDENCE)


def lacking(world: World, topic: str, **target: Any) -> list[str]:
    """Return what is missing of the alarm of a preview in which the rule has a topic for its target."""
    pattern = json.dumps(emergency_pattern(HERE.role_arn(Role.BREAK_GLASS, Account.WORKLOAD)))
    topics = ("emergency-topic", "budgets-topic")
    policies = [
        step(TOPIC_POLICY, f"{one}-policy", {"arn": [urn(TOPIC, one)]}, arn=UNKNOWN, policy=POLICY) for one in topics
    ]
    steps = [
        step(RULE, "rule", name="interlock-prod-break-glass", eventPattern=pattern),
        step(TARGET, "target", {"rule": [urn(RULE, "rule")], "arn": [urn(TOPIC, topic)]}, rule=UNKNOWN, **target),
        *(step(TOPIC, one, name=one) for one in topics),
    ]
    found = missing(read_plan(preview(BOUND, *steps, *policies)), HERE, PEOPLE, world)
    return [one for one in found if "rule" in one]


def test_the_alarm_of_break_glass_tells_its_own_topic_all_of_it(world: World) -> None:
    assert lacking(world, "emergency-topic") == []
    for told in (
        lacking(world, "budgets-topic"),
        lacking(world, "emergency-topic", inputPath="$.nothing"),
        lacking(world, "emergency-topic", input='"all is well"'),
        lacking(world, "emergency-topic", inputTransformer=UNKNOWN),
    ):
        (one,) = told
        assert one.startswith("a target of the rule interlock-prod-break-glass that is the topic emergency-topic")
