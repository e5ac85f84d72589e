"""An Application Load Balancer: a process of its own that listens, chooses a target and passes requests on as streams.

`python -m rehearsal.cloud.load_balancer.proxy CONFIGURATION STATUS` reads its configuration again on SIGHUP, and
tells in STATUS which version is in force, why a port cannot be listened on, and what is in flight for each target.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import ssl
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from rehearsal.cloud.load_balancer.routing import Request, choose, redirection
from rehearsal.cloud.load_balancer.targets import Targets
from rehearsal.cloud.network.gate import Listener

_CHUNK = 256 * 1024
_CONNECT_SECONDS = 10.0
_LONGEST_HEADER = 16 * 1024
# These concern one connection only.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_REASONS = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
_NO_TLS_CHECK = ssl.create_default_context()
_NO_TLS_CHECK.check_hostname = False
_NO_TLS_CHECK.verify_mode = ssl.CERT_NONE


@dataclass
class _Listening:
    listener: Listener
    runner: web.ServerRunner
    shows: tuple[Any, ...]
    """What of its configuration a client sees before its first request."""


class Proxy:
    """One load balancer, as configured by the last `apply`."""

    def __init__(self, status: Path) -> None:
        self._status = status
        self._configuration: dict[str, Any] = {"version": 0, "address": "", "idle_timeout": 60, "listeners": []}
        self._rules: dict[int, dict[str, Any]] = {}
        self._targets = Targets()
        self._listening: dict[int, _Listening] = {}
        self._refused: dict[str, str] = {}
        self._in_flight: Counter[str] = Counter()
        self._session: ClientSession | None = None

    async def apply(self, configuration: dict[str, Any]) -> None:
        """Listen and route as `configuration` says; a port that stays never refuses meanwhile, whatever changes."""
        self._configuration = configuration
        self._targets.replace(configuration["target_groups"])
        self._rules = {int(listener["port"]): listener for listener in configuration["listeners"]}
        left = [self._listening.pop(port) for port in self._listening.keys() - self._rules.keys()]
        for one in left:
            one.listener.close()
        self._refused = {}
        for port, listener in self._rules.items():
            if port not in self._listening:
                await self._listen(port, listener)
            elif self._listening[port].shows != _shown(listener):
                self._listening[port].listener.show(_tls(listener))
                self._listening[port].shows = _shown(listener)
        self._tell()
        for one in left:
            await one.runner.cleanup()

    async def close(self) -> None:
        """Stop listening."""
        for one in self._listening.values():
            one.listener.close()
            await one.runner.cleanup()
        self._listening.clear()
        if self._session is not None:
            await self._session.close()

    async def _listen(self, port: int, listener: Mapping[str, Any]) -> None:
        address = self._configuration["address"]

        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            return await self._serve(request, port)

        server = web.Server(
            serve,
            keepalive_timeout=float(self._configuration["idle_timeout"]),
            auto_decompress=False,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            access_log=None,
        )
        runner = web.ServerRunner(server, shutdown_timeout=2.0)
        await runner.setup()
        listening = Listener(self._configuration["gate"], server, _tls(listener))
        try:
            listening.start(address, port)
        except OSError as problem:
            self._refused[str(port)] = f"nothing can listen on {address}:{port} here: {problem.strerror or problem}"
            await runner.cleanup()
        else:
            self._listening[port] = _Listening(listening, runner, _shown(listener))

    async def _serve(self, request: web.BaseRequest, port: int) -> web.StreamResponse:
        host = (
            request.headers.get("Host", "").rpartition(":")[0]
            if ":" in request.headers.get("Host", "")
            else request.host
        )
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Request(request.method, host, path, query, request.remote or "", headers)
        listener = self._rules.get(port)
        if listener is None:
            return _failed(503)
        for action in choose(listener["rules"], seen):
            if action["Type"] == "fixed-response":
                return _fixed(action["FixedResponseConfig"])
            if action["Type"] == "redirect":
                status, location = redirection(action["RedirectConfig"], seen, listener["scheme"], port)
                return web.Response(status=status, headers={"Location": location, "Server": "awselb/2.0"})
            if action["Type"] == "forward":
                return await self._forward(request, action, listener)
        return _failed(503)

    async def _forward(
        self, request: web.BaseRequest, action: Mapping[str, Any], listener: Mapping[str, Any]
    ) -> web.StreamResponse:
        target = self._targets.choose(action, self._in_flight)
        if target is None:
            return _failed(503)
        self._in_flight[target.key] += 1
        try:
            if target.url is None:
                await asyncio.sleep(_CONNECT_SECONDS)
                return _failed(504)
            return await self._exchange(request, target.url, listener)
        finally:
            self._in_flight[target.key] -= 1
            if not self._in_flight[target.key]:
                del self._in_flight[target.key]
                if self._targets.is_draining(target.key):
                    self._tell()

    async def _exchange(self, request: web.BaseRequest, target: str, listener: Mapping[str, Any]) -> web.StreamResponse:
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        idle = float(self._configuration["idle_timeout"])
        try:
            answer = await self._client().request(
                request.method,
                URL(target + request.raw_path, encoded=True),
                headers=_forwarded_headers(request, listener),
                data=request.content if request.can_read_body else None,
                allow_redirects=False,
                timeout=ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=idle),
                ssl=_NO_TLS_CHECK,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            )
        except TimeoutError:
            return _failed(504)
        except (ClientError, OSError):
            return _failed(502)
        async with answer:
            return await _stream_back(request, answer)

    def _client(self) -> ClientSession:
        if self._session is None:
            # A kept connection could be closed by the target just as a request that must not be repeated is sent.
            connector = TCPConnector(limit=0, force_close=True)
            self._session = ClientSession(connector=connector, auto_decompress=False, cookie_jar=DummyCookieJar())
        return self._session

    def _tell(self) -> None:
        status = {
            "version": self._configuration["version"],
            "refused": self._refused,
            "in_flight": dict(self._in_flight),
        }
        draft = self._status.with_suffix(".draft")
        draft.write_text(json.dumps(status))
        draft.replace(self._status)


def _forwarded_headers(request: web.BaseRequest, listener: Mapping[str, Any]) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in request.headers.get("Connection", "").split(",")}
    kept = ((name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP | named)
    headers = CIMultiDict(kept)
    before = headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{before}, {request.remote}" if before else str(request.remote)
    headers["X-Forwarded-Proto"] = str(listener["scheme"])
    headers["X-Forwarded-Port"] = str(listener["port"])
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    trace = headers.get("X-Amzn-Trace-Id")
    headers["X-Amzn-Trace-Id"] = f"Self={root};{trace}" if trace else f"Root={root}"
    return headers


async def _stream_back(request: web.BaseRequest, answer: ClientResponse) -> web.StreamResponse:
    kept = ((name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP)
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=CIMultiDict(kept))
    response.headers.setdefault("Server", "awselb/2.0")
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_chunked(_CHUNK):
            await response.write(chunk)
        await response.write_eof()
    except (ClientError, OSError, TimeoutError):
        # The head is gone out already; all that is left to say that the rest is missing is to hang up.
        if request.transport is not None:
            request.transport.abort()
    return response


def _fixed(config: Mapping[str, Any]) -> web.Response:
    headers = {"Server": "awselb/2.0", "Content-Type": str(config.get("ContentType") or "text/plain")}
    return web.Response(
        status=int(config["StatusCode"]), body=str(config.get("MessageBody") or "").encode(), headers=headers
    )


def _failed(status: int) -> web.Response:
    title = f"{status} {_REASONS[status]}"
    head, heading = f"<head><title>{title}</title></head>", f"<center><h1>{title}</h1></center>"
    body = f"<html>\r\n{head}\r\n<body>\r\n{heading}\r\n</body>\r\n</html>\r\n"
    headers = {"Server": "awselb/2.0", "Content-Type": "text/html"}
    return web.Response(status=status, reason=_REASONS[status], body=body.encode(), headers=headers)


def _shown(listener: Mapping[str, Any]) -> tuple[Any, ...]:
    return listener["scheme"], listener["certificates"], listener["minimum_tls"]


def _tls(listener: Mapping[str, Any]) -> ssl.SSLContext | None:
    """Return a listener's TLS; a client is shown the certificate for the name it asks for, else the first one."""
    if listener["scheme"] != "https":
        return None
    contexts: dict[str, ssl.SSLContext] = {}
    default: ssl.SSLContext | None = None
    for certificate in listener["certificates"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion[listener["minimum_tls"]]
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(certificate["file"], certificate["key_file"])
        contexts.update(dict.fromkeys(certificate["names"], context))
        default = default or context
    assert default is not None

    def by_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        wildcard = f"*.{(name or '').partition('.')[2]}"
        chosen = contexts.get(name or "") or contexts.get(wildcard)
        if chosen is not None:
            connection.context = chosen

    default.sni_callback = by_name
    return default


async def _run(configuration: Path, status: Path) -> None:
    proxy = Proxy(status)
    loop = asyncio.get_running_loop()
    changed, stopped = asyncio.Event(), asyncio.Event()
    changed.set()
    loop.add_signal_handler(signal.SIGHUP, changed.set)
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    ending = asyncio.create_task(stopped.wait())
    while not stopped.is_set():
        change = asyncio.create_task(changed.wait())
        await asyncio.wait({change, ending}, return_when=asyncio.FIRST_COMPLETED)
        change.cancel()
        if changed.is_set():
            changed.clear()
            await proxy.apply(json.loads(configuration.read_text()))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(proxy.close(), 5.0)


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), Path(sys.argv[2])))
