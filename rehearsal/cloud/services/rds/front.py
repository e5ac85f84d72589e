"""The TLS front of a PostgreSQL server: a process of its own, because the server's build has no TLS.

It lets in whom the network admits, answers the request for encryption, refuses a session without it where the
instance does (`rds.force_ssl`), and passes everything else on unchanged. Standard library only: started with
`python -S`.
Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

from rehearsal.cloud.network.gate import Listener

_TLS_REQUEST = 80877103
_GSS_REQUEST = 80877104
_CANCEL_REQUEST = 80877102
_LONGEST_STARTUP = 10000
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Front:
    """`backend` is the server's abstract Unix socket; while `force_tls_file` exists, TLS is demanded."""

    context: ssl.SSLContext
    backend: str
    force_tls_file: Path

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client to its end."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_encrypted = False
        while True:
            header = await reader.readexactly(8)
            length, code = struct.unpack("!II", header)
            if code == _TLS_REQUEST and not is_encrypted:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self.context)
                is_encrypted = True
            elif code == _GSS_REQUEST:
                writer.write(b"N")
            elif 8 <= length <= _LONGEST_STARTUP:
                break
            else:
                return
        startup = header + await reader.readexactly(length - 8)
        if code != _CANCEL_REQUEST and not is_encrypted and self.force_tls_file.exists():
            writer.write(_refusal(startup, writer.get_extra_info("peername")[0]))
            await writer.drain()
            return
        inner_reader, inner_writer = await asyncio.open_unix_connection(self.backend)
        inner_writer.write(startup)
        pumps = [asyncio.create_task(_pump(reader, inner_writer)), asyncio.create_task(_pump(inner_reader, writer))]
        # When one side is done the other has nobody to talk to.
        _, pending = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        inner_writer.close()
        for pump in pending:
            pump.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()


def _refusal(startup: bytes, client: str) -> bytes:
    """Return the error with which PostgreSQL refuses a session that no rule of pg_hba.conf allows."""
    words = startup[8:].split(b"\0")
    given = dict(zip(words[::2], words[1::2], strict=False))
    user = given.get(b"user", b"").decode(errors="replace")
    database = given.get(b"database", given.get(b"user", b"")).decode(errors="replace")
    message = f'no pg_hba.conf entry for host "{client}", user "{user}", database "{database}", no encryption'
    fields = {b"S": "FATAL", b"V": "FATAL", b"C": "28000", b"M": message}
    body = b"".join(key + value.encode() + b"\0" for key, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


async def _run(options: argparse.Namespace) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(options.directory / "server.pem", options.directory / "server.key")
    front = Front(context, f"\0{options.backend}", options.directory / "force_tls")
    listener = Listener(options.gate, lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), front.serve))
    listener.start(options.address, options.port)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    listener.close()


def main() -> None:
    """Listen until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--gate", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
