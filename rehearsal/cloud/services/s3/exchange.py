"""One S3 request as the corrections see it, and the answer that refuses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import xmltodict
from moto.s3.models import FakeBucket, FakeKey
from moto.s3.responses import S3Response

from rehearsal.cloud.callers import Caller, caller_of
from rehearsal.cloud.services.s3.errors import S3Error, malformed_xml
from rehearsal.cloud.services.s3.operations import Operation, bucket_operation, object_operation

Answer = tuple[int, dict[str, Any], Any]
Handler = Callable[[S3Response, Any, str], Any]


@dataclass(frozen=True)
class Exchange:
    """A request in moto's handler; `key` is empty for a bucket's, header names are lower case."""

    response: S3Response
    method: str
    bucket_name: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]

    @cached_property
    def operation(self) -> Operation:
        """What is asked for."""
        if self.key:
            return object_operation(self.method, self.query, self.headers)
        return bucket_operation(self.method, self.query)

    @cached_property
    def caller(self) -> Caller:
        """Who asks."""
        return caller_of(self.access_key_id)

    @property
    def access_key_id(self) -> str:
        """The access key that signed, in a header, in the query or in a form."""
        if "authorization" in self.headers:
            return str(self.response.get_access_key())
        credential = self.query.get("X-Amz-Credential") or self.form("x-amz-credential")
        return credential.split("/")[0] or self.query.get("AWSAccessKeyId") or self.form("AWSAccessKeyId")

    @property
    def body(self) -> bytes:
        """The request's body, decoded from chunks."""
        content = self.response.body
        return content if isinstance(content, bytes) else str(content or "").encode()

    @cached_property
    def bucket(self) -> FakeBucket | None:
        """The bucket, if there is one."""
        if self.bucket_name not in self.response.backend.buckets:
            return None
        return self.response.backend.get_bucket(self.bucket_name)

    @property
    def version_id(self) -> str | None:
        """The version that is asked for by its id."""
        return self.query.get("versionId")

    def current(self) -> FakeKey | None:
        """Return the object that the request is about; None if there is none, or a delete marker in its place."""
        return self.response.backend.get_object(self.bucket_name, self.key, version_id=self.version_id)

    def form(self, name: str) -> str:
        """Return a field of a browser's form."""
        fields = self.response.request.form
        return str(next((value for field, value in fields.items() if field.lower() == name.lower()), ""))

    def xml(self, root: str, **options: Any) -> Mapping[str, Any]:
        """Return the members of the body's root element; raises MalformedXML."""
        try:
            read = xmltodict.parse(self.body, **options)[root]
        except Exception as problem:
            raise malformed_xml() from problem
        return {name: value for name, value in (read or {}).items() if not name.startswith("@")}


def exchange_of(response: S3Response, request: Any, full_url: str) -> Exchange:
    """Return the exchange of a request that moto has begun to handle."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(full_url).query, keep_blank_values=True).items()}
    headers = {name.lower(): value for name, value in request.headers.items()}
    key = response.parse_key_name() or ""
    return Exchange(response, request.method, response.bucket_name or "", key, query, headers)


def copy_source(exchange: Exchange) -> tuple[str, str, str | None]:
    """Return bucket, key and version of what a copy copies."""
    path, _, query = exchange.headers["x-amz-copy-source"].partition("?")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return bucket, key, parse_qs(query).get("versionId", [None])[0]


def guarded(original: Handler, guard: Callable[[Exchange], Answer | None]) -> Handler:
    """Return `original` behind `guard`, which lets a request pass (None), answers it itself or raises S3Error."""

    def handler(response: S3Response, request: Any, full_url: str) -> Any:
        try:
            answer = guard(exchange_of(response, request, full_url))
            return original(response, request, full_url) if answer is None else answer
        except S3Error as refused:
            return error_answer(refused, request.path)

    return handler


def error_answer(refused: S3Error, resource: str) -> Answer:
    """Return an error as S3 writes it."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message>"
        f"<Resource>{escape(resource)}</Resource><RequestId>0000000000000000</RequestId></Error>"
    )
    return refused.status, {"content-type": "application/xml"}, body
