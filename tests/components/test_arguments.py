"""What every component refuses: each wrong argument by its path, all of them at once, late ones when they are known."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.validation import ArgumentError, Problem
from policy.recording.monitor import record
from tests.components.adoptions import ADOPTIONS
from tests.components.arguments import ANY, Argument, arguments, inner_arguments, section_of, wrong_for
from tests.components.programs import EXAMPLES, make

KINDS = sorted(EXAMPLES)
ARGUMENTS = list(arguments())
INNER = list(inner_arguments())
LATE = [one for one in ARGUMENTS if one.hint.startswith("pulumi.Input[")]


def problems_of(kind: str, **changed: Any) -> dict[str, Problem]:
    """Return by path what is wrong with a component of the example's arguments with some changed."""
    with pytest.raises(ArgumentError) as caught:
        record(lambda: _make(kind, **changed), preview=True)
    return {problem.path: problem for problem in caught.value.problems}


def problems_inside(argument: Argument, value: Any) -> tuple[str, dict[str, Problem]]:
    """Return the path of a value in a section, and what is wrong with it as `value`; `...` leaves it out."""
    section, *names, last = argument.path
    with pytest.raises(ArgumentError) as caught:
        record(lambda: _make(argument.kind, **{section: _changed(argument, value)}), preview=True)
    names = [next(iter(section_names(argument))) if name == ANY else name for name in names]
    path = ".".join((f"{argument.kind} one", section, *names, last))
    return path, {problem.path: problem for problem in caught.value.problems}


def section_names(argument: Argument) -> list[str]:
    found: list[str] = []
    record(lambda: found.extend(section_of(argument.kind, argument.path[0], "one")), preview=True)
    return found


@pytest.mark.parametrize("argument", [*ARGUMENTS, *INNER], ids=str)
def test_every_argument_has_a_rule(argument: Argument) -> None:
    assert argument.rule is not None


@pytest.mark.parametrize("argument", ARGUMENTS, ids=str)
def test_a_value_that_an_argument_does_not_accept_is_refused_by_path_value_and_what_would_do(
    argument: Argument,
) -> None:
    assert argument.rule is not None
    wrong = wrong_for(argument.rule)
    found = problems_of(argument.kind, **{argument.path[0]: wrong})
    path = f"{argument.kind} one.{argument.path[0]}"
    assert found == {path: Problem(path, repr(wrong), argument.rule.accepted)}


@pytest.mark.parametrize("argument", INNER, ids=str)
def test_a_value_inside_of_a_section_is_refused_by_its_whole_path(argument: Argument) -> None:
    assert argument.rule is not None
    wrong = wrong_for(argument.rule)
    path, found = problems_inside(argument, wrong)
    assert found == {path: Problem(path, repr(wrong), argument.rule.accepted)}


@pytest.mark.parametrize("argument", [one for one in ARGUMENTS if one.required], ids=str)
def test_a_missing_argument_is_named(argument: Argument) -> None:
    assert argument.rule is not None
    found = problems_of(argument.kind, **{argument.path[0]: ...})
    path = f"{argument.kind} one.{argument.path[0]}"
    assert found == {path: Problem(path, "nothing", argument.rule.accepted)}


