"""Where bytes wait in the staging bucket, which nothing locks, and how they come in and out of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Final

from interlock.release.manifest import InvalidManifest, Manifest, ManifestFile, manifest_of, parse_manifest
from interlock.release.request import SUBMISSIONS
from interlock.release.transfer import LANES, Item, Renewal, put_all
from interlock.release.vault import VaultDownloader, VaultReader, VaultWriter

PINS: Final = "pins/"
"""The builder's own part of the staging bucket."""

_MANIFEST: Final = "manifest.json"
_BLOBS: Final = "blobs/"


class NotStaged(ValueError):
    """What was said to be staged is not there, or is not what it should be."""


def submitted_folder(source_identity: str, subject_digest: str) -> str:
    """Return under what a submitter stages a folder."""
    return f"{SUBMISSIONS}{source_identity}/folders/{subject_digest}/"


def pinning_prefix(request_sha256: str) -> str:
    """Return under what the builder stages what a request asks for."""
    return f"{PINS}{request_sha256}/"


def bytes_prefix(prefix: str) -> str:
    """Return under what the staged bytes themselves lie; beside them nothing tells of anybody."""
    return f"{prefix}{_BLOBS}"


def stage(
    folder: Path,
    manifest: Manifest,
    prefix: str,
    *,
    writer: VaultWriter,
    reader: VaultReader,
    progress: Callable[[str], None] = lambda _: None,
    lanes: int = LANES,
    renewal: Renewal | None = None,
) -> None:
    """Put the files of `folder` under `prefix` by their digests, and their manifest when all are there.

    What lies there already is written again only where `renewal` says so.
    """
    blobs = bytes_prefix(prefix)
    by_digest = {file.sha256: Item(blobs + file.sha256, folder / file.path, file.sha256) for file in manifest.files}
    files = list(by_digest.values())
    put_all(files, blobs, writer=writer, reader=reader, progress=progress, lanes=lanes, renewal=renewal)
    last = Item(f"{prefix}{_MANIFEST}", manifest.content, manifest.subject_digest)
    put_all([last], last.key, writer=writer, reader=reader, renewal=renewal)


def staged_since(manifest: Manifest, prefix: str, reader: VaultReader) -> datetime | None:
    """Return when (UTC) the store took the oldest of what is staged of `manifest`; None where it does not tell."""
    needed = {f"{prefix}{_MANIFEST}", *(bytes_prefix(prefix) + file.sha256 for file in manifest.files)}
    taken = [one.written_at for one in reader.versions(prefix) if one.key in needed and one.is_latest]
    known = [moment for moment in taken if moment is not None]
    return min(known) if known and len(known) == len(taken) else None


def staged_manifest(prefix: str, reader: VaultReader) -> Manifest | None:
    """Return the manifest of what is staged whole under `prefix`, or None. Raises NotStaged for another document."""
    content = read_latest(reader, f"{prefix}{_MANIFEST}")
    if content is None:
        return None
    try:
        return parse_manifest(content)
    except InvalidManifest as error:
        raise NotStaged(f"{prefix}{_MANIFEST} is no manifest: {error}") from error


def read_latest(reader: VaultReader, key: str) -> bytes | None:
    """Return what lies under a key of the staging bucket now, or None."""
    found = [one for one in reader.versions(key) if one.key == key and one.is_latest and not one.is_delete_marker]
    return reader.read(key, found[0].version_id) if found else None


def fetch_staged(
    manifest: Manifest, prefix: str, into: Path, *, reader: VaultReader, downloader: VaultDownloader
) -> None:
    """Write the staged files of `manifest` below the new folder `into`.

    Raises NotStaged if one is missing, or is not what the manifest says.
    """
    blobs = bytes_prefix(prefix)
    there = {
        version.key: version.version_id
        for version in reader.versions(blobs)
        if version.is_latest and not version.is_delete_marker
    }
    into.mkdir(parents=True)
    for file in manifest.files:
        if blobs + file.sha256 not in there:
            raise NotStaged(f"{blobs}{file.sha256}, the bytes of {file.path!r}, is not staged")

    def download(file: ManifestFile) -> None:
        place = into / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        downloader.download(blobs + file.sha256, there[blobs + file.sha256], place)

    with ThreadPoolExecutor(LANES) as pool:
        try:
            list(pool.map(download, manifest.files))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if manifest_of(into) != manifest:
        raise NotStaged(f"what is staged under {prefix} is not what its manifest says")
