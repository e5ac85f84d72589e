"""Versions of objects: making, deleting and listing them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeAlias

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend

from rehearsal.cloud.services.s3.errors import LOCKED, access_denied

Version: TypeAlias = FakeKey | FakeDeleteMarker


class _Absent:
    """What a delete marker stands for where there never was an object."""

    def __init__(self, name: str) -> None:
        self.name = name


def delete(bucket: FakeBucket, key: str, version_id: str | None, *, bypass: bool) -> dict[str, Any]:
    """Delete an object, or one version of it for good, and return `version-id` and `delete-marker` where they apply.

    Raises S3's AccessDenied for a locked version.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
    """
    if version_id is not None:
        return _delete_version(bucket, key, version_id, bypass=bypass)
    if bucket.versioning_status is None:
        if key in bucket.keys:
            bucket.keys.pop(key)
        return {}
    marker = FakeDeleteMarker(bucket.keys.get(key) or _Absent(key))
    if bucket.versioning_status == "Suspended":
        # Without versioning the marker replaces the object that has no version of its own.
        _delete_version(bucket, key, "null", bypass=bypass)
        marker._version_id = "null"
    bucket.keys[key] = marker
    return {"version-id": marker.version_id, "delete-marker": "true"}


def _delete_version(bucket: FakeBucket, key: str, version_id: str, *, bypass: bool) -> dict[str, Any]:
    versions = bucket.keys.getlist(key, [])
    doomed = next((version for version in versions if version.version_id == version_id), None)
    if isinstance(doomed, FakeKey) and doomed.is_locked(governance_bypass=bypass):
        raise access_denied(LOCKED)
    left = [version for version in versions if version is not doomed]
    if left:
        bucket.keys.setlist(key, left)
    elif doomed is not None:
        bucket.keys.pop(key) if isinstance(doomed, FakeKey) else dict.pop(bucket.keys, key)
    answer = {"version-id": version_id}
    if isinstance(doomed, FakeDeleteMarker):
        answer["delete-marker"] = "true"
    return answer


def put(backend: S3Backend, original: Any, bucket_name: str, key: str, *arguments: Any, **named: Any) -> FakeKey:
    """Put an object; where versioning is suspended, it replaces only what has no version of its own."""
    bucket = backend.get_bucket(bucket_name)
    kept = []
    if bucket.versioning_status == "Suspended":
        kept = [version for version in bucket.keys.getlist(key, []) if version.version_id != "null"]
        dict.__setitem__(bucket.keys, key, [])
    made: FakeKey = original(backend, bucket_name, key, *arguments, **named)
    if bucket.versioning_status == "Suspended":
        made._is_versioned = True
        dict.__setitem__(bucket.keys, key, [*kept, made])
    return made


def page(
    bucket: FakeBucket,
    *,
    prefix: str,
    delimiter: str | None,
    key_marker: str | None,
    version_id_marker: str | None,
    limit: int,
) -> tuple[list[FakeKey], list[str], list[FakeDeleteMarker], str | None, str | None]:
    """Return a page of versions, common prefixes and delete markers after the markers, and the next page's markers.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
    """
    entries = _entries(bucket, prefix, delimiter, key_marker, version_id_marker)
    shown = list(islice(entries, limit))
    is_truncated = next(entries, None) is not None and bool(shown)
    versions = [entry for entry in shown if isinstance(entry, FakeKey)]
    markers = [entry for entry in shown if isinstance(entry, FakeDeleteMarker)]
    prefixes = [entry for entry in shown if isinstance(entry, str)]
    if not is_truncated:
        return versions, prefixes, markers, None, None
    last = shown[-1]
    return versions, prefixes, markers, *((last, None) if isinstance(last, str) else (last.name, last.version_id))


def _entries(
    bucket: FakeBucket, prefix: str, delimiter: str | None, key_marker: str | None, version_id_marker: str | None
) -> Iterator[Version | str]:
    last_prefix = None
    for key in sorted(name for name in dict.keys(bucket.keys) if name.startswith(prefix)):
        folder = _folder(key, prefix, delimiter)
        if folder is not None:
            if folder != last_prefix and (key_marker is None or folder > key_marker):
                yield folder
            last_prefix = folder
        elif key_marker is None or key > key_marker:
            yield from _newest_first(bucket, key)
        elif key == key_marker and version_id_marker:
            newest_first = list(_newest_first(bucket, key))
            seen = [version.version_id for version in newest_first]
            if version_id_marker in seen:
                yield from newest_first[seen.index(version_id_marker) + 1 :]


def _folder(key: str, prefix: str, delimiter: str | None) -> str | None:
    if not delimiter or delimiter not in key[len(prefix) :]:
        return None
    return key[: key.index(delimiter, len(prefix)) + len(delimiter)]


def _newest_first(bucket: FakeBucket, key: str) -> Iterator[Version]:
    versions = bucket.keys.getlist(key, [])
    for version in reversed(versions):
        version.is_latest = version is versions[-1]
        yield version
