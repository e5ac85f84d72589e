"""Which statements of a policy are about an action, and whether one of them denies it beyond doubt.

Most questions are answered here, before a solver is asked anything.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from interlock.duties.evaluator.policy import Condition, Effect, Policy, PolicyStatement
from interlock.duties.evaluator.request import Principal
from interlock.duties.proof.conditions import hold
from interlock.duties.proof.context import Context
from interlock.duties.proof.patterns import matches, names, pieces

_BY_ACTION = "_by_action"
_OF_CALLERS = "_of_callers"
_CALLER = frozenset({"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice"})
"""Condition keys that the principal alone decides, where it has an account."""
_About = tuple[tuple[PolicyStatement, ...], tuple[PolicyStatement, ...]]


def on_action(policy: Policy, action: str) -> tuple[PolicyStatement, ...]:
    """Return the statements of a policy that are about an action, given in lower case."""
    allowing, denying = _about(policy, action)
    return (*allowing, *denying) if denying else allowing


def allowing(policy: Policy, action: str) -> tuple[PolicyStatement, ...]:
    """Return those that allow it, under whatever conditions."""
    return _about(policy, action)[0]


def denying(policy: Policy, action: str) -> tuple[PolicyStatement, ...]:
    """Return those that deny it, under whatever conditions."""
    return _about(policy, action)[1]


def allows(policy: Policy, action: str) -> bool:
    """Return whether a policy allows an action on anything, under whatever conditions."""
    return bool(allowing(policy, action.lower()))


def denies_plainly(policies: Iterable[Policy], principal: Principal, action: str, resource: str) -> bool:
    """Return whether a statement denies the action on everything that `resource` stands for, whatever the request.

    Of the policies, none may be a resource's: whom those are about is for the caller to see. False decides nothing.
    """
    return any(
        _is_on(statement, resource) and applies_to(statement.condition, principal)
        for policy in policies
        for statement in denying(policy, action)
    )


def denied_to_everybody(policy: Policy | None, principal: Principal, action: str, resource: str) -> bool:
    """Return whether a resource's policy denies the action to everybody of the principal's kind."""
    return policy is not None and any(
        any(one.name == "*" for one in statement.principal)
        and _is_on(statement, resource)
        and applies_to(statement.condition, principal)
        for statement in denying(policy, action)
    )


def applies_to(conditions: Sequence[Condition], principal: Principal) -> bool:
    """Return whether conditions hold of every request of a principal; False if the request has a say in it."""
    if not conditions:
        return True
    if not principal.account:
        return False
    return all(_is_met(one, principal) for one in conditions)


def _is_met(condition: Condition, principal: Principal) -> bool:
    if condition.key not in _CALLER or any(value.variables for value in condition.values):
        return False
    # A condition is asked of few principals many times; what it was answered lies with it.
    known: dict[str, bool] = condition.__dict__.setdefault(_OF_CALLERS, {})
    who = principal.entity or principal.name
    if who not in known:
        known[who] = hold((condition,), Context(principal.context, ())) is True
    return known[who]


def _is_on(statement: PolicyStatement, resource: str) -> bool:
    if not statement.resource:
        return not statement.not_resource
    if any(one.written == "*" for one in statement.resource):
        return True
    if "*" in resource or "?" in resource:
        return False
    return any(not one.variables and names(resource, pieces(one, {})) for one in statement.resource)


def _about(policy: Policy, action: str) -> _About:
    known: dict[str, _About] = policy.__dict__.setdefault(_BY_ACTION, {})
    found = known.get(action)
    if found is None:
        about = tuple(one for one in policy.statements if _is_about(one, action))
        found = known[action] = (
            tuple(one for one in about if one.effect is Effect.ALLOW),
            tuple(one for one in about if one.effect is Effect.DENY),
        )
    return found


def _is_about(statement: PolicyStatement, action: str) -> bool:
    if statement.not_action:
        return not any(_action_matches(one, action) for one in statement.not_action)
    return any(_action_matches(one, action) for one in statement.action)


@functools.lru_cache(maxsize=1 << 16)
def _action_matches(pattern: str, action: str) -> bool:
    pattern = pattern.lower()
    if "*" not in pattern and "?" not in pattern:
        return pattern == action
    return matches(action, ((pattern, True),)) is True
