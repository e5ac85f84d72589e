"""The claim that no duty's role can do more than the table of duties gives it.

Documents that are those of the table need no question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.comparing import Compared, KnownActions
from interlock.duties.proof.forms import EVERYTHING, Form
from interlock.duties.proof.property import Context, Denied, Property, Violation
from interlock.duties.proof.scene import Scene
from interlock.duties.world import Document, Entitlement, NamedDocument, Principal, canonical


def _within_the_table(context: Context) -> Iterator[Violation]:
    scene = context.scene
    known = KnownActions(scene.world)
    asked: set[tuple[str, str, str]] = set()
    for principal in scene.world.principals:
        entitlement = scene.world.entitlements.get(principal.arn)
        if entitlement is None:
            continue
        if tuple(one.document for one in principal.identity) not in (entitlement.identity, entitlement.most):
            yield from _by_policies(scene, principal, entitlement, known)
        if principal.boundary is None or principal.boundary.document == entitlement.boundary:
            continue
        # Many roles of an account share a boundary.
        key = (principal.account_id, canonical(principal.boundary.document), canonical(entitlement.boundary))
        if key not in asked:
            asked.add(key)
            yield from _by_boundary(scene, principal, entitlement.boundary, known)


def _within_the_limits(context: Context) -> Iterator[Violation]:
    world, known = context.scene.world, KnownActions(context.scene.world)
    everything = (NamedDocument(name="everything", document=EVERYTHING),)
    asked: set[tuple[str, str]] = set()
    for boundary in (*world.boundaries, *(one.boundary for one in world.principals)):
        if boundary is None or boundary.editable_arn is None or boundary.editable_arn not in world.limits:
            continue
        arn, most = boundary.editable_arn, world.limits[boundary.editable_arn]
        key = (arn, canonical(boundary.document))
        if key in asked or boundary.document == most:
            continue
        asked.add(key)
        # Roles of services are yet to be made, with policies that nobody knows.
        role = f"arn:aws:iam::{arn.split(':')[4]}:role/any-of-{boundary.name}-{len(asked)}"
        made = context.scene.add(Principal(arn=role, identity=everything, boundary=boundary))
        yield from _by_boundary(context.scene, made, most, known)


def _by_policies(
    scene: Scene, principal: Principal, entitlement: Entitlement, known: KnownActions
) -> Iterator[Violation]:
    name = f"what the table of duties gives {principal.arn}"
    given = tuple(parse(one, PolicyKind.IDENTITY, name) for one in entitlement.most)
    most = parse(entitlement.boundary, PolicyKind.BOUNDARY, name)
    bounded = Compared(scene, Session(principal.arn, FREE), {"identity": given, "boundary": most}, known)
    alone = Compared(scene, Session(principal.arn, FREE, Form.UNBOUNDED), {"identity": given}, known)
    for statement in alone.uncovered():
        # A request that its boundary allows as well says more than one that it would keep back.
        if call := bounded.guessed(statement) or alone.guessed(statement) or alone.solved(statement):
            yield _violation(call, "which the table does not give it")


def _by_boundary(scene: Scene, principal: Principal, limit: Document, known: KnownActions) -> Iterator[Violation]:
    most = parse(limit, PolicyKind.BOUNDARY, f"the boundary that the table gives {principal.arn}")
    widened = Compared(scene, Session(principal.arn, FREE, Form.WIDENED), {"boundary": most}, known)
    for statement in widened.uncovered():
        if call := widened.guessed(statement) or widened.solved(statement):
            yield _violation(call, "which the boundary that the table gives it does not allow")


def _violation(call: Call, words: str) -> Violation:
    beyond = call.question.beyond
    assert beyond is not None
    said = f"{call.session} can {call.action} on {call.resource}, {words}"
    return Violation(said, call=call, denied=Denied(call.request(), beyond))


def _sessions_are_short(context: Context) -> Iterator[Violation]:
    for principal in context.scene.world.principals:
        entitlement = context.scene.world.entitlements.get(principal.arn)
        most = entitlement.longest_session_seconds if entitlement is not None else None
        longest = principal.longest_session_seconds
        if most is not None and longest is not None and longest > most:
            yield Violation(f"a session of {principal.arn} lasts {longest} s at most, not {most}")


PROPERTIES: Final = (
    Property(
        "no-more-than-the-table",
        "No duty's role can do more than the table of duties gives it in these accounts: neither by its own policies, "
        "even were its boundary taken off, nor by its boundary, even were its own policies to allow everything.",
        _within_the_table,
    ),
    Property(
        "services-stay-within",
        "No boundary of services' roles, or of what replicates the vault, allows more than they were made for.",
        _within_the_limits,
    ),
    Property(
        "sessions-are-short",
        "No session of a duty's role lasts longer than an hour, those aside that deploy.",
        _sessions_are_short,
    ),
)
