"""Object Lock: the operations that read and change it, and the lock that every new version gets."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend
from moto.s3.responses import S3Response

from rehearsal.cloud.services.s3 import locks
from rehearsal.cloud.services.s3.errors import S3Error, invalid_argument, malformed_xml
from rehearsal.cloud.services.s3.exchange import Answer, Exchange
from rehearsal.cloud.services.s3.locks import Retention

_LONGEST_DEFAULT_DAYS = 36500
_WRITES_LOCK = {"PutObjectRetention", "PutObjectLegalHold"}


def held_by(version: FakeKey) -> Retention | None:
    """Return the retention of a version."""
    if not version.lock_mode or not version.lock_until:
        return None
    return Retention(version.lock_mode, locks.parse_date(version.lock_until))


def hold(version: FakeKey, retention: Retention | None) -> None:
    """Write a retention into a version."""
    version.lock_mode = retention.mode if retention else None
    version.lock_until = locks.show_date(retention.until) if retention else None


def default_retention(bucket: FakeBucket, now: datetime) -> Retention | None:
    """Return what a bucket gives each version that asks for no lock of its own."""
    if not bucket.object_lock_enabled or not bucket.default_lock_mode:
        return None
    until = locks.default_until(now, bucket.default_lock_days, bucket.default_lock_years)
    return Retention(bucket.default_lock_mode, until)


def lock_details(response: S3Response, bucket: FakeBucket, now: datetime) -> tuple[str | None, str | None, str | None]:
    """Return legal hold, mode and end of the lock that an upload's headers, or else the bucket, ask for."""
    mode, until = (response.headers.get(f"x-amz-object-lock-{name}") for name in ("mode", "retain-until-date"))
    legal_hold = response.headers.get("x-amz-object-lock-legal-hold")
    if legal_hold not in (None, "ON", "OFF"):
        raise invalid_argument("Legal Hold must be either of 'ON' or 'OFF'")
    asked = locks.of_upload(mode, until, now)
    if (asked or legal_hold) and not bucket.object_lock_enabled:
        raise _no_lock_here()
    retention = asked or default_retention(bucket, now)
    if retention is None:
        return legal_hold, None, None
    return legal_hold, retention.mode, locks.show_date(retention.until)


def check_integrity(exchange: Exchange) -> None:
    """Raise S3's error unless an upload to a lock carries a digest, and the one it carries is right.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, Content-MD5
    """
    name = exchange.operation.name
    if name not in {"PutObject", "UploadPart"} | _WRITES_LOCK or "x-amz-copy-source" in exchange.headers:
        return
    md5 = exchange.headers.get("content-md5")
    if md5 is not None:
        _check_md5(md5, exchange.body)
    has_checksum = any(header.startswith("x-amz-checksum-") for header in exchange.headers)
    has_checksum |= "x-amz-trailer" in exchange.headers or "x-amz-sdk-checksum-algorithm" in exchange.headers
    locked = _asks_for_lock(exchange) or bool(exchange.bucket and exchange.bucket.default_lock_mode)
    if locked and name != "UploadPart" and md5 is None and not has_checksum:
        raise S3Error(
            "InvalidRequest",
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests "
            "with Object Lock parameters",
            400,
        )


def put_retention(exchange: Exchange, now: datetime) -> Answer:
    """Answer PutObjectRetention."""
    version = _locked_version(exchange)
    body = exchange.xml("Retention")
    asked = locks.of_request(body.get("Mode"), body.get("RetainUntilDate"), now)
    bypass = exchange.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
    locks.check_change(held_by(version), asked, now, bypass=bypass)
    hold(version, asked)
    return 200, {}, ""


def get_retention(exchange: Exchange) -> Answer:
    """Answer GetObjectRetention."""
    version = _locked_version(exchange)
    retention = held_by(version)
    if retention is None:
        raise _no_lock_of_its_own()
    until = locks.show_date(retention.until)
    return 200, {}, _xml("Retention", f"<Mode>{retention.mode}</Mode><RetainUntilDate>{until}</RetainUntilDate>")


