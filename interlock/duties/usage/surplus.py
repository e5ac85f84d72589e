"""The surplus: rights that were granted and not used, each with the reason why it is granted, or without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interlock.duties.usage.granted import Granted
from interlock.duties.usage.reasons import Reasons

Used = Mapping[str, Mapping[str, int]]
"""By role and action: how often it was allowed."""


@dataclass(frozen=True)
class Right:
    """One action of one role. `because` is why it is granted although it was not used, None if nobody says."""

    role: str
    action: str
    resources: tuple[str, ...]
    used: int
    because: str | None = None

    @property
    def is_surplus(self) -> bool:
        """Whether it was not used and nobody says why it is granted."""
        return not self.used and self.because is None


@dataclass(frozen=True)
class Usage:
    """All rights by role and action, and the reasons that are none any more, in words."""

    rights: tuple[Right, ...]
    stale: tuple[str, ...]

    @property
    def surplus(self) -> tuple[Right, ...]:
        """The rights that nothing speaks for."""
        return tuple(one for one in self.rights if one.is_surplus)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that has rights, sorted."""
        return tuple(sorted({one.role for one in self.rights}))

    def of(self, role: str) -> tuple[Right, ...]:
        """Return the rights of a role."""
        return tuple(one for one in self.rights if one.role == role)

    def problems(self) -> list[str]:
        """Return what has to be removed, justified or struck, in words; nothing if least privilege holds."""
        unused = (
            f"{one.role}: {one.action} is granted on {', '.join(one.resources)} and was not used; remove it, or say why"
            for one in self.surplus
        )
        return [*unused, *self.stale]


def usage_of(granted: Granted, used: Used, reasons: Reasons) -> Usage:
    """Return how the rights that are granted were used.

    What was used without being granted came from a resource's own policy, and is no right of the role's.
    """
    known = reasons.by_right()
    rights = []
    for role, actions in sorted(granted.items()):
        for action, resources in sorted(actions.items()):
            count = used.get(role, {}).get(action, 0)
            reason = known.get((role, action))
            rights.append(Right(role, action, resources, count, reason.because if reason and not count else None))
    return Usage(tuple(rights), tuple(_stale(granted, used, reasons)))


def _stale(granted: Granted, used: Used, reasons: Reasons) -> list[str]:
    found = []
    for (role, action), reason in sorted(reasons.by_right().items()):
        if role not in granted:
            found.append(f"{role}: {action} has a reason, and there is no such role; strike the reason")
        elif action not in granted[role]:
            found.append(f"{role}: {action} has a reason, and is not granted; strike the reason")
        elif used.get(role, {}).get(action) and not reason.sometimes:
            found.append(f"{role}: {action} has a reason for lying idle, and was used; strike the reason")
    return found
