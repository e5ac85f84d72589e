"""Watching: whether a registry still shows what releases were pinned from, and findings where it does not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from pydantic import ValidationError

from interlock.release.digests import is_hex_digest, sha256
from interlock.release.envelope import InvalidEnvelope, open_envelope, payload_digest, seal
from interlock.release.finding import Change, Fact, Finding, told
from interlock.release.manifest import Manifest, UnfitFolder, manifest_of, parse_manifest
from interlock.release.pin_statement import PinPredicate, Source
from interlock.release.predicates import PLACES, RELEASES, Predicate
from interlock.release.record import envelope_key
from interlock.release.registry_changes import changes_between, file_changes
from interlock.release.request import SubjectKind
from interlock.release.signed_documents import read_as
from interlock.release.signing import PublicKey, Signer
from interlock.release.statement import Statement, statement_about
from interlock.release.vault import StoredObject, VaultReader, VaultWriter, manifest_key, statements_prefix, version_of

WATCHABLE: Final = frozenset({SubjectKind.MODEL, SubjectKind.PROMPT})
"""What was pinned from a registry; a folder was pinned from nowhere that could change."""


class RegistryEye(Protocol):
    """Looks at a registry, and changes nothing. What it cannot see it raises; only what is not there is gone."""

    def facts(self, source: Source) -> Mapping[str, str]:
        """Return what the registry shows of a version, by fact, but for its files."""
        ...

    def files(self, source: Source, folder: Path) -> Path | None:
        """Download the version's files as they are now into the new folder `folder`; None if they are gone.

        Raises UnfitFolder where they cannot be those of a release.
        """
        ...


@dataclass(frozen=True)
class Pinned:
    """A version that a release was pinned from."""

    digest: str
    source: Source
    manifest: Manifest


@dataclass(frozen=True)
class Watched:
    """What was seen of a version: the changes since the last finding, and what contradicts the release by now."""

    pinned: Pinned
    finding: Finding | None
    """What was recorded, if there was anything to record."""
    stored: StoredObject | None
    standing: tuple[Change, ...]
    """Where the registry shows something else than what was released, whenever that was found first."""


class Folders(Protocol):
    """Lists the vault without listing what lies in each folder."""

    def folders(self, prefix: str) -> Iterator[str]: ...


def pinned_releases(vault: Folders) -> list[str]:
    """Return the digests of all releases in the vault, sorted."""
    return sorted(name for name in vault.folders(RELEASES) if is_hex_digest(name))


def pinned_versions(digest: str, reader: VaultReader, builders: Mapping[str, PublicKey]) -> Iterator[Pinned]:
    """Yield each version that the release `digest` was pinned from, as a builder's statement says."""
    key = manifest_key(digest)
    version = version_of(reader, key)
    if version is None:
        return
    manifest = parse_manifest(reader.read(key, version))
    known = set()
    for _, statement in _statements(reader, statements_prefix(digest), digest, builders, Predicate.PIN):
        try:
            source = read_as(PinPredicate, statement.predicate).source
        except ValidationError:
            continue
        if source.kind in WATCHABLE and source not in known:
            known.add(source)
            yield Pinned(digest, source, manifest)


def watch(
    pinned: Pinned,
    eye: RegistryEye,
    *,
    reader: VaultReader,
    writer: VaultWriter,
    signer: Signer,
    observers: Mapping[str, PublicKey],
    now: datetime,
) -> Watched:
    """Look at a version, and record what changed since the last finding of it, or that it was looked at first.

    Nothing is recorded of what is as it was found before. Raises what `eye`, `reader` and `writer` raise.
    """
    facts, details = _seen(pinned, eye)
    last = last_finding(pinned, reader, observers)
    changes = changes_between(pinned, last[1].facts if last else None, facts, details)
    standing = tuple(changes_between(pinned, None, facts, details))
    if last is not None and not changes:
        return Watched(pinned, None, None, standing)
    finding = Finding(
        source=pinned.source,
        changes=tuple(changes),
        facts=facts,
        previous=last[0] if last else "",
        observed_at=now,
    )
    return Watched(pinned, finding, _record(pinned, finding, reader, writer, signer), standing)


def last_finding(pinned: Pinned, reader: VaultReader, observers: Mapping[str, PublicKey]) -> tuple[str, Finding] | None:
    """Return the newest finding about a version that an observer signed, with its payload's digest."""
    found = {
        payload: finding
        for payload, finding in findings_about(pinned.digest, reader, observers)
        if finding.source == pinned.source
    }
    followed = {finding.previous for finding in found.values()}
    ends = [payload for payload in found if payload not in followed]
    if not ends:
        return None
    newest = max(ends, key=lambda payload: (found[payload].observed_at, payload))
    return newest, found[newest]


def findings_about(
    digest: str, reader: VaultReader, observers: Mapping[str, PublicKey]
) -> Iterator[tuple[str, Finding]]:
    """Yield each finding about a release that one of the observers' keys signed, with its payload's digest."""
    prefix = f"{PLACES[Predicate.FINDING].prefix}{digest}/"
    for payload, statement in _statements(reader, prefix, digest, observers, Predicate.FINDING):
        try:
            yield payload, read_as(Finding, statement.predicate)
        except ValidationError:
            continue


def _seen(pinned: Pinned, eye: RegistryEye) -> tuple[dict[str, str], tuple[str, ...]]:
    facts = dict(eye.facts(pinned.source))
    with tempfile.TemporaryDirectory(prefix="interlock-watch-") as scratch:
        try:
            folder = eye.files(pinned.source, Path(scratch) / "files")
            found = manifest_of(folder) if folder is not None and any(folder.iterdir()) else None
        except UnfitFolder as error:
            facts[Fact.FILES] = told(f"no release: {error}")
            return facts, tuple(map(told, error.problems[:20]))
    facts[Fact.FILES] = found.subject_digest if found else ""
    return facts, tuple(file_changes(pinned.manifest, found)) if found else ()


def _record(pinned: Pinned, finding: Finding, reader: VaultReader, writer: VaultWriter, signer: Signer) -> StoredObject:
    statement = statement_about(pinned.digest, Predicate.FINDING, finding.model_dump(mode="json"))
    key = envelope_key(Predicate.FINDING, pinned.digest, sha256(statement.content).hex())
    there = version_of(reader, key)
    if there is not None:
        return reader.describe(key, there)
    envelope = seal(statement, signer).content
    return writer.put(key, envelope, sha256(envelope).hex())


def _statements(
    reader: VaultReader, prefix: str, digest: str, keys: Mapping[str, PublicKey], kind: Predicate
) -> Iterator[tuple[str, Statement]]:
    """Yield the statements of a kind about a release that one of `keys` signed; what is none is for others to tell."""
    for version in list(reader.versions(prefix)):
        if version.is_delete_marker:
            continue
        content = reader.read(version.key, version.version_id)
        try:
            statement, _ = open_envelope(content, keys)
            payload = payload_digest(content)
        except InvalidEnvelope:
            continue
        if statement.predicate_type == kind and statement.is_about(digest):
            yield payload, statement
