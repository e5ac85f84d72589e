"""`interlock watch`: what changed where releases came from, recorded as signed findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from time import sleep
from typing import Annotated, Any

import typer

from interlock.admission import Anchor, trust_from
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.release import credentials_of
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.clients import StackClients
from interlock.duties.duty import Duty
from interlock.failures import BadInput, Failure, OutsideFailure, Refusal
from interlock.release.digests import is_hex_digest
from interlock.release.finding import Change
from interlock.release.watching import Watched
from interlock.watch import watch_registry

app = typer.Typer(help="Watch where releases came from, and record findings.", no_args_is_help=True)

SHORTEST_SECONDS = 5.0


@app.callback()
def watch() -> None:
    """As the observer, who changes nothing but the record of findings."""


@app.command()
@command
def registry(
    release: Annotated[
        list[str] | None, typer.Option("--release", metavar="DIGEST", help="Only this release; repeatable.")
    ] = None,
    every: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Look again and again; without it, once.")
    ] = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Look whether the registry still shows what releases were pinned from, and record what changed.

    All that was pinned is read and compared. Looking again records nothing twice. Ends with 1 if the registry shows
    something else than what was released, whenever that happened.
    """
    start = anchor(root, fingerprint)
    wrong = [one for one in release or () if not is_hex_digest(one)]
    if wrong:
        raise BadInput(f"--release: received {wrong[0]!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
    if every is not None and not SHORTEST_SECONDS <= every < float("inf"):
        raise BadInput(f"--every: received {every:g}; accepted are {SHORTEST_SECONDS:g} seconds or more")
    clients = load_clients(stack)
    printer = Printer(output)
    if every is None:
        _once(clients, start, release or (), printer)
        return
    while True:
        try:
            _once(clients, start, release or (), printer)
        except (OutsideFailure, Refusal) as failure:
            # Whoever reads the output must not take silence for health.
            printer.failure(failure)
        sleep(every)


def _once(clients: StackClients, start: Anchor, releases: Sequence[str], printer: Printer) -> None:
    seen: list[Watched] = []
    missed: Failure | None = None
    with progress() as tell:
        trust = trust_from(start, clients.vault_reader, now=datetime.now(UTC))
        credentials = credentials_of(clients, Duty.OBSERVER)
        try:
            for one in watch_registry(clients, trust.root, credentials, _now, releases, progress=tell):
                seen.append(one)
        except Failure as failure:
            missed = failure
    unknown = sorted(set(releases) - {one.pinned.digest for one in seen})
    if unknown and missed is None:
        raise BadInput(f"--release: received {unknown[0]}; nothing that a builder pinned from a registry has it")
    document, standing = {"watched": [fields_of(one) for one in seen]}, [one for one in seen if one.standing]
    if (seen and printer.output is OutputFormat.TEXT) or not (standing or missed):
        printer.result(document, list(_lines(seen)))
    if standing:
        count = len(standing)
        raise Refusal(
            f"the registry shows something else than {count} release{'s' if count > 1 else ''}",
            reasons=[
                *(f"{_name(one)}: {sentence(change)}" for one in standing for change in one.standing),
                *((missed.message, *missed.reasons) if missed else ()),
            ],
            next_step="the vault's bytes are the release; interlock release verify DIGEST compares them",
            details=document,
        )
    if missed is not None:
        missed.details.update(document)
        raise missed


def fields_of(watched: Watched) -> dict[str, Any]:
    """Return what was seen of a version as plain data."""
    found = watched.finding
    return {
        "digest": watched.pinned.digest,
        "source": watched.pinned.source.model_dump(mode="json"),
        "changes": [one.model_dump(mode="json") for one in found.changes] if found else [],
        "recorded": watched.stored.key if watched.stored else None,
        "standing": [one.model_dump(mode="json") for one in watched.standing],
    }


def sentence(change: Change) -> str:
    """Return a change in one line."""
    details = f" ({'; '.join(change.details)})" if change.details else ""
    return f"{change.kind.value}: {change.what} was {change.before or 'nothing'}, is {change.after or 'gone'}{details}"


def _lines(seen: Sequence[Watched]) -> Iterator[str]:
    recorded = [one for one in seen if one.finding is not None]
    yield f"looked at {len(seen)} pinned versions: {len(recorded)} findings recorded"
    for one in recorded:
        assert one.finding is not None
        said = [sentence(change) for change in one.finding.changes] or ["looked at for the first time, is as pinned"]
        yield from (f"  {_name(one)}: {line}" for line in said)


def _name(watched: Watched) -> str:
    source = watched.pinned.source
    return f"{source.name}/{source.version}, release {watched.pinned.digest[:12]}"


def _now() -> datetime:
    return datetime.now(UTC)
