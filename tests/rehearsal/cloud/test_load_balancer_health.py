from __future__ import annotations

import pytest

from rehearsal.cloud.services.elbv2.health import Check, Health, Outcome, State, after, draining, matches

CHECK = Check("http", 80, "/", 10.0, 5.0, healthy_threshold=3, unhealthy_threshold=2, matcher="200")
PASSED, FAILED = Outcome(True), Outcome(False, "Target.Timeout", "Request timed out")


def judged(*outcomes: Outcome, start: Health | None = None) -> Health:
    health = start or Health()
    for number, outcome in enumerate(outcomes):
        health = after(health, outcome, CHECK, 10.0 * number)
    return health


def test_a_new_target_needs_one_passed_check_and_an_unhealthy_one_the_threshold() -> None:
    assert judged(PASSED).state is State.HEALTHY
    unhealthy = judged(FAILED, FAILED)
    assert unhealthy.state is State.UNHEALTHY
    assert judged(PASSED, PASSED, start=unhealthy).state is State.UNHEALTHY
    assert judged(PASSED, FAILED, PASSED, PASSED, start=unhealthy).state is State.UNHEALTHY
    assert judged(PASSED, PASSED, PASSED, start=unhealthy).state is State.HEALTHY


def test_a_healthy_target_needs_the_threshold_of_failures_in_a_row_to_be_unhealthy() -> None:
    assert judged(PASSED, FAILED).state is State.HEALTHY
    assert judged(PASSED, FAILED, PASSED, FAILED).state is State.HEALTHY
    health = judged(PASSED, FAILED, FAILED)
    assert (health.state, health.reason, health.description) == (State.UNHEALTHY, "Target.Timeout", "Request timed out")


def test_a_target_that_has_yet_to_pass_says_that_its_first_checks_are_under_way() -> None:
    assert (judged(FAILED).state, judged(FAILED).reason) == (State.INITIAL, "Elb.InitialHealthChecking")


def test_the_next_check_is_due_after_the_interval() -> None:
    assert after(Health(), PASSED, CHECK, 100.0).next_check == 110.0


def test_a_draining_target_is_not_usable_and_knows_until_when() -> None:
    health = draining(judged(PASSED), 30.0, 100.0)
    assert (health.state, health.is_usable, health.drains_until) == (State.DRAINING, False, 130.0)


@pytest.mark.parametrize(
    ("matcher", "status", "expected"),
    [
        ("200", 200, True),
        ("200", 204, False),
        ("200-299", 204, True),
        ("200,301-302", 302, True),
        ("200,301", 302, False),
    ],
)
def test_a_matcher_lists_codes_and_ranges(matcher: str, status: int, expected: bool) -> None:
    assert matches(matcher, status) is expected
