"""Mutations beside the duties' own roles: helpers with too much, services that come in, what nobody hears or uses."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from interlock.duties.world import NamedDocument, Principal, Resource, ResourceKind, World

Statement = dict[str, Any]
Helped = tuple[str, str, World]
HELPING = (
    "sagemaker:CreateEndpointConfig", "sagemaker:CreateEndpoint", "sagemaker:DeleteEndpoint", "ecs:UpdateService",
    "application-autoscaling:*", "cloudformation:*", "rds:*", "elasticloadbalancing:ModifyListener",
    "ecr:PutRegistryPolicy", "ecr:PutReplicationConfiguration", "sns:Unsubscribe",
)  # fmt: skip


def helpings(world: World) -> Iterator[Helped]:
    """Yield what was done, where, and the world in which it was done, always in the same order."""
    for make in (_helpers, _services, _people_as_services, _unheard, _unusable, _shut, _shut_to_some):
        yield from make(world)


def _helpers(world: World) -> Iterator[Helped]:
    creator = next(one for one in world.people if "creator" in one.duties).ways[0].principal
    trust = {"Sid": "Help", "Effect": "Allow", "Principal": {"AWS": creator}, "Action": "sts:AssumeRole"}
    for action in HELPING:
        document = _document({"Sid": "Help", "Effect": "Allow", "Action": action, "Resource": "*"})
        helper = Principal(
            arn=f"arn:aws:iam::{creator.split(':')[4]}:role/helper",
            trust=_document(trust),
            identity=(NamedDocument(name="help", document=document),),
        )
        yield "a helper of nobody's duty", action, world.model_copy(update={"principals": (*world.principals, helper)})


def _services(world: World) -> Iterator[Helped]:
    for role in world.principals:
        entitlement = world.entitlements.get(role.arn)
        if entitlement is None or role.trust is None:
            continue
        for service in ("codebuild.amazonaws.com", "ec2.amazonaws.com"):
            more = {"Sid": "More", "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
            statements = [*(one for one in role.trust["Statement"] if one["Effect"] == "Allow"), more]
            yield "trust another service", f"{role.arn} {service}", _trusting(world, role, statements)
        if entitlement.services:
            free = [{key: value for key, value in one.items() if key != "Condition"} for one in role.trust["Statement"]]
            yield "trust a service whomever it acts for", role.arn, _trusting(world, role, free)


def _trusting(world: World, role: Principal, statements: list[Statement]) -> World:
    changed = role.model_copy(update={"trust": _document(*statements)})
    return world.model_copy(update={"principals": tuple(changed if one is role else one for one in world.principals)})


def _people_as_services(world: World) -> Iterator[Helped]:
    for boundary in world.boundaries:
        statements = boundary.document["Statement"]
        kept = [one for one in statements if one["Sid"] != "DenyPeople"]
        if len(kept) < len(statements):
            changed = boundary.model_copy(update={"document": _document(*kept)})
            boundaries = tuple(changed if one is boundary else one for one in world.boundaries)
            name = boundary.editable_arn or boundary.name
            yield "let people act as services", name, world.model_copy(update={"boundaries": boundaries})


def _unheard(world: World) -> Iterator[Helped]:
    for topic in world.of_kind(ResourceKind.TOPIC):
        deny = {"Sid": "Hush", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic.arn}
        yield "let nobody publish", topic.arn, _denying(world, topic, deny)


def _unusable(world: World) -> Iterator[Helped]:
    for key in world.of_kind(ResourceKind.KEY):
        for action in ("kms:*", "kms:Decrypt", "kms:GenerateDataKey"):
            if key.attributes.get("evidence") == "true":
                deny = {"Sid": "Shut", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
                yield "deny a key of evidence to everybody", f"{key.arn} {action}", _denying(world, key, deny)


def _shut(world: World) -> Iterator[Helped]:
    nobody = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "sts:*"}
    for role in world.principals:
        if role.duty is not None and role.trust is not None:
            yield "let nobody in", role.arn, _trusting(world, role, [*role.trust["Statement"], nobody])


def _shut_to_some(world: World) -> Iterator[Helped]:
    for role in world.principals:
        statements = role.trust["Statement"] if role.duty is not None and role.trust is not None else []
        for number, one in enumerate(statements):
            name = f"{role.arn} {one['Sid']}"
            if len(statements) > 1:
                rest = [*statements[:number], *statements[number + 1 :]]
                yield "trust one statement less", name, _trusting(world, role, rest)
            if "Service" in one["Principal"]:
                elsewhere = {**one, "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}}}
                yield "trust a service for nobody's account", name, _trusting(world, role, [elsewhere])


def _denying(world: World, resource: Resource, statement: Statement) -> World:
    policy = copy.deepcopy(resource.policy or _document())
    policy["Statement"].append(statement)
    changed = resource.model_copy(update={"policy": policy})
    return world.model_copy(update={"resources": tuple(changed if one is resource else one for one in world.resources)})


def _document(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
