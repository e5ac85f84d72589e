"""What lies in the vault against what was signed for: bytes, object versions, locks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from interlock.release.manifest import Manifest
from interlock.release.record import Record, RecordedStatement, gather
from interlock.release.signing import PublicKey
from interlock.release.vault import VaultReader, files_prefix, manifest_key, release_prefix, statements_prefix
from interlock.release.verification.reason import Reason, ReasonCode

STRONGEST_LOCK: Final = "COMPLIANCE"
"""The one mode that nobody can lift: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"""

READERS: Final = 8
"""How many objects are read at once: from afar each waits for its answer, and from nearby two keep two cores busy."""


@dataclass(frozen=True)
class Verification:
    """What was found of a release's bytes: they are those that were signed for if there is no reason why not."""

    digest: str
    reasons: tuple[Reason, ...]
    manifest: Manifest | None
    statements: tuple[RecordedStatement, ...]
    locked_until: datetime | None
    """When the first of its objects becomes deletable (UTC)."""

    @property
    def verifies(self) -> bool:
        return not self.reasons


def verify_release(digest: str, reader: VaultReader, keys: Mapping[str, PublicKey]) -> Verification:
    """Check the bytes that the vault holds of the release `digest` against its digest and the builders' `keys`.

    Every object is read by the version that the signed statement names, and no key may have another version, so
    that what was verified is what any other reader gets. No policy is asked: whether the release may serve is not said.
    """
    record = gather(reader, digest, keys)
    if not any(key.startswith(release_prefix(digest)) for key in record.versions):
        return Verification(digest, (nothing_stored(digest),), None, record.statements, None)
    # What others said of the release is signed with keys that whoever asks for its bytes need not know.
    own = [one for one in record.problems if one.where.startswith(release_prefix(digest))]
    found = [*own, *strangers(record), *files_reasons(record, reader), *pin_reasons(record, record.pins)]
    unlocked, until = locks(record, reader)
    first = min(until.values(), default=None)
    return Verification(digest, (*found, *unlocked), record.manifest, record.statements, first)


def nothing_stored(digest: str) -> Reason:
    """Return the reason that there is no such release."""
    prefix = release_prefix(digest)
    return Reason(ReasonCode.NOTHING_STORED, f"the vault holds nothing under {prefix}", prefix)


def strangers(record: Record) -> Iterator[Reason]:
    """Yield what lies beside the release's files and is in no manifest."""
    if record.manifest is None:
        return
    prefix = files_prefix(record.digest)
    known = {manifest_key(record.digest), *(prefix + file.path for file in record.manifest.files)}
    for key in sorted(record.versions):
        beside = key.startswith(release_prefix(record.digest)) and not key.startswith(statements_prefix(record.digest))
        if beside and key not in known:
            yield Reason(ReasonCode.OBJECT_ADDED, f"{key} is not in the manifest", key)


def files_reasons(record: Record, reader: VaultReader) -> Iterator[Reason]:
    """Yield what the files' bytes, each read whole, have otherwise than the manifest says."""
    prefix = files_prefix(record.digest)
    files = {prefix + file.path: file for file in (record.manifest.files if record.manifest else ())}
    versions = {key: record.only_version(key) for key in files}
    with ThreadPoolExecutor(READERS) as pool:
        found = {
            key: pool.submit(reader.describe, key, version) for key, version in versions.items() if version is not None
        }
    for key, file in files.items():
        if key not in found:
            if key not in record.versions:
                yield Reason(ReasonCode.OBJECT_MISSING, f"{key} is missing", key)
            continue
        stored = found[key].result()
        if (stored.size, stored.sha256) != (file.size, file.sha256):
            yield Reason(
                ReasonCode.OBJECT_ALTERED,
                f"{key} holds {stored.size} bytes with SHA-256 {stored.sha256}; "
                f"the manifest says {file.size} bytes with SHA-256 {file.sha256}",
                key,
            )


def pin_reasons(record: Record, pins: Sequence[RecordedStatement]) -> Iterator[Reason]:
    """Yield where `pins` name other object versions than the vault holds, or that there is none of them."""
    if not pins:
        yield Reason(ReasonCode.NOT_PINNED, "no builder has signed for these bytes", record.digest)
    if record.manifest is None:
        return
    keys = [*(files_prefix(record.digest) + file.path for file in record.manifest.files), manifest_key(record.digest)]
    expected: dict[str, Any] = {key: record.only_version(key) for key in keys}
    for one in pins:
        if one.statement.predicate.get("objects") != expected:
            text = f"{one.key} names other object versions than the vault holds"
            yield Reason(ReasonCode.PIN_NAMES_OTHER_OBJECTS, text, one.key)


def locks(record: Record, reader: VaultReader) -> tuple[list[Reason], dict[str, datetime]]:
    """Return what is locked too weakly, and by key when (UTC) each of the others becomes deletable."""
    reasons, until = [], {}
    versions = {key: version for key in sorted(record.versions) if (version := record.only_version(key)) is not None}
    with ThreadPoolExecutor(READERS) as pool:
        found = {key: pool.submit(reader.lock, key, version_id) for key, version_id in versions.items()}
    for key, asked in found.items():
        lock = asked.result()
        if lock is None:
            reasons.append(Reason(ReasonCode.NOT_LOCKED, f"{key} is not locked", key))
        elif lock.mode != STRONGEST_LOCK:
            text = f"{key} is locked in mode {lock.mode}, which some can lift; {STRONGEST_LOCK} is expected"
            reasons.append(Reason(ReasonCode.LOCK_TOO_WEAK, text, key))
        else:
            until[key] = lock.until
    return reasons, until
