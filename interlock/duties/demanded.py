"""What the settings of a stack demand to be there, without which a claim over what is there would say nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from interlock.duties.duty import Duty, Role, SigningDuty
from interlock.duties.emergency import emergency_pattern
from interlock.duties.emergency_duties import ALARM_TOPIC
from interlock.duties.landscape import Landscape
from interlock.duties.matrix import MATRIX
from interlock.duties.people import Assignments
from interlock.duties.plan_vault import unlike_a_vault
from interlock.duties.plan_world import Declared, Plan
from interlock.duties.rights import Account
from interlock.duties.world import Resource, ResourceKind, World

RULE: Final = "aws:cloudwatch/eventRule:EventRule"
TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
TOPIC: Final = "aws:sns/topic:Topic"
TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
NARROWING: Final = ("input", "inputPath", "inputTransformer")
"""Properties of a target by which it is told something else than the event."""
KEYS: Final = ("aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey")
BUCKET: Final = "aws:s3/bucket:Bucket"


def missing(plan: Plan, land: Landscape, assignments: Assignments, world: World) -> Iterator[str]:
    """Yield, in words, what a stack with a foundation has to have and its preview has not."""
    yield from _vaults(plan, land)
    yield from unlike_a_vault(plan, land, world.resources)
    yield from _keys(plan, land, assignments, world)
    for role, row in MATRIX.items():
        for home in land.homes_of(role, row.home):
            if world.principal(land.role_arn(role, home)) is None:
                yield f"the role {land.role_arn(role, home)}"
    yield from _alarm(plan, land)


def _vaults(plan: Plan, land: Landscape) -> Iterator[str]:
    locked = [
        one.region
        for one in plan.of_type(BUCKET)
        if one.account_id == land.evidence and one.inputs.get("objectLockEnabled") is True
    ]
    yield from (f"a vault with object lock in {region}" for region in land.regions if region not in locked)


def _keys(plan: Plan, land: Landscape, assignments: Assignments, world: World) -> Iterator[str]:
    off = {one.urn for token in KEYS for one in plan.of_type(token) if _is_off(one)}
    names = [*SigningDuty, *(f"approver-{one.name}" for one in assignments.people_of(Duty.APPROVER)), "evidence"]
    for region in land.regions:
        there = [one for one in world.of_kind(ResourceKind.KEY) if one.region == region and one.source not in off]
        for name in names:
            if not any(_goes_by(one, land, name) for one in there):
                yield f"an enabled key with the alias {land.key_alias(name)} in {region}"


def _goes_by(key: Resource, land: Landscape, name: str) -> bool:
    return key.account_id == land.evidence and land.key_alias(name) in key.context.get("kms:ResourceAliases", ())


def _is_off(key: Declared) -> bool:
    given = (key.inputs.get("isEnabled"), key.inputs.get("enabled"))
    return any(one is not None and one is not True for one in given)  # One that is not known may be off.


def _alarm(plan: Plan, land: Landscape) -> Iterator[str]:
    role = land.role_arn(Role.BREAK_GLASS, Account.WORKLOAD)
    rules = [one for one in plan.of_type(RULE) if one.account_id == land.workload and _tells_of(one, role)]
    if not rules:
        yield f"an enabled rule on every assumption of {role}"
    elif not any(_reaches_a_topic(plan, rule) for rule in rules):
        rule = rules[0].text("name") or rules[0].name
        yield f"a target of the rule {rule} that is the topic {ALARM_TOPIC}, with a policy of its own, told all of it"


def _tells_of(rule: Declared, role: str) -> bool:
    enabled = rule.inputs.get("state") in (None, "ENABLED") and rule.inputs.get("isEnabled") is not False
    pattern = rule.text("eventPattern")
    return enabled and pattern is not None and _read(pattern) == emergency_pattern(role)


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None


def _reaches_a_topic(plan: Plan, rule: Declared) -> bool:
    of_rule = [one for one in plan.of_type(TARGET) if plan.is_of(one, "rule", rule, "name")]
    # Without a policy of its own a topic lets no rule publish; whom the alarm's own lets is proved.
    open_to_rules = [
        topic
        for topic in plan.of_type(TOPIC)
        if topic.name == ALARM_TOPIC
        and any(plan.is_of(policy, "arn", topic, "arn") for policy in plan.of_type(TOPIC_POLICY))
    ]
    whole = [one for one in of_rule if not any(one.inputs.get(key) for key in NARROWING)]
    return any(plan.is_of(one, "arn", topic, "arn") for one in whole for topic in open_to_rules)
