"""The targets that a load balancer's proxy may send a request to, and whose turn it is."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """Where to send a request, nowhere if the network lets none pass; `key` names the target in the status."""

    key: str
    url: str | None


class Targets:
    """Chooses among the usable targets of target groups."""

    def __init__(self) -> None:
        self._groups: dict[str, list[Target]] = {}
        self._algorithms: dict[str, str] = {}
        self._draining: set[str] = set()
        self._turns: dict[str, int] = {}

    def replace(self, groups: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over what the control plane says of each target group."""
        self._groups = {
            arn: [Target(f"{arn} {target}", _url(group, target)) for target in group["usable"]]
            for arn, group in groups.items()
        }
        self._algorithms = {arn: str(group["algorithm"]) for arn, group in groups.items()}
        self._draining = {f"{arn} {target}" for arn, group in groups.items() for target in group["draining"]}

    def is_draining(self, key: str) -> bool:
        """Return whether a target is to get no new requests."""
        return key in self._draining

    def choose(self, action: Mapping[str, Any], in_flight: Mapping[str, int]) -> Target | None:
        """Return the target of a forward action, None if its target group has none."""
        group = _group(action)
        targets = self._groups.get(group, [])
        if not targets:
            return None
        if self._algorithms[group] == "least_outstanding_requests":
            return min(targets, key=lambda target: in_flight.get(target.key, 0))
        turn = self._turns[group] = self._turns.get(group, -1) + 1
        return targets[turn % len(targets)]


def _url(group: Mapping[str, Any], target: str) -> str | None:
    place = group["places"][target]
    return f"{group['scheme']}://{place}" if place else None


def _group(action: Mapping[str, Any]) -> str:
    weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or [
        {"TargetGroupArn": action.get("TargetGroupArn")}
    ]
    weights = [int(group.get("Weight", 1)) for group in weighted]
    if not any(weights):
        weights = [1] * len(weighted)
    # Which target group a request meets is chance, not a secret.
    return str(random.choices(weighted, weights)[0]["TargetGroupArn"])  # noqa: S311
