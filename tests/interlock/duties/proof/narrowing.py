"""Denials that are narrowed, and trusts that are widened, by a condition that some requests meet."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

from interlock.duties.world import ResourceKind, World

Statement = dict[str, Any]
RARE: Final[dict[str, Statement]] = {
    "a tag with a space": {"StringNotEquals": {"aws:PrincipalTag/team": "ML Platform"}},
    "a program with a space": {"StringNotLike": {"aws:UserAgent": "* *"}},
    "a word that is not English": {"StringNotEquals": {"aws:PrincipalTag/team": "équipe"}},
    "a moment as a number": {"NumericLessThan": {"aws:EpochTime": "1735689600"}},
    "what services ask for others": {"Bool": {"aws:ViaAWSService": "false"}},
    "users": {"StringEquals": {"aws:PrincipalType": "AssumedRole"}},
    "a pattern that is no ARN": {"StringNotLike": {"aws:PrincipalArn": "*Admin*"}},
    "a date": {"DateLessThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}},
}
WHEN: Final[dict[str, Statement]] = {
    "a tag with a space": {"StringEquals": {"aws:RequestTag/team": "ML Platform"}},
    "a program with a space": {"StringEquals": {"aws:UserAgent": "aws cli"}},
    "a moment as a number": {"NumericGreaterThan": {"aws:EpochTime": "1735689600"}},
    "an old sign-in": {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "20000000"}},
}
NARROWED: Final = ("DenyRemoval", "DenyOtherRoles", "DenyTakingAway")


def narrowings(world: World) -> Iterator[tuple[str, str, World]]:
    """Yield what was done, where, and the world in which it was done, always in the same order."""
    for words, condition in RARE.items():
        for name, changed in _narrowed(world, condition):
            yield f"deny but for {words}", name, changed
    for words, condition in WHEN.items():
        yield from ((f"trust for {words}", name, changed) for name, changed in _trusting(world, condition))


def _narrowed(world: World, condition: Statement) -> Iterator[tuple[str, World]]:
    for resource in world.resources:
        evidence = resource.kind is ResourceKind.BUCKET and resource.attributes.get("evidence") == "true"
        if resource.owner is None and not evidence:
            continue
        for number, one in enumerate((resource.policy or {})["Statement"]):
            if one.get("Sid") in NARROWED:
                policy = copy.deepcopy(resource.policy) or {}
                asked = policy["Statement"][number].setdefault("Condition", {})
                for operator, keys in condition.items():
                    asked.setdefault(operator, {}).update(keys)
                changed = resource.model_copy(update={"policy": policy})
                resources = tuple(changed if other is resource else other for other in world.resources)
                yield f"{resource.arn} {one['Sid']}", world.model_copy(update={"resources": resources})


def _trusting(world: World, condition: Statement) -> Iterator[tuple[str, World]]:
    creator = next(one for one in world.people if one.duties == ("creator",) and one.ways[0].kind == "user")
    for role in world.principals:
        if role.duty in (None, "creator"):
            continue
        actions = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
        also = {"Sid": "Also", "Effect": "Allow", "Principal": {"AWS": creator.ways[0].principal}, "Action": actions}
        trust = copy.deepcopy(role.trust) or {}
        # The trust of a role that nobody has denies everybody.
        allowing = [one for one in trust["Statement"] if one["Effect"] == "Allow"]
        trust["Statement"] = [*allowing, {**also, "Condition": condition}]
        changed = role.model_copy(update={"trust": trust})
        principals = tuple(changed if one is role else one for one in world.principals)
        yield role.arn, world.model_copy(update={"principals": principals})
