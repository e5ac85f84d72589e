"""`interlock stack`: what is provisioned, what is locked, and taking it down."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from interlock.aws.vault import LockedObject, locked_objects
from interlock.cli.adopting import adopt_command
from interlock.cli.loading import StackOption, load_clients, pulumi_stack_of
from interlock.cli.reviewing import review_command
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress, rows, visible
from interlock.failures import BadInput, Refusal
from interlock.teardown import Teardown, destroy

app = typer.Typer(help="What is provisioned, what is locked, adopting, and taking it down.", no_args_is_help=True)
app.command("adopt")(adopt_command)
app.command("review")(review_command)

DAY = "%Y-%m-%d %H:%M UTC"


@app.command()
@command
def show(stack: StackOption = None, output: OutputOption = OutputFormat.TEXT) -> None:
    """Show what is provisioned: the stack manifest."""
    manifest = load_clients(stack).manifest.model_dump(mode="json")
    table = rows("what", "value")
    for path, value in _leaves(manifest):
        table.add_row(path, visible(value))
    Printer(output).result(manifest, table=table)


@app.command()
@command
def locked(stack: StackOption = None, output: OutputOption = OutputFormat.TEXT) -> None:
    """List what the vault holds that nobody can delete, in each of its regions, and until when."""
    clients, now = load_clients(stack), datetime.now(UTC)
    found = [
        (part.bucket_name, region, locked_objects(clients.s3_in(region), part.bucket_name, now))
        for region, part in clients.manifest.vaults.items()
    ]
    table = rows("locked until", "mode", "region", "object")
    for _, region, objects in found:
        for one in objects:
            table.add_row(one.lock.until.strftime(DAY), one.lock.mode, region, visible(one.key))
    Printer(output).result(
        {
            "buckets": [bucket for bucket, _, _ in found],
            "objects": [
                {"bucket": bucket, "region": region, **_locked_fields(one)}
                for bucket, region, objects in found
                for one in objects
            ],
        },
        [_counted(bucket, region, len(objects)) for bucket, region, objects in found],
        table if any(objects for _, _, objects in found) else None,
    )


@app.command("destroy")
@command
def destroy_command(
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Destroy the stack and everything the controller made for it.

    While the vault holds locked objects, it and its keys remain: they are named, with the dates on which their
    locks end, and the exit code is 1.
    """
    name = pulumi_stack_of(stack)
    if not yes:
        _ask(name)
    with progress() as say:
        result = destroy(name, now=datetime.now(UTC), progress=say)
    if result.locked:
        raise _remainder(name, result)
    Printer(output).result(
        _teardown_fields(result),
        [
            *_what_was_swept(result),
            f"{name} is destroyed; nothing of it remains"
            + (" but what is still in use" if result.swept.in_use else ""),
        ],
    )


def _counted(bucket: str, region: str, count: int) -> str:
    place = f"in s3://{bucket} ({region})"
    if count == 0:
        return f"nothing {place} is locked"
    return f"{count} objects {place} are locked" if count > 1 else f"1 object {place} is locked"


def _remainder(name: str, result: Teardown) -> Refusal:
    until = result.deletable_from
    assert until is not None
    buckets = ", ".join(f"s3://{name}" for name in result.bucket_names)
    vault = f"{buckets} holds {len(result.locked)} locked objects; the last lock ends {until:{DAY}}"
    return Refusal(
        f"{name} is destroyed but for its vault and what belongs to it",
        reasons=[
            vault,
            *(f"{one.lock.until:{DAY}}  {one.key}" for one in result.locked),
            *(f"remains  {one.kind}  {one.identifier}" for one in result.remaining),
            *(f"remains  {one}, which the controller had made and something else uses" for one in result.swept.in_use),
        ],
        details=_teardown_fields(result),
        next_step=f"after {until:{DAY}}  delete the objects and run  interlock stack destroy --stack pulumi:{name}",
    )


def _ask(name: str) -> None:
    if not sys.stdin.isatty():
        raise BadInput("--yes is missing: there is no terminal to ask on")
    typer.confirm(f"Destroy everything of the stack {name}?", abort=True)


def _what_was_swept(result: Teardown) -> list[str]:
    return [
        *(f"deleted {name}, which the controller had made" for name in result.swept.deleted),
        *(f"left {name}, which the controller had made and something else uses" for name in result.swept.in_use),
    ]


def _teardown_fields(result: Teardown) -> dict[str, Any]:
    return {
        "buckets": list(result.bucket_names),
        "locked": [_locked_fields(one) for one in result.locked],
        "remaining": [{"type": one.kind, "id": one.identifier, "urn": one.urn} for one in result.remaining],
        "swept": list(result.swept.deleted),
        "in_use": list(result.swept.in_use),
    }


def _locked_fields(one: LockedObject) -> dict[str, str]:
    return {
        "key": one.key,
        "version_id": one.version_id,
        "mode": one.lock.mode,
        "locked_until": one.lock.until.isoformat(),
    }


def _leaves(document: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(document, Sequence) and not isinstance(document, str):
        yield path, ", ".join(str(one) for one in document)
    else:
        yield path, str(document)