def put_legal_hold(exchange: Exchange) -> Answer:
    """Answer PutObjectLegalHold."""
    version = _locked_version(exchange)
    status = exchange.xml("LegalHold").get("Status")
    if status not in ("ON", "OFF"):
        raise malformed_xml()
    version.lock_legal_status = status
    return 200, {}, ""


def get_legal_hold(exchange: Exchange) -> Answer:
    """Answer GetObjectLegalHold."""
    version = _locked_version(exchange)
    if not version.lock_legal_status:
        raise _no_lock_of_its_own()
    return 200, {}, _xml("LegalHold", f"<Status>{version.lock_legal_status}</Status>")


def put_configuration(exchange: Exchange) -> Answer:
    """Answer PutObjectLockConfiguration: a lock can be turned on for any versioned bucket, and never off."""
    bucket = exchange.bucket
    assert bucket is not None
    asked = exchange.xml("ObjectLockConfiguration")
    if not bucket.is_versioned:
        raise S3Error(
            "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", 409
        )
    if asked.get("ObjectLockEnabled") != "Enabled":
        raise malformed_xml()
    rule = (asked.get("Rule") or {}).get("DefaultRetention") or {}
    mode, days, years = rule.get("Mode"), _count(rule.get("Days")), _count(rule.get("Years"))
    if rule and (mode not in ("GOVERNANCE", "COMPLIANCE") or (days is None) == (years is None)):
        raise malformed_xml()
    if (days or 0) + 365 * (years or 0) > _LONGEST_DEFAULT_DAYS:
        raise invalid_argument("Default retention period too large: the maximum is 36500 days or 100 years.")
    bucket.object_lock_enabled = True
    bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = mode, days, years
    return 200, {}, ""


def check_versioning(exchange: Exchange) -> None:
    """Raise S3's error for suspending the versioning that a lock stands on."""
    bucket = exchange.bucket
    if bucket is None or not bucket.object_lock_enabled:
        return
    if exchange.xml("VersioningConfiguration").get("Status") != "Enabled":
        raise S3Error(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            409,
        )


def lock_new_version(original: Callable[..., FakeKey], now: Callable[[], datetime]) -> Callable[..., FakeKey]:
    """Return moto's put_object, giving the bucket's default lock to each version that comes without one."""

    def put_object(backend: S3Backend, bucket_name: str, *arguments: Any, **named: Any) -> FakeKey:
        version = original(backend, bucket_name, *arguments, **named)
        if version.lock_mode is None:
            hold(version, default_retention(backend.get_bucket(bucket_name), now()))
        return version

    return put_object


def _locked_version(exchange: Exchange) -> FakeKey:
    if exchange.bucket is None:
        raise S3Error("NoSuchBucket", "The specified bucket does not exist", 404)
    if not exchange.bucket.object_lock_enabled:
        raise _no_lock_here()
    backend = exchange.response.backend
    found = backend.get_object(
        exchange.bucket_name, exchange.key, version_id=exchange.version_id, return_delete_marker=True
    )
    if isinstance(found, FakeDeleteMarker) and (exchange.version_id or exchange.method == "PUT"):
        raise S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    if isinstance(found, FakeKey):
        return found
    if exchange.version_id:
        raise S3Error("NoSuchVersion", "The specified version does not exist.", 404)
    raise S3Error("NoSuchKey", "The specified key does not exist.", 404)


def _asks_for_lock(exchange: Exchange) -> bool:
    return any(header.startswith("x-amz-object-lock-") for header in exchange.headers) or (
        exchange.operation.name in _WRITES_LOCK
    )


def _check_md5(declared: str, body: bytes) -> None:
    try:
        digest = base64.b64decode(declared, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != 16:
        raise S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.", 400)
    if digest != hashlib.md5(body, usedforsecurity=False).digest():
        raise S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.", 400)


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or int(text) == 0:
        raise invalid_argument("Default retention period must be a positive integer value.")
    return int(text)


def _no_lock_here() -> S3Error:
    return S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration", 400)


def _no_lock_of_its_own() -> S3Error:
    return S3Error(
        "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", 404
    )


def _xml(root: str, content: str) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n<{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{content}</{root}>'
