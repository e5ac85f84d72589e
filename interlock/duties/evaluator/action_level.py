"""Documents cut down to actions, for a request of which only the action is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from interlock.duties.evaluator.policy import Effect, Policy, PolicyStatement
from interlock.duties.evaluator.request import Layers


def action_level(layers: Layers) -> Layers:
    """Return what the documents say of actions alone, whatever the resource and the circumstances.

    An Allow allows its actions anywhere and always; a Deny stays only if it is on every resource and has no
    conditions. What these layers deny the full ones deny too; what they allow, the full ones may deny.
    """
    return replace(
        layers,
        identity=_cut(layers.identity),
        resource=_of_actions(layers.resource) if layers.resource else None,
        boundary=_of_actions(layers.boundary) if layers.boundary else None,
        session=_cut(layers.session),
        scps=tuple(_cut(level) for level in layers.scps),
        rcps=tuple(_cut(level) for level in layers.rcps),
    )


def _cut(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    return tuple(_of_actions(policy) for policy in policies)


def _of_actions(policy: Policy) -> Policy:
    kept = [statement for statement in policy.statements if statement.effect is Effect.ALLOW or _is_total(statement)]
    return replace(
        policy,
        statements=tuple(replace(statement, resource=(), not_resource=(), condition=()) for statement in kept),
    )


def _is_total(statement: PolicyStatement) -> bool:
    everywhere = any(resource.written == "*" for resource in statement.resource)
    nowhere_named = not statement.resource and not statement.not_resource
    return not statement.condition and not statement.not_principal and (everywhere or nowhere_named)
