"""`interlock audit`: what an auditor takes home."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from interlock.admission import trust_from
from interlock.audits import open_bundle
from interlock.cli.files import produce
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cli.trusting import FingerprintOption, RootOption, anchor
from interlock.cli.verdicts import DigestArgument, EnvironmentOption
from interlock.failures import BadInput
from interlock.release.audit import verify
from interlock.release.digests import is_hex_digest
from interlock.release.passport.words import size

app = typer.Typer(help="Export a release's record, for anybody to check without AWS.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `export` a command of its own, where others will stand beside it."""


@app.command()
@command
def export(
    digest: DigestArgument,
    to: Annotated[Path, typer.Option(metavar="FILE.zip", help="Where to write the bundle.")],
    with_files: Annotated[bool, typer.Option("--with-files", help="Put the release's own files into it, too.")] = False,
    environment: EnvironmentOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Write one bundle with all that the vault holds about a release, its proofs, and the program that checks them.

    The same state of the vault gives the same file. What is wrong with the record is told, and exported all the same.
    """
    if not is_hex_digest(digest):
        raise BadInput(f"DIGEST: received {digest!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
    start = anchor(root, fingerprint)
    clients = load_clients(stack)
    where = environment or clients.manifest.environment
    with progress() as tell:
        trust = trust_from(start, clients.vault_reader, now=datetime.now(UTC))
        bundle = open_bundle(clients.vault_reader, trust, digest, where, with_files=with_files, tell=tell)
        tell(f"write {to}")
        anew = produce(to, bundle.write, "--to")
        tell("check the bundle")
        report = verify.verify(to, start.fingerprint)
    program = hashlib.sha256(Path(verify.__file__).read_bytes()).hexdigest()
    held = "the record holds" if not report.reasons else f"the record is refused: {len(report.reasons)} reasons"
    lines = [
        f"{'exported' if anew else 'is there already:'} release {digest} to {to}",
        f"  {len(bundle.files)} files, {size(to.stat().st_size)}; {held}",
        *(f"    [{one.code}] {one.text}" for one in report.reasons),
        f"  python3 verify.py {to.name} --root {start.fingerprint}",
        f"  verify.py has the SHA-256 {program}: hand it over, or its digest, by another way than the bundle",
    ]
    document = {
        "digest": digest,
        "file": str(to),
        "written": anew,
        "files": len(bundle.files),
        "bytes": to.stat().st_size,
        "sha256": _digest_of(to),
        "verify_sha256": program,
        "holds": not report.reasons,
        "reasons": [{"code": one.code, "text": one.text, "where": one.where} for one in report.reasons],
        "unknown": report.unknown,
    }
    Printer(output).result(document, lines)


def _digest_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
