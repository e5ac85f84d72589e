"""`interlock stack review`: a preview, its price and its proof, as one comment for those who review a change."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from interlock.cli.loading import StackOption, pulumi_stack_of
from interlock.cli.previewing import document_of_stack, plan_of_document
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cost.estimate import Estimate, estimate
from interlock.cost.prices import PriceList, published
from interlock.cost.usage import Usage
from interlock.duties.live import NOT_READ
from interlock.duties.planned import planned_world
from interlock.duties.proof.certificate import certify
from interlock.duties.proof.prove import prove
from interlock.failures import BadInput, Failure, Refusal
from interlock.review import Section, Step, as_markdown, refused, steps_of


@command
def review_command(
    stack: StackOption = None,
    markdown: Annotated[Path | None, typer.Option(help="A file to write the comment to, in GitHub's Markdown.")] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Preview a stack and say what would change, what it would cost, and whether its duties stay separate.

    The exit code is 1 where something protected would be lost, or the proof does not hold. The comment is written in
    every case, a preview that failed included, so that reviewers see why.
    """
    name = pulumi_stack_of(stack)
    # Before the preview, which takes minutes: a file that cannot be written is told at once, and whoever reads the
    # comment of a run that was interrupted is not told that all is well.
    _write(markdown, _failed(name, ["it did not come to its end"]))
    try:
        with progress() as say:
            say(f"previewing {name}")
            document = document_of_stack(name)
        plan = plan_of_document(document, f"the preview of {name}")
        steps = steps_of(document)
        sections = [_cost(estimate(plan, PriceList([published()]), Usage())), _proof(document)]
    except Failure as failure:
        _write(markdown, _failed(name, (failure.message, *failure.reasons)))
        raise
    text = as_markdown(name, steps, sections)
    _write(markdown, text)
    reasons = refused(steps, sections)
    if reasons:
        raise Refusal(f"{name} must not be brought up like this", reasons=reasons, details=_fields(steps, sections))
    Printer(output).result(_fields(steps, sections), text.splitlines()[1:])


def _failed(name: str, lines: Sequence[str]) -> str:
    return as_markdown(name, [], [Section("The preview", False, lines)])


def _cost(found: Estimate) -> Section:
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [f"about {found.total.quantize(Decimal(1))} US dollars a month"]
    if found.unpriced:
        lines.append(f"{len(found.unpriced)} parts are not priced: interlock cost names them")
    if found.stale(today):
        lines.append(f"the prices are of {min(found.dates()).isoformat()}")
    return Section("What it costs", None, lines)


def _proof(document: Any) -> Section:
    title = "The duties' proof"
    if "interlock:duties" not in (document.get("config") or {}):
        return Section(title, None, ["the settings assign nobody to any duty (interlock:duties): nothing is proved"])
    try:
        found = planned_world(document)
        now, unread = datetime.datetime.now(datetime.UTC), (*found.unread, NOT_READ)
        made = certify(found.world, prove(found.world), "a preview", now, found.assumed, unread)
    except BadInput as failure:
        return Section(title, False, (failure.message, *failure.reasons))
    if made.proved:
        return Section(title, True, [f"{len(made.claims)} claims hold over {len(made.documents)} policy documents"])
    return Section(
        title,
        False,
        [
            f"{claim.name}: {claim.sentence} Not so: {one.words}"
            for claim in made.claims
            if not claim.holds
            for one in claim.counterexamples[:3]
        ],
    )


def _write(file: Path | None, text: str) -> None:
    if file is None:
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--markdown: {file} cannot be written: {error.strerror}") from error


def _fields(steps: list[Step], sections: list[Section]) -> dict[str, Any]:
    return {
        "steps": [
            {
                "operation": step.operation,
                "type": step.kind,
                "name": step.name,
                "paths": list(step.paths),
                "protected": step.protected,
                "loses": step.loses,
            }
            for step in steps
        ],
        "sections": [
            {"title": section.title, "passes": section.passes, "lines": list(section.lines)} for section in sections
        ],
    }
