"""`interlock ledger`: appending to the logs of all that happened to releases, witnessing them, and checking them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.ledger_memory import Memory
from interlock.cli.ledger_places import RegionOption, believed_root, place_of, place_to_read
from interlock.cli.ledger_report import (
    appended_document,
    appended_lines,
    leaf_document,
    leaves_table,
    log_document,
    logs_table,
    sighting_document,
    sighting_lines,
)
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.ledger.believing import Believer
from interlock.ledger.faults import LedgerFault, LedgerRefused
from interlock.ledger.ledger import Ledger, open_all
from interlock.ledger.sequencing import Contended, Sequencer
from interlock.ledger.storage import Incomplete
from interlock.release.digests import is_hex_digest

app = typer.Typer(
    help="Append to the ledger, witness it, and check it: the logs of all that happened to releases.",
    no_args_is_help=True,
)

LogOption = Annotated[
    str | None, typer.Option("--log", metavar="REGION-EPOCH", help="Which log; the newest of the stack's region else.")
]
WatchOption = Annotated[
    float | None, typer.Option(metavar="SECONDS", min=1, help="Go on, and look again after so many seconds.")
]


@app.command()
@command
def sequence(
    fingerprint: FingerprintOption = None,
    log: LogOption = None,
    renew_hours: Annotated[
        float, typer.Option(min=0.01, help="Sign a new checkpoint when the last is so old, with nothing to append.")
    ] = 6.0,
    watch: WatchOption = None,
    root: RootOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Append every statement in the vault that the log does not hold, and sign a checkpoint, as the sequencer.

    Running it again, or several at once, loses nothing and doubles nothing; one that was killed is completed.
    """
    start, renew = anchor(root, fingerprint), timedelta(hours=renew_hours)
    name, place = place_of(load_clients(stack), start, log, _now())
    running: dict[str, Sequencer] = {}

    def once() -> None:
        believed = believed_root(place, start, _now())
        # What it knows of the log lasts, until what it may believe changes.
        if believed.fingerprint not in running:
            running.clear()
            running[believed.fingerprint] = place.sequencer(name, believed)
        with _explained(f"nothing more was appended to {name}"):
            done = running[believed.fingerprint].sequence(_now(), renew_after=renew, clock=_now)
        Printer(output).result(appended_document(name, done), appended_lines(name, done))

    _again_and_again(once, watch, output)


