"""What holds for every component: what it registers, what it refuses, and that two of it can live together."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from components.validation import ArgumentError, Rule
from tests.components.programs import EXAMPLES, Example, make
from tests.components.recording import STACK_TYPE, UNKNOWN, record

KINDS = sorted(EXAMPLES)
BESIDE = ("one-late", "one-elsewhere")
"""What an example makes to hand it to the component."""
PHYSICAL_NAMES = ("name", "bucket", "identifier", "namePrefix")


def rules_of(example: Example) -> dict[str, Rule]:
    module = importlib.import_module(example.component.__module__)
    rules: dict[str, Rule] = module._RULES
    return rules


def ruled_arguments() -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        yield from ((kind, argument) for argument in rules_of(EXAMPLES[kind]))


def required_arguments() -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        module = importlib.import_module(EXAMPLES[kind].component.__module__)
        hints = getattr(module, f"{kind}Args").__annotations__
        for argument, hint in hints.items():
            if not hint.__forward_arg__.startswith("NotRequired["):
                yield kind, argument


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
        and one.inputs[key] != UNKNOWN
        and one.type.rpartition(":")[2] not in _OF_A_BUCKET
    )
    assert [name for name, count in names.items() if count > 1] == []


_OF_A_BUCKET = {"BucketObjectv2"}


@pytest.mark.parametrize(("kind", "argument"), list(ruled_arguments()))
def test_a_value_that_an_argument_does_not_accept_is_refused_by_path_value_and_what_would_do(
    kind: str, argument: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        record(lambda: _made(kind, **{argument: "?!"}), preview=True)

    (problem,) = caught.value.problems
    assert problem.path == f"{kind} one.{argument}"
    assert problem.received == "'?!'"
    assert problem.accepted == rules_of(EXAMPLES[kind])[argument].accepted


@pytest.mark.parametrize(("kind", "argument"), list(required_arguments()))
def test_a_missing_argument_is_named(kind: str, argument: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(f"{kind} one.{argument}: received nothing")):
        record(lambda: _made(kind, **{argument: ...}), preview=True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_argument_that_there_is_not_is_named_with_those_that_there_are(kind: str) -> None:
    with pytest.raises(ArgumentError, match=r"one\.colour: received 'red'; accepted: no such argument; there are "):
        record(lambda: _made(kind, colour="red"), preview=True)


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_registered() -> None:
    registered: list[Any] = []

    def program() -> None:
        try:
            make("Vault", retention_days=7, encryption_key_arn="key", administrators=..., colour="red")
        except ArgumentError as error:
            registered.append(error)

    recording = record(program, preview=False)

    (error,) = registered
    paths = {problem.path for problem in error.problems}
    assert paths == {
        f"Vault one.{name}" for name in ("retention_days", "encryption_key_arn", "administrators", "colour")
    }
    assert recording.of_type("aws:s3/bucket:Bucket") == []


def test_a_value_known_only_later_is_refused_then_and_not_before() -> None:
    def program() -> None:
        late = EXAMPLES["DataKey"].component("key", EXAMPLES["DataKey"].arguments("key"))
        key_arn: pulumi.Output[str] = late.key_arn  # type: ignore[attr-defined]
        make("PrivateBucket", encryption_key_arn=key_arn.apply(lambda arn: arn.replace(":key/", ":kee/")))

    record(program, preview=True)
    with pytest.raises(ArgumentError, match=r"PrivateBucket one\.encryption_key_arn: received 'arn:aws:kms:.*:kee/"):
        record(program, preview=False)


def _made(kind: str, **changed: Any) -> None:
    make(kind, **changed)
