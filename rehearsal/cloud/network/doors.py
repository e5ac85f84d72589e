"""Doors: what leads a connection that is let in to a server which itself knows nothing of the network."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from rehearsal.cloud.network.gate import Listener

_CHUNK = 256 * 1024
_START_SECONDS = 10.0


class Doors:
    """All doors of one cloud, each at one address and port, served by one thread."""

    def __init__(self, gate: str) -> None:
        self._gate = gate
        self._open: dict[tuple[str, int], Listener] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network-doors", daemon=True)
        self._thread.start()

    def open(self, address: str, port: int, inside: str) -> None:
        """Lead from `address`:`port` to the same port of `inside`. Raises OSError if nothing can listen there."""

        async def start() -> None:
            async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await _lead(reader, writer, inside, port)

            listener = Listener(self._gate, lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), lead))
            listener.start(address, port)
            self._open[address, port] = listener

        asyncio.run_coroutine_threadsafe(start(), self._loop).result(_START_SECONDS)

    def shut(self, address: str) -> None:
        """Close the doors of an address; connections through them end with their server."""

        async def stop() -> None:
            for place in [place for place in self._open if place[0] == address]:
                self._open.pop(place).close()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(_START_SECONDS)

    def close(self) -> None:
        """Close every door."""
        for address in {place[0] for place in list(self._open)}:
            self.shut(address)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)


async def _lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inside: str, port: int) -> None:
    try:
        inner_reader, inner_writer = await asyncio.open_connection(inside, port)
    except OSError:
        # Nobody listens: the client is told as a closed port tells it.
        writer.transport.abort()
        return
    await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
    inner_writer.close()
    writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
        return
    # What broke on one side ends the other.
    writer.close()
