"""What there is already takes the place of something new, in every component that could make it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from policy.recording.monitor import Recording, record
from tests.components.adoptions import ADOPTIONS
from tests.components.arguments import arguments
from tests.components.programs import EXAMPLES, make

ADOPTING = sorted(ADOPTIONS)


def adopted(kind: str, argument: str, *names: str, preview: bool) -> Recording:
    adoption = ADOPTIONS[kind, argument]

    def program() -> None:
        for name in names:
            make(kind, name, **{argument: adoption.value, **adoption.beside})

    return record(program, preview=preview)


def test_every_argument_that_adopts_something_is_tested() -> None:
    found = {(one.kind, one.path[0]) for one in arguments() if one.path[0].startswith("existing")}
    assert found == set(ADOPTIONS)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize(("kind", "argument"), ADOPTING)
def test_what_is_adopted_is_not_made_and_all_else_is(kind: str, argument: str, preview: bool) -> None:
    adoption = ADOPTIONS[kind, argument]
    new = {(one.type, one.name) for one in record(lambda: _made(kind), preview=preview).resources}
    found = {(one.type, one.name) for one in adopted(kind, argument, "one", preview=preview).resources}
    assert set(adoption.not_made) <= new - found
    assert found <= new
    assert (EXAMPLES[kind].type, "one") in found


@pytest.mark.parametrize(("kind", "argument"), ADOPTING)
def test_what_is_adopted_is_what_the_component_gives(kind: str, argument: str) -> None:
    recording = adopted(kind, argument, "one", preview=False)
    assert _part_of(recording.outputs_of(EXAMPLES[kind].type), ADOPTIONS[kind, argument].outputs)


NAMED = [one for one in ADOPTING if any(isinstance(value, str) for value in ADOPTIONS[one].outputs.values())]


@pytest.mark.parametrize(("kind", "argument"), NAMED)
def test_a_preview_knows_what_is_adopted(kind: str, argument: str) -> None:
    outputs = adopted(kind, argument, "one", preview=True).outputs_of(EXAMPLES[kind].type)
    named = {key: value for key, value in ADOPTIONS[kind, argument].outputs.items() if isinstance(value, str)}
    assert {key: outputs[key] for key in named} == named


@pytest.mark.parametrize(("kind", "argument"), ADOPTING)
def test_two_of_a_component_adopt_the_same(kind: str, argument: str) -> None:
    recording = adopted(kind, argument, "one", "two", preview=False)
    assert len({one.urn for one in recording.resources}) == len(recording.resources)
    assert len(recording.of_type(EXAMPLES[kind].type)) == 2


def _part_of(whole: Any, part: Any) -> bool:
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(key in whole and _part_of(whole[key], part[key]) for key in part)
    return bool(whole == part)


def _made(kind: str) -> None:
    make(kind)
