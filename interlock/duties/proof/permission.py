"""Whether any request of a kind would be allowed, and one that would.

The order of the layers: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic"; keys:
KMS Developer Guide, "Determining access to AWS KMS keys".
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import z3

from interlock.duties.evaluator.policy import (
    Effect,
    NamedPrincipal,
    NotModelled,
    Policy,
    PolicyStatement,
    PrincipalType,
    Template,
)
from interlock.duties.evaluator.request import Layers, Principal, PrincipalKind
from interlock.duties.evaluator.services import refused_by_aws
from interlock.duties.proof.classes import Glob, representatives
from interlock.duties.proof.conditions import hold
from interlock.duties.proof.context import Context, Known
from interlock.duties.proof.logic import Truth, both, either, every, negated, some
from interlock.duties.proof.patterns import covers, names, pieces
from interlock.duties.proof.selecting import allowing, denied_to_everybody, denies_plainly, denying, on_action

TIMEOUT_MILLISECONDS: Final = 20_000


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


class _Asked:
    """A question as a cache tells it from others: documents are the same if they are the same object."""

    def __init__(self, question: Question) -> None:
        self.question = question
        layers = question.layers
        levels = [one for level in (*layers.scps, (), *layers.rcps) for one in level]
        documents = (*layers.identity, layers.resource, layers.boundary, *layers.session, *levels)
        beyond = question.beyond
        limits = None if beyond is None else (*map(id, beyond.identity), id(beyond.boundary), id(beyond.resource))
        self._key = (
            question.principal, question.action, question.resource, question.owner, question.other_than,
            tuple(sorted(question.known.items(), key=lambda one: one[0])),
            tuple(map(len, (layers.identity, layers.session, layers.scps, layers.rcps))),
            tuple(map(id, documents)),
            limits,
        )  # fmt: skip
        self._hash = hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and other._key == self._key

    def __hash__(self) -> int:
        return self._hash


@functools.lru_cache(maxsize=1 << 17)
def _answered(asked: _Asked) -> Example | None:
    return _example(asked.question)


def example(question: Question) -> Example | None:
    """Return a request that would be allowed, or None if there is none. Raises NotModelled.

    What the solver cannot decide in time counts as NotModelled: nothing is proved by it. An answer is kept for the next
    time that the same is asked of the same documents.
    """
    return _answered(_Asked(question))


def _example(question: Question) -> Example | None:
    if not _may_grant(question) or _is_denied_plainly(question):
        return None
    context = _context(question)
    for resource in _things(question, context):
        allowed = every(_sought(question, context, resource))
        if allowed is False:
            continue
        if allowed is True:
            return Example(resource, dict(context.known))
        if (found := _solved(question, context, allowed)) is not None:
            return Example(resource, found)
    return None


def things(question: Question) -> tuple[str, ...]:
    """Return one of each sort of thing that a question is about, as the documents tell them apart."""
    return _things(question, _context(question))


def _context(question: Question) -> Context:
    known = {**question.principal.context, "aws:resourceaccount": (question.owner,), **question.known}
    return Context(known, _statements(question))


def _sought(question: Question, context: Context, resource: str) -> Iterator[Truth]:
    yield _Form(question, context, resource).allowed()
    yield _differs(question.other_than, context)
    if question.beyond is not None:
        yield negated(_Form(replace(question, layers=question.beyond), context, resource).allowed())


def _solved(question: Question, context: Context, allowed: Truth) -> Mapping[str, tuple[str, ...]] | None:
    solver = z3.Solver()
    # An interrupt ends the whole proof; by itself the solver would only give up on this question.
    solver.set("timeout", TIMEOUT_MILLISECONDS, "ctrl_c", False)
    solver.add(allowed, *context.rules)
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer != z3.sat:
        raise NotModelled(
            f"{question.action} on {question.resource} by {question.principal.name}: the solver gave up "
            f"({solver.reason_unknown()})"
        )
    return context.example(solver.model())


def _things(question: Question, context: Context) -> tuple[str, ...]:
    if "*" not in question.resource and "?" not in question.resource:
        return (question.resource,)
    globs: set[Glob] = set()
    for statement in _statements(question):
        for template in (*statement.resource, *statement.not_resource):
            if template.written == "*":
                continue
            parts = pieces(template, context.known)
            if covers(parts, question.resource) is not False:
                globs.add(parts)
    return representatives(question.resource, frozenset(globs))


def _differs(other_than: Sequence[tuple[str, str]], context: Context) -> Truth:
    return every(
        every(either(negated(slot.present), _unlike(slot.value, value)) for slot in context.slots(key))
        for key, value in other_than
    )


def _unlike(value: object, text: str) -> Truth:
    return value != text if isinstance(value, str) else value != z3.StringVal(text)


def _is_denied_plainly(question: Question) -> bool:
    layers, principal = question.layers, question.principal
    asked = (principal, question.action.lower(), question.resource)
    alone = (*layers.identity, *layers.session, *_one(layers.boundary))
    if denies_plainly(alone, *asked) or denied_to_everybody(layers.resource, *asked):
        return True
    levels = (*(layers.scps if _is_controlled(principal) else ()), *layers.rcps)
    return any(denies_plainly(level, *asked) for level in levels)


def _is_controlled(principal: Principal) -> bool:
    """Return whether service control policies have a say in what a principal does."""
    return not principal.is_service_linked and principal.kind is not PrincipalKind.SERVICE


def _statements(question: Question) -> Iterator[PolicyStatement]:
    action = question.action.lower()
    for layers in (question.layers, *([question.beyond] if question.beyond is not None else [])):
        levels = [one for level in (*layers.scps, *layers.rcps) for one in level]
        for policy in (*layers.identity, *layers.session, *_one(layers.resource), *_one(layers.boundary), *levels):
            yield from on_action(policy, action)


def _may_grant(question: Question) -> bool:
    action = question.action.lower()
    return any(
        _could_match(statement, question.resource)
        for policy in (*question.layers.identity, *_one(question.layers.resource))
        for statement in allowing(policy, action)
    )


def _could_match(statement: PolicyStatement, resource: str) -> bool:
    if not statement.resource:
        return True
    return any(
        one.variables
        or covers(tuple((part, True) for part in one.parts if isinstance(part, str)), resource) is not False
        for one in statement.resource
    )


class _Form:
    """The formula of one question."""

    def __init__(self, question: Question, context: Context, target: str) -> None:
        self.question = question
        self.context = context
        self.target = target
        self._action = question.action.lower()

    def allowed(self) -> Truth:
        return every(self._terms())

    def _terms(self) -> Iterator[Truth]:
        # One after the other, the cheap ones first, because most questions are answered by one of them.
        asked, layers = self.question, self.question.layers
        yield not refused_by_aws(asked.action, self.target, asked.principal, asked.owner)
        alone = (*_one(layers.resource), *layers.identity, *layers.session, *_one(layers.boundary))
        levels = (*self._scps(), *layers.rcps)
        policies = (*alone, *(policy for level in levels for policy in level))
        for policy in policies:
            yield negated(self._denies(policy, settled=True))
        yield self._granted()
        for policy in policies:
            yield negated(self._denies(policy, settled=False))
        for level in self._scps():
            yield self._level(level)

    def _scps(self) -> tuple[tuple[Policy, ...], ...]:
        return self.question.layers.scps if _is_controlled(self.question.principal) else ()

    def _granted(self) -> Truth:
        layers, principal = self.question.layers, self.question.principal
        identity = some(self._allows(policy) for policy in layers.identity)
        limits = every([*(self._allows(one) for one in _one(layers.boundary)), *self._session()])
        past_limits, by_role, delegated = self._resource_allows()
        if not principal.account:
            return past_limits
        if principal.account != self.question.owner:
            return every([identity, limits, some([past_limits, by_role, delegated])])
        by_name = either(past_limits, both(by_role, limits))
        if self._needs_delegation():
            return either(by_name, every([delegated, identity, limits]))
        return either(by_name, both(identity, limits))

    def _needs_delegation(self) -> bool:
        """Keys and roles are used only where their own policy says so, or leaves it to the account's IAM policies."""
        return (self._action.startswith("kms:") and ":key/" in self.question.resource) or self._action in ASSUMING

    def _session(self) -> Iterator[Truth]:
        if self.question.layers.session:
            yield some(self._allows(policy) for policy in self.question.layers.session)

    def _level(self, level: Iterable[Policy]) -> Truth:
        return some(self._allows(policy) for policy in level)

    def _denies(self, policy: Policy, *, settled: bool) -> Truth:
        """Return whether a statement denies: one whose conditions are settled by what is known, or another."""
        return some(
            self._applies(one, policy)
            for one in denying(policy, self._action)
            if all(self.context.is_settled(condition.key) for condition in one.condition) is settled
        )

    def _allows(self, policy: Policy) -> Truth:
        return some(self._applies(one, policy) for one in allowing(policy, self._action))

    def _applies(self, statement: PolicyStatement, policy: Policy) -> Truth:
        if policy is self.question.layers.resource and not _names(statement, self.question.principal, policy):
            return False
        return both(self._on_resource(statement), hold(statement.condition, self.context))

    def _resource_allows(self) -> tuple[Truth, Truth, Truth]:
        """Return whether the resource's policy allows the principal whatever limits it has, by naming its role, and by
        leaving it to its account."""
        found: dict[Naming, list[Truth]] = {how: [] for how in Naming}
        policy = self.question.layers.resource
        if policy is None:
            return False, False, False
        for statement in allowing(policy, self._action):
            how = _named(statement, self.question.principal, policy)
            if how is not None:
                met = both(self._on_resource(statement), hold(statement.condition, self.context))
                found[how].append(met)
        return some(found[Naming.ITSELF]), some(found[Naming.ROLE]), some(found[Naming.ACCOUNT])

    def _on_resource(self, statement: PolicyStatement) -> Truth:
        if statement.not_resource:
            return negated(some(self._is(one) for one in statement.not_resource))
        if not statement.resource:
            return True
        return some(self._is(one) for one in statement.resource)

    def _is(self, template: Template) -> bool:
        return template.written == "*" or names(self.target, pieces(template, self.context.known))


