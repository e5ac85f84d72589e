"""Everything that somebody can become: by assuming, by passing roles, by code, by images, by editing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from interlock.duties.evaluator.policy import PolicyKind, PrincipalType
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.forms import Form
from interlock.duties.proof.naming import named
from interlock.duties.proof.scene import Scene
from interlock.duties.proof.steps import Step, Steps
from interlock.duties.world import Person, Way

SOMEONE_ELSE: Final = "someone-else"


@dataclass(frozen=True)
class Reached:
    """A session, and the steps by which somebody comes to it."""

    session: Session
    chain: tuple[Step, ...]


class Closure:
    """What each person reaches in one scene."""

    def __init__(self, scene: Scene, trusted: frozenset[str] = frozenset()) -> None:
        """`trusted` are duties whose sessions are not followed into what they might edit: only into what they assume.

        That is an assumption, to be stated: a session that owns roles could give itself any.
        """
        self.scene = scene
        identities = {one.source_identity for one in scene.world.people if one.source_identity}
        self._steps = Steps(scene, (*sorted(identities), SOMEONE_ELSE), trusted)
        self._of: dict[str, dict[Session, Reached]] = {}

    def of(self, person: Person) -> Mapping[Session, Reached]:
        """Return everything that a person reaches, by session, the shortest chain to each."""
        if person.name not in self._of:
            self._of[person.name] = self._reach(person)
        return self._of[person.name]

    def everybody(self) -> Iterator[tuple[Person, Mapping[Session, Reached]]]:
        for person in self.scene.world.people:
            yield person, self.of(person)

    def assumptions(self, session: Session) -> Iterator[Step]:
        """Return the steps from a session into roles that it may assume."""
        return iter(self._steps.assumed(session))

    def renewal(self, session: Session) -> Step | None:
        """Return the step from a session into its own role, if it may assume that."""
        return self._steps.renewal(session)

    def takings(self, session: Session) -> Iterator[Step]:
        """Return the steps from a session that are no assumptions: by passing, code, images and edits."""
        return (step for step in self._steps.of(session) if step.how != "assumes")

    def _reach(self, person: Person) -> dict[Session, Reached]:
        found: dict[Session, Reached] = {}
        arns: set[str] = set()
        waiting: deque[Reached] = deque()

        def add(step: Step, chain: tuple[Step, ...]) -> None:
            if step.to not in found:
                found[step.to] = Reached(step.to, (*chain, step))
                arns.add(step.to.arn)
                waiting.append(found[step.to])

        for way in person.ways:
            for step in self._entries(way):
                add(step, ())
        edited: dict[str, list[tuple[Step, tuple[Step, ...]]]] = {}
        while waiting:
            reached = waiting.popleft()
            for step in self._steps.of(reached.session):
                if step.to.form is Form.AS_WRITTEN or step.made:
                    add(step, reached.chain)
                else:
                    edited.setdefault(step.to.arn, []).append((step, reached.chain))
            # Widening a role is of use to whoever is in it, before or after.
            for arn in [one for one in edited if one in arns]:
                for step, chain in edited.pop(arn):
                    add(step, chain)
        return found

    def _entries(self, way: Way) -> Iterable[Step]:
        if way.kind == "federated":
            return self._steps.signed_in(way)
        start = Session(way.principal)
        given = {key.lower(): values for key, values in way.context.items()}
        steps = list(self._steps.assumptions(start, given))
        if self.scene.world.principal(way.principal) is not None:
            steps.insert(0, Step("is", start, ()))
        return steps


def cycle(scene: Scene, closure: Closure) -> tuple[Step, ...] | None:
    """Return the shortest circle of roles that assume each other, or of one that assumes itself, or None.

    Such a circle renews a session for ever: the time-box of a session holds only along a chain that ends.
    """
    heads = [one.arn for one in scene.world.principals if one.trust is not None and _trusts_roles(scene, one.arn)]
    for arn in heads:
        # Whatever its sessions are called: its trust policy may name one of them.
        called = [one for one in named(scene, scene.principal(arn).trust) if one.arn == arn]
        for session in (Session(arn, FREE), *(replace(one, source_identity=FREE) for one in called)):
            if itself := closure.renewal(session):
                return (itself,)
    onward = {arn: _onward(closure, arn) for arn in heads}
    best: tuple[Step, ...] | None = None
    for arn in _without_ends(onward):
        found = _circle(closure, arn)
        if found is not None and (best is None or len(found) < len(best)):
            best = found
    return best


def _onward(closure: Closure, arn: str) -> set[str]:
    return {step.to.arn for step in closure.assumptions(Session(arn)) if step.to.source_identity is None}


def _without_ends(onward: Mapping[str, set[str]]) -> list[str]:
    """Return the roles that lead on for ever, in order: without those from which every way ends."""
    before: dict[str, list[str]] = {}
    for arn, ones in onward.items():
        for one in ones:
            before.setdefault(one, []).append(arn)
    left = {arn: len(ones) for arn, ones in onward.items()}
    ended = [arn for arn, ways in left.items() if not ways]
    while ended:
        for arn in before.get(ended.pop(), ()):
            left[arn] -= 1
            if not left[arn]:
                ended.append(arn)
    return [arn for arn, ways in left.items() if ways]


def _circle(closure: Closure, arn: str) -> tuple[Step, ...] | None:
    seen: set[str] = set()
    waiting: deque[tuple[Session, tuple[Step, ...]]] = deque([(Session(arn), ())])
    while waiting:
        session, chain = waiting.popleft()
        for step in closure.assumptions(session):
            if step.to.source_identity is not None:
                continue
            if step.to.arn == arn:
                return (*chain, step)
            if step.to.arn not in seen:
                seen.add(step.to.arn)
                waiting.append((step.to, (*chain, step)))
    return None


def _trusts_roles(scene: Scene, arn: str) -> bool:
    policy = scene.trust(arn)
    assert policy is not None
    assert policy.kind is PolicyKind.TRUST
    return any(one.type is PrincipalType.AWS for statement in policy.statements for one in statement.principal)


def calls_of(chain: Iterable[Step]) -> list[Call]:
    """Return the calls of a chain in order."""
    return [call for step in chain for call in step.calls]
