"""`interlock release`: pinning a model version's bytes, and verifying what was pinned."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command
from interlock.clients import StackClients, pin_model_version, require_verified
from interlock.duties.duty import Duty
from interlock.failures import BadInput
from interlock.mlflow.registry import Credentials, ModelReference
from interlock.release.signing import PublicKey
from interlock.release.vault import release_prefix
from interlock.release.verification.stored import Verification

app = typer.Typer(help="Pin a model version's bytes, and verify what was pinned.", no_args_is_help=True)


def pin_version(clients: StackClients, reference: str, printer: Printer, say: Callable[[str], None]) -> None:
    """Pin a model version that nobody submitted: its bytes are locked, and nothing is admitted by it."""
    wanted = ModelReference.parse(reference)
    pinned, verification = pin_model_version(clients, wanted, credentials_of(clients, Duty.BUILDER), progress=say)
    lines = [
        f"pinned {wanted} as release {pinned.digest}",
        f"  {len(pinned.manifest.files)} files, {pinned.manifest.total_size} bytes, {_where(clients, pinned.digest)}",
        *_verified(verification),
    ]
    printer.result(
        {
            "digest": pinned.digest,
            "statement": pinned.statement.key,
            "objects": {stored.key: stored.version_id for stored in pinned.files},
            **_fields(verification),
        },
        lines,
    )


@app.command()
@command
def verify(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="The release: 64 hexadecimal digits.")],
    public_key: Annotated[
        Path | None,
        typer.Option(help="The builder's public key (PEM) from a source you trust; without it KMS is asked."),
    ] = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Check a release's bytes, manifest, locks and signatures as they lie in the vault."""
    keys = {"builder": read_key(public_key)} if public_key else None
    clients = load_clients(stack)
    verification = require_verified(clients, digest, keys)
    lines = [f"release {digest} verifies", f"  {_where(clients, digest)}", *_verified(verification)]
    Printer(output).result(_fields(verification), lines)


def credentials_of(clients: StackClients, duty: Duty) -> Credentials | None:
    """Return the credentials of a duty's user of MLflow, or None where the environment holds some.

    A stack that stands on a server of others' making has its administrator's alone. Raises OutsideFailure.
    """
    if os.environ.get("MLFLOW_TRACKING_USERNAME"):
        return None
    return clients.tracking_credentials(clients.manifest.tracking.user_secret_arns.get(duty.value))


def read_key(path: Path) -> PublicKey:
    """Return the public key in the PEM file `path`. Raises BadInput."""
    try:
        return PublicKey.from_pem(path.read_bytes())
    except OSError as error:
        raise BadInput(f"--public-key: {path}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"--public-key: {path} is no public key in PEM: {error}") from error


def _where(clients: StackClients, digest: str) -> str:
    return f"s3://{clients.manifest.vault.bucket_name}/{release_prefix(digest)}"


def _verified(verification: Verification) -> list[str]:
    signed = [f"  signed by {', '.join(sorted(one.signers))}: {one.key}" for one in verification.statements]
    return [*signed, f"  locked until {verification.locked_until:%Y-%m-%d %H:%M UTC}"]


def _fields(verification: Verification) -> dict[str, Any]:
    assert verification.manifest is not None
    assert verification.locked_until is not None
    return {
        "digest": verification.digest,
        "verifies": verification.verifies,
        "files": [file.model_dump() for file in verification.manifest.files],
        "statements": [
            {
                "key": one.key,
                "signed_by": sorted(one.signers),
                "predicate_type": one.statement.predicate_type,
                "predicate": one.statement.predicate,
            }
            for one in verification.statements
        ],
        "locked_until": verification.locked_until.isoformat(),
    }
