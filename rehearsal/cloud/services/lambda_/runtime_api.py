"""The runtime API, by which a function's process asks for invocations and answers them.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from rehearsal.cloud.services.lambda_.records import Outcome

_PREFIX = "/2018-06-01/runtime"
_LARGEST_ANSWER = 6 * 1024 * 1024


@dataclass(eq=False)
class Invocation:
    """One event on its way through an environment; `deadline` is in seconds since the epoch."""

    request_id: str
    function_arn: str
    payload: bytes
    deadline: float = 0.0
    outcome: Outcome | None = field(default=None, init=False)
    taken: threading.Event = field(default_factory=threading.Event, init=False)
    done: threading.Event = field(default_factory=threading.Event, init=False)

    def finish(self, outcome: Outcome) -> None:
        """Note how it ended; the first outcome stands."""
        if not self.done.is_set():
            self.outcome = outcome
            self.done.set()

    def headers(self) -> Mapping[str, str]:
        """Return what `next` answers beside the event."""
        return {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(self.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Content-Type": "application/json",
        }


class RuntimeApi:
    """The server beside one execution environment; `address` is what AWS_LAMBDA_RUNTIME_API holds."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        """Set when the runtime has initialised and asks for its first event."""
        self.init_error: Outcome | None = None
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._current: Invocation | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="lambda-runtime-api", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def offer(self, invocation: Invocation) -> None:
        """Give the runtime an event as soon as it asks."""
        self._waiting.put(invocation)

    def close(self) -> None:
        """Answer no more."""
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next(self) -> Invocation | None:
        """Wait for an event; None once the server closes."""
        self.asked.set()
        invocation = self._waiting.get()
        self._current = invocation
        if invocation is not None:
            invocation.taken.set()
        return invocation

    def answer(self, request_id: str, outcome: Outcome) -> bool:
        """Take the runtime's answer; False if it answers no event that it has."""
        current = self._current
        if current is None or current.request_id != request_id or current.done.is_set():
            return False
        if len(outcome.payload) > _LARGEST_ANSWER:
            message = f"Response payload size exceeded maximum allowed payload size ({_LARGEST_ANSWER} bytes)."
            too_large = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
            outcome = Outcome(json.dumps(too_large).encode(), "Unhandled")
        current.finish(outcome)
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path != f"{_PREFIX}/invocation/next":
                    return self._send(HTTPStatus.NOT_FOUND, b"")
                invocation = api.next()
                if invocation is None:
                    self.close_connection = True
                    return None
                return self._send(HTTPStatus.OK, invocation.payload, invocation.headers())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path == f"{_PREFIX}/init/error":
                    api.init_error = Outcome(body, "Unhandled", is_lost=True)
                    return self._accepted(True)
                match = re.fullmatch(rf"{_PREFIX}/invocation/([^/]+)/(response|error)", self.path)
                if match is None:
                    return self._send(HTTPStatus.NOT_FOUND, b"")
                error = "Unhandled" if match[2] == "error" else None
                return self._accepted(api.answer(match[1], Outcome(body, error)))

            def _accepted(self, is_taken: bool) -> None:
                if is_taken:
                    return self._send(HTTPStatus.ACCEPTED, b'{"status":"OK"}')
                refusal = {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"}
                return self._send(HTTPStatus.BAD_REQUEST, json.dumps(refusal).encode())

            def _send(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in (headers or {"Content-Type": "application/json"}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Requests are nobody's news."""

        return Handler
