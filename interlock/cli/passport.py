"""`interlock passport`: a release's whole record for people, on the terminal or as a page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from interlock.admission import trust_from
from interlock.cli.files import write_once
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress, show
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.cli.verdicts import DigestArgument, EnvironmentOption
from interlock.passports import open_passport
from interlock.release.champion import Comparison
from interlock.release.passport.model import Passport
from interlock.release.passport.page import page
from interlock.release.passport.text import text


@command
def passport(
    digest: DigestArgument,
    html: Annotated[
        Path | None, typer.Option(help="Write the page with all drawings into this file, too.", show_default=False)
    ] = None,
    champion: Annotated[
        str | None,
        typer.Option(help="Compare with this release; without it, with the one that the gates compared it with."),
    ] = None,
    environment: EnvironmentOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Show what was measured of a release, who agrees, who objects, what changed and what nobody looked at.

    It says what is missing and ends with 0 all the same: `interlock verify` is what refuses.
    """
    start = anchor(root, fingerprint)
    clients = load_clients(stack)
    now = datetime.now(UTC)
    where = environment or clients.manifest.environment
    with progress() as tell:
        tell(f"read the record of {digest}")
        trust = trust_from(start, clients.vault_reader, now=now)
        opened = open_passport(clients.vault_reader, trust, digest, where, now=now, champion=champion)
    if html is not None:
        write_once(html, page(opened).encode(), "--html", replace=True)
    if output is OutputFormat.JSON:
        Printer(output).result({**fields(opened), "html": str(html) if html else None})
        return
    show(text(opened))
    if html is not None:
        Printer(output).text([f"wrote {html}"])


def fields(opened: Passport) -> dict[str, Any]:
    """Return a passport for programs."""
    return {
        "digest": opened.digest,
        "name": opened.name,
        "environment": opened.environment,
        "verifies": opened.verifies,
        "reasons": list(opened.reasons),
        "gates": [
            {
                "gate": gate.name,
                "required": gate.required,
                "state": gate.state.value,
                "statement": gate.payload,
                "evidence": gate.evidence.model_dump(mode="json") if gate.evidence else None,
            }
            for gate in opened.gates
        ],
        "voices": [
            {
                "person": one.person,
                "did": one.did,
                "ticket": one.ticket,
                "reason": one.reason,
                "at": one.at.isoformat(),
                "until": one.until.isoformat() if one.until else None,
                "counts": one.counts,
                "why_not": one.why_not,
            }
            for one in opened.voices
        ],
        "missing_approvals": list(opened.lacking),
        "could_approve": list(opened.could_approve),
        "champion": opened.champion.digest if opened.champion else None,
        "comparison": comparison_fields(opened.comparison),
        "changes": [{"what": one.what, "before": one.before, "after": one.after} for one in opened.changes],
        "unchecked": [{"gate": gate, "what": what} for gate, what in opened.unchecked],
        "record": opened.record,
    }


def comparison_fields(found: Comparison | None) -> dict[str, Any] | None:
    """Return for programs whom a release was compared with, and who serves."""
    if found is None:
        return None
    return {"compared": list(found.compared), "serving": found.serving, "holds": found.holds}
