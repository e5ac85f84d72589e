"""The page that lies beside a bundle, for whoever opens it years later."""

from __future__ import annotations

from typing import Final

_TEXT: Final = """# The record of one release
Release `{digest}`: everything that Interlock's vault held about it when this was exported, and what proves it.

Check it with Python 3.11 or newer and nothing else, on a machine without a network if you like:

    python3 verify.py . --root FINGERPRINT

`FINGERPRINT` is the SHA-256 of the first version of the trust root. Take it, and `verify.py` itself, from a source that
whoever gave you this bundle does not control: the program prints its own SHA-256 first. Exit code 0: everything holds;
1: refused, with the reasons; 2: this could not be checked at all.

| file | what it is |
| --- | --- |
| `bundle.json` | every object of the vault about this release: VersionId, size, SHA-256, lock |
| `vault/releases/…` | the manifest; the builder's statements: what was pinned, what each gate measured |
| `vault/approvals/…` | what people signed: approvals, rejections, withdrawals, revocations |
| `vault/decisions/…` | what the deployer decided and on what, and what has served |
| `vault/trust/…` | every version of the trust root, and the policies that it names |
| `vault/ledger/…`, `vault/witness/…` | all entries of the logs, and their signed checkpoints |
| `proofs.json` | inclusion and consistency proofs (RFC 6962) |
| `passport.html` | the same record for people; nothing is proven by it |

Each file below `vault/` has the bytes that it had in the vault, under the same key. A statement is an in-toto Statement
v1 in a DSSE envelope, signed with ECDSA on P-256: any reader of these formats can open it. A copy of the model is held
against the manifest with `--files FOLDER`, a checkpoint that you kept from earlier with `--checkpoint FILE`.
"""


def readme(digest: str) -> str:
    """Return the page for the bundle of the release `digest`."""
    return _TEXT.format(digest=digest)
