"""The long-lived process that serves every instance of the provider `aws` of one rehearsal.

`python -m rehearsal.engine.host --socket PATH --provider BINARY --cache DIR`: an instance is a connection to the
socket, which says `{"environment": {…}, "directory": "…"}`, is told `{"port": N}` or `{"error": "…"}`, and lives as
long as it is open.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socketserver
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

# The fork handlers of gRPC would stop every call of every instance whenever a provider is started.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from rehearsal.cycles import look_seldom
from rehearsal.engine.aws.catalogue import Types
from rehearsal.engine.aws.deferral import QUIET_SECONDS, Deferral
from rehearsal.engine.aws.descriptions import Descriptions
from rehearsal.engine.aws.provider import AwsProvider
from rehearsal.engine.terraform.catalogue import Catalogue
from rehearsal.engine.terraform.pool import Pool

_CALLS_AT_ONCE = 64
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Host:
    """What the instances share: types, Terraform providers and a cache.

    A program that asks for nothing for `quiet` seconds has said all it has to say.
    """

    def __init__(self, binary: Path, cache: Path, quiet: float = QUIET_SECONDS) -> None:
        self._cache = cache
        self._types = Types(Catalogue(binary, cache), Descriptions(cache))
        self._pool = Pool(binary, self._types.catalogue.provider())
        self._deferral = Deferral(quiet)

    def open(self, environment: dict[str, str], directory: Path) -> Instance:
        """Start an instance for a caller with these AWS variables, whose relative paths begin in `directory`."""
        return Instance(AwsProvider(self._types, self._pool, self._deferral, environment, directory, self._cache))

    def processes(self) -> list[int]:
        """Return the process ids of the Terraform providers that run: one for each account and region in use."""
        return self._pool.processes()

    def close(self) -> None:
        """End the Terraform providers."""
        self._deferral.close()
        self._pool.close()


class Instance:
    """One provider instance, serving on `port` of the loopback interface until closed."""

    def __init__(self, provider: AwsProvider) -> None:
        self._provider = provider
        self._server = grpc.server(ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="call"), options=_UNLIMITED)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, self._server)
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def close(self) -> None:
        """Stop serving; calls under way are broken off."""
        self._server.stop(None)
        self._provider.close()


class _Connection(socketserver.StreamRequestHandler):
    server: _Listener

    def handle(self) -> None:
        line = self.rfile.readline()
        if not line:
            return
        try:
            request = json.loads(line)
            environment = {str(name): str(value) for name, value in request["environment"].items()}
            instance = self.server.host.open(environment, Path(request.get("directory", ".")))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            self._say({"error": f"not a request for an instance: {problem!r}"})
            return
        try:
            self._say({"port": instance.port})
            self.rfile.read()
        except OSError:
            return
        finally:
            instance.close()

    def _say(self, answer: dict[str, object]) -> None:
        self.wfile.write(json.dumps(answer).encode() + b"\n")
        self.wfile.flush()


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, host: Host) -> None:
        self.host = host
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Connection)
        path.chmod(0o600)


def serve(socket: Path, binary: Path, cache: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    host = Host(binary, cache)
    listener = _Listener(socket, host)

    def leave(_: int, __: FrameType | None) -> None:
        threading.Thread(target=listener.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        listener.serve_forever(poll_interval=0.2)
    finally:
        socket.unlink(missing_ok=True)
        host.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.engine.host", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="the Unix socket to serve on")
    parser.add_argument("--provider", type=Path, required=True, help="the Terraform AWS provider's binary")
    parser.add_argument("--cache", type=Path, required=True, help="a folder for schemas and assets")
    arguments = parser.parse_args()
    look_seldom()
    serve(arguments.socket, arguments.provider, arguments.cache)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
