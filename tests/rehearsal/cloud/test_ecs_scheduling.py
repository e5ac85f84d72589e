from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.services.ecs.health import Checked, CheckSettings, settings_of
from rehearsal.cloud.services.ecs.scheduling import (
    Decision,
    Phase,
    Situation,
    Task,
    back_off,
    breaker_threshold,
    decide,
)

S, R, U, X = Phase.STARTING, Phase.READY, Phase.UNHEALTHY, Phase.STOPPING


def situation(new: Sequence[Phase] = (), old: Sequence[Phase] = (), **given: Any) -> Situation:
    tasks = [Task(f"new-{n}", phase, True) for n, phase in enumerate(new)]
    tasks += [Task(f"old-{n}", phase, False) for n, phase in enumerate(old)]
    defaults = {
        "desired": 2,
        "minimum_percent": 100,
        "maximum_percent": 200,
        "may_start": True,
        "failed_tasks": 0,
        "breaker": False,
        "in_progress": True,
    }
    return Situation(tasks=tasks, **{**defaults, **given})


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (situation(), Decision(start=2)),
        (situation(may_start=False), Decision()),
        (situation(new=[S, S]), Decision()),
        (situation(new=[R, S]), Decision()),
        (situation(new=[R, R]), Decision(completed=True)),
        (situation(new=[R, R], in_progress=False), Decision()),
        (situation(new=[R, X], in_progress=False), Decision(start=1)),
        (situation(old=[R, R]), Decision(start=2)),
        (situation(new=[S, S], old=[R, R]), Decision()),
        (situation(new=[R, S], old=[R, R]), Decision(stop=("old-0",))),
        (situation(new=[R, R], old=[R, R]), Decision(stop=("old-0", "old-1"))),
        (situation(new=[R, R], old=[X]), Decision(completed=True)),
        (situation(old=[R, R], maximum_percent=100, minimum_percent=50), Decision(start=1, stop=("old-0",))),
        (situation(new=[R, R], old=[S]), Decision(stop=("old-0",))),
        (situation(new=[R, R, R], in_progress=False, desired=1), Decision(stop=("new-0", "new-1"))),
        (situation(new=[R, S], in_progress=False, desired=1), Decision(stop=("new-1",))),
        (situation(new=[R, R], desired=0, in_progress=False), Decision(stop=("new-0", "new-1"))),
        (situation(desired=0), Decision(completed=True)),
        # A replacement first, where there is room for it.
        (situation(new=[R, U], in_progress=False), Decision(start=1)),
        (situation(new=[R, U, S], in_progress=False), Decision()),
        (situation(new=[R, U, R], in_progress=False), Decision(stop=("new-1",))),
        (situation(new=[U, U], in_progress=False, maximum_percent=100), Decision(start=1, stop=("new-0",))),
        (situation(new=[U, U, S], in_progress=False, maximum_percent=150), Decision(start=1, stop=("new-0",))),
        (situation(new=[S, S], old=[U, U]), Decision()),
        (situation(new=[R, R], old=[U]), Decision(stop=("old-0",))),
        (situation(new=[U], old=[R], desired=1), Decision(start=1, stop=("new-0",))),
        (situation(new=[U, R], in_progress=False, desired=1), Decision(stop=("new-0",))),
        (situation(failed_tasks=3, breaker=True), Decision(failed=True)),
        (situation(failed_tasks=2, breaker=True), Decision(start=2)),
        (situation(failed_tasks=9, breaker=False), Decision(start=2)),
    ],
)
def test_the_next_step_of_a_deployment(seen: Situation, expected: Decision) -> None:
    assert decide(seen) == expected


@given(
    desired=st.integers(1, 6),
    minimum=st.integers(0, 100),
    maximum=st.integers(100, 300),
    new=st.lists(st.sampled_from([S, R, U, X]), max_size=8),
    old=st.lists(st.sampled_from([S, R, U, X]), max_size=8),
)
def test_a_rollout_never_stops_a_ready_task_below_the_minimum_nor_starts_above_the_maximum(
    desired: int, minimum: int, maximum: int, new: list[Phase], old: list[Phase]
) -> None:
    seen = situation(new, old, desired=desired, minimum_percent=minimum, maximum_percent=maximum)
    decision = decide(seen)
    phases = {task.key: task.phase for task in seen.tasks}
    ready = sum(phase is R for phase in phases.values())
    left = ready - sum(phases[key] is R for key in decision.stop)
    active = sum(phase is not X for phase in phases.values()) - len(decision.stop)

    assert left >= min(ready, -(-desired * minimum // 100)) or left >= desired
    if decision.start:
        assert active + decision.start <= max(desired * maximum // 100, desired)


@given(desired=st.integers(1, 4), maximum=st.integers(100, 200), minimum=st.integers(0, 99))
def test_a_rollout_comes_to_its_end(desired: int, maximum: int, minimum: int) -> None:
    new: list[Phase] = []
    old = [R] * desired
    for _ in range(20):
        decision = decide(situation(new, old, desired=desired, minimum_percent=minimum, maximum_percent=maximum))
        if decision.completed:
            return
        old = [phase for n, phase in enumerate(old) if f"old-{n}" not in decision.stop]
        new = [R] * (len(new) + decision.start)
    if maximum * desired // 100 > desired or minimum * desired <= (desired - 1) * 100:
        pytest.fail("the rollout never completed")


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 0), (2, 2), (3, 4), (5, 16), (30, 900)])
def test_starts_that_keep_failing_are_backed_off(failures: int, seconds: float) -> None:
    assert back_off(failures) == seconds


@pytest.mark.parametrize(("desired", "threshold"), [(1, 3), (6, 3), (25, 13), (1000, 200)])
def test_the_circuit_breaker_waits_for_half_of_the_tasks_but_three_and_at_most_two_hundred(
    desired: int, threshold: int
) -> None:
    assert breaker_threshold(desired) == threshold


def test_a_health_check_is_read_as_ecs_reads_it() -> None:
    assert settings_of(None) is None
    assert settings_of({"command": ["NONE"]}) is None
    shell = settings_of({"command": ["CMD-SHELL", "curl -f http://localhost || exit 1"], "startPeriod": 7})
    assert shell == CheckSettings(("/bin/sh", "-c", "curl -f http://localhost || exit 1"), 30.0, 5.0, 3, 7.0)
    direct = settings_of({"command": ["CMD", "true", "x y"], "interval": 5, "timeout": 2, "retries": 1})
    assert direct == CheckSettings(("true", "x y"), 5.0, 2.0, 1, 0.0)


def test_failures_in_the_start_period_do_not_count_but_a_success_ends_it() -> None:
    settings = CheckSettings(("true",), 1.0, 1.0, retries=2, start_period=10.0)
    checked = Checked(started=0.0)
    for now in (1.0, 2.0, 3.0):
        checked = checked.after(False, settings, now)
    assert checked.status == "UNKNOWN"
    checked = checked.after(True, settings, 4.0)
    assert checked.status == "HEALTHY"
    checked = checked.after(False, settings, 5.0)
    assert checked.status == "HEALTHY"
    assert checked.after(False, settings, 6.0).status == "UNHEALTHY"
