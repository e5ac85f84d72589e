"""Object ownership: where the bucket's owner owns every object, access lists are neither written nor heeded.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.s3.models import FakeBucket, S3Backend

from rehearsal.cloud.services.s3.errors import S3Error
from rehearsal.cloud.services.s3.exchange import Exchange

ENFORCED = "BucketOwnerEnforced"
"""What every bucket is made with unless it asks for something else."""
_WRITES_LIST = {"PutObjectAcl", "PutBucketAcl"}
_HARMLESS = "bucket-owner-full-control"


def enforcing(original: Callable[..., FakeBucket]) -> Callable[..., FakeBucket]:
    """Return moto's create_bucket, whose buckets belong to their owner with all that is in them."""

    def create_bucket(backend: S3Backend, *arguments: Any, **named: Any) -> FakeBucket:
        bucket = original(backend, *arguments, **named)
        bucket.ownership_rule = bucket.ownership_rule or ENFORCED
        return bucket

    return create_bucket


def check(exchange: Exchange) -> None:
    """Raise S3's AccessControlListNotSupported for a request that sets an access list where there are none."""
    bucket, operation = exchange.bucket, exchange.operation
    if bucket is None or bucket.ownership_rule != ENFORCED:
        return
    writes = operation.creates_object or operation.name == "CreateMultipartUpload"
    canned = exchange.headers.get("x-amz-acl") or (exchange.form("acl") if operation.name == "PostObject" else "")
    granted = any(name.startswith("x-amz-grant-") for name in exchange.headers)
    if operation.name in _WRITES_LIST or (writes and (granted or canned not in ("", _HARMLESS))):
        raise S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)
