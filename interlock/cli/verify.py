"""`interlock verify`: whether a release may serve, and every reason why not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from interlock.admission import compared, judge, refusal, trust_from
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.passport import comparison_fields
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.cli.verdicts import DigestArgument, EnvironmentOption, evidence_table, verdict_fields
from interlock.release.verification.judging import Profile


@command
def verify(
    digest: DigestArgument,
    profile: Annotated[
        Profile, typer.Option(help="admit: may traffic grow now; load: may a container load what travels with it.")
    ] = Profile.ADMIT,
    environment: EnvironmentOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Check all of a release, from the trust root to its last byte; refuse it with every reason found."""
    start = anchor(root, fingerprint)
    clients = load_clients(stack)
    now = _now()
    where = environment or clients.manifest.environment
    with progress() as tell:
        tell(f"verify {digest}")
        trust = trust_from(start, clients.vault_reader, now=None if profile is Profile.LOAD else now)
        record, verdict = judge(clients.vault_reader, trust, digest, where, now=now, profile=profile)
        found = compared(clients.vault_reader, trust, record, verdict) if profile is Profile.ADMIT else None
    if not verdict.verifies:
        raise refusal(verdict, f"interlock passport {digest}   shows the record")
    lines = [
        f"release {digest} verifies for {where} ({profile.value})",
        f"  tier {verdict.tier}, approved by {', '.join(one.person for one in verdict.approvals)}",
        *([f"  until {verdict.until:%Y-%m-%d %H:%M} UTC"] if verdict.until and profile is Profile.ADMIT else []),
        *([f"  {found}"] if found is not None else []),
        *(f"  note: {one}" for one in verdict.notes),
    ]
    document = {**verdict_fields(verdict), "comparison": comparison_fields(found)}
    Printer(output).result(document, lines, evidence_table(verdict))


def _now() -> datetime:
    return datetime.now(UTC)
