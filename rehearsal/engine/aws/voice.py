"""What is said to the author of a program besides answering: warnings, shown with the resource that they are about."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_SECONDS = 5.0
_log = logging.getLogger(__name__)


class EngineVoice:
    """Speaks through the engine at `address`, or to nobody where that is empty."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address) if address else None

    def warn(self, urn: str, messages: Sequence[str]) -> None:
        """Have the engine show warnings about a resource. An engine that has gone misses nothing."""
        if self._channel is None:
            return
        stub = engine_pb2_grpc.EngineStub(self._channel)
        for message in messages:
            try:
                stub.Log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=message, urn=urn), timeout=_SECONDS)
            except grpc.RpcError as problem:
                _log.info("a warning about %s reached nobody: %s", urn, problem)
                return

    def close(self) -> None:
        """Speak no more."""
        if self._channel is not None:
            self._channel.close()
