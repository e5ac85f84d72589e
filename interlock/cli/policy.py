"""`interlock policy`: whether a tiers policy can be used, and what a change of it means."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, rows
from interlock.failures import BadInput
from interlock.release.tiers import InvalidPolicy, TiersPolicy, missing_before_locking, parse_policy
from interlock.release.tiers_difference import Effect, differences

app = typer.Typer(help="Check a tiers policy, and compare two.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="YAML, or the published JSON.")]


@app.command()
@command
def check(file: FileArgument, output: OutputOption = OutputFormat.TEXT) -> None:
    """Say all that is wrong with a policy, or what it demands."""
    policy = read_policy_file("FILE", file)
    missing = missing_before_locking(policy)
    if missing:
        raise BadInput(f"nothing could be pinned under {file}", reasons=[str(one) for one in missing])
    table = rows("tier", "evidence", "approvals", "emergency", "environments", "locked for")
    for tier, rules in policy.tiers.items():
        urgent = rules.emergency
        table.add_row(
            tier.value,
            f"{len(rules.evidence)} gates",
            str(sum(one.count for one in rules.approvals)),
            f"{sum(one.count for one in urgent.approvals)} approvals, {len(urgent.evidence)} gates" if urgent else "",
            ", ".join(rules.environments),
            f"{rules.retention_days} days",
        )
    lines = [f"{file} is a policy: {policy.digest}", f"  to be looked at again by {policy.review_by}"]
    if policy.review_by < datetime.now(UTC).date():
        lines.append("  that day has passed: nothing is opened under it")
    document = {"digest": policy.digest, "review_by": policy.review_by.isoformat(), "tiers": list(policy.tiers)}
    Printer(output).result(document, lines, table)


@app.command()
@command
def diff(
    before: Annotated[Path, typer.Argument(metavar="OLD")],
    after: Annotated[Path, typer.Argument(metavar="NEW")],
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Say in words what the policy NEW demands otherwise than OLD."""
    old, new = read_policy_file("OLD", before), read_policy_file("NEW", after)
    found = differences(old, new)
    count = {effect: sum(one.effect is effect for one in found) for effect in Effect}
    told = ", ".join(f"{number} {effect}" for effect, number in count.items() if number) or "they say the same"
    lines = [f"{len(found)} changes: {told}" if found else told, *(f"  {one}" for one in found)]
    changes = [{"path": one.path, "text": one.text, "effect": one.effect.value} for one in found]
    Printer(output).result({"old": old.digest, "new": new.digest, "changes": changes}, lines)


def read_policy_file(option: str, file: Path) -> TiersPolicy:
    """Return the policy in a file. Raises BadInput with all that is wrong with it."""
    try:
        return parse_policy(file.read_bytes())
    except OSError as error:
        raise BadInput(f"{option}: received {str(file)!r}, which cannot be read: {error.strerror}") from error
    except InvalidPolicy as error:
        raise BadInput(f"{option}: {file} is no policy", reasons=[str(one) for one in error.problems]) from error
