"""`interlock watch endpoints`: whether what serves may still serve."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from interlock.admission import trust_from
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress, rows, visible
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.failures import Refusal
from interlock.running import running_releases


@command
def endpoints(
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Find what runs and should not: revoked, rejected, tampered with, or no release of ours; ends with 1 then."""
    start = anchor(root, fingerprint)
    clients = load_clients(stack)
    with progress() as tell:
        tell("read what runs")
        trust = trust_from(start, clients.vault_reader, now=datetime.now(UTC))
        found = list(running_releases(clients, trust))
    wrong = [one for one in found if one.reasons]
    if wrong:
        raise Refusal(
            f"{len(wrong)} of {len(found)} variants run what they should not",
            reasons=[
                f"{one.endpoint}/{one.variant} ({one.share:.0%} of the traffic) runs "
                f"{one.release or 'no release'}: {reason}"
                for one in wrong
                for reason in one.reasons
            ],
            next_step="move its traffic: interlock endpoint shift, or deploy another release there",
            details={"running": [asdict(one) for one in found]},
        )
    table = rows("endpoint", "variant", "release", "share", "said since")
    for one in found:
        said = "; ".join(map(str, one.notes))
        table.add_row(visible(one.endpoint), visible(one.variant), one.release, f"{one.share:.0%}", visible(said))
    Printer(output).result(
        {"running": [asdict(one) for one in found]}, [f"{len(found)} releases run, none against what was said"], table
    )