ASSUMING = frozenset(
    {
        "sts:assumerole", "sts:assumerolewithwebidentity", "sts:assumerolewithsaml", "sts:setsourceidentity",
        "sts:tagsession",
    }
)  # fmt: skip


def _one(policy: Policy | None) -> tuple[Policy, ...]:
    return () if policy is None else (policy,)


def _names(statement: PolicyStatement, principal: Principal, policy: Policy) -> bool:
    if statement.not_principal:
        if statement.effect is Effect.ALLOW:
            raise _all_but_some(statement, policy)
        return not any(_is_named(one, principal) for one in statement.not_principal)
    return any(_is_named(one, principal) for one in statement.principal)


def _all_but_some(statement: PolicyStatement, policy: Policy) -> NotModelled:
    return NotModelled(f"{policy.name}: {statement.label}: the proof does not model NotPrincipal with Allow")


class Naming(StrEnum):
    """How a resource's policy names somebody, from what grants most to what grants least."""

    ITSELF = "itself"
    """The session, the user, the service or anyone: no boundary limits what that allows."""
    ROLE = "role"
    """The role: its boundary still limits."""
    ACCOUNT = "account"
    """The account, whose IAM policies decide."""


def _named(statement: PolicyStatement, principal: Principal, policy: Policy) -> Naming | None:
    if statement.not_principal:
        raise _all_but_some(statement, policy)
    found = {_is_named(one, principal) for one in statement.principal}
    return next((how for how in Naming if how in found), None)


def _is_named(named: NamedPrincipal, principal: Principal) -> Naming | None:
    if named.name == "*":
        return Naming.ITSELF
    if named.type is PrincipalType.SERVICE:
        return Naming.ITSELF if principal.kind is PrincipalKind.SERVICE and named.name == principal.name else None
    if named.type is PrincipalType.FEDERATED:
        provider = principal.kind is PrincipalKind.IDENTITY_PROVIDER
        return Naming.ITSELF if provider and named.name == principal.name else None
    if named.type is not PrincipalType.AWS or not principal.account:
        return None
    if named.name == principal.name:
        return Naming.ITSELF
    if named.name == principal.entity:
        return Naming.ROLE
    partition = principal.name.split(":")[1]
    return (
        Naming.ACCOUNT if named.name in (principal.account, f"arn:{partition}:iam::{principal.account}:root") else None
    )
