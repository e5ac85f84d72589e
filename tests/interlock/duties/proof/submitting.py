"""Changes by which somebody submits in another's name, or takes what was submitted away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from interlock.duties.prefixes import OWN_NAME
from interlock.duties.world import NamedDocument, Resource, World

Submitted = tuple[str, str, World]


def submissions(world: World) -> Iterator[Submitted]:
    """Yield what was done, where, and the world in which it was done, always in the same order."""
    for bucket in (one for one in world.resources if one.arn in world.staging):
        for words, name in (("anybody's", "*"), ("one person's", "creator-9")):
            policy = _replaced(bucket.policy, OWN_NAME, name)
            yield "submit as another", f"{bucket.arn} as {words}", _with_bucket(world, bucket, policy)
        for words, old, new in (
            ("a name is no longer asked for", '"aws:SourceIdentity": "true"', '"aws:username": "true"'),
            ("names are asked of nobody", '"aws:SourceIdentity": "false"', '"aws:SourceIdentity": "true"'),
            ("deeper places are free", "/submissions/*", "/submissions/*/*/*"),
            ("the builder submits", "interlock-prod-creator", "interlock-prod-builder"),
            ("the creator stages", "interlock-prod-builder", "interlock-prod-creator"),
        ):
            policy = _replaced(bucket.policy, old, new)
            yield "loosen a staging bucket", f"{bucket.arn} {words}", _with_bucket(world, bucket, policy)
    creator = next(world.of_duty("creator"))
    identity = tuple(
        NamedDocument(name=one.name, document=_replaced(one.document, OWN_NAME, "*")) for one in creator.identity
    )
    changed = creator.model_copy(update={"identity": identity})
    principals = tuple(changed if one is creator else one for one in world.principals)
    yield "submit as another", creator.arn, world.model_copy(update={"principals": principals})


def _replaced(document: dict[str, Any] | None, old: str, new: str) -> dict[str, Any]:
    text = json.dumps(document)
    assert old in text
    changed: dict[str, Any] = json.loads(text.replace(old, new))
    return changed


def _with_bucket(world: World, bucket: Resource, policy: dict[str, Any]) -> World:
    changed = bucket.model_copy(update={"policy": policy})
    return world.model_copy(update={"resources": tuple(changed if one is bucket else one for one in world.resources)})
