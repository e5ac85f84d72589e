"""HTTP/1.1 with kept-alive connections around a WSGI application, on the loopback interface.

Werkzeug's own server closes every connection after one answer, which makes a client that sends thousands of
requests (an engine, a load test) spend most of its time connecting.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

from rehearsal.cloud.network.gate import UNANSWERED_SECONDS

LARGEST_BODY = 5 * 1024**3
"""Bytes; what S3 takes in one PUT is the largest body of any AWS request."""

_BODYLESS_STATUS = (204, 304)
_log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApplication = Callable[[Environ, StartResponse], Iterable[bytes]]


class Unreachable(Exception):
    """No way leads from the client to what it asks for, so that nothing may answer it."""


class HttpServer(ThreadingHTTPServer):
    """Serves `application` on `port` (a free one if 0) of `host`; a thread a connection.

    A request for which the application raises Unreachable is never answered.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, host: str, application: WsgiApplication, port: int = 0) -> None:
        self.application = application
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """The URL that clients use, without a trailing slash."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log what went wrong on a connection; a client that went away is nothing to report."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            _log.exception("connection from %s failed", client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "amazon.com"
    # Small answers must not wait for the client's delayed acknowledgement.
    disable_nagle_algorithm = True
    # An answer leaves in one piece, head and body together.
    wbufsize = 1 << 16
    server: HttpServer

    def handle_expect_100(self) -> bool:
        """Ask for the body now: the client waits for this before it sends it."""
        wanted = super().handle_expect_100()
        self.wfile.flush()
        return wanted

    def _answer(self) -> None:
        body = self._body()
        if body is None:
            return
        status = ""
        headers: list[tuple[str, str]] = []

        def start_response(line: str, fields: list[tuple[str, str]], _: Any = None) -> None:
            nonlocal status, headers
            status, headers = line, fields

        try:
            chunks = self.server.application(self._environ(body), start_response)
        except Unreachable:
            self._stay_silent()
            return
        try:
            content = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        self._send(status, headers, content)

    def _stay_silent(self) -> None:
        """Let the client wait in vain for as long as a connection that never comes about would have it wait."""
        self.close_connection = True
        self.connection.settimeout(UNANSWERED_SECONDS)
        with suppress(OSError):
            while self.connection.recv(65536):
                pass

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _answer

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        declared = {name.lower() for name, _ in headers}
        for name, value in (("Date", self.date_time_string()), ("Server", self.server_version)):
            if name.lower() not in declared:
                self.send_header(name, value)
        for name, value in headers:
            # A HEAD answer declares the length of the body it does not carry.
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if int(code) not in _BODYLESS_STATUS and not (self.command == "HEAD" and "content-length" in declared):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and int(code) not in _BODYLESS_STATUS:
            self.wfile.write(content)

    def _body(self) -> bytes | None:
        """Return the whole body, or None after an answer that refuses it."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunked_body()
        declared = self.headers.get("Content-Length", "0")
        if not declared.isdigit() or int(declared) > LARGEST_BODY:
            self.close_connection = True
            self.send_error(413 if declared.isdigit() else 400)
            return None
        body = self.rfile.read(int(declared))
        if len(body) < int(declared):
            self.close_connection = True
            return None
        return body

    def _chunked_body(self) -> bytes | None:
        body = io.BytesIO()
        while True:
            size = int(self.rfile.readline().split(b";")[0].strip() or b"0", 16)
            if body.tell() + size > LARGEST_BODY:
                self.close_connection = True
                self.send_error(413)
                return None
            if size == 0:
                break
            body.write(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body.getvalue()

    def _environ(self, body: bytes) -> Environ:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[0], self.server.server_address[1]
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "QUERY_STRING": query,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(body)),
        }
        environ |= self._header_variables()
        return environ

    def _header_variables(self) -> Environ:
        """Return the headers as WSGI names them; S3's metadata names keep the spelling they came in."""
        variables: Environ = {}
        spelled: dict[str, str] = {}
        for name, value in self.headers.items():
            if "_" in name and not should_preserve_original_header_name(name):
                continue
            key = environ_key_for_header(name)
            if key in ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):
                continue
            if "_" in name:
                spelled[key] = name
            variables[key] = f"{variables[key]},{value}" if key in variables else value
        variables[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = spelled
        return variables

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the dispatcher logs each call by its service and outcome."""
