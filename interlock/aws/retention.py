"""Extends the locks of objects in the vault, which nobody can shorten afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import outside
from interlock.aws.vault import S3VaultReader
from interlock.failures import OutsideFailure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MODE: Final = "COMPLIANCE"
_AT_ONCE: Final = 8


def extend_locks(s3: S3Client, bucket: str, versions: Mapping[str, str], until: datetime) -> int:
    """Lock each object (key to VersionId) until `until` (UTC) at least; return how many were locked for less.

    A run that was broken off is completed by another. Raises OutsideFailure, also if a lock read back is shorter.
    """
    reader = S3VaultReader(s3, bucket)

    def extend(one: tuple[str, str]) -> bool:
        key, version_id = one
        lock = reader.lock(key, version_id)
        if lock is not None and lock.mode == _MODE and lock.until >= until:
            return False
        try:
            s3.put_object_retention(
                Bucket=bucket,
                Key=key,
                VersionId=version_id,
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
            )
        except (ClientError, BotoCoreError) as error:
            raise outside(f"extend the lock of s3://{bucket}/{key}", error) from error
        lock = reader.lock(key, version_id)
        if lock is None or lock.mode != _MODE or lock.until < until:
            raise OutsideFailure(f"the lock of s3://{bucket}/{key} reads back as {lock}, not until {until.isoformat()}")
        return True

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(extend, versions.items()))
