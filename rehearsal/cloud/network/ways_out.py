"""Where a container finds AWS's services: at an address of its own, so that each call's origin is known."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from rehearsal.cloud.listener import Environ, HttpServer, StartResponse, Unreachable, WsgiApplication
from rehearsal.cloud.network.services import Called, called

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.2


class WaysOut:
    """One server of the whole cloud's services an address; all listen on the port that the cloud itself has."""

    def __init__(self, application: WsgiApplication, port: int) -> None:
        self._application = application
        self._port = port
        self._servers: dict[str, HttpServer] = {}
        self._lock = threading.Lock()

    def open(self, address: str, obstacle: Callable[[Called], str | None]) -> str:
        """Return the URL at which services answer whoever is at `address`, if `obstacle` names none in the way."""
        with self._lock:
            if address not in self._servers:
                server = self._servers[address] = HttpServer(address, self._from(address, obstacle), self._port)
                arguments = (_POLL_SECONDS,)
                threading.Thread(
                    target=server.serve_forever, args=arguments, name=f"services-{address}", daemon=True
                ).start()
            return self._servers[address].url

    def close(self, address: str) -> None:
        """Answer at an address no longer."""
        with self._lock:
            server = self._servers.pop(address, None)
        if server is not None:
            server.shutdown()
            server.server_close()

    def close_all(self) -> None:
        """Answer nowhere any longer."""
        for address in list(self._servers):
            self.close(address)

    def _from(self, address: str, obstacle: Callable[[Called], str | None]) -> WsgiApplication:
        def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            wanted = called(environ)
            # What nobody signed is refused for that.
            problem: Any = obstacle(wanted) if wanted is not None else None
            if problem is not None and wanted is not None:
                _log.warning("%s reaches no %s in %s: %s", address, wanted.service, wanted.region, problem)
                raise Unreachable(problem)
            return self._application(environ, start_response)

        return answer
