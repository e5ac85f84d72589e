"""The claim that what the settings demand is there, and is what it is taken for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from interlock.duties.landscape import DUTY_TAG
from interlock.duties.proof.property import Context, Property, Violation
from interlock.duties.world import ResourceKind, World


def _is_there(context: Context) -> Iterator[Violation]:
    yield from (Violation(f"not there, and demanded by the settings: {one}") for one in context.scene.world.missing)
    yield from (Violation(words) for words in _misused(context.scene.world))
    for role in context.scene.world.principals:
        tag = role.tags.get(DUTY_TAG)
        if tag != role.duty and (tag is not None or role.arn in context.scene.world.entitlements):
            words = f"{role.arn} bears {tag or 'nothing'} in the tag {DUTY_TAG}, and has {role.duty or 'no duty'}"
            yield Violation(words)


def _misused(world: World) -> Iterator[str]:
    """Yield keys that are not made for what they are there for."""
    for key in world.of_kind(ResourceKind.KEY):
        wanted = "SIGN_VERIFY" if key.owner else "ENCRYPT_DECRYPT" if key.attributes.get("evidence") == "true" else None
        usage = key.attributes.get("usage", wanted)
        if wanted is not None and usage != wanted:
            yield f"{key.arn}, the key of {key.owner or 'evidence'}, is made for {usage}, not for {wanted}"


PROPERTIES: Final = (
    Property(
        "what-is-demanded-is-there",
        "Vaults with object lock, enabled keys in each region, every duty's role and break-glass's alarm are there, "
        "made for what they are there for, and each role's tag says its duty.",
        _is_there,
    ),
)
