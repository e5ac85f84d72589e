"""Small worlds, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.property import Violation
from interlock.duties.proof.prove import prove
from interlock.duties.world import (
    Account,
    Compute,
    NamedDocument,
    Person,
    Principal,
    Resource,
    ResourceKind,
    Way,
    World,
)

ACCOUNT = "123456789012"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def allow(actions: str | Sequence[str], resources: str | Sequence[str] = "*", **conditions: Any) -> dict[str, Any]:
    return _statement("Allow", actions, resources, conditions)


def deny(actions: str | Sequence[str], resources: str | Sequence[str] = "*", **conditions: Any) -> dict[str, Any]:
    return _statement("Deny", actions, resources, conditions)


def _statement(effect: str, actions: Any, resources: Any, conditions: Mapping[str, Any]) -> dict[str, Any]:
    listed = {key.replace("__", ":"): value for key, value in conditions.items()}
    return {"Effect": effect, "Action": actions, "Resource": resources, **({"Condition": listed} if listed else {})}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(
    principal: Any, conditions: Mapping[str, Any] | None = None, action: Any = "sts:AssumeRole"
) -> dict[str, Any]:
    one = {"Effect": "Allow", "Principal": principal, "Action": action}
    return document({**one, "Condition": dict(conditions)} if conditions else one)


def arn(name: str, kind: str = "role") -> str:
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


def role(
    name: str,
    trusted: dict[str, Any],
    *statements: dict[str, Any],
    duty: str | None = None,
    boundary: dict[str, Any] | None = None,
) -> Principal:
    return Principal(
        arn=arn(name),
        duty=duty,
        trust=trusted,
        identity=(NamedDocument(name="own", document=document(*statements)),) if statements else (),
        boundary=NamedDocument(name="bound", document=boundary, editable_arn=arn("bound", "policy"))
        if boundary
        else None,
    )


def user(name: str) -> Person:
    return Person(name=name, source_identity=None, ways=(Way(kind="user", principal=arn(name, "user")),))


def as_user(name: str) -> dict[str, str]:
    return {"AWS": arn(name, "user")}


def world(*principals: Principal, people: Sequence[Person], **others: Any) -> World:
    exclusions = others.pop("exclusions", (("approver", "deployer"),))
    return World(
        accounts=(Account(id=ACCOUNT),), principals=principals, people=tuple(people), exclusions=exclusions, **others
    )


def key(name: str, owner: str, *statements: dict[str, Any]) -> Resource:
    return Resource(
        arn=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{name}",
        kind=ResourceKind.KEY,
        account_id=ACCOUNT,
        policy=document(*statements),
        owner=owner,
    )


def task(name: str, role_name: str, repository: str) -> Compute:
    return Compute(
        arn=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/{name}:1",
        service="ecs",
        role_arns=(arn(role_name),),
        images=(f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/{repository}",),
    )


def refutations(one: World, name: str) -> tuple[Violation, ...]:
    """Return what refutes one claim, after asking the evaluator for each of its requests."""
    (found,) = (outcome.violations for outcome in prove(one) if outcome.claim.name == name)
    for violation in found:
        assert all(decide(call.request(), call.question.layers).allowed for call in violation.calls)
    return found
