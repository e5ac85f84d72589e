"""A server before S3 that hands on what it gets, counts the writes, and kills whoever sends the one it waits for."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_CHUNK = 1 << 20
_DRAIN_SECONDS = 180
_OF_ONE_CONNECTION = frozenset(("connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "expect"))


@dataclass(frozen=True)
class Death:
    """Of a process at its `number`th write, from 1 on: before the write takes effect, or right after."""

    number: int
    arrives: bool

    def __str__(self) -> str:
        return f"killed {'after' if self.arrives else 'before'} write {self.number}"


@dataclass
class Front:
    """Where the command under test finds its cloud."""

    behind: str
    url: str = ""
    writes: list[str] = field(default_factory=list)
    """What was asked to be written since `watch` was called, as `METHOD path`."""
    _death: Death | None = None
    _victim: Callable[[], int | None] = lambda: None
    _under_way: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def watch(self, victim: Callable[[], int | None], death: Death | None) -> None:
        """Count from here on; `victim` returns the process id to kill."""
        self.drain()
        with self._changed:
            self.writes, self._death, self._victim = [], death, victim

    def drain(self) -> None:
        """Wait until whatever the dead had sent has come to its end."""
        with self._changed:
            done = self._changed.wait_for(lambda: not self._under_way, timeout=_DRAIN_SECONDS)
            assert done, f"after {_DRAIN_SECONDS} s there was no answer to {self._under_way}"

    def entered(self, method: str, path: str) -> bool:
        """Note a request, and return whether whoever sent it is to be killed once it has taken effect.

        Whoever is to be killed before is dead when this raises Dead.
        """
        with self._changed:
            self._under_way.append(f"{method} {path}")
            if not is_write(method, path):
                return False
            self.writes.append(f"{method} {path}")
            death = self._death
            if death is None or len(self.writes) != death.number:
                return False
        if not death.arrives:
            self.kill()
            raise Dead
        return True

    def left(self, method: str, path: str) -> None:
        with self._changed:
            self._under_way.remove(f"{method} {path}")
            self._changed.notify_all()

    def kill(self) -> None:
        process = self._victim()
        assert process is not None
        os.kill(process, signal.SIGKILL)


class Dead(Exception):
    """Nobody waits for the answer."""


def is_write(method: str, path: str) -> bool:
    """Say whether a request changes something in S3. The other services are asked by POST to the root alone."""
    return method in ("PUT", "POST", "DELETE") and urlsplit(path).path != "/"


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    behind = urlsplit(front.behind)
    assert behind.hostname is not None

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                # Whoever sent it died on the way; S3 would wait for the rest, and take nothing.
                self.close_connection = True
                return
            try:
                dies_after = front.entered(self.command, self.path)
                self._hand_on(body, dies_after)
            except Dead:
                self.close_connection = True
            finally:
                front.left(self.command, self.path)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

        def _hand_on(self, body: bytes, dies_after: bool) -> None:
            connection = http.client.HTTPConnection(str(behind.hostname), behind.port, timeout=120)
            with contextlib.closing(connection):
                kept = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
                connection.request(self.command, self.path, body or None, kept)
                answer = connection.getresponse()
                if dies_after:
                    answer.read()
                    front.kill()
                    raise Dead
                self._give_back(answer)

        def _give_back(self, answer: http.client.HTTPResponse) -> None:
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in (*_OF_ONE_CONNECTION, "content-length"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length")
            content = answer.read() if length is None else b""
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            # Whoever was killed meanwhile reads no more.
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content)
                while self.command != "HEAD" and (part := answer.read(_CHUNK)):
                    self.wfile.write(part)

        def log_message(self, *_: Any) -> None:
            return

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Whoever was killed leaves requests that are never sent to their end.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def fronted(behind: str) -> Iterator[Front]:
    """Run a front of the cloud at `behind` on the loopback until the block ends."""
    front = Front(behind)
    server = _Server(("127.0.0.1", 0), _handler(front))
    front.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
