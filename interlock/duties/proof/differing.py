"""What a change newly permits: whom people newly become, and requests that are newly allowed."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from interlock.duties.evaluator.policy import PrincipalType
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.comparing import Compared, KnownActions
from interlock.duties.proof.forms import EVERYTHING, Form
from interlock.duties.proof.naming import for_others, named, outsiders, principals_in
from interlock.duties.proof.property import OWNERS
from interlock.duties.proof.scene import Scene
from interlock.duties.world import NamedDocument, Principal, Resource, World, read_world

ASSUMING: Final = "sts:AssumeRole"
WILD_ACTIONS: Final = ("s3:DeleteObject", "kms:Sign", "iam:PassRole", ASSUMING, "sagemaker:UpdateEndpoint")
WERE_IT_OPEN: Final = ", were its policy to allow everyone everything"


@dataclass(frozen=True)
class Newly:
    """Something that the second of two worlds permits and the first does not."""

    words: str
    call: Call | None = None


def difference(before: World, after: World) -> list[Newly]:
    """Return what `after` newly permits, each with a request that `before` does not allow.

    A denial that is weaker counts where it is all that holds somebody back: of a resource, somebody whose own policies
    allow everything, were the resource's to do so too; of a boundary, a role whose own policies do.
    Raises PolicyError and NotModelled as the proof does.
    """
    return [*Differing(Scene(before), Scene(after)).all()]


class Differing:
    """Two worlds, of which the second is newer."""

    def __init__(self, old: Scene, new: Scene) -> None:
        self._old = old
        self._new = new
        resources = {one.arn: one for one in old.world.resources}
        self._changed = [one for one in new.world.resources if resources.get(one.arn) != one]
        roles = {one.arn: one.trust for one in old.world.principals}
        self._trusting = [one for one in new.world.principals if one.arn in roles and roles[one.arn] != one.trust]
        self._everywhere = old.world.accounts != new.world.accounts
        # Whoever else there is, with policies that allow everything: what only the resource keeps from them.
        self._strangers = [Session(old.add(new.principal(arn)).arn, FREE) for arn in new.strangers()]

    def all(self) -> Iterator[Newly]:
        """Yield everything that is newly permitted."""
        yield from self._reached()
        for one in self._new.world.principals:
            yield from self._by_principal(one)
        for resource in self._changed:
            yield from self._on(resource)
        for role in self._trusting:
            yield from self._into(role)
        yield from self._within_boundaries()

    def _reached(self) -> Iterator[Newly]:
        before, after = Closure(self._old, OWNERS), Closure(self._new, OWNERS)
        people = {one.name: one for one in self._old.world.people}
        for person in self._new.world.people:
            was = before.of(people[person.name]).keys() if person.name in people else frozenset()
            for session, reached in after.of(person).items():
                if session not in was:
                    words = " → ".join(str(step) for step in reached.chain)
                    yield Newly(f"{person.name} now reaches {session}: {words}", reached.chain[-1].calls[-1])

    def _by_principal(self, now: Principal) -> Iterator[Newly]:
        was, session = self._old.world.principal(now.arn), Session(now.arn, FREE)
        changed = was != now or self._everywhere
        asked = named_actions(self._old.world, self._new.world) if changed else self._asked_on(self._changed)
        found = [
            Newly(f"{session} may now {action} on {resource}{call.saying}", call)
            for action, resources in sorted(asked.items())
            for resource in sorted(resources)
            if (call := self._newly(session, action, resource)) is not None
        ]
        yield from found
        if was is not None and was.identity != now.identity and not found:
            # What no document names beside an action, or leaves to a pattern.
            instead = self._old.deciding(session, ASSUMING, now.arn, now.account_id, loosened=False)
            layers = {"identity": instead.identity, **({"boundary": instead.boundary} if instead.boundary else {})}
            yield from self._compared(session, layers, "")

    def _newly(self, session: Session, action: str, resource: str, *, loosened: bool = False) -> Call | None:
        """Return a call that is allowed now and was not."""
        new, old = self._new, self._old
        if new.world.principal(session.arn) is not None and old.world.principal(session.arn) is None:
            return new.can(session, action, resource, loosened=loosened)
        if self._says_the_same_of(session, resource):
            return new.can(session, action, resource, loosened=loosened, beyond=old)
        call = new.can(session, action, resource, loosened=loosened)
        return call if call is not None and old.can(session, action, resource, loosened=loosened) is None else None

    def _says_the_same_of(self, session: Session, resource: str) -> bool:
        """Return whether AWS says the same in both worlds of who asks and of what is asked for."""
        of = [scene.resource(resource) for scene in (self._old, self._new)]
        contexts = [one.context if one is not None else {} for one in of]
        return contexts[0] == contexts[1] and self._old.known(session) == self._new.known(session)

    def _asked_on(self, resources: Sequence[Resource]) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for arn in (one.arn for one in resources):
            things = {arn, f"{arn}/*"} if arn.startswith("arn:aws:s3:::") else {arn}
            for action in named_actions(self._old.world, self._new.world):
                if action.partition(":")[0] == arn.split(":")[2]:
                    found.setdefault(action, set()).update(things)
        return found

    def _on(self, resource: Resource) -> Iterator[Newly]:
        """Yield what somebody may now whom no document of a principal is about."""
        widened = [Session(one, FREE, Form.WIDENED) for one in principals_in(resource.policy) if self._is_in_both(one)]
        theirs = [*named(self._new, resource.policy), *outsiders(self._new, resource.policy), *widened]
        held = resource.policy is not None and getattr(self._old.resource(resource.arn), "policy", None) is not None
        for action, things in sorted(self._asked_on([resource]).items()):
            for thing in sorted(things):
                ways = [(one, False) for one in (*theirs, *self._strangers)]
                ways += [(one, True) for one in self._strangers] if held else []
                for session, loosened in ways:
                    if call := self._newly(session, action, thing, loosened=loosened):
                        were = WERE_IT_OPEN if loosened else ""
                        yield Newly(f"{session} may now {action} on {thing}{call.saying}{were}", call)
                        break

    def _is_in_both(self, arn: str) -> bool:
        return self._old.world.principal(arn) is not None and self._new.world.principal(arn) is not None

    def _into(self, role: Principal) -> Iterator[Newly]:
        """Yield who comes newly into a role whose trust has changed: people are told by what they reach."""
        for session in (*named(self._new, role.trust), *outsiders(self._new, role.trust), *self._strangers):
            if call := self._newly(session, ASSUMING, role.arn):
                yield Newly(f"{session} may now become {role.arn}{call.saying}", call)
                break
        for service in self._newly_named(role, PrincipalType.SERVICE):
            yield Newly(f"{service} may now become {role.arn}")
        for provider in self._newly_named(role, PrincipalType.FEDERATED):
            yield Newly(f"somebody whom {provider} signed in may now become {role.arn}")
        yield from self._for_others(role)

    def _newly_named(self, role: Principal, kind: PrincipalType) -> list[str]:
        was = self._old.trusted(role.arn, kind)
        return sorted({one for one in self._new.trusted(role.arn, kind) if one not in was and one != "*"})

    def _for_others(self, role: Principal) -> Iterator[Newly]:
        for service in sorted(set(self._new.trusted(role.arn, PrincipalType.SERVICE)) - {"*"}):
            for given in for_others(role.trust, (one.id for one in self._new.world.accounts)):
                now = self._new.becomes(service, ASSUMING, role.arn, given)
                if now is not None and self._old.becomes(service, ASSUMING, role.arn, given) is None:
                    yield Newly(f"{service} may now become {role.arn} for whoever asks it to", now)
                    break

    def _within_boundaries(self) -> Iterator[Newly]:
        told: set[tuple[object, ...]] = set()
        was = {one.arn: one for one in self._old.world.principals}
        everything = (NamedDocument(name="everything", document=EVERYTHING),)
        for role in self._new.world.principals:
            before = was[role.arn].boundary if role.arn in was else None
            if before is not None and role.boundary is None:
                widened = Session(role.arn, FREE, Form.WIDENED)
                user = f"arn:aws:iam::{role.account_id}:user/*"
                call = self._new.can(widened, "iam:CreateUser", user)
                yield Newly(f"{role.arn} is in no boundary any more, and could come to do anything", call)
        old = self._old.world.known_boundaries()
        for arn, boundary in sorted(self._new.world.known_boundaries().items()):
            if arn not in old or old[arn].document == boundary.document:
                continue
            key = (old[arn].name, str(old[arn].document), str(boundary.document))
            if key in told:
                continue
            told.add(key)
            account_id = arn.split(":")[4]
            name = f"arn:aws:iam::{account_id}:role/any-of-{boundary.name}"
            self._new.add(Principal(arn=name, identity=everything, boundary=boundary))
            self._old.add(Principal(arn=name, identity=everything, boundary=old[arn]))
            most = self._old.deciding(Session(name, FREE), ASSUMING, name, account_id, loosened=False).boundary
            assert most is not None
            yield from self._compared(Session(name, FREE), {"boundary": most}, f", inside of {arn}")

    def _compared(self, session: Session, instead: Mapping[str, object], where: str) -> Iterator[Newly]:
        compared = Compared(self._new, session, instead, KnownActions(self._new.world))  # type: ignore[arg-type]
        for statement in compared.uncovered():
            if call := compared.guessed(statement) or compared.solved(statement):
                yield Newly(f"{session} may now {call.action} on {call.resource}{call.saying}{where}", call)


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


@functools.lru_cache(maxsize=4)
def _named(texts: tuple[str, ...]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for text in texts:
        for action, resources in _actions_of(text).items():
            found.setdefault(action, set()).update(resources)
    return found


def named_actions(*worlds: World) -> Mapping[str, set[str]]:
    """Return the actions that documents name without a wildcard, with the resources that they name beside them."""
    return _named(tuple(one.to_json() for one in worlds))