@pytest.mark.parametrize("argument", [one for one in INNER if one.required], ids=str)
def test_what_is_missing_inside_of_a_section_is_named(argument: Argument) -> None:
    assert argument.rule is not None
    path, found = problems_inside(argument, ...)
    assert found == {path: Problem(path, "nothing", argument.rule.accepted)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_argument_that_there_is_not_is_named_with_those_that_there_are(kind: str) -> None:
    (problem,) = problems_of(kind, colour="red").values()
    assert (problem.path, problem.received) == (f"{kind} one.colour", "'red'")
    names = [one.path[0] for one in ARGUMENTS if one.kind == kind]
    assert problem.accepted == "no such argument; there are " + ", ".join(names)


@pytest.mark.parametrize("section", sorted({(one.kind, *one.path[:-1]) for one in INNER}), ids=".".join)
def test_what_there_is_not_inside_of_a_section_is_named_with_what_there_is(section: tuple[str, ...]) -> None:
    names = [one for one in INNER if (one.kind, *one.path[:-1]) == section]
    path, found = problems_inside(names[0]._replace(path=(*section[1:], "colour")), "red")
    assert found[path].accepted == "no such argument; there are " + ", ".join(one.path[-1] for one in names)


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_wrong_is_said_at_once_and_nothing_is_registered(kind: str) -> None:
    """Every argument wrong, but one that is missing, and one that there is not."""
    of_kind = [one for one in ARGUMENTS if one.kind == kind and one.rule is not None]
    missing = next(one.path[0] for one in of_kind if one.required) if any(one.required for one in of_kind) else None
    wrong: dict[str, Any] = {one.path[0]: wrong_for(one.rule) for one in of_kind if one.rule is not None}
    wrong |= {"colour": "red"} | ({missing: ...} if missing else {})
    errors: list[ArgumentError] = []

    def program() -> None:
        try:
            make(kind, **wrong)
        except ArgumentError as error:
            errors.append(error)

    recording = record(program, preview=False)

    (error,) = errors
    assert sorted(problem.path for problem in error.problems) == sorted(f"{kind} one.{name}" for name in wrong)
    assert str(error).startswith(f"{kind} one: {len(wrong)} wrong values\n")
    assert recording.of_type(EXAMPLES[kind].type) == []


def test_what_is_wrong_inside_of_sections_is_said_with_the_rest() -> None:
    def program() -> None:
        database = {**section_of("Runner", "database", "one"), "port": 0}
        target = {**section_of("Runner", "http_targets", "one"), "other": {"address": "one.example.com"}}
        make("Runner", region="mars", database=database, http_targets=target)

    with pytest.raises(ArgumentError) as caught:
        record(program, preview=True)
    assert {problem.path.removeprefix("Runner one.") for problem in caught.value.problems} == {
        "region", "database.port", "http_targets.other.server_name",
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted({one.kind for one in LATE}))
def test_values_that_are_known_only_later_are_accepted_and_arrive(kind: str) -> None:
    """Every argument that may be an output is one, of a resource that is not there yet."""

    def program() -> None:
        accepted = EXAMPLES[kind].arguments("one")
        late = {one.path[0] for one in LATE if one.kind == kind}
        changed: dict[str, Any] = {name: _later(value) for name, value in accepted.items() if name in late}
        make(kind, **changed)

    for preview in (True, False):
        assert record(program, preview=preview).of_type(EXAMPLES[kind].type)


@pytest.mark.parametrize("kind", sorted({one.kind for one in LATE}))
def test_wrong_values_that_are_known_only_later_are_not_refused_before(kind: str) -> None:
    def program() -> None:
        late = [one for one in LATE if one.kind == kind and (kind, one.path[0]) not in ADOPTIONS]
        wrong: dict[str, Any] = {one.path[0]: _later(wrong_for(one.rule)) for one in late if one.rule is not None}
        make(kind, **wrong)

    assert record(program, preview=True).of_type(EXAMPLES[kind].type)


@pytest.mark.parametrize("argument", LATE, ids=str)
def test_a_wrong_value_that_is_known_only_later_is_refused_then(argument: Argument) -> None:
    assert argument.rule is not None
    name, wrong = argument.path[0], wrong_for(argument.rule)

    beside = ADOPTIONS[argument.kind, name].beside if (argument.kind, name) in ADOPTIONS else {}

    def program() -> None:
        make(argument.kind, **{**beside, name: _later(wrong)})

    said = f"{argument.kind} one.{name}: received {wrong!r}; accepted: {argument.rule.accepted}"
    with pytest.raises(ArgumentError, match=re.escape(said)):
        record(program, preview=False)


def test_a_wrong_value_inside_of_a_section_is_refused_when_it_is_known() -> None:
    def program() -> None:
        make("Runner", database={**section_of("Runner", "database", "one"), "port": _later(0)})

    record(program, preview=True)
    with pytest.raises(ArgumentError, match=r"Runner one\.database\.port: received 0; accepted: a whole number"):
        record(program, preview=False)


def _later(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.all(aws.kms.Key(f"before-{id(value)}").arn, value).apply(lambda known: known[1])


def _make(kind: str, **changed: Any) -> None:
    made = {name: value() if callable(value) else value for name, value in changed.items()}
    make(kind, **made)


def _changed(argument: Argument, value: Any) -> Any:
    """Return how to make the section with the value of one path replaced, once a program runs."""

    def section() -> dict[str, Any]:
        outer = section_of(argument.kind, argument.path[0], "one")
        whole = dict(outer)
        inner = whole
        if ANY in argument.path:
            name = next(iter(outer))
            inner = whole[name] = dict(outer[name])
        inner[argument.path[-1]] = value
        if value is ...:
            del inner[argument.path[-1]]
        return whole

    return section
