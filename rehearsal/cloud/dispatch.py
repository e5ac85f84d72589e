"""Which AWS service a request is for, one at a time for each service, and what a failure inside looks like outside."""

from __future__ import annotations

import inspect
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl
from xml.sax.saxutils import escape

from moto.moto_server import werkzeug_app

from rehearsal.cloud.listener import Environ, StartResponse
from rehearsal.cloud.service import Answer, Service

INTERNAL_PREFIX = "/_interlock/"


@dataclass(frozen=True)
class Refused:
    """A whole answer to a request that no service gets to see."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


_log = logging.getLogger(__name__)


class Dispatcher(werkzeug_app.DomainDispatcherApplication):  # type: ignore[misc]
    """Moto's routing without its back doors: no reset, no state transfer, no instance metadata.

    `concurrent` names the moto backends whose requests may overlap; moto guards its state nowhere, so the requests
    of every other backend take turns. `pages` answers the paths under `/_interlock/`, each by its name there.
    `own` has the services by name; one that answers for itself is asked before moto.
    """

    def __init__(
        self,
        region: str,
        concurrent: frozenset[str],
        pages: Mapping[str, Callable[..., Any]],
        own: Mapping[str, Service],
    ) -> None:
        # Cross-origin permissions would let a web page in the user's browser drive this cloud.
        werkzeug_app.DISABLE_GLOBAL_CORS = True
        super().__init__(werkzeug_app.create_backend_app)
        self._region = region
        self._concurrent = concurrent
        self._pages = pages
        self._own = own
        self._turns: dict[str, threading.RLock] = {}
        self._backends: dict[str, str] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        # Moto would take the caller's word for its account; here only credentials tell it.
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)
        path = environ["PATH_INFO"]
        if path.startswith(INTERNAL_PREFIX):
            return self._page(path.removeprefix(INTERNAL_PREFIX), environ, start_response)
        started = time.monotonic()
        statuses: list[str] = []

        def noted(status: str, headers: Any, problem: Any = None) -> Any:
            statuses.append(status)
            return start_response(status, headers, problem)

        backend = self.backend_of(environ)
        if self._is_anonymous(environ):
            answer = _failure(environ, noted, "403 Forbidden", "AccessDenied", "Access Denied")
        else:
            answer = self._served(backend, environ, noted)
        _log.info(
            "%s %s %s %s %.0fms",
            backend,
            environ.get("HTTP_X_AMZ_TARGET", environ["REQUEST_METHOD"]),
            path,
            statuses[-1].split(" ")[0],
            (time.monotonic() - started) * 1000,
        )
        return answer

    def backend_of(self, environ: Environ) -> str:
        """Return the name of the moto backend that a request is for; S3 takes what names no service, as moto has it."""
        signed = "HTTP_AUTHORIZATION" in environ
        scope = parse_qs(environ["QUERY_STRING"]).get("X-Amz-Credential", [""])[0].split("/")
        if not signed and len(scope) == 5:
            host: str | None = f"{scope[3]}.{scope[2]}.amazonaws.com"
        else:
            host = self.infer_service_region_host(environ, environ["PATH_INFO"])
        host = host or f"s3.{self._region}.amazonaws.com"
        named = host.partition(".")[0]
        if named in self._own and self._own[named].answer is not None:
            return named
        # Moto reads its own folder and tries each of its patterns, for every request.
        if host not in self._backends:
            self._backends[host] = str(self.get_backend_for_host(host))
        return self._backends[host]

    def _is_anonymous(self, environ: Environ) -> bool:
        """Say whether nobody signed a request that somebody has to sign; nothing here is public."""
        query = environ["QUERY_STRING"]
        if "HTTP_AUTHORIZATION" in environ or "X-Amz-Credential=" in query or "AWSAccessKeyId=" in query:
            return False
        # The fields of a browser's form are signed one by one, inside the body.
        if environ.get("CONTENT_TYPE", "").startswith("multipart/form-data"):
            return False
        return self.get_action_from_body(self._get_body(environ)) not in werkzeug_app.UNSIGNED_ACTIONS

    def get_service_from_path(self, path_info: str) -> tuple[None, None]:  # noqa: ARG002
        """Never guess a service from a path, which an object's key may look like."""
        return None, None

    def refused(self, backend: str, environ: Environ) -> Refused | None:  # noqa: ARG002 (for who replaces this)
        """Return the answer to who may not, None to who may: moto asks no policies."""
        return None

    def _served(self, backend: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if backend in ("None", "moto_api", "instance_metadata"):
            return _failure(environ, start_response, "501 Not Implemented", "NotImplemented", "no such service here")
        try:
            with self._turn(backend):
                refused = self.refused(backend, environ)
                if refused is not None:
                    start_response(refused.status, refused.headers)
                    return [refused.body]
                answer = self._own[backend].answer if backend in self._own else None
                if answer is not None:
                    return _answered(start_response, answer(environ))
                application = self._application(backend)
                return list(application(environ, start_response))
        except NotImplementedError as missing:
            _log.warning("%s: %s", backend, missing)
            message = f"The local cloud does not provide this operation of {backend}: {missing}"
            return _failure(environ, start_response, "501 Not Implemented", "NotImplemented", message)
        except Exception as problem:
            _log.exception("%s failed on %s %s", backend, environ["REQUEST_METHOD"], environ["PATH_INFO"])
            message = f"The local cloud failed: {type(problem).__name__}"
            return _failure(environ, start_response, "500 Internal Server Error", "InternalFailure", message)

    def _turn(self, backend: str) -> AbstractContextManager[Any]:
        return nullcontext() if backend in self._concurrent else self.turn(backend)

    def turn(self, backend: str) -> threading.RLock:
        """Return the lock under which requests to a moto backend are served."""
        return self._turns.setdefault(backend, threading.RLock())

    def _application(self, backend: str) -> Any:
        with self.lock:
            if backend not in self.app_instances:
                self.app_instances[backend] = self.create_app(backend)
            return self.app_instances[backend]

    def _page(self, name: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a page; the query's parameters are its arguments."""
        page = self._pages.get(name)
        if page is None:
            return _json(start_response, "404 Not Found", {"error": f"pages: {', '.join(self._pages)}"})
        arguments = dict(parse_qsl(environ["QUERY_STRING"]))
        try:
            inspect.signature(page).bind(**arguments)
        except TypeError as problem:
            return _json(start_response, "400 Bad Request", {"error": str(problem)})
        return _json(start_response, "200 OK", page(**arguments))


def _failure(environ: Environ, start_response: StartResponse, status: str, code: str, message: str) -> Iterable[bytes]:
    """Answer an error in the form that the caller's protocol reads: JSON where it spoke JSON, else XML."""
    if "HTTP_X_AMZ_TARGET" in environ or "json" in environ.get("CONTENT_TYPE", ""):
        body = json.dumps({"__type": code, "message": message})
        start_response(status, [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)])
        return [body.encode()]
    error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    simple = "Action=" in environ["QUERY_STRING"] or "form-urlencoded" in environ.get("CONTENT_TYPE", "")
    body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>" if simple else f"<Error>{error}</Error>"
    start_response(status, [("Content-Type", "application/xml")])
    return [f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()]


def _answered(start_response: StartResponse, answer: Answer) -> Iterable[bytes]:
    error = [("x-amzn-ErrorType", answer.error)] if answer.error else []
    start_response(answer.status, [("Content-Type", "application/json"), *error])
    return [json.dumps(answer.content).encode()]


def _json(start_response: StartResponse, status: str, content: Any) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(content).encode()]
