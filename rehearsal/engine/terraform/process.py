"""A running provider binary: how it is started, and how it ends."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any

import grpc

_COOKIE = {
    "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
    "PLUGIN_PROTOCOL_VERSIONS": "5",
}
_INHERITED = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
)
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_HANDSHAKE_SECONDS = 60.0
_STOP_SECONDS = 5.0
_LAST_LINES = 20
_LAST_WORDS_SECONDS = 1.0
_LOGGED = re.compile(r'\s*(\{"@|(\S+ ){0,2}\[(TRACE|DEBUG|INFO|WARN|ERROR)\])')


class LaunchError(Exception):
    """The provider binary could not be started or does not speak protocol 5."""


class ProviderProcess:
    """One provider binary and the channel to it.

    It gets the few variables that programs need, and of the cloud's only those in `environment`, so that what runs
    here is never decided by the shell that the host was started from. It dies with this process, however that ends.
    """

    def __init__(self, binary: Path, environment: Mapping[str, str]) -> None:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        # A provider frees what it read of schemas late; a nearer target keeps several of them affordable.
        tuning = {"GOGC": "50"}
        self._errors: list[str] = []
        self._process = _spawn(binary, inherited | tuning | dict(environment) | _COOKIE)
        try:
            address = self._handshake(binary)
        except LaunchError:
            self.stop()
            raise
        self.channel: grpc.Channel = grpc.insecure_channel(address, options=_UNLIMITED)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def ends(self, seconds: float) -> bool:
        """Tell whether the process has ended or does so within `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End the process and wait until it has."""
        if hasattr(self, "channel"):
            self.channel.close()
        if self.alive:
            self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """Return the last lines that the process wrote to its standard error and that are no log."""
        if self.ends(_LAST_WORDS_SECONDS):
            self._listener.join(_LAST_WORDS_SECONDS)
        return "\n".join(self._errors[-_LAST_LINES:])

    def _handshake(self, binary: Path) -> str:
        output, problem = self._process.stdout, self._process.stderr
        assert output is not None
        assert problem is not None
        self._listener = threading.Thread(target=_collect, args=(problem, self._errors), daemon=True)
        self._listener.start()
        answer: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_first_line, args=(output, answer), daemon=True).start()
        try:
            line = answer.get(timeout=_HANDSHAKE_SECONDS).strip()
        except queue.Empty:
            raise LaunchError(f"{binary} did not announce its address within {_HANDSHAKE_SECONDS:.0f} s") from None
        parts = line.split("|")
        if len(parts) < 5 or parts[1] != "5" or parts[2] not in ("unix", "tcp") or parts[4] != "grpc":
            raise LaunchError(f"{binary} does not speak Terraform's protocol 5; it said: {line or self.last_words()!r}")
        return f"unix:{parts[3]}" if parts[2] == "unix" else parts[3]


def _first_line(stream: IO[str], answer: queue.Queue[str]) -> None:
    answer.put(stream.readline())
    for _ in stream:
        continue


def _collect(stream: IO[str], lines: list[str]) -> None:
    for line in stream:
        # A log holds requests with all the secrets in them.
        if not _LOGGED.match(line):
            lines.append(line.rstrip())
            del lines[:-_LAST_LINES]


class _Spawner:
    """Starts processes from one thread that lives as long as this process.

    The kernel ends a child when the *thread* that made it ends, and threads that serve calls come and go.
    """

    def __init__(self) -> None:
        self._work: queue.Queue[tuple[Callable[[], Any], Future[Any]]] = queue.Queue()
        threading.Thread(target=self._run, name="spawner", daemon=True).start()

    def _run(self) -> None:
        while True:
            make, result = self._work.get()
            try:
                result.set_result(make())
            except OSError as problem:
                result.set_exception(problem)

    def start(self, make: Callable[[], subprocess.Popen[str]]) -> subprocess.Popen[str]:
        result: Future[subprocess.Popen[str]] = Future()
        self._work.put((make, result))
        return result.result()


_spawner: _Spawner | None = None
_spawner_lock = threading.Lock()


def _spawn(binary: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    global _spawner
    with _spawner_lock:
        _spawner = _spawner or _Spawner()
    launcher = Path(__file__).with_name("launch.py")
    arguments = [sys.executable, "-I", "-S", str(launcher), str(os.getpid()), str(binary)]

    def make() -> subprocess.Popen[str]:
        return subprocess.Popen(
            arguments,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    try:
        return _spawner.start(make)
    except OSError as problem:
        raise LaunchError(f"{binary} cannot be started: {problem}") from problem
