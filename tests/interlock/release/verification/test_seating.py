"""Who counts for which of a tier's demands: against trying every way of seating people."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from interlock.release.tiers import Approvers
from interlock.release.verification.approvals import missing

PEOPLE = ("ann", "ben", "cem", "dan")
groups = st.dictionaries(st.sampled_from(["risk", "law"]), st.lists(st.sampled_from(PEOPLE), unique=True), min_size=2)
demands = st.lists(
    st.builds(Approvers, count=st.integers(1, 2), group=st.sampled_from([None, "risk", "law"])), min_size=1, max_size=3
)


def can_be_met(wanted: list[Approvers], known: dict[str, list[str]], people: list[str]) -> bool:
    places = [one.group for one in wanted for _ in range(one.count)]
    if len(places) > len(people):
        return False
    return any(
        all(group is None or person in known.get(group, ()) for person, group in zip(seated, places, strict=True))
        for seated in permutations(people, len(places))
    )


@given(demands, groups, st.lists(st.sampled_from(PEOPLE), unique=True))
def test_approvals_are_enough_exactly_if_each_place_can_have_a_person_of_its_own(
    wanted: list[Approvers], known: dict[str, list[str]], people: list[str]
) -> None:
    assert (list(missing(wanted, known, people)) == []) is can_be_met(wanted, known, people)


def test_a_person_of_a_group_makes_room_for_another_who_fits_only_there() -> None:
    wanted = [Approvers(count=1, group="risk"), Approvers(count=1)]
    assert list(missing(wanted, {"risk": ["ann"]}, ["ann", "ben"])) == []
    assert list(missing(wanted, {"risk": ["ann"]}, ["ben", "ann"])) == []
