"""Takes staged bytes away again, version by version, so that nothing is left below a delete marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import outside

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Eraser:
    """Erases from a bucket that locks nothing."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def erase(self, prefix: str) -> None:
        """Delete every version and delete marker under `prefix`. Raises OutsideFailure."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
        try:
            for page in pages:
                for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    self._s3.delete_object(Bucket=self.bucket, Key=one["Key"], VersionId=one["VersionId"])
        except (ClientError, BotoCoreError) as error:
            raise outside(f"erase s3://{self.bucket}/{prefix}", error) from error
