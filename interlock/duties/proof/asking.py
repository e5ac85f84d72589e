"""Single questions to a world: who can do something, why somebody can, and what a change newly permits."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.property import OWNERS
from interlock.duties.proof.scene import Scene
from interlock.duties.proof.steps import Step
from interlock.duties.proof.working import denied
from interlock.duties.world import World, read_world
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
        names = [*(one.name for one in world.people), *(one.name for one in world.principals)]
        raise BadInput(f"received {who!r}; accepted is one of {', '.join(sorted(names))}, or a role's ARN")
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


@dataclass(frozen=True)
class Newly:
    """Something that the second of two worlds permits and the first does not."""

    words: str
    call: Call | None = None


WILD_ACTIONS: Final = ("s3:DeleteObject", "kms:Sign", "iam:PassRole", "sts:AssumeRole", "sagemaker:UpdateEndpoint")


def difference(before: World, after: World) -> list[Newly]:
    """Return what `after` newly permits: sessions that people newly reach, and requests that are newly allowed."""
    old, new = Scene(before), Scene(after)
    found = [*_newly_reached(old, new)]
    callers = [(one.arn, before.principal(one.arn), one) for one in after.principals]
    # Whoever else there is, with policies that allow everything: what only the resource keeps from them.
    callers += [(arn, new.principal(arn), new.principal(arn)) for arn in new.strangers()]
    for arn, was, now in callers:
        for action, resources in sorted(_asked(before, after, was == now).items()):
            for resource in sorted(resources):
                session = Session(arn, FREE)
                call = new.can(session, action, resource)
                if call is not None and (was is None or old.can(session, action, resource) is None):
                    found.append(Newly(f"{session} may now {action} on {resource}", call))
    return found


def _asked(before: World, after: World, same_principal: bool) -> Mapping[str, set[str]]:
    """Return what could have changed: everything for a principal that has, else what is on things that have."""
    if not same_principal or before.accounts != after.accounts:
        return _named_actions(before, after)
    old = {one.arn: one for one in before.resources}
    changed = [one.arn for one in after.resources if old.get(one.arn) != one]
    found: dict[str, set[str]] = {}
    for arn in changed:
        things = {arn, f"{arn}/*"} if arn.startswith("arn:aws:s3:::") else {arn}
        for action in _named_actions(before, after):
            if action.partition(":")[0] == arn.split(":")[2]:
                found.setdefault(action, set()).update(things)
    return found


def _newly_reached(old: Scene, new: Scene) -> Iterator[Newly]:
    before, after = Closure(old, OWNERS), Closure(new, OWNERS)
    people = {one.name: one for one in old.world.people}
    for person in new.world.people:
        was = before.of(people[person.name]).keys() if person.name in people else frozenset()
        for session, reached in after.of(person).items():
            if session not in was:
                words = " → ".join(str(step) for step in reached.chain)
                yield Newly(f"{person.name} now reaches {session}: {words}", reached.chain[-1].calls[-1])


@functools.lru_cache(maxsize=4)
def _actions_of(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for policy in Scene(read_world(text, "world")).policies():
        for statement in policy.statements:
            plain = [one for one in statement.action if "*" not in one and "?" not in one]
            broad = WILD_ACTIONS if len(plain) < len(statement.action) else ()
            for action in (*plain, *broad):
                resources = {one.written for one in statement.resource if not one.variables}
                found.setdefault(action, set()).update(resources or {"*"})
    return found


def _named_actions(*worlds: World) -> dict[str, set[str]]:
    """Return the actions that documents name without a wildcard, with the resources that they name beside them."""
    found: dict[str, set[str]] = {}
    for world in worlds:
        for action, resources in _actions_of(world.to_json()).items():
            found.setdefault(action, set()).update(resources)
    return found


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