@app.command("open-epoch")
@command
def open_epoch(
    log: Annotated[str, typer.Argument(metavar="REGION-EPOCH", help="The log to begin.")],
    fingerprint: FingerprintOption = None,
    after: Annotated[
        str | None, typer.Option(metavar="REGION-EPOCH", help="The log to go on from; the latest earlier one else.")
    ] = None,
    root: RootOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Begin a log in another region, after a failover: where the witness last saw the log before it.

    What lies in the vault and not in that log as far as then is entered as late. The log before it ends.
    """
    start = anchor(root, fingerprint)
    name, place = place_of(load_clients(stack), start, log, _now())
    believed = believed_root(place, start, _now())
    if after is not None and after not in Believer(believed).logs:
        raise BadInput(f"--after: received {after!r}; the trust root names {', '.join(Believer(believed).logs)}")
    with _explained(f"{name} was not opened"):
        done = place.sequencer(name, believed).open_epoch(_now(), after=after, clock=_now)
    Printer(output).result(appended_document(name, done), appended_lines(name, done))


@app.command()
@command
def witness(
    fingerprint: FingerprintOption = None,
    log: LogOption = None,
    watch: WatchOption = None,
    root: RootOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Co-sign the log's newest checkpoint as it arrived in the other region, as the witness.

    Nothing is signed that does not follow from all that was signed before.
    """
    start = anchor(root, fingerprint)
    name, place = place_of(load_clients(stack), start, log, _now(), other=True)

    def once() -> None:
        one = place.witness(name, believed_root(place, start, _now()))
        with _explained(f"the witness does not sign for {name}"):
            seen = one.witness(_now())
        Printer(output).result(sighting_document(name, seen), sighting_lines(name, seen))

    _again_and_again(once, watch, output)


@app.command()
@command
def verify(
    fingerprint: FingerprintOption = None,
    region: RegionOption = None,
    memory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where you keep what you saw last: what is older than that is refused."),
    ] = None,
    max_hours: Annotated[
        float | None, typer.Option(min=0, help="Refuse if the newest checkpoint is older than that.")
    ] = None,
    root: RootOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Check every log from its first leaf to its last: hashes, signatures, times, epochs, and that nothing is gone."""
    now = _now()
    clients = load_clients(stack)
    place = place_to_read(clients, region)
    believed = believed_root(place, anchor(root, fingerprint), now)
    remembered = Memory(memory, believed)
    with _explained("the ledger is not to be believed"), progress() as say:
        say(f"read the logs in {place.region}")
        ledger = open_all(place.storage, believed, remembered=remembered.checkpoints, history=True)
        say("list the statements in the vault")
        gone, unrecorded = ledger.compared(place.statements.lying())
        stale = _stale(ledger, now, max_hours)
        if gone or stale:
            raise LedgerRefused([*gone, *stale])
    if not ledger.logs:
        raise Refusal(
            "there is no log", reasons=[f"none of {', '.join(believed.log_origins) or 'no origin'} has begun"]
        )
    remembered.keep(ledger.logs)
    document = {"region": place.region, "logs": [log_document(view) for view in ledger.logs], "unrecorded": unrecorded}
    lines = [f"verified {len(ledger.logs)} logs in {place.region}; every statement that was recorded is in the vault"]
    lines += [f"  not recorded yet: {key}" for key in unrecorded]
    Printer(output).result(document, lines, logs_table(ledger))


@app.command()
@command
def show(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="The release's subject digest.")],
    fingerprint: FingerprintOption = None,
    region: RegionOption = None,
    root: RootOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Show what the ledger holds of a release, after checking all of it."""
    if not is_hex_digest(digest):
        raise BadInput(f"digest: received {digest!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
    clients = load_clients(stack)
    place = place_to_read(clients, region)
    believed = believed_root(place, anchor(root, fingerprint), _now())
    with _explained("the ledger is not to be believed"):
        ledger = open_all(place.storage, believed, remembered={}, history=True)
    found = ledger.recorded(digest)
    document = {"release": digest, "leaves": [leaf_document(view, one) for view, one in found]}
    if not found:
        Printer(output).result(document, [f"the ledger holds nothing of the release {digest}"])
        return
    Printer(output).result(
        document, [f"the ledger holds {len(found)} leaves of the release {digest}"], leaves_table(found)
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _again_and_again(once: Callable[[], None], watch: float | None, output: OutputFormat) -> None:
    """Do something once; with `watch` again and again, so many seconds apart, until it is refused or interrupted."""
    while True:
        try:
            once()
        except OutsideFailure as failure:
            if watch is None:
                raise
            Printer(output).failure(failure)
        if watch is None:
            return
        time.sleep(watch)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn what the ledger refuses, and what is not there yet, into a command's failures."""
    try:
        yield
    except LedgerRefused as refused:
        faults = [{"kind": one.kind.value, "text": one.text, "where": one.where} for one in refused.faults]
        reasons = [f"{one.kind.value}  {one}" for one in refused.faults]
        raise Refusal(what, reasons=reasons, details={"faults": faults}) from refused
    except (Incomplete, Contended) as error:
        raise OutsideFailure(f"{what}: {error}", next_step="run this again") from error


def _stale(ledger: Ledger, now: datetime, max_hours: float | None) -> list[LedgerFault]:
    if max_hours is None or not ledger.logs:
        return []
    newest = max(ledger.logs, key=lambda view: view.time)
    fault = newest.stale(now, timedelta(hours=max_hours))
    return [fault] if fault else []
