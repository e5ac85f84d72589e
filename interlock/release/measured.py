"""What a record holds of gates that were run already: the same inputs are measured once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from interlock.release.digests import sha256
from interlock.release.envelope import seal
from interlock.release.evidence import Evidence, Outcome
from interlock.release.predicates import Predicate
from interlock.release.record import Record, RecordedStatement, envelope_key
from interlock.release.signed_documents import read_as
from interlock.release.signing import Signer
from interlock.release.statement import Statement, statement_about
from interlock.release.vault import StoredObject, VaultReader, VaultWriter


def measured(record: Record) -> Mapping[str, tuple[RecordedStatement, Evidence]]:
    """Return by the digest of its inputs what was measured, and where it lies; of several answers a failed one."""
    found: dict[str, tuple[RecordedStatement, Evidence]] = {}
    for statement, evidence in evidence_in(record):
        known = found.get(evidence.inputs)
        if known is None or known[1].outcome is Outcome.PASSED:
            found[evidence.inputs] = (statement, evidence)
    return found


def evidence_in(record: Record) -> Iterator[tuple[RecordedStatement, Evidence]]:
    """Yield the evidence of a record that can be read as such, by key."""
    for statement in record.evidence:
        try:
            yield statement, read_as(Evidence, statement.statement.predicate)
        except ValidationError:
            # What nobody can read says nothing about a gate, and whoever verifies the record refuses it.
            continue


def evidence_statement(subject_digest: str, evidence: Evidence) -> Statement:
    """Return the statement that a gate measured `evidence` of a release."""
    return statement_about(subject_digest, Predicate.EVIDENCE, evidence.model_dump(mode="json"))


def put_statement(
    subject_digest: str,
    kind: Predicate,
    statement: Statement,
    signer: Signer,
    *,
    writer: VaultWriter,
    reader: VaultReader,
) -> StoredObject:
    """Sign a statement about a release and store it, unless the same one lies there already."""
    key = envelope_key(kind, subject_digest, sha256(statement.content).hex())
    for version in reader.versions(key):
        if version.key == key and not version.is_delete_marker:
            return reader.describe(key, version.version_id)
    envelope = seal(statement, signer).content
    return writer.put(key, envelope, sha256(envelope).hex())
