"""Claims about the buckets beside the vault: what lies there says by its place whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from interlock.duties.prefixes import OWN_NAME, PINS
from interlock.duties.proof.beside import beside
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.filling import NAME
from interlock.duties.proof.forms import Form
from interlock.duties.proof.property import Context, Property, Violation
from interlock.duties.staging_policy import CHANGES, REPLICAS
from interlock.duties.world import Resource, ResourceKind

WRITING: Final = ("s3:PutObject",)
REMOVING: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion")


def _in_their_own_name(context: Context) -> Iterator[Violation]:
    for bucket in _staging(context):
        anybody = context.callers(bucket)
        for prefix, arns in context.scene.world.staged_writers.items():
            place, own, _ = prefix.partition(OWN_NAME)
            if arns:
                others = [one for one in anybody if one.arn not in arns]
                yield from context.first(others, WRITING, f"{bucket.arn}/{place}*", f"write under {place}")
            if own:
                yield from _in_anothers_name(context, bucket, place, arns)
        places = [one.partition(OWN_NAME)[0] for one in context.scene.world.staged_writers]
        policy = context.scene.resource_policy(bucket)
        for thing in beside(bucket.arn, places, policy, WRITING[0]) if places else ():
            yield from context.first(anybody, WRITING, thing, "write where nobody looks")
        yield from context.first(anybody, REPLICAS, f"{bucket.arn}/*", "bring in what nobody submitted")


def _in_anothers_name(context: Context, bucket: Resource, place: str, arns: Sequence[str]) -> Iterator[Violation]:
    """Yield whoever writes under the name of another, even were their own policies to allow everything."""
    names = [one.source_identity for one in context.scene.world.people if one.source_identity]
    for arn in arns:
        if context.scene.world.principal(arn) is None:
            continue
        for session in (Session(arn, FREE, Form.WIDENED), Session(arn, FREE)):
            for name in names:
                thing = f"{bucket.arn}/{place}{name}/*"
                if call := context.scene.can(session, WRITING[0], thing, other_than=((NAME, name),)):
                    bears = call.context.get(NAME, ("no name",))[0]
                    yield Violation(f"{session} bearing {bears} can submit as {name}", call=call)
                    return


def _stays_there(context: Context) -> Iterator[Violation]:
    for bucket in _staging(context):
        others = [one for one in context.callers(bucket) if not context.administers(one)]
        for prefix, arns in context.scene.world.staged_writers.items():
            place = prefix.partition(OWN_NAME)[0]
            removing = [one for one in others if prefix != PINS or one.arn not in arns]
            if arns:
                yield from context.first(
                    removing, REMOVING, f"{bucket.arn}/{place}*", f"take away what lies in {place}"
                )
        yield from context.first(others, CHANGES, bucket.arn, "change what guards submissions")


def _staging(context: Context) -> list[Resource]:
    world = context.scene.world
    return [one for one in world.of_kind(ResourceKind.BUCKET) if one.arn in world.staging]


PROPERTIES: Final = (
    Property(
        "submitted-by-oneself",
        "Nobody submits a release in another's name, nor without one: in a staging bucket only creators write "
        "submissions, each under their own source identity, whatever their own policies come to say, and only the "
        "builder what it stages.",
        _in_their_own_name,
    ),
    Property(
        "submissions-stay",
        "Nobody but administrators takes a submission away or changes what guards submissions, and only the builder "
        "takes away what it staged.",
        _stays_there,
    ),
)
