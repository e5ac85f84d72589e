"""Changes that give what is ours to others, or take off what it is held by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from interlock.duties.key_policy import data_key_policy
from interlock.duties.world import Resource, ResourceKind, World
from tests.interlock.duties.landscapes import WORKLOAD
from tests.interlock.duties.proof.weakening import with_compute

Statement = dict[str, Any]
Lent = tuple[str, str, World]
FOREIGN = {"AWS": "arn:aws:iam::999999999999:root"}
"""An account that belongs to nobody we know."""


def with_platform(world: World) -> World:
    """Return the world with compute, the platform's key and the function that rotates."""
    whole = with_compute(world)
    rotating = {
        "Sid": "Rotate", "Effect": "Allow", "Principal": {"Service": "secretsmanager.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": "*",
        "Condition": {"StringEquals": {"AWS:SourceAccount": WORKLOAD}},
    }  # fmt: skip
    key = Resource(
        arn=f"arn:aws:kms:eu-west-1:{WORKLOAD}:key/platform", kind=ResourceKind.KEY, account_id=WORKLOAD,
        policy=json.loads(data_key_policy(WORKLOAD, "eu-west-1", _foundation(world), for_logs=True)),
        attributes={"usage": "ENCRYPT_DECRYPT"}, context={"kms:ResourceAliases": ("alias/interlock-prod-platform",)},
    )  # fmt: skip
    function = Resource(
        arn=f"arn:aws:lambda:eu-west-1:{WORKLOAD}:function:interlock-prod-rotation", kind=ResourceKind.FUNCTION,
        account_id=WORKLOAD, policy={"Version": "2012-10-17", "Statement": [rotating]},
    )  # fmt: skip
    return whole.model_copy(update={"resources": (*whole.resources, key, function)})


def lendings(world: World) -> Iterator[Lent]:
    """Yield what was done, where, and the world in which it was done, always in the same order."""
    whole = with_platform(world)
    for make in (_given_to_outsiders, _without_denials, _for_others, _lent, _moving_tags):
        yield from make(whole)


def _foundation(world: World) -> list[str]:
    return [one.arn for one in world.of_duty("foundation")]


def _with(world: World, old: Resource, **update: Any) -> World:
    changed = old.model_copy(update=update)
    return world.model_copy(update={"resources": tuple(changed if one is old else one for one in world.resources)})


def _allowing(world: World, old: Resource, principal: Any, *actions: str) -> World:
    things = [old.arn, f"{old.arn}/*"] if old.kind is ResourceKind.BUCKET else "*"
    more = {"Sid": "More", "Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": things}
    if old.kind is ResourceKind.REPOSITORY:
        del more["Resource"]
    listed = (old.policy or {}).get("Statement", [])
    return _with(world, old, policy={"Version": "2012-10-17", "Statement": [*listed, more]})


GIVEN = {
    ResourceKind.KEY: ("kms:GetPublicKey",),
    ResourceKind.BUCKET: ("s3:GetObjectVersion", "s3:ListBucketVersions"),
    ResourceKind.REPOSITORY: ("ecr:BatchGetImage",),
    ResourceKind.FUNCTION: ("lambda:GetFunction",),
    ResourceKind.TABLE: ("dynamodb:*",),
}


def _given_to_outsiders(world: World) -> Iterator[Lent]:
    for one in world.resources:
        for action in GIVEN.get(one.kind, ()):
            for words, principal in (("an account", FOREIGN), ("everybody", "*")):
                yield f"give {words} what is ours", f"{one.arn} {action}", _allowing(world, one, principal, action)


def _without_denials(world: World) -> Iterator[Lent]:
    for one in world.resources:
        if one.arn.endswith((":key/platform", ":staging-primary")):
            listed: list[Statement] = (one.policy or {})["Statement"]
            for at, statement in enumerate(listed):
                if statement["Effect"] == "Deny":
                    policy = {"Version": "2012-10-17", "Statement": [*listed[:at], *listed[at + 1 :]]}
                    where = f"{one.arn} {statement['Sid']}"
                    yield "drop a denial of the platform's", where, _with(world, one, policy=policy)
        if one.kind is ResourceKind.REPOSITORY:
            yield "take a repository's policy off", one.arn, _with(world, one, policy=None)


def _for_others(world: World) -> Iterator[Lent]:
    for one in world.of_kind(ResourceKind.FUNCTION):
        policy = json.loads(json.dumps(one.policy))
        for statement in policy["Statement"]:
            statement.pop("Condition")
        yield "let a service act for others", one.arn, _with(world, one, policy=policy)


def _lent(world: World) -> Iterator[Lent]:
    root = {"AWS": f"arn:aws:iam::{WORKLOAD}:root"}
    for one in world.resources:
        if one.kind is ResourceKind.KEY and one.attributes.get("evidence") == "true":
            for action in ("kms:CreateGrant", "kms:Decrypt"):
                where = f"{one.arn} {action}"
                yield "lend the key of evidence", where, _allowing(world, one, root, action)
        if one.kind is ResourceKind.REPOSITORY:
            yield "let others say who pushes", one.arn, _allowing(world, one, root, "ecr:SetRepositoryPolicy")


def _moving_tags(world: World) -> Iterator[Lent]:
    for one in world.of_kind(ResourceKind.REPOSITORY):
        yield "let tags move", one.arn, _with(world, one, attributes={"tags": "MUTABLE"})
