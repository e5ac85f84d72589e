"""`interlock release submit`: a creator asks for a release, under their own name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from interlock.building.submitting import Subject, submit
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.release import credentials_of
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cli.verdicts import EnvironmentOption
from interlock.duties.duty import Duty
from interlock.release.request import Produces


@command
def submit_release(
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="NAME/VERSION, prompt:NAME/VERSION or folder:PATH.")
    ],
    tier: Annotated[str, typer.Option(help="How much harm a wrong answer can do: low, medium, high or critical.")],
    ticket: Annotated[str, typer.Option(help="The change ticket, such as CHG-1234.")],
    environment: EnvironmentOption = None,
    text: Annotated[bool, typer.Option("--text", help="It generates text; a prompt does always.")] = False,
    emergency: Annotated[bool, typer.Option("--emergency", help="Ask for the tier's emergency path.")] = False,
    reason: Annotated[str, typer.Option(help="Why; an emergency needs one.")] = "",
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Ask for a release as the creator: the request lies where nobody but you can write.

    It waits for the builder for 30 days. Asking for the same once more changes nothing, but that it waits on.
    """
    wanted = Subject.parse(subject)
    clients = load_clients(stack)
    with progress() as say:
        made = submit(
            clients,
            wanted,
            lambda: credentials_of(clients, Duty.CREATOR),
            now=datetime.now(UTC),
            progress=say,
            tier=tier,
            ticket=ticket,
            environment=environment or clients.manifest.environment,
            produces=Produces.TEXT if text else Produces.DECISIONS,
            emergency=emergency,
            reason=reason,
        )
    asked = made.request
    document = {
        "id": asked.identifier,
        "submitter": made.submitter,
        "key": made.key,
        "version_id": made.version_id,
        "new": made.is_new,
        "waits_until": made.waits_until.isoformat() if made.waits_until else None,
        "request": asked.model_dump(mode="json"),
    }
    lines = [
        f"{'submitted' if made.is_new else 'was submitted already'}: {subject} for {asked.environment}, "
        f"tier {asked.tier}, ticket {asked.ticket}",
        f"  id {asked.identifier}, by {made.submitter} at {asked.submitted_at:%Y-%m-%d %H:%M} UTC",
        *([f"  it waits until {made.waits_until:%Y-%m-%d} to be pinned"] if made.waits_until else []),
        f"  next  the builder runs  interlock release pin {asked.identifier}",
    ]
    Printer(output).result(document, lines)
