"""Names that are made of others: never too long, never one for two."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from components.naming import followed_by
from interlock import rules

identifiers = st.from_regex(r"[a-z](-?[a-z0-9]){0,62}", fullmatch=True).filter(rules.instance_identifier.holds)


def test_a_short_name_stays_readable() -> None:
    assert followed_by("interlock-prod-tracking", "standby") == "interlock-prod-tracking-standby"


@given(st.lists(identifiers, min_size=2, max_size=5, unique=True), st.sampled_from(["standby", "rotation"]))
def test_every_name_is_one_that_aws_takes_and_no_two_become_one(names: list[str], what: str) -> None:
    made = [followed_by(name, what) for name in names]
    assert all(rules.instance_identifier.holds(one) for one in made)
    assert len(set(made)) == len(names)


def test_names_that_begin_alike_for_long_are_told_apart() -> None:
    assert len({followed_by("a" * 55 + tail, "standby") for tail in ("", "b", "-one", "-two")}) == 4
