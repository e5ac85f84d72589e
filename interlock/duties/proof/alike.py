"""Which principals no document tells apart: whatever is asked of one of them is answered alike of the others.

They have the same documents and tags in the same account, no document names one of them, and every condition on who
asks comes to the same for them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.policy import Condition, Policy, PolicyStatement, Template
from interlock.duties.proof.facts import Facts
from interlock.duties.world import NamedDocument, Principal, canonical

_NAMES: Final = frozenset({"aws:principalarn", "aws:username", "aws:userid"})
"""Condition keys that the name of a principal decides."""


class Likeness:
    """Tells principals apart as some policies do."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._named: set[str] = set()
        conditions: dict[Condition, None] = {}
        self._fills_in_names = False
        seen: set[int] = set()
        for policy in policies:
            if id(policy.statements) in seen:
                continue
            seen.add(id(policy.statements))
            for statement in policy.statements:
                self._named.update(one.name for one in (*statement.principal, *statement.not_principal))
                conditions |= dict.fromkeys(one for one in statement.condition if one.key in _NAMES)
                self._fills_in_names |= any(_fills_in_name(one) for one in _templates(statement))
        self._conditions = tuple(conditions)

    def of(self, principal: Principal, caller: request.Principal) -> Hashable:
        """Return what principals that are alike have in common."""
        if self._fills_in_names or principal.arn in self._named or caller.name in self._named:
            return principal.arn
        facts = Facts({key: caller.context.get(key) for key in _NAMES})
        return (
            *principal.arn.split(":")[:5], principal.kind, caller.is_service_linked, principal.duty,
            tuple(sorted(principal.tags.items())),
            None if principal.trust is None else canonical(principal.trust),
            tuple(canonical(one.document) for one in principal.identity), _written(principal.boundary),
            tuple(facts.met((one,)) for one in self._conditions),
        )  # fmt: skip


def _written(boundary: NamedDocument | None) -> tuple[str, str | None] | None:
    return None if boundary is None else (canonical(boundary.document), boundary.editable_arn)


def _templates(statement: PolicyStatement) -> Iterable[Template]:
    yield from statement.resource
    yield from statement.not_resource
    for condition in statement.condition:
        yield from condition.values


def _fills_in_name(template: Template) -> bool:
    return any(one.key in _NAMES for one in template.variables)
