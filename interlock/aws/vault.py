"""The vault in S3: conditional writes, reads by version, and the list of what is locked until when."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import error_code, outside
from interlock.aws.uploading import NEW_KEY, PART_BYTES, Condition, upload_in_parts
from interlock.failures import BadInput
from interlock.release.vault import Lock, ObjectVersion, Overwritten, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGEST_FILE_BYTES = 5 * 1024**4
"""What one object holds: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html"""

_CHUNK_BYTES = 1024**2


class S3VaultReader:
    """Reads the vault, always by version."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield every version and every delete marker under `prefix`. Raises OutsideFailure."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
        with self._attempt(f"list s3://{self.bucket}/{prefix}"):
            for page in pages:
                for version in page.get("Versions", ()):
                    yield ObjectVersion(
                        version["Key"],
                        version["VersionId"],
                        version["IsLatest"],
                        written_at=version["LastModified"].astimezone(UTC),
                    )
                for marker in page.get("DeleteMarkers", ()):
                    yield ObjectVersion(marker["Key"], marker["VersionId"], marker["IsLatest"], is_delete_marker=True)

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders right under `prefix`, which ends in `/`. Raises OutsideFailure."""
        listing = self._s3.get_paginator("list_object_versions")
        with self._attempt(f"list s3://{self.bucket}/{prefix}"):
            for page in listing.paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/"):
                for found in page.get("CommonPrefixes", ()):
                    yield found["Prefix"].removeprefix(prefix).rstrip("/")

    def read(self, key: str, version_id: str) -> bytes:
        """Return an object's bytes. Raises OutsideFailure."""
        with self._attempt(f"read s3://{self.bucket}/{key}"):
            return self._s3.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)["Body"].read()

    def describe(self, key: str, version_id: str) -> StoredObject:
        """Return an object's size and digest, taken of every byte of it. Raises OutsideFailure."""
        digest, size = hashlib.sha256(), 0
        with self._attempt(f"read s3://{self.bucket}/{key}"):
            body = self._s3.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)["Body"]
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
        return StoredObject(key, version_id, size, digest.hexdigest())

    def download(self, key: str, version_id: str, file: Path) -> None:
        """Write an object's bytes into the new file `file`. Raises FileExistsError, OutsideFailure."""
        with self._attempt(f"read s3://{self.bucket}/{key}"), file.open("xb") as opened:
            body = self._s3.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)["Body"]
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                opened.write(chunk)

    def lock(self, key: str, version_id: str) -> Lock | None:
        """Return the object's lock, or None if nothing holds it. Raises OutsideFailure."""
        try:
            answer = self._s3.get_object_retention(Bucket=self.bucket, Key=key, VersionId=version_id)
        except ClientError as error:
            if error_code(error) in ("NoSuchObjectLockConfiguration", "InvalidRequest"):
                return None
            raise outside(f"read the lock of s3://{self.bucket}/{key}", error) from error
        retention = answer["Retention"]
        if "Mode" not in retention or "RetainUntilDate" not in retention:
            return None
        return Lock(retention["Mode"], retention["RetainUntilDate"].astimezone(UTC))

    @contextlib.contextmanager
    def _attempt(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise outside(what, error) from error


class S3VaultWriter:
    """Writes the vault: every PUT is conditional on the key being new, and is read back before it is believed."""

    def __init__(self, s3: S3Client, bucket: str, part_bytes: int = PART_BYTES) -> None:
        self._s3 = s3
        self.bucket = bucket
        self._part_bytes = part_bytes
        self._reader = S3VaultReader(s3, bucket)

    def put(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        """Store `content` under `key` unless the same bytes lie there already.

        A file of several parts that was sent in part before is sent from there on. Raises Overwritten if other
        bytes lie there, BadInput for a file larger than an object can be, OutsideFailure if S3 does not store it.
        """
        try:
            there = self._latest(key) if self._is_large(key, content) else None
            version_id = there or self._send(key, content, sha256, NEW_KEY)
        except ClientError as error:
            # A conflict is what a concurrent writer of the same key leaves; what lies there decides.
            if error_code(error) not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise outside(f"write s3://{self.bucket}/{key}", error) from error
            return self._existing(key, sha256)
        except BotoCoreError as error:
            raise outside(f"write s3://{self.bucket}/{key}", error) from error
        return self._equal(key, version_id, sha256)

    def _is_large(self, key: str, content: bytes | Path) -> bool:
        """Say whether it is a file of several parts. Raises BadInput for one larger than an object can be."""
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        if size > LARGEST_FILE_BYTES:
            raise BadInput(f"{key} has {size} bytes; a file of a release has at most 5 TiB")
        return isinstance(content, Path) and size > self._part_bytes

    def _send(self, key: str, content: bytes | Path, sha256: str, condition: Condition) -> str:
        if isinstance(content, Path) and self._is_large(key, content):
            return upload_in_parts(self._s3, self.bucket, key, content, self._part_bytes, condition)
        with _opened(content) as body:
            answer = self._s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
                **condition,
            )
        return answer["VersionId"]

    def _latest(self, key: str) -> str | None:
        try:
            return self._s3.head_object(Bucket=self.bucket, Key=key)["VersionId"]
        except ClientError as error:
            # Without the right to list, S3 says 403 of a key that is not there.
            if error_code(error) in ("404", "NoSuchKey", "403"):
                return None
            raise

    def _existing(self, key: str, sha256: str) -> StoredObject:
        try:
            version_id = self._s3.head_object(Bucket=self.bucket, Key=key)["VersionId"]
        except (ClientError, BotoCoreError) as error:
            raise outside(f"look at s3://{self.bucket}/{key}", error) from error
        return self._equal(key, version_id, sha256)

    def _equal(self, key: str, version_id: str, sha256: str) -> StoredObject:
        stored = self._reader.describe(key, version_id)
        if stored.sha256 != sha256:
            raise Overwritten(
                f"s3://{self.bucket}/{key} holds bytes with SHA-256 {stored.sha256} already, not {sha256}"
            )
        return stored


class S3StagingWriter(S3VaultWriter):
    """Writes the staging bucket, where nothing is locked: what is to stay on there is written once more."""

    def put_again(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        """Store `content` as the newest version of `key`. Raises BadInput, OutsideFailure as `put` does."""
        try:
            version_id = self._send(key, content, sha256, {})
        except (ClientError, BotoCoreError) as error:
            raise outside(f"write s3://{self.bucket}/{key}", error) from error
        return self._equal(key, version_id, sha256)


@contextlib.contextmanager
def _opened(content: bytes | Path) -> Iterator[bytes | BinaryIO]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield cast(BinaryIO, file)


@dataclass(frozen=True)
class LockedObject:
    """An object that cannot be deleted yet."""

    key: str
    version_id: str
    lock: Lock


def locked_objects(s3: S3Client, bucket: str, now: datetime) -> list[LockedObject]:
    """Return what the bucket holds that nobody can delete at `now`, by key. Raises OutsideFailure.

    A bucket that does not exist holds nothing.
    """
    reader = S3VaultReader(s3, bucket)
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error_code(error) in ("404", "NoSuchBucket"):
            return []
        raise outside(f"look at s3://{bucket}", error) from error
    except BotoCoreError as error:
        raise outside(f"look at s3://{bucket}", error) from error
    found = []
    for version in reader.versions(""):
        lock = None if version.is_delete_marker else reader.lock(version.key, version.version_id)
        if lock is not None and lock.until > now:
            found.append(LockedObject(version.key, version.version_id, lock))
    return sorted(found, key=lambda one: (one.key, one.version_id))
