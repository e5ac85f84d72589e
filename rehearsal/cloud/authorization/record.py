"""What has been decided since the cloud began, counted by who asked for which action: the page `decisions`."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rehearsal.cloud.authorization.needs import Need
from rehearsal.cloud.callers import Caller


@dataclass
class Count:
    """The decisions about one action of one user or role."""

    how: str
    allowed: int = 0
    denied: int = 0
    first_refusal: str | None = None
    resources: list[str] = field(default_factory=list)
    """The first few that it was allowed on."""


_MOST_RESOURCES = 20
_EXACT, _BY_ACTION = "exact", "action level"


class Decisions:
    """Counts of decisions; requests of several services come at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, dict[str, Count]] = {}
        self._unreadable: dict[str, dict[str, int]] = {}

    def note(self, caller: Caller, need: Need, refused: str | None) -> None:
        """Count one decision; `refused` is why it was denied."""
        with self._lock:
            actions = self._counts.setdefault(caller.principal_arn or caller.arn, {})
            count = actions.setdefault(need.action, Count(_EXACT if need.exact else _BY_ACTION))
            if refused is None:
                count.allowed += 1
                if len(count.resources) < _MOST_RESOURCES and need.resource not in count.resources:
                    count.resources.append(need.resource)
            else:
                count.denied += 1
                count.first_refusal = count.first_refusal or refused

    def note_unreadable(self, backend: str, why: str) -> None:
        """Count one request that was refused because it is no operation of its service."""
        with self._lock:
            reasons = self._unreadable.setdefault(backend, {})
            if why in reasons or len(reasons) < _MOST_RESOURCES:
                reasons[why] = reasons.get(why, 0) + 1

    def page(self) -> Mapping[str, Any]:
        """Return totals, what is decided at action level, what could not be read, and the counts by user or role."""
        with self._lock:
            principals = {
                arn: {action: asdict(count) for action, count in sorted(actions.items())}
                for arn, actions in sorted(self._counts.items())
            }
            unreadable = {backend: dict(sorted(reasons.items())) for backend, reasons in self._unreadable.items()}
        counts = [(action, count) for actions in principals.values() for action, count in actions.items()]
        totals = {
            how: sum(count["allowed"] + count["denied"] for _, count in counts if count["how"] == how)
            for how in (_EXACT, _BY_ACTION)
        }
        return {
            "decisions": totals,
            "denied": sum(count["denied"] for _, count in counts),
            "decided_at_action_level": sorted({action for action, count in counts if count["how"] == _BY_ACTION}),
            "unreadable": unreadable,
            "principals": principals,
        }
