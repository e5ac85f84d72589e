"""Verification of a release as it lies in the vault: its bytes, its manifest, its locks and who signed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from interlock.release.envelope import InvalidEnvelope, open_envelope, payload_digest
from interlock.release.manifest import InvalidManifest, Manifest, parse_manifest
from interlock.release.pinning import PIN_PREDICATE
from interlock.release.signing import PublicKey
from interlock.release.statement import Statement
from interlock.release.vault import (
    Lock,
    ObjectVersion,
    VaultReader,
    files_prefix,
    manifest_key,
    release_prefix,
    statement_key,
    statements_prefix,
)


@dataclass(frozen=True)
class SignedStatement:
    """A statement, the names of the keys that signed it, and the object it was read from."""

    statement: Statement
    signers: frozenset[str]
    key: str


@dataclass(frozen=True)
class Verification:
    """What was found of a release: it verifies if there is no reason why not."""

    digest: str
    reasons: tuple[str, ...]
    manifest: Manifest | None
    statements: tuple[SignedStatement, ...]
    locked_until: datetime | None
    """When the first of its objects becomes deletable (UTC)."""

    @property
    def verifies(self) -> bool:
        return not self.reasons


def verify_release(digest: str, reader: VaultReader, keys: Mapping[str, PublicKey]) -> Verification:
    """Check everything that the vault holds of the release `digest` against its digest and the builders' `keys`.

    Every object is read by the version that the signed statement names, and no key may have another version, so
    that what was verified is what any other reader gets.
    """
    return _Inspection(digest, reader, keys).result()


class _Inspection:
    def __init__(self, digest: str, reader: VaultReader, keys: Mapping[str, PublicKey]) -> None:
        self.digest, self.reader, self.keys = digest, reader, keys
        self.reasons: list[str] = []
        self.versions: dict[str, list[ObjectVersion]] = {}
        self.until: list[datetime] = []

    def result(self) -> Verification:
        for version in self.reader.versions(release_prefix(self.digest)):
            self.versions.setdefault(version.key, []).append(version)
        if not self.versions:
            return self._verdict(None, (), [f"the vault holds nothing under {release_prefix(self.digest)}"])
        self._look_for_second_versions()
        manifest = self._manifest()
        statements = tuple(self._statements())
        if manifest is not None:
            self._check_files(manifest)
            self._check_pin(manifest, statements)
        self._check_locks()
        return self._verdict(manifest, statements, self.reasons)

    def _verdict(
        self, manifest: Manifest | None, statements: tuple[SignedStatement, ...], reasons: Sequence[str]
    ) -> Verification:
        return Verification(self.digest, tuple(reasons), manifest, statements, min(self.until, default=None))

    def _look_for_second_versions(self) -> None:
        for key, versions in self.versions.items():
            if any(version.is_delete_marker for version in versions):
                self.reasons.append(f"{key} is hidden by a delete marker")
            count = sum(not version.is_delete_marker for version in versions)
            if count > 1:
                self.reasons.append(f"{key} was overwritten: it has {count} versions, and a release has one of each")

    def _only_version(self, key: str) -> str | None:
        """Return the one version of `key`; a key without, or with several, has a reason of its own."""
        versions = [version for version in self.versions.get(key, ()) if not version.is_delete_marker]
        return versions[0].version_id if len(versions) == 1 else None

    def _manifest(self) -> Manifest | None:
        key = manifest_key(self.digest)
        version_id = self._only_version(key)
        if version_id is None:
            if key not in self.versions:
                self.reasons.append(f"{key} is missing")
            return None
        try:
            manifest = parse_manifest(self.reader.read(key, version_id))
        except InvalidManifest as error:
            self.reasons.append(f"{key} is no manifest: {error}")
            return None
        if manifest.subject_digest != self.digest:
            self.reasons.append(f"{key} is the manifest of another release, {manifest.subject_digest}")
            return None
        return manifest

    def _statements(self) -> list[SignedStatement]:
        found = []
        for key in sorted(self.versions):
            version_id = self._only_version(key)
            if not key.startswith(statements_prefix(self.digest)) or version_id is None:
                continue
            content = self.reader.read(key, version_id)
            try:
                statement, signers = open_envelope(content, self.keys)
                expected_key = statement_key(self.digest, payload_digest(content))
            except InvalidEnvelope as error:
                self.reasons.append(f"{key}: {error}")
                continue
            if key != expected_key:
                self.reasons.append(f"{key} lies under a name that is not its payload's digest")
            elif not statement.is_about(self.digest):
                self.reasons.append(f"{key} is about another release")
            else:
                found.append(SignedStatement(statement, signers, key))
        return found

    def _check_files(self, manifest: Manifest) -> None:
        prefix = files_prefix(self.digest)
        expected = {prefix + file.path: file for file in manifest.files}
        known = {manifest_key(self.digest), *expected}
        for key in self.versions:
            if key not in known and not key.startswith(statements_prefix(self.digest)):
                self.reasons.append(f"{key} is not in the manifest")
        for key, file in expected.items():
            version_id = self._only_version(key)
            if version_id is None:
                if key not in self.versions:
                    self.reasons.append(f"{key} is missing")
                continue
            stored = self.reader.describe(key, version_id)
            if (stored.size, stored.sha256) != (file.size, file.sha256):
                self.reasons.append(
                    f"{key} holds {stored.size} bytes with SHA-256 {stored.sha256}; "
                    f"the manifest says {file.size} bytes with SHA-256 {file.sha256}"
                )

    def _check_pin(self, manifest: Manifest, statements: Sequence[SignedStatement]) -> None:
        keys = [*(files_prefix(self.digest) + file.path for file in manifest.files), manifest_key(self.digest)]
        expected: dict[str, Any] = {key: self._only_version(key) for key in keys}
        pins = [signed for signed in statements if signed.statement.predicate_type == PIN_PREDICATE]
        if not pins:
            self.reasons.append("no builder has signed for these bytes")
        for signed in pins:
            if signed.statement.predicate.get("objects") != expected:
                self.reasons.append(f"{signed.key} names other object versions than the vault holds")

    def _check_locks(self) -> None:
        for key in sorted(self.versions):
            version_id = self._only_version(key)
            if version_id is None:
                continue
            lock: Lock | None = self.reader.lock(key, version_id)
            if lock is None:
                self.reasons.append(f"{key} is not locked")
            elif lock.mode != "COMPLIANCE":
                self.reasons.append(f"{key} is locked in mode {lock.mode}, which some can lift; COMPLIANCE is expected")
            else:
                self.until.append(lock.until)
