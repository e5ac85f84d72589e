"""Things are told apart as the patterns of policies do: completely, and no further than statements ask."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interlock.duties.proof.classes import Glob, Group, representatives
from interlock.duties.proof.patterns import names

LETTERS = st.text("ab:*?", min_size=1, max_size=6)
TEXTS = st.text("abx:", min_size=1, max_size=8)


def glob(pattern: str) -> Glob:
    return ((pattern, True),)


def groups_of(text: str, groups: frozenset[Group]) -> frozenset[Group]:
    return frozenset(group for group in groups if any(names(text, one) for one in group))


GROUPS = st.frozensets(st.frozensets(LETTERS.map(glob), min_size=1, max_size=3), max_size=3)


@given(GROUPS, TEXTS)
def test_every_text_is_of_a_sort_that_has_a_representative(groups: frozenset[Group], text: str) -> None:
    found = representatives("?*", groups)
    assert groups_of(text, groups) in {of for _, of in found}


@given(GROUPS, LETTERS)
def test_a_representative_is_of_the_groups_that_it_is_said_to_be_of(groups: frozenset[Group], target: str) -> None:
    for text, of in representatives(target, groups):
        assert groups_of(text, groups) == of


def test_a_thousand_names_in_one_statement_are_one_sort() -> None:
    start = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/"
    listed = frozenset(glob(f"{start}model-{number}") for number in range(1000))
    few = frozenset({glob(f"{start}model-7"), glob(f"{start}other-*")})
    found = representatives(f"{start}*", frozenset({listed, few}))
    assert {tuple(sorted(len(group) for group in of)) for _, of in found} == {(), (1000,), (2,), (2, 1000)}
