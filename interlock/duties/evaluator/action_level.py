"""Documents cut down to actions, for a request of which only the action is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from interlock.duties.evaluator.policy import Condition, Effect, Policy, PolicyStatement
from interlock.duties.evaluator.request import Layers


def action_level(layers: Layers, known: frozenset[str] = frozenset()) -> Layers:
    """Return what the documents say of actions alone, whatever the resource and the circumstances.

    An Allow allows its actions anywhere and always; a Deny stays only if it is on every resource and under no
    conditions but such as are on `known`, the condition keys (lower case) that the request tells whatever it is for.
    What these layers deny the full ones deny too; what they allow, the full ones may deny.
    """
    return replace(
        layers,
        identity=_cut(layers.identity, known),
        resource=_of_actions(layers.resource, known) if layers.resource else None,
        boundary=_of_actions(layers.boundary, known) if layers.boundary else None,
        session=_cut(layers.session, known),
        scps=tuple(_cut(level, known) for level in layers.scps),
        rcps=tuple(_cut(level, known) for level in layers.rcps),
    )


def _cut(policies: Iterable[Policy], known: frozenset[str]) -> tuple[Policy, ...]:
    return tuple(_of_actions(policy, known) for policy in policies)


def _of_actions(policy: Policy, known: frozenset[str]) -> Policy:
    kept = [
        replace(
            statement,
            resource=(),
            not_resource=(),
            condition=statement.condition if statement.effect is Effect.DENY else (),
        )
        for statement in policy.statements
        if statement.effect is Effect.ALLOW or _is_total(statement, known)
    ]
    return replace(policy, statements=tuple(kept))


def _is_total(statement: PolicyStatement, known: frozenset[str]) -> bool:
    everywhere = any(resource.written == "*" for resource in statement.resource)
    nowhere_named = not statement.resource and not statement.not_resource
    told = all(_is_told(condition, known) for condition in statement.condition)
    return told and not statement.not_principal and (everywhere or nowhere_named)


def _is_told(condition: Condition, known: frozenset[str]) -> bool:
    variables = {variable.key for value in condition.values for variable in value.variables}
    return {condition.key, *variables} <= known
