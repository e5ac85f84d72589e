"""Uploads in parts: what a run that was broken off has sent already is not sent again."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, PartTypeDef

PART_BYTES: Final = 64 * 1024**2
"""What one part holds; files of more than one are uploaded in parts."""
MOST_PARTS: Final = 10_000
"""Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits"."""


class Condition(TypedDict, total=False):
    """On what S3 is to store an object; on nothing, if it is empty."""

    IfNoneMatch: str


NEW_KEY: Final[Condition] = {"IfNoneMatch": "*"}
"""That nothing lies under the key."""


@dataclass(frozen=True)
class _Part:
    number: int
    content: bytes

    @property
    def sha256(self) -> str:
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()

    def is_there(self, known: PartTypeDef) -> bool:
        """Say whether S3 has this very part; where it keeps no SHA-256, its MD5 tells, or nothing does."""
        if known.get("Size") != len(self.content):
            return False
        kept = known.get("ChecksumSHA256")
        if kept:
            return kept == self.sha256
        return known.get("ETag", "").strip('"') == hashlib.md5(self.content, usedforsecurity=False).hexdigest()


def upload_in_parts(
    s3: S3Client, bucket: str, key: str, file: Path, part_bytes: int = PART_BYTES, condition: Condition = NEW_KEY
) -> str:
    """Store `file` under `key` if `condition` holds, and return the object's VersionId.

    Parts of an upload that was begun before are taken up. S3 compares each part with its SHA-256. Raises what boto3
    raises: PreconditionFailed if the key is taken and was to be new.
    """
    size = max(part_bytes, math.ceil(file.stat().st_size / MOST_PARTS))
    upload_id = _begun(s3, bucket, key)
    known: dict[int, PartTypeDef] = {}
    if upload_id is None:
        started = s3.create_multipart_upload(Bucket=bucket, Key=key, ChecksumAlgorithm="SHA256")
        upload_id = started["UploadId"]
    else:
        known = {part["PartNumber"]: part for part in _parts_there(s3, bucket, key, upload_id)}
    sent: list[CompletedPartTypeDef] = []
    for part in _parts_of(file, size):
        there = known.get(part.number)
        if there is not None and part.is_there(there):
            tag = there["ETag"]
        else:
            tag = s3.upload_part(
                Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=part.number,
                Body=part.content, ChecksumSHA256=part.sha256,
            )["ETag"]  # fmt: skip
        sent.append({"PartNumber": part.number, "ETag": tag, "ChecksumSHA256": part.sha256})
    answer = s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": sent}, **condition
    )
    return answer["VersionId"]


def _begun(s3: S3Client, bucket: str, key: str) -> str | None:
    """Return the newest upload of `key` that was begun and not completed, or None."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=key)
    found = [one for page in pages for one in page.get("Uploads", ()) if one["Key"] == key]
    return max(found, key=lambda one: one["Initiated"])["UploadId"] if found else None


def _parts_there(s3: S3Client, bucket: str, key: str, upload_id: str) -> Iterator[PartTypeDef]:
    for page in s3.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload_id):
        yield from page.get("Parts", ())


def _parts_of(file: Path, size: int) -> Iterator[_Part]:
    with file.open("rb") as opened:
        number = 0
        while content := opened.read(size):
            number += 1
            yield _Part(number, content)
