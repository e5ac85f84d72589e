"""What a role's documents allow beside what other documents do: exactly, and with a request that shows it.

A statement that lies within one of the others' as it is written needs no question. Of any other it is asked of one of
each sort of action and of thing, as the documents of both sides tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from interlock.duties.evaluator.policy import Effect, Policy, PolicyStatement, Template
from interlock.duties.evaluator.request import Layers
from interlock.duties.proof.calls import Call, Session
from interlock.duties.proof.classes import representatives
from interlock.duties.proof.forms import delegating
from interlock.duties.proof.guessing import likely
from interlock.duties.proof.naming import FOREIGN
from interlock.duties.proof.patterns import names, pieces, text_of, with_anything
from interlock.duties.proof.permission import Question, example, things
from interlock.duties.proof.scene import Scene
from interlock.duties.proof.selecting import about
from interlock.duties.world import World

_ACTION: Final = re.compile(r"[a-z0-9-]+:[a-z0-9]+", re.IGNORECASE)
_NAMESPACES: Final = {"sts": "iam"}
"""Services whose actions are on what the ARN counts to another."""
_ACCOUNT_IN_ARN: Final = 4


class KnownActions:
    """The actions that some document of a world names in full, or of what its roles are held to."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def _names(self) -> list[str]:
        world = self._world
        given = [one for held in world.entitlements.values() for one in (*held.most, held.boundary)]
        documents = [*(document for _, document in world.documents()), *given, *world.limits.values()]
        found = {action for document in documents for action in _actions_in(document)}
        return sorted(one for one in found if _ACTION.fullmatch(one))

    def like(self, pattern: str) -> list[str]:
        """Return those that a pattern of actions stands for."""
        wanted = re.compile(re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\?", "."))
        return [one for one in self._names if wanted.fullmatch(one.lower())]


class Compared:
    """The documents of a session, and the same with some replaced: `instead`, by the name of the layer."""

    def __init__(
        self, scene: Scene, session: Session, instead: Mapping[str, tuple[Policy, ...] | Policy], known: KnownActions
    ) -> None:
        self._scene = scene
        self._session = session
        self._instead = dict(instead)
        self._known_actions = known
        self._account = scene.principal(session.arn).account_id
        self._own = tuple(_deciding(self._layers(self._account), instead))
        self._given = tuple(_deciding(self._beyond(self._layers(self._account)), instead))

    def _layers(self, owner: str) -> Layers:
        # What a resource's own policy adds or keeps back is for the claims about the resource.
        return self._scene.layers(self._session, delegating(self._account), owner)

    def _beyond(self, layers: Layers) -> Layers:
        changed: Any = self._instead
        return replace(layers, **changed)

    def uncovered(self) -> Iterator[PolicyStatement]:
        """Yield what allows, of the documents that are replaced, and lies within no statement of those instead."""
        given = [one for policy in self._given for one in policy.statements if one.effect is Effect.ALLOW]
        for one in (one for policy in self._own for one in policy.statements if one.effect is Effect.ALLOW):
            if not self._denials_are_kept or not any(_lies_within(one, other) for other in given):
                yield one

    def guessed(self, statement: PolicyStatement) -> Call | None:
        """Return a request that the session's documents allow and the others do not, if one is easily found."""
        return self._first(statement, lambda question: self._guess(statement, question))

    def solved(self, statement: PolicyStatement) -> Call | None:
        """Return such a request, or None if there is none. Raises NotModelled."""
        return self._first(statement, self._asked)

    def _first(self, statement: PolicyStatement, ask: Callable[[Question], Call | None]) -> Call | None:
        found = (
            ask(replace(question, resource=thing))
            for question in self._questions(statement)
            for thing in things(question)
            if not self._is_given(question.action, thing)
        )
        return next((call for call in found if call is not None), None)

    def _questions(self, statement: PolicyStatement) -> Iterator[Question]:
        caller, known = self._scene.caller(self._session), self._scene.known(self._session)
        for action in self._actions(statement):
            for target in self._targets(statement, action):
                for owner in self._owners(target, action):
                    layers = self._layers(owner)
                    yield Question(caller, action, target, layers, owner, known, beyond=self._beyond(layers))

    def _is_given(self, action: str, thing: str) -> bool:
        """Return whether each statement that allows an action on a thing says no more than one of the others'."""
        name = action.lower()
        listed = [one for policy in self._given for one in about(policy, name).allowing]
        same, given = {_plain(one) for one in listed}, [one for one in listed if _is_on(one, thing, surely=True)]
        own = [one for policy in self._own for one in about(policy, name).allowing if _is_on(one, thing, surely=False)]
        return self._denials_are_kept and all(
            _plain(one) in same or any(_asks_as_much(one, other) for other in given) for one in own
        )

    @cached_property
    def _lost(self) -> list[PolicyStatement]:
        """The denials that only the others have."""
        own = {_plain(one) for policy in self._own for one in policy.statements if one.effect is Effect.DENY}
        given = [one for policy in self._given for one in policy.statements if one.effect is Effect.DENY]
        return [one for one in given if _plain(one) not in own]

    @property
    def _denials_are_kept(self) -> bool:
        return not self._lost

    def _guess(self, statement: PolicyStatement, question: Question) -> Call | None:
        fixed = {*question.known, *question.principal.context, "aws:resourceaccount"}
        guesses = likely(statement, self._about(question.action), fixed)
        calls = (self._asked(replace(question, known={**guess, **question.known})) for guess in guesses)
        return next((call for call in calls if call is not None), None)

    def _asked(self, question: Question) -> Call | None:
        found = example(question)
        if found is None:
            return None
        return Call(self._session, question.action, found.resource, found.context, question.owner, question)

    def _about(self, action: str) -> list[PolicyStatement]:
        return [one for policy in (*self._own, *self._given) for ones in about(policy, action.lower()) for one in ones]

    def _actions(self, statement: PolicyStatement) -> Iterator[str]:
        denied = [one for lost in self._lost for one in lost.action]
        for pattern in statement.action or ("*",):
            if "*" not in pattern and "?" not in pattern:
                yield pattern
                continue
            known = self._known_actions.like(pattern)
            yield from sorted(known, key=lambda one: one not in denied)
            # Of the actions that no document names, one of each sort, as the patterns of both sides tell them apart.
            listed = [one for policy in (*self._own, *self._given) for one in policy.statements]
            wild = {one.lower() for of in listed for one in (*of.action, *of.not_action) if "*" in one or "?" in one}
            globs = frozenset(frozenset({((one, True),)}) for one in wild)
            anything = "?*:?*" if pattern == "*" else pattern.lower()
            yield from (one for one, _ in representatives(anything, globs) if _ACTION.fullmatch(one))

    def _targets(self, statement: PolicyStatement, action: str) -> Iterator[str]:
        written = [one.written for one in statement.resource]
        if written and "*" not in written and not any(one.variables for one in statement.resource):
            # What is escaped stands for itself; of all that the text could stand for, it is one.
            yield from (text_of(pieces(one, {})) for one in statement.resource)
            return
        # First what is like the things that documents name, so that an example is one that can be read.
        named = {one.written for of in self._about(action) for one in of.resource}
        yield from sorted({self._like(one) for one in named if one.count(":") > _ACCOUNT_IN_ARN})
        service = action.partition(":")[0].lower()
        service = _NAMESPACES.get(service, service)
        yield from (f"arn:aws:{service}:*:{one.id}:?*" for one in self._scene.world.accounts)
        yield from (f"arn:aws:{service}:::?*", "arn:?*")

    def _owners(self, target: str, action: str) -> Sequence[str]:
        """Return whose the target may be, as far as documents ask; who asks comes first."""
        parts = target.split(":")
        if len(parts) > _ACCOUNT_IN_ARN and parts[_ACCOUNT_IN_ARN].isdigit():
            return (parts[_ACCOUNT_IN_ARN],)
        if "aws:resourceaccount" not in {condition.key for one in self._about(action) for condition in one.condition}:
            return (self._account,)
        return tuple(dict.fromkeys((self._account, *(one.id for one in self._scene.world.accounts), FOREIGN)))

    def _like(self, resource: str) -> str:
        """Return the pattern of all things of the kind that an ARN is of."""
        *head, rest = resource.split(":", _ACCOUNT_IN_ARN + 1)
        if head[_ACCOUNT_IN_ARN] == "*":
            head[_ACCOUNT_IN_ARN] = self._account
        kind = re.match(r"[^:/*?]*[:/]", rest)
        return ":".join((*head, f"{kind[0] if kind else ''}?*"))


def _deciding(layers: Layers, instead: Iterable[str]) -> Iterator[Policy]:
    for name in instead:
        found = getattr(layers, name)
        yield from found if isinstance(found, tuple) else () if found is None else (found,)


def _actions_in(document: Mapping[str, Any]) -> Iterator[str]:
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        for key in ("Action", "NotAction"):
            written = statement.get(key, [])
            yield from [written] if isinstance(written, str) else written


def _lies_within(one: PolicyStatement, other: PolicyStatement) -> bool:
    """Return whether a statement says the same as another or less, as it is written."""
    if (one.not_action, one.not_resource) != (other.not_action, other.not_resource):
        return False
    return (
        {name.lower() for name in one.action} <= {name.lower() for name in other.action}
        and set(one.resource) <= set(other.resource)
        and _asks_as_much(one, other)
    )


def _asks_as_much(one: PolicyStatement, other: PolicyStatement) -> bool:
    """Return whether a statement has all conditions of another."""
    return set(other.condition) <= set(one.condition)


def _is_on(statement: PolicyStatement, thing: str, *, surely: bool) -> bool:
    """Return whether a statement is about a thing, or may be: of some text is only known in a request what it says."""
    named = statement.not_resource or statement.resource
    if statement.not_resource:
        return not any(_names(one, thing, surely=not surely) for one in named)
    return any(_names(one, thing, surely=surely) for one in named)


def _names(template: Template, thing: str, *, surely: bool) -> bool:
    if template.variables:
        return not surely and names(thing, with_anything(template))
    return template.written == "*" or names(thing, pieces(template, {}))


def _plain(statement: PolicyStatement) -> frozenset[tuple[str, object]]:
    """Return what a statement says, whatever it is called, wherever it stands and in whatever order it lists."""
    said = {
        "effect": statement.effect,
        "action": frozenset(one.lower() for one in statement.action),
        "not_action": frozenset(one.lower() for one in statement.not_action),
        "resource": frozenset(statement.resource),
        "not_resource": frozenset(statement.not_resource),
        "condition": frozenset(
            (one.operator, one.key, one.qualifier, one.if_exists, frozenset(one.values)) for one in statement.condition
        ),
    }
    return frozenset(said.items())
