"""A confined process from outside: sends it requests and reads what it answers, within a time and a size."""

from __future__ import annotations

import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import interlock
from interlock.sandbox.plan import Limits, Plan
from interlock.sandbox.wire import LENGTH_BYTES, BrokenMessage, body_size, parse

_BOOT: Final = (
    "import sys; sys.path.append(sys.argv.pop()); from interlock.sandbox.launcher import main; sys.path.pop();"
    " sys.exit(main())"
)
_CHUNK: Final = 1 << 20
_END_SECONDS: Final = 10.0
_STATUS_SECONDS: Final = 0.3


class Broken(Exception):
    """The process did not answer as it has to; the text says how, and it is of no use any more."""


class ConfinedProcess:
    """One process that runs a model, and the pipes to it. `close` ends it and all that it may have started.

    With a `connection`, the descriptors of both ends of a socket, it serves HTTP on the first one and not requests of
    ours; both are this object's to close.
    """

    def __init__(self, python: str, model: Path, limits: Limits, *, connection: tuple[int, int] | None = None) -> None:
        self._limits = limits
        requests, self._requests = connection or os.pipe()
        self._answers, answers = os.pipe()
        plan = Plan(model=str(model), requests=requests, answers=answers, limits=limits, serves=connection is not None)
        # Where `interlock` lies: isolated, the interpreter finds only what is installed.
        library = str(Path(interlock.__path__[0]).resolve().parent)
        try:
            self._process = subprocess.Popen(
                [python, "-I", "-c", _BOOT, plan.as_text(), library],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(requests, answers),
                env={},
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            os.close(self._requests)
            os.close(self._answers)
            raise
        finally:
            os.close(requests)
            os.close(answers)
        for descriptor in (self._requests, self._answers):
            os.set_blocking(descriptor, False)

    def exchange(self, request: bytes, seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        """Send a message and return the answer's head and blobs. Raises Broken."""
        deadline = time.monotonic() + seconds
        # What lies in the pipe before it was asked for was not computed from the request.
        if select.select([self._answers], [], [], 0)[0]:
            raise Broken("its process wrote what it was not asked for, or ended")
        rest = memoryview(request)
        while rest:
            readable, writable, _ = select.select([self._answers], [self._requests], [], self._left(deadline, seconds))
            if readable and not writable:
                raise Broken("its process answered before it had read the request, or ended")
            if writable:
                rest = rest[self._write(rest) :]
        return self.answer(deadline - time.monotonic(), seconds)

    def answer(self, left: float, allowed: float) -> tuple[dict[str, Any], list[bytes]]:
        """Return the next message of the process. Raises Broken."""
        deadline = time.monotonic() + left
        size = body_size(self._read(LENGTH_BYTES, deadline, allowed))
        if size > self._limits.answer_bytes:
            raise Broken(f"its process answered with {size:,} bytes; accepted are {self._limits.answer_bytes:,}")
        try:
            return parse(self._read(size, deadline, allowed))
        except BrokenMessage as error:
            raise Broken(f"its process answered with what is no answer: {error}") from None

    def close(self) -> None:
        """End the process, and wait until it and all in its namespaces are gone."""
        os.close(self._requests)
        os.close(self._answers)
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            # The confined process dies with what watches over it.
            self._process.kill()
            self._process.wait()

    def _write(self, rest: memoryview) -> int:
        try:
            return os.write(self._requests, rest[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise Broken("its process ended") from None

    def _read(self, size: int, deadline: float, allowed: float) -> bytes:
        content = bytearray()
        while len(content) < size:
            select.select([self._answers], [], [], self._left(deadline, allowed))
            try:
                part = os.read(self._answers, min(_CHUNK, size - len(content)))
            except BlockingIOError:
                continue
            if not part:
                raise Broken(f"its process ended{self._how()}")
            content += part
        return bytes(content)

    def _left(self, deadline: float, allowed: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Broken(f"it took longer than {allowed:g} s")
        return left

    def _how(self) -> str:
        try:
            status = self._process.wait(_STATUS_SECONDS)
        except subprocess.TimeoutExpired:
            return ""
        return f" with status {status}"
