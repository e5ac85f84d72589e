"""Pinning: a model version's bytes become a release in the vault, named by what they are and signed for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from interlock.release.digests import sha256
from interlock.release.envelope import seal
from interlock.release.manifest import Manifest, manifest_of
from interlock.release.signing import Signer
from interlock.release.statement import statement_about
from interlock.release.vault import (
    StoredObject,
    VaultReader,
    VaultWriter,
    files_prefix,
    manifest_key,
    statement_key,
)

PIN_PREDICATE = "urn:interlock:predicate:pin:v1"


@dataclass(frozen=True)
class ModelSource:
    """The model version that a release was pinned from, as the registry named it then."""

    registry: str
    name: str
    version: str
    logged_model_id: str
    run_id: str


@dataclass(frozen=True)
class Pin:
    """A release in the vault."""

    digest: str
    manifest: Manifest
    files: tuple[StoredObject, ...]
    statement: StoredObject


def pin(
    folder: Path,
    source: ModelSource,
    *,
    writer: VaultWriter,
    reader: VaultReader,
    signer: Signer,
    progress: Callable[[str], None] = lambda _: None,
) -> Pin:
    """Put every file of `folder` into the vault and sign for what lies there now.

    The same bytes always give the same release. Everything is named by its content, so a run that was broken off
    is completed by running it again. Raises UnfitFolder for a folder that cannot be a release, and Overwritten if
    the vault holds other bytes where these belong.
    """
    manifest = manifest_of(folder)
    digest = manifest.subject_digest
    files = []
    for file in manifest.files:
        progress(file.path)
        files.append(writer.put(files_prefix(digest) + file.path, folder / file.path, file.sha256))
    stored_manifest = writer.put(manifest_key(digest), manifest.content, digest)
    statement = statement_about(digest, PIN_PREDICATE, _predicate(source, files, stored_manifest))
    payload_digest = sha256(statement.content).hex()
    key = statement_key(digest, payload_digest)
    existing = [version for version in reader.versions(key) if version.key == key and not version.is_delete_marker]
    if existing:
        return Pin(digest, manifest, tuple(files), reader.describe(key, existing[-1].version_id))
    envelope = seal(statement, signer).content
    return Pin(digest, manifest, tuple(files), writer.put(key, envelope, sha256(envelope).hex()))


def _predicate(source: ModelSource, files: list[StoredObject], manifest: StoredObject) -> dict[str, Any]:
    return {
        "source": asdict(source),
        "objects": {stored.key: stored.version_id for stored in (*files, manifest)},
    }
