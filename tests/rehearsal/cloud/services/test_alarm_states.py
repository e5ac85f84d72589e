"""The state of an alarm, by the tables of AWS's documentation on missing data."""

from __future__ import annotations

import pytest

from rehearsal.cloud.services.cloudwatch.alarms import composite
from rehearsal.cloud.services.cloudwatch.alarms.states import Missing, Rule, State, state
from rehearsal.cloud.services.cloudwatch.errors import Refusal

MISSING: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")
ALARM, OK, NO_DATA, KEPT = "ALARM", "OK", "INSUFFICIENT_DATA", None


def points(text: str) -> list[float | None]:
    return [{"0": 0.0, "X": 10.0, "-": None}[mark] for mark in text.split()]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("0 - X - X", (OK, OK, OK, OK)),
        ("0 - - - -", (OK, OK, OK, OK)),
        ("- - - - -", (NO_DATA, KEPT, ALARM, OK)),
        ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_three_out_of_three(shown: str, expected: tuple[State | None, ...]) -> None:
    found = tuple(state(Rule("GreaterThanThreshold", 5, 3, 3, missing), points(shown)) for missing in MISSING)
    assert found == expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
        ("0 - X - -", (OK, OK, ALARM, OK)),
        ("- - - - 0", (OK, OK, ALARM, OK)),
        ("- - - X -", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_two_out_of_three(shown: str, expected: tuple[State | None, ...]) -> None:
    found = tuple(state(Rule("GreaterThanThreshold", 5, 3, 2, missing), points(shown)) for missing in MISSING)
    assert found == expected


@pytest.mark.parametrize(
    ("comparison", "breaches"),
    [
        ("GreaterThanThreshold", False),
        ("GreaterThanOrEqualToThreshold", True),
        ("LessThanThreshold", False),
        ("LessThanOrEqualToThreshold", True),
    ],
)
def test_the_threshold_itself_breaches_only_where_it_says_or_equal(comparison: str, breaches: bool) -> None:
    assert Rule(comparison, 5.0, 1, 1).breaches(5.0) is breaches


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(a)", True),
        ('ALARM("a") AND OK("b c")', True),
        ("ALARM(a) AND NOT OK('b c')", False),
        ("OK(a) OR (ALARM(a) AND TRUE)", True),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a)", True),
        ("INSUFFICIENT_DATA(unknown)", False),
    ],
)
def test_composite_rules(rule: str, holds: bool) -> None:
    read, _ = composite.read(rule)
    assert read({"a": "ALARM", "b c": "OK"}) is holds


@pytest.mark.parametrize("rule", ["", "ALARM(a", "a", "ALARM(a) ALARM(b)", "ALARM(a) AND", "(TRUE"])
def test_a_rule_that_cannot_be_read_is_refused(rule: str) -> None:
    with pytest.raises(Refusal):
        composite.read(rule)
