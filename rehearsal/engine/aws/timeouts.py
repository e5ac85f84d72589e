"""How long an operation may take: an option of a Pulumi resource, a block of a Terraform one."""

from __future__ import annotations

import json

from rehearsal.engine.aws.catalogue import ResourceType
from rehearsal.engine.terraform.client import State
from rehearsal.engine.terraform.schema import Block
from rehearsal.engine.terraform.values import Type, Value

# Under this key the older plugin SDK keeps a resource's timeouts, in nanoseconds, in its private state.
_TIMEOUTS_KEY = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"


def set_timeout(kind: ResourceType, config: dict[str, Value], prior: Value, operation: str, seconds: float) -> None:
    """Put the program's timeout for `operation` into the configuration, where the type has one."""
    keep_timeouts(kind, config, prior)
    type_of = _type(kind.block)
    if type_of is not None and seconds > 0 and operation in type_of[1]:
        config["timeouts"] = {**dict.fromkeys(type_of[1]), **(config["timeouts"] or {}), operation: f"{seconds:g}s"}


def keep_timeouts(kind: ResourceType, config: dict[str, Value], prior: Value) -> None:
    if _type(kind.block) is not None:
        config["timeouts"] = (prior or {}).get("timeouts")


def timed_delete(kind: ResourceType, prior: State, seconds: float) -> State:
    """Return `prior` with the time that deleting may take in both places where providers look for it."""
    type_of = _type(kind.block)
    if type_of is None or seconds <= 0 or "delete" not in type_of[1]:
        return prior
    named = {**dict.fromkeys(type_of[1]), **(prior.value.get("timeouts") or {}), "delete": f"{seconds:g}s"}
    private = json.loads(prior.private or b"{}") or {}
    private[_TIMEOUTS_KEY] = {**(private.get(_TIMEOUTS_KEY) or {}), "delete": int(seconds * 1e9)}
    return State({**prior.value, "timeouts": named}, json.dumps(private).encode())


def _type(block: Block) -> Type | None:
    """Return the type of the block's `timeouts`, or None when its operations cannot be timed."""
    if "timeouts" in block.blocks:
        return block.blocks["timeouts"].block.type
    return block.attributes["timeouts"].type if "timeouts" in block.attributes else None
