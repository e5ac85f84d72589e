"""Checksums of objects: computed for every upload, compared with what the client sent, and told to who asks."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable
from typing import Any

from moto.s3.models import FakeKey, S3Backend
from moto.s3.responses import S3Response

from rehearsal.cloud.services.s3.crc import CRC32C, CRC64NVME
from rehearsal.cloud.services.s3.errors import S3Error, invalid_argument

_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": CRC32C.digest,
    "CRC64NVME": CRC64NVME.digest,
    "SHA1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
_DEFAULT = "CRC64NVME"
_TRAILER = re.compile(rb"(?:^|\r\n)0(?:;chunk-signature=[0-9a-f]+)?\r\n(x-amz-checksum-[a-z0-9]+):([^\r\n]+)\r\n")
_LONGEST_TRAILER = 1024


def compute(body: bytes, algorithm: str, encode_base64: bool = True) -> bytes:
    """Return a checksum by the name that S3 has for its algorithm; stands in for moto's, which lacks two of them."""
    digest = _DIGESTS[algorithm.upper()](body)
    return base64.b64encode(digest) if encode_base64 else digest


def of_upload(response: S3Response, response_headers: dict[str, Any]) -> tuple[str, str]:
    """Return algorithm and checksum of a request's body, checked against what the client sent; fill in the answer's.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """
    sent = _sent(response)
    wished = response.headers.get("x-amz-sdk-checksum-algorithm", "").upper()
    algorithm = next(iter(sent), wished or _DEFAULT)
    if algorithm not in _DIGESTS or len(sent) > 1:
        raise invalid_argument("Expecting a single x-amz-checksum- header")
    value = compute(response.body or b"", algorithm).decode()
    if sent.get(algorithm, value) != value:
        raise S3Error("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.", 400)
    response_headers[f"x-amz-checksum-{algorithm.lower()}"] = value
    if "uploadId" not in response.querystring:
        response_headers["x-amz-checksum-type"] = "FULL_OBJECT"
    return algorithm, value


def typing(original: Callable[..., FakeKey]) -> Callable[..., FakeKey]:
    """Return moto's put_object, which says of an object uploaded at once that its checksum is over all of it."""

    def put_object(backend: S3Backend, *arguments: Any, **named: Any) -> FakeKey:
        version = original(backend, *arguments, **named)
        if version.checksum_value and not version.checksum_type:
            version.checksum_type = "FULL_OBJECT"
        return version

    return put_object


def told_by_head(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return moto's head_object, which tells the checksum's type and, of one made of parts, their number."""

    def head_object(response: S3Response, bucket: str, query: Any, key: str, headers: Any) -> Any:
        answer = original(response, bucket, query, key, headers)
        if headers.get("x-amz-checksum-mode") != "ENABLED" or answer[0] not in (200, 206):
            return answer
        version = response.backend.get_object(bucket, key, version_id=query.get("versionId", [None])[0])
        if version is not None and version.checksum_algorithm and version.checksum_value:
            told = version.checksum_value
            if version.checksum_type == "COMPOSITE":
                told = f"{told}-{version.checksum_parts}"
            answer[1][f"x-amz-checksum-{version.checksum_algorithm.lower()}"] = told
            answer[1]["x-amz-checksum-type"] = version.checksum_type or "FULL_OBJECT"
        return answer

    return head_object


def _sent(response: S3Response) -> dict[str, str]:
    found = {}
    for name, value in response.headers.items():
        algorithm = name.lower().removeprefix("x-amz-checksum-").upper()
        if name.lower().startswith("x-amz-checksum-") and algorithm in _DIGESTS:
            found[algorithm] = value
    raw = response.raw_body if isinstance(response.raw_body, bytes) else b""
    if "x-amz-trailer" in response.headers:
        trailer = _TRAILER.search(raw[-_LONGEST_TRAILER:])
        if trailer:
            found[trailer[1].decode().removeprefix("x-amz-checksum-").upper()] = trailer[2].decode().strip()
    return found
