"""What holds for every component: what it registers, and that two of it can live together."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import Counter
from typing import Any

import pulumi
import pytest

from interlock.duties.landscape import REPLICATION_CLAIM
from policy.recording.monitor import STACK_TYPE, UNKNOWN, record
from tests.components.programs import EXAMPLES, make

KINDS = sorted(EXAMPLES)
BESIDE = ("one-late", "one-elsewhere")
"""What an example makes to hand it to the component."""
PHYSICAL_NAMES = ("name", "bucket", "identifier", "namePrefix")


def test_there_is_an_example_of_every_component() -> None:
    components = {
        name
        for module in pkgutil.iter_modules(importlib.import_module("components").__path__)
        for name, made in vars(importlib.import_module(f"components.{module.name}")).items()
        if inspect.isclass(made) and issubclass(made, pulumi.ComponentResource) and made is not pulumi.ComponentResource
    }
    assert components == set(EXAMPLES)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_component_creates_is_its_child_and_bears_its_name(kind: str, preview: bool) -> None:
    recording = record(lambda: _made(kind), preview=preview)

    component = next(one for one in recording.of_type(EXAMPLES[kind].type) if one.name == "one")
    created = [one for one in recording.resources if one is not component and one.name not in BESIDE]
    assert created
    for one in created:
        assert component.urn in recording.ancestors(one), one.urn
        assert one.name.startswith("one-"), one.name


@pytest.mark.parametrize("kind", KINDS)
def test_the_outputs_of_a_component_are_registered_and_known_after_up(kind: str) -> None:
    recording = record(lambda: _made(kind), preview=False)

    components = [one for one in recording.resources if not one.custom and one.type != STACK_TYPE]
    for component in components:
        outputs = recording.outputs[component.urn]
        assert outputs, component.urn
        assert not [key for key, value in outputs.items() if value in (None, UNKNOWN)], outputs


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("kind", KINDS)
def test_two_of_a_component_live_in_one_program(kind: str, preview: bool) -> None:
    def program() -> None:
        make(kind, "one")
        make(kind, "two")

    recording = record(program, preview=preview)

    repeated = [urn for urn, count in Counter(one.urn for one in recording.resources).items() if count > 1]
    assert repeated == []
    names = Counter(
        (one.type, key, one.inputs[key])
        for one in recording.resources
        for key in PHYSICAL_NAMES
        if isinstance(one.inputs.get(key), str)
        # A registry has one replication configuration, and the claim is there to stop whoever makes a second one.
        and one.inputs[key] not in (UNKNOWN, REPLICATION_CLAIM)
        and one.type.rpartition(":")[2] not in _OF_A_BUCKET
    )
    assert [name for name, count in names.items() if count > 1] == []


_OF_A_BUCKET = {"BucketObjectv2"}


def _made(kind: str, **changed: Any) -> None:
    make(kind, **changed)
