"""What the proof claims, each claim with its sentence, and what refutes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Final

from interlock.duties.evaluator.request import Layers, Request
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.forms import Form
from interlock.duties.proof.naming import named, outsiders, principals_in
from interlock.duties.proof.scene import Scene
from interlock.duties.proof.steps import Step
from interlock.duties.world import Resource

OWNERS: Final = frozenset({"foundation"})
"""Duties that own roles, keys and vault, and could change all of them: what they might change is an assumption."""
DEPLOYING: Final = OWNERS | {"platform"}
"""Duties whose people could otherwise widen themselves, because they deploy what they run under."""


@dataclass(frozen=True)
class Denied:
    """A request that has to be allowed, and is not."""

    request: Request
    layers: Layers

    def __str__(self) -> str:
        return f"{self.request.principal.name}: {self.request.action} on {self.request.resource}"


@dataclass(frozen=True)
class Violation:
    """A counterexample: what is wrong in words, how somebody comes there, and the request that shows it."""

    words: str
    chain: tuple[Step, ...] = ()
    call: Call | None = None
    denied: Denied | None = None

    @property
    def calls(self) -> list[Call]:
        """All requests that would be allowed, in order."""
        return [*(call for step in self.chain for call in step.calls), *([self.call] if self.call else [])]


@dataclass(frozen=True)
class Property:
    """One claim. `check` yields what refutes it."""

    name: str
    sentence: str
    check: Callable[[Context], Iterable[Violation]] = field(compare=False)


@dataclass(frozen=True)
class Context:
    """What a property is checked in."""

    scene: Scene
    closure: Closure
    _callers: dict[str, list[Session]] = field(default_factory=dict, init=False, compare=False)

    def sessions(self, *, but: frozenset[str] = frozenset()) -> list[Session]:
        """Return a session of every principal whose duty is not among `but`, whatever source identity it bears."""
        return [Session(one.arn, FREE) for one in self.scene.world.principals if one.duty not in but]

    def anybody(self, *, but: frozenset[str] = frozenset()) -> list[Session]:
        """Return `sessions`, and for each account somebody whose own policies allow everything."""
        return [*self.sessions(but=but), *(Session(arn, FREE) for arn in self.scene.strangers())]

    def administers(self, session: Session) -> bool:
        """Return whether the documents name the principal as an administrator, who is trusted with their change.

        A role of another duty than the foundation's is never trusted so, whoever names it.
        """
        principal = self.scene.principal(session.arn)
        if principal.duty is not None:
            return principal.duty in OWNERS
        return any(fnmatchcase(session.arn, pattern) for pattern in self.scene.world.administrators)

    def told_apart(self, sessions: Iterable[Session], resource: Resource) -> list[Session]:
        """Return those of `sessions` that the policy of a resource could tell from a stranger, and the strangers.

        A role that it does not name can do nothing there that a stranger of the same account could not, whose own
        policies allow everything and who may have any tags.
        """
        written = principals_in(resource.policy)
        exact = {one for one in written if "*" not in one and "?" not in one}
        patterns = [one for one in written if one not in exact]
        return [
            one
            for one in sessions
            if self.scene.is_made(one.arn)
            or ":user/" in one.arn
            or one.arn in exact
            or any(fnmatchcase(one.arn, pattern) for pattern in patterns)
        ]

    def callers(self, resource: Resource) -> list[Session]:
        """Return all whom the policy of a resource could tell from a stranger, the strangers, and whoever else it
        names."""
        if resource.arn not in self._callers:
            self._callers[resource.arn] = [*self.told_apart(self.anybody(), resource), *self.named(resource)]
        return list(self._callers[resource.arn])

    def named(self, resource: Resource) -> tuple[Session, ...]:
        """Return whom the policy of a resource names beside the roles and users of the world themselves."""
        return named(self.scene, resource.policy)

    def invited(self, resource: Resource) -> list[Session]:
        """Return those whom a resource's policy names, and somebody of accounts that nobody knows.

        In the resource's own account they have nothing but what its policy gives them; elsewhere, all of their own.
        """
        of_account = [
            replace(one, form=Form.AS_WRITTEN)
            if self.scene.principal(one.arn).account_id == resource.account_id
            else one
            for one in self.named(resource)
        ]
        return [*of_account, *outsiders(self.scene, resource.policy)]

    def first(
        self,
        sessions: Iterable[Session],
        actions: Iterable[str],
        resource: str,
        words: str,
        *,
        given: Mapping[str, tuple[str, ...] | None] | None = None,
        loosened: bool = False,
        delegated: bool = False,
    ) -> Iterable[Violation]:
        """Yield, for each action, the first of `sessions` that could do it on `resource`."""
        listed = self.scene.one_of_each(sessions)
        were = ", were its policy to allow everyone everything" if loosened else ""
        for action in actions:
            for session in listed:
                call = self.scene.can(session, action, resource, given=given, loosened=loosened, delegated=delegated)
                if call is not None:
                    yield Violation(f"{session} can {words} by {action} on {resource}{were}", call=call)
                    break
