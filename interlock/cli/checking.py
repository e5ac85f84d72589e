"""`interlock release check`: the builder runs the gates, and every one's answer is signed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from interlock.admission import trust_from
from interlock.building.checking import Check, Checked
from interlock.building.inputs import read_inputs
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress, rows, visible
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.cli.verdicts import DigestArgument
from interlock.failures import Refusal
from interlock.release.demanded import Standing
from interlock.release.evidence import Evidence, Measure
from interlock.release.numbers import decimal_text

_MOST_MEASURES = 4


@command
def check_release(
    digest: DigestArgument,
    inputs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="check.yaml: tables, documents, champion, evidence.")
    ] = None,
    gate: Annotated[list[str] | None, typer.Option(help="Only this gate; may be given several times.")] = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Run the gates that the release's tier demands, and sign what each measured, as the builder.

    The same inputs are measured once, so that running it again completes what was broken off. The model's code runs
    where it can reach nothing. Ends with 1 if a gate that is demanded has not passed.
    """
    start = anchor(root, fingerprint)
    given = read_inputs(inputs)
    clients = load_clients(stack)
    with progress() as say:
        trust = trust_from(start, clients.vault_reader, now=datetime.now(UTC))
        checked = Check(clients, trust, given, lambda: datetime.now(UTC), say).run(digest, gate or ())
    _told(checked, Printer(output))


def _told(checked: Checked, printer: Printer) -> None:
    fields = {"digest": checked.digest, "ran": checked.ran, "gates": [_fields(one) for one in checked.standings]}
    failed = checked.failed
    if failed:
        if printer.output is OutputFormat.TEXT:
            printer.text(table=_table(checked))
        raise Refusal(
            f"{len(failed)} of {len(checked.standings)} gates that {checked.digest[:12]}… needs have not passed",
            reasons=list(
                dict.fromkeys(f"{_named(one, checked)}: {reason}" for one in failed for reason in one.reasons)
            ),
            next_step=f"interlock release show {checked.digest}   shows the evidence",
            details=fields,
        )
    lines = [
        f"all {len(checked.standings)} gates that release {checked.digest} needs have passed",
        f"  measured now: {', '.join(checked.ran) or 'none, all were measured before'}",
        f"  next  approvers run  interlock approve {checked.digest}",
    ]
    printer.result(fields, lines, _table(checked))


def _table(checked: Checked) -> Table:
    table = rows("gate", "outcome", "measured", "not checked")
    for one in checked.standings:
        latest = one.evidence[-1] if one.evidence else None
        table.add_row(
            _named(one, checked),
            "passed" if one.passed else "failed" if one.evidence else "missing",
            visible(_measures(latest)) if latest else "",
            str(len(latest.unchecked)) if latest and latest.unchecked else "",
        )
    return table


def _named(standing: Standing, checked: Checked) -> str:
    """Return a gate's name, with the tier or policy that demands it where the release was opened under several."""
    tier = f" of tier {standing.tier}" if len({one.tier for one in checked.standings}) > 1 else ""
    policy = f" under policy {standing.policy[:12]}" if len({one.policy for one in checked.standings}) > 1 else ""
    return f"{standing.gate}{tier}{policy}"


def _measures(evidence: Evidence) -> str:
    limited = [one for one in evidence.measures if one.limit is not None]
    # What broke its limit first, because that is what people look for.
    limited.sort(key=lambda one: one.holds is not False)
    told = [_measure(one) for one in limited[:_MOST_MEASURES]]
    more = len(limited) - len(told)
    return "; ".join([*told, *([f"and {more} more"] if more > 0 else [])])


def _measure(one: Measure) -> str:
    where = f" of {one.of.attribute}={one.of.value}" if one.of else ""
    number = "none" if one.value is None else decimal_text(one.value)
    return f"{one.name}{where} {number} ({one.limit})"


def _fields(one: Standing) -> dict[str, object]:
    return {
        "gate": one.gate,
        "tier": one.tier,
        "policy": one.policy,
        "passed": one.passed,
        "reasons": [] if one.passed else list(one.reasons),
        "evidence": [evidence.model_dump(mode="json", exclude={"details"}) for evidence in one.evidence],
    }
