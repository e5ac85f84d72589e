"""`interlock root publish`: what people have signed goes into the vault, where every reader finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.loading import StackOption, load_foundation_clients
from interlock.cli.policy import read_policy_file
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command
from interlock.failures import BadInput, Refusal
from interlock.release.tiers import POLICY_NAME, TiersPolicy, missing_before_locking
from interlock.release.trust.chain import RootRefused, SignedRoot, read_signed, verify_chain
from interlock.release.trust.published import Unpublished, publish, read_policy
from interlock.release.vault import Overwritten, VaultReader
from interlock.root_files import RootFolder


@command
def publish_root(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with 1.root.json, 2.root.json, …")],
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The tiers policy that the newest version names.")
    ] = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Put the signed versions and the policy that the newest names into the vault, as the foundation.

    Running it again changes nothing. A chain that does not hold is not published.
    """
    files = RootFolder(folder)
    if files.draft() is not None:
        raise Refusal(f"version {files.newest} is a draft that nobody has signed", next_step="interlock root sign DIR")
    roots = files.signed()
    newest = _in_force(roots)
    given = read_policy_file("--policy", policy) if policy is not None else None
    clients = load_foundation_clients(stack)
    try:
        policies = _policies(newest, given, clients.vault_reader)
        stored = publish(roots, policies, writer=clients.vault_writer, reader=clients.vault_reader)
    except Overwritten as error:
        raise Refusal("the root was not published", reasons=[str(error)]) from error
    lines = [f"published version {newest.root.version} of the root of {newest.root.name}"]
    document = {
        "version": newest.root.version,
        "fingerprint": newest.fingerprint,
        "objects": {one.key: one.version_id for one in stored},
    }
    Printer(output).result(document, [*lines, *(f"  {one.key}" for one in stored)])


def _in_force(roots: list[bytes]) -> SignedRoot:
    try:
        first = read_signed(roots[0])
        if first.root.version != 1:
            raise Refusal(f"the folder begins with version {first.root.version}; published are all from version 1")
        return verify_chain(roots, first.fingerprint, now=None)
    except RootRefused as error:
        raise Refusal("the newest version is not in force", reasons=error.reasons) from error


def _policies(newest: SignedRoot, given: TiersPolicy | None, reader: VaultReader) -> list[TiersPolicy]:
    """Return the policy to publish: a root that names one nobody can read would stop every release."""
    named = newest.root.policies.get(POLICY_NAME)
    version = newest.root.version
    if given is not None:
        if given.digest != named:
            raise BadInput(
                f"--policy: received the policy {given.digest}; accepted is {named or 'none'}, "
                f"which version {version} names as {POLICY_NAME}",
                next_step=f"interlock root rotate DIR --policy {POLICY_NAME}=FILE has people sign another",
            )
        missing = missing_before_locking(given)
        if missing:
            raise BadInput("--policy: nothing could be pinned under it", reasons=[str(one) for one in missing])
        return [given]
    if named is not None:
        try:
            read_policy(reader, named)
        except Unpublished as error:
            raise BadInput(
                f"--policy: received none, and version {version} names {named} as {POLICY_NAME}", reasons=[str(error)]
            ) from error
    return []
