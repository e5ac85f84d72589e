"""The health of one target: what a load balancer concludes from its checks. Pure; times are seconds of any one clock.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """The states of DescribeTargetHealth."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"


@dataclass(frozen=True)
class Check:
    """How a target group checks: times in seconds, `matcher` as in `200-299,302`."""

    scheme: str
    port: int
    path: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str


@dataclass(frozen=True)
class Outcome:
    """What one check saw; `reason` and `description` say why it failed."""

    passed: bool
    reason: str = ""
    description: str = ""


@dataclass(frozen=True)
class Health:
    """A target's state and the checks that led to it: `passed` and `failed` count the last ones in a row."""

    state: State = State.INITIAL
    reason: str = "Elb.RegistrationInProgress"
    description: str = "Target registration is in progress"
    passed: int = 0
    failed: int = 0
    next_check: float = 0.0
    drains_until: float = 0.0

    @property
    def is_usable(self) -> bool:
        """Return whether requests go to the target."""
        return self.state is State.HEALTHY


def after(health: Health, outcome: Outcome, check: Check, now: float) -> Health:
    """Return the health after one more check.

    A new target needs but one passed check to be healthy; an unhealthy one needs the threshold.
    """
    due = now + check.interval
    if outcome.passed:
        passed = health.passed + 1
        if health.state is State.HEALTHY or health.state is State.INITIAL or passed >= check.healthy_threshold:
            return Health(State.HEALTHY, "", "", passed, 0, due)
        return replace(health, passed=passed, failed=0, next_check=due)
    failed = health.failed + 1
    if health.state is State.UNHEALTHY or failed >= check.unhealthy_threshold:
        return Health(State.UNHEALTHY, outcome.reason, outcome.description, 0, failed, due)
    if health.state is State.INITIAL:
        reason, description = "Elb.InitialHealthChecking", "Initial health checks in progress"
        return Health(State.INITIAL, reason, description, 0, failed, due)
    return replace(health, passed=0, failed=failed, next_check=due)


def draining(health: Health, delay: float, now: float) -> Health:
    """Return the health of a target just deregistered: it gets no new requests while it ends those it has."""
    description = "Target deregistration is in progress"
    return replace(
        health,
        state=State.DRAINING,
        reason="Target.DeregistrationInProgress",
        description=description,
        drains_until=now + delay,
    )


def matches(matcher: str, status: int) -> bool:
    """Return whether an HTTP status is among those a matcher such as `200,301-308` lists."""
    for part in matcher.split(","):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
