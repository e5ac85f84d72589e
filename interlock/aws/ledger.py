"""The ledger in S3: its objects, each written once, and the statements that it records."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import error_code, outside
from interlock.aws.vault import S3VaultReader
from interlock.failures import OutsideFailure
from interlock.ledger.statements import LARGEST_STATEMENT_BYTES, statements_in
from interlock.release.vault import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT_ONCE: Final = 8
"""Requests under way at once; botocore keeps ten connections unless told otherwise."""
_CONFLICTS: Final = 5
_CONFLICT_SECONDS: Final = 0.2


class S3LedgerStorage:
    """The objects of the ledger's logs in one bucket.

    They are read without a version: each is checked against a hash or a signature wherever it is read.
    """

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def read(self, key: str) -> bytes | None:
        """Return what lies under `key`, or None. Raises OutsideFailure."""
        try:
            return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                return None
            raise outside(f"read s3://{self.bucket}/{key}", error) from error
        except BotoCoreError as error:
            raise outside(f"read s3://{self.bucket}/{key}", error) from error

    def read_all(self, keys: Sequence[str]) -> Iterator[bytes | None]:
        """Yield what lies under each of `keys`, in their order. Raises OutsideFailure."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(self.read, keys)

    def create(self, key: str, content: bytes) -> bytes:
        """Store `content` if nothing lies under `key`; return what lies there then. Raises OutsideFailure."""
        for _ in range(_CONFLICTS):
            try:
                self._s3.put_object(
                    Bucket=self.bucket, Key=key, Body=content, IfNoneMatch="*", ChecksumAlgorithm="SHA256"
                )
            except ClientError as error:
                # A conflict is what somebody who writes the same key right now leaves; what lies there decides.
                if error_code(error) not in ("PreconditionFailed", "ConditionalRequestConflict"):
                    raise outside(f"write s3://{self.bucket}/{key}", error) from error
            except BotoCoreError as error:
                raise outside(f"write s3://{self.bucket}/{key}", error) from error
            lying = self.read(key)
            if lying is not None:
                return lying
            time.sleep(_CONFLICT_SECONDS)
        raise OutsideFailure(f"s3://{self.bucket}/{key} was neither written nor found", next_step="run this again")

    def names(self, prefix: str) -> list[str]:
        """Return the names right under `prefix`, sorted; a folder's ends with a slash. Raises OutsideFailure."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        found = []
        try:
            for page in pages:
                found += [one["Prefix"] for one in page.get("CommonPrefixes", ())]
                found += [one["Key"] for one in page.get("Contents", ())]
        except (ClientError, BotoCoreError) as error:
            raise outside(f"list s3://{self.bucket}/{prefix}", error) from error
        return sorted(one.removeprefix(prefix) for one in found)


class S3Statements:
    """The statements in a vault."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket
        self._vault, self._folders = S3VaultReader(s3, bucket), S3LedgerStorage(s3, bucket)

    def lying(self) -> Iterator[ObjectVersion]:
        """Yield every version of every statement. Raises OutsideFailure."""
        return statements_in(self._vault, self._folders)

    def read_each(self, versions: Sequence[ObjectVersion]) -> Iterator[bytes]:
        """Yield what each of `versions` holds, in their order, no further than what is too large for a statement.

        Raises OutsideFailure.
        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(self._read, versions)

    def _read(self, version: ObjectVersion) -> bytes:
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=version.key, VersionId=version.version_id)["Body"]
            with contextlib.closing(body):
                return body.read(LARGEST_STATEMENT_BYTES + 1)
        except (ClientError, BotoCoreError) as error:
            raise outside(f"read s3://{self._bucket}/{version.key}", error) from error
