"""DeleteObject and DeleteObjects: each object is asked for by itself, and answered by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from moto.s3.exceptions import MissingBucket

from rehearsal.cloud.services.s3 import authorization, versions
from rehearsal.cloud.services.s3.errors import S3Error, malformed_xml
from rehearsal.cloud.services.s3.exchange import Answer, Exchange
from rehearsal.cloud.services.s3.operations import deletion_permissions

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_MOST_OBJECTS = 1000


def delete_object(exchange: Exchange) -> Answer:
    """Answer DeleteObject."""
    if exchange.bucket is None:
        raise MissingBucket(bucket=exchange.bucket_name)
    _check_match(exchange)
    answer = versions.delete(exchange.bucket, exchange.key, exchange.version_id, bypass=_bypasses(exchange))
    return 204, {f"x-amz-{name}": value for name, value in answer.items()}, ""


def delete_objects(exchange: Exchange, cloud: CloudContext) -> Answer:
    """Answer DeleteObjects; what a policy or a lock protects is among the errors."""
    if exchange.bucket is None:
        raise MissingBucket(bucket=exchange.bucket_name)
    asked = exchange.xml("Delete", strip_whitespace=False, force_list={"Object"})
    objects = asked.get("Object", [])
    if not 1 <= len(objects) <= _MOST_OBJECTS:
        raise malformed_xml()
    quiet = asked.get("Quiet", "").strip().lower() == "true"
    results = (_delete_one(exchange, item["Key"], (item.get("VersionId") or None), cloud) for item in objects)
    shown = "".join(result for is_error, result in results if is_error or not quiet)
    body = f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{shown}</DeleteResult>'
    return 200, {"content-type": "application/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'


def _delete_one(exchange: Exchange, key: str, version_id: str | None, cloud: CloudContext) -> tuple[bool, str]:
    permissions = deletion_permissions(version_id is not None, _bypasses(exchange))
    try:
        denied = authorization.denial_message(exchange, exchange.bucket_name, key, permissions, cloud)
        if denied:
            raise S3Error("AccessDenied", denied, 403)
        answer = versions.delete(exchange.bucket, key, version_id, bypass=_bypasses(exchange))
    except S3Error as refused:
        return True, _element("Error", Key=key, VersionId=version_id, Code=refused.code, Message=refused.message)
    made = answer.get("version-id") if answer.get("delete-marker") else None
    marker = "true" if made else None
    return False, _element("Deleted", Key=key, VersionId=version_id, DeleteMarker=marker, DeleteMarkerVersionId=made)


def _check_match(exchange: Exchange) -> None:
    wanted = exchange.headers.get("if-match")
    if wanted is None:
        return
    current = exchange.current()
    if current is None:
        raise S3Error("NoSuchKey", "The specified key does not exist.", 404)
    if wanted != "*" and wanted.strip('"') != current.etag.strip('"'):
        raise S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)


def _bypasses(exchange: Exchange) -> bool:
    return exchange.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"


def _element(name: str, **members: str | None) -> str:
    return f"<{name}>{''.join(_members(members))}</{name}>"


def _members(members: dict[str, str | None]) -> Iterator[str]:
    return (f"<{name}>{escape(value)}</{name}>" for name, value in members.items() if value is not None)
