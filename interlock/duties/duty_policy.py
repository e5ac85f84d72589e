"""The identity policy of each duty's role: its row of the table as a document, and nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from interlock.duties.documents import Conditions, Statement, document, statement
from interlock.duties.landscape import Landscape, reach
from interlock.duties.rights import Right, Row

LARGEST_INLINE: Final = 10_240
LARGEST_MANAGED: Final = 6_144
"""Characters, white space aside. Source: IAM User Guide, "IAM and AWS STS quotas"."""


def identity_policy(row: Row, land: Landscape) -> str:
    """Return what the role of `row` may do, as one document however long."""
    return rights_policy(row.rights, land)


def rights_policy(rights: Sequence[Right], land: Landscape) -> str:
    """Return the document of some rights."""
    return document(*(_statement(right, land) for right in rights))


def managed_parts(row: Row, land: Landscape) -> list[tuple[Right, ...]]:
    """Return the rights of a role as IAM takes them in managed policies."""
    parts: list[tuple[Right, ...]] = [()]
    for right in row.rights:
        if size_of(rights_policy((*parts[-1], right), land)) > LARGEST_MANAGED:
            parts.append(())
        parts[-1] = (*parts[-1], right)
    return parts


def size_of(text: str) -> int:
    """Return how many characters AWS counts of a document: all but white space.

    Source: IAM User Guide, "IAM and AWS STS quotas".
    """
    return len(json.dumps(json.loads(text), separators=(",", ":")))


def merged(*conditions: Conditions) -> Conditions:
    """Return conditions that hold when all of `conditions` do; no two of them name the same key by one operator."""
    together: dict[str, dict[str, Any]] = {}
    for one in conditions:
        for operator, keys in one.items():
            known = together.setdefault(operator, {})
            twice = known.keys() & keys.keys()
            if twice:
                raise ValueError(f"{operator} of {', '.join(sorted(twice))} is said twice")
            known.update(keys)
    return together


def _statement(right: Right, land: Landscape) -> Statement:
    where = reach(right.kind, right.name, land)
    if not where.resources:
        raise ValueError(f"{right.sid}: there is no {right.kind} {right.name}".rstrip())
    return statement(
        right.sid,
        "Allow",
        right.actions,
        _listed(where.resources),
        conditions=merged(right.conditions, where.conditions) or None,
    )


def _listed(resources: Sequence[str]) -> list[str]:
    return sorted(set(resources))
