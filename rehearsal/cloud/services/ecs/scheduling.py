"""What a service's scheduler does next: start, stop, or call a deployment done or failed. Pure.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html and
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_LONGEST_BACK_OFF = 900.0


class Phase(StrEnum):
    """A task as its scheduler sees it; one that has stopped is not seen any more."""

    STARTING = "starting"
    READY = "ready"
    UNHEALTHY = "unhealthy"
    STOPPING = "stopping"


@dataclass(frozen=True)
class Task:
    """One task of a service; `is_new` if it belongs to the deployment that the service goes to."""

    key: str
    phase: Phase
    is_new: bool


@dataclass(frozen=True)
class Situation:
    """What the scheduler knows. Percentages are of `desired`; `may_start` is false while starts are backed off."""

    desired: int
    minimum_percent: int
    maximum_percent: int
    tasks: Sequence[Task]
    may_start: bool
    failed_tasks: int
    breaker: bool
    in_progress: bool


@dataclass(frozen=True)
class Decision:
    """How many new tasks to start, which to stop, and whether the deployment completed or failed."""

    start: int = 0
    stop: tuple[str, ...] = ()
    completed: bool = False
    failed: bool = False


def decide(situation: Situation) -> Decision:
    """Return what to do next.

    New tasks start while the total stays within the maximum; old ones stop while the ready ones stay at or above the
    minimum; a task that is starting counts for nothing and can go at any time. An unhealthy one stays until those that
    replace it are ready, unless it takes the room that they need.
    """
    desired = situation.desired
    if situation.breaker and situation.in_progress and situation.failed_tasks >= breaker_threshold(desired):
        return Decision(failed=True)
    lowest = math.ceil(desired * situation.minimum_percent / 100)
    # At least one task more than wanted fits, or nothing could ever be replaced at 100 percent of one task.
    highest = max(math.floor(desired * situation.maximum_percent / 100), desired)
    active = [task for task in situation.tasks if task.phase is not Phase.STOPPING]
    unhealthy = [task for task in active if task.phase is Phase.UNHEALTHY]
    sound = [task for task in active if task.phase is not Phase.UNHEALTHY]
    new = [task for task in sound if task.is_new]
    old = [task for task in sound if not task.is_new]
    ready = sum(task.phase is Phase.READY for task in active)
    new_ready = sum(task.phase is Phase.READY for task in new)

    surplus = sorted(new, key=lambda task: task.phase is Phase.READY)[: max(len(new) - desired, 0)]
    stop = [task.key for task in surplus]
    ready -= sum(task.phase is Phase.READY for task in surplus)
    if situation.in_progress or old:
        for task in sorted(old, key=lambda task: task.phase is Phase.READY):
            if task.phase is Phase.STARTING:
                stop.append(task.key)
            elif ready - 1 >= lowest or new_ready >= desired:
                stop.append(task.key)
                ready -= 1
    if new_ready >= desired:
        stop += [task.key for task in unhealthy]
    elif situation.may_start and len(new) < desired and len(active) - len(stop) >= highest:
        # One at a time, those of the past first.
        stop += [task.key for task in sorted(unhealthy, key=lambda task: task.is_new)[:1]]
    start = 0
    if situation.may_start:
        start = max(min(desired - len(new), highest - (len(active) - len(stop))), 0)
    completed = situation.in_progress and new_ready >= desired and not old and not surplus and not unhealthy
    return Decision(start, tuple(stop), completed)


def breaker_threshold(desired: int) -> int:
    """Return after how many failed tasks the circuit breaker ends a deployment."""
    return min(max(math.ceil(desired * 0.5), 3), 200)


def back_off(failures_in_a_row: int) -> float:
    """Return how many seconds to wait before the next start: none after one failure, then doubling up to 15 minutes.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
    """
    return 0.0 if failures_in_a_row <= 1 else min(2.0 ** (failures_in_a_row - 1), _LONGEST_BACK_OFF)
