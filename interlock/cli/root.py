"""`interlock root`: the trust root, which keys are believed for what; changed by several people together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from interlock.cli.keys import public_key, signer
from interlock.cli.policy import read_policy_file
from interlock.cli.root_publishing import publish_root
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, rows
from interlock.failures import BadInput, Refusal
from interlock.release.digests import is_hex_digest
from interlock.release.tiers import POLICY_NAME
from interlock.release.trust.chain import RootRefused, SignedRoot, read_signed, verify_chain
from interlock.release.trust.document import Distrust, InvalidRoot, KeyDuty, TrustRoot
from interlock.release.trust.drafting import Change, NewKey, first_root, next_root
from interlock.root_files import RootFolder

app = typer.Typer(
    help="Make, sign, check and change the trust root: which keys are believed, for what, and until when.",
    no_args_is_help=True,
)

app.command("publish")(publish_root)

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder with 1.root.json, 2.root.json, …")]
KeyOption = Annotated[
    list[str] | None,
    typer.Option("--add", metavar="DUTY[:PERSON]=KEY", help="A key to believe; KEY is kms:<ARN> or a PEM file."),
]
PolicyOption = Annotated[
    list[str] | None, typer.Option("--policy", metavar="NAME=FILE", help="A policy to sign, by its bytes' digest.")
]
OriginOption = Annotated[list[str] | None, typer.Option("--log-origin", help="A ledger's log to believe.")]
DaysOption = Annotated[int, typer.Option("--days", min=1, max=400, help="Days until this version expires.")]
KeyDaysOption = Annotated[int, typer.Option("--key-days", min=1, max=3660, help="Days that keys added are valid.")]
ThresholdOption = Annotated[int | None, typer.Option(min=2, max=20, help="How many foundation people must sign.")]


@app.command()
@command
def init(
    folder: FolderArgument,
    name: Annotated[str, typer.Option(help="Whose releases it speaks for, such as the company.")],
    add: KeyOption = None,
    policy: PolicyOption = None,
    log_origin: OriginOption = None,
    threshold: ThresholdOption = None,
    days: DaysOption = 365,
    key_days: KeyDaysOption = 1096,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Draft version 1, with two foundation people's keys at least; it is in force when a threshold has signed it."""
    files = RootFolder(folder)
    if not files.is_empty:
        raise Refusal(f"{folder} holds version {files.newest} already", next_step="interlock root rotate changes it")
    change = Change(_new_keys(add), {}, threshold, log_origin or (), _policies(policy))
    try:
        root = first_root(
            name, change, now=datetime.now(UTC), life=timedelta(days=days), key_life=timedelta(days=key_days)
        )
    except InvalidRoot as error:
        raise BadInput("this makes no trust root", reasons=[str(one) for one in error.problems]) from error
    _drafted(output, files, root)


@app.command()
@command
def rotate(
    folder: FolderArgument,
    add: KeyOption = None,
    distrust: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY@TIME", help="The key whose id begins so is not believed from then on (UTC)."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why keys are distrusted.")] = "",
    policy: PolicyOption = None,
    log_origin: OriginOption = None,
    threshold: ThresholdOption = None,
    days: DaysOption = 365,
    key_days: KeyDaysOption = 1096,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Draft the next version; people of the version before must sign it, and people of the new one."""
    files = RootFolder(folder)
    before = files.newest_root()
    if files.draft() is not None:
        raise Refusal(f"version {before.version} is a draft that nobody has signed", next_step="sign it, or delete it")
    _in_force(files)
    try:
        change = Change(
            _new_keys(add), _distrusted(distrust, reason, before), threshold, log_origin or (), _policies(policy)
        )
        root = next_root(
            before, change, now=datetime.now(UTC), life=timedelta(days=days), key_life=timedelta(days=key_days)
        )
    except InvalidRoot as error:
        raise BadInput("this makes no trust root", reasons=[str(one) for one in error.problems]) from error
    _drafted(output, files, root)


@app.command()
@command
def sign(
    folder: FolderArgument,
    key: Annotated[str, typer.Option(metavar="KEY", help="Your own: kms:<ARN>, or an encrypted PEM file.")],
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Add your signature to the newest version. Read it first: `interlock root show`."""
    mine = signer("--key", key)
    files = RootFolder(folder)
    root = files.newest_root()
    key_id = mine.public_key().key_id
    file = files.add_signature(mine, key_id)
    fingerprint = root.fingerprint
    Printer(output).result(
        {"file": str(file), "version": root.version, "fingerprint": fingerprint, "key": key_id},
        [f"signed version {root.version} with {key_id[:12]}…: {file}", f"  fingerprint {fingerprint}"],
    )


@app.command()
@command
def show(folder: FolderArgument, output: OutputOption = OutputFormat.TEXT) -> None:
    """Show the newest version, signed or not; nothing is checked."""
    files = RootFolder(folder)
    root = files.newest_root()
    state = "a draft" if files.draft() is not None else "signed by somebody, and not checked"
    _show(Printer(output), root, [f"version {root.version} of the root of {root.name}: {state}"], {})


