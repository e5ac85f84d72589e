"""Which statements of a policy are about an action."""

from __future__ import annotations

import functools
from typing import Final, NamedTuple

from interlock.duties.evaluator.policy import Effect, Policy, PolicyStatement
from interlock.duties.proof.patterns import matches

_BY_ACTION: Final = "_by_action"


class About(NamedTuple):
    """The statements that are about an action, under whatever conditions."""

    allowing: tuple[PolicyStatement, ...]
    denying: tuple[PolicyStatement, ...]


def about(policy: Policy, action: str) -> About:
    """Return the statements of a policy that are about an action, given in lower case."""
    known: dict[str, About] = policy.__dict__.setdefault(_BY_ACTION, {})
    found = known.get(action)
    if found is None:
        listed = [one for one in policy.statements if _is_about(one, action)]
        found = known[action] = About(
            tuple(one for one in listed if one.effect is Effect.ALLOW),
            tuple(one for one in listed if one.effect is Effect.DENY),
        )
    return found


def allows(policy: Policy, action: str) -> bool:
    """Return whether a policy allows an action on anything, under whatever conditions."""
    return bool(about(policy, action.lower()).allowing)


def share(policy: Policy, other: Policy) -> None:
    """Let a policy know what is found out of another of the same statements."""
    policy.__dict__[_BY_ACTION] = other.__dict__.setdefault(_BY_ACTION, {})


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
