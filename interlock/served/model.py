"""A model in the process that serves it in production, confined: the server that the gate of latency is given."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from interlock.release.gates.gate import ModelFailed, Served
from interlock.release.manifest import Manifest
from interlock.sandbox import answers
from interlock.sandbox.copying import ModelCopy
from interlock.sandbox.pipes import Broken, ConfinedProcess
from interlock.sandbox.plan import Limits
from interlock.sandbox.starting import started

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


class ServedModel:
    """A model's folder, served over HTTP by a confined process that the first request starts."""

    def __init__(
        self, folder: Path, *, manifest: Manifest | None = None, limits: Limits | None = None, python: str | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._copy = ModelCopy(folder, manifest)
        self._python = python or sys.executable
        self._process: ConfinedProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answer(self, requests: Sequence[pd.DataFrame]) -> list[Served]:
        """Send one request after the other over one connection; after it broke, no request is answered.

        Raises ModelFailed if the model does not load, and CannotConfine.
        """
        ours = self._started()
        bodies = [_body(rows) for rows in requests]
        with Connection(ours, self.limits) as connection:
            return [connection.ask(body) for body in bodies]

    def close(self) -> None:
        """End the process and remove its copy of the model."""
        if self._process is not None:
            self._process.close()
            self._process = None
        self._copy.remove()

    def _started(self) -> socket.socket:
        # A connection serves one series of requests: the next series begins as cold as the first.
        if self._process is not None:
            self._process.close()
            self._process = None
        folder = self._copy.folder()
        # A connected pair, for the process has no call to open or to accept another connection with.
        theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        mine = ours.dup()
        pair = (theirs.detach(), ours.detach())
        try:
            self._process = started(self._python, folder, self.limits, connection=pair)
            self._wait_until_loaded(self._process)
        except BaseException:
            mine.close()
            raise
        return mine

    def _wait_until_loaded(self, process: ConfinedProcess) -> None:
        try:
            head, _ = process.answer(self.limits.load_seconds, self.limits.load_seconds)
        except Broken as error:
            raise ModelFailed(f"the serving process failed: {error}") from None
        if head.get("loaded") is not True:
            raise ModelFailed(f"the model does not load: {answers.told(head.get('failed', 'no reason given'))}")


class Connection:
    """The one connection to a serving process. What comes over it is hostile: bounded in time and in size."""

    def __init__(self, ours: socket.socket, limits: Limits) -> None:
        self._limits = limits
        self._socket = ours
        self._socket.settimeout(limits.call_seconds)
        self._http = http.client.HTTPConnection("model")
        self._http.sock = ours
        # It would connect to a machine of that name if the process closed the connection.
        self._http.auto_open = 0
        self._broken = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        self._socket.close()

    def ask(self, body: bytes) -> Served:
        """Send one request and return what it came to."""
        if self._broken:
            return Served(0.0, None)
        # A time limit of a socket begins again with each byte that comes.
        watch = threading.Timer(self._limits.call_seconds, self._give_up)
        watch.start()
        begun = time.perf_counter()
        try:
            self._http.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            response = self._http.getresponse()
            content = response.read(self._limits.answer_bytes + 1)
        except (OSError, http.client.HTTPException):
            self._broken = True
            return Served(time.perf_counter() - begun, None)
        finally:
            watch.cancel()
        seconds = time.perf_counter() - begun
        if len(content) > self._limits.answer_bytes:
            self._broken = True
            return Served(seconds, None)
        return Served(seconds, predictions_in(content) if response.status == http.client.OK else None)

    def _give_up(self) -> None:
        self._broken = True
        self._socket.shutdown(socket.SHUT_RDWR)


def _body(rows: pd.DataFrame) -> bytes:
    """Return rows as MLflow's scoring protocol takes them, with all digits of their numbers."""
    cells = rows.astype(object).where(rows.notna(), None).to_numpy().tolist()
    return json.dumps({"dataframe_split": {"columns": list(rows.columns), "data": cells}}, default=str).encode()


def predictions_in(content: bytes) -> npt.NDArray[Any] | None:
    """Return the predictions of a response of MLflow's scoring server, or None if it holds none."""
    try:
        found = json.loads(content)["predictions"]
        rows = [list(one.values()) if isinstance(one, dict) else one for one in found]
        return np.asarray(rows, dtype=np.float64)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
