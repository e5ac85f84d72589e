"""What the statements about a question say, and whether the layers that have to agree grant it.

The order of the layers: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from interlock.duties.proof.addressing import Naming
from interlock.duties.proof.classes import Group
from interlock.duties.proof.formula import Truth, every, some


class Said(NamedTuple):
    """A statement of which the principal, the action and what is known leave something open, or nothing."""

    conditions: Truth
    group: Group | None
    """What it names of what the question is about; None for all of it."""
    but: bool
    """Whether it is about all but what it names."""

    def applies(self, groups: frozenset[Group]) -> Truth:
        """Return whether it applies to a thing of the given groups."""
        if self.group is None or (self.group in groups) is not self.but:
            return self.conditions
        return False


Level = Sequence[Said]


@dataclass(frozen=True)
class Grants:
    """What allows an action, by the layers that have to agree."""

    identity: Level
    limits: Sequence[Level]
    resource: Mapping[Naming, Level]
    needs_delegation: bool
    is_nobodys: bool
    is_abroad: bool

    @property
    def are_any(self) -> bool:
        return bool(self.identity or any(self.resource.values()))

    @property
    def statements(self) -> Iterator[Said]:
        return chain(self.identity, *self.limits, *self.resource.values())

    def granted(self, groups: frozenset[Group]) -> Truth:
        """Return whether a thing of the given groups is granted."""
        itself, by_role, delegated = (_any(self.resource[how], groups) for how in Naming)
        if self.is_nobodys or (itself is True and not self.is_abroad):
            return itself
        limits = every(_any(one, groups) for one in self.limits)
        identity = every((_any(self.identity, groups), limits))
        if self.is_abroad:
            return every((identity, some((itself, by_role, delegated))))
        own = every((delegated, identity)) if self.needs_delegation else identity
        return some((itself, every((by_role, limits)), own))


def _any(level: Level, groups: frozenset[Group]) -> Truth:
    return some(one.applies(groups) for one in level)
