"""From where a command's trust starts: the options that say so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from interlock.admission import Anchor
from interlock.failures import BadInput
from interlock.release.digests import is_hex_digest

FINGERPRINT_VARIABLE = "INTERLOCK_ROOT_FINGERPRINT"

RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="DIR",
        help="The folder with 1.root.json, 2.root.json, … and policies/. Without it: the vault's trust/.",
        show_default=False,
    ),
]
FingerprintOption = Annotated[
    str | None,
    typer.Option(
        "--fingerprint",
        metavar="HEX",
        envvar=FINGERPRINT_VARIABLE,
        help="Of the version of the trust root that you were given by the people who signed it.",
        show_default=False,
    ),
]


def anchor(root: Path | None, fingerprint: str | None) -> Anchor:
    """Return from where trust starts. Raises BadInput without a fingerprint."""
    found = optional_anchor(root, fingerprint)
    if found is None:
        # What a vault says of itself proves nothing.
        raise BadInput(
            "--fingerprint: received none; accepted is the trust root's, as the people who signed it gave it to you",
            next_step=f"give --fingerprint HEX, or set {FINGERPRINT_VARIABLE}",
        )
    return found


def optional_anchor(root: Path | None, fingerprint: str | None) -> Anchor | None:
    """Return from where trust starts, or None if nothing was said. Raises BadInput."""
    if root is not None and not os.path.isdir(root):
        raise BadInput(f"--root: received {str(root)!r}; accepted is a folder with the root's versions")
    if not fingerprint:
        if root is not None:
            raise BadInput("--root: given without --fingerprint; accepted are both: a folder proves nothing by itself")
        return None
    if not is_hex_digest(fingerprint):
        raise BadInput(f"--fingerprint: received {fingerprint!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
    return Anchor(fingerprint, root)
