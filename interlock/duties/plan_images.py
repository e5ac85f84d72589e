"""Which images the preview of a stack runs under the roles of duties, and whose they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlock.duties.landscape import ROLE_PATH
from interlock.duties.plan_principals import Principals
from interlock.duties.plan_world import Declared, Plan
from interlock.duties.world import Resource, ResourceKind

_ROLES: Final[Mapping[str, Sequence[str]]] = {
    "aws:ecs/taskDefinition:TaskDefinition": ("taskRoleArn", "executionRoleArn"),
    "aws:lambda/function:Function": ("role",),
    "aws:sagemaker/model:Model": ("executionRoleArn",),
}
"""By type of resource: the properties that name the roles its code runs under."""


def not_the_foundations(
    plan: Plan, principals: Principals, resources: Sequence[Resource], foundation: str
) -> Iterator[str]:
    """Yield, in words, what should run an image of the account of the foundation under a duty's role, and does not.

    Whoever writes the code that runs under a duty's role acts with that duty; an image that is not known, and a
    function's code from a bucket, could be anybody's. A role that is not known could be a duty's.
    """
    known = [_image_of(one) for one in resources if _is_of(one, foundation)]
    for token, keys in _ROLES.items():
        for one in plan.of_type(token):
            roles = [(key, principals.arn(one, key)) for key in keys if one.inputs.get(key)]
            yield from (f"a role for {one.name} whose name is known: {key}" for key, arn in roles if arn is None)
            duties = sorted({arn for _, arn in roles if arn is not None and f":role{ROLE_PATH}" in arn})
            images = _images(one) or [None]
            if duties and not all(isinstance(image, str) and _is_in(image, known) for image in images):
                yield f"an image of the foundation's repositories for {one.name}, which runs as {', '.join(duties)}"


def _images(one: Declared) -> list[Any]:
    if one.type == "aws:lambda/function:Function":
        return [one.inputs.get("imageUri")]
    if one.type == "aws:sagemaker/model:Model":
        found = one.inputs.get("containers") or []
        containers = [*(found if isinstance(found, list) else [found])]
        containers += [one.inputs["primaryContainer"]] if one.inputs.get("primaryContainer") else []
    else:
        containers = _read(one.inputs.get("containerDefinitions"))
    return [each.get("image") if isinstance(each, Mapping) else None for each in containers]


def _read(text: Any) -> list[Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _is_of(one: Resource, account_id: str) -> bool:
    return one.kind is ResourceKind.REPOSITORY and one.account_id == account_id


def _image_of(repository: Resource) -> str:
    _, _, _, region, account_id, name = repository.arn.split(":", 5)
    return f"{account_id}.dkr.ecr.{region}.amazonaws.com/{name.removeprefix('repository/')}"


def _is_in(image: str, repositories: Sequence[str]) -> bool:
    return any(image.startswith((f"{one}:", f"{one}@")) for one in repositories)