@app.command()
@command
def verify(
    folder: FolderArgument,
    fingerprint: Annotated[
        str, typer.Option(help="Of the first version in DIR, as the people who signed it gave it to you.")
    ],
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Check the chain of versions from the pinned one to the newest, and show what it says."""
    if not is_hex_digest(fingerprint):
        raise BadInput(f"--fingerprint: received {fingerprint!r}; accepted are 64 small hexadecimal digits")
    files = RootFolder(folder)
    root = files.newest_root()
    if files.draft() is not None:
        raise Refusal(f"version {root.version} is a draft that nobody has signed")
    verified = _verified(files, fingerprint)
    people = sorted(verified.people(verified.root.guardians(verified.root.issued_at)))
    lines = [f"version {root.version} of the root of {root.name} verifies: signed by {', '.join(people)}"]
    left = root.expires_at - datetime.now(UTC)
    if left < timedelta(days=30):
        lines.append(f"  it expires in {left.days} days: rotate it")
    _show(Printer(output), verified.root, lines, {"verifies": True, "signed_by": people})


def _in_force(files: RootFolder) -> None:
    """Refuse to go on from a version that too few have signed; an expired one is what a next one is for."""
    signed = files.signed()
    try:
        verify_chain(signed, read_signed(signed[0]).fingerprint, now=None)
    except RootRefused as error:
        raise Refusal("the newest version is not in force yet", reasons=error.reasons) from error


def _verified(files: RootFolder, fingerprint: str) -> SignedRoot:
    try:
        return verify_chain(files.signed(), fingerprint, now=datetime.now(UTC))
    except RootRefused as error:
        raise Refusal("the trust root is not to be believed", reasons=error.reasons) from error


def _drafted(output: OutputFormat, files: RootFolder, root: TrustRoot) -> None:
    file = files.write_draft(root)
    people = sorted({str(key.person) for key in root.guardians(root.issued_at).values()})
    lines = [
        f"drafted version {root.version} of the root of {root.name}: {file}",
        f"  fingerprint {root.fingerprint}",
        f"  {root.threshold} of {', '.join(people)} sign it: interlock root sign {files.path} --key …",
    ]
    fields = {"file": str(file), "version": root.version, "fingerprint": root.fingerprint}
    Printer(output).result({**fields, "threshold": root.threshold, "foundation": people}, lines)


def _show(printer: Printer, root: TrustRoot, lines: Sequence[str], fields: dict[str, Any]) -> None:
    table = rows("key", "duty", "person", "valid until", "distrusted from")
    for name, key in sorted(root.keys.items(), key=lambda item: (item[1].duty.value, item[1].person or "")):
        since = f"{key.distrusted.since:%Y-%m-%d %H:%M} ({key.distrusted.reason})" if key.distrusted else ""
        table.add_row(name[:12] + "…", key.duty.value, key.person or "", f"{key.valid_until:%Y-%m-%d}", since)
    told = [
        *lines,
        f"  fingerprint {root.fingerprint}",
        f"  issued {root.issued_at:%Y-%m-%d %H:%M} UTC, expires {root.expires_at:%Y-%m-%d %H:%M} UTC, threshold "
        f"{root.threshold}",
        *(f"  policy {policy}: {digest}" for policy, digest in sorted(root.policies.items())),
        *(f"  log {origin}" for origin in root.log_origins),
    ]
    document = {**fields, "fingerprint": root.fingerprint, "root": root.model_dump(mode="json")}
    printer.result(document, told, table)


def _new_keys(given: Sequence[str] | None) -> list[NewKey]:
    return [_new_key(one) for one in given or ()]


def _new_key(given: str) -> NewKey:
    whose, equals, where = given.partition("=")
    duty, colon, person = whose.partition(":")
    if not equals or not where or duty not in set(KeyDuty) or (colon and not person):
        accepted = f"DUTY=KEY or DUTY:PERSON=KEY, with a duty of {', '.join(KeyDuty)}"
        raise BadInput(f"--add: received {given!r}; accepted is {accepted}")
    return NewKey(KeyDuty(duty), person or None, public_key("--add", where))


def _distrusted(given: Sequence[str] | None, reason: str, before: TrustRoot) -> dict[str, Distrust]:
    if given and not reason:
        raise BadInput("--reason: none given; accepted is why the key is distrusted, for whoever reads the root later")
    return dict(_distrust(one, reason, before) for one in given or ())


def _distrust(given: str, reason: str, before: TrustRoot) -> tuple[str, Distrust]:
    start, at, time = given.partition("@")
    found = [name for name in before.keys if start and name.startswith(start)]
    if len(found) != 1:
        raise BadInput(
            f"--distrust: received {given!r}, which is {len(found)} keys of version {before.version}; accepted is "
            "KEY@TIME, KEY being the beginning of one key's id, long enough to be no other's"
        )
    try:
        since = datetime.fromisoformat(time) if at else None
    except ValueError:
        since = None
    if since is None:
        raise BadInput(f"--distrust: received {given!r}; accepted is KEY@TIME, such as {start}@2026-11-01T00:00:00Z")
    return found[0], Distrust(since=since if since.tzinfo else since.replace(tzinfo=UTC), reason=reason)


def _policies(given: Sequence[str] | None) -> dict[str, str]:
    found = {}
    for one in given or ():
        name, equals, file = one.partition("=")
        try:
            content = Path(file).read_bytes() if name and equals else None
        except OSError as error:
            raise BadInput(f"--policy: {file} cannot be read: {error.strerror}") from error
        if content is None:
            raise BadInput(f"--policy: received {one!r}; accepted is NAME=FILE")
        # Of the tiers' policy the meaning is signed, however it is laid out; of others the bytes.
        found[name] = (
            read_policy_file("--policy", Path(file)).digest
            if name == POLICY_NAME
            else hashlib.sha256(content).hexdigest()
        )
    return found
