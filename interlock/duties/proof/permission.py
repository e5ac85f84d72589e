"""Whether any request of a kind would be allowed, and one that would.

Keys: KMS Developer Guide, "Determining access to AWS KMS keys".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from interlock.duties.evaluator.policy import Effect, NotModelled, Policy, PolicyStatement
from interlock.duties.evaluator.request import Layers, Principal
from interlock.duties.evaluator.services import (
    TRUSTED_ACTIONS,
    heeds_resource_control,
    is_beside_keys,
    is_of_keys,
    refused_by_aws,
)
from interlock.duties.proof.addressing import Naming, closest, is_about
from interlock.duties.proof.classes import Group, representatives
from interlock.duties.proof.facts import Facts, Known
from interlock.duties.proof.filling import cases_of
from interlock.duties.proof.formula import Formula, Truth, Unlike, every, negated, some, still_open
from interlock.duties.proof.granting import Grants, Level, Said
from interlock.duties.proof.patterns import Unfilled
from interlock.duties.proof.selecting import about
from interlock.duties.proof.solving import solution
from interlock.duties.proof.targets import is_pattern, targets

KEYS: Final[Group] = frozenset(
    ((f"arn:*?:kms:{region}:{account}:key/?*", True),) for region in ("", "*?") for account in ("", "*?")
)
"""All keys, which AWS itself treats otherwise than what else a pattern may stand for."""


_ID: Final = re.compile(r":key/[^:/]+$")


@dataclass(frozen=True)
class Question:
    """Could `principal` do `action` on something that `resource`, an ARN or a pattern of one, stands for?"""

    principal: Principal
    action: str
    resource: str
    layers: Layers
    owner: str
    """The account that the resource lies in."""
    known: Known = field(default_factory=dict)
    other_than: tuple[tuple[str, str], ...] = ()
    """Condition keys in lower case, each with a value that it must not have; the key may be missing."""
    beyond: Layers | None = None
    """Documents that must not allow it."""


@dataclass(frozen=True)
class Example:
    """A request that is allowed."""

    resource: str
    context: Mapping[str, tuple[str, ...]]


def example(question: Question) -> Example | None:
    """Return a request that would be allowed, or None if there is none. Raises NotModelled."""
    try:
        return _example(question)
    except Unfilled as open_:
        cases = (_example(one) for one in cases_of(question, open_))
        return next((found for found in cases if found is not None), None)


def _example(question: Question) -> Example | None:
    facts = _facts(question)
    case = _Case(question, question.layers, facts)
    if not case.is_possible:
        return None
    beyond = None if question.beyond is None else _Case(question, question.beyond, facts)
    if beyond is not None and beyond.unfilled is not None:
        raise beyond.unfilled
    elsewhere = [_unlike(facts, key, value) for key, value in question.other_than]
    for thing, groups in _sorts(question, case, beyond):
        terms = chain(case.terms(thing, groups), elsewhere)
        allowed = every(terms)
        if beyond is not None and allowed is not False:
            allowed = every((allowed, negated(every(beyond.terms(thing, groups)))))
        free = {} if allowed is True else _solved(question, allowed) if allowed is not False else None
        if free is not None:
            if case.unfilled is not None:
                raise case.unfilled
            return Example(thing, {**facts.known, **free})
    return None


def things(question: Question) -> tuple[str, ...]:
    """Return one of each sort of thing that a question is about, as the documents tell them apart."""
    try:
        return _things(question)
    except Unfilled as open_:
        return tuple(dict.fromkeys(thing for one in cases_of(question, open_) for thing in _things(one)))


def _things(question: Question) -> tuple[str, ...]:
    facts = _facts(question)
    beyond = None if question.beyond is None else _Case(question, question.beyond, facts)
    return tuple(thing for thing, _ in _sorts(question, _Case(question, question.layers, facts), beyond))


def _facts(question: Question) -> Facts:
    return Facts({**question.principal.context, "aws:resourceaccount": (question.owner,), **question.known})


def _sorts(question: Question, case: _Case, beyond: _Case | None) -> Iterable[tuple[str, frozenset[Group]]]:
    """Return one of each sort of thing that a question is about, with the groups that tell it from others."""
    if not is_pattern(question.resource):
        return ((question.resource, frozenset()),)
    statements = chain(case.statements, beyond.statements if beyond is not None else ())
    groups = {one.group for one in statements if one.group is not None}
    of_keys = is_of_keys(question.action)
    if not of_keys and not is_beside_keys(question.action):
        return representatives(question.resource, frozenset(groups))
    # Of all that a pattern may stand for, what KMS would do it on.
    found = representatives(question.resource, frozenset({*groups, KEYS}))
    return tuple(one for one in found if (KEYS in one[1]) is of_keys and (not of_keys or _ID.search(one[0])))


def _solved(question: Question, formula: Formula) -> Mapping[str, tuple[str, ...]] | None:
    try:
        return solution(formula)
    except NotModelled as error:
        asked = f"{question.action} on {question.resource} by {question.principal.name}"
        raise NotModelled(f"{asked}: {error}") from error


def _unlike(facts: Facts, key: str, value: str) -> Truth:
    if key in facts.given:
        return value not in (facts.given[key] or ())
    return still_open(Unlike(key, value))


class _Case:
    """One question to some documents, with the statements that have a say in it."""

    def __init__(self, question: Question, layers: Layers, facts: Facts) -> None:
        self._question = question
        self._layers = layers
        self._principal = question.principal
        self._action = question.action.lower()
        self._facts = facts
        controlled = not question.principal.is_service_linked
        self._scps = layers.scps if controlled and self._principal.account else ()
        heeded = controlled and heeds_resource_control(self._action)
        self._rcps = [one for level in layers.rcps for one in level] if heeded else []

        self.unfilled: Unfilled | None = None
        """What leaves open whether a denial applies: without it, more is allowed."""

        # What is worked out first is what most questions are answered by.
        denials = self._found_denials() if self._may_be_granted() else None
        self._denials: Sequence[Said] = denials or ()
        self._grants = self._found_grants() if denials is not None else None
        self.is_possible = self._grants is not None and self._grants.are_any
        """Whether anything allows it and nothing surely denies it, as far as that is seen at once."""
        self._levels = [self._allowing(level) for level in self._scps] if self.is_possible else []

    def terms(self, thing: str, groups: frozenset[Group]) -> Iterator[Truth]:
        """Yield what has to hold for a thing of the given groups to be allowed."""
        asked = self._question
        yield not refused_by_aws(asked.action, thing, asked.principal, asked.owner)
        for one in self._denials:
            yield negated(one.applies(groups))
        yield self._grants is not None and self._grants.granted(groups)
        for level in self._levels:
            yield some(one.applies(groups) for one in level)

    @property
    def statements(self) -> Iterable[Said]:
        """What tells things apart."""
        return chain(self._denials, *self._levels, self._grants.statements if self._grants is not None else ())

    def _found_grants(self) -> Grants:
        layers = self._layers
        limits = [[one] for one in _one(layers.boundary)] + ([list(layers.session)] if layers.session else [])
        return Grants(
            identity=self._allowing(layers.identity),
            limits=[self._allowing(one) for one in limits],
            resource=self._allowing_by_resource(),
            needs_delegation=self._needs_delegation(),
            is_nobodys=not self._principal.account,
            is_abroad=self._principal.account != self._question.owner,
        )

    def _may_be_granted(self) -> bool:
        """Return whether anything allows it, under whatever conditions."""
        return any(
            self._may_name(one)
            for policy in (*self._layers.identity, *_one(self._layers.resource))
            for one in about(policy, self._action).allowing
        )

    def _found_denials(self) -> list[Said] | None:
        """Return what might deny it, or None if something surely does."""
        found: list[Said] = []
        for one in self._denying():
            try:
                said = self._said(one)
            except Unfilled as open_:
                if open_.key not in self._facts.given:
                    raise
                said, self.unfilled = None, open_
            if said is not None:
                if said.conditions is True and said.group is None:
                    return None
                found.append(said)
        return found

    def _denying(self) -> Iterator[PolicyStatement]:
        layers = self._layers
        alone = (*layers.identity, *layers.session, *_one(layers.boundary))
        for policy in chain(alone, chain.from_iterable(self._scps), self._rcps):
            yield from about(policy, self._action).denying
        if layers.resource is not None:
            for one in about(layers.resource, self._action).denying:
                if is_about(one, self._principal, layers.resource):
                    yield one

    def _allowing(self, policies: Iterable[Policy]) -> Level:
        """Return what might allow it of some policies."""
        said = (self._said(one) for policy in policies for one in about(policy, self._action).allowing)
        return [one for one in said if one is not None]

    def _allowing_by_resource(self) -> Mapping[Naming, Level]:
        """Return what might allow it of the resource's policy, by how closely it names who asks."""
        found: dict[Naming, list[Said]] = {how: [] for how in Naming}
        policy = self._layers.resource
        for one in about(policy, self._action).allowing if policy is not None else ():
            assert policy is not None
            how = closest(one, self._principal, policy)
            if how is not None and (said := self._said(one)) is not None:
                found[how].append(said)
        return found

    def _names(self, statement: PolicyStatement) -> bool | None:
        named = targets(statement)
        if named is None:
            return True
        found = named.hold(self._question.resource, self._facts)
        return found if found is None or statement.resource else not found

    def _may_name(self, statement: PolicyStatement) -> bool:
        try:
            return self._names(statement) is not False
        except Unfilled as unfilled:
            if unfilled.key not in self._facts.given:
                raise
            return True

    def _said(self, statement: PolicyStatement) -> Said | None:
        """Return what a statement says here, None if nothing.

        What a variable stands for whose key the request lacks AWS does not say. Nothing is allowed by it; of a denial
        it is open, unless its conditions are not met.
        """
        try:
            return self._filled_in(statement)
        except Unfilled as unfilled:
            if unfilled.key not in self._facts.given:
                raise
            if statement.effect is Effect.DENY and self._facts.met(statement.condition) is not False:
                raise
            return None

    def _filled_in(self, statement: PolicyStatement) -> Said | None:
        names = self._names(statement)
        if names is False:
            return None
        conditions = self._facts.met(statement.condition)
        if conditions is False:
            return None
        named = targets(statement)
        if names is True or named is None:
            return Said(conditions, None, but=False)
        return Said(conditions, named.group(self._question.resource, self._facts), not statement.resource)

    def _needs_delegation(self) -> bool:
        """Keys and roles are used only where their own policy says so, or leaves it to the account's IAM policies."""
        asked = self._question.resource
        on_keys = is_of_keys(self._action) and is_pattern(asked)
        return on_keys or (self._action.startswith("kms:") and ":key/" in asked) or self._action in TRUSTED_ACTIONS


def _one(policy: Policy | None) -> tuple[Policy, ...]:
    return () if policy is None else (policy,)
