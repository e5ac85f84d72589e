"""A container's own health check: what repeated outcomes mean. Pure; times are seconds of the monotonic clock.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class CheckSettings:
    """How a container is checked; times in seconds."""

    command: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float


@dataclass(frozen=True)
class Checked:
    """What is known of a container that started at `started`."""

    started: float
    status: str = "UNKNOWN"
    failures: int = 0

    def after(self, passed: bool, settings: CheckSettings, now: float) -> Checked:
        """Return what is known after one more check: failures in the start period do not count, a success ends it."""
        if passed:
            return replace(self, status="HEALTHY", failures=0)
        if self.status == "UNKNOWN" and now - self.started < settings.start_period:
            return self
        failures = self.failures + 1
        return replace(self, failures=failures, status="UNHEALTHY" if failures >= settings.retries else self.status)


def settings_of(declared: Mapping[str, Any] | None) -> CheckSettings | None:
    """Return a task definition's `healthCheck`, None where there is none: ECS ignores the image's own."""
    if not declared or not declared.get("command") or declared["command"][0] == "NONE":
        return None
    kind, *words = (str(word) for word in declared["command"])
    command = (
        ("/bin/sh", "-c", " ".join(words)) if kind == "CMD-SHELL" else tuple(words if kind == "CMD" else [kind, *words])
    )
    return CheckSettings(
        command,
        float(declared.get("interval") or 30),
        float(declared.get("timeout") or 5),
        int(declared.get("retries") or 3),
        float(declared.get("startPeriod") or 0),
    )
