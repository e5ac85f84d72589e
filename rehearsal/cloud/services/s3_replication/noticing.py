"""Which requests change what is replicated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.s3.models import FakeBucket, FakeKey, S3Backend
from moto.s3.responses import S3Response

from rehearsal.cloud.services.s3.exchange import Handler, exchange_of

_METADATA_OPERATIONS = {
    "PutObjectTagging",
    "DeleteObjectTagging",
    "PutObjectRetention",
    "PutObjectLegalHold",
    "PutObjectAcl",
}


class MadeVersions(threading.local):
    """The versions that the request under way has made: their tags and locks follow after their bytes."""

    def __init__(self) -> None:
        self.versions: list[FakeKey] = []


def remembering(original: Callable[..., FakeKey], made: MadeVersions) -> Callable[..., FakeKey]:
    """Return moto's put_object, by which every kind of upload and copy stores, remembering what it made."""

    def put_object(backend: S3Backend, *arguments: Any, **named: Any) -> FakeKey:
        version = original(backend, *arguments, **named)
        made.versions.append(version)
        return version

    return put_object


def noticing(
    original: Handler,
    made: MadeVersions,
    notice_version: Callable[[FakeKey], None],
    notice_metadata: Callable[[FakeKey], None],
) -> Handler:
    """Return moto's handler, after which new and changed versions are noticed."""

    def handler(response: S3Response, request: Any, full_url: str) -> Any:
        made.versions.clear()
        answer = original(response, request, full_url)
        for version in made.versions:
            notice_version(version)
        made.versions.clear()
        exchange = exchange_of(response, request, full_url)
        status = answer[0] if isinstance(answer, tuple) else 200
        if status < 300 and exchange.key and exchange.operation.name in _METADATA_OPERATIONS:
            changed = exchange.current()
            if isinstance(changed, FakeKey):
                notice_metadata(changed)
        return answer

    return handler


def noticing_markers(
    original: Callable[..., dict[str, Any]], notice: Callable[[FakeBucket, str, str], None]
) -> Callable[..., dict[str, Any]]:
    """Return `delete`, after which a new delete marker is noticed by bucket, key and version id."""

    def delete(bucket: FakeBucket, key: str, version_id: str | None, *, bypass: bool) -> dict[str, Any]:
        answer = original(bucket, key, version_id, bypass=bypass)
        if version_id is None and answer.get("delete-marker"):
            notice(bucket, key, answer["version-id"])
        return answer

    return delete
