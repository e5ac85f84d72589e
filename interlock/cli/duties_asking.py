"""`interlock duties who-can`, `explain` and `diff`: single questions to the policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from interlock.cli.duties_reading import PlanOption, WorldOption, read, read_one
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.duties.proof.asking import Able, Explanation, explain, unnamed, who_can
from interlock.duties.proof.calls import Call
from interlock.duties.proof.differing import Newly, difference
from interlock.duties.proof.steps import Step

StackOption = Annotated[str | None, typer.Option("--stack", help="pulumi:<stack> or <stack>.", show_default=False)]
Action = Annotated[str, typer.Argument(metavar="ACTION", help="Such as kms:Sign.")]
Resource = Annotated[str, typer.Argument(metavar="RESOURCE", help="An ARN, or a pattern of one with *.")]


@command
def who_can_command(
    action: Action,
    resource: Resource,
    stack: StackOption = None,
    plan: PlanOption = None,
    world: WorldOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Say which roles can do something, by which request, and who reaches each of them."""
    with progress() as say:
        of = read(stack, plan, world, say=say).world
        found = who_can(of, action, resource)
    lines = [line for one in found for line in _able(one)] or [f"nobody can {action} on {resource}"]
    lines += [f"  but {said}"] if (said := unnamed(of, action)) else []
    Printer(output).result([_able_fields(one) for one in found], lines)


def _able(one: Able) -> Sequence[str]:
    reached = [f"  {name}: {_way(chain)}" for name, chain in one.people] or ["  reached by no person"]
    return [str(one.call), *reached]


def _able_fields(one: Able) -> Mapping[str, Any]:
    return {
        "request": _request(one.call),
        "people": {name: [str(step) for step in chain] for name, chain in one.people},
    }


@command
def explain_command(
    who: Annotated[str, typer.Argument(metavar="PERSON|ROLE", help="A person's name, a role's name or its ARN.")],
    action: Action,
    resource: Resource,
    stack: StackOption = None,
    plan: PlanOption = None,
    world: WorldOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Say why somebody can do something or cannot, in each role that they reach and by which way."""
    with progress() as say:
        of = read(stack, plan, world, say=say).world
        found = explain(of, who, action, resource)
    lines = [line for one in found for line in _why(one)]
    lines += [f"  but {said}"] if (said := unnamed(of, action)) else []
    Printer(output).result([_explanation_fields(one) for one in found], lines)


def _why(one: Explanation) -> Sequence[str]:
    return [
        f"{'allowed' if one.allowed else 'denied'}  {one.session}: {one.reason}",
        *(f"  by {statement}" for statement in one.statements),
        *([f"  way: {_way(one.chain)}"] if one.chain else []),
        *([f"  request: {one.call}"] if one.call else []),
    ]


def _explanation_fields(one: Explanation) -> Mapping[str, Any]:
    return {
        "session": str(one.session),
        "allowed": one.allowed,
        "reason": one.reason,
        "statements": list(one.statements),
        "way": [str(step) for step in one.chain],
        "request": _request(one.call) if one.call else None,
    }


@command
def diff_command(
    before: Annotated[str, typer.Argument(metavar="A", help="A stack, plan:FILE or world:FILE.")],
    after: Annotated[str, typer.Argument(metavar="B", help="A stack, plan:FILE or world:FILE.")],
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Say what B permits that A does not: whom people newly become, and what roles may newly do."""
    with progress() as say:
        first, second = read_one(before, "A", say), read_one(after, "B", say)
        say("comparing")
        found = difference(first.world, second.world)
    lines = [one.words for one in found] or [f"{after} permits nothing that {before} does not"]
    Printer(output).result([_newly_fields(one) for one in found], lines)


def _newly_fields(one: Newly) -> Mapping[str, Any]:
    return {"words": one.words, "request": _request(one.call) if one.call else None}


def _request(call: Call) -> Mapping[str, Any]:
    asked = call.request()
    return {
        "principal": asked.principal.name,
        "action": asked.action,
        "resource": asked.resource,
        "context": asked.values,
    }


def _way(chain: Sequence[Step]) -> str:
    return " → ".join(str(step) for step in chain)
