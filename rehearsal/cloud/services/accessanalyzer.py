"""IAM Access Analyzer: analyzers that exist and can be tagged; they find nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote

from rehearsal.cloud.callers import caller_of
from rehearsal.cloud.listener import Environ
from rehearsal.cloud.service import Answer, Patches, Service, correction

_API = "https://docs.aws.amazon.com/access-analyzer/latest/APIReference"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,254}")
_TYPES = ("ACCOUNT", "ORGANIZATION", "ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS")
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/")


@dataclass
class Analyzer:
    """One analyzer of one account and region."""

    name: str
    arn: str
    type: str
    created_at: datetime
    tags: dict[str, str]
    status: str = "ACTIVE"

    def summary(self) -> Mapping[str, Any]:
        """Return it as the service describes it."""
        return {
            "name": self.name,
            "arn": self.arn,
            "type": self.type,
            "createdAt": self.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "status": self.status,
            "tags": dict(self.tags),
        }


@dataclass(frozen=True)
class _Call:
    """Who asks what, and where."""

    account_id: str
    region: str
    body: Mapping[str, Any]
    query: Mapping[str, Sequence[str]]


@dataclass
class _Refused(Exception):
    status: str
    code: str
    message: str
    details: Mapping[str, str] = field(default_factory=dict)


class AccessAnalyzers(Service):
    """Analyzers of each account and region."""

    name: ClassVar[str] = "access-analyzer"

    @correction("access-analyzer.analyzers", f"{_API}/API_CreateAnalyzer.html")
    def offer_analyzers(self, patches: Patches) -> None:
        """There is the service: analyzers are made, read, listed, tagged and deleted."""
        patches.replace(self, "answer", self._answer)

    def start(self) -> None:
        """Begin without any."""
        self._analyzers: dict[str, Analyzer] = {}

    def inventory(self) -> Sequence[str]:
        """Return the ARNs of all analyzers."""
        return list(self._analyzers)

    def _answer(self, environ: Environ) -> Answer:
        path, method = unquote(environ["PATH_INFO"]), environ["REQUEST_METHOD"]
        routes: Sequence[tuple[str, str, Callable[..., Mapping[str, Any]]]] = (
            ("PUT", r"/analyzer", self._create),
            ("GET", r"/analyzer", self._list),
            ("GET", r"/analyzer/([^/]+)", self._get),
            ("DELETE", r"/analyzer/([^/]+)", self._delete),
            ("GET", r"/tags/(.+)", self._tags),
            ("POST", r"/tags/(.+)", self._tag),
            ("DELETE", r"/tags/(.+)", self._untag),
        )
        for verb, pattern, operation in routes:
            found = re.fullmatch(pattern, path) if verb == method else None
            if found is not None:
                try:
                    return Answer("200 OK", operation(_call(environ), *found.groups()))
                except _Refused as refused:
                    return Answer(refused.status, {"message": refused.message, **refused.details}, refused.code)
        raise NotImplementedError(f"{method} {path}")

    def _create(self, call: _Call) -> Mapping[str, Any]:
        name, kind = str(call.body.get("analyzerName")), str(call.body.get("type"))
        if not _NAME.fullmatch(name) or kind not in _TYPES:
            raise _Refused("400 Bad Request", "ValidationException", f"Invalid analyzer {name} of type {kind}")
        arn = f"arn:aws:access-analyzer:{call.region}:{call.account_id}:analyzer/{name}"
        if arn in self._analyzers:
            details = {"resourceId": name, "resourceType": "Analyzer"}
            raise _Refused("409 Conflict", "ConflictException", "Analyzer already exists", details)
        tags = dict(call.body.get("tags") or {})
        self._analyzers[arn] = Analyzer(name, arn, kind, self.cloud.now(), tags)
        return {"arn": arn}

    def _list(self, call: _Call) -> Mapping[str, Any]:
        wanted = call.query.get("type", _TYPES)
        own = f"arn:aws:access-analyzer:{call.region}:{call.account_id}:"
        known = [one for one in self._analyzers.values() if one.arn.startswith(own) and one.type in wanted]
        return {"analyzers": [one.summary() for one in known]}

    def _get(self, call: _Call, name: str) -> Mapping[str, Any]:
        return {"analyzer": self._named(call, name).summary()}

    def _delete(self, call: _Call, name: str) -> Mapping[str, Any]:
        del self._analyzers[self._named(call, name).arn]
        return {}

    def _tags(self, _call: _Call, arn: str) -> Mapping[str, Any]:
        return {"tags": dict(self._known(arn).tags)}

    def _tag(self, call: _Call, arn: str) -> Mapping[str, Any]:
        self._known(arn).tags.update(call.body["tags"])
        return {}

    def _untag(self, call: _Call, arn: str) -> Mapping[str, Any]:
        for key in call.query["tagKeys"]:
            self._known(arn).tags.pop(key, None)
        return {}

    def _named(self, call: _Call, name: str) -> Analyzer:
        return self._known(f"arn:aws:access-analyzer:{call.region}:{call.account_id}:analyzer/{name}")

    def _known(self, arn: str) -> Analyzer:
        if arn not in self._analyzers:
            details = {"resourceId": arn, "resourceType": "Analyzer"}
            raise _Refused("404 Not Found", "ResourceNotFoundException", f"Analyzer {arn} not found", details)
        return self._analyzers[arn]


def _call(environ: Environ) -> _Call:
    signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signed is None:
        raise _Refused("403 Forbidden", "AccessDeniedException", "The request is not signed")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    caller = caller_of(signed[1])
    return _Call(caller.account_id, signed[2], json.loads(body or b"{}"), parse_qs(environ.get("QUERY_STRING", "")))
