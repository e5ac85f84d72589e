"""Uploads: where each kind of PUT goes, with the lock that its headers ask for, whole or in parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from moto.s3.responses import S3Response

from rehearsal.cloud.services.s3 import lock_operations
from rehearsal.cloud.services.s3.errors import S3Error
from rehearsal.cloud.services.s3.exchange import Answer, Exchange


def put(response: S3Response, query: dict[str, Any], key: str) -> Any:
    """Hand a PUT for an object to its operation; replaces moto's, which asks copies for a digest of their body."""
    response._set_action("KEY", "PUT", query)
    response._authenticate_and_authorize_s3_action(bucket_name=response.bucket_name, key_name=key)
    is_copy = "x-amz-copy-source" in response.headers
    if query.get("uploadId") and query.get("partNumber"):
        return response.upload_part_copy() if is_copy else response.upload_part()
    response.backend.get_bucket(response.bucket_name)
    if "acl" in query:
        return response.put_object_acl()
    if "tagging" in query:
        return response.put_object_tagging()
    return response.copy_object() if is_copy else response.put_object()


def remember_lock(exchange: Exchange, now: datetime) -> None:
    """Check the lock that the start of a multipart upload asks for, before anything is stored."""
    if exchange.operation.name == "CreateMultipartUpload" and exchange.bucket is not None:
        lock_operations.lock_details(exchange.response, exchange.bucket, now)


def check_upload(exchange: Exchange) -> Answer | None:
    """Raise S3's NoSuchUpload for parts, or the completion, of an upload that is not under way."""
    if exchange.operation.name not in ("UploadPart", "CompleteMultipartUpload", "ListParts") or exchange.bucket is None:
        return None
    upload = exchange.bucket.multiparts.get(exchange.query["uploadId"])
    if upload is None and not _is_complete(exchange):
        raise S3Error(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
            "or completed.",
            404,
        )
    return None


def locking_creation(original: Callable[..., Any], now: Callable[[], datetime]) -> Callable[..., Any]:
    """Return moto's handler of POST for objects, which remembers the lock that a multipart upload starts with."""

    def key_response_post(response: S3Response, request: Any, body: bytes, bucket: str, query: Any, key: str) -> Any:
        before = set(response.backend.get_bucket(bucket).multiparts)
        answer = original(response, request, body, bucket, query, key)
        if "uploads" in query:
            uploads = response.backend.get_bucket(bucket).multiparts
            for upload_id in set(uploads) - before:
                details = lock_operations.lock_details(response, response.backend.get_bucket(bucket), now())
                uploads[upload_id].lock = (
                    details if "x-amz-object-lock-mode" in response.headers or details[0] else None
                )
        return answer

    return key_response_post


def locking_completion(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return moto's complete_multipart_upload, which gives the object the lock that the upload started with."""

    def complete(backend: S3Backend, bucket_name: str, upload_id: str, body: Any) -> FakeKey | None:
        upload: FakeMultipart | None = backend.get_bucket(bucket_name).multiparts.get(upload_id)
        version: FakeKey | None = original(backend, bucket_name, upload_id, body)
        asked = getattr(upload, "lock", None)
        if version is not None and asked is not None:
            legal_hold, mode, until = asked
            version.lock_legal_status = legal_hold
            if mode is not None:
                version.lock_mode, version.lock_until = mode, until
        return version

    return complete


def _is_complete(exchange: Exchange) -> bool:
    """Say whether the object is what this very upload made, which may be completed again."""
    current = exchange.current()
    return bool(current and current.multipart and current.multipart.id == exchange.query["uploadId"])
