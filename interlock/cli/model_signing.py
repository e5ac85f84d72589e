"""`interlock release sign-model`: a signature that OpenSSF's model-signing tool reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.files import write_once
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cli.verdicts import DigestArgument
from interlock.clients import require_verified
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput
from interlock.release.model_signature import is_of, sign_model


@command
def sign_release_model(
    digest: DigestArgument,
    to: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the signature, such as model.sig.")],
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Sign a release's files as the builder for those who check models with OpenSSF's tool; nothing here relies on it.

    They check with:  model_signing verify key FOLDER --signature FILE --public_key builder.pem
    """
    clients = load_clients(stack)
    with progress() as tell:
        tell(f"verify {digest}")
        manifest = require_verified(clients, digest).manifest
    assert manifest is not None
    signer = clients.signer(SigningDuty.BUILDER)
    public_key = signer.public_key()
    try:
        already = to.is_file() and is_of(to.read_bytes(), manifest, public_key)
    except OSError as error:
        raise BadInput(f"--to: {to} cannot be read: {error.strerror}") from error
    if not already:
        write_once(to, sign_model(manifest, signer, public_key), "--to")
    lines = [
        f"{'is signed already:' if already else 'signed'} {len(manifest.files)} files of release {digest}: {to}",
        f"  with the builder's key {public_key.key_id[:12]}…",
    ]
    document = {"digest": digest, "file": str(to), "key_id": public_key.key_id, "written": not already}
    Printer(output).result(document, lines)
