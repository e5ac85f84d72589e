from __future__ import annotations

import pytest

from interlock.cost.catalogue import COUNTED, FREE, is_free
from policy.recording.monitor import Recording, record
from stacks.program import provision
from tests.components.programs import EXAMPLES, make
from tests.stacks.configurations import local


def types_of(recording: Recording) -> set[str]:
    return {one.type for one in recording.resources if one.custom}


def unclassified(kinds: set[str]) -> list[str]:
    return sorted(kind for kind in kinds if kind not in COUNTED and not is_free(kind))


def test_the_cost_of_every_type_that_the_program_registers_is_understood() -> None:
    assert unclassified(types_of(record(lambda: provision(local()), preview=True, stack="local"))) == []


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_the_cost_of_every_type_that_a_component_registers_is_understood(kind: str) -> None:
    def program() -> None:
        make(kind)

    assert unclassified(types_of(record(program, preview=True))) == []


def test_no_type_is_both_counted_and_free() -> None:
    assert FREE.isdisjoint(COUNTED)
