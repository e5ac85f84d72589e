"""Which objects of the vault the ledger records, and the leaf of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from interlock.ledger.leaf import Leaf, LeafKind
from interlock.ledger.storage import LogReader
from interlock.release.digests import sha256
from interlock.release.envelope import InvalidEnvelope, read_sealed
from interlock.release.predicates import APPROVALS, DECISIONS, FINDINGS
from interlock.release.statement import PAYLOAD_TYPE, InvalidStatement, parse_statement
from interlock.release.trust.published import TRUST
from interlock.release.vault import RELEASES, ObjectVersion, VaultReader

LONGEST_TYPE: Final = 300
LARGEST_STATEMENT_BYTES: Final = 64 * 1024**2
"""Of an envelope: a list of a large image's packages has some megabytes. What is larger is not read to its end."""
_ENVELOPE: Final = ".dsse.json"
_ROOT: Final = re.compile(rf"{TRUST}[1-9]\d*\.root\.json")


class UnfitStatement(ValueError):
    """An object under a statement's key that is none."""


def statements_in(vault: VaultReader, folders: LogReader) -> Iterator[ObjectVersion]:
    """Yield every version of every statement in the vault, and of every trust root; releases' files are passed by."""
    for name in folders.names(RELEASES):
        if name.endswith("/"):
            yield from _envelopes(vault, f"{RELEASES}{name}statements/")
    for prefix in (APPROVALS, DECISIONS, FINDINGS):
        yield from _envelopes(vault, prefix)
    for version in vault.versions(TRUST):
        if _ROOT.fullmatch(version.key) and not version.is_delete_marker:
            yield version


def leaf_of(version: ObjectVersion, content: bytes, kind: LeafKind, at: datetime) -> Leaf:
    """Return the leaf of an envelope as it was read, whoever signed it. Raises UnfitStatement if it holds none.

    The ledger says that a statement lay there, and not that it counts.
    """
    if len(content) > LARGEST_STATEMENT_BYTES:
        raise UnfitStatement(f"the object has more than {LARGEST_STATEMENT_BYTES} bytes")
    try:
        sealed = read_sealed(content)
        subject, predicate_type = None, sealed.payload_type
        if sealed.payload_type == PAYLOAD_TYPE:
            statement = parse_statement(sealed.payload)
            digests = {one.digest.sha256 for one in statement.subject}
            subject, predicate_type = digests.pop() if len(digests) == 1 else None, statement.predicate_type
        elif not version.key.startswith(TRUST):
            raise UnfitStatement(f"the payload is of type {sealed.payload_type!r}, not {PAYLOAD_TYPE!r}")
    except (InvalidEnvelope, InvalidStatement) as error:
        raise UnfitStatement(str(error)) from error
    if len(predicate_type) > LONGEST_TYPE:
        raise UnfitStatement(f"the predicate's type has {len(predicate_type)} characters, more than {LONGEST_TYPE}")
    return Leaf(
        kind=kind,
        key=version.key,
        version_id=version.version_id,
        sha256=sha256(content).hex(),
        payload=sha256(sealed.payload).hex(),
        predicate_type=predicate_type,
        subject=subject,
        recorded_at=at,
    )


def _envelopes(vault: VaultReader, prefix: str) -> Iterator[ObjectVersion]:
    for version in vault.versions(prefix):
        if version.key.endswith(_ENVELOPE) and not version.is_delete_marker:
            yield version
