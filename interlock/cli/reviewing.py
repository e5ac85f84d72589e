"""`interlock stack review`: a preview with its price, as one comment for the people who review a change."""

from __future__ import annotations

import datetime
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
from interlock.failures import BadInput, Failure, Refusal
from interlock.review import Section, Step, as_markdown, refused, steps_of


@command
def review_command(
    stack: StackOption = None,
    markdown: Annotated[Path | None, typer.Option(help="A file to write the comment to, in GitHub's Markdown.")] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Preview a stack and say what would change and what it would cost.

    The exit code is 1 where something protected would be lost. The comment is written in every case, a preview that
    failed included, so that reviewers see why.
    """
    name = pulumi_stack_of(stack)
    try:
        with progress() as say:
            say(f"previewing {name}")
            document = document_of_stack(name)
        plan = plan_of_document(document, f"the preview of {name}")
        steps, sections = steps_of(document), [_cost(estimate(plan, PriceList([published()]), Usage()))]
    except Failure as failure:
        said = (failure.message, *failure.reasons)
        _write(markdown, as_markdown(name, [], [Section("The preview", False, said)]))
        raise
    text = as_markdown(name, steps, sections)
    _write(markdown, text)
    reasons = refused(steps, sections)
    if reasons:
        raise Refusal(f"{name} must not be brought up like this", reasons=reasons, details=_fields(steps, sections))
    Printer(output).result(_fields(steps, sections), text.splitlines()[1:])


def _cost(found: Estimate) -> Section:
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [f"about {found.total.quantize(Decimal(1))} US dollars a month"]
    if found.unpriced:
        lines.append(f"{len(found.unpriced)} parts are not priced: interlock cost names them")
    if found.stale(today):
        lines.append(f"the prices are of {min(found.dates()).isoformat()}")
    return Section("What it costs", None, lines)


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
