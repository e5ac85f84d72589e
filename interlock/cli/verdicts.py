"""How a verdict reads: what commands about one release share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from interlock.cli.terminal import rows, visible
from interlock.release.evidence import Measure
from interlock.release.numbers import decimal_text
from interlock.release.verification.judging import Verdict

DigestArgument = Annotated[str, typer.Argument(metavar="DIGEST", help="The release: 64 hexadecimal digits.")]
EnvironmentOption = Annotated[
    str | None,
    typer.Option("--environment", help="Where it is to serve; without it, the stack's own.", show_default=False),
]


def evidence_table(verdict: Verdict) -> Table:
    """Return what gates measured, against which limits."""
    table = rows("gate", "measure", "of", "value", "interval", "limit", "holds")
    for gate, several in sorted((verdict.evidence or {}).items()):
        for said in several:
            limited = [one for one in said.what.measures if one.limit is not None]
            for measure in limited or said.what.measures[:1]:
                table.add_row(visible(gate), *map(visible, _cells(measure)))
            if not said.what.measures:
                table.add_row(visible(gate), said.what.outcome.value, "", "", "", "", "")
    return table


def _cells(measure: Measure) -> Iterator[str]:
    yield measure.name
    yield f"{measure.of.attribute}={measure.of.value}" if measure.of else ""
    yield "suppressed" if measure.suppressed else decimal_text(measure.value) if measure.value is not None else "none"
    ends = (measure.low, measure.high)
    yield f"{decimal_text(ends[0])} to {decimal_text(ends[1])}" if ends[0] is not None and ends[1] is not None else ""
    yield str(measure.limit or "")
    yield {True: "yes", False: "no", None: ""}[measure.holds]


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain data."""
    return {
        "digest": verdict.digest,
        "environment": verdict.environment,
        "profile": verdict.profile.value,
        "verifies": verdict.verifies,
        "tier": verdict.tier,
        "policy": verdict.policy,
        "evidence": {gate: [one.recorded.key for one in many] for gate, many in (verdict.evidence or {}).items()},
        "approvals": [
            {"person": one.person, "key": one.recorded.key, "expires_at": one.what.expires_at.isoformat()}
            for one in verdict.approvals
        ],
        "until": verdict.until.isoformat() if verdict.until else None,
        "locked_until": verdict.locked_until.isoformat() if verdict.locked_until else None,
        "notes": [{"code": one.code.value, "text": one.text, "where": one.where} for one in verdict.notes],
    }
