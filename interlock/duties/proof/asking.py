"""Single questions to a world: who can do something, and why somebody can."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.comparing import KnownActions
from interlock.duties.proof.property import OWNERS
from interlock.duties.proof.scene import Scene
from interlock.duties.proof.steps import Step
from interlock.duties.proof.working import denied
from interlock.duties.world import World
from interlock.failures import BadInput


@dataclass(frozen=True)
class Able:
    """A role that can do something, one request by which, and who reaches it in which way."""

    call: Call
    people: tuple[tuple[str, tuple[Step, ...]], ...]


def who_can(world: World, action: str, resource: str) -> list[Able]:
    """Return every role of a world that can do `action` on something that `resource`, an ARN or a pattern, stands for.

    Raises BadInput for an action without a service, PolicyError and NotModelled as the proof does.
    """
    _checked(action, resource)
    scene = Scene(world)
    closure = Closure(scene, OWNERS)
    found = []
    for principal in world.principals:
        call = scene.can(Session(principal.arn, FREE), action, resource)
        if call is None:
            continue
        people = [
            (person.name, way.chain)
            for person, reached in closure.everybody()
            for way in sorted(reached.values(), key=lambda one: len(one.chain))
            if way.session.arn == principal.arn and scene.can(way.session, action, resource) is not None
        ]
        found.append(Able(call, tuple({name: (name, chain) for name, chain in reversed(people)}.values())))
    return found


@dataclass(frozen=True)
class Explanation:
    """Whether somebody can do something in one session, why, and how they come there."""

    session: Session
    allowed: bool
    reason: str
    statements: tuple[str, ...]
    chain: tuple[Step, ...]
    call: Call | None


def explain(world: World, who: str, action: str, resource: str) -> list[Explanation]:
    """Return whether each session of a person, or of a role by its name or ARN, can do something, and why.

    Raises BadInput if nobody is called so.
    """
    _checked(action, resource)
    scene = Scene(world)
    sessions = dict(_sessions(scene, who))
    if not sessions:
        names = {*(one.name for one in world.people), *(one.name for one in world.principals)}
        raise BadInput(f"PERSON|ROLE: received {who!r}; accepted is one of {', '.join(sorted(names))}, or a role's ARN")
    return [_explained(scene, session, chain, action, resource) for session, chain in sessions.items()]


def _sessions(scene: Scene, who: str) -> Iterator[tuple[Session, tuple[Step, ...]]]:
    for person in scene.world.people:
        if person.name == who:
            for reached in Closure(scene, OWNERS).of(person).values():
                yield reached.session, reached.chain
    for principal in scene.world.principals:
        if who in (principal.arn, principal.name):
            yield Session(principal.arn, FREE), ()


def _explained(scene: Scene, session: Session, chain: tuple[Step, ...], action: str, resource: str) -> Explanation:
    call = scene.can(session, action, resource)
    if call is not None:
        decision = decide(call.request(), call.question.layers)
    else:
        refused = denied(scene, session, action, resource, {})
        decision = decide(refused.request, refused.layers)
    statements = tuple(str(one) for one in decision.statements)
    return Explanation(session, call is not None, decision.reason, statements, chain, call)


def unnamed(world: World, action: str) -> str | None:
    """Return what to say of an action that no document names: what AWS knows no action of, nobody can do either."""
    known = KnownActions(world)
    if known.like(action):
        return None
    alike = difflib.get_close_matches(action, known.like(f"{action.partition(':')[0]}:*"), n=1)
    like = f", and the one named that is most like it is {alike[0]}" if alike else ""
    return f"no document names {action}{like}: of an action that AWS does not have this says nothing"


_ACTION: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
_RESOURCE: Final = re.compile(r"\*|arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")


def _checked(action: str, resource: str) -> None:
    if not _ACTION.fullmatch(action):
        raise BadInput(f"ACTION: received {action!r}; accepted is one action with its service, such as kms:Sign")
    if not _RESOURCE.fullmatch(resource):
        raise BadInput(
            f"RESOURCE: received {resource!r}; accepted is an ARN, or a pattern of one with *, such as "
            "arn:aws:kms:*:111122223333:key/*"
        )
