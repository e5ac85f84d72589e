"""`interlock release pin`: the builder locks the bytes of what was submitted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from interlock.admission import is_governed, trust_from
from interlock.building.inputs import read_inputs
from interlock.building.pinning import Pinned, pin_submission
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.release import credentials_of, pin_version
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.clients import StackClients
from interlock.duties.duty import Duty
from interlock.release.vault import release_prefix


@command
def pin_release(
    submission: Annotated[
        str,
        typer.Argument(
            metavar="SUBMISSION", help="Its id, SUBMITTER/ID, or NAME/VERSION where one person asked for one tier."
        ),
    ],
    inputs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="check.yaml, whose tables the pin names by their digests.")
    ] = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Lock the bytes of what was submitted, and sign for them as the builder.

    They are staged first, and pass the gates privacy and file-safety before anything is locked. The same bytes give
    the same release; running it again completes or confirms what is there. MLflow's user is the one of
    MLFLOW_TRACKING_USERNAME and _PASSWORD; where these are not set, the builder's. Before the foundation has published
    a tiers policy, NAME/VERSION or NAME@ALIAS pins a version that nobody submitted, which then admits nothing.
    """
    given = read_inputs(inputs)
    clients = load_clients(stack)
    with progress() as say:
        if fingerprint is None and root is None and not is_governed(clients.vault_reader):
            pin_version(clients, submission, Printer(output), say)
            return
        trust = trust_from(anchor(root, fingerprint), clients.vault_reader, now=datetime.now(UTC))
        pinned = pin_submission(
            clients,
            submission,
            trust,
            lambda: credentials_of(clients, Duty.BUILDER),
            clock=lambda: datetime.now(UTC),
            progress=say,
            data=given.snapshots,
        )
    _told(clients, pinned, Printer(output))


def _told(clients: StackClients, pinned: Pinned, printer: Printer) -> None:
    predicate, manifest = pinned.locked.predicate, pinned.fetched.manifest
    asked = pinned.submission.request
    where = f"s3://{clients.manifest.vault.bucket_name}/{release_prefix(pinned.digest)}"
    lines = [
        f"pinned {asked.name}/{asked.version} as release {pinned.digest}",
        f"  {len(manifest.files)} files, {manifest.total_size} bytes, {where}",
        f"  submitted by {pinned.submission.submitter}, tier {predicate.tier} for {predicate.environment}",
        *(f"  passed {one.gate}" for one in pinned.evidence),
        f"  signed by {predicate.builder}: {pinned.locked.statement.key}",
        f"  locked until {pinned.lock.until:%Y-%m-%d %H:%M UTC}",
        f"  next  interlock release check {pinned.digest} --inputs check.yaml",
    ]
    printer.result(
        {
            "digest": pinned.digest,
            "statement": pinned.locked.statement.key,
            "files": [file.model_dump() for file in manifest.files],
            "objects": dict(predicate.objects),
            "gates": {one.gate: one.outcome.value for one in pinned.evidence},
            "locked_until": pinned.lock.until.isoformat(),
            "predicate": predicate.model_dump(mode="json"),
        },
        lines,
    )
