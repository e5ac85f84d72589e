"""`interlock approve`, `reject`, `withdraw`, `revoke`, `retire`: what people say of a release under their own keys."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from interlock import approving
from interlock.admission import Anchor
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress, show
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.cli.verdicts import DigestArgument, EnvironmentOption
from interlock.clients import StackClients
from interlock.failures import BadInput, Refusal
from interlock.release.acting import Written, to_take_back
from interlock.release.acts import Approval, Rejection, Retirement, Revocation, Withdrawal
from interlock.release.digests import is_hex_digest
from interlock.release.passport.text import text
from interlock.release.request import Ticket
from interlock.release.verification.readings import Said
from interlock.rules import shown

TicketOption = Annotated[str, typer.Option(help="The change ticket, such as CHG-1234.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for whoever reads the record later.")]
PersonOption = Annotated[
    str | None,
    typer.Option("--person", help="Whose key to sign with; without it, whoever AWS says you are.", show_default=False),
]

_LONGEST_REASON = 2000


@command
def approve(
    digest: DigestArgument,
    ticket: TicketOption,
    reason: ReasonOption,
    environment: EnvironmentOption = None,
    days: Annotated[
        float | None, typer.Option(help="For how long; without it, as long as the tier lets it last.")
    ] = None,
    pin: Annotated[
        str, typer.Option(metavar="DIGEST", help="The beginning of the pin's digest, where several could be approved.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking once more: for scripts.")] = False,
    person: PersonOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Read what was measured of a release, and approve it for an environment with your own key.

    What you read is named in what you sign. All of it is then locked for as long as the release's tier keeps it.
    Running it again completes what was interrupted, and approves no second time.
    """
    _check(digest, ticket, reason)
    clients, speaker = _speaker(stack, anchor(root, fingerprint), person)
    now = _now()
    where = environment or clients.manifest.environment
    with progress() as tell:
        tell(f"verify {digest}")
        reading = approving.open_reading(clients, speaker, digest, where, now=now, pin=pin)
    _ask(clients, reading, now=now, yes=yes, quiet=output is OutputFormat.JSON)
    # Reading takes as long as it takes, and what is dated before a checkpoint without it counts as dated back.
    approved = approving.approve(clients, reading, ticket=ticket, reason=reason, days=days, now=_now())
    lines = [
        f"{'approved' if approved.written.anew else 'was approved already by you:'} release {digest} for {where}, "
        f"tier {reading.verdict.tier}",
        f"  as {speaker.person}, until {approved.expires_at:%Y-%m-%d %H:%M} UTC: {approved.written.stored.key}",
        f"  locked until {approved.locked_until:%Y-%m-%d}: {approved.extended} objects were locked for less",
        "  it counts once the ledger has it: interlock ledger sequence",
    ]
    document = {
        **_fields(digest, speaker.person, approved.written),
        "environment": where,
        "tier": reading.verdict.tier,
        "expires_at": approved.expires_at.isoformat(),
        "locked_until": approved.locked_until.isoformat(),
        "extended": approved.extended,
    }
    Printer(output).result(document, lines)


