"""Listening behind the network: each connection is asked about before a word is exchanged on it.

Standard library only, for the servers that run as processes of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

UNANSWERED_SECONDS = 127.0
"""How long nothing answers a connection that is not admitted: Linux gives a SYN up after this time."""
_PAUSE = 0.1
_CHUNK = 65536


class Listener:
    """Accepts connections at one address and port, and serves those that the network admits."""

    def __init__(
        self,
        gate: str,
        serve: Callable[[], asyncio.BaseProtocol],
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._gate = gate
        self._serve = serve
        self._context = context
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, address: str, port: int) -> None:
        """Begin to listen. Raises OSError if nothing can listen there."""
        self._socket = socket.create_server((address, port), backlog=512)
        self._socket.setblocking(False)
        self._begin(self._accept(self._socket))

    def show(self, context: ssl.SSLContext | None) -> None:
        """Meet connections to come with another certificate, or none; those that are admitted go on with theirs."""
        self._context = context

    def close(self) -> None:
        """Stop listening and drop those that wait in vain; connections that were admitted go on."""
        for task in self._tasks:
            task.cancel()
        if self._socket is not None:
            self._socket.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError:
                # No descriptor is free, say: those waiting are served once one is.
                await asyncio.sleep(_PAUSE)
                continue
            self._begin(self._receive(connection))

    async def _receive(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if await is_admitted(self._gate, connection):
                loop = asyncio.get_running_loop()
                await loop.connect_accepted_socket(self._serve, connection, ssl=self._context)
            else:
                await leave_unanswered(connection)
        except (OSError, ssl.SSLError):
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def is_admitted(gate: str, connection: socket.socket) -> bool:
    """Ask the network behind the abstract Unix socket `gate`; without an answer nobody is admitted."""
    try:
        ends = {"peer": connection.getpeername(), "local": connection.getsockname()}
        reader, writer = await asyncio.open_unix_connection(f"\0{gate}")
        try:
            writer.write(json.dumps(ends).encode() + b"\n")
            return await reader.readline() == b"yes\n"
        finally:
            writer.close()
    except OSError:
        return False


async def leave_unanswered(connection: socket.socket) -> None:
    """Say nothing until the client gives up or the time is over in which a SYN would have been."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(UNANSWERED_SECONDS):
            while await loop.sock_recv(connection, _CHUNK):
                pass
    connection.close()
