"""Conditional writes: If-Match and If-None-Match where an object is made."""

from __future__ import annotations

from moto.s3.models import FakeKey

from rehearsal.cloud.services.s3.errors import S3Error
from rehearsal.cloud.services.s3.exchange import Exchange


def check(exchange: Exchange) -> None:
    """Raise S3's error if the object is not in the state that the writer expects.

    Requests for a service take turns here, so nothing comes between this look and the write.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    if not exchange.key or not exchange.operation.creates_object or exchange.bucket is None:
        return
    unless, only_if = exchange.headers.get("if-none-match"), exchange.headers.get("if-match")
    if unless is None and only_if is None:
        return
    if (unless is not None and unless != "*") or (unless is not None and only_if is not None):
        raise S3Error("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    existing = exchange.response.backend.get_object(exchange.bucket_name, exchange.key)
    if unless is not None and existing is not None:
        raise _failed()
    if only_if is not None:
        _check_match(existing, only_if)


def _check_match(existing: FakeKey | None, wanted: str) -> None:
    if existing is None:
        raise S3Error("NoSuchKey", "The specified key does not exist.", 404)
    if existing.etag.strip('"') != wanted.strip('"'):
        raise _failed()


def _failed() -> S3Error:
    return S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