@command
def reject(
    digest: DigestArgument,
    ticket: TicketOption,
    reason: ReasonOption,
    person: PersonOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Object to a release: it is not admitted, nor loaded anew, until you withdraw this."""
    _check(digest, ticket, reason)
    clients, speaker = _speaker(stack, anchor(root, fingerprint), person)

    def act(now: datetime) -> Rejection:
        return Rejection(person=speaker.person, reason=reason, ticket=ticket, rejected_at=now)

    written = approving.say(clients, speaker, digest, act, clock=_now)
    _said(output, digest, speaker.person, written, "rejected")


@command
def withdraw(
    digest: DigestArgument,
    ticket: TicketOption,
    reason: ReasonOption,
    statement: Annotated[
        str | None,
        typer.Option(help="The beginning of the digest of what you take back; needless if you said one thing."),
    ] = None,
    person: PersonOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Take back an approval or a rejection of your own."""
    _check(digest, ticket, reason)
    clients, speaker = _speaker(stack, anchor(root, fingerprint), person)
    said = to_take_back(speaker.person, approving.readings_of(clients, speaker, digest), statement or "")
    if len(said) != 1:
        raise BadInput(
            f"--statement: received {statement!r}, which is {len(said)} of what {speaker.person} said of the release; "
            "accepted is the beginning of the digest of one",
            reasons=[f"{one.payload} in {one.recorded.key.partition('/')[0]}/, {_kind(one)}" for one in said],
        )
    back = said[0].payload

    def act(now: datetime) -> Withdrawal:
        return Withdrawal(person=speaker.person, reason=reason, ticket=ticket, withdrawn=back, withdrawn_at=now)

    written = approving.say(clients, speaker, digest, act, clock=_now)
    _said(output, digest, speaker.person, written, f"withdrew {_kind(said[0])} of")


@command
def revoke(
    digest: DigestArgument,
    ticket: TicketOption,
    reason: ReasonOption,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking once more: for scripts.")] = False,
    person: PersonOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Revoke a release for good, in every environment: it is neither admitted nor loaded any more."""
    _check(digest, ticket, reason)
    clients, speaker = _speaker(stack, anchor(root, fingerprint), person)
    _confirm(f"revoke release {digest} for good", yes=yes)

    def act(now: datetime) -> Revocation:
        return Revocation(person=speaker.person, reason=reason, ticket=ticket, revoked_at=now)

    written = approving.say(clients, speaker, digest, act, clock=_now)
    _said(output, digest, speaker.person, written, "revoked")


@command
def retire(
    digest: DigestArgument,
    ticket: TicketOption,
    reason: ReasonOption,
    person: PersonOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Retire a release: nothing is wrong with it, and it is not admitted any more."""
    _check(digest, ticket, reason)
    clients, speaker = _speaker(stack, anchor(root, fingerprint), person)

    def act(now: datetime) -> Retirement:
        return Retirement(person=speaker.person, reason=reason, ticket=ticket, retired_at=now)

    written = approving.say(clients, speaker, digest, act, clock=_now)
    _said(output, digest, speaker.person, written, "retired")


def _speaker(stack: str | None, trusted: Anchor, person: str | None) -> tuple[StackClients, approving.Speaker]:
    clients = load_clients(stack)
    return clients, approving.speaker_of(clients, trusted, person, now=_now())


def _check(digest: str, ticket: str, reason: str) -> None:
    """Refuse what no statement could hold, before anybody is asked anything. Raises BadInput."""
    if not is_hex_digest(digest):
        raise BadInput(f"DIGEST: received {digest!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
    try:
        TypeAdapter(Ticket).validate_python(ticket)
    except ValidationError:
        raise BadInput(f"--ticket: received {ticket!r}; accepted is a change ticket, such as CHG-1234") from None
    try:
        reason.encode()
    except UnicodeEncodeError:
        raise BadInput(f"--reason: received {shown(reason)}, which is no UTF-8; accepted is text that is") from None
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        raise BadInput(
            f"--reason: received {len(reason)} characters; accepted is why, in 1 to {_LONGEST_REASON} characters"
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _ask(clients: StackClients, reading: approving.Reading, *, now: datetime, yes: bool, quiet: bool) -> None:
    if not quiet:
        # Read in full before it is signed: what the passport shows is what the approval names.
        show(text(approving.passport_of(clients, reading, now=now)))
    verdict = reading.verdict
    others = len(reading.record.pins) - 1
    beside = f" (and none of the {others} other pins of its record)" if others else ""
    _confirm(
        f"approve release {reading.record.digest} for {verdict.environment} as tier {verdict.tier}{beside}", yes=yes
    )


def _confirm(what: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput(f"there is no terminal to ask on whether to {what}", next_step="say --yes")
    if not typer.confirm(f"{what}?", err=True):
        raise Refusal(f"you did not {what}")


def _kind(said: Said[Approval] | Said[Rejection]) -> str:
    return "an approval" if isinstance(said.what, Approval) else "a rejection"


def _fields(digest: str, person: str, written: Written) -> dict[str, Any]:
    return {
        "digest": digest,
        "person": person,
        "statement": written.stored.key,
        "payload": written.payload,
        "version_id": written.stored.version_id,
        "written": written.anew,
    }


def _said(output: OutputFormat, digest: str, person: str, written: Written, verb: str) -> None:
    already = "" if written.anew else " (which lay there already)"
    lines = [f"{person} {verb} release {digest}{already}", f"  {written.stored.key}"]
    Printer(output).result(_fields(digest, person, written), lines)
