"""What one policy says of a request: which of its statements apply, surely or perhaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from interlock.duties.evaluator.conditions import holds
from interlock.duties.evaluator.logic import Truth, every
from interlock.duties.evaluator.matching import Naming, action_matches, principal_matches, resource_matches
from interlock.duties.evaluator.policy import Effect, Policy, PolicyKind, PolicyStatement
from interlock.duties.evaluator.request import Request


@dataclass(frozen=True)
class Applying:
    """A statement that applies, or of which that is unknown; `naming` says how closely it names who asks."""

    policy: str
    kind: PolicyKind
    statement: PolicyStatement
    truth: Truth
    naming: Naming

    def __str__(self) -> str:
        return f"{self.statement.label} of {self.kind} {self.policy!r}"


@dataclass(slots=True)
class Voice:
    """What some policies say together: their applying statements, by effect and by certainty."""

    denies: list[Applying] = field(default_factory=list)
    may_deny: list[Applying] = field(default_factory=list)
    allows: list[Applying] = field(default_factory=list)
    may_allow: list[Applying] = field(default_factory=list)

    def add(self, applying: Applying) -> None:
        sure = applying.truth is Truth.YES
        if applying.statement.effect is Effect.DENY:
            (self.denies if sure else self.may_deny).append(applying)
        else:
            (self.allows if sure else self.may_allow).append(applying)


def heard(policies: Iterable[Policy], request: Request) -> Voice:
    """Return what policies say of a request."""
    voice = Voice()
    for policy in policies:
        for statement in _about(policy, request.action):
            truth, naming = _applies(statement, request)
            if truth is not Truth.NO:
                voice.add(Applying(policy.name, policy.kind, statement, truth, naming))
    return voice


_BY_ACTION: Final = "_heard_by_action"


def _about(policy: Policy, action: str) -> Sequence[PolicyStatement]:
    """Return the statements about an action; a policy is asked about few actions, and about each many times."""
    known: dict[str, Sequence[PolicyStatement]] = policy.__dict__.setdefault(_BY_ACTION, {})
    if action not in known:
        known[action] = [one for one in policy.statements if action_matches(one, action)]
    return known[action]


def _applies(statement: PolicyStatement, request: Request) -> tuple[Truth, Naming]:
    about, naming = principal_matches(statement, request.principal)
    if about is Truth.NO:
        return Truth.NO, naming
    on = resource_matches(statement, request)
    if on is Truth.NO:
        return on, naming
    conditions = every(holds(condition, request.values, request.complete) for condition in statement.condition)
    return min(about, on, conditions), naming


def open_questions(applying: Applying, request: Request) -> Sequence[str]:
    """Return why it is unknown whether a statement applies, a phrase each."""
    statement = applying.statement
    found = [
        f"the request does not settle {condition}"
        for condition in statement.condition
        if holds(condition, request.values, request.complete) is Truth.UNKNOWN
    ]
    if resource_matches(statement, request) is Truth.UNKNOWN:
        found.append("the request does not tell a variable in its resource")
    if principal_matches(statement, request.principal)[0] is Truth.UNKNOWN:
        found.append("NotPrincipal lists the principal but not its role or its account")
    return found
